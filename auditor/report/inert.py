"""Make text from an input harmless: what a terminal, a spreadsheet or a reader's eye could take for something else."""

from __future__ import annotations

import re
import unicodedata

_SUSPECT = re.compile(r"[^\x20-\x7e]")
_NEVER_SHOWN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Control, format (bidirectional and zero-width) and surrogate characters, line and paragraph separators."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What spreadsheets take for the start of a formula; the wide forms are folded by some of them."""


def visible(text: str) -> str:
    """Show characters that a terminal obeys or that cannot be seen as escapes: ``\\x1b``, ``\\u202e``."""
    if text.isascii() and text.isprintable():
        return text
    return _SUSPECT.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    character = found.group()
    if unicodedata.category(character) not in _NEVER_SHOWN:
        return character
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def shortened(text: str, characters: int) -> str:
    """The text with its end replaced by an ellipsis where it is longer."""
    return text if len(text) <= characters else text[: characters - 1] + "…"


def cell(text: str) -> str:
    """One CSV cell: inert as text, and with a leading apostrophe where a spreadsheet would compute it."""
    shown = visible(text)
    return f"'{shown}" if text.lstrip(" ").startswith(_FORMULA) else shown


_ESCAPED_IN_JSON = re.compile(r"[^\x20-\x7e\n]")


def json_inert(document: str) -> str:
    """Escape what may stand in JSON but not on a terminal.

    ``document`` is JSON without ASCII escapes; outside strings it holds no such characters, so only strings change.
    A lone surrogate, which strict readers refuse, becomes a visible backslash sequence; all else reads back as it was.
    """
    return (
        document if document.isascii() and "\x7f" not in document else _ESCAPED_IN_JSON.sub(_escaped_in_json, document)
    )


def _escaped_in_json(found: re.Match[str]) -> str:
    character = found.group()
    category = unicodedata.category(character)
    if category not in _NEVER_SHOWN:
        return character
    code = ord(character)
    if category == "Cs":
        return f"\\\\u{code:04x}"
    if code > 0xFFFF:
        high, low = divmod(code - 0x10000, 0x400)
        return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
    return f"\\u{code:04x}"
