"""Compares what the auditor says of a built app with the truth about it: one outcome per family, then the figures."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from auditor.model import Answer, Audit, Grade, Match, Role, Tier, Verdict
from benchmarks.accuracy.cases import Case, Truth

FAMILIES = ("alipay", "tencent-qq", "wechat")
"""Subjects the matrix has builds of."""
RELATED: Mapping[str, str] = {"wechat-pay": "wechat"}
"""Subjects whose SDK is part of a family's: no confusion where that family is in the build."""


class Catalogs(StrEnum):
    """Which knowledge an answer was given with."""

    WITHOUT = "without"
    """All that was only learned from the versions in the app is left out."""
    SHIPPED = "shipped"


class Word(StrEnum):
    """What an answer is worth, seen from the truth."""

    FOUND = "found"
    """In the app, and a finding: embedded or renamed."""
    REFERENCED = "referenced"
    """In the app, but only a reference was seen."""
    REIMPLEMENTED = "reimplemented"
    """In the app, but taken for foreign code."""
    MENTIONED = "mentioned"
    """In the app, but only a weak trace was seen."""
    MISSED = "missed"
    """In the app, and nothing was seen."""
    UNKNOWN = "unknown"
    """No answer, and the answer says so."""
    CONFUSED = "confused"
    """A finding of an SDK that is not in the app."""
    RIGHT_ABSENT = "right-absent"
    """Not in the app, and no finding."""
    REMAINS = "remains"
    """It went in, the shrinker left no class of it, and strings of it are still found: neither right nor wrong."""


class VersionWord(StrEnum):
    """What a version answer is worth where the app still holds the literal."""

    EXACT = "exact"
    AMONG = "among"
    """Several versions were told, the right one is one of them."""
    RANGE = "range"
    """A range was told, from literal sets per version."""
    WRONG = "wrong"
    NONE = "none"


_LESSER = {
    Grade.REFERENCED: Word.REFERENCED,
    Grade.REIMPLEMENTED: Word.REIMPLEMENTED,
    Grade.MENTIONED: Word.MENTIONED,
}
_RANGE = re.compile(r"\.\.|–|—|\bto\b|[<>=≤≥~]|\bor\b|\bbefore\b|\bafter\b|\bsince\b")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One subject in one app with one catalog."""

    case: str
    platform: str
    style: str
    use: str
    encrypted: bool
    catalog: str
    family: str
    went_in: str
    """Version that went into the build; empty: none did."""
    classes: int
    named: int
    states: str
    word: str
    verdict: str
    grade: str
    """Of the strongest SDK match; empty: there was none."""
    literals: str
    """k of n of the literal clause that saw most."""
    version: str
    version_word: str

    @property
    def embedded(self) -> bool:
        return self.classes > 0

    @property
    def false_absence(self) -> bool:
        """Whether the answer rules out what is there: neither found nor referenced, and NOT_FOUND all the same."""
        lost = self.word not in (Word.FOUND, Word.REFERENCED)
        return self.embedded and lost and self.verdict == Verdict.NOT_FOUND


def score(case: Case, audits: Sequence[Audit], catalog: Catalogs) -> list[Outcome]:
    """One outcome per family of the matrix, and one per further subject that was found although it is not there.

    ``audits`` is what came out for the case's file; an app that was not found at all has none.
    """
    answers = {answer.subject: answer for found in audits[:1] for answer in found.answers}
    truths = {truth.family: truth for truth in case.truths}
    scored = [_outcome(case, catalog, family, truths.get(family), answers.get(family)) for family in FAMILIES]
    for subject, answer in sorted(answers.items()):
        beside = RELATED.get(subject, "") in truths
        if subject not in FAMILIES and answer.verdict is Verdict.PRESENT and not beside:
            scored.append(_outcome(case, catalog, subject, None, answer))
    return scored


def _outcome(case: Case, catalog: Catalogs, family: str, truth: Truth | None, answer: Answer | None) -> Outcome:
    match = strongest_sdk(answer)
    version = "" if match is None else match.version
    return Outcome(
        case=case.id,
        platform=case.platform,
        style=case.style,
        use=case.use,
        encrypted=case.encrypted,
        catalog=catalog,
        family=family,
        went_in="" if truth is None else truth.version,
        classes=0 if truth is None else truth.classes,
        named=0 if truth is None else truth.named,
        states="" if truth is None else truth.states,
        word=word_of(truth, answer),
        verdict="" if answer is None else answer.verdict,
        grade="" if match is None else match.grade,
        literals="" if match is None else literals_of(match),
        version=version,
        version_word=version_word(version, "" if truth is None else truth.states),
    )


def strongest_sdk(answer: Answer | None) -> Match | None:
    """The strongest match of an SDK: what the app itself is and what else the vendor makes do not count."""
    if answer is None:
        return None
    return next((match for match in answer.matches if match.role is Role.SDK), None)


def word_of(truth: Truth | None, answer: Answer | None) -> Word:
    """What an answer is worth; no answer at all is worth as much as an unknown one."""
    found = answer is not None and answer.verdict is Verdict.PRESENT
    if truth is None or not truth.embedded:
        if found:
            return Word.CONFUSED if truth is None else Word.REMAINS
        return Word.UNKNOWN if answer is None or answer.verdict is Verdict.UNKNOWN else Word.RIGHT_ABSENT
    if found:
        return Word.FOUND
    match = strongest_sdk(answer)
    lesser = None if match is None else _LESSER.get(match.grade)
    if lesser is Word.REFERENCED:
        return Word.REFERENCED
    if answer is None or answer.verdict is Verdict.UNKNOWN:
        return Word.UNKNOWN
    return Word.MISSED if lesser is None else lesser


def literals_of(match: Match) -> str:
    """``k/n`` of the literal clause that saw most, empty where none did."""
    hits = [hit for hit in match.hits if hit.kind.tier is Tier.LITERAL]
    best = max(hits, key=lambda hit: (hit.matched, -hit.listed, hit.clause), default=None)
    return "" if best is None else f"{best.matched}/{best.listed}"


def version_word(told: str, states: str) -> str:
    """What a told version is worth against the literal that is in the app; empty where there is no literal."""
    if not states:
        return ""
    if told == states:
        return VersionWord.EXACT
    if not told:
        return VersionWord.NONE
    if states in told.split(", "):
        return VersionWord.AMONG
    return VersionWord.RANGE if _RANGE.search(told) else VersionWord.WRONG


@dataclass(frozen=True, slots=True)
class Rate:
    """k of n."""

    k: int
    n: int

    @property
    def share(self) -> float:
        """1.0 of nothing: what was not asked was not missed."""
        return 1.0 if self.n == 0 else self.k / self.n

    def __str__(self) -> str:
        return f"{self.k} of {self.n}" if self.n else "none built"


def rate(outcomes: Iterable[Outcome], good: Callable[[Outcome], bool]) -> Rate:
    """How many of the outcomes are good."""
    seen = [good(item) for item in outcomes]
    return Rate(sum(seen), len(seen))


def is_found(outcome: Outcome) -> bool:
    """Embedded or renamed."""
    return outcome.word == Word.FOUND


def is_traced(outcome: Outcome) -> bool:
    """Embedded, renamed or referenced: what can be said of an encrypted app."""
    return outcome.word in (Word.FOUND, Word.REFERENCED)


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of targets."""

    id: str
    name: str
    value: str
    target: str
    met: bool
    share: float
    """For ``--slice`` and for charts; a count where the target is one."""


def figures(outcomes: Sequence[Outcome], catalog: Catalogs) -> list[Figure]:
    """The figures that come out of the matrix, for one catalog."""
    asked = [item for item in outcomes if item.catalog == catalog]
    inside = [item for item in asked if item.embedded]
    android = [item for item in inside if item.platform == "android"]
    plain = [item for item in inside if item.platform == "ios" and not item.encrypted]
    locked = [item for item in inside if item.platform == "ios" and item.encrypted]
    stated = [item for item in inside if item.states and not item.encrypted]
    exact = rate(stated, lambda item: item.version_word == VersionWord.EXACT)
    return [
        _at_least("android-recall", "Android recall, embedded or renamed", rate(android, is_found), 0.98),
        _none("confused", "families confused", sum(item.word == Word.CONFUSED for item in asked)),
        _at_least("exact-version", "exact version, where a version literal exists", exact, 0.90),
        _at_least("ios-recall", "iOS unencrypted, all link styles", rate(plain, is_found), 0.98),
        _at_least("fairplay", "iOS FairPlay-simulated: embedded or referenced", rate(locked, is_traced), 0.90),
        _none("fairplay-absent", "iOS FairPlay-simulated: false NOT_FOUND", sum(item.false_absence for item in locked)),
    ]


def _at_least(id_: str, name: str, value: Rate, target: float) -> Figure:
    shown = f"{value.share:.3f} ({value})" if value.n else str(value)
    return Figure(id_, name, shown, f"≥ {target:.2f}", value.n > 0 and value.share >= target, round(value.share, 4))


def _none(id_: str, name: str, count: int) -> Figure:
    return Figure(id_, name, str(count), "0", count == 0, float(count))


def as_rows(outcomes: Iterable[Outcome]) -> list[dict[str, object]]:
    """Outcomes as plain data, in the order of a table."""
    ordered = sorted(outcomes, key=lambda item: (item.platform, item.case, item.family, item.catalog))
    return [{name: _plain(value) for name, value in asdict(item).items()} for item in ordered]


def from_rows(rows: Iterable[Mapping[str, object]]) -> Iterator[Outcome]:
    """Outcomes from plain data."""
    for row in rows:
        yield Outcome(**row)  # type: ignore[arg-type]


def _plain(value: object) -> object:
    return str(value) if isinstance(value, StrEnum) else value
