"""What every test may rely on."""

from __future__ import annotations

import signal


def pytest_configure() -> None:
    """Undo an ignored Ctrl-C: a runner in the background passes that on, and interruption could not be tested."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
