"""Reads the string table of a DEX file: single strings by bisection, many at once in one pass, decoding what is asked.

Specification: sections "string_id_item" and "string_data_item" of https://source.android.com/docs/core/runtime/dex-format
Not read: the declared length of a string (its NUL ends it).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, repeat
from operator import add, lt

from auditor.formats.mutf8 import mutf8_bytes, parse_mutf8, sort_key, sort_key_of

_CHECKED = 512
"""Strings compared to learn whether a table is sorted; smaller tables are compared in full."""
_KEY_SIZE = 4096
"""Bytes of one string that are compared while the order is checked."""
_LENGTH_SIZE = 5
"""Most bytes of a uleb128 that holds a u32."""


def text_start(data: bytes, offset: int) -> int:
    """Where the text of a string_data_item begins: behind the uleb128 length at ``offset``."""
    for position in range(offset, min(offset + _LENGTH_SIZE, len(data))):
        if data[position] < 0x80:
            return position + 1
    return min(offset + _LENGTH_SIZE, len(data))


class DexStrings:
    """The string table in its own order, decoded where it is touched.

    string_ids are sorted by UTF-16 code units, and Android refuses a DEX whose table is not. The order is checked on
    a sample (in full up to 512 strings) when the file is parsed; a table that fails is decoded once and sorted.
    """

    __slots__ = ("_data", "_offsets", "_samples", "_step", "_unsorted", "unread")

    def __init__(self, data: bytes, offsets: Sequence[int]) -> None:
        """Take ``offsets`` of string_data_items, each followed by a NUL somewhere in ``data``."""
        self._data = data
        self._offsets = offsets
        self._step = max(1, len(offsets) // _CHECKED)
        self._samples = [self._key(offset, _KEY_SIZE) for offset in offsets[:: self._step]]
        self._unsorted: dict[str, int] | None = None
        self.unread = 0
        """Strings of an unsorted table that are left out because they lie inside one another."""
        if not _ascends(self._samples):
            self._read_unsorted()

    def __len__(self) -> int:
        return len(self._offsets) if self._unsorted is None else len(self._unsorted)

    def __iter__(self) -> Iterator[str]:
        if self._unsorted is not None:
            return iter(self._unsorted)
        return map(parse_mutf8, self.iter_raw())

    def __contains__(self, value: object) -> bool:
        return isinstance(value, str) and self.offset_of(value) is not None

    def with_prefix(self, prefix: str) -> Iterator[str]:
        """Every string that starts with ``prefix``, in the order of the table."""
        if self._unsorted is not None:
            yield from (value for value in self._unsorted if value.startswith(prefix))
            return
        first = self._find(sort_key_of(prefix))
        for raw in self._iter_each(first):
            value = parse_mutf8(raw)
            if not value.startswith(prefix):
                return
            yield value

    def offset_of(self, value: str) -> int | None:
        """Offset of the string_data_item that holds ``value``."""
        if self._unsorted is not None:
            return self._unsorted.get(value)
        key = sort_key_of(value)
        index = self._find(key)
        if index < len(self._offsets) and self._key(self._offsets[index], 2 * len(key) + 2) == key:
            return self._offsets[index]
        if "\ufffd" in value:
            # It may stand for what could not be decoded, so its own bytes need not be those of the table.
            pairs = zip(self._offsets, self._iter_each(), strict=False)
            return next((offset for offset, raw in pairs if parse_mutf8(raw) == value), None)
        return None

    def check_order(self) -> bool:
        """Compare every string with the next, and stop bisecting if the table turns out not to be sorted."""
        if self._unsorted is None:
            raw = list(self.iter_raw())
            if not _ascends(raw) and not _ascends(list(map(sort_key, raw))):
                self._read_unsorted()
        return self._unsorted is None

    def iter_raw(self) -> Iterator[bytes]:
        """Every string as MUTF-8 bytes without its length, in the order of string_ids."""
        entries = self._split()
        if entries is None:
            return self._iter_each()
        return iter([entry[1:] if entry[:1] < b"\x80" else entry[text_start(entry, 0) :] for entry in entries])

    def intersection(self, wanted: Iterable[str]) -> frozenset[str]:
        """Those of ``wanted`` that are in the table, whatever its order: one pass, for many at once."""
        encoded = {mutf8_bytes(value): value for value in wanted}
        return frozenset(encoded[raw] for raw in frozenset(encoded).intersection(self.iter_raw()))

    def _read_unsorted(self) -> None:
        values: dict[str, int] = {}
        count = 0
        for offset, raw in zip(self._offsets, self._iter_each(), strict=False):
            values.setdefault(parse_mutf8(raw), offset)
            count += 1
        self.unread = len(self._offsets) - count
        self._unsorted = dict(sorted(values.items()))

    def _split(self) -> list[bytes] | None:
        """Every entry with its length in front, if the entries lie behind one another in the order of string_ids."""
        offsets = self._offsets
        if not offsets:
            return []
        first, last = offsets[0], offsets[-1]
        if last < first:
            return None
        area = self._data[first : self._data.find(b"\0", text_start(self._data, last))]
        empty = area[:1] == b"\0"
        entries = (area[1:] if empty else area).split(b"\0")
        if empty:
            entries[0] = b"\0"
        starts = accumulate(map(add, map(len, entries), repeat(1)), initial=first)
        sound = len(entries) == len(offsets) and all(entries) and list(offsets) == list(starts)[:-1]
        return entries if sound else None

    def _iter_each(self, first: int = 0) -> Iterator[bytes]:
        """Every string from index ``first`` on, while together they are no longer than the file.

        Strings that lie inside one another could otherwise add up to any amount of work.
        """
        left = len(self._data)
        for index in range(first, len(self._offsets)):
            raw = self._raw(self._offsets[index])
            left -= len(raw)
            if left < 0:
                return
            yield raw

    def _raw(self, offset: int) -> bytes:
        start = text_start(self._data, offset)
        end = self._data.find(b"\0", start)
        return b"" if end < 0 else self._data[start:end]

    def _key(self, offset: int, size: int) -> bytes:
        """The first ``size`` bytes of a string, comparable."""
        data = self._data
        start = offset + 1 if data[offset] < 0x80 else text_start(data, offset)
        end = data.find(b"\0", start, start + size)
        return sort_key(data[start : start + size if end < 0 else end])

    def _find(self, key: bytes) -> int:
        """Index of the first string that is not below ``key``."""
        # A key shrinks at most by half (C0 80 becomes 00), so this many bytes decide the comparison.
        size = 2 * len(key) + 2
        low, high = self._narrow(key)
        data, offsets, find = self._data, self._offsets, self._data.find
        while low < high:
            middle = (low + high) // 2
            start = offsets[middle]
            start = start + 1 if data[start] < 0x80 else text_start(data, start)
            end = find(0, start, start + size)
            found = data[start : start + size if end < 0 else end]
            if (sort_key(found) if b"\xc0" in found else found) < key:
                low = middle + 1
            else:
                high = middle
        return low

    def _narrow(self, key: bytes) -> tuple[int, int]:
        """The stretch of the table that the samples leave for ``key``."""
        if len(key) > _KEY_SIZE // 2:
            return 0, len(self._offsets)
        index = bisect_left(self._samples, key)
        low = (index - 1) * self._step + 1 if index > 0 else 0
        return low, min(index * self._step, len(self._offsets))


def _ascends(keys: list[bytes]) -> bool:
    return all(map(lt, keys, keys[1:]))
