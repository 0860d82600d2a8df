"""Finds the values that only one SDK has: its builds, minus unrelated code, minus every other SDK."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from auditor.model import FactKind, LearnedBuild, LearnedGroup, LearnedRole, LearnedSet, Tier

_SHORTEST = 6
"""Characters: shorter strings are words that anybody writes."""
_SHORTEST_OWN = 10
"""The same for values that are to prove something."""
_PLAIN_PER_GROUP = 150
"""Values that name nobody, of one set of builds; the longest are kept, the least likely to be written twice."""
_LONGEST = 300
"""Longer strings are tables and scripts, which change with every build."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a set is learned from."""

    signature: str
    kind: FactKind
    marks: tuple[str, ...]
    """Words, lower case, that make a value strong."""
    protocol: tuple[str, ...]
    """Words, lower case, that make it shared: keys and addresses which every speaker of the protocol must have."""
    builds: Sequence[tuple[LearnedBuild, frozenset[str]]]
    """Each binary of the SDK with its values, oldest first."""
    background: Collection[str] = frozenset()
    """Values of unrelated binaries and of the other SDKs; none of them can be learned."""
    shared: Collection[str] = frozenset()
    """Values of code that speaks the same protocol, or of other SDKs that bundle the same code."""


def learn(lesson: Lesson) -> LearnedSet:
    """The learned set of an SDK; deterministic.

    A value that names nobody is kept only where two builds have it, if there are three or more to choose from: what
    one build alone has tells more of that build than of the SDK.
    """
    homes: dict[str, list[int]] = {}
    for number, (_, values) in enumerate(lesson.builds):
        for value in values:
            homes.setdefault(value, []).append(number)
    groups: dict[tuple[LearnedRole, tuple[int, ...]], list[str]] = {}
    least = 2 if len(lesson.builds) > 2 else 1
    for value, numbers in homes.items():
        role = _role(value, lesson)
        if role is None or (role is LearnedRole.PLAIN and len(numbers) < least):
            continue
        groups.setdefault((role, tuple(numbers)), []).append(value)
    order = sorted(groups, key=lambda key: (list(LearnedRole).index(key[0]), -len(key[1]), key[1]))
    return LearnedSet(
        signature=lesson.signature,
        kind=lesson.kind,
        marks=lesson.marks,
        protocol=lesson.protocol,
        background=len(lesson.background),
        builds=tuple(build for build, _ in lesson.builds),
        groups=tuple(
            LearnedGroup(role, numbers, _kept(role, lesson.kind, groups[role, numbers])) for role, numbers in order
        ),
    )


def _kept(role: LearnedRole, kind: FactKind, values: list[str]) -> tuple[str, ...]:
    if role is LearnedRole.PLAIN and kind.tier is Tier.LITERAL:
        values = sorted(values, key=lambda value: (-len(value), value))[:_PLAIN_PER_GROUP]
    return tuple(sorted(values))


def _role(value: str, lesson: Lesson) -> LearnedRole | None:
    if not _SHORTEST <= len(value) <= _LONGEST or not value.isprintable() or value in lesson.background:
        return None
    lower = value.lower()
    if any(mark in lower for mark in lesson.protocol):
        return LearnedRole.SHARED
    marked = any(mark in lower for mark in lesson.marks)
    if value in lesson.shared:
        return LearnedRole.SHARED if marked else None
    if len(value) < _SHORTEST_OWN:
        return None
    return LearnedRole.STRONG if marked else LearnedRole.PLAIN


def render_learned(found: LearnedSet) -> str:
    """The TOML text of a learned set, as ``signatures/learned`` keeps it."""
    lines = [
        "# Learned from the builds below; written by `auditor signatures learn`, not by hand.",
        f"signature = {_quoted(found.signature)}",
        f"kind = {_quoted(found.kind.value)}",
        f"marks = [{', '.join(map(_quoted, found.marks))}]",
        f"protocol = [{', '.join(map(_quoted, found.protocol))}]",
        f"background = {found.background}",
    ]
    for build in found.builds:
        lines += ["", "[[build]]", f"version = {_quoted(build.version)}", f"package = {_quoted(build.package)}"]
        lines.append(f"sha256 = {_quoted(build.sha256)}")
    for group in found.groups:
        lines += ["", "[[group]]", f"role = {_quoted(group.role.value)}"]
        lines += [f"builds = [{', '.join(map(str, group.builds))}]", "values = [", *_listed(group.values), "]"]
    return "\n".join(lines) + "\n"


def _listed(values: Iterable[str]) -> Iterable[str]:
    return (f"  {_quoted(value)}," for value in values)


def _quoted(text: str) -> str:
    """A TOML basic string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
