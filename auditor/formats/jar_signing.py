"""Verifies APK signature scheme v1 (a signed JAR) as Android's StrictJarVerifier does: every member has to be covered.

Specification: https://docs.oracle.com/javase/8/docs/technotes/guides/jar/jar.html#Signed_JAR_File and RFC 5652 (CMS).
Not read: certificate chains and their validity; timestamps; signers named by subject key identifier; RSA-PSS in CMS
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass

from auditor.errors import FormatError, LimitError, UnsupportedError
from auditor.formats.certificate import issuer_and_serial, parse_certificate, public_key_info
from auditor.formats.der import (
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    SET,
    Element,
    object_identifier,
    parse_element,
)
from auditor.formats.jar_manifest import Manifest, parse_manifest
from auditor.formats.public_key import Padding, is_signature_valid
from auditor.formats.zip import Archive, Entry
from auditor.limits import DEFAULT, Limits
from auditor.model import Signing, SigningState

_FOLDER = b"META-INF/"
_MANIFEST = b"META-INF/MANIFEST.MF"
_BLOCK_SUFFIXES = (b".RSA", b".DSA", b".EC")
_SIGNERS = 64
"""Signer entries tried in one CMS block."""

# The platform takes the first of these that is there and knows no others.
_DIGESTS = (("sha-512", "sha512"), ("sha-384", "sha384"), ("sha-256", "sha256"), ("sha1", "sha1"), ("sha-1", "sha1"))

_SIGNED_DATA = "1.2.840.113549.1.7.2"
_CONTENT_TYPE = "1.2.840.113549.1.9.3"
_DATA = bytes.fromhex("2a864886f70d010701")
_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
_TAG_0 = 0xA0
_CMS_DIGESTS = {
    "1.2.840.113549.2.5": "md5",
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.4": "sha224",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
_DSA_DIGESTS = ("sha1", "sha224", "sha256")
_CMS_SIGNATURES = (
    ("1.2.840.113549.1.1.", Padding.PKCS1),
    ("1.2.840.10040.4.", Padding.DSA),
    ("2.16.840.1.101.3.4.3.", Padding.DSA),
    ("1.2.840.10045.", Padding.ECDSA),
)


@dataclass(frozen=True, slots=True)
class _SignatureFile:
    """One verified .SF file: who signed it and which members it names."""

    certificate: bytes
    manifest: Manifest


def has_jar_signature(archive: Archive) -> bool:
    """Tell whether there is a signature block beside a signature file."""
    return bool(_signature_pairs(archive))


def verify_jar(archive: Archive, limits: Limits = DEFAULT) -> Signing:
    """Verify scheme v1, reading every member; a faulty signature is a state, never an exception.

    Call it only where no newer scheme is present: a signature file that names one then proves that it was stripped.
    """
    signers: tuple[bytes, ...] = ()
    try:
        manifest_bytes = _read_manifest(archive, limits)
        manifest = parse_manifest(manifest_bytes)
        files = []
        pairs = _signature_pairs(archive)
        if len(pairs) > limits.signers:
            raise FormatError(f"scheme v1 has {len(pairs)} signers, more than the {limits.signers} the platform takes")
        for block, signature_file in pairs:
            certificates = _certificates(archive.read(block, limits.signing_block_size))
            signers = signers or certificates[:1]
            files.append(_verify_signature_file(archive, block, signature_file, manifest, manifest_bytes, limits))
        signers = _verify_members(archive, manifest, files, limits)
    except (LimitError, UnsupportedError) as error:
        return _signing(SigningState.UNVERIFIABLE, signers, str(error), limits)
    except FormatError as error:
        return _signing(SigningState.INVALID, signers, str(error), limits)
    return _signing(SigningState.VERIFIED, signers, "", limits)


def _signing(state: SigningState, certificates: tuple[bytes, ...], detail: str, limits: Limits) -> Signing:
    """Describe the outcome; a certificate that cannot be read makes a good signature unverifiable."""
    try:
        signers = tuple(parse_certificate(certificate, limits) for certificate in certificates)
    except FormatError as error:
        worse = SigningState.UNVERIFIABLE if state is SigningState.VERIFIED else state
        return Signing(worse, "v1", detail=detail or str(error), present=("v1",))
    return Signing(state, "v1", signers, detail=detail, present=("v1",))


def _signature_pairs(archive: Archive) -> list[tuple[Entry, Entry]]:
    """Return the signature blocks with their signature files; the platform ignores a block without one."""
    upper = {entry.raw_name.upper(): entry for entry in archive.entries if entry.raw_name[:9].upper() == _FOLDER}
    pairs = []
    for name, entry in upper.items():
        for suffix in _BLOCK_SUFFIXES:
            if name.endswith(suffix):
                signature_file = upper.get(name[: -len(suffix)] + b".SF")
                if signature_file is not None:
                    pairs.append((entry, signature_file))
    return pairs


def _read_manifest(archive: Archive, limits: Limits) -> bytes:
    """Return the bytes of META-INF/MANIFEST.MF."""
    for entry in archive.entries:
        if entry.raw_name.upper() == _MANIFEST:
            return archive.read(entry, limits.signing_block_size)
    raise FormatError("there is a signature but no META-INF/MANIFEST.MF")


def _verify_signature_file(
    archive: Archive, block: Entry, signature_file: Entry, manifest: Manifest, manifest_bytes: bytes, limits: Limits
) -> _SignatureFile:
    """Check the CMS signature over a signature file, then its digests of the manifest."""
    content = archive.read(signature_file, limits.signing_block_size)
    certificate = _verify_cms(archive.read(block, limits.signing_block_size), content, block.name)
    parsed = parse_manifest(content)
    claimed = {token.strip() for token in parsed.main.get("x-android-apk-signed", "").split(",")}
    for number in ("2", "3"):
        if number in claimed:
            raise FormatError(
                f"{signature_file.name} says that scheme v{number} signs this APK too, but it was stripped"
            )
    _verify_manifest_digests(parsed, manifest, manifest_bytes, signature_file.name)
    return _SignatureFile(certificate, parsed)


def _verify_manifest_digests(parsed: Manifest, manifest: Manifest, manifest_bytes: bytes, name: str) -> None:
    """Check the digest of the whole manifest or, where that fails, of every section by itself."""
    by_signtool = "signtool" in parsed.main.get("created-by", "")
    if manifest.main_end > 0 and not by_signtool:
        main = manifest_bytes[: manifest.main_end]
        if _digest_matches(parsed.main, "-digest-manifest-main-attributes", main) is False:
            raise FormatError(f"{name} has a wrong digest of the main section of the manifest")
    if _digest_matches(parsed.main, "-digest" if by_signtool else "-digest-manifest", manifest_bytes):
        return
    for section_name, section in parsed.sections.items():
        target = manifest.sections.get(section_name)
        if target is None:
            raise FormatError(f"{name} names {_shown(section_name)}, which the manifest does not")
        content = manifest_bytes[target.start : target.end]
        if by_signtool and content.endswith(b"\n\n"):
            content = content[:-1]
        if not _digest_matches(section.attributes, "-digest", content):
            raise FormatError(f"{name} has no or a wrong digest of the manifest's section for {_shown(section_name)}")


def _digest_matches(attributes: dict[str, str], suffix: str, content: bytes) -> bool | None:
    """Compare with the first digest the platform would take; None where there is none."""
    for prefix, algorithm in _DIGESTS:
        written = attributes.get(prefix + suffix)
        if written is not None:
            return _decode(written) == hashlib.new(algorithm, content, usedforsecurity=False).digest()
    return None


def _decode(written: str) -> bytes:
    """Decode a digest; one that is no Base64 equals nothing."""
    try:
        return base64.b64decode(written)
    except (binascii.Error, ValueError):
        return b""


def _verify_members(
    archive: Archive, manifest: Manifest, files: list[_SignatureFile], limits: Limits
) -> tuple[bytes, ...]:
    """Check every member outside META-INF and return the certificates that all of them share."""
    members = [entry for entry in archive.entries if not entry.is_directory and entry.raw_name[:9] != _FOLDER]
    if sum(entry.size for entry in members) > limits.unpacked_total:
        raise LimitError(f"the members to verify unpack to more than {limits.unpacked_total} bytes")
    signers: tuple[bytes, ...] | None = None
    for entry in sorted(members, key=lambda entry: entry.raw_name != b"AndroidManifest.xml"):
        found = tuple(item.certificate for item in files if entry.raw_name in item.manifest.sections)
        section = manifest.sections.get(entry.raw_name)
        if not found or section is None:
            raise FormatError(f"{_shown(entry.raw_name)} is not covered by the signature")
        if signers is not None and set(found) != set(signers):
            raise FormatError(f"{_shown(entry.raw_name)} is signed by others than AndroidManifest.xml")
        signers = signers or found
        _verify_member(archive, entry, section.attributes)
    if signers is None:
        raise FormatError("the signature covers no member")
    return tuple(dict.fromkeys(signers))


def _verify_member(archive: Archive, entry: Entry, attributes: dict[str, str]) -> None:
    """Compare the digest of one member with the manifest's."""
    for prefix, algorithm in _DIGESTS:
        written = attributes.get(prefix + "-digest")
        if written is not None:
            digest = hashlib.new(algorithm, usedforsecurity=False)
            for chunk in archive.chunks(entry):
                digest.update(chunk)
            if digest.digest() != _decode(written):
                raise FormatError(f"{_shown(entry.raw_name)} differs from its digest in the manifest")
            return
    raise FormatError(f"the manifest has no digest of {_shown(entry.raw_name)} that the platform knows")


def _shown(raw_name: bytes) -> str:
    """Render a member's name for a sentence."""
    return repr(raw_name.decode("utf-8", "backslashreplace")[:200])


def _signed_data(block: bytes) -> tuple[list[Element], list[Element]]:
    """Return certificates and signer entries of a CMS block."""
    content = parse_element(block).children(SEQUENCE)
    if len(content) < 2 or object_identifier(content[0].expect(OBJECT_IDENTIFIER).body) != _SIGNED_DATA:
        raise FormatError("the signature block is not CMS signed data")
    fields = parse_element(content[1].body).children(SEQUENCE)
    certificates: list[Element] = []
    for element in fields[3:]:
        if element.tag == _TAG_0:
            certificates = element.children()
    if not fields or fields[-1].tag != SET:
        raise FormatError("the signature block has no signers")
    return certificates, fields[-1].children()[:_SIGNERS]


def _certificates(block: bytes) -> tuple[bytes, ...]:
    """Return the certificates a CMS block carries, unverified; none where it cannot be read."""
    try:
        return tuple(element.raw for element in _signed_data(block)[0])
    except FormatError:
        return ()


def _verify_cms(block: bytes, content: bytes, name: str) -> bytes:
    """Return the certificate of the first signer whose signature over the content holds.

    Raises:
        UnsupportedError: no signature holds, but one could not be checked.
        FormatError: no signature holds.
    """
    certificates, signers = _signed_data(block)
    open_question: UnsupportedError | None = None
    for signer in signers:
        try:
            certificate = _verify_signer(signer.children(SEQUENCE), certificates, content)
        except UnsupportedError as error:
            open_question = open_question or error
            continue
        if certificate is not None:
            return certificate
    if open_question is not None:
        raise open_question
    raise FormatError(f"{name} does not hold a valid signature")


def _verify_signer(fields: list[Element], certificates: list[Element], content: bytes) -> bytes | None:
    """Return the signer's certificate if its signature holds."""
    if len(fields) < 5:
        raise FormatError("a signer in the signature block lacks fields")
    certificate = _find_certificate(fields[1].children(SEQUENCE), certificates)
    digest = _CMS_DIGESTS.get(_algorithm(fields[2]))
    rest = fields[3:]
    message = content
    if rest[0].tag == _TAG_0:
        attributes = rest.pop(0)
        if digest is None or not _attributes_match(
            attributes, hashlib.new(digest, content, usedforsecurity=False).digest()
        ):
            return None
        # What is signed is the attributes as a SET (RFC 5652 section 5.4).
        message = b"\x31" + attributes.raw[1:]
    if len(rest) < 2:
        raise FormatError("a signer in the signature block has no signature")
    oid = _algorithm(rest[0])
    padding = next((padding for prefix, padding in _CMS_SIGNATURES if oid.startswith(prefix)), None)
    if digest is None or padding is None:
        raise UnsupportedError(f"the signature algorithm {oid} is not known")
    if padding is Padding.DSA and digest not in _DSA_DIGESTS:
        raise FormatError(f"the platform knows no DSA signatures with {digest}")
    if certificate is None:
        return None
    signature = rest[1].expect(OCTET_STRING).body
    return (
        certificate if is_signature_valid(public_key_info(certificate), padding, digest, signature, message) else None
    )


def _find_certificate(identifier: list[Element], certificates: list[Element]) -> bytes | None:
    """Return the certificate with this issuer and serial number, or with the serial number alone."""
    if len(identifier) < 2:
        raise FormatError("a signer in the signature block is not named by issuer and serial number")
    issuer, serial = identifier[0].raw, int.from_bytes(identifier[1].expect(INTEGER).body, "big", signed=True)
    second: bytes | None = None
    for element in certificates:
        own_issuer, own_serial = issuer_and_serial(element.raw)
        if own_serial == serial:
            if own_issuer == issuer:
                return element.raw
            second = second or element.raw
    return second


def _attributes_match(attributes: Element, digest: bytes) -> bool:
    """Check that the signed attributes carry the content's digest and its type.

    Raises:
        FormatError: one of them is missing or there twice, which the platform takes worse than a wrong one.
    """
    values: dict[str, bytes] = {}
    for attribute in attributes.children():
        parts = attribute.children(SEQUENCE)
        if len(parts) > 1 and (content := parts[1].children(SET)):
            oid = object_identifier(parts[0].expect(OBJECT_IDENTIFIER).body)
            if oid in values:
                raise FormatError(f"the signed attribute {oid} comes twice")
            values[oid] = content[0].body
    if _CONTENT_TYPE not in values or _MESSAGE_DIGEST not in values:
        raise FormatError("the signed attributes lack the content type or the digest")
    return values[_CONTENT_TYPE] == _DATA and values[_MESSAGE_DIGEST] == digest


def _algorithm(element: Element) -> str:
    """Return the identifier of an algorithm."""
    children = element.children(SEQUENCE)
    if not children:
        raise FormatError("an algorithm in the signature block has no identifier")
    return object_identifier(children[0].expect(OBJECT_IDENTIFIER).body)
