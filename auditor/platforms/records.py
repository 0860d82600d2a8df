"""Which reader a record of a device belongs to, by its place and its first bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from auditor.model import DeviceRecord, RecordKind
from auditor.platforms import android_dump_records, android_package_records, ios_records
from auditor.platforms.adb_backup_records import read_backup
from auditor.platforms.record_source import RecordSource

_RECOGNISERS: tuple[Callable[[str, bytes], RecordKind | None], ...] = (
    android_package_records.recognise,
    ios_records.recognise,
    android_dump_records.recognise,
)
"""Those that go by their place before those that go by their text."""
_IOS = frozenset(
    {
        RecordKind.IOS_BACKUP,
        RecordKind.APPLICATION_STATE,
        RecordKind.IOS_CONTAINERS,
        RecordKind.INSTALL_LOG,
        RecordKind.APP_STORE_DATABASES,
        RecordKind.IOS_APP_LIST,
    }
)


def recognise_record(path: str, head: bytes) -> RecordKind | None:
    """The kind of record that a file is, if it is one."""
    found = (recognise(path, head) for recognise in _RECOGNISERS)
    return next((kind for kind in found if kind is not None), None)


def leads_record(kind: RecordKind, path: str, names: Iterable[str]) -> bool:
    """Whether a file stands for its record: of the several files of an iOS backup one does."""
    return ios_records.leads(kind, path.rpartition("/")[2], names)


def read_record(source: RecordSource) -> DeviceRecord:
    """What a record says.

    Raises:
        FormatError: nothing of it can be read.
        InputError: the operating system refuses.
    """
    if source.kind in android_package_records.KINDS:
        return android_package_records.read(source)
    if source.kind is RecordKind.ADB_BACKUP:
        return read_backup(source)
    if source.kind in _IOS:
        return ios_records.read(source)
    return android_dump_records.read(source)
