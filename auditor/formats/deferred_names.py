"""The names and strings of one file, of which a format says where they stand and which are read when first asked for.

Format: none of its own; the formats of cross-platform frameworks use it.
Not read: nothing, each format says for itself what it leaves out.
"""

from __future__ import annotations

from collections.abc import Iterator

from auditor.formats.macho_names import NameValues


class DeferredNames(NameValues):
    """NUL-separated areas, and whatever ``_find`` yields on top of them."""

    __slots__ = ()

    def __init__(self, areas: tuple[tuple[int, bytes], ...] = ()) -> None:
        """Take ``areas`` as (offset in the file, bytes) pairs."""
        super().__init__(None, areas)

    def _find(self) -> Iterator[tuple[int, bytes]]:
        """Offset and UTF-8 text of every string that does not stand in the areas."""
        return iter(())

    def _all(self) -> frozenset[bytes]:
        if self._names is None:
            found = frozenset(text for _, text in self._find() if text)
            self._names = super()._all() | found
        return self._names

    def offset_of(self, value: str) -> int | None:
        """Where ``value`` stands for the first time, what ``_find`` yields before what is in the areas."""
        wanted = value.encode("utf-8", "replace")
        found = next((offset for offset, text in self._find() if text == wanted), None)
        return super().offset_of(value) if found is None else found


def as_text(raw: bytes) -> bytes:
    """The bytes, with what is no UTF-8 spelled out."""
    return raw if raw.isascii() else raw.decode("utf-8", "backslashreplace").encode()
