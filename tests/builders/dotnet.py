"""Writes .NET assemblies and assembly stores for tests, from ECMA-335 and the description of the stores."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass
class Assembly:
    """What to write; the defaults make a small library."""

    name: str = "Example"
    version: tuple[int, int, int, int] = (1, 2, 3, 4)
    references: Sequence[str] = ("mscorlib",)
    identifiers: Sequence[str] = ("PayTask", "Example.Payment")
    user_strings: Sequence[str] = ("weixin://", "支付成功")
    types: int = 3
    plus: bool = False
    """PE32+ instead of PE32."""
    wide_heaps: bool = False
    is_assembly: bool = True
    extra_streams: Sequence[tuple[str, bytes]] = field(default_factory=tuple)

    def build(self) -> bytes:
        heap = bytearray(b"\0")
        places: dict[str, int] = {}
        for text in (self.name, *self.references, *self.identifiers):
            places.setdefault(text, len(heap))
            heap += text.encode() + b"\0"
        user = b"\0"
        for text in self.user_strings:
            raw = text.encode("utf-16-le") + bytes([not text.isascii()])
            user += _length(len(raw)) + raw
        tables = self._tables(places)
        streams = [("#~", tables), ("#Strings", bytes(heap)), ("#US", user), ("#GUID", bytes(16)), ("#Blob", b"\0")]
        return self._wrap(_metadata([*self.extra_streams, *streams]))

    def _tables(self, places: Mapping[str, int]) -> bytes:
        """Module, TypeRef, TypeDef, MethodDef, Param, MemberRef, CustomAttribute, Assembly, AssemblyRef."""
        index = "I" if self.wide_heaps else "H"
        wide_types = "I" if self.types > 0xFFFF else "H"
        coded = "I" if self.types >= 1 << 14 else "H"
        some = places[self.identifiers[0]] if self.identifiers else 0
        rows: dict[int, list[bytes]] = {
            0x00: [struct.pack(f"<H4{index}", 0, some, 1, 0, 0)],
            0x01: [struct.pack(f"<H2{index}", 6, some, some)],
            0x02: [struct.pack(f"<I2{index}{coded}HH", 1, some, some, 0, 1, 1)] * self.types,
            0x06: [struct.pack(f"<IHH2{index}H", 0, 0, 0, some, 0, 1)] * 2,
            0x08: [struct.pack(f"<HH{index}", 0, 1, some)],
            0x0A: [struct.pack(f"<{'I' if self.types >= 1 << 13 else 'H'}2{index}", 9, some, 0)],
            0x0C: [struct.pack(f"<{'I' if self.types >= 1 << 11 else 'H'}H{index}", 46, 11, 0)],
            0x1B: [struct.pack(f"<{index}", 0)],
            0x29: [struct.pack(f"<2{wide_types}", 2, 1)],
        }
        if self.is_assembly:
            numbers = struct.pack("<I4HI", 0x8004, *self.version, 0)
            rows[0x20] = [numbers + struct.pack(f"<3{index}", 0, places[self.name], 0)]
        rows[0x23] = [
            struct.pack("<4HI", 4, 0, 0, 0, 0) + struct.pack(f"<4{index}", 0, places[name], 0, 0)
            for name in self.references
        ]
        present = sorted(table for table, items in rows.items() if items)
        valid = sum(1 << table for table in present)
        head = struct.pack("<IBBBBQQ", 0, 2, 0, 7 if self.wide_heaps else 0, 1, valid, 0)
        counts = b"".join(struct.pack("<I", len(rows[table])) for table in present)
        return head + counts + b"".join(row for table in present for row in rows[table])

    def _wrap(self, metadata: bytes) -> bytes:
        """A PE file of one section that begins with the CLI header."""
        address, offset = 0x2000, 0x200
        cli = struct.pack("<IHHIIII", 72, 2, 5, address + 72, len(metadata), 1, 0).ljust(72, b"\0")
        body = cli + metadata
        directories = bytearray(16 * 8)
        struct.pack_into("<II", directories, 14 * 8, address, 72)
        kind = 0x20B if self.plus else 0x10B
        optional = struct.pack("<H", kind).ljust((112 if self.plus else 96) - 4, b"\0") + struct.pack("<I", 16)
        optional += bytes(directories)
        head = b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0x80)
        head = head.ljust(0x80, b"\0") + b"PE\0\0"
        head += struct.pack("<HHIIIHH", 0x14C, 1, 0, 0, 0, len(optional), 0x2102) + optional
        head += struct.pack("<8s6IHHI", b".text", len(body), address, len(body), offset, 0, 0, 0, 0, 0)
        return head.ljust(offset, b"\0") + body


def native_dll() -> bytes:
    """A PE file without a CLI header."""
    data = bytearray(Assembly().build())
    at = data.index(b"PE\0\0") + 24 + 96 + 14 * 8
    data[at : at + 8] = bytes(8)
    return bytes(data)


def _length(size: int) -> bytes:
    if size < 0x80:
        return bytes([size])
    if size < 0x4000:
        return (size | 0x8000).to_bytes(2, "big")
    return (size | 0xC0000000).to_bytes(4, "big")


def _metadata(streams: Sequence[tuple[str, bytes]]) -> bytes:
    version = b"v4.0.30319\0\0"
    names = [name.encode() + bytes(4 - len(name) % 4) for name, _ in streams]
    position = 16 + len(version) + 4 + sum(8 + len(name) for name in names)
    head = b"BSJB" + struct.pack("<HHII", 1, 1, 0, len(version)) + version + struct.pack("<HH", 0, len(streams))
    body = b""
    for name, (_, content) in zip(names, streams, strict=True):
        padded = content + bytes(-len(content) % 4)
        head += struct.pack("<II", position + len(body), len(padded)) + name
        body += padded
    return head + body


def build_store(names: Sequence[str], version: int = 2, wide: bool = True, data: bytes = b"XALZ" + bytes(60)) -> bytes:
    """An assembly store of one processor; version 1 does not hold the names."""
    if version == 1:
        tables = b"".join(struct.pack("<6I", 20, len(data), 0, 0, 0, 0) for _ in names)
        tables += bytes(2 * 20 * len(names))
        return b"XABA" + struct.pack("<4I", 1, len(names), len(names), 0) + tables + data
    entry = (8 if wide else 4) + 4 + (1 if version >= 3 else 0)
    index = bytes(entry * 2 * len(names))
    word = version | (0x80010000 if wide else 0x00020000)
    head = b"XABA" + struct.pack("<4I", word, len(names), 2 * len(names), len(index))
    head += bytes(8) if version >= 4 else b""
    descriptors = b"".join(struct.pack("<7I", at, 0, len(data), 0, 0, 0, 0) for at, _ in enumerate(names))
    texts = b"".join(struct.pack("<I", len(name.encode())) + name.encode() for name in names)
    return head + index + descriptors + texts + data


def build_store_manifest(names: Sequence[str]) -> bytes:
    """assemblies.manifest, which stands beside stores of version 1."""
    lines = ["Hash 32     Hash 64             Blob ID  Blob idx  Name"]
    lines += [f"0x{at:08x}  0x{at:016x}  000      {at:04}      {name}" for at, name in enumerate(names)]
    return ("\r\n".join(lines) + "\r\n").encode()
