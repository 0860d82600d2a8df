"""An LZ4 block is decoded up to a size, whatever follows it."""

from __future__ import annotations

import random

import lz4.block
import pytest

from auditor.errors import FormatError
from auditor.formats.lz4_block import decode_lz4
from tests.builders.erofs import lz4_literals, lz4_run
from tests.builders.mangle import mutations, prefixes


def texts() -> list[bytes]:
    source = random.Random(7)
    words = [source.randbytes(source.randint(1, 40)) for _ in range(30)]
    mixed = b"".join(source.choice(words) * source.randint(1, 3) for _ in range(300))
    return [b"", b"x", b"abc" * 5_000, bytes(70_000), source.randbytes(3_000), mixed]


@pytest.mark.parametrize("data", texts(), ids=len)
@pytest.mark.parametrize("behind", [b"", b"\0" * 50, b"\xff" * 50])
def test_what_the_library_compresses_is_decoded(data: bytes, behind: bytes) -> None:
    block = lz4.block.compress(data, store_size=False)
    assert decode_lz4(block + behind, len(data)) == data


@pytest.mark.parametrize("size", [0, 1, 14, 15, 16, 269, 270, 271, 999])
def test_decoding_stops_at_the_size(size: int) -> None:
    data = random.Random(size).randbytes(1_000)
    assert decode_lz4(lz4_literals(data), size) == data[:size]
    assert decode_lz4(lz4_run(b"y", 1_000), size) == b"y" * size


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"\x10",
        b"\x1fa",
        b"\x1fa\x01",
        b"\x1fa\x00\x00",
        b"\x1fa\x02\x00",
        b"\xf0",
        b"\xf0\xff",
        b"\x1fa\x01\0\xff",
    ],
)
def test_a_damaged_block_is_refused(block: bytes) -> None:
    with pytest.raises(FormatError):
        decode_lz4(block, 1_000)


def test_damage_is_decoded_or_refused() -> None:
    whole = lz4.block.compress(texts()[-1], store_size=False)
    for block in (*prefixes(whole), *mutations(whole, 300)):
        try:
            assert len(decode_lz4(block, 8_000)) == 8_000
        except FormatError:
            continue
