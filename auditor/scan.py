"""The spine: open what the user named, find the apps in it, extract, match, judge."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path
from typing import TypeVar

from auditor import __version__
from auditor.catalog import Catalog, load_catalog
from auditor.containers.folder import FileMember, Folder, find_files
from auditor.containers.mapping import forget_pages
from auditor.containers.member import Member
from auditor.deep import look_deeper
from auditor.errors import AuditorError, InputError
from auditor.judge import judge
from auditor.judge_record import judge_record
from auditor.limits import DEFAULT, Limits
from auditor.match import match
from auditor.match_packers import with_packers
from auditor.model import (
    Audit,
    DeviceRecord,
    Extraction,
    JudgedRecord,
    Origin,
    Problem,
    ProblemCode,
    Scan,
)
from auditor.platforms.android import extract_android
from auditor.platforms.android_bundle import extract_bundle
from auditor.platforms.candidate import AndroidBundle, AndroidSet, Candidate
from auditor.platforms.find import find_in_files, find_in_folder, find_nested
from auditor.platforms.ios import extract_ios
from auditor.platforms.meter import Meter
from auditor.platforms.record_source import RecordSource
from auditor.platforms.refusal import refusal
from auditor.platforms.search import Found, Search

_T = TypeVar("_T")
_FILES_BETWEEN = 1024
"""Files that are looked at before the memory of their pages is given back: some 16 KiB of each."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is."""

    files_done: int
    """Apps read so far."""
    bytes_done: int
    """Bytes of the inputs that were read or walked past; what lies in an image or archive counts for its share."""
    bytes_total: int
    """Bytes of every file below the inputs."""
    current: str
    """Origin of the app that was read last; empty before the first."""


@dataclass(slots=True)
class Run:
    """One pass over the inputs; iterate it once, in a deterministic order, then read ``problems`` and ``apps``.

    Raises, when iterated:
        InputError: a path does not exist.
    """

    paths: Sequence[str | Path]
    catalog: Catalog
    as_of: date
    limits: Limits = DEFAULT
    observer: Callable[[Progress], None] | None = None
    """Told of each app that was read, and in between as the bytes go by."""
    deep: bool = False
    """Look at class profiles and at who calls the SDKs, too: a pass over the code of each app."""
    passwords: tuple[str, ...] = field(default=(), repr=False)
    """What to try on encrypted backups; never stored."""
    on_record: Callable[[JudgedRecord], None] | None = None
    """Told of each record of a device when it was read."""
    apps: int = 0
    records: list[JudgedRecord] = field(default_factory=list)
    """What files that only name apps say, in the order in which they were met."""
    found_problems: list[Problem] = field(default_factory=list)
    _meter: Meter | None = None
    _files: int = 0
    _current: str = ""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Of files that are no app or could not be opened as one, ascending by origin."""
        return tuple(sorted(self.found_problems, key=lambda item: (item.origin.path, item.code, item.detail)))

    def scan(self) -> Scan:
        """The run as a record; complete once every app was read."""
        target = tuple(label for _, label in label_paths(self.paths))
        return Scan(f"auditor {__version__}", self.catalog.digest, self.as_of, target, self.apps, self.problems)

    def __iter__(self) -> Iterator[Audit]:
        labelled = label_paths(self.paths)
        for place, _ in labelled:
            _check_exists(place)
        if self.observer is not None:
            self._meter = Meter(sum(_size_below(place, self.limits) for place, _ in labelled), self._tell)
        for place, label in labelled:
            search = Search(self.limits, self._guarded, self.passwords, meter=self._meter)
            for found in open_argument(place, label, search, several=len(labelled) > 1):
                yield from self._follow(found)
                forget_pages()
        if self._meter is not None:
            self._meter.finish()

    def _guarded(self, origin: Origin, steps: Iterator[_T]) -> Iterator[_T | Problem]:
        self._files += 1
        if self._files % _FILES_BETWEEN == 0:
            forget_pages()
        return guarded(origin, steps)

    def _follow(self, found: Found) -> Iterator[Audit]:
        """Audit one candidate, then the apps nested in it."""
        if isinstance(found, Problem):
            self.found_problems.append(found)
            return
        if isinstance(found, RecordSource | DeviceRecord):
            self._read_record(found)
            return
        for outcome in guarded(found.origin, self._answer(found)):
            if isinstance(outcome, Problem):
                self.found_problems.append(outcome)
                self._report(found)
                return
            audit, nested = outcome
            self.apps += 1
            self._current = str(audit.app.origin)
            self._report(found)
            yield audit
            for member in nested:
                search = find_nested(member, found.budget, found.origin, found.depth + 1)
                for inner in guarded(member.origin, search):
                    yield from self._follow(inner)

    def _read_record(self, found: RecordSource | DeviceRecord) -> None:
        for record in guarded(found.origin, _read(found)):
            if isinstance(record, Problem):
                self.found_problems.append(record)
                continue
            self.found_problems.extend(record.problems)
            judged = judge_record(record, self.catalog, self.as_of)
            self.records.append(judged)
            if self.on_record is not None:
                self.on_record(judged)

    def _answer(self, found: Candidate) -> Iterator[tuple[Audit, tuple[Member, ...]]]:
        extraction, nested = extract(found)
        extraction = with_packers(extraction, self.catalog)
        matches = match(extraction, self.catalog)
        if self.deep:
            extraction, matches = look_deeper(extraction, matches, self.catalog, self.limits)
        yield judge(extraction, matches, self.catalog, self.as_of), nested

    def _report(self, found: Candidate) -> None:
        """Count what was an app, and tell; one that lies in another was counted with it."""
        if self._meter is not None:
            if found.parent is None:
                self._meter.add(_size_of(found))
            self._tell()

    def _tell(self) -> None:
        if self.observer is not None and self._meter is not None:
            self.observer(Progress(self.apps, self._meter.done, self._meter.total, self._current))


def _size_of(found: Candidate) -> int:
    """Bytes of the files a candidate is made of."""
    if isinstance(found, AndroidSet):
        return sum(member.size for member in found.apks)
    if isinstance(found, AndroidBundle):
        return found.file.size
    return found.whole.size if found.whole is not None else sum(member.size for member in found.members.values())


def _read(found: RecordSource | DeviceRecord) -> Iterator[DeviceRecord | Problem]:
    if isinstance(found, DeviceRecord):
        yield found
        return
    from auditor.platforms.records import read_record

    try:
        yield read_record(found)
    except AuditorError as error:
        yield refusal(found.origin, error, ProblemCode.RECORD_DAMAGED)


def guarded(origin: Origin, steps: Iterator[_T]) -> Iterator[_T | Problem]:
    """Pass on what one file or app yields; whatever goes wrong in it becomes a problem, and the run goes on."""
    try:
        yield from steps
    except AuditorError as error:
        yield refusal(origin, error, ProblemCode.MEMBER_UNREADABLE)
    except Exception as error:
        if os.environ.get("AUDITOR_DEBUG"):
            raise
        detail = f"{type(error).__name__} while reading this; please report it"
        yield Problem(ProblemCode.INTERNAL, origin, detail)


def _check_exists(place: Path) -> None:
    try:
        place.stat()
    except OSError as error:
        raise InputError(f"{place}: {error.strerror or error}; check the path") from error


def _size_below(place: Path, limits: Limits) -> int:
    """Bytes of the regular files below a path, as far as they can be listed and counted."""
    if not place.is_dir():
        return place.stat().st_size
    files = find_files(Folder(place, "", (), limits))
    return sum(item.size for item in islice(files, limits.folder_entries))


def audit(
    *paths: str | Path,
    catalog: Catalog | None = None,
    as_of: date | None = None,
    limits: Limits = DEFAULT,
    problems: list[Problem] | None = None,
    deep: bool = False,
) -> Iterator[Audit]:
    """One result per app in the given files and folders, each complete in itself.

    ``catalog`` defaults to the shipped one, ``as_of`` to the local date of today. Files that could not be read as an
    app are appended to ``problems`` where a list is given: without it, an empty result does not tell "no app" from
    "unreadable". ``deep`` looks for SDKs by class profiles and for the code that calls them, at the cost of a pass
    over all code.

    Raises:
        InputError: a path does not exist.
        CatalogError: the catalog is faulty.
    """
    run = Run(paths, catalog or load_catalog(), as_of or date.today(), limits, deep=deep)
    if problems is not None:
        run.found_problems = problems
    yield from run


def extract(found: Candidate) -> tuple[Extraction, tuple[Member, ...]]:
    """The facts of one candidate, and the archives inside it that may be apps of their own."""
    if isinstance(found, AndroidSet):
        return extract_android(found)
    if isinstance(found, AndroidBundle):
        return extract_bundle(found)
    return extract_ios(found)


def open_argument(place: Path, label: str, search: Search, *, several: bool) -> Iterator[Found]:
    """The apps and records below one path the user named; a link is followed here and nowhere else."""
    try:
        state = place.stat()
    except OSError as error:
        yield Problem(ProblemCode.UNREADABLE, Origin((label,)), error.strerror or str(error))
        return
    if stat.S_ISDIR(state.st_mode):
        folder = Folder(place, "", (label,) if several else (), search.limits)
        yield from find_in_folder(folder, search)
        yield from folder.problems
    elif stat.S_ISREG(state.st_mode):
        member = FileMember(place.resolve(), label, state.st_size, Origin((label,)), search.limits)
        yield from find_in_files([member], search, asked=True)
    else:
        detail = "neither a regular file nor a folder; save it to a file first"
        yield Problem(ProblemCode.UNREADABLE, Origin((label,)), detail)


def label_paths(paths: Sequence[str | Path]) -> list[tuple[Path, str]]:
    """Each path with the shortest tail of it that tells it from the others: what origins begin with.

    The order and the labels depend on the set of paths only, not on the order they were given in.
    """
    places = sorted({Path(path).absolute() for path in paths})
    steps = dict.fromkeys(places, 1)
    while True:
        tails = {place: place.parts[-steps[place] :] for place in places}
        sizes = set(steps.values())
        endings = Counter(ending for place in places for ending in {place.parts[-size:] for size in sizes})
        # A tail that begins another one would name the same file twice: a/b in the folder a, and the file a/b.
        beginnings = {tail[:size] for tail in tails.values() for size in range(1, len(tail))}
        longer = [
            place
            for place, tail in tails.items()
            if len(tail) < len(place.parts) and (endings[tail] > 1 or tail in beginnings)
        ]
        if not longer:
            return [(place, "/".join(tails[place])) for place in places]
        for place in longer:
            steps[place] += 1
