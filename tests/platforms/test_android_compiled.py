"""An APK that was stripped of its code is judged by the compiled files beside it, and is undecided without them."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from auditor.catalog import load_catalog
from auditor.containers.member import Budget
from auditor.errors import FormatError, LimitError
from auditor.formats.blob import Blob
from auditor.limits import DEFAULT, Limits
from auditor.match import match
from auditor.model import Extraction, FactKind, Origin, ProblemCode
from auditor.platforms.android import extract_android
from auditor.platforms.android_compiled import compiled_of
from auditor.platforms.candidate import AndroidSet
from tests.builders.apps import apk, declared, dex, split
from tests.builders.compact_dex import SharedData, build_main
from tests.builders.mangle import mutations
from tests.builders.oat import build_oat, build_optimized
from tests.builders.vdex import VERSIONS, build_vdex

FOLDER = Origin(("system.img", "app/X"))
SDK_NAMES = ("com.tencent.mm.opensdk.openapi.WXAPIFactory", "com.tencent.mm.opensdk.modelmsg.SendAuth")
SDK = dex("x.Main", *SDK_NAMES)
OTHER = dex("x.Other")
STRIPPED = apk(declared("com.x"), code=b"")


@dataclass(frozen=True)
class Bytes:
    """A member in memory."""

    path: str
    content: bytes
    error: Exception | None = None

    @property
    def size(self) -> int:
        return len(self.content)

    @property
    def origin(self) -> Origin:
        return FOLDER.child(self.path)

    def open(self) -> Blob:
        if self.error is not None:
            raise self.error
        return self.content

    def peek(self, size: int) -> bytes:
        return b"" if self.error is not None else self.content[:size]


def extract(
    files: Mapping[str, bytes], apks: Mapping[str, bytes] | None = None, limits: Limits = DEFAULT
) -> Extraction:
    """What is extracted of APKs and the compiled files that lie beside them."""
    packages = {"X.apk": STRIPPED} if apks is None else apks
    compiled = tuple(Bytes(path, content) for path, content in files.items())
    members = tuple(Bytes(name, content) for name, content in packages.items())
    found, _ = extract_android(AndroidSet(FOLDER, members, Budget(limits), compiled=compiled))
    return found


def classes(found: Extraction) -> set[str]:
    return {value for item in found.of(FactKind.DEX_CLASS) for value in item.values}


def problems(found: Extraction) -> list[tuple[ProblemCode, str]]:
    return [(item.code, item.origin.path[-1]) for item in found.problems]


def carries_the_sdk(found: Extraction) -> bool:
    return any(item.subject == "wechat" and item.grade.is_finding for item in match(found, load_catalog()))


def compact_vdex() -> bytes:
    data = SharedData()
    names = [f"L{name.replace('.', '/')};" for name in SDK_NAMES]
    return build_vdex("021", [build_main(data, names), build_main(data, ["Lx/Main;"])], data)


class TestTheCodeIsFound:
    @pytest.mark.parametrize(
        ("path", "content"),
        [
            *(("oat/arm64/X.vdex", build_vdex(version, [OTHER, SDK])) for version in VERSIONS),
            ("oat/arm64/X.vdex", compact_vdex()),
            ("oat/x86_64/X.odex", build_oat("079", [OTHER, SDK])),
            ("arm64/X.odex", build_oat("045", [SDK])),
            ("X.odex", build_optimized(SDK)),
            ("arm/X.odex.gz", gzip.compress(build_oat("064", [SDK]))),
        ],
    )
    def test_in_each_kind_of_compiled_file(self, path: str, content: bytes) -> None:
        found = extract({path: content})
        assert set(SDK_NAMES) <= classes(found)
        assert found.problems == ()
        assert carries_the_sdk(found)

    def test_with_the_file_it_was_seen_in(self) -> None:
        vdex = build_vdex("021", [SDK])
        found = extract({"oat/arm64/X.vdex": vdex})
        (batch,) = found.of(FactKind.DEX_CLASS)
        assert batch.origin == FOLDER.child("oat/arm64/X.vdex")
        place = batch.values.offset_of(SDK_NAMES[0])
        assert place is not None
        assert vdex.index(SDK) < place < vdex.index(SDK) + len(SDK)

    def test_strings_too(self) -> None:
        found = extract({"oat/arm64/X.vdex": build_vdex("010", [SDK])})
        assert any(
            "Lcom/tencent/mm/opensdk/modelmsg/SendAuth;" in item.values for item in found.of(FactKind.DEX_STRING)
        )

    def test_the_odex_beside_a_vdex_holds_no_dex_and_is_no_problem(self) -> None:
        found = extract({"oat/arm64/X.odex": build_oat("170", count=1), "oat/arm64/X.vdex": build_vdex("021", [SDK])})
        assert (found.problems, carries_the_sdk(found)) == ((), True)

    def test_the_copies_for_two_processors_are_read_once(self) -> None:
        found = extract({f"oat/{isa}/X.vdex": build_vdex("021", [SDK]) for isa in ("arm", "arm64")})
        assert [item.origin.path[-1] for item in found.of(FactKind.DEX_CLASS)] == ["oat/arm/X.vdex"]

    def test_a_sound_copy_makes_up_for_a_damaged_one(self) -> None:
        vdex = build_vdex("021", [OTHER, SDK])
        found = extract({"oat/arm/X.vdex": vdex[:-2000], "oat/arm64/X.vdex": vdex})
        assert (found.problems, carries_the_sdk(found)) == ((), True)

    def test_each_apk_of_a_set_has_its_own(self) -> None:
        packages = {
            "base.apk": STRIPPED,
            "split_pay.apk": apk(declared("com.x", split="pay"), code=b""),
            "split_config.en.apk": split("config.en", "com.x"),
        }
        files = {
            "oat/arm64/base.vdex": build_vdex("021", [OTHER]),
            "oat/arm64/split_pay.vdex": build_vdex("021", [SDK]),
        }
        found = extract(files, packages)
        assert classes(found) == {"x.Main", "x.Other", *SDK_NAMES}
        assert found.problems == ()


class TestTheCodeIsNotFound:
    def test_without_compiled_files_the_app_is_undecided(self) -> None:
        assert problems(extract({})) == [(ProblemCode.CODE_ABSENT, "app/X")]

    @pytest.mark.parametrize("version", VERSIONS)
    def test_a_vdex_without_dex_files_is_named(self, version: str) -> None:
        found = extract({"oat/arm64/X.vdex": build_vdex(version)})
        assert problems(found) == [(ProblemCode.CODE_ABSENT, "X.apk")]
        assert "none in X.vdex beside it" in found.problems[0].detail
        assert FactKind.DEX_CLASS in found.problems[0].hidden

    def test_all_that_were_looked_at_are_named_as_far_as_a_line_allows(self) -> None:
        files = {f"oat/{isa}/X.{kind}": b"" for isa in ("arm", "x86") for kind in ("vdex", "odex")}
        content = {".vdex": build_vdex("027"), ".odex": build_oat("195")}
        found = extract({path: content[path[-5:]] for path in files})
        assert [item.detail for item in found.problems] == [
            "no DEX file in the APK, and none in X.vdex, X.vdex, X.odex and 1 more beside it"
        ]

    def test_a_dex_file_among_the_assets_does_not_stand_in_for_it(self) -> None:
        found = extract({}, {"X.apk": apk(declared("com.x"), {"assets/plugin.dex": OTHER}, code=b"")})
        assert problems(found) == [(ProblemCode.CODE_ABSENT, "app/X")]
        assert "no classes.dex" in found.problems[0].detail

    def test_a_split_without_its_code_is_named_though_the_base_has_some(self) -> None:
        packages = {
            "base.apk": apk(declared("com.x"), code=OTHER),
            "split_pay.apk": apk(declared("com.x", split="pay"), code=b""),
        }
        found = extract({"oat/arm64/split_pay.vdex": build_vdex("021")}, packages)
        assert problems(found) == [(ProblemCode.CODE_ABSENT, "split_pay.apk")]


class TestDamage:
    @pytest.mark.parametrize(
        ("path", "content", "code"),
        [
            ("oat/arm64/X.vdex", build_vdex("021", [SDK])[:-600], ProblemCode.DEX_DAMAGED),
            ("oat/arm64/X.vdex", b"vdex021\0", ProblemCode.DEX_DAMAGED),
            ("oat/arm64/X.vdex", b"vdex020\0" + bytes(500), ProblemCode.DEX_UNSUPPORTED),
            ("oat/arm64/X.vdex", compact_vdex().replace(b"cdex001", b"cdex002"), ProblemCode.DEX_UNSUPPORTED),
            ("oat/arm64/X.vdex", b"encrypted", ProblemCode.DEX_DAMAGED),
            ("oat/arm64/X.vdex", b"", ProblemCode.DEX_DAMAGED),
            ("oat/arm64/X.odex", build_oat("064", [SDK], 2), ProblemCode.DEX_DAMAGED),
            ("oat/arm64/X.odex", b"\x7fELF" + bytes(100), ProblemCode.DEX_DAMAGED),
            ("arm/X.odex.gz", gzip.compress(build_oat("064", [SDK]))[:-100], ProblemCode.MEMBER_UNREADABLE),
        ],
    )
    def test_it_is_located_and_the_app_is_undecided(self, path: str, content: bytes, code: ProblemCode) -> None:
        found = extract({path: content})
        located = [item for item in found.problems if item.code is code]
        assert located
        assert all(item.origin.path[2] == path for item in located)
        assert all({FactKind.DEX_CLASS, FactKind.DEX_STRING} <= item.hidden for item in located)

    def test_what_can_be_read_counts(self) -> None:
        vdex = build_vdex("021", [SDK, OTHER])
        found = extract({"oat/arm64/X.vdex": vdex[: vdex.index(OTHER) + 0x80]})
        assert carries_the_sdk(found)
        assert ProblemCode.DEX_DAMAGED in {item.code for item in found.problems}

    @pytest.mark.parametrize(
        ("error", "code"),
        [(FormatError("torn"), ProblemCode.MEMBER_UNREADABLE), (LimitError("too much"), ProblemCode.LIMIT)],
    )
    def test_a_file_that_cannot_be_opened_is_named(self, error: FormatError, code: ProblemCode) -> None:
        member = Bytes("oat/arm64/X.vdex", b"", error)
        apks = (Bytes("X.apk", STRIPPED),)
        found, _ = extract_android(AndroidSet(FOLDER, apks, Budget(DEFAULT), compiled=(member,)))
        assert code in {item.code for item in found.problems if item.origin == member.origin}

    @pytest.mark.parametrize(
        ("limits", "word"),
        [(Limits(dex_files=1), "dex_files|more than 1"), (Limits(dex_strings=2), "string_ids")],
    )
    def test_a_bound_is_named(self, limits: Limits, word: str) -> None:
        found = extract({"oat/arm64/X.vdex": build_vdex("021", [SDK, OTHER])}, limits=limits)
        reached = [item.detail for item in found.problems if item.code is ProblemCode.LIMIT]
        assert reached
        assert any(part in reached[0] for part in word.split("|"))

    def test_damage_never_makes_an_app_clean(self) -> None:
        for content in (build_vdex("021", [OTHER, SDK]), compact_vdex()):
            whole = len(classes(extract({"oat/arm64/X.vdex": content})))
            for damaged in mutations(content, 150):
                found = extract({"oat/arm64/X.vdex": damaged})
                hidden = any(FactKind.DEX_CLASS in item.hidden for item in found.problems)
                # A changed letter in a name is no damage that anything could tell.
                assert hidden or len(classes(found)) == whole


class TestWhatIsNotRead:
    def test_beside_an_apk_with_its_own_code(self) -> None:
        found = extract({"oat/arm64/X.vdex": b"damaged"}, {"X.apk": apk(declared("com.x"), code=OTHER)})
        assert (found.problems, classes(found)) == ((), {"x.Other"})

    def test_beside_an_apk_that_declares_to_have_no_code(self) -> None:
        found = extract({"oat/arm64/X.vdex": b"damaged"}, {"X.apk": apk(declared("com.x", has_code=False), code=b"")})
        assert found.problems == ()


BESIDE = [
    Bytes(path, b"")
    for path in (
        "X.odex", "arm64/X.odex.xz", "oat/arm/X.oat", "oat/arm64/X.odex", "oat/arm64/X.vdex", "oat/arm64/X2.vdex",
        "oat/arm64/split_a.vdex", "oat/x86/X.apk.oat",
    )
]  # fmt: skip


class TestWhichFilesBelongToAnApkOfASet:
    def test_those_of_its_name_vdex_first(self) -> None:
        found = compiled_of(Bytes("app/X/X.apk", b""), BESIDE, alone=False)
        assert [item.path for item in found] == [
            "oat/arm64/X.vdex", "X.odex", "arm64/X.odex.xz", "oat/arm64/X.odex", "oat/arm/X.oat", "oat/x86/X.apk.oat"
        ]  # fmt: skip
        assert [item.path for item in compiled_of(Bytes("split_a.apk", b""), BESIDE, alone=False)] == [
            "oat/arm64/split_a.vdex"
        ]
        assert compiled_of(Bytes("Z.apk", b""), BESIDE, alone=False) == ()

    def test_all_where_there_is_but_one_apk(self) -> None:
        cache = Bytes("dalvik-cache/arm64/system@app@X@X.apk@classes.vdex", b"")
        assert compiled_of(Bytes("base.apk", b""), [cache], alone=True) == (cache,)
        assert compiled_of(Bytes("base.apk", b""), [cache], alone=False) == ()
