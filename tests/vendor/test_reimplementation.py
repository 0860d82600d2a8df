"""An aggregator that speaks the protocols of WeChat and QQ with code of its own carries neither SDK."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.model import FactKind, Grade, Role, Verdict
from tests.vendor.builds import AndroidApp, android_app, missing_tools
from tests.vendor.registry import member_of
from tests.vendor.test_vendor_sdks import WX_ACTIVITIES, only

pytestmark = [
    pytest.mark.vendor,
    pytest.mark.skipif(bool(missing_tools()), reason=f"tools are missing: {', '.join(missing_tools())}"),
]

JSHARE = ("jshare-react-native@1.4.3", "9211f7186f6dfc4de5507ac77177a2f334711a4fba3b437865a1f80796287f6e")
JARS = ("jshare-android-2.0.0.jar", "jshare-qq-android-2.0.0.jar", "jshare-wechat-android-2.0.0.jar")


@pytest.mark.parametrize("activities", [(), WX_ACTIVITIES], ids=["bare", "with the entry activities"])
def test_its_protocol_is_named_and_is_no_finding(tmp_path: Path, activities: tuple[str, ...]) -> None:
    jars = [member_of(*JSHARE, f"android/libs/{name}") for name in JARS]
    path = tmp_path / "app.apk"
    path.write_bytes(android_app(AndroidApp("com.example.vendor", activities=activities), jars))
    found = only(path)
    answers = {answer.subject: answer for answer in found.answers}
    assert {answer.verdict for answer in found.answers} == {Verdict.NOT_FOUND}
    for subject in ("wechat", "tencent-qq"):
        best = next(match for match in answers[subject].matches if match.role is Role.SDK)
        assert best.grade is Grade.REIMPLEMENTED
        assert any(hit.kind is FactKind.DEX_STRING and hit.clause == "protocol-literals" for hit in best.hits)
