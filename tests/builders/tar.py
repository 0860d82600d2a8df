"""A writer of tar archives, header by header, that also writes what no tar would."""

from __future__ import annotations

from collections.abc import Iterator

END = bytes(1024)


def header(
    name: bytes,
    size: int | bytes = 0,
    kind: bytes = b"0",
    link: bytes = b"",
    *,
    magic: bytes = b"ustar\x0000",
    prefix: bytes = b"",
    tail: bytes = b"",
    signed: bool = False,
) -> bytes:
    """One header block; ``tail`` replaces what follows the two names of the owner (offset 329)."""
    size_text = size if isinstance(size, bytes) else b"%011o\0" % size
    block = name.ljust(100, b"\0")[:100] + b"0000644\0" + b"0001750\0" * 2 + size_text + b"00000000000\0"
    block += b" " * 8 + kind + link.ljust(100, b"\0") + magic + bytes(64)
    block += tail.ljust(183, b"\0") if tail else bytes(16) + prefix.ljust(155, b"\0") + bytes(12)
    assert len(block) == 512
    total = sum(byte - 256 if signed and byte > 127 else byte for byte in block)
    return block[:148] + b"%06o\0 " % total + block[156:]


def filled(data: bytes) -> bytes:
    """Data up to the end of its last block."""
    return data + bytes(-len(data) % 512)


def member(name: bytes, data: bytes = b"", kind: bytes = b"0", **more: object) -> bytes:
    """A member with its data."""
    return header(name, len(data), kind, **more) + filled(data)  # type: ignore[arg-type]


def record(key: bytes, value: bytes) -> bytes:
    """One record of an extended header, which counts its own length."""
    rest = b" " + key + b"=" + value + b"\n"
    size = len(rest) + 1
    while len(str(size)) + len(rest) != size:
        size += 1
    return str(size).encode() + rest


def extended(*records: tuple[bytes, bytes], kind: bytes = b"x") -> bytes:
    """An extended header."""
    return member(b"PaxHeaders/x", b"".join(record(*item) for item in records), kind)


def long_name(name: bytes, kind: bytes = b"L") -> bytes:
    """GNU's way to write a long name or link."""
    return member(b"././@LongLink", name + b"\0", kind, magic=b"ustar  \0")


def pair(offset: int, size: int) -> bytes:
    """One entry of GNU's old map of a sparse file."""
    return b"%011o\0%011o\0" % (offset, size)


def old_sparse(name: bytes, pairs: list[tuple[int, int]], real_size: int, data: bytes) -> bytes:
    """A sparse file in the old format, with as many blocks of map as it takes."""
    rest = pairs[4:]
    first = b"".join(pair(*item) for item in pairs[:4]).ljust(96, b"\0")
    # atime, ctime, offset, long names and a filler stand before the map.
    tail = bytes(16 + 12 + 12 + 12 + 4 + 1) + first + (b"\x01" if rest else b"\0") + b"%011o\0" % real_size
    blocks = b"".join(_map_blocks(rest))
    return header(name, len(data), b"S", magic=b"ustar  \0", tail=tail) + blocks + filled(data)


def _map_blocks(pairs: list[tuple[int, int]]) -> Iterator[bytes]:
    for at in range(0, len(pairs), 21):
        block = b"".join(pair(*item) for item in pairs[at : at + 21]).ljust(504, b"\0")
        yield (block + (b"\x01" if len(pairs) > at + 21 else b"\0")).ljust(512, b"\0")
