"""What every file system reader offers: directories to list, files to read, and what could not be.

Contract: a reader never follows a link, never trusts a count, and says why a file cannot be read.

Not read: anything by itself; ext4, EROFS, F2FS, FAT and tar implement it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class NodeKind(Enum):
    """What an entry of a directory is."""

    FILE = "file"
    DIRECTORY = "directory"
    LINK = "link"
    OTHER = "other"
    """Device node, pipe, socket: there is nothing to read."""


@dataclass(frozen=True, slots=True)
class Node:
    """One entry of a directory."""

    name: str
    """Bytes that are no UTF-8 as surrogate escapes; never '', '.', '..', never with '/' or NUL in it."""
    kind: NodeKind
    size: int
    """Bytes of a file as stated; 0 for the rest."""
    key: int
    """What the reader finds it by (inode number, nid, index); the same for hard links of one file."""
    refusal: str = ""
    """Why its content cannot be read (encrypted, compressed in a way that is not read), in a clause; empty: it can."""


@dataclass(frozen=True, slots=True)
class DirectoryListing:
    """What a directory holds."""

    nodes: tuple[Node, ...]
    """Ascending by name; each name once."""
    faults: tuple[str, ...] = ()
    """Why entries may be missing, in sentences; empty: it was listed in full."""


class FileSystem(Protocol):
    """A tree of files in an image."""

    @property
    def root(self) -> Node:
        """The uppermost directory; its name is ''."""
        ...

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the user should know of the whole, in sentences: a journal not replayed, files encrypted."""
        ...

    def list(self, node: Node) -> DirectoryListing:
        """List a directory. A cycle is the caller's to notice, by keys.

        Raises:
            FormatError: nothing of it can be listed.
        """
        ...

    def chunks(self, node: Node) -> Iterator[bytes | memoryview]:
        """Yield the content of a file in order, holes as zeros, ``node.size`` bytes in all, in pieces of some MiB.

        Raises:
            FormatError: the content cannot be read, from there on.
            UnsupportedError: ``node.refusal``.
        """
        ...
