"""Find the apps in a folder, a file or an archive; the type is decided by content, never by a name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace

from auditor.containers.archive import ArchiveMember, find_members
from auditor.containers.folder import FileMember, Folder, find_files
from auditor.containers.member import Budget, Member
from auditor.errors import AuditorError
from auditor.formats.dex import is_dex
from auditor.formats.plist import parse_plist
from auditor.formats.zip import Archive, is_zip, parse_zip
from auditor.limits import Limits
from auditor.model import FactKind, Origin, Problem, ProblemCode
from auditor.platforms.android_set import ApkProbe, group_apks, is_split_name, probe_apk
from auditor.platforms.candidate import AndroidBundle, AndroidSet, Candidate, IosBundle
from auditor.platforms.layout import ios_roots, is_apk, is_app_bundle
from auditor.platforms.refusal import refusal
from auditor.platforms.signs import APP_SUFFIXES, recognise_carrier

Found = Candidate | Problem
Guard = Callable[[Origin, Iterator[Found | ApkProbe]], Iterator[Found | ApkProbe]]
"""What stands around the reading of one file, so that a fault of ours in it costs that file only."""
_SET_MARKERS = frozenset({"toc.pb", "manifest.json", "info.json", "meta.sai_v1.json", "meta.sai_v2.json"})


def _unguarded(_: Origin, found: Iterator[Found | ApkProbe]) -> Iterator[Found | ApkProbe]:
    return found


def find_in_folder(folder: Folder, guard: Guard = _unguarded) -> Iterator[Found]:
    """Apps below a folder: bundles, split sets, single files, depth first in the order of names."""
    count = 0
    pending = [folder]
    while pending:
        place = pending.pop()
        files, folders = place.entries()
        count += len(files)
        if count > folder.limits.folder_entries:
            detail = f"more than {folder.limits.folder_entries} files; raise --limit folder_entries"
            yield Problem(ProblemCode.LIMIT, folder.here, detail)
            return
        whole = [found for found in guard(place.here, _find_bundle(place, files)) if not isinstance(found, ApkProbe)]
        yield from whole
        if not whole:
            yield from find_in_files(files, folder.limits, guard=guard)
            pending.extend(reversed(folders))


def _find_bundle(folder: Folder, files: Iterable[FileMember]) -> Iterator[Found]:
    """The iOS application a folder is, if it is one."""
    if not _is_ios_folder(folder, files):
        return
    try:
        members = {item.path[len(folder.path) + 1 if folder.path else 0 :]: item for item in find_files(folder)}
    except AuditorError as error:
        yield refusal(folder.here, error, ProblemCode.UNREADABLE)
        return
    yield IosBundle(folder.here, dict(sorted(members.items())), Budget(folder.limits))


def _is_ios_folder(folder: Folder, files: Iterable[FileMember]) -> bool:
    """A folder whose Info.plist describes an iOS application (a Mac one keeps it under Contents)."""
    plist = next((item for item in files if item.path.rpartition("/")[2] == "Info.plist"), None)
    if plist is None:
        return False
    if plist.size > folder.limits.manifest_size:
        return folder.place.name.endswith(".app")
    try:
        value = parse_plist(bytes(plist.open()), folder.limits)
    except AuditorError:
        return folder.place.name.endswith(".app")
    if not isinstance(value, dict):
        return False
    return value.get("CFBundlePackageType") == "APPL" or (
        folder.place.name.endswith(".app") and "CFBundleIdentifier" in value
    )


def find_in_files(
    files: Iterable[FileMember], limits: Limits, *, asked: bool = False, guard: Guard = _unguarded
) -> Iterator[Found]:
    """Apps in the files of one folder; ``asked`` when the user named the file, so that silence would be no answer."""
    apks: list[ApkProbe | Problem] = []
    for item in files:
        for found in guard(item.origin, _open_file(item, Budget(limits), 0, asked=asked)):
            if isinstance(found, ApkProbe) or (isinstance(found, Problem) and is_split_name(item.path)):
                apks.append(found)
            else:
                yield found
    yield from group_apks(apks)


def _open_file(item: Member, budget: Budget, depth: int, *, asked: bool) -> Iterator[Found | ApkProbe]:
    """What one file is: APK probes are left to be grouped with their neighbours."""
    named_app = item.path.lower().endswith(APP_SUFFIXES)
    expected = asked or named_app
    if item.size == 0:
        if expected:
            yield Problem(ProblemCode.EMPTY, item.origin, "the file is empty; fetch it again")
        return
    head = item.peek(8192)
    zipped = head.startswith((b"PK\x03\x04", b"PK\x05\x06"))
    carrier = None if zipped else recognise_carrier(head)
    if carrier is not None:
        detail = f"{carrier} is recognised but not read by this version"
        yield Problem(ProblemCode.UNSUPPORTED, item.origin, detail)
        return
    # Inside an archive only what begins like code may have an archive behind it; what has no beginning is damaged.
    worth_reading = zipped or expected or isinstance(item, FileMember) or not head or is_dex(head)
    if not worth_reading:
        return
    try:
        data = item.open()
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
    for found in _find_in_archive(item, archive, budget, depth):
        silent = False
        yield found
    if silent and named_app and not item.path.lower().endswith(".zip"):
        yield Problem(ProblemCode.UNSUPPORTED, item.origin, "an archive, but neither an app nor one of apps")


def _find_in_archive(item: Member, archive: Archive, budget: Budget, depth: int) -> Iterator[Found | ApkProbe]:
    names = {entry.name for entry in archive.entries}
    roots = ios_roots(names)
    limit = budget.limits.container_depth
    mixed = False
    if depth > limit:
        yield _too_deep(item, limit)
        return
    if is_apk(archive):
        yield probe_apk(item, archive, budget, depth)
        mixed = True
    elif is_app_bundle(names):
        yield AndroidBundle(item.origin, item, budget, depth=depth)
        mixed = True
    if mixed:
        # A manifest put beside the payload of an IPA must not hide it; iOS installs such a file all the same.
        roots = tuple(root for root in roots if root.removeprefix("./").lower().startswith("payload/"))
    yield from _ios_bundles(item, archive, roots, budget, depth, mixed=mixed)
    if mixed:
        return
    if not roots and any(name.startswith("Payload/") for name in names):
        yield Problem(ProblemCode.PLIST_DAMAGED, item.origin, "an IPA whose bundle has no Info.plist")
    elif depth < limit:
        yield from _find_in_members(item, archive, frozenset(roots), budget, depth)
    elif not roots:
        yield _too_deep(item, limit)


def _too_deep(item: Member, limit: int) -> Problem:
    detail = f"archives nested deeper than {limit}; raise --limit container_depth"
    return Problem(ProblemCode.LIMIT, item.origin, detail)


def _find_in_members(
    item: Member, archive: Archive, roots: Collection[str], budget: Budget, depth: int
) -> Iterator[Found | ApkProbe]:
    """What an archive holds beside iOS bundles: its members by folder, so that split sets inside stay together."""
    marked = any(entry.name in _SET_MARKERS for entry in archive.entries) and not roots
    folders: dict[str, list[ApkProbe | Problem]] = {}
    expansions: list[Member] = []
    for cut in _incomplete(archive, item.origin):
        if marked:
            folders[""] = [cut]
        elif not roots:
            yield cut
    for member in find_members(archive, item.origin, budget):
        if any(outer in roots for outer in _outer_folders(member.path)):
            continue
        if marked and member.path.endswith(".obb"):
            expansions.append(member)
            continue
        where = "" if marked else member.path.rpartition("/")[0]
        for found in _open_file(member, budget, depth + 1, asked=False):
            if isinstance(found, ApkProbe) or (isinstance(found, Problem) and marked):
                folders.setdefault(where, []).append(found)
            else:
                yield found
    for where in sorted(folders):
        for grouped in group_apks(folders[where], bundle=item.origin if marked else None):
            if isinstance(grouped, AndroidSet):
                yield replace(grouped, expansions=tuple(expansions))
            else:
                yield grouped


def _incomplete(archive: Archive, origin: Origin) -> tuple[Problem, ...]:
    """The problem of an archive of which not every entry could be listed."""
    return (Problem(ProblemCode.ARCHIVE_DAMAGED, origin, archive.incomplete),) if archive.incomplete else ()


def _ios_bundles(
    item: Member, archive: Archive, roots: tuple[str, ...], budget: Budget, depth: int, *, mixed: bool
) -> Iterator[IosBundle]:
    members: dict[str, dict[str, ArchiveMember]] = {root: {} for root in roots}
    record = None
    for member in find_members(archive, item.origin, budget):
        root = next((outer for outer in _outer_folders(member.path) if outer in members), None)
        if root is not None:
            path = member.path[len(root) + 1 :]
            if path in members[root]:
                # Unpacking would leave the last of a name; what it replaces is looked at all the same.
                members[root][f"{path}#{len(members[root])}"] = members[root][path]
            members[root][path] = member
        elif member.path == "iTunesMetadata.plist":
            record = member
    alone = len(roots) == 1
    for root in roots:
        yield IosBundle(
            origin=item.origin if alone and not mixed else item.origin.child(root),
            members=members[root],
            budget=budget,
            whole=item if alone else None,
            store_record=record if alone else None,
            problems=_incomplete(archive, item.origin),
            depth=depth,
        )


def _outer_folders(path: str) -> Iterator[str]:
    """Every application bundle a path may lie in, the outermost first."""
    at = path.find(".app/")
    while at >= 0:
        yield path[: at + len(".app")]
        at = path.find(".app/", at + 1)


def find_nested(member: Member, budget: Budget, parent: Origin, depth: int) -> Iterator[Found]:
    """Apps inside a member of an app: each is an app of its own."""
    apks: list[ApkProbe | Problem] = []
    for found in _open_file(member, budget, depth, asked=False):
        if isinstance(found, ApkProbe):
            apks.append(found)
        else:
            yield _with_parent(found, parent)
    for grouped in group_apks(apks):
        yield _with_parent(grouped, parent)


def _with_parent(found: Found, parent: Origin) -> Found:
    return found if isinstance(found, Problem) else replace(found, parent=parent)
