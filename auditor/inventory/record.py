"""Writes a scan and its apps: one transaction per app, the same bytes once, the same answer replaced."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence

from auditor.inventory.facts_blob import PackedBatch, pack_facts
from auditor.inventory.stored_text import escape_text, path_text, place_below, place_from, restore_text
from auditor.inventory.string_filter import filter_of
from auditor.model import (
    Answer,
    App,
    Audit,
    Device,
    Extraction,
    FactKind,
    Finding,
    Match,
    Origin,
    Part,
    Problem,
    Scan,
    Signer,
    State,
    Verdict,
    Waiver,
    placement_of,
)

_STRINGS = frozenset({FactKind.DEX_STRING, FactKind.MACHO_STRING, FactKind.WRAPPER_STRING})
"""Kinds that are kept as a membership filter only."""


class _Places:
    """Says of an origin in which stored part of the app it lies, and where there."""

    def __init__(self, app: App, positions: Sequence[int]) -> None:
        self._app = path_text(app.origin)
        bases = [(path_text(part.origin), position) for part, position in zip(app.parts, positions, strict=True)]
        self._bases = sorted(bases, key=lambda base: (-len(base[0]), base[1]))
        self._known: dict[tuple[str, ...], tuple[int | None, str]] = {}

    def find(self, origin: Origin) -> tuple[int | None, str]:
        found = self._known.get(origin.path)
        if found is None:
            found = self._known[origin.path] = self._find(path_text(origin))
        return found

    def _find(self, text: str) -> tuple[int | None, str]:
        for base, position in self._bases:
            place = place_below(text, base)
            if place is not None:
                return position, place
        return None, place_from(text, self._app)


def insert_scan(
    connection: sqlite3.Connection, scan: Scan, *, started: str, device: Device | None, command: str
) -> int:
    """Write the row of a scan that begins; it is incomplete until `finish_scan`."""
    row = (
        escape_text(scan.tool),
        _key(connection, "catalogs", "digest", scan.catalog),
        scan.as_of.isoformat(),
        None if device is None else _device_key(connection, device),
        escape_text(command),
        started,
    )
    cursor = connection.execute(
        "INSERT INTO scans (tool, catalog, as_of, device, command, started) VALUES (?, ?, ?, ?, ?, ?)", row
    )
    scan_id = cursor.lastrowid
    assert scan_id is not None
    connection.executemany(
        "INSERT INTO scan_targets (scan, position, target) VALUES (?, ?, ?)",
        [(scan_id, position, escape_text(target)) for position, target in enumerate(scan.target)],
    )
    for problem in scan.problems:
        insert_scan_problem(connection, scan_id, problem)
    return scan_id


def finish_scan(connection: sqlite3.Connection, scan_id: int, *, finished: str, complete: bool) -> None:
    """Say when a scan ended and whether it went through all of its input."""
    connection.execute("UPDATE scans SET finished = ?, complete = ? WHERE id = ?", (finished, int(complete), scan_id))


def insert_scan_problem(connection: sqlite3.Connection, scan_id: int, problem: Problem) -> None:
    """Write a problem that belongs to no app; the same one again is the same row."""
    row = (
        scan_id,
        problem.code.value,
        path_text(problem.origin),
        problem.origin.offset,
        escape_text(problem.detail),
        _hides(problem),
    )
    connection.execute(
        "INSERT INTO problems (scan, code, place, offset, detail, hides, position) VALUES (?, ?, ?, ?, ?, ?,"
        " (SELECT ifnull(max(position), -1) + 1 FROM problems WHERE scan = ?)) ON CONFLICT DO NOTHING",
        (*row, scan_id),
    )


def insert_audit(connection: sqlite3.Connection, scan_id: int, audit: Audit, *, seen: str, user: str) -> None:
    """Write one app with everything said about it; the caller holds the transaction."""
    tool, catalog, device = connection.execute(
        "SELECT tool, catalog, device FROM scans WHERE id = ?", (scan_id,)
    ).fetchone()
    app = audit.app
    build = _upsert_build(connection, app, scan_id, seen)
    _replace_labels(connection, build, app)
    _replace_signers(connection, build, app)
    positions = _align_parts(connection, build, app)
    places = _Places(app, positions)
    _write_sighting(connection, (scan_id, build, device), app, positions, (seen, user))
    _write_facts(connection, build, tool, audit.extraction, places)
    _replace_answers(connection, (build, catalog, scan_id), audit, places)
    _replace_judgements(connection, scan_id, build, audit.findings)
    _index_search(connection, build, audit)


def _upsert_build(connection: sqlite3.Connection, app: App, scan_id: int, seen: str) -> int:
    signing = app.signing
    row = {
        "sha256": app.build,
        "platform": app.platform.value,
        "app_id": escape_text(app.app_id),
        "version": escape_text(app.version),
        "version_code": escape_text(app.version_code),
        "label": escape_text(app.label),
        "min_sdk": escape_text(app.min_sdk),
        "target_sdk": escape_text(app.target_sdk),
        "signing_state": signing.state.value,
        "signing_scheme": signing.scheme,
        "signing_detail": escape_text(signing.detail),
        "signing_present": json_text(signing.present),
        "signing_trusted": json_text(signing.trusted),
        "attributes": json_text(app.attributes),
        "first_seen": seen,
        "last_seen": seen,
        "last_scan": scan_id,
    }
    kept = {
        "sha256": "sha256",
        "first_seen": "min(first_seen, excluded.first_seen)",
        "last_seen": "max(last_seen, excluded.last_seen)",
    }
    names = ", ".join(row)
    updates = ", ".join(f"{name} = {kept.get(name, 'excluded.' + name)}" for name in row)
    sql = (
        f"INSERT INTO builds ({names}) VALUES ({', '.join('?' * len(row))})"
        f" ON CONFLICT (sha256) DO UPDATE SET {updates} RETURNING id"
    )
    return int(connection.execute(sql, tuple(row.values())).fetchone()[0])


def _replace_labels(connection: sqlite3.Connection, build: int, app: App) -> None:
    connection.execute("DELETE FROM labels WHERE build = ?", (build,))
    connection.executemany(
        "INSERT OR IGNORE INTO labels (build, locale, label) VALUES (?, ?, ?)",
        [(build, escape_text(locale), escape_text(label)) for locale, label in app.labels],
    )


def _replace_signers(connection: sqlite3.Connection, build: int, app: App) -> None:
    connection.execute("DELETE FROM build_signers WHERE build = ?", (build,))
    for role, signers in (("signer", app.signing.signers), ("lineage", app.signing.lineage)):
        connection.executemany(
            "INSERT INTO build_signers (build, role, position, signer) VALUES (?, ?, ?, ?)",
            [(build, role, at, signer_key(connection, signer)) for at, signer in enumerate(signers)],
        )


def signer_key(connection: sqlite3.Connection, signer: Signer) -> int:
    """Find or make the row of a certificate."""
    row = (
        signer.sha256,
        signer.sha1,
        signer.md5,
        signer.md5_of_hex,
        escape_text(signer.subject),
        signer.public_key_sha256,
        signer.rsa_modulus,
        signer.java_hash,
    )
    sql = (
        "INSERT INTO signers (sha256, sha1, md5, md5_of_hex, subject, public_key_sha256, rsa_modulus, java_hash)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (sha256) DO UPDATE SET subject = excluded.subject,"
        " java_hash = excluded.java_hash RETURNING id"
    )
    return int(connection.execute(sql, row).fetchone()[0])


def _align_parts(connection: sqlite3.Connection, build: int, app: App) -> list[int]:
    """Say for each part of ``app`` which stored part of the build has the same bytes; store them the first time."""
    stored = connection.execute("SELECT position, sha256 FROM parts WHERE build = ? ORDER BY position", (build,))
    free: dict[str, list[int]] = {}
    for position, sha256 in stored.fetchall():
        free.setdefault(sha256, []).append(position)
    if not free:
        base = path_text(app.origin)
        rows = [
            (build, at, part.kind.value, escape_text(part.name), _part_place(part, base), part.sha256, part.size)
            for at, part in enumerate(app.parts)
        ]
        connection.executemany(
            "INSERT INTO parts (build, position, kind, name, place, sha256, size) VALUES (?, ?, ?, ?, ?, ?, ?)", rows
        )
        return list(range(len(app.parts)))
    if sorted(part.sha256 for part in app.parts) != sorted(sha for sha, at in free.items() for _ in at):
        raise ValueError(f"build {app.build} was recorded with other parts: its key does not stand for its bytes")
    positions = [free[part.sha256].pop(0) for part in app.parts]
    connection.executemany(
        "UPDATE parts SET kind = ? WHERE build = ? AND position = ?",
        [(part.kind.value, build, at) for part, at in zip(app.parts, positions, strict=True)],
    )
    return positions


def _part_place(part: Part, base: str) -> str:
    return place_from(path_text(part.origin), base)


def _write_sighting(
    connection: sqlite3.Connection,
    keys: tuple[int, int, int | None],
    app: App,
    positions: Sequence[int],
    when: tuple[str, str],
) -> None:
    scan_id, build, device = keys
    seen, user = when
    placement = State.PRESENT if app.parent is not None else placement_of(app.origin).state
    state = "" if placement is State.UNKNOWN else placement.value
    key = (build, device, escape_text(user), path_text(app.origin))
    parent = None if app.parent is None else path_text(app.parent)
    layout = _layout(connection, build, app, positions)
    found = connection.execute(
        "SELECT id FROM sightings WHERE build = ? AND ifnull(device, 0) = ifnull(?, 0) AND user = ? AND origin = ?", key
    ).fetchone()
    if found is None:
        cursor = connection.execute(
            "INSERT INTO sightings (build, device, user, origin, parent, layout, state, first_seen, last_seen)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*key, parent, layout, state, seen, seen),
        )
        sighting = cursor.lastrowid
    else:
        sighting = found[0]
        connection.execute(
            "UPDATE sightings SET parent = ?, layout = ?, state = ?, first_seen = min(first_seen, ?),"
            " last_seen = max(last_seen, ?) WHERE id = ?",
            (parent, layout, state, seen, seen, sighting),
        )
    connection.execute("INSERT OR IGNORE INTO scan_sightings (scan, sighting) VALUES (?, ?)", (scan_id, sighting))


def _layout(connection: sqlite3.Connection, build: int, app: App, positions: Sequence[int]) -> str | None:
    """Names and places of the parts of this sighting, or None where they are those of the build."""
    base = path_text(app.origin)
    mine = [(position, part.name, _part_place(part, base)) for part, position in zip(app.parts, positions, strict=True)]
    rows = connection.execute("SELECT position, name, place FROM parts WHERE build = ? ORDER BY position", (build,))
    stored = [(position, restore_text(name), place) for position, name, place in rows]
    return None if mine == stored else json_text(mine)


def _write_facts(
    connection: sqlite3.Connection, build: int, tool: str, extraction: Extraction, places: _Places
) -> None:
    """Keep the facts, unless the same program already stored the same number of them from these bytes."""
    if not extraction.facts:
        return
    observed = sum(len(item.values) for item in extraction.facts)
    stored = connection.execute("SELECT tool, observed FROM build_facts WHERE build = ?", (build,)).fetchone()
    if stored == (tool, observed):
        return
    facts = pack_facts(
        PackedBatch(item.kind, *places.find(item.origin), item.origin.offset, item.values)
        for item in extraction.facts
        if item.kind not in _STRINGS
    )
    strings = filter_of(item.values for item in extraction.facts if item.kind in _STRINGS).to_bytes()
    connection.execute(
        "INSERT OR REPLACE INTO build_facts (build, tool, observed, size, facts, strings) VALUES (?, ?, ?, ?, ?, ?)",
        (build, tool, observed, len(facts) + len(strings), facts, strings),
    )


def _replace_answers(connection: sqlite3.Connection, keys: tuple[int, int, int], audit: Audit, places: _Places) -> None:
    build, catalog, scan_id = keys
    connection.execute("DELETE FROM audits WHERE build = ? AND catalog = ?", (build, catalog))
    asked = _key(connection, "subject_sets", "subjects", json_text([answer.subject for answer in audit.answers]))
    cursor = connection.execute(
        "INSERT INTO audits (build, catalog, scan, asked) VALUES (?, ?, ?, ?)", (build, catalog, scan_id, asked)
    )
    audit_id = cursor.lastrowid
    assert audit_id is not None
    problems: dict[Problem, int] = {}
    for position, problem in enumerate(audit.problems):
        problems[problem] = _insert_problem(connection, audit_id, position, problem, places)
    for answer in audit.answers:
        # NOT FOUND with nothing to show is most of all answers: it follows from the set of subjects.
        if answer.verdict is Verdict.NOT_FOUND and not answer.matches and not answer.hidden_by:
            continue
        for problem in answer.hidden_by:
            if problem not in problems:
                problems[problem] = _insert_problem(connection, audit_id, None, problem, places)
        _insert_answer(connection, audit_id, answer, problems, places)


def _insert_problem(
    connection: sqlite3.Connection, audit_id: int, position: int | None, problem: Problem, places: _Places
) -> int:
    row = (
        audit_id,
        position,
        problem.code.value,
        *places.find(problem.origin),
        problem.origin.offset,
        escape_text(problem.detail),
        _hides(problem),
    )
    cursor = connection.execute(
        "INSERT INTO problems (audit, position, code, part, place, offset, detail, hides)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        row,
    )
    return rowid(cursor)


def _insert_answer(
    connection: sqlite3.Connection, audit_id: int, answer: Answer, problems: dict[Problem, int], places: _Places
) -> None:
    cursor = connection.execute(
        "INSERT INTO answers (audit, subject, verdict) VALUES (?, ?, ?)",
        (audit_id, answer.subject, answer.verdict.value),
    )
    answer_id = rowid(cursor)
    connection.executemany(
        "INSERT INTO answer_problems (answer, position, problem) VALUES (?, ?, ?)",
        [(answer_id, position, problems[problem]) for position, problem in enumerate(answer.hidden_by)],
    )
    for position, match in enumerate(answer.matches):
        _insert_match(connection, answer_id, position, match, places)


def _insert_match(connection: sqlite3.Connection, answer_id: int, position: int, match: Match, places: _Places) -> None:
    row = (
        answer_id,
        position,
        match.signature,
        match.subject,
        match.role.value,
        match.grade.value,
        int(match.grade.is_finding),
        None if match.relation is None else match.relation.value,
        match.confidence.value,
        escape_text(match.version),
        escape_text(match.detail),
        match.version_basis.value,
    )
    cursor = connection.execute(
        "INSERT INTO matches (answer, position, signature, subject, role, grade, is_finding, relation, confidence,"
        " version, detail, version_basis) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        row,
    )
    match_id = rowid(cursor)
    for at, hit in enumerate(match.hits):
        cursor = connection.execute(
            "INSERT INTO clause_hits (match, position, clause, kind, matched, listed) VALUES (?, ?, ?, ?, ?, ?)",
            (match_id, at, hit.clause, hit.kind.value, hit.matched, hit.listed),
        )
        hit_id = rowid(cursor)
        connection.executemany(
            "INSERT INTO evidence (hit, position, kind, value, part, place, offset) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (hit_id, n, fact.kind.value, escape_text(fact.value), *places.find(fact.origin), fact.origin.offset)
                for n, fact in enumerate(hit.facts)
            ],
        )


def _replace_judgements(connection: sqlite3.Connection, scan_id: int, build: int, findings: Iterable[Finding]) -> None:
    connection.execute("DELETE FROM judgements WHERE scan = ? AND build = ?", (scan_id, build))
    rows = [
        (
            scan_id,
            build,
            position,
            finding.policy,
            finding.subject,
            escape_text(finding.named),
            finding.role.value,
            finding.grade.value,
            finding.status.value,
            None if finding.relation is None else finding.relation.value,
            None if finding.waiver is None else _waiver(finding.waiver),
        )
        for position, finding in enumerate(findings)
    ]
    connection.executemany(
        "INSERT INTO judgements (scan, build, position, policy, subject, named, role, grade, status, relation, waiver)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )


def _index_search(connection: sqlite3.Connection, build: int, audit: Audit) -> None:
    app = audit.app
    matches = [match for answer in audit.answers for match in answer.matches]
    texts = (
        [app.app_id],
        sorted({app.label, *(label for _, label in app.labels)}),
        sorted({match.subject for match in matches}),
        sorted({match.signature for match in matches}),
        sorted({f"{signer.subject} {signer.sha256}" for signer in (*app.signing.signers, *app.signing.lineage)}),
    )
    connection.execute("DELETE FROM search WHERE rowid = ?", (build,))
    connection.execute(
        "INSERT INTO search (rowid, app_id, labels, subjects, signatures, signers) VALUES (?, ?, ?, ?, ?, ?)",
        (build, *(escape_text("\n".join(text)) for text in texts)),
    )


def _device_key(connection: sqlite3.Connection, device: Device) -> int:
    fleet = _key(connection, "fleets", "name", device.fleet) if device.fleet else None
    key = _key(connection, "devices", "name", device.id)
    if fleet is not None:
        connection.execute("UPDATE devices SET fleet = ? WHERE id = ?", (fleet, key))
    return key


def _key(connection: sqlite3.Connection, table: str, column: str, value: str) -> int:
    """Find or make the row of a table that is little more than a name."""
    stored = escape_text(value)
    found = connection.execute(f"SELECT id FROM {table} WHERE {column} = ?", (stored,)).fetchone()
    if found is not None:
        return int(found[0])
    return rowid(connection.execute(f"INSERT INTO {table} ({column}) VALUES (?)", (stored,)))


def rowid(cursor: sqlite3.Cursor) -> int:
    """The key of the row that was just inserted."""
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def json_text(value: object) -> str:
    """JSON as it is stored."""
    return escape_text(json.dumps(value, separators=(",", ":"), ensure_ascii=False))


def _hides(problem: Problem) -> str | None:
    return None if problem.hides is None else json_text(sorted(kind.value for kind in problem.hides))


def _waiver(waiver: Waiver) -> str:
    fields = {
        "id": waiver.id,
        "owner": waiver.owner,
        "reason": waiver.reason,
        "expires": waiver.expires.isoformat(),
        "subject": waiver.subject,
        "app_id": waiver.app_id,
    }
    return json_text(fields)
