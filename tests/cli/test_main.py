"""The program as a whole: help, exit codes, errors in one line, and nothing heavy before it is needed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from auditor.cli import cli
from auditor.errors import CatalogError, InventoryError
from tests.builders.reports import make_app, make_audit, make_match
from tests.cli.conftest import FakeRun, Invoke

COMMANDS = [
    (),
    ("check",),
    ("scan",),
    ("report",),
    ("device",),
    ("device", "list"),
    ("device", "show"),
    ("facts",),
    ("explain",),
    ("signatures",),
    ("signatures", "list"),
    ("signatures", "show"),
    ("signatures", "check"),
    ("policies",),
    ("policies", "list"),
    ("policies", "show"),
]


def test_every_command_is_covered_here() -> None:
    assert sorted(cli.commands) == sorted({command[0] for command in COMMANDS if command})


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_has_an_example_and_fits_80_columns(invoke: Invoke, command: tuple[str, ...], option: str) -> None:
    ended = invoke(*command, option)
    assert ended.code == 0
    assert "Example" in ended.out
    assert f"auditor {' '.join(command)}" in ended.out
    assert [line for line in ended.out.splitlines() if len(line) > 80] == []
    assert ended.err == ""


def test_version(invoke: Invoke) -> None:
    assert invoke("--version").out == "auditor, version 0.1.0\n"


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("nonsense",),
        ("check",),
        ("check", "no-such-file"),
        ("check", "--no-such-option", "."),
        ("check", ".", "--format", "xml"),
        ("check", ".", "--as-of", "yesterday"),
        ("check", ".", "--as-of", "2021-02-30"),
        ("check", ".", "--fail-on", "severe"),
        ("check", ".", "--limit", "member_size"),
        ("check", ".", "--limit", "member_size=-1"),
        ("check", ".", "--limit", "no_such=1"),
        ("check", ".", "--signatures", "no-such-folder"),
        ("signatures",),
        ("report", "--scan", "one"),
        ("facts", ".", "--kind", "dex.klass"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_asked_is_one_line_and_exit_code_2(invoke: Invoke, arguments: tuple[str, ...]) -> None:
    ended = invoke(*arguments)
    assert ended.code == 2
    assert ended.out == ""
    assert ended.err.startswith("error: ")
    assert ended.err.count("\n") == 1


def test_a_usage_error_says_where_help_is(invoke: Invoke) -> None:
    assert invoke("check").err == "error: Missing argument 'PATH...'. See 'auditor check --help'.\n"


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (InventoryError("x.db: locked"), 2, "error: x.db: locked\n"),
        (CatalogError("2 fault(s):\n  a\n  b"), 2, "error: 2 fault(s):\n  a\n  b\n"),
        (OSError(28, "No space left on device", "out"), 2, "error: out: No space left on device\n"),
        (ValueError("odd\x1b[31m\nline"), 2, "error: ValueError: odd\\x1b[31m\\x0aline (a fault of the auditor;"),
        (MemoryError(), 2, "error: MemoryError: "),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (BrokenPipeError(), 141, ""),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_whatever_goes_wrong_has_an_exit_code_and_no_traceback(
    invoke: Invoke,
    fake: FakeRun,
    error: BaseException,
    code: int,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Closing the real stdout would take it from the test runner.
    monkeypatch.setattr("auditor.cli.exits._silence_stdout", lambda: None)
    fake.audits = [error]
    ended = invoke("check", tmp_path)
    assert ended.code == code
    assert ended.out == ""
    assert ended.err.strip("\n").startswith(message.strip("\n"))
    assert "Traceback" not in ended.err


def test_debug_shows_where(invoke: Invoke, fake: FakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDITOR_DEBUG", "1")
    fake.audits = [ValueError("odd")]
    ended = invoke("check", tmp_path)
    assert ended.code == 2
    assert "Traceback" in ended.err
    assert "test_main" not in ended.out


def started(*arguments: object, **environment: str) -> subprocess.CompletedProcess[bytes]:
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("AUDITOR_", "PYTHON"))}
    return subprocess.run(
        [sys.executable, "-m", "auditor", *map(str, arguments)],
        env={**variables, **environment},
        capture_output=True,
        check=False,
    )


def test_the_module_runs_as_a_program() -> None:
    ended = started("explain", "exit-codes")
    assert ended.returncode == 0
    assert ended.stdout.startswith(b"0 (exit code): complete and clean")


HEAVY = (
    "androguard",
    "lief",
    "cryptography",
    "sqlite_utils",
    "rich",
    "sqlite3",
    "auditor.formats",
    "auditor.inventory",
)
LISTING = """
import sys
from auditor.cli import main
main({arguments})
loaded = [name for name in {names} if any(f"{{module}}.".startswith(f"{{name}}.") for module in sys.modules)]
print(*loaded, file=sys.stderr)
"""


@pytest.mark.parametrize("arguments", [["--help"], ["check", "--help"], ["--version"], ["explain", "renamed"]])
def test_help_and_explain_import_no_parser(arguments: list[str]) -> None:
    code = LISTING.format(arguments=arguments, names=HEAVY)
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert ended.stderr.decode().split() == []


def test_a_reader_that_goes_away_is_no_error() -> None:
    program = subprocess.Popen(
        [sys.executable, "-m", "auditor", "explain", "fact-kinds"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert program.stdout is not None
    assert program.stderr is not None
    program.stdout.close()
    message = program.stderr.read()
    program.stderr.close()
    assert program.wait() == 141
    assert message == b""


def test_output_is_utf8_or_escaped_whatever_the_locale(tmp_path: Path) -> None:
    text = started("policies", "show", "us-tx", PYTHONIOENCODING="ascii", LC_ALL="C")
    assert text.returncode == 0
    assert text.stdout.isascii()


@pytest.mark.parametrize(
    ("name", "value"),
    [("AUDITOR_CHECK_FORMAT", "json"), ("AUDITOR_CHECK_AS_OF", "2021-03-01"), ("AUDITOR_AS_OF", "2021-03-01")],
)
def test_options_come_from_the_environment(
    invoke: Invoke, fake: FakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    app = make_app()
    fake.audits = [make_audit(app, make_match(app))]
    monkeypatch.setenv("AUDITOR_CHECK_FORMAT", "json")
    monkeypatch.setenv(name, value)
    document = json.loads(invoke("check", tmp_path).out)
    assert name == "AUDITOR_CHECK_FORMAT" or document["as_of"] == value


def test_the_command_line_goes_before_the_environment(
    invoke: Invoke, fake: FakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDITOR_AS_OF", "2021-03-01")
    document = json.loads(invoke("check", tmp_path, "--format", "json", "--as-of", "2022-03-01").out)
    assert document["as_of"] == "2022-03-01"


def test_lists_come_from_the_environment(
    invoke: Invoke, fake: FakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDITOR_LIMIT", "signers=3 member_size=2K")
    assert invoke("check", tmp_path).code == 4
    assert (fake.made_with["limits"].signers, fake.made_with["limits"].member_size) == (3, 2048)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_the_name_of_an_option_in_the_environment_is_its_name_on_the_line(command: tuple[str, ...]) -> None:
    found: click.Command = cli
    for name in command:
        assert isinstance(found, click.Group)
        found = found.commands[name]
    for option in found.params:
        if isinstance(option, click.Option) and option.name != "version":
            assert f"--{str(option.name).replace('_', '-')}" in option.opts
