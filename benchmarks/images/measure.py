"""Read every app out of an image and where it lies, in turn, and compare the times.

Both sides do the least that reading can mean, each byte copied once into a small buffer: what a scan does with the
bytes afterwards is the same on both sides and would only hide a difference. A second pair hashes them, as a scan does.
Everything lies in the page cache, so the processor is what limits both; its time is compared, which other work on the
machine changes less than the time on the wall.
"""

from __future__ import annotations

import hashlib
import mmap
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from auditor.formats.file_system import FileSystem, NodeKind
from auditor.formats.source import BlobSource, Source

Parse = Callable[[Source], FileSystem]
_BUFFER_SIZE = 128 << 10
"""What cat reads at once."""


class ContentError(Exception):
    """An image does not give back the apps that were put into it."""


class Copy:
    """Takes bytes by copying them."""

    def __init__(self) -> None:
        self._buffer = memoryview(bytearray(_BUFFER_SIZE))
        self.size = 0

    def update(self, piece: bytes | memoryview) -> None:
        """Copy one piece, part by part over the last one."""
        view = memoryview(piece)
        for start in range(0, len(view), _BUFFER_SIZE):
            part = view[start : start + _BUFFER_SIZE]
            self._buffer[: len(part)] = part
        self.size += len(view)


class Hash:
    """Takes bytes by hashing them."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.size = 0

    def update(self, piece: bytes | memoryview) -> None:
        """Hash one piece."""
        self._hash.update(piece)
        self.size += len(piece)


Taker = Copy | Hash


@dataclass(frozen=True, slots=True)
class Figure:
    """One comparison."""

    image: str
    work: str
    image_seconds: float
    """Median over the rounds: opened, walked and every app read."""
    files_seconds: float
    ratio: float
    """Median of the ratios of the rounds, each of two runs side by side."""
    lowest_ratio: float
    highest_ratio: float
    target: float | None
    """None: told for orientation."""

    @property
    def is_met(self) -> bool:
        """Whether the median is within the target."""
        return self.target is None or self.ratio <= self.target


def read_files(paths: Sequence[Path], taker: Taker) -> None:
    """Read files the way cat does."""
    buffer = memoryview(bytearray(_BUFFER_SIZE))
    for path in paths:
        with path.open("rb", buffering=0) as file:
            if isinstance(taker, Copy):
                # Reading is the copy already.
                while size := file.readinto(buffer):
                    taker.size += size
            else:
                while size := file.readinto(buffer):
                    taker.update(buffer[:size])


def read_image(image: Path, parse: Parse, taker: Taker) -> None:
    """Map an image, walk its tree, and read every app in it."""
    with image.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        system = parse(BlobSource(data))
        pending = [system.root]
        while pending:
            for node in system.list(pending.pop()).nodes:
                if node.kind is NodeKind.DIRECTORY:
                    pending.append(node)
                elif node.name.endswith(".apk"):
                    for piece in system.chunks(node):
                        taker.update(piece)
                        del piece


def _seconds(act: Callable[[], None]) -> float:
    begin = time.process_time()
    act()
    return time.process_time() - begin


def compare(
    name: str, image: Path, parse: Parse, paths: Sequence[Path], kind: type[Taker], rounds: int, target: float | None
) -> Figure:
    """Run both sides in turn, once without counting, and change which one goes first with each round.

    Raises:
        ContentError: the image gives other amounts than the files.
    """
    pairs = []
    for number in range(rounds + 1):
        inside, outside = kind(), kind()
        sides = (partial(read_image, image, parse, inside), partial(read_files, paths, outside))
        spent = {side: _seconds(sides[side]) for side in ((0, 1) if number % 2 == 0 else (1, 0))}
        if inside.size != outside.size:
            raise ContentError(f"{name} gives {inside.size} bytes of {outside.size}")
        pairs.append((spent[0], spent[1]))
    counted = pairs[1:]
    ratios = [image_seconds / files_seconds for image_seconds, files_seconds in counted]
    return Figure(
        image=name,
        work="copied" if kind is Copy else "hashed",
        image_seconds=round(statistics.median(pair[0] for pair in counted), 4),
        files_seconds=round(statistics.median(pair[1] for pair in counted), 4),
        ratio=round(statistics.median(ratios), 3),
        lowest_ratio=round(min(ratios), 3),
        highest_ratio=round(max(ratios), 3),
        target=target,
    )
