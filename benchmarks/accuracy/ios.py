"""Builds the iOS half of the matrix: the vendors' libraries in hosts of ours, by link style, with the truth of each.

Everything lies below the ignored folder, in a folder named by the digest of all inputs; a second call only reads it.
"""

from __future__ import annotations

import hashlib
import io
import json
import plistlib
import subprocess
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from benchmarks.accuracy import ios_link
from benchmarks.accuracy.cases import Case, Truth
from benchmarks.accuracy.ios_link import STYLES, USES, Linked, Style, host_executable, link, objects_of
from benchmarks.accuracy.ios_sdks import ALIPAY, IOS_SDKS, QQ, WECHAT
from benchmarks.accuracy.ios_truth import defined_classes
from benchmarks.accuracy.registry import SdkBuild

from recipes.archive import entry  # isort: skip
from recipes.ipa import IosApp, bundle  # isort: skip  (importing ios_link puts the recipes on the path)

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".vendor" / "accuracy" / "ios"
SOURCES = ("ios.py", "ios_link.py", "ios_truth.py", "ios_sdks.py", "registry.py", "cases.py")
RECIPES = ("macho.py", "ipa.py", "archive.py")

USED_STYLES = ("plain", "dead-strip", "stripped", "export-list")
"""Styles built for every use; a use whose link holds the same SDK code as an earlier one is left out."""
ENCRYPTED_STYLES = (
    "plain",
    "dead-strip",
    "stripped",
    "export-list",
    "framework",
    "framework-closed",
    "modern",
    "modern-closed",
)
BARE_STYLES = ("plain", "stripped", "export-list")
BARE_GROUPS = (0, 5, 10)
UNUSED_GROUPS = (0, 5, 10)
SLICE_GROUPS = (10,)

SCHEMES = {
    "alipay": ("examplepay",),
    "wechat": ("wx0123456789abcdef",),
    "tencent-qq": ("tencent101234567", "QQ060a1b2c"),
}
QUERIES = {
    "alipay": ("alipay", "alipays"),
    "wechat": ("weixin", "weixinULAPI", "weixinURLParamsAPI"),
    "tencent-qq": ("mqq", "mqqapi", "mqqopensdkapiV2", "mqqopensdkapiV3", "tim"),
}
BUNDLES = {"alipay": "AlipaySDK.bundle", "tencent-qq": "TencentOpenApi_IOS_Bundle.bundle"}
"""What the vendors' documents tell an app to declare and to copy."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One app to build."""

    id: str
    builds: tuple[SdkBuild, ...]
    style: Style
    use: str = "payment"
    encrypted: bool = False
    declared: bool = True
    """Whether Info.plist and resources are those of an app that follows the vendors' documents."""
    bundles: bool = True


def group_of(number: int) -> tuple[SdkBuild, ...]:
    """The SDKs of one host app: each WeChat build once, the Alipay and QQ builds in turn."""
    return (ALIPAY[number % len(ALIPAY)], WECHAT[number], QQ[number % len(QQ)])


def style_of(name: str) -> Style:
    """The link style of that name."""
    return next(item for item in STYLES if item.name == name)


def plans_of(number: int) -> Iterator[Plan]:
    """The apps of one group, in the order in which they are built."""
    builds, bundles = group_of(number), number % 3 != 2
    for style in STYLES:
        for use in USES if style.name in USED_STYLES else ("payment",):
            yield Plan(f"{number:02}-{style.name}-{use}", builds, style, use, bundles=bundles)
    for name in ENCRYPTED_STYLES:
        yield Plan(f"{number:02}-{name}-fairplay", builds, style_of(name), encrypted=True, bundles=bundles)
    for name in BARE_STYLES if number in BARE_GROUPS else ():
        for encrypted in (False, True):
            bare = replace(style_of(name), name=f"{name}-bare")
            suffix = "-fairplay" if encrypted else ""
            yield Plan(f"{number:02}-{bare.name}{suffix}", builds, bare, encrypted=encrypted, declared=False)
    if number in UNUSED_GROUPS:
        unused = replace(style_of("stripped"), name="unused")
        yield Plan(f"{number:02}-unused", builds[1:], unused, "none", declared=False)


def plans_alone(*, slice: bool) -> Iterator[Plan]:
    """Each build as the only SDK of its app, so that a family taken for another is seen."""
    for build in IOS_SDKS:
        name = f"{build.family}-{build.version.replace(' ', '-')}"
        for encrypted in (False,) if slice else (False, True):
            suffix = "-fairplay" if encrypted else ""
            yield Plan(
                f"alone-{name}{suffix}", (build,), replace(style_of("stripped"), name="alone"), encrypted=encrypted
            )


def plans(*, slice: bool) -> list[Plan]:
    """All apps, or those of the slice."""
    groups = SLICE_GROUPS if slice else range(len(WECHAT))
    return [plan for number in groups for plan in plans_of(number)] + list(plans_alone(slice=slice))


def truth_of(build: SdkBuild, linked: Iterable[Linked]) -> Truth:
    """What the maps of an app's linked files say of one SDK."""
    linked = tuple(linked)
    classes = frozenset().union(*(item.map.classes(build.family) for item in linked))
    readable = frozenset().union(*(item.readable for item in linked))
    literal = b"\0" + build.states.encode() + b"\0"
    states = build.states if classes and any(literal in item.data for item in linked) else ""
    return Truth(build.family, build.version, len(classes), len(classes & readable), states)


def _truth_of_objects(build: SdkBuild) -> Truth:
    with tempfile.TemporaryDirectory() as folder:
        classes = defined_classes(objects_of(build), Path(folder))
    literal = b"\0" + build.states.encode() + b"\0"
    found = any(literal in data for data in objects_of(build).values())
    return Truth(build.family, build.version, len(classes), len(classes), build.states if found else "")


def _frame(plan: Plan) -> IosApp:
    families = [build.family for build in plan.builds] if plan.declared else []
    files = [(f"{BUNDLES[item]}/Info.plist", plistlib.dumps({})) for item in families if item in BUNDLES]
    return IosApp(
        "com.example.host",
        schemes=tuple(scheme for item in families for scheme in SCHEMES[item]),
        queries=tuple(query for item in families for query in QUERIES[item]),
        files=tuple(files) if plan.bundles else (),
    )


def _in_framework(app: IosApp, linked: Linked, *, encrypted: bool) -> IosApp:
    record = {"CFBundleIdentifier": "com.example.Pay", "CFBundleExecutable": "Pay", "CFBundlePackageType": "FMWK"}
    place = "Frameworks/Pay.framework"
    files = ((f"{place}/Info.plist", plistlib.dumps(record)), (f"{place}/Pay", linked.data))
    return replace(app, files=(*app.files, *files), executable=host_executable(framework="Pay", encrypted=encrypted))


def _in_appex(app: IosApp, linked: Linked) -> IosApp:
    record = {
        "NSExtension": {"NSExtensionPointIdentifier": "com.apple.share-services"},
        "CFBundlePackageType": "XPC!",
    }
    inner = IosApp("com.example.host.share", executable=linked.data, plist=record)
    return replace(app, extensions=(inner,), executable=host_executable())


def _with_objects(app: IosApp, builds: Iterable[SdkBuild]) -> IosApp:
    members = (item for build in builds for item in objects_of(build).items())
    return replace(app, files=(*app.files, *((f"Libraries/{name}", data) for name, data in members)))


def _pack(app: IosApp) -> bytes:
    """The .ipa, packed fast: what counts is inside."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in bundle(app).items():
            archive.writestr(entry(f"Payload/{app.executable_name}.app/{name}"), data, compresslevel=1)
    return buffer.getvalue()


def build_app(plan: Plan) -> tuple[bytes, tuple[Truth, ...], frozenset[tuple[str, str]]]:
    """The .ipa, the truth, and the SDK code that the link kept."""
    app = _frame(plan)
    if plan.style.place == "object":
        app = replace(_with_objects(app, plan.builds), executable=host_executable())
        return _pack(app), tuple(_truth_of_objects(build) for build in plan.builds), frozenset()
    linked = link(plan.builds, plan.style, plan.use, encrypted=plan.encrypted)
    if plan.style.place == "framework":
        app = _in_framework(app, linked, encrypted=plan.encrypted)
    elif plan.style.place == "appex":
        app = _in_appex(app, linked)
    else:
        app = replace(app, executable=linked.data)
    kept = frozenset().union(*(linked.map.of_family(build.family) for build in plan.builds))
    return _pack(app), tuple(truth_of(build, [linked]) for build in plan.builds), kept


def input_digest() -> str:
    """Digest of everything an app is made from: pinned packages, our sources, the tools' own versions."""
    digest = hashlib.sha256()
    for build in IOS_SDKS:
        digest.update(repr(build).encode())
    here = Path(__file__).parent
    for path in [*(here / name for name in SOURCES), *(ios_link.SAMPLES / "recipes" / name for name in RECIPES)]:
        digest.update(path.read_bytes())
    for tool in ("clang-14", "ld64.lld-14", "ld64.lld-19", "llvm-strip-14"):
        words = subprocess.run([tool, "--version"], capture_output=True, check=False).stdout.splitlines()
        digest.update(b"\n".join(words[:2]))
    return digest.hexdigest()[:16]


def _load(path: Path) -> list[Case]:
    cases = []
    for record in json.loads(path.read_text()):
        truths = tuple(Truth(**truth) for truth in record.pop("truths"))
        cases.append(Case(path=path.parent / record.pop("path"), truths=truths, **record))
    return cases


def _save(path: Path, cases: Iterable[Case]) -> None:
    records = [{**asdict(case), "path": case.path.name} for case in cases]
    path.write_text(json.dumps(records, indent=1) + "\n")


def build_ios(*, slice: bool) -> list[Case]:
    """The iOS apps with their truths; built once for the same inputs.

    Raises:
        OutOfReachError: a package cannot be fetched.
        RuntimeError: a tool failed.
    """
    folder = FOLDER / input_digest()
    index = folder / ("slice.json" if slice else "full.json")
    if index.exists():
        return _load(index)
    folder.mkdir(parents=True, exist_ok=True)
    cases: list[Case] = []
    seen: set[tuple[str, frozenset[tuple[str, str]]]] = set()
    for plan in plans(slice=slice):
        data, truths, kept = build_app(plan)
        same = (plan.id.removesuffix(plan.use), kept)
        if plan.style.name in USED_STYLES and not plan.encrypted and same in seen:
            continue
        seen.add(same)
        path = folder / f"{plan.id}.ipa"
        path.write_bytes(data)
        cases.append(Case(f"ios-{plan.id}", "ios", path, plan.style.name, plan.use, truths, plan.encrypted))
    _save(index, cases)
    return cases
