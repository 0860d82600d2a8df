"""Read BundleMetadata.plist: when an iOS app was installed, and how.

Format: NSKeyedArchiver of MIBundleMetadata beside an installed bundle; not published by Apple.

Not read: placeholder failures, links to parents, promotions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from auditor.errors import FormatError
from auditor.formats.blob import Blob
from auditor.formats.keyed_archive import is_keyed_archive, unarchive
from auditor.formats.plist import moment, parse_plist, table
from auditor.limits import DEFAULT, Limits


@dataclass(frozen=True, slots=True)
class BundleMetadata:
    """What the installer noted."""

    installed: str
    """ISO 8601 with Z; empty: not said."""


def parse_bundle_metadata(data: Blob, limits: Limits = DEFAULT) -> BundleMetadata:
    """Read the installer's note, archived or plain.

    Raises:
        FormatError: it is no property list, or not a dictionary.
    """
    value = parse_plist(data, limits)
    if is_keyed_archive(value):
        value = unarchive(value, limits)
    if not isinstance(value, dict):
        raise FormatError("the metadata of the bundle is no dictionary")
    root = table(value)
    date = root.get("installDate")
    return BundleMetadata(moment(date) if isinstance(date, datetime) else "")
