"""Reads the entries of F2FS directories, from blocks of their own and from within an inode.

Specification: Linux Documentation/filesystems/f2fs.rst, "Directory Structure".

Not read: hashes of names (a listing needs none), names of encrypted directories (they are given as digests).
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass

_ENTRY = struct.Struct("<IIHB")
_SLOT_SIZE = 8
_NAME_SIZE = 255


@dataclass(frozen=True, slots=True)
class Entry:
    """A name and what it stands for."""

    name: str
    ino: int
    file_type: int


def find_entries(area: memoryview, is_encrypted: bool, faults: list[str]) -> Iterator[Entry]:
    """Yield the entries of one area: a bitmap of slots, entries, and names, the latter two at its end."""
    slots = len(area) * 8 // ((_ENTRY.size + _SLOT_SIZE) * 8 + 1)
    entries_at = len(area) - slots * (_ENTRY.size + _SLOT_SIZE)
    names_at = len(area) - slots * _SLOT_SIZE
    bitmap = bytes(area[: (slots + 7) // 8])
    if not any(bitmap):
        return
    slot = 0
    while slot < slots:
        if not bitmap[slot >> 3] >> (slot & 7) & 1:
            slot += 1
            continue
        _, ino, size, file_type = _ENTRY.unpack_from(area, entries_at + slot * _ENTRY.size)
        width = (size + _SLOT_SIZE - 1) // _SLOT_SIZE
        at = names_at + slot * _SLOT_SIZE
        if not 0 < size <= _NAME_SIZE or slot + width > slots:
            faults.append(f"an entry of the directory states a name of {size} bytes")
            slot += 1
            continue
        slot += width
        raw = bytes(area[at : at + size])
        if raw in (b".", b".."):
            continue
        if is_encrypted:
            yield Entry(f"encrypted-{hashlib.sha256(raw).hexdigest()[:32]}", ino, file_type)
        elif b"/" in raw or b"\0" in raw:
            faults.append(f"an entry of the directory has a name that no file can have: {raw[:64]!r}")
        else:
            yield Entry(raw.decode("utf-8", "surrogateescape"), ino, file_type)
