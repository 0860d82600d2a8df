"""Where Android keeps the code it compiled from an APK: beside it, or below oat/ by instruction set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from auditor.containers.member import Directory, Member

_SUFFIXES = (".vdex", ".odex", ".oat", ".odex.gz", ".odex.xz", ".vdex.gz", ".vdex.xz")
_INSTRUCTION_SETS = frozenset({"arm", "arm64", "x86", "x86_64", "mips", "mips64", "riscv64"})


def find_compiled(files: Iterable[Member], folders: Iterable[Directory]) -> tuple[Member, ...]:
    """The compiled files of a folder: beside its APKs, in folders of instruction sets, or in those below oat/."""
    found = [item for item in files if item.path.endswith(_SUFFIXES)]
    for folder in folders:
        if folder.name == "oat":
            for inner in folder.entries()[1]:
                found.extend(_files_in(inner))
        found.extend(_files_in(folder))
    return tuple(found)


def _files_in(folder: Directory) -> Iterator[Member]:
    if folder.name in _INSTRUCTION_SETS:
        yield from (item for item in folder.entries()[0] if item.path.endswith(_SUFFIXES))


def compiled_places(folder: str) -> Iterator[str]:
    """The folders where the code compiled from the APKs of a folder may lie."""
    prefix = f"{folder}/" if folder else ""
    yield folder
    for name in sorted(_INSTRUCTION_SETS):
        yield f"{prefix}{name}"
        yield f"{prefix}oat/{name}"


def belonging(apks: Iterable[Member], compiled: Iterable[Member]) -> tuple[Member, ...]:
    """The compiled files that go by the name of one of the APKs."""
    stems = {_stem(item) for item in apks}
    return tuple(item for item in compiled if item.path.endswith(_SUFFIXES) and _stem(item) in stems)


def _stem(item: Member) -> str:
    """The name without its suffix; an oat file of Android 5 may keep the .apk in its name."""
    name = item.path.rpartition("/")[2].removesuffix(".gz").removesuffix(".xz")
    stem = name.rpartition(".")[0]
    return stem.removesuffix(".apk")
