"""Find the blocks of a file of an ext2, ext3 or ext4 file system: extent trees and indirect block maps.

Specification: Linux kernel documentation, ext4 data structures and algorithms, "The contents of inode.i_block".

Not read: blocks behind the stated end of a file.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.errors import FormatError
from auditor.formats.crc32c import crc32c
from auditor.formats.ext4_layout import FLAG_EXTENTS, FLAG_INLINE_DATA, Inode, Superblock
from auditor.formats.source import Source

MOST_BLOCKS = 1 << 32
"""Blocks of one file: their numbers are words."""

_EXTENT_MAGIC = 0xF30A
_EXTENT_HEADER = struct.Struct("<HHHH4x")
_EXTENT = struct.Struct("<IHHI")
_EXTENT_INDEX = struct.Struct("<IIH2x")
_DEPTH = 5
_LONGEST_WRITTEN = 1 << 15
_DIRECT = 12
_POINTERS = struct.Struct("<15I")


@dataclass(frozen=True, slots=True)
class Run:
    """Blocks of a file that follow each other, in the file and in the image."""

    logical: int
    count: int
    physical: int | None
    """First block in the image; None: allocated, but never written, so zeros."""


def find_runs(source: Source, superblock: Superblock, inode: Inode, blocks: int) -> Iterator[Run]:
    """Find the runs of a file's first ``blocks`` blocks, ascending, holes left out; the last may reach beyond.

    Raises:
        FormatError: the tree is damaged, from there on.
    """
    if blocks > MOST_BLOCKS:
        raise FormatError(f"inode {inode.number} has a size of more blocks than a file can have")
    find = _find_extents if inode.flags & FLAG_EXTENTS else _find_mapped
    reached = 0
    for run in find(source, superblock, inode, blocks):
        if run.logical >= blocks:
            return
        if run.logical < reached:
            raise FormatError(f"inode {inode.number} has extents that overlap")
        reached = run.logical + run.count
        if run.physical is not None and run.physical <= superblock.first_data_block:
            raise FormatError(f"inode {inode.number} has its content in the superblock")
        yield run


def _find_extents(source: Source, superblock: Superblock, inode: Inode, blocks: int) -> Iterator[Run]:
    node: bytes | memoryview = inode.block
    wanted: int | None = None
    pending: list[tuple[int, int, int]] = []
    seen: set[int] = set()
    while True:
        entries, depth = _parse_extent_header(node, inode, wanted)
        if depth == 0:
            yield from _leaf_runs(node, entries, inode)
        else:
            pending.extend(reversed(_children(node, entries, depth - 1)))
        if not pending:
            return
        logical, block, wanted = pending.pop()
        if logical >= blocks:
            return
        if block in seen:
            raise FormatError(f"inode {inode.number} has an extent tree that uses one block twice")
        seen.add(block)
        node = source.read(block * superblock.block_size, superblock.block_size)
        _check_extent_block(node, inode)


def _check_extent_block(node: bytes | memoryview, inode: Inode) -> None:
    """Refuse a node whose checksum, behind the room for its entries, is wrong."""
    end = _EXTENT_HEADER.size + int.from_bytes(node[4:6], "little") * _EXTENT.size
    if inode.checksum_seed is None or end + 4 > len(node):
        return
    if crc32c(node[:end], inode.checksum_seed) != int.from_bytes(node[end : end + 4], "little"):
        raise FormatError(f"inode {inode.number} has an extent node whose checksum is wrong")


def reaches_beyond(inode: Inode, blocks: int) -> bool:
    """Whether a file holds written blocks behind its first ``blocks``, as far as the inode itself tells."""
    if inode.flags & FLAG_INLINE_DATA:
        return False
    if not inode.flags & FLAG_EXTENTS:
        pointers = _POINTERS.unpack(inode.block)
        return any(pointers[blocks:_DIRECT]) or (blocks <= _DIRECT and any(pointers[_DIRECT:]))
    magic, entries, _, depth = _EXTENT_HEADER.unpack_from(inode.block)
    end = _EXTENT_HEADER.size + entries * _EXTENT.size
    if magic != _EXTENT_MAGIC or end > len(inode.block):
        return False
    body = inode.block[_EXTENT_HEADER.size : end]
    if depth > 0:
        return any(logical >= blocks for logical, _, _ in _EXTENT_INDEX.iter_unpack(body))
    return any(
        length <= _LONGEST_WRITTEN and logical + length > blocks for logical, length, _, _ in _EXTENT.iter_unpack(body)
    )


def _parse_extent_header(node: bytes | memoryview, inode: Inode, wanted: int | None) -> tuple[int, int]:
    """Entries and depth of a node; the depth falls by one at each step, so that no tree leads back into itself."""
    magic, entries, _, depth = _EXTENT_HEADER.unpack_from(node)
    if magic != _EXTENT_MAGIC or depth > _DEPTH or (wanted is not None and depth != wanted):
        raise FormatError(f"inode {inode.number} has a damaged extent tree")
    if _EXTENT_HEADER.size + entries * _EXTENT.size > len(node):
        raise FormatError(f"inode {inode.number} has an extent node of {entries} entries")
    return entries, depth


def _leaf_runs(node: bytes | memoryview, entries: int, inode: Inode) -> Iterator[Run]:
    body = node[_EXTENT_HEADER.size : _EXTENT_HEADER.size + entries * _EXTENT.size]
    for logical, length, high, low in _EXTENT.iter_unpack(body):
        if length == 0:
            raise FormatError(f"inode {inode.number} has an empty extent")
        if length > _LONGEST_WRITTEN:
            yield Run(logical, length - _LONGEST_WRITTEN, None)
        else:
            yield Run(logical, length, low | high << 32)


def _children(node: bytes | memoryview, entries: int, depth: int) -> list[tuple[int, int, int]]:
    body = node[_EXTENT_HEADER.size : _EXTENT_HEADER.size + entries * _EXTENT_INDEX.size]
    return [(logical, low | high << 32, depth) for logical, low, high in _EXTENT_INDEX.iter_unpack(body)]


def _find_mapped(source: Source, superblock: Superblock, inode: Inode, blocks: int) -> Iterator[Run]:
    for first, pointers in _pointer_blocks(source, superblock, inode, blocks):
        at = 0
        while at < len(pointers):
            start = pointers[at]
            count = 1
            if start != 0:
                while at + count < len(pointers) and pointers[at + count] == start + count:
                    count += 1
                yield Run(first + at, count, start)
            at += count


def _pointer_blocks(
    source: Source, superblock: Superblock, inode: Inode, blocks: int
) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Yield arrays of block numbers with the place in the file that the first one is for; a number of 0 is a hole."""
    pointers = _POINTERS.unpack(inode.block)
    yield 0, pointers[:_DIRECT]
    width = superblock.block_size // 4
    parse = struct.Struct(f"<{width}I")
    single, double = _DIRECT + width, _DIRECT + width + width * width
    pending = [(double, pointers[14], 3), (single, pointers[13], 2), (_DIRECT, pointers[12], 1)]
    seen: set[int] = set()
    while pending:
        logical, block, level = pending.pop()
        if logical >= blocks:
            return
        if block == 0:
            continue
        if block in seen:
            raise FormatError(f"inode {inode.number} has a block map that uses one block twice")
        seen.add(block)
        array = parse.unpack(source.read(block * superblock.block_size, superblock.block_size))
        if level == 1:
            yield logical, array
        else:
            span = width ** (level - 1)
            children = [(logical + at * span, child, level - 1) for at, child in enumerate(array) if child != 0]
            pending.extend(reversed(children))
