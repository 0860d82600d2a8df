"""Binary Android XML written byte by byte from ResourceTypes.h, well-formed or bent on purpose."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

ANDROID = "http://schemas.android.com/apk/res/android"
NO_INDEX = 0xFFFFFFFF

IDS = {
    "label": 0x01010001,
    "name": 0x01010003,
    "permission": 0x01010006,
    "sharedUserId": 0x0101000B,
    "hasCode": 0x0101000C,
    "enabled": 0x0101000E,
    "debuggable": 0x0101000F,
    "exported": 0x01010010,
    "process": 0x01010011,
    "authorities": 0x01010018,
    "targetPackage": 0x01010021,
    "value": 0x01010024,
    "resource": 0x01010025,
    "scheme": 0x01010027,
    "host": 0x01010028,
    "targetActivity": 0x01010202,
    "minSdkVersion": 0x0101020C,
    "versionCode": 0x0101021B,
    "versionName": 0x0101021C,
    "targetSdkVersion": 0x01010270,
    "maxSdkVersion": 0x01010271,
    "installLocation": 0x010102B7,
    "isFeatureSplit": 0x0101055B,
    "compileSdkVersion": 0x01010572,
    "versionCodeMajor": 0x01010576,
    "appComponentFactory": 0x0101057A,
    "isSplitRequired": 0x01010591,
    "requiredSplitTypes": 0x0101064E,
    "splitTypes": 0x0101064F,
}


@dataclass(frozen=True)
class Ref:
    """A resource reference."""

    id: int
    type: int = 0x01


@dataclass(frozen=True)
class Typed:
    """A value with its type and data spelled out, and what its raw string says."""

    type: int
    data: int
    raw: str | None = None


Plain = str | int | bool | float | Ref | Typed


@dataclass(frozen=True)
class Attr:
    """An attribute with every field open to lies."""

    name: str
    value: Plain
    id: int = 0
    namespace: str | None = ANDROID


@dataclass
class Node:
    """An element to be written."""

    name: str
    attributes: list[Attr] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)


def el(tag: str, *children: Node, **attributes: Plain) -> Node:
    """An element; keywords are Android's attributes, those ending in ``_`` have no namespace."""
    return Node(tag, [named(key, value) for key, value in attributes.items()], list(children))


def named(key: str, value: Plain) -> Attr:
    if key.endswith("_"):
        return Attr(key[:-1], value, 0, None)
    return Attr(key, value, IDS[key])


def manifest(*children: Node, package: Plain = "com.example.app", **attributes: Plain) -> Node:
    return el("manifest", *children, package_=package, **attributes)


def chunk(
    kind: int, header: bytes, body: bytes = b"", header_size: int | None = None, size: int | None = None
) -> bytes:
    """A chunk; ``header`` is what follows the common eight bytes inside the header."""
    true_header = 8 + len(header)
    true_size = true_header + len(body)
    head = struct.pack("<HHI", kind, header_size or true_header, true_size if size is None else size)
    return head + header + body


def string_pool(
    strings: list[str],
    utf8: bool = False,
    *,
    count: int | None = None,
    style_count: int = 0,
    styles_start: int = 0,
    flags: int = 0,
    raw: dict[int, bytes] | None = None,
) -> bytes:
    """A string pool; ``raw`` replaces the stored bytes of single strings."""
    offsets, blob = [], b""
    for index, text in enumerate(strings):
        offsets.append(len(blob))
        stored = (raw or {}).get(index)
        blob += stored if stored is not None else pooled8(text) if utf8 else pooled16(text)
    blob += b"\0" * (-len(blob) % 4)
    table = b"".join(struct.pack("<I", each) for each in offsets)
    header = struct.pack(
        "<IIIII",
        len(strings) if count is None else count,
        style_count,
        flags | (0x100 if utf8 else 0),
        28 + len(table),
        styles_start,
    )
    return chunk(0x0001, header, table + blob)


def pooled16(text: str, length: int | None = None) -> bytes:
    units = text.encode("utf-16-le", "surrogatepass")
    number = len(units) // 2 if length is None else length
    head = struct.pack("<H", number) if number < 0x8000 else struct.pack("<HH", number >> 16 | 0x8000, number & 0xFFFF)
    return head + units + b"\0\0"


def pooled8(text: str, characters: int | None = None, length: int | None = None) -> bytes:
    stored = text.encode("utf-8", "surrogatepass")
    wide = len(text.encode("utf-16-le", "surrogatepass")) // 2 if characters is None else characters
    return _short(wide) + _short(len(stored) if length is None else length) + stored + b"\0"


def _short(number: int) -> bytes:
    return bytes([number]) if number < 0x80 else bytes([number >> 8 | 0x80, number & 0xFF])


@dataclass
class Axml:
    """A document with every known trick as a switch."""

    root: Node
    utf8: bool = False
    type: int = 0x0003
    header_size: int = 8
    resource_map: bool = True
    namespace_chunks: bool = True
    before_pool: bytes = b""
    after_pool: bytes = b""
    between_nodes: bytes = b""
    after_root: bytes = b""
    trailing: bytes = b""
    attribute_start: int = 20
    attribute_size: int = 20
    end_names: bool = True
    extra_end_tags: int = 0
    missing_end_tags: int = 0
    declared_size: int | None = None
    blank_names: bool = False
    """Attribute names that have a resource id are stored as empty strings."""
    pool: dict[str, object] = field(default_factory=dict)

    def build(self) -> bytes:
        self._ids: list[tuple[str, int]] = []
        self._strings: list[str] = []
        self._collect_names(self.root)
        nodes = self._node(self.root)
        if self.missing_end_tags:
            nodes = nodes[: -24 * self.missing_end_tags]
        nodes += self._end(self.root) * self.extra_end_tags
        if self.namespace_chunks:
            pair = struct.pack("<II", self._index("android"), self._index(ANDROID))
            nodes = node(0x0100, pair) + nodes + node(0x0101, pair)
        names = ["" if self.blank_names else name for name, _ in self._ids]
        pool = string_pool(names + self._strings, self.utf8, **self.pool)  # type: ignore[arg-type]
        ids = chunk(0x0180, b"", b"".join(struct.pack("<I", each) for _, each in self._ids))
        body = self.before_pool + pool + self.after_pool + (ids if self.resource_map else b"") + nodes + self.after_root
        pad = b"\0" * (self.header_size - 8)
        size = self.header_size + len(body) if self.declared_size is None else self.declared_size
        return struct.pack("<HHI", self.type, self.header_size, size) + pad + body + self.trailing

    def _collect_names(self, element: Node) -> None:
        for each in element.attributes:
            if each.id and (each.name, each.id) not in self._ids:
                self._ids.append((each.name, each.id))
        for child in element.children:
            self._collect_names(child)

    def _index(self, text: str | None) -> int:
        if text is None:
            return NO_INDEX
        if text not in self._strings:
            self._strings.append(text)
        return len(self._ids) + self._strings.index(text)

    def _node(self, element: Node) -> bytes:
        attributes = b"".join(self._attribute(each) for each in element.attributes)
        start = struct.pack(
            "<IIHHHHHH",
            NO_INDEX,
            self._index(element.name),
            self.attribute_start,
            self.attribute_size,
            len(element.attributes),
            0,
            0,
            0,
        )
        gap = b"\0" * (self.attribute_start - 20)
        children = b"".join(self.between_nodes + self._node(child) for child in element.children)
        return node(0x0102, start + gap + attributes) + children + self._end(element)

    def _end(self, element: Node) -> bytes:
        return node(0x0103, struct.pack("<II", NO_INDEX, self._index(element.name if self.end_names else "other")))

    def _attribute(self, each: Attr) -> bytes:
        raw, kind, data = self._value(each.value)
        index = self._ids.index((each.name, each.id)) if each.id else self._index(each.name)
        stored = struct.pack("<IIIHBBI", self._index(each.namespace), index, raw, 8, 0, kind, data)
        return stored + b"\xee" * (self.attribute_size - 20)

    def _value(self, value: Plain) -> tuple[int, int, int]:
        if isinstance(value, Typed):
            data = self._index(value.raw) if value.type == 0x03 and value.data == NO_INDEX else value.data
            return self._index(value.raw), value.type, data
        if isinstance(value, bool):
            return NO_INDEX, 0x12, NO_INDEX if value else 0
        if isinstance(value, int):
            return NO_INDEX, 0x10, value & 0xFFFFFFFF
        if isinstance(value, float):
            return NO_INDEX, 0x04, struct.unpack("<I", struct.pack("<f", value))[0]
        if isinstance(value, Ref):
            return NO_INDEX, value.type, value.id
        index = self._index(value)
        return index, 0x03, index


def node(kind: int, body: bytes, header_size: int = 16) -> bytes:
    return chunk(kind, struct.pack("<II", 1, NO_INDEX) + b"\0" * (header_size - 16), body)


def axml(root: Node, **options: object) -> bytes:
    """The bytes of a document."""
    return Axml(root, **options).build()  # type: ignore[arg-type]
