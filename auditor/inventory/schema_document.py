"""Renders the schema with the comments that stand in it, so that the document cannot drift from the database."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.inventory.migrations import migrate

_OWN_LINE = re.compile(r"^\s*-- (.*)$", re.MULTILINE)
_TRAILING = re.compile(r"^\s+(?P<code>\S.*?),? -- (?P<comment>.*)$", re.MULTILINE)
# FTS5 and sqlite-utils make tables of their own.
_OURS = "type IN ('view', 'table') AND name NOT GLOB 'search_*' AND name NOT GLOB '_sqlite*'"

_INTRODUCTION = (
    "Generated from the comments in the schema. The views are the public interface: their names and columns stay. The",
    "tables below them may change between versions; migrations carry old inventories over when they are opened.",
    "",
    "An origin reads from the outside in: `archive.zip!base.apk!classes2.dex`. A place is an origin seen from a part",
    "of an app, or from the app: empty for the thing itself, `!member` or `/below` inside it, `~name` beside it,",
    "`=origin` for anything else. In text NUL, U+FFFD and half surrogate pairs are U+FFFD and four hex digits.",
)


@dataclass(frozen=True, slots=True)
class Documented:
    """A table or view as its statement documents it."""

    kind: str
    """table or view."""
    name: str
    comment: str
    columns: tuple[tuple[str, str, str], ...]
    """(name, type, comment); views have no types."""


def document_schema() -> tuple[Documented, ...]:
    """Every view, then every table, of a database of this version; views are the public interface."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        migrate(connection)
        sql = f"SELECT type, name, sql FROM sqlite_master WHERE {_OURS} ORDER BY type DESC, rowid"
        rows = connection.execute(sql).fetchall()
        return tuple(
            Documented(kind, name, _comment(statement), tuple(_columns(connection, name, statement)))
            for kind, name, statement in rows
        )
    finally:
        connection.close()


def schema_markdown() -> str:
    """The schema as a document."""
    lines = ["# The inventory", "", *_INTRODUCTION, ""]
    for relation in document_schema():
        lines += [f"## {relation.kind} `{relation.name}`", "", relation.comment, "", "| column | holds |", "|---|---|"]
        for name, declared, comment in relation.columns:
            lines.append(f"| `{name}`{f' ({declared})' if declared else ''} | {comment} |")
        lines.append("")
    return "\n".join(lines)


def _comment(statement: str) -> str:
    found = _OWN_LINE.search(statement)
    return "" if found is None else found[1]


def _columns(connection: sqlite3.Connection, relation: str, statement: str) -> Iterator[tuple[str, str, str]]:
    """A table's column stands first in its line, a view's last, after AS."""
    comments: dict[str, str] = {}
    for found in _TRAILING.finditer(statement):
        words = found["code"].split()
        comments.setdefault(words[-1] if "AS" in words else words[0], found["comment"])
    for _, name, declared, *_ in connection.execute(f"PRAGMA table_info({relation})").fetchall():
        yield name, declared if statement.endswith(("STRICT", "STRICT, WITHOUT ROWID")) else "", comments.get(name, "")
