"""Apps around real vendor SDK binaries: the SDK is the vendor's, everything around it is ours."""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
sys.path.insert(0, str(SAMPLES))

from recipes import archive  # noqa: E402
from recipes.apk import AndroidApp, java_sources, link, sign  # noqa: E402
from recipes.apk import _write_sources as write_sources  # noqa: E402
from recipes.ipa import IosApp, ipa  # noqa: E402
from recipes.macho import MAIN, _write_stubs  # noqa: E402
from recipes.toolchain import SOURCES, cached, jar, missing_tools, run  # noqa: E402

__all__ = ["AndroidApp", "IosApp", "android_app", "ios_app", "missing_tools"]


def classes_jar(data: bytes, inner: str = "classes.jar") -> bytes:
    """The class files of a .jar, or of the jar inside an .aar."""
    with zipfile.ZipFile(io.BytesIO(data)) as outer:
        return outer.read(inner) if inner in outer.namelist() else data


R8_RULES = """
-dontwarn **
-ignorewarnings
-keep class com.example.vendor.** { *; }
-repackageclasses ''
"""


def _java_library() -> Path:
    """The java.* classes of the installed JDK as a library for R8, which stumbles over the records among them."""
    path = jar("bundletool-all-1.17.2.jar").with_name("java-library.jar")
    if not path.exists():
        home = Path(shutil.which("javac") or "").resolve().parents[1]
        with tempfile.TemporaryDirectory() as folder:
            run("jmod", "extract", "--dir", folder, home / "jmods/java.base.jmod")
            classes = Path(folder) / "classes"
            members = {
                str(file.relative_to(classes)): file.read_bytes()
                for file in sorted((classes / "java").rglob("*.class"))
                if b"java/lang/Record" not in file.read_bytes()
            }
        path.write_bytes(archive.pack(members))
    return path


def android_app(app: AndroidApp, jars: Iterable[bytes], *, shrink: str = "") -> bytes:
    """Dex the app's own classes together with vendor jars, link its manifest, sign with a test key.

    ``shrink`` is Java code of a method that uses the SDKs; with it R8 renames and shrinks in full mode.
    """
    jars = tuple(jars)
    carried, against = java_sources(app)
    if shrink:
        carried["com.example.vendor.Uses"] = f"package com.example.vendor; public class Uses {{ {shrink} }}\n"

    def make(folder: Path) -> bytes:
        inputs: list[Path] = []
        for number, data in enumerate(jars):
            (folder / f"sdk{number}.jar").write_bytes(data)
            inputs.append(folder / f"sdk{number}.jar")
        out, lib = folder / "out", folder / "lib"
        out.mkdir()
        lib.mkdir()
        javac = ["javac", "-nowarn", "-g:none", "-Xlint:-options", "--release", "8"]
        run(*javac, "-d", lib, *write_sources(folder / "against", against))
        path = ":".join(map(str, [lib, *inputs]))
        run(*javac, "-cp", path, "-d", out, *write_sources(folder / "carried", carried))
        run("jar", "cf", folder / "host.jar", "-C", out, ".")
        run("jar", "cf", folder / "lib.jar", "-C", lib, ".")
        tool = ["java", "-Xmx2g", "-cp", jar("bundletool-all-1.17.2.jar")]
        if shrink:
            (folder / "rules.pro").write_text(R8_RULES)
            options = ["--pg-conf", folder / "rules.pro", "--lib", folder / "lib.jar", "--lib", _java_library()]
            tool += ["com.android.tools.r8.R8", *map(str, options)]
        else:
            tool += ["com.android.tools.r8.D8"]
        run(*tool, "--release", "--min-api", "24", "--output", folder, folder / "host.jar", *inputs)
        return archive.pack({path.name: path.read_bytes() for path in sorted(folder.glob("classes*.dex"))})

    dex_files = archive.unpack(cached(make, jars, sorted(carried.items()), sorted(against.items()), shrink, R8_RULES))
    return sign(archive.pack({**link(app), **dex_files}, stored=("resources.arsc",)))


AUTOLINKED = [
    "AVFoundation",
    "Accelerate",
    "CFNetwork",
    "CoreData",
    "CoreGraphics",
    "CoreImage",
    "CoreLocation",
    "CoreMedia",
    "CoreMotion",
    "CoreTelephony",
    "CoreText",
    "CoreVideo",
    "FileProvider",
    "IOSurface",
    "ImageIO",
    "JavaScriptCore",
    "LocalAuthentication",
    "Metal",
    "MobileCoreServices",
    "OpenGLES",
    "QuartzCore",
    "Security",
    "SystemConfiguration",
    "UserNotifications",
    "WebKit",
]
"""Frameworks that the vendors' objects ask the linker for; nothing of them is needed to link."""


def _write_empty_stubs(sdk: Path) -> None:
    for name in AUTOLINKED:
        path = sdk / "System/Library/Frameworks" / f"{name}.framework" / f"{name}.tbd"
        path.parent.mkdir(parents=True, exist_ok=True)
        install = f"/System/Library/Frameworks/{name}.framework/{name}"
        path.write_text(f"--- !tapi-tbd\ntbd-version: 4\ntargets: [ arm64-ios ]\ninstall-name: '{install}'\n...\n")


def ios_app(app: IosApp, libraries: Iterable[bytes], *, strip: tuple[str, ...] = (), dead_strip: bool = False) -> bytes:
    """Link every object of static vendor libraries into the main executable of an .ipa."""
    libraries = tuple(libraries)
    header = (SOURCES / "ios/Foundation.h").read_text()

    def make(folder: Path) -> bytes:
        _write_stubs(folder / "sdk")
        _write_empty_stubs(folder / "sdk")
        (folder / "Foundation.h").write_text(header)
        delegate = "@interface AppDelegate : UIResponder\n@end\n@implementation AppDelegate\n@end\n"
        (folder / "main.m").write_text('#import "Foundation.h"\n' + delegate + MAIN)
        flags = ["-fobjc-runtime=ios-12.0", "-fno-objc-arc", "-Os", "-Wno-objc-root-class"]
        run("clang-14", "-target", "arm64-apple-ios13.0", *flags, "-c", "main.m", "-o", "main.o", cwd=folder)
        words = ["ld64.lld-14", "-arch", "arm64", "-syslibroot", "sdk", "-platform_version", "ios", "13.0", "17.0"]
        words += ["-lSystem", "-lobjc", "-framework", "Foundation", "-framework", "UIKit"]
        words += ["-framework", "CoreFoundation", "-adhoc_codesign", "-undefined", "dynamic_lookup"]
        words += ["-dead_strip"] if dead_strip else []
        for number, data in enumerate(libraries):
            (folder / f"lib{number}.a").write_bytes(data)
            words += ["-force_load", f"lib{number}.a"]
        run(*words, "-o", "out", "main.o", cwd=folder)
        if strip:
            run("llvm-strip-14", *strip, "out", cwd=folder)
        return (folder / "out").read_bytes()

    executable = cached(make, libraries, header, strip, dead_strip)
    return ipa(IosApp(app.bundle_id, app.name, queries=app.queries, schemes=app.schemes, executable=executable))
