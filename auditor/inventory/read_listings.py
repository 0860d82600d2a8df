"""Loads the records of a scan back into the nouns they were recorded from."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

from auditor.inventory.stored_text import restore_origin, restore_text
from auditor.model import (
    ClauseHit,
    Completeness,
    Confidence,
    DeviceRecord,
    DeviceUser,
    Fact,
    FactKind,
    Finding,
    Grade,
    JudgedRecord,
    LegalStatus,
    ListedApp,
    Listing,
    Match,
    Platform,
    RecordKind,
    Relation,
    Role,
    Signer,
    State,
)

_LISTED = (
    "SELECT listed.id, platform, app_id, version, version_code, label, origin, user, state, installer, installed,"
    " updated, seen, system, store_id, signers, more FROM listed JOIN sightings ON sightings.id = listed.sighting"
    " JOIN listings ON listings.id = sightings.listing WHERE record = ? ORDER BY position"
)
_MATCHES = (
    "SELECT listed, signature, subject, role, grade, relation, confidence, version, detail, evidence"
    " FROM listed JOIN listed_matches ON listed_matches.listed = listed.id WHERE record = ?"
    " ORDER BY listed, listed_matches.position"
)
_FINDINGS = (
    "SELECT listed, policy, subject, named, role, grade, status, relation"
    " FROM listed JOIN listed_findings ON listed_findings.listed = listed.id WHERE record = ?"
    " ORDER BY listed, listed_findings.position"
)
_SIGNERS = (
    "SELECT sha256, sha1, md5, md5_of_hex, subject, public_key_sha256, rsa_modulus, java_hash FROM signers"
    " WHERE sha256 = ?"
)


def load_records(connection: sqlite3.Connection, scan_id: int) -> Iterator[JudgedRecord]:
    """The records of one scan in the order they were read; their problems are those of the scan."""
    rows = connection.execute(
        "SELECT id, kind, origin, completeness, detail, taken, users, attributes FROM records WHERE scan = ?"
        " ORDER BY position",
        (scan_id,),
    ).fetchall()
    signers: dict[str, Signer] = {}
    for key, kind, origin, completeness, detail, taken, users, attributes in rows:
        apps = tuple(_load_apps(connection, key, signers))
        record = DeviceRecord(
            kind=RecordKind(kind),
            origin=restore_origin(origin, None),
            completeness=Completeness(completeness),
            detail=restore_text(detail),
            taken=restore_text(taken),
            listings=tuple(app.listing for app in apps),
            users=tuple(DeviceUser(user, profile) for user, profile in _json(users)),
            attributes=tuple((name, value) for name, value in _json(attributes)),
        )
        yield JudgedRecord(record, apps)


def _load_apps(connection: sqlite3.Connection, record: int, signers: dict[str, Signer]) -> Iterator[ListedApp]:
    """Three queries for all apps of a record: most have no match."""
    listings = {row[0]: _listing(connection, row, signers) for row in connection.execute(_LISTED, (record,)).fetchall()}
    matches: dict[int, list[Match]] = {}
    for key, *row in connection.execute(_MATCHES, (record,)):
        matches.setdefault(key, []).append(_match(row, listings[key]))
    findings: dict[int, list[Finding]] = {}
    for key, *row in connection.execute(_FINDINGS, (record,)):
        findings.setdefault(key, []).append(_finding(row))
    for key, listing in listings.items():
        yield ListedApp(listing, tuple(matches.get(key, ())), tuple(findings.get(key, ())))


def _listing(connection: sqlite3.Connection, row: tuple[Any, ...], signers: dict[str, Signer]) -> Listing:
    _, platform, app_id, version, code, label, origin, user, state, installer, installed, updated, seen, *rest = row
    system, store_id, signed, more = rest
    signed_by, further = _json(signed), _json(more)
    return Listing(
        platform=Platform(platform),
        app_id=restore_text(app_id),
        origin=restore_origin(origin, further.get("offset")),
        state=State(state),
        user=restore_text(user),
        version=restore_text(version),
        version_code=restore_text(code),
        label=restore_text(label),
        signers=_load_signers(connection, signed_by["current"], signers),
        past_signers=_load_signers(connection, signed_by["past"], signers),
        signer_digests=tuple(signed_by["digests"]),
        file_digests=tuple(further["file_digests"]),
        installer=restore_text(installer),
        installed=restore_text(installed),
        updated=restore_text(updated),
        seen=restore_text(seen),
        paths=tuple(further["paths"]),
        store_id=restore_text(store_id),
        system=None if system is None else bool(system),
        flags=tuple(further["flags"]),
    )


def _load_signers(connection: sqlite3.Connection, wanted: list[str], known: dict[str, Signer]) -> tuple[Signer, ...]:
    for sha256 in wanted:
        if sha256 not in known:
            digest, sha1, md5, md5_of_hex, subject, key, modulus, java_hash = connection.execute(
                _SIGNERS, (sha256,)
            ).fetchone()
            known[sha256] = Signer(digest, sha1, md5, md5_of_hex, restore_text(subject), key, modulus, java_hash)
    return tuple(known[sha256] for sha256 in wanted)


def _match(row: list[Any], listing: Listing) -> Match:
    signature, subject, role, grade, relation, confidence, version, detail, evidence = row
    return Match(
        signature=signature,
        subject=subject,
        role=Role(role),
        grade=Grade(grade),
        hits=tuple(_hit(item, listing) for item in _json(evidence)),
        relation=None if relation is None else Relation(relation),
        confidence=Confidence(confidence),
        version=restore_text(version),
        detail=restore_text(detail),
    )


def _hit(stored: list[Any], listing: Listing) -> ClauseHit:
    clause, kind, matched, listed, values = stored
    facts = tuple(Fact(FactKind(kind), value, listing.origin.at(None)) for value in values)
    return ClauseHit(clause, FactKind(kind), matched, listed, facts)


def _finding(row: list[Any]) -> Finding:
    policy, subject, named, role, grade, status, relation = row
    return Finding(
        policy=policy,
        subject=subject,
        named=restore_text(named),
        role=Role(role),
        grade=Grade(grade),
        status=LegalStatus(status),
        relation=None if relation is None else Relation(relation),
    )


def _json(stored: str) -> Any:
    return json.loads(restore_text(stored))
