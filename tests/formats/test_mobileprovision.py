"""What a provisioning profile says, and how its property list is found inside the CMS message."""

from __future__ import annotations

import hashlib
import plistlib
import random
from datetime import datetime

import pytest

from auditor.errors import FormatError
from auditor.formats.mobileprovision import parse_profile
from tests.builders.code_signature import der, signed_data

PROFILE = {
    "Name": "Shop Ad Hoc",
    "UUID": "0f6f7d8e-0000-0000-0000-000000000000",
    "TeamIdentifier": ["TEAM123456"],
    "TeamName": "Example Ltd.",
    "AppIDName": "Shop",
    "CreationDate": datetime(2026, 1, 2, 3, 4, 5),
    "ExpirationDate": datetime(2027, 1, 2, 3, 4, 5),
    "DeveloperCertificates": [b"second certificate", b"first certificate"],
    "ProvisionedDevices": ["00008030-000000000000001E", "00008030-000000000000002E"],
    "Entitlements": {"application-identifier": "TEAM123456.com.example.shop", "get-task-allow": False},
}
XML = plistlib.dumps(PROFILE)


@pytest.mark.parametrize(
    "data",
    [
        signed_data(XML),
        signed_data(XML, chunks=3),
        signed_data(plistlib.dumps(PROFILE, fmt=plistlib.FMT_BINARY)),
        XML,
        b"\x30\x80junk" + XML + b"more junk",
        memoryview(signed_data(XML)),
    ],
)
def test_a_profile_reads_the_same_in_every_wrapping(data: bytes) -> None:
    profile = parse_profile(data)
    assert profile.name == "Shop Ad Hoc"
    assert profile.uuid == PROFILE["UUID"]
    assert profile.team_ids == ("TEAM123456",)
    assert (profile.team_name, profile.app_id_name) == ("Example Ltd.", "Shop")
    assert profile.entitlements == PROFILE["Entitlements"]
    assert (profile.provisions_all_devices, profile.device_count) == (False, 2)
    assert (profile.created, profile.expires) == ("2026-01-02T03:04:05Z", "2027-01-02T03:04:05Z")
    digests = [hashlib.sha256(item).hexdigest() for item in (b"first certificate", b"second certificate")]
    assert profile.certificates == tuple(sorted(digests))


def test_an_in_house_profile_names_no_devices() -> None:
    profile = parse_profile(signed_data(plistlib.dumps({"ProvisionsAllDevices": True, "TeamIdentifier": ["T"]})))
    assert (profile.provisions_all_devices, profile.device_count) == (True, 0)
    assert (profile.name, profile.created, profile.certificates) == ("", "", ())


def test_device_identifiers_are_not_kept() -> None:
    assert "00008030" not in repr(parse_profile(signed_data(XML)))


def test_values_of_the_wrong_type_are_left_out() -> None:
    odd = {"Name": ["x"], "TeamIdentifier": 7, "Entitlements": "x", "DeveloperCertificates": {"a": 1}, "UUID": b"x"}
    profile = parse_profile(signed_data(plistlib.dumps(odd)))
    assert (profile.name, profile.team_ids, profile.entitlements) == ("", (), {})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"nothing",
        signed_data(b"no property list"),
        signed_data(plistlib.dumps(["no dictionary"])),
        der(0x30, bytes.fromhex("06092a864886f70d010701"), der(0xA0, der(0x04, b"x"))),
        der(0x30, bytes.fromhex("06092a864886f70d010702")),
        b"<?xml never closed",
    ],
)
def test_what_holds_no_profile_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_profile(data)


def test_every_prefix_and_flipped_bits_are_read_or_refused() -> None:
    good = signed_data(XML)
    rng = random.Random(13)
    samples = [good[:end] for end in range(0, len(good), 3)]
    for _ in range(400):
        data = bytearray(good)
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        samples.append(bytes(data))
    for data in samples:
        try:
            parse_profile(data)
        except FormatError:
            continue
