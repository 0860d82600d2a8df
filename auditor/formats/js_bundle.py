"""Read what a JavaScript bundle names: string literals and properties that may be packages, plugins or native modules.

Format: the text of ECMAScript source, looked through without parsing it; the indexed RAM bundle of Metro
(metro/src/shared/output/RamBundle: magic, module count, startup code size, then offset and length of each module).

Not read: the grammar (comments and regular expressions are text like any other), escapes, template literals with
placeholders, names that are not ASCII.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from functools import partial
from itertools import islice

from auditor.errors import FormatError
from auditor.formats.blob import Blob
from auditor.formats.token_values import TokenValues
from auditor.limits import DEFAULT, Limits

RAM_MAGIC = (0xFB0BD1E5).to_bytes(4, "little")
_RAM_HEADER = struct.Struct("<III")
_LITERAL = re.compile(rb"[\"'`]([\w@$/.:+#-]{2,128})(?=[\"'`])")
_PROPERTY = re.compile(rb"\.([A-Za-z_$][\w$]{1,63})")
_PACKAGE = re.compile(rb"node_modules/((?:@[\w.-]{1,100}/)?[\w.-]{1,100})/")
_BORDER = rb"[\"'`.]"


@dataclass(frozen=True, slots=True)
class JsBundle:
    """What a bundle names."""

    strings: TokenValues
    """Literals and property names of the characters that identifiers, package and channel names are made of."""
    packages: tuple[str, ...]
    """npm packages named in paths (node_modules/NAME/...), ascending."""
    faults: tuple[str, ...] = ()


def is_ram_bundle(head: bytes) -> bool:
    """Whether bytes start as an indexed RAM bundle."""
    return head[:4] == RAM_MAGIC


def parse_js_bundle(data: Blob, limits: Limits = DEFAULT) -> JsBundle:
    """Look through a plain or an indexed RAM bundle; the names are collected when they are asked for.

    Raises:
        FormatError: an indexed RAM bundle whose table does not fit into the file.
    """
    text = bytes(data)
    faults = _ram_faults(text) if is_ram_bundle(text) else ()
    if _is_cut(text, limits.wrapper_strings):
        faults = (*faults, f"more than {limits.wrapper_strings} names; raise --limit wrapper_strings")
    names = islice(_PACKAGE.finditer(text), limits.wrapper_strings)
    packages = tuple(sorted({match.group(1).decode() for match in names}))
    return JsBundle(TokenValues(partial(_tokens, text, limits), partial(_offset, text)), packages, faults)


def _is_cut(text: bytes, limit: int) -> bool:
    """Whether not every name is looked at; counted where there are marks enough for so many names."""
    for pattern, marks in ((_LITERAL, b"\"'`"), (_PROPERTY, b".")):
        if sum(map(text.count, marks)) > limit and any(True for _ in islice(pattern.finditer(text), limit, None)):
            return True
    return False


def _tokens(text: bytes, limits: Limits) -> frozenset[bytes]:
    found: set[bytes] = set()
    for pattern in (_LITERAL, _PROPERTY):
        found.update(match.group(1) for match in islice(pattern.finditer(text), limits.wrapper_strings))
    return frozenset(found)


def _offset(text: bytes, raw: bytes) -> int | None:
    match = re.search(_BORDER + re.escape(raw), text)
    return None if match is None else match.start() + 1


def _ram_faults(text: bytes) -> tuple[str, ...]:
    """Modules that lie outside the file; offsets count from the end of the table."""
    if len(text) < _RAM_HEADER.size:
        raise FormatError("the header of the RAM bundle is cut off")
    _, count, startup = _RAM_HEADER.unpack_from(text)
    base = _RAM_HEADER.size + 8 * count
    if base + startup > len(text):
        raise FormatError(f"a table of {count} modules and {startup} bytes of code do not fit into the RAM bundle")
    table = struct.iter_unpack("<II", text[_RAM_HEADER.size : base])
    outside = sum(base + offset + length > len(text) for offset, length in table)
    return (f"{outside} of {count} modules lie outside the RAM bundle",) if outside else ()
