"""Builds the matrix, scores it, asks the peers, and prints the table: python -m benchmarks.accuracy."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path

from auditor import Catalog, __version__, audit, load_catalog
from benchmarks.accuracy.cases import Case
from benchmarks.accuracy.cost import measure
from benchmarks.accuracy.limits import LIMITS
from benchmarks.accuracy.negatives import audit_negatives, summary
from benchmarks.accuracy.peers import PeerRun, run_peers, sampled
from benchmarks.accuracy.registry import OutOfReachError
from benchmarks.accuracy.score import Catalogs, Figure, Outcome, as_rows, figures, score
from benchmarks.accuracy.table import (
    DOCUMENT,
    RESULTS,
    Results,
    load_results,
    render_block,
    render_document,
    render_results,
)

PLATFORMS = ("android", "ios")
Say = Callable[[str], None]


def main(words: Sequence[str] | None = None) -> int:
    """Run what the options ask for; 1 when a figure misses its target."""
    options = _parser().parse_args(words)
    if options.render:
        return _render(options.output)
    say: Say = (lambda text: None) if options.quiet else (lambda text: print(text, file=sys.stderr, flush=True))
    try:
        results = run(options, say)
    except OutOfReachError as error:
        print(f"the matrix cannot be built here: {error}", file=sys.stderr)
        return 2
    if options.output is not None:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(render_results(results), encoding="utf-8")
    print(render_document(results) if options.full else render_block(results))
    missed = [row["name"] for row in results["figures"] if not row["met"]]
    for name in missed:
        print(f"missed: {name}", file=sys.stderr)
    return 1 if missed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("--slice", action="store_true", help="a part of the matrix, for at most ten minutes")
    parser.add_argument("--platform", choices=PLATFORMS, action="append", help="only this half of the matrix")
    parser.add_argument("--no-peers", action="store_true", help="do not run exodus-core and blint")
    parser.add_argument("--no-negatives", action="store_true", help="do not audit the apps that carry nothing")
    parser.add_argument("--cost", action="store_true", help="also measure the cost against the earlier commit")
    parser.add_argument("--date", type=date.fromisoformat, default=None, help="date of the run, default today")
    parser.add_argument("--machine", default=None, help="words for the machine, default what it says of itself")
    parser.add_argument("--output", type=Path, default=None, help="write the results here as JSON")
    parser.add_argument("--render", action="store_true", help="only write docs/accuracy.md from the results")
    parser.add_argument("--full", action="store_true", help="print the whole document, not the short table")
    parser.add_argument("--quiet", action="store_true", help="say nothing of the progress")
    return parser


def _render(path: Path | None) -> int:
    results = load_results(path or RESULTS)
    if results is None:
        print(f"there are no results in {path or RESULTS}", file=sys.stderr)
        return 2
    DOCUMENT.write_text(render_document(results), encoding="utf-8")
    print(render_block(results))
    return 0


def run(options: argparse.Namespace, say: Say) -> Results:
    """Everything that the options ask for, as plain data.

    Raises:
        OutOfReachError: the SDK binaries or the tools to build with cannot be had.
    """
    as_of = options.date or date.today()
    catalog = load_catalog()
    cases = build(options.platform or PLATFORMS, slice_=options.slice, say=say)
    outcomes = score_all(cases, catalog, as_of, say)
    peers = PeerRun((), {}) if options.no_peers else run_peers(sampled(cases), say)
    if not options.no_negatives:
        say("apps that carry nothing")
    negatives = {} if options.no_negatives else summary(audit_negatives(catalog, as_of))
    cost = measure(say) if options.cost else {}
    reached = [*figures(outcomes, Catalogs.WITHOUT), *further_figures(negatives, cost)]
    return {
        "tool": f"auditor {__version__}",
        "catalog": catalog.digest,
        "date": as_of.isoformat(),
        "machine": options.machine or machine(),
        "slice": options.slice,
        "figures": [asdict(item) for item in _asked(reached, options.platform or PLATFORMS)],
        "figures_shipped": [
            asdict(item) for item in _asked(figures(outcomes, Catalogs.SHIPPED), options.platform or PLATFORMS)
        ],
        "outcomes": as_rows(outcomes),
        "peers": [asdict(item) for item in peers.answers],
        "peer_notes": dict(peers.notes),
        "negatives": negatives,
        "cost": cost,
        "limits": list(LIMITS),
    }


def _asked(reached: Sequence[Figure], platforms: Sequence[str]) -> list[Figure]:
    """Without the figures of a half that was not built."""
    left_out = {"android": ("android-recall",), "ios": ("ios-recall", "fairplay", "fairplay-absent")}
    dropped = {name for platform_, names in left_out.items() if platform_ not in platforms for name in names}
    return [item for item in reached if item.id not in dropped]


def build(platforms: Sequence[str], *, slice_: bool, say: Say) -> list[Case]:
    """The apps of the matrix, by id.

    Raises:
        OutOfReachError: the SDK binaries or the tools to build with cannot be had.
    """
    cases: list[Case] = []
    if "android" in platforms:
        say("building Android apps")
        from benchmarks.accuracy.android import build_android
        from benchmarks.accuracy.android_tools import ToolError

        try:
            cases += build_android(slice=slice_)
        except ToolError as error:
            raise OutOfReachError(str(error)) from error
    if "ios" in platforms:
        say("building iOS apps")
        from benchmarks.accuracy.ios import build_ios

        try:
            cases += build_ios(slice=slice_)
        except RuntimeError as error:
            raise OutOfReachError(str(error)) from error
    return sorted(cases, key=lambda case: case.id)


def score_all(cases: Sequence[Case], catalog: Catalog, as_of: date, say: Say) -> list[Outcome]:
    """Every case with the shipped catalog and with the one that never saw its versions."""
    from benchmarks.accuracy.leave_out import catalog_without

    outcomes: list[Outcome] = []
    for number, case in enumerate(cases):
        say(f"auditing {number + 1} of {len(cases)}: {case.id}")
        for name, known in ((Catalogs.WITHOUT, catalog_without(catalog, case)), (Catalogs.SHIPPED, catalog)):
            outcomes += score(case, tuple(audit(case.path, catalog=known, as_of=as_of)), name)
    return outcomes


def further_figures(negatives: Results, cost: Results) -> list[Figure]:
    """The figures that come from elsewhere than the matrix."""
    told = []
    if negatives:
        rows = negatives["sets"]
        found = sum(row["findings"] for row in rows)
        real = next((row["apps"] for row in rows if row["set"] == "real"), 0)
        tested = sum(row["apps"] for row in rows if row["set"] != "real")
        readable = sum(row["readable"] for row in rows)
        unknown = sum(row["unknown"] for row in rows)
        name = f"false positives on {real} real unrelated apps and {tested} test apps"
        told.append(Figure("false-positives", name, str(found), "0", found == 0 and real >= 30, float(found)))
        share = unknown / readable if readable else 0.0
        value = f"{share:.3f} ({unknown} of {readable})"
        told.append(Figure("unknown", "UNKNOWN on readable, unpacked ones", value, "≤ 0.01", share <= 0.01, share))
        faults = sum(row["faults"] for row in rows)
        told.append(Figure("faults", "faults of the auditor on the same files", str(faults), "0", not faults, faults))
    if cost:
        ratio = cost["all"]["ratio"]
        name = "cost of the tiers on the fast path, ratio of CPU"
        told.append(Figure("cost", name, f"{ratio:.2f}", f"≤ {cost['target']:.2f}", cost["met"], ratio))
    return told


def machine() -> str:
    """What can be said of the machine without a name or a path."""
    return f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}, Python {platform.python_version()}"


if __name__ == "__main__":
    sys.exit(main())
