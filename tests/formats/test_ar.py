"""Which members an ar archive has, in either dialect, and what a damaged one may do."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from auditor.errors import FormatError, LimitError, UnsupportedError
from auditor.formats.ar import Member, find_members, is_ar, parse_ar
from auditor.limits import Limits
from tests.builders.macho import ar

MEMBERS = [("WXApi.o", b"first"), ("a_member_with_a_very_long_name.o", b"second!"), ("empty.o", b"")]


@pytest.mark.parametrize("style", ["bsd", "gnu"])
def test_members_come_in_order_with_name_and_place(style: str) -> None:
    data = ar(MEMBERS, style)
    found = [(item.name, data[item.offset : item.offset + item.size]) for item in parse_ar(data)]
    assert found == MEMBERS


@pytest.mark.parametrize("table", ["__.SYMDEF", "__.SYMDEF SORTED", "__.SYMDEF_64", "/", "/SYM64/"])
def test_symbol_tables_are_no_members(table: str) -> None:
    head = f"{table:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{4:<10}`\n".encode()
    assert parse_ar(b"!<arch>\n" + head + bytes(4)) == ()


def test_short_names_may_stand_plainly() -> None:
    head = f"{'x.o':<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{3:<10}`\n".encode()
    assert parse_ar(b"!<arch>\n" + head + b"abc\n") == (Member("x.o", 68, 3),)


def test_an_archive_inside_a_file_keeps_the_offsets_of_the_file() -> None:
    data = bytes(100) + ar(MEMBERS) + b"behind"
    found = list(find_members(data, 100, len(data) - 6))
    assert data[found[0].offset :].startswith(b"first")
    assert is_ar(data, 100)
    assert not is_ar(data)


def test_an_empty_archive_has_no_members() -> None:
    assert parse_ar(b"!<arch>\n") == ()


def test_padding_behind_the_last_member_is_no_damage() -> None:
    assert len(parse_ar(ar(MEMBERS) + bytes(6))) == 3


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", FormatError),
        (b"!<arch", FormatError),
        (b"PK\x03\x04", FormatError),
        (b"!<thin>\n", UnsupportedError),
        (ar(MEMBERS)[:-1] + b"X" * 80, FormatError),
        (b"!<arch>\n" + b"x" * 70, FormatError),
        (ar(MEMBERS).replace(b"28        `", b"99999999  `", 1), FormatError),
        (ar(MEMBERS).replace(b"28        `", b"-8        `", 1), FormatError),
        (ar(MEMBERS).replace(b"#1/20", b"#1/99", 1), FormatError),
        (ar(MEMBERS).replace(b"#1/20", b"#1/xx", 1), FormatError),
    ],
)
def test_damage_is_refused(data: bytes, error: type[FormatError]) -> None:
    with pytest.raises(error):
        parse_ar(data)


def test_members_before_the_damage_are_given() -> None:
    data = ar(MEMBERS) + b"X" * 80
    members = find_members(data, 0, len(data))
    assert [next(members).name for _ in MEMBERS] == [name for name, _ in MEMBERS]
    with pytest.raises(FormatError):
        next(members)


def test_the_number_of_members_is_bounded() -> None:
    with pytest.raises(LimitError):
        parse_ar(ar(MEMBERS), replace(Limits(), archive_members=2))


@pytest.mark.parametrize("style", ["bsd", "gnu"])
def test_every_prefix_and_flipped_bits_are_read_or_refused(style: str) -> None:
    good = ar(MEMBERS, style)
    rng = random.Random(5)
    samples = [good[:end] for end in range(len(good))]
    for _ in range(600):
        data = bytearray(good)
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        samples.append(bytes(data))
    for data in samples:
        try:
            members = parse_ar(data)
        except FormatError:
            continue
        assert all(0 <= item.offset <= item.offset + item.size <= len(data) for item in members)
