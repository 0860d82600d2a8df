"""One tiny app under every signing scheme, and signatures that must not be believed."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from recipes import apk, archive
from recipes.apk import AndroidApp
from recipes.sample import Expect, Proof, Sample, android, is_app
from recipes.toolchain import JARS, KEYS, SOURCES, cached, jar, run

CATALOG = "test-catalog"
APP = AndroidApp("com.example.testapp", label="Test app", files=(("assets/note.txt", b"original text of the app"),))
V1_ONLY = ("--v2-signing-enabled", "false", "--v3-signing-enabled", "false", "--v1-signing-enabled", "true")
V2_ONLY = ("--v1-signing-enabled", "false", "--v2-signing-enabled", "true", "--v3-signing-enabled", "false")
V3_ONLY = ("--v1-signing-enabled", "false", "--v2-signing-enabled", "false", "--v3-signing-enabled", "true")
ALL_THREE = ("--v1-signing-enabled", "true", "--v2-signing-enabled", "true", "--v3-signing-enabled", "true")
MAGIC = b"APK Sig Block 42"
V2_ID, V3_ID = 0x7109871A, 0xF05368C0
RSA_PKCS1_SHA256 = 0x0103


def _is(grade: str) -> Expect:
    return is_app("test-app", grade)


def _plain(min_sdk: int, app: AndroidApp = APP) -> bytes:
    built = replace(app, min_sdk=min_sdk)
    return apk.align(archive.pack(apk.members(built), stored=("resources.arsc", "note.txt")))


def lineage() -> bytes:
    """Vouch with key a for key b."""

    def make(folder: Path) -> bytes:
        old, new = apk.key_options("a"), apk.key_options("b")
        tool = ["java", "-jar", jar("apksigner.jar"), "rotate", "--out", folder / "lineage"]
        run(*tool, "--old-signer", *old, "--new-signer", *new)
        return (folder / "lineage").read_bytes()

    return cached(make, [path.read_bytes() for path in sorted(KEYS.glob("*.pem"))], JARS.name)


def rotated(min_sdk: int, rotation_min_sdk: int) -> bytes:
    """Sign with key b, for which key a vouches."""
    signers = (*apk.key_options("a"), "--next-signer", *apk.key_options("b"))
    options = ("--rotation-min-sdk-version", str(rotation_min_sdk))
    return apk.sign_with(_plain(min_sdk), signers, *options, lineage=lineage())


def patch_stored(data: bytes, old: bytes, new: bytes) -> bytes:
    """Replace the content of a stored member by other content of the same length, checksums included."""
    if data.count(old) != 1 or len(old) != len(new):
        raise RuntimeError("the content must stand in the file once and keep its length")
    old_sum, new_sum = (struct.pack("<I", zlib.crc32(text)) for text in (old, new))
    return data.replace(old, new).replace(old_sum, new_sum)


def split_block(data: bytes) -> tuple[bytes, dict[int, bytes], bytes, bytes]:
    """Return what stands before the signing block, its pairs, the central directory and the end record."""
    end = data.rindex(b"PK\x05\x06")
    directory = struct.unpack_from("<I", data, end + 16)[0]
    start, pairs = directory, {}
    if data[directory - 16 : directory] == MAGIC:
        size = struct.unpack_from("<Q", data, directory - 24)[0]
        start = directory - size - 8
        position = start + 8
        while position < directory - 24:
            length, identifier = struct.unpack_from("<QI", data, position)
            pairs[identifier] = data[position + 12 : position + 8 + length]
            position += 8 + length
    return data[:start], pairs, data[directory:end], data[end:]


def join_block(before: bytes, pairs: dict[int, bytes], directory: bytes, end: bytes) -> bytes:
    """Put an archive with a signing block together."""
    body = b"".join(struct.pack("<QI", len(value) + 4, key) + value for key, value in pairs.items())
    size = struct.pack("<Q", len(body) + 24)
    block = size + body + size + MAGIC if pairs else b""
    moved = end[:16] + struct.pack("<I", len(before) + len(block)) + end[20:]
    return before + block + directory + moved


def _prefixed(*items: bytes) -> bytes:
    return b"".join(struct.pack("<I", len(item)) + item for item in items)


def content_digest(before: bytes, directory: bytes, end: bytes) -> bytes:
    """Digest an archive the way scheme v2 does: chunks of a mebibyte, then the list of their digests."""
    pointing = end[:16] + struct.pack("<I", len(before)) + end[20:]
    chunks = []
    for section in (before, directory, pointing):
        for position in range(0, len(section), 1 << 20):
            chunk = section[position : position + (1 << 20)]
            chunks.append(hashlib.sha256(b"\xa5" + struct.pack("<I", len(chunk)) + chunk).digest())
    return hashlib.sha256(b"\x5a" + struct.pack("<I", len(chunks)) + b"".join(chunks)).digest()


def _openssl(content: bytes, *command: str) -> bytes:
    pkcs8 = (KEYS / "test-key-a.pk8").read_bytes()

    def make(folder: Path) -> bytes:
        (folder / "key").write_bytes(pkcs8)
        (folder / "in").write_bytes(content)
        run("openssl", *command, cwd=folder)
        return (folder / "out").read_bytes()

    return cached(make, content, command, pkcs8)


def vendor_certificate() -> bytes:
    """Return the public certificate of WeChat."""
    return bytes.fromhex("".join((SOURCES / "wechat-certificate.hex").read_text().split()))


def sign_v2(data: bytes, certificate: bytes, public: bytes) -> bytes:
    """Add a v2 signature by key a to an archive as it is, showing any certificate and public key."""
    before, _, directory, end = split_block(data)
    digest = struct.pack("<I", RSA_PKCS1_SHA256) + _prefixed(content_digest(before, directory, end))
    signed = _prefixed(_prefixed(digest), _prefixed(certificate), b"")
    signature = _openssl(signed, *["dgst", "-sha256", "-keyform", "DER", "-sign", "key", "-out", "out", "in"])
    signatures = _prefixed(struct.pack("<I", RSA_PKCS1_SHA256) + _prefixed(signature))
    signer = _prefixed(signed, signatures, public)
    return join_block(before, {V2_ID: _prefixed(_prefixed(signer))}, directory, end)


def sign_as_is(data: bytes) -> bytes:
    """Sign with key a what no packing tool would touch or repair."""
    pem = (KEYS / "test-key-a.x509.pem").read_bytes()
    certificate = _openssl(pem, *["x509", "-in", "in", "-outform", "DER", "-out", "out"])
    return sign_v2(data, certificate, _own_public_key())


def _own_public_key() -> bytes:
    return _openssl(b"", *["pkey", "-inform", "DER", "-in", "key", "-pubout", "-outform", "DER", "-out", "out"])


def pasted_certificate(*, vendor_key: bool) -> bytes:
    """Sign a stub of WeChat with our key and paste WeChat's certificate into the signed data.

    The public key beside the signature is ours, or with ``vendor_key`` the one of the certificate.
    """
    stub = _plain(24, AndroidApp("com.tencent.mm", label="WeChat", label_zh="微信"))
    certificate, public = vendor_certificate(), _own_public_key()
    if vendor_key:
        pem = _openssl(certificate, *["x509", "-inform", "DER", "-in", "in", "-noout", "-pubkey", "-out", "out"])
        public = _openssl(pem, *["pkey", "-pubin", "-in", "in", "-outform", "DER", "-out", "out"])
    return sign_v2(stub, certificate, public)


def schemes() -> Iterator[Sample]:
    """The same app under every scheme; the test catalog refers to key a."""
    cases = (
        ("v1-only", lambda: apk.sign(_plain(21), "a", *V1_ONLY), "v1", "Signed with scheme v1 only."),
        ("v1-v2-v3", lambda: apk.sign(_plain(21), "a", *ALL_THREE), "v3", "Signed with schemes v1, v2 and v3."),
        ("v2-only", lambda: apk.sign(_plain(24), "a", *V2_ONLY), "v2", "Signed with scheme v2 only."),
        ("v3-only", lambda: apk.sign(_plain(28), "a", *V3_ONLY), "v3", "Signed with scheme v3 only."),
        ("rotated-v3", lambda: rotated(28, 28), "v3", "Signed with key b, which key a vouches for, in scheme v3."),
        (
            "rotated-v31",
            lambda: rotated(24, 33),
            "v3.1",
            "Signed with key a, and from Android 13 on with key b (v3.1).",
        ),
    )
    for stem, make, scheme, about in cases:
        seen = android("com.example.testapp", _is("verified"), signing="verified", scheme=scheme)
        yield Sample(f"android/signing-{stem}.apk", about, make, (seen,), catalog=CATALOG)


def _renewed() -> bytes:
    certificate = SOURCES / "test-key-a-renewed.x509.pem"
    signers = ("--key", str(KEYS / "test-key-a.pk8"), "--cert", str(certificate))
    return apk.sign_with(_plain(24), signers, *V2_ONLY)


def other_signers() -> Iterator[Sample]:
    """A foreign key on the known id, and the known key on another id."""
    foreign = android("com.example.testapp", _is("impostor"), signing="verified")
    about = "Signed with key c, which nobody vouches for."
    yield Sample(
        "android/signing-foreign-key.apk", about, lambda: apk.sign(_plain(24), "c"), (foreign,), catalog=CATALOG
    )
    renewed = android(
        "com.example.testapp",
        _is("verified"),
        signing="verified",
        proofs=(Proof("app:test-app", "verified", detail="signed by the key of cert-test-key-a: same key"),),
    )
    about = "Signed with key a under another certificate: renewed, and known by its public key."
    yield Sample("android/signing-renewed-certificate.apk", about, _renewed, (renewed,), catalog=CATALOG)
    app = replace(APP, package="com.example.sibling", label="Sibling")
    sibling = android("com.example.sibling", _is("sibling"), signing="verified")
    about = "Another id, signed with key a: the vendor's, not the app."
    yield Sample(
        "android/signing-sibling.apk", about, lambda: apk.sign(_plain(24, app), "a"), (sibling,), catalog=CATALOG
    )


def _without(data: bytes, *dropped: int) -> bytes:
    before, pairs, directory, end = split_block(data)
    kept = {key: value for key, value in pairs.items() if key not in dropped} if dropped else {}
    return join_block(before, kept, directory, end)


def _with_extra_member(data: bytes) -> bytes:
    return archive.pack({**archive.unpack(data), "assets/added.txt": b"added after signing"})


def broken() -> Iterator[Sample]:
    """Signatures a platform would refuse: never verified, whatever certificate they show."""
    old, new = b"original text of the app", b"tampered text of the app"
    cases = (
        (
            "v2-tampered",
            lambda: patch_stored(apk.sign(_plain(24), "a", *V2_ONLY), old, new),
            "One member changed after signing with scheme v2.",
        ),
        (
            "v3-tampered",
            lambda: patch_stored(apk.sign(_plain(28), "a", *V3_ONLY), old, new),
            "One member changed after signing with scheme v3.",
        ),
        (
            "v1-tampered",
            lambda: patch_stored(apk.sign(_plain(21), "a", *V1_ONLY), old, new),
            "One member changed after signing with scheme v1.",
        ),
        (
            "v1-added-member",
            lambda: _with_extra_member(apk.sign(_plain(21), "a", *V1_ONLY)),
            "One member added after signing with scheme v1.",
        ),
        (
            "v2-stripped",
            lambda: _without(apk.sign(_plain(21), "a", *ALL_THREE)),
            "The signing block was cut out; the v1 signature still says that newer schemes were there.",
        ),
        (
            "v3-stripped",
            lambda: _without(apk.sign(_plain(24), "a", *ALL_THREE), V3_ID),
            "The v3 signature was cut out; the v2 signature still says that it was there.",
        ),
    )
    for stem, make, about in cases:
        seen = android("com.example.testapp", _is("impostor"), signing="invalid")
        yield Sample(f"android/signing-{stem}.apk", about, make, (seen,), catalog=CATALOG)


def pasted() -> Iterator[Sample]:
    """The genuine, public certificate of a vendor under a signature that is not the vendor's."""
    seen = android("com.tencent.mm", is_app("wechat", "impostor"), is_app("wechat-pay", "impostor"), signing="invalid")
    about = "The genuine certificate of WeChat, with our public key and our signature."
    yield Sample("android/wechat-pasted-certificate.apk", about, lambda: pasted_certificate(vendor_key=False), (seen,))
    about = "The genuine certificate and public key of WeChat, with our signature."
    yield Sample("android/wechat-pasted-public-key.apk", about, lambda: pasted_certificate(vendor_key=True), (seen,))


FAMILIES = (schemes, other_signers, broken, pasted)
