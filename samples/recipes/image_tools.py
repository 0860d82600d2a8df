"""File systems that the real tools make of a tree, with fixed dates and numbers so that the bytes stay the same."""

from __future__ import annotations

import os
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path

from recipes.toolchain import VENDOR, cached

DATE = 1_577_836_800
"""1 January 2020."""
UUID = "00000000-0000-4000-8000-00000000000a"
LATER_EROFS = VENDOR / "erofs-utils" / "trixie" / "root"
"""mkfs.erofs of a later Debian; ``pytest -m images tests/formats/test_erofs_images.py`` fetches it."""


def _call(*command: str | Path, folder: Path, **environment: str) -> None:
    """Run one tool whose dates stand still.

    Raises: RuntimeError with the tool's own words when it fails.
    """
    words = [str(word) for word in command]
    fixed = {**os.environ, "SOURCE_DATE_EPOCH": str(DATE), "E2FSPROGS_FAKE_TIME": str(DATE), "TZ": "UTC"}
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, env={**fixed, **environment})
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}\n{done.stdout}{done.stderr}")


def _lay_out(folder: Path, tree: Mapping[str, bytes]) -> Path:
    """Write a tree with fixed dates."""
    root = folder / "tree"
    root.mkdir()
    for path, data in sorted(tree.items()):
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    for place in [*root.rglob("*"), root]:
        os.utime(place, (DATE, DATE))
        place.chmod(0o755 if place.is_dir() else 0o644)
    return root


def ext(tree: Mapping[str, bytes], kib: int, *options: str, commands: tuple[str, ...] = ()) -> bytes:
    """An ext2, ext3 or ext4 image; ``commands`` are for debugfs afterwards."""

    def make(folder: Path) -> bytes:
        root, image = _lay_out(folder, tree), folder / "image"
        with image.open("wb") as file:
            file.truncate(kib << 10)
        fixed = ("-U", UUID, "-E", f"hash_seed={UUID},root_owner=0:0")
        _call("mke2fs", "-q", "-F", *options, *fixed, "-d", root, image, f"{kib}k", folder=folder)
        # mke2fs takes over when the files were made and last looked at, which is now.
        paths = ["/", *(f"/{item.relative_to(root)}" for item in sorted(root.rglob("*")))]
        dates = [f"set_inode_field {path} {name} @{DATE}" for path in paths for name in ("atime", "ctime", "crtime")]
        (folder / "commands").write_text("\n".join([*dates, *commands]))
        _call("debugfs", "-w", "-f", folder / "commands", image, folder=folder)
        return image.read_bytes()

    return cached(make, tuple(sorted(tree.items())), kib, options, commands)


def erofs(tree: Mapping[str, bytes], *options: str, later: bool = False) -> bytes:
    """An EROFS image."""

    def make(folder: Path) -> bytes:
        root, image = _lay_out(folder, tree), folder / "image"
        command: tuple[str | Path, ...] = ("mkfs.erofs",)
        if later:
            loader = next(LATER_EROFS.glob("usr/lib*/ld-linux-*.so.*"))
            libraries = next(LATER_EROFS.glob("usr/lib/*-linux-gnu"))
            command = (loader, "--library-path", libraries, LATER_EROFS / "usr/bin/mkfs.erofs")
        _call(*command, "-T0", "-U", UUID, "--all-root", *options, image, root, folder=folder)
        return image.read_bytes()

    return cached(make, tuple(sorted(tree.items())), options, later)


def f2fs(tree: Mapping[str, bytes], packed: str = "", mib: int = 64) -> bytes:
    """An F2FS image as a sparse image: raw it is mostly holes; ``packed`` is a file to be marked as compressed."""

    def make(folder: Path) -> bytes:
        root, image = _lay_out(folder, tree), folder / "image"
        with image.open("wb") as file:
            file.truncate(mib << 20)
        _call(
            "mkfs.f2fs",
            "-q",
            "-f",
            "-r",
            "-T",
            str(DATE),
            "-U",
            UUID,
            "-O",
            "extra_attr,compression",
            image,
            folder=folder,
        )
        _call("sload.f2fs", "-f", root, "-T", str(DATE), "-P", image, folder=folder)
        if packed:
            _mark_packed(image, packed.rpartition("/")[2].encode())
        _call("img2simg", image, folder / "sparse", folder=folder)
        return (folder / "sparse").read_bytes()

    return cached(make, tuple(sorted(tree.items())), packed, mib)


def _mark_packed(image: Path, name: bytes) -> None:
    """Say in the inode of a file that its first cluster is compressed with LZO, as kernels write it.

    sload.f2fs of Debian packs nothing.
    """
    data = bytearray(image.read_bytes())
    inode = data.index(struct.pack("<I", len(name)) + name) - 88
    while inode % 4096:
        inode = data.index(struct.pack("<I", len(name)) + name, inode + 89) - 88
    struct.pack_into("<I", data, inode + 80, 0x4)
    struct.pack_into("<BBHI", data, inode + 392, 0, 2, 0, 0xFFFFFFFE)
    image.write_bytes(data)


def fat(tree: Mapping[str, bytes], kib: int = 48) -> bytes:
    """A FAT12 volume."""

    def make(folder: Path) -> bytes:
        root, image = _lay_out(folder, tree), folder / "image"
        form = ("-F", "12", "-f", "1", "-r", "16", "-s", "1", "-a", "-i", "20200101", "--invariant")
        _call("mkfs.fat", *form, "-C", image, str(kib), folder=folder)
        tops = sorted(root.iterdir())
        _call("mcopy", "-s", "-Q", "-m", "-i", image, *tops, "::", folder=folder)
        return image.read_bytes()

    return cached(make, tuple(sorted(tree.items())), kib)


def lz4(data: bytes) -> bytes:
    """A frame of the lz4 program."""
    return _packed(data, "lz4", "-9", "-c")


def brotli(data: bytes) -> bytes:
    """A stream of the brotli program."""
    return _packed(data, "brotli", "-q", "11", "-c")


def zstd(data: bytes) -> bytes:
    """A frame of the zstd program."""
    return _packed(data, "zstd", "-19", "--single-thread", "-c")


def _packed(data: bytes, *command: str) -> bytes:
    def make(folder: Path) -> bytes:
        (folder / "in").write_bytes(data)
        return subprocess.run([*command, "in"], cwd=folder, capture_output=True, check=True).stdout

    return cached(make, data, command)
