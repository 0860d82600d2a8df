"""Writes the Swift metadata of a Mach-O image from the ABI: context descriptors, type and protocol records."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from tests.builders.macho import DATA_SIZE, TEXT_CONTENT, TEXT_SIZE, Image

MODULE, EXTENSION, ANONYMOUS, PROTOCOL, OPAQUE, CLASS, STRUCT, ENUM = 0, 1, 2, 3, 4, 16, 17, 18
UNIQUE, GENERIC = 0x40, 0x80
SLOTS = DATA_SIZE - 0x200
"""Where the pointers of indirect references stand in the data segment."""


@dataclass(frozen=True)
class Context:
    """One descriptor; a parent and an extended type are given by their number in the list."""

    kind: int
    name: str = ""
    parent: int | None = None
    indirect: bool = False
    """Whether the parent is named through a pointer."""
    extended: int | str = ""
    """Of an extension: the extended type by number, or its mangled name."""


@dataclass
class SwiftImage(Image):
    """An image with Swift contexts; records lists those that the type or protocol section names."""

    contexts: list[Context] = field(default_factory=list)
    types: list[tuple[int, int]] = field(default_factory=list)
    """Number of a context and kind of the record: 0 direct, 1 through a pointer."""
    protocols_swift: list[tuple[int, int]] = field(default_factory=list)
    types_section: str = "__swift5_types"
    slots: list[int] = field(default_factory=list)
    """Addresses behind the pointers, filled while the text is laid out."""

    def _slot(self, target: int) -> int:
        self.slots.append(target)
        return self.data_address + SLOTS + 8 * (len(self.slots) - 1)

    def _text(self) -> tuple[bytes, list[tuple[str, int, int]], dict[str, int]]:
        content, sections, addresses = super()._text()
        self.slots = []
        content += bytes(-len(content) % 16)
        start = self.base + TEXT_CONTENT + len(content)
        places = [start + 16 * number for number in range(len(self.contexts))]
        names = start + 16 * len(self.contexts)
        pool, rows = b"", b""
        for place, context in zip(places, self.contexts, strict=True):
            at = names + len(pool)
            if isinstance(context.extended, int):
                pool += b"\x01" + struct.pack(self.order + "i", places[context.extended] - at - 1) + b"\0"
            else:
                pool += (context.extended or context.name).encode() + b"\0"
            parent = 0
            if context.parent is not None:
                parent = self._relative(place + 4, places[context.parent], context.indirect)
            flags = context.kind | UNIQUE
            rows += struct.pack(self.order + "Iii4x", flags, parent, 0 if context.kind == ANONYMOUS else at - place - 8)
        content += rows + pool
        for section, records in ((self.types_section, self.types), ("__swift5_protos", self.protocols_swift)):
            content += bytes(-len(content) % 4)
            at, rows = len(content), b""
            for number, kind in records:
                place = self.base + TEXT_CONTENT + at + len(rows)
                target = places[number]
                value = self._relative(place, target, kind == 1) if kind in (0, 1) else target - place | kind
                rows += struct.pack(self.order + "i", value)
            if rows:
                sections.append((section, TEXT_CONTENT + at, len(rows)))
            content += rows
        return content, sections, addresses

    def _relative(self, place: int, target: int, indirect: bool) -> int:
        return (self._slot(target) - place) | 1 if indirect else target - place

    def _data(self, addresses: dict[str, int]) -> tuple[bytes, list[tuple[str, int, int]]]:
        content, sections = super()._data(addresses)
        pointers = b"".join(map(self.encode, self.slots))
        return content[:SLOTS] + pointers + content[SLOTS + len(pointers) :], sections


def section_place(data: bytes, name: str) -> tuple[int, int]:
    """Offset and size of a section of a 64-bit little-endian image."""
    at = data.index(name.encode().ljust(16, b"\0"), 0, TEXT_SIZE)
    size, offset = struct.unpack_from("<QI", data, at + 40)
    return offset, size
