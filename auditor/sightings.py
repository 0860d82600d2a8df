"""What one source says of one app: builds by their place, listings by their record, brought to one shape."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from auditor.model import (
    Audit,
    DeviceScan,
    JudgedRecord,
    ListedApp,
    Match,
    Platform,
    RecordKind,
    Role,
    Signer,
    State,
    Verdict,
    placement_of,
)

FILES = "app files"


class Weight(IntEnum):
    """How much a source can say of what is installed now; the heavier one decides."""

    TRACE = 0
    """Histories and data directories: the app was there once."""
    BACKUP = 1
    FILE = 2
    """A package in place: the record may know that it is left over."""
    LIVE = 3
    """A record the system keeps of what is installed."""


_WEIGHTS: dict[RecordKind, Weight] = {
    RecordKind.USAGE_STATS: Weight.TRACE,
    RecordKind.GOOGLE_DATABASES: Weight.TRACE,
    RecordKind.DATA_DIRECTORIES: Weight.TRACE,
    RecordKind.INSTALL_LOG: Weight.TRACE,
    RecordKind.APP_STORE_DATABASES: Weight.TRACE,
    RecordKind.ADB_BACKUP: Weight.BACKUP,
    RecordKind.IOS_BACKUP: Weight.BACKUP,
}


@dataclass(frozen=True, slots=True)
class Sighting:
    """One app in one source, for one user."""

    platform: Platform
    app_id: str
    user: str
    state: State
    weight: Weight
    source: str
    when: str
    """When the source was made, or else scanned."""
    scan: int
    label: str = ""
    version: str = ""
    version_code: str = ""
    signers: tuple[Signer, ...] = ()
    digests: tuple[str, ...] = ()
    """What a record without certificates tells of the signers."""
    installer: str = ""
    times: tuple[str, ...] = ()
    """Moments at which the app was there."""
    paths: tuple[str, ...] = ()
    system: bool = False
    build: str = ""
    place: str = ""
    """Origin, for people."""
    subjects: tuple[tuple[str, Match], ...] = ()
    """Matches by subject, strongest first."""
    unknown: tuple[str, ...] = ()

    @property
    def shown_version(self) -> str:
        """The version and its code, as far as they are known."""
        if self.version and self.version_code:
            return f"{self.version} ({self.version_code})"
        return self.version or (f"({self.version_code})" if self.version_code else "")


def sightings_of(scan: DeviceScan) -> Iterator[Sighting]:
    """Everything one scan saw on the device."""
    for audit in scan.audits:
        yield _of_audit(audit, scan)
    for judged in scan.records:
        for app in judged.apps:
            yield _of_listing(app, judged, scan)


def _of_audit(audit: Audit, scan: DeviceScan) -> Sighting:
    app = audit.app
    placement = placement_of(app.origin)
    state = State.PRESENT if app.parent is not None else placement.state
    matches = [
        (answer.subject, match) for answer in audit.answers for match in answer.matches if match.role is not Role.VENDOR
    ]
    return Sighting(
        platform=app.platform,
        app_id=app.app_id,
        user=placement.user,
        state=state,
        weight=Weight.BACKUP if state is State.BACKUP else Weight.FILE,
        source=FILES,
        when=scan.started,
        scan=scan.id,
        label=app.label,
        version=app.version,
        version_code=app.version_code,
        signers=app.signing.signers,
        system=placement.system,
        build=app.build,
        place=str(app.origin),
        subjects=tuple(matches),
        unknown=tuple(answer.subject for answer in audit.answers if answer.verdict is Verdict.UNKNOWN),
    )


def _of_listing(app: ListedApp, judged: JudgedRecord, scan: DeviceScan) -> Sighting:
    listing, record = app.listing, judged.record
    times = (listing.installed, listing.updated, listing.seen)
    return Sighting(
        platform=listing.platform,
        app_id=listing.app_id,
        user=listing.user,
        state=listing.state,
        weight=_WEIGHTS.get(record.kind, Weight.LIVE),
        source=record.kind.value,
        when=record.taken or scan.started,
        scan=scan.id,
        label=listing.label,
        version=listing.version,
        version_code=listing.version_code,
        signers=listing.signers,
        digests=listing.signer_digests,
        installer=listing.installer,
        times=tuple(time for time in times if time),
        paths=listing.paths,
        system=bool(listing.system),
        place=str(listing.origin),
        subjects=tuple((match.subject, match) for match in app.matches if match.role is not Role.VENDOR),
    )
