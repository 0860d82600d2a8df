"""Passwords of encrypted sources: from a file, the environment or a prompt, and never anywhere else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest

from auditor.cli.options import passwords_of
from auditor.containers.carrier_kinds import Opening
from auditor.model import RecordKind
from auditor.platforms.record_source import RecordSource
from auditor.platforms.search import Search
from auditor.scan import Run
from tests.cli.conftest import FakeRun, Invoke

SAMPLES = Path(__file__).resolve().parents[2] / "samples" / "devices"
PASSWORD = "a made-up password"
SECRET = "corréct horse \u00a0"


def given(fake: FakeRun) -> tuple[str, ...]:
    passwords: tuple[str, ...] = fake.made_with["passwords"]
    return passwords


@pytest.mark.parametrize("command", ["check", "scan"])
def test_no_password_is_the_usual_case(invoke: Invoke, fake: FakeRun, tmp_path: Path, command: str) -> None:
    invoke(command, tmp_path, *(("--db", tmp_path / "i.db") if command == "scan" else ()))
    assert given(fake) == ()


@pytest.mark.parametrize(
    ("content", "passwords"),
    [
        (b"one\ntwo\n", ("one", "two")),
        (b"one\r\n\r\ntwo", ("one", "two")),
        (b"  spaces count \n", ("  spaces count ",)),
        (b"\xef\xbb\xbfafter a mark\n", ("after a mark",)),
        ("páss\u2028wörd\x0bx\n".encode(), ("páss\u2028wörd\x0bx",)),
        (b"twice\ntwice\n", ("twice",)),
        (b"# no comment\n", ("# no comment",)),
        (b"", ()),
    ],
)
def test_a_file_holds_one_per_line(
    invoke: Invoke, fake: FakeRun, tmp_path: Path, content: bytes, passwords: tuple[str, ...]
) -> None:
    file = tmp_path / "passwords"
    file.write_bytes(content)
    invoke("check", tmp_path, "--password-file", file)
    assert given(fake) == passwords


def test_the_environment_gives_one_and_may_name_the_file(
    invoke: Invoke, fake: FakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDITOR_PASSWORD", SECRET)
    invoke("check", tmp_path)
    assert given(fake) == (SECRET,)
    file = tmp_path / "passwords"
    file.write_text(f"other\n{SECRET}\n", encoding="utf-8")
    monkeypatch.setenv("AUDITOR_PASSWORD_FILE", str(file))
    invoke("check", tmp_path)
    assert given(fake) == ("other", SECRET)


def test_a_prompt_asks_without_showing_what_is_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, object]] = []

    def prompt(text: str, **options: object) -> str:
        asked.append({"text": text, **options})
        return SECRET

    monkeypatch.setattr(click, "prompt", prompt)
    assert passwords_of(("one",), ask_password=True) == ("one", SECRET)
    assert asked == [{"text": "Password of the backup", "hide_input": True, "err": True}]


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"p\xe4ss\n", "is no UTF-8 text"), (b"x" * (2 << 20), "no list of passwords")],
)
def test_a_file_that_is_no_list_is_refused_without_showing_it(
    invoke: Invoke, tmp_path: Path, content: bytes, message: str
) -> None:
    file = tmp_path / "passwords"
    file.write_bytes(content)
    ended = invoke("check", tmp_path, "--password-file", file)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert message in ended.err
    assert "e4" not in ended.err
    assert "xxx" not in ended.err


def test_a_missing_file_is_an_error(invoke: Invoke, tmp_path: Path) -> None:
    assert invoke("check", tmp_path, "--password-file", tmp_path / "none").code == 2


@pytest.mark.parametrize("command", ["check", "scan"])
def test_no_option_takes_a_password_on_the_command_line(invoke: Invoke, tmp_path: Path, command: str) -> None:
    for option in ("--password", "-p"):
        ended = invoke(command, tmp_path, option, SECRET)
        assert ended.code == 2
        assert SECRET not in ended.err


def test_nothing_that_holds_passwords_shows_them(tmp_path: Path) -> None:
    holders = [
        Run([tmp_path], None, None, passwords=(SECRET,)),  # type: ignore[arg-type]
        Search(None, None, (SECRET,)),  # type: ignore[arg-type]
        RecordSource(RecordKind.IOS_BACKUP, None, {}, None, (SECRET,)),  # type: ignore[arg-type]
        Opening(None, None, (SECRET,), dict, False),  # type: ignore[arg-type]
    ]
    for holder in holders:
        assert SECRET in getattr(holder, "passwords")  # noqa: B009
        assert SECRET not in repr(holder)


@pytest.mark.parametrize("sample", ["adb-encrypted.ab", "ios-backup-encrypted.zip"])
@pytest.mark.parametrize("way", ["environment", "file"])
def test_a_password_that_was_used_is_nowhere_in_the_database_or_the_output(
    invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sample: str, way: str
) -> None:
    pytest.importorskip("cryptography")
    db, options = tmp_path / "i.db", []
    if way == "environment":
        monkeypatch.setenv("AUDITOR_PASSWORD", PASSWORD)
    else:
        file = tmp_path / "list"
        file.write_text(f"wrong {PASSWORD}\n{PASSWORD}\n")
        options = ["--password-file", file]
    command = ["scan", SAMPLES / sample, "--db", db, "--device", "phone-1", *options]
    monkeypatch.setattr(sys, "argv", ["auditor", *map(str, command)])
    ended = invoke(*command)
    without = invoke("check", SAMPLES / sample) if way == "file" else None
    assert ended.code in (1, 3)
    assert without is None or without.out != ended.out
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.name.startswith("i.db"))
    assert b"auditor scan" in kept
    for text in (PASSWORD, PASSWORD.replace(" ", "")):
        assert text.encode() not in kept
        assert text not in ended.out + ended.err


def test_a_wrong_password_is_told_and_not_shown(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "auditor", "check", str(SAMPLES / "adb-encrypted.ab")],
        env={"AUDITOR_PASSWORD": SECRET, "PATH": "", "AUDITOR_DEBUG": "1", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        check=False,
    )
    output = (ended.stdout + ended.stderr).decode()
    assert ended.returncode == 3
    assert "none of the given passwords" in " ".join(output.split())
    assert SECRET.strip() not in output
