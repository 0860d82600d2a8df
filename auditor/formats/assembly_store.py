"""Reads the assembly stores of .NET for Android and Xamarin.Android: which assemblies an app carries.

Specification: Documentation/project-docs/AssemblyStores.md and ApkSharedLibraries.md of dotnet/android. Stores of
version 2 and later name their assemblies; those of version 1 are named by assemblies.manifest beside them. In a
library (libassemblies.*.blob.so, libassembly-store.so) the store is the content of a section.
Not read: the assemblies themselves, which are compressed (XALZ, LZ4); assemblies that mkbundle linked into a library.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.errors import FormatError, LimitError, UnsupportedError
from auditor.formats.blob import Blob
from auditor.limits import DEFAULT, KIB, Limits

_MAGIC = b"XABA"
_HEADER = struct.Struct("<4s4I")
_DESCRIPTOR_SIZES = {1: 24, 2: 28}
_FIRST_NAMED, _FIRST_WITH_ID, _LAST_VERSION = 2, 4, 4
"""From version 4 on an id of 8 bytes follows the header."""
_NAME_SIZE = 4 * KIB
_CANDIDATES = 64
"""Magic numbers looked at in one library."""
_LOOKALIKE = 64 * KIB
"""What goes on for longer than that before it turns out to be damaged is the store."""
_LINE = re.compile(r"0x[0-9a-fA-F]+\s+0x[0-9a-fA-F]+\s+\d+\s+\d+\s+(\S+)")


@dataclass(frozen=True, slots=True)
class AssemblyStore:
    """One store."""

    version: int
    count: int
    """Assemblies in it."""
    names: tuple[str, ...]
    """Of the assemblies, without .dll, ascending; empty in version 1, which leaves them to the manifest."""


def is_assembly_store(head: Blob) -> bool:
    """Whether the bytes begin like an assembly store."""
    return bytes(head[:4]) == _MAGIC


def is_compressed_assembly(head: Blob) -> bool:
    """Whether the bytes begin like a compressed assembly of .NET for Android."""
    return bytes(head[:4]) == b"XALZ"


def parse_assembly_store(data: Blob, limits: Limits = DEFAULT) -> AssemblyStore:
    """Read a store, bare or as the content of a library.

    Raises:
        UnsupportedError: a version that is not known.
        LimitError: more assemblies than ``limits.wrapper_strings``.
        FormatError: there is no store, or its tables are cut off.
    """
    whole = data if isinstance(data, bytes) else bytes(data[:])
    fault: FormatError | None = None
    for start in _find_stores(whole):
        try:
            return _read_store(whole, start, limits)
        except FormatError as error:
            # The first magic number is the store's, unless code that looks for stores stands before it.
            fault = fault or error
            if error.offset is not None and error.offset - start > _LOOKALIKE:
                break
    raise fault or FormatError("no assembly store", 0)


def parse_store_manifest(data: Blob, limits: Limits = DEFAULT) -> tuple[str, ...]:
    """Names of assemblies in assemblies.manifest, ascending.

    Raises:
        LimitError: more than ``limits.manifest_size`` bytes.
        FormatError: no line of it names an assembly.
    """
    if len(data) > limits.manifest_size:
        raise LimitError(f"assemblies.manifest of {len(data)} bytes; raise --limit manifest_size")
    lines = bytes(data[:]).decode("utf-8", "replace").splitlines()
    found = {match[1] for line in lines if (match := _LINE.fullmatch(line.strip())) is not None}
    if not found:
        raise FormatError("assemblies.manifest names no assembly", 0)
    return tuple(sorted(_stem(name) for name in found))


def _find_stores(data: bytes) -> Iterator[int]:
    position = data.find(_MAGIC)
    for _ in range(_CANDIDATES):
        if position < 0:
            return
        yield position
        position = data.find(_MAGIC, position + len(_MAGIC))


def _read_store(data: bytes, start: int, limits: Limits) -> AssemblyStore:
    if start + _HEADER.size > len(data):
        raise FormatError("the header of the assembly store is cut off", start)
    _, word, count, _, third = _HEADER.unpack_from(data, start)
    # Bit 31 tells 64-bit targets apart, bits 16 to 23 name the processor.
    version = word & 0xFFFF
    if not 1 <= version <= _LAST_VERSION:
        raise UnsupportedError(f"assembly store of version {version}", start + 4)
    if count > limits.wrapper_strings:
        raise LimitError(f"{count} assemblies in one store; raise --limit wrapper_strings")
    if version < _FIRST_NAMED:
        end = start + _HEADER.size + count * _DESCRIPTOR_SIZES[1]
        if end > len(data):
            raise FormatError(f"a store of {count} assemblies is cut off", start)
        return AssemblyStore(version, count, ())
    # From version 2 on the last field is the size of the index, whose entries differ between versions.
    position = start + _HEADER.size + (8 if version >= _FIRST_WITH_ID else 0) + third + count * _DESCRIPTOR_SIZES[2]
    if count == 0 or position > len(data):
        raise FormatError(f"a store of {count} assemblies is cut off", start)
    return AssemblyStore(version, count, tuple(sorted(set(_read_names(data, position, count)))))


def _read_names(data: bytes, position: int, count: int) -> Iterator[str]:
    for _ in range(count):
        size = int.from_bytes(data[position : position + 4], "little")
        first = position + 4
        if not 0 < size <= _NAME_SIZE or first + size > len(data):
            raise FormatError("the names of the assembly store are damaged", position)
        name = data[first : first + size].decode("utf-8", "replace")
        # Debug symbols and configuration of an assembly are no entries of their own; other files may be.
        if name.endswith(".dll"):
            yield _stem(name)
        position = first + size


def _stem(name: str) -> str:
    """The name of an assembly without the folder of its language and without .dll."""
    return name.rpartition("/")[2].removesuffix(".dll")
