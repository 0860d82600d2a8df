"""Writes global-metadata.dat of IL2CPP for tests, from the header file that Unity installs."""

from __future__ import annotations

import struct
from collections.abc import Sequence


def build_metadata(
    literals: Sequence[str] = (),
    identifiers: Sequence[str] = ("mscorlib.dll", "mscorlib"),
    version: int = 29,
    starts_only: bool = False,
    tail: bytes = bytes(64),
) -> bytes:
    """The header, the first three tables in their order, and the rest of the file.

    Newer versions leave the length of a literal out (``starts_only``); from version 38 on a table has a count, too.
    """
    raw = [text.encode() for text in literals]
    text = b"".join(raw)
    start, entries = 0, b""
    for item in raw:
        entries += struct.pack("<I", start) if starts_only else struct.pack("<II", len(item), start)
        start += len(item)
    heap = b"".join(name.encode() + b"\0" for name in identifiers)
    heap += bytes(-len(heap) % 4)
    width = 12 if version >= 38 else 8
    position = 8 + width * 31
    header = b""
    for table, count in ((entries, len(raw)), (text, len(text)), (heap, len(heap))):
        header += struct.pack("<II", position, len(table))
        header += struct.pack("<I", count) if width == 12 else b""
        position += len(table)
    header += struct.pack("<II", position, len(tail)) + (struct.pack("<I", 0) if width == 12 else b"")
    return (
        (struct.pack("<II", 0xFAB11BAF, version) + header).ljust(8 + width * 31, b"\0") + entries + text + heap + tail
    )
