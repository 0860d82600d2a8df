"""Reads .NET assemblies: their name, what they refer to, their identifiers and string literals.

Specification: ECMA-335 partition II, sections 22 (tables), 24 (metadata) and 25 (PE file format).
Not read: code, signatures, custom attributes, resources; metadata with the streams of edit-and-continue sessions.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.errors import FormatError, LimitError, UnsupportedError
from auditor.formats.blob import Blob
from auditor.formats.deferred_names import DeferredNames
from auditor.limits import KIB
from auditor.model import Values

_CLI_DIRECTORY = 14
_STREAMS = 64
_ASSEMBLY, _ASSEMBLY_REF = 0x20, 0x23
_NAME_SIZE = KIB
"""Bytes kept of the name of an assembly."""
_REFERENCES = 10_000
"""Assemblies that one may refer to."""

_CODED: dict[str, tuple[int, tuple[int, ...]]] = {
    "TypeDefOrRef": (2, (0x02, 0x01, 0x1B)),
    "HasConstant": (2, (0x04, 0x08, 0x17)),
    "HasCustomAttribute": (
        5,
        (6, 4, 1, 2, 8, 9, 10, 0, 0x0E, 0x17, 0x14, 0x11, 0x1A, 0x1B, 0x20, 0x23, 0x26, 0x27, 0x28, 0x2A, 0x2C, 0x2B),
    ),
    "HasFieldMarshal": (1, (0x04, 0x08)),
    "HasDeclSecurity": (2, (0x02, 0x06, 0x20)),
    "MemberRefParent": (3, (0x02, 0x01, 0x1A, 0x06, 0x1B)),
    "HasSemantics": (1, (0x14, 0x17)),
    "MethodDefOrRef": (1, (0x06, 0x0A)),
    "MemberForwarded": (1, (0x04, 0x06)),
    "CustomAttributeType": (3, (0x06, 0x0A)),
    "ResolutionScope": (2, (0x00, 0x1A, 0x23, 0x01)),
}
"""Coded indexes (section 24.2.6): bits of the tag, and the tables one may point to."""

_COLUMNS: tuple[tuple[int | str, ...], ...] = (
    (2, "S", "G", "G", "G"),
    ("ResolutionScope", "S", "S"),
    (4, "S", "S", "TypeDefOrRef", "#04", "#06"),
    ("#04",),
    (2, "S", "B"),
    ("#06",),
    (4, 2, 2, "S", "B", "#08"),
    ("#08",),
    (2, 2, "S"),
    ("#02", "TypeDefOrRef"),
    ("MemberRefParent", "S", "B"),
    (2, "HasConstant", "B"),
    ("HasCustomAttribute", "CustomAttributeType", "B"),
    ("HasFieldMarshal", "B"),
    (2, "HasDeclSecurity", "B"),
    (2, 4, "#02"),
    (4, "#04"),
    ("B",),
    ("#02", "#14"),
    ("#14",),
    (2, "S", "TypeDefOrRef"),
    ("#02", "#17"),
    ("#17",),
    (2, "S", "B"),
    (2, "#06", "HasSemantics"),
    ("#02", "MethodDefOrRef", "MethodDefOrRef"),
    ("S",),
    ("B",),
    (2, "MemberForwarded", "S", "#1A"),
    (4, "#04"),
    (4, 4),
    (4,),
    (4, 2, 2, 2, 2, 4, "B", "S", "S"),
    (4,),
    (4, 4, 4),
    (2, 2, 2, 2, 4, "B", "S", "S", "B"),
)
"""Columns of the tables 0x00 to 0x23: a width, a heap (S, G, B), a table (#hex) or a coded index."""


@dataclass(frozen=True, slots=True)
class DotnetAssembly:
    """What one assembly says of itself."""

    name: str
    """Empty for a module that is no assembly."""
    version: str
    references: tuple[str, ...]
    """Names of the assemblies it refers to, in the order of the file."""
    strings: Values
    """Identifiers and user strings."""
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Tables:
    rows: tuple[int, ...]
    starts: tuple[int, ...]
    widths: tuple[tuple[int, ...], ...]
    """Of the columns of each table up to AssemblyRef."""


def is_pe(head: Blob) -> bool:
    """Whether the bytes begin like a PE file."""
    return bytes(head[:2]) == b"MZ"


def parse_dotnet_assembly(data: Blob) -> DotnetAssembly | None:
    """Read the metadata of a PE file; None where it is sound and holds none.

    Raises:
        UnsupportedError: metadata of an edit-and-continue session.
        LimitError: an absurd number of references.
        FormatError: no PE file, or its metadata is damaged.
    """
    whole = data if isinstance(data, bytes) else bytes(data[:])
    try:
        root = _find_metadata(whole)
        if root is None:
            return None
        streams = _read_streams(whole, root)
        tables = _read_tables(whole, *streams.get("#~", streams.get("#-", (0, 0))))
        heap = streams.get("#Strings", (0, 0))
        name, version = _read_assembly(whole, tables, heap)
        if tables.rows[_ASSEMBLY_REF] > _REFERENCES:
            raise LimitError(f"an assembly that refers to {tables.rows[_ASSEMBLY_REF]} others")
        references = tuple(_names(whole, tables, _ASSEMBLY_REF, 6, heap))
    except struct.error as error:
        raise FormatError("the .NET metadata is cut off") from error
    user = streams.get("#US", (0, 0))
    literals = whole[user[0] : user[1]]
    strings = AssemblyStrings((heap[0], whole[heap[0] : heap[1]]), (user[0], literals))
    # An entry of a wrong length, which the runtime never looks at, hides all that follow it.
    cut = any(end > len(literals) for _, end in _find_user_strings(literals))
    faults = ("a user string of the .NET metadata reaches outside their heap",) if cut else ()
    return DotnetAssembly(name, version, references, strings, faults)


def _find_metadata(data: bytes) -> int | None:
    """Offset of the metadata root, which the CLI header names; None where there is no CLI header."""
    if not is_pe(data):
        raise FormatError("no PE file", 0)
    (header,) = struct.unpack_from("<I", data, 0x3C)
    if data[header : header + 4] != b"PE\0\0":
        raise FormatError("no PE header", header)
    count, optional_size = struct.unpack_from("<H12xH", data, header + 6)
    optional = header + 24
    (magic,) = struct.unpack_from("<H", data, optional)
    if magic not in (0x10B, 0x20B):
        raise FormatError(f"PE optional header of kind {magic:#x}", optional)
    directories = optional + (96 if magic == 0x10B else 112)
    (entries,) = struct.unpack_from("<I", data, directories - 4)
    cli = (0, 0)
    if entries > _CLI_DIRECTORY and optional_size - (directories - optional) >= 8 * _CLI_DIRECTORY + 8:
        cli = struct.unpack_from("<II", data, directories + 8 * _CLI_DIRECTORY)
    if cli == (0, 0):
        return None
    sections = [struct.unpack_from("<4I", data, optional + optional_size + 40 * index + 8) for index in range(count)]
    position = _offset_of(cli[0], sections)
    (metadata,) = struct.unpack_from("<I", data, position + 8)
    return _offset_of(metadata, sections)


def _offset_of(address: int, sections: list[tuple[int, ...]]) -> int:
    for _, start, size, offset in sections:
        if start <= address < start + size:
            return offset + address - start
    raise FormatError(f"address {address:#x} lies in no section of the PE file")


def _read_streams(data: bytes, root: int) -> dict[str, tuple[int, int]]:
    """Start and end of every stream by its name."""
    if data[root : root + 4] != b"BSJB":
        raise FormatError("no metadata signature", root)
    (length,) = struct.unpack_from("<I", data, root + 12)
    position = root + 16 + length
    (count,) = struct.unpack_from("<2xH", data, position)
    position += 4
    streams: dict[str, tuple[int, int]] = {}
    for _ in range(min(count, _STREAMS)):
        offset, size = struct.unpack_from("<II", data, position)
        end = data.find(b"\0", position + 8, position + 8 + 32)
        if end < 0:
            raise FormatError("the name of a metadata stream does not end", position + 8)
        if root + offset + size > len(data):
            raise FormatError("a metadata stream lies outside the file", position)
        name = data[position + 8 : end].decode("ascii", "replace")
        # Obfuscators add streams of the same name; the runtime takes the first.
        streams.setdefault(name, (root + offset, root + offset + size))
        position += 8 + (end - position - 8 + 4) // 4 * 4
    if "#JTD" in streams:
        raise UnsupportedError("metadata of an edit-and-continue session", root)
    return streams


def _read_tables(data: bytes, start: int, end: int) -> _Tables:
    """Where the tables up to AssemblyRef lie in the table stream."""
    if end - start < 24:
        raise FormatError("no stream of metadata tables", start)
    heaps, valid = struct.unpack_from("<6xBxQ", data, start)
    position = start + 24
    rows = [0] * 64
    for table in range(64):
        if valid >> table & 1:
            (rows[table],) = struct.unpack_from("<I", data, position)
            position += 4
    # An undocumented flag of the header: four more bytes follow the counts.
    position += 4 if heaps & 0x40 else 0
    starts, widths = [], []
    for table, columns in enumerate(_COLUMNS):
        sizes = tuple(_width(column, rows, heaps) for column in columns)
        starts.append(position)
        widths.append(sizes)
        position += sum(sizes) * rows[table]
    if position > end:
        raise FormatError("the metadata tables reach outside their stream", start)
    return _Tables(tuple(rows), tuple(starts), tuple(widths))


def _width(column: int | str, rows: list[int], heaps: int) -> int:
    """Bytes of one column."""
    if isinstance(column, int):
        return column
    if column in ("S", "G", "B"):
        return 4 if heaps & {"S": 1, "G": 2, "B": 4}[column] else 2
    if column.startswith("#"):
        return 4 if rows[int(column[1:], 16)] > 0xFFFF else 2
    bits, tables = _CODED[column]
    return 4 if max(rows[table] for table in tables) >= 1 << (16 - bits) else 2


def _read_assembly(data: bytes, tables: _Tables, heap: tuple[int, int]) -> tuple[str, str]:
    if tables.rows[_ASSEMBLY] == 0:
        return "", ""
    numbers = struct.unpack_from("<4H", data, tables.starts[_ASSEMBLY] + 4)
    name = next(_names(data, tables, _ASSEMBLY, 7, heap), "")
    return name, ".".join(map(str, numbers))


def _names(data: bytes, tables: _Tables, table: int, column: int, heap: tuple[int, int]) -> Iterator[str]:
    """The strings one column of a table points to."""
    widths = tables.widths[table]
    before, width, row = sum(widths[:column]), widths[column], sum(widths)
    for index in range(tables.rows[table]):
        position = tables.starts[table] + index * row + before
        start = heap[0] + int.from_bytes(data[position : position + width], "little")
        end = data.find(b"\0", start, min(heap[1], start + _NAME_SIZE))
        if start >= heap[1] or end < 0:
            raise FormatError("the name of an assembly lies outside the heap of strings", position)
        yield data[start:end].decode("utf-8", "replace")


class AssemblyStrings(DeferredNames):
    """The heap of identifiers, and the user strings, which are UTF-16 behind their length."""

    __slots__ = ("_user", "_user_at")

    def __init__(self, heap: tuple[int, bytes], user: tuple[int, bytes]) -> None:
        """Take both heaps as (offset in the file, bytes) pairs."""
        super().__init__((heap,))
        self._user_at, self._user = user

    def _find(self) -> Iterator[tuple[int, bytes]]:
        for start, end in _find_user_strings(self._user):
            if end <= len(self._user):
                yield self._user_at + start, self._user[start:end].decode("utf-16-le", "replace").encode()


def _find_user_strings(data: bytes) -> Iterator[tuple[int, int]]:
    """Start and end of the characters of every user string; the last one may end behind the data."""
    position, end = 1, len(data)
    while position < end:
        first = data[position]
        # Section 24.2.4: a length of one, two or four bytes by the leading bits.
        width = 1 if first < 0x80 else 2 if first < 0xC0 else 4
        size = int.from_bytes(data[position : position + width], "big") & (0x7F, 0x3FFF, 0, 0x1FFFFFFF)[width - 1]
        position += width
        if size > 1:
            # The last byte only tells whether there are characters outside ASCII.
            yield position, position + size // 2 * 2
        position += size
