"""``auditor device``: one device as everything that was scanned of it shows it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from auditor.cli.options import signatures_option

if TYPE_CHECKING:
    from auditor.inventory import Inventory
    from auditor.model import DeviceScan, MergedDevice

_EPILOG = """\b
Examples:
  auditor scan phone-17.img --device phone-17
  auditor scan bugreport.zip --device phone-17
  auditor device show phone-17
"""
_LIST_EPILOG = """\b
Example:
  auditor device list --db fleet.db
"""
_SHOW_EPILOG = """\b
Examples:
  auditor device show phone-17
  auditor device show phone-17 --all
  auditor device show phone-17 --format json > phone-17.json
"""


def _db_option(command: click.decorators.FC) -> click.decorators.FC:
    return click.option(
        "--db",
        type=click.Path(dir_okay=False, path_type=Path),
        default="inventory.db",
        show_default=True,
        envvar="AUDITOR_DB",
        help="SQLite inventory to read.",
    )(command)


@click.group(epilog=_EPILOG, short_help="Show one device as all its sources tell of it.")
def device() -> None:
    """Show one device as all its sources tell of it: files, package databases, backups, dumps.

    The newest live record decides what is installed; where sources contradict each other, that is shown.
    """


@device.command("list", epilog=_LIST_EPILOG, short_help="List the devices of an inventory.")
@_db_option
def list_devices(db: Path) -> int:
    """List the devices of an inventory, with their fleets and their latest scans."""
    from auditor.cli.output import write_page
    from auditor.inventory import Inventory
    from auditor.report.layout import Page, Piece

    page = Page()
    with Inventory.open(db, create=False) as inventory:
        for found in inventory.devices():
            scan_id = inventory.latest_scan(device=found.id)
            pieces = [Piece(found.id, "head")]
            if found.fleet:
                pieces.append(Piece(f"(fleet {found.fleet})"))
            if scan_id is not None:
                pieces.append(Piece(f"scan {scan_id} of {inventory.scan(scan_id).started[:10]}", "soft"))
            page.add(0, pieces)
    if not page.lines:
        page.add(0, [Piece("no device is named in this inventory; 'auditor scan --device ID' names one")])
    write_page(page)
    return 0


@device.command(epilog=_SHOW_EPILOG, short_help="Show the merged truth of one device.")
@click.argument("device_id", metavar="ID")
@_db_option
@click.option(
    "--format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="json has every app, every source and every time.",
)
@click.option("--all", is_flag=True, help="Show every app one by one, also those that are no designated app.")
@signatures_option
def show(device_id: str, db: Path, format: str, all: bool, signatures: tuple[Path, ...]) -> int:
    """Show the merged truth of one device, conflicts included.

    Takes the latest scan of each set of inputs that was scanned with --device ID. Of records that contradict each
    other the newest counts; where no order is known, the one that says that an app is there. Exits like scan: 1 where
    a designated app or SDK is present, 3 where none is and absence is not proven.
    """
    from auditor.catalog import load_catalog
    from auditor.cli.output import colour, width, write, write_text
    from auditor.inventory import Inventory
    from auditor.judge import subjects_on
    from auditor.merge import merge_device
    from auditor.model import Platform
    from auditor.report.device_document import render_device_json
    from auditor.report.device_text import render_device
    from auditor.report.names import names_of

    catalog = load_catalog(signatures)
    subjects = {platform: subjects_on(platform, catalog) for platform in Platform}
    with Inventory.open(db, create=False) as inventory:
        merged = merge_device(device_id, _scans(inventory, device_id), subjects)
    names = names_of(catalog)
    if format == "json":
        write([render_device_json(merged)])
    else:
        write_text(render_device(merged, names, width=width(), colour=colour(), every=all))
    return _exit_code(merged)


def _scans(inventory: Inventory, device_id: str) -> list[DeviceScan]:
    """Everything that is known of a device.

    Raises:
        UsageError: nothing is.
    """
    from auditor.errors import UsageError
    from auditor.model import DeviceScan

    scans = []
    for scan_id in inventory.device_scans(device_id):
        stored = inventory.scan(scan_id)
        scans.append(
            DeviceScan(
                id=scan_id,
                target=stored.scan.target,
                started=stored.started,
                complete=stored.scan.complete,
                audits=tuple(inventory.audits(scan_id)),
                records=tuple(inventory.records(scan_id)),
                problems=stored.scan.problems,
            )
        )
    if not scans:
        raise UsageError(f"no scan of device {device_id!r} in this inventory; 'auditor device list' names those it has")
    return scans


def _exit_code(merged: MergedDevice) -> int:
    from auditor.model import Verdict
    from auditor.report.outcome import CLEAN, FINDING, INCOMPLETE

    if any(verdict is Verdict.PRESENT for _, verdict in merged.verdicts):
        return FINDING
    return INCOMPLETE if merged.open_reasons else CLEAN
