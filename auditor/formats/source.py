"""Random access to bytes that may be larger than memory: a file, a partition of it, a sparse image laid out.

Contract: every read is bounded by the caller; nothing is read twice to answer one call.

Not read: anything by itself; the formats above give the ranges.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from auditor.errors import FormatError
from auditor.formats.blob import Blob


class Source(Protocol):
    """Bytes at offsets."""

    @property
    def size(self) -> int:
        """Bytes in all."""
        ...

    def read(self, offset: int, size: int) -> bytes | memoryview:
        """Exactly ``size`` bytes from ``offset``; a view where no copy is needed.

        Raises:
            FormatError: the range does not lie within the source.
        """
        ...


def check_range(source: Source, offset: int, size: int) -> None:
    """Refuse a range that does not lie within a source.

    Raises:
        FormatError: it does not.
    """
    if offset < 0 or size < 0 or offset + size > source.size:
        raise FormatError(f"{size} bytes wanted where {max(source.size - offset, 0)} are left", max(offset, 0))


@dataclass(frozen=True, slots=True)
class BlobSource:
    """Bytes in memory, or a mapped file."""

    data: Blob = field(repr=False)

    @property
    def size(self) -> int:
        return len(self.data)

    def read(self, offset: int, size: int) -> bytes | memoryview:
        check_range(self, offset, size)
        return memoryview(self.data)[offset : offset + size]


@dataclass(frozen=True, slots=True)
class SliceSource:
    """A range of another source: a partition of a disk."""

    inner: Source
    start: int
    size: int

    def read(self, offset: int, size: int) -> bytes | memoryview:
        check_range(self, offset, size)
        return self.inner.read(self.start + offset, size)


@dataclass(frozen=True, slots=True)
class Extent:
    """A run of bytes of a laid-out source."""

    start: int
    """Where it begins in the result."""
    size: int
    inner: Source | None
    """Where its bytes come from; None: ``fill`` repeated."""
    offset: int = 0
    """Where it begins in the inner source."""
    fill: bytes = b"\x00"


class MappedSource:
    """A source put together from extents that ascend, do not overlap, and leave gaps that read as zeros."""

    def __init__(self, size: int, extents: Sequence[Extent]) -> None:
        """Take the extents.

        Raises:
            FormatError: they overlap, descend or reach beyond ``size``.
        """
        end = 0
        for extent in extents:
            if extent.start < end or extent.size < 0 or not extent.fill:
                raise FormatError("extents of an image overlap", max(extent.start, 0))
            end = extent.start + extent.size
        if end > size:
            raise FormatError(f"extents reach {end - size} bytes beyond the image")
        self._size = size
        self._extents = tuple(item for item in extents if item.size)
        self._starts = [item.start for item in self._extents]

    @property
    def size(self) -> int:
        return self._size

    def read(self, offset: int, size: int) -> bytes | memoryview:
        check_range(self, offset, size)
        at = max(bisect_right(self._starts, offset) - 1, 0)
        pieces: list[bytes | memoryview] = []
        position, end = offset, offset + size
        while position < end:
            piece = self._piece(at, position, end)
            if len(piece) == size:
                return piece
            pieces.append(piece)
            position += len(piece)
            if at < len(self._extents) and position >= self._extents[at].start + self._extents[at].size:
                at += 1
        return b"".join(pieces)

    def _piece(self, at: int, position: int, end: int) -> bytes | memoryview:
        """Bytes from ``position`` up to the end of one extent, or of the gap before it."""
        if at >= len(self._extents):
            return bytes(end - position)
        extent = self._extents[at]
        if position < extent.start:
            return bytes(min(end, extent.start) - position)
        within = position - extent.start
        if within >= extent.size:
            following = self._extents[at + 1].start if at + 1 < len(self._extents) else end
            return bytes(min(end, following) - position)
        size = min(end - position, extent.size - within)
        if extent.inner is not None:
            return extent.inner.read(extent.offset + within, size)
        turn = within % len(extent.fill)
        return (extent.fill * ((turn + size) // len(extent.fill) + 1))[turn : turn + size]
