"""What a code signature states, in either of its entitlement forms, and what a damaged one may do."""

from __future__ import annotations

import plistlib
import random
import struct
from datetime import datetime

import pytest

from auditor.errors import FormatError
from auditor.formats.code_signature import parse_code_signature
from tests.builders.code_signature import blob, cdhash, code_directory, der, der_entitlements, super_blob

ENTITLEMENTS: dict[str, object] = {
    "application-identifier": "TEAM123456.com.example.shop",
    "get-task-allow": True,
    "aps-environment": "production",
    "com.apple.developer.associated-domains": ["applinks:example.com", "webcredentials:example.com"],
    "com.example.nested": {"level": 3, "negative": -129, "none": False},
}


def xml_entitlements(entitlements: dict[str, object]) -> bytes:
    return blob(0xFADE7171, plistlib.dumps(entitlements))


def test_a_signature_names_identifier_team_and_hash() -> None:
    directory = code_directory("com.example.shop", "TEAM123456")
    signature = parse_code_signature(super_blob(directory, blob(0xFADE0B01, b"a CMS message")))
    assert (signature.identifier, signature.team_id) == ("com.example.shop", "TEAM123456")
    assert signature.cdhash == cdhash(directory)
    assert (signature.ad_hoc, signature.has_cms) == (False, True)
    assert signature.entitlements == {}
    assert signature.faults == ()


@pytest.mark.parametrize("make", [xml_entitlements, der_entitlements])
def test_entitlements_read_the_same_in_both_forms(make) -> None:  # type: ignore[no-untyped-def]
    signature = parse_code_signature(super_blob(code_directory("a"), make(ENTITLEMENTS)))
    assert signature.entitlements == ENTITLEMENTS
    assert signature.faults == ()


def test_the_der_form_is_the_one_that_counts() -> None:
    both = super_blob(code_directory("a"), xml_entitlements({"old": True}), der_entitlements({"new": True}))
    assert parse_code_signature(both).entitlements == {"new": True}


def test_the_set_form_of_a_dictionary_is_read_too() -> None:
    pair = der(0x30, der(0x0C, b"key"), der(0x31, der(0x30, der(0x0C, b"inner"), der(0x04, b"\xab"))))
    body = blob(0xFADE7172, der(0x70, der(0x02, b"\x01"), der(0x31, pair)))
    assert parse_code_signature(super_blob(code_directory("a"), body)).entitlements == {"key": {"inner": "ab"}}


def test_entitlements_come_in_plain_types() -> None:
    odd = {"data": b"\x01\xff", "date": datetime(2026, 1, 2, 3, 4, 5)}
    signature = parse_code_signature(super_blob(code_directory("a"), xml_entitlements(odd)))
    assert signature.entitlements == {"data": "01ff", "date": "2026-01-02T03:04:05Z"}


@pytest.mark.parametrize(
    ("flags", "cms", "ad_hoc", "has_cms"),
    [
        (0x2, b"", True, False),
        (0x20002, None, True, False),
        (0x10000, b"message", False, True),
        (0, None, False, False),
    ],
)
def test_ad_hoc_and_certified_signatures(flags: int, cms: bytes | None, ad_hoc: bool, has_cms: bool) -> None:
    blobs = [code_directory("a", flags=flags)]
    if cms is not None:
        blobs.append(blob(0xFADE0B01, cms))
    signature = parse_code_signature(super_blob(*blobs))
    assert (signature.ad_hoc, signature.has_cms) == (ad_hoc, has_cms)


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_the_strongest_directory_identifies_the_code(order: tuple[int, int]) -> None:
    made = {kind: code_directory("com.example", hash_type=kind) for kind in order}
    signature = parse_code_signature(super_blob(*(made[kind] for kind in order)))
    assert signature.cdhash == cdhash(made[2])


@pytest.mark.parametrize(("kind", "algorithm"), [(1, "sha1"), (2, "sha256"), (3, "sha256"), (4, "sha384")])
def test_every_hash_type(kind: int, algorithm: str) -> None:
    directory = code_directory("a", hash_type=kind)
    assert parse_code_signature(super_blob(directory)).cdhash == cdhash(directory, algorithm)


def test_an_unknown_hash_type_leaves_the_hash_empty() -> None:
    assert parse_code_signature(super_blob(code_directory("a", hash_type=9))).cdhash == ""


def test_old_directories_have_no_team() -> None:
    old = code_directory("com.example", "TEAM123456", version=0x20100)
    assert parse_code_signature(super_blob(old)).team_id == ""


@pytest.mark.parametrize(
    "damaged",
    [
        blob(0xFADE7172, b"\x70\x7f"),
        blob(0xFADE7172, der(0x70, der(0xB0, der(0x30, der(0x0C, b"lone"))))),
        blob(0xFADE7172, der(0x70, der(0xB0, der(0x30, der(0x02, b"\x01"), der(0x02, b"\x01"))))),
        blob(0xFADE7171, b"no property list"),
        code_directory("b")[:20],
    ],
)
def test_a_damaged_part_is_told_and_the_rest_is_read(damaged: bytes) -> None:
    if damaged.startswith(b"\xfa\xde\x0c\x02"):
        damaged = blob(0xFADE0C02, damaged[8:])
    signature = parse_code_signature(super_blob(code_directory("a", "TEAM123456"), damaged))
    assert signature.team_id == "TEAM123456"
    assert len(signature.faults) == 1


@pytest.mark.parametrize("empty", [blob(0xFADE7171, b""), blob(0xFADE7172, b""), blob(0xFADE7171, b"\n\0")])
def test_empty_entitlements_are_none(empty: bytes) -> None:
    signature = parse_code_signature(super_blob(code_directory("a"), empty))
    assert (signature.entitlements, signature.faults) == ({}, ())


def test_deep_entitlements_are_stopped() -> None:
    body = der(0x02, b"\x01")
    for _ in range(300):
        body = der(0x30, body)
    deep = blob(0xFADE7172, der(0x70, der(0xB0, der(0x30, der(0x0C, b"k"), body))))
    signature = parse_code_signature(super_blob(code_directory("a"), deep))
    assert "nested" in signature.faults[0]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xfa\xde\x0c\xc0",
        bytes(64),
        super_blob(),
        super_blob(blob(0xFADE0C01, b"requirements")),
        struct.pack(">3I", 0xFADE0CC0, 12, 0xFFFFFFFF),
        struct.pack(">5I", 0xFADE0CC0, 20, 1, 0, 0xFFFFFFFF),
        super_blob(code_directory("a"))[:-40],
        super_blob(blob(0xFADE0C02, bytes(80))),
    ],
)
def test_what_is_no_signature_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_code_signature(data)


def test_every_prefix_and_flipped_bits_are_read_or_refused() -> None:
    good = super_blob(
        code_directory("com.example", "TEAM123456"), xml_entitlements(ENTITLEMENTS), der_entitlements(ENTITLEMENTS)
    )
    for end in range(len(good)):
        attempt(good[:end])
    rng = random.Random(3)
    for _ in range(800):
        data = bytearray(good)
        for _ in range(rng.randint(1, 3)):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        attempt(bytes(data))


def attempt(data: bytes) -> None:
    try:
        parse_code_signature(data)
    except FormatError:
        return
