"""Apply the write-ahead log of a SQLite database, so that the newest rows are seen.

Specification: Database File Format of SQLite, section 4, "The Write-Ahead Log".

Not read: the -shm index (it only speeds a search up), frames that no commit follows (SQLite leaves them out as well).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from auditor.errors import LimitError
from auditor.formats.blob import Blob
from auditor.limits import DEFAULT, Limits

_HEADER = struct.Struct(">8I")
_FRAME = struct.Struct(">6I")
_MAGIC = 0x377F0682
"""The lowest bit tells that checksums are over big-endian words."""
_VERSION = 3007000
_WORD = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class AppliedLog:
    """A database with the committed pages of its log."""

    data: bytearray = field(repr=False)
    frames: int
    """Frames that took effect."""
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Log:
    page_size: int
    commits: int
    """Frames up to and with the last commit."""
    pages: int
    """Size of the database in pages after it."""
    faults: tuple[str, ...]


def apply_wal(data: Blob, wal: Blob, limits: Limits = DEFAULT) -> AppliedLog:
    """Copy a database and write every committed page of a log over it.

    A log that belongs to the database no more (reset, or of another page size) changes nothing, as with SQLite.

    Raises:
        LimitError: the database or the log is larger than ``limits`` allow.
    """
    if len(data) + len(wal) > limits.database_size:
        raise LimitError(
            f"database and log of {len(data) + len(wal)} bytes; at most {limits.database_size} are read; "
            "raise --limit database_size"
        )
    result = bytearray(data)
    if not len(wal):
        return AppliedLog(result, 0)
    view = memoryview(wal)
    log = _read_log(view)
    fault = _misfit(data, wal, log)
    if fault or not log.commits:
        return AppliedLog(result, 0, (*log.faults, *((fault,) if fault else ())))
    size = log.pages * log.page_size
    if len(result) < size:
        result.extend(bytes(size - len(result)))
    for number in range(log.commits):
        start = _HEADER.size + number * (_FRAME.size + log.page_size)
        page = _FRAME.unpack_from(view, start)[0]
        if 1 <= page <= log.pages:
            at = (page - 1) * log.page_size
            result[at : at + log.page_size] = view[start + _FRAME.size : start + _FRAME.size + log.page_size]
    del result[size:]
    return AppliedLog(result, log.commits, log.faults)


def _misfit(data: Blob, wal: Blob, log: _Log) -> str:
    """Why the committed pages cannot be those of this database; empty: they can."""
    if not log.commits:
        return ""
    if len(data) >= 18:
        stated = struct.unpack_from(">H", data, 16)[0]
        if (65536 if stated == 1 else stated) != log.page_size:
            return "the write-ahead log is of another page size than the database and was not applied"
    if not log.pages or log.pages * log.page_size > len(data) + len(wal) + log.page_size:
        return "the write-ahead log states a size of the database that its pages do not fill; it was not applied"
    return ""


def _read_log(wal: memoryview) -> _Log:
    if len(wal) < _HEADER.size:
        return _Log(0, 0, 0, ("the write-ahead log is cut off in its header",))
    magic, version, page_size, _, salt1, salt2, sum1, sum2 = _HEADER.unpack_from(wal)
    if not any(wal[: _HEADER.size]):
        return _Log(0, 0, 0, ())
    order = ">" if magic & 1 else "<"
    state = _checksum(wal[:24], order, (0, 0))
    sane = 512 <= page_size <= 65536 and not page_size & (page_size - 1)
    if magic & ~1 != _MAGIC or version != _VERSION or not sane or state != (sum1, sum2):
        return _Log(0, 0, 0, ("the header of the write-ahead log is damaged; rows written last are not seen",))
    commits, pages = 0, 0
    step = _FRAME.size + page_size
    for number, start in enumerate(range(_HEADER.size, len(wal) - step + 1, step), 1):
        _, committed, here1, here2, sum1, sum2 = _FRAME.unpack_from(wal, start)
        if (here1, here2) != (salt1, salt2):
            # What follows was left from an earlier round of the same file.
            break
        state = _checksum(wal[start : start + 8], order, state)
        state = _checksum(wal[start + _FRAME.size : start + step], order, state)
        if state != (sum1, sum2):
            fault = f"frame {number} of the write-ahead log is damaged; rows written after it are not seen"
            return _Log(page_size, commits, pages, (fault,))
        if committed:
            commits, pages = number, committed
    return _Log(page_size, commits, pages, ())


def _checksum(data: memoryview, order: str, state: tuple[int, int]) -> tuple[int, int]:
    """Section 4.2, over an even number of words."""
    first, second = state
    for one, two in struct.iter_unpack(f"{order}II", data):
        first = (first + one + second) & _WORD
        second = (second + two + first) & _WORD
    return first, second
