"""``auditor report``: answer again from a database, as of any day."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from auditor.cli.options import as_of_option, fail_on_option, signatures_option

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from auditor.catalog import Catalog
    from auditor.inventory import Inventory
    from auditor.model import Audit, JudgedRecord
    from auditor.report.outcome import FailOn

_EPILOG = """\b
Examples:
  auditor report
  auditor report --db fleet.db --device phone-17
  auditor report --format csv > findings.csv
  auditor report --as-of 2021-03-01 --format json

Exits like the scan it reports. CSV cells that a spreadsheet would compute
start with an apostrophe.
"""


@click.command(epilog=_EPILOG, short_help="Answer again from a database.")
@click.option(
    "--db",
    type=click.Path(dir_okay=False, path_type=Path),
    default="inventory.db",
    show_default=True,
    envvar="AUDITOR_DB",
    help="SQLite inventory to read.",
)
@click.option("--scan", metavar="ID", type=int, help="Scan to report; the latest where not given.")
@click.option("--device", metavar="ID", help="Report the latest scan of this device.")
@click.option(
    "--format",
    type=click.Choice(["text", "json", "jsonl", "csv"]),
    default="text",
    show_default=True,
    help="csv has one row per app, subject and match.",
)
@as_of_option("Judge policies on this day (YYYY-MM-DD) instead of the day of the scan.")
@fail_on_option
@signatures_option
def report(
    db: Path,
    scan: int | None,
    device: str | None,
    format: str,
    as_of: datetime.date | None,
    fail_on: FailOn,
    signatures: tuple[Path, ...],
) -> int:
    """Answer again from a database: the latest scan, or the one that is named.

    What was found is read from the database; only the legal status of policies is judged again, and only for
    --as-of.
    """
    from auditor.catalog import load_catalog
    from auditor.cli.output import write_report
    from auditor.inventory import Inventory
    from auditor.report.content import collect
    from auditor.report.names import names_of

    catalog = load_catalog(signatures)
    with Inventory.open(db, create=False) as inventory:
        chosen = _chosen(inventory, scan, device)
        stored = inventory.scan(chosen).scan
        audits: Iterable[Audit] = inventory.audits(chosen)
        if as_of is not None:
            audits = _judged_again(audits, catalog, as_of)
        name, _, version = stored.tool.partition(" ")
        content = collect(
            audits,
            inventory.scan_problems(chosen),
            tool=(name, version),
            catalog=stored.catalog,
            as_of=as_of or stored.as_of,
            fail_on=fail_on,
            ended=stored.complete,
            records=_records(inventory, chosen, catalog, as_of),
        )
    write_report(content, format, names_of(catalog))
    return content.exit_code


def _chosen(inventory: Inventory, scan_id: int | None, device: str | None) -> int:
    """The scan the options name.

    Raises:
        UsageError: there is none.
    """
    from auditor.errors import UsageError

    if scan_id is not None and device is not None:
        raise UsageError("--scan and --device exclude each other: a scan is of one device")
    found = scan_id if scan_id is not None else inventory.latest_scan(device=device)
    if found is None:
        what = "no scan" if device is None else f"no scan of device {device!r}"
        raise UsageError(f"{what} in this inventory; 'auditor scan' makes one")
    return found


def _judged_again(audits: Iterable[Audit], catalog: Catalog, as_of: datetime.date) -> Iterator[Audit]:
    from dataclasses import replace

    from auditor.judge import findings_on

    for audit in audits:
        yield replace(audit, findings=findings_on(audit.answers, catalog, as_of))


def _records(inventory: Inventory, scan_id: int, catalog: Catalog, as_of: datetime.date | None) -> list[JudgedRecord]:
    """What the records of a scan say, judged again where another day is asked for."""
    from dataclasses import replace

    from auditor.judge_record import findings_of

    records = inventory.records(scan_id)
    if as_of is None:
        return records
    return [
        replace(
            judged,
            apps=tuple(
                replace(app, findings=findings_of(app.listing, app.matches, catalog, as_of)) for app in judged.apps
            ),
        )
        for judged in records
    ]
