"""Read the string table of Hermes bytecode, to which React Native compiles an app's JavaScript.

Format: facebook/hermes, include/hermes/BCGen/HBC/BytecodeFileFormat.h. The fields up to the size of the string storage
are those of every version from 60 to 99; a function header has 16 bytes up to version 96, and 12 in 98 and 99.

Not read: functions, debug data, bigints, regular expressions, delta form.
"""

from __future__ import annotations

import re
import struct
import sys
from array import array
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.errors import FormatError, LimitError, UnsupportedError
from auditor.formats.blob import Blob
from auditor.formats.token_values import TokenValues
from auditor.limits import DEFAULT, MIB, Limits

MAGIC = (0x1F1903C103BC1FC6).to_bytes(8, "little")
_DELTA_MAGIC = bytes(byte ^ 0xFF for byte in MAGIC)
_FIRST, _LAST = 59, 199
"""Versions that are taken for real: older ones have other headers, and there is none beyond by far."""
_HEADER_SIZE = 128
_HEADER = struct.Struct("<8sI20s8I")
_FUNCTION_SIZES = {**dict.fromkeys(range(59, 97), 16), 98: 12, 99: 12}
"""Bytes of a function header by version."""
_OVERFLOWED = 0xFF
_PACKAGE = re.compile(rb"node_modules/((?:@[\w.-]{1,100}/)?[\w.-]{1,100})/")


@dataclass(frozen=True, slots=True)
class Hermes:
    """What a bytecode file says by its strings."""

    version: int
    strings: TokenValues
    packages: tuple[str, ...]
    """npm packages named in paths (node_modules/NAME/...), ascending."""
    faults: tuple[str, ...] = ()


def is_hermes(head: bytes) -> bool:
    """Whether bytes start as Hermes bytecode, in the form that is executed or in that for differences."""
    return head[:8] in (MAGIC, _DELTA_MAGIC)


def parse_hermes(data: Blob, limits: Limits = DEFAULT) -> Hermes:
    """Read the header and the tables of strings.

    Raises:
        FormatError: not Hermes bytecode, or its string table lies outside the file.
        UnsupportedError: the delta form, or a version nobody has seen.
        LimitError: more strings than ``limits`` allow.
    """
    if data[:8] == _DELTA_MAGIC:
        raise UnsupportedError("Hermes bytecode in the form for differences, which no app can run")
    if len(data) < _HEADER_SIZE or data[:8] != MAGIC:
        raise FormatError("not Hermes bytecode, or its header is cut off")
    _, version, _, size, _, functions, kinds, identifiers, count, overflow, storage = _HEADER.unpack_from(data)
    if not _FIRST <= version <= _LAST:
        raise UnsupportedError(f"Hermes bytecode version {version}")
    if count > limits.wrapper_strings:
        raise LimitError(f"{count} strings in Hermes bytecode; raise --limit wrapper_strings")
    width = _function_size(data, version, functions, kinds, count)
    start = _HEADER_SIZE + functions * width + 4 * (kinds + identifiers)
    table = _read_table(data, start, count, overflow, storage)
    if table is None:
        raise FormatError(f"the string table of Hermes bytecode version {version} lies outside the file")
    faults = []
    if table.strays:
        faults.append(f"{table.strays} of {count} strings lie outside the string storage")
    if table.overlap:
        faults.append("the strings overlap beyond measure")
    if size > len(data):
        faults.append(f"the file ends after {len(data)} of {size} bytes")
    return Hermes(version, TokenValues(table.collect, table.offset_of), table.packages(), tuple(faults))


def _function_size(data: Blob, version: int, functions: int, kinds: int, count: int) -> int:
    """Bytes of a function header; of a version never seen, that behind which the runs of string kinds add up."""
    known = _FUNCTION_SIZES.get(version)
    if known is not None:
        return known
    for size in (12, 16):
        start = _HEADER_SIZE + functions * size
        if sum(word & 0x7FFFFFFF for word in _words(data[start : start + 4 * kinds])) == count:
            return size
    raise UnsupportedError(f"Hermes bytecode version {version}, whose function headers have another size")


@dataclass(frozen=True, slots=True)
class _Table:
    """Words of one bit (UTF-16), 23 bits offset and 8 bits length, and the storage they point into."""

    words: array[int]
    overflow: array[int]
    """Offset and length of the strings that a word cannot describe, in turn."""
    storage: bytes
    base: int
    """Where the storage lies in the file."""
    strays: int = 0
    overlap: bool = False
    """Whether the strings add up to more than is read of them."""

    @property
    def budget(self) -> int:
        """Bytes of strings that are read: strings may share bytes, up to what a compiler would save by it."""
        return 4 * len(self.storage) + MIB

    def entries(self) -> Iterator[tuple[int, int, bool]]:
        """Start, end and width of every string inside the storage; the rest is left out."""
        size, overflow = len(self.storage), self.overflow
        for word in self.words:
            length, start, wide = word >> 24, (word >> 1) & 0x7FFFFF, bool(word & 1)
            if length == _OVERFLOWED:
                if 2 * start + 1 >= len(overflow):
                    continue
                start, length = overflow[2 * start], overflow[2 * start + 1]
            end = start + (2 * length if wide else length)
            if end <= size:
                yield start, end, wide

    def _stored(self) -> Iterator[tuple[bytes, bool]]:
        """The bytes and the width of the strings, until the budget is spent."""
        storage, left = self.storage, self.budget
        for start, end, wide in self.entries():
            left -= end - start
            if left < 0:
                return
            yield storage[start:end], wide

    def collect(self) -> frozenset[bytes]:
        """Every string in UTF-8."""
        return frozenset(raw if not wide and raw.isascii() else _utf8(raw, wide) for raw, wide in self._stored())

    def offset_of(self, raw: bytes) -> int | None:
        """Where a string lies in the file."""
        for start, end, wide in self.entries():
            stored = self.storage[start:end] if end - start <= 4 * len(raw) else b""
            if stored and (stored == raw or _utf8(stored, wide) == raw):
                return self.base + start
        return None

    def packages(self) -> tuple[str, ...]:
        """npm packages in paths; asked string by string, because in the storage they lie side by side."""
        if _PACKAGE.search(self.storage) is None:
            return ()
        narrow = (raw for raw, wide in self._stored() if not wide)
        return tuple(sorted({name.decode() for raw in narrow for name in _PACKAGE.findall(raw)}))


def _read_table(data: Blob, offset: int, count: int, overflow: int, storage: int) -> _Table | None:
    """The table at an offset, or None where it does not fit into the file."""
    base = offset + 4 * count + 8 * overflow
    if base + storage > len(data):
        return None
    words, pairs = _words(data[offset : offset + 4 * count]), _words(data[offset + 4 * count : base])
    table = _Table(words, pairs, bytes(data[base : base + storage]), base)
    sizes = [end - start for start, end, _ in table.entries()]
    return _Table(words, pairs, table.storage, base, count - len(sizes), sum(sizes) > table.budget)


def _words(raw: bytes | bytearray | memoryview) -> array[int]:
    words = array("I", bytes(raw[: len(raw) & ~3]))
    if sys.byteorder == "big":
        words.byteswap()
    return words


def _utf8(raw: bytes, wide: bool) -> bytes:
    text = raw.decode("utf-16-le", "surrogatepass") if wide else raw.decode("latin-1")
    return text.encode("utf-8", "surrogatepass")
