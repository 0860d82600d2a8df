"""A signer is known again through renewed certificates and rotated keys, in whole signed APKs."""

from __future__ import annotations

import datetime
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from auditor import Audit, Run
from auditor.formats.certificate import parse_certificate
from auditor.model import FactKind, Grade, Subject
from tests.builders.apk_signatures import LINEAGE, V2, V3, Draft, Identity, identity, lineage, sign_apk
from tests.builders.apps import declared, dex, members_of, put
from tests.builders.extractions import app_id, catalog, certificate, subject

FILES = {"AndroidManifest.xml": declared("com.pay", version=7), "classes.dex": dex("com.pay.Main")}


def known(name: str, kind: str = "ec") -> Identity:
    """One identity, asked for in one way only: another way would make another key."""
    return identity(name, kind)


@cache
def renewed(name: str, kind: str = "ec") -> Identity:
    """The same key under a certificate of its own."""
    who = known(name, kind)
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name}, renewed")])
    start = datetime.datetime(2030, 1, 1)
    builder = x509.CertificateBuilder(named, named, who.key.public_key(), 4712, start, start.replace(year=2060))
    der = builder.sign(who.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    return replace(who, certificate=der)


def reference(name: str, kind: str = "ec") -> Subject:
    """A subject known by the whole certificate of one identity."""
    signer = parse_certificate(known(name, kind).certificate)
    digests = {"sha256": signer.sha256, "spki_sha256": signer.public_key_sha256, "rsa_modulus": signer.rsa_modulus}
    entry = certificate(name, **digests)
    return subject("pay", [app_id("com.pay", certificates=(entry.id,))], [entry])


def audited(folder: Path, data: bytes, who: Subject) -> Audit:
    (audit,) = Run([put(folder, {"a.apk": data}) / "a.apk"], catalog([who]), date(2026, 11, 1))
    return audit


def graded(audit: Audit) -> tuple[Grade, str]:
    (match,) = [item for answer in audit.answers for item in answer.matches]
    return match.grade, match.detail


def rotated(*chain: Identity) -> bytes:
    """An APK signed by the last of the chain, with the proof that each vouches for the next."""
    signer = Draft(chain[-1], min_sdk=28, attributes=[(LINEAGE, lineage(*chain))])
    return sign_apk({V3: [signer]}, members_of(FILES))


@pytest.mark.parametrize("kind", ["ec", "rsa"])
class TestRenewal:
    def test_the_same_key_under_another_certificate_is_the_signer(self, kind: str, tmp_path: Path) -> None:
        data = sign_apk({V2: [Draft(renewed("first", kind))]}, members_of(FILES))
        grade, detail = graded(audited(tmp_path, data, reference("first", kind)))
        assert grade is Grade.VERIFIED
        assert detail == "signed by the key of cert-first: same key, renewed certificate"

    def test_another_key_under_the_same_name_is_an_impostor(self, kind: str, tmp_path: Path) -> None:
        data = sign_apk({V2: [Draft(renewed("second", kind))]}, members_of(FILES))
        assert graded(audited(tmp_path, data, reference("first", kind)))[0] is Grade.IMPOSTOR

    def test_the_certificate_of_the_reference_with_the_key_of_another_is_an_impostor(
        self, kind: str, tmp_path: Path
    ) -> None:
        forged = replace(known("second", kind), certificate=known("first", kind).certificate)
        data = sign_apk({V2: [Draft(forged)]}, members_of(FILES))
        assert graded(audited(tmp_path, data, reference("first", kind)))[0] is Grade.IMPOSTOR


class TestRotation:
    @pytest.mark.parametrize("name", ["oldest", "middle", "newest"])
    def test_a_reference_anywhere_in_the_lineage_vouches_for_the_signer(self, name: str, tmp_path: Path) -> None:
        data = rotated(*(known(each) for each in ("oldest", "middle", "newest")))
        assert graded(audited(tmp_path, data, reference(name)))[0] is Grade.VERIFIED

    def test_a_renewed_certificate_in_the_middle_vouches_too(self, tmp_path: Path) -> None:
        data = rotated(known("oldest"), renewed("middle"), known("newest"))
        assert graded(audited(tmp_path, data, reference("middle"))) == (
            Grade.VERIFIED,
            "signed by a key that cert-middle vouches for (rotation); same key, renewed certificate",
        )

    def test_a_key_outside_the_lineage_vouches_for_nobody(self, tmp_path: Path) -> None:
        data = rotated(known("oldest"), known("newest"))
        assert graded(audited(tmp_path, data, reference("middle")))[0] is Grade.IMPOSTOR


def test_the_key_of_the_signer_is_a_fact(tmp_path: Path) -> None:
    data = sign_apk({V2: [Draft(renewed("first"))]}, members_of(FILES))
    audit = audited(tmp_path, data, reference("first"))
    (signers,) = audit.extraction.of(FactKind.SIGNER)
    key = parse_certificate(known("first").certificate).public_key_sha256
    assert f"spki-sha256:{key}" in signers.values
    (match,) = [item for answer in audit.answers for item in answer.matches]
    assert [fact.value for fact in match.hits[1].facts] == [f"spki-sha256:{key}"]
