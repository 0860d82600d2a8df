"""Tells which version of an SDK is inside: what it states itself, else the builds that fit what was seen."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from auditor.model import FactBatch, FactKind, LearnedRole, LearnedSet, Signature, Tier, VersionBasis, VersionSource

Batches = Mapping[FactKind, list[FactBatch]]
_BRANCHES = re.compile(r"\||\)[?*{]|\(\?")
"""What may let a match begin otherwise than the first group does."""
_LITERAL = re.compile(r"[^\\^$.|?*+()\[\]{}]+(?![?*{])")


def read_version(signature: Signature, batches: Batches, *, inferred: bool) -> tuple[str, VersionBasis]:
    """The version of an SDK, and how it is known; ("", UNKNOWN) where nothing tells.

    ``inferred`` allows a range of builds where no version is stated: sensible only where the SDK is inside.
    """
    stated = _stated(signature.versions, batches)
    if stated:
        return stated, VersionBasis.STATED
    fitting = _fitting(signature.learned, batches) if inferred else ""
    return (fitting, VersionBasis.INFERRED) if fitting else ("", VersionBasis.UNKNOWN)


def _stated(sources: Iterable[VersionSource], batches: Batches) -> str:
    """Every version the sources state, ascending, joined by ', '; the first source that answers decides."""
    for source in sources:
        pattern = re.compile(source.pattern)
        prefix = lead_of(source.pattern)
        seen: set[str] = set()
        for item in batches.get(source.kind, ()):
            for value in item.values.with_prefix(prefix):
                result = pattern.fullmatch(value)
                if result is not None:
                    seen.add(result.group(1))
        if seen:
            return ", ".join(sorted(seen, key=_numbers))
    return ""


def lead_of(pattern: str) -> str:
    """The text every match of an anchored pattern begins with: what narrows a sorted table; "" where none is plain."""
    rest = pattern.removeprefix("^")
    if rest.startswith("(") and not _BRANCHES.search(rest):
        rest = rest[1:]
    lead = _LITERAL.match(rest)
    return "" if lead is None else lead.group()


def _numbers(version: str) -> tuple[tuple[int, str], ...]:
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in version.split("."))


def _fitting(learned: Iterable[LearnedSet], batches: Batches) -> str:
    """The known builds next to those that hold every learned value that was seen; "" where all do, or none.

    A shrinker takes values away but adds none, so only what is there tells builds apart, never what is missing. The
    SDK may be a build between two that were learned: the answer reaches from the last one that does not fit before to
    the first one behind. Where no known build fits, nothing is claimed. Only literals that name the SDK are asked: one
    word or class profile that any other code may have would tell builds apart that are the same.
    """
    for item in learned:
        if item.kind.tier is not Tier.LITERAL:
            continue
        fitting = set(range(len(item.builds)))
        for group in item.groups:
            if group.role is not LearnedRole.STRONG:
                continue
            if any(value in found.values for found in batches.get(item.kind, ()) for value in group.values):
                fitting.intersection_update(group.builds)
        if fitting and len(fitting) < len(item.builds):
            before = [build.version for build in item.builds[: min(fitting)]][-1:]
            behind = [build.version for build in item.builds[max(fitting) + 1 :]][:1]
            if before and behind:
                return f"between {before[0]} and {behind[0]}"
            return " ".join([*(f"after {version}" for version in before), *(f"before {version}" for version in behind)])
    return ""
