"""Read the code of an iOS bundle: every Mach-O file and static archive under any name."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field

from auditor.containers.member import Budget, Member
from auditor.errors import AuditorError
from auditor.formats.ar import is_ar
from auditor.formats.code_signature import CodeSignature
from auditor.formats.macho import Slice, find_slices, is_macho
from auditor.model import FactBatch, FactKind, Origin, Problem, ProblemCode, SortedValues, Values, batch
from auditor.platforms.refusal import refusal

_KINDS = ProblemCode.MACHO_DAMAGED.hides
_HIDDEN = {
    "objc": frozenset({FactKind.OBJC_CLASS, FactKind.OBJC_PROTOCOL}),
    "strings": frozenset({FactKind.MACHO_STRING}),
    "symbols": frozenset({FactKind.MACHO_SYMBOL, FactKind.MACHO_IMPORT, FactKind.OBJC_CLASS}),
    "signature": frozenset({FactKind.TEAM_ID, FactKind.ENTITLEMENT}),
}
"""What each part of a slice tells; classes stand in the symbols too where the metadata is ciphertext."""
_READ_ELSEWHERE = (".plist", ".strings", ".mobileprovision", ".xcprivacy")
"""Records, which have problem codes of their own."""
_FRAMEWORK = re.compile(r"(?:^|/)([^/]+)\.framework/(?:Versions/[^/]+/)?([^/]+)")


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


def scan_member(path: str, member: Member, code: CodeScan) -> None:
    """Read one file of the bundle by what it is."""
    head = member.peek(64)
    if head[:4] == b"PK\x03\x04":
        code.nested.append(member)
        return
    if not (is_macho(head) or is_ar(head)):
        if not head and member.size and not path.endswith(_READ_ELSEWHERE):
            detail = "could not be unpacked; it may be code"
            code.problems.append(Problem(ProblemCode.MEMBER_UNREADABLE, member.origin, detail, _KINDS))
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
    framework = _FRAMEWORK.search(path)
    if framework is not None and framework.group(1) == framework.group(2):
        code.facts.append(batch(FactKind.FRAMEWORK, member.origin, [f"{framework.group(1)}.framework"]))
    elif path.endswith(".dylib"):
        code.facts.append(batch(FactKind.FRAMEWORK, member.origin, [path.rpartition("/")[2]]))
    for name, item in slices:
        _add_slice(path, member.origin.child(name) if name else member.origin, item, code)


def _add_slice(path: str, origin: Origin, item: Slice, code: CodeScan) -> None:
    values: tuple[tuple[FactKind, Values], ...] = (
        (FactKind.OBJC_CLASS, item.objc_classes),
        (FactKind.OBJC_PROTOCOL, item.objc_protocols),
        (FactKind.MACHO_SYMBOL, item.symbols),
        (FactKind.MACHO_IMPORT, item.imports),
        (FactKind.MACHO_STRING, item.strings),
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
