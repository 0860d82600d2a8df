"""The one tree in which binary and text XML of Android's system services are handed on, and how its values are read.

Format: the attributes that AOSP's TypedXmlSerializer writes; numbers as XmlUtils and Long.toHexString print them.

Not read: text behind the first child of an element; no such document of the system has any.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from auditor.errors import FormatError

_DECIMAL = re.compile(r"[+-]?[0-9]{1,20}", re.ASCII)
_HEX = re.compile(r"(-?)(?:0[xX])?([0-9a-fA-F]{1,16})", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MILLISECOND: Final = 253_402_300_799_999
_TRUE = frozenset({"true", "1", "yes"})
_FALSE = frozenset({"false", "0", "no"})


@dataclass(slots=True)
class Element:
    """One element; filled while its document is read."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    """As text XML has them: hex numbers in lower case with their sign, booleans as true and false."""
    children: list[Element] = field(default_factory=list)
    text: str = ""
    """What stands before the first child, without white space around it."""
    offset: int = field(default=0, compare=False)
    """Where its start tag lies in the file."""

    def get(self, name: str) -> str:
        """An attribute; empty where it has none."""
        return self.attributes.get(name, "")

    def first(self, name: str) -> Element | None:
        """The first child of a name. A childless element is no less there: compare with None."""
        for child in self.children:
            if child.name == name:
                return child
        return None

    def walk(self) -> Iterator[Element]:
        """This element and everything inside it, in the order of the document."""
        waiting = [self]
        while waiting:
            element = waiting.pop()
            yield element
            waiting.extend(reversed(element.children))


@dataclass(frozen=True, slots=True)
class StateDocument:
    """A document, as far as it could be read."""

    root: Element
    """Its only root; where several follow one another, an element without a name that holds them."""
    fault: FormatError | None = None
    """Why it ends early; the elements open at that place may lack attributes and children."""

    def rooted(self, *names: str) -> Element:
        """The first root, which must have one of the names; what follows it the platform does not read.

        Raises:
            FormatError: it has another name.
        """
        root = self.root if self.root.name or not self.root.children else self.root.children[0]
        if root.name not in names:
            wanted = " or ".join(f"<{name}>" for name in names)
            raise FormatError(f"the root element is <{root.name[:80]}>, not {wanted}", root.offset)
        return root


def whole_number(text: str) -> int | None:
    """A decimal number; None where the text is none."""
    return int(text) if _DECIMAL.fullmatch(text) is not None else None


def hex_number(text: str) -> int | None:
    """A hex number of 64 bits, signed: ``ffffffffffffffff`` and ``-1`` are the same; None where the text is none."""
    found = _HEX.fullmatch(text)
    if found is None:
        return None
    value = int(found.group(2), 16)
    if found.group(1):
        return -value
    return value - (1 << 64) if value >> 63 else value


def truth(text: str) -> bool | None:
    """A boolean as any release writes it; None where the text is none."""
    lowered = text.lower()
    return True if lowered in _TRUE else False if lowered in _FALSE else None


def moment_of(milliseconds: int | None) -> str:
    """Milliseconds since 1970 as ISO 8601 in UTC; empty for none, for 0 and -1 (not known), and for absurd ones."""
    if milliseconds is None or not 0 < milliseconds <= _LAST_MILLISECOND:
        return ""
    return (_EPOCH + timedelta(milliseconds=milliseconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
