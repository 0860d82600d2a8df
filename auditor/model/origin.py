"""Where something lies, through every nested container."""

from __future__ import annotations

from dataclasses import dataclass

_ESCAPED = {ord("%"): "%25", ord("!"): "%21"}
_INVISIBLE = frozenset(
    [
        *range(0x20),
        *range(0x7F, 0xA0),
        0x061C,
        *range(0x200B, 0x2010),
        *range(0x2028, 0x202F),
        *range(0x2060, 0x2070),
        0xFEFF,
    ]
)


def _escape(name: str) -> str:
    """Make one path step inert: no separator of ours, no control or bidirectional character, no lone surrogate."""
    if name.isascii() and name.isprintable() and "!" not in name and "%" not in name:
        return name
    out = []
    for character in name.translate(_ESCAPED):
        code = ord(character)
        if code in _INVISIBLE or 0xD800 <= code <= 0xDFFF:
            out.append("".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass")))
        else:
            out.append(character)
    return "".join(out)


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """Where something lies, through every nested container: ``a.zip!base.apk!classes2.dex@0x70``."""

    path: tuple[str, ...]
    """One name per container level; the first is relative to the argument of the run."""
    offset: int | None = None
    """Bytes from the start of the innermost file, where known."""

    def __str__(self) -> str:
        text = "!".join(_escape(step) for step in self.path)
        return text if self.offset is None else f"{text}@{self.offset:#x}"

    def child(self, name: str) -> Origin:
        """The member ``name`` of the container that lies here."""
        return Origin((*self.path, name))

    def at(self, offset: int | None) -> Origin:
        """The same file at a byte offset."""
        return Origin(self.path, offset)
