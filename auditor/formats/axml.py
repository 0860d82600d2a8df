"""Binary Android XML as a tree of elements, read the way the platform reads it.

Spec: AOSP frameworks/base libs/androidfw, ResourceTypes.h (ResXMLTree_*) and ResourceTypes.cpp (ResXMLTree::setTo,
ResXMLParser::nextNode): the document's own type is not checked, unknown chunks are passed over, the last string pool
before the first element counts, end tags are not compared with start tags, and reading ends with the root element.

Not read: character data, line numbers, comments, namespace prefixes, style spans.
"""

from __future__ import annotations

import struct
from typing import Final

from auditor.errors import FormatError, LimitError
from auditor.formats.android_xml import ANDROID_NAMESPACE, TYPE_STRING, Document, Element, Value
from auditor.formats.blob import Blob
from auditor.formats.res_chunk import CHUNK_HEADER_SIZE, RES_STRING_POOL_TYPE, Chunk, StringPool, read_chunk
from auditor.limits import DEFAULT, Limits

RES_XML_TYPE: Final = 0x0003
RES_XML_FIRST_CHUNK_TYPE: Final = 0x0100
RES_XML_START_NAMESPACE_TYPE: Final = 0x0100
RES_XML_END_NAMESPACE_TYPE: Final = 0x0101
RES_XML_START_ELEMENT_TYPE: Final = 0x0102
RES_XML_END_ELEMENT_TYPE: Final = 0x0103
RES_XML_CDATA_TYPE: Final = 0x0104
RES_XML_LAST_CHUNK_TYPE: Final = 0x017F
RES_XML_RESOURCE_MAP_TYPE: Final = 0x0180

_NODE_SIZE: Final = 16
_ATTRIBUTE_SIZE: Final = 20
_NO_STRING: Final = 0xFFFFFFFF
_CHUNKS_PER_ELEMENT: Final = 8
"""Chunks and attributes allowed for each element of ``limits.xml_elements``."""
_KNOWN_NODES: Final = {
    RES_XML_START_NAMESPACE_TYPE: 8,
    RES_XML_END_NAMESPACE_TYPE: 8,
    RES_XML_START_ELEMENT_TYPE: 20,
    RES_XML_END_ELEMENT_TYPE: 8,
    RES_XML_CDATA_TYPE: 12,
}
"""Node types of the platform, with the bytes they need after their header."""

_U32 = struct.Struct("<I")
_HEADER = struct.Struct("<HHI")
_START = struct.Struct("<IIHHH")
_ATTRIBUTE = struct.Struct("<IIIHBBI")

_Raw = tuple[int, int, int, int, int, int, int]
_Named = tuple[int, Value, str | None, Value]
"""Resource id (0: none) and typed value; plain name (None: not found by name) and its value."""


def parse_axml(data: Blob, limits: Limits = DEFAULT, *, root_only: bool = False) -> Document:
    """Read a binary XML document, or with ``root_only`` no further than its first start tag.

    Raises:
        FormatError: the platform could not read it either.
        LimitError: it is larger or deeper than ``limits`` allow.
    """
    return _Reader(data, limits, root_only).read()


class _Reader:
    """State of reading one document."""

    def __init__(self, data: Blob, limits: Limits, root_only: bool) -> None:
        if len(data) > limits.manifest_size:
            raise LimitError(f"binary XML of {len(data)} bytes is larger than {limits.manifest_size}")
        self._data = bytes(data)
        self._limits = limits
        self._root_only = root_only
        self._budget = limits.xml_elements * _CHUNKS_PER_ELEMENT
        self._elements = 0
        self._pool: StringPool | None = None
        self._map = (0, 0)
        self._attributes: dict[_Raw, _Named] = {}
        self._anomalies: dict[str, None] = {}

    def read(self) -> Document:
        data = self._data
        if len(data) < CHUNK_HEADER_SIZE:
            raise FormatError(f"binary XML of {len(data)} bytes has no header")
        kind, header_size, size = struct.unpack_from("<HHI", data, 0)
        if header_size > size or size > len(data):
            raise FormatError(f"binary XML declares {size} bytes and a header of {header_size}, has {len(data)}")
        if kind != RES_XML_TYPE or header_size != CHUNK_HEADER_SIZE:
            self._note("document header altered")
        if size < len(data):
            self._note("bytes after the document")
        first = self._read_prologue(header_size, size)
        root = self._read_nodes(first, size)
        return Document(root, tuple(self._anomalies))

    def _note(self, text: str) -> None:
        self._anomalies[text] = None

    def _spend(self, count: int, offset: int) -> None:
        self._budget -= count
        if self._budget < 0:
            raise LimitError("binary XML has too many chunks or attributes", offset)

    def _read_prologue(self, offset: int, end: int) -> int:
        """Take string pool and resource map; return where the first node lies."""
        data = self._data
        pool: Chunk | None = None
        # The platform's own bounds: a chunk that ends exactly with the document is not looked at here.
        while (
            offset + CHUNK_HEADER_SIZE < end and offset + int.from_bytes(data[offset + 4 : offset + 8], "little") < end
        ):
            chunk = read_chunk(data, offset, end)
            self._spend(1, offset)
            if chunk.type == RES_STRING_POOL_TYPE:
                if pool is not None:
                    self._note("several string pools")
                pool = chunk
            elif chunk.type == RES_XML_RESOURCE_MAP_TYPE:
                self._map = (offset + chunk.header_size, (chunk.size - chunk.header_size) // 4)
            elif RES_XML_FIRST_CHUNK_TYPE <= chunk.type <= RES_XML_LAST_CHUNK_TYPE:
                self._open_pool(pool)
                return offset
            else:
                self._note("unknown chunks")
            offset = chunk.end
        raise FormatError("binary XML has no element", offset)

    def _open_pool(self, chunk: Chunk | None) -> None:
        if chunk is None:
            raise FormatError("binary XML has no string pool before its first element")
        self._pool = StringPool(self._data, chunk, self._limits.string_length)
        if self._pool.repaired:
            self._note("string pool declares no strings")

    def _read_nodes(self, offset: int, end: int) -> Element:
        """Build the tree; ends with the root's end tag or the end of the document."""
        root: Element | None = None
        opened: list[Element] = []
        data, header, needs = self._data, _HEADER.unpack_from, _KNOWN_NODES
        while offset < end:
            # The checks of read_chunk, spelled out: this loop is the whole cost of a manifest.
            kind, header_size, size = header(data, offset) if end - offset >= CHUNK_HEADER_SIZE else (0, 0, 0)
            if not _NODE_SIZE <= header_size <= size <= end - offset or (header_size | size) & 3:
                read_chunk(data, offset, end, _NODE_SIZE)
            self._spend(1, offset)
            if size - header_size < needs.get(kind, 0):
                raise FormatError(f"node {kind:#06x} has no room for its content", offset)
            if kind == RES_XML_START_ELEMENT_TYPE:
                element = self._read_element(offset, header_size, size)
                if opened:
                    opened[-1].children.append(element)
                elif root is None:
                    root = element
                    if self._root_only:
                        return root
                opened.append(element)
                if len(opened) > self._limits.xml_depth:
                    raise LimitError(f"elements are nested deeper than {self._limits.xml_depth}", offset)
            elif kind == RES_XML_END_ELEMENT_TYPE and opened:
                opened.pop()
                if not opened:
                    break
            elif kind not in needs:
                self._note("unknown chunks")
            offset += size
        if root is None:
            raise FormatError("binary XML has no element", offset)
        if opened:
            self._note("elements left open")
        return root

    def _read_element(self, offset: int, header_size: int, chunk_size: int) -> Element:
        self._elements += 1
        if self._elements > self._limits.xml_elements:
            raise LimitError(f"more than {self._limits.xml_elements} elements", offset)
        extension = offset + header_size
        _, name, start, size, count = _START.unpack_from(self._data, extension)
        if start + size * count > chunk_size - header_size:
            raise FormatError("attributes reach beyond their element", offset)
        element = Element(self._string(name) or "")
        if count == 0:
            return element
        self._spend(count, offset)
        first = extension + start
        for raw in self._raw_attributes(first, size, count):
            named = self._attributes.get(raw)
            if named is None:
                named = self._attributes[raw] = self._decode_attribute(raw)
            resource_id, typed, plain, value = named
            if resource_id != 0:
                element.ids.setdefault(resource_id, typed)
            if plain is not None:
                element.names.setdefault(plain, value)
        return element

    def _raw_attributes(self, first: int, size: int, count: int) -> list[_Raw]:
        if size == _ATTRIBUTE_SIZE:
            return list(_ATTRIBUTE.iter_unpack(self._data[first : first + size * count]))
        self._note("attributes of unusual size")
        if first + size * (count - 1) + _ATTRIBUTE_SIZE > len(self._data):
            raise FormatError("attributes reach beyond the document", first)
        return [_ATTRIBUTE.unpack_from(self._data, first + size * index) for index in range(count)]

    def _decode_attribute(self, raw: _Raw) -> _Named:
        """Decide by what an attribute can be found: its resource id, or its name."""
        namespace, name, raw_value, _, _, kind, data = raw
        first, count = self._map
        (resource_id,) = _U32.unpack_from(self._data, first + 4 * name) if name < count else (0,)
        typed = Value(kind, data, self._string(data) if kind == TYPE_STRING else None)
        if namespace == _NO_STRING:
            # Lookups by resource id see the typed value, lookups by plain name the raw string first.
            text = self._string(raw_value)
            return resource_id, typed, self._string(name), typed if text is None else typed._replace(text=text)
        if resource_id == 0 and self._string(namespace) == ANDROID_NAMESPACE:
            return 0, typed, f"android:{self._string(name)}", typed
        return resource_id, typed, None, typed

    def _string(self, index: int) -> str | None:
        return None if self._pool is None else self._pool.at(index)
