"""What holds for a whole search, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from auditor.containers.carrier import StreamMember
from auditor.containers.member import Member
from auditor.limits import DEFAULT, Limits
from auditor.model import DeviceRecord, Origin, Problem
from auditor.platforms.android_set import ApkProbe
from auditor.platforms.candidate import Candidate
from auditor.platforms.meter import Meter
from auditor.platforms.record_source import RecordSource

Found = Candidate | RecordSource | DeviceRecord | Problem
"""An app or a record that is still to be read, a record that was made while listing, or what could not be read."""
Finding = Found | ApkProbe
"""As ``Found``, with APKs that are still to be grouped with their neighbours."""
Guard = Callable[[Origin, Iterator[Finding]], Iterator[Finding]]
"""What stands around the reading of one file, so that a fault of ours in it costs that file only."""
Beside = Callable[[], Mapping[str, Member]]
"""The files of the same folder by name; asked only where a file needs its neighbours."""


def _unguarded(_: Origin, found: Iterator[Finding]) -> Iterator[Finding]:
    return found


@dataclass(frozen=True, slots=True)
class Search:
    """What holds for a whole search."""

    limits: Limits = DEFAULT
    guard: Guard = _unguarded
    passwords: tuple[str, ...] = field(default=(), repr=False)
    """What to try on encrypted backups."""
    records: bool = True
    """Whether files that only name apps count: not inside an app."""
    meter: Meter | None = field(default=None, repr=False)
    """What counts the bytes that were walked past; None: nobody asks."""

    def walk(self, member: Member, found: Iterator[Finding]) -> Iterator[Finding]:
        """What one file is: guarded, and counted as soon as it lies behind the search."""
        guarded = self.guard(member.origin, found)
        return guarded if self.meter is None else self._metered(member.size, guarded, self.meter)

    def _metered(self, size: int, found: Iterator[Finding], meter: Meter) -> Iterator[Finding]:
        meter.enter(size)
        # An APK is read when all of its set are known; until then it is not behind the search.
        counted = True
        try:
            for item in found:
                counted = counted and not isinstance(item, ApkProbe)
                yield item
        finally:
            meter.leave(counted=counted)

    def expect(self, size: int) -> None:
        """Say what the files in the one that is walked add up to."""
        if self.meter is not None:
            self.meter.expect(size)

    def unpacking(self, member: Member) -> Member:
        """The same file; where it is a packed stream, its unpacking is counted as it goes."""
        if self.meter is None or not isinstance(member, StreamMember):
            return member
        return replace(member, chunks=partial(_creeping, member.chunks, self.meter))


def _creeping(chunks: Callable[[], Iterator[bytes | memoryview]], meter: Meter) -> Iterator[bytes | memoryview]:
    for chunk in chunks():
        meter.creep(len(chunk))
        yield chunk
