"""What the auditor says: matches, verdicts, findings, and the run they belong to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from auditor.model.apps import App, Extraction
from auditor.model.devices import DeviceRecord, Listing
from auditor.model.facts import Fact, FactKind
from auditor.model.policies import LegalStatus
from auditor.model.problems import Problem
from auditor.model.signatures import Confidence, Grade, Relation, Role


@dataclass(frozen=True, slots=True)
class ClauseHit:
    """A clause that held, with the facts that prove it."""

    clause: str
    kind: FactKind
    matched: int
    """Distinct values seen."""
    listed: int
    """Exact values and patterns the clause lists."""
    facts: tuple[Fact, ...]
    """The first few, ascending by value then origin; never empty."""


class VersionBasis(StrEnum):
    """How the version of an SDK is known."""

    UNKNOWN = ""
    STATED = "stated"
    INFERRED = "inferred"

    @property
    def meaning(self) -> str:
        return _BASES[self]


_BASES: dict[VersionBasis, str] = {
    VersionBasis.UNKNOWN: "no version is known",
    VersionBasis.STATED: "the SDK says so itself, in a constant, a file name or a property list",
    VersionBasis.INFERRED: "only builds in this range hold everything that was seen of it",
}


@dataclass(frozen=True, slots=True)
class Match:
    """A signature, or an app id, that held; never without evidence."""

    signature: str
    """Signature id, or ``app:SUBJECT`` for an app's own identity."""
    subject: str
    role: Role
    grade: Grade
    hits: tuple[ClauseHit, ...]
    relation: Relation | None = None
    confidence: Confidence = Confidence.HIGH
    version: str = ""
    """Version of the SDK where it could be read (several are joined by ', ') or inferred
    (``between A and B``, ``after A``, ``before B``)."""
    detail: str = ""
    version_basis: VersionBasis = VersionBasis.UNKNOWN


class Verdict(StrEnum):
    PRESENT = "present"
    NOT_FOUND = "not found"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Answer:
    """The verdict on one subject in one app."""

    subject: str
    verdict: Verdict
    matches: tuple[Match, ...] = ()
    """Strongest first; also those that are no finding."""
    hidden_by: tuple[Problem, ...] = ()
    """For UNKNOWN: the problems that keep the question open."""


@dataclass(frozen=True, slots=True)
class Waiver:
    """An accepted finding."""

    id: str
    owner: str
    reason: str
    expires: date
    subject: str
    app_id: str = "*"


@dataclass(frozen=True, slots=True)
class Finding:
    """Policy x app x subject."""

    policy: str
    subject: str
    named: str
    """How the policy's text names the subject."""
    role: Role
    grade: Grade
    status: LegalStatus
    relation: Relation | None = None
    waiver: Waiver | None = None


@dataclass(frozen=True, slots=True)
class Audit:
    """Everything the auditor says about one app; complete in itself."""

    extraction: Extraction
    answers: tuple[Answer, ...]
    """One per subject of the catalog that exists on the app's platform, ascending by subject."""
    findings: tuple[Finding, ...]

    @property
    def app(self) -> App:
        return self.extraction.app

    @property
    def problems(self) -> tuple[Problem, ...]:
        return self.extraction.problems

    @property
    def complete(self) -> bool:
        """True when no subject is UNKNOWN."""
        return all(answer.verdict is not Verdict.UNKNOWN for answer in self.answers)


@dataclass(frozen=True, slots=True)
class ListedApp:
    """What the auditor says about an app that a record names: whether it is a designated app, nothing of its code."""

    listing: Listing
    matches: tuple[Match, ...] = ()
    """Strongest first; role app or vendor only."""
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class JudgedRecord:
    """A record with what is said about each app it names."""

    record: DeviceRecord
    apps: tuple[ListedApp, ...]
    """One per listing of the record, in its order."""


@dataclass(frozen=True, slots=True)
class Device:
    id: str
    fleet: str = ""


@dataclass(frozen=True, slots=True)
class Scan:
    """One run."""

    tool: str
    catalog: str
    """Digest of the catalog (signatures and policies) the run used."""
    as_of: date
    target: tuple[str, ...]
    apps: int = 0
    problems: tuple[Problem, ...] = field(default=())
    """Problems that belong to no app: files that could not be opened or are no app."""
    complete: bool = False
