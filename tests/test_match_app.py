"""Is this app the designated app: every combination of id, signer and state of the signature."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.match import match
from auditor.model import FactKind, Grade, Match, Platform, Relation, Role, Signer, Signing, SigningState
from tests.builders.extractions import app_id, catalog, certificate, extraction, signed, signer, subject

PAY = subject(
    "pay",
    [
        app_id("com.pay", certificates=("cert-one",)),
        app_id("com.pay.lite", Relation.VARIANT),
        app_id("com.pay.hk", Relation.AFFILIATE_APP),
        app_id("com.pay.merchant", Relation.SAME_VENDOR),
        app_id("com.pay.old", Relation.HISTORICAL),
        app_id("com.dictionary", Relation.NOT_THE_APP),
        app_id("com.pay.iphone", platform=Platform.IOS, store_ids=("41",)),
        app_id(None, Relation.NOT_THE_APP, platform=Platform.IOS, store_ids=("40",)),
        app_id(None, platform=Platform.IOS, store_ids=("42",)),
    ],
    [certificate("one"), certificate("two", sha256=None, md5="5two")],
)
WALLET = subject("wallet", [app_id("com.pay", Relation.HOST_APP, certificates=("cert-one",))])
CATALOG = catalog([PAY, WALLET])
GOOD = signed(signer("one"))
FOREIGN = signed(signer("stranger"))


def matches(own: str, signing: Signing, platform: Platform = Platform.ANDROID) -> dict[str, Match]:
    found = match(extraction(app_id=own, signing=signing, platform=platform), CATALOG)
    return {item.subject: item for item in found}


@pytest.mark.parametrize(
    ("own", "signing", "grade"),
    [
        pytest.param("com.pay", GOOD, Grade.VERIFIED, id="its id, its key"),
        pytest.param("com.pay", FOREIGN, Grade.IMPOSTOR, id="its id, another key"),
        pytest.param("com.pay", Signing(SigningState.MISSING), Grade.IMPOSTOR, id="its id, not signed"),
        pytest.param(
            "com.pay", signed(signer("one"), state=SigningState.INVALID), Grade.IMPOSTOR, id="its key, broken signature"
        ),
        pytest.param(
            "com.pay",
            signed(signer("one"), state=SigningState.UNVERIFIABLE),
            Grade.CLAIMED,
            id="its key, signature cannot be verified",
        ),
        pytest.param(
            "com.pay",
            signed(signer("stranger"), state=SigningState.UNVERIFIABLE),
            Grade.IMPOSTOR,
            id="another key, signature cannot be verified",
        ),
        pytest.param("com.pay", Signing(SigningState.NOT_CHECKED), Grade.CLAIMED, id="a bundle with an upload key"),
        pytest.param(
            "com.pay", signed(signer("new"), lineage=(signer("one"), signer("new"))), Grade.VERIFIED, id="rotated key"
        ),
        pytest.param(
            "com.pay",
            signed(signer("new"), lineage=(signer("stranger"), signer("new"))),
            Grade.IMPOSTOR,
            id="rotated from another key",
        ),
        pytest.param("com.pay", signed(signer("two")), Grade.VERIFIED, id="another key of the same subject"),
        pytest.param("com.pay.lite", FOREIGN, Grade.CLAIMED, id="a variant without a reference"),
        pytest.param("com.pay.lite", GOOD, Grade.VERIFIED, id="a variant under the subject's key"),
        pytest.param("com.pay.lite", Signing(SigningState.MISSING), Grade.IMPOSTOR, id="a variant, not signed"),
    ],
)
def test_an_id_that_designates_is_graded_by_its_signer(own: str, signing: Signing, grade: Grade) -> None:
    found = matches(own, signing)["pay"]
    assert (found.role, found.grade) == (Role.APP, grade)


@pytest.mark.parametrize(
    ("own", "relation"),
    [
        ("com.pay.hk", Relation.AFFILIATE_APP),
        ("com.pay.merchant", Relation.SAME_VENDOR),
        ("com.pay.old", Relation.HISTORICAL),
    ],
)
def test_other_ids_of_the_vendor_are_not_the_app(own: str, relation: Relation) -> None:
    found = matches(own, FOREIGN)["pay"]
    assert (found.role, found.relation) == (Role.VENDOR, relation)


@pytest.mark.parametrize("own", ["com.dictionary", "com.pay2", "Com.pay", "com.pay.", "xcom.pay", "com.pay.iphone"])
def test_near_ids_are_no_match(own: str) -> None:
    assert matches(own, FOREIGN) == {}


def test_an_id_that_is_listed_as_another_app_is_not_even_a_sibling() -> None:
    assert matches("com.dictionary", GOOD) == {}


def test_another_id_under_the_vendors_key_is_a_sibling() -> None:
    found = matches("com.unlisted", GOOD)
    assert {(item.subject, item.grade) for item in found.values()} == {("pay", Grade.SIBLING)}
    assert matches("com.unlisted", signed(signer("one"), state=SigningState.INVALID)) == {}
    assert matches("com.unlisted", FOREIGN) == {}


def test_the_host_app_is_reported_for_both_subjects() -> None:
    found = matches("com.pay", GOOD)
    assert {name: (item.grade, item.relation) for name, item in found.items()} == {
        "pay": (Grade.VERIFIED, Relation.MAIN),
        "wallet": (Grade.VERIFIED, Relation.HOST_APP),
    }


def test_on_ios_an_id_is_claimed_because_no_signer_is_known() -> None:
    found = matches("com.pay.iphone", Signing(SigningState.NOT_CHECKED), Platform.IOS)
    assert found["pay"].grade is Grade.CLAIMED
    assert matches("com.pay", Signing(SigningState.NOT_CHECKED), Platform.IOS) == {}, "an Android id proves nothing"


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        pytest.param("42", ["pay"], id="an app whose bundle id is not known"),
        pytest.param("41", ["pay"], id="a copy of a known app under another bundle id"),
        pytest.param("40", [], id="an item that is another app"),
        pytest.param("43", [], id="an unlisted item"),
    ],
)
def test_a_store_id_names_the_app_where_the_bundle_id_does_not(item: str, expected: list[str]) -> None:
    found = match(
        extraction(
            {FactKind.STORE_ID: [item]},
            app_id="com.whatever",
            platform=Platform.IOS,
            signing=Signing(SigningState.NOT_CHECKED),
        ),
        CATALOG,
    )
    assert [entry.subject for entry in found] == expected


@pytest.mark.parametrize(
    ("digests", "holds"),
    [
        ({"sha256": "256one"}, True),
        ({"sha256": None, "md5": "5one"}, True),
        ({"sha256": None, "sha1": "1one"}, True),
        ({"sha256": None, "md5_of_hex": "5hexone"}, True),
        ({"sha256": None, "rsa_modulus": "beef"}, True),
        ({"sha256": "256other", "md5": "5one"}, False),
        ({"sha256": None, "rsa_modulus": "dead"}, False),
        ({"sha256": None, "spki_sha256": "keyone"}, True),
        ({"sha256": None, "spki_sha256": "keyother"}, False),
        ({"sha256": None, "spki_sha256": "keyone", "rsa_modulus": "dead"}, False),
        ({"sha256": "256other", "spki_sha256": "keyone"}, False),
        ({"sha256": None}, False),
    ],
)
def test_a_reference_compares_by_the_strongest_value_it_has(digests: dict[str, str | None], holds: bool) -> None:
    assert certificate("one", **digests).matches(signer("one", modulus="beef")) is holds


KEYED = subject(
    "keyed",
    [app_id("com.keyed", certificates=("cert-one", "cert-rsa", "cert-key")), app_id("com.other")],
    [
        certificate("one", spki_sha256="keyone"),
        certificate("rsa", rsa_modulus="beef"),
        certificate("key", sha256=None, spki_sha256="keythird"),
        certificate("plain"),
    ],
)


def renewed(key: str, name: str = "new", modulus: str | None = None) -> Signer:
    """A certificate of its own that holds the key of another signer."""
    return replace(signer(name, modulus), public_key_sha256=f"key{key}")


RENEWED = "same key, renewed certificate"


@pytest.mark.parametrize(
    ("signing", "grade", "detail"),
    [
        pytest.param(signed(signer("one")), Grade.VERIFIED, "signed by cert-one", id="the certificate itself"),
        pytest.param(
            signed(renewed("one")),
            Grade.VERIFIED,
            f"signed by the key of cert-one: {RENEWED}",
            id="renewed, known by the digest of its key",
        ),
        pytest.param(
            signed(signer("new", "beef")),
            Grade.VERIFIED,
            f"signed by the key of cert-rsa: {RENEWED}",
            id="renewed, known by its modulus",
        ),
        pytest.param(
            signed(renewed("third")), Grade.VERIFIED, "signed by cert-key", id="a reference that is a key and no more"
        ),
        pytest.param(
            signed(replace(signer("other"), subject="CN=one")), Grade.IMPOSTOR, "", id="same subject name, other key"
        ),
        pytest.param(signed(signer("new", "dead")), Grade.IMPOSTOR, "", id="other modulus"),
        pytest.param(signed(renewed("plain")), Grade.IMPOSTOR, "", id="no reference knows the key"),
        pytest.param(
            signed(renewed("one"), state=SigningState.INVALID), Grade.IMPOSTOR, "", id="renewed, but signed invalidly"
        ),
        pytest.param(
            signed(renewed("one"), state=SigningState.UNVERIFIABLE), Grade.CLAIMED, "", id="renewed, not verifiable"
        ),
        pytest.param(
            signed(signer("last"), lineage=(signer("first"), signer("one"), signer("last"))),
            Grade.VERIFIED,
            "signed by a key that cert-one vouches for (rotation)",
            id="rotated to and from the reference",
        ),
        pytest.param(
            signed(signer("last"), lineage=(signer("first"), renewed("one"), signer("last"))),
            Grade.VERIFIED,
            f"signed by a key that cert-one vouches for (rotation); {RENEWED}",
            id="rotated from a renewed certificate",
        ),
        pytest.param(
            signed(renewed("one", "last"), lineage=(signer("first"), renewed("one", "last"))),
            Grade.VERIFIED,
            f"signed by the key of cert-one: {RENEWED}",
            id="rotated to a renewed certificate",
        ),
    ],
)
def test_a_renewed_certificate_is_known_by_its_key(signing: Signing, grade: Grade, detail: str) -> None:
    (found,) = match(extraction(app_id="com.keyed", signing=signing), catalog([KEYED]))
    assert found.grade is grade
    assert detail in found.detail


def test_the_certificate_itself_comes_before_the_key_of_another() -> None:
    both = replace(signer("rsa", "beef"), public_key_sha256="keyone")
    (found,) = match(extraction(app_id="com.keyed", signing=signed(both)), catalog([KEYED]))
    assert found.detail == "signed by cert-rsa"


def test_evidence_of_a_renewed_certificate_is_its_key() -> None:
    (found,) = match(extraction(app_id="com.keyed", signing=signed(renewed("one"))), catalog([KEYED]))
    assert [[fact.value for fact in hit.facts] for hit in found.hits] == [["com.keyed"], ["spki-sha256:keyone"]]


def test_another_id_under_a_renewed_certificate_is_a_sibling() -> None:
    (found,) = match(extraction(app_id="com.unlisted", signing=signed(renewed("one"))), catalog([KEYED]))
    assert found.grade is Grade.SIBLING


def test_evidence_of_a_verified_app_is_its_id_and_its_signer() -> None:
    hits = matches("com.pay", GOOD)["pay"].hits
    assert [[fact.value for fact in hit.facts] for hit in hits] == [["com.pay"], ["sha256:256one"]]
