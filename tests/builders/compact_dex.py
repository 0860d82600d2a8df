"""Writes compact DEX files for tests, from AOSP's description of them and independent of the parser.

Main part: header of 0x88 bytes, string_ids, type_ids, class_defs. Strings and type lists go to a data part, which
several files may share and which their headers point to.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from tests.builders.dex import NO_INDEX, ClassDef, string_data, utf16_units

HEADER_SIZE = 0x88


class SharedData:
    """The data part; equal items are written once, whichever file they belong to."""

    def __init__(self) -> None:
        # Offset 0 means that there is none, so no item may lie there.
        self.content = bytearray(4)
        self._known: dict[bytes, int] = {}

    def add(self, item: bytes, alignment: int = 1) -> int:
        """Offset of an item inside the data part."""
        if item not in self._known:
            self.content += bytes(-len(self.content) % alignment)
            self._known[item] = len(self.content)
            self.content += item
        return self._known[item]


def build_main(
    data: SharedData, classes: Sequence[ClassDef | str] = (), strings: Sequence[str] = (), version: str = "001"
) -> bytes:
    """The main part of a file that defines ``classes`` and holds ``strings``; ``point`` completes its header."""
    defs = [ClassDef(item) if isinstance(item, str) else item for item in classes]
    types = {name for item in defs for name in (item.descriptor, item.superclass, *item.interfaces) if name is not None}
    table = sorted(types | set(strings), key=utf16_units)
    type_table = sorted(types, key=utf16_units)
    body = b"".join(struct.pack("<I", data.add(string_data(text))) for text in table)
    type_ids = HEADER_SIZE + len(body)
    body += b"".join(struct.pack("<I", table.index(name)) for name in type_table)
    class_defs = HEADER_SIZE + len(body)
    for item in defs:
        indices = [type_table.index(name) for name in item.interfaces]
        listed = struct.pack(f"<I{len(indices)}H", len(indices), *indices)
        offset = data.add(listed, alignment=4) if indices else 0
        superclass = NO_INDEX if item.superclass is None else type_table.index(item.superclass)
        body += struct.pack("<8I", type_table.index(item.descriptor), 1, superclass, offset, NO_INDEX, 0, 0, 0)
    body += bytes(-len(body) % 4)
    tables = [(1, len(table)), (2, len(type_table)), (6, len(defs))]
    mapped = [(0, 1), *((kind, count) for kind, count in tables if count)]
    map_list = struct.pack("<I", len(mapped)) + b"".join(struct.pack("<3I", *item, 0) for item in mapped)
    fields = [
        HEADER_SIZE + len(body), HEADER_SIZE, 0x12345678, 0, 0, data.add(map_list, alignment=4),
        len(table), HEADER_SIZE, len(type_table), type_ids, 0, 0, 0, 0, 0, 0, len(defs), class_defs, 0, 0,
        0, 0, 0, 0, 0, 0,
    ]  # fmt: skip
    return b"cdex" + version.encode() + b"\0" + bytes(24) + struct.pack("<26I", *fields) + body


def point(main: bytes, data_size: int, data_offset: int) -> bytes:
    """``main`` with the place of the data part in its header, counted from its own first byte."""
    return main[:0x68] + struct.pack("<2I", data_size, data_offset) + main[0x70:]
