"""CRC-32C agrees with the RFC and with a computation bit by bit, whatever the length."""

from __future__ import annotations

import random

import pytest

from auditor.formats.crc32c import crc32c
from tests.builders import crc32c as bitwise


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", 0),
        (b"123456789", 0xE3069283),
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
    ],
)
def test_the_examples_of_the_rfc(data: bytes, expected: int) -> None:
    assert crc32c(data) ^ 0xFFFFFFFF == expected


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 127, 256, 1023, 1024, 1025, 1026, 1028, 2047, 4084])
def test_every_length_and_state(size: int) -> None:
    dice = random.Random(size)
    data, state = dice.randbytes(size), dice.getrandbits(32)
    assert crc32c(data, state) == bitwise.crc32c(data, state)
    assert crc32c(memoryview(data), state) == bitwise.crc32c(data, state)


def test_a_checksum_is_continued() -> None:
    data = bytes(range(256)) * 5
    assert crc32c(data[700:], crc32c(data[:700])) == crc32c(data)
