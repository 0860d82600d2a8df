"""What the search hands to the extractors: the bytes that belong to one app, not yet read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from auditor.containers.member import Budget, Member
from auditor.model import Origin, Problem


@dataclass(frozen=True, slots=True)
class AndroidSet:
    """A base APK with the splits that belong to it."""

    origin: Origin
    apks: tuple[Member, ...]
    """Base first where there is one."""
    budget: Budget
    problems: tuple[Problem, ...] = ()
    """Members of the set that could not be read as APKs."""
    expansions: tuple[Member, ...] = ()
    """Expansion files (.obb) that are delivered with the APKs."""
    compiled: tuple[Member, ...] = ()
    """Compiled code (.vdex, .odex, .oat) that lies beside the APKs; read for those that carry no DEX themselves."""
    parent: Origin | None = None
    depth: int = 0
    """Containers around the APKs."""


@dataclass(frozen=True, slots=True)
class AndroidBundle:
    """An Android App Bundle (.aab): modules with protobuf manifests, signed by an upload key."""

    origin: Origin
    file: Member
    budget: Budget
    parent: Origin | None = None
    depth: int = 0


@dataclass(frozen=True, slots=True)
class IosBundle:
    """An application bundle, packed (.ipa, .app.zip) or as a folder."""

    origin: Origin
    members: Mapping[str, Member]
    """Paths relative to the bundle (the folder that holds Info.plist), ascending."""
    budget: Budget
    whole: Member | None = None
    """The archive, where it holds just this app."""
    store_record: Member | None = None
    """iTunesMetadata.plist beside Payload."""
    problems: tuple[Problem, ...] = ()
    """What the archive around the bundle could not list."""
    parent: Origin | None = None
    depth: int = 0


Candidate = AndroidSet | AndroidBundle | IosBundle
