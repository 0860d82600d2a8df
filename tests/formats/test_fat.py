"""FAT12, FAT16, FAT32 and exFAT: names, chains, and what damage leaves of them."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest

from auditor.errors import FormatError, LimitError
from auditor.formats.fat import Fat, is_fat, parse_fat
from auditor.formats.file_system import DirectoryListing, NodeKind
from auditor.formats.source import BlobSource
from auditor.limits import DEFAULT, MIB
from tests.builders import fat as build
from tests.builders.fat import FatImage
from tests.builders.mangle import mutations, prefixes

CONTENT = bytes(range(250)) * 8


def image_of(bits: int) -> FatImage:
    return FatImage(bits, clusters=5000 if bits == 16 else 200)


def open_volume(image: FatImage | bytes) -> Fat:
    return parse_fat(BlobSource(image if isinstance(image, bytes) else image.build()))


def root_of(image: FatImage) -> DirectoryListing:
    system = open_volume(image)
    return system.list(system.root)


def content(image: FatImage) -> bytes:
    system = open_volume(image)
    return b"".join(system.chunks(system.list(system.root).nodes[0]))


@pytest.mark.parametrize("bits", [12, 16, 32])
def test_files_in_pieces_and_folders_are_read(bits: int) -> None:
    image = image_of(bits)
    image.link(7, 5, 6, 9)
    for at, cluster in enumerate((7, 5, 6, 9)):
        image.put(cluster, CONTENT[at * 512 : at * 512 + 512])
    image.link(10)
    image.put(10, build.short(b".", 10, 0, 0x10) + build.short(b"..", 0, 0, 0x10) + build.short(b"EMPTY", 0))
    image.root = build.short(b"FOLDER", 10, 0, 0x10) + build.short(b"APP     APK", 7, len(CONTENT))
    data = image.build()
    assert is_fat(data[:512])
    system = open_volume(data)
    assert (system.volume.name, system.remarks) == (f"FAT{bits}", ())
    app, folder = system.list(system.root).nodes
    assert (app.name, app.kind, app.size) == ("APP.APK", NodeKind.FILE, len(CONTENT))
    assert b"".join(system.chunks(app)) == CONTENT
    (empty,) = system.list(folder).nodes
    assert (empty.name, empty.size, b"".join(system.chunks(empty))) == ("EMPTY", 0, b"")
    with pytest.raises(FormatError):
        system.list(app)
    with pytest.raises(FormatError):
        list(system.chunks(folder))


@pytest.mark.parametrize(
    ("records", "names"),
    [
        (build.short(b"README  TXT", 0, case=0x18), ["readme.txt"]),
        (build.short(b"README  TXT", 0, case=0x08), ["readme.TXT"]),
        (build.short(b"\x05BC", 0), ["\u03c3BC"]),
        (build.short(b"CARD", 0, attributes=0x08), []),
        (build.short(b"\xe5GONE", 0), []),
        (build.short(b"A", 0) + bytes(32) + b"\x01what was there before\0\0\0\0\0\0\0\0\0\0", ["A"]),
        (build.long("微信 app.apk", b"APP~1   APK") + build.short(b"APP~1   APK", 0), ["微信 app.apk"]),
        (build.long("n" * 255, b"N~1") + build.short(b"N~1", 0), ["n" * 255]),
        (build.long("x" * 13, b"X~1") + build.short(b"X~1", 0), ["x" * 13]),
        (build.long("other", b"O~1", sum_=1) + build.short(b"O~1", 0), ["O~1"]),
        (build.long("y" * 20, b"Y~1")[32:] + build.short(b"Y~1", 0), ["Y~1"]),
        (build.long("old", b"OLD~1") + build.short(b"\xe5LD~1", 0) + build.short(b"NEW", 0), ["NEW"]),
    ],
)
def test_names_long_and_short(records: bytes, names: list[str]) -> None:
    image = FatImage(12)
    image.root = records
    found = root_of(image)
    assert ([node.name for node in found.nodes], found.faults) == (names, ())


@pytest.mark.parametrize(
    ("records", "words"),
    [
        (build.short(b"A", 0) * 2, "there before: 'A'"),
        (build.short(b"A", 0) + build.long("a/b", b"AB") + build.short(b"AB", 0), "no file can have: 'a/b'"),
        (build.short(b"A", 0) + build.short(b"", 0), "no file can have: ''"),
        (build.short(b"A", 0) + build.short(b"..", 0), "no file can have: '..'"),
    ],
)
def test_names_that_cannot_be_are_faults(records: bytes, words: str) -> None:
    image = FatImage(12)
    image.root = records
    found = root_of(image)
    assert [node.name for node in found.nodes] == ["A"]
    assert words in found.faults[0]


def test_exfat_reads_chains_and_clusters_without_one() -> None:
    image = FatImage(32, exfat=True)
    image.put(5, CONTENT)
    image.link(20, 22)
    image.put(20, CONTENT[:512])
    image.put(22, CONTENT[512:1024])
    image.put(30, build.exfat_set("inner", 0, 0))
    image.root = (
        struct.pack("<B31x", 0x83)
        + build.exfat_set("a name longer than fifteen.apk", 5, len(CONTENT))
        + build.exfat_set("b", 20, 1000, adjacent=False)
        + build.exfat_set("c", 5, 1000, valid=100)
        + build.exfat_set("folder", 30, 512, folder=True)
        + struct.pack("<B31x", 0x05)
    )
    image.link(2, 3)
    data = image.build()
    assert is_fat(data[:512])
    system = open_volume(data)
    nodes = {node.name: node for node in system.list(system.root).nodes}
    assert b"".join(system.chunks(nodes["a name longer than fifteen.apk"])) == CONTENT
    assert b"".join(system.chunks(nodes["b"])) == CONTENT[:1000]
    assert b"".join(system.chunks(nodes["c"])) == CONTENT[:100] + bytes(900)
    assert [node.name for node in system.list(nodes["folder"]).nodes] == ["inner"]


def test_an_exfat_entry_whose_rest_is_missing_is_a_fault() -> None:
    whole = build.exfat_set("gone", 5, 10)
    for damaged in (whole[:64], whole[:32] + whole[64:], whole[:32]):
        image = FatImage(32, exfat=True)
        image.root = damaged + build.exfat_set("here", 5, 10)
        found = root_of(image)
        assert "here" in [node.name for node in found.nodes]
        assert found.faults


def test_an_exfat_volume_in_use_is_a_remark() -> None:
    image = FatImage(32, exfat=True)
    struct.pack_into("<H", image.data, 106, 2)
    assert "in use" in open_volume(image).remarks[0]


def test_an_image_that_is_cut_off_is_a_remark() -> None:
    image = FatImage(12)
    image.root = build.short(b"FAR", 190, 100)
    image.link(190)
    system = open_volume(image.build()[:50_000])
    assert "cut off" in system.remarks[0]
    with pytest.raises(FormatError):
        list(system.chunks(system.list(system.root).nodes[0]))


@pytest.mark.parametrize(
    ("chain", "end", "words"),
    [
        ((5, 6), None, "bytes early"),
        ((5, 6), 5, "returns to itself"),
        ((5,), 5000, "cluster 5000"),
        ((5,), 0, "cluster 0"),
    ],
)
def test_chains_that_are_short_round_or_lead_out_are_refused(
    chain: tuple[int, ...], end: int | None, words: str
) -> None:
    image = FatImage(16, clusters=4200)
    image.link(*chain, end=end)
    image.root = build.short(b"F", 5, 100_000)
    with pytest.raises(FormatError, match=words):
        content(image)


def test_a_folder_that_goes_round_has_a_fault() -> None:
    image = FatImage(32)
    image.link(2, 3, end=2)
    image.root = build.short(b"A", 0) * 16
    image.put(3, build.short(b"B", 0) * 16)
    found = root_of(image)
    assert [node.name for node in found.nodes] == ["A", "B"]
    assert len(found.faults) == 21


def test_sizes_are_bounded() -> None:
    image = FatImage(32, exfat=True)
    image.root = build.exfat_set("f", 5, 1 << 50)
    system = open_volume(image)
    with pytest.raises(LimitError):
        next(iter(system.chunks(system.list(system.root).nodes[0])))
    image = FatImage(12)
    image.root = build.short(b"A", 0) + build.short(b"B", 0)
    system = parse_fat(BlobSource(image.build()), replace(DEFAULT, directory_size=32))
    found = system.list(system.root)
    assert [node.name for node in found.nodes] == ["A"]
    assert "only 32 bytes" in found.faults[0]


@pytest.mark.parametrize(
    ("offset", "value"),
    [
        (510, b"\x55\xab"),
        (0, b"\x00"),
        (11, b"\x00\x01"),
        (13, b"\x03"),
        (13, b"\x00"),
        (14, bytes(2)),
        (16, b"\x00"),
        (21, b"\x00"),
    ],
)
def test_other_boot_sectors_are_no_volumes(offset: int, value: bytes) -> None:
    data = bytearray(FatImage(12).build())
    data[offset : offset + len(value)] = value
    assert not is_fat(bytes(data[:512]))
    with pytest.raises(FormatError):
        open_volume(bytes(data))


@pytest.mark.parametrize("data", [b"", bytes(512), b"\xeb\x52\x90NTFS    ".ljust(510, b"\0") + b"\x55\xaa"])
def test_other_bytes_are_no_volume(data: bytes) -> None:
    assert not is_fat(data)
    with pytest.raises(FormatError):
        open_volume(data)


def samples() -> list[bytes]:
    found = []
    for exfat in (False, True):
        image = FatImage(32 if exfat else 12, clusters=60, exfat=exfat)
        image.link(7, 5, 6, 9)
        image.link(10)
        if exfat:
            image.root = build.exfat_set("app.apk", 7, 2000, adjacent=False) + build.exfat_set(
                "d", 10, 512, folder=True
            )
            image.put(10, build.exfat_set("inner", 20, 100))
        else:
            image.root = (
                build.long("an app.apk", b"A~1") + build.short(b"A~1", 7, 2000) + build.short(b"D", 10, 0, 0x10)
            )
            image.put(10, build.short(b"INNER", 5, 700))
        found.append(image.build())
    return found


def read_all(data: bytes) -> int:
    system = parse_fat(BlobSource(data), replace(DEFAULT, member_size=MIB))
    total, seen, pending = 0, set(), [system.root]
    while pending:
        folder = pending.pop()
        if folder.key in seen:
            continue
        seen.add(folder.key)
        for node in system.list(folder).nodes:
            if node.kind is NodeKind.DIRECTORY:
                pending.append(node)
                continue
            try:
                total += sum(map(len, system.chunks(node)))
            except FormatError:
                continue
    return total


def test_damage_is_read_or_refused_within_bounds() -> None:
    for data in samples():
        assert read_all(data) >= 2100
        for damaged in (
            *prefixes(data, 100),
            *mutations(data, 200),
            *(item + data[4096:] for item in mutations(data[:4096], 400)),
        ):
            try:
                assert read_all(damaged) <= 40 * MIB
            except FormatError:
                continue


# What would hide files without a word


@pytest.mark.parametrize("bits", [12, 16, 32])
def test_what_stands_behind_the_end_of_a_directory_is_listed_as_android_does(bits: int) -> None:
    image = image_of(bits)
    hidden = build.long("hidden app.apk", b"HIDDEN~1APK") + build.short(b"HIDDEN~1APK", 9, 4)
    image.link(9)
    image.put(9, b"PK\3\4")
    image.root = build.short(b"A", 0) + bytes(64) + hidden
    system = open_volume(image)
    listing = system.list(system.root)
    assert [node.name for node in listing.nodes] == ["A", "hidden app.apk"]
    assert b"".join(system.chunks(listing.nodes[1])) == b"PK\3\4"
    (fault,) = listing.faults
    assert "stands behind the end of its directory: 'hidden app.apk'" in fault


@pytest.mark.parametrize("attributes", [0x08, 0x28, 0x0F, 0x2F])
def test_a_label_that_has_content_is_listed_as_a_file(attributes: int) -> None:
    image = FatImage(16)
    image.root = build.short(b"BASE    APK", 5, 4, attributes)
    (node,) = (found := root_of(image)).nodes
    assert (node.name, len(found.faults)) == ("BASE.APK", 1)
    assert "label of the volume" in found.faults[0]


@pytest.mark.parametrize("bits", [12, 16, 32])
def test_two_fats_that_differ_are_a_remark(bits: int) -> None:
    image = image_of(bits)
    image.mirror()
    assert open_volume(image).remarks == ()
    image.data[(image.fat_start + image.fat_sectors) * 512 + 9] ^= 1
    assert open_volume(image).remarks == ("The two FATs of the volume differ: files may be missing or wrong.",)


def test_the_fat_in_use_is_followed_where_the_other_is_not_kept() -> None:
    image = FatImage(32)
    image.link(7)
    image.mirror()
    image.data[40] = 0x81
    stale = image.fat_start * 512
    image.data[stale + 8 : stale + 128] = bytes(120)
    image.put(7, b"PK\3\4")
    image.root = build.short(b"APP     APK", 7, 4)
    assert content(image) == b"PK\3\4"
    assert open_volume(image).remarks == ()


@pytest.mark.parametrize(("bits", "at", "value"), [(16, 37, 1), (32, 65, 1), (16, 512 + 3, 0x7F), (32, 512 + 7, 0x07)])
def test_a_volume_that_says_it_was_in_use_has_a_remark(bits: int, at: int, value: int) -> None:
    image = image_of(bits)
    image.data[at] = value
    assert "was in use" in open_volume(image).remarks[0]


@pytest.mark.parametrize("exfat", [False, True])
def test_a_file_of_no_bytes_that_has_content_is_a_fault(exfat: bool) -> None:
    image = FatImage(32, exfat=exfat)
    image.root = build.exfat_set("a", 5, 0) if exfat else build.short(b"A", 5)
    assert "states no bytes" in root_of(image).faults[0]


DAMAGED_SETS = {
    "deleted but for what follows": lambda whole: b"\5" + whole[1:],
    "no entries that belong to it": lambda whole: whole[:1] + b"\0" + whole[2:],
    "the directory ends within it": lambda whole: whole[:64],
    "another size": lambda whole: whole[:56] + b"\1" + whole[57:],
    "another attribute": lambda whole: whole[:4] + b"\x30" + whole[5:],
    "another name": lambda whole: whole[:66] + b"z" + whole[67:],
    "begins with an end": lambda whole: b"\0" + whole[1:],
    "behind the end": lambda whole: bytes(32) + whole,
}


@pytest.mark.parametrize("case", DAMAGED_SETS)
def test_a_damaged_set_of_entries_is_a_fault(case: str) -> None:
    image = FatImage(32, exfat=True)
    image.root = DAMAGED_SETS[case](build.exfat_set("base.apk", 5, 400))
    assert root_of(image).faults != ()


def test_a_second_exfat_table_in_use_is_followed() -> None:
    image = FatImage(32, exfat=True)
    image.link(7, 9)
    place, size = image.fat_start * 512, image.fat_sectors * 512
    table = bytes(image.data[place : place + size])
    image.data[place : place + size] = bytes(size)
    struct.pack_into("<I", image.data, 80, image.fat_start - image.fat_sectors)
    image.data[place : place + size] = table
    struct.pack_into("<HBBBB", image.data, 106, 1, 9, 0, 2, 0)
    image.put(7, b"a" * 512)
    image.put(9, b"b" * 512)
    image.root = build.exfat_set("f", 7, 1024, adjacent=False)
    assert content(image) == b"a" * 512 + b"b" * 512


@pytest.mark.parametrize(("exfat", "at", "value"), [(False, 14, 2), (True, 80, 25), (True, 88, 99), (True, 96, 9)])
def test_a_fat_or_a_root_in_another_place_is_a_remark(exfat: bool, at: int, value: int) -> None:
    image = FatImage(32, exfat=exfat)
    data = bytearray(image.build())
    data[at] = value
    assert any("not where the boot sector says" in words for words in open_volume(bytes(data)).remarks)
