"""Read the package of a WeChat mini-program: its index, the plugins it uses, and what its scripts name.

Format: not published by the vendor; the layout is that which public unpackers agree on (byte 0xBE, a word, size of the
index, size of the body, byte 0xED, number of files; then length of the name, name, offset and size of each file; all
big-endian).

Not read: encrypted packages of the desktop client (V1MMWX), pages, styles, images.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from auditor.errors import FormatError, LimitError, UnsupportedError
from auditor.formats.blob import Blob
from auditor.formats.js_bundle import parse_js_bundle
from auditor.formats.json_text import parse_json, text_of
from auditor.formats.token_values import TokenValues
from auditor.limits import DEFAULT, Limits

_ENCRYPTED = b"V1MMWX"
_HEADER = struct.Struct(">BIIIBI")
_WORD = struct.Struct(">I")
_PLACE = struct.Struct(">II")
_CONFIGS = frozenset({"/app.json", "/app-config.json", "app.json", "app-config.json"})
_NAME_SIZE = 4096


@dataclass(frozen=True, slots=True)
class MiniProgram:
    """What a package says."""

    files: tuple[str, ...]
    """Names, ascending."""
    plugins: tuple[str, ...]
    """App ids of the plugins it uses, ascending."""
    strings: TokenValues
    faults: tuple[str, ...] = ()


def is_wxapkg(head: bytes) -> bool:
    """Whether bytes start as a package, plain or encrypted."""
    return head[:6] == _ENCRYPTED or (len(head) >= 14 and head[0] == 0xBE and head[13] == 0xED)


def parse_wxapkg(data: Blob, limits: Limits = DEFAULT) -> MiniProgram:
    """Read the index and the configuration.

    Raises:
        FormatError: no package, or an index that is cut off.
        UnsupportedError: an encrypted package.
        LimitError: more files than ``limits`` allow.
    """
    if data[:6] == _ENCRYPTED:
        raise UnsupportedError("a mini-program package that is encrypted")
    if len(data) < _HEADER.size:
        raise FormatError("the header of the mini-program package is cut off")
    first, _, _, _, last, count = _HEADER.unpack_from(data)
    if (first, last) != (0xBE, 0xED):
        raise FormatError("no mini-program package")
    if count > limits.zip_entries:
        raise LimitError(f"{count} files in a mini-program package; raise --limit zip_entries")
    names, plugins, faults = [], set(), []
    # Files do not overlap; an index that names one configuration time and again would be read without end.
    left = len(data)
    for name, start, size in _read_index(data, count):
        names.append(name)
        left -= size if name in _CONFIGS else 0
        if start + size > len(data):
            faults.append(f"{name} lies outside the package")
        elif left < 0:
            faults.append("files of the mini-program package overlap")
            break
        elif name in _CONFIGS:
            try:
                plugins |= _plugins(parse_json(data[start : start + size], limits))
            except FormatError as error:
                faults.append(f"{name}: {error}")
    strings = parse_js_bundle(data, limits).strings
    return MiniProgram(tuple(sorted(names)), tuple(sorted(plugins)), strings, tuple(faults[:5]))


def _read_index(data: Blob, count: int) -> list[tuple[str, int, int]]:
    found = []
    position = _HEADER.size
    for _ in range(count):
        if position + 4 > len(data):
            raise FormatError("the index of the mini-program package is cut off", position)
        size = _WORD.unpack_from(data, position)[0]
        end = position + 4 + size
        if size > _NAME_SIZE or end + 8 > len(data):
            raise FormatError("the index of the mini-program package is cut off", position)
        name = bytes(data[position + 4 : end]).decode("utf-8", "backslashreplace")
        found.append((name, *_PLACE.unpack_from(data, end)))
        position = end + 8
    return found


def _plugins(value: object) -> set[str]:
    plugins = value.get("plugins") if isinstance(value, dict) else None
    if not isinstance(plugins, dict):
        return set()
    return {text_of(item, "provider") for item in plugins.values()} - {""}
