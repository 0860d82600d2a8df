"""Every word an answer may contain, with its meaning: what ``auditor explain`` looks up."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields

from auditor.limits import DEFAULT, Limits
from auditor.model import (
    Confidence,
    FactKind,
    Grade,
    LegalStatus,
    ProblemCode,
    RecordKind,
    Relation,
    Role,
    SigningState,
    State,
    Tier,
    Verdict,
)
from auditor.report.outcome import EXIT_CODES
from auditor.report.problem_text import hidden_words


@dataclass(frozen=True, slots=True)
class Entry:
    """One word of the auditor's language."""

    group: str
    """What sort of word it is, in the plural; also the id that lists the sort."""
    id: str
    meaning: str
    notes: tuple[str, ...] = ()

    @property
    def sort(self) -> str:
        """The group in the singular, in words."""
        return _SORTS[self.group]


_SORTS = {
    "grades": "grade",
    "verdicts": "verdict",
    "roles": "role",
    "relations": "relation of an app id to its subject",
    "legal-statuses": "legal status of a policy on a day",
    "problem-codes": "problem code",
    "fact-kinds": "fact kind",
    "tiers": "tier of evidence",
    "signing-states": "state of a signature",
    "confidences": "confidence",
    "exit-codes": "exit code",
    "device-states": "state on a device",
    "record-kinds": "kind of record",
    "limits": "limit, set with --limit NAME=VALUE",
}
GROUPS = tuple(_SORTS)

VERDICTS = {
    Verdict.PRESENT: "a grade that counts as a finding by default holds for this subject",
    Verdict.NOT_FOUND: "everything needed to see it was readable, and it is not there",
    Verdict.UNKNOWN: "it was not seen, but something that could hold it could not be read",
}
ROLES = {
    Role.APP: "the file is the designated app, or one that shares its id or signer",
    Role.SDK: "the app carries, or refers to, an SDK of the designated app",
    Role.VENDOR: "another SDK or app of the same company: reported apart, never a finding by default",
}
RELATIONS = {
    Relation.MAIN: "the named app itself",
    Relation.VARIANT: "another edition of the named app: lite, tablet, paid, international",
    Relation.HOST_APP: "the app that contains the named function, as WeChat contains WeChat Pay",
    Relation.AFFILIATE_APP: "a separate product of an affiliate: not the named app",
    Relation.SAME_VENDOR: "another product of the same developer: not the named app",
    Relation.HISTORICAL: "an id of the past; no app that is offered today was seen with it",
    Relation.NOT_THE_APP: "known to be something else; listed so that it is not taken for the app",
}
LEGAL_STATUSES = {
    LegalStatus.NOT_YET: "signed or announced, takes effect on a later day",
    LegalStatus.IN_FORCE: "took effect, and no source shows that it ended",
    LegalStatus.ENDED: "revoked, repealed or expired; findings are still shown with this status",
    LegalStatus.UNKNOWN: "no source gives the dates, or none shows whether it still stands",
}
TIERS = {
    Tier.IDENTITY: "ids and signers: what the app is",
    Tier.DECLARED: "said about the app in manifests and property lists: proves intent, never code",
    Tier.CODE: "a class, symbol, library or framework that is inside",
    Tier.LITERAL: "a string constant inside code",
    Tier.FILE: "a file name inside the package",
    Tier.WRAPPER: "said by a cross-platform framework about its plugins: names an SDK, carries no code of it",
    Tier.USE: "what the app's own code does with an SDK that is inside; says nothing of whether it is",
}
SIGNING_STATES = {
    SigningState.VERIFIED: "digests and signature hold, by the scheme the platform would trust",
    SigningState.UNVERIFIABLE: "there is a signature, of a kind that cannot be verified here",
    SigningState.INVALID: "there is a signature, and it does not hold: the file was changed or never installable",
    SigningState.MISSING: "there is no signature",
    SigningState.RECORDED: "a record of the device names the signer, which the system checked; there are no bytes here",
    SigningState.NOT_CHECKED: "iOS code signatures and upload keys: nothing to trust without the platform",
}
CONFIDENCES = {
    Confidence.HIGH: "the source was read and, where possible, the file itself opened",
    Confidence.MEDIUM: "one weaker or indirect source",
    Confidence.LOW: "a single weak source",
}


def entries() -> Iterator[Entry]:
    """All words, group by group."""
    for grade in Grade:
        counts = "counts as a finding by default" if grade.is_finding else "no finding by default (--fail-on adds it)"
        yield Entry("grades", grade.value, grade.meaning, (counts,))
    yield from (Entry("verdicts", key.value, text) for key, text in VERDICTS.items())
    yield from (Entry("roles", key.value, text) for key, text in ROLES.items())
    yield from (Entry("relations", key.value, text) for key, text in RELATIONS.items())
    yield from (Entry("legal-statuses", key.value, text) for key, text in LEGAL_STATUSES.items())
    for code in ProblemCode:
        hidden = hidden_words(code.hides)
        yield Entry(
            "problem-codes", code.value, code.meaning, (f"may hide {hidden}" if hidden else "hides nothing needed",)
        )
    for kind in FactKind:
        yield Entry("fact-kinds", kind.value, kind.meaning, (f"tier {kind.tier.value}: {TIERS[kind.tier]}",))
    yield from (Entry("tiers", key.value, text) for key, text in TIERS.items())
    yield from (Entry("signing-states", key.value, text) for key, text in SIGNING_STATES.items())
    yield from (Entry("confidences", key.value, text) for key, text in CONFIDENCES.items())
    yield from (Entry("device-states", state.value, state.meaning, (_counting(state),)) for state in State)
    yield from (Entry("record-kinds", kind.value, kind.meaning) for kind in RecordKind)
    yield from (Entry("exit-codes", str(code), text) for code, text in EXIT_CODES.items())
    for bound in fields(Limits):
        yield Entry("limits", bound.name, f"{getattr(DEFAULT, bound.name):,} by default".replace(",", " "))


def _counting(state: State) -> str:
    return "counts as being there" if state.is_presence else "a trace: no finding"


def find_entries(name: str) -> list[Entry]:
    """The entries of that id, or of that group; case, '_' and blanks do not matter, 'exit 3' is an exit code."""
    wanted = _folded(name)
    if wanted.startswith("exit-") and wanted.removeprefix("exit-").isascii():
        digits = wanted.removeprefix("exit-").removeprefix("code-")
        if digits.isdecimal():
            return [entry for entry in entries() if entry.group == "exit-codes" and entry.id == digits]
    return [entry for entry in entries() if wanted in (_folded(entry.id), entry.group, entry.group.removesuffix("s"))]


def _folded(name: str) -> str:
    return name.strip().lower().replace("_", "-").replace(" ", "-")


def close_to(name: str, known: Iterable[str]) -> str:
    """The end of an error message that names what may have been meant; empty where nothing is near."""
    near = difflib.get_close_matches(name.lower(), list(known), n=3, cutoff=0.55)
    return f"; did you mean {', '.join(near)}?" if near else ""
