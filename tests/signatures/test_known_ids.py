"""Every id and signer that the reference facts know is in the catalog, with its role; the table is written by hand."""

from __future__ import annotations

from datetime import date

import pytest

from auditor.catalog import load_catalog
from auditor.judge import judge
from auditor.match import match
from auditor.model import Audit, Example, FactKind, Match, Platform, Relation, Role, Verdict
from tests.builders.examples import extraction_of

CATALOG = load_catalog()

KNOWN = """
alipay
  android main: com.eg.android.AlipayGphone
  android variant: com.eg.android.AlipayGphoneRC
  android affiliate_app: hk.alipay.wallet
  android same_vendor: com.alipay.m.portal
  android historical: com.alipay.android.wallet com.alipay.android.app
  ios main: com.alipay.iphoneclient
  ios affiliate_app: com.alipay.wallethk
  ios historical: -
camscanner
  android main: com.intsig.camscanner
  android variant: com.intsig.lic.camscanner com.intsig.camscannerhd
  android same_vendor: com.intsig.camocr com.intsig.notes com.intsig.BizCardReader com.intsig.BCRLite
  android same_vendor: com.intsig.BCRLatam com.intsig.camcard.enterprise com.intsig.camcard.sfdc com.intsig.zdao
  ios main: com.intsig.CamScannerLite
  ios variant: com.intsig.CamScanner com.intsig.CamScannerPro com.intsig.CamScannerHD com.intsig.CamScannerHDPro
  ios same_vendor: com.intsig.camcard.lite
qq-wallet
  android host_app: com.tencent.mobileqq
  ios host_app: com.tencent.mqq
shareit
  android main: com.lenovo.anyshare.gps
  android variant: com.lenovo.anyshare shareit.lite shareit.premium
  android same_vendor: com.ushareit.watchit com.lenovo.anyshare.cloneit
  ios main: -
tencent-qq
  android main: com.tencent.mobileqq
  android variant: com.tencent.mobileqqi com.tencent.qqlite com.tencent.minihd.qq com.tencent.tim com.tencent.qim
  android variant: com.tencent.qq.kddi com.tencent.eim
  android same_vendor: com.qzone com.tencent.token com.tencent.qqlauncher
  ios main: com.tencent.mqq
  ios variant: com.tencent.mipadqq com.tencent.tim
vmate
  android main: com.uc.vmate
  android variant: com.uc.vmlite
  android same_vendor: com.uc.vidchat
  ios main: -
wechat-pay
  android host_app: com.tencent.mm
  ios host_app: com.tencent.xin
wps-office
  android main: cn.wps.moffice_eng
  android variant: cn.wps.moffice_eng.lite cn.wps.moffice_eng.xiaomi.lite cn.wps.xiaomi.abroad.lite
  android variant: cn.wps.moffice.lite.meizu cn.wps.moffice_i18n cn.wps.moffice_i18n_TV cn.wps.moffice_ent
  android variant: cn.wps.moffice com.kingsoft.moffice_pro com.kingsoft.moffice_ent com.kingsoft.moffice_pro_hw
  android variant: com.kingsoft.moffice_kinggrid cn.kingsoft.moffice_eng
  android same_vendor: cn.wps.pdf cn.wps.pdf.fillsign cn.wps.moffice_extra cn.wps.moffice_premium cn.wps.yun
  android not_the_app: com.kingsoft
  ios main: com.kingsoft.www.office.wpsoffice
  ios not_the_app: -
wechat
  android main: com.tencent.mm
  android same_vendor: com.tencent.wework com.tencent.weread
  ios main: com.tencent.xin
  ios same_vendor: com.tencent.ww
"""
"""Subject, then platform, relation and ids; ``-`` stands for an app of which only a store id or nothing is known."""

SIGNED = {
    "cert-wechat": ["com.tencent.mm"],
    "cert-wework": ["com.tencent.wework"],
    "cert-qq": ["com.tencent.eim", "com.tencent.mobileqq", "com.tencent.mobileqqi", "com.tencent.qqlite"],
    "cert-qq-tim": ["com.tencent.tim"],
    "cert-qzone": ["com.qzone"],
    "cert-alipay": ["com.eg.android.AlipayGphone"],
    "cert-alipayhk": ["hk.alipay.wallet"],
    "cert-alipay-android-wallet": ["com.alipay.android.wallet"],
    "cert-alipay-merchant": ["com.alipay.m.portal"],
    "cert-intsig": ["com.intsig.BizCardReader", "com.intsig.camscanner", "com.intsig.zdao"],
    "cert-wps": ["cn.wps.moffice_eng"],
    "cert-kingsoft-powerword": ["com.kingsoft"],
    "cert-shareit-cloneit": ["com.lenovo.anyshare.cloneit"],
}


def known() -> list[tuple[str, str, str, str]]:
    """(subject, platform, relation, id) of every line of the table."""
    rows: list[tuple[str, str, str, str]] = []
    subject = ""
    for line in KNOWN.strip().splitlines():
        if not line.startswith(" "):
            subject = line
            continue
        head, _, ids = line.strip().partition(": ")
        platform, relation = head.split()
        rows.extend((subject, platform, relation, value) for value in ids.split())
    return rows


def test_the_catalog_holds_these_ids_in_these_roles_and_no_others() -> None:
    found = [
        (subject.id, app.platform.value, app.relation.value, app.value or "-")
        for subject in CATALOG.subjects.values()
        for app in subject.app_ids
    ]
    assert sorted(found) == sorted(known())


FOREIGN = (FactKind.SIGNER, (f"sha256:{'f' * 64}",))
DESIGNATING = {"main", "variant", "host_app"}
WITH_ID = [row for row in known() if row[3] != "-"]
SIGNED_IDS = {app_id for ids in SIGNED.values() for app_id in ids}


def audit_of(platform: str, app_id: str, *facts: tuple[FactKind, tuple[str, ...]]) -> Audit:
    """An app of that id, signed validly by a key nobody knows."""
    example = Example("id", Platform(platform), (FOREIGN, *facts), (), app_id)
    extraction = extraction_of(example)
    return judge(extraction, match(extraction, CATALOG), CATALOG, date(2026, 11, 1))


def identity(found: Audit, subject: str) -> Match | None:
    """What the app is said to be of a subject, by its id."""
    own = [item for answer in found.answers for item in answer.matches if item.subject == subject]
    return next((item for item in own if item.signature == f"app:{subject}"), None)


@pytest.mark.parametrize(("subject", "platform", "relation", "app_id"), WITH_ID)
def test_an_id_designates_by_its_role_and_no_other_way(subject: str, platform: str, relation: str, app_id: str) -> None:
    found = audit_of(platform, app_id)
    verdicts = {answer.subject: answer.verdict for answer in found.answers}
    own = identity(found, subject)
    if relation in DESIGNATING:
        claimed = platform == "ios" or app_id not in SIGNED_IDS
        assert own is not None
        assert (own.role, own.grade.value) == (Role.APP, "claimed" if claimed else "impostor")
        assert verdicts[subject] is Verdict.PRESENT
    else:
        assert (None if own is None else own.role) == (None if relation == "not_the_app" else Role.VENDOR)
        assert verdicts[subject] is Verdict.NOT_FOUND
        assert all(item.subject != subject for item in found.findings)


@pytest.mark.parametrize(("platform", "app_id"), sorted({(row[1], row[3]) for row in WITH_ID}))
@pytest.mark.parametrize("near", ["{}x", "x{}", "{}.x", "{}.", " {}"])
def test_nothing_near_an_id_is_the_app(platform: str, app_id: str, near: str) -> None:
    changed = near.format(app_id)
    if (platform, changed) in {(row[1], row[3]) for row in WITH_ID}:
        pytest.skip("another id of the table")
    found = audit_of(platform, changed)
    assert [item for answer in found.answers for item in answer.matches if item.signature.startswith("app:")] == []
    assert all(answer.verdict is Verdict.NOT_FOUND for answer in found.answers)


@pytest.mark.parametrize(("platform", "app_id"), sorted({(row[1], row[3]) for row in WITH_ID}))
def test_an_id_of_one_platform_says_nothing_on_the_other(platform: str, app_id: str) -> None:
    other = "ios" if platform == "android" else "android"
    if (other, app_id) in {(row[1], row[3]) for row in WITH_ID}:
        pytest.skip("the same id on both platforms")
    found = audit_of(other, app_id)
    assert [item for answer in found.answers for item in answer.matches if item.signature.startswith("app:")] == []


@pytest.mark.parametrize(
    ("item", "subject", "role"),
    [
        ("725215120", "shareit", Role.APP),
        ("333206289", "alipay", Role.APP),
        ("1491101673", "wps-office", Role.APP),
        ("762263812", None, None),
        ("535715926", "alipay", Role.VENDOR),
        ("7252151200", None, None),
        ("1443749478", None, None),
    ],
)
def test_a_store_id_names_an_app_whatever_its_bundle_id(item: str, subject: str | None, role: Role | None) -> None:
    found = audit_of("ios", "com.example.any", (FactKind.STORE_ID, (item,)))
    named = {(each.subject, each.role) for answer in found.answers for each in answer.matches}
    assert named == (set() if subject is None else {(subject, role)})


@pytest.mark.parametrize(
    ("relation", "designates"),
    [
        ("main", True),
        ("variant", True),
        ("host_app", True),
        ("affiliate_app", False),
        ("same_vendor", False),
        ("historical", False),
        ("not_the_app", False),
    ],
)
def test_which_roles_are_the_designated_app(relation: str, designates: bool) -> None:
    assert Relation(relation).designates is designates


def test_certificates_sign_exactly_the_ids_they_were_seen_on() -> None:
    found: dict[str, set[str]] = {}
    for subject in CATALOG.subjects.values():
        for app in subject.app_ids:
            for name in app.certificates:
                found.setdefault(name, set()).add(app.value or "-")
    assert {name: sorted(ids) for name, ids in found.items()} == SIGNED


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("cert-wechat", "sha256", "0fe4ff85c215918396dadc7cd8ce6963339af33d37751a56e54c7206b63a3c7c"),
        ("cert-qq", "sha256", "ea6e97ad6c34f7039a9c6daba732c97d0e098e83ede2b4d52c76eb0184ac7a38"),
        ("cert-alipay", "sha256", "389b49f7832f53e9017923220aa85e14dfaa4886ecd7428818bf339543cf498a"),
        ("cert-intsig", "md5", "27d438581be7acd1b07eaac45da3a233"),
        ("cert-wps", "md5", "552ebae6b47eace30258649adb8287b6"),
        ("cert-qq-tim", "md5", "775e696d09856872fdd8ab4f3f06b1e0"),
        ("cert-intsig", "sha256", None),
        ("cert-alipayhk", "md5", None),
    ],
)
def test_a_reference_has_the_digest_the_sources_give(name: str, field: str, value: str | None) -> None:
    assert getattr(CATALOG.certificates[name], field) == value


def test_a_key_digest_stands_wherever_the_whole_certificate_is_known() -> None:
    assert {name for name, item in CATALOG.certificates.items() if item.spki_sha256 is not None} == {
        name for name, item in CATALOG.certificates.items() if item.sha256 is not None
    }


def test_alipayhk_is_known_by_its_modulus_alone() -> None:
    modulus = CATALOG.certificates["cert-alipayhk"].rsa_modulus
    assert modulus is not None
    assert (modulus[:16], len(modulus)) == ("e6b1bdcb890370f2", 512)


@pytest.mark.parametrize("subject", ["shareit", "vmate"])
def test_no_reference_stands_in_for_a_signer_nobody_has_seen(subject: str) -> None:
    apps = [app for app in CATALOG.subjects[subject].app_ids if app.relation.designates]
    assert apps
    assert all(app.certificates == () for app in apps)


@pytest.mark.parametrize(
    "value", ["com.intsig.camscannerlite", "com.UCMobile", "com.mobisystems.editor.office_registered"]
)
def test_ids_that_lists_get_wrong_are_not_imported(value: str) -> None:
    assert all(app.value != value for subject in CATALOG.subjects.values() for app in subject.app_ids)


NAMED = {
    "us-eo-13971": [
        "alipay", "camscanner", "qq-wallet", "shareit", "tencent-qq", "vmate", "wechat-pay", "wps-office",
    ],
    "us-eo-13943": ["wechat"],
    "us-tx": [
        "alipay", "camscanner", "qq-wallet", "shareit", "tencent-qq", "vmate", "wechat", "wechat-pay", "wps-office",
    ],
    "us-md": ["alipay", "qq-wallet", "tencent-qq", "wechat"],
    "us-oh": ["alipay", "tencent-qq", "wechat"],
    "us-nj": ["wechat"],
    "us-fl-bog": ["tencent-qq", "wechat"],
    "us-mt": ["wechat"],
    "ca-gov-devices": ["wechat"],
    "in-69a-2020-06-29": ["camscanner", "shareit", "tencent-qq", "vmate", "wechat"],
    "in-69a-2020-07-24": ["shareit"],
    "in-69a-2020-09-02": ["alipay"],
    "in-69a-2020-11-24": ["alipay"],
}  # fmt: skip


def test_the_policies_name_these_subjects() -> None:
    found = {policy.id: sorted({name.subject for name in policy.names if name.subject}) for policy in CATALOG.policies}
    assert found == NAMED


def test_the_order_of_january_2021_in_its_own_words_and_dates() -> None:
    order = next(policy for policy in CATALOG.policies if policy.id == "us-eo-13971")
    assert [name.text for name in order.names] == [
        "Alipay", "CamScanner", "QQ Wallet", "SHAREit", "Tencent QQ", "VMate", "WeChat Pay", "WPS Office",
    ]  # fmt: skip
    assert [str(day) for day in (order.signed, order.effective, order.revoked)] == [
        "2021-01-05",
        "2021-02-19",
        "2021-06-09",
    ]
    assert order.covers_subsidiaries is True


def test_texas_covers_tencent_qq_by_the_company_entry_only() -> None:
    texas = next(policy for policy in CATALOG.policies if policy.id == "us-tx")
    (entry,) = [name for name in texas.names if name.subject == "tencent-qq"]
    assert (entry.text, entry.confidence.value) == ("Tencent Holdings Ltd.", "medium")
    assert texas.revoked is None
    assert {str(name.since) for name in texas.names if name.text == "DeepSeek"} == {"2025-01-31"}
