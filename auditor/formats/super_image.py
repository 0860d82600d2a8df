"""Finds the partitions in a super image, which holds the dynamic partitions of Android 10 and later.

Format: logical partition metadata 10.0 to 10.2 (AOSP system/core/fs_mgr/liblp, metadata_format.h).

Not read: snapshots of Virtual A/B (partitions named ``-cow``), parts that lie on another block device of the phone,
files of metadata without an image (super_empty.img).
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from auditor.errors import FormatError, LimitError, UnsupportedError
from auditor.formats.partition import Loss, Partition, PartitionTable, distinct, fit_name
from auditor.formats.source import Extent, MappedSource, Source
from auditor.limits import DEFAULT, MIB, Limits

_GEOMETRY_PLACES = (4096, 8192)
_METADATA_START = 12288
_SECTOR = 512
_GEOMETRY_MAGIC, _HEADER_MAGIC = 0x616C4467, 0x414C5030
_GEOMETRY = struct.Struct("<II32sIII")
_HEADER = struct.Struct("<IHHI32sI32s12I")
_PARTITION = struct.Struct("<36sIIII")
_EXTENT = struct.Struct("<QIQI")
_GROUP = struct.Struct("<36sIQ")
_DEVICE = struct.Struct("<QIIQ36sI")
_LINEAR, _ZERO = 0, 1
_SLOT_SUFFIXED, _GROUP_SLOT_SUFFIXED, _DISABLED = 2, 1, 8
_MOST_SLOTS = 32
_MOST_METADATA = 16 * MIB
_MOST_SIZE = 1 << 62


@dataclass(frozen=True, slots=True)
class _Geometry:
    metadata_size: int
    slots: int


@dataclass(frozen=True, slots=True)
class _Metadata:
    """One slot's tables as records."""

    slot: int
    partitions: list[tuple[bytes, int, int, int, int]]
    extents: list[tuple[int, int, int, int]]
    groups: list[tuple[bytes, int, int]]
    devices: list[tuple[int, int, int, int, bytes, int]]


def is_super_image(head: bytes) -> bool:
    """Whether the geometry of a super image, or its copy, stands where it must; 8196 bytes show both."""
    mark = _GEOMETRY_MAGIC.to_bytes(4, "little")
    return any(head[place : place + 4] == mark for place in _GEOMETRY_PLACES)


def parse_super_image(source: Source, limits: Limits = DEFAULT) -> PartitionTable:
    """Read the partitions of the first slot with sound metadata, then those of other slots that differ.

    A phone updates the slot it does not run; so a slot may name a system that the first one lacks. What a later slot
    lays out otherwise is listed as ``name@slot1``.

    Raises:
        FormatError: no super image, or no sound metadata in it.
        UnsupportedError: metadata of another major version.
        LimitError: more partitions or extents than ``limits`` allow.
    """
    remarks: list[str] = []
    geometry = _read_geometry(source, remarks)
    slots = list(_read_slots(source, geometry, limits, remarks))
    if not slots:
        raise FormatError(f"no metadata of the super image is sound: {'; '.join(remarks)}"[:600], _METADATA_START)
    found: list[Partition] = []
    seen: dict[str, set[object]] = {}
    budget = limits.image_extents
    for metadata in slots:
        _remark_devices(metadata, remarks)
        for record in metadata.partitions:
            # Partitions may claim the same extents time and again.
            budget -= min(record[3], len(metadata.extents))
            if budget < 0 or len(found) >= limits.partitions:
                raise LimitError("too many partitions or extents in a super image; raise --limit image_extents")
            partition, layout = _build(source, metadata, record, remarks)
            if metadata is slots[0]:
                found.append(partition)
                seen.setdefault(partition.name, set()).add(layout)
            elif layout not in seen.setdefault(partition.name, set()):
                seen[partition.name].add(layout)
                if partition.size:
                    remarks.append(f"slot {metadata.slot} lays out {partition.name} otherwise than an earlier slot")
                    found.append(replace(partition, name=f"{partition.name}@slot{metadata.slot}"))
    if slots[0].slot:
        remarks.append(f"the partitions are those of metadata slot {slots[0].slot}")
    return PartitionTable(distinct(found), tuple(dict.fromkeys(remarks)))


def _read_geometry(source: Source, remarks: list[str]) -> _Geometry:
    wrong = "no super image"
    for place in _GEOMETRY_PLACES:
        if place + _GEOMETRY.size > source.size:
            raise FormatError("the geometry of the super image is cut off", min(place, source.size))
        magic, size, checksum, most, slots, _ = _GEOMETRY.unpack(source.read(place, _GEOMETRY.size))
        if magic != _GEOMETRY_MAGIC:
            remarks.append(f"the geometry at {place} is damaged")
            continue
        if size < _GEOMETRY.size or size > 4096 or place + size > source.size:
            wrong = f"the geometry of the super image states {size} bytes for itself"
        elif hashlib.sha256(_without(source.read(place, size), 8)).digest() != checksum:
            wrong = "the checksum of the geometry of the super image is wrong"
        elif most == 0 or most % _SECTOR or most > _MOST_METADATA or not 0 < slots <= _MOST_SLOTS:
            wrong = f"the geometry of the super image states {slots} slots of {most} bytes"
        else:
            return _Geometry(most, slots)
        remarks.append(f"the geometry at {place} is damaged")
    raise FormatError(wrong, _GEOMETRY_PLACES[0])


def _without(data: bytes | memoryview, at: int) -> bytes:
    """Data with the 32 bytes of its own checksum set to zero."""
    return bytes(data[:at]) + bytes(32) + bytes(data[at + 32 :])


def _read_slots(source: Source, geometry: _Geometry, limits: Limits, remarks: list[str]) -> Iterator[_Metadata]:
    """Metadata of each slot, from its copy where the first is unsound."""
    unsupported: UnsupportedError | None = None
    sound = False
    for slot in range(geometry.slots):
        for copy in (0, geometry.slots):
            at = _METADATA_START + geometry.metadata_size * (copy + slot)
            if slot and at + 4 <= source.size and not any(source.read(at, 4)):
                # Tools that make images write the first slot alone.
                continue
            try:
                metadata = _read_metadata(source, at, geometry.metadata_size, slot, limits)
            except LimitError:
                raise
            except UnsupportedError as error:
                unsupported = error
                remarks.append(str(error))
            except FormatError as error:
                remarks.append(f"metadata slot {slot}{', the copy' if copy else ''}: {error}")
            else:
                sound = True
                yield metadata
                if not copy:
                    yield from _differing_copy(source, geometry, metadata, limits, remarks)
                break
    if not sound and unsupported is not None:
        raise unsupported


def _differing_copy(
    source: Source, geometry: _Geometry, metadata: _Metadata, limits: Limits, remarks: list[str]
) -> Iterator[_Metadata]:
    """The copy of a slot's metadata where it is sound as well and lays out something else."""
    at = _METADATA_START + geometry.metadata_size * (geometry.slots + metadata.slot)
    try:
        copy = _read_metadata(source, at, geometry.metadata_size, metadata.slot, limits)
    except FormatError:
        return
    if (copy.partitions, copy.extents) != (metadata.partitions, metadata.extents):
        remarks.append(f"metadata slot {metadata.slot} and its copy differ; the partitions of both are listed")
        yield copy


def _read_metadata(source: Source, at: int, most: int, slot: int, limits: Limits) -> _Metadata:
    if at + _HEADER.size > source.size:
        raise FormatError("the metadata is cut off", min(at, source.size))
    magic, major, minor, size, checksum, tables_size, tables_sum, *places = _HEADER.unpack(
        source.read(at, _HEADER.size)
    )
    if magic != _HEADER_MAGIC:
        raise FormatError("there is no metadata", at)
    if major != 10:
        raise UnsupportedError(f"metadata of version {major}.{minor}")
    if size < _HEADER.size or size + tables_size > most or at + size + tables_size > source.size:
        raise FormatError(f"the metadata states {size} and {tables_size} bytes, where {most} are set aside", at)
    if hashlib.sha256(_without(source.read(at, size), 12)).digest() != checksum:
        raise FormatError("the checksum of the header is wrong", at)
    tables = bytes(source.read(at + size, tables_size))
    if hashlib.sha256(tables).digest() != tables_sum:
        raise FormatError("the checksum of the tables is wrong", at + size)
    for count, name, bound in (
        (places[1], "partitions", limits.partitions),
        (places[4], "extents", limits.image_extents),
    ):
        if count > bound:
            raise LimitError(f"{count} {name} in a super image; raise --limit {'image_' * (name == 'extents')}{name}")
    return _Metadata(
        slot,
        list(_records(tables, places[0:3], _PARTITION)),
        list(_records(tables, places[3:6], _EXTENT)),
        list(_records(tables, places[6:9], _GROUP)),
        list(_records(tables, places[9:12], _DEVICE)),
    )


def _records(tables: bytes, place: list[int], record: struct.Struct) -> Iterator[tuple[Any, ...]]:
    """Records of one table; their size is stated, and later versions may append to them."""
    offset, count, size = place
    if count and (size < record.size or offset + count * size > len(tables)):
        raise FormatError(
            f"a table of {count} records of {size} bytes does not fit into the {len(tables)} of all", offset
        )
    return (record.unpack_from(tables, offset + number * size) for number in range(count))


def _text(name: bytes) -> str:
    return name.partition(b"\0")[0].decode("utf-8", "replace")


def _suffixed(name: str, is_suffixed: bool, slot: int) -> str:
    """On devices updated to dynamic partitions the slot's suffix is left out and meant."""
    return name + ("_a", "_b")[slot] if is_suffixed and slot < 2 else name


def _device_names(metadata: _Metadata) -> list[str]:
    return [_suffixed(_text(item[4]), bool(item[5] & 1), metadata.slot) for item in metadata.devices]


def _remark_devices(metadata: _Metadata, remarks: list[str]) -> None:
    names = _device_names(metadata)
    if names and not names[0].startswith("super"):
        remarks.append(Loss(f"the dynamic partitions lie on {', '.join(names)[:300]}; this image is the first of them"))
    elif len(names) > 1:
        text = f"the dynamic partitions lie on {len(names)} block devices; this image is the first of them"
        remarks.append(Loss(text))


def _build(
    source: Source, metadata: _Metadata, record: tuple[bytes, int, int, int, int], remarks: list[str]
) -> tuple[Partition, object]:
    """A partition, and its layout to compare that of another slot with."""
    raw, attributes, first, count, group = record
    name = _suffixed(_text(raw), bool(attributes & _SLOT_SUFFIXED), metadata.slot)
    name = fit_name(name, "unnamed")
    in_group = ""
    if group < len(metadata.groups):
        label, flags, _ = metadata.groups[group]
        in_group = fit_name(_suffixed(_text(label), bool(flags & _GROUP_SLOT_SUFFIXED), metadata.slot), "")
    layout = metadata.extents[first : first + count]
    size = sum(item[0] for item in layout) * _SECTOR
    built: MappedSource | None = None
    refusal = "a snapshot of Virtual A/B, which is not read" if name.endswith("-cow") else ""
    if name.endswith("-cow"):
        remarks.append(Loss(f"an update of {name.removesuffix('-cow')} was not merged yet; {name} is not read"))
    elif len(layout) != count:
        refusal = f"its extents {first} to {first + count} are not in the table of {len(metadata.extents)}"
    elif size > _MOST_SIZE:
        refusal = f"it states {size} bytes"
    else:
        refusal = _refuse(layout, _device_names(metadata))
    if not refusal:
        extents = list(_lay_out(source, layout))
        built = MappedSource(size, extents)
        if any(item.offset + item.size > source.size for item in extents):
            remarks.append(Loss(f"{name} reaches beyond the end of the image, which is cut off"))
    if refusal and not name.endswith("-cow"):
        remarks.append(f"{name} cannot be read: {refusal}")
    kind = "disabled dynamic partition" if attributes & _DISABLED else "dynamic partition"
    return Partition(name, built, size, kind, refusal, None, in_group, attributes), tuple(layout)


def _refuse(layout: list[tuple[int, int, int, int]], devices: list[str]) -> str:
    """Why a partition cannot be laid out; empty: it can."""
    for sectors, kind, _, device in layout:
        if kind not in (_LINEAR, _ZERO):
            return f"an extent of unknown type {kind}"
        if kind == _LINEAR and device and sectors:
            other = devices[device] if device < len(devices) else str(device)
            return f"parts of it lie on another block device ({fit_name(other, str(device))})"
    return ""


def _lay_out(source: Source, layout: list[tuple[int, int, int, int]]) -> Iterator[Extent]:
    """Extents of data; those of zeros are left as gaps."""
    at = 0
    for sectors, kind, target, _ in layout:
        if kind == _LINEAR:
            yield Extent(at, sectors * _SECTOR, source, target * _SECTOR)
        at += sectors * _SECTOR
