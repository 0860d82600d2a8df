"""What the readers of flutter_assets promise: names of Dart packages from licences, asset lists and kernel files."""

from __future__ import annotations

import gzip
import random
import tarfile
from dataclasses import replace
from io import BytesIO

import pytest

from auditor.errors import FormatError, LimitError
from auditor.formats.flutter_assets import is_kernel, parse_asset_manifest, parse_kernel, parse_notices
from auditor.limits import DEFAULT
from tests.builders.dart import build_notices
from tests.corpus.registry import Package, read_member

LICENCES = [
    (["abseil-cpp", "angle"], "Apache License\n\nVersion 2.0\n\nnot_a_package\nof this text"),
    (["fluwx"], "MIT License\n\nCopyright (c) someone"),
    (["flutter", "my_plugin"], "BSD\n" + "-" * 79 + "\nmore\n" + "=" * 80),
    (["tobias"], ""),
]
NOTICES = build_notices(LICENCES)
NAMES = ("angle", "flutter", "fluwx", "my_plugin", "tobias")
KERNEL = b"\x90\xab\xcd\xef\0\0\0\x76" + b"\0package:fluwx/fluwx.dart\0package:my_app/main.dart\0dart:core\0"


@pytest.mark.parametrize("packed", [True, False])
def test_licences_name_the_packages_they_hold_for(packed: bool) -> None:
    assert parse_notices(build_notices(LICENCES, packed)) == NAMES


def test_lines_may_end_as_on_windows() -> None:
    assert parse_notices(build_notices(LICENCES, packed=False).replace(b"\n", b"\r\n")) == NAMES


@pytest.mark.parametrize("name", ["Fluwx", "flu-wx", "flu wx", "9fluwx", "fluwx/", "f" * 65, ""])
def test_what_cannot_be_a_package_is_left_out(name: str) -> None:
    assert parse_notices(build_notices([(["flutter"], "BSD"), ([name], "MIT")])) == ("flutter",)


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"one line", gzip.compress(b"", mtime=0), gzip.compress(b"Big Letters\n\ntext", mtime=0)]
)
def test_a_text_that_names_no_package_is_a_format_error(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_notices(data)


def test_a_list_that_unpacks_beyond_the_limit_is_refused() -> None:
    bomb = gzip.compress(b"flutter\n\n" + bytes(3_000_000))
    with pytest.raises(LimitError):
        parse_notices(bomb, replace(DEFAULT, manifest_size=1_000_000))
    with pytest.raises(LimitError):
        parse_notices(b"flutter\n\nBSD", replace(DEFAULT, manifest_size=5))


def test_no_more_names_of_one_licence_are_kept_than_are_sound() -> None:
    many = [f"package_{number:05}" for number in range(10_000)]
    found = parse_notices(build_notices([(["flutter"], "BSD"), (many, "MIT")]))
    assert {"flutter", "package_00000"} <= set(found)
    assert len(found) < 6_000


@pytest.mark.parametrize(
    "data",
    [
        b'{"packages/fluwx/assets/a.png":["packages/fluwx/assets/a.png"],"assets/own.png":[]}',
        b"\x0d\x01\x07\x1bpackages/fluwx/assets/a.png\x0c\x01\x0d\x01\x07\x05asset\x07\x1bpackages/fluwx/assets/a.png",
    ],
    ids=["json", "bin"],
)
def test_an_asset_manifest_names_packages_that_bring_assets(data: bytes) -> None:
    assert parse_asset_manifest(data) == ("fluwx",)


def test_an_asset_manifest_may_name_none() -> None:
    assert parse_asset_manifest(b"{}") == ()


def test_an_asset_manifest_beyond_the_limit_is_refused() -> None:
    with pytest.raises(LimitError):
        parse_asset_manifest(bytes(20), replace(DEFAULT, manifest_size=19))


def test_a_kernel_file_names_packages_by_their_libraries() -> None:
    assert is_kernel(KERNEL)
    assert parse_kernel(KERNEL) == ("fluwx", "my_app")


@pytest.mark.parametrize("data", [b"", b"\x90\xab\xcd", b"\xef\xcd\xab\x90" + KERNEL, KERNEL[1:]])
def test_what_has_another_magic_number_is_no_kernel_file(data: bytes) -> None:
    assert not is_kernel(data)
    with pytest.raises(FormatError):
        parse_kernel(data)


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview])
def test_every_kind_of_blob_is_read(wrap: type) -> None:
    assert parse_notices(wrap(NOTICES)) == NAMES
    assert parse_kernel(wrap(KERNEL)) == ("fluwx", "my_app")
    assert parse_asset_manifest(wrap(b"packages/fluwx/a")) == ("fluwx",)


def test_every_prefix_and_every_bit_flip_gives_a_result_or_a_format_error() -> None:
    chance = random.Random(80)
    damaged = [NOTICES[:size] for size in range(len(NOTICES))]
    for _ in range(400):
        mangled = bytearray(NOTICES)
        for _ in range(chance.randint(1, 5)):
            mangled[chance.randrange(len(mangled))] ^= 1 << chance.randrange(8)
        damaged.append(bytes(mangled))
    for data in damaged:
        for parse in (parse_notices, parse_asset_manifest, parse_kernel):
            try:
                parse(data)
            except FormatError:
                continue


@pytest.mark.corpus
def test_real_licences_name_the_packages_of_the_snapshot() -> None:
    package = Package("flet-desktop==0.28.3", "539b33a0412e9ee17dccdf5f6ded99c48f1c390d6c8bb038b54e301833e56d0c")
    packed = read_member(package.fetch(), "flet_desktop/app/flet-linux-amd64.tar.gz")
    with tarfile.open(fileobj=BytesIO(packed)) as archive:
        names, assets = (
            archive.extractfile(f"flet/data/flutter_assets/{name}") for name in ("NOTICES.Z", "AssetManifest.bin")
        )
        assert names is not None
        assert assets is not None
        found = parse_notices(names.read())
        assert {"flutter", "url_launcher", "media_kit", "geolocator"} <= set(found)
        assert len(found) > 200
        assert parse_asset_manifest(assets.read()) == (
            "cupertino_icons",
            "flutter_map",
            "media_kit",
            "record_web",
            "wakelock_plus",
        )


def test_the_number_of_packages_is_bounded() -> None:
    data = build_notices([(("fluwx", "tobias"), "MIT"), (("tencent_kit",), "Apache")])
    assert len(parse_notices(data, replace(DEFAULT, xml_elements=3))) == 3
    with pytest.raises(LimitError, match="xml_elements"):
        parse_notices(data, replace(DEFAULT, xml_elements=2))
