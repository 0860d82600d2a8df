"""Bring together what every source says of one app on one device: what it is there, and which sightings show it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from auditor.judge import strength
from auditor.judge_record import told_strength
from auditor.merge_conflicts import conflicts_of, dated, forms_of
from auditor.model import DeviceApp, Match, Role, State
from auditor.model.moments import earliest, latest
from auditor.sightings import FullRecord, Sighting, Weight

_IN_PLACE = (State.INSTALLED, State.ARCHIVED, State.STAGED)
_MOST_PRESENT_FIRST = (
    *_IN_PLACE,
    State.PRESENT,
    State.BACKUP,
    State.RESIDUAL,
    State.HISTORY,
    State.SHADOWED,
    State.UNKNOWN,
)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the merge of one app needs to know of the device."""

    users: Sequence[str]
    full: Sequence[FullRecord]
    """Records that name all apps of the platform."""
    areas: Mapping[int, frozenset[str]]
    """For each scan the parts of the device of which app files were read."""
    unread: Mapping[int, tuple[str, ...]]
    """For each scan the places of files that could not be read as an app."""


def merge_app(found: Sequence[Sighting], around: Surroundings) -> DeviceApp:
    """One app from its sightings, at least one."""
    found = sorted(found, key=_place_in_order)
    found = sorted(found, key=lambda item: (item.weight, item.when, item.source), reverse=True)
    gone = _gone_since(found, around.full)
    states = tuple(_states(found, around, gone))
    in_place = tuple(_in_place(found, states))
    builds = [item for item in found if item.build]
    named = in_place or found
    return DeviceApp(
        platform=found[0].platform,
        app_id=found[0].app_id,
        label=next((item.label for item in (*builds, *found) if item.label), ""),
        states=states,
        versions=_distinct(_versions(named)),
        signers=_distinct(_shown_signers(named)),
        installers=_distinct(item.installer for item in named if item.installer),
        first_seen=earliest(time for item in found for time in item.times),
        last_seen=latest(_times_there(found)),
        sources=tuple(sorted({item.source for item in found})),
        builds=_distinct(item.build for item in builds),
        code_seen=_code_seen(found, in_place),
        shadowed_unseen=_shadowed_unseen(found),
        matches=_matches(found, in_place),
        unknown=tuple(sorted({subject for item in builds for subject in item.unknown})),
        notes=_distinct(_notes(found, in_place, gone)),
        conflicts=_distinct(conflicts_of(found, in_place, around.full, around.areas, around.unread)),
    )


def _place_in_order(item: Sighting) -> tuple[object, ...]:
    """The same order whatever was read first."""
    return (item.place, item.user, item.state, item.version_code, item.build, item.digests, item.installer, item.times)


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def _gone_since(found: Sequence[Sighting], full: Sequence[FullRecord]) -> FullRecord | None:
    """The record of all apps, newer than everything that shows the app, that does not name it any more."""
    shown = [item for item in found if item.weight > Weight.TRACE]
    if not shown or any(item.system and item.build for item in shown):
        # What lies in the system stays there.
        return None
    silent = _silent(found, full)
    return next((record for record in silent if all(item.is_older_than(record.since) for item in shown)), None)


def _silent(found: Sequence[Sighting], full: Sequence[FullRecord]) -> list[FullRecord]:
    """The records of all apps that do not name this one."""
    named = {(item.scan, item.record) for item in found}
    return [record for record in full if record.key not in named]


def _states(found: Sequence[Sighting], around: Surroundings, gone: FullRecord | None) -> Iterator[tuple[str, State]]:
    """The state for each user that some source tells of; for the whole device where the best source tells of none."""
    told = [user for user in around.users if any(item.user == user for item in found)]
    heaviest = max(item.weight for item in found)
    if not any(item.user for item in found if item.weight is heaviest):
        told = []
    silent = frozenset(record.key[0] for record in _silent(found, around.full))
    for user in told or [""]:
        yield user, State.HISTORY if gone is not None else _state(found, user, silent)


def _state(found: Sequence[Sighting], user: str, silent: frozenset[int]) -> State:
    """What the heaviest and newest source says for a user; what names this user goes before what names none.

    ``silent`` are the scans with a record of all apps that does not name this one.
    """
    is_open = False
    for weight in sorted(Weight, reverse=True):
        said = [item for item in found if item.weight is weight and item.state is not State.SHADOWED]
        own = [item for item in said if item.user == user]
        if not own or weight is Weight.FILE:
            # A file that lies there for all users may lie among the data of one as well.
            own = [item for item in said if not user or item.user in ("", user)]
        known = [item for item in own if item.state is not State.UNKNOWN]
        is_open = is_open or len(known) < len(own)
        if not known:
            continue
        if weight is Weight.TRACE and is_open:
            return State.UNKNOWN
        decisive = _newest(known)
        if decisive.weight is Weight.FILE and decisive.state is State.INSTALLED and not decisive.system:
            # The record of all apps beside it does not name it: the file is left over, or was put there.
            return State.PRESENT if decisive.scan in silent else State.INSTALLED
        if not decisive.state.is_presence and any(_is_system_file(item) for item in found):
            # Removed for a user, and still on the partition that nobody can write to.
            return State.PRESENT
        return decisive.state
    return State.SHADOWED if any(item.state is State.SHADOWED for item in found) else State.UNKNOWN


def _is_system_file(item: Sighting) -> bool:
    """Whether the app was read where the system keeps its own."""
    return bool(item.build) and item.system and item.weight is Weight.FILE


def _newest(said: Sequence[Sighting]) -> Sighting:
    """The newest one; of several that may be, the one that says most: a doubt is no absence."""
    newest = [item for item in said if not any(item.is_older_than(other.since) for other in said)]
    return min(newest or said, key=lambda item: _MOST_PRESENT_FIRST.index(item.state))


def _in_place(found: Sequence[Sighting], states: Sequence[tuple[str, State]]) -> Iterator[Sighting]:
    """The sightings of the app as it is now: not of older copies, begun installations, backups or traces."""
    there = {state for _, state in states}
    wanted = there & {State.INSTALLED, State.ARCHIVED} or there & {State.STAGED}
    if not wanted:
        return
    shown = [item for item in found if item.weight >= Weight.FILE and item.state in wanted]
    live = [item.since for item in shown if item.weight is Weight.LIVE]
    updated = _is_updated(found)
    for item in shown:
        factory = item.weight is Weight.FILE and item.system and updated
        if not factory and not any(item.is_older_than(since) for since in live):
            yield item


def _is_updated(found: Sequence[Sighting]) -> bool:
    """Whether a newer copy outside the system partitions is in place."""
    return any(
        item.state is State.SHADOWED
        or (item.weight is Weight.FILE and not item.system and item.state is State.INSTALLED)
        or (item.weight is Weight.LIVE and item.system and item.area == "data")
        for item in found
    )


def _code_seen(found: Sequence[Sighting], in_place: Sequence[Sighting]) -> bool:
    """Whether the bytes of every version in place were read: those of another version prove nothing for it."""
    builds = [item for item in found if item.build]
    there = in_place or [item for item in found if item.state.is_presence and item.state is not State.SHADOWED]
    told = [item for item in there if not item.build]
    if not builds or any(item.state is State.ARCHIVED for item in told):
        return False
    read = {item.version_code for item in builds}
    named = {item.version_code for item in told if item.version_code}
    if named:
        return named <= read
    # No record tells a version: a copy elsewhere on the device may be of another one.
    return not told or any(item in there or item.state is State.UNKNOWN for item in builds)


def _shadowed_unseen(found: Sequence[Sighting]) -> bool:
    told = {item.version_code for item in found if item.state is State.SHADOWED}
    read = {item.version_code for item in found if item.build}
    system = any(item.build and item.system for item in found)
    return not all(code in read if code else system for code in told)


def _versions(items: Sequence[Sighting]) -> Iterator[str]:
    """Versions as shown; a bare code or name that a fuller one includes is left out."""
    full = [item for item in items if item.version and item.version_code]
    names, codes = {item.version for item in full}, {item.version_code for item in full}
    for item in items:
        shorter = item not in full and (item.version in names or item.version_code in codes)
        if item.shown_version and not shorter:
            yield item.shown_version


def _shown_signers(items: Sequence[Sighting]) -> Iterator[str]:
    known = [signer for item in items for signer in item.signers]
    forms = {form for item in items for signer in (*item.signers, *item.past_signers) for form in forms_of(signer)}
    yield from (f"sha256:{signer.sha256}" for signer in known)
    yield from (digest for item in items for digest in item.digests if digest not in forms)


def _times_there(found: Sequence[Sighting]) -> Iterator[str]:
    """Moments at which the app was there; a history was read at some time, which says nothing of the app."""
    for item in found:
        yield from item.times
        if item.weight > Weight.TRACE and item.state.is_presence:
            yield item.when


def _matches(found: Sequence[Sighting], in_place: Sequence[Sighting]) -> tuple[Match, ...]:
    """The match that counts for each subject, the strongest first; what was read goes before what is told.

    A record says that an app is there under an id; its bytes say whether it is the real one.
    """
    read = [item for item in in_place if item.build]
    decided = {subject for item in read for subject, match in item.subjects if match.role is Role.APP}
    placed = {subject for item in in_place if not item.build for subject, _ in item.subjects}
    told: dict[str, list[Match]] = {}
    best: dict[str, list[Match]] = {}
    for item in found:
        if read and item.build and item.weight is Weight.BACKUP:
            continue
        for subject, match in item.subjects:
            if not item.build and subject in placed and item not in in_place:
                # What a backup or a history tells of its signer is of another time.
                continue
            if match.role is not Role.APP or subject not in decided or item in read:
                (best if item.build else told).setdefault(subject, []).append(match)
    for subject, matches in told.items():
        best.setdefault(subject, []).append(min(matches, key=told_strength))
    return tuple(sorted((min(matches, key=strength) for matches in best.values()), key=_order))


def _order(match: Match) -> tuple[tuple[bool, int, int, str], str]:
    return strength(match), match.subject


def _notes(found: Sequence[Sighting], in_place: Sequence[Sighting], gone: FullRecord | None) -> Iterator[str]:
    """What explains the state, and copies that are not the one in place."""
    if gone is not None:
        yield f"{dated(gone.source, gone.when)}, which names all apps, does not name it any more"
    for item in found:
        if item in in_place or item.weight is Weight.TRACE:
            continue
        if item.state is State.SHADOWED or (item.weight is Weight.FILE and item.system):
            yield f"factory copy {item.shown_version or 'of unknown version'} at {_where(item)}"
        elif item.build:
            yield f"{item.shown_version or 'a copy'} at {item.place}: {item.state.value} ({item.when[:10]})"
        elif item.state is State.BACKUP and in_place:
            yield f"{item.shown_version or 'it'} in the {dated(item.source, item.when)}"
        elif item.state in _IN_PLACE and in_place:
            yield f"{dated(item.source, item.when)}: {item.state.value} {item.shown_version}".rstrip()


def _where(item: Sighting) -> str:
    return item.place if item.build else next(iter(item.paths), item.source)
