"""Values over byte strings that a format collects only when the first of them is asked for.

Specification: none, this is the shape in which the readers of scripts and bytecode hand on their strings.
Not read: nothing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator


class TokenValues:
    """Distinct UTF-8 byte strings, collected on first use, decoded one by one where they are gone through."""

    __slots__ = ("_collect", "_found", "_offset", "_sorted")

    def __init__(self, collect: Callable[[], frozenset[bytes]], offset: Callable[[bytes], int | None]) -> None:
        """Take what collects every string, and what tells where one of them lies in the file."""
        self._collect = collect
        self._offset = offset
        self._found: frozenset[bytes] | None = None
        self._sorted: list[bytes] | None = None

    def _all(self) -> frozenset[bytes]:
        if self._found is None:
            self._found = self._collect()
        return self._found

    def _ascending(self) -> list[bytes]:
        if self._sorted is None:
            self._sorted = sorted(self._all())
        return self._sorted

    def __len__(self) -> int:
        return len(self._all())

    def __iter__(self) -> Iterator[str]:
        return (raw.decode("utf-8", "surrogatepass") for raw in self._ascending())

    def iter_raw(self) -> Iterator[bytes]:
        """The strings in UTF-8, undecoded: what the inventory's filter takes."""
        return iter(self._ascending())

    def __contains__(self, value: object, /) -> bool:
        return isinstance(value, str) and value.encode("utf-8", "surrogatepass") in self._all()

    def with_prefix(self, prefix: str) -> Iterator[str]:
        """Every value that starts with ``prefix``, ascending."""
        raw, start = self._ascending(), prefix.encode("utf-8", "surrogatepass")
        index = bisect_left(raw, start)
        while index < len(raw) and raw[index].startswith(start):
            yield raw[index].decode("utf-8", "surrogatepass")
            index += 1

    def offset_of(self, value: str) -> int | None:
        """Byte offset of ``value`` in the file; None where it is not inside."""
        raw = value.encode("utf-8", "surrogatepass")
        return self._offset(raw) if raw in self._all() else None

    def __repr__(self) -> str:
        return "TokenValues(<not collected>)" if self._found is None else f"TokenValues(<{len(self)} strings>)"
