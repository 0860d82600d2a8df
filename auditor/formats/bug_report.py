"""Read what a bug report says of its device: the head of dumpstate, a few properties, the kinds of its users.

Format: AOSP's dumpstate (``bugreport-*.txt``, Samsung's ``dumpState_*.log``); ``dumpsys`` of all services as far as it
has the same sections.

Not read: names of users and accounts, numbers of the line and the SIM, logs; packages (see dumpsys_package).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from auditor.formats.blob import Blob
from auditor.formats.device_text import shown
from auditor.limits import KIB

_HEAD_SIZE: Final = 16 * KIB
_SECTION_SIZE: Final = 512 * KIB
_TAKEN: Final = re.compile(rb"^== dumpstate: (\d{4}-\d\d-\d\d)[ T_](\d\d)[:-](\d\d)[:-](\d\d)", re.MULTILINE)
_MARK: Final = re.compile(rb"^== dumpstate: ", re.MULTILINE)
_FINGERPRINT: Final = re.compile(rb"^Build fingerprint: '?([^'\r\n]{1,300})", re.MULTILINE)
_BOOT_SERIAL: Final = re.compile(rb"androidboot\.serialno ?= ?\"?([A-Za-z0-9_-]{4,64})")
_PROPERTIES: Final = re.compile(rb"------ SYSTEM PROPERTIES ")
_PROPERTY: Final = re.compile(
    rb"^\[((?:ro\.(?:product|build|boot|system)\.|ro\.serialno|persist\.sys\.timezone)[\w.]{0,60})\]: "
    rb"\[([^\]\r\n]{1,200})\]",
    re.MULTILINE,
)
_USERS: Final = re.compile(rb"DUMP OF SERVICE (?:[A-Z]{1,16} )?user:")
_NEXT_SERVICE: Final = re.compile(rb"\nDUMP OF SERVICE |was the duration of dumpsys user\b")
_USER: Final = re.compile(
    rb"UserInfo\{(\d{1,9}):[^\r\n]{0,300}?:([0-9a-f]{1,8})\}[^\r\n]*\r*\n"
    rb"(?:[ \t]+Type: android\.os\.usertype\.([\w.]{1,60}))?"
)
_ATTRIBUTES: Final = (
    ("manufacturer", ("ro.product.manufacturer", "ro.product.vendor.manufacturer", "ro.product.system.manufacturer")),
    ("model", ("ro.product.model", "ro.product.vendor.model", "ro.product.system.model")),
    ("os_version", ("ro.build.version.release", "ro.system.build.version.release")),
    ("os_build", ("ro.build.id", "ro.system.build.id")),
    ("serial", ("ro.serialno", "ro.boot.serialno")),
)
_PROFILES: Final = {
    "profile.MANAGED": "work profile",
    "profile.PRIVATE": "private space",
    "profile.CLONE": "cloned apps",
    "full.GUEST": "guest",
    "full.SYSTEM": "owner",
    "system.HEADLESS": "system",
}
_GUEST, _MANAGED = 0x04, 0x20
_UNIVERSAL: Final = frozenset({"UTC", "GMT", "Etc/UTC", "Etc/GMT", "Etc/UCT", "Zulu"})
_NO_VALUE: Final = frozenset({"", "unknown", "null", "0"})


@dataclass(frozen=True, slots=True)
class BugReport:
    """What a report says around its sections; empty where it says nothing."""

    taken: str = ""
    """ISO 8601, with Z where the device runs on UTC, else the device's own time."""
    zone: str = ""
    """Time zone of the device, as the tz database names it."""
    attributes: tuple[tuple[str, str], ...] = ()
    """(name, value) ascending: manufacturer, model, os_build, os_version, platform, serial."""
    profiles: tuple[tuple[str, str], ...] = ()
    """(user id, owner | work profile | private space | cloned apps | guest | system or empty)."""

    @property
    def universal(self) -> bool:
        """Whether the device's own time is UTC."""
        return self.zone in _UNIVERSAL


def is_bug_report(head: bytes) -> bool:
    """Whether the head of a text is dumpstate's."""
    return _MARK.search(head[:4096]) is not None


def parse_bug_report(data: Blob) -> BugReport:
    """Read the head, the properties and the users; any text gives a result."""
    head = bytes(data[:_HEAD_SIZE])
    values = _properties(data)
    zone = values.get("persist.sys.timezone", "")
    taken = _TAKEN.search(head)
    moment = "" if taken is None else "{}T{}:{}:{}".format(*(part.decode() for part in taken.groups()))
    attributes = _from_fingerprint(head)
    for name, keys in _ATTRIBUTES:
        found = next((values[key] for key in keys if values.get(key, "") not in _NO_VALUE), "")
        if found:
            attributes[name] = found
    if is_bug_report(head) or attributes:
        attributes["platform"] = "android"
    return BugReport(
        moment + "Z" if moment and zone in _UNIVERSAL else moment,
        zone,
        tuple(sorted(attributes.items())),
        _profiles(data),
    )


def _properties(data: Blob) -> dict[str, str]:
    """The properties that name the device; the first value of each."""
    title = _PROPERTIES.search(data)
    if title is None:
        return {}
    values: dict[str, str] = {}
    for found in _PROPERTY.finditer(data, title.start(), min(title.start() + _SECTION_SIZE, len(data))):
        values.setdefault(shown(found.group(1)), shown(found.group(2)))
    return values


def _from_fingerprint(head: bytes) -> dict[str, str]:
    """Version and build of ``brand/product/device:version/id/incremental:type/tags``."""
    attributes: dict[str, str] = {}
    found = _FINGERPRINT.search(head)
    parts = [] if found is None else shown(found.group(1)).split(":")
    build = parts[1].split("/") if len(parts) == 3 else []
    if len(build) == 3:
        attributes |= {"os_version": build[0], "os_build": build[1]}
    serial = _BOOT_SERIAL.search(head)
    if serial is not None and shown(serial.group(1)) not in _NO_VALUE:
        attributes["serial"] = shown(serial.group(1))
    return attributes


def _profiles(data: Blob) -> tuple[tuple[str, str], ...]:
    title = _USERS.search(data)
    if title is None:
        return ()
    limit = min(title.end() + _SECTION_SIZE, len(data))
    following = _NEXT_SERVICE.search(data, title.end(), limit)
    users: dict[int, str] = {}
    for found in _USER.finditer(data, title.end(), limit if following is None else following.start()):
        users.setdefault(int(found.group(1)), _profile(int(found.group(1)), int(found.group(2), 16), found.group(3)))
    return tuple((str(number), users[number]) for number in sorted(users))


def _profile(user: int, flags: int, kind: bytes | None) -> str:
    if kind is not None:
        return _PROFILES.get(kind.decode(), "owner" if user == 0 else "")
    if flags & _MANAGED:
        return "work profile"
    return "guest" if flags & _GUEST else "owner" if user == 0 else ""
