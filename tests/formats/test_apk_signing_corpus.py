"""The APKs Android's own signing library is tested with, from a Debian source package; each name says its verdict."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from auditor.errors import FormatError
from auditor.formats.apk_signing import read_signing
from auditor.formats.zip import parse_zip
from auditor.model import SigningState
from tests.corpus.registry import fetch_source, members_of

pytestmark = pytest.mark.corpus

PACKAGE = "android-platform-tools-apksig"
VERSION, SUITE = "35.0.2", "trixie"
SHA256 = "5555168fc8f8d84c1964508e877a0ace5b642f736212473c03ecd252dd3ba25b"

GOOD = re.compile(
    r"v[23]-only-with-(rsa-pkcs1|rsa-pss|dsa|ecdsa)-sha\d+-p?\d+\.apk"
    r"|v1-only-with-rsa-pkcs1-(md5|sha\d+)-[\d.]+-\d+\.apk"
    r"|v1-only-with-ecdsa-sha\d+-[\d.]+-p\d+\.apk"
    r"|v1-only-with-dsa-sha(1|224|256)-[\d.]+-\d+\.apk"
    r"|golden-.*-v[123].*-out\.apk"
    r"|v[12]-only-two-signers\.apk|v[12]-only-10-signers\.apk|two-signers\.apk"
    r"|v[23]-only-with-ignorable-unsupported-sig-algs\.apk|v1v2v3-rsa-2048-negmod-in-cert\.apk"
    r"|v1v2v3-with-rsa-2048-lineage-3-signers\.apk|v31-rsa-2048_2-tgt-3[34]-1-tgt-28\.apk"
)
# Scheme v4 lies beside the APK: a wrong digest there does not spoil the other schemes.
BAD = re.compile(
    r"(?!v41).*(does-not-verify|digest-mismatch|key-mismatch|block-mismatch|block-size-mismatch|incorrect-digest).*"
    r"|v2-only-11-signers\.apk|v1-only-11-signers\.apk|.*-second-signer-(no|v2-broken).*"
    r"|v[23]-only-no-(certs|supported).*|v2-stripped\.apk|v3-stripped\.apk|v2v3-signed-v3-block-stripped\.apk"
    r"|v1-only-with-signed-attrs-(missing|wrong-(digest|signature|content)|multiple).*"
    r"|.*wrong-apk-sig-block-magic.*|.*-invalid-lineage-attr\.apk|.*incorrect-lineage\.apk|v2-only-truncated-cd\.apk"
    r"|.*garbage-between-cd-and-eocd\.apk|empty-unsigned\.apk"
)


@pytest.fixture(scope="module")
def verdicts() -> dict[str, SigningState | None]:
    """The state of every APK by its name; None where it is no readable archive."""
    archive = fetch_source(PACKAGE, VERSION, SUITE, SHA256)
    found: dict[str, SigningState | None] = {}
    for name, data in members_of(archive, (".apk",)):
        found[Path(name).name] = state_of(data)
    return found


def state_of(data: bytes) -> SigningState | None:
    try:
        return read_signing(data, parse_zip(data))[0].state
    except FormatError:
        return None


def test_there_are_hundreds(verdicts: dict[str, SigningState | None]) -> None:
    assert len(verdicts) > 200
    assert sum(1 for name in verdicts if GOOD.fullmatch(name)) > 100
    assert sum(1 for name in verdicts if BAD.fullmatch(name)) > 25


def test_good_signatures_are_verified(verdicts: dict[str, SigningState | None]) -> None:
    wrong = {n: s for n, s in verdicts.items() if GOOD.fullmatch(n) and s is not SigningState.VERIFIED}
    assert wrong == {}


def test_bad_signatures_are_not_verified(verdicts: dict[str, SigningState | None]) -> None:
    wrong = [n for n, s in verdicts.items() if BAD.fullmatch(n) and s is SigningState.VERIFIED]
    assert wrong == []
