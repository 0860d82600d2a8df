"""The compiled resource table (resources.arsc): the strings behind one resource id, and nothing else.

Spec: AOSP frameworks/base libs/androidfw, ResourceTypes.h (ResTable_*) and LoadedArsc.cpp.

Not read: bags (styles, arrays, plurals); style spans; overlayables; library references; axes other than locale.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from auditor.errors import FormatError, LimitError
from auditor.formats.android_xml import TYPE_STRING, Value
from auditor.formats.blob import Blob
from auditor.formats.locale_values import LocaleValue, follow_references
from auditor.formats.res_chunk import CHUNK_HEADER_SIZE, RES_STRING_POOL_TYPE, Chunk, StringPool, read_chunk
from auditor.limits import DEFAULT, Limits

RES_TABLE_TYPE: Final = 0x0002
RES_TABLE_PACKAGE_TYPE: Final = 0x0200
RES_TABLE_TYPE_TYPE: Final = 0x0201
RES_TABLE_STAGED_ALIAS_TYPE: Final = 0x0206

FLAG_SPARSE: Final = 0x01
FLAG_OFFSET16: Final = 0x02
FLAG_COMPLEX: Final = 0x0001
FLAG_COMPACT: Final = 0x0008

_CHUNKS: Final = 1_000_000
_CONFIGURATIONS: Final = 10_000
"""Of one resource type; the framework's own strings have about 90."""
_STAGED_ALIASES: Final = 100_000
_PACKAGE_HEADER_SIZE: Final = 284
"""Of tables older than Android 5.0; newer ones add typeIdOffset."""
_TYPE_HEADER_SIZE: Final = 20
_NO_ENTRY: Final = 0xFFFFFFFF
_NO_ENTRY16: Final = 0xFFFF
_LOCALE_SPANS: Final = ((8, 12), (36, 48), (52, 61))
"""Bytes of ResTable_config that make up its locale: language and region, script and variant, numbering system."""

_TYPE = struct.Struct("<BBHII")
_ENTRY = struct.Struct("<HHI")
_VALUE = struct.Struct("<HBBI")


@dataclass(frozen=True, slots=True)
class TypeChunk:
    """The values of one resource type in one configuration; not decoded before it is asked."""

    offset: int
    end: int
    header_size: int
    flags: int
    entry_count: int
    entries_start: int


@dataclass(frozen=True, slots=True)
class Package:
    """One package of a table."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class _Table:
    """One resources.arsc: where its type chunks lie."""

    data: Blob
    strings: StringPool | None
    packages: tuple[Package, ...]
    types: dict[tuple[int, int], tuple[TypeChunk, ...]]
    """By package id and type id."""
    aliases: dict[int, int]
    """Staged resource ids and what they became."""


@dataclass(frozen=True, slots=True)
class Resources:
    """The resource tables of one app: of its base and, joined, of its splits."""

    packages: tuple[Package, ...]
    anomalies: tuple[str, ...]
    tables: tuple[_Table, ...]
    hops: int

    def join(self, other: Resources) -> Resources:
        """Add the tables of a split; where both know a value for a locale, this one's counts."""
        return Resources(
            self.packages + tuple(each for each in other.packages if each not in self.packages),
            tuple(dict.fromkeys(self.anomalies + other.anomalies)),
            self.tables + other.tables,
            self.hops,
        )

    def resolve(self, resource_id: int) -> tuple[tuple[str, str], ...]:
        """(locale, text) pairs of a resource, ascending; empty where it is unknown or holds no simple value.

        Numbers come as decimal text, booleans as true or false.

        Raises:
            LimitError: the table's strings overlap so much that they unpack to more than the pool holds.
        """
        return follow_references(self._lookup(Value(1, resource_id)), self._lookup, self.hops)

    def resolve_name(self, name: str) -> tuple[tuple[str, str], ...]:
        """Names are not kept on this path; compiled manifests refer by id."""
        return ()

    def _lookup(self, reference: Value) -> list[LocaleValue]:
        found: list[LocaleValue] = []
        for table in self.tables:
            found.extend(_find_values(table, reference.data))
        return found


def parse_resources(data: Blob, limits: Limits = DEFAULT) -> Resources:
    """Index a table's chunks; values are decoded when they are asked for.

    A fault inside the table ends the index there and is named in ``anomalies``.

    Raises:
        FormatError: it is no resource table.
        LimitError: it is larger than ``limits`` allow.
    """
    if len(data) > limits.resource_size:
        raise LimitError(f"resource table of {len(data)} bytes is larger than {limits.resource_size}")
    header = read_chunk(data, 0, len(data))
    if header.type != RES_TABLE_TYPE:
        raise FormatError(f"chunk type {header.type:#06x} is no resource table")
    indexer = _Indexer(data, limits)
    indexer.index(header)
    return indexer.resources()


class _Indexer:
    """State of walking one table."""

    def __init__(self, data: Blob, limits: Limits) -> None:
        self._data = data
        self._limits = limits
        self._strings: StringPool | None = None
        self._packages: list[Package] = []
        self._types: dict[tuple[int, int], list[TypeChunk]] = {}
        self._aliases: dict[int, int] = {}
        self._anomalies: dict[str, None] = {}
        self._chunks = 0

    def resources(self) -> Resources:
        types = {key: tuple(chunks) for key, chunks in self._types.items()}
        packages = tuple(self._packages)
        table = _Table(self._data, self._strings, packages, types, self._aliases)
        return Resources(packages, tuple(self._anomalies), (table,), self._limits.resource_hops)

    def index(self, table: Chunk) -> None:
        for chunk in self._chunks_in(table):
            if chunk.type == RES_STRING_POOL_TYPE and self._strings is None:
                self._strings = self._pool(chunk)
            elif chunk.type == RES_TABLE_PACKAGE_TYPE:
                self._index_package(chunk)

    def _pool(self, chunk: Chunk) -> StringPool | None:
        try:
            return StringPool(self._data, chunk, self._limits.string_length)
        except FormatError as error:
            self._anomalies[str(error)] = None
            return None

    def _chunks_in(self, parent: Chunk) -> Iterator[Chunk]:
        offset = parent.offset + parent.header_size
        while parent.end - offset >= CHUNK_HEADER_SIZE:
            try:
                chunk = read_chunk(self._data, offset, parent.end)
            except FormatError as error:
                self._anomalies[str(error)] = None
                return
            self._chunks += 1
            if self._chunks > _CHUNKS:
                raise LimitError(f"resource table has more than {_CHUNKS} chunks", offset)
            yield chunk
            offset = chunk.end

    def _index_package(self, package: Chunk) -> None:
        if package.header_size < _PACKAGE_HEADER_SIZE:
            self._anomalies["package header too short"] = None
            return
        at = package.offset + CHUNK_HEADER_SIZE
        (package_id,) = struct.unpack_from("<I", self._data, at)
        name = bytes(self._data[at + 4 : at + 260]).decode("utf-16-le", "replace").partition("\0")[0]
        offset = struct.unpack_from("<I", self._data, at + 276)[0] if package.header_size >= 288 else 0
        self._packages.append(Package(package_id, name))
        for chunk in self._chunks_in(package):
            if chunk.type == RES_TABLE_TYPE_TYPE:
                self._index_type(chunk, package_id, offset)
            elif chunk.type == RES_TABLE_STAGED_ALIAS_TYPE:
                self._index_aliases(chunk)

    def _index_type(self, chunk: Chunk, package_id: int, type_id_offset: int) -> None:
        if chunk.header_size < _TYPE_HEADER_SIZE + 4:
            self._anomalies["type header too short"] = None
            return
        type_id, flags, _, count, start = _TYPE.unpack_from(self._data, chunk.offset + CHUNK_HEADER_SIZE)
        width = 2 if flags & FLAG_OFFSET16 and not flags & FLAG_SPARSE else 4
        count = min(count, (chunk.size - chunk.header_size) // width)
        found = TypeChunk(chunk.offset, chunk.end, chunk.header_size, flags, count, start)
        known = self._types.setdefault((package_id, type_id + type_id_offset), [])
        if len(known) < _CONFIGURATIONS:
            known.append(found)
        else:
            self._anomalies[f"more than {_CONFIGURATIONS} configurations of one type"] = None

    def _index_aliases(self, chunk: Chunk) -> None:
        at = chunk.offset + chunk.header_size
        if chunk.header_size < 12:
            return
        (count,) = struct.unpack_from("<I", self._data, chunk.offset + 8)
        count = min(count, (chunk.end - at) // 8, _STAGED_ALIASES)
        for index in range(count):
            staged, final = struct.unpack_from("<II", self._data, at + 8 * index)
            self._aliases.setdefault(staged, final)


def _find_values(table: _Table, resource_id: int) -> Iterator[LocaleValue]:
    """The values of one resource, plainest configuration of each locale first."""
    resource_id = table.aliases.get(resource_id, resource_id)
    package_id, type_id, entry = resource_id >> 24, resource_id >> 16 & 0xFF, resource_id & 0xFFFF
    if package_id == 0 and (0, type_id) not in table.types and len(table.packages) == 1:
        # A shared library refers to itself as package 0 before an id is assigned.
        package_id = table.packages[0].id
    found: list[tuple[bool, int, LocaleValue]] = []
    for chunk in table.types.get((package_id, type_id), ()):
        offset = _entry_offset(table.data, chunk, entry)
        value = None if offset is None else _read_value(table, chunk, offset)
        if value is not None:
            locale, plain = _read_config(table.data, chunk)
            found.append((not plain, len(found), LocaleValue(locale, value)))
    found.sort(key=lambda item: item[:2])
    return (item[2] for item in found)


def _entry_offset(data: Blob, chunk: TypeChunk, entry: int) -> int | None:
    """Where an entry lies; None where this configuration has no value for it."""
    table = chunk.offset + chunk.header_size
    if chunk.flags & FLAG_SPARSE:
        relative = _sparse_offset(data, table, chunk.entry_count, entry)
    elif entry >= chunk.entry_count:
        return None
    elif chunk.flags & FLAG_OFFSET16:
        (offset16,) = struct.unpack_from("<H", data, table + 2 * entry)
        relative = None if offset16 == _NO_ENTRY16 else 4 * offset16
    else:
        (offset32,) = struct.unpack_from("<I", data, table + 4 * entry)
        relative = None if offset32 == _NO_ENTRY else offset32
    return None if relative is None else chunk.offset + chunk.entries_start + relative


def _sparse_offset(data: Blob, table: int, count: int, entry: int) -> int | None:
    """Search (index, offset / 4) pairs, which ascend by index."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        index, offset = struct.unpack_from("<HH", data, table + 4 * middle)
        if index == entry:
            return int(4 * offset)
        low, high = (middle + 1, high) if index < entry else (low, middle)
    return None


def _read_value(table: _Table, chunk: TypeChunk, offset: int) -> Value | None:
    """The simple value of an entry; None for bags and for what lies outside its chunk."""
    if offset + _ENTRY.size > chunk.end:
        return None
    size, flags, payload = _ENTRY.unpack_from(table.data, offset)
    if flags & FLAG_COMPACT:
        return _typed(table, flags >> 8, payload)
    if flags & FLAG_COMPLEX or size < _ENTRY.size or offset + size + _VALUE.size > chunk.end:
        return None
    _, _, kind, payload = _VALUE.unpack_from(table.data, offset + size)
    return _typed(table, kind, payload)


def _typed(table: _Table, kind: int, payload: int) -> Value | None:
    if kind != TYPE_STRING:
        return Value(kind, payload)
    text = None if table.strings is None else table.strings.at(payload)
    return None if text is None else Value(kind, payload, text)


def _read_config(data: Blob, chunk: TypeChunk) -> tuple[str, bool]:
    """The configuration's locale as a BCP 47 tag, and whether it says nothing else."""
    start = chunk.offset + _TYPE_HEADER_SIZE
    (size,) = struct.unpack_from("<I", data, start)
    size = min(size, chunk.header_size - _TYPE_HEADER_SIZE)
    config = bytes(data[start : start + size])
    rest = bytearray(config)
    rest[:4] = bytes(len(rest[:4]))
    for begin, end in _LOCALE_SPANS:
        rest[begin:end] = bytes(len(rest[begin:end]))
    return _locale(config.ljust(64, b"\0")), not any(rest)


def _locale(config: bytes) -> str:
    language = _subtag(config[8:10], "a")
    if not language:
        return ""
    script = _letters(config[36:40])
    region = _subtag(config[10:12], "0")
    variant = _letters(config[40:48])
    return "-".join(part for part in (language, script, region, variant) if part)


def _subtag(packed: bytes, base: str) -> str:
    """Two letters, or three packed into 15 bits behind a set top bit."""
    first, second = packed
    if not first & 0x80:
        return _letters(packed)
    codes = (second & 0x1F, second >> 5 | (first & 0x03) << 3, first >> 2 & 0x1F)
    return "".join(chr(ord(base) + code) for code in codes)


def _letters(raw: bytes) -> str:
    return raw.partition(b"\0")[0].decode("ascii", "replace")
