"""The Android half of the matrix: hosts around vendor SDKs, shrunk in every style, with the truth of each app."""

from __future__ import annotations

import functools
import hashlib
import io
import json
import os
import shutil
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.accuracy import android_truth
from benchmarks.accuracy.android_rules import BARE, HOST, SHRINKERS, UNSHRUNK, Style
from benchmarks.accuracy.android_sdks import TRIPLES, Triple
from benchmarks.accuracy.android_tools import (
    KEYS,
    PINS,
    PLATFORM,
    SOURCES,
    STORE,
    AndroidApp,
    ToolError,
    Workshop,
    archive,
    link,
    manifest_xml,
)
from benchmarks.accuracy.cases import Case, Truth
from benchmarks.accuracy.registry import SdkBuild

FOLDER = STORE / "android"
USES = ("payment", "one-call", "everything")
MIN_API = "24"
SLICE_STYLES = ("proguard-keep", "proguard-repackage", "r8-full", "r8-full-repackage", "r8-vendor-rules")

WECHAT_COMPONENTS = (f"{HOST}.wxapi.WXEntryActivity", f"{HOST}.wxapi.WXPayEntryActivity")
QQ_COMPONENTS = ("com.tencent.tauth.AuthActivity", "com.tencent.connect.common.AssistActivity")
ALIPAY_COMPONENTS = tuple(
    f"com.alipay.sdk.{name}"
    for name in (
        "app.H5PayActivity",
        "app.H5AuthActivity",
        "app.PayResultActivity",
        "app.AlipayResultActivity",
        "app.H5OpenAuthActivity",
        "app.APayEntranceActivity",
        "auth.AuthActivity",
    )
)
"""Those that a build has are declared: later archives declare more of them."""
QQ_FILTER = (
    '<intent-filter><action android:name="android.intent.action.VIEW"/>'
    '<category android:name="android.intent.category.DEFAULT"/>'
    '<category android:name="android.intent.category.BROWSABLE"/>'
    '<data android:scheme="tencent222222"/></intent-filter>'
)


@dataclass(frozen=True, slots=True)
class Plan:
    """One app to build."""

    triple: Triple
    style: Style
    use: str

    @property
    def id(self) -> str:
        return f"android-{self.triple.name}-{self.style.name}-{self.use}"


def is_refused(plan: Plan) -> bool:
    """Whether the shrinker itself breaks off: ProGuard 6.2.2 cannot evaluate a method of Alipay 15.8.03."""
    return plan.triple.alipay.version == "15.8.03" and "-optimizationpasses" in plan.style.rules


def plans(*, slice: bool) -> Iterator[Plan]:
    """Name every app of the matrix; the slice has two triples, five shrinkers and two uses."""
    return (plan for plan in _combinations(slice=slice) if not is_refused(plan))


def _combinations(*, slice: bool) -> Iterator[Plan]:
    if slice:
        styles = [style for style in SHRINKERS if style.name in SLICE_STYLES]
        for triple in (TRIPLES[1], TRIPLES[4]):
            yield Plan(triple, UNSHRUNK, "everything")
            yield from (Plan(triple, style, use) for style in styles for use in ("one-call", "payment"))
        return
    yield from (Plan(triple, UNSHRUNK, "everything") for triple in TRIPLES)
    for use in USES:
        yield from (Plan(triple, style, use) for style in SHRINKERS for triple in TRIPLES)
        yield from (Plan(triple, style, use) for style in BARE for triple in (TRIPLES[2], TRIPLES[7]))


@functools.cache
def classes_jar(build: SdkBuild) -> bytes:
    """The class files of an SDK, of the jar inside where the build is an archive; nothing else of it."""
    data = build.read()
    with zipfile.ZipFile(io.BytesIO(data)) as outer:
        inner = outer.read("classes.jar") if "classes.jar" in outer.namelist() else data
    return archive.pack({name: body for name, body in archive.unpack(inner).items() if name.endswith(".class")})


@functools.cache
def components_of(triple: Triple, style: Style) -> tuple[str, ...]:
    """The components that the vendors' documents demand and that these builds have."""
    if not style.declared:
        return ()
    with zipfile.ZipFile(io.BytesIO(classes_jar(triple.alipay))) as opened:
        names = set(opened.namelist())
    alipay = tuple(name for name in ALIPAY_COMPONENTS if name.replace(".", "/") + ".class" in names)
    return (*alipay, *WECHAT_COMPONENTS, *QQ_COMPONENTS)


def host_app(components: tuple[str, ...]) -> AndroidApp:
    """The host as its manifest has it."""
    filters = tuple((name, QQ_FILTER) for name in components if name == QQ_COMPONENTS[0])
    return AndroidApp(HOST, min_sdk=int(MIN_API), declared_only=components, filters=filters)


def host_sources(triple: Triple, use: str) -> dict[str, str]:
    """The host's own code, as {path: text}; WeChat's package is the one of the build."""
    folder = SOURCES / use.replace("-", "_")
    texts = {
        path.name: path.read_text() for path in sorted([*folder.glob("*.java"), *(SOURCES / "host").glob("*.java")])
    }
    if not any(name.startswith("com/tencent/mm/opensdk/") for name in archive.unpack(classes_jar(triple.wechat))):
        texts = {name: text.replace("com.tencent.mm.opensdk.", "com.tencent.mm.sdk.") for name, text in texts.items()}
    return texts


def shrink_jobs(style: Style, folder: str, platform: str, jars: list[str]) -> tuple[str, list[tuple[str, ...]]]:
    """Say what goes into ``rules.pro`` beyond the style's own rules, and which jobs lead to DEX files in ``folder``."""
    libraries = [platform, f"{folder}/stubs.jar"]
    dex = ["--release", "--min-api", MIN_API, *(word for path in libraries for word in ("--lib", path))]
    if style.tool == "d8":
        return "", [("d8", *dex, "--output", folder, *jars)]
    if style.tool == "r8":
        mode = ["--pg-compat"] if style.compat else []
        kept = ["--pg-conf", f"{folder}/rules.pro", "--pg-map-output", f"{folder}/mapping.txt"]
        return "", [("r8", *mode, *dex, *kept, "--output", folder, *jars)]
    more = "".join(f'-injars "{path}"\n' for path in jars) + "".join(f'-libraryjars "{path}"\n' for path in libraries)
    more += f'-outjars "{folder}/shrunk.jar"\n-printmapping "{folder}/mapping.txt"\n'
    return more, [("proguard", f"@{folder}/rules.pro"), ("d8", *dex, "--output", folder, f"{folder}/shrunk.jar")]


def _digest(*inputs: object) -> str:
    return hashlib.sha256(repr(inputs).encode()).hexdigest()


def build_key(plan: Plan) -> str:
    """Tell apart apps that were made of other inputs or by other commands."""
    components = components_of(plan.triple, plan.style)
    sdks = [(build.package.sha256, build.member) for build in plan.triple.builds]
    stubs = [path.read_text() for path in sorted((SOURCES / "stubs").glob("*.java"))]
    commands = shrink_jobs(plan.style, "@", "platform", ["host"])
    texts = (plan.style.config(components), manifest_xml(host_app(components)), host_sources(plan.triple, plan.use))
    return _digest(sdks, stubs, commands, texts, PINS)


def truth_key() -> str:
    """Tell apart truths that were read in another way."""
    return _digest(Path(android_truth.__file__).read_bytes())


def _recorded(plan: Plan) -> dict[str, Any]:
    path = FOLDER / plan.id / "case.json"
    return json.loads(path.read_text()) if path.exists() else {}


class Builder:
    """Builds what the folder does not hold yet."""

    def __init__(self, workshop: Workshop) -> None:
        self._shop = workshop
        self._hosts: dict[tuple[Triple, str], bytes] = {}
        self._stubs = b""

    def holds(self, plan: Plan) -> bool:
        """Whether the folder has this app, made of the same inputs."""
        return bool(_recorded(plan).get("build") == build_key(plan))

    def case(self, plan: Plan) -> Case:
        """The app and its truths, from the folder where the inputs are still the same.

        Raises:
            ToolError: a compiler or shrinker refuses the app.
            OutOfReachError: a package cannot be fetched.
        """
        folder = FOLDER / plan.id
        known = _recorded(plan)
        key = build_key(plan)
        if known.get("build") != key:
            seconds = self._build(plan, folder)
            known = {"build": key, "seconds": seconds}
        if known.get("truth") != truth_key():
            known |= {"truth": truth_key(), "truths": [asdict(item) for item in self._truths(plan, folder)]}
            (folder / "case.json").write_text(json.dumps(known, indent=1) + "\n")
        truths = tuple(Truth(**item) for item in known["truths"])
        return Case(plan.id, "android", folder / "app.apk", plan.style.name, plan.use, truths)

    def _build(self, plan: Plan, target: Path) -> float:
        begun = time.monotonic()
        folder = self._shop.folder / "job"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        jars = [folder / "host.jar", *(folder / f"{build.family}.jar" for build in plan.triple.builds)]
        for path, build in zip(jars[1:], plan.triple.builds, strict=True):
            path.write_bytes(classes_jar(build))
        (folder / "stubs.jar").write_bytes(self._compiled_stubs())
        jars[0].write_bytes(self._compiled_host(plan, jars[1:]))
        components = components_of(plan.triple, plan.style)
        more, jobs = shrink_jobs(plan.style, str(folder), str(PLATFORM.fetch()), [str(path) for path in jars])
        (folder / "rules.pro").write_text(plan.style.config(components) + more)
        for job in jobs:
            self._shop.run(*job)
        dex = {path.name: path.read_bytes() for path in sorted(folder.glob("classes*.dex"))}
        members = {**link(host_app(components)), **dex}
        (folder / "unsigned.apk").write_bytes(archive.pack(members, stored=("resources.arsc",)))
        keys = (KEYS / "test-key-a.pk8", KEYS / "test-key-a.x509.pem")
        self._shop.run("sign", *keys, folder / "unsigned.apk", folder / "app.apk")
        fresh = target.with_name(f"{target.name}.{os.getpid()}")
        fresh.mkdir(parents=True)
        for name in ("app.apk", "mapping.txt"):
            if (folder / name).exists():
                shutil.copyfile(folder / name, fresh / name)
        shutil.rmtree(target, ignore_errors=True)
        fresh.rename(target)
        return round(time.monotonic() - begun, 1)

    def _compiled(self, texts: dict[str, str], path: list[Path]) -> bytes:
        sources, classes = self._shop.folder / "sources", self._shop.folder / "classes"
        for folder in (sources, classes):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        for name, text in texts.items():
            (sources / name).write_text(text)
        options = ["-nowarn", "-g:none", "-Xlint:-options", "--release", "8", "-d", str(classes)]
        words = [str(sources / name) for name in sorted(texts)]
        self._shop.run("javac", *options, "-cp", ":".join(map(str, path)), *words)
        found = sorted(classes.rglob("*.class"))
        return archive.pack({str(file.relative_to(classes)): file.read_bytes() for file in found})

    def _compiled_stubs(self) -> bytes:
        if not self._stubs:
            texts = {path.name: path.read_text() for path in (SOURCES / "stubs").glob("*.java")}
            self._stubs = self._compiled(texts, [PLATFORM.fetch()])
        return self._stubs

    def _compiled_host(self, plan: Plan, sdks: list[Path]) -> bytes:
        made = self._hosts.get((plan.triple, plan.use))
        if made is None:
            path = [PLATFORM.fetch(), sdks[0].with_name("stubs.jar"), *sdks]
            made = self._compiled(host_sources(plan.triple, plan.use), path)
            self._hosts[plan.triple, plan.use] = made
        return made

    def _truths(self, plan: Plan, folder: Path) -> list[Truth]:
        """Ask dexdump and the mapping file what the app still has of each SDK."""
        work = self._shop.folder / "truth"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        members = archive.unpack((folder / "app.apk").read_bytes())
        dex_files = [work / name for name in sorted(members) if name.endswith(".dex")]
        for path in dex_files:
            path.write_bytes(members[path.name])
        mapping = folder / "mapping.txt"
        text = mapping.read_text() if mapping.exists() else ""
        output = android_truth.defined_classes(dex_files)
        truths = []
        for build in plan.triple.builds:
            (work / "sdk.jar").write_bytes(classes_jar(build))
            truths.append(android_truth.truth_of(build, work / "sdk.jar", dex_files, text, output))
        return truths


def build_android(slice: bool) -> list[Case]:
    """Build the matrix, or a slice of it; what was built before is taken as it is.

    Raises:
        ToolError: a compiler or shrinker refuses an app.
        OutOfReachError: a package cannot be fetched.
    """
    with Workshop() as workshop:
        builder = Builder(workshop)
        return [builder.case(plan) for plan in plans(slice=slice)]


def built_android() -> list[Case]:
    """Those apps of the matrix that the folder already holds; nothing is built or fetched for them but SDK packages."""
    with Workshop() as workshop:
        builder = Builder(workshop)
        return [builder.case(plan) for plan in plans(slice=False) if builder.holds(plan)]


def main(words: list[str]) -> int:
    """Build and say of every app what is left of each SDK."""
    failures = 0
    with Workshop() as workshop:
        builder = Builder(workshop)
        for plan in plans(slice="--slice" in words):
            try:
                case = builder.case(plan)
            except ToolError as error:
                failures += 1
                print(f"{plan.id}: FAILED {error}", flush=True)
                continue
            left = " ".join(f"{item.family}={item.classes}/{item.named}/{item.states or '-'}" for item in case.truths)
            print(f"{plan.id}: {left}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
