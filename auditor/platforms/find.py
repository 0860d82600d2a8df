"""Find the apps in a folder, a file or an archive; the type is decided by content, never by a name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from auditor.containers.archive import ArchiveMember, find_members
from auditor.containers.folder import FileMember, Folder, find_files
from auditor.containers.member import Budget, Member
from auditor.errors import AuditorError, FormatError, LimitError, UnsupportedError
from auditor.formats.plist import parse_plist
from auditor.formats.zip import Archive, is_zip, parse_zip
from auditor.limits import Limits
from auditor.model import FactKind, Origin, Problem, ProblemCode
from auditor.platforms.android_set import ApkProbe, group_apks, probe_apk
from auditor.platforms.candidate import AndroidBundle, AndroidSet, Candidate, IosBundle
from auditor.platforms.signs import APP_SUFFIXES, recognise_carrier

Found = Candidate | Problem
_IOS_ROOT = re.compile(r"((?:.*/)?[^/]+\.app)/Info\.plist")
_AAB_MANIFEST = re.compile(r"[^/]+/manifest/AndroidManifest\.xml")
_SET_MARKERS = frozenset({"toc.pb", "manifest.json", "info.json", "meta.sai_v1.json", "meta.sai_v2.json"})


def find_in_folder(folder: Folder) -> Iterator[Found]:
    """Apps below a folder: bundles, split sets, single files, depth first in the order of names."""
    files, folders = folder.entries()
    if _is_ios_folder(folder, files):
        members = {item.path[len(folder.path) + 1 if folder.path else 0 :]: item for item in find_files(folder)}
        origin = Origin(("/".join(part for part in (*folder.origin, folder.path or folder.place.name) if part),))
        yield IosBundle(origin, dict(sorted(members.items())), Budget(folder.limits))
        return
    yield from find_in_files(files, folder.limits)
    for inner in folders:
        yield from find_in_folder(inner)


def _is_ios_folder(folder: Folder, files: Iterable[FileMember]) -> bool:
    """A folder whose Info.plist describes an iOS application (a Mac one keeps it under Contents)."""
    plist = next((item for item in files if item.path.rpartition("/")[2] == "Info.plist"), None)
    if plist is None or plist.size > folder.limits.manifest_size:
        return False
    try:
        value = parse_plist(bytes(plist.open()), folder.limits)
    except AuditorError:
        return folder.place.name.endswith(".app")
    if not isinstance(value, dict):
        return False
    return value.get("CFBundlePackageType") == "APPL" or (
        folder.place.name.endswith(".app") and "CFBundleIdentifier" in value
    )


def find_in_files(files: Iterable[FileMember], limits: Limits, *, asked: bool = False) -> Iterator[Found]:
    """Apps in the files of one folder; ``asked`` when the user named the file, so that silence would be no answer."""
    apks: list[ApkProbe | Problem] = []
    for item in files:
        for found in _open_file(item, Budget(limits), 0, asked=asked):
            if isinstance(found, ApkProbe) or (isinstance(found, Problem) and _is_split_name(item.path)):
                apks.append(found)
            else:
                yield found
    yield from group_apks(apks)


def _is_split_name(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name.startswith(("split_", "config.")) and name.endswith(".apk")


def _open_file(item: Member, budget: Budget, depth: int, *, asked: bool) -> Iterator[Found | ApkProbe]:
    """What one file is: APK probes are left to be grouped with their neighbours."""
    named_app = item.path.lower().endswith(APP_SUFFIXES)
    expected = asked or named_app
    if item.size == 0:
        if expected:
            yield Problem(ProblemCode.EMPTY, item.origin, "the file is empty; fetch it again")
        return
    head = item.peek(8192)
    carrier = recognise_carrier(head)
    if carrier is not None:
        detail = f"{carrier} is recognised but not read by this version"
        yield Problem(ProblemCode.UNSUPPORTED, item.origin, detail)
        return
    zipped = head.startswith((b"PK\x03\x04", b"PK\x05\x06"))
    if not zipped and not expected and not isinstance(item, FileMember):
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
        yield _refused(item, error)
        return
    yield from _find_in_archive(item, archive, budget, depth, asked=asked)


def _refused(item: Member, error: AuditorError) -> Problem:
    if isinstance(error, LimitError):
        return Problem(ProblemCode.LIMIT, item.origin, str(error))
    if isinstance(error, UnsupportedError):
        return Problem(ProblemCode.UNSUPPORTED, item.origin, str(error))
    if isinstance(error, FormatError):
        return Problem(ProblemCode.ARCHIVE_DAMAGED, item.origin, f"{error}; fetch the file again")
    return Problem(ProblemCode.UNREADABLE, item.origin, str(error))


def _find_in_archive(
    item: Member, archive: Archive, budget: Budget, depth: int, *, asked: bool
) -> Iterator[Found | ApkProbe]:
    names = {entry.name for entry in archive.entries}
    roots = ios_roots(names)
    if "AndroidManifest.xml" in names and not ("classes.jar" in names and "classes.dex" not in names):
        yield probe_apk(item, archive, budget, depth)
    elif "BundleConfig.pb" in names or any(_AAB_MANIFEST.fullmatch(name) for name in names):
        yield AndroidBundle(item.origin, item, budget, depth=depth)
    elif roots:
        yield from _ios_bundles(item, archive, roots, budget, depth)
    elif any(name.startswith("Payload/") for name in names):
        yield Problem(ProblemCode.PLIST_DAMAGED, item.origin, "an IPA whose bundle has no Info.plist")
    elif depth >= budget.limits.container_depth:
        detail = f"archives nested deeper than {budget.limits.container_depth}; raise --limit container_depth"
        yield Problem(ProblemCode.LIMIT, item.origin, detail)
    else:
        yield from _find_in_members(item, archive, names, budget, depth)


def _find_in_members(
    item: Member, archive: Archive, names: Iterable[str], budget: Budget, depth: int
) -> Iterator[Found | ApkProbe]:
    """An archive that is no app: its members by folder, so that split sets inside stay together."""
    marked = bool(_SET_MARKERS & set(names))
    folders: dict[str, list[ApkProbe | Problem]] = {}
    for member in find_members(archive, item.origin, budget):
        where = "" if marked else member.path.rpartition("/")[0]
        for found in _open_file(member, budget, depth + 1, asked=False):
            if isinstance(found, ApkProbe) or (isinstance(found, Problem) and marked):
                folders.setdefault(where, []).append(found)
            else:
                yield found
    for where in sorted(folders):
        yield from group_apks(folders[where], bundle=item.origin if marked else None)


def ios_roots(names: Iterable[str]) -> tuple[str, ...]:
    """The outermost application bundles of an archive: watch apps and clips inside them are parts, not roots."""
    found = sorted(match.group(1) for match in map(_IOS_ROOT.fullmatch, names) if match is not None)
    roots: list[str] = []
    for root in found:
        if not any(root.startswith(f"{outer}/") for outer in roots):
            roots.append(root)
    return tuple(roots)


def _ios_bundles(
    item: Member, archive: Archive, roots: tuple[str, ...], budget: Budget, depth: int
) -> Iterator[IosBundle]:
    members: dict[str, dict[str, ArchiveMember]] = {root: {} for root in roots}
    record = None
    for member in find_members(archive, item.origin, budget):
        root = next((root for root in roots if member.path.startswith(f"{root}/")), None)
        if root is not None:
            members[root][member.path[len(root) + 1 :]] = member
        elif member.path == "iTunesMetadata.plist":
            record = member
    for root in roots:
        yield IosBundle(
            origin=item.origin if len(roots) == 1 else item.origin.child(root),
            members=members[root],
            budget=budget,
            whole=item if len(roots) == 1 else None,
            store_record=record if len(roots) == 1 else None,
            depth=depth,
        )


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
    if isinstance(found, AndroidSet):
        return AndroidSet(found.origin, found.apks, found.budget, found.problems, parent, found.depth)
    if isinstance(found, AndroidBundle):
        return AndroidBundle(found.origin, found.file, found.budget, parent, found.depth)
    if isinstance(found, IosBundle):
        return IosBundle(
            found.origin, found.members, found.budget, found.whole, found.store_record, parent, found.depth
        )
    return found
