"""Disks with a GPT or an MBR, written from the specifications."""

from __future__ import annotations

import struct
import uuid
import zlib
from dataclasses import dataclass

LINUX = "0fc63daf-8483-4772-8e79-3d69d8477de4"


@dataclass
class Entry:
    name: str
    first: int
    last: int
    kind: str = LINUX


def gpt_header(
    entries: bytes, sector: int, own: int, other: int, at: int, *, count: int = 128, entry_size: int = 128
) -> bytes:
    tail = struct.pack(
        "<QQQQ16sQIII", own, other, 34, max(own, other) - 33, b"D" * 16, at, count, entry_size, zlib.crc32(entries)
    )
    head = b"EFI PART" + struct.pack("<II", 0x10000, 92)
    checksum = zlib.crc32(head + bytes(8) + tail)
    return (head + struct.pack("<II", checksum, 0) + tail).ljust(sector, b"\0")


def gpt_entries(entries: list[Entry], count: int = 128, entry_size: int = 128) -> bytes:
    body = b""
    for number, entry in enumerate(entries):
        own = uuid.UUID(int=number + 1).bytes_le
        places = struct.pack("<QQQ", entry.first, entry.last, 4)
        name = entry.name.encode("utf-16-le", "surrogatepass").ljust(72, b"\0")
        body += (uuid.UUID(entry.kind).bytes_le + own + places + name).ljust(entry_size, b"\0")
    return body.ljust(count * entry_size, b"\0")


def gpt_disk(
    entries: list[Entry], contents: dict[int, bytes], sectors: int, *, sector: int = 512, entry_size: int = 128
) -> bytearray:
    """A disk with both tables; ``contents`` by sector."""
    disk = bytearray(sectors * sector)
    disk[446:462] = struct.pack("<B3sB3sII", 0, b"\0\2\0", 0xEE, b"\xff\xff\xff", 1, sectors - 1)
    disk[510:512] = b"\x55\xaa"
    table = gpt_entries(entries, entry_size=entry_size)
    behind = sectors - 1 - len(table) // sector
    disk[sector : 2 * sector] = gpt_header(table, sector, 1, sectors - 1, 2, entry_size=entry_size)
    disk[2 * sector : 2 * sector + len(table)] = table
    disk[behind * sector : behind * sector + len(table)] = table
    disk[-sector:] = gpt_header(table, sector, sectors - 1, 1, behind, entry_size=entry_size)
    for at, data in contents.items():
        disk[at * sector : at * sector + len(data)] = data
    return disk


def boot_record(*entries: tuple[int, int, int] | tuple[int, int, int, int]) -> bytes:
    """A sector with up to four entries of type, start and sectors, and maybe a flag."""
    body = b""
    for kind, start, count, *flag in entries:
        body += struct.pack("<B3sB3sII", flag[0] if flag else 0, b"\0\1\0", kind, b"\0\2\0", start, count)
    return bytes(446) + body.ljust(64, b"\0") + b"\x55\xaa"


def mbr_disk(sectors: int, records: dict[int, bytes], contents: dict[int, bytes] | None = None) -> bytearray:
    """A disk with boot records and other contents at sectors."""
    disk = bytearray(sectors * 512)
    for at, data in {**records, **(contents or {})}.items():
        disk[at * 512 : at * 512 + len(data)] = data
    return disk


def fat_sector() -> bytes:
    """The boot sector of a FAT volume, which ends like an MBR; its code looks like an entry."""
    start = b"\xeb\x3c\x90mkfs.fat" + struct.pack("<HBHBHHBH", 512, 4, 1, 2, 512, 2048, 0xF8, 2)
    return start.ljust(446, b"\0") + boot_record((0x83, 1, 5))[446:]
