"""Chunks and string pools, the bricks of binary XML and resources.arsc.

Spec: AOSP frameworks/base libs/androidfw, ResourceTypes.h (ResChunk_header, ResStringPool_header) and the checks
of ResourceTypes.cpp (validate_chunk, ResStringPool).

Not read: style spans; the sort flag.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from auditor.errors import FormatError, LimitError
from auditor.formats.blob import Blob

RES_STRING_POOL_TYPE: Final = 0x0001
CHUNK_HEADER_SIZE: Final = 8
POOL_HEADER_SIZE: Final = 28
UTF8_FLAG: Final = 0x100

_HEADER = struct.Struct("<HHI")
_POOL = struct.Struct("<IIIII")
_U16 = struct.Struct("<H")
_U32 = struct.Struct("<I")


class Chunk(NamedTuple):
    """Position and kind of one chunk."""

    type: int
    header_size: int
    size: int
    offset: int

    @property
    def end(self) -> int:
        return self.offset + self.size


def read_chunk(data: Blob, offset: int, end: int, minimum: int = CHUNK_HEADER_SIZE) -> Chunk:
    """Read and check a chunk header by the platform's own rules (validate_chunk).

    Raises:
        FormatError: the platform would refuse it.
    """
    if offset < 0 or end > len(data) or end - offset < CHUNK_HEADER_SIZE:
        raise FormatError("a chunk header lies outside the data", offset)
    kind, header_size, size = _HEADER.unpack_from(data, offset)
    if header_size < minimum or header_size > size or size > end - offset:
        raise FormatError(f"chunk {kind:#06x} has header size {header_size}, size {size}", offset)
    if (header_size | size) & 3:
        raise FormatError(f"chunk {kind:#06x} is not aligned to four bytes", offset)
    return Chunk(kind, header_size, size, offset)


class StringPool:
    """The strings of one pool chunk, decoded one by one when asked for."""

    __slots__ = (
        "_budget",
        "_by_index",
        "_cache",
        "_data",
        "_end",
        "_entries",
        "_keep",
        "_strings",
        "count",
        "repaired",
        "utf8",
    )

    def __init__(self, data: Blob, chunk: Chunk, keep: int) -> None:
        """Keep ``keep`` characters of each string.

        Raises:
            FormatError: the pool's own header does not hold together.
        """
        if chunk.size < POOL_HEADER_SIZE:
            raise FormatError("string pool is shorter than its header", chunk.offset)
        count, _styles, flags, strings_start, _ = _POOL.unpack_from(data, chunk.offset + CHUNK_HEADER_SIZE)
        self.utf8 = bool(flags & UTF8_FLAG)
        self.repaired = False
        self._data = data
        self._end = chunk.end
        self._entries = chunk.offset + chunk.header_size
        self._strings = chunk.offset + strings_start
        self._keep = keep
        self._by_index: dict[int, str | None] = {}
        self._cache: dict[int, str | None] = {}
        # Entries may point into each other's bytes: what all of them may decode to is bounded by the pool's size.
        self._budget = 2 * chunk.size + 4096
        room = (chunk.end - self._entries) // 4
        if count == 0 and strings_start > chunk.header_size and strings_start < chunk.size:
            count = (strings_start - chunk.header_size) // 4
            self.repaired = True
        if count > room:
            raise FormatError(f"string pool of {count} entries has room for {room}", chunk.offset)
        self.count: int = count

    def at(self, index: int) -> str | None:
        """The string at ``index``; None where there is none or its bytes lie outside the pool.

        Raises:
            LimitError: the pool's strings overlap so much that they unpack to more than the pool holds.
        """
        if index in self._by_index:
            return self._by_index[index]
        if not 0 <= index < self.count:
            return None
        (relative,) = _U32.unpack_from(self._data, self._entries + 4 * index)
        if relative not in self._cache:
            self._cache[relative] = self._decode(self._strings + relative)
        text = self._by_index[index] = self._cache[relative]
        return text

    def _decode(self, start: int) -> str | None:
        text = self._decode8(start) if self.utf8 else self._decode16(start)
        if text is not None:
            self._budget -= len(text)
            if self._budget < 0:
                raise LimitError("string pool unpacks to more than its size", start)
        return text

    def _decode8(self, start: int) -> str | None:
        start = self._length8(start)
        if start > self._end or start + 1 > self._end:
            return None
        declared, start = self._declared8(start)
        if declared is None or start >= self._end:
            return None
        stop = min(start + declared, self._end)
        raw = bytes(self._data[start : min(stop, start + 4 * self._keep)])
        if stop < self._end and len(raw) == declared and self._data[stop] != 0:
            # The platform hands a UTF-8 string to Java as far as its first NUL, whatever length is declared.
            raw = bytes(self._data[start : min(self._end, stop + 0x8000, start + 4 * self._keep)])
        return _decode_utf8(raw.partition(b"\0")[0])[: self._keep]

    def _length8(self, start: int) -> int:
        """Skip a length of one or two bytes."""
        if start >= self._end:
            return self._end + 1
        return start + (2 if self._data[start] & 0x80 else 1)

    def _declared8(self, start: int) -> tuple[int | None, int]:
        first = self._data[start]
        if not first & 0x80:
            return first, start + 1
        if start + 2 > self._end:
            return None, start
        return (first & 0x7F) << 8 | self._data[start + 1], start + 2

    def _decode16(self, start: int) -> str | None:
        if start + 2 > self._end:
            return None
        (units,) = _U16.unpack_from(self._data, start)
        start += 2
        if units & 0x8000:
            if start + 2 > self._end:
                return None
            units = (units & 0x7FFF) << 16 | _U16.unpack_from(self._data, start)[0]
            start += 2
        if start + 2 * units > self._end:
            return None
        raw = bytes(self._data[start : start + 2 * min(units, 2 * self._keep)])
        return raw.decode("utf-16-le", "replace")[: self._keep]


def _decode_utf8(raw: bytes) -> str:
    """Decode UTF-8, or the modified UTF-8 that aapt2 writes for characters beyond the basic plane."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        pass
    try:
        wide = raw.decode("utf-8", "surrogatepass").encode("utf-16-le", "surrogatepass")
    except UnicodeDecodeError:
        return raw.decode("utf-8", "replace")
    return wide.decode("utf-16-le", "replace")
