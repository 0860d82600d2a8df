"""What a carrier holds: files in folders, partitions that are not copied, streams that are unpacked once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from auditor.containers.member import Budget, Directory, Member
from auditor.containers.spool import spool
from auditor.errors import AuditorError, FormatError, LimitError
from auditor.formats.blob import Blob
from auditor.formats.source import BlobSource, Source
from auditor.model import Origin, Problem, ProblemCode

_TELLING = 2048
"""Bytes from which on a beginning that is like nothing known is that of nothing known."""


HEAD_SIZE = 16384
"""Bytes from the start that tell every carrier: the second geometry of a super image lies at 8192."""


@dataclass(frozen=True, slots=True)
class Carrier:
    """What a file turned out to carry: a folder of files, or further files one by one."""

    directory: Directory | None = None
    members: tuple[Member, ...] = ()
    problems: tuple[Problem, ...] = ()
    single: bool = False
    """Whether it is one file in another form, so that who asked for it asks for what is inside."""


@dataclass(frozen=True, slots=True)
class RangeMember:
    """A partition, or an image laid out: a range of bytes that is not copied."""

    path: str
    origin: Origin
    bytes_at: Source = field(repr=False)
    budget: Budget = field(repr=False)

    @property
    def size(self) -> int:
        return self.bytes_at.size

    def source(self) -> Source:
        """The bytes at offsets."""
        return self.bytes_at

    def open(self) -> Blob:
        """All bytes: a view where they lie in one piece.

        Raises:
            LimitError: they are more than ``spool_size``.
        """
        limits = self.budget.limits
        if isinstance(self.bytes_at, BlobSource) or self.size <= limits.spool_memory:
            return self.bytes_at.read(0, self.size)
        return spool(_pieces(self.bytes_at), self.budget, limits.spool_size)

    def peek(self, size: int) -> bytes:
        try:
            return bytes(self.bytes_at.read(0, min(size, self.size)))
        except FormatError:
            return b""


@dataclass(frozen=True, slots=True)
class StreamMember:
    """What a packed stream unpacks to; unpacked once, when it is first asked for."""

    path: str
    origin: Origin
    chunks: Callable[[], Iterator[bytes | memoryview]] = field(repr=False)
    budget: Budget = field(repr=False)
    stated: int
    """Size as far as it is known before unpacking."""
    held: list[Blob] = field(default_factory=list, repr=False)
    faults: list[str] = field(default_factory=list, repr=False)
    """Why the stream ends before its end; what came before is kept and looked at."""

    @property
    def size(self) -> int:
        return len(self.held[0]) if self.held else self.stated

    def open(self) -> Blob:
        """All bytes, in memory or an anonymous file; of a damaged stream what comes before the damage.

        Raises:
            LimitError: they are more than ``spool_size``.
            FormatError: nothing comes out.
        """
        if not self.held:
            self.held.append(spool(self._tolerant(), self.budget, self.budget.limits.spool_size))
        return self.held[0]

    def _tolerant(self) -> Iterator[bytes | memoryview]:
        seen = False
        try:
            for chunk in self.chunks():
                seen = True
                yield chunk
        except LimitError:
            raise
        except FormatError as error:
            if not seen:
                raise
            self.faults.append(str(error))

    def peek(self, size: int) -> bytes:
        if self.held:
            return bytes(self.held[0][:size])
        found = b""
        try:
            for chunk in self.chunks():
                found += bytes(chunk[: size - len(found)])
                if len(found) >= size:
                    break
        except AuditorError as error:
            if 0 < len(found) < _TELLING and not self.faults:
                self.faults.append(str(error))
        return found


def _pieces(source: Source) -> Iterator[bytes | memoryview]:
    step = 4 << 20
    for offset in range(0, source.size, step):
        yield source.read(offset, min(step, source.size - offset))


def release(member: Member) -> None:
    """Let go of what was unpacked for a member; whoever still reads it keeps it alive."""
    held = getattr(member, "held", None)
    if isinstance(held, list):
        held.clear()


def faults_of(member: Member) -> Iterator[Problem]:
    """Why a stream that was read ends before its end; known only once it was read."""
    if isinstance(member, StreamMember):
        for fault in member.faults:
            yield Problem(ProblemCode.CARRIER_INCOMPLETE, member.origin, f"{fault}; what comes before it was read")
