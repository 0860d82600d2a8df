"""The report for people: the answer first, then each app with its subjects, the proof, and what could not be seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from auditor.model import GRADE_ORDER, Answer, Audit, Problem, Role, Verdict
from auditor.report.app_text import PLATFORM_NAMES, add_app, add_clean
from auditor.report.content import Report
from auditor.report.layout import PLAIN_WIDTH, Page, label, listed, words
from auditor.report.names import Names
from auditor.report.outcome import Outcome
from auditor.report.problem_text import add_problem
from auditor.report.record_text import add_listed, add_records, worth_showing


def render_text(report: Report, names: Names, *, width: int = PLAIN_WIDTH, colour: bool = False) -> str:
    """The whole report; without colour the text is the same for the same report, wherever it goes."""
    page = Page(width)
    _add_headline(page, report)
    _add_unasked(page, report.audits, names)
    _add_subjects(page, report.audits, names)
    eventful = [audit for audit in report.audits if _eventful(audit)]
    for group in (_present(eventful), _open(eventful), _rest(eventful)):
        for audit in group:
            page.gap()
            add_app(page, audit, names, report.as_of)
    entries = report.entries
    for entry in worth_showing(entries, report.audits):
        page.gap()
        add_listed(page, entry, names, report.as_of)
    clean = [audit for audit in report.audits if not _eventful(audit)]
    if clean:
        page.gap()
        page.add(0, words("Read in full, and nothing found in", "head"))
        for audit in clean:
            add_clean(page, audit)
    add_records(page, report.records, entries)
    _add_problems(page, report.problems)
    return page.render(colour=colour)


def _add_headline(page: Page, report: Report) -> None:
    outcome = report.outcome
    style = (
        "alarm"
        if outcome.present or outcome.listed_present
        else ("good" if outcome.complete and outcome.apps else "open")
    )
    page.add(0, words(_headline(outcome), style), hanging=0)
    if not report.ended:
        page.add(0, words("The run was interrupted: there may be more apps than these.", "open"), hanging=0)
    if outcome.apps or outcome.listed:
        page.add(0, words(f"Policies as of {report.as_of.isoformat()}; catalog {report.catalog[:12]}.", "soft"))


def _headline(outcome: Outcome) -> str:
    sentence = _apps_sentence(outcome)
    if outcome.listed:
        sentence = _listed_sentence(outcome, sentence)
    if outcome.unknown:
        some = "it" if outcome.apps == 1 else str(outcome.unknown)
        sentence += f"; {some} could not be fully read"
    if outcome.unread:
        joined = ", and" if outcome.unknown else ";"
        sentence += f"{joined} {_count(outcome.unread, 'file')} could not be read"
    return f"{sentence}."


def _apps_sentence(outcome: Outcome) -> str:
    if outcome.only_traces:
        named = _count(outcome.traces, "app")
        return f"No app in the inputs; {named} in histories and leftovers, which do not tell what is there now"
    if outcome.apps == 0:
        return "No app in the inputs" if outcome.complete else "No app was found in the inputs"
    if outcome.apps == 1 and outcome.present:
        return "The app is or carries a designated app"
    whole = _count(outcome.apps, "app")
    if outcome.present == 0:
        seen = "was found to be or carry" if not outcome.complete else "is or carries"
        return f"None of {whole} {seen} a designated app" if outcome.apps > 1 else _single(outcome)
    verb = "is or carries" if outcome.present == 1 else "are or carry"
    return f"{outcome.present} of {whole} {verb} a designated app"


def _listed_sentence(outcome: Outcome, apps: str) -> str:
    """The answer of records, after that of the apps whose bytes were read."""
    if not outcome.unseen:
        return f"{apps}; records name no further app"
    further = " further" if outcome.apps else ""
    named = f"{_count(outcome.unseen, f'{further} app'.strip())} known from records only"
    if outcome.listed_present:
        verb = "is" if outcome.listed_present == 1 else "are"
        found = f"{outcome.listed_present} of {named} {verb} a designated app"
    elif outcome.unseen == 1:
        found = f"the one{further} app known from records only is none by its id"
    else:
        found = f"none of {named} is one by its id"
    if outcome.apps:
        return f"{apps}; {found}"
    return (found[0].upper() + found[1:]).replace(" is one by", " is a designated app by")


def _single(outcome: Outcome) -> str:
    seen = "was not found to be or carry" if not outcome.complete else "neither is nor carries"
    return f"The app {seen} a designated app"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _add_unasked(page: Page, audits: tuple[Audit, ...], names: Names) -> None:
    """Say of which subjects there is no answer on a platform, because nothing of them is known there."""
    for platform in sorted({audit.app.platform for audit in audits}):
        asked = {answer.subject for audit in audits if audit.app.platform is platform for answer in audit.answers}
        unasked = [names.subject(subject) for subject in names.subjects if subject not in asked]
        if unasked and asked:
            why = f"Not looked for on {PLATFORM_NAMES[platform]}, as no app id or SDK is known there:"
            page.add(0, [*words(why, "soft"), *listed(unasked, "soft")], hanging=0)


def _add_subjects(page: Page, audits: tuple[Audit, ...], names: Names) -> None:
    """Count the apps by subject and strongest answer, where there is more than one app."""
    counted: dict[str, Counter[str]] = {}
    for answer in (answer for audit in audits for answer in audit.answers):
        word = _answer_word(answer)
        if word:
            counted.setdefault(answer.subject, Counter())[word] += 1
    if len(audits) < 2 or not counted:
        return
    page.gap()
    page.add(0, words("Apps by subject and strongest answer", "head"))
    width = 2 + max(len(names.subject(subject)) for subject in counted)
    for subject in sorted(counted, key=lambda subject: names.subject(subject).lower()):
        counts = [f"{counted[subject][word]} {word}" for word in _WORDS if counted[subject][word]]
        page.add(2, [label(names.subject(subject), width), *listed(counts)], hanging=2 + width)


def _answer_word(answer: Answer) -> str:
    """The grade that makes an answer present, 'unknown', the grade of what is no finding, or nothing to count."""
    if answer.verdict is Verdict.UNKNOWN:
        return answer.verdict.value
    grades = [match.grade for match in answer.matches if match.role is not Role.VENDOR]
    return min(grades, key=GRADE_ORDER.index).value if grades else ""


_WORDS = (
    *(grade.value for grade in GRADE_ORDER if grade.is_finding),
    Verdict.UNKNOWN.value,
    *(grade.value for grade in GRADE_ORDER if not grade.is_finding),
)
"""In the order they are shown: findings, what is open, the rest."""


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
