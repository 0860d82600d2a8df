"""``auditor scan``: read apps, answer, and keep everything in a database."""

from __future__ import annotations

import datetime
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from auditor.cli.options import now, passwords_of, paths_argument, run_options, today

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.inventory import Inventory
    from auditor.limits import Limits
    from auditor.model import Audit
    from auditor.report.outcome import FailOn
    from auditor.scan import Run

_EPILOG = """\b
Examples:
  auditor scan downloads/
  auditor scan phone-17.tar --db fleet.db --device phone-17 --fleet field
  auditor scan backup/ --device phone-17 --ask-password
  auditor device show phone-17
  sqlite3 inventory.db .tables
"""


@click.command(epilog=_EPILOG, short_help="Read apps, answer, and keep everything in a database.")
@paths_argument
@click.option(
    "--db",
    type=click.Path(dir_okay=False, path_type=Path),
    default="inventory.db",
    show_default=True,
    envvar="AUDITOR_DB",
    help="SQLite inventory to write to; made where missing.",
)
@click.option(
    "--device", metavar="ID", default="", help="Device the files come from: 'auditor device show ID' merges its scans."
)
@click.option("--fleet", metavar="NAME", default="", help="Group of devices it belongs to.")
@run_options
def scan(
    paths: tuple[Path, ...],
    db: Path,
    device: str,
    fleet: str,
    signatures: tuple[Path, ...],
    as_of: datetime.date | None,
    fail_on: FailOn,
    limit: Limits,
    deep: bool,
    password_file: tuple[str, ...],
    ask_password: bool,
    quiet: bool,
    no_progress: bool,
) -> int:
    """Read apps, answer, and keep everything in a database.

    Takes the same inputs as check. Apps are stored one by one: after Ctrl-C the database holds what was read, the
    scan is marked incomplete, and a second run completes it.
    """
    from auditor.catalog import load_catalog
    from auditor.cli.exits import say
    from auditor.cli.output import progress_bar, write_report
    from auditor.errors import UsageError
    from auditor.inventory import Inventory
    from auditor.model import Device
    from auditor.report.content import report_of, without_facts
    from auditor.report.names import names_of
    from auditor.scan import Run

    if fleet and not device:
        raise UsageError("--fleet needs --device: a fleet is a group of devices")
    catalog = load_catalog(signatures)
    passwords = passwords_of(password_file, ask_password)
    with Inventory.open(db) as inventory, progress_bar(not quiet and not no_progress) as observer:
        run = Run(
            paths,
            catalog=catalog,
            as_of=as_of or today(),
            limits=limit,
            observer=observer,
            deep=deep,
            passwords=passwords,
        )
        seen_on = Device(device, fleet) if device else None
        scan_id = inventory.begin(run.scan(), started=now(), device=seen_on, command=_command_line())
        run.on_record = lambda judged: inventory.record_listings(scan_id, judged, seen=now())
        audits = list(without_facts(_recorded(run, inventory, scan_id)))
    report = report_of(run, audits, fail_on)
    write_report(report, "text", names_of(catalog))
    if not quiet:
        again = f"report --db {db}' shows it again" if not device else f"device show {device} --db {db}' merges it"
        say(f"stored in {db} as scan {scan_id}; 'auditor {again}")
    return report.exit_code


def _recorded(run: Run, inventory: Inventory, scan_id: int) -> Iterator[Audit]:
    """Store each app before it is passed on, then the problems; a scan that is cut off stays incomplete."""
    try:
        for audit in run:
            inventory.record(scan_id, audit, seen=now())
            yield audit
    except KeyboardInterrupt:
        _record_problems(run, inventory, scan_id)
        inventory.finish(scan_id, finished=now(), complete=False)
        raise
    _record_problems(run, inventory, scan_id)
    inventory.finish(scan_id, finished=now(), complete=True)


def _record_problems(run: Run, inventory: Inventory, scan_id: int) -> None:
    for problem in run.problems:
        inventory.record_problem(scan_id, problem)


def _command_line() -> str:
    return shlex.join(["auditor", *sys.argv[1:]])
