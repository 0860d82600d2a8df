"""What was learned from the binaries of an SDK: values that only it has, by the builds that have them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from auditor.model.facts import FactKind


class LearnedRole(StrEnum):
    """How much a learned value proves."""

    STRONG = "strong"
    """Only this SDK has it, and it names the vendor or the protocol."""
    PLAIN = "plain"
    """Only this SDK has it, as far as the background goes; many of them are needed."""
    SHARED = "shared"
    """Code of others has it too: a re-implementation of the protocol, or another SDK of the vendor."""

    @property
    def meaning(self) -> str:
        return _ROLES[self]


_ROLES: dict[LearnedRole, str] = {
    LearnedRole.STRONG: "only this SDK has it, and it names the vendor or the protocol",
    LearnedRole.PLAIN: "only this SDK has it, as far as the background goes; many are needed",
    LearnedRole.SHARED: "code of others has it too: a re-implementation, or another SDK of the vendor",
}


@dataclass(frozen=True, slots=True)
class LearnedBuild:
    """One binary that values were learned from."""

    version: str
    """What the vendor calls it."""
    package: str
    """Package and version it came in, and the file therein."""
    sha256: str


@dataclass(frozen=True, slots=True)
class LearnedGroup:
    """Values of one role that occur in exactly the same builds."""

    role: LearnedRole
    builds: tuple[int, ...]
    """Positions in the builds of the set, ascending."""
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LearnedSet:
    """The values of one fact kind that tell one SDK from everything else, with where they were learned."""

    signature: str
    kind: FactKind
    marks: tuple[str, ...]
    """Words that make a value strong, lower case."""
    protocol: tuple[str, ...]
    """Words that make a value shared, lower case."""
    background: int
    """Distinct values of unrelated binaries that were taken off."""
    builds: tuple[LearnedBuild, ...]
    """Oldest first."""
    groups: tuple[LearnedGroup, ...]

    def values(self, roles: tuple[LearnedRole, ...]) -> tuple[str, ...]:
        """All values of some roles, ascending."""
        return tuple(sorted(value for group in self.groups if group.role in roles for value in group.values))
