"""Read the files of an EROFS image, the file system of the system partitions of newer Android devices.

Specification: Linux, EROFS on-disk format (Documentation/filesystems/erofs), as of Linux 6.18.
Not read: data on further devices (named), extended attributes, targets of links.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from auditor.errors import FormatError, LimitError, UnsupportedError
from auditor.formats.erofs_content import PIECE, Volume
from auditor.formats.erofs_inode import MAGIC, SUPERBLOCK, Inode, has_sound_checksum, parse_superblock
from auditor.formats.file_system import DirectoryListing, Node, NodeKind
from auditor.formats.source import Source
from auditor.limits import DEFAULT, Limits

_ENTRY = struct.Struct("<QHBx")
_KINDS = {0x8000: NodeKind.FILE, 0x4000: NodeKind.DIRECTORY, 0xA000: NodeKind.LINK}
_ENTRY_KINDS = {
    1: NodeKind.FILE,
    2: NodeKind.DIRECTORY,
    3: NodeKind.OTHER,
    4: NodeKind.OTHER,
    5: NodeKind.OTHER,
    6: NodeKind.OTHER,
    7: NodeKind.LINK,
}
_NAME_SIZE = 255
_FAULTS, _MOST_FAULTS = 5, 1000
"""Faults of one directory that are told, and after how many it is given up."""


def is_erofs(head: bytes) -> bool:
    """Whether the first 2 KiB of an image are those of an EROFS."""
    return head[SUPERBLOCK : SUPERBLOCK + 4] == MAGIC


def parse_erofs(source: Source, limits: Limits = DEFAULT) -> Erofs:
    """Open an image.

    Raises:
        FormatError: no EROFS image, or one whose superblock or root directory is damaged.
        UnsupportedError: it needs a feature that is not known.
    """
    superblock = parse_superblock(source)
    volume = Volume(source, superblock, limits)
    root = volume.inode(superblock.root_nid)
    if root.mode & 0xF000 != 0x4000:
        raise FormatError("the root of the EROFS image is no directory")
    return Erofs(volume, limits)


class Erofs:
    """The tree of an image; a ``Node.key`` is a nid."""

    def __init__(self, volume: Volume, limits: Limits) -> None:
        self._volume = volume
        self._limits = limits
        superblock = volume.superblock
        self._root = Node("", NodeKind.DIRECTORY, 0, superblock.root_nid)
        remarks = []
        if not has_sound_checksum(volume.image, superblock):
            remarks.append("The checksum of the superblock of the EROFS image is wrong: files may be missing.")
        stated = superblock.blocks << superblock.block_bits
        if stated > volume.image.size:
            remarks.append(f"The EROFS image is cut off: {volume.image.size} of {stated} bytes are there.")
        if superblock.devices:
            count = len(superblock.devices)
            tags = ", ".join(sorted({item.tag for item in superblock.devices[:_FAULTS]} - {""}))
            named = f" ({tags})" if tags else ""
            remarks.append(f"Files may lie on {count} further devices of the EROFS image{named}, which are not read.")
        self._remarks = tuple(remarks)

    @property
    def root(self) -> Node:
        """The uppermost directory."""
        return self._root

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the user should know of the whole."""
        return self._remarks

    def list(self, node: Node) -> DirectoryListing:
        """List a directory.

        Raises:
            FormatError: it is none, or nothing of it can be listed.
        """
        inode = self._volume.inode(node.key)
        if node.kind is not NodeKind.DIRECTORY or inode.mode & 0xF000 != 0x4000:
            raise FormatError(f"EROFS inode {node.key:#x} is no directory")
        listing = _Listing()
        try:
            for block in self._blocks(inode):
                self._add_block(listing, block)
                if listing.full:
                    break
        except FormatError as error:
            if not listing.nodes:
                raise
            listing.has_parent = True
            listing.fault(f"The rest of the directory cannot be read: {error}.")
        if not listing.has_parent:
            # Every directory has this entry, so that one without it was not listed in full.
            listing.fault("The directory does not name its parent: entries may be missing.")
        return listing.result()

    def _blocks(self, inode: Inode) -> Iterator[bytes]:
        """Yield a directory block by block."""
        size = self._volume.superblock.block_size
        left = b""
        for piece in self._volume.pieces(inode):
            data = left + bytes(piece)
            whole = len(data) - len(data) % size
            for position in range(0, whole, size):
                yield data[position : position + size]
            left = data[whole:]
        if left:
            yield left

    def _add_block(self, listing: _Listing, block: bytes) -> None:
        first = _ENTRY.unpack_from(block)[1] if len(block) >= _ENTRY.size else 0
        if first < _ENTRY.size or first > len(block) or first % _ENTRY.size:
            listing.fault("A block of the directory is damaged.")
            return
        entries = list(_ENTRY.iter_unpack(block[:first]))
        ends = [entry[1] for entry in entries[1:]]
        for (nid, start, kind), end in zip(entries, [*ends, None], strict=True):
            # Only the last name of a block may end with a NUL before the block does.
            raw = block[start:end] if end is not None else block[start:].split(b"\0", 1)[0]
            if start < first or (end is not None and not start <= end <= len(block)):
                listing.fault("A name in the directory lies outside its block.")
            elif raw not in (b".", b".."):
                self._add(listing, raw, nid, kind)
            elif raw == b"..":
                listing.has_parent = True
        listing.looked += len(entries)
        if listing.looked > self._limits.folder_entries:
            listing.stop(f"It has more than {self._limits.folder_entries} entries; raise --limit folder_entries.")

    def _add(self, listing: _Listing, raw: bytes, nid: int, entry_kind: int) -> None:
        name = raw.decode("utf-8", "surrogateescape")
        if not raw or len(raw) > _NAME_SIZE or b"/" in raw or b"\0" in raw:
            listing.fault(f"A name in the directory is not valid: {raw[:40]!r}.")
        elif name in listing.nodes:
            listing.fault(f"A name is twice in the directory: {raw[:40]!r}.")
        else:
            node = listing.nodes[name] = self._node(name, nid, _ENTRY_KINDS.get(entry_kind, NodeKind.FILE))
            if entry_kind and _ENTRY_KINDS.get(entry_kind) is not node.kind:
                listing.fault(
                    f"An entry says another thing of itself than its inode: {raw[:40]!r}; it may not be read."
                )

    def _node(self, name: str, nid: int, stated: NodeKind) -> Node:
        try:
            inode = self._volume.inode(nid)
        except FormatError as error:
            # Only the entry says what it is; one of a kind that does not exist may be a file.
            return Node(name, stated, 0, nid, f"its inode cannot be read: {error}")
        if not inode.mode:
            return Node(name, stated, 0, nid, "its inode cannot be read: it has no type")
        kind = _KINDS.get(inode.mode & 0xF000, NodeKind.OTHER)
        if kind is not NodeKind.FILE:
            return Node(name, kind, 0, nid)
        refusal = ""
        if inode.size > self._limits.file_size:
            refusal = f"its size of {inode.size} bytes is beyond the limit file_size"
        return Node(name, kind, inode.size, nid, refusal)

    def chunks(self, node: Node) -> Iterator[bytes | memoryview]:
        """Yield the content of a file in order, in pieces of some MiB.

        Raises:
            FormatError: it is no file, or cannot be read, from there on.
            UnsupportedError: ``node.refusal``, or it is stored in a way that is not read.
        """
        if node.refusal:
            raise UnsupportedError(node.refusal)
        inode = self._volume.inode(node.key)
        if node.kind is not NodeKind.FILE or inode.mode & 0xF000 != 0x8000:
            raise FormatError(f"EROFS inode {node.key:#x} is no file")
        if inode.size > self._limits.file_size:
            raise LimitError(f"a file of {inode.size} bytes; raise --limit file_size")
        pending: list[bytes | memoryview] = []
        size = 0
        for piece in self._volume.pieces(inode):
            pending.append(piece)
            size += len(piece)
            if size >= PIECE:
                yield piece if len(pending) == 1 else b"".join(pending)
                pending, size = [], 0
        if pending:
            yield pending[0] if len(pending) == 1 else b"".join(pending)


class _Listing:
    """What was found in a directory so far."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.has_parent = False
        self.looked = 0
        """Entries looked at, whatever came of them."""
        self.full = False
        self._faults: dict[str, None] = {}
        self._count = 0

    def fault(self, text: str) -> None:
        """Keep a fault, the first few in words; a directory of nothing but faults is not read to its end."""
        if len(self._faults) < _FAULTS:
            self._faults[text] = None
        self._count += 1
        if self._count >= _MOST_FAULTS:
            self.stop(f"More than {_MOST_FAULTS} entries of the directory are damaged; the rest is not listed.")

    def stop(self, text: str) -> None:
        """Keep why the rest is not listed."""
        self.full = True
        self._faults[text] = None

    def result(self) -> DirectoryListing:
        """Order what was found."""
        names = sorted(self.nodes)
        if self._count > len(self._faults):
            self._faults[f"{self._count} entries or blocks of the directory are damaged in all."] = None
        return DirectoryListing(tuple([self.nodes[name] for name in names]), tuple(self._faults))
