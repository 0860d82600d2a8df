"""Bring together what every source says of one device: the newest live record decides, conflicts are shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from auditor.merge_app import merge_app
from auditor.model import (
    Completeness,
    DeviceApp,
    DeviceScan,
    DeviceSource,
    DeviceUser,
    MergedDevice,
    Platform,
    State,
    Verdict,
)
from auditor.sightings import FILES, Sighting, sightings_of


def merge_device(
    device: str, scans: Sequence[DeviceScan], subjects: Mapping[Platform, AbstractSet[str]]
) -> MergedDevice:
    """The merged truth of one device from its scans; ``subjects`` can be looked for on each platform."""
    sightings = [sighting for scan in scans for sighting in sightings_of(scan)]
    grouped: dict[tuple[Platform, str], list[Sighting]] = defaultdict(list)
    for sighting in sightings:
        grouped[sighting.platform, sighting.app_id].append(sighting)
    users = _users(scans)
    covered = frozenset((item.scan, item.system) for item in sightings if item.build and item.state is State.INSTALLED)
    full = _full_records(scans)
    apps = tuple(
        merge_app(found, tuple(user.id for user in users), full[platform], covered)
        for (platform, _), found in sorted(grouped.items(), key=lambda item: item[0])
    )
    reasons = tuple(_open_reasons(scans, apps, full))
    return MergedDevice(
        id=device,
        attributes=_attributes(scans),
        users=users,
        sources=tuple(_sources(scans)),
        apps=apps,
        verdicts=tuple(_verdicts(apps, subjects, reasons)),
        open_reasons=reasons,
        conflicts=tuple(_device_conflicts(scans)),
    )


def _full_records(scans: Sequence[DeviceScan]) -> dict[Platform, frozenset[str]]:
    """For each platform the kinds of records that name all apps; such a record that is silent says something."""
    found: dict[Platform, set[str]] = {platform: set() for platform in Platform}
    for scan in scans:
        for judged in scan.records:
            record = judged.record
            if record.completeness.proves_absence and record.listings:
                found[record.listings[0].platform].add(record.kind.value)
    return {platform: frozenset(names) for platform, names in found.items()}


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
    values: dict[str, dict[str, str]] = defaultdict(dict)
    for scan in scans:
        for judged in scan.records:
            for name, value in judged.record.attributes:
                if value and name in ("platform", "serial", "udid", "model"):
                    values[name].setdefault(value, judged.record.kind.value)
    for name, told in sorted(values.items()):
        if len(told) > 1:
            said = ", ".join(f"{value} ({kind})" for value, kind in sorted(told.items()))
            yield f"the sources name different values of {name}: {said}; they may be of different devices"


def _sources(scans: Sequence[DeviceScan]) -> Iterator[DeviceSource]:
    for scan in scans:
        if scan.audits:
            first = min(audit.app.origin for audit in scan.audits)
            whole = Completeness.PARTIAL
            detail = "the files that were scanned" if scan.complete else "the scan was broken off"
            yield DeviceSource(FILES, first, scan.id, scan.started, whole, detail, len(scan.audits))
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


def _open_reasons(
    scans: Sequence[DeviceScan], apps: Sequence[DeviceApp], full: dict[Platform, frozenset[str]]
) -> Iterator[str]:
    """Why an app or an SDK that was not found may be there all the same."""
    platforms = {app.platform for app in apps}
    for platform in sorted(platforms):
        if not full[platform]:
            yield "no source lists all apps of the device"
    unseen = [app for app in apps if app.is_present and not app.code_seen]
    if unseen:
        yield f"{_count(len(unseen), 'app')} known from records only: what they carry was not seen"
    open_apps = [app for app in apps if app.unknown]
    if open_apps:
        yield f"{_count(len(open_apps), 'app')} could not be read in full"
    hidden = sum(bool(problem.hidden) for scan in scans for problem in scan.problems)
    if hidden:
        yield f"{_count(hidden, 'file')} or records could not be read"
    if any(not scan.complete for scan in scans):
        yield "a scan was broken off"
    if not apps:
        yield "no app was seen"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _verdicts(
    apps: Sequence[DeviceApp], subjects: Mapping[Platform, AbstractSet[str]], reasons: Sequence[str]
) -> Iterator[tuple[str, Verdict]]:
    asked: set[str] = set().union(*(subjects.get(platform, set()) for platform in {app.platform for app in apps}))
    present = {subject for app in apps if app.is_present for subject, _, grade in app.subjects if grade.is_finding}
    for subject in sorted(asked | present):
        if subject in present:
            yield subject, Verdict.PRESENT
        else:
            yield subject, Verdict.UNKNOWN if reasons else Verdict.NOT_FOUND
