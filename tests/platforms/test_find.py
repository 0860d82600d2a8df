"""What a file is, is decided by its content; what is no app is answered for where silence would be no answer."""

from __future__ import annotations

import os
import plistlib
import random
import struct
from dataclasses import replace
from pathlib import Path

import pytest

from auditor.containers.folder import Folder
from auditor.limits import DEFAULT, Limits
from auditor.model import Problem, ProblemCode
from auditor.platforms.candidate import AndroidBundle, AndroidSet, IosBundle
from auditor.platforms.find import find_in_folder
from auditor.platforms.layout import ios_roots
from auditor.platforms.search import Found, Search
from auditor.scan import open_argument
from tests.builders.apps import (
    aab,
    apk,
    archive,
    bundle,
    declared,
    deep_folders,
    dex,
    info_plist,
    ipa,
    put,
    signed,
    split,
)
from tests.builders.ext4 import Ext4Image
from tests.builders.zips import Member, build_zip

APK, IPA, AAB = apk(), ipa(bundle()), aab()
ANDROID, BUNDLE, IOS = "android", "bundle", "ios"


def kind(found: Found) -> str:
    names = {AndroidSet: ANDROID, AndroidBundle: BUNDLE, IosBundle: IOS}
    return found.code.value if isinstance(found, Problem) else names[type(found)]


def shown(found: list[Found]) -> list[tuple[str, str]]:
    return [(kind(item), str(item.origin)) for item in found]


def in_folder(place: Path, files: dict[str, bytes], limits: Limits = DEFAULT) -> list[tuple[str, str]]:
    folder = Folder(put(place, files), "", (), limits)
    return shown([*find_in_folder(folder, Search()), *folder.problems])


def asked(place: Path, name: str, data: bytes, limits: Limits = DEFAULT) -> list[tuple[str, str]]:
    """What comes of a file the user named."""
    put(place, {name: data})
    return shown(list(open_argument(place / name, name, Search(limits), several=False)))


class TestContentDecides:
    @pytest.mark.parametrize("name", ["a", "a.txt", "a.ipa", "a.apk", "A.APK", "a.zip", "a.png", "-", "支付宝"])
    @pytest.mark.parametrize(
        ("data", "expected"),
        [(APK, ANDROID), (IPA, IOS), (AAB, BUNDLE), (signed({"AndroidManifest.xml": declared()}), ANDROID)],
        ids=["apk", "ipa", "aab", "signed"],
    )
    def test_an_app_is_found_under_any_name(self, tmp_path: Path, name: str, data: bytes, expected: str) -> None:
        assert asked(tmp_path, name, data) == [(expected, name)]
        assert in_folder(tmp_path, {}) == [(expected, name)]

    @pytest.mark.parametrize("prefix", [b"x", b"#!/bin/sh\n", b"\x7fELF" + bytes(100), dex("a.B"), bytes(70_000)])
    def test_data_before_an_archive_does_not_hide_it(self, tmp_path: Path, prefix: bytes) -> None:
        data = build_zip(Member(b"AndroidManifest.xml", declared()), Member(b"classes.dex", dex("a.B")), prefix=prefix)
        assert asked(tmp_path, "a.bin", data) == [(ANDROID, "a.bin")]
        assert in_folder(tmp_path, {}) == [(ANDROID, "a.bin")]

    def test_an_archive_behind_a_dex_file_is_found_inside_an_archive_too(self, tmp_path: Path) -> None:
        janus = build_zip(Member(b"AndroidManifest.xml", declared()), prefix=dex("a.B"))
        assert asked(tmp_path, "a.zip", archive({"x": janus})) == [(ANDROID, "a.zip!x")]

    def test_an_android_library_is_no_app(self, tmp_path: Path) -> None:
        library = {"AndroidManifest.xml": b"<manifest/>", "classes.jar": archive({"a/B.class": b""})}
        assert asked(tmp_path, "a.aar", archive(library)) == []
        app = {**library, "AndroidManifest.xml": declared()}
        assert asked(tmp_path, "b.apk", archive({**app, "classes.dex": dex("a.B")})) == [(ANDROID, "b.apk")]
        assert asked(tmp_path, "c.apk", archive(app)) == [(ANDROID, "c.apk")]

    @pytest.mark.parametrize("decoy", ["AndroidManifest.xml", "base/manifest/AndroidManifest.xml", "BundleConfig.pb"])
    def test_an_android_file_beside_the_payload_does_not_hide_the_ios_app(self, tmp_path: Path, decoy: str) -> None:
        found = asked(tmp_path, "a.ipa", ipa(bundle(), {decoy: declared()}))
        assert (IOS, "a.ipa!Payload/App.app") in found
        assert len(found) == 2

    def test_an_ios_bundle_among_the_assets_of_an_android_app_is_no_payload(self, tmp_path: Path) -> None:
        data = apk(files={"assets/Payload/App.app/Info.plist": info_plist()})
        assert asked(tmp_path, "a.apk", data) == [(ANDROID, "a.apk")]


class TestIosBundles:
    def test_a_folder_with_the_property_list_of_an_application(self, tmp_path: Path) -> None:
        files = {f"deep/App/{name}": content for name, content in bundle({"x/y.txt": b""}).items()}
        folder = Folder(put(tmp_path, files), "", (), DEFAULT)
        (found,) = find_in_folder(folder, Search())
        assert isinstance(found, IosBundle)
        assert list(found.members) == ["App", "Info.plist", "x/y.txt"]
        assert shown([found]) == [(IOS, "deep/App")]
        assert found.whole is None

    def test_the_argument_itself_may_be_the_bundle(self, tmp_path: Path) -> None:
        assert in_folder(tmp_path / "My.app", bundle()) == [(IOS, "My.app")]

    def test_everything_below_a_bundle_belongs_to_it(self, tmp_path: Path) -> None:
        assert in_folder(tmp_path / "My.app", bundle({"inner/a.apk": APK})) == [(IOS, "My.app")]

    @pytest.mark.parametrize(
        ("name", "plist", "expected"),
        [
            ("App", info_plist(), True),
            ("App", plistlib.dumps({"CFBundleIdentifier": "a"}), False),
            ("App.app", plistlib.dumps({"CFBundleIdentifier": "a"}), True),
            ("App.app", plistlib.dumps({"x": 1}), False),
            ("App.app", plistlib.dumps(["x"]), False),
            ("App.framework", plistlib.dumps({"CFBundlePackageType": "FMWK", "CFBundleIdentifier": "a"}), False),
            ("App.app", b"damaged", True),
            ("App", b"damaged", False),
            ("App.app", bytes(2000), True),
            ("App", bytes(2000), False),
        ],
    )
    def test_which_folders_are_bundles(self, tmp_path: Path, name: str, plist: bytes, expected: bool) -> None:
        limits = replace(DEFAULT, manifest_size=1500)
        found = in_folder(tmp_path, {f"{name}/Info.plist": plist}, limits)
        assert found == ([(IOS, name)] if expected else [])

    def test_a_mac_application_is_none(self, tmp_path: Path) -> None:
        assert in_folder(tmp_path, {"Mac.app/Contents/Info.plist": info_plist()}) == [(IOS, "Mac.app/Contents")]

    def test_a_bundle_with_more_files_than_the_limit_is_a_problem(self, tmp_path: Path) -> None:
        limits = replace(DEFAULT, folder_entries=2)
        assert in_folder(tmp_path, {f"App/{name}": x for name, x in bundle({"a/b": b""}).items()}, limits) == [
            ("limit-reached", "App")
        ]

    def test_a_link_inside_a_bundle_is_named(self, tmp_path: Path) -> None:
        put(tmp_path, {f"My.app/{name}": content for name, content in bundle().items()})
        (tmp_path / "My.app" / "link").symlink_to("/etc")
        assert in_folder(tmp_path, {}) == [(IOS, "My.app"), ("link-skipped", "My.app/link")]

    def test_a_bundle_at_any_depth_of_an_archive(self, tmp_path: Path) -> None:
        data = ipa(bundle(), root="export/build/My.app")
        assert asked(tmp_path, "My.app.zip", data) == [(IOS, "My.app.zip")]

    def test_several_bundles_in_one_archive_are_apps_of_their_own(self, tmp_path: Path) -> None:
        files = {f"{root}/{name}": x for root in ("b.app", "a.app", "a.app-x.app") for name, x in bundle().items()}
        folder = put(tmp_path, {"two.zip": archive(files)})
        found = list(open_argument(folder / "two.zip", "two.zip", Search(DEFAULT), several=False))
        assert shown(found) == [(IOS, f"two.zip!{root}") for root in ("a.app", "a.app-x.app", "b.app")]
        assert all(isinstance(item, IosBundle) and item.whole is None for item in found)
        assert all(isinstance(item, IosBundle) and list(item.members) == ["App", "Info.plist"] for item in found)

    def test_the_store_record_beside_the_payload_belongs_to_the_app(self, tmp_path: Path) -> None:
        put(tmp_path, {"a.ipa": ipa(bundle(), {"iTunesMetadata.plist": b"", "SwiftSupport/x": b""})})
        (found,) = open_argument(tmp_path / "a.ipa", "a.ipa", Search(DEFAULT), several=False)
        assert isinstance(found, IosBundle)
        assert found.store_record is not None
        assert found.store_record.path == "iTunesMetadata.plist"
        assert found.whole is not None

    def test_a_payload_without_a_property_list_is_still_an_app(self, tmp_path: Path) -> None:
        assert asked(tmp_path, "a.ipa", archive({"Payload/App.app/App": b""})) == [(IOS, "a.ipa")]
        assert asked(tmp_path, "b.ipa", archive({"Payload/App": b""})) == [("plist-damaged", "b.ipa")]

    @pytest.mark.parametrize(
        ("names", "roots"),
        [
            (["Payload/A.app/Info.plist"], ["Payload/A.app"]),
            (["A.app/Info.plist", "A.app/Watch/W.app/Info.plist", "A.app/x/B.app/Info.plist"], ["A.app"]),
            (["A.app/W.app/Info.plist"], ["A.app/W.app"]),
            (["A.app/Info.plist", "A.app-x.app/Info.plist", "A.app/W.app/Info.plist"], ["A.app", "A.app-x.app"]),
            (["A.app/Contents/Info.plist", "B.framework/Info.plist", ".app/x", "Info.plist", "x/Info.plist"], []),
        ],
    )
    def test_the_outermost_bundles_are_the_apps(self, names: list[str], roots: list[str]) -> None:
        assert list(ios_roots(reversed(names))) == roots

    def test_a_hundred_thousand_bundles_are_told_apart_without_delay(self) -> None:
        names = [f"{number}.app/Info.plist" for number in range(100_000)]
        assert len(ios_roots(names)) == 100_000


class TestArchivesOfApps:
    def test_apps_in_an_archive_of_apps(self, tmp_path: Path) -> None:
        data = archive({"a/one.apk": APK, "b/two": IPA, "c.bin": AAB, "readme.txt": b"text", "x.jar": archive({})})
        assert asked(tmp_path, "apps.zip", data) == [
            (IOS, "apps.zip!b/two"),
            (BUNDLE, "apps.zip!c.bin"),
            (ANDROID, "apps.zip!a/one.apk"),
        ]

    def test_archives_are_opened_down_to_the_limit_and_no_deeper(self, tmp_path: Path) -> None:
        limits = replace(DEFAULT, container_depth=3)
        data = APK
        for level in range(1, 4):
            data = archive({f"{level}.zip": data})
        assert asked(tmp_path, "a.zip", data, limits) == [(ANDROID, "a.zip!3.zip!2.zip!1.zip")]
        assert asked(tmp_path, "b.zip", archive({"4.zip": data}), limits) == [
            ("limit-reached", "b.zip!4.zip!3.zip!2.zip")
        ]

    def test_damaged_members_are_named_and_the_others_found(self, tmp_path: Path) -> None:
        damaged = Member(b"damaged", bytes(5000), packed=b"\xff" * 100)
        data = build_zip(damaged, Member(b"cut.apk", APK[:-10]), Member(b"a.apk", APK), Member(b"notes", b"text"))
        assert asked(tmp_path, "a.zip", data) == [
            ("archive-damaged", "a.zip!cut.apk"),
            ("archive-damaged", "a.zip!damaged"),
            (ANDROID, "a.zip!a.apk"),
        ]

    def test_an_archive_of_which_not_all_can_be_listed_says_so(self, tmp_path: Path) -> None:
        data = bytearray(archive({"a.apk": APK, "b.apk": APK}))
        second = data.rindex(b"PK\x01\x02")
        data[second : second + 4] = b"XXXX"
        assert asked(tmp_path, "a.zip", bytes(data)) == [("archive-damaged", "a.zip"), (ANDROID, "a.zip!a.apk")]

    def test_an_archive_inside_one_that_is_cut_off_is_not_taken_for_the_whole(self, tmp_path: Path) -> None:
        data = archive({"AndroidManifest.xml": declared(), "a.jar": archive({"x": b"y"})}, method=0)
        whole = asked(tmp_path, "a.apk", data)
        cut = asked(tmp_path, "b.apk", data[: data.rindex(b"PK\x05\x06") - 4])
        assert whole == [(ANDROID, "a.apk")]
        assert cut == [("archive-damaged", "b.apk")]

    def test_a_property_list_alone_is_no_archive_of_apps(self, tmp_path: Path) -> None:
        assert asked(tmp_path, "a.zip", archive({"a.txt": b"x"})) == []


NAMED_ONLY = {
    "an EnCase image": b"EVF\x09\x0d\x0a\xff\x00",
    "a 7-Zip archive": b"7z\xbc\xaf\x27\x1c",
    "a RAR archive": b"Rar!\x1a\x07",
    "a squashfs image": b"hsqs",
    "a volume encrypted with LUKS": b"LUKS\xba\xbe",
    "an APFS container": bytes(32) + b"NXSB",
}
DAMAGED = {
    "Android sparse image": b"\x3a\xff\x26\xed",
    "OTA payload": b"CrAU",
    "adb backup": b"ANDROID BACKUP\n9\n",
    "GPT disk": bytes(512) + b"EFI PART",
    "EROFS": bytes(1024) + b"\xe2\xe1\xf5\xe0",
    "F2FS": bytes(1024) + b"\x10\x20\xf5\xf2",
    "super image": bytes(4096) + b"gDla",
    "ext4": Ext4Image().build()[:2048],
    "gzip": b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xff\xff",
    "Zstandard": b"\x28\xb5\x2f\xfd\xff",
}


class TestWhatIsNoApp:
    @pytest.mark.parametrize("name", NAMED_ONLY)
    def test_a_carrier_that_is_not_read_is_named(self, tmp_path: Path, name: str) -> None:
        put(tmp_path, {"system.bin": NAMED_ONLY[name] + bytes(64)})
        (found,) = find_in_folder(Folder(tmp_path, "", (), DEFAULT), Search())
        assert isinstance(found, Problem)
        assert found.code is ProblemCode.UNSUPPORTED
        assert found.detail.startswith(name)
        assert found.hidden

    @pytest.mark.parametrize("name", DAMAGED)
    def test_a_carrier_of_which_only_the_mark_is_there_is_a_problem(self, tmp_path: Path, name: str) -> None:
        put(tmp_path, {"system.bin": DAMAGED[name] + bytes(64), "a.apk": APK})
        app, *problems = sorted(
            find_in_folder(Folder(tmp_path, "", (), DEFAULT), Search()), key=lambda item: item.origin
        )
        assert isinstance(app, AndroidSet)
        assert problems
        assert all(isinstance(item, Problem) and item.hidden for item in problems)
        assert {str(item.origin).partition("!")[0] for item in problems} == {"system.bin"}

    def test_binary_xml_that_is_no_record_is_passed_over(self, tmp_path: Path) -> None:
        assert in_folder(tmp_path, {"settings.xml": b"ABX\x00" + bytes(64)}) == []

    def test_a_carrier_goes_before_an_archive_at_its_end(self, tmp_path: Path) -> None:
        image = DAMAGED["EROFS"] + APK
        assert asked(tmp_path, "a.img", image) == [("unsupported-format", "a.img")]

    @pytest.mark.parametrize(
        ("name", "what"),
        [("base.apk.idsig", "signature of an APK"), ("base.dm", "metadata"), ("base.vdex", "code compiled")],
    )
    def test_a_companion_of_an_apk_that_the_user_named_gets_told_so(self, tmp_path: Path, name: str, what: str) -> None:
        for data in (b"\x02\0\0\0" + bytes(60), archive({"primary.prof": b"x", "manifest.json": b"{}"})):
            put(tmp_path, {name: data})
            (found,) = open_argument(tmp_path / name, name, Search(DEFAULT), several=False)
            assert isinstance(found, Problem)
            assert found.code is ProblemCode.UNSUPPORTED
            assert what in found.detail
            assert "name the APK" in found.detail
            assert not found.hidden
        assert in_folder(tmp_path, {}) == []

    def test_an_image_the_user_named_in_which_nothing_is_recognised_hides_what_it_holds(self, tmp_path: Path) -> None:
        noise = random.Random(4).randbytes(1 << 16)
        put(tmp_path, {"userdata.img": noise, "notes.txt": b"hello"})
        (found,) = open_argument(tmp_path / "userdata.img", "userdata.img", Search(DEFAULT), several=False)
        assert isinstance(found, Problem)
        assert found.code is ProblemCode.ENCRYPTED
        assert found.hidden
        assert asked(tmp_path, "notes.txt", b"hello") == [("unsupported-format", "notes.txt")]

    @pytest.mark.parametrize(
        "data",
        [
            bytes(1080) + b"\x53\xef",
            struct.pack("<1048xB31x2s18xI", 200, b"\x53\xef", 0) + bytes(100),
            struct.pack("<1048xB31x2s18xI", 2, b"\x53\xef", 77) + bytes(100),
        ],
    )
    def test_two_bytes_alone_are_no_file_system(self, tmp_path: Path, data: bytes) -> None:
        assert in_folder(tmp_path, {"a.bin": data}) == []

    @pytest.mark.parametrize("data", [b"", b"\0", b"PK", b"hello\n" * 2000, bytes(9000), dex("a.B"), b"\x89PNG\r\n"])
    def test_a_file_nobody_asked_for_and_that_is_no_app_is_passed_over(self, tmp_path: Path, data: bytes) -> None:
        assert in_folder(tmp_path, {"notes.txt": data}) == []

    @pytest.mark.parametrize("name", ["a.apk", "A.IPA", "a.xapk", "a.apks", "a.apkm", "a.aab", "a.zip"])
    @pytest.mark.parametrize(
        ("data", "code"), [(b"", "empty"), (b"hello", "unsupported-format"), (b"PK\x03\x04....", "archive-damaged")]
    )
    def test_a_file_whose_name_promises_an_app_is_answered_for(
        self, tmp_path: Path, name: str, data: bytes, code: str
    ) -> None:
        assert in_folder(tmp_path, {name: data}) == [(code, name)]

    @pytest.mark.parametrize(("data", "code"), [(b"", "empty"), (b"hello", "unsupported-format")])
    def test_a_file_the_user_named_is_answered_for(self, tmp_path: Path, data: bytes, code: str) -> None:
        assert asked(tmp_path, "notes.txt", data) == [(code, "notes.txt")]

    def test_a_text_the_user_named_hides_nothing_but_one_called_an_app_does(self, tmp_path: Path) -> None:
        hidden = []
        for name in ("notes.txt", "a.apk"):
            put(tmp_path, {name: b"hello"})
            (found,) = open_argument(tmp_path / name, name, Search(DEFAULT), several=False)
            assert isinstance(found, Problem)
            hidden.append(bool(found.hidden))
        assert hidden == [False, True]

    def test_a_pipe_the_user_named_is_refused_without_waiting_for_it(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        (found,) = open_argument(tmp_path / "pipe", "pipe", Search(DEFAULT), several=False)
        assert isinstance(found, Problem)
        assert (found.code, found.detail) == (
            ProblemCode.UNREADABLE,
            "neither a regular file nor a folder; save it to a file first",
        )

    def test_a_file_that_is_gone_when_its_turn_comes_is_a_problem(self, tmp_path: Path) -> None:
        assert shown(list(open_argument(tmp_path / "a", "a", Search(DEFAULT), several=False))) == [("unreadable", "a")]

    def test_a_file_that_cannot_be_read_is_a_problem(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        put(tmp_path, {"a.apk": APK, "b.txt": b"x"})

        def refuse(*_: object) -> int:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(os, "open", refuse)
        assert in_folder(tmp_path, {}) == [("unreadable", "a.apk"), ("unreadable", "b.txt")]


class TestBounds:
    def test_a_file_larger_than_the_limit_is_named(self, tmp_path: Path) -> None:
        limits = replace(DEFAULT, file_size=10)
        assert in_folder(tmp_path, {"a.apk": APK, "b.txt": bytes(11), "c.txt": bytes(10)}, limits) == [
            ("limit-reached", "a.apk"),
            ("limit-reached", "b.txt"),
        ]

    def test_a_folder_with_more_files_than_the_limit_says_so_after_what_fits(self, tmp_path: Path) -> None:
        limits = replace(DEFAULT, folder_entries=2)
        files = {"a.apk": APK, "sub/b.apk": APK, "sub/c.apk": APK}
        folder = Folder(put(tmp_path / "phone", files), "", (), limits)
        assert shown(list(find_in_folder(folder, Search(limits)))) == [(ANDROID, "a.apk"), ("limit-reached", "phone")]

    def test_folders_nested_deeper_than_the_stack_are_searched(self, tmp_path: Path) -> None:
        with deep_folders(tmp_path, 1200, "a.apk", APK):
            assert in_folder(tmp_path, {}) == [(ANDROID, "d/" * 1200 + "a.apk")]

    def test_an_archive_with_more_entries_than_the_limit_says_so(self, tmp_path: Path) -> None:
        found = asked(tmp_path, "a.zip", archive({"a": b"", "b": b""}), replace(DEFAULT, zip_entries=1))
        assert found == [("archive-damaged", "a.zip")]


class TestSplitSets:
    def test_a_base_and_its_splits_are_one_candidate(self, tmp_path: Path) -> None:
        put(tmp_path, {"base.apk": APK, "split_a.apk": split("a"), "x.apk": apk(declared("com.other"))})
        found = list(find_in_folder(Folder(tmp_path, "", (), DEFAULT), Search()))
        assert shown(found) == [(ANDROID, "base.apk"), (ANDROID, "x.apk")]
        assert [len(item.apks) for item in found if isinstance(item, AndroidSet)] == [2, 1]

    def test_the_tree_of_a_device_is_no_set_whatever_lies_at_its_root(self, tmp_path: Path) -> None:
        tree = {"data/app/com.a-1/base.apk": APK, "data/app/com.b-1/base.apk": apk(declared("com.b"))}
        put(tmp_path, {"ffs.zip": archive({**tree, "info.json": b"{}"})})
        found = shown(list(open_argument(tmp_path / "ffs.zip", "ffs.zip", Search(), several=False)))
        assert found == [(ANDROID, f"ffs.zip!{path}") for path in tree]

    @pytest.mark.parametrize("marker", ["toc.pb", "manifest.json", "info.json", "meta.sai_v1.json", "meta.sai_v2.json"])
    def test_a_marked_archive_is_one_app_wherever_its_apks_lie(self, tmp_path: Path, marker: str) -> None:
        data = archive({marker: b"", "splits/base-master.apk": APK, "other/b.apk": split("b"), "icon.png": b"x"})
        assert asked(tmp_path, "a.bin", data) == [(ANDROID, "a.bin")]

    def test_without_a_mark_the_folders_of_an_archive_are_apart(self, tmp_path: Path) -> None:
        data = archive({"a/base.apk": APK, "a/b.apk": split("b"), "c/b.apk": split("b")})
        assert asked(tmp_path, "a.bin", data) == [(ANDROID, "a.bin!a/base.apk"), (ANDROID, "a.bin!c/b.apk")]

    def test_a_damaged_member_of_a_marked_archive_joins_its_app(self, tmp_path: Path) -> None:
        put(tmp_path, {"a.xapk": archive({"manifest.json": b"", "base.apk": APK, "b.apk": APK[:-30]})})
        (found,) = find_in_folder(Folder(tmp_path, "", (), DEFAULT), Search())
        assert isinstance(found, AndroidSet)
        assert [(item.code.value, str(item.origin)) for item in found.problems] == [("archive-damaged", "a.xapk!b.apk")]

    def test_a_marked_archive_that_cannot_be_listed_in_full_says_so_in_its_app(self, tmp_path: Path) -> None:
        data = bytearray(archive({"base.apk": APK, "manifest.json": b"", "z.apk": split("z")}))
        last = data.rindex(b"PK\x01\x02")
        data[last : last + 4] = b"XXXX"
        put(tmp_path, {"a.xapk": bytes(data)})
        (found,) = find_in_folder(Folder(tmp_path, "", (), DEFAULT), Search())
        assert isinstance(found, AndroidSet)
        assert [(item.code.value, str(item.origin)) for item in found.problems] == [("archive-damaged", "a.xapk")]
