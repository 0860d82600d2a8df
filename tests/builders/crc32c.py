"""CRC-32C one bit at a time, written from RFC 3720; shares no code with the product."""

from __future__ import annotations


def crc32c(data: bytes, register: int = 0xFFFFFFFF) -> int:
    """The register after the data; the checksum of the RFC is its inverse."""
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = (register >> 1) ^ 0x82F63B78 if register & 1 else register >> 1
    return register
