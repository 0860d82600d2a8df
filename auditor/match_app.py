"""Decide whether an app IS a designated app: its id against the catalog, its signer against the references."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from auditor.catalog import Catalog
from auditor.model import (
    App,
    AppId,
    Certificate,
    ClauseHit,
    Extraction,
    Fact,
    FactKind,
    Grade,
    Match,
    Platform,
    Relation,
    Role,
    Signer,
    SigningState,
    Subject,
)


def match_identity(extraction: Extraction, catalog: Catalog) -> Iterator[Match]:
    """One match per subject whose ids or signers name this app."""
    app = extraction.app
    for subject in catalog.subjects.values():
        known = [entry for entry in subject.app_ids if entry.platform is app.platform]
        by_id = next((entry for entry in known if entry.value and entry.value == app.app_id), None)
        by_store = None if by_id is not None else _by_store(known, extraction)
        entry = by_id or by_store
        if entry is not None and entry.relation is Relation.NOT_THE_APP:
            continue
        if entry is not None:
            yield _match_entry(extraction, subject, entry, catalog)
        else:
            sibling = _match_sibling(extraction, subject)
            if sibling is not None:
                yield sibling


def _by_store(known: Iterable[AppId], extraction: Extraction) -> AppId | None:
    """The entry whose store item this is: a copy under another bundle id keeps the record of where it came from."""
    items = {value for item in extraction.of(FactKind.STORE_ID) for value in item.values}
    return next((entry for entry in known if items & set(entry.store_ids)), None)


def _match_entry(extraction: Extraction, subject: Subject, entry: AppId, catalog: Catalog) -> Match:
    app = extraction.app
    references = [catalog.certificates[name] for name in entry.certificates]
    if app.signing.state is SigningState.RECORDED:
        grade, reference, detail = grade_recorded(extraction, references, family_of(subject))
    else:
        grade, reference, detail = grade_signer(app, references, family_of(subject))
    kind = FactKind.APP_ID if entry.value is not None and entry.value == app.app_id else FactKind.STORE_ID
    if kind is FactKind.STORE_ID:
        detail = f"known by its App Store id; its bundle id is {app.app_id or 'not readable'}"
    hits = [ClauseHit("app-id", kind, 1, 1, tuple(_first_facts(extraction, kind)))]
    confidence = entry.confidence
    if reference is not None:
        facts = tuple(_signer_facts(extraction, reference))
        hits.append(ClauseHit(f"signer {reference.id}", FactKind.SIGNER, len(facts), 1, facts))
    return Match(
        signature=f"app:{subject.id}",
        subject=subject.id,
        role=Role.APP if entry.relation.designates else Role.VENDOR,
        grade=grade,
        hits=tuple(hits),
        relation=entry.relation,
        confidence=confidence,
        version=app.version,
        detail=detail,
    )


def family_of(subject: Subject) -> tuple[Certificate, ...]:
    """The certificates that speak for the designated app: not those known to sign only other products."""
    own = {name for entry in subject.app_ids if entry.relation.designates for name in entry.certificates}
    others = {name for entry in subject.app_ids if not entry.relation.designates for name in entry.certificates}
    return tuple(item for item in subject.certificates if item.id in own or item.id not in others)


def grade_signer(
    app: App, references: Iterable[Certificate], family: Iterable[Certificate]
) -> tuple[Grade, Certificate | None, str]:
    """Grade an app whose id matches: (grade, the reference that matched, why).

    ``references`` are known to sign exactly this id; ``family`` also speak for the subject: they clear an app of
    being an impostor but are no reason to call it one.
    """
    signing = app.signing
    if app.platform is Platform.IOS or signing.state is SigningState.NOT_CHECKED:
        return Grade.CLAIMED, None, "no signer reference exists for this platform"
    if signing.state is SigningState.MISSING:
        return Grade.IMPOSTOR, None, "the app is not signed"
    if signing.state is SigningState.INVALID:
        return Grade.IMPOSTOR, None, f"the signature is invalid: {signing.detail}".rstrip(": ")
    references = tuple(references)
    matched = _reference_for(app, (*references, *family))
    if signing.state is SigningState.UNVERIFIABLE:
        if references and matched is None:
            return Grade.IMPOSTOR, None, "the signer is not the reference, and its signature cannot be verified"
        return Grade.CLAIMED, None, f"the signature cannot be verified: {signing.detail}".rstrip(": ")
    if matched is not None:
        return Grade.VERIFIED, matched, _vouched(app, matched)
    if not references:
        return Grade.CLAIMED, None, "no signer reference is known for this id"
    expected = ", ".join(reference.id for reference in references)
    return Grade.IMPOSTOR, None, f"signed by another key than {expected}: {_names(signing.signers)}"


def grade_recorded(
    extraction: Extraction, references: Iterable[Certificate], family: Iterable[Certificate]
) -> tuple[Grade, Certificate | None, str]:
    """Grade an app that only a record names: (grade, the reference that agrees, why).

    A record is no proof of a signature, so that the best is ``claimed``; but who the record says is another, is one.
    """
    if extraction.app.platform is Platform.IOS:
        return Grade.CLAIMED, None, "known from a record of the device; no signer reference exists for this platform"
    references = tuple(references)
    told = {value for item in extraction.of(FactKind.SIGNER) for value in item.values}
    names = {value.partition(":")[0] for value in told}
    matched = next((item for item in (*references, *family) if told & _values_of(item)), None)
    if matched is not None:
        return Grade.CLAIMED, matched, f"known from a record of the device, which names {matched.id} as its signer"
    comparable = all(any(value.partition(":")[0] in names for value in _values_of(item)) for item in references)
    if told and references and comparable:
        expected = ", ".join(item.id for item in references)
        return Grade.IMPOSTOR, None, f"the record of the device names another signer than {expected}"
    return Grade.CLAIMED, None, "known from a record of the device, which tells no signer to compare"


def _values_of(reference: Certificate) -> set[str]:
    """What a reference says, as SIGNER facts."""
    named = (
        ("sha256", reference.sha256),
        ("sha1", reference.sha1),
        ("md5", reference.md5),
        ("md5-of-hex", reference.md5_of_hex),
        ("java-hash", reference.java_hash),
        ("spki-sha256", reference.spki_sha256),
        ("rsa-modulus", reference.rsa_modulus),
    )
    return {f"{name}:{value}" for name, value in named if value is not None}


def _reference_for(app: App, certificates: Iterable[Certificate]) -> Certificate | None:
    """The first reference that is a signer, now or before a rotation; else the first with the key of one."""
    signers = (*app.signing.signers, *app.signing.lineage)
    known = tuple(certificates)
    exact = (item for item in known if any(item.matches(signer) for signer in signers))
    renewed = (item for item in known if any(item.shares_key(signer) for signer in signers))
    return next(exact, None) or next(renewed, None)


def _vouched(app: App, reference: Certificate) -> str:
    """Say how the reference speaks for the signer."""
    signers, lineage = app.signing.signers, app.signing.lineage
    if any(reference.matches(signer) for signer in signers):
        return f"signed by {reference.id}"
    if any(reference.shares_key(signer) for signer in signers):
        return f"signed by the key of {reference.id}: same key, renewed certificate"
    vouched = f"signed by a key that {reference.id} vouches for (rotation)"
    if any(reference.matches(signer) for signer in lineage):
        return vouched
    return f"{vouched}; same key, renewed certificate"


def _names(signers: Iterable[Signer]) -> str:
    return ", ".join(f"sha256 {signer.sha256[:16]}… ({signer.subject})" for signer in signers)


def _match_sibling(extraction: Extraction, subject: Subject) -> Match | None:
    """Another id under a verified signature by one of the subject's certificates."""
    app = extraction.app
    if app.signing.state not in (SigningState.VERIFIED, SigningState.RECORDED):
        return None
    # Most apps have no signer of a subject at all: telling its own from its vendor's is for the few that have.
    if _reference_for(app, subject.certificates) is None:
        return None
    reference = _reference_for(app, family_of(subject))
    if reference is None:
        return None
    facts = tuple(_signer_facts(extraction, reference))
    return Match(
        signature=f"app:{subject.id}",
        subject=subject.id,
        role=Role.APP,
        grade=Grade.SIBLING,
        hits=(ClauseHit(f"signer {reference.id}", FactKind.SIGNER, len(facts), 1, facts),),
        confidence=reference.confidence,
        version=app.version,
        detail=f"{_vouched(app, reference)}; the id is another",
    )


def _first_facts(extraction: Extraction, kind: FactKind) -> Iterator[Fact]:
    for item in extraction.of(kind):
        for value in item.values:
            yield item.fact(value)
            return


def _signer_facts(extraction: Extraction, reference: Certificate) -> Iterator[Fact]:
    """The signer facts a reference agrees with; the app's own origin where an extractor gave none."""
    wanted = _values_of(reference)
    for item in extraction.of(FactKind.SIGNER):
        for value in item.values:
            if value in wanted:
                yield item.fact(value)
