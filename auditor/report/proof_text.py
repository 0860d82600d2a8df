"""The proof of one answer, tier by tier: what was asked, how much of it was seen, where, and why the grade is so."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.model import (
    Answer,
    Audit,
    Clause,
    ClauseHit,
    Fact,
    FactKind,
    Match,
    Origin,
    Role,
    Rule,
    Signature,
    Tier,
    VersionBasis,
)
from auditor.report.inert import shortened
from auditor.report.layout import LABEL_WIDTH, Page, Piece, label, listed, words
from auditor.report.names import Names
from auditor.report.problem_text import add_problem, place_in

TIERS = (Tier.IDENTITY, Tier.CODE, Tier.LITERAL, Tier.FILE, Tier.WRAPPER, Tier.DECLARED, Tier.USE)
"""In the order in which they convince."""
_VALUE = 200
"""Characters shown of one piece of evidence; JSON has the whole."""


def reason_of(match: Match, signature: Signature | None) -> str:
    """Why the match has its grade and no stronger one, in a line; empty where the catalog lacks the signature."""
    if signature is None:
        return ""
    held = {hit.clause: hit for hit in match.hits}
    clauses = {clause.name: clause for clause in signature.clauses}
    failed: dict[str, list[str]] = {}
    for rule in signature.rules:
        if rule.grade is match.grade and _holds(rule, held):
            proof = ", ".join(_share(clauses[name], held[name]) for name in _used(rule, held) if name in clauses)
            stronger = "".join(f"; not {grade}: {' or '.join(dict.fromkeys(ways))}" for grade, ways in failed.items())
            return f"{match.grade.value} by {proof}{stronger}"
        if not any(clauses[name].kind is FactKind.DEX_PROFILE for name in _lacking(rule, held) if name in clauses):
            failed.setdefault(rule.grade.value, []).append(f"too little of {', '.join(_lacking(rule, held))}")
    return ""


def _holds(rule: Rule, held: dict[str, ClauseHit]) -> bool:
    either = any(name in held for name in rule.any_of) or not rule.any_of
    return either and all(name in held for name in rule.all_of)


def _used(rule: Rule, held: dict[str, ClauseHit]) -> list[str]:
    return [name for name in (*rule.all_of, *rule.any_of) if name in held]


def _lacking(rule: Rule, held: dict[str, ClauseHit]) -> list[str]:
    """Names of the clauses for want of which a rule does not hold."""
    return [name for name in rule.all_of if name not in held] or list(rule.any_of)


def _share(clause: Clause, hit: ClauseHit) -> str:
    counted = share_of(clause, hit)
    return f"{clause.name} ({counted})" if counted else clause.name


def share_of(clause: Clause | None, hit: ClauseHit) -> str:
    """How much was seen: 7 of 75, 5 are enough; no total where patterns were asked for."""
    if clause is None or not clause.values or clause.prefixes or clause.globs:
        return f"{hit.matched} seen" if hit.matched > 1 else ""
    enough = f", {clause.at_least} are enough" if clause.at_least > 1 else ""
    return f"{hit.matched} of {len(clause.values)}{enough}" if len(clause.values) > 1 else ""


def add_answer(page: Page, audit: Audit, answer: Answer, names: Names) -> None:
    """Add the whole proof of one answer: every signature that held, tier by tier, and what keeps the answer open."""
    app = audit.app
    title = [Piece(shortened(app.label or app.app_id or "(no id)", _VALUE), "head"), Piece(str(app.origin), "soft")]
    page.add(0, title, hanging=4)
    page.add(2, words(f"{names.subject(answer.subject)}: {answer.verdict.value}", "alarm" if answer.matches else ""))
    for problem in answer.hidden_by:
        add_problem(page, problem, app.origin)
    for match in answer.matches:
        _add_match(page, match, names, app.origin)
    if not answer.matches:
        page.add(4, words("nothing that the catalog asks for was seen"))


def _add_match(page: Page, match: Match, names: Names, base: Origin) -> None:
    signature = names.questions.get(match.signature)
    role = {Role.APP: "identity", Role.SDK: "SDK", Role.VENDOR: "another SDK of the vendor"}[match.role]
    page.add(4, [*words(f"{names.signature(match.signature)} ({role}): {match.grade.value}", "head")])
    page.add(6, [label("meaning"), *words(match.grade.meaning)], hanging=6 + LABEL_WIDTH)
    reason = reason_of(match, signature)
    if reason or match.detail:
        page.add(6, [label("why"), *words(shortened(reason or match.detail, 4 * _VALUE))], hanging=6 + LABEL_WIDTH)
    if reason and match.detail:
        page.add(6, [label("use"), *words(shortened(match.detail, _VALUE))], hanging=6 + LABEL_WIDTH)
    if match.version:
        basis = match.version_basis.meaning if match.version_basis is not VersionBasis.UNKNOWN else ""
        page.add(
            6,
            [label("version"), *words(f"{match.version} ({basis})" if basis else match.version)],
            hanging=6 + LABEL_WIDTH,
        )
    if match.confidence.value != "high":
        page.add(6, [label("confidence"), *words(match.confidence.value)])
    shown: set[Fact] = set()
    for tier in TIERS:
        for hit in match.hits:
            if hit.kind.tier is tier:
                _add_hit(page, hit, signature, base, shown)
    unseen = list(_unseen(match, signature))
    if unseen:
        page.add(6, [label("not seen"), *listed(unseen)], hanging=6 + LABEL_WIDTH)


def _add_hit(page: Page, hit: ClauseHit, signature: Signature | None, base: Origin, shown: set[Fact]) -> None:
    """Add one clause; a fact that an earlier one showed is not repeated."""
    clauses = signature.clauses if signature is not None else ()
    clause = next((item for item in clauses if item.name == hit.clause), None)
    counted = share_of(clause, hit)
    head = f"{hit.clause}, {hit.kind.value}{f': {counted}' if counted else ''}"
    page.add(6, [label(hit.kind.tier.value), *words(head)], hanging=6 + LABEL_WIDTH)
    fresh = [fact for fact in hit.facts if fact not in shown]
    shown.update(fresh)
    for fact in fresh:
        place = place_in(fact.origin, base)
        where = [Piece(f"in {place}", "soft")] if place else []
        page.add(6 + LABEL_WIDTH, [Piece(shortened(fact.value, _VALUE), "value"), *where])
    if fresh and hit.matched > len(hit.facts):
        page.add(6 + LABEL_WIDTH, words(f"and {hit.matched - len(hit.facts)} more", "soft"))


def _unseen(match: Match, signature: Signature | None) -> Iterator[str]:
    """Clauses that would have counted and did not hold."""
    held = {hit.clause for hit in match.hits}
    for clause in signature.clauses if signature is not None else ():
        if clause.name not in held:
            # Without --deep nobody looked.
            condition = ", seen with --deep only" if clause.kind is FactKind.DEX_PROFILE else ""
            yield f"{clause.name} ({clause.kind.value}{condition})"
