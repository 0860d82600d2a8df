"""The data directories of a device, which name apps that may be gone: a record made from directory names alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from auditor.model import Completeness, DeviceRecord, Listing, Origin, Platform, RecordKind, State

_PARENT = re.compile(
    r"(?:^|/)(?:data/data|user(?:_de)?/(?P<user>\d+)|media/(?P<media>\d+)/Android/(?:data|obb|media)"
    r"|Android/(?:data|obb|media))$"
)
_PACKAGE = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)+")


def find_data_directories(here: Origin, paths: Iterable[str]) -> Iterator[DeviceRecord]:
    """One record per directory of app data that has sub-directories with the names of packages.

    ``paths`` are directories; ``here`` is the origin of what they are relative to, or of their common parent.
    """
    found: dict[str, list[Listing]] = {}
    for path in paths:
        parent, _, name = path.rpartition("/")
        place = _PARENT.search(parent)
        if place is None or _PACKAGE.fullmatch(name) is None:
            continue
        user = place["user"] or place["media"] or ""
        origin = here if here.path[-1].endswith(parent) else here.child(parent)
        listing = Listing(Platform.ANDROID, name, origin, state=State.RESIDUAL, user=user, paths=(path,))
        found.setdefault(parent, []).append(listing)
    for parent, listings in sorted(found.items()):
        yield DeviceRecord(
            RecordKind.DATA_DIRECTORIES,
            listings[0].origin,
            Completeness.PARTIAL,
            "directories of app data, which stay behind when an app goes",
            listings=tuple(sorted(listings, key=lambda item: item.app_id)),
        )
