"""iOS apps from source: bundle folders with Info.plist, executables, frameworks and extensions, packed as .ipa."""

from __future__ import annotations

import plistlib
from dataclasses import dataclass, field, replace
from typing import Any

from recipes import archive
from recipes.macho import Code, fat, macho
from recipes.toolchain import KEYS, cached, run


@dataclass(frozen=True)
class Framework:
    """An embedded dynamic framework."""

    name: str
    classes: tuple[str, ...] = ()
    strings: tuple[str, ...] = ()
    bundle_id: str = ""
    version: str = "1.0"


@dataclass(frozen=True)
class IosApp:
    """One bundle; every class named here is written by us and does nothing."""

    bundle_id: str
    name: str = "Sample"
    version: str = "1.0"
    code: Code = field(default_factory=Code)
    schemes: tuple[str, ...] = ()
    queries: tuple[str, ...] = ()
    plist: dict[str, Any] = field(default_factory=dict, hash=False)
    frameworks: tuple[Framework, ...] = ()
    extensions: tuple[IosApp, ...] = ()
    watch: tuple[IosApp, ...] = ()
    clips: tuple[IosApp, ...] = ()
    files: tuple[tuple[str, bytes], ...] = ()
    binary_plist: bool = False
    simulator_slice: bool = False
    executable: bytes | None = None
    """Bytes to use in place of the linked executable."""

    @property
    def executable_name(self) -> str:
        return self.bundle_id.rpartition(".")[2].capitalize()


def info_plist(app: IosApp) -> bytes:
    """Write Info.plist."""
    values: dict[str, Any] = {
        "CFBundleIdentifier": app.bundle_id,
        "CFBundleExecutable": app.executable_name,
        "CFBundleName": app.name,
        "CFBundleDisplayName": app.name,
        "CFBundlePackageType": "APPL",
        "CFBundleShortVersionString": app.version,
        "CFBundleVersion": app.version + ".1",
        "CFBundleSupportedPlatforms": ["iPhoneOS"],
        "DTPlatformName": "iphoneos",
        "MinimumOSVersion": "13.0",
        "UIDeviceFamily": [1, 2],
    }
    if app.schemes:
        values["CFBundleURLTypes"] = [{"CFBundleURLName": app.bundle_id, "CFBundleURLSchemes": list(app.schemes)}]
    if app.queries:
        values["LSApplicationQueriesSchemes"] = list(app.queries)
    values.update(app.plist)
    return plistlib.dumps(values, fmt=plistlib.FMT_BINARY if app.binary_plist else plistlib.FMT_XML)


def executable(app: IosApp) -> bytes:
    """Link the app's main executable."""
    if app.executable is not None:
        return app.executable
    code = replace(app.code, libraries=tuple(item.name for item in app.frameworks))
    thin = macho(code)
    return fat(thin, macho(replace(code, arch="x86_64"))) if app.simulator_slice else thin


def framework_members(item: Framework) -> dict[str, bytes]:
    """Return the files of one framework, relative to Frameworks/."""
    code = Code(item.classes, strings=item.strings, install_name=f"@rpath/{item.name}.framework/{item.name}")
    values = {
        "CFBundleIdentifier": item.bundle_id or f"com.example.{item.name}",
        "CFBundleExecutable": item.name,
        "CFBundlePackageType": "FMWK",
        "CFBundleShortVersionString": item.version,
    }
    folder = f"{item.name}.framework/"
    return {folder + "Info.plist": plistlib.dumps(values), folder + item.name: macho(code)}


def bundle(app: IosApp) -> dict[str, bytes]:
    """Return the files of an app bundle, relative to it."""
    out = {"Info.plist": info_plist(app), app.executable_name: executable(app), "PkgInfo": b"APPL????"}
    for item in app.frameworks:
        out.update({f"Frameworks/{name}": data for name, data in framework_members(item).items()})
    nested = (("PlugIns", "appex", app.extensions), ("Watch", "app", app.watch), ("AppClips", "app", app.clips))
    for folder, suffix, inner_apps in nested:
        for inner in inner_apps:
            place = f"{folder}/{inner.executable_name}.{suffix}/"
            out.update({place + name: data for name, data in bundle(inner).items()})
    out.update(app.files)
    return out


def ipa(app: IosApp, *, root_files: dict[str, bytes] | None = None) -> bytes:
    """Pack an app as .ipa."""
    place = f"Payload/{app.executable_name}.app/"
    members = {place + name: data for name, data in bundle(app).items()}
    return archive.pack({**members, **(root_files or {})})


def app_zip(app: IosApp) -> bytes:
    """Pack the .app folder itself, as build servers hand it out."""
    return archive.pack({f"{app.executable_name}.app/{name}": data for name, data in bundle(app).items()})


def cms(content: bytes, *, detached: bool, key: str = "a") -> bytes:
    """Sign bytes as CMS with a test key, without signed attributes: no time of signing inside."""
    pem = (KEYS / f"test-key-{key}.x509.pem").read_bytes()
    pkcs8 = (KEYS / f"test-key-{key}.pk8").read_bytes()

    def make(folder: Any) -> bytes:
        (folder / "content").write_bytes(content)
        (folder / "cert.pem").write_bytes(pem)
        (folder / "key.pk8").write_bytes(pkcs8)
        mode = [] if detached else ["-nodetach"]
        command = ["openssl", "cms", "-sign", "-binary", "-noattr", "-outform", "DER", "-md", "sha256", *mode]
        files = ["-signer", "cert.pem", "-inkey", "key.pk8", "-keyform", "DER", "-in", "content", "-out", "out"]
        run(*command, *files, cwd=folder)
        data: bytes = (folder / "out").read_bytes()
        return data

    return cached(make, content, detached, key)
