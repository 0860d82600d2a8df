"""Read an Apple code signature: who it says signed, for which identifier, with which entitlements.

Format: cs_blobs.h of the Darwin kernel (SuperBlob, CodeDirectory); DER entitlements as CoreEntitlements writes them.

Not read: page hashes, requirements, launch constraints, the CMS signature itself (present or not).
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from auditor.errors import FormatError, LimitError
from auditor.formats.blob import Blob
from auditor.formats.der import INTEGER, SEQUENCE, SET, Element, find_elements, parse_element
from auditor.formats.plist import parse_plist, plain, table
from auditor.limits import DEFAULT, Limits

_EMBEDDED, _DIRECTORY, _CMS = 0xFADE0CC0, 0xFADE0C02, 0xFADE0B01
_XML_ENTITLEMENTS, _DER_ENTITLEMENTS = 0xFADE7171, 0xFADE7172
_BLOBS = 64
_DEPTH = 64
_AD_HOC = 0x2
_BOOLEAN, _UTF8_STRING = 0x01, 0x0C
_DICTIONARIES = frozenset({0xB0, SET})
_HASHES = {1: "sha1", 2: "sha256", 3: "sha256", 4: "sha384", 5: "sha512"}
"""Hash types of a CodeDirectory; the kernel prefers the higher number."""


@dataclass(frozen=True, slots=True)
class CodeSignature:
    """What an embedded signature states; nothing of it is verified here."""

    identifier: str
    team_id: str
    entitlements: Mapping[str, object]
    """Plain values; data in hex, dates in ISO 8601."""
    cdhash: str
    """First 20 bytes, hex, of the digest of the best CodeDirectory: what identifies this code to iOS."""
    ad_hoc: bool
    """No certificate vouches for it."""
    has_cms: bool
    """A CMS signature is present."""
    faults: tuple[str, ...] = ()
    """Parts that could not be read; what they would have said is left out."""


@dataclass(frozen=True, slots=True)
class _Directory:
    hash_type: int
    flags: int
    identifier: str
    team_id: str
    cdhash: str


def parse_code_signature(data: Blob, limits: Limits = DEFAULT) -> CodeSignature:
    """Read the SuperBlob at the start of ``data``.

    Raises:
        FormatError: it is malformed or has no CodeDirectory.
    """
    if len(data) > limits.signing_block_size:
        raise LimitError(f"signature of {len(data)} bytes; at most {limits.signing_block_size} are read")
    raw = bytes(data)
    directories: list[_Directory] = []
    entitlements: dict[int, Mapping[str, object]] = {}
    faults: list[str] = []
    has_cms = False
    for magic, blob in _blobs(raw):
        try:
            if magic == _DIRECTORY:
                directories.append(_directory(blob))
            elif magic in _ENTITLEMENTS:
                entitlements[magic] = _ENTITLEMENTS[magic](blob[8:], limits)
        except FormatError as error:
            faults.append(f"blob {magic:#x}: {error}")
        has_cms = has_cms or (magic == _CMS and len(blob) > 8)
    if not directories:
        raise FormatError(f"the signature has no readable CodeDirectory {'; '.join(faults)}".rstrip())
    best = max(directories, key=lambda item: item.hash_type)
    return CodeSignature(
        identifier=best.identifier,
        team_id=best.team_id,
        # iOS 15 and later trust the DER form; older signatures have only the XML one.
        entitlements=entitlements.get(_DER_ENTITLEMENTS, entitlements.get(_XML_ENTITLEMENTS, {})),
        cdhash=best.cdhash,
        ad_hoc=bool(best.flags & _AD_HOC),
        has_cms=has_cms,
        faults=tuple(faults),
    )


def _blobs(raw: bytes) -> list[tuple[int, bytes]]:
    if len(raw) < 12:
        raise FormatError("the signature is cut off", len(raw))
    magic, length, count = struct.unpack_from(">3I", raw)
    if magic != _EMBEDDED:
        raise FormatError(f"no SuperBlob, magic {magic:#x}", 0)
    if count > _BLOBS or 12 + 8 * count > min(length, len(raw)):
        raise FormatError(f"a SuperBlob of {count} blobs in {len(raw)} bytes", 8)
    found = []
    for index in range(count):
        (offset,) = struct.unpack_from(">I", raw, 16 + 8 * index)
        if offset + 8 > len(raw):
            raise FormatError(f"blob {index} lies outside the signature", offset)
        blob_magic, size = struct.unpack_from(">II", raw, offset)
        if size < 8 or offset + size > len(raw):
            raise FormatError(f"blob {index} of {size} bytes ends outside the signature", offset)
        found.append((blob_magic, raw[offset : offset + size]))
    return found


def _directory(blob: bytes) -> _Directory:
    if len(blob) < 44:
        raise FormatError("the CodeDirectory is cut off")
    version, flags, _, identifier = struct.unpack_from(">4I", blob, 8)
    hash_type = blob[37]
    team = struct.unpack_from(">I", blob, 48)[0] if version >= 0x20200 and len(blob) >= 52 else 0
    name = _HASHES.get(hash_type)
    return _Directory(
        hash_type=hash_type if name is not None else 0,
        flags=flags,
        identifier=_string(blob, identifier),
        team_id=_string(blob, team) if team != 0 else "",
        cdhash="" if name is None else hashlib.new(name, blob, usedforsecurity=False).digest()[:20].hex(),
    )


def _string(blob: bytes, offset: int) -> str:
    end = blob.find(b"\0", offset)
    if offset < 44 or end < 0:
        raise FormatError("a name of the CodeDirectory lies outside it", offset)
    return blob[offset:end].decode("utf-8", "backslashreplace")


def _xml_entitlements(raw: bytes, limits: Limits) -> Mapping[str, object]:
    if not raw.strip(b" \t\r\n\0"):
        return {}
    return table(plain(parse_plist(raw, limits)))


def _der_entitlements(raw: bytes, limits: Limits) -> Mapping[str, object]:
    """[APPLICATION 16] { INTEGER 1, [CONTEXT 16] { SEQUENCE { UTF8String key, value } ... } }."""
    if not raw:
        return {}
    for element in find_elements(parse_element(raw).body):
        if element.tag in _DICTIONARIES:
            return _der_dictionary(element, min(limits.xml_depth, _DEPTH))
    return {}


def _der_value(element: Element, depth: int) -> object:
    if depth == 0:
        raise LimitError("entitlements are nested too deeply")
    if element.tag == _BOOLEAN:
        return element.body != b"\0"
    if element.tag == INTEGER:
        return int.from_bytes(element.body, "big", signed=True)
    if element.tag == _UTF8_STRING:
        return _text(element)
    if element.tag == SEQUENCE:
        return [_der_value(item, depth - 1) for item in element.children()]
    if element.tag in _DICTIONARIES:
        return _der_dictionary(element, depth)
    return element.body.hex()


def _der_dictionary(element: Element, depth: int) -> dict[str, object]:
    found: dict[str, object] = {}
    for pair in element.children():
        parts = pair.children(SEQUENCE)
        if len(parts) != 2:
            raise FormatError("an entitlement is no pair of key and value")
        found[_text(parts[0].expect(_UTF8_STRING))] = _der_value(parts[1], depth - 1)
    return found


def _text(element: Element) -> str:
    return element.body.decode("utf-8", "backslashreplace")


_ENTITLEMENTS: dict[int, Callable[[bytes, Limits], Mapping[str, object]]] = {
    _XML_ENTITLEMENTS: _xml_entitlements,
    _DER_ENTITLEMENTS: _der_entitlements,
}
