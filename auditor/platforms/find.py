"""Find the apps and records in a folder, a file, an archive or an image; content decides the type, never a name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial

from auditor.containers.carrier import faults_of
from auditor.containers.carrier_kinds import HEAD_SIZE, CarrierKind, Opening, open_carrier, recognise_carrier
from auditor.containers.folder import FileMember, find_files
from auditor.containers.member import Budget, Directory, Member, source_of
from auditor.errors import AuditorError, PasswordError
from auditor.formats.blob import Blob
from auditor.formats.dex import is_dex
from auditor.formats.foreign_carriers import recognise_foreign, recognise_foreign_name
from auditor.formats.plist import parse_plist
from auditor.formats.zip import is_zip, parse_zip
from auditor.model import FactKind, Origin, Problem, ProblemCode
from auditor.platforms.android_set import ApkProbe, group_apks, is_split_name
from auditor.platforms.candidate import AndroidSet, Candidate, IosBundle
from auditor.platforms.compiled_files import belonging, find_compiled
from auditor.platforms.data_directories import find_data_directories
from auditor.platforms.find_archive import Zipped, find_in_archive, too_deep
from auditor.platforms.record_source import RecordSource
from auditor.platforms.records import leads_record, recognise_record
from auditor.platforms.refusal import refusal
from auditor.platforms.search import Beside, Finding, Found, Search
from auditor.platforms.signs import APP_SUFFIXES


def _nothing_beside() -> Mapping[str, Member]:
    return {}


def find_in_folder(folder: Directory, search: Search, depth: int = 0) -> Iterator[Found]:
    """Apps and records below a folder: bundles, split sets, single files, depth first in the order of names."""
    count = 0
    prefix = ""
    limit = search.limits.folder_entries
    pending: list[tuple[Directory, Member | None]] = [(folder, None)]
    while pending:
        place, store_record = pending.pop()
        files, folders = place.entries()
        count += len(files)
        if count > limit:
            yield Problem(ProblemCode.LIMIT, folder.here, f"more than {limit} files; raise --limit folder_entries")
            return
        bundle = _find_bundle(place, files, store_record, depth)
        whole = [found for found in search.guard(place.here, bundle) if not isinstance(found, ApkProbe)]
        yield from whole
        if not whole:
            if place is folder and {inner.name for inner in folders} >= _USERDATA:
                prefix = "data/"
            yield from find_data_directories(place.here, f"{prefix}{place.path}", (inner.name for inner in folders))
            yield from _with_compiled(find_in_files(files, search, depth=depth), files, folders)
            record = next((item for item in files if _name(item) == "iTunesMetadata.plist"), None)
            pending.extend((inner, record) for inner in reversed(folders))


_USERDATA = frozenset({"app", "data", "media", "user"})
"""What the root of a userdata partition has, which is mounted as /data."""


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
    yield IosBundle(folder.here, dict(sorted(members.items())), folder.budget, store_record=store_record, depth=depth)


def _is_ios_folder(folder: Directory, files: Iterable[Member]) -> bool:
    """A folder whose Info.plist describes an iOS application (a Mac one keeps it under Contents)."""
    plist = next((item for item in files if _name(item) == "Info.plist"), None)
    if plist is None:
        return False
    limits = folder.budget.limits
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


def find_in_files(files: Iterable[Member], search: Search, *, asked: bool = False, depth: int = 0) -> Iterator[Found]:
    """Apps in the files of one folder; ``asked`` when the user named the file, so that silence would be no answer."""
    apks: list[ApkProbe | Problem] = []
    known = tuple(files)
    neighbours: dict[str, Member] = {}

    def beside() -> Mapping[str, Member]:
        if not neighbours:
            neighbours.update((_name(item), item) for item in known)
        return neighbours

    for item in known:
        budget = Budget(search.limits, input_size=item.size if isinstance(item, FileMember) else 0)
        for found in search.guard(item.origin, open_file(item, budget, depth, search, beside, asked=asked)):
            if isinstance(found, ApkProbe) or (isinstance(found, Problem) and is_split_name(item.path)):
                apks.append(found)
            else:
                yield found
    yield from group_apks(apks)


def open_file(
    item: Member, budget: Budget, depth: int, search: Search, beside: Beside = _nothing_beside, *, asked: bool
) -> Iterator[Finding]:
    """What one file is: APK probes are left to be grouped with their neighbours."""
    named_app = item.path.lower().endswith(APP_SUFFIXES)
    expected = asked or named_app
    if item.size == 0:
        if expected:
            yield Problem(ProblemCode.EMPTY, item.origin, "the file is empty; fetch it again")
        return
    head = item.peek(HEAD_SIZE)
    zipped = head.startswith((b"PK\x03\x04", b"PK\x05\x06"))
    if not zipped:
        special = _find_special(item, head, budget, depth, search, beside, asked=asked)
        if special is not None:
            yield from special
            return
    # Inside an archive only what begins like code may have an archive behind it; what has no beginning is damaged.
    worth_reading = zipped or expected or isinstance(item, FileMember) or not head or is_dex(head)
    if not worth_reading:
        return
    try:
        data = _whole(item, budget)
        if not zipped and not is_zip(data):
            if expected:
                hides = None if named_app else frozenset[FactKind]()
                yield Problem(ProblemCode.UNSUPPORTED, item.origin, "neither an app nor an archive of apps", hides)
            return
        archive = parse_zip(data, budget.limits)
    except AuditorError as error:
        yield refusal(item.origin, error, ProblemCode.ARCHIVE_DAMAGED)
        return
    silent = True
    zipped_here = Zipped(item, archive, budget, depth)
    for found in find_in_archive(zipped_here, partial(_open_member, budget, depth + 1, search)):
        silent = False
        yield found
    if silent and named_app and not item.path.lower().endswith(".zip"):
        yield Problem(ProblemCode.UNSUPPORTED, item.origin, "an archive, but neither an app nor one of apps")


def _open_member(budget: Budget, depth: int, search: Search, member: Member, beside: Beside) -> Iterator[Finding]:
    """What one member of an archive is; a fault of ours in it costs that member only."""
    return search.guard(member.origin, open_file(member, budget, depth, search, beside, asked=False))


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
        kind = recognise_record(item.path, head)
        if kind is not None:
            neighbours = beside()
            if not leads_record(kind, item.path, neighbours):
                return iter(())
            return iter((RecordSource(kind, item, neighbours, budget, search.passwords),))
    carried = recognise_carrier(item.path, head)
    if carried is not None:
        if depth >= budget.limits.container_depth:
            return iter((too_deep(item, budget.limits.container_depth),))
        return _find_in_carrier(carried, Opening(item, budget, search.passwords, beside), depth, search, asked=asked)
    foreign = recognise_foreign(head) or recognise_foreign_name(item.path)
    if foreign is not None:
        return iter((Problem(ProblemCode.UNSUPPORTED, item.origin, foreign),))
    return None


def _find_in_carrier(
    kind: CarrierKind, opening: Opening, depth: int, search: Search, *, asked: bool
) -> Iterator[Finding]:
    """The apps and records in a carrier; what is inside one file in another form is opened in its stead."""
    origin = opening.member.origin
    try:
        carrier = open_carrier(kind, opening)
    except PasswordError as error:
        yield Problem(ProblemCode.ENCRYPTED, origin, str(error))
        return
    except AuditorError as error:
        yield refusal(origin, error, ProblemCode.ARCHIVE_DAMAGED)
        return
    yield from carrier.problems
    if carrier.directory is not None:
        yield from find_in_folder(carrier.directory, search, depth + 1)
        yield from carrier.directory.problems
    for member in carrier.members:
        inner = open_file(member, opening.budget, depth + 1, search, asked=asked and carrier.single)
        yield from search.guard(member.origin, inner)
        yield from faults_of(member)


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
