"""The iOS matrix covers every SDK build, link style and use, and what it builds is what it says."""

from __future__ import annotations

import plistlib
import struct
import zipfile
from pathlib import Path

import pytest

from benchmarks.accuracy import ios
from benchmarks.accuracy.cases import Case, Truth
from benchmarks.accuracy.ios import Plan, build_app, group_of, plans, plans_of, style_of
from benchmarks.accuracy.ios_link import (
    CALLS,
    STYLES,
    USES,
    find_members,
    keystream_xor,
    slice_arm64,
    source,
)
from benchmarks.accuracy.ios_sdks import ALIPAY, IOS_SDKS, QQ, WECHAT
from benchmarks.accuracy.registry import OutOfReachError
from tests.vendor.builds import missing_tools

FAMILIES = ("alipay", "wechat", "tencent-qq")


def test_every_build_of_the_corpus_is_listed() -> None:
    assert (len(ALIPAY), len(WECHAT), len(QQ)) == (9, 11, 3)


def test_builds_are_pinned_and_told_apart() -> None:
    assert len({(build.family, build.version) for build in IOS_SDKS}) == len(IOS_SDKS)
    assert len({(build.package, build.member) for build in IOS_SDKS}) == len(IOS_SDKS)
    assert all(len(build.package.sha256) == 64 for build in IOS_SDKS)


def test_every_build_says_which_version_it_states() -> None:
    assert all(build.states for build in IOS_SDKS)


def test_every_build_is_in_some_group() -> None:
    used = {build for number in range(len(WECHAT)) for build in group_of(number)}
    assert used == set(IOS_SDKS)


def test_a_group_has_one_build_of_each_family() -> None:
    for number in range(len(WECHAT)):
        assert tuple(build.family for build in group_of(number)) == FAMILIES


def test_ids_are_unique() -> None:
    names = [plan.id for plan in plans(slice=False)]
    assert len(names) == len(set(names))


def test_every_group_has_every_style() -> None:
    for number in range(len(WECHAT)):
        planned = {plan.style.name for plan in plans_of(number)}
        assert {style.name for style in STYLES} <= planned


@pytest.mark.parametrize("name", ["plain", "dead-strip", "stripped", "export-list", "framework"])
def test_styles_are_built_readable_and_encrypted(name: str) -> None:
    assert {plan.encrypted for plan in plans_of(0) if plan.style.name == name} == {False, True}


def test_each_sdk_is_also_alone_in_an_app() -> None:
    alone = {plan.builds for plan in plans(slice=False) if len(plan.builds) == 1}
    assert alone == {(build,) for build in IOS_SDKS}


def test_the_slice_is_a_part_of_the_matrix() -> None:
    part, whole = plans(slice=True), plans(slice=False)
    assert {plan.id for plan in part} < {plan.id for plan in whole}
    assert {plan.style.name for plan in part} == {plan.style.name for plan in whole}


def test_a_larger_use_holds_the_smaller_ones() -> None:
    for number, use in enumerate(USES):
        text = source(FAMILIES, use, main=True)
        for step in USES:
            for family in FAMILIES:
                assert (CALLS[family, step] in text) is (step in USES[: number + 1])


def test_a_host_that_uses_nothing_names_no_sdk_in_its_calls() -> None:
    text = source(FAMILIES, "none", main=True)
    assert not any(call in text for call in CALLS.values())


def test_a_library_has_no_main() -> None:
    assert "UIApplicationMain(count" not in source(FAMILIES, "payment", main=False)


def fat(*slices: tuple[int, bytes]) -> bytes:
    offset, head, body = 8 + 20 * len(slices), struct.pack(">II", 0xCAFEBABE, len(slices)), b""
    for cpu, data in slices:
        head += struct.pack(">5I", cpu, 0, offset + len(body), len(data), 0)
        body += data
    return head + body


def test_the_device_slice_is_taken_from_a_fat_file() -> None:
    assert slice_arm64(fat((12, b"armv7..."), (0x0100000C, b"arm64..."))) == b"arm64..."


def test_a_thin_file_is_taken_whole() -> None:
    assert slice_arm64(b"\xcf\xfa\xed\xfe....") == b"\xcf\xfa\xed\xfe...."


def test_a_file_without_a_device_slice_is_refused() -> None:
    with pytest.raises(ValueError, match="no arm64 slice"):
        slice_arm64(fat((12, b"armv7"), (7, b"i386")))


def member(name: str, data: bytes) -> bytes:
    return f"{name:<16}{0:<12}{0:<6}{0:<6}{644:<8}{len(data):<10}`\n".encode() + data + b"\n" * (len(data) % 2)


def test_members_of_an_archive_are_read_with_short_and_long_names() -> None:
    table = member("__.SYMDEF", b"xx")
    long_name = member("#1/20", b"WXApi+ExtraUrl.o\0\0\0\0" + b"code")
    data = b"!<arch>\n" + table + member("a.o", b"odd") + long_name
    assert list(find_members(data)) == [("a.o", b"odd"), ("WXApi+ExtraUrl.o", b"code")]


def test_two_members_of_one_name_are_both_read() -> None:
    data = b"!<arch>\n" + member("a.o", b"one1") + member("a.o", b"two2")
    assert [content for _, content in find_members(data)] == [b"one1", b"two2"]


def test_the_keystream_is_its_own_inverse_and_hides_the_text() -> None:
    text = b"_OBJC_CLASS_$_WXApi" * 40
    assert keystream_xor(keystream_xor(text)) == text
    assert b"WXApi" not in keystream_xor(text)
    assert len(keystream_xor(b"\0" * 7)) == 7


def test_a_built_matrix_is_read_back_without_building(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    truth = Truth("alipay", "15.8.11", 113, 0)
    built: list[str] = []

    def build(plan: Plan) -> tuple[bytes, tuple[Truth, ...], frozenset[tuple[str, str]]]:
        built.append(plan.id)
        return plan.id.encode(), (truth,), frozenset()

    monkeypatch.setattr(ios, "FOLDER", tmp_path)
    monkeypatch.setattr(ios, "build_app", build)
    monkeypatch.setattr(ios, "input_digest", lambda: "0" * 16)
    first = ios.build_ios(slice=True)
    count = len(built)
    assert ios.build_ios(slice=True) == first
    assert len(built) == count
    assert all(case.path.read_bytes().decode() in case.id for case in first)
    assert isinstance(first[0], Case)
    assert first[0].truths == (truth,)


def test_a_use_that_links_the_same_code_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(plan: Plan) -> tuple[bytes, tuple[Truth, ...], frozenset[tuple[str, str]]]:
        kept = frozenset({("wechat.o", "all" if plan.use == "everything" else "some")})
        return b"", (), kept

    monkeypatch.setattr(ios, "FOLDER", tmp_path)
    monkeypatch.setattr(ios, "build_app", build)
    monkeypatch.setattr(ios, "input_digest", lambda: "0" * 16)
    uses = {case.use for case in ios.build_ios(slice=True) if case.style == "dead-strip" and not case.encrypted}
    assert uses == {"one-call", "everything"}


@pytest.mark.vendor
@pytest.mark.skipif(bool(missing_tools()), reason=f"tools are missing: {', '.join(missing_tools())}")
class TestRealBuilds:
    """Apps around real SDK binaries."""

    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path) -> None:
        self.path = tmp_path / "app.ipa"

    def build(self, style: str, *, encrypted: bool = False) -> tuple[Path, tuple[Truth, ...]]:
        plan = Plan("test", group_of(10), style_of(style), encrypted=encrypted)
        try:
            data, truths, _ = build_app(plan)
        except OutOfReachError as error:
            pytest.skip(str(error))
        self.path.write_bytes(data)
        return self.path, truths

    def code(self, path: Path, member: str = "Host") -> bytes:
        with zipfile.ZipFile(path) as archive:
            return archive.read(f"Payload/Host.app/{member}")

    def test_a_stripped_app_keeps_all_class_names(self) -> None:
        path, truths = self.build("stripped")
        assert all(truth.named == truth.classes > 70 for truth in truths)
        assert [truth.states for truth in truths] == [build.states for build in group_of(10)]
        assert b"\0WXApi\0" in self.code(path)

    def test_an_encrypted_app_with_an_export_list_shows_none(self) -> None:
        path, truths = self.build("export-list", encrypted=True)
        assert all(truth.embedded and truth.named == 0 and truth.states == "" for truth in truths)
        assert b"WXApi" not in self.code(path)

    def test_exports_survive_encryption(self) -> None:
        _, truths = self.build("stripped", encrypted=True)
        assert all(truth.named > 0 for truth in truths)

    def test_a_framework_holds_the_code_and_is_encrypted_with_the_app(self) -> None:
        path, truths = self.build("framework", encrypted=True)
        assert all(truth.embedded for truth in truths)
        assert b"\0WXApi\0" not in self.code(path, "Frameworks/Pay.framework/Pay")
        assert b"WXApi" not in self.code(path)

    def test_the_host_of_an_extension_carries_nothing(self) -> None:
        path, truths = self.build("appex")
        assert all(truth.embedded for truth in truths)
        assert b"WXApi" not in self.code(path)
        assert b"\0WXApi\0" in self.code(path, "PlugIns/Share.appex/Share")

    def test_archives_that_nothing_calls_are_not_linked(self) -> None:
        plan = Plan("test-unused", group_of(10)[1:], style_of("stripped"), "none", declared=False)
        try:
            _, truths, kept = build_app(plan)
        except OutOfReachError as error:
            pytest.skip(str(error))
        assert not any(truth.embedded for truth in truths)
        assert kept == frozenset()

    def test_declarations_follow_the_vendors_documents(self) -> None:
        path, _ = self.build("plain")
        record = plistlib.loads(self.code(path, "Info.plist"))
        schemes = record["CFBundleURLTypes"][0]["CFBundleURLSchemes"]
        assert {"wx0123456789abcdef", "tencent101234567"} <= set(schemes)
        assert {"alipays", "weixin", "mqq"} <= set(record["LSApplicationQueriesSchemes"])
