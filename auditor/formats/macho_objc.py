"""Read the Objective-C classes and protocols that a Mach-O image defines, never those it merely uses.

Format: objc-runtime-new.h of objc4 (class_t, class_ro_t, protocol_t).

Not read: methods, ivars, categories, superclasses, Objective-C 1 metadata beyond its symbols.
"""

from __future__ import annotations

from collections.abc import Iterator

from auditor.formats.macho_names import Symbols
from auditor.formats.macho_pointers import PointerReader
from auditor.limits import Limits

_CLASS = (b"_OBJC_CLASS_$_", b".objc_class_name_")
_PROTOCOL = (b"__OBJC_PROTOCOL_$_", b"l_OBJC_PROTOCOL_$_", b"_OBJC_PROTOCOL_$_")


def symbol_classes(symbols: Symbols) -> set[bytes]:
    """Names of the classes that have a defined class symbol."""
    return _suffixes(symbols, _CLASS)


def symbol_protocols(symbols: Symbols) -> set[bytes]:
    """Names of the protocols that have a defined protocol symbol."""
    return _suffixes(symbols, _PROTOCOL)


def _suffixes(symbols: Symbols, prefixes: tuple[bytes, ...]) -> set[bytes]:
    matching = [name for names in (symbols.defined, symbols.local) for name in names if name.startswith(prefixes)]
    found = {name[len(prefix) :] for name in matching for prefix in prefixes if name.startswith(prefix)}
    found.discard(b"")
    return found


def read_classes(reader: PointerReader, limits: Limits) -> tuple[set[bytes], bool]:
    """The names behind __objc_classlist, and whether some are ciphertext."""
    image = reader.image
    before = reader.ciphertext
    # class_t: isa, superclass, cache, vtable, data; class_ro_t: three u32 (four on 64-bit), ivarLayout, name.
    data_at, name_at, mask = (32, 24, ~7) if image.wide else (16, 16, ~3)
    names: set[bytes] = set()
    unread = 0
    for address in _find_entries(reader, "__objc_classlist", limits):
        data = None if address is None else reader.pointer(address + data_at)
        pointer = None if data is None else reader.pointer((data & mask) + name_at)
        name = None if pointer is None else reader.name(pointer)
        if name is None:
            unread += 1
        else:
            names.add(name)
    if any(section.segment == "__OBJC" and section.name == "__class" for section in image.sections):
        # The runtime of 32-bit macOS: stripped of its symbols, such an image keeps its classes to itself.
        image.fault("Objective-C 1 classes are read from their symbols only", "objc")
    return names, _conclude(reader, "classes", unread, before)


def read_protocols(reader: PointerReader, limits: Limits) -> tuple[set[bytes], bool]:
    """The names behind __objc_protolist, and whether some are ciphertext."""
    image = reader.image
    before = reader.ciphertext
    names: set[bytes] = set()
    unread = 0
    for address in _find_entries(reader, "__objc_protolist", limits):
        pointer = None if address is None else reader.pointer(address + (8 if image.wide else 4))
        name = None if pointer is None else reader.name(pointer)
        if name is None:
            unread += 1
        else:
            names.add(name)
    return names, _conclude(reader, "protocols", unread, before)


def _find_entries(reader: PointerReader, section_name: str, limits: Limits) -> Iterator[int | None]:
    """The addresses a pointer list holds; None for an entry that cannot be read."""
    image = reader.image
    left = limits.macho_classes
    for section in image.sections:
        if section.name != section_name:
            continue
        count = section.size // reader.size
        if count > left or section.offset + section.size > image.size:
            image.fault(f"{section_name} claims {count} entries", "objc")
            continue
        left -= count
        for index in range(count):
            yield reader.pointer(section.address + index * reader.size)


def _conclude(reader: PointerReader, what: str, unread: int, before: int) -> bool:
    """Note the entries that could not be read; True where ciphertext is the reason."""
    ciphertext = reader.ciphertext - before
    if unread > ciphertext:
        reader.image.fault(f"{unread - ciphertext} Objective-C {what} have no readable name", "objc")
    return ciphertext != 0
