"""Audits made by hand: what an extraction, a match and a judgement of one app look like."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date

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
    Origin,
    Part,
    PartKind,
    Platform,
    Problem,
    ProblemCode,
    Relation,
    Role,
    Scan,
    Signer,
    Signing,
    SigningState,
    Verdict,
    Waiver,
    batch,
    build_key,
)

TOOL = "auditor 0.1.0"
CATALOG = "c" * 64
SUBJECTS = ("alipay", "shareit", "wechat", "wechat-pay")
DAY = date(2026, 11, 22)
SEEN = "2026-11-22T18:00:00Z"


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def a_scan(*target: str, catalog: str = CATALOG, tool: str = TOOL) -> Scan:
    return Scan(tool=tool, catalog=catalog, as_of=DAY, target=target or ("apps",))


def a_signer(name: str = "Test", modulus: str | None = "c0ffee") -> Signer:
    return Signer(
        sha256=sha256(name),
        sha1=sha256(name)[:40],
        md5=sha256(name)[:32],
        md5_of_hex=sha256(name)[32:],
        subject=f"CN={name}",
        public_key_sha256=sha256(name + " key"),
        rsa_modulus=modulus,
    )


def a_part(path: Iterable[str], kind: PartKind = PartKind.BASE, content: str = "bytes") -> Part:
    """A part named after the last name of its path, whose bytes are stood for by ``content``."""
    origin = Origin(tuple(path))
    return Part(kind, origin.path[-1].rsplit("/", 1)[-1], sha256(content), 1234, origin)


def an_app(
    path: str = "apps/shop.apk", app_id: str = "com.example.shop", content: str = "", label: str = "Shop"
) -> App:
    """A single APK; its bytes follow from ``content``, or from its id."""
    part = a_part([path], content=content or app_id)
    return App(
        platform=Platform.ANDROID,
        app_id=app_id,
        origin=part.origin,
        build=build_key([part]),
        version="1.2.3",
        version_code="10203",
        label=label,
        labels=(("", label), ("zh-CN", "商店")),
        min_sdk="24",
        target_sdk="35",
        parts=(part,),
        signing=Signing(
            SigningState.VERIFIED,
            scheme="v3",
            signers=(a_signer(),),
            lineage=(a_signer("Old", None), a_signer()),
            present=("v1", "v2", "v3"),
            trusted=((0, "v1"), (24, "v2"), (28, "v3")),
        ),
        attributes=(("installLocation", "auto"),),
    )


def a_split_app(folder: str = "device/com.example.split") -> App:
    """A base and two splits side by side."""
    parts = (
        a_part([f"{folder}/base.apk"], PartKind.BASE, "base"),
        a_part([f"{folder}/split_config.arm64.apk"], PartKind.SPLIT, "arm"),
        a_part([f"{folder}/split_config.zh.apk"], PartKind.SPLIT, "zh"),
    )
    return App(
        platform=Platform.ANDROID,
        app_id="com.example.split",
        origin=Origin((folder,)),
        build=build_key(parts),
        parts=parts,
    )


def a_match(
    origin: Origin, subject: str = "alipay", grade: Grade = Grade.EMBEDDED, value: str = "com.alipay.sdk.app.PayTask"
) -> Match:
    """A class inside the DEX file at ``origin``."""
    hit = ClauseHit("classes", FactKind.DEX_CLASS, 2, 5, (Fact(FactKind.DEX_CLASS, value, origin.at(0x70)),))
    return Match(f"{subject}-sdk-android", subject, Role.SDK, grade, (hit,), version="15.8.11", detail="pays")


def an_app_match(app: App, subject: str = "wechat") -> Match:
    hit = ClauseHit("id", FactKind.APP_ID, 1, 1, (Fact(FactKind.APP_ID, app.app_id, app.origin),))
    return Match(f"app:{subject}", subject, Role.APP, Grade.IMPOSTOR, (hit,), Relation.HOST_APP, Confidence.MEDIUM)


def a_finding(subject: str = "alipay", policy: str = "eo-13971", waiver: Waiver | None = None) -> Finding:
    return Finding(policy, subject, "Alipay", Role.SDK, Grade.EMBEDDED, LegalStatus.ENDED, waiver=waiver)


def a_waiver() -> Waiver:
    return Waiver("W-1", "Ada", "accepted until the “new” till is there", date(2027, 1, 31), "alipay", "com.example.*")


def some_facts(app: App) -> tuple[FactBatch, ...]:
    base = app.parts[0].origin if app.parts else app.origin
    dex = base.child("classes.dex")
    return (
        batch(FactKind.APP_ID, base, [app.app_id]),
        batch(FactKind.FILE, base, ["AndroidManifest.xml", "classes.dex", "res/a.xml", "res/ab.xml"]),
        batch(FactKind.DEX_CLASS, dex, ["com.alipay.sdk.app.PayTask", "com.alipay.sdk.app.AuthTask", "a.a.a"]),
        batch(FactKind.DEX_STRING, dex, ["https://mclient.alipay.com/", "15.8.11", "支付宝", "\x00", "😀"]),
    )


def answers_of(
    matches: Iterable[Match] = (),
    unknown: Iterable[tuple[str, tuple[Problem, ...]]] = (),
    subjects: Iterable[str] = SUBJECTS,
) -> tuple[Answer, ...]:
    """One answer per subject: PRESENT with a finding grade, UNKNOWN where said so, else NOT FOUND."""
    matches = tuple(matches)
    open_questions = dict(unknown)
    answers = []
    for subject in sorted(subjects):
        mine = tuple(match for match in matches if match.subject == subject)
        verdict = Verdict.UNKNOWN if subject in open_questions else Verdict.NOT_FOUND
        if any(match.grade.is_finding for match in mine):
            verdict = Verdict.PRESENT
        answers.append(Answer(subject, verdict, mine, open_questions.get(subject, ())))
    return tuple(answers)


def a_clean_audit(app: App | None = None, facts: tuple[FactBatch, ...] = ()) -> Audit:
    """An app in which everything was readable and nothing was found."""
    return Audit(Extraction(app or an_app(), facts), answers_of(), ())


def an_audit(app: App | None = None, facts: tuple[FactBatch, ...] = ()) -> Audit:
    """An app that carries the Alipay SDK, may be WeChat Pay (a DEX file is damaged), and mentions SHAREit."""
    app = app or an_app()
    base = app.parts[0].origin if app.parts else app.origin
    damaged = Problem(ProblemCode.DEX_DAMAGED, base.child("classes2.dex").at(0x40), "string 7 lies outside the file")
    narrow = Problem(ProblemCode.LIMIT, base, "too many files", frozenset({FactKind.FILE, FactKind.DEX_CLASS}))
    matches = (
        a_match(base.child("classes.dex")),
        a_match(base, "shareit", Grade.REFERENCED, "com.lenovo.anyshare.gps"),
        an_app_match(app),
    )
    return Audit(
        Extraction(app, facts, (damaged, narrow)),
        answers_of(matches, [("wechat-pay", (damaged,))]),
        (a_finding(), a_finding(policy="texas", waiver=a_waiver())),
    )
