"""Read the payload of an over-the-air update: the images of partitions in it, where it is a full one.

Format: AOSP update_engine, payload major version 2 and update_metadata.proto.

Not read: incremental updates (they need the old image), payloads of major version 1, signatures
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from auditor.errors import FormatError, LimitError, UnsupportedError
from auditor.formats.compressed import Compression, recognise_compression, unpack_source
from auditor.formats.proto_wire import LENGTH_DELIMITED, VARINT, find_fields
from auditor.formats.source import SliceSource, Source
from auditor.limits import DEFAULT, MIB, Limits

_MAGIC = b"CrAU"
_HEADER = struct.Struct(">4sQQI")
_REPLACE, _ZERO, _DISCARD, _REPLACE_ZSTD = 0, 6, 7, 14
_PACKED = {1: Compression.BZIP2, 8: Compression.XZ, _REPLACE_ZSTD: Compression.ZSTD}
_EMPTY = (_ZERO, _DISCARD)
_READ = frozenset({_REPLACE, *_EMPTY, *_PACKED})
_NEEDS_OLD = frozenset({2, 3, 4, 5, 9, 10, 11, 12, 13})
_MAJOR_1 = (1, 2)
"""Fields with the operations for the system and the kernel, before partitions had names."""
_HOLE = bytes(256 * 1024)


@dataclass(frozen=True, slots=True)
class InstallOperation:
    """One step that makes some blocks of a partition."""

    type: int
    data_offset: int
    """In the payload."""
    data_size: int
    dst_extents: tuple[tuple[int, int], ...]
    """(first byte, bytes) in the partition, in the order the content goes there."""
    sha256: bytes = b""
    """Of the data as stored; empty: not said."""


@dataclass(frozen=True, slots=True)
class PayloadPartition:
    """One partition an update writes."""

    name: str
    size: int
    operations: tuple[InstallOperation, ...] = field(repr=False)
    block_size: int = 4096
    refusal: str = ""
    """Why its content cannot be read, in a clause; empty: it can."""

    @property
    def is_sequential(self) -> bool:
        """Whether the operations go through the partition from its begin to its end."""
        end = 0
        for operation in self.operations:
            for start, size in operation.dst_extents:
                if start < end:
                    return False
                end = start + size
        return True


@dataclass(frozen=True, slots=True)
class OtaPayload:
    """What an update holds."""

    minor_version: int
    """0: a full update."""
    block_size: int
    partitions: tuple[PayloadPartition, ...]

    @property
    def is_incremental(self) -> bool:
        """Whether all or part of it is made of differences to an older image."""
        return self.minor_version != 0 or any(item.refusal for item in self.partitions)


def is_ota_payload(head: bytes) -> bool:
    """Whether a file that begins with these bytes is the payload of an update."""
    return head.startswith(_MAGIC)


def parse_ota_payload(source: Source, limits: Limits = DEFAULT) -> OtaPayload:
    """Read what an update says of its partitions.

    Raises:
        FormatError: it is none, damaged, or cut off before the data.
        LimitError: its manifest is larger than ``limits`` allow.
        UnsupportedError: another major version than 2.
    """
    if source.size < _HEADER.size:
        raise FormatError("too short for the payload of an update", source.size)
    magic, version, manifest_size, signature_size = _HEADER.unpack(bytes(source.read(0, _HEADER.size)))
    if magic != _MAGIC:
        raise FormatError("no payload of an update", 0)
    if version != 2:
        raise UnsupportedError(f"the payload of an update in major version {version}", 4)
    if manifest_size > limits.manifest_size:
        raise LimitError(f"the manifest of the update has {manifest_size} bytes; raise --limit manifest_size")
    data_offset = _HEADER.size + manifest_size + signature_size
    if data_offset > source.size:
        raise FormatError("the payload of the update is cut off", source.size)
    manifest = bytes(source.read(_HEADER.size, manifest_size))
    block_size, minor_version, places = 4096, 0, []
    for number, kind, a, b in find_fields(manifest, 0, len(manifest)):
        if (number, kind) == (3, VARINT):
            block_size = a
        elif (number, kind) == (12, VARINT):
            minor_version = a
        elif (number, kind) == (13, LENGTH_DELIMITED):
            places.append((a, b))
        elif kind == LENGTH_DELIMITED and number in _MAJOR_1:
            raise UnsupportedError("the payload of an update with operations of major version 1", _HEADER.size + a)
    if not 512 <= block_size <= MIB:
        raise FormatError(f"the update states blocks of {block_size} bytes")
    reader = _Reader(manifest, data_offset, block_size, limits)
    # Operations do not share data: a manifest that names the same bytes time and again would be read without end.
    left, partitions = source.size, []
    for place in places:
        partition = reader.partition(*place)
        left -= sum(item.data_size for item in partition.operations)
        if left < 0 and not partition.refusal:
            partition = replace(partition, refusal="operations of the update name more data than there is")
        partitions.append(partition)
    return OtaPayload(minor_version, block_size, tuple(partitions))


@dataclass(frozen=True, slots=True)
class _Reader:
    manifest: bytes
    data_offset: int
    block_size: int
    limits: Limits

    def partition(self, start: int, end: int) -> PayloadPartition:
        name, size, operations = "", 0, []
        for number, kind, a, b in find_fields(self.manifest, start, end):
            if (number, kind) == (1, LENGTH_DELIMITED):
                name = self.manifest[a:b].decode("utf-8", "backslashreplace")
            elif (number, kind) == (7, LENGTH_DELIMITED):
                size = next((c for n, k, c, _ in find_fields(self.manifest, a, b) if (n, k) == (1, VARINT)), 0)
            elif (number, kind) == (8, LENGTH_DELIMITED):
                operations.append(self.operation(a, b))
        return PayloadPartition(name, size, tuple(operations), self.block_size, self.refusal(size, operations))

    def operation(self, start: int, end: int) -> InstallOperation:
        numbers = {1: 0, 2: 0, 3: 0}
        extents, digest = [], b""
        for number, kind, a, b in find_fields(self.manifest, start, end):
            if kind == VARINT and number in numbers:
                numbers[number] = a
            elif (number, kind) == (6, LENGTH_DELIMITED):
                extents.append(self.extent(a, b))
            elif (number, kind) == (8, LENGTH_DELIMITED):
                digest = self.manifest[a:b]
        return InstallOperation(numbers[1], self.data_offset + numbers[2], numbers[3], tuple(extents), digest)

    def extent(self, start: int, end: int) -> tuple[int, int]:
        numbers = {1: 0, 2: 0}
        for number, kind, a, _ in find_fields(self.manifest, start, end):
            if kind == VARINT and number in numbers:
                numbers[number] = a
        return numbers[1] * self.block_size, numbers[2] * self.block_size

    def refusal(self, size: int, operations: list[InstallOperation]) -> str:
        kinds = {item.type for item in operations}
        if kinds & _NEEDS_OLD:
            return "an incremental update: needs the old image"
        if kinds - _READ:
            return f"an update with operations of the unknown type {min(kinds - _READ)}"
        if size > self.limits.file_size:
            return f"a partition of {size} bytes; raise --limit file_size"
        end = 0
        bound = -(-size // self.block_size) * self.block_size
        for start, length in sorted(extent for item in operations for extent in item.dst_extents):
            if start < end or start + length > bound:
                return "operations of the update overlap or reach beyond the partition"
            end = start + length
        return ""


def find_writes(source: Source, partition: PayloadPartition) -> Iterator[tuple[int, bytes]]:
    """Yield (offset in the partition, bytes) in the order of the operations; what is not named is zero.

    Pieces have at most a megabyte. The last block may reach beyond ``partition.size``; it is cut there.

    Raises:
        UnsupportedError: ``partition.refusal``.
        FormatError: data is cut off, damaged, or has another SHA-256 than stated; from that operation on. Or, once all
            was yielded, operations leave blocks out, which those of a full update do not.
    """
    yield from _writes(source, partition)
    _check_whole(partition)


def _check_whole(partition: PayloadPartition) -> None:
    made = sum(size for operation in partition.operations for _, size in operation.dst_extents)
    if made < partition.size:
        raise FormatError(f"{partition.size - made} bytes of the partition are made by no operation of the update")


def _writes(source: Source, partition: PayloadPartition) -> Iterator[tuple[int, bytes]]:
    if partition.refusal:
        raise UnsupportedError(partition.refusal)
    for operation in partition.operations:
        if operation.type in _EMPTY:
            continue
        if operation.data_offset + operation.data_size > source.size:
            raise FormatError("the payload of the update is cut off", source.size)
        data = SliceSource(source, operation.data_offset, operation.data_size)
        _check_digest(data, operation)
        yield from _place(_content(data, operation), operation, partition.size, partition.block_size)


def _check_digest(data: SliceSource, operation: InstallOperation) -> None:
    if not operation.sha256:
        return
    digest = hashlib.sha256()
    for at in range(0, data.size, MIB):
        digest.update(data.read(at, min(MIB, data.size - at)))
    if digest.digest() != operation.sha256:
        raise FormatError("data of the update has another SHA-256 than stated", operation.data_offset)


def _content(data: SliceSource, operation: InstallOperation) -> Iterator[bytes]:
    if operation.type == _REPLACE:
        for at in range(0, data.size, MIB):
            yield bytes(data.read(at, min(MIB, data.size - at)))
        return
    kind = _PACKED[operation.type]
    if operation.type == _REPLACE_ZSTD and recognise_compression(data.read(0, min(10, data.size))) is not kind:
        raise UnsupportedError("an update with operations of the unknown type 14", operation.data_offset)
    yield from unpack_source(data, kind)


def _place(
    pieces: Iterator[bytes], operation: InstallOperation, bound: int, block_size: int
) -> Iterator[tuple[int, bytes]]:
    """Yield where content goes; what is short of the last block stays zero."""
    extents = iter(operation.dst_extents)
    start, left = next(extents, (0, 0))
    for whole in pieces:
        piece = whole
        while piece:
            while not left:
                start, left = next(extents, (-1, 1))
            if start < 0:
                raise FormatError("an operation of the update holds more than it has room for", operation.data_offset)
            part = piece[:left]
            if start < bound:
                yield start, part[: bound - start]
            piece, start, left = piece[len(part) :], start + len(part), left - len(part)
    missing = left + sum(size for _, size in extents)
    # update_engine fills the last block of what is stored with zeros.
    if missing >= block_size:
        raise FormatError(f"an operation of the update is {missing} bytes short", operation.data_offset)


def partition_chunks(source: Source, partition: PayloadPartition) -> Iterator[bytes]:
    """Yield the content of a partition in order; only where it ``is_sequential``, else ``find_writes`` gives it.

    Raises:
        UnsupportedError: ``partition.refusal``, or the operations are in another order.
        FormatError: as ``find_writes``.
    """
    if not partition.is_sequential:
        raise UnsupportedError("operations of the update are not in the order of the partition")
    position = 0
    for offset, data in _writes(source, partition):
        yield from _zeros(offset - position)
        yield data
        position = offset + len(data)
    yield from _zeros(partition.size - position)
    _check_whole(partition)


def _zeros(size: int) -> Iterator[bytes]:
    while size > 0:
        yield _HOLE[: min(size, len(_HOLE))]
        size -= len(_HOLE)
