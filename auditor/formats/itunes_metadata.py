"""Read iTunesMetadata.plist: which App Store record an app came from, without whose account bought it.

Format: the property list the App Store adds to an IPA and Finder keeps in backups; not documented by Apple.

Not read: the account (Apple ID, name, identifiers), the download record, artwork, ratings, store cohort.
"""

from __future__ import annotations

from dataclasses import dataclass

from auditor.errors import FormatError
from auditor.formats.blob import Blob
from auditor.formats.plist import moment, parse_plist, table, text
from auditor.limits import DEFAULT, Limits


@dataclass(frozen=True, slots=True)
class StoreRecord:
    """What the store says about an app; empty where it says nothing."""

    item_id: str
    """App Store item id, decimal."""
    bundle_id: str
    name: str
    version: str
    """The version people see."""
    build_version: str
    """CFBundleVersion."""
    seller: str
    external_version_id: str
    """The store's own id of this version."""
    purchased: str
    """As stored, or ISO 8601."""


def parse_itunes_metadata(data: Blob, limits: Limits = DEFAULT) -> StoreRecord:
    """Read an iTunesMetadata.plist.

    Raises:
        FormatError: it is no property list, or not a dictionary.
    """
    value = parse_plist(data, limits)
    if not isinstance(value, dict):
        raise FormatError("the store record is no dictionary")
    root = table(value)
    purchased = root.get("purchaseDate")
    return StoreRecord(
        item_id=text(root.get("itemId")),
        bundle_id=text(root.get("softwareVersionBundleId")),
        name=text(root.get("itemName")) or text(root.get("bundleDisplayName")),
        version=text(root.get("bundleShortVersionString")) or text(root.get("bundleVersion")),
        build_version=text(root.get("bundleVersion")),
        seller=text(root.get("sellerName")) or text(root.get("artistName")),
        external_version_id=text(root.get("softwareVersionExternalIdentifier")),
        purchased=moment(purchased) or text(purchased),
    )
