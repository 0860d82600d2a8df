"""Read the maps of sparse files in tar archives: which parts of a file are stored, the rest being holes.

Specification: GNU tar manual, "Storing Sparse Files": the old GNU format, and pax formats 0.0, 0.1 and 1.0.

Not read: sparse files as star writes them.
"""

from __future__ import annotations

import struct
from array import array
from dataclasses import dataclass

from auditor.errors import FormatError
from auditor.formats.source import Source
from auditor.formats.tar_header import BLOCK, Records, decimal_of, padded, read_number
from auditor.limits import Limits

_PAIR = struct.Struct("12s12s")
_PAIRS_PER_BLOCK = 21
_MORE = 504
_HEADER_MORE = 96
"""In the part of the header that holds the begin of the map: four pairs, this mark, the size of the file."""


@dataclass(frozen=True, slots=True)
class SparseFile:
    """Where the parts of a sparse file lie."""

    size: int
    """Of the file with its holes."""
    parts: array[int]
    """Offset in the file and size in turn, ascending, of what is stored."""
    data_offset: int
    """Where the stored parts begin in the archive."""


def is_pax_sparse(records: Records) -> bool:
    """Whether an extended header describes a sparse file."""
    return bool(records.sparse_pairs) or not records.values.keys().isdisjoint(
        (b"GNU.sparse.map", b"GNU.sparse.major", b"GNU.sparse.size", b"GNU.sparse.realsize")
    )


def find_old_data(source: Source, header_part: bytes, offset: int) -> int:
    """Return where the data begins behind a GNU header of type S: behind the blocks that continue its map."""
    more = header_part[_HEADER_MORE : _HEADER_MORE + 1] not in (b"", b"\0")
    while more and offset + BLOCK <= source.size:
        more = source.read(offset, BLOCK)[_MORE] != 0
        offset += BLOCK
    return offset


def parse_old_map(
    source: Source, header_part: bytes, offset: int, data_offset: int, stored: int, limits: Limits
) -> SparseFile:
    """Read the map of a GNU header of type S, continued from ``offset`` to ``data_offset``.

    Raises:
        FormatError: the map is damaged, or states more than is stored.
    """
    if data_offset - offset > limits.tar_header_size:
        raise FormatError("the map of a sparse file is too long", offset)
    pairs = _parse_pairs(header_part[:_HEADER_MORE])
    for at in range(offset, data_offset, BLOCK):
        pairs += _parse_pairs(bytes(source.read(at, _PAIRS_PER_BLOCK * _PAIR.size)))
    size = read_number(header_part[_HEADER_MORE + 1 :]) if header_part else None
    if size is None:
        raise FormatError("the size of a sparse file is no number")
    return check_map(pairs, size, data_offset, stored, limits)


def _parse_pairs(data: bytes) -> list[tuple[int, int]]:
    pairs = []
    for offset_text, size_text in _PAIR.iter_unpack(data):
        if not size_text[0]:
            break
        offset, size = read_number(offset_text), read_number(size_text)
        if offset is None or size is None:
            raise FormatError("the map of a sparse file is damaged")
        pairs.append((offset, size))
    return pairs


def parse_pax_map(source: Source, records: Records, offset: int, stored: int, limits: Limits) -> SparseFile:
    """Read the map of a sparse file in one of the pax formats; ``stored`` bytes follow at ``offset``.

    Raises:
        FormatError: the map is damaged, or states more than is stored.
    """
    values = records.values
    begin = offset
    if values.get(b"GNU.sparse.major", b"0") != b"0":
        texts, begin = _read_map(source, offset, stored, limits)
    elif b"GNU.sparse.map" in values:
        texts = values[b"GNU.sparse.map"].split(b",") if values[b"GNU.sparse.map"] else []
    else:
        texts = records.sparse_pairs
    if len(texts) % 2:
        raise FormatError("the map of a sparse file is damaged")
    numbers = [decimal_of(text) for text in texts]
    pairs = list(zip(numbers[::2], numbers[1::2], strict=True))
    size = decimal_of(values.get(b"GNU.sparse.realsize", values.get(b"GNU.sparse.size", b"")))
    return check_map(pairs, size, begin, stored - (begin - offset), limits)


def _read_map(source: Source, offset: int, stored: int, limits: Limits) -> tuple[list[bytes], int]:
    """Return (numbers, where the data begins) of format 1.0: lines before the data, filled up to a block."""
    bound = min(stored, limits.tar_header_size, source.size - offset)
    window = BLOCK
    while True:
        lines = bytes(source.read(offset, min(window, bound))).split(b"\n")
        count = decimal_of(lines[0]) if len(lines) > 1 else bound
        if len(lines) > 2 * count + 1:
            used = sum(len(line) + 1 for line in lines[: 2 * count + 1])
            return lines[1 : 2 * count + 1], offset + padded(used)
        if window >= bound:
            raise FormatError("the map of a sparse file is cut off or too long", offset)
        window *= 2


def check_map(pairs: list[tuple[int, int]], size: int, offset: int, stored: int, limits: Limits) -> SparseFile:
    """Return the file a map describes.

    Raises:
        FormatError: its parts overlap, descend, reach beyond the file or hold more than is stored.
    """
    if size > limits.file_size:
        raise FormatError(f"a sparse file of {size} bytes")
    parts: array[int] = array("Q")
    end = 0
    for start, length in pairs:
        if start < end or start + length > size:
            raise FormatError("the map of a sparse file is damaged")
        end = start + length
        stored -= length
        if length:
            parts.extend((start, length))
    if stored < 0:
        raise FormatError("the map of a sparse file states more than is stored")
    return SparseFile(size, parts, offset)
