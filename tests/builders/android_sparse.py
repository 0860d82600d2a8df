"""Android sparse images, written from the description of the format."""

from __future__ import annotations

import struct

BLOCK = 4096
Chunk = tuple[str, bytes | int] | tuple[str, bytes, int]


def raw(data: bytes) -> Chunk:
    return ("raw", data)


def fill(pattern: bytes, blocks: int) -> Chunk:
    return ("fill", pattern, blocks)


def skip(blocks: int) -> Chunk:
    return ("skip", blocks)


def crc(value: int) -> Chunk:
    return ("crc", value)


def sparse_image(
    chunks: list[Chunk],
    *,
    block: int = BLOCK,
    major: int = 1,
    header: int = 28,
    step: int = 12,
    blocks: int | None = None,
    count: int | None = None,
) -> bytes:
    """An image of chunks; ``blocks`` and ``count`` state other totals than the true ones."""
    body, total = b"", 0
    for chunk in chunks:
        match chunk:
            case ("raw", bytes(data)):
                kind, length, payload = 0xCAC1, len(data) // block, data
            case ("fill", bytes(data), int(length)):
                kind, payload = 0xCAC2, data
            case ("skip", int(length)):
                kind, payload = 0xCAC3, b""
            case ("crc", int(value)):
                kind, length, payload = 0xCAC4, 0, struct.pack("<I", value)
            case _:
                raise AssertionError(chunk)
        total += length
        body += struct.pack("<HHII", kind, 0, length, step + len(payload)).ljust(step, b"\xee") + payload
    stated = (total if blocks is None else blocks, len(chunks) if count is None else count)
    head = struct.pack("<IHHHHIIII", 0xED26FF3A, major, 0, header, step, block, *stated, 0)
    return head.ljust(header, b"\xdd") + body
