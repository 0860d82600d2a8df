"""The command line: parse, call, render, exit code. Nothing heavier than click is imported before a command runs."""

from __future__ import annotations

from collections.abc import Sequence

import click

import auditor
from auditor.cli.check import check
from auditor.cli.device import device
from auditor.cli.exits import Guard
from auditor.cli.explain import explain
from auditor.cli.facts import facts
from auditor.cli.interrupt import interruptible
from auditor.cli.policies import policies
from auditor.cli.report import report
from auditor.cli.scan import scan
from auditor.cli.signatures import signatures

_EPILOG = """\b
Examples:
  auditor check app.apk
  auditor scan downloads/ --db inventory.db
  auditor report --db inventory.db --format csv > findings.csv
  auditor explain renamed

\b
Exit codes: 0 complete and clean, 1 finding, 2 error, 3 clean but not
everything could be read, 4 no app in the inputs, 130 interrupted.

Every option can come from the environment: AUDITOR_CHECK_FORMAT=json sets
--format of check; AUDITOR_AS_OF and the like set it for every command.
"""


@click.group(
    epilog=_EPILOG,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "AUDITOR", "max_content_width": 80},
)
@click.version_option(auditor.__version__, prog_name="auditor")
def cli() -> None:
    """Find designated apps and their SDKs in APK and IPA files.

    Opens apps and their bundles without running them, says which are a designated app and which carry an SDK of one,
    shows the proof, and says what could not be read.
    """


for _command in (scan, check, report, device, facts, explain, signatures, policies):
    cli.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; whatever goes wrong becomes a line on stderr and a code."""
    guard = Guard()
    with guard, interruptible():
        result = cli.main(
            args=None if arguments is None else list(arguments), prog_name="auditor", standalone_mode=False
        )
        guard.exit_code = result if isinstance(result, int) else 0
    return guard.exit_code
