"""Writes what records of devices say: the record, each app it names, and what that app was judged to be."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from auditor.inventory.record import json_text, rowid, signer_key
from auditor.inventory.stored_text import escape_text, path_text
from auditor.model import DeviceRecord, JudgedRecord, ListedApp, Listing, Match


def insert_record(connection: sqlite3.Connection, scan_id: int, judged: JudgedRecord, *, seen: str) -> None:
    """Write one record with all it names; the caller holds the transaction."""
    device = connection.execute("SELECT device FROM scans WHERE id = ?", (scan_id,)).fetchone()[0]
    record = _insert_record(connection, scan_id, judged.record)
    for position, app in enumerate(judged.apps):
        sighting = _upsert_sighting(connection, app.listing, device, seen)
        connection.execute("INSERT OR IGNORE INTO scan_sightings (scan, sighting) VALUES (?, ?)", (scan_id, sighting))
        listed = _insert_listed(connection, record, position, sighting, app.listing)
        _insert_matches(connection, listed, app.matches)
        _insert_findings(connection, listed, app)


def _insert_record(connection: sqlite3.Connection, scan_id: int, record: DeviceRecord) -> int:
    row = (
        scan_id,
        scan_id,
        record.kind.value,
        path_text(record.origin),
        record.completeness.value,
        escape_text(record.detail),
        record.taken,
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


def _insert_listed(connection: sqlite3.Connection, record: int, position: int, sighting: int, listing: Listing) -> int:
    for signer in (*listing.signers, *listing.past_signers):
        signer_key(connection, signer)
    signers = {
        "current": [signer.sha256 for signer in listing.signers],
        "past": [signer.sha256 for signer in listing.past_signers],
        "digests": list(listing.signer_digests),
    }
    more = {"paths": listing.paths, "file_digests": listing.file_digests, "flags": listing.flags}
    row = (
        record,
        position,
        sighting,
        escape_text(listing.installer),
        escape_text(listing.installed),
        escape_text(listing.updated),
        escape_text(listing.seen),
        None if listing.system is None else int(listing.system),
        escape_text(listing.store_id),
        json_text(signers),
        json_text(more),
    )
    return rowid(
        connection.execute(
            "INSERT INTO listed (record, position, sighting, installer, installed, updated, seen, system, store_id,"
            " signers, more) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            row,
        )
    )


def _insert_matches(connection: sqlite3.Connection, listed: int, matches: Iterable[Match]) -> None:
    rows = [
        (
            listed,
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
            json_text(
                [
                    (hit.clause, hit.kind.value, hit.matched, hit.listed, [fact.value for fact in hit.facts])
                    for hit in match.hits
                ]
            ),
        )
        for position, match in enumerate(matches)
    ]
    connection.executemany(
        "INSERT INTO listed_matches (listed, position, signature, subject, role, grade, is_finding, relation,"
        " confidence, version, detail, evidence) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )


def _insert_findings(connection: sqlite3.Connection, listed: int, app: ListedApp) -> None:
    rows = [
        (
            listed,
            position,
            finding.policy,
            finding.subject,
            escape_text(finding.named),
            finding.role.value,
            finding.grade.value,
            finding.status.value,
            None if finding.relation is None else finding.relation.value,
        )
        for position, finding in enumerate(app.findings)
    ]
    connection.executemany(
        "INSERT INTO listed_findings (listed, position, policy, subject, named, role, grade, status, relation)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )
