"""A named byte stream of a container, a folder of one, and the bound on what a run unpacks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from auditor.errors import LimitError
from auditor.formats.blob import Blob
from auditor.formats.source import BlobSource, Source
from auditor.limits import Limits
from auditor.model import Origin, Problem


@runtime_checkable
class Member(Protocol):
    """A file of a folder, or an entry of an archive."""

    @property
    def path(self) -> str:
        """Inside the container, '/'-separated."""
        ...

    @property
    def size(self) -> int:
        """Bytes when unpacked, as the container states it."""
        ...

    @property
    def origin(self) -> Origin: ...

    def open(self) -> Blob:
        """All bytes.

        Raises:
            FormatError: the member cannot be unpacked, or a limit is reached.
            InputError: the operating system refuses.
        """
        ...

    def peek(self, size: int) -> bytes:
        """The first bytes; fewer where the member is shorter or cannot be unpacked."""
        ...


@runtime_checkable
class RandomAccess(Protocol):
    """A member that gives ranges of its bytes without unpacking or copying the whole: a disk, a partition."""

    def source(self) -> Source:
        """The bytes at offsets.

        Raises:
            FormatError: they cannot be laid out.
            InputError: the operating system refuses.
        """
        ...


def source_of(member: Member) -> Source:
    """The bytes of a member at offsets, whatever it is; a member that is packed is unpacked once.

    Raises:
        FormatError: it cannot be unpacked, or a limit is reached.
        InputError: the operating system refuses.
    """
    return member.source() if isinstance(member, RandomAccess) else BlobSource(member.open())


class Directory(Protocol):
    """A folder of a container: on disk, in a file system image, in a tar archive."""

    @property
    def path(self) -> str:
        """Relative to the container; '' for its root."""
        ...

    @property
    def here(self) -> Origin: ...

    @property
    def name(self) -> str:
        """The last step of the path; of a root what the container goes by."""
        ...

    @property
    def limits(self) -> Limits: ...

    def budget_for(self, size: int) -> Budget:
        """A fresh one for an app or a file of so many bytes that is found here."""
        ...

    @property
    def problems(self) -> list[Problem]:
        """What could not be listed; filled while listing, shared by all folders of the container."""
        ...

    def entries(self) -> tuple[tuple[Member, ...], tuple[Directory, ...]]:
        """Files and sub-folders, ascending by name."""
        ...


@dataclass(slots=True)
class Budget:
    """What may still be unpacked for one app, or one file with all that is in it.

    What an app inside a carrier unpacks counts for the carrier, too: thousands of apps that each keep their bound
    could still take as long as they like.
    """

    limits: Limits
    left: int = field(default=-1)
    input_size: int = 0
    """Bytes of a file that holds others: a disk image of a terabyte may unpack to more than an app may."""
    outer: Budget | None = field(default=None, repr=False)
    """That of the carrier around it."""

    def __post_init__(self) -> None:
        if self.left < 0:
            self.left = self._total

    @property
    def _total(self) -> int:
        return self.limits.unpacked_total + _INPUT_RATIO * self.input_size

    @property
    def is_spent(self) -> bool:
        """Whether nothing more can be unpacked, here or in the carrier around."""
        return self.left < 0 or (self.outer is not None and self.outer.is_spent)

    def for_app(self) -> Budget:
        """One for a single app in the file: ``unpacked_total``, whatever the size of the file."""
        return Budget(self.limits, outer=self)

    def spend(self, size: int) -> None:
        """Count unpacked bytes.

        Raises:
            LimitError: more was unpacked than ``unpacked_total`` allows.
        """
        self.left -= size
        if self.left < 0:
            raise LimitError(f"more than {self._total} bytes unpacked from one input; raise --limit unpacked_total")
        if self.outer is not None:
            self.outer.spend(size)


_INPUT_RATIO = 32
"""Code and images rarely pack better than to a tenth; a bomb does by a thousand."""
