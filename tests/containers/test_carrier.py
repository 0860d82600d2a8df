"""Streams are unpacked once and kept as far as they go; partitions are not copied; what is done with is let go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from auditor.containers.carrier import RangeMember, StreamMember, faults_of, release
from auditor.containers.member import Budget, source_of
from auditor.errors import FormatError, LimitError
from auditor.formats.source import BlobSource, SliceSource
from auditor.limits import DEFAULT
from auditor.model import Origin, ProblemCode
from tests.builders.sources import CountingSource

HERE = Origin(("a.gz", "a"))


class Stream:
    """A stream that counts how often it is begun, and breaks off where it is told."""

    def __init__(self, *chunks: bytes, broken: bool = False, limited: bool = False) -> None:
        self.chunks, self.broken, self.limited = chunks, broken, limited
        self.begun = 0

    def __call__(self) -> Iterator[bytes]:
        self.begun += 1
        yield from self.chunks
        if self.limited:
            raise LimitError("enough")
        if self.broken:
            raise FormatError("the data is cut off")


def stream_of(stream: Stream) -> StreamMember:
    return StreamMember("a", HERE, stream, Budget(DEFAULT), 5)


class TestStreams:
    def test_it_is_unpacked_once(self) -> None:
        stream = Stream(b"abc", b"def")
        member = stream_of(stream)
        assert [bytes(member.open()), bytes(member.open()), member.peek(4)] == [b"abcdef", b"abcdef", b"abcd"]
        assert stream.begun == 1
        assert bytes(source_of(member).read(2, 3)) == b"cde"

    def test_its_size_is_known_once_it_was_unpacked(self) -> None:
        member = stream_of(Stream(b"abc" * 9))
        assert member.size == 5
        member.open()
        assert member.size == 27

    def test_a_look_at_its_begin_unpacks_no_more_than_that(self) -> None:
        assert stream_of(Stream(b"abc", b"def", broken=True)).peek(5) == b"abcde"

    def test_what_comes_before_damage_is_kept_and_the_damage_told(self) -> None:
        member = stream_of(Stream(b"abc" * 1000, broken=True))
        assert bytes(member.open()) == b"abc" * 1000
        (problem,) = faults_of(member)
        assert (problem.code, problem.origin) == (ProblemCode.CARRIER_INCOMPLETE, HERE)
        assert "cut off; what comes before it was read" in problem.detail

    def test_damage_right_at_the_begin_is_an_error(self) -> None:
        member = stream_of(Stream(broken=True))
        assert member.peek(9) == b""
        with pytest.raises(FormatError):
            member.open()

    def test_a_begin_too_short_to_tell_what_it_is_is_told(self) -> None:
        member = stream_of(Stream(b"short", broken=True))
        assert member.peek(100) == b"short"
        assert [item.code for item in faults_of(member)] == [ProblemCode.CARRIER_INCOMPLETE]

    def test_a_limit_is_no_damage(self) -> None:
        with pytest.raises(LimitError):
            stream_of(Stream(b"abc", limited=True)).open()

    def test_what_was_unpacked_is_let_go(self) -> None:
        stream = Stream(b"abc")
        member = stream_of(stream)
        data = member.open()
        release(member)
        assert bytes(data) == b"abc"
        assert bytes(member.open()) == b"abc"
        assert stream.begun == 2


class TestPartitions:
    def test_their_bytes_are_not_copied(self) -> None:
        source = CountingSource(bytes(range(100)))
        member = RangeMember("p", HERE, SliceSource(source, 10, 50), Budget(DEFAULT))
        assert (member.size, member.peek(3)) == (50, bytes([10, 11, 12]))
        assert bytes(source_of(member).read(20, 2)) == bytes([30, 31])
        assert source.bytes_read == 5

    def test_all_bytes_of_one_in_one_piece_are_a_view(self) -> None:
        assert isinstance(RangeMember("p", HERE, BlobSource(b"abc"), Budget(DEFAULT)).open(), memoryview)

    def test_all_bytes_of_a_large_one_go_to_a_file(self) -> None:
        budget = Budget(replace(DEFAULT, spool_memory=10))
        member = RangeMember("p", HERE, SliceSource(BlobSource(bytes(range(100))), 10, 50), budget)
        assert bytes(member.open()[:]) == bytes(range(10, 60))

    def test_one_that_lies_outside_has_no_begin(self) -> None:
        member = RangeMember("p", HERE, SliceSource(BlobSource(b"abc"), 2, 50), Budget(DEFAULT))
        assert member.peek(10) == b""
        release(member)
