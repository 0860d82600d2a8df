"""Writes DEX files for tests, from the specification and independent of the parser.

Layout: header, string_ids, type_ids, class_defs, type lists, string data, map; no code, no members.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

NO_INDEX = 0xFFFFFFFF


@dataclass(frozen=True)
class ClassDef:
    """One class, by descriptors."""

    descriptor: str
    superclass: str | None = "Ljava/lang/Object;"
    interfaces: tuple[str, ...] = ()


def utf16_units(text: str) -> list[int]:
    raw = text.encode("utf-16-be", "surrogatepass")
    return [raw[index] * 256 + raw[index + 1] for index in range(0, len(raw), 2)]


def mutf8(text: str) -> bytes:
    """Encode unit by unit, as the table of the specification says."""
    out = bytearray()
    for unit in utf16_units(text):
        if 0 < unit < 0x80:
            out.append(unit)
        elif unit < 0x800:
            out += bytes([0xC0 | unit >> 6, 0x80 | unit & 0x3F])
        else:
            out += bytes([0xE0 | unit >> 12, 0x80 | unit >> 6 & 0x3F, 0x80 | unit & 0x3F])
    return bytes(out)


def uleb128(value: int) -> bytes:
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def string_data(text: str) -> bytes:
    return uleb128(len(utf16_units(text))) + mutf8(text) + b"\0"


def build_dex(
    classes: Sequence[ClassDef | str] = (),
    strings: Sequence[str] = (),
    references: Sequence[str] = (),
    version: str = "035",
    order: Callable[[list[str]], list[str]] | None = None,
    shuffle_data: bool = False,
    base: int = 0,
    container: tuple[int, int] | None = None,
) -> bytes:
    """A DEX that defines ``classes``, holds ``strings`` and only refers to the types ``references``.

    ``order`` rearranges the sorted string table; ``shuffle_data`` writes the string data backwards.
    ``container`` = (container_size, header_offset) writes the longer header of version 041; offsets start at ``base``.
    """
    defs = [ClassDef(item) if isinstance(item, str) else item for item in classes]
    types = {item.descriptor for item in defs} | set(references)
    types |= {item.superclass for item in defs if item.superclass is not None}
    types |= {name for item in defs for name in item.interfaces}
    table = sorted(types | set(strings), key=utf16_units)
    if order is not None:
        table = order(table)
    type_table = sorted(types, key=table.index)
    header_size = 0x70 if container is None else 0x78
    string_ids = header_size
    type_ids = string_ids + 4 * len(table)
    class_defs = type_ids + 4 * len(type_table)
    position = class_defs + 32 * len(defs)
    lists = bytearray()
    list_offsets = []
    for item in defs:
        list_offsets.append(base + position + len(lists) if item.interfaces else 0)
        if item.interfaces:
            indices = [type_table.index(name) for name in item.interfaces]
            lists += struct.pack(f"<I{len(indices)}H", len(indices), *indices)
            lists += bytes(-len(lists) % 4)
    data = bytearray()
    offsets = {}
    for text in reversed(table) if shuffle_data else table:
        offsets[text] = base + position + len(lists) + len(data)
        data += string_data(text)
    data += bytes(-(position + len(lists) + len(data)) % 4)
    map_offset = position + len(lists) + len(data)
    sections = [
        (0, 1, 0), (1, len(table), string_ids), (2, len(type_table), type_ids), (6, len(defs), class_defs),
        (0x1000, 1, map_offset),
    ]  # fmt: skip
    mapped = [(kind, count, base + offset) for kind, count, offset in sections if count]
    map_list = struct.pack("<I", len(mapped)) + b"".join(struct.pack("<3I", *item) for item in mapped)
    body = struct.pack(f"<{len(table)}I", *(offsets[text] for text in table))
    body += struct.pack(f"<{len(type_table)}I", *(table.index(name) for name in type_table))
    for item, list_offset in zip(defs, list_offsets, strict=True):
        superclass = NO_INDEX if item.superclass is None else type_table.index(item.superclass)
        index = type_table.index(item.descriptor)
        body += struct.pack("<8I", index, 1, superclass, list_offset, NO_INDEX, 0, 0, 0)
    body += bytes(lists) + bytes(data) + map_list

    def at(offset: int, count: int) -> int:
        return base + offset if count else 0

    size = header_size + len(body)
    rest = struct.pack(
        "<20I", size, header_size, 0x12345678, 0, 0, base + map_offset,
        len(table), at(string_ids, len(table)), len(type_table), at(type_ids, len(type_table)),
        0, 0, 0, 0, 0, 0, len(defs), at(class_defs, len(defs)), size - position, base + position,
    )  # fmt: skip
    if container is not None:
        rest += struct.pack("<2I", *container)
    return seal(b"dex\n" + version.encode() + b"\0" + bytes(24) + rest + body)


def seal(data: bytes) -> bytes:
    """The same DEX with its signature and checksum made right."""
    signed = hashlib.sha1(data[32:]).digest() + data[32:]
    return data[:8] + struct.pack("<I", zlib.adler32(signed)) + signed


def with_word(data: bytes, offset: int, value: int) -> bytes:
    """``data`` with the u32 at ``offset`` replaced."""
    return data[:offset] + struct.pack("<I", value & 0xFFFFFFFF) + data[offset + 4 :]


def word(data: bytes, offset: int) -> int:
    return int(struct.unpack_from("<I", data, offset)[0])


def build_container(parts: Sequence[Sequence[str]]) -> bytes:
    """A v41 container of one logical DEX for each list of class descriptors."""
    sizes = [len(build_dex(classes, version="041", container=(0, 0))) for classes in parts]
    out = b""
    for classes in parts:
        out += build_dex(classes, version="041", base=len(out), container=(sum(sizes), len(out)))
    return out
