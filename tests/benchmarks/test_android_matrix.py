"""The Android matrix holds every SDK build, shrinker and use that it promises, and its truths are those of the app."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from benchmarks.accuracy import android, android_tools
from benchmarks.accuracy.android import ALIPAY_COMPONENTS, HOST, USES, Plan, is_refused, plans, shrink_jobs
from benchmarks.accuracy.android_rules import AAR_RULES, BARE, SHRINKERS, STYLES, UNSHRUNK, VENDOR_RULES, Style
from benchmarks.accuracy.android_sdks import ALIPAY, ALL, QQ, TRIPLES, WECHAT, Triple
from benchmarks.accuracy.android_tools import DebianPackage, ToolError, Workshop
from benchmarks.accuracy.android_truth import FAMILY_PACKAGES
from benchmarks.accuracy.registry import OutOfReachError, Package, SdkBuild

FULL = tuple(plans(slice=False))
SLICE = tuple(plans(slice=True))


def test_every_build_of_every_family_goes_into_some_host() -> None:
    assert (len(ALIPAY), len(WECHAT), len(QQ)) == (8, 3, 3)
    assert {build for triple in TRIPLES for build in triple.builds} == set(ALL)
    assert all([build.family for build in triple.builds] == list(FAMILY_PACKAGES) for triple in TRIPLES)


def test_builds_are_pinned_and_distinct() -> None:
    assert len({(build.family, build.version) for build in ALL}) == len(ALL)
    assert len({(build.package.sha256, build.member) for build in ALL}) == len(ALL)
    assert all(re.fullmatch("[0-9a-f]{64}", build.package.sha256) for build in ALL)
    assert all(re.fullmatch("[0-9a-f]{64}", pin) for pin in android_tools.PINS)


def test_wechat_and_qq_builds_are_paired_in_more_than_one_way() -> None:
    assert len({(triple.wechat.version, triple.qq.version) for triple in TRIPLES}) >= 6


def test_every_shrinker_meets_every_use_and_every_triple() -> None:
    made = {(plan.triple.name, plan.style.name, plan.use) for plan in FULL}
    assert len(made) == len(FULL) == len({plan.id for plan in FULL})
    for triple in TRIPLES:
        assert (triple.name, "d8", "everything") in made
        wanted = {Plan(triple, style, use) for style in SHRINKERS for use in USES}
        assert {(plan.triple.name, plan.style.name, plan.use) for plan in wanted if not is_refused(plan)} <= made
        assert len({plan.style.name for plan in wanted if is_refused(plan)}) <= 1
    assert len(SHRINKERS) >= 8
    assert len(FULL) > 200


def test_some_apps_declare_nothing() -> None:
    bare = [plan for plan in FULL if not plan.style.declared]
    assert {plan.style for plan in bare} == set(BARE)
    assert {plan.use for plan in bare} == set(USES)


def test_the_slice_is_a_small_part_of_the_matrix() -> None:
    assert set(SLICE) < set(FULL)
    assert len(SLICE) <= 24
    assert {plan.style.tool for plan in SLICE} == {"d8", "r8", "proguard"}
    assert len({plan.style.name for plan in SLICE}) >= 5


def test_ids_are_names_of_folders() -> None:
    assert all(re.fullmatch(r"[A-Za-z0-9.-]+", plan.id) for plan in FULL)


@pytest.mark.parametrize("style", STYLES.values(), ids=list(STYLES))
def test_the_launcher_is_always_kept_and_components_where_they_are_declared(style: Style) -> None:
    config = style.config(("com.vendor.PayActivity",))
    assert f"-keep class {HOST}.MainActivity {{ <init>(); }}" in config
    expected = style.components_kept and style.declared
    assert ("-keep class com.vendor.PayActivity { <init>(); }" in config) is expected


def test_only_the_styles_that_say_so_keep_vendor_classes() -> None:
    keeping = {style.name for style in STYLES.values() if "-keep class com.tencent.mm" in style.rules}
    assert keeping == {"proguard-keep", "r8-vendor-rules"}
    assert "com.tencent" not in AAR_RULES
    assert "com.alipay.sdk.app.PayTask" in AAR_RULES
    assert "com.tencent.mm.opensdk.**" in VENDOR_RULES


def test_r8_writes_its_mapping_and_knows_its_mode() -> None:
    _, jobs = shrink_jobs(STYLES["r8-compat"], "out", "platform.jar", ["host.jar", "sdk.jar"])
    assert len(jobs) == 1
    assert jobs[0][0] == "r8"
    assert "--pg-compat" in jobs[0]
    assert jobs[0][jobs[0].index("--pg-map-output") + 1] == "out/mapping.txt"
    assert "--pg-compat" not in shrink_jobs(STYLES["r8-full"], "out", "platform.jar", ["host.jar"])[1][0]


def test_proguard_is_followed_by_the_dexer() -> None:
    more, jobs = shrink_jobs(STYLES["proguard-flatten"], "out", "platform.jar", ["host.jar", "sdk.jar"])
    assert [job[0] for job in jobs] == ["proguard", "d8"]
    assert jobs[1][-1] == "out/shrunk.jar"
    assert '-injars "host.jar"\n-injars "sdk.jar"\n' in more
    assert '-printmapping "out/mapping.txt"' in more


def test_without_a_shrinker_there_is_no_mapping() -> None:
    more, jobs = shrink_jobs(UNSHRUNK, "out", "platform.jar", ["host.jar"])
    assert more == ""
    assert [job[0] for job in jobs] == ["d8"]
    assert "--pg-conf" not in jobs[0]


def jar_of(*names: str) -> bytes:
    return android_tools.archive.pack({name.replace(".", "/") + ".class": b"" for name in names})


@pytest.fixture
def invented(monkeypatch: pytest.MonkeyPatch) -> Triple:
    """Three SDKs that exist nowhere."""
    package = Package("invented", "1", "0" * 64)
    triple = Triple(*(SdkBuild(family, "1", package, f"{family}.jar") for family in FAMILY_PACKAGES))
    jars = {
        "alipay.jar": jar_of("com.alipay.sdk.app.H5PayActivity", "com.alipay.sdk.app.PayTask"),
        "wechat.jar": jar_of("com.tencent.mm.sdk.openapi.WXAPIFactory"),
        "tencent-qq.jar": jar_of("com.tencent.tauth.Tencent"),
    }
    monkeypatch.setattr(android, "classes_jar", lambda build: jars[build.member])
    android.components_of.cache_clear()
    return triple


def test_components_that_a_build_does_not_have_are_not_declared(invented: Triple) -> None:
    declared = android.components_of(invented, UNSHRUNK)
    assert [name for name in declared if name in ALIPAY_COMPONENTS] == ["com.alipay.sdk.app.H5PayActivity"]
    assert f"{HOST}.wxapi.WXPayEntryActivity" in declared
    assert "com.tencent.tauth.AuthActivity" in declared
    assert android.components_of(invented, BARE[0]) == ()


def test_the_host_speaks_to_the_package_that_its_build_has(invented: Triple, monkeypatch: pytest.MonkeyPatch) -> None:
    for use in USES:
        old = "".join(android.host_sources(invented, use).values())
        assert "com.tencent.mm.sdk." in old
        assert "com.tencent.mm.opensdk." not in old
    monkeypatch.setattr(android, "classes_jar", lambda build: jar_of("com.tencent.mm.opensdk.openapi.WXAPIFactory"))
    assert "com.tencent.mm.opensdk." in "".join(android.host_sources(invented, "payment").values())


def test_the_manifest_declares_what_the_vendors_ask_for(invented: Triple) -> None:
    text = android.manifest_xml(android.host_app(android.components_of(invented, UNSHRUNK)))
    for name in ("com.alipay.sdk.app.H5PayActivity", "com.tencent.tauth.AuthActivity", ".wxapi.WXEntryActivity"):
        assert f'{name}"' in text
    assert 'android:scheme="tencent222222"' in text
    bare = android.manifest_xml(android.host_app(()))
    assert "com.alipay" not in bare
    assert "tencent" not in bare


def test_another_style_use_or_build_is_another_app(invented: Triple) -> None:
    plans_ = [Plan(invented, style, use) for style in (*SHRINKERS, *BARE) for use in USES]
    assert len({android.build_key(plan) for plan in plans_}) == len(plans_)
    other = Triple(SdkBuild("alipay", "2", Package("other", "1", "1" * 64), "alipay.jar"), invented.wechat, invented.qq)
    plan = Plan(invented, UNSHRUNK, "payment")
    assert android.build_key(Plan(other, UNSHRUNK, "payment")) != android.build_key(plan)
    assert android.build_key(plan) == android.build_key(plan)


def test_only_apps_made_of_the_same_inputs_are_taken(
    invented: Triple, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(android, "FOLDER", tmp_path)
    plan = Plan(invented, UNSHRUNK, "payment")
    with Workshop() as workshop:
        builder = android.Builder(workshop)
        assert not builder.holds(plan)
        (tmp_path / plan.id).mkdir()
        record = tmp_path / plan.id / "case.json"
        record.write_text(json.dumps({"build": "of other inputs"}))
        assert not builder.holds(plan)
        truth = {"family": "alipay", "version": "1", "classes": 3, "named": 2, "states": ""}
        made = {"build": android.build_key(plan), "truth": android.truth_key(), "truths": [truth]}
        record.write_text(json.dumps(made))
        assert builder.holds(plan)
        case = builder.case(plan)
    assert (case.style, case.use, case.path) == ("d8", "payment", tmp_path / plan.id / "app.apk")
    assert [(item.family, item.classes, item.named) for item in case.truths] == [("alipay", 3, 2)]


def test_a_package_with_other_bytes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(android_tools, "STORE", tmp_path)
    monkeypatch.setattr(android_tools.shutil, "which", lambda name: name)
    package = DebianPackage("invented", "suite", "0" * 64, "usr/share/x.jar")

    def download(self: DebianPackage, folder: Path) -> None:
        folder.mkdir(parents=True)
        (folder / "invented_1_all.deb").write_bytes(b"other")

    monkeypatch.setattr(DebianPackage, "_download", download)
    with pytest.raises(ValueError, match="not the pinned package"):
        package.fetch()


def test_a_package_that_nobody_offers_is_out_of_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(android_tools, "STORE", tmp_path)
    monkeypatch.setattr(android_tools.shutil, "which", lambda name: name)
    monkeypatch.setattr(DebianPackage, "_download", lambda self, folder: None)
    with pytest.raises(OutOfReachError, match="cannot be fetched"):
        DebianPackage("invented", "suite", "0" * 64, "x.jar").fetch()
    monkeypatch.setattr(android_tools.shutil, "which", lambda name: None)
    with pytest.raises(OutOfReachError, match="not installed"):
        DebianPackage("invented", "suite", "0" * 64, "x.jar").fetch()


def test_a_package_is_fetched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(android_tools, "STORE", tmp_path)
    path = tmp_path / "debian" / "invented" / "root" / "x.jar"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")
    assert DebianPackage("invented", "suite", "0" * 64, "x.jar").fetch() == path


def classes_by_androguard(path: Path) -> set[str]:
    from androguard.core.apk import APK
    from androguard.core.dex import DEX

    names = {item for data in APK(str(path)).get_all_dex() for item in DEX(data).get_classes_names()}
    return {name[1:-1].replace("/", ".") for name in names}


needs_tools = pytest.mark.skipif(
    bool(android_tools.missing()), reason=f"tools are missing: {', '.join(android_tools.missing())}"
)


@pytest.mark.vendor
@needs_tools
@pytest.mark.parametrize("style", ["d8", "r8-full-repackage", "proguard-repackage"])
def test_the_truth_of_an_app_is_what_another_reader_finds(style: str) -> None:
    plan = next(plan for plan in SLICE if plan.style.name == style)
    with Workshop() as workshop:
        case = android.Builder(workshop).case(plan)
        again = android.Builder(workshop).case(plan)
    assert case == again
    assert case.path.is_file()
    defined = classes_by_androguard(case.path)
    sources = dict(
        reversed(line.removesuffix(":").split(" -> "))
        for line in (case.path.with_name("mapping.txt").read_text().splitlines() if style != "d8" else ())
        if not line.startswith((" ", "#"))
    )
    for truth, packages in zip(case.truths, FAMILY_PACKAGES.values(), strict=True):
        origins = {name: sources.get(name, name) for name in defined}
        real = [name for name, origin in origins.items() if origin.startswith(packages) and "$$" not in origin]
        real = [name for name in real if not origins[name].endswith("UnboxingSharedUtility")]
        assert truth.classes == len(real)
        assert truth.named == sum(origins[name] == name for name in real)
        assert truth.embedded
    if style == "d8":
        assert all(truth.named == truth.classes and truth.states for truth in case.truths)
        listed = subprocess.run(["dexdump", str(case.path)], capture_output=True, text=True, check=True).stdout
        assert listed.count("Class descriptor  : 'Lcom/alipay/sdk/") > 50
    else:
        assert all(truth.named < truth.classes for truth in case.truths)


@pytest.mark.vendor
@needs_tools
def test_a_tool_that_refuses_its_job_says_why_and_the_next_job_runs(tmp_path: Path) -> None:
    (tmp_path / "Bad.java").write_text("class Bad {")
    (tmp_path / "Good.java").write_text("class Good {}")
    with Workshop() as workshop:
        with pytest.raises(ToolError, match="javac"):
            workshop.run("javac", "-d", tmp_path, tmp_path / "Bad.java")
        with pytest.raises(ToolError, match="no tool called x9"):
            workshop.run("x9")
        assert workshop.run("javac", "-d", tmp_path, tmp_path / "Good.java") >= 0
    assert (tmp_path / "Good.class").is_file()


@pytest.mark.vendor
@needs_tools
def test_a_machine_that_died_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Good.java").write_text("class Good {}")
    with Workshop() as workshop:
        monkeypatch.setattr(android_tools, "JOB_SECONDS", 0)
        with pytest.raises(ToolError, match="stopped without an answer"):
            workshop.run("javac", "-d", tmp_path, tmp_path / "Good.java")
        monkeypatch.undo()
        assert workshop.run("javac", "-d", tmp_path, tmp_path / "Good.java") >= 0
