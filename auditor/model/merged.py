"""One device as all its sources together show it: the nouns of the merged truth."""

from __future__ import annotations

from dataclasses import dataclass

from auditor.model.answers import Audit, JudgedRecord, Match, Verdict
from auditor.model.devices import Completeness, DeviceUser, State
from auditor.model.facts import Platform
from auditor.model.origin import Origin
from auditor.model.problems import Problem
from auditor.model.signatures import Grade, Role


@dataclass(frozen=True, slots=True)
class DeviceScan:
    """One scan of a device, as the inventory keeps it: what goes into the merge."""

    id: int
    target: tuple[str, ...]
    started: str
    """UTC, ISO 8601."""
    complete: bool
    audits: tuple[Audit, ...]
    records: tuple[JudgedRecord, ...]
    problems: tuple[Problem, ...]
    """Those that belong to no app."""


@dataclass(frozen=True, slots=True)
class DeviceSource:
    """One thing that tells of the device's apps: a record, or the files of a scan."""

    name: str
    """The kind of record, or 'app files'."""
    origin: Origin
    scan: int
    when: str
    """When the record was made, or else when it was scanned."""
    completeness: Completeness
    detail: str
    apps: int


@dataclass(frozen=True, slots=True)
class DeviceApp:
    """One app of a device, from every source that names or holds it."""

    platform: Platform
    app_id: str
    label: str
    states: tuple[tuple[str, State], ...]
    """(user, state), ascending by user; user '' stands for the whole device."""
    versions: tuple[str, ...]
    """``VERSION (CODE)`` as far as known, of the app in place; several are a conflict."""
    signers: tuple[str, ...]
    """``sha256:`` of the current signers where known, else what a record tells of them."""
    installers: tuple[str, ...]
    first_seen: str
    """The earliest time that a source gives for it; UTC, or the device's own time without Z; empty: none does."""
    last_seen: str
    """The last time that a source had it: a time of its own, or when a source that has it was made or scanned."""
    sources: tuple[str, ...]
    """Names of the sources that name or hold it, ascending."""
    builds: tuple[str, ...]
    """Keys of the bytes that were read, in place or not."""
    code_seen: bool
    """Whether the bytes of the app in place were read; else nothing can be said of what it carries."""
    shadowed_unseen: bool
    """Whether a factory copy behind an update is known from a record only."""
    matches: tuple[Match, ...]
    """What it is or carries: for each subject the match that counts, the strongest first."""
    unknown: tuple[str, ...]
    """Subjects that are open although bytes were read."""
    notes: tuple[str, ...]
    """Further copies, and states that need a word."""
    conflicts: tuple[str, ...]
    """Where sources contradict each other, in sentences."""

    @property
    def subjects(self) -> tuple[tuple[str, Role, Grade], ...]:
        """What it is or carries, strongest first."""
        return tuple((match.subject, match.role, match.grade) for match in self.matches)

    @property
    def is_present(self) -> bool:
        """Whether it is on the device in any state that counts as being there."""
        return any(state.is_presence for _, state in self.states)


@dataclass(frozen=True, slots=True)
class MergedDevice:
    """The merged truth of one device."""

    id: str
    attributes: tuple[tuple[str, str], ...]
    users: tuple[DeviceUser, ...]
    sources: tuple[DeviceSource, ...]
    apps: tuple[DeviceApp, ...]
    """Ascending by platform and id."""
    verdicts: tuple[tuple[str, Verdict], ...]
    """One per subject that was asked about; UNKNOWN reads: not proven absent."""
    open_reasons: tuple[str, ...]
    """Why absence is not proven, in clauses; empty: it is."""
    conflicts: tuple[str, ...]
    """Contradictions about the device itself."""
