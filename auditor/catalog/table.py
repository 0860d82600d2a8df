"""Reads one TOML table by closed keys and collects every fault instead of stopping at the first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from difflib import get_close_matches
from enum import StrEnum
from typing import TypeVar

from auditor.catalog.nouns import Fault

_Choice = TypeVar("_Choice", bound=StrEnum)
_Item = TypeVar("_Item")
_SHORTHAND = {str: "a string", int: "a whole number", bool: "true or false", list: "a list", dict: "a table"}


def nearest(name: str, known: Iterator[str] | tuple[str, ...]) -> str:
    """A recommendation that names the closest of the ``known`` words."""
    words = sorted(known)
    close = get_close_matches(name, words, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"use one of: {', '.join(words)}"


@dataclass(slots=True)
class Table:
    """A TOML table whose keys are asked for one by one; ``close`` reports those nobody asked for."""

    file: str
    path: str
    data: dict[str, object]
    faults: list[Fault]
    asked: set[str] = field(default_factory=set)

    def fault(self, key: str, what: str, recommendation: str) -> None:
        """Note a fault at ``key`` of this table."""
        place = ".".join(part for part in (self.path, key) if part)
        self.faults.append(Fault(self.file, place, what, recommendation))

    def _get(self, key: str, kind: type[_Item], required: bool) -> _Item | None:
        self.asked.add(key)
        value = self.data.get(key)
        if value is None:
            if required:
                self.fault(key, "is missing", f"add it as {_SHORTHAND[kind]}")
            return None
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            self.fault(key, f"is {type(value).__name__}", f"write {_SHORTHAND[kind]}")
            return None
        return value

    def text(self, key: str, default: str | None = None) -> str:
        """A string; without ``default`` it must be there and not be empty."""
        value = self._get(key, str, required=default is None)
        if value is None:
            return default or ""
        if not value.strip():
            self.fault(key, "is empty", "fill it in or leave the key out")
        return value

    def optional(self, key: str) -> str | None:
        """A string, or None where the key is absent."""
        self.asked.add(key)
        return self.text(key, "") if key in self.data else None

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of distinct, non-empty strings; absent means none."""
        values = self._get(key, list, required=False) or []
        out: dict[str, None] = {}
        for value in values:
            if not isinstance(value, str) or not value:
                self.fault(key, f"holds {value!r}", "list non-empty strings only")
            elif value in out:
                self.fault(key, f"lists {value!r} twice", "delete one of them")
            else:
                out[value] = None
        return tuple(out)

    def number(self, key: str, default: int) -> int:
        """A whole number of at least one."""
        value = self._get(key, int, required=False)
        if value is not None and value < 1:
            self.fault(key, f"is {value}", "write a number of at least 1")
        return default if value is None else value

    def numbers(self, key: str) -> tuple[int, ...]:
        """A list of whole numbers from zero up; absent means none."""
        values = self._get(key, list, required=False) or []
        wrong = [item for item in values if not isinstance(item, int) or isinstance(item, bool) or item < 0]
        if wrong:
            self.fault(key, f"holds {wrong[0]!r}", "list whole numbers from 0 up")
        return () if wrong else tuple(values)

    def flag(self, key: str) -> bool | None:
        """True, false, or None where the key is absent."""
        return self._get(key, bool, required=False)

    def day(self, key: str) -> date | None:
        """A TOML date, or None where the key is absent."""
        self.asked.add(key)
        value = self.data.get(key)
        if value is None:
            return None
        if isinstance(value, datetime) or not isinstance(value, date):
            self.fault(key, f"is {value!r}", "write a date without quotes, as 2021-01-05")
            return None
        return value

    def choice(self, key: str, options: type[_Choice], default: _Choice | None = None) -> _Choice | None:
        """One word of a closed vocabulary; None after a fault."""
        word = self.text(key, default)
        if not word:
            return default
        return as_choice(word, options, lambda what, hint: self.fault(key, what, hint))

    def tables(self, key: str) -> Iterator[Table]:
        """The tables of an array of tables, each with its id or name in its path."""
        for number, item in enumerate(self._get(key, list, required=False) or []):
            if not isinstance(item, dict):
                self.fault(key, f"holds {item!r}", f"write it as [[{key}]]")
                continue
            label = item.get("id", item.get("name", number))
            path = ".".join(part for part in (self.path, f"{key}[{label}]") if part)
            yield Table(self.file, path, item, self.faults)

    def mapping(self, key: str) -> dict[str, object]:
        """A table with free keys; absent means empty."""
        return self._get(key, dict, required=False) or {}

    def close(self) -> None:
        """Report every key that nobody asked for."""
        for key in sorted(set(self.data) - self.asked):
            self.fault(key, "is an unknown key", nearest(key, tuple(self.asked)))


def as_choice(word: str, options: type[_Choice], report: Callable[[str, str], None]) -> _Choice | None:
    """The member of ``options`` spelled ``word``; None and a report otherwise."""
    try:
        return options(word)
    except ValueError:
        report(f"is {word!r}", nearest(word, tuple(item.value for item in options)))
        return None
