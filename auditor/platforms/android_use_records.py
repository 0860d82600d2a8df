"""Records of what was once used or fetched on an Android device: usage statistics and Google's databases."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.errors import AuditorError
from auditor.formats.android_names import moment_of_ms
from auditor.formats.google_databases import (
    PLAY_LIBRARY,
    PLAY_PROTECT,
    PLAY_STATE,
    KnownPackage,
    google_database,
    parse_google_database,
)
from auditor.formats.sqlite_database import is_sqlite
from auditor.formats.usage_stats import parse_usage_mappings, parse_usage_stats
from auditor.model import (
    Completeness,
    DeviceRecord,
    FactKind,
    Listing,
    Origin,
    Platform,
    Problem,
    ProblemCode,
    RecordKind,
    State,
)
from auditor.platforms.record_source import RecordSource
from auditor.platforms.refusal import refusal

_USAGE = re.compile(
    r"(?:^|/)(?:system_ce/(?P<unlocked>\d{1,9})/)?usagestats/(?:(?P<user>\d{1,9})/)?"
    r"(?:(?:daily|weekly|monthly|yearly)/(?P<begin>\d{9,15})(?:-c)?|(?P<mappings>mappings))$"
)
_USER = re.compile(r"(?:^|/)(?:user|user_de)/(?P<user>\d{1,9})/com\.(?:google\.android\.gms|android\.vending)/")
_NOTHING: frozenset[FactKind] = frozenset()
"""What a damaged history hides of the apps that are there now: it could never prove that one is not."""
_END_TIME = 0x08
_COUNTER = 0x08
_MAP = 0x12
_GOOGLE_DETAILS = {
    PLAY_PROTECT: "what Play Protect saw on the device, perhaps before it was removed",
    PLAY_STATE: "what the Play Store fetched, perhaps before it was removed",
    PLAY_LIBRARY: "what the account ever acquired, on any device",
}


def recognise_use_record(path: str, head: bytes) -> RecordKind | None:
    """The kind of record that a file is by its place and the sign of its format."""
    if is_sqlite(head):
        return RecordKind.GOOGLE_DATABASES if google_database(path) else None
    place = _USAGE.search(path)
    if place is None or not head:
        return None
    # An XML declaration or element; else the first fields of the messages.
    if place["mappings"]:
        return RecordKind.USAGE_STATS if head[0] in (_COUNTER, _MAP) else None
    return RecordKind.USAGE_STATS if head[0] in (_END_TIME, 0x12, 0x18, 0x20, 0x3C, 0xEF) else None


def read_use_record(source: RecordSource) -> DeviceRecord:
    """What such a record says.

    Raises:
        FormatError: nothing of it can be read.
        InputError: the operating system refuses.
    """
    if source.kind is RecordKind.USAGE_STATS:
        return _read_usage(source)
    return _read_google(source)


def _read_usage(source: RecordSource) -> DeviceRecord:
    place = _USAGE.search(source.main.path)
    user = "" if place is None else place["unlocked"] or place["user"] or ""
    if place is not None and place["mappings"]:
        return _read_mappings(source, user)
    begin = 0 if place is None or place["begin"] is None else int(place["begin"])
    names, problems = _mappings_beside(source)
    found = parse_usage_stats(source.main.open(), begin, names, source.budget.limits)
    if found.unresolved:
        text = f"{found.unresolved} packages are numbers that no file usagestats/mappings tells"
        problems.append(Problem(ProblemCode.RECORD_DAMAGED, source.origin, text, _NOTHING))
    if found.unread:
        text = f"{found.unread} entries of usage statistics name no package"
        problems.append(Problem(ProblemCode.RECORD_DAMAGED, source.origin, text, _NOTHING))
    listings = tuple(
        Listing(
            Platform.ANDROID,
            item.name,
            source.origin,
            state=State.HISTORY,
            user=user,
            seen=moment_of_ms(item.last_used_ms),
        )
        for item in found.packages
    )
    return DeviceRecord(
        RecordKind.USAGE_STATS,
        source.origin,
        Completeness.PARTIAL,
        "what was used in a certain time, perhaps before it was removed",
        listings=listings,
        problems=tuple(problems),
    )


def _read_mappings(source: RecordSource, user: str) -> DeviceRecord:
    names = parse_usage_mappings(source.main.open(), source.budget.limits)
    listings = tuple(
        Listing(Platform.ANDROID, name, source.origin, state=State.HISTORY, user=user)
        for name in sorted(set(names.values()))
    )
    detail = "names that usage statistics refer to, perhaps of what was removed"
    return DeviceRecord(RecordKind.USAGE_STATS, source.origin, Completeness.PARTIAL, detail, listings=listings)


def _mappings_beside(source: RecordSource) -> tuple[dict[int, str], list[Problem]]:
    """The names behind the numbers: the file lies one folder up."""
    member = source.beside.get("../mappings") or source.beside.get("mappings")
    if member is None:
        return {}, []
    try:
        return parse_usage_mappings(member.open(), source.budget.limits), []
    except AuditorError as error:
        return {}, [refusal(member.origin, error, ProblemCode.RECORD_DAMAGED, _NOTHING)]


def _read_google(source: RecordSource) -> DeviceRecord:
    path = source.main.path
    kind = google_database(path)
    log = source.beside.get(f"{kind}-wal")
    data = source.main.open()
    found = parse_google_database(kind, data, None if log is None else log.open(), source.budget.limits)
    place = _USER.search(path)
    user = place["user"] if place is not None else "0" if "data/data/" in path else ""
    faults = [*found.faults, *([f"{found.unread} rows name no package"] if found.unread else [])]
    listings = {_known(item, source.origin, user, kind): None for item in found.packages}
    return DeviceRecord(
        RecordKind.GOOGLE_DATABASES,
        source.origin,
        Completeness.PARTIAL,
        _GOOGLE_DETAILS.get(kind, "paths of packages that the Play Store checked"),
        listings=tuple(sorted(listings, key=lambda item: (item.app_id, item.user, item.version_code, item.paths))),
        problems=tuple(_damage(kind, faults, source.origin)),
    )


def _damage(kind: str, faults: list[str], origin: Origin) -> Iterator[Problem]:
    if faults:
        yield Problem(ProblemCode.RECORD_DAMAGED, origin, f"{kind}: {'; '.join(faults)}", _NOTHING)


def _known(item: KnownPackage, origin: Origin, user: str, kind: str) -> Listing:
    return Listing(
        Platform.ANDROID,
        item.name,
        origin,
        state=State.HISTORY,
        user=user,
        version_code=item.version_code,
        label=item.label,
        file_digests=(f"sha256:{item.sha256}",) if item.sha256 else (),
        installed=moment_of_ms(item.first_ms),
        updated=moment_of_ms(item.last_ms),
        paths=(item.path,) if item.path else (),
        flags=("acquired by the account",) if kind == PLAY_LIBRARY else (),
    )
