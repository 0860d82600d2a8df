"""JSON is read within bounds, and nothing but a FormatError comes out of what is none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.errors import FormatError, LimitError
from auditor.formats.json_text import items_of, parse_json, text_of
from auditor.limits import DEFAULT
from tests.builders.mangle import mutations, prefixes

DOCUMENT = b'{"a": [1, {"b": "x[{\\"}"}], "c": "http://x/*y*/", "\xe5\xbe\xae": null}'


def test_a_document_is_read() -> None:
    assert parse_json(DOCUMENT) == {"a": [1, {"b": 'x[{"}'}], "c": "http://x/*y*/", "微": None}
    assert parse_json(b"\xef\xbb\xbf[]") == []


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[1,]", b"'a'", b"\xff", b'{"a": 1} x', b"9" * 5000, b"/*x*/{}", b"NaN1", b"]"]
)
def test_what_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_json(data)


def test_comments_are_passed_over_on_demand_and_kept_in_strings() -> None:
    text = b'{ // one\n "a": "//no", /* "b": 1, */ "c": "/*no*/" }'
    assert parse_json(text, comments=True) == {"a": "//no", "c": "/*no*/"}
    assert parse_json(DOCUMENT, comments=True) == parse_json(DOCUMENT)


@pytest.mark.parametrize("data", [b"[" * 100_000, b'{"a":' * 100_000, b"[" * 257 + b"]" * 257])
def test_nesting_is_bounded(data: bytes) -> None:
    with pytest.raises(LimitError, match="xml_depth"):
        parse_json(data)


HOSTILE = {
    "quotes that never close": b'"' + b'\\"' * 400_000,
    "quotes that end in a backslash": b'"' + b'\\"' * 400_000 + b"\\",
    "comments that never close": b"/*" * 400_000,
    "slashes": b"/" * 800_000,
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("comments", [False, True])
def test_hostile_text_is_gone_through_once(data: bytes, comments: bool) -> None:
    with pytest.raises(FormatError):
        parse_json(data, comments=comments)


def test_brackets_inside_strings_do_not_nest() -> None:
    assert parse_json(b'["' + b"[" * 1000 + b'"]') == ["[" * 1000]


def test_the_size_is_bounded() -> None:
    with pytest.raises(LimitError, match="manifest_size"):
        parse_json(DOCUMENT, replace(DEFAULT, manifest_size=10))


@pytest.mark.parametrize("value", [None, 7, "text", [], {}, {"k": 7}, {"K": "x"}])
def test_a_key_that_is_not_there_or_of_another_type_gives_nothing(value: object) -> None:
    assert text_of(value, "k") == ""
    assert items_of(value, "k") == []


def test_a_key_gives_its_text_or_list() -> None:
    assert text_of({"k": "v"}, "k") == "v"
    assert items_of({"k": [1, 2]}, "k") == [1, 2]


def test_damage_is_read_or_refused() -> None:
    for comments in (False, True):
        for damaged in (*prefixes(DOCUMENT), *mutations(DOCUMENT, 300)):
            try:
                parse_json(damaged, comments=comments)
            except FormatError:
                continue


@pytest.mark.parametrize(
    "data", [b"[" + b"[]," * 600 + b"[]]", b"[" + b"{}," * 600 + b"{}]", b"[" + b"1," * 600 + b"1]"]
)
def test_the_number_of_values_is_bounded(data: bytes) -> None:
    with pytest.raises(LimitError, match="xml_elements"):
        parse_json(data, replace(DEFAULT, xml_elements=600))
    assert len(str(parse_json(data, replace(DEFAULT, xml_elements=2000)))) > 600


def test_commas_in_strings_are_no_values() -> None:
    assert parse_json(b'["' + b"," * 600 + b'"]', replace(DEFAULT, xml_elements=2)) == ["," * 600]
