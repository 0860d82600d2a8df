"""FAT and exFAT volumes laid by hand; written from the specifications, shares no code with the reader."""

from __future__ import annotations

import struct

SECTOR = 512


def short(name: bytes, cluster: int, size: int = 0, attributes: int = 0x20, case: int = 0) -> bytes:
    """An entry with a name of 11 bytes, padded."""
    head = struct.pack("<11sBB7x", name.ljust(11), attributes, case)
    return head + struct.pack("<H4xHI", cluster >> 16, cluster & 0xFFFF, size)


def checksum(name: bytes) -> int:
    """Of the 11 bytes of a short name."""
    value = 0
    for byte in name.ljust(11):
        value = (((value & 1) << 7) + (value >> 1) + byte) % 256
    return value


def long(name: str, alias: bytes, sum_: int | None = None) -> bytes:
    """The entries of a long name, to go before its short one."""
    units = name.encode("utf-16-le")
    if len(units) % 26:
        units += b"\0\0"
        units += b"\xff" * (-len(units) % 26)
    count = len(units) // 26
    stored = checksum(alias) if sum_ is None else sum_
    parts = []
    for at in range(count, 0, -1):
        part = units[(at - 1) * 26 : at * 26]
        order = at | (0x40 if at == count else 0)
        parts.append(struct.pack("<B10sBBB12sH4s", order, part[:10], 0x0F, 0, stored, part[10:22], 0, part[22:]))
    return b"".join(parts)


def exfat_set(
    name: str, cluster: int, size: int, adjacent: bool = True, folder: bool = False, valid: int = -1
) -> bytes:
    """The entries of a file: itself, where it lies, its name."""
    units = name.encode("utf-16-le")
    names = [units[at : at + 30].ljust(30, b"\0") for at in range(0, len(units), 30)]
    first = struct.pack("<BBHH26x", 0x85, 1 + len(names), 0, 0x10 if folder else 0x20)
    flags = 3 if adjacent else 1
    stream = struct.pack(
        "<BBxBHHQ4xIQ", 0xC0, flags, len(units) // 2, 0, 0, size if valid < 0 else valid, cluster, size
    )
    return sealed(first + stream + b"".join(struct.pack("<BB30s", 0xC1, 0, part) for part in names))


def sealed(entries: bytes) -> bytes:
    """A set of exFAT entries with its checksum in place."""
    value = 0
    for at, byte in enumerate(entries):
        if at not in (2, 3):
            value = (((value & 1) << 15) + (value >> 1) + byte) % 65536
    return entries[:2] + struct.pack("<H", value) + entries[4:]


class FatImage:
    """A volume of clusters of one sector; a chain is written as the numbers it is made of."""

    def __init__(self, bits: int = 16, clusters: int = 200, exfat: bool = False) -> None:
        self.bits, self.clusters, self.exfat = bits, clusters, exfat
        self.fat_sectors = -(-(clusters + 2) * 4 // SECTOR)
        self.fat_start = 24 if exfat else 1
        self.root_entries = 0 if bits == 32 else 32
        self.heap = self.fat_start + self.fat_sectors + self.root_entries * 32 // SECTOR
        self.data = bytearray((self.heap + clusters) * SECTOR)
        self.root = b""
        self._exfat_boot() if exfat else self._fat_boot()
        self.link(0, end=self.end & ~0xFF | 0xF8)
        self.link(1)
        self.link(2)

    @property
    def end(self) -> int:
        """What the last cluster of a chain leads to."""
        return {12: 0xFFF, 16: 0xFFFF, 32: 0xFFFFFFFF if self.exfat else 0x0FFFFFFF}[self.bits]

    def mirror(self) -> None:
        """Make the second of two FATs of the first, which must be the last thing done to it."""
        place, size = self.fat_start * SECTOR, self.fat_sectors * SECTOR
        self.data[16] = 2
        self.data[place + size : place + size] = self.data[place : place + size]
        self.heap += self.fat_sectors

    def _fat_boot(self) -> None:
        wide = self.bits == 32
        self.data[:3] = b"\xeb\x3c\x90"
        fields = (SECTOR, 1, 1, 1, self.root_entries, 0, 0xF8, 0 if wide else self.fat_sectors)
        struct.pack_into("<HBHBHHBH", self.data, 11, *fields)
        struct.pack_into("<II", self.data, 32, len(self.data) // SECTOR, self.fat_sectors if wide else 0)
        if wide:
            struct.pack_into("<I", self.data, 44, 2)
        self.data[510:512] = b"\x55\xaa"

    def _exfat_boot(self) -> None:
        self.data[:11] = b"\xeb\x76\x90EXFAT   "
        struct.pack_into("<Q", self.data, 72, len(self.data) // SECTOR)
        struct.pack_into("<IIIII", self.data, 80, self.fat_start, self.fat_sectors, self.heap, self.clusters, 2)
        struct.pack_into("<BBB", self.data, 108, 9, 0, 1)
        self.data[510:512] = b"\x55\xaa"

    def link(self, *chain: int, end: int | None = None) -> None:
        """Chain clusters; the last one leads to ``end``, or to nowhere."""
        for at, following in zip(chain, (*chain[1:], self.end if end is None else end), strict=True):
            place = self.fat_start * SECTOR
            if self.bits == 12:
                place += at * 3 // 2
                (word,) = struct.unpack_from("<H", self.data, place)
                word = word & 0xF | following << 4 if at % 2 else word & 0xF000 | following
                struct.pack_into("<H", self.data, place, word)
            else:
                width = self.bits // 8
                self.data[place + at * width : place + (at + 1) * width] = following.to_bytes(width, "little")

    def put(self, cluster: int, data: bytes) -> None:
        """Write content from a cluster on."""
        start = (self.heap + cluster - 2) * SECTOR
        self.data[start : start + len(data)] = data

    def build(self) -> bytes:
        """The image, its root filled."""
        start = (self.heap if self.root_entries == 0 else self.fat_start + self.fat_sectors) * SECTOR
        root = struct.pack("<B31x", 0x81) + self.root if self.exfat else self.root
        self.data[start : start + len(root)] = root
        return bytes(self.data)
