"""Reads the index tables of a DEX file and, through them, the names of the classes it defines.

Specification: sections "type_id_item", "class_def_item" and "type_list" of https://source.android.com/docs/core/runtime/dex-format
Not read: access flags, source files, annotations, members and static values of a class.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter, lt

from auditor.formats.dex_strings import text_start
from auditor.formats.mutf8 import parse_mutf8

WORD = 4
"""Bytes of the u32 every table is made of."""
CLASS_WORDS = 8
"""u32 in one class_def_item."""
NO_INDEX = 0xFFFFFFFF
"""The index that means none; also stands for the offset of a string that cannot be read."""
_SUPERCLASS = 2
_INTERFACES = 3
_NAME_SIZE = 1024
"""Bytes of a descriptor the fast path reads; a file with a longer one is read name by name."""
_NAME_LIMIT = 3 * 65_535
"""Bytes of the longest descriptor a class file can hold."""
_INTERFACE_LIMIT = 65_535
"""Interfaces of one class, the bound of the class file format."""


def parse_words(data: bytes, offset: int, count: int) -> array[int]:
    """The little-endian u32 values of ``data`` from ``offset``; the caller has checked the bounds."""
    words = array("I")
    words.frombytes(data[offset : offset + count * WORD])
    if sys.byteorder == "big":
        words.byteswap()
    return words


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """The index tables of one DEX; every offset counts from the start of ``data``."""

    data: bytes
    base: int
    """What the offsets of strings, lists and class data inside the file count from."""
    strings: Sequence[int]
    """Offset of each string_data_item, NO_INDEX where it lies outside."""
    types: Sequence[int]
    """String index of each type_id_item."""
    class_types: array[int]
    """Type index of each class_def_item."""
    class_offset: int
    header: int = 0
    """Where the header lies in ``data``."""
    compiled: bool = False
    """Whether it comes from compiled code, so that its instructions may not be those of the DEX format."""

    @property
    def size(self) -> int:
        """Bytes of the data the DEX lies in, other DEX files of a container included."""
        return len(self.data)

    def text_offset(self, type_index: int) -> int:
        """Offset of the descriptor of a type, NO_INDEX if any step to it leads outside."""
        if type_index >= len(self.types) or self.types[type_index] >= len(self.strings):
            return NO_INDEX
        return self.strings[self.types[type_index]]

    def name_of(self, type_index: int) -> str | None:
        """Dotted name of the class type ``type_index``, or None if that is no readable class."""
        offset = self.text_offset(type_index)
        return None if offset == NO_INDEX else _read_name(self.data, offset)


class DexClasses:
    """The classes a DEX defines, as ascending dotted names; what else is known of them is read when asked for."""

    __slots__ = ("_in_type_order", "_names", "_tables", "_types", "_types_by_name", "unread")

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        wanted = sorted(set(tables.class_types))
        offsets, types = _find_descriptors(tables, wanted)
        names = _read_names(tables.data, offsets)
        if None in names:
            types = [index for index, name in zip(types, names, strict=True) if name is not None]
        self._types = types
        self._in_type_order = [name for name in names if name is not None]
        self._names = _ascending(self._in_type_order)
        self._types_by_name: dict[str, int] | None = None
        self.unread = len(wanted) - len(types)
        """Defined classes whose name cannot be read."""

    @property
    def tables(self) -> Tables:
        """The tables the names were read through, for those who read more of the classes."""
        return self._tables

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __contains__(self, value: object) -> bool:
        if not isinstance(value, str):
            return False
        index = bisect_left(self._names, value)
        return index < len(self._names) and self._names[index] == value

    def with_prefix(self, prefix: str) -> Iterator[str]:
        """Every class whose name starts with ``prefix``, ascending."""
        for index in range(bisect_left(self._names, prefix), len(self._names)):
            if not self._names[index].startswith(prefix):
                return
            yield self._names[index]

    def offset_of(self, value: str) -> int | None:
        """Offset of the class_def_item of ``value``; of the first one if it is defined twice, as Android takes it."""
        if value not in self:
            return None
        if self._types_by_name is None:
            pairs = zip(reversed(self._in_type_order), reversed(self._types), strict=True)
            self._types_by_name = dict(pairs)
        row = self._tables.class_types.index(self._types_by_name[value])
        return self._tables.class_offset + row * CLASS_WORDS * WORD

    def superclass_of(self, value: str) -> str | None:
        """Dotted name of the superclass; None for java.lang.Object, an unknown class or an unreadable index."""
        offset = self.offset_of(value)
        if offset is None:
            return None
        return self._tables.name_of(parse_words(self._tables.data, offset + _SUPERCLASS * WORD, 1)[0])

    def interfaces_of(self, value: str) -> tuple[str, ...]:
        """Dotted names of the interfaces a class implements itself, in the order of the file."""
        offset = self.offset_of(value)
        if offset is None:
            return ()
        data = self._tables.data
        relative = parse_words(data, offset + _INTERFACES * WORD, 1)[0]
        start = self._tables.base + relative
        if relative == 0 or start + WORD > len(data):
            return ()
        count = parse_words(data, start, 1)[0]
        items = data[start + WORD : start + WORD + 2 * min(count, _INTERFACE_LIMIT)]
        indices = (low | high << 8 for low, high in zip(items[::2], items[1::2], strict=False))
        names = map(self._tables.name_of, indices)
        return tuple(name for name in names if name is not None)


def _ascending(names: list[str]) -> list[str]:
    """Distinct names in order; they come nearly sorted, and distinct from any sound file."""
    ordered = sorted(names)
    return ordered if all(map(lt, ordered, ordered[1:])) else sorted(set(ordered))


def _find_descriptors(tables: Tables, types: Sequence[int]) -> tuple[Sequence[int], Sequence[int]]:
    """Offsets of the descriptors of ``types``, and those types whose descriptor lies inside the file."""
    if len(types) > 1 and types[-1] < len(tables.types):
        indices = itemgetter(*types)(tables.types)
        if max(indices) < len(tables.strings):
            offsets = itemgetter(*indices)(tables.strings)
            if max(offsets) != NO_INDEX:
                return offsets, types
    found = [(tables.text_offset(index), index) for index in types]
    kept = [pair for pair in found if pair[0] != NO_INDEX]
    return [pair[0] for pair in kept], [pair[1] for pair in kept]


def _read_names(data: bytes, offsets: Sequence[int]) -> Sequence[str | None]:
    """Dotted names behind the string_data_items at ``offsets``, None for one that is no class descriptor."""
    if not offsets:
        return []
    names = _read_plain_names(data, offsets)
    if names is not None:
        return names
    found: list[str | None] = []
    # Descriptors that lie inside one another could add up to any amount of text.
    left = len(data)
    for offset in offsets:
        name = _read_name(data, offset) if left > 0 else None
        left -= 0 if name is None else len(name)
        found.append(name)
    return found


def _read_plain_names(data: bytes, offsets: Sequence[int]) -> list[str] | None:
    """All names at once, or None if one is very long, not UTF-8, not a class, or shares its bytes with others."""
    find = data.find
    ends = [find(0, offset, offset + _NAME_SIZE) for offset in offsets]
    if min(ends) < 0 or sum(ends) - sum(offsets) > len(data):
        return None
    starts = [offset + 1 if data[offset] < 0x80 else text_start(data, offset) for offset in offsets]
    joined = b"\0".join([data[start:end] for start, end in zip(starts, ends, strict=True)])
    try:
        text = joined.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if not text.startswith("L") or not text.endswith(";"):
        return None
    names = text[1:-1].replace("/", ".").split(";\0L")
    return names if len(names) == len(offsets) and "" not in names else None


def _read_name(data: bytes, offset: int) -> str | None:
    start = text_start(data, offset)
    end = data.find(b"\0", start, start + _NAME_LIMIT + 1)
    if end - start < len("La;") or data[start] != ord("L") or data[end - 1] != ord(";"):
        return None
    return parse_mutf8(data[start + 1 : end - 1]).replace("/", ".")
