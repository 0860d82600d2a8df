"""The catalog's names for what answers hold as ids; an id of an older catalog stands for itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from auditor.catalog import Catalog
from auditor.model import Finding, LegalStatus, Policy, Signature

_STATUSES = (LegalStatus.IN_FORCE, LegalStatus.NOT_YET, LegalStatus.UNKNOWN, LegalStatus.ENDED)
"""In the order they are shown."""


@dataclass(frozen=True, slots=True)
class Names:
    """Names of subjects and signatures by id, and the policies; ``names_of`` makes one."""

    subjects: Mapping[str, str]
    signatures: Mapping[str, str]
    policies: Mapping[str, Policy]
    questions: Mapping[str, Signature] = field(default_factory=dict)
    """The signatures themselves, for what they ask."""

    def subject(self, subject_id: str) -> str:
        return self.subjects.get(subject_id, subject_id)

    def signature(self, signature_id: str) -> str:
        return self.signatures.get(signature_id, signature_id)

    def named_in(self, findings: Iterable[Finding], as_of: date) -> list[tuple[str, list[str]]]:
        """Policies by their legal status on the day, with the date the status rests on; those in force first."""
        groups: dict[tuple[int, str], list[str]] = {}
        for finding in findings:
            accepted = "" if finding.waiver is None else f" (accepted as {finding.waiver.id})"
            key = (_STATUSES.index(finding.status), self._status(finding, as_of))
            groups.setdefault(key, []).append(f"{finding.policy}{accepted}")
        return [(status, groups[order, status]) for order, status in sorted(groups)]

    def _status(self, finding: Finding, as_of: date) -> str:
        policy = self.policies.get(finding.policy)
        if finding.status is LegalStatus.ENDED:
            end = None if policy is None else _end(policy, finding, as_of)
            return "ended" if end is None else f"ended {end.isoformat()}"
        if finding.status is LegalStatus.NOT_YET:
            start = None if policy is None else policy.effective or policy.signed
            return "not yet in force" if start is None else f"in force from {start.isoformat()}"
        if finding.status is LegalStatus.UNKNOWN:
            return "standing not known"
        return "in force"


def _end(policy: Policy, finding: Finding, as_of: date) -> date | None:
    if policy.revoked is not None and as_of >= policy.revoked:
        return policy.revoked
    untils = (name.until for name in policy.names if name.subject == finding.subject and name.text == finding.named)
    return next((until for until in untils if until is not None), None)


def names_of(catalog: Catalog) -> Names:
    """The names of a loaded catalog."""
    return Names(
        subjects={subject.id: subject.name for subject in catalog.subjects.values()},
        signatures={signature.id: signature.name for signature in catalog.signatures},
        policies={policy.id: policy for policy in catalog.policies},
        questions={signature.id: signature for signature in catalog.signatures},
    )
