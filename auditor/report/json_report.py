"""JSON and JSON lines: the same bytes for the same input, UTF-8 that every reader takes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from auditor.model import Audit, Extraction, FactKind
from auditor.report.content import Report
from auditor.report.document import (
    FACTS_SCHEMA,
    SCHEMA,
    app_document,
    identity_document,
    problem_document,
    report_document,
    run_document,
    summary_document,
)
from auditor.report.inert import json_inert
from auditor.report.record_document import record_document


def render_json(report: Report) -> str:
    """One document, indented."""
    return _dumps(report_document(report), indent=2) + "\n"


def render_jsonl(report: Report) -> Iterator[str]:
    """One line per app, then one per problem outside any app, then the summary; the type comes first."""
    for audit in report.audits:
        yield render_app_line(audit)
    yield from render_last_lines(report)


def render_app_line(audit: Audit) -> str:
    """One app, as soon as it is known."""
    return _line("app", app_document(audit))


def render_last_lines(report: Report) -> Iterator[str]:
    """What follows the apps; a stream without a summary line was cut off."""
    for judged in report.records:
        yield _line("record", record_document(judged))
    for problem in report.problems:
        yield _line("problem", problem_document(problem))
    yield _line("summary", {"schema": SCHEMA, **run_document(report), **summary_document(report)})


def render_facts_json(extractions: Iterator[Extraction], kinds: frozenset[FactKind]) -> Iterator[str]:
    """Facts of some kinds (of all, where none is named), piece by piece: an app can hold millions."""
    yield f'{{\n  "schema": "{FACTS_SCHEMA}",\n  "apps": ['
    first_app = True
    for extraction in extractions:
        yield "" if first_app else ","
        first_app = False
        opening = _dumps(identity_document(extraction.app))
        problems = _dumps([problem_document(problem) for problem in extraction.problems])
        yield f'\n    {opening[:-1]}, "problems": {problems}, "facts": ['
        yield from _facts(extraction, kinds)
        yield "\n    ]}"
    yield "\n  ]\n}\n"


def _facts(extraction: Extraction, kinds: frozenset[FactKind]) -> Iterator[str]:
    separator = ""
    for batch in extraction.facts:
        if kinds and batch.kind not in kinds:
            continue
        for value in batch.values:
            fact = batch.fact(value)
            shown = _dumps({"kind": fact.kind.value, "value": fact.value, "origin": str(fact.origin)})
            yield f"{separator}\n      {shown}"
            separator = ","


def _line(kind: str, document: dict[str, Any]) -> str:
    return _dumps({"type": kind, **document}) + "\n"


def _dumps(document: Any, indent: int | None = None) -> str:
    return json_inert(json.dumps(document, ensure_ascii=False, indent=indent))
