"""Map the content of an EROFS inode to the places of the image that hold it.

Specification: Linux, EROFS on-disk format (Documentation/filesystems/erofs), as of Linux 6.18.
Not read: logical clusters above 64 KiB with compact indexes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from auditor.errors import FormatError, UnsupportedError
from auditor.formats.erofs_decompress import Algorithm
from auditor.formats.erofs_inode import NO_ADDRESS, DataLayout, Inode, SuperBlock


class Storage(IntEnum):
    """In which way an extent is stored."""

    HOLE = 0
    PLAIN = 1
    INTERLACED = 2
    """Plain, each byte at its logical place within a block."""
    FRAGMENT = 3
    """A range of the packed inode."""
    COMPRESSED = 4


class Extent(NamedTuple):
    """A run of bytes of an inode; the extents of one inode follow each other without gaps."""

    start: int
    size: int
    storage: Storage
    place: int
    """Where it is stored, in bytes: of the image, or of the packed inode."""
    stored: int
    """How many bytes it takes there."""
    algorithm: Algorithm = Algorithm.LZ4
    partial: bool = False
    """The cluster holds more than this."""
    inline: bool = False
    """It lies beside the inode instead."""


_HEADER = struct.Struct("<IHBB")
_LONG = struct.Struct("<Q")
_INDEX = struct.Struct("<HHI")
_CHUNK = struct.Struct("<HHI")
_CHUNK_WIDTH, _CHUNK_INDEXES, _CHUNK_48_BITS = 0x1F, 0x20, 0x40
_BATCH = 4096
"""Entries of a table that are read at once."""

_ENCODED_EXTENTS = _TWO_BYTES = 0x01
_BIG_CLUSTERS = 0x06
_INLINE_TAIL, _INTERLACED, _FRAGMENT_TAIL = 0x08, 0x10, 0x20
_HEAD_PLAIN, _HEAD_1, _NO_HEAD, _HEAD_2 = range(4)
_BLOCK_COUNT = 0x800
_PARTIAL = 0x8000
_LENGTH_MASK = (1 << 21) - 1
_LENGTH_PARTIAL = 1 << 27


class _Head(NamedTuple):
    """Where an extent begins, from an index."""

    start: int
    kind: int
    block: int
    blocks: int
    partial: bool = False


@dataclass(frozen=True, slots=True)
class _Map:
    """What the map header of a compressed inode says, and where its index lies."""

    advise: int
    word: int
    algorithms: tuple[int, int]
    cluster_bits: int
    index: int
    """Where the header ends."""
    count: int
    """Logical clusters."""


def find_extents(superblock: SuperBlock, inode: Inode) -> Iterator[Extent]:
    """Yield the extents of an inode in order; neighbours in the image are one.

    Raises:
        FormatError: its index is damaged or lies outside the image, from there on.
        UnsupportedError: it is stored in a way that is not known.
    """
    if inode.size == 0:
        return
    match inode.layout:
        case DataLayout.FLAT_PLAIN | DataLayout.FLAT_INLINE:
            yield from _flat(superblock, inode)
        case DataLayout.CHUNK_BASED:
            yield from _merged(_chunks(superblock, inode))
        case _:
            yield from _merged(_compressed(superblock, inode))


def _flat(superblock: SuperBlock, inode: Inode) -> Iterator[Extent]:
    whole = inode.size
    if inode.layout is DataLayout.FLAT_INLINE:
        whole = (inode.size - 1) >> superblock.block_bits << superblock.block_bits
    if whole and inode.block is None:
        yield Extent(0, whole, Storage.HOLE, 0, 0)
    elif whole:
        yield Extent(0, whole, Storage.PLAIN, (inode.block or 0) << superblock.block_bits, whole)
    tail = inode.size - whole
    if tail:
        yield Extent(whole, tail, Storage.PLAIN, inode.end, tail, inline=True)


def _merged(extents: Iterable[Extent]) -> Iterator[Extent]:
    """Make one of plain extents that follow each other in the image, and of holes."""
    last: Extent | None = None
    for item in extents:
        if last is None:
            last = item
        elif _continues(last, item):
            last = last._replace(size=last.size + item.size, stored=last.stored + item.stored)
        else:
            yield last
            last = item
    if last is not None:
        yield last


def _continues(last: Extent, item: Extent) -> bool:
    if item.storage is Storage.PLAIN:
        whole = last.storage is Storage.PLAIN and last.size == last.stored and not last.inline and not item.inline
        return whole and last.place + last.stored == item.place
    return item.storage is last.storage is Storage.HOLE


def _table(inode: Inode, at: int, width: int, count: int) -> Iterator[bytes | memoryview]:
    """Yield ``count`` entries behind an inode in batches.

    Raises:
        FormatError: the table does not lie within the image.
    """
    if at + width * count > inode.source.size:
        raise FormatError(f"the index of EROFS inode {inode.nid:#x} lies outside the image", at)
    for first in range(0, count, _BATCH):
        yield inode.source.read(at + first * width, min(_BATCH, count - first) * width)


def _aligned(position: int, size: int) -> int:
    return -(-position // size) * size


def _chunks(superblock: SuperBlock, inode: Inode) -> Iterator[Extent]:
    form = inode.word & 0xFFFF
    if form & ~(_CHUNK_WIDTH | _CHUNK_INDEXES | _CHUNK_48_BITS):
        raise UnsupportedError(f"EROFS chunk format {form:#x}")
    bits = superblock.block_bits + (form & _CHUNK_WIDTH)
    indexes = bool(form & _CHUNK_INDEXES)
    width = 8 if indexes else 4
    mask = 0xFFFF if form & _CHUNK_48_BITS else 0
    hole = NO_ADDRESS | mask << 32
    layout = _CHUNK if indexes else struct.Struct("<I")
    start = 0
    for batch in _table(inode, _aligned(inode.end, width), width, -(-inode.size >> bits)):
        for entry in layout.iter_unpack(batch):
            block = entry[-1]
            if indexes:
                block |= (entry[0] & mask) << 32
            size = min(inode.size - start, 1 << bits)
            if block == hole:
                yield Extent(start, size, Storage.HOLE, 0, 0)
            elif indexes and entry[1]:
                raise UnsupportedError(_elsewhere(superblock, entry[1]))
            else:
                yield Extent(start, size, Storage.PLAIN, block << superblock.block_bits, size)
            start += size


def _elsewhere(superblock: SuperBlock, number: int) -> str:
    tag = superblock.devices[number - 1].tag if number <= len(superblock.devices) else ""
    return f"data on another device of the EROFS image, number {number}" + (f" ({tag})" if tag else "")


def _compressed(superblock: SuperBlock, inode: Inode) -> Iterator[Extent]:
    at = _aligned(inode.end, 8)
    if at + 8 > inode.source.size:
        raise FormatError(f"the map header of EROFS inode {inode.nid:#x} lies outside the image", at)
    header = inode.source.read(at, 8)
    word, advise, algorithms, bits = _HEADER.unpack(header)
    if bits & 0x80:
        place = _LONG.unpack(header)[0] & ((1 << 63) - 1)
        yield Extent(0, inode.size, Storage.FRAGMENT, place, inode.size)
        return
    cluster_bits = superblock.block_bits + (bits & 15)
    count = -(-inode.size >> cluster_bits)
    found = _Map(advise, word, (algorithms & 15, algorithms >> 4), cluster_bits, at + 8, count)
    if inode.layout is DataLayout.COMPRESSED_FULL and advise & _ENCODED_EXTENTS:
        extents = word | (algorithms | bits << 8) << 32
        yield from _encoded(superblock, inode, found, extents)
    elif inode.layout is DataLayout.COMPRESSED_FULL:
        table = found.index + 8
        yield from _from_heads(superblock, inode, found, _full_heads(inode, found, table), table + 8 * count)
    else:
        if cluster_bits > 14:
            raise UnsupportedError(f"EROFS compact indexes of clusters of 2^{cluster_bits} bytes")
        initial, middle = _compact_parts(found)
        end = _aligned(found.index + 4 * initial + 2 * middle + 4 * (count - initial - middle), 8)
        yield from _from_heads(superblock, inode, found, _compact_heads(inode, found, initial, middle), end)


def _full_heads(inode: Inode, found: _Map, table: int) -> Iterator[_Head]:
    """Yield the heads of an index of eight bytes for each logical cluster."""
    big = bool(found.advise & _BIG_CLUSTERS)
    size = 1 << found.cluster_bits
    start = 0
    last: _Head | None = None
    for batch in _table(inode, table, _INDEX.size, found.count):
        for advise, offset, word in _INDEX.iter_unpack(batch):
            kind = advise & 3
            if kind == _NO_HEAD:
                if big and word & _BLOCK_COUNT and last is not None:
                    last = _counted(last, start - size, word & (_BLOCK_COUNT - 1))
            else:
                if last is not None:
                    yield last
                if offset >= size:
                    raise FormatError(f"a damaged index of EROFS inode {inode.nid:#x}")
                last = _Head(start + offset, kind, word, 1, bool(advise & _PARTIAL))
            start += size
    if last is not None:
        yield last


def _counted(head: _Head, before: int, blocks: int) -> _Head:
    """Give a head its count of blocks if it lies in the logical cluster that begins at ``before``."""
    return head._replace(blocks=blocks) if head.start >= before and blocks else head


def _compact_parts(found: _Map) -> tuple[int, int]:
    """How many entries of four bytes come first, and how many of two follow; the rest takes four again."""
    # Entries of two bytes come in packs of 32 bytes that do not cross a multiple of 32.
    initial = (32 - found.index % 32) // 4 & 7
    if not found.advise & _TWO_BYTES or initial >= found.count:
        return found.count, 0
    return initial, (found.count - initial) // 16 * 16


def _compact_packs(inode: Inode, found: _Map, initial: int, middle: int) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Yield the base block and the entries of each pack."""
    at = found.index
    for batch in _table(inode, at, 8, (initial + 1) // 2):
        for first, second, base in _INDEX.iter_unpack(batch):
            yield base, (first, second)
    at += 4 * initial
    shifts = range(0, 16 * 14, 14)
    for batch in _table(inode, at, 32, middle // 16):
        for position in range(0, len(batch), 32):
            pack = int.from_bytes(batch[position : position + 32], "little")
            yield pack >> 224, tuple([pack >> shift & 0x3FFF for shift in shifts])
    at += 2 * middle
    for batch in _table(inode, at, 8, (found.count - initial - middle + 1) // 2):
        for first, second, base in _INDEX.iter_unpack(batch):
            yield base, (first, second)


def _compact_heads(inode: Inode, found: _Map, initial: int, middle: int) -> Iterator[_Head]:
    """Yield the heads of an index of packs."""
    big = bool(found.advise & _BIG_CLUSTERS)
    bits = found.cluster_bits
    shift = max(bits, 12)
    mask = (1 << shift) - 1
    size = 1 << bits
    end = found.count << bits
    if middle and shift > 12:
        raise UnsupportedError(f"EROFS entries of two bytes for clusters of 2^{bits} bytes")
    start = 0
    last: _Head | None = None
    for base, entries in _compact_packs(inode, found, initial, middle):
        # Without big clusters the base is the block before the first one of the pack.
        block = base if big else base + 1
        for number, entry in enumerate(entries):
            kind, low = entry >> shift & 3, entry & mask
            if kind != _NO_HEAD:
                if last is not None:
                    yield last
                if low >= size:
                    raise FormatError(f"a damaged index of EROFS inode {inode.nid:#x}")
                last = _Head(start + low, kind, block, 1)
                block += 1
            elif big and low & _BLOCK_COUNT:
                blocks = low & (_BLOCK_COUNT - 1)
                if last is not None:
                    last = _counted(last, start - size, blocks)
                # The head has counted as one already, unless it lies in an earlier pack.
                block += blocks - 1 if number else blocks
            start += size
            if start == end:
                break
    if last is not None:
        yield last


def _from_heads(
    superblock: SuperBlock, inode: Inode, found: _Map, heads: Iterable[_Head], end: int
) -> Iterator[Extent]:
    """Make extents of heads; the last one may lie behind the index or in the packed inode."""
    last: _Head | None = None
    for head in heads:
        # A head at the end of the file only says where it ends.
        if head.start >= inode.size:
            break
        if last is not None:
            yield _extent(superblock, found, last, head.start)
        elif head.start:
            raise FormatError(f"the index of EROFS inode {inode.nid:#x} has no first extent")
        last = head
    if last is None:
        raise FormatError(f"the index of EROFS inode {inode.nid:#x} has no first extent")
    size = inode.size - last.start
    if found.advise & _FRAGMENT_TAIL:
        high = last.block if inode.layout is DataLayout.COMPRESSED_FULL else 0
        yield Extent(last.start, size, Storage.FRAGMENT, found.word | high << 32, size)
        return
    tail = _extent(superblock, found, last, inode.size)
    inline = found.word >> 16
    if found.advise & _INLINE_TAIL and inline:
        storage = Storage.PLAIN if tail.storage is Storage.INTERLACED else tail.storage
        tail = tail._replace(storage=storage, place=end, stored=inline, inline=True)
        if storage is Storage.PLAIN and size > inline:
            raise FormatError(f"the tail of EROFS inode {inode.nid:#x} is longer than what is stored")
    yield tail


def _extent(superblock: SuperBlock, found: _Map, head: _Head, end: int) -> Extent:
    size = end - head.start
    stored = head.blocks << superblock.block_bits
    place = head.block << superblock.block_bits
    if head.kind == _HEAD_PLAIN:
        return _plain(superblock, Extent(head.start, size, Storage.PLAIN, place, stored), found.advise)
    number = found.algorithms[head.kind == _HEAD_2]
    return Extent(head.start, size, Storage.COMPRESSED, place, stored, _algorithm(number), head.partial)


def _plain(superblock: SuperBlock, extent: Extent, advise: int) -> Extent:
    if extent.size > extent.stored:
        raise FormatError(f"a plain EROFS extent of {extent.size} bytes in {extent.stored}", extent.place)
    if not advise & _INTERLACED:
        return extent
    if extent.stored > superblock.block_size:
        raise UnsupportedError("interlaced EROFS clusters of several blocks")
    if extent.start & (superblock.block_size - 1):
        return extent._replace(storage=Storage.INTERLACED)
    return extent


def _algorithm(number: int) -> Algorithm:
    try:
        return Algorithm(number)
    except ValueError as error:
        raise UnsupportedError(f"EROFS compression algorithm {number}") from error


def _encoded(superblock: SuperBlock, inode: Inode, found: _Map, count: int) -> Iterator[Extent]:
    """Yield the extents of a table that states them one by one, as of Linux 6.15."""
    width = 4 << (found.advise >> 1 & 3)
    records = _fixed_records if width <= 8 else _free_records
    last: tuple[int, int, int] | None = None
    for record in records(inode, found, width, count):
        if last is not None:
            if not last[0] < record[0] <= inode.size:
                raise FormatError(f"the extents of EROFS inode {inode.nid:#x} do not ascend")
            yield _encoded_extent(superblock, found, last, record[0])
        elif record[0]:
            raise FormatError(f"the index of EROFS inode {inode.nid:#x} has no first extent")
        last = record
    if last is None or last[0] >= inode.size:
        raise FormatError(f"the extents of EROFS inode {inode.nid:#x} do not reach its end")
    start, length, place = last
    if found.advise & _FRAGMENT_TAIL:
        high = place << 32 if width > 4 else 0
        size = inode.size - start
        yield Extent(start, size, Storage.FRAGMENT, length | high, size)
    else:
        yield _encoded_extent(superblock, found, last, inode.size)


def _fixed_records(inode: Inode, found: _Map, width: int, count: int) -> Iterator[tuple[int, int, int]]:
    """Yield start, length word and place of extents of one logical size; the narrow ones follow each other."""
    at = _aligned(found.index, width)
    following: int | None = None
    if width == 4:
        following = _LONG.unpack(b"".join(_table(inode, at, 8, 1)))[0]
        at += 8
    start = 0
    for batch in _table(inode, at, width, found.count):
        for record in struct.iter_unpack("<I" if width == 4 else "<II", batch):
            if following is None:
                yield start, record[0], record[1]
            else:
                yield start, record[0], following
                following += record[0] & _LENGTH_MASK
            start += 1 << found.cluster_bits


def _free_records(inode: Inode, found: _Map, width: int, count: int) -> Iterator[tuple[int, int, int]]:
    """Yield start, length word and place of extents of any logical size."""
    for batch in _table(inode, _aligned(found.index, width), width, count):
        for record in struct.iter_unpack("<IIII" if width == 16 else "<IIIII12x", batch):
            start = record[3] | (record[4] << 32 if width == 32 else 0)
            yield start, record[0], record[1] | record[2] << 32


def _encoded_extent(superblock: SuperBlock, found: _Map, record: tuple[int, int, int], end: int) -> Extent:
    start, length, place = record
    stored = length & _LENGTH_MASK
    if stored == 0:
        return Extent(start, end - start, Storage.HOLE, 0, 0)
    form = length >> 28
    if form:
        partial = bool(length & _LENGTH_PARTIAL)
        return Extent(start, end - start, Storage.COMPRESSED, place, stored, _algorithm(form - 1), partial)
    whole = (place | stored) & (superblock.block_size - 1) == 0
    return _plain(superblock, Extent(start, end - start, Storage.PLAIN, place, stored), found.advise if whole else 0)
