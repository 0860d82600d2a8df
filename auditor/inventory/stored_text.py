"""Text and origins as the inventory stores them: nothing SQLite or another reader of the file would stumble over."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from auditor.model import Origin

_REPLACEMENT = "\ufffd"
# SQLite's TEXT is UTF-8, which has no lone surrogates, and most of its functions stop at NUL.
_UNSTORABLE = re.compile("[\x00\ufffd\ud800-\udfff]")
_ESCAPED = re.compile(_REPLACEMENT + "([0-9A-F]{4})")


def escape_text(text: str) -> str:
    """Make any string storable: NUL, U+FFFD and lone surrogates become U+FFFD and four hex digits."""
    if text.isascii() and "\x00" not in text:
        return text
    return _UNSTORABLE.sub(lambda found: f"{_REPLACEMENT}{ord(found[0]):04X}", text)


def restore_text(stored: str) -> str:
    """Undo `escape_text`."""
    if _REPLACEMENT not in stored:
        return stored
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), stored)


def restore_origin(stored: str, offset: int | None = None) -> Origin:
    """Read the printed form of an origin's path back into an Origin."""
    if not stored:
        return Origin((), offset)
    return Origin(tuple(_restore_step(step) for step in stored.split("!")), offset)


def _restore_step(step: str) -> str:
    if "%" not in step:
        return step
    return unquote_to_bytes(step).decode("utf-8", "surrogatepass")


def path_text(origin: Origin) -> str:
    """The printed form of an origin without its offset."""
    return str(origin.at(None))


def place_below(text: str, base: str) -> str | None:
    """The place of ``text`` below ``base``, or None where it lies elsewhere; both are printed origins."""
    if text == base:
        return ""
    if base and text.startswith(base) and text[len(base)] in "!/":
        return text[len(base) :]
    return None


def place_from(text: str, base: str) -> str:
    """The place of ``text`` as seen from ``base``: below it, beside it, or in full."""
    below = place_below(text, base)
    if below is not None:
        return below
    folder = _folder(base)
    if text.startswith(folder):
        return "~" + text[len(folder) :]
    return "=" + text


def resolve_place(place: str, base: str) -> str:
    """Undo `place_from` for the same base, or carry the place over to another one."""
    match place[:1]:
        case "=":
            return place[1:]
        case "~":
            return _folder(base) + place[1:]
        case _:
            return base + place


def _folder(text: str) -> str:
    return text[: max(text.rfind("/"), text.rfind("!")) + 1]
