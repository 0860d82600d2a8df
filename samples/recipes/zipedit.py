"""Zip files written byte by byte, so that headers can say what no packing tool would write."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

_DATE = (40 << 9 | 1 << 5 | 1) << 16


@dataclass(frozen=True)
class Entry:
    """One member as it lies in the file; ``local`` overrides what its local header says."""

    name: bytes
    data: bytes
    """Packed bytes."""
    method: int = 0
    size: int = 0
    """Unpacked, as claimed."""
    crc: int = 0
    flags: int = 0
    local: tuple[bytes, int, int, int, int] | None = None
    """(name, method, packed size, unpacked size, checksum)."""

    @classmethod
    def of(cls, name: str, content: bytes, *, name_bytes: bytes | None = None) -> Entry:
        """A stored member."""
        return cls(name.encode() if name_bytes is None else name_bytes, content, 0, len(content), zlib.crc32(content))

    def stored(self) -> Entry:
        """The same member without compression."""
        content = zlib.decompress(self.data, -15) if self.method == 8 else self.data
        return replace(self, data=content, method=0)


def split_zip(data: bytes) -> list[Entry]:
    """Read the members of a well-formed archive, packed as they are."""
    entries = []
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        for item in opened.infolist():
            name_size, extra_size = struct.unpack_from("<HH", data, item.header_offset + 26)
            start = item.header_offset + 30 + name_size + extra_size
            packed = data[start : start + item.compress_size]
            entries.append(Entry(item.filename.encode(), packed, item.compress_type, item.file_size, item.CRC))
    return entries


def join_zip(entries: Iterable[Entry], *, prefix: bytes = b"") -> bytes:
    """Write an archive with stored members aligned to four bytes; offsets count the prefix."""
    out, directory, count = bytearray(prefix), bytearray(), 0
    for item in entries:
        own = (item.name, item.method, len(item.data), item.size, item.crc)
        name, method, packed, size, crc = own if item.local is None else item.local
        padding = -(len(out) + 30 + len(name)) % 4 if item.method != 8 else 0
        offset = len(out)
        head = struct.pack(
            "<4sHHHIIIIHH", b"PK\x03\x04", 20, item.flags, method, _DATE, crc, packed, size, len(name), padding
        )
        out += head + name + bytes(padding) + item.data
        head = struct.pack(
            "<4sHHHHIIII", b"PK\x01\x02", 20, 20, item.flags, item.method, _DATE, item.crc, *_sizes(item)
        )
        directory += head + struct.pack("<HHHHHII", len(item.name), 0, 0, 0, 0, 0, offset) + item.name
        count += 1
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, count, count, len(directory), len(out), 0)
    return bytes(out + directory + end)


def _sizes(item: Entry) -> tuple[int, int]:
    return len(item.data), item.size
