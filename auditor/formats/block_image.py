"""Lay out the image of a block-based update: ``system.new.dat`` as ``system.transfer.list`` places it.

Format: AOSP "block-based OTAs", transfer lists of versions 1 to 4.

Not read: incremental updates (they need the old image), the patch data beside them.
"""

from __future__ import annotations

from dataclasses import dataclass

from auditor.errors import FormatError, LimitError, UnsupportedError
from auditor.formats.blob import Blob
from auditor.formats.source import Extent, MappedSource, Source
from auditor.limits import DEFAULT, Limits

_BLOCK = 4096
_NEEDS_OLD = frozenset({b"move", b"bsdiff", b"imgdiff", b"stash", b"free"})
_VERSIONS = range(1, 5)
_LINES_BEFORE = {1: 2, 2: 4, 3: 4, 4: 4}
_NUMBER_SIZE = 12


@dataclass(frozen=True, slots=True)
class BlockImage:
    """The image an update makes."""

    source: MappedSource
    faults: tuple[str, ...] = ()
    """Why part of it reads as zeros that are none, in sentences."""


def parse_block_image(transfer_list: Blob, new_data: Source, limits: Limits = DEFAULT) -> BlockImage:
    """Lay out the new data of an update; nothing is copied.

    Raises:
        FormatError: the list is damaged, or its ranges overlap.
        LimitError: the image is larger than ``limits`` allow.
        UnsupportedError: an incremental update, or another version of the list.
    """
    if len(transfer_list) > limits.manifest_size:
        raise LimitError("the transfer list of the update is too large; raise --limit manifest_size")
    lines = bytes(transfer_list).split(b"\n")
    version = _number(lines[0].strip())
    if version not in _VERSIONS:
        raise UnsupportedError(f"a transfer list of version {version}", 0)
    if len(lines) < _LINES_BEFORE[version]:
        raise FormatError("the transfer list of the update is cut off", len(transfer_list))
    for line in lines[1 : _LINES_BEFORE[version]]:
        # They are numbers; a command among them would be passed over.
        _number(line.strip())
    extents: list[Extent] = []
    position = size = 0
    for line in lines[_LINES_BEFORE[version] :]:
        command, _, rest = line.strip().partition(b" ")
        if command in _NEEDS_OLD:
            raise UnsupportedError("an incremental update: needs the old image")
        if not command or command == b"compute_hash_tree":
            continue
        if command not in (b"new", b"zero", b"erase"):
            raise UnsupportedError(f"a transfer list with the command {command[:20].decode('latin-1')!r}")
        for start, length in _parse_ranges(rest):
            size = max(size, start + length)
            if len(extents) >= limits.image_extents:
                raise LimitError(f"more than {limits.image_extents} ranges in an image; raise --limit image_extents")
            if command == b"new":
                extents.append(Extent(start, length, new_data, position))
                position += length
    if size > limits.file_size:
        raise LimitError(f"an image of {size} bytes; raise --limit file_size")
    faults = []
    if position > new_data.size:
        faults.append(f"The data of the update is cut off: {position - new_data.size} bytes of the image are missing.")
    elif position < new_data.size:
        faults.append(f"{new_data.size - position} bytes of the data are placed nowhere by the transfer list.")
    extents.sort(key=lambda item: item.start)
    return BlockImage(MappedSource(size, [_cut(item, new_data.size) for item in extents]), tuple(faults))


def _cut(extent: Extent, available: int) -> Extent:
    """Return the part of an extent that is there."""
    size = max(min(extent.size, available - extent.offset), 0)
    return Extent(extent.start, size, extent.inner, extent.offset)


def _number(text: bytes) -> int:
    if not text.isdigit() or len(text) > _NUMBER_SIZE:
        raise FormatError("the transfer list of the update is damaged")
    return int(text)


def _parse_ranges(text: bytes) -> list[tuple[int, int]]:
    """Return (first byte, bytes) of each range of a set: how many numbers, then begins and ends of blocks in turn."""
    count, *numbers = [_number(item) for item in text.strip().split(b",")]
    if count != len(numbers) or count % 2:
        raise FormatError("a range in the transfer list of the update is damaged")
    pairs = list(zip(numbers[::2], numbers[1::2], strict=True))
    if any(end < start for start, end in pairs):
        raise FormatError("a range in the transfer list of the update is damaged")
    return [(start * _BLOCK, (end - start) * _BLOCK) for start, end in pairs]
