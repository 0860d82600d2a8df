"""Versions that libraries state in small files are seen in every kind of Android package, within bounds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from auditor import Audit, Verdict
from auditor.limits import DEFAULT
from auditor.model import FactKind
from tests.builders.apps import aab, apk, archive, declared, put
from tests.platforms.test_android import codes, one, scan, values, verdict

CORE = {"META-INF/androidx.core_core.version": b"1.9.0\n"}
POM = {"META-INF/maven/g/a/pom.properties": b"version=2.0\n"}
PLAY = {"play-services-base.properties": b"version=18.9.0\nclient=play-services-base\n"}


def versions(audit: Audit) -> set[str]:
    return values(audit, FactKind.FILE_VERSION)


@pytest.mark.parametrize(
    ("data", "stated"),
    [
        pytest.param(
            apk(files={**CORE, **POM, **PLAY}),
            {"androidx.core_core 1.9.0", "g:a 2.0", "play-services-base 18.9.0"},
            id="an APK",
        ),
        pytest.param(
            aab({f"base/root/{name}": content for name, content in {**CORE, **PLAY}.items()}),
            {"androidx.core_core 1.9.0", "play-services-base 18.9.0"},
            id="an app bundle",
        ),
        pytest.param(
            apk(files={"assets/a.aar": archive({"classes.jar": archive(POM), **CORE})}),
            {"androidx.core_core 1.9.0", "g:a 2.0"},
            id="an AAR with a jar inside",
        ),
        pytest.param(
            archive({"base.apk": apk(), "split_x.apk": apk(declared(split="x"), files=CORE, code=b"")}),
            {"androidx.core_core 1.9.0"},
            id="a split",
        ),
        pytest.param(apk(files={"assets/a.version": b"1.0\n", "res/x.properties": b"version=1\n"}), set(), id="others"),
    ],
)
def test_versions_are_read_where_libraries_state_them(data: bytes, stated: set[str], tmp_path: Path) -> None:
    audit = one(tmp_path, data)
    assert versions(audit) == stated
    assert codes(audit) == []


def test_a_version_has_the_file_as_its_origin(tmp_path: Path) -> None:
    audit = one(tmp_path, apk(files=CORE))
    (found,) = audit.extraction.of(FactKind.FILE_VERSION)
    assert found.origin.path[-1] == "META-INF/androidx.core_core.version"


@pytest.mark.parametrize("content", [b"", b"x" * 5000, b"\xff\xfe1\0", b"1.0 and more"])
def test_a_file_that_states_nothing_is_no_problem(content: bytes, tmp_path: Path) -> None:
    audit = one(tmp_path, apk(files={"META-INF/a.version": content}))
    assert (versions(audit), codes(audit), verdict(audit)) == (set(), [], Verdict.NOT_FOUND)


def test_code_under_the_name_of_a_version_file_is_code(tmp_path: Path) -> None:
    hidden = apk(files={"META-INF/a.version": (put(tmp_path, {"x": b"dex\n035\0"}) / "x").read_bytes()})
    assert codes(one(tmp_path, hidden)) == ["dex-damaged"]


def test_more_files_than_the_limit_are_told_once_and_leave_no_answer_open(tmp_path: Path) -> None:
    many = apk(files={f"META-INF/a{number}.version": b"1.0\n" for number in range(9)})
    (audit,), _ = scan(tmp_path, many, replace(DEFAULT, version_files=3))
    assert len(versions(audit)) == 3
    assert codes(audit) == ["limit-reached"]
    assert verdict(audit) is Verdict.NOT_FOUND
