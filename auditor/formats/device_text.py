"""The text that commands on a device print, however it was stored: UTF-8 with stray bytes, or UTF-16 by PowerShell.

Format: lines that end in LF, CRLF or CR CR LF (adb shell on Windows).

Not read: UTF-16 without a byte order mark, other encodings.
"""

from __future__ import annotations

import codecs
from typing import Final

from auditor.errors import LimitError
from auditor.formats.blob import Blob
from auditor.limits import DEFAULT, MIB, Limits

_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_BOM: Final = b"\xef\xbb\xbf"
WIDE_TEXT: Final = 64 * MIB
"""UTF-16 is converted as a whole; a longer text is refused."""


def open_device_text(data: Blob) -> Blob:
    """The same text in UTF-8 (or what was taken for it), without a byte order mark in UTF-16.

    Raises:
        LimitError: UTF-16 too long to convert.
    """
    if bytes(data[:2]) not in _MARKS:
        return data
    if len(data) > WIDE_TEXT:
        raise LimitError(f"{len(data)} bytes of UTF-16; at most {WIDE_TEXT} are read")
    big = bytes(data[:2]) == _MARKS[1]
    decoder = codecs.getincrementaldecoder("utf-16-be" if big else "utf-16-le")("replace")
    result = bytearray()
    # In pieces: the whole as text would take its size several times over.
    for start in range(2, len(data), MIB):
        piece = bytes(data[start : start + MIB])
        result += decoder.decode(piece, start + MIB >= len(data)).encode("utf-8", "replace")
    return bytes(result)


def shown(raw: bytes, limits: Limits = DEFAULT) -> str:
    """One value as text: bounded, stray bytes replaced, without blanks around it."""
    return raw[: limits.string_length].decode("utf-8", "replace").strip()


def without_mark(data: Blob) -> int:
    """Where the text begins: behind a byte order mark of UTF-8."""
    return len(_BOM) if bytes(data[: len(_BOM)]) == _BOM else 0
