"""Damage done to bytes in a repeatable way."""

from __future__ import annotations

import random
from collections.abc import Iterator


def prefixes(data: bytes, most: int = 400) -> Iterator[bytes]:
    """Every prefix, or evenly stepped ones of larger data; never the whole."""
    step = max(1, len(data) // most)
    return (data[:size] for size in range(0, len(data), step))


def mutations(data: bytes, count: int, seed: int = 20260101) -> Iterator[bytes]:
    """One to four flipped bits, an altered byte or a zeroed word each."""
    source = random.Random(seed)
    for _ in range(count):
        damaged = bytearray(data)
        for _ in range(source.randint(1, 4)):
            at = source.randrange(len(damaged))
            match source.randrange(3):
                case 0:
                    damaged[at] ^= 1 << source.randrange(8)
                case 1:
                    damaged[at] = source.choice((0, 1, 0x7F, 0x80, 0xFF))
                case _:
                    damaged[at : at + 4] = bytes(len(damaged[at : at + 4]))
        yield bytes(damaged)
