"""Apps built with Flutter, Unity or .NET name their plugins; what cannot be read is a problem of its own."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from auditor.errors import FormatError
from auditor.limits import DEFAULT
from auditor.model import Extraction, FactKind, Problem, ProblemCode
from auditor.platforms.search import Search
from auditor.platforms.wrapper_binaries import READERS
from auditor.platforms.wrapper_reader import WrapperFacts
from auditor.scan import extract, open_argument
from tests.builders import macho
from tests.builders.apps import apk, bundle, ipa, put
from tests.builders.dart import build_library, build_notices, build_snapshot
from tests.builders.dotnet import Assembly, build_store, build_store_manifest, native_dll
from tests.builders.elf import build_elf
from tests.builders.il2cpp import build_metadata

TEXTS = ["package:fluwx/fluwx.dart", "com.jarvanmo/fluwx", "some other text"]
SNAPSHOT = build_snapshot(TEXTS)
LIBRARY = build_library(SNAPSHOT)
FRAMEWORK = macho.Image(file_type=macho.DYLIB).build() + bytes(64) + SNAPSHOT
NOTICES = build_notices([(["angle"], "BSD"), (["fluwx", "flutter"], "MIT")])
METADATA = build_metadata(["weixin://"], ["mscorlib.dll", "WeChatSDK.dll", "Pay"])
DLL = Assembly("WeChat.Binding", user_strings=("weixin://",)).build()
STORE = build_store(["WeChat.Binding.dll", "de/WeChat.Binding.resources.dll"])
MANAGED = "assets/bin/Data/Managed"

Case = tuple[str, bytes, str, tuple[str, ...], str]
CASES: dict[str, Case] = {
    "Flutter on Android": ("lib/arm64-v8a/libapp.so", LIBRARY, "flutter", ("fluwx",), "com.jarvanmo/fluwx"),
    "Flutter in a bundle": ("base/lib/armeabi-v7a/libapp.so", LIBRARY, "flutter", ("fluwx",), "some other text"),
    "Flutter on iOS": ("Frameworks/App.framework/App", FRAMEWORK, "flutter", ("fluwx",), "com.jarvanmo/fluwx"),
    "licences": ("assets/flutter_assets/NOTICES.Z", NOTICES, "flutter", ("angle", "flutter", "fluwx"), ""),
    "licences on iOS": (
        "Frameworks/App.framework/flutter_assets/NOTICES.Z",
        NOTICES,
        "flutter",
        ("angle", "flutter", "fluwx"),
        "",
    ),
    "licences of old": ("assets/flutter_assets/LICENSE", b"fluwx\n\nMIT", "flutter", ("fluwx",), ""),
    "assets": ("assets/flutter_assets/AssetManifest.bin", b"\x0dpackages/fluwx/a.png", "flutter", ("fluwx",), ""),
    "kernel": (
        "assets/flutter_assets/kernel_blob.bin",
        b"\x90\xab\xcd\xefpackage:fluwx/a.dart",
        "flutter",
        ("fluwx",),
        "",
    ),
    "IL2CPP on Android": (
        f"{MANAGED}/Metadata/global-metadata.dat",
        METADATA,
        "unity-il2cpp",
        ("WeChatSDK", "mscorlib"),
        "weixin://",
    ),
    "IL2CPP on iOS": (
        "Data/Managed/Metadata/global-metadata.dat",
        METADATA,
        "unity-il2cpp",
        ("WeChatSDK", "mscorlib"),
        "Pay",
    ),
    "assemblies of Unity": (
        "assets/bin/Data/ScriptingAssemblies.json",
        b'{"names":["WeChatSDK.dll"]}',
        "unity",
        ("WeChatSDK",),
        "",
    ),
    "assemblies of Unity on iOS": ("Data/ScriptingAssemblies.json", b'{"names":["A.dll"]}', "unity", ("A",), ""),
    "Mono of Unity": (f"{MANAGED}/WeChat.Binding.dll", DLL, "unity-mono", ("WeChat.Binding",), "weixin://"),
    ".NET on iOS": ("WeChat.Binding.dll", DLL, "dotnet", ("WeChat.Binding",), "PayTask"),
    "Xamarin": ("assemblies/WeChat.Binding.dll", DLL, "dotnet", ("WeChat.Binding",), "weixin://"),
    "Xamarin, packed": ("assemblies/WeChat.Binding.dll", b"XALZ" + bytes(60), "dotnet", ("WeChat.Binding",), ""),
    "MAUI": (
        "lib/arm64-v8a/libassemblies.arm64-v8a.blob.so",
        build_elf(rodata=STORE),
        "dotnet",
        ("WeChat.Binding",),
        "",
    ),
    "MAUI of .NET 10": ("lib/x86/libassembly-store.so", build_elf(rodata=STORE), "dotnet", ("WeChat.Binding",), ""),
    "MAUI, one by one": ("lib/x86/lib_WeChat.Binding.dll.so", build_elf(), "dotnet", ("WeChat.Binding",), ""),
    "store": ("assemblies/assemblies.x86.blob", STORE, "dotnet", ("WeChat.Binding",), ""),
    "first store": ("assemblies/assemblies.blob", build_store(["a"], 1), "dotnet", (), ""),
    "names of the first store": (
        "assemblies/assemblies.manifest",
        build_store_manifest(["WeChat.Binding", "X.resources"]),
        "dotnet",
        ("WeChat.Binding",),
        "",
    ),
}


def read(path: str, data: bytes) -> WrapperFacts | None:
    reader = next(item for item in READERS if item.wants(path, data[:64]))
    return reader.read(data, path, DEFAULT)


def wanted(path: str, data: bytes) -> bool:
    return any(item.wants(path, data[:64]) for item in READERS)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_file_of_a_framework_tells_its_plugins(case: Case) -> None:
    path, data, framework, plugins, text = case
    found = read(path, data)
    assert found is not None
    assert (found.framework, found.plugins, found.faults) == (framework, plugins, ())
    assert (found.strings is not None and text in found.strings) is bool(text)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_limit_of_a_reader_exists(case: Case) -> None:
    reader = next(item for item in READERS if item.wants(case[0], case[1][:64]))
    assert getattr(DEFAULT, reader.limit) > len(case[1])


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("lib/arm64-v8a/libwebapp.so", LIBRARY),
        ("lib/arm64-v8a/libapp.so", b"not a library"),
        ("assets/App.framework/App", LIBRARY),
        ("assets/NOTICES.Z", NOTICES),
        ("META-INF/LICENSE", b"Apache"),
        ("assets/flutter_assets/assets/own.png", b"\x89PNG"),
        ("assets/global-metadata.dat", METADATA),
        ("assets/fonts.blob", STORE),
        ("assemblies/assemblies.blob", b"something else"),
        ("lib/x86/libassemblies.so", build_elf(rodata=STORE)),
        ("lib/x86/lib-de-App.resources.dll.so", build_elf()),
        ("assets/readme.dll", b"plain text"),
        ("classes.dex", b"dex\n035\0"),
        ("res/a.xml", b"\x03\0\x08\0"),
    ],
)
def test_other_files_are_not_asked_for(path: str, data: bytes) -> None:
    assert not wanted(path, data)


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("lib/arm64-v8a/libapp.so", build_elf(soname="libapp.so", rodata=b"an app of its own")),
        ("Frameworks/App.framework/App", macho.Image(classes=["Own"]).build()),
        ("assets/tool.dll", native_dll()),
    ],
)
def test_a_file_that_only_bears_the_name_is_of_no_framework(path: str, data: bytes) -> None:
    assert read(path, data) is None


def encrypted_framework(cryptid: int) -> bytes:
    return macho.encrypt(macho.Image(file_type=macho.DYLIB, strings=["x"], cryptid=cryptid).build())


@pytest.mark.parametrize(
    "data",
    [encrypted_framework(1), macho.fat([(macho.ARM64, encrypted_framework(1)), (macho.ARMV7, encrypted_framework(1))])],
    ids=["thin", "fat"],
)
def test_a_snapshot_under_fairplay_is_refused_by_its_name(data: bytes) -> None:
    with pytest.raises(FormatError, match="FairPlay"):
        read("Frameworks/App.framework/App", data)
    assert read("Frameworks/App.framework/App", encrypted_framework(0)) is None


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("lib/x86/libapp.so", build_elf(rodata=b"\0_kDartIsolateSnapshotData\0") + random.Random(1).randbytes(500)),
        (f"{MANAGED}/Metadata/global-metadata.dat", random.Random(2).randbytes(500)),
        (f"{MANAGED}/Assembly-CSharp.dll", DLL[: len(DLL) - 200]),
        ("lib/x86/libassembly-store.so", build_elf(rodata=b"no store")),
        ("assets/flutter_assets/NOTICES.Z", NOTICES[:30]),
        ("assets/flutter_assets/kernel_blob.bin", bytes(100)),
    ],
    ids=["packed snapshot", "encrypted metadata", "cut assembly", "no store", "cut licences", "no kernel"],
)
def test_what_must_be_of_a_framework_and_cannot_be_read_is_refused(path: str, data: bytes) -> None:
    with pytest.raises(FormatError):
        read(path, data)


@pytest.mark.parametrize("name", ["System.Runtime", "mscorlib", "UnityEngine.CoreModule", "Xamarin.AndroidX.Core"])
def test_assemblies_of_the_platform_are_named_without_their_strings(name: str) -> None:
    found = read(f"{MANAGED}/{name}.dll", Assembly(name).build())
    assert found is not None
    assert found.plugins == (name,)
    assert found.strings is None


@pytest.mark.parametrize("name", ["SystemPay", "Xamarin.WeChat", "Unityads", "MonoPay", "netstandard.pay"])
def test_assemblies_that_only_sound_like_the_platform_keep_theirs(name: str) -> None:
    found = read(f"{MANAGED}/{name}.dll", Assembly(name).build())
    assert found is not None
    assert found.strings is not None


def one(folder: Path, name: str, data: bytes) -> Extraction:
    place = put(folder, {name: data}) / name
    (found,) = open_argument(place, name, Search(DEFAULT), several=False)
    assert not isinstance(found, Problem)
    return extract(found)[0]


def values(app: Extraction, kind: FactKind) -> set[str]:
    return {value for item in app.of(kind) for value in item.values}


class TestWholeApps:
    def test_an_android_app_of_flutter(self, tmp_path: Path) -> None:
        files = {"lib/arm64-v8a/libapp.so": LIBRARY, "assets/flutter_assets/NOTICES.Z": NOTICES}
        app = one(tmp_path, "a.apk", apk(files=files))
        assert values(app, FactKind.WRAPPER) == {"flutter"}
        assert values(app, FactKind.WRAPPER_PLUGIN) == {"flutter:angle", "flutter:flutter", "flutter:fluwx"}
        assert "com.jarvanmo/fluwx" in values(app, FactKind.WRAPPER_STRING)

    def test_an_ios_app_of_flutter(self, tmp_path: Path) -> None:
        app = one(tmp_path, "a.ipa", ipa(bundle({"Frameworks/App.framework/App": FRAMEWORK})))
        assert values(app, FactKind.WRAPPER_PLUGIN) == {"flutter:fluwx"}

    def test_an_android_app_of_unity(self, tmp_path: Path) -> None:
        app = one(tmp_path, "a.apk", apk(files={f"{MANAGED}/Metadata/global-metadata.dat": METADATA}))
        assert values(app, FactKind.WRAPPER) == {"unity-il2cpp"}
        assert "unity-il2cpp:WeChatSDK" in values(app, FactKind.WRAPPER_PLUGIN)

    def test_an_ios_app_of_dotnet(self, tmp_path: Path) -> None:
        app = one(tmp_path, "a.ipa", ipa(bundle({"WeChat.Binding.dll": DLL})))
        assert values(app, FactKind.WRAPPER_PLUGIN) == {"dotnet:WeChat.Binding"}

    def test_encrypted_metadata_hides_what_a_framework_tells_and_nothing_else(self, tmp_path: Path) -> None:
        damaged = {
            f"{MANAGED}/Metadata/global-metadata.dat": bytes(range(256)) * 4,
            "assets/bin/Data/ScriptingAssemblies.json": b'{"names":["WeChatSDK.dll"]}',
        }
        app = one(tmp_path, "a.apk", apk(files=damaged))
        (problem,) = [item for item in app.problems if item.code is ProblemCode.WRAPPER_DAMAGED]
        assert "encrypted" in problem.detail
        assert values(app, FactKind.WRAPPER_PLUGIN) == {"unity:WeChatSDK"}
        assert problem.hidden <= {FactKind.WRAPPER, FactKind.WRAPPER_PLUGIN, FactKind.WRAPPER_STRING}

    def test_an_app_of_no_framework_has_none(self, tmp_path: Path) -> None:
        app = one(tmp_path, "a.apk", apk(files={"lib/x86/libapp.so": build_elf(soname="libapp.so")}))
        assert values(app, FactKind.WRAPPER) == set()
        assert ProblemCode.WRAPPER_DAMAGED not in [item.code for item in app.problems]
