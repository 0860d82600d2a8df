"""The JSON form of matches with their evidence, and of findings."""

from __future__ import annotations

from typing import Any

from auditor.model import ClauseHit, Finding, Match

Document = dict[str, Any]


def match_document(match: Match) -> Document:
    """One match with its evidence."""
    return {
        "signature": match.signature,
        "role": match.role.value,
        "grade": match.grade.value,
        "relation": None if match.relation is None else match.relation.value,
        "confidence": match.confidence.value,
        "version": match.version,
        "version_basis": match.version_basis.value,
        "detail": match.detail,
        "evidence": [_evidence(hit) for hit in match.hits],
    }


def _evidence(hit: ClauseHit) -> Document:
    return {
        "clause": hit.clause,
        "kind": hit.kind.value,
        "matched": hit.matched,
        "listed": hit.listed,
        "facts": [{"value": fact.value, "origin": str(fact.origin)} for fact in hit.facts],
    }


def finding_document(finding: Finding) -> Document:
    """One finding."""
    waiver = finding.waiver
    return {
        "policy": finding.policy,
        "subject": finding.subject,
        "named": finding.named,
        "role": finding.role.value,
        "grade": finding.grade.value,
        "relation": None if finding.relation is None else finding.relation.value,
        "status": finding.status.value,
        "waiver": None
        if waiver is None
        else {
            "id": waiver.id,
            "owner": waiver.owner,
            "reason": waiver.reason,
            "expires": waiver.expires.isoformat(),
        },
    }
