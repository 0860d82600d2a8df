"""Reads the string constants of a Java class file: what a compiler put into code, apart from names.

Specification: The Java Virtual Machine Specification, chapter 4 "The class File Format", section 4.4.
Not read: everything behind the constant pool; annotation values.
"""

from __future__ import annotations

import struct

from auditor.errors import FormatError
from auditor.formats.blob import Blob
from auditor.formats.mutf8 import parse_mutf8

_MAGIC = b"\xca\xfe\xba\xbe"
_FIRST_JAVA_VERSION = 45
_UTF8, _LONG, _DOUBLE, _STRING = 1, 5, 6, 8
_SIZES = {3: 4, 4: 4, 5: 8, 6: 8, 7: 2, 8: 2, 9: 4, 10: 4, 11: 4, 12: 4, 15: 3, 16: 2, 17: 4, 18: 4, 19: 2, 20: 2}
"""Bytes behind the tag of a constant, CONSTANT_Utf8 apart."""
_ARGUMENTS = str.maketrans("\x01\x02", "\0\0")
"""The marks in a recipe of StringConcatFactory: what stands between them are the literals."""


def is_class_file(data: Blob) -> bool:
    """Tell by the first bytes whether this is a Java class file, and no fat Mach-O of the same magic."""
    return bytes(data[:4]) == _MAGIC and int.from_bytes(data[6:8], "big") >= _FIRST_JAVA_VERSION


def parse_class_strings(data: Blob) -> frozenset[str]:
    """The literals of the constant pool (CONSTANT_String).

    Raises:
        FormatError: no class file, or the constant pool is cut off or malformed.
    """
    if not is_class_file(data):
        raise FormatError("no Java class file", 0)
    if len(data) < 10:
        raise FormatError("the class file ends before its constant pool", 8)
    texts: dict[int, bytes] = {}
    named: set[int] = set()
    count = int.from_bytes(data[8:10], "big")
    index, position = 1, 10
    while index < count:
        if position >= len(data):
            raise FormatError(f"the constant pool ends at entry {index} of {count}", position)
        tag = data[position]
        size = _SIZES.get(tag, 0)
        if tag == _UTF8:
            size = 2 + int.from_bytes(data[position + 1 : position + 3], "big")
            texts[index] = bytes(data[position + 3 : position + 1 + size])
        elif not size:
            raise FormatError(f"constant {index} has the unknown tag {tag}", position)
        if position + 1 + size > len(data):
            raise FormatError(f"constant {index} is cut off", position)
        if tag == _STRING:
            named.add(struct.unpack_from(">H", data, position + 1)[0])
        position += 1 + size
        index += 2 if tag in (_LONG, _DOUBLE) else 1
    missing = sorted(named - texts.keys())
    if missing:
        raise FormatError(f"a string constant names entry {missing[0]}, which is no text", 8)
    pieces = (parse_mutf8(texts[number]).translate(_ARGUMENTS).split("\0") for number in named)
    return frozenset(piece for found in pieces for piece in found if piece)
