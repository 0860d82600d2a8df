"""Read the entries of FAT and exFAT directories, long names put together.

Specification: Microsoft, FAT32 File System Specification 1.03, "FAT Directory Structure", "FAT Long Directory
Entries"; Microsoft, exFAT file system specification 1.00, section 7.

Not read: deleted entries, volume labels, times, checksums of exFAT entry sets.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_LONG_NAME = 0x0F
_LABEL = 0x08
_DIRECTORY = 0x10
_LOWER_BASE, _LOWER_SUFFIX = 0x08, 0x10
_DELETED = 0xE5
_LAST_LONG = 0x40
_LONGEST_LONG = 20

_EXFAT_FILE, _EXFAT_STREAM, _EXFAT_NAME = 0x85, 0xC0, 0xC1
_EXFAT_IN_USE = 0x80
_EXFAT_ADJACENT = 0x2

Record = tuple[int, bytes]
"""The offset of 32 bytes in the image, and the bytes."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or directory."""

    name: str
    """'' where it is damaged."""
    offset: int
    """Of the record that says where its content lies."""
    is_directory: bool


@dataclass(frozen=True, slots=True)
class Content:
    """Where the content of an entry lies."""

    cluster: int
    """The first one; 0: it is empty."""
    size: int
    valid_size: int
    """Bytes that were written; the rest reads as zeros."""
    is_adjacent: bool
    """Whether its clusters follow each other, without a chain."""


def parse_fat_entries(records: Iterable[Record]) -> Iterator[Entry]:
    """Read a directory of FAT12, FAT16 or FAT32."""
    parts: dict[int, bytes] = {}
    wanted, checksum = 0, -1
    for offset, record in records:
        attributes = record[11]
        if record[0] == 0:
            return
        if record[0] == _DELETED:
            parts, wanted = {}, 0
        elif attributes & 0x3F == _LONG_NAME:
            order = record[0] & ~_LAST_LONG
            if record[0] & _LAST_LONG:
                parts, wanted, checksum = {}, order, record[13]
            if record[13] == checksum and 0 < order <= min(wanted, _LONGEST_LONG):
                parts[order] = record[1:11] + record[14:26] + record[28:32]
        elif attributes & _LABEL:
            parts, wanted = {}, 0
        else:
            whole = wanted > 0 and len(parts) == wanted and _checksum(record[:11]) == checksum
            name = _decode(b"".join(parts[at] for at in sorted(parts))) if whole else _short_name(record)
            yield Entry(name, offset, attributes & _DIRECTORY != 0)
            parts, wanted = {}, 0


def _checksum(name: bytes) -> int:
    """What ties a long name to its short one."""
    total = 0
    for byte in name:
        total = ((total >> 1) | (total & 1) << 7) + byte & 0xFF
    return total


def _short_name(record: bytes) -> str:
    # The code page is not stated: this one is what most were made with. 0x05 stands for the sign of deletion.
    raw = (b"\xe5" if record[0] == 0x05 else record[:1]) + record[1:11]
    base, suffix = raw[:8].decode("cp437").rstrip(" "), raw[8:].decode("cp437").rstrip(" ")
    base = base.lower() if record[12] & _LOWER_BASE else base
    suffix = suffix.lower() if record[12] & _LOWER_SUFFIX else suffix
    return f"{base}.{suffix}" if suffix else base


def _decode(units: bytes) -> str:
    text = units.decode("utf-16-le", "replace")
    return text.split("\x00", 1)[0]


def parse_fat_content(record: bytes) -> Content:
    """Read where the content of an entry of FAT12, FAT16 or FAT32 lies; a directory's size is not stated."""
    high, low, size = struct.unpack("<20xH4xHI", record)
    return Content(low | high << 16, size, size, False)


def parse_exfat_entries(records: Iterable[Record]) -> Iterator[Entry]:
    """Read a directory of exFAT."""
    left, stream, length, is_directory, begin = 0, -1, 0, False, 0
    units = b""
    for offset, record in records:
        kind = record[0]
        if left > 0 and (kind == _EXFAT_FILE or kind & _EXFAT_IN_USE == 0):
            yield Entry("", begin, is_directory)
            left = 0
        if kind == 0:
            return
        if kind == _EXFAT_FILE:
            left, stream, units, begin = record[1], -1, b"", offset
            is_directory = struct.unpack_from("<H", record, 4)[0] & _DIRECTORY != 0
        elif left > 0:
            if kind == _EXFAT_STREAM:
                stream, length = offset, record[3]
            elif kind == _EXFAT_NAME:
                units += record[2:32]
            left -= 1
            if left == 0:
                yield Entry(_decode(units[: 2 * length]) if stream >= 0 else "", max(stream, 0), is_directory)


def parse_exfat_content(record: bytes) -> Content:
    """Read where the content of an entry of exFAT lies."""
    flags, valid, cluster, size = struct.unpack("<xB6xQ4xIQ", record)
    return Content(cluster, size, min(valid, size), flags & _EXFAT_ADJACENT != 0)
