"""Read a privacy manifest (PrivacyInfo.xcprivacy): what an app or SDK says it tracks, collects and calls.

Format: Apple, "Privacy manifest files" (NSPrivacy* keys).

Not read: the reasons for each API, the purposes of each collected type.
"""

from __future__ import annotations

from dataclasses import dataclass

from auditor.errors import FormatError
from auditor.formats.blob import Blob
from auditor.formats.plist import flag, items, parse_plist, sorted_strings, strings, table, text
from auditor.limits import DEFAULT, Limits


@dataclass(frozen=True, slots=True)
class PrivacyManifest:
    """One privacy manifest; lists are ascending and without repetition."""

    tracking: bool | None
    """None where it is not stated."""
    tracking_domains: tuple[str, ...]
    accessed_apis: tuple[str, ...]
    """NSPrivacyAccessedAPIType values."""
    collected_types: tuple[str, ...]
    """NSPrivacyCollectedDataType values."""


def parse_privacy_manifest(data: Blob, limits: Limits = DEFAULT) -> PrivacyManifest:
    """Read a PrivacyInfo.xcprivacy.

    Raises:
        FormatError: it is no property list, or not a dictionary.
    """
    value = parse_plist(data, limits)
    if not isinstance(value, dict):
        raise FormatError("the privacy manifest is no dictionary")
    root = table(value)
    return PrivacyManifest(
        tracking=flag(root.get("NSPrivacyTracking")),
        tracking_domains=sorted_strings(strings(root.get("NSPrivacyTrackingDomains"))),
        accessed_apis=_types(root.get("NSPrivacyAccessedAPITypes"), "NSPrivacyAccessedAPIType"),
        collected_types=_types(root.get("NSPrivacyCollectedDataTypes"), "NSPrivacyCollectedDataType"),
    )


def _types(entries: object, key: str) -> tuple[str, ...]:
    return sorted_strings(text(table(entry).get(key)) for entry in items(entries))
