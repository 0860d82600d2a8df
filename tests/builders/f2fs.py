"""Small F2FS images, written from the description of the layout, with segments of four blocks."""

from __future__ import annotations

import stat
import struct
import zlib

BLOCK = 4096
SEGMENT = 4
CHECKPOINT, SIT, NAT, SUMMARY, MAIN = 4, 12, 16, 24, 28
ROOT = 3
FILE, DIRECTORY, LINK = 1, 2, 7
INLINE_XATTR, INLINE_DATA, INLINE_DENTRY, EXTRA_ATTR, RELEASED = 0x01, 0x02, 0x04, 0x20, 0x80
HOLE, RESERVED, COMPRESSED = 0, 0xFFFFFFFF, 0xFFFFFFFE
UMOUNT, COMPACT, ERROR, LARGE_BITMAP = 0x1, 0x4, 0x8, 0x400

Entry = tuple[bytes, int, int]


def crc(data: bytes, value: int = 0xF2F52010) -> int:
    return zlib.crc32(data, value ^ 0xFFFFFFFF) ^ 0xFFFFFFFF


def area_of_entries(entries: list[Entry], size: int, slots: int) -> bytes:
    """Bitmap, padding, entries and names, as blocks and inline areas have them."""
    bitmap = bytearray((slots + 7) // 8)
    rows, names = bytearray(11 * slots), bytearray(8 * slots)
    at = 0
    for name, ino, kind in entries:
        width = -(-len(name) // 8)
        struct.pack_into("<IIHB", rows, 11 * at, 0x1234, ino, len(name), kind)
        names[8 * at : 8 * at + len(name)] = name
        for slot in range(at, at + width):
            bitmap[slot // 8] |= 1 << slot % 8
        at += width
    assert at <= slots
    return bytes(bitmap).ljust(size - 19 * slots, b"\0") + bytes(rows + names)


class Image:
    """An image under construction; addresses and node numbers are chosen by whoever builds."""

    def __init__(self, *, features: int = 0x8, main_blocks: int = 64, block: int = BLOCK) -> None:
        self.features = features
        self.block = block
        self.slots = (block - 404) // 4
        self.blocks: dict[int, bytes] = {}
        self.nat: dict[int, tuple[int, int]] = {}
        self.next = MAIN
        self.main_blocks = main_blocks

    def put(self, data: bytes) -> int:
        """Store bytes in the next blocks; the address of the first one."""
        first = self.next
        for at in range(0, max(len(data), 1), self.block):
            self.blocks[self.next] = data[at : at + self.block].ljust(self.block, b"\0")
            self.next += 1
        return first

    def node(self, nid: int, ino: int, body: bytes, *, stated: tuple[int, int] | None = None) -> int:
        """Store a node; ``stated`` is what its footer says instead of the truth."""
        footer = struct.pack("<IIIQI", *(stated or (nid, ino)), 0, 1, 0)
        address = self.put(body.ljust(self.block - 24, b"\0") + footer)
        self.nat[nid] = (ino, address)
        return address

    def addresses(self, nid: int, ino: int, values: list[int]) -> int:
        return self.node(nid, ino, struct.pack(f"<{len(values)}I", *values))

    def inode(
        self,
        ino: int,
        mode: int,
        size: int,
        area: bytes = b"",
        *,
        inline: int = 0,
        advise: int = 0,
        flags: int = 0,
        extra: bytes | None = None,
        nids: tuple[int, ...] = (),
        blocks: int = 0,
    ) -> int:
        """Store an inode; ``area`` is what stands from the first address slot on, behind extra attributes."""
        body = bytearray(self.block - 24)
        struct.pack_into("<HBB", body, 0, mode, advise, inline | (EXTRA_ATTR if extra is not None else 0))
        struct.pack_into("<QQ", body, 16, size, blocks)
        struct.pack_into("<I", body, 80, flags)
        whole = (extra or b"") + area
        assert len(whole) <= self.slots * 4
        body[360 : 360 + len(whole)] = whole
        struct.pack_into("<5I", body, self.block - 44, *(*nids, 0, 0, 0, 0, 0)[:5])
        return self.node(ino, ino, bytes(body))

    def file(self, ino: int, data: bytes) -> None:
        """A file in blocks of its own, all of them in the inode."""
        first = self.put(data)
        count = -(-len(data) // self.block)
        self.inode(ino, stat.S_IFREG | 0o644, len(data), struct.pack(f"<{count}I", *range(first, first + count)))

    def inline_file(self, ino: int, data: bytes) -> None:
        self.inode(ino, stat.S_IFREG | 0o644, len(data), bytes(4) + data, inline=INLINE_DATA)

    def directory(self, ino: int, entries: list[Entry], *, advise: int = 0) -> None:
        """A directory of one block."""
        block = self.put(
            area_of_entries([(b".", ino, 2), (b"..", ino, 2), *entries], self.block, self.block * 8 // 153)
        )
        self.inode(ino, stat.S_IFDIR | 0o755, self.block, struct.pack("<I", block), advise=advise)

    def inline_directory(self, ino: int, entries: list[Entry]) -> None:
        """A directory in its inode, beside 50 slots that are kept for extended attributes."""
        size = 4 * (self.slots - 50 - 1)
        area = area_of_entries(entries, size, size * 8 // 153)
        self.inode(ino, stat.S_IFDIR | 0o755, size, bytes(4) + area, inline=INLINE_DENTRY)

    def build(
        self,
        *,
        version: int = 5,
        flags: int = UMOUNT,
        journal: tuple[int, ...] = (),
        second_copy: bool = False,
        payload: int = 0,
        devices: tuple[int, ...] = (),
    ) -> bytearray:
        """Lay out the image with two checkpoints, odd versions in the first pack.

        ``journal`` names nodes that stand there alone; with ``second_copy`` the node table in use is the second one.
        """
        disk = bytearray((MAIN + self.main_blocks) * self.block)
        for address, data in self.blocks.items():
            disk[address * self.block : (address + 1) * self.block] = data
        for nid, (ino, address) in self.nat.items():
            if nid not in journal:
                block, within = divmod(nid, self.block // 9)
                at = (NAT + block + (SEGMENT if second_copy else 0)) * self.block + within * 9
                struct.pack_into("<BII", disk, at, 0, ino, address)
        head = self.superblock(payload, devices)
        disk[1024 : 1024 + 3072] = head
        disk[self.block + 1024 : self.block + 1024 + 3072] = head
        self.write_pack(disk, version - 1, flags, (), False, payload)
        self.write_pack(disk, version, flags, journal, second_copy, payload)
        return disk

    def superblock(self, payload: int = 0, devices: tuple[int, ...] = ()) -> bytes:
        block = bytearray(3072)
        struct.pack_into("<IHHIIIIIII", block, 0, 0xF2F52010, 1, 16, 9, 3, self.block.bit_length() - 1, 2, 1, 1, 3068)
        struct.pack_into("<Q", block, 36, MAIN + self.main_blocks)
        struct.pack_into("<7I", block, 44, 16, 24, 2, 1, 2, 1, self.main_blocks // SEGMENT)
        struct.pack_into("<9I", block, 72, CHECKPOINT, CHECKPOINT, SIT, NAT, SUMMARY, MAIN, ROOT, 1, 2)
        struct.pack_into("<I", block, 1664, payload)
        struct.pack_into("<I", block, 2180, self.features)
        for number, segments in enumerate(devices):
            struct.pack_into("<64sI", block, 2201 + 68 * number, b"/dev/block", segments)
        struct.pack_into("<I", block, 3068, crc(bytes(block[:3068])))
        return bytes(block)

    def write_pack(
        self, disk: bytearray, version: int, flags: int, journal: tuple[int, ...], second_copy: bool, payload: int
    ) -> None:
        head = bytearray(self.block * (1 + payload))
        count = 3 + payload
        struct.pack_into("<Q", head, 0, version)
        struct.pack_into("<III", head, 132, flags, count, 1 + payload)
        struct.pack_into("<II", head, 156, 64, 64)
        struct.pack_into("<I", head, 164, 192 if flags & LARGE_BITMAP else self.block - 4)
        at = 196 if flags & LARGE_BITMAP else 192 if payload else 192 + 64
        head[at] = 0x80 if second_copy else 0
        first = bytes(head[: self.block])
        if flags & LARGE_BITMAP:
            struct.pack_into("<I", head, 192, crc(first[196:], crc(first[:192])))
        else:
            struct.pack_into("<I", head, self.block - 4, crc(first[:-4]))
        summary = bytearray(self.block)
        at = 0 if flags & COMPACT else self.block // 8 * 7
        struct.pack_into("<H", summary, at, len(journal))
        for number, nid in enumerate(journal):
            struct.pack_into("<IBII", summary, at + 2 + 13 * number, nid, 0, *self.nat[nid])
        pack = bytes(head) + bytes(summary) + bytes(head[: self.block])
        start = (CHECKPOINT if version % 2 else CHECKPOINT + SEGMENT) * self.block
        disk[start : start + len(pack)] = pack


def extra_attributes(*, slots: int = 0, saved: int = 0, algorithm: int = 0, log_cluster: int = 0) -> bytes:
    """The 36 bytes in front of the addresses of an inode."""
    return struct.pack("<HHIIQIQBBH", 36, slots, 0, 0, 0, 0, saved, algorithm, log_cluster, 0)


def packed_cluster(body: bytes, length: int | None = None) -> bytes:
    """Compressed bytes behind their header."""
    return struct.pack("<II16x", len(body) if length is None else length, 0) + body
