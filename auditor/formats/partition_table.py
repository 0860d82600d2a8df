"""Finds the partitions of a disk image: GPT, with sectors of 512 or 4096 bytes, and MBR with its logical drives.

Specification: UEFI 2.10, chapter 5 (GUID partition table); the MBR as PC firmware and Linux read it (sectors of 512).

Not read: BSD labels and other tables inside partitions, LVM, software RAID, MBR disks with sectors of 4096 bytes, what
lies between partitions.
"""

from __future__ import annotations

import itertools
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from uuid import UUID

from auditor.errors import FormatError, LimitError
from auditor.formats.partition import Loss, Partition, PartitionTable, distinct, fit_name
from auditor.formats.source import SliceSource, Source
from auditor.limits import DEFAULT, MIB, Limits

_GPT_MARK = b"EFI PART"
_GPT_HEADER = struct.Struct("<8sIIIIQQQQ16sQIII")
_GPT_ENTRY = struct.Struct("<16s16sQQQ72s")
_MBR_ENTRY = struct.Struct("<B3sB3sII")
_SECTORS = (512, 4096)
_MOST_TABLE = 16 * MIB
_EXTENDED = frozenset({0x05, 0x0F, 0x85})
_PROTECTIVE = 0xEE
_NO_TYPE = UUID(int=0)
_GPT_KINDS = {
    _NO_TYPE: "none",
    UUID("0fc63daf-8483-4772-8e79-3d69d8477de4"): "Linux data",
    UUID("ebd0a0a2-b9e5-4433-87c0-68b6b72699c7"): "basic data",
    UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b"): "EFI system",
    UUID("0657fd6d-a4ab-43c4-84e5-0933c84b4f4f"): "Linux swap",
    UUID("48465300-0000-11aa-aa11-00306543ecac"): "Apple HFS+",
    UUID("7c3457ef-0000-11aa-aa11-00306543ecac"): "Apple APFS",
}
_MBR_KINDS = {
    0x01: "FAT12",
    0x04: "FAT16",
    0x06: "FAT16",
    0x07: "NTFS or exFAT",
    0x0B: "FAT32",
    0x0C: "FAT32",
    0x0E: "FAT16",
    0x82: "Linux swap",
    0x83: "Linux",
    0xAF: "Apple HFS+",
    0xEF: "EFI system",
}


@dataclass(frozen=True, slots=True)
class _Gpt:
    """A header whose fields can be followed, and what its checksums say."""

    sector: int
    entries_start: int
    count: int
    entry_size: int
    faults: tuple[str, ...]


def is_gpt(head: bytes) -> bool:
    """Whether a disk has a GPT: its header, or the MBR that protects one whose header is damaged."""
    if any(head[place : place + 8] == _GPT_MARK for place in _SECTORS):
        return True
    return any(kind == _PROTECTIVE and start == 1 for _, kind, start, _ in _mbr_entries(head))


def is_mbr(head: bytes, size: int | None = None) -> bool:
    """Whether the first sector is an MBR beyond its two-byte signature, which boot sectors of FAT and NTFS bear too.

    With the ``size`` of the disk, one of its partitions has to begin inside it.
    """
    entries = _mbr_entries(head)
    if not entries or _is_boot_sector(head):
        return False
    if any(flag not in (0, 0x80) for flag, *_ in entries):
        return False
    # A partition without a type is one for Linux all the same; one that overlaps another is read and told.
    used = [(kind, start) for _, kind, start, count in entries if start and count and kind != _PROTECTIVE]
    return any(kind and (size is None or start * 512 < size) for kind, start in used)


def _mbr_entries(head: bytes | memoryview) -> list[tuple[int, int, int, int]]:
    """Flag, type, first sector and sectors of the four entries; none without the signature."""
    if bytes(head[510:512]) != b"\x55\xaa":
        return []
    rows = (_MBR_ENTRY.unpack_from(head, 446 + 16 * number) for number in range(4))
    return [(flag, kind, start, count) for flag, _, kind, _, start, count in rows]


def _is_boot_sector(head: bytes) -> bool:
    """Whether a sector describes a FAT, exFAT or NTFS volume rather than a disk."""
    if head[3:11] in (b"NTFS    ", b"EXFAT   "):
        return True
    per_sector, per_cluster, reserved, tables = struct.unpack_from("<HBHB", head, 11)
    is_jump = head[0] in (0xEB, 0xE9)
    is_block = per_sector in (512, 1024, 2048, 4096) and per_cluster.bit_count() == 1
    return is_jump and is_block and reserved > 0 and tables in (1, 2)


def parse_gpt(source: Source, limits: Limits = DEFAULT) -> PartitionTable:
    """Read a GPT: the primary one, the backup at the end of the disk where that is sound and the primary is not.

    Raises:
        FormatError: neither can be followed.
        LimitError: more partitions than ``limits`` allow.
    """
    remarks: list[str] = []
    followed: list[tuple[str, _Gpt]] = []
    for label, sector, at in _gpt_places(source.size):
        try:
            header = _read_header(source, at, sector)
        except FormatError as error:
            if label == "primary" and sector == 512:
                remarks.append(f"the primary partition table cannot be followed: {error}")
            continue
        followed.append((label, header))
        if not header.faults:
            break
        remarks.extend(f"the {label} partition table: {fault}" for fault in header.faults)
    if not followed:
        raise FormatError("; ".join(remarks) or "no GPT", 512)
    label, chosen = next((item for item in followed if not item[1].faults), followed[0])
    if label == "backup":
        remarks.append("the backup partition table at the end of the disk is used")
    elif not chosen.faults:
        remarks.clear()
    partitions = list(_gpt_partitions(source, chosen, limits, remarks))
    if label == "primary":
        partitions.extend(_only_in_backup(source, chosen, partitions, limits, remarks))
    partitions.extend(_only_in_mbr(source, partitions, remarks))
    _remark_overlaps(partitions, remarks)
    return PartitionTable(distinct(partitions), tuple(remarks))


def _only_in_backup(
    source: Source, primary: _Gpt, known: list[Partition], limits: Limits, remarks: list[str]
) -> Iterator[Partition]:
    """Partitions that a sound backup table has and the primary one lacks."""
    sector = primary.sector
    try:
        backup = _read_header(source, source.size // sector * sector - sector, sector)
    except FormatError:
        return
    if backup.faults:
        return
    places = {(item.start, item.size) for item in known}
    for item in _gpt_partitions(source, backup, limits, []):
        if (item.start, item.size) not in places:
            remarks.append(f"the backup partition table has {item.name}, which the primary one lacks")
            yield replace(item, name=f"{item.name}@backup")


def _only_in_mbr(source: Source, known: list[Partition], remarks: list[str]) -> Iterator[Partition]:
    """Partitions of a hybrid MBR that the GPT lacks; some readers go by the one, some by the other."""
    starts = {item.start for item in known}
    entries = _mbr_entries(bytes(source.read(0, min(512, source.size))))
    for number, place in enumerate(entries, 1):
        if place[1] not in (0, _PROTECTIVE) and place[3] and place[2] * 512 not in starts:
            partition = _mbr_partition(source, number, place, remarks)
            remarks.append(f"the MBR has {partition.name} at sector {place[2]}, which the GPT lacks")
            yield replace(partition, name=f"mbr_{partition.name}")


def _gpt_places(size: int) -> Iterator[tuple[str, int, int]]:
    for sector in _SECTORS:
        yield "primary", sector, sector
    for sector in _SECTORS:
        yield "backup", sector, size // sector * sector - sector


def _read_header(source: Source, at: int, sector: int) -> _Gpt:
    if at < 0 or at + sector > source.size:
        raise FormatError("the disk ends before it", max(at, 0))
    data = bytes(source.read(at, sector))
    mark, _, size, checksum, _, own, _, _, _, _, entries, count, entry_size, entries_sum = _GPT_HEADER.unpack_from(data)
    if mark != _GPT_MARK:
        raise FormatError("its mark is missing", at)
    length = count * entry_size
    if entry_size < _GPT_ENTRY.size or entry_size % 8 or length > _MOST_TABLE or entries < 1:
        raise FormatError(f"it states {count} entries of {entry_size} bytes in sector {entries}", at)
    if entries * sector + length > source.size:
        raise FormatError("its entries lie outside the disk", at)
    faults = []
    if not _GPT_HEADER.size <= size <= sector:
        faults.append(f"it states {size} bytes for its header")
    elif zlib.crc32(data[:16] + bytes(4) + data[20:size]) != checksum:
        faults.append("the checksum of its header is wrong")
    if own * sector != at:
        faults.append(f"it states sector {own} as its own place")
    if zlib.crc32(source.read(entries * sector, length)) != entries_sum:
        faults.append("the checksum of its entries is wrong")
    return _Gpt(sector, entries * sector, count, entry_size, tuple(faults))


def _gpt_partitions(source: Source, table: _Gpt, limits: Limits, remarks: list[str]) -> Iterator[Partition]:
    data = bytes(source.read(table.entries_start, table.count * table.entry_size))
    found = 0
    for number in range(table.count):
        kind, _, first, last, attributes, raw = _GPT_ENTRY.unpack_from(data, number * table.entry_size)
        guid = UUID(bytes_le=kind)
        if guid == _NO_TYPE and not (first and last):
            continue
        found += 1
        if found > limits.partitions:
            raise LimitError(f"more than {limits.partitions} partitions on a disk; raise --limit partitions")
        label = raw.decode("utf-16-le", "replace").partition("\0")[0]
        name = fit_name(label, f"partition{number + 1}")
        start, size = first * table.sector, (last - first + 1) * table.sector
        if guid == _NO_TYPE:
            remarks.append(f"{name} has a place and no type, so that others take it for unused")
        yield _place(source, name, (start, size), _GPT_KINDS.get(guid, str(guid)), attributes, remarks)


def _place(
    source: Source, name: str, where: tuple[int, int], kind: str, attributes: int, remarks: list[str]
) -> Partition:
    """A partition at a place; one that the image ends in stays readable up to there."""
    start, size = where
    refusal = ""
    if size <= 0:
        size, refusal = 0, "it ends before it begins"
    elif start >= source.size:
        refusal = "it lies beyond the end of the image"
    elif start + size > source.size:
        remarks.append(Loss(f"{name} reaches beyond the end of the image, which is cut off"))
    if refusal:
        remarks.append(f"{name} cannot be read: {refusal}")
    inner = None if refusal else SliceSource(source, start, size)
    return Partition(name, inner, size, kind, refusal, start, "", attributes)


def _remark_overlaps(partitions: list[Partition], remarks: list[str]) -> None:
    placed = sorted((item.start, item.size, item.name) for item in partitions if item.start is not None and item.source)
    for left, right in itertools.pairwise(placed):
        if left[0] + left[1] > right[0]:
            remarks.append(f"{left[2]} and {right[2]} overlap")


def parse_mbr(source: Source, limits: Limits = DEFAULT) -> PartitionTable:
    """Read an MBR and the chain of logical drives in its extended partition.

    Raises:
        FormatError: the first sector is no plausible MBR.
        LimitError: more partitions than ``limits`` allow.
    """
    if source.size < 512:
        raise FormatError("the MBR is cut off")
    head = bytes(source.read(0, 512))
    if not is_mbr(head, source.size):
        raise FormatError("no plausible MBR", 446)
    remarks: list[str] = []
    found = []
    logical = 5
    for number, (flag, kind, start, count) in enumerate(_mbr_entries(head), 1):
        if kind in _EXTENDED:
            for place in _logical_drives(source, start, limits, remarks):
                found.append(_mbr_partition(source, logical, place, remarks))
                logical += 1
        elif start and count:
            found.append(_mbr_partition(source, number, (flag, kind, start, count), remarks))
    _remark_overlaps(found, remarks)
    return PartitionTable(distinct(found), tuple(remarks))


def _mbr_partition(source: Source, number: int, place: tuple[int, int, int, int], remarks: list[str]) -> Partition:
    flag, kind, start, count = place
    label = _MBR_KINDS.get(kind, f"type {kind:#04x}")
    return _place(source, f"partition{number}", (start * 512, count * 512), label, flag, remarks)


def _logical_drives(
    source: Source, extended: int, limits: Limits, remarks: list[str]
) -> Iterator[tuple[int, int, int, int]]:
    """Follow the chain: each link is a sector with the drive, relative to itself, and the next link, to the first."""
    link = extended
    seen: set[int] = set()
    while True:
        if link in seen:
            remarks.append(Loss("the chain of logical drives runs in a circle"))
            return
        seen.add(link)
        if len(seen) > limits.partitions:
            raise LimitError(f"more than {limits.partitions} logical drives on a disk; raise --limit partitions")
        entries = _mbr_entries(source.read(link * 512, 512)) if (link + 1) * 512 <= source.size else []
        if not entries:
            remarks.append(Loss(f"the chain of logical drives breaks at sector {link}; there may be more of them"))
            return
        following = None
        for flag, kind, start, count in entries:
            if kind in _EXTENDED:
                following = extended + start if following is None else following
            elif start and count:
                yield flag, kind, link + start, count
        if following is None:
            return
        link = following
