"""``auditor facts``: everything observed in a file, as the signatures see it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from auditor.cli.options import limit_option, quiet_options, today

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from auditor.limits import Limits
    from auditor.model import Audit, Extraction, FactKind
    from auditor.report.outcome import Outcome

_EPILOG = """\b
Examples:
  auditor facts app.apk --kind dex.class | grep -i wxapi
  auditor facts app.ipa --kind ios.queried-scheme --kind app.id
  auditor facts app.apk --format json > facts.json

Text has one fact per line: kind, value and origin with tabs between them.
'auditor explain fact-kinds' lists the kinds.
"""


def _kinds(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> frozenset[FactKind]:
    """Read fact kinds, each by its name or by the first part of it ('dex')."""
    from auditor.model import FactKind
    from auditor.report.vocabulary import close_to

    chosen: set[FactKind] = set()
    for name in value:
        kinds = [kind for kind in FactKind if name in (kind.value, kind.value.split(".")[0])]
        if not kinds:
            near = close_to(name, [kind.value for kind in FactKind])
            raise click.BadParameter(f"{name!r} is no fact kind{near}", ctx, param)
        chosen.update(kinds)
    return frozenset(chosen)


@click.command(epilog=_EPILOG, short_help="Show everything observed in a file.")
@click.argument("file", type=click.Path(exists=True, readable=False, path_type=Path))
@click.option(
    "--kind",
    metavar="KIND",
    multiple=True,
    callback=_kinds,
    help="Only facts of this kind, or of all kinds that start so ('dex'); repeatable.",
)
@click.option("--format", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Form.")
@limit_option
@quiet_options
def facts(
    file: Path,
    kind: frozenset[FactKind],
    format: str,
    limit: Limits,
    quiet: bool,
    no_progress: bool,
) -> int:
    """Show everything observed in a file, as the signatures see it: names, ids, strings, each with its place."""
    from auditor.catalog import load_catalog
    from auditor.cli.exits import say
    from auditor.cli.output import progress_bar, write
    from auditor.report.facts_text import render_facts_text
    from auditor.report.json_report import render_facts_json
    from auditor.report.outcome import Outcome
    from auditor.scan import Run

    outcome = Outcome()
    with progress_bar(not quiet and not no_progress) as observer:
        run = Run([file], catalog=load_catalog(), as_of=today(), limits=limit, observer=observer)
        render = render_facts_json if format == "json" else render_facts_text
        write(render(_extractions(run, outcome), kind))
    for problem in run.problems:
        outcome.add_problem(problem)
        if not quiet:
            say(f"{problem.origin}: {problem.code.value}: {problem.detail}")
    return _exit_code(outcome)


def _extractions(run: Iterable[Audit], outcome: Outcome) -> Iterator[Extraction]:
    for audit in run:
        outcome.apps += 1
        outcome.unread += any(problem.hidden for problem in audit.problems)
        yield audit.extraction


def _exit_code(outcome: Outcome) -> int:
    """As for an answer, except that facts are never a finding."""
    from auditor.report.outcome import FailOn

    return outcome.exit_code(FailOn(frozenset()))
