"""Moments of records: an order is claimed only where no zone can turn it round."""

from __future__ import annotations

import pytest

from auditor.model.moments import earliest, latest, surely_before

UTC, NEXT = "2026-02-05T12:00:00Z", "2026-02-05T12:00:01Z"


@pytest.mark.parametrize(
    ("earlier", "later", "sure"),
    [
        (UTC, NEXT, True),
        (UTC, UTC, False),
        (NEXT, UTC, False),
        ("2026-02-05T12:00:00", "2026-02-06T01:59:59Z", False),
        ("2026-02-05T12:00:00", "2026-02-06T02:00:01Z", True),
        ("2026-02-05T12:00:00Z", "2026-02-06T01:59:59", False),
        ("2026-02-05T12:00:00Z", "2026-02-06T02:00:01", True),
        ("2026-02-05T12:00:00", "2026-02-06T01:00:00", False),
        ("2026-02-05", "2026-02-07", True),
        ("2026-02-05", "2026-02-05T13:00:00Z", False),
        ("", UTC, False),
        (UTC, "", False),
        ("yesterday", UTC, False),
        ("0001-01-01T00:00:00", "9999-12-31T23:59:59", True),
        ("9999-12-31T23:59:59", "0001-01-01T00:00:00", False),
        ("2026-02-05T12:00:00+02:00", "2027-02-05T12:00:00Z", False),
    ],
)
def test_an_order_is_claimed_only_where_it_is_sure(earlier: str, later: str, sure: bool) -> None:
    assert surely_before(earlier, later) is sure


@pytest.mark.parametrize(
    ("moments", "first", "last"),
    [
        ([], "", ""),
        (["", "no time"], "", ""),
        ([NEXT, UTC], UTC, NEXT),
        (["2026-02-07T00:00:00", "2026-02-05T00:00:00"], "2026-02-05T00:00:00", "2026-02-07T00:00:00"),
        ([UTC, "2026-02-05T11:00:00"], UTC, UTC),
        ([UTC, "2026-02-03T11:00:00"], "2026-02-03T11:00:00", UTC),
        ([UTC, "2026-02-08T11:00:00"], UTC, "2026-02-08T11:00:00"),
    ],
)
def test_the_first_and_the_last_of_several(moments: list[str], first: str, last: str) -> None:
    assert (earliest(moments), latest(moments)) == (first, last)
