"""Faults of a damaged structure are kept up to a number and counted beyond it."""

from __future__ import annotations

import pytest

from auditor.formats.fault_list import FaultList


@pytest.mark.parametrize(
    ("count", "kept", "last"),
    [(0, 0, None), (1, 1, "fault 0"), (20, 20, "fault 19"), (21, 21, "1 more faults"), (5000, 21, "4980 more faults")],
)
def test_the_first_are_kept_and_the_rest_is_counted(count: int, kept: int, last: str | None) -> None:
    faults = FaultList()
    for number in range(count):
        faults.add(f"fault {number}")
    found = faults.as_tuple()
    assert len(found) == kept
    assert (found[-1] if found else None) == last
