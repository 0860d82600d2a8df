"""A gzip, xz or bzip2 file as a container of one member."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from auditor.containers.member import Budget, Member
from auditor.errors import AuditorError, LimitError
from auditor.formats.blob import Blob
from auditor.formats.compressed import unpack_chunks
from auditor.limits import KIB
from auditor.model import Origin

_PACKED_PEEK = 64 * KIB
"""Packed bytes that are enough for the first unpacked ones."""
_SUFFIXES = frozenset({".gz", ".xz", ".bz2", ".xzs"})


@dataclass(frozen=True, slots=True)
class UnpackedMember:
    """What a compressed member unpacks to."""

    packed: Member
    budget: Budget

    @property
    def path(self) -> str:
        stem, suffix = posixpath.splitext(self.packed.path)
        return stem if suffix.lower() in _SUFFIXES else self.packed.path

    @property
    def size(self) -> int:
        """Of the packed bytes: these formats do not state the other reliably."""
        return self.packed.size

    @property
    def origin(self) -> Origin:
        return self.packed.origin.child(posixpath.basename(self.path))

    def open(self) -> Blob:
        found = bytearray()
        limit = self.budget.limits.member_size
        for chunk in unpack_chunks(self.packed.open()):
            self.budget.spend(len(chunk))
            found += chunk
            if len(found) > limit:
                raise LimitError(f"unpacks to more than {limit} bytes; raise --limit member_size")
        return bytes(found)

    def peek(self, size: int) -> bytes:
        found = b""
        try:
            for chunk in unpack_chunks(self.packed.peek(_PACKED_PEEK), size):
                found += chunk
                if len(found) >= size:
                    break
        except AuditorError:
            # The packed bytes were cut on purpose; what came out before is the beginning all the same.
            return found[:size]
        return found[:size]
