"""The rules by which a peer's report counts as found, and what is said when it has none; the peers themselves aside."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.accuracy import peers
from benchmarks.accuracy.cases import Case, Truth
from benchmarks.accuracy.peers import (
    PEERS,
    PeerWord,
    exodus_families,
    families_by_prefix,
    families_in_text,
    rules_of,
    run_peers,
    sampled,
    service_families,
)
from benchmarks.accuracy.registry import OutOfReachError

RULES = (
    {"name": "WeChat Location", "code_signature": "com.tencent.map.geolocation|com.tencent.mm.plugin.location."},
    {"name": "Tencent Stats", "code_signature": "com.tencent.stat|com.tencent.wxop.stat"},
    {"name": "Pay", "code_signature": "com.alipay.sdk."},
    {"name": "Short", "code_signature": "com"},
)


@pytest.mark.parametrize(
    ("family", "names"),
    [("alipay", ("Pay",)), ("wechat", ()), ("tencent-qq", ())],
)
def test_a_rule_is_about_a_family_when_it_matches_a_class_the_sdk_cannot_be_used_without(
    family: str, names: tuple[str, ...]
) -> None:
    assert rules_of(family, RULES) == names


def test_the_analytics_inside_an_sdk_are_not_the_sdk() -> None:
    by_family = {family: rules_of(family, RULES) for family in ("alipay", "tencent-qq", "wechat")}
    assert exodus_families({"trackers": ["Tencent Stats"]}, by_family) == ()
    assert exodus_families({"trackers": ["Pay", "Tencent Stats"]}, by_family) == ("alipay",)


@pytest.mark.parametrize(
    ("classes", "families"),
    [
        (["com/tencent/mm/opensdk/openapi/WXAPIFactory"], ("wechat",)),
        (["com.tencent.mm.sdk.openapi.IWXAPI"], ("wechat",)),
        (["com/tencent/tauth/Tencent", "com/alipay/sdk/app/PayTask"], ("alipay", "tencent-qq")),
        (["com/tencent/mm/plugin/X", "com/alipay/mobile/Y", "com/tencent/stat/Z", "a/a/a"], ()),
        (["com_tencent_mm_sdk_"], ()),
        ([], ()),
    ],
)
def test_the_ideal_rules_of_the_method_are_the_packages_of_the_truth(
    classes: list[str], families: tuple[str, ...]
) -> None:
    assert families_by_prefix(classes) == families


def test_reports_of_android_apps_are_searched_for_packages() -> None:
    texts = ['{"internal:classes": "a.b~~com.tencent.connect.auth.QQToken~~c"}', '{"name": "Lcom/alipay/sdk/app/a;"}']
    assert families_in_text(texts, "android") == ("alipay", "tencent-qq")
    assert families_in_text(['{"url": "https://open.weixin.qq.com", "package": "com.tencent.mm"}'], "android") == ()


@pytest.mark.parametrize(
    ("text", "families"),
    [
        ('"_OBJC_CLASS_$_WXApi"', ("wechat",)),
        ('"-[AlipaySDK payOrder:]"', ("alipay",)),
        ('"TencentOAuth"', ("tencent-qq",)),
        ('"MyWXApiWrapper", "WXApiResponder"', ()),
        ('"WXApiResponder"', ()),
    ],
)
def test_reports_of_ios_apps_are_searched_for_whole_class_names(text: str, families: tuple[str, ...]) -> None:
    assert families_in_text([text], "ios") == families


def test_services_are_the_peers_own_words() -> None:
    assert service_families(["Alipay", "Apache HttpClient", "Tencent Stats"]) == ("alipay",)
    assert service_families(["QQ", "Tencent"]) == ()


def made(platform: str) -> Case:
    return Case(f"{platform}-1", platform, Path("app"), "d8", "payment", (Truth("wechat", "1", 3, 3),))


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Peers that are installed and answer at once."""
    kept = {
        "exodus": {"trackers": ["Tencent Stats"], "by_prefix": ["wechat"]},
        "blint": {"services": ["WeChat"], "by_name": ["wechat"]},
    }
    monkeypatch.setattr(peers, "_program", lambda peer, name: Path(name))
    monkeypatch.setattr(peers, "load_rules", lambda: RULES)
    monkeypatch.setattr(peers.shutil, "which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(peers, "_kept", lambda peer, path, run: kept[peer])


def words(platform: str) -> dict[tuple[str, str], str]:
    return {(item.peer, item.family): item.word for item in run_peers([made(platform)]).answers}


@pytest.mark.usefixtures("answered")
def test_no_rule_is_told_apart_from_not_found() -> None:
    told = words("android")
    assert told[("exodus", "wechat")] == told[("exodus", "tencent-qq")] == PeerWord.NO_RULE
    assert told[("exodus", "alipay")] == PeerWord.NOT_FOUND
    assert told[("exodus-method", "wechat")] == PeerWord.FOUND
    assert told[("exodus-method", "tencent-qq")] == PeerWord.NOT_FOUND
    assert told[("blint", "wechat")] == PeerWord.FOUND
    assert told[("blint", "tencent-qq")] == PeerWord.NO_RULE
    assert told[("blint-names", "wechat")] == PeerWord.FOUND


@pytest.mark.usefixtures("answered")
def test_a_peer_is_not_blamed_for_a_platform_it_does_not_read() -> None:
    told = words("ios")
    assert {told[(peer, "wechat")] for peer in ("exodus", "exodus-method")} == {PeerWord.NOT_FOR_PLATFORM}
    assert told[("blint", "wechat")] == PeerWord.NO_RULE
    assert told[("blint-names", "wechat")] == PeerWord.FOUND


@pytest.mark.usefixtures("answered")
def test_every_peer_says_what_it_was_run_with() -> None:
    notes = run_peers([made("android")]).notes
    assert set(notes) == set(PEERS)
    assert "wechat: no rule" in notes["exodus"]
    assert "alipay: Pay" in notes["exodus"]


@pytest.mark.usefixtures("answered")
def test_a_run_that_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "_kept", lambda peer, path, run: {"failed": True})
    assert set(words("android").values()) == {PeerWord.FAILED}


def test_a_peer_that_cannot_be_installed_is_not_run_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(peer: str, name: str) -> Path:
        raise OutOfReachError(f"{peer} cannot be installed")

    monkeypatch.setattr(peers, "_program", refuse)
    told = run_peers([made("android")])
    assert {item.word for item in told.answers} == {PeerWord.NOT_RUN}
    assert len(told.answers) == len(PEERS) * 3
    assert told.notes["exodus-method"] == "not run: exodus cannot be installed"


def test_an_answer_is_kept_by_the_bytes_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "FOLDER", tmp_path)
    first, same, other = tmp_path / "a.apk", tmp_path / "b.apk", tmp_path / "c.apk"
    first.write_bytes(b"one")
    same.write_bytes(b"one")
    other.write_bytes(b"two")
    asked: list[str] = []

    def ask(path: Path) -> dict[str, object]:
        def run() -> dict[str, object]:
            asked.append(path.name)
            return {"trackers": [], "by_prefix": [path.name]}

        return peers._kept("exodus", path, run)

    assert ask(first) == ask(same) == {"trackers": [], "by_prefix": ["a.apk"]}
    assert ask(other)["by_prefix"] == ["c.apk"]
    assert asked == ["a.apk", "c.apk"]


def test_a_program_that_fails_or_hangs_gives_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert peers._output(["sh", "-c", "echo found"]) == "found\n"
    assert peers._output(["sh", "-c", "echo found; exit 3"]) is None
    monkeypatch.setattr(peers, "TIMEOUT_SECONDS", 0.05)
    assert peers._output(["sleep", "5"]) is None


def test_a_few_of_each_style_and_use_are_asked() -> None:
    android = [
        replace(made("android"), id=f"a{number}", style=style, use=use)
        for number, (style, use) in enumerate([("d8", "payment")] * 3 + [("d8", "one-call")] * 3 + [("r8", "payment")])
    ]
    ios = [
        replace(made("ios"), id=f"i{number}", style=style, encrypted=encrypted, use=f"use {number}")
        for number, (style, encrypted) in enumerate(
            [("plain", False)] * 4 + [("plain", True)] * 3 + [("object", False)]
        )
    ]
    chosen = [case.id for case in sampled([*ios, *android], {"android": 2, "ios": 1})]
    assert chosen == ["a0", "a1", "a3", "a4", "a6", "i0", "i4", "i7"]
