"""Makes the images, reads the apps out of them, and prints the ratios: python -m benchmarks.images."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path

from auditor.formats.ext4 import parse_ext4
from auditor.formats.tar import parse_tar
from benchmarks.images.material import STORE, NoToolError, make_apps, make_ext4, make_tar
from benchmarks.images.measure import Copy, Figure, Hash, compare

TARGETS = {"ext4": 1.5, "tar": 1.2}
ROUNDS = 11


def main(words: Sequence[str] | None = None) -> int:
    """Measure; 1 when a ratio misses its target, 2 when the images cannot be made here."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.images", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="counted runs of each side")
    parser.add_argument("--date", type=date.fromisoformat, default=None, help="date of the run, default today")
    parser.add_argument("--machine", default=None, help="words for the machine, default what it says of itself")
    parser.add_argument("--output", type=Path, default=None, help="write the results here as JSON")
    options = parser.parse_args(words)
    try:
        paths, found = measure(STORE, max(options.rounds, 1))
    except NoToolError as error:
        print(f"the images cannot be made here: {error}", file=sys.stderr)
        return 2
    if options.output is not None:
        results = {
            "date": (options.date or date.today()).isoformat(),
            "machine": options.machine or machine(),
            "apps": len(paths),
            "app_bytes": sum(path.stat().st_size for path in paths),
            "rounds": max(options.rounds, 1),
            "figures": [{**asdict(figure), "met": figure.is_met} for figure in found],
        }
        options.output.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(render(found))
    return 0 if all(figure.is_met for figure in found) else 1


def measure(folder: Path, rounds: int) -> tuple[list[Path], list[Figure]]:
    """Make what is missing and compare each kind of image with the files.

    Raises:
        NoToolError: an image cannot be made.
        ContentError: an image gives other amounts than the files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = make_apps(folder)
    images = {"ext4": (make_ext4(folder), parse_ext4), "tar": (make_tar(folder), parse_tar)}
    return paths, [
        compare(name, image, parse, paths, kind, rounds, TARGETS[name] if kind is Copy else None)
        for kind in (Copy, Hash)
        for name, (image, parse) in images.items()
    ]


def machine() -> str:
    """What can be said of the machine without a name or a path."""
    return f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}, Python {platform.python_version()}"


def render(found: Sequence[Figure]) -> str:
    """A table for people."""
    rows = ["| image | each byte | image, s | files, s | ratio | range | target |", "|---|---|---|---|---|---|---|"]
    for item in found:
        target = "" if item.target is None else f"≤ {item.target} {'met' if item.is_met else 'MISSED'}"
        span = f"{item.lowest_ratio:.2f}-{item.highest_ratio:.2f}"
        times = f"{item.image_seconds:.3f} | {item.files_seconds:.3f}"
        rows.append(f"| {item.image} | {item.work} | {times} | {item.ratio:.2f} | {span} | {target} |")
    return "\n".join(rows)


if __name__ == "__main__":
    sys.exit(main())
