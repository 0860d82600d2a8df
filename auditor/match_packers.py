"""Recognise packers: what is visible of such an app is a loader, so its code was not seen."""

from __future__ import annotations

from dataclasses import replace

from auditor.catalog import Catalog
from auditor.match import ask
from auditor.model import Extraction, Problem, ProblemCode


def with_packers(extraction: Extraction, catalog: Catalog) -> Extraction:
    """The extraction with one more problem per packer that left its marks."""
    found: list[Problem] = []
    for packer in catalog.packers:
        for clause in packer.clauses:
            hit = ask(clause, extraction.of(clause.kind))
            if hit is not None:
                first = hit.facts[0]
                detail = f"{packer.name}: {first.kind} {first.value}"
                found.append(Problem(ProblemCode.CODE_PACKED, first.origin, detail))
                break
    if not found:
        return extraction
    return replace(extraction, problems=(*extraction.problems, *found))
