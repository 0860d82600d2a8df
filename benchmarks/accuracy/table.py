"""Renders the committed results as the full document and as the short table of the README."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.accuracy.score import (
    FAMILIES,
    Catalogs,
    Outcome,
    Rate,
    VersionWord,
    Word,
    from_rows,
    is_found,
    is_traced,
    rate,
)

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "accuracy" / "results.json"
DOCUMENT = ROOT / "docs" / "accuracy.md"
COMMAND = "python -m benchmarks.accuracy"
PEER_NAMES = {
    "exodus": "Exodus, its rules",
    "exodus-method": "Exodus' method, ideal rules",
    "blint": "blint, its services",
    "blint-names": "blint, any name it prints",
}
Results = Mapping[str, Any]


def load_results(path: Path = RESULTS) -> Results | None:
    """The committed results, or None before the first run."""
    if not path.exists():
        return None
    results = json.loads(path.read_text(encoding="utf-8"))
    assert isinstance(results, dict)
    return results


def render_results(results: Results) -> str:
    """Results as JSON that diffs well: keys in order, one line per row of a list."""
    lines = [f"{_json(key)}: {_value(results[key])}" for key in sorted(results)]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _value(value: object) -> str:
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(f"  {_json(item)}" for item in value) + "\n]"
    if isinstance(value, dict) and any(isinstance(item, list | dict) for item in value.values()):
        return "{\n" + ",\n".join(f"{_json(key)}: {_value(value[key])}" for key in sorted(value)) + "\n}"
    return _json(value)


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def render_block(results: Results) -> str:
    """The short table of the README: targets, what was reached, and the peers on the same files."""
    outcomes = list(from_rows(results["outcomes"]))
    lines = [*_figure_table(results), "", *_peer_block(results, outcomes), ""]
    apps = len({item.case for item in outcomes})
    lines.append(
        "The second table counts embedded and renamed only, on the apps the peers were asked about; of encrypted apps "
        f"the rest was answered referenced or unknown. {apps} apps built around vendor SDK binaries; truth from "
        "mapping files and link maps; each app is answered without what was learned from the SDK versions in it. "
        "All tables, and what is still not found and why: "
        f"[docs/accuracy.md](docs/accuracy.md). Again: `{COMMAND}`."
    )
    return "\n".join(lines)


def render_document(results: Results) -> str:
    """The whole of docs/accuracy.md."""
    outcomes = list(from_rows(results["outcomes"]))
    told = [item for item in outcomes if item.catalog == Catalogs.WITHOUT]
    parts = [
        ["# Accuracy", "", *_preface(results, outcomes)],
        ["## Targets", "", *_figure_table(results)],
        ["## Android: shrinker and use", "", *_styles(told, "android", is_found)],
        ["## iOS: link style", "", *_ios(told)],
        ["## Versions left out, one at a time", "", *_versions(outcomes)],
        ["## Exact versions", "", *_version_words(told)],
        ["## Peers on the same files", "", *_peers(results, outcomes)],
        ["## Apps that carry nothing", "", *_negatives(results)],
        ["## Cost on the fast path", "", *_cost(results)],
        ["## Not found, and why", "", *_not_found(results, told)],
        ["## What the words mean", "", *_glossary()],
    ]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def grid(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """A Markdown table."""
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for row in rows:
        cells = (str(cell).replace("|", "\\|") for cell in row)
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _preface(results: Results, outcomes: Sequence[Outcome]) -> list[str]:
    apps = {item.case: item for item in outcomes}
    android = sum(item.platform == "android" for item in apps.values())
    part = "a slice of the matrix" if results["slice"] else "the whole matrix"
    return [
        f"Run of {results['date']}: {part}, {android} Android and {len(apps) - android} iOS apps; {results['tool']}, "
        f"catalog {results['catalog'][:12]}; {results['machine']}. This page is generated from "
        f"`benchmarks/accuracy/results.json`, which `{COMMAND}` writes.",
        "",
        "Vendor SDK binaries from pinned packages are built into host apps, with every shrinker or link style. What is "
        "in the output is read from mapping files and link maps, never from the detector. Unless a table says "
        "otherwise, an app is answered without all that was only learned from the SDK versions inside it.",
    ]


def _figure_table(results: Results) -> list[str]:
    shipped = {row["id"]: row["value"] for row in results["figures_shipped"]}
    return grid(
        ("figure", "must reach", "reached", "", "with the shipped catalog"),
        (
            (
                row["name"],
                row["target"],
                row["value"],
                "met" if row["met"] else "**missed**",
                shipped.get(row["id"], ""),
            )
            for row in results["figures"]
        ),
    )


def _styles(told: Sequence[Outcome], platform: str, good: Callable[[Outcome], bool]) -> list[str]:
    """Rows: style and use; columns: families; cells: k of n of what is in the apps."""
    inside = [item for item in told if item.platform == platform and item.embedded]
    keys = sorted({(item.style, item.use) for item in inside})
    rows = []
    for style, use in keys:
        here = [item for item in inside if (item.style, item.use) == (style, use)]
        cells = [_cell(rate((item for item in here if item.family == family), good)) for family in FAMILIES]
        nameless = [item for item in here if item.named == 0]
        rows.append((style, use, *cells, _cell(rate(nameless, good))))
    return grid(("style", "use", *FAMILIES, "of these, where no SDK name is left"), rows)


def _cell(value: Rate) -> str:
    if value.n == 0:
        return "–"
    return f"{value.k}/{value.n}" if value.k == value.n else f"**{value.k}/{value.n}**"


def _ios(told: Sequence[Outcome]) -> list[str]:
    plain = [item for item in told if not item.encrypted]
    locked = [item for item in told if item.encrypted and item.platform == "ios"]
    lines = ["Readable executables, embedded or renamed:", "", *_styles(plain, "ios", is_found)]
    if locked:
        lines += ["", "Encrypted executables (FairPlay simulated), embedded or referenced:", ""]
        lines += _styles(locked, "ios", is_traced)
        wrong = sum(item.false_absence for item in locked)
        unknown = sum(item.word == Word.UNKNOWN for item in locked if item.embedded)
        lines += ["", f"Answered unknown: {unknown}. Wrongly answered not found: {wrong}."]
    return lines


def _versions(outcomes: Sequence[Outcome]) -> list[str]:
    rows = []
    inside = [item for item in outcomes if item.embedded and not item.encrypted]
    for platform, family, version in sorted({(item.platform, item.family, item.went_in) for item in inside}):
        here = [item for item in inside if (item.platform, item.family, item.went_in) == (platform, family, version)]
        cells = [_cell(rate((item for item in here if item.catalog == name), is_found)) for name in Catalogs]
        rows.append((platform, family, version, *cells, _fewest_literals(here)))
    head = ("platform", "family", "version in the app", "found without it", "found with it", "fewest literals, without")
    return grid(head, rows)


def _fewest_literals(outcomes: Iterable[Outcome]) -> str:
    """The smallest k of n among apps without an SDK name left: how close the answer was."""
    told = [item.literals for item in outcomes if item.catalog == Catalogs.WITHOUT and item.literals and not item.named]
    return min(told, key=lambda text: (int(text.split("/")[0]), text), default="–")


def _version_words(told: Sequence[Outcome]) -> list[str]:
    rows = []
    for platform, family in sorted({(item.platform, item.family) for item in told if item.states and item.embedded}):
        here = [
            item
            for item in told
            if (item.platform, item.family) == (platform, family) and item.states and item.embedded
        ]
        open_ = [item for item in here if not item.encrypted]
        rows.append(
            (platform, family, len(open_), *(sum(item.version_word == word for item in open_) for word in VersionWord))
        )
    head = ("platform", "family", "apps that hold the literal", *(word.value for word in VersionWord))
    return grid(head, rows)


def _peer_rates(results: Results, told: Sequence[Outcome]) -> Iterator[tuple[str, list[str], int]]:
    """Per peer: k of n by family over what is in the apps, and how often it named what is not."""
    truth = {(item.case, item.family): item for item in told}
    here = [row for row in results["peers"] if (row["case"], row["family"]) in truth]
    for peer in PEER_NAMES:
        rows = [row for row in here if row["peer"] == peer]
        if not rows:
            continue
        cells = []
        for family in FAMILIES:
            words = [row["word"] for row in rows if row["family"] == family and truth[row["case"], family].embedded]
            blank = sorted({word for word in words if word not in ("found", "not found", "failed")})
            cells.append(", ".join(blank) if blank else _cell(Rate(words.count("found"), len(words))))
        wrong = sum(row["word"] == "found" and not truth[row["case"], row["family"]].went_in for row in rows)
        yield peer, cells, wrong


def _own_rates(told: Sequence[Outcome]) -> tuple[list[str], int]:
    cells = [
        _cell(rate((item for item in told if item.embedded and item.family == family), is_found)) for family in FAMILIES
    ]
    return cells, sum(item.word == Word.CONFUSED for item in told)


def _peer_block(results: Results, outcomes: Sequence[Outcome]) -> list[str]:
    rows: list[tuple[object, ...]] = []
    asked = {row["case"] for row in results["peers"]}
    # Side by side means the same files: where the peers saw a part of the apps, our row is about that part.
    outcomes = [item for item in outcomes if not asked or item.case in asked]
    for platform, encrypted in sorted({(item.platform, item.encrypted) for item in outcomes}):
        told = [
            item
            for item in outcomes
            if (item.platform, item.encrypted, item.catalog) == (platform, encrypted, Catalogs.WITHOUT)
        ]
        name = f"{platform}, encrypted" if encrypted else platform
        cells, wrong = _own_rates(told)
        rows.append((name, "auditor", *cells, wrong))
        for peer, cells, wrong in _peer_rates(results, told):
            if not set(cells) <= {"not for this platform", "–"}:
                rows.append((name, PEER_NAMES[peer], *cells, wrong))
    return grid(("platform", "found by", *FAMILIES, "found, but not there"), rows)


def _peers(results: Results, outcomes: Sequence[Outcome]) -> list[str]:
    lines = _peer_block(results, outcomes)
    asked = len({row["case"] for row in results["peers"]})
    lines += ["", f"The peers were asked about {asked} apps: two of each shrinker and use, one of each link style.", ""]
    lines += ["Embedded or renamed only: that an encrypted app was answered *referenced* does not count here.", ""]
    lines += [f"- {PEER_NAMES[peer]}: {note}." for peer, note in sorted(results["peer_notes"].items())]
    lines += [
        "",
        "*Its rules* and *its services* are what the tool says of the family itself; *no rule* means that it never "
        "looks for it. *Ideal rules* and *any name it prints* give a tool more than it has: the packages that truth "
        "goes by (Android) and the SDK's own class names (iOS), searched in all that it lists.",
    ]
    return lines


def _negatives(results: Results) -> list[str]:
    told = results["negatives"]
    if not told:
        return ["Not run."]
    head = (
        "set",
        "files",
        "apps",
        "findings",
        "readable",
        "unknown of these",
        "code gone or damaged",
        "no app",
        "faults",
    )
    names = ("set", "files", "apps", "findings", "readable", "unknown", "unknown_unreadable", "no_app", "faults")
    lines = grid(head, ([row[name] for name in names] for row in told["sets"]))
    lines += ["", f"{told['distinct']['files']} distinct files, {told['distinct']['with_apps']} with an app in them."]
    if told["odd"]:
        lines += ["", "Every file that is not simply answered *not found*:", ""]
        lines += grid(
            ("set", "file", "findings", "why", "readable"),
            (
                (
                    row["set"],
                    f"`{row['file']}`",
                    ", ".join(row["findings"]) or "–",
                    ", ".join([*row["why"], *row["faults"]]),
                    "yes" if row["readable"] else "no",
                )
                for row in told["odd"]
            ),
        )
    return [*lines, "", *(f"- not fetched: {text}" for text in told["missing"])] if told["missing"] else lines


def _cost(results: Results) -> list[str]:
    told = results["cost"]
    if not told:
        return ["Not measured in this run."]
    rows = [*told["files"], told["all"]]
    lines = grid(
        ("file", f"CPU ms at {told['baseline']}", "CPU ms now", "ratio"),
        ((row["file"], row["before_ms"], row["after_ms"], f"{row['ratio']:.2f}") for row in rows),
    )
    lines += [
        "",
        f"Least of alternating runs of whole audits; target ≤ {told['target']:.2f} for all together, median of the "
        f"files {told['median_ratio']:.2f}, largest {told['largest_ratio']:.2f}. Loading the catalog, once per run: "
        f"{told['catalog_loading']['before_ms']} ms before, {told['catalog_loading']['after_ms']} ms now.",
    ]
    return lines


def _not_found(results: Results, told: Sequence[Outcome]) -> list[str]:
    lost = [item for item in told if item.embedded and not is_found(item)]
    kinds: dict[tuple[str, str, str, str, str], list[Outcome]] = {}
    for item in lost:
        kinds.setdefault((item.platform, item.style, item.family, item.word, why_lost(item)), []).append(item)
    lines = grid(
        ("platform", "style", "family", "apps", "SDK classes inside", "answer", "why", "such as"),
        (
            (platform, style, family, len(items), _between(item.classes for item in items), word, why, items[0].case)
            for (platform, style, family, word, why), items in sorted(kinds.items())
        ),
    )
    if not lost:
        lines = ["Nothing of the matrix."]
    wrong = [item for item in told if item.word == Word.CONFUSED]
    lines += [f"- {item.case}: {item.family} was found ({item.grade}) and is not there" for item in wrong]
    return [*lines, "", *(f"- {text}" for text in results["limits"])]


def _between(numbers: Iterable[int]) -> str:
    found = sorted(set(numbers))
    return str(found[0]) if len(found) == 1 else f"{found[0]} to {found[-1]}"


def why_lost(outcome: Outcome) -> str:
    """What stood in the way, as far as the truth tells."""
    names = "no name of it is readable" if outcome.named == 0 else f"{outcome.named} names are readable"
    if outcome.encrypted:
        return f"the code is ciphertext and {names}"
    literals = "and no literal was seen" if not outcome.literals else "and the literals are too few"
    return f"{names} {literals}"


def _glossary() -> list[str]:
    meanings = {
        Word.FOUND: "in the app, and a finding: embedded or renamed",
        Word.REFERENCED: "in the app, but only a reference was seen",
        Word.REIMPLEMENTED: "in the app, but taken for foreign code",
        Word.MENTIONED: "in the app, but only a weak trace was seen",
        Word.MISSED: "in the app, and nothing was seen",
        Word.UNKNOWN: "no answer, and the answer says so",
        Word.CONFUSED: "a finding of an SDK that is not in the app",
        Word.RIGHT_ABSENT: "not in the app, and no finding",
        Word.REMAINS: "it went in, the shrinker left no class of it, and strings of it are still found",
    }
    lines = [f"- **{word}**: {meanings[word]}." for word in Word]
    lines += [
        "- WeChat Pay is part of the WeChat SDK and no confusion beside it; other SDKs of the same vendors are listed "
        "apart by the auditor and are no findings."
    ]
    return lines
