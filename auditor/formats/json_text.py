"""Read JSON whose nesting is bounded before anything is built from it.

Format: RFC 8259, with or without a byte order mark; on demand with the comments of JavaScript.

Not read: trailing commas, other encodings than UTF-8.
"""

from __future__ import annotations

import json
import re

from auditor.errors import FormatError, LimitError
from auditor.formats.blob import Blob
from auditor.limits import DEFAULT, Limits

_STRING = rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)'
_COMMENT = re.compile(rb"(" + _STRING + rb")|/\*.*?(?:\*/|\Z)|//[^\n]*", re.DOTALL)
_BRACKET = re.compile(_STRING + rb"|[\[{]|[\]}]|,", re.DOTALL)
# What is not closed runs to the end of the text: else each of many openings would be followed that far.


def parse_json(data: Blob, limits: Limits = DEFAULT, *, comments: bool = False) -> object:
    """The value of a document; ``comments`` passes over those of JavaScript.

    Raises:
        FormatError: no JSON.
        LimitError: larger or deeper than ``limits`` allow.
    """
    if len(data) > limits.manifest_size:
        raise LimitError(f"{len(data)} bytes of JSON; raise --limit manifest_size")
    raw = bytes(data).removeprefix(b"\xef\xbb\xbf")
    if comments:
        raw = _COMMENT.sub(rb"\1", raw)
    depth = values = 0
    for match in _BRACKET.finditer(raw):
        first = match.group()[:1]
        depth += 1 if first in (b"[", b"{") else -1 if first in (b"]", b"}") else 0
        if depth > limits.xml_depth:
            raise LimitError(f"JSON nested deeper than {limits.xml_depth}; raise --limit xml_depth")
        # A value of two bytes takes fifty and more once it is read; every one but the first follows one of these.
        values += first in (b"[", b"{", b",")
        if values > limits.xml_elements:
            raise LimitError(f"more than {limits.xml_elements} values in JSON; raise --limit xml_elements")
    try:
        value: object = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        # UnicodeDecodeError and JSONDecodeError are both; so is a number of too many digits.
        raise FormatError(f"not JSON: {error}") from None
    return value


def text_of(value: object, key: str) -> str:
    """The text under a key of an object, or nothing."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""


def items_of(value: object, key: str) -> list[object]:
    """The list under a key of an object, or an empty one."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, list) else []
