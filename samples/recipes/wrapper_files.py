"""Files that cross-platform frameworks put into apps, written by hand with our own few names inside."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

from recipes import native

DART_HASH = b"0123456789abcdef0123456789abcdef"
DART_FEATURES = b"product no-code_comments dedup_instructions arm64 android"
DART_CLASS, DART_FLAGS = 94, 0x32
"""Number of the class of one-byte strings and the flags of an object, as in a release of Dart 3."""
LIBRARY = """__asm__(".section .rodata\\n.balign 64\\n.globl _kDartIsolateSnapshotData\\n"
    "_kDartIsolateSnapshotData:\\n.incbin \\"snapshot.bin\\"\\n");
"""
HERMES_MAGIC, HERMES_VERSION, HERMES_HEADER = 0x1F1903C103BC1FC6, 96, 128
IL2CPP_MAGIC, IL2CPP_VERSION, IL2CPP_TABLES = 0xFAB11BAF, 29, 31


def _padded(data: bytes, size: int) -> bytes:
    return data + bytes(-len(data) % size)


def dart_snapshot(strings: Sequence[str]) -> bytes:
    """A snapshot without clusters, and its image of string objects: tags, hash, twice the length, characters."""
    features = DART_FEATURES + b"\0"
    head = struct.pack("<Iqq", 0xDCDCF5F5, 48 + len(features), 3) + DART_HASH + features
    objects = b""
    for text in strings:
        size = len(_padded(bytes(16) + text.encode(), 16)) // 16
        tags = DART_FLAGS | (size if size < 16 else 0) << 8 | DART_CLASS << 12
        objects += _padded(struct.pack("<IIQ", tags, 0, 2 * len(text)) + text.encode(), 16)
    return _padded(head, 64) + _padded(struct.pack("<Q", 64 + len(objects)), 64) + objects


def flutter_library(strings: Sequence[str]) -> bytes:
    """libapp.so with one snapshot."""
    return native.library(LIBRARY, objects=(("snapshot.bin", dart_snapshot(strings)),))


def il2cpp_metadata(literals: Sequence[str], identifiers: Sequence[str]) -> bytes:
    """global-metadata.dat with the first three of its tables: literals, their text, identifiers."""
    rows = text = b""
    for literal in literals:
        rows += struct.pack("<II", len(literal.encode()), len(text))
        text += literal.encode()
    heap = _padded(b"".join(name.encode() + b"\0" for name in identifiers), 4)
    place, tables = 8 + 8 * IL2CPP_TABLES, b""
    for table in (rows, _padded(text, 4), heap):
        tables += struct.pack("<II", place, len(table))
        place += len(table)
    head = struct.pack("<II", IL2CPP_MAGIC, IL2CPP_VERSION) + tables
    return head.ljust(8 + 8 * IL2CPP_TABLES, b"\0") + rows + _padded(text, 4) + heap


def hermes_bytecode(strings: Sequence[str]) -> bytes:
    """Bytecode of one function that does nothing, and a table of short ASCII strings in one run."""
    table, storage = b"", b""
    for text in strings:
        table += struct.pack("<I", len(storage) << 1 | len(text) << 24)
        storage += text.encode()
    body = bytes(16) + struct.pack("<I", len(strings)) + table + storage
    counts = (HERMES_HEADER + len(body) + 20, 0, 1, 1, 0, len(strings), 0, len(storage))
    head = struct.pack("<QI20x8I", HERMES_MAGIC, HERMES_VERSION, *counts)
    return head.ljust(HERMES_HEADER, b"\0") + body + bytes(20)


def mini_program(files: Mapping[str, bytes]) -> bytes:
    """A package of a WeChat mini-program."""
    size = 4 + sum(12 + len(name) for name in files)
    place, index = 14 + size, struct.pack(">I", len(files))
    for name, content in files.items():
        index += struct.pack(">I", len(name)) + name.encode() + struct.pack(">II", place, len(content))
        place += len(content)
    body = b"".join(files.values())
    return struct.pack(">BIIIB", 0xBE, 0, len(index), len(body), 0xED) + index + body


def assemblies_manifest(names: Sequence[str]) -> bytes:
    """assemblies.manifest, which Xamarin puts beside its stores of assemblies."""
    lines = ["Hash 32     Hash 64             Blob ID  Blob idx  Name"]
    lines += [f"0x{at:08x}  0x{at:016x}  000      {at:04}      {name}" for at, name in enumerate(names)]
    return ("\r\n".join(lines) + "\r\n").encode()
