"""Every file of images that mkfs.erofs made in many ways is read to the byte."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor.errors import UnsupportedError
from auditor.formats.erofs import Erofs, is_erofs, parse_erofs
from auditor.formats.file_system import Node, NodeKind
from auditor.formats.source import BlobSource
from tests.builders.erofs_tools import find_mkfs

pytestmark = pytest.mark.images

LATER = "trixie"
LATEST = "sid"
CONFIGURATIONS = {
    "plain": ("system", []),
    "long inodes": ("system", ["-Eforce-inode-extended"]),
    "lz4": ("system", ["-zlz4"]),
    "lz4hc, big clusters": ("system", ["-zlz4hc", "-C65536"]),
    "lz4hc, long index": ("system", ["-zlz4hc", "-C65536", "-Elegacy-compress"]),
    "lz4hc, inline tails": ("system", ["-zlz4hc,9", "-C65536", "-Eztailpacking"]),
    "chunks": ("system", ["--chunksize=4096"]),
    "chunks with indexes": ("system", ["--chunksize=65536", "-Eforce-chunk-indexes"]),
    "lz4 at the start of clusters": (LATER, ["-zlz4hc", "-Elegacy-compress", "--zfeature-bits=0"]),
    "lz4, parts of one": (LATER, ["-zlz4hc", "-Ededupe", "-C16384"]),
    "lz4, all in fragments": (LATER, ["-zlz4hc", "-Eall-fragments,dedupe", "-C32768"]),
    "zstd": (LATER, ["-zzstd", "-C65536"]),
    "zstd, fragments and parts": (LATER, ["-zzstd", "-Ededupe,fragments", "-C65536"]),
    "lzma": (LATER, ["-zlzma", "-C65536"]),
    "lzma, fragments and rotated blocks": (LATER, ["-zlzma", "-Efragments,ztailpacking", "-C16384"]),
    "deflate": (LATER, ["-zdeflate", "-C32768"]),
    "deflate, inline tails and parts": (LATER, ["-zdeflate", "-Ededupe,ztailpacking", "-C16384"]),
    "blocks of 1 KiB": (LATER, ["-b1024", "-zlz4hc"]),
    "two algorithms": (LATER, ["-zlz4:zstd", "-C16384"]),
    "holes": (LATEST, ["--chunksize=4096"]),
    "addresses of 48 bits": (LATEST, ["-zlz4hc", "-E48bit"]),
    "stated extents": (LATEST, ["-zzstd", "-E48bit,fragments,dedupe", "-C65536"]),
    "metadata in an inode": (LATEST, ["-m4096:zstd", "-zlz4hc", "-C32768"]),
    "compressed directories": (LATEST, ["-m4096:lz4", "--zD=1", "-zzstd", "-Efragments", "-C32768"]),
    "a zone of metadata": (LATEST, ["--MZ=id", "-zlz4hc"]),
}
TOO_LONG = "longest"
"""mkfs.erofs 1.5 cannot take a name of 255 bytes."""


def write(root: bytes, name: bytes, data: bytes) -> None:
    path = os.path.join(root, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


class Content:
    """Bytes that compress, bytes that do not, and mixtures."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self._words = (b"alpha", b"beta", b"gamma", b"delta ", b"\n", b"com.example.", b"0123")

    def text(self, size: int) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            parts += self.chance.choice(self._words) * self.chance.randint(1, 3)
        return bytes(parts[:size])

    def noise(self, size: int) -> bytes:
        return self.chance.randbytes(size)

    def mixed(self, size: int, most: int) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            parts += self.chance.choice((self.text, self.noise))(self.chance.randint(1, most))
        return bytes(parts[:size])


def make_tree(root: bytes) -> None:
    content = Content(5)
    for number in range(2_400):
        size = content.chance.choice((0, 1, 10, 100, 1000, 4095, 4096, 4097, 5000, 9000, 20_000))
        write(
            root, b"many/%03d/f%d" % (number % 40, number), (content.noise if number % 3 == 0 else content.text)(size)
        )
    for number in range(300):
        write(root, b"large directory/some longer name %d" % number, b"%d" % number)
    for number in range(25):
        write(root, b"text/%d" % number, content.text(content.chance.randint(50_000, 200_000)))
        write(root, b"noise/%d" % number, content.noise(content.chance.randint(50_000, 200_000)))
        write(root, b"mixed/%d" % number, content.mixed(100_000, 9_000))
    shared = content.text(70_000) + content.noise(30_000)
    for number in range(20):
        write(
            root, b"alike/%d" % number, content.noise(content.chance.randint(0, 5000)) + shared + content.text(number)
        )
    write(root, b"n" * 254, b"long name")
    write(root, TOO_LONG.encode() + b"/" + b"n" * 255, b"longest name")
    write(root, b"names/\xff\xfe", b"no UTF-8")
    write(root, "names/微信.apk".encode(), b"Chinese")
    write(root, b"/".join([b"deep"] * 40) + b"/file", b"deep")
    write(root, b"big", content.mixed((20 << 20) + 123, 300_000))
    write(root, b"zeros", bytes(3_000_000))
    with open(os.path.join(root, b"hole"), "wb") as file:
        file.write(b"a" * 5000)
        file.seek(3_000_000)
        file.write(b"b" * 100)
        file.truncate(5_000_000)
    os.symlink(b"big", os.path.join(root, b"link"))
    os.link(os.path.join(root, b"big"), os.path.join(root, b"hard"))
    os.mkfifo(os.path.join(root, b"pipe"))
    os.mkdir(os.path.join(root, b"empty"))


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("erofs") / "tree"
    make_tree(os.fsencode(root))
    yield root
    shutil.rmtree(root)


def made(suite: str, options: list[str], tree: Path, image: Path) -> Erofs:
    """An image of the tree, made and opened."""
    command = find_mkfs(suite)
    if command is None:
        pytest.skip(f"mkfs.erofs of {suite} is not to be had here")
    if suite == "system":
        options = [*options, f"--exclude-path={TOO_LONG}"]
    subprocess.run([*command, "-T0", *options, str(image), str(tree)], capture_output=True, check=True, timeout=300)
    data = image.read_bytes()
    assert is_erofs(data[:2048])
    return parse_erofs(BlobSource(data))


def walk(system: Erofs, node: Node, path: bytes = b"") -> Iterator[tuple[bytes, Node]]:
    listing = system.list(node)
    assert listing.faults == ()
    for item in listing.nodes:
        name = os.path.join(path, os.fsencode(item.name))
        yield name, item
        if item.kind is NodeKind.DIRECTORY:
            yield from walk(system, item, name)


def paths_below(tree: Path, left_out: str = "") -> set[bytes]:
    root = os.fsencode(tree)
    found = set()
    for folder, folders, files in os.walk(root):
        if folder == root and left_out:
            folders.remove(os.fsencode(left_out))
        found |= {os.path.relpath(os.path.join(folder, name), root) for name in (*folders, *files)}
    return found


def differing(system: Erofs, found: dict[bytes, Node], tree: Path) -> list[bytes]:
    """Files whose bytes or sizes are not those below a folder."""
    wrong = []
    for name, node in found.items():
        if node.kind is not NodeKind.FILE:
            continue
        data = b"".join(system.chunks(node))
        with open(os.path.join(os.fsencode(tree), name), "rb") as file:
            if len(data) != node.size or data != file.read():
                wrong.append(name)
    return wrong


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_every_file_is_read_to_the_byte(name: str, tree: Path, tmp_path: Path) -> None:
    suite, options = CONFIGURATIONS[name]
    system = made(suite, options, tree, tmp_path / "image")
    (tmp_path / "image").unlink()
    found = dict(walk(system, system.root))
    assert set(found) == paths_below(tree, TOO_LONG if suite == "system" else "")
    assert sum(node.kind is NodeKind.FILE for node in found.values()) > 2_500
    assert differing(system, found, tree) == []
    assert found[b"big"].key == found[b"hard"].key
    assert (found[b"link"].kind, found[b"pipe"].kind) == (NodeKind.LINK, NodeKind.OTHER)
    assert found[b"empty"].kind is NodeKind.DIRECTORY
    assert system.remarks == ()


@pytest.mark.skipif(shutil.which("fsck.erofs") is None, reason="fsck.erofs is not installed")
def test_what_fsck_extracts_is_what_is_read(tree: Path, tmp_path: Path) -> None:
    image, folder = tmp_path / "image", tmp_path / "out"
    system = made("system", ["-zlz4hc", "-C65536", "-Eztailpacking"], tree, image)
    subprocess.run(["fsck.erofs", f"--extract={folder}", str(image)], capture_output=True, check=True, timeout=300)
    found = dict(walk(system, system.root))
    assert set(found) == paths_below(folder)
    assert differing(system, found, folder) == []


def test_files_on_another_device_are_refused(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "blob").touch()
    system = made(LATER, ["--chunksize=4096", f"--blobdev={tmp_path / 'blob'}"], tree, tmp_path / "image")
    found = dict(walk(system, system.root))
    with pytest.raises(UnsupportedError, match="another device"):
        list(system.chunks(found[b"big"]))
    assert len(system.remarks) == 1
