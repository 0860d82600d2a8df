"""Unpacks the compressed clusters of files in F2FS images.

Specification: Linux Documentation/filesystems/f2fs.rst, "Compression implementation".

Not read: LZO and LZO-RLE; the checksum of packed bytes (what unpacks to the size due is taken).
"""

from __future__ import annotations

import struct
from typing import Any

from auditor.errors import FormatError, UnsupportedError

_HEADER = struct.Struct("<II16x")
_ALGORITHMS = {0: "LZO", 1: "LZ4", 2: "Zstandard", 3: "LZO-RLE"}
_LZ4, _ZSTANDARD = 1, 2


def refuse_algorithm(algorithm: int) -> str:
    """Why clusters of an algorithm cannot be read; empty: they can."""
    if algorithm in (_LZ4, _ZSTANDARD):
        return ""
    return f"compressed with {_ALGORITHMS.get(algorithm, f'algorithm {algorithm}')}, which is not read"


def unpack_cluster(packed: bytes, algorithm: int, size: int) -> bytes:
    """Unpack one cluster to the ``size`` that all of them have.

    Raises:
        FormatError: it is damaged, or of another size.
        UnsupportedError: another algorithm.
    """
    refusal = refuse_algorithm(algorithm)
    if refusal:
        raise UnsupportedError(refusal)
    if len(packed) < _HEADER.size:
        raise FormatError("a compressed cluster without data")
    length = _HEADER.unpack_from(packed)[0]
    if length > len(packed) - _HEADER.size:
        raise FormatError(f"a compressed cluster states {length} bytes and has {len(packed) - _HEADER.size}")
    body = packed[_HEADER.size : _HEADER.size + length]
    unpacked = _unpack_lz4(body, size) if algorithm == _LZ4 else _unpack_zstandard(body, size)
    if len(unpacked) != size:
        raise FormatError(f"a compressed cluster holds {len(unpacked)} bytes where {size} are due")
    return unpacked


def _unpack_lz4(body: bytes, size: int) -> bytes:
    import lz4.block

    try:
        return bytes(lz4.block.decompress(body, uncompressed_size=size))
    except (lz4.block.LZ4BlockError, ValueError, MemoryError) as error:
        raise FormatError(f"a damaged compressed cluster: {error}") from error


def _unpack_zstandard(body: bytes, size: int) -> bytes:
    import zstandard

    engine: Any = zstandard.ZstdDecompressor(max_window_size=1 << 27)
    try:
        with engine.stream_reader(body) as reader:
            return bytes(reader.read(size + 1))
    except (zstandard.ZstdError, ValueError, MemoryError) as error:
        raise FormatError(f"a damaged compressed cluster: {error}") from error
