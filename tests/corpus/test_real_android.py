"""Real Android apps read as aapt2, androguard, apksigner and dexdump read them, without a false alarm."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import warnings
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from auditor import audit
from auditor.model import App, Audit, FactKind, Grade, Problem, Role, SigningState, Verdict
from tests.corpus.registry import Package, Real

pytestmark = pytest.mark.corpus

AIRTEST = Package("airtest==1.4.3", "6208e83ca8d3618e32b8eee23b3e857a0077cd59accf158dd567a81df2a3b84c")
SNIPPET = Package("snippet-uiautomator==1.1.2", "b5eaa53daa20e38015fc20a43624625b7681e4aa8b1947caa8fbecb3a4349101")
AUTOMATOR = Package("uiautomator==1.0.2", "48a41c36f8347b643ff215d41b73ab2b4f542a0e3f7b110b85f7952b70742744")
AUTOMATOR2 = Package("uiautomator2==3.7.1", "55ccc16f7c52d3035dbc14e1400524e76510dc353f9fc4a0bfa85bf58c51cc67")
SETTINGS = Package("io.appium.settings@8.0.10", "1903bba3c16b387af259c79bd7eac26e905b5b7b016702aa25644fe673ff0b2d")
DEMOS1 = Package("android-apidemos@1.1.2", "6114fa3c5ccfcf8b1d8a7bf0ca519ca05f6f3159cb25017482a7731550dd6e2b")
DEMOS5 = Package("android-apidemos@5.0.0", "8efe4f6cef47fba151718e2471dc1c8ac9a37623841a2485e65752222253b39c")
BOOTSTRAP = Package("android-app-bootstrap@1.0.8", "662b20ff7b6808fdc2c1287d584b4b85f87b2ceb134a9124204be9f5ccac9585")
STF = Package("@devicefarmer/stf@3.7.9", "f4d5b79fc326eaf695d0e51fd987763ad6dc5e6a7dce7175ff1f827bed4fcec9")

YOSEMITE = Real(AIRTEST, "airtest-1.4.3/airtest/core/android/static/apks/Yosemite.apk", "com.netease.nie.yosemite")
DEMOS = Real(DEMOS5, "package/apks/ApiDemos-debug.apk", "io.appium.android.apis")
APPIUM = Real(SETTINGS, "package/apks/settings_apk-debug.apk", "io.appium.settings")
SNIPPETS = Real(
    SNIPPET,
    "snippet-uiautomator-1.1.2/snippet_uiautomator/android/app/uiautomator.apk",
    "com.google.android.mobly.snippet.uiautomator",
)
U2 = Real(AUTOMATOR2, "uiautomator2/assets/u2.jar", "com.github.uiautomator")
ATX = Real(AUTOMATOR2, "uiautomator2/assets/app-uiautomator.apk", "com.github.uiautomator")
SERVICE = Real(STF, "package/vendor/STFService/STFService.apk", "jp.co.cyberagent.stf")
LIBS = "uiautomator-1.0.2/uiautomator/libs/"
APPS = (
    YOSEMITE,
    Real(AIRTEST, "airtest-1.4.3/airtest/core/android/static/apks/maxpresent.jar", "com.netease.maxpresent"),
    SNIPPETS,
    Real(AUTOMATOR, f"{LIBS}app-uiautomator.apk", "com.github.uiautomator"),
    Real(AUTOMATOR, f"{LIBS}app-uiautomator-androidx.apk", "com.github.uiautomator"),
    Real(AUTOMATOR, f"{LIBS}app-uiautomator-test.apk", "com.github.uiautomator.test"),
    Real(AUTOMATOR, f"{LIBS}app-uiautomator-test-androidx.apk", "com.github.uiautomator.test"),
    U2,
    ATX,
    APPIUM,
    Real(DEMOS1, "package/bin/ApiDemos-debug.apk", "io.appium.android.apis"),
    DEMOS,
    Real(
        BOOTSTRAP,
        "package/android_app_bootstrap/build/outputs/apk/android_app_bootstrap-debug.apk",
        "com.github.android_app_bootstrap",
    ),
    SERVICE,
)
DUMPED = (SNIPPETS, U2, ATX, APPIUM, DEMOS, SERVICE)
"""Apps whose classes are compared, with one to nine DEX files."""
SIGNED_FOR_24 = {"app-uiautomator-androidx.apk", "app-uiautomator-test-androidx.apk"}
"""Signed by scheme v2 alone although they name an older Android, which knows v1 only: apksigner asks for both there."""
every_app = pytest.mark.parametrize("real", APPS, ids=str)


@cache
def audited(path: Path) -> tuple[tuple[Audit, ...], tuple[Problem, ...]]:
    problems: list[Problem] = []
    return tuple(audit(path, problems=problems)), tuple(problems)


def app_of(real: Real) -> App:
    return audited(real.path())[0][0].app


def output_of(*command: str | Path) -> tuple[int, str]:
    """What a tool prints, its warnings left out; skips where the tool is missing."""
    if shutil.which(str(command[0])) is None:
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run(command, capture_output=True, check=False)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def first(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.MULTILINE)
    return found.group(1) if found else ""


def identity(app: App) -> dict[str, str]:
    return {
        "id": app.app_id,
        "version": app.version,
        "version code": app.version_code,
        "label": app.label,
        "min sdk": app.min_sdk,
        "target sdk": app.target_sdk,
    }


@every_app
def test_the_app_is_found_whole_and_clean(real: Real) -> None:
    audits, problems = audited(real.path())
    assert problems == ()
    assert audits[0].app.app_id == real.app_id
    for found in audits:
        assert found.problems == ()
        assert found.findings == ()
        assert {answer.verdict for answer in found.answers} == {Verdict.NOT_FOUND}


@pytest.mark.tools
@every_app
def test_the_identity_is_the_one_aapt2_reads(real: Real) -> None:
    _, text = output_of("aapt2", "dump", "badging", real.path())
    assert identity(app_of(real)) == {
        "id": first(r"^package: name='([^']*)'", text),
        "version": first(r"^package: .*versionName='([^']*)'", text),
        "version code": first(r"^package: .*versionCode='([^']*)'", text),
        "label": first(r"^application-label:'(.*)'$", text),
        "min sdk": first(r"^(?:minSdkVersion|sdkVersion):'([^']*)'", text),
        "target sdk": first(r"^targetSdkVersion:'([^']*)'", text),
    }


@pytest.mark.tools
@every_app
def test_labels_in_other_languages_are_those_aapt2_reads(real: Real) -> None:
    _, text = output_of("aapt2", "dump", "badging", real.path())
    read = dict(re.findall(r"^application-label-([^:]+):'(.*)'$", text, re.MULTILINE))
    for locale, label in app_of(real).labels:
        assert locale == "" or read[locale] == label


@every_app
def test_the_identity_is_the_one_androguard_reads(real: Real) -> None:
    apk = by_androguard(real.path())
    assert identity(app_of(real)) == {
        "id": apk.get_package(),
        "version": apk.get_androidversion_name() or "",
        "version code": apk.get_androidversion_code() or "",
        "label": apk.get_app_name() or "",
        "min sdk": apk.get_min_sdk_version() or "",
        "target sdk": apk.get_target_sdk_version() or "",
    }


def by_androguard(path: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from androguard.core.apk import APK
        from loguru import logger

        logger.disable("androguard")
        return APK(str(path))


@pytest.mark.tools
@every_app
def test_the_signature_is_judged_as_by_apksigner(real: Real) -> None:
    signing = app_of(real).signing
    level = ["--min-sdk-version", "24"] if real.path().name in SIGNED_FOR_24 else []
    code, text = output_of("apksigner", "verify", "--verbose", "--print-certs", *level, real.path())
    assert (signing.state is SigningState.VERIFIED) is (code == 0)
    assert {item.sha256 for item in signing.signers} == set(
        re.findall(r"certificate SHA-256 digest: ([0-9a-f]{64})", text)
    )
    assert signing.scheme in re.findall(r"^Verified using (v[\d.]+) scheme .*: true$", text, re.MULTILINE)


@pytest.mark.tools
@pytest.mark.parametrize("real", DUMPED, ids=str)
def test_the_classes_are_those_dexdump_lists(real: Real, tmp_path: Path) -> None:
    found = audited(real.path())[0][0]
    ours = {item.origin.path[-1]: list(item.values) for item in found.extraction.of(FactKind.DEX_CLASS)}
    assert ours
    with zipfile.ZipFile(real.path()) as archive:
        names = [name for name in archive.namelist() if re.fullmatch(r"classes\d*\.dex", name)]
        assert set(ours) == set(names)
        for name in names:
            dex = tmp_path / name
            dex.write_bytes(archive.read(name))
            _, text = output_of("dexdump", dex)
            listed = re.findall(r"^  Class descriptor +: 'L(.*);'$", text, re.MULTILINE)
            assert ours[name] == sorted(item.replace("/", ".") for item in listed)


def test_an_app_that_only_names_the_designated_apps_is_no_finding() -> None:
    found = audited(YOSEMITE.path())[0][0]
    grades = {(item.subject, item.role): item.grade for answer in found.answers for item in answer.matches}
    assert grades[("alipay", Role.SDK)] is Grade.MENTIONED
    assert grades[("wechat", Role.SDK)] is Grade.MENTIONED
    assert not [key for key, grade in grades.items() if grade.is_finding and key[1] is not Role.VENDOR]


def test_the_browser_kit_of_the_same_vendor_is_shown_apart() -> None:
    found = audited(YOSEMITE.path())[0][0]
    vendors = {item.signature for answer in found.answers for item in answer.matches if item.role is Role.VENDOR}
    assert "tencent-tbs-android" in vendors


def test_an_app_inside_an_app_is_an_app_of_its_own() -> None:
    outer, inner = audited(DEMOS.path())[0]
    assert inner.app.app_id == "com.example.android.helloactivity"
    assert inner.app.parent == outer.app.origin
    assert str(inner.app.origin) == "ApiDemos-debug.apk!assets/HelloActivity.apk"


def test_androguard_is_not_needed_for_ordinary_apps() -> None:
    path = SERVICE.path()
    code = f"import sys; from auditor import audit; list(audit({str(path)!r})); sys.exit('androguard' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
