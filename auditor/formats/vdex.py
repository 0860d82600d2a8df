"""Finds the DEX files in a vdex file, where system images keep the code that their APKs were stripped of.

Specification: runtime/vdex_file.h of AOSP, the releases Android 8.0 (006), 8.1 (010), 9 (019), 10 and 11 (021) and from
12 on (027)
Not read: versions of previews between those; verifier dependencies, quickening tables, type lookup tables, checksums.
Checked with built files, not with those of a device; Android 11's own reader finds the same in those of version 021.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass

from auditor.errors import FormatError, LimitError, UnsupportedError
from auditor.formats.blob import Blob
from auditor.formats.dex import is_dex
from auditor.limits import DEFAULT, Limits

_MAGIC = b"vdex"
_WORD = 4
_DEX_HEADER = 0x70
_FILE_SIZE = 32
"""Where a DEX header states the size of its file."""
_ENDIAN_TAG = 40
_LITTLE_ENDIAN = 0x12345678
_ANY_DEX = re.compile(rb"(?:dex\n|cdex)[0-9]{3}\0")
_SECTION_EMPTY, _SECTION_VERSION = b"000\0", b"002\0"
_CHECKSUMS, _DEX_FILES = 0, 1
"""Kinds of section."""
_SECTIONS = 64
"""Sections of one file; version 027 has four."""


@dataclass(frozen=True, slots=True)
class DexView:
    """Where a DEX lies in a file of compiled code."""

    offset: int
    size: int
    """As its header states it, cut to what is there; without the data that compact DEX files share."""
    compact: bool


@dataclass(frozen=True, slots=True)
class Vdex:
    """One vdex file."""

    version: str
    """Three digits, as in the magic."""
    dex_files: tuple[DexView, ...]
    """In the order of the file; empty where the code stayed in the APK."""
    faults: tuple[str, ...]
    """Sentences on what could not be found and may hide DEX files; empty for a sound file."""


@dataclass(frozen=True, slots=True)
class _Section:
    """The part of a file that holds DEX files."""

    count: int
    start: int
    end: int
    shares_end: bool = False
    """Whether data that compact DEX files share may lie behind the last one."""


def is_vdex(head: Blob) -> bool:
    """Whether the bytes begin like a vdex file of any version."""
    start = bytes(head[:8])
    return start[:4] == _MAGIC and start[4:7].isdigit() and start[7:] == b"\0"


def parse_vdex(data: Blob, limits: Limits = DEFAULT) -> Vdex:
    """Find the DEX files; ``parse_dex_at`` reads them.

    Raises:
        UnsupportedError: a version that no release of Android writes.
        LimitError: more DEX files or bytes than ``limits`` allow.
        FormatError: no vdex file, or its header is cut off.
    """
    if len(data) > limits.member_size:
        raise LimitError(f"vdex file of {len(data)} bytes, more than {limits.member_size}")
    if not is_vdex(data):
        raise FormatError("no vdex magic", 0)
    version = bytes(data[4:7]).decode("ascii")
    reader = _READERS.get(version)
    if reader is None:
        raise UnsupportedError(f"vdex version {version} is not read", 4)
    section = reader(data)
    if section.count > limits.dex_files:
        raise LimitError(f"vdex of {section.count} DEX files, more than {limits.dex_files}", 8)
    found, faults = _walk(data, section) if section.end > section.start else ((), ())
    hidden = None if found or faults else _find_next(data, 0, len(data))
    if hidden is not None:
        faults = (f"a DEX file at {hidden:#x}, where the header says that there is none",)
    return Vdex(version, found, faults)


def _words(data: Blob, offset: int, count: int) -> tuple[int, ...]:
    raw = bytes(data[offset : offset + count * _WORD])
    if len(raw) < count * _WORD:
        raise FormatError("the header of the vdex file is cut off", offset)
    return struct.unpack(f"<{count}I", raw)


def _read_oreo(data: Blob) -> _Section:
    """Versions 006 and 010: sizes in the header, checksums, DEX files."""
    count, dex_size, _, _ = _words(data, 8, 4)
    start = 24 + count * _WORD
    return _Section(count, start, start + dex_size)


def _read_pie(data: Blob) -> _Section:
    """Version 019: a header of the verifier dependencies, checksums, and a header of the DEX files if there are any."""
    return _read_split(data, 20)


def _read_ten(data: Blob) -> _Section:
    """Version 021: as 019 with two more sizes."""
    return _read_split(data, 28)


def _read_split(data: Blob, header_size: int) -> _Section:
    section_version = bytes(data[8:12])
    count, *_ = _words(data, 12, (header_size - 12) // _WORD)
    header = header_size + count * _WORD
    if section_version == _SECTION_EMPTY:
        return _Section(count, header, header)
    if section_version != _SECTION_VERSION:
        raise UnsupportedError(f"vdex with a DEX section of version {section_version!r} is not read", 8)
    dex_size, _, _ = _words(data, header, 3)
    start = header + 3 * _WORD
    return _Section(count, start, start + dex_size)


def _read_sections(data: Blob) -> _Section:
    """Version 027: a table of sections, in any order."""
    (number,) = _words(data, 8, 1)
    if number > _SECTIONS:
        raise FormatError(f"vdex of {number} sections", 8)
    table = _words(data, 12, 3 * number)
    found = {table[at]: (table[at + 1], table[at + 2]) for at in range(0, len(table), 3)}
    if len(found) < number or not {_CHECKSUMS, _DEX_FILES} <= found.keys():
        raise FormatError("the sections of the vdex file are damaged", 12)
    start, size = found[_DEX_FILES]
    return _Section(found[_CHECKSUMS][1] // _WORD, start, start + size, shares_end=True)


_READERS: dict[str, Callable[[Blob], _Section]] = {
    "006": _read_oreo,
    "010": _read_oreo,
    "019": _read_pie,
    "021": _read_ten,
    "027": _read_sections,
}


def _walk(data: Blob, section: _Section) -> tuple[tuple[DexView, ...], tuple[str, ...]]:
    """The DEX files one behind the other; whatever is not as the header says becomes a fault."""
    found: list[DexView] = []
    faults: list[str] = []
    position, end = section.start, min(section.end, len(data))
    if section.end > len(data):
        faults.append(f"the DEX files end {section.end - len(data)} bytes behind the file")
    for number in range(section.count):
        start = _find_header(data, position, end)
        if start is None:
            faults.append(f"no DEX file at {position:#x}, where number {number + 1} of {section.count} should begin")
            start = _find_next(data, position, end)
        if start is None:
            return tuple(found), tuple(faults)
        (size,) = _words(data, start + _FILE_SIZE, 1)
        if size < _DEX_HEADER or start + size > end:
            faults.append(f"the DEX file at {start:#x} states {size} bytes, {end - start} are there")
            size = end - start
        found.append(DexView(start, size, bytes(data[start : start + 4]) == b"cdex"))
        position = start + size + -(start + size) % _WORD
    shared = section.shares_end and any(view.compact for view in found)
    if end - position >= _WORD and not shared:
        faults.append(f"{end - position} bytes behind the last of {section.count} DEX files")
    return tuple(found), tuple(faults)


def _find_header(data: Blob, position: int, end: int) -> int | None:
    """Where a DEX begins: Android 9 to 11 put the offset of its quickening table before each."""
    for start in (position, position + _WORD):
        if start + _DEX_HEADER <= end and is_dex(data[start : start + 8]):
            return start
    return None


def _find_next(data: Blob, position: int, end: int) -> int | None:
    """Where another DEX begins behind damage, so that the rest can be read; by its magic and byte order."""
    for match in _ANY_DEX.finditer(data, position, end):
        start = match.start()
        if start + _DEX_HEADER <= end and _words(data, start + _ENDIAN_TAG, 1) == (_LITTLE_ENDIAN,):
            return start
    return None
