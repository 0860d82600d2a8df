"""Compute CRC-32C (Castagnoli), which file systems protect their metadata with and the standard library lacks.

Specification: RFC 3720, appendix B.4.

Not read: anything by itself.
"""

from __future__ import annotations

from functools import lru_cache

_POLYNOMIAL = 0x82F63B78
_ONES = 0xFFFFFFFF
_PIECE = 1024
"""Bytes taken at once; the masks for them take some 4 KiB each."""
_STATE_SIZE = 4


def crc32c(data: bytes | memoryview, state: int = _ONES) -> int:
    """Continue a checksum, which begins with all bits set; the inversion at the end is the caller's.

    Each bit of the result is the parity of some bits of the data, and Python counts the bits of a long number faster
    than it looks up a table for each byte.
    """
    for at in range(0, len(data), _PIECE):
        piece = data[at : at + _PIECE]
        number = int.from_bytes(piece, "little") ^ state
        if len(piece) < _STATE_SIZE:
            state = _by_bits(number, 8 * len(piece))
            continue
        state = 0
        for mask in _masks(len(piece)):
            state = state << 1 | (number & mask).bit_count() & 1
    return state


def _by_bits(number: int, count: int) -> int:
    for _ in range(count):
        number = number >> 1 ^ (_POLYNOMIAL if number & 1 else 0)
    return number


@lru_cache(maxsize=64)
def _masks(size: int) -> tuple[int, ...]:
    """Which bits of ``size`` bytes count for each bit of the result, the highest first."""
    rows = []
    value = _POLYNOMIAL
    # From the last bit to the first: each one earlier goes through the register once more.
    for _ in range(8 * size):
        rows.append(f"{value:032b}")
        value = _by_bits(value, 1)
    text = "".join(rows)
    return tuple([int(text[at::32], 2) for at in range(32)])
