"""What a zip archive is or holds: an APK, an app bundle, iOS applications, a split set, or files one by one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from auditor.containers.archive import ArchiveMember, find_members
from auditor.containers.member import Budget, Member
from auditor.formats.apex import recognise_apex
from auditor.formats.foreign_carriers import recognise_foreign_zip
from auditor.formats.zip import Archive
from auditor.model import Origin, Problem, ProblemCode, placement_of
from auditor.platforms.adb_backup_records import backup_of, is_backup_manifest
from auditor.platforms.android_set import ApkProbe, group_apks, probe_apk
from auditor.platforms.candidate import AndroidBundle, AndroidSet, IosBundle
from auditor.platforms.compiled_files import belonging, compiled_places
from auditor.platforms.data_directories import find_data_directories
from auditor.platforms.layout import ios_roots, is_apk, is_app_bundle
from auditor.platforms.record_source import RecordSource
from auditor.platforms.search import Beside, Finding
from auditor.platforms.signs import FOR_BELOW, STORE_RECORD, USERDATA

Opener = Callable[[Member, Beside], Iterator[Finding]]
"""What looks at one member of the archive."""
_SET_MARKERS = frozenset({"toc.pb", "manifest.json", "info.json", "meta.sai_v1.json", "meta.sai_v2.json"})

_SET_DEPTH = 1
"""Folders around the APKs of a set: bundletool puts them below splits/ and standalones/."""


@dataclass(frozen=True, slots=True)
class Zipped:
    """An archive in its place."""

    item: Member
    archive: Archive = field(repr=False)
    budget: Budget
    depth: int
    """Containers around the archive."""


def find_in_archive(zipped: Zipped, opener: Opener) -> Iterator[Finding]:
    """The app an archive is, or what its members are."""
    item, archive, budget, depth = zipped.item, zipped.archive, zipped.budget, zipped.depth
    names = {entry.name for entry in archive.entries}
    roots = ios_roots(names)
    limit = budget.limits.container_depth
    mixed = False
    if depth > limit:
        yield too_deep(item, limit)
        return
    foreign = recognise_foreign_zip(names)
    if foreign is not None:
        yield Problem(ProblemCode.UNSUPPORTED, item.origin, foreign)
        return
    # An APEX has a manifest and is no app: its apps lie in the image inside.
    apex = recognise_apex(names) is not None
    if not apex and is_apk(archive):
        yield probe_apk(item, archive, budget.for_app(), depth)
        mixed = True
    elif is_app_bundle(names):
        yield AndroidBundle(item.origin, item, budget.for_app(), depth=depth)
        mixed = True
    if mixed:
        # A manifest put beside the payload of an IPA must not hide it; iOS installs such a file all the same.
        roots = tuple(root for root in roots if root.removeprefix("./").lower().startswith("payload/"))
    yield from _ios_bundles(zipped, roots, mixed=mixed)
    if mixed:
        return
    if not roots and any(name.startswith("Payload/") for name in names):
        yield Problem(ProblemCode.PLIST_DAMAGED, item.origin, "an IPA whose bundle has no Info.plist")
    elif depth < limit:
        yield from _find_in_members(zipped, frozenset(roots), opener)
    elif not roots:
        yield too_deep(item, limit)


def too_deep(item: Member, limit: int) -> Problem:
    """The problem of a container that lies in too many others."""
    detail = f"archives nested deeper than {limit}; raise --limit container_depth"
    return Problem(ProblemCode.LIMIT, item.origin, detail)


class _Folders:
    """The members of an archive by folder; made when a file asks for its neighbours."""

    def __init__(self, zipped: Zipped) -> None:
        self._zipped = zipped
        self._folders: dict[str, dict[str, Member]] | None = None

    def beside(self, path: str) -> Mapping[str, Member]:
        """The files of a folder by name."""
        if self._folders is None:
            self._folders = {}
            for member in find_members(self._zipped.archive, self._zipped.item.origin, self._zipped.budget):
                folder, _, name = member.path.rpartition("/")
                self._folders.setdefault(folder, {}).setdefault(name, member)
        found = self._folders.get(path, {})
        outer = self._folders.get(path.rpartition("/")[0], {}) if path else {}
        above = {f"../{name}": outer[name] for name in FOR_BELOW if name in outer}
        return {**above, **found} if above else found

    def backups(self) -> Iterator[RecordSource]:
        """The record of each unpacked backup: the manifests below one folder ``apps``."""
        if not any(is_backup_manifest(entry.name) for entry in self._zipped.archive.entries):
            return
        found: dict[str, list[Member]] = {}
        for member in find_members(self._zipped.archive, self._zipped.item.origin, self._zipped.budget):
            if is_backup_manifest(member.path):
                found.setdefault(member.path.rsplit("/", 2)[0], []).append(member)
        for manifests in found.values():
            yield from backup_of(manifests, self._zipped.budget)

    def compiled(self, path: str) -> Iterator[Member]:
        """What was compiled from the APKs of a folder."""
        self.beside(path)
        for place in compiled_places(path):
            yield from (self._folders or {}).get(place, {}).values()


def _find_in_members(zipped: Zipped, roots: Collection[str], opener: Opener) -> Iterator[Finding]:
    """What an archive holds beside iOS bundles: its members by folder, so that split sets inside stay together."""
    archive, origin = zipped.archive, zipped.item.origin
    marked = not roots and _is_set(archive)
    folders: dict[str, list[ApkProbe | Problem]] = {}
    expansions: list[Member] = []
    neighbours = _Folders(zipped)
    for cut in _incomplete(archive, origin):
        if marked:
            folders[""] = [cut]
        elif not roots:
            yield cut
    if not marked:
        outer = _outer_names(archive)
        prefix = "data/" if USERDATA.issubset(outer.get("", ())) else ""
        for folder, names in outer.items():
            if not any(inner in roots for inner in _outer_folders(f"{folder}/")):
                yield from find_data_directories(origin.child(folder), f"{prefix}{folder}", names, zipped.budget.limits)
        yield from neighbours.backups()
    for member in find_members(archive, origin, zipped.budget):
        if any(outer in roots for outer in _outer_folders(member.path)):
            continue
        if marked and member.path.endswith(".obb"):
            expansions.append(member)
            continue
        folder = member.path.rpartition("/")[0]
        where = "" if marked else folder
        for found in opener(member, lambda folder=folder: neighbours.beside(folder)):  # type: ignore[misc]
            if isinstance(found, ApkProbe) or (isinstance(found, Problem) and marked):
                folders.setdefault(where, []).append(found)
            else:
                yield found
    for where in sorted(folders):
        for grouped in group_apks(folders[where], bundle=origin if marked else None):
            if isinstance(grouped, AndroidSet) and marked:
                yield replace(grouped, expansions=tuple(expansions))
            elif isinstance(grouped, AndroidSet):
                yield replace(grouped, compiled=belonging(grouped.apks, neighbours.compiled(where)))
            else:
                yield grouped


def _is_set(archive: Archive) -> bool:
    """Whether an archive says that it is one split set; the tree of a device may have such a file by chance."""
    names = [entry.name for entry in archive.entries]
    return any(name in _SET_MARKERS for name in names) and not any(
        name.endswith(".apk") and name.count("/") > _SET_DEPTH for name in names
    )


def _outer_names(archive: Archive) -> dict[str, list[str]]:
    """The folders of an archive with the names of those in them, as its members show them; ascending."""
    seen: set[str] = set()
    for entry in archive.entries:
        folder = entry.name.rpartition("/")[0]
        while folder and folder not in seen:
            seen.add(folder)
            folder = folder.rpartition("/")[0]
    found: dict[str, list[str]] = {}
    for folder in sorted(seen):
        outer, _, name = folder.rpartition("/")
        found.setdefault(outer, []).append(name)
    return found


def _incomplete(archive: Archive, origin: Origin) -> tuple[Problem, ...]:
    """The problem of an archive of which not every entry could be listed."""
    return (Problem(ProblemCode.ARCHIVE_DAMAGED, origin, archive.incomplete),) if archive.incomplete else ()


def _ios_bundles(zipped: Zipped, roots: tuple[str, ...], *, mixed: bool) -> Iterator[IosBundle]:
    item = zipped.item
    members: dict[str, dict[str, ArchiveMember]] = {root: {} for root in roots}
    records: dict[str, Member] = {}
    for member in find_members(zipped.archive, item.origin, zipped.budget) if roots else ():
        root = next((outer for outer in _outer_folders(member.path) if outer in members), None)
        if root is not None:
            path = member.path[len(root) + 1 :]
            if path in members[root]:
                # Unpacking would leave the last of a name; what it replaces is looked at all the same.
                members[root][f"{path}#{len(members[root])}"] = members[root][path]
            members[root][path] = member
        elif member.path.rpartition("/")[2] == STORE_RECORD:
            records[member.path.rpartition("/")[0]] = member
    # On a device the place of a bundle says more than the archive it was found in.
    alone = len(roots) == 1 and not placement_of(item.origin.child(f"{roots[0]}/")).on_device
    for root in roots:
        # In an IPA the record lies beside Payload, on a device beside the bundle.
        record = records.get(root.rpartition("/")[0]) or (records.get("") if alone else None)
        yield IosBundle(
            origin=item.origin if alone and not mixed else item.origin.child(root),
            members=members[root],
            budget=zipped.budget.for_app(),
            whole=item if alone else None,
            store_record=record,
            problems=_incomplete(zipped.archive, item.origin),
            depth=zipped.depth,
        )


def _outer_folders(path: str) -> Iterator[str]:
    """Every application bundle a path may lie in, the outermost first."""
    at = path.find(".app/")
    while at >= 0:
        yield path[: at + len(".app")]
        at = path.find(".app/", at + 1)
