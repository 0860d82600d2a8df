"""The door to androguard's binary XML parser, for documents that our own reader does not follow.

Spec: none of its own; androguard.core.axml.

Not read: character data, namespace prefixes.
"""

from __future__ import annotations

import struct
from typing import Any, Final

from auditor.errors import FormatError, LimitError
from auditor.formats.android_xml import ANDROID_NAMESPACE, TYPE_STRING, Document, Element, Value
from auditor.limits import DEFAULT, MIB, Limits

_SIZE: Final = 4 * MIB
"""Larger documents are not handed over: androguard keeps every string of the pool."""
_FAULTS: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RecursionError,
    TypeError,
    UnboundLocalError,
    ValueError,
    struct.error,
)
"""What androguard raises on damaged input besides its own error."""


def parse_axml_with_androguard(data: bytes, limits: Limits = DEFAULT) -> Document:
    """Read a binary XML document with androguard.

    Raises:
        FormatError: androguard does not follow it either.
    """
    if len(data) > _SIZE:
        raise LimitError(f"document of {len(data)} bytes is not handed to androguard")
    from androguard.core import axml
    from loguru import logger

    logger.disable("androguard")
    try:
        root = _read(axml, axml.AXMLParser(data), limits)
    except axml.ResParserError as error:
        raise FormatError(f"androguard: {error}") from None
    except _FAULTS as error:
        raise FormatError(f"androguard: {type(error).__name__}: {error}") from None
    return Document(root, ("read by androguard only",))


def _read(axml: Any, parser: Any, limits: Limits) -> Element:
    root: Element | None = None
    opened: list[Element] = []
    count = 0
    while parser.is_valid():
        event = next(parser)
        if event == axml.START_TAG:
            count += 1
            if count > limits.xml_elements or len(opened) >= limits.xml_depth:
                raise LimitError("too many or too deeply nested elements")
            element = _element(parser, limits)
            if opened:
                opened[-1].children.append(element)
            elif root is None:
                root = element
            opened.append(element)
        elif event == axml.END_TAG and opened:
            opened.pop()
            if not opened:
                break
        elif event == axml.END_DOCUMENT:
            break
    if root is None or not parser.is_valid():
        raise FormatError("androguard found no element or gave up")
    return root


def _element(parser: Any, limits: Limits) -> Element:
    element = Element(str(parser.name))
    for index in range(parser.getAttributeCount()):
        kind = parser.getAttributeValueType(index)
        text = str(parser.getAttributeValue(index))[: limits.string_length] if kind == TYPE_STRING else None
        value = Value(kind, parser.getAttributeValueData(index), text)
        name_index = parser.m_attributes[parser._get_attribute_offset(index) + 1]
        resource_id = parser.m_resourceIDs[name_index] if name_index < len(parser.m_resourceIDs) else 0
        namespace = str(parser.getAttributeNamespace(index) or "")
        if resource_id != 0:
            element.ids.setdefault(resource_id, value)
        elif namespace == ANDROID_NAMESPACE:
            element.names.setdefault(f"android:{parser.getAttributeName(index)}", value)
        if not namespace:
            element.names.setdefault(str(parser.getAttributeName(index)), value)
    return element
