"""Decode an LZ4 block whose end is not known, only the size of what it holds.

Specification: LZ4 Block Format Description, 2022.
Not read: LZ4 frames; blocks that refer to an earlier one or to a dictionary.
"""

from __future__ import annotations

from auditor.errors import FormatError


def decode_lz4(data: bytes, size: int) -> bytes:
    """Decode the first ``size`` bytes of a block; whatever follows is not looked at.

    Raises:
        FormatError: the block is damaged, or holds less.
    """
    out = bytearray()
    position = 0
    try:
        while len(out) < size:
            token = data[position]
            position += 1
            literals = token >> 4
            if literals == 15:
                literals, position = _extend(data, position, literals)
            end = position + min(literals, size - len(out))
            if end > len(data):
                raise FormatError("literals of an LZ4 block are cut off", position)
            out += data[position:end]
            if len(out) >= size:
                break
            offset = data[end] | data[end + 1] << 8
            position = end + 2
            length = token & 15
            if length == 15:
                length, position = _extend(data, position, length)
            _repeat(out, offset, min(length + 4, size - len(out)), position)
    except IndexError as error:
        raise FormatError("an LZ4 block is cut off", position) from error
    return bytes(out)


def _extend(data: bytes, position: int, length: int) -> tuple[int, int]:
    """Add the bytes of a length that does not fit into its token; the length, and where the next thing begins."""
    while data[position] == 255:
        position += 1
        length += 255
    return length + data[position], position + 1


def _repeat(out: bytearray, offset: int, length: int, position: int) -> None:
    """Append what lies ``offset`` bytes back; a length beyond the offset repeats it."""
    start = len(out) - offset
    if offset == 0 or start < 0:
        raise FormatError("an LZ4 block refers to bytes before its start", position)
    if length <= offset:
        out += out[start : start + length]
    else:
        pattern = bytes(out[start:])
        out += (pattern * (length // offset + 1))[:length]
