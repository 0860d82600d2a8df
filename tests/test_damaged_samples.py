"""Whatever happens to the bytes of a sample, the audit ends with an answer, and a cut never makes it a clean one."""

from __future__ import annotations

import io
import random
import tomllib
import warnings
import zipfile
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from auditor import Audit, Catalog, Problem, Run, Verdict, load_catalog
from auditor.model import ProblemCode
from auditor.report.content import report_of
from auditor.report.outcome import FailOn
from tests.builders.mangle import mutations, prefixes

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
ENTRIES: list[dict[str, Any]] = tomllib.loads((SAMPLES / "manifest.toml").read_text(encoding="utf-8"))["sample"]
ALL = [pytest.param(entry, id=entry["path"]) for entry in ENTRIES]
pytestmark = pytest.mark.slow
CUTS = (0.02, 0.3, 0.7, 0.99)
DAY = date(2026, 11, 1)


@cache
def catalog_with(extra: str) -> Catalog:
    return load_catalog([SAMPLES / extra] if extra else [])


def read(place: Path, entry: dict[str, Any]) -> tuple[list[Audit], tuple[Problem, ...], int]:
    passwords = (entry["password"],) if "password" in entry else ()
    run = Run([place], catalog_with(entry.get("catalog", "")), DAY, passwords=passwords)
    found = list(run)
    return found, run.problems, report_of(run, found, FailOn()).exit_code


def audited(folder: Path, data: bytes, entry: dict[str, Any]) -> tuple[list[Audit], tuple[Problem, ...], int]:
    place = folder / Path(entry["path"]).name
    place.write_bytes(data)
    return read(place, entry)


def verdicts(found: list[Audit]) -> dict[str, set[Verdict]]:
    said: dict[str, set[Verdict]] = {}
    for item in found:
        for answer in item.answers:
            said.setdefault(answer.subject, set()).add(answer.verdict)
    return said


def assert_is_no_fault_of_ours(found: list[Audit], problems: tuple[Problem, ...]) -> None:
    everything = [*problems, *(problem for item in found for problem in item.problems)]
    assert [problem for problem in everything if problem.code is ProblemCode.INTERNAL] == []


def assert_nothing_got_lost(folder: Path, data: bytes, entry: dict[str, Any], present: set[str]) -> None:
    """What the intact sample shows is still shown, or open for a reason that is named."""
    found, problems, exit_code = audited(folder, data, entry)
    assert_is_no_fault_of_ours(found, problems)
    said = verdicts(found)
    for subject in present:
        if not said.get(subject, set()) & {Verdict.PRESENT, Verdict.UNKNOWN}:
            assert any(problem.hidden for problem in problems), subject
    if present:
        assert exit_code in (1, 3)


def shown_by(entry: dict[str, Any]) -> set[str]:
    found, _, _ = read(SAMPLES / entry["path"], entry)
    return {subject for subject, said in verdicts(found).items() if Verdict.PRESENT in said}


def with_member_cut(data: bytes, share: float) -> Iterator[bytes]:
    """The archive packed anew with one member after the other cut off."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        members = [(item.filename, archive.read(item)) for item in archive.infolist()]
        for victim in range(len(members)):
            out = io.BytesIO()
            with zipfile.ZipFile(out, "w") as packed:
                for number, (name, content) in enumerate(members):
                    kept = content[: int(len(content) * share)] if number == victim else content
                    packed.writestr(name, kept, zipfile.ZIP_DEFLATED)
            yield out.getvalue()


def with_member_garbled(data: bytes, seed: int) -> Iterator[bytes]:
    """The archive with the packed bytes of one member after the other replaced by random ones, or its header gone."""
    source = random.Random(seed)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        infos = archive.infolist()
    for item in infos:
        at = item.header_offset
        start = at + 30 + int.from_bytes(data[at + 26 : at + 28], "little")
        start += int.from_bytes(data[at + 28 : at + 30], "little")
        yield data[:start] + source.randbytes(item.compress_size) + data[start + item.compress_size :]
        yield data[:at] + bytes(4) + data[at + 4 :]


def unpacked(data: bytes) -> bool:
    """Whether the standard library reads every member: only then does packing it anew keep what it says.

    It also takes the image of a disk for an archive, where the last file in it is one.
    """
    if not data.startswith(b"PK"):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return archive.testzip() is None
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError):
        return False


@pytest.mark.parametrize("entry", ALL)
def test_a_sample_that_is_cut_off_never_looks_clean(entry: dict[str, Any], tmp_path: Path) -> None:
    data, present = (SAMPLES / entry["path"]).read_bytes(), shown_by(entry)
    for share in CUTS:
        assert_nothing_got_lost(tmp_path, data[: int(len(data) * share)], entry, present)
    assert_nothing_got_lost(tmp_path, data[:-1], entry, present)


@pytest.mark.parametrize("entry", ALL)
def test_flipped_bits_of_a_sample_give_an_answer(entry: dict[str, Any], tmp_path: Path) -> None:
    data = (SAMPLES / entry["path"]).read_bytes()
    for damaged in mutations(data, 5, seed=len(data)) if data else ():
        assert_is_no_fault_of_ours(*audited(tmp_path, damaged, entry)[:2])


VARIED = [
    pytest.param(entry, id=entry["path"])
    for entry in ENTRIES
    if entry["path"] in ("bundles/hidden-jar.apk", "bundles/nested-apk.apk", "ios/sdk-wechat-pay.ipa")
    or entry["path"] in ("android/sdk-wechat-pay.apk", "bundles/split-set.xapk", "ios/in-appex.ipa")
]


@pytest.mark.parametrize("entry", VARIED)
def test_a_sample_with_a_damaged_member_never_looks_clean(entry: dict[str, Any], tmp_path: Path) -> None:
    data, present = (SAMPLES / entry["path"]).read_bytes(), shown_by(entry)
    assert present
    for damaged in (*with_member_cut(data, 0.5), *with_member_garbled(data, 1)):
        assert_nothing_got_lost(tmp_path, damaged, entry, present)


@pytest.mark.slow
@pytest.mark.parametrize("entry", ALL)
def test_a_sample_with_any_damage_ends_with_an_answer(entry: dict[str, Any], tmp_path: Path) -> None:
    data, present = (SAMPLES / entry["path"]).read_bytes(), shown_by(entry)
    for damaged in mutations(data, 40, seed=len(data) + 1) if data else ():
        assert_is_no_fault_of_ours(*audited(tmp_path, damaged, entry)[:2])
    for cut in prefixes(data, 60):
        assert_nothing_got_lost(tmp_path, cut, entry, present)
    if "part_of" not in entry and unpacked(data):
        for share in (0.1, 0.5, 0.9):
            for damaged in with_member_cut(data, share):
                assert_nothing_got_lost(tmp_path, damaged, entry, present)
        for damaged in with_member_garbled(data, 2):
            assert_nothing_got_lost(tmp_path, damaged, entry, present)
