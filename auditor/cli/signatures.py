"""``auditor signatures``: what the auditor looks for, and whether own packs are sound."""

from __future__ import annotations

from pathlib import Path

import click

from auditor.cli.learn import learn_values
from auditor.cli.options import signatures_option

_EPILOG = """\b
Examples:
  auditor signatures list
  auditor signatures show alipay
  auditor signatures check our-signatures/
"""
_LIST_EPILOG = """\b
Example:
  auditor signatures list --signatures our-signatures/
"""
_SHOW_EPILOG = """\b
Example:
  auditor signatures show wechat-pay
"""
_CHECK_EPILOG = """\b
Examples:
  auditor signatures check
  auditor signatures check our-signatures/

Exits 0 when the catalog is sound, 2 when it is not.
"""


@click.group(
    epilog=_EPILOG, no_args_is_help=False, short_help="List, show, check and learn what the auditor looks for."
)
def signatures() -> None:
    """List, show and check what the auditor looks for; learn the values of another SDK."""


signatures.add_command(learn_values)


@signatures.command("list", epilog=_LIST_EPILOG)
@signatures_option
def list_signatures(signatures: tuple[Path, ...]) -> int:
    """List the designated apps with their ids, and the signatures of their SDKs."""
    from auditor.catalog import load_catalog
    from auditor.cli.output import width, write_page
    from auditor.report.catalog_text import add_subject_list
    from auditor.report.layout import Page

    page = Page(width())
    add_subject_list(page, load_catalog(signatures))
    write_page(page)
    return 0


@signatures.command("show", epilog=_SHOW_EPILOG)
@click.argument("name", metavar="ID")
@signatures_option
def show_signature(name: str, signatures: tuple[Path, ...]) -> int:
    """Show a subject or a signature: what it asks, of what, from which sources."""
    from auditor.catalog import load_catalog
    from auditor.cli.output import width, write_page
    from auditor.errors import UsageError
    from auditor.report.catalog_text import add_signature, add_subject
    from auditor.report.layout import Page
    from auditor.report.vocabulary import close_to

    catalog = load_catalog(signatures)
    page = Page(width())
    subject, signature = catalog.subjects.get(name), catalog.signature(name)
    if subject is not None:
        add_subject(page, subject, catalog)
    if signature is not None:
        add_signature(page, signature)
    if not page.lines:
        known = [*catalog.subjects, *(item.id for item in catalog.signatures)]
        raise UsageError(f"no subject or signature {name!r}{close_to(name, known)}")
    write_page(page)
    return 0


@signatures.command("check", epilog=_CHECK_EPILOG)
@click.argument("packs", metavar="[DIR]...", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path))
def check_signatures(packs: tuple[Path, ...]) -> int:
    """Check the shipped catalog together with own packs; names every fault at once."""
    from auditor.catalog import check_catalog, load_catalog
    from auditor.cli.output import write_text
    from auditor.errors import CatalogError
    from auditor.report.inert import visible

    faults = check_catalog(packs)
    if faults:
        lines = "\n".join(f"  {fault}" for fault in faults)
        raise CatalogError(f"{len(faults)} fault(s) in the catalog:\n{lines}")
    catalog = load_catalog(packs)
    counts = f"{len(catalog.subjects)} subjects, {len(catalog.signatures)} signatures, {len(catalog.policies)} policies"
    write_text(visible(f"The catalog is sound: {counts}; digest {catalog.digest}.") + "\n")
    return 0
