"""Product by product: each id, signer and SDK that the sources know shows in a sample, and not in its near miss."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from types import MappingProxyType

import pytest

from auditor import Audit, Catalog, Role, Run, Verdict, load_catalog
from auditor.model import GRADE_ORDER, Certificate, Grade, Match, Platform, SigningState

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
AS_OF = date(2026, 11, 1)
PRODUCTS = (
    "alipay",
    "camscanner",
    "qq-wallet",
    "shareit",
    "tencent-qq",
    "vmate",
    "wechat-pay",
    "wps-office",
    "wechat",
)
"""The eight of the order of January 2021, and WeChat, which contains WeChat Pay."""
CELLS = ("android-id", "ios-id", "signer", "android-sdk", "ios-sdk")
TEST_KEY_A = "bbd47f64236fb6193317f7042a85593c0637f4310d358328d4cf05c7e958dd6a"
"""SHA-256 of the certificate that signs the samples."""


@dataclass(frozen=True)
class Cell:
    """What one sample shows about one product, and what a near miss does not."""

    product: str
    cell: str
    sample: str
    grade: str
    near: str
    near_grade: str
    """The weaker answer the near miss gets; empty where there is nothing to say."""
    why: str
    """What the near miss is."""


KNOWN = [
    Cell(*row)
    for row in [
        ("alipay", "android-id", "android/alipay-impostor.apk", "impostor",
         "android/near-alipay-case.apk", "", "the id in lower case"),
        ("alipay", "ios-id", "ios/alipay-claimed.ipa", "claimed",
         "ios/near-alipay-suffix.ipa", "", "one more character"),
        ("alipay", "signer", "android/alipay-impostor.apk", "impostor",
         "android/near-alipay-merchant.apk", "", "another app of the vendor under the same key"),
        ("alipay", "android-sdk", "android/sdk-alipay.apk", "embedded",
         "android/near-sdk-calls-alipay.apk", "", "calls classes that are not inside"),
        ("alipay", "android-sdk", "android/sdk-alipay-share.apk", "embedded",
         "android/vendor-mpaas.apk", "", "mPaaS, another product under com.alipay"),
        ("alipay", "android-sdk", "android/renamed-alipay.apk", "renamed",
         "android/near-sdk-few-literals.apk", "mentioned", "one literal"),
        ("alipay", "android-sdk", "android/renamed-alipay-plain-literals.apk", "renamed",
         "android/near-sdk-plain-literals.apk", "", "words that name no maker, and too few"),
        ("alipay", "android-sdk", "android/renamed-alipay-version-range.apk", "renamed",
         "android/near-sdk-pinned-keys.apk", "referenced", "knows Alipay's key"),
        ("alipay", "ios-sdk", "ios/sdk-alipay.ipa", "embedded",
         "ios/near-sdk-queries-all.ipa", "referenced", "may ask for the scheme"),
        ("camscanner", "android-id", "android/camscanner-impostor.apk", "impostor",
         "android/near-camscanner-suffix.apk", "", "one more word"),
        ("camscanner", "ios-id", "ios/camscanner-claimed.ipa", "claimed",
         "ios/near-camscanner-prefix.ipa", "", "the beginning of the id"),
        ("camscanner", "ios-id", "ios/camscanner-hd-claimed.ipa", "claimed",
         "ios/near-camcard.ipa", "", "another app of the vendor"),
        ("camscanner", "signer", "android/camscanner-impostor.apk", "impostor",
         "android/near-camcard.apk", "", "another app of the vendor under the same key"),
        ("camscanner", "android-sdk", "android/sdk-camscanner.apk", "embedded",
         "android/near-sdk-probed-ids.apk", "mentioned", "the id as a string"),
        ("camscanner", "ios-sdk", "ios/sdk-camscanner-framework.ipa", "embedded",
         "ios/near-sdk-queries-all.ipa", "referenced", "may ask for the scheme"),
        ("camscanner", "ios-sdk", "ios/sdk-camscanner-static.ipa", "embedded",
         "ios/near-sdk-lookalike-classes.ipa", "", "class names that hold the word"),
        ("qq-wallet", "android-id", "android/qq-and-qq-wallet-impostor.apk", "impostor",
         "android/near-qq-typo.apk", "", "one letter is a digit"),
        ("qq-wallet", "ios-id", "ios/qq-and-qq-wallet-claimed.ipa", "claimed",
         "ios/qq-hd-claimed.ipa", "", "an edition of QQ that is not known to contain the wallet"),
        ("qq-wallet", "signer", "android/qq-and-qq-wallet-impostor.apk", "impostor",
         "android/near-qzone.apk", "", "another app of the vendor under the same key"),
        ("qq-wallet", "android-sdk", "android/sdk-qq-wallet.apk", "embedded",
         "android/sdk-qq-connect.apk", "", "login and share with QQ"),
        ("qq-wallet", "android-sdk", "android/renamed-qq-wallet.apk", "renamed",
         "android/renamed-qq-connect.apk", "", "renamed login and share with QQ"),
        ("qq-wallet", "ios-sdk", "ios/sdk-qq-wallet-framework.ipa", "embedded",
         "ios/sdk-qq-connect.ipa", "", "login and share with QQ"),
        ("shareit", "android-id", "android/shareit-claimed.apk", "claimed",
         "android/near-shareit-lookalike.apk", "", "a foreign id that holds the word"),
        ("shareit", "android-id", "android/shareit-lite-claimed.apk", "claimed",
         "android/near-cloneit.apk", "", "another app of the vendor"),
        ("tencent-qq", "android-id", "android/qq-and-qq-wallet-impostor.apk", "impostor",
         "android/near-qq-typo.apk", "", "one letter is a digit"),
        ("tencent-qq", "android-id", "android/qq-tim-impostor.apk", "impostor",
         "android/near-qzone.apk", "", "another app of the vendor"),
        ("tencent-qq", "ios-id", "ios/qq-and-qq-wallet-claimed.ipa", "claimed",
         "ios/near-qq-suffix.ipa", "", "one more letter"),
        ("tencent-qq", "ios-id", "ios/qq-hd-claimed.ipa", "claimed",
         "ios/near-qq-suffix.ipa", "", "one more letter"),
        ("tencent-qq", "signer", "android/qq-international-impostor.apk", "impostor",
         "android/near-qzone.apk", "", "another app of the vendor under the same key"),
        ("tencent-qq", "android-sdk", "android/sdk-qq-connect.apk", "embedded",
         "android/near-sdk-declared-qq-activities.apk", "referenced", "its activities are declared, not inside"),
        ("tencent-qq", "android-sdk", "android/renamed-qq-connect.apk", "renamed",
         "android/near-sdk-few-literals.apk", "mentioned", "one literal"),
        ("tencent-qq", "android-sdk", "android/renamed-qq-connect-code-literals.apk", "renamed",
         "android/reimplemented-qq-connect.apk", "reimplemented", "speaks the protocol with code of its own"),
        ("tencent-qq", "android-sdk", "android/sdk-qq-connect-exports.apk", "embedded",
         "android/near-sdk-native-names.apk", "", "entry points of nearly that name"),
        ("tencent-qq", "android-sdk", "android/sdk-qq-connect-soname.apk", "embedded",
         "android/near-sdk-native-names.apk", "", "a soname of nearly that name"),
        ("tencent-qq", "ios-sdk", "ios/sdk-qq-connect.ipa", "embedded",
         "ios/near-sdk-generic-names.ipa", "", "class names anybody may use"),
        ("vmate", "android-id", "android/vmate-claimed.apk", "claimed",
         "android/near-vmate-suffix.apk", "", "one more letter"),
        ("vmate", "android-id", "android/vmate-status-claimed.apk", "claimed",
         "android/near-uc-browser.apk", "", "another app of the vendor"),
        ("wechat-pay", "android-id", "android/wechat-and-wechat-pay-impostor.apk", "impostor",
         "android/near-wechat-suffix.apk", "", "one more character"),
        ("wechat-pay", "ios-id", "ios/wechat-and-wechat-pay-claimed.ipa", "claimed",
         "ios/near-wechat-beta.ipa", "", "one more step"),
        ("wechat-pay", "signer", "android/wechat-and-wechat-pay-impostor.apk", "impostor",
         "android/near-wecom.apk", "", "another app of the vendor under the same key"),
        ("wechat-pay", "android-sdk", "android/sdk-wechat-pay.apk", "embedded",
         "android/sdk-wechat-no-pay-entry.apk", "mentioned", "the SDK as shipped, without a way back from payment"),
        ("wechat-pay", "android-sdk", "android/renamed-wechat-pay.apk", "renamed",
         "android/renamed-wechat.apk", "mentioned", "renamed login and share with WeChat"),
        ("wechat-pay", "ios-sdk", "ios/sdk-wechat-pay.ipa", "embedded",
         "ios/sdk-wechat-login.ipa", "", "the build of the SDK without payment"),
        ("wps-office", "android-id", "android/wps-office-impostor.apk", "impostor",
         "android/near-officesuite.apk", "", "another product that lists confuse with it"),
        ("wps-office", "ios-id", "ios/wps-office-claimed.ipa", "claimed",
         "ios/near-wps-mac.ipa", "", "the app for another platform"),
        ("wps-office", "signer", "android/wps-office-impostor.apk", "impostor",
         "android/near-powerword.apk", "", "another app of the vendor under the same key"),
        ("wps-office", "android-sdk", "android/sdk-wps-office.apk", "embedded",
         "android/near-sdk-queries-all.apk", "referenced", "may open the app"),
        ("wps-office", "ios-sdk", "ios/sdk-wps-office.ipa", "embedded",
         "ios/near-sdk-queries-all.ipa", "referenced", "may ask for the scheme"),
        ("wechat", "android-id", "android/wechat-and-wechat-pay-impostor.apk", "impostor",
         "android/near-wechat-case.apk", "", "another case"),
        ("wechat", "android-id", "android/wechat-and-wechat-pay-impostor.apk", "impostor",
         "android/near-wechat-subpackage.apk", "", "one more step"),
        ("wechat", "ios-id", "ios/wechat-and-wechat-pay-claimed.ipa", "claimed",
         "ios/near-android-id.ipa", "", "the Android id"),
        ("wechat", "signer", "android/wechat-and-wechat-pay-impostor.apk", "impostor",
         "android/near-wecom.apk", "", "another app of the vendor under the same key"),
        ("wechat", "android-sdk", "android/sdk-wechat-login.apk", "embedded",
         "android/near-sdk-calls-wechat.apk", "", "calls classes that are not inside"),
        ("wechat", "android-sdk", "android/sdk-wechat-old-sdk.apk", "embedded",
         "android/vendor-tencent-with-wechat-certificate.apk", "", "other SDKs that hold its certificate"),
        ("wechat", "android-sdk", "android/renamed-wechat.apk", "renamed",
         "android/near-sdk-few-literals.apk", "mentioned", "one literal"),
        ("wechat", "android-sdk", "android/renamed-wechat-one-code-literal.apk", "renamed",
         "android/reimplemented-wechat.apk", "reimplemented", "speaks the protocol with code of its own"),
        ("wechat", "android-sdk", "android/sdk-wrapper-cordova.apk", "embedded",
         "android/near-sdk-wrapper-flutter.apk", "referenced", "a plugin of Flutter without the SDK"),
        ("wechat", "ios-sdk", "ios/chained-fixups.ipa", "embedded",
         "ios/near-sdk-wrapper-wechat.ipa", "referenced", "a module of React Native without the SDK"),
        ("wechat", "ios-sdk", "ios/sdk-wechat-login.ipa", "embedded",
         "ios/near-sdk-imports.ipa", "", "uses classes that are not inside"),
    ]
]  # fmt: skip
"""Each row is one sample and one near miss; the grade is that of our stub, which no vendor's key signs."""

NOT_KNOWN = {
    ("shareit", "ios-id"),
    ("shareit", "signer"),
    ("shareit", "android-sdk"),
    ("shareit", "ios-sdk"),
    ("vmate", "ios-id"),
    ("vmate", "signer"),
    ("vmate", "android-sdk"),
    ("vmate", "ios-sdk"),
}
"""What no source gives: n/a, never a guess."""


@cache
def shipped() -> Catalog:
    return load_catalog()


@cache
def with_test_catalog() -> Catalog:
    return load_catalog([SAMPLES / "test-catalog"])


@cache
def keyed_for_test(product: str) -> Catalog:
    """The shipped catalog where the test key stands in for every known signer of one product."""
    catalog = shipped()
    subject = catalog.subjects[product]
    names = {name for app in subject.app_ids if app.relation.designates for name in app.certificates}
    certificates = {name: _test_key(item) if name in names else item for name, item in catalog.certificates.items()}
    exchanged = replace(subject, certificates=tuple(certificates[item.id] for item in subject.certificates))
    subjects = {**catalog.subjects, product: exchanged}
    return replace(catalog, certificates=MappingProxyType(certificates), subjects=MappingProxyType(subjects))


def _test_key(certificate: Certificate) -> Certificate:
    return Certificate(certificate.id, "test key", certificate.confidence, certificate.sources, sha256=TEST_KEY_A)


def audited(sample: str, catalog: Catalog) -> Audit:
    (found,) = Run([SAMPLES / sample], catalog, AS_OF)
    return found


@cache
def audited_as_shipped(sample: str) -> Audit:
    return audited(sample, shipped())


def strongest(found: Audit, product: str, role: Role) -> str:
    """The strongest grade of a product in a role; empty where there is none."""
    matches = [match for answer in found.answers if answer.subject == product for match in answer.matches]
    grades = [match.grade for match in matches if match.role is role]
    return min(grades, key=GRADE_ORDER.index).value if grades else ""


def role_of(cell: str) -> Role:
    return Role.SDK if cell.endswith("-sdk") else Role.APP


def verdict(found: Audit, product: str) -> Verdict:
    (answer,) = [answer for answer in found.answers if answer.subject == product]
    return answer.verdict


ROWS = [pytest.param(row, id=f"{row.product} {row.cell} {row.sample}") for row in KNOWN]


@pytest.mark.parametrize("row", ROWS)
def test_a_sample_shows_the_grade_of_its_cell(row: Cell) -> None:
    found = audited_as_shipped(row.sample)
    assert strongest(found, row.product, role_of(row.cell)) == row.grade
    assert verdict(found, row.product) is Verdict.PRESENT


@pytest.mark.parametrize("row", ROWS)
def test_a_near_miss_does_not(row: Cell) -> None:
    found = audited_as_shipped(row.near)
    assert strongest(found, row.product, role_of(row.cell)) == row.near_grade, row.why
    assert verdict(found, row.product) is Verdict.NOT_FOUND, row.why


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_has_a_sample_or_the_reason_why_not(product: str, cell: str) -> None:
    shown = [row for row in KNOWN if (row.product, row.cell) == (product, cell)]
    reasons = dict(shipped().subjects[product].unknown)
    if (product, cell) in NOT_KNOWN:
        assert not shown
        assert len(reasons[cell]) > 10, "n/a has a reason that people can read"
    else:
        assert shown
        assert cell not in reasons


def test_the_catalog_calls_nothing_else_unknown() -> None:
    for product in PRODUCTS:
        assert {(product, cell) for cell, _ in shipped().subjects[product].unknown} <= NOT_KNOWN


@pytest.mark.parametrize("product", PRODUCTS)
def test_what_the_catalog_knows_is_what_the_table_says(product: str) -> None:
    subject = shipped().subjects[product]
    designating = [app for app in subject.app_ids if app.relation.designates and app.value is not None]
    sdks = {(item.subject, item.platform) for item in shipped().signatures if item.role is Role.SDK}
    known = {
        "android-id": any(app.platform is Platform.ANDROID for app in designating),
        "ios-id": any(app.platform is Platform.IOS for app in designating),
        "signer": any(app.certificates for app in designating),
        # Code of SHAREit itself is looked for in other apps, but that is no SDK.
        "android-sdk": (product, Platform.ANDROID) in sdks and product != "shareit",
        "ios-sdk": (product, Platform.IOS) in sdks,
    }
    assert known == {cell: (product, cell) not in NOT_KNOWN for cell in CELLS}


def test_code_of_shareit_in_another_app_is_seen_and_its_vendors_ad_sdk_is_not_taken_for_it() -> None:
    assert strongest(audited_as_shipped("android/sdk-shareit-app-code.apk"), "shareit", Role.SDK) == "embedded"
    near = audited_as_shipped("android/vendor-shareit-san.apk")
    assert strongest(near, "shareit", Role.SDK) == ""
    assert strongest(near, "shareit", Role.VENDOR) == "embedded"


@pytest.mark.parametrize("sample", ["ios/near-shareit-word.ipa", "ios/near-sdk-plain.ipa"])
@pytest.mark.parametrize("product", ["shareit", "vmate"])
def test_there_is_no_answer_where_there_is_nothing_to_look_for(sample: str, product: str) -> None:
    assert product not in {answer.subject for answer in audited_as_shipped(sample).answers}


SIGNED = [
    ("alipay", "alipay", "near-alipay-case"),
    ("camscanner", "camscanner", "near-camscanner-suffix"),
    ("qq-wallet", "qq-and-qq-wallet", "near-qq-typo"),
    ("tencent-qq", "qq-and-qq-wallet", "near-qq-typo"),
    ("wechat", "wechat-and-wechat-pay", "near-wechat-suffix"),
    ("wechat-pay", "wechat-and-wechat-pay", "near-wechat-suffix"),
    ("wps-office", "wps-office", "near-officesuite"),
]
"""Product, stem of its stubs, and another id under the same key."""


def test_every_product_whose_signer_is_known_is_tried_with_a_key_of_its_own() -> None:
    assert {product for product, _, _ in SIGNED} == {row.product for row in KNOWN if row.cell == "signer"}


@pytest.mark.parametrize(("product", "stem", "near"), SIGNED)
def test_the_key_of_the_vendor_makes_the_app_verified(product: str, stem: str, near: str) -> None:
    found = audited(f"android/{stem}-impostor.apk", keyed_for_test(product))
    assert strongest(found, product, Role.APP) == "verified"


@pytest.mark.parametrize(("product", "stem", "near"), SIGNED)
def test_the_key_of_the_vendor_helps_no_unsigned_app(product: str, stem: str, near: str) -> None:
    found = audited(f"android/{stem}-unsigned.apk", keyed_for_test(product))
    assert strongest(found, product, Role.APP) == "impostor"


@pytest.mark.parametrize(("product", "stem", "near"), SIGNED)
def test_another_id_under_the_key_of_the_vendor_is_a_sibling(product: str, stem: str, near: str) -> None:
    found = audited(f"android/{near}.apk", keyed_for_test(product))
    assert strongest(found, product, Role.APP) == "sibling"
    assert verdict(found, product) is Verdict.NOT_FOUND


@pytest.mark.parametrize("sample", ["android/shareit-claimed.apk", "android/vmate-claimed.apk"])
def test_without_a_reference_a_valid_signature_makes_an_app_claimed_and_no_more(sample: str) -> None:
    found = audited_as_shipped(sample)
    assert found.app.signing.state is SigningState.VERIFIED
    (match,) = identities(found)
    assert match.grade is Grade.CLAIMED
    assert "no signer reference" in match.detail


def identities(found: Audit) -> list[Match]:
    return [match for answer in found.answers for match in answer.matches if match.role is Role.APP]


SIGNING = [
    ("signing-v1-only", "verified", "v1"),
    ("signing-v2-only", "verified", "v2"),
    ("signing-v3-only", "verified", "v3"),
    ("signing-v1-v2-v3", "verified", "v3"),
    ("signing-rotated-v3", "verified", "v3"),
    ("signing-rotated-v31", "verified", "v3.1"),
    ("signing-sibling", "sibling", "v3"),
    ("signing-foreign-key", "impostor", "v3"),
    ("signing-v1-tampered", "impostor", "v1"),
    ("signing-v1-added-member", "impostor", "v1"),
    ("signing-v2-tampered", "impostor", "v2"),
    ("signing-v3-tampered", "impostor", "v3"),
    ("signing-v2-stripped", "impostor", "v1"),
    ("signing-v3-stripped", "impostor", "v2"),
]


@pytest.mark.parametrize(("stem", "grade", "scheme"), SIGNING)
def test_signing_is_graded_with_a_reference_we_hold_the_key_of(stem: str, grade: str, scheme: str) -> None:
    found = audited(f"android/{stem}.apk", with_test_catalog())
    assert strongest(found, "test-app", Role.APP) == grade
    assert found.app.signing.scheme == scheme


def test_a_rotated_key_is_vouched_for_by_the_one_before() -> None:
    found = audited("android/signing-rotated-v3.apk", with_test_catalog())
    assert [signer.sha256 == TEST_KEY_A for signer in found.app.signing.signers] == [False]
    assert TEST_KEY_A in {signer.sha256 for signer in found.app.signing.lineage}
    assert "rotation" in identities(found)[0].detail


PASTED = ["android/wechat-pasted-certificate.apk", "android/wechat-pasted-public-key.apk"]


@pytest.mark.parametrize("sample", PASTED)
def test_the_genuine_certificate_under_an_invalid_signature_is_never_verified(sample: str) -> None:
    certificate = bytes.fromhex((SAMPLES / "src/wechat-certificate.hex").read_text())
    assert hashlib.sha256(certificate).hexdigest() == shipped().certificates["cert-wechat"].sha256
    assert certificate in (SAMPLES / sample).read_bytes()
    found = audited_as_shipped(sample)
    assert found.app.signing.state is SigningState.INVALID
    for product in ("wechat", "wechat-pay"):
        assert strongest(found, product, Role.APP) == "impostor"
