"""Ctrl-C ends a command with an exception where it can, and a moment later where it cannot."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from auditor.cli.interrupt import interruptible

ROOT = Path(__file__).resolve().parents[2]

INTERRUPT_WHILE_IMPORTING = """
import os, signal, sys, threading, time

def press():
    while "lief" not in sys.modules:
        time.sleep(0.0005)
    for _ in range(int(sys.argv[1])):
        time.sleep(float(sys.argv[2]))
        os.kill(os.getpid(), signal.SIGINT)

import auditor.cli
import auditor.formats.elf
from pathlib import Path

def read(**_):
    threading.Thread(target=press, daemon=True).start()
    import lief
    time.sleep(60)

auditor.cli.check.callback = read
sys.exit(auditor.cli.main(["check", "."]))
"""


def press() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def wait() -> None:
    for _ in range(500):
        time.sleep(0.01)


def press_and_wait() -> None:
    with interruptible():
        press()
        wait()


def press_while_importing(spec: SimpleNamespace) -> None:
    with interruptible():
        press()
        press()
        for _ in range(5):
            time.sleep(0.01)
        spec._initializing = False
        wait()


def importing(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A library that is in the middle of its import until the mark is taken away."""
    spec = SimpleNamespace(_initializing=True)
    module = ModuleType("lief")
    module.__spec__ = spec  # type: ignore[assignment]
    monkeypatch.setitem(sys.modules, "lief", module)
    return spec


def test_ctrl_c_raises_at_once() -> None:
    with pytest.raises(KeyboardInterrupt):
        press_and_wait()


def test_ctrl_c_waits_for_an_import_that_must_not_be_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importing(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        press_while_importing(spec)
    assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_a_command_that_ends_before_the_import_does_is_not_interrupted_later(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importing(monkeypatch)
    with interruptible():
        press()
    spec._initializing = False
    time.sleep(0.05)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL


def test_the_next_command_is_interruptible_again() -> None:
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            press_and_wait()


def test_a_caller_that_handles_the_signal_keeps_its_handler() -> None:
    seen = []
    before = signal.signal(signal.SIGINT, lambda number, frame: seen.append(number))
    try:
        with interruptible():
            press()
    finally:
        signal.signal(signal.SIGINT, before)
    assert seen == [signal.SIGINT]


def test_outside_the_main_thread_nothing_changes() -> None:
    seen = []

    def run() -> None:
        with interruptible():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]


@pytest.mark.parametrize(("presses", "after"), [(1, 0.0), (3, 0.05)])
def test_ctrl_c_while_lief_is_imported_ends_with_130(presses: int, after: float) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPT_WHILE_IMPORTING, str(presses), str(after)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert (done.returncode, done.stderr.strip()) == (130, "interrupted")
