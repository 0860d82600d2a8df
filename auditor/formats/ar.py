"""List the members of a static library: an ar archive, as a rule of Mach-O object files.

Format: ar(5) of BSD and Darwin (names as #1/LENGTH) and of GNU binutils (names in a // member).

Not read: symbol tables, dates and owners, thin archives (their members are other files).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from auditor.errors import FormatError, LimitError, UnsupportedError
from auditor.formats.blob import Blob
from auditor.limits import DEFAULT, Limits

_MAGIC, _THIN_MAGIC = b"!<arch>\n", b"!<thin>\n"
_HEADER = 60
_NAME_LENGTH = 4096
_TABLES = frozenset({"/", "//", "/SYM64/", "__.SYMDEF", "__.SYMDEF SORTED", "__.SYMDEF_64", "__.SYMDEF_64 SORTED"})


@dataclass(frozen=True, slots=True)
class Member:
    """One member; ``offset`` and ``size`` are those of its content in the file that was parsed."""

    name: str
    offset: int
    size: int


def is_ar(data: Blob, start: int = 0) -> bool:
    """Tell by the first bytes whether an ar archive lies at ``start``."""
    return bytes(data[start : start + 8]) in (_MAGIC, _THIN_MAGIC)


def parse_ar(data: Blob, limits: Limits = DEFAULT) -> tuple[Member, ...]:
    """The members in their order, symbol and name tables left out.

    Raises:
        FormatError: the archive is damaged; ``find_members`` gives what stands before the damage.
    """
    return tuple(find_members(data, 0, len(data), limits))


def find_members(data: Blob, start: int, end: int, limits: Limits = DEFAULT) -> Iterator[Member]:
    """The members of the archive between two positions.

    Raises:
        FormatError: on reaching damage, after the members before it.
    """
    magic = bytes(data[start : start + 8])
    if magic == _THIN_MAGIC:
        raise UnsupportedError("thin ar archive: its members are not inside")
    if magic != _MAGIC:
        raise FormatError("no ar archive", start)
    position, count, long_names = start + 8, 0, b""
    while position < end:
        if count >= limits.archive_members:
            raise LimitError(f"ar archive of more than {limits.archive_members} members", position)
        count += 1
        header = bytes(data[position : min(position + _HEADER, end)])
        if len(header) < _HEADER or header[58:] != b"`\n":
            if not header.strip(b"\0\n "):
                return
            raise FormatError("no member header where one should be", position)
        content, size = position + _HEADER, _number(header[48:58], position)
        if content + size > end:
            raise FormatError(f"a member of {size} bytes ends outside the archive", position)
        # Members start at even positions.
        position = content + size + (size & 1)
        raw_name = header[:16].rstrip(b" ")
        if raw_name == b"//":
            long_names = bytes(data[content : content + size])
            continue
        taken = 0
        if raw_name.startswith(b"#1/"):
            taken = _number(raw_name[3:], content)
            if taken > min(size, _NAME_LENGTH):
                raise FormatError(f"a member name of {taken} bytes", content)
            raw_name = bytes(data[content : content + taken]).rstrip(b"\0")
        name = _name(raw_name, long_names)
        if name not in _TABLES:
            yield Member(name, content + taken, size - taken)


def _number(digits: bytes, position: int) -> int:
    digits = digits.strip(b" ")
    if not digits.isdigit():
        raise FormatError(f"{digits!r} where a decimal number should be", position)
    return int(digits)


def _name(raw: bytes, long_names: bytes) -> str:
    """The name of a GNU member (NAME/ or /OFFSET), or the bytes as they are."""
    if raw[:1] == b"/" and raw[1:].isdigit():
        start = int(raw[1:])
        end = long_names.find(b"\n", start, start + _NAME_LENGTH)
        raw = long_names[start : end if end >= 0 else start + _NAME_LENGTH].rstrip(b"/")
    elif len(raw) > 1 and raw.endswith(b"/") and not raw.startswith(b"/"):
        raw = raw[:-1]
    return raw.decode("utf-8", "backslashreplace")
