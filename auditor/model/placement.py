"""What the place of an app's files says of its state on a device: under any root prefix, by the known folders."""

from __future__ import annotations

import re
from dataclasses import dataclass

from auditor.model.devices import State
from auditor.model.origin import Origin


@dataclass(frozen=True, slots=True)
class Placement:
    """What a path says; a record of the device may know better."""

    state: State = State.UNKNOWN
    user: str = ""
    system: bool = False
    package: str = ""
    """The package that the path is named for: a hint, the manifest decides."""

    @property
    def on_device(self) -> bool:
        """Whether the path is one of a device at all."""
        return self.state is not State.UNKNOWN


_SUFFIX = r"-(?:[A-Za-z0-9_-]{22}==|\d+)"
_PACKAGE = r"(?P<package>[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*)"
_PARTITIONS = r"(?:system|system_ext|product|vendor|odm|oem|cust|preload|prism|optics|hw_product|my_[a-z]+)"
_SYSTEM_FOLDERS = r"(?:app|priv-app|overlay|preload|data-app|del-app|vital-app|framework)"

# The right-most anchor counts: the same tree lies below other prefixes in every tool's output.
_RULES: tuple[tuple[re.Pattern[str], State, bool], ...] = (
    (re.compile(r"(?:^|/)(?:data/)?app(?:-staging/session_\d+|/vmdl\d+\.tmp)(?:/|$)"), State.STAGED, False),
    (re.compile(rf"(?:^|/)app/(?:~~[A-Za-z0-9_-]{{22}}==/){_PACKAGE}{_SUFFIX}(?:/|$)"), State.INSTALLED, False),
    (re.compile(rf"(?:^|/)data/app/{_PACKAGE}{_SUFFIX}(?:/|\.apk$)"), State.INSTALLED, False),
    (re.compile(rf"(?:^|/)app/{_PACKAGE}-[A-Za-z0-9_-]{{22}}==/"), State.INSTALLED, False),
    (re.compile(rf"(?:^|/)mnt/expand/[^/]+/app/.*?{_PACKAGE}{_SUFFIX}(?:/|$)"), State.INSTALLED, False),
    (re.compile(r"(?:^|/)data/app/[^/]+(?:/|$)"), State.INSTALLED, False),
    (re.compile(rf"(?:^|/){_PARTITIONS}/{_SYSTEM_FOLDERS}/[^/]+(?:/|$)"), State.INSTALLED, True),
    (
        re.compile(r"(?:^|/)(?:containers|Containers)/Bundle/Application/[^/]+/[^/]+\.app(?:/|$)"),
        State.INSTALLED,
        False,
    ),
    (re.compile(r"(?:^|/)(?:private/var/jb/)?Applications/[^/]+\.app(?:/|$)"), State.INSTALLED, True),
    (re.compile(rf"(?:^|/)apps/{_PACKAGE}/a/[^/]+$"), State.BACKUP, False),
)
_DATA = re.compile(r"(?:^|/)(?:data/data|data/user(?:_de)?/(?P<user>\d+)|user(?:_de)?/(?P<own>\d+))/[^/]+/")
_MEDIA = re.compile(r"(?:^|/)(?:data/media|media|storage/emulated|mnt/user/\d+/emulated)/(?P<user>\d+)/")
_CARD = re.compile(r"(?:^|/)(?:sdcard|mnt/sdcard|storage/[0-9A-F]{4}-[0-9A-F]{4})/")
_IMAGE = re.compile(rf"(?:^|/)(?:{_SYSTEM_FOLDERS}/[^/]+/[^/]+|overlay/[^/]+)\.apk$")
_OWN = r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)+"
_USERDATA_APP = re.compile(rf"app/(?P<package>{_OWN}){_SUFFIX}(?:/[^/]+)?\.apk$")
_USERDATA_DATA = re.compile(rf"data/{_OWN}/")


def placement_of(origin: Origin) -> Placement:
    """What the place of an app says; nothing for a file that lies in no device's tree."""
    steps = origin.path
    path = "/".join(steps)
    kept = _kept_file(path, steps[1:])
    if kept is not None:
        return kept
    for pattern, state, system in _RULES:
        found = _last(pattern, path)
        if found is not None:
            return Placement(state, system=system, package=found.groupdict().get("package") or "")
    # What is mounted as /data has its folders at the root of the image; no system app has a number behind its name.
    found = _USERDATA_APP.match(steps[-1]) if len(steps) > 1 else None
    if found is not None:
        return Placement(State.INSTALLED, package=found["package"])
    # The image of a partition has the folders of the system at its root.
    if len(steps) > 1 and _IMAGE.search(steps[-1]) is not None and not steps[-1].startswith("data/"):
        return Placement(State.INSTALLED, system=True)
    return Placement()


def _kept_file(path: str, inner: tuple[str, ...]) -> Placement | None:
    """A file among the data of an app or of the user: on the device, and not installed from there."""
    data = _last(_DATA, path)
    if data is not None:
        return Placement(State.PRESENT, user=data["user"] or data["own"] or "0")
    if any(_USERDATA_DATA.match(step) is not None for step in inner):
        return Placement(State.PRESENT, user="0")
    media = _last(_MEDIA, path)
    if media is not None:
        return Placement(State.PRESENT, user=media["user"])
    return Placement(State.PRESENT) if _CARD.search(path) is not None else None


def _last(pattern: re.Pattern[str], path: str) -> re.Match[str] | None:
    return max(pattern.finditer(path), key=lambda match: match.start(), default=None)
