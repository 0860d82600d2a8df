"""Facts for people and for grep: one per line, tabs between kind, value and origin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from auditor.model import Extraction, FactKind
from auditor.report.app_text import label_of
from auditor.report.inert import visible
from auditor.report.problem_text import hidden_words


def render_facts_text(extractions: Iterable[Extraction], kinds: frozenset[FactKind]) -> Iterator[str]:
    """Lines of facts below a heading per app; headings and problems start with '#'. No kind means all."""
    for extraction in extractions:
        app = extraction.app
        yield f"# {visible(label_of(app))} {visible(app.app_id)} {visible(app.version)} {visible(str(app.origin))}\n"
        for batch in extraction.facts:
            if kinds and batch.kind not in kinds:
                continue
            for value in batch.values:
                yield f"{batch.kind.value}\t{visible(value)}\t{visible(str(batch.fact(value).origin))}\n"
        for problem in extraction.problems:
            hidden = hidden_words(problem.hidden)
            may_hide = f" (may hide {hidden})" if hidden else ""
            place = visible(str(problem.origin))
            yield f"# not read: {place}: {problem.code.value}: {visible(problem.detail)}{may_hide}\n"
