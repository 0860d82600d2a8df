"""Finds and reads the central directory of a zip archive; ``zip.py`` reads the members.

Specification: APPNOTE.TXT 6.3.10 of PKWARE, sections 4.3.12 to 4.3.16 and 4.5.3.
Not read: split (multi-disk) archives; an encrypted central directory; Unicode path extra fields
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from auditor.errors import FormatError
from auditor.formats.blob import Blob
from auditor.limits import KIB, MIB, Limits

ENCRYPTED_FLAG = 0x0001
_CENTRAL_MAGIC = b"PK\x01\x02"
END_MAGIC = b"PK\x05\x06"
_END64_MAGIC = b"PK\x06\x06"
_LOCATOR_MAGIC = b"PK\x06\x07"

_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END = struct.Struct("<4xHHHHIIH")
_END64 = struct.Struct("<4xQHHIIQQQQ")
_LOCATOR = struct.Struct("<4xIQI")

_ZIP64_EXTRA = 0x0001
_U16 = 0xFFFF
_U32 = 0xFFFFFFFF

_END_SEARCH = 1 * MIB
END_SPAN = _END_SEARCH + 64 * KIB + 22
"""Bytes from the end of a file in which the end of a directory is looked for."""
"""How far from the end of the data the end of central directory is looked for (the format needs 64 KiB)."""
_END_CANDIDATES = 64


class Entry(NamedTuple):
    """One record of the central directory; a tuple, because archives have many."""

    name: str
    """UTF-8 where the bytes are valid UTF-8 whatever the flag says, else code page 437."""
    raw_name: bytes
    method: int
    flags: int
    crc32: int
    compressed_size: int
    size: int
    header_offset: int
    """Of the local header, in the data handed to parse_zip."""
    external_attributes: int

    @property
    def is_directory(self) -> bool:
        """Whether the name says so, as both platforms decide."""
        return self.raw_name.endswith(b"/")

    @property
    def is_link(self) -> bool:
        """Whether the Unix mode is that of a symbolic link."""
        return (self.external_attributes >> 28) == 0o12

    @property
    def claims_encryption(self) -> bool:
        """Whether the flag is set; Android ignores it, so a claim alone proves nothing."""
        return bool(self.flags & ENCRYPTED_FLAG)


class End(NamedTuple):
    """The end of central directory, its offsets already corrected for a prefix."""

    offset: int
    entry_count: int
    directory_offset: int
    directory_size: int
    shift: int
    comment: bytes
    ends_at: int


def find_end(data: Blob) -> End:
    """Return the last end record that leads to a central directory; one that ends the data exactly goes first."""
    total = len(data)
    start = max(0, total - END_SPAN)
    tail = bytes(data[start:total])
    position = len(tail)
    fallback: End | None = None
    for _ in range(_END_CANDIDATES):
        position = tail.rfind(END_MAGIC, 0, position + len(END_MAGIC) - 1)
        if position < 0:
            break
        end = _read_end(data, start + position)
        if end is not None and end.ends_at == total:
            return end
        fallback = fallback or end
    if fallback is None:
        raise FormatError("no end of central directory was found: not a zip archive, or cut off")
    return fallback


def _read_end(data: Blob, offset: int) -> End | None:
    """Read one candidate; None where it leads to no central directory."""
    if offset + _END.size > len(data):
        return None
    _, _, _, count, size, start, comment_size = _END.unpack_from(data, offset)
    before = offset
    if count == _U16 or size == _U32 or start == _U32:
        wide = _read_end64(data, offset)
        if wide is not None:
            before, count, size, start = wide
    comment = bytes(data[offset + _END.size : offset + _END.size + comment_size])
    ends_at = offset + _END.size + comment_size
    # Android takes the written offset as absolute; a self-extracting prefix moves the directory up against the end.
    for place in (start, before - size):
        if place < 0 or size > before or place + size > before:
            continue
        if bytes(data[place : place + 4]) == _CENTRAL_MAGIC or (size == 0 and count == 0):
            return End(offset, count, place, size, place - start, comment, ends_at)
    return None


def _read_end64(data: Blob, end_offset: int) -> tuple[int, int, int, int] | None:
    """Return offset, count, size and start of the ZIP64 end record before an ordinary one, if there is one."""
    locator = end_offset - _LOCATOR.size
    if locator < 0 or bytes(data[locator : locator + 4]) != _LOCATOR_MAGIC:
        return None
    _, written, _ = _LOCATOR.unpack_from(data, locator)
    for place in (written, locator - _END64.size):
        if place < 0 or place + _END64.size > locator or bytes(data[place : place + 4]) != _END64_MAGIC:
            continue
        count, size, start = _END64.unpack_from(data, place)[6:]
        return place, count, size, start
    return None


def parse_directory(directory: bytes, end: End, limits: Limits) -> tuple[list[Entry], str]:
    """Return the records and, where the list breaks off, why. The count in the end record is not trusted."""
    entries: list[Entry] = []
    unpack, fixed, total = _CENTRAL.unpack_from, _CENTRAL.size, len(directory)
    offset, shift = 0, end.shift
    while offset + fixed <= total:
        (
            magic,
            _,
            _,
            flags,
            method,
            _,
            _,
            crc,
            packed,
            size,
            name_size,
            extra_size,
            comment_size,
            _,
            _,
            attributes,
            at,
        ) = unpack(directory, offset)
        if magic != _CENTRAL_MAGIC:
            break
        if len(entries) >= limits.zip_entries:
            return entries, f"only the first {limits.zip_entries} entries of the central directory were read"
        name_at = offset + fixed
        extra_at = name_at + name_size
        offset = extra_at + extra_size + comment_size
        if extra_at > total:
            break
        raw = directory[name_at:extra_at]
        if size == _U32 or packed == _U32 or at == _U32:
            packed, size, at = _widen(directory[extra_at : extra_at + extra_size], packed, size, at)
        try:
            name = raw.decode()
        except UnicodeDecodeError:
            name = raw.decode("cp437")
        entries.append(Entry(name, raw, method, flags, crc, packed, size, at + shift, attributes))
    if len(entries) < end.entry_count:
        return entries, f"the central directory breaks off after {len(entries)} of {end.entry_count} entries"
    return entries, ""


def _widen(extra: bytes, packed: int, size: int, at: int) -> tuple[int, int, int]:
    """Take the 64-bit values of a ZIP64 extra field for those fields that say so (APPNOTE 4.5.3)."""
    offset = 0
    while offset + 4 <= len(extra):
        tag, length = struct.unpack_from("<HH", extra, offset)
        offset += 4
        if tag == _ZIP64_EXTRA:
            body = extra[offset : offset + length]
            wide = iter(struct.unpack(f"<{min(len(body) // 8, 3)}Q", body[: min(len(body) // 8, 3) * 8]))
            size = next(wide, size) if size == _U32 else size
            packed = next(wide, packed) if packed == _U32 else packed
            at = next(wide, at) if at == _U32 else at
            break
        offset += length
    return packed, size, at
