"""Read packages.json of androidqf, and of MVT's older checks over adb: packages with digests of their files.

Format: the JSON that both tools write: a list of objects, one for each package.

Not read: who issued the certificates, permissions, the copies of APKs beside it (they are audited as files).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from auditor.errors import FormatError
from auditor.formats.android_names import is_package_name
from auditor.formats.blob import Blob
from auditor.formats.device_text import open_device_text
from auditor.formats.json_text import items_of, parse_json, text_of
from auditor.limits import DEFAULT, Limits

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_START: Final = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*\[\s*\{\s*\"(?:name|package_name)\"\s*:\s*\"([A-Za-z][A-Za-z0-9_.-]{0,254})\"\s*,"
)
_OWN_KEYS: Final = (b'"third_party"', b'"verified_certificate"', b'"local_name"', b'"sha512"')


@dataclass(frozen=True, slots=True)
class ListedFile:
    """One APK of a package, as it was hashed on the device."""

    path: str
    sha256: str = ""
    """Empty where the tool could not read the file."""
    certificate_sha256: str = ""
    verified: bool | None = None
    """The tool checked the signature; None: it does not say."""


@dataclass(frozen=True, slots=True)
class ListedApp:
    """One package; empty where the tool says nothing."""

    name: str
    files: tuple[ListedFile, ...] = ()
    """Base first. Without files the main user does not have it: its data, or its copy for another user, is all."""
    installer: str = ""
    uid: int | None = None
    disabled: bool = False
    system: bool | None = None
    version: str = ""
    version_code: str = ""


@dataclass(frozen=True, slots=True)
class AppList:
    """All packages of a file."""

    apps: tuple[ListedApp, ...]
    unread: int = 0
    """Items that are no package, and digests that are none."""
    unhashed: int = 0
    """Files whose bytes the tool could not read."""
    cut: bool = False
    """There are more packages than ``Limits.record_listings``; the first are here."""


def is_androidqf(path: str, head: bytes) -> bool:
    """Whether the head of a file begins such a list."""
    found = _START.match(head)
    if found is None or not (b'"files"' in head or b'"installer"' in head):
        return False
    return path.rpartition("/")[2] == "packages.json" or any(key in head for key in _OWN_KEYS)


def parse_androidqf(data: Blob, limits: Limits = DEFAULT) -> AppList:
    """Read a list of packages.

    Raises:
        FormatError: it is no list of objects.
        LimitError: it is larger than ``limits`` allow.
    """
    value = parse_json(open_device_text(data), limits)
    if not isinstance(value, list):
        raise FormatError("no list of packages")
    apps: list[ListedApp] = []
    unread = unhashed = 0
    for item in value:
        if len(apps) >= limits.record_listings:
            return AppList(tuple(apps), unread, unhashed, cut=True)
        app = _app(item, limits)
        if app is None:
            unread += 1
            continue
        listed = items_of(item, "files")
        unread += len(listed) - len(app.files)
        unhashed += sum(not file.sha256 for file in app.files)
        apps.append(app)
    return AppList(tuple(apps), unread, unhashed)


def _app(item: object, limits: Limits) -> ListedApp | None:
    name = text_of(item, "name") or text_of(item, "package_name")
    if not isinstance(item, dict) or not is_package_name(name):
        return None
    files = [file for file in map(_file, items_of(item, "files")) if file is not None]
    files.sort(key=lambda file: file.path.rpartition("/")[2] != "base.apk")
    installer = text_of(item, "installer")
    system, third_party = item.get("system"), item.get("third_party")
    return ListedApp(
        name,
        tuple(files),
        "" if installer == "null" else installer[: limits.string_length],
        _number(item.get("uid")),
        item.get("disabled") is True,
        True if system is True else False if third_party is True else None,
        text_of(item, "version_name")[: limits.string_length],
        text_of(item, "version_code").partition(" ")[0][:20],
    )


def _file(item: object) -> ListedFile | None:
    path = text_of(item, "path")
    if not isinstance(item, dict) or not path:
        return None
    certificate = item.get("certificate")
    verified = item.get("verified_certificate")
    return ListedFile(
        path,
        _digest(text_of(item, "sha256")),
        _digest(text_of(certificate, "Sha256") or text_of(certificate, "sha256")),
        verified if isinstance(verified, bool) else None,
    )


def _digest(text: str) -> str:
    plain = text.replace(":", "").lower()
    return plain if _SHA256.fullmatch(plain) else ""


def _number(value: object) -> int | None:
    """A uid; the first where there is one for each user."""
    if isinstance(value, str):
        value = value.partition(",")[0]
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 10:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 32 else None
