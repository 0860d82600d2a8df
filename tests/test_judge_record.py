"""What is said of an app that only a record names: its identity as far as the record tells it, nothing of its code."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from auditor.judge_record import findings_of, judge_listing, judge_record, told_strength
from auditor.model import Grade, LegalStatus, ListedApp, Listing, NamedSubject, Platform, Relation, Role, Signer, State
from tests.builders import device_records as made
from tests.builders.extractions import app_id, catalog, certificate, policy, subject

ONE, TWO = made.a_signer("one"), made.a_signer("two")
STRANGER = made.a_signer("stranger")
PAY = subject(
    "pay",
    [
        app_id("com.pay", certificates=("cert-one",)),
        app_id("com.pay.hashless", certificates=("cert-one", "cert-two")),
        app_id("com.pay.lite", Relation.VARIANT),
        app_id("com.pay.merchant", Relation.SAME_VENDOR),
        app_id("com.dictionary", Relation.NOT_THE_APP),
        app_id("com.pay.iphone", platform=Platform.IOS, store_ids=("41",)),
    ],
    [
        certificate("one", sha256=ONE.sha256, java_hash=ONE.java_hash),
        certificate("two", sha256=TWO.sha256, md5=TWO.md5),
    ],
)
NAMED = NamedSubject(text="Pay", subject="pay")
CATALOG = catalog([PAY], policies=[policy("law", NAMED)])
DAY = date(2026, 11, 22)


def judged(own: str = "com.pay", state: State = State.INSTALLED, **more: object) -> ListedApp:
    return judge_listing(made.listing(own, state, **more), CATALOG, DAY)


@pytest.mark.parametrize(
    ("own", "told", "grade", "reason"),
    [
        ("com.pay", {}, Grade.CLAIMED, "tells no signer to compare"),
        ("com.pay", {"signers": (ONE,)}, Grade.CLAIMED, "names cert-one as its signer"),
        ("com.pay", {"signers": (TWO,)}, Grade.CLAIMED, "names cert-two as its signer"),
        ("com.pay", {"signers": (STRANGER,)}, Grade.IMPOSTOR, "names another signer than cert-one"),
        ("com.pay", {"signers": (STRANGER,), "past_signers": (ONE,)}, Grade.CLAIMED, "names cert-one"),
        ("com.pay", {"signers": (STRANGER, ONE)}, Grade.CLAIMED, "names cert-one"),
        ("com.pay", {"signer_digests": (made.java_hash("one"),)}, Grade.CLAIMED, "names cert-one"),
        ("com.pay", {"signer_digests": (made.java_hash("stranger"),)}, Grade.IMPOSTOR, "another signer"),
        ("com.pay", {"signer_digests": (f"sha256:{ONE.sha256}",)}, Grade.CLAIMED, "names cert-one"),
        ("com.pay", {"signer_digests": (f"sha256:{STRANGER.sha256}",)}, Grade.IMPOSTOR, "another signer"),
        ("com.pay", {"signer_digests": (f"md5:{STRANGER.md5}",)}, Grade.CLAIMED, "no signer to compare"),
        ("com.pay.hashless", {"signer_digests": (made.java_hash("stranger"),)}, Grade.CLAIMED, "no signer to compare"),
        ("com.pay.hashless", {"signers": (STRANGER,)}, Grade.IMPOSTOR, "another signer than cert-one, cert-two"),
        ("com.pay.lite", {"signers": (STRANGER,)}, Grade.CLAIMED, "no signer to compare"),
        ("com.pay.lite", {"signers": (ONE,)}, Grade.CLAIMED, "names cert-one"),
    ],
)
def test_an_id_is_graded_by_what_the_record_tells_of_its_signer(
    own: str, told: dict[str, tuple[Signer, ...]], grade: Grade, reason: str
) -> None:
    """A record proves no signature, so that the best is claimed; a hash speaks against an app only if it can."""
    (match,) = judged(own, **told).matches
    assert (match.subject, match.role, match.grade) == ("pay", Role.APP, grade)
    assert reason in match.detail


def test_the_evidence_is_the_id_and_the_signer_at_the_place_of_the_record() -> None:
    app = judged(signers=(ONE,))
    values = [(fact.kind.value, fact.value, fact.origin) for hit in app.matches[0].hits for fact in hit.facts]
    assert values[0] == ("app.id", "com.pay", app.listing.origin)
    assert {value for _, value, _ in values[1:]} == {f"sha256:{ONE.sha256}"}


def test_on_ios_an_id_or_a_store_item_is_claimed() -> None:
    (by_id,) = judged("com.pay.iphone", platform=Platform.IOS).matches
    assert (by_id.grade, by_id.role) == (Grade.CLAIMED, Role.APP)
    (by_store,) = judged("com.renamed", platform=Platform.IOS, store_id="41").matches
    assert "App Store id" in by_store.detail
    assert judged("com.renamed", platform=Platform.IOS, store_id="42").matches == ()


@pytest.mark.parametrize("own", ["com.pay2", "Com.Pay", "com.dictionary", "com.pay.iphone", ""])
def test_near_ids_are_no_match(own: str) -> None:
    assert judged(own) == ListedApp(made.listing(own))


def test_another_app_of_the_vendor_is_no_finding() -> None:
    app = judged("com.pay.merchant", signers=(ONE,))
    assert [(match.role, match.relation) for match in app.matches] == [(Role.VENDOR, Relation.SAME_VENDOR)]
    assert app.findings == ()


def test_another_id_under_the_same_signer_is_a_sibling() -> None:
    app = judged("com.unlisted", signers=(ONE,))
    assert [match.grade for match in app.matches] == [Grade.SIBLING]
    assert app.findings == ()
    assert judged("com.unlisted", signer_digests=(made.java_hash("one"),)).matches == ()


@pytest.mark.parametrize("state", State)
def test_only_what_may_be_there_is_a_finding(state: State) -> None:
    app = judged(state=state)
    assert len(app.matches) == 1
    assert bool(app.findings) is (state not in (State.RESIDUAL, State.HISTORY))


def test_a_finding_has_the_status_of_its_day() -> None:
    app = judged()
    assert [(item.policy, item.status) for item in app.findings] == [("law", LegalStatus.IN_FORCE)]
    before = findings_of(app.listing, app.matches, CATALOG, date(2020, 1, 1))
    assert [item.status for item in before] == [LegalStatus.NOT_YET]


def test_a_record_is_judged_app_by_app_in_its_order() -> None:
    listings = (made.listing("com.other"), made.listing("com.pay"), made.listing("com.pay", State.RESIDUAL))
    record = replace(made.a_record().record, listings=listings)
    whole = judge_record(record, CATALOG, DAY)
    assert whole.record is record
    assert [app.listing for app in whole.apps] == list(listings)
    assert [(len(app.matches), len(app.findings)) for app in whole.apps] == [(0, 0), (1, 1), (1, 0)]


def test_what_compares_the_signer_goes_before_what_only_knows_the_id() -> None:
    bare, agreed = judged().matches[0], judged(signers=(ONE,)).matches[0]
    fake = judged(signers=(STRANGER,)).matches[0]
    assert sorted([bare, agreed, fake], key=told_strength) == [fake, agreed, bare]


def test_a_listing_of_hostile_text_is_judged() -> None:
    hostile = "\x00\ud800'; --\u202e"
    listing = Listing(Platform.ANDROID, hostile, made.origin("x"), signer_digests=(hostile, ":"), store_id=hostile)
    assert judge_listing(listing, CATALOG, DAY).matches == ()
