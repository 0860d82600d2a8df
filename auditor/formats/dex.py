"""Reads DEX files: the classes a file defines and the strings it holds.

Specification: https://source.android.com/docs/core/runtime/dex-format; compact DEX: libdexfile/dex/compact_dex_file.h
of AOSP, Android 9 to 13
Not read: code, fields, methods, prototypes, annotations, debug data; compact DEX outside vdex files (its reader was
checked with built files, which Android 11's own reader takes, not with those of a device); reversed byte order;
checksums.
"""

from __future__ import annotations

import re
import sys
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, replace

from auditor.errors import FormatError, LimitError, UnsupportedError
from auditor.formats.blob import Blob
from auditor.formats.dex_layout import find_contradictions, find_disorder
from auditor.formats.dex_strings import DexStrings
from auditor.formats.dex_tables import CLASS_WORDS, NO_INDEX, WORD, DexClasses, Tables, parse_words
from auditor.limits import DEFAULT, Limits

_MAGIC_SIZE = 8
_MAGIC = re.compile(rb"dex\n([0-9]{3})\0")
_COMPACT = re.compile(rb"cdex([0-9]{3})\0")
_VERSIONS = frozenset(f"{number:03}" for number in range(35, 42))
_HEADER_SIZE = 0x70
_CONTAINER_VERSION = "041"
_CONTAINER_HEADER_SIZE = 0x78
_LITTLE_ENDIAN = 0x12345678
_REVERSED = 0x78563412

# Positions of header fields, counted in u32; a table is its size with its offset behind it.
_FILE_SIZE = 8
_HEADER_SIZE_FIELD = 9
_ENDIAN_TAG = 10
_STRING_IDS = 14
_TYPE_IDS = 16
_CLASS_DEFS = 24
_DATA = 26
_CONTAINER_SIZE = 28
_HEADER_OFFSET = 29
_COMPACT_VERSION = "001"
_COMPACT_HEADER_SIZE = 0x88


@dataclass(frozen=True, slots=True, eq=False)
class Dex:
    """One DEX file, or one logical DEX of a container; it keeps the bytes it was read from."""

    version: str
    """Three digits, as in the magic."""
    offset: int
    """Where its header lies in the bytes it was read from; every other offset counts from the same place."""
    size: int
    """file_size of the header, cut to what is there."""
    classes: DexClasses
    """Classes defined here (never merely referenced), dotted."""
    strings: DexStrings
    faults: tuple[str, ...]
    """Sentences on what could not be read and may hide names; empty for a sound file."""

    def superclass_of(self, name: str) -> str | None:
        """Dotted name of the superclass of a class defined here."""
        return self.classes.superclass_of(name)

    def interfaces_of(self, name: str) -> tuple[str, ...]:
        """Dotted names of the interfaces a class defined here implements itself."""
        return self.classes.interfaces_of(name)

    def iter_raw_strings(self) -> Iterator[bytes]:
        """Every string as MUTF-8 bytes, without its length, in the order of string_ids."""
        return self.strings.iter_raw()


def is_dex(data: Blob) -> bool:
    """Whether ``data`` begins like a DEX or compact DEX file of any version."""
    start = bytes(data[:_MAGIC_SIZE])
    return _MAGIC.match(start) is not None or _COMPACT.match(start) is not None


def parse_dex(data: Blob, limits: Limits = DEFAULT) -> Dex:
    """Read the DEX at the start of ``data``; ``parse_dex_container`` reads those behind it, too.

    Raises:
        UnsupportedError: compact DEX, an unknown version, reversed byte order.
        LimitError: more strings, classes or bytes than ``limits`` allow.
        FormatError: no DEX header.
    """
    return _parse_at(_as_bytes(data, limits), 0, limits)


def parse_dex_container(data: Blob, limits: Limits = DEFAULT) -> tuple[Dex, ...]:
    """Read every DEX of ``data``: the logical files of a v41 container, or files that follow one another directly.

    What is unreadable behind the first DEX becomes a fault of the one before it.

    Raises:
        FormatError: as ``parse_dex`` does for the first DEX.
    """
    whole = _as_bytes(data, limits)
    found = [_parse_at(whole, 0, limits)]
    while (position := _next_header(whole, found[-1])) is not None:
        try:
            if len(found) >= limits.dex_files:
                raise LimitError(f"more than {limits.dex_files} DEX files in one", position)
            found.append(_parse_at(whole, position, limits))
        except FormatError as error:
            fault = f"the DEX behind this one cannot be read: {error}"
            found[-1] = replace(found[-1], faults=(*found[-1].faults, fault))
            break
    return tuple(found)


def parse_dex_at(data: Blob, offset: int, limits: Limits = DEFAULT) -> Dex:
    """Read the DEX or compact DEX at ``offset`` of a file of compiled code, with offsets that count from its start.

    Its code is not to be read: the compiler may have replaced instructions, and compact DEX writes them in another way.

    Raises:
        UnsupportedError: an unknown version, reversed byte order.
        LimitError: more strings, classes or bytes than ``limits`` allow.
        FormatError: no DEX header there, or a compact DEX whose data lies outside the file.
    """
    whole = _as_bytes(data, limits)
    if _COMPACT.match(whole, offset) is not None:
        return _parse_compact(whole, offset, limits)
    return _parse_at(whole, offset, limits, compiled=True)


def _as_bytes(data: Blob, limits: Limits) -> bytes:
    """The bytes themselves, copied only if they are not bytes already (so that a Dex can be pickled)."""
    if len(data) > limits.member_size:
        raise LimitError(f"DEX of {len(data)} bytes, more than {limits.member_size}")
    if isinstance(data, bytes):
        return data
    if isinstance(data, memoryview):
        if isinstance(data.obj, bytes) and data.c_contiguous and data.nbytes == len(data.obj):
            return data.obj
        return data.tobytes()
    return bytes(data[:])


def _next_header(data: bytes, dex: Dex) -> int | None:
    """Where another DEX begins behind ``dex``, if one does."""
    file_size, header_size = parse_words(data, dex.offset + _FILE_SIZE * WORD, 2)
    position = dex.offset + file_size
    if file_size < max(header_size, _HEADER_SIZE) or position >= len(data):
        return None
    if dex.version == _CONTAINER_VERSION:
        return position if position < _container_end(data, dex.offset) else None
    return position if _MAGIC.match(data, position) is not None else None


def _container_end(data: bytes, position: int) -> int:
    container_size, header_offset = parse_words(data, position + _CONTAINER_SIZE * WORD, 2)
    return position - header_offset + container_size


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the parts of one DEX lie in the bytes it is read from."""

    header: int
    base: int
    """What the offsets of tables count from."""
    end: int
    """Where its tables must end."""
    data_base: int
    """What the offsets of strings and lists count from."""
    data_end: int


def _parse_at(data: bytes, position: int, limits: Limits, *, compiled: bool = False) -> Dex:
    version = _read_version(data, position)
    words = _read_header(data, position, version)
    faults: list[str] = []
    base, end = position, len(data)
    if version == _CONTAINER_VERSION:
        # Offsets of a v41 file count from the start of its container, not from its own header.
        base -= words[_HEADER_OFFSET]
        if base + words[_CONTAINER_SIZE] > len(data):
            faults.append(f"the container should be {words[_CONTAINER_SIZE]} bytes long, {len(data) - base} are there")
    elif compiled:
        # What lies behind the file belongs to others, so nothing there is taken for its own.
        end = min(position + words[_FILE_SIZE], len(data))
    place = _Place(position, base, end, base, end)
    if compiled and version != _CONTAINER_VERSION:
        faults.extend(find_contradictions(data, words, base, end, compact=False))
    return _read_tables(data, version, words, place, limits, faults, compiled=compiled)


def _parse_compact(data: bytes, position: int, limits: Limits) -> Dex:
    """Read a compact DEX: its tables lie behind its header, its strings and lists in data that several may share."""
    version = data[position + 4 : position + 7].decode("ascii")
    if version != _COMPACT_VERSION:
        raise UnsupportedError(f"compact DEX version {version} is not read", position)
    words = _read_header_words(data, position, _COMPACT_HEADER_SIZE)
    data_base = position + words[_DATA + 1]
    data_end = data_base + words[_DATA]
    if data_end > len(data):
        raise FormatError(f"the data of the compact DEX ends {data_end - len(data)} bytes behind the file", position)
    place = _Place(position, position, min(position + words[_FILE_SIZE], len(data)), data_base, data_end)
    faults = list(find_contradictions(data, words, data_base, data_end, compact=True))
    return _read_tables(data, version, words, place, limits, faults, compiled=True)


def _read_tables(
    data: bytes, version: str, words: array[int], place: _Place, limits: Limits, faults: list[str], *, compiled: bool
) -> Dex:
    position = place.header
    table = _TableReader(data, place, words, faults)
    string_offsets, _ = table.read("string_ids", _STRING_IDS, 1, limits.dex_strings)
    types, _ = table.read("type_ids", _TYPE_IDS, 1, limits.dex_strings)
    class_words, class_offset = table.read("class_defs", _CLASS_DEFS, CLASS_WORDS, limits.dex_classes)
    string_offsets, readable = _inside(data, place, string_offsets, faults)
    class_types = class_words[::CLASS_WORDS]
    if compiled:
        faults.extend(find_disorder(types, class_types))
    tables = Tables(data, place.data_base, string_offsets, types, class_types, class_offset, position, compiled)
    classes = DexClasses(tables)
    if classes.unread:
        faults.append(f"class_defs: {classes.unread} classes whose names cannot be read")
    strings = DexStrings(data, readable)
    if strings.unread:
        faults.append(f"string_ids: {strings.unread} strings lie inside one another")
    size = min(words[_FILE_SIZE], len(data) - position)
    return Dex(version, position, size, classes, strings, tuple(faults))


def _read_version(data: bytes, position: int) -> str:
    magic = data[position : position + _MAGIC_SIZE]
    if _COMPACT.match(magic) is not None:
        raise UnsupportedError("compact DEX (cdex), as found in vdex files, is not read", position)
    match = _MAGIC.match(magic)
    if match is None:
        raise FormatError("no DEX magic", position)
    version = match[1].decode("ascii")
    if version not in _VERSIONS:
        raise UnsupportedError(f"DEX version {version} is not read", position)
    return version


def _read_header(data: bytes, position: int, version: str) -> array[int]:
    """The header as u32, checked as far as everything else depends on it."""
    size = _CONTAINER_HEADER_SIZE if version == _CONTAINER_VERSION else _HEADER_SIZE
    words = _read_header_words(data, position, size)
    if version == _CONTAINER_VERSION:
        if words[_HEADER_SIZE_FIELD] < size:
            raise FormatError(f"DEX 041 header says it is {words[_HEADER_SIZE_FIELD]} bytes long", position)
        if words[_HEADER_OFFSET] > position:
            raise FormatError("DEX 041 is torn out of its container", position)
    return words


def _read_header_words(data: bytes, position: int, size: int) -> array[int]:
    if len(data) - position < size:
        raise FormatError(f"DEX header needs {size} bytes, {len(data) - position} are there", position)
    words = parse_words(data, position, size // WORD)
    if words[_ENDIAN_TAG] == _REVERSED:
        raise UnsupportedError("DEX in reversed byte order is not read", position)
    if words[_ENDIAN_TAG] != _LITTLE_ENDIAN:
        raise FormatError(f"DEX endian tag is {words[_ENDIAN_TAG]:#x}", position)
    return words


@dataclass(frozen=True, slots=True)
class _TableReader:
    """Reads tables as far as they lie inside the file, and notes what does not."""

    data: bytes
    place: _Place
    words: array[int]
    faults: list[str]

    def read(self, name: str, field: int, item_words: int, limit: int) -> tuple[array[int], int]:
        """The u32 of a table and its offset.

        Raises:
            LimitError: more than ``limit`` items that are really there.
        """
        count, offset = self.words[field], self.place.base + self.words[field + 1]
        there = min(count, max(0, self.place.end - offset) // (item_words * WORD))
        if there > limit:
            raise LimitError(f"{name} of {there} items, more than {limit}", offset)
        if there < count:
            self.faults.append(f"{name}: {count - there} of {count} items lie outside the file")
        return parse_words(self.data, offset, there * item_words), offset


def _inside(data: bytes, place: _Place, relative: array[int], faults: list[str]) -> tuple[array[int], array[int]]:
    """Offsets of all strings, counted from the start of ``data`` (NO_INDEX where unreadable), and the readable ones."""
    base = place.data_base
    # The shortest string is a length byte and a NUL, so none can begin at the last NUL of the file.
    end = data.rfind(b"\0", 0, place.data_end) - base
    if base == 0 and (not relative or _all_below(relative, end)):
        return relative, relative
    offsets = array("I", [base + offset if offset < end else NO_INDEX for offset in relative])
    readable = array("I", [offset for offset in offsets if offset != NO_INDEX])
    if len(readable) < len(offsets):
        faults.append(f"string_ids: {len(offsets) - len(readable)} of {len(offsets)} strings lie outside the file")
    return offsets, readable


def _all_below(words: array[int], end: int) -> bool:
    """Whether every word is below ``end``, mostly decided without making an int of each."""
    if sys.byteorder == "little" and end >= 0:
        packed = words.tobytes()
        top, second = end >> 24, end >> 16 & 0xFF
        # Deleting the byte values that are allowed leaves nothing if every word passes.
        if not packed[3::4].translate(None, bytes(range(top + 1))) and not packed[2::4].translate(
            None, bytes(range(second))
        ):
            return True
    return max(words) < end
