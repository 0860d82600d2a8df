"""The one shape in which binary, protobuf and plain-text Android XML are handed to the manifest reader.

Spec: plain text is XML 1.0; value types are those of ``Res_value`` in AOSP's libs/androidfw ResourceTypes.h.

Not read: document type definitions and entities (refused); character data; comments; line numbers.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol
from xml.parsers import expat

from auditor.errors import FormatError, LimitError
from auditor.limits import DEFAULT, Limits

ANDROID_NAMESPACE: Final = "http://schemas.android.com/apk/res/android"

TYPE_NULL: Final = 0x00
TYPE_REFERENCE: Final = 0x01
TYPE_STRING: Final = 0x03
TYPE_FLOAT: Final = 0x04
TYPE_DYNAMIC_REFERENCE: Final = 0x07
TYPE_INT_DEC: Final = 0x10
TYPE_INT_HEX: Final = 0x11
TYPE_INT_BOOLEAN: Final = 0x12
TYPE_LAST_INT: Final = 0x1F
DATA_NULL_EMPTY: Final = 1
REFERENCES: Final = frozenset({TYPE_REFERENCE, TYPE_DYNAMIC_REFERENCE})


class Value(NamedTuple):
    """One attribute value: a ``Res_value`` with its string or its reference's name beside it."""

    type: int
    data: int
    text: str | None = None
    reference: str = ""
    """Name of the referenced resource (``package:type/entry``) where the format has one."""


class Resolver(Protocol):
    """What turns a resource id into (locale, string) pairs: resources.arsc or resources.pb."""

    def resolve(self, resource_id: int) -> tuple[tuple[str, str], ...]: ...

    def resolve_name(self, name: str) -> tuple[tuple[str, str], ...]: ...


@dataclass(slots=True)
class Element:
    """One element; filled while its document is read."""

    name: str
    ids: dict[int, Value] = field(default_factory=dict)
    """Attributes by resource id, the first of each: the way the platform looks up ``android:`` attributes."""
    names: dict[str, Value] = field(default_factory=dict)
    """Attributes without namespace by name; those of Android's that have no resource id as ``android:name``."""
    children: list[Element] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Document:
    """The root element, and what was odd about the bytes."""

    root: Element
    anomalies: tuple[str, ...] = ()


def attribute_text(element: Element, name: str) -> str:
    """Text of an attribute by its name, whatever its namespace; empty where it has none."""
    value = element.names.get(name)
    return "" if value is None else value_text(value) or ""


def value_text(value: Value) -> str | None:
    """Text of a value as the platform coerces it; None for references and null."""
    if value.text is not None:
        return value.text
    kind = value.type
    if kind == TYPE_INT_BOOLEAN:
        return "true" if value.data else "false"
    if kind == TYPE_FLOAT:
        return f"{struct.unpack('<f', struct.pack('<I', value.data & 0xFFFFFFFF))[0]:.7g}"
    if kind == TYPE_NULL:
        return "" if value.data == DATA_NULL_EMPTY else None
    if TYPE_INT_DEC <= kind <= TYPE_LAST_INT:
        return str(value.data - (1 << 32) if value.data & 0x80000000 else value.data)
    if kind in (0x05, 0x06):
        return str(value.data)
    return None


class _TextBuilder:
    """Collects elements from expat's events."""

    def __init__(self, limits: Limits) -> None:
        self.root: Element | None = None
        self._limits = limits
        self._open: list[Element] = []
        self._count = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > self._limits.xml_elements or len(self._open) >= self._limits.xml_depth:
            raise LimitError("XML has too many or too deeply nested elements")
        element = Element(name.rpartition("\n")[2])
        for key, text in attributes.items():
            namespace, _, local = key.rpartition("\n")
            if namespace in ("", ANDROID_NAMESPACE):
                kept = local if not namespace else f"android:{local}"
                element.names[kept] = _text_value(text[: self._limits.string_length])
        if self._open:
            self._open[-1].children.append(element)
        elif self.root is None:
            self.root = element
        self._open.append(element)

    def end(self, _name: str) -> None:
        self._open.pop()

    def refuse(self, *_event: Any) -> None:
        raise FormatError("XML with a document type or entities is not read")


def _text_value(text: str) -> Value:
    """Keep ``@type/name`` of uncompiled XML as a reference by name."""
    if text.startswith("@") and "/" in text:
        return Value(TYPE_REFERENCE, 0, None, text[1:].lstrip("+"))
    return Value(TYPE_STRING, 0, text)


def parse_text_xml(data: bytes, limits: Limits = DEFAULT) -> Document:
    """Read plain-text XML.

    Raises:
        FormatError: not well-formed, or with a document type.
    """
    builder = _TextBuilder(limits)
    parser = expat.ParserCreate(namespace_separator="\n")
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.StartDoctypeDeclHandler = builder.refuse
    parser.EntityDeclHandler = builder.refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise FormatError(f"not well-formed XML: {error}") from None
    except (ValueError, LookupError) as error:
        # An encoding declaration that Python cannot serve.
        raise FormatError(f"XML in an encoding that is not read: {error}") from None
    if builder.root is None:
        raise FormatError("XML without an element")
    return Document(builder.root)
