"""What a store record says about an app, and what of the buyer is never kept."""

from __future__ import annotations

import plistlib
from datetime import datetime

import pytest

from auditor.errors import FormatError
from auditor.formats.itunes_metadata import StoreRecord, parse_itunes_metadata

RECORD = {
    "itemId": 414478124,
    "softwareVersionBundleId": "com.example.shop",
    "itemName": "Shop",
    "bundleShortVersionString": "8.0.1",
    "bundleVersion": "8010",
    "artistName": "Example Ltd.",
    "softwareVersionExternalIdentifier": 850000001,
    "purchaseDate": "2026-01-02T03:04:05Z",
    "appleId": "someone@example.com",
    "userName": "Some One",
    "com.apple.iTunesStore.downloadInfo": {"accountInfo": {"AppleID": "someone@example.com", "DSPersonID": 123456789}},
}


@pytest.mark.parametrize("form", [plistlib.FMT_XML, plistlib.FMT_BINARY])
def test_a_record_gives_what_it_says_about_the_app(form: plistlib.PlistFormat) -> None:
    assert parse_itunes_metadata(plistlib.dumps(RECORD, fmt=form)) == StoreRecord(
        item_id="414478124",
        bundle_id="com.example.shop",
        name="Shop",
        version="8.0.1",
        build_version="8010",
        seller="Example Ltd.",
        external_version_id="850000001",
        purchased="2026-01-02T03:04:05Z",
    )


def test_nothing_of_the_account_is_kept() -> None:
    kept = repr(parse_itunes_metadata(plistlib.dumps(RECORD)))
    assert all(secret not in kept for secret in ("someone", "Some One", "123456789"))


@pytest.mark.parametrize(
    ("change", "field", "expected"),
    [
        ({"itemName": None, "bundleDisplayName": "Display"}, "name", "Display"),
        ({"bundleShortVersionString": None}, "version", "8010"),
        ({"sellerName": "The Seller"}, "seller", "The Seller"),
        ({"purchaseDate": datetime(2026, 1, 2, 3, 4, 5)}, "purchased", "2026-01-02T03:04:05Z"),
        ({"itemId": "414478124"}, "item_id", "414478124"),
        ({"itemId": True}, "item_id", ""),
        ({"itemId": [1]}, "item_id", ""),
    ],
)
def test_every_spelling_of_a_field(change: dict[str, object], field: str, expected: str) -> None:
    record = {key: value for key, value in {**RECORD, **change}.items() if value is not None}
    assert getattr(parse_itunes_metadata(plistlib.dumps(record)), field) == expected


def test_an_empty_record_says_nothing() -> None:
    assert parse_itunes_metadata(plistlib.dumps({})) == StoreRecord("", "", "", "", "", "", "", "")


@pytest.mark.parametrize("data", [b"", b"junk", plistlib.dumps(["no dictionary"])])
def test_what_is_no_record_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_itunes_metadata(data)


def test_every_prefix_is_refused() -> None:
    good = plistlib.dumps(RECORD, fmt=plistlib.FMT_BINARY)
    for end in range(len(good)):
        with pytest.raises(FormatError):
            parse_itunes_metadata(good[:end])
