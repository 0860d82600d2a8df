"""How zip archives are read: the central directory counts, lies are tolerated and noted, everything is bounded."""

from __future__ import annotations

import io
import mmap
import random
import struct
import tempfile
import zipfile
import zlib

import pytest

from auditor.errors import FormatError, LimitError, UnsupportedError
from auditor.formats.zip import Archive, is_zip, parse_zip
from auditor.limits import Limits
from tests.builders.zips import Member, build_zip, end_record, raw_deflate, zip64_extra

TEXT = b"The quick brown fox jumps over the lazy dog. " * 40
MANIFEST = "AndroidManifest.xml"


def only(data: bytes, limits: Limits | None = None) -> tuple[Archive, bytes]:
    """The archive and the content of its first entry."""
    archive = parse_zip(data) if limits is None else parse_zip(data, limits)
    return archive, archive.read(archive.entries[0])


def noted(archive: Archive, words: str) -> bool:
    return any(words in sentence for sentence in archive.anomalies)


class TestOrdinaryArchives:
    @pytest.mark.parametrize("method", [0, 8])
    def test_members_are_read_whole_viewed_and_streamed(self, method: int) -> None:
        archive = parse_zip(build_zip(Member(b"a.txt", TEXT, method), Member(b"b.txt", b"", method)))
        first, second = archive.entries
        assert (first.name, first.size, first.method) == ("a.txt", len(TEXT), method)
        assert archive.read(first) == bytes(archive.view(first)) == TEXT
        chunks = list(archive.chunks(first, 100))
        assert b"".join(chunks) == TEXT
        assert max(map(len, chunks)) <= 100
        assert archive.read(second) == b""
        assert archive.anomalies == ()
        assert archive.incomplete == ""

    def test_a_stored_member_is_viewed_without_a_copy(self) -> None:
        data = build_zip(Member(b"a", TEXT, 0))
        archive = parse_zip(data)
        view = archive.view(archive.entries[0])
        assert isinstance(view, memoryview)
        assert view.obj is data

    def test_a_mapped_file_is_read_like_bytes(self) -> None:
        with tempfile.TemporaryFile() as file:
            file.write(build_zip(Member(b"a", TEXT)))
            file.flush()
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                assert only(data)[1] == TEXT  # type: ignore[arg-type]

    def test_entries_keep_the_order_of_the_central_directory(self) -> None:
        archive = parse_zip(build_zip(*(Member(name) for name in (b"z", b"a", b"m"))))
        assert [entry.name for entry in archive.entries] == ["z", "a", "m"]

    def test_entries_are_found_by_name(self) -> None:
        archive = parse_zip(build_zip(Member(b"a", b"1"), Member(b"b", b"2")))
        found = archive.find("b")
        assert found is not None
        assert archive.read(found) == b"2"
        assert archive.find("c") is None

    def test_directories_and_links_are_told_apart(self) -> None:
        link = Member(b"link", b"target", 0, attributes=0o120777 << 16)
        archive = parse_zip(build_zip(Member(b"folder/"), link, Member(b"file", attributes=0o100644 << 16)))
        assert [entry.is_directory for entry in archive.entries] == [True, False, False]
        assert [entry.is_link for entry in archive.entries] == [False, True, False]

    def test_an_empty_archive_has_no_entries(self) -> None:
        archive = parse_zip(end_record(0, 0, 0))
        assert archive.entries == ()

    def test_an_archive_of_the_standard_library_reads_the_same(self) -> None:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as writer:
            for number in range(50):
                writer.writestr(f"folder/{number}.txt", TEXT[:number])
        data = buffer.getvalue()
        archive = parse_zip(data)
        with zipfile.ZipFile(buffer) as reader:
            for entry in archive.entries:
                assert archive.read(entry) == reader.read(entry.name)
                assert entry.crc32 == reader.getinfo(entry.name).CRC


class TestNames:
    @pytest.mark.parametrize(
        ("raw", "flags", "name"),
        [
            (b"plain", 0, "plain"),
            ("中文.txt".encode(), 0x800, "中文.txt"),
            ("中文.txt".encode(), 0, "中文.txt"),
            (b"caf\x82", 0, "café"),
            (b"\xff\xfe", 0x800, "\xa0■"),
        ],
    )
    def test_names_are_utf8_where_they_can_be_else_code_page_437(self, raw: bytes, flags: int, name: str) -> None:
        archive = parse_zip(build_zip(Member(raw, flags=flags)))
        assert archive.entries[0].name == name
        assert archive.entries[0].raw_name == raw
        name.encode()

    @pytest.mark.parametrize(
        ("raw", "words"),
        [
            (b"../../etc/passwd", "points above the folder"),
            (b"a\\..\\b", "points above the folder"),
            (b"/etc/passwd", "absolute path"),
            (b"a\0b", "zero character"),
        ],
    )
    def test_dangerous_names_are_kept_and_noted(self, raw: bytes, words: str) -> None:
        archive = parse_zip(build_zip(Member(raw)))
        assert archive.entries[0].raw_name == raw
        assert noted(archive, words)

    def test_dots_inside_a_name_are_no_way_up(self) -> None:
        assert parse_zip(build_zip(Member(b"a..b/c"))).anomalies == ()

    def test_of_two_equal_names_the_first_counts_and_both_are_listed(self) -> None:
        archive = parse_zip(build_zip(Member(b"classes.dex", b"1"), Member(b"classes.dex", b"2")))
        found = archive.find("classes.dex")
        assert found is not None
        assert archive.read(found) == b"1"
        assert len(archive.entries) == 2
        assert noted(archive, "occurs 2 times")


class TestLocalHeaderLies:
    @pytest.mark.parametrize(
        ("member", "what"),
        [
            (Member(b"a", TEXT, local={"size": 3}), "size"),
            (Member(b"a", TEXT, local={"packed_size": 0xFFFF}), "size"),
            (Member(b"a", TEXT, local={"crc": 1}), "checksum"),
            (Member(b"a", TEXT, local={"method": 0}), "method"),
            (Member(b"a", TEXT, local={"flags": 1}), "flags"),
            (Member(b"a", TEXT, local_name=b"other/name"), "name"),
        ],
    )
    def test_the_central_directory_wins(self, member: Member, what: str) -> None:
        archive, content = only(build_zip(member))
        assert content == TEXT
        assert noted(archive, f"gives another {what}")

    def test_local_extra_fields_of_another_length_are_no_lie(self) -> None:
        archive, content = only(build_zip(Member(b"a", TEXT, local_extra=bytes(100), central_extra=bytes(4))))
        assert content == TEXT
        assert archive.anomalies == ()

    def test_sizes_in_a_data_descriptor_are_no_lie(self) -> None:
        member = Member(b"a", TEXT, flags=8, local={"size": 0, "packed_size": 0, "crc": 0})
        archive, content = only(build_zip(member))
        assert content == TEXT
        assert archive.anomalies == ()

    def test_a_missing_local_header_is_a_format_error(self) -> None:
        data = build_zip(Member(b"a", TEXT, central={"offset": 7}))
        archive = parse_zip(data)
        with pytest.raises(FormatError, match="no local header"):
            archive.read(archive.entries[0])


class TestMethods:
    @pytest.mark.parametrize("method", [0x2333, 0xFFFF, 12, 99])
    def test_stored_bytes_under_a_foreign_method_are_read_as_android_does(self, method: int) -> None:
        archive, content = only(build_zip(Member(MANIFEST.encode(), TEXT, method)))
        assert content == TEXT
        assert noted(archive, "compression method")

    def test_stored_bytes_with_a_wrong_checksum_under_a_foreign_method_are_still_read(self) -> None:
        member = Member(MANIFEST.encode(), TEXT, 0x2333, local={"crc": 5}, central={"crc": 5})
        assert only(build_zip(member))[1] == TEXT

    @pytest.mark.parametrize("method", [0x2333, 12])
    def test_deflated_bytes_under_a_foreign_method_are_inflated(self, method: int) -> None:
        _archive, content = only(build_zip(Member(b"a", TEXT, method, packed=raw_deflate(TEXT))))
        assert content == TEXT

    @pytest.mark.parametrize(("method", "name"), [(12, "bzip2"), (14, "LZMA"), (93, "zstd"), (99, "AES")])
    def test_really_foreign_compression_is_named(self, method: int, name: str) -> None:
        archive = parse_zip(build_zip(Member(b"a", TEXT, method, packed=b"BZh9" + bytes(50))))
        with pytest.raises(UnsupportedError, match=name):
            archive.read(archive.entries[0])

    def test_a_stored_member_with_two_sizes_is_read_by_its_unpacked_size(self) -> None:
        archive, content = only(build_zip(Member(b"a", TEXT, 0, central={"packed_size": 3})))
        assert content == TEXT
        assert noted(archive, "two different sizes")


class TestEncryptionFlag:
    @pytest.mark.parametrize("method", [0, 8])
    def test_a_bogus_flag_is_ignored_and_noted(self, method: int) -> None:
        archive, content = only(build_zip(Member(MANIFEST.encode(), TEXT, method, flags=1)))
        assert content == TEXT
        assert archive.entries[0].claims_encryption
        assert noted(archive, "claims to be encrypted")

    def test_really_encrypted_deflate_is_unsupported(self) -> None:
        noise = random.Random(1).randbytes(300)
        archive = parse_zip(build_zip(Member(b"a", TEXT, flags=1, packed=noise)))
        with pytest.raises(UnsupportedError, match="encrypted"):
            archive.read(archive.entries[0])

    def test_really_encrypted_stored_bytes_are_unsupported(self) -> None:
        noise = random.Random(2).randbytes(len(TEXT) + 12)
        archive = parse_zip(build_zip(Member(b"a", TEXT, 0, flags=1, packed=noise)))
        with pytest.raises(UnsupportedError, match="encrypted"):
            archive.read(archive.entries[0])


class TestDamagedMembers:
    def test_a_wrong_checksum_is_told_on_request_only(self) -> None:
        archive, content = only(build_zip(Member(b"a", TEXT, central={"crc": 1}, local={"crc": 1})))
        assert content == TEXT
        assert not archive.crc_matches(archive.entries[0], content)

    def test_a_right_checksum_matches(self) -> None:
        archive, content = only(build_zip(Member(b"a", TEXT)))
        assert archive.crc_matches(archive.entries[0], content)

    @pytest.mark.parametrize(
        ("member", "words"),
        [
            (Member(b"a", TEXT, packed=b"\xff" * 40), "damaged"),
            (Member(b"a", TEXT, packed=raw_deflate(TEXT)[:-6]), "cut off"),
            (Member(b"a", TEXT, central={"size": len(TEXT) - 1}), "more than the promised"),
            (Member(b"a", TEXT, central={"size": len(TEXT) + 1}), "less than promised"),
            (Member(b"a", TEXT, central={"packed_size": 1 << 30}), "past the end"),
            (Member(b"a", TEXT, 0, central={"size": 1 << 29, "packed_size": 1 << 29}), "past the end"),
        ],
    )
    def test_damage_is_a_format_error_in_every_way_of_reading(self, member: Member, words: str) -> None:
        archive = parse_zip(build_zip(member))
        entry = archive.entries[0]
        for read in (archive.read, archive.view, lambda item: list(archive.chunks(item))):
            with pytest.raises(FormatError, match=words):
                read(entry)

    def test_the_other_members_stay_readable(self) -> None:
        archive = parse_zip(build_zip(Member(b"bad", TEXT, packed=b"\xff"), Member(b"good", TEXT)))
        assert archive.read(archive.entries[1]) == TEXT


class TestLimits:
    def test_a_member_larger_than_the_limit_is_refused_before_unpacking(self) -> None:
        archive = parse_zip(build_zip(Member(b"a", TEXT)))
        with pytest.raises(LimitError):
            archive.read(archive.entries[0], limit=len(TEXT) - 1)
        assert archive.read(archive.entries[0], limit=len(TEXT)) == TEXT

    @pytest.mark.parametrize("method", [0, 8])
    def test_the_default_limit_is_that_of_a_member(self, method: int) -> None:
        archive = parse_zip(build_zip(Member(b"a", TEXT, method)), Limits(member_size=10))
        with pytest.raises(LimitError):
            archive.read(archive.entries[0])
        assert b"".join(archive.chunks(archive.entries[0])) == TEXT

    def test_a_view_is_bounded_only_where_it_needs_memory(self) -> None:
        archive = parse_zip(build_zip(Member(b"a", TEXT, 0), Member(b"b", TEXT)), Limits(member_size=10))
        assert bytes(archive.view(archive.entries[0])) == TEXT
        with pytest.raises(LimitError):
            archive.view(archive.entries[1])

    def test_an_impossible_ratio_is_refused(self) -> None:
        archive = parse_zip(build_zip(Member(b"a", TEXT, packed=b"\x03\0", central={"size": 1 << 28})))
        with pytest.raises(LimitError, match="packed more than"):
            archive.read(archive.entries[0])

    def test_more_entries_than_the_limit_leave_the_list_incomplete(self) -> None:
        archive = parse_zip(build_zip(*(Member(b"%d" % number) for number in range(9))), Limits(zip_entries=5))
        assert len(archive.entries) == 5
        assert "first 5 entries" in archive.incomplete

    def test_overlapping_members_are_noted(self) -> None:
        members = [Member(b"a", TEXT, 0)] + [Member(name, TEXT, 0, central={"offset": 0}) for name in (b"b", b"c")]
        assert noted(parse_zip(build_zip(*members)), "overlap")

    def test_the_number_of_anomalies_is_bounded(self) -> None:
        archive = parse_zip(build_zip(*(Member(b"/%d" % number) for number in range(500))))
        assert len(archive.entries) == 500
        assert len(archive.anomalies) <= 64


class TestWhereTheArchiveLies:
    def test_a_prefix_that_the_offsets_count_is_noted(self) -> None:
        archive, content = only(build_zip(Member(b"a", TEXT), prefix=b"#!/bin/sh\n"))
        assert content == TEXT
        assert archive.data_offset == 0
        assert noted(archive, "10 bytes lie before")

    @pytest.mark.parametrize(
        ("padding", "noticed"),
        [
            (Member(b"", method=0, local_extra=bytes(102)).local_record(), False),
            (Member(b"", method=0, local_extra=bytes(65535)).local_record() * 3, False),
            (Member(b"", method=0, local_extra=bytes(101) + b"x").local_record(), True),
            (Member(b"", method=0, local_extra=bytes(102)).local_record() + b"\0", True),
            (Member(b"", method=0, local_extra=bytes(102)).local_record() + b"dex\n", True),
            (Member(b"n", method=0, local_extra=bytes(102)).local_record(), True),
            (Member(b"", b"payload", method=0).local_record(), True),
            (Member(b"", method=0, local_extra=bytes(102)).local_record()[:100], True),
            (bytes(132), True),
        ],
        ids=["aligned", "far-aligned", "filled", "longer", "dex", "named", "content", "cut", "zeros"],
    )
    def test_the_empty_member_that_build_tools_align_with_is_not_noted(self, padding: bytes, noticed: bool) -> None:
        archive, content = only(build_zip(Member(b"a", TEXT), prefix=padding))
        assert content == TEXT
        assert noted(archive, "bytes lie before") is noticed
        assert bool(archive.anomalies) is noticed

    def test_padding_up_to_a_member_that_lies_outside_is_noted(self) -> None:
        padding = Member(b"", method=0, local_extra=bytes(102))
        data = build_zip(Member(b"a", central={"offset": 1 << 20}), prefix=padding.local_record())
        assert noted(parse_zip(data), f"{1 << 20} bytes lie before")

    def test_a_prefix_that_the_offsets_do_not_count_is_added(self) -> None:
        archive, content = only(b"MZ" * 50 + build_zip(Member(b"a", TEXT)))
        assert content == TEXT
        assert archive.data_offset == 100
        assert noted(archive, "behind other data")

    def test_bytes_after_the_archive_are_noted(self) -> None:
        archive, content = only(build_zip(Member(b"a", TEXT)) + bytes(100_000))
        assert content == TEXT
        assert noted(archive, "100000 bytes follow")

    def test_positions_of_directory_and_end_are_real(self) -> None:
        data = b"x" * 5 + build_zip(Member(b"a", TEXT), comment=b"hello")
        archive = parse_zip(data)
        assert data[archive.central_directory_offset :].startswith(b"PK\x01\x02")
        assert data[archive.end_offset :].startswith(b"PK\x05\x06")
        assert archive.comment == b"hello"

    def test_an_end_record_inside_the_comment_that_leads_nowhere_is_skipped(self) -> None:
        fake = end_record(1, 46, 3)
        archive, content = only(build_zip(Member(b"a", TEXT), comment=b"x" + fake))
        assert content == TEXT
        assert noted(archive, "comment contains another end")

    def test_a_second_archive_in_the_comment_counts_as_on_android(self) -> None:
        inner = build_zip(Member(b"inner", b"2"))
        outer = build_zip(Member(b"outer", b"1"), comment=inner)
        start = len(outer) - len(inner)
        shifted = build_zip(Member(b"inner", b"2"), offset_shift=start)
        assert parse_zip(outer[:start] + shifted).entries[0].name == "inner"

    def test_a_comment_of_the_largest_size_is_no_obstacle(self) -> None:
        assert only(build_zip(Member(b"a", TEXT), comment=b"c" * 65535))[1] == TEXT

    def test_a_comment_that_runs_past_the_end_is_noted(self) -> None:
        data = bytearray(build_zip(Member(b"a", TEXT)))
        data[-2:] = b"\x10\x00"
        assert noted(parse_zip(bytes(data)), "comment runs past")


class TestCounts:
    def test_more_entries_than_announced_are_all_listed(self) -> None:
        archive = parse_zip(build_zip(Member(b"a"), Member(b"b"), count=1))
        assert [entry.name for entry in archive.entries] == ["a", "b"]
        assert noted(archive, "announces 1 entries and lists 2")

    def test_a_directory_that_breaks_off_is_incomplete(self) -> None:
        data = bytearray(build_zip(Member(b"a", TEXT), Member(b"b", TEXT)))
        second = data.rfind(b"PK\x01\x02")
        data[second] = 0
        archive = parse_zip(bytes(data))
        assert [entry.name for entry in archive.entries] == ["a"]
        assert "breaks off after 1 of 2" in archive.incomplete

    def test_an_unreadable_directory_is_a_format_error(self) -> None:
        data = bytearray(build_zip(Member(b"a", TEXT)))
        start = data.find(b"PK\x01\x02")
        data[start + 28 : start + 30] = b"\xff\xff"
        with pytest.raises(FormatError):
            parse_zip(bytes(data))

    def test_a_count_that_wrapped_at_65536_is_no_lie(self) -> None:
        archive = parse_zip(build_zip(*(Member(b"%d" % number) for number in range(65_540)), count=4))
        assert len(archive.entries) == 65_540
        assert archive.anomalies == ()
        assert archive.incomplete == ""


class TestZip64:
    def test_a_zip64_end_record_is_followed(self) -> None:
        archive, content = only(build_zip(Member(b"a", TEXT), zip64=True))
        assert content == TEXT
        assert archive.anomalies == ()

    def test_a_zip64_archive_behind_a_prefix_is_read(self) -> None:
        assert only(b"prefix" + build_zip(Member(b"a", TEXT), zip64=True))[1] == TEXT

    def test_sizes_and_offset_come_from_the_extra_field(self) -> None:
        packed = len(raw_deflate(TEXT))
        wide = {"size": 0xFFFFFFFF, "packed_size": 0xFFFFFFFF, "offset": 0xFFFFFFFF}
        other = struct.pack("<HH", 0x5455, 5) + bytes(5)
        member = Member(b"a", TEXT, central=wide, central_extra=other + zip64_extra(len(TEXT), packed, 0))
        _archive, content = only(build_zip(member))
        assert content == TEXT

    def test_only_the_fields_that_ask_for_it_are_widened(self) -> None:
        member = Member(b"a", TEXT, central={"offset": 0xFFFFFFFF}, central_extra=zip64_extra(0))
        assert only(build_zip(member))[1] == TEXT

    def test_a_cut_off_extra_field_leaves_the_entry_unreadable(self) -> None:
        member = Member(b"a", TEXT, central={"offset": 0xFFFFFFFF}, central_extra=b"\1\0\x08\0abc")
        archive = parse_zip(build_zip(member))
        assert noted(archive, "points outside")
        with pytest.raises(FormatError):
            archive.read(archive.entries[0])


class TestWhatIsAZip:
    @pytest.mark.parametrize(
        ("data", "answer"),
        [
            (build_zip(Member(b"a")), True),
            (end_record(0, 0, 0), True),
            (b"prefix" + build_zip(Member(b"a")), True),
            (build_zip(Member(b"a"))[:40], True),
            (b"", False),
            (b"PK", False),
            (b"dex\n035\0" + bytes(200), False),
            (bytes(100) + b"PK\x05\x06" + b"\xff" * 18, False),
        ],
    )
    def test_content_decides(self, data: bytes, answer: bool) -> None:
        assert is_zip(data) is answer

    @pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"PK\x05\x06", bytes(1000), b"PK\x05\x06" * 500])
    def test_what_has_no_central_directory_is_a_format_error(self, data: bytes) -> None:
        with pytest.raises(FormatError):
            parse_zip(data)


def read_everything(data: bytes) -> None:
    """Read all there is; only FormatError may come out."""
    try:
        archive = parse_zip(data)
    except FormatError:
        return
    for entry in archive.entries:
        try:
            content = archive.read(entry)
        except FormatError:
            continue
        archive.crc_matches(entry, content)
    assert len(archive.anomalies) <= 64


SAMPLE = build_zip(
    Member(b"AndroidManifest.xml", TEXT),
    Member("名.bin".encode(), TEXT, 0, flags=1),
    Member(b"odd", TEXT[:100], 0x2333, central_extra=zip64_extra(1, 2)),
    Member(b"folder/"),
    comment=b"comment",
    zip64=True,
)


class TestAnyBytes:
    def test_every_truncation_gives_a_result_or_a_format_error(self) -> None:
        for size in range(len(SAMPLE)):
            read_everything(SAMPLE[:size])

    def test_every_missing_beginning_gives_a_result_or_a_format_error(self) -> None:
        for start in range(1, len(SAMPLE), 3):
            read_everything(SAMPLE[start:])

    def test_flipped_bits_give_a_result_or_a_format_error(self) -> None:
        generator = random.Random(20_260)
        for _ in range(1000):
            data = bytearray(SAMPLE)
            for _ in range(generator.randint(1, 4)):
                data[generator.randrange(len(data))] ^= 1 << generator.randrange(8)
            read_everything(bytes(data))

    def test_a_bomb_of_overlapping_members_is_read_in_bounded_memory(self) -> None:
        kernel = raw_deflate(bytes(1 << 20))
        first = Member(b"0", bytes(1 << 20), packed=kernel)
        others = [Member(b"%d" % n, bytes(1 << 20), packed=b"", central={"offset": 0}) for n in range(1, 50)]
        for member in others:
            member.central["packed_size"] = len(kernel)
        archive = parse_zip(build_zip(first, *others))
        assert noted(archive, "overlap")
        assert sum(len(chunk) for chunk in archive.chunks(archive.entries[49], 4096)) == 1 << 20
        assert zlib.crc32(bytes(1 << 20)) == archive.entries[49].crc32
