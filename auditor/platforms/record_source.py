"""What the search hands to the readers of records: a file that names apps, and the files beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from auditor.containers.member import Budget, Member
from auditor.model import Origin, RecordKind


@dataclass(frozen=True, slots=True)
class RecordSource:
    """One record, not yet read."""

    kind: RecordKind
    main: Member
    beside: Mapping[str, Member] = field(repr=False)
    """Every file of the same folder by its name, the record itself included: a database may need its -wal."""
    budget: Budget
    passwords: tuple[str, ...] = field(default=(), repr=False)
    """What to try on an encrypted record; never stored, never shown."""

    @property
    def origin(self) -> Origin:
        return self.main.origin
