"""What the records of an Android device share: names of packages, and times in milliseconds.

Specification: AOSP's FrameworkParsingPackageUtils.validateName and PackageManagerServiceUtils.getNextCodePath.

Not read: nothing; names are judged, never repaired.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

NAME_LENGTH: Final = 255

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:[.-][A-Za-z0-9_]+)*")
_CODE_PATH = re.compile(
    r"(?:^|/)(?:data|mnt/expand/[^/]+)/app/(?:~~[A-Za-z0-9_-]{22}==/)?"
    r"(?P<name>[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*)-(?:[A-Za-z0-9_-]{22}==|\d+)(?:/|\.apk$|$)"
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_MS: Final = 4_102_444_800_000
"""The year 2100: what is beyond it is no time."""


def is_package_name(text: str) -> bool:
    """Whether text can be the name of a package; makers' own names without a dot or with a hyphen are taken."""
    return len(text) <= NAME_LENGTH and _NAME.fullmatch(text) is not None


def package_of_path(path: str) -> str:
    """The package that a path below ``/data/app`` tells; empty where it tells none."""
    found = _CODE_PATH.search(path)
    name = "" if found is None else found.group("name")
    return name if is_package_name(name) else ""


def moment_of_ms(value: int | None) -> str:
    """Milliseconds since 1970 as UTC in ISO 8601; empty where they are no time."""
    if value is None or not 0 < value < _LATEST_MS:
        return ""
    return (_EPOCH + timedelta(milliseconds=value)).strftime("%Y-%m-%dT%H:%M:%SZ")
