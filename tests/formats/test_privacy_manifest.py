"""What a privacy manifest declares."""

from __future__ import annotations

import plistlib

import pytest

from auditor.errors import FormatError
from auditor.formats.privacy_manifest import PrivacyManifest, parse_privacy_manifest

MANIFEST = {
    "NSPrivacyTracking": True,
    "NSPrivacyTrackingDomains": ["b.example.com", "a.example.com", "a.example.com"],
    "NSPrivacyAccessedAPITypes": [
        {
            "NSPrivacyAccessedAPIType": "NSPrivacyAccessedAPICategoryUserDefaults",
            "NSPrivacyAccessedAPITypeReasons": ["CA92.1"],
        },
        {"NSPrivacyAccessedAPIType": "NSPrivacyAccessedAPICategoryDiskSpace"},
    ],
    "NSPrivacyCollectedDataTypes": [{"NSPrivacyCollectedDataType": "NSPrivacyCollectedDataTypeDeviceID"}],
}


@pytest.mark.parametrize("form", [plistlib.FMT_XML, plistlib.FMT_BINARY])
def test_a_manifest_gives_its_declarations(form: plistlib.PlistFormat) -> None:
    assert parse_privacy_manifest(plistlib.dumps(MANIFEST, fmt=form)) == PrivacyManifest(
        tracking=True,
        tracking_domains=("a.example.com", "b.example.com"),
        accessed_apis=("NSPrivacyAccessedAPICategoryDiskSpace", "NSPrivacyAccessedAPICategoryUserDefaults"),
        collected_types=("NSPrivacyCollectedDataTypeDeviceID",),
    )


def test_what_is_not_stated_stays_open() -> None:
    assert parse_privacy_manifest(plistlib.dumps({})) == PrivacyManifest(None, (), (), ())
    assert parse_privacy_manifest(plistlib.dumps({"NSPrivacyTracking": False})).tracking is False


def test_entries_of_the_wrong_type_are_left_out() -> None:
    odd = {"NSPrivacyTracking": "perhaps", "NSPrivacyAccessedAPITypes": ["x", 7, {"NSPrivacyAccessedAPIType": ["y"]}]}
    assert parse_privacy_manifest(plistlib.dumps(odd)) == PrivacyManifest(None, (), (), ())


@pytest.mark.parametrize("data", [b"", b"junk", plistlib.dumps(["no dictionary"])])
def test_what_is_no_manifest_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_privacy_manifest(data)


def test_every_prefix_is_read_or_refused() -> None:
    for form in (plistlib.FMT_XML, plistlib.FMT_BINARY):
        good = plistlib.dumps(MANIFEST, fmt=form)
        for end in range(len(good) - 9):
            with pytest.raises(FormatError):
                parse_privacy_manifest(good[:end])
