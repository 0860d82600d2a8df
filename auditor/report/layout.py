"""Lines of styled pieces that fold between pieces, never inside one: a path or a class name stays whole."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from auditor.report.inert import visible

PLAIN_WIDTH = 80
"""Columns where no terminal says otherwise."""
LABEL_WIDTH = 11
"""Columns of the name of a line and the space behind it."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Text that is not broken, with the name of a style; what an input wrote into it is inert."""

    text: str
    style: str = ""

    @property
    def shown(self) -> str:
        return visible(self.text)


Line = tuple[Piece, ...]
_STYLES = {
    "alarm": "bold red",
    "open": "yellow",
    "good": "green",
    "head": "bold",
    "soft": "dim",
    "value": "cyan",
}


def label(text: str, width: int = LABEL_WIDTH) -> Piece:
    """The name of a line, padded so that what follows is aligned."""
    return Piece(text.ljust(width - 1), "soft")


def words(text: str, style: str = "") -> list[Piece]:
    """One piece per word of a sentence of our own."""
    return [Piece(word, style) for word in text.split()]


def listed(items: Iterable[str], style: str = "") -> list[Piece]:
    """One piece per item, commas between them."""
    shown = list(items)
    return [Piece(f"{item}," if number < len(shown) else item, style) for number, item in enumerate(shown, 1)]


@dataclass(slots=True)
class Page:
    """Lines in the making."""

    width: int = PLAIN_WIDTH
    lines: list[Line] = field(default_factory=list)

    def add(self, indent: int, pieces: Iterable[Piece], hanging: int | None = None) -> None:
        """Add one logical line; what does not fit goes on below, indented by ``hanging`` columns."""
        hanging = indent + 2 if hanging is None else hanging
        line: list[Piece] = [Piece(" " * indent)] if indent else []
        used, started = indent, False
        for piece in pieces:
            size = columns(piece.shown)
            if started and used + 1 + size > self.width:
                self.lines.append(tuple(line))
                line, used, started = [Piece(" " * hanging)], hanging, False
            if started:
                line.append(Piece(" "))
                used += 1
            line.append(piece)
            used, started = used + size, True
        self.lines.append(tuple(line))

    def gap(self) -> None:
        """Add one empty line, never two."""
        if self.lines and self.lines[-1]:
            self.lines.append(())

    def render(self, *, colour: bool = False) -> str:
        """The page as one text."""
        return _coloured(self.lines) if colour else "".join(self.plain())

    def plain(self) -> Iterator[str]:
        """The lines without styles, each with its end."""
        for line in self.lines:
            yield "".join(piece.shown for piece in line).rstrip() + "\n"


def columns(text: str) -> int:
    """Columns a terminal gives to the text: two for wide characters, none for combining ones."""
    if text.isascii():
        return len(text)
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) == "Mn":
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _coloured(lines: Iterable[Line]) -> str:
    """The lines with terminal colours; pieces go in as text, so that markup in them stays text."""
    from io import StringIO

    from rich.console import Console
    from rich.text import Text

    out = StringIO()
    console = Console(file=out, force_terminal=True, soft_wrap=True, highlight=False, markup=False, emoji=False)
    for line in lines:
        console.print(Text.assemble(*((text, _STYLES.get(style, "")) for text, style in _runs(line))))
    return out.getvalue()


def _runs(line: Line) -> Iterator[tuple[str, str]]:
    """Neighbours of one style as one run, with the spaces between them."""
    text, style = "", ""
    for piece in line:
        if piece.style == style or not piece.shown.strip():
            text += piece.shown
            continue
        yield text, style
        text, style = piece.shown, piece.style
    yield text, style
