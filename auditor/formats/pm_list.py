"""Read what ``pm list packages`` prints, with any of its options.

Format: AOSP's com.android.server.pm PackageManagerShellCommand.runListPackages, from Android 4 to 16.

Not read: which options made the list; nothing in the text tells them, so a list can leave out what ``-e``, ``-d``,
``-s``, ``-3`` or a filter leaves out, and with ``-u`` it names apps whose data alone is left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from auditor.errors import FormatError
from auditor.formats.android_names import is_package_name
from auditor.formats.blob import Blob
from auditor.formats.device_text import open_device_text, shown, without_mark
from auditor.limits import DEFAULT, Limits

_OPTIONS: Final = {
    "versionCode": re.compile(r"versionCode:(\d{1,20})"),
    "installer": re.compile(r"installer=(\S+)"),
    "uid": re.compile(r"uid:(\d{1,10}(?:,\d{1,10})*)"),
    "stopped": re.compile(r"stopped=(true|false)"),
}
_PREFIX: Final = "package:"
_NOISE: Final = ("* daemon ", "adb server ", "WARNING: linker")
"""What adb and old loaders print before the list."""
_LINE: Final = re.compile(rb"[^\r\n]+")
_ODD_LINES: Final = 3
_PATH_LENGTH: Final = 4096


@dataclass(frozen=True, slots=True)
class ListedPackage:
    """One line; empty where the option for it was not given."""

    name: str
    offset: int
    path: str = ""
    version_code: str = ""
    installer: str = ""
    uids: tuple[int, ...] = ()
    """One for each user who has it: user 10 has those from 1000000."""
    code_gone: bool = False
    """The path was asked for and there is none: data alone is left, or the code is on storage that is not there."""


@dataclass(frozen=True, slots=True)
class PackageList:
    """All lines of a list."""

    packages: tuple[ListedPackage, ...]
    unread: int = 0
    """Lines that name no package in a form that is known."""
    cut: bool = False
    """There are more lines than ``limits`` allow."""


def parse_pm_list(data: Blob, limits: Limits = DEFAULT) -> PackageList:
    """Read a list.

    Raises:
        FormatError: no line names a package.
    """
    text = open_device_text(data)
    packages: list[ListedPackage] = []
    unread = 0
    for offset, line in _find_lines(text, limits):
        entry = _parse_line(line, offset)
        if entry is None:
            unread += 1
            if unread >= limits.record_elements:
                return PackageList(tuple(packages), unread, cut=True)
        elif len(packages) >= limits.record_listings:
            return PackageList(tuple(packages), unread, cut=True)
        else:
            packages.append(entry)
    if not packages:
        raise FormatError("no list of packages")
    return PackageList(tuple(packages), unread)


def is_pm_list(head: bytes, *, whole: bool) -> bool:
    """Whether the lines of the head of a text name packages; the last may be cut unless it is the ``whole``.

    A few may name none: a prompt with the command that was typed, an error that follows.
    """
    text = bytes(open_device_text(head))
    if not whole:
        text = text[: text.rfind(b"\n") + 1]
    if _PREFIX.encode() not in text:
        return False
    named = odd = 0
    for _, line in _find_lines(text, DEFAULT):
        if _parse_line(line, 0) is None:
            odd += 1
        else:
            named += 1
        # Asked of every file: a few lines that are none decide.
        if odd > _ODD_LINES:
            return False
    return named > odd


def _find_lines(text: Blob, limits: Limits) -> Iterator[tuple[int, str]]:
    for line in _LINE.finditer(text, without_mark(text)):
        value = shown(bytes(text[line.start() : min(line.end(), line.start() + limits.string_length)]), limits)
        if value and not value.startswith(_NOISE):
            yield line.start(), value


def _parse_line(line: str, offset: int) -> ListedPackage | None:
    rest, options = _take_options(line)
    if not rest.startswith(_PREFIX):
        return None
    # The last '=' ends the path: directories of packages end in '==' themselves.
    path, _, name = rest[len(_PREFIX) :].rpartition("=")
    if not is_package_name(name):
        return None
    installer = options.get("installer", "")
    return ListedPackage(
        name,
        offset,
        "" if path == "null" else path[:_PATH_LENGTH],
        options.get("versionCode", ""),
        "" if installer == "null" else installer,
        tuple(int(uid) for uid in options.get("uid", "").split(",") if uid),
        path == "null",
    )


def _take_options(line: str) -> tuple[str, dict[str, str]]:
    """Split off what stands behind the name, each option once; a path may hold blanks and '=' as well."""
    options: dict[str, str] = {}
    while True:
        before, _, last = line.rpartition(" ")
        key = re.split("[:=]", last, maxsplit=1)[0]
        found = _OPTIONS[key].fullmatch(last) if before and key in _OPTIONS and key not in options else None
        if found is None:
            return line, options
        options[key] = found.group(1)
        line = before.rstrip()
