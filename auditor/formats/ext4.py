"""Read ext2, ext3 and ext4 file systems: Android partitions, full extractions of user data, Linux images.

Specification: Linux kernel documentation, ext4 data structures and algorithms.

Not read: the journal, what file-based encryption keeps secret, checksums of group descriptors, backup superblocks,
targets of links, deleted files, what lies behind the end of a file or of the file system, file systems with the
features compression or dirdata.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from auditor.errors import FormatError, LimitError, UnsupportedError
from auditor.formats.ext4_blocks import Run, find_runs, reaches_beyond
from auditor.formats.ext4_directory import Entry, has_sound_checksum, parse_entries, without_dots
from auditor.formats.ext4_inline import read_inline
from auditor.formats.ext4_layout import (
    FLAG_INLINE_DATA,
    FLAG_VERITY,
    ROOT_INODE,
    SUPERBLOCK_OFFSET,
    SUPERBLOCK_SIZE,
    Inode,
    Superblock,
    is_sound_superblock,
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
_KINDS = {
    1: NodeKind.FILE,
    2: NodeKind.DIRECTORY,
    3: NodeKind.OTHER,
    4: NodeKind.OTHER,
    5: NodeKind.OTHER,
    6: NodeKind.OTHER,
    7: NodeKind.LINK,
}


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
        if not inode.is_sound:
            found.faults.add(f"the checksum of inode {inode.number}, the directory's own, is wrong")
        checks = _Checks()
        nodes = [self._node(name, entry, checks) for name, entry in sorted(found.entries.items())]
        checks.tell(found.faults)
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
        if inode.size != len(first) + len(second):
            found.faults.add(f"inode {inode.number} holds {len(first) + len(second)} of {inode.size} bytes of names")

    def _list_blocks(self, inode: Inode, found: _Found) -> None:
        block_size = self.superblock.block_size
        size = min(inode.size, self.source.size, self.limits.directory_size)
        if size < inode.size:
            found.faults.add(f"only {size} of {inode.size} bytes of the directory were read")
        blocks = -(-size // block_size)
        if inode.size == 0 or inode.size % block_size or reaches_beyond(inode, -(-inode.size // block_size)):
            found.faults.add(
                f"the directory states {inode.size} bytes, which is not what it has: entries may be missing"
            )
        reached = 0
        try:
            for run in find_runs(self.source, self.superblock, inode, blocks):
                if run.logical != reached or run.physical is None:
                    found.faults.add(f"blocks before {run.logical + run.count} of the directory are missing")
                reached = min(run.logical + run.count, blocks)
                if run.physical is not None:
                    self._list_run(inode, run, reached, found)
        except FormatError as error:
            found.faults.add(f"the directory ends early: {error}")
            return
        if reached < blocks:
            found.faults.add(f"blocks from {reached} of the directory are missing")

    def _list_run(self, inode: Inode, run: Run, end: int, found: _Found) -> None:
        block_size = self.superblock.block_size
        for block in range(run.logical, end):
            place = (run.physical or 0) + block - run.logical
            try:
                data = self.source.read(place * block_size, block_size)
            except FormatError as error:
                found.faults.add(f"blocks from {block} of the directory lie outside the image: {error}")
                return
            entries, fault = parse_entries(data)
            found.take(without_dots(entries) if block == 0 else entries, fault, f"block {place} of the image")
            if inode.checksum_seed is not None and not has_sound_checksum(data, inode.checksum_seed):
                found.faults.add(f"the checksum of block {place} of the image is wrong: entries may be missing")

    def _node(self, name: str, entry: Entry, checks: _Checks) -> Node:
        try:
            inode = read_inode(self.source, self.superblock, entry.inode)
        except FormatError as error:
            kind = _KINDS.get(entry.file_type & 0xF, NodeKind.FILE)
            return Node(name, kind, 0, entry.inode, f"damaged: {error}")
        node = _as_node(name, inode)
        stated = _KINDS.get(entry.file_type & 0xF) if self.superblock.has_types else None
        if not inode.mode:
            return Node(name, stated or NodeKind.FILE, 0, inode.number, "damaged: its inode is not in use")
        checks.take(node, inode, stated, -(-inode.size // self.superblock.block_size))
        return node


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


class _Checks:
    """What does not agree between the entries of a directory and the inodes they lead to."""

    def __init__(self) -> None:
        self._first: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def take(self, node: Node, inode: Inode, stated: NodeKind | None, blocks: int) -> None:
        """Look at one entry; ``stated`` is what it says itself to lead to, ``blocks`` what its size takes."""
        if stated is not None and stated is not node.kind:
            self._note("is stated to be another thing than its inode says, so that it may not be read", node)
        if not inode.is_sound:
            self._note("has an inode whose checksum is wrong", node)
        # The hashes of fs-verity stand behind the end of a file.
        is_plain = inode.is_regular and not inode.flags & FLAG_VERITY
        if is_plain and not inode.is_encrypted and reaches_beyond(inode, blocks):
            self._note("has content behind its stated end, which is not read", node)

    def _note(self, what: str, node: Node) -> None:
        self._first.setdefault(what, node.name)
        self._counts[what] = self._counts.get(what, 0) + 1

    def tell(self, faults: FaultList) -> None:
        """Add one fault for each sort."""
        for what, name in self._first.items():
            more = f" (and {self._counts[what] - 1} more like it)" if self._counts[what] > 1 else ""
            faults.add(f"{name!a} {what}{more}")


def _as_node(name: str, inode: Inode) -> Node:
    refusal = _ENCRYPTED if inode.is_encrypted else ""
    if inode.is_regular:
        return Node(name, NodeKind.FILE, inode.size, inode.number, refusal)
    if inode.is_directory:
        return Node(name, NodeKind.DIRECTORY, 0, inode.number, refusal)
    if inode.is_link:
        return Node(name, NodeKind.LINK, 0, inode.number, refusal)
    return Node(name, NodeKind.OTHER, 0, inode.number)


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
    if not is_sound_superblock(superblock, source.read(SUPERBLOCK_OFFSET, SUPERBLOCK_SIZE)):
        remarks.append("The checksum of the superblock is wrong: files may be missing.")
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
