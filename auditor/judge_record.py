"""Say of the apps that a record names whether they are designated apps: pure, by id, signer and store item."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from datetime import date

from auditor.catalog import Catalog
from auditor.judge import findings_on, is_finding, strength
from auditor.match_app import match_identity
from auditor.model import (
    Answer,
    App,
    DeviceRecord,
    Extraction,
    FactBatch,
    FactKind,
    Finding,
    Grade,
    JudgedRecord,
    ListedApp,
    Listing,
    Match,
    Signing,
    SigningState,
    Verdict,
    batch,
)


def judge_record(record: DeviceRecord, catalog: Catalog, as_of: date) -> JudgedRecord:
    """The record with an answer for each app it names."""
    ids = {entry.value for subject in catalog.subjects.values() for entry in subject.app_ids}
    return JudgedRecord(record, tuple(_judge(listing, ids, catalog, as_of) for listing in record.listings))


def _judge(listing: Listing, ids: AbstractSet[str | None], catalog: Catalog, as_of: date) -> ListedApp:
    """Most apps of a device have an id that no subject has, and nothing else to go by."""
    if listing.app_id not in ids and not (listing.store_id or listing.signers or listing.past_signers):
        return ListedApp(listing)
    return judge_listing(listing, catalog, as_of)


def judge_listing(listing: Listing, catalog: Catalog, as_of: date) -> ListedApp:
    """What can be said of one app without its bytes; leftovers and history match, and are no finding."""
    matches = tuple(sorted(match_identity(extraction_of(listing), catalog), key=strength))
    return ListedApp(listing, matches, findings_of(listing, matches, catalog, as_of))


def told_strength(match: Match) -> tuple[int, tuple[bool, int, int, str]]:
    """The key that puts first, among what several records say of one app, what compares its signer; a doubt leads."""
    compared = match.grade is Grade.IMPOSTOR or any(hit.kind is FactKind.SIGNER for hit in match.hits)
    return 2 - compared - (match.grade is Grade.IMPOSTOR), strength(match)


def findings_of(listing: Listing, matches: tuple[Match, ...], catalog: Catalog, as_of: date) -> tuple[Finding, ...]:
    """The findings of a listed app by the law of one day."""
    return findings_on(_answers(listing, matches), catalog, as_of)


def _answers(listing: Listing, matches: tuple[Match, ...]) -> Iterator[Answer]:
    if not listing.state.is_presence:
        return
    for subject in sorted({item.subject for item in matches}):
        own = tuple(item for item in matches if item.subject == subject)
        if any(is_finding(item) for item in own):
            yield Answer(subject, Verdict.PRESENT, own)


def extraction_of(listing: Listing) -> Extraction:
    """A listing in the shape of an app: an identity, what the record says of its signer, and no code."""
    app = App(
        platform=listing.platform,
        app_id=listing.app_id,
        origin=listing.origin,
        build="",
        version=listing.version,
        version_code=listing.version_code,
        label=listing.label,
        signing=Signing(SigningState.RECORDED, signers=listing.signers, lineage=listing.past_signers),
    )
    return Extraction(app, tuple(_facts(listing)))


def _facts(listing: Listing) -> Iterator[FactBatch]:
    yield batch(FactKind.APP_ID, listing.origin, [listing.app_id])
    signers = [value for signer in (*listing.signers, *listing.past_signers) for value in signer.values()]
    signers.extend(listing.signer_digests)
    if signers:
        yield batch(FactKind.SIGNER, listing.origin, signers)
    if listing.store_id:
        yield batch(FactKind.STORE_ID, listing.origin, [listing.store_id])
