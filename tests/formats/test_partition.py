"""Names of partitions are safe and distinct, and tell the slot they belong to."""

from __future__ import annotations

import pytest

from auditor.formats.partition import Partition, distinct, fit_name


def named(name: str) -> Partition:
    return Partition(name, None, 0, "")


@pytest.mark.parametrize(
    ("name", "slot"),
    [
        ("system_a", "a"),
        ("system_b", "b"),
        ("system_b-cow", "b"),
        ("system_b@slot1", "b"),
        ("system", ""),
        ("data_c", ""),
        ("a", ""),
    ],
)
def test_the_slot_is_the_end_of_the_name(name: str, slot: str) -> None:
    assert named(name).slot == slot


@pytest.mark.parametrize(
    ("name", "fit"),
    [
        ("userdata", "userdata"),
        ("EFI system partition", "EFI system partition"),
        ("\u7cfb\u7edf", "\u7cfb\u7edf"),
        ("", "other"),
        ("..", "other"),
        ("//", "other"),
        ("  ", "other"),
        ("../x", ".._x"),
        ("a\\b\x1b[0m", "a_b_[0m"),
        ("\ud800a", "_a"),
    ],
)
def test_names_are_made_safe(name: str, fit: str) -> None:
    assert fit_name(name, "other") == fit


def test_later_ones_of_one_name_are_numbered() -> None:
    names = ["a", "b", "a", "a#2", "a", "b"]
    assert [item.name for item in distinct(map(named, names))] == ["a", "b", "a#2", "a#2#2", "a#3", "b#2"]
