"""Loads what was recorded back into the nouns it was recorded from."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from auditor.inventory.facts_blob import unpack_facts
from auditor.inventory.stored_text import resolve_place, restore_origin, restore_text
from auditor.inventory.string_filter import StringFilter
from auditor.model import (
    Answer,
    App,
    Audit,
    ClauseHit,
    Confidence,
    Device,
    Extraction,
    Fact,
    FactBatch,
    FactKind,
    Finding,
    Grade,
    LegalStatus,
    Match,
    Origin,
    Part,
    PartKind,
    Platform,
    Problem,
    ProblemCode,
    Relation,
    Role,
    Scan,
    Signer,
    Signing,
    SigningState,
    Verdict,
    VersionBasis,
    Waiver,
)

_BUILD = (
    "SELECT platform, app_id, sha256, version, version_code, label, min_sdk, target_sdk, signing_state, signing_scheme,"
    " signing_detail, signing_present, signing_trusted, attributes FROM builds WHERE id = ?"
)
_SIGHTINGS = (
    "SELECT sighting.id, build, origin, parent, layout, scans.catalog FROM scan_sightings"
    " JOIN sightings AS sighting ON sighting.id = scan_sightings.sighting"
    " JOIN builds ON builds.id = sighting.build JOIN scans ON scans.id = scan_sightings.scan"
    " WHERE scan_sightings.scan = ? ORDER BY origin, builds.app_id, builds.sha256, sighting.user, sighting.id"
)

_APPS_SEEN = (
    "SELECT count(*) FROM scan_sightings JOIN sightings ON sightings.id = scan_sightings.sighting"
    " WHERE scan = ? AND build IS NOT NULL"
)


@dataclass(frozen=True, slots=True)
class StoredScan:
    """A scan with what only the inventory knows of it."""

    id: int
    scan: Scan
    started: str
    finished: str | None
    """None while it runs, or for ever when it was killed."""
    device: Device | None
    command: str


class Bases:
    """Where the app and its parts lie in one sighting: turns stored places back into origins."""

    def __init__(self, app: str, parts: dict[int, str]) -> None:
        self._app = app
        self._parts = parts

    def origin(self, part: int | None, place: str, offset: int | None) -> Origin:
        base = self._app if part is None else self._parts[part]
        return restore_origin(resolve_place(place, base), offset)


def load_scan(connection: sqlite3.Connection, scan_id: int) -> StoredScan | None:
    """Load one scan; None where there is none of that id."""
    row = connection.execute(
        "SELECT tool, digest, as_of, started, finished, complete, command, devices.name, fleets.name FROM scans"
        " JOIN catalogs ON catalogs.id = scans.catalog LEFT JOIN devices ON devices.id = scans.device"
        " LEFT JOIN fleets ON fleets.id = devices.fleet WHERE scans.id = ?",
        (scan_id,),
    ).fetchone()
    if row is None:
        return None
    tool, catalog, as_of, started, finished, complete, command, device, fleet = row
    targets = connection.execute("SELECT target FROM scan_targets WHERE scan = ? ORDER BY position", (scan_id,))
    scan = Scan(
        tool=restore_text(tool),
        catalog=restore_text(catalog),
        as_of=date.fromisoformat(as_of),
        target=tuple(restore_text(target) for (target,) in targets),
        apps=int(_value(connection, _APPS_SEEN, scan_id)),
        problems=load_scan_problems(connection, scan_id),
        complete=bool(complete),
    )
    named = None if device is None else Device(restore_text(device), restore_text(fleet or ""))
    return StoredScan(scan_id, scan, started, finished, named, restore_text(command))


def load_scan_problems(connection: sqlite3.Connection, scan_id: int) -> tuple[Problem, ...]:
    """Load the problems of a scan that belong to no app, in the order they were recorded."""
    rows = connection.execute(
        "SELECT code, place, offset, detail, hides FROM problems WHERE scan = ? ORDER BY position, id", (scan_id,)
    )
    return tuple(
        _problem(code, restore_origin(place, offset), detail, hides) for code, place, offset, detail, hides in rows
    )


def load_audits(connection: sqlite3.Connection, scan_id: int, *, facts: bool) -> Iterator[Audit]:
    """Load the apps of one scan, ascending by origin, one at a time."""
    for _, build, origin, parent, layout, catalog in connection.execute(_SIGHTINGS, (scan_id,)).fetchall():
        signing_parts, bases = _load_parts(connection, build, origin, layout)
        app = replace(
            _load_app(connection, build, restore_origin(origin)),
            parts=signing_parts,
            parent=None if parent is None else restore_origin(parent),
        )
        answers, problems = _load_answers(connection, build, catalog, bases)
        stored = load_facts(connection, build, bases) if facts else ()
        findings = _load_findings(connection, scan_id, build)
        yield Audit(Extraction(app, stored, problems), answers, findings)


def load_facts(connection: sqlite3.Connection, build: int, bases: Bases) -> tuple[FactBatch, ...]:
    """Load the facts of a build but its string constants; offsets of single values are not kept."""
    blob = _value(connection, "SELECT facts FROM build_facts WHERE build = ?", build)
    if blob is None:
        return ()
    return tuple(
        FactBatch(item.kind, bases.origin(item.part, item.place, item.offset), item.values)
        for item in unpack_facts(blob)
    )


def load_strings(connection: sqlite3.Connection, build: int) -> StringFilter:
    """Load the membership filter of a build's string constants."""
    blob = _value(connection, "SELECT strings FROM build_facts WHERE build = ?", build)
    return StringFilter.of(()) if blob is None else StringFilter.from_bytes(blob)


def find_build(connection: sqlite3.Connection, sha256: str) -> int | None:
    """The key of a build."""
    row = connection.execute("SELECT id FROM builds WHERE sha256 = ?", (sha256,)).fetchone()
    return None if row is None else int(row[0])


def first_bases(connection: sqlite3.Connection, build: int) -> Bases:
    """The places of a build's first sighting."""
    row = connection.execute(
        "SELECT origin, layout FROM sightings WHERE build = ? ORDER BY id LIMIT 1", (build,)
    ).fetchone()
    return _load_parts(connection, build, *row)[1]


def _load_app(connection: sqlite3.Connection, build: int, origin: Origin) -> App:
    row = connection.execute(_BUILD, (build,)).fetchone()
    platform, app_id, sha256, version, code, label, lowest, target, state, scheme, detail, present, trusted, more = row
    labels = connection.execute("SELECT locale, label FROM labels WHERE build = ?", (build,))
    return App(
        platform=Platform(platform),
        app_id=restore_text(app_id),
        origin=origin,
        build=sha256,
        version=restore_text(version),
        version_code=restore_text(code),
        label=restore_text(label),
        labels=tuple(sorted((restore_text(locale), restore_text(text)) for locale, text in labels)),
        min_sdk=restore_text(lowest),
        target_sdk=restore_text(target),
        signing=Signing(
            state=SigningState(state),
            scheme=scheme,
            signers=_load_signers(connection, build, "signer"),
            lineage=_load_signers(connection, build, "lineage"),
            present=tuple(_json(present)),
            trusted=tuple((level, name) for level, name in _json(trusted)),
            detail=restore_text(detail),
        ),
        attributes=tuple((name, value) for name, value in _json(more)),
    )


def _load_signers(connection: sqlite3.Connection, build: int, role: str) -> tuple[Signer, ...]:
    rows = connection.execute(
        "SELECT sha256, sha1, md5, md5_of_hex, subject, public_key_sha256, rsa_modulus, java_hash FROM build_signers"
        " JOIN signers ON signers.id = build_signers.signer WHERE build = ? AND role = ? ORDER BY position",
        (build, role),
    )
    return tuple(
        Signer(sha256, sha1, md5, md5_of_hex, restore_text(subject), key, modulus, java_hash)
        for sha256, sha1, md5, md5_of_hex, subject, key, modulus, java_hash in rows
    )


def _load_parts(
    connection: sqlite3.Connection, build: int, origin: str, layout: str | None
) -> tuple[tuple[Part, ...], Bases]:
    rows = connection.execute(
        "SELECT position, kind, name, place, sha256, size FROM parts WHERE build = ? ORDER BY position", (build,)
    ).fetchall()
    stored = {row[0]: row for row in rows}
    if layout is None:
        placed = [(row[0], restore_text(row[2]), row[3]) for row in rows]
    else:
        placed = [(position, name, place) for position, name, place in _json(layout)]
    bases = {position: resolve_place(place, origin) for position, _, place in placed}
    parts = []
    for position, name, _ in placed:
        _, kind, _, _, sha256, size = stored[position]
        parts.append(Part(PartKind(kind), name, sha256, size, restore_origin(bases[position])))
    return tuple(parts), Bases(origin, bases)


def _load_answers(
    connection: sqlite3.Connection, build: int, catalog: int, bases: Bases
) -> tuple[tuple[Answer, ...], tuple[Problem, ...]]:
    row = connection.execute(
        "SELECT audits.id, subjects FROM audits JOIN subject_sets ON subject_sets.id = audits.asked"
        " WHERE build = ? AND catalog = ?",
        (build, catalog),
    ).fetchone()
    if row is None:
        return (), ()
    audit, subjects = row
    problems: dict[int, Problem] = {}
    listed = []
    for key, position, code, part, place, offset, detail, hides in connection.execute(
        "SELECT id, position, code, part, place, offset, detail, hides FROM problems WHERE audit = ?"
        " ORDER BY position, id",
        (audit,),
    ):
        problems[key] = _problem(code, bases.origin(part, place, offset), detail, hides)
        if position is not None:
            listed.append(problems[key])
    stored = {
        subject: _load_answer(connection, key, subject, verdict, problems, bases)
        for key, subject, verdict in connection.execute(
            "SELECT id, subject, verdict FROM answers WHERE audit = ?", (audit,)
        ).fetchall()
    }
    answers = tuple(stored.get(subject, Answer(subject, Verdict.NOT_FOUND)) for subject in _json(subjects))
    return answers, tuple(listed)


def _load_answer(
    connection: sqlite3.Connection,
    key: int,
    subject: str,
    verdict: str,
    problems: dict[int, Problem],
    bases: Bases,
) -> Answer:
    reasons = connection.execute("SELECT problem FROM answer_problems WHERE answer = ? ORDER BY position", (key,))
    hidden_by = tuple(problems[problem] for (problem,) in reasons)
    return Answer(subject, Verdict(verdict), _load_matches(connection, key, bases), hidden_by)


def _load_matches(connection: sqlite3.Connection, answer: int, bases: Bases) -> tuple[Match, ...]:
    rows = connection.execute(
        "SELECT id, signature, subject, role, grade, relation, confidence, version, detail, version_basis"
        " FROM matches"
        " WHERE answer = ? ORDER BY position",
        (answer,),
    ).fetchall()
    return tuple(
        Match(
            signature=signature,
            subject=subject,
            role=Role(role),
            grade=Grade(grade),
            hits=_load_hits(connection, key, bases),
            relation=None if relation is None else Relation(relation),
            confidence=Confidence(confidence),
            version=restore_text(version),
            detail=restore_text(detail),
            version_basis=VersionBasis(basis),
        )
        for key, signature, subject, role, grade, relation, confidence, version, detail, basis in rows
    )


def _load_hits(connection: sqlite3.Connection, match: int, bases: Bases) -> tuple[ClauseHit, ...]:
    rows = connection.execute(
        "SELECT id, clause, kind, matched, listed FROM clause_hits WHERE match = ? ORDER BY position", (match,)
    ).fetchall()
    return tuple(
        ClauseHit(clause, FactKind(kind), matched, listed, _load_evidence(connection, key, bases))
        for key, clause, kind, matched, listed in rows
    )


def _load_evidence(connection: sqlite3.Connection, hit: int, bases: Bases) -> tuple[Fact, ...]:
    rows = connection.execute(
        "SELECT kind, value, part, place, offset FROM evidence WHERE hit = ? ORDER BY position", (hit,)
    )
    return tuple(
        Fact(FactKind(kind), restore_text(value), bases.origin(part, place, offset))
        for kind, value, part, place, offset in rows
    )


def _load_findings(connection: sqlite3.Connection, scan_id: int, build: int) -> tuple[Finding, ...]:
    rows = connection.execute(
        "SELECT policy, subject, named, role, grade, status, relation, waiver FROM judgements"
        " WHERE scan = ? AND build = ? ORDER BY position",
        (scan_id, build),
    )
    return tuple(
        Finding(
            policy=policy,
            subject=subject,
            named=restore_text(named),
            role=Role(role),
            grade=Grade(grade),
            status=LegalStatus(status),
            relation=None if relation is None else Relation(relation),
            waiver=None if waiver is None else _waiver(_json(waiver)),
        )
        for policy, subject, named, role, grade, status, relation, waiver in rows
    )


def _waiver(fields: dict[str, str]) -> Waiver:
    return Waiver(
        id=fields["id"],
        owner=fields["owner"],
        reason=fields["reason"],
        expires=date.fromisoformat(fields["expires"]),
        subject=fields["subject"],
        app_id=fields["app_id"],
    )


def _problem(code: str, origin: Origin, detail: str, hides: str | None) -> Problem:
    hidden = None if hides is None else frozenset(FactKind(kind) for kind in _json(hides))
    return Problem(ProblemCode(code), origin, restore_text(detail), hidden)


def _value(connection: sqlite3.Connection, sql: str, key: int) -> Any:
    row = connection.execute(sql, (key,)).fetchone()
    return None if row is None else row[0]


def _json(stored: str) -> Any:
    return json.loads(restore_text(stored))
