"""Audits, reports and a small catalog put together by hand, for renderers and commands."""

from __future__ import annotations

from datetime import date

from auditor.catalog import Catalog
from auditor.model import (
    Answer,
    App,
    Audit,
    ClauseHit,
    Confidence,
    Extraction,
    Fact,
    FactBatch,
    FactKind,
    Finding,
    Grade,
    LegalStatus,
    Match,
    NamedSubject,
    Origin,
    Part,
    PartKind,
    Platform,
    Policy,
    Problem,
    ProblemCode,
    Relation,
    Role,
    Signature,
    Signer,
    Signing,
    SigningState,
    Subject,
    Verdict,
    batch,
)
from auditor.report.content import Report, collect
from auditor.report.outcome import FailOn

DAY = date(2026, 11, 22)
SUBJECTS = {
    "alipay": "Alipay",
    "tencent-qq": "Tencent QQ",
    "wechat": "WeChat",
    "wechat-pay": "WeChat Pay",
}
SIGNER = Signer(
    sha256="ab" * 32,
    sha1="cd" * 20,
    md5="ef" * 16,
    md5_of_hex="01" * 16,
    subject="CN=Example Signing, O=Example",
    public_key_sha256="23" * 32,
)


def make_app(file: str = "shop.apk", app_id: str = "com.example.shop", **changes: object) -> App:
    origin = Origin((file,))
    values: dict[str, object] = {
        "platform": Platform.ANDROID,
        "app_id": app_id,
        "origin": origin,
        "build": "45" * 32,
        "version": "4.2.1",
        "version_code": "421",
        "label": "Example Shop",
        "labels": (("", "Example Shop"), ("de", "Beispielladen")),
        "parts": (Part(PartKind.BASE, file, "67" * 32, 1234, origin),),
        "signing": Signing(SigningState.VERIFIED, "v2", (SIGNER,), present=("v1", "v2")),
        **changes,
    }
    return App(**values)  # type: ignore[arg-type]


def make_hit(
    app: App,
    kind: FactKind = FactKind.DEX_CLASS,
    value: str = "com.alipay.sdk.app.PayTask",
    *,
    member: str = "classes2.dex",
    offset: int | None = 0x70,
    matched: int = 12,
    listed: int = 14,
) -> ClauseHit:
    origin = app.origin.child(member).at(offset) if member else app.origin
    return ClauseHit("clause", kind, matched, listed, (Fact(kind, value, origin),))


def make_match(
    app: App, subject: str = "alipay", grade: Grade = Grade.EMBEDDED, *hits: ClauseHit, **changes: object
) -> Match:
    values: dict[str, object] = {
        "signature": f"{subject}-sdk-android",
        "subject": subject,
        "role": Role.SDK,
        "grade": grade,
        "hits": hits or (make_hit(app),),
        **changes,
    }
    return Match(**values)  # type: ignore[arg-type]


def identity_match(app: App, subject: str, grade: Grade, relation: Relation = Relation.MAIN, detail: str = "") -> Match:
    id_hit = make_hit(app, FactKind.APP_ID, app.app_id, member="AndroidManifest.xml", offset=None, matched=1, listed=1)
    return Match(f"app:{subject}", subject, Role.APP, grade, (id_hit,), relation, Confidence.HIGH, app.version, detail)


def make_audit(
    app: App,
    *matches: Match,
    problems: tuple[Problem, ...] = (),
    unknown: tuple[str, ...] = (),
    findings: tuple[Finding, ...] | None = None,
    facts: tuple[FactBatch, ...] = (),
) -> Audit:
    """An audit whose verdicts follow from its matches; ``unknown`` names the subjects that stay open."""
    answers = []
    for subject in SUBJECTS:
        own = tuple(match for match in matches if match.subject == subject)
        verdict = Verdict.NOT_FOUND
        if any(match.grade.is_finding and match.role is not Role.VENDOR for match in own):
            verdict = Verdict.PRESENT
        elif subject in unknown:
            verdict = Verdict.UNKNOWN
        answers.append(Answer(subject, verdict, own, problems if verdict is Verdict.UNKNOWN else ()))
    made = tuple(make_finding(answer) for answer in answers if answer.verdict is Verdict.PRESENT)
    return Audit(Extraction(app, facts, problems), tuple(answers), made if findings is None else findings)


def make_finding(answer: Answer, policy: str = "us-eo", status: LegalStatus = LegalStatus.ENDED) -> Finding:
    first = answer.matches[0]
    return Finding(policy, answer.subject, answer.subject.title(), first.role, first.grade, status, first.relation)


def make_problem(
    code: ProblemCode = ProblemCode.DEX_DAMAGED,
    file: str = "shop.apk",
    member: str = "classes2.dex",
    detail: str = "string ids end beyond the file",
) -> Problem:
    origin = Origin((file, member)) if member else Origin((file,))
    return Problem(code, origin, detail)


def make_report(*audits: Audit, problems: tuple[Problem, ...] = (), ended: bool = True, **changes: object) -> Report:
    values: dict[str, object] = {
        "tool": ("auditor", "0.1.0"),
        "catalog": "89" * 32,
        "as_of": DAY,
        "fail_on": FailOn(),
        "ended": ended,
        **changes,
    }
    return collect(audits, problems, **values)  # type: ignore[arg-type]


def make_policy(policy_id: str = "us-eo", revoked: date | None = date(2021, 6, 9)) -> Policy:
    return Policy(
        id=policy_id,
        name="Order on Software",
        authority="An Authority",
        citation="12 REG 345",
        scope="transactions with the named software",
        signed=date(2021, 1, 5),
        effective=date(2021, 2, 19),
        revoked=revoked,
        status="revoked",
        names=tuple(NamedSubject(subject.title(), subject) for subject in SUBJECTS),
        covers_subsidiaries=True,
        confidence=Confidence.HIGH,
        sources=("order-text",),
    )


def make_catalog() -> Catalog:
    subjects = {key: Subject(key, name, f"{name} Ltd.", (), ()) for key, name in SUBJECTS.items()}
    signatures = tuple(
        Signature(f"{key}-sdk-android", f"{name} SDK", key, Role.SDK, Platform.ANDROID, f"{name} Ltd.", (), ())
        for key, name in SUBJECTS.items()
    )
    return Catalog(subjects, signatures, (make_policy(),), {}, {}, digest="89" * 32)


def some_facts(app: App) -> tuple[FactBatch, ...]:
    dex = app.origin.child("classes.dex")
    return (
        batch(FactKind.APP_ID, app.origin.child("AndroidManifest.xml"), [app.app_id]),
        batch(FactKind.DEX_CLASS, dex, ["com.example.shop.Main", "com.example.shop.Pay"]),
        batch(FactKind.DEX_STRING, dex, ["hello"]),
    )
