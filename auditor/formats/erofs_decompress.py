"""Decompress one physical cluster of an EROFS image to the size its extent states.

Specification: Linux, EROFS on-disk format (Documentation/filesystems/erofs); LZ4 Block Format; LZMA as of xz's
MicroLZMA; RFC 1951; RFC 8878.
Not read: clusters beyond the sizes Linux accepts (1 MiB stored, 12 MiB decoded).
"""

from __future__ import annotations

import lzma
import zlib
from enum import IntEnum
from typing import Any

from auditor.errors import FormatError, LimitError
from auditor.formats.lz4_block import decode_lz4
from auditor.limits import KIB, MIB

STORED_SIZE = 2 * MIB
DECODED_SIZE = 12 * MIB
_WINDOW = 16 * MIB
_LZ4_RATIO = 256
"""An LZ4 block cannot hold more than about 255 bytes for each of its own."""
_LZMA_PROPERTIES = 9 * 5 * 5


class Algorithm(IntEnum):
    """How a cluster is compressed, as the map header counts."""

    LZ4 = 0
    MICROLZMA = 1
    DEFLATE = 2
    ZSTANDARD = 3


class Decompressor:
    """Decodes clusters of one image."""

    def __init__(self, *, zero_padded: bool) -> None:
        self._zero_padded = zero_padded
        self._lz4: Any = None
        self._zstandard: Any = None

    def decode(self, algorithm: Algorithm, stored: bytes, size: int, *, partial: bool) -> bytes:
        """Decode ``size`` bytes; ``partial`` when the cluster holds more than that.

        Raises:
            FormatError: the cluster is damaged, or does not hold that much.
            LimitError: the sizes are beyond what the format allows.
        """
        if size > DECODED_SIZE or len(stored) > STORED_SIZE:
            raise LimitError(f"a compressed extent of {size} bytes in {len(stored)}")
        match algorithm:
            case Algorithm.LZ4:
                found = self._decode_lz4(stored, size, partial)
            case Algorithm.MICROLZMA:
                found = _decode_microlzma(stored.lstrip(b"\0"), size)
            case Algorithm.DEFLATE:
                found = _decode_deflate(stored.lstrip(b"\0"), size)
            case Algorithm.ZSTANDARD:
                found = self._decode_zstandard(stored.lstrip(b"\0"), size)
        if len(found) != size:
            raise FormatError(f"a compressed extent of {size} bytes holds {len(found)}")
        return found

    def _decode_lz4(self, stored: bytes, size: int, partial: bool) -> bytes:
        # Images from before Linux 5.4 put the block at the start of the cluster: where it ends is not said.
        if not self._zero_padded:
            return decode_lz4(stored, size)
        if self._lz4 is None:
            import lz4.block

            self._lz4 = lz4.block
        block = stored.lstrip(b"\0")
        try:
            if not partial:
                return bytes(self._lz4.decompress(block, uncompressed_size=size))
            room = min(max(size, len(block) * _LZ4_RATIO), DECODED_SIZE)
            return bytes(self._lz4.decompress(block, uncompressed_size=room)[:size])
        except (self._lz4.LZ4BlockError, ValueError) as error:
            raise FormatError("a damaged LZ4 cluster") from error

    def _decode_zstandard(self, stored: bytes, size: int) -> bytes:
        import zstandard

        if self._zstandard is None:
            self._zstandard = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
        try:
            # Reading a stream never takes the size that the frame states for its own.
            with self._zstandard.stream_reader(stored) as reader:
                return bytes(reader.read(size))
        except zstandard.ZstdError as error:
            raise FormatError("a damaged Zstandard cluster") from error


def _decode_microlzma(stored: bytes, size: int) -> bytes:
    properties = stored[0] ^ 0xFF if stored else _LZMA_PROPERTIES
    if properties >= _LZMA_PROPERTIES:
        raise FormatError("a damaged MicroLZMA cluster")
    # The dictionary need not be larger than what is decoded.
    options = {
        "id": lzma.FILTER_LZMA1,
        "dict_size": max(size, 4 * KIB),
        "lc": properties % 9,
        "lp": properties // 9 % 5,
        "pb": properties // 45,
    }
    try:
        engine = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[options])
        return engine.decompress(b"\0" + stored[1:], size)
    except (lzma.LZMAError, EOFError) as error:
        raise FormatError("a damaged MicroLZMA cluster") from error


def _decode_deflate(stored: bytes, size: int) -> bytes:
    try:
        return zlib.decompressobj(-15).decompress(stored, size)
    except zlib.error as error:
        raise FormatError("a damaged DEFLATE cluster") from error
