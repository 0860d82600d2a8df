"""Protobuf forms of Android XML and of the resource table, as app bundles (.aab) carry them.

Spec: AOSP frameworks/base tools/aapt2, Resources.proto (XmlNode, ResourceTable, Item) and Configuration.proto.

Not read: compound values (styles, arrays, plurals), file references, overlayables, styles' spans, source positions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from auditor.errors import FormatError, LimitError
from auditor.formats.android_xml import (
    ANDROID_NAMESPACE,
    DATA_NULL_EMPTY,
    TYPE_FLOAT,
    TYPE_INT_BOOLEAN,
    TYPE_INT_DEC,
    TYPE_INT_HEX,
    TYPE_NULL,
    TYPE_REFERENCE,
    TYPE_STRING,
    Document,
    Element,
    Value,
    value_text,
)
from auditor.formats.blob import Blob
from auditor.formats.locale_values import LocaleValue, follow_references
from auditor.formats.proto_wire import FIXED32, LENGTH_DELIMITED, VARINT, find_fields
from auditor.limits import DEFAULT, Limits

_FIELDS_PER_ELEMENT: Final = 8
"""Attributes and child nodes allowed for each element of ``limits.xml_elements``."""
_NODE_ELEMENT: Final = 1
_ELEMENT_NAME, _ELEMENT_ATTRIBUTE, _ELEMENT_CHILD = 3, 4, 5
_ATTRIBUTE_NAMESPACE, _ATTRIBUTE_NAME, _ATTRIBUTE_VALUE, _ATTRIBUTE_ID, _ATTRIBUTE_ITEM = 1, 2, 3, 5, 6
_ITEM_REFERENCE, _ITEM_STRING, _ITEM_RAW, _ITEM_STYLED, _ITEM_PRIMITIVE = 1, 2, 3, 4, 7
_REFERENCE_TYPE, _REFERENCE_ID, _REFERENCE_NAME = 1, 2, 3
_TYPE_ATTRIBUTE: Final = 0x02
_PRIMITIVES: Final = {
    1: TYPE_NULL,
    2: TYPE_NULL,
    3: TYPE_FLOAT,
    4: 0x05,
    5: 0x06,
    6: TYPE_INT_DEC,
    7: TYPE_INT_HEX,
    8: TYPE_INT_BOOLEAN,
    9: 0x1C,
    10: 0x1D,
    11: 0x1E,
    12: 0x1F,
    13: 0x05,
    14: 0x06,
}
"""Fields of Primitive and the Res_value types they stand for."""
_EMPTY_FIELD: Final = 2

_Span = tuple[int, int]


def parse_proto_xml(data: Blob, limits: Limits = DEFAULT) -> Document:
    """Read an XmlNode message.

    Raises:
        FormatError: it is none, or holds no element.
        LimitError: it is larger or deeper than ``limits`` allow.
    """
    if len(data) > limits.manifest_size:
        raise LimitError(f"protobuf XML of {len(data)} bytes is larger than {limits.manifest_size}")
    data = bytes(data)
    root: Element | None = None
    fields_left = limits.xml_elements * _FIELDS_PER_ELEMENT
    count = 0
    waiting: list[tuple[_Span, Element | None, int]] = [((0, len(data)), None, 0)]
    while waiting:
        node, parent, depth = waiting.pop()
        span = _child(data, node, _NODE_ELEMENT)
        if span is None:
            continue
        count += 1
        if count > limits.xml_elements or depth > limits.xml_depth:
            raise LimitError("protobuf XML has too many or too deeply nested elements", node[0])
        element, children, fields_left = _read_element(data, span, limits, fields_left)
        if parent is None:
            root = element
        else:
            parent.children.append(element)
        waiting.extend((child, element, depth + 1) for child in reversed(children))
    if root is None:
        raise FormatError("protobuf XML has no element")
    return Document(root)


def _child(data: Blob, span: _Span, wanted: int) -> _Span | None:
    """The last length-delimited field of one number (the last one counts in protobuf)."""
    found: _Span | None = None
    for number, kind, start, end in find_fields(data, *span):
        if number == wanted and kind == LENGTH_DELIMITED:
            found = (start, end)
    return found


def _string(data: Blob, start: int, end: int, limits: Limits) -> str:
    return bytes(data[start : min(end, start + 4 * limits.string_length)]).decode("utf-8", "replace")[
        : limits.string_length
    ]


def _read_element(data: Blob, span: _Span, limits: Limits, fields_left: int) -> tuple[Element, list[_Span], int]:
    """Read one element; return it, its child nodes, and how many more fields the document may have."""
    element = Element("")
    children: list[_Span] = []
    for number, kind, start, end in find_fields(data, *span):
        fields_left -= 1
        if fields_left < 0:
            raise LimitError("protobuf XML has too many fields", start)
        if kind != LENGTH_DELIMITED:
            continue
        if number == _ELEMENT_NAME:
            element.name = _string(data, start, end, limits)
        elif number == _ELEMENT_ATTRIBUTE:
            _read_attribute(data, (start, end), element, limits)
        elif number == _ELEMENT_CHILD:
            children.append((start, end))
    return element, children, fields_left


def _read_attribute(data: Blob, span: _Span, element: Element, limits: Limits) -> None:
    namespace = name = text = ""
    resource_id = 0
    item: Value | None = None
    for number, kind, start, end in find_fields(data, *span):
        if number == _ATTRIBUTE_ID and kind == VARINT:
            resource_id = start & 0xFFFFFFFF
        elif kind != LENGTH_DELIMITED:
            continue
        elif number == _ATTRIBUTE_NAMESPACE:
            namespace = _string(data, start, end, limits)
        elif number == _ATTRIBUTE_NAME:
            name = _string(data, start, end, limits)
        elif number == _ATTRIBUTE_VALUE:
            text = _string(data, start, end, limits)
        elif number == _ATTRIBUTE_ITEM:
            item = read_item(data, (start, end), limits)
    value = Value(TYPE_STRING, 0, text) if item is None else item
    if resource_id != 0:
        element.ids.setdefault(resource_id, value)
    elif namespace == ANDROID_NAMESPACE:
        element.names.setdefault(f"android:{name}", value)
    if not namespace:
        element.names.setdefault(name, Value(value.type, value.data, text or value_text(value)))


def read_item(data: Blob, span: _Span, limits: Limits) -> Value | None:
    """Read an Item message; None for kinds that hold no simple value."""
    value: Value | None = None
    for number, kind, start, end in find_fields(data, *span):
        if kind != LENGTH_DELIMITED:
            continue
        if number == _ITEM_REFERENCE:
            value = _read_reference(data, (start, end), limits)
        elif number in (_ITEM_STRING, _ITEM_RAW, _ITEM_STYLED):
            text = _child(data, (start, end), 1)
            value = Value(TYPE_STRING, 0, "" if text is None else _string(data, *text, limits))
        elif number == _ITEM_PRIMITIVE:
            value = _read_primitive(data, (start, end))
    return value


def _read_reference(data: Blob, span: _Span, limits: Limits) -> Value:
    kind, resource_id, name = TYPE_REFERENCE, 0, ""
    for number, wire, start, end in find_fields(data, *span):
        if number == _REFERENCE_TYPE and wire == VARINT and start == 1:
            kind = _TYPE_ATTRIBUTE
        elif number == _REFERENCE_ID and wire == VARINT:
            resource_id = start & 0xFFFFFFFF
        elif number == _REFERENCE_NAME and wire == LENGTH_DELIMITED:
            name = _string(data, start, end, limits)
    return Value(kind, resource_id, None, name)


def _read_primitive(data: Blob, span: _Span) -> Value | None:
    value: Value | None = None
    for number, wire, start, _ in find_fields(data, *span):
        kind = _PRIMITIVES.get(number)
        if kind is None:
            continue
        if kind == TYPE_NULL:
            value = Value(TYPE_NULL, DATA_NULL_EMPTY if number == _EMPTY_FIELD else 0)
        elif wire in (VARINT, FIXED32):
            value = Value(kind, start & 0xFFFFFFFF)
    return value


class ProtoResources:
    """A ResourceTable message; types are indexed when they are first asked for."""

    __slots__ = ("_data", "_entries", "_limits", "_packages", "_types")

    def __init__(self, data: Blob, limits: Limits) -> None:
        self._data = data
        self._limits = limits
        self._packages: list[tuple[int, str]] = []
        self._types: dict[int, list[tuple[_Span, str]]] = {}
        self._entries: dict[int, tuple[dict[int, list[_Span]], dict[str, int]]] = {}
        for number, kind, start, end in find_fields(data, 0, len(data)):
            if number == 2 and kind == LENGTH_DELIMITED:
                self._index_package((start, end))

    @property
    def packages(self) -> tuple[tuple[int, str], ...]:
        """(id, name) of every package."""
        return tuple(self._packages)

    def resolve(self, resource_id: int) -> tuple[tuple[str, str], ...]:
        """(locale, text) pairs of a resource, ascending; empty where it is unknown or holds no simple value.

        Raises:
            FormatError: the entries of its type are damaged.
        """
        return self._follow(Value(TYPE_REFERENCE, resource_id))

    def resolve_name(self, name: str) -> tuple[tuple[str, str], ...]:
        """The same by name: ``type/entry`` or ``package:type/entry``.

        Raises:
            FormatError: the entries of its type are damaged.
        """
        return self._follow(Value(TYPE_REFERENCE, 0, None, name))

    def _follow(self, value: Value) -> tuple[tuple[str, str], ...]:
        return follow_references(self._lookup(value), self._lookup, self._limits.resource_hops)

    def _lookup(self, reference: Value) -> list[LocaleValue]:
        resource_id = reference.data or self._id_of(reference.reference)
        if resource_id == 0:
            return []
        entries, _ = self._entries_of(resource_id >> 16)
        return [found for span in entries.get(resource_id & 0xFFFF, ()) for found in self._read_values(span)]

    def _index_package(self, span: _Span) -> None:
        package_id, name, types = 0, "", []
        for number, kind, start, end in find_fields(self._data, *span):
            if kind != LENGTH_DELIMITED:
                continue
            if number == 1:
                package_id = _read_id(self._data, (start, end))
            elif number == 2:
                name = _string(self._data, start, end, self._limits)
            elif number == 3:
                types.append((start, end))
        self._packages.append((package_id, name))
        for each in types:
            self._index_type(package_id, name, each)

    def _index_type(self, package_id: int, package: str, span: _Span) -> None:
        type_id, name = 0, ""
        for number, kind, start, end in find_fields(self._data, *span):
            if number == 1 and kind == LENGTH_DELIMITED:
                type_id = _read_id(self._data, (start, end))
            elif number == 2 and kind == LENGTH_DELIMITED:
                name = _string(self._data, start, end, self._limits)
        key = (package_id & 0xFF) << 8 | type_id & 0xFF
        self._types.setdefault(key, []).append((span, f"{package}:{name}"))

    def _entries_of(self, key: int) -> tuple[dict[int, list[_Span]], dict[str, int]]:
        """Spans by entry id, and ids by name, of one type."""
        known = self._entries.get(key)
        if known is not None:
            return known
        spans: dict[int, list[_Span]] = {}
        names: dict[str, int] = {}
        for type_span, _ in self._types.get(key, ()):
            for number, kind, start, end in find_fields(self._data, *type_span):
                if number == 3 and kind == LENGTH_DELIMITED:
                    entry_id, name = self._read_entry_head((start, end))
                    spans.setdefault(entry_id, []).append((start, end))
                    names.setdefault(name, entry_id)
        self._entries[key] = spans, names
        return spans, names

    def _read_entry_head(self, span: _Span) -> tuple[int, str]:
        entry_id, name = 0, ""
        for number, kind, start, end in find_fields(self._data, *span):
            if number == 1 and kind == LENGTH_DELIMITED:
                entry_id = _read_id(self._data, (start, end))
            elif number == 2 and kind == LENGTH_DELIMITED:
                name = _string(self._data, start, end, self._limits)
        return entry_id, name

    def _id_of(self, name: str) -> int:
        """Id of a resource named ``[package:]type/entry``; 0 if unknown."""
        qualified, _, entry = name.rpartition("/")
        for key, types in self._types.items():
            if any(each == qualified or each.endswith(f":{qualified}") for _, each in types):
                entry_id = self._entries_of(key)[1].get(entry)
                if entry_id is not None:
                    return key << 16 | entry_id
        return 0

    def _read_values(self, span: _Span) -> Iterator[LocaleValue]:
        """The values of one entry, plainest configuration first."""
        found: list[tuple[bool, int, LocaleValue]] = []
        for number, kind, start, end in find_fields(self._data, *span):
            if number != 6 or kind != LENGTH_DELIMITED:
                continue
            config, value = _child(self._data, (start, end), 1), _child(self._data, (start, end), 2)
            item = None if value is None else _child(self._data, value, 4)
            typed = None if item is None else read_item(self._data, item, self._limits)
            if typed is not None:
                locale, plain = ("", True) if config is None else self._read_config(config)
                found.append((not plain, len(found), LocaleValue(locale, typed)))
        found.sort(key=lambda each: each[:2])
        return (each[2] for each in found)

    def _read_config(self, span: _Span) -> tuple[str, bool]:
        locale, plain = "", True
        for number, kind, start, end in find_fields(self._data, *span):
            if number == 3 and kind == LENGTH_DELIMITED:
                locale = _string(self._data, start, end, self._limits)
            elif kind != VARINT or start != 0:
                plain = False
        return locale, plain


def _read_id(data: Blob, span: _Span) -> int:
    """The number inside PackageId, TypeId and EntryId."""
    found = 0
    for number, kind, value, _ in find_fields(data, *span):
        if number == 1 and kind == VARINT:
            found = value & 0xFFFFFFFF
    return found


def parse_proto_resources(data: Blob, limits: Limits = DEFAULT) -> ProtoResources:
    """Index a ResourceTable message.

    Raises:
        FormatError: it is none.
        LimitError: it is larger than ``limits`` allow.
    """
    if len(data) > limits.resource_size:
        raise LimitError(f"resource table of {len(data)} bytes is larger than {limits.resource_size}")
    return ProtoResources(data, limits)
