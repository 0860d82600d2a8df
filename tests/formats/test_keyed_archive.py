"""An archive of objects becomes plain values, whatever refers to what."""

from __future__ import annotations

import plistlib
from dataclasses import replace
from datetime import datetime

import pytest

from auditor.errors import FormatError, LimitError
from auditor.formats.keyed_archive import is_keyed_archive, parse_keyed_archive, unarchive
from auditor.limits import DEFAULT
from tests.builders.keyed_archives import keyed_archive, keyed_archive_bytes
from tests.builders.mangle import mutations, prefixes

UID = plistlib.UID
DATE = datetime(2026, 3, 4, 5, 6, 7)
VALUE = {
    "$fields": {
        "bundle": "com.example.shop",
        "date": DATE,
        "raw": b"\1\2",
        "list": ["a", 1, True, None],
        "d": {"k": "v"},
    }
}
PLAIN = {"bundle": "com.example.shop", "date": DATE, "raw": b"\1\2", "list": ["a", 1, True, None], "d": {"k": "v"}}
GOOD = keyed_archive_bytes(VALUE)


def archive(*objects: object, top: object = None) -> dict[str, object]:
    return {"$top": {"root": UID(1)} if top is None else top, "$objects": ["$null", *objects]}


def in_xml(value: object) -> object:
    """References as the XML form writes them."""
    if isinstance(value, UID):
        return {"CF$UID": value.data}
    if isinstance(value, dict):
        return {key: in_xml(item) for key, item in value.items()}
    return [in_xml(item) for item in value] if isinstance(value, list) else value


def test_every_kind_of_value() -> None:
    assert parse_keyed_archive(GOOD) == PLAIN
    assert parse_keyed_archive(plistlib.dumps(in_xml(keyed_archive(VALUE)))) == PLAIN


def test_an_archive_inside_a_list_that_is_data() -> None:
    assert parse_keyed_archive(plistlib.dumps(GOOD, fmt=plistlib.FMT_BINARY)) == PLAIN


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"NS.string": "text"}, "text"),
        ({"NS.bytes": b"text"}, b"text"),
        ({"NS.base": UID(0), "NS.relative": UID(2)}, "second"),
        ({"NS.uuidbytes": bytes(range(16))}, "00010203-0405-0607-0809-0A0B0C0D0E0F"),
        ({"NS.uuidbytes": b"short"}, {"NS.uuidbytes": b"short"}),
        ({"NS.time": 0}, datetime(2001, 1, 1)),
        ({"NS.time": float("nan")}, None),
        ({"NS.time": 1e300}, None),
        ({"NS.time": -2.9e11}, None),
        ({"NS.keys": [UID(2)], "NS.objects": [UID(2)]}, {"second": "second"}),
        ({"NS.keys": [UID(2), UID(2)], "NS.objects": []}, {}),
        ({"$class": UID(2)}, {}),
        ("$null", None),
        (UID(2), "second"),
    ],
)
def test_the_classes_of_foundation(item: object, expected: object) -> None:
    assert unarchive(archive(item, "second")) == expected


def test_a_top_without_a_root_is_a_dictionary() -> None:
    assert unarchive(archive("one", "two", top={"a": UID(1), "b": UID(2)})) == {"a": "one", "b": "two"}


def test_a_reference_to_what_contains_it_is_nothing() -> None:
    assert unarchive(archive({"self": UID(1), "name": UID(2)}, "x")) == {"self": None, "name": "x"}
    assert unarchive(archive({"a": UID(2)}, {"b": UID(1)})) == {"a": {"b": None}}


def test_an_object_that_is_used_twice_is_there_twice() -> None:
    assert unarchive(archive({"a": UID(2), "b": UID(2)}, "x")) == {"a": "x", "b": "x"}


def test_objects_that_multiply_are_refused() -> None:
    layers = [{"a": UID(number + 2), "b": UID(number + 2)} for number in range(25)]
    with pytest.raises(LimitError, match="multiply"):
        unarchive(archive(*layers, "end"), replace(DEFAULT, xml_elements=10_000))


def test_depth_is_bounded() -> None:
    with pytest.raises(LimitError, match="deeper"):
        unarchive(archive(*({"a": UID(number + 2)} for number in range(200)), "end"))


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {"$objects": [], "$top": []},
        {"$objects": {}, "$top": {}},
        archive({"a": UID(9)}),
        archive({"NS.keys": "text", "NS.objects": []}),
        archive({"NS.keys": [], "NS.objects": {"a": 1}}),
    ],
)
def test_what_is_no_archive_is_refused(value: object) -> None:
    with pytest.raises(FormatError):
        unarchive(value)


def test_an_archive_is_told_from_another_list() -> None:
    assert is_keyed_archive(keyed_archive("x"))
    assert not is_keyed_archive({"$objects": []})


def test_damage_is_read_or_refused() -> None:
    for damaged in (*prefixes(GOOD), *mutations(GOOD, 500)):
        try:
            parse_keyed_archive(damaged)
        except FormatError:
            continue
