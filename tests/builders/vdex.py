"""Writes vdex files for tests, from AOSP's description of them and independent of the parser."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from tests.builders.compact_dex import SharedData, point

VERSIONS = ("006", "010", "019", "021", "027")
_DEPENDENCIES = b"verifier dependencies...".ljust(32, b"\0")
_QUICKENING = b"quicken!"


def build_vdex(version: str, dex_files: Sequence[bytes] = (), shared: SharedData | None = None) -> bytes:
    """A vdex of one version; ``shared`` is the data part of those ``dex_files`` that are compact.

    Without ``dex_files`` it is what Android writes for an APK that keeps its DEX files: checksums of two, no code.
    """
    count = len(dex_files) or 2
    checksums = struct.pack(f"<{count}I", *range(0xC0DE, 0xC0DE + count))
    data = bytes(shared.content) if shared is not None else b""
    data += bytes(-len(data) % 4)
    preheader = version in ("019", "021")
    start = _dex_start(version, count)
    body = bytearray()
    places = []
    for dex in dex_files:
        body += struct.pack("<I", 0x10) if preheader else b""
        places.append(len(body))
        body += dex + bytes(-len(dex) % 4)
    for place, dex in zip(places, dex_files, strict=True):
        if dex.startswith(b"cdex"):
            body[place : place + len(dex)] = point(dex, len(data), len(body) - place)
    code = bytes(body)
    if version in ("006", "010"):
        sizes = struct.pack("<4I", count, len(code), len(_DEPENDENCIES), len(_QUICKENING))
        out = b"vdex" + version.encode() + b"\0" + sizes + checksums + code + _DEPENDENCIES + _QUICKENING
    elif preheader:
        extra = struct.pack("<2I", 3, 5) if version == "021" else b""
        section = b"002\0" if dex_files else b"000\0"
        out = b"vdex" + version.encode() + b"\0" + section + struct.pack("<2I", count, len(_DEPENDENCIES)) + extra
        out += checksums
        if dex_files:
            out += struct.pack("<3I", len(code), len(data), len(_QUICKENING)) + code + data
        out += _DEPENDENCIES + (_QUICKENING if dex_files else b"") + (b"bcpclctx" if version == "021" else b"")
    else:
        out = _with_sections(version, checksums, code + data)
    assert not dex_files or out[start:].startswith((b"dex\n", b"cdex"))
    return out


def _dex_start(version: str, count: int) -> int:
    """Where the first DEX header lies, as the description adds it up."""
    fixed = {"006": 24, "010": 24, "019": 20 + 12 + 4, "021": 28 + 12 + 4, "027": 12 + 4 * 12}
    return fixed[version] + 4 * count


def _with_sections(version: str, checksums: bytes, code: bytes) -> bytes:
    sections = [(0, checksums), (1, code), (2, _DEPENDENCIES), (3, b"lookup tables...")]
    position = 12 + 12 * len(sections)
    table, body = b"", b""
    for kind, content in sections:
        table += struct.pack("<3I", kind, position + len(body) if content else 0, len(content))
        body += content
    return b"vdex" + version.encode() + b"\0" + struct.pack("<I", len(sections)) + table + body
