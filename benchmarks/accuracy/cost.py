"""What the tiers cost on the fast path: CPU of a whole audit now against the audit of an earlier commit, as a ratio.

Both run in processes of the same kind, alternating, on the same files; of every file the least of all runs counts,
which is what is left when other work on the machine is taken off.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.accuracy.negatives import ANDROID, IOS
from benchmarks.accuracy.registry import OutOfReachError
from benchmarks.accuracy.store import STORE, Real

ROOT = Path(__file__).resolve().parents[2]
BASELINE = "d69eec0"
"""The commit before the tiers."""
FOLDER = STORE / "cost" / "baseline"
TARGET = 1.15
ROUNDS = 5
REPEATS = 3
"""Audits of one file in one process, after one that is not counted."""
SMALLEST_DEX_SIZE = 200_000
"""Below, the start of the run is all that is measured."""
ONLY_IOS = ("ios-app-bootstrap.zip", "UICatalog8.2.app.zip")
MEASURE = """
import json, sys, time
from pathlib import Path
import auditor
from auditor import audit, load_catalog
assert Path(auditor.__file__).resolve().is_relative_to(Path(sys.argv[1]).resolve()), auditor.__file__
begin = time.process_time()
catalog = load_catalog()
loading = time.process_time() - begin
least = {}
for path in sys.argv[3:]:
    list(audit(path, catalog=catalog))
    for _ in range(int(sys.argv[2])):
        begin = time.process_time()
        list(audit(path, catalog=catalog))
        spent = time.process_time() - begin
        least[path] = min(spent, least.get(path, spent))
json.dump({"files": least, "catalog": loading}, sys.stdout)
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one file, or of all."""

    file: str
    before_ms: float
    after_ms: float

    @property
    def ratio(self) -> float:
        return self.after_ms / self.before_ms


def files() -> list[Path]:
    """The real APKs and two iOS apps.

    Raises:
        OutOfReachError: none of them can be fetched.
    """
    found: list[Path] = []
    for real in (*ANDROID, *(item for item in IOS if Path(item.member).name in ONLY_IOS)):
        path = _path(real)
        if path is not None and (real in IOS or dex_size(path) >= SMALLEST_DEX_SIZE):
            found.append(path)
    if not found:
        raise OutOfReachError("no real app can be fetched")
    return found


def dex_size(path: Path) -> int:
    """Bytes of all DEX files of an APK, unpacked."""
    with zipfile.ZipFile(path) as archive:
        return sum(item.file_size for item in archive.infolist() if re.fullmatch(r"classes\d*\.dex", item.filename))


def _path(real: Real) -> Path | None:
    try:
        return real.path()
    except OutOfReachError:
        return None


def baseline() -> Path:
    """The earlier commit, unpacked once.

    Raises:
        OutOfReachError: this is no checkout that holds the commit.
    """
    if not (FOLDER / "auditor").is_dir():
        FOLDER.mkdir(parents=True, exist_ok=True)
        words = ["git", "archive", "--format=tar", BASELINE, "auditor", "signatures"]
        packed = subprocess.run(words, cwd=ROOT, capture_output=True, check=False)
        if packed.returncode != 0:
            raise OutOfReachError(f"commit {BASELINE} is not here: {packed.stderr.decode().strip()[-200:]}")
        subprocess.run(["tar", "-x", "-C", str(FOLDER)], input=packed.stdout, check=True)
    return FOLDER


def measure(say: Callable[[str], None] = lambda text: None, rounds: int = ROUNDS) -> dict[str, object]:
    """CPU before and after, by file, and the ratio of the sums.

    Raises:
        OutOfReachError: there is nothing to compare with, or nothing to read.
    """
    sides = {"before": baseline(), "after": ROOT}
    paths = files()
    least: dict[str, dict[str, float]] = {"before": {}, "after": {}}
    for number in range(rounds):
        # The order changes with each round, so that neither side always runs on the warmer machine.
        for side in sorted(sides, reverse=number % 2 == 1):
            say(f"cost, round {number + 1} of {rounds}: {side}")
            for name, spent in _run(sides[side], paths).items():
                least[side][name] = min(spent, least[side].get(name, spent))
    return table(least["before"], least["after"])


def _run(root: Path, paths: Sequence[Path]) -> dict[str, float]:
    """Seconds of CPU by file; the catalog's own loading under the name ``catalog``.

    Raises:
        RuntimeError: the audit failed, in its own words.
    """
    words = [sys.executable, "-c", MEASURE, str(root), str(REPEATS), *map(str, paths)]
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONHASHSEED": "0"}
    done = subprocess.run(words, cwd=root, env=environment, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode != 0:
        raise RuntimeError(f"the audit at {root.name} failed: {done.stderr.strip()[-500:]}")
    told = json.loads(done.stdout)
    return {**told["files"], "catalog": told["catalog"]}


def table(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, object]:
    """The rows by file, slowest first, with the sum and the ratio that the target is about."""
    names = sorted((name for name in before if name != "catalog"), key=lambda name: (-before[name], name))
    rows = [Cost(label(name), before[name] * 1000, after[name] * 1000) for name in names]
    whole = Cost("all", sum(row.before_ms for row in rows), sum(row.after_ms for row in rows))
    return {
        "baseline": BASELINE,
        "files": [_row(row) for row in rows],
        "all": _row(whole),
        "median_ratio": round(statistics.median(row.ratio for row in rows), 3),
        "largest_ratio": round(max(row.ratio for row in rows), 3),
        "catalog_loading": _row(Cost("catalog", before["catalog"] * 1000, after["catalog"] * 1000)),
        "target": TARGET,
        "met": whole.ratio <= TARGET,
    }


def label(name: str) -> str:
    """A file's name with the start of its package's digest: several apps have the same name."""
    path = Path(name)
    return f"{path.name} ({path.parent.name[:6]})"


def _row(cost: Cost) -> dict[str, object]:
    return {
        "file": cost.file,
        "before_ms": round(cost.before_ms, 1),
        "after_ms": round(cost.after_ms, 1),
        "ratio": round(cost.ratio, 3),
    }
