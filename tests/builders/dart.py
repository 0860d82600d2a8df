"""Writes ahead-of-time Dart snapshots and flutter_assets for tests, from the SDK's description of the format."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Sequence
from dataclasses import dataclass

HASH = b"d91c0e6f35f0eb2e44124e8f42aa44a7"
FEATURES = b"product no-code_comments dedup_instructions arm64 android compressed-pointers"


@dataclass(frozen=True)
class Shape:
    """How one version of Dart lays an object out on one processor."""

    word: int = 8
    """Bytes of a pointer in the image."""
    length: int = 8
    """Bytes of the length of a string; what is left up to 16 stays zero where ``packed`` is off."""
    packed: bool = False
    hash_behind: bool = False
    """32-bit processors keep the hash behind the length."""
    class_shift: int = 12
    one_byte: int = 94
    flags: int = 0x32
    alignment: int = 64
    """Of the image behind the clusters."""


WIDE = Shape()
COMPRESSED = Shape(length=4)
PACKED = Shape(length=4, packed=True)
NARROW = Shape(word=4, length=4, hash_behind=True, packed=True)
OLD = Shape(class_shift=16, one_byte=81, flags=0x2C, alignment=16)
SHAPES = {"wide": WIDE, "compressed": COMPRESSED, "packed": PACKED, "32-bit": NARROW, "before 2.16": OLD}


def string_object(text: str, shape: Shape = WIDE) -> bytes:
    """One string, of one or two bytes a character as Dart chooses."""
    wide = any(ord(char) > 0xFF for char in text)
    raw = text.encode("utf-16-le") if wide else text.encode("latin-1")
    units = len(raw) // (2 if wide else 1)
    unit = 16 if shape.word == 8 else 8
    head = 16 if not shape.packed else 12
    total = -(-(head + len(raw)) // unit) * unit
    most = 16 if shape.class_shift == 12 else 256
    size_tag = total // unit if total // unit < most else 0
    tags = shape.flags | size_tag << 8 | (shape.one_byte + wide) << shape.class_shift
    body = struct.pack("<I", tags)
    digest = struct.pack("<I", (len(text) * 2654435761 + 97) & 0x3FFFFFFF)
    if not shape.hash_behind:
        body += digest
    body += (units << 1).to_bytes(shape.length, "little")
    if shape.hash_behind:
        body += digest
    return (body.ljust(head, b"\0") + raw).ljust(total, b"\0")


def build_image(strings: Sequence[str], shape: Shape = WIDE, before: bytes = b"") -> bytes:
    """A data image: its size, then objects."""
    objects = before.ljust(-(-len(before) // 16) * 16, b"\0") + b"".join(string_object(text, shape) for text in strings)
    return (64 + len(objects)).to_bytes(shape.word, "little").ljust(64, b"\0") + objects


def build_snapshot(
    strings: Sequence[str], shape: Shape = WIDE, clusters: bytes = b"\x81\x83" * 40, features: bytes = FEATURES
) -> bytes:
    """A snapshot with its data image, to be placed at a multiple of 64."""
    body = struct.pack("<q", 3) + HASH + features + b"\0" + clusters
    head = b"\xf5\xf5\xdc\xdc" + struct.pack("<q", len(body) + 8) + body
    return head.ljust(-(-len(head) // shape.alignment) * shape.alignment, b"\0") + build_image(strings, shape)


def build_library(*snapshots: bytes, code: bytes = b"\xc3" * 256) -> bytes:
    """What a parser sees of libapp.so: snapshots at aligned places, then code."""
    data = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9 + 48)
    for item in snapshots:
        data += bytes(-len(data) % 64) + item
    return data + bytes(-len(data) % 64) + code


def build_notices(licences: Sequence[tuple[Sequence[str], str]], packed: bool = True) -> bytes:
    """NOTICES: for each licence the packages it holds for, and its text."""
    rule = "\n" + "-" * 80 + "\n"
    text = rule.join("\n".join(names) + "\n\n" + body for names, body in licences).encode()
    return gzip.compress(text, mtime=0) if packed else text
