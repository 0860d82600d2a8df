"""Options that several commands share, and the types of their values."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from auditor.limits import Limits
    from auditor.report.outcome import FailOn

_Command = Callable[..., int]
_PASSWORDS_SIZE = 1 << 20
_UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def _grades(ctx: click.Context, param: click.Parameter, value: str) -> FailOn:
    """Read which grades count as a finding."""
    from auditor.errors import UsageError
    from auditor.report.outcome import parse_fail_on

    try:
        return parse_fail_on(value)
    except UsageError as error:
        raise click.BadParameter(str(error), ctx, param) from error


def _day(ctx: click.Context, param: click.Parameter, value: str | None) -> datetime.date | None:
    """Read a calendar day."""
    if value is None:
        return None
    try:
        return datetime.datetime.strptime(value, "%Y-%m-%d").date()
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is no date of the form YYYY-MM-DD", ctx, param) from error


def _limits(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> Limits:
    """Read the bounds of a run: the default ones with some changed."""
    from auditor.limits import DEFAULT

    changes: dict[str, Any] = {}
    for text in value:
        name, _, number = text.partition("=")
        name = name.strip().replace("-", "_")
        known = [bound.name for bound in fields(DEFAULT)]
        if name not in known:
            raise click.BadParameter(f"{name!r} is no limit; 'auditor explain limits' lists them", ctx, param)
        changes[name] = _whole_number(number.strip().lower())
        if changes[name] is None:
            raise click.BadParameter(f"{text!r}: no whole number above zero (K, M and G may follow)", ctx, param)
    return replace(DEFAULT, **changes)


def _whole_number(text: str) -> int | None:
    """A number above zero with an optional unit of a power of 1024; None for anything else."""
    unit = _UNITS.get(text[-1:])
    digits = text if unit is None else text[:-1]
    # isdecimal alone takes digits of other scripts too; 18 digits fit 64 bits.
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 18):
        return None
    number = int(digits) * (1 if unit is None else unit)
    return number if number > 0 else None


def paths_argument(command: _Command) -> _Command:
    """Files and folders to read."""
    kind = click.Path(exists=True, readable=False, path_type=Path)
    return click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=kind)(command)


def signatures_option(command: _Command) -> _Command:
    """Further packs beside the shipped catalog."""
    return click.option(
        "--signatures",
        metavar="DIR",
        multiple=True,
        envvar="AUDITOR_SIGNATURES",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="Add an organisation's own signatures and policies (repeatable).",
    )(command)


def as_of_option(help_text: str) -> Callable[[_Command], _Command]:
    """The day the policies are judged on."""
    return click.option("--as-of", metavar="DATE", callback=_day, envvar="AUDITOR_AS_OF", help=help_text)


def fail_on_option(command: _Command) -> _Command:
    """Which grades make exit code 1."""
    return click.option(
        "--fail-on",
        metavar="GRADES",
        callback=_grades,
        default="default",
        envvar="AUDITOR_FAIL_ON",
        help="Grades that count as a finding: none, any, or a comma list; 'default' stands for verified, claimed, "
        "impostor, embedded and renamed, 'vendor' lets other SDKs of the same vendors count too.",
    )(command)


def limit_option(command: _Command) -> _Command:
    """Bounds of a run."""
    return click.option(
        "--limit",
        metavar="NAME=VALUE",
        multiple=True,
        callback=_limits,
        envvar="AUDITOR_LIMIT",
        help="Change a bound, as in member_size=2G (repeatable; 'auditor explain limits' lists them).",
    )(command)


def deep_option(command: _Command) -> _Command:
    """A slower, second look."""
    return click.option(
        "--deep",
        is_flag=True,
        envvar="AUDITOR_DEEP",
        help="Go through the code of Android apps as well: find SDKs by the structure of their classes, and tell "
        "which code calls them. Takes up to a second per megabyte of code.",
    )(command)


def quiet_options(command: _Command) -> _Command:
    """What goes to stderr."""
    command = click.option(
        "--no-progress", is_flag=True, envvar="AUDITOR_NO_PROGRESS", help="Show no progress bar on a terminal."
    )(command)
    return click.option(
        "-q", "--quiet", is_flag=True, envvar="AUDITOR_QUIET", help="Write nothing but errors to stderr."
    )(command)


def _read_passwords(ctx: click.Context, param: click.Parameter, value: Path | None) -> tuple[str, ...]:
    """The lines of a file of passwords; a password has no place on a command line, which others can see."""
    if value is None:
        return ()
    try:
        with value.open("rb") as stream:
            data = stream.read(_PASSWORDS_SIZE + 1)
    except OSError as error:
        raise click.BadParameter(f"cannot be read: {error.strerror or error}", ctx, param) from error
    if len(data) > _PASSWORDS_SIZE:
        raise click.BadParameter(f"is longer than {_PASSWORDS_SIZE} bytes: no list of passwords", ctx, param)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # The fault itself would show a piece of a password.
        raise click.BadParameter("is no UTF-8 text; save it as such", ctx, param) from None
    # Only line ends count: a password may hold any other character, and spaces at its ends.
    return tuple(line for line in text.replace("\r\n", "\n").split("\n") if line)


def password_options(command: _Command) -> _Command:
    """Where passwords of encrypted backups come from: a file, a prompt, or the environment (AUDITOR_PASSWORD)."""
    command = click.option(
        "--ask-password", is_flag=True, help="Ask for the password of encrypted backups on the terminal."
    )(command)
    return click.option(
        "--password-file",
        metavar="FILE",
        callback=_read_passwords,
        envvar="AUDITOR_PASSWORD_FILE",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Passwords of encrypted backups, one per line. The environment "
        "variable AUDITOR_PASSWORD gives one, too. Passwords are never stored.",
    )(command)


def passwords_of(password_file: tuple[str, ...], ask_password: bool) -> tuple[str, ...]:
    """Every password the user gave, each once, in the order they are to be tried."""
    found = list(password_file)
    given = os.environ.get("AUDITOR_PASSWORD")
    if given:
        found.append(given)
    if ask_password:
        found.append(click.prompt("Password of the backup", hide_input=True, err=True))
    return tuple(dict.fromkeys(found))


def run_options(command: _Command) -> _Command:
    """The options of every command that reads apps and answers."""
    options: tuple[Callable[[_Command], _Command], ...] = (
        quiet_options,
        password_options,
        deep_option,
        limit_option,
        fail_on_option,
        as_of_option("Judge policies on this day (YYYY-MM-DD); today where not given."),
        signatures_option,
    )
    for option in options:
        command = option(command)
    return command


def today() -> datetime.date:
    """The only look at the calendar in the program."""
    return datetime.date.today()


def now() -> str:
    """The only look at the clock in the program: UTC, to the second."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
