"""Finds the DEX files in ahead-of-time compiled code: odex and oat files of Android 5 to 7, and odex of Dalvik before.

Specification: runtime/oat.h of AOSP, versions 039 (Android 5.0) to 088 (7.1); later ones leave the DEX files to vdex.
Dalvik: libdex/DexOptData.h and the DexOptHeader of libdex/DexFile.h
Not read: compiled code; the tables that say where each DEX file lies, which differ between versions: DEX headers are
looked for instead, and as many must be there as the OAT header states; OAT versions before 039. Checked with built
files, not with those of a device.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from auditor.errors import FormatError, LimitError, UnsupportedError
from auditor.formats.blob import Blob
from auditor.formats.elf import is_elf
from auditor.formats.vdex import DexView
from auditor.limits import DEFAULT, Limits

_OAT = re.compile(rb"oat\n([0-9]{3})\0")
_DEX = re.compile(rb"dex\n0[0-9]{2}\0")
_PAGE = 0x1000
"""The OAT header begins a page of the file, as the section it lies in does."""
_DEX_COUNT = 20
"""Where the OAT header states the number of DEX files, in every version."""
_FIRST, _LAST_WITH_DEX = 39, 88
_OPTIMIZED = re.compile(rb"dey\n[0-9]{3}\0")
_OPTIMIZED_HEADER = 40
_DEX_HEADER = 0x70
_LITTLE_ENDIAN = 0x12345678


@dataclass(frozen=True, slots=True)
class Oat:
    """One file of compiled code."""

    version: str
    """Three digits, as in the magic; empty for an optimized DEX of Dalvik."""
    dex_files: tuple[DexView, ...]
    """In the order of the file; empty where they lie in the vdex file beside it."""
    faults: tuple[str, ...]
    """Sentences on what could not be found and may hide DEX files; empty for a sound file."""


def is_optimized_dex(head: Blob) -> bool:
    """Whether the bytes begin like an odex file of Dalvik (Android 4.4 and before)."""
    return _OPTIMIZED.match(bytes(head[:8])) is not None


def parse_oat(data: Blob, limits: Limits = DEFAULT) -> Oat:
    """Find the DEX files of an ELF file with an OAT header, or of an optimized DEX; ``parse_dex_at`` reads them.

    Raises:
        UnsupportedError: an OAT version before Android 5.
        LimitError: more DEX files or bytes than ``limits`` allow.
        FormatError: neither of the two, or its header is cut off.
    """
    if len(data) > limits.member_size:
        raise LimitError(f"compiled code of {len(data)} bytes, more than {limits.member_size}")
    whole = data if isinstance(data, bytes) else bytes(data[:])
    if is_optimized_dex(whole):
        return _parse_optimized(whole)
    if not is_elf(whole):
        raise FormatError("neither ELF nor optimized DEX", 0)
    header = next((found for found in _OAT.finditer(whole) if found.start() % _PAGE == 0), None)
    if header is None:
        raise FormatError("an ELF file without an OAT header")
    version = header[1].decode("ascii")
    if int(version) < _FIRST:
        raise UnsupportedError(f"OAT version {version} is not read", header.start())
    if header.start() + _DEX_COUNT + 4 > len(whole):
        raise FormatError("the OAT header is cut off", header.start())
    (count,) = struct.unpack_from("<I", whole, header.start() + _DEX_COUNT)
    found, faults = _find_dex(whole, header.start(), limits)
    # From Android 8 on there is none here, whatever the header counts.
    if len(found) != count and (found or int(version) <= _LAST_WITH_DEX):
        faults.append(f"the OAT header counts {count} DEX files, {len(found)} were found")
    return Oat(version, tuple(found), tuple(faults))


def _find_dex(data: bytes, start: int, limits: Limits) -> tuple[list[DexView], list[str]]:
    found: list[DexView] = []
    faults: list[str] = []
    position = start
    while (match := _DEX.search(data, position)) is not None:
        offset = match.start()
        size, plausible = _read_size(data, offset)
        if not plausible:
            position = match.end()
            continue
        if len(found) >= limits.dex_files:
            raise LimitError(f"more than {limits.dex_files} DEX files in one", offset)
        if offset + size > len(data):
            faults.append(f"the DEX file at {offset:#x} ends {offset + size - len(data)} bytes behind the file")
            size = len(data) - offset
        found.append(DexView(offset, size, compact=False))
        # A DEX file may hold the bytes of another one as data, which is not code of its own.
        position = offset + size
    return found, faults


def _read_size(data: bytes, offset: int) -> tuple[int, bool]:
    """file_size of a DEX header, and whether it is one rather than the same letters in other data."""
    if offset + _DEX_HEADER > len(data):
        return 0, False
    size, header_size, tag = struct.unpack_from("<3I", data, offset + 32)
    return size, size >= _DEX_HEADER and header_size == _DEX_HEADER and tag == _LITTLE_ENDIAN


def _parse_optimized(data: bytes) -> Oat:
    if len(data) < _OPTIMIZED_HEADER:
        raise FormatError("the header of the optimized DEX is cut off", 0)
    offset, size = struct.unpack_from("<2I", data, 8)
    if offset < _OPTIMIZED_HEADER or offset >= len(data):
        raise FormatError(f"the optimized DEX puts its DEX file at {offset:#x}", 8)
    faults = []
    if offset + size > len(data):
        faults.append(f"the DEX file ends {offset + size - len(data)} bytes behind the file")
        size = len(data) - offset
    return Oat("", (DexView(offset, size, compact=False),), tuple(faults))
