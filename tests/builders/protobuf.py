"""Protobuf messages of app bundles written field by field from aapt2's Resources.proto."""

from __future__ import annotations

import struct

from tests.builders.axml import Attr, Node, Plain, Ref, Typed


def varint(number: int) -> bytes:
    out = bytearray()
    number &= 0xFFFFFFFFFFFFFFFF
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def block(field: int, content: bytes | str) -> bytes:
    raw = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(raw)) + raw


def fixed32(field: int, value: float) -> bytes:
    return varint(field << 3 | 5) + struct.pack("<f", value)


def item(value: Plain) -> bytes:
    """An Item message."""
    if isinstance(value, bool):
        return block(7, number(8, int(value)))
    if isinstance(value, int):
        return block(7, number(6, value))
    if isinstance(value, float):
        return block(7, fixed32(3, value))
    if isinstance(value, Ref):
        return reference(value.id)
    if isinstance(value, Typed):
        return block(7, block(1, b""))
    return block(2, block(1, value))


def reference(resource_id: int = 0, name: str = "") -> bytes:
    """An Item that refers to a resource by id, name or both."""
    body = number(2, resource_id) if resource_id else b""
    return block(1, body + (block(3, name) if name else b""))


def attribute(each: Attr) -> bytes:
    body = block(1, each.namespace) if each.namespace else b""
    body += block(2, each.name)
    if isinstance(each.value, str):
        body += block(3, each.value)
    body += block(4, number(1, 3) + number(2, 5))
    if each.id:
        body += number(5, each.id)
    if not isinstance(each.value, str):
        body += block(6, item(each.value))
    return body


def xml_node(element: Node) -> bytes:
    body = block(1, block(1, "android") + block(2, "urn:x")) + block(3, element.name)
    body += b"".join(block(4, attribute(each)) for each in element.attributes)
    body += block(5, block(2, "\n  text"))
    body += b"".join(block(5, xml_node(child)) for child in element.children)
    return block(1, body) + block(3, number(1, 1))


proto_xml = xml_node


def entry(entry_id: int, name: str, *values: tuple[str, bytes]) -> bytes:
    """An Entry with (locale, Item message) pairs."""
    body = block(1, number(1, entry_id) if entry_id else b"") + block(2, name)
    for locale, stored in values:
        config = block(3, locale) if locale else b""
        body += block(6, block(1, config) + block(2, block(4, stored)))
    return body


def resource_type(type_id: int, name: str, *entries: bytes) -> bytes:
    return block(1, number(1, type_id)) + block(2, name) + b"".join(block(3, each) for each in entries)


def package(package_id: int, name: str, *types: bytes) -> bytes:
    return block(1, number(1, package_id)) + block(2, name) + b"".join(block(3, each) for each in types)


def resource_table(*packages: bytes) -> bytes:
    return block(1, block(1, b"\1\0\x1c\0")) + b"".join(block(2, each) for each in packages)
