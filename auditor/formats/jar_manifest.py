"""Reads META-INF/MANIFEST.MF and .SF files: a main section and one named section for each member.

Specification: https://docs.oracle.com/javase/8/docs/technotes/guides/jar/jar.html#JAR_Manifest, as strict as Android's
StrictJarManifestReader.
Not read: attributes without a colon (an error there, too)
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from auditor.errors import FormatError

_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\n|\r|\Z)")


@dataclass(frozen=True, slots=True)
class Section:
    """The attributes of one member and where they lie, empty lines behind them included."""

    attributes: dict[str, str]
    """Values by name in lower case."""
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """A parsed manifest or signature file."""

    main: dict[str, str]
    main_end: int
    """Where the first named section begins."""
    sections: dict[bytes, Section]
    """By the member's name as bytes."""


def parse_manifest(data: bytes) -> Manifest:
    """Read all sections.

    Raises:
        FormatError: a line is no attribute, a section has no name, or two have the same.
    """
    main: dict[str, str] | None = None
    main_end = 0
    sections: dict[bytes, Section] = {}
    for start, end, attributes in _sections(data):
        if main is None:
            main = _decoded(attributes)
            main_end = end
            continue
        if not attributes or attributes[0][0].lower() != b"name":
            raise FormatError("a section of the JAR manifest has no name", start)
        name = attributes[0][1]
        if name in sections:
            raise FormatError("two sections of the JAR manifest have the same name", start)
        sections[name] = Section(_decoded(attributes[1:]), start, end)
    return Manifest(main or {}, main_end, sections)


def _sections(data: bytes) -> list[tuple[int, int, list[tuple[bytes, bytes]]]]:
    """Split into sections of (start, end, attributes); empty lines belong to the section before them."""
    found: list[tuple[int, int, list[tuple[bytes, bytes]]]] = []
    lines: list[bytes] = []
    start = offset = 0
    blank = False
    for match in _LINE.finditer(data):
        raw = match.group()
        line = raw.rstrip(b"\r\n")
        if line and blank:
            found.append((start, offset, _attributes(lines, start)))
            start, lines, blank = offset, [], False
        if line.startswith(b" ") and lines:
            lines[-1] += line[1:]
        elif line:
            lines.append(line)
        elif raw:
            blank = True
        offset += len(raw)
    if lines:
        found.append((start, offset, _attributes(lines, start)))
    return found


def _attributes(lines: list[bytes], offset: int) -> list[tuple[bytes, bytes]]:
    """Split unfolded lines into name and value."""
    pairs = []
    for line in lines:
        name, colon, value = line.partition(b": ")
        if not colon or b"\0" in line:
            raise FormatError("a line of the JAR manifest is no attribute", offset)
        pairs.append((name, value))
    return pairs


def _decoded(attributes: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the values by name in lower case; of two the last, as in Java."""
    return {name.decode("latin-1").lower(): value.decode("utf-8", "replace") for name, value in attributes}
