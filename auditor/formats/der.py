"""Reads DER (and the BER that signers really write) element by element, within bounds and without recursion.

Specification: ITU-T X.690, sections 8.1 and 10.
Not read: tags above 30; constructed strings
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from auditor.errors import FormatError

INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
OBJECT_IDENTIFIER = 0x06
SEQUENCE = 0x30
SET = 0x31

_INDEFINITE = -1
_MAX_ELEMENTS = 100_000


class Element(NamedTuple):
    """One element: the whole of it and its contents."""

    tag: int
    raw: bytes
    """Tag, length and contents."""
    body: bytes
    """The contents alone."""

    def expect(self, tag: int) -> Element:
        """Return the element itself if it has this tag.

        Raises:
            FormatError: it has another.
        """
        if self.tag != tag:
            raise FormatError(f"expected a DER element with tag {tag:#x}, found {self.tag:#x}")
        return self

    def children(self, tag: int | None = None) -> list[Element]:
        """Return the elements inside, having checked the own tag where one is given.

        Raises:
            FormatError: the tag is another, or the contents are no sequence of elements.
        """
        if tag is not None:
            self.expect(tag)
        return list(find_elements(self.body))


def parse_element(data: bytes, offset: int = 0) -> Element:
    """Read the element at an offset; what follows it is left alone.

    Raises:
        FormatError: the element is cut off or written in a way that is not read.
    """
    tag, start, length = _parse_header(data, offset)
    if length == _INDEFINITE:
        stop = _find_end_of_contents(data, start)
        return Element(tag, data[offset : stop + 2], data[start:stop])
    return Element(tag, data[offset : start + length], data[start : start + length])


def find_elements(data: bytes) -> Iterator[Element]:
    """Yield the elements that fill the data one after another.

    Raises:
        FormatError: as for ``parse_element``, or there are too many.
    """
    offset = 0
    for _ in range(_MAX_ELEMENTS):
        if offset >= len(data):
            return
        element = parse_element(data, offset)
        yield element
        offset += len(element.raw)
    raise FormatError(f"more than {_MAX_ELEMENTS} DER elements in one place")


def object_identifier(body: bytes) -> str:
    """Return the dotted form of an object identifier's contents.

    Raises:
        FormatError: it is empty, ends in the middle of a number, or is absurdly long.
    """
    if not body or len(body) > 64 or body[-1] & 0x80:
        raise FormatError("a DER object identifier is malformed")
    numbers: list[int] = []
    value = 0
    for byte in body:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(value)
            value = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(str(number) for number in (first, numbers[0] - 40 * first, *numbers[1:]))


def _parse_header(data: bytes, offset: int) -> tuple[int, int, int]:
    """Return tag, where the contents start, and their length (or that it is indefinite)."""
    if offset + 2 > len(data):
        raise FormatError("a DER element is cut off", offset)
    tag, length, start = data[offset], data[offset + 1], offset + 2
    if tag & 0x1F == 0x1F:
        raise FormatError("a DER tag above 30 is not read", offset)
    if length == 0x80:
        if not tag & 0x20:
            raise FormatError("a primitive DER element has no length", offset)
        return tag, start, _INDEFINITE
    if length > 0x80:
        width = length & 0x7F
        if width > 8 or start + width > len(data):
            raise FormatError("a DER length is malformed", offset)
        length = int.from_bytes(data[start : start + width], "big")
        start += width
    if start + length > len(data):
        raise FormatError("a DER element runs past its container", offset)
    return tag, start, length


def _find_end_of_contents(data: bytes, start: int) -> int:
    """Return where the end-of-contents mark of an indefinite length lies, counting nested ones."""
    depth, offset = 1, start
    for _ in range(_MAX_ELEMENTS):
        tag, body, length = _parse_header(data, offset)
        if tag == 0 and length == 0:
            depth -= 1
            if depth == 0:
                return offset
        depth += length == _INDEFINITE
        offset = body if length == _INDEFINITE else body + length
    raise FormatError(f"more than {_MAX_ELEMENTS} DER elements in one place")
