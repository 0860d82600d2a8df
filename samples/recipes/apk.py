"""Android apps from source: manifest, resources and own empty classes through aapt2, javac, D8 and apksigner."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from recipes import archive
from recipes.toolchain import FRAMEWORK, KEYS, aapt2, cached, jar, run

PLATFORM_STUBS = {
    "android.content.Context": "package android.content; public class Context {}",
    "android.os.Bundle": "package android.os; public class Bundle {}",
    "android.app.Activity": (
        "package android.app; public class Activity extends android.content.Context"
        " { protected void onCreate(android.os.Bundle state) {} }"
    ),
    "android.app.Service": "package android.app; public class Service extends android.content.Context {}",
    "android.app.Application": "package android.app; public class Application extends android.content.Context {}",
    "android.content.ContentProvider": "package android.content; public class ContentProvider {}",
    "android.content.BroadcastReceiver": "package android.content; public class BroadcastReceiver {}",
}
_INTERFACE = re.compile(r"^(I[A-Z]|OfficeService$)")


@dataclass(frozen=True)
class AndroidApp:
    """One app; every class named here is written by us and does nothing."""

    package: str
    label: str = "Sample"
    label_zh: str = ""
    version: str = "1.0"
    version_code: int = 1
    min_sdk: int = 24
    activities: tuple[str, ...] = ()
    """Declared and defined; a name that starts with a dot belongs to the package."""
    services: tuple[str, ...] = ()
    providers: tuple[tuple[str, str], ...] = ()
    """(class, authority), declared and defined."""
    declared_only: tuple[str, ...] = ()
    """Activities that stand in the manifest and nowhere else."""
    classes: tuple[str, ...] = ()
    """Defined, not declared."""
    sources: tuple[tuple[str, str], ...] = ()
    """Defined, not declared: (class, its Java text)."""
    called: tuple[str, ...] = ()
    """Classes the main activity uses without carrying them."""
    strings: tuple[str, ...] = ()
    """String constants of the class ``a.a.b``."""
    manifest: str = ""
    """Further elements below <manifest>."""
    application: str = ""
    """Further elements below <application>."""
    application_class: str = ""
    files: tuple[tuple[str, bytes], ...] = ()
    split: str = ""
    config_for: str | None = None
    """For a configuration split: name of the feature it belongs to, "" for the base."""
    manifest_attributes: str = ""
    has_code: bool = True
    launcher: bool = True
    filters: tuple[tuple[str, str], ...] = field(default=())
    """(activity, XML of its intent filters)."""


def _full(app: AndroidApp, name: str) -> str:
    return app.package + name if name.startswith(".") else name


def _java(name: str, body: str = "", *, parent: str = "") -> str:
    package, _, short = name.rpartition(".")
    head = f"package {package}; " if package else ""
    kind = "interface" if _INTERFACE.match(short) and not parent else "class"
    return f"{head}public {kind} {short}{f' extends {parent}' if parent else ''} {{ {body} }}\n"


def _main_activity(app: AndroidApp) -> str:
    calls = []
    for number, name in enumerate(dict.fromkeys((*app.called, *app.classes))):
        package, _, short = name.rpartition(".")
        if package and short.isidentifier() and "$" not in short:
            value = "null" if _INTERFACE.match(short) else f"new {name}()"
            calls.append(f"{name} v{number} = {value}; keep(v{number});")
    body = "static Object kept; static void keep(Object value) { kept = value; } "
    body += "protected void onCreate(android.os.Bundle state) { super.onCreate(state); " + " ".join(calls) + " }"
    return _java(app.package + ".MainActivity", body, parent="android.app.Activity")


def java_sources(app: AndroidApp) -> tuple[dict[str, str], dict[str, str]]:
    """Return the classes the app carries, and those it is only compiled against."""
    carried: dict[str, str] = {}
    if app.launcher:
        carried[app.package + ".MainActivity"] = _main_activity(app)
    for name in app.activities:
        carried[_full(app, name)] = _java(_full(app, name), parent="android.app.Activity")
    for name in app.services:
        carried[_full(app, name)] = _java(_full(app, name), parent="android.app.Service")
    for name, _ in app.providers:
        carried[_full(app, name)] = _java(_full(app, name), parent="android.content.ContentProvider")
    if app.application_class:
        carried[app.application_class] = _java(app.application_class, parent="android.app.Application")
    for name in app.classes:
        carried.setdefault(name, _java(name))
    if app.strings:
        fields = "".join(f'public static final String s{n} = "{text}"; ' for n, text in enumerate(app.strings))
        carried["a.a.b"] = _java("a.a.b", fields)
    carried.update(app.sources)
    against = {name: _java(name) for name in app.called if name not in carried}
    return carried, {**PLATFORM_STUBS, **against}


def _write_sources(folder: Path, sources: dict[str, str]) -> list[Path]:
    paths = []
    for name, text in sources.items():
        path = folder / (name.replace(".", "/") + ".java")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        paths.append(path)
    return paths


def dex(carried: dict[str, str], against: dict[str, str], min_sdk: int = 24) -> bytes:
    """Compile the carried classes to one DEX file; the others are only on the class path."""

    def make(folder: Path) -> bytes:
        out, lib = folder / "out", folder / "lib"
        out.mkdir()
        lib.mkdir()
        javac = ["javac", "-nowarn", "-g:none", "-Xlint:-options", "--release", "8"]
        run(*javac, "-d", lib, *_write_sources(folder / "against", against))
        run(*javac, "-cp", lib, "-d", out, *_write_sources(folder / "carried", carried))
        classes = sorted(out.rglob("*.class"))
        tool = ["java", "-cp", jar("bundletool-all-1.17.2.jar"), "com.android.tools.r8.D8"]
        run(*tool, "--release", "--min-api", str(min_sdk), "--output", folder, *classes)
        return (folder / "classes.dex").read_bytes()

    return cached(make, sorted(carried.items()), sorted(against.items()), min_sdk)


def _component(app: AndroidApp, tag: str, name: str, inner: str = "", **attributes: str) -> str:
    more = "".join(f" android:{key}={quoteattr(value)}" for key, value in attributes.items())
    return f"<{tag} android:name={quoteattr(_full(app, name))}{more}>{inner}</{tag}>"


def manifest_xml(app: AndroidApp) -> str:
    """Write the manifest as text."""
    launcher = (
        '<intent-filter><action android:name="android.intent.action.MAIN"/>'
        '<category android:name="android.intent.category.LAUNCHER"/></intent-filter>'
    )
    filters = dict(app.filters)
    parts = [_component(app, "activity", ".MainActivity", launcher, exported="true")] if app.launcher else []
    for name in (*app.activities, *app.declared_only):
        parts.append(_component(app, "activity", name, filters.get(name, ""), exported="true"))
    parts += [_component(app, "service", name, filters.get(name, ""), exported="false") for name in app.services]
    parts += [_component(app, "provider", n, authorities=auth, exported="false") for n, auth in app.providers]
    attributes = f' split="{app.split}"' if app.split else ""
    attributes += f' configForSplit="{app.config_for}"' if app.config_for is not None else ""
    own = f" android:name={quoteattr(app.application_class)}" if app.application_class else ""
    own += "" if app.split else ' android:label="@string/app_name"'
    own += "" if app.has_code else ' android:hasCode="false"'
    sdk = f'<uses-sdk android:minSdkVersion="{app.min_sdk}" android:targetSdkVersion="{max(app.min_sdk, 29)}"/>'
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<manifest xmlns:android="http://schemas.android.com/apk/res/android"'
        f' package="{app.package}" android:versionCode="{app.version_code}" android:versionName="{app.version}"'
        f"{attributes}{app.manifest_attributes}>{sdk}"
        '<uses-permission android:name="android.permission.INTERNET"/>'
        f"{app.manifest}<application{own}>{''.join(parts)}{app.application}</application></manifest>\n"
    )


def _strings_xml(label: str) -> str:
    text = escape(label).replace("'", "\\'")
    return f'<resources><string name="app_name">{text}</string></resources>\n'


def link(app: AndroidApp, *options: str) -> dict[str, bytes]:
    """Run aapt2 and return the members it wrote: manifest and resources."""
    text = manifest_xml(app)

    def make(folder: Path) -> bytes:
        compiled = []
        for name, label in {"values": "" if app.split else app.label, "values-zh": app.label_zh}.items():
            if label:
                (folder / "res" / name).mkdir(parents=True)
                (folder / "res" / name / "strings.xml").write_text(_strings_xml(label))
                compiled = ["res.zip"]
        if compiled:
            run(aapt2(), "compile", "--dir", "res", "-o", "res.zip", cwd=folder)
        (folder / "AndroidManifest.xml").write_text(text)
        command = [aapt2(), "link", "-o", "linked.zip", "-I", FRAMEWORK, "--manifest", "AndroidManifest.xml"]
        run(*command, *options, *compiled, cwd=folder)
        return (folder / "linked.zip").read_bytes()

    linked = archive.unpack(cached(make, text, app.split, app.label, app.label_zh, options))
    return dict(sorted(linked.items(), key=lambda item: (item[0] != "AndroidManifest.xml", item[0])))


def members(app: AndroidApp) -> dict[str, bytes]:
    """Return every member of the unsigned APK."""
    out = link(app)
    if app.has_code:
        out["classes.dex"] = dex(*java_sources(app), app.min_sdk)
    out.update(app.files)
    return out


def align(data: bytes) -> bytes:
    """Align stored members to four bytes, as the platform wants."""

    def make(folder: Path) -> bytes:
        (folder / "in.apk").write_bytes(data)
        run("zipalign", "-f", "4", folder / "in.apk", folder / "out.apk")
        return (folder / "out.apk").read_bytes()

    return cached(make, data)


def unsigned(app: AndroidApp) -> bytes:
    """Build the APK without a signature."""
    return align(archive.pack(members(app), stored=("resources.arsc",)))


def key_options(name: str) -> list[str]:
    """Options of apksigner for one of our test keys."""
    return ["--key", str(KEYS / f"test-key-{name}.pk8"), "--cert", str(KEYS / f"test-key-{name}.x509.pem")]


def sign(data: bytes, key: str = "a", *options: str) -> bytes:
    """Sign with a test key; options go to apksigner."""
    return sign_with(data, tuple(key_options(key)), *options)


def sign_with(data: bytes, signers: Iterable[str], *options: str, lineage: bytes = b"") -> bytes:
    """Sign with explicit signer options and, where given, a signing certificate lineage."""
    signers = tuple(signers)

    def make(folder: Path) -> bytes:
        (folder / "in.apk").write_bytes(data)
        words = [*options]
        if lineage:
            (folder / "lineage").write_bytes(lineage)
            words += ["--lineage", str(folder / "lineage")]
        tool = ["java", "-jar", jar("apksigner.jar"), "sign", "--v4-signing-enabled", "false"]
        run(*tool, *words, *signers, "--out", folder / "out.apk", folder / "in.apk")
        return (folder / "out.apk").read_bytes()

    named = [word.replace(str(KEYS), "") for word in signers]
    keys = [path.read_bytes() for path in sorted(KEYS.glob("*.pem"))]
    return cached(make, data, named, options, lineage, keys)


def signed(app: AndroidApp, key: str = "a", *options: str) -> bytes:
    """Build the APK and sign it; v2 and v3 unless options say otherwise."""
    return sign(unsigned(app), key, *options)
