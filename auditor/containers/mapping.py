"""Map files for reading, and give back the memory of what was read of them."""

from __future__ import annotations

import mmap
import weakref

_MAPPED: weakref.WeakSet[mmap.mmap] = weakref.WeakSet()


def map_file(descriptor: int) -> mmap.mmap:
    """The bytes of a file that is not empty.

    Raises:
        OSError: the operating system refuses.
        ValueError: the file is empty.
    """
    mapped = mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
    _MAPPED.add(mapped)
    return mapped


def forget_pages() -> None:
    """Drop what was read of mapped files from this process; the system's cache keeps it, and it can be read again.

    Without that a process seems as large as the image it goes through, and is ended where memory is counted.
    """
    advice = getattr(mmap, "MADV_DONTNEED", None)
    if advice is None:
        return
    for mapped in tuple(_MAPPED):
        if not mapped.closed:
            mapped.madvise(advice)
