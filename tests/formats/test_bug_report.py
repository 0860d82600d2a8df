"""What a bug report says of its device, and what of its owner is never kept."""

from __future__ import annotations

import random

import pytest

from auditor.formats.bug_report import BugReport, is_bug_report, parse_bug_report
from tests.builders.android_dumps import HEAD, PROPERTIES, bug_report, dump, service

FINGERPRINT = "google/husky/husky:16/BP2A.250605.031/13456789:user/release-keys"
ATTRIBUTES = (
    ("fingerprint", FINGERPRINT),
    ("manufacturer", "Google"),
    ("model", "Pixel 8 Pro"),
    ("os_build", "BP2A.250605.031"),
    ("os_version", "16"),
    ("platform", "android"),
    ("serial", "39161FDJG000AB"),
)


def test_a_report_names_its_device_and_the_kinds_of_its_users() -> None:
    assert parse_bug_report(bug_report(dump()).encode()) == BugReport(
        "2026-03-05T10:00:00", "Europe/Berlin", ATTRIBUTES, (("0", "owner"), ("10", "work profile"))
    )


def test_nothing_of_the_owner_is_kept() -> None:
    kept = repr(parse_bug_report(bug_report(dump()).encode()))
    assert all(secret not in kept for secret in ("Anna", "Telecom"))


@pytest.mark.parametrize("zone", ["UTC", "GMT", "Etc/UTC"])
def test_a_device_on_universal_time_says_when(zone: str) -> None:
    found = parse_bug_report(bug_report(dump(), zone=zone).encode())
    assert found.universal
    assert found.taken == "2026-03-05T10:00:00Z"


def test_the_head_alone_gives_version_build_and_serial() -> None:
    found = parse_bug_report(HEAD.encode())
    assert dict(found.attributes) == {
        "fingerprint": FINGERPRINT,
        "os_build": "BP2A.250605.031",
        "os_version": "16",
        "platform": "android",
        "serial": "39161FDJG000AB",
    }
    assert found.taken == "2026-03-05T10:00:00"


@pytest.mark.parametrize("value", ["unknown", "null", "0"])
def test_a_property_without_a_value_says_nothing(value: str) -> None:
    text = PROPERTIES.format(zone="UTC").replace("39161FDJG000AB", value).replace("Pixel 8 Pro", value)
    found = dict(parse_bug_report(text.encode()).attributes)
    assert "serial" not in found
    assert "model" not in found


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("UserInfo{0:Owner:c13} serialNo=0\n", (("0", "owner"),)),
        ("UserInfo{10:Work:30} serialNo=10\n", (("10", "work profile"),)),
        ("UserInfo{11:G: uest:4}\n", (("11", "guest"),)),
        ("UserInfo{11:a}b:1090} x\n    Type: android.os.usertype.profile.PRIVATE\n", (("11", "private space"),)),
        ("UserInfo{95:Dual:1}\n    Type: android.os.usertype.profile.CLONE\n", (("95", "clone profile"),)),
        ("UserInfo{12:Kid:410}\n    Type: android.os.usertype.full.SECONDARY\n", (("12", "secondary user"),)),
        ("UserInfo{x:Kid:410}\n", ()),
    ],
)
def test_the_kind_of_a_user(line: str, expected: tuple[tuple[str, str], ...]) -> None:
    assert parse_bug_report(service("user", f"Users:\n  {line}").encode()).profiles == expected


def test_users_of_other_services_do_not_count() -> None:
    text = service("user", "Users:\n") + service("other", "UserInfo{10:Work:30}\n")
    assert parse_bug_report(text.encode()).profiles == ()


def test_any_text_gives_a_result() -> None:
    assert parse_bug_report(b"") == BugReport()
    assert parse_bug_report(b"\xff" * 1000) == BugReport()


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (HEAD.encode(), True),
        (HEAD.replace("\n", "\r\n").encode(), True),
        (b"== dumpstate: 2026", True),
        (b"x == dumpstate: 2026", False),
        (b"== dumpsys", False),
        (b"", False),
    ],
)
def test_the_head_of_a_report(head: bytes, expected: bool) -> None:
    assert is_bug_report(head) is expected


def test_every_prefix_and_seeded_mutations_give_a_result() -> None:
    good = bug_report(dump()).encode()
    choice = random.Random(3)
    for end in range(0, len(good), 3):
        parse_bug_report(good[:end])
    for _ in range(300):
        text = bytearray(good)
        for _ in range(choice.randrange(1, 8)):
            text[choice.randrange(len(text))] = choice.randrange(256)
        assert len(parse_bug_report(bytes(text)).profiles) <= 2
