"""Keep the paths of an archive with millions of members as a tree, in some sixty bytes for each.

Contract: names of every row once, in one run of bytes; a row is a number; nothing is found by walking up.

Format: none; paths are bytes with '/' between names.

Not read: anything by itself; tar gives the paths.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator

from auditor.errors import LimitError

ROOT = 0
_ODD = re.compile(rb"(?:\A|/)\.{0,2}(?:/|\Z)")
NAME_SIZE = 256
"""Bytes that the names of an archive may have on average."""
_DEPTH = 250
"""Names of one path; a longer one keeps the last under the deepest directory."""


class PathTree:
    """Rows of names, each with the row of its directory; paths never lead out of the root."""

    def __init__(self, limit: int) -> None:
        """Begin with the root directory alone; ``limit`` bounds the rows."""
        self._limit = limit
        self._parents = array("I", [ROOT])
        self._ends = array("Q", [0])
        self._names = bytearray()
        self._directories: dict[bytes, int] = {}
        self._is_directory = bytearray(b"\x01")
        self._last: tuple[bytes, int] = (b"", ROOT)
        self._order = array("I")
        self._starts = array("I")
        self.climbing = 0
        """Paths with '..' in them."""
        self.absolute = 0
        """Paths that begin with '/'."""
        self.deep = 0
        """Paths that were shortened."""

    def __len__(self) -> int:
        return len(self._parents)

    def name(self, row: int) -> bytes:
        """Return the name of a row as the archive has it."""
        return bytes(self._names[self._ends[row - 1] if row else 0 : self._ends[row]])

    def path(self, row: int) -> bytes:
        """Return the whole path of a row, without a leading '/'."""
        names = []
        while row:
            names.append(self.name(row))
            row = self._parents[row]
        return b"/".join(reversed(names))

    def is_directory(self, row: int) -> bool:
        """Whether a row is a directory."""
        return self._is_directory[row] == 1

    def add_file(self, path: bytes, nameless: bytes = b"unnamed") -> int:
        """Add what is no directory, with the directories above it, and return its row.

        Raises:
            LimitError: there are more rows than allowed.
        """
        above, name = self.place(path)
        return self._add(above, name or nameless, 0)

    def add_directory(self, path: bytes) -> int:
        """Return the row of a directory, which is added where it is not there yet.

        Raises:
            LimitError: there are more rows than allowed.
        """
        above, name = self.place(path)
        return self._descend(above, [name]) if name else ROOT

    def place(self, path: bytes) -> tuple[int, bytes]:
        """Return (row of the directory, last name) for a path; the name is empty for the root itself.

        Raises:
            LimitError: there are more rows than allowed.
        """
        if path.startswith(b"./"):
            path = path[2:]
        if _ODD.search(path):
            path = b"/".join(self._clean(path))
        above, _, name = path.rpartition(b"/")
        if above != self._last[0]:
            names = above.split(b"/")
            if len(names) > _DEPTH:
                self.deep += 1
            self._last = above, self._descend(ROOT, names[:_DEPTH])
        return self._last[1], name

    def find(self, path: bytes) -> tuple[int, bytes]:
        """Return (row of the directory, last name) for a path, -1 where there is no such directory; add nothing."""
        counts = self.climbing, self.absolute
        names = self._clean(path)
        self.climbing, self.absolute = counts
        row = ROOT
        for name in names[:-1][:_DEPTH]:
            child = self._directories.get(b"%d/%s" % (row, name))
            if child is None:
                return -1, b""
            row = child
        return row, names[-1] if names else b""

    def _clean(self, path: bytes) -> list[bytes]:
        self.absolute += path.startswith(b"/")
        names: list[bytes] = []
        climbs = False
        for name in path.split(b"/"):
            if name == b"..":
                climbs = True
                del names[-1:]
            elif name not in (b"", b"."):
                names.append(name)
        self.climbing += climbs
        return names

    def _descend(self, row: int, names: Iterable[bytes]) -> int:
        for name in names:
            if not name:
                continue
            key = b"%d/%s" % (row, name)
            child = self._directories.get(key)
            if child is None:
                child = self._directories[key] = self._add(row, name, 1)
            row = child
        return row

    def _add(self, above: int, name: bytes, is_directory: int) -> int:
        row = len(self._parents)
        if row > self._limit:
            raise LimitError(f"more than {self._limit} members in an archive; raise --limit tar_members")
        if len(self._names) + len(name) > self._limit * NAME_SIZE:
            raise LimitError(f"names of more than {self._limit * NAME_SIZE} bytes; raise --limit tar_members")
        self._parents.append(above)
        self._names += name
        self._ends.append(len(self._names))
        self._is_directory.append(is_directory)
        return row

    def freeze(self) -> None:
        """Sort the rows by directory: nothing may be added after it."""
        self._directories.clear()
        parents = self._parents
        starts = array("I", bytes(4 * (len(parents) + 1)))
        for at in range(1, len(parents)):
            starts[parents[at] + 1] += 1
        total = 0
        for at, count in enumerate(starts):
            total += count
            starts[at] = total
        order, free = array("I", bytes(4 * total)), array("I", starts)
        for row in range(1, len(parents)):
            above = parents[row]
            order[free[above]] = row
            free[above] += 1
        self._starts, self._order = starts, order

    def rows_below(self, row: int) -> array[int]:
        """Return the rows directly in a directory, in the order they were added."""
        return self._order[self._starts[row] : self._starts[row + 1]]

    def children(self, row: int) -> Iterator[tuple[bytes, int]]:
        """Yield (name, row) of a directory, each name once.

        Of several members of one name the last has it, or the directory; the others have ``#1``, ``#2`` behind it,
        since what was replaced was there all the same.
        """
        named: dict[bytes, int] = {}
        replaced: list[int] = []
        for child in self.rows_below(row):
            name = self.name(child)
            before = named.get(name)
            if before is None:
                named[name] = child
            elif self.is_directory(before):
                replaced.append(child)
            else:
                replaced.append(before)
                named[name] = child
        yield from named.items()
        turns: dict[bytes, int] = {}
        for child in sorted(replaced):
            name = self.name(child)
            turn = turns.get(name, 0) + 1
            while b"%s#%d" % (name, turn) in named:
                turn += 1
            turns[name] = turn
            yield b"%s#%d" % (name, turn), child
