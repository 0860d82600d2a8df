"""Writes the generated parts of the documents anew: python -m tests.refresh_docs."""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

import auditor.formats
from auditor.catalog import load_catalog
from auditor.cli import cli
from auditor.inventory.schema_document import schema_markdown
from auditor.report.carrier_table import render_carriers
from auditor.report.reference import render_blocks, render_reference
from benchmarks.accuracy.table import DOCUMENT, load_results, render_block, render_document

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
REFERENCE = ROOT / "docs" / "reference.md"
SCHEMA = ROOT / "docs" / "schema.md"
BLOCK = re.compile(r"^<!-- generated: (?P<name>[a-z-]+) -->\n(?P<text>.*?)^<!-- end -->$", re.MULTILINE | re.DOTALL)


def format_documents() -> dict[str, str]:
    """Docstrings of the format modules by name."""
    names = [module.name for module in pkgutil.iter_modules(auditor.formats.__path__)]
    return {name: importlib.import_module(f"auditor.formats.{name}").__doc__ or "" for name in names}


def commands(group: click.Group = cli, prefix: str = "auditor") -> Iterator[tuple[str, str]]:
    """Every command that does something, with its one line."""
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from commands(command, f"{prefix} {name}")
        else:
            yield f"{prefix} {name}", command.get_short_help_str(limit=200)


def blocks() -> dict[str, str]:
    """Every block as the program of today renders it; the accuracy as the committed run has it."""
    formats = format_documents()
    rendered = {**render_blocks(load_catalog(), formats, commands()), "carriers": render_carriers(formats)}
    results = load_results()
    return rendered if results is None else {**rendered, "accuracy": render_block(results)}


def documents() -> list[Path]:
    """The documents that may hold generated blocks."""
    return [path for path in (README, *sorted((ROOT / "docs").glob("*.md"))) if path.exists()]


def blocks_in(text: str) -> dict[str, str]:
    """The generated blocks that stand in a document."""
    return {found["name"]: found["text"].strip("\n") for found in BLOCK.finditer(text)}


def refreshed(text: str, rendered: Mapping[str, str]) -> str:
    """A document with its blocks as they are rendered."""

    def block(found: re.Match[str]) -> str:
        return f"<!-- generated: {found['name']} -->\n{rendered[found['name']]}\n<!-- end -->"

    return BLOCK.sub(block, text)


def main() -> int:
    rendered = blocks()
    REFERENCE.write_text(render_reference(rendered), encoding="utf-8")
    SCHEMA.write_text(schema_markdown(), encoding="utf-8")
    results = load_results()
    if results is not None:
        DOCUMENT.write_text(render_document(results), encoding="utf-8")
    for path in documents():
        text = path.read_text(encoding="utf-8")
        path.write_text(refreshed(text, rendered), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
