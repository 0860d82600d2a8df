"""EROFS images made by hand: one inode of every layout, in blocks of 512 bytes unless told otherwise."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tests.builders.crc32c import crc32c

REGULAR, DIRECTORY, SYMLINK, FIFO = 0o100644, 0o040755, 0o120777, 0o010644
TYPES = {REGULAR: 1, DIRECTORY: 2, SYMLINK: 7, FIFO: 5}
PLAIN, HEAD1, NONHEAD, HEAD2 = 0, 1, 2, 3
HOLE = 0xFFFFFFFF


def pad(data: bytes, size: int) -> bytes:
    """Bytes filled up with zeros to a multiple of a size."""
    return data + bytes(-len(data) % size)


def lz4_literals(data: bytes) -> bytes:
    """An LZ4 block that compresses nothing: one run of literals."""
    if len(data) < 15:
        return bytes([len(data) << 4]) + data
    left = len(data) - 15
    return b"\xf0" + b"\xff" * (left // 255) + bytes([left % 255]) + data


def lz4_run(byte: bytes, size: int) -> bytes:
    """An LZ4 block of one byte repeated: a literal, a match that repeats it, and five literals at the end."""
    left = size - 6 - 19
    assert left >= 0
    return b"\x1f" + byte + b"\x01\0" + b"\xff" * (left // 255) + bytes([left % 255]) + b"\x50" + byte * 5


@dataclass
class Segment:
    """A piece of a compressed file and how it is stored."""

    data: bytes
    stored: bytes | None = None
    """Compressed bytes; None: plain."""
    second: bool = False
    """Compressed by the second algorithm."""
    partial: bool = False


class ErofsBuilder:
    """Collects data blocks and inodes; data comes before the metadata, so inodes can name blocks at once."""

    def __init__(self, bits: int = 9, *, padded: bool = True) -> None:
        self.bits = bits
        self.size = 1 << bits
        self.padded = padded
        self.features = int(padded)
        self.first = -(-(1024 + 256) // self.size)
        self.data = bytearray()
        self.metadata = bytearray(64)
        self.packed = 0
        self.metabox = 0
        self.devices: list[tuple[bytes, int, int]] = []

    def block(self, data: bytes) -> int:
        """Append blocks; the number of the first."""
        number = self.first + len(self.data) // self.size
        self.data += pad(data, self.size)
        return number

    def inode(
        self,
        mode: int,
        size: int,
        layout: int,
        word: int,
        behind: bytes = b"",
        *,
        align: int = 1,
        extended: bool = False,
        attributes: int = 0,
        high: int = 0,
    ) -> int:
        """Append an inode, its attributes, and what follows it; its nid."""
        start = -(-len(self.metadata) // 32) * 32
        form = layout << 1 | int(extended)
        if extended or size >= 1 << 32:
            form |= 1
            raw = struct.pack("<HHHHQI", form, attributes, mode, high, size, word) + bytes(44)
        else:
            raw = struct.pack("<HHHHIIII", form, attributes, mode, 1, size, 0, word, 7) + bytes(8)
        raw += b"\xaa" * (12 + 4 * (attributes - 1) if attributes else 0)
        self.metadata += bytes(start - len(self.metadata)) + pad(raw, align) + behind
        return start // 32

    def flat(self, data: bytes, mode: int = REGULAR, *, extended: bool = False) -> int:
        return self.inode(mode, len(data), 0, self.block(data), extended=extended)

    def inline(self, data: bytes, mode: int = REGULAR, *, attributes: int = 0) -> int:
        whole = (len(data) - 1) // self.size * self.size if data else 0
        word = self.block(data[:whole]) if whole else HOLE
        return self.inode(mode, len(data), 2, word, data[whole:], attributes=attributes)

    def chunks(
        self,
        parts: Sequence[bytes | None],
        size: int,
        *,
        shift: int = 1,
        indexes: bool = False,
        device: int = 0,
        wide: bool = False,
    ) -> int:
        """Chunks of ``block size << shift`` bytes; None: a hole."""
        blocks = [HOLE if part is None else self.block(part) for part in parts]
        if indexes or wide:
            holes = 0xFFFF if wide else 0
            table = b"".join(struct.pack("<HHI", holes if b == HOLE else 0, device, b) for b in blocks)
        else:
            table = struct.pack(f"<{len(blocks)}I", *blocks)
        self.features |= 4
        form = shift | (0x20 if indexes or wide else 0) | (0x40 if wide else 0)
        align = 8 if form & 0x20 else 4
        return self.inode(REGULAR, size, 4, form, table, align=align, attributes=1)

    def place(self, segments: Iterable[Segment]) -> tuple[list[tuple[int, int, int, int, bool]], int]:
        """Store segments in blocks that follow each other; an index entry for each logical cluster, and the size."""
        entries: list[tuple[int, int, int, int, bool]] = []
        start = 0
        for segment in segments:
            stored = segment.data if segment.stored is None else segment.stored
            blocks = -(-len(stored) // self.size)
            missing = bytes(blocks * self.size - len(stored))
            right = self.padded and segment.stored is not None
            number = self.block(missing + stored if right else stored + missing)
            cluster = start // self.size
            assert len(entries) <= cluster, "two heads in one logical cluster"
            while len(entries) < cluster:
                entries.append((NONHEAD, 0, 0, 0, False))
            kind = PLAIN if segment.stored is None else HEAD2 if segment.second else HEAD1
            entries.append((kind, start % self.size, number, blocks, segment.partial))
            start += len(segment.data)
        while len(entries) < -(-start // self.size):
            entries.append((NONHEAD, 0, 0, 0, False))
        return entries, start

    def full(
        self,
        segments: Sequence[Segment],
        *,
        algorithms: int = 0,
        advise: int = 0,
        word: int = 0,
        size: int | None = None,
    ) -> int:
        """A compressed file with an index of eight bytes for each logical cluster."""
        entries, total = self.place(segments)
        big = any(entry[3] > 1 for entry in entries)
        table, distance = b"", 0
        for kind, offset, number, blocks, partial in entries:
            if kind != NONHEAD:
                table += struct.pack("<HHI", kind | int(partial) << 15, offset, number)
                distance, count = 0, blocks
                continue
            distance += 1
            first = 0x800 | count if big and distance == 1 else distance
            table += struct.pack("<HHHH", NONHEAD, 0, first, 1)
        self.features |= 2
        header = struct.pack("<IHBB", word, advise | (6 if big else 0), algorithms, 0)
        stated = total if size is None else size
        return self.inode(REGULAR, stated, 1, 0, header + bytes(8) + table, align=8)

    def compact(
        self,
        segments: Sequence[Segment],
        *,
        two: bool = False,
        algorithms: int = 0,
        advise: int = 0,
        word: int = 0,
        tail: bytes = b"",
        end_mark: bool = False,
    ) -> int:
        """A compressed file with an index in packs."""
        entries, size = self.place(segments)
        if end_mark:
            assert entries[-1][0] == NONHEAD
            entries[-1] = (PLAIN, size % self.size, 0, 1, False)
        big = any(entry[3] > 1 for entry in entries)
        at = -(-(len(self.metadata)) // 32) * 32 + 32 + 8
        packs, position = b"", 0
        while position < len(entries):
            wide = two and (at + len(packs)) % 32 == 0 and len(entries) - position >= 16
            count = 16 if wide else 2
            packs += self._pack(entries, position, count, big)
            position += count
        self.features |= 2
        header = struct.pack("<IHBB", word, advise | int(two) | (6 if big else 0), algorithms, 0)
        return self.inode(REGULAR, size, 3, 0, header + packs + tail, align=8)

    def _pack(self, entries: list[tuple[int, int, int, int, bool]], position: int, count: int, big: bool) -> bytes:
        values = []
        for number in range(position, position + count):
            kind, offset, _, _, _ = entries[number] if number < len(entries) else (NONHEAD, 0, 0, 0, False)
            if kind == NONHEAD:
                head = next((i for i in range(min(number, len(entries)) - 1, -1, -1) if entries[i][0] != NONHEAD), 0)
                blocks = entries[head][3]
                offset = 0x800 | blocks if big and number == head + 1 else number - head
            values.append(offset | kind << 12)
        base = self._base(entries, position, big)
        width = 14 if count == 16 else 16
        bits = sum(value << width * i for i, value in enumerate(values))
        return bits.to_bytes(4 * 7 if count == 16 else 4, "little") + struct.pack("<I", base & HOLE)

    def _base(self, entries: list[tuple[int, int, int, int, bool]], position: int, big: bool) -> int:
        kind = entries[position][0]
        if big and kind == NONHEAD and entries[position - 1][0] != NONHEAD:
            return entries[position - 1][2]
        first = next((entry for entry in entries[position:] if entry[0] != NONHEAD), None)
        number = self.first + len(self.data) // self.size if first is None else first[2]
        return number if big else number - 1

    def encoded(self, extents: Sequence[tuple[int, int, int]], size: int, width: int, *, shift: int = 0) -> int:
        """A compressed file whose extents are stated: (start, length word, place in bytes) each."""
        code = {4: 0, 8: 1, 16: 2, 32: 3}[width]
        table = b"" if width > 4 else struct.pack("<Q", extents[0][2])
        for start, length, place in extents:
            record = struct.pack("<IIIII", length, place & HOLE, place >> 32, start & HOLE, start >> 32)
            table += record.ljust(32, b"\0")[:width]
        count = len(extents) if width > 8 else 0
        header = struct.pack("<IHH", count, 1 | code << 1 | 0x10, 0 if width > 8 else shift << 8)
        # The table begins at a multiple of the width of its records.
        start = -(-len(self.metadata) // 32) * 32 + 40
        gap = bytes(-start % min(width, 32))
        self.features |= 0x80
        return self.inode(REGULAR, size, 1, 0, header + gap + table, align=8)

    def in_packed(self, offset: int, size: int) -> int:
        """A file that lies wholly in the packed inode."""
        self.features |= 0x20
        return self.inode(REGULAR, size, 3, 0, struct.pack("<Q", 1 << 63 | offset), align=8)

    def directory(self, entries: Mapping[bytes, tuple[int, int]], *, inline: bool = True) -> int:
        """A directory of (nid, file type) by name; ``.`` and ``..`` lead to itself as far as anybody cares."""
        listed = sorted({b".": (0, 2), b"..": (0, 2), **entries}.items())
        data = b""
        while listed:
            count = len(listed)
            while sum(12 + len(name) for name, _ in listed[:count]) > self.size:
                count -= 1
            block = directory_block([(name, *target) for name, target in listed[:count]])
            listed = listed[count:]
            data += pad(block, self.size) if listed else block
        return self.inline(data, DIRECTORY) if inline else self.flat(data, DIRECTORY)

    def image(self, root: int, *, blocks: int | None = None, features: int | None = None, long: bool = False) -> bytes:
        """The whole image."""
        metadata = self.first + len(self.data) // self.size
        body = pad(bytes(self.metadata), self.size)
        total = metadata + len(body) // self.size if blocks is None else blocks
        flags = self.features | (8 if self.devices else 0) | (0x100 if self.metabox else 0)
        head = struct.pack("<4sIIBBH", b"\xe2\xe1\xf5\xe0", 0, 1, self.bits, 1, 0 if long else root)
        head += struct.pack("<QQIIII", 9, 0, 0, total, metadata, 0) + bytes(16) + b"volume".ljust(16, b"\0")
        head += struct.pack("<IHHHBBI", flags if features is None else features, 1, len(self.devices), 10, 0, 0, 0)
        head += struct.pack("<QIIQQQQ", self.packed, 0, 0, root if long else 0, 0, self.metabox, 0)
        slots = b"".join(struct.pack("<64sII", tag, size, start) + bytes(56) for tag, start, size in self.devices)
        front = (bytes(1024) + head).ljust(1280, b"\0") + slots
        assert len(slots) <= self.first * self.size - 1280
        whole = bytearray(pad(front, self.size) + bytes(self.data) + body)
        covered = self.size - 1024 if self.size > 1024 else self.size
        struct.pack_into("<I", whole, 1028, crc32c(bytes(whole[1024 : 1024 + covered])))
        return bytes(whole)


def image_of(builder: ErofsBuilder, files: Mapping[bytes, int], *, blocks: int | None = None) -> bytes:
    """An image whose root holds files by name."""
    return builder.image(builder.directory({name: (nid, 1) for name, nid in files.items()}), blocks=blocks)


def directory_block(entries: Sequence[tuple[bytes, int, int]]) -> bytes:
    """One block of (name, nid, file type)."""
    place = 12 * len(entries)
    table, names = b"", b""
    for name, nid, kind in entries:
        table += struct.pack("<QHBB", nid, place + len(names), kind, 0)
        names += name
    return table + names
