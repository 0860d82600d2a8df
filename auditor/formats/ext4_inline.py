"""Read what an ext4 inode holds within itself: short files and directories, continued in an extended attribute.

Specification: Linux kernel documentation, ext4 data structures and algorithms, "Inline Data", "Extended Attributes".

Not read: the other attributes (SELinux labels, access lists, encryption contexts).
"""

from __future__ import annotations

import struct

from auditor.errors import FormatError
from auditor.formats.ext4_blocks import find_runs
from auditor.formats.ext4_layout import FLAG_INLINE_DATA, Inode, Superblock, read_inode
from auditor.formats.source import Source

_MAGIC = 0xEA020000
_ENTRY = struct.Struct("<BBHIII")
_BLOCK_HEADER_SIZE = 32
_SYSTEM = 7
_NAME = b"data"
_VALUE_SIZE = 64 * 1024


def read_inline(source: Source, superblock: Superblock, inode: Inode) -> tuple[bytes, bytes]:
    """Read both parts of the inline data: the 60 bytes in place of the block map, and the attribute that goes on.

    Raises:
        FormatError: the attributes are damaged.
    """
    if int.from_bytes(inode.attributes[:4], "little") == _MAGIC:
        found = _find_value(source, superblock, inode.attributes, 4, 4)
        if found is not None:
            return inode.block, found
    if inode.attribute_block != 0:
        block = bytes(source.read(inode.attribute_block * superblock.block_size, superblock.block_size))
        if int.from_bytes(block[:4], "little") != _MAGIC:
            raise FormatError(f"inode {inode.number} has a damaged block of attributes")
        # Values of a block count from its start, those of an inode from the first entry.
        found = _find_value(source, superblock, block, _BLOCK_HEADER_SIZE, 0)
        if found is not None:
            return inode.block, found
    return inode.block, b""


def _find_value(source: Source, superblock: Superblock, data: bytes, entry: int, base: int) -> bytes | None:
    """The value of the attribute ``system.data``, where it is among those that begin at ``entry``."""
    while entry + _ENTRY.size <= len(data) and data[entry : entry + 4] != bytes(4):
        name_size, index, offset, inode_number, size, _ = _ENTRY.unpack_from(data, entry)
        name = data[entry + _ENTRY.size : entry + _ENTRY.size + name_size]
        if (index, name) == (_SYSTEM, _NAME):
            if inode_number != 0:
                return _read_value_inode(source, superblock, inode_number, size)
            if base + offset + size > len(data):
                raise FormatError("inline data reaches beyond its inode")
            return data[base + offset : base + offset + size]
        entry += (_ENTRY.size + name_size + 3) & ~3
    return None


def _read_value_inode(source: Source, superblock: Superblock, number: int, size: int) -> bytes:
    inode = read_inode(source, superblock, number)
    if size > min(_VALUE_SIZE, inode.size) or inode.flags & FLAG_INLINE_DATA:
        raise FormatError(f"inode {number} does not hold an attribute of {size} bytes")
    value = bytearray(size)
    for run in find_runs(source, superblock, inode, -(-size // superblock.block_size)):
        start = run.logical * superblock.block_size
        length = min(run.count * superblock.block_size, size - start)
        if run.physical is not None:
            value[start : start + length] = source.read(run.physical * superblock.block_size, length)
    return bytes(value)
