"""Read the code of an Android package: DEX and ELF files under any name, and archives inside archives."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass, field

from auditor.containers.archive import find_members
from auditor.containers.compressed import UnpackedMember
from auditor.containers.member import Budget, Member
from auditor.errors import AuditorError, FormatError, LimitError, UnsupportedError
from auditor.formats.blob import Blob
from auditor.formats.compressed import is_compressed
from auditor.formats.dex import Dex, is_dex, parse_dex_container
from auditor.formats.elf import is_elf, parse_elf
from auditor.formats.version_file import MAX_SIZE, is_version_file, parse_version_file
from auditor.formats.zip import Archive, parse_zip
from auditor.model import FactBatch, FactKind, Origin, Problem, ProblemCode, SortedValues, Values, batch
from auditor.platforms.layout import ios_roots, is_apk, is_app_bundle
from auditor.platforms.refusal import refusal
from auditor.platforms.wrappers import scan_wrapper, unpacking_failed

DEX_KINDS = frozenset({FactKind.DEX_CLASS, FactKind.DEX_STRING})
"""What a DEX file that cannot be read hides."""
_NATIVE_KINDS = ProblemCode.NATIVE_DAMAGED.hides


@dataclass(slots=True)
class CodeScan:
    """What the members of one app hold; filled by ``scan_members``."""

    budget: Budget
    facts: list[FactBatch] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    nested: list[Member] = field(default_factory=list)
    """Archives with a manifest of their own."""
    dex_seen: int = 0
    version_files: int = 0
    classes: list[Values] = field(default_factory=list)

    def defines(self, name: str) -> bool:
        """Whether any DEX file defines a class."""
        return any(name in values for values in self.classes)


def scan_members(data: Blob, archive: Archive, origin: Origin, members: Iterable[Member], code: CodeScan) -> None:
    """Read every member by what it is, and the bytes before the archive, which a loader may take for a DEX file."""
    if is_dex(data):
        _read_dex(data, origin, code)
    for member in members:
        _scan_member(member, code, depth=1)
    if not archive.entries:
        code.problems.append(Problem(ProblemCode.ARCHIVE_DAMAGED, origin, "the archive lists no entries"))


def scan_files(members: Iterable[Member], code: CodeScan) -> None:
    """Read what is delivered beside the APKs by what it is."""
    for member in members:
        _scan_member(member, code, depth=1)


def _scan_member(member: Member, code: CodeScan, depth: int) -> None:
    head = member.peek(16)
    member = scan_wrapper(member.path, member, head, code.budget.limits, code.facts, code.problems)
    if is_dex(head):
        reader, kinds = _read_dex, DEX_KINDS
    elif is_elf(head):
        reader, kinds = _read_elf, _NATIVE_KINDS
    elif head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        _scan_nested(member, code, depth)
        return
    elif is_compressed(head):
        _scan_compressed(member, code, depth)
        return
    elif not head and (member.size or _refuses(member)):
        if member.path not in _READ_ELSEWHERE:
            code.problems.append(unpacking_failed(member, _kinds_of(member.path)))
        return
    elif _must_be_code(member.path) and (head or member.path.endswith(".dex")):
        code.problems.append(_misnamed(member))
        return
    else:
        if is_version_file(member.path) and member.size <= MAX_SIZE:
            _read_version(member, code)
        return
    try:
        data = member.open()
    except AuditorError as error:
        code.problems.append(refusal(member.origin, error, ProblemCode.MEMBER_UNREADABLE, kinds))
    else:
        reader(data, member.origin, code)


def _misnamed(member: Member) -> Problem:
    """A file that is not what the platform would load it as."""
    if member.path.endswith(".dex"):
        detail = "not the DEX file its name says: packed, encrypted or damaged"
        return Problem(ProblemCode.DEX_DAMAGED, member.origin, detail)
    # Apps ship data and programs as lib/*.so to have them unpacked; the loader refuses what is no ELF file.
    detail = "no ELF file, whatever its name says: data, or code that something else must decrypt"
    return Problem(ProblemCode.NATIVE_DAMAGED, member.origin, detail, frozenset())


def _refuses(member: Member) -> bool:
    """Whether a member that states to be empty is not."""
    try:
        member.open()
    except AuditorError:
        return True
    return False


def _must_be_code(path: str) -> bool:
    """Members the platform itself loads as code, whatever they hold."""
    folder, name = posixpath.split(path)
    if name.startswith("classes") and name.endswith(".dex"):
        return folder == "" or folder.endswith("dex")
    return path.startswith("lib/") and name.endswith(".so")


_READ_ELSEWHERE = frozenset({"AndroidManifest.xml", "resources.arsc"})
"""Members with problem codes of their own."""


def _kinds_of(path: str) -> frozenset[FactKind]:
    """What a member may hold that cannot be unpacked, by the name the platform would load it under."""
    if not _must_be_code(path):
        return DEX_KINDS | _NATIVE_KINDS
    return DEX_KINDS if path.endswith(".dex") else _NATIVE_KINDS


def _read_dex(data: Blob, origin: Origin, code: CodeScan) -> None:
    try:
        files = parse_dex_container(data, code.budget.limits)
    except LimitError as error:
        code.problems.append(Problem(ProblemCode.LIMIT, origin, str(error), DEX_KINDS))
        return
    except UnsupportedError as error:
        code.dex_seen += 1
        code.problems.append(Problem(ProblemCode.DEX_UNSUPPORTED, origin, str(error)))
        return
    except FormatError as error:
        code.dex_seen += 1
        code.problems.append(Problem(ProblemCode.DEX_DAMAGED, origin, str(error)))
        return
    for dex in files:
        add_dex(dex, origin, code)


def add_dex(dex: Dex, origin: Origin, code: CodeScan) -> None:
    """Take the classes and strings of a DEX that was read, and its faults."""
    limit = code.budget.limits.dex_files
    code.dex_seen += 1
    if len(code.classes) >= limit:
        detail = f"more than {limit} DEX files in one app; raise --limit dex_files"
        code.problems.append(Problem(ProblemCode.LIMIT, origin, detail, DEX_KINDS))
        return
    code.classes.append(dex.classes)
    code.facts.append(FactBatch(FactKind.DEX_CLASS, origin, dex.classes))
    code.facts.append(FactBatch(FactKind.DEX_STRING, origin, dex.strings))
    for fault in dex.faults:
        code.problems.append(Problem(ProblemCode.DEX_DAMAGED, origin, fault))


def _read_elf(data: Blob, origin: Origin, code: CodeScan) -> None:
    name = posixpath.basename(origin.path[-1])
    try:
        elf = parse_elf(data, code.budget.limits)
    except LimitError as error:
        code.facts.append(batch(FactKind.NATIVE_LIBRARY, origin, [name]))
        code.problems.append(Problem(ProblemCode.LIMIT, origin, str(error), _NATIVE_KINDS))
        return
    except FormatError as error:
        code.facts.append(batch(FactKind.NATIVE_LIBRARY, origin, [name]))
        code.problems.append(Problem(ProblemCode.NATIVE_DAMAGED, origin, str(error)))
        return
    values: tuple[tuple[FactKind, Values], ...] = (
        (FactKind.NATIVE_LIBRARY, SortedValues(value for value in (name, elf.soname) if value)),
        (FactKind.NATIVE_NEEDED, SortedValues(elf.needed)),
        (FactKind.NATIVE_EXPORT, elf.exports),
        (FactKind.NATIVE_VERSION, elf.versions),
        (FactKind.NATIVE_BUILD_ID, SortedValues([elf.build_id] if elf.build_id else [])),
        (FactKind.NATIVE_CLASS, elf.class_strings),
    )
    code.facts.extend(FactBatch(kind, origin, found) for kind, found in values if len(found))
    code.problems.extend(Problem(ProblemCode.NATIVE_DAMAGED, origin, fault) for fault in elf.faults)


def _read_version(member: Member, code: CodeScan) -> None:
    """What a small file says of a library's version; one that cannot be read says nothing."""
    limit = code.budget.limits.version_files
    code.version_files += 1
    if code.version_files > limit:
        if code.version_files == limit + 1:
            detail = f"more than {limit} files that may state a version; raise --limit version_files"
            hides = frozenset({FactKind.FILE_VERSION})
            code.problems.append(Problem(ProblemCode.LIMIT, member.origin, detail, hides))
        return
    try:
        stated = parse_version_file(member.path, member.open())
    except AuditorError:
        return
    if stated is not None:
        code.facts.append(batch(FactKind.FILE_VERSION, member.origin, [stated]))


def _scan_compressed(member: Member, code: CodeScan, depth: int) -> None:
    """A compressed file: code only where code comes out of it, else data."""
    inner = UnpackedMember(member, code.budget)
    if depth > code.budget.limits.container_depth:
        code.problems.append(_too_deep(member, code.budget.limits.container_depth))
        return
    head = inner.peek(16)
    if is_dex(head) or is_elf(head) or is_compressed(head) or head[:4] == b"PK\x03\x04":
        _scan_member(inner, code, depth + 1)


def _too_deep(member: Member, limit: int) -> Problem:
    detail = f"archives nested deeper than {limit}; raise --limit container_depth"
    return Problem(ProblemCode.LIMIT, member.origin, detail)


def _scan_nested(member: Member, code: CodeScan, depth: int) -> None:
    """An archive inside: an app of its own when it has a manifest, else more of this app's code."""
    limits = code.budget.limits
    if depth > limits.container_depth:
        code.problems.append(_too_deep(member, limits.container_depth))
        return
    try:
        data = member.open()
        archive = parse_zip(data, limits)
    except AuditorError as error:
        code.problems.append(refusal(member.origin, error, ProblemCode.ARCHIVE_DAMAGED, DEX_KINDS | _NATIVE_KINDS))
        return
    names = {entry.name for entry in archive.entries}
    android = is_apk(archive) or is_app_bundle(names)
    if android or ios_roots(names):
        if len(code.nested) >= limits.nested_apps:
            detail = f"more than {limits.nested_apps} apps inside one; raise --limit nested_apps"
            code.problems.append(Problem(ProblemCode.LIMIT, member.origin, detail))
        else:
            code.nested.append(member)
    if android:
        return
    if archive.incomplete:
        hides = DEX_KINDS | _NATIVE_KINDS
        code.problems.append(Problem(ProblemCode.ARCHIVE_DAMAGED, member.origin, archive.incomplete, hides))
    for inner in find_members(archive, member.origin, code.budget):
        _scan_member(inner, code, depth + 1)
