"""Modules are told by the names in them, and say their name and version."""

from __future__ import annotations

import pytest

from auditor.errors import FormatError
from auditor.formats.apex import ApexKind, ApexManifest, parse_apex_manifest, recognise_apex
from tests.builders.mangle import mutations, prefixes
from tests.builders.protobuf import block, number

PROTO = block(1, "com.android.art") + number(2, 350000000) + block(3, "bin/hook") + block(5, "35")


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        ({"apex_manifest.pb", "apex_payload.img", "AndroidManifest.xml"}, ApexKind.APEX),
        ({"apex_manifest.json", "apex_payload.img"}, ApexKind.APEX),
        ({"apex_manifest.pb", "original_apex", "AndroidManifest.xml"}, ApexKind.CAPEX),
        ({"apex_manifest.pb", "AndroidManifest.xml"}, None),
        ({"apex_payload.img"}, None),
        ({"x/apex_manifest.pb", "x/apex_payload.img"}, None),
        (set(), None),
    ],
)
def test_names_tell_a_module(names: set[str], kind: ApexKind | None) -> None:
    assert recognise_apex(names) is kind


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (PROTO, ApexManifest("com.android.art", 350000000, "35")),
        (block(1, "n" * 123), ApexManifest("n" * 123, 0)),
        (b'{"name": "com.android.tzdata", "version": 2}', ApexManifest("com.android.tzdata", 2)),
        (b'\n  {"name": "a", "version": "7", "versionName": "x"}', ApexManifest("a", 7, "x")),
        (b'\xef\xbb\xbf{"name": "a", "version": []}', ApexManifest("a", 0)),
    ],
)
def test_both_forms_of_the_manifest(data: bytes, found: ApexManifest) -> None:
    assert parse_apex_manifest(data) == found


@pytest.mark.parametrize("data", [b"", b"{", b"{}", b"[]", b"\n", number(2, 7), b'{"version": 1}', b"\xff" * 9])
def test_what_names_no_module_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_apex_manifest(data)


def test_damage_gives_a_manifest_or_a_format_error() -> None:
    for sample in (PROTO, b'{"name": "com.android.tzdata", "version": 2}'):
        for damaged in (*prefixes(sample), *mutations(sample, 300)):
            try:
                parse_apex_manifest(damaged)
            except FormatError:
                continue
