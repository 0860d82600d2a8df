"""Keep unpacked bytes where they can be read at random: in memory, or in an anonymous file of bounded size."""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Iterable

from auditor.containers.mapping import count_read, map_file
from auditor.containers.member import Budget
from auditor.errors import FormatError, InputError, LimitError
from auditor.formats.blob import Blob

_NO_ROOM = "no room to unpack it: name a larger folder for temporary files in TMPDIR"
_HOLE = 1 << 16
_ZEROS = bytes(_HOLE)
_PIECES = 1024
"""Pieces that are kept apart: a stream of single bytes must not become as many objects."""


def spool(chunks: Iterable[bytes | memoryview], budget: Budget, limit: int, *, name: str = "spool_size") -> Blob:
    """All bytes of an iteration: in memory up to ``spool_memory``, else in a file that has no name.

    Long runs of zeros become holes, so that an unpacked disk image takes the room of its content only.

    Raises:
        LimitError: more than ``limit`` bytes (the bound called ``name``), or the budget of the input is spent.
        InputError: the disk for temporary files is full.
        FormatError: what the iteration raises.
    """
    held: list[bytes | memoryview] = []
    recent: list[bytes | memoryview] = []
    size = 0
    pending = iter(chunks)
    for chunk in pending:
        budget.spend(len(chunk))
        count_read(len(chunk))
        size += len(chunk)
        _check(size, limit, name)
        # Views of an image cost nothing until they are joined; what may still change is copied.
        recent.append(chunk if isinstance(chunk, bytes) or chunk.readonly else bytes(chunk))
        if len(recent) == _PIECES:
            held.append(b"".join(recent))
            recent.clear()
        if size > budget.limits.spool_memory:
            return _to_file(held + recent, pending, budget, limit, name)
    return b"".join(held + recent)


def _to_file(
    held: list[bytes | memoryview], pending: Iterable[bytes | memoryview], budget: Budget, limit: int, name: str
) -> mmap.mmap:
    size = 0
    try:
        with tempfile.TemporaryFile() as file:
            for chunk in held:
                size = _append(file.fileno(), chunk, size)
            held.clear()
            for chunk in pending:
                budget.spend(len(chunk))
                count_read(len(chunk))
                _check(size + len(chunk), limit, name)
                size = _append(file.fileno(), chunk, size)
            os.ftruncate(file.fileno(), size)
            return map_file(file.fileno())
    except OSError as error:
        raise InputError(f"{_NO_ROOM} ({error.strerror or error})") from error


def spool_ranges(pieces: Iterable[tuple[int, bytes | memoryview]], size: int, budget: Budget) -> Blob:
    """Bytes that come as (offset, piece) in any order, laid out in a file of ``size``; what is left out is zeros.

    Raises:
        LimitError: ``size`` is beyond ``spool_size``, or the budget of the input is spent.
        InputError: the disk for temporary files is full.
        FormatError: a piece reaches beyond ``size``, or what the iteration raises.
    """
    _check(size, budget.limits.spool_size, "spool_size")
    if size == 0:
        return b""
    try:
        with tempfile.TemporaryFile() as file:
            os.ftruncate(file.fileno(), size)
            for offset, piece in pieces:
                if offset < 0 or offset + len(piece) > size:
                    raise FormatError(f"a piece of {len(piece)} bytes reaches beyond the image", offset)
                budget.spend(len(piece))
                _write(file.fileno(), piece, offset)
            return map_file(file.fileno())
    except OSError as error:
        raise InputError(f"{_NO_ROOM} ({error.strerror or error})") from error


def _append(file: int, data: bytes | memoryview, at: int) -> int:
    """Write at an offset, leaving out blocks of zeros; return the offset behind the data."""
    view = memoryview(data)
    for start in range(0, len(view), _HOLE):
        block = bytes(view[start : start + _HOLE])
        if block != _ZEROS[: len(block)]:
            _write(file, block, at + start)
    return at + len(view)


def _write(file: int, data: bytes | memoryview, at: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(file, view, at)
        view = view[written:]
        at += written


def _check(size: int, limit: int, name: str) -> None:
    if size > limit:
        raise LimitError(f"unpacks to more than {limit} bytes; raise --limit {name}")
