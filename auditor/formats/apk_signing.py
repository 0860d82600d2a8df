"""Says who signed an APK as a current Android would see it, and which scheme each SDK level trusts.

Specification: https://source.android.com/docs/security/features/apksigning; the choice among schemes is that of
android.util.apk.ApkSignatureVerifier: the newest scheme a level knows counts, and a broken one is never passed over.
Not read: scheme v4 (an .idsig beside the APK); scheme v3.2 beyond its presence; source stamps; the lowest scheme that
targetSdkVersion 30 or targetSandboxVersion 2 demands
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from auditor.errors import FormatError
from auditor.formats.blob import Blob
from auditor.formats.block_signing import Contents, claimed_signers, verify_v2, verify_v3
from auditor.formats.jar_signing import has_jar_signature, verify_jar
from auditor.formats.signing_block import (
    SCHEME_NAMES,
    V2_ID,
    V3_ID,
    V31_ID,
    V32_ID,
    BlockSigner,
    SigningBlock,
    find_signing_block,
    parse_signers,
)
from auditor.formats.zip import Archive
from auditor.limits import DEFAULT, Limits
from auditor.model import Signing, SigningState

CURRENT_SDK = 36
"""The platform whose view counts: Android 16."""

_LOCAL_HEADER = b"PK\x03\x04"
_PREFIXED = Signing(
    SigningState.INVALID, "v1", detail="bytes stand before the archive, which no signature of the members covers"
)
"""Scheme v1 signs members, not the file; since CVE-2017-13156 the platform refuses a file that begins otherwise."""

_V2_SDK = 24
_V3_SDK = 28
_V31_SDK = 33


@dataclass(frozen=True, slots=True)
class _Present:
    """The schemes of one APK, parsed where they can be."""

    jar: bool
    block: SigningBlock | None
    signers: dict[int, tuple[BlockSigner, ...]]
    faults: dict[int, str]
    """Why a scheme could not be parsed, by its id."""

    def has(self, identifier: int) -> bool:
        """Tell whether a scheme is there, parsed or not."""
        return identifier in self.signers or identifier in self.faults

    def names(self) -> tuple[str, ...]:
        """Return every scheme found, oldest first."""
        return ("v1",) * self.jar + tuple(name for key, name in SCHEME_NAMES.items() if self.has(key))

    def scheme_at(self, sdk: int) -> str | None:
        """Return the scheme a platform of this SDK level trusts."""
        if sdk >= _V31_SDK and self.has(V31_ID):
            meant = (signer.min_sdk <= sdk <= signer.max_sdk for signer in self.signers.get(V31_ID, ()))
            if V31_ID in self.faults or any(meant):
                return "v3.1"
        if sdk >= _V3_SDK and self.has(V3_ID):
            return "v3"
        if sdk >= _V2_SDK and self.has(V2_ID):
            return "v2"
        return "v1" if self.jar else None


def read_signing(
    data: Blob, archive: Archive, min_sdk: int | None = None, limits: Limits = DEFAULT
) -> tuple[Signing, tuple[str, ...]]:
    """Verify the scheme a current platform trusts and say which one every SDK level trusts.

    The second value are warnings. Nothing is raised: a faulty signature is a state. The signers of a signature that is
    not verified are those it claims, and prove nothing.
    """
    warnings: list[str] = []
    present = _find_schemes(data, archive, limits, warnings)
    scheme = present.scheme_at(CURRENT_SDK)
    if scheme is None:
        signing = _without_scheme(present)
    elif scheme == "v1":
        signing = verify_jar(archive, limits) if bytes(data[:4]) == _LOCAL_HEADER else _PREFIXED
    else:
        signing = _verify_block_scheme(data, archive, present, scheme, limits)
    if present.has(V32_ID):
        warnings.append("scheme v3.2 is present; it is recognised, not verified, and current platforms ignore it")
    if present.has(V31_ID) and not present.has(V3_ID):
        warnings.append("scheme v3.1 is present without scheme v3; only Android 13 and later take such an APK")
    warnings.extend(_strangers(present, signing, limits))
    return replace(signing, present=present.names(), trusted=_trusted(present, min_sdk)), tuple(warnings)


def _find_schemes(data: Blob, archive: Archive, limits: Limits, warnings: list[str]) -> _Present:
    """Find every scheme; one that cannot be parsed counts as present, because the platform then refuses the APK."""
    signers: dict[int, tuple[BlockSigner, ...]] = {}
    faults: dict[int, str] = {}
    try:
        block = find_signing_block(data, archive, limits)
    except FormatError as error:
        faults[V2_ID] = str(error)
        block = None
    if block is not None:
        warnings.extend(block.warnings)
        for identifier, value in block.schemes.items():
            try:
                signers[identifier] = () if identifier == V32_ID else parse_signers(value, identifier, limits)
            except FormatError as error:
                faults[identifier] = str(error)
    return _Present(has_jar_signature(archive), block, signers, faults)


def _without_scheme(present: _Present) -> Signing:
    """Describe an APK that a current platform finds unsigned."""
    if present.has(V32_ID):
        return Signing(SigningState.UNVERIFIABLE, "v3.2", detail="only scheme v3.2 is present, which is not verified")
    return Signing(SigningState.MISSING, detail="no signature was found")


def _verify_block_scheme(data: Blob, archive: Archive, present: _Present, scheme: str, limits: Limits) -> Signing:
    """Verify one of the schemes in the signing block."""
    identifier = next(key for key, name in SCHEME_NAMES.items() if name == scheme)
    if identifier in present.faults or present.block is None:
        return Signing(SigningState.INVALID, scheme, detail=present.faults.get(identifier, "the block is unreadable"))
    contents = Contents(data, archive, present.block.offset)
    signers = present.signers[identifier]
    if identifier == V2_ID:
        return verify_v2(contents, signers, limits)
    levels = [signer.min_sdk for signer in present.signers.get(V31_ID, ())]
    return verify_v3(contents, signers, CURRENT_SDK, scheme, min(levels, default=None), limits)


def _trusted(present: _Present, min_sdk: int | None) -> tuple[tuple[int, str], ...]:
    """Return where the trusted scheme changes, from the lowest level the app runs on."""
    lowest = min_sdk or 0
    levels = {lowest, _V2_SDK, _V3_SDK, _V31_SDK}
    for signer in present.signers.get(V31_ID, ()):
        levels.update((signer.min_sdk, signer.max_sdk + 1))
    changes: list[tuple[int, str]] = []
    for level in sorted(level for level in levels if lowest <= level < 0x7FFFFFFF):
        scheme = present.scheme_at(level)
        if scheme is not None and (not changes or changes[-1][1] != scheme):
            changes.append((level, scheme))
    return tuple(changes)


def _strangers(present: _Present, signing: Signing, limits: Limits) -> list[str]:
    """Warn where an older scheme names other signers than the trusted one and its lineage."""
    known = {signer.sha256 for signer in (*signing.signers, *signing.lineage)}
    found = []
    for identifier in (V2_ID, V3_ID):
        claimed = {signer.sha256 for signer in claimed_signers(present.signers.get(identifier, ()), limits)}
        if known and claimed and not claimed & known:
            found.append(f"scheme {SCHEME_NAMES[identifier]} names another signer than scheme {signing.scheme}")
    return found
