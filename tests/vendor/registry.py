"""Fetch pinned packages by name and version into an ignored folder; nothing of it is ever committed."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / ".vendor" / "npm"


def fetch_npm(package: str, sha256: str) -> Path:
    """The tarball of ``name@version``; skips the test when the registry is out of reach, fails on other bytes."""
    name, _, version = package.rpartition("@")
    path = FOLDER / f"{name.removeprefix('@').replace('/', '-')}-{version}.tgz"
    if not path.exists():
        if shutil.which("npm") is None:
            pytest.skip("npm is not installed: vendor SDKs cannot be fetched")
        FOLDER.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            ["npm", "pack", "--silent", package], cwd=FOLDER, capture_output=True, text=True, check=False, timeout=300
        )
        if done.returncode != 0:
            pytest.skip(f"the registry is out of reach for {package}: {done.stderr.strip()[-200:]}")
    assert hashlib.sha256(path.read_bytes()).hexdigest() == sha256, f"{path.name} is not the pinned package"
    return path


def member_of(package: str, sha256: str, member: str) -> bytes:
    """One file of a package."""
    with tarfile.open(fetch_npm(package, sha256)) as archive:
        stream = archive.extractfile(f"package/{member}")
        assert stream is not None, f"{member} is no file of {package}"
        return stream.read()
