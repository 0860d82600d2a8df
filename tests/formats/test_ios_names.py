"""What can be the id of an app on iOS, and how much one of many property lists may cost."""

from __future__ import annotations

import pytest

from auditor.formats.ios_names import inner_limits, is_app_id
from auditor.limits import DEFAULT


@pytest.mark.parametrize("name", ["com.tencent.xin", "com.example.App-1", "old_app", "a", "\u4e2d.\u6587", "a" * 255])
def test_ids(name: str) -> None:
    assert is_app_id(name)


@pytest.mark.parametrize("name", ["", " ", "a b", "a\n", "a\0", "a\u200b", "a\u00a0b", "a" * 256])
def test_what_is_no_id(name: str) -> None:
    assert not is_app_id(name)


@pytest.mark.parametrize(("size", "values"), [(0, 1000), (100, 1400), (10_000_000, DEFAULT.xml_elements)])
def test_a_small_list_has_few_values(size: int, values: int) -> None:
    limits = inner_limits(DEFAULT, size)
    assert limits.xml_elements == values
    assert limits.manifest_size == DEFAULT.manifest_size
