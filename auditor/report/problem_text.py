"""A problem in words: what could not be read, where, and what that may hide."""

from __future__ import annotations

from collections.abc import Iterable

from auditor.model import FactKind, Origin, Problem
from auditor.report.inert import shortened
from auditor.report.layout import LABEL_WIDTH, Page, Piece, label, words

_DETAIL = 300
"""Characters of a detail that are shown; JSON has the whole."""

_GROUPS = (
    ("app.", "identity and signer"),
    ("file.", "files"),
    ("android.", "manifest declarations"),
    ("dex.", "classes and strings"),
    ("native.", "native libraries"),
    ("ios.", "property lists and frameworks"),
    ("macho.", "Mach-O names and strings"),
    ("wrapper.", "plugins of a cross-platform framework"),
)


def add_problem(page: Page, problem: Problem, base: Origin | None = None) -> None:
    """Add one problem of an app, or of the run where no app is given: its place, the cause and what it may hide."""
    place = place_in(problem.origin, base)
    where = [Piece("in"), Piece(f"{place}:", "value")] if place and base is not None else []
    lead = label("not read", LABEL_WIDTH) if problem.hidden else label("remark", LABEL_WIDTH)
    if base is None:
        lead = Piece(f"{place}:", "value")
    detail = shortened(problem.detail.strip() or problem.code.meaning, _DETAIL)
    hidden = hidden_words(problem.hidden)
    may_hide = words(f"(may hide {hidden})", "soft") if hidden else []
    code = problem.code.value if where else f"{problem.code.value}:"
    shown = [lead, Piece(code, "open" if problem.hidden else "soft"), *where, *words(detail), *may_hide]
    page.add(2, shown, hanging=6 if base is None else 2 + LABEL_WIDTH)


def hidden_words(kinds: Iterable[FactKind]) -> str:
    """Groups of fact kinds in words: 'anything', 'classes and strings, native libraries', or nothing."""
    hidden = frozenset(kinds)
    if hidden == frozenset(FactKind):
        return "anything"
    return ", ".join(name for prefix, name in _GROUPS if any(kind.value.startswith(prefix) for kind in hidden))


def place_in(origin: Origin, base: Origin | None) -> str:
    """An origin as seen from the app it belongs to; empty for the app itself."""
    if base is None or origin.path[: len(base.path)] != base.path:
        return str(origin)
    inside = origin.path[len(base.path) :]
    if not inside:
        return "" if origin.offset is None else f"@{origin.offset:#x}"
    return str(Origin(inside, origin.offset))
