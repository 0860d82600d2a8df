"""One app: its identity, its signers, its parts, and all that was observed in it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from auditor.model.facts import FactBatch, FactKind, Platform
from auditor.model.origin import Origin
from auditor.model.problems import Problem


class SigningState(StrEnum):
    VERIFIED = "verified"
    UNVERIFIABLE = "present, not verifiable"
    INVALID = "invalid"
    MISSING = "missing"
    RECORDED = "recorded"
    """Told by a record of the device, which checked it when the app was installed; there are no bytes to check here."""
    NOT_CHECKED = "not checked"
    """iOS code signatures and bundles signed by upload keys: nothing to trust here."""


@dataclass(frozen=True, slots=True)
class Signer:
    """One signing certificate; digests are lower-case hex of the DER bytes."""

    sha256: str
    sha1: str
    md5: str
    md5_of_hex: str
    """MD5 of the lower-case hex string of the DER bytes: how some Tencent code pins a signer."""
    subject: str
    public_key_sha256: str
    rsa_modulus: str | None = None
    """Lower-case hex without leading zeros; None for other key types."""
    java_hash: str = ""
    """Arrays.hashCode of the DER bytes, eight hex digits: what dumpsys shows of a signer."""

    def values(self) -> tuple[str, ...]:
        """The SIGNER facts of this certificate."""
        named = (
            ("sha256", self.sha256),
            ("sha1", self.sha1),
            ("md5", self.md5),
            ("md5-of-hex", self.md5_of_hex),
            ("spki-sha256", self.public_key_sha256),
            ("rsa-modulus", self.rsa_modulus),
        )
        return tuple(f"{name}:{value}" for name, value in named if value is not None)


@dataclass(frozen=True, slots=True)
class Signing:
    """Who signed an app, as the platform would see it."""

    state: SigningState
    scheme: str | None = None
    """v1, v2, v3 or v3.1: the scheme a current platform trusts; apple for a code signature."""
    signers: tuple[Signer, ...] = ()
    lineage: tuple[Signer, ...] = ()
    """Earlier signers that a verified proof of rotation vouches for, oldest first, current one last."""
    present: tuple[str, ...] = ()
    """Every scheme found."""
    trusted: tuple[tuple[int, str], ...] = ()
    """(lowest SDK level, scheme trusted from there on), ascending."""
    detail: str = ""


class PartKind(StrEnum):
    BASE = "base"
    SPLIT = "split"
    BUNDLE = "bundle"
    """An .ipa, .app or .aab as a whole."""
    EXTENSION = "extension"
    WATCH = "watch"
    CLIP = "clip"


@dataclass(frozen=True, slots=True)
class Part:
    """One file or bundle an app is made of."""

    kind: PartKind
    name: str
    sha256: str
    """Of the file; of an unpacked bundle, over the sorted relative paths and digests of its files."""
    size: int
    origin: Origin


@dataclass(frozen=True, slots=True)
class App:
    """Identity of one app, known by its bytes (a build) or only by a record (a listing)."""

    platform: Platform
    app_id: str
    """Empty where it could not be read."""
    origin: Origin
    build: str
    """SHA-256 (hex) over the SHA-256 of the parts in sorted order: the key of the same bytes anywhere; empty for a
    listing."""
    version: str = ""
    version_code: str = ""
    label: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    """(locale, label), ascending; locale "" is the default."""
    min_sdk: str = ""
    target_sdk: str = ""
    parts: tuple[Part, ...] = ()
    signing: Signing = Signing(SigningState.MISSING)
    parent: Origin | None = None
    """The app this one is nested in."""
    attributes: tuple[tuple[str, str], ...] = ()
    """Further identity that is shown but not matched: installLocation, team name, store account, seller."""


def build_key(parts: Iterable[Part]) -> str:
    """The key of an app's bytes; a single-part app keeps a key of its own, not the file's digest."""
    digests = sorted(part.sha256 for part in parts)
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Extraction:
    """One app with everything observed in it and everything that could not be."""

    app: App
    facts: tuple[FactBatch, ...] = ()
    problems: tuple[Problem, ...] = ()

    def of(self, kind: FactKind) -> Iterator[FactBatch]:
        """The batches of one kind."""
        return (item for item in self.facts if item.kind is kind)
