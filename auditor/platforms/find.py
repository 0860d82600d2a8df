"""Find the apps and records in a folder, a file, an archive or an image; content decides the type, never a name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from auditor.containers.carrier import HEAD_SIZE, faults_of, release
from auditor.containers.folder import FileMember, find_files, find_siblings
from auditor.containers.member import Budget, Directory, Member, source_of
from auditor.containers.tree import TreeMember
from auditor.errors import AuditorError, PasswordError
from auditor.formats.blob import Blob
from auditor.formats.dex import is_dex
from auditor.formats.foreign_carriers import recognise_foreign, recognise_foreign_name
from auditor.formats.plist import parse_plist
from auditor.formats.zip import is_zip, parse_zip
from auditor.formats.zip_directory import END_MAGIC, END_SPAN
from auditor.model import FactKind, Origin, Problem, ProblemCode, RecordKind
from auditor.platforms.adb_backup_records import find_backup
from auditor.platforms.android_set import ApkProbe, group_apks, is_split_name
from auditor.platforms.candidate import AndroidSet, Candidate, IosBundle
from auditor.platforms.compiled_files import belonging, find_compiled
from auditor.platforms.data_directories import find_data_directories
from auditor.platforms.find_archive import Zipped, find_in_archive, too_deep
from auditor.platforms.record_source import RecordSource
from auditor.platforms.refusal import refusal
from auditor.platforms.search import Beside, Finding, Found, Search
from auditor.platforms.signs import (
    APP_SUFFIXES,
    COMPANIONS,
    FOR_BELOW,
    IMAGE_SUFFIXES,
    RECORDS_BY_PLACE,
    STORE_RECORD,
    TAR_SUFFIX,
    USERDATA,
    is_partition_name,
)
from auditor.platforms.unread_partitions import is_blank, unread_partition

if TYPE_CHECKING:
    from auditor.containers.carrier_kinds import CarrierKind, Opening


def _nothing_beside() -> Mapping[str, Member]:
    return {}


def find_in_folder(folder: Directory, search: Search, depth: int = 0) -> Iterator[Found]:
    """Apps and records below a folder: bundles, split sets, single files, depth first in the order of names."""
    yield from _Walk(folder, search, depth).run()


class _Walk:
    """The way through all folders below one."""

    def __init__(self, folder: Directory, search: Search, depth: int) -> None:
        self._root = folder
        self._search = search
        self._depth = depth
        self._count = 0
        self._prefix = ""
        self._pending: list[tuple[Directory, Mapping[str, Member]]] = [(folder, {})]

    def run(self) -> Iterator[Found]:
        """Go from folder to folder; a fault of ours in one costs that folder only."""
        while self._pending:
            place, above = self._pending.pop()
            for found in self._search.guard(place.here, self._visit(place, above)):
                if not isinstance(found, ApkProbe):
                    yield found

    def _visit(self, place: Directory, above: Mapping[str, Member]) -> Iterator[Found]:
        """What one folder holds; ``above`` are files of the folder around it that say more of what is in it."""
        files, folders = place.entries()
        self._count += len(files)
        limit = self._search.limits.folder_entries
        if self._count > limit:
            self._pending.clear()
            detail = f"more than {limit} files; raise --limit folder_entries"
            yield Problem(ProblemCode.LIMIT, self._root.here, detail)
            return
        if place.budget_for(0).is_spent:
            self._pending.clear()
            yield _spent(place.here)
            return
        bundle = _find_bundle(place, files, above.get(STORE_RECORD), self._depth)
        whole = [found for found in self._search.guard(place.here, bundle) if not isinstance(found, ApkProbe)]
        yield from whole
        if whole:
            return
        kept = {_name(item): item for item in files if _name(item) in FOR_BELOW}
        self._pending.extend((inner, kept) for inner in reversed(folders))
        if place is self._root and {inner.name for inner in folders} >= USERDATA:
            self._prefix = "data/"
        names = (inner.name for inner in folders)
        yield from find_data_directories(place.here, f"{self._prefix}{place.path}", names, place.limits)
        yield from find_backup(place, folders)
        found = find_in_files(files, self._search, depth=self._depth, budget_for=place.budget_for, above=above)
        yield from _with_compiled(found, files, folders)


def _spent(origin: Origin) -> Problem:
    detail = "what is here and behind it is not read: too much was unpacked before; raise --limit unpacked_total"
    return Problem(ProblemCode.LIMIT, origin, detail)


def _with_compiled(
    found: Iterable[Found], files: tuple[Member, ...], folders: tuple[Directory, ...]
) -> Iterator[Found]:
    """Give the APKs of a folder the code that was compiled from them."""
    compiled: tuple[Member, ...] | None = None
    here = {item.origin for item in files}
    for item in found:
        if isinstance(item, AndroidSet) and item.apks[0].origin in here:
            compiled = find_compiled(files, folders) if compiled is None else compiled
            yield replace(item, compiled=belonging(item.apks, compiled))
        else:
            yield item


def _name(item: Member) -> str:
    return item.path.rpartition("/")[2]


def _find_bundle(
    folder: Directory, files: Iterable[Member], store_record: Member | None, depth: int
) -> Iterator[Found]:
    """The iOS application a folder is, if it is one."""
    if not _is_ios_folder(folder, files):
        return
    try:
        members = {item.path[len(folder.path) + 1 if folder.path else 0 :]: item for item in find_files(folder)}
    except AuditorError as error:
        yield refusal(folder.here, error, ProblemCode.UNREADABLE)
        return
    budget = folder.budget_for(0)
    yield IosBundle(folder.here, dict(sorted(members.items())), budget, store_record=store_record, depth=depth)


def _is_ios_folder(folder: Directory, files: Iterable[Member]) -> bool:
    """A folder whose Info.plist describes an iOS application (a Mac one keeps it under Contents)."""
    plist = next((item for item in files if _name(item) == "Info.plist"), None)
    if plist is None:
        return False
    limits = folder.limits
    if plist.size > limits.manifest_size:
        return folder.name.endswith(".app")
    try:
        value = parse_plist(bytes(plist.open()), limits)
    except AuditorError:
        return folder.name.endswith(".app")
    if not isinstance(value, dict):
        return False
    return value.get("CFBundlePackageType") == "APPL" or (
        folder.name.endswith(".app") and "CFBundleIdentifier" in value
    )


def find_in_files(
    files: Iterable[Member],
    search: Search,
    *,
    asked: bool = False,
    depth: int = 0,
    budget_for: Callable[[int], Budget] | None = None,
    above: Mapping[str, Member] | None = None,
) -> Iterator[Found]:
    """Apps in the files of one folder; ``asked`` when the user named the file, so that silence would be no answer."""
    apks: list[ApkProbe | Problem] = []
    known = tuple(files)
    neighbours: dict[str, Member] = {}

    def beside() -> Mapping[str, Member]:
        if not neighbours:
            neighbours.update((f"../{name}", item) for name, item in (above or {}).items())
            if asked:
                neighbours.update(find_siblings(item for item in known if isinstance(item, FileMember)))
            neighbours.update((_name(item), item) for item in known)
        return neighbours

    for item in known:
        budget = Budget(search.limits, input_size=item.size) if budget_for is None else budget_for(item.size)
        if budget.is_spent:
            yield _spent(item.origin)
            break
        for found in search.walk(item, open_file(item, budget, depth, search, beside, asked=asked)):
            if isinstance(found, ApkProbe) or (isinstance(found, Problem) and is_split_name(item.path)):
                apks.append(found)
            else:
                yield found
    yield from group_apks(apks)


def open_file(
    item: Member,
    budget: Budget,
    depth: int,
    search: Search,
    beside: Beside = _nothing_beside,
    *,
    asked: bool,
    partition: bool = False,
) -> Iterator[Finding]:
    """What one file is: APK probes are left to be grouped with their neighbours.

    A ``partition`` in which nothing is recognised is told of, where it could hold apps.
    """
    expected = asked or item.path.lower().endswith((*APP_SUFFIXES, TAR_SUFFIX))
    if item.size == 0:
        yield from _find_nothing(item, search, expected=expected)
        return
    head = item.peek(HEAD_SIZE)
    zipped = head.startswith((b"PK\x03\x04", b"PK\x05\x06"))
    if not zipped:
        special = _find_special(item, head, budget, depth, search, beside, asked=asked)
        if special is not None:
            yield from special
            return
        if not head and not expected and isinstance(item, TreeMember):
            # The tree tells of such files together: of an image that is cut off there may be thousands.
            item.tell_unread()
            return
    try:
        if not (zipped or expected or _may_be_archive(item, head)):
            problem = unread_partition(item) if partition or is_partition_name(item.path) else None
            # A phone has dozens of partitions of firmware; only those that could hold apps are worth a word.
            if problem is not None and problem.hidden:
                yield problem
            return
        data = _whole(item, budget)
        if not zipped and not is_zip(data):
            yield from _answer(item, asked=asked)
            return
        archive = parse_zip(data, budget.limits)
    except AuditorError as error:
        yield refusal(item.origin, error, ProblemCode.ARCHIVE_DAMAGED)
        return
    silent = True
    zipped_here = Zipped(item, archive, budget, depth)
    search.expect(sum(entry.size for entry in archive.entries))
    for found in find_in_archive(zipped_here, partial(_open_member, budget, depth + 1, search)):
        silent = False
        yield found
    if silent:
        yield from _answer(item, asked=asked, archive=True)


def _find_nothing(item: Member, search: Search, *, expected: bool) -> Iterator[Problem]:
    """What there is to say of an empty file."""
    if expected:
        yield Problem(ProblemCode.EMPTY, item.origin, "the file is empty; fetch it again")
    elif search.records and _name(item).startswith(RECORDS_BY_PLACE) and _record_kind(item, b"") is not None:
        yield Problem(ProblemCode.EMPTY, item.origin, "a record of the device that is empty; fetch it again")


def _may_be_archive(item: Member, head: bytes) -> bool:
    """Whether a file that begins like no archive, and promises none, is worth to be read for one behind its begin.

    Inside an archive or image only what begins like code may have one; what has no beginning is damaged.

    Raises:
        LimitError: the file is larger than ``file_size``.
        InputError: the operating system refuses.
    """
    return not head or is_dex(head) or (isinstance(item, FileMember) and END_MAGIC in item.tail(END_SPAN))


def _answer(item: Member, *, asked: bool, archive: bool = False) -> Iterator[Problem]:
    """Answer for a file that the user named, or whose name promises an app, and that is and holds none."""
    path = item.path.lower()
    named_app = path.endswith(APP_SUFFIXES)
    companion = next((text for suffix, text in COMPANIONS if path.endswith(suffix)), "")
    image = unread_partition(item, promised=True) if asked and path.endswith(IMAGE_SUFFIXES) and not archive else None
    nothing: frozenset[FactKind] = frozenset()
    if image is not None:
        yield image
    elif path.endswith(TAR_SUFFIX) and not archive and not is_blank(source_of(item)):
        yield Problem(ProblemCode.ARCHIVE_DAMAGED, item.origin, "no tar archive, whatever its name says")
    elif companion and asked:
        yield Problem(ProblemCode.UNSUPPORTED, item.origin, companion, nothing)
    elif archive:
        if named_app and not path.endswith(".zip"):
            yield Problem(ProblemCode.UNSUPPORTED, item.origin, "an archive, but neither an app nor one of apps")
    elif asked or named_app:
        hides = None if named_app else nothing
        yield Problem(ProblemCode.UNSUPPORTED, item.origin, "neither an app nor an archive of apps", hides)


def _open_member(budget: Budget, depth: int, search: Search, member: Member, beside: Beside) -> Iterator[Finding]:
    """What one member of an archive is; a fault of ours in it costs that member only."""
    return search.walk(member, open_file(member, budget, depth, search, beside, asked=False))


def _whole(item: Member, budget: Budget) -> Blob:
    """All bytes; an archive of a device may be larger than a member of an app."""
    if item.size <= budget.limits.member_size or isinstance(item, FileMember):
        return item.open()
    source = source_of(item)
    return source.read(0, source.size)


def _find_special(
    item: Member, head: bytes, budget: Budget, depth: int, search: Search, beside: Beside, *, asked: bool
) -> Iterator[Finding] | None:
    """What a file that begins like no zip archive may be: a record, a carrier, or a carrier that is not read."""
    if search.records:
        kind = _record_kind(item, head)
        if kind is not None:
            return _find_record(kind, item, budget, search, beside, asked=asked)
    # An ordinary app needs none of the readers of carriers: they are loaded with the first file that is no archive.
    from auditor.containers.carrier_kinds import Opening, recognise_carriers

    carried = recognise_carriers(item.path, head)
    if carried:
        if depth >= budget.limits.container_depth:
            return iter((too_deep(item, budget.limits.container_depth),))
        return _find_in_carrier(carried, Opening(item, budget, search.passwords, beside, asked), depth, search)
    foreign = recognise_foreign(head) or recognise_foreign_name(item.path)
    if foreign is not None:
        return iter((Problem(ProblemCode.UNSUPPORTED, item.origin, foreign),))
    return None


def _record_kind(item: Member, head: bytes) -> RecordKind | None:
    from auditor.platforms.records import recognise_record

    return recognise_record(item.path, head)


def _find_record(
    kind: RecordKind, item: Member, budget: Budget, search: Search, beside: Beside, *, asked: bool
) -> Iterator[Finding]:
    """The record a file is, once for all files that make it up; of those the user may have named any."""
    from auditor.platforms.records import leads_record

    neighbours = beside()
    if leads_record(kind, item.path, neighbours):
        yield RecordSource(kind, item, neighbours, budget, search.passwords)
    elif asked:
        leader = next(other for other in neighbours.values() if leads_record(kind, other.path, neighbours))
        yield RecordSource(kind, leader, neighbours, budget, search.passwords)


def _find_in_carrier(kinds: tuple[CarrierKind, ...], opening: Opening, depth: int, search: Search) -> Iterator[Finding]:
    """The apps and records in a carrier; what is inside one file in another form is opened in its stead."""
    from auditor.containers.carrier_kinds import open_carrier

    origin = opening.member.origin
    refused: AuditorError | None = None
    for kind in kinds:
        try:
            carrier = open_carrier(kind, opening)
            break
        except PasswordError as error:
            yield Problem(ProblemCode.ENCRYPTED, origin, str(error))
            return
        except AuditorError as error:
            refused = refused or error
    else:
        if refused is not None:
            yield refusal(origin, refused, ProblemCode.FILE_SYSTEM_DAMAGED)
        return
    if refused is not None:
        detail = f"it begins like a {kinds[0].name}, which cannot be read ({refused}); read as {kind.name}"
        yield Problem(ProblemCode.CARRIER_INCOMPLETE, origin, detail)
    yield from carrier.problems
    search.expect(sum(member.size for member in carrier.members) or opening.member.size)
    if carrier.directory is not None:
        yield from find_in_folder(carrier.directory, search, depth + 1)
        yield from carrier.directory.problems
    for member in map(search.unpacking, carrier.members):
        asked = opening.asked and carrier.single
        inner = open_file(member, opening.budget, depth + 1, search, asked=asked, partition=not carrier.single)
        yield from search.walk(member, inner)
        yield from faults_of(member)
        release(member)


def find_nested(member: Member, budget: Budget, parent: Origin, depth: int) -> Iterator[Found]:
    """Apps inside a member of an app: each is an app of its own."""
    apks: list[ApkProbe | Problem] = []
    search = Search(budget.limits, records=False)
    for found in open_file(member, budget, depth, search, asked=False):
        if isinstance(found, ApkProbe):
            apks.append(found)
        else:
            yield _with_parent(found, parent)
    for grouped in group_apks(apks):
        yield _with_parent(grouped, parent)


def _with_parent(found: Found, parent: Origin) -> Found:
    return replace(found, parent=parent) if isinstance(found, Candidate) else found
