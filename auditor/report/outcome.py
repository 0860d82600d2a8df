"""One exit code for a whole run, and the choice of grades that count as a finding."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from auditor.errors import UsageError
from auditor.model import FINDING_GRADES, Audit, Finding, Grade, Match, Problem, Role, Verdict
from auditor.report.listed import ListedEntry

CLEAN, FINDING, ERROR, INCOMPLETE, NO_APP = 0, 1, 2, 3, 4
INTERRUPTED = 130
PIPE_CLOSED = 141

EXIT_CODES: dict[int, str] = {
    CLEAN: "complete and clean: everything was read, and there is no finding",
    FINDING: "at least one finding: a designated app or its SDK is there (--fail-on says which grades count)",
    ERROR: "error: usage, catalog, database or a fault of the auditor; the answer cannot be trusted",
    INCOMPLETE: "no finding, but not everything could be read: an answer is unknown or a file was not opened",
    NO_APP: "no app in the inputs",
    INTERRUPTED: "interrupted (Ctrl-C); a second run completes the inventory",
    PIPE_CLOSED: "the reader of the output went away before the end",
}
"""Precedence where several hold: 2, 1, 3, 4, 0."""


@dataclass(frozen=True, slots=True)
class FailOn:
    """Which matches count as a finding."""

    grades: frozenset[Grade] = FINDING_GRADES
    vendor: bool = False
    """Whether other SDKs and apps of the same vendors count too, by the same grades."""

    def counts(self, match: Match) -> bool:
        """Whether one match is a finding."""
        return self.covers(match.role is Role.VENDOR, match.grade)

    def covers(self, vendor: bool, grade: Grade) -> bool:
        """Whether a grade, of the designated app's own or of its vendor's code, is a finding."""
        return grade in self.grades and (self.vendor or not vendor)


def parse_fail_on(text: str) -> FailOn:
    """Read 'none', 'any', or a comma list of grades, with 'default' and 'vendor' allowed among them.

    Raises:
        UsageError: a word is none of these.
    """
    grades: set[Grade] = set()
    vendor = False
    words = [word.strip().lower() for word in text.split(",") if word.strip()]
    for word in words:
        if word == "none" and len(words) == 1:
            return FailOn(frozenset())
        if word == "any":
            grades.update(Grade)
            vendor = True
        elif word == "default":
            grades.update(FINDING_GRADES)
        elif word == "vendor":
            vendor = True
        elif word in tuple(Grade):
            grades.add(Grade(word))
        else:
            known = ", ".join(("none", "any", "default", "vendor", *Grade))
            raise UsageError(f"{word!r} is no grade; known are {known}")
    if not words:
        raise UsageError("no grade is named; write 'none' to let no finding count")
    return FailOn(frozenset(grades or FINDING_GRADES), vendor)


@dataclass(slots=True)
class Outcome:
    """What the apps and problems of a run add up to."""

    apps: int = 0
    present: int = 0
    """Apps that are or carry a designated app, by the default grades."""
    unknown: int = 0
    """Apps with at least one open question."""
    undecided: int = 0
    """Of these, the apps with no subject present."""
    unread: int = 0
    """Files outside any app that may hide something."""
    listed: int = 0
    """Apps that records name as being there."""
    listed_present: int = 0
    """Of these, the designated apps whose bytes were not read: those are counted in ``present``."""
    unseen: int = 0
    """Of these, the apps whose bytes were not read."""
    traces: int = 0
    """Apps that records name as gone, or in a history, and whose bytes were not read."""
    ended: bool = True
    """False for a run that was interrupted."""
    matched: Counter[tuple[bool, Grade]] = field(default_factory=Counter)
    """Apps by (of the vendor only, grade), accepted findings left out."""

    def add(self, audit: Audit) -> None:
        """Count one app."""
        self.apps += 1
        present = any(answer.verdict is Verdict.PRESENT for answer in audit.answers)
        self.present += present
        self.unknown += not audit.complete
        self.undecided += not audit.complete and not present
        self.matched.update(_countable(audit))

    def add_problem(self, problem: Problem) -> None:
        """Count a problem that belongs to no app."""
        self.unread += bool(problem.hidden)

    def add_listed(self, entry: ListedEntry) -> None:
        """Count one app that records name."""
        if not entry.is_present:
            self.traces += not entry.code_seen
            return
        self.listed += 1
        self.unseen += not entry.code_seen
        accepted = _accepted(entry.findings)
        present = {item.subject for item in entry.findings}
        self.listed_present += bool(present) and not entry.code_seen
        self.matched.update(
            {(match.role is Role.VENDOR, match.grade) for match in entry.matches if match.subject not in accepted}
        )

    @property
    def complete(self) -> bool:
        """Whether everything was read and every question answered."""
        return self.ended and self.unknown == 0 and self.unread == 0 and self.unseen == 0 and not self.only_traces

    @property
    def only_traces(self) -> bool:
        """Whether all that was seen are histories and leftovers: they say nothing of what is there now."""
        return self.traces > 0 and self.apps == 0 and self.listed == 0

    def has_finding(self, fail_on: FailOn) -> bool:
        return any(fail_on.covers(vendor, grade) for (vendor, grade), apps in self.matched.items() if apps)

    def exit_code(self, fail_on: FailOn) -> int:
        """The exit code of a run that ended without an error."""
        if self.has_finding(fail_on):
            return FINDING
        if not self.complete:
            return INCOMPLETE
        return CLEAN if self.apps or self.listed else NO_APP


def _countable(audit: Audit) -> set[tuple[bool, Grade]]:
    accepted = _accepted(audit.findings)
    return {
        (match.role is Role.VENDOR, match.grade)
        for answer in audit.answers
        if answer.subject not in accepted
        for match in answer.matches
    }


def _accepted(findings: tuple[Finding, ...]) -> frozenset[str]:
    """Subjects whose every finding is waived."""
    waived = {item.subject for item in findings if item.waiver is not None}
    return frozenset(waived - {item.subject for item in findings if item.waiver is None})
