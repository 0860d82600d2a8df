"""Read a tar archive as a file system: the tree of its members, and each member as views of the archive.

Specification: POSIX.1-2017 pax (ustar and pax interchange formats); GNU tar manual, appendix "Tar Internals"; V7 tar.
The walk over the headers is our own: tarfile keeps an object of some 1.5 KiB for each member and reads long names and
extended headers whole, however large they say they are.

Not read: archives in several volumes beyond the volume at hand, sparse files as star writes them, access lists,
extended attributes
"""

from __future__ import annotations

from collections.abc import Iterator

from auditor.errors import FormatError, UnsupportedError
from auditor.formats.file_system import DirectoryListing, Node, NodeKind
from auditor.formats.path_tree import ROOT, PathTree
from auditor.formats.source import Source
from auditor.formats.tar_header import BLOCK, ZEROS, is_plausible_v7, parse_header
from auditor.formats.tar_table import FILE, Table
from auditor.formats.tar_walk import Walk
from auditor.limits import DEFAULT, KIB, MIB, Limits

_PIECE = 4 * MIB
_HOLE = bytes(256 * KIB)
_MAGICS = (b"ustar\0", b"ustar ")

_KINDS = (NodeKind.FILE, NodeKind.DIRECTORY, NodeKind.LINK, NodeKind.OTHER)


class Tar:
    """The members of an archive as a tree."""

    def __init__(self, source: Source, table: Table, remarks: tuple[str, ...], faults: tuple[str, ...]) -> None:
        """Take what the walk over the headers found."""
        self._source = source
        self._table = table
        self._remarks = remarks
        self._faults = faults

    @property
    def root(self) -> Node:
        return Node("", NodeKind.DIRECTORY, 0, ROOT)

    @property
    def remarks(self) -> tuple[str, ...]:
        return (*self._faults, *self._remarks)

    @property
    def faults(self) -> tuple[str, ...]:
        """Those of the remarks that say why members may be missing; the listing of the root has them as well."""
        return self._faults

    def __len__(self) -> int:
        """Members, and directories that only their paths name."""
        return len(self._table.tree) - 1

    def list(self, node: Node) -> DirectoryListing:
        """List a directory; of members of one name the last has it, those it replaced have ``#1`` and so on.

        Raises:
            FormatError: it is none.
        """
        if not 0 <= node.key < len(self._table.kinds) or not self._table.tree.is_directory(node.key):
            raise FormatError("no directory of the archive")
        found = [self._node(name, row) for name, row in self._table.tree.children(node.key)]
        found.sort(key=lambda item: item.name)
        return DirectoryListing(tuple(found), self._faults if node.key == ROOT else ())

    def _node(self, raw: bytes, row: int) -> Node:
        table = self._table
        kind = _KINDS[table.kinds[row]]
        # A hard link that was resolved has the row of its target where others have the place of their data.
        target = table.offsets[row] if row in table.targets else row
        size = table.sizes[target] if kind is NodeKind.FILE else 0
        return Node(raw.decode("utf-8", "surrogateescape"), kind, size, target, table.refusals.get(target, ""))

    def chunks(self, node: Node) -> Iterator[bytes | memoryview]:
        """Yield the content of a file, as views of the archive where it is not sparse.

        Raises:
            FormatError: the archive ends before the file does.
            UnsupportedError: ``node.refusal``.
        """
        row, table = node.key, self._table
        if not 0 <= row < len(table.kinds) or table.kinds[row] != FILE:
            raise FormatError("no file of the archive")
        if row in table.refusals:
            raise UnsupportedError(table.refusals[row])
        offset, size = table.offsets[row], table.sizes[row]
        stored = table.maps.get(row)
        if stored is None:
            yield from self._stored(offset, size)
            return
        position = 0
        for start, length in zip(stored[::2], stored[1::2], strict=True):
            yield from _zeros(start - position)
            yield from self._stored(offset, length)
            offset, position = offset + length, start + length
        yield from _zeros(size - position)

    def _stored(self, offset: int, size: int) -> Iterator[bytes | memoryview]:
        end = min(offset + size, self._source.size)
        for at in range(offset, end, _PIECE):
            yield self._source.read(at, min(_PIECE, end - at))
        if end < offset + size:
            raise FormatError(f"the archive is cut off: {offset + size - end} bytes of the file are missing", end)


def _zeros(size: int) -> Iterator[bytes]:
    while size > 0:
        yield _HOLE if size >= len(_HOLE) else _HOLE[:size]
        size -= len(_HOLE)


def is_tar(head: bytes) -> bool:
    """Whether a file that begins with these bytes (512 at least) is a tar archive: its first header must sum up."""
    block = bytes(head[:BLOCK])
    if block[257:263] not in _MAGICS:
        return len(block) == BLOCK and is_plausible_v7(block)
    try:
        return parse_header(block) is not None
    except FormatError:
        return False


def parse_tar(source: Source, limits: Limits = DEFAULT) -> Tar:
    """Walk over the headers of an archive; data is not touched.

    What lies behind damage or behind the end mark is looked for and listed too. Whatever may hide members is among
    the remarks, and in the listing of the root: an archive that is cut off, damaged or larger than ``limits`` allow.

    Raises:
        FormatError: there is no header at its begin.
    """
    if source.size < BLOCK:
        raise FormatError("too short for a tar archive", 0)
    first = bytes(source.read(0, BLOCK))
    if first != ZEROS and parse_header(first) is None:
        raise FormatError("no tar archive: its first header does not sum up", 0)
    walk = Walk(source, Table(PathTree(limits.tar_members)), limits)
    walk.run()
    return Tar(source, walk.table, tuple(walk.remarks), tuple(walk.faults))
