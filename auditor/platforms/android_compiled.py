"""Read the code of an APK from the compiled files beside it, where a system image keeps no DEX in the APK itself."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence

from auditor.containers.compressed import UnpackedMember
from auditor.containers.member import Member
from auditor.errors import AuditorError, FormatError, LimitError, UnsupportedError
from auditor.formats.blob import Blob
from auditor.formats.compressed import is_compressed
from auditor.formats.dex import parse_dex_at
from auditor.formats.elf import is_elf
from auditor.formats.oat import is_optimized_dex, parse_oat
from auditor.formats.vdex import DexView, is_vdex, parse_vdex
from auditor.model import Origin, Problem, ProblemCode
from auditor.platforms.android_code import DEX_KINDS, CodeScan, add_dex
from auditor.platforms.refusal import refusal

_ISA = "(?:arm|arm64|x86|x86_64|mips|mips64|riscv64)"
_PLACE = re.compile(rf"(?:oat/{_ISA}/|{_ISA}/)?(?P<stem>[^/]+)\.(?P<kind>vdex|odex|oat)(?:\.gz|\.xz)?")
_COMPANIONS = (
    (".apk.idsig", "v4 signature"),
    (".apk.prof", "profile"),
    (".apk.fsv_meta", "fs-verity metadata"),
    (".dm.fsv_meta", "fs-verity metadata"),
    (".dm", "DEX metadata"),
    (".vdex", "compiled code"),
    (".odex", "compiled code"),
    (".oat", "compiled code"),
    (".art", "heap image of compiled code"),
)
"""Suffixes of files that come with an APK; base.dm is a zip of a profile and a vdex without DEX files."""
_ORDER = {"vdex": 0, "odex": 1, "oat": 2}
_NAMED = 3
"""Files named in one problem."""


def companion_kind(name: str) -> str | None:
    """What a file is that Android keeps beside an APK and that is no app of its own; None for any other file."""
    base = posixpath.basename(name)
    return next((kind for suffix, kind in _COMPANIONS if base.endswith(suffix)), None)


def find_compiled(apk_name: str, files: Mapping[str, Member]) -> tuple[Member, ...]:
    """The compiled code of an APK out of ``files``, which are named by their paths relative to its folder."""
    stem = _stem(apk_name)
    found = []
    for path in sorted(files):
        match = _PLACE.fullmatch(path)
        if match is not None and match["stem"] == stem:
            found.append((_ORDER[match["kind"]], path))
    return tuple(files[path] for _, path in sorted(found))


def compiled_of(apk: Member, compiled: Iterable[Member], *, alone: bool) -> tuple[Member, ...]:
    """Those of the compiled files of a set that belong to one of its APKs; all of them where it is ``alone``."""
    if alone:
        return tuple(compiled)
    stem = _stem(apk.path)
    return tuple(item for item in compiled if _stem(item.path) == stem)


def scan_compiled(origin: Origin, members: Sequence[Member], code: CodeScan) -> bool:
    """Read the DEX files of the APK at ``origin`` out of its compiled files; whether there are any, readable or not.

    Each processor has a copy of the same code, so the first one that can be read in full is enough.
    """
    parts = []
    for member in members:
        part = CodeScan(code.budget)
        _scan_file(member, part)
        if part.dex_seen > 0 and not part.problems:
            parts = [part]
            break
        parts.append(part)
    for part in parts:
        code.dex_seen += part.dex_seen
        code.classes.extend(part.classes)
        code.facts.extend(part.facts)
        code.problems.extend(part.problems)
    if any(part.dex_seen for part in parts):
        return True
    if members:
        code.problems.append(Problem(ProblemCode.CODE_ABSENT, origin, _absence(members)))
    return False


def _absence(members: Sequence[Member]) -> str:
    names = [posixpath.basename(item.path) for item in members]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"no DEX file in the APK, and none in {', '.join(names[:_NAMED])}{more} beside it"


def _stem(path: str) -> str:
    """``X`` of X.apk, oat/arm64/X.vdex and X.odex.xz."""
    name = posixpath.basename(path)
    for suffix in (".gz", ".xz"):
        name = name.removesuffix(suffix)
    return posixpath.splitext(name)[0]


def _scan_file(member: Member, code: CodeScan) -> None:
    inner = UnpackedMember(member, code.budget) if is_compressed(member.peek(8)) else member
    try:
        data = inner.open()
    except AuditorError as error:
        code.problems.append(refusal(inner.origin, error, ProblemCode.MEMBER_UNREADABLE, DEX_KINDS))
        return
    try:
        views, faults = _find_views(data, code)
    except FormatError as error:
        code.problems.append(_unread(inner.origin, error))
        return
    code.problems.extend(Problem(ProblemCode.DEX_DAMAGED, inner.origin, fault) for fault in faults)
    _read_views(data, views, inner.origin, code)


def _find_views(data: Blob, code: CodeScan) -> tuple[tuple[DexView, ...], tuple[str, ...]]:
    limits = code.budget.limits
    if is_vdex(data):
        vdex = parse_vdex(data, limits)
        return vdex.dex_files, vdex.faults
    if is_elf(data) or is_optimized_dex(data):
        oat = parse_oat(data, limits)
        return oat.dex_files, oat.faults
    raise FormatError("neither vdex nor odex, whatever its name says", 0)


def _read_views(data: Blob, views: Iterable[DexView], origin: Origin, code: CodeScan) -> None:
    # One copy for all of them, where the bytes are not in memory already.
    whole = data if isinstance(data, bytes) else bytes(data[:])
    for view in views:
        try:
            dex = parse_dex_at(whole, view.offset, code.budget.limits)
        except FormatError as error:
            code.dex_seen += 1
            code.problems.append(_unread(origin, error))
        else:
            add_dex(dex, origin, code)


def _unread(origin: Origin, error: FormatError) -> Problem:
    if isinstance(error, LimitError):
        return Problem(ProblemCode.LIMIT, origin, str(error), DEX_KINDS)
    if isinstance(error, UnsupportedError):
        return Problem(ProblemCode.DEX_UNSUPPORTED, origin, str(error))
    return Problem(ProblemCode.DEX_DAMAGED, origin, str(error))
