"""The committed literal sets are what learning from the pinned SDK binaries gives, to the byte."""

from __future__ import annotations

import pytest

from auditor.learn import render_learned
from benchmarks.accuracy.learning import SIGNATURES, learn_android
from benchmarks.accuracy.registry import OutOfReachError

pytestmark = pytest.mark.vendor


def test_learning_again_gives_the_committed_sets() -> None:
    try:
        found = {f"{item.signature}.toml": render_learned(item) for item in learn_android()}
    except OutOfReachError as error:
        pytest.skip(f"SDK binaries cannot be fetched: {error}")
    assert sorted(found) == ["alipay-sdk-android.toml", "qq-connect-android.toml", "wechat-opensdk-android.toml"]
    for name, text in found.items():
        assert (SIGNATURES / name).read_text() == text, name
