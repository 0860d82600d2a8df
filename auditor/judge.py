"""Turn matches into verdicts per subject and findings per policy: pure, the date is a parameter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from auditor.catalog import Catalog
from auditor.match import undecided
from auditor.model import (
    GRADE_ORDER,
    Answer,
    Audit,
    Extraction,
    FactKind,
    Finding,
    LegalStatus,
    Match,
    NamedSubject,
    Platform,
    Policy,
    Problem,
    Role,
    Verdict,
)

_ROLES = tuple(Role)


def judge(extraction: Extraction, matches: Iterable[Match], catalog: Catalog, as_of: date) -> Audit:
    """Everything that can be said about one app on one date."""
    answers = tuple(_answers(extraction, tuple(matches), catalog))
    return Audit(extraction, answers, findings_on(answers, catalog, as_of))


def is_finding(match: Match) -> bool:
    """Whether a match establishes presence by default: vendor SDKs and references never do."""
    return match.role is not Role.VENDOR and match.grade.is_finding


def _answers(extraction: Extraction, matches: tuple[Match, ...], catalog: Catalog) -> Iterator[Answer]:
    open_kinds = undecided(extraction, catalog)
    answerable = subjects_on(extraction.app.platform, catalog)
    for subject in sorted(catalog.subjects):
        own = tuple(sorted((item for item in matches if item.subject == subject), key=strength))
        if any(is_finding(item) for item in own):
            yield Answer(subject, Verdict.PRESENT, own)
        elif subject in open_kinds and subject in answerable:
            yield Answer(subject, Verdict.UNKNOWN, own, _hiding(extraction.problems, open_kinds[subject]))
        elif own or subject in answerable:
            yield Answer(subject, Verdict.NOT_FOUND, own)


def subjects_on(platform: Platform, catalog: Catalog) -> frozenset[str]:
    """Subjects that can be looked for on a platform: an id is known there, or an SDK. The rest is n/a."""
    known = {
        subject.id
        for subject in catalog.subjects.values()
        if any(entry.platform is platform and entry.value and entry.relation.designates for entry in subject.app_ids)
    }
    known.update(
        signature.subject
        for signature in catalog.signatures
        if signature.platform is platform and signature.role is Role.SDK and signature.needs
    )
    return frozenset(known)


def strength(match: Match) -> tuple[bool, int, int, str]:
    """The key that puts the strongest match first."""
    return (not is_finding(match), _ROLES.index(match.role), GRADE_ORDER.index(match.grade), match.signature)


def _hiding(problems: Iterable[Problem], kinds: frozenset[FactKind]) -> tuple[Problem, ...]:
    return tuple(problem for problem in problems if problem.hidden & kinds)


def findings_on(answers: Iterable[Answer], catalog: Catalog, as_of: date) -> tuple[Finding, ...]:
    """The findings of one app by the law of one day; needs no facts, so stored answers can be judged again."""
    found = []
    for answer in answers:
        if answer.verdict is not Verdict.PRESENT:
            continue
        strongest = answer.matches[0]
        for policy in catalog.policies:
            named = _named(policy, answer.subject, as_of)
            if named is not None:
                found.append(
                    Finding(
                        policy=policy.id,
                        subject=answer.subject,
                        named=named.text,
                        role=strongest.role,
                        grade=strongest.grade,
                        status=status_of(policy, named, as_of),
                        relation=strongest.relation,
                    )
                )
    return tuple(sorted(found, key=lambda item: (item.subject, item.policy)))


def _named(policy: Policy, subject: str, as_of: date) -> NamedSubject | None:
    """The entry that names a subject; one in force on the day goes before one that is not."""
    entries = [entry for entry in policy.names if entry.subject == subject]
    in_force = (entry for entry in entries if status_of(policy, entry, as_of) is LegalStatus.IN_FORCE)
    return next(in_force, entries[0] if entries else None)


def status_of(policy: Policy, named: NamedSubject, as_of: date) -> LegalStatus:
    """The policy's status on a day for one of its names, which may have joined or left later."""
    status = policy.status_on(as_of)
    if status is not LegalStatus.IN_FORCE:
        return status
    if named.since is not None and as_of < named.since:
        return LegalStatus.NOT_YET
    if named.until is not None and as_of >= named.until:
        return LegalStatus.ENDED
    return status
