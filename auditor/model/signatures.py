"""What the catalog knows: subjects with their ids and signers, and questions about facts."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from auditor.model.apps import Signer
from auditor.model.facts import FactKind, Platform
from auditor.model.learned import LearnedRole, LearnedSet


class Role(StrEnum):
    APP = "app"
    SDK = "sdk"
    VENDOR = "vendor"


class Relation(StrEnum):
    """How an app id relates to its subject; the vocabulary of the reference facts."""

    MAIN = "main"
    VARIANT = "variant"
    HOST_APP = "host_app"
    AFFILIATE_APP = "affiliate_app"
    SAME_VENDOR = "same_vendor"
    HISTORICAL = "historical"
    NOT_THE_APP = "not_the_app"

    @property
    def designates(self) -> bool:
        """True where the id is the designated app itself or the app that contains the designated function."""
        return self in (Relation.MAIN, Relation.VARIANT, Relation.HOST_APP)


class Confidence(StrEnum):
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Grade(StrEnum):
    VERIFIED = "verified"
    CLAIMED = "claimed"
    IMPOSTOR = "impostor"
    SIBLING = "sibling"
    EMBEDDED = "embedded"
    RENAMED = "renamed"
    REIMPLEMENTED = "reimplemented"
    REFERENCED = "referenced"
    MENTIONED = "mentioned"

    @property
    def meaning(self) -> str:
        return _GRADES[self]

    @property
    def is_finding(self) -> bool:
        """Whether the grade counts as a finding by default."""
        return self in FINDING_GRADES


FINDING_GRADES = frozenset({Grade.VERIFIED, Grade.CLAIMED, Grade.IMPOSTOR, Grade.EMBEDDED, Grade.RENAMED})
GRADE_ORDER = tuple(Grade)
"""Strongest first within a role."""

_GRADES: dict[Grade, str] = {
    Grade.VERIFIED: "id and signer match, signature valid",
    Grade.CLAIMED: "the id matches; there is no signer reference to compare with",
    Grade.IMPOSTOR: "the id matches, but the signer is another, or the signature is invalid or missing",
    Grade.SIBLING: "another id with the same signer: the vendor's, not the app",
    Grade.EMBEDDED: "its code, library or framework is inside",
    Grade.RENAMED: "its code is inside under other names",
    Grade.REIMPLEMENTED: "speaks the protocol with foreign code",
    Grade.REFERENCED: "can call or hand over to the app, carries no code of it",
    Grade.MENTIONED: "a weak trace",
}


@dataclass(frozen=True, slots=True)
class Certificate:
    """A reference to compare signers with; at least one digest or the RSA modulus is set."""

    id: str
    label: str
    confidence: Confidence
    sources: tuple[str, ...]
    sha256: str | None = None
    sha1: str | None = None
    md5: str | None = None
    md5_of_hex: str | None = None
    java_hash: str | None = None
    """Arrays.hashCode of the DER bytes as eight hex digits: all that dumpsys shows of a signer. Anybody can collide
    with 32 bits, so it never stands alone."""
    spki_sha256: str | None = None
    """Of the SubjectPublicKeyInfo: what stays when a certificate is renewed for the same key."""
    rsa_modulus: str | None = None
    note: str = ""

    def matches(self, signer: Signer) -> bool:
        """Compare by the strongest value this reference has."""
        for mine, theirs in (
            (self.sha256, signer.sha256),
            (self.sha1, signer.sha1),
            (self.md5, signer.md5),
            (self.md5_of_hex, signer.md5_of_hex),
        ):
            if mine is not None:
                return mine == theirs
        return self.shares_key(signer)

    def shares_key(self, signer: Signer) -> bool:
        """Whether the signer's public key is this one's, whatever certificate it stands in.

        The modulus decides where it is known: the same key may be encoded in two ways.
        """
        if self.rsa_modulus is not None:
            return self.rsa_modulus == signer.rsa_modulus
        return self.spki_sha256 is not None and self.spki_sha256 == signer.public_key_sha256


@dataclass(frozen=True, slots=True)
class AppId:
    """One id of a subject on one platform."""

    platform: Platform
    value: str | None
    """None where the facts know of the app (a store id, say) but not of its id."""
    relation: Relation
    label: str
    confidence: Confidence
    sources: tuple[str, ...]
    store_ids: tuple[str, ...] = ()
    certificates: tuple[str, ...] = ()
    """Ids of the certificates that are known to sign exactly this id; empty: nothing to compare with."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """A designated app (or the host of one): what policies name and signatures are about."""

    id: str
    name: str
    developer: str
    app_ids: tuple[AppId, ...]
    certificates: tuple[Certificate, ...]
    examples: tuple[Example, ...] = ()
    unknown: tuple[tuple[str, str], ...] = ()
    """(cell, why): what the sources do not know, shown as n/a: android-id, ios-id, signer, android-sdk, ios-sdk."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Clause:
    """A question about facts of one kind: does any of these values occur, at least so often."""

    name: str
    kind: FactKind
    values: tuple[str, ...] = ()
    """Exact values."""
    prefixes: tuple[str, ...] = ()
    """Dotted name or path prefixes; each ends with '.', '/' or '_'."""
    globs: tuple[str, ...] = ()
    """Anchored at both ends; '*' any run of characters, '?' one, [..] a set (fnmatch, case-sensitive)."""
    excluded: tuple[str, ...] = ()
    """Prefixes that do not count although an entry above covers them."""
    at_least: int = 1
    """Distinct values that must be seen."""
    learned: tuple[LearnedRole, ...] = ()
    """Roles of the learned values of this kind that ``values`` was filled with."""
    learned_of: str = ""
    """The signature they were learned for, where it is another one."""
    confidence: Confidence = Confidence.HIGH
    sources: tuple[str, ...] = ()
    value_set: frozenset[str] = field(init=False, repr=False, compare=False)
    """``values`` for quick questions."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "value_set", frozenset(self.values))


@dataclass(frozen=True, slots=True)
class Rule:
    """A grade and the clauses that establish it."""

    grade: Grade
    all_of: tuple[str, ...] = ()
    """Clauses that must all hold."""
    any_of: tuple[str, ...] = ()
    """Clauses of which at least one must hold too; empty: none is needed."""


@dataclass(frozen=True, slots=True)
class Example:
    """A made-up app that a signature must answer in a stated way; run by the tests."""

    name: str
    platform: Platform
    facts: tuple[tuple[FactKind, tuple[str, ...]], ...]
    expect: tuple[tuple[str, Grade], ...]
    """(signature or subject id, grade) pairs that must come out, strongest grade each; none for a near miss."""
    app_id: str = "com.example.app"


@dataclass(frozen=True, slots=True)
class VersionSource:
    """Where an SDK's version stands: the first group of an anchored pattern over values of one kind."""

    kind: FactKind
    pattern: str
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Signature:
    """A question about facts: does an app carry this SDK."""

    id: str
    name: str
    subject: str
    """Whose SDK it is; for role vendor, the designated app whose company makes it."""
    role: Role
    platform: Platform
    vendor: str
    clauses: tuple[Clause, ...]
    rules: tuple[Rule, ...]
    """Strongest first; the first that holds gives the grade."""
    own_apps: tuple[str, ...] = ()
    """App ids in which this code is the app's own and therefore no SDK."""
    functions: tuple[str, ...] = ()
    """What the SDK does: payment, login, share, ..."""
    versions: tuple[VersionSource, ...] = ()
    examples: tuple[Example, ...] = ()
    allows: tuple[str, ...] = ()
    """Other signatures that may fire on this one's examples (it bundles or extends them)."""
    learned: tuple[LearnedSet, ...] = ()
    """What its binaries taught, one set a fact kind."""
    notes: tuple[str, ...] = ()

    @property
    def needs(self) -> frozenset[FactKind]:
        """The kinds that must be readable before a finding grade may be ruled out."""
        wanted: set[str] = set()
        for rule in self.rules:
            if rule.grade.is_finding:
                wanted.update(rule.all_of, rule.any_of)
        return frozenset(clause.kind for clause in self.clauses if clause.name in wanted)
