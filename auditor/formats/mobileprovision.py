"""Read a provisioning profile: which team may run which app with which rights on how many devices.

Format: a property list as the content of CMS SignedData (RFC 5652), keys as Apple's tools write them.

Not read: the CMS signature, device identifiers (only their number), the DER copy of the profile.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from auditor.errors import FormatError, LimitError
from auditor.formats.blob import Blob
from auditor.formats.der import (
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    Element,
    object_identifier,
    parse_element,
)
from auditor.formats.plist import flag, items, moment, parse_plist, plain, sorted_strings, strings, table, text
from auditor.limits import DEFAULT, Limits

_SIGNED_DATA = "1.2.840.113549.1.7.2"
_EXPLICIT_0, _CONSTRUCTED_STRING = 0xA0, 0x24


@dataclass(frozen=True, slots=True)
class Profile:
    """One provisioning profile; its signature is not verified."""

    name: str
    uuid: str
    team_ids: tuple[str, ...]
    team_name: str
    app_id_name: str
    entitlements: Mapping[str, object]
    """Plain values; data in hex, dates in ISO 8601."""
    provisions_all_devices: bool
    """An in-house (enterprise) profile."""
    device_count: int
    created: str
    """ISO 8601; empty where it is not stated."""
    expires: str
    certificates: tuple[str, ...]
    """SHA-256 of the developer certificates, ascending."""


def parse_profile(data: Blob, limits: Limits = DEFAULT) -> Profile:
    """Read an embedded.mobileprovision.

    Raises:
        FormatError: no property list can be found in it.
    """
    if len(data) > limits.manifest_size:
        raise LimitError(f"profile of {len(data)} bytes; at most {limits.manifest_size} are read")
    root = table(parse_plist(_content(bytes(data)), limits))
    if not root:
        raise FormatError("the profile holds no dictionary")
    certificates = (item for item in items(root.get("DeveloperCertificates")) if isinstance(item, bytes))
    return Profile(
        name=text(root.get("Name")),
        uuid=text(root.get("UUID")),
        team_ids=strings(root.get("TeamIdentifier")),
        team_name=text(root.get("TeamName")),
        app_id_name=text(root.get("AppIDName")),
        entitlements=table(plain(table(root.get("Entitlements")))),
        provisions_all_devices=flag(root.get("ProvisionsAllDevices")) is True,
        device_count=len(items(root.get("ProvisionedDevices"))),
        created=moment(root.get("CreationDate")),
        expires=moment(root.get("ExpirationDate")),
        certificates=sorted_strings(hashlib.sha256(item).hexdigest() for item in certificates),
    )


def _content(raw: bytes) -> bytes:
    """The encapsulated content, or where the CMS cannot be walked the first XML property list in the bytes."""
    try:
        return _encapsulated(raw)
    except FormatError as error:
        # Some profiles are bare property lists, and damage around the content does not touch what it says.
        start = raw.find(b"<?xml")
        end = raw.find(b"</plist>", max(start, 0))
        if start < 0 or end < 0:
            raise FormatError(f"no property list in the profile: {error}") from None
        return raw[start : end + 8]


def _encapsulated(raw: bytes) -> bytes:
    """ContentInfo { signedData, [0] { SignedData { version, digests, { data, [0] { OCTET STRING } } } } }."""
    kind, wrapped = _first(parse_element(raw), SEQUENCE, 2)
    if object_identifier(kind.expect(OBJECT_IDENTIFIER).body) != _SIGNED_DATA:
        raise FormatError("the profile is no CMS SignedData", 0)
    (signed,) = _first(wrapped, _EXPLICIT_0, 1)
    _, content = _first(_first(signed, SEQUENCE, 3)[2], SEQUENCE, 2)
    (octets,) = _first(content, _EXPLICIT_0, 1)
    if octets.tag == OCTET_STRING:
        return octets.body
    return b"".join(part.expect(OCTET_STRING).body for part in octets.children(_CONSTRUCTED_STRING))


def _first(element: Element, tag: int, count: int) -> list[Element]:
    found = element.children(tag)[:count]
    if len(found) < count:
        raise FormatError(f"a CMS element has {len(found)} members where {count} should be")
    return found
