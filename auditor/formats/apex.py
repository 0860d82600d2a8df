"""Tell APEX modules by the names in their zip, and read what their manifest says.

Format: AOSP system/apex, apex_manifest.proto.

Not read: the public key, signatures; the file system in ``apex_payload.img`` is read as any other image.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from auditor.errors import FormatError, LimitError
from auditor.formats.blob import Blob
from auditor.formats.json_text import parse_json, text_of
from auditor.formats.proto_wire import LENGTH_DELIMITED, VARINT, find_fields
from auditor.limits import DEFAULT, Limits

PAYLOAD = "apex_payload.img"
ORIGINAL = "original_apex"
MANIFESTS = ("apex_manifest.pb", "apex_manifest.json")
"""Names of the manifest, the one that counts first."""


class ApexKind(StrEnum):
    """Which form of module a zip is."""

    APEX = "apex"
    """Its apps are in the image ``apex_payload.img``."""
    CAPEX = "compressed apex"
    """The module itself is the member ``original_apex``."""


@dataclass(frozen=True, slots=True)
class ApexManifest:
    """What a module says of itself."""

    name: str
    version: int
    version_name: str = ""


def recognise_apex(names: Collection[str]) -> ApexKind | None:
    """Tell a module by the names of its members; None: the zip is none."""
    if not any(name in names for name in MANIFESTS):
        return None
    if ORIGINAL in names:
        return ApexKind.CAPEX
    return ApexKind.APEX if PAYLOAD in names else None


def parse_apex_manifest(data: Blob, limits: Limits = DEFAULT) -> ApexManifest:
    """Read the manifest of a module, protobuf or JSON.

    Raises:
        FormatError: it is neither, or names no module.
        LimitError: it is larger than ``limits`` allow.
    """
    if len(data) > limits.manifest_size:
        raise LimitError("the manifest of the module is too large; raise --limit manifest_size")
    text = bytes(data[:64])
    # A line break may begin either: it is the key of the first field too.
    if text[:1] != b"\n" and text.lstrip(b"\xef\xbb\xbf \t\r").startswith(b"{"):
        found = _from_json(data, limits)
    else:
        try:
            found = _from_proto(bytes(data))
        except FormatError:
            if not text.lstrip().startswith(b"{"):
                raise
            found = _from_json(data, limits)
    if not found.name:
        raise FormatError("the manifest of the module names none")
    return found


def _from_json(data: Blob, limits: Limits) -> ApexManifest:
    value = parse_json(data, limits)
    if not isinstance(value, dict):
        raise FormatError("the manifest of the module is no object")
    version = value.get("version")
    text = text_of(value, "version")
    number = version if isinstance(version, int) else int(text) if text.isdecimal() and len(text) < 20 else 0
    return ApexManifest(text_of(value, "name"), number, text_of(value, "versionName"))


def _from_proto(data: bytes) -> ApexManifest:
    name = version_name = ""
    version = 0
    for number, kind, a, b in find_fields(data, 0, len(data)):
        if (number, kind) == (1, LENGTH_DELIMITED):
            name = data[a:b].decode("utf-8", "backslashreplace")
        elif (number, kind) == (2, VARINT):
            version = a
        elif (number, kind) == (5, LENGTH_DELIMITED):
            version_name = data[a:b].decode("utf-8", "backslashreplace")
    return ApexManifest(name, version, version_name)
