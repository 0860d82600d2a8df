"""Reads XML of Android's system services, text (up to Android 11) or binary (from 12), into one tree.

Format: XML 1.0 as FastXmlSerializer of AOSP writes it; Android Binary XML as in ``abx``.

Not read: documents with a document type or entities of their own (refused); comments; text behind a first child.
"""

from __future__ import annotations

import re
from typing import Any
from xml.parsers import expat

from auditor.errors import FormatError, LimitError
from auditor.formats.abx import MAGIC, is_abx, parse_abx
from auditor.formats.android_state_tree import Element, StateDocument
from auditor.formats.blob import Blob
from auditor.limits import DEFAULT, Limits

_BOM = b"\xef\xbb\xbf"
_SPACE = b" \t\r\n"
_TEXT_ROOT = re.compile(rb"(?:\s|<\?[^>]*\?>|<!--(?:[^-]|-(?!->))*-->)*<([A-Za-z_][A-Za-z0-9_.:-]*)[\s/>]")
_BINARY_ROOT = re.compile(rb"(?:\x10)?\x32\xff\xff(..)([A-Za-z_][A-Za-z0-9_.:-]*)", re.DOTALL)
_ROOT_WITHIN = 1024
"""Bytes in which the root element of a document of the system begins."""


def root_name(head: bytes) -> str:
    """Name of the root element, from the first bytes of text or binary XML; empty where they do not tell it."""
    if is_abx(head):
        found = _BINARY_ROOT.match(head, len(MAGIC))
        if found is None:
            return ""
        size = int.from_bytes(found.group(1), "big")
        return found.group(2)[:size].decode("ascii") if len(found.group(2)) >= size else ""
    found = _TEXT_ROOT.match(head[:_ROOT_WITHIN].removeprefix(_BOM))
    return "" if found is None else found.group(1).decode("ascii")


def parse_state_xml(data: Blob, limits: Limits = DEFAULT) -> StateDocument:
    """Read a document, text or binary, as far as it goes; what ends it early is its ``fault``.

    Raises:
        FormatError: it is neither, has a document type, or has no element before the fault.
        LimitError: it is larger than ``Limits.record_size``.
        UnsupportedError: it is binary XML of a later version.
    """
    if len(data) > limits.record_size:
        raise LimitError(f"XML of {len(data)} bytes; raise --limit record_size")
    if is_abx(data[:4]):
        return parse_abx(data, limits)
    # A file that was open when the power failed may end in zeros.
    raw = bytes(data).rstrip(b"\0")
    if not raw.removeprefix(_BOM).lstrip(_SPACE).startswith(b"<"):
        raise FormatError("neither text nor binary XML" if raw else "the file holds nothing, or only zeros", 0)
    if raw.count(b"=") > 4 * limits.record_elements:
        # expat gathers all attributes of an element before it hands over the first.
        raise LimitError(f"XML of more than {4 * limits.record_elements} attributes; raise --limit record_elements")
    return _parse_text(raw, limits)


def _parse_text(raw: bytes, limits: Limits) -> StateDocument:
    builder = _Builder(limits)
    parser = builder.parser
    fault: FormatError | None = None
    try:
        parser.Parse(raw, True)
    except expat.ExpatError as error:
        fault = FormatError(f"not well-formed XML: {expat.ErrorString(error.code)}", max(parser.ErrorByteIndex, 0))
    except LimitError as error:
        fault = error
    except (ValueError, LookupError) as error:
        # An encoding declaration that Python cannot serve.
        raise FormatError(f"XML in an encoding that is not read: {error}") from None
    if builder.root is None:
        raise fault or FormatError("XML without an element", 0)
    return StateDocument(builder.root, fault)


class _Builder:
    """Collects elements from expat's events."""

    def __init__(self, limits: Limits) -> None:
        self.root: Element | None = None
        self._limits = limits
        self._open: list[Element] = []
        self._texts: list[str] = []
        self._elements = 0
        self._attributes = 0
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._texts.append
        self.parser.StartDoctypeDeclHandler = _refuse
        self.parser.EntityDeclHandler = _refuse

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._close_text()
        self._elements += 1
        self._attributes += len(attributes)
        if self._elements > self._limits.record_elements or self._attributes > 4 * self._limits.record_elements:
            most = self._limits.record_elements
            raise LimitError(f"more than {most} elements; raise --limit record_elements", self._at)
        if len(self._open) >= self._limits.xml_depth:
            raise LimitError(f"elements are nested deeper than {self._limits.xml_depth}", self._at)
        element = Element(name, attributes, [], "", self._at)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def _end(self, _name: str) -> None:
        self._close_text()
        self._open.pop()

    @property
    def _at(self) -> int:
        return self.parser.CurrentByteIndex

    def _close_text(self) -> None:
        """Give the text so far to the element it stands in."""
        if self._texts:
            if self._open and not self._open[-1].children:
                self._open[-1].text = "".join(self._texts).strip()
            self._texts.clear()


def _refuse(*_event: Any) -> None:
    raise FormatError("XML with a document type or entities is not read")
