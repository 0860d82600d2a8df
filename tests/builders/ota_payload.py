"""A writer of OTA payloads, message by message."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass

from tests.builders.protobuf import block, number

BLOCK = 4096


@dataclass
class Step:
    """One operation; extents in blocks."""

    type: int
    data: bytes
    extents: list[tuple[int, int]]
    digest: bytes | None = None


def ota_payload(
    partitions: dict[str, tuple[int, list[Step]]], *, minor: int = 0, version: int = 2, signature: bytes = b"sig"
) -> bytes:
    """A payload of partitions, each with its size and operations."""
    manifest, data = number(3, BLOCK), b""
    if minor:
        manifest += number(12, minor)
    for name, (size, steps) in partitions.items():
        message = block(1, name) + block(7, number(1, size) + block(2, bytes(32)))
        for step in steps:
            operation = number(1, step.type) + number(2, len(data)) + number(3, len(step.data))
            for start, count in step.extents:
                operation += block(6, number(1, start) + number(2, count))
            operation += block(8, hashlib.sha256(step.data).digest() if step.digest is None else step.digest)
            message += block(8, operation)
            data += step.data
        manifest += block(13, message)
    return struct.pack(">4sQQI", b"CrAU", version, len(manifest), len(signature)) + manifest + signature + data
