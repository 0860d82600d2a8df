"""Checks the counts of a DEX header against what else the file says of them, where no archive vouches for its bytes.

Specification: sections "header_item" and "map_list" of https://source.android.com/docs/core/runtime/dex-format
Specification of their order: sections "type_id_item" and "class_def_item".
Not read: sections of the data area; checksum and signature, which the compiler leaves as they were in the APK.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import lt

from auditor.formats.dex_tables import WORD, parse_words

_TABLES = (
    ("string_ids", 14, 4, 1),
    ("type_ids", 16, 4, 2),
    ("proto_ids", 18, 12, 3),
    ("field_ids", 20, 8, 4),
    ("method_ids", 22, 8, 5),
    ("class_defs", 24, 32, 6),
)
"""Name, position in the header counted in u32, bytes of an item, type in the map list; in the order of the file."""
_MAP = 13
_MAP_WORDS = 3
_MAP_ITEMS = 64
"""Items of a map list that are looked at; the specification has 21 types."""


def find_contradictions(
    data: bytes, words: Sequence[int], data_base: int, data_end: int, *, compact: bool
) -> Iterator[str]:
    """Sentences on counts of the header ``words`` that cannot be right; none for the files that compilers write."""
    behind: tuple[str, int] | None = None
    for name, field, size, _ in _TABLES:
        count, offset = words[field], words[field + 1]
        if count == 0:
            if offset != 0:
                yield f"{name}: no items at {offset:#x}"
            continue
        # All 367 files that were looked at, of dx, d8 and r8, have these tables directly behind one another.
        if behind is not None and behind[1] != offset:
            yield f"{name} begin at {offset:#x}, but {behind[0]} end at {behind[1]:#x}"
        behind = name, offset + count * size
    counts = _read_map(data, data_base + words[_MAP], data_end)
    if counts is None:
        # Compact DEX may keep its map elsewhere, so that only a map which is one can contradict.
        if not compact:
            yield f"no map at {words[_MAP]:#x}"
        return
    for name, field, _, kind in _TABLES:
        if counts.get(kind, 0) != words[field]:
            yield f"{name}: {words[field]} items, of {counts.get(kind, 0)} in the map"


def find_disorder(types: Sequence[int], class_types: Sequence[int]) -> Iterator[str]:
    """Sentences on tables that no compiler writes: an index that was altered hides the class it should have led to."""
    if not all(map(lt, types, types[1:])):
        yield "type_ids are not in ascending order"
    if len(set(class_types)) < len(class_types):
        yield "class_defs define a class twice"


def _read_map(data: bytes, offset: int, end: int) -> dict[int, int] | None:
    """Number of items by type; None where there is no map."""
    if offset + WORD > end:
        return None
    (count,) = parse_words(data, offset, 1)
    if not 0 < count <= _MAP_ITEMS or offset + WORD + count * _MAP_WORDS * WORD > end:
        return None
    items = parse_words(data, offset + WORD, count * _MAP_WORDS)
    kinds = [value & 0xFFFF for value in items[::_MAP_WORDS]]
    sizes = items[1::_MAP_WORDS]
    # The header comes first, and once.
    if kinds[0] != 0 or sizes[0] != 1:
        return None
    return dict(zip(kinds, sizes, strict=True))
