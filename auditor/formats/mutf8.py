"""Reads Modified UTF-8, the encoding of names and literals in DEX files.

Specification: section "MUTF-8 (Modified UTF-8) Encoding" of https://source.android.com/docs/core/runtime/dex-format
Not read: nothing; bytes that are no MUTF-8 become U+FFFD.
"""

from __future__ import annotations


def parse_mutf8(data: bytes) -> str:
    """Decode ``data`` to text that can always be encoded as UTF-8: lone surrogates and stray bytes become U+FFFD."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    plain = data.replace(b"\xc0\x80", b"\0")
    try:
        units = plain.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return plain.decode("utf-8", "replace")
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def sort_key(data: bytes) -> bytes:
    """MUTF-8 bytes changed so that comparing them compares UTF-16 code units, the order of string_ids.

    Only U+0000 stands in the way: its two bytes C0 80 would sort behind every ASCII character.
    """
    return data.replace(b"\xc0\x80", b"\0") if b"\xc0" in data else data


def sort_key_of(value: str) -> bytes:
    """The ``sort_key`` of the MUTF-8 form of ``value``."""
    if value.isascii():
        return value.encode("ascii")
    units = value.encode("utf-16-le", "surrogatepass")
    pairs = [chr(low | high << 8) for low, high in zip(units[::2], units[1::2], strict=True)]
    return "".join(pairs).encode("utf-8", "surrogatepass")


def mutf8_bytes(value: str) -> bytes:
    """The MUTF-8 form of ``value``, without a NUL behind it."""
    return sort_key_of(value).replace(b"\0", b"\xc0\x80")
