"""Reads inodes of an F2FS image and finds the blocks of their data.

Specification: Linux include/linux/f2fs_fs.h and fs/f2fs as described in Documentation/filesystems/f2fs.rst.

Not read: extended attributes, extent caches (the addresses themselves are followed).
"""

from __future__ import annotations

import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from auditor.errors import FormatError
from auditor.formats.f2fs_layout import (
    COMPRESS_ADDR,
    FEATURE_FLEXIBLE_INLINE_XATTR,
    NEW_ADDR,
    NULL_ADDR,
    NodeTable,
    f2fs_crc,
)

_ADDRESSES_AT = 360
_NIDS = 5
_FOOTER_SIZE = 24
_ADVISE_ENCRYPTED = 0x04
_INLINE_XATTR, _INLINE_DATA, _INLINE_DENTRY, _EXTRA_ATTR, _RELEASED = 0x01, 0x02, 0x04, 0x20, 0x80
_FLAG_COMPRESSED = 0x4
_INLINE_XATTR_SLOTS = 50
_CHECKSUM_END = 12
"""How many bytes of extra attributes there are where the checksum of an inode is among them."""
_EXTRA_SIZE_WITH_COMPRESSION = 36


@dataclass(frozen=True, slots=True)
class Inode:
    """One file or directory."""

    ino: int
    mode: int
    size: int
    is_encrypted: bool
    is_compressed_file: bool
    """Whether its addresses are grouped by clusters; single clusters may be stored as they are."""
    has_compressed_data: bool
    cluster_blocks: int
    algorithm: int
    is_inline_data: bool
    is_inline_directory: bool
    addresses: memoryview = field(repr=False)
    """Address slots of the inode itself, or the inline data from the second slot on."""
    nids: tuple[int, ...]
    """Further nodes: two of addresses, two of nodes, one of nodes of nodes."""
    blocks: int
    """Blocks it takes as stated, its nodes and itself among them."""
    has_attribute_node: bool
    is_sound: bool
    """Whether it has the checksum it states, or states none."""

    @property
    def is_directory(self) -> bool:
        return stat.S_ISDIR(self.mode)

    @property
    def inline(self) -> memoryview:
        """The area of inline data or entries."""
        return self.addresses[4:]


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring blocks of a file."""

    address: int
    """Of the first one; NULL_ADDR: a hole; COMPRESS_ADDR: a compressed cluster."""
    count: int
    packed: tuple[int, ...] = ()
    """Blocks that hold the packed bytes of a compressed cluster."""


def read_inode(table: NodeTable, ino: int) -> Inode:
    """Read an inode.

    Raises:
        FormatError: there is none, or its fields contradict each other.
    """
    block = _read_node(table, ino, ino)
    size = table.superblock.block_size
    mode, advise, inline = struct.unpack_from("<HBB", block)
    length = struct.unpack_from("<Q", block, 16)[0]
    flags = struct.unpack_from("<I", block, 80)[0]
    slots_end = size - _FOOTER_SIZE - 4 * _NIDS
    extra, xattr_slots = 0, 0
    if inline & _EXTRA_ATTR:
        extra, xattr_slots = struct.unpack_from("<HH", block, _ADDRESSES_AT)
        if extra % 4 or extra < 4 or extra > slots_end - _ADDRESSES_AT:
            raise FormatError(f"inode {ino} states {extra} bytes of extra attributes")
    if not (inline & _EXTRA_ATTR and table.superblock.features & FEATURE_FLEXIBLE_INLINE_XATTR):
        xattr_slots = _INLINE_XATTR_SLOTS if inline & (_INLINE_XATTR | _INLINE_DENTRY) else 0
    begin, end = _ADDRESSES_AT + extra, slots_end - 4 * xattr_slots
    if end - begin < 8:
        raise FormatError(f"inode {ino} leaves no room for addresses")
    is_clustered = bool(flags & _FLAG_COMPRESSED) and stat.S_ISREG(mode)
    saved, algorithm, log_cluster = 0, 0, 0
    if is_clustered and extra >= _EXTRA_SIZE_WITH_COMPRESSION:
        saved, algorithm, log_cluster = struct.unpack_from("<QBB", block, _ADDRESSES_AT + 24)
    if is_clustered and not 2 <= log_cluster <= 8:
        raise FormatError(f"inode {ino} states clusters of 2^{log_cluster} blocks")
    return Inode(
        ino=ino,
        mode=mode,
        size=length,
        is_encrypted=bool(advise & _ADVISE_ENCRYPTED),
        is_compressed_file=is_clustered,
        has_compressed_data=is_clustered and (saved > 0 or bool(inline & _RELEASED)),
        cluster_blocks=1 << log_cluster if is_clustered else 1,
        algorithm=algorithm,
        is_inline_data=bool(inline & _INLINE_DATA),
        is_inline_directory=bool(inline & _INLINE_DENTRY),
        addresses=block[begin:end],
        nids=struct.unpack_from(f"<{_NIDS}I", block, slots_end),
        blocks=struct.unpack_from("<Q", block, 24)[0],
        has_attribute_node=any(block[76:80]),
        is_sound=extra < _CHECKSUM_END or _has_sound_checksum(table, ino, bytes(block)),
    )


def _has_sound_checksum(table: NodeTable, ino: int, block: bytes) -> bool:
    seed = table.superblock.checksum_seed
    if seed is None:
        return True
    at = _ADDRESSES_AT + _CHECKSUM_END - 4
    state = f2fs_crc(ino.to_bytes(4, "little") + block[68:72], seed)
    return f2fs_crc(block[:at] + bytes(4) + block[at + 4 :], state) == int.from_bytes(block[at : at + 4], "little")


def _read_node(table: NodeTable, nid: int, ino: int) -> memoryview:
    """A node's block, once it says itself that it is this node of this inode."""
    layout = table.superblock
    owner, address = table.find_node(nid)
    if owner != ino:
        raise FormatError(f"node {nid} belongs to inode {owner}, not to {ino}")
    check_address(table, address, 1)
    block = memoryview(table.source.read(address * layout.block_size, layout.block_size))
    stated = struct.unpack_from("<II", block, layout.block_size - _FOOTER_SIZE)
    if stated != (nid, ino):
        raise FormatError(f"block {address} holds node {stated[0]} of inode {stated[1]}, not {nid} of {ino}")
    return block


def check_address(table: NodeTable, address: int, count: int) -> None:
    """Refuse blocks outside the area of data and nodes, or outside the image.

    Raises:
        FormatError: they are.
    """
    layout = table.superblock
    if address < layout.main_start or address + count > layout.main_start + layout.main_blocks:
        raise FormatError(f"block {address} lies outside the area of data")
    if layout.devices and address + count > layout.devices[0]:
        raise FormatError(f"block {address} lies on another device of the set")
    if (address + count) * layout.block_size > table.source.size:
        raise FormatError(f"block {address} lies beyond the end of the image")


def find_runs(table: NodeTable, inode: Inode, blocks: int, met: set[int] | None = None) -> Iterator[Run]:
    """Yield the first ``blocks`` blocks of a file as runs of neighbours; each node is read once, and added to ``met``.

    Raises:
        FormatError: a node is missing, damaged, or met twice; or the file is larger than nodes can reach.
    """
    left = blocks
    pending: Run | None = None
    for addresses, count in _find_addresses(table, inode, set() if met is None else met):
        if left <= 0:
            break
        take = min(count, left)
        left -= take
        for run in [Run(NULL_ADDR, take)] if addresses is None else _merge(addresses[: 4 * take], inode.cluster_blocks):
            if pending is not None and _follows(pending, run):
                pending = Run(pending.address, pending.count + run.count)
                continue
            if pending is not None:
                yield pending
            pending = run
    if pending is not None:
        yield pending
    if left > 0:
        raise FormatError(f"inode {inode.ino} states {inode.size} bytes, more than its nodes reach")


def _follows(left: Run, right: Run) -> bool:
    if left.address in (NULL_ADDR, COMPRESS_ADDR) or right.address in (NULL_ADDR, COMPRESS_ADDR):
        return left.address == right.address == NULL_ADDR
    return left.address + left.count == right.address


def _merge(addresses: memoryview, cluster_blocks: int) -> Iterator[Run]:
    """Runs of neighbours within one table of addresses, and its compressed clusters."""
    values = struct.unpack(f"<{len(addresses) // 4}I", addresses)
    at, end = 0, len(values)
    while at < end:
        address = values[at]
        if address == COMPRESS_ADDR:
            # The mark takes the first slot of a cluster, packed bytes the next ones; the rest stays empty.
            following = values[at + 1 : at + cluster_blocks]
            yield Run(
                address, cluster_blocks, tuple(value for value in following if value not in (NULL_ADDR, NEW_ADDR))
            )
            at += cluster_blocks
            continue
        first = at
        at += 1
        if address in (NULL_ADDR, NEW_ADDR):
            while at < end and values[at] in (NULL_ADDR, NEW_ADDR):
                at += 1
            yield Run(NULL_ADDR, at - first)
            continue
        while at < end and values[at] == address + at - first:
            at += 1
        yield Run(address, at - first)


def _find_addresses(table: NodeTable, inode: Inode, seen: set[int]) -> Iterator[tuple[memoryview | None, int]]:
    """Tables of addresses in the order of the file, and how many blocks each reaches; None: all of it a hole."""
    per_node = (table.superblock.block_size - _FOOTER_SIZE) // 4
    reach = per_node - per_node % inode.cluster_blocks
    own = len(inode.addresses) // 4
    own -= own % inode.cluster_blocks
    yield inode.addresses[: 4 * own], own
    seen.add(inode.ino)
    for number, nid in enumerate(inode.nids):
        depth = (1, 1, 2, 2, 3)[number]
        yield from _descend(table, inode.ino, nid, (depth, per_node, reach), seen)


def _descend(
    table: NodeTable, ino: int, nid: int, shape: tuple[int, int, int], seen: set[int]
) -> Iterator[tuple[memoryview | None, int]]:
    depth, per_node, reach = shape
    if nid == 0:
        yield None, reach * per_node ** (depth - 1)
        return
    if nid in seen:
        raise FormatError(f"inode {ino} uses node {nid} twice")
    seen.add(nid)
    block = _read_node(table, nid, ino)
    if depth == 1:
        yield block[: 4 * reach], reach
        return
    # At most three levels deep, as the five places in the inode fix it.
    for child in struct.unpack_from(f"<{per_node}I", block):
        yield from _descend(table, ino, child, (depth - 1, per_node, reach), seen)
