"""Text and origins survive storage, and what is stored is inert."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from auditor.inventory.stored_text import (
    escape_text,
    path_text,
    place_below,
    place_from,
    resolve_place,
    restore_origin,
    restore_text,
)
from auditor.model import Origin

any_text = some.text(some.characters(), max_size=12)
any_path = some.lists(any_text, min_size=1, max_size=4).filter(lambda path: path != [""])


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("com.example", "com.example"),
        ("微信", "微信"),
        ("a\x00b", "a\ufffd0000b"),
        ("\ud83d", "\ufffdD83D"),
        ("\ufffd0000", "\ufffdFFFD0000"),
    ],
)
def test_only_what_sqlite_cannot_hold_is_escaped(text: str, stored: str) -> None:
    assert escape_text(text) == stored
    assert restore_text(stored) == text


@settings(derandomize=True)
@given(any_text)
def test_any_text_comes_back(text: str) -> None:
    stored = escape_text(text)
    assert restore_text(stored) == text
    assert "\x00" not in stored
    stored.encode()


@settings(derandomize=True)
@given(any_path)
def test_any_path_comes_back_from_its_printed_form(path: list[str]) -> None:
    origin = Origin(tuple(path), 5)
    assert restore_origin(path_text(origin), 5) == origin


@pytest.mark.parametrize(
    ("text", "base", "place"),
    [
        ("a.apk", "a.apk", ""),
        ("a.apk!classes.dex", "a.apk", "!classes.dex"),
        ("X.app/Frameworks/F", "X.app", "/Frameworks/F"),
        ("d/split.apk", "d/base.apk", "~split.apk"),
        ("z!d/split.apk!r", "z!d/base.apk", "~split.apk!r"),
        ("split.apk", "base.apk", "~split.apk"),
        ("a.apks", "z/a.apk", "=a.apks"),
        ("a.apk2", "a.apk", "~a.apk2"),
    ],
)
def test_a_place_is_below_beside_or_elsewhere(text: str, base: str, place: str) -> None:
    assert place_from(text, base) == place
    assert resolve_place(place, base) == text


def test_a_longer_name_is_not_below_a_shorter_one() -> None:
    assert place_below("a.apk2!x", "a.apk") is None


@settings(derandomize=True)
@given(any_path, any_path)
def test_any_place_comes_back(path: list[str], base: list[str]) -> None:
    text, from_text = path_text(Origin(tuple(path))), path_text(Origin(tuple(base)))
    assert resolve_place(place_from(text, from_text), from_text) == text
