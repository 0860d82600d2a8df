"""Reads single compressed files (gzip, xz, bzip2), which apps use to carry code that a loader unpacks.

Specification: RFC 1952 (gzip), the .xz file format 1.2.1, the bzip2 stream as of bzip2 1.0.
Not read: members or streams behind the first one; lzma without a container; Zstandard; Brotli; xz files that need more
than 128 MiB of memory
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Iterator

from auditor.errors import FormatError
from auditor.formats.blob import Blob
from auditor.limits import KIB, MIB

_GZIP, _XZ, _BZIP2 = b"\x1f\x8b\x08", b"\xfd7zXZ\x00", b"BZh"
_MEMORY = 128 * MIB
_STEP = 64 * KIB


def is_compressed(head: Blob) -> bool:
    """Whether the bytes begin like a gzip, xz or bzip2 file."""
    start = bytes(head[:6])
    return start.startswith((_GZIP, _XZ)) or (start.startswith(_BZIP2) and start[3:4].isdigit())


def unpack_chunks(data: Blob, size: int = MIB) -> Iterator[bytes]:
    """Yield the unpacked bytes in pieces of at most ``size``; the caller bounds their sum.

    Raises:
        FormatError: the bytes are of none of these formats, damaged or cut off.
    """
    start = bytes(data[:6])
    if start.startswith(_GZIP):
        yield from _inflate(data, size)
    elif start.startswith(_XZ):
        yield from _decode(data, lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MEMORY), size)
    elif is_compressed(start):
        yield from _decode(data, bz2.BZ2Decompressor(), size)
    else:
        raise FormatError("neither gzip nor xz nor bzip2", 0)


def _inflate(data: Blob, size: int) -> Iterator[bytes]:
    engine = zlib.decompressobj(31)
    position = 0
    pending = b""
    try:
        while not engine.eof:
            if not pending:
                pending = bytes(data[position : position + _STEP])
                position += len(pending)
            chunk = engine.decompress(pending, size)
            pending = engine.unconsumed_tail
            if chunk:
                yield chunk
            elif not pending and position >= len(data) and not engine.eof:
                raise FormatError("the gzip file is cut off", position)
    except zlib.error as error:
        raise FormatError(f"damaged gzip file: {error}", position) from error


def _decode(data: Blob, engine: lzma.LZMADecompressor | bz2.BZ2Decompressor, size: int) -> Iterator[bytes]:
    position = 0
    try:
        while not engine.eof:
            given = b""
            if engine.needs_input:
                given = bytes(data[position : position + _STEP])
                position += len(given)
                if not given:
                    raise FormatError("the compressed file is cut off", position)
            chunk = engine.decompress(given, size)
            if chunk:
                yield chunk
    except (lzma.LZMAError, OSError, EOFError) as error:
        raise FormatError(f"damaged compressed file: {error}", position) from error
