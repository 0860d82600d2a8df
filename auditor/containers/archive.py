"""A zip archive as a container: its members, unpacked on demand within the run's bounds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter

from auditor.containers.mapping import count_read
from auditor.containers.member import Budget
from auditor.containers.spool import spool
from auditor.errors import FormatError, LimitError
from auditor.formats.blob import Blob
from auditor.formats.source import BlobSource, Source
from auditor.formats.zip import STORED, Archive, Entry
from auditor.model import Origin

_PEEK = 64


@dataclass(frozen=True, slots=True)
class ArchiveMember:
    """One entry of a zip archive."""

    archive: Archive
    entry: Entry
    origin: Origin
    budget: Budget

    @property
    def path(self) -> str:
        return self.entry.name

    @property
    def size(self) -> int:
        return self.entry.size

    def open(self) -> Blob:
        """All bytes: a view of the archive for a stored entry, memory or an anonymous file for a packed one."""
        limits = self.budget.limits
        if self.entry.method == STORED and self.entry.compressed_size == self.entry.size:
            return self.archive.view(self.entry)
        if self.entry.size > limits.member_size:
            raise LimitError(f"{self.entry.size} bytes in one member; raise --limit member_size")
        if self.entry.size > limits.spool_memory:
            return spool(self.archive.chunks(self.entry), self.budget, limits.member_size, name="member_size")
        self.budget.spend(self.entry.size)
        count_read(self.entry.size)
        return self.archive.read(self.entry, limits.member_size)

    def source(self) -> Source:
        """The bytes at offsets, for who wants to look inside: an image in an archive is larger than what apps hold."""
        if self.entry.size <= self.budget.limits.member_size:
            return BlobSource(self.open())
        if self.entry.method == STORED and self.entry.compressed_size == self.entry.size:
            return BlobSource(self.archive.view(self.entry))
        return BlobSource(spool(self.archive.chunks(self.entry), self.budget, self.budget.limits.spool_size))

    def peek(self, size: int) -> bytes:
        try:
            return next(self.archive.chunks(self.entry, max(size, _PEEK)), b"")[:size]
        except FormatError:
            return b""


def find_members(archive: Archive, origin: Origin, budget: Budget) -> Iterator[ArchiveMember]:
    """The files of an archive in the order of their names; of duplicates every one that has bytes of its own.

    Which of several the platform uses differs between releases and between Android and iOS, so none may hide another:
    the first is the one ``Archive.find`` returns. A link is a file whose content is a path: nothing follows it, and
    Android does not know the mark that makes it one. A folder that has content is a file to who asks for its bytes.
    """
    seen: set[tuple[str, int]] = set()
    for entry in sorted(archive.entries, key=attrgetter("name")):
        key = (entry.name, entry.header_offset)
        if key not in seen and (entry.size or not entry.is_directory):
            seen.add(key)
            yield ArchiveMember(archive, entry, origin.child(entry.name), budget)
