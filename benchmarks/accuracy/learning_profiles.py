"""Learns the shipped class profiles again: ``python -m benchmarks.accuracy.learning_profiles``."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from auditor.formats.dex import is_dex, parse_dex_container
from auditor.formats.dex_code import DexCode
from auditor.formats.dex_profile import find_profiles
from auditor.formats.dex_xref import class_of
from auditor.learn import Lesson, learn, render_learned
from auditor.model import FactKind, LearnedBuild, LearnedSet
from benchmarks.accuracy.android_tools import archive, jar
from benchmarks.accuracy.learning import ANALYTICS, ANDROID, BACKGROUND, REIMPLEMENTERS, SIGNATURES
from benchmarks.accuracy.registry import Package, SdkBuild

KIND = FactKind.DEX_PROFILE
_CODE = (".apk", ".jar", ".aar")


def dexed(data: bytes) -> bytes:
    """The DEX files that D8 makes of a jar or AAR, as an archive; an APK as it is."""
    # Found only after benchmarks.accuracy.android_tools has said where.
    from recipes.toolchain import cached, run

    with zipfile.ZipFile(io.BytesIO(data)) as outer:
        names = outer.namelist()
        if any(name.endswith(".dex") for name in names):
            return data
        classes = outer.read("classes.jar") if "classes.jar" in names else data

    def make(folder: Path) -> bytes:
        (folder / "in.jar").write_bytes(classes)
        tool = ["java", "-Xmx2g", "-cp", jar("bundletool-all-1.17.2.jar"), "com.android.tools.r8.D8"]
        run(*tool, "--release", "--min-api", "24", "--output", folder, folder / "in.jar")
        packed: bytes = archive.pack({path.name: path.read_bytes() for path in sorted(folder.glob("*.dex"))})
        return packed

    made: bytes = cached(make, classes)
    return made


def profiles_of(data: bytes) -> Iterator[tuple[str, str]]:
    """(dotted class, feature) of everything in an archive of DEX files."""
    with zipfile.ZipFile(io.BytesIO(data)) as outer:
        for name in outer.namelist():
            member = outer.read(name)
            for dex in parse_dex_container(member) if is_dex(member) else ():
                code = DexCode(dex.classes)
                yield from ((class_of(code, owner), value) for owner, value in find_profiles(code))


@cache
def _of_build(build: SdkBuild) -> tuple[tuple[str, str], ...]:
    return tuple(profiles_of(dexed(build.read())))


def own_profiles(build: SdkBuild, folders: tuple[str, ...]) -> frozenset[str]:
    """What the SDK's own classes have and no class has that it bundles of others."""
    own = tuple(folder.replace("/", ".") for folder in folders)
    mine = {value for name, value in _of_build(build) if name.startswith(own)}
    return frozenset(mine - {value for name, value in _of_build(build) if not name.startswith(own)})


@cache
def profiles_in(packages: tuple[Package, ...]) -> frozenset[str]:
    """What the apps and libraries of some packages have."""
    found: set[str] = set()
    for package in packages:
        with tarfile.open(package.fetch()) as tar:
            for item in tar:
                stream = tar.extractfile(item) if item.isfile() and item.name.endswith(_CODE) else None
                data = b"" if stream is None else stream.read()
                if zipfile.is_zipfile(io.BytesIO(data)) and not item.name.endswith("gradle-wrapper.jar"):
                    found.update(value for _, value in profiles_of(dexed(data)))
    return frozenset(found)


def learn_profiles(
    without: frozenset[SdkBuild] = frozenset(), background: Iterable[str] | None = None
) -> Iterator[LearnedSet]:
    """The profile sets of all families, as if some builds had never been seen."""
    if background is None:
        background = profiles_in((*BACKGROUND, *REIMPLEMENTERS))
    unrelated = frozenset(background) | {value for _, value in _of_build(ANALYTICS)}
    for course in ANDROID:
        rivals = [build for other in ANDROID if other is not course for build in other.builds]
        others = frozenset(value for build in rivals for _, value in _of_build(build))
        builds = [item for item in course.builds if item not in without]
        yield learn(
            Lesson(
                signature=course.signature,
                kind=KIND,
                marks=(),
                protocol=(),
                builds=[(_build(item), own_profiles(item, course.folders)) for item in builds],
                background=unrelated | others,
            )
        )


def _build(build: SdkBuild) -> LearnedBuild:
    package = f"{build.package.name}@{build.package.version} {build.member}"
    return LearnedBuild(build.version, package, hashlib.sha256(build.read()).hexdigest())


def main() -> None:
    """Write every shipped set."""
    for found in learn_profiles():
        (SIGNATURES / f"{found.signature}.profiles.toml").write_text(render_learned(found))


if __name__ == "__main__":
    main()
