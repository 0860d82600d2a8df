"""Single compressed files: gzip, xz and bzip2 come out whole, and damage is said."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable

import pytest

from auditor.errors import FormatError
from auditor.formats.compressed import is_compressed, unpack_chunks
from tests.builders.mangle import mutations, prefixes

TEXT = b"".join(b"line %d of the content\n" % number for number in range(4000))
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "xz": lzma.compress,
    "bzip2": bz2.compress,
}


@pytest.fixture(params=PACKERS)
def packed(request: pytest.FixtureRequest) -> bytes:
    return PACKERS[request.param](TEXT)


def test_the_content_comes_out_whole_in_bounded_pieces(packed: bytes) -> None:
    assert is_compressed(packed)
    chunks = list(unpack_chunks(packed, 100))
    assert b"".join(chunks) == TEXT
    assert max(map(len, chunks)) <= 100


def test_bytes_behind_the_end_are_left_alone(packed: bytes) -> None:
    assert b"".join(unpack_chunks(memoryview(packed + b"junk"))) == TEXT


def test_an_empty_content_is_no_damage() -> None:
    assert [b"".join(unpack_chunks(pack(b""))) for pack in PACKERS.values()] == [b""] * len(PACKERS)


def test_a_bomb_unpacks_only_as_far_as_it_is_asked_to() -> None:
    pieces = unpack_chunks(lzma.compress(bytes(50_000_000)), 1000)
    assert [len(next(pieces)) for _ in range(3)] == [1000] * 3


def test_a_file_that_was_cut_says_so(packed: bytes) -> None:
    with pytest.raises(FormatError, match="cut off"):
        list(unpack_chunks(packed[:-10]))


@pytest.mark.parametrize("data", [b"", b"\x1f\x8b", b"BZ", b"BZhx", b"\xfd7zX", b"PK\x03\x04", b"\x78\x9c\x01"])
def test_other_bytes_are_refused(data: bytes) -> None:
    assert not is_compressed(data)
    with pytest.raises(FormatError):
        list(unpack_chunks(data))


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)
def test_damage_gives_bytes_or_a_format_error(pack: Callable[[bytes], bytes]) -> None:
    sample = pack(TEXT[:3000])
    refused = 0
    for damaged in [*prefixes(sample), *mutations(sample, 300)]:
        try:
            assert sum(map(len, unpack_chunks(damaged))) < 10 * len(TEXT)
        except FormatError:
            refused += 1
    assert refused > 100
