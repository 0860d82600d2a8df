"""A membership filter over string constants: about 10 bits a string, so that new literals find candidates.

Every string becomes a number below 256 times the number of strings (CRC-32, scaled), and the set of numbers is
stored: the low byte of each as it is, the rest as a count per value, Huffman-coded. A string that is inside is always
found; one that is not is taken for inside once in 256 times or less often.

The bytes that are hashed are those of the file: modified UTF-8 in DEX, UTF-8 in Mach-O. The two differ only for NUL and
characters beyond U+FFFF, and for strings with those a query asks for both forms.
"""

from __future__ import annotations

import sys
import zlib
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import accumulate, chain, compress, repeat
from operator import mul, ne, rshift

from auditor.model import Values

_SPREAD = 256
"""Numbers per string: one in so many strange strings collides."""
_UNIVERSE_BITS = 32
"""Width of CRC-32. Beyond 2**24 strings the filter says yes more often; no app within the limits comes near."""
_COUNT_SIZE = 4
_BEYOND_BMP = "\uffff"


class StringFilter:
    """The set of strings one build holds, as good as ten bits each can tell."""

    def __init__(self, strings: int, low: bytes, counts: bytes, high_counts: bytes = b"") -> None:
        self._strings = strings
        self._low = low
        self._counts = counts
        self._high_counts = high_counts

    @classmethod
    def of(cls, strings: Iterable[bytes]) -> StringFilter:
        """Build the filter of distinct or repeated strings, given as the bytes of the file."""
        # Every step over all strings runs inside the interpreter's C code: an app has hundreds of thousands.
        checksums = _distinct(sorted(map(zlib.crc32, strings)))
        count = len(checksums)
        if not count:
            return cls(0, b"", b"")
        numbers = _distinct(list(map(rshift, map(mul, checksums, repeat(count * _SPREAD)), repeat(_UNIVERSE_BITS))))
        packed = array("Q", numbers)
        if sys.byteorder == "big":
            packed.byteswap()
        filled = Counter(map(rshift, numbers, repeat(8)))
        counts = array("H", map(filled.get, range(count), repeat(0)))
        if sys.byteorder == "big":
            counts.byteswap()
        planes = counts.tobytes()
        # Only strings made for it put all 256 low bytes under one count: nearly always the high bytes are nil.
        high = planes[1::2]
        return cls(count, packed.tobytes()[0::8], planes[0::2], high if any(high) else b"")

    @classmethod
    def from_bytes(cls, stored: bytes) -> StringFilter:
        """Read a stored filter.

        Raises:
            ValueError: the bytes are damaged.
        """
        if len(stored) < 2 * _COUNT_SIZE:
            raise ValueError("stored string filter is cut off")
        count = int.from_bytes(stored[:_COUNT_SIZE], "big")
        numbers = int.from_bytes(stored[_COUNT_SIZE : 2 * _COUNT_SIZE], "big")
        end = 2 * _COUNT_SIZE + numbers
        unpacker = zlib.decompressobj()
        try:
            planes = unpacker.decompress(stored[end:], 2 * count + 1)
        except zlib.error as fault:
            raise ValueError(f"stored string filter does not unpack: {fault}") from fault
        if len(stored) < end or not unpacker.eof or len(planes) not in (count, 2 * count):
            raise ValueError("stored string filter holds another number of strings than it says")
        result = cls(count, stored[2 * _COUNT_SIZE : end], planes[:count], planes[count:])
        if result._ends and result._ends[-1] != numbers:
            raise ValueError("stored string filter contradicts itself")
        return result

    def to_bytes(self) -> bytes:
        """The stored form."""
        # Counts of a random set have no repetitions to find: Huffman coding alone is as small and much faster.
        packer = zlib.compressobj(9, zlib.DEFLATED, 15, 9, zlib.Z_HUFFMAN_ONLY)
        planes = packer.compress(self._counts + self._high_counts) + packer.flush()
        sizes = self._strings.to_bytes(_COUNT_SIZE, "big") + len(self._low).to_bytes(_COUNT_SIZE, "big")
        return sizes + self._low + planes

    def __len__(self) -> int:
        return self._strings

    def __contains__(self, value: object) -> bool:
        """False: certainly not inside. True: inside, or the one stranger in 256."""
        return isinstance(value, str) and any(map(self._holds, _forms(value)))

    def _holds(self, raw: bytes) -> bool:
        if not self._strings:
            return False
        number = (zlib.crc32(raw) * self._strings * _SPREAD) >> _UNIVERSE_BITS
        upper = number >> 8
        start = self._ends[upper - 1] if upper else 0
        return (number & 0xFF) in self._low[start : self._ends[upper]]

    @cached_property
    def _ends(self) -> array[int]:
        """For every value of the upper bits, where its low bytes end."""
        if not self._high_counts:
            return array("L", accumulate(self._counts))
        return array(
            "L", accumulate(low + 256 * high for low, high in zip(self._counts, self._high_counts, strict=True))
        )


def raw_strings(values: Values) -> Iterator[bytes]:
    """The strings of one file as the bytes they have there, without decoding where the file offers them."""
    raw = getattr(values, "iter_raw", None)
    if callable(raw):
        return iter(raw())
    return map(_utf8, values)


def filter_of(files: Iterable[Values]) -> StringFilter:
    """The filter over the string constants of all files of one build."""
    return StringFilter.of(chain.from_iterable(map(raw_strings, files)))


def _distinct(ascending: list[int]) -> list[int]:
    return list(compress(ascending, map(ne, ascending, chain((None,), ascending))))


def _utf8(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")


def _forms(value: str) -> set[bytes]:
    return {_utf8(value), _modified_utf8(value)}


def _modified_utf8(value: str) -> bytes:
    """NUL as C0 80, characters beyond U+FFFF as two surrogates of three bytes each (Dalvik format, "MUTF-8")."""
    if max(value, default="") <= _BEYOND_BMP:
        return _utf8(value).replace(b"\x00", b"\xc0\x80")
    units = value.encode("utf-16-be", "surrogatepass")
    text = "".join(chr(int.from_bytes(units[at : at + 2], "big")) for at in range(0, len(units), 2))
    return _utf8(text).replace(b"\x00", b"\xc0\x80")
