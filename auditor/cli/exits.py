"""How the program ends: every failure as one line on stderr and an exit code that means one thing."""

from __future__ import annotations

import os
import sys
import traceback
from types import TracebackType

import click

from auditor.errors import AuditorError, CatalogError

DEBUG = "AUDITOR_DEBUG"
_ERROR, _INTERRUPTED, _PIPE_CLOSED = 2, 130, 141


class Guard:
    """Turn whatever leaves the block into an exit code; only ``GeneratorExit`` passes."""

    def __init__(self) -> None:
        self.exit_code = _ERROR

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is None:
            return False
        if isinstance(error, GeneratorExit):
            return False
        self.exit_code = _explain(error)
        return True


def _explain(error: BaseException) -> int:
    """Say on stderr what happened, and choose the exit code."""
    # Without its standalone mode click leaves by SystemExit only when the reader of the output has gone.
    if isinstance(error, BrokenPipeError | SystemExit):
        _silence_stdout()
        return _PIPE_CLOSED
    if isinstance(error, KeyboardInterrupt | click.Abort):
        say("interrupted")
        return _INTERRUPTED
    if os.environ.get(DEBUG):
        traceback.print_exception(error)
    if isinstance(error, click.UsageError):
        say(f"error: {error.format_message()} {_hint(error)}".rstrip())
    elif isinstance(error, click.ClickException):
        say(f"error: {error.format_message()}")
    elif isinstance(error, CatalogError):
        # The one message with a line per fault.
        for line in f"error: {error}".splitlines():
            say(line)
    elif isinstance(error, AuditorError):
        say(f"error: {error}")
    elif isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename is not None else ""
        say(f"error: {place}{error.strerror or error}")
    else:
        say(f"error: {type(error).__name__}: {error} (a fault of the auditor; {DEBUG}=1 shows where, please report it)")
    return _ERROR


def _hint(error: click.UsageError) -> str:
    return "" if error.ctx is None else f"See '{error.ctx.command_path} --help'."


def _silence_stdout() -> None:
    """Keep the interpreter from complaining about a closed pipe when it flushes at exit."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        return


def say(message: str) -> None:
    """Write one line to stderr; what inputs put into it is inert."""
    from auditor.report.inert import visible

    click.echo(visible(message), err=True)
