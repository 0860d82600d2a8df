"""Apps are found in images, archives and backups of every kind, however they lie inside each other."""

from __future__ import annotations

import os
import random
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from auditor.formats.ext4 import Ext4
from auditor.limits import DEFAULT, Limits
from auditor.model import FactKind, Origin, Problem, ProblemCode
from auditor.platforms import android_set
from auditor.platforms.android import extract_android
from auditor.platforms.candidate import AndroidBundle, AndroidSet, IosBundle
from auditor.platforms.record_source import RecordSource
from auditor.platforms.search import Found, Search
from auditor.scan import guarded, open_argument
from tests.builders import tar
from tests.builders.adb_backup import adb_backup
from tests.builders.android_sparse import BLOCK, raw, skip, sparse_image
from tests.builders.apps import apk, bundle, dex, ipa, put, split
from tests.builders.ext4 import DEVICE, DIRECTORY, ENCRYPTED, EXTENTS, LINK, Ext4Image, entries, extent, node
from tests.builders.images import (
    TREES,
    erofs_of,
    exfat_of,
    ext4_of,
    f2fs_of,
    gpt_of,
    gz_of,
    mbr_of,
    payload_of,
    sparse_of,
    super_of,
    tar_of,
    zip_of,
)
from tests.builders.partitions import fat_sector

APK, IPA = apk(), ipa(bundle())
SECOND = apk(code=dex("b.Second"))
PLACE = "data/app/com.example.app-1/base.apk"
NAMES = {AndroidSet: "app", AndroidBundle: "bundle", IosBundle: "ios", RecordSource: "record"}
Shown = list[tuple[str, str]]


def scan(place: Path, limits: Limits = DEFAULT, passwords: tuple[str, ...] = ()) -> list[Found]:
    """What comes of a path the user named, as a run would look at it."""
    search = Search(limits, guarded, passwords)
    return list(open_argument(place, place.name, search, several=False))


def named(folder: Path, data: bytes, limits: Limits = DEFAULT, name: str = "case.img") -> list[Found]:
    """What comes of a file of this content."""
    return scan(put(folder, {name: data}) / name, limits)


def shown(found: list[Found]) -> Shown:
    return [
        (item.code.value if isinstance(item, Problem) else NAMES.get(type(item), "record"), str(item.origin))
        for item in found
    ]


def problems(found: list[Found]) -> list[Problem]:
    return [item for item in found if isinstance(item, Problem)]


def apps(found: list[Found]) -> list[str]:
    """Origins without the file that was named."""
    return [str(item.origin).partition("!")[2] for item in found if isinstance(item, AndroidSet | IosBundle)]


class TestTrees:
    @pytest.mark.parametrize("name", TREES)
    def test_apps_are_found_in_a_tree_of_every_kind(self, tmp_path: Path, name: str) -> None:
        files = {PLACE: APK, "data/app/com.other-1/x.apk": SECOND, "notes/deep/er/a.txt": b"text" * 500}
        found = named(tmp_path, TREES[name](files))
        assert shown(found) == [("app", f"case.img!{PLACE}"), ("app", "case.img!data/app/com.other-1/x.apk")]
        contents = [bytes(item.apks[0].open()) for item in found if isinstance(item, AndroidSet)]
        assert contents == [APK, SECOND]

    @pytest.mark.parametrize("name", [name for name in TREES if name != "zip"])
    def test_splits_beside_a_base_are_one_app(self, tmp_path: Path, name: str) -> None:
        found = named(tmp_path, TREES[name]({"a/base.apk": APK, "a/split_x.apk": split("x"), "b/base.apk": APK}))
        assert [len(item.apks) for item in found if isinstance(item, AndroidSet)] == [2, 1]

    @pytest.mark.parametrize("name", TREES)
    def test_an_ios_bundle_in_a_tree_is_one_app_with_its_place(self, tmp_path: Path, name: str) -> None:
        root = "private/var/containers/Bundle/Application/0A1B/App.app"
        files = {f"{root}/{path}": content for path, content in bundle({"inner/x.apk": APK}).items()}
        data = TREES[name]({**files, f"{root.rpartition('/')[0]}/iTunesMetadata.plist": b"<plist/>"})
        (found,) = (item for item in named(tmp_path, data) if isinstance(item, IosBundle))
        assert str(found.origin) == f"case.img!{root}"
        assert found.store_record is not None
        assert list(found.members) == ["App", "Info.plist", "inner/x.apk"]

    @pytest.mark.parametrize("name", ["ext4", "EROFS", "F2FS", "tar"])
    def test_names_that_are_no_utf_8_are_shown_inert(self, tmp_path: Path, name: str) -> None:
        hostile = b"\xff\xfe!%\x1b[2J\xe2\x80\xae.apk".decode("utf-8", "surrogateescape")
        found = named(tmp_path, TREES[name]({f"a/{hostile}": APK}))
        assert [str(item.origin) for item in found] == ["case.img!a/%ED%B3%BF%ED%B3%BE%21%25%1B[2J%E2%80%AE.apk"]

    def test_an_app_in_an_image_goes_by_the_budget_of_an_app(self, tmp_path: Path) -> None:
        found = named(tmp_path, ext4_of({"a/a.apk": APK, "b/b.apk": SECOND}), replace(DEFAULT, unpacked_total=5000))
        first, second = (item.budget for item in found if isinstance(item, AndroidSet))
        assert first is not second
        assert first.left == second.left == 5000
        assert first.outer is not None
        first.spend(3000)
        assert second.left == 5000


class TestPartitionsAndWrappers:
    @pytest.mark.parametrize(
        ("data", "origin"),
        [
            (sparse_of(ext4_of({"a.apk": APK})), "raw!a.apk"),
            (gpt_of({"system": ext4_of({"a.apk": APK}), "boot": b"ANDROID!" + bytes(900)}), "system!a.apk"),
            (mbr_of([f2fs_of({"a.apk": APK})]), "partition1!a.apk"),
            (super_of({"system_a": erofs_of({"a.apk": APK})}), "system_a!a.apk"),
            (payload_of({"product": ext4_of({"a.apk": APK})}), "product.img!a.apk"),
            (gz_of(tar_of({"a.apk": APK})), "case!a.apk"),
            (gz_of(APK), "case"),
            (
                adb_backup(tar_of({"apps/com.example.app/a/base.apk": APK})),
                "backup.tar!apps/com.example.app/a/base.apk",
            ),
        ],
        ids=["sparse", "GPT", "MBR", "super", "payload", "tar.gz", "gz", "adb backup"],
    )
    def test_apps_are_found_behind(self, tmp_path: Path, data: bytes, origin: str) -> None:
        found = named(tmp_path, data)
        assert shown(found) == [("app", f"case.img!{origin}")]

    @pytest.mark.parametrize(
        ("data", "origin"),
        [
            (
                zip_of({"payload.bin": payload_of({"system": ext4_of({"x.zip": zip_of({"in.apk": APK})})})}),
                "payload.bin!system.img!x.zip!in.apk",
            ),
            (
                gz_of(tar_of({"super.img": sparse_of(super_of({"a": erofs_of({"app/A/A.apk": APK})}))})),
                "case!super.img!raw!a!app/A/A.apk",
            ),
            (tar_of({"f.tar": tar_of({"g.tar.gz": gz_of(tar_of({"a.apk": APK}))})}), "f.tar!g.tar.gz!g.tar!a.apk"),
            (ext4_of({"image.img": exfat_of({"x/b.ipa": IPA})}), "image.img!x/b.ipa"),
        ],
        ids=["zip payload ext4 zip", "gz tar sparse super erofs", "tar tar gz tar", "ext4 exfat"],
    )
    def test_containers_of_every_kind_lie_inside_each_other(self, tmp_path: Path, data: bytes, origin: str) -> None:
        assert apps(named(tmp_path, data)) == [origin]

    def test_containers_are_opened_down_to_the_limit_and_a_problem_says_where(self, tmp_path: Path) -> None:
        limits = replace(DEFAULT, container_depth=4)
        data = APK
        for _ in range(4):
            data = tar_of({"t": data})
        assert apps(named(tmp_path, data, limits)) == ["t!t!t!t"]
        assert shown(named(tmp_path, tar_of({"a.apk": APK, "t": data}), limits)) == [
            ("limit-reached", "case.img!t!t!t!t"),
            ("app", "case.img!a.apk"),
        ]

    def test_a_damaged_carrier_does_not_cost_its_neighbours(self, tmp_path: Path) -> None:
        noise = random.Random(9).randbytes(50_000)
        files = {
            "1.img": ext4_of({"lost.apk": APK})[:3000],
            "2.img": ext4_of({"a.apk": APK}),
            "3.gz": gz_of(noise)[:1000],
            "4.zip": zip_of({"b.apk": APK}),
            "userdata.img": noise,
        }
        found = named(tmp_path, tar_of(files))
        assert apps(found) == ["2.img!a.apk", "4.zip!b.apk"]
        assert {str(item.origin).split("!")[1] for item in problems(found)} == {"1.img", "3.gz", "userdata.img"}
        assert all(item.hidden for item in problems(found))

    def test_user_data_without_a_file_system_is_said_to_be_encrypted(self, tmp_path: Path) -> None:
        disk = gpt_of({"userdata": random.Random(1).randbytes(40_000), "modem": b"\x7fELF" + bytes(900)})
        assert shown(named(tmp_path, disk)) == [("encrypted", "case.img!userdata")]


class TestWhichKindItIs:
    EXT4 = ext4_of({"a.apk": APK})

    def test_a_gpt_goes_before_the_mbr_that_protects_it(self, tmp_path: Path) -> None:
        assert apps(named(tmp_path, gpt_of({"part": self.EXT4}))) == ["part!a.apk"]

    def test_a_fat_volume_ends_its_first_sector_like_an_mbr_and_is_none(self, tmp_path: Path) -> None:
        assert fat_sector()[510:] == exfat_of({})[510:512] == b"\x55\xaa"
        assert apps(named(tmp_path, exfat_of({"a.apk": APK}))) == ["a.apk"]

    def test_a_file_system_goes_before_an_old_mbr_in_front_of_it(self, tmp_path: Path) -> None:
        image = bytearray(self.EXT4)
        image[:512] = mbr_of([bytes(512)])[:512]
        assert apps(named(tmp_path, bytes(image))) == ["a.apk"]

    def test_the_remains_of_a_partition_table_that_leads_nowhere_do_not_hide_a_file_system(
        self, tmp_path: Path
    ) -> None:
        image = bytearray(self.EXT4)
        image[512:520] = b"EFI PART"
        found = named(tmp_path, bytes(image))
        assert apps(found) == ["a.apk"]
        assert [item.code for item in problems(found)] == [ProblemCode.CARRIER_INCOMPLETE]


class TestSplitImages:
    def pieces(self) -> dict[str, bytes]:
        image = ext4_of({"a.apk": APK}, blocks=256)
        image += bytes(-len(image) % BLOCK)
        blocks = len(image) // BLOCK
        found = {}
        for number, (start, end) in enumerate([(0, 4), (4, 30), (30, blocks)]):
            chunks = [raw(image[start * BLOCK : end * BLOCK])]
            if start:
                chunks.insert(0, skip(start))
            if end < blocks:
                chunks.append(skip(blocks - end))
            found[f"super.img_sparsechunk.{number}"] = sparse_image(chunks)
        return found

    def test_the_pieces_of_an_image_are_read_as_one(self, tmp_path: Path) -> None:
        assert shown(scan(put(tmp_path / "rom", self.pieces()))) == [("app", "super.img_sparsechunk.0!raw!a.apk")]

    @pytest.mark.parametrize("pattern", ["system.img_sparsechunk{}", "super_sparsechunk.{}"])
    def test_makers_count_from_one_and_leave_out_the_dot(self, tmp_path: Path, pattern: str) -> None:
        files = {pattern.format(at): data for at, data in enumerate(self.pieces().values(), 1)}
        assert shown(scan(put(tmp_path / "rom", files))) == [("app", f"{pattern.format(1)}!raw!a.apk")]

    def test_a_piece_that_is_missing_is_a_problem(self, tmp_path: Path) -> None:
        files = self.pieces()
        del files["super.img_sparsechunk.1"]
        found = problems(scan(put(tmp_path / "rom", files)))
        assert found[0].code is ProblemCode.CARRIER_INCOMPLETE
        assert "pieces of the image 1 lack" in found[0].detail

    def test_the_first_piece_may_be_named_alone(self, tmp_path: Path) -> None:
        folder = put(tmp_path / "rom", self.pieces())
        assert shown(scan(folder / "super.img_sparsechunk.0")) == [("app", "super.img_sparsechunk.0!raw!a.apk")]

    def test_another_piece_named_alone_leads_to_the_first(self, tmp_path: Path) -> None:
        (found,) = scan(put(tmp_path / "rom", self.pieces()) / "super.img_sparsechunk.2")
        assert isinstance(found, Problem)
        assert "name super.img_sparsechunk.0" in found.detail

    def test_the_only_piece_there_is_does_not_pass_for_the_whole(self, tmp_path: Path) -> None:
        name = "super.img_sparsechunk.2"
        found = scan(put(tmp_path / "rom", {name: self.pieces()[name]}))
        assert "0, 1" in problems(found)[0].detail or "1" in problems(found)[0].detail
        assert problems(found)[0].hidden

    def test_pieces_in_an_archive_are_joined_too(self, tmp_path: Path) -> None:
        assert apps(named(tmp_path, zip_of(self.pieces()))) == ["super.img_sparsechunk.0!raw!a.apk"]


ROW = {"a.apk": APK, "middle.bin": bytes(range(256)) * 2000, "z.apk": SECOND}


class TestCutOff:
    """The readable rest is audited, and a problem says where it ends."""

    def test_a_tar_archive(self, tmp_path: Path) -> None:
        whole = tar_of(ROW)
        found = named(tmp_path, whole[: len(APK) + 100_000])
        assert apps(found) == ["a.apk"]
        assert any("cut off" in item.detail and item.hidden for item in problems(found))

    def test_a_gzip_file(self, tmp_path: Path) -> None:
        packed = gz_of(tar_of(ROW))
        found = named(tmp_path, packed[: len(packed) - 700])
        assert "a.apk" in [item.partition("!")[2] for item in apps(found)]
        assert ProblemCode.CARRIER_INCOMPLETE in {item.code for item in problems(found)}
        assert any("what comes before it was read" in item.detail for item in problems(found))

    def test_an_ext4_image(self, tmp_path: Path) -> None:
        image = Ext4Image(blocks=2048)
        block = image.take(bytes(1024))
        root = [(name.encode(), image.file(content)) for name, content in ROW.items()]
        image.put(block, entries([*image.root, *root], 1024))
        image.inode(DIRECTORY, 1024, node(extent(0, 1, block)), EXTENTS, number=2)
        found = named(tmp_path, bytes(image.data)[: (image.next_block - 1) * 1024])
        assert apps(found) == ["a.apk"]
        assert [str(item.origin) for item in problems(found)] == ["case.img!z.apk", "case.img"]
        assert all(item.hidden for item in problems(found))
        assert "cut off" in problems(found)[1].detail

    def test_a_sparse_image(self, tmp_path: Path) -> None:
        whole = sparse_of(tar_of(ROW))
        found = named(tmp_path, whole[: len(APK) + 200_000])
        assert apps(found) == ["raw!a.apk"]
        assert any(item.code is ProblemCode.CARRIER_INCOMPLETE for item in problems(found))
        assert "cut off" in problems(found)[0].detail

    @pytest.mark.parametrize("name", [*TREES, "GPT", "super", "payload"])
    def test_no_prefix_of_a_carrier_is_clean(self, tmp_path: Path, name: str) -> None:
        files = {"a.apk": APK, "b.apk": SECOND}
        outer = {"GPT": gpt_of, "super": super_of, "payload": payload_of}.get(name)
        whole = TREES[name](files) if outer is None else outer({"s": ext4_of(files)})
        everything = len(apps(named(tmp_path, whole)))
        assert everything == 2
        for size in range(2048, len(whole) - 1, len(whole) // 24):
            found = named(tmp_path, whole[:size])
            assert not [item for item in problems(found) if item.code is ProblemCode.INTERNAL]
            unread = any(item.hidden or "neither an app" in item.detail for item in problems(found))
            assert unread or len(apps(found)) == everything, size


class TestHostileTrees:
    def test_a_folder_that_contains_itself_ends(self, tmp_path: Path) -> None:
        image = Ext4Image()
        folder = image.next_inode
        loop = image.directory([(b".", folder), (b"..", 2), (b"again", folder), (b"a.apk", image.file(APK))])
        image.root.append((b"loop", loop + 0))
        found = named(tmp_path, image.build())
        assert len(apps(found)) <= 2
        assert len(problems(found)) < 10

    def test_a_folder_with_many_parents_is_listed_once(self, tmp_path: Path) -> None:
        image = Ext4Image(blocks=512)
        shared = image.directory([(b".", 12), (b"..", 2), (b"a.apk", image.file(APK))])
        middle = [image.directory([(b".", 2), (b"..", 2), (b"s", shared)]) for _ in range(20)]
        image.root += [(b"d%02d" % at, inode) for at, inode in enumerate(middle)]
        found = named(tmp_path, image.build())
        assert apps(found) == ["d00/s/a.apk"]
        assert {item.code for item in problems(found)} == {ProblemCode.FILE_SYSTEM_DAMAGED}
        assert len(problems(found)) == 19

    def test_hard_links_are_files_of_their_own(self, tmp_path: Path) -> None:
        image = Ext4Image()
        one = image.file(APK)
        image.root += [(b"a.apk", one), (b"b.apk", one)]
        assert apps(named(tmp_path, image.build())) == ["a.apk", "b.apk"]

    def test_links_and_devices_are_left_alone(self, tmp_path: Path) -> None:
        image = Ext4Image()
        image.root += [(b"l%d.apk" % at, image.inode(LINK, 11, b"/etc/passwd")) for at in range(9)]
        image.root += [(b"null", image.inode(DEVICE, 0)), (b"a.apk", image.file(APK))]
        assert shown(named(tmp_path, image.build())) == [("app", "case.img!a.apk")]

    def test_links_to_folders_multiply_nothing(self, tmp_path: Path) -> None:
        farm = b"".join(tar.header(b"d/l%03d" % at, kind=b"2", link=b"../d") for at in range(300))
        found = named(tmp_path, farm + tar.member(b"d/a.apk", APK) + tar.END)
        assert shown(found) == [("app", "case.img!d/a.apk")]

    @pytest.mark.parametrize("name", [b"../../../../tmp/evil.apk", b"/tmp/evil.apk", b"./a/../../evil.apk"])
    def test_paths_that_climb_stay_inside(self, tmp_path: Path, name: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        found = named(tmp_path, tar.member(name, APK) + tar.END)
        assert len(apps(found)) == 1
        assert ".." not in apps(found)[0].split("/")
        assert {item.code for item in problems(found)} == {ProblemCode.CARRIER_ODD}
        assert [path.name for path in tmp_path.iterdir()] == ["case.img"]

    def test_of_several_members_of_one_name_none_hides_another(self, tmp_path: Path) -> None:
        data = tar.member(b"a.apk", APK) + tar.member(b"a.apk", SECOND) + tar.END
        found = [item for item in named(tmp_path, data) if isinstance(item, AndroidSet)]
        assert sorted(bytes(item.apks[0].open()) for item in found) == sorted([APK, SECOND])

    def test_a_tree_of_three_hundred_levels_ends_at_the_limit(self, tmp_path: Path) -> None:
        deep = "/".join(["d"] * 300)
        found = named(tmp_path, ext4_of({"top.apk": APK, f"{deep}/a.apk": APK}, blocks=1024))
        assert apps(found) == ["top.apk"]
        (problem,) = problems(found)
        assert problem.code is ProblemCode.LIMIT
        assert "tree_depth" in problem.detail
        assert str(problem.origin).count("/") == DEFAULT.tree_depth - 1

    def test_the_entries_of_all_folders_are_bounded_together(self, tmp_path: Path) -> None:
        """Folders that share the blocks of a large one cost as much as if each had its own."""
        image = Ext4Image(blocks=1024, inodes=256)
        empty = image.inode(0x81A4, 0)
        block = image.take(b"")
        image.put(block, entries([(b"f%03d" % at, empty) for at in range(60)], 1024))
        image.next_block += 1
        shared = [image.inode(DIRECTORY, 1024, node(extent(0, 1, block)), EXTENTS) for _ in range(100)]
        for start in range(0, 100, 25):
            inner = [(b"d%03d" % (start + at), shared[start + at]) for at in range(25)]
            image.root.append((b"g%d" % start, image.directory([(b".", 2), (b"..", 2), *inner])))
        found = named(tmp_path, image.build(), replace(DEFAULT, folder_entries=1000))
        assert [item.code for item in problems(found)] == [ProblemCode.LIMIT]
        assert "folder_entries" in problems(found)[0].detail

    def test_an_archive_of_a_twenty_thousand_empty_files_is_nothing(self, tmp_path: Path) -> None:
        header = tar.header(b"d/0000000")
        base = header[:148] + b" " * 8 + header[156:]
        rows = []
        for at in range(20_000):
            row = bytearray(base)
            row[2:9] = b"%07d" % at
            total = sum(row)
            row[148:156] = b"%06o\0 " % total
            rows.append(bytes(row))
        assert named(tmp_path, b"".join(rows) + tar.END) == []

    def test_problems_of_folders_are_counted_beyond_some_hundred(self, tmp_path: Path) -> None:
        image = Ext4Image(blocks=1024, inodes=600)
        shared = image.directory([(b".", 12), (b"..", 2)])
        for start in range(10):
            inner = [(b"%02d" % at, shared) for at in range(40)]
            image.root.append((b"g%d" % start, image.directory([(b".", 2), (b"..", 2), *inner])))
        found = problems(named(tmp_path, image.build()))
        assert len(found) == 201
        assert "199 more problems of folders are not told" in found[-1].detail


class TestEncrypted:
    def test_encrypted_files_are_told_once_with_their_number(self, tmp_path: Path) -> None:
        image = Ext4Image()
        image.root += [(b"%d.apk" % at, image.file(APK, ENCRYPTED)) for at in range(3)]
        image.root.append((b"plain.apk", image.file(APK)))
        found = named(tmp_path, image.build())
        assert apps(found) == ["plain.apk"]
        (problem,) = problems(found)
        assert problem.code is ProblemCode.ENCRYPTED
        assert "3 in all" in problem.detail
        assert str(problem.origin) == "case.img!0.apk"

    def test_encrypted_folders_are_told_once(self, tmp_path: Path) -> None:
        image = Ext4Image()
        for at in range(4):
            inner = image.directory(
                [(b".", 2), (b"..", 2), (b"\xffgarbage", image.file(APK, ENCRYPTED))], flags=ENCRYPTED
            )
            image.root.append((b"d%d" % at, inner))
        found = problems(named(tmp_path, image.build()))
        assert {item.code for item in found} == {ProblemCode.ENCRYPTED}
        assert len(found) <= 2

    TAR = tar_of({"apps/com.example.app/a/base.apk": APK})
    LOCKED = adb_backup(TAR, password=b"secret")

    @pytest.mark.parametrize("passwords", [("secret",), ("wrong", "secret"), ("secret", "wrong")])
    def test_an_adb_backup_opens_with_any_of_the_passwords(self, tmp_path: Path, passwords: tuple[str, ...]) -> None:
        found = scan(put(tmp_path, {"b.ab": self.LOCKED}) / "b.ab", passwords=passwords)
        assert shown(found) == [("app", "b.ab!backup.tar!apps/com.example.app/a/base.apk")]

    @pytest.mark.parametrize(
        ("passwords", "detail"), [((), "give its password"), (("wrong", "Secret"), "none of the given passwords")]
    )
    def test_without_its_password_it_is_a_problem(
        self, tmp_path: Path, passwords: tuple[str, ...], detail: str
    ) -> None:
        found = scan(put(tmp_path / "in", {"b.ab": self.LOCKED, "z.apk": APK}), passwords=passwords)
        assert shown(found) == [("encrypted", "b.ab"), ("app", "z.apk")]
        assert detail in problems(found)[0].detail
        assert problems(found)[0].hidden
        assert not any("Secret" in item.detail for item in problems(found))

    def test_a_backup_in_an_archive_opens_too(self, tmp_path: Path) -> None:
        place = put(tmp_path, {"x.zip": zip_of({"b.ab": self.LOCKED})}) / "x.zip"
        assert apps(scan(place, passwords=("secret",))) == ["b.ab!backup.tar!apps/com.example.app/a/base.apk"]
        assert shown(scan(place)) == [("encrypted", "x.zip!b.ab")]


class TestFaultsOfOurs:
    def test_a_fault_in_one_app_of_an_image_costs_that_app_only(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        probe = android_set.probe_apk

        def failing(member: object, *rest: object) -> object:
            if "bad" in str(getattr(member, "path", "")):
                raise ZeroDivisionError
            return probe(member, *rest)  # type: ignore[arg-type]

        monkeypatch.setattr("auditor.platforms.find_archive.probe_apk", failing)
        found = named(tmp_path, ext4_of({"a.apk": APK, "bad.apk": APK, "c.apk": APK, "d/e.apk": APK}))
        assert shown(found) == [
            ("internal-error", "case.img!bad.apk"),
            ("app", "case.img!a.apk"),
            ("app", "case.img!c.apk"),
            ("app", "case.img!d/e.apk"),
        ]

    def test_a_fault_while_listing_costs_that_folder_only(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        listed = Ext4.list

        def failing(self: Ext4, item: object) -> object:
            if getattr(item, "name", "") == "bad":
                raise ZeroDivisionError
            return listed(self, item)  # type: ignore[arg-type]

        monkeypatch.setattr(Ext4, "list", failing)
        found = named(tmp_path, ext4_of({"a/a.apk": APK, "bad/b.apk": APK, "c/c.apk": APK}))
        assert shown(found) == [
            ("app", "case.img!a/a.apk"),
            ("internal-error", "case.img!bad"),
            ("app", "case.img!c/c.apk"),
        ]


class TestBounds:
    def test_what_is_unpacked_goes_to_files_without_a_name(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        place = tmp_path / "spool"
        place.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(place))
        limits = replace(DEFAULT, spool_memory=1000)
        found = named(tmp_path / "in", gz_of(tar_of({"a.apk": APK, "b.img": ext4_of({"c.apk": SECOND})})), limits)
        assert [item.partition("!")[2] for item in apps(found)] == ["a.apk", "b.img!c.apk"] or len(apps(found)) == 2
        assert list(place.iterdir()) == []

    def test_a_full_disk_is_told_with_what_helps(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(*_: object) -> int:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "pwrite", full)
        limits = replace(DEFAULT, spool_memory=1000)
        found = named(tmp_path, gz_of(tar_of({"a.apk": APK})), limits)
        (problem,) = problems(found)
        assert problem.code is ProblemCode.UNREADABLE
        assert "TMPDIR" in problem.detail
        assert "No space left" in problem.detail

    def test_a_folder_for_temporary_files_that_is_not_there_is_told(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
        (problem,) = problems(named(tmp_path, gz_of(tar_of({"a.apk": APK})), replace(DEFAULT, spool_memory=1000)))
        assert "TMPDIR" in problem.detail

    @pytest.mark.parametrize("bound", ["spool_size", "unpacked_total"])
    def test_a_bomb_ends_at_a_limit(self, tmp_path: Path, bound: str) -> None:
        bomb = gz_of(tar_of({"a": bytes(30_000_000)}))
        limits = replace(DEFAULT, **{bound: 100_000}, spool_memory=1000)
        (problem,) = problems(named(tmp_path, bomb, limits))
        assert problem.code is ProblemCode.LIMIT
        assert bound in problem.detail

    def test_what_all_apps_of_a_carrier_unpack_counts_for_the_carrier(self, tmp_path: Path) -> None:
        """A thousand links to one bomb are a thousand bombs, each within its own bound."""
        heavy = apk(files={"classes2.dex": dex("a.C") + bytes(2_000_000)}, code=dex("a.B"))
        image = Ext4Image(blocks=256)
        one = image.file(heavy)
        image.root += [(b"%02d.apk" % at, one) for at in range(40)]
        limits = replace(DEFAULT, unpacked_total=3_000_000)
        data = image.build()
        place = put(tmp_path, {"case.img": data}) / "case.img"
        complete, hidden = 0, 0
        for item in open_argument(place, "case.img", Search(limits, guarded), several=False):
            if isinstance(item, AndroidSet):
                extraction, _ = extract_android(item)
                complete += not extraction.problems
                hidden += bool(extraction.problems)
            else:
                hidden += 1
        # Six million bytes and thirty-two times the image.
        assert complete * 2_000_000 <= 3_000_000 + 33 * len(data)
        assert complete + hidden >= 1

    def test_a_large_image_that_unpacks_to_much_more_than_an_app_may_is_read(self, tmp_path: Path) -> None:
        limits = replace(DEFAULT, unpacked_total=10_000)
        files = {f"{at}/base.apk": apk(code=dex(f"a.B{at}")) for at in range(40)}
        assert len(apps(named(tmp_path, gz_of(tar_of(files)), limits))) == 40

    def test_a_large_image_in_an_archive_is_no_member_of_an_app(self, tmp_path: Path) -> None:
        image = ext4_of({"a.apk": APK})
        limits = replace(DEFAULT, member_size=len(image) - 1)
        assert apps(named(tmp_path, zip_of({"system.img": image}), limits)) == ["system.img!a.apk"]


def test_origins_tell_the_way_through_every_container() -> None:
    assert str(Origin(("disk.img", "system", "app/A/A.apk")).at(16)) == "disk.img!system!app/A/A.apk@0x10"
    assert FactKind.DEX_CLASS in ProblemCode.CARRIER_INCOMPLETE.hides
