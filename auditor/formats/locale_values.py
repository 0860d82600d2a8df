"""Values of one resource by locale, with references to other resources followed.

Spec: developer.android.com/guide/topics/resources/providing-resources (how a locale falls back).

Not read: other configuration axes; of several values for one locale the plainest configuration counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from auditor.formats.android_xml import REFERENCES, Value, value_text

_LOOKUPS: Final = 128
"""Resources looked up for one answer; a label needs one to three."""


class LocaleValue(NamedTuple):
    """One value with the locale of its configuration ('' for the default)."""

    locale: str
    value: Value


Lookup = Callable[[Value], list[LocaleValue]]


def follow_references(values: Iterable[LocaleValue], lookup: Lookup, hops: int) -> tuple[tuple[str, str], ...]:
    """Return (locale, text) pairs, ascending.

    A default value that is a reference brings along every locale of what it points to; one of a locale takes the
    best value for that locale.
    """
    return tuple(sorted(_Follower(lookup).texts(values, hops).items()))


class _Follower:
    """Looks up each resource once; what is being looked up already counts as empty, so cycles end."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._known: dict[tuple[int, str], dict[str, str]] = {}

    def texts(self, values: Iterable[LocaleValue], hops: int) -> dict[str, str]:
        own: dict[str, str] = {}
        inherited: dict[str, str] = {}
        for locale, value in values:
            if value.type not in REFERENCES:
                text = value_text(value)
                if text is not None:
                    own.setdefault(locale, text)
                continue
            target = self._target(value, hops)
            if locale == "":
                inherited = target | inherited
            else:
                best = _best(target, locale)
                if best is not None:
                    own.setdefault(locale, best)
        return inherited | own

    def _target(self, value: Value, hops: int) -> dict[str, str]:
        key = (value.data, value.reference)
        if key in self._known:
            return self._known[key]
        if hops <= 0 or len(self._known) >= _LOOKUPS:
            return {}
        self._known[key] = {}
        found = self.texts(self._lookup(value), hops - 1)
        self._known[key] = found
        return found


def _best(texts: dict[str, str], locale: str) -> str | None:
    """The text for a locale: its own, that of a shorter tag, or the default."""
    parts = locale.split("-")
    while parts:
        tag = "-".join(parts)
        if tag in texts:
            return texts[tag]
        parts.pop()
    return texts.get("")
