"""Moments as records write them: UTC with Z, or the device's own time without; ordered only as far as that allows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache

_FURTHEST_ZONE = timedelta(hours=14)
"""No zone is further from UTC: local times tell nothing of an order within it."""


@lru_cache(maxsize=4096)
def surely_before(earlier: str, later: str) -> bool:
    """Whether one moment lies before another whatever the zone of local times is; False where either is unknown."""
    # A device has few sources, and each of its apps asks for their order.
    first, second = _parsed(earlier), _parsed(later)
    if first is None or second is None:
        return False
    margin = timedelta(0) if _is_utc(earlier) and _is_utc(later) else _FURTHEST_ZONE
    return second - first > margin


def earliest(moments: Iterable[str]) -> str:
    """The first moment; the UTC one where a local one may be earlier or later. Empty: there is none."""
    utc, local = _split(moments)
    if not utc or not local:
        return min((*utc, *local), default="")
    first, own = min(utc), min(local)
    return own if surely_before(own, first) else first


def latest(moments: Iterable[str]) -> str:
    """The last moment, likewise."""
    utc, local = _split(moments)
    if not utc or not local:
        return max((*utc, *local), default="")
    last, own = max(utc), max(local)
    return own if surely_before(last, own) else last


def _split(moments: Iterable[str]) -> tuple[list[str], list[str]]:
    known = [moment for moment in moments if _parsed(moment) is not None]
    return [moment for moment in known if _is_utc(moment)], [moment for moment in known if not _is_utc(moment)]


def _is_utc(moment: str) -> bool:
    return moment.endswith("Z")


def _parsed(moment: str) -> datetime | None:
    """The moment without its zone; None for what is none."""
    try:
        found = datetime.fromisoformat(moment.removesuffix("Z"))
    except ValueError:
        return None
    return found if found.tzinfo is None else None
