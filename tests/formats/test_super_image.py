"""The partitions of a super image are found, whatever slot or copy of the metadata is sound."""

from __future__ import annotations

import hashlib
import random
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from auditor.errors import FormatError, LimitError, UnsupportedError
from auditor.formats.android_sparse import parse_android_sparse
from auditor.formats.partition import Partition
from auditor.formats.source import BlobSource
from auditor.formats.super_image import is_super_image, parse_super_image
from auditor.limits import DEFAULT
from tests.builders.mangle import mutations
from tests.builders.sources import CountingSource
from tests.builders.super_image import MAX_SIZE, ZERO, Extent, Part, Slot, geometry, super_image

SYSTEM, PRODUCT = b"system" * 900, b"product" * 100
PARTS = [Part("system_a", SYSTEM, group=1), Part("system_b"), Part("product_a", PRODUCT, attributes=0, group=1)]
VENDOR = Path(__file__).parents[2] / ".vendor"


def content(partition: Partition) -> bytes:
    assert partition.source is not None
    assert partition.source.size == partition.size
    return bytes(partition.source.read(0, partition.size))


@pytest.mark.parametrize("minor", [0, 1, 2])
def test_partitions_are_read_with_their_bytes(minor: int) -> None:
    found = parse_super_image(BlobSource(super_image(Slot(PARTS, minor=minor))))
    assert [(item.name, item.group, item.slot, item.attributes) for item in found.partitions] == [
        ("system_a", "main_a", "a", 1),
        ("system_b", "default", "b", 1),
        ("product_a", "main_a", "a", 0),
    ]
    system, empty, product = found.partitions
    assert content(system)[: len(SYSTEM)] == SYSTEM
    assert content(product)[: len(PRODUCT)] == PRODUCT
    assert (empty.size, content(empty), empty.refusal) == (0, b"", "")
    assert found.remarks == ()


def test_records_that_a_later_version_made_longer_are_read() -> None:
    found = parse_super_image(BlobSource(super_image(Slot(PARTS), extra=8)))
    assert [item.name for item in found.partitions] == ["system_a", "system_b", "product_a"]
    assert content(found.partitions[0])[: len(SYSTEM)] == SYSTEM


def test_a_partition_of_several_extents_and_zeros_is_put_together() -> None:
    data = super_image(Slot([Part("a", b"1" * 512), Part("b", b"2" * 512)]))
    at = [data.index(mark * 512) // 512 for mark in (b"1", b"2")]
    extents = [Extent(1, at[1]), Extent(2, kind=ZERO), Extent(1, at[0])]
    mixed = super_image(Slot([Part("a", b"1" * 512), Part("b", b"2" * 512), Part("mixed", extents=extents)]))
    found = parse_super_image(BlobSource(mixed)).partitions[2]
    assert content(found) == b"2" * 512 + bytes(1024) + b"1" * 512


def damaged(data: bytes, *places: int) -> bytes:
    changed = bytearray(data)
    for place in places:
        changed[place] ^= 0xFF
    return bytes(changed)


METADATA = 12288


@pytest.mark.parametrize(
    ("places", "remark"),
    [
        ((4096,), "geometry at 4096 is damaged"),
        ((4096 + 45,), "geometry at 4096 is damaged"),
        ((METADATA,), "metadata slot 0: there is no metadata"),
        ((METADATA + 84,), "metadata slot 0: the checksum of the header is wrong"),
        ((METADATA + 130,), "metadata slot 0: the checksum of the tables is wrong"),
    ],
)
def test_the_copy_is_used_where_the_first_is_damaged(places: tuple[int, ...], remark: str) -> None:
    data = damaged(super_image(Slot(PARTS)), *places)
    found = parse_super_image(BlobSource(data))
    assert content(found.partitions[0])[: len(SYSTEM)] == SYSTEM
    assert any(remark in item for item in found.remarks)
    assert is_super_image(data[:8196])


def test_the_next_slot_is_used_where_both_copies_of_the_first_are_damaged() -> None:
    data = damaged(
        super_image(Slot([Part("old_a", b"old")]), Slot(PARTS)), METADATA + 130, METADATA + 2 * MAX_SIZE + 130
    )
    found = parse_super_image(BlobSource(data))
    assert [item.name for item in found.partitions] == ["system_a", "system_b", "product_a"]
    assert any("metadata slot 1" in item for item in found.remarks)


def test_what_another_slot_lays_out_otherwise_is_listed_too() -> None:
    first = Slot([Part("system_a", SYSTEM), Part("system_b")])
    second = Slot([Part("system_a"), Part("system_b", b"updated" * 90), Part("odm_b", b"odm")])
    found = parse_super_image(BlobSource(super_image(first, second)))
    by_name = {item.name: item for item in found.partitions}
    assert list(by_name) == ["system_a", "system_b", "system_b@slot1", "odm_b@slot1"]
    assert content(by_name["system_b@slot1"]).startswith(b"updated")
    assert by_name["system_b@slot1"].slot == "b"
    assert len(found.remarks) == 2


def test_slots_that_agree_are_listed_once() -> None:
    data = super_image(Slot(PARTS), Slot([Part("x")]))
    same = data[METADATA : METADATA + MAX_SIZE]
    data = data[: METADATA + MAX_SIZE] + same + data[METADATA + 2 * MAX_SIZE :]
    assert "metadata slot 1 and its copy differ; the partitions of both are listed" in (
        parse_super_image(BlobSource(data)).remarks
    )
    data = data[: METADATA + 3 * MAX_SIZE] + same + data[METADATA + 4 * MAX_SIZE :]
    found = parse_super_image(BlobSource(data))
    assert len(found.partitions) == 3
    assert found.remarks == ()


def test_a_slot_that_was_never_written_is_nothing_to_remark() -> None:
    data = bytearray(super_image(Slot(PARTS), Slot(PARTS)))
    for at in (1, 3):
        data[METADATA + at * MAX_SIZE : METADATA + (at + 1) * MAX_SIZE] = bytes(MAX_SIZE)
    found = parse_super_image(BlobSource(bytes(data)))
    assert (len(found.partitions), found.remarks) == (3, ())


def test_suffixes_that_are_left_out_are_those_of_the_slot() -> None:
    found = parse_super_image(BlobSource(super_image(Slot([Part("system", SYSTEM, attributes=3)], [("main", 1)]))))
    assert (found.partitions[0].name, found.partitions[0].group) == ("system_a", "main_a")


def test_parts_on_another_block_device_are_named_as_such() -> None:
    parts = [Part("system_a", SYSTEM), Part("big_a", extents=[Extent(4, 8), Extent(8, 0, device=1)])]
    found = parse_super_image(BlobSource(super_image(Slot(parts, devices=["system_a", "vendor_a"]))))
    assert found.partitions[0].source is not None
    assert found.partitions[1].source is None
    assert found.partitions[1].size == 12 * 512
    assert found.partitions[1].refusal == "parts of it lie on another block device (vendor_a)"
    assert found.remarks[0] == "the dynamic partitions lie on system_a, vendor_a; this image is the first of them"


def test_a_snapshot_of_virtual_ab_is_named_and_not_read() -> None:
    found = parse_super_image(BlobSource(super_image(Slot([*PARTS, Part("system_b-cow", b"cow")], minor=2, flags=1))))
    snapshot = found.partitions[3]
    assert (snapshot.name, snapshot.source, snapshot.slot) == ("system_b-cow", None, "b")
    assert "Virtual A/B" in snapshot.refusal
    assert any("system_b was not merged" in item for item in found.remarks)


@pytest.mark.parametrize(
    ("extents", "refusal"),
    [
        ([Extent(1, 8, kind=7)], "extent of unknown type 7"),
        ([Extent(1 << 60, 8)], "states"),
        ([Extent(1, 8, device=3)], "another block device"),
    ],
)
def test_one_partition_that_cannot_be_laid_out_leaves_the_others(extents: list[Extent], refusal: str) -> None:
    found = parse_super_image(BlobSource(super_image(Slot([Part("odd", extents=extents), *PARTS]))))
    assert refusal in found.partitions[0].refusal
    assert found.partitions[0].source is None
    assert content(found.partitions[1])[: len(SYSTEM)] == SYSTEM
    assert any(refusal in item for item in found.remarks)


def test_an_image_that_is_cut_off_is_read_up_to_there() -> None:
    data = super_image(Slot([Part("first", SYSTEM), Part("last", PRODUCT * 20)]))
    found = parse_super_image(BlobSource(data[:-8192]))
    assert content(found.partitions[0])[: len(SYSTEM)] == SYSTEM
    assert found.remarks == ("last reaches beyond the end of the image, which is cut off",)
    last = found.partitions[1].source
    assert last is not None
    assert bytes(last.read(0, 7)) == b"product"
    with pytest.raises(FormatError):
        last.read(0, last.size)


def test_names_are_made_distinct_and_safe() -> None:
    names = ["a", "a", "../etc", "", "x\ny"]
    found = parse_super_image(BlobSource(super_image(Slot([Part(name) for name in names]))))
    assert [item.name for item in found.partitions] == ["a", "a#2", ".._etc", "unnamed", "x_y"]


@pytest.mark.parametrize("data", [b"", bytes(4096), bytes(20000), b"gDla" + bytes(20000)])
def test_other_bytes_are_no_super_image(data: bytes) -> None:
    assert not is_super_image(data[:8196])
    with pytest.raises(FormatError):
        parse_super_image(BlobSource(data))


@pytest.mark.parametrize(("slots", "size"), [(0, 4096), (99, 4096), (1, 0), (1, 100), (1, 1 << 31)])
def test_a_geometry_that_cannot_be_is_refused(slots: int, size: int) -> None:
    data = bytes(4096) + geometry(slots, size) * 2 + bytes(65536)
    with pytest.raises(FormatError, match="states"):
        parse_super_image(BlobSource(data))


def test_no_sound_metadata_and_other_versions_are_told() -> None:
    data = super_image(Slot(PARTS))
    with pytest.raises(FormatError, match="no metadata of the super image is sound"):
        parse_super_image(BlobSource(damaged(data, METADATA, METADATA + MAX_SIZE)))
    with pytest.raises(UnsupportedError, match=r"11\.0"):
        parse_super_image(BlobSource(super_image(Slot(PARTS, major=11))))


def test_counts_are_bounded() -> None:
    with pytest.raises(LimitError, match="partitions"):
        parse_super_image(BlobSource(super_image(Slot(PARTS))), replace(DEFAULT, partitions=2))
    with pytest.raises(LimitError, match="image_extents"):
        parse_super_image(BlobSource(super_image(Slot(PARTS))), replace(DEFAULT, image_extents=1))


def test_damage_is_read_or_refused() -> None:
    data = super_image(Slot([Part("a_a", b"1" * 900), Part("b_a", extents=[Extent(2, 9), Extent(1, kind=ZERO)])]))
    cut = (data[:size] for size in range(0, len(data), 61))
    head = (item + data[METADATA + 300 :] for item in mutations(data[: METADATA + 300], 300))
    for changed in (*cut, *head):
        source = CountingSource(changed)
        try:
            for item in parse_super_image(source).partitions:
                if item.source is not None:
                    item.source.read(0, min(item.size, 4096))
        except FormatError:
            pass
        assert source.bytes_read <= 4 * len(data)


def resealed(data: bytes, at: int, value: int) -> bytes:
    """The image with one byte of the tables changed, and checksums that vouch for it."""
    changed = bytearray(data)
    tables_size = int.from_bytes(changed[METADATA + 44 : METADATA + 48], "little")
    changed[METADATA + 80 + at] = value
    tables = changed[METADATA + 128 : METADATA + 128 + tables_size]
    changed[METADATA + 48 : METADATA + 80] = hashlib.sha256(tables).digest()
    changed[METADATA + 12 : METADATA + 44] = bytes(32)
    changed[METADATA + 12 : METADATA + 44] = hashlib.sha256(changed[METADATA : METADATA + 128]).digest()
    return bytes(changed)


def test_damage_that_the_checksums_vouch_for_is_read_or_refused() -> None:
    data = super_image(Slot([Part("a_a", b"1" * 900), Part("b_a", extents=[Extent(2, 9), Extent(1, kind=ZERO)])]))
    # All four descriptors and every field of the tables.
    for at in range(48 + 2 * 52 + 3 * 24 + 2 * 48 + 64):
        for value in (0, 1, 0x7F, 0xFF):
            source = CountingSource(resealed(data, at, value))
            try:
                for item in parse_super_image(source).partitions:
                    if item.source is not None:
                        item.source.read(0, min(item.size, 4096))
            except FormatError:
                pass
            assert source.bytes_read <= 2 * len(data) + 8192


@pytest.mark.images
@pytest.mark.skipif(shutil.which("img2simg") is None, reason="img2simg is not installed")
def test_a_sparse_super_image_has_the_same_partitions(tmp_path: Path) -> None:
    data = super_image(Slot(PARTS))
    (tmp_path / "super").write_bytes(data)
    subprocess.run(["img2simg", tmp_path / "super", tmp_path / "sparse"], check=True)
    source = parse_android_sparse(BlobSource((tmp_path / "sparse").read_bytes()))
    assert is_super_image(bytes(source.read(0, 8196)))
    assert [content(item) for item in parse_super_image(source).partitions] == [
        content(item) for item in parse_super_image(BlobSource(data)).partitions
    ]


@pytest.mark.images
def test_another_reader_unpacks_the_same_partitions(tmp_path: Path) -> None:
    """The reader is liblp (Apache-2.0), in an environment of its own."""
    home = VENDOR / "liblp"
    python = home / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
    wanted = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "liblp==1.0.2"]
    if subprocess.run(wanted, capture_output=True, check=False).returncode != 0:
        pytest.skip("liblp cannot be fetched")
    sizes = {"system_a": 1 << 20, "product_a": 123 * 4096, "vendor_a": 4096}
    parts = [Part(name, random.Random(name).randbytes(size)) for name, size in sizes.items()]
    data = super_image(Slot(parts))
    (tmp_path / "super.img").write_bytes(data)
    out = tmp_path / "out"
    out.mkdir()
    subprocess.run([home / "bin" / "lpunpack", tmp_path / "super.img", "-o", out], check=True, capture_output=True)
    for item in parse_super_image(BlobSource(data)).partitions:
        assert (out / f"{item.name}.img").read_bytes() == content(item)
