"""A budget bounds what an app unpacks, and what all apps of a carrier unpack together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.containers.member import Budget
from auditor.errors import LimitError
from auditor.limits import DEFAULT

LIMITS = replace(DEFAULT, unpacked_total=1000)


def test_a_file_may_unpack_to_more_the_larger_it_is() -> None:
    assert Budget(LIMITS).left == 1000
    assert Budget(LIMITS, input_size=100).left == 1000 + 3200


def test_a_full_file_system_archive_of_100_gigabytes_passes() -> None:
    size = 100 * 10**9
    budget = Budget(DEFAULT, input_size=size)
    for _ in range(50):
        budget.spend(3 * size // 50)
    assert not budget.is_spent


def test_an_app_in_a_file_has_the_bound_of_an_app() -> None:
    file = Budget(LIMITS, input_size=100)
    app = file.for_app()
    assert app.left == 1000
    with pytest.raises(LimitError, match=r"more than 1000 bytes unpacked .* --limit unpacked_total"):
        app.spend(1001)
    assert file.for_app().left == 1000


def test_what_apps_unpack_counts_for_the_file_around_them() -> None:
    file = Budget(LIMITS, input_size=100)
    for _ in range(4):
        file.for_app().spend(1000)
    assert file.left == 200
    with pytest.raises(LimitError, match="more than 4200 bytes"):
        file.for_app().spend(1000)
    assert file.is_spent
    assert file.for_app().is_spent
    assert Budget(LIMITS, outer=file.for_app()).is_spent


def test_what_is_refused_does_not_burden_the_file_around() -> None:
    file = Budget(LIMITS)
    app = file.for_app()
    with pytest.raises(LimitError):
        app.spend(5000)
    assert (app.is_spent, file.is_spent, file.left) == (True, False, 1000)


def test_the_whole_bound_may_be_used() -> None:
    budget = Budget(LIMITS)
    budget.spend(1000)
    assert not budget.is_spent
    budget.spend(0)
