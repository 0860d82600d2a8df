"""The JSON form of records and of what they name."""

from __future__ import annotations

from typing import Any

from auditor.model import JudgedRecord, ListedApp, Signer
from auditor.report.match_document import finding_document, match_document


def record_document(judged: JudgedRecord) -> dict[str, Any]:
    """One record with every app it names."""
    record = judged.record
    return {
        "kind": record.kind.value,
        "origin": str(record.origin),
        "completeness": record.completeness.value,
        "detail": record.detail,
        "taken": record.taken,
        "users": [{"user": user.id, "profile": user.profile} for user in record.users],
        "device": dict(record.attributes),
        "apps": [listed_document(app) for app in judged.apps],
    }


def listed_document(app: ListedApp) -> dict[str, Any]:
    """One app as a record names it."""
    listing = app.listing
    return {
        "platform": listing.platform.value,
        "app_id": listing.app_id,
        "user": listing.user,
        "state": listing.state.value,
        "label": listing.label,
        "version": listing.version,
        "version_code": listing.version_code,
        "installer": listing.installer,
        "installed": listing.installed,
        "updated": listing.updated,
        "seen": listing.seen,
        "system": listing.system,
        "flags": list(listing.flags),
        "paths": list(listing.paths),
        "store_id": listing.store_id,
        "signers": [_signer(signer) for signer in listing.signers],
        "past_signers": [_signer(signer) for signer in listing.past_signers],
        "signer_digests": list(listing.signer_digests),
        "file_digests": list(listing.file_digests),
        "matches": [match_document(match) for match in app.matches],
        "findings": [finding_document(finding) for finding in app.findings],
    }


def _signer(signer: Signer) -> dict[str, str]:
    return {"sha256": signer.sha256, "subject": signer.subject}
