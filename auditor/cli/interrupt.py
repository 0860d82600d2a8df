"""Ctrl-C: an exception at once, except where it would abort the whole interpreter."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_AGAIN_SECONDS = 0.02


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise KeyboardInterrupt in this block on Ctrl-C, as soon as it can be raised.

    Changes nothing outside the main thread and where the caller handles or ignores the signal already.
    """
    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    alarm = signal.getsignal(signal.SIGALRM)
    signal.signal(signal.SIGINT, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if signal.getsignal(signal.SIGALRM) is _interrupt:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, alarm)


def _interrupt(number: int, frame: FrameType | None) -> None:
    if _is_importing("lief"):
        # An exception inside lief's import reaches C++ code that does not expect one and ends the process.
        signal.signal(signal.SIGALRM, _interrupt)
        signal.setitimer(signal.ITIMER_REAL, _AGAIN_SECONDS)
        return
    raise KeyboardInterrupt


def _is_importing(name: str) -> bool:
    """Whether a module is in the middle of its import; the import system itself keeps this mark."""
    spec = getattr(sys.modules.get(name), "__spec__", None)
    return bool(getattr(spec, "_initializing", False))
