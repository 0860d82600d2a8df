"""Read ext2, ext3 and ext4 file systems: Android partitions, full extractions of user data, Linux images.

Specification: Linux kernel documentation, ext4 data structures and algorithms.

Not read: the journal, what file-based encryption keeps secret, checksums, backup superblocks, targets of links,
file systems with the features compression or dirdata.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from auditor.errors import FormatError, LimitError, UnsupportedError
from auditor.formats.ext4_blocks import find_runs
from auditor.formats.ext4_directory import Entry, parse_entries, without_dots
from auditor.formats.ext4_inline import read_inline
from auditor.formats.ext4_layout import (
    FLAG_INLINE_DATA,
    ROOT_INODE,
    SUPERBLOCK_OFFSET,
    SUPERBLOCK_SIZE,
    Inode,
    Superblock,
    is_superblock,
    parse_superblock,
    read_inode,
)
from auditor.formats.fault_list import FaultList
from auditor.formats.file_system import DirectoryListing, Node, NodeKind
from auditor.formats.source import Source, check_range
from auditor.limits import DEFAULT, MIB, Limits

_PIECE_SIZE = 4 * MIB
_ENCRYPTED = "encrypted (file-based encryption)"
_KINDS = {1: NodeKind.FILE, 2: NodeKind.DIRECTORY, 7: NodeKind.LINK}


@dataclass(frozen=True, slots=True)
class Ext4:
    """A file system in an image. Every file and directory is found by its inode number."""

    source: Source = field(repr=False)
    superblock: Superblock
    root: Node
    remarks: tuple[str, ...]
    limits: Limits = field(default=DEFAULT, repr=False)

    def list(self, node: Node) -> DirectoryListing:
        """List a directory; one that is encrypted is listed with the names as they are stored, and a fault.

        Raises:
            FormatError: it is no directory, or nothing of it can be read.
        """
        inode = read_inode(self.source, self.superblock, node.key)
        if not inode.is_directory:
            raise FormatError(f"inode {inode.number} is no directory")
        found = _Found(inode.is_encrypted)
        if inode.is_encrypted:
            found.faults.add("the names in this directory are encrypted (file-based encryption)")
        if inode.flags & FLAG_INLINE_DATA:
            self._list_inline(inode, found)
        else:
            self._list_blocks(inode, found)
        nodes = [self._node(name, entry) for name, entry in sorted(found.entries.items())]
        return DirectoryListing(tuple(nodes), found.faults.as_tuple())

    def chunks(self, node: Node) -> Iterator[bytes | memoryview]:
        """Yield the content of a file, holes as zeros; never more than the image and one member of the limits together.

        Raises:
            FormatError: it is no file, or its content cannot be read, from there on.
            UnsupportedError: it is encrypted.
            LimitError: its stated size is far more than the image could hold.
        """
        inode = read_inode(self.source, self.superblock, node.key)
        if not inode.is_regular:
            raise FormatError(f"inode {inode.number} is no file")
        if inode.is_encrypted:
            raise UnsupportedError(_ENCRYPTED)
        if inode.flags & FLAG_INLINE_DATA:
            yield self._read_inline_file(inode)
            return
        if inode.size > self.source.size + self.limits.member_size:
            raise LimitError(f"inode {inode.number} states {inode.size} bytes in an image of {self.source.size}")
        yield from self._content(inode)

    def _content(self, inode: Inode) -> Iterator[bytes | memoryview]:
        block_size = self.superblock.block_size
        position = 0
        for run in find_runs(self.source, self.superblock, inode, -(-inode.size // block_size)):
            start = run.logical * block_size
            yield from _zeros(start - position)
            position = min(start + run.count * block_size, inode.size)
            if run.physical is None:
                yield from _zeros(position - start)
                continue
            place = run.physical * block_size
            check_range(self.source, place, position - start)
            for at in range(start, position, _PIECE_SIZE):
                yield self.source.read(place + at - start, min(_PIECE_SIZE, position - at))
        yield from _zeros(inode.size - position)

    def _read_inline_file(self, inode: Inode) -> bytes:
        data = b"".join(read_inline(self.source, self.superblock, inode))
        if len(data) < inode.size:
            raise FormatError(f"inode {inode.number} holds {len(data)} of its {inode.size} bytes")
        return data[: inode.size]

    def _list_inline(self, inode: Inode, found: _Found) -> None:
        first, second = read_inline(self.source, self.superblock, inode)
        # The number of the parent comes first; there are no entries for the directory itself and its parent.
        for name, data in (("first", first[4:]), ("second", second)):
            found.take(*parse_entries(data), f"the {name} part of inode {inode.number}")

    def _list_blocks(self, inode: Inode, found: _Found) -> None:
        block_size = self.superblock.block_size
        size = min(inode.size, self.source.size, self.limits.directory_size)
        if size < inode.size:
            found.faults.add(f"only {size} of {inode.size} bytes of the directory were read")
        blocks = -(-size // block_size)
        reached = 0
        try:
            for run in find_runs(self.source, self.superblock, inode, blocks):
                if run.logical != reached or run.physical is None:
                    found.faults.add(f"blocks before {run.logical + run.count} of the directory are missing")
                reached = min(run.logical + run.count, blocks)
                if run.physical is not None:
                    self._list_run(run.logical, run.physical, reached, found)
        except FormatError as error:
            found.faults.add(f"the directory ends early: {error}")
            return
        if reached < blocks:
            found.faults.add(f"blocks from {reached} of the directory are missing")

    def _list_run(self, logical: int, physical: int, end: int, found: _Found) -> None:
        block_size = self.superblock.block_size
        for block in range(logical, end):
            place = physical + block - logical
            try:
                data = self.source.read(place * block_size, block_size)
            except FormatError as error:
                found.faults.add(f"blocks from {block} of the directory lie outside the image: {error}")
                return
            entries, fault = parse_entries(data)
            found.take(without_dots(entries) if block == 0 else entries, fault, f"block {place} of the image")

    def _node(self, name: str, entry: Entry) -> Node:
        try:
            inode = read_inode(self.source, self.superblock, entry.inode)
        except FormatError as error:
            kind = _KINDS.get(entry.file_type, NodeKind.OTHER if entry.file_type else NodeKind.FILE)
            return Node(name, kind, 0, entry.inode, f"damaged: {error}")
        return _as_node(name, inode)


class _Found:
    """The entries of a directory as they are met."""

    def __init__(self, encrypted: bool) -> None:
        self.entries: dict[str, Entry] = {}
        self.faults = FaultList()
        self._encrypted = encrypted

    def take(self, entries: list[Entry], fault: str, place: str) -> None:
        """Add the entries of one block, the first of each name."""
        if fault:
            self.faults.add(f"{place} is damaged: {fault}")
        for entry in entries:
            raw = entry.name
            if self._encrypted:
                # Any byte occurs in a name that is encrypted; these two separate names elsewhere.
                raw = raw.replace(b"/", b"%2F").replace(b"\x00", b"%00")
            name = raw.decode("utf-8", "surrogateescape")
            if raw in (b".", b"..") or b"/" in raw or b"\x00" in raw:
                self.faults.add(f"{place} has a name that no file can have: {name!a}")
            elif name in self.entries:
                self.faults.add(f"{place} has a name that was there before: {name!a}")
            else:
                self.entries[name] = entry


def _as_node(name: str, inode: Inode) -> Node:
    refusal = _ENCRYPTED if inode.is_encrypted else ""
    if inode.is_regular:
        return Node(name, NodeKind.FILE, inode.size, inode.number, refusal)
    if inode.is_directory:
        return Node(name, NodeKind.DIRECTORY, 0, inode.number, refusal)
    if inode.is_link:
        return Node(name, NodeKind.LINK, 0, inode.number, refusal)
    return Node(name, NodeKind.OTHER, 0, inode.number, "" if inode.mode else "damaged: its inode is not in use")


def _zeros(size: int) -> Iterator[bytes]:
    for at in range(0, size, _PIECE_SIZE):
        yield bytes(min(_PIECE_SIZE, size - at))


def is_ext4(head: bytes) -> bool:
    """Whether the first 2 KiB of an image are those of an ext2, ext3 or ext4 file system, or of its journal."""
    return is_superblock(head[SUPERBLOCK_OFFSET : SUPERBLOCK_OFFSET + SUPERBLOCK_SIZE])


def parse_ext4(source: Source, limits: Limits = DEFAULT) -> Ext4:
    """Read the superblock and the root directory's inode; the rest when it is asked for.

    Raises:
        FormatError: no file system, or its root cannot be found.
        UnsupportedError: a journal without files, or features that are not read.
    """
    superblock = parse_superblock(source.read(SUPERBLOCK_OFFSET, SUPERBLOCK_SIZE))
    root = read_inode(source, superblock, ROOT_INODE)
    if not root.is_directory:
        raise FormatError("the root of the file system is no directory")
    return Ext4(source, superblock, _as_node("", root), _remarks(source, superblock), limits)


def _remarks(source: Source, superblock: Superblock) -> tuple[str, ...]:
    remarks = []
    stated = superblock.blocks * superblock.block_size
    if stated > source.size:
        remarks.append(f"The image is cut off: {source.size} of {stated} bytes are here; files may be missing.")
    if superblock.needs_recovery:
        remarks.append("The journal of the file system was not replayed: its newest changes may be missing.")
    elif not superblock.is_clean:
        remarks.append(
            "The file system was in use or damaged when the image was made: its newest changes may be wrong."
        )
    return tuple(remarks)
