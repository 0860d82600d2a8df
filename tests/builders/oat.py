"""Writes odex files for tests: ELF with an OAT header and DEX files, and the optimized DEX of Dalvik."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from tests.builders.elf import build_elf

_PAGE = 0x1000


def build_oat(version: str, dex_files: Sequence[bytes] = (), count: int | None = None, between: bytes = b"") -> bytes:
    """An ELF file whose read-only data is an OAT header, a table, and the DEX files with ``between`` before each."""
    stated = len(dex_files) if count is None else count
    header = b"oat\n" + version.encode() + b"\0" + struct.pack("<4I", 0xADE1, 3, 1, stated) + bytes(64)
    header += b"/system/app/X/X.apk\0"
    data = header + bytes(-len(header) % 4)
    for dex in dex_files:
        data += between + bytes(-len(between) % 4) + dex + bytes(-len(dex) % 4)
    # The section must begin a page, so everything before it in the file is measured first.
    empty = build_elf(soname="X.odex", rodata=data)
    before = empty.index(data)
    padded = build_elf(soname="X.odex", rodata=bytes(_PAGE - before) + data)
    assert padded.index(b"oat\n") == _PAGE
    return padded


def build_optimized(dex: bytes) -> bytes:
    """An optimized DEX of Dalvik: its header, the DEX file, dependencies."""
    end = 40 + len(dex)
    return b"dey\n036\0" + struct.pack("<8I", 40, len(dex), end, 8, end + 8, 0, 0, 0) + dex + b"depends."
