"""What one source says of one app: builds by their place, listings by their record, brought to one shape."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
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
    SigningState,
    State,
    Verdict,
    placement_of,
)
from auditor.model.moments import latest, surely_before

FILES = "app files"


_UNSIGNED = frozenset({SigningState.MISSING, SigningState.INVALID})


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
_SPARE = re.compile(r"(?:-backup)?\.xml(?:\.reservecopy)?$")
_STATE_FOLDER = re.compile(r"^(.*(?:^|/)system/).*$")
_KEPT_TOGETHER = (RecordKind.PACKAGES_XML, RecordKind.PACKAGES_LIST, RecordKind.PACKAGE_RESTRICTIONS)
_ANDROID_AREA = re.compile(
    r"(?:^|/)(?:(?P<data>data/app|mnt/expand/[^/]+/app)|(?P<partition>[a-z_]+)/(?:app|priv-app|overlay|framework)"
    r"|(?P<apex>apex)/)"
)


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
    since: str = ""
    """The source was not made before this moment; empty: unknown."""
    record: str = ""
    """Which record of the scan it is; empty for files."""
    label: str = ""
    version: str = ""
    version_code: str = ""
    signers: tuple[Signer, ...] = ()
    past_signers: tuple[Signer, ...] = ()
    digests: tuple[str, ...] = ()
    """What a record without certificates tells of the signers."""
    unsigned: str = ""
    """Of bytes whose signature is missing or invalid: which."""
    files: frozenset[str] = frozenset()
    """``sha256:`` of its package files, as far as they are told."""
    installer: str = ""
    times: tuple[str, ...] = ()
    """Moments at which the app was there."""
    paths: tuple[str, ...] = ()
    area: str = ""
    """Part of the device its code lies in: data, or a partition; empty: not told."""
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

    def is_older_than(self, since: str) -> bool:
        """Whether its source was surely made before that moment."""
        return surely_before(self.when, since)


@dataclass(frozen=True, slots=True)
class FullRecord:
    """A record that names all apps: what it does not name was not there when it was made."""

    key: tuple[int, str]
    """Scan and record."""
    platform: Platform
    source: str
    when: str
    since: str


def sightings_of(scan: DeviceScan) -> Iterator[Sighting]:
    """Everything one scan saw on the device."""
    for audit in scan.audits:
        yield _of_audit(audit, scan)
    since = _since(scan)
    spare = frozenset(_spare_records(scan))
    for number, judged in enumerate(scan.records):
        for app in judged.apps:
            yield _of_listing(app, judged, scan, (str(number), since[number], number in spare))


def full_records_of(scan: DeviceScan) -> Iterator[FullRecord]:
    """The records of a scan whose silence says something."""
    since = _since(scan)
    spare = frozenset(_spare_records(scan))
    for number, judged in enumerate(scan.records):
        record = judged.record
        # packages.list leaves out archived apps, modules and more.
        if not record.completeness.proves_absence or record.kind is RecordKind.PACKAGES_LIST or number in spare:
            continue
        if record.listings:
            yield FullRecord(
                key=(scan.id, str(number)),
                platform=record.listings[0].platform,
                source=record.kind.value,
                when=record.taken or scan.started,
                since=since[number],
            )


def _since(scan: DeviceScan) -> list[str]:
    """For each record the last moment that it knows of: it was made then or later.

    The files of the package service are written together, and not all of them tell times.
    """
    known = [_last_known(judged, scan) for judged in scan.records]
    together: dict[str, list[int]] = {}
    for number, judged in enumerate(scan.records):
        folder = _STATE_FOLDER.match(str(judged.record.origin.at(None)))
        if judged.record.kind in _KEPT_TOGETHER and folder is not None:
            together.setdefault(folder[1], []).append(number)
    for numbers in together.values():
        last = latest(known[number] for number in numbers)
        for number in numbers:
            known[number] = last
    return known


def _last_known(judged: JudgedRecord, scan: DeviceScan) -> str:
    record = judged.record
    if record.taken:
        return record.taken
    told = latest(
        moment for listing in record.listings for moment in (listing.installed, listing.updated, listing.seen) if moment
    )
    # A clock that runs ahead of the scan says nothing.
    return "" if surely_before(scan.started, told) else told


def _spare_records(scan: DeviceScan) -> Iterator[int]:
    """Copies that the package service keeps beside a file, where that file itself could be read."""
    damaged = {problem.origin.path for problem in scan.problems if problem.hidden}
    whole = {
        judged.record.origin.path
        for judged in scan.records
        if judged.record.listings and judged.record.origin.path not in damaged
    }
    for number, judged in enumerate(scan.records):
        path = judged.record.origin.path
        if judged.record.kind in _KEPT_TOGETHER and path:
            primary = (*path[:-1], _SPARE.sub(".xml", path[-1]))
            if primary != path and primary in whole:
                yield number


def _of_audit(audit: Audit, scan: DeviceScan) -> Sighting:
    app = audit.app
    placement = placement_of(app.origin)
    state = State.PRESENT if app.parent is not None else placement.state
    matches = [
        (answer.subject, match) for answer in audit.answers for match in answer.matches if match.role is not Role.VENDOR
    ]
    return Sighting(
        platform=app.platform,
        # What cannot be read still lies in a folder that is named for its package.
        app_id=app.app_id or placement.package,
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
        past_signers=app.signing.lineage,
        unsigned=app.signing.state.value if app.signing.state in _UNSIGNED else "",
        files=frozenset(f"sha256:{part.sha256}" for part in app.parts),
        area=area_of(app.platform, ["/".join(app.origin.path)]),
        system=placement.system,
        build=app.build,
        place=str(app.origin),
        subjects=tuple(matches),
        unknown=tuple(answer.subject for answer in audit.answers if answer.verdict is Verdict.UNKNOWN),
    )


def _of_listing(app: ListedApp, judged: JudgedRecord, scan: DeviceScan, known: tuple[str, str, bool]) -> Sighting:
    listing, record = app.listing, judged.record
    number, since, spare = known
    times = (listing.installed, listing.updated, listing.seen)
    # An older copy of a record is a history of it.
    state = State.HISTORY if spare and listing.state.is_presence else listing.state
    return Sighting(
        platform=listing.platform,
        app_id=listing.app_id,
        user=listing.user,
        state=state,
        weight=Weight.TRACE if spare else _weight(record.kind, state),
        source=record.kind.value,
        when=record.taken or scan.started,
        scan=scan.id,
        since=since,
        record=number,
        label=listing.label,
        version=listing.version,
        version_code=listing.version_code,
        signers=listing.signers,
        past_signers=listing.past_signers,
        digests=listing.signer_digests,
        files=frozenset(listing.file_digests),
        installer=listing.installer,
        times=tuple(time for time in times if time),
        paths=listing.paths,
        area=area_of(listing.platform, listing.paths),
        system=bool(listing.system),
        place=str(listing.origin),
        subjects=tuple((match.subject, match) for match in app.matches if match.role is not Role.VENDOR),
    )


def _weight(kind: RecordKind, state: State) -> Weight:
    # The container of an app's data tells of its data only; its bundle has a container of its own.
    if kind is RecordKind.IOS_CONTAINERS and state is State.RESIDUAL:
        return Weight.TRACE
    return _WEIGHTS.get(kind, Weight.LIVE)


def area_of(platform: Platform, paths: Iterable[str]) -> str:
    """Which part of a device the first of some paths lies in: data, the name of a partition, or not known."""
    path = next(iter(paths), "")
    if platform is Platform.IOS:
        return "data" if re.search(r"/Bundle/Application/", path, re.IGNORECASE) else ""
    found = max(_ANDROID_AREA.finditer(path), key=lambda match: match.start(), default=None)
    if found is None:
        return ""
    return "data" if found["data"] else found["apex"] or found["partition"]


def scanned_areas(sightings: Iterable[Sighting]) -> Mapping[int, frozenset[str]]:
    """For each scan the areas of which app files were read."""
    found: dict[int, set[str]] = {}
    for item in sightings:
        if item.build and item.state is State.INSTALLED and item.area:
            found.setdefault(item.scan, set()).add(item.area)
    return {scan: frozenset(areas) for scan, areas in found.items()}
