"""The hash by which dumpsys shows a signer."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.formats.java_hash import java_hash

WECHAT = Path(__file__).parents[2] / "samples" / "src" / "wechat-certificate.hex"


def test_the_certificate_of_wechat_has_the_hash_that_a_real_device_printed() -> None:
    assert java_hash(bytes.fromhex(WECHAT.read_text().strip())) == "0962f5b7"


@pytest.mark.parametrize(
    ("der", "expected"),
    [
        (b"", "00000001"),
        (b"\x00", "0000001f"),
        (b"\x01", "00000020"),
        (b"\xff", "0000001e"),
        (b"\x80", "ffffff9f"),
        (b"\x01\x02\x03", "00007861"),
    ],
)
def test_bytes_are_signed_as_in_java(der: bytes, expected: str) -> None:
    assert java_hash(der) == expected
