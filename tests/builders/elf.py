"""Writes small ELF shared libraries for tests, from the specification and independent of the parser."""

from __future__ import annotations

import struct
from collections.abc import Sequence


class _Strings:
    def __init__(self) -> None:
        self.data = bytearray(b"\0")

    def add(self, text: str) -> int:
        offset = len(self.data)
        self.data += text.encode() + b"\0"
        return offset


def build_elf(
    soname: str = "",
    needed: Sequence[str] = (),
    defined: Sequence[str] = (),
    imported: Sequence[str] = (),
    rodata: bytes = b"",
    build_id: bytes = b"",
    machine: int = 183,
    sections: bool = True,
) -> bytes:
    """A 64-bit little-endian shared object; addresses equal file offsets.

    ``sections`` off leaves the section headers out, as some packers do.
    """
    names = _Strings()
    symbols = struct.pack("<IBBHQQ", 0, 0, 0, 0, 0, 0)
    for name, index in [(name, 0) for name in imported] + [(name, 7) for name in defined]:
        symbols += struct.pack("<IBBHQQ", names.add(name), 0x12, 0, index, 0x1000 if index else 0, 4 if index else 0)
    dynamic = [(1, names.add(name)) for name in needed]
    if soname:
        dynamic.append((14, names.add(soname)))
    count = 1 + len(imported) + len(defined)
    header_size = 64 + 56 * 3
    note = struct.pack("<III", 4, len(build_id), 3) + b"GNU\0" + build_id if build_id else b""
    note += bytes(-len(note) % 8)
    note_at = header_size
    hash_at = note_at + len(note)
    # One bucket whose chain visits every symbol.
    hash_table = struct.pack(
        f"<II I {count}I", 1, count, 1 if count > 1 else 0, *((i + 1) % count if i else 0 for i in range(count))
    )
    hash_table += bytes(-len(hash_table) % 8)
    sym_at = hash_at + len(hash_table)
    str_at = sym_at + len(symbols)
    strings = bytes(names.data) + bytes(-len(names.data) % 8)
    dyn_at = str_at + len(strings)
    dynamic += [(4, hash_at), (5, str_at), (6, sym_at), (10, len(names.data)), (11, 24), (0, 0)]
    dyn = b"".join(struct.pack("<QQ", *item) for item in dynamic)
    ro_at = dyn_at + len(dyn)
    ro = rodata + bytes(-len(rodata) % 8)
    end = ro_at + len(ro)
    body = note + hash_table + symbols + strings + dyn + ro
    programs = struct.pack("<IIQQQQQQ", 1, 4, 0, 0, 0, end, end, 0x1000)
    programs += struct.pack("<IIQQQQQQ", 2, 6, dyn_at, dyn_at, dyn_at, len(dyn), len(dyn), 8)
    programs += struct.pack("<IIQQQQQQ", 4 if note else 0, 4, note_at, note_at, note_at, len(note), len(note), 4)
    tail, table_at, section_count = b"", 0, 0
    if sections:
        tail, section_count = _section_headers(
            end,
            [
                (".note.gnu.build-id", 7, note_at, len(note), 0, 0, 0),
                (".hash", 5, hash_at, len(hash_table), 3, 0, 4),
                (".dynsym", 11, sym_at, len(symbols), 4, 1, 24),
                (".dynstr", 3, str_at, len(strings), 0, 0, 0),
                (".dynamic", 6, dyn_at, len(dyn), 4, 0, 16),
                (".rodata", 1, ro_at, len(rodata), 0, 0, 0),
            ],
        )
        table_at = end + len(tail) - 64 * section_count
    ident = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9)
    last = section_count - 1 if section_count else 0
    header = ident + struct.pack(
        "<HHIQQQIHHHHHH", 3, machine, 1, 0, 64, table_at, 0, 64, 56, 3, 64, section_count, last
    )
    return header + programs + body + tail


def _section_headers(end: int, sections: Sequence[tuple[str, int, int, int, int, int, int]]) -> tuple[bytes, int]:
    names = _Strings()
    headers = bytes(64)
    for name, kind, offset, size, link, info, entry in sections:
        headers += struct.pack("<IIQQQQIIQQ", names.add(name), kind, 2, offset, offset, size, link, info, 8, entry)
    own = names.add(".shstrtab")
    headers += struct.pack("<IIQQQQIIQQ", own, 3, 0, 0, end, len(names.data), 0, 0, 1, 0)
    return bytes(names.data) + bytes(-(end + len(names.data)) % 8) + headers, len(sections) + 2
