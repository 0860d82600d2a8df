"""An EROFS image gives its tree and the bytes of its files, whichever way they are laid out, or says why not."""

from __future__ import annotations

import lzma
import random
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from itertools import islice

import pytest
import zstandard

from auditor.errors import FormatError, LimitError, UnsupportedError
from auditor.formats.erofs import Erofs, is_erofs, parse_erofs
from auditor.formats.file_system import Node, NodeKind
from auditor.formats.source import BlobSource
from auditor.limits import DEFAULT, GIB, MIB
from tests.builders.erofs import (
    DIRECTORY,
    FIFO,
    HOLE,
    REGULAR,
    SYMLINK,
    ErofsBuilder,
    Segment,
    directory_block,
    image_of,
    lz4_literals,
    lz4_run,
    pad,
)
from tests.builders.mangle import mutations, prefixes

NOISE = random.Random(4).randbytes(40_000)


def packed_with(data: bytes) -> Segment:
    return Segment(data, lz4_literals(data))


def run(byte: bytes, size: int) -> Segment:
    return Segment(byte * size, lz4_run(byte, size))


SEGMENTS = (run(b"a", 700), Segment(NOISE[:400]), packed_with(NOISE[:450]), run(b"b", 5_000), Segment(NOISE[:512]))
MANY = tuple(segment for number in range(9) for segment in (run(b"%d" % number, 1_400), Segment(NOISE[:512])))
BIG = (packed_with(NOISE[:3_000]), run(b"c", 1_500), Segment(NOISE[:512]), packed_with(NOISE[:9_000]), run(b"d", 720))


def content(segments: tuple[Segment, ...]) -> bytes:
    return b"".join(segment.data for segment in segments)


def opened(image: bytes) -> Erofs:
    return parse_erofs(BlobSource(image))


def nodes(system: Erofs, node: Node | None = None) -> dict[str, Node]:
    listing = system.list(system.root if node is None else node)
    assert listing.faults == ()
    return {item.name: item for item in listing.nodes}


def read(system: Erofs, name: str = "f") -> bytes:
    node = nodes(system)[name]
    data = b"".join(system.chunks(node))
    assert len(data) == node.size
    return data


def only(make: Callable[[ErofsBuilder], int], builder: ErofsBuilder | None = None) -> Erofs:
    """An image of one file named f."""
    builder = builder or ErofsBuilder()
    return opened(image_of(builder, {b"f": make(builder)}))


LAYOUTS: dict[str, tuple[Callable[[ErofsBuilder], int], bytes]] = {
    "nothing": (lambda b: b.inode(REGULAR, 0, 0, HOLE), b""),
    "flat": (lambda b: b.flat(NOISE[:1_300]), NOISE[:1_300]),
    "flat, long inode": (lambda b: b.flat(NOISE[:1_300], extended=True), NOISE[:1_300]),
    "a flat hole": (lambda b: b.inode(REGULAR, 1_700, 0, HOLE), bytes(1_700)),
    "inline": (lambda b: b.inline(NOISE[:100]), NOISE[:100]),
    "inline behind blocks and attributes": (lambda b: b.inline(NOISE[:1_300], attributes=9), NOISE[:1_300]),
    "chunks": (
        lambda b: b.chunks([NOISE[:1024], None, NOISE[1024:2048], NOISE[2048:2100]], 3124),
        NOISE[:1024] + bytes(1024) + NOISE[1024:2100],
    ),
    "chunks with indexes": (
        lambda b: b.chunks([None, NOISE[:512], NOISE[512:600]], 1112, shift=0, indexes=True),
        bytes(512) + NOISE[:600],
    ),
    "chunks with wide addresses": (
        lambda b: b.chunks([NOISE[:512], None, NOISE[512:600]], 1112, shift=0, wide=True),
        NOISE[:512] + bytes(512) + NOISE[512:600],
    ),
    "long index": (lambda b: b.full(SEGMENTS), content(SEGMENTS)),
    "long index, big clusters": (lambda b: b.full(BIG), content(BIG)),
    "packs of two": (lambda b: b.compact(SEGMENTS), content(SEGMENTS)),
    "packs of two, big clusters": (lambda b: b.compact(BIG), content(BIG)),
    "packs of sixteen": (lambda b: b.compact(MANY, two=True), content(MANY)),
    "packs of sixteen, big clusters": (lambda b: b.compact(BIG + MANY + BIG, two=True), content(BIG + MANY + BIG)),
    "packs with an end mark": (lambda b: b.compact((run(b"x", 1_100),), end_mark=True), b"x" * 1_100),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_file_of_every_layout_is_read(layout: str) -> None:
    make, expected = LAYOUTS[layout]
    assert read(only(make)) == expected


@pytest.mark.parametrize("bits", [9, 10, 12])
def test_blocks_of_other_sizes_are_read(bits: int) -> None:
    builder = ErofsBuilder(bits)
    segments = (run(b"a", 9_000), Segment(NOISE[: builder.size]), run(b"b", 40_000))
    files = {b"c": builder.compact(segments), b"f": builder.full(segments), b"i": builder.inline(NOISE[:9_000])}
    system = opened(image_of(builder, files))
    assert read(system, "c") == read(system, "f") == content(segments)
    assert read(system, "i") == NOISE[:9_000]


def test_a_cluster_at_the_start_of_its_block_is_read() -> None:
    # Before Linux 5.4 nothing said where the compressed bytes end.
    assert read(only(lambda b: b.full(SEGMENTS), ErofsBuilder(padded=False))) == content(SEGMENTS)


def micro_lzma(data: bytes) -> bytes:
    options = {"id": lzma.FILTER_LZMA1, "dict_size": 4096, "lc": 3, "lp": 0, "pb": 2}
    raw = lzma.compress(data, lzma.FORMAT_RAW, filters=[options])
    return bytes([0xFF ^ (3 + 9 * 5 * 2)]) + raw[1:]


def deflate(data: bytes) -> bytes:
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    return engine.compress(data) + engine.flush()


ALGORITHMS = {
    0: lz4_literals,
    1: micro_lzma,
    2: deflate,
    3: lambda data: zstandard.ZstdCompressor(write_content_size=False).compress(data),
}


@pytest.mark.parametrize("number", ALGORITHMS)
@pytest.mark.parametrize("second", [False, True])
def test_every_algorithm_is_read_at_either_head(number: int, second: bool) -> None:
    data = b"".join(b"line %d of many\n" % item for item in range(200))
    segments = (Segment(data, ALGORITHMS[number](data), second), Segment(NOISE[:77]))
    algorithms = number << 4 if second else number
    assert read(only(lambda b: b.full(segments, algorithms=algorithms))) == data + NOISE[:77]


@pytest.mark.parametrize("number", ALGORITHMS)
def test_a_cluster_that_holds_more_than_its_extent_is_read(number: int) -> None:
    whole = b"".join(b"line %d of many\n" % item for item in range(200))
    segments = (Segment(whole[:1_500], ALGORITHMS[number](whole), partial=True), Segment(NOISE[:77]))
    assert read(only(lambda b: b.full(segments, algorithms=number))) == whole[:1_500] + NOISE[:77]


@pytest.mark.parametrize("number", ALGORITHMS)
def test_a_cluster_that_holds_less_than_its_extent_is_refused(number: int) -> None:
    segments = (Segment(b"x" * 900, ALGORITHMS[number](b"x" * 300)),)
    with pytest.raises(FormatError):
        read(only(lambda b: b.full(segments, algorithms=number)))


@pytest.mark.parametrize("number", ALGORITHMS)
def test_a_cluster_of_junk_is_refused(number: int) -> None:
    with pytest.raises(FormatError):
        read(only(lambda b: b.full((Segment(b"x" * 900, NOISE[:512]),), algorithms=number)))


def test_an_algorithm_that_does_not_exist_is_named() -> None:
    with pytest.raises(UnsupportedError, match="algorithm 9"):
        read(only(lambda b: b.full(SEGMENTS, algorithms=9)))


def test_the_tail_of_a_compressed_file_may_lie_behind_the_index() -> None:
    builder = ErofsBuilder()
    tail = lz4_literals(NOISE[:150])
    # The index counts the tail as an extent; its block does not matter.
    segments = (run(b"a", 1_000), Segment(NOISE[:150], b"unused"))
    nid = builder.compact(segments, advise=8, word=len(tail) << 16, tail=tail)
    assert read(opened(image_of(builder, {b"f": nid}))) == b"a" * 1_000 + NOISE[:150]


def test_plain_blocks_may_be_rotated() -> None:
    plain = NOISE[:512]
    turned = plain[-188:] + plain[:324]
    # The segment begins at 700, so at 188 in its block.
    assert turned[188:] + turned[:188] == plain
    builder = ErofsBuilder()
    segments = (run(b"a", 700), Segment(plain), run(b"b", 900))
    nid = builder.full(segments, advise=0x10)
    image = image_of(builder, {b"f": nid}).replace(plain, turned)
    assert read(opened(image)) == content(segments)


def with_packed(make: Callable[[ErofsBuilder], int], packed: Callable[[ErofsBuilder], int] | None = None) -> bytes:
    builder = ErofsBuilder()
    builder.features |= 0x20
    stored = (run(b"p", 2_000), Segment(NOISE[:500]), packed_with(NOISE[500:900]))
    builder.packed = packed(builder) if packed else builder.compact(stored)
    return image_of(builder, {b"f": make(builder)})


PACKED = b"p" * 2_000 + NOISE[:900]


def test_a_file_may_lie_in_the_packed_inode() -> None:
    assert read(opened(with_packed(lambda b: b.in_packed(1_990, 600)))) == PACKED[1_990:2_590]


@pytest.mark.parametrize("full", [False, True])
def test_the_tail_of_a_file_may_lie_in_the_packed_inode(full: bool) -> None:
    segments = (run(b"a", 1_024), Segment(bytes(300), b""))

    def make(builder: ErofsBuilder) -> int:
        if not full:
            return builder.compact(segments, advise=0x20, word=2_100)
        nid = builder.full(segments, advise=0x20, word=2_100)
        # The long index keeps the upper half of the offset where the block of the tail would be.
        struct.pack_into("<I", builder.metadata, nid * 32 + 32 + 16 + 2 * 8 + 4, 0)
        return nid

    assert read(opened(with_packed(make))) == b"a" * 1_024 + PACKED[2_100:2_400]


def test_a_fragment_beyond_the_packed_inode_is_refused() -> None:
    with pytest.raises(FormatError):
        read(opened(with_packed(lambda b: b.in_packed(2_500, 600))))


def test_a_packed_inode_that_refers_to_itself_is_refused() -> None:
    image = with_packed(lambda b: b.in_packed(0, 600), packed=lambda b: b.in_packed(0, 600))
    with pytest.raises(FormatError, match="itself"):
        read(opened(image))


def test_a_fragment_without_a_packed_inode_is_refused() -> None:
    with pytest.raises(FormatError, match="packed inode"):
        read(only(lambda b: b.in_packed(0, 600)))


def test_a_damaged_packed_inode_is_refused_each_time() -> None:
    builder = ErofsBuilder()
    builder.packed = builder.full(SEGMENTS, size=1 << 40)
    system = opened(image_of(builder, {b"f": builder.in_packed(0, 9), b"g": builder.in_packed(9, 9)}))
    for name in ("f", "g", "f"):
        with pytest.raises(FormatError, match="outside the image"):
            read(system, name)


@pytest.mark.parametrize("width", [4, 8, 16, 32])
def test_extents_may_be_stated_one_by_one(width: int) -> None:
    builder = ErofsBuilder()
    first, second = lz4_run(b"a", 512), lz4_run(b"b", 700)
    place = builder.block(first + second) * 512
    lz4, partial = 1 << 28, 1 << 27
    # An extent of no stored bytes is a hole.
    extents = [(0, lz4 | len(first), place), (512, lz4 | partial | len(second), place + len(first)), (1_024, 0, 0)]
    nid = builder.encoded(extents, 1_324, width)
    assert read(opened(image_of(builder, {b"f": nid}))) == b"a" * 512 + b"b" * 512 + bytes(300)


def test_stated_extents_have_to_ascend() -> None:
    for starts in ((0, 600, 600), (0, 900, 600), (1, 2, 3), (0, 600, 5_000)):
        builder = ErofsBuilder()
        nid = builder.encoded([(start, 0, 0) for start in starts], 1_000, 16)
        with pytest.raises(FormatError):
            read(opened(image_of(builder, {b"f": nid})))


def test_inodes_may_lie_in_the_metadata_inode() -> None:
    inner = ErofsBuilder()
    nid = inner.inline(b"small")
    builder = ErofsBuilder()
    builder.metabox = builder.compact((packed_with(bytes(inner.metadata)),))
    system = opened(image_of(builder, {b"f": nid | 1 << 63}))
    assert read(system) == b"small"


def test_names_kinds_and_sizes_are_listed_in_order() -> None:
    builder = ErofsBuilder()
    names = [b"n" * 255, b"bad\xff\xfename", "名".encode(), b"z"]
    file = builder.inline(b"12345")
    entries = dict.fromkeys(names, (file, 1))
    entries[b"dir"] = (builder.directory({b"inner": (file, 1)}), 2)
    entries[b"link"] = (builder.inline(b"dir", SYMLINK), 7)
    entries[b"pipe"] = (builder.inode(FIFO, 0, 0, 0), 5)
    system = opened(builder.image(builder.directory(entries)))
    found = nodes(system)
    assert list(found) == sorted(found)
    assert {name.decode("utf-8", "surrogateescape") for name in entries} == set(found)
    assert (found["z"].kind, found["z"].size, found["z"].key) == (NodeKind.FILE, 5, file)
    assert found["z"].key == found["n" * 255].key
    assert (found["dir"].kind, found["link"].kind) == (NodeKind.DIRECTORY, NodeKind.LINK)
    assert found["pipe"].kind is NodeKind.OTHER
    assert (found["link"].size, found["dir"].size) == (0, 0)
    assert set(nodes(system, found["dir"])) == {"inner"}


@pytest.mark.parametrize("inline", [False, True])
def test_a_directory_of_many_blocks_is_listed_in_full(inline: bool) -> None:
    builder = ErofsBuilder()
    file = builder.inline(b"1")
    entries = {b"some name %d" % number: (file, 1) for number in range(500)}
    system = opened(builder.image(builder.directory(entries, inline=inline)))
    assert len(nodes(system)) == 500


def test_a_compressed_directory_is_listed() -> None:
    builder = ErofsBuilder()
    file = builder.inline(b"1")
    first = pad(directory_block([(b".", 0, 2), (b"..", 0, 2), (b"f", file, 1)]), 512)
    second = pad(directory_block([(b"g", file, 1)]), 512)
    root = builder.full((packed_with(first + second),))
    struct.pack_into("<H", builder.metadata, root * 32 + 4, DIRECTORY)
    system = opened(builder.image(root))
    assert read(system, "f") == read(system, "g") == b"1"


FAULTY = {
    "a name with a slash": [(b"..", 2), (b"a/b", 1), (b"ok", 1)],
    "a name twice": [(b"..", 2), (b"ok", 1), (b"ok", 1)],
    "no name": [(b"..", 2), (b"", 1), (b"ok", 1)],
    "a name with a NUL": [(b"..", 2), (b"a\0b", 1), (b"ok", 1)],
    "a name of 256 bytes": [(b"..", 2), (b"n" * 256, 1), (b"ok", 1)],
}


@pytest.mark.parametrize("case", FAULTY)
def test_an_entry_that_cannot_be_is_a_fault(case: str) -> None:
    builder = ErofsBuilder()
    file = builder.inline(b"1")
    block = directory_block([(name, file, kind) for name, kind in FAULTY[case]])
    system = opened(builder.image(builder.inline(block, DIRECTORY)))
    listing = system.list(system.root)
    assert [node.name for node in listing.nodes] == ["ok"]
    assert len(listing.faults) == 1


@pytest.mark.parametrize("first", [0, 11, 13, 400])
def test_a_damaged_block_of_a_directory_is_a_fault(first: int) -> None:
    builder = ErofsBuilder()
    file = builder.inline(b"1")
    good = directory_block([(b"ok", file, 1)])
    bad = bytearray(pad(directory_block([(b"lost", file, 1)]), 512)) if first < 400 else bytearray(512)
    struct.pack_into("<H", bad, 8, first)
    system = opened(builder.image(builder.flat(bytes(bad) + good, DIRECTORY)))
    listing = system.list(system.root)
    assert "ok" in [node.name for node in listing.nodes]
    assert listing.faults != ()


def test_an_endless_directory_of_nothing_is_given_up() -> None:
    builder = ErofsBuilder()
    hole = builder.inode(DIRECTORY, 1 << 60, 0, HOLE, extended=True)
    system = opened(builder.image(hole))
    listing = system.list(system.root)
    assert listing.nodes == ()
    assert any("not listed" in fault for fault in listing.faults)


def test_the_number_of_entries_is_bounded() -> None:
    builder = ErofsBuilder()
    file = builder.inline(b"1")
    image = image_of(builder, {b"name %d" % number: file for number in range(300)})
    system = parse_erofs(BlobSource(image), replace(DEFAULT, folder_entries=100))
    listing = system.list(system.root)
    assert 90 < len(listing.nodes) < 300
    assert "folder_entries" in listing.faults[-1]


def test_an_inode_outside_the_image_refuses_its_file() -> None:
    system = opened(image_of(ErofsBuilder(), {b"f": 1 << 40}))
    node = nodes(system)["f"]
    assert node.kind is NodeKind.FILE
    assert "outside the image" in node.refusal
    with pytest.raises(UnsupportedError, match="outside the image"):
        list(system.chunks(node))


def test_an_absurd_size_refuses_the_file() -> None:
    system = only(lambda b: b.inode(REGULAR, 4 << 60, 0, HOLE, extended=True))
    node = nodes(system)["f"]
    assert "file_size" in node.refusal
    with pytest.raises(UnsupportedError, match="file_size"):
        next(iter(system.chunks(node)))


def test_a_large_hole_is_read_in_pieces() -> None:
    system = only(lambda b: b.inode(REGULAR, 64 * GIB, 0, HOLE, extended=True))
    pieces = list(islice(system.chunks(nodes(system)["f"]), 3))
    assert [len(piece) for piece in pieces] == [MIB] * 3


def test_a_small_cluster_does_not_become_a_huge_extent() -> None:
    builder = ErofsBuilder()
    count = (13 * MIB) // 512
    table = struct.pack("<HHI", 1, 0, 3) + struct.pack("<HHHH", 2, 0, 1, 1) * (count - 1)
    nid = builder.inode(REGULAR, 13 * MIB, 1, 0, bytes(16) + table, align=8)
    with pytest.raises(LimitError, match="compressed extent"):
        read(opened(image_of(builder, {b"f": nid})))


BROKEN: dict[str, Callable[[ErofsBuilder], int]] = {
    "blocks beyond the image": lambda b: b.inode(REGULAR, 900, 0, 1 << 20),
    "an index beyond the image": lambda b: b.full(SEGMENTS, size=1 << 31),
    "chunks beyond the image": lambda b: b.inode(REGULAR, 1 << 31, 4, 0),
    "a tail beyond the image": lambda b: b.inode(REGULAR, 500, 2, HOLE, b""),
    "no first head": lambda b: b.inode(REGULAR, 900, 1, 0, bytes(16) + struct.pack("<HHHH", 2, 0, 1, 1) * 2, align=8),
    "a head outside its cluster": lambda b: b.inode(
        REGULAR, 900, 1, 0, bytes(16) + struct.pack("<HHI", 1, 512, 3) * 2, align=8
    ),
    "a plain extent longer than its block": lambda b: b.inode(
        REGULAR, 900, 1, 0, bytes(16) + struct.pack("<HHI", 0, 0, 3) + struct.pack("<HHHH", 2, 0, 1, 1), align=8
    ),
    "a layout that does not exist": lambda b: b.inode(REGULAR, 9, 6, 0),
    "a chunk format that does not exist": lambda b: b.inode(REGULAR, 9, 4, 0x80, bytes(64)),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_broken_is_refused(case: str) -> None:
    with pytest.raises(FormatError):
        read(only(BROKEN[case]))


def test_a_device_that_is_not_there_is_named() -> None:
    builder = ErofsBuilder()
    builder.devices = [(b"blob-one", 5_000, 100), (b"blob-two", 0, 100)]
    files = {
        b"a": builder.chunks([NOISE[:512]], 512, shift=0, indexes=True, device=2),
        b"b": builder.inode(REGULAR, 900, 0, 5_001),
        b"c": builder.flat(NOISE[:700]),
    }
    system = opened(image_of(builder, files))
    assert read(system, "c") == NOISE[:700]
    for name, tag in (("a", "blob-two"), ("b", "blob-one")):
        with pytest.raises(UnsupportedError, match=tag):
            read(system, name)
    assert system.remarks == (
        "Files may lie on 2 further devices of the EROFS image (blob-one, blob-two), which are not read.",
    )


def test_the_magic_tells_it() -> None:
    image = image_of(ErofsBuilder(), {})
    assert is_erofs(image[:2048])
    assert not is_erofs(image[:1024] + bytes(1024))
    assert not is_erofs(b"")


def test_a_feature_that_is_not_known_is_named() -> None:
    builder = ErofsBuilder()
    image = builder.image(builder.directory({}), features=0x40001)
    with pytest.raises(UnsupportedError, match="0x40000"):
        opened(image)


@pytest.mark.parametrize(("at", "value"), [(0, 0), (12, 3), (12, 40), (90, 4), (14, 0xFFFF)])
def test_a_superblock_that_cannot_be_is_refused(at: int, value: int) -> None:
    image = bytearray(image_of(ErofsBuilder(), {}))
    image[1024 + at] = value & 0xFF
    if at == 14:
        image[1024 + at + 1] = value >> 8
    with pytest.raises(FormatError):
        opened(bytes(image))


def test_a_root_that_is_a_file_is_refused() -> None:
    builder = ErofsBuilder()
    with pytest.raises(FormatError, match="no directory"):
        opened(builder.image(builder.inline(b"1")))


def test_a_root_of_a_long_number_is_found() -> None:
    builder = ErofsBuilder()
    builder.features |= 0x80
    root = builder.directory({b"f": (builder.inline(b"1"), 1)})
    assert read(opened(builder.image(root, blocks=0, long=True))) == b"1"


def test_a_file_is_not_listed_and_a_directory_not_read() -> None:
    system = only(lambda b: b.inline(b"1"))
    with pytest.raises(FormatError, match="no directory"):
        system.list(nodes(system)["f"])
    with pytest.raises(FormatError, match="no file"):
        list(system.chunks(system.root))


def test_an_image_that_is_cut_off_says_so() -> None:
    builder = ErofsBuilder()
    system = opened(image_of(builder, {b"f": builder.inline(b"1")}, blocks=900))
    assert read(system) == b"1"
    assert len(system.remarks) == 1
    assert system.remarks[0].endswith(f"of {900 * 512} bytes are there.")


class CountingSource:
    """Counts what is read."""

    def __init__(self, data: bytes) -> None:
        self._inner = BlobSource(data)
        self.size = len(data)
        self.read_bytes = 0

    def read(self, offset: int, size: int) -> bytes | memoryview:
        self.read_bytes += size
        return self._inner.read(offset, size)


def everything() -> bytes:
    builder = ErofsBuilder()
    builder.packed = builder.compact((run(b"p", 2_000), Segment(NOISE[:512])))
    files = {name.encode(): make(builder) for name, (make, _) in LAYOUTS.items()}
    files[b"fragment"] = builder.in_packed(100, 2_000)
    files[b"stated"] = builder.encoded([(0, 0, 0), (512, 0, 0)], 1_000, 16)
    inner = builder.directory({name: (nid, 1) for name, nid in files.items()})
    return builder.image(builder.directory({b"d": (inner, 2), b"e": (inner, 2)}))


def go_through(data: bytes) -> None:
    """Read all that can be read, as a caller who bounds depth and bytes does."""
    source = CountingSource(data)
    try:
        system = parse_erofs(source)
    except FormatError:
        return
    waiting = [(system.root, 0)]
    for node, depth in waiting:
        try:
            if node.kind is NodeKind.DIRECTORY and depth < 3:
                waiting += [(item, depth + 1) for item in system.list(node).nodes]
            elif node.kind is NodeKind.FILE:
                for number, piece in enumerate(system.chunks(node)):
                    assert len(piece) <= 12 * MIB
                    if number == 8:
                        break
        except FormatError:
            continue
    assert source.read_bytes < 60 * len(data) + 20 * MIB


def test_all_of_it_can_be_read_undamaged() -> None:
    system = opened(everything())
    files = nodes(system, nodes(system)["e"])
    assert len(files) == len(LAYOUTS) + 2
    for name, (_, expected) in LAYOUTS.items():
        assert b"".join(system.chunks(files[name])) == expected


def test_damage_is_read_or_refused() -> None:
    image = everything()
    for damaged in (*prefixes(image, 100), *mutations(image, 150)):
        go_through(damaged)


def test_damage_of_the_metadata_is_read_or_refused() -> None:
    image = everything()
    metadata = struct.unpack_from("<I", image, 1064)[0] * 512
    for damaged in mutations(image[metadata:], 400):
        go_through(image[:metadata] + damaged)
    for damaged in mutations(image[1024:1280], 150):
        go_through(image[:1024] + damaged + image[1280:])


# What would hide files without a word


def test_a_superblock_whose_checksum_is_wrong_is_a_remark() -> None:
    builder = ErofsBuilder()
    data = bytearray(image_of(builder, {b"f": builder.inline(b"1")}))
    assert opened(bytes(data)).remarks == ()
    data[1028] ^= 1
    assert "checksum" in opened(bytes(data)).remarks[0]
    # An image that says that it has no checksum is not asked for it.
    data[1032] = 0
    assert opened(bytes(data)).remarks == ()


@pytest.mark.parametrize("data", [b"", directory_block([(b".", 0, 2)])])
def test_a_directory_that_does_not_name_its_parent_was_not_listed_in_full(data: bytes) -> None:
    builder = ErofsBuilder()
    system = opened(builder.image(builder.inline(data, DIRECTORY)))
    (fault,) = system.list(system.root).faults
    assert "parent" in fault


@pytest.mark.parametrize(("kind", "expected"), [(0, NodeKind.FILE), (1, NodeKind.FILE), (2, NodeKind.DIRECTORY)])
def test_an_inode_without_a_type_is_what_its_entry_says_and_is_refused(kind: int, expected: NodeKind) -> None:
    builder = ErofsBuilder()
    root = builder.directory({b"f": (builder.inline(b"1", 0), kind)})
    (node,) = (system := opened(builder.image(root))).list(system.root).nodes
    assert (node.kind, node.refusal) == (expected, "its inode cannot be read: it has no type")


@pytest.mark.parametrize("mode", [0x41ED, 0xA1FF, 0x21A4, 0x3000])
def test_an_entry_that_says_another_thing_than_its_inode_is_a_fault(mode: int) -> None:
    builder = ErofsBuilder()
    root = builder.directory({b"base.apk": (builder.inline(b"1", mode), 1), b"ok": (builder.inline(b"1"), 1)})
    system = opened(builder.image(root))
    (fault,) = system.list(system.root).faults
    assert "base.apk" in fault
