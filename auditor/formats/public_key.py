"""Checks one digital signature with a public key: RSA, ECDSA or DSA over MD5 to SHA-512.

Specification: RFC 8017 (RSA), FIPS 186-4 (DSA, ECDSA); keys as SubjectPublicKeyInfo of RFC 5280.
Not read: keys that the cryptography package cannot load; post-quantum keys
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from auditor.errors import UnsupportedError
from auditor.formats.certificate import rsa_numbers

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes


class Padding(StrEnum):
    """How a signature is made; ECDSA and DSA need no more than their name."""

    PKCS1 = "RSA with PKCS #1 v1.5 padding"
    PSS = "RSA with PSS padding"
    ECDSA = "ECDSA"
    DSA = "DSA"


def is_signature_valid(key_info: bytes, padding: Padding, digest: str, signature: bytes, message: bytes) -> bool:
    """Tell whether the signature over the message is the key's; a key of another type makes it false.

    Raises:
        UnsupportedError: the key or the digest cannot be loaded, so that nothing can be said.
    """
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
    from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding

    kinds: dict[str, type[hashes.HashAlgorithm]] = {
        "md5": hashes.MD5,
        "sha1": hashes.SHA1,
        "sha224": hashes.SHA224,
        "sha256": hashes.SHA256,
        "sha384": hashes.SHA384,
        "sha512": hashes.SHA512,
    }
    if digest not in kinds:
        raise UnsupportedError(f"the digest {digest!r} is not known")
    algorithm = kinds[digest]()
    key = _load(key_info)
    try:
        if isinstance(key, rsa.RSAPublicKey) and padding is Padding.PKCS1:
            key.verify(signature, message, rsa_padding.PKCS1v15(), algorithm)
        elif isinstance(key, rsa.RSAPublicKey) and padding is Padding.PSS:
            scheme = rsa_padding.PSS(rsa_padding.MGF1(algorithm), algorithm.digest_size)
            key.verify(signature, message, scheme, algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey) and padding is Padding.ECDSA:
            key.verify(signature, message, ec.ECDSA(algorithm))
        elif isinstance(key, dsa.DSAPublicKey) and padding is Padding.DSA:
            key.verify(signature, message, algorithm)
        else:
            return False
    except (InvalidSignature, ValueError):
        return False
    except UnsupportedAlgorithm as error:
        raise UnsupportedError(f"the signature cannot be checked: {error}") from error
    return True


def _load(key_info: bytes) -> PublicKeyTypes:
    """Load a key; an RSA key in an odd encoding by its two numbers."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        return load_der_public_key(key_info)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        numbers = rsa_numbers(key_info)
        if numbers is None:
            raise UnsupportedError(f"the public key cannot be loaded: {error}") from error
    try:
        return RSAPublicNumbers(numbers[1], numbers[0]).public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UnsupportedError(f"the public key cannot be loaded: {error}") from error
