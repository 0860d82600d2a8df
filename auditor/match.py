"""Ask the catalog's questions of one app's facts: pure, three-valued, every match with its evidence."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from auditor.catalog import Catalog
from auditor.limits import DEFAULT
from auditor.match_app import match_identity
from auditor.match_version import read_version
from auditor.model import (
    Clause,
    ClauseHit,
    Confidence,
    Extraction,
    FactBatch,
    FactKind,
    Grade,
    Match,
    Role,
    Rule,
    Signature,
    Values,
)

_JAVA = frozenset({FactKind.DEX_CLASS, FactKind.DEX_STRING})
_NATIVE = frozenset(kind for kind in FactKind if kind.value.startswith("native."))
_WEAKEST = {Confidence.LOW: 0, Confidence.MEDIUM: 1, Confidence.HIGH: 2}


def match(extraction: Extraction, catalog: Catalog) -> tuple[Match, ...]:
    """Every signature and app id that holds for one app, in the order of their ids."""
    found = list(match_identity(extraction, catalog))
    batches = _narrowed(extraction, catalog)
    for signature in _asked(extraction, catalog):
        result = _match_signature(signature, batches)
        if result is not None:
            found.append(result)
    return tuple(sorted(found, key=lambda item: (item.signature, item.subject, item.grade)))


def undecided(extraction: Extraction, catalog: Catalog) -> Mapping[str, frozenset[FactKind]]:
    """Subjects for which a finding can be neither shown nor ruled out, with the hidden kinds that matter.

    A clause whose kind was hidden by a problem is undecided unless what was seen already satisfies it; a rule is
    undecided when no clause it needs is plainly false.
    """
    hidden: frozenset[FactKind] = frozenset().union(*(problem.hidden for problem in extraction.problems))
    if not hidden:
        return {}
    open_kinds: dict[str, set[FactKind]] = {}
    for subject in catalog.subjects.values():
        if FactKind.APP_ID in hidden and not extraction.app.app_id:
            open_kinds.setdefault(subject.id, set()).add(FactKind.APP_ID)
    batches = _narrowed(extraction, catalog)
    for signature in _asked(extraction, catalog):
        kinds = _open_kinds(signature, batches, hidden) if signature.role is not Role.VENDOR else frozenset()
        if kinds:
            open_kinds.setdefault(signature.subject, set()).update(kinds)
    return {subject: frozenset(kinds) for subject, kinds in sorted(open_kinds.items())}


def _asked(extraction: Extraction, catalog: Catalog) -> Iterator[Signature]:
    """The signatures of the app's platform, without those whose code is this app's own.

    Who borrows the id of a vendor's other app to carry the code as its own is told by the signer: such an id alone is
    no finding, so nothing would be left of it.
    """
    app = extraction.app
    borrowed = any(
        item.role is Role.VENDOR and item.grade is Grade.IMPOSTOR for item in match_identity(extraction, catalog)
    )
    for signature in catalog.signatures:
        if signature.platform is app.platform and (borrowed or app.app_id not in signature.own_apps):
            yield signature


def _by_kind(extraction: Extraction) -> dict[FactKind, list[FactBatch]]:
    batches: dict[FactKind, list[FactBatch]] = {}
    for item in extraction.facts:
        batches.setdefault(item.kind, []).append(item)
    return batches


@dataclass(frozen=True, slots=True)
class _Narrowed:
    """A string table of which the catalog's literals were looked up in one pass, whatever its order."""

    table: Values
    literals: frozenset[str]

    def __len__(self) -> int:
        return len(self.table)

    def __iter__(self) -> Iterator[str]:
        return iter(self.table)

    def __contains__(self, value: object) -> bool:
        return value in self.literals

    def with_prefix(self, prefix: str) -> Iterator[str]:
        return self.table.with_prefix(prefix)

    def offset_of(self, value: str) -> int | None:
        return self.table.offset_of(value)


def _narrowed(extraction: Extraction, catalog: Catalog) -> dict[FactKind, list[FactBatch]]:
    """The batches by kind, with every literal any clause asks for already looked up.

    A table that claims to be sorted and is not would hide a literal from a search by halves, so the literals are
    looked up by going through the table once.
    """
    batches = _by_kind(extraction)
    for kind in (FactKind.DEX_STRING,):
        wanted = _literals(catalog, kind) if kind in batches else ()
        for number, item in enumerate(batches.get(kind, ())):
            intersection = getattr(item.values, "intersection", None)
            if intersection is not None:
                batches[kind][number] = replace(item, values=_Narrowed(item.values, intersection(wanted)))
    return batches


def _literals(catalog: Catalog, kind: FactKind) -> frozenset[str]:
    return frozenset(
        value
        for signature in catalog.signatures
        for clause in signature.clauses
        if clause.kind is kind
        for value in clause.values
    )


def _match_signature(signature: Signature, batches: Mapping[FactKind, list[FactBatch]]) -> Match | None:
    hits = {clause.name: ask(clause, batches.get(clause.kind, ())) for clause in signature.clauses}
    clauses = {clause.name: clause for clause in signature.clauses}
    for rule in signature.rules:
        needed = [hits[name] for name in rule.all_of]
        either = [hits[name] for name in rule.any_of]
        if not all(needed) or (rule.any_of and not any(either)):
            continue
        used = [name for name in (*rule.all_of, *rule.any_of) if hits[name] is not None]
        # Every clause that held is shown: what the rule rests on first, the rest is evidence all the same.
        order = sorted(hits, key=lambda name: name not in used)
        proof = tuple(hit for hit in (hits[name] for name in order) if hit is not None)
        version, basis = read_version(signature, batches, inferred=rule.grade.is_finding)
        return Match(
            signature=signature.id,
            subject=signature.subject,
            role=signature.role,
            grade=rule.grade,
            hits=proof,
            confidence=_confidence(clauses, rule, used),
            version=version,
            version_basis=basis,
        )
    return None


def _confidence(clauses: Mapping[str, Clause], rule: Rule, used: Iterable[str]) -> Confidence:
    """The weakest of the clauses that must hold, or the best of the alternatives that did."""
    required = [clauses[name].confidence for name in used if name in rule.all_of]
    alternatives = [clauses[name].confidence for name in used if name in rule.any_of]
    if alternatives:
        required.append(max(alternatives, key=_WEAKEST.__getitem__))
    return min(required, key=_WEAKEST.__getitem__, default=Confidence.HIGH)


def ask(clause: Clause, batches: Iterable[FactBatch]) -> ClauseHit | None:
    """Whether enough of a clause's values occur; the facts kept are bounded, the count is exact."""
    found: dict[str, FactBatch] = {}
    for item in batches:
        for value in _found(clause, item):
            found.setdefault(value, item)
    if not found or len(found) < clause.at_least:
        return None
    listed = clause.value_set
    # Only what is kept is located: to find one offset takes a pass over the file.
    first = sorted(found, key=lambda value: (value not in listed, value))[: DEFAULT.evidence]
    return ClauseHit(
        clause=clause.name,
        kind=clause.kind,
        matched=len(found),
        listed=len(clause.values) + len(clause.prefixes) + len(clause.globs),
        facts=tuple(found[value].fact(value) for value in first),
    )


def _found(clause: Clause, item: FactBatch) -> Iterator[str]:
    if isinstance(item.values, _Narrowed):
        yield from item.values.literals & clause.value_set
    else:
        yield from (value for value in clause.values if value in item.values)
    for prefix in clause.prefixes:
        for value in item.values.with_prefix(prefix):
            if not value.startswith(clause.excluded):
                yield value
    if clause.globs:
        pattern = _globs(clause.globs)
        for value in item.values:
            if pattern.match(value) is not None and not value.startswith(clause.excluded):
                yield value


@lru_cache(maxsize=4096)
def _globs(globs: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(fnmatch.translate(glob) for glob in globs))


def _open_kinds(
    signature: Signature, batches: Mapping[FactKind, list[FactBatch]], hidden: frozenset[FactKind]
) -> frozenset[FactKind]:
    """The hidden kinds that keep a finding rule of this signature open; empty when the question is decided."""
    if not signature.needs & hidden:
        return frozenset()
    held: dict[str, bool | None] = {}
    kinds: dict[str, FactKind] = {}
    for clause in signature.clauses:
        kinds[clause.name] = clause.kind
        seen = ask(clause, batches.get(clause.kind, ())) is not None
        held[clause.name] = True if seen else (None if clause.kind in hidden else False)
    if _is_without_trace(signature, held.values(), hidden):
        held = {name: state if kinds[name] not in _NATIVE else bool(state) for name, state in held.items()}
    undecided_kinds: set[FactKind] = set()
    for rule in signature.rules:
        if not rule.grade.is_finding:
            continue
        needed = [held[name] for name in rule.all_of]
        either = [held[name] for name in rule.any_of]
        if False in needed or (rule.any_of and not any(state is not False for state in either)):
            continue
        undecided_kinds.update(kinds[name] for name in (*rule.all_of, *rule.any_of) if held[name] is None)
    return frozenset(undecided_kinds)


def _is_without_trace(signature: Signature, held: Iterable[bool | None], hidden: frozenset[FactKind]) -> bool:
    """Whether all of an app's Java code was read and nothing at all speaks of an SDK that has some.

    A library runs when Java code calls it, by the class that its entry points are named after: one that cannot be
    read hides no SDK of which the code that could be read knows nothing.
    """
    return not hidden & _JAVA and not any(held) and any(clause.kind in _JAVA for clause in signature.clauses)
