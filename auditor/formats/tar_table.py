"""Keep where each member of a tar archive lies, in some thirty bytes for each beside its name.

Contract: rows are those of the tree; hard links are resolved once, at the end.

Format: none; the walk over the archive fills it.

Not read: anything by itself.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from dataclasses import dataclass, field

from auditor.formats.path_tree import PathTree

FILE, DIRECTORY, LINK, OTHER, HARD_LINK, _PASSED = range(6)
"""What a row of the table is; the first four are node kinds."""


@dataclass(slots=True)
class Table:
    """What is known of each row of the tree beside its name."""

    tree: PathTree
    kinds: bytearray = field(default_factory=lambda: bytearray([DIRECTORY]))
    offsets: array[int] = field(default_factory=lambda: array("Q", [0]))
    sizes: array[int] = field(default_factory=lambda: array("Q", [0]))
    maps: dict[int, array[int]] = field(default_factory=dict)
    """Offset and size in turn, of the parts of a sparse file that are stored."""
    targets: dict[int, bytes] = field(default_factory=dict)
    """What hard links name."""
    refusals: dict[int, str] = field(default_factory=dict)

    def fill(self, row: int, kind: int, offset: int, size: int) -> None:
        """Take what a member says; directories above it that have no member of their own come with it."""
        missing = row + 1 - len(self.kinds)
        if missing > 0:
            self.kinds.extend([DIRECTORY] * missing)
            self.offsets.extend([0] * missing)
            self.sizes.extend([0] * missing)
        self.kinds[row], self.offsets[row], self.sizes[row] = kind, offset, size

    def complete(self) -> None:
        """Fill in the directories that only paths name, sort the tree, and resolve hard links."""
        if len(self.kinds) < len(self.tree):
            self.fill(len(self.tree) - 1, DIRECTORY, 0, 0)
        wanted: dict[int, list[tuple[bytes, int]]] = {}
        for row, path in self.targets.items():
            above, name = self.tree.find(path)
            wanted.setdefault(above, []).append((name, row))
        self.tree.freeze()
        for above, links in wanted.items():
            self._find_targets(above, links)
        for row in list(self.targets):
            self._follow(row)

    def _find_targets(self, above: int, links: list[tuple[bytes, int]]) -> None:
        """Point links at rows of one directory: the last of the name before the link, as tar does, else one behind."""
        named: dict[bytes, list[int]] = {}
        for child in self.tree.rows_below(above) if above >= 0 else ():
            named.setdefault(self.tree.name(child), []).append(child)
        for name, row in links:
            rows = named.get(name, [])
            at = bisect_left(rows, row)
            behind = rows[at : at + 2]
            self.offsets[row] = rows[at - 1] if at else next((item for item in behind if item != row), row)

    def _follow(self, row: int) -> None:
        """Let a link, and those it leads through, stand for the member at the end; a ring or a gap refuses them."""
        passed = []
        while self.kinds[row] == HARD_LINK:
            self.kinds[row] = _PASSED
            passed.append(row)
            row = self.offsets[row]
        kind = self.kinds[row]
        end = self.offsets[row] if row in self.targets else row
        for link in passed:
            if kind in (DIRECTORY, _PASSED):
                self.fill(link, FILE, 0, 0)
                path = self.targets.pop(link).decode("utf-8", "backslashreplace")
                self.refusals[link] = f"a hard link to {path}, which is no file of the archive"
            else:
                self.kinds[link], self.offsets[link] = kind, end
