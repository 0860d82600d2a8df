"""Names apps from the directories that the system gives each of them for its data, where no record is left.

An app's data may outlive it, and lies elsewhere for each user; a name alone says that the app was there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from auditor.limits import DEFAULT, Limits
from auditor.model import (
    Completeness,
    DeviceRecord,
    FactKind,
    Listing,
    Origin,
    Platform,
    Problem,
    ProblemCode,
    RecordKind,
    State,
)

_PLACE = re.compile(
    r"(?:^|/)(?:"
    r"data/data"
    r"|data/user(?:_de)?/(?P<user>[0-9]{1,10})"
    r"|mnt/expand/[^/]+/user(?:_de)?/(?P<expanded>[0-9]{1,10})"
    r"|(?:data/media|storage/emulated)/(?P<media>[0-9]{1,10})/Android/(?:data|obb|media)"
    r"|sdcard/Android/(?:data|obb|media)"
    r")$"
)
_REPEATED = re.compile(r"(?:^|/)(?:data_mirror|mirror)(?:/|$)")
"""Extractions may hold the mount points under which the system shows the same directories again."""
_INSIDE = re.compile(r"(?:^|/)data/(?:data|user|user_de|media)/")
"""What lies in the data of an app may look like anything."""
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)+", re.ASCII)
_NAME_LENGTH = 255
_DETAIL = "data may outlive its app, and an app may have none"
_NOTHING: frozenset[FactKind] = frozenset()
"""Leftovers are no presence, so those that are not told hide none."""


def listings_of(path: str, names: Iterable[str], origin: Origin) -> tuple[Listing, ...]:
    """What the sub-directories of a directory name, ascending; nothing where it is no place of app data.

    ``origin`` is that of the directory. Names of encrypted directories are no package names and are left out.
    """
    place = _PLACE.search(path)
    if place is None or _REPEATED.search(path) is not None or _INSIDE.search(path[: place.start()] + "/") is not None:
        return ()
    user = next((str(int(value)) for value in place.groups() if value is not None), "0")
    found = sorted({name for name in names if len(name) <= _NAME_LENGTH and _NAME.fullmatch(name) is not None})
    return tuple(Listing(Platform.ANDROID, name, _below(origin, name), State.RESIDUAL, user) for name in found)


def find_data_directories(
    origin: Origin, path: str, names: Iterable[str], limits: Limits = DEFAULT
) -> Iterator[DeviceRecord]:
    """The record that a place of app data is; nothing where it names no app."""
    listings = listings_of(path, names, origin)
    most = limits.record_listings
    problems: tuple[Problem, ...] = ()
    if len(listings) > most:
        text = f"{len(listings)} directories of app data, of which {most} are told; raise --limit record_listings"
        problems = (Problem(ProblemCode.LIMIT, origin, text, _NOTHING),)
    if listings:
        yield DeviceRecord(
            RecordKind.DATA_DIRECTORIES,
            origin,
            Completeness.PARTIAL,
            _DETAIL,
            listings=listings[:most],
            problems=problems,
        )


def _below(origin: Origin, name: str) -> Origin:
    """The origin of a sub-directory: it is in the same container."""
    last = f"{origin.path[-1]}/{name}" if origin.path and origin.path[-1] else name
    return Origin((*origin.path[:-1], last))
