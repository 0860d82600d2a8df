"""Read the code of an iOS bundle: every Mach-O file and static archive under any name."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field

from auditor.containers.archive import find_members
from auditor.containers.member import Budget, Member
from auditor.errors import AuditorError
from auditor.formats.ar import is_ar
from auditor.formats.code_signature import CodeSignature
from auditor.formats.macho import Slice, find_slices, is_macho
from auditor.formats.zip import parse_zip
from auditor.model import FactBatch, FactKind, Origin, Problem, ProblemCode, SortedValues, Values, batch
from auditor.platforms.layout import ios_roots, is_apk, is_app_bundle
from auditor.platforms.refusal import refusal
from auditor.platforms.wrappers import scan_wrapper, unpacking_failed

_KINDS = ProblemCode.MACHO_DAMAGED.hides
_HIDDEN = {
    "objc": frozenset({FactKind.OBJC_CLASS, FactKind.OBJC_PROTOCOL}),
    "strings": frozenset({FactKind.MACHO_STRING, FactKind.MACHO_VERSION}),
    "swift": frozenset({FactKind.SWIFT_TYPE}),
    "symbols": frozenset({FactKind.MACHO_SYMBOL, FactKind.MACHO_IMPORT, FactKind.OBJC_CLASS, FactKind.SWIFT_TYPE}),
    "signature": frozenset({FactKind.TEAM_ID, FactKind.ENTITLEMENT}),
}
"""What each part of a slice tells; classes stand in the symbols too where the metadata is ciphertext."""
_READ_ELSEWHERE = (".plist", ".strings", ".mobileprovision", ".xcprivacy")
"""Records, which have problem codes of their own."""
_FRAMEWORK = re.compile(r"(?:.*/)?([^/]+)\.framework/(?:Versions/[^/]+/)?[^/]+", re.DOTALL)
"""A file of a framework's own folder: Info.plist may give the executable any name."""


@dataclass(slots=True)
class CodeScan:
    """What the files of one bundle hold; filled by ``scan_member``."""

    budget: Budget
    facts: list[FactBatch] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    nested: list[Member] = field(default_factory=list)
    executables: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Path of every Mach-O file: (SHA-256, size)."""
    signatures: dict[str, CodeSignature] = field(default_factory=dict)


def scan_member(path: str, member: Member, code: CodeScan, depth: int = 1) -> None:
    """Read one file of the bundle by what it is."""
    head = member.peek(64)
    member = scan_wrapper(path, member, head, code.budget.limits, code.facts, code.problems)
    if head[:4] == b"PK\x03\x04":
        _scan_nested(path, member, code, depth)
        return
    if not (is_macho(head) or is_ar(head)):
        if not head and member.size and not path.endswith(_READ_ELSEWHERE):
            code.problems.append(unpacking_failed(member, _KINDS))
        return
    try:
        data = member.open()
        slices = list(find_slices(data, code.budget.limits))
    except AuditorError as error:
        code.problems.append(refusal(member.origin, error, ProblemCode.MACHO_DAMAGED, _KINDS))
        return
    if not slices:
        return
    code.executables[path] = (hashlib.sha256(data).hexdigest(), len(data))
    framework = _FRAMEWORK.fullmatch(path)
    if framework is not None:
        code.facts.append(batch(FactKind.FRAMEWORK, member.origin, [f"{framework.group(1)}.framework"]))
    elif path.endswith(".dylib"):
        code.facts.append(batch(FactKind.FRAMEWORK, member.origin, [path.rpartition("/")[2]]))
    for name, item in slices:
        _add_slice(path, member.origin.child(name) if name else member.origin, item, code)


def _scan_nested(path: str, member: Member, code: CodeScan, depth: int) -> None:
    """An archive inside: perhaps an app of its own, and what lies beside it is more of this app's code."""
    limits = code.budget.limits
    if depth > limits.container_depth:
        detail = f"archives nested deeper than {limits.container_depth}; raise --limit container_depth"
        code.problems.append(Problem(ProblemCode.LIMIT, member.origin, detail))
        return
    try:
        archive = parse_zip(member.open(), limits)
    except AuditorError as error:
        code.problems.append(refusal(member.origin, error, ProblemCode.ARCHIVE_DAMAGED, _KINDS))
        return
    names = {entry.name for entry in archive.entries}
    roots = tuple(f"{root}/" for root in ios_roots(names))
    if roots or is_apk(archive) or is_app_bundle(names):
        if len(code.nested) >= limits.nested_apps:
            detail = f"more than {limits.nested_apps} apps inside one; raise --limit nested_apps"
            code.problems.append(Problem(ProblemCode.LIMIT, member.origin, detail))
        else:
            code.nested.append(member)
    if archive.incomplete:
        code.problems.append(Problem(ProblemCode.ARCHIVE_DAMAGED, member.origin, archive.incomplete, _KINDS))
    for inner in find_members(archive, member.origin, code.budget):
        if not inner.path.startswith(roots):
            scan_member(f"{path}/{inner.path}", inner, code, depth + 1)


def _add_slice(path: str, origin: Origin, item: Slice, code: CodeScan) -> None:
    values: tuple[tuple[FactKind, Values], ...] = (
        (FactKind.OBJC_CLASS, item.objc_classes),
        (FactKind.OBJC_PROTOCOL, item.objc_protocols),
        (FactKind.SWIFT_TYPE, item.swift_types),
        (FactKind.MACHO_SYMBOL, item.symbols),
        (FactKind.MACHO_IMPORT, item.imports),
        (FactKind.MACHO_STRING, item.strings),
        (FactKind.MACHO_VERSION, item.versions),
        (FactKind.MACHO_DYLIB, SortedValues(item.dylibs)),
        (FactKind.MACHO_RPATH, SortedValues(item.rpaths)),
        (FactKind.MACHO_UUID, SortedValues([item.uuid] if item.uuid else [])),
    )
    code.facts.extend(FactBatch(kind, origin, found) for kind, found in values if len(found))
    if item.signature is not None and path not in code.signatures:
        code.signatures[path] = item.signature
    if item.encrypted:
        hides = frozenset().union(*(_HIDDEN[name] for name in item.hidden))
        detail = f"FairPlay encryption ({item.cpu}): decrypt it, or audit the build the vendor or MDM delivers"
        code.problems.append(Problem(ProblemCode.MACHO_ENCRYPTED, origin, detail, hides))
    damaged = frozenset().union(*(_HIDDEN[name] for name in item.damaged))
    code.problems.extend(Problem(ProblemCode.MACHO_DAMAGED, origin, fault, damaged) for fault in item.faults)
