"""Compressed files of every kind come out whole, and damage is said."""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
import shutil
import struct
import subprocess
from collections.abc import Callable
from contextlib import suppress

import brotli
import lz4.block
import lz4.frame
import pytest
import zstandard

from auditor.errors import FormatError
from auditor.formats.compressed import (
    Compression,
    is_compressed,
    recognise_compression,
    unpack_chunks,
    unpack_source,
)
from auditor.formats.source import BlobSource
from tests.builders.mangle import mutations, prefixes
from tests.builders.sources import CountingSource

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


# All that images of devices come in.


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


def lz4_legacy(data: bytes) -> bytes:
    blocks = [lz4.block.compress(data[at : at + (8 << 20)], store_size=False) for at in range(0, len(data), 8 << 20)]
    return b"\x02\x21\x4c\x18" + b"".join(struct.pack("<I", len(item)) + item for item in blocks)


ALL: dict[Compression, Callable[[bytes], bytes]] = {
    Compression.GZIP: lambda data: gzip.compress(data, mtime=0),
    Compression.XZ: lzma.compress,
    Compression.BZIP2: bz2.compress,
    Compression.ZSTD: zstd,
    Compression.LZ4: lz4.frame.compress,
    Compression.LZ4_LEGACY: lz4_legacy,
    Compression.LZMA: lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    Compression.BROTLI: lambda data: brotli.compress(data, quality=4),
}
SEVERAL = [kind for kind in ALL if kind not in (Compression.LZMA, Compression.BROTLI)]
LONG_TEXT = TEXT * 15 + random.Random(1).randbytes(700_000)


def unpack(data: bytes, kind: Compression) -> bytes:
    return b"".join(unpack_source(BlobSource(data), kind))


@pytest.mark.parametrize("kind", ALL)
def test_every_stream_comes_out_whole(kind: Compression) -> None:
    packed = ALL[kind](LONG_TEXT)
    pieces = list(unpack_source(BlobSource(packed), kind))
    assert b"".join(pieces) == LONG_TEXT
    assert max(map(len, pieces)) <= 1 << 20
    assert unpack(ALL[kind](b""), kind) == b""


@pytest.mark.parametrize("kind", ALL)
def test_a_stream_is_told_by_its_mark_or_its_name(kind: Compression) -> None:
    name = {Compression.LZMA: "a.lzma", Compression.BROTLI: "system.new.dat.BR"}.get(kind, "a")
    assert recognise_compression(ALL[kind](TEXT)[:10], name) is kind
    assert recognise_compression(b"PK\x03\x04", "a.zip") is None


@pytest.mark.parametrize("kind", SEVERAL)
def test_streams_one_behind_the_other(kind: Compression) -> None:
    packed = ALL[kind](TEXT) + ALL[kind](b"") + ALL[kind](b"end")
    assert unpack(packed, kind) == TEXT + b"end"


@pytest.mark.parametrize("kind", [*SEVERAL, Compression.LZMA])
def test_zeros_fill_a_stream_up(kind: Compression) -> None:
    assert unpack(ALL[kind](TEXT) + bytes(8192), kind) == TEXT


@pytest.mark.parametrize("kind", [*SEVERAL, Compression.LZMA])
def test_what_stands_behind_a_stream_is_said_once_all_was_given(kind: Compression) -> None:
    given = []
    with pytest.raises(FormatError, match="not read"):
        given.extend(unpack_source(BlobSource(ALL[kind](TEXT) + b"\xee" * 64), kind))
    assert b"".join(given) == TEXT


@pytest.mark.parametrize("kind", ALL)
def test_what_comes_before_a_cut_is_given(kind: Compression) -> None:
    packed = ALL[kind](LONG_TEXT)
    given = []
    with pytest.raises(FormatError, match="cut off"):
        given.extend(unpack_source(BlobSource(packed[:-1000]), kind))
    assert LONG_TEXT.startswith(b"".join(given))
    # A block of the legacy frame of LZ4 is all or nothing, and here there is one.
    assert len(b"".join(given)) > 1_000_000 or kind is Compression.LZ4_LEGACY


def test_what_stands_behind_brotli_is_said() -> None:
    with pytest.raises(FormatError, match="behind"):
        unpack(ALL[Compression.BROTLI](TEXT) + b"\xee" * 64, Compression.BROTLI)


def test_skippable_frames_are_stepped_over() -> None:
    skipped = struct.pack("<II", 0x184D2A53, 5) + b"notes"
    assert unpack(zstd(TEXT) + skipped + zstd(b"end"), Compression.ZSTD) == TEXT + b"end"
    assert unpack(lz4.frame.compress(TEXT) + skipped + lz4.frame.compress(b"end"), Compression.LZ4) == TEXT + b"end"


def test_what_stands_behind_brotli_in_a_later_step_of_reading_is_said() -> None:
    noise = random.Random(1).randbytes(65536)
    packed = next(
        found for size in range(65536, 65400, -1) if len(found := brotli.compress(noise[:size], quality=1)) == 65536
    )
    assert noise.startswith(unpack(packed, Compression.BROTLI))
    assert noise.startswith(unpack(packed + bytes(99_999), Compression.BROTLI))
    with pytest.raises(FormatError, match="behind"):
        unpack(packed + b"PK\3\4", Compression.BROTLI)


def test_much_that_is_to_be_skipped_is_said() -> None:
    note = struct.pack("<II", 0x184D2A50, 100_000) + bytes(99_996)
    table = zstd(TEXT) + note + b"\xb1\xea\x92\x8f"
    assert unpack(table, Compression.ZSTD) == TEXT
    with pytest.raises(FormatError, match="100000 bytes in frames"):
        unpack(zstd(TEXT) + note + b"PK\3\4", Compression.ZSTD)


def test_the_size_behind_an_image_of_the_kernel() -> None:
    assert unpack(lz4_legacy(TEXT) + struct.pack("<I", len(TEXT)), Compression.LZ4_LEGACY) == TEXT


def test_a_window_that_is_too_large_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=28, enable_ldm=False)
    engine = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    packed = engine.compress(TEXT) + engine.flush()
    with pytest.raises(FormatError, match="Zstandard"):
        unpack(packed, Compression.ZSTD)


@pytest.mark.parametrize("kind", ALL)
def test_bombs_come_out_piece_by_piece(kind: Compression) -> None:
    pieces = unpack_source(BlobSource(ALL[kind](bytes(8_000_000))), kind)
    assert [len(next(pieces)) <= 1 << 20 for _ in range(3)] == [True] * 3


@pytest.mark.parametrize("kind", ALL)
def test_damaged_streams_give_bytes_or_a_format_error(kind: Compression) -> None:
    sample = ALL[kind](TEXT[:3000])
    for damaged in [*prefixes(sample), *mutations(sample, 300)]:
        source = CountingSource(damaged)
        with suppress(FormatError):
            assert sum(map(len, unpack_source(source, kind))) < 20_000_000
        assert source.bytes_read < 50 * len(sample) + 100_000


@pytest.mark.images
@pytest.mark.parametrize(
    ("command", "kind"),
    [
        (("gzip", "-9", "-c"), Compression.GZIP),
        (("xz", "-T2", "--block-size=100000", "-c"), Compression.XZ),
        (("xz", "--format=lzma", "-c"), Compression.LZMA),
        (("bzip2", "-c"), Compression.BZIP2),
        (("zstd", "-19", "-c"), Compression.ZSTD),
        (("zstd", "--long=27", "--no-check", "-c"), Compression.ZSTD),
        (("lz4", "-B4", "-BX", "-c"), Compression.LZ4),
        (("lz4", "-BD", "--content-size", "-c"), Compression.LZ4),
        (("lz4", "-l", "-c"), Compression.LZ4_LEGACY),
        (("brotli", "-5", "-c"), Compression.BROTLI),
    ],
)
def test_what_the_tools_write_comes_out_whole(command: tuple[str, ...], kind: Compression) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    packed = subprocess.run(command, input=LONG_TEXT * 2, capture_output=True, check=True).stdout
    assert unpack(packed, kind) == LONG_TEXT * 2
