"""Read the entries in a block of an ext2, ext3 or ext4 directory.

Specification: Linux kernel documentation, ext4 data structures and algorithms, "Directory Entries".

Not read: hash trees (their blocks look like unused entries to a linear reader), names in clear of encrypted
directories, entries that were deleted, what an entry has room for beyond its name.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from auditor.formats.crc32c import crc32c

_HEADER = struct.Struct("<IHBB")
_WHOLE_BLOCK = (0, 0xFFFF)
_DOTS = (b".", b"..")
_TAIL = b"\x00\x00\x00\x00\x0c\x00\x00\xde"
"""An unused entry of 12 bytes and of a type that none has; the checksum follows."""
_TAIL_SIZE = 12
_TREE_NODE, _TREE_ROOT, _TREE_ENTRY = 8, 32, 8


@dataclass(frozen=True, slots=True)
class Entry:
    """A name and the inode it leads to."""

    name: bytes
    inode: int
    file_type: int
    """As the directory states it, 0: not stated."""


def parse_entries(block: bytes | memoryview) -> tuple[list[Entry], str]:
    """Read one block: its entries, those of the directory itself and its parent left out, and what is wrong with it.

    What follows a damaged entry cannot be found, so the rest of the block is lost with it.
    """
    entries: list[Entry] = []
    position = 0
    while position + _HEADER.size <= len(block):
        inode, stated, name_size, file_type = _HEADER.unpack_from(block, position)
        size = _record_size(stated, len(block))
        if size < _HEADER.size or size & 3 != 0 or position + size > len(block):
            return entries, f"an entry of {size} bytes at {position}"
        if inode != 0:
            if not 0 < name_size <= size - _HEADER.size:
                return entries, f"a name of {name_size} bytes at {position}"
            start = position + _HEADER.size
            entries.append(Entry(bytes(block[start : start + name_size]), inode, file_type))
        position += size
    return entries, f"{len(block) - position} bytes at its end are no entry" if position < len(block) else ""


def has_sound_checksum(block: bytes | memoryview, seed: int) -> bool:
    """Whether a block of a directory, or of its hash tree, has the checksum it states.

    A block of entries ends in one that holds the checksum alone; one of a hash tree has it behind the room for the
    tree's own entries, whose number stands before the first of them.
    """
    end = len(block) - _TAIL_SIZE
    if bytes(block[end : end + 8]) == _TAIL:
        return crc32c(block[:end], seed) == int.from_bytes(block[end + 8 :], "little")
    inode, stated = struct.unpack_from("<IH", block)
    # Either a whole block of one unused entry, or the two names that every directory begins with.
    start = _TREE_NODE if inode == 0 and _record_size(stated, len(block)) == len(block) else _TREE_ROOT
    limit, count = struct.unpack_from("<HH", block, start)
    place = start + limit * _TREE_ENTRY
    if not 0 < count <= limit or place + 8 > len(block):
        return False
    state = crc32c(block[: start + count * _TREE_ENTRY], seed)
    return crc32c(bytes(block[place : place + 4]) + bytes(4), state) == int.from_bytes(
        block[place + 4 : place + 8], "little"
    )


def _record_size(stated: int, block_size: int) -> int:
    """Size of an entry: blocks of 64 KiB are too large for 16 bits."""
    if block_size < 1 << 16:
        return stated
    return block_size if stated in _WHOLE_BLOCK else (stated & 0xFFFC) | (stated & 3) << 16


def without_dots(entries: list[Entry]) -> list[Entry]:
    """Leave out the two entries that a directory begins with: itself and its parent."""
    return [entry for at, entry in enumerate(entries) if at > 1 or entry.name not in _DOTS]
