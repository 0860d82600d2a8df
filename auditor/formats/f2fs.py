"""Reads files out of F2FS images, which hold the data of most Android phones and the system of some.

Specification: Linux Documentation/filesystems/f2fs.rst and include/linux/f2fs_fs.h, as of Linux 6.12.

Not read: encrypted files and names (FBE), clusters compressed with LZO, changes after the last checkpoint
(roll-forward), blocks on further devices of a set, device aliases, extended attributes, deleted files, inodes that no
directory names.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from auditor.errors import FormatError, UnsupportedError
from auditor.formats.f2fs_cluster import refuse_algorithm, unpack_cluster
from auditor.formats.f2fs_directory import Entry, find_entries
from auditor.formats.f2fs_layout import (
    COMPRESS_ADDR,
    NULL_ADDR,
    NodeTable,
    parse_node_table,
    parse_superblock,
)
from auditor.formats.f2fs_layout import is_f2fs as is_f2fs
from auditor.formats.f2fs_nodes import Inode, Run, check_address, find_runs, read_inode
from auditor.formats.file_system import DirectoryListing, Node, NodeKind
from auditor.formats.source import Source
from auditor.limits import DEFAULT, MIB, Limits

_ENCRYPTED = "encrypted (file-based encryption)"
_STEP = 4 * MIB
_ZEROS = bytes(MIB)
_MOST_FAULTS = 20
# The class has a method of the name of the type.
_Faults = list[str]
_READ_KINDS = (NodeKind.FILE, NodeKind.DIRECTORY)
_TYPES = {
    1: NodeKind.FILE,
    2: NodeKind.DIRECTORY,
    3: NodeKind.OTHER,
    4: NodeKind.OTHER,
    5: NodeKind.OTHER,
    6: NodeKind.OTHER,
    7: NodeKind.LINK,
}


@dataclass(frozen=True, slots=True)
class F2fs:
    """The tree of an image as of its last checkpoint."""

    table: NodeTable = field(repr=False)
    root: Node
    remarks: tuple[str, ...]
    limits: Limits = field(repr=False)

    def list(self, node: Node) -> DirectoryListing:
        """List a directory. A cycle is the caller's to notice, by keys.

        Raises:
            FormatError: nothing of it can be listed.
        """
        inode = read_inode(self.table, node.key)
        if not inode.is_directory:
            raise FormatError(f"inode {node.key} is no directory")
        faults: list[str] = []
        found: dict[str, Node] = {}
        if not inode.is_sound:
            faults.append(f"the checksum of inode {inode.ino}, the directory's own, is wrong")
        for entry in self._entries(inode, faults):
            if entry.name in found:
                faults.append(f"the directory holds {entry.name!r} twice")
            elif len(found) >= self.limits.folder_entries:
                faults.append(f"the directory holds more than {len(found)} entries; raise --limit folder_entries")
                break
            else:
                found[entry.name] = _describe(self.table, entry, faults)
        # Names are compared as the bytes they are.
        names = sorted(found, key=lambda name: name.encode("utf-8", "surrogateescape"))
        if len(faults) > _MOST_FAULTS:
            faults[_MOST_FAULTS:] = [f"{len(faults) - _MOST_FAULTS} more faults of the directory"]
        return DirectoryListing(tuple(found[name] for name in names), tuple(faults))

    def _entries(self, inode: Inode, faults: _Faults) -> Iterator[Entry]:
        nodes: set[int] = {inode.ino}
        blocks: set[int] = set()
        if inode.is_inline_directory:
            yield from find_entries(inode.inline, inode.is_encrypted, faults)
        else:
            yield from self._entries_in_blocks(inode, faults, nodes, blocks)
        found = len(nodes) + len(blocks) + inode.has_attribute_node
        if found < inode.blocks:
            faults.append(f"the directory takes {inode.blocks} blocks, and {found} were found: entries may be missing")

    def _entries_in_blocks(self, inode: Inode, faults: _Faults, nodes: set[int], seen: set[int]) -> Iterator[Entry]:
        size = self.table.superblock.block_size
        try:
            for run in find_runs(self.table, inode, -(-inode.size // size), nodes):
                if run.address == NULL_ADDR:
                    continue
                for address in range(run.address, run.address + run.count):
                    check_address(self.table, address, 1)
                    if address in seen:
                        raise FormatError(f"the directory uses block {address} twice")
                    seen.add(address)
                    block = memoryview(self.table.source.read(address * size, size))
                    yield from find_entries(block, inode.is_encrypted, faults)
        except FormatError as error:
            faults.append(f"the directory was listed in part: {error}")

    def chunks(self, node: Node) -> Iterator[bytes | memoryview]:
        """Yield the content of a file in order, holes as zeros, ``node.size`` bytes in all, in pieces of some MiB.

        Raises:
            FormatError: the content cannot be read, from there on.
            UnsupportedError: ``node.refusal``.
        """
        inode = read_inode(self.table, node.key)
        refusal = _refuse(inode)
        if refusal:
            raise UnsupportedError(refusal)
        if not stat.S_ISREG(inode.mode):
            raise FormatError(f"inode {node.key} is no file")
        if inode.is_inline_data:
            if inode.size > len(inode.inline):
                raise FormatError(f"inode {node.key} states {inode.size} bytes inside itself and has no room for them")
            if inode.size:
                yield inode.inline[: inode.size]
            return
        yield from self._cut(self._blocks(inode), inode.size)

    def _cut(self, pieces: Iterator[bytes | memoryview], size: int) -> Iterator[bytes | memoryview]:
        """The first ``size`` bytes of pieces that go up to the end of a block or cluster."""
        for piece in pieces:
            yield piece if len(piece) <= size else memoryview(piece)[:size]
            size -= min(size, len(piece))

    def _blocks(self, inode: Inode) -> Iterator[bytes | memoryview]:
        size = self.table.superblock.block_size
        blocks = -(-inode.size // size)
        # A compressed cluster is whole in the table even where the file ends inside it.
        blocks += -blocks % inode.cluster_blocks
        left = inode.size
        for run in find_runs(self.table, inode, blocks):
            if left <= 0:
                return
            if run.address == COMPRESS_ADDR:
                yield self._read_cluster(inode, run.packed)
            elif run.address == NULL_ADDR:
                yield from _zeros(min(run.count * size, left))
            else:
                # Blocks behind the end of the file are set aside, and never written.
                count = min(run.count, -(-left // size))
                yield from self._read_run(Run(run.address, count))
            left -= run.count * size

    def _read_run(self, run: Run) -> Iterator[bytes | memoryview]:
        size = self.table.superblock.block_size
        check_address(self.table, run.address, run.count)
        end = (run.address + run.count) * size
        for at in range(run.address * size, end, _STEP):
            yield self.table.source.read(at, min(_STEP, end - at))

    def _read_cluster(self, inode: Inode, addresses: Sequence[int]) -> bytes:
        size = self.table.superblock.block_size
        packed = bytearray()
        for address in addresses:
            check_address(self.table, address, 1)
            packed += self.table.source.read(address * size, size)
        return unpack_cluster(bytes(packed), inode.algorithm, inode.cluster_blocks * size)


def parse_f2fs(source: Source, limits: Limits = DEFAULT) -> F2fs:
    """Open an image as of its newest whole checkpoint.

    Raises:
        FormatError: no F2FS image, or one without a sound superblock, checkpoint or root directory.
        UnsupportedError: blocks of a size no kernel takes.
    """
    remarks: list[str] = []
    layout = parse_superblock(source, remarks)
    table = parse_node_table(source, layout, remarks)
    if layout.devices:
        remarks.append(f"the file system spans {len(layout.devices)} devices; the others than this one are not read")
    elif layout.block_count * layout.block_size > source.size:
        missing = layout.block_count * layout.block_size - source.size
        remarks.append(f"the image is cut off: {missing} bytes at its end are missing")
    root = read_inode(table, layout.root_ino)
    if not root.is_directory:
        raise FormatError(f"the root, inode {layout.root_ino}, is no directory")
    node = Node("", NodeKind.DIRECTORY, 0, layout.root_ino, _refuse(root))
    return F2fs(table, node, tuple(remarks), limits)


def _describe(table: NodeTable, entry: Entry, faults: _Faults) -> Node:
    stated = _TYPES.get(entry.file_type, NodeKind.FILE)
    try:
        inode = read_inode(table, entry.ino)
    except FormatError as error:
        return Node(entry.name, stated, 0, entry.ino, f"its inode cannot be read: {error}")
    if not inode.mode:
        return Node(entry.name, stated, 0, entry.ino, "its inode cannot be read: it has no type")
    if not inode.is_sound:
        faults.append(f"{entry.name!a} has an inode whose checksum is wrong")
    kind, size = NodeKind.OTHER, 0
    if inode.is_directory:
        kind = NodeKind.DIRECTORY
    elif stat.S_ISREG(inode.mode):
        kind, size = NodeKind.FILE, inode.size
    elif stat.S_ISLNK(inode.mode):
        kind = NodeKind.LINK
    if entry.file_type and _TYPES.get(entry.file_type) is not kind:
        faults.append(f"{entry.name!a} is stated to be another thing than its inode says, so that it may not be read")
    return Node(entry.name, kind, size, entry.ino, _refuse(inode) if kind in _READ_KINDS else "")


def _refuse(inode: Inode) -> str:
    """Why the content of an inode cannot be read; empty: it can."""
    if inode.is_encrypted:
        return _ENCRYPTED
    return refuse_algorithm(inode.algorithm) if inode.has_compressed_data else ""


def _zeros(size: int) -> Iterator[bytes | memoryview]:
    while size > 0:
        yield _ZEROS if size >= len(_ZEROS) else bytes(size)
        size -= len(_ZEROS)
