"""How far a search is: bytes of the inputs that lie behind it, also while it is inside an image or an archive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

_STEPS = 1000
"""So many times at most an observer is told of files that are no apps."""


@dataclass(slots=True)
class _Frame:
    """A file that is being looked into."""

    start: float
    end: float
    """Bytes of the inputs behind the search once the file is."""
    scale: float
    """Bytes of the inputs for each byte of what lies in the file."""


@dataclass(slots=True)
class Meter:
    """Counts what was walked past; never backwards, never above the total.

    What lies in a file counts for its share of the file, whatever it unpacks to; the rest of the share is counted when
    the file is left. An image with room left in it thus jumps at its end, and one that packs its files waits there.
    """

    total: int
    tell: Callable[[], None] = field(repr=False)
    """Called when some thousandth of the total went by."""
    _done: float = 0.0
    _told: float = 0.0
    _frames: list[_Frame] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._frames.append(_Frame(0.0, float(self.total), 1.0))

    @property
    def done(self) -> int:
        """Bytes of the inputs that lie behind the search."""
        return round(self._done)

    def enter(self, size: int) -> None:
        """Go into a file of so many bytes, as its container states them."""
        outer = self._frames[-1]
        share = self._share(size)
        end = min(self._done + share, outer.end)
        self._frames.append(_Frame(self._done, end, share / size if size > 0 else 0.0))

    def expect(self, size: int) -> None:
        """Say that what lies in the file that was entered adds up to so many bytes."""
        frame = self._frames[-1]
        frame.scale = (frame.end - self._done) / size if size > 0 else 0.0

    def leave(self, *, counted: bool) -> None:
        """Go out of a file; one that is not ``counted`` is read later, and then counted by ``add``."""
        frame = self._frames.pop()
        if not counted:
            return
        self._advance(frame.end)

    def creep(self, size: int) -> None:
        """Count bytes that the file unpacks to: what that will add up to is not known, so they go to half its share."""
        frame = self._frames[-1]
        middle = (frame.start + frame.end) / 2
        if self._done < middle:
            part = size * frame.scale / (2 * (frame.end - frame.start))
            self._advance(self._done + (middle - self._done) * min(part, 1.0))

    def finish(self) -> None:
        """Say that nothing is left, whatever was not met again."""
        if round(self._told) < self.total:
            self._done = self._told = float(self.total)
            self.tell()

    def add(self, size: int) -> None:
        """Count bytes that were read of the file that was entered; the caller tells."""
        self._done = self._told = self._done + self._share(size)

    def _share(self, size: int) -> float:
        frame = self._frames[-1]
        return max(0.0, min(size * frame.scale, frame.end - self._done))

    def _advance(self, done: float) -> None:
        self._done = max(self._done, done)
        if (self._done - self._told) * _STEPS >= self.total > 0:
            self._told = self._done
            self.tell()
