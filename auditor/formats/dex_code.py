"""Reads what the classes of a DEX file consist of: members, prototypes, and which methods and strings code refers to.

Specification: https://source.android.com/docs/core/runtime/dex-format and .../dalvik-bytecode, .../instruction-formats
Not read: DEX files out of compiled code (vdex, odex); registers, branches, exception handlers, debug data,
annotations, static values, call sites, method handles.

Instructions are told by their lengths alone, in one pass from the first to the last: code behind a jump into the middle
of an instruction is read as it lies there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from auditor.formats.dex_strings import text_start
from auditor.formats.dex_tables import CLASS_WORDS, NO_INDEX, WORD, DexClasses, Tables, parse_words

STATIC = 0x8
"""ACC_STATIC"""
ABSTRACT = 0x400
"""ACC_ABSTRACT"""
_PROTO_IDS = 18
_FIELD_IDS = 20
_METHOD_IDS = 22
"""Positions of header fields, counted in u32; a table is its size with its offset behind it."""
_PROTO_SIZE = 12
_MEMBER_SIZE = 8
_CODE_HEADER = 16
_CODE_SIZE = 12
"""Where a code_item says how many 16-bit units of instructions follow its header."""
_ULEB_SIZE = 5
_PARAMETERS = 255
"""Parameters of one method; no invocation passes more."""
_INTERFACES = 65_535
_TEXT = 4096
"""Bytes of a name or string that is read; no descriptor of a sound file comes near."""


def _opcodes(*ranges: tuple[int, int]) -> bytes:
    """A set of opcodes as it stands in a pattern."""
    return b"[" + b"".join(re.escape(bytes([first])) + b"-" + re.escape(bytes([last])) for first, last in ranges) + b"]"


_ONE = _opcodes((0x01, 0x01), (0x04, 0x04), (0x07, 0x07), (0x0A, 0x12), (0x1D, 0x1E), (0x21, 0x21), (0x27, 0x28),
                (0x3E, 0x43), (0x73, 0x73), (0x79, 0x8F), (0xB0, 0xCF), (0xE3, 0xF9))  # fmt: skip
_TWO = _opcodes((0x02, 0x02), (0x05, 0x05), (0x08, 0x08), (0x13, 0x13), (0x15, 0x16), (0x19, 0x19), (0x1C, 0x1C),
                (0x1F, 0x20), (0x22, 0x23), (0x29, 0x29), (0x2D, 0x3D), (0x44, 0x6D), (0x90, 0xAF), (0xD0, 0xE2),
                (0xFE, 0xFF))  # fmt: skip
_THREE = _opcodes((0x03, 0x03), (0x06, 0x06), (0x09, 0x09), (0x14, 0x14), (0x17, 0x17), (0x24, 0x26), (0x2A, 0x2C),
                  (0xFC, 0xFD))  # fmt: skip
_INVOKE = _opcodes((0x6E, 0x72), (0x74, 0x78))
_INVOKE_POLYMORPHIC = _opcodes((0xFA, 0xFB))
_TOKEN = re.compile(
    b"(?:" + _ONE + b".|" + _TWO + b".{3}|" + _THREE + b".{5}|\x18.{9}|\x00[^\x01-\x03])*+"
    b"(?:" + _INVOKE + b".(..)..|" + _INVOKE_POLYMORPHIC + b".(..).{4}|\x1a.(..)|\x1b.(....)|\x00([\x01-\x03])|\\Z|.)",
    re.DOTALL,
)
"""Instructions that refer to nothing of interest, then one that does: an invocation, a string, a table of data.

Without any group: the end, or half an instruction before it.
"""
_CALL, _POLYMORPHIC, _STRING, _LONG_STRING, _TABLE = range(1, 6)


@dataclass(frozen=True, slots=True)
class MethodCode:
    """One method a class defines."""

    index: int
    """In method_ids."""
    access_flags: int
    calls: tuple[int, ...]
    """Index in method_ids of every invocation, in the order of the code."""
    strings: tuple[int, ...]
    """Index in string_ids of every constant, in the order of the code."""


@dataclass(frozen=True, slots=True)
class ClassCode:
    """One class a DEX defines."""

    type: int
    """In type_ids, as are superclass, interfaces and fields."""
    access_flags: int
    superclass: int | None
    interfaces: tuple[int, ...]
    fields: tuple[tuple[bool, int], ...]
    """Whether static, and the type."""
    methods: tuple[MethodCode, ...]


class DexCode:
    """The classes of one DEX with their members and code, read while they are gone through.

    What leads outside the file is left out and counted, as is what a file could repeat without end: class data or code
    that lies inside other class data or code is read until as many bytes were read as the file holds twice.
    """

    def __init__(self, classes: DexClasses) -> None:
        self._tables: Tables = classes.tables
        self._data = classes.tables.data
        self._text_budget = 2 * len(self._data)
        self._texts: dict[int, str] = {}
        self._begin()
        self._bodies: dict[int, tuple[tuple[int, ...], tuple[int, ...]]] = {}
        self._descriptors: dict[int, str] = {}
        self._known: dict[int, tuple[int, int, str] | None] = {}

    def _begin(self) -> None:
        """Give each pass over the classes the whole allowance."""
        self._budget = 2 * len(self._data)
        # A field or method is defined once; a list that repeats one would fill the memory with its few bytes.
        self._fields_left, self._methods_left = self._fields[0], self._methods[0]
        # Instructions that the compiler replaced have other lengths: what was read of them would be wrong.
        self.unread = len(self._tables.class_types) if self._tables.compiled else 0
        """Classes and methods that could not be read in full so far, in the latest pass."""

    @cached_property
    def _protos(self) -> tuple[int, int]:
        return self._table(_PROTO_IDS, _PROTO_SIZE)

    @cached_property
    def _fields(self) -> tuple[int, int]:
        return self._table(_FIELD_IDS, _MEMBER_SIZE)

    @cached_property
    def _methods(self) -> tuple[int, int]:
        return self._table(_METHOD_IDS, _MEMBER_SIZE)

    def _table(self, field: int, item_size: int) -> tuple[int, int]:
        """How many items of a table are there, and where they begin."""
        count, relative = parse_words(self._data, self._tables.header + field * WORD, 2)
        offset = self._tables.base + relative
        return min(count, max(0, len(self._data) - offset) // item_size), offset

    def descriptor(self, type_index: int) -> str:
        """Descriptor of a type, as Latin-1 where it is not ASCII; empty where it cannot be read."""
        found = self._descriptors.get(type_index)
        if found is None:
            offset = self._tables.text_offset(type_index)
            found = "" if offset == NO_INDEX else self._text(offset)
            self._descriptors[type_index] = found
        return found

    def _text(self, offset: int) -> str:
        start = text_start(self._data, offset)
        end = self._data.find(b"\0", start, start + _TEXT)
        # Strings that lie inside one another could add up to any amount of text.
        if end < 0 or self._text_budget <= 0:
            return ""
        self._text_budget -= end - start
        return self._data[start:end].decode("latin-1")

    def string(self, index: int) -> str:
        """A string of up to 4 kB, as Latin-1 where it is not ASCII; empty where it cannot be read."""
        if index >= len(self._tables.strings) or self._tables.strings[index] == NO_INDEX:
            return ""
        found = self._texts.get(index)
        if found is None:
            found = self._texts[index] = self._text(self._tables.strings[index])
        return found

    def method(self, index: int) -> tuple[int, int, str] | None:
        """Class type, prototype and name of a method; None for an index outside."""
        if index not in self._known:
            self._known[index] = self._read_method(index)
        return self._known[index]

    def _read_method(self, index: int) -> tuple[int, int, str] | None:
        count, offset = self._methods
        if index >= count:
            return None
        first, name = parse_words(self._data, offset + index * _MEMBER_SIZE, 2)
        return first & 0xFFFF, first >> 16, self.string(name)

    def prototype(self, index: int) -> tuple[int, tuple[int, ...]] | None:
        """Return type and parameter types of a prototype; None for an index outside."""
        count, offset = self._protos
        if index >= count:
            return None
        _, result, relative = parse_words(self._data, offset + index * _PROTO_SIZE, 3)
        return result, self._type_list(relative, _PARAMETERS)

    def _type_list(self, relative: int, limit: int) -> tuple[int, ...]:
        start = self._tables.base + relative
        if relative == 0 or start + WORD > len(self._data):
            return ()
        count = min(parse_words(self._data, start, 1)[0], limit)
        items = self._data[start + WORD : start + WORD + 2 * count]
        return tuple(low | high << 8 for low, high in zip(items[::2], items[1::2], strict=False))

    def __iter__(self) -> Iterator[ClassCode]:
        self._begin()
        if self._tables.compiled:
            return
        for row, type_index in enumerate(self._tables.class_types):
            offset = self._tables.class_offset + row * CLASS_WORDS * WORD
            words = parse_words(self._data, offset, CLASS_WORDS)
            interfaces = self._type_list(words[3], _INTERFACES) if self._budget > 0 else ()
            self._budget -= 2 * len(interfaces)
            fields, methods = self._class_data(words[6])
            superclass = None if words[2] == NO_INDEX else words[2]
            yield ClassCode(type_index, words[1], superclass, interfaces, fields, methods)

    def _class_data(self, relative: int) -> tuple[tuple[tuple[bool, int], ...], tuple[MethodCode, ...]]:
        if relative == 0:
            return (), ()
        numbers = _Uleb(self._data, self._tables.base + relative)
        counts = [numbers.next() for _ in range(4)]
        fields = [*self._encoded_fields(numbers, counts[0], True), *self._encoded_fields(numbers, counts[1], False)]
        methods = [*self._encoded_methods(numbers, counts[2]), *self._encoded_methods(numbers, counts[3])]
        if numbers.ended:
            self.unread += 1
        return tuple(fields), tuple(methods)

    def _encoded_fields(self, numbers: _Uleb, count: int, static: bool) -> Iterator[tuple[bool, int]]:
        index = 0
        there, offset = self._fields
        for _ in range(count):
            if numbers.ended:
                return
            self._fields_left -= 1
            if self._budget <= 0 or self._fields_left < 0:
                self.unread += 1
                return
            index += numbers.next()
            numbers.next()
            self._budget -= 2
            if index < there:
                yield static, parse_words(self._data, offset + index * _MEMBER_SIZE, 1)[0] >> 16

    def _encoded_methods(self, numbers: _Uleb, count: int) -> Iterator[MethodCode]:
        index = 0
        for _ in range(count):
            if numbers.ended:
                return
            self._methods_left -= 1
            if self._budget <= 0 or self._methods_left < 0:
                self.unread += 1
                return
            index += numbers.next()
            flags, relative = numbers.next(), numbers.next()
            self._budget -= 3
            if not numbers.ended:
                calls, strings = self._body(relative) if relative else ((), ())
                yield MethodCode(index, flags, calls, strings)

    def _body(self, relative: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """What a code_item refers to; R8 lets equal methods share one, which is read once."""
        found = self._bodies.get(relative)
        if found is None:
            read = self._read_body(self._tables.base + relative)
            if read is None:
                self.unread += 1
                return (), ()
            self._bodies[relative] = read
            return read
        # Who goes through the methods goes through what each refers to, so a body costs each time.
        self._budget -= len(found[0]) + len(found[1])
        if self._budget < 0:
            self.unread += 1
            return (), ()
        return found

    def _read_body(self, start: int) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
        data = self._data
        if start + _CODE_HEADER > len(data):
            return None
        size = 2 * parse_words(data, start + _CODE_SIZE, 1)[0]
        position = start + _CODE_HEADER
        if position + size > len(data) or self._budget < size:
            return None
        self._budget -= size
        return _references(data, position, position + size)


class _Uleb:
    """Unsigned LEB128 numbers one after the other; zeros behind the end of the data."""

    __slots__ = ("_data", "_position", "ended")

    def __init__(self, data: bytes, position: int) -> None:
        self._data = data
        self._position = position
        self.ended = False

    def next(self) -> int:
        value = 0
        for step in range(_ULEB_SIZE):
            if self._position >= len(self._data):
                self.ended = True
                return 0
            byte = self._data[self._position]
            self._position += 1
            value |= (byte & 0x7F) << 7 * step
            if byte < 0x80:
                return value
        return value & NO_INDEX


def _references(data: bytes, position: int, end: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Method and string indices in the instructions from ``position`` to ``end``."""
    calls: list[int] = []
    strings: list[int] = []
    while position < end:
        start = position
        position = end
        for token in _TOKEN.finditer(data, start, end):
            kind = token.lastindex
            if kind is None:
                break
            if kind == _TABLE:
                position = token.end() - 2 + _table_size(data, token.end() - 2, end)
                break
            index = int.from_bytes(token[kind], "little")
            (calls if kind <= _POLYMORPHIC else strings).append(index)
    return tuple(calls), tuple(strings)


def _table_size(data: bytes, position: int, end: int) -> int:
    """Bytes of a packed-switch, sparse-switch or fill-array-data payload."""
    kind = data[position + 1]
    first = int.from_bytes(data[position + 2 : min(position + 4, end)], "little")
    if kind == 1:
        return 8 + 4 * first
    if kind == 2:
        return 4 + 8 * first
    count = int.from_bytes(data[position + 4 : min(position + 8, end)], "little")
    return 8 + (first * count + 1) // 2 * 2
