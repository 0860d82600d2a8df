"""Small whole apps from the other builders: APKs and splits, bundles of them, and iOS application bundles."""

from __future__ import annotations

import os
import plistlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.builders.apk_signatures import Draft, identity, sign_apk
from tests.builders.axml import Node, Plain, axml, el
from tests.builders.axml import manifest as _manifest
from tests.builders.dex import build_dex
from tests.builders.macho import Image
from tests.builders.protobuf import proto_xml
from tests.builders.zips import Member, build_zip

V2 = 0x7109871A


def dex(*classes: str) -> bytes:
    """A DEX file that defines classes, given by their dotted names."""
    return build_dex([f"L{name.replace('.', '/')};" for name in classes])


def declared(
    package: str = "com.example.app",
    *elements: Node,
    split: str = "",
    version: int = 7,
    has_code: bool = True,
    **attributes: Plain,
) -> bytes:
    """A binary manifest; ``elements`` stand in its application element."""
    if split:
        attributes["split_"] = split
    application = el("application", *elements) if has_code else el("application", *elements, hasCode=False)
    return axml(_manifest(application, package=package, versionCode=version, **attributes))


def members_of(files: Mapping[str, bytes]) -> list[Member]:
    return [Member(name.encode("utf-8", "surrogateescape"), content) for name, content in files.items()]


def archive(files: Mapping[str, bytes], method: int = 8) -> bytes:
    """A zip archive of files."""
    return build_zip(*(Member(item.name, item.content, method) for item in members_of(files)))


def apk(manifest: bytes | None = None, files: Mapping[str, bytes] | None = None, *, code: bytes | None = None) -> bytes:
    """An unsigned APK with one plain class; an empty ``code`` leaves classes.dex out."""
    content = {"AndroidManifest.xml": declared() if manifest is None else manifest}
    if code != b"":
        content["classes.dex"] = dex("com.example.app.Main") if code is None else code
    return archive({**content, **(files or {})})


def split(
    name: str, package: str = "com.example.app", version: int = 7, files: Mapping[str, bytes] | None = None
) -> bytes:
    """A split APK without code unless ``files`` brings some."""
    return apk(declared(package, split=name, version=version, has_code=False), files, code=b"")


def signed(files: Mapping[str, bytes], key: str = "first") -> bytes:
    """An APK with a v2 signature by a key of this name."""
    return sign_apk({V2: [Draft(identity(key))]}, members_of(files))


def aab(
    files: Mapping[str, bytes] | None = None, manifest: bytes | None = None, modules: Mapping[str, bytes] | None = None
) -> bytes:
    """An app bundle with one plain class; ``modules`` gives further manifests by module."""
    own = manifest if manifest is not None else module("com.example.app")
    manifests = {
        f"{name}/manifest/AndroidManifest.xml": each for name, each in {"base": own, **(modules or {})}.items()
    }
    code = {"base/dex/classes.dex": dex("com.example.app.Main")}
    return archive({"BundleConfig.pb": b"", **manifests, **code, **(files or {})})


def module(package: str, *elements: Node, split: str = "", **attributes: Plain) -> bytes:
    """The protobuf manifest of a module; ``attributes`` are the application's."""
    more: dict[str, Plain] = {"split_": split} if split else {}
    return proto_xml(_manifest(el("application", *elements, **attributes), package=package, versionCode=7, **more))


def info_plist(bundle_id: str = "com.example.ios", executable: str = "App", **more: object) -> bytes:
    names = {"CFBundleIdentifier": bundle_id, "CFBundleExecutable": executable, "CFBundlePackageType": "APPL"}
    return plistlib.dumps({**names, **more})


def bundle(files: Mapping[str, bytes] | None = None, **more: object) -> dict[str, bytes]:
    """The files of an iOS application: property list, executable, and what a case adds or replaces."""
    return {"Info.plist": info_plist(**more), "App": Image(classes=["Main"]).build(), **(files or {})}  # type: ignore[arg-type]


def ipa(files: Mapping[str, bytes], beside: Mapping[str, bytes] | None = None, root: str = "Payload/App.app") -> bytes:
    """An IPA of a bundle's files, and of files beside the payload."""
    return archive({**{f"{root}/{name}": content for name, content in files.items()}, **(beside or {})})


def put(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write files below a folder and return it."""
    for name, content in files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    return folder


@contextmanager
def deep_folders(place: Path, depth: int, name: str, content: bytes) -> Iterator[None]:
    """A file below ``depth`` folders called d; removed step by step, as most tools cannot."""
    here = os.open(place, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    with open(os.open(name, os.O_CREAT | os.O_WRONLY, dir_fd=here), "wb") as stream:
        stream.write(content)
    try:
        yield
    finally:
        os.unlink(name, dir_fd=here)
        for _ in range(depth):
            outer = os.open("..", os.O_RDONLY, dir_fd=here)
            os.close(here)
            os.rmdir("d", dir_fd=outer)
            here = outer
        os.close(here)
