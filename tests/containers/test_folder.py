"""A folder gives its regular files, names what it leaves out, and follows nothing."""

from __future__ import annotations

import mmap
import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from auditor.containers.folder import FileMember, Folder, find_files, find_siblings
from auditor.errors import InputError, LimitError
from auditor.limits import DEFAULT, Limits
from auditor.model import Origin, Problem, ProblemCode
from tests.builders.apps import deep_folders


def opened(place: Path, limits: Limits = DEFAULT) -> Folder:
    return Folder(place, "", (), limits)


def names(folder: Folder) -> list[str]:
    return [member.path for member in find_files(folder)]


def problems(folder: Folder) -> list[tuple[str, str]]:
    return [(item.code.value, str(item.origin)) for item in folder.problems]


def member(place: Path, limits: Limits = DEFAULT) -> FileMember:
    return FileMember(place, place.name, place.lstat().st_size, Origin((place.name,)), limits)


def refuse(number: int) -> OSError:
    return OSError(number, os.strerror(number))


class TestListing:
    def test_files_come_depth_first_in_the_order_of_their_names(self, tmp_path: Path) -> None:
        for name in ("b", "a/z", "a/b/c", "B", "ä", "c/d"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(b"x")
        assert names(opened(tmp_path)) == ["B", "b", "ä", "a/z", "a/b/c", "c/d"]

    def test_the_order_does_not_depend_on_the_file_system(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in "abc":
            (tmp_path / name).write_bytes(b"")
        monkeypatch.setattr(os, "listdir", lambda place: ["c", "a", "b"])
        assert names(opened(tmp_path)) == ["a", "b", "c"]

    def test_origins_begin_with_the_label_of_the_argument(self, tmp_path: Path) -> None:
        (tmp_path / "x").mkdir()
        (tmp_path / "x" / "y").write_bytes(b"")
        folder = Folder(tmp_path, "", ("phone",), DEFAULT)
        assert [str(item.origin) for item in find_files(folder)] == ["phone/x/y"]
        assert str(folder.here) == "phone"

    def test_a_folder_without_a_label_goes_by_its_own_name(self, tmp_path: Path) -> None:
        assert str(opened(tmp_path / "phone").here) == "phone"

    def test_more_files_than_the_limit_are_an_error(self, tmp_path: Path) -> None:
        for name in "abc":
            (tmp_path / name).write_bytes(b"")
        assert names(opened(tmp_path, replace(DEFAULT, folder_entries=3))) == ["a", "b", "c"]
        with pytest.raises(LimitError, match="more than 2 files; raise --limit folder_entries"):
            names(opened(tmp_path, replace(DEFAULT, folder_entries=2)))

    def test_folders_nested_deeper_than_the_stack_are_listed(self, tmp_path: Path) -> None:
        with deep_folders(tmp_path, 1200, "deep", b""):
            assert names(opened(tmp_path)) == ["d/" * 1200 + "deep"]


class TestLinks:
    @pytest.mark.parametrize("target", ["file", "folder", ".", "..", "link", "missing", "/etc/passwd"])
    def test_a_link_is_named_and_never_followed(self, tmp_path: Path, target: str) -> None:
        (tmp_path / "file").write_bytes(b"x")
        (tmp_path / "folder").mkdir()
        (tmp_path / "folder" / "inner").write_bytes(b"x")
        (tmp_path / "link").symlink_to(target)
        folder = opened(tmp_path)
        assert names(folder) == ["file", "folder/inner"]
        assert problems(folder) == [("link-skipped", "link")]
        assert folder.problems[0].detail == "name the link's target to audit it"
        assert folder.problems[0].hidden == frozenset()

    def test_links_in_sub_folders_are_named_with_their_path(self, tmp_path: Path) -> None:
        (tmp_path / "a" / "b").mkdir(parents=True)
        (tmp_path / "a" / "b" / "up").symlink_to(tmp_path)
        folder = opened(tmp_path)
        assert names(folder) == []
        assert problems(folder) == [("link-skipped", "a/b/up")]

    def test_a_file_that_became_a_link_is_not_opened(self, tmp_path: Path) -> None:
        (tmp_path / "secret").write_bytes(b"secret")
        place = tmp_path / "a.apk"
        place.write_bytes(b"PK")
        found = member(place)
        place.unlink()
        place.symlink_to(tmp_path / "secret")
        assert found.peek(6) == b""
        with pytest.raises(InputError, match=r"cannot read a\.apk: Too many levels of symbolic links"):
            found.open()


class TestOtherKindsOfFiles:
    def test_pipes_and_sockets_are_left_out_without_waiting_for_them(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(tmp_path / "socket"))
            (tmp_path / "file").write_bytes(b"x")
            assert names(opened(tmp_path)) == ["file"]

    def test_a_file_that_became_a_pipe_is_refused_without_waiting_for_it(self, tmp_path: Path) -> None:
        place = tmp_path / "a.apk"
        os.mkfifo(place)
        assert member(place).peek(4) == b""
        with pytest.raises(InputError, match=r"a\.apk is no regular file"):
            member(place).open()

    def test_a_file_that_became_a_folder_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "a").mkdir()
        assert member(tmp_path / "a").peek(4) == b""
        with pytest.raises(InputError, match=r"^(cannot read a: Is a directory|a is no regular file)$"):
            member(tmp_path / "a").open()


class TestWhatTheSystemRefuses:
    def test_a_folder_that_cannot_be_listed_is_a_problem_and_the_rest_goes_on(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("a/x", "locked/y", "z"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_bytes(b"")
        listdir = os.listdir

        def guarded(place: Path) -> list[str]:
            if Path(place).name == "locked":
                raise refuse(13)
            return listdir(place)

        monkeypatch.setattr(os, "listdir", guarded)
        folder = opened(tmp_path)
        assert names(folder) == ["z", "a/x"]
        assert folder.problems == [Problem(ProblemCode.UNREADABLE, Origin(("locked",)), "Permission denied")]
        assert folder.problems[0].hidden

    def test_an_argument_that_cannot_be_listed_is_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "listdir", lambda place: (_ for _ in ()).throw(refuse(5)))
        folder = opened(tmp_path / "phone")
        assert names(folder) == []
        assert problems(folder) == [("unreadable", "phone")]

    def test_a_file_that_vanished_is_a_problem(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "here").write_bytes(b"")
        monkeypatch.setattr(os, "listdir", lambda place: ["gone", "here"])
        folder = opened(tmp_path)
        assert names(folder) == ["here"]
        assert folder.problems == [Problem(ProblemCode.UNREADABLE, Origin(("gone",)), "No such file or directory")]

    @pytest.mark.parametrize(("number", "reason"), [(13, "Permission denied"), (5, "Input/output error")])
    def test_a_file_that_cannot_be_opened(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, reason: str
    ) -> None:
        place = tmp_path / "a.apk"
        place.write_bytes(b"PK")
        found = member(place)
        monkeypatch.setattr(os, "open", lambda *_: (_ for _ in ()).throw(refuse(number)))
        assert found.peek(4) == b""
        with pytest.raises(InputError, match=f"^cannot read a.apk: {reason}$"):
            found.open()


class TestOpening:
    def test_a_small_file_is_a_copy_and_a_large_one_is_mapped(self, tmp_path: Path) -> None:
        place = tmp_path / "a"
        place.write_bytes(b"0123456789")
        assert member(place).open() == b"0123456789"
        mapped = member(place, replace(DEFAULT, spool_memory=9)).open()
        assert isinstance(mapped, mmap.mmap)
        assert mapped[:] == b"0123456789"

    def test_a_file_that_shrinks_between_two_looks_is_read_as_it_is(self, tmp_path: Path) -> None:
        place = tmp_path / "a"
        place.write_bytes(b"0123456789")
        found = member(place)
        place.write_bytes(b"01")
        assert found.open() == b"01"

    def test_a_file_larger_than_the_limit_is_refused_unread(self, tmp_path: Path) -> None:
        place = tmp_path / "a"
        place.write_bytes(b"0123456789")
        with pytest.raises(LimitError, match="10 bytes; raise --limit file_size"):
            member(place, replace(DEFAULT, file_size=9)).open()

    def test_peeking_gives_what_there_is(self, tmp_path: Path) -> None:
        place = tmp_path / "a"
        place.write_bytes(b"0123")
        assert (member(place).peek(2), member(place).peek(9)) == (b"01", b"0123")


HOSTILE = {
    b"a\nb.apk": "a%0Ab.apk",
    b"\x1b[2J.apk": "%1B[2J.apk",
    b"\x1b]0;title\x07": "%1B]0;title%07",
    "gpj.\u202eapk".encode(): "gpj.%E2%80%AEapk",
    "zero\u200bwidth".encode(): "zero%E2%80%8Bwidth",
    b"caf\xe9.apk": "caf%ED%B3%A9.apk",
    b"a!b%c": "a%21b%25c",
    b"-rf": "-rf",
    b" ": " ",
    "支付宝.apk".encode(): "支付宝.apk",
}


@pytest.mark.parametrize("raw", HOSTILE)
def test_a_hostile_name_is_shown_inert_and_opened_all_the_same(tmp_path: Path, raw: bytes) -> None:
    with open(os.path.join(os.fsencode(tmp_path), raw), "wb") as stream:
        stream.write(b"content")
    (found,) = find_files(opened(tmp_path))
    assert str(found.origin) == HOSTILE[raw]
    assert found.open() == b"content"
    assert os.fsencode(found.path) == raw


class TestNeighbours:
    """What lies beside a file that the user named alone."""

    def member(self, tmp_path: Path, label: str = "app.db") -> FileMember:
        for name in ("app.db", "app.db-wal", "inner/x"):
            (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "in" / name).write_bytes(name.encode())
        (tmp_path / "mappings").write_bytes(b"names")
        (tmp_path / "in" / "link").symlink_to("/etc/passwd")
        return FileMember(tmp_path / "in" / "app.db", label, 6, Origin((label,)), DEFAULT)

    def test_the_files_of_its_folder_and_the_names_above(self, tmp_path: Path) -> None:
        found = find_siblings([self.member(tmp_path)])
        assert sorted(found) == ["../mappings", "app.db", "app.db-wal"]
        assert bytes(found["app.db-wal"].open()) == b"app.db-wal"
        assert bytes(found["../mappings"].open()) == b"names"
        assert str(found["app.db-wal"].origin) == "app.db-wal"

    def test_their_origins_begin_as_its_own_does(self, tmp_path: Path) -> None:
        found = find_siblings([self.member(tmp_path, "in/app.db")])
        assert str(found["app.db-wal"].origin) == "in/app.db-wal"
        assert found["app.db-wal"].path == "in/app.db-wal"

    def test_the_end_of_a_file_is_read_alone(self, tmp_path: Path) -> None:
        member = self.member(tmp_path)
        assert (member.tail(3), member.tail(100)) == (b".db", b"app.db")
        with pytest.raises(LimitError):
            replace(member, limits=replace(DEFAULT, file_size=2)).tail(1)
        with pytest.raises(InputError):
            replace(member, file=tmp_path / "none").tail(1)
