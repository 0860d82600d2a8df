"""One signature, one key: what holds, what does not, and what nobody can say."""

from __future__ import annotations

import pytest

from auditor.errors import FormatError, UnsupportedError
from auditor.formats.public_key import Padding, is_signature_valid
from tests.builders.apk_signatures import DSA256, EC256, EC512, PSS256, PSS512, RSA256, RSA512, der, identity

MESSAGE = b"what is signed"
CASES = [
    ("rsa", RSA256, Padding.PKCS1, "sha256"),
    ("rsa", RSA512, Padding.PKCS1, "sha512"),
    ("rsa", PSS256, Padding.PSS, "sha256"),
    ("rsa", PSS512, Padding.PSS, "sha512"),
    ("ec", EC256, Padding.ECDSA, "sha256"),
    ("ec", EC512, Padding.ECDSA, "sha512"),
    ("dsa", DSA256, Padding.DSA, "sha256"),
]


@pytest.mark.parametrize(("kind", "algorithm", "padding", "digest"), CASES)
def test_a_signature_holds_for_its_message_alone(kind: str, algorithm: int, padding: Padding, digest: str) -> None:
    who = identity("first", kind)
    signature = who.sign(algorithm, MESSAGE)
    assert is_signature_valid(who.key_info, padding, digest, signature, MESSAGE)
    assert not is_signature_valid(who.key_info, padding, digest, signature, MESSAGE + b"!")
    assert not is_signature_valid(who.key_info, padding, digest, signature[:-1], MESSAGE)
    assert not is_signature_valid(identity("second", kind).key_info, padding, digest, signature, MESSAGE)


@pytest.mark.parametrize("padding", list(Padding))
@pytest.mark.parametrize("kind", ["rsa", "ec", "dsa"])
def test_a_key_of_another_type_does_not_hold(kind: str, padding: Padding) -> None:
    who = identity("first", kind)
    right = {"rsa": (Padding.PKCS1,), "ec": (Padding.ECDSA,), "dsa": (Padding.DSA,)}[kind]
    held = is_signature_valid(who.key_info, padding, "sha256", who.sign(who.algorithm, MESSAGE), MESSAGE)
    assert held == (padding in right)


@pytest.mark.parametrize("signature", [b"", b"\0", b"\xff" * 4096])
def test_signatures_of_absurd_size_do_not_hold(signature: bytes) -> None:
    for kind, _, padding, digest in CASES:
        assert not is_signature_valid(identity("first", kind).key_info, padding, digest, signature, MESSAGE)


def test_an_unknown_digest_or_key_type_cannot_be_judged() -> None:
    who = identity()
    with pytest.raises(UnsupportedError):
        is_signature_valid(who.key_info, Padding.ECDSA, "md2", b"", MESSAGE)
    unknown = der(0x30, der(0x30, der(6, b"\x2a\x03")), der(3, b"\0\1"))
    with pytest.raises(UnsupportedError):
        is_signature_valid(unknown, Padding.ECDSA, "sha256", b"", MESSAGE)


@pytest.mark.parametrize("key", [b"", b"0", der(0x30), der(4, b"x")])
def test_what_is_no_key_is_a_format_error(key: bytes) -> None:
    with pytest.raises(FormatError):
        is_signature_valid(key, Padding.PKCS1, "sha256", b"", MESSAGE)
