"""Fetches pinned packages by name and version into an ignored folder; nothing of it is ever committed."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / ".vendor" / "npm"


class OutOfReachError(Exception):
    """The registry or its client is not there."""


@dataclass(frozen=True, slots=True)
class Package:
    """An npm package at one version."""

    name: str
    version: str
    sha256: str
    """Of the tarball."""

    def fetch(self) -> Path:
        """The tarball, downloaded once.

        Raises:
            OutOfReachError: npm is not installed or cannot fetch it.
            ValueError: the bytes are not the pinned ones.
        """
        path = FOLDER / f"{self.name.removeprefix('@').replace('/', '-')}-{self.version}.tgz"
        if not path.exists():
            if shutil.which("npm") is None:
                raise OutOfReachError("npm is not installed")
            FOLDER.mkdir(parents=True, exist_ok=True)
            words = ["npm", "pack", "--silent", f"{self.name}@{self.version}"]
            done = subprocess.run(words, cwd=FOLDER, capture_output=True, text=True, check=False, timeout=300)
            if done.returncode != 0:
                raise OutOfReachError(f"{self.name}@{self.version}: {done.stderr.strip()[-200:]}")
        if hashlib.sha256(path.read_bytes()).hexdigest() != self.sha256:
            raise ValueError(f"{path.name} is not the pinned package")
        return path

    def read(self, member: str) -> bytes:
        """One file of the package.

        Raises:
            KeyError: the package has no such file.
        """
        with tarfile.open(self.fetch()) as archive:
            stream = archive.extractfile(f"package/{member}")
            if stream is None:
                raise KeyError(member)
            return stream.read()


@dataclass(frozen=True, slots=True)
class SdkBuild:
    """One binary of a vendor's SDK."""

    family: str
    """Subject id: alipay, wechat or tencent-qq."""
    version: str
    """What the vendor calls it; distinct within family and platform."""
    package: Package
    member: str
    """Path in the package."""
    states: str = ""
    """The version literal it carries, where it carries one: what a reader should answer."""

    def read(self) -> bytes:
        """The jar, aar, framework binary or static library."""
        return self.package.read(self.member)
