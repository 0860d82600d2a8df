"""Bring together what every source says of one device: the newest live record decides, conflicts are shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import combinations

from auditor.merge_app import Surroundings, merge_app
from auditor.model import (
    Completeness,
    DeviceApp,
    DeviceScan,
    DeviceSource,
    DeviceUser,
    MergedDevice,
    Origin,
    Platform,
    ProblemCode,
    Verdict,
)
from auditor.sightings import FILES, FullRecord, Sighting, full_records_of, scanned_areas, sightings_of

_NAMES = {Platform.ANDROID: "Android", Platform.IOS: "iOS"}
_ENCRYPTED = (ProblemCode.ENCRYPTED, ProblemCode.ARCHIVE_ENCRYPTED)


def merge_device(
    device: str, scans: Sequence[DeviceScan], subjects: Mapping[Platform, AbstractSet[str]]
) -> MergedDevice:
    """The merged truth of one device from its scans; ``subjects`` can be looked for on each platform."""
    users = _users(scans)
    full = [record for scan in scans for record in full_records_of(scan)]
    apps = tuple(_apps(scans, users, full))
    conflicts = tuple(_device_conflicts(scans))
    reasons = [*_open_reasons(scans, apps, frozenset(record.platform for record in full))]
    if conflicts:
        reasons.append("its sources may be of different devices")
    return MergedDevice(
        id=device,
        attributes=_attributes(scans),
        users=users,
        sources=tuple(_sources(scans)),
        apps=apps,
        verdicts=tuple(_verdicts(apps, subjects, bool(reasons))),
        open_reasons=(*reasons, *_open_apps(apps)),
        conflicts=conflicts,
    )


def _apps(scans: Sequence[DeviceScan], users: Sequence[DeviceUser], full: Sequence[FullRecord]) -> Iterator[DeviceApp]:
    sightings = [sighting for scan in scans for sighting in sightings_of(scan)]
    grouped: dict[tuple[Platform, str, str], list[Sighting]] = defaultdict(list)
    for sighting in sightings:
        # Apps whose id cannot be read have nothing in common.
        grouped[sighting.platform, sighting.app_id, "" if sighting.app_id else sighting.place].append(sighting)
    areas = scanned_areas(sightings)
    unread = {scan.id: tuple(_unread_places(scan)) for scan in scans}
    ids = tuple(user.id for user in users)
    for (platform, _, _), found in sorted(grouped.items(), key=lambda item: item[0]):
        own = [record for record in full if record.platform is platform]
        yield merge_app(found, Surroundings(ids, own, areas, unread))


def _unread_places(scan: DeviceScan) -> Iterator[str]:
    """Where something lies that may be an app and could not be read as the one it is."""
    yield from ("/".join(audit.app.origin.path) for audit in scan.audits if not audit.app.app_id)
    yield from ("/".join(problem.origin.path) for problem in scan.problems if problem.hidden)


def _users(scans: Sequence[DeviceScan]) -> tuple[DeviceUser, ...]:
    """Every user that a record tells of; where several do, the first profile that is known."""
    profiles: dict[str, str] = {}
    for scan in scans:
        for judged in scan.records:
            for user in judged.record.users:
                profiles[user.id] = profiles.get(user.id, "") or user.profile
            for listing in judged.record.listings:
                if listing.user:
                    profiles.setdefault(listing.user, "")
    ordered = sorted(profiles, key=lambda user: (not user.isdecimal(), int(user) if user.isdecimal() else 0, user))
    return tuple(DeviceUser(user, profiles[user]) for user in ordered)


def _attributes(scans: Sequence[DeviceScan]) -> tuple[tuple[str, str], ...]:
    """What records say of the device; of several values the newest record's."""
    found: dict[str, tuple[str, str]] = {}
    for scan in scans:
        for judged in scan.records:
            when = judged.record.taken or scan.started
            for name, value in judged.record.attributes:
                if value and when >= found.get(name, ("", ""))[0]:
                    found[name] = when, value
    return tuple(sorted((name, value) for name, (_, value) in found.items()))


def _device_conflicts(scans: Sequence[DeviceScan]) -> Iterator[str]:
    """Identities that differ: the sources may be of different devices."""
    for name in ("platform", "serial", "udid", "model"):
        told: list[dict[str, str]] = [{} for _ in scans]
        for number, scan in enumerate(scans):
            for judged in scan.records:
                for attribute, value in judged.record.attributes:
                    if attribute == name and value:
                        told[number].setdefault(value, judged.record.kind.value)
        values = {value: kind for found in reversed(told) for value, kind in found.items()}
        # The partitions of one device may call its model by different names.
        if len(values) > 1 and (name != "model" or _share_nothing([set(found) for found in told if found])):
            said = ", ".join(f"{value} ({kind})" for value, kind in sorted(values.items()))
            yield f"the sources name different values of {name}: {said}; they may be of different devices"


def _share_nothing(groups: Sequence[AbstractSet[str]]) -> bool:
    return any(not one & other for one, other in combinations(groups, 2))


def _sources(scans: Sequence[DeviceScan]) -> Iterator[DeviceSource]:
    for scan in scans:
        if scan.audits:
            target = Origin((", ".join(scan.target),))
            detail = "" if scan.complete else "the scan was broken off"
            yield DeviceSource(FILES, target, scan.id, scan.started, Completeness.PARTIAL, detail, len(scan.audits))
        for judged in scan.records:
            record = judged.record
            names = {listing.app_id for listing in record.listings}
            yield DeviceSource(
                record.kind.value,
                record.origin,
                scan.id,
                record.taken or scan.started,
                record.completeness,
                record.detail,
                len(names),
            )


def _open_reasons(scans: Sequence[DeviceScan], apps: Sequence[DeviceApp], full: AbstractSet[Platform]) -> Iterator[str]:
    """Why any app or SDK that was not found may be there all the same."""
    platforms = sorted({app.platform for app in apps})
    for platform in platforms:
        if platform not in full:
            of = f"the {_NAMES[platform]} device" if len(platforms) > 1 else "the device"
            yield f"no source lists all apps of {of}"
    unseen = sum(app.is_present and not app.code_seen for app in apps)
    if unseen:
        yield f"{_count(unseen, 'app')} known from records only: what {_they(unseen)} was not seen"
    shadowed = sum(app.is_present and app.shadowed_unseen for app in apps)
    if shadowed:
        copies = "1 factory copy" if shadowed == 1 else f"{shadowed} factory copies"
        yield f"{copies} behind updates known from records only: what {_they(shadowed)} was not seen"
    problems = [problem for scan in scans for problem in scan.problems if problem.hidden]
    encrypted = sum(problem.code in _ENCRYPTED for problem in problems)
    if encrypted:
        yield f"{_count(encrypted, 'source')} encrypted, and not opened"
    if len(problems) > encrypted:
        yield f"{_count(len(problems) - encrypted, 'file or record', 'files or records')} could not be read in full"
    if any(not scan.complete for scan in scans):
        yield "a scan was broken off"
    if not apps:
        yield "no app was seen"


def _open_apps(apps: Sequence[DeviceApp]) -> Iterator[str]:
    """Apps of which only some questions are open."""
    number = sum(app.is_present and bool(app.unknown) for app in apps)
    if number:
        yield f"{_count(number, 'app')} could not be read in full"


def _they(number: int) -> str:
    return "it carries" if number == 1 else "they carry"


def _count(number: int, noun: str, plural: str = "") -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {plural or noun + 's'}"


def _verdicts(
    apps: Sequence[DeviceApp], subjects: Mapping[Platform, AbstractSet[str]], is_open: bool
) -> Iterator[tuple[str, Verdict]]:
    asked: set[str] = set().union(*(subjects.get(platform, set()) for platform in {app.platform for app in apps}))
    present = {subject for app in apps if app.is_present for subject, _, grade in app.subjects if grade.is_finding}
    unknown = {subject for app in apps if app.is_present for subject in app.unknown}
    for subject in sorted(asked | present):
        if subject in present:
            yield subject, Verdict.PRESENT
        else:
            yield subject, Verdict.UNKNOWN if is_open or subject in unknown else Verdict.NOT_FOUND
