"""Read an iOS backup as a record of a device: the union of all that names apps in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from auditor.errors import AuditorError, PasswordError, UnsupportedError
from auditor.formats.blob import Blob
from auditor.formats.ios_backup import (
    BackupContainer,
    BackupManifest,
    BackupStatus,
    BackupSummary,
    parse_backup_manifest,
    parse_backup_status,
    parse_backup_summary,
    read_backup_domains,
)
from auditor.formats.ios_backup_key import decrypt_manifest
from auditor.formats.itunes_metadata import StoreRecord
from auditor.formats.sqlite_database import is_sqlite, open_sqlite
from auditor.limits import Limits
from auditor.model import Completeness, DeviceRecord, Listing, Platform, Problem, ProblemCode, RecordKind, State
from auditor.platforms.record_source import RecordSource
from auditor.platforms.refusal import refusal

BACKUP_FILES = ("Manifest.plist", "Info.plist", "Manifest.db")
"""What names apps in a backup; the first that is there stands for the backup."""
_OF_THE_SYSTEM = "com.apple."
_STORE_UNKNOWN = StoreRecord("", "", "", "", "", "", "", "")
_T = TypeVar("_T")


@dataclass(slots=True)
class _Backup:
    """What was read of one."""

    source: RecordSource
    summary: BackupSummary | None = None
    manifest: BackupManifest | None = None
    status: BackupStatus | None = None
    domains: tuple[str, ...] = ()
    problems: list[Problem] = field(default_factory=list)

    def told(self, name: str, faults: tuple[str, ...]) -> None:
        place = self.source.beside[name].origin
        self.problems.extend(Problem(ProblemCode.RECORD_DAMAGED, place, fault) for fault in faults)


def read_ios_backup(source: RecordSource) -> DeviceRecord:
    """The apps a backup names, which needs no password; with one its list of files is read as well.

    What cannot be read is a problem of the record.
    """
    backup = _Backup(source)
    backup.summary = _read(backup, "Info.plist", parse_backup_summary)
    if backup.summary is not None:
        backup.told("Info.plist", backup.summary.faults)
    backup.manifest = _read(backup, "Manifest.plist", parse_backup_manifest)
    if backup.manifest is not None:
        backup.told("Manifest.plist", backup.manifest.faults)
    backup.status = _read(backup, "Status.plist", parse_backup_status)
    _read_domains(backup)
    completeness, detail = _completeness(backup)
    return DeviceRecord(
        RecordKind.IOS_BACKUP,
        source.origin,
        completeness,
        detail,
        taken=_taken(backup),
        listings=tuple(_listings(backup)),
        attributes=_attributes(backup),
        problems=tuple(backup.problems),
    )


def _read(backup: _Backup, name: str, parse: Callable[[Blob, Limits], _T]) -> _T | None:
    member = backup.source.beside.get(name)
    if member is None:
        return None
    try:
        return parse(member.open(), backup.source.budget.limits)
    except AuditorError as error:
        backup.problems.append(refusal(member.origin, error, ProblemCode.RECORD_DAMAGED))
        return None


def _read_domains(backup: _Backup) -> None:
    member = backup.source.beside.get("Manifest.db")
    if member is None:
        return
    limits = backup.source.budget.limits
    try:
        data = member.open()
        wal = None
        if is_sqlite(bytes(data[:16])):
            beside = backup.source.beside.get("Manifest.db-wal")
            wal = beside.open() if beside is not None else None
        elif backup.manifest is not None and backup.manifest.encrypted:
            data = _decrypted(backup, data)
        with open_sqlite(data, wal, limits) as database:
            found = read_backup_domains(database, limits)
    except AuditorError as error:
        # A password without the library that uses it leaves the list encrypted; it is not damaged.
        unread = ProblemCode.ENCRYPTED if isinstance(error, UnsupportedError) else ProblemCode.RECORD_DAMAGED
        backup.problems.append(refusal(member.origin, error, unread))
        return
    backup.domains = found.apps
    backup.told("Manifest.db", found.faults)


def _decrypted(backup: _Backup, data: Blob) -> bytes:
    source, manifest = backup.source, backup.manifest
    if not source.passwords or manifest is None:
        raise PasswordError("the backup is encrypted: its apps are listed all the same, its files need the password")
    return decrypt_manifest(data, manifest.keybag, manifest.manifest_key, source.passwords, source.budget.limits)


def _completeness(backup: _Backup) -> tuple[Completeness, str]:
    if backup.status is not None and not backup.status.finished:
        return Completeness.PARTIAL, f"the backup was not finished (its state is {backup.status.snapshot_state})"
    if _tells_installed(backup):
        return Completeness.USER_APPS, "a backup names the apps that a user installed"
    if backup.summary is not None and backup.summary.lists_installed:
        return Completeness.PARTIAL, "Installed Applications of Info.plist is empty, and the backup has data of apps"
    if backup.manifest is not None and backup.manifest.lists_apps:
        return Completeness.PARTIAL, "Installed Applications of Info.plist is not there"
    return Completeness.PARTIAL, "the lists of apps in Info.plist and Manifest.plist are not there"


def _tells_installed(backup: _Backup) -> bool:
    """Whether Info.plist lists what was installed: writers leave the list empty where the device did not answer."""
    summary, manifest = backup.summary, backup.manifest
    if summary is None or not summary.lists_installed:
        return False
    if summary.installed:
        return True
    kept = {item.app_id for item in (manifest.containers if manifest is not None else ()) if not item.safe_harbor}
    return all(app_id.startswith(_OF_THE_SYSTEM) for app_id in kept.union(backup.domains, summary.store_apps))


def _taken(backup: _Backup) -> str:
    dates = (item.taken for item in (backup.summary, backup.manifest, backup.status) if item is not None)
    return next((date for date in dates if date), "")


def _attributes(backup: _Backup) -> tuple[tuple[str, str], ...]:
    found = {"manufacturer": "Apple", "platform": Platform.IOS.value}
    for item in (backup.manifest, backup.summary):
        found.update(item.device if item is not None else ())
    return tuple(sorted(found.items()))


def _listings(backup: _Backup) -> Iterator[Listing]:
    summary, manifest = backup.summary, backup.manifest
    installed = frozenset(summary.installed if summary is not None else ())
    stored = frozenset(summary.store_apps if summary is not None else ())
    records = dict(summary.store_records if summary is not None else ())
    containers = {item.app_id: item for item in (manifest.containers if manifest is not None else ())}
    sources = (
        ("in Installed Applications", "Info.plist", installed),
        ("in Applications", "Info.plist", stored),
        ("in Manifest.plist", "Manifest.plist", frozenset(containers)),
        ("in Manifest.db", "Manifest.db", frozenset(backup.domains)),
    )
    told = _tells_installed(backup)
    for app_id in sorted(frozenset[str]().union(*(ids for _, _, ids in sources))):
        naming = [(flag, name) for flag, name, ids in sources if app_id in ids]
        flags = {flag for flag, _ in naming}
        if stored and app_id in installed and app_id not in stored:
            # The writers leave out what has no record of the store: side-loaded, enterprise and test builds.
            flags.add("no store record")
        if summary is not None and app_id in summary.offloaded:
            flags.add("offloaded")
        container = containers.get(app_id)
        store = records.get(app_id, _STORE_UNKNOWN)
        yield Listing(
            Platform.IOS,
            app_id,
            backup.source.beside[naming[0][1]].origin,
            state=_state(app_id in installed or app_id in stored, container, told),
            version=store.version,
            version_code=(container.version_code if container is not None else "") or store.build_version,
            label=store.name,
            paths=(container.path,) if container is not None and container.path else (),
            store_id=store.item_id,
            system=False if app_id in installed else None,
            flags=tuple(sorted(flags)),
        )


def _state(listed: bool, container: BackupContainer | None, told: bool) -> State:
    """Data set aside when the app went (safe harbor) is no app, nor is a data domain where a list lacks the app."""
    if listed or (container is not None and not container.safe_harbor):
        return State.BACKUP
    return State.RESIDUAL if told or container is not None else State.UNKNOWN
