"""Packs the facts of one build into a few kilobytes, and back.

Class names and file paths dominate, and they come sorted: every value is stored as the number of bytes it shares with
the one before and the rest (front coding), the numbers apart from the rests, and all of it deflated. Measured on
generated names that halves what deflate alone leaves.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from auditor.inventory.stored_text import escape_text, restore_text
from auditor.model import FactKind, SortedValues, Values

FORMAT = 1
_PREFIX = 5
"""One byte of format number, four of the length of the head."""
_SHARED_MAX = 255
_UNPACKED_MAX = 1 << 30
"""A blob that claims to unpack to more is damaged: no app within the limits comes near."""
_SEPARATOR = b"\x00"


@dataclass(frozen=True, slots=True)
class PackedBatch:
    """A fact batch apart from any sighting: where its file lies is relative to a part of the app."""

    kind: FactKind
    part: int | None
    place: str
    offset: int | None
    values: Values


def pack_facts(batches: Iterable[PackedBatch]) -> bytes:
    """Compress batches; the order is kept."""
    head: list[tuple[str, int | None, str, int | None, int, int]] = []
    chunks: list[bytes] = []
    for item in batches:
        shared, rests = _front_code(item.values)
        head.append((item.kind.value, item.part, item.place, item.offset, len(shared), len(rests)))
        chunks += (shared, rests)
    text = json.dumps(head, separators=(",", ":")).encode()
    body = b"".join((FORMAT.to_bytes(1, "big"), len(text).to_bytes(4, "big"), text, *chunks))
    return zlib.compress(body, 9)


def unpack_facts(blob: bytes) -> tuple[PackedBatch, ...]:
    """Undo `pack_facts`; values come back as plain sorted strings.

    Raises:
        ValueError: the blob is damaged or of another format.
    """
    unpacker = zlib.decompressobj()
    try:
        body = unpacker.decompress(blob, _UNPACKED_MAX)
    except zlib.error as fault:
        raise ValueError(f"stored facts do not unpack: {fault}") from fault
    if not unpacker.eof or len(body) < _PREFIX or body[0] != FORMAT:
        raise ValueError("stored facts are cut off or of another format")
    start = _PREFIX + int.from_bytes(body[1:_PREFIX], "big")
    return tuple(_read_batches(body, json.loads(body[_PREFIX:start]), start))


def _read_batches(body: bytes, head: list[list[object]], position: int) -> Iterator[PackedBatch]:
    for kind, part, place, offset, count, size in head:
        if not isinstance(count, int) or not isinstance(size, int) or min(count, size) < 0:
            raise ValueError("stored facts have a damaged head")
        middle, end = position + count, position + count + size
        values = _front_decode(body[position:middle], body[middle:end])
        yield PackedBatch(FactKind(str(kind)), _number(part), str(place), _number(offset), SortedValues(values))
        position = end


def _number(value: object) -> int | None:
    if value is None or isinstance(value, int):
        return value
    raise ValueError("stored facts have a damaged head")


def _front_code(values: Iterable[str]) -> tuple[bytes, bytes]:
    shared = bytearray()
    rests: list[bytes] = []
    before = b""
    for value in values:
        raw = escape_text(value).encode()
        same = _shared(before, raw)
        shared.append(same)
        rests.append(raw[same:])
        before = raw
    return bytes(shared), _SEPARATOR.join(rests)


def _shared(before: bytes, raw: bytes) -> int:
    """Count the leading bytes both have, up to what one byte can say."""
    low, high = 0, min(len(before), len(raw), _SHARED_MAX)
    while low < high:
        middle = (low + high + 1) // 2
        if before[:middle] == raw[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _front_decode(shared: bytes, rests: bytes) -> list[str]:
    if not shared:
        return []
    pieces = rests.split(_SEPARATOR)
    if len(pieces) != len(shared):
        raise ValueError("stored facts hold another number of values than they say")
    values = []
    before = b""
    for same, rest in zip(shared, pieces, strict=True):
        before = before[:same] + rest
        values.append(restore_text(before.decode()))
    return values
