"""Turn an NSKeyedArchiver property list into plain values.

Format: NSKeyedArchiver of Foundation: $archiver, $objects, $top, references as UID; not published by Apple.

Not read: what a class means beyond the collections, strings, data, dates, URLs and identifiers of Foundation: of other
objects the fields are given as a dictionary.
"""

from __future__ import annotations

import math
import plistlib
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from auditor.errors import FormatError, LimitError
from auditor.formats.blob import Blob
from auditor.formats.plist import parse_plist
from auditor.limits import DEFAULT, Limits

_DEPTH = 64
"""Objects inside each other; records of apps need five."""
_EPOCH = datetime(2001, 1, 1)
"""Of NSDate, in UTC."""
_SPAN = 10_000 * 365 * 86_400.0


def parse_keyed_archive(data: Blob, limits: Limits = DEFAULT) -> object:
    """The root object of an archive in dict, list, str, bytes, int, float, bool, datetime (UTC) and None.

    A reference to an object that contains it is None. An archive may be wrapped in a property list that is data.

    Raises:
        FormatError: it is no property list or no archive.
        LimitError: it is deeper or has more objects than is read.
    """
    value = parse_plist(data, limits)
    if isinstance(value, bytes):
        value = parse_plist(value, limits)
    return unarchive(value, limits)


def is_keyed_archive(value: object) -> bool:
    """Whether a property list is an archive."""
    return isinstance(value, dict) and isinstance(value.get("$objects"), list) and isinstance(value.get("$top"), dict)


def unarchive(value: object, limits: Limits = DEFAULT) -> object:
    """The root object of an archive that is already a property list.

    Raises:
        FormatError: it is no archive.
        LimitError: it is deeper or has more objects than is read.
    """
    if not is_keyed_archive(value) or not isinstance(value, dict):
        raise FormatError("the property list is no keyed archive")
    reader = _Reader(value["$objects"], limits.xml_elements)
    top = value["$top"]
    if "root" in top:
        return reader.plain(top["root"], (), 0)
    return {key: reader.plain(item, (), 0) for key, item in top.items() if isinstance(key, str)}


@dataclass(slots=True)
class _Reader:
    objects: list[object]
    left: int
    """Values that may still be built: objects that share others must not multiply them."""

    def plain(self, value: object, around: tuple[int, ...], depth: int) -> object:
        """A value with its references followed; ``around`` are the objects it lies in."""
        self.left -= 1
        if self.left < 0:
            raise LimitError("the objects of the keyed archive multiply")
        if depth > _DEPTH:
            raise LimitError(f"keyed archive deeper than {_DEPTH} objects")
        number = _reference(value)
        if number is not None:
            if number >= len(self.objects):
                raise FormatError(f"the keyed archive has no object {number}")
            if number in around:
                return None
            return self.plain(self.objects[number], (*around, number), depth + 1)
        if value == "$null":
            return None
        if isinstance(value, list):
            return [self.plain(item, around, depth + 1) for item in value]
        if isinstance(value, dict):
            return self._object(value, around, depth)
        return value

    def _object(self, value: dict[object, object], around: tuple[int, ...], depth: int) -> object:
        if "NS.keys" in value and "NS.objects" in value:
            keys = self.plain(value["NS.keys"], around, depth + 1)
            items = self.plain(value["NS.objects"], around, depth + 1)
            if not isinstance(keys, list) or not isinstance(items, list):
                raise FormatError("a dictionary of the keyed archive has no keys")
            return {key: item for key, item in zip(keys, items, strict=False) if isinstance(key, str | int)}
        for name in ("NS.objects", "NS.string", "NS.data", "NS.bytes", "NS.relative"):
            if name in value:
                return self.plain(value[name], around, depth + 1)
        seconds = value.get("NS.time")
        if isinstance(seconds, int | float):
            return _moment(seconds)
        raw = value.get("NS.uuidbytes")
        if isinstance(raw, bytes) and len(raw) == 16:
            return str(uuid.UUID(bytes=raw)).upper()
        return {
            key: self.plain(item, around, depth + 1)
            for key, item in value.items()
            if isinstance(key, str) and key != "$class"
        }


def _reference(value: object) -> int | None:
    """The number of the object a reference means; XML writes it as a dictionary."""
    if isinstance(value, plistlib.UID):
        return value.data
    if isinstance(value, dict) and len(value) == 1:
        number = value.get("CF$UID")
        return number if isinstance(number, int) and number >= 0 else None
    return None


def _moment(seconds: float) -> datetime | None:
    if isinstance(seconds, float) and not math.isfinite(seconds):
        return None
    if abs(seconds) > _SPAN:
        return None
    try:
        return _EPOCH + timedelta(seconds=round(seconds))
    except OverflowError:
        return None
