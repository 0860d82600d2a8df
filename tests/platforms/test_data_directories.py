"""Directories of app data name apps and users, wherever an extraction puts them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.limits import DEFAULT
from auditor.model import Completeness, Origin, ProblemCode, RecordKind, State
from auditor.platforms.data_directories import find_data_directories, listings_of

HERE = Origin(("dump.tar", "data/data"))


@pytest.mark.parametrize("prefix", ["", "Dump/", "extraction/phone 7/", "fs/userdata/", "data/"])
@pytest.mark.parametrize(
    ("path", "user"),
    [
        ("data/data", "0"),
        ("data/user/0", "0"),
        ("data/user/10", "10"),
        ("data/user_de/11", "11"),
        ("data/media/0/Android/data", "0"),
        ("data/media/10/Android/obb", "10"),
        ("data/media/0/Android/media", "0"),
        ("storage/emulated/0/Android/data", "0"),
        ("sdcard/Android/data", "0"),
        ("mnt/expand/1b6e-22/user/12", "12"),
        ("mnt/expand/1b6e-22/user_de/0", "0"),
    ],
)
def test_places_of_app_data_name_apps(prefix: str, path: str, user: str) -> None:
    found = listings_of(prefix + path, ["com.tencent.mm", "cn.wps.moffice_eng"], HERE)
    assert [(item.app_id, item.user, item.state) for item in found] == [
        ("cn.wps.moffice_eng", user, State.RESIDUAL),
        ("com.tencent.mm", user, State.RESIDUAL),
    ]


@pytest.mark.parametrize(
    "path",
    [
        "",
        "data",
        "data/app",
        "data/user",
        "data/user/x",
        "data/media/0",
        "data/media/0/Android",
        "Android/data",
        "mydata/data",
        "data_mirror/data_ce/null/0",
        "data_mirror/x/data/data",
        "mirror/data/user/0",
        "data/data/com.emulator/files/data/data",
        "data/media/0/backup/data/data",
    ],
)
def test_other_places_name_none(path: str) -> None:
    assert listings_of(path, ["com.tencent.mm"], HERE) == ()


@pytest.mark.parametrize(
    "name", ["lost+found", "cache", ".nomedia", "com", "a..b", "a.b ", "1.2", "5zQAAAA,x+AB", "a." + "b" * 300, "ä.b"]
)
def test_names_that_are_no_packages_are_left_out(name: str) -> None:
    assert listings_of("data/data", [name], HERE) == ()


def test_a_listing_lies_in_the_directory() -> None:
    (item,) = listings_of("data/data", ["a.b", "a.b"], HERE)
    assert str(item.origin) == "dump.tar!data/data/a.b"
    (item,) = listings_of("data/data", ["a.b"], Origin(("",)))
    assert str(item.origin) == "a.b"


def test_a_place_is_a_record_that_proves_nothing() -> None:
    (found,) = find_data_directories(HERE, "data/data", iter(["a.b"]))
    assert (found.kind, found.completeness) == (RecordKind.DATA_DIRECTORIES, Completeness.PARTIAL)
    assert found.listings[0].app_id == "a.b"
    assert list(find_data_directories(HERE, "data/data", ["cache"])) == []
    assert list(find_data_directories(HERE, "system/app", ["a.b"])) == []


def test_more_directories_than_the_bound_are_told() -> None:
    names = [f"com.a{count}" for count in range(9)]
    (found,) = find_data_directories(HERE, "data/data", names, replace(DEFAULT, record_listings=5))
    assert len(found.listings) == 5
    (problem,) = found.problems
    assert (problem.code, problem.hides) == (ProblemCode.LIMIT, frozenset())
    (whole,) = find_data_directories(HERE, "data/data", names[:5], replace(DEFAULT, record_listings=5))
    assert not whole.problems
