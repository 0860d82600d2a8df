"""The linter's rules for clauses and grades: what may prove that code is inside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

from auditor.catalog.check_values import check_values
from auditor.catalog.nouns import Fault
from auditor.catalog.table import nearest
from auditor.model.facts import FactKind, Platform, Tier
from auditor.model.signatures import Clause, Confidence, Grade, Rule, Signature

GENERIC_CLASSES = frozenset(
    [
        "APConfig",
        "APIBase",
        "APIResponse",
        "AidManager",
        "AidRequester",
        "AidStorage",
        "AppCommunicate",
        "AppCommunicateData",
        "AppRegisterInfo",
        "AppSettingItem",
        "BaseReq",
        "BaseResp",
        "BizContext",
        "ConfigManager",
        "HBReq",
        "HBResp",
        "OpenApi",
        "PayReq",
        "PayResp",
    ]
)
"""Objective-C class names of the known SDKs that any app could choose for a class of its own."""

_SDK_GRADES = (Grade.EMBEDDED, Grade.RENAMED, Grade.REIMPLEMENTED, Grade.REFERENCED, Grade.MENTIONED)
_WEAK_GRADES = (Grade.REFERENCED, Grade.MENTIONED)
_CODE_SUFFIXES = (".so", ".dex", ".jar", ".aar", ".dylib", ".a")
_PREFIX_ENDS = (".", "/", "_")
_MIN_PREFIX = 4
_MIN_GLOB_LITERAL = 2
_IOS_FAMILIES = ("ios", "macho")
_ANDROID_FAMILIES = ("android", "dex", "native")


def check_clauses(file: str, key: str, clauses: tuple[Clause, ...], platform: Platform | None) -> Iterator[Fault]:
    """Faults of clauses taken one by one."""
    seen = set()
    for clause in clauses:
        place = f"{key}.clause[{clause.name}]"
        if clause.name in seen:
            yield Fault(file, place, "is named twice", "give each clause a name of its own")
        seen.add(clause.name)
        yield from _check_platform(file, place, clause, platform)
        yield from _check_patterns(file, place, clause)
        yield from check_values(file, place, clause)
        listed = len(clause.values)
        if not (listed or clause.prefixes or clause.globs):
            yield Fault(file, place, "asks for nothing", "give values, prefixes or globs")
        elif not (clause.prefixes or clause.globs) and clause.at_least > listed:
            what = f"asks for {clause.at_least} of {listed} values"
            yield Fault(file, f"{place}.at_least", what, "lower it or list more values")


def _check_platform(file: str, place: str, clause: Clause, platform: Platform | None) -> Iterator[Fault]:
    family = clause.kind.value.partition(".")[0]
    foreign = {Platform.ANDROID: _IOS_FAMILIES, Platform.IOS: _ANDROID_FAMILIES}
    if platform is not None and family in foreign[platform]:
        what = f"{clause.kind.value} does not exist on {platform.value}"
        yield Fault(file, f"{place}.kind", what, "move the clause to a signature of the other platform")


def _check_patterns(file: str, place: str, clause: Clause) -> Iterator[Fault]:
    """Prefixes end at a boundary, globs are anchored and say something, exclusions exclude something."""
    for prefix in clause.prefixes + clause.excluded:
        if not prefix.endswith(_PREFIX_ENDS) or len(prefix) < _MIN_PREFIX:
            hint = f"end it with one of {' '.join(_PREFIX_ENDS)} and make it at least {_MIN_PREFIX} characters"
            yield Fault(file, place, f"prefix {prefix!r} may end inside a word", hint)
    for glob in clause.globs:
        if glob.startswith("*") and glob.endswith("*"):
            yield Fault(file, place, f"glob {glob!r} is open at both ends", "anchor it at one end at least")
        if len(glob.translate(str.maketrans("", "", "*?[]"))) < _MIN_GLOB_LITERAL:
            yield Fault(file, place, f"glob {glob!r} matches nearly anything", "spell out more of the name")
        if not set(glob) & set("*?["):
            yield Fault(file, place, f"glob {glob!r} has no wildcard", "move it to values")
    for excluded in clause.excluded:
        if not any(excluded.startswith(prefix) for prefix in clause.prefixes):
            yield Fault(file, place, f"{excluded!r} is under no prefix", "delete it or list its prefix")


def check_rules(file: str, key: str, signature: Signature) -> Iterator[Fault]:
    """Faults of the rules: grades they may give, clauses they need, clauses nobody needs."""
    if not signature.rules:
        yield Fault(file, f"{key}.rule", "is missing", "say which clauses establish which grade")
    clauses = {clause.name: clause for clause in signature.clauses}
    used: set[str] = set()
    grades = [rule.grade for rule in signature.rules]
    if any(_rank(left) > _rank(right) for left, right in pairwise(grades)):
        yield Fault(file, f"{key}.rule", "the grades are out of order", "put the strongest first")
    for number, rule in enumerate(signature.rules):
        place = f"{key}.rule[{number}]"
        names = rule.all_of + rule.any_of
        used.update(names)
        missing = [name for name in names if name not in clauses]
        for name in missing:
            hint = nearest(name, tuple(clauses)) if clauses else "add the clause"
            yield Fault(file, place, f"{name!r} is no clause", hint)
        if not names:
            yield Fault(file, place, "needs nothing", "name clauses in all_of or any_of")
        elif not missing:
            yield from _check_strength(file, place, rule, clauses)
    for name in clauses:
        if name not in used:
            yield Fault(file, f"{key}.clause[{name}]", "is used by no rule", "name it in a rule or delete it")


def _rank(grade: Grade) -> int:
    return _SDK_GRADES.index(grade) if grade in _SDK_GRADES else -1


def _check_strength(file: str, place: str, rule: Rule, clauses: dict[str, Clause]) -> Iterator[Fault]:
    """A reference is never presence, and a name anybody may use proves nothing alone."""
    if rule.grade not in _SDK_GRADES:
        yield Fault(file, f"{place}.grade", f"{rule.grade.value} is for apps", "use a grade for SDKs")
        return
    always = [clauses[name] for name in rule.all_of]
    either = [clauses[name] for name in rule.any_of]
    if rule.grade not in _WEAK_GRADES:
        if not _each_way(always, either, shows_code):
            what = f"gives {rule.grade.value} without a class, library, symbol or literal"
            yield Fault(file, place, what, "add such a clause, or grade it referenced")
        elif not _each_way(always, either, _trusted_code):
            what = f"gives {rule.grade.value} on a clause of low confidence"
            yield Fault(file, place, what, "grade it mentioned, or use a better-sourced clause")
    if not _each_way(always, either, lambda clause: not only_generic(clause)):
        yield Fault(file, place, "rests on generic class names alone", "add a clause with a distinctive name")


def _each_way(always: list[Clause], either: list[Clause], test: Callable[[Clause], bool]) -> bool:
    """Whether, in whatever way the rule holds, a clause that passes ``test`` has held."""
    return any(test(clause) for clause in always) or (bool(either) and all(test(clause) for clause in either))


def _trusted_code(clause: Clause) -> bool:
    return shows_code(clause) and clause.confidence is not Confidence.LOW


def shows_code(clause: Clause) -> bool:
    """Whether the clause can only hold when code is inside."""
    if clause.kind.tier in (Tier.CODE, Tier.LITERAL):
        return True
    entries = clause.values + clause.globs
    return (
        clause.kind is FactKind.FILE
        and bool(entries)
        and not clause.prefixes
        and all(entry.endswith(_CODE_SUFFIXES) for entry in entries)
    )


def only_generic(clause: Clause) -> bool:
    """Whether the clause may hold by class names that anybody could choose."""
    if clause.kind is not FactKind.OBJC_CLASS or clause.prefixes or clause.globs:
        return False
    return len(GENERIC_CLASSES.intersection(clause.values)) >= clause.at_least
