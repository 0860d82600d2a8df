"""Reads compressed files: gzip, xz, bzip2, Zstandard, LZ4, lzma and Brotli, as apps and the images of devices use them.

Specification: RFC 1952 (gzip), the .xz file format 1.2.1, bzip2 1.0, RFC 8878 (Zstandard), LZ4 frame format 1.6.4 and
its legacy frame, RFC 7932 (Brotli), the .lzma file of LZMA Utils.

Not read: Zstandard with a dictionary or a window of more than 128 MiB; xz and lzma that need more than 128 MiB of
memory; Brotli with a large window; what frames hold that are to be skipped
"""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from collections.abc import Callable, Generator, Iterator
from enum import StrEnum
from typing import Protocol

from auditor.errors import FormatError
from auditor.formats.blob import Blob
from auditor.formats.compressed_blocks import unpack_lz4_legacy, unpack_zstd
from auditor.formats.source import BlobSource, Source
from auditor.limits import KIB, MIB

_GZIP, _XZ, _BZIP2 = b"\x1f\x8b\x08", b"\xfd7zXZ\x00", b"BZh"
_MEMORY = 128 * MIB
_STEP = 64 * KIB
_SKIPPABLE = struct.Struct("<II")
_SKIPPABLE_MAGIC = 0x184D2A50


class Compression(StrEnum):
    """How a file is compressed."""

    GZIP = "gzip"
    XZ = "xz"
    BZIP2 = "bzip2"
    ZSTD = "Zstandard"
    LZ4 = "LZ4"
    LZ4_LEGACY = "LZ4 (legacy frame)"
    LZMA = "lzma"
    BROTLI = "Brotli"


_MAGICS = (
    (_GZIP, Compression.GZIP),
    (_XZ, Compression.XZ),
    (b"\x28\xb5\x2f\xfd", Compression.ZSTD),
    (b"\x04\x22\x4d\x18", Compression.LZ4),
    (b"\x02\x21\x4c\x18", Compression.LZ4_LEGACY),
)
_NAMES = ((".br", Compression.BROTLI), (".lzma", Compression.LZMA))


class _Engine(Protocol):
    """What the decoders of the standard library have in common."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Gzip:
    """zlib's decoder in the shape of the others."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(31)
        self._full = False

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    @property
    def needs_input(self) -> bool:
        # A full piece may have more behind it even though all input was taken.
        return not self._inner.unconsumed_tail and not self._full

    def decompress(self, data: bytes, max_length: int) -> bytes:
        piece = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        self._full = len(piece) == max_length
        return piece


def is_compressed(head: Blob) -> bool:
    """Whether the bytes begin like a gzip, xz or bzip2 file, which apps carry code in."""
    return recognise_compression(head) in (Compression.GZIP, Compression.XZ, Compression.BZIP2)


def recognise_compression(head: Blob, name: str = "") -> Compression | None:
    """Tell by its first ten bytes how a file is compressed; lzma and Brotli, which have no mark, by its name."""
    start = bytes(head[:10])
    for magic, kind in _MAGICS:
        if start.startswith(magic):
            return kind
    if start.startswith(_BZIP2) and start[3:4].isdigit() and start[3:4] != b"0":
        return Compression.BZIP2
    return next((kind for suffix, kind in _NAMES if name.lower().endswith(suffix)), None)


def unpack_chunks(data: Blob, size: int = MIB) -> Iterator[bytes]:
    """Yield the unpacked bytes in pieces of at most ``size``; the caller bounds their sum.

    What stands behind the first member or stream is left alone: apps hide their keys there.

    Raises:
        FormatError: the bytes are neither gzip nor xz nor bzip2, damaged or cut off.
    """
    kind = recognise_compression(data)
    if kind not in (Compression.GZIP, Compression.XZ, Compression.BZIP2):
        raise FormatError("neither gzip nor xz nor bzip2", 0)
    yield from _decode(BlobSource(data), 0, kind, size)


def unpack_source(source: Source, kind: Compression, size: int = MIB) -> Iterator[bytes]:
    """Yield the unpacked bytes of all members, streams or frames, in pieces of at most ``size``.

    Raises:
        FormatError: the bytes are damaged or cut off, or others follow the compressed ones; raised once all that could
            be unpacked was yielded.
    """
    if kind is Compression.ZSTD:
        yield from unpack_zstd(source, size)
        return
    if kind is Compression.LZ4_LEGACY:
        yield from unpack_lz4_legacy(source, size)
        return
    if kind is Compression.BROTLI:
        yield from _unpack_brotli(source, size)
        return
    position = 0
    while True:
        position = yield from _decode(source, position, kind, size)
        position = _skip_notes(source, _skip_zeros(source, position), kind)
        if position >= source.size:
            return
        head = bytes(source.read(position, min(10, source.size - position)))
        if kind is Compression.LZMA or recognise_compression(head) is not kind:
            raise FormatError(f"{source.size - position} bytes behind the {kind} data are not read", position)


def _skip_zeros(source: Source, position: int) -> int:
    """Return where the next byte is that is not zero: streams are filled up."""
    while position < source.size:
        data = bytes(source.read(position, min(_STEP, source.size - position)))
        used = data.lstrip(b"\0")
        if used:
            return position + len(data) - len(used)
        position += len(data)
    return position


def _skip_notes(source: Source, position: int, kind: Compression) -> int:
    """Return where the first frame of LZ4 is that is not to be skipped."""
    while kind is Compression.LZ4 and position + 8 <= source.size:
        magic, length = _SKIPPABLE.unpack(bytes(source.read(position, 8)))
        if magic & ~0xF != _SKIPPABLE_MAGIC or position + 8 + length > source.size:
            break
        position += 8 + length
    return position


def _make_engine(kind: Compression) -> _Engine:
    if kind is Compression.GZIP:
        return _Gzip()
    if kind is Compression.XZ:
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MEMORY)
    if kind is Compression.LZMA:
        return lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=_MEMORY)
    if kind is Compression.BZIP2:
        return bz2.BZ2Decompressor()
    import lz4.frame

    engine: _Engine = lz4.frame.LZ4FrameDecompressor()
    return engine


def _decode(source: Source, position: int, kind: Compression, size: int) -> Generator[bytes, None, int]:
    """Yield the content of one stream and return where it ends."""
    engine = _make_engine(kind)
    while not engine.eof:
        given = b""
        if engine.needs_input:
            given = bytes(source.read(position, min(_STEP, source.size - position)))
            position += len(given)
            if not given:
                raise FormatError(f"the {kind} data is cut off", position)
        try:
            piece = engine.decompress(given, size)
        except (zlib.error, lzma.LZMAError, OSError, EOFError, RuntimeError, ValueError) as error:
            raise FormatError(f"damaged {kind} data: {error}", position) from error
        if piece:
            yield piece
    return position - len(engine.unused_data or b"")


def _unpack_brotli(source: Source, size: int) -> Iterator[bytes]:
    import brotli

    engine = brotli.Decompressor()
    process: Callable[..., bytes] = engine.process
    position = 0
    while not engine.is_finished():
        given = b""
        if engine.can_accept_more_data():
            given = bytes(source.read(position, min(_STEP, source.size - position)))
            position += len(given)
        try:
            piece = process(given, output_buffer_limit=size)
        except brotli.error as error:
            raise FormatError(f"damaged Brotli data, or others behind it: {error}", position) from error
        if not piece and not given and not engine.is_finished():
            raise FormatError("the Brotli data is cut off", position)
        for at in range(0, len(piece), size):
            yield piece[at : at + size]
    if _skip_zeros(source, position) < source.size:
        raise FormatError(f"{source.size - position} bytes behind the Brotli data are not read", position)
