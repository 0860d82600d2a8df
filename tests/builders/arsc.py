"""Compiled resource tables written chunk by chunk from ResourceTypes.h."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from tests.builders.axml import NO_INDEX, Plain, Ref, Typed, chunk, string_pool


def packed(tag: str, base: str) -> bytes:
    """Language or region as the table stores it: two letters, or three in 15 bits."""
    if len(tag) < 3:
        return tag.encode().ljust(2, b"\0")
    first, second, third = (ord(each) - ord(base) for each in tag)
    return bytes([0x80 | third << 2 | second >> 3, (second << 5 | first) & 0xFF])


def config(
    language: str = "",
    region: str = "",
    script: str = "",
    variant: str = "",
    *,
    density: int = 0,
    sdk: int = 0,
    size: int = 64,
) -> bytes:
    """A ResTable_config."""
    out = bytearray(64)
    out[8:10] = packed(language, "a")
    out[10:12] = packed(region, "0")
    out[14:16] = struct.pack("<H", density)
    out[24:26] = struct.pack("<H", sdk)
    out[36:40] = script.encode().ljust(4, b"\0")
    out[40:48] = variant.encode().ljust(8, b"\0")
    out[0:4] = struct.pack("<I", size)
    return bytes(out[:size])


@dataclass
class Entries:
    """The values of one type in one configuration."""

    config: bytes
    values: dict[int, Plain | None]
    """By entry id; None is a bag."""
    sparse: bool = False
    offset16: bool = False
    compact: bool = False
    flags: int = 0


@dataclass
class Table:
    """A table with one pool and packages of typed entries."""

    utf8: bool = True
    strings: list[str] = field(default_factory=list)
    packages: list[bytes] = field(default_factory=list)

    def package(
        self,
        package_id: int,
        name: str,
        types: dict[int, list[Entries]],
        *,
        type_id_offset: int | None = 0,
        extra: bytes = b"",
    ) -> Table:
        """Add a package; ``type_id_offset`` None writes the shorter header of old tables."""
        body = string_pool(["string"]) + string_pool(["key"], utf8=True) + extra
        for type_id, variants in types.items():
            count = 1 + max((max(each.values, default=0) for each in variants), default=0)
            body += chunk(0x0202, struct.pack("<BBHI", type_id, 0, 0, count), b"\0" * 4 * count)
            for each in variants:
                body += self._type(type_id, each)
        header = struct.pack("<I", package_id) + name.encode("utf-16-le").ljust(256, b"\0")
        header += struct.pack("<IIII", 288, 1, 288, 1)
        header += b"" if type_id_offset is None else struct.pack("<I", type_id_offset)
        self.packages.append(chunk(0x0200, header, body))
        return self

    def build(self, before: bytes = b"", after: bytes = b"", header_size: int = 12) -> bytes:
        pool = string_pool(self.strings, self.utf8)
        body = before + pool + b"".join(self.packages) + after
        header = struct.pack("<I", len(self.packages)) + b"\0" * (header_size - 12)
        return chunk(0x0002, header, body)

    def _type(self, type_id: int, entries: Entries) -> bytes:
        blob, offsets = b"", {}
        for index, value in sorted(entries.values.items()):
            offsets[index] = len(blob)
            blob += self._entry(value, entries.compact)
        if entries.sparse:
            count = len(offsets)
            table = b"".join(struct.pack("<HH", index, at // 4) for index, at in offsets.items())
        elif entries.offset16:
            count = max(offsets, default=-1) + 1
            stored = [offsets[index] // 4 if index in offsets else 0xFFFF for index in range(count)]
            table = b"".join(struct.pack("<H", each) for each in stored)
        else:
            count = max(offsets, default=-1) + 1
            table = b"".join(struct.pack("<I", offsets.get(index, NO_INDEX)) for index in range(count))
        table += b"\xff" * (-len(table) % 4)
        flags = entries.flags | (1 if entries.sparse else 0) | (2 if entries.offset16 else 0)
        start = 20 + len(entries.config) + len(table)
        header = struct.pack("<BBHII", type_id, flags, 0, count, start) + entries.config
        return chunk(0x0201, header, table + blob)

    def _entry(self, value: Plain | None, compact: bool) -> bytes:
        if value is None:
            return struct.pack("<HHIII", 16, 0x0001, 0, 0, 0)
        kind, data = self._value(value)
        if compact:
            return struct.pack("<HHI", 0, 0x0008 | kind << 8, data)
        return struct.pack("<HHI", 8, 0, 0) + struct.pack("<HBBI", 8, 0, kind, data)

    def _value(self, value: Plain) -> tuple[int, int]:
        if isinstance(value, bool):
            return 0x12, NO_INDEX if value else 0
        if isinstance(value, int):
            return 0x10, value & 0xFFFFFFFF
        if isinstance(value, float):
            return 0x04, struct.unpack("<I", struct.pack("<f", value))[0]
        if isinstance(value, Ref):
            return value.type, value.id
        if isinstance(value, Typed):
            return value.type, value.data
        if value not in self.strings:
            self.strings.append(value)
        return 0x03, self.strings.index(value)


def strings_table(values: dict[str, dict[int, Plain | None]], *, utf8: bool = True, package_id: int = 0x7F) -> bytes:
    """A table with one type (1) and values by ``language`` or ``language-region``."""
    variants = [Entries(config(*locale.split("-")), entries) for locale, entries in values.items()]
    return Table(utf8).package(package_id, "com.example.app", {1: variants}).build()


def staged_aliases(pairs: dict[int, int]) -> bytes:
    body = b"".join(struct.pack("<II", staged, final) for staged, final in pairs.items())
    return chunk(0x0206, struct.pack("<I", len(pairs)), body)


def library(package_id: int, name: str) -> bytes:
    return chunk(
        0x0203, struct.pack("<I", 1), struct.pack("<I", package_id) + name.encode("utf-16-le").ljust(256, b"\0")
    )


def overlayable(name: str) -> bytes:
    policy = chunk(0x0205, struct.pack("<II", 1, 1), struct.pack("<I", 0x7F010000))
    both = name.encode("utf-16-le").ljust(512, b"\0") + b"\0" * 512
    return chunk(0x0204, both, policy)
