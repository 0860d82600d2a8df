"""Which APKs belong together: a base with its splits is one app, wherever the files lie."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from auditor.containers.member import Budget, Member
from auditor.errors import FormatError
from auditor.formats.android_manifest import read_root
from auditor.formats.zip import Archive
from auditor.model import Origin, Problem, ProblemCode
from auditor.platforms.candidate import AndroidSet


@dataclass(frozen=True, slots=True)
class ApkProbe:
    """An APK with just enough read to tell its set."""

    member: Member
    package: str
    """Empty where the manifest could not be read: such an APK stands alone."""
    version_code: str
    split: str
    budget: Budget
    depth: int


def probe_apk(member: Member, archive: Archive, budget: Budget, depth: int) -> ApkProbe:
    """Read the package, version code and split name of one APK."""
    entry = archive.find("AndroidManifest.xml")
    try:
        if entry is None:
            raise FormatError("no AndroidManifest.xml")
        manifest = read_root(archive.read(entry, budget.limits.manifest_size), budget.limits)
    except FormatError:
        return ApkProbe(member, "", "", "", budget, depth)
    return ApkProbe(member, manifest.package, manifest.version_code, manifest.split, budget, depth)


def group_apks(found: Iterable[ApkProbe | Problem], *, bundle: Origin | None = None) -> Iterator[AndroidSet | Problem]:
    """The sets among the APKs of one folder, or of one bundle, whose members are one app per package.

    A file that looks like a split and cannot be read hides what it held: it joins the only set there is, with its
    problem, else it stands alone.
    """
    probes = [item for item in found if isinstance(item, ApkProbe)]
    problems = tuple(item for item in found if isinstance(item, Problem))
    sets = list(_bundled(probes) if bundle is not None else _neighbours(probes))
    if len(sets) != 1:
        yield from problems
        problems = ()
    for base, apks in sets:
        yield AndroidSet(
            origin=bundle if bundle is not None and len(sets) == 1 else base.member.origin,
            apks=tuple(item.member for item in apks),
            budget=base.budget,
            problems=problems,
            depth=base.depth,
        )


def is_split_name(path: str) -> bool:
    """Whether a file is named as installers and backups name a split."""
    name = path.rpartition("/")[2]
    return name.startswith(("split_", "config.")) and name.endswith(".apk")


def _bundled(probes: Iterable[ApkProbe]) -> Iterator[tuple[ApkProbe, list[ApkProbe]]]:
    """One set per package and version: a bundle may hold several base variants of one app."""
    packages: dict[tuple[str, str], list[ApkProbe]] = {}
    nameless: list[ApkProbe] = []
    for item in sorted(probes, key=_order):
        if item.package:
            packages.setdefault((item.package, item.version_code), []).append(item)
        else:
            nameless.append(item)
    yield from _joined([(items[0], items) for _, items in sorted(packages.items())], nameless)


def _joined(
    sets: list[tuple[ApkProbe, list[ApkProbe]]], nameless: Iterable[ApkProbe]
) -> list[tuple[ApkProbe, list[ApkProbe]]]:
    """The sets with the APKs of unknown package: part of the only set there is, else each a set of its own."""
    if len(sets) == 1:
        base, items = sets[0]
        return [(base, [*items, *nameless])]
    return [*sets, *((item, [item]) for item in nameless)]


def _neighbours(probes: Iterable[ApkProbe]) -> Iterator[tuple[ApkProbe, list[ApkProbe]]]:
    """Bases with the splits of the same package and version beside them; splits without a base form a set too."""
    bases: list[ApkProbe] = []
    nameless: list[ApkProbe] = []
    splits: dict[tuple[str, str], list[ApkProbe]] = {}
    for item in sorted(probes, key=_order):
        if not item.package and is_split_name(item.member.path):
            nameless.append(item)
        elif item.split and item.package:
            splits.setdefault((item.package, item.version_code), []).append(item)
        else:
            bases.append(item)
    sets = [(base, [base, *splits.pop((base.package, base.version_code), [])]) for base in bases]
    sets.extend((items[0], items) for items in splits.values())
    yield from sorted(_joined(sets, nameless), key=lambda item: item[0].member.origin)


def _order(item: ApkProbe) -> tuple[bool, bool, str]:
    """Base before splits; a file called base.apk before other bases, so that splits join the one they lie with."""
    name = item.member.path.rpartition("/")[2]
    return (bool(item.split), not name.startswith("base"), item.member.path)


def missing_base(origin: Origin) -> Problem:
    """The problem of a set that has splits only."""
    return Problem(ProblemCode.SPLIT_MISSING, origin, "the base APK of these splits is not here; add it and scan again")
