"""``auditor signatures learn``: the values that only one SDK has, from its binaries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from auditor.containers.folder import FileMember
    from auditor.containers.member import Member
    from auditor.model import FactKind

_EPILOG = """\b
Example:
  auditor signatures learn example-sdk-android --mark example \\
    --build 1.0=sdk-1.0.aar --build 1.1=sdk-1.1.aar --folder com/example/ \\
    --background unrelated-apps/ > learned/example-sdk-android.toml

Then let a clause of that kind say: learned = ["strong"]
"""
_EXISTING = click.Path(exists=True, path_type=Path)


@click.command("learn", epilog=_EPILOG, short_help="Learn the values that only one SDK has.")
@click.argument("signature", metavar="ID")
@click.option("--kind", default="dex.string", show_default=True, help="dex.string, macho.string or macho.objc-class.")
@click.option(
    "--build",
    "builds",
    metavar="VERSION=FILE",
    multiple=True,
    required=True,
    help="A binary of the SDK (jar, AAR, APK, framework binary, .a), oldest first.",
)
@click.option("--background", type=_EXISTING, multiple=True, help="Unrelated apps and SDKs: files or folders.")
@click.option(
    "--shared", type=_EXISTING, multiple=True, help="Code that speaks the same protocol without being the SDK."
)
@click.option(
    "--mark", "marks", metavar="WORD", multiple=True, help="A word that makes a value strong: the vendor's name."
)
@click.option(
    "--protocol", metavar="WORD", multiple=True, help="A word that makes a value shared: a key of the protocol."
)
@click.option(
    "--folder",
    "folders",
    metavar="PATH/",
    multiple=True,
    help="Packages of the SDK; classes elsewhere are not its own.",
)
def learn_values(
    signature: str,
    kind: str,
    builds: tuple[str, ...],
    background: tuple[Path, ...],
    shared: tuple[Path, ...],
    marks: tuple[str, ...],
    protocol: tuple[str, ...],
    folders: tuple[str, ...],
) -> int:
    """Write what the builds of an SDK hold and nothing else does, as TOML for signatures/learned."""
    import hashlib

    from auditor.cli.output import write_text
    from auditor.learn import Lesson, learn, render_learned
    from auditor.model import LearnedBuild

    wanted = _learnable(kind)
    own = []
    for text in builds:
        version, file = _split(text)
        member = _member(file)
        digest = hashlib.sha256(member.open()).hexdigest()
        own.append((LearnedBuild(version, file.name, digest), _read([file], wanted, folders)))
    found = learn(
        Lesson(
            signature=signature,
            kind=wanted,
            marks=tuple(word.lower() for word in marks),
            protocol=tuple(word.lower() for word in protocol),
            builds=own,
            background=_read(background, wanted, ()),
            shared=_read(shared, wanted, ()),
        )
    )
    write_text(render_learned(found))
    return 0


def _learnable(kind: str) -> FactKind:
    from auditor.errors import UsageError
    from auditor.platforms.sdk_binary import LEARNABLE

    for item in LEARNABLE:
        if item.value == kind:
            return item
    raise UsageError(f"{kind!r} cannot be learned; use one of: {', '.join(item.value for item in LEARNABLE)}")


def _split(text: str) -> tuple[str, Path]:
    from auditor.errors import UsageError

    version, sign, file = text.partition("=")
    if not version or not sign or not Path(file).is_file():
        raise UsageError(f"--build {text!r}: write VERSION=FILE, and name an existing file")
    return version, Path(file)


def _member(file: Path) -> FileMember:
    from auditor.containers.folder import FileMember
    from auditor.limits import DEFAULT
    from auditor.model import Origin

    return FileMember(file.resolve(), file.name, file.stat().st_size, Origin((file.name,)), DEFAULT)


def _files(paths: tuple[Path, ...] | list[Path]) -> Iterator[Member]:
    from auditor.containers.folder import Folder, find_files
    from auditor.limits import DEFAULT

    for path in paths:
        if path.is_dir():
            yield from find_files(Folder(path, "", (path.name,), DEFAULT))
        else:
            yield _member(path)


def _read(paths: tuple[Path, ...] | list[Path], kind: FactKind, folders: tuple[str, ...]) -> frozenset[str]:
    from auditor.containers.member import Budget
    from auditor.limits import DEFAULT
    from auditor.platforms.sdk_binary import read_values

    found: set[str] = set()
    for member in _files(paths):
        found |= read_values(member, kind, Budget(DEFAULT), folders)
    return frozenset(found)
