"""ext2, ext3 and ext4 images laid by hand, one block group and a structure at a time.

Written from the kernel's description of the format; shares no code with the reader.
"""

from __future__ import annotations

import struct

from tests.builders.crc32c import crc32c

EXTENTS = 0x80000
INLINE = 0x10000000
ENCRYPTED = 0x800

FILETYPE, RECOVER, JOURNAL_DEVICE, META_BG, EXTENT_FEATURE, WIDE = 0x2, 0x4, 0x8, 0x10, 0x40, 0x80
LARGEDIR, INLINE_FEATURE = 0x4000, 0x8000

FILE, DIRECTORY, LINK, DEVICE = 0x81A4, 0x41ED, 0xA1FF, 0x21A4


def extent(logical: int, length: int, physical: int) -> bytes:
    """A leaf's entry; a length above 32768 marks it as never written."""
    return struct.pack("<IHHI", logical, length, physical >> 32, physical & 0xFFFFFFFF)


def index(logical: int, child: int) -> bytes:
    """An entry that leads to a node below."""
    return struct.pack("<IIHH", logical, child & 0xFFFFFFFF, child >> 32, 0)


def node(*entries: bytes, depth: int = 0, magic: int = 0xF30A, count: int | None = None) -> bytes:
    """An extent node of these entries."""
    stated = len(entries) if count is None else count
    return struct.pack("<HHHHI", magic, stated, max(stated, 4), depth, 0) + b"".join(entries)


def entry(name: bytes, inode: int, size: int, kind: int = 1, name_size: int | None = None) -> bytes:
    """A directory entry that takes ``size`` bytes."""
    stated = len(name) if name_size is None else name_size
    stored = size if size < 65536 else 0
    return (struct.pack("<IHBB", inode, stored, stated, kind) + name).ljust(size, b"\0")[:size]


def entries(items: list[tuple[bytes, int]], size: int, kinds: tuple[int, ...] = ()) -> bytes:
    """A block of entries, the last one taking what is left; without ``kinds`` they do not say what they lead to."""
    packed = b""
    for at, (name, inode) in enumerate(items):
        least = (8 + len(name) + 3) & ~3
        kind = kinds[at] if at < len(kinds) else 0
        packed += entry(name, inode, least if at + 1 < len(items) else size - len(packed), kind)
    return packed or entry(b"", 0, size)


def attributes(value: bytes, name: bytes = b"data", kind: int = 7, value_inode: int = 0, offset: int = 48) -> bytes:
    """The attributes within an inode, after another one of no interest: the value counts from the first entry."""
    other = struct.pack("<BBHIII", 7, 6, 0, 0, 0, 0) + b"selinux\0"
    one = struct.pack("<BBHIII", len(name), kind, offset, value_inode, len(value), 0) + name
    listed = (other + one).ljust(offset, b"\0")
    return struct.pack("<I", 0xEA020000) + listed + (b"" if value_inode else value)


class Ext4Image:
    """One block group, its inode table behind the descriptors, content from ``first_free`` on."""

    def __init__(
        self, block_size: int = 1024, blocks: int = 256, inodes: int = 64, features: int = 0x42, sealed: bool = False
    ) -> None:
        self.sealed = sealed
        """Whether superblock, inodes and directories have checksums."""
        self.block_size = block_size
        self.blocks = blocks
        self.inodes = inodes
        self.inode_size = 256
        self.data = bytearray(blocks * block_size)
        self.first = 1 if block_size == 1024 else 0
        self.table = self.first + 2
        self.next_block = self.table + -(-inodes * self.inode_size // block_size)
        self.next_inode = 12
        self.root: list[tuple[bytes, int]] = [(b".", 2), (b"..", 2)]
        self._superblock(features)
        self.put_word((self.first + 1) * block_size + 8, self.table)
        if features & WIDE:
            self.put_word((self.first + 1) * block_size + 40, 0)

    def _superblock(self, features: int) -> None:
        base = 1024
        log = (self.block_size // 1024).bit_length() - 1
        struct.pack_into("<II", self.data, base, self.inodes, self.blocks)
        struct.pack_into("<III", self.data, base + 20, self.first, log, log)
        struct.pack_into("<III", self.data, base + 32, 8 * self.block_size, 8 * self.block_size, self.inodes)
        struct.pack_into("<HH", self.data, base + 56, 0xEF53, 1)
        struct.pack_into("<I", self.data, base + 76, 1)
        struct.pack_into("<IH", self.data, base + 84, 11, self.inode_size)
        struct.pack_into("<III", self.data, base + 92, 0, features, 1)
        if features & WIDE:
            struct.pack_into("<H", self.data, base + 254, 64)
        self.data[base + 104 : base + 120] = bytes(range(16))
        if self.sealed:
            struct.pack_into("<I", self.data, base + 100, 0x401)

    def seed(self, number: int) -> int:
        """What the checksums of an inode and of its blocks begin with; its generation is 0."""
        return crc32c(struct.pack("<II", number, 0), crc32c(bytes(range(16))))

    def put_word(self, offset: int, value: int) -> None:
        """Write 32 bits at a place of the image."""
        struct.pack_into("<I", self.data, offset, value)

    def put(self, block: int, data: bytes) -> None:
        """Write into a block."""
        self.data[block * self.block_size : block * self.block_size + len(data)] = data

    def take(self, data: bytes, gap: int = 0) -> int:
        """Write into the next free blocks, after leaving some out, and say where."""
        block = self.next_block + gap
        self.put(block, data)
        self.next_block = block + -(-len(data) // self.block_size)
        return block

    def words(self, *numbers: int) -> int:
        """A block of block numbers."""
        return self.take(struct.pack(f"<{len(numbers)}I", *numbers).ljust(self.block_size, b"\0"))

    def inode(
        self,
        mode: int,
        size: int,
        area: bytes = b"",
        flags: int = 0,
        attributes: bytes = b"",
        number: int | None = None,
        attribute_block: int = 0,
    ) -> int:
        """Write an inode and say its number."""
        if number is None:
            number, self.next_inode = self.next_inode, self.next_inode + 1
        raw = bytearray(self.inode_size)
        struct.pack_into("<HHI", raw, 0, mode, 0, size & 0xFFFFFFFF)
        struct.pack_into("<H", raw, 26, 1)
        struct.pack_into("<I", raw, 32, flags)
        raw[40 : 40 + len(area)] = area
        struct.pack_into("<II", raw, 104, attribute_block, size >> 32)
        if self.inode_size > 128:
            struct.pack_into("<H", raw, 128, 28)
            raw[156 : 156 + len(attributes)] = attributes
        if self.sealed:
            found = crc32c(bytes(raw), self.seed(number))
            struct.pack_into("<H", raw, 124, found & 0xFFFF)
            struct.pack_into("<H", raw, 130, found >> 16)
        place = self.table * self.block_size + (number - 1) * self.inode_size
        self.data[place : place + self.inode_size] = raw[: self.inode_size]
        return number

    def add(self, name: bytes, number: int) -> int:
        """Give an inode a name in the root."""
        self.root.append((name, number))
        return number

    def file(self, data: bytes, flags: int = 0) -> int:
        """A file in one extent."""
        block = self.take(data)
        blocks = -(-len(data) // self.block_size)
        return self.inode(FILE, len(data), node(extent(0, blocks, block)), EXTENTS | flags)

    def directory(self, items: list[tuple[bytes, int]], number: int | None = None, flags: int = 0) -> int:
        """A directory of one block."""
        if number is None:
            number, self.next_inode = self.next_inode, self.next_inode + 1
        data = entries(items, self.block_size - (12 if self.sealed else 0))
        if self.sealed:
            data += struct.pack("<IHBBI", 0, 12, 0, 0xDE, crc32c(data, self.seed(number)))
        block = self.take(data)
        return self.inode(DIRECTORY, self.block_size, node(extent(0, 1, block)), EXTENTS | flags, number=number)

    def build(self) -> bytes:
        """The image, its root directory holding what was added."""
        self.directory(self.root, number=2)
        if self.sealed:
            struct.pack_into("<I", self.data, 2044, crc32c(bytes(self.data[1024:2044])))
        return bytes(self.data)
