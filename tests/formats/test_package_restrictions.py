"""package-restrictions.xml tells what each package is to one user."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.errors import FormatError, LimitError
from auditor.formats.package_restrictions import UserPackage, parse_package_restrictions
from auditor.limits import DEFAULT
from tests.builders.abx import Node, abx, flag, long, long_hex, node, number, twins
from tests.builders.android_state import ARCHIVED, restrictions, user_package
from tests.builders.mangle import mutations, prefixes

CASES: list[tuple[Node, UserPackage]] = [
    (user_package("a.b"), UserPackage("a.b", 0)),
    (user_package("a.b", inst=flag(True)), UserPackage("a.b", 0)),
    (user_package("a.b", inst=flag(False)), UserPackage("a.b", 0, installed=False)),
    (
        user_package("a.b", ceDataInode=long(9181), deDataInode=long(9203)),
        UserPackage("a.b", 0, ce_data_inode=9181, de_data_inode=9203),
    ),
    (user_package("a.b", ceDataInode=long(0)), UserPackage("a.b", 0)),
    (
        user_package("a.b", stopped=flag(True), nl=flag(True), hidden=flag(True), suspended=flag(True)),
        UserPackage("a.b", 0, stopped=True, not_launched=True, hidden=True, suspended=True),
    ),
    (user_package("a.b", blocked=flag(True)), UserPackage("a.b", 0, hidden=True)),
    (user_package("a.b", instant_app=flag(True)), UserPackage("a.b", 0, instant=True)),
    (user_package("a.b", enabled=number(3), enabledCaller="shell:1000"), UserPackage("a.b", 0, enabled=3)),
    (
        user_package("a.b", install_reason=number(1), first_install_time=long_hex(0x2B)),
        UserPackage("a.b", 0, install_reason=1, first_installed=43),
    ),
    (user_package("a.b", first_install_time=long_hex(0)), UserPackage("a.b", 0)),
    (user_package("a.b", uninstall_reason=number(1)), UserPackage("a.b", 0, uninstall_reason=1)),
    (user_package("a.b", harmful_app_warning="careful"), UserPackage("a.b", 0, harmful=True)),
    (user_package("a.b", ARCHIVED, inst=flag(False)), UserPackage("a.b", 0, installed=False, archived=True)),
]


@pytest.mark.parametrize(("item", "expected"), CASES)
def test_each_state_is_read_from_text_and_binary(item: Node, expected: UserPackage) -> None:
    for data in twins(restrictions(item)):
        found = parse_package_restrictions(data)
        assert [replace(package, offset=0) for package in found.packages] == [expected]
        assert (found.nameless, found.fault) == (0, None)


@pytest.mark.parametrize(("enabled", "disabled"), [(0, False), (1, False), (2, True), (3, True), (4, True), (7, False)])
def test_three_numbers_mean_disabled(enabled: int, disabled: bool) -> None:
    assert UserPackage("a.b", 0, enabled=enabled).is_disabled is disabled


def test_records_without_a_name_are_counted() -> None:
    found = parse_package_restrictions(abx(restrictions(node("pkg"), user_package("a.b"))))
    assert (len(found.packages), found.nameless) == (1, 1)


@pytest.mark.parametrize("data", [b"", b"<packages/>", abx(node("stopped-packages"))])
def test_another_document_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_package_restrictions(data)


def test_the_size_is_bounded() -> None:
    with pytest.raises(LimitError):
        parse_package_restrictions(abx(restrictions()), replace(DEFAULT, record_size=10))


def test_damage_is_read_or_refused() -> None:
    for data in twins(restrictions(*(item for item, _ in CASES))):
        for damaged in (*prefixes(data, 150), *mutations(data, 300)):
            try:
                parse_package_restrictions(damaged)
            except FormatError:
                continue
