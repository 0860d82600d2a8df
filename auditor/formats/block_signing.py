"""Verifies APK signature schemes v2, v3 and v3.1 and proofs of rotation with the rules of Android's own verifiers.

Specification: https://source.android.com/docs/security/features/apksigning/v2#verification and /v3#verification.
Not read: scheme v3.2; scheme v4; capabilities in a proof of rotation; rotation meant for development releases
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from auditor.errors import FormatError, UnsupportedError
from auditor.formats.blob import Blob
from auditor.formats.certificate import is_same_key, parse_certificate, public_key_info
from auditor.formats.content_digest import chunked_digest, verity_digest
from auditor.formats.public_key import Padding, is_signature_valid
from auditor.formats.signing_block import (
    PROOF_OF_ROTATION,
    ROTATION_MIN_SDK,
    STRIPPING_PROTECTION,
    BlockSigner,
    parse_lineage,
)
from auditor.formats.zip import Archive
from auditor.limits import DEFAULT, Limits
from auditor.model import Signer, Signing, SigningState

_VERITY = "verity"

# id: how the signed data is signed, with which digest, and how the contents are digested.
_ALGORITHMS = {
    0x0101: (Padding.PSS, "sha256", "sha256"),
    0x0102: (Padding.PSS, "sha512", "sha512"),
    0x0103: (Padding.PKCS1, "sha256", "sha256"),
    0x0104: (Padding.PKCS1, "sha512", "sha512"),
    0x0201: (Padding.ECDSA, "sha256", "sha256"),
    0x0202: (Padding.ECDSA, "sha512", "sha512"),
    0x0301: (Padding.DSA, "sha256", "sha256"),
    0x0421: (Padding.PKCS1, "sha256", _VERITY),
    0x0423: (Padding.ECDSA, "sha256", _VERITY),
    0x0425: (Padding.DSA, "sha256", _VERITY),
}
_STRENGTH = {"sha256": 0, _VERITY: 1, "sha512": 2}
"""Which digest the platform prefers."""


@dataclass(frozen=True, slots=True)
class Contents:
    """The bytes the schemes protect; each digest over them is computed at most once."""

    data: Blob = field(repr=False)
    archive: Archive = field(repr=False)
    block_offset: int
    _digests: dict[str, bytes] = field(default_factory=dict, repr=False)

    def digest(self, kind: str) -> bytes:
        """Return the digest of one kind: sha256, sha512 or verity.

        Raises:
            FormatError: the block lies where a verity digest cannot be computed.
        """
        if kind not in self._digests:
            directory, end = self.archive.central_directory_offset, self.archive.end_offset
            if kind == _VERITY:
                self._digests[kind] = verity_digest(self.data, self.block_offset, directory, end)
            else:
                self._digests[kind] = chunked_digest(self.data, self.block_offset, directory, end, kind)
        return self._digests[kind]


def verify_v2(contents: Contents, signers: Sequence[BlockSigner], limits: Limits = DEFAULT) -> Signing:
    """Verify scheme v2: every signer has to hold. Call it only where the platform finds no scheme v3."""
    try:
        if not signers:
            raise FormatError("scheme v2 is present and has no signers")
        for signer in signers:
            _verify_signer(contents, signer)
            named = signer.attribute(STRIPPING_PROTECTION)
            if named is not None and len(named) >= 4 and struct.unpack_from("<I", named)[0] == 3:
                raise FormatError("scheme v2 says that scheme v3 signs this APK too, but it was stripped")
    except FormatError as error:
        return _failed(error, "v2", signers, limits)
    return _verified("v2", [signer.certificates[0] for signer in signers], (), limits)


def verify_v3(
    contents: Contents,
    signers: Sequence[BlockSigner],
    sdk: int,
    scheme: str = "v3",
    rotation_min_sdk: int | None = None,
    limits: Limits = DEFAULT,
) -> Signing:
    """Verify scheme v3 or v3.1 as the platform of one SDK level does: exactly one signer is meant for it.

    ``rotation_min_sdk`` is the lowest level of the signers of scheme v3.1 if that is present; scheme v3 may demand one.
    """
    meant = [signer for signer in signers if signer.min_sdk <= sdk <= signer.max_sdk]
    lineage: tuple[bytes, ...] = ()
    try:
        if len(meant) != 1:
            raise FormatError(f"scheme {scheme} has {len(meant)} signers for SDK {sdk}, not one")
        signer = meant[0]
        _verify_signer(contents, signer)
        if (signer.min_sdk, signer.max_sdk) != (signer.signed_min_sdk, signer.signed_max_sdk):
            raise FormatError(f"scheme {scheme} gives SDK levels that differ from the signed ones")
        if scheme == "v3":
            _check_rotation_target(signer, rotation_min_sdk)
        proof = signer.attribute(PROOF_OF_ROTATION)
        if proof is not None:
            lineage = _verify_lineage(proof, signer.certificates[0], limits)
    except FormatError as error:
        return _failed(error, scheme, meant or signers, limits)
    return _verified(scheme, [signer.certificates[0]], lineage, limits)


def _verified(scheme: str, certificates: list[bytes], lineage: tuple[bytes, ...], limits: Limits) -> Signing:
    """Describe a signature that holds."""
    try:
        signers = tuple(parse_certificate(certificate, limits) for certificate in certificates)
        earlier = tuple(parse_certificate(certificate, limits) for certificate in lineage)
    except FormatError as error:
        return Signing(SigningState.UNVERIFIABLE, scheme, detail=str(error))
    return Signing(SigningState.VERIFIED, scheme, signers, earlier)


def _failed(error: FormatError, scheme: str, signers: Sequence[BlockSigner], limits: Limits) -> Signing:
    """Describe a signature that does not hold, with the signers it claims."""
    state = SigningState.UNVERIFIABLE if isinstance(error, UnsupportedError) else SigningState.INVALID
    return Signing(state, scheme, claimed_signers(signers, limits), detail=str(error))


def claimed_signers(signers: Sequence[BlockSigner], limits: Limits = DEFAULT) -> tuple[Signer, ...]:
    """Return the signers a scheme names, unverified; those that cannot be read are left out."""
    claimed: list[Signer] = []
    for signer in signers:
        try:
            claimed.extend(parse_certificate(certificate, limits) for certificate in signer.certificates[:1])
        except FormatError:
            continue
    return tuple(dict.fromkeys(claimed))


def _verify_signer(contents: Contents, signer: BlockSigner) -> None:
    """Check one signer: its strongest signature, its certificate, its content digest.

    Raises:
        UnsupportedError: no signature of it is of a kind that can be checked.
        FormatError: it does not hold.
    """
    if not signer.signatures:
        raise FormatError("a signer has no signatures")
    known = [(identifier, value) for identifier, value in signer.signatures if identifier in _ALGORITHMS]
    if not signer.certificates:
        raise FormatError("a signer has no certificate")
    if not is_same_key(public_key_info(signer.certificates[0]), signer.public_key):
        raise FormatError("the public key of a signer is not that of its certificate")
    if not known:
        listed = ", ".join(f"{identifier:#x}" for identifier, _ in signer.signatures[:5])
        raise UnsupportedError(f"a signer has only signatures of unknown algorithms ({listed})")
    best, signature = max(known, key=lambda item: _STRENGTH[_ALGORITHMS[item[0]][2]])
    padding, digest, kind = _ALGORITHMS[best]
    if not is_signature_valid(signer.public_key, padding, digest, signature, signer.signed_data):
        raise FormatError("the signature over the signed data does not hold")
    if [identifier for identifier, _ in signer.signatures] != [identifier for identifier, _ in signer.digests]:
        raise FormatError("the algorithms of a signer's signatures and digests differ")
    expected = {value for identifier, value in signer.digests if _kind(identifier) == kind}
    if len(expected) != 1:
        raise FormatError("a signer gives two different digests of the same kind")
    if contents.digest(kind) != expected.pop():
        raise FormatError("the APK differs from what was signed")


def _kind(identifier: int) -> str:
    """Return how an algorithm digests the contents."""
    return _ALGORITHMS[identifier][2] if identifier in _ALGORITHMS else ""


def _check_rotation_target(signer: BlockSigner, rotation_min_sdk: int | None) -> None:
    """Check that scheme v3.1 was not stripped where the signer of scheme v3 announces it."""
    announced = signer.attribute(ROTATION_MIN_SDK)
    if announced is None:
        return
    if len(announced) < 4:
        raise FormatError("the SDK level announced for rotation is cut off")
    if rotation_min_sdk is None:
        raise FormatError("scheme v3 says that scheme v3.1 signs this APK too, but it was stripped")
    if struct.unpack_from("<I", announced)[0] != rotation_min_sdk:
        raise FormatError("scheme v3 announces rotation for another SDK level than scheme v3.1 has")


def _verify_lineage(proof: bytes, current: bytes, limits: Limits) -> tuple[bytes, ...]:
    """Check a proof of rotation level by level and return its certificates, oldest first.

    Raises:
        UnsupportedError: a level is signed in a way that cannot be checked.
        FormatError: a level is not vouched for by the one before, or the last is not the signer.
    """
    certificates: list[bytes] = []
    parent_algorithm = 0
    for rotation in parse_lineage(proof, limits):
        if certificates:
            if rotation.signed_algorithm != parent_algorithm:
                raise FormatError("the proof of rotation names two algorithms for one level")
            if parent_algorithm not in _ALGORITHMS:
                raise UnsupportedError(f"the proof of rotation uses the unknown algorithm {parent_algorithm:#x}")
            padding, digest, _ = _ALGORITHMS[parent_algorithm]
            key = public_key_info(certificates[-1], limits)
            if not is_signature_valid(key, padding, digest, rotation.signature, rotation.signed_data):
                raise FormatError("a certificate in the proof of rotation is not vouched for by the one before")
        if rotation.certificate in certificates:
            raise FormatError("a certificate comes twice in the proof of rotation")
        certificates.append(rotation.certificate)
        parent_algorithm = rotation.algorithm
    if not certificates or certificates[-1] != current:
        raise FormatError("the proof of rotation does not end with the signer")
    return tuple(certificates)
