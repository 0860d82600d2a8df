"""The filter never loses a string, and takes a stranger for one of its own once in 256 times at most."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from auditor.inventory.string_filter import StringFilter, filter_of
from auditor.model import SortedValues
from tests.builders import names


def stored(strings: StringFilter) -> StringFilter:
    return StringFilter.from_bytes(strings.to_bytes())


@pytest.mark.parametrize("count", [0, 1, 2, 3, 1000, 70_000])
def test_every_string_is_found(count: int) -> None:
    inside = names.literals(count)
    strings = stored(StringFilter.of(inside))
    assert len(strings) == len(set(map(zlib.crc32, inside)))
    assert all(text.decode() in strings for text in inside)


@pytest.mark.parametrize("count", [1, 1000, 50_000])
def test_a_stranger_is_taken_for_inside_once_in_256_at_most(count: int) -> None:
    strings = stored(StringFilter.of(names.literals(count)))
    strangers = 100_000
    wrong = sum(f"stranger {number}" in strings for number in range(strangers))
    # Three standard deviations of a fair draw at 1/256.
    assert wrong / strangers <= 1 / 256 + 3 * (1 / 256 / strangers) ** 0.5


def test_strings_that_differ_by_little_spread_as_well() -> None:
    strings = stored(StringFilter.of(b"id_%d" % number for number in range(0, 200_000, 2)))
    wrong = sum(f"id_{number}" in strings for number in range(1, 200_000, 2))
    assert wrong <= 100_000 / 256 * 1.2


def test_a_string_costs_about_ten_bits() -> None:
    count = 100_000
    assert len(StringFilter.of(names.literals(count)).to_bytes()) * 8 / count < 10.5


def test_order_and_repetition_do_not_show() -> None:
    inside = names.literals(5000)
    shuffled = random.Random(1).sample(inside * 2, 10_000)
    assert StringFilter.of(shuffled).to_bytes() == StringFilter.of(inside).to_bytes()


def test_an_empty_filter_holds_nothing() -> None:
    assert "" not in stored(StringFilter.of([]))
    assert "" in stored(StringFilter.of([b""]))


def test_only_text_can_be_inside() -> None:
    assert 7 not in StringFilter.of([b"7"])


@settings(derandomize=True)
@given(some.sets(some.text(some.characters(), max_size=6)))
def test_any_text_is_found(values: set[str]) -> None:
    strings = stored(filter_of([SortedValues(values)]))
    assert all(value in strings for value in values)


class RawValues(SortedValues):
    """Values that offer the bytes of their file, and must not be decoded."""

    __slots__ = ("_raw",)

    def __init__(self, *raw: bytes) -> None:
        super().__init__(())
        self._raw = raw

    def iter_raw(self) -> Iterator[bytes]:
        return iter(self._raw)


@pytest.mark.parametrize(
    ("text", "raw"),
    [
        ("plain", b"plain"),
        ("微信", "微信".encode()),
        ("a\x00b", b"a\xc0\x80b"),
        ("😀", b"\xed\xa0\xbd\xed\xb8\x80"),
        ("😀\x00", b"\xed\xa0\xbd\xed\xb8\x80\xc0\x80"),
        ("😀", "😀".encode()),
        ("\ud83d", b"\xed\xa0\xbd"),
    ],
    ids=["ascii", "chinese", "nul in dex", "emoji in dex", "both in dex", "emoji in mach-o", "half a pair"],
)
def test_the_bytes_of_the_file_are_found_by_their_text(text: str, raw: bytes) -> None:
    assert text in stored(filter_of([RawValues(b"other"), RawValues(raw)]))


def test_strings_made_to_share_one_count_are_not_lost() -> None:
    """All 256 low bytes under one count, which a single byte cannot hold."""
    total = 300
    made: dict[int, str] = {}
    for number in range(800_000):
        made.setdefault((zlib.crc32(b"%d" % number) * total * 256) >> 32, str(number))
    crowd = [made[number] for number in range(256)] + [made[number] for number in range(60_000, 60_000 + total - 256)]
    strings = StringFilter.of(text.encode() for text in crowd)
    assert len(strings) == total
    assert all(text in strings and text in stored(strings) for text in crowd)


def test_every_truncation_is_called_damaged() -> None:
    blob = StringFilter.of(names.literals(200)).to_bytes()
    for end in range(len(blob)):
        with pytest.raises(ValueError):
            StringFilter.from_bytes(blob[:end])


def test_bit_flips_are_a_result_or_called_damaged() -> None:
    blob = StringFilter.of(names.literals(200)).to_bytes()
    rng = random.Random(9)
    for _ in range(500):
        damaged = bytearray(blob)
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        try:
            found = "anything" in StringFilter.from_bytes(bytes(damaged))
        except ValueError:
            continue
        assert found in (True, False)
