"""A tar archive is a tree of its members: nothing in it is lost, and nothing leads out of it."""

from __future__ import annotations

import io
import random
import tarfile
from collections.abc import Iterator
from dataclasses import replace

import pytest

from auditor.errors import FormatError, UnsupportedError
from auditor.formats.file_system import Node, NodeKind
from auditor.formats.source import BlobSource
from auditor.formats.tar import Tar, is_tar, parse_tar
from auditor.limits import DEFAULT
from tests.builders.mangle import mutations, prefixes
from tests.builders.sources import CountingSource
from tests.builders.tar import END, extended, filled, header, long_name, member, old_sparse

LONG = b"/".join([b"d" * 90] * 5) + b"/" + b"f" * 120


def archive(*members: bytes, end: bytes = END) -> Tar:
    return parse_tar(BlobSource(b"".join(members) + end))


def nodes(tar: Tar) -> Iterator[tuple[str, Node]]:
    waiting = [("", tar.root)]
    while waiting:
        path, node = waiting.pop()
        for child in tar.list(node).nodes:
            yield path + child.name, child
            if child.kind is NodeKind.DIRECTORY:
                waiting.append((path + child.name + "/", child))


def read(tar: Tar, node: Node) -> bytes:
    return b"".join(tar.chunks(node))


def contents(tar: Tar) -> dict[str, bytes]:
    """Every file that is not refused."""
    return {path: read(tar, node) for path, node in nodes(tar) if node.kind is NodeKind.FILE and not node.refusal}


def kinds(tar: Tar) -> dict[str, NodeKind]:
    return {path: node.kind for path, node in nodes(tar)}


# What an archive is.


@pytest.mark.parametrize("magic", [b"ustar\x0000", b"ustar  \0"], ids=["ustar", "gnu"])
@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
def test_magic_and_checksum_tell_it(magic: bytes, signed: bool) -> None:
    head = header("ä".encode(), magic=magic, signed=signed)
    assert is_tar(head)
    assert not is_tar(head[:511])
    assert not is_tar(bytes([head[0] ^ 1]) + head[1:])


def test_an_archive_without_a_magic_number_is_told_by_its_fields() -> None:
    head = header(b"a", magic=bytes(8))
    assert is_tar(head)
    assert contents(archive(head[:124] + head[124:], filled(b""))) == {"a": b""}


@pytest.mark.parametrize("head", [b"", bytes(512), b"\xff" * 512, b"PK\x03\x04" * 128, b" " * 512, b"0" * 512])
def test_other_bytes_are_none(head: bytes) -> None:
    assert not is_tar(head)
    if head != bytes(512):
        with pytest.raises(FormatError):
            parse_tar(BlobSource(head))


def test_a_checksum_alone_is_not_enough() -> None:
    assert not is_tar(header(b"a", b"not a number", magic=bytes(8)))
    assert not is_tar(header(b"", magic=bytes(8)))


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_what_the_standard_library_writes_comes_out_whole(form: int) -> None:
    source = random.Random(7)
    files = {f"data/app/{'n' * 80}{number}/{'m' * 60}/é{number}": source.randbytes(number * 97) for number in range(40)}
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w", format=form) as tar:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    found = parse_tar(BlobSource(written.getvalue()))
    assert (contents(found), found.remarks) == (files, ())


# The tree.


def test_directories_come_from_paths_too() -> None:
    found = archive(member(b"a/b/c", b"x"), member(b"a/d/", kind=b"5"), member(b"a/", kind=b"5"), member(b"e/"))
    assert kinds(found) == {
        "a": NodeKind.DIRECTORY,
        "a/b": NodeKind.DIRECTORY,
        "a/b/c": NodeKind.FILE,
        "a/d": NodeKind.DIRECTORY,
        "e": NodeKind.DIRECTORY,
    }
    assert found.remarks == ()
    assert len(found) == 5


def test_names_ascend_and_bytes_that_are_no_text_stay() -> None:
    found = archive(member(b"b"), member(b"\xff\xfe"), member(b"a"), member(b"a b"))
    assert [node.name for node in found.list(found.root).nodes] == ["a", "a b", "b", "\udcff\udcfe"]


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (b"./x", "x"),
        (b"././/x", "x"),
        (b"/data/x", "data/x"),
        (b"../../x", "x"),
        (b"a/../../../x", "x"),
        (b"a/./b//x", "a/b/x"),
        (b"/..", "unnamed-200"),
        (b".", "unnamed-200"),
        (b"..x", "..x"),
        (b"a/...", "a/..."),
    ],
)
def test_no_path_leads_out(path: bytes, shown: str) -> None:
    found = archive(member(path, b"content"))
    assert contents(found) == {shown: b"content"}
    for _, node in nodes(found):
        assert node.name not in ("", ".", "..")
        assert not set("/\0") & set(node.name)


def test_odd_paths_are_remarked() -> None:
    found = archive(member(b"/a"), member(b"../b"), member(b"/../c"))
    assert "2 members have absolute paths" in found.remarks[1]
    assert "2 members have paths that climb" in found.remarks[0]
    assert found.faults == ()


def test_a_path_that_is_nested_too_deeply_is_shortened_not_lost() -> None:
    found = archive(extended((b"path", b"d/" * 9000 + b"x")), member(b"short", b"content"))
    assert [data for path, data in contents(found).items() if path.endswith("/x")] == [b"content"]
    assert "nested too deeply" in found.remarks[0]
    assert len(found) < 300


def test_a_name_that_comes_again_keeps_the_replaced_member_visible() -> None:
    found = archive(member(b"a/x", b"1"), member(b"a/x", b"2"), member(b"a/x#1", b"own"), member(b"a/x", b"3"))
    assert contents(found) == {"a/x": b"3", "a/x#1": b"own", "a/x#2": b"1", "a/x#3": b"2"}


def test_a_file_in_the_place_of_a_directory_stays_visible() -> None:
    found = archive(member(b"a", b"file"), member(b"a/b", b"below"), member(b"c/d", b"below"), member(b"c", b"file"))
    assert contents(found) == {"a#1": b"file", "a/b": b"below", "c#1": b"file", "c/d": b"below"}


def test_a_link_does_not_lead_anywhere() -> None:
    found = archive(member(b"data", kind=b"2", link=b"/etc"), member(b"data/x", b"content"))
    assert kinds(found)["data#1"] is NodeKind.LINK
    assert contents(found) == {"data/x": b"content"}


@pytest.mark.parametrize("kind", [b"3", b"4", b"6"])
def test_devices_and_pipes_hold_nothing(kind: bytes) -> None:
    found = archive(header(b"null", 77, kind), member(b"x", b"content"))
    assert kinds(found)["null"] is NodeKind.OTHER
    assert contents(found) == {"x": b"content"}
    with pytest.raises(FormatError):
        read(found, dict(nodes(found))["null"])


def test_only_directories_are_listed() -> None:
    found = archive(member(b"x"))
    for key in (1, 99, -1):
        with pytest.raises(FormatError):
            found.list(Node("x", NodeKind.DIRECTORY, 0, key))
    with pytest.raises(FormatError):
        read(found, found.root)


@pytest.mark.parametrize("kind", [b"\0", b"0", b"7", b"Z"])
def test_what_is_no_other_kind_is_a_file(kind: bytes) -> None:
    assert contents(archive(member(b"x", b"content", kind))) == {"x": b"content"}


def test_a_volume_label_and_an_access_list_are_no_members() -> None:
    found = archive(member(b"label", kind=b"V"), member(b"acl", b"1000003\0user::rwx", b"A"), member(b"x", b"content"))
    assert contents(found) == {"x": b"content"}


def test_a_directory_of_an_incremental_archive_is_stepped_over() -> None:
    found = archive(member(b"a/", b"Yfile\0Dfolder\0\0", b"D"), member(b"a/x", b"content"))
    assert contents(found) == {"a/x": b"content"}


# Hard links.


def test_a_hard_link_is_the_file_it_names() -> None:
    found = archive(member(b"a/x", b"content"), header(b"b", kind=b"1", link=b"./a/x"), header(b"c", 9, b"1", b"b"))
    shown = dict(nodes(found))
    assert contents(found) == {"a/x": b"content", "b": b"content", "c": b"content"}
    assert len({shown[path].key for path in ("a/x", "b", "c")}) == 1
    assert {shown[path].size for path in ("a/x", "b", "c")} == {7}


def test_a_hard_link_means_the_member_before_it() -> None:
    found = archive(member(b"x", b"old"), header(b"link", kind=b"1", link=b"x"), member(b"x", b"new"))
    assert contents(found) == {"x": b"new", "x#1": b"old", "link": b"old"}


def test_a_hard_link_may_come_first() -> None:
    found = archive(header(b"l", kind=b"1", link=b"m"), header(b"m", kind=b"1", link=b"x"), member(b"x", b"content"))
    assert contents(found) == {"l": b"content", "m": b"content", "x": b"content"}


def test_a_hard_link_to_a_symbolic_one_is_one() -> None:
    found = archive(header(b"s", kind=b"2", link=b"/x"), header(b"h", kind=b"1", link=b"s"))
    assert kinds(found) == {"s": NodeKind.LINK, "h": NodeKind.LINK}


@pytest.mark.parametrize(
    "members",
    [
        (header(b"l", kind=b"1", link=b"missing/x"),),
        (header(b"l", kind=b"1", link=b"missing"),),
        (header(b"l", kind=b"1", link=b"l"),),
        (header(b"l", kind=b"1", link=b""),),
        (header(b"l", kind=b"1", link=b"m"), header(b"m", kind=b"1", link=b"l")),
        (member(b"d/", kind=b"5"), header(b"l", kind=b"1", link=b"d")),
    ],
    ids=["no directory", "no file", "itself", "nothing", "ring", "directory"],
)
def test_a_hard_link_that_leads_nowhere_is_refused(members: tuple[bytes, ...]) -> None:
    found = archive(*members)
    link = dict(nodes(found))["l"]
    assert "hard link" in link.refusal
    with pytest.raises(UnsupportedError, match="hard link"):
        read(found, link)


def test_a_hard_link_that_is_stored_with_its_content_is_a_file() -> None:
    found = archive(member(b"x", b"one"), header(b"l", 3, b"1", b"x") + filled(b"two"), member(b"y", b"3"))
    assert contents(found) == {"x": b"one", "l": b"two", "y": b"3"}


def test_many_links_are_resolved_in_one_pass() -> None:
    ring = [header(b"%d" % number, kind=b"1", link=b"%d" % (number + 1)) for number in range(3000)]
    found = archive(*ring, member(b"3000", b"content"))
    assert set(contents(found).values()) == {b"content"}
    assert len(contents(found)) == 3001


# Long names, large sizes.


@pytest.mark.parametrize(
    "before",
    [long_name(LONG), extended((b"path", LONG)), extended((b"mtime", b"1.5"), (b"path", LONG), (b"comment", b""))],
    ids=["gnu", "pax", "pax with others"],
)
def test_long_names(before: bytes) -> None:
    assert contents(archive(before, member(b"short", b"1"), member(b"next", b"2"))) == {
        LONG.decode(): b"1",
        "next": b"2",
    }


def test_long_links() -> None:
    for before in (long_name(LONG, b"K"), extended((b"linkpath", LONG))):
        found = archive(extended((b"path", LONG)), member(b"s", b"1"), before, header(b"l", kind=b"1", link=b"cut"))
        assert contents(found) == {LONG.decode(): b"1", "l": b"1"}


@pytest.mark.parametrize("star", [False, True])
def test_the_prefix_of_a_name(star: bool) -> None:
    if star:
        head = header(
            b"x", 1, tail=bytes(16) + b"data/app".ljust(131, b"\0") + b"00000000001 " * 2 + bytes(8) + b"tar\0"
        )
    else:
        head = header(b"x", 1, prefix=b"data/app")
    assert contents(archive(head, filled(b"1"))) == {"data/app/x": b"1"}


def test_times_in_the_place_of_the_prefix_are_no_name() -> None:
    head = header(b"x", 1, magic=b"ustar  \0", tail=bytes(16) + b"12345670123\0" * 2)
    assert contents(archive(head, filled(b"1"))) == {"x": b"1"}


def test_the_size_of_an_extended_header_counts() -> None:
    found = archive(extended((b"size", b"600")), header(b"x") + filled(b"y" * 600), member(b"z", b"1"))
    assert contents(found) == {"x": b"y" * 600, "z": b"1"}


def test_a_header_for_all_holds_until_it_is_overruled() -> None:
    found = archive(
        extended((b"path", b"shared"), kind=b"g"), member(b"x", b"1"), extended((b"path", b"own")), member(b"x", b"2")
    )
    assert contents(found) == {"shared": b"1", "own": b"2"}


def test_a_size_in_base_256() -> None:
    head = header(b"x", b"\x80" + (5).to_bytes(11, "big"))
    assert contents(archive(head, filled(b"12345"))) == {"x": b"12345"}


@pytest.mark.parametrize("size", [b"\xff" * 12, b"\x80" + b"\xff" * 11, b"8888888888\0\0", b"0x123\0\0\0\0\0\0\0"])
def test_a_size_that_is_none_is_a_fault_and_the_next_member_is_found(size: bytes) -> None:
    found = archive(member(b"a", b"1"), header(b"x", size) + filled(b"12345"), member(b"b", b"2"))
    assert contents(found) == {"a": b"1", "b": b"2"}
    assert "no number" in found.faults[0]


@pytest.mark.parametrize(
    "records", [b"8 path=a\n", b"99 path=a\n", b"path=a\n", b"0 path=a\n", b"-5 path=a\n", b"\xff"]
)
def test_damaged_records_are_a_fault(records: bytes) -> None:
    found = archive(member(b"p", records, b"x"), member(b"x", b"1"))
    assert contents(found) == {"x": b"1"}
    assert "extended header" in found.faults[0]


def test_a_size_in_a_record_that_is_none_is_a_fault() -> None:
    found = archive(extended((b"size", b"many")), member(b"x", b"1"))
    assert contents(found) == {"x": b"1"}
    assert "no number" in found.faults[0]


def test_an_extended_header_is_not_read_whatever_its_size() -> None:
    data = member(b"p", b"1" * 5000, b"x") + member(b"x", b"1") + END
    source = CountingSource(data)
    found = parse_tar(source, replace(DEFAULT, tar_header_size=4000))
    assert contents(found) == {"x": b"1"}
    assert "5000 bytes" in found.faults[0]
    assert source.bytes_read < 4000


# Sparse files.

HOLED = bytes(1000) + b"one" + bytes(5000) + b"two" + bytes(77)
PARTS = [(1000, 3), (6003, 3), (6083, 0)]
STORED = b"onetwo"
MANY = [(number * 1000, 2) for number in range(60)]


def pax_sparse(version: str) -> bytes:
    numbers = [b"%d" % number for item in PARTS for number in item]
    size = b"%d" % len(HOLED)
    if version == "0.0":
        pairs = [
            item
            for at, count in PARTS
            for item in ((b"GNU.sparse.offset", b"%d" % at), (b"GNU.sparse.numbytes", b"%d" % count))
        ]
        return extended((b"GNU.sparse.size", size), *pairs) + member(b"h", STORED)
    if version == "0.1":
        said = [(b"GNU.sparse.size", size), (b"GNU.sparse.name", b"h"), (b"GNU.sparse.map", b",".join(numbers))]
        return extended(*said) + member(b"GNUSparseFile.1/h", STORED)
    said = [(b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0"), (b"GNU.sparse.name", b"h")]
    text = b"".join(number + b"\n" for number in [b"3", *numbers])
    return extended(*said, (b"GNU.sparse.realsize", size)) + member(b"GNUSparseFile.1/h", filled(text) + STORED)


@pytest.mark.parametrize(
    "sparse",
    [old_sparse(b"h", PARTS, len(HOLED), STORED), pax_sparse("0.0"), pax_sparse("0.1"), pax_sparse("1.0")],
    ids=["old", "0.0", "0.1", "1.0"],
)
def test_holes_read_as_zeros(sparse: bytes) -> None:
    found = archive(sparse, member(b"next", b"1"))
    assert contents(found) == {"h": HOLED, "next": b"1"}
    assert dict(nodes(found))["h"].size == len(HOLED)
    assert found.remarks == ()


def test_an_old_map_may_take_many_blocks() -> None:
    found = archive(old_sparse(b"h", MANY, 60_000, b"ab" * 60), member(b"next", b"1"))
    assert contents(found) == {"h": (b"ab" + bytes(998)) * 60, "next": b"1"}


def test_a_file_that_is_all_hole_yields_in_pieces() -> None:
    found = archive(old_sparse(b"h", [(3_000_000, 0)], 3_000_000, b""))
    pieces = [len(piece) for piece in found.chunks(dict(nodes(found))["h"])]
    assert sum(pieces) == 3_000_000
    assert max(pieces) <= 1 << 20


@pytest.mark.parametrize(
    "sparse",
    [
        old_sparse(b"h", [(10, 5), (5, 5)], 100, b"1" * 10),
        old_sparse(b"h", [(10, 5), (12, 5)], 100, b"1" * 10),
        old_sparse(b"h", [(98, 5)], 100, b"1" * 5),
        old_sparse(b"h", [(0, 50)], 100, b"1" * 5),
        extended((b"GNU.sparse.size", b"9"), (b"GNU.sparse.map", b"1,2,3")) + member(b"h", b"12"),
        extended((b"GNU.sparse.size", b"9"), (b"GNU.sparse.map", b"1,x")) + member(b"h", b"12"),
        extended((b"GNU.sparse.major", b"1"), (b"GNU.sparse.realsize", b"9")) + member(b"h", b"12"),
        extended((b"GNU.sparse.major", b"1"), (b"GNU.sparse.realsize", b"9")) + member(b"h", b"999999\n1\n2\n"),
        extended((b"GNU.sparse.major", b"1")) + member(b"h", b"1\n0\n2\n".ljust(514, b"1")),
    ],
    ids=[
        "descends",
        "overlaps",
        "beyond",
        "too little",
        "odd",
        "no number",
        "no map",
        "short map",
        "no size",
    ],
)
def test_a_damaged_map_refuses_the_file_and_spares_the_rest(sparse: bytes) -> None:
    found = archive(sparse, member(b"next", b"1"))
    assert contents(found) == {"next": b"1"}
    node = dict(nodes(found)).get("h")
    assert found.faults or (node is not None and "sparse" in node.refusal)


def test_a_sparse_file_larger_than_any_input_is_refused() -> None:
    found = parse_tar(BlobSource(old_sparse(b"h", [], 5000, b"") + END), replace(DEFAULT, file_size=4000))
    assert "5000 bytes" in dict(nodes(found))["h"].refusal


# Ends, damage, volumes.


def test_the_checksum_line_of_a_samsung_archive_is_no_fault() -> None:
    data = (
        member(b"boot.img", b"1") + END + bytes(8 * 512) + b"0123456789abcdef" * 2 + b"  AP_G991B_user_low_ship.tar\n"
    )
    found = parse_tar(BlobSource(data))
    assert (contents(found), found.remarks) == ({"boot.img": b"1"}, ())


def test_what_stands_behind_the_end_is_said() -> None:
    found = archive(member(b"a", b"1"), end=END + b"PK\x03\x04" * 1000)
    assert "4000 bytes from offset 2048" in found.remarks[0]
    assert found.faults == ()


@pytest.mark.parametrize("zeros", [512, 1024, 9728, 3_000_064])
def test_archives_one_behind_the_other_are_read_all(zeros: int) -> None:
    zeros -= zeros % 512
    found = archive(member(b"a", b"1") + bytes(zeros), member(b"b", b"2") + END, header(b"c", magic=bytes(8)))
    assert contents(found) == {"a": b"1", "b": b"2", "c": b""}
    assert "continues behind an end mark" in found.remarks[0]


def test_members_behind_damage_are_found_again() -> None:
    found = archive(member(b"a", b"1"), b"\xff" * 512 * 3, member(b"b", b"2"), b"junk" * 128, member(b"c", b"3"))
    assert contents(found) == {"a": b"1", "b": b"2", "c": b"3"}
    assert [text.split(":")[0] for text in found.faults] == ["The archive is damaged"] * 2
    assert found.list(found.root).faults == found.faults


def test_damage_up_to_the_end_is_a_fault() -> None:
    found = archive(member(b"a", b"1"), b"\xff" * 2048)
    assert "damaged at offset 1024" in found.faults[0]


def test_an_archive_that_is_cut_off_keeps_what_it_has() -> None:
    data = member(b"a", b"1") + member(b"b", b"2" * 5000)
    found = parse_tar(BlobSource(data[:3000]))
    assert found.faults == (
        "The archive is cut off at offset 3000, or continues in another volume: 3536 bytes of b and all members"
        " behind it are missing.",
    )
    given = []
    with pytest.raises(FormatError, match="cut off"):
        given.extend(found.chunks(dict(nodes(found))["b"]))
    assert b"".join(given) == b"2" * 1464


def test_an_archive_without_an_end_mark_may_be_cut_off() -> None:
    assert "without an end mark" in archive(member(b"a", b"1"), end=b"").faults[0]
    assert archive(member(b"a", b"1"), end=bytes(512)).faults == ()


def test_another_volume_is_named() -> None:
    found = archive(member(b"big", b"the rest", b"M"), member(b"x", b"1"))
    assert "several volumes" in found.faults[0]
    assert "another volume" in dict(nodes(found))["big"].refusal
    assert contents(found) == {"x": b"1"}


def test_the_number_of_members_is_bounded() -> None:
    found = parse_tar(
        BlobSource(b"".join(member(b"d%d/x" % n) for n in range(9)) + END), replace(DEFAULT, tar_members=5)
    )
    assert "tar_members" in found.faults[0]
    assert len(list(nodes(found))) == len(found) == 5


def test_many_faults_are_counted_not_told() -> None:
    found = archive(*(member(b"a%d" % number) + b"\xff" * 512 for number in range(100)))
    assert len(found.faults) < 30
    assert "80 more faults" in found.faults[-1]


# Views, work, damage.


def test_members_are_views_of_the_archive() -> None:
    found = archive(member(b"a", bytes(9_000_000)))
    pieces = list(found.chunks(dict(nodes(found))["a"]))
    assert all(isinstance(piece, memoryview) for piece in pieces)
    assert max(map(len, pieces)) <= 4 << 20


def test_data_is_not_touched_to_list_it() -> None:
    source = CountingSource(b"".join(member(b"%d" % number, bytes(10_000)) for number in range(100)) + END)
    parse_tar(source)
    assert source.bytes_read < 120 * 512


def test_damage_does_not_cost_more_than_a_few_passes() -> None:
    bad = header(b"s", 0, b"S", magic=b"ustar  \0", tail=bytes(57) + b"\1" * 126)
    for block in (bad, b"\xff" * 512, b"\0ustar" * 85 + bytes(2), header(b"x", b"\xff" * 12)):
        pairs = b"".join(block + header(b"a") for _ in range(400))
        source = CountingSource(header(b"first") + pairs + END + block * 400)
        parse_tar(source)
        assert source.bytes_read < 16 * source.size


SAMPLE = b"".join(
    [
        extended((b"path", LONG)),
        member(b"short", b"content"),
        long_name(LONG + b"2"),
        member(b"a/b", b"1" * 700),
        old_sparse(b"old", MANY, 60_000, b"ab" * 60),
        pax_sparse("1.0"),
        pax_sparse("0.0"),
        header(b"link", kind=b"1", link=b"a/b"),
        END,
    ]
)


def test_any_damage_gives_a_tree_or_a_format_error() -> None:
    for damaged in [*prefixes(SAMPLE, 700), *mutations(SAMPLE, 1000)]:
        source = CountingSource(damaged)
        try:
            found = parse_tar(source)
        except FormatError:
            continue
        assert source.bytes_read < 8 * len(SAMPLE)
        for path, node in nodes(found):
            assert path
            if node.kind is NodeKind.FILE and node.size < 1_000_000:
                try:
                    assert len(read(found, node)) == node.size
                except FormatError:
                    continue


def test_damage_that_loses_members_is_never_silent() -> None:
    plain = b"".join(member(b"m%d" % number, b"c" * 600) for number in range(8)) + END
    for damaged in [*prefixes(plain[:-1024], 300), *mutations(plain[:-1024], 600)]:
        try:
            found = parse_tar(BlobSource(damaged))
        except FormatError:
            continue
        names = {path for path, _ in nodes(found)}
        assert found.faults or len(names) >= 8


# What would hide members without a word


@pytest.mark.parametrize("kind", [b"A", b"V", b"Z"])
def test_a_kind_that_others_pass_over_hides_no_file(kind: bytes) -> None:
    found = archive(member(b"base.apk", b"PK\3\4" + bytes(900), kind), member(b"x", b"content"))
    assert contents(found) == {"base.apk": b"PK\3\4" + bytes(900), "x": b"content"}


@pytest.mark.parametrize("kind", [b"2", b"3", b"5", b"6"])
def test_data_of_what_is_no_file_is_told(kind: bytes) -> None:
    found = archive(member(b"odd", b"PK\3\4" + bytes(900), kind), member(b"x", b"content"))
    assert contents(found)["x"] == b"content"
    assert any("904 bytes at offset 512 belong to a member that is no file" in fault for fault in found.faults)


def test_an_extended_size_that_swallows_members_is_told() -> None:
    hidden = member(b"base.apk", b"PK\3\4")
    found = archive(extended((b"size", b"%d" % (512 + len(hidden)))), member(b"a", b"1" * 512), hidden)
    assert any("512 bytes by its header and 1536 by the extended one" in fault for fault in found.faults)


def test_an_extended_size_that_a_header_cannot_hold_is_no_fault() -> None:
    record_of_size = extended((b"size", b"%d" % (9 << 30)))
    found = archive(record_of_size, member(b"a", b""))
    assert not any("by its header" in fault for fault in found.faults)


def test_names_and_targets_of_links_are_bounded_in_all() -> None:
    limits = replace(DEFAULT, tar_members=4)
    for more in (extended((b"path", b"n" * 600)) + member(b"x"), extended((b"linkpath", b"n" * 600)) + link(b"y")):
        found = parse_tar(BlobSource(more * 2 + END), limits)
        assert any("raise --limit tar_members" in fault for fault in found.faults)


def link(name: bytes) -> bytes:
    return member(name, kind=b"1", link=b"short")


def test_parts_of_sparse_files_are_bounded_in_all() -> None:
    file = old_sparse(b"s", [(0, 512), (1024, 512), (2048, 512)], 4096, b"x" * 1536)
    found = parse_tar(BlobSource(file + file + END), replace(DEFAULT, image_extents=5))
    refusals = [node.refusal for node in found.list(found.root).nodes]
    assert sum("image_extents" in refusal for refusal in refusals) == 1
