"""Bring together what every source says of one app on one device, and say where they contradict each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from auditor.model import GRADE_ORDER, DeviceApp, Grade, Role, Signer, State
from auditor.sightings import FILES, Sighting, Weight

_IN_PLACE = (State.INSTALLED, State.STAGED, State.ARCHIVED)
_ROLES = tuple(Role)


def merge_app(
    found: Sequence[Sighting], users: Sequence[str], full: frozenset[str], scanned: frozenset[tuple[int, bool]]
) -> DeviceApp:
    """One app from its sightings, at least one.

    ``users`` are the users of the device, ``full`` the kinds of records that name all apps of the platform, and
    ``scanned`` tells which scans read installed app files: (scan, whether of the system).
    """
    found = sorted(found, key=lambda item: (-item.weight, item.when, item.source, item.place))
    states = tuple(_states(found, users, full))
    in_place = tuple(_in_place(found, states))
    builds = [item for item in found if item.build]
    return DeviceApp(
        platform=found[0].platform,
        app_id=found[0].app_id,
        label=next((item.label for item in (*builds, *found) if item.label), ""),
        states=states,
        versions=_distinct(_versions(in_place or found)),
        signers=_distinct(_shown_signers(in_place or found)),
        installers=_distinct(item.installer for item in found if item.installer),
        first_seen=min((time for item in found for time in item.times), default=""),
        last_seen=max((time for item in found for time in (*item.times, item.when)), default=""),
        sources=tuple(sorted({item.source for item in found})),
        builds=_distinct(item.build for item in builds),
        code_seen=_code_seen(in_place, builds),
        subjects=_subjects(found),
        unknown=tuple(sorted({subject for item in builds for subject in item.unknown})),
        notes=tuple(_notes(found, in_place)),
        conflicts=tuple(_conflicts(found, in_place, full, scanned)),
    )


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def _states(found: Sequence[Sighting], users: Sequence[str], full: frozenset[str]) -> Iterator[tuple[str, State]]:
    """The state for each user that some source tells of; for the whole device where none does."""
    told = [user for user in users if any(item.user == user for item in found)]
    for user in told or [""]:
        yield user, _state(found, user, full)


def _state(found: Sequence[Sighting], user: str, full: frozenset[str]) -> State:
    """What the heaviest and newest source says for a user; what names this user goes before what names none."""
    for weight in sorted(Weight, reverse=True):
        said = [item for item in found if item.weight is weight and item.state is not State.SHADOWED]
        own = [item for item in said if item.user == user] or [item for item in said if not (user and item.user)]
        if not own:
            continue
        newest = max(own, key=lambda item: (item.when, item.state in _IN_PLACE))
        if weight is Weight.FILE and newest.state is State.INSTALLED and full and not newest.system:
            # A record of all apps is there and does not name it: the file is left over, or was put there.
            return State.PRESENT
        return newest.state
    return State.SHADOWED if any(item.state is State.SHADOWED for item in found) else State.UNKNOWN


def _in_place(found: Sequence[Sighting], states: Sequence[tuple[str, State]]) -> Iterator[Sighting]:
    """The sightings of the app as it is now: not of older copies, backups or traces."""
    if not any(state in _IN_PLACE for _, state in states):
        return
    factory = {path for item in found if item.state is State.SHADOWED for path in item.paths}
    for item in found:
        if item.weight < Weight.FILE or item.state not in _IN_PLACE:
            continue
        if item.weight is Weight.FILE and item.system and (factory or _updated(found)):
            continue
        yield item


def _updated(found: Sequence[Sighting]) -> bool:
    """Whether a newer copy outside the system partitions is in place."""
    return any(item.weight is Weight.FILE and not item.system and item.state is State.INSTALLED for item in found)


def _code_seen(in_place: Sequence[Sighting], builds: Sequence[Sighting]) -> bool:
    """Whether the bytes of the version in place were read: those of another version prove nothing for it."""
    if not builds:
        return False
    named = {item.version_code for item in in_place if not item.build and item.version_code}
    seen = {item.version_code for item in builds}
    return not named or bool(named & seen)


def _versions(items: Sequence[Sighting]) -> Iterator[str]:
    """Versions as shown; a bare code or name that a fuller one includes is left out."""
    shown = [item.shown_version for item in items if item.shown_version]
    fuller = [text for text in shown if " (" in text]
    for text in shown:
        if text in fuller or not any(text in other for other in fuller):
            yield text


def _shown_signers(items: Sequence[Sighting]) -> Iterator[str]:
    known = [signer for item in items for signer in item.signers]
    yield from (f"sha256:{signer.sha256}" for signer in known)
    for item in items:
        for digest in item.digests:
            if not any(digest in _forms(signer) for signer in known):
                yield digest


def _forms(signer: Signer) -> frozenset[str]:
    return frozenset(
        {f"sha256:{signer.sha256}", f"sha1:{signer.sha1}", f"md5:{signer.md5}", f"java-hash:{signer.java_hash}"}
    )


def _subjects(found: Sequence[Sighting]) -> tuple[tuple[str, Role, Grade], ...]:
    """The strongest match for each subject, the strongest subject first; what was read goes before what is told.

    A record says that an app is there under an id; its bytes say whether it is the real one.
    """
    best: dict[str, tuple[bool, int, int]] = {}
    read = {subject for item in found if item.build for subject, match in item.subjects if match.role is Role.APP}
    for item in found:
        for subject, match in item.subjects:
            if subject in read and not item.build:
                continue
            key = (not match.grade.is_finding, _ROLES.index(match.role), GRADE_ORDER.index(match.grade))
            best[subject] = min(best.get(subject, key), key)
    ordered = sorted(best.items(), key=lambda pair: (pair[1], pair[0]))
    return tuple((subject, _ROLES[role], GRADE_ORDER[grade]) for subject, (_, role, grade) in ordered)


def _notes(found: Sequence[Sighting], in_place: Sequence[Sighting]) -> Iterator[str]:
    """Copies that are not the one in place."""
    seen: set[str] = set()
    for item in found:
        if item in in_place or item.weight is Weight.TRACE:
            continue
        if item.state is State.SHADOWED or (item.weight is Weight.FILE and item.system):
            text = f"factory copy {item.shown_version or 'of unknown version'} at {_where(item)}"
        elif item.build:
            text = f"{item.shown_version or 'a copy'} at {item.place}: {item.state.value}"
        elif item.weight is Weight.BACKUP:
            text = f"{item.shown_version or 'it'} in the {item.source} of {item.when[:10]}"
        else:
            continue
        if text not in seen:
            seen.add(text)
            yield text


def _where(item: Sighting) -> str:
    return item.place if item.build else next(iter(item.paths), item.source)


def _conflicts(
    found: Sequence[Sighting], in_place: Sequence[Sighting], full: frozenset[str], scanned: frozenset[tuple[int, bool]]
) -> Iterator[str]:
    yield from _state_conflicts(found)
    yield from _version_conflicts(in_place)
    yield from _signer_conflicts(in_place)
    yield from _file_conflicts(found, full, scanned)


def _state_conflicts(found: Sequence[Sighting]) -> Iterator[str]:
    """Live records that say different things for the same user."""
    for user in sorted({item.user for item in found}):
        live = [
            item
            for item in found
            if item.weight is Weight.LIVE and item.user == user and item.state not in (State.SHADOWED, State.UNKNOWN)
        ]
        if len({item.state for item in live}) > 1:
            whom = f" for user {user}" if user else ""
            yield f"state{whom}: {_said(live, lambda item: item.state.value)}; the newest counts"


def _version_conflicts(in_place: Sequence[Sighting]) -> Iterator[str]:
    codes = {item.version_code for item in in_place if item.version_code}
    names = {item.version for item in in_place if item.version}
    if len(codes) > 1 or (not codes and len(names) > 1):
        told = [item for item in in_place if item.shown_version]
        yield f"version: {_said(told, lambda item: item.shown_version)}"


def _signer_conflicts(in_place: Sequence[Sighting]) -> Iterator[str]:
    """Signers that cannot be the same: certificates that differ, or a digest that is of none of them."""
    told = [item for item in in_place if item.signers]
    sets = {frozenset(signer.sha256 for signer in item.signers) for item in told}
    if len(sets) > 1:
        yield f"signer: {_said(told, _short_signers)}"
    known = [form for item in told for signer in item.signers for form in _forms(signer)]
    kinds = {form.partition(":")[0] for form in known if form.partition(":")[2]}
    for item in in_place:
        strange = [digest for digest in item.digests if digest.partition(":")[0] in kinds and digest not in known]
        if strange and len(strange) == len(item.digests):
            yield f"signer: {item.source} names {', '.join(strange)}, which is not {_said(told, _short_signers)}"


def _short_signers(item: Sighting) -> str:
    return " ".join(f"sha256:{signer.sha256[:16]}…" for signer in item.signers)


def _file_conflicts(
    found: Sequence[Sighting], full: frozenset[str], scanned: frozenset[tuple[int, bool]]
) -> Iterator[str]:
    """Files without a record, and records without the file they name, where both were looked at."""
    live = [item for item in found if item.weight is Weight.LIVE]
    files = [item for item in found if item.weight is Weight.FILE and item.state is State.INSTALLED]
    if files and full and not live:
        silent = ", ".join(sorted(full))
        yield f"its file lies where installed apps are ({files[0].place}), and {silent} does not name it"
    for item in live:
        if item.state is not State.INSTALLED or (item.scan, item.system) not in scanned or not item.paths:
            continue
        if not any(other.scan == item.scan for other in found if other.build):
            yield f"{item.source} names it as installed at {item.paths[0]}, and no such file was in the same input"
            return


def _said(items: Iterable[Sighting], what: Callable[[Sighting], str]) -> str:
    """Each value with the sources that give it."""
    told: dict[str, list[str]] = {}
    for item in items:
        source = item.source if item.source != FILES else f"{FILES} {item.place}"
        told.setdefault(what(item), []).append(f"{source}, {item.when[:10]}")
    return "; ".join(f"{value} ({', '.join(dict.fromkeys(sources))})" for value, sources in told.items())
