"""The protobuf wire format: fields of one message, without a schema.

Spec: protobuf.dev/programming-guides/encoding.

Not read: groups (wire types 3 and 4, refused).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from auditor.errors import FormatError
from auditor.formats.blob import Blob

VARINT: Final = 0
FIXED64: Final = 1
LENGTH_DELIMITED: Final = 2
FIXED32: Final = 5

_VARINT_BYTES: Final = 10


def read_varint(data: Blob, offset: int, end: int) -> tuple[int, int]:
    """Return (value of up to 64 bits, offset after it).

    Raises:
        FormatError: it does not end within ten bytes or the message.
    """
    value = 0
    for count in range(min(_VARINT_BYTES, end - offset)):
        byte = data[offset + count]
        value |= (byte & 0x7F) << 7 * count
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, offset + count + 1
    raise FormatError("varint does not end", offset)


def find_fields(data: Blob, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield (field number, wire type, a, b) of one message.

    For varints and fixed numbers ``a`` is the value and ``b`` is 0; for length-delimited fields ``a`` and ``b`` are
    where the content starts and ends.

    Raises:
        FormatError: the bytes are no message.
    """
    offset = start
    while offset < end:
        key, at = read_varint(data, offset, end)
        number, kind = key >> 3, key & 7
        if number == 0:
            raise FormatError("protobuf field number 0", offset)
        if kind == VARINT:
            value, after = read_varint(data, at, end)
            yield number, kind, value, 0
        elif kind == LENGTH_DELIMITED:
            size, begin = read_varint(data, at, end)
            after = begin + size
            if after > end:
                raise FormatError("protobuf field reaches beyond its message", offset)
            yield number, kind, begin, after
        elif kind in (FIXED32, FIXED64):
            after = at + (4 if kind == FIXED32 else 8)
            if after > end:
                raise FormatError("protobuf field reaches beyond its message", offset)
            yield number, kind, int.from_bytes(data[at:after], "little"), 0
        else:
            raise FormatError(f"protobuf wire type {kind}", offset)
        offset = after
