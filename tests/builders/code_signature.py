"""Writes Apple code signatures and CMS shells from their specifications; shares no code with the parsers."""

from __future__ import annotations

import hashlib
import struct


def der(tag: int, *parts: bytes) -> bytes:
    """One DER element."""
    body = b"".join(parts)
    if len(body) < 0x80:
        return bytes([tag, len(body)]) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def der_value(value: object) -> bytes:
    """An entitlement value the way CoreEntitlements encodes it."""
    if isinstance(value, bool):
        return der(0x01, b"\xff" if value else b"\0")
    if isinstance(value, int):
        return der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))
    if isinstance(value, str):
        return der(0x0C, value.encode())
    if isinstance(value, list):
        return der(0x30, *map(der_value, value))
    assert isinstance(value, dict)
    pairs = (der(0x30, der(0x0C, key.encode()), der_value(item)) for key, item in sorted(value.items()))
    return der(0xB0, *pairs)


def der_entitlements(entitlements: dict[str, object]) -> bytes:
    return blob(0xFADE7172, der(0x70, der(0x02, b"\x01"), der_value(entitlements)))


def blob(magic: int, body: bytes) -> bytes:
    return struct.pack(">II", magic, 8 + len(body)) + body


def code_directory(
    identifier: str, team: str = "", flags: int = 0, hash_type: int = 2, version: int = 0x20400
) -> bytes:
    """A CodeDirectory without page hashes."""
    names = identifier.encode() + b"\0"
    team_offset = 88 + len(names) if team else 0
    names += team.encode() + b"\0" if team else b""
    head = struct.pack(">9I", version, flags, 88 + len(names), 88, 0, 0, 0x1000, 0x20 << 24 | hash_type << 16 | 12, 0)
    head += struct.pack(">IIIQQQQ", 0, team_offset, 0, 0, 0, 0, 1)
    assert len(head) == 80
    return blob(0xFADE0C02, head + names)


def super_blob(*blobs: bytes) -> bytes:
    index, content, start = b"", b"", 12 + 8 * len(blobs)
    for slot, item in enumerate(blobs):
        index += struct.pack(">II", slot, start + len(content))
        content += item
    return struct.pack(">3I", 0xFADE0CC0, start + len(content), len(blobs)) + index + content


def cdhash(directory: bytes, algorithm: str = "sha256") -> str:
    return hashlib.new(algorithm, directory).hexdigest()[:40]


def signed_data(content: bytes, chunks: int = 1) -> bytes:
    """CMS SignedData around a content, without signers; several chunks make a constructed octet string."""
    size = -(-len(content) // chunks)
    pieces = [der(0x04, content[at : at + size]) for at in range(0, len(content), size)]
    octets = pieces[0] if chunks == 1 else der(0x24, *pieces)
    signed_oid = bytes.fromhex("06092a864886f70d010702")
    data_oid = bytes.fromhex("06092a864886f70d010701")
    inner = der(0x30, data_oid, der(0xA0, octets))
    signed = der(0x30, der(0x02, b"\x01"), der(0x31), inner, der(0x31))
    return der(0x30, signed_oid, der(0xA0, signed))
