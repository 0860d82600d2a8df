"""Reads ELF libraries: name, needed libraries, JNI entry points, build id and telling strings.

Specification: https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html
Class names: JNI specification, "Resolving Native Method Names" and "Type Signatures".
Not read: code, relocations, debug data, symbols other than JNI entry points; strings outside loaded segments.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.errors import FormatError, LimitError
from auditor.formats.blob import Blob
from auditor.limits import DEFAULT, Limits
from auditor.model import SortedValues, Values

if TYPE_CHECKING:
    import lief

_MAGIC = b"\x7fELF"
_MACHINES = {3: "i386", 8: "mips", 40: "arm", 62: "x86_64", 183: "aarch64", 243: "riscv"}
_LOAD, _DYNAMIC = 1, 2
_ENTRY_POINTS = ("Java_", "JNI_OnLoad", "JNI_OnUnload")
_STRING_SECTIONS = (".rodata", ".data.rel.ro")
_AROUND = 40
"""Bytes kept of a string on each side of a version number."""
_VERSION = re.compile(rb"(?<![0-9.])[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}")
_PRINTABLE_END = re.compile(rb"[ -~]*\Z")
_PRINTABLE = re.compile(rb"[ -~]*")
_LAST_PART = re.compile(rb"/[A-Za-z0-9_$]{1,80}[\0;]")
"""Where a class name may end: as a string of its own, or inside a type signature."""
_CLASS_PATH = re.compile(rb"[A-Za-z_$][A-Za-z0-9_$]{0,80}(?:/[A-Za-z0-9_$]{1,80}){2,16}")
_SHORT_PATH = re.compile(rb"[a-z][a-z0-9_]{0,80}/[A-Z][A-Za-z0-9_$]*[a-z][A-Za-z0-9_$]*")
"""Two parts are a class by the convention for names only; text/html and audio/AMR are none."""
_DESCRIPTOR = re.compile(rb"[ZBCSIJFD]*L([A-Za-z_$][A-Za-z0-9_$]{0,80}(?:/[A-Za-z0-9_$]{1,80}){1,16})")
"""A class in a type signature, with the primitive types before it."""
_NAME_BYTES = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_$/")
_NAME_EDGES = bytes(1 if value in _NAME_BYTES else 0 for value in range(256))
_PATH_SIZE = 17 * 81 + 8


class LocatedValues(SortedValues):
    """Ascending strings with the offset each was first seen at."""

    __slots__ = ("_offsets",)

    def __init__(self, offsets: dict[str, int]) -> None:
        super().__init__(offsets)
        self._offsets = offsets

    def offset_of(self, value: str) -> int | None:
        return self._offsets.get(value)


@dataclass(frozen=True, slots=True)
class Elf:
    """What an ELF file says of itself."""

    soname: str
    """DT_SONAME, empty where there is none."""
    needed: tuple[str, ...]
    """DT_NEEDED in the order of the file."""
    exports: Values
    """JNI entry points defined here."""
    class_strings: Values
    """Java classes the loaded data names for RegisterNatives or FindClass (a/b/C, [La/b/C;) or in a method's type
    signature; dotted, arrays by their element."""
    versions: Values
    """Strings of read-only data that hold a version number of three parts, 40 bytes kept on each side."""
    build_id: str
    """GNU build id, lower-case hex, empty where there is none."""
    machine: str
    """Processor, by the name of its e_machine constant in lower case."""
    faults: tuple[str, ...]
    """Sentences on what could not be read; empty for a sound file."""


@dataclass(frozen=True, slots=True)
class _Segment:
    kind: int
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class _Header:
    machine: int
    segments: tuple[_Segment, ...]
    faults: tuple[str, ...]


def is_elf(data: Blob) -> bool:
    """Whether ``data`` begins like an ELF file."""
    return bytes(data[: len(_MAGIC)]) == _MAGIC


def parse_elf(data: Blob, limits: Limits = DEFAULT) -> Elf:
    """Read an ELF file of either word size and byte order.

    Raises:
        LimitError: more bytes than ``limits.elf_size``.
        FormatError: no ELF header, or nothing that lief can read.
    """
    if len(data) > limits.elf_size:
        raise LimitError(f"ELF file of {len(data)} bytes, more than {limits.elf_size}")
    whole = data if isinstance(data, bytes) else bytes(data[:])
    header = _read_header(whole)
    binary = _parse_binary(whole)
    faults = list(header.faults)
    has_dynamic = any(segment.kind == _DYNAMIC for segment in header.segments)
    soname, needed = _read_dynamic(binary)
    if has_dynamic and not any(True for _ in binary.dynamic_entries):
        faults.append("the dynamic section cannot be read")
    class_strings: dict[str, int] = {}
    versions: dict[str, int] = {}
    loaded = _disjoint(_loaded_segments(header), len(whole))
    named = _disjoint(_string_sections(binary), len(whole))
    # Loaders ignore section headers, so these may be missing or lie: classes are looked for in all that is loaded.
    for start, end in loaded or named:
        _keep(class_strings, _find_class_paths(whole, start, end, limits), limits)
    for start, end in named or loaded:
        _keep(versions, _find_versions(whole, start, end), limits)
    return Elf(
        soname=soname,
        needed=needed,
        exports=SortedValues(_find_exports(binary)),
        class_strings=LocatedValues(class_strings),
        versions=LocatedValues(versions),
        build_id=_read_build_id(binary),
        machine=_MACHINES.get(header.machine, f"machine-{header.machine}"),
        faults=tuple(faults),
    )


def _read_header(data: bytes) -> _Header:
    """The fields of the ELF header on which lief is trusting, checked against the size of the file."""
    if data[: len(_MAGIC)] != _MAGIC:
        raise FormatError("no ELF magic", 0)
    if len(data) < 6 or data[4] not in (1, 2) or data[5] not in (1, 2):
        raise FormatError("ELF header states no known class and byte order", 4)
    order = "<" if data[5] == 1 else ">"
    layout = struct.Struct(f"{order}HHI{'III' if data[4] == 1 else 'QQQ'}IHHHHHH")
    if len(data) < 16 + layout.size:
        raise FormatError(f"ELF header needs {16 + layout.size} bytes, {len(data)} are there", 0)
    _, machine, _, _, table, sections, _, _, entry_size, count, section_size, section_count, _ = layout.unpack_from(
        data, 16
    )
    faults = []
    if sections + section_size * section_count > len(data):
        faults.append("the section headers lie outside the file")
    segments = tuple(_read_segments(data, order, table, entry_size, count))
    if len(segments) < count:
        faults.append(f"{count - len(segments)} of {count} program headers lie outside the file")
    cut = sum(segment.offset + segment.size > len(data) for segment in segments if segment.kind == _LOAD)
    if cut:
        faults.append(f"{cut} loaded segments reach outside the file")
    return _Header(machine, segments, tuple(faults))


def _read_segments(data: bytes, order: str, table: int, entry_size: int, count: int) -> Iterator[_Segment]:
    """The program headers that lie inside the file."""
    layout = struct.Struct(f"{order}IIIII" if data[4] == 1 else f"{order}IIQQQQ")
    for position in range(table, table + entry_size * count, max(entry_size, 1)):
        if entry_size < layout.size or position + layout.size > len(data):
            return
        fields = layout.unpack_from(data, position)
        # 32 bit: type, offset, vaddr, paddr, filesz; 64 bit: type, flags, offset, vaddr, paddr, filesz.
        yield _Segment(fields[0], fields[1] if data[4] == 1 else fields[2], fields[-1])


def _parse_binary(data: bytes) -> lief.ELF.Binary:
    import lief

    lief.logging.disable()
    config = lief.ELF.ParserConfig()
    config.parse_relocations = False
    config.parse_overlay = False
    config.parse_symtab_symbols = False
    config.parse_symbol_versions = False
    binary = lief.ELF.parse(io.BytesIO(data), config)
    if binary is None:
        raise FormatError("lief cannot read this ELF file", 0)
    return binary


def _read_dynamic(binary: lief.ELF.Binary) -> tuple[str, tuple[str, ...]]:
    """DT_SONAME and DT_NEEDED."""
    import lief

    soname = ""
    needed: list[str] = []
    for entry in binary.dynamic_entries:
        if isinstance(entry, lief.ELF.DynamicSharedObject):
            soname = _text(entry.name)
        elif isinstance(entry, lief.ELF.DynamicEntryLibrary):
            needed.append(_text(entry.name))
    return soname, tuple(needed)


def _find_exports(binary: lief.ELF.Binary) -> Iterator[str]:
    for symbol in binary.dynamic_symbols:
        if symbol.shndx != 0:
            name = _text(symbol.name)
            if name.startswith(_ENTRY_POINTS):
                yield name


def _read_build_id(binary: lief.ELF.Binary) -> str:
    import lief

    for note in binary.notes:
        if note.type == lief.ELF.Note.TYPE.GNU_BUILD_ID and note.name == "GNU":
            return bytes(note.description).hex()
    return ""


def _loaded_segments(header: _Header) -> Iterator[tuple[int, int]]:
    for segment in header.segments:
        if segment.kind == _LOAD:
            yield segment.offset, segment.offset + segment.size


def _string_sections(binary: lief.ELF.Binary) -> Iterator[tuple[int, int]]:
    for section in binary.sections:
        if _text(section.name).startswith(_STRING_SECTIONS):
            yield section.file_offset, section.file_offset + section.size


def _disjoint(regions: Iterable[tuple[int, int]], size: int) -> list[tuple[int, int]]:
    """The byte ranges inside the file, so that each byte is looked at once, however many headers point to it."""
    found = []
    covered = 0
    for start, end in sorted(regions):
        start, end = max(start, covered), min(end, size)
        if start < end:
            found.append((start, end))
            covered = end
    return found


def _keep(found: dict[str, int], strings: Iterable[tuple[int, str]], limits: Limits) -> None:
    """Collect strings with the offset each was first seen at.

    Raises:
        LimitError: more than ``limits.native_strings``.
    """
    for offset, value in strings:
        found.setdefault(value, offset)
        if len(found) > limits.native_strings:
            raise LimitError(f"more than {limits.native_strings} strings in an ELF file", offset)


def _find_class_paths(data: bytes, start: int, end: int, limits: Limits) -> Iterator[tuple[int, str]]:
    """The Java classes named between two offsets: whole strings, and the classes in type signatures.

    Raises:
        LimitError: more than ``limits.native_strings`` places to look at.
    """
    behind = start
    for number, last in enumerate(_LAST_PART.finditer(data, start, end)):
        if number >= limits.native_strings:
            raise LimitError(f"more than {limits.native_strings} paths in an ELF file", last.start())
        # A name never reaches back over the end of the one before, so each byte is looked at once.
        window = data[max(behind, last.start() - _PATH_SIZE) : last.end() - 1]
        behind = last.end()
        size = len(window) - 1 - window.translate(_NAME_EDGES).rfind(0)
        first = last.end() - 1 - size
        run = window[len(window) - size :]
        before = data[first - 1] if first > start else 0
        if data[last.end() - 1]:
            found = _DESCRIPTOR.fullmatch(run) if before in b"\0([;)" else None
            if found is not None:
                yield first + found.start(1), _dotted(found[1])
        elif before == 0 and (_CLASS_PATH.fullmatch(run) or _SHORT_PATH.fullmatch(run)):
            yield first, _dotted(run)


def _dotted(path: bytes) -> str:
    return path.decode("ascii").replace("/", ".")


def _find_versions(data: bytes, start: int, end: int) -> Iterator[tuple[int, str]]:
    position = start
    while (match := _VERSION.search(data, position, end)) is not None:
        before = data[max(position, match.start() - _AROUND) : match.start()]
        lead = _PRINTABLE_END.search(before)
        first = match.start() if lead is None else match.start() - len(lead[0])
        tail = _PRINTABLE.match(data, match.end(), min(end, match.end() + _AROUND))
        position = match.end() if tail is None else tail.end()
        yield first, data[first:position].decode("ascii")


def _text(value: str | bytes) -> str:
    """A name as lief gives it: bytes where it is not UTF-8."""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    return text.encode("utf-8", "replace").decode("utf-8")
