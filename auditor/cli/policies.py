"""``auditor policies``: who named which app, when, and whether that is in force."""

from __future__ import annotations

import datetime
from pathlib import Path

import click

from auditor.cli.options import as_of_option, signatures_option, today

_EPILOG = """\b
Examples:
  auditor policies list
  auditor policies list --as-of 2021-03-01
  auditor policies show us-eo-13971
"""
_LIST_EPILOG = """\b
Example:
  auditor policies list --as-of 2021-03-01
"""
_SHOW_EPILOG = """\b
Example:
  auditor policies show us-eo-13971
"""
_AS_OF = "Day of the legal status (YYYY-MM-DD); today where not given."


@click.group(epilog=_EPILOG, no_args_is_help=False)
def policies() -> None:
    """List and show the policies that name the designated apps."""


@policies.command("list", epilog=_LIST_EPILOG)
@as_of_option(_AS_OF)
@signatures_option
def list_policies(as_of: datetime.date | None, signatures: tuple[Path, ...]) -> int:
    """List the policies with their legal status on a day and the subjects they name."""
    from auditor.catalog import load_catalog
    from auditor.cli.output import width, write_page
    from auditor.report.catalog_text import add_policy_list
    from auditor.report.layout import Page

    page = Page(width())
    add_policy_list(page, load_catalog(signatures), as_of or today())
    write_page(page)
    return 0


@policies.command("show", epilog=_SHOW_EPILOG)
@click.argument("name", metavar="ID")
@as_of_option(_AS_OF)
@signatures_option
def show_policy(name: str, as_of: datetime.date | None, signatures: tuple[Path, ...]) -> int:
    """Show a policy: its authority, dates, sources, and the names in its own words."""
    from auditor.catalog import load_catalog
    from auditor.cli.output import width, write_page
    from auditor.errors import UsageError
    from auditor.report.catalog_text import add_policy
    from auditor.report.layout import Page
    from auditor.report.vocabulary import close_to

    catalog = load_catalog(signatures)
    policy = next((item for item in catalog.policies if item.id == name), None)
    if policy is None:
        raise UsageError(f"no policy {name!r}{close_to(name, [item.id for item in catalog.policies])}")
    page = Page(width())
    add_policy(page, policy, as_of or today())
    write_page(page)
    return 0
