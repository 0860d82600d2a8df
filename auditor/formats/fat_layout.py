"""Read the boot sector of a FAT12, FAT16, FAT32 or exFAT volume and follow chains of clusters.

Specification: Microsoft, FAT32 File System Specification 1.03; Microsoft, exFAT file system specification 1.00.

Not read: backup boot sectors, allocation bitmaps, boot checksums.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.errors import FormatError
from auditor.formats.source import Source

BOOT_SIZE = 512
FIRST_CLUSTER = 2
ENTRY_SIZE = 32

_FAT12_CLUSTERS = 4085
_FAT16_CLUSTERS = 65525
_JUMPS = (0xEB, 0xE9)
_SECTOR_SIZES = (512, 1024, 2048, 4096)
_EXFAT = b"EXFAT   "
_EXFAT_SECOND_FAT, _EXFAT_DIRTY = 0x1, 0x2
_FAT32_NO_MIRROR = 0x80


@dataclass(frozen=True, slots=True)
class Volume:
    """Where things lie; offsets in bytes from the begin of the image."""

    name: str
    """As people call the format."""
    size: int
    """Bytes of the whole volume as stated."""
    fat_bits: int
    """Bits of one number in the FAT: 12, 16 or 32."""
    fat_offset: int
    heap_offset: int
    """Where cluster 2 begins."""
    cluster_size: int
    clusters: int
    root_cluster: int
    """0: the root has a place of its own, outside the clusters."""
    root_offset: int
    root_size: int
    is_dirty: bool
    """Whether it says that it was in use."""
    other_fat_offset: int = 0
    """Of a FAT that is to say the same; 0: there is none."""
    medium: int = 0xF8
    """First byte of the FAT."""

    @property
    def is_exfat(self) -> bool:
        """Whether its directories are those of exFAT."""
        return self.name == "exFAT"


def is_boot_sector(data: bytes | memoryview) -> bool:
    """Whether bytes begin a FAT or exFAT volume; a partition table ends in the same two bytes, so the fields count."""
    if len(data) < BOOT_SIZE or data[510:512] != b"\x55\xaa" or data[0] not in _JUMPS:
        return False
    if data[3:11] == _EXFAT:
        return 9 <= data[108] <= 12 and data[108] + data[109] <= 25 and data[110] in (1, 2)
    sector_size, per_cluster, reserved, fats = struct.unpack_from("<HBHB", data, 11)
    is_power = per_cluster > 0 and per_cluster & (per_cluster - 1) == 0
    return sector_size in _SECTOR_SIZES and is_power and reserved > 0 and fats in (1, 2) and data[21] >= 0xF0


def parse_boot_sector(data: bytes | memoryview) -> Volume:
    """Read where the FAT, the root and the clusters lie.

    Raises:
        FormatError: no FAT volume, or one without room for clusters.
    """
    if not is_boot_sector(data):
        raise FormatError("no boot sector of a FAT volume", 0)
    volume = _parse_exfat(data) if data[3:11] == _EXFAT else _parse_fat(data)
    if volume.clusters < 1:
        raise FormatError("a FAT volume without clusters", 0)
    return volume


def _parse_fat(data: bytes | memoryview) -> Volume:
    sector_size, per_cluster, reserved, fats, root_entries, total, _, fat_size = struct.unpack_from(
        "<HBHBHHBH", data, 11
    )
    large_total, large_fat_size = struct.unpack_from("<II", data, 32)
    # A size of 0 in the short field is what makes it FAT32, whatever the number of clusters.
    is_fat32 = fat_size == 0
    sectors = total if total != 0 else large_total
    root_sector = reserved + fats * (large_fat_size if is_fat32 else fat_size)
    first = root_sector + -(-root_entries * ENTRY_SIZE // sector_size)
    clusters = (sectors - first) // per_cluster
    bits = 32 if is_fat32 else 12 if clusters < _FAT12_CLUSTERS else 16
    fat_bytes = (large_fat_size if is_fat32 else fat_size) * sector_size
    # FAT32 may keep one of its FATs alone up to date, and then says which.
    flags = int.from_bytes(data[40:42], "little") if is_fat32 else 0
    active = flags & 0xF if flags & _FAT32_NO_MIRROR and flags & 0xF < fats else 0
    is_mirrored = fats > 1 and not flags & _FAT32_NO_MIRROR
    return Volume(
        name=f"FAT{bits}",
        size=sectors * sector_size,
        fat_bits=bits,
        fat_offset=reserved * sector_size + active * fat_bytes,
        heap_offset=first * sector_size,
        cluster_size=per_cluster * sector_size,
        clusters=min(clusters, _FAT16_CLUSTERS) if bits == 16 else clusters,
        root_cluster=int.from_bytes(data[44:48], "little") if is_fat32 else 0,
        root_offset=root_sector * sector_size,
        root_size=root_entries * ENTRY_SIZE,
        is_dirty=data[65 if is_fat32 else 37] & 1 != 0,
        other_fat_offset=reserved * sector_size + fat_bytes if is_mirrored else 0,
        medium=data[21],
    )


def _parse_exfat(data: bytes | memoryview) -> Volume:
    (sectors,) = struct.unpack_from("<Q", data, 72)
    fat, fat_length, heap, clusters, root = struct.unpack_from("<IIIII", data, 80)
    (flags,) = struct.unpack_from("<H", data, 106)
    shift = data[108]
    if root < FIRST_CLUSTER:
        raise FormatError("an exFAT volume without a root", 96)
    return Volume(
        name="exFAT",
        size=sectors << shift,
        fat_bits=32,
        # Of two FATs (TexFAT) one is in use.
        fat_offset=(fat + (fat_length if data[110] == 2 and flags & _EXFAT_SECOND_FAT else 0)) << shift,
        heap_offset=heap << shift,
        cluster_size=1 << (shift + data[109]),
        clusters=clusters,
        root_cluster=root,
        root_offset=0,
        root_size=0,
        is_dirty=flags & _EXFAT_DIRTY != 0,
    )


def find_cluster_runs(source: Source, volume: Volume, first: int, most: int) -> Iterator[tuple[int, int]]:
    """Follow a chain for at most ``most`` clusters; yield the offset and size of each run of adjacent ones.

    Raises:
        FormatError: the chain leaves the volume or returns to itself, from there on.
    """
    start, count, taken, cluster = first, 0, 0, first
    mark, next_mark = -1, 2
    while taken < most:
        _check_cluster(volume, cluster)
        if cluster == mark:
            raise FormatError(f"the chain of cluster {first} returns to itself")
        if cluster != start + count:
            yield _place(volume, start, count)
            start, count = cluster, 0
        count += 1
        taken += 1
        if taken == next_mark:
            # A chain that goes round meets one of these marks again after a few rounds.
            mark, next_mark = cluster, next_mark * 2
        following = _next_cluster(source, volume, cluster)
        if following is None:
            break
        cluster = following
    if count > 0:
        yield _place(volume, start, count)


def adjacent_run(volume: Volume, first: int, count: int) -> tuple[int, int]:
    """The place of clusters that follow each other without a chain.

    Raises:
        FormatError: they do not lie in the volume.
    """
    _check_cluster(volume, first)
    _check_cluster(volume, first + count - 1)
    return _place(volume, first, count)


def _place(volume: Volume, start: int, count: int) -> tuple[int, int]:
    return volume.heap_offset + (start - FIRST_CLUSTER) * volume.cluster_size, count * volume.cluster_size


def _check_cluster(volume: Volume, cluster: int) -> None:
    if not FIRST_CLUSTER <= cluster < FIRST_CLUSTER + volume.clusters:
        raise FormatError(f"cluster {cluster} where there are {volume.clusters}")


def _next_cluster(source: Source, volume: Volume, cluster: int) -> int | None:
    """The cluster that follows in the chain; None: it was the last."""
    if volume.fat_bits == 12:
        word = int.from_bytes(source.read(volume.fat_offset + cluster + cluster // 2, 2), "little")
        number = word >> 4 if cluster & 1 else word & 0xFFF
        return None if number >= 0xFF8 else number
    width = volume.fat_bits // 8
    number = int.from_bytes(source.read(volume.fat_offset + cluster * width, width), "little")
    if volume.fat_bits == 32 and not volume.is_exfat:
        number &= 0x0FFFFFFF
    last = {16: 0xFFF8, 32: 0xFFFFFFF8 if volume.is_exfat else 0x0FFFFFF8}[volume.fat_bits]
    return None if number >= last else number
