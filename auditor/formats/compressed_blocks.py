"""Unpack Zstandard and the legacy frame of LZ4 block by block, so that no few bytes make much memory.

Specification: RFC 8878 (Zstandard), LZ4 frame format 1.6.4, "Legacy frame".

Not read: Zstandard with a dictionary, or with a window of more than 128 MiB; frames that are to be skipped.
"""

from __future__ import annotations

import struct
from collections.abc import Generator, Iterator

from auditor.errors import FormatError
from auditor.formats.source import Source
from auditor.limits import KIB, MIB

_ZSTD = 0xFD2FB528
_SKIPPABLE = 0x184D2A50
_SEEK_TABLE = b"\xb1\xea\x92\x8f"
_MOST_SKIPPED = 64 * KIB
"""Bytes of notes that are passed over without a word."""
_WORD = struct.Struct("<I")
_WINDOW = 128 * MIB
_BLOCKS = 8
"""Blocks given to the decoder at once; each unpacks to 128 KiB at most."""
_RLE = 1
_LEGACY = b"\x02\x21\x4c\x18"
_LEGACY_SIZE = 8 * MIB
_LEGACY_PACKED = _LEGACY_SIZE + _LEGACY_SIZE // 255 + 16


def _read(source: Source, offset: int, size: int, what: str) -> bytes:
    if offset + size > source.size:
        raise FormatError(f"the {what} data is cut off", source.size)
    return bytes(source.read(offset, size))


def unpack_zstd(source: Source, size: int) -> Iterator[bytes]:
    """Yield the content of all frames, in pieces of at most ``size``.

    Raises:
        FormatError: the bytes are damaged or cut off, or others follow the frames; or, once all was yielded, much lies
            in frames that are to be skipped.
    """
    position = skipped = 0
    while position < source.size:
        magic = _WORD.unpack(_read(source, position, 4, "Zstandard"))[0]
        if magic & ~0xF == _SKIPPABLE:
            length = _WORD.unpack(_read(source, position + 4, 4, "Zstandard"))[0]
            position += 8 + length
            if position > source.size:
                raise FormatError("the Zstandard data is cut off", source.size)
            # The table of contents of the seekable format may be large, and is known by its end.
            if length < 4 or bytes(source.read(position - 4, 4)) != _SEEK_TABLE:
                skipped += length
        elif magic == _ZSTD:
            position = yield from _unpack_frame(source, position, size)
        elif _is_zero(source, position):
            break
        else:
            raise FormatError(f"{source.size - position} bytes behind the Zstandard data are not read", position)
    if skipped > _MOST_SKIPPED:
        raise FormatError(f"{skipped} bytes in frames of Zstandard that say of themselves to be skipped are not read")


def _is_zero(source: Source, position: int) -> bool:
    """Whether only zeros follow, which fill an image up."""
    while position < source.size:
        data = source.read(position, min(MIB, source.size - position))
        if bytes(data).strip(b"\0"):
            return False
        position += len(data)
    return True


def _unpack_frame(source: Source, position: int, size: int) -> Generator[bytes, None, int]:
    """Yield the content of one frame and return where it ends."""
    import zstandard

    engine = zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompressobj()
    descriptor = _read(source, position + 4, 1, "Zstandard")[0]
    is_single = descriptor >> 5 & 1
    begin = position
    # Magic number, descriptor, window, dictionary, size of the content (section 3.1.1.1).
    position += 5 + (1 - is_single) + (0, 1, 2, 4)[descriptor & 3] + (is_single, 2, 4, 8)[descriptor >> 6]
    is_last = is_cut = False
    while not is_last and not is_cut:
        for _ in range(_BLOCKS):
            if position + 3 > source.size:
                break
            word = int.from_bytes(source.read(position, 3), "little")
            is_last, kind, length = bool(word & 1), word >> 1 & 3, word >> 3
            position += 3 + (1 if kind == _RLE else length)
            if is_last:
                position += 4 * (descriptor >> 2 & 1)
            if is_last or position > source.size:
                break
        # What is there of a frame that is cut off still comes out.
        is_cut = position > source.size or (not is_last and position + 3 > source.size)
        try:
            found = engine.decompress(bytes(source.read(begin, min(position, source.size) - begin)))
        except zstandard.ZstdError as error:
            raise FormatError(f"damaged Zstandard data: {error}", begin) from error
        begin = position
        for at in range(0, len(found), size):
            yield found[at : at + size]
    if is_cut:
        raise FormatError("the Zstandard data is cut off", source.size)
    if not engine.eof:
        raise FormatError("damaged Zstandard data: the frame does not end with its last block", begin)
    return position


def unpack_lz4_legacy(source: Source, size: int) -> Iterator[bytes]:
    """Yield the content of all legacy frames, in pieces of at most ``size``.

    Raises:
        FormatError: the bytes are damaged or cut off, or others follow the frames.
    """
    import lz4.block

    position, total = 4, 0
    if source.size < 4 or bytes(source.read(0, 4)) != _LEGACY:
        raise FormatError("no legacy frame of LZ4", 0)
    while position < source.size:
        word = _read(source, position, 4, "LZ4")
        packed = _WORD.unpack(word)[0]
        if word == _LEGACY:
            position += 4
            continue
        if position + 4 == source.size and packed == total & 0xFFFFFFFF:
            # The build of the kernel appends the size of the content.
            return
        if packed == 0 and _is_zero(source, position):
            return
        if packed == 0 or packed > _LEGACY_PACKED:
            raise FormatError(f"{source.size - position} bytes behind the LZ4 data are not read", position)
        data = _read(source, position + 4, packed, "LZ4")
        try:
            found = lz4.block.decompress(data, uncompressed_size=_LEGACY_SIZE)
        except lz4.block.LZ4BlockError as error:
            raise FormatError(f"damaged LZ4 data: {error}", position) from error
        total += len(found)
        position += 4 + packed
        for at in range(0, len(found), size):
            yield found[at : at + size]
