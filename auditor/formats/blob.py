"""The bytes every parser takes: read-only, randomly accessible, possibly larger than memory."""

from __future__ import annotations

import mmap

Blob = bytes | bytearray | memoryview | mmap.mmap
