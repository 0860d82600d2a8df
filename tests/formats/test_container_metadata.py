"""The record of a container tells whose it is; that of a bundle, since when."""

from __future__ import annotations

import plistlib
from collections.abc import Callable
from datetime import datetime

import pytest

from auditor.errors import FormatError
from auditor.formats.bundle_metadata import BundleMetadata, parse_bundle_metadata
from auditor.formats.container_metadata import ContainerMetadata, parse_container_metadata
from tests.builders.keyed_archives import keyed_archive_bytes
from tests.builders.mangle import mutations, prefixes

METADATA = {
    "MCMMetadataContentClass": 2,
    "MCMMetadataIdentifier": "com.tencent.xin",
    "MCMMetadataInfo": {"com.apple.MobileInstallation.ContentProtectionClass": 4},
    "MCMMetadataUUID": "A5F4",
    "MCMMetadataUserIdentity": {"posixUID": 501},
}
DATE = datetime(2026, 3, 4, 5, 6, 7)
CONTAINER = plistlib.dumps(METADATA, fmt=plistlib.FMT_BINARY)
BUNDLE = keyed_archive_bytes({"$fields": {"installDate": DATE, "placeholderFailureReason": 0}}, "MIBundleMetadata")


def test_a_container_names_its_owner() -> None:
    assert parse_container_metadata(CONTAINER) == ContainerMetadata("com.tencent.xin", "A5F4", 2)


@pytest.mark.parametrize(
    ("number", "side"), [(1, "bundle"), (2, "data"), (4, None), (7, None), (True, None), ("2", None)]
)
def test_the_class_of_a_container(number: object, side: str | None) -> None:
    data = plistlib.dumps({**METADATA, "MCMMetadataContentClass": number})
    assert parse_container_metadata(data).app_container == side


@pytest.mark.parametrize(
    "data",
    [
        BUNDLE,
        plistlib.dumps({"installDate": DATE}),
        plistlib.dumps({"installDate": DATE}, fmt=plistlib.FMT_BINARY),
    ],
)
def test_a_bundle_has_the_date_of_its_installation(data: bytes) -> None:
    assert parse_bundle_metadata(data) == BundleMetadata("2026-03-04T05:06:07Z")


@pytest.mark.parametrize("value", [{}, {"installDate": "today"}, {"installDate": 7}])
def test_a_bundle_without_a_date(value: dict[str, object]) -> None:
    assert parse_bundle_metadata(plistlib.dumps(value)) == BundleMetadata("")


@pytest.mark.parametrize("data", [b"", b"junk", plistlib.dumps([]), plistlib.dumps({"MCMMetadataUUID": "x"})])
def test_a_container_without_an_owner_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_container_metadata(data)


@pytest.mark.parametrize("data", [b"", b"junk", plistlib.dumps([]), keyed_archive_bytes(["x"])])
def test_what_is_no_metadata_of_a_bundle_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_bundle_metadata(data)


@pytest.mark.parametrize(("parse", "good"), [(parse_container_metadata, CONTAINER), (parse_bundle_metadata, BUNDLE)])
def test_damage_is_read_or_refused(parse: Callable[[bytes], object], good: bytes) -> None:
    for damaged in (*prefixes(good), *mutations(good, 300)):
        try:
            parse(damaged)
        except FormatError:
            continue
