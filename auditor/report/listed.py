"""What records say of the apps they name, one entry per app, and which of them were seen by their bytes as well."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from auditor.judge_record import told_strength
from auditor.model import Audit, Finding, JudgedRecord, ListedApp, Match, Platform, State


@dataclass(frozen=True, slots=True)
class ListedEntry:
    """One app as all records of a run name it."""

    platform: Platform
    app_id: str
    apps: tuple[tuple[JudgedRecord, ListedApp], ...]
    """Each record with what it says, in the order the records were read."""
    code_seen: bool
    """Whether an app of this id and version was read in the same run."""

    @property
    def is_present(self) -> bool:
        """Whether a record says that it is there: leftovers and history are not."""
        return any(app.listing.state.is_presence for _, app in self.apps)

    @property
    def label(self) -> str:
        return next((app.listing.label for _, app in self.apps if app.listing.label), "")

    @property
    def versions(self) -> tuple[str, ...]:
        """As shown, each once."""
        return tuple(dict.fromkeys(_version(app) for _, app in self.apps if _version(app)))

    @property
    def states(self) -> tuple[str, ...]:
        """Each state with the user it is told for, each once."""
        return tuple(dict.fromkeys(state_for(app.listing.user, app.listing.state) for _, app in self.apps))

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(judged.record.kind.value for judged, _ in self.apps))

    @property
    def matches(self) -> tuple[Match, ...]:
        """The match for each subject that rests on most; those of records that say it is there go first."""
        best: dict[str, Match] = {}
        found = [(not app.listing.state.is_presence, match) for _, app in self.apps for match in app.matches]
        for _, match in sorted(found, key=lambda item: (item[0], told_strength(item[1]))):
            best.setdefault(match.subject, match)
        return tuple(best[subject] for subject in sorted(best))

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Each finding once."""
        grades = {match.subject: match.grade for match in self.matches}
        told = (item for _, app in self.apps for item in app.findings)
        ordered = sorted(told, key=lambda item: item.grade is grades.get(item.subject))
        found = {(item.policy, item.subject): item for item in ordered}
        return tuple(found[key] for key in sorted(found, key=lambda key: (key[1], key[0])))


def state_for(user: str, state: State) -> str:
    """A state as it is shown, with the user it holds for."""
    return f"user {user}: {state.value}" if user else state.value


def _version(app: ListedApp) -> str:
    name, code = app.listing.version, app.listing.version_code
    return f"{name} ({code})" if name and code else name or (f"({code})" if code else "")


def entries_of(records: Iterable[JudgedRecord], audits: Iterable[Audit]) -> tuple[ListedEntry, ...]:
    """One entry per app that a record names, ascending by platform and id."""
    seen: dict[tuple[Platform, str], set[str]] = {}
    for audit in audits:
        seen.setdefault((audit.app.platform, audit.app.app_id), set()).add(audit.app.version_code)
    named: dict[tuple[Platform, str], list[tuple[JudgedRecord, ListedApp]]] = {}
    for judged in records:
        for app in judged.apps:
            named.setdefault((app.listing.platform, app.listing.app_id), []).append((judged, app))
    return tuple(
        ListedEntry(platform, app_id, tuple(apps), _covered(apps, seen.get((platform, app_id))))
        for (platform, app_id), apps in sorted(named.items(), key=lambda item: item[0])
    )


def _covered(apps: Iterable[tuple[JudgedRecord, ListedApp]], codes: set[str] | None) -> bool:
    """Whether the bytes of each version that is there were read; where no version is told, of any."""
    if codes is None:
        return False
    named = {app.listing.version_code for _, app in apps if app.listing.state.is_presence}
    return all(code in codes for code in named if code)


def distinct_kinds(records: Iterable[JudgedRecord]) -> Iterator[tuple[str, list[JudgedRecord]]]:
    """The records of a run by kind, in the order the kinds were met."""
    kinds: dict[str, list[JudgedRecord]] = {}
    for judged in records:
        kinds.setdefault(judged.record.kind.value, []).append(judged)
    yield from kinds.items()
