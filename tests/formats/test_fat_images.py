"""Volumes that mkfs.fat and mtools make: every file as it was."""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path

import pytest

from auditor.formats.fat import is_fat, parse_fat
from auditor.formats.file_system import NodeKind
from auditor.formats.source import BlobSource

pytestmark = [
    pytest.mark.images,
    pytest.mark.skipif(shutil.which("mkfs.fat") is None, reason="mkfs.fat is not installed"),
    pytest.mark.skipif(shutil.which("mcopy") is None, reason="mtools are not installed"),
]


@pytest.mark.parametrize(
    ("bits", "size", "words"),
    [
        (12, 4, []),
        (16, 64, []),
        (16, 64, ["-s", "8", "-S", "1024"]),
        (32, 80, []),
        (32, 40, ["-s", "1"]),
        (32, 600, ["-S", "4096"]),
    ],
)
def test_every_file_is_as_it_was(tmp_path: Path, bits: int, size: int, words: list[str]) -> None:
    source = random.Random(bits)
    tree = tmp_path / "tree"
    for number in range(120):
        folder = tree / f"Android/data/com.example.app{number % 5}" / ("deep " * (number % 3) + "x")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"file {number}.apk").write_bytes(
            source.randbytes(source.choice((0, 1, 511, 512, 2048, 9000, 40000)))
        )
    for name in ("UPPER.TXT", "lower.txt", "Mixed.Case.apk", "微信.apk", "n" * 200 + ".apk", "a" * 13, "a" * 26):
        (tree / name).write_bytes(name.encode())
    image = tmp_path / "fat.img"
    with image.open("wb") as file:
        file.truncate(size << 20)
    subprocess.run(["mkfs.fat", "-F", str(bits), *words, str(image)], capture_output=True, check=True)
    top = sorted(str(path) for path in tree.iterdir())
    copied = {"LC_ALL": "C.UTF-8", "MTOOLS_SKIP_CHECK": "1", "PATH": "/usr/bin:/bin"}
    subprocess.run(["mcopy", "-s", "-Q", "-i", str(image), *top, "::"], env=copied, capture_output=True, check=True)
    # A gap in the middle makes the next files lie in pieces.
    subprocess.run(["mdel", "-i", str(image), "::lower.txt"], env=copied, capture_output=True, check=True)
    (tree / "lower.txt").write_bytes(source.randbytes(100_000))
    subprocess.run(["mcopy", "-i", str(image), str(tree / "lower.txt"), "::"], env=copied, check=True)
    data = image.read_bytes()
    assert is_fat(data[:512])
    system = parse_fat(BlobSource(data))
    assert (system.volume.name, system.remarks) == (f"FAT{bits}", ())
    found: dict[str, bytes] = {}
    pending = [("", system.root)]
    while pending:
        path, directory = pending.pop()
        listing = system.list(directory)
        assert listing.faults == ()
        for node in listing.nodes:
            if node.kind is NodeKind.DIRECTORY:
                pending.append((f"{path}{node.name}/", node))
            else:
                found[path + node.name] = b"".join(system.chunks(node))
    wanted = {str(path.relative_to(tree)): path.read_bytes() for path in tree.rglob("*") if path.is_file()}
    assert set(found) == set(wanted)
    assert found == wanted
