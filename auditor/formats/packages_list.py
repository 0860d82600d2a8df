"""Reads packages.list: the packages whose code was in place, one on a line.

Format: Settings.java of AOSP (writePackageListLPr): 4 columns and more; 7 in Android 10, 10 from 11 on. Apps that are
archived, kept for their data or on storage that was not there have no line.

Not read: group ids, security labels, whether an app may be profiled.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from auditor.errors import FormatError, LimitError
from auditor.formats.blob import Blob
from auditor.formats.packages_xml import is_plain_name
from auditor.limits import DEFAULT, Limits

_LINE = re.compile(rb"\S{1,255} [0-9]{1,10} [01] (?:/\S*|null)(?: \S+)*\r?\n?")
_SYSTEM = frozenset({"@system", "@product"})
_FAULTS: Final = 3
_TEXT_LINE = re.compile(rb"[^\n]+")


@dataclass(frozen=True, slots=True)
class ListedPackage:
    """One line."""

    name: str
    offset: int
    app_id: int
    debuggable: bool
    data_path: str
    version_code: str = ""
    """Empty before Android 11."""
    installer: str = ""
    system: bool | None = None
    """Part of the system or product image; None before Android 11."""


@dataclass(frozen=True, slots=True)
class PackagesList:
    """What the file says, as far as it could be read."""

    packages: tuple[ListedPackage, ...]
    faults: tuple[str, ...]
    """Lines that are not of the format, the first few; each may have named a package."""
    cut: bool = False
    """It has more lines than ``Limits`` allow; the first are here."""


def is_packages_list(head: bytes) -> bool:
    """Tell whether bytes begin with a line of packages.list."""
    line, _, _ = head.partition(b"\n")
    return _LINE.fullmatch(line) is not None


def parse_packages_list(data: Blob, limits: Limits = DEFAULT) -> PackagesList:
    """Read a packages.list; damaged lines are faults, the others are read.

    Raises:
        FormatError: no line is of the format.
        LimitError: it is larger than ``Limits.record_size``.
    """
    if len(data) > limits.record_size:
        raise LimitError(f"a list of {len(data)} bytes; raise --limit record_size")
    raw = bytes(data)
    packages: list[ListedPackage] = []
    wrong: list[int] = []
    cut = False
    for number, line in enumerate(_TEXT_LINE.finditer(raw)):
        cut = number >= limits.record_elements or len(packages) >= limits.record_listings
        if cut:
            break
        found = _package(line.group().removesuffix(b"\r"), line.start())
        if found is not None:
            packages.append(found)
        elif line.group().strip(b" \t\r"):
            wrong.append(line.start())
    if not packages:
        raise FormatError("no line names a package", 0)
    return PackagesList(tuple(packages), tuple(_faults(wrong, raw, cut)), cut)


def _faults(wrong: Sequence[int], raw: bytes, cut: bool) -> Iterator[str]:
    for at in wrong[:_FAULTS]:
        yield f"the line at {at:#x} is none of a package"
    if len(wrong) > _FAULTS:
        yield f"{len(wrong)} such lines in all"
    if not cut and not raw.endswith(b"\n"):
        yield "the last line does not end: the list may be cut off"


def _package(line: bytes, offset: int) -> ListedPackage | None:
    columns = line.decode("utf-8", "replace").split(" ")
    if len(columns) < 4:
        return None
    name, number, debuggable, data_path = columns[:4]
    if not (is_plain_name(name) and number.isascii() and number.isdigit() and len(number) <= 10):
        return None
    if debuggable not in ("0", "1"):
        return None
    version, installer, system = "", "", None
    if len(columns) >= 10:
        version = columns[7] if columns[7].isascii() and columns[7].isdigit() and len(columns[7]) <= 20 else ""
        system = columns[9] in _SYSTEM
        installer = columns[9] if is_plain_name(columns[9]) and not columns[9].startswith("@") else ""
    return ListedPackage(name, offset, int(number), debuggable == "1", data_path[:4096], version, installer, system)
