"""Records of devices, and scans of them, put together by hand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from auditor.model import (
    Answer,
    App,
    Audit,
    ClauseHit,
    Completeness,
    DeviceRecord,
    DeviceScan,
    Extraction,
    Fact,
    FactKind,
    Finding,
    Grade,
    JudgedRecord,
    LegalStatus,
    ListedApp,
    Listing,
    Match,
    Origin,
    Part,
    PartKind,
    Platform,
    Problem,
    ProblemCode,
    RecordKind,
    Relation,
    Role,
    Signer,
    Signing,
    SigningState,
    State,
    Verdict,
    build_key,
)
from tests.builders.audits import sha256

DAY = date(2026, 11, 22)
STARTED = "2026-11-22T18:00:00Z"
SUBJECTS = ("alipay", "wechat", "wechat-pay")
WECHAT = "com.tencent.mm"
SHOP = "com.example.shop"
CODE = "/data/app/~~AAAAAAAAAAAAAAAAAAAAAA==/{}-BBBBBBBBBBBBBBBBBBBBBB=="
_IOS_KINDS = {
    RecordKind.APPLICATION_STATE: "filesystem1/private/var/mobile/Library/FrontBoard/applicationState.db",
    RecordKind.IOS_BACKUP: "backup/Info.plist",
    RecordKind.IOS_APP_LIST: "apps.json",
}
_PLACES = {
    RecordKind.PACKAGES_XML: "ffs.tar!data/system/packages.xml",
    RecordKind.PACKAGES_LIST: "ffs.tar!data/system/packages.list",
    RecordKind.PACKAGE_RESTRICTIONS: "ffs.tar!data/system/users/0/package-restrictions.xml",
    RecordKind.DUMPSYS_PACKAGE: "dumpsys.txt",
    RecordKind.USAGE_STATS: "ffs.tar!data/system_ce/0/usagestats/daily/1700000000000",
    RecordKind.DATA_DIRECTORIES: "ffs.tar!data/user/0",
    **_IOS_KINDS,
}


def a_signer(name: str = "one") -> Signer:
    """A certificate whose digests follow from its name."""
    digest = sha256(name)
    return Signer(
        sha256=digest,
        sha1=digest[:40],
        md5=digest[:32],
        md5_of_hex=digest[32:],
        subject=f"CN={name}",
        public_key_sha256=sha256(name + " key"),
        java_hash=digest[:8],
    )


def java_hash(name: str = "one") -> str:
    """What dumpsys prints of a certificate, as a digest."""
    return f"java-hash:{a_signer(name).java_hash}"


def origin(text: str) -> Origin:
    """An origin as it is printed."""
    return Origin(tuple(text.split("!")))


def listing(app_id: str = WECHAT, state: State = State.INSTALLED, user: str = "", **more: object) -> Listing:
    """One app in a record; Android unless said otherwise."""
    values: dict[str, object] = {"platform": Platform.ANDROID, "origin": origin("record"), **more}
    return Listing(app_id=app_id, state=state, user=user, **values)  # type: ignore[arg-type]


def an_id_match(
    subject: str = "wechat", grade: Grade = Grade.CLAIMED, app_id: str = WECHAT, at: Origin | None = None
) -> Match:
    """The id of a designated app."""
    fact = Fact(FactKind.APP_ID, app_id, at or origin("record"))
    hit = ClauseHit("app-id", FactKind.APP_ID, 1, 1, (fact,))
    return Match(f"app:{subject}", subject, Role.APP, grade, (hit,), Relation.MAIN, detail="named by a record")


def an_sdk_match(subject: str = "alipay", grade: Grade = Grade.EMBEDDED) -> Match:
    """Code of an SDK."""
    fact = Fact(FactKind.DEX_CLASS, "com.alipay.sdk.app.PayTask", origin("base.apk"))
    hit = ClauseHit("classes", FactKind.DEX_CLASS, 1, 1, (fact,))
    return Match(f"{subject}-sdk", subject, Role.SDK, grade, (hit,))


def a_finding(match: Match) -> Finding:
    return Finding("eo-13971", match.subject, match.subject, match.role, match.grade, LegalStatus.ENDED)


def judged(listing: Listing) -> ListedApp:
    """WeChat's id matches; leftovers and history are no finding."""
    if listing.app_id not in (WECHAT, "com.tencent.xin"):
        return ListedApp(listing)
    match = an_id_match(app_id=listing.app_id, at=listing.origin)
    return ListedApp(listing, (match,), (a_finding(match),) if listing.state.is_presence else ())


def a_record(
    *listings: Listing,
    kind: RecordKind = RecordKind.PACKAGES_XML,
    completeness: Completeness | None = None,
    place: str = "",
    **more: object,
) -> JudgedRecord:
    """A record in its usual place, complete where records of its kind are."""
    full = (RecordKind.PACKAGES_XML, RecordKind.DUMPSYS_PACKAGE, RecordKind.APPLICATION_STATE)
    usual = Completeness.FULL if kind in full else Completeness.PARTIAL
    where = origin(place or _PLACES.get(kind, "record"))
    placed = tuple(replace(item, origin=where) for item in listings)
    record = DeviceRecord(kind, where, completeness or usual, listings=placed, **more)  # type: ignore[arg-type]
    return JudgedRecord(record, tuple(judged(item) for item in placed))


def a_build(
    app_id: str = WECHAT,
    place: str = "",
    *matches: Match,
    signer: str = "one",
    unknown: Iterable[str] = (),
    platform: Platform = Platform.ANDROID,
    content: str = "",
    **more: object,
) -> Audit:
    """An app known by its bytes, in /data/app of an extraction unless said otherwise."""
    where = origin(place or f"ffs.tar!{CODE[1:].format(app_id)}/base.apk")
    part = Part(PartKind.BASE, "base.apk", sha256(content or f"{app_id} {more}"), 1, where)
    values: dict[str, object] = {
        "version": "8.0",
        "version_code": "80",
        "label": app_id.rpartition(".")[2],
        "parts": (part,),
        "signing": Signing(SigningState.VERIFIED, signers=(a_signer(signer),)),
        **more,
    }
    app = App(platform, app_id, where, build_key([part]), **values)  # type: ignore[arg-type]
    open_ones = set(unknown)
    found = matches or ((an_id_match(grade=Grade.VERIFIED, app_id=app_id),) if app_id == WECHAT else ())
    return Audit(Extraction(app), tuple(_answer(subject, found, open_ones) for subject in SUBJECTS), ())


def _answer(subject: str, matches: Iterable[Match], open_ones: set[str]) -> Answer:
    own = tuple(match for match in matches if match.subject == subject)
    if any(match.grade.is_finding for match in own):
        return Answer(subject, Verdict.PRESENT, own)
    return Answer(subject, Verdict.UNKNOWN if subject in open_ones else Verdict.NOT_FOUND, own)


def a_problem(code: ProblemCode = ProblemCode.ARCHIVE_DAMAGED, place: str = "ffs.tar!x.apk") -> Problem:
    return Problem(code, origin(place), "it is damaged")


def a_scan(*parts: Audit | JudgedRecord | Problem, number: int = 1, **more: object) -> DeviceScan:
    """One scan of a device with what it read."""
    values: dict[str, object] = {"target": (f"input-{number}",), "started": STARTED, "complete": True, **more}
    return DeviceScan(
        id=number,
        audits=tuple(part for part in parts if isinstance(part, Audit)),
        records=tuple(part for part in parts if isinstance(part, JudgedRecord)),
        problems=tuple(part for part in parts if isinstance(part, Problem)),
        **values,  # type: ignore[arg-type]
    )
