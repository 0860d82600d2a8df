"""Reads Android Binary XML (ABX), in which system services keep their state since Android 12.

Format: BinaryXmlSerializer and BinaryXmlPullParser of AOSP (frameworks/libs/modules-utils), protocol version 0.

Not read: comments, instructions, document types (skipped); text behind the first child of an element.
"""

from __future__ import annotations

import base64
import struct
from typing import Final

from auditor.errors import FormatError, LimitError, UnsupportedError
from auditor.formats.android_state_tree import Element, StateDocument
from auditor.formats.blob import Blob
from auditor.formats.mutf8 import parse_mutf8
from auditor.limits import DEFAULT, Limits

MAGIC: Final = b"ABX\0"

_START_DOCUMENT, _END_DOCUMENT, _START_TAG, _END_TAG, _TEXT, _CDSECT, _ENTITY_REF = range(7)
_DOCDECL, _ATTRIBUTE = 10, 15

_NULL, _STRING, _INTERNED, _BYTES_HEX, _BYTES_BASE64, _INT, _INT_HEX, _LONG, _LONG_HEX = range(1, 10)
_FLOAT, _DOUBLE, _TRUE, _FALSE = range(10, 14)

_NEW_STRING: Final = 0xFFFF
_ENTITIES = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}

_U16 = struct.Struct(">H").unpack_from
_S32 = struct.Struct(">i").unpack_from
_S64 = struct.Struct(">q").unpack_from
_F32 = struct.Struct(">f").unpack_from
_F64 = struct.Struct(">d").unpack_from


def is_abx(head: Blob) -> bool:
    """Tell whether bytes begin like Android Binary XML, of whatever version."""
    return bytes(head[:3]) == MAGIC[:3] and len(head) > 3 and head[3] < 0x20


def parse_abx(data: Blob, limits: Limits = DEFAULT) -> StateDocument:
    """Read a document as far as it goes; what ends it early is its ``fault``.

    Raises:
        FormatError: it is no Android Binary XML, or has no element before the fault.
        LimitError: it is larger than ``Limits.record_size``.
        UnsupportedError: it is of a later version of the format.
    """
    if len(data) > limits.record_size:
        raise LimitError(f"binary XML of {len(data)} bytes; raise --limit record_size")
    raw = bytes(data)
    if not is_abx(raw):
        raise FormatError("no Android binary XML", 0)
    if raw[3] != 0:
        raise UnsupportedError(f"Android binary XML of version {raw[3]}", 3)
    return _Reader(raw, limits).read()


class _Reader:
    """One pass over the tokens."""

    def __init__(self, data: bytes, limits: Limits) -> None:
        self._data = data
        self._limits = limits
        self._pool: list[str] = []
        self._top = Element("")
        self._open = [self._top]
        self._elements = 0

    def read(self) -> StateDocument:
        fault: FormatError | None = None
        try:
            self._read_tokens()
            if len(self._open) > 1:
                fault = FormatError(f"the document ends inside <{self._open[-1].name[:80]}>", len(self._data))
        except FormatError as error:
            fault = error
        except (struct.error, IndexError):
            fault = FormatError("the document is cut off", len(self._data))
        roots = self._top.children
        if not roots:
            raise fault or FormatError("binary XML has no element", len(MAGIC))
        return StateDocument(roots[0] if len(roots) == 1 else self._top, fault)

    def _read_tokens(self) -> None:
        data, size, open_, pool = self._data, len(self._data), self._open, self._pool
        at, left = len(MAGIC), 4 * self._limits.record_elements
        fresh: dict[str, str] | None = None
        texts: list[str] = []
        while at < size:
            token, start = data[at], at
            event = token & 0x0F
            if event == _ATTRIBUTE:
                index = data[at + 1] << 8 | data[at + 2]
                if index < len(pool):
                    name, at = pool[index], at + 3
                else:
                    name, at = self._interned(at + 1)
                value, at = self._value(token >> 4, at)
                left -= 1
                if fresh is None or left < 0:
                    raise self._misplaced(fresh is None, start)
                # The platform looks an attribute up from the front: the first of a name counts.
                if value is not None and name not in fresh:
                    fresh[name] = value
                continue
            fresh = None
            if texts and event in (_START_TAG, _END_TAG):
                open_[-1].text = "".join(texts).strip()
                texts.clear()
            if event == _START_TAG:
                name, at = self._tag(token, at)
                fresh = self._start(name, start)
            elif event == _END_TAG:
                name, at = self._tag(token, at)
                self._end(name, start)
            elif event == _END_DOCUMENT:
                return
            else:
                value, at = self._value(token >> 4, at + 1)
                left -= 1
                if left < 0:
                    raise self._misplaced(False, start)
                if _TEXT <= event <= _ENTITY_REF and value and not open_[-1].children:
                    texts.append(_ENTITIES.get(value, "") if event == _ENTITY_REF else value)
                elif event > _DOCDECL:
                    raise FormatError(f"unknown token {token:#04x}", start)

    def _misplaced(self, outside: bool, at: int) -> FormatError:
        if outside:
            return FormatError("an attribute stands outside of a start tag", at)
        most = 4 * self._limits.record_elements
        return LimitError(f"more than {most} attributes and texts; raise --limit record_elements", at)

    def _tag(self, token: int, at: int) -> tuple[str, int]:
        """The name of a start or end tag, and the offset behind it."""
        if token >> 4 != _INTERNED:
            raise FormatError(f"a tag has a name of type {token >> 4}", at)
        return self._interned(at + 1)

    def _start(self, name: str, at: int) -> dict[str, str]:
        """Open an element; return its attributes, to be filled."""
        self._elements += 1
        if self._elements > self._limits.record_elements:
            raise LimitError(f"more than {self._limits.record_elements} elements; raise --limit record_elements", at)
        if len(self._open) > self._limits.xml_depth:
            raise LimitError(f"elements are nested deeper than {self._limits.xml_depth}", at)
        attributes: dict[str, str] = {}
        element = Element(name, attributes, [], "", at)
        self._open[-1].children.append(element)
        self._open.append(element)
        return attributes

    def _end(self, name: str, at: int) -> None:
        if len(self._open) == 1 or self._open[-1].name != name:
            raise FormatError(f"the end tag of <{name[:80]}> does not belong there", at)
        self._open.pop()

    def _interned(self, at: int) -> tuple[str, int]:
        """A string of the pool; the index 0xFFFF brings a new one, which the pool keeps while it has room."""
        (index,) = _U16(self._data, at)
        if index != _NEW_STRING:
            if index >= len(self._pool):
                raise FormatError(f"string {index} of a pool of {len(self._pool)}", at)
            return self._pool[index], at + 2
        text, at = self._string(at + 2)
        if len(self._pool) < _NEW_STRING:
            self._pool.append(text)
        return text, at

    def _string(self, at: int) -> tuple[str, int]:
        raw, at = self._bytes(at)
        return parse_mutf8(raw), at

    def _bytes(self, at: int) -> tuple[bytes, int]:
        """Bytes behind their length, which is unsigned."""
        (size,) = _U16(self._data, at)
        end = at + 2 + size
        if end > len(self._data):
            raise FormatError("the document is cut off", len(self._data))
        return self._data[at + 2 : end], end

    def _value(self, kind: int, at: int) -> tuple[str | None, int]:
        """A value as text XML would show it, None for null; and the offset behind it."""
        if kind == _STRING:
            return self._string(at)
        if kind == _INTERNED:
            return self._interned(at)
        if kind == _INT:
            return str(_S32(self._data, at)[0]), at + 4
        if kind == _LONG:
            return str(_S64(self._data, at)[0]), at + 8
        if kind == _LONG_HEX:
            # The platform prints hex numbers with their sign: -1, not sixteen times f.
            return f"{_S64(self._data, at)[0]:x}", at + 8
        if kind == _INT_HEX:
            return f"{_S32(self._data, at)[0]:x}", at + 4
        if kind in (_TRUE, _FALSE):
            return "true" if kind == _TRUE else "false", at
        if kind == _NULL:
            return None, at
        return self._rare_value(kind, at)

    def _rare_value(self, kind: int, at: int) -> tuple[str, int]:
        if kind == _BYTES_HEX:
            raw, at = self._bytes(at)
            return raw.hex(), at
        if kind == _BYTES_BASE64:
            raw, at = self._bytes(at)
            return base64.b64encode(raw).decode("ascii"), at
        if kind == _FLOAT:
            return repr(float(f"{_F32(self._data, at)[0]:.7g}")), at + 4
        if kind == _DOUBLE:
            return repr(_F64(self._data, at)[0]), at + 8
        raise FormatError(f"a value of unknown type {kind}", at)
