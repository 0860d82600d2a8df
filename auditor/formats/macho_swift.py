"""Read the Swift types and protocols that a Mach-O image defines: Module.Type, nested types in full.

Format: include/swift/ABI/Metadata.h and MetadataValues.h of the Swift compiler (context descriptors, type and protocol
records), docs/ABI/Mangling.rst.

Not read: fields, conformances, names of extended types of other modules unless spelled out, metadata before the stable
ABI (__swift2_types: of Swift 4 and older, class names and symbols are read).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

from auditor.formats.macho_layout import Section
from auditor.formats.macho_names import Symbols
from auditor.formats.macho_pointers import PointerReader
from auditor.formats.swift_names import DESCRIPTORS, type_of_class, type_of_mangled, type_of_symbol
from auditor.limits import Limits

_TYPE_SECTIONS = frozenset({"__swift5_types", "__swift5_types2"})
_SECTIONS = _TYPE_SECTIONS | {"__swift5_protos"}
_MODULE, _EXTENSION, _ANONYMOUS, _PROTOCOL, _FIRST_TYPE, _LAST_TYPE = 0, 1, 2, 3, 16, 31
_DIRECT, _INDIRECT = 0, 1
_DEPTH = 32
_FOREIGN = b"__C"
"""The module of what Swift imports from C and Objective-C: such descriptors are copies, not definitions."""

Path = tuple[bytes, ...]
"""A module and the names inside it; of a module the module alone."""


def symbol_types(symbols: Symbols) -> set[bytes]:
    """The types and protocols that have a defined descriptor symbol: what is left where metadata cannot be read."""
    matching = [name for names in (symbols.defined, symbols.local) for name in names if name.endswith(DESCRIPTORS)]
    return {name.encode() for name in map(type_of_symbol, matching) if name is not None}


def class_types(classes: Iterable[bytes]) -> set[bytes]:
    """The Swift classes among Objective-C classes."""
    found = (type_of_class(name) for name in classes)
    return {name.encode() for name in found if name is not None}


def read_types(reader: PointerReader, limits: Limits) -> tuple[set[bytes], bool]:
    """The types and protocols behind __swift5_types and __swift5_protos, and whether some are ciphertext."""
    contexts = _Contexts(reader)
    names: set[bytes] = set()
    unread = 0
    before = reader.ciphertext
    for address in _find_descriptors(reader, limits):
        path = None if address is None else contexts.defined(address)
        if path is None:
            unread += 1
        elif len(path) > 1 and not path[0].startswith(_FOREIGN):
            # Contexts share the names of their parents: spelled out, those of a made-up image could fill the memory.
            reader.budget -= sum(map(len, path))
            if reader.budget < 0:
                reader.image.fault("the names of Swift types add up beyond measure", "swift")
                break
            names.add(b".".join(path))
    ciphertext = reader.ciphertext - before
    if unread > ciphertext:
        reader.image.fault(f"{unread - ciphertext} Swift types have no readable name", "swift")
    return names, ciphertext != 0


def _find_descriptors(reader: PointerReader, limits: Limits) -> Iterator[int | None]:
    """The addresses of the descriptors that type and protocol records name; None for one out of reach."""
    image = reader.image
    left = limits.macho_classes
    for section in image.sections:
        if section.name not in _SECTIONS:
            continue
        count = section.size // 4
        if count > left:
            image.fault(f"{section.name} claims {count} entries", "swift")
            continue
        left -= count
        if image.is_encrypted_at(section.offset, section.size):
            reader.ciphertext += 1
            yield None
            continue
        raw = image.read(section.offset, count * 4)
        if raw is None:
            image.fault(f"{section.name} lies outside the file", "swift")
            continue
        yield from _follow(reader, section, raw)


def _follow(reader: PointerReader, section: Section, raw: bytes) -> Iterator[int | None]:
    """The targets of the relative pointers of one section; the low bits say what they point to."""
    low, known = (3, (_DIRECT, _INDIRECT)) if section.name in _TYPE_SECTIONS else (1, (_DIRECT, _INDIRECT))
    for index, (value,) in enumerate(struct.iter_unpack(reader.image.order + "i", raw)):
        kind = value & low
        # The other kinds of a type record name an Objective-C class; an empty record was discarded by the linker.
        if value == 0 or kind not in known:
            continue
        target = section.address + 4 * index + (value & ~3)
        yield reader.pointer(target) if kind == _INDIRECT else target


class _Contexts:
    """Reads context descriptors, each once: a descriptor names its parent by a relative pointer."""

    def __init__(self, reader: PointerReader) -> None:
        self.reader = reader
        self.unpack = struct.Struct(reader.image.order + "Iii").unpack_from
        self.known: dict[int, Path | None] = {}
        self.definitions: set[int] = set()
        """Addresses of the types and protocols among them."""

    def defined(self, address: int) -> Path | None:
        """The path of the type or protocol at an address; None where it is neither or cannot be read."""
        path = self.path(address, 0)
        return path if address in self.definitions else None

    def path(self, address: int, depth: int) -> Path | None:
        """Module and names of the context at an address; None where a part of it cannot be read."""
        if address in self.known:
            return self.known[address]
        if depth > _DEPTH:
            return None
        found = self.known[address] = self._read(address, depth)
        return found

    def _read(self, address: int, depth: int) -> Path | None:
        reader = self.reader
        offset = reader.locate(address, 12)
        if offset is None:
            return None
        flags, parent, name = self.unpack(reader.image.data, reader.image.base + offset)
        kind = flags & 0x1F
        if kind == _MODULE:
            module = reader.name(address + 8 + name)
            return None if module is None else (module,)
        outer = self._parent(address + 4, parent, depth)
        if outer is None or kind == _ANONYMOUS:
            return outer
        if kind == _EXTENSION:
            return outer[:1] + self._extended(address + 8, name, depth)
        if kind != _PROTOCOL and not _FIRST_TYPE <= kind <= _LAST_TYPE:
            return None
        self.definitions.add(address)
        own = reader.name(address + 8 + name)
        return None if own is None else (*outer, own)

    def _parent(self, place: int, relative: int, depth: int) -> Path | None:
        """The context a relative pointer names; an odd one leads to a pointer."""
        if relative == 0:
            return None
        target: int | None = place + (relative & ~1)
        if relative & 1 and target is not None:
            target = self.reader.pointer(target)
        return None if target is None else self.path(target, depth + 1)

    def _extended(self, place: int, relative: int, depth: int) -> Path:
        """The names of an extended type inside its module; none where the type is another image's."""
        offset = self.reader.locate(place + relative, 5)
        if offset is None:
            return ()
        image = self.reader.image
        raw = image.read(offset, 5) or b"\0"
        if raw[0] == 1:
            # A symbolic reference: the type's descriptor, relative to the reference.
            (reference,) = struct.unpack_from(image.order + "i", raw, 1)
            extended = self.path(place + relative + 1 + reference, depth + 1)
            return () if extended is None else extended[1:]
        spelled = type_of_mangled(self.reader.name(place + relative) or b"")
        return () if spelled is None else tuple(part.encode() for part in spelled)
