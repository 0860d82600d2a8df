"""Joins what was learned from SDK binaries to the signatures whose clauses ask for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from auditor.catalog.nouns import Fault
from auditor.catalog.table import nearest
from auditor.model.learned import LearnedSet
from auditor.model.signatures import Clause, Signature


def with_learned(
    signatures: Mapping[str, Signature],
    learned: list[tuple[str, LearnedSet]],
    homes: dict[str, str],
    faults: list[Fault],
) -> dict[str, Signature]:
    """The signatures with their learned sets, and with the values of clauses that name roles of them."""
    sets: dict[str, list[LearnedSet]] = {}
    for file, item in learned:
        if item.signature not in signatures:
            hint = nearest(item.signature, tuple(signatures)) if signatures else "add the signature"
            faults.append(Fault(file, "signature", f"{item.signature!r} is no signature", hint))
            continue
        place = f"learned:{item.signature}:{item.kind.value}"
        if place in homes:
            what = f"{item.kind.value} of {item.signature} was learned in {homes[place]} already"
            faults.append(Fault(file, "kind", what, "delete one of the files"))
            continue
        homes[place] = file
        sets.setdefault(item.signature, []).append(item)
    for key, items in sets.items():
        for item in items:
            faults.extend(_faults(homes[f"learned:{key}:{item.kind.value}"], item, signatures))
    return {key: _filled(item, sets, homes, faults) for key, item in signatures.items()}


def _faults(file: str, learned: LearnedSet, signatures: Mapping[str, Signature]) -> Iterator[Fault]:
    if not learned.builds:
        yield Fault(file, "build", "is missing", "name the binaries the values were learned from")
    clauses = signatures[learned.signature].clauses
    if not any(clause.learned and not clause.learned_of and clause.kind is learned.kind for clause in clauses):
        what = f"no clause of {learned.signature} asks for it"
        yield Fault(file, "kind", what, f'write learned = ["strong"] in a clause of kind {learned.kind.value}')
    seen: set[str] = set()
    for number, group in enumerate(learned.groups):
        twice = seen.intersection(group.values)
        seen.update(group.values)
        if twice:
            what = f"lists {min(twice)!r}, which another group has too"
            yield Fault(file, f"group[{number}].values", what, "learn the set again")


def _filled(
    signature: Signature, sets: Mapping[str, list[LearnedSet]], homes: Mapping[str, str], faults: list[Fault]
) -> Signature:
    learned = tuple(sets.get(signature.id, ()))
    if not learned and not any(clause.learned for clause in signature.clauses):
        return signature
    clauses: list[Clause] = []
    for clause in signature.clauses:
        if clause.learned:
            home = clause.learned_of or signature.id
            source = next((item for item in sets.get(home, ()) if item.kind is clause.kind), None)
            values = source.values(clause.learned) if source is not None else ()
            if not values:
                key = f"signature[{signature.id}].clause[{clause.name}].learned"
                what = f"nothing of kind {clause.kind.value} was learned for {home} in these roles"
                hint = "run `auditor signatures learn` and save its output below learned/"
                faults.append(Fault(homes[f"signature:{signature.id}"], key, what, hint))
            clause = replace(clause, values=tuple(dict.fromkeys((*clause.values, *values))))
        clauses.append(clause)
    return replace(signature, clauses=tuple(clauses), learned=learned)
