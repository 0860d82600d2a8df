"""Recognise and read what names apps on iOS: backups, databases, container records, logs, lists of tools."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from auditor.errors import AuditorError
from auditor.formats.app_store_databases import StoreApp, read_store_database
from auditor.formats.application_state import AppState, read_application_state
from auditor.formats.install_log import is_install_log, parse_install_log
from auditor.formats.ios_app_lists import ListedApp, is_app_list, parse_app_list
from auditor.formats.sqlite_database import SqliteDatabase, is_sqlite, open_sqlite
from auditor.model import (
    Completeness,
    DeviceRecord,
    Listing,
    Origin,
    Platform,
    Problem,
    ProblemCode,
    RecordKind,
    State,
)
from auditor.platforms.ios_backup_records import BACKUP_FILES, read_ios_backup
from auditor.platforms.ios_container_records import CONTAINER_FILES, is_app_container, read_container
from auditor.platforms.record_source import RecordSource
from auditor.platforms.refusal import refusal

_STORE_NAMES = re.compile(r"(?:appstored|AppUpdates|downloads\.[^/]*)\.sqlitedb|store(?:User|System)\.db")
_LOG_NAMES = re.compile(r"mobile_installation\.log(?:\.\d+)?(?:\.txt)?")
_FIRST_KEY = re.compile(rb"<dict>\s*<key>([^<]*)</key>")
_SUMMARY_KEYS = frozenset(
    {b"Applications", b"Build Version", b"Device Name", b"Display Name", b"GUID", b"ICCID", b"IMEI", b"IMEI 2"}
    | {b"Installed Applications", b"Last Backup Date", b"MEID", b"Phone Number", b"Product Name", b"Product Type"}
    | {b"Product Version", b"Serial Number", b"Target Identifier", b"Target Type", b"Unique Identifier"}
)
_MANIFEST_KEYS = (
    b"IsEncrypted",
    b"BackupKeyBag",
    b"ManifestKey",
    b"WasPasscodeSet",
    b"SystemDomainsVersion",
    b"Lockdown",
)
_SYSTEM_PLACES = ("/Applications/", "/System/", "/private/var/staged_system_apps/", "/private/preboot/")
_HOME_SCREEN = "every app the home screen knows; an app that the system offloaded has no entry"
_ATTRIBUTES = (("manufacturer", "Apple"), ("platform", Platform.IOS.value))


def recognise(path: str, head: bytes) -> RecordKind | None:
    """The kind of record a file is, by its name and first bytes (some kilobytes of them)."""
    name = path.rpartition("/")[2]
    if name in BACKUP_FILES:
        if _begins_backup(name, head):
            return RecordKind.IOS_BACKUP
    elif name in CONTAINER_FILES:
        return RecordKind.IOS_CONTAINERS if is_app_container(path) else None
    elif is_sqlite(head):
        if name == "applicationState.db":
            return RecordKind.APPLICATION_STATE
        return RecordKind.APP_STORE_DATABASES if _STORE_NAMES.fullmatch(name) is not None else None
    elif _LOG_NAMES.fullmatch(name) is not None:
        return RecordKind.INSTALL_LOG if is_install_log(head) else None
    return RecordKind.IOS_APP_LIST if is_app_list(head) else None


def leads(kind: RecordKind, name: str, names: Iterable[str]) -> bool:
    """Whether this file of a folder stands for the record: several make up one backup, or one container."""
    order = {RecordKind.IOS_BACKUP: BACKUP_FILES, RecordKind.IOS_CONTAINERS: CONTAINER_FILES}.get(kind)
    if order is None:
        return True
    there = frozenset(names) | {name}
    return name == next(item for item in order if item in there)


def read(source: RecordSource) -> DeviceRecord:
    """Read a record; what cannot be read is a problem of it.

    A file that does not lead its folder gives an empty record: the one that leads tells for both.
    """
    name = source.main.path.rpartition("/")[2]
    if name not in source.beside:
        source = replace(source, beside={**source.beside, name: source.main})
    if not leads(source.kind, name, source.beside):
        return DeviceRecord(source.kind, source.origin, detail="read with the record beside it")
    try:
        return _READERS[source.kind](source)
    except AuditorError as error:
        problem = refusal(source.origin, error, ProblemCode.RECORD_DAMAGED)
        return DeviceRecord(source.kind, source.origin, detail="the record could not be read", problems=(problem,))


def _begins_backup(name: str, head: bytes) -> bool:
    """An app's own Info.plist begins with other keys, and its Manifest.db or Manifest.plist has another content."""
    if name == "Manifest.db":
        return is_sqlite(head) and b"relativePath" in head and b"fileID" in head
    text = not head.startswith(b"bplist")
    if name == "Manifest.plist":
        first = _FIRST_KEY.search(head)
        return sum(key in head for key in _MANIFEST_KEYS) >= 2 or (
            text and first is not None and first.group(1) == b"Applications"
        )
    if text:
        first = _FIRST_KEY.search(head)
        return first is not None and first.group(1) in _SUMMARY_KEYS
    return b"Target Identifier" in head or b"Last Backup Date" in head


def _record(
    source: RecordSource,
    listings: Iterable[Listing],
    completeness: Completeness,
    detail: str,
    faults: Iterable[str] = (),
) -> DeviceRecord:
    told = tuple(Problem(ProblemCode.RECORD_DAMAGED, source.origin, fault) for fault in faults)
    return DeviceRecord(
        source.kind,
        source.origin,
        Completeness.PARTIAL if told and completeness is Completeness.FULL else completeness,
        detail,
        listings=tuple(sorted(listings, key=lambda item: (item.app_id, item.user, item.state))),
        attributes=_ATTRIBUTES,
        problems=told,
    )


def _open_database(source: RecordSource) -> SqliteDatabase:
    name = source.main.path.rpartition("/")[2]
    wal = source.beside.get(f"{name}-wal")
    return open_sqlite(source.main.open(), None if wal is None else wal.open(), source.budget.limits)


def _read_application_state(source: RecordSource) -> DeviceRecord:
    with _open_database(source) as database:
        found = read_application_state(database, source.budget.limits)
    listings = (_state_listing(app, source.origin) for app in found.apps)
    return _record(source, listings, Completeness.PARTIAL, _HOME_SCREEN, found.faults)


def _state_listing(app: AppState, origin: Origin) -> Listing:
    if app.uninstalled and not app.bundle_path:
        state = State.HISTORY
    else:
        # A removed app loses the place of its bundle: with a date of removal and a place it may be there again.
        state = State.INSTALLED if app.bundle_path and not app.uninstalled else State.UNKNOWN
    system = None
    if "/Bundle/Application/" in app.bundle_path:
        system = False
    elif app.bundle_path.startswith(_SYSTEM_PLACES):
        system = True
    return Listing(
        Platform.IOS,
        app.app_id,
        origin,
        state=state,
        paths=(app.bundle_path,) if app.bundle_path else (),
        system=system,
        flags=("removed",) if app.uninstalled else (),
    )


def _read_store(source: RecordSource) -> DeviceRecord:
    with _open_database(source) as database:
        found = read_store_database(database, source.budget.limits)
    apps: dict[str, StoreApp] = {}
    for app in found.apps:
        told = apps.get(app.app_id)
        if told is None or (app.version, app.store_id) > (told.version, told.store_id):
            apps[app.app_id] = app
    listings = (
        Listing(
            Platform.IOS,
            app.app_id,
            source.origin,
            state=State.HISTORY,
            version=app.version,
            version_code=app.version_code,
            label=app.label,
            store_id=app.store_id,
        )
        for app in apps.values()
    )
    tables = ", ".join(name[:80] for name in found.tables[:10]) or "none"
    return _record(source, listings, Completeness.PARTIAL, f"tables that name apps: {tables}", found.faults)


def _read_install_log(source: RecordSource) -> DeviceRecord:
    listings = (
        Listing(
            Platform.IOS,
            app.app_id,
            source.origin.at(app.offset),
            state=State.HISTORY,
            version=app.version,
            version_code=app.version_code,
            installed=app.first_installed,
            updated=app.last_installed,
            seen=max(app.last_installed, app.removed),
            flags=("removed",) if app.gone else (),
        )
        for app in parse_install_log(source.main.open(), source.budget.limits)
    )
    return _record(source, listings, Completeness.PARTIAL, "a log of installations, which goes back some weeks")


def _read_app_list(source: RecordSource) -> DeviceRecord:
    found = parse_app_list(source.main.open(), source.budget.limits)
    listings = {app.app_id: _listed(app, source.origin) for app in found.apps}
    completeness = Completeness.FULL if found.is_whole else Completeness.USER_APPS
    detail = f"a list in the form of {found.form}"
    if not found.is_of_users:
        completeness, detail = Completeness.PARTIAL, f"{detail}, of system apps only or of none"
    return _record(source, listings.values(), completeness, detail, found.faults)


def _listed(app: ListedApp, origin: Origin) -> Listing:
    flags = {
        "hidden": app.kind == "Hidden",
        "side-loaded": app.signing == "other" and app.kind == "User",
        "TestFlight": app.signing == "testflight",
    }
    return Listing(
        Platform.IOS,
        app.app_id,
        origin,
        # An offloaded app is a placeholder as well.
        state=State.ARCHIVED if app.offloaded else State.STAGED if app.placeholder else State.INSTALLED,
        version=app.version,
        version_code=app.version_code,
        label=app.label,
        paths=(app.path,) if app.path else (),
        store_id=app.store_id,
        system={"User": False, "System": True}.get(app.kind),
        flags=tuple(sorted(name for name, holds in flags.items() if holds)),
    )


_READERS: Mapping[RecordKind, Callable[[RecordSource], DeviceRecord]] = {
    RecordKind.IOS_BACKUP: read_ios_backup,
    RecordKind.IOS_CONTAINERS: read_container,
    RecordKind.APPLICATION_STATE: _read_application_state,
    RecordKind.APP_STORE_DATABASES: _read_store,
    RecordKind.INSTALL_LOG: _read_install_log,
    RecordKind.IOS_APP_LIST: _read_app_list,
}
