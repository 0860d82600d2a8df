"""One named byte stream of a container, and the bound on what a run unpacks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from auditor.errors import LimitError
from auditor.formats.blob import Blob
from auditor.limits import Limits
from auditor.model import Origin


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


@dataclass(slots=True)
class Budget:
    """What may still be unpacked for one input file; shared by every container inside it."""

    limits: Limits
    left: int = field(default=-1)

    def __post_init__(self) -> None:
        if self.left < 0:
            self.left = self.limits.unpacked_total

    def spend(self, size: int) -> None:
        """Count unpacked bytes.

        Raises:
            LimitError: more was unpacked than ``unpacked_total`` allows.
        """
        self.left -= size
        if self.left < 0:
            total = self.limits.unpacked_total
            raise LimitError(f"more than {total} bytes unpacked from one input; raise --limit unpacked_total")
