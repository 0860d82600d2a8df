"""Strings that are collected on first use, once, and looked up without being decoded."""

from __future__ import annotations

import pytest

from auditor.formats.token_values import TokenValues
from auditor.model import Values

STRINGS = ("b", "a", "ab", "", "微信", "微", "\ud83d", "\U0001f4b0", "é")


def values(calls: list[int] | None = None) -> TokenValues:
    def collect() -> frozenset[bytes]:
        if calls is not None:
            calls.append(1)
        return frozenset(text.encode("utf-8", "surrogatepass") for text in STRINGS)

    return TokenValues(collect, lambda raw: 10 + len(raw))


def test_they_are_values() -> None:
    assert isinstance(values(), Values)


def test_they_ascend_by_their_bytes() -> None:
    found = values()
    assert list(found) == sorted(STRINGS, key=lambda text: text.encode("utf-8", "surrogatepass"))
    assert [raw.decode("utf-8", "surrogatepass") for raw in found.iter_raw()] == list(found)
    assert len(found) == len(STRINGS)


@pytest.mark.parametrize("text", STRINGS)
def test_each_is_inside(text: str) -> None:
    assert text in values()


@pytest.mark.parametrize("other", ["A", "abc", "信", "\ud83e", 7, None, b"a", ("a",)])
def test_nothing_else_is(other: object) -> None:
    assert other not in values()


@pytest.mark.parametrize(
    ("prefix", "found"), [("a", ["a", "ab"]), ("微", ["微", "微信"]), ("z", []), ("abc", []), ("\ud83d", ["\ud83d"])]
)
def test_a_prefix_finds_its_values(prefix: str, found: list[str]) -> None:
    assert list(values().with_prefix(prefix)) == found


def test_the_empty_prefix_finds_all() -> None:
    assert list(values().with_prefix("")) == list(values())


def test_the_offset_is_asked_for_what_is_inside_only() -> None:
    assert values().offset_of("ab") == 12
    assert values().offset_of("abc") is None


def test_they_are_collected_once_and_not_before_they_are_needed() -> None:
    calls: list[int] = []
    found = values(calls)
    assert "not collected" in repr(found)
    assert calls == []
    assert "a" in found
    assert len(found) == len(list(found)) == len(list(found.iter_raw()))
    assert calls == [1]
    assert "9 strings" in repr(found)
