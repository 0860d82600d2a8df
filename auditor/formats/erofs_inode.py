"""Read the superblock and the inodes of an EROFS image.

Specification: Linux, EROFS on-disk format (Documentation/filesystems/erofs), as of Linux 6.18.
Not read: times, owners, extended attributes, the settings of the compressors.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag

from auditor.errors import FormatError, UnsupportedError
from auditor.formats.crc32c import crc32c
from auditor.formats.source import Source

MAGIC = b"\xe2\xe1\xf5\xe0"
SUPERBLOCK = 1024
NO_ADDRESS = 0xFFFFFFFF
_SUPERBLOCK = struct.Struct("<4s4xI BBH 8x8x4x II 4x 16x16x I 2xHH BB4x Q 8x Q 8x")
_METABOX = struct.Struct("<Q")
_SLOT = struct.Struct("<64sIIHH52x")
_COMPACT = struct.Struct("<HHHHI4xI12x")
_EXTENDED = struct.Struct("<HHHHQI44x")
_METABOX_BIT = 1 << 63
_COMPATIBLE_CHECKSUM = 0x1


class Incompatible(IntFlag):
    """Features that a reader has to know; several share a bit."""

    ZERO_PADDING = 0x1
    COMPRESSION_SETTINGS = 0x2
    CHUNKED_FILE = 0x4
    DEVICE_TABLE = 0x8
    ZTAILPACKING = 0x10
    FRAGMENTS = 0x20
    XATTR_PREFIXES = 0x40
    BITS_48 = 0x80
    METABOX = 0x100


_KNOWN = 0x1FF


class DataLayout(IntEnum):
    """Where the data of an inode lies."""

    FLAT_PLAIN = 0
    COMPRESSED_FULL = 1
    FLAT_INLINE = 2
    COMPRESSED_COMPACT = 3
    CHUNK_BASED = 4


@dataclass(frozen=True, slots=True)
class Device:
    """A further device that holds blocks of the same file system."""

    tag: str
    start: int
    """Its first block in the address space of the first device; 0: it has none there."""
    blocks: int


@dataclass(frozen=True, slots=True)
class SuperBlock:
    """What holds for the whole image."""

    features: Incompatible
    block_bits: int
    blocks: int
    root_nid: int
    metadata: int
    """Where inode 0 would lie."""
    packed_nid: int
    """The inode that holds the fragments; 0: none."""
    metabox_nid: int
    """The inode that holds compressed metadata; 0: none."""
    devices: tuple[Device, ...]

    @property
    def block_size(self) -> int:
        return 1 << self.block_bits


@dataclass(frozen=True, slots=True)
class Inode:
    """A file, directory or anything else."""

    nid: int
    mode: int
    size: int
    layout: DataLayout
    word: int
    """First block, or format of the chunks."""
    block: int | None
    """First block of flat data; None: a hole."""
    source: Source = field(repr=False)
    """Where the inode lies, and all that follows it."""
    end: int
    """Where the inode and its extended attributes end."""
    form: int = 0
    """The bits of ``i_format``."""


def parse_superblock(source: Source) -> SuperBlock:
    """Read the superblock and the table of devices.

    Raises:
        FormatError: no EROFS image, or one that is cut off here.
        UnsupportedError: it needs a feature that is not known.
    """
    if source.size < SUPERBLOCK + _SUPERBLOCK.size:
        raise FormatError("the superblock of an EROFS image is cut off", source.size)
    head = source.read(SUPERBLOCK, _SUPERBLOCK.size)
    magic, _, bits, slots, root, blocks, metadata, features, devices, table, folder_bits, _, packed, root_long = (
        _SUPERBLOCK.unpack(head)
    )
    if magic != MAGIC:
        raise FormatError("no EROFS image", SUPERBLOCK)
    if features & ~_KNOWN:
        raise UnsupportedError(f"EROFS features {features & ~_KNOWN:#x}")
    if not 9 <= bits <= 16:
        raise FormatError(f"an EROFS image with blocks of 2^{bits} bytes", SUPERBLOCK + 12)
    if folder_bits:
        raise UnsupportedError("EROFS directory blocks of another size than the others")
    flags = Incompatible(features)
    metabox = 0
    if Incompatible.METABOX in flags:
        if slots == 0:
            raise FormatError("an EROFS superblock without room for its metadata inode", SUPERBLOCK + 13)
        metabox = _METABOX.unpack(source.read(SUPERBLOCK + 128, _METABOX.size))[0]
    if Incompatible.BITS_48 in flags and root_long:
        blocks, root = blocks | root << 32, root_long
    found = _devices(source, devices, table) if Incompatible.DEVICE_TABLE in flags else ()
    packed = packed if Incompatible.FRAGMENTS in flags else 0
    return SuperBlock(flags, bits, blocks, root, metadata << bits, packed, metabox, found)


def has_sound_checksum(source: Source, superblock: SuperBlock) -> bool:
    """Whether the first block has the checksum that the superblock states, or it states none."""
    head = bytes(source.read(SUPERBLOCK, _SUPERBLOCK.size))
    if not int.from_bytes(head[8:12], "little") & _COMPATIBLE_CHECKSUM:
        return True
    size = superblock.block_size
    size = min(size - SUPERBLOCK if size > SUPERBLOCK else size, source.size - SUPERBLOCK)
    data = bytes(source.read(SUPERBLOCK, size))
    return crc32c(data[:4] + bytes(4) + data[8:]) == int.from_bytes(data[4:8], "little")


def _devices(source: Source, count: int, slot: int) -> tuple[Device, ...]:
    found = []
    data = source.read(slot * _SLOT.size, count * _SLOT.size)
    for tag, blocks, start, blocks_high, start_high in _SLOT.iter_unpack(data):
        name = tag.split(b"\0")[0].decode("utf-8", "backslashreplace")
        found.append(Device(name, start | start_high << 32, blocks | blocks_high << 32))
    return tuple(found)


def parse_inode(superblock: SuperBlock, image: Source, metabox: Source | None, nid: int) -> Inode:
    """Read an inode.

    Raises:
        FormatError: it lies outside the image, or has a layout that does not exist.
    """
    source, at = image, superblock.metadata + (nid << 5)
    if superblock.metabox_nid and nid & _METABOX_BIT:
        if metabox is None:
            raise FormatError(f"EROFS inode {nid:#x} lies in the inode it would be read from")
        source, at = metabox, (nid & ~_METABOX_BIT) << 5
    if at + _COMPACT.size > source.size:
        raise FormatError(f"EROFS inode {nid:#x} lies outside the image", at)
    data = source.read(at, _COMPACT.size)
    form, attributes, mode, number, size, word = _COMPACT.unpack(data)
    high: int | None = None
    end = at + _COMPACT.size
    if form & 1:
        _, _, _, high, size, word = _EXTENDED.unpack(source.read(at, _EXTENDED.size))
        end = at + _EXTENDED.size
    elif form & 0x10 and mode & 0xF000 != 0x4000:
        high = number
    try:
        layout = DataLayout(form >> 1 & 7)
    except ValueError as error:
        raise UnsupportedError(f"EROFS data layout {form >> 1 & 7}") from error
    if attributes:
        end += 12 + 4 * (attributes - 1)
    block = _first_block(superblock, word, high)
    return Inode(nid, mode, size, layout, word, block, source, end, form)


def _first_block(superblock: SuperBlock, word: int, high: int | None) -> int | None:
    if Incompatible.BITS_48 not in superblock.features:
        high = None
    if word == NO_ADDRESS and high in (None, 0xFFFF):
        return None
    return word | (high or 0) << 32
