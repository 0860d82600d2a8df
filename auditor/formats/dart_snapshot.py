"""Reads ahead-of-time Dart snapshots (libapp.so, App.framework/App): names of packages and string constants.

Format: runtime/vm/snapshot.h, image_snapshot.cc and raw_object.h of the Dart SDK. A snapshot is a header, serialised
clusters and a data image; in ahead-of-time builds the strings are objects of the image, each behind its tags and its
length. The library around it (ELF or Mach-O) does not matter: a snapshot is found by its magic number.
Not read: code; clusters; strings of just-in-time snapshots, which stand in the clusters; what --obfuscate renamed
(names of classes and package URIs are gone then, string literals such as channel names remain).
"""

from __future__ import annotations

import re
import struct
import sys
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from auditor.errors import FormatError
from auditor.formats.blob import Blob
from auditor.formats.deferred_names import DeferredNames
from auditor.limits import DEFAULT, KIB, Limits
from auditor.model import Values

_MAGIC = b"\xf5\xf5\xdc\xdc"
_HEADER = struct.Struct("<4xqq32s")
"""Magic, size of header and clusters without the magic, kind, hash of the version of Dart; the features follow."""
_ALIGNMENTS = (16, 32, 64)
"""Of the data image behind the clusters, in the order they are tried: what lies between is zero."""
_SNAPSHOTS = 16
_FEATURES_SIZE = KIB
_PACKAGE = re.compile(rb"package:([a-z_][a-z0-9_]{0,63})/")
_PRINTABLE = re.compile(rb"[ -~]{4,}")
_LAYOUTS = ((8, 16, 1), (8, 12, 1), (4, 12, 4))
"""Offsets of the length and of the characters in a string object: 64 bit, compressed pointers, 32 bit; and at how many
places the characters may begin in a printable run, because the hash in front of them may be printable, too."""
_LEAST = 12
"""Bytes of the smallest string object."""
_MOST_CLASSES = 384
"""Below it a number can be that of a class of strings: they are built in, numbers above are an app's."""
_STRETCHES, _STRETCH = 64, 4 * KIB
"""How many stretches of an image are sampled, and how long each is."""
_WIDEST = 32 * KIB
"""Twice the characters of the longest string that is kept."""


@dataclass(frozen=True, slots=True)
class DartSnapshot:
    """What the snapshots of one library tell."""

    version: str
    """Hash of the version of Dart, which both the engine and the snapshot carry."""
    features: tuple[str, ...]
    """Build options, the processor and the system among them."""
    packages: tuple[str, ...]
    """Dart packages whose libraries are named, ascending; none in an obfuscated build."""
    strings: Values
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Shape:
    """How the string objects of one image look."""

    length_at: int
    text_at: int
    one_byte: re.Pattern[bytes]
    two_byte: re.Pattern[bytes]


def parse_dart_snapshot(data: Blob, limits: Limits = DEFAULT) -> DartSnapshot:
    """Read every snapshot in the library, of every processor it is built for.

    Raises:
        FormatError: there is no snapshot, or none that is whole enough to be read.
    """
    whole = data if isinstance(data, bytes) else bytes(data[:])
    images: list[tuple[int, bytes]] = []
    faults: list[str] = []
    version, features = "", ""
    position = _find_header(whole, 0)
    while position is not None and len(images) + len(faults) < _SNAPSHOTS:
        size, _, digest = _HEADER.unpack_from(whole, position)
        size += len(_MAGIC)
        if size < _HEADER.size or position + size > len(whole):
            faults.append(f"the snapshot at {position:#x} states {size} bytes, {len(whole) - position} are there")
            position = _find_header(whole, position + len(_MAGIC))
            continue
        begin = position + _HEADER.size
        version = digest.decode("ascii")
        features = whole[begin : begin + _FEATURES_SIZE].split(b"\0", 1)[0].decode("ascii", "replace")
        first, end = _find_image(whole, position, size, faults)
        images.append((first, whole[first:end]))
        position = _find_header(whole, end)
    if position is not None:
        faults.append(f"more than {_SNAPSHOTS} snapshots in one library")
    if not images:
        raise FormatError(faults[0] if faults else "no Dart snapshot", 0)
    found = {match[1] for _, image in images for match in _PACKAGE.finditer(image)}
    packages = tuple(sorted(name.decode("ascii") for name in found))
    strings = SnapshotStrings(tuple(images), limits.wrapper_strings)
    if sum(len(image) for _, image in images) > _LEAST * limits.wrapper_strings and strings.is_cut():
        faults.append(f"more than {limits.wrapper_strings} strings; raise --limit wrapper_strings")
    return DartSnapshot(version, tuple(features.split()), packages, strings, tuple(faults))


def has_dart_snapshot(data: Blob) -> bool:
    """Whether a snapshot with a header stands anywhere in the bytes."""
    return _find_header(data if isinstance(data, bytes) else bytes(data[:]), 0) is not None


def _find_header(data: bytes, position: int) -> int | None:
    """Offset of the next magic number that a header follows: code may hold the number, too."""
    position = data.find(_MAGIC, position)
    while position >= 0 and position + _HEADER.size <= len(data):
        digest = data[position + 20 : position + 52]
        if digest.isalnum() and digest.isascii():
            return position
        position = data.find(_MAGIC, position + len(_MAGIC))
    return None


def _find_image(data: bytes, start: int, size: int, faults: list[str]) -> tuple[int, int]:
    """The range of the data image behind a snapshot; its first word, of 4 or 8 bytes, is its size."""
    for alignment in _ALIGNMENTS:
        first = start + -(-size // alignment) * alignment
        for width in (8, 4):
            length = int.from_bytes(data[first : first + width], "little")
            if width < length <= len(data) - first:
                return first, first + length
    faults.append(f"the data image behind the snapshot at {start:#x} is cut off or states no size")
    return min(start + size, len(data)), len(data)


class SnapshotStrings(DeferredNames):
    """The string objects of the data images."""

    __slots__ = ("_images", "_limit")

    def __init__(self, images: tuple[tuple[int, bytes], ...], limit: int) -> None:
        """Take ``images`` as (offset in the file, bytes) pairs."""
        super().__init__()
        self._images = images
        self._limit = limit

    def _find(self) -> Iterator[tuple[int, bytes]]:
        return islice(self._find_each(), self._limit)

    def is_cut(self) -> bool:
        """Whether there are more strings than are read."""
        return any(True for _ in islice(self._find_each(), self._limit, None))

    def _find_each(self) -> Iterator[tuple[int, bytes]]:
        for base, image in self._images:
            shape = _learn_shape(image)
            if shape is None:
                # A layout that is not known: a string may then carry a few bytes of what follows it.
                yield from ((base + match.start(), match[0]) for match in _PRINTABLE.finditer(image))
            else:
                yield from ((base + offset, text) for offset, text in _find_strings(image, shape))


def _find_strings(image: bytes, shape: _Shape) -> Iterator[tuple[int, bytes]]:
    """The characters of every string object with their offset, as UTF-8."""
    words = array("I", image[: len(image) // 4 * 4])
    if sys.byteorder == "big":
        words.byteswap()
    last = max(len(image) - shape.text_at, 0)
    # Strings do not overlap; matches by chance may, and made-up ones could add up to any amount of work.
    left = 2 * len(image)
    for shift, encoding, pattern in ((1, "latin-1", shape.one_byte), (0, "utf-16-le", shape.two_byte)):
        for match in pattern.finditer(image, 0, last):
            head = match.start()
            smi = words[head + shape.length_at >> 2]
            # Objects are aligned, and the lowest bit of a small integer is 0: it is the size of two-byte characters.
            if head & 3 or smi & 1 or smi > _WIDEST:
                continue
            first, size = head + shape.text_at, smi >> shift
            raw = image[first : first + size]
            left -= size
            if left < 0:
                return
            if len(raw) == size:
                yield first, raw if shift and raw.isascii() else raw.decode(encoding, "replace").encode()


def _find_sample(data: bytes) -> Iterator[tuple[int, int]]:
    """Offset and length of printable runs from stretches all over the image: the strings may stand at its end only."""
    step = max(len(data) // _STRETCHES, _STRETCH)
    for first in range(0, len(data), step):
        found = _PRINTABLE.finditer(data, first, first + _STRETCH)
        yield from ((match.start(), len(match[0])) for match in found)


def _learn_shape(data: bytes) -> _Shape | None:
    """Tell from a sample of printable strings how this version of Dart lays string objects out.

    Numbers of classes and widths of fields differ between versions, but a printable string whose length stands in
    front of it shows both: of the layouts the one is right under which most of the strings are of one class.
    """
    sample = list(_find_sample(data))
    best: tuple[int, int, int, int, list[int]] = (0, 0, 0, 0, [])
    for length_at, text_at, shifts in _LAYOUTS:
        tags = [
            tag
            for first, size in sample
            if (tag := _read_tags(data, first, size, length_at, text_at, shifts)) is not None
        ]
        kind, count = Counter(map(_class_of, tags)).most_common(1)[0] if tags else (0, 0)
        if count > best[0]:
            best = (count, kind, length_at, text_at, tags)
    count, kind, length_at, text_at, tags = best
    if count == 0:
        return None
    flags = Counter(tag & 0xFF for tag in tags if _class_of(tag) == kind)
    # A flag that hardly ever occurs is a chance hit among other bytes.
    seen = sorted(flag for flag, times in flags.items() if times * 20 >= flags.total())
    if not seen:
        return None
    step = 1 << (12 if kind >> 12 < _MOST_CLASSES else 16)
    return _Shape(length_at, text_at, _tag_pattern(kind, step, seen), _tag_pattern(kind + step, step, seen))


def _read_tags(data: bytes, first: int, size: int, length_at: int, text_at: int, shifts: int) -> int | None:
    """The tags of the string object that a printable run belongs to; None where no length in front of it fits."""
    for shift in range(shifts):
        head = first + shift - text_at
        if head < 0:
            continue
        smi = int.from_bytes(data[head + length_at : head + length_at + 4], "little")
        # Tags and lengths of the next object may be printable, so the run may be longer than the string.
        if smi and not smi & 1 and size - shift - 8 <= smi >> 1 <= size - shift:
            return int.from_bytes(data[head : head + 4], "little")
    return None


def _class_of(tags: int) -> int:
    """The part of the tags that says of which class an object is.

    Tags are 8 bits of flags, a size of 4 bits, or of 8 before Dart 2.16, and the number of the class. Strings are
    built in, so their number is low.
    """
    return tags & (0xFFFFF000 if tags >> 12 < _MOST_CLASSES else 0xFFFF0000)


def _tag_pattern(kind: int, step: int, flags: list[int]) -> re.Pattern[bytes]:
    """What matches the tags of all objects of one class, whatever their size."""
    lead = b"".join(re.escape(bytes([flag])) for flag in flags)
    if len(flags) > 1:
        # A literal first byte makes the search several times as fast, so a set is used only where it must be.
        lead = b"[" + lead + b"]"
    low = kind >> 8 & 0xFF
    sizes = b"[\\x%02x-\\x%02x]" % (low, low + (step >> 8) - 1)
    return re.compile(lead + sizes + re.escape((kind >> 16 & 0xFFFF).to_bytes(2, "little")), re.DOTALL)
