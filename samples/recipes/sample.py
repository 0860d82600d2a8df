"""What a sample is, and what must be seen in it and must not; written out as manifest.toml."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

SUBJECTS = (
    "alipay",
    "camscanner",
    "qq-wallet",
    "shareit",
    "tencent-qq",
    "vmate",
    "wechat",
    "wechat-pay",
    "wps-office",
)
HIDDEN_BY_CODE = {
    "android": ("alipay", "camscanner", "qq-wallet", "shareit", "tencent-qq", "wechat", "wps-office"),
    "ios": ("alipay", "camscanner", "qq-wallet", "tencent-qq", "wechat", "wechat-pay", "wps-office"),
}
"""Subjects whose code other apps may carry: what unread code leaves open.

On Android WeChat Pay also needs an activity in the manifest, which can still be read.
"""
FINDING_GRADES = ("verified", "claimed", "impostor", "embedded", "renamed")


@dataclass(frozen=True)
class Expect:
    """One subject that must be seen."""

    subject: str
    role: str
    grade: str
    verdict: str


@dataclass(frozen=True)
class Proof:
    """What one signature must answer; what is left empty is not compared."""

    signature: str
    grade: str
    clauses: tuple[str, ...] = ()
    """Clauses that must hold."""
    without: tuple[str, ...] = ()
    """Clauses that must not: without them it is this clause or tier alone that tells."""
    version: str = ""
    basis: str = ""
    calls: tuple[str, ...] = ()
    """Calls of the SDK that must be shown."""
    detail: str = ""
    """How the word on the match begins."""


@dataclass(frozen=True)
class Listed:
    """One app that a record must name, for one user."""

    platform: str
    app_id: str
    state: str
    user: str = ""
    version_code: str = ""
    matches: tuple[tuple[str, str], ...] = ()
    """Every (subject, grade) the id and what the record tells of the signer make."""
    finding: bool = False
    """Whether it counts: an app that is there, not leftovers or history."""


@dataclass(frozen=True)
class Record:
    """One record of a device that must be read."""

    kind: str
    completeness: str
    listed: tuple[Listed, ...] = ()
    """Every app it names."""


@dataclass(frozen=True)
class Seen:
    """One app that must come out of a sample."""

    platform: str
    app_id: str
    expect: tuple[Expect, ...] = ()
    """The strongest grade per subject and role; weaker ones may stand beside it."""
    unknown: tuple[str, ...] = ()
    """Subjects whose verdict must be UNKNOWN."""
    absent: tuple[str, ...] = ("*",)
    """Subjects whose verdict must be NOT FOUND; "*" means every one not named elsewhere."""
    vendor: tuple[str, ...] = ()
    """Ids of same-vendor SDKs (role vendor) that must be reported."""
    problems: tuple[str, ...] = ()
    signing: str = ""
    """Signing state where the sample is about it."""
    scheme: str = ""
    facts: tuple[str, ...] = ()
    """Facts that must be read, as KIND VALUE."""
    proofs: tuple[Proof, ...] = ()
    """Answers of single signatures where the sample is about what they rest on."""
    deep: tuple[Proof, ...] = ()
    """The same with ``--deep``; the verdicts above are those without it."""
    place: str = ""
    """Where it lies inside the sample, where that matters: its origin without the sample."""


@dataclass(frozen=True)
class Sample:
    """One committed file or folder of files."""

    path: str
    about: str
    build: Callable[[], bytes]
    apps: tuple[Seen, ...] = ()
    records: tuple[Record, ...] = ()
    """What files that only name apps say, in any order."""
    problems: tuple[str, ...] = ()
    """Problems that belong to no app; where a sample is a carrier or a record, no other code may come."""
    password: str = ""
    """Opens it; made up for the sample."""
    exit_code: int | None = None
    """Of `auditor check` on this file alone; derived from the above unless given."""
    catalog: str = ""
    """Extra signatures folder the sample needs, relative to samples/."""
    scan: str = ""
    """Folder to scan instead of the file; set on the base of a split set."""
    part_of: str = ""
    """Folder the file belongs to; set on the other files of a split set, which are not scanned alone."""
    recipe: str = ""

    @property
    def exit_status(self) -> int:
        """The exit code that follows from the answers."""
        if self.exit_code is not None:
            return self.exit_code
        if any(item.verdict == "present" for app in self.apps for item in app.expect):
            return 1
        if any(item.finding for record in self.records for item in record.listed):
            return 1
        if any(app.unknown for app in self.apps):
            return 3
        return 0 if self.apps else 4


def android(app_id: str, *expect: Expect, **more: object) -> Seen:
    """An Android app that must come out."""
    return Seen("android", app_id, expect, **more)  # type: ignore[arg-type]


def ios(app_id: str, *expect: Expect, **more: object) -> Seen:
    """An iOS app that must come out."""
    return Seen("ios", app_id, expect, **more)  # type: ignore[arg-type]


def code_hidden(platform: str, app_id: str, *expect: Expect, **more: object) -> Seen:
    """An app whose code cannot be read: every subject with an SDK stays unknown unless it is seen."""
    seen = {item.subject for item in expect}
    unknown = tuple(subject for subject in HIDDEN_BY_CODE[platform] if subject not in seen)
    return Seen(platform, app_id, expect, unknown=unknown, absent=("vmate",), **more)  # type: ignore[arg-type]


def listed(app_id: str, state: str = "installed", **more: object) -> Listed:
    """An Android app that a record names, none of the designated ones."""
    return Listed("android", app_id, state, **more)  # type: ignore[arg-type]


def is_app(subject: str, grade: str) -> Expect:
    """The designated app itself."""
    return Expect(subject, "app", grade, "present" if grade in FINDING_GRADES else "not found")


def has_sdk(subject: str, grade: str = "embedded") -> Expect:
    """An SDK of a designated app, or a reference to it."""
    return Expect(subject, "sdk", grade, "present" if grade in FINDING_GRADES else "not found")


def collect(family: Callable[[], Iterable[Sample]]) -> list[Sample]:
    """Run a family of recipes and note its name in each sample."""
    from dataclasses import replace

    name = f"{family.__module__.rpartition('.')[2]}.{family.__name__}"
    return [item if item.recipe else replace(item, recipe=name) for item in family()]


def _quoted(value: object) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(_quoted(item) for item in value) + "]"
    if isinstance(value, Expect):
        names = ("subject", "role", "grade", "verdict")
        return "{ " + ", ".join(f"{name} = {_quoted(getattr(value, name))}" for name in names) + " }"
    if isinstance(value, Proof):
        told = {name: part for name, part in vars(value).items() if part}
        return "{ " + ", ".join(f"{name} = {_quoted(part)}" for name, part in told.items()) + " }"
    return json.dumps(value, ensure_ascii=False)


def _app_lines(app: Seen) -> list[str]:
    lines = ["", "[[sample.app]]", f"platform = {_quoted(app.platform)}", f"app_id = {_quoted(app.app_id)}"]
    if app.expect:
        lines += ["expect = [", *(f"    {_quoted(item)}," for item in app.expect), "]"]
    else:
        lines += ["expect = []"]
    lines += [f"unknown = {_quoted(app.unknown)}", f"absent = {_quoted(app.absent)}"]
    lines += [f"problems = {_quoted(app.problems)}"]
    lines += [f"{key} = {_quoted(getattr(app, key))}" for key in ("vendor", "signing", "scheme") if getattr(app, key)]
    for key in ("facts", "proofs", "deep"):
        if getattr(app, key):
            lines += [f"{key} = [", *(f"    {_quoted(item)}," for item in getattr(app, key)), "]"]
    if app.place:
        lines += [f"place = {_quoted(app.place)}"]
    return lines


def _record_lines(record: Record) -> list[str]:
    lines = ["", "[[sample.record]]", f"kind = {_quoted(record.kind)}"]
    lines += [f"completeness = {_quoted(record.completeness)}", f"apps = {len(record.listed)}"]
    for item in record.listed:
        lines += ["", "[[sample.listed]]", f"record = {_quoted(record.kind)}"]
        lines += [f"{key} = {_quoted(getattr(item, key))}" for key in ("platform", "app_id", "state")]
        lines += [f"{key} = {_quoted(getattr(item, key))}" for key in ("user", "version_code") if getattr(item, key)]
        if item.matches:
            pairs = (f'{{ subject = "{subject}", grade = "{grade}" }}' for subject, grade in item.matches)
            lines += [f"matches = [{', '.join(pairs)}]", f"finding = {_quoted(item.finding)}"]
    return lines


def render_manifest(samples: Iterable[Sample], folder: Path) -> str:
    """Write the manifest; digests are of the files as they lie in ``folder``."""
    lines = ["# Written by samples/build.py; edit the recipes, then run it with --manifest."]
    for item in sorted(samples, key=lambda sample: sample.path):
        digest = hashlib.sha256((folder / item.path).read_bytes()).hexdigest()
        lines += ["", "[[sample]]", f"path = {_quoted(item.path)}", f'sha256 = "{digest}"']
        lines += [f"recipe = {_quoted(item.recipe)}", f"about = {_quoted(item.about)}"]
        lines += [f"exit_code = {item.exit_status}", f"problems = {_quoted(item.problems)}"]
        lines += [
            f"{key} = {_quoted(getattr(item, key))}"
            for key in ("catalog", "scan", "part_of", "password")
            if getattr(item, key)
        ]
        for app in item.apps:
            lines += _app_lines(app)
        for record in item.records:
            lines += _record_lines(record)
    return "\n".join(lines) + "\n"
