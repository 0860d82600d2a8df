"""Read the records of an iOS backup: Info.plist, Manifest.plist, Status.plist and Manifest.db.

Format: backups of Finder, iTunes and libimobiledevice since iOS 10; not published by Apple.

Not read: Manifest.mbdb of iOS 9 and earlier, the backed-up files themselves, the account that bought an app, phone
numbers, IMEI, ICCID, the name of the device.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from auditor.errors import FormatError
from auditor.formats.blob import Blob
from auditor.formats.ios_names import ID_LENGTH, TEXT_LENGTH, inner_limits, is_app_id
from auditor.formats.itunes_metadata import StoreRecord, parse_itunes_metadata
from auditor.formats.plist import flag, moment, parse_plist, strings, table, text
from auditor.formats.sqlite_database import SqliteDatabase
from auditor.limits import DEFAULT, Limits

_DEVICE = (
    ("model", "Product Type", "ProductType"),
    ("os_build", "Build Version", "BuildVersion"),
    ("os_version", "Product Version", "ProductVersion"),
    ("serial", "Serial Number", "SerialNumber"),
    ("udid", "Target Identifier", "UniqueDeviceID"),
)
"""Attribute, its key in Info.plist, its key in the Lockdown dictionary of Manifest.plist."""
_APP_DOMAIN = "AppDomain-"
_PATH_LENGTH = 4096
_OTHER_CLASSES = ("group", "plugin", "vpn", "system")


@dataclass(frozen=True, slots=True)
class BackupSummary:
    """Info.plist: clear text also in an encrypted backup."""

    installed: tuple[str, ...]
    """``Installed Applications``: every user app, ascending."""
    store_apps: tuple[str, ...]
    """``Applications``: only what came with a store record, ascending."""
    store_records: tuple[tuple[str, StoreRecord], ...]
    device: tuple[tuple[str, str], ...]
    taken: str
    """ISO 8601 with Z."""
    faults: tuple[str, ...] = ()
    lists_installed: bool = False
    """Whether there is a list of installed applications at all; it may be empty."""
    offloaded: tuple[str, ...] = ()
    """Of the store's apps those whose code the system had removed, ascending."""


@dataclass(frozen=True, slots=True)
class BackupContainer:
    """One app of Manifest.plist."""

    app_id: str
    version_code: str = ""
    path: str = ""
    safe_harbor: str = ""
    """When the data was set aside because the app was removed; ISO 8601 with Z, or ``unknown``; empty: it was not."""


@dataclass(frozen=True, slots=True)
class BackupManifest:
    """Manifest.plist: clear text also in an encrypted backup."""

    encrypted: bool | None
    containers: tuple[BackupContainer, ...]
    """Of apps, ascending by id; not of groups and plug-ins."""
    device: tuple[tuple[str, str], ...]
    taken: str
    keybag: bytes = field(default=b"", repr=False)
    manifest_key: bytes = field(default=b"", repr=False)
    lists_apps: bool = False
    """Whether there is a dictionary of applications at all."""
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BackupStatus:
    """Status.plist: how far the backup came."""

    snapshot_state: str
    taken: str

    @property
    def finished(self) -> bool:
        return self.snapshot_state in ("finished", "")


@dataclass(frozen=True, slots=True)
class BackupDomains:
    """The domains of Manifest.db."""

    apps: tuple[str, ...]
    """Bundle ids of ``AppDomain-``, ascending; groups and plug-ins are none."""
    faults: tuple[str, ...] = ()


def parse_backup_summary(data: Blob, limits: Limits = DEFAULT) -> BackupSummary:
    """Read Info.plist of a backup.

    Raises:
        FormatError: it is no property list, or not a dictionary.
    """
    root = _dictionary(data, "Info.plist", limits)
    stored = table(root.get("Applications"))
    records: list[tuple[str, StoreRecord]] = []
    faults: list[str] = []
    names = strings(root.get("Installed Applications"))
    installed = sorted({name for name in names if is_app_id(name)})
    store_apps = sorted(name for name in stored if is_app_id(name))
    most = limits.record_listings
    if len(installed) > most or len(store_apps) > most:
        faults.append(f"Info.plist names more than {most} apps; raise --limit record_listings")
    strange = sum(not is_app_id(name) for name in (*names, *stored))
    if strange:
        faults.append(f"{strange} apps of Info.plist have no usable name")
    for app_id in store_apps[:most]:
        entry = stored[app_id]
        raw = table(entry).get("iTunesMetadata")
        if not isinstance(raw, bytes):
            continue
        try:
            records.append((app_id, parse_itunes_metadata(raw, inner_limits(limits, len(raw)))))
        except FormatError as error:
            faults.append(f"the store record of {app_id[:ID_LENGTH]}: {error}")
    for name, kind in (("Installed Applications", list), ("Applications", dict)):
        if name in root and not isinstance(root[name], kind):
            faults.append(f"{name} of Info.plist is of another form")
    return BackupSummary(
        installed=tuple(installed[:most]),
        store_apps=tuple(store_apps[:most]),
        store_records=tuple(records),
        device=_device(root, 1) or _device({"Target Identifier": root.get("Unique Identifier")}, 1),
        taken=moment(root.get("Last Backup Date")),
        faults=tuple(faults[:10]),
        lists_installed=isinstance(root.get("Installed Applications"), list),
        offloaded=tuple(name for name in store_apps[:most] if flag(table(stored[name]).get("IsDemotedApp")) is True),
    )


def parse_backup_manifest(data: Blob, limits: Limits = DEFAULT) -> BackupManifest:
    """Read Manifest.plist of a backup.

    Raises:
        FormatError: it is no property list, or not a dictionary.
    """
    root = _dictionary(data, "Manifest.plist", limits)
    applications = root.get("Applications")
    found = (_container(key, table(value)) for key, value in sorted(table(applications).items()))
    containers = [item for item in found if item is not None]
    usable = [item for item in containers if is_app_id(item.app_id)]
    most = limits.record_listings
    faults = []
    if len(usable) < len(containers):
        faults.append(f"{len(containers) - len(usable)} apps of Manifest.plist have no usable name")
    if len(usable) > most:
        faults.append(f"Manifest.plist names more than {most} apps; raise --limit record_listings")
    return BackupManifest(
        encrypted=flag(root.get("IsEncrypted")),
        containers=tuple(usable[:most]),
        device=_device(table(root.get("Lockdown")), 2),
        taken=moment(root.get("Date")),
        keybag=_data(root.get("BackupKeyBag")),
        manifest_key=_data(root.get("ManifestKey")),
        lists_apps=isinstance(applications, dict),
        faults=tuple(faults),
    )


def parse_backup_status(data: Blob, limits: Limits = DEFAULT) -> BackupStatus:
    """Read Status.plist of a backup.

    Raises:
        FormatError: it is no property list, or not a dictionary.
    """
    root = _dictionary(data, "Status.plist", limits)
    return BackupStatus(text(root.get("SnapshotState")), moment(root.get("Date")))


def read_backup_domains(database: SqliteDatabase, limits: Limits = DEFAULT) -> BackupDomains:
    """Read the domains of a Manifest.db; damage ends the reading after what precedes it and is a fault.

    Raises:
        FormatError: it is another database.
    """
    if not database.has("Files", "domain"):
        raise FormatError("Manifest.db has no table of files")
    found: set[str] = set()
    faults = list(database.faults)
    try:
        for (domain,) in database.rows("Files", ["domain"]):
            if not isinstance(domain, str) or not domain.startswith(_APP_DOMAIN):
                continue
            app_id = domain[len(_APP_DOMAIN) :]
            if is_app_id(app_id):
                found.add(app_id)
            if len(found) > limits.record_listings:
                faults.append(f"more than {limits.record_listings} apps; raise --limit record_listings")
                break
    except FormatError as error:
        faults.append(f"not every row of Manifest.db could be read: {error}")
    return BackupDomains(tuple(sorted(found)[: limits.record_listings]), tuple(faults))


def _dictionary(data: Blob, name: str, limits: Limits) -> dict[str, object]:
    value = parse_plist(data, limits)
    if not isinstance(value, dict):
        raise FormatError(f"{name} of the backup is no dictionary")
    return table(value)


def _device(root: dict[str, object], column: int) -> tuple[tuple[str, str], ...]:
    found = ((names[0], text(root.get(names[column])).strip()) for names in _DEVICE)
    return tuple((name, value) for name, value in found if value)


def _data(value: object) -> bytes:
    return value if isinstance(value, bytes) else b""


def _container(key: str, value: dict[str, object]) -> BackupContainer | None:
    """The container of an app; None for one of a group or plug-in."""
    content_class = text(value.get("ContainerContentClass")).lower()
    if any(word in content_class for word in _OTHER_CLASSES) or key.startswith("group.") or not key:
        return None
    docked = value.get("SafeHarborDockingDate")
    inside = text(value.get("CFBundleIdentifier"))
    return BackupContainer(
        app_id=inside if is_app_id(inside) else key,
        version_code=text(value.get("CFBundleVersion"))[:TEXT_LENGTH],
        path=text(value.get("Path"))[:_PATH_LENGTH],
        safe_harbor="" if docked is None else moment(docked) or "unknown",
    )
