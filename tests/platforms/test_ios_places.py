"""An SDK is found wherever an iOS app keeps code; under FairPlay what is readable proves it, or it stays open."""

from __future__ import annotations

import plistlib
from collections.abc import Collection, Iterable
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from auditor import Audit, Catalog, Run, Verdict, load_catalog
from auditor.model import FactKind, Grade
from tests.builders.apps import bundle, info_plist, ipa, put
from tests.builders.macho import ARM64, ARMV7, DEFINED, DYLIB, LOCAL, UNDEFINED, Image, encrypt, fat
from tests.builders.swift import CLASS, MODULE, Context, SwiftImage

PLACES = {
    "the executable": "App",
    "a dynamic framework": "Frameworks/Shop.framework/Shop",
    "a framework inside a framework": "Frameworks/Shop.framework/Frameworks/Pay.framework/Pay",
    "a library": "Frameworks/libshop.dylib",
    "an extension": "PlugIns/Shop.appex/Shop",
    "an extension of the newer kind": "Extensions/Shop.appex/Shop",
    "a framework of an extension": "PlugIns/Shop.appex/Frameworks/Pay.framework/Pay",
    "a watch app": "Watch/Shop.app/Shop",
    "an extension of a watch app": "Watch/Shop.app/PlugIns/Shop.appex/Shop",
    "an app clip": "AppClips/Shop.app/Shop",
    "a framework of an app clip": "AppClips/Shop.app/Frameworks/Pay.framework/Pay",
    "resources on demand": "OnDemandResources/com.example.ios.level.assetpack/plugin",
    "a bundle with code": "Shop.bundle/Shop",
}
CLASSES = ["WXApi", "SendAuthReq", "WXMediaMessage"]
NAMED = [f"_OBJC_CLASS_$_{name}" for name in CLASSES]


def fairplay(image: Image) -> bytes:
    image.cryptid = 1
    return encrypt(image.build())


PROVEN = {
    "plain": Image(classes=CLASSES).build(),
    "plain, its pointers in chains": Image(classes=CLASSES, pointer_format=6).build(),
    "one slice of two": fat([(ARM64, Image(classes=["Main"]).build()), (ARMV7, Image(classes=CLASSES).build())]),
    "encrypted with exported classes": fairplay(Image(classes=CLASSES, exports=NAMED)),
    "encrypted with exports and chains": fairplay(Image(classes=CLASSES, exports=NAMED, pointer_format=6)),
    "encrypted with global symbols": fairplay(Image(classes=CLASSES, symbols=[(name, DEFINED) for name in NAMED])),
    "encrypted with local symbols": fairplay(Image(classes=CLASSES, symbols=[(name, LOCAL) for name in NAMED])),
    "decrypted": Image(classes=CLASSES, cryptid=0).build(),
}
OPEN = {
    "encrypted and stripped": fairplay(Image(classes=CLASSES, exports=["__mh_execute_header"])),
    "encrypted and stripped, its pointers in chains": fairplay(Image(classes=CLASSES, pointer_format=6)),
    "encrypted, the SDK merely used": fairplay(
        Image(classes=["Main"], symbols=[(name, UNDEFINED) for name in NAMED], chained_imports=(1, NAMED))
    ),
    "encrypted, no code of the SDK": fairplay(Image(classes=["Main"])),
    "one slice of two encrypted": fat([(ARM64, fairplay(Image(classes=CLASSES))), (ARMV7, Image().build())]),
    "cut off": Image(classes=CLASSES).build()[:0x4004],
}
ABSENT = {
    "other classes": Image(classes=["Main", "WXApiClient"]).build(),
    "the SDK merely used": Image(
        classes=["Main"], symbols=[(name, UNDEFINED) for name in NAMED], chained_imports=(1, NAMED), pointer_format=6
    ).build(),
    "encrypted without a name to hide": fairplay(Image(exports=["__mh_execute_header"])),
}


@cache
def catalog() -> Catalog:
    return load_catalog()


def audit(folder: Path, files: dict[str, bytes]) -> Audit:
    (found,) = Run([put(folder, {"a.ipa": ipa(bundle(files))}) / "a.ipa"], catalog(), date(2026, 11, 1))
    return found


def verdict(found: Audit, subject: str = "wechat") -> Verdict:
    return next(answer.verdict for answer in found.answers if answer.subject == subject)


def values(found: Audit, kind: FactKind) -> set[str]:
    return {value for item in found.extraction.of(kind) for value in item.values}


def crossed(states: Iterable[str], everywhere: Collection[str]) -> pytest.MarkDecorator:
    """Some states in every place, all others in two."""
    pairs = [
        (place, state)
        for state in states
        for place in (PLACES if state in everywhere else ("the executable", "a dynamic framework"))
    ]
    return pytest.mark.parametrize(("place", "state"), pairs)


@crossed(PROVEN, ("plain", "encrypted with exported classes"))
def test_what_a_readable_part_proves_is_present(tmp_path: Path, place: str, state: str) -> None:
    found = audit(tmp_path, {PLACES[place]: PROVEN[state]})
    assert verdict(found) is Verdict.PRESENT
    answer = next(answer for answer in found.answers if answer.subject == "wechat")
    assert answer.matches[0].grade is Grade.EMBEDDED
    assert {
        str(fact.origin).split("@")[0].endswith(PLACES[place]) for hit in answer.matches[0].hits for fact in hit.facts
    } == {True}


@crossed(OPEN, ("encrypted and stripped",))
def test_what_nothing_readable_proves_stays_open(tmp_path: Path, place: str, state: str) -> None:
    found = audit(tmp_path, {PLACES[place]: OPEN[state]})
    assert verdict(found) is Verdict.UNKNOWN
    assert {problem.code.value for problem in found.problems} <= {"macho-encrypted", "macho-damaged"}


@crossed(ABSENT, ("the SDK merely used",))
def test_what_was_read_in_full_is_not_found(tmp_path: Path, place: str, state: str) -> None:
    assert verdict(audit(tmp_path, {PLACES[place]: ABSENT[state]})) is Verdict.NOT_FOUND


def test_a_plain_framework_proves_beside_an_encrypted_program(tmp_path: Path) -> None:
    files = {"App": OPEN["encrypted and stripped"], "Frameworks/Shop.framework/Shop": PROVEN["plain"]}
    assert verdict(audit(tmp_path, files)) is Verdict.PRESENT


def test_the_name_of_the_sdk_s_own_framework_proves_whatever_is_inside(tmp_path: Path) -> None:
    files = {"Frameworks/WechatOpenSDK.framework/WechatOpenSDK": fairplay(Image(classes=CLASSES, file_type=DYLIB))}
    assert verdict(audit(tmp_path, files)) is Verdict.PRESENT


class TestSwift:
    IMAGE = SwiftImage(contexts=[Context(MODULE, "Shop"), Context(CLASS, "Cart", 0)], types=[(1, 0)])

    def test_types_are_facts_of_the_app(self, tmp_path: Path) -> None:
        files = {"Frameworks/Shop.framework/Shop": self.IMAGE.build(), "App": Image(classes=["_TtC3App4Main"]).build()}
        assert values(audit(tmp_path, files), FactKind.SWIFT_TYPE) == {"App.Main", "Shop.Cart"}

    def test_encrypted_types_are_hidden(self, tmp_path: Path) -> None:
        image = SwiftImage(contexts=self.IMAGE.contexts, types=[(1, 0)])
        (problem,) = audit(tmp_path, {"App": fairplay(image)}).problems
        assert problem.hidden == {FactKind.SWIFT_TYPE}


STRINGS = {
    "as WXApi spells it": (["https://itunes.apple.com/cn/app/id414478124?mt=8", "2.0.0", "&"], "2.0.0"),
    "as its other class spells it": (["weixinULAPI://", "1.8.7.1", "%02x"], "1.8.7.1"),
    "merged by the linker": (["returnFromApp", "sdkver", "%lu", "1.7.2", "|"], "1.7.2"),
    "only that of a library it holds": (["MTA instance started", "2.1.1", "unknown", "1.2.11", "x"], ""),
    "a number between other strings": (["weixinULAPI://", "https://", "2.1.1", "x"], ""),
    "a number that is longer": (["weixinULAPI://", "1.8.7.1.2.3", "x"], ""),
    "nothing but text": (["weixinULAPI://", "v1.8.7.1", "x"], ""),
}


class TestVersions:
    """Versions that parts of an app state."""

    @pytest.mark.parametrize(
        ("folder", "keys", "expected"),
        [
            ("Frameworks/Pay.framework", {"CFBundleShortVersionString": "1.2.3", "CFBundleVersion": "9"}, "1.2.3"),
            ("Frameworks/Pay.framework", {"CFBundleVersion": "9"}, "9"),
            ("Pay.bundle", {"CFBundleShortVersionString": "15.8.11"}, "15.8.11"),
            ("Frameworks/Pay.framework/Pay.bundle", {"CFBundleShortVersionString": "2.0"}, "2.0"),
            ("PlugIns/Pay.appex", {"CFBundleShortVersionString": "3.1"}, "3.1"),
            ("Watch/Pay.app", {"CFBundleShortVersionString": "4"}, "4"),
            ("Pay.bundle", {"CFBundleShortVersionString": " ", "CFBundleVersion": 7}, "7"),
        ],
    )
    def test_a_part_states_its_version(
        self, tmp_path: Path, folder: str, keys: dict[str, object], expected: str
    ) -> None:
        plist = plistlib.dumps({"CFBundleIdentifier": "com.example.pay", **keys}, fmt=plistlib.FMT_BINARY)
        found = audit(tmp_path, {f"{folder}/Info.plist": plist})
        assert values(found, FactKind.FILE_VERSION) == {f"{folder.rpartition('/')[2]} {expected}"}
        assert found.problems == ()

    @pytest.mark.parametrize(
        ("path", "content"),
        [
            ("Pay.bundle/Info.plist", b"damaged"),
            ("Pay.bundle/Info.plist", plistlib.dumps(["1.0"])),
            ("Pay.bundle/Info.plist", plistlib.dumps({"CFBundleVersion": True})),
            ("Pay.bundle/a/Info.plist", plistlib.dumps({"CFBundleVersion": "1"})),
            ("Pay/Info.plist", plistlib.dumps({"CFBundleVersion": "1"})),
            ("Pay.bundle/Info.plist", plistlib.dumps({"CFBundleExecutable": "Pay"})),
        ],
    )
    def test_what_states_none_states_none(self, tmp_path: Path, path: str, content: bytes) -> None:
        found = audit(tmp_path, {path: content})
        assert values(found, FactKind.FILE_VERSION) == set()
        assert found.problems == ()

    def test_the_app_s_own_version_is_its_identity(self, tmp_path: Path) -> None:
        files = bundle(CFBundleShortVersionString="1.0")
        (found,) = Run([put(tmp_path, {"a.ipa": ipa(files)}) / "a.ipa"], catalog(), date(2026, 11, 1))
        assert (found.app.version, values(found, FactKind.FILE_VERSION)) == ("1.0", set())

    @pytest.mark.parametrize("case", STRINGS)
    def test_the_wechat_sdk_is_told_by_the_strings_beside_its_version(self, tmp_path: Path, case: str) -> None:
        strings, expected = STRINGS[case]
        found = audit(tmp_path, {"App": Image(classes=CLASSES, strings=strings).build()})
        (match,) = next(answer for answer in found.answers if answer.subject == "wechat").matches
        assert match.version == expected

    def test_an_older_number_in_the_alipay_sdk_is_not_its_version(self, tmp_path: Path) -> None:
        strings = ["ts_callsp_type", "token", "15.8.03", "sdk_ver", "call_type", "15.8.11", "%@://alipayclient/?%@"]
        for texts, expected in ((strings, "15.8.11"), (strings[:4], "15.8.03"), (["iOS", "15.0.1", "x"], "")):
            found = audit(tmp_path, {"App": Image(classes=["AlipaySDK"], strings=texts).build()})
            (match,) = next(answer for answer in found.answers if answer.subject == "alipay").matches
            assert match.version == expected


@pytest.mark.parametrize(
    "folder",
    [
        "",
        "Pay.bundle/",
        "Frameworks/Pay.framework/",
        "Frameworks/Pay.framework/Pay.bundle/",
        "PlugIns/P.appex/X.bundle/",
    ],
)
def test_privacy_manifests_are_read_in_any_part(tmp_path: Path, folder: str) -> None:
    domains = {"NSPrivacyTrackingDomains": [f"{len(folder)}.example.com"]}
    apis = {"NSPrivacyAccessedAPITypes": [{"NSPrivacyAccessedAPIType": "NSPrivacyAccessedAPICategoryDiskSpace"}]}
    found = audit(tmp_path, {f"{folder}PrivacyInfo.xcprivacy": plistlib.dumps({**domains, **apis})})
    assert values(found, FactKind.TRACKING_DOMAIN) == {f"{len(folder)}.example.com"}
    assert values(found, FactKind.ACCESSED_API) == {"NSPrivacyAccessedAPICategoryDiskSpace"}


def test_a_declared_part_whose_code_is_missing_leaves_it_open(tmp_path: Path) -> None:
    files = {"PlugIns/Pay.appex/Info.plist": info_plist("com.example.pay", "Pay")}
    assert verdict(audit(tmp_path, files)) is Verdict.UNKNOWN
