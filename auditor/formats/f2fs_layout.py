"""Reads what describes an F2FS image as a whole: superblock, checkpoint, and the table that places its nodes.

Specification: Linux Documentation/filesystems/f2fs.rst and include/linux/f2fs_fs.h, as of Linux 6.12.

Not read: segment information and summaries other than the journal of the node table; images of zoned or several devices
beyond the first one.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from auditor.errors import FormatError, UnsupportedError
from auditor.formats.source import Source

MAGIC = 0xF2F52010
NULL_ADDR, COMPRESS_ADDR, NEW_ADDR = 0, 0xFFFFFFFE, 0xFFFFFFFF
FEATURE_SB_CHECKSUM, FEATURE_FLEXIBLE_INLINE_XATTR = 0x800, 0x40

_FEATURE_INODE_CHECKSUM = 0x20
_FIXED_INODES = (3, 1, 2)
"""Of the root, of the nodes and of the areas before them: the same in every image."""
_SUPER_AT = 1024
_SUPER_SIZE = 3072
_BLOCK_SIZES = (4096, 16384, 65536, 8192, 32768)
_UMOUNT, _COMPACT_SUM, _ERROR, _LARGE_NAT_BITMAP = 0x1, 0x4, 0x8, 0x400
_NAT_ENTRY = struct.Struct("<BII")
_JOURNAL_ENTRY = struct.Struct("<IBII")
_VERSION = struct.Struct("<Q")
_WORD = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class Superblock:
    """Where the areas of the image lie; addresses count blocks."""

    block_size: int
    segment_blocks: int
    block_count: int
    checkpoint_start: int
    nat_start: int
    nat_segments: int
    main_start: int
    main_blocks: int
    root_ino: int
    payload_blocks: int
    features: int
    devices: tuple[int, ...] = ()
    """Blocks of each device of a set; empty: there is one."""
    checksum_seed: int | None = None
    """What checksums of inodes begin with; None: they have none."""


@dataclass(frozen=True, slots=True)
class NodeTable:
    """Which block holds the latest version of each node."""

    source: Source = field(repr=False)
    superblock: Superblock
    bitmap: bytes = field(repr=False)
    journal: dict[int, tuple[int, int]] = field(repr=False)
    """Entries newer than the table: node to inode and block."""

    def find_node(self, nid: int) -> tuple[int, int]:
        """Give the inode a node belongs to, and the block it is in.

        Raises:
            FormatError: there is no such node, or the table is cut off.
        """
        known = self.journal.get(nid)
        if known is None:
            known = self._look_up(nid)
        if known[1] in (NULL_ADDR, NEW_ADDR, COMPRESS_ADDR):
            raise FormatError(f"node {nid} is not in use")
        return known

    def _look_up(self, nid: int) -> tuple[int, int]:
        layout = self.superblock
        per_block = layout.block_size // _NAT_ENTRY.size
        block, entry = divmod(nid, per_block)
        segment, within = divmod(block, layout.segment_blocks)
        if nid == 0 or 2 * segment >= layout.nat_segments or block >= 8 * len(self.bitmap):
            raise FormatError(f"there can be no node {nid}")
        at = layout.nat_start + 2 * segment * layout.segment_blocks + within
        if self.bitmap[block >> 3] & (0x80 >> (block & 7)):
            at += layout.segment_blocks
        raw = self.source.read(at * layout.block_size + entry * _NAT_ENTRY.size, _NAT_ENTRY.size)
        _, ino, place = _NAT_ENTRY.unpack(raw)
        return ino, place


def is_f2fs(head: bytes) -> bool:
    """Whether the mark of the superblock, or of its copy one block later, stands where it must."""
    mark = MAGIC.to_bytes(4, "little")
    return any(head[at : at + 4] == mark for at in (_SUPER_AT, _SUPER_AT + _BLOCK_SIZES[0]))


def parse_superblock(source: Source, remarks: list[str]) -> Superblock:
    """Read the superblock, or its copy where the first is damaged.

    Raises:
        FormatError: neither is sound.
        UnsupportedError: blocks of a size no kernel takes.
    """
    faults: list[FormatError] = []
    for at in (_SUPER_AT, *(_SUPER_AT + size for size in _BLOCK_SIZES)):
        try:
            layout = _parse_superblock(source, at)
        except FormatError as error:
            faults.append(error)
            continue
        if layout.block_size != _BLOCK_SIZES[0]:
            # Since Linux 6.18 some of them pack their summaries, and the journal with them, in another way.
            remarks.append(
                f"the file system has blocks of {layout.block_size} bytes; its newest changes may be missing"
            )
        if at != _SUPER_AT:
            remarks.append(f"the first superblock is damaged ({faults[0]}); its copy is used")
        elif _differs(source, layout):
            remarks.append("the two superblocks of the file system differ; files may be missing")
        return layout
    raise faults[0]


def _differs(source: Source, layout: Superblock) -> bool:
    """Whether the copy of the superblock is sound and says something else."""
    try:
        return _parse_superblock(source, _SUPER_AT + layout.block_size) != layout
    except FormatError:
        return False


def _parse_superblock(source: Source, at: int) -> Superblock:
    if at + _SUPER_SIZE > source.size:
        raise FormatError("the superblock is cut off", min(at, source.size))
    data = bytes(source.read(at, _SUPER_SIZE))
    if _WORD.unpack_from(data)[0] != MAGIC:
        raise FormatError("no F2FS superblock", at)
    log_block, log_segment = _WORD.unpack_from(data, 16)[0], _WORD.unpack_from(data, 20)[0]
    if not 12 <= log_block <= 16:
        raise UnsupportedError(f"an F2FS image with blocks of 2^{log_block} bytes")
    if not 1 <= log_segment <= 16:
        raise FormatError(f"segments of 2^{log_segment} blocks", at + 20)
    features, checksum_at = _WORD.unpack_from(data, 2180)[0], _WORD.unpack_from(data, 32)[0]
    stated = _WORD.unpack_from(data, _SUPER_SIZE - 4)[0]
    if features & FEATURE_SB_CHECKSUM and (checksum_at != _SUPER_SIZE - 4 or f2fs_crc(data[:checksum_at]) != stated):
        raise FormatError("the checksum of the superblock is wrong", at)
    segment = 1 << log_segment
    nat_segments, main_segments = _WORD.unpack_from(data, 60)[0], _WORD.unpack_from(data, 68)[0]
    checkpoint, sit, nat, summary, main, root = struct.unpack_from("<6I", data, 76)
    blocks = struct.unpack_from("<Q", data, 36)[0]
    if (root, *struct.unpack_from("<II", data, 100)) != _FIXED_INODES:
        raise FormatError(f"the root of the file system is inode {root}, which no F2FS has", at + 96)
    if not 0 < checkpoint < sit < nat < summary < main <= blocks:
        raise FormatError("the areas of the superblock do not follow each other", at + 76)
    if nat_segments < 2 or nat + nat_segments * segment > summary or blocks > 1 << 40:
        raise FormatError(f"a node table of {nat_segments} segments in {blocks} blocks", at + 60)
    payload = _WORD.unpack_from(data, 1664)[0]
    if payload >= segment:
        raise FormatError(f"a checkpoint of {payload} further blocks", at + 1664)
    places = ((2201 + 68 * number) for number in range(8))
    devices = tuple(_WORD.unpack_from(data, place + 64)[0] * segment for place in places if data[place])
    return Superblock(
        block_size=1 << log_block,
        segment_blocks=segment,
        block_count=blocks,
        checkpoint_start=checkpoint,
        nat_start=nat,
        nat_segments=nat_segments,
        main_start=main,
        main_blocks=main_segments * segment,
        root_ino=root,
        payload_blocks=payload,
        features=features,
        devices=devices if len(devices) > 1 else (),
        checksum_seed=f2fs_crc(data[108:124], 0xFFFFFFFF) if features & _FEATURE_INODE_CHECKSUM else None,
    )


def f2fs_crc(data: bytes, seed: int = MAGIC) -> int:
    """Checksum as F2FS computes it: CRC-32 that begins with the magic and is not inverted."""
    return zlib.crc32(data, seed ^ 0xFFFFFFFF) ^ 0xFFFFFFFF


def parse_node_table(source: Source, layout: Superblock, remarks: list[str]) -> NodeTable:
    """Read the newer sound checkpoint, and with it the node table as of then.

    Raises:
        FormatError: no checkpoint is sound.
    """
    packs = list(_find_packs(source, layout))
    if not packs:
        raise FormatError("neither checkpoint of the F2FS image is whole", layout.checkpoint_start * layout.block_size)
    is_sound, version, start = max(packs)
    if not is_sound:
        remarks.append("the checksum of the checkpoint is wrong; files may be missing or outdated")
    elif (len(packs) < 2 and version > 1) or not all(item[0] for item in packs):
        remarks.append("the other one of two checkpoints is damaged; the newest changes may be missing")
    size = layout.block_size
    pack = bytes(source.read(start * size, (1 + layout.payload_blocks) * size))
    flags = _WORD.unpack_from(pack, 132)[0]
    if not flags & _UMOUNT:
        remarks.append(
            "the file system was in use when it was copied; changes after its last checkpoint may be missing"
        )
    if flags & _ERROR:
        remarks.append("the file system was marked as damaged by the device")
    sit_size, bitmap_size = struct.unpack_from("<II", pack, 156)
    if flags & _LARGE_NAT_BITMAP:
        at = 192 + 4
    elif layout.payload_blocks:
        at = 192
    else:
        at = 192 + sit_size
    if at + bitmap_size > len(pack):
        raise FormatError(f"the bitmap of the node table ({bitmap_size} bytes) does not fit into the checkpoint")
    journal = dict(_read_journal(source, layout, start, pack))
    return NodeTable(source, layout, pack[at : at + bitmap_size], journal)


def _find_packs(source: Source, layout: Superblock) -> Iterator[tuple[bool, int, int]]:
    """Checkpoints that are whole: whether their checksums hold, version, block."""
    size = layout.block_size
    for start in (layout.checkpoint_start, layout.checkpoint_start + layout.segment_blocks):
        if (start + 1 + layout.payload_blocks) * size > source.size:
            continue
        head = bytes(source.read(start * size, size))
        count = _WORD.unpack_from(head, 136)[0]
        if not 2 <= count <= layout.segment_blocks or (start + count) * size > source.size:
            continue
        tail = bytes(source.read((start + count - 1) * size, size))
        version = _VERSION.unpack_from(head)[0]
        if version == _VERSION.unpack_from(tail)[0]:
            yield _has_checksum(head) and _has_checksum(tail), version, start


def _has_checksum(block: bytes) -> bool:
    at = _WORD.unpack_from(block, 164)[0]
    if not 192 <= at <= len(block) - 4:
        return False
    found = f2fs_crc(block[:at])
    # With a large bitmap the checksum stands in front of it and covers what follows, too.
    if at < len(block) - 4:
        found = f2fs_crc(block[at + 4 :], found)
    return found == int(_WORD.unpack_from(block, at)[0])


def _read_journal(source: Source, layout: Superblock, start: int, pack: bytes) -> Iterator[tuple[int, tuple[int, int]]]:
    """Entries of the node table that were not yet written to it."""
    size = layout.block_size
    flags, count, summaries = _WORD.unpack_from(pack, 132)[0], *struct.unpack_from("<II", pack, 136)
    if not 1 <= summaries < count:
        raise FormatError(f"the summaries of the checkpoint begin in block {summaries} of {count}")
    block = bytes(source.read((start + summaries) * size, size))
    # One summary entry of 7 bytes for each of size / 8 blocks, then the journal, then a footer of 5 bytes.
    at = 0 if flags & _COMPACT_SUM else size // 8 * 7
    most = (size - size // 8 * 7 - 5 - 2) // _JOURNAL_ENTRY.size
    entries = struct.unpack_from("<H", block, at)[0]
    if entries > most:
        raise FormatError(f"{entries} entries in a journal of the node table that can hold {most}")
    for number in range(entries):
        nid, _, ino, place = _JOURNAL_ENTRY.unpack_from(block, at + 2 + number * _JOURNAL_ENTRY.size)
        yield nid, (ino, place)
