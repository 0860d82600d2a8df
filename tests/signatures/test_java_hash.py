"""The 32-bit hash that dumpsys shows of a signer is that of the certificate the catalog refers to."""

from __future__ import annotations

import hashlib

import pytest

from auditor import load_catalog
from tests.formats.test_certificate import ALIPAY, WECHAT


def java_hash(data: bytes) -> str:
    """What Java's Arrays.hashCode gives for an array of signed bytes."""
    found = 1
    for value in data:
        found = (31 * found + (value - 256 if value > 127 else value)) % 2**32
    return f"{found:08x}"


@pytest.mark.parametrize(
    ("data", "expected"),
    [(b"", "00000001"), (b"\x01\x02", "000003e2"), (b"\xff", "0000001e"), (b"\x80" * 8, "4edc2f01")],
)
def test_the_hash_is_java_s(data: bytes, expected: str) -> None:
    assert java_hash(data) == expected


@pytest.mark.parametrize(
    ("certificate", "der", "expected"),
    [("cert-wechat", WECHAT, "0962f5b7"), ("cert-alipay", ALIPAY, "3f294bc1")],
)
def test_the_reference_has_the_hash_of_its_certificate(certificate: str, der: bytes, expected: str) -> None:
    found = load_catalog().certificates[certificate]
    assert found.sha256 == hashlib.sha256(der).hexdigest()
    assert found.java_hash == java_hash(der) == expected


def test_the_certificate_of_qq_has_one_too() -> None:
    assert load_catalog().certificates["cert-qq"].java_hash == "10a25227"


def test_no_two_certificates_share_a_hash() -> None:
    hashes = [item.java_hash for item in load_catalog().certificates.values() if item.java_hash is not None]
    assert len(hashes) == len(set(hashes)) >= 3
