"""Second opinions on APK signatures: Android's own apksigner, and androguard."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from auditor.formats.apk_signing import read_signing
from auditor.formats.zip import parse_zip
from auditor.model import Signing, SigningState
from tests.builders import apk_signatures as sign
from tests.builders.apk_signatures import V2, V3, Draft, Identity, Jar, identity, lineage, sign_apk
from tests.builders.zips import Member, build_zip

pytestmark = [
    pytest.mark.tools,
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("apksigner") is None, reason="apksigner is not installed"),
]

# apksigner reads the lowest SDK level from the manifest unless it is told, but wants a manifest to be there.
MEMBERS = (Member(b"AndroidManifest.xml", b"not parsed" * 30), Member(b"classes.dex", bytes(5000), 0))


def run(*arguments: str | Path) -> str:
    """Run apksigner and return what it says; a refusal is no failure."""
    command = ["apksigner", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    return done.stdout + done.stderr


def key_files(folder: Path, who: Identity) -> tuple[str, Path, str, Path]:
    """Write key and certificate where apksigner reads them."""
    key, certificate = folder / f"{who.sha256[:8]}.pk8", folder / f"{who.sha256[:8]}.der"
    der, pkcs8 = serialization.Encoding.DER, serialization.PrivateFormat.PKCS8
    key.write_bytes(who.key.private_bytes(der, pkcs8, serialization.NoEncryption()))
    certificate.write_bytes(who.certificate)
    return "--key", key, "--cert", certificate


def signing_of(path: Path) -> Signing:
    data = path.read_bytes()
    return read_signing(data, parse_zip(data))[0]


def certificates_of(said: str) -> list[str]:
    return re.findall(r"Signer #\d+ certificate SHA-256 digest: ([0-9a-f]{64})", said)


@pytest.fixture
def unsigned(tmp_path: Path) -> Path:
    path = tmp_path / "unsigned.apk"
    path.write_bytes(build_zip(*MEMBERS))
    return path


class TestWhatApksignerSigns:
    @pytest.mark.parametrize(
        ("kind", "schemes", "present"),
        [
            ("rsa", (True, False, False), ("v1",)),
            ("ec", (True, True, False), ("v1", "v2")),
            ("rsa", (False, False, True), ("v3",)),
            ("ec", (True, True, True), ("v1", "v2", "v3")),
        ],
    )
    def test_it_is_verified_here(
        self, tmp_path: Path, unsigned: Path, kind: str, schemes: Sequence[bool], present: tuple[str, ...]
    ) -> None:
        who, out = identity("first", kind), tmp_path / "signed.apk"
        switches = [f"--v{number}-signing-enabled={str(on).lower()}" for number, on in enumerate(schemes, 1)]
        min_sdk = ("--min-sdk-version", "21" if schemes[0] else "28")
        said = run("sign", *key_files(tmp_path, who), *switches, *min_sdk, "--out", out, unsigned)
        assert out.exists(), said
        signing = signing_of(out)
        assert (signing.state, signing.detail, signing.present) == (SigningState.VERIFIED, "", present)
        assert [signer.sha256 for signer in signing.signers] == [who.sha256]

    def test_its_rotation_is_verified_here(self, tmp_path: Path, unsigned: Path) -> None:
        chain = [identity("one", "rsa"), identity("two"), identity("three", "rsa")]
        keys = [key_files(tmp_path, who) for who in chain]
        proof, out = tmp_path / "lineage", tmp_path / "signed.apk"
        said = run("rotate", "--out", proof, "--old-signer", *keys[0], "--new-signer", *keys[1])
        said += run("rotate", "--in", proof, "--out", proof, "--old-signer", *keys[1], "--new-signer", *keys[2])
        signers = (*keys[0], "--next-signer", *keys[1], "--next-signer", *keys[2])
        said += run("sign", *signers, "--lineage", proof, "--min-sdk-version", "28", "--out", out, unsigned)
        assert out.exists(), said
        signing = signing_of(out)
        assert (signing.state, signing.detail) == (SigningState.VERIFIED, "")
        assert [signer.sha256 for signer in signing.signers] == [chain[2].sha256]
        assert [signer.sha256 for signer in signing.lineage] == [who.sha256 for who in chain]


def wrong_signature(_: int, signature: bytes) -> bytes:
    return signature[:-1] + bytes([signature[-1] ^ 1])


CASES = {
    "v1": build_zip(*Jar([identity()]).members(MEMBERS)),
    "v1 with signed attributes": build_zip(*Jar([identity("first", "rsa")], attributes=True).members(MEMBERS)),
    "v1 in sections": build_zip(*Jar([identity()], whole_digest=False).members(MEMBERS)),
    "v1 of two": build_zip(*Jar([identity(), identity("second", "rsa")]).members(MEMBERS)),
    "v1 not covering all": build_zip(*Jar([identity()], covered=lambda name: name != b"classes.dex").members(MEMBERS)),
    "v1 stripped": build_zip(*Jar([identity()], main=b"X-Android-APK-Signed: 2\r\n").members(MEMBERS)),
    "v1 changed": build_zip(*Jar([identity()], change_signature_file=lambda data: data + b"\n").members(MEMBERS)),
    "v2": sign_apk({V2: [Draft(identity())]}, MEMBERS),
    "v2 of two": sign_apk({V2: [Draft(identity()), Draft(identity("second", "rsa"))]}, MEMBERS),
    "v2 verity": sign_apk({V2: [Draft(identity(), (sign.EC_VERITY,))]}, MEMBERS, page=4096),
    "v2 wrong key": sign_apk({V2: [Draft(identity(), public_key=identity("second").key_info)]}, MEMBERS),
    "v2 wrong signature": sign_apk({V2: [Draft(identity(), change_signature=wrong_signature)]}, MEMBERS),
    "v2 wrong digest": sign_apk({V2: [Draft(identity(), change_digest=lambda _, d: bytes(len(d)))]}, MEMBERS),
    "v2 stripped": sign_apk({V2: [Draft(identity(), attributes=[(sign.STRIPPED, b"\3\0\0\0")])]}, MEMBERS),
    "v3": sign_apk({V3: [Draft(identity(), min_sdk=24)]}, MEMBERS),
    "v3 other levels signed": sign_apk({V3: [Draft(identity(), min_sdk=24, signed_levels=(26, 2**31 - 1))]}, MEMBERS),
    "v3 unsigned": build_zip(*MEMBERS),
    "v3 lineage": sign_apk(
        {V3: [Draft(identity(), min_sdk=24, attributes=[(sign.LINEAGE, lineage(identity("one", "rsa"), identity()))])]},
        MEMBERS,
    ),
    "v3 forged lineage": sign_apk(
        {
            V3: [
                Draft(
                    identity(),
                    min_sdk=24,
                    attributes=[(sign.LINEAGE, lineage(identity("one", "rsa"), identity(), wrong_parent=1))],
                )
            ]
        },
        MEMBERS,
    ),
}


class TestWhatIsSignedHere:
    # Scheme v3 and verity digests are known from SDK 28 on.
    @pytest.mark.parametrize("case", CASES)
    def test_apksigner_agrees(self, tmp_path: Path, case: str) -> None:
        path = tmp_path / "case.apk"
        path.write_bytes(CASES[case])
        lowest = "28" if case.startswith("v3") or "verity" in case else "24"
        said = run("verify", "-v", "--print-certs", "--min-sdk-version", lowest, "--max-sdk-version", "34", path)
        signing = signing_of(path)
        assert ("Verifies" in said.splitlines()) == (signing.state is SigningState.VERIFIED), said
        if signing.state is SigningState.VERIFIED:
            assert certificates_of(said) == [signer.sha256 for signer in signing.signers]

    @pytest.mark.parametrize("case", ["v2", "v2 of two", "v3", "v3 lineage"])
    def test_androguard_sees_the_same_certificates(self, case: str) -> None:
        from androguard.core.apk import APK

        data = CASES[case]
        apk = APK(data, raw=True, skip_analysis=True)
        seen = apk.get_certificates_der_v2() if case.startswith("v2") else apk.get_certificates_der_v3()
        claimed = read_signing(data, parse_zip(data))[0].signers
        assert {signer.sha256 for signer in claimed} == {hashlib.sha256(der).hexdigest() for der in seen}
