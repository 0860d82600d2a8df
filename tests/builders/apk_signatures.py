"""Signs APKs from the specification: scheme v1 with its own CMS, schemes v2, v3 and v3.1, and proofs of rotation.

Every part can be replaced by a wrong one. Shares nothing with the parsers; only the keys come from a library.
"""

from __future__ import annotations

import base64
import datetime
import functools
import hashlib
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa
from cryptography.x509.oid import NameOID

from tests.builders.zips import Member, build_zip

V2, V3, V31, V32 = 0x7109871A, 0xF05368C0, 0x1B93AD61, 0x70E1C89F
PSS256, PSS512, RSA256, RSA512, EC256, EC512, DSA256 = 0x0101, 0x0102, 0x0103, 0x0104, 0x0201, 0x0202, 0x0301
RSA_VERITY, EC_VERITY, DSA_VERITY = 0x0421, 0x0423, 0x0425
SHA512_IDS = (PSS512, RSA512, EC512)
VERITY_IDS = (RSA_VERITY, EC_VERITY, DSA_VERITY)
STRIPPED, LINEAGE, ROTATION_SDK = 0xBEEFF00D, 0x3BA06F8C, 0x559F8B02
NEWEST = 0x7FFFFFFF
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | dsa.DSAPrivateKey


@dataclass(frozen=True)
class Identity:
    """A key with its self-signed certificate."""

    key: PrivateKey
    certificate: bytes

    @property
    def key_info(self) -> bytes:
        """SubjectPublicKeyInfo."""
        der, spki = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        return self.key.public_key().public_bytes(der, spki)

    @property
    def sha256(self) -> str:
        """Digest of the certificate."""
        return hashlib.sha256(self.certificate).hexdigest()

    @property
    def algorithm(self) -> int:
        """The usual algorithm id of its key type."""
        if isinstance(self.key, rsa.RSAPrivateKey):
            return RSA256
        return EC256 if isinstance(self.key, ec.EllipticCurvePrivateKey) else DSA256

    def sign(self, algorithm: int, message: bytes) -> bytes:
        """Sign as the algorithm id says."""
        digest = hashes.SHA512() if algorithm in SHA512_IDS else hashes.SHA256()
        if isinstance(self.key, rsa.RSAPrivateKey):
            if algorithm in (PSS256, PSS512):
                scheme = padding.PSS(padding.MGF1(digest), digest.digest_size)
                return self.key.sign(message, scheme, digest)
            return self.key.sign(message, padding.PKCS1v15(), digest)
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            return self.key.sign(message, ec.ECDSA(digest))
        return self.key.sign(message, digest)


@functools.cache
def identity(name: str = "first", kind: str = "ec") -> Identity:
    """One identity for each name and kind, made once in a session."""
    key: PrivateKey
    if kind == "rsa":
        key = rsa.generate_private_key(65537, 2048)
    elif kind == "dsa":
        key = dsa.generate_private_key(2048)
    else:
        key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = datetime.datetime(2020, 1, 1)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), 4711, start, start.replace(year=2050))
    return Identity(key, builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER))


def prefixed(*values: bytes) -> bytes:
    """Each value behind its length."""
    return b"".join(struct.pack("<I", len(value)) + value for value in values)


def pairs(items: Sequence[tuple[int, bytes]]) -> bytes:
    """A list of (algorithm id, value)."""
    return prefixed(*(struct.pack("<I", number) + prefixed(value) for number, value in items))


@dataclass
class Draft:
    """One signer; every field can be replaced by a wrong value."""

    who: Identity
    algorithms: tuple[int, ...] = ()
    min_sdk: int | None = None
    """Given for v3 and v3.1."""
    max_sdk: int = NEWEST
    signed_levels: tuple[int, int] | None = None
    attributes: list[tuple[int, bytes]] = field(default_factory=list)
    certificates: list[bytes] | None = None
    public_key: bytes | None = None
    digest_ids: tuple[int, ...] | None = None
    change_digest: Callable[[int, bytes], bytes] = lambda _, digest: digest
    change_signature: Callable[[int, bytes], bytes] = lambda _, signature: signature

    def record(self, sections: tuple[bytes, bytes, bytes]) -> bytes:
        """The signer as it lies in the block."""
        algorithms = self.algorithms or (self.who.algorithm,)
        ids = algorithms if self.digest_ids is None else self.digest_ids
        digests = [(number, self.change_digest(number, content_digest(number, sections))) for number in ids]
        certificates = [self.who.certificate] if self.certificates is None else self.certificates
        attributes = prefixed(*(struct.pack("<I", number) + value for number, value in self.attributes))
        levels = signed_levels = b""
        if self.min_sdk is not None:
            levels = struct.pack("<II", self.min_sdk, self.max_sdk)
            signed_levels = struct.pack("<II", *(self.signed_levels or (self.min_sdk, self.max_sdk)))
        signed = prefixed(pairs(digests), prefixed(*certificates)) + signed_levels + prefixed(attributes)
        signatures = [(n, self.change_signature(n, self.who.sign(n, signed))) for n in algorithms]
        key = self.who.key_info if self.public_key is None else self.public_key
        return prefixed(signed) + levels + prefixed(pairs(signatures), key)


def content_digest(algorithm: int, sections: tuple[bytes, bytes, bytes]) -> bytes:
    """The digest of the three sections that the algorithm id asks for."""
    if algorithm in VERITY_IDS:
        return tree_digest(b"".join(sections))
    name = "sha512" if algorithm in SHA512_IDS else "sha256"
    chunks = [part[at : at + 2**20] for part in sections for at in range(0, len(part), 2**20)]
    digests = [hashlib.new(name, b"\xa5" + struct.pack("<I", len(chunk)) + chunk).digest() for chunk in chunks]
    return hashlib.new(name, b"\x5a" + struct.pack("<I", len(digests)) + b"".join(digests)).digest()


def tree_digest(content: bytes) -> bytes:
    """Root of the hash tree over pages, then the size."""
    level = content
    while True:
        level += bytes(-len(level) % 4096)
        digests = [hashlib.sha256(bytes(8) + level[at : at + 4096]).digest() for at in range(0, len(level), 4096)]
        if len(digests) == 1:
            return digests[0] + struct.pack("<Q", len(content))
        level = b"".join(digests)


def signing_block(entries: Sequence[tuple[int, bytes]], page: int = 0) -> bytes:
    """The block with its sizes and magic; with ``page`` filled up by a padding entry."""
    body = b"".join(struct.pack("<QI", len(value) + 4, number) + value for number, value in entries)
    if page:
        body += struct.pack("<QI", (gap := -(len(body) + 44) % page) + 4, 0x42726577) + bytes(gap)
    size = len(body) + 24
    return struct.pack("<Q", size) + body + struct.pack("<Q", size) + b"APK Sig Block 42"


APK_MEMBERS = (
    Member(b"AndroidManifest.xml", b"\x03\0\x08\0 not a real manifest" * 20),
    Member(b"classes.dex", bytes(range(256)) * 3000, 0),
    Member(b"res/empty.xml", b""),
)


def split_apk(members: Sequence[Member] = APK_MEMBERS, page: int = 0) -> tuple[bytes, bytes, bytes]:
    """An unsigned archive as its three sections; with ``page`` the first ends on a page."""
    data = build_zip(*members)
    end = data.rfind(b"PK\x05\x06")
    start = struct.unpack_from("<I", data, end + 16)[0]
    if page:
        filler = Member(b"pad", bytes(-(start + 33) % page), 0)
        return split_apk((*members, filler))
    return data[:start], data[start:end], data[end:]


def join_apk(sections: tuple[bytes, bytes, bytes], block: bytes) -> bytes:
    """Put the block before the central directory."""
    front, directory, end = sections
    start = len(front) + len(block)
    return front + block + directory + end[:16] + struct.pack("<I", start) + end[20:]


def sign_apk(
    schemes: dict[int, Sequence[Draft]],
    members: Sequence[Member] = APK_MEMBERS,
    page: int = 0,
    extra: Sequence[tuple[int, bytes]] = (),
) -> bytes:
    """An APK with a signing block of these schemes; the end record is digested with the block's own offset."""
    front, directory, end = split_apk(members, page)
    digested = (front, directory, end[:16] + struct.pack("<I", len(front)) + end[20:])
    entries = [
        (number, prefixed(prefixed(*(draft.record(digested) for draft in drafts))))
        for number, drafts in schemes.items()
    ]
    return join_apk((front, directory, end), signing_block([*extra, *entries], page))


def lineage(*identities: Identity, wrong_parent: int | None = None, wrong_algorithm: int | None = None) -> bytes:
    """A proof of rotation, oldest first; one level can be signed by a stranger or name another algorithm."""
    levels = []
    for index, item in enumerate(identities):
        parent = identities[index - 1] if index else None
        algorithm = parent.algorithm if parent else 0
        named = algorithm if wrong_algorithm != index else algorithm + 1
        signed = prefixed(item.certificate) + struct.pack("<I", named)
        signer = identity("stranger") if wrong_parent == index else parent
        signature = signer.sign(signer.algorithm, signed) if signer else b""
        levels.append(prefixed(signed) + struct.pack("<II", 23, item.algorithm) + prefixed(signature))
    return struct.pack("<I", 1) + prefixed(*levels)


def der(tag: int, *contents: bytes) -> bytes:
    """A DER element."""
    body = b"".join(contents)
    size = len(body)
    if size < 0x80:
        return bytes((tag, size)) + body
    width = (size.bit_length() + 7) // 8
    return bytes((tag, 0x80 | width)) + size.to_bytes(width, "big") + body


OIDS = {
    "data": "2a864886f70d010701",
    "signed data": "2a864886f70d010702",
    "content type": "2a864886f70d010903",
    "digest": "2a864886f70d010904",
    "sha1": "2b0e03021a",
    "sha256": "608648016503040201",
    "sha512": "608648016503040203",
    "rsa": "2a864886f70d010101",
    "ec": "2a8648ce3d040302",
    "dsa": "608648016503040302",
}


def oid(name: str) -> bytes:
    """An object identifier."""
    return der(6, bytes.fromhex(OIDS[name]))


def cms(
    who: Identity,
    content: bytes,
    attributes: bool = False,
    digest: str = "sha256",
    content_type: str = "data",
    pasted: bytes = b"",
) -> bytes:
    """A detached CMS signature over a signature file; ``pasted`` takes the place of the certificate."""
    certificate = x509.load_der_x509_certificate(who.certificate)
    named = der(0x30, certificate.issuer.public_bytes(), der(2, certificate.serial_number.to_bytes(2, "big")))
    signed = b""
    message = content
    if attributes:
        kind = der(0x30, oid("content type"), der(0x31, oid(content_type)))
        value = der(0x30, oid("digest"), der(0x31, der(4, hashlib.new(digest, content).digest())))
        signed = der(0xA0, kind, value)
        message = der(0x31, kind, value)
    kind_name = {RSA256: "rsa", EC256: "ec", DSA256: "dsa"}[who.algorithm]
    signature = who.sign(RSA512 if digest == "sha512" else who.algorithm, message)
    digest_id, signature_id = der(0x30, oid(digest), der(5)), der(0x30, oid(kind_name))
    signer = der(0x30, der(2, b"\1"), named, digest_id, signed, signature_id, der(4, signature))
    parts = (
        der(2, b"\1"),
        der(0x31, digest_id),
        der(0x30, oid("data")),
        der(0xA0, pasted or who.certificate),
        der(0x31, signer),
    )
    return der(0x30, oid("signed data"), der(0xA0, der(0x30, *parts)))


def b64(name: str, content: bytes) -> bytes:
    """A digest as manifests write it."""
    return base64.b64encode(hashlib.new(name, content).digest())


def fold(line: bytes) -> bytes:
    """Break a line after 70 bytes, as the JAR specification demands."""
    parts = [line[:70]] + [b" " + line[at : at + 69] for at in range(70, len(line), 69)]
    return b"\r\n".join(parts) + b"\r\n"


@dataclass
class Jar:
    """A scheme v1 signature; every part can be replaced."""

    who: Sequence[Identity] = ()
    digest: str = "SHA-256"
    attributes: bool = False
    main: bytes = b""
    """Further lines of the main section of the signature files."""
    whole_digest: bool = True
    change_manifest: Callable[[bytes], bytes] = lambda data: data
    """Applied after the signature files were made."""
    change_signature_file: Callable[[bytes], bytes] = lambda data: data
    """Applied after they were signed."""
    covered: Callable[[bytes], bool] = lambda _: True
    block_suffix: bytes | None = None

    def members(self, content: Sequence[Member] = APK_MEMBERS) -> list[Member]:
        """The members followed by manifest, signature files and blocks."""
        name = self.digest.replace("-", "").lower()
        label = self.digest.encode() + b"-Digest"
        head = b"Manifest-Version: 1.0\r\nCreated-By: test\r\n\r\n"
        sections = {
            item.name: fold(b"Name: " + item.name) + label + b": " + b64(name, item.content) + b"\r\n\r\n"
            for item in content
            if self.covered(item.name)
        }
        manifest = head + b"".join(sections.values())
        written = [Member(b"META-INF/MANIFEST.MF", self.change_manifest(manifest))]
        for index, who in enumerate(self.who):
            main = b"Signature-Version: 1.0\r\n" + self.main
            if self.whole_digest:
                main += label + b"-Manifest: " + b64(name, manifest) + b"\r\n"
            entries = [
                fold(b"Name: " + key) + label + b": " + b64(name, raw) + b"\r\n\r\n" for key, raw in sections.items()
            ]
            signature_file = main + b"\r\n" + b"".join(entries)
            block = cms(who, signature_file, self.attributes)
            suffix = {RSA256: b"RSA", EC256: b"EC", DSA256: b"DSA"}[who.algorithm]
            stem = b"META-INF/CERT%d." % index
            written.append(Member(stem + b"SF", self.change_signature_file(signature_file)))
            written.append(Member(stem + (self.block_suffix or suffix), block))
        return [*content, *written]
