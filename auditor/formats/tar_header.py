"""Read what stands in a tar archive before the data of a member: header blocks and extended records.

Specification: POSIX.1-2017 pax (ustar and pax interchange formats); GNU tar manual, "Basic Tar Format"; star(5) for the
shorter prefix.

Not read: owner, mode, times, access lists and extended attributes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from zlib import adler32

from auditor.errors import FormatError

BLOCK = 512
ZEROS = bytes(BLOCK)

_CHECKSUM = slice(148, 156)
_OCTAL = b"01234567"
_HIGH = bytes(range(128, 256))
_ADLER = 65521
_FIELDS = struct.Struct("100s8s8s8s12s12s8s1s100s6s2s")
"""name mode uid gid size mtime checksum type linkname magic version."""
_WANTED = frozenset({b"path", b"linkpath", b"size"})
_SPARSE = b"GNU.sparse."
_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Header:
    """One header block."""

    name: bytes
    type: bytes
    """The type flag, one byte."""
    size: int
    """Bytes of data that follow in the archive."""
    link: bytes = b""
    old_sparse: bytes = field(default=b"", repr=False)
    """The part of a GNU header that holds the begin of the map of a sparse file."""


@dataclass(slots=True)
class Records:
    """What extended headers say of the next member, or of all that follow."""

    values: dict[bytes, bytes] = field(default_factory=dict)
    sparse_pairs: list[bytes] = field(default_factory=list)
    """Numbers of a map in format 0.0, offset and size in turn."""


def read_number(text: bytes) -> int | None:
    """Return the number in a field, octal digits or GNU's base 256; None where it is neither, or negative."""
    if text[:1] >= b"\x80":
        # The first bit marks base 256; the second is the sign.
        return None if text[0] & 0x40 else int.from_bytes(text, "big") & ~(0x80 << 8 * (len(text) - 1))
    digits = text.partition(b"\0")[0].strip(b" ")
    if digits.strip(_OCTAL):
        return None
    return int(digits, 8) if digits else 0


def has_valid_checksum(block: bytes) -> bool:
    """Whether a block sums up to what it says; old writers summed signed bytes."""
    text = block[_CHECKSUM]
    digits = text.strip(b" \0")
    if not digits or digits.strip(_OCTAL):
        return False
    # The lower half of an Adler-32 is one more than the sum of the bytes, and twenty times faster to come by. The sum
    # of a block is below twice the modulus, so that a wrong one passes for right only where it is off by all of it.
    missing = int(digits, 8) - 256 - (adler32(block) & 0xFFFF) + (adler32(text) & 0xFFFF)
    if missing % _ADLER == 0:
        return True
    rest = block[: _CHECKSUM.start] + block[_CHECKSUM.stop :]
    return (missing + 256 * (len(rest) - len(rest.translate(None, _HIGH)))) % _ADLER == 0


def parse_header(block: bytes) -> Header | None:
    """Return the header in a block of 512 bytes; None where the block is none.

    Raises:
        FormatError: it is one, but its size is no number.
    """
    if len(block) != BLOCK or not has_valid_checksum(block):
        return None
    name, _, _, _, size_text, _, _, kind, link, magic, version = _FIELDS.unpack_from(block)
    size = read_number(size_text)
    if size is None or size >= 1 << 62:
        raise FormatError("the size of a member of the archive is no number")
    name = name.partition(b"\0")[0]
    if magic == b"ustar\0":
        # star keeps times in the last bytes of the prefix and says so at the end of the block.
        prefix = block[345 : 476 if block[508:] == b"tar\0" else 500].partition(b"\0")[0]
        name = prefix + b"/" + name if prefix else name
    gnu = magic + version == b"ustar  \0"
    return Header(name, kind, size, link.partition(b"\0")[0], block[386:495] if gnu and kind == b"S" else b"")


def is_plausible_v7(block: bytes) -> bool:
    """Whether a block without a magic number may be the header of an old archive: its checksum is not enough."""
    if not has_valid_checksum(block) or not block[0] or block[257:329].strip(b"\0"):
        return False
    if block[156:157] == b"V":
        # The label of a volume has no magic number even in an archive of GNU tar.
        return True
    numbers = (block[100:108], block[108:116], block[116:124], block[124:136], block[136:148])
    return (
        all(text.strip(b" \0") and read_number(text) is not None for text in numbers) and block[156] in b"\x000123456"
    )


def add_records(records: Records, data: bytes) -> bool:
    """Add what an extended header says; False where its records are damaged from some point on."""
    position = 0
    while position < len(data):
        gap = data.find(b" ", position, position + _DIGITS)
        digits = data[position:gap] if gap >= 0 else b""
        end = position + int(digits) if digits.isdigit() else 0
        if end <= gap + 1 or end > len(data) or data[end - 1] != 10:
            # Some writers fill the block with NUL and count that as data.
            return not data[position:].strip(b"\0")
        key, sign, value = data[gap + 1 : end - 1].partition(b"=")
        if sign and key in (b"GNU.sparse.offset", b"GNU.sparse.numbytes"):
            records.sparse_pairs.append(value)
        elif sign and (key in _WANTED or key.startswith(_SPARSE)):
            records.values[key] = value
        position = end
    return True


def decimal_of(text: bytes) -> int:
    """Return a decimal number of an extended record.

    Raises:
        FormatError: it is none, or one that no file has.
    """
    if not text.isdigit() or len(text) > _DIGITS:
        raise FormatError("a number of an extended header is none")
    return int(text)


def padded(size: int) -> int:
    """Return how much room data takes: it is filled up to a block."""
    return -(-size // BLOCK) * BLOCK
