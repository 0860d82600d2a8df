"""Real iOS apps, simulator builds of several years, read as plistlib and lief read them, without a false alarm."""

from __future__ import annotations

import plistlib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from auditor import audit
from auditor.model import Audit, FactKind, PartKind, Platform, Problem, SigningState, Verdict
from tests.corpus.registry import Package, Real

pytestmark = pytest.mark.corpus

TEST_APP = Package("ios-test-app@1.0.1", "b5b6cc40fddba51a03df32cd5fc271511a8eee5292254bea57dc11202d97052f")
BOOTSTRAP = Package("ios-app-bootstrap@1.0.11", "edd5a9b1a8014be271e5b3e4ac97377905e006f1c7a1a8ef581825eb1cc089b2")
SAMPLES = Package("sample-apps@1.1.0", "785fe3e1b588a1e0821073220d5f875c747d523e4fd197decadd710533c33df3")
WHOLE = Real(BOOTSTRAP, "package/build/ios-app-bootstrap.zip", "xudafeng.ios-app-bootstrap")
APPS = (
    WHOLE,
    Real(TEST_APP, "package/TestApp.app.zip", "io.appium.TestApp"),
    *(
        Real(SAMPLES, f"package/pre-built/{name}.app.zip", app_id)
        for name, app_id in (
            ("TestApp6.0", "D.TestApp"),
            ("TestApp6.1", "D.TestApp"),
            ("TestApp7.1", "io.appium.TestApp"),
            ("UICatalog6.0", "com.yourcompany.UICatalog"),
            ("UICatalog6.1", "com.yourcompany.UICatalog"),
            ("UICatalog7.1", "com.example.apple-samplecode.UICatalog"),
            ("UICatalog8.0", "com.example.apple-samplecode.UICatalog"),
            ("UICatalog8.1", "com.example.apple-samplecode.UICatalog"),
            ("UICatalog8.2", "com.example.apple-samplecode.UICatalog"),
            ("WebViewApp6.0", "io.appium.WebViewApp"),
            ("WebViewApp6.1", "io.appium.WebViewApp"),
            ("WebViewApp7.1", "io.appium.WebViewApp"),
        )
    ),
)
MAGICS = (b"\xca\xfe\xba\xbe", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe")
CLASS = "_OBJC_CLASS_$_"
DEFINED = 0x0E
"""The bits of a symbol's type that are all clear where it is undefined."""
every_app = pytest.mark.parametrize("real", APPS, ids=str)


@cache
def audited(path: Path) -> tuple[tuple[Audit, ...], tuple[Problem, ...]]:
    problems: list[Problem] = []
    return tuple(audit(path, problems=problems)), tuple(problems)


def only(real: Real) -> Audit:
    audits, problems = audited(real.path())
    assert problems == ()
    assert len(audits) == 1
    return audits[0]


def facts(found: Audit, kind: FactKind) -> set[str]:
    return {value for item in found.extraction.of(kind) for value in item.values}


@dataclass(frozen=True)
class Binary:
    """One slice as lief reads it."""

    libraries: frozenset[str]
    uuid: str
    symbols: frozenset[str]
    imports: frozenset[str]


@cache
def slices(path: Path) -> tuple[Binary, ...]:
    """Every Mach-O binary of the archive."""
    return tuple(binary for data in executables(path) for binary in by_lief(data))


def by_lief(data: bytes) -> Iterator[Binary]:
    lief = pytest.importorskip("lief")
    # The slices live only as long as the file they are taken from: a name must hold it.
    whole = lief.MachO.parse(list(data))
    assert whole is not None
    own_name = lief.MachO.LoadCommand.TYPE.ID_DYLIB
    for item in whole:
        yield Binary(
            libraries=frozenset(str(entry.name) for entry in item.libraries if entry.command != own_name),
            uuid=bytes(item.uuid.uuid).hex() if item.has_uuid else "",
            symbols=frozenset(str(symbol.name) for symbol in item.symbols if symbol.raw_type & DEFINED),
            imports=frozenset(str(symbol.name) for symbol in item.symbols if not symbol.raw_type & DEFINED),
        )


def executables(path: Path) -> Iterator[bytes]:
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            data = archive.read(name)
            if data.startswith(MAGICS):
                yield data


def declared(path: Path) -> dict[str, Any]:
    """Info.plist of the outermost bundle."""
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".app/Info.plist")]
        value = plistlib.loads(archive.read(min(names, key=len)))
    assert isinstance(value, dict)
    return value


@every_app
def test_the_app_is_found_whole_and_clean(real: Real) -> None:
    found = only(real)
    assert found.app.platform is Platform.IOS
    assert found.app.app_id == real.app_id
    assert found.problems == ()
    assert found.findings == ()
    assert {answer.verdict for answer in found.answers} == {Verdict.NOT_FOUND}


@every_app
def test_the_identity_is_the_one_of_the_plist(real: Real) -> None:
    app, plist = only(real).app, declared(real.path())
    assert app.app_id == plist["CFBundleIdentifier"]
    assert app.version == plist.get("CFBundleShortVersionString", "")
    assert app.version_code == plist["CFBundleVersion"]
    assert app.label == plist.get("CFBundleDisplayName", plist.get("CFBundleName"))
    assert app.signing.state is SigningState.NOT_CHECKED


@every_app
def test_libraries_and_build_ids_are_those_lief_reads(real: Real) -> None:
    found, binaries = only(real), slices(real.path())
    assert binaries
    assert facts(found, FactKind.MACHO_DYLIB) == set().union(*(binary.libraries for binary in binaries))
    ids = {value.replace("-", "").lower() for value in facts(found, FactKind.MACHO_UUID)}
    assert ids == {binary.uuid for binary in binaries if binary.uuid}


@every_app
def test_every_class_the_symbols_define_is_seen_and_none_they_only_import(real: Real) -> None:
    found, binaries = only(real), slices(real.path())
    here = {name for binary in binaries for name in binary.symbols}
    defined = {name.removeprefix(CLASS) for name in here if name.startswith(CLASS)}
    named = {name for binary in binaries for name in binary.imports}
    imported = {name.removeprefix(CLASS) for name in named if name.startswith(CLASS)}
    assert imported
    seen = facts(found, FactKind.OBJC_CLASS)
    assert defined <= seen
    assert not seen & (imported - defined)


def test_frameworks_and_swift_libraries_belong_to_their_app() -> None:
    found = only(WHOLE)
    assert [part.kind for part in found.app.parts] == [PartKind.BUNDLE]
    assert any(name.startswith("libswift") for name in facts(found, FactKind.FRAMEWORK))


def test_swift_types_of_a_real_app_are_named_by_their_modules() -> None:
    found = only(WHOLE)
    types = facts(found, FactKind.SWIFT_TYPE)
    assert {
        "ios_app_bootstrap.AppDelegate",
        "ios_app_bootstrap.Utils.Path",
        "ios_app_bootstrap.ViewModelProtocol",
        "Alamofire.DownloadRequest.DownloadOptions",
        "Alamofire.Notification.Key",
        "CryptoSwift.AES.Variant",
        "Logger.Logger",
        "Swift.Array",
    } <= types
    # Every class that the runtime knows by a Swift name is among them, and nothing of C's modules is.
    mangled = {name for name in facts(found, FactKind.OBJC_CLASS) if name.startswith("_TtC")}
    assert len(mangled) > 90
    assert all(any(name.endswith(item.rpartition(".")[2]) for item in types) for name in mangled)
    assert not [item for item in types if item.startswith("__C")]


def test_frameworks_of_a_real_app_state_their_versions() -> None:
    assert {"Alamofire.framework 4.6.0", "Logger.framework 1.0"} <= facts(only(WHOLE), FactKind.FILE_VERSION)
