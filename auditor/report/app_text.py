"""One app for people: who it is, which subjects it is or carries, how we know, and what stays open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from auditor.model import (
    Answer,
    App,
    Audit,
    ClauseHit,
    Grade,
    Match,
    Origin,
    Platform,
    Relation,
    Role,
    SigningState,
    Tier,
    Verdict,
)
from auditor.report.content import sorted_problems
from auditor.report.inert import shortened
from auditor.report.layout import LABEL_WIDTH, Page, Piece, label, listed, words
from auditor.report.names import Names
from auditor.report.problem_text import add_problem, place_in
from auditor.report.proof_text import TIERS, reason_of

PLATFORM_NAMES = {Platform.ANDROID: "Android", Platform.IOS: "iOS"}
_NAME = 60
"""Characters shown of a label, version or certificate name."""
_VALUE = 120
"""Characters shown of one piece of evidence; JSON has the whole."""

_IS = {
    Grade.VERIFIED: "is the app (verified)",
    Grade.CLAIMED: "is the app by its id (claimed)",
    Grade.IMPOSTOR: "has the id of the app, but not its signature (impostor)",
}
_HOSTS = {
    Grade.VERIFIED: "is the app that contains it (verified)",
    Grade.CLAIMED: "is the app that contains it by its id (claimed)",
    Grade.IMPOSTOR: "has the id of the app that contains it, but not its signature (impostor)",
}
_CARRIES = {
    Grade.EMBEDDED: "carries its SDK (embedded)",
    Grade.RENAMED: "carries its SDK under other names (renamed)",
}
_OTHER_APPS = {
    Relation.AFFILIATE_APP: "an app of an affiliate",
    Relation.SAME_VENDOR: "another app of the vendor",
    Relation.HISTORICAL: "an app under an id of the past",
}
_WEAK = {
    Grade.REFERENCED: "referenced, not embedded",
    Grade.MENTIONED: "mentioned only",
    Grade.REIMPLEMENTED: "protocol spoken by foreign code",
    Grade.SIBLING: "same signer, another app",
}


def label_of(app: App) -> str:
    """What to call an app: its label, or its id where it has none."""
    return shortened(app.label or app.app_id or "(no id)", _NAME)


def add_app(page: Page, audit: Audit, names: Names, as_of: date) -> None:
    """Add everything people need to know of one app."""
    _add_identity(page, audit.app)
    for answer in audit.answers:
        if answer.verdict is Verdict.PRESENT:
            _add_present(page, audit, answer, names, as_of)
    _add_vendor(page, audit, names)
    for problem in sorted_problems(audit.problems):
        add_problem(page, problem, audit.app.origin)
    _add_unknown(page, audit, names)
    _add_weak(page, audit, names)


def add_clean(page: Page, audit: Audit) -> None:
    """Add an app of which there is nothing to say."""
    page.add(2, [*_title(audit.app), Piece(str(audit.app.origin), "soft")], hanging=6)


def _title(app: App) -> list[Piece]:
    pieces = [Piece(label_of(app), "head")]
    if app.label:
        pieces.append(Piece(shortened(app.app_id or "(no id)", _VALUE)))
    if app.version:
        pieces.append(Piece(shortened(app.version, _NAME)))
    pieces.append(Piece(f"({PLATFORM_NAMES[app.platform]})"))
    return pieces


def _add_identity(page: Page, app: App) -> None:
    page.add(0, _title(app))
    page.add(2, [label("file"), Piece(str(app.origin), "value")])
    if app.parent is not None:
        page.add(2, [label("inside"), Piece(str(app.parent), "value")])
    if app.signing.state is not SigningState.NOT_CHECKED or app.signing.signers:
        page.add(2, [label("signature"), *_signing(app)], hanging=2 + LABEL_WIDTH)


def _signing(app: App) -> Iterator[Piece]:
    signing = app.signing
    good = signing.state is SigningState.VERIFIED
    scheme = "" if signing.scheme is None else f" ({signing.scheme})"
    yield Piece(f"{signing.state.value}{scheme}", "" if good else "open")
    for signer in signing.signers:
        yield Piece(shortened(signer.subject, _NAME))
        yield Piece(f"sha256:{signer.sha256[:16]}…")


def _add_present(page: Page, audit: Audit, answer: Answer, names: Names, as_of: date) -> None:
    proofs = [match for match in answer.matches if _proves(match)]
    claim = claim_of(proofs[0]) if proofs else answer.verdict.value
    page.add(2, words(f"{names.subject(answer.subject)}: {claim}{_version(proofs)}", "alarm"), hanging=4)
    for match in proofs:
        _add_proof(page, match, names, audit.app.origin)
    named = names.named_in((item for item in audit.findings if item.subject == answer.subject), as_of)
    for number, (status, policies) in enumerate(named):
        title = label("" if number else "named in")
        page.add(4, [title, *words(f"{status}:", "soft"), *listed(policies)], hanging=4 + LABEL_WIDTH)


def _proves(match: Match) -> bool:
    return match.role is not Role.VENDOR and match.grade.is_finding


def claim_of(match: Match) -> str:
    """What a match says of the app, in words."""
    claims = _CARRIES
    if match.role is Role.APP:
        claims = _HOSTS if match.relation is Relation.HOST_APP else _IS
    claim = claims.get(match.grade, match.grade.value)
    return claim.replace(" the app", " a variant of the app", 1) if match.relation is Relation.VARIANT else claim


def _version(proofs: Iterable[Match]) -> str:
    """Versions of the SDK; the app's own stands in its title."""
    versions = sorted({match.version for match in proofs if match.version and match.role is Role.SDK})
    return f", version {shortened(', '.join(versions), _NAME)}" if versions else ""


def _add_proof(page: Page, match: Match, names: Names, base: Origin) -> None:
    if match.role is Role.SDK:
        low = "" if match.confidence.value == "high" else f" (confidence {match.confidence.value})"
        page.add(4, [label("SDK"), *words(f"{names.signature(match.signature)}{low}")])
    if match.detail:
        page.add(
            4,
            [label("signer" if match.role is Role.APP else "use"), *words(shortened(match.detail, 2 * _VALUE))],
            hanging=4 + LABEL_WIDTH,
        )
    reason = reason_of(match, names.questions.get(match.signature))
    if match.grade is not Grade.EMBEDDED and reason:
        page.add(4, [label("why"), *words(reason)], hanging=4 + LABEL_WIDTH)
    for tier in TIERS:
        hits = [hit for hit in match.hits if hit.kind.tier is tier]
        shown = hits if tier is Tier.IDENTITY else hits[:1]
        for hit in shown:
            # Clauses of a tier ask for the same values in different numbers: their sum would count some twice.
            more = hit.matched if tier is Tier.IDENTITY else max(item.matched for item in hits)
            _add_hit(page, tier, hit, more - 1, base)


def _add_hit(page: Page, tier: Tier, hit: ClauseHit, more: int, base: Origin) -> None:
    if not hit.facts:
        page.add(4, [label(tier.value), *words(hit.clause)])
        return
    fact = hit.facts[0]
    place = place_in(fact.origin, base)
    pieces = [label(tier.value), Piece(shortened(fact.value, _VALUE), "value")]
    if place:
        pieces.append(Piece(f"in {place}"))
    if more > 0:
        pieces.append(Piece(f"(and {more} more)", "soft"))
    page.add(4, pieces, hanging=4 + LABEL_WIDTH)


def _add_vendor(page: Page, audit: Audit, names: Names) -> None:
    """Add what the same vendors have in this app, or that it is another app of theirs."""
    sdks: dict[str, list[str]] = {}
    for answer in audit.answers:
        for match in answer.matches:
            if match.role is not Role.VENDOR:
                continue
            if match.signature.startswith("app:"):
                page.add(2, words(_other_app(match, names)), hanging=4)
            else:
                sdks.setdefault(answer.subject, []).append(_vendor_sdk(match, names))
    for subject, items in sdks.items():
        page.add(2, [*words(f"other SDKs of the vendor of {names.subject(subject)}:", "soft"), *listed(items)], 4)


def _other_app(match: Match, names: Names) -> str:
    """An app that is not the designated one, but whose id the catalog lists beside it."""
    relation = _OTHER_APPS.get(match.relation, "another app") if match.relation is not None else "another app"
    by_id = "" if match.grade is Grade.VERIFIED else " by its id"
    return f"not {names.subject(match.subject)}, but {relation}{by_id} ({match.grade.value})"


def _vendor_sdk(match: Match, names: Names) -> str:
    version = f" {shortened(match.version, _NAME)}" if match.version else ""
    grade = "" if match.grade is Grade.EMBEDDED else f" ({match.grade.value})"
    return f"{names.signature(match.signature)}{version}{grade}"


def _add_unknown(page: Page, audit: Audit, names: Names) -> None:
    """Add open questions, those with the same reason together."""
    reasons: dict[tuple[str, ...], list[str]] = {}
    for answer in audit.answers:
        if answer.verdict is Verdict.UNKNOWN:
            codes = tuple(sorted({problem.code.value for problem in answer.hidden_by}))
            reasons.setdefault(codes, []).append(names.subject(answer.subject))
    for codes, subjects in reasons.items():
        because = words(f"because of {', '.join(codes)}", "soft") if codes else []
        page.add(2, [Piece("unknown:", "open"), *listed(subjects), *because], hanging=4)


def _add_weak(page: Page, audit: Audit, names: Names) -> None:
    """Add what is no finding: one line per grade, one piece of evidence per subject."""
    shown: dict[tuple[Grade, str], list[str]] = {}
    for answer in audit.answers:
        if answer.verdict is Verdict.PRESENT:
            continue
        for match in answer.matches:
            if match.role is not Role.VENDOR and match.grade in _WEAK:
                # Where the answer is open, "not embedded" would say more than is known.
                title = _WEAK[match.grade] if answer.verdict is Verdict.NOT_FOUND else match.grade.value
                shown.setdefault((match.grade, title), []).append(f"{names.subject(answer.subject)}{_sample(match)}")
                break
    for grade in _WEAK:
        for (shown_grade, title), items in shown.items():
            if shown_grade is grade:
                page.add(2, [*words(f"{title}:", "soft"), *listed(items)], hanging=4)


def _sample(match: Match) -> str:
    if not match.hits or not match.hits[0].facts:
        return ""
    fact = match.hits[0].facts[0]
    return f" ({fact.kind.value} {shortened(fact.value, _NAME)})"
