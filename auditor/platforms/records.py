"""Which reader a record of a device belongs to, by its place and its first bytes."""

from __future__ import annotations

from auditor.model import DeviceRecord, RecordKind
from auditor.platforms.record_source import RecordSource


def recognise_record(path: str, head: bytes) -> RecordKind | None:
    """The kind of record that a file is, if it is one."""
    return None


def read_record(source: RecordSource) -> DeviceRecord:
    """What a record says.

    Raises:
        FormatError: nothing of it can be read.
        InputError: the operating system refuses.
    """
    raise AssertionError(f"no reader for {source.kind}")
