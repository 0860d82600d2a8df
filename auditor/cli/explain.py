"""``auditor explain``: what a word or id in an answer means."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from auditor.cli.options import signatures_option, today

if TYPE_CHECKING:
    from auditor.catalog import Catalog
    from auditor.report.layout import Page

_EPILOG = """\b
Examples:
  auditor explain renamed
  auditor explain dex-damaged
  auditor explain us-eo-13971
  auditor explain exit-codes
"""


@click.command(epilog=_EPILOG, short_help="Say what a word or id in an answer means.")
@click.argument("name", metavar="ID")
@signatures_option
def explain(name: str, signatures: tuple[Path, ...]) -> int:
    """Say what a word or id in an answer means.

    ID is a grade, verdict, role, relation, problem code, fact kind, exit code or limit, or the id of a subject,
    signature or policy. A plural lists all of a sort: grades, verdicts, roles, relations, problem-codes, fact-kinds,
    tiers, exit-codes, limits.
    """
    from auditor.catalog import load_catalog
    from auditor.cli.output import width, write_page
    from auditor.errors import UsageError
    from auditor.report.layout import Page
    from auditor.report.vocabulary import GROUPS, close_to, entries

    page = Page(width())
    _add_entries(page, name)
    if not page.lines:
        catalog = load_catalog(signatures)
        _add_from_catalog(page, name, catalog)
        if not page.lines:
            known = [*GROUPS, *(entry.id for entry in entries()), *_ids(catalog)]
            raise UsageError(f"{name!r} is neither a word nor an id of the catalog{close_to(name, known)}")
    write_page(page)
    return 0


def _add_entries(page: Page, name: str) -> None:
    from auditor.report.layout import Piece, words
    from auditor.report.vocabulary import find_entries

    for entry in find_entries(name):
        page.add(0, [Piece(entry.id, "head"), *words(f"({entry.sort}): {entry.meaning}")], hanging=2)
        for note in entry.notes:
            page.add(2, words(note, "soft"))


def _add_from_catalog(page: Page, name: str, catalog: Catalog) -> None:
    from auditor.report.catalog_text import add_policy, add_signature, add_subject

    wanted = name.strip().lower()
    subject = catalog.subjects.get(wanted.removeprefix("app:"))
    if subject is not None:
        add_subject(page, subject, catalog)
    signature = catalog.signature(wanted)
    if signature is not None:
        add_signature(page, signature)
    for policy in catalog.policies:
        if policy.id == wanted:
            add_policy(page, policy, today())


def _ids(catalog: Catalog) -> list[str]:
    signatures = [signature.id for signature in catalog.signatures]
    return [*catalog.subjects, *signatures, *(policy.id for policy in catalog.policies)]
