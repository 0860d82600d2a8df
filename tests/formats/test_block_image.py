"""New data and its transfer list make the image of a block-based update."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from auditor.errors import FormatError, LimitError, UnsupportedError
from auditor.formats.block_image import parse_block_image
from auditor.formats.source import BlobSource
from auditor.limits import DEFAULT
from tests.builders.mangle import mutations, prefixes

BLOCK = 4096
DATA = random.Random(9).randbytes(BLOCK * 4)
LISTS = {
    1: b"1\n4\nerase 2,0,9\nnew 4,6,8,1,2\nzero 2,3,4\nnew 2,0,1\n",
    2: b"2\n4\n0\n0\nerase 2,0,9\nnew 4,6,8,1,2\nzero 2,3,4\nnew 2,0,1\n",
    3: b"3\n4\n0\n0\nnew 4,6,8,1,2\nzero 4,3,4,8,9\nnew 2,0,1\n",
    4: b"4\n4\n0\n0\nnew 4,6,8,1,2\nzero 2,3,4\nnew 2,0,1\nerase 2,2,9\ncompute_hash_tree x\n",
}
B0, B1, B2, B3 = (DATA[at * BLOCK : (at + 1) * BLOCK] for at in range(4))
IMAGE = B3 + B2 + bytes(4 * BLOCK) + B0 + B1 + bytes(BLOCK)


@pytest.mark.parametrize("version", LISTS)
def test_ranges_lay_out_the_data(version: int) -> None:
    found = parse_block_image(LISTS[version], BlobSource(DATA))
    assert bytes(found.source.read(0, found.source.size)) == IMAGE
    assert found.faults == ()


@pytest.mark.parametrize("command", [b"move", b"bsdiff", b"imgdiff", b"stash", b"free"])
def test_an_incremental_update_is_named(command: bytes) -> None:
    with pytest.raises(UnsupportedError, match="needs the old image"):
        parse_block_image(LISTS[4] + command + b" 2,0,1\n", BlobSource(DATA))


def test_data_that_is_cut_off_reads_as_zeros_and_is_a_fault() -> None:
    found = parse_block_image(LISTS[1], BlobSource(DATA[: BLOCK * 2 + 10]))
    image = bytes(found.source.read(0, found.source.size))
    assert image == bytes(BLOCK) + B2[:10] + bytes(BLOCK - 10) + IMAGE[2 * BLOCK :]
    assert "cut off" in found.faults[0]


def test_data_that_is_placed_nowhere_is_a_fault() -> None:
    assert "nowhere" in parse_block_image(LISTS[1], BlobSource(DATA + b"x")).faults[0]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"x\n",
        b"3\n4\n",
        b"1\n4\nnew 2,1\n",
        b"1\n4\nnew 3,1,2,3\n",
        b"1\n4\nnew 2,5,1\n",
        b"1\nnew 2,0,1\nnew 2,1,2\n",
        b"4\n4\n0\nnew 2,0,1\n",
        b"1\n4\nnew\n",
        b"1\n4\nnew 2,0,99999999999999\n",
        b"1\n4\nnew 2,0,2\nnew 2,1,3\n",
        b"1\n4\nnew 2,-1,3\n",
    ],
)
def test_damaged_lists_are_refused(text: bytes) -> None:
    with pytest.raises(FormatError):
        parse_block_image(text, BlobSource(DATA))


def test_what_is_not_known_or_too_large_is_refused() -> None:
    for text in (b"5\n4\n0\n0\n", b"1\n4\ndance 2,0,1\n"):
        with pytest.raises(UnsupportedError):
            parse_block_image(text, BlobSource(DATA))
    with pytest.raises(LimitError, match="file_size"):
        parse_block_image(b"1\n4\nerase 2,0,9\n", BlobSource(DATA), replace(DEFAULT, file_size=9999))
    with pytest.raises(LimitError, match="manifest_size"):
        parse_block_image(LISTS[1], BlobSource(DATA), replace(DEFAULT, manifest_size=9))


def test_damage_gives_an_image_or_a_format_error() -> None:
    for damaged in (*prefixes(LISTS[4]), *mutations(LISTS[4], 500)):
        try:
            found = parse_block_image(damaged, BlobSource(DATA))
            found.source.read(0, min(found.source.size, 9 * BLOCK))
        except FormatError:
            continue


def test_the_number_of_ranges_is_bounded() -> None:
    text = b"1\n4\n" + b"".join(b"new 2,%d,%d\n" % (at, at + 1) for at in range(20))
    with pytest.raises(LimitError, match="image_extents"):
        parse_block_image(text, BlobSource(bytes(20 * BLOCK)), replace(DEFAULT, image_extents=19))
