"""A device in every carrier, made by the tools of practice, gives the answers that its plain folder gives."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from auditor import Catalog, Run, load_catalog
from auditor.model import Audit, DeviceRecord, JudgedRecord, Listing, Origin, Problem, ProblemCode, placement_of
from auditor.report.content import report_of
from auditor.report.outcome import INCOMPLETE, FailOn
from tests.builders.device_carriers import CARRIERS, ext4, run
from tests.builders.device_trees import android_tree, ios_tree

TOOLS = (
    *("mkfs.ext4", "debugfs", "mkfs.erofs", "mkfs.f2fs", "sload.f2fs", "mkfs.fat", "mcopy", "img2simg", "sgdisk"),
    *("sfdisk", "lz4", "gzip", "xz", "zstd", "brotli", "bzip2", "tar", "zip"),
)
MISSING = [tool for tool in TOOLS if shutil.which(tool) is None]
pytestmark = [
    pytest.mark.images,
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
]
DAY = date(2026, 11, 1)
IOS = ("tar", "tar, pax", "tar.gz", "zip", "zip, stored", "zip of an extraction tool")
PLACE = re.compile(r"(?:^|.*?[!/])((?:data|private|product|system|system_ext|vendor)/.*)")
CUTS = (0.02, 0.2, 0.45, 0.7, 0.95)


@cache
def catalog() -> Catalog:
    return load_catalog()


@dataclass
class Answers:
    """What a scan says, by places on the device."""

    run: Run
    audits: list[Audit]

    @property
    def apps(self) -> list[tuple[object, ...]]:
        return sorted((_app(item) for item in self.audits), key=str)

    @property
    def records(self) -> list[tuple[object, ...]]:
        return sorted((_record(item) for item in self.run.records), key=str)

    @property
    def problems(self) -> list[str]:
        return [f"{item.origin}: {item.code}: {item.detail}" for item in self.run.problems]


def scan(path: Path) -> Answers:
    found = Run([path], catalog(), DAY)
    return Answers(found, list(found))


def where(origin: Origin) -> str:
    """A place on the device, whatever carries it."""
    text = str(replace(origin, offset=None))
    place = PLACE.fullmatch(text)
    assert place is not None, text
    return place.group(1)


def _app(audit: Audit) -> tuple[object, ...]:
    """Everything that is said of an app but where its carrier lies."""
    app = audit.app
    answers = [
        (item.subject, item.verdict, [(match.signature, match.grade, match.version) for match in item.matches])
        for item in audit.answers
    ]
    placement = placement_of(app.origin)
    return (
        *(where(app.origin), app.platform, app.app_id, app.build, app.version_code, app.labels),
        *(placement, None if app.parent is None else where(app.parent)),
        tuple((part.kind, part.name, part.sha256, part.size) for part in app.parts),
        *(app.signing, answers, audit.findings),
        tuple(sorted((item.code, where(item.origin), item.detail) for item in audit.problems)),
        tuple(sorted((item.kind, where(item.origin), tuple(item.values)) for item in audit.extraction.facts)),
    )


def _record(judged: JudgedRecord) -> tuple[object, ...]:
    """Everything that is said of a record but where its carrier lies."""
    record: DeviceRecord = judged.record
    here = where(record.origin)
    listings = [
        (replace(item.listing, origin=Origin((here,)), paths=_paths(item.listing)), item.matches != (), item.findings)
        for item in judged.apps
    ]
    return (
        *(here, record.kind, record.completeness, record.detail, record.taken, listings),
        *(record.users, record.attributes, [(item.code, item.detail) for item in record.problems]),
    )


def _paths(listing: Listing) -> tuple[str, ...]:
    """Places on the device: of an iOS container they begin where its carrier does."""
    return tuple(path if path.startswith("/") else where(Origin((path,))) for path in listing.paths)


@pytest.fixture(scope="module")
def android(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Answers]:
    tree = android_tree(tmp_path_factory.mktemp("android") / "phone")
    return tree, scan(tree)


@pytest.fixture(scope="module")
def ios(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Answers]:
    tree = ios_tree(tmp_path_factory.mktemp("ios") / "phone")
    return tree, scan(tree)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Answers]:
    tree = android_tree(tmp_path_factory.mktemp("small") / "phone", apps=14)
    return tree, scan(tree)


def test_the_folders_are_what_this_is_about(android: tuple[Path, Answers], ios: tuple[Path, Answers]) -> None:
    for (tree, expected), files, apps, records in ((android, 190, 110, 12), (ios, 140, 25, 25)):
        assert sum(1 for path in tree.rglob("*") if path.is_file()) >= files
        assert len(expected.apps) >= apps
        assert len(expected.records) >= records
        assert expected.problems == []
        assert sum(bool(audit.findings) for audit in expected.audits) > 10
    states = {placement_of(audit.app.origin).state for audit in android[1].audits}
    assert len(states) >= 3


@pytest.mark.parametrize("name", CARRIERS)
def test_an_android_device_gives_the_answers_of_its_folder(
    tmp_path: Path, android: tuple[Path, Answers], name: str
) -> None:
    tree, expected = android
    found = scan(CARRIERS[name](tree, tmp_path))
    assert found.problems == []
    assert _differences(found.apps, expected.apps) == ([], [])
    assert _differences(found.records, expected.records) == ([], [])


@pytest.mark.parametrize("name", IOS)
def test_an_iphone_gives_the_answers_of_its_folder(tmp_path: Path, ios: tuple[Path, Answers], name: str) -> None:
    tree, expected = ios
    found = scan(CARRIERS[name](tree, tmp_path))
    assert found.problems == []
    assert _differences(found.apps, expected.apps) == ([], [])
    assert _differences(found.records, expected.records) == ([], [])


def _differences(found: Iterable[object], expected: Iterable[object]) -> tuple[list[object], list[object]]:
    """What is there too much, and what is missing."""
    found, expected = list(found), list(expected)
    return [item for item in found if item not in expected], [item for item in expected if item not in found]


@pytest.mark.parametrize("name", CARRIERS)
def test_a_carrier_that_is_cut_off_is_never_clean(tmp_path: Path, small: tuple[Path, Answers], name: str) -> None:
    tree, expected = small
    made = CARRIERS[name](tree, tmp_path)
    carrier = max(made.iterdir(), key=lambda path: path.stat().st_size) if made.is_dir() else made
    whole = carrier.read_bytes()
    assert scan(made).apps == expected.apps
    for cut in CUTS:
        carrier.write_bytes(whole[: int(len(whole) * cut)])
        found = scan(made)
        report = report_of(found.run, found.audits, FailOn(frozenset()))
        assert report.exit_code == INCOMPLETE, cut
        assert [item for item in found.run.problems if item.code is ProblemCode.INTERNAL] == []
        assert any(_tells(item) for item in found.run.problems) or _unknown(found), cut


def _tells(problem: Problem) -> bool:
    return bool(problem.hidden)


def _unknown(found: Answers) -> bool:
    return any(not audit.complete for audit in found.audits)


def test_an_encrypted_directory_is_said_to_be_encrypted(tmp_path: Path, small: tuple[Path, Answers]) -> None:
    tree, expected = small
    image = ext4("-O", "encrypt", "-I", "256")(tree, tmp_path)
    run("debugfs", "-w", "-R", "sif /data/app flags 0x80800", image)
    found = scan(image)
    assert [(item.code, str(item.origin)) for item in found.run.problems] == [
        (ProblemCode.ENCRYPTED, "userdata.img!data/app")
    ]
    assert report_of(found.run, found.audits, FailOn(frozenset())).exit_code == INCOMPLETE
    assert _differences(found.apps, expected.apps)[0] == []


def test_an_encrypted_file_is_said_to_be_encrypted(tmp_path: Path, small: tuple[Path, Answers]) -> None:
    tree, expected = small
    image = ext4("-O", "encrypt", "-I", "256")(tree, tmp_path)
    place = "data/media/0/Download/zip-of-apps.zip"
    run("debugfs", "-w", "-R", f"sif /{place} flags 0x80800", image)
    found = scan(image)
    assert [(item.code, str(item.origin)) for item in found.run.problems] == [
        (ProblemCode.ENCRYPTED, f"userdata.img!{place}")
    ]
    assert report_of(found.run, found.audits, FailOn(frozenset())).exit_code == INCOMPLETE
    assert found.apps == [item for item in expected.apps if not str(item[0]).startswith(place)] != expected.apps
