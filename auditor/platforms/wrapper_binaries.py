"""Readers of compiled cross-platform frameworks: Flutter, Unity, .NET."""

from __future__ import annotations

import re

from auditor.errors import FormatError
from auditor.formats.assembly_store import (
    is_assembly_store,
    is_compressed_assembly,
    parse_assembly_store,
    parse_store_manifest,
)
from auditor.formats.blob import Blob
from auditor.formats.dart_snapshot import has_dart_snapshot, parse_dart_snapshot
from auditor.formats.dotnet_metadata import is_pe, parse_dotnet_assembly
from auditor.formats.elf import is_elf
from auditor.formats.flutter_assets import parse_asset_manifest, parse_kernel, parse_notices
from auditor.formats.il2cpp_metadata import parse_il2cpp_metadata
from auditor.formats.macho import find_fat_ranges, is_macho
from auditor.formats.macho_layout import THIN_MAGICS, read_image
from auditor.formats.unity_assemblies import parse_scripting_assemblies
from auditor.limits import Limits
from auditor.platforms.wrapper_reader import WrapperFacts, WrapperReader

_DART_SYMBOL = b"_kDartIsolateSnapshotData"
_NOTICES = ("flutter_assets/NOTICES.Z", "flutter_assets/NOTICES", "flutter_assets/LICENSE")
_ASSET_MANIFESTS = (
    "flutter_assets/AssetManifest.bin",
    "flutter_assets/AssetManifest.bin.json",
    "flutter_assets/AssetManifest.json",
)
_STORE_ENDINGS = (".blob.so", "libassembly-store.so")
_STORE = re.compile(r"(?:.*/)?assemblies(?:\.[^/]+)?\.blob")
_STORE_LIBRARY = re.compile(r"(?:.*/)?lib(?:assemblies\.[^/]+\.blob|assembly-store)\.so")
_ASSEMBLY_LIBRARY = re.compile(r"(?:.*/)?lib_([^/]+)\.dll\.so")
"""One assembly in a library of its own; libraries of satellite assemblies begin with lib-LANGUAGE."""
_PLATFORM_ASSEMBLIES = re.compile(
    r"(?:System|Microsoft|Mono|Java\.Interop|Xamarin\.(?:AndroidX|Google|Kotlin|Android)|UnityEngine|Unity)(?:\..*)?"
    r"|mscorlib|netstandard|WindowsBase",
    re.DOTALL,
)
"""Assemblies of the frameworks themselves, whose many names and strings tell nothing of the app's plugins."""


def _wants_dart(path: str, head: bytes) -> bool:
    if path.endswith("/libapp.so"):
        return is_elf(head)
    return path.endswith("App.framework/App") and is_macho(head)


def _read_dart(data: Blob, path: str, limits: Limits) -> WrapperFacts | None:
    """A library or framework may bear that name and be none of Flutter's."""
    whole = data if isinstance(data, bytes) else bytes(data[:])
    if not has_dart_snapshot(whole):
        if is_macho(whole) and _is_encrypted(whole, limits):
            raise FormatError("the Dart snapshot is encrypted (FairPlay)")
        if _DART_SYMBOL in whole:
            raise FormatError("the symbols of a Dart snapshot are there, the snapshot is not: packed or damaged")
        return None
    found = parse_dart_snapshot(whole, limits)
    return WrapperFacts("flutter", found.packages, found.strings, found.faults)


def _is_encrypted(data: bytes, limits: Limits) -> bool:
    if data[:4] in THIN_MAGICS:
        return read_image(data, 0, len(data), limits).encrypted
    return any(
        read_image(data, offset, size, limits).encrypted
        for offset, size, _ in find_fat_ranges(data, limits)
        if data[offset : offset + 4] in THIN_MAGICS
    )


def _read_notices(data: Blob, path: str, limits: Limits) -> WrapperFacts:
    return WrapperFacts("flutter", parse_notices(data, limits))


def _read_asset_manifest(data: Blob, path: str, limits: Limits) -> WrapperFacts:
    return WrapperFacts("flutter", parse_asset_manifest(data, limits))


def _read_kernel(data: Blob, path: str, limits: Limits) -> WrapperFacts:
    return WrapperFacts("flutter", parse_kernel(data))


def _read_il2cpp(data: Blob, path: str, limits: Limits) -> WrapperFacts:
    found = parse_il2cpp_metadata(data, limits)
    return WrapperFacts("unity-il2cpp", found.assemblies, found.strings, found.faults)


def _read_unity_list(data: Blob, path: str, limits: Limits) -> WrapperFacts:
    """Written for both back ends, so the file does not tell which of the two it is."""
    return WrapperFacts("unity", parse_scripting_assemblies(data, limits))


def _read_store(data: Blob, path: str, limits: Limits) -> WrapperFacts:
    return WrapperFacts("dotnet", _plugins(*parse_assembly_store(data, limits).names))


def _read_store_manifest(data: Blob, path: str, limits: Limits) -> WrapperFacts:
    return WrapperFacts("dotnet", _plugins(*parse_store_manifest(data, limits)))


def _read_assembly_library(data: Blob, path: str, limits: Limits) -> WrapperFacts:
    """The name says which assembly it is; what is inside is compressed."""
    found = _ASSEMBLY_LIBRARY.fullmatch(path)
    return WrapperFacts("dotnet", _plugins(found[1]) if found is not None else ())


def _read_assembly(data: Blob, path: str, limits: Limits) -> WrapperFacts | None:
    framework = "unity-mono" if "Data/Managed/" in path else "dotnet"
    stem = path.rpartition("/")[2].removesuffix(".dll")
    if is_compressed_assembly(data):
        return WrapperFacts(framework, _plugins(stem))
    found = parse_dotnet_assembly(data)
    if found is None:
        return None
    name = found.name or stem
    if _PLATFORM_ASSEMBLIES.fullmatch(name):
        return WrapperFacts(framework, _plugins(name))
    return WrapperFacts(framework, _plugins(name), found.strings, found.faults)


def _plugins(*names: str) -> tuple[str, ...]:
    """Without satellite assemblies, which hold translations only."""
    return tuple(name for name in names if not name.endswith(".resources"))


def _wants_store(path: str, head: bytes) -> bool:
    if path.endswith(".blob"):
        return is_assembly_store(head) and _STORE.fullmatch(path) is not None
    return path.endswith(_STORE_ENDINGS) and is_elf(head) and _STORE_LIBRARY.fullmatch(path) is not None


def _wants_assembly(path: str, head: bytes) -> bool:
    return path.endswith(".dll") and (is_pe(head) or is_compressed_assembly(head))


READERS: tuple[WrapperReader, ...] = (
    WrapperReader(_wants_dart, _read_dart),
    WrapperReader(lambda path, _: path.endswith(_NOTICES), _read_notices, "manifest_size"),
    WrapperReader(lambda path, _: path.endswith(_ASSET_MANIFESTS), _read_asset_manifest, "manifest_size"),
    WrapperReader(lambda path, _: path.endswith("flutter_assets/kernel_blob.bin"), _read_kernel),
    WrapperReader(lambda path, _: path.endswith("Managed/Metadata/global-metadata.dat"), _read_il2cpp),
    WrapperReader(lambda path, _: path.endswith("Data/ScriptingAssemblies.json"), _read_unity_list, "manifest_size"),
    WrapperReader(_wants_store, _read_store),
    WrapperReader(
        lambda path, _: path.endswith("assemblies/assemblies.manifest"), _read_store_manifest, "manifest_size"
    ),
    WrapperReader(
        lambda path, _: path.endswith(".dll.so") and _ASSEMBLY_LIBRARY.fullmatch(path) is not None,
        _read_assembly_library,
    ),
    WrapperReader(_wants_assembly, _read_assembly),
)
