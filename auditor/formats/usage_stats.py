"""Read usage statistics: which packages were used in a day, week, month or year, those removed since included.

Format: AOSP's com.android.server.usage: UsageStatsXmlV1 (to Android 9), usagestatsservice.proto (10) and
usagestatsservice_v2.proto (from 11), where packages are numbers that the file ``mappings`` tells.

Not read: durations, counts, classes, configurations, shortcuts; backups of the statistics.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from auditor.errors import FormatError, LimitError
from auditor.formats.android_names import is_package_name
from auditor.formats.android_xml import Element, attribute_text, parse_text_xml
from auditor.formats.blob import Blob
from auditor.formats.proto_wire import LENGTH_DELIMITED, VARINT, find_fields
from auditor.limits import DEFAULT, Limits

_POOL, _PACKAGE, _EVENT, _PENDING = 2, 20, 22, 23
_POOL_STRING: Final = 2
_NAME, _INDEX = 1, 2
_TIMES: Final = {_PACKAGE: (3, 8, 10, 12), _EVENT: (5, 3), _PENDING: (5, 3)}
"""Fields that hold a time of use: last active, service used, visible, component used; of an event its time."""
_MAP: Final = 2
_MAP_TOKEN, _MAP_STRING = 1, 2
_SIGN: Final = 1 << 63


@dataclass(frozen=True, slots=True)
class UsedPackage:
    """A package that statistics name."""

    name: str
    last_used_ms: int | None
    """Since 1970; None: named, with no use in this time."""


@dataclass(frozen=True, slots=True)
class UsageStats:
    """What one file says."""

    packages: tuple[UsedPackage, ...]
    """Ascending by name."""
    unresolved: int = 0
    """Packages that are numbers which no mapping tells."""
    unread: int = 0
    """Entries with what is no name of a package."""


class _Uses:
    """The latest use of each package."""

    def __init__(self, begin_ms: int, limits: Limits) -> None:
        self.latest: dict[str, int | None] = {}
        self.unresolved: set[int] = set()
        self.unread = 0
        self._begin = begin_ms
        self._limits = limits
        self._count = 0

    def count(self) -> None:
        self._count += 1
        most = 2 * self._limits.record_elements
        if self._count > most:
            raise LimitError(f"more than {most} entries of usage statistics; raise --limit record_elements")

    def add(self, name: str, offset_ms: int | None) -> None:
        if not is_package_name(name):
            self.unread += 1
            return
        used = None if offset_ms is None or self._begin + offset_ms <= 0 else self._begin + offset_ms
        if name not in self.latest and len(self.latest) >= self._limits.record_listings:
            raise LimitError(f"more than {self._limits.record_listings} packages; raise --limit record_listings")
        before = self.latest.setdefault(name, None)
        if used is not None and (before is None or used > before):
            self.latest[name] = used

    def result(self) -> UsageStats:
        packages = tuple(UsedPackage(name, used) for name, used in sorted(self.latest.items()))
        return UsageStats(packages, len(self.unresolved), self.unread)


def parse_usage_stats(
    data: Blob, begin_ms: int, names: Mapping[int, str] | None = None, limits: Limits = DEFAULT
) -> UsageStats:
    """Read one file; ``begin_ms`` is its name, ``names`` what ``parse_usage_mappings`` gives.

    Raises:
        FormatError: it is no such file.
        LimitError: it is larger than ``limits`` allow.
    """
    if len(data) > limits.manifest_size:
        raise LimitError(f"{len(data)} bytes of usage statistics; raise --limit manifest_size")
    raw = bytes(data)
    uses = _Uses(begin_ms, limits)
    if raw.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        _read_xml(raw, uses, limits)
    else:
        _read_messages(raw, uses, {} if names is None else names)
    return uses.result()


def parse_usage_mappings(data: Blob, limits: Limits = DEFAULT) -> dict[int, str]:
    """The package of each number, as the file ``mappings`` has them.

    Raises:
        FormatError: it is no such file.
        LimitError: it is larger than ``limits`` allow.
    """
    if len(data) > limits.manifest_size:
        raise LimitError(f"{len(data)} bytes of usage mappings; raise --limit manifest_size")
    raw = bytes(data)
    names: dict[int, str] = {}
    for number, kind, start, end in find_fields(raw, 0, len(raw)):
        if number == _MAP and kind == LENGTH_DELIMITED:
            if len(names) >= limits.record_listings:
                raise LimitError(f"more than {limits.record_listings} packages; raise --limit record_listings")
            token, name = 0, ""
            for inner, form, first, last in find_fields(raw, start, end):
                if inner == _MAP_TOKEN and form == VARINT:
                    token = first
                elif inner == _MAP_STRING and form == LENGTH_DELIMITED and not name:
                    name = _text(raw, first, last)
            if is_package_name(name):
                names.setdefault(token, name)
        elif number != 1 or kind != VARINT:
            raise FormatError("no mappings of usage statistics", start)
    return names


def _read_xml(raw: bytes, uses: _Uses, limits: Limits) -> None:
    most = min(limits.xml_elements, 2 * limits.record_elements)
    root = parse_text_xml(raw, replace(limits, xml_elements=most)).root
    if root.name != "usagestats":
        raise FormatError("no usage statistics")
    for group in root.children:
        for entry in group.children:
            if entry.name not in ("package", "event"):
                continue
            uses.count()
            time = "lastTimeActive" if entry.name == "package" else "time"
            uses.add(attribute_text(entry, "package"), _offset(entry, time))


def _offset(entry: Element, name: str) -> int | None:
    text = attribute_text(entry, name)
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else None


def _read_messages(raw: bytes, uses: _Uses, names: Mapping[int, str]) -> None:
    pool: list[str] | None = None
    entries: list[tuple[int, int, int]] = []
    known = False
    for number, kind, start, end in find_fields(raw, 0, len(raw)):
        if kind == LENGTH_DELIMITED and number == _POOL:
            pool = list(_find_pool(raw, start, end, uses))
        elif kind == LENGTH_DELIMITED and number in _TIMES:
            uses.count()
            entries.append((number, start, end))
        known = known or (number == 1 and kind == VARINT)
    if not known:
        raise FormatError("no usage statistics")
    for number, start, end in entries:
        _read_entry(raw, (number, start, end), uses, pool, names)


def _find_pool(raw: bytes, start: int, end: int, uses: _Uses) -> Iterator[str]:
    for number, kind, first, last in find_fields(raw, start, end):
        if number == _POOL_STRING and kind == LENGTH_DELIMITED:
            uses.count()
            yield _text(raw, first, last)


def _read_entry(
    raw: bytes, entry: tuple[int, int, int], uses: _Uses, pool: list[str] | None, names: Mapping[int, str]
) -> None:
    """A package or an event; field 1 is a name (Android 10) or a number (from 11), field 2 an index of the pool."""
    kind, start, end = entry
    name: str | None = None
    token = 0
    times: list[int] = []
    allowed = _TIMES[kind] if kind == _PACKAGE else (_TIMES[kind][0] if pool is not None else _TIMES[kind][1],)
    for number, form, first, last in find_fields(raw, start, end):
        if number == _NAME and form == LENGTH_DELIMITED:
            name = _text(raw, first, last)
        elif form == VARINT and number == (_NAME if pool is None else _INDEX):
            token = first
        elif form == VARINT and number in allowed:
            times.append(first - (first & _SIGN) * 2)
    if name is None and pool is not None:
        name = pool[token - 1] if 0 < token <= len(pool) else None
    elif name is None:
        name = names.get(token)
    if name is None:
        uses.unresolved.add(token)
    else:
        uses.add(name, max(times, default=None))


def _text(raw: bytes, start: int, end: int) -> str:
    return raw[start : min(end, start + 1024)].decode("utf-8", "replace")
