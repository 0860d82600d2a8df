"""The files that stand for apps, and the images that hold them: made once, kept in a folder that git ignores."""

from __future__ import annotations

import random
import shutil
import subprocess
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STORE = ROOT / ".vendor" / "images"
SEED = 20260101
APPS = 40
SMALLEST_SIZE, LARGEST_SIZE = 4_000_000, 20_000_000
"""An app is packed, so its bytes are random; sizes are spread evenly."""
RECORDS = 100
RECORD_SIZE = 2_000
"""Small files between the apps, which are walked past and not read."""
_COPY_SIZE = 4 << 20


class NoToolError(Exception):
    """A tool that makes the images is not installed."""


def make_apps(folder: Path, apps: int = APPS, largest_size: int = LARGEST_SIZE) -> list[Path]:
    """Write the tree of a device, once; say where its apps are."""
    tree = folder / "tree"
    if not tree.is_dir():
        source = random.Random(SEED)
        fresh = folder / "fresh"
        shutil.rmtree(fresh, ignore_errors=True)
        for number in range(apps):
            name = f"com.example.app{number:02}"
            place = fresh / f"data/app/~~{source.randbytes(8).hex()}==" / f"{name}-{source.randbytes(8).hex()}=="
            place.mkdir(parents=True)
            least = min(SMALLEST_SIZE, largest_size // 2)
            (place / "base.apk").write_bytes(source.randbytes(source.randint(least, largest_size)))
        records = fresh / "data/system"
        records.mkdir(parents=True)
        for number in range(RECORDS):
            (records / f"record{number:03}.xml").write_bytes(source.randbytes(RECORD_SIZE))
        fresh.rename(tree)
    return sorted(tree.rglob("*.apk"))


def make_ext4(folder: Path) -> Path:
    """An ext4 image of the tree, in the way Android builds make one.

    Raises:
        NoToolError: mkfs.ext4 is missing.
    """
    image = folder / "data.ext4"
    if not image.is_file():
        tool = shutil.which("mkfs.ext4")
        if tool is None:
            raise NoToolError("mkfs.ext4 is not installed")
        content = sum(path.stat().st_size for path in (folder / "tree").rglob("*") if path.is_file())
        blocks = content * 11 // 10 // 4096 + 20_000
        fresh = image.with_suffix(".fresh")
        fresh.unlink(missing_ok=True)
        words = [tool, "-q", "-F", "-b", "4096", "-d", str(folder / "tree"), str(fresh), str(blocks)]
        subprocess.run(words, check=True, capture_output=True)
        _copy(fresh, image)
        fresh.unlink()
    return image


def make_tar(folder: Path) -> Path:
    """A plain tar archive of the tree."""
    image = folder / "data.tar"
    if not image.is_file():
        fresh = image.with_suffix(".fresh")
        with tarfile.open(fresh, "w", format=tarfile.PAX_FORMAT) as archive:
            archive.add(folder / "tree", arcname=".")
        _copy(fresh, image)
        fresh.unlink()
    return image


def _copy(source: Path, target: Path) -> None:
    """Write a file anew from begin to end, as an image arrives: that decides how the system keeps it in memory."""
    with source.open("rb") as reading, target.open("wb") as writing:
        shutil.copyfileobj(reading, writing, _COPY_SIZE)
