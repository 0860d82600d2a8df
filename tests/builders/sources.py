"""Sources that tell how much was read of them."""

from __future__ import annotations

from auditor.formats.source import BlobSource


class CountingSource:
    """Bytes in memory that count the calls and the bytes asked for."""

    def __init__(self, data: bytes) -> None:
        self._inner = BlobSource(data)
        self.calls = 0
        self.bytes_read = 0

    @property
    def size(self) -> int:
        return self._inner.size

    def read(self, offset: int, size: int) -> bytes | memoryview:
        self.calls += 1
        self.bytes_read += size
        return self._inner.read(offset, size)
