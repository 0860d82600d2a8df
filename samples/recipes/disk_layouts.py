"""Partition tables, sparse and super images, update payloads and exFAT, written byte by byte."""

from __future__ import annotations

import hashlib
import struct
import uuid
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from recipes import proto

SECTOR = 512
BLOCK = 4096
LINUX_DATA = uuid.UUID("0fc63daf-8483-4772-8e79-3d69d8477de4")


def padded(data: bytes, size: int) -> bytes:
    """Bytes up to a whole number of units."""
    return data + bytes(-len(data) % size)


def sparse_chunks(data: bytes, pieces: int = 1) -> list[bytes]:
    """An image as one sparse image or as several that belong together, each stating the whole size."""
    body = padded(data, BLOCK)
    blocks = [body[at : at + BLOCK] for at in range(0, len(body), BLOCK)]
    share = -(-len(blocks) // pieces)
    return [_sparse(blocks, first, min(first + share, len(blocks))) for first in range(0, len(blocks), share)]


def _sparse(blocks: Sequence[bytes], first: int, last: int) -> bytes:
    runs: list[tuple[int, int, bytes]] = [(0xCAC3, first, b"")] if first else []
    for block in blocks[first:last]:
        kind, content = (0xCAC2, block[:4]) if block == block[:4] * (BLOCK // 4) else (0xCAC1, block)
        if runs and runs[-1][0] == kind and (kind == 0xCAC1 or runs[-1][2] == content):
            kind, count, before = runs.pop()
            runs.append((kind, count + 1, before + content if kind == 0xCAC1 else before))
        else:
            runs.append((kind, 1, content))
    if last < len(blocks):
        runs.append((0xCAC3, len(blocks) - last, b""))
    head = struct.pack("<IHHHHIIII", 0xED26FF3A, 1, 0, 28, 12, BLOCK, len(blocks), len(runs), 0)
    return head + b"".join(struct.pack("<HHII", kind, 0, count, 12 + len(part)) + part for kind, count, part in runs)


def super_image(partitions: Mapping[str, bytes], slots: int) -> bytes:
    """A super image whose slots all have the same table."""
    size = 4096
    start = 12288 + 2 * size * slots
    placed, data = [], b""
    for name, content in partitions.items():
        body = padded(content, BLOCK)
        placed.append((name, (start + len(data)) // SECTOR, len(body) // SECTOR))
        data += body
    tables = _slot_table(placed).ljust(size, b"\0") * slots
    fields = struct.pack("<III", size, slots, BLOCK)
    digest = hashlib.sha256(struct.pack("<II32s", 0x616C4467, 52, b"") + fields).digest()
    geometry = (struct.pack("<II", 0x616C4467, 52) + digest + fields).ljust(4096, b"\0")
    return bytes(4096) + geometry * 2 + tables * 2 + data


def _slot_table(placed: Sequence[tuple[str, int, int]]) -> bytes:
    partitions, extents = b"", b""
    for name, sector, count in placed:
        partitions += struct.pack("<36sIIII", name.encode(), 1, len(extents) // 24, int(count > 0), 1)
        if count:
            extents += struct.pack("<QIQI", count, 0, sector, 0)
    groups = struct.pack("<36sIQ", b"default", 0, 0) + struct.pack("<36sIQ", b"main_a", 0, 1 << 20)
    devices = struct.pack("<QIIQ36sI", 24, BLOCK, 0, 1 << 20, b"super", 0)
    places, offset, tables = b"", 0, b""
    for part, step in ((partitions, 52), (extents, 24), (groups, 48), (devices, 64)):
        places += struct.pack("<III", offset, len(part) // step, step)
        offset += len(part)
        tables += part
    head = struct.pack("<IHHI", 0x414C5030, 10, 0, 128)
    tail = struct.pack("<I", len(tables)) + hashlib.sha256(tables).digest() + places
    return head + hashlib.sha256(head + bytes(32) + tail).digest() + tail + tables


def gpt_disk(partitions: Mapping[str, bytes]) -> bytes:
    """A disk with both tables of a GPT."""
    first = 34
    entries, body = b"", b""
    for number, (name, content) in enumerate(partitions.items(), 1):
        data = padded(content, SECTOR)
        last = first + len(data) // SECTOR - 1
        own = uuid.UUID(int=number).bytes_le
        entries += LINUX_DATA.bytes_le + own + struct.pack("<QQQ72s", first, last, 0, name.encode("utf-16-le"))
        body += data
        first = last + 1
    table = entries.ljust(128 * 128, b"\0")
    sectors = first + 33
    protective = bytes(446) + struct.pack("<B3sB3sII", 0, b"\0\2\0", 0xEE, b"\xff\xff\xff", 1, sectors - 1)
    head = _gpt_header(table, 1, sectors - 1, 2, sectors)
    foot = _gpt_header(table, sectors - 1, 1, sectors - 33, sectors)
    return protective.ljust(510, b"\0") + b"\x55\xaa" + head + table + body + table + foot


def _gpt_header(table: bytes, own: int, other: int, place: int, sectors: int) -> bytes:
    disk = uuid.UUID(int=99).bytes_le
    rest = struct.pack("<QQQQ16sQIII", own, other, 34, sectors - 34, disk, place, 128, 128, zlib.crc32(table))
    start = b"EFI PART" + struct.pack("<II", 0x10000, 92)
    crc = zlib.crc32(start + bytes(8) + rest)
    return (start + struct.pack("<II", crc, 0) + rest).ljust(SECTOR, b"\0")


def mbr_disk(partitions: Sequence[tuple[int, bytes]]) -> bytes:
    """A disk with a boot record of up to four partitions, each of a type."""
    first, entries, body = 8, b"", b""
    for kind, content in partitions:
        data = padded(content, SECTOR)
        entries += struct.pack("<B3sB3sII", 0, b"\0\1\0", kind, b"\0\2\0", first, len(data) // SECTOR)
        first += len(data) // SECTOR
        body += data
    record = bytes(446) + entries.ljust(64, b"\0") + b"\x55\xaa"
    return record.ljust(8 * SECTOR, b"\0") + body


@dataclass(frozen=True)
class Operation:
    """One operation of a payload; extents in blocks."""

    kind: int
    """0 replace, 1 replace_bz, 4 source_copy, 6 zero, 8 replace_xz."""
    data: bytes
    start: int
    count: int


def payload(partitions: Mapping[str, tuple[bytes, Sequence[Operation]]], minor: int = 0) -> bytes:
    """An update payload; each partition with the image it must become and the operations that make it."""
    manifest, blobs = proto.number(3, BLOCK) + (proto.number(12, minor) if minor else b""), b""
    for name, (image, operations) in partitions.items():
        told = proto.number(1, len(image)) + proto.block(2, hashlib.sha256(image).digest())
        message = proto.block(1, name.encode()) + proto.block(7, told)
        for item in operations:
            words = proto.number(1, item.kind)
            if item.data:
                words += proto.number(2, len(blobs)) + proto.number(3, len(item.data))
            words += proto.block(6, proto.number(1, item.start) + proto.number(2, item.count))
            if item.data:
                words += proto.block(8, hashlib.sha256(item.data).digest())
            message += proto.block(8, words)
            blobs += item.data
        manifest += proto.block(13, message)
    return struct.pack(">4sQQI", b"CrAU", 2, len(manifest), 0) + manifest + blobs


def apex_manifest(name: str, version: int) -> bytes:
    """apex_manifest.pb."""
    return proto.block(1, name.encode()) + proto.number(2, version)


def transfer_list(image: bytes) -> tuple[bytes, bytes]:
    """(transfer list, new data) of a block-based update: blocks of zeros are not in the data."""
    body = padded(image, BLOCK)
    full = [at for at in range(0, len(body), BLOCK) if any(body[at : at + BLOCK])]
    runs: list[list[int]] = []
    for at in full:
        block = at // BLOCK
        if runs and runs[-1][1] == block:
            runs[-1][1] = block + 1
        else:
            runs.append([block, block + 1])
    ranges = ",".join(str(edge) for run in runs for edge in run)
    count = len(body) // BLOCK
    text = f"4\n{len(full)}\n0\n0\nerase 2,0,{count}\nnew {2 * len(runs)},{ranges}\n"
    return text.encode(), b"".join(body[at : at + BLOCK] for at in full)


def exfat(tree: Mapping[str, bytes]) -> bytes:
    """An exFAT volume of clusters of one sector: the root in the first, the bitmap in the next, then one file each."""
    folders = sorted({"/".join(path.split("/")[:depth]) for path in tree for depth in range(1, path.count("/") + 1)})
    names = [*folders, *sorted(tree)]
    sizes = {path: -(-len(tree[path]) // SECTOR) if path in tree else 4 for path in names}
    first, places = 4, dict[str, int]()
    for path in names:
        places[path] = first
        first += sizes[path]
    clusters = first + 8
    heap = bytearray((clusters + 2) * SECTOR)
    bitmap = _exfat_bitmap(first)
    system = struct.pack("<BB18xIQ", 0x81, 0, 3, len(bitmap))
    contents: dict[str, bytes] = {"": system}
    for path in names:
        folder, _, name = path.rpartition("/")
        size = len(tree[path]) if path in tree else sizes[path] * SECTOR
        contents[folder] = contents.get(folder, b"") + _exfat_file(name, places[path], size, is_folder=path not in tree)
    heap[SECTOR : SECTOR + len(bitmap)] = bitmap
    for path, place in {**places, "": 2}.items():
        data = tree.get(path, contents.get(path, b""))
        heap[(place - 2) * SECTOR : (place - 2) * SECTOR + len(data)] = data
    table_size = -(-(clusters + 2) * 4 // SECTOR)
    table = struct.pack("<4I", 0xFFFFFFF8, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
    start = 24 + table_size
    boot = bytearray(SECTOR)
    boot[:11] = b"\xeb\x76\x90EXFAT   "
    struct.pack_into("<QQIIIII", boot, 64, 0, start + clusters, 24, table_size, start, clusters, 2)
    struct.pack_into("<IHHBBBBB", boot, 100, 0x20200101, 0x100, 0, 9, 0, 1, 0x80, 50)
    boot[510:512] = b"\x55\xaa"
    volume = bytes(boot).ljust(24 * SECTOR, b"\0") + table.ljust(table_size * SECTOR, b"\0")
    return volume + bytes(heap[: clusters * SECTOR])


def _exfat_bitmap(used: int) -> bytes:
    return ((1 << used) - 1).to_bytes(-(-used // 8), "little")


def _exfat_file(name: str, cluster: int, size: int, *, is_folder: bool) -> bytes:
    units = name.encode("utf-16-le")
    parts = [units[at : at + 30].ljust(30, b"\0") for at in range(0, len(units), 30)]
    date = (40 << 9 | 1 << 5 | 1) << 16
    entry = struct.pack("<BBHHHIII12x", 0x85, 1 + len(parts), 0, 0x10 if is_folder else 0x20, 0, date, date, date)
    stream = struct.pack("<BBBBHHQIIQ", 0xC0, 3, 0, len(units) // 2, 0, 0, size, 0, cluster, size)
    whole = bytearray(entry + stream + b"".join(b"\xc1\0" + part for part in parts))
    total = 0
    for at, byte in enumerate(whole):
        if at not in (2, 3):
            total = ((total << 15 | total >> 1) + byte) & 0xFFFF
    struct.pack_into("<H", whole, 2, total)
    return bytes(whole)
