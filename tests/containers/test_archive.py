"""A zip archive as a container: members unpacked on demand, within bounds, never under a name on disk."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from auditor.containers.archive import ArchiveMember, find_members
from auditor.containers.member import Budget, Member
from auditor.errors import FormatError, LimitError
from auditor.formats.zip import Archive, parse_zip
from auditor.limits import DEFAULT, Limits
from auditor.model import Origin
from tests.builders import zips

HERE = Origin(("a.zip",))
TEXT = b"0123456789" * 100


def found(*members: zips.Member, limits: Limits = DEFAULT, budget: Budget | None = None) -> dict[str, ArchiveMember]:
    archive = parse_zip(zips.build_zip(*members), limits)
    return {item.path: item for item in find_members(archive, HERE, budget or Budget(limits))}


def one(member: zips.Member, limits: Limits = DEFAULT, budget: Budget | None = None) -> ArchiveMember:
    (item,) = found(member, limits=limits, budget=budget).values()
    return item


class TestMembers:
    def test_files_come_in_the_order_of_their_names_with_their_place(self) -> None:
        items = found(zips.Member(b"b"), zips.Member(b"a/c"), zips.Member(b"a"))
        assert list(items) == ["a", "a/c", "b"]
        assert [str(item.origin) for item in items.values()] == ["a.zip!a", "a.zip!a/c", "a.zip!b"]
        assert all(isinstance(item, Member) for item in items.values())

    @pytest.mark.parametrize("method", [0, 8])
    def test_a_member_gives_its_bytes_and_its_beginning(self, method: int) -> None:
        item = one(zips.Member(b"a", TEXT, method))
        assert (item.size, bytes(item.open()), item.peek(3)) == (1000, TEXT, b"012")

    def test_of_two_members_of_one_name_the_one_the_platform_uses_comes_first(self) -> None:
        archive = parse_zip(zips.build_zip(zips.Member(b"a", b"first"), zips.Member(b"a", b"second")))
        items = [bytes(item.open()) for item in find_members(archive, HERE, Budget(DEFAULT))]
        assert items[0] == b"first"

    def test_a_member_marked_as_a_link_is_the_path_it_holds_and_leads_nowhere(self) -> None:
        item = one(zips.Member(b"link", b"/etc/passwd", attributes=0o120777 << 16))
        assert bytes(item.open()) == b"/etc/passwd"

    @pytest.mark.parametrize(
        ("raw", "shown"),
        [
            (b"../../etc/cron.d/x", "a.zip!../../etc/cron.d/x"),
            (b"/absolute", "a.zip!/absolute"),
            (b"a\nb\x1b[2J", "a.zip!a%0Ab%1B[2J"),
            (b"b!c%", "a.zip!b%21c%25"),
            ("x\u202ekpa".encode(), "a.zip!x%E2%80%AEkpa"),
        ],
    )
    def test_a_hostile_name_is_only_a_name(
        self, raw: bytes, shown: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        item = one(zips.Member(raw, b"content"))
        assert (str(item.origin), bytes(item.open())) == (shown, b"content")
        assert list(tmp_path.iterdir()) == []


class TestWhatCannotBeUnpacked:
    @pytest.mark.parametrize(
        "member",
        [
            zips.Member(b"a", TEXT, packed=b"\xff" * 50),
            zips.Member(b"a", TEXT, central={"offset": 1 << 20}),
            zips.Member(b"a", TEXT, 0, central={"size": 1 << 20, "packed_size": 1 << 20}),
        ],
    )
    def test_it_has_no_beginning_and_opening_it_is_an_error(self, member: zips.Member) -> None:
        item = one(member)
        assert item.peek(16) == b""
        with pytest.raises(FormatError):
            item.open()

    def test_a_promise_beyond_the_ratio_is_refused_before_unpacking(self) -> None:
        item = one(zips.Member(b"a", TEXT, central={"size": 700_000_000}))
        with pytest.raises(LimitError, match="packed more than 1200 times"):
            item.open()

    def test_an_empty_member_is_empty(self) -> None:
        assert (one(zips.Member(b"a")).open(), one(zips.Member(b"a")).peek(4)) == (b"", b"")


class TestBounds:
    def test_a_member_larger_than_the_limit_is_refused_unread(self) -> None:
        with pytest.raises(LimitError, match="1000 bytes in one member; raise --limit member_size"):
            one(zips.Member(b"a", TEXT), replace(DEFAULT, member_size=999)).open()

    def test_packed_members_are_counted_against_the_budget_of_the_input(self) -> None:
        limits = replace(DEFAULT, unpacked_total=2500)
        budget = Budget(limits)
        items = found(*(zips.Member(name, TEXT) for name in (b"a", b"b", b"c")), budget=budget)
        items["a"].open()
        items["b"].open()
        assert budget.left == 500
        with pytest.raises(LimitError, match="more than 2500 bytes unpacked from one input"):
            items["c"].open()

    def test_stored_members_cost_nothing_as_they_are_not_copied(self) -> None:
        budget = Budget(replace(DEFAULT, unpacked_total=10))
        item = one(zips.Member(b"a", TEXT, 0), budget=budget)
        assert bytes(item.open()) == TEXT
        assert budget.left == 10

    def test_a_spent_budget_stays_spent(self) -> None:
        budget = Budget(DEFAULT, 0)
        assert budget.left == 0
        with pytest.raises(LimitError):
            budget.spend(1)


class TestSpooling:
    LIMITS = replace(DEFAULT, spool_memory=999)

    def test_a_large_packed_member_goes_to_a_file_without_a_name(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        data = one(zips.Member(b"a", TEXT), self.LIMITS).open()
        assert isinstance(data, mmap.mmap)
        assert data[:] == TEXT
        assert list(tmp_path.iterdir()) == []

    def test_a_large_stored_member_is_a_view_of_the_archive(self) -> None:
        data = one(zips.Member(b"a", TEXT, 0), self.LIMITS).open()
        assert isinstance(data, memoryview)

    def test_a_member_that_is_damaged_half_way_is_an_error(self) -> None:
        packed = zips.raw_deflate(TEXT)
        item = one(zips.Member(b"a", TEXT, packed=packed[:-4] + b"\xff" * 4), self.LIMITS)
        with pytest.raises(FormatError):
            item.open()

    def test_a_member_that_unpacks_to_more_than_the_limit_stops(self, monkeypatch: pytest.MonkeyPatch) -> None:
        item = one(zips.Member(b"a", TEXT), replace(self.LIMITS, member_size=1000))
        monkeypatch.setattr(Archive, "chunks", lambda *_: iter([TEXT, b"more"]))
        with pytest.raises(LimitError, match="unpacks to more than 1000 bytes; raise --limit member_size"):
            item.open()

    def test_nothing_to_map_is_the_empty_value(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def nothing(*_: object) -> Iterator[bytes]:
            yield from ()

        item = one(zips.Member(b"a", TEXT), self.LIMITS)
        monkeypatch.setattr(Archive, "chunks", nothing)
        assert item.open() == b""
