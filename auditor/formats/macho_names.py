"""Read the names a Mach-O image defines and imports: C strings, symbol table, export trie, chained imports.

Format: mach-o/nlist.h, mach-o/loader.h, mach-o/fixup-chains.h and the export trie of dyld (EXPORT_SYMBOL_FLAGS_*).

Not read: UTF-16 strings (__ustring), classic binding opcodes.
"""

from __future__ import annotations

import re
import struct
import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import compress, islice

from auditor.formats.macho_layout import Image
from auditor.limits import MIB, Limits

_STAB, _PRIVATE, _TYPE, _EXTERNAL = 0xE0, 0x10, 0x0E, 0x01
_UNDEFINED, _ABSOLUTE, _SECTION, _PREBOUND, _INDIRECT = 0x0, 0x2, 0xE, 0xC, 0xA
_REEXPORT = 0x08
_VERSION = re.compile(rb"\0(\d{1,9}(?:\.\d{1,9}){1,3}(?:_[a-z]{1,8})?)(?=\0)")
_VERSIONS = 20_000
_WINDOW, _NEIGHBOURS = 4096, 12
"""Bytes looked at and strings kept before a version number."""
_FAR, _NEAR = 40, 160
"""Bytes kept of a string some places before a version number, and right beside it."""


def _kinds(wanted: Iterable[int], exported: bool) -> bytes:
    """A translation table that maps an n_type to 1 where it is no stab, of these types and of this visibility."""
    types = frozenset(wanted)
    return bytes(
        int(not n & _STAB and n & _TYPE in types and bool(n & (_EXTERNAL | _PRIVATE)) is exported) for n in range(256)
    )


# A private external symbol (N_PEXT) was external until an export list or hidden visibility made it local.
_IS_DEFINED = _kinds((_ABSOLUTE, _SECTION), True)
_IS_LOCAL = _kinds((_ABSOLUTE, _SECTION), False)
# An indirect symbol names another one: a reference, not a definition.
_IS_IMPORT = _kinds((_UNDEFINED, _PREBOUND, _INDIRECT), True)


class NameValues:
    """Values over NUL-terminated names: split, sorted and decoded only when asked."""

    __slots__ = ("_base", "_names", "_raw", "_sorted")

    def __init__(self, names: Iterable[bytes] | None, raw: tuple[tuple[int, bytes], ...] = ()) -> None:
        """Take the names, or with None every string of ``raw``: (offset in the file, NUL-separated bytes) pairs."""
        self._names = None if names is None else _text(frozenset(names))
        self._raw = raw
        self._sorted: list[bytes] | None = None

    @property
    def raw(self) -> tuple[tuple[int, bytes], ...]:
        return self._raw

    def _all(self) -> frozenset[bytes]:
        if self._names is None:
            found: set[bytes] = set()
            for _, chunk in self._raw:
                found.update(chunk.split(b"\0"))
            found.discard(b"")
            self._names = _text(frozenset(found))
        return self._names

    def _ascending(self) -> list[bytes]:
        if self._sorted is None:
            self._sorted = sorted(self._all())
        return self._sorted

    def __len__(self) -> int:
        return len(self._all())

    def __iter__(self) -> Iterator[str]:
        return (name.decode() for name in self._ascending())

    def __contains__(self, value: object, /) -> bool:
        return isinstance(value, str) and value.encode("utf-8", "replace") in self._all()

    def __repr__(self) -> str:
        return f"NameValues({list(self)!r})" if len(self) <= 20 else f"NameValues(<{len(self)} names>)"

    def with_prefix(self, prefix: str) -> Iterator[str]:
        """Every value that starts with ``prefix``, ascending."""
        names, start = self._ascending(), prefix.encode("utf-8", "replace")
        index = bisect_left(names, start)
        while index < len(names) and names[index].startswith(start):
            yield names[index].decode()
            index += 1

    def offset_of(self, value: str) -> int | None:
        """Byte offset of ``value`` in the file, where it stands as a string of its own."""
        name = value.encode("utf-8", "replace")
        for base, chunk in self._raw:
            if chunk.startswith(name + b"\0"):
                return base
            index = chunk.find(b"\0" + name + b"\0")
            if index >= 0:
                return base + index + 1
        return None


def _text(names: frozenset[bytes]) -> frozenset[bytes]:
    """The names themselves, those that are no UTF-8 with the invalid bytes spelled out: every value is text."""
    if b"".join(names).isascii():
        return names
    return frozenset(name.decode("utf-8", "backslashreplace").encode() for name in names)


@dataclass(slots=True)
class Symbols:
    """The names of the symbol table, the export trie and the chained imports, by what they mean."""

    defined: set[bytes] = field(default_factory=set)
    local: set[bytes] = field(default_factory=set)
    """Defined, but never visible to another image."""
    imports: set[bytes] = field(default_factory=set)
    raw: tuple[tuple[int, bytes], ...] = ()
    """The string table with its offset in the file."""


def read_strings(image: Image, section_name: str, limits: Limits) -> tuple[NameValues, bool]:
    """The strings of all sections of one name, and whether some are ciphertext."""
    chunks: list[tuple[int, bytes]] = []
    hidden = False
    count = 0
    # Sections do not overlap; those of a made-up image could name the same bytes thousands of times.
    left = image.size
    for section in image.sections:
        if section.name != section_name:
            continue
        if image.is_encrypted_at(section.offset, section.size):
            hidden = True
            continue
        raw = image.read(section.offset, section.size)
        if raw is None:
            image.fault(f"the strings of {section.segment},{section.name} are cut off", "strings")
            raw = image.read(section.offset, max(image.size - section.offset, 0)) or b""
        left -= len(raw)
        if left < 0:
            image.fault(f"sections named {section_name} overlap", "strings")
            break
        count += raw.count(b"\0")
        if count > limits.native_strings:
            image.fault(f"more than {limits.native_strings} strings in {section.name}", "strings")
            break
        chunks.append((image.base + section.offset, raw))
    return NameValues(None, tuple(chunks)), hidden


def stated_versions(strings: NameValues) -> NameValues:
    """The strings that are a version number and nothing else, among their neighbours: A | B | VERSION | BEHIND.

    A number alone could be anybody's; linkers keep the strings of one object file in their order, so the neighbours say
    whose it is. Of strings that many object files hold a linker keeps the first: any neighbour may be missing, but none
    is ever put between.
    """
    found: set[bytes] = set()
    for _, strings_alone in strings.raw:
        chunk = b"\0" + strings_alone
        for match in islice(_VERSION.finditer(chunk), _VERSIONS):
            start = max(match.start() - _WINDOW, 0)
            before = chunk[start : match.start()].split(b"\0")
            if start and len(before) > 1:
                del before[0]
            before = [text for text in before if text][-_NEIGHBOURS:]
            behind = chunk[match.end() : match.end() + _WINDOW].lstrip(b"\0").split(b"\0", 1)[0]
            parts = [text[:_FAR] for text in before[:-1]] + [text[:_NEAR] for text in before[-1:]]
            found.add(b" | ".join((*parts, match.group(1), behind[:_NEAR])))
    return NameValues(found)


def read_symbols(image: Image, limits: Limits) -> Symbols:
    """The names of everything the image defines and imports."""
    symbols = Symbols()
    if image.symtab is not None:
        _read_symtab(image, image.symtab, symbols, limits)
    if image.export_trie is not None and image.export_trie[1] != 0:
        raw = image.read(*image.export_trie)
        if raw is None:
            image.fault("the export trie lies outside the file", "symbols", "objc", "swift")
        else:
            symbols.defined |= _read_trie(image, raw, limits)
    if image.fixups is not None:
        symbols.imports |= _read_chained_imports(image, limits)
    return symbols


def _read_symtab(image: Image, where: tuple[int, int, int, int], symbols: Symbols, limits: Limits) -> None:
    offset, count, names_offset, names_size = where
    if count > limits.macho_symbols:
        image.fault(f"{count} symbols; at most {limits.macho_symbols} are read", "symbols", "objc", "swift")
        return
    step = 16 if image.wide else 12
    table, names = image.read(offset, count * step), image.read(names_offset, names_size)
    if table is None or names is None:
        image.fault("the symbol table lies outside the file", "symbols", "objc", "swift")
        return
    words = array("I", table)
    if (image.order == "<") != (sys.byteorder == "little"):
        words.byteswap()
    starts, types = words[0 :: step // 4], table[4::step]
    symbols.raw = ((image.base + names_offset, names),)
    symbols.defined |= _names_at(image, names, compress(starts, types.translate(_IS_DEFINED)))
    symbols.local |= _names_at(image, names, compress(starts, types.translate(_IS_LOCAL)))
    symbols.imports |= _names_at(image, names, compress(starts, types.translate(_IS_IMPORT)))


def _names_at(image: Image, names: bytes, starts: Iterable[int]) -> set[bytes]:
    found: set[bytes] = set()
    # Names may share their tails, but a table that spells out many times its own size is made to exhaust memory.
    budget = 16 * len(names) + MIB
    missing = 0
    for start in set(starts):
        end = names.find(b"\0", start)
        if end < 0:
            end = len(names)
            missing += start >= end
        budget -= end - start
        if budget < 0:
            image.fault("the names of the symbol table overlap beyond measure", "symbols", "objc", "swift")
            break
        found.add(names[start:end])
    if missing:
        image.fault(f"{missing} symbol names lie outside the string table", "symbols", "objc", "swift")
    found.discard(b"")
    return found


def _read_trie(image: Image, trie: bytes, limits: Limits) -> set[bytes]:
    """The names an export trie defines; names re-exported from another library are left out."""
    names: set[bytes] = set()
    pending: list[tuple[int, bytes]] = [(0, b"")]
    seen = {0}
    # Spelled out, the names of real tries take two to three times the room; a deep chain would take it squared.
    budget = min(16 * len(trie) + 16 * MIB, 256 * MIB)
    try:
        while pending:
            position, prefix = pending.pop()
            size = trie[position]
            position += 1
            if size >= 0x80:
                size, position = _uleb128(trie, position - 1)
            if size and not _uleb128(trie, position)[0] & _REEXPORT:
                names.add(prefix)
            position += size
            children = trie[position]
            position += 1
            for _ in range(children):
                end = trie.index(b"\0", position)
                label = trie[position:end]
                child, position = _uleb128(trie, end + 1)
                budget -= len(prefix) + len(label)
                if child in seen or child >= len(trie) or len(seen) >= limits.trie_nodes or budget < 0:
                    image.fault(f"the export trie has a faulty edge to node {child:#x}", "symbols", "objc", "swift")
                    if len(seen) >= limits.trie_nodes or budget < 0:
                        return names
                    continue
                seen.add(child)
                pending.append((child, prefix + label))
    except (IndexError, ValueError):
        image.fault("the export trie is cut off", "symbols", "objc", "swift")
    names.discard(b"")
    return names


def _uleb128(data: bytes, position: int) -> tuple[int, int]:
    """An unsigned LEB128 number and the position behind it; more than ten bytes are no 64-bit number."""
    value = data[position]
    position += 1
    if value < 0x80:
        return value, position
    value &= 0x7F
    for shift in range(7, 70, 7):
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError("LEB128 number of more than ten bytes")


def _read_chained_imports(image: Image, limits: Limits) -> set[bytes]:
    raw = image.read(*image.fixups) if image.fixups is not None else None
    if raw is None or len(raw) < 28:
        image.fault("the chained fixups lie outside the file", "objc")
        return set()
    _, _, imports, pool, count, kind, compression = struct.unpack_from(image.order + "7I", raw)
    step = {1: 4, 2: 8, 3: 16}.get(kind)
    if count == 0:
        return set()
    if step is None or compression != 0 or count > limits.macho_symbols or imports + count * step > len(raw):
        image.fault(f"{count} chained imports of format {kind} cannot be read")
        return set()
    if kind == 3:
        rows = struct.iter_unpack(image.order + "QQ", raw[imports : imports + count * step])
        starts = [pool + (row[0] >> 32) for row in rows]
    else:
        form = image.order + ("I" if kind == 1 else "Ii")
        starts = [pool + (row[0] >> 9) for row in struct.iter_unpack(form, raw[imports : imports + count * step])]
    return _names_at(image, raw, starts)
