"""Read the content of EROFS inodes: as a stream, or in ranges of the two inodes that others refer to.

Specification: Linux, EROFS on-disk format (Documentation/filesystems/erofs), as of Linux 6.18.
Not read: data on further devices.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator

from auditor.errors import FormatError, LimitError, UnsupportedError
from auditor.formats.erofs_decompress import Algorithm, Decompressor
from auditor.formats.erofs_inode import Incompatible, Inode, SuperBlock, parse_inode
from auditor.formats.erofs_map import Extent, Storage, find_extents
from auditor.formats.source import Source, check_range
from auditor.limits import MIB, Limits

PIECE = MIB
_CACHED = 16 * MIB


class Volume:
    """The image, and the two inodes that hold parts of others."""

    def __init__(self, image: Source, superblock: SuperBlock, limits: Limits) -> None:
        self.image = image
        self.superblock = superblock
        self._limits = limits
        self._decompressor = Decompressor(zero_padded=Incompatible.ZERO_PADDING in superblock.features)
        self._metabox: InodeSource | None = None
        self._packed: InodeSource | None = None
        self._fault = ""

    def inode(self, nid: int) -> Inode:
        """Read an inode.

        Raises:
            FormatError: it lies outside the image or is damaged.
        """
        if not self.superblock.metabox_nid:
            return parse_inode(self.superblock, self.image, None, nid)
        if self._metabox is None:
            self._metabox = self._source(self.superblock.metabox_nid)
        return parse_inode(self.superblock, self.image, self._metabox, nid)

    def pieces(self, inode: Inode) -> Iterator[bytes | memoryview]:
        """Yield the content of an inode in pieces of at most some MiB.

        Raises:
            FormatError: it cannot be read, from there on.
        """
        for extent in find_extents(self.superblock, inode):
            if extent.storage in (Storage.COMPRESSED, Storage.INTERLACED):
                yield self.decoded(extent, inode.source)
            else:
                for within in range(0, extent.size, PIECE):
                    yield self._part(extent, inode.source, within, min(PIECE, extent.size - within))

    def decoded(self, extent: Extent, beside: Source) -> bytes:
        """Decode a whole extent that is compressed or interlaced.

        Raises:
            FormatError: it is damaged or lies outside the image.
        """
        stored = self._stored(extent, beside, 0, extent.stored)
        if extent.storage is Storage.COMPRESSED:
            return self._decompressor.decode(extent.algorithm, bytes(stored), extent.size, partial=extent.partial)
        turn = extent.start % self.superblock.block_size
        return (bytes(stored[turn:]) + bytes(stored[:turn]))[: extent.size]

    def _part(self, extent: Extent, beside: Source, within: int, size: int) -> bytes | memoryview:
        """Read a part of an extent that is not compressed."""
        if extent.storage is Storage.HOLE:
            return bytes(size)
        if extent.storage is Storage.FRAGMENT:
            return self.packed().read(extent.place + within, size)
        return self._stored(extent, beside, within, size)

    def plain_part(self, extent: Extent, beside: Source, within: int, size: int) -> bytes | memoryview:
        """Read a part of an extent of an inode that others refer to.

        Raises:
            FormatError: it lies outside the image, or refers to such an inode again.
        """
        if extent.storage is Storage.FRAGMENT:
            raise FormatError("the packed inode of the EROFS image refers to itself")
        return self._part(extent, beside, within, size)

    def _stored(self, extent: Extent, beside: Source, within: int, size: int) -> bytes | memoryview:
        start = extent.place + within
        if extent.inline:
            return beside.read(start, size)
        if start + size > self.image.size:
            raise self._outside(start, size)
        return self.image.read(start, size)

    def _outside(self, start: int, size: int) -> FormatError:
        """Say where a range lies that the image does not have."""
        block = start >> self.superblock.block_bits
        for number, device in enumerate(self.superblock.devices, 1):
            if device.start and device.start <= block < device.start + device.blocks:
                name = f" ({device.tag})" if device.tag else ""
                return UnsupportedError(f"data on another device of the EROFS image, number {number}{name}")
        return FormatError(f"{size} bytes of EROFS data lie beyond the end of the image", start)

    def packed(self) -> InodeSource:
        """The inode that holds the fragments.

        Raises:
            FormatError: there is none, or it is damaged.
        """
        if self._fault:
            raise FormatError(self._fault)
        if self._packed is None:
            if not self.superblock.packed_nid:
                raise FormatError("an EROFS file in a packed inode that the image does not have")
            try:
                self._packed = self._source(self.superblock.packed_nid, inner=False)
            except FormatError as error:
                self._fault = str(error)
                raise
        return self._packed

    def _source(self, nid: int, *, inner: bool = True) -> InodeSource:
        inode = parse_inode(self.superblock, self.image, None, nid) if inner else self.inode(nid)
        if inode.size > self._limits.file_size:
            raise LimitError(f"EROFS inode {nid:#x} of {inode.size} bytes; raise --limit file_size")
        return InodeSource(self, inode, self._limits.image_extents)


class InodeSource:
    """The content of one inode at offsets."""

    def __init__(self, volume: Volume, inode: Inode, most: int) -> None:
        """Read the whole map of the inode.

        Raises:
            FormatError: it is damaged.
            LimitError: it has more than ``most`` extents.
        """
        self._volume = volume
        self._inode = inode
        self._starts = array("Q")
        self._places = array("Q")
        self._stored = array("Q")
        self._kinds = array("H")
        self._cache: dict[int, bytes] = {}
        self._cached = 0
        for extent in find_extents(volume.superblock, inode):
            if len(self._starts) >= most:
                raise LimitError(f"more than {most} extents in EROFS inode {inode.nid:#x}; raise --limit image_extents")
            self._starts.append(extent.start)
            self._places.append(extent.place)
            self._stored.append(extent.stored)
            flags = extent.partial | extent.inline << 1
            self._kinds.append(extent.storage | extent.algorithm << 4 | flags << 8)

    @property
    def size(self) -> int:
        return self._inode.size

    def read(self, offset: int, size: int) -> bytes | memoryview:
        """Exactly ``size`` bytes from ``offset``.

        Raises:
            FormatError: the range does not lie within the inode, or is damaged.
        """
        check_range(self, offset, size)
        at = max(bisect_right(self._starts, offset) - 1, 0)
        pieces = []
        position, end = offset, offset + size
        while position < end:
            extent = self._extent(at)
            within = position - extent.start
            part = min(extent.size - within, end - position)
            if extent.storage in (Storage.COMPRESSED, Storage.INTERLACED):
                pieces.append(memoryview(self._decoded(extent))[within : within + part])
            else:
                pieces.append(memoryview(self._volume.plain_part(extent, self._inode.source, within, part)))
            position += part
            at += 1
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _extent(self, at: int) -> Extent:
        start = self._starts[at]
        end = self._starts[at + 1] if at + 1 < len(self._starts) else self._inode.size
        kind = self._kinds[at]
        algorithm = Algorithm(kind >> 4 & 15)
        partial, inline = bool(kind & 0x100), bool(kind & 0x200)
        place, stored = self._places[at], self._stored[at]
        return Extent(start, end - start, Storage(kind & 15), place, stored, algorithm, partial, inline)

    def _decoded(self, extent: Extent) -> bytes:
        """Decode an extent, or take it from those that were decoded last."""
        found = self._cache.pop(extent.start, None)
        if found is None:
            found = self._volume.decoded(extent, self._inode.source)
            self._cached += len(found)
            while self._cached > _CACHED and self._cache:
                self._cached -= len(self._cache.pop(next(iter(self._cache))))
        self._cache[extent.start] = found
        return found
