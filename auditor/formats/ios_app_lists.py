"""Read lists of the apps on an iOS device that tools print: JSON, property list, CSV.

Format: ``pymobiledevice3 apps list`` and ``cfgutil --format JSON get installedApps`` (JSON), ``ideviceinstaller``
(property list, CSV); the keys are those of Apple's installation proxy.

Not read: containers, entitlements, group paths, the account of a store record, output for people without ids.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from auditor.errors import FormatError, LimitError
from auditor.formats.blob import Blob
from auditor.formats.ios_names import TEXT_LENGTH, is_app_id
from auditor.formats.json_text import parse_json
from auditor.formats.plist import flag, items, parse_plist, table, text
from auditor.limits import DEFAULT, Limits

_ID_KEYS = ("CFBundleIdentifier", "bundleIdentifier")
_PLIST = re.compile(
    rb"<plist[^>]{0,200}>\s*(?:<array>\s*<dict>|<dict>\s*<key>[^<.]{1,255}\.[^<]{1,255}</key>\s*<dict>)"
)
_CSV_HEAD = re.compile(
    rb"\"?CFBundleIdentifier\"?\s*,|Total: \d{1,9} apps?\s"
    rb"|[A-Za-z0-9][\w\-]{0,254}\.[\w.\-]{1,254}, \"[^\"\n]{0,255}\", \"[^\"\n]{0,255}\"\s*\n",
    re.IGNORECASE,
)
_OLD_LINE = re.compile(r"([A-Za-z0-9][A-Za-z0-9.\-_]{0,254}) - (.+?)(?: (\S+))?")
"""Id, name and version, as ideviceinstaller before 1.1.1 prints them."""
_BUNDLE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9.\-_]{0,254}")
_SIGNING = {"Apple iPhone OS Application Signing": "store", "TestFlight Beta Distribution": "testflight"}
_CSV_COLUMNS = ("CFBundleIdentifier", "CFBundleVersion", "CFBundleDisplayName")


@dataclass(frozen=True, slots=True)
class ListedApp:
    """One app as a list names it; empty where it says nothing."""

    app_id: str
    version: str = ""
    version_code: str = ""
    label: str = ""
    kind: str = ""
    """``User``, ``System``, ``Hidden``, as the device sorts it."""
    path: str = ""
    signing: str = ""
    """``store``, ``testflight``, ``other``; the certificate itself may carry a person's name and is not kept."""
    store_id: str = ""
    offloaded: bool = False
    """The system removed its code and kept its data."""
    placeholder: bool = False
    """Its installation was not finished."""


@dataclass(frozen=True, slots=True)
class AppList:
    """All apps of a list, in its order."""

    apps: tuple[ListedApp, ...]
    form: str
    """Who writes such lists."""
    faults: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether apps of the system and of the user are in it: the tools can be asked for either alone."""
        return {"System", "User"} <= {item.kind for item in self.apps}

    @property
    def is_of_users(self) -> bool:
        """Whether it may be all that the user installed: no app of the system stands alone in it."""
        return bool(self.apps) and {item.kind for item in self.apps} != {"System"}


def is_app_list(head: bytes) -> bool:
    """Whether bytes start as a list of apps; an app's own Info.plist is none."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"{"):
        if b'"installedApps"' in head:
            return True
        keyed = re.match(rb"\{\s*\"[^\".]{1,255}\.[^\"]{1,255}\"\s*:\s*\{", start) is not None
        return keyed and any(word in head for word in (b'"CFBundle', b'"ApplicationType"', b'"ApplicationDSID"'))
    if start.startswith(b"["):
        return b'"CFBundleIdentifier"' in head
    if start.startswith(b"<"):
        return _PLIST.search(head) is not None and any(
            word in head for word in (b"CFBundle", b"ApplicationType", b"ApplicationDSID")
        )
    return _CSV_HEAD.match(start) is not None


def parse_app_list(data: Blob, limits: Limits = DEFAULT) -> AppList:
    """Read a list in any of the forms.

    Raises:
        FormatError: none of the forms, or damaged.
        LimitError: larger than ``limits`` allow.
    """
    if len(data) > limits.manifest_size:
        raise LimitError(f"list of {len(data)} bytes; raise --limit manifest_size")
    start = bytes(data[:64]).removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith((b"{", b"[")):
        return _read_json(parse_json(data, limits), limits)
    if start.startswith((b"<", b"bplist")):
        return _collect(_entries(parse_plist(data, limits)), "ideviceinstaller", limits)
    return _read_csv(bytes(data), limits)


def _read_json(value: object, limits: Limits) -> AppList:
    root = table(value)
    output = root.get("Output")
    if isinstance(output, dict):
        entries = [entry for device in table(output).values() for entry in items(table(device).get("installedApps"))]
        return _collect((("", entry) for entry in entries), "cfgutil", limits)
    return _collect(_entries(value), "pymobiledevice3", limits)


def _entries(value: object) -> Iterator[tuple[str, object]]:
    """(bundle id where it is the key, attributes)."""
    if isinstance(value, dict):
        yield from table(value).items()
    else:
        yield from (("", entry) for entry in items(value))


def _collect(entries: Iterable[tuple[str, object]], form: str, limits: Limits) -> AppList:
    found: list[ListedApp] = []
    strange = 0
    for key, entry in entries:
        row = table(entry)
        app_id = next((text(row[name]) for name in _ID_KEYS if text(row.get(name))), key)
        if not is_app_id(app_id) or not isinstance(entry, dict):
            strange += 1
        elif len(found) >= limits.record_listings:
            return AppList(tuple(found), form, (_too_many(limits),))
        else:
            found.append(_listed(app_id, row))
    faults = (f"{strange} entries of the list name no app",) if strange else ()
    return AppList(tuple(found), form, faults)


def _too_many(limits: Limits) -> str:
    return f"the list names more than {limits.record_listings} apps; raise --limit record_listings"


def _listed(app_id: str, row: dict[str, object]) -> ListedApp:
    def first(*names: str) -> str:
        return next((text(row[name])[:TEXT_LENGTH] for name in names if text(row.get(name))), "")

    signer = first("SignerIdentity")
    return ListedApp(
        app_id=app_id,
        version=first("CFBundleShortVersionString", "version"),
        version_code=first("CFBundleVersion"),
        label=first("CFBundleDisplayName", "CFBundleName", "displayName", "itunesName"),
        kind=first("ApplicationType"),
        path=first("Path"),
        signing=_SIGNING.get(signer, "other" if signer else ""),
        store_id=first("ItemID", "itemId"),
        offloaded=flag(row.get("IsDemotedApp")) is True,
        placeholder=flag(row.get("IsPlaceholder")) is True,
    )


def _read_csv(raw: bytes, limits: Limits) -> AppList:
    """The three columns of ideviceinstaller, with its heading or without, or the lines that it printed before."""
    if raw.count(b"\n") > limits.record_listings:
        raise LimitError(f"more than {limits.record_listings} lines; raise --limit record_listings")
    lines = raw.decode("utf-8-sig", "replace").replace("\0", "\ufffd").splitlines()
    columns: tuple[str, ...] = _CSV_COLUMNS
    old = [_OLD_LINE.fullmatch(line.strip()) for line in lines]
    found = [ListedApp(item[1], version_code=item[3] or "", label=item[2]) for item in old if item is not None]
    lines = [line for line, item in zip(lines, old, strict=True) if item is None]
    strange = 0
    try:
        for row in csv.reader(lines, skipinitialspace=True):
            cells = [cell.strip() for cell in row]
            if cells and cells[0] == _CSV_COLUMNS[0]:
                columns = tuple(cells)
            elif len(cells) > 1 and _BUNDLE_ID.fullmatch(cells[0]) is not None:
                found.append(_listed(cells[0], dict(zip(columns, cells, strict=False))))
            else:
                strange += bool(cells) and not cells[0].startswith("Total:")
    except csv.Error as error:
        raise FormatError(f"list of apps: {error}") from None
    if not found and strange:
        raise FormatError("no list of apps")
    return AppList(tuple(found), "ideviceinstaller", (f"{strange} lines name no app",) if strange else ())
