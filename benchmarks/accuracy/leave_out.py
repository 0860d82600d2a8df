"""The catalog as it would be if the SDK builds of a case had never been seen: what a signature is scored with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from auditor.catalog import Catalog
from auditor.model import Clause, FactKind, LearnedGroup, LearnedRole, LearnedSet, Platform, Signature
from benchmarks.accuracy import android_sdks, ios_sdks
from benchmarks.accuracy.cases import Case
from benchmarks.accuracy.learning import values_of
from benchmarks.accuracy.registry import SdkBuild

_KINDS = {
    Platform.ANDROID: (FactKind.DEX_STRING,),
    Platform.IOS: (FactKind.MACHO_STRING, FactKind.OBJC_CLASS),
}
"""Kinds whose exact values were read in binaries; class prefixes and declarations come from documents."""
_BUILDS = {Platform.ANDROID: android_sdks.ALL, Platform.IOS: ios_sdks.IOS_SDKS}


def catalog_without(catalog: Catalog, case: Case) -> Catalog:
    """The catalog less everything that only the SDK builds inside the case could have taught."""
    platform = Platform(case.platform)
    out = frozenset((truth.family, truth.version) for truth in case.truths)
    return _without(catalog, platform, out)


@lru_cache(maxsize=64)
def _without_cached(digest: str, platform: Platform, out: frozenset[tuple[str, str]]) -> Catalog:
    return _reduced(_CATALOGS[digest], platform, out)


_CATALOGS: dict[str, Catalog] = {}


def _without(catalog: Catalog, platform: Platform, out: frozenset[tuple[str, str]]) -> Catalog:
    _CATALOGS[catalog.digest] = catalog
    return _without_cached(catalog.digest, platform, out)


def _reduced(catalog: Catalog, platform: Platform, out: frozenset[tuple[str, str]]) -> Catalog:
    left_out = [build for build in _BUILDS[platform] if (build.family, build.version) in out]
    gone = {kind: taught_only_by(left_out, platform, kind) for kind in _KINDS[platform]}
    versions = dict(out)
    signatures = tuple(
        _forget(signature, gone, versions.get(signature.subject, "")) if signature.platform is platform else signature
        for signature in catalog.signatures
    )
    return replace(catalog, signatures=signatures)


def taught_only_by(left_out: Iterable[SdkBuild], platform: Platform, kind: FactKind) -> frozenset[str]:
    """Values of one kind that some builds have and no other build of their family has.

    Two packages may hold one and the same build: what states the same version teaches nothing about the other.
    """
    gone: set[str] = set()
    for build in left_out:
        others = [item for item in _BUILDS[platform] if item.family == build.family and not _same(item, build)]
        gone |= _values(build, kind).difference(*(_values(item, kind) for item in others))
    return frozenset(gone)


def _same(one: SdkBuild, other: SdkBuild) -> bool:
    return one.version == other.version or (bool(one.states) and one.states == other.states)


@lru_cache(maxsize=256)
def _values(build: SdkBuild, kind: FactKind) -> frozenset[str]:
    return values_of(build, kind)


def _forget(signature: Signature, gone: dict[FactKind, frozenset[str]], version: str) -> Signature:
    clauses = tuple(_less(clause, gone.get(clause.kind, frozenset())) for clause in signature.clauses)
    learned = tuple(without_build(item, version) for item in signature.learned)
    return replace(signature, clauses=clauses, learned=learned)


def _less(clause: Clause, gone: frozenset[str]) -> Clause:
    return replace(clause, values=tuple(value for value in clause.values if value not in gone))


def without_build(learned: LearnedSet, version: str) -> LearnedSet:
    """A learned set as it would be without one of its builds."""
    kept = [number for number, build in enumerate(learned.builds) if build.version != version]
    places = {old: new for new, old in enumerate(kept)}
    least = 2 if len(kept) > 2 else 1
    groups = []
    for group in learned.groups:
        builds = tuple(places[number] for number in group.builds if number in places)
        if builds and (group.role is not LearnedRole.PLAIN or len(builds) >= least):
            groups.append(LearnedGroup(group.role, builds, group.values))
    return replace(learned, builds=tuple(learned.builds[number] for number in kept), groups=tuple(groups))
