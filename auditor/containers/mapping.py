"""Map files for reading, and give back the memory of what was read of them."""

from __future__ import annotations

import mmap
import weakref

_BETWEEN = 64 << 20
"""Bytes that are read before memory is given back."""
_MAPPED: weakref.WeakSet[mmap.mmap] = weakref.WeakSet()
_read = [0]


def map_file(descriptor: int) -> mmap.mmap:
    """The bytes of a file that is not empty.

    Raises:
        OSError: the operating system refuses.
        ValueError: the file is empty.
    """
    mapped = mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
    _MAPPED.add(mapped)
    return mapped


def count_read(size: int) -> None:
    """Say that so many bytes were taken out of mapped files; with many of them, the memory is given back."""
    _read[0] += size
    if _read[0] > _BETWEEN:
        forget_pages()


def forget_pages() -> None:
    """Drop what was read of mapped files from this process; the system's cache keeps it, and it can be read again.

    Without that a process seems as large as the image it goes through, and is ended where memory is counted.
    """
    _read[0] = 0
    advice = getattr(mmap, "MADV_DONTNEED", None)
    if advice is None:
        return
    for mapped in tuple(_MAPPED):
        if not mapped.closed:
            mapped.madvise(advice)
