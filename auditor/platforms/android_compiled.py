"""Read the code of an APK from the compiled files beside it, where a system image keeps no DEX in the APK itself."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence

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

_ORDER = {".vdex": 0, ".odex": 1}
"""From Android 8 on the odex beside a vdex holds no DEX file."""
_NAMED = 3
"""Files named in one problem."""


def compiled_of(apk: Member, compiled: Iterable[Member], *, alone: bool) -> tuple[Member, ...]:
    """Those of the compiled files of a set that belong to one of its APKs (all where it is ``alone``), vdex first."""
    stem = _split_name(apk.path)[0]
    found = [item for item in compiled if alone or _split_name(item.path)[0] == stem]
    return tuple(sorted(found, key=lambda item: (_ORDER.get(_split_name(item.path)[1], len(_ORDER)), item.path)))


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


def _split_name(path: str) -> tuple[str, str]:
    """``X`` and the suffix of X.apk, oat/arm64/X.vdex, X.apk.oat and X.odex.xz."""
    name = posixpath.basename(path)
    for packed in (".gz", ".xz"):
        name = name.removesuffix(packed)
    stem, suffix = posixpath.splitext(name)
    return stem.removesuffix(".apk"), suffix


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
