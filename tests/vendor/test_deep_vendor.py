"""With --deep the vendors' SDKs are found without a name and without a literal, and what calls them is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from auditor import audit, load_catalog
from auditor.deep import BUNDLED, CALLED_BY, look_deeper
from auditor.match import match
from auditor.model import Audit, FactKind, Grade, Match, Role
from tests.vendor.builds import AndroidApp, android_app, classes_jar, missing_tools
from tests.vendor.registry import member_of
from tests.vendor.test_vendor_sdks import ALIPAY_V2, CORDOVA_QQ, RN_WECHAT, USES, WX_ACTIVITIES

pytestmark = [
    pytest.mark.vendor,
    pytest.mark.skipif(bool(missing_tools()), reason=f"tools are missing: {', '.join(missing_tools())}"),
]


def jars() -> list[bytes]:
    return [
        classes_jar(member_of(*ALIPAY_V2, "src/android/lib/alipaySdk-15.6.5-20190718211148.aar")),
        member_of(*CORDOVA_QQ, "src/android/open_sdk_r5793.jar"),
        member_of(*RN_WECHAT, "android/libs/libammsdk.jar"),
    ]


def only(folder: Path, data: bytes) -> Audit:
    path = folder / "app.apk"
    path.write_bytes(data)
    (found,) = audit(path, deep=True)
    return found


def sdks(found: Audit) -> dict[str, Match]:
    matches = [item for answer in found.answers for item in answer.matches if item.role is Role.SDK]
    return {item.signature: item for item in matches if item.grade.is_finding}


def calls(item: Match) -> list[str]:
    return [fact.value for hit in item.hits if hit.clause == CALLED_BY for fact in hit.facts]


@pytest.fixture(scope="module")
def shrunk(tmp_path_factory: pytest.TempPathFactory) -> Audit:
    """Three SDKs renamed, repackaged and shrunk by R8 in full mode: the host pays, shares and signs in."""
    host = AndroidApp("com.example.vendor", activities=WX_ACTIVITIES)
    return only(tmp_path_factory.mktemp("shrunk"), android_app(host, jars(), shrink=USES))


def test_renamed_sdks_are_called_from_the_apps_own_class(shrunk: Audit) -> None:
    found = sdks(shrunk)
    assert {"alipay-sdk-android", "qq-connect-android", "wechat-opensdk-android"} <= set(found)
    for item in found.values():
        assert item.grade is Grade.RENAMED
        assert all(value.startswith("com.example.vendor.Uses#") for value in calls(item))
        assert calls(item)


def test_without_names_and_literals_the_structure_is_enough(shrunk: Audit) -> None:
    """Of WeChat's SDK too little structure is left by a shrinker in full mode; its protocol needs its literals."""
    facts = tuple(item for item in shrunk.extraction.facts if item.kind not in _READ)
    catalog = load_catalog()
    blind = replace(shrunk.extraction, facts=facts)
    assert not [item for item in match(blind, catalog) if item.grade is Grade.RENAMED]
    _, matches = look_deeper(blind, match(blind, catalog), catalog)
    assert {item.signature for item in matches if item.grade is Grade.RENAMED} == {
        "alipay-sdk-android",
        "qq-connect-android",
    }


_READ = (FactKind.DEX_STRING, FactKind.DEX_PROFILE, FactKind.DEX_CALL)


def test_sdks_that_nobody_calls_are_merely_bundled(tmp_path: Path) -> None:
    found = sdks(only(tmp_path, android_app(AndroidApp("com.example.vendor"), jars())))
    for key in ("alipay-sdk-android", "qq-connect-android", "wechat-opensdk-android"):
        assert (found[key].grade, found[key].detail, calls(found[key])) == (Grade.EMBEDDED, BUNDLED, [])
