"""Dated lists of subjects, as law or order names them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from auditor.model.signatures import Confidence


class LegalStatus(StrEnum):
    """Of a policy on a date, as far as its sources show."""

    NOT_YET = "not yet in force"
    IN_FORCE = "in force"
    ENDED = "ended"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class NamedSubject:
    """One name in the text of a policy."""

    text: str
    """In the policy's own words."""
    subject: str | None
    """Subject id; None for a name the catalog has no signatures for."""
    since: date | None = None
    """When the name joined, if later than the policy."""
    until: date | None = None
    confidence: Confidence = Confidence.HIGH
    note: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """A dated list of subjects. Dates are None where no source gives a day."""

    id: str
    name: str
    authority: str
    citation: str
    scope: str
    signed: date | None
    effective: date | None
    revoked: date | None
    status: str
    """In the words of the sources, as of the day they were read."""
    names: tuple[NamedSubject, ...]
    covers_subsidiaries: bool | None
    confidence: Confidence
    sources: tuple[str, ...]
    notes: tuple[str, ...] = ()
    standing_known: bool = True
    """False where the sources show that it took effect, but not whether it still stands."""

    def status_on(self, day: date) -> LegalStatus:
        """Whether the policy was in force on ``day``, by its own dates."""
        if self.revoked is not None and day >= self.revoked:
            return LegalStatus.ENDED
        start = self.effective or self.signed
        if start is None:
            return LegalStatus.UNKNOWN
        if day < start:
            return LegalStatus.NOT_YET
        return LegalStatus.IN_FORCE if self.standing_known else LegalStatus.UNKNOWN
