"""What every test may rely on."""

from __future__ import annotations

import gc
import signal


def pytest_configure() -> None:
    """Collect garbage less often, and undo an ignored Ctrl-C.

    A runner in the background passes that on, and interruption could not be tested.
    """
    # Catalogs are many small objects that live as long as the run; looking through them again and again costs a tenth.
    gc.set_threshold(50_000, 20, 50)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
