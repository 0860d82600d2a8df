"""The spine: what is given in any order comes out the same, and one bad file costs that file only."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import os
import random
import shutil
import tarfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import auditor.platforms.android
import auditor.platforms.find
import auditor.platforms.find_archive
import auditor.scan
from auditor import Audit, Catalog, Problem, Run, Verdict, audit, load_catalog
from auditor.containers.archive import ArchiveMember
from auditor.containers.folder import FileMember
from auditor.containers.tree import TreeMember
from auditor.errors import InputError
from auditor.formats.blob import Blob
from auditor.limits import DEFAULT
from auditor.model import Origin, ProblemCode, Scan
from auditor.platforms.meter import Meter
from auditor.report.content import report_of
from auditor.report.csv_report import render_csv
from auditor.report.json_report import render_json, render_jsonl
from auditor.report.names import names_of
from auditor.report.outcome import FailOn
from auditor.report.text import render_text
from auditor.scan import Progress, label_paths
from tests.builders.apps import apk, archive, bundle, declared, deep_folders, dex, ipa, put, split

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
DAY = date(2026, 11, 1)
SDK = dex("com.tencent.mm.opensdk.openapi.WXAPIFactory", "com.tencent.mm.opensdk.modelmsg.SendAuth")
FILES = {
    "a/base.apk": apk(),
    "a/split_x.apk": split("x", files={"classes.dex": SDK}),
    "b/one.ipa": ipa(bundle()),
    "b/outer.apk": apk(declared("com.outer"), {"assets/inner.bin": apk(declared("com.inner"), code=SDK)}),
    "c/damaged.apk": apk()[:-50],
    "c/empty.apk": b"",
    "d/apps.zip": archive({"x.apk": apk(declared("com.zipped")), "y.apk": b"?"}),
    "odd\n\x1b[2J.apk": apk(declared("com.odd")),
}


@cache
def catalog() -> Catalog:
    return load_catalog()


def read(*paths: Path, **options: object) -> tuple[Run, list[Audit]]:
    run = Run(paths, catalog(), DAY, **options)  # type: ignore[arg-type]
    return run, list(run)


def rendered(*paths: Path) -> list[str]:
    """The run in every form."""
    run, audits = read(*paths)
    report = report_of(run, audits, FailOn())
    text = render_text(report, names_of(catalog()), width=80, colour=False)
    return [render_json(report), "".join(render_jsonl(report)), "".join(render_csv(report)), text]


def origins(audits: Iterable[Audit]) -> list[str]:
    return [str(item.app.origin) for item in audits]


class TestTheSameWhateverTheOrder:
    def test_the_same_folder_twice(self, tmp_path: Path) -> None:
        put(tmp_path, FILES)
        assert rendered(tmp_path) == rendered(tmp_path)

    def test_arguments_in_any_order(self, tmp_path: Path) -> None:
        put(tmp_path, FILES)
        places = [tmp_path / name for name in ("a", "b", "c", "d/apps.zip")]
        expected = rendered(*places)
        for order in itertools.permutations(places):
            assert rendered(*order) == expected

    def test_a_folder_listed_in_another_order(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        put(tmp_path, FILES)
        expected = rendered(tmp_path)
        listdir = os.listdir
        monkeypatch.setattr(os, "listdir", lambda place: sorted(listdir(place), reverse=True))
        assert rendered(tmp_path) == expected

    def test_a_copy_of_the_folder_elsewhere(self, tmp_path: Path) -> None:
        first = put(tmp_path / "x" / "phone", FILES)
        second = put(tmp_path / "elsewhere" / "phone", dict(reversed(FILES.items())))
        assert rendered(first) == rendered(second)

    def test_an_argument_given_twice_counts_once(self, tmp_path: Path) -> None:
        put(tmp_path, FILES)
        assert rendered(tmp_path / "a", tmp_path / "a") == rendered(tmp_path / "a")

    def test_the_folder_of_samples_moved_and_listed_backwards(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        expected = rendered(SAMPLES / "bundles")[0]
        shutil.copytree(SAMPLES / "bundles", tmp_path / "bundles")
        listdir = os.listdir
        monkeypatch.setattr(os, "listdir", lambda place: sorted(listdir(place), reverse=True))
        assert rendered(tmp_path / "bundles")[0] == expected

    def test_nothing_of_this_machine_is_in_the_document(self, tmp_path: Path) -> None:
        put(tmp_path, FILES)
        for text in rendered(tmp_path / "a", tmp_path / "b"):
            assert str(tmp_path) not in text


class TestLabels:
    @pytest.mark.parametrize(
        ("paths", "labels"),
        [
            (["/t/a.apk"], ["a.apk"]),
            (["/t/a", "/t/b"], ["a", "b"]),
            (["/t/x/base.apk", "/t/y/base.apk", "/t/z.apk"], ["x/base.apk", "y/base.apk", "z.apk"]),
            (["/t/x/a", "/u/x/a"], ["t/x/a", "u/x/a"]),
            (["/a", "/t/a"], ["//a", "t/a"]),
            (["/"], ["/"]),
            (["/q/a/b", "/r/z/b", "/t/a"], ["a/b", "z/b", "t/a"]),
            (["/t/a", "/t/a", "/t/./a"], ["a"]),
        ],
    )
    def test_a_label_is_the_shortest_tail_that_names_one_argument(self, paths: list[str], labels: list[str]) -> None:
        assert [label for _, label in label_paths(paths)] == labels
        assert label_paths(list(reversed(paths))) == label_paths(paths)

    def test_no_two_files_get_the_same_place(self, tmp_path: Path) -> None:
        for name in ("t/a/b/c.apk", "q/a/b/c.apk", "r/z/b/c.apk"):
            put(tmp_path, {name: apk()})
        _, audits = read(tmp_path / "t/a", tmp_path / "q/a/b", tmp_path / "r/z/b")
        assert len(set(origins(audits))) == len(audits) == 3

    def test_several_arguments_of_one_name_are_told_apart(self, tmp_path: Path) -> None:
        put(tmp_path, {"x/base.apk": apk(), "y/base.apk": apk(declared("com.y"))})
        run, audits = read(tmp_path / "y/base.apk", tmp_path / "x/base.apk")
        assert origins(audits) == ["x/base.apk", "y/base.apk"]
        assert run.scan().target == ("x/base.apk", "y/base.apk")

    def test_ten_thousand_arguments_are_labelled_without_delay(self) -> None:
        assert len(label_paths([f"/t/{number}/base.apk" for number in range(10_000)])) == 10_000

    def test_a_path_that_is_no_text_is_an_argument_like_any_other(self, tmp_path: Path) -> None:
        name = os.fsdecode(b"caf\xe9.apk")
        put(tmp_path, {name: apk()})
        assert "caf%ED%B3%A9.apk" in rendered(tmp_path / name)[0]


class TestOneBadFile:
    def test_the_others_are_audited_and_the_bad_ones_named(self, tmp_path: Path) -> None:
        run, audits = read(put(tmp_path, FILES))
        assert [item.app.app_id for item in audits] == [
            "com.odd",
            "com.example.app",
            "com.example.ios",
            "com.outer",
            "com.inner",
            "com.zipped",
        ]
        assert [(str(item.origin), item.code.value) for item in run.problems] == [
            ("c/damaged.apk", "archive-damaged"),
            ("c/empty.apk", "empty"),
            ("d/apps.zip!y.apk", "unsupported-format"),
        ]
        assert run.apps == 6
        assert report_of(run, audits, FailOn()).exit_code == 1

    @pytest.mark.parametrize("name", ["a.apk", "b.apk", "c.apk"])
    def test_the_place_of_the_bad_file_does_not_matter(self, tmp_path: Path, name: str) -> None:
        put(tmp_path, {"a.apk": apk(), "b.apk": apk(), "c.apk": apk(), name: b"PK\x03\x04 damaged"})
        run, audits = read(tmp_path)
        assert len(audits) == 2
        assert [str(item.origin) for item in run.problems] == [name]

    @pytest.mark.parametrize(
        ("module", "function"),
        [
            (auditor.platforms.find, "parse_zip"),
            (auditor.platforms.find_archive, "probe_apk"),
            (auditor.platforms.android, "read_signing"),
            (auditor.platforms.android, "parse_zip"),
            (auditor.scan, "match"),
            (auditor.scan, "judge"),
        ],
    )
    @pytest.mark.parametrize("error", [IndexError, RecursionError, MemoryError, UnicodeDecodeError, AssertionError])
    def test_a_fault_of_ours_is_one_problem_and_the_run_goes_on(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        module: object,
        function: str,
        error: type[Exception],
    ) -> None:
        put(tmp_path, {"a.apk": apk(), "b.apk": apk(declared("com.b")), "c.apk": apk(declared("com.c"))})
        healthy, calls = getattr(module, function), []

        def faulty(*arguments: object, **options: object) -> object:
            calls.append(1)
            if len(calls) == 2:
                raise error(*("utf-8", b"", 0, 1, "x") if error is UnicodeDecodeError else ())
            return healthy(*arguments, **options)

        monkeypatch.delenv("AUDITOR_DEBUG", raising=False)
        monkeypatch.setattr(module, function, faulty)
        run, audits = read(tmp_path)
        assert [item.app.app_id for item in audits] == ["com.example.app", "com.c"]
        assert run.problems == (
            Problem(
                ProblemCode.INTERNAL,
                Origin(("b.apk",)),
                f"{error.__name__} while reading this; please report it",
            ),
        )
        assert run.problems[0].hidden
        assert report_of(run, audits, FailOn()).exit_code == 3

    def test_a_fault_while_looking_at_a_folder_costs_that_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put(tmp_path, {"a/Info.plist": b"x", "a/a.apk": apk(), "b.apk": apk()})
        monkeypatch.delenv("AUDITOR_DEBUG", raising=False)
        monkeypatch.setattr(auditor.platforms.find, "parse_plist", lambda *_: 1 // 0)
        run, audits = read(tmp_path)
        assert origins(audits) == ["b.apk"]
        assert [(str(item.origin), item.code.value) for item in run.problems] == [("a", "internal-error")]

    def test_a_fault_in_a_nested_app_leaves_the_outer_one(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put(tmp_path, {"b.apk": FILES["b/outer.apk"], "c.apk": apk(declared("com.c"))})
        monkeypatch.delenv("AUDITOR_DEBUG", raising=False)
        monkeypatch.setattr(auditor.scan, "find_nested", _failing)
        run, audits = read(tmp_path)
        assert [item.app.app_id for item in audits] == ["com.outer", "com.c"]
        assert [(str(item.origin), item.code.value) for item in run.problems] == [
            ("b.apk!assets/inner.bin", "internal-error")
        ]

    def test_a_developer_sees_where_it_happened(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        put(tmp_path, {"a.apk": apk()})
        monkeypatch.setenv("AUDITOR_DEBUG", "1")
        monkeypatch.setattr(auditor.scan, "match", lambda *_: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            read(tmp_path)

    def test_ctrl_c_is_no_fault(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        put(tmp_path, {"a.apk": apk()})

        def interrupted(*_: object) -> object:
            raise KeyboardInterrupt

        monkeypatch.setattr(auditor.scan, "match", interrupted)
        with pytest.raises(KeyboardInterrupt):
            read(tmp_path)

    def test_a_file_that_vanishes_between_finding_and_reading_is_a_problem(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put(tmp_path, {"a.apk": apk(), "b.apk": apk(declared("com.b"))})
        run = Run([tmp_path], catalog(), DAY)
        healthy = auditor.scan.find_in_folder

        def find(*arguments: object) -> Iterable[object]:
            found = list(healthy(*arguments))  # type: ignore[arg-type]
            (tmp_path / "a.apk").unlink()
            return found

        monkeypatch.setattr(auditor.scan, "find_in_folder", find)
        assert [item.app.app_id for item in run] == ["com.b"]
        assert [str(item.origin) for item in run.problems] == ["a.apk"]
        assert "No such file" in run.problems[0].detail


def _failing(*_: object) -> Iterable[object]:
    yield from ()
    raise ZeroDivisionError


class TestArguments:
    def test_a_path_that_does_not_exist_stops_before_anything_is_read(self, tmp_path: Path) -> None:
        put(tmp_path, {"a.apk": apk()})
        run = Run([tmp_path / "a.apk", tmp_path / "missing"], catalog(), DAY)
        with pytest.raises(InputError, match=r"missing: No such file or directory; check the path"):
            next(iter(run))
        assert run.apps == 0

    def test_a_link_the_user_names_is_followed(self, tmp_path: Path) -> None:
        put(tmp_path, {"real/a.apk": apk()})
        (tmp_path / "link").symlink_to("real")
        (tmp_path / "b.apk").symlink_to("real/a.apk")
        assert origins(read(tmp_path / "link")[1]) == ["a.apk"]
        assert origins(read(tmp_path / "b.apk")[1]) == ["b.apk"]

    def test_the_path_may_be_relative(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        put(tmp_path / "phone", {"a.apk": apk()})
        monkeypatch.chdir(tmp_path / "phone")
        assert origins(read(Path())[1]) == origins(read(Path("a.apk"))[1]) == ["a.apk"]

    def test_an_empty_folder_has_no_app(self, tmp_path: Path) -> None:
        run, audits = read(tmp_path)
        assert (audits, run.problems) == ([], ())
        assert report_of(run, audits, FailOn()).exit_code == 4

    def test_links_in_a_folder_are_named_and_do_not_make_it_incomplete(self, tmp_path: Path) -> None:
        put(tmp_path, {"a.apk": apk()})
        (tmp_path / "loop").symlink_to(".")
        run, audits = read(tmp_path)
        assert [(str(item.origin), item.code.value) for item in run.problems] == [("loop", "link-skipped")]
        assert report_of(run, audits, FailOn()).exit_code == 0


class TestNestedApps:
    def test_an_app_inside_an_app_is_an_app_of_its_own_with_its_parent(self, tmp_path: Path) -> None:
        outer, inner = read(put(tmp_path, {"b.apk": FILES["b/outer.apk"]}))[1]
        assert (outer.app.app_id, outer.app.parent) == ("com.outer", None)
        assert (inner.app.app_id, inner.app.parent) == ("com.inner", outer.app.origin)
        assert str(inner.app.origin) == "b.apk!assets/inner.bin"
        verdicts = [next(a.verdict for a in item.answers if a.subject == "wechat") for item in (outer, inner)]
        assert verdicts == [Verdict.NOT_FOUND, Verdict.PRESENT]

    def test_apps_nested_without_end_stop_at_the_limit(self, tmp_path: Path) -> None:
        data = apk()
        for level in range(40):
            data = apk(declared(f"com.level{level}"), {"assets/a.apk": data})
        run, audits = read(put(tmp_path, {"a.apk": data}))
        assert len(audits) == DEFAULT.container_depth + 1
        assert [item.code for item in run.problems] == [ProblemCode.LIMIT]


class TestProgress:
    def test_an_observer_is_told_of_every_app(self, tmp_path: Path) -> None:
        put(tmp_path, FILES)
        seen: list[Progress] = []
        _, audits = read(tmp_path, observer=seen.append)
        assert list(dict.fromkeys(item.current for item in seen if item.current)) == origins(audits)
        assert list(dict.fromkeys(item.files_done for item in seen if item.files_done)) == [1, 2, 3, 4, 5, 6]
        goes_by(seen, sum(len(content) for content in FILES.values()))

    def test_an_unpacked_bundle_is_counted_once(self, tmp_path: Path) -> None:
        seen: list[Progress] = []
        files = bundle({"PlugIns/X.appex/Info.plist": b""})
        read(put(tmp_path / "My.app", files), observer=seen.append)
        assert len(seen) == 1
        goes_by(seen, sum(len(content) for content in files.values()))

    def test_a_single_file_is_its_own_total(self, tmp_path: Path) -> None:
        seen: list[Progress] = []
        put(tmp_path, {"a.apk": apk()})
        read(tmp_path / "a.apk", observer=seen.append)
        assert [(item.bytes_done, item.bytes_total) for item in seen] == [(len(apk()), len(apk()))]

    def test_sizes_are_summed_below_folders_deeper_than_the_stack(self, tmp_path: Path) -> None:
        seen: list[Progress] = []
        with deep_folders(tmp_path, 1200, "a.apk", apk()):
            read(tmp_path, observer=seen.append)
        assert [item.bytes_total for item in seen] == [len(apk())]

    def test_files_that_are_no_apps_count_as_they_go_by(self, tmp_path: Path) -> None:
        seen: list[Progress] = []
        put(tmp_path, {**{f"{number}.bin": bytes(1000) for number in range(5)}, "z.apk": apk()})
        read(tmp_path, observer=seen.append)
        assert [item.bytes_done for item in seen[:5]] == [1000, 2000, 3000, 4000, 5000]
        assert [item.files_done for item in seen] == [0, 0, 0, 0, 0, 1]
        goes_by(seen, 5000 + len(apk()))

    @pytest.mark.parametrize("form", ["tar", "tar.gz", "zip", "nested zip", "ipa"])
    def test_what_lies_in_an_archive_goes_by_bit_by_bit(self, tmp_path: Path, form: str) -> None:
        source = random.Random(7)
        files = {f"data/app/com.example.x{number}-1/base.apk": apk() for number in range(6)}
        files |= {f"data/media/0/{number}.jpg": source.randbytes(20_000) for number in range(20)}
        archived = _packed(form, files)
        seen: list[Progress] = []
        read(put(tmp_path, {"phone": archived, "beside.bin": bytes(10)}), observer=seen.append)
        assert len(seen) >= (20 if form != "ipa" else 2)
        goes_by(seen, len(archived) + 10)
        steps = [after.bytes_done - before.bytes_done for before, after in itertools.pairwise(seen)]
        assert max(steps) < (0.2 if form != "ipa" else 1) * len(archived)

    def test_an_app_that_cannot_be_read_goes_by_as_well(self, tmp_path: Path) -> None:
        seen: list[Progress] = []
        put(tmp_path, {"a.apk": apk()[:-50], "b.apk": apk(), "c.apk": b"PK\x03\x04" + bytes(100)})
        read(tmp_path, observer=seen.append)
        goes_by(seen, len(apk()) * 2 - 50 + 104)

    def test_a_bundle_of_splits_is_counted_once(self, tmp_path: Path) -> None:
        seen: list[Progress] = []
        files = {"info.json": b"{}", "base.apk": apk(), "split_x.apk": split("x"), "x.obb": bytes(1000)}
        data = archive(files, method=0)
        read(put(tmp_path, {"a.apks": data, "b.apks": data}), observer=seen.append)
        goes_by(seen, 2 * len(data))
        assert seen[0].bytes_done < len(data)

    def test_apps_in_an_app_add_nothing(self, tmp_path: Path) -> None:
        seen: list[Progress] = []
        data = FILES["b/outer.apk"]
        read(put(tmp_path, {"a.apk": data}), observer=seen.append)
        assert [(item.files_done, item.bytes_done) for item in seen] == [(1, len(data)), (2, len(data))]

    def test_a_million_files_are_told_of_a_thousand_times(self) -> None:
        told: list[int] = []
        meter = Meter(1_000_000, lambda: told.append(meter.done))
        for _ in range(1_000_000 // 10):
            meter.enter(10)
            meter.leave(counted=True)
        assert 900 <= len(told) <= 1000
        assert meter.done == 1_000_000

    def test_unpacking_counts_for_half_of_what_is_packed_at_most(self) -> None:
        meter = Meter(1000, lambda: None)
        meter.enter(600)
        seen = []
        for _ in range(100):
            meter.creep(100)
            seen.append(meter.done)
        assert seen == sorted(seen)
        assert (seen[5] > 80, seen[-1]) == (True, 300)
        meter.expect(10_000)
        meter.enter(5_000)
        meter.leave(counted=True)
        assert meter.done == 450
        meter.leave(counted=True)
        assert meter.done == 600

    def test_what_is_not_met_again_is_counted_at_the_end(self) -> None:
        told: list[int] = []
        meter = Meter(1000, lambda: told.append(meter.done))
        meter.finish()
        meter.finish()
        Meter(0, lambda: told.append(-1)).finish()
        assert told == [1000]

    def test_sizes_that_lie_never_pass_the_total_nor_go_back(self) -> None:
        source = random.Random(3)
        meter = Meter(5000, lambda: None)
        depth, before = 0, 0
        for _ in range(3000):
            step = source.randrange(5)
            if step == 0:
                meter.enter(source.choice((0, 1, 100, 10**12)))
                depth += 1
            elif step == 1 and depth:
                meter.leave(counted=source.random() < 0.5)
                depth -= 1
            elif step == 2:
                meter.add(source.choice((0, 3, 10**9)) if source.random() < 0.01 else 1)
            elif step == 3:
                meter.creep(source.choice((0, 10, 10**12)))
            else:
                meter.expect(source.choice((0, 1, 10**15)))
            assert before <= meter.done <= 5000
            before = meter.done


def goes_by(seen: list[Progress], total: int) -> None:
    """It ends at the total, without a step back and without passing it."""
    done = [item.bytes_done for item in seen]
    assert done == sorted(done)
    assert {item.bytes_total for item in seen} == {total}
    assert done[-1] == total


def _packed(form: str, files: dict[str, bytes]) -> bytes:
    if form == "zip":
        return archive(files)
    if form == "nested zip":
        return archive({"inner.zip": archive(files)}, method=0)
    if form == "ipa":
        return ipa(bundle(), {name: content for name, content in files.items() if name.endswith(".jpg")})
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz" if form == "tar.gz" else "w") as packed:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))
    return stream.getvalue()


class TestHowOftenBytesAreRead:
    @pytest.mark.parametrize("form", ["tar", "tar.gz", "zip", "folder"])
    def test_an_app_is_hashed_once_and_opened_to_find_it_and_to_read_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
    ) -> None:
        files = {f"data/app/com.example.x{size}-1/base.apk": _sized(size) for size in (3_000, 70_000)}
        if form == "folder":
            put(tmp_path / "phone", files)
        else:
            put(tmp_path, {"phone": _packed(form, files)})
        hashed: list[int] = []
        opened: list[str] = []

        def sha256(data: Blob = b"") -> object:
            hashed.append(len(data))
            return hashlib.sha256(data)

        for kind in (ArchiveMember, FileMember, TreeMember):
            monkeypatch.setattr(kind, "open", _counted(kind.open, opened))
        monkeypatch.setattr(auditor.platforms.android, "hashlib", SimpleNamespace(sha256=sha256))
        _, audits = read(tmp_path / "phone")
        assert len(audits) == 2
        assert sorted(hashed) == sorted(len(content) for content in files.values())
        apks = [origin for origin in opened if origin.endswith("base.apk")]
        assert {apks.count(origin) for origin in apks} == {2}


def _sized(size: int) -> bytes:
    """An APK of its own with so many bytes that do not pack."""
    return apk(declared(f"com.example.x{size}"), {"assets/x": random.Random(size).randbytes(size)})


def _counted(healthy: Callable[[Any], Blob], opened: list[str]) -> Callable[[Any], Blob]:
    def opening(member: Any) -> Blob:
        opened.append(str(member.origin))
        return healthy(member)

    return opening


class TestTheLibrary:
    def test_one_result_per_app_complete_in_itself(self, tmp_path: Path) -> None:
        problems: list[Problem] = []
        found = list(audit(put(tmp_path, FILES), problems=problems))
        assert len(found) == 6
        assert all(item.answers and item.app.build for item in found)
        assert sorted(item.code.value for item in problems) == ["archive-damaged", "empty", "unsupported-format"]

    def test_the_catalog_and_the_day_may_be_given(self, tmp_path: Path) -> None:
        put(tmp_path, {"a.apk": apk(code=SDK)})
        then = list(audit(str(tmp_path / "a.apk"), catalog=catalog(), as_of=date(2021, 3, 1)))
        later = list(audit(tmp_path, catalog=catalog(), as_of=date(2026, 1, 1)))
        statuses = [{finding.status.value for finding in item[0].findings} for item in (then, later)]
        assert statuses[0] != statuses[1]

    def test_limits_may_be_given(self, tmp_path: Path) -> None:
        problems: list[Problem] = []
        limits = replace(DEFAULT, file_size=10)
        assert list(audit(put(tmp_path, {"a.apk": apk()}), limits=limits, problems=problems)) == []
        assert [item.code for item in problems] == [ProblemCode.LIMIT]

    def test_a_path_that_does_not_exist_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(InputError):
            list(audit(tmp_path / "missing"))

    def test_several_paths(self, tmp_path: Path) -> None:
        put(tmp_path, FILES)
        assert len(list(audit(tmp_path / "a", tmp_path / "b"))) == 4


def test_the_record_of_a_run_names_tool_catalog_day_and_targets(tmp_path: Path) -> None:
    run, _ = read(put(tmp_path / "phone", {"a.apk": apk()}))
    scan = run.scan()
    assert isinstance(scan, Scan)
    assert (scan.catalog, scan.as_of, scan.target, scan.apps) == (catalog().digest, DAY, ("phone",), 1)
    assert json.loads(rendered(tmp_path / "phone")[0])["as_of"] == "2026-11-01"
