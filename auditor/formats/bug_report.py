"""Read what a bug report says of its device: the head of dumpstate, a few properties, the kinds of its users.

Format: AOSP's dumpstate (``bugreport-*.txt``, Samsung's ``dumpState_*.log``); ``dumpsys`` of all services as far as it
has the same sections.

Not read: names of users and accounts, numbers of the line and the SIM, logs; packages (see dumpsys_package).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from auditor.errors import FormatError
from auditor.formats.android_users import AndroidUser
from auditor.formats.blob import Blob
from auditor.formats.build_prop import device_attributes, parse_build_properties
from auditor.formats.device_text import shown
from auditor.limits import DEFAULT, KIB, Limits
from auditor.model import Platform

_HEAD_SIZE: Final = 16 * KIB
_SECTION_SIZE: Final = 512 * KIB
_TAKEN: Final = re.compile(rb"^== dumpstate: (\d{4}-\d\d-\d\d)[ T_](\d\d)[:-](\d\d)[:-](\d\d)", re.MULTILINE)
_MARK: Final = re.compile(rb"^== dumpstate: ", re.MULTILINE)
_FINGERPRINT: Final = re.compile(rb"^Build fingerprint: '?([^'\r\n]{1,300})", re.MULTILINE)
_BOOT_SERIAL: Final = re.compile(rb"androidboot\.serialno ?= ?\"?([A-Za-z0-9_-]{4,64})")
_PROPERTIES: Final = re.compile(rb"------ SYSTEM PROPERTIES ")
_ZONE: Final = re.compile(rb"^\[persist\.sys\.timezone\]: \[([\w/+-]{1,64})\]", re.MULTILINE)
_NEXT_SECTION: Final = re.compile(rb"\n------ ")
_USERS: Final = re.compile(rb"DUMP OF SERVICE (?:[A-Z]{1,16} )?user:")
_NEXT_SERVICE: Final = re.compile(rb"\nDUMP OF SERVICE |was the duration of dumpsys user\b")
_USER: Final = re.compile(
    rb"UserInfo\{(\d{1,9}):[^\r\n]{0,300}?:([0-9a-f]{1,8})\}[^\r\n]*\r*\n"
    rb"(?:[ \t]+Type: (android\.os\.usertype\.[\w.]{1,60}))?"
)
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
    """(name, value) ascending, as build.prop gives them, and the platform."""
    profiles: tuple[tuple[str, str], ...] = ()
    """(user id, owner, work profile, guest …) ascending."""

    @property
    def universal(self) -> bool:
        """Whether the device's own time is UTC."""
        return self.zone in _UNIVERSAL


def is_bug_report(head: bytes) -> bool:
    """Whether the head of a text is dumpstate's."""
    return _MARK.search(head[:4096]) is not None


def parse_bug_report(data: Blob, limits: Limits = DEFAULT) -> BugReport:
    """Read the head, the properties and the users; any text gives a result."""
    head = bytes(data[:_HEAD_SIZE])
    section = _properties(data)
    stated = _ZONE.search(section)
    zone = "" if stated is None else shown(stated.group(1))
    taken = _TAKEN.search(head)
    moment = "" if taken is None else "{}T{}:{}:{}".format(*(part.decode() for part in taken.groups()))
    attributes = _from_head(head) | _from_properties(section, limits)
    if taken is not None or attributes:
        attributes["platform"] = Platform.ANDROID.value
    return BugReport(
        moment + "Z" if moment and zone in _UNIVERSAL else moment,
        zone,
        tuple(sorted(attributes.items())),
        _profiles(data),
    )


def _properties(data: Blob) -> bytes:
    """The section that getprop prints."""
    title = _PROPERTIES.search(data)
    if title is None:
        return b""
    limit = min(title.end() + _SECTION_SIZE, len(data))
    following = _NEXT_SECTION.search(data, title.end(), limit)
    return bytes(data[title.end() : limit if following is None else following.start()])


def _from_properties(section: bytes, limits: Limits) -> dict[str, str]:
    try:
        found = device_attributes(parse_build_properties(section, limits))
    except FormatError:
        return {}
    return {name: value for name, value in found if value not in _NO_VALUE}


def _from_head(head: bytes) -> dict[str, str]:
    """Version and build of ``brand/product/device:version/id/incremental:type/tags``, and the serial number."""
    attributes: dict[str, str] = {}
    found = _FINGERPRINT.search(head)
    fingerprint = "" if found is None else shown(found.group(1))
    parts = fingerprint.split(":")
    build = parts[1].split("/") if len(parts) == 3 else []
    if len(build) == 3:
        attributes |= {"fingerprint": fingerprint, "os_version": build[0], "os_build": build[1]}
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
    users: dict[int, AndroidUser] = {}
    for found in _USER.finditer(data, title.end(), limit if following is None else following.start()):
        kind = "" if found.group(3) is None else found.group(3).decode()
        user = AndroidUser(int(found.group(1)), kind, int(found.group(2), 16))
        users.setdefault(user.id, user)
    return tuple((str(number), users[number].profile) for number in sorted(users))
