"""The JSON form of audits; the only place that knows its names. Plain dicts in a fixed order, no clock, no path."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from auditor.model import (
    Answer,
    App,
    Audit,
    FactKind,
    Part,
    Problem,
    Signer,
    Signing,
    Verdict,
)
from auditor.report.content import Report, origin_order, sorted_problems
from auditor.report.match_document import Document, finding_document, match_document
from auditor.report.record_document import record_document

SCHEMA = "auditor/report/1"
FACTS_SCHEMA = "auditor/facts/1"


def report_document(report: Report) -> Document:
    """The whole report as one document."""
    return {
        "schema": SCHEMA,
        **run_document(report),
        "apps": [app_document(audit) for audit in report.audits],
        "records": [record_document(judged) for judged in report.records],
        "problems": [problem_document(problem) for problem in report.problems],
        "summary": summary_document(report),
    }


def run_document(report: Report) -> Document:
    """What the answers rest on."""
    name, version = report.tool
    return {
        "tool": {"name": name, "version": version},
        "catalog": report.catalog,
        "as_of": report.as_of.isoformat(),
    }


def summary_document(report: Report) -> Document:
    """The sums of a report and the exit code that says them."""
    outcome = report.outcome
    return {
        "apps": outcome.apps,
        "present": outcome.present,
        "unknown": outcome.unknown,
        "unread": outcome.unread,
        "listed": outcome.listed,
        "listed_present": outcome.listed_present,
        "listed_unseen": outcome.unseen,
        "subjects": _subjects(report.audits),
        "complete": outcome.complete,
        "interrupted": not outcome.ended,
        "fail_on": sorted(report.fail_on.grades) + (["vendor"] if report.fail_on.vendor else []),
        "exit_code": outcome.exit_code(report.fail_on),
    }


def _subjects(audits: Iterable[Audit]) -> Document:
    counts: dict[str, Counter[Verdict]] = {}
    for audit in audits:
        for answer in audit.answers:
            counts.setdefault(answer.subject, Counter())[answer.verdict] += 1
    return {
        subject: {verdict.value: counted[verdict] for verdict in Verdict} for subject, counted in sorted(counts.items())
    }


def app_document(audit: Audit) -> Document:
    """One app with everything said about it."""
    return {
        **identity_document(audit.app),
        "answers": [_answer(answer) for answer in audit.answers],
        "findings": [finding_document(finding) for finding in audit.findings],
        "problems": [problem_document(problem) for problem in sorted_problems(audit.problems)],
    }


def identity_document(app: App) -> Document:
    """One app without what is said about it."""
    return {
        "platform": app.platform.value,
        "app_id": app.app_id,
        "label": app.label,
        "labels": dict(app.labels),
        "version": app.version,
        "version_code": app.version_code,
        "build": app.build,
        "origin": str(app.origin),
        "parent": None if app.parent is None else str(app.parent),
        "min_sdk": app.min_sdk,
        "target_sdk": app.target_sdk,
        "parts": [_part(part) for part in sorted(app.parts, key=lambda part: (origin_order(part.origin), part.name))],
        "signing": _signing(app.signing),
        "attributes": dict(app.attributes),
    }


def problem_document(problem: Problem) -> Document:
    """One problem with the kinds of facts it may hide."""
    return {
        "code": problem.code.value,
        "origin": str(problem.origin),
        "detail": problem.detail,
        "hides": _kinds(problem.hidden),
    }


def _kinds(kinds: Iterable[FactKind]) -> list[str]:
    return sorted(kind.value for kind in kinds)


def _part(part: Part) -> Document:
    return {
        "kind": part.kind.value,
        "name": part.name,
        "sha256": part.sha256,
        "size": part.size,
        "origin": str(part.origin),
    }


def _signing(signing: Signing) -> Document:
    return {
        "state": signing.state.value,
        "scheme": signing.scheme,
        "signers": [_signer(signer) for signer in signing.signers],
        "lineage": [_signer(signer) for signer in signing.lineage],
        "present": list(signing.present),
        "trusted": [{"from_sdk": level, "scheme": scheme} for level, scheme in signing.trusted],
        "detail": signing.detail,
    }


def _signer(signer: Signer) -> Document:
    return {
        "sha256": signer.sha256,
        "sha1": signer.sha1,
        "md5": signer.md5,
        "subject": signer.subject,
        "public_key_sha256": signer.public_key_sha256,
    }


def _answer(answer: Answer) -> Document:
    """The verdict, and role, grade and relation of the strongest match."""
    first = answer.matches[0] if answer.matches else None
    return {
        "subject": answer.subject,
        "verdict": answer.verdict.value,
        "role": None if first is None else first.role.value,
        "grade": None if first is None else first.grade.value,
        "relation": None if first is None or first.relation is None else first.relation.value,
        "matches": [match_document(match) for match in answer.matches],
        "hidden_by": [
            {"code": problem.code.value, "origin": str(problem.origin)} for problem in sorted_problems(answer.hidden_by)
        ],
    }
