"""Code is found under any name and depth of an APK; what is missing, packed or damaged is named."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from auditor import Audit, Catalog, Problem, Run, Verdict, load_catalog
from auditor.limits import DEFAULT, Limits
from auditor.model import FactKind
from tests.builders.apps import aab, apk, archive, declared, dex, module, put
from tests.builders.axml import Node, Ref, el
from tests.builders.elf import build_elf

SDK = dex("com.tencent.mm.opensdk.openapi.WXAPIFactory", "com.tencent.mm.opensdk.modelmsg.SendAuth")


@cache
def catalog() -> Catalog:
    return load_catalog()


def scan(folder: Path, data: bytes, limits: Limits = DEFAULT) -> tuple[list[Audit], tuple[Problem, ...]]:
    run = Run([put(folder, {"a.apk": data}) / "a.apk"], catalog(), date(2026, 11, 1), limits)
    return list(run), run.problems


def one(folder: Path, data: bytes, limits: Limits = DEFAULT) -> Audit:
    audit, *_ = scan(folder, data, limits)[0]
    return audit


def verdict(audit: Audit, subject: str = "wechat") -> Verdict:
    return next(answer.verdict for answer in audit.answers if answer.subject == subject)


def codes(audit: Audit) -> list[str]:
    return [problem.code.value for problem in audit.problems]


def values(audit: Audit, kind: FactKind) -> set[str]:
    return {value for item in audit.extraction.of(kind) for value in item.values}


def activities(*names: str, launcher: str = "") -> list[Node]:
    start = el(
        "intent-filter",
        el("action", name="android.intent.action.MAIN"),
        el("category", name="android.intent.category.LAUNCHER"),
    )
    return [el("activity", *([start] if name == launcher else []), name=name) for name in names]


class TestMissingAndPackedCode:
    def test_an_app_that_declares_code_and_has_none_is_undecided(self, tmp_path: Path) -> None:
        audit = one(tmp_path, apk(code=b""))
        assert (codes(audit), verdict(audit)) == (["code-absent"], Verdict.UNKNOWN)

    def test_an_app_that_declares_to_have_no_code_is_decided(self, tmp_path: Path) -> None:
        audit = one(tmp_path, apk(declared(has_code=False), code=b""))
        assert (codes(audit), verdict(audit)) == ([], Verdict.NOT_FOUND)

    @pytest.mark.parametrize(
        ("declared_names", "defined", "launcher", "packed"),
        [
            (["x.A", "x.B"], ["x.A", "x.B"], "x.A", False),
            (["x.A", "x.B", "x.C"], ["stub.Loader"], "x.A", True),
            (["x.A", "x.B", "x.C"], ["x.A"], "x.A", False),
            (["x.A", "x.B"], ["x.A"], "", False),
            (["x.A"], ["stub.Loader"], "x.A", False),
            ([f"x.A{number}" for number in range(11)], ["x.A0"], "x.A0", True),
            ([f"x.A{number}" for number in range(11)], ["x.A0", "x.A1", "x.A2"], "x.A0", False),
            ([], ["stub.Loader"], "", False),
        ],
    )
    def test_components_without_classes_betray_a_loader(
        self, tmp_path: Path, declared_names: list[str], defined: list[str], launcher: str, packed: bool
    ) -> None:
        manifest = declared("com.x", *activities(*declared_names, launcher=launcher))
        audit = one(tmp_path, apk(manifest, code=dex(*defined)))
        assert (codes(audit), verdict(audit)) == (
            (["code-packed"], Verdict.UNKNOWN) if packed else ([], Verdict.NOT_FOUND)
        )

    def test_an_alias_needs_no_class_of_its_own(self, tmp_path: Path) -> None:
        aliases = [el("activity-alias", name=f"x.Alias{number}", targetActivity="x.A") for number in range(12)]
        manifest = declared("com.x", *activities("x.A"), *aliases)
        assert codes(one(tmp_path, apk(manifest, code=dex("x.A")))) == []

    def test_classes_in_any_dex_file_count(self, tmp_path: Path) -> None:
        manifest = declared("com.x", *activities("x.A", "x.B", launcher="x.A"))
        data = apk(manifest, {"classes2.dex": dex("x.A"), "assets/y": dex("x.B")}, code=dex("stub.Loader"))
        assert codes(one(tmp_path, data)) == []

    def test_what_is_visible_of_a_packed_app_counts(self, tmp_path: Path) -> None:
        manifest = declared("com.x", *activities("x.A", "x.B", launcher="x.A"))
        audit = one(tmp_path, apk(manifest, code=SDK))
        assert (codes(audit), verdict(audit)) == (["code-packed"], Verdict.PRESENT)


class TestDamage:
    @pytest.mark.parametrize(
        ("files", "code", "expected"),
        [
            ({"classes2.dex": SDK[:200]}, "dex-damaged", Verdict.UNKNOWN),
            ({"classes2.dex": b"cdex001\0" + bytes(200)}, "dex-unsupported", Verdict.UNKNOWN),
            ({"classes2.dex": b"encrypted"}, "dex-damaged", Verdict.UNKNOWN),
            ({"classes2.dex": b""}, "dex-damaged", Verdict.UNKNOWN),
            ({"assets/x": SDK[:200]}, "dex-damaged", Verdict.UNKNOWN),
            ({"lib/arm64-v8a/libx.so": b"\x7fELF" + bytes(60)}, "native-damaged", Verdict.NOT_FOUND),
            ({"lib/arm64-v8a/libx.so": b"encrypted"}, "native-damaged", Verdict.NOT_FOUND),
            ({"assets/a.jar": b"PK\x03\x04" + bytes(60)}, "archive-damaged", Verdict.UNKNOWN),
            ({"resources.arsc": b"?"}, "resources-damaged", Verdict.NOT_FOUND),
        ],
    )
    def test_what_is_damaged_is_named_and_hides_what_it_may_have_held(
        self, tmp_path: Path, files: dict[str, bytes], code: str, expected: Verdict
    ) -> None:
        audit = one(tmp_path, apk(files=files))
        assert set(codes(audit)) == {code}
        assert verdict(audit) is expected

    def test_a_damaged_library_is_known_by_its_name(self, tmp_path: Path) -> None:
        audit = one(tmp_path, apk(files={"lib/x86/libx.so": b"\x7fELF" + bytes(60)}))
        assert values(audit, FactKind.NATIVE_LIBRARY) == {"libx.so"}

    def test_a_library_tells_its_names(self, tmp_path: Path) -> None:
        audit = one(tmp_path, apk(files={"lib/x86/libx.so": build_elf("liby.so", ["libz.so"], ["Java_a_b"])}))
        assert values(audit, FactKind.NATIVE_LIBRARY) == {"libx.so", "liby.so"}
        assert values(audit, FactKind.NATIVE_NEEDED) == {"libz.so"}
        assert "Java_a_b" in values(audit, FactKind.NATIVE_EXPORT)

    @pytest.mark.parametrize(
        ("files", "limits", "verdict_"),
        [
            ({"classes2.dex": SDK}, replace(DEFAULT, dex_classes=1), Verdict.UNKNOWN),
            ({"lib/x86/libx.so": build_elf("liby.so")}, replace(DEFAULT, elf_size=9), Verdict.NOT_FOUND),
            ({"resources.arsc": bytes(99)}, replace(DEFAULT, resource_size=9), Verdict.NOT_FOUND),
            ({"assets/a.bin": bytes(60_000)}, replace(DEFAULT, manifest_size=9), Verdict.NOT_FOUND),
        ],
    )
    def test_a_reached_limit_is_named(
        self, tmp_path: Path, files: dict[str, bytes], limits: Limits, verdict_: Verdict
    ) -> None:
        audit = one(tmp_path, apk(files=files), limits)
        assert {"limit-reached", "resources-damaged"} & set(codes(audit))
        assert verdict(audit) in (verdict_, Verdict.UNKNOWN)

    def test_an_archive_without_entries_beside_the_manifest_is_still_one_app(self, tmp_path: Path) -> None:
        audit = one(tmp_path, archive({"AndroidManifest.xml": declared(has_code=False)}))
        assert (audit.app.app_id, codes(audit)) == ("com.example.app", [])

    def test_a_manifest_that_cannot_be_read_leaves_the_id_open(self, tmp_path: Path) -> None:
        audit = one(tmp_path, archive({"AndroidManifest.xml": b"?", "classes.dex": SDK}))
        assert (audit.app.app_id, codes(audit), verdict(audit)) == ("", ["manifest-damaged"], Verdict.PRESENT)
        assert verdict(audit, "shareit") is Verdict.UNKNOWN

    def test_an_archive_that_cannot_be_listed_in_full_leaves_its_app_open(self, tmp_path: Path) -> None:
        data = bytearray(apk(files={"z": b""}))
        last = data.rindex(b"PK\x01\x02")
        data[last : last + 4] = b"XXXX"
        audit = one(tmp_path, bytes(data))
        assert ("archive-damaged" in codes(audit), verdict(audit)) == (True, Verdict.UNKNOWN)

    def test_an_archive_inside_that_cannot_be_listed_in_full_is_named(self, tmp_path: Path) -> None:
        inner = bytearray(archive({"a": b"x", "b": b"y"}))
        last = inner.rindex(b"PK\x01\x02")
        inner[last : last + 4] = b"XXXX"
        audit = one(tmp_path, apk(files={"assets/a.jar": bytes(inner)}))
        assert (codes(audit), verdict(audit)) == (["archive-damaged"], Verdict.UNKNOWN)

    def test_more_apps_inside_than_the_limit_are_named(self, tmp_path: Path) -> None:
        data = apk(files={f"assets/{number}": apk(declared(f"com.a{number}")) for number in range(3)})
        audits, _ = scan(tmp_path, data, replace(DEFAULT, nested_apps=2))
        assert (len(audits), codes(audits[0])) == (3, ["limit-reached"])


class TestIdentity:
    def test_attributes_of_the_manifest_are_kept(self, tmp_path: Path) -> None:
        manifest = declared(
            "com.x", el("service", name="x.S", process=":remote"), installLocation=2, sharedUserId="u.id"
        )
        attributes = dict(one(tmp_path, apk(manifest, code=dex("x.S"))).app.attributes)
        assert attributes["shared_user_id"] == "u.id"
        assert "processes" in attributes

    def test_a_label_that_no_resource_answers_stays_empty(self, tmp_path: Path) -> None:
        manifest = declared("com.x", versionName=Ref(0x7F010001))
        audit = one(tmp_path, apk(manifest))
        assert (audit.app.version, audit.app.label) == ("", "")


class TestAppBundles:
    def test_a_bundle_is_one_app_with_the_code_of_all_modules(self, tmp_path: Path) -> None:
        data = aab({"extra/dex/classes.dex": SDK}, modules={"extra": module("com.example.app", split="extra")})
        audit = one(tmp_path, data)
        assert (audit.app.app_id, codes(audit), verdict(audit)) == ("com.example.app", [], Verdict.PRESENT)
        assert audit.app.signing.state.value == "not checked"

    def test_a_bundle_without_code_is_undecided(self, tmp_path: Path) -> None:
        own = {"base/manifest/AndroidManifest.xml": module("com.x"), "BundleConfig.pb": b""}
        audit = one(tmp_path, archive(own))
        assert (codes(audit), verdict(audit)) == (["code-absent"], Verdict.UNKNOWN)

    @pytest.mark.parametrize(
        ("files", "code"),
        [
            ({"extra/manifest/AndroidManifest.xml": b"\xff"}, "manifest-damaged"),
            ({"extra/dex/classes.dex": b"?"}, "dex-damaged"),
        ],
    )
    def test_a_damaged_module_is_named(self, tmp_path: Path, files: dict[str, bytes], code: str) -> None:
        assert codes(one(tmp_path, aab(files))) == [code]

    def test_damaged_resources_cost_the_label_only(self, tmp_path: Path) -> None:
        manifest = module("com.x", label=Ref(0x7F010001))
        audit = one(tmp_path, aab({"base/resources.pb": b"\xff\xff"}, manifest))
        assert (audit.app.app_id, audit.app.label, codes(audit)) == ("com.x", "", ["resources-damaged"])
        assert verdict(audit) is Verdict.NOT_FOUND

    def test_a_bundle_that_cannot_be_listed_in_full_is_open(self, tmp_path: Path) -> None:
        data = bytearray(aab({"z": b""}))
        last = data.rindex(b"PK\x01\x02")
        data[last : last + 4] = b"XXXX"
        audit = one(tmp_path, bytes(data))
        assert ("archive-damaged" in codes(audit), verdict(audit)) == (True, Verdict.UNKNOWN)
