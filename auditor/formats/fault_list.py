"""Keep the first faults of a structure and count the others, so that damage cannot fill the memory.

Format: none; the readers of file systems use it.

Not read: anything.
"""

from __future__ import annotations

_MOST = 20


class FaultList:
    """Sentences that say what may be missing."""

    def __init__(self) -> None:
        self._first: list[str] = []
        self._count = 0

    def add(self, sentence: str) -> None:
        """Add one; after the first twenty it is only counted."""
        self._count += 1
        if len(self._first) < _MOST:
            self._first.append(sentence)

    def as_tuple(self) -> tuple[str, ...]:
        """The first ones, and how many more there are."""
        more = self._count - len(self._first)
        return (*self._first, *([f"{more} more faults"] if more > 0 else ()))
