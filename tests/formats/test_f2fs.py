"""Files are read out of an F2FS image, block by block as it says; what it cannot mean is a fault, not a loop."""

from __future__ import annotations

import lzma
import random
import stat
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import lz4.block
import pytest
import zstandard

from auditor.errors import FormatError, UnsupportedError
from auditor.formats.android_sparse import parse_android_sparse
from auditor.formats.f2fs import F2fs, is_f2fs, parse_f2fs
from auditor.formats.f2fs_nodes import find_runs, read_inode
from auditor.formats.file_system import Node, NodeKind
from auditor.formats.source import BlobSource
from auditor.limits import DEFAULT
from tests.builders import f2fs as build
from tests.builders.f2fs import BLOCK, COMPRESSED, HOLE, RESERVED, ROOT, Image
from tests.builders.mangle import mutations
from tests.builders.sources import CountingSource

REGULAR = stat.S_IFREG | 0o644
DATA = bytes(range(256)) * 40
ENCRYPTED = "encrypted (file-based encryption)"


def opened(disk: bytes | bytearray) -> F2fs:
    return parse_f2fs(BlobSource(bytes(disk)))


def only(image: Image, **options: bool) -> tuple[F2fs, Node]:
    """The one file of an image, inode 4, in a root made for it."""
    image.directory(ROOT, [(b"file", 4, build.FILE)])
    found = opened(image.build(**options))
    return found, found.list(found.root).nodes[0]


def content(found: F2fs, node: Node) -> bytes:
    data = b"".join(found.chunks(node))
    assert len(data) == node.size
    return data


def slots(*addresses: int) -> bytes:
    return struct.pack(f"<{len(addresses)}I", *addresses)


def sample() -> Image:
    image = Image()
    image.directory(ROOT, [(b"app", 4, build.DIRECTORY), (b"a.apk", 6, build.FILE), (b"to", 8, build.LINK)])
    image.inline_directory(4, [(b"base.apk", 5, build.FILE), (b"hard", 6, build.FILE)])
    image.inline_file(5, b"inline")
    image.file(6, DATA)
    image.inode(8, stat.S_IFLNK | 0o777, 5, bytes(4) + b"a.apk", inline=build.INLINE_DATA)
    return image


def test_a_tree_is_listed_and_read() -> None:
    disk = sample().build()
    assert is_f2fs(bytes(disk[:8192]))
    found = opened(disk)
    assert (found.root.name, found.root.kind, found.remarks) == ("", NodeKind.DIRECTORY, ())
    listing = found.list(found.root)
    assert listing.faults == ()
    assert [(item.name, item.kind, item.size) for item in listing.nodes] == [
        ("a.apk", NodeKind.FILE, len(DATA)),
        ("app", NodeKind.DIRECTORY, 0),
        ("to", NodeKind.LINK, 0),
    ]
    assert content(found, listing.nodes[0]) == DATA
    base, hard = found.list(listing.nodes[1]).nodes
    assert (base.name, content(found, base)) == ("base.apk", b"inline")
    assert hard.key == listing.nodes[0].key


@pytest.mark.parametrize("journal", [(), (ROOT, 6)])
def test_blocks_of_16_kib_are_read(journal: tuple[int, ...]) -> None:
    """Phones with pages of that size have them; every table grows with the block."""
    image = Image(block=4 * BLOCK)
    image.directory(ROOT, [(b"a", 6, build.FILE), (b"b", 4, build.DIRECTORY), (b"z" * 255, 5, build.FILE)])
    image.inline_directory(4, [(b"inside", 5, build.FILE)])
    image.inline_file(5, b"inline" * 2000)
    image.addresses(20, 6, [image.put(b"behind")])
    room = (4 * BLOCK - 404) // 4
    image.inode(6, REGULAR, room * 4 * BLOCK + 6, slots(*[HOLE] * (room - 1), image.put(b"last")), nids=(20,))
    disk = image.build(journal=journal)
    for damage in (False, True):
        if damage:
            disk[1024:1028] = bytes(4)
        found = opened(disk)
        a, b, z = found.list(found.root).nodes
        assert content(found, z) == b"inline" * 2000
        assert b"".join(list(found.chunks(a))[-2:]) == b"last".ljust(4 * BLOCK, b"\0") + b"behind"
        assert [item.key for item in found.list(b).nodes] == [5]
        assert "blocks of 16384 bytes" in found.remarks[0]


@pytest.mark.parametrize(
    "options",
    [
        {"version": 6},
        {"journal": (ROOT, 6)},
        {"journal": (ROOT, 6), "flags": build.UMOUNT | build.COMPACT},
        {"second_copy": True},
        {"second_copy": True, "flags": build.UMOUNT | build.LARGE_BITMAP},
        {"second_copy": True, "payload": 1},
        {"second_copy": True, "payload": 1, "flags": build.UMOUNT | build.LARGE_BITMAP},
    ],
)
def test_the_node_table_is_found_in_every_arrangement(options: dict[str, int]) -> None:
    found = opened(sample().build(**options))  # type: ignore[arg-type]
    assert content(found, found.list(found.root).nodes[0]) == DATA
    assert found.remarks == ()


def test_the_journal_beats_the_table() -> None:
    image = sample()
    disk = image.build(journal=(6,))
    old = image.nat[5][1]
    struct.pack_into("<BII", disk, build.NAT * BLOCK + 6 * 9, 0, 6, old)
    found = opened(disk)
    assert content(found, found.list(found.root).nodes[0]) == DATA


def test_the_newer_whole_checkpoint_counts() -> None:
    image = sample()
    disk = image.build(version=5)
    # A newer pack whose table no longer knows the file.
    image.write_pack(disk, 6, build.UMOUNT, (), True, 0)
    with pytest.raises(FormatError, match="not in use"):
        opened(disk)
    disk[(build.CHECKPOINT + build.SEGMENT + 2) * BLOCK] ^= 0xFF
    found = opened(disk)
    assert content(found, found.list(found.root).nodes[0]) == DATA
    assert found.remarks == ("the other one of two checkpoints is damaged; the newest changes may be missing",)


def test_the_older_checkpoint_counts_where_the_checksum_of_the_newer_is_wrong() -> None:
    disk = sample().build()
    disk[build.CHECKPOINT * BLOCK + 300] ^= 1
    found = opened(disk)
    assert content(found, found.list(found.root).nodes[0]) == DATA
    assert found.remarks == ("the other one of two checkpoints is damaged; the newest changes may be missing",)


def test_a_checkpoint_whose_checksum_is_wrong_is_the_last_resort() -> None:
    disk = sample().build()
    disk[build.CHECKPOINT * BLOCK + 300] ^= 1
    disk[(build.CHECKPOINT + build.SEGMENT) * BLOCK] ^= 1
    found = opened(disk)
    assert content(found, found.list(found.root).nodes[0]) == DATA
    assert found.remarks == ("the checksum of the checkpoint is wrong; files may be missing or outdated",)


@pytest.mark.parametrize(
    ("flags", "remark"), [(0, "changes after its last checkpoint"), (build.UMOUNT | build.ERROR, "marked as damaged")]
)
def test_a_file_system_in_use_or_in_error_is_told(flags: int, remark: str) -> None:
    assert remark in opened(sample().build(flags=flags)).remarks[0]


def test_the_copy_of_the_superblock_is_used() -> None:
    disk = sample().build()
    disk[1024:1100] = bytes(76)
    found = opened(disk)
    assert len(found.list(found.root).nodes) == 3
    assert "its copy is used" in found.remarks[0]
    assert is_f2fs(bytes(disk[:8192]))


def test_a_superblock_whose_checksum_is_wrong_is_not_used() -> None:
    image = sample()
    image.features |= 0x800
    assert opened(image.build()).remarks == ()
    disk = image.build()
    disk[1024 + 2500] ^= 1
    assert "checksum of the superblock" in opened(disk).remarks[0]
    disk[BLOCK + 1024 + 2500] ^= 1
    with pytest.raises(FormatError, match="checksum of the superblock"):
        opened(disk)


@pytest.mark.parametrize(
    ("at", "value", "error"),
    [
        (0, 7, "no F2FS superblock"),
        (16, 9, "blocks of 2"),
        (20, 40, "segments of 2"),
        (76, 0, "do not follow each other"),
        (96, 0, "the root of the file system is inode 0"),
        (60, 99, "node table of 99 segments"),
        (60, 0, "node table of 0 segments"),
        (1664, 99, "checkpoint of 99 further blocks"),
        (96, 99, "inode 99, which no F2FS has"),
        (100, 3, "which no F2FS has"),
    ],
)
def test_a_superblock_that_cannot_be_is_refused(at: int, value: int, error: str) -> None:
    disk = sample().build()
    for start in (1024, BLOCK + 1024):
        struct.pack_into("<I", disk, start + at, value)
    with pytest.raises(FormatError, match=error):
        opened(disk)


def test_further_devices_are_told_and_their_blocks_refused() -> None:
    image = sample()
    found = opened(image.build(devices=(8, 90)))
    assert found.remarks == ("the file system spans 2 devices; the others than this one are not read",)
    by_name = {item.name: item for item in found.list(found.root).nodes}
    assert "another device" in by_name["a.apk"].refusal
    with pytest.raises(FormatError, match="another device"):
        content(found, by_name["a.apk"])


def test_an_image_that_is_cut_off_is_told() -> None:
    disk = sample().build()
    found = opened(disk[: 30 * BLOCK])
    assert found.remarks == (f"the image is cut off: {62 * BLOCK} bytes at its end are missing",)
    assert [item.refusal != "" for item in found.list(found.root).nodes] == [True, True, True]


def test_holes_and_reserved_blocks_read_as_zeros() -> None:
    image = Image()
    first = image.put(b"1" * BLOCK)
    last = image.put(b"end")
    image.inode(4, REGULAR, 4 * BLOCK + 3, slots(HOLE, first, RESERVED, HOLE, last))
    found, node = only(image)
    assert content(found, node) == bytes(BLOCK) + b"1" * BLOCK + bytes(2 * BLOCK) + b"end"


def test_neighbouring_blocks_are_read_at_once() -> None:
    image = Image()
    image.file(4, DATA)
    image.directory(ROOT, [(b"file", 4, build.FILE)])
    source = CountingSource(bytes(image.build()))
    found = parse_f2fs(source)
    node = found.list(found.root).nodes[0]
    source.calls = 0
    pieces = list(found.chunks(node))
    assert len(pieces) == 1
    assert isinstance(pieces[0], memoryview)
    assert source.calls == 3


def test_blocks_behind_the_end_of_a_file_are_not_read() -> None:
    image = Image()
    first = image.put(b"x" * 3 * BLOCK)
    image.inode(4, REGULAR, 5, slots(first, first + 1, first + 2))
    assert content(*only(image)) == b"xxxxx"


@pytest.mark.parametrize("size", [0, 5, 923 * BLOCK + 7, (923 + 3 * 1018) * BLOCK, (923 + 2 * 1018 * 1020) * BLOCK + 1])
def test_files_that_are_all_holes(size: int) -> None:
    image = Image()
    image.inode(4, REGULAR, size)
    found, node = only(image)
    assert node.size == size
    if size < 1 << 24:
        assert content(found, node) == bytes(size)
    else:
        assert len(next(iter(found.chunks(node)))) == 1 << 20


def deep_file(image: Image, place: int) -> int:
    """A file of one block that only the node at one of the five places knows; where that block begins."""
    data = image.put(b"deep" * 1024)
    depth = (1, 1, 2, 2, 3)[place]
    image.addresses(20, 4, [HOLE, data])
    for level in range(1, depth):
        image.addresses(20 + level, 4, [0, 19 + level])
    reach = (0, 1018, 2 * 1018, 2 * 1018 + 1018**2, 2 * 1018 + 2 * 1018**2)[place]
    before = 923 + reach + 1 + sum(1018**level for level in range(1, depth))
    nids = tuple(19 + depth if at == place else 0 for at in range(5))
    image.inode(4, REGULAR, (before + 1) * BLOCK, nids=nids)
    return before


@pytest.mark.parametrize("place", range(5))
def test_nodes_of_every_depth_are_followed(place: int) -> None:
    image = Image()
    before = deep_file(image, place)
    found, node = only(image)
    assert node.size == (before + 1) * BLOCK
    if place < 2:
        assert content(found, node) == bytes(before * BLOCK) + b"deep" * 1024
        return
    # What is behind gigabytes of zeros is reached through the same runs.
    at, last = 0, b""
    for piece in found.chunks(node) if place == 2 else ():
        at, last = at + len(piece), bytes(piece[-BLOCK:])
    if place == 2:
        assert (at, last) == (node.size, b"deep" * 1024)
    runs = list(find_runs(found.table, read_inode(found.table, 4), before + 1))
    assert [run.count for run in runs] == [before, 1]
    assert runs[0].address == HOLE
    assert runs[1].address >= build.MAIN


def test_a_file_larger_than_nodes_reach_is_refused() -> None:
    image = Image()
    image.inode(4, REGULAR, 1 << 62)
    found, node = only(image)
    with pytest.raises(FormatError, match="more than its nodes reach"):
        list(find_runs(found.table, read_inode(found.table, node.key), 1 << 50))


@pytest.mark.parametrize(
    ("features", "inline", "extra", "kept"),
    [
        (0x8, 0, None, 0),
        (0x8, build.INLINE_XATTR, None, 50),
        (0x8, 0, build.extra_attributes(), 0),
        (0x8, build.INLINE_XATTR, build.extra_attributes(slots=7), 50),
        (0x48, build.INLINE_XATTR, build.extra_attributes(slots=7), 7),
        (0x48, 0, build.extra_attributes(slots=0), 0),
        (0x8, 0, struct.pack("<HH", 8, 0) + bytes(4), 0),
    ],
)
def test_extra_and_extended_attributes_take_room_from_the_addresses(
    features: int, inline: int, extra: bytes | None, kept: int
) -> None:
    """The last slot is the last address; the next one stands in the first node."""
    image = Image(features=features)
    room = 923 - len(extra or b"") // 4 - kept
    last, behind = image.put(b"last" * 1024), image.put(b"behind")
    area = slots(*[HOLE] * (room - 1), last, *[0xDDDDDDDD] * kept)
    image.addresses(20, 4, [behind])
    image.inode(4, REGULAR, room * BLOCK + 6, area, inline=inline, extra=extra, nids=(20,))
    data = content(*only(image))
    assert data == bytes((room - 1) * BLOCK) + b"last" * 1024 + b"behind"


@pytest.mark.parametrize("room", [923 * 4 - 4, 923 * 4 - 4 - 36])
def test_inline_data_fills_its_area_and_no_more(room: int) -> None:
    extra = None if room == 923 * 4 - 4 else build.extra_attributes()
    image = Image()
    data = random.Random(1).randbytes(room)
    image.inode(4, REGULAR, room, bytes(4) + data, inline=build.INLINE_DATA, extra=extra)
    assert content(*only(image)) == data
    image = Image()
    image.inode(4, REGULAR, room + 1, bytes(4) + data, inline=build.INLINE_DATA, extra=extra)
    with pytest.raises(FormatError, match="has no room"):
        content(*only(image))


def cluster(image: Image, body: bytes, blocks: int = 4, length: int | None = None) -> list[int]:
    packed = build.packed_cluster(body, length)
    first = image.put(packed)
    used = -(-len(packed) // BLOCK)
    return [COMPRESSED, *range(first, first + used), *[RESERVED] * (blocks - 1 - used)]


def compressed_file(algorithm: int, bodies: list[bytes], size: int, *, length: int | None = None) -> Image:
    image = Image(features=0x2008)
    addresses: list[int] = []
    for body in bodies:
        addresses += cluster(image, body, length=length)
    extra = build.extra_attributes(saved=2, algorithm=algorithm, log_cluster=2)
    image.inode(4, REGULAR, size, slots(*addresses), extra=extra, flags=0x4)
    return image


PACK: dict[int, Callable[[bytes], bytes]] = {
    1: lambda data: lz4.block.compress(data, store_size=False),
    2: lambda data: zstandard.compress(data),
}
TEXT = (b"a phone keeps an app " * 4000)[: 4 * 4 * BLOCK]


@pytest.mark.parametrize("algorithm", sorted(PACK))
@pytest.mark.parametrize("size", [4 * 4 * BLOCK, 3 * 4 * BLOCK + 5, 1])
def test_compressed_clusters_are_unpacked(algorithm: int, size: int) -> None:
    step = 4 * BLOCK
    bodies = [PACK[algorithm](TEXT[:size][at : at + step].ljust(step, b"\0")) for at in range(0, size, step)]
    assert content(*only(compressed_file(algorithm, bodies, size))) == TEXT[:size]


def test_clusters_of_a_compressed_file_may_be_stored_as_they_are() -> None:
    image = Image(features=0x2008)
    plain = image.put(b"p" * 4 * BLOCK)
    packed = cluster(image, PACK[1](b"c" * 4 * BLOCK))
    extra = build.extra_attributes(saved=2, algorithm=1, log_cluster=2)
    addresses = [*range(plain, plain + 4), *packed, *[HOLE] * 4, *packed]
    image.inode(4, REGULAR, 16 * BLOCK - 9, slots(*addresses), extra=extra, flags=0x4)
    data = content(*only(image))
    assert data == b"p" * 4 * BLOCK + b"c" * 4 * BLOCK + bytes(4 * BLOCK) + b"c" * (4 * BLOCK - 9)


def test_clusters_do_not_straddle_nodes() -> None:
    """923 slots less 9 are 914, of which 912 hold clusters; 1018 of a node hold 1016."""
    image = Image(features=0x2008)
    extra = build.extra_attributes(saved=2, algorithm=1, log_cluster=2)
    image.addresses(20, 4, [*[HOLE] * 1016, 0xDDDDDDDD, 0xDDDDDDDD])
    image.addresses(21, 4, cluster(image, PACK[1](b"c" * 4 * BLOCK)))
    area = slots(*[HOLE] * 912, 0xDDDDDDDD, 0xDDDDDDDD)
    image.inode(4, REGULAR, (912 + 1016 + 4) * BLOCK, area, extra=extra, flags=0x4, nids=(20, 21))
    assert content(*only(image)) == bytes((912 + 1016) * BLOCK) + b"c" * 4 * BLOCK


@pytest.mark.parametrize(
    ("algorithm", "body", "length", "error"),
    [
        (1, b"\xff" * 99, None, "damaged compressed cluster|are due"),
        (2, b"\xff" * 99, None, "damaged compressed cluster"),
        (1, PACK[1](b"c" * BLOCK), None, "where 16384 are due"),
        (2, PACK[2](b"c" * BLOCK), None, "where 16384 are due"),
        (2, PACK[2](bytes(100 << 20)), None, "where 16384 are due"),
        (1, b"x", 1 << 31, "states 2147483648 bytes"),
    ],
)
def test_damaged_clusters_are_refused(algorithm: int, body: bytes, length: int | None, error: str) -> None:
    with pytest.raises(FormatError, match=error):
        content(*only(compressed_file(algorithm, [body], 100, length=length)))


def text(size: int, seed: int) -> bytes:
    chance = random.Random(seed)
    words = [chance.randbytes(6) for _ in range(40)]
    return b"".join(chance.choice(words) for _ in range(size // 6 + 1))[:size]


def test_an_image_that_sload_compressed_is_read_to_the_byte() -> None:
    """``sload.f2fs -c -a lz4`` (f2fs-tools 1.15 built with liblz4, which distributions leave out) made it."""
    packed = (Path(__file__).parent / "data" / "f2fs_lz4.simg.xz").read_bytes()
    found = parse_f2fs(parse_android_sparse(BlobSource(lzma.decompress(packed))))
    app, long, mixed = found.list(found.root).nodes
    contents = {item.name: content(found, item) for item in (*found.list(app).nodes, long, mixed)}
    assert contents == {
        "base.apk": text(30_001, 1),
        "small.txt": text(9_000, 2),
        "tiny.txt": text(50, 3),
        "long.txt": (text(16_384, 4) * 257)[:4_200_000],
        "mixed.bin": random.Random(5).randbytes(16384) + text(16384, 5) + random.Random(6).randbytes(100),
    }
    assert found.remarks == ()
    assert read_inode(found.table, long.key).has_compressed_data


@pytest.mark.parametrize(("algorithm", "name"), [(0, "LZO"), (3, "LZO-RLE"), (9, "algorithm 9")])
def test_other_compression_is_named(algorithm: int, name: str) -> None:
    found, node = only(compressed_file(algorithm, [b"x"], 100))
    assert node.refusal == f"compressed with {name}, which is not read"
    with pytest.raises(UnsupportedError, match=name):
        content(found, node)


def test_encrypted_files_and_directories_are_named() -> None:
    image = Image(features=0x9)
    image.directory(ROOT, [(b"file", 4, build.FILE), (b"user", 5, build.DIRECTORY)])
    image.inode(4, REGULAR, 10, slots(image.put(b"secret")), advise=0x04)
    image.directory(5, [(b"\x00/\xff" * 6, 4, build.FILE), (b"\x01" * 32, 4, build.FILE)], advise=0x04)
    found = opened(image.build())
    file, user = found.list(found.root).nodes
    assert (file.refusal, user.refusal) == (ENCRYPTED, ENCRYPTED)
    with pytest.raises(UnsupportedError, match="file-based encryption"):
        content(found, file)
    inside = found.list(user)
    assert [item.name.startswith("encrypted-") for item in inside.nodes] == [True, True]
    assert {item.refusal for item in inside.nodes} == {ENCRYPTED}
    assert inside.faults == ()


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"x", "x"),
        (b"n" * 255, "n" * 255),
        ("\u65e5\u672c.apk".encode(), "\u65e5\u672c.apk"),
        (b"caf\xe9", "caf\udce9"),
        (b"...", "..."),
        (b"exactly8", "exactly8"),
    ],
)
def test_names_are_kept_as_bytes(raw: bytes, name: str) -> None:
    for make in (Image.directory, Image.inline_directory):
        image = Image()
        make(image, ROOT, [(raw, 4, build.FILE), (b"z", 4, build.FILE)])
        image.file(4, b"")
        found = opened(image.build())
        assert name in [item.name for item in found.list(found.root).nodes]


@pytest.mark.parametrize(
    ("entries", "fault"),
    [
        ([(b"a", 4, 1), (b"a", 4, 1)], "holds 'a' twice"),
        ([(b"a/b", 4, 1)], "name that no file can have"),
        ([(b"a\0b", 4, 1)], "name that no file can have"),
    ],
)
def test_names_that_cannot_be_are_faults(entries: list[build.Entry], fault: str) -> None:
    image = Image()
    image.directory(ROOT, [*entries, (b"good", 4, 1)])
    image.file(4, b"")
    found = opened(image.build())
    listing = found.list(found.root)
    assert fault in listing.faults[0]
    assert "good" in [item.name for item in listing.nodes]


def test_an_entry_whose_inode_is_missing_is_listed_with_the_reason() -> None:
    image = Image()
    image.directory(ROOT, [(b"gone", 99, build.FILE), (b"dir", 98, build.DIRECTORY), (b"far", 1 << 31, 0)])
    found = opened(image.build())
    nodes = {item.name: item for item in found.list(found.root).nodes}
    assert nodes["gone"].kind is NodeKind.FILE
    assert "node 99 is not in use" in nodes["gone"].refusal
    assert nodes["dir"].kind is NodeKind.DIRECTORY
    assert "there can be no node" in nodes["far"].refusal
    with pytest.raises(FormatError):
        found.list(nodes["dir"])


def test_a_directory_whose_blocks_are_damaged_is_listed_in_part() -> None:
    image = Image()
    block = image.put(build.area_of_entries([(b"seen", 4, 1)], BLOCK, 214))
    image.inode(ROOT, stat.S_IFDIR | 0o755, 4 * BLOCK, slots(HOLE, block, 1 << 30, block))
    image.file(4, b"")
    found = opened(image.build())
    listing = found.list(found.root)
    assert [item.name for item in listing.nodes] == ["seen"]
    assert "listed in part: block 1073741824 lies outside" in listing.faults[0]


def test_a_directory_that_uses_one_block_time_and_again_is_listed_once() -> None:
    image = Image()
    block = image.put(build.area_of_entries([(b"seen", 4, 1)], BLOCK, 214))
    image.inode(ROOT, stat.S_IFDIR | 0o755, 900 * BLOCK, slots(*[block] * 900))
    image.file(4, b"")
    source = CountingSource(bytes(image.build()))
    found = parse_f2fs(source)
    listing = found.list(found.root)
    assert [item.name for item in listing.nodes] == ["seen"]
    assert listing.faults == (f"the directory was listed in part: the directory uses block {block} twice",)
    assert source.calls < 20


def test_a_directory_of_more_entries_than_allowed_is_listed_in_part() -> None:
    image = Image()
    image.directory(ROOT, [(b"%d" % number, 4, 1) for number in range(9)])
    image.file(4, b"")
    found = parse_f2fs(BlobSource(bytes(image.build())), replace(DEFAULT, folder_entries=4))
    listing = found.list(found.root)
    assert len(listing.nodes) == 4
    assert "folder_entries" in listing.faults[0]


def test_a_large_hole_in_a_directory_costs_nothing() -> None:
    image = Image()
    image.inode(ROOT, stat.S_IFDIR | 0o755, (923 + 1018 * 1018) * BLOCK)
    found = opened(image.build())
    assert found.list(found.root).nodes == ()


@pytest.mark.parametrize(
    ("nids", "error"),
    [
        ((4,), "uses node 4 twice"),
        ((20, 20), "uses node 20 twice"),
        ((0, 0, 21), "uses node 21 twice"),
        ((77,), "node 77 is not in use"),
        ((3,), "node 3 belongs to inode 3, not to 4"),
        ((22,), "holds node 20 of inode 4, not 22 of 4"),
        ((23,), "block 2 lies outside the area of data"),
    ],
)
def test_nodes_that_loop_or_belong_elsewhere_are_refused(nids: tuple[int, ...], error: str) -> None:
    image = Image()
    place = image.addresses(20, 4, [HOLE] * 1018)
    image.addresses(21, 4, [21] * 1018)
    image.nat[22], image.nat[23] = (4, place), (4, 2)
    image.inode(4, REGULAR, (923 + 3 * 1018) * BLOCK, nids=nids)
    found, node = only(image)
    with pytest.raises(FormatError, match=error):
        content(found, node)


def test_addresses_outside_the_image_are_refused() -> None:
    image = Image()
    image.inode(4, REGULAR, 2 * BLOCK, slots(image.put(b"x"), build.MAIN + 1000))
    found, node = only(image)
    with pytest.raises(FormatError, match="outside the area of data"):
        content(found, node)


@pytest.mark.parametrize("extra", [2, 3, 5000])
def test_extra_attributes_of_a_size_that_cannot_be(extra: int) -> None:
    image = Image()
    image.inode(4, REGULAR, 5, extra=struct.pack("<HH", extra, 0))
    _, node = only(image)
    assert "extra attributes" in node.refusal


def test_what_is_no_file_and_no_directory() -> None:
    found = opened(sample().build())
    file, app, _ = found.list(found.root).nodes
    with pytest.raises(FormatError, match="no directory"):
        found.list(file)
    with pytest.raises(FormatError, match="no file"):
        content(found, app)


@pytest.mark.parametrize("data", [b"", bytes(4096), bytes(100_000), bytes(1024) + b"\x10\x20\xf5\xf2"])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        opened(data)
    assert is_f2fs(data) == (len(data) == 1028)


def walk(data: bytes) -> CountingSource:
    """Read all that can be read, as a caller would: each directory once, no file beyond a bound."""
    source = CountingSource(data)
    try:
        found = parse_f2fs(source)
    except FormatError:
        return source
    pending, seen = [found.root], set()
    while pending:
        node = pending.pop()
        if node.key in seen:
            continue
        seen.add(node.key)
        try:
            if node.kind is NodeKind.DIRECTORY:
                pending.extend(found.list(node).nodes)
            elif node.kind is NodeKind.FILE:
                size = 0
                for piece in found.chunks(node):
                    size += len(piece)
                    if size > 1 << 22:
                        break
                else:
                    assert size == node.size
        except FormatError:
            continue
    return source


def test_damage_is_read_or_refused() -> None:
    image = sample()
    image.inode(7, REGULAR, 925 * BLOCK, slots(image.put(b"x")), nids=(9,))
    image.addresses(9, 7, [HOLE, image.put(b"y")])
    image.inline_directory(4, [(b"base.apk", 5, build.FILE), (b"hard", 7, build.FILE)])
    extra = build.extra_attributes(saved=2, algorithm=1, log_cluster=2)
    image.inode(5, REGULAR, 99, slots(*cluster(image, PACK[1](b"c" * 4 * BLOCK))), extra=extra, flags=0x4)
    whole = bytes(image.build())
    for size in range(0, len(whole), 1500):
        walk(whole[:size])
    chance = random.Random(20260101)
    # Damage goes where it tells: superblock, checkpoint, node table, and all nodes and directories.
    places = [1024, 1024, build.CHECKPOINT * BLOCK, build.CHECKPOINT * BLOCK + 132, build.NAT * BLOCK]
    places += [address * BLOCK + within for address in range(build.MAIN, image.next) for within in (0, 340, 4040)]
    for number in range(1000):
        at = chance.choice(places)
        data = whole[:at] + next(mutations(whole[at : at + 120], 1, number)) + whole[at + 120 :]
        assert walk(data).bytes_read < 60 << 20


# What would hide files without a word


def folder(image: Image, blocks: int, size: int, *, inline: bool = False) -> tuple[str, ...]:
    """The faults of a directory of two blocks that states ``blocks`` and ``size``."""
    first = image.put(build.area_of_entries([(b"a.apk", 5, build.FILE)], BLOCK, 214))
    second = image.put(build.area_of_entries([(b"b.apk", 5, build.FILE)], BLOCK, 214))
    image.inline_file(5, b"PK")
    form = build.INLINE_DENTRY if inline else 0
    image.inode(4, stat.S_IFDIR | 0o755, size, slots(first, second), inline=form, blocks=blocks)
    image.directory(ROOT, [(b"d", 4, build.DIRECTORY)])
    found = opened(image.build())
    return found.list(found.list(found.root).nodes[0]).faults


@pytest.mark.parametrize(
    ("blocks", "size", "inline", "is_whole"),
    [
        (3, 2 * BLOCK, False, True),
        (3, BLOCK, False, False),
        (3, 0, False, False),
        (4, 2 * BLOCK, False, False),
        (3, 2 * BLOCK, True, False),
    ],
)
def test_a_directory_that_takes_more_blocks_than_were_found_is_a_fault(
    blocks: int, size: int, inline: bool, is_whole: bool
) -> None:
    faults = folder(Image(), blocks, size, inline=inline)
    assert any("entries may be missing" in fault for fault in faults) is not is_whole


def test_superblocks_that_differ_are_a_remark() -> None:
    disk = sample().build()
    other = bytearray(disk[BLOCK + 1024 : BLOCK + 4096])
    struct.pack_into("<Q", other, 36, build.MAIN + 60)
    struct.pack_into("<I", other, 3068, build.crc(bytes(other[:3068])))
    disk[BLOCK + 1024 : BLOCK + 4096] = other
    assert opened(disk).remarks == ("the two superblocks of the file system differ; files may be missing",)


@pytest.mark.parametrize(("kind", "expected"), [(0, NodeKind.FILE), (1, NodeKind.FILE), (2, NodeKind.DIRECTORY)])
@pytest.mark.parametrize("is_there", [True, False])
def test_an_inode_without_a_type_is_what_its_entry_says_and_is_refused(
    kind: int, expected: NodeKind, is_there: bool
) -> None:
    image = Image()
    if is_there:
        image.inode(4, 0, 0)
    image.directory(ROOT, [(b"base.apk", 4, kind)])
    found = opened(image.build())
    (node,) = found.list(found.root).nodes
    assert node.kind is expected
    assert "its inode cannot be read" in node.refusal


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFDIR, 0x3000])
def test_an_entry_that_says_another_thing_than_its_inode_is_a_fault(mode: int) -> None:
    image = Image()
    image.inode(4, mode, 0)
    image.directory(ROOT, [(b"base.apk", 4, build.FILE)])
    found = opened(image.build())
    (fault,) = found.list(found.root).faults
    assert "'base.apk' is stated to be another thing" in fault


@pytest.mark.parametrize("at", [0, 16, 100, 360, 380, 2000, 4095])
def test_an_inode_whose_checksum_is_wrong_is_a_fault(at: int) -> None:
    image = Image(features=0x8 | 0x20)
    extra = build.extra_attributes()
    first = image.put(b"PK")
    address = image.inode(4, REGULAR, 2, slots(first), extra=extra)
    raw = image.blocks[address]
    seed = build.crc(raw[68:72], build.crc(struct.pack("<I", 4), build.crc(bytes(16), 0xFFFFFFFF)))
    sound = raw[:368] + struct.pack("<I", build.crc(raw, seed)) + raw[372:]
    for damage in (0, 2):
        image.blocks[address] = sound[:at] + bytes([sound[at] ^ damage]) + sound[at + 1 :]
        image.directory(ROOT, [(b"f", 4, 0)])
        found = opened(image.build())
        listing = found.list(found.root)
        assert (damage != 0) == bool(listing.faults or listing.nodes[0].refusal)
