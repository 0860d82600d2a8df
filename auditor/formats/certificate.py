"""Reads an X.509 certificate into a Signer: digests, subject, public key; also odd ones that strict parsers refuse.

Specification: RFC 5280 section 4.1, names as in RFC 4514. Android signers carry X.509 v1, negative serial numbers and
wrong string encodings, so the few fields needed are walked to directly and nothing else is judged.
Not read: validity; issuer; extensions; the certificate's own signature; parameters of keys that are not RSA
"""

from __future__ import annotations

import hashlib

from auditor.errors import FormatError, LimitError
from auditor.formats.der import (
    BIT_STRING,
    INTEGER,
    OBJECT_IDENTIFIER,
    SEQUENCE,
    SET,
    Element,
    object_identifier,
    parse_element,
)
from auditor.formats.java_hash import java_hash
from auditor.limits import DEFAULT, Limits
from auditor.model import Signer

_RSA = "1.2.840.113549.1.1.1"
_VERSION_TAG = 0xA0
_SUBJECT_LENGTH = 4096

_ATTRIBUTES = {
    "2.5.4.3": "CN",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "STREET",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.25": "DC",
    "1.2.840.113549.1.9.1": "emailAddress",
}
# UTF8String, NumericString, PrintableString, T61String, IA5String, UniversalString, BMPString
_ENCODINGS = {12: "utf-8", 18: "ascii", 19: "utf-8", 20: "latin-1", 22: "latin-1", 28: "utf-32-be", 30: "utf-16-be"}


def parse_certificate(der: bytes, limits: Limits = DEFAULT) -> Signer:
    """Describe the certificate; the digests are of exactly the bytes given.

    Raises:
        FormatError: it is not a certificate, or larger than ``Limits.certificate_size``.
    """
    fields = _signed_fields(der, limits)
    public_key = fields[6].expect(SEQUENCE).raw
    numbers = rsa_numbers(public_key)
    return Signer(
        sha256=hashlib.sha256(der).hexdigest(),
        sha1=hashlib.sha1(der, usedforsecurity=False).hexdigest(),
        md5=hashlib.md5(der, usedforsecurity=False).hexdigest(),
        md5_of_hex=hashlib.md5(der.hex().encode(), usedforsecurity=False).hexdigest(),
        subject=_name(fields[5])[:_SUBJECT_LENGTH],
        public_key_sha256=hashlib.sha256(public_key).hexdigest(),
        rsa_modulus=None if numbers is None else f"{numbers[0]:x}",
        java_hash=java_hash(der),
    )


def public_key_info(der: bytes, limits: Limits = DEFAULT) -> bytes:
    """Return the certificate's SubjectPublicKeyInfo as it lies there.

    Raises:
        FormatError: it is not a certificate.
    """
    return _signed_fields(der, limits)[6].expect(SEQUENCE).raw


def issuer_and_serial(der: bytes, limits: Limits = DEFAULT) -> tuple[bytes, int]:
    """Return the encoded issuer and the serial number, by which CMS names a signer.

    Raises:
        FormatError: it is not a certificate.
    """
    fields = _signed_fields(der, limits)
    return fields[3].raw, int.from_bytes(fields[1].body, "big", signed=True)


def _signed_fields(der: bytes, limits: Limits) -> list[Element]:
    """Return version (or a stand-in), serial, algorithm, issuer, validity, subject, public key, and what follows."""
    if len(der) > limits.certificate_size:
        raise LimitError(f"a certificate of {len(der)} bytes is larger than {limits.certificate_size}")
    parts = parse_element(der).children(SEQUENCE)
    if not parts:
        raise FormatError("the certificate is empty")
    fields = parts[0].children(SEQUENCE)
    if fields and fields[0].tag != _VERSION_TAG:
        # X.509 v1 leaves the version out.
        fields.insert(0, Element(_VERSION_TAG, b"", b""))
    if len(fields) < 7:
        raise FormatError("the certificate lacks fields")
    fields[1].expect(INTEGER)
    return fields


def _name(name: Element) -> str:
    """Render a distinguished name, most specific part first."""
    parts = []
    for relative in name.children(SEQUENCE):
        pairs = [_attribute(attribute) for attribute in relative.children(SET)]
        parts.append("+".join(pairs))
    return ",".join(reversed(parts))


def _attribute(attribute: Element) -> str:
    """Render one ``TYPE=value`` of a name; an unreadable value appears as hex, as RFC 4514 has it."""
    children = attribute.children(SEQUENCE)
    if len(children) < 2:
        raise FormatError("a name in the certificate lacks a value")
    oid = object_identifier(children[0].expect(OBJECT_IDENTIFIER).body)
    encoding = _ENCODINGS.get(children[1].tag)
    value = "#" + children[1].raw.hex() if encoding is None else _escape(children[1].body.decode(encoding, "replace"))
    return f"{_ATTRIBUTES.get(oid, oid)}={value}"


def _escape(value: str) -> str:
    """Escape what has a meaning in a written name (RFC 4514 section 2.4)."""
    text = "".join("\\" + char if char in '"+,;<>\\' else char for char in value).replace("\0", "\\00")
    if text.startswith(("#", " ")):
        text = "\\" + text
    if text.endswith(" ") and not text.endswith("\\ "):
        text = text[:-1] + "\\ "
    return text


def rsa_numbers(key_info: bytes) -> tuple[int, int] | None:
    """Return modulus and exponent of an RSA key, None for another; wrongly negative numbers are read as unsigned.

    Raises:
        FormatError: it is not a SubjectPublicKeyInfo.
    """
    algorithm, key = _pair(parse_element(key_info).children(SEQUENCE))
    if object_identifier(_first(algorithm).expect(OBJECT_IDENTIFIER).body) != _RSA:
        return None
    modulus, exponent = _pair(parse_element(key.expect(BIT_STRING).body[1:]).children(SEQUENCE))
    return int.from_bytes(modulus.expect(INTEGER).body, "big"), int.from_bytes(exponent.expect(INTEGER).body, "big")


def is_same_key(one: bytes, other: bytes) -> bool:
    """Tell whether two SubjectPublicKeyInfo are one key, also where one of them writes an RSA number as negative.

    Raises:
        FormatError: they differ and one of them is none.
    """
    if one == other:
        return True
    numbers = rsa_numbers(one)
    return numbers is not None and numbers == rsa_numbers(other)


def _first(element: Element) -> Element:
    """Return the first child."""
    children = element.children(SEQUENCE)
    if not children:
        raise FormatError("an algorithm in the certificate has no identifier")
    return children[0]


def _pair(elements: list[Element]) -> tuple[Element, Element]:
    """Return the two parts of a public key."""
    if len(elements) < 2:
        raise FormatError("the public key of the certificate lacks parts")
    return elements[0], elements[1]
