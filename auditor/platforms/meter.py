"""How far a search is: bytes of the inputs that lie behind it, also while it is inside an image or an archive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

_STEPS = 1000
"""So many times at most an observer is told of files that are no apps."""


@dataclass(slots=True)
class _Frame:
    """A file that is being looked into."""

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
        self._frames.append(_Frame(float(self.total), 1.0))

    @property
    def done(self) -> int:
        """Bytes of the inputs that lie behind the search."""
        return int(self._done)

    def enter(self, size: int) -> None:
        """Go into a file of so many bytes, as its container states them."""
        outer = self._frames[-1]
        share = self._share(size)
        self._frames.append(_Frame(min(self._done + share, outer.end), share / size if size > 0 else 0.0))

    def expect(self, size: int) -> None:
        """Say that what lies in the file that was entered adds up to so many bytes."""
        frame = self._frames[-1]
        frame.scale = (frame.end - self._done) / size if size > 0 else 0.0

    def leave(self, *, counted: bool) -> None:
        """Go out of a file; one that is not ``counted`` is read later, and then counted by ``add``."""
        frame = self._frames.pop()
        if counted:
            self._advance(frame.end)

    def add(self, size: int) -> None:
        """Count bytes that were read of the file that was entered."""
        self._advance(self._done + self._share(size))

    def _share(self, size: int) -> float:
        frame = self._frames[-1]
        return max(0.0, min(size * frame.scale, frame.end - self._done))

    def _advance(self, done: float) -> None:
        self._done = max(self._done, done)
        if (self._done - self._told) * _STEPS >= self.total:
            self._told = self._done
            self.tell()
