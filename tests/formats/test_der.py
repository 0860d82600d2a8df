"""DER as signers write it: nested elements, indefinite lengths, and everything that does not fit."""

from __future__ import annotations

import random

import pytest

from auditor.errors import FormatError
from auditor.formats.der import find_elements, object_identifier, parse_element
from tests.builders.apk_signatures import der


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 65_535, 65_536])
def test_lengths_of_every_form_are_read(size: int) -> None:
    data = der(4, bytes(size))
    element = parse_element(data + b"rest")
    assert (element.tag, element.body, element.raw) == (4, bytes(size), data)


def test_children_come_in_order() -> None:
    element = parse_element(der(0x30, der(2, b"\1"), der(4, b"x"), der(0x31)))
    assert [child.tag for child in element.children(0x30)] == [2, 4, 0x31]


def test_another_tag_than_expected_is_a_format_error() -> None:
    with pytest.raises(FormatError, match="0x31"):
        parse_element(der(0x31)).children(0x30)


def test_indefinite_lengths_end_at_their_own_mark() -> None:
    inner = b"\x30\x80" + der(2, b"\5") + b"\0\0"
    outer = b"\x30\x80" + inner + der(4, b"\0\0") + b"\0\0"
    element = parse_element(outer + b"rest")
    assert element.raw == outer
    first, second = element.children()
    assert first.children()[0].body == b"\5"
    assert second.body == b"\0\0"


def test_deep_nesting_ends_without_recursion() -> None:
    assert parse_element(b"\x30\x80" * 20_000 + b"\0\0" * 20_000).tag == 0x30


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x30",
        b"\x30\x01",
        b"\x30\x81",
        b"\x30\x89" + bytes(9),
        b"\x04\x80\0\0",
        b"\x30\x80",
        b"\x30\x80\x30\x80\0\0",
        b"\x1f\x01\x00",
        b"\x30\x88" + b"\xff" * 8,
    ],
)
def test_what_does_not_fit_is_a_format_error(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_element(data)


@pytest.mark.parametrize(
    ("body", "dotted"),
    [
        ("2a864886f70d010702", "1.2.840.113549.1.7.2"),
        ("550403", "2.5.4.3"),
        ("883703", "2.999.3"),
        ("00", "0.0"),
    ],
)
def test_object_identifiers_are_dotted(body: str, dotted: str) -> None:
    assert object_identifier(bytes.fromhex(body)) == dotted


@pytest.mark.parametrize("body", [b"", b"\x80", b"\x2a\x86", b"\x2a" * 65])
def test_malformed_object_identifiers_are_a_format_error(body: bytes) -> None:
    with pytest.raises(FormatError):
        object_identifier(body)


def test_more_elements_than_the_bound_are_a_format_error() -> None:
    with pytest.raises(FormatError, match="more than"):
        list(find_elements(b"\5\0" * 100_001))


def test_random_bytes_give_elements_or_a_format_error() -> None:
    generator = random.Random(6)
    for _ in range(1000):
        data = generator.randbytes(generator.randrange(40))
        try:
            elements = list(find_elements(data))
        except FormatError:
            continue
        assert b"".join(element.raw for element in elements) == data
