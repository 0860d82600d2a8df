"""Read the entries of FAT and exFAT directories, long names put together.

Specification: Microsoft, FAT32 File System Specification 1.03, "FAT Directory Structure", "FAT Long Directory
Entries"; Microsoft, exFAT file system specification 1.00, section 7.

Not read: deleted entries, volume labels, times.
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
_NEVER = frozenset(b'"*+,./:;<=>?[\\]|')
"""Characters that no short name has."""

_EXFAT_FILE, _EXFAT_STREAM, _EXFAT_NAME = 0x85, 0xC0, 0xC1
_EXFAT_IN_USE = 0x80
_MOST_SECONDARY = 18
"""Entries behind the first one of a file: where it lies, and 17 parts of its name."""
_EXFAT_ADJACENT = 0x2
_MOST_FLAGS = 0x3

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
    oddity: str = ""
    """Why others may not see it, or it may be wrong, in a clause; empty: it is as it should be."""


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
    """Read a directory of FAT12, FAT16 or FAT32.

    Most readers stop at the first entry that was never used. Linux, and Android with it, goes on; so what stands
    behind it is given too where it can be a file.
    """
    parts: dict[int, bytes] = {}
    wanted, checksum, ended = 0, -1, False
    for offset, record in records:
        attributes = record[11]
        if record[0] in (0, _DELETED):
            parts, wanted = {}, 0
            ended = ended or record[0] == 0
        elif attributes & 0x3F == _LONG_NAME and not _holds_content(record):
            order = record[0] & ~_LAST_LONG
            if record[0] & _LAST_LONG:
                parts, wanted, checksum = {}, order, record[13]
            if record[13] == checksum and 0 < order <= min(wanted, _LONGEST_LONG):
                parts[order] = record[1:11] + record[14:26] + record[28:32]
        elif attributes & _LABEL and not _holds_content(record):
            parts, wanted = {}, 0
        else:
            whole = wanted > 0 and len(parts) == wanted and _checksum(record[:11]) == checksum
            name = _decode(b"".join(parts[at] for at in sorted(parts))) if whole else _short_name(record)
            oddity = "is marked as the label of the volume" if attributes & _LABEL else ""
            if ended:
                oddity = "stands behind the end of its directory"
            if not ended or _is_plausible(record):
                yield Entry(name, offset, attributes & _DIRECTORY != 0, oddity)
            parts, wanted = {}, 0


def _holds_content(record: bytes) -> bool:
    """Whether an entry that is no file by its attributes says where content lies, as a label or a name cannot."""
    if record[11] & 0x3F == _LONG_NAME:
        return record[26:28] != bytes(2)
    return record[26:28] != bytes(2) and record[28:32] != bytes(4)


def _is_plausible(record: bytes) -> bool:
    """Whether bytes behind the end of a directory can be an entry rather than what a cluster held before."""
    name, attributes = record[:11], record[11]
    return attributes & 0xC0 == 0 and min(name) >= 0x20 and not set(name) & _NEVER and record[12] & ~0x18 == 0


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
    """Read a directory of exFAT; sets that are damaged have no name."""
    found: list[Record] = []
    wanted = 0
    ended = False
    for offset, record in records:
        kind = record[0]
        if found and (kind == _EXFAT_FILE or kind & _EXFAT_IN_USE == 0):
            yield Entry("", found[0][0], False)
            found = []
        if ended or kind == 0:
            # Nothing may follow; what does is not taken for an entry, but told.
            is_file = kind == _EXFAT_FILE and 2 <= record[1] <= _MOST_SECONDARY
            if is_file or (kind == _EXFAT_STREAM and record[1] <= _MOST_FLAGS and record[3] > 0):
                yield Entry("", offset, False)
            ended = True
        elif kind == _EXFAT_FILE:
            found, wanted = [(offset, record)], 1 + record[1]
        elif found:
            found.append((offset, record))
        elif kind & 0xC0 == 0xC0:
            yield Entry("", offset, False)
        if found and len(found) == wanted:
            yield _exfat_entry(found)
            found = []
    if found:
        yield Entry("", found[0][0], False)


def _exfat_entry(found: list[Record]) -> Entry:
    """The file of a whole set of entries."""
    first = found[0][1]
    is_directory = struct.unpack_from("<H", first, 4)[0] & _DIRECTORY != 0
    streams = [(offset, record) for offset, record in found[1:] if record[0] == _EXFAT_STREAM]
    if not streams:
        return Entry("", found[0][0], is_directory)
    offset, stream = streams[-1]
    units = b"".join(record[2:32] for _, record in found[1:] if record[0] == _EXFAT_NAME)
    whole = b"".join(record for _, record in found)
    stated = int.from_bytes(first[2:4], "little")
    oddity = "" if _set_checksum(whole) == stated else "has entries whose checksum is wrong"
    return Entry(_decode(units[: 2 * stream[3]]), offset, is_directory, oddity)


def _set_checksum(entries: bytes) -> int:
    """Of all bytes of a set but those that hold it (section 6.3.3)."""
    total = 0
    for byte in entries[:2] + entries[4:]:
        total = ((total >> 1) | (total & 1) << 15) + byte & 0xFFFF
    return total


def parse_exfat_content(record: bytes) -> Content:
    """Read where the content of an entry of exFAT lies."""
    flags, valid, cluster, size = struct.unpack("<xB6xQ4xIQ", record)
    return Content(cluster, size, min(valid, size), flags & _EXFAT_ADJACENT != 0)
