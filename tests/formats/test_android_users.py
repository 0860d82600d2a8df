"""Users and profiles are told by type or flags, and never by name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.errors import FormatError, LimitError
from auditor.formats.android_users import AndroidUser, parse_android_users
from auditor.limits import DEFAULT
from tests.builders.abx import abx, node, number, text_xml, twins
from tests.builders.android_state import user, user_list
from tests.builders.mangle import mutations, prefixes


@pytest.mark.parametrize(
    ("number_", "flags", "type_", "profile"),
    [
        (0, 0xC13, "full.SYSTEM", "owner"),
        (0, 0x4813, "system.HEADLESS", "system"),
        (10, 0x1030, "profile.MANAGED", "work profile"),
        (11, 0x1010, "profile.PRIVATE", "private space"),
        (95, 0x1010, "profile.CLONE", "clone profile"),
        (12, 0x414, "full.GUEST", "guest"),
        (13, 0x410, "full.SECONDARY", "secondary user"),
        (14, 0x418, "full.RESTRICTED", "restricted user"),
        (15, 0x1010, "profile.SOMETHING", "profile"),
        (16, 0x10, "odd.SOMETHING", ""),
        (0, 0x13, "", "owner"),
        (10, 0x30, "", "work profile"),
        (11, 0x14, "", "guest"),
        (12, 0x18, "", "restricted user"),
        (13, 0x1010, "", "profile"),
        (14, 0x10, "", "secondary user"),
    ],
)
def test_type_or_flags_tell_the_profile(number_: int, flags: int, type_: str, profile: str) -> None:
    for data in twins(user(number_, flags, type_)):
        (found,) = parse_android_users(data).users
        assert (found.id, found.profile) == (number_, profile)


def test_a_type_of_another_maker_says_no_more_than_the_flags() -> None:
    assert AndroidUser(95, "com.maker.profile.DUAL", 0x1000).profile == "profile"


def test_the_list_gives_ids_alone() -> None:
    for data in twins(user_list(10, 0)):
        found = parse_android_users(data)
        assert [(item.id, item.profile) for item in found.users] == [(0, ""), (10, "")]
        assert found.fault is None


def test_names_and_accounts_are_not_kept() -> None:
    kept = repr(parse_android_users(text_xml(user(0, 0x13, "full.SYSTEM"))))
    assert "Anna" not in kept
    assert "example.org" not in kept


def test_parents_and_half_made_users_are_told() -> None:
    (found,) = parse_android_users(abx(user(10, 0x30, profileGroupId=number(0), partial="true"))).users
    assert (found.parent, found.partial) == (0, True)


@pytest.mark.parametrize(
    "data", [b"", b"<packages/>", abx(node("users")), abx(node("user")), abx(node("user", {"id": number(-1)}))]
)
def test_what_names_no_user_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_android_users(data)


def test_the_size_is_bounded() -> None:
    with pytest.raises(LimitError):
        parse_android_users(abx(user_list(0)), replace(DEFAULT, record_size=10))


def test_damage_is_read_or_refused() -> None:
    for data in (*twins(user(10, 0x30, "profile.MANAGED")), *twins(user_list(0, 10))):
        for damaged in (*prefixes(data), *mutations(data, 200)):
            try:
                parse_android_users(damaged)
            except FormatError:
                continue


def test_absurd_numbers_of_users_are_refused() -> None:
    with pytest.raises(LimitError):
        parse_android_users(abx(user_list(*range(10_001))))
