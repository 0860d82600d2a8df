"""A sparse image is laid out as the image it was made from; one whose totals do not fit is refused."""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from auditor.errors import FormatError, LimitError, UnsupportedError
from auditor.formats.android_sparse import is_android_sparse, join_android_sparse, parse_android_sparse
from auditor.formats.source import BlobSource, Source
from auditor.limits import DEFAULT
from tests.builders.android_sparse import BLOCK, Chunk, crc, fill, raw, skip, sparse_image
from tests.builders.mangle import mutations, prefixes
from tests.builders.sources import CountingSource

A, B = b"A" * BLOCK, b"B" * 2 * BLOCK
CHUNKS = [raw(A), skip(2), fill(b"wxyz", 3), crc(7), raw(B), skip(1)]
WHOLE = A + bytes(2 * BLOCK) + b"wxyz" * (3 * BLOCK // 4) + B + bytes(BLOCK)


def content(source: Source) -> bytes:
    return bytes(source.read(0, source.size))


def test_chunks_of_every_kind_are_laid_out() -> None:
    found = parse_android_sparse(BlobSource(sparse_image(CHUNKS)))
    assert content(found) == WHOLE


@pytest.mark.parametrize(("header", "step"), [(28, 12), (32, 12), (28, 16), (64, 24)])
def test_headers_have_the_size_that_the_file_states(header: int, step: int) -> None:
    assert content(parse_android_sparse(BlobSource(sparse_image(CHUNKS, header=header, step=step)))) == WHOLE


def test_any_range_of_it_can_be_read_alone() -> None:
    found = parse_android_sparse(BlobSource(sparse_image(CHUNKS)))
    chance = random.Random(3)
    for _ in range(300):
        start = chance.randrange(len(WHOLE))
        size = chance.randrange(len(WHOLE) - start)
        assert bytes(found.read(start, size)) == WHOLE[start : start + size]


def test_nothing_is_copied_to_lay_it_out() -> None:
    source = CountingSource(sparse_image(CHUNKS))
    found = parse_android_sparse(source)
    assert source.bytes_read <= 28 + 12 * len(CHUNKS) + 4
    assert isinstance(found.read(10, BLOCK - 10), memoryview)


def test_blocks_of_other_sizes_and_images_without_blocks() -> None:
    assert content(parse_android_sparse(BlobSource(sparse_image([raw(b"abcd" * 3), skip(1)], block=4)))) == (
        b"abcd" * 3 + bytes(4)
    )
    assert parse_android_sparse(BlobSource(sparse_image([]))).size == 0


@pytest.mark.parametrize("head", [b"", b"\x3a\xff\x26", b"PK\x03\x04" + bytes(60), b"\xed\x26\xff\x3a"])
def test_other_bytes_are_no_sparse_image(head: bytes) -> None:
    assert not is_android_sparse(head)
    with pytest.raises(FormatError):
        parse_android_sparse(BlobSource(head))


def test_the_mark_tells_it() -> None:
    assert is_android_sparse(sparse_image(CHUNKS)[:4])


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (sparse_image([raw(A)], block=6), "blocks of 6"),
        (sparse_image([raw(A)], block=4, step=8), "headers of 28 and 8 bytes"),
        (sparse_image([raw(A)])[:40], "cut off: 12 of 12300 bytes|cut off"),
        (sparse_image([raw(A)]).replace(b"\xc1\xca", b"\xc9\xca"), "unknown type 0xcac9"),
        (sparse_image([raw(A)]).replace(struct.pack("<I", BLOCK + 12), struct.pack("<I", BLOCK)), "where 4108 are due"),
        (sparse_image([fill(b"abcd", 1)]).replace(b"\xc2\xca", b"\xc3\xca"), "a chunk of 16 bytes"),
    ],
)
def test_an_image_of_which_nothing_is_there_is_refused(data: bytes, what: str) -> None:
    with pytest.raises(FormatError, match=what) as raised:
        parse_android_sparse(BlobSource(data))
    assert not isinstance(raised.value, LimitError)


@pytest.mark.parametrize(
    ("data", "what", "there"),
    [
        (sparse_image(CHUNKS, blocks=10), "hold 9 blocks where 10 are stated", 8),
        (sparse_image(CHUNKS, blocks=8), "more than the 8 blocks stated", 8),
        (sparse_image(CHUNKS, count=7), "chunk 6 of 7 of the sparse image is cut off", 8),
        (sparse_image(CHUNKS, count=1 << 31), "chunk 6 of 2147483648", 8),
        (sparse_image(CHUNKS, count=5), "hold 8 blocks where 9 are stated", 8),
    ],
)
def test_totals_that_do_not_fit_are_told_and_the_chunks_laid_out(data: bytes, what: str, there: int) -> None:
    found = parse_android_sparse(BlobSource(data))
    assert what in found.faults[0]
    assert bytes(found.read(0, there * BLOCK)) == WHOLE[: there * BLOCK]


def test_an_image_that_is_cut_off_ends_where_its_bytes_do() -> None:
    found = parse_android_sparse(BlobSource(sparse_image([raw(A), raw(B)])[:-1]))
    assert found.size == len(A) + len(B) - 1
    assert "cut off" in found.faults[0]
    assert f"{found.size} of {found.size + 1} bytes" in found.faults[0]
    assert content(found) == (A + B)[:-1]


def test_a_whole_image_has_no_faults() -> None:
    assert parse_android_sparse(BlobSource(sparse_image(CHUNKS))).faults == ()


def test_another_major_version_is_told() -> None:
    with pytest.raises(UnsupportedError, match="version 2"):
        parse_android_sparse(BlobSource(sparse_image(CHUNKS, major=2)))


def test_the_number_of_chunks_is_bounded() -> None:
    with pytest.raises(LimitError, match="image_extents"):
        parse_android_sparse(BlobSource(sparse_image(CHUNKS)), replace(DEFAULT, image_extents=5))
    parts = [BlobSource(sparse_image([raw(A), skip(1)])), BlobSource(sparse_image([skip(1), raw(A)]))]
    with pytest.raises(LimitError, match="image_extents"):
        join_android_sparse([*parts, BlobSource(sparse_image([skip(2), raw(A)]))], replace(DEFAULT, image_extents=2))


def test_a_size_that_no_disk_has_costs_nothing() -> None:
    source = CountingSource(sparse_image([fill(b"\0\0\0\0", 0xFFFFFFFF)], block=0xFFFFFFFC))
    found = parse_android_sparse(source)
    assert found.size == 0xFFFFFFFF * 0xFFFFFFFC
    assert bytes(found.read(found.size - 8, 8)) == bytes(8)
    assert source.bytes_read < 64


SPLIT = [[raw(A), skip(8)], [skip(3), fill(b"wxyz", 3), skip(3)], [skip(6), raw(B), skip(1)]]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_parts_are_joined_in_any_order(order: tuple[int, ...]) -> None:
    parts = [BlobSource(sparse_image(SPLIT[number])) for number in order]
    assert content(join_android_sparse(parts)) == WHOLE


def test_parts_may_end_where_their_data_ends() -> None:
    ends: list[list[Chunk]] = [[raw(A)], [skip(3), fill(b"wxyz", 3)], SPLIT[2]]
    assert content(join_android_sparse([BlobSource(sparse_image(chunks)) for chunks in ends])) == WHOLE


def test_parts_that_hold_the_same_blocks_are_refused() -> None:
    parts = [BlobSource(sparse_image([raw(A), skip(8)])), BlobSource(sparse_image(CHUNKS))]
    with pytest.raises(FormatError, match="overlap"):
        join_android_sparse(parts)


def test_no_parts_and_parts_of_something_else_are_refused() -> None:
    with pytest.raises(FormatError, match="no parts"):
        join_android_sparse([])
    with pytest.raises(FormatError, match="no sparse image"):
        join_android_sparse([BlobSource(bytes(64)), BlobSource(bytes(64))])


def test_a_damaged_part_does_not_cost_the_others() -> None:
    first, second, third = (sparse_image(chunks) for chunks in SPLIT)
    found = join_android_sparse([BlobSource(data) for data in (first, bytes(64), third)])
    assert found.faults == ("part 2 of 3 cannot be read: no sparse image (at offset 0x0)",)
    assert bytes(found.read(0, len(A))) == A
    assert bytes(found.read(6 * BLOCK, len(B))) == B
    cut = join_android_sparse([BlobSource(data) for data in (first[:-13], second, third)])
    assert cut.faults[0].startswith("part 1 of 3: ")
    assert bytes(cut.read(6 * BLOCK, len(B))) == B


def test_damage_is_laid_out_or_refused() -> None:
    small = sparse_image([raw(b"abcd" * 4), fill(b"wxyz", 3), skip(2), crc(1), raw(b"tail")], block=4)
    for damaged in (*prefixes(small), *mutations(small, 800)):
        source = CountingSource(damaged)
        try:
            found = parse_android_sparse(source)
            found.read(0, min(found.size, 4096))
        except FormatError:
            pass
        assert source.calls <= 3 * len(damaged)
        assert source.bytes_read <= 8192


@pytest.mark.images
@pytest.mark.skipif(shutil.which("img2simg") is None, reason="img2simg is not installed")
def test_images_that_img2simg_made_are_laid_out_to_the_byte(tmp_path: Path) -> None:
    chance = random.Random(11)
    pieces = []
    for number in range(400):
        pieces.append((chance.randbytes(BLOCK), bytes(BLOCK), b"\xff" * BLOCK, b"wxyz" * 1024)[number % 7 % 4])
    whole = b"".join(pieces) + bytes(64 * BLOCK)
    (tmp_path / "whole").write_bytes(whole)
    subprocess.run(["img2simg", tmp_path / "whole", tmp_path / "sparse"], check=True)
    data = (tmp_path / "sparse").read_bytes()
    assert len(data) < len(whole)
    assert content(parse_android_sparse(BlobSource(data))) == whole


@pytest.mark.images
@pytest.mark.skipif(shutil.which("simg2img") is None, reason="simg2img is not installed")
def test_simg2img_unpacks_our_images_the_same_way(tmp_path: Path) -> None:
    parts = []
    for number, chunks in enumerate(SPLIT):
        parts.append(tmp_path / f"super.img_sparsechunk.{number}")
        parts[-1].write_bytes(sparse_image(chunks))
    subprocess.run(["simg2img", *parts, tmp_path / "whole"], check=True)
    joined = join_android_sparse([BlobSource(path.read_bytes()) for path in parts])
    assert content(joined) == (tmp_path / "whole").read_bytes() == WHOLE
