"""The partitions of a disk are found from whichever table is sound; what only ends like an MBR is none."""

from __future__ import annotations

import shutil
import struct
import subprocess
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from auditor.errors import FormatError, LimitError
from auditor.formats.partition import Partition, PartitionTable
from auditor.formats.partition_table import is_gpt, is_mbr, parse_gpt, parse_mbr
from auditor.formats.source import BlobSource
from auditor.limits import DEFAULT
from tests.builders.mangle import mutations
from tests.builders.partitions import Entry, boot_record, fat_sector, gpt_disk, mbr_disk
from tests.builders.sources import CountingSource

MARK = b"a partition begins here"
ENTRIES = [Entry("super", 40, 49), Entry("userdata", 50, 69, "00000000-0000-0000-0000-0000000000aa")]
CONTENTS = {40: b"super", 50: MARK}


def gpt(data: bytes | bytearray) -> PartitionTable:
    return parse_gpt(BlobSource(bytes(data)))


def mbr(data: bytes | bytearray) -> PartitionTable:
    return parse_mbr(BlobSource(bytes(data)))


def begin(item: Partition) -> bytes:
    assert item.source is not None
    return bytes(item.source.read(0, 23))


@pytest.mark.parametrize("sector", [512, 4096])
@pytest.mark.parametrize("entry_size", [128, 256])
def test_a_gpt_is_read(sector: int, entry_size: int) -> None:
    entries = [Entry(item.name, item.first + 100, item.last + 100, item.kind) for item in ENTRIES]
    disk = gpt_disk(entries, {150: MARK}, 300, sector=sector, entry_size=entry_size)
    assert is_gpt(bytes(disk[:8196]))
    found = gpt(disk)
    assert [(item.name, item.start, item.size, item.kind) for item in found.partitions] == [
        ("super", 140 * sector, 10 * sector, "Linux data"),
        ("userdata", 150 * sector, 20 * sector, "00000000-0000-0000-0000-0000000000aa"),
    ]
    assert begin(found.partitions[1]) == MARK
    assert found.remarks == ()


@pytest.mark.parametrize(
    ("at", "remark"),
    [
        (512, "the primary partition table cannot be followed: its mark is missing"),
        (512 + 60, "the primary partition table: the checksum of its header is wrong"),
        (1024 + 60, "the primary partition table: the checksum of its entries is wrong"),
        (512 + 24, "the primary partition table: it states sector"),
    ],
)
def test_the_backup_is_used_where_the_primary_is_damaged(at: int, remark: str) -> None:
    disk = gpt_disk(ENTRIES, CONTENTS, 200)
    disk[at] ^= 0x40
    found = gpt(disk)
    assert is_gpt(bytes(disk[:8196]))
    assert [item.name for item in found.partitions] == ["super", "userdata"]
    assert begin(found.partitions[1]) == MARK
    assert any(item.startswith(remark) for item in found.remarks)
    assert "the backup partition table at the end of the disk is used" in found.remarks


def test_a_damaged_primary_is_followed_where_there_is_no_backup() -> None:
    disk = gpt_disk(ENTRIES, CONTENTS, 200)
    disk[1024 + 128 * 5 + 20] = 1
    disk[-512:] = bytes(512)
    found = gpt(disk)
    assert [item.name for item in found.partitions] == ["super", "userdata"]
    assert found.remarks == ("the primary partition table: the checksum of its entries is wrong",)


def test_a_disk_that_is_cut_off_keeps_what_it_holds() -> None:
    disk = gpt_disk(ENTRIES, CONTENTS, 200)
    found = gpt(disk[: 55 * 512])
    assert begin(found.partitions[1]) == MARK
    assert found.remarks == ("userdata reaches beyond the end of the image, which is cut off",)
    found = gpt(disk[: 45 * 512])
    assert found.partitions[1].source is None
    assert found.partitions[1].refusal == "it lies beyond the end of the image"
    assert len(found.remarks) == 2


@pytest.mark.parametrize(
    ("entry", "name", "refusal", "remark"),
    [
        (Entry("", 80, 81), "partition3", "", None),
        (Entry("a/b\n", 80, 81), "a_b_", "", None),
        (Entry("\ud800x", 80, 81), "\ufffdx", "", None),
        (Entry("super", 80, 81), "super#2", "", None),
        (Entry("odd", 80, 70), "odd", "it ends before it begins", "odd cannot be read: it ends before it begins"),
        (Entry("twice", 60, 75), "twice", "", "userdata and twice overlap"),
        (Entry("huge", 80, (1 << 64) - 1), "huge", "", "huge reaches beyond the end of the image, which is cut off"),
    ],
)
def test_odd_entries(entry: Entry, name: str, refusal: str, remark: str | None) -> None:
    found = gpt(gpt_disk([*ENTRIES, entry], CONTENTS, 200))
    assert (found.partitions[2].name, found.partitions[2].refusal) == (name, refusal)
    assert list(found.remarks) == ([] if remark is None else [remark])


@pytest.mark.parametrize("data", [b"", bytes(512), bytes(100_000), b"\0" * 512 + b"EFI PART"])
def test_what_has_no_gpt_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        gpt(data)
    assert is_gpt(data) == (b"EFI PART" in data)


@pytest.mark.parametrize(
    ("place", "value"), [(80, 0xFFFFFFFF), (84, 0xFFFFFFF8), (84, 64), (72, 0), (72, 1 << 60), (72, 199)]
)
def test_tables_that_cannot_be_are_not_followed(place: int, value: int) -> None:
    disk = gpt_disk(ENTRIES, CONTENTS, 200)
    disk[-512:] = bytes(512)
    struct.pack_into("<Q" if place == 72 else "<I", disk, 512 + place, value)
    with pytest.raises(FormatError, match="cannot be followed"):
        gpt(disk)


def test_the_number_of_partitions_is_bounded() -> None:
    limits = replace(DEFAULT, partitions=1)
    with pytest.raises(LimitError, match="partitions"):
        parse_gpt(BlobSource(bytes(gpt_disk(ENTRIES, CONTENTS, 200))), limits)
    with pytest.raises(LimitError, match="partitions"):
        parse_mbr(BlobSource(bytes(logical_disk())), limits)


def test_an_mbr_is_read() -> None:
    disk = mbr_disk(100, {0: boot_record((0x0C, 10, 20, 0x80), (0x83, 30, 40))}, {30: MARK})
    assert is_mbr(bytes(disk[:512]), len(disk))
    found = mbr(disk)
    assert [(item.name, item.start, item.size, item.kind) for item in found.partitions] == [
        ("partition1", 5120, 10240, "FAT32"),
        ("partition2", 15360, 20480, "Linux"),
    ]
    assert begin(found.partitions[1]) == MARK
    assert found.remarks == ()


def logical_disk(**records: bytes) -> bytearray:
    """One primary partition, and three logical drives in an extended one at sector 20."""
    chain = {
        0: boot_record((0x83, 2, 10), (0x0F, 20, 80)),
        20: boot_record((0x83, 2, 8), (0x05, 20, 20)),
        40: boot_record((0x83, 2, 8), (0x05, 40, 20)),
        60: boot_record((0x0B, 2, 8)),
    }
    chain.update({int(name[1:]): record for name, record in records.items()})
    return mbr_disk(100, chain, {62: MARK})


def test_logical_drives_are_found_along_their_chain() -> None:
    found = mbr(logical_disk())
    assert [(item.name, item.start) for item in found.partitions] == [
        ("partition1", 1024),
        ("partition5", 22 * 512),
        ("partition6", 42 * 512),
        ("partition7", 62 * 512),
    ]
    assert begin(found.partitions[3]) == MARK
    assert found.remarks == ()


@pytest.mark.parametrize(
    ("record", "count", "remark"),
    [
        (boot_record((0x83, 2, 8), (0x05, 0, 20)), 3, "runs in a circle"),
        (boot_record((0x83, 2, 8), (0x05, 20, 20)), 3, "runs in a circle"),
        (bytes(512), 2, "breaks at sector 40"),
        (boot_record((0x83, 2, 8), (0x05, 1 << 31, 20)), 3, "breaks at sector 2147483668"),
    ],
)
def test_a_chain_that_loops_or_breaks_is_told(record: bytes, count: int, remark: str) -> None:
    found = mbr(logical_disk(_40=record))
    assert len(found.partitions) == count
    assert any(remark in item for item in found.remarks)


@pytest.mark.parametrize(
    "sector",
    [
        b"",
        bytes(512),
        bytes(510) + b"\x55\xaa",
        boot_record((0x83, 10, 20, 0x11)),
        boot_record((0x83, 0, 20)),
        boot_record((0x83, 10, 0)),
        boot_record((0, 10, 5)),
        boot_record((0xEE, 1, 99)),
        boot_record((0x83, 500, 20)),
        fat_sector(),
        b"\xeb\x52\x90NTFS    " + boot_record((0x83, 10, 20))[11:],
        b"\xeb\x76\x90EXFAT   " + boot_record((0x83, 10, 20))[11:],
    ],
)
def test_what_only_ends_like_an_mbr_is_none(sector: bytes) -> None:
    assert not is_mbr(sector, 100 * 512)
    with pytest.raises(FormatError):
        mbr(sector.ljust(51200, b"\0") if sector else b"")


def test_boot_code_before_the_table_is_no_boot_sector() -> None:
    assert is_mbr(b"\xeb\x63\x90" + boot_record((0x83, 10, 20))[3:])


def test_damage_is_read_or_refused() -> None:
    whole = bytes(gpt_disk(ENTRIES, {}, 110))
    logical = bytes(logical_disk())
    cut = [data[:size] for data in (whole, logical) for size in range(0, len(data), 257)]
    heads = [item + whole[1500:] for item in mutations(whole[:1500], 300)]
    sectors = [
        logical[: at * 512] + item + logical[(at + 1) * 512 :] for at in (0, 20, 40) for item in mutated_table(at)
    ]
    for data in (*cut, *heads, *sectors):
        for parse in (parse_gpt, parse_mbr):
            source = CountingSource(data)
            try:
                for item in parse(source).partitions:
                    if item.source is not None:
                        item.source.read(0, 1)
            except FormatError:
                pass
            assert source.bytes_read <= 2 * len(whole)


def mutated_table(at: int) -> list[bytes]:
    sector = bytes(logical_disk())[at * 512 : (at + 1) * 512]
    return [sector[:446] + item + b"\x55\xaa" for item in mutations(sector[446:510], 150)]


def resealed(disk: bytearray, at: int, value: int) -> bytes:
    """The disk with one byte of the first entry or the header changed, and checksums that vouch for it."""
    disk = bytearray(disk)
    disk[at] = value
    count, size = struct.unpack_from("<II", disk, 512 + 80)
    struct.pack_into("<I", disk, 512 + 88, zlib.crc32(disk[1024 : 1024 + count * size]) if count * size < 99999 else 0)
    struct.pack_into("<I", disk, 512 + 16, zlib.crc32(disk[512:528] + bytes(4) + disk[532:604]))
    return bytes(disk)


def test_damage_that_the_checksums_vouch_for_is_read_or_refused() -> None:
    disk = gpt_disk(ENTRIES, {}, 110)
    for at in (*range(512 + 24, 512 + 88), *range(1024, 1024 + 130)):
        for value in (0, 1, 0x7F, 0xFF):
            try:
                gpt(resealed(disk, at, value))
            except FormatError:
                continue


@pytest.mark.images
@pytest.mark.skipif(shutil.which("sgdisk") is None, reason="sgdisk is not installed")
def test_a_gpt_that_sgdisk_made_is_read(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.write_bytes(bytes(4 << 20))
    new = ["--new=1:2048:4095", "--change-name=1:super", "--new=2:4096:6143", "--change-name=2:userdata"]
    subprocess.run(["sgdisk", *new, disk], check=True, capture_output=True)
    found = gpt(disk.read_bytes())
    assert [(item.name, item.start, item.size) for item in found.partitions] == [
        ("super", 1 << 20, 1 << 20),
        ("userdata", 2 << 20, 1 << 20),
    ]
    assert found.remarks == ()
    damaged = bytearray(disk.read_bytes())
    damaged[512:1024] = bytes(512)
    assert [item.start for item in gpt(damaged).partitions] == [1 << 20, 2 << 20]


@pytest.mark.images
@pytest.mark.skipif(shutil.which("sfdisk") is None, reason="sfdisk is not installed")
def test_an_mbr_that_sfdisk_made_is_read(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.write_bytes(bytes(16 << 20))
    script = "label: dos\n2048 2048 c\n4096 20480 5\n6144 2048 83\n10240 2048 83\n14336 2048 b\n"
    subprocess.run(["sfdisk", "--quiet", disk], input=script, text=True, check=True, capture_output=True)
    found = mbr(disk.read_bytes())
    listed = subprocess.run(["sfdisk", "--dump", disk], capture_output=True, text=True, check=True).stdout
    rows = [line.split("start=")[1].split(",")[0] for line in listed.splitlines() if "start=" in line]
    starts = [int(row) * 512 for row in rows if int(row) != 4096]
    assert [item.start for item in found.partitions] == starts
    assert len(starts) == 4
    assert found.remarks == ()


# What would hide a partition without a word


@pytest.mark.parametrize(
    ("entries", "count", "remark"),
    [
        (((0x83, 10, 20), (0x83, 25, 5)), 2, "partition1 and partition2 overlap"),
        (((0, 10, 5), (0x83, 20, 5)), 2, None),
        (((0x83, 10, 5), (0x83, 500, 20)), 2, "partition2 cannot be read: it lies beyond the end of the image"),
        (((0x83, 10, 5), (0xEE, 90, 5)), 2, None),
        (((0x83, 10, 0), (0x83, 20, 5)), 1, None),
    ],
)
def test_one_odd_entry_of_an_mbr_hides_no_other(
    entries: tuple[tuple[int, int, int], ...], count: int, remark: str | None
) -> None:
    disk = mbr_disk(100, {0: boot_record(*entries)})
    assert is_mbr(bytes(disk[:512]))
    found = mbr(disk)
    assert len(found.partitions) == count
    assert found.remarks == (() if remark is None else (remark,))


def test_a_partition_of_a_hybrid_mbr_that_the_gpt_lacks_is_listed() -> None:
    disk = gpt_disk(ENTRIES, {75: MARK, **CONTENTS}, 200)
    disk[:512] = boot_record((0xEE, 1, 39), (0x83, 50, 20), (0x83, 75, 5))
    found = gpt(disk)
    assert [item.name for item in found.partitions] == ["super", "userdata", "mbr_partition3"]
    assert begin(found.partitions[2]) == MARK
    assert found.remarks == ("the MBR has partition3 at sector 75, which the GPT lacks",)


def test_a_partition_that_only_the_backup_table_has_is_listed() -> None:
    disk = gpt_disk([*ENTRIES, Entry("hidden", 75, 79)], {75: MARK}, 200)
    disk[512 : 34 * 512] = gpt_disk(ENTRIES, {}, 200)[512 : 34 * 512]
    found = gpt(disk)
    assert [item.name for item in found.partitions] == ["super", "userdata", "hidden@backup"]
    assert begin(found.partitions[2]) == MARK
    assert found.remarks == ("the backup partition table has hidden, which the primary one lacks",)


def test_an_entry_with_a_place_and_no_type_is_listed() -> None:
    found = gpt(gpt_disk([*ENTRIES, Entry("hidden", 75, 79, "0" * 32)], {75: MARK}, 200))
    assert (found.partitions[2].name, found.partitions[2].kind) == ("hidden", "none")
    assert begin(found.partitions[2]) == MARK
    assert found.remarks == ("hidden has a place and no type, so that others take it for unused",)
