"""Lays out Android sparse images, which fastboot flashes and factory images hold, without unpacking them.

Format: the sparse image format 1.x of libsparse (AOSP system/core/libsparse, sparse_format.h).

Not read: checksums (a CRC chunk and the checksum of the header would take a pass over the whole image); what follows
the last chunk; images of another major version.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from auditor.errors import FormatError, LimitError, UnsupportedError
from auditor.formats.source import Extent, MappedSource, Source
from auditor.limits import DEFAULT, Limits

_MAGIC = 0xED26FF3A
_HEADER = struct.Struct("<IHHHHIIII")
_CHUNK = struct.Struct("<HHII")
_RAW, _FILL, _DONT_CARE, _CRC32 = 0xCAC1, 0xCAC2, 0xCAC3, 0xCAC4


class SparseImage(MappedSource):
    """An image laid out; one whose file is cut off ends where its bytes do, as if the image itself were cut off."""

    def __init__(self, size: int, extents: Sequence[Extent], faults: tuple[str, ...] = ()) -> None:
        """Take the extents.

        Raises:
            FormatError: they overlap.
        """
        super().__init__(size, extents)
        self.faults = faults
        """What is missing of it, in sentences."""


@dataclass(frozen=True, slots=True)
class _Layout:
    size: int
    extents: list[Extent]
    faults: tuple[str, ...]


def is_android_sparse(head: bytes) -> bool:
    """Whether bytes start as a sparse image."""
    return len(head) >= 4 and int.from_bytes(head[:4], "little") == _MAGIC


def parse_android_sparse(source: Source, limits: Limits = DEFAULT) -> SparseImage:
    """Lay out one image; nothing is copied. Of one that is cut off or damaged what comes before the damage.

    Raises:
        FormatError: no sparse image, or nothing of it is there.
        UnsupportedError: another major version.
        LimitError: more chunks than ``limits`` allow.
    """
    layout = _parse_layout(source, limits)
    return SparseImage(layout.size, layout.extents, layout.faults)


def join_android_sparse(sources: Sequence[Source], limits: Limits = DEFAULT) -> SparseImage:
    """Lay out an image that was split into several sparse images (``super.img_sparsechunk.0`` and so on).

    Each of them is an image of the whole, or of the whole up to its own end, and leaves out what the others hold. That
    one of them is missing cannot be seen from the others: its part reads as zeros.

    Raises:
        FormatError: none of them can be read, none was given, or two hold the same part.
        LimitError: more chunks than ``limits`` allow.
    """
    layouts: list[_Layout] = []
    faults: list[str] = []
    error: FormatError | None = None
    for number, source in enumerate(sources):
        try:
            layout = _parse_layout(source, limits)
        except FormatError as found:
            error = error or found
            faults.append(f"part {number + 1} of {len(sources)} cannot be read: {found}")
            continue
        layouts.append(layout)
        faults += (f"part {number + 1} of {len(sources)}: {fault}" for fault in layout.faults)
    if not layouts:
        raise error or FormatError("no parts of a sparse image")
    extents = sorted((item for layout in layouts for item in layout.extents), key=lambda item: item.start)
    if len(extents) > limits.image_extents:
        raise LimitError(f"{len(extents)} chunks in a sparse image; raise --limit image_extents")
    return SparseImage(max(layout.size for layout in layouts), extents, tuple(faults))


def _parse_layout(source: Source, limits: Limits) -> _Layout:
    if source.size < _HEADER.size:
        raise FormatError("the header of the sparse image is cut off")
    magic, major, _, header, step, block, blocks, chunks, _ = _HEADER.unpack(source.read(0, _HEADER.size))
    if magic != _MAGIC:
        raise FormatError("no sparse image", 0)
    if major != 1:
        raise UnsupportedError(f"a sparse image of version {major}")
    if header < _HEADER.size or step < _CHUNK.size or block == 0 or block % 4:
        raise FormatError(f"a sparse image with headers of {header} and {step} bytes and blocks of {block}", 8)
    if min(chunks, source.size // step) > limits.image_extents:
        raise LimitError(f"{chunks} chunks in a sparse image; raise --limit image_extents")
    extents: list[Extent] = []
    try:
        at = _lay_out(source, (header, step, block, blocks, chunks), extents)
        if at != blocks * block:
            raise FormatError(f"the chunks of the sparse image hold {at // block} blocks where {blocks} are stated", 16)
    except FormatError as error:
        end = extents[-1].start + extents[-1].size if extents else 0
        if end == 0:
            raise
        return _Layout(end, extents, (f"{error}; {end} of {blocks * block} bytes are laid out",))
    return _Layout(blocks * block, extents, ())


def _lay_out(source: Source, stated: tuple[int, int, int, int, int], extents: list[Extent]) -> int:
    """Add the extents of an image, and of the chunk that is cut off what is there of it; return where they end."""
    position, step, block, blocks, chunks = stated
    at = 0
    for number in range(chunks):
        if position + step > source.size:
            raise FormatError(f"chunk {number} of {chunks} of the sparse image is cut off", position)
        kind, _, length, total = _CHUNK.unpack(source.read(position, _CHUNK.size))
        length = 0 if kind == _CRC32 else length * block
        if at + length > blocks * block:
            raise FormatError(f"the chunks of the sparse image hold more than the {blocks} blocks stated", position)
        left = source.size - position - step
        if kind == _RAW and total == step + length and 0 < left < length:
            extents.append(Extent(at, left, source, position + step))
        _check_chunk(source, position, (kind, length, total), step)
        if kind == _RAW:
            extents.append(Extent(at, length, source, position + step))
        elif kind == _FILL:
            extents.append(Extent(at, length, None, fill=bytes(source.read(position + step, 4))))
        at += length
        position += total
    return at


def _check_chunk(source: Source, position: int, chunk: tuple[int, int, int], step: int) -> None:
    """Refuse a chunk whose stated size is not that of its kind; ``length`` is in bytes."""
    kind, length, total = chunk
    sizes = {_RAW: length, _FILL: 4, _DONT_CARE: 0, _CRC32: 4}
    if kind not in sizes:
        raise FormatError(f"a chunk of unknown type {kind:#06x} in a sparse image", position)
    if total != step + sizes[kind]:
        raise FormatError(f"a chunk of {total} bytes in a sparse image where {step + sizes[kind]} are due", position)
    if position + total > source.size:
        raise FormatError(
            f"a chunk of the sparse image is cut off: {source.size - position} of {total} bytes", position
        )
