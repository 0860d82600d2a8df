"""Bytes that were unpacked are kept whole, in memory or in a file without a name, and within the bounds."""

from __future__ import annotations

import mmap
import random
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace

import pytest

from auditor.containers.member import Budget
from auditor.containers.spool import spool, spool_ranges
from auditor.errors import FormatError, LimitError
from auditor.limits import DEFAULT

LIMITS = replace(DEFAULT, spool_memory=100_000, spool_size=1_000_000, unpacked_total=2_000_000)
DATA = random.Random(11).randbytes(300_000)


def pieces(data: bytes, size: int) -> Iterator[memoryview]:
    for start in range(0, len(data), size):
        yield memoryview(data)[start : start + size]


@pytest.mark.parametrize("length", [0, 1, 99_999, 100_000, 100_001, 300_000])
@pytest.mark.parametrize("size", [7, 4096, 70_000, 1_000_000])
def test_every_byte_is_kept(length: int, size: int) -> None:
    found = spool(pieces(DATA[:length], size), Budget(LIMITS), LIMITS.spool_size)
    assert bytes(found[:]) == DATA[:length]
    assert isinstance(found, mmap.mmap) == (length > LIMITS.spool_memory)


def test_a_buffer_that_is_used_again_does_no_harm() -> None:
    def reused() -> Iterator[memoryview]:
        buffer = bytearray(4)
        for number in range(3000):
            buffer[:] = number.to_bytes(4, "big")
            yield memoryview(buffer)

    expected = b"".join(number.to_bytes(4, "big") for number in range(3000))
    assert spool(reused(), Budget(LIMITS), LIMITS.spool_size) == expected


def test_a_stream_of_single_bytes_takes_little_more_than_its_bytes() -> None:
    tracemalloc.start()
    try:
        found = spool((b"x" for _ in range(90_000)), Budget(LIMITS), LIMITS.spool_size)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found == b"x" * 90_000
    assert peak < 4 * 90_000


def test_zeros_in_a_file_are_holes_that_read_as_zeros() -> None:
    data = DATA[:70_000] + bytes(400_000) + DATA[:5] + bytes(200_000)
    assert bytes(spool(pieces(data, 65_000), Budget(LIMITS), LIMITS.spool_size)[:]) == data


@pytest.mark.parametrize("size", [50, 150_000])
def test_more_than_the_limit_is_refused(size: int) -> None:
    with pytest.raises(LimitError, match="raise --limit spool_size"):
        spool(pieces(DATA, 1000), Budget(LIMITS), size)


def test_what_is_unpacked_is_taken_from_the_budget() -> None:
    budget = Budget(replace(LIMITS, unpacked_total=250_000))
    with pytest.raises(LimitError, match="unpacked_total"):
        spool(pieces(DATA, 1000), budget, LIMITS.spool_size)


def test_a_fault_on_the_way_is_the_caller_s() -> None:
    def broken() -> Iterator[bytes]:
        yield b"x"
        raise FormatError("broken")

    with pytest.raises(FormatError, match="broken"):
        spool(broken(), Budget(LIMITS), LIMITS.spool_size)


class TestRanges:
    def test_pieces_in_any_order_are_laid_out(self) -> None:
        found = spool_ranges([(6, b"cd"), (0, b"ab")], 10, Budget(LIMITS))
        assert bytes(found[:]) == b"ab\0\0\0\0cd\0\0"

    def test_nothing_is_nothing(self) -> None:
        assert spool_ranges([], 0, Budget(LIMITS)) == b""

    @pytest.mark.parametrize("piece", [(-1, b"x"), (9, b"xy"), (1 << 60, b"x")])
    def test_a_piece_beyond_the_image_is_refused(self, piece: tuple[int, bytes]) -> None:
        with pytest.raises(FormatError, match="beyond the image"):
            spool_ranges([piece], 10, Budget(LIMITS))

    def test_a_size_beyond_the_limit_is_refused(self) -> None:
        with pytest.raises(LimitError, match="spool_size"):
            spool_ranges([], LIMITS.spool_size + 1, Budget(LIMITS))
