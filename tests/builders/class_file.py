"""Builds Java class files as far as their constant pool, from chapter 4 of the JVM specification."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from tests.builders.dex import mutf8


def utf8(text: str) -> bytes:
    """A CONSTANT_Utf8."""
    raw = mutf8(text)
    return b"\x01" + struct.pack(">H", len(raw)) + raw


def class_file(literals: Iterable[str] = (), names: Iterable[str] = (), major: int = 52) -> bytes:
    """A class whose code has these literals, and whose pool has these names, with one constant of every other size."""
    pool: list[bytes] = []
    slots = 1

    def add(entry: bytes, wide: int = 1) -> int:
        nonlocal slots
        index = slots
        pool.append(entry)
        slots += wide
        return index

    add(b"\x05" + struct.pack(">q", 1 << 40), wide=2)
    add(b"\x03" + struct.pack(">i", 7))
    add(b"\x06" + struct.pack(">d", 0.5), wide=2)
    for name in names:
        add(b"\x07" + struct.pack(">H", add(utf8(name))))
    for literal in literals:
        add(b"\x08" + struct.pack(">H", add(utf8(literal))))
    add(b"\x0f\x01" + struct.pack(">H", 1))
    add(b"\x0a" + struct.pack(">HH", 1, 1))
    return b"\xca\xfe\xba\xbe" + struct.pack(">HHH", 0, major, slots) + b"".join(pool) + b"\0\x21" + bytes(12)
