"""``auditor explain``: what a word or id in an answer means, and the whole proof of an answer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from auditor.cli.options import deep_option, signatures_option, today

if TYPE_CHECKING:
    from auditor.catalog import Catalog
    from auditor.report.layout import Page

_EPILOG = """\b
Examples:
  auditor explain renamed
  auditor explain dex-damaged
  auditor explain us-eo-13971
  auditor explain exit-codes
  auditor explain alipay app.apk
  auditor explain alipay --db inventory.db
"""


@click.command(epilog=_EPILOG, short_help="Say what a word or id in an answer means.")
@click.argument("name", metavar="ID")
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(exists=True, readable=False, path_type=Path))
@click.option(
    "--db",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Explain the answers of the latest scan in this inventory.",
)
@deep_option
@signatures_option
def explain(name: str, paths: tuple[Path, ...], db: Path | None, deep: bool, signatures: tuple[Path, ...]) -> int:
    """Say what a word or id in an answer means; with a PATH or --db, prove the answer on a subject tier by tier.

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
    if paths or db is not None:
        _add_proofs(page, name, paths, db, deep, load_catalog(signatures))
        write_page(page)
        return 0
    _add_entries(page, name)
    if not page.lines:
        catalog = load_catalog(signatures)
        _add_from_catalog(page, name, catalog)
        if not page.lines:
            known = [*GROUPS, *(entry.id for entry in entries()), *_ids(catalog)]
            raise UsageError(f"{name!r} is neither a word nor an id of the catalog{close_to(name, known)}")
    write_page(page)
    return 0


def _add_proofs(page: Page, name: str, paths: tuple[Path, ...], db: Path | None, deep: bool, catalog: Catalog) -> None:
    """Add the proof of every answer on one subject, of apps read now or of the latest scan."""
    from auditor.errors import UsageError
    from auditor.inventory import Inventory
    from auditor.report.names import names_of
    from auditor.report.proof_text import add_answer
    from auditor.report.vocabulary import close_to
    from auditor.scan import audit

    signature = catalog.signature(name)
    subject = name.removeprefix("app:") if signature is None else signature.subject
    if subject not in catalog.subjects:
        raise UsageError(f"no subject or signature {name!r}{close_to(name, _ids(catalog))}")
    audits = list(audit(*paths, catalog=catalog, deep=deep)) if paths else []
    if db is not None:
        with Inventory.open(db, create=False) as inventory:
            latest = inventory.latest_scan()
            audits += inventory.audits(latest) if latest is not None else []
    for found in audits:
        for answer in found.answers:
            if answer.subject == subject:
                page.gap()
                add_answer(page, found, answer, names_of(catalog))
    if not page.lines:
        raise UsageError(f"no app in which {subject} was looked for")


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
