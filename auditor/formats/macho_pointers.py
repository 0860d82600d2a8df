"""Follow the pointers of a Mach-O image to what they refer to, through segments, chained fixups and encrypted ranges.

Format: mach-o/loader.h of the Darwin kernel headers, mach-o/fixup-chains.h of dyld.

Not read: pointers of kernel caches and of the shared cache, pointers bound to other images.
"""

from __future__ import annotations

import struct
from bisect import bisect_right

from auditor.formats.macho_layout import Image, Segment
from auditor.limits import MIB

_NAME_LENGTH = 4096
_NAMES_SIZE = 64 * MIB
_ARM64E = frozenset({1, 7, 9, 10, 12})
_ARM64E_OFFSETS = frozenset({7, 9, 12})
_PLAIN = 0


class PointerReader:
    """Follows pointers through the segments of an image, decoding chained fixups."""

    def __init__(self, image: Image) -> None:
        self.image = image
        self.ciphertext = 0
        """Look-ups that ended in an encrypted range."""
        self.budget = _NAMES_SIZE
        placed = zip(image.segments, _pointer_formats(image), strict=True)
        self.segments = sorted((item for item in placed if item[0].size), key=lambda item: item[0].address)
        self.addresses = [segment.address for segment, _ in self.segments]
        self.start = next((s.address for s in image.segments if s.offset == 0 and s.size != 0), 0)
        self.last = self.segments[0] if self.segments else (Segment("", 0, 0, 0, 0), _PLAIN)
        self.size = 8 if image.wide else 4
        self.unpack = struct.Struct(image.order + ("Q" if image.wide else "I")).unpack_from

    def locate(self, address: int, size: int) -> int | None:
        """File offset of ``size`` bytes at a virtual address, or None where the file holds none."""
        segment = self.last[0]
        start = address - segment.address
        if not 0 <= start <= segment.size - size:
            # Segments do not overlap, and an image may claim thousands of them.
            item = self.segments[max(bisect_right(self.addresses, address) - 1, 0)] if self.segments else self.last
            segment = item[0]
            start = address - segment.address
            if not 0 <= start <= segment.size - size:
                return None
            self.last = item
        offset = segment.offset + start
        if offset + size > self.image.size:
            return None
        if self.image.encrypted and self.image.is_encrypted_at(offset, size):
            self.ciphertext += 1
            return None
        return offset

    def pointer(self, address: int) -> int | None:
        """The address a stored pointer refers to; None for one that is bound to another image."""
        offset = self.locate(address, self.size)
        if offset is None:
            return None
        (value,) = self.unpack(self.image.data, self.image.base + offset)
        return _decode(value, self.last[1], self.start)

    def name(self, address: int) -> bytes | None:
        """The string at an address; None where it is empty, has no end or lies out of reach."""
        offset = self.locate(address, 1)
        if offset is None:
            return None
        start = self.image.base + offset
        raw = bytes(self.image.data[start : min(start + 128, self.image.base + self.image.size)])
        end = raw.find(b"\0")
        if end < 0:
            raw = bytes(self.image.data[start : min(start + _NAME_LENGTH + 1, self.image.base + self.image.size)])
            end = raw.find(b"\0")
        self.budget -= max(end, 0)
        return raw[:end] if end > 0 and self.budget >= 0 else None


def _decode(value: int, kind: int, start: int) -> int | None:
    """The address in a pointer of one chained format (0: a plain address)."""
    if kind == _PLAIN:
        return value
    if kind in (2, 6):
        if value >> 63:
            return None
        return (value & 0xFFFFFFFFF) + (start if kind == 6 else 0)
    if kind == 3:
        return None if value >> 31 else value & 0x3FFFFFF
    if value >> 62 & 1:
        return None
    if value >> 63:
        return start + (value & 0xFFFFFFFF)
    return (value & 0x7FFFFFFFFFF) + (start if kind in _ARM64E_OFFSETS else 0)


def _pointer_formats(image: Image) -> list[int]:
    """The chained pointer format of each segment; 0 where pointers are stored plainly."""
    # Before chained fixups, arm64e images chained their rebases in the format that became number 1.
    formats = [1 if image.cpu == "arm64e" and image.file_type != "object" else _PLAIN] * len(image.segments)
    if image.fixups is None:
        return formats
    raw = image.read(*image.fixups)
    try:
        if raw is None:
            raise IndexError
        (starts,) = struct.unpack_from(image.order + "I", raw, 4)
        (count,) = struct.unpack_from(image.order + "I", raw, starts)
        for index in range(min(count, len(formats))):
            (offset,) = struct.unpack_from(image.order + "I", raw, starts + 4 + 4 * index)
            if offset != 0:
                (formats[index],) = struct.unpack_from(image.order + "H", raw, starts + offset + 6)
    except (struct.error, IndexError):
        image.fault("the chained fixups cannot be read", "objc", "swift")
        return formats
    unknown = sorted(set(formats) - _ARM64E - {_PLAIN, 2, 3, 6})
    if unknown:
        image.fault(f"chained pointers of format {unknown[0]} are not known", "objc", "swift")
    return formats
