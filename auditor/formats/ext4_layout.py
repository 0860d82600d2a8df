"""Read the superblock, the block group descriptors and the inodes of an ext2, ext3 or ext4 file system.

Specification: Linux kernel documentation, ext4 data structures and algorithms.

Not read: backup superblocks, checksums of group descriptors, bitmaps, quota and orphan files, multiple mount
protection.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from auditor.errors import FormatError, UnsupportedError
from auditor.formats.crc32c import crc32c
from auditor.formats.source import Source

SUPERBLOCK_OFFSET = 1024
SUPERBLOCK_SIZE = 1024
ROOT_INODE = 2
NEWEST_REVISION = 1

_MAGIC = 0xEF53
_LARGEST_LOG_BLOCK_SIZE = 6
_SMALLEST_INODE_SIZE = 128
_DESCRIPTOR_SIZE = 32
_WIDE_DESCRIPTOR_SIZE = 64

_COMPAT_SPARSE_SUPER2 = 0x200
_RO_COMPAT_SPARSE_SUPER = 0x1
_RO_COMPAT_CHECKSUMS = 0x400
_INCOMPAT_FILETYPE = 0x2
_INCOMPAT_RECOVER = 0x4
_INCOMPAT_JOURNAL_DEVICE = 0x8
_INCOMPAT_META_BG = 0x10
_INCOMPAT_64BIT = 0x80
_INCOMPAT_CHECKSUM_SEED = 0x2000
_INCOMPAT_LARGEDIR = 0x4000
_READ = 0x2 | 0x4 | 0x10 | 0x40 | 0x80 | 0x100 | 0x200 | 0x400 | 0x2000 | 0x4000 | 0x8000 | 0x10000 | 0x20000
"""Incompatible features that this reader follows, or that do not change where the bytes of a file lie."""
_NAMES_OF_OTHERS = {0x1: "compression", 0x1000: "dirdata"}

_STATE_CLEAN = 0x1
_STATE_ERRORS = 0x2

FLAG_ENCRYPTED = 0x800
FLAG_INDEX = 0x1000
FLAG_EXTENTS = 0x80000
FLAG_VERITY = 0x100000
FLAG_INLINE_DATA = 0x10000000

_GENERATION, _CHECKSUM_LOW, _CHECKSUM_HIGH = slice(100, 104), slice(124, 126), slice(130, 132)
_INODE = struct.Struct("<H2xI24xI4x60s4xII6xH")
_FORMAT = 0xF000
_REGULAR = 0x8000
_DIRECTORY = 0x4000
_LINK = 0xA000


@dataclass(frozen=True, slots=True)
class Superblock:
    """What the file system says of itself; counts as stated, not yet compared with the image."""

    blocks: int
    inodes: int
    block_size: int
    first_data_block: int
    blocks_per_group: int
    inodes_per_group: int
    inode_size: int
    descriptor_size: int
    first_meta_group: int
    """Descriptor blocks from this one on lie in the groups they describe."""
    compat: int
    incompat: int
    ro_compat: int
    state: int
    backup_groups: tuple[int, int]
    checksum_seed: int | None
    """What checksums of metadata begin with; None: there are none."""

    @property
    def has_types(self) -> bool:
        """Whether directory entries say what they lead to."""
        return self.incompat & _INCOMPAT_FILETYPE != 0

    @property
    def needs_recovery(self) -> bool:
        """Whether the journal holds changes that are not in place yet."""
        return self.incompat & _INCOMPAT_RECOVER != 0

    @property
    def is_clean(self) -> bool:
        """Whether it was unmounted and no fault was noticed in it."""
        return self.state & _STATE_CLEAN != 0 and self.state & _STATE_ERRORS == 0


@dataclass(frozen=True, slots=True)
class Inode:
    """A file or directory without its name."""

    number: int
    mode: int
    size: int
    flags: int
    block: bytes = field(repr=False)
    """The 60 bytes of the block map, the extent tree's root, or inline data."""
    attribute_block: int
    """Block of extended attributes; 0: none."""
    attributes: bytes = field(repr=False)
    """What follows the fields of an inode with inline data: its extended attributes, with their magic number."""
    checksum_seed: int | None = None
    """What checksums of its directory blocks begin with; None: there are none."""
    is_sound: bool = True
    """Whether it has the checksum it states, or states none."""

    @property
    def is_regular(self) -> bool:
        return self.mode & _FORMAT == _REGULAR

    @property
    def is_directory(self) -> bool:
        return self.mode & _FORMAT == _DIRECTORY

    @property
    def is_link(self) -> bool:
        return self.mode & _FORMAT == _LINK

    @property
    def is_encrypted(self) -> bool:
        return self.flags & FLAG_ENCRYPTED != 0


def is_superblock(data: bytes | memoryview) -> bool:
    """Whether bytes are a superblock: the magic number is two bytes only, so the fields around it count as well."""
    if len(data) < SUPERBLOCK_SIZE:
        return False
    _, blocks, first_data_block, log_block_size = struct.unpack_from("<II12xII", data)
    blocks_per_group, _, inodes_per_group = struct.unpack_from("<III", data, 32)
    (magic,) = struct.unpack_from("<H", data, 56)
    (revision,) = struct.unpack_from("<I", data, 76)
    if magic != _MAGIC or log_block_size > _LARGEST_LOG_BLOCK_SIZE or revision > NEWEST_REVISION:
        return False
    if blocks == 0 and _word(data, 336) == 0:
        return False
    if _word(data, 96) & _INCOMPAT_JOURNAL_DEVICE and revision == NEWEST_REVISION:
        return True
    inode_size = _inode_size(data)
    plausible = _SMALLEST_INODE_SIZE <= inode_size <= 1024 << log_block_size and inode_size & (inode_size - 1) == 0
    return plausible and first_data_block <= 1 and blocks_per_group > 0 and inodes_per_group > 0


def parse_superblock(data: bytes | memoryview) -> Superblock:
    """Read a superblock and refuse what changes the layout in ways that are not known here.

    Raises:
        FormatError: it is none.
        UnsupportedError: the journal of another file system, or features that are not read.
    """
    if not is_superblock(data):
        raise FormatError("no superblock of an ext2, ext3 or ext4 file system", SUPERBLOCK_OFFSET)
    inodes, low, first_data_block, log_block_size = struct.unpack_from("<II12xII", data)
    blocks_per_group, _, inodes_per_group = struct.unpack_from("<III", data, 32)
    # The first revision has no features: what lies there is not defined.
    compat, incompat, ro_compat = struct.unpack_from("<III", data, 92) if _word(data, 76) > 0 else (0, 0, 0)
    _check_features(incompat)
    wide = incompat & _INCOMPAT_64BIT != 0
    (descriptor_size,) = struct.unpack_from("<H", data, 254)
    block_size = 1024 << log_block_size
    if wide and not _WIDE_DESCRIPTOR_SIZE <= descriptor_size <= block_size:
        raise FormatError(f"group descriptors of {descriptor_size} bytes", SUPERBLOCK_OFFSET + 254)
    return Superblock(
        blocks=low | (_word(data, 336) << 32 if wide else 0),
        inodes=inodes,
        block_size=block_size,
        first_data_block=first_data_block,
        blocks_per_group=blocks_per_group,
        inodes_per_group=inodes_per_group,
        inode_size=_inode_size(data),
        descriptor_size=descriptor_size if wide else _DESCRIPTOR_SIZE,
        first_meta_group=_word(data, 260) if incompat & _INCOMPAT_META_BG else 1 << 32,
        compat=compat,
        incompat=incompat,
        ro_compat=ro_compat,
        state=struct.unpack_from("<H", data, 58)[0],
        backup_groups=struct.unpack_from("<II", data, 588),
        checksum_seed=_checksum_seed(data, incompat) if ro_compat & _RO_COMPAT_CHECKSUMS else None,
    )


def _checksum_seed(data: bytes | memoryview, incompat: int) -> int:
    if incompat & _INCOMPAT_CHECKSUM_SEED:
        return _word(data, 624)
    return crc32c(data[104:120])


def is_sound_superblock(superblock: Superblock, data: bytes | memoryview) -> bool:
    """Whether a superblock has the checksum it states, or states none."""
    return superblock.checksum_seed is None or crc32c(data[:1020]) == _word(data, 1020)


def _word(data: bytes | memoryview, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 4], "little")


def _inode_size(data: bytes | memoryview) -> int:
    if _word(data, 76) == 0:
        return _SMALLEST_INODE_SIZE
    return int.from_bytes(data[88:90], "little")


def _check_features(incompat: int) -> None:
    if incompat & _INCOMPAT_JOURNAL_DEVICE:
        raise UnsupportedError("the journal of another ext3 or ext4 file system, which holds no files")
    others = incompat & ~_READ
    if others != 0:
        bits = [1 << at for at in range(32) if others >> at & 1]
        names = ", ".join(_NAMES_OF_OTHERS.get(bit, f"{bit:#x}") for bit in bits)
        raise UnsupportedError(f"an ext4 file system with features that are not read: {names}")


def read_inode(source: Source, superblock: Superblock, number: int) -> Inode:
    """Read one inode by its number.

    Raises:
        FormatError: there is none of this number, or it lies outside the image.
    """
    if not 1 <= number <= superblock.inodes:
        raise FormatError(f"inode {number} where there are {superblock.inodes}")
    group, index = divmod(number - 1, superblock.inodes_per_group)
    table = _inode_table(source, superblock, group)
    data = source.read(table * superblock.block_size + index * superblock.inode_size, superblock.inode_size)
    mode, low, flags, block, file_acl, high, file_acl_high = _INODE.unpack_from(data)
    seed, is_sound = _check_inode(superblock, number, data)
    if superblock.incompat & _INCOMPAT_64BIT:
        file_acl |= file_acl_high << 32
    # Of a directory the upper half of the size was something else before large_dir.
    has_high = mode & _FORMAT == _REGULAR or superblock.incompat & _INCOMPAT_LARGEDIR != 0
    attributes = b""
    if flags & FLAG_INLINE_DATA and superblock.inode_size > _SMALLEST_INODE_SIZE:
        extra = int.from_bytes(data[_SMALLEST_INODE_SIZE : _SMALLEST_INODE_SIZE + 2], "little")
        attributes = bytes(data[_SMALLEST_INODE_SIZE + extra :]) if extra != 0 else b""
    size = low | (high << 32 if has_high else 0)
    return Inode(number, mode, size, flags, block, file_acl, attributes, seed, is_sound)


def _check_inode(superblock: Superblock, number: int, data: bytes | memoryview) -> tuple[int | None, bool]:
    """The seed for what belongs to an inode, and whether its own checksum is right."""
    if superblock.checksum_seed is None:
        return None, True
    raw = bytearray(data)
    seed = crc32c(number.to_bytes(4, "little") + bytes(data[_GENERATION]), superblock.checksum_seed)
    stated = int.from_bytes(raw[_CHECKSUM_LOW], "little")
    raw[_CHECKSUM_LOW] = bytes(2)
    mask = 0xFFFF
    if len(raw) > _SMALLEST_INODE_SIZE and int.from_bytes(raw[128:130], "little") >= 4:
        stated |= int.from_bytes(raw[_CHECKSUM_HIGH], "little") << 16
        raw[_CHECKSUM_HIGH] = bytes(2)
        mask = 0xFFFFFFFF
    return seed, crc32c(bytes(raw), seed) & mask == stated


def _inode_table(source: Source, superblock: Superblock, group: int) -> int:
    """First block of the inode table of a group."""
    block, index = divmod(group, superblock.block_size // superblock.descriptor_size)
    offset = _descriptor_block(superblock, block) * superblock.block_size + index * superblock.descriptor_size
    data = source.read(offset, superblock.descriptor_size)
    table = int.from_bytes(data[8:12], "little")
    if superblock.descriptor_size >= _WIDE_DESCRIPTOR_SIZE:
        table |= int.from_bytes(data[40:44], "little") << 32
    if table == 0:
        raise FormatError(f"block group {group} has no inode table", offset)
    return table


def _descriptor_block(superblock: Superblock, index: int) -> int:
    # The block after the superblock's own: 2 with blocks of 1 KiB, whose first one is left to the boot loader.
    place = SUPERBLOCK_OFFSET // superblock.block_size + 1
    if index < superblock.first_meta_group:
        return place + index
    group = index * (superblock.block_size // superblock.descriptor_size)
    if group == 0:
        return place
    start = superblock.first_data_block + group * superblock.blocks_per_group
    return start + (1 if _has_superblock(superblock, group) else 0)


def _has_superblock(superblock: Superblock, group: int) -> bool:
    """Whether a group begins with a copy of the superblock."""
    if superblock.compat & _COMPAT_SPARSE_SUPER2:
        return group in (0, *superblock.backup_groups)
    if group <= 1 or superblock.ro_compat & _RO_COMPAT_SPARSE_SUPER == 0:
        return True
    return any(_is_power(group, base) for base in (3, 5, 7))


def _is_power(number: int, base: int) -> bool:
    power = base
    while power < number:
        power *= base
    return power == number
