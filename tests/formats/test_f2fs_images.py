"""Every file of images that mkfs.f2fs and sload.f2fs made is read to the byte."""

from __future__ import annotations

import mmap
import os
import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from auditor.formats.f2fs import F2fs, is_f2fs, parse_f2fs
from auditor.formats.f2fs_nodes import read_inode
from auditor.formats.file_system import Node, NodeKind
from auditor.formats.source import BlobSource

TOOLS = ("mkfs.f2fs", "sload.f2fs", "dump.f2fs")
MISSING = [name for name in TOOLS if shutil.which(name) is None]
pytestmark = [
    pytest.mark.images,
    pytest.mark.skipif(bool(MISSING), reason=f"{', '.join(MISSING)} not installed"),
]

ANDROID = "encrypt,quota,verity,project_quota,extra_attr,inode_checksum,inode_crtime,sb_checksum"
OPTIONS = {
    "plain": [],
    "extra": ["-O", "extra_attr,inode_checksum,sb_checksum,compression"],
    "android": ["-O", ANDROID],
    "large-bitmap": ["-i"],
    "casefold": ["-O", "casefold", "-C", "utf8"],
    "sections": ["-s", "2", "-z", "2"],
}


def write(root: bytes, name: bytes, data: bytes) -> None:
    path = os.path.join(root, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


def make_tree(root: bytes, files: int) -> None:
    chance = random.Random(files)
    for number in range(files):
        size = chance.choice((0, 1, 100, 3400, 3487, 3488, 3489, 3652, 3688, 3689, 4096, 5000, 30_000))
        write(root, b"data/app/%d/file-%d.apk" % (number % 9, number), chance.randbytes(size))
    for number in range(files // 4):
        write(root, b"flat/entry-%04d" % number, b"%d" % number)
    write(root, b"n" * 255, b"longest name")
    write(root, b"names/" + b"x" * 254 + b"\xff", b"no UTF-8")
    write(root, b"names/caf\xe9", b"Latin")
    write(root, "names/\u5fae\u4fe1.apk".encode(), b"Chinese")
    write(root, b"/".join([b"deep"] * 40) + b"/file", b"deep")
    write(root, b"big", chance.randbytes((20 << 20) + 123))
    with open(os.path.join(root, b"hole"), "wb") as file:
        file.seek(9_000_000)
        file.write(b"behind the hole")
        file.truncate(12_000_000)
    os.symlink(b"big", os.path.join(root, b"link"))
    os.symlink(b"y" * 4000, os.path.join(root, b"long-link"))
    os.link(os.path.join(root, b"big"), os.path.join(root, b"hard"))
    os.mkdir(os.path.join(root, b"empty"))


def make_image(folder: Path, tree: Path, options: list[str]) -> Path:
    image = folder / "image"
    with image.open("wb") as file:
        file.truncate(256 << 20)
    subprocess.run(["mkfs.f2fs", "-q", "-f", *options, image], check=True, capture_output=True)
    subprocess.run(["sload.f2fs", "-f", tree, image], check=True, capture_output=True)
    return image


def mapped(image: Path) -> F2fs:
    with image.open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    assert is_f2fs(data[:8192])
    return parse_f2fs(BlobSource(data))


def compare(found: F2fs, tree: Path) -> dict[NodeKind, int]:
    """Compare the whole image with the tree it was made from, and count what was compared."""
    counts = dict.fromkeys(NodeKind, 0)
    pending: list[tuple[Node, bytes]] = [(found.root, os.fsencode(tree))]
    while pending:
        directory, path = pending.pop()
        listing = found.list(directory)
        assert listing.faults == ()
        assert [os.fsencode(item.name) for item in listing.nodes] == sorted(os.listdir(path))
        for node in listing.nodes:
            here = os.path.join(path, os.fsencode(node.name))
            assert node.refusal == ""
            counts[node.kind] += 1
            if node.kind is NodeKind.DIRECTORY:
                pending.append((node, here))
            elif node.kind is NodeKind.FILE:
                with open(here, "rb") as file:
                    assert b"".join(found.chunks(node)) == file.read()
                assert node.size == os.path.getsize(here)
            else:
                assert os.path.islink(here)
    return counts


def test_every_file_of_a_large_tree_is_read_to_the_byte(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    make_tree(os.fsencode(tree), 2500)
    found = mapped(make_image(tmp_path, tree, OPTIONS["extra"]))
    counts = compare(found, tree)
    assert counts[NodeKind.FILE] >= 3100
    assert counts[NodeKind.LINK] == 2
    assert found.remarks == ()


@pytest.mark.parametrize("options", OPTIONS.values(), ids=list(OPTIONS))
def test_images_of_every_feature_are_read(tmp_path: Path, options: list[str]) -> None:
    tree = tmp_path / "tree"
    make_tree(os.fsencode(tree), 200)
    found = mapped(make_image(tmp_path, tree, options))
    assert compare(found, tree)[NodeKind.FILE] > 250


def test_an_image_that_was_written_to_again_is_read_as_of_then(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    make_tree(os.fsencode(tree), 100)
    image = make_image(tmp_path, tree, OPTIONS["extra"])
    for number in range(3):
        again = tmp_path / f"again{number}"
        write(os.fsencode(again), b"later%d/file" % number, b"later" * 5000)
        subprocess.run(["sload.f2fs", "-f", again, image], check=True, capture_output=True)
        shutil.copytree(again, tree, dirs_exist_ok=True)
    assert compare(mapped(image), tree)[NodeKind.FILE] > 130


def test_another_reader_sees_the_same_inodes(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    make_tree(os.fsencode(tree), 60)
    image = make_image(tmp_path, tree, OPTIONS["android"])
    found = mapped(image)
    for node in found.list(found.root).nodes:
        command = ["dump.f2fs", "-i", str(node.key), image]
        done = subprocess.run(command, input="n\n", capture_output=True, text=True, check=False)
        stated = re.search(r"i_size\s+\[0x\s*([0-9a-f]+) :", done.stdout)
        mode = re.search(r"i_mode\s+\[0x\s*([0-9a-f]+) :", done.stdout)
        assert stated is not None
        assert mode is not None
        inode = read_inode(found.table, node.key)
        assert (inode.size, inode.mode) == (int(stated[1], 16), int(mode[1], 16))
