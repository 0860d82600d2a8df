"""``auditor check``: read apps once and answer, without a database."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from auditor.cli.options import passwords_of, paths_argument, run_options, today

if TYPE_CHECKING:
    from auditor.limits import Limits
    from auditor.report.outcome import FailOn

_EPILOG = """\b
Examples:
  auditor check app.apk
  auditor check app.ipa downloads/ --format json > answers.json
  auditor check . --fail-on verified,impostor && echo 'none here'
"""


@click.command(epilog=_EPILOG, short_help="Read apps once and answer, without a database.")
@paths_argument
@click.option(
    "--format",
    type=click.Choice(["text", "json", "jsonl"]),
    default="text",
    show_default=True,
    help="json is one document, jsonl one line per app as soon as it is read.",
)
@run_options
def check(
    paths: tuple[Path, ...],
    format: str,
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
    """Read apps once and answer, without a database.

    Takes APK and IPA files, their bundles (.apks, .xapk, .apkm, .aab, split sets, .app folders), archives and
    folders of them; images, extractions, backups and dumps of devices, and the lists of apps that they hold.
    """
    from auditor.catalog import load_catalog
    from auditor.cli.output import progress_bar, write, write_report
    from auditor.report.content import report_of, without_facts
    from auditor.report.json_report import render_app_line, render_last_lines
    from auditor.report.names import names_of
    from auditor.scan import Run

    catalog = load_catalog(signatures)
    passwords = passwords_of(password_file, ask_password)
    with progress_bar(not quiet and not no_progress) as observer:
        run = Run(
            paths,
            catalog=catalog,
            as_of=as_of or today(),
            limits=limit,
            observer=observer,
            deep=deep,
            passwords=passwords,
        )
        if format == "jsonl":
            audits = []
            for audit in without_facts(run):
                audits.append(audit)
                write([render_app_line(audit)])
        else:
            audits = list(without_facts(run))
    report = report_of(run, audits, fail_on)
    if format == "jsonl":
        write(render_last_lines(report))
    else:
        write_report(report, format, names_of(catalog))
    return report.exit_code
