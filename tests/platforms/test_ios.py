"""An iOS bundle is one app with its frameworks, extensions, watch app and clips; what is hidden in it is named."""

from __future__ import annotations

import os
import plistlib
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from auditor import Audit, Catalog, Problem, Run, Verdict, load_catalog
from auditor.limits import DEFAULT, Limits
from auditor.model import FactKind
from tests.builders.apps import apk, archive, bundle, declared, info_plist, ipa, put
from tests.builders.code_signature import code_directory, signed_data, super_blob
from tests.builders.macho import DYLIB, Image, ar, encrypt, fat
from tests.builders.zips import Member, build_zip

SDK = Image(classes=["WXApi", "SendAuthReq", "BaseReq", "PayReq", "WXMediaMessage", "WechatAuthSDK"]).build()
PLAIN = Image(classes=["Main"]).build()
RECORD = plistlib.dumps({"itemId": 414478124, "softwareVersionBundleId": "com.example.store", "artistName": "Seller"})


@cache
def catalog() -> Catalog:
    return load_catalog()


def scan(folder: Path, data: bytes, limits: Limits = DEFAULT) -> tuple[list[Audit], tuple[Problem, ...]]:
    run = Run([put(folder, {"a.ipa": data}) / "a.ipa"], catalog(), date(2026, 11, 1), limits)
    return list(run), run.problems


def one(folder: Path, files: dict[str, bytes], beside: dict[str, bytes] | None = None, **more: object) -> Audit:
    (audit,), _ = scan(folder, ipa(bundle(files, **more), beside))
    return audit


def verdict(audit: Audit, subject: str = "wechat") -> Verdict:
    return next(answer.verdict for answer in audit.answers if answer.subject == subject)


def codes(audit: Audit) -> list[str]:
    return [problem.code.value for problem in audit.problems]


def values(audit: Audit, kind: FactKind) -> set[str]:
    return {value for item in audit.extraction.of(kind) for value in item.values}


PLACES = {
    "the executable": {"App": SDK},
    "a framework": {"Frameworks/X.framework/X": SDK, "Frameworks/X.framework/Info.plist": info_plist("x", "X")},
    "a library": {"Frameworks/libx.dylib": SDK},
    "an extension": {"PlugIns/X.appex/X": SDK, "PlugIns/X.appex/Info.plist": info_plist("com.example.x", "X")},
    "a framework of an extension": {"PlugIns/X.appex/Frameworks/Y.framework/Y": SDK},
    "a watch app": {"Watch/W.app/W": SDK, "Watch/W.app/Info.plist": info_plist("com.example.w", "W")},
    "an extension of a watch app": {"Watch/W.app/PlugIns/E.appex/E": SDK},
    "an app clip": {"AppClips/C.app/C": SDK, "AppClips/C.app/Info.plist": info_plist("com.example.c", "C")},
    "a file of any name": {"data/a.png": SDK},
    "a static library": {"libx.a": ar([("a.o", SDK)])},
    "one slice of a fat file": {"App": fat([((0x0100000C, 0), PLAIN), ((12, 9), SDK)])},
}


class TestOneApp:
    @pytest.mark.parametrize("place", PLACES)
    def test_code_in_any_part_belongs_to_the_app(self, tmp_path: Path, place: str) -> None:
        audit = one(tmp_path, PLACES[place])
        assert audit.app.app_id == "com.example.ios"
        assert verdict(audit) is Verdict.PRESENT

    def test_parts_are_named_with_their_ids(self, tmp_path: Path) -> None:
        files = {**PLACES["an extension"], **PLACES["a watch app"], **PLACES["an app clip"]}
        audit = one(tmp_path, files)
        assert [(part.kind.value, part.name) for part in audit.app.parts] == [
            ("bundle", ""),
            ("clip", "com.example.c"),
            ("extension", "com.example.x"),
            ("watch", "com.example.w"),
        ]

    def test_the_id_of_a_part_is_not_that_of_the_app(self, tmp_path: Path) -> None:
        part = {"PlugIns/X.appex/X": PLAIN, "PlugIns/X.appex/Info.plist": info_plist("com.tencent.xin", "X")}
        audit = one(tmp_path, part)
        assert values(audit, FactKind.APP_ID) == {"com.example.ios"}
        assert verdict(audit) is Verdict.NOT_FOUND

    def test_a_folder_and_an_archive_of_it_say_the_same(self, tmp_path: Path) -> None:
        files = bundle(PLACES["a framework"])
        (folder,) = Run([put(tmp_path / "App.app", files)], catalog(), date(2026, 11, 1))
        (packed,), _ = scan(tmp_path, ipa(files))
        assert [item.verdict for item in folder.answers] == [item.verdict for item in packed.answers]
        assert (codes(folder), codes(packed)) == ([], [])

    def test_the_build_of_a_folder_depends_on_names_and_contents_only(self, tmp_path: Path) -> None:
        builds = []
        for name, files in (("a", bundle()), ("b", dict(reversed(bundle().items()))), ("c", bundle({"x": b""}))):
            (audit,) = Run([put(tmp_path / name / "App.app", files)], catalog(), date(2026, 11, 1))
            builds.append(audit.app.build)
        assert builds[0] == builds[1] != builds[2]

    def test_an_app_inside_is_one_of_its_own(self, tmp_path: Path) -> None:
        audits, _ = scan(tmp_path, ipa(bundle({"res/a.bin": apk(declared("com.inner"))})))
        assert [(item.app.app_id, str(item.app.parent)) for item in audits] == [
            ("com.example.ios", "None"),
            ("com.inner", "a.ipa"),
        ]

    def test_more_apps_inside_than_the_limit_are_named(self, tmp_path: Path) -> None:
        files = bundle({f"{number}.bin": apk(declared(f"com.a{number}")) for number in range(3)})
        audits, _ = scan(tmp_path, ipa(files), replace(DEFAULT, nested_apps=2))
        assert len(audits) == 3
        assert codes(audits[0]) == ["limit-reached"]

    def test_archives_nested_deeper_than_the_limit_are_named(self, tmp_path: Path) -> None:
        data = SDK
        for _ in range(3):
            data = archive({"x": data})
        deep, _ = scan(tmp_path, ipa(bundle({"a.zip": data})), replace(DEFAULT, container_depth=2))
        enough, _ = scan(tmp_path, ipa(bundle({"a.zip": data})), replace(DEFAULT, container_depth=3))
        assert (codes(deep[0]), verdict(deep[0])) == (["limit-reached"], Verdict.UNKNOWN)
        assert (codes(enough[0]), verdict(enough[0])) == ([], Verdict.PRESENT)


class TestIdentity:
    def test_versions_labels_and_systems(self, tmp_path: Path) -> None:
        strings = plistlib.dumps({"CFBundleDisplayName": "商店"}, fmt=plistlib.FMT_BINARY)
        files = {
            "zh-Hans.lproj/InfoPlist.strings": strings,
            "de.lproj/InfoPlist.strings": b'"CFBundleDisplayName" = "Laden";',
            "fr.lproj/InfoPlist.strings": plistlib.dumps({"CFBundleName": "Boutique"}),
            "es.lproj/InfoPlist.strings": plistlib.dumps(["x"]),
            "it.lproj/InfoPlist.strings": plistlib.dumps({"CFBundleName": 5, "x": "y"}),
        }
        named = {"CFBundleDisplayName": "Shop", "CFBundleName": "shop", "CFBundleShortVersionString": "1.2"}
        audit = one(tmp_path, files, **named, CFBundleVersion=77, MinimumOSVersion="15.0", DTPlatformVersion="17.2")
        app = audit.app
        assert (app.label, app.version, app.version_code, app.min_sdk, app.target_sdk) == (
            "Shop",
            "1.2",
            "77",
            "15.0",
            "17.2",
        )
        labels = dict(app.labels)
        assert {key: labels[key] for key in ("", "fr", "zh-Hans")} == {"": "Shop", "fr": "Boutique", "zh-Hans": "商店"}
        assert codes(audit) == []

    def test_the_store_record_fills_what_is_missing_and_adds_what_only_it_knows(self, tmp_path: Path) -> None:
        audit = one(tmp_path, {}, {"iTunesMetadata.plist": RECORD})
        assert dict(audit.app.attributes)["store_id"] == "414478124"
        assert values(audit, FactKind.STORE_ID) == {"414478124"}
        nameless, _ = scan(
            tmp_path,
            ipa(
                {"Info.plist": plistlib.dumps({"CFBundleExecutable": "App"}), "App": PLAIN},
                {"iTunesMetadata.plist": RECORD},
            ),
        )
        assert nameless[0].app.app_id == "com.example.store"

    def test_a_store_record_inside_the_bundle_counts_too(self, tmp_path: Path) -> None:
        assert values(one(tmp_path, {"iTunesMetadata.plist": RECORD}), FactKind.STORE_ID) == {"414478124"}

    def test_the_team_comes_from_the_signature_else_from_the_profile(self, tmp_path: Path) -> None:
        profile = signed_data(
            plistlib.dumps({"TeamIdentifier": ["PROFILE123"], "TeamName": "Example", "Name": "Ad Hoc"})
        )
        signature = super_blob(code_directory("com.example.ios", "SIGNED1234"))
        signed = Image(classes=["Main"], signature=signature).build()
        teams = [
            values(one(tmp_path, files), FactKind.TEAM_ID)
            for files in (
                {"embedded.mobileprovision": profile},
                {"embedded.mobileprovision": profile, "App": signed},
                {},
            )
        ]
        assert teams == [{"PROFILE123"}, {"SIGNED1234"}, set()]

    def test_schemes_of_the_app_and_of_its_parts_are_declarations(self, tmp_path: Path) -> None:
        part = {
            "PlugIns/X.appex/X": PLAIN,
            "PlugIns/X.appex/Info.plist": info_plist("x", "X", CFBundleURLTypes=[1, {}]),
        }
        types = [{"CFBundleURLSchemes": ["wx123", 5, ""]}, "x"]
        audit = one(tmp_path, part, CFBundleURLTypes=types, LSApplicationQueriesSchemes=["weixin", 7])
        assert values(audit, FactKind.URL_SCHEME) == {"wx123"}
        assert values(audit, FactKind.QUERIED_SCHEME) == {"weixin"}
        assert verdict(audit) is Verdict.NOT_FOUND

    def test_privacy_manifests_and_bundles_are_facts(self, tmp_path: Path) -> None:
        privacy = plistlib.dumps({"NSPrivacyTracking": True, "NSPrivacyTrackingDomains": ["t.example.com"]})
        audit = one(tmp_path, {"PrivacyInfo.xcprivacy": privacy, "X.bundle/a.png": b""})
        assert values(audit, FactKind.TRACKING_DOMAIN) == {"t.example.com"}
        assert values(audit, FactKind.BUNDLE) == {"X.bundle"}


DAMAGED = {
    "an encrypted executable": ({"App": encrypt(Image(classes=["Main"], cryptid=1).build())}, "macho-encrypted"),
    "a missing executable": ({"App": b""}, "macho-absent"),
    "an executable that is none": ({"App": b"#!/bin/sh"}, "macho-absent"),
    "a cut executable": ({"App": PLAIN[:200]}, "macho-damaged"),
    "a framework without its executable": ({"F/X.framework/Info.plist": info_plist("x", "X")}, "macho-absent"),
    "a framework whose executable is empty": (
        {"F/X.framework/Info.plist": info_plist("x", "X"), "F/X.framework/X": b""},
        "macho-absent",
    ),
    "an archive that cannot be listed": ({"x.zip": b"PK\x03\x04" + bytes(60)}, "archive-damaged"),
}
NOTED = {
    "a damaged property list of a part": ({"F/X.framework/Info.plist": b"?"}, "plist-damaged"),
    "a damaged profile": ({"embedded.mobileprovision": b"?"}, "profile-damaged"),
    "a damaged privacy manifest": ({"PrivacyInfo.xcprivacy": b"?"}, "profile-damaged"),
    "a damaged store record": ({"iTunesMetadata.plist": b"?"}, "profile-damaged"),
}


class TestWhatCannotBeRead:
    @pytest.mark.parametrize("case", DAMAGED)
    def test_hidden_code_leaves_the_answer_open(self, tmp_path: Path, case: str) -> None:
        files, code = DAMAGED[case]
        audit = one(tmp_path, files)
        assert code in codes(audit)
        assert verdict(audit) is Verdict.UNKNOWN

    @pytest.mark.parametrize("case", NOTED)
    def test_records_that_hide_no_code_leave_it_decided(self, tmp_path: Path, case: str) -> None:
        files, code = NOTED[case]
        audit = one(tmp_path, files)
        assert codes(audit) == [code]
        assert verdict(audit) is Verdict.NOT_FOUND

    def test_a_framework_without_a_named_executable_misses_none(self, tmp_path: Path) -> None:
        plist = plistlib.dumps({"CFBundleIdentifier": "x", "CFBundlePackageType": "FMWK"})
        assert codes(one(tmp_path, {"Frameworks/X.framework/Info.plist": plist})) == []

    @pytest.mark.parametrize("plist", [b"damaged", plistlib.dumps(["x"]), plistlib.dumps({"x": 1})])
    def test_an_app_whose_property_list_says_nothing_is_read_and_stays_open(self, tmp_path: Path, plist: bytes) -> None:
        (audit,), _ = scan(tmp_path, ipa({"Info.plist": plist, "App": SDK}))
        assert audit.app.app_id == ""
        assert "plist-damaged" in codes(audit)
        assert verdict(audit) is Verdict.PRESENT
        assert verdict(audit, "camscanner") is Verdict.UNKNOWN

    def test_a_bundle_without_a_property_list_is_read_all_the_same(self, tmp_path: Path) -> None:
        (audit,), _ = scan(tmp_path, ipa({"App": SDK}))
        assert "plist-damaged" in codes(audit)
        assert verdict(audit) is Verdict.PRESENT

    def test_property_lists_larger_than_the_limit_are_not_read(self, tmp_path: Path) -> None:
        files = {
            "iTunesMetadata.plist": RECORD,
            "de.lproj/InfoPlist.strings": plistlib.dumps({"CFBundleName": "x" * 999}),
        }
        limits = replace(DEFAULT, manifest_size=100)
        (audit,), _ = scan(tmp_path, ipa(bundle(files), {"iTunesMetadata.plist": RECORD}), limits)
        assert {"plist-damaged", "profile-damaged"} <= set(codes(audit))
        assert (audit.app.app_id, audit.app.label) == ("", "")

    def test_a_member_that_cannot_be_unpacked_may_be_code(self, tmp_path: Path) -> None:
        files = bundle({"data.bin": b""})
        members = [Member(f"Payload/App.app/{name}".encode(), content) for name, content in files.items()]
        members[-1] = Member(members[-1].name, bytes(999), packed=b"\xff" * 99)
        (audit,), _ = scan(tmp_path, build_zip(*members))
        assert (codes(audit), verdict(audit)) == (["member-unreadable"], Verdict.UNKNOWN)

    def test_an_archive_that_cannot_be_listed_in_full_leaves_its_app_open(self, tmp_path: Path) -> None:
        data = bytearray(ipa(bundle({"z": b""})))
        last = data.rindex(b"PK\x01\x02")
        data[last : last + 4] = b"XXXX"
        (audit,), _ = scan(tmp_path, bytes(data))
        assert ("archive-damaged" in codes(audit), verdict(audit)) == (True, Verdict.UNKNOWN)

    def test_a_file_of_a_folder_that_may_not_be_read_is_named(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        place = put(tmp_path / "App.app", bundle({"Frameworks/X.framework/X": SDK}))
        real = os.open

        def refuse(path: Path, *rest: int) -> int:
            if str(path).endswith("X.framework/X"):
                raise PermissionError(13, "Permission denied")
            return real(path, *rest)

        monkeypatch.setattr(os, "open", refuse)
        (audit,) = Run([place], catalog(), date(2026, 11, 1))
        assert [(item.code.value, str(item.origin)) for item in audit.problems] == [
            ("member-unreadable", "Frameworks/X.framework/X")
        ]
        assert verdict(audit) is Verdict.UNKNOWN

    def test_a_library_is_known_by_its_install_name_too(self, tmp_path: Path) -> None:
        library = Image(file_type=DYLIB, install_name="@rpath/Y.framework/Y").build()
        audit = one(tmp_path, {"Frameworks/libx.dylib": library})
        assert values(audit, FactKind.FRAMEWORK) == {"libx.dylib"}
