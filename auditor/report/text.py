"""The report for people: the answer first, then each app with its subjects, the proof, and what could not be seen."""

from __future__ import annotations

from collections.abc import Iterable

from auditor.model import Answer, Audit, Problem, Verdict
from auditor.report.app_text import add_app, add_clean
from auditor.report.content import Report
from auditor.report.layout import PLAIN_WIDTH, Page, words
from auditor.report.names import Names
from auditor.report.outcome import Outcome
from auditor.report.problem_text import add_problem


def render_text(report: Report, names: Names, *, width: int = PLAIN_WIDTH, colour: bool = False) -> str:
    """The whole report; without colour the text is the same for the same report, wherever it goes."""
    page = Page(width)
    _add_headline(page, report)
    eventful = [audit for audit in report.audits if _eventful(audit)]
    for group in (_present(eventful), _open(eventful), _rest(eventful)):
        for audit in group:
            page.gap()
            add_app(page, audit, names, report.as_of)
    clean = [audit for audit in report.audits if not _eventful(audit)]
    if clean:
        page.gap()
        page.add(0, words("Nothing found in", "head"))
        for audit in clean:
            add_clean(page, audit)
    _add_problems(page, report.problems)
    return page.render(colour=colour)


def _add_headline(page: Page, report: Report) -> None:
    outcome = report.outcome
    style = "alarm" if outcome.present else ("good" if outcome.complete and outcome.apps else "open")
    page.add(0, words(_headline(outcome), style), hanging=0)
    if not report.ended:
        page.add(0, words("The run was interrupted: there may be more apps than these.", "open"), hanging=0)
    if outcome.apps:
        page.add(0, words(f"Policies as of {report.as_of.isoformat()}; catalog {report.catalog[:12]}.", "soft"))


def _headline(outcome: Outcome) -> str:
    sentence = _apps_sentence(outcome)
    if outcome.unknown:
        some = _count(outcome.unknown, "app") if not outcome.apps else str(outcome.unknown)
        sentence += f"; {some} could not be fully read"
    if outcome.unread:
        joined = ", and" if outcome.unknown else ";"
        sentence += f"{joined} {_count(outcome.unread, 'file')} could not be read"
    return f"{sentence}."


def _apps_sentence(outcome: Outcome) -> str:
    if outcome.apps == 0:
        return "No app in the inputs"
    whole = _count(outcome.apps, "app")
    if outcome.present == 0:
        seen = "was found to be or carry" if not outcome.complete else "is or carries"
        return f"None of {whole} {seen} a designated app" if outcome.apps > 1 else _single(outcome)
    verb = "is or carries" if outcome.present == 1 else "are or carry"
    return f"{outcome.present} of {whole} {verb} a designated app"


def _single(outcome: Outcome) -> str:
    seen = "was not found to be or carry" if not outcome.complete else "neither is nor carries"
    return f"The app {seen} a designated app"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _is_present(audit: Audit) -> bool:
    return any(answer.verdict is Verdict.PRESENT for answer in audit.answers)


def _eventful(audit: Audit) -> bool:
    """Whether there is more to say of an app than that nothing was found."""
    return bool(audit.problems) or any(_has_news(answer) for answer in audit.answers)


def _has_news(answer: Answer) -> bool:
    return answer.verdict is not Verdict.NOT_FOUND or bool(answer.matches)


def _present(audits: Iterable[Audit]) -> list[Audit]:
    return [audit for audit in audits if _is_present(audit)]


def _open(audits: Iterable[Audit]) -> list[Audit]:
    return [audit for audit in audits if not _is_present(audit) and not audit.complete]


def _rest(audits: Iterable[Audit]) -> list[Audit]:
    return [audit for audit in audits if not _is_present(audit) and audit.complete]


def _add_problems(page: Page, problems: tuple[Problem, ...]) -> None:
    for title, group in (
        ("Could not be read, and may hold apps", [problem for problem in problems if problem.hidden]),
        ("Remarks", [problem for problem in problems if not problem.hidden]),
    ):
        if group:
            page.gap()
            page.add(0, words(title, "head"))
            for problem in group:
                add_problem(page, problem)
