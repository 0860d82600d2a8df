"""The code compiled from an APK goes with it, wherever both lie, and with no other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from auditor.limits import DEFAULT
from auditor.model import FactKind, Problem
from auditor.platforms.android import extract_android
from auditor.platforms.candidate import AndroidSet
from auditor.platforms.compiled_files import compiled_places
from auditor.platforms.search import Found, Search
from auditor.scan import guarded, open_argument
from tests.builders.apps import apk, declared, dex, put, split
from tests.builders.images import TREES, erofs_of, ext4_of, gpt_of
from tests.builders.oat import build_oat
from tests.builders.vdex import build_vdex

STRIPPED = apk(declared("com.x"), code=b"")
VDEX = build_vdex("021", [dex("x.Code")])
OTHER = build_vdex("021", [dex("y.Other")])


def scan(place: Path) -> list[Found]:
    return list(open_argument(place, place.name, Search(DEFAULT, guarded), several=False))


def image(kind: str) -> Callable[[Path, Mapping[str, bytes]], Path]:
    return lambda place, files: put(place, {"phone": TREES[kind](files)}) / "phone"


PLACES: dict[str, Callable[[Path, Mapping[str, bytes]], Path]] = {
    "folder": lambda place, files: put(place / "phone", files),
    **{name: image(name) for name in TREES},
}


def compiled(found: list[Found]) -> dict[str, list[str]]:
    """The compiled files of each set, by the path of its base."""
    return {
        item.apks[0].path: sorted(other.path for other in item.compiled)
        for item in found
        if isinstance(item, AndroidSet)
    }


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("base", "code"),
    [
        ("data/app/com.x-1/base.apk", ["data/app/com.x-1/oat/arm64/base.vdex", "data/app/com.x-1/oat/arm64/base.odex"]),
        ("system/app/X/X.apk", ["system/app/X/oat/arm/X.vdex", "system/app/X/oat/arm64/X.vdex"]),
        ("system/app/X/X.apk", ["system/app/X/arm64/X.odex"]),
        ("system/app/X.apk", ["system/app/X.odex"]),
        ("app/X/X.apk", ["app/X/oat/x86_64/X.odex.gz"]),
        ("X.apk", ["oat/arm64/X.vdex"]),
        ("X.apk", ["X.apk.oat"]),
    ],
)
def test_compiled_code_goes_with_its_apk(tmp_path: Path, place: str, base: str, code: list[str]) -> None:
    found = scan(PLACES[place](tmp_path, {base: STRIPPED, **dict.fromkeys(code, VDEX)}))
    assert compiled(found) == {base: sorted(code)}
    assert [item for item in found if isinstance(item, Problem)] == []


@pytest.mark.parametrize("place", PLACES)
def test_code_of_others_does_not(tmp_path: Path, place: str) -> None:
    files = {
        "app/X/X.apk": STRIPPED,
        "app/X/oat/arm64/Y.vdex": OTHER,
        "app/Y/oat/arm64/X.vdex": OTHER,
        "app/X/deeper/oat/arm64/X.vdex": OTHER,
        "app/X/oat/notes/X.vdex": OTHER,
        "oat/arm64/X.vdex": OTHER,
    }
    assert compiled(scan(PLACES[place](tmp_path, files))) == {"app/X/X.apk": []}


@pytest.mark.parametrize("place", PLACES)
def test_two_apks_of_a_folder_have_their_own(tmp_path: Path, place: str) -> None:
    files = {
        "app/A.apk": apk(declared("com.a"), code=b""),
        "app/B.apk": apk(declared("com.b"), code=b""),
        "app/oat/arm64/A.vdex": VDEX,
        "app/oat/arm64/B.vdex": OTHER,
    }
    assert compiled(scan(PLACES[place](tmp_path, files))) == {
        "app/A.apk": ["app/oat/arm64/A.vdex"],
        "app/B.apk": ["app/oat/arm64/B.vdex"],
    }


@pytest.mark.parametrize("place", PLACES)
def test_splits_have_theirs(tmp_path: Path, place: str) -> None:
    files = {
        "a/base.apk": apk(),
        "a/split_f.apk": split("f"),
        "a/oat/arm64/base.odex": build_oat("199", [dex("x.Code")]),
        "a/oat/arm64/split_f.vdex": VDEX,
    }
    assert compiled(scan(PLACES[place](tmp_path, files))) == {
        "a/base.apk": ["a/oat/arm64/base.odex", "a/oat/arm64/split_f.vdex"]
    }


@pytest.mark.parametrize("place", PLACES)
def test_the_classes_are_those_of_the_compiled_code(tmp_path: Path, place: str) -> None:
    files = {"system/app/X/X.apk": STRIPPED, "system/app/X/oat/arm64/X.vdex": VDEX}
    (found,) = scan(PLACES[place](tmp_path, files))
    assert isinstance(found, AndroidSet)
    extraction, _ = extract_android(found)
    assert {value for item in extraction.of(FactKind.DEX_CLASS) for value in item.values} == {"x.Code"}
    assert extraction.problems == ()


def test_each_partition_of_a_disk_has_its_own(tmp_path: Path) -> None:
    files = {"app/X/X.apk": STRIPPED, "app/X/oat/arm64/X.vdex": VDEX}
    disk = gpt_of({"system_a": ext4_of(files), "product_a": erofs_of({"app/X/X.apk": STRIPPED})})
    found = scan(put(tmp_path, {"disk.img": disk}) / "disk.img")
    assert [len(item.compiled) for item in found if isinstance(item, AndroidSet)] == [1, 0]


@pytest.mark.parametrize(
    ("folder", "place", "expected"),
    [
        ("a", "a", True),
        ("a", "a/oat/arm64", True),
        ("a", "a/arm", True),
        ("", "oat/arm64", True),
        ("", "", True),
        ("a", "a/oat", False),
        ("a", "ab/oat/arm64", False),
        ("a", "a/b/oat/arm64", False),
        ("a", "oat/arm64", False),
        ("a/b", "a", False),
    ],
)
def test_where_compiled_code_lies(folder: str, place: str, expected: bool) -> None:
    assert (place in set(compiled_places(folder))) is expected
