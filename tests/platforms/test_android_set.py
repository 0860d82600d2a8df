"""A base and its splits are one app with one verdict, whatever carries them; what does not fit is named."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from auditor import Audit, Catalog, Problem, Run, Verdict, load_catalog
from auditor.model import ProblemCode
from tests.builders.apps import apk, archive, declared, dex, put, signed, split
from tests.builders.zips import Member, build_zip

SDK = dex("com.tencent.mm.opensdk.openapi.WXAPIFactory", "com.tencent.mm.opensdk.modelmsg.SendAuth")
BASE = apk()
CONFIG = split("config.arm64_v8a", files={"lib/arm64-v8a/x.txt": b"x"})
FEATURE = split("feature", files={"classes.dex": SDK})


@cache
def catalog() -> Catalog:
    return load_catalog()


def scan(place: Path) -> tuple[list[Audit], tuple[Problem, ...]]:
    run = Run([place], catalog(), date(2026, 11, 1))
    return list(run), run.problems


def verdict(audit: Audit, subject: str = "wechat") -> Verdict:
    return next(answer.verdict for answer in audit.answers if answer.subject == subject)


def parts(audit: Audit) -> list[tuple[str, str]]:
    return [(part.kind.value, part.name) for part in audit.app.parts]


def codes(audit: Audit) -> list[str]:
    return [problem.code.value for problem in audit.problems]


def as_folder(place: Path, files: dict[str, bytes]) -> Path:
    return put(place / "app", files)


def marked(marker: str, folder: str = "") -> Callable[[Path, dict[str, bytes]], Path]:
    def carry(place: Path, files: dict[str, bytes]) -> Path:
        inside = {marker: b"{}", "icon.png": b"\x89PNG", **{folder + name: data for name, data in files.items()}}
        return put(place, {"app.bin": archive(inside)}) / "app.bin"

    return carry


def plain(place: Path, files: dict[str, bytes]) -> Path:
    return put(place, {"app.zip": archive(files)}) / "app.zip"


def zipped_bundle(place: Path, files: dict[str, bytes]) -> Path:
    inner = archive({"toc.pb": b"", **files})
    return put(place, {"all.zip": archive({"x/app.apks": inner})}) / "all.zip"


CARRIERS = {
    "a folder": as_folder,
    "an archive": plain,
    ".apks of bundletool": marked("toc.pb", "splits/"),
    ".xapk": marked("manifest.json"),
    ".apkm": marked("info.json"),
    ".apks of SAI": marked("meta.sai_v1.json"),
    ".apks of SAI 2": marked("meta.sai_v2.json"),
    "a bundle in an archive": zipped_bundle,
}
UNPACKABLE_CODE = Member(b"classes.dex", bytes(999), packed=b"\xff" * 99)
SET = {"base.apk": BASE, "split_config.arm64_v8a.apk": CONFIG, "split_feature.apk": FEATURE}


class TestOneApp:
    @pytest.mark.parametrize("carrier", CARRIERS)
    def test_the_verdict_and_the_build_do_not_depend_on_the_carrier(self, tmp_path: Path, carrier: str) -> None:
        (expected,), _ = scan(as_folder(tmp_path / "reference", SET))
        (audit,), problems = scan(CARRIERS[carrier](tmp_path, SET))
        assert problems == ()
        assert audit.app.build == expected.app.build
        assert verdict(audit) is verdict(expected) is Verdict.PRESENT
        assert parts(audit) == [("base", "base"), ("split", "config.arm64_v8a"), ("split", "feature")]
        assert [answer.verdict for answer in audit.answers] == [answer.verdict for answer in expected.answers]
        assert codes(audit) == codes(expected)

    def test_the_names_of_the_files_do_not_matter(self, tmp_path: Path) -> None:
        (audit,), _ = scan(as_folder(tmp_path, {"z": BASE, "a": CONFIG, "b.apk": FEATURE}))
        (expected,), _ = scan(as_folder(tmp_path / "reference", SET))
        assert audit.app.build == expected.app.build
        assert str(audit.app.origin) == "z"

    def test_the_evidence_names_the_split_it_lies_in(self, tmp_path: Path) -> None:
        (audit,), _ = scan(as_folder(tmp_path, SET))
        (answer,) = [item for item in audit.answers if item.subject == "wechat"]
        origins = {str(fact.origin) for match in answer.matches for hit in match.hits for fact in hit.facts}
        assert {origin.partition("@")[0] for origin in origins} == {"split_feature.apk!classes.dex"}

    def test_a_base_without_splits_has_another_build(self, tmp_path: Path) -> None:
        (alone,), _ = scan(as_folder(tmp_path / "a", {"base.apk": BASE}))
        (whole,), _ = scan(as_folder(tmp_path / "b", SET))
        assert alone.app.build != whole.app.build

    def test_variants_of_the_base_in_a_bundle_are_one_app(self, tmp_path: Path) -> None:
        files = {"toc.pb": b"", "splits/base-master.apk": BASE, "standalones/standalone-x.apk": apk(code=SDK)}
        (audit,), _ = scan(put(tmp_path, {"a.apks": archive(files)}) / "a.apks")
        assert verdict(audit) is Verdict.PRESENT
        assert len(audit.app.parts) == 2


class TestSeveralSets:
    def test_two_apps_with_splits_in_one_folder_are_told_apart_by_package(self, tmp_path: Path) -> None:
        other = apk(declared("com.other"))
        files = {
            "a-base.apk": BASE,
            "a-split.apk": FEATURE,
            "b-base.apk": other,
            "b-split.apk": split("config.de", "com.other"),
        }
        audits, problems = scan(as_folder(tmp_path, files))
        assert [(item.app.app_id, len(item.app.parts), verdict(item)) for item in audits] == [
            ("com.example.app", 2, Verdict.PRESENT),
            ("com.other", 2, Verdict.NOT_FOUND),
        ]
        assert problems == ()

    def test_two_packages_in_one_bundle_are_two_apps_with_places_of_their_own(self, tmp_path: Path) -> None:
        files = {"manifest.json": b"", "a.apk": BASE, "b.apk": apk(declared("com.other"))}
        audits, _ = scan(put(tmp_path, {"a.xapk": archive(files)}))
        assert [(item.app.app_id, str(item.app.origin)) for item in audits] == [
            ("com.example.app", "a.xapk!a.apk"),
            ("com.other", "a.xapk!b.apk"),
        ]

    def test_two_versions_of_one_app_in_one_bundle_are_two_apps(self, tmp_path: Path) -> None:
        files = {"manifest.json": b"", "a.apk": BASE, "b.apk": apk(declared(version=8))}
        audits, _ = scan(put(tmp_path, {"a.xapk": archive(files)}))
        assert [(item.app.version_code, str(item.app.origin)) for item in audits] == [
            ("7", "a.xapk!a.apk"),
            ("8", "a.xapk!b.apk"),
        ]

    def test_of_two_bases_of_one_version_the_one_called_base_takes_the_splits(self, tmp_path: Path) -> None:
        audits, _ = scan(as_folder(tmp_path, {"a.apk": BASE, "base.apk": BASE, "split_feature.apk": FEATURE}))
        assert [(str(item.app.origin), len(item.app.parts)) for item in audits] == [("a.apk", 1), ("base.apk", 2)]

    def test_splits_in_another_folder_belong_to_nobody_here(self, tmp_path: Path) -> None:
        audits, _ = scan(as_folder(tmp_path, {"a/base.apk": BASE, "b/split_feature.apk": FEATURE}))
        assert [len(item.app.parts) for item in audits] == [1, 1]


class TestWhatDoesNotFit:
    @pytest.mark.parametrize("carry", [as_folder, marked("toc.pb")], ids=["folder", "bundle"])
    def test_splits_without_a_base_are_an_app_with_a_hole(
        self, tmp_path: Path, carry: Callable[[Path, dict[str, bytes]], Path]
    ) -> None:
        (audit,), problems = scan(carry(tmp_path, {"a.apk": CONFIG, "b.apk": split("config.de")}))
        assert problems == ()
        assert parts(audit) == [("split", "config.arm64_v8a"), ("split", "config.de")]
        assert codes(audit) == ["split-missing"]
        assert audit.app.app_id == "com.example.app"
        assert verdict(audit) is Verdict.UNKNOWN

    def test_code_in_a_split_without_a_base_is_found(self, tmp_path: Path) -> None:
        (audit,), _ = scan(as_folder(tmp_path, {"a.apk": FEATURE}))
        assert verdict(audit) is Verdict.PRESENT

    @pytest.mark.parametrize("carry", [as_folder, marked("toc.pb")], ids=["folder", "bundle"])
    def test_a_split_of_another_version_stands_alone(
        self, tmp_path: Path, carry: Callable[[Path, dict[str, bytes]], Path]
    ) -> None:
        files = {"base.apk": BASE, "split_old.apk": split("old", version=6)}
        audits, _ = scan(carry(tmp_path, files))
        by_version = {item.app.version_code: item for item in audits}
        assert sorted(by_version) == ["6", "7"]
        assert (codes(by_version["7"]), verdict(by_version["7"])) == ([], Verdict.NOT_FOUND)
        assert (codes(by_version["6"]), verdict(by_version["6"])) == (["split-missing"], Verdict.UNKNOWN)

    def test_a_split_signed_by_another_key_is_read_and_named(self, tmp_path: Path) -> None:
        base = signed({"AndroidManifest.xml": declared(), "classes.dex": dex("com.example.app.Main")}, "first")
        stranger = signed({"AndroidManifest.xml": declared(split="x"), "classes.dex": SDK}, "second")
        own = signed({"AndroidManifest.xml": declared(split="y")}, "first")
        files = {"base.apk": base, "x.apk": stranger, "y.apk": own}
        (audit,), _ = scan(as_folder(tmp_path, files))
        (mismatch,) = [item for item in audit.problems if item.code is ProblemCode.SPLIT_MISMATCH]
        assert str(mismatch.origin) == "x.apk"
        assert verdict(audit) is Verdict.PRESENT

    @pytest.mark.parametrize("carry", [as_folder, plain, marked("toc.pb")], ids=["folder", "archive", "bundle"])
    @pytest.mark.parametrize(
        ("damaged", "code"),
        [
            (FEATURE[:-40], "archive-damaged"),
            (b"", "empty"),
            (b"no archive at all", "unsupported-format"),
            (build_zip(Member(b"AndroidManifest.xml", b"?"), UNPACKABLE_CODE), "member-unreadable"),
        ],
        ids=["cut", "empty", "text", "unpackable"],
    )
    def test_a_damaged_split_leaves_the_app_undecided(
        self, tmp_path: Path, carry: Callable[[Path, dict[str, bytes]], Path], damaged: bytes, code: str
    ) -> None:
        audits, problems = scan(carry(tmp_path, {"base.apk": BASE, "split_feature.apk": damaged}))
        app = next(item for item in audits if item.app.app_id == "com.example.app")
        seen = {*codes(app), *(item.code.value for item in problems)}
        assert code in seen
        assert verdict(app) is Verdict.UNKNOWN or any(item.hidden for item in problems)

    def test_a_split_whose_manifest_is_damaged_is_a_part_all_the_same(self, tmp_path: Path) -> None:
        damaged = archive({"AndroidManifest.xml": b"?", "classes.dex": SDK})
        (audit,), _ = scan(as_folder(tmp_path, {"base.apk": BASE, "split_feature.apk": damaged}))
        assert parts(audit) == [("base", "base"), ("split", "split_feature.apk")]
        assert (verdict(audit), codes(audit)) == (Verdict.PRESENT, ["manifest-damaged"])

    def test_a_damaged_split_beside_two_apps_is_a_problem_of_the_folder(self, tmp_path: Path) -> None:
        files = {"a.apk": BASE, "b.apk": apk(declared("com.other")), "split_x.apk": FEATURE[:-40]}
        audits, (problem,) = scan(as_folder(tmp_path, files))
        assert [verdict(item) for item in audits] == [Verdict.NOT_FOUND, Verdict.NOT_FOUND]
        assert (str(problem.origin), problem.code) == ("split_x.apk", ProblemCode.ARCHIVE_DAMAGED)

    def test_an_app_of_which_nothing_can_be_opened_is_a_problem_not_an_app(self, tmp_path: Path) -> None:
        audits, problems = scan(put(tmp_path, {"a.xapk": archive({"manifest.json": b"", "base.apk": BASE[:-40]})}))
        assert audits == []
        assert [(str(item.origin), item.code) for item in problems] == [
            ("a.xapk!base.apk", ProblemCode.ARCHIVE_DAMAGED)
        ]


class TestRequiredSplits:
    def test_a_base_alone_that_needs_its_splits_is_undecided(self, tmp_path: Path) -> None:
        (audit,), _ = scan(as_folder(tmp_path, {"base.apk": apk(declared(isSplitRequired=True))}))
        assert (codes(audit), verdict(audit)) == (["split-missing"], Verdict.UNKNOWN)

    def test_with_its_splits_nothing_is_missing(self, tmp_path: Path) -> None:
        files = {"base.apk": apk(declared(isSplitRequired=True)), "split_config.arm64_v8a.apk": CONFIG}
        (audit,), _ = scan(as_folder(tmp_path, files))
        assert (codes(audit), verdict(audit)) == ([], Verdict.NOT_FOUND)

    @pytest.mark.parametrize(
        ("provided", "problem", "expected"),
        [
            ("base__abi,base__density", [], Verdict.NOT_FOUND),
            ("base__abi", ["split-missing"], Verdict.NOT_FOUND),
            ("", ["split-missing"], Verdict.NOT_FOUND),
        ],
    )
    def test_missing_configuration_splits_hide_no_dex(
        self, tmp_path: Path, provided: str, problem: list[str], expected: Verdict
    ) -> None:
        """Required types are named; densities and languages carry no code, libraries lie in those for an ABI."""
        base = declared(requiredSplitTypes="base__abi,base__density")
        types = {"splitTypes": provided} if provided else {}
        (audit,), _ = scan(
            as_folder(tmp_path, {"base.apk": apk(base), "b.apk": apk(declared(split="x", **types), code=b"")})
        )
        assert codes(audit) == problem
        hidden = {kind.value.partition(".")[0] for item in audit.problems for kind in item.hidden}
        assert hidden <= {"native", "file", "elf", "container", "android"}
        assert verdict(audit) is expected

    def test_a_missing_feature_may_hide_code(self, tmp_path: Path) -> None:
        base = declared(requiredSplitTypes="feature__x")
        (audit,), _ = scan(as_folder(tmp_path, {"base.apk": apk(base)}))
        assert (codes(audit), verdict(audit)) == (["split-missing"], Verdict.UNKNOWN)
