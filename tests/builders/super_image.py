"""Super images, written from the description of the metadata."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, field

SECTOR = 512
MAX_SIZE = 4096
ALIGNMENT = 4096
LINEAR, ZERO = 0, 1


@dataclass
class Extent:
    sectors: int
    target: int = 0
    kind: int = LINEAR
    device: int = 0


@dataclass
class Part:
    name: str
    data: bytes = b""
    """Placed by the builder, in one extent."""
    extents: list[Extent] | None = None
    """Instead of data: as they are."""
    attributes: int = 1
    group: int = 0


@dataclass
class Slot:
    parts: list[Part]
    groups: list[tuple[str, int]] = field(default_factory=lambda: [("default", 0), ("main_a", 0)])
    devices: list[str] = field(default_factory=lambda: ["super"])
    major: int = 10
    minor: int = 0
    flags: int = 0


def place(slot: Slot, start: int) -> tuple[list[list[Extent]], bytes]:
    """Extents of the parts of a slot, and the bytes they stand for from ``start`` on."""
    layout, data = [], b""
    for part in slot.parts:
        if part.extents is not None:
            layout.append(part.extents)
            continue
        padded = part.data + bytes(-len(part.data) % SECTOR)
        layout.append([Extent(len(padded) // SECTOR, (start + len(data)) // SECTOR)] if padded else [])
        data += padded + bytes(-len(padded) % ALIGNMENT)
    return layout, data


def metadata(slot: Slot, layout: list[list[Extent]], *, extra: int = 0) -> bytes:
    """Header and tables of one slot; ``extra`` bytes are appended to each record, as a later version might."""
    more = b"\xcc" * extra
    parts, extents = b"", b""
    count = 0
    for part, runs in zip(slot.parts, layout, strict=True):
        parts += struct.pack("<36sIIII", part.name.encode(), part.attributes, count, len(runs), part.group) + more
        for run in runs:
            extents += struct.pack("<QIQI", run.sectors, run.kind, run.target, run.device) + more
        count += len(runs)
    groups = b"".join(struct.pack("<36sIQ", name.encode(), flags, 0) + more for name, flags in slot.groups)
    devices = b"".join(
        struct.pack("<QIIQ36sI", 2048, 1048576, 0, 1 << 30, name.encode(), 0) + more for name in slot.devices
    )
    tables = parts + extents + groups + devices
    places = struct.pack(
        "<12I",
        *(0, len(slot.parts), 52 + extra),
        *(len(parts), count, 24 + extra),
        *(len(parts + extents), len(slot.groups), 48 + extra),
        *(len(parts + extents + groups), len(slot.devices), 64 + extra),
    )
    size = 128 if slot.minor < 2 else 256
    tail = places if size == 128 else places + struct.pack("<I", slot.flags) + bytes(124)
    head = struct.pack("<IHHI", 0x414C5030, slot.major, slot.minor, size)
    sums = struct.pack("<I", len(tables)) + hashlib.sha256(tables).digest()
    digest = hashlib.sha256(head + bytes(32) + sums + tail).digest()
    return (head + digest + sums + tail + tables).ljust(MAX_SIZE, b"\0")


def geometry(slots: int, max_size: int = MAX_SIZE) -> bytes:
    tail = struct.pack("<III", max_size, slots, 4096)
    digest = hashlib.sha256(struct.pack("<II", 0x616C4467, 52) + bytes(32) + tail).digest()
    return (struct.pack("<II", 0x616C4467, 52) + digest + tail).ljust(4096, b"\0")


def super_image(*slots: Slot, extra: int = 0) -> bytes:
    """An image of one slot or more, with their copies."""
    start = 12288 + 2 * MAX_SIZE * len(slots)
    tables, data = b"", b""
    for slot in slots:
        layout, body = place(slot, start + len(data))
        tables += metadata(slot, layout, extra=extra)
        data += body
    return bytes(4096) + geometry(len(slots)) * 2 + tables * 2 + data
