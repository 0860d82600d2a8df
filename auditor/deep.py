"""The second look of ``--deep`` at one Android app: class profiles where the tiers disagree, and who calls its SDKs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from auditor.catalog import Catalog
from auditor.formats.dex_code import DexCode
from auditor.formats.dex_profile import find_profiles
from auditor.formats.dex_tables import DexClasses
from auditor.formats.dex_xref import Call, class_of, find_calls, find_holders
from auditor.limits import DEFAULT, Limits
from auditor.match import match
from auditor.model import (
    Clause,
    ClauseHit,
    Extraction,
    Fact,
    FactBatch,
    FactKind,
    Match,
    Origin,
    Platform,
    Problem,
    ProblemCode,
    Role,
    Signature,
    batch,
)

CALLED_BY = "called-by"
"""Name of the clause that shows calls; no signature asks it."""
BUNDLED = "no code outside the SDK calls it: merely bundled, unless by reflection or native code"
_COMPONENTS = (FactKind.ACTIVITY, FactKind.SERVICE, FactKind.RECEIVER, FactKind.PROVIDER)
_UNSEEN = (ProblemCode.CODE_PACKED, ProblemCode.CODE_ABSENT)
_SHORT_NAME = 3
"""Characters of names that shrinkers give."""
_HELD = 2
"""Literals of an SDK that make the class that holds them one of its own; one may be anybody's."""


@dataclass(frozen=True, slots=True)
class _File:
    """One DEX file of the app."""

    origin: Origin
    classes: DexClasses

    def code(self) -> DexCode:
        return DexCode(self.classes)


@dataclass(slots=True)
class _Renamed:
    """Classes that are an SDK's whatever they are called, by the values they hold."""

    profiles: dict[str, set[str]]
    """Classes by feature, of the features that the catalog asks for."""
    unread: dict[Origin, int] = field(default_factory=dict)
    """Classes and methods of a file that could not be read in full: they may hold a feature or a call."""

    def classes(self, signature: Signature, files: Iterable[_File]) -> frozenset[str]:
        """The classes that have a profile of the SDK or hold several of its literals."""
        found: set[str] = set()
        for value in _values(signature, FactKind.DEX_PROFILE):
            found |= self.profiles.get(value, set())
        literals = frozenset(_values(signature, FactKind.DEX_STRING))
        held: dict[str, set[str]] = {}
        for file in files if literals else ():
            for name, value in find_holders(file.code(), literals):
                held.setdefault(name, set()).add(value)
        return frozenset(found.union(name for name, values in held.items() if len(values) >= _HELD))


def look_deeper(
    extraction: Extraction, matches: tuple[Match, ...], catalog: Catalog, limits: Limits = DEFAULT
) -> tuple[Extraction, tuple[Match, ...]]:
    """The extraction and the matches with what only a pass over the code tells; what was known before stays."""
    if extraction.app.platform is not Platform.ANDROID:
        return extraction, matches
    files, problems = _dex_files(extraction, limits)
    extraction = replace(extraction, problems=(*extraction.problems, *problems))
    signatures = {item.id: item for item in catalog.signatures if item.platform is Platform.ANDROID}
    renamed = _Renamed({})
    wanted = _wanted_profiles(extraction, matches, signatures)
    if wanted:
        found = tuple(_find_wanted(files, wanted, renamed))
        extraction = replace(extraction, facts=(*extraction.facts, *found))
        matches = match(extraction, catalog) if found else matches
    whole = all(isinstance(item.values, DexClasses) for item in extraction.of(FactKind.DEX_CLASS))
    read_all = whole and not any(FactKind.DEX_CLASS in item.hidden for item in extraction.problems) and not problems
    sdks = tuple(clause for item in signatures.values() if item.role is Role.SDK for clause in _entry_clauses(item)[0])
    callers = _Callers(extraction.app.app_id, _declared(extraction), sdks, files, renamed)
    answered: list[Match] = []
    for item in matches:
        signature = signatures.get(item.signature)
        if signature is not None and item.role is Role.SDK and item.grade.is_finding:
            item = _with_use(item, signature, callers, read_all)
        answered.append(item)
    facts = [fact for item in answered for hit in item.hits if hit.clause == CALLED_BY for fact in hit.facts]
    extraction = replace(
        extraction,
        facts=(*extraction.facts, *_batches(facts)),
        problems=(*extraction.problems, *_unread(renamed.unread)),
    )
    return extraction, tuple(answered)


def _unread(files: Mapping[Origin, int]) -> Iterator[Problem]:
    """Code that is not there or repeats itself without end; it hides nothing of the first look."""
    for origin, count in files.items():
        detail = f"{count} classes or methods whose code could not be read in full by --deep"
        yield Problem(ProblemCode.DEX_DAMAGED, origin, detail, hides=frozenset())


def _declared(extraction: Extraction) -> frozenset[str]:
    """The classes that the manifest names."""
    return frozenset(value for kind in _COMPONENTS for item in extraction.of(kind) for value in item.values)


def _dex_files(extraction: Extraction, limits: Limits) -> tuple[tuple[_File, ...], tuple[Problem, ...]]:
    """The DEX files that were read, as far as the bound allows; what is left out hides nothing of the first look."""
    files: list[_File] = []
    left = limits.deep_dex_size
    for item in extraction.of(FactKind.DEX_CLASS):
        if isinstance(item.values, DexClasses):
            left -= item.values.tables.size
            if left < 0:
                detail = f"more than {limits.deep_dex_size} bytes of DEX for --deep; raise --limit deep_dex_size"
                return tuple(files), (Problem(ProblemCode.LIMIT, item.origin, detail, hides=frozenset()),)
            files.append(_File(item.origin, item.values))
    return tuple(files), ()


def _values(signature: Signature, kind: FactKind) -> Iterator[str]:
    """The values of a kind that count towards a finding."""
    named = _named_by_findings(signature)
    for clause in signature.clauses:
        if clause.kind is kind and clause.name in named:
            yield from clause.values


def _named_by_findings(signature: Signature) -> frozenset[str]:
    """Names of the clauses that a finding rests on."""
    rules = [rule for rule in signature.rules if rule.grade.is_finding]
    return frozenset(name for rule in rules for name in (*rule.all_of, *rule.any_of))


def _wanted_profiles(
    extraction: Extraction, matches: Iterable[Match], signatures: Mapping[str, Signature]
) -> frozenset[str]:
    """Features of the SDKs of which names and literals do not both tell; none where the code is not there."""
    if any(problem.code in _UNSEEN for problem in extraction.problems):
        return frozenset()
    settled = {item.signature for item in matches if item.grade.is_finding and _agree(item)}
    open_ones = (item for key, item in signatures.items() if key not in settled)
    return frozenset(value for item in open_ones for value in _values(item, FactKind.DEX_PROFILE))


def _agree(item: Match) -> bool:
    """Whether names and literals both stand for a match."""
    return {FactKind.DEX_CLASS, FactKind.DEX_STRING} <= {hit.kind for hit in item.hits}


def _find_wanted(files: Iterable[_File], wanted: Collection[str], renamed: _Renamed) -> Iterator[FactBatch]:
    """The wanted features of each file, noting the classes that have them."""
    for file in files:
        code = file.code()
        found: set[str] = set()
        for owner, value in find_profiles(code):
            if value in wanted:
                found.add(value)
                renamed.profiles.setdefault(value, set()).add(class_of(code, owner))
        if code.unread:
            renamed.unread[file.origin] = code.unread
        if found:
            yield batch(FactKind.DEX_PROFILE, file.origin, found)


@dataclass(frozen=True, slots=True)
class _Callers:
    """Where calls of an SDK may come from."""

    app_id: str
    declared: frozenset[str]
    """Classes that the manifest names, which so keep their names."""
    sdks: tuple[Clause, ...]
    """The clauses that name the code of SDKs of designated apps."""
    files: tuple[_File, ...]
    renamed: _Renamed

    def is_below_id(self, name: str) -> bool:
        """Whether a class is the app's own by its package."""
        return bool(self.app_id) and name.startswith(f"{self.app_id}.")

    def is_app(self, name: str) -> bool:
        """Whether a class is surely the app's: not of another SDK, which may share renamed code with this one."""
        return self.is_told(name) and (self.is_below_id(name) or not any(_covers(clause, name) for clause in self.sdks))

    def is_told(self, name: str) -> bool:
        """Whether people gave a class its name: a shrinker's may be that of any class, of the SDK as well."""
        simple = name.rpartition(".")[2].partition("$")[0]
        return len(simple) > _SHORT_NAME or (simple.istitle() and len(simple) == _SHORT_NAME) or name in self.declared

    def find(self, is_callee: Callable[[str], bool], is_caller: Callable[[str], bool]) -> dict[Call, Origin]:
        """Each call with the first file that holds it."""
        found: dict[Call, Origin] = {}
        for file in self.files:
            code = file.code()
            for call in find_calls(code, is_callee, is_caller):
                found.setdefault(call, file.origin)
            if code.unread:
                self.renamed.unread[file.origin] = code.unread
        return found


def _with_use(item: Match, signature: Signature, callers: _Callers, read_all: bool) -> Match:
    """The match with the calls of its SDK from outside, or with the word that there are none."""
    inside = callers.renamed.classes(signature, callers.files)
    code, entries = _entry_clauses(signature)
    named = any(hit.clause in {clause.name for clause in code} for hit in item.hits)
    folders = tuple({_folder(name) for clause in code for name in (*clause.values, *clause.prefixes)})
    renamed = frozenset(name for name in inside if not name.startswith(folders))

    def is_callee(name: str) -> bool:
        return name in renamed or any(_covers(clause, name) for clause in entries)

    def is_outside(name: str) -> bool:
        if name in inside or any(_covers(clause, name) for clause in code):
            return False
        if callers.is_below_id(name):
            return True
        # A renamed class that calls a renamed SDK may be part of it, unless the manifest tells.
        return not name.startswith(folders) and (named or name in callers.declared)

    found = callers.find(is_callee, is_outside)
    sure = {call: place for call, place in found.items() if callers.is_app(call.caller_class)}
    if sure:
        return replace(item, hits=(*item.hits, _hit(sure)))
    # Where part of the SDK was renamed, the part that is called may be; where nothing of it is known, any class may.
    if callers.renamed.unread:
        return item
    if named and read_all and inside and not renamed and not found:
        return replace(item, detail=BUNDLED)
    return item


def _entry_clauses(signature: Signature) -> tuple[tuple[Clause, ...], tuple[Clause, ...]]:
    """The clauses that name the SDK's code, and those that name what an app calls of it.

    They are the same, unless a further clause singles out a part: the classes of one function.
    """
    classes = [clause for clause in signature.clauses if clause.kind is FactKind.DEX_CLASS]
    findings = _named_by_findings(signature)
    code = tuple(clause for clause in classes if clause.name in findings)
    parts = tuple(
        clause
        for clause in classes
        if clause.name not in findings
        and all(any(_covers(whole, name) for whole in code) for name in (*clause.values, *clause.prefixes))
    )
    return code, parts or code


def _covers(clause: Clause, name: str) -> bool:
    if name in clause.values:
        return True
    return bool(clause.prefixes) and name.startswith(clause.prefixes) and not name.startswith(clause.excluded)


def _folder(name: str) -> str:
    """The first two parts of a class name: below them all is the vendor's."""
    return ".".join(name.split(".")[:2]) + "."


def _hit(found: Mapping[Call, Origin]) -> ClauseHit:
    # A constructor says less than what is done with the object.
    order = sorted(found, key=lambda call: (call.callee.startswith("<"), call))
    facts = tuple(Fact(FactKind.DEX_CALL, str(call), found[call]) for call in order[: DEFAULT.evidence])
    return ClauseHit(CALLED_BY, FactKind.DEX_CALL, len(found), 0, facts)


def _batches(facts: Iterable[Fact]) -> Iterator[FactBatch]:
    """The calls that are shown, as facts of the app."""
    by_origin: dict[Origin, set[str]] = {}
    for fact in facts:
        by_origin.setdefault(fact.origin, set()).add(fact.value)
    for origin, values in by_origin.items():
        yield batch(FactKind.DEX_CALL, origin, values)
