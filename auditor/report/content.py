"""What the renderers take: the audits of a run without their facts, in one order whatever the order of the input."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from auditor import __version__
from auditor.model import Audit, Extraction, JudgedRecord, Origin, Problem
from auditor.report.listed import ListedEntry, entries_of
from auditor.report.outcome import FailOn, Outcome

if TYPE_CHECKING:
    from auditor.scan import Run


@dataclass(frozen=True, slots=True)
class Report:
    """A run, ready to be rendered; ``collect`` makes one."""

    audits: tuple[Audit, ...]
    problems: tuple[Problem, ...]
    """Problems that belong to no app."""
    tool: tuple[str, str]
    """Name and version of the program that read the files."""
    catalog: str
    """Digest of the catalog the files were matched with."""
    as_of: date
    fail_on: FailOn
    ended: bool = True
    """False for a run that was interrupted."""
    records: tuple[JudgedRecord, ...] = ()
    """What files that only name apps say, by origin."""

    @property
    def entries(self) -> tuple[ListedEntry, ...]:
        """The apps that records name, each once."""
        return entries_of(self.records, self.audits)

    @property
    def outcome(self) -> Outcome:
        """The sums, counted anew."""
        outcome = Outcome(ended=self.ended)
        for audit in self.audits:
            outcome.add(audit)
        for problem in self.problems:
            outcome.add_problem(problem)
        for entry in self.entries:
            outcome.add_listed(entry)
        return outcome

    @property
    def exit_code(self) -> int:
        return self.outcome.exit_code(self.fail_on)


def collect(
    audits: Iterable[Audit],
    problems: Iterable[Problem],
    *,
    tool: tuple[str, str],
    catalog: str,
    as_of: date,
    fail_on: FailOn,
    ended: bool = True,
    records: Iterable[JudgedRecord] = (),
) -> Report:
    """Bring audits and problems into report order: apps by origin, id and build; problems by origin and code."""
    return Report(
        audits=tuple(sorted(audits, key=audit_order)),
        problems=sorted_problems(problems),
        tool=tool,
        catalog=catalog,
        as_of=as_of,
        fail_on=fail_on,
        ended=ended,
        records=tuple(sorted(records, key=lambda judged: (judged.record.origin.path, judged.record.kind.value))),
    )


def report_of(run: Run, audits: Iterable[Audit], fail_on: FailOn, *, ended: bool = True) -> Report:
    """The report on a run that was iterated."""
    return collect(
        audits,
        run.problems,
        tool=("auditor", __version__),
        catalog=run.catalog.digest,
        as_of=run.as_of,
        fail_on=fail_on,
        ended=ended,
        records=run.records,
    )


def without_facts(audits: Iterable[Audit]) -> Iterator[Audit]:
    """The same audits without the facts behind them: no renderer needs more than the evidence in the matches."""
    for audit in audits:
        yield replace(audit, extraction=Extraction(audit.app, (), audit.problems))


def sorted_problems(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Problems by origin, code and detail."""
    return tuple(sorted(problems, key=lambda item: (origin_order(item.origin), item.code.value, item.detail)))


def audit_order(audit: Audit) -> tuple[tuple[tuple[str, ...], int], str, str]:
    """Where an app stands in a report."""
    app = audit.app
    return origin_order(app.origin), app.app_id, app.build


def origin_order(origin: Origin) -> tuple[tuple[str, ...], int]:
    """Compare origins of which only some know an offset."""
    return origin.path, -1 if origin.offset is None else origin.offset
