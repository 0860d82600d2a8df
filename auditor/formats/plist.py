"""Read property lists, XML and binary, and take values of one type from them.

Format: Apple PropertyList-1.0.dtd and the bplist00 layout of CFBinaryPList.c; the stdlib reader behind guards.

Not read: OpenStep text, JSON, bplist15 and later, entity declarations.
"""

from __future__ import annotations

import io
import plistlib
import struct
from collections.abc import Iterable
from datetime import datetime
from xml.parsers.expat import ExpatError

from auditor.errors import FormatError, LimitError, UnsupportedError
from auditor.formats.blob import Blob
from auditor.limits import DEFAULT, Limits

_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_SPACE = b" \t\r\n"


def parse_plist(data: Blob, limits: Limits = DEFAULT) -> object:
    """Read a property list into dict, list, str, bytes, int, float, bool, datetime and UID.

    Raises:
        FormatError: it is damaged, cyclic, or declares entities.
        LimitError: it is larger or deeper than the limits.
        UnsupportedError: it is a property list of another kind.
    """
    size = len(data)
    if size > limits.manifest_size:
        raise LimitError(f"property list of {size} bytes; at most {limits.manifest_size} are read")
    raw = bytes(data)
    if raw.startswith(b"bplist"):
        if not raw.startswith(b"bplist0"):
            raise UnsupportedError(f"binary property list of version {raw[6:8]!r}")
        _check_trailer(raw, limits)
        value = _load(raw, plistlib.FMT_BINARY)
    else:
        value = _load(_check_text(raw, limits), plistlib.FMT_XML)
    _check_shape(value, limits)
    return value


def _check_trailer(raw: bytes, limits: Limits) -> None:
    if len(raw) < 40:
        raise FormatError("the binary property list is cut off", len(raw))
    offset_size, _, count, _, table = struct.unpack(">6xBBQQQ", raw[-32:])
    if count > limits.xml_elements:
        raise LimitError(f"property list of {count} objects; at most {limits.xml_elements} are read")
    if table + count * offset_size > len(raw):
        raise FormatError("the object table of the binary property list lies outside it", len(raw) - 32)


def _check_text(raw: bytes, limits: Limits) -> bytes:
    text = raw.lstrip(_SPACE)
    start = text
    for mark in _MARKS:
        start = start.removeprefix(mark)
    start = start.lstrip(_SPACE + b"\0")
    if not start:
        raise FormatError("the property list is empty", 0)
    if not start.startswith(b"<"):
        if start[:1] in b'{("/' or start[:1].isalnum():
            raise UnsupportedError("property list in OpenStep text")
        raise FormatError("no property list", 0)
    if text.count(b"<") > 2 * limits.xml_elements + 16:
        raise LimitError(f"property list of more than {limits.xml_elements} elements")
    # In UTF-16 a NUL is half of the last character.
    return text if text.startswith(_MARKS[1:]) else text.rstrip(b"\0")


class _Metered(io.BytesIO):
    """A stream that gives out little more than it holds: overlapping objects must not multiply the input."""

    def __init__(self, raw: bytes) -> None:
        super().__init__(raw)
        self._left = 2 * len(raw) + 4096
        self._size = len(raw)

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = self._size if size is None or size < 0 else min(size, self._size)
        self._left -= min(wanted, max(self._size - self.tell(), 0))
        if self._left < 0:
            raise LimitError("the objects of the property list overlap")
        return super().read(wanted)


def _load(raw: bytes, form: plistlib.PlistFormat) -> object:
    try:
        return plistlib.load(_Metered(raw), fmt=form)
    except (
        ExpatError,
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        ArithmeticError,
        RecursionError,
        EOFError,
        AssertionError,
        OSError,
        struct.error,
    ) as error:
        raise FormatError(f"property list: {error or type(error).__name__}") from None


def _check_shape(value: object, limits: Limits) -> None:
    """Bound depth and size as a tree: a binary list may contain itself or the same value many times over."""
    if value is None:
        raise FormatError("the property list is empty")
    level: list[object] = [value]
    seen = 0
    for _ in range(limits.xml_depth):
        following: list[object] = []
        for item in level:
            if isinstance(item, dict):
                following.extend(item.values())
            elif isinstance(item, list):
                following.extend(item)
            if seen + len(following) > limits.xml_elements:
                raise LimitError(f"property list of more than {limits.xml_elements} values")
        seen += len(following)
        if not following:
            return
        level = following
    raise LimitError(f"property list deeper than {limits.xml_depth} levels")


def table(value: object) -> dict[str, object]:
    """The entries of a dictionary that have text for a key; empty for anything else."""
    if not isinstance(value, dict):
        return {}
    return {key: item for key, item in value.items() if isinstance(key, str)}


def text(value: object) -> str:
    """A string as it is, a number in its decimal form; empty for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return ""


def items(value: object) -> list[object]:
    """The members of an array; empty for anything else."""
    return value if isinstance(value, list) else []


def strings(value: object) -> tuple[str, ...]:
    """The strings of an array, or a lone string; members of other types are left out."""
    if isinstance(value, str):
        return (value,)
    return tuple(item for item in items(value) if isinstance(item, str))


def flag(value: object) -> bool | None:
    """A boolean, also one written as the number or string that means it; None for anything else."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and value in (0, 1):
        return value == 1
    if isinstance(value, str):
        return {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}.get(value.lower())
    return None


def moment(value: object) -> str:
    """A date in ISO 8601 with its UTC mark; empty for anything else."""
    return value.isoformat() + "Z" if isinstance(value, datetime) else ""


def plain(value: object) -> object:
    """The same value in JSON's types: dates in ISO 8601, data in hex, other kinds as their text."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime):
        return moment(value)
    return value if isinstance(value, str | int | float | bool) else str(value)


def sorted_strings(values: Iterable[str]) -> tuple[str, ...]:
    """Distinct non-empty strings in ascending order."""
    return tuple(sorted({value for value in values if value}))
