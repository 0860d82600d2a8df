"""A small code signer for thin 64-bit Mach-O files, with our test key: enough to carry a team id and entitlements."""

from __future__ import annotations

import hashlib
import plistlib
import struct

from recipes.ipa import cms
from recipes.macho import LC_CODE_SIGNATURE, LC_SEGMENT_64, load_commands

SUPER_BLOB, DIRECTORY, REQUIREMENTS, XML_ENTITLEMENTS, DER_ENTITLEMENTS, WRAPPER = (
    0xFADE0CC0,
    0xFADE0C02,
    0xFADE0C01,
    0xFADE7171,
    0xFADE7172,
    0xFADE0B01,
)
PAGE = 4096
CMS_ROOM = 4096
"""Bytes kept for the CMS signature, so that sizes are known before anything is hashed."""


def _blob(magic: int, content: bytes) -> bytes:
    return struct.pack(">II", magic, len(content) + 8) + content


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    length = bytes([size]) if size < 128 else b"\x82" + struct.pack(">H", size)
    return bytes([tag]) + length + content


def _der_value(value: object) -> bytes:
    if isinstance(value, bool):
        return _der(0x01, b"\xff" if value else b"\x00")
    if isinstance(value, list):
        return _der(0x30, b"".join(_der_value(item) for item in value))
    return _der(0x0C, str(value).encode())


def der_entitlements(values: dict[str, object]) -> bytes:
    """Write entitlements the way iOS 15 and later read them."""
    pairs = b"".join(_der(0x30, _der(0x0C, key.encode()) + _der_value(values[key])) for key in sorted(values))
    return _der(0x70, _der(0x02, b"\x01") + _der(0xB0, pairs))


def _directory(code: bytes, identifier: str, team: str, special: list[bytes]) -> bytes:
    pages = [code[start : start + PAGE] for start in range(0, len(code), PAGE)]
    names = identifier.encode() + b"\0" + team.encode() + b"\0"
    ident_offset = 88
    hash_offset = ident_offset + len(names) + 32 * len(special)
    head = struct.pack(">5I", 0x20400, 0, hash_offset, ident_offset, len(special))
    head += struct.pack(">2I4B", len(pages), len(code), 32, 2, 0, 12)
    head += struct.pack(">4I", 0, 0, ident_offset + len(identifier) + 1, 0)
    head += struct.pack(">4Q", 0, 0, 0, 1)
    hashes = [*reversed(special), *(hashlib.sha256(page).digest() for page in pages)]
    return _blob(DIRECTORY, head + names + b"".join(hashes))


def _resized(data: bytes, room: int) -> tuple[bytearray, int]:
    """Return the file with ``room`` bytes for its signature, and where that starts."""
    commands = load_commands(data)
    place = next(offset for command, offset, _ in commands if command == LC_CODE_SIGNATURE)
    start = struct.unpack_from("<I", data, place + 8)[0]
    out = bytearray(data[:start])
    struct.pack_into("<I", out, place + 12, room)
    for command, offset, _ in commands:
        if command == LC_SEGMENT_64 and data[offset + 8 : offset + 24].rstrip(b"\0") == b"__LINKEDIT":
            file_offset = struct.unpack_from("<Q", out, offset + 40)[0]
            size = start + room - file_offset
            struct.pack_into("<Q", out, offset + 32, (size + 0x3FFF) & ~0x3FFF)
            struct.pack_into("<Q", out, offset + 48, size)
    return out, start


def sign(data: bytes, identifier: str, team: str, entitlements: dict[str, object], info_plist: bytes) -> bytes:
    """Replace the ad hoc signature of a thin file by one of our test key."""
    requirements = _blob(REQUIREMENTS, struct.pack(">I", 0))
    xml = _blob(XML_ENTITLEMENTS, plistlib.dumps(entitlements))
    der = _blob(DER_ENTITLEMENTS, der_entitlements(entitlements))
    zero = bytes(32)
    hashed = [hashlib.sha256(item).digest() for item in (info_plist, requirements, xml, der)]
    special = [hashed[0], hashed[1], zero, zero, hashed[2], zero, hashed[3]]
    blobs = {2: requirements, 5: xml, 7: der}
    fixed = 12 + 8 * 5 + sum(len(item) for item in blobs.values())
    sizing = len(_directory(data, identifier, team, special)) + 64
    room = (fixed + sizing + CMS_ROOM + 15) & ~15
    code, start = _resized(data, room)
    directory = _directory(bytes(code), identifier, team, special)
    everything = {0: directory, **blobs, 0x10000: _blob(WRAPPER, cms(directory, detached=True))}
    offset, index, body = 12 + 8 * len(everything), b"", b""
    for slot, item in everything.items():
        index += struct.pack(">II", slot, offset + len(body))
        body += item
    signature = _blob(SUPER_BLOB, struct.pack(">I", len(everything)) + index + body)
    if len(signature) > room or start != len(code):
        raise RuntimeError("the signature does not fit")
    return bytes(code) + signature.ljust(room, b"\0")
