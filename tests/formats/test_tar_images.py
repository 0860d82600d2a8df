"""What GNU tar writes, in each of its formats, comes out as it went in."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from auditor.formats.file_system import NodeKind
from auditor.formats.source import BlobSource
from auditor.formats.tar import is_tar, parse_tar

pytestmark = [
    pytest.mark.images,
    pytest.mark.skipif(shutil.which("tar") is None, reason="tar is not installed"),
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tree")
    source = random.Random(11)
    (root / "data").mkdir()
    with (root / "data/holes").open("wb") as file:
        for number in range(100):
            file.seek(number * 200_000)
            file.write(source.randbytes(5000))
        file.truncate(25_000_000)
    with (root / "data/hole").open("wb") as file:
        file.truncate(1_000_000)
    (root / "data" / ("ü" * 45)).write_bytes(source.randbytes(700))
    (root / "data/empty").touch()
    for number in range(300):
        (root / f"data/{number}").write_bytes(source.randbytes(number * 7))
    os.link(root / "data/299", root / "hard")
    (root / "symbolic").symlink_to("data/299")
    os.mkfifo(root / "pipe")
    return root


@pytest.mark.parametrize(
    "options",
    [
        ("--format=v7",),
        ("--format=ustar",),
        ("--format=oldgnu", "-S"),
        ("--format=gnu", "-S"),
        ("--format=posix",),
        ("--format=posix", "-S", "--sparse-version=0.0"),
        ("--format=posix", "-S", "--sparse-version=0.1"),
        ("--format=posix", "-S", "--sparse-version=1.0"),
        ("--format=gnu", "--label=volume", "--blocking-factor=400"),
    ],
    ids=" ".join,
)
def test_every_format(tree: Path, tmp_path: Path, options: tuple[str, ...]) -> None:
    # v7 has no pipes.
    left_out = ["--exclude=./pipe"] if options == ("--format=v7",) else []
    written = tmp_path / "a.tar"
    subprocess.run(["tar", *options, *left_out, "-cf", written, "-C", tree, "."], check=True)
    data = written.read_bytes()
    assert is_tar(data[:512])
    found = parse_tar(BlobSource(data))
    assert found.remarks == ()
    names = {node.name: node for node in found.list(found.root).nodes}
    assert names["symbolic"].kind is NodeKind.LINK
    below = {node.name: node for node in found.list(names["data"]).nodes}
    assert {path.name for path in (tree / "data").iterdir()} == set(below)
    for name, node in below.items():
        assert b"".join(found.chunks(node)) == (tree / "data" / name).read_bytes(), name
    assert b"".join(found.chunks(names["hard"])) == (tree / "hard").read_bytes()


def test_volumes_are_named(tree: Path, tmp_path: Path) -> None:
    big = tmp_path / "big"
    big.write_bytes(bytes(range(256)) * 80)
    options = ["--multi-volume", "--tape-length=15", "--file=1.tar", "--file=2.tar", "--create", "big"]
    subprocess.run(["tar", *options], check=True, cwd=tmp_path)
    first, second = (parse_tar(BlobSource((tmp_path / name).read_bytes())) for name in ("1.tar", "2.tar"))
    assert "continues in another volume" in first.faults[0]
    assert "several volumes" in second.faults[0]
