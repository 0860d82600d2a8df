"""Mapped files are read as they are, and their pages are given back without a byte lost."""

from __future__ import annotations

import gc
import re
from pathlib import Path

import pytest

from auditor.containers import mapping
from auditor.containers.mapping import count_read, forget_pages, map_file

STATUS = Path("/proc/self/status")
MIB = 1 << 20


def mapped_kib() -> int:
    """Memory of this process that is pages of files."""
    found = re.search(r"RssFile:\s+(\d+) kB", STATUS.read_text())
    assert found is not None
    return int(found.group(1))


@pytest.mark.skipif(not STATUS.exists(), reason="the system does not tell how much memory pages of files take")
def test_memory_is_given_back_and_the_bytes_stay(tmp_path: Path) -> None:
    place = tmp_path / "image"
    place.write_bytes(b"\x01" * (64 * MIB))
    with place.open("rb") as file:
        data = map_file(file.fileno())
    view = memoryview(data)[5:]
    assert sum(data[at] for at in range(0, len(data), 4096)) == len(data) // 4096
    before = mapped_kib()
    forget_pages()
    assert mapped_kib() < before - 50 * 1024
    assert (data[0], view[-1]) == (1, 1)


def test_memory_is_given_back_after_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    given_back: list[int] = []

    class Watched:
        closed = False

        def madvise(self, advice: int) -> None:
            given_back.append(advice)

    watched = Watched()
    forget_pages()
    monkeypatch.setattr(mapping, "_MAPPED", {watched})
    for _ in range(63):
        count_read(MIB)
    assert given_back == []
    count_read(2 * MIB)
    count_read(2 * MIB)
    assert len(given_back) == 1


def test_mappings_that_are_closed_or_gone_do_no_harm(tmp_path: Path) -> None:
    place = tmp_path / "image"
    place.write_bytes(b"abc")
    with place.open("rb") as file:
        closed, kept = map_file(file.fileno()), map_file(file.fileno())
        map_file(file.fileno())
    closed.close()
    gc.collect()
    forget_pages()
    assert bytes(kept[:]) == b"abc"


def test_a_system_without_such_advice_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(mapping.mmap, "MADV_DONTNEED", raising=False)
    forget_pages()
