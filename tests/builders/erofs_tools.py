"""mkfs.erofs as this system has it, and as later Debian suites do, unpacked beside it."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path

from benchmarks.accuracy.store import KEYRING, STORE

_NO_MORE = ("recommends", "suggests", "conflicts", "breaks", "replaces", "enhances")


@cache
def find_mkfs(suite: str) -> tuple[str, ...] | None:
    """The command of a suite's mkfs.erofs, ``system`` for the one installed; None: it is not to be had here."""
    if suite == "system":
        found = shutil.which("mkfs.erofs")
        return None if found is None else (found,)
    root = STORE / "erofs-utils" / suite / "root"
    program = root / "usr/bin/mkfs.erofs"
    if not program.exists():
        _fetch(suite, root)
    libraries = list(root.glob("usr/lib/*-linux-gnu"))
    loaders = list(root.glob("usr/lib*/ld-linux-*.so.*"))
    if not program.exists() or not libraries or not loaders:
        return None
    command = (str(loaders[0]), "--library-path", str(libraries[0]), str(program))
    done = subprocess.run([*command, "--version"], capture_output=True, check=False, timeout=60)
    return command if done.returncode == 0 else None


def _fetch(suite: str, root: Path) -> None:
    """Fetch the package with the libraries it loads, with lists of its own, so that nothing of the system changes."""
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        return
    folder = root.parent
    packages = folder / "packages"
    for part in (folder / "lists/partial", folder / "cache/archives/partial", packages, root):
        part.mkdir(parents=True, exist_ok=True)
    form = f"deb [signed-by={KEYRING}] $(REPO_URI) {suite} main"
    listing = ["apt-get", "indextargets", "--format", form, "Created-By: Packages"]
    known = subprocess.run(listing, capture_output=True, text=True, check=False).stdout.splitlines()
    lines = dict.fromkeys(line for line in known if "/debian/ " in line)
    (folder / "sources.list").write_text("".join(f"{line}\n" for line in lines))
    options = [f"-oDir::State::Lists={folder}/lists", f"-oDir::Etc::sourcelist={folder}/sources.list"]
    options += ["-oDir::Etc::sourceparts=/dev/null", f"-oDir::Cache={folder}/cache", "-oAPT::Sandbox::User=root"]
    _run(["apt-get", "-q", *options, "update"], packages)
    depends = ["apt-cache", *options, "depends", "--recurse", *(f"--no-{word}" for word in _NO_MORE), "erofs-utils"]
    names = [name for name in _run(depends, packages).splitlines() if name.startswith(("lib", "zlib", "erofs-utils"))]
    _run(["apt-get", "-q", *options, "download", *sorted(set(names) | {"erofs-utils"})], packages)
    for package in packages.glob("*.deb"):
        _run(["dpkg", "-x", str(package), str(root)], packages)


def _run(command: list[str], folder: Path) -> str:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300).stdout
