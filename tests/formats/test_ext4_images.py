"""Images of the tools that Android builds use: every file as it was, and the tools' own reader agrees."""

from __future__ import annotations

import hashlib
import mmap
import os
import random
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from auditor.formats.ext4 import Ext4, is_ext4, parse_ext4
from auditor.formats.file_system import Node, NodeKind
from auditor.formats.source import BlobSource

pytestmark = [
    pytest.mark.images,
    pytest.mark.skipif(shutil.which("mkfs.ext4") is None, reason="mkfs.ext4 is not installed"),
    pytest.mark.skipif(shutil.which("debugfs") is None, reason="debugfs is not installed"),
]

ANDROID = "has_journal,casefold,encrypt,verity,project,quota,stable_inodes,metadata_csum,64bit,extents,flex_bg"
IMAGES = {
    "android": ["-b", "4096", "-I", "256", "-O", ANDROID],
    "plain": ["-b", "4096", "-O", "^has_journal,extents,uninit_bg"],
    "inline": ["-b", "4096", "-I", "256", "-O", "inline_data"],
    "small blocks": ["-b", "1024"],
    "block maps": ["-t", "ext2", "-b", "1024"],
    "block maps of large blocks": ["-t", "ext3", "-b", "4096"],
    "large blocks": ["-b", "65536"],
    "meta groups": ["-b", "1024", "-g", "1024", "-O", "meta_bg,64bit,^resize_inode"],
    "meta groups without copies": ["-b", "1024", "-g", "512", "-O", "meta_bg,^resize_inode,sparse_super2"],
    "clusters": ["-b", "4096", "-O", "bigalloc"],
    "first revision": ["-t", "ext2", "-r", "0", "-b", "1024"],
}
SMALL_FILES = 2500
LOST = "lost+found"
KINDS = {"10": NodeKind.FILE, "04": NodeKind.DIRECTORY, "12": NodeKind.LINK}


def content(source: random.Random, size: int) -> bytes:
    """Bytes of which the last is not 0, so that a lost end shows."""
    return source.randbytes(size - 1) + b"!" if size > 0 else b""


def make_tree(root: Path) -> None:
    """Files of every size around the bounds of the format, holes, hard links, odd names, deep folders."""
    source = random.Random(4)
    sizes = (0, 1, 59, 60, 61, 100, 155, 156, 160, 200, 1023, 1024, 1025, 4095, 4096, 4097, 12 * 1024 + 1)
    for number in range(SMALL_FILES):
        folder = root / f"data/app/~~{number % 40:02}==/com.example.{number % 7}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number:05}.apk").write_bytes(source.randbytes(sizes[number % len(sizes)]))
    (root / "large.apk").write_bytes(content(source, 9_000_001))
    with (root / "holes").open("wb") as file:
        for number in range(700):
            file.seek(number * 40_000)
            file.write(content(source, 5000))
    with (root / "far").open("wb") as file:
        file.seek(70_000_000)
        file.write(b"end")
    (root / "all hole").touch()
    os.truncate(root / "all hole", 1_000_000)
    crowded = root / "crowded"
    crowded.mkdir()
    for number in range(900):
        os.link(root / "holes", crowded / f"{number:03}{'n' * 120}") if number == 0 else (
            crowded / f"{number:03}{'n' * 120}"
        ).touch()
    odd = os.fsencode(root) + b"/odd"
    os.mkdir(odd)
    for name in (b"\xff\xfe", b"n" * 255, "微信.apk".encode(), b"a\nb", b" ", b"..."):
        with open(odd + b"/" + name, "wb") as raw:
            raw.write(name)
    deep = root
    for level in range(60):
        deep = deep / f"level{level}"
    deep.mkdir(parents=True)
    (deep / "bottom").write_bytes(b"found")
    (root / "short link").symlink_to("large.apk")
    (root / "long link").symlink_to("x" * 200)
    os.mkfifo(root / "pipe")
    if os.geteuid() == 0:
        os.mknod(root / "device", 0o20644, os.makedev(1, 3))


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("ext4") / "tree"
    make_tree(root)
    return root


def make_image(tree: Path, name: str) -> Path:
    image = tree.parent / f"{name}.img"
    size = "600M" if name in ("large blocks", "clusters") else "120M"
    words = ["mkfs.ext4", "-q", "-F", "-N", "6000", *IMAGES[name], "-d", str(tree), str(image), size]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return image


@contextmanager
def opened(image: Path) -> Iterator[Ext4]:
    with image.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        assert is_ext4(data[:2048])
        # Views of the map must be gone before it is closed: whatever is kept of the content is a digest.
        yield parse_ext4(BlobSource(data))


def walk(system: Ext4) -> Iterator[tuple[bytes, Node]]:
    pending = [(b"", system.root)]
    while pending:
        path, directory = pending.pop()
        found = system.list(directory)
        assert found.faults == ()
        for node in found.nodes:
            inner = os.path.join(path, node.name.encode("utf-8", "surrogateescape"))
            if inner != LOST.encode():
                yield inner, node
            if node.kind is NodeKind.DIRECTORY:
                pending.append((inner, node))


def digest(system: Ext4, node: Node) -> tuple[int, str]:
    total, sha256 = 0, hashlib.sha256()
    for piece in system.chunks(node):
        total += len(piece)
        sha256.update(piece)
    return total, sha256.hexdigest()


def expected(tree: Path) -> dict[bytes, object]:
    found: dict[bytes, object] = {}
    for parent, folders, files in os.walk(os.fsencode(tree)):
        for name in (*folders, *files):
            path = os.path.join(parent, name)
            if os.path.islink(path):
                found[os.path.relpath(path, os.fsencode(tree))] = NodeKind.LINK
            elif os.path.isdir(path):
                found[os.path.relpath(path, os.fsencode(tree))] = NodeKind.DIRECTORY
            elif os.path.isfile(path):
                with open(path, "rb") as file:
                    data = file.read()
                found[os.path.relpath(path, os.fsencode(tree))] = (len(data), hashlib.sha256(data).hexdigest())
            else:
                found[os.path.relpath(path, os.fsencode(tree))] = NodeKind.OTHER
    return found


@pytest.mark.parametrize("name", IMAGES)
def test_every_file_is_as_it_was(tree: Path, name: str) -> None:
    wanted = expected(tree)
    assert sum(isinstance(item, tuple) for item in wanted.values()) > SMALL_FILES
    image = make_image(tree, name)
    with opened(image) as system:
        assert system.remarks == ()
        found: dict[bytes, object] = {}
        for path, node in walk(system):
            # Where inline data is on, mke2fs 1.47 marks a file that is all hole as inline, and it cannot be.
            if (name, path) != ("inline", b"all hole"):
                found[path] = digest(system, node) if node.kind is NodeKind.FILE else node.kind
    if name == "inline":
        del wanted[b"all hole"]
        wanted |= cut_by_the_tool(tree, image, {path for path in wanted if found.get(path) != wanted[path]})
    assert {path for path in wanted if found.get(path) != wanted[path]} == set()
    assert set(found) == set(wanted)


def cut_by_the_tool(tree: Path, image: Path, paths: set[bytes]) -> dict[bytes, object]:
    """What the tool finds of files whose last bytes it lost: mke2fs 1.47 does so to a few where inline data is on."""
    assert len(paths) <= 4
    found: dict[bytes, object] = {}
    for path in paths:
        ask(image, f'dump "/{path.decode()}" {tree.parent / "dumped"}')
        data = (tree.parent / "dumped").read_bytes()
        whole = (tree / path.decode()).read_bytes()
        assert len(data) == len(whole) // 4096 * 4096
        assert whole.startswith(data)
        found[path] = (len(data), hashlib.sha256(data).hexdigest())
    return found


def ask(image: Path, *requests: str) -> str:
    words = ["debugfs", "-f", "-", str(image)]
    done = subprocess.run(
        words, input="\n".join(requests), capture_output=True, text=True, errors="replace", check=True
    )
    return done.stdout


@pytest.mark.parametrize("name", ["android", "inline", "block maps"])
def test_the_reader_of_the_tools_agrees(tree: Path, name: str) -> None:
    """Names, inode numbers, kinds and sizes of whole directories, and the sizes and flags of some inodes."""
    image = make_image(tree, name)
    with opened(image) as system:
        directories = {"": system.root}
        for path, node in walk(system):
            if node.kind is NodeKind.DIRECTORY and path.isascii():
                directories["/" + path.decode()] = node
        chosen = [path for at, path in enumerate(sorted(directories)) if at % 9 == 0 or path == "/crowded"]
        for path in chosen:
            listed = re.findall(r"^/(\d+)/(\d{6})/\d+/\d+/([^/\n]+)/(\d*)/$", ask(image, f'ls -p "{path}/"'), re.M)
            theirs = {
                (int(key), KINDS.get(mode[:2], NodeKind.OTHER), title, int(size or 0))
                for key, mode, title, size in listed
                if title not in (".", "..")
            }
            ours = system.list(directories[path]).nodes
            assert {(node.key, node.kind, node.name, node.size) for node in ours if node.kind is NodeKind.FILE} == {
                item for item in theirs if item[1] is NodeKind.FILE
            }
            assert {(node.key, node.kind, node.name) for node in ours} == {item[:3] for item in theirs}


def test_a_large_directory_with_a_hash_tree_is_listed_in_full(tree: Path) -> None:
    image = make_image(tree, "small blocks")
    subprocess.run(["e2fsck", "-fyD", str(image)], capture_output=True, check=False)
    assert "Flags: 0x81000" in ask(image, "stat /crowded")
    with opened(image) as system:
        crowded = {node.name: node for node in system.list(system.root).nodes}["crowded"]
        assert len(system.list(crowded).nodes) == 900


def test_what_was_never_written_reads_as_zeros_and_encrypted_files_are_refused(tree: Path) -> None:
    image = make_image(tree, "android")
    with opened(image) as system:
        names = {node.name: node for node in system.list(system.root).nodes}
        before = digest(system, names["large.apk"])
    commands = [
        "fallocate /all\\ hole 0 10",
        'fallocate "/all hole" 20 40',
        "sif /large.apk flags 0x80800",
        "sif /crowded flags 0x81800",
    ]
    subprocess.run(["debugfs", "-w", "-f", "-", str(image)], input="\n".join(commands), text=True, check=True)
    with opened(image) as system:
        names = {node.name: node for node in system.list(system.root).nodes}
        assert digest(system, names["all hole"]) == (1_000_000, hashlib.sha256(bytes(1_000_000)).hexdigest())
        assert names["large.apk"].refusal == names["crowded"].refusal == "encrypted (file-based encryption)"
        assert names["large.apk"].size == before[0]


def test_a_journal_that_was_not_replayed_is_a_remark(tree: Path) -> None:
    image = make_image(tree, "android")
    subprocess.run(["debugfs", "-w", "-R", "feature needs_recovery", str(image)], capture_output=True, check=True)
    with opened(image) as system:
        assert "journal" in system.remarks[0]
        assert sum(1 for _ in walk(system)) > SMALL_FILES
