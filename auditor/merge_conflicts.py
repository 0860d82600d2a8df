"""Where the sources of a device contradict each other about one app, in sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations

from auditor.model import Signer, State
from auditor.model.moments import surely_before
from auditor.sightings import FILES, FullRecord, Sighting, Weight

_NOT_INSTALLED = frozenset({State.PRESENT, State.RESIDUAL, State.HISTORY})
"""How an app is not installed is read from hints; only whether it is can be contradicted."""


def conflicts_of(
    found: Sequence[Sighting],
    in_place: Sequence[Sighting],
    full: Sequence[FullRecord],
    areas: Mapping[int, frozenset[str]],
    unread: Mapping[int, tuple[str, ...]],
) -> Iterator[str]:
    """Every contradiction, the gravest first."""
    kept = [item for item in found if item.weight is Weight.BACKUP] if in_place else []
    yield from _signer_conflicts([*in_place, *kept])
    yield from _state_conflicts(found)
    yield from _silent_records(found, full)
    yield from _version_conflicts(in_place)
    yield from _content_conflicts(in_place)
    yield from _installer_conflicts(in_place)
    yield from _missing_files(found, areas, unread)


def dated(source: str, when: str) -> str:
    """A source with its day."""
    return f"{source} of {when[:10]}" if when else source


def forms_of(signer: Signer) -> frozenset[str]:
    """Everything a record without the certificate may call a signer by."""
    named = (("sha256", signer.sha256), ("sha1", signer.sha1), ("md5", signer.md5), ("java-hash", signer.java_hash))
    return frozenset(f"{name}:{value}" for name, value in named if value)


def _state_conflicts(found: Sequence[Sighting]) -> Iterator[str]:
    """Live records, of which none is known to be older, that say different things for the same user."""
    for user in sorted({item.user for item in found}):
        live = [item for item in found if item.weight is Weight.LIVE and item.user == user and _says_state(item)]
        newest = [item for item in live if not any(item.is_older_than(other.since) for other in live)]
        if len({_kind_of_state(item) for item in newest}) > 1:
            whom = f" for user {user}" if user else ""
            yield f"state{whom}: {_said(newest, lambda item: item.state.value)}"


def _says_state(item: Sighting) -> bool:
    if item.state in (State.SHADOWED, State.UNKNOWN):
        return False
    # Without a user such a record means that somebody has it: others may not.
    return bool(item.user) or item.state not in (State.PRESENT, State.RESIDUAL)


def _kind_of_state(item: Sighting) -> str:
    return "not installed" if item.state in _NOT_INSTALLED else item.state.value


def _silent_records(found: Sequence[Sighting], full: Sequence[FullRecord]) -> Iterator[str]:
    """Records of all apps that do not name one which others show as installed, and may be as new as those."""
    named = {(item.scan, item.record) for item in found}
    shown = [
        item
        for item in found
        if item.weight >= Weight.FILE and item.state in (State.INSTALLED, State.ARCHIVED) and not _is_factory(item)
    ]
    silent: dict[str, list[str]] = {}
    for record in full:
        if record.key in named:
            continue
        # What was installed after the record was made, or is gone since, is no contradiction.
        newer = [
            item
            for item in shown
            if not surely_before(record.when, item.since) and not item.is_older_than(record.since)
        ]
        if newer:
            what = _said(newer[:1], lambda item: item.place if item.build else "installed")
            silent.setdefault(what, []).append(f"{dated(record.source, record.when)} (scan {record.key[0]})")
    for what, records in silent.items():
        verb = "names all apps and does" if len(records) == 1 else "name all apps and do"
        yield f"{what}; but {' and '.join(sorted(records))} {verb} not name it"


def _is_factory(item: Sighting) -> bool:
    return item.weight is Weight.FILE and item.system


def _version_conflicts(in_place: Sequence[Sighting]) -> Iterator[str]:
    codes = {item.version_code for item in in_place if item.version_code}
    names = {item.version for item in in_place if item.version}
    if len(codes) > 1 or (not codes and len(names) > 1):
        told = [item for item in in_place if item.shown_version]
        yield f"version: {_said(told, lambda item: item.shown_version)}"


def _content_conflicts(in_place: Sequence[Sighting]) -> Iterator[str]:
    """Digests of its files that a record tells and the files do not have, in the same version."""
    for told in in_place:
        if told.build or not told.files:
            continue
        same = [item for item in in_place if item.build and item.version_code == told.version_code]
        if same and not any(item.files & told.files for item in same):
            yield f"files: {dated(told.source, told.when)} tells other digests than those of {same[0].place}"


def _installer_conflicts(in_place: Sequence[Sighting]) -> Iterator[str]:
    told = [item for item in in_place if item.installer]
    if len({item.installer for item in told}) > 1:
        yield f"installer: {_said(told, lambda item: item.installer)}"


def _signer_conflicts(in_place: Sequence[Sighting]) -> Iterator[str]:
    """Signers that cannot be the same: certificates that differ without a rotation between them, or their digests."""
    told = [item for item in in_place if item.signers]
    if any(_strangers(one, other) for one, other in combinations(told, 2)):
        yield f"signer: {_said(told, _short_signers)}"
    signers = [signer for item in told for signer in (*item.signers, *item.past_signers)]
    forms = {form for signer in signers for form in forms_of(signer)}
    kinds = {form.partition(":")[0] for form in forms}
    hashed = [item for item in in_place if item.digests]
    for item in hashed:
        strange = [digest for digest in item.digests if _kind(digest) in kinds and digest not in forms]
        if strange:
            others = "; ".join(dict.fromkeys(_in_form(other, _kind(strange[0])) for other in told))
            yield f"signer: {dated(item.source, item.when)} names {', '.join(strange)}; {others}"
    recorded = [item for item in in_place if not item.build and (item.signers or item.digests)]
    for item in in_place:
        if item.unsigned and recorded:
            # The system installs nothing unsigned: the file was changed later, or put in its place.
            who = dated(recorded[0].source, recorded[0].when)
            yield f"signer: {who} names one, and the signature of the file is {item.unsigned}"
    if any(_differ(one.digests, other.digests) for one, other in combinations(hashed, 2)) and not told:
        yield f"signer: {_said(hashed, lambda item: ' '.join(item.digests))}"


def _strangers(one: Sighting, other: Sighting) -> bool:
    """Whether neither vouches for the other: after a rotation an older platform goes on naming the earlier key."""
    mine, theirs = ({signer.sha256 for signer in item.signers} for item in (one, other))
    all_mine = mine | {signer.sha256 for signer in one.past_signers}
    all_theirs = theirs | {signer.sha256 for signer in other.past_signers}
    return not (mine <= all_theirs or theirs <= all_mine)


def _differ(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether digests of the same kinds have none in common."""
    kinds = {_kind(digest) for digest in one} & {_kind(digest) for digest in other}
    mine, theirs = ({digest for digest in digests if _kind(digest) in kinds} for digests in (one, other))
    return bool(kinds) and not mine & theirs


def _kind(digest: str) -> str:
    return digest.partition(":")[0]


def _in_form(item: Sighting, kind: str) -> str:
    forms = (form for signer in item.signers for form in sorted(forms_of(signer)) if _kind(form) == kind)
    return f"{' '.join(forms)} ({_source(item)})"


def _short_signers(item: Sighting) -> str:
    return " ".join(f"sha256:{signer.sha256[:16]}…" for signer in item.signers)


def _missing_files(
    found: Sequence[Sighting], areas: Mapping[int, frozenset[str]], unread: Mapping[int, tuple[str, ...]]
) -> Iterator[str]:
    """A record without the file it names, where files of that part of the device were read."""
    for item in found:
        if item.weight is not Weight.LIVE or item.state is not State.INSTALLED or not item.paths:
            continue
        if item.area not in areas.get(item.scan, frozenset()):
            continue
        if any(other.build and other.scan == item.scan and other.area == item.area for other in found):
            continue
        if not any(_lies_in(place, item.paths) for place in unread.get(item.scan, ())):
            yield f"{item.source} names it as installed at {item.paths[0]}, and no such file was in the same input"
            return


def _lies_in(place: str, paths: Sequence[str]) -> bool:
    return any(path.strip("/") in place for path in paths if path.strip("/"))


def _said(items: Iterable[Sighting], what: Callable[[Sighting], str]) -> str:
    """Each value with the sources that give it."""
    told: dict[str, list[str]] = {}
    for item in items:
        told.setdefault(what(item), []).append(_source(item))
    return "; ".join(f"{value} ({', '.join(dict.fromkeys(sources))})" for value, sources in told.items() if value)


def _source(item: Sighting) -> str:
    source = item.source if item.source != FILES else f"{FILES} {item.place}"
    return f"{source}, scan {item.scan}, {item.when[:10]}"
