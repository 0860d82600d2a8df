"""Writes what records of devices say: the record, each app it names, and what that app was judged to be."""

from __future__ import annotations

import sqlite3

from auditor.inventory.record import json_text, rowid, signer_key
from auditor.inventory.stored_text import escape_text, path_text
from auditor.model import DeviceRecord, JudgedRecord, Listing, Match


def insert_record(connection: sqlite3.Connection, scan_id: int, judged: JudgedRecord, *, seen: str) -> None:
    """Write one record with all it names; the caller holds the transaction."""
    device = connection.execute("SELECT device FROM scans WHERE id = ?", (scan_id,)).fetchone()[0]
    record = _insert_record(connection, scan_id, judged.record)
    _insert_signers(connection, judged)
    sightings = [_upsert_sighting(connection, app.listing, device, seen) for app in judged.apps]
    connection.executemany(
        "INSERT OR IGNORE INTO scan_sightings (scan, sighting) VALUES (?, ?)",
        [(scan_id, sighting) for sighting in sightings],
    )
    first = _insert_listed(connection, record, sightings, judged)
    _insert_matches(connection, first, judged)
    _insert_findings(connection, first, judged)


def _insert_record(connection: sqlite3.Connection, scan_id: int, record: DeviceRecord) -> int:
    row = (
        scan_id,
        scan_id,
        record.kind.value,
        path_text(record.origin),
        record.completeness.value,
        escape_text(record.detail),
        escape_text(record.taken),
        json_text([(user.id, user.profile) for user in record.users]),
        json_text(record.attributes),
    )
    cursor = connection.execute(
        "INSERT INTO records (scan, position, kind, origin, completeness, detail, taken, users, attributes) VALUES"
        " (?, (SELECT ifnull(max(position), -1) + 1 FROM records WHERE scan = ?), ?, ?, ?, ?, ?, ?, ?)",
        row,
    )
    return rowid(cursor)


def _upsert_sighting(connection: sqlite3.Connection, listing: Listing, device: int | None, seen: str) -> int:
    texts = (listing.app_id, listing.version, listing.version_code, listing.label)
    app = connection.execute(
        "INSERT INTO listings (platform, app_id, version, version_code, label, first_seen, last_seen)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (platform, app_id, version, version_code, label) DO UPDATE SET"
        " first_seen = min(first_seen, excluded.first_seen), last_seen = max(last_seen, excluded.last_seen)"
        " RETURNING id",
        (listing.platform.value, *(escape_text(text) for text in texts), seen, seen),
    ).fetchone()[0]
    key = (app, device, escape_text(listing.user), path_text(listing.origin), listing.state.value)
    found = connection.execute(
        "SELECT id FROM sightings WHERE listing = ? AND ifnull(device, 0) = ifnull(?, 0) AND user = ? AND origin = ?"
        " AND state = ?",
        key,
    ).fetchone()
    if found is None:
        return rowid(
            connection.execute(
                "INSERT INTO sightings (listing, device, user, origin, state, first_seen, last_seen)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (*key, seen, seen),
            )
        )
    connection.execute(
        "UPDATE sightings SET first_seen = min(first_seen, ?), last_seen = max(last_seen, ?) WHERE id = ?",
        (seen, seen, found[0]),
    )
    return int(found[0])


def _insert_signers(connection: sqlite3.Connection, judged: JudgedRecord) -> None:
    """The same few certificates sign most apps of a device."""
    listings = [app.listing for app in judged.apps]
    for signer in dict.fromkeys(item for listing in listings for item in (*listing.signers, *listing.past_signers)):
        signer_key(connection, signer)


def _insert_listed(connection: sqlite3.Connection, record: int, sightings: list[int], judged: JudgedRecord) -> int:
    """Write one row per app, and return the key of the first: they follow each other."""
    first: int = connection.execute("SELECT ifnull(max(id), 0) + 1 FROM listed").fetchone()[0]
    rows = [
        (first + position, record, position, sighting, *_listed(app.listing))
        for position, (sighting, app) in enumerate(zip(sightings, judged.apps, strict=True))
    ]
    connection.executemany(
        "INSERT INTO listed (id, record, position, sighting, installer, installed, updated, seen, system, store_id,"
        " signers, more) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )
    return first


def _listed(listing: Listing) -> tuple[object, ...]:
    signers = {
        "current": [signer.sha256 for signer in listing.signers],
        "past": [signer.sha256 for signer in listing.past_signers],
        "digests": listing.signer_digests,
    }
    more = {
        "paths": listing.paths,
        "file_digests": listing.file_digests,
        "flags": listing.flags,
        "offset": listing.origin.offset,
    }
    return (
        escape_text(listing.installer),
        escape_text(listing.installed),
        escape_text(listing.updated),
        escape_text(listing.seen),
        None if listing.system is None else int(listing.system),
        escape_text(listing.store_id),
        json_text(signers),
        json_text(more),
    )


def _insert_matches(connection: sqlite3.Connection, first: int, judged: JudgedRecord) -> None:
    rows = [
        (first + number, position, *_match(match))
        for number, app in enumerate(judged.apps)
        for position, match in enumerate(app.matches)
    ]
    connection.executemany(
        "INSERT INTO listed_matches (listed, position, signature, subject, role, grade, is_finding, relation,"
        " confidence, version, detail, evidence) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )


def _match(match: Match) -> tuple[object, ...]:
    evidence = [
        (hit.clause, hit.kind.value, hit.matched, hit.listed, [fact.value for fact in hit.facts]) for hit in match.hits
    ]
    return (
        match.signature,
        match.subject,
        match.role.value,
        match.grade.value,
        int(match.grade.is_finding),
        None if match.relation is None else match.relation.value,
        match.confidence.value,
        escape_text(match.version),
        escape_text(match.detail),
        json_text(evidence),
    )


def _insert_findings(connection: sqlite3.Connection, first: int, judged: JudgedRecord) -> None:
    rows = [
        (
            first + number,
            position,
            finding.policy,
            finding.subject,
            escape_text(finding.named),
            finding.role.value,
            finding.grade.value,
            finding.status.value,
            None if finding.relation is None else finding.relation.value,
        )
        for number, app in enumerate(judged.apps)
        for position, finding in enumerate(app.findings)
    ]
    connection.executemany(
        "INSERT INTO listed_findings (listed, position, policy, subject, named, role, grade, status, relation)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )
