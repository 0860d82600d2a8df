"""State documents of Android's system services: one model, written as text and as binary XML, or bent on purpose."""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr


@dataclass(frozen=True)
class Typed:
    """An attribute value: how text shows it, and the type nibble and operand that binary XML has."""

    text: str | None
    kind: int
    operand: bytes = b""


def short(data: bytes) -> bytes:
    """Bytes behind their length."""
    return struct.pack(">H", len(data)) + data


def number(value: int) -> Typed:
    return Typed(str(value), 6, struct.pack(">i", value))


def number_hex(value: int) -> Typed:
    return Typed(f"{value:x}", 7, struct.pack(">i", value))


def long(value: int) -> Typed:
    return Typed(str(value), 8, struct.pack(">q", value))


def long_hex(value: int) -> Typed:
    return Typed(f"{value:x}", 9, struct.pack(">q", value))


def flag(value: bool) -> Typed:
    return Typed("true", 12) if value else Typed("false", 13)


def hexed(value: bytes) -> Typed:
    return Typed(value.hex(), 4, short(value))


def base64ed(value: bytes) -> Typed:
    return Typed(base64.b64encode(value).decode(), 5, short(value))


def real(value: float, text: str) -> Typed:
    return Typed(text, 10, struct.pack(">f", value))


def double(value: float, text: str) -> Typed:
    return Typed(text, 11, struct.pack(">d", value))


NULL = Typed(None, 1)


@dataclass(frozen=True)
class Interned:
    """Text that goes through the pool."""

    text: str


Value = str | Interned | Typed


@dataclass(frozen=True)
class Node:
    """An element to be written."""

    name: str
    attributes: Mapping[str, Value] = field(default_factory=dict)
    children: tuple[Node, ...] = ()
    text: str = ""


def node(name: str, attributes: Mapping[str, Value] | None = None, *children: Node, text: str = "") -> Node:
    return Node(name, attributes or {}, children, text)


def text_xml(root: Node, *, indent: bool = True) -> bytes:
    """The document as the system wrote it up to Android 11."""
    newline = "\n" if indent else ""
    return ("<?xml version='1.0' encoding='utf-8' standalone='yes' ?>\n" + _element(root, "", newline)).encode()


def _element(item: Node, before: str, newline: str) -> str:
    shown = {
        name: value if isinstance(value, str) else value.text
        for name, value in item.attributes.items()
        if isinstance(value, str) or value.text is not None
    }
    attributes = "".join(f" {name}={quoteattr(value or '')}" for name, value in shown.items())
    if not item.children and not item.text:
        return f"{before}<{item.name}{attributes} />{newline}"
    inner = "".join(_element(child, before + "    " if newline else "", newline) for child in item.children)
    space = newline if item.children else ""
    closing = before if item.children else ""
    return f"{before}<{item.name}{attributes}>{escape(item.text)}{space}{inner}{closing}</{item.name}>{newline}"


class AbxWriter:
    """Puts binary XML together token by token; nothing stops it from writing nonsense."""

    def __init__(self, *, start: bool = True) -> None:
        self.data = bytearray(b"ABX\0" + (b"\x10" if start else b""))
        self._pool: dict[str, int] = {}

    def interned(self, text: str) -> bytes:
        if text in self._pool:
            return struct.pack(">H", self._pool[text])
        if len(self._pool) < 0xFFFF:
            self._pool[text] = len(self._pool)
        return b"\xff\xff" + short(text.encode())

    def raw(self, data: bytes) -> AbxWriter:
        self.data += data
        return self

    def open(self, name: str) -> AbxWriter:
        return self.raw(b"\x32" + self.interned(name))

    def close(self, name: str) -> AbxWriter:
        return self.raw(b"\x33" + self.interned(name))

    def attribute(self, name: str, value: Value) -> AbxWriter:
        if isinstance(value, str):
            return self.raw(b"\x2f" + self.interned(name) + short(value.encode()))
        if isinstance(value, Interned):
            return self.raw(b"\x3f" + self.interned(name) + self.interned(value.text))
        return self.raw(bytes([value.kind << 4 | 15]) + self.interned(name) + value.operand)

    def write(self, item: Node) -> AbxWriter:
        self.open(item.name)
        for name, value in item.attributes.items():
            self.attribute(name, value)
        if item.text:
            self.raw(b"\x24" + short(item.text.encode()))
        for child in item.children:
            self.write(child)
        return self.close(item.name)

    def done(self) -> bytes:
        return bytes(self.data) + b"\x11"


def abx(*roots: Node, start: bool = True) -> bytes:
    """The document as the system writes it since Android 12."""
    writer = AbxWriter(start=start)
    for root in roots:
        writer.write(root)
    return writer.done()


def twins(root: Node) -> Iterable[bytes]:
    """The document in both forms."""
    return text_xml(root), abx(root)
