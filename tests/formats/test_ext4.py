"""ext2, ext3 and ext4: every way a file may lie is read, damage is told, work is bounded."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from auditor.errors import FormatError, LimitError, UnsupportedError
from auditor.formats.ext4 import Ext4, is_ext4, parse_ext4
from auditor.formats.file_system import DirectoryListing, FileSystem, Node, NodeKind
from auditor.formats.source import BlobSource, check_range
from auditor.limits import DEFAULT, KIB, MIB
from tests.builders import ext4 as build
from tests.builders.ext4 import Ext4Image
from tests.builders.mangle import mutations, prefixes

CONTENT = bytes(range(1, 251)) * 20
UNWRITTEN = 32768


def open_image(image: Ext4Image | bytes) -> Ext4:
    return parse_ext4(BlobSource(image if isinstance(image, bytes) else image.build()))


def listed(system: FileSystem) -> dict[str, Node]:
    return {node.name: node for node in system.list(system.root).nodes}


def content(system: FileSystem, name: str) -> bytes:
    return b"".join(system.chunks(listed(system)[name]))


def one_file(make: Callable[[Ext4Image], int]) -> bytes:
    image = Ext4Image()
    image.add(b"f", make(image))
    return content(open_image(image), "f")


@dataclass(slots=True)
class CountingSource:
    """Bytes that know how many of them were asked for."""

    data: bytes = field(repr=False)
    count: int = 0

    @property
    def size(self) -> int:
        return len(self.data)

    def read(self, offset: int, size: int) -> bytes | memoryview:
        check_range(self, offset, size)
        self.count += size
        return memoryview(self.data)[offset : offset + size]


# What is recognised


@pytest.mark.parametrize("block_size", [1 * KIB, 2 * KIB, 4 * KIB, 64 * KIB])
def test_every_block_size_is_recognised_and_read(block_size: int) -> None:
    image = Ext4Image(block_size, blocks=40)
    image.add(b"f", image.file(CONTENT))
    data = image.build()
    assert is_ext4(data[:2048])
    assert content(open_image(data), "f") == CONTENT


@pytest.mark.parametrize(
    ("offset", "value"),
    [
        (1080, b"\x53\xee"),
        (1048, b"\x07"),
        (1100, b"\x02"),
        (1112, b"\x40\x00"),
        (1112, b"\x81\x00"),
        (1112, b"\x00\x08"),
        (1064, bytes(4)),
        (1056, bytes(4)),
        (1044, b"\x02"),
        (1028, bytes(4)),
    ],
)
def test_the_magic_number_alone_is_not_enough(offset: int, value: bytes) -> None:
    data = bytearray(Ext4Image().build())
    data[offset : offset + len(value)] = value
    assert not is_ext4(bytes(data[:2048]))
    with pytest.raises(FormatError):
        open_image(bytes(data))


@pytest.mark.parametrize("data", [b"", b"junk", bytes(4096)])
def test_other_bytes_are_no_file_system(data: bytes) -> None:
    assert not is_ext4(data)
    with pytest.raises(FormatError):
        open_image(data)


def test_the_first_revision_has_no_features_and_small_inodes() -> None:
    image = Ext4Image(features=0)
    image.inode_size = 128
    block = image.take(CONTENT)
    count = -(-len(CONTENT) // 1024)
    image.add(b"f", image.inode(build.FILE, len(CONTENT), struct.pack("<5I", *range(block, block + count))))
    image.inode(build.DIRECTORY, 1024, struct.pack("<I", image.take(build.entries(image.root, 1024))), number=2)
    struct.pack_into("<I", image.data, 1024 + 76, 0)
    struct.pack_into("<III", image.data, 1024 + 84, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
    assert is_ext4(bytes(image.data[:2048]))
    assert content(open_image(bytes(image.data)), "f") == CONTENT


@pytest.mark.parametrize(
    ("features", "words"),
    [(0x1 | 0x42, "not read: compression"), (0x100042, "0x100000"), (0x1000 | 0x80000042, "dirdata, 0x80000000")],
)
def test_features_that_are_not_known_are_named(features: int, words: str) -> None:
    data = Ext4Image(features=features).build()
    assert is_ext4(data[:2048])
    with pytest.raises(UnsupportedError, match=words):
        open_image(data)


def test_a_journal_is_recognised_and_refused() -> None:
    data = bytearray(Ext4Image(features=build.JOURNAL_DEVICE).build())
    struct.pack_into("<I", data, 1024 + 40, 0)
    assert is_ext4(bytes(data[:2048]))
    with pytest.raises(UnsupportedError, match="journal"):
        open_image(bytes(data))


# What the user should know of the whole


def test_a_clean_file_system_has_no_remarks() -> None:
    assert open_image(Ext4Image()).remarks == ()


def test_a_journal_that_was_not_replayed_is_a_remark() -> None:
    image = Ext4Image(features=0x42 | build.RECOVER)
    image.add(b"f", image.file(CONTENT))
    system = open_image(image)
    assert [remark for remark in system.remarks if "journal" in remark]
    assert content(system, "f") == CONTENT


@pytest.mark.parametrize("state", [0, 2, 3])
def test_a_file_system_that_was_in_use_or_faulty_is_a_remark(state: int) -> None:
    image = Ext4Image()
    struct.pack_into("<H", image.data, 1024 + 58, state)
    assert "in use or damaged" in open_image(image).remarks[0]


def test_an_image_that_is_cut_off_is_a_remark() -> None:
    image = Ext4Image()
    image.add(b"f", image.file(CONTENT))
    data = image.build()[: 200 * 1024]
    system = open_image(data)
    assert "204800 of 262144 bytes" in system.remarks[0]
    assert content(system, "f") == CONTENT


# How files lie


def test_extents_leave_holes_and_blocks_that_were_never_written_read_as_zeros() -> None:
    def make(image: Ext4Image) -> int:
        first = image.take(b"a" * 1024)
        last = image.take(b"b" * 2048)
        unwritten = image.take(b"old data".ljust(1024))
        leaves = (
            build.extent(1, 1, first),
            build.extent(3, UNWRITTEN + 1, unwritten),
            build.extent(5, 2, last),
        )
        return image.inode(build.FILE, 9000, build.node(*leaves), build.EXTENTS)

    wanted = bytes(1024) + b"a" * 1024 + bytes(3 * 1024) + b"b" * 2048
    assert one_file(make) == wanted.ljust(9000, b"\0")


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_extent_trees_of_every_depth_are_followed(depth: int) -> None:
    def make(image: Ext4Image) -> int:
        below = []
        for at in range(4):
            place = image.take(bytes([65 + at]) * 1024, gap=1)
            block = image.take(build.node(build.extent(at, 1, place)))
            for level in range(1, depth):
                block = image.take(build.node(build.index(at, block), depth=level))
            below.append(build.index(at, block))
        return image.inode(build.FILE, 4096, build.node(*below, depth=depth), build.EXTENTS)

    assert one_file(make) == b"".join(bytes([65 + at]) * 1024 for at in range(4))


def test_the_last_block_is_cut_to_the_size() -> None:
    assert one_file(lambda image: image.file(b"x" * 1500)) == b"x" * 1500


def test_extents_beyond_the_size_are_not_content() -> None:
    def make(image: Ext4Image) -> int:
        block = image.take(b"x" * 1024)
        leaves = build.node(build.extent(0, 1, block), build.extent(1, 1, 0xFFFFFF), build.extent(0, 1, block))
        return image.inode(build.FILE, 1000, leaves, build.EXTENTS)

    assert one_file(make) == b"x" * 1000


def test_one_block_may_serve_two_files_and_two_places() -> None:
    image = Ext4Image()
    block = image.take(b"s" * 1024)
    twice = build.node(build.extent(0, 1, block), build.extent(1, 1, block))
    image.add(b"a", image.inode(build.FILE, 2048, twice, build.EXTENTS))
    image.add(b"b", image.inode(build.FILE, 1024, build.node(build.extent(0, 1, block)), build.EXTENTS))
    system = open_image(image)
    assert (content(system, "a"), content(system, "b")) == (b"s" * 2048, b"s" * 1024)


def test_block_maps_are_followed_through_three_levels_with_holes_at_each() -> None:
    width = 256

    def make(image: Ext4Image) -> int:
        def put(letter: bytes) -> int:
            return image.take(letter * 1024)

        direct = [put(b"a"), put(b"b"), 0, put(b"c"), *([0] * 8)]
        single = image.words(0, put(b"d"), put(b"e"))
        double = image.words(0, image.words(put(b"f")))
        triple = image.words(image.words(0, image.words(0, put(b"g"))))
        return image.inode(build.FILE, 70_000_000, struct.pack("<15I", *direct, single, double, triple))

    found = one_file(make)
    wanted = bytearray(70_000_000)
    first, second = 12 + width, 12 + width + width * width
    places = {0: b"a", 1: b"b", 3: b"c", 13: b"d", 14: b"e", first + width: b"f", second + width + 1: b"g"}
    for place, letter in places.items():
        wanted[place * 1024 : (place + 1) * 1024] = letter * 1024
    assert found == wanted


def test_whole_levels_of_a_block_map_may_be_missing() -> None:
    assert one_file(lambda image: image.inode(build.FILE, 1_000_000)) == bytes(1_000_000)


def test_contiguous_content_comes_as_views_in_large_pieces() -> None:
    image = Ext4Image(4096, blocks=1600)
    data = bytes(5 * MIB)
    image.add(b"f", image.file(data))
    system = open_image(image)
    pieces = list(system.chunks(listed(system)["f"]))
    assert [len(piece) for piece in pieces] == [4 * MIB, 1 * MIB]
    assert all(isinstance(piece, memoryview) for piece in pieces)


def test_an_empty_file_is_empty() -> None:
    assert one_file(lambda image: image.inode(build.FILE, 0, build.node(), build.EXTENTS)) == b""


def test_wide_descriptors_and_addresses_are_read() -> None:
    image = Ext4Image(features=0x42 | build.WIDE)
    image.add(b"f", image.file(CONTENT))
    assert content(open_image(image), "f") == CONTENT
    struct.pack_into("<I", image.data, 2 * 1024 + 40, 1)
    with pytest.raises(FormatError):
        open_image(image)


@pytest.mark.parametrize("size", [0, 32, 63, 2048])
def test_wide_descriptors_of_another_size_are_refused(size: int) -> None:
    image = Ext4Image(features=0x42 | build.WIDE)
    struct.pack_into("<H", image.data, 1024 + 254, size)
    with pytest.raises(FormatError, match="group descriptors"):
        open_image(image)


@pytest.mark.parametrize("superblock_copy", [True, False])
def test_descriptors_may_lie_in_the_groups_they_describe(superblock_copy: bool) -> None:
    """With blocks of 1 KiB and 32 descriptors in one, the second meta group begins with group 32."""
    image = Ext4Image(features=0x42 | build.META_BG, blocks=600, inodes=33)
    struct.pack_into("<I", image.data, 1024 + 32, 16)
    struct.pack_into("<I", image.data, 1024 + 40, 1)
    struct.pack_into("<I", image.data, 1024 + 100, 0 if superblock_copy else 1)
    start = 1 + 32 * 16 + (1 if superblock_copy else 0)
    far, table = start + 1, 100
    for group in range(32):
        image.put_word(2 * 1024 + group * 32 + 8, table)
    image.put_word(start * 1024 + 8, far)
    image.table, image.next_block = table, 101
    # All inodes of the first meta group share one place: only the root's is asked for.
    image.inode(build.DIRECTORY, 1024, build.node(build.extent(0, 1, 110)), build.EXTENTS, number=1)
    image.put(110, build.entries([(b".", 2), (b"..", 2), (b"f", 33)], 1024))
    image.table = far
    image.put(112, CONTENT)
    image.inode(build.FILE, len(CONTENT), build.node(build.extent(0, 5, 112)), build.EXTENTS, number=1)
    assert content(open_image(bytes(image.data)), "f") == CONTENT


@pytest.mark.parametrize(
    ("group", "compat", "ro_compat", "expected"),
    [(32, 0, 1, 0), (27, 0, 1, 1), (25, 0, 1, 1), (49, 0, 1, 1), (1, 0, 1, 1), (45, 0, 1, 0), (32, 0x200, 1, 1)],
)
def test_which_groups_begin_with_a_superblock(group: int, compat: int, ro_compat: int, expected: int) -> None:
    """The descriptor of a group that is one meta group of its own lies behind the copy, where there is one."""
    image = Ext4Image(features=0x42 | build.META_BG | build.WIDE, blocks=700, inodes=64)
    struct.pack_into("<I", image.data, 1024 + 32, 8)
    struct.pack_into("<I", image.data, 1024 + 40, 1)
    struct.pack_into("<I", image.data, 1024 + 92, compat)
    struct.pack_into("<I", image.data, 1024 + 100, ro_compat)
    struct.pack_into("<H", image.data, 1024 + 254, 1024)
    struct.pack_into("<II", image.data, 1024 + 588, 1, 32)
    # The root, inode 2, lies in group 1; the file in the group that is asked for.
    for place, here in ((1, 1), (group, expected)):
        block = 1 + place * 8 + here
        image.put_word(block * 1024 + 8, block + 1)
    image.table = 1 + 8 + 1 + 1
    image.put(600, build.entries([(b".", 2), (b"..", 2), (b"f", group + 1)], 1024))
    image.inode(build.DIRECTORY, 1024, build.node(build.extent(0, 1, 600)), build.EXTENTS, number=1)
    if group != 1:
        image.table = 1 + group * 8 + expected + 1
        image.put(602, CONTENT)
        image.inode(build.FILE, len(CONTENT), build.node(build.extent(0, 5, 602)), build.EXTENTS, number=1)
        assert content(open_image(bytes(image.data)), "f") == CONTENT
    else:
        assert list(listed(open_image(bytes(image.data)))) == ["f"]


# Inline data


@pytest.mark.parametrize("size", [0, 1, 60])
def test_short_files_lie_in_their_inode(size: int) -> None:
    def make(image: Ext4Image) -> int:
        return image.inode(build.FILE, size, CONTENT[:size], build.INLINE, build.attributes(b""))

    assert one_file(make) == CONTENT[:size]


def test_longer_ones_go_on_in_an_attribute() -> None:
    def make(image: Ext4Image) -> int:
        return image.inode(build.FILE, 95, CONTENT[:60], build.INLINE, build.attributes(CONTENT[60:95]))

    assert one_file(make) == CONTENT[:95]


def test_the_attribute_may_lie_in_a_block() -> None:
    def make(image: Ext4Image) -> int:
        listed = struct.pack("<BBHIII", 4, 7, 512, 0, 100, 0) + b"data"
        block = image.take(struct.pack("<I", 0xEA020000).ljust(32, b"\0") + listed.ljust(480, b"\0") + CONTENT[60:160])
        return image.inode(build.FILE, 160, CONTENT[:60], build.INLINE, attribute_block=block)

    assert one_file(make) == CONTENT[:160]


def test_the_attribute_may_lie_in_an_inode_of_its_own() -> None:
    def make(image: Ext4Image) -> int:
        value = image.file(CONTENT[60:])
        held = build.attributes(CONTENT[60:], value_inode=value)
        return image.inode(build.FILE, len(CONTENT), CONTENT[:60], build.INLINE, held)

    assert one_file(make) == CONTENT


@pytest.mark.parametrize("flags", [build.INLINE, build.EXTENTS])
def test_such_an_inode_that_holds_less_or_leads_on_is_refused(flags: int) -> None:
    def make(image: Ext4Image) -> int:
        value = image.inode(build.FILE, 10 if flags == build.EXTENTS else 5000, CONTENT[:60], flags)
        held = build.attributes(CONTENT[60:], value_inode=value)
        return image.inode(build.FILE, len(CONTENT), CONTENT[:60], build.INLINE, held)

    with pytest.raises(FormatError, match="does not hold"):
        one_file(make)


@pytest.mark.parametrize(
    ("held", "words"),
    [
        (build.attributes(CONTENT[:30], name=b"dat2"), "holds 60 of its 95"),
        (build.attributes(CONTENT[:30], kind=1), "holds 60 of its 95"),
        (b"", "holds 60 of its 95"),
        (build.attributes(CONTENT[:200]), "beyond its inode"),
    ],
)
def test_inline_data_that_is_not_all_there_is_refused(held: bytes, words: str) -> None:
    with pytest.raises(FormatError, match=words):
        one_file(lambda image: image.inode(build.FILE, 95, CONTENT[:60], build.INLINE, held))


def test_a_block_of_attributes_without_its_magic_number_is_refused() -> None:
    def make(image: Ext4Image) -> int:
        return image.inode(build.FILE, 95, CONTENT[:60], build.INLINE, attribute_block=image.take(CONTENT))

    with pytest.raises(FormatError, match="block of attributes"):
        one_file(make)


def test_directories_lie_in_their_inode_in_two_parts() -> None:
    image = Ext4Image(features=0x42 | build.INLINE_FEATURE)
    inner = image.file(CONTENT)
    area = struct.pack("<I", 2) + build.entries([(b"one", inner), (b"two", inner)], 56)
    held = build.attributes(build.entries([(b"three", inner)], 40))
    image.add(b"d", image.inode(build.DIRECTORY, 100, area, build.INLINE, held))
    system = open_image(image)
    found = system.list(listed(system)["d"])
    assert [node.name for node in found.nodes] == ["one", "three", "two"]
    assert found.faults == ()


def test_damage_in_the_first_part_leaves_the_second() -> None:
    image = Ext4Image(features=0x42 | build.INLINE_FEATURE)
    inner = image.file(CONTENT)
    area = struct.pack("<I", 2) + build.entry(b"one", inner, 12) + build.entry(b"two", inner, 44, name_size=99)
    held = build.attributes(build.entries([(b"three", inner)], 40))
    image.add(b"d", image.inode(build.DIRECTORY, 100, area, build.INLINE, held))
    system = open_image(image)
    found = system.list(listed(system)["d"])
    assert [node.name for node in found.nodes] == ["one", "three"]
    assert "the first part of inode" in found.faults[0]


# Directories


def test_kinds_come_from_the_inodes() -> None:
    image = Ext4Image()
    image.add(b"file", image.file(CONTENT))
    image.add(b"directory", image.directory([(b".", 13), (b"..", 2)]))
    image.add(b"short link", image.inode(build.LINK, 4, b"file"))
    image.add(b"device", image.inode(build.DEVICE, 0, struct.pack("<I", 0x103)))
    found = listed(open_image(image))
    assert {name: (node.kind, node.size) for name, node in found.items()} == {
        "file": (NodeKind.FILE, len(CONTENT)),
        "directory": (NodeKind.DIRECTORY, 0),
        "short link": (NodeKind.LINK, 0),
        "device": (NodeKind.OTHER, 0),
    }
    assert all(node.refusal == "" for node in found.values())


def test_names_are_ascending_and_bytes_that_are_no_utf8_are_kept() -> None:
    image = Ext4Image()
    number = image.file(CONTENT)
    names = [b"z" * 255, b"\xff\xfe", "微信.apk".encode(), b"a b", b"~~q==", b"...", b"-", b"a\\b", b"a\n"]
    for name in names:
        image.add(name, number)
    found = open_image(image).list(open_image(image).root)
    decoded = sorted(name.decode("utf-8", "surrogateescape") for name in names)
    assert [node.name for node in found.nodes] == decoded
    assert {node.key for node in found.nodes} == {number}
    assert found.faults == ()


@pytest.mark.parametrize("name", [b"a/b", b"/", b"..", b".", b"a\0b"])
def test_names_that_no_file_can_have_are_faults(name: bytes) -> None:
    image = Ext4Image()
    number = image.add(b"good", image.file(CONTENT))
    image.add(name, number)
    image.add(b"more", number)
    system = open_image(image)
    found = system.list(system.root)
    assert [node.name for node in found.nodes] == ["good", "more"]
    assert "no file can have" in found.faults[0]
    assert found.faults[0].isascii()


def test_a_name_that_occurs_twice_is_listed_once_and_a_fault() -> None:
    image = Ext4Image()
    first = image.add(b"same", image.file(CONTENT))
    image.add(b"same", image.file(b"other"))
    system = open_image(image)
    found = system.list(system.root)
    assert [(node.name, node.key) for node in found.nodes] == [("same", first)]
    assert "there before: 'same'" in found.faults[0]


def test_unused_entries_hide_hash_trees_and_checksums() -> None:
    image = Ext4Image()
    number = image.file(CONTENT)
    root = build.entry(b".", 2, 12) + build.entry(b"..", 2, 1012)
    table = bytearray(root)
    table[24 : 24 + 40] = CONTENT[:40]
    tail = build.entries([(b"a", number), (b"b", number)], 1012) + build.entry(b"", 0, 12, kind=0xDE)
    inner = build.entry(b"", 0, 1024)
    blocks = image.take(bytes(table) + tail + inner)
    image.inode(build.DIRECTORY, 3072, build.node(build.extent(0, 3, blocks)), build.EXTENTS | 0x1000, number=2)
    system = open_image(bytes(image.data))
    found = system.list(system.root)
    assert ([node.name for node in found.nodes], found.faults) == (["a", "b"], ())


@pytest.mark.parametrize("size", [0, 4, 7, 10, 2000])
def test_a_damaged_block_is_named_and_the_others_are_listed(size: int) -> None:
    image = Ext4Image()
    number = image.file(CONTENT)
    damaged = bytearray(build.entry(b"lost", number, 1024))
    struct.pack_into("<H", damaged, 4, size)
    first = build.entries([(b".", 2), (b"..", 2), (b"a", number)], 1024)
    blocks = image.take(first + bytes(damaged) + build.entries([(b"c", number)], 1024))
    image.inode(build.DIRECTORY, 3072, build.node(build.extent(0, 3, blocks)), build.EXTENTS, number=2)
    system = open_image(bytes(image.data))
    found = system.list(system.root)
    assert [node.name for node in found.nodes] == ["a", "c"]
    assert found.faults == (f"block {blocks + 1} of the image is damaged: an entry of {size} bytes at 0",)


@pytest.mark.parametrize("name_size", [0, 17, 255])
def test_a_name_that_does_not_fit_is_a_fault(name_size: int) -> None:
    image = Ext4Image()
    number = image.file(CONTENT)
    block = build.entry(b"a", number, 12) + build.entry(b"b", number, 24, name_size=name_size)
    blocks = image.take(block + build.entry(b"c", number, 1024 - len(block)))
    image.inode(build.DIRECTORY, 1024, build.node(build.extent(0, 1, blocks)), build.EXTENTS, number=2)
    system = open_image(bytes(image.data))
    found = system.list(system.root)
    assert [node.name for node in found.nodes] == ["a"]
    assert f"a name of {name_size} bytes at 12" in found.faults[0]


def damaged_directory(leaves: Callable[[int], bytes], size: int, flags: int = build.EXTENTS) -> DirectoryListing:
    image = Ext4Image()
    number = image.file(CONTENT)
    block = image.take(build.entries([(b".", 2), (b"..", 2), (b"a", number)], 1024))
    image.inode(build.DIRECTORY, size, leaves(block), flags, number=2)
    system = open_image(bytes(image.data))
    return system.list(system.root)


@pytest.mark.parametrize(
    ("leaves", "size", "words"),
    [
        (lambda at: build.node(build.extent(0, 1, at)), 3072, "blocks from 1 of the directory are missing"),
        (lambda at: build.node(build.extent(1, 1, at)), 2048, "blocks before 2 of the directory are missing"),
        (lambda at: build.node(build.extent(0, 1, at), build.extent(1, 40000, at)), 2048, "blocks before 7233"),
        (lambda at: build.node(build.extent(0, 1, at), build.extent(1, 1, 99999)), 2048, "lie outside the image"),
        (lambda at: build.node(build.extent(0, 1, at), build.extent(0, 1, at)), 2048, "overlap"),
        (lambda at: build.node(build.extent(0, 1, at), build.extent(1, 0, at)), 2048, "empty extent"),
        (lambda at: build.node(build.extent(0, 1, at)), 0x7FFFFFFF, "bytes of the directory were read"),
    ],
)
def test_a_directory_with_blocks_missing_lists_the_rest(leaves: Callable[[int], bytes], size: int, words: str) -> None:
    found = damaged_directory(leaves, size)
    assert [node.name for node in found.nodes] == ["a"]
    assert any(words in fault for fault in found.faults)


def test_a_directory_whose_tree_cannot_be_read_has_a_fault() -> None:
    found = damaged_directory(lambda at: build.node(magic=0xF30B), 1024)
    assert found.nodes == ()
    assert "damaged extent tree" in found.faults[0]


def test_only_some_faults_are_kept_and_the_rest_is_counted() -> None:
    image = Ext4Image()
    number = image.add(b"same", image.file(CONTENT))
    for _ in range(30):
        image.add(b"same", number)
    system = open_image(image)
    faults = system.list(system.root).faults
    assert (len(faults), faults[-1]) == (21, "10 more faults")


@pytest.mark.parametrize(("number", "words"), [(65, "inode 65 where there are 64"), (0xFFFFFFFF, "where there are 64")])
def test_an_entry_whose_inode_cannot_be_read_stays_listed_with_the_reason(number: int, words: str) -> None:
    image = Ext4Image()
    image.add(b"gone", number)
    system = open_image(image)
    found = listed(system)["gone"]
    assert found.kind is NodeKind.FILE
    assert words in found.refusal
    with pytest.raises(FormatError, match=words):
        list(system.chunks(found))


def test_an_entry_of_an_inode_that_is_not_in_use_says_so() -> None:
    image = Ext4Image()
    image.add(b"gone", 40)
    assert "not in use" in listed(open_image(image))["gone"].refusal


def test_large_directories_have_their_own_bound() -> None:
    image = Ext4Image()
    image.add(b"f", image.file(CONTENT))
    blocks = image.take(build.entries(image.root, 1024) + build.entries([(b"far", 12)], 1024))
    image.inode(build.DIRECTORY, 2048, build.node(build.extent(0, 2, blocks)), build.EXTENTS, number=2)
    system = parse_ext4(BlobSource(bytes(image.data)), replace(DEFAULT, directory_size=1024))
    found = system.list(system.root)
    assert [node.name for node in found.nodes] == ["f"]
    assert found.faults == ("only 1024 of 2048 bytes of the directory were read",)


def test_the_upper_half_of_a_directory_size_counts_only_with_large_directories() -> None:
    for features, faults in ((0x42, 0), (0x42 | build.LARGEDIR, 2)):
        image = Ext4Image(features=features)
        block = image.take(build.entries(image.root, 1024))
        image.inode(build.DIRECTORY, 1024 | 1 << 32, build.node(build.extent(0, 1, block)), build.EXTENTS, number=2)
        system = open_image(bytes(image.data))
        assert len(system.list(system.root).faults) == faults


def test_a_file_cannot_be_listed_and_a_directory_not_be_read() -> None:
    image = Ext4Image()
    image.add(b"f", image.file(CONTENT))
    system = open_image(image)
    with pytest.raises(FormatError, match="no directory"):
        system.list(listed(system)["f"])
    with pytest.raises(FormatError, match="no file"):
        list(system.chunks(system.root))


def test_an_image_whose_root_is_a_file_is_refused() -> None:
    image = Ext4Image()
    image.inode(build.FILE, 0, number=2)
    with pytest.raises(FormatError, match="root"):
        open_image(bytes(image.data))


# Encryption


def test_encrypted_files_and_directories_are_listed_and_refused() -> None:
    image = Ext4Image(features=0x42 | 0x10000)
    inner = image.file(CONTENT, flags=build.ENCRYPTED)
    items = [(b".", 13), (b"..", 2), (b"\x80/\x00\xff" * 4, inner), (b"plain text by chance", inner)]
    image.add(b"data", image.directory(items, flags=build.ENCRYPTED))
    image.add(b"open", image.file(CONTENT))
    system = open_image(image)
    found = listed(system)
    assert found["open"].refusal == ""
    assert found["data"].refusal == "encrypted (file-based encryption)"
    listing = system.list(found["data"])
    assert [node.name for node in listing.nodes] == ["plain text by chance", "\udc80%2F%00\udcff" * 4]
    assert {node.refusal for node in listing.nodes} == {"encrypted (file-based encryption)"}
    assert listing.faults == ("the names in this directory are encrypted (file-based encryption)",)
    with pytest.raises(UnsupportedError, match="encrypted"):
        list(system.chunks(listing.nodes[0]))


# Loops, lies and damage


def test_a_tree_that_leads_back_into_itself_is_refused() -> None:
    def make(image: Ext4Image) -> int:
        block = image.next_block
        image.take(build.node(build.index(0, block), depth=1))
        return image.inode(build.FILE, 5000, build.node(build.index(0, block), depth=1), build.EXTENTS)

    with pytest.raises(FormatError, match="damaged extent tree"):
        one_file(make)


def test_a_tree_that_uses_one_node_twice_is_refused() -> None:
    def make(image: Ext4Image) -> int:
        leaf = image.take(build.node(build.extent(0, 1, image.next_block + 1)))
        image.take(b"x" * 1024)
        twice = build.node(build.index(0, leaf), build.index(1, leaf), depth=1)
        return image.inode(build.FILE, 5000, twice, build.EXTENTS)

    with pytest.raises(FormatError, match="twice"):
        one_file(make)


@pytest.mark.parametrize(
    "area",
    [
        build.node(depth=6),
        build.node(count=5),
        build.node(magic=0),
        build.node(build.extent(0, 1, 1)),
        build.node(build.extent(0, 1, 0)),
        build.node(build.extent(0, 5, 254)),
        build.node(build.extent(0, 5, 1 << 47)),
        build.node(build.extent(0, 2, 60), build.extent(1, 2, 70)),
        build.node(build.extent(2, 1, 60), build.extent(0, 1, 70)),
        build.node(build.index(0, 1 << 40), depth=1),
    ],
)
def test_damaged_extents_are_refused(area: bytes) -> None:
    with pytest.raises(FormatError):
        one_file(lambda image: image.inode(build.FILE, 5000, area, build.EXTENTS))


@pytest.mark.parametrize("level", [12, 13, 14])
def test_a_block_map_that_leads_back_into_itself_is_refused(level: int) -> None:
    def make(image: Ext4Image) -> int:
        block = image.next_block
        image.words(*([block] * 256))
        pointers = [0] * 15
        pointers[level] = block
        if level == 12:
            pointers[13] = block
        return image.inode(build.FILE, 70_000_000, struct.pack("<15I", *pointers))

    with pytest.raises(FormatError, match="twice"):
        one_file(make)


def test_pointers_out_of_the_image_are_refused() -> None:
    with pytest.raises(FormatError):
        one_file(lambda image: image.inode(build.FILE, 5000, struct.pack("<15I", *([99999] * 15))))


def test_a_file_far_larger_than_its_image_is_refused_before_any_byte() -> None:
    image = Ext4Image()
    image.add(b"f", image.inode(build.FILE, 1 << 40, build.node(), build.EXTENTS))
    system = parse_ext4(BlobSource(image.build()), replace(DEFAULT, member_size=1 * MIB))
    with pytest.raises(LimitError, match="1099511627776 bytes in an image of 262144"):
        next(iter(system.chunks(listed(system)["f"])))


def test_a_sparse_file_may_be_larger_than_its_image() -> None:
    assert one_file(lambda image: image.inode(build.FILE, 9 * MIB, build.node(), build.EXTENTS)) == bytes(9 * MIB)


def test_a_group_without_an_inode_table_is_refused() -> None:
    image = Ext4Image()
    image.put_word(2 * 1024 + 8, 0)
    with pytest.raises(FormatError, match="no inode table"):
        open_image(image)


def sample() -> bytes:
    """An image of 64 KiB with every structure in it."""
    image = Ext4Image(blocks=64, inodes=32, features=0x42 | build.INLINE_FEATURE)
    deep = image.take(build.node(build.extent(0, 1, image.next_block + 1)))
    image.take(b"x" * 1024)
    image.add(b"tree", image.inode(build.FILE, 1000, build.node(build.index(0, deep), depth=1), build.EXTENTS))
    single = image.words(image.take(b"y" * 1024))
    area = struct.pack("<15I", *([0] * 12), single, image.words(single + 1), 0)
    image.add(b"map", image.inode(build.FILE, 14 * 1024, area))
    image.add(b"inline", image.inode(build.FILE, 95, CONTENT[:60], build.INLINE, build.attributes(CONTENT[60:95])))
    inner = image.file(CONTENT)
    area = struct.pack("<I", 2) + build.entries([(b"one", inner), (b"two", inner)], 56)
    image.add(b"short", image.inode(build.DIRECTORY, 60, area, build.INLINE, build.attributes(b"")))
    image.add(b"secret", image.directory([(b".", 2), (b"..", 2), (b"\x80", inner)], flags=build.ENCRYPTED))
    return image.build()


def read_all(source: CountingSource) -> int:
    """Bytes that a whole walk yields, faults and refusals passed over."""
    system = parse_ext4(source, replace(DEFAULT, member_size=1 * MIB))
    total = 0
    pending, seen = [system.root], set()
    while pending:
        directory = pending.pop()
        if directory.key in seen:
            continue
        seen.add(directory.key)
        try:
            nodes = system.list(directory).nodes
        except FormatError:
            continue
        for node in nodes:
            assert node.name not in ("", ".", "..")
            assert not {"/", "\0"} & set(node.name)
            if node.kind is NodeKind.DIRECTORY:
                pending.append(node)
            elif node.kind is NodeKind.FILE:
                try:
                    total += sum(map(len, system.chunks(node)))
                except FormatError:
                    continue
    return total


def test_the_sample_is_read_whole() -> None:
    source = CountingSource(sample())
    assert read_all(source) == 1000 + 14 * 1024 + 95 + 3 * len(CONTENT)
    assert source.count < 40 * KIB


def test_every_prefix_is_read_or_refused() -> None:
    for damaged in prefixes(sample(), 200):
        try:
            read_all(CountingSource(damaged))
        except FormatError:
            continue


def test_flipped_bits_are_read_or_refused_within_bounds() -> None:
    data = sample()
    # The structures are in the first half; what follows is mostly content.
    for damaged in mutations(data[: 32 * KIB], 800):
        source = CountingSource(damaged + data[32 * KIB :])
        try:
            total = read_all(source)
        except FormatError:
            continue
        assert source.count <= 16 * len(data)
        assert total <= 8 * (len(data) + MIB)


# What would hide files without a word


def sealed() -> tuple[Ext4Image, bytes]:
    image = Ext4Image(sealed=True)
    image.add(b"app", image.directory([(b".", 12), (b"..", 2), (b"base.apk", image.file(b"PK"))]))
    image.add(b"f", image.file(CONTENT))
    return image, image.build()


def words_of(data: bytes) -> list[str]:
    """All that is said of an image and of its directories."""
    system = open_image(data)
    words = list(system.remarks)
    folders = [system.root]
    for folder in folders:
        listing = system.list(folder)
        words += listing.faults
        folders += [node for node in listing.nodes if node.kind is NodeKind.DIRECTORY and len(folders) < 9]
    return words


def said_of(data: bytes) -> list[str]:
    """As ``words_of``, with why an image is refused."""
    try:
        return words_of(data)
    except FormatError as error:
        return [str(error)]


def test_an_image_whose_checksums_are_right_is_without_faults() -> None:
    assert words_of(sealed()[1]) == []


def test_whatever_is_changed_in_inodes_and_directories_shows_in_their_checksums() -> None:
    image, data = sealed()
    inodes = [(image.table * 1024 + (number - 1) * 256, 256) for number in (2, 12, 13, 14)]
    blocks = [((image.next_block - 1) * 1024, 1024)]
    dice = random.Random(5)
    for start, size in [*inodes, *blocks]:
        for _ in range(40):
            damaged = bytearray(data)
            damaged[start + dice.randrange(size)] ^= 1 << dice.randrange(8)
            assert said_of(bytes(damaged)) != []


@pytest.mark.parametrize("offset", [4, 120, 700, 1020])
def test_a_superblock_whose_checksum_is_wrong_is_a_remark(offset: int) -> None:
    data = bytearray(sealed()[1])
    data[1024 + offset] ^= 0x40
    assert any("checksum of the superblock" in words for words in words_of(bytes(data)))


@pytest.mark.parametrize(("kind", "expected"), [(0, NodeKind.FILE), (1, NodeKind.FILE), (2, NodeKind.DIRECTORY)])
def test_an_inode_that_was_wiped_is_what_its_entry_says_and_is_refused(kind: int, expected: NodeKind) -> None:
    image = Ext4Image()
    block = image.take(build.entries([(b".", 2), (b"..", 2), (b"base.apk", image.inode(0, 0))], 1024, (2, 2, kind)))
    data = bytearray(image.build())
    struct.pack_into("<I", data, image.table * 1024 + 256 + 40 + 20, block)
    (node,) = listed(open_image(bytes(data))).values()
    assert (node.kind, node.refusal) == (expected, "damaged: its inode is not in use")


@pytest.mark.parametrize("mode", [build.LINK, build.DEVICE, build.DIRECTORY, 0x3000])
def test_an_entry_that_says_another_thing_than_its_inode_is_a_fault(mode: int) -> None:
    image = Ext4Image()
    items = [(b".", 2), (b"..", 2), (b"base.apk", image.inode(mode, 0)), (b"ok", image.file(b"1"))]
    block = image.take(build.entries(items, 1024, (2, 2, 1, 1)))
    data = bytearray(image.build())
    struct.pack_into("<I", data, image.table * 1024 + 256 + 40 + 20, block)
    system = open_image(bytes(data))
    (fault,) = system.list(system.root).faults
    assert "'base.apk' is stated to be another thing" in fault


@pytest.mark.parametrize("size", [0, 1000, 1024, 3000])
def test_a_directory_that_states_less_than_it_has_is_a_fault(size: int) -> None:
    image = Ext4Image()
    block = image.take(build.entries([(b".", 12), (b"..", 2)], 1024) + build.entries([(b"a.apk", 2)], 1024))
    image.add(b"d", image.inode(build.DIRECTORY, size, build.node(build.extent(0, 2, block)), build.EXTENTS))
    system = open_image(image)
    assert any("entries may be missing" in fault for fault in system.list(listed(system)["d"]).faults)


def test_a_directory_of_the_second_revision_that_states_less_than_it_has_is_a_fault() -> None:
    image = Ext4Image(features=build.FILETYPE)
    block = image.take(build.entries([(b".", 12), (b"..", 2)], 1024) + build.entries([(b"a.apk", 2)], 1024))
    image.add(b"d", image.inode(build.DIRECTORY, 1024, struct.pack("<II", block, block + 1)))
    system = open_image(image)
    assert any("entries may be missing" in fault for fault in system.list(listed(system)["d"]).faults)


@pytest.mark.parametrize(
    ("flags", "length", "faults"), [(0, 2, 1), (0x100000, 2, 0), (build.ENCRYPTED, 2, 0), (0, UNWRITTEN + 2, 0)]
)
def test_content_behind_the_end_of_a_file_is_told_where_it_is_neither_hashes_nor_room(
    flags: int, length: int, faults: int
) -> None:
    image = Ext4Image()
    block = image.take(CONTENT)
    tree = build.node(build.extent(0, length, block))
    image.add(b"f", image.inode(build.FILE, 100, tree, build.EXTENTS | flags))
    system = open_image(image)
    assert len(system.list(system.root).faults) == faults


def test_the_end_of_a_directory_block_that_no_entry_covers_is_a_fault() -> None:
    image = Ext4Image()
    block = image.take((build.entry(b".", 12, 12) + build.entry(b"..", 2, 1008)).ljust(1024, b"\1"))
    image.add(b"d", image.inode(build.DIRECTORY, 1024, build.node(build.extent(0, 1, block)), build.EXTENTS))
    system = open_image(image)
    assert "4 bytes at its end" in system.list(listed(system)["d"]).faults[0]
