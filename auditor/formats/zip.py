"""Reads zip archives (APK, IPA, bundles of them) the way Android and iOS do, never extracting to disk.

Specification: APPNOTE.TXT 6.3.10 of PKWARE; where files break it: Android's libziparchive and ZipAssetsProvider.
The central directory decides; what local headers say differently is noted as an anomaly.
Not read: split (multi-disk) archives; encrypted members; methods other than stored and deflate; an encrypted central
directory; Unicode path extra fields; archives without an end of central directory
"""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import itemgetter

from auditor.errors import FormatError, LimitError, UnsupportedError
from auditor.formats.blob import Blob
from auditor.formats.zip_directory import ENCRYPTED_FLAG, END_MAGIC, End, Entry, find_end, parse_directory
from auditor.limits import DEFAULT, MIB, Limits

__all__ = ["DEFLATED", "STORED", "Archive", "Entry", "is_zip", "parse_zip"]

STORED = 0
DEFLATED = 8
DESCRIPTOR_FLAG = 0x0008

_LOCAL_MAGIC = b"PK\x03\x04"
_LOCAL = struct.Struct("<4xHHHHHIIIHH")
_U16 = 0xFFFF
_U32 = 0xFFFFFFFF

_ANOMALIES = 64
_PADDINGS = 64
_CRYPT_HEADER_SIZE = 12

# Methods with a meaning of their own. Android reads every method but 8 as stored, so that a made-up number hides a
# member from tools only; one of these on data that is not stored is what it says.
_METHODS = {
    1: "shrink",
    2: "reduce",
    3: "reduce",
    4: "reduce",
    5: "reduce",
    6: "implode",
    9: "deflate64",
    12: "bzip2",
    14: "LZMA",
    93: "zstd",
    95: "xz",
    96: "JPEG",
    97: "WavPack",
    98: "PPMd",
    99: "AES encryption or Apple's LZFSE",
}


@dataclass(frozen=True, slots=True)
class Archive:
    """A parsed central directory over the data it lies in; members are read on demand."""

    data: Blob = field(repr=False)
    limits: Limits = field(repr=False)
    entries: tuple[Entry, ...]
    """In central directory order, duplicates included."""
    central_directory_offset: int
    """Where the central directory really begins in the data."""
    central_directory_size: int
    """As the end of central directory gives it."""
    end_offset: int
    """Where the end of central directory record begins in the data."""
    data_offset: int
    """What must be added to the offsets written in the archive (a prefix it does not count), usually 0."""
    comment: bytes
    incomplete: str
    """Why not every entry could be listed, in a sentence; empty when all of them are."""
    _noted: list[str] = field(repr=False)
    _by_name: dict[str, Entry] = field(repr=False)

    @property
    def anomalies(self) -> tuple[str, ...]:
        """What departs from the format, in plain sentences; grows as members with lying local headers are read."""
        return tuple(self._noted)

    def find(self, name: str) -> Entry | None:
        """Return the entry of this name; of several the first, which is the one Android's native code finds."""
        return self._by_name.get(name)

    def read(self, entry: Entry, limit: int | None = None) -> bytes:
        """Return the whole unpacked member. A wrong CRC is no error here, as on Android.

        Raises:
            LimitError: it is larger than ``limit`` (by default ``Limits.member_size``) or packed impossibly well.
            UnsupportedError: it is encrypted or of a method that is not read.
            FormatError: its bytes are damaged.
        """
        most = self.limits.member_size if limit is None else limit
        if entry.size > most:
            raise LimitError(f"member {entry.name!r} unpacks to {entry.size} bytes, more than {most}")
        offset, deflated = self._locate(entry)
        if not deflated:
            return bytes(self.data[offset : offset + entry.size])
        return b"".join(_inflate(self.data, offset, entry, entry.size + 1))

    def view(self, entry: Entry) -> memoryview | bytes:
        """Return the member without copying where it is stored; an open view keeps a mapped file from closing.

        Raises:
            FormatError: as for ``read``.
        """
        offset, deflated = self._locate(entry)
        if deflated:
            if entry.size > self.limits.member_size:
                raise LimitError(f"member {entry.name!r} has {entry.size} bytes, more than {self.limits.member_size}")
            return b"".join(_inflate(self.data, offset, entry, entry.size + 1))
        return memoryview(self.data)[offset : offset + entry.size]

    def chunks(self, entry: Entry, size: int = MIB) -> Iterator[bytes]:
        """Yield the unpacked member in pieces of at most ``size`` bytes, whatever its total size.

        Raises:
            FormatError: as for ``read``, but without its bound on the whole size.
        """
        offset, deflated = self._locate(entry)
        if deflated:
            yield from _inflate(self.data, offset, entry, size)
            return
        end = offset + entry.size
        for start in range(offset, end, size):
            yield bytes(self.data[start : min(start + size, end)])

    def crc_matches(self, entry: Entry, data: bytes | bytearray | memoryview) -> bool:
        """Tell whether unpacked bytes have the checksum the central directory gives."""
        return zlib.crc32(data) == entry.crc32

    def payload_offset(self, entry: Entry) -> int:
        """Return where the packed bytes of a member begin, by its local header.

        Raises:
            FormatError: no local header lies where the central directory says.
        """
        start = entry.header_offset
        if start + _LOCAL.size > len(self.data) or bytes(self.data[start : start + 4]) != _LOCAL_MAGIC:
            raise FormatError(f"member {entry.name!r} has no local header", start)
        fields = _LOCAL.unpack_from(self.data, start)
        offset: int = start + _LOCAL.size + fields[8] + fields[9]
        name_end = start + _LOCAL.size + fields[8]
        lies = _local_lies(entry, fields, bytes(self.data[start + _LOCAL.size : name_end]))
        if lies:
            _note(self._noted, f"the local header of {entry.name!r} gives another {lies}; the central directory counts")
        return offset

    def _locate(self, entry: Entry) -> tuple[int, bool]:
        """Return offset and whether the member is deflated, having checked that its bytes lie inside the data."""
        offset = self.payload_offset(entry)
        deflated = entry.method == DEFLATED
        if entry.method not in (STORED, DEFLATED):
            deflated = self._guess_method(entry, offset)
        packed_size = entry.compressed_size if deflated else entry.size
        if offset + packed_size > len(self.data):
            raise FormatError(f"member {entry.name!r} runs past the end of the archive", offset)
        if deflated and entry.size > max(entry.compressed_size, 1) * self.limits.member_ratio:
            raise LimitError(f"member {entry.name!r} claims to be packed more than {self.limits.member_ratio} times")
        if not deflated and entry.method == STORED and entry.compressed_size != entry.size:
            self._check_stored(entry, offset)
        return offset, deflated

    def _check_stored(self, entry: Entry, offset: int) -> None:
        """Refuse a stored member that is really encrypted; note one whose two sizes merely differ."""
        grown = entry.compressed_size == entry.size + _CRYPT_HEADER_SIZE
        if grown and entry.claims_encryption and not self._stored_crc_matches(entry, offset):
            raise UnsupportedError(f"member {entry.name!r} is encrypted")
        _note(self._noted, f"{entry.name!r} is stored but gives two different sizes; the unpacked size counts")

    def _guess_method(self, entry: Entry, offset: int) -> bool:
        """Decide for a foreign method number: stored as Android takes it, unless the bytes prove otherwise."""
        _note(self._noted, f"{entry.name!r} gives the compression method {entry.method:#x}; Android reads it as stored")
        if self._stored_crc_matches(entry, offset):
            return False
        if self._inflates(entry, offset):
            return True
        if entry.method in _METHODS and entry.compressed_size != entry.size:
            raise UnsupportedError(
                f"member {entry.name!r} is packed with method {entry.method}, {_METHODS[entry.method]}"
            )
        return False

    def _stored_crc_matches(self, entry: Entry, offset: int) -> bool:
        """Tell whether the bytes as they lie have the promised checksum."""
        end = offset + entry.size
        if entry.size > self.limits.member_size or end > len(self.data):
            return False
        return zlib.crc32(memoryview(self.data)[offset:end]) == entry.crc32

    def _inflates(self, entry: Entry, offset: int) -> bool:
        """Tell whether the bytes are a deflate stream of the promised size and checksum."""
        bound = min(self.limits.member_size, max(entry.compressed_size, 1) * self.limits.member_ratio)
        if entry.size > bound or offset + entry.compressed_size > len(self.data):
            return False
        crc = 0
        try:
            for chunk in _inflate(self.data, offset, entry, MIB):
                crc = zlib.crc32(chunk, crc)
        except FormatError:
            return False
        return crc == entry.crc32


def is_zip(data: Blob) -> bool:
    """Tell by content whether the bytes are a zip archive, also one with data before it."""
    if bytes(data[:4]) in (_LOCAL_MAGIC, END_MAGIC):
        return True
    try:
        find_end(data)
    except FormatError:
        return False
    return True


def parse_zip(data: Blob, limits: Limits = DEFAULT) -> Archive:
    """Read the central directory; members stay packed until they are asked for.

    Raises:
        FormatError: there is no end of central directory, or no central directory where it points.
    """
    noted: list[str] = []
    end = find_end(data)
    _note_end(data, end, noted)
    directory = bytes(data[end.directory_offset : end.directory_offset + end.directory_size])
    entries, incomplete = parse_directory(directory, end, limits)
    if end.entry_count and not entries:
        raise FormatError("the central directory cannot be read", end.directory_offset)
    incomplete = incomplete or _cut_around(data, end)
    if not incomplete and len(entries) != end.entry_count and len(entries) & _U16 != end.entry_count:
        _note(noted, f"the archive announces {end.entry_count} entries and lists {len(entries)}")
    by_name = _index(entries, noted)
    _note_entries(entries, len(data), noted)
    _note_layout(data, entries, end, noted)
    return Archive(
        data=data,
        limits=limits,
        entries=tuple(entries),
        central_directory_offset=end.directory_offset,
        central_directory_size=end.directory_size,
        end_offset=end.offset,
        data_offset=end.shift,
        comment=end.comment,
        incomplete=incomplete,
        _noted=noted,
        _by_name=by_name,
    )


def _inflate(data: Blob, offset: int, entry: Entry, size: int) -> Iterator[bytes]:
    """Yield the unpacked bytes in pieces of at most ``size``; exactly as many as promised, or an error."""
    engine = zlib.decompressobj(-15)
    end = offset + entry.compressed_size
    left, pending, position = entry.size, b"", offset
    try:
        while not engine.eof:
            if not pending and position < end:
                pending = bytes(data[position : min(position + MIB, end)])
                position += len(pending)
            chunk = engine.decompress(pending, size)
            pending = engine.unconsumed_tail
            if not chunk and not pending and position >= end and not engine.eof:
                raise FormatError(f"member {entry.name!r} is cut off", offset)
            left -= len(chunk)
            if left < 0:
                raise FormatError(f"member {entry.name!r} unpacks to more than the promised {entry.size} bytes", offset)
            if chunk:
                yield chunk
    except zlib.error as error:
        if entry.claims_encryption:
            raise UnsupportedError(f"member {entry.name!r} is encrypted") from error
        raise FormatError(f"member {entry.name!r} is damaged: {error}", offset) from error
    if left:
        raise FormatError(f"member {entry.name!r} unpacks to {left} bytes less than promised", offset)


def _cut_around(data: Blob, end: End) -> str:
    """Say that the archive is only a member of a larger one, whose own directory is gone; else the empty string.

    A stored member that is an archive brings an end record of its own, which is the last one left after a cut.
    """
    if end.shift <= 0 or bytes(data[:4]) != _LOCAL_MAGIC:
        return ""
    return f"what is listed begins at {end.shift:#x}, inside an archive that is cut off: its own members are not listed"


def _note(noted: list[str], sentence: str) -> None:
    """Add a sentence once, up to a bounded number."""
    if len(noted) < _ANOMALIES and sentence not in noted:
        noted.append(sentence)


def _note_end(data: Blob, end: End, noted: list[str]) -> None:
    """Note what lies around the archive and inside its comment."""
    if end.ends_at > len(data):
        _note(noted, "the archive comment runs past the end of the data")
    elif end.ends_at < len(data):
        _note(noted, f"{len(data) - end.ends_at} bytes follow the archive; Android refuses such a file")
    if END_MAGIC in end.comment:
        _note(noted, "the archive comment contains another end of central directory; Android would take that one")
    if end.shift:
        _note(
            noted, f"the offsets in the archive are wrong by {end.shift}: it lies behind other data; Android refuses it"
        )


def _note_entries(entries: list[Entry], total: int, noted: list[str]) -> None:
    """Note what single entries say that no ordinary archive does."""
    for entry in entries:
        name, flags, method = entry.name, entry.flags, entry.method
        if flags & ENCRYPTED_FLAG:
            _note(noted, f"{name!r} claims to be encrypted; Android ignores the claim")
        if method != DEFLATED and method != STORED:
            _note(noted, f"{name!r} gives the compression method {method:#x}; Android reads it as stored")
        if entry.header_offset >= total or entry.header_offset < 0:
            _note(noted, f"{name!r} points outside the archive")
        if ".." in name and ".." in name.replace("\\", "/").split("/"):
            _note(noted, f"{name!r} points above the folder it would be unpacked in")
        elif name[:1] in ("/", "\\"):
            _note(noted, f"{name!r} is an absolute path")
        elif "\0" in name:
            _note(noted, f"{name!r} contains a zero character; Android refuses the archive")


def _note_layout(data: Blob, entries: list[Entry], end: End, noted: list[str]) -> None:
    """Note data before the first member and members that share bytes."""
    spans = sorted([(entry[7], entry[7] + 30 + len(entry[1]) + entry[5]) for entry in entries], key=itemgetter(0))
    if spans and spans[0][0] > 0 and not end.shift and not _is_padding(data, spans[0][0]):
        _note(noted, f"{spans[0][0]} bytes lie before the first member")
    overlaps, reach = 0, -1
    for start, stop in spans:
        if start < reach:
            overlaps += 1
        if stop > reach:
            reach = stop
    if overlaps:
        _note(noted, f"{overlaps} of {len(entries)} members overlap others, as in a zip bomb")
    if reach > end.directory_offset:
        _note(noted, "a member reaches into the central directory")


def _is_padding(data: Blob, size: int) -> bool:
    """Tell whether the first bytes are nameless empty members filled with zeros: how Android's build tools align."""
    position = 0
    for _ in range(_PADDINGS):
        head = bytes(data[position : min(position + _LOCAL.size, size)])
        if len(head) < _LOCAL.size or not head.startswith(_LOCAL_MAGIC):
            break
        _, _, method, _, _, crc, packed, unpacked, name_size, extra_size = _LOCAL.unpack(head)
        start, position = position + _LOCAL.size, position + _LOCAL.size + extra_size
        if method or crc or packed or unpacked or name_size or any(bytes(data[start:position])):
            return False
    return position == size


def _index(entries: list[Entry], noted: list[str]) -> dict[str, Entry]:
    """Return the first entry of each name and note the names that come more than once."""
    by_name = {entry[0]: entry for entry in reversed(entries)}
    if len(by_name) != len(entries):
        counts = Counter(entry[0] for entry in entries)
        for name, count in counts.items():
            if count > 1:
                sentence = f"{name!r} occurs {count} times; the first counts, as in Android's native code"
                _note(noted, f"{sentence} (Android 5 and later refuse the archive, unpackers keep the last)")
    return by_name


def _local_lies(entry: Entry, fields: tuple[int, ...], raw_name: bytes) -> str:
    """Name what a local header says differently; sizes and checksum only where no data descriptor follows."""
    _, flags, method, _, _, crc, packed, size, _, _ = fields
    lies = ["name"] if raw_name != entry.raw_name else []
    if method != entry.method:
        lies.append("method")
    if (flags ^ entry.flags) & (ENCRYPTED_FLAG | DESCRIPTOR_FLAG):
        lies.append("flags")
    if not (flags & DESCRIPTOR_FLAG) and packed != _U32 and size != _U32:
        if (packed, size) != (entry.compressed_size, entry.size):
            lies.append("size")
        if crc != entry.crc32:
            lies.append("checksum")
    return " and ".join(lies)
