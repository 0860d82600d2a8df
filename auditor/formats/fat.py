"""Read FAT12, FAT16, FAT32 and exFAT volumes: memory cards, boot and vendor partitions.

Specification: Microsoft, FAT32 File System Specification 1.03; Microsoft, exFAT file system specification 1.00.

Not read: deleted files, what lies behind the end of a file, the second FAT where the first is in use (they are
compared), backup boot sectors, volume labels, code pages other than 437 in short names.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from auditor.errors import FormatError, LimitError
from auditor.formats.fat_entries import (
    Content,
    Record,
    parse_exfat_content,
    parse_exfat_entries,
    parse_fat_content,
    parse_fat_entries,
)
from auditor.formats.fat_layout import (
    BOOT_SIZE,
    ENTRY_SIZE,
    FIRST_CLUSTER,
    Volume,
    adjacent_run,
    find_cluster_runs,
    is_boot_sector,
    parse_boot_sector,
)
from auditor.formats.fault_list import FaultList
from auditor.formats.file_system import DirectoryListing, Node, NodeKind
from auditor.formats.source import Source
from auditor.limits import DEFAULT, MIB, Limits

_PIECE_SIZE = 4 * MIB
_ROOT_KEY = 0
_EXFAT_BITMAP = 0x81


@dataclass(frozen=True, slots=True)
class Fat:
    """A volume in an image. Everything but the root is found by the offset of its directory entry."""

    source: Source = field(repr=False)
    volume: Volume
    remarks: tuple[str, ...]
    limits: Limits = field(default=DEFAULT, repr=False)

    @property
    def root(self) -> Node:
        return Node("", NodeKind.DIRECTORY, 0, _ROOT_KEY)

    def list(self, node: Node) -> DirectoryListing:
        """List a directory.

        Raises:
            FormatError: it is no directory.
        """
        if node.kind is not NodeKind.DIRECTORY:
            raise FormatError("no directory of the volume")
        faults = FaultList()
        nodes: dict[str, Node] = {}
        parse = parse_exfat_entries if self.volume.is_exfat else parse_fat_entries
        for at, entry in enumerate(parse(self._records(node, faults))):
            if at < 2 and entry.is_directory and entry.name in (".", ".."):
                continue
            if entry.oddity:
                faults.add(f"the entry at {entry.offset:#x} {entry.oddity}: {entry.name!a}")
            if entry.name in ("", ".", "..") or "/" in entry.name:
                faults.add(f"the entry at {entry.offset:#x} has a name that no file can have: {entry.name!a}")
            elif entry.name in nodes:
                faults.add(f"the entry at {entry.offset:#x} has a name that was there before: {entry.name!a}")
            else:
                content = self._content(entry.offset)
                if content.cluster != 0 and content.size == 0 and (self.volume.is_exfat or not entry.is_directory):
                    faults.add(f"{entry.name!a} states no bytes and has content all the same, which is not read")
                kind = NodeKind.DIRECTORY if entry.is_directory else NodeKind.FILE
                size = 0 if entry.is_directory else content.size
                nodes[entry.name] = Node(entry.name, kind, size, entry.offset)
        return DirectoryListing(tuple(nodes[name] for name in sorted(nodes)), faults.as_tuple())

    def chunks(self, node: Node) -> Iterator[bytes | memoryview]:
        """Yield the content of a file; never more than the image and one member of the limits together.

        Raises:
            FormatError: it is no file, or its content cannot be read, from there on.
            LimitError: its stated size is far more than the image could hold.
        """
        if node.kind is not NodeKind.FILE:
            raise FormatError("no file of the volume")
        content = self._content(node.key)
        if content.size > self.source.size + self.limits.member_size:
            raise LimitError(f"a file states {content.size} bytes in an image of {self.source.size}")
        left = content.valid_size
        for offset, size in self._runs(content, -(-left // self.volume.cluster_size)):
            length = min(size, left)
            for at in range(0, length, _PIECE_SIZE):
                yield self.source.read(offset + at, min(_PIECE_SIZE, length - at))
            left -= length
        if left > 0:
            raise FormatError(f"the chain of a file ends {left} bytes early", node.key)
        for at in range(content.valid_size, content.size, _PIECE_SIZE):
            yield bytes(min(_PIECE_SIZE, content.size - at))

    def _content(self, offset: int) -> Content:
        record = bytes(self.source.read(offset, ENTRY_SIZE))
        return parse_exfat_content(record) if self.volume.is_exfat else parse_fat_content(record)

    def _runs(self, content: Content, count: int) -> Iterator[tuple[int, int]]:
        if count == 0:
            return
        if content.is_adjacent:
            yield adjacent_run(self.volume, content.cluster, count)
        else:
            yield from find_cluster_runs(self.source, self.volume, content.cluster, count)

    def _records(self, node: Node, faults: FaultList) -> Iterator[Record]:
        """Yield the entries of a directory as they are stored; add to the faults why there may be more."""
        most = self.limits.directory_size
        try:
            for offset, size in self._directory_runs(node, most // self.volume.cluster_size + 1):
                for at in range(offset, offset + size, ENTRY_SIZE):
                    if most < ENTRY_SIZE:
                        faults.add(f"only {self.limits.directory_size} bytes of the directory were read")
                        return
                    most -= ENTRY_SIZE
                    yield at, bytes(self.source.read(at, ENTRY_SIZE))
        except FormatError as error:
            faults.add(f"the directory ends early: {error}")

    def _directory_runs(self, node: Node, most: int) -> Iterator[tuple[int, int]]:
        volume = self.volume
        if node.key != _ROOT_KEY:
            content = self._content(node.key)
            stated = -(-content.size // volume.cluster_size) if volume.is_exfat else most
            yield from self._runs(content, min(stated, most))
        elif volume.root_cluster == 0:
            yield volume.root_offset, volume.root_size
        else:
            yield from find_cluster_runs(self.source, volume, volume.root_cluster, most)


def is_fat(head: bytes) -> bool:
    """Whether the first 512 bytes of an image are those of a FAT or exFAT volume."""
    return is_boot_sector(head[:BOOT_SIZE])


def parse_fat(source: Source, limits: Limits = DEFAULT) -> Fat:
    """Read the boot sector; the rest when it is asked for.

    Raises:
        FormatError: no FAT volume.
    """
    volume = parse_boot_sector(source.read(0, BOOT_SIZE))
    remarks = []
    if volume.size > source.size:
        remarks.append(f"The image is cut off: {source.size} of {volume.size} bytes are here; files may be missing.")
    if volume.is_dirty or _is_marked_dirty(source, volume):
        remarks.append("The volume was in use when the image was made: its newest changes may be wrong.")
    if not _is_in_place(source, volume):
        remarks.append("The FAT or the root is not where the boot sector says: files may be missing or wrong.")
    if not _fats_agree(source, volume):
        remarks.append("The two FATs of the volume differ: files may be missing or wrong.")
    # Clusters beyond the image cannot be read, and a chain must not be longer than it.
    held = max(source.size - volume.heap_offset, 0) // volume.cluster_size + 1
    return Fat(source, replace(volume, clusters=min(volume.clusters, held)), tuple(remarks), limits)


def _is_in_place(source: Source, volume: Volume) -> bool:
    """Whether the FAT begins with the mark of the medium, and an exFAT root has the map that each of them has."""
    if volume.fat_offset < source.size and source.read(volume.fat_offset, 1)[0] != volume.medium:
        return False
    if not volume.is_exfat:
        return True
    place = volume.heap_offset + (volume.root_cluster - FIRST_CLUSTER) * volume.cluster_size
    size = min(volume.cluster_size, max(source.size - place, 0))
    data = bytes(source.read(place, size)) if size else b""
    return any(data[at] == _EXFAT_BITMAP for at in range(0, size, ENTRY_SIZE))


def _fats_agree(source: Source, volume: Volume) -> bool:
    """Whether the second FAT says what the first does, as far as there is one that follows it."""
    other = volume.other_fat_offset
    size = -(-(volume.clusters + FIRST_CLUSTER) * volume.fat_bits // 8)
    size = min(size, abs(other - volume.fat_offset))
    if other == 0 or max(other, volume.fat_offset) + size > source.size:
        return True
    for at in range(0, size, _PIECE_SIZE):
        length = min(_PIECE_SIZE, size - at)
        if source.read(volume.fat_offset + at, length) != source.read(other + at, length):
            return False
    return True


def _is_marked_dirty(source: Source, volume: Volume) -> bool:
    """Whether the second number of the FAT says that the volume was in use."""
    width = volume.fat_bits // 8
    at = volume.fat_offset + width
    if volume.is_exfat or volume.fat_bits == 12 or at + width > source.size:
        return False
    return int.from_bytes(source.read(at, width), "little") >> (15 if width == 2 else 27) & 1 == 0
