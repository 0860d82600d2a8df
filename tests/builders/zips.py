"""Writes zip archives field by field, so that any field can lie. Shares nothing with the parser."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field


@dataclass
class Member:
    """One member; ``local`` and ``central`` override single header fields by name."""

    name: bytes
    content: bytes = b""
    method: int = 8
    flags: int = 0
    attributes: int = 0
    packed: bytes | None = None
    local_extra: bytes = b""
    central_extra: bytes = b""
    comment: bytes = b""
    local: dict[str, int] = field(default_factory=dict)
    local_name: bytes | None = None
    central: dict[str, int] = field(default_factory=dict)

    def payload(self) -> bytes:
        """The packed bytes."""
        if self.packed is not None:
            return self.packed
        return raw_deflate(self.content) if self.method == 8 else self.content

    def fields(self) -> dict[str, int]:
        """The honest header fields."""
        return {
            "flags": self.flags,
            "method": self.method,
            "crc": zlib.crc32(self.content),
            "packed_size": len(self.payload()),
            "size": len(self.content),
        }

    def local_record(self) -> bytes:
        """Local header and payload."""
        f = self.fields() | self.local
        name = self.name if self.local_name is None else self.local_name
        head = struct.pack("<IHHHHH", 0x04034B50, 20, f["flags"], f["method"], 0, 0x2821)
        sizes = struct.pack("<IIIHH", f["crc"], f["packed_size"], f["size"], len(name), len(self.local_extra))
        return head + sizes + name + self.local_extra + self.payload()

    def central_record(self, offset: int) -> bytes:
        """Central directory record."""
        f = self.fields() | {"offset": offset} | self.central
        head = struct.pack("<IHHHHHH", 0x02014B50, 0x031E, 20, f["flags"], f["method"], 0, 0x2821)
        sizes = struct.pack("<III", f["crc"], f["packed_size"], f["size"])
        lengths = struct.pack("<HHHHH", len(self.name), len(self.central_extra), len(self.comment), 0, 0)
        place = struct.pack("<II", self.attributes, f["offset"])
        return head + sizes + lengths + place + self.name + self.central_extra + self.comment


def raw_deflate(content: bytes) -> bytes:
    """Deflate without a wrapper."""
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    return engine.compress(content) + engine.flush()


def end_record(count: int, size: int, offset: int, comment: bytes = b"", comment_size: int | None = None) -> bytes:
    """End of central directory."""
    length = len(comment) if comment_size is None else comment_size
    return struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, count, count, size, offset, length) + comment


def build_zip(
    *members: Member,
    prefix: bytes = b"",
    offset_shift: int = 0,
    count: int | None = None,
    comment: bytes = b"",
    block: bytes = b"",
    zip64: bool = False,
) -> bytes:
    """An archive; ``block`` goes before the central directory, ``offset_shift`` is added to every written offset."""
    body = bytearray(prefix)
    directory = bytearray()
    for member in members:
        directory += member.central_record(len(body) + offset_shift)
        body += member.local_record()
    body += block
    start = len(body) + offset_shift
    number = len(members) if count is None else count
    if not zip64:
        return bytes(body + directory + end_record(number, len(directory), start, comment))
    wide_at = len(body) + len(directory) + offset_shift
    wide = struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, number, number, len(directory), start)
    locator = struct.pack("<IIQI", 0x07064B50, 0, wide_at, 1)
    return bytes(body + directory + wide + locator + end_record(0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, comment))


def zip64_extra(*numbers: int) -> bytes:
    """The extra field with 64-bit numbers."""
    return struct.pack("<HH", 1, 8 * len(numbers)) + struct.pack(f"<{len(numbers)}Q", *numbers)
