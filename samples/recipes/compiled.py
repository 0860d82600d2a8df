"""Apps as system images hold them: the code only in a vdex beside the APK."""

from __future__ import annotations

import struct

from recipes import archive


def stripped(app: bytes) -> bytes:
    """The APK without its DEX files."""
    return archive.pack({name: data for name, data in archive.unpack(app).items() if not name.endswith(".dex")})


def vdex(app: bytes) -> bytes:
    """A vdex of Android 8.1 (version 010) with the DEX files of an APK."""
    members = archive.unpack(app)
    code = [data for name, data in members.items() if name.endswith(".dex")]
    body = b"".join(data + bytes(-len(data) % 4) for data in code)
    verifier, quickening = b"verifier dependencies".ljust(24, b"\0"), b""
    head = struct.pack("<4I", len(code), len(body), len(verifier), len(quickening))
    checksums = b"".join(struct.pack("<I", 0xC0DE + at) for at in range(len(code)))
    return b"vdex010\0" + head + checksums + body + verifier + quickening


def damaged(data: bytes) -> bytes:
    """The same vdex with the header of its first DEX file overwritten."""
    at = data.index(b"dex\n")
    return data[: at + 0x20] + b"\xff" * 0x50 + data[at + 0x70 :]
