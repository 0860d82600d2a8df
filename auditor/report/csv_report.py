"""CSV: one row per app, subject and match, so that a spreadsheet can count; safe to open in one.

Every app has at least one row per subject, also where the answer is "not found". An app that only a record names has a
row where it is a designated app; the column `record` tells such rows from those of apps that were read. A file that
could not be read has a row without an app. Cells that a spreadsheet would compute start with an apostrophe; lists are
joined by '; '.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from auditor.judge import is_finding
from auditor.model import (
    Answer,
    App,
    Audit,
    Finding,
    JudgedRecord,
    Match,
    Problem,
    SigningState,
    Verdict,
    placement_of,
)
from auditor.report.content import Report
from auditor.report.inert import cell

COLUMNS = (
    "platform",
    "app_id",
    "label",
    "version",
    "version_code",
    "build",
    "origin",
    "parent",
    "signing",
    "signer_sha256",
    "subject",
    "verdict",
    "role",
    "grade",
    "relation",
    "signature",
    "sdk_version",
    "confidence",
    "evidence_kind",
    "evidence",
    "evidence_origin",
    "named_in",
    "hidden_by",
    "record",
    "completeness",
    "user",
    "state",
    "installer",
)
_ADDED = 5
"""Columns of devices, which came later than the rest."""


def render_csv(report: Report) -> Iterator[str]:
    """Lines that end in CR LF, as RFC 4180 has it; new columns are only ever added at the end."""
    yield _line(COLUMNS)
    for audit in report.audits:
        for row in _rows(audit):
            yield _line(row)
    for judged in report.records:
        for row in dict.fromkeys(_record_rows(judged)):
            yield _line(row)
    for problem in report.problems:
        yield _line(_problem_row(problem))


def _line(cells: tuple[str, ...]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow([cell(text) for text in cells])
    return buffer.getvalue()


def _rows(audit: Audit) -> Iterator[tuple[str, ...]]:
    identity = _identity(audit)
    for answer in audit.answers:
        for match in answer.matches or (None,):
            said = (answer.subject, answer.verdict.value, *_match(match), *_context(audit, answer, match))
            yield (*identity, *said, *_place(audit.app))
    if not audit.answers:
        empty = ("",) * (len(COLUMNS) - len(identity) - 1 - _ADDED)
        yield (*identity, *empty, _codes(audit.problems), *_place(audit.app))


def _place(app: App) -> tuple[str, ...]:
    """What the place of an app on a device tells."""
    placement = placement_of(app.origin)
    state = placement.state.value if placement.on_device and app.parent is None else ""
    return ("", "", placement.user, state, "")


def _record_rows(judged: JudgedRecord) -> Iterator[tuple[str, ...]]:
    record = judged.record
    for app in judged.apps:
        listing = app.listing
        for match in app.matches:
            findings = [item for item in app.findings if item.subject == match.subject]
            yield (
                listing.platform.value,
                listing.app_id,
                listing.label,
                listing.version,
                listing.version_code,
                "",
                str(record.origin),
                "",
                SigningState.RECORDED.value if listing.signers or listing.signer_digests else "",
                "; ".join(signer.sha256 for signer in listing.signers),
                match.subject,
                Verdict.PRESENT.value if is_finding(match) and listing.state.is_presence else "",
                *_match(match),
                "; ".join(_named(item) for item in findings),
                "",
                record.kind.value,
                record.completeness.value,
                listing.user,
                listing.state.value,
                listing.installer,
            )


def _identity(audit: Audit) -> tuple[str, ...]:
    app = audit.app
    return (
        app.platform.value,
        app.app_id,
        app.label,
        app.version,
        app.version_code,
        app.build,
        str(app.origin),
        "" if app.parent is None else str(app.parent),
        app.signing.state.value,
        "; ".join(signer.sha256 for signer in app.signing.signers),
    )


def _match(match: Match | None) -> tuple[str, ...]:
    if match is None:
        return ("",) * 9
    fact = match.hits[0].facts[0] if match.hits and match.hits[0].facts else None
    return (
        match.role.value,
        match.grade.value,
        "" if match.relation is None else match.relation.value,
        match.signature,
        match.version,
        match.confidence.value,
        "" if fact is None else fact.kind.value,
        "" if fact is None else fact.value,
        "" if fact is None else str(fact.origin),
    )


def _context(audit: Audit, answer: Answer, match: Match | None) -> tuple[str, str]:
    """Policies belong to the row of the match the findings rest on, the strongest."""
    strongest = answer.verdict is Verdict.PRESENT and match is answer.matches[0]
    named = [_named(item) for item in audit.findings if item.subject == answer.subject] if strongest else []
    return "; ".join(named), _codes(answer.hidden_by)


def _named(finding: Finding) -> str:
    accepted = "" if finding.waiver is None else f", accepted as {finding.waiver.id}"
    return f"{finding.policy} ({finding.status.value}{accepted})"


def _codes(problems: tuple[Problem, ...]) -> str:
    return "; ".join(sorted({problem.code.value for problem in problems}))


def _problem_row(problem: Problem) -> tuple[str, ...]:
    values = dict.fromkeys(COLUMNS, "")
    values["origin"] = str(problem.origin)
    values["verdict"] = Verdict.UNKNOWN.value if problem.hidden else ""
    values["hidden_by"] = f"{problem.code.value}: {problem.detail}"
    return tuple(values.values())
