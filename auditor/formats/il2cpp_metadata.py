"""Reads IL2CPP global-metadata.dat of Unity apps: assemblies, identifiers and string literals of the managed code.

Format: Il2CppGlobalMetadataHeader in il2cpp-metadata.h, which every Unity installation holds. Of the header only the
first three tables are needed, which stand first in all versions: literals, their text, and the heap of identifiers.
The heap names every assembly as NAME.dll.
Not read: types, methods and fields as such (their names are in the heap); what a protector has encrypted or
moved.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from operator import add, le

from auditor.errors import FormatError, LimitError, UnsupportedError
from auditor.formats.blob import Blob
from auditor.formats.deferred_names import DeferredNames, as_text
from auditor.limits import DEFAULT, KIB, Limits
from auditor.model import Values

_MAGIC = b"\xaf\x1b\xb1\xfa"
_FIRST_VERSION, _LAST_VERSION = 16, 1_000
"""Unity counts up by one or a few a year; a number far above is no version but ciphertext."""
_COUNTED_TABLES = 38
"""From this version on a table is (offset, size, count)."""
_SHORT_LITERALS = 32
"""From this version on a literal may be its start alone; its end is the start of the next one."""
_PADDING = 8
"""More than the bytes between the last literal and the end of the text."""
_ASSEMBLY = b".dll\0"
_NAME_SIZE = KIB
"""Bytes of the longest name of an assembly."""


@dataclass(frozen=True, slots=True)
class Il2cppMetadata:
    """What the metadata file of a Unity app tells."""

    version: int
    assemblies: tuple[str, ...]
    """Names of the assemblies that were compiled, without .dll, ascending."""
    strings: Values
    """String literals and identifiers."""
    faults: tuple[str, ...] = ()


def is_il2cpp_metadata(head: Blob) -> bool:
    """Whether the bytes begin like global-metadata.dat."""
    return bytes(head[:4]) == _MAGIC


def parse_il2cpp_metadata(data: Blob, limits: Limits = DEFAULT) -> Il2cppMetadata:
    """Read global-metadata.dat of any version.

    Raises:
        UnsupportedError: no version that Unity has ever written.
        LimitError: more strings than ``limits.wrapper_strings``.
        FormatError: no metadata, encrypted metadata, or tables outside the file.
    """
    whole = data if isinstance(data, bytes) else bytes(data[:])
    if not is_il2cpp_metadata(whole):
        raise FormatError("no IL2CPP metadata: another magic number, so it may be encrypted", 0)
    if len(whole) < 44:
        raise FormatError("the IL2CPP header is cut off", 0)
    (version,) = struct.unpack_from("<I", whole, 4)
    if not _FIRST_VERSION <= version <= _LAST_VERSION:
        raise UnsupportedError(f"IL2CPP metadata of version {version}", 4)
    width = 12 if version >= _COUNTED_TABLES else 8
    literals, text, heap = (_table(whole, 8 + width * index) for index in range(3))
    identifiers = _area(whole, heap)
    assemblies = _find_assemblies(identifiers[1], limits)
    if (literals[1] - literals[0]) // 4 > limits.wrapper_strings:
        raise LimitError(f"more than {limits.wrapper_strings} literals; raise --limit wrapper_strings")
    starts, ends, faults = _read_literals(whole, literals, text[1] - text[0], version)
    strings = MetadataStrings(identifiers, _area(whole, text), starts, ends)
    return Il2cppMetadata(version, assemblies, strings, faults)


def _table(data: bytes, position: int) -> tuple[int, int]:
    """Start and end of a table."""
    offset, size = struct.unpack_from("<II", data, position)
    if offset + size > len(data):
        raise FormatError(f"a table of {size} bytes at {offset:#x} lies outside the file", position)
    return offset, offset + size


def _area(data: bytes, table: tuple[int, int]) -> tuple[int, bytes]:
    return table[0], data[table[0] : table[1]]


def _find_assemblies(heap: bytes, limits: Limits) -> tuple[str, ...]:
    if heap.count(b"\0") > limits.wrapper_strings:
        raise LimitError(f"more than {limits.wrapper_strings} identifiers; raise --limit wrapper_strings")
    found = set()
    end = heap.find(_ASSEMBLY)
    while end >= 0:
        start = heap.rfind(b"\0", 0, end) + 1
        if start < end <= start + _NAME_SIZE:
            found.add(heap[start:end].decode("utf-8", "replace"))
        end = heap.find(_ASSEMBLY, end + len(_ASSEMBLY))
    # Every build compiles at least one assembly, so a heap that names none is ciphertext.
    if not found:
        raise FormatError("the identifiers of the IL2CPP metadata name no assembly: encrypted or damaged")
    return tuple(sorted(found))


def _read_literals(
    data: bytes, table: tuple[int, int], size: int, version: int
) -> tuple[array[int], array[int], tuple[str, ...]]:
    """Start and end of every literal behind the start of their text, of which there are ``size`` bytes.

    An entry is (length, start), in newer versions the start alone. Which of the two is told by the entries: literals
    lie behind one another, from the first byte of the text to its last.
    """
    words = array("I", data[table[0] : table[1] - (table[1] - table[0]) % 4])
    if sys.byteorder == "big":
        words.byteswap()
    if not words and size >= _PADDING:
        return words, array("Q"), (f"the IL2CPP metadata holds {size} bytes of string literals and no table of them",)
    starts = words[1::2]
    ends = array("Q", map(add, words[0::2], starts))
    covered = max(ends, default=0)
    in_turn = starts[:1] in (array("I"), array("I", [0])) and all(map(le, starts, starts[1:]))
    complete = in_turn and size - covered < _PADDING
    if len(words) % 2 == 0 and covered <= size and (version < _SHORT_LITERALS or complete):
        overlap = sum(words[0::2]) > 2 * size
        return starts, ends, ("string literals of the IL2CPP metadata overlap beyond measure",) if overlap else ()
    ends = array("Q", [*words[1:], size][: len(words)])
    if version >= _SHORT_LITERALS and all(map(le, words, ends)):
        return words, ends, ()
    return array("I"), array("Q"), ("the string literals of the IL2CPP metadata cannot be told apart",)


class MetadataStrings(DeferredNames):
    """Identifiers and literals; where a text is both, its offset is that of the literal."""

    __slots__ = ("_ends", "_starts", "_text", "_text_at")

    def __init__(self, heap: tuple[int, bytes], text: tuple[int, bytes], starts: array[int], ends: array[int]) -> None:
        """Take the areas as (offset in the file, bytes) pairs."""
        super().__init__((heap,))
        self._text_at, self._text = text
        self._starts = starts
        self._ends = ends

    def _find(self) -> Iterator[tuple[int, bytes]]:
        # Literals that lie inside one another could add up to any amount of work.
        left = 2 * len(self._text)
        for start, end in zip(self._starts, self._ends, strict=True):
            left -= end - start
            if left < 0:
                return
            yield self._text_at + start, as_text(self._text[start:end])
