"""Apps made of facts alone, and small catalogs to ask about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from types import MappingProxyType

from auditor.catalog import Catalog
from auditor.model import (
    App,
    AppId,
    Certificate,
    Clause,
    Confidence,
    Extraction,
    FactKind,
    Grade,
    NamedSubject,
    Origin,
    Platform,
    Policy,
    Problem,
    ProblemCode,
    Relation,
    Role,
    Rule,
    Signature,
    Signer,
    Signing,
    SigningState,
    Subject,
    VersionSource,
    batch,
)

HERE = Origin(("x.apk",))


def signer(name: str = "one", modulus: str | None = None) -> Signer:
    """A signer whose digests are all derived from its name."""
    return Signer(f"256{name}", f"1{name}", f"5{name}", f"5hex{name}", f"CN={name}", f"key{name}", modulus)


def signed(*signers: Signer, state: SigningState = SigningState.VERIFIED, lineage: tuple[Signer, ...] = ()) -> Signing:
    return Signing(state, "v3", signers, lineage)


def extraction(
    facts: Mapping[FactKind, Iterable[str]] | None = None,
    *,
    app_id: str = "com.example.app",
    platform: Platform = Platform.ANDROID,
    signing: Signing | None = None,
    problems: Iterable[ProblemCode | Problem] = (),
) -> Extraction:
    """One app with these facts, its id and its signers."""
    signing = signing if signing is not None else signed(signer("stranger"))
    batches = [batch(kind, HERE.child("classes.dex"), values) for kind, values in (facts or {}).items()]
    if app_id:
        batches.append(batch(FactKind.APP_ID, HERE.child("AndroidManifest.xml"), [app_id]))
    if signing.state is SigningState.VERIFIED:
        values = [value for item in (*signing.signers, *signing.lineage) for value in item.values()]
        batches.append(batch(FactKind.SIGNER, HERE, values))
    return Extraction(
        App(platform, app_id, HERE, "b" * 64, signing=signing),
        tuple(batches),
        tuple(item if isinstance(item, Problem) else Problem(item, HERE, "made up") for item in problems),
    )


def certificate(name: str = "one", **digests: str | None) -> Certificate:
    values: dict[str, str | None] = {"sha256": f"256{name}", **digests}
    return Certificate(f"cert-{name}", name, Confidence.HIGH, ("s",), **values)  # type: ignore[arg-type]


def app_id(
    value: str | None,
    relation: Relation = Relation.MAIN,
    *,
    certificates: tuple[str, ...] = (),
    platform: Platform = Platform.ANDROID,
    store_ids: tuple[str, ...] = (),
) -> AppId:
    return AppId(platform, value, relation, "label", Confidence.HIGH, ("s",), store_ids, certificates)


def subject(name: str, ids: Iterable[AppId] = (), certificates: Iterable[Certificate] = ()) -> Subject:
    return Subject(name, name.title(), "Developer", tuple(ids), tuple(certificates))


def clause(name: str, kind: FactKind, *values: str, **more: object) -> Clause:
    return Clause(name, kind, tuple(values), sources=("s",), **more)  # type: ignore[arg-type]


def signature(
    name: str,
    clauses: Iterable[Clause],
    rules: Iterable[tuple[Grade, tuple[str, ...], tuple[str, ...]]],
    *,
    subject: str = "pay",
    role: Role = Role.SDK,
    platform: Platform = Platform.ANDROID,
    own_apps: tuple[str, ...] = (),
    versions: tuple[VersionSource, ...] = (),
) -> Signature:
    """``rules`` are (grade, all of, any of)."""
    return Signature(
        name,
        name.title(),
        subject,
        role,
        platform,
        "Vendor",
        tuple(clauses),
        tuple(Rule(grade, all_of, any_of) for grade, all_of, any_of in rules),
        own_apps=own_apps,
        versions=versions,
    )


def policy(
    name: str,
    *named: NamedSubject,
    signed_on: date | None = date(2021, 1, 5),
    effective: date | None = date(2021, 2, 19),
    revoked: date | None = None,
) -> Policy:
    return Policy(
        name, name, "authority", "citation", "scope", signed_on, effective, revoked, "status", tuple(named), None,
        Confidence.HIGH, ("s",),
    )  # fmt: skip


def catalog(
    subjects: Iterable[Subject] = (), signatures: Iterable[Signature] = (), policies: Iterable[Policy] = ()
) -> Catalog:
    subjects = tuple(subjects)
    return Catalog(
        subjects=MappingProxyType({item.id: item for item in sorted(subjects, key=lambda item: item.id)}),
        signatures=tuple(sorted(signatures, key=lambda item: item.id)),
        policies=tuple(sorted(policies, key=lambda item: item.id)),
        certificates=MappingProxyType({cert.id: cert for item in subjects for cert in item.certificates}),
        sources=MappingProxyType({}),
    )
