"""Bytecode of the real compilers: every string of a program is read, whichever React Native it was made for."""

from __future__ import annotations

import os
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor.formats.hermes import parse_hermes
from benchmarks.accuracy.registry import FOLDER, OutOfReachError, Package

pytestmark = pytest.mark.vendor

COMPILERS = [
    ("hermes-engine@0.1.1", 60, "", "hermes"),
    ("hermes-engine@0.2.1", 62, "", "hermes"),
    ("hermes-engine@0.4.0", 74, "", "hermes"),
    ("hermes-engine@0.7.2", 76, "", "hermesc"),
    ("hermes-engine@0.11.0", 84, "", "hermesc"),
    ("react-native@0.70.0", 89, "sdks/hermesc/", "hermesc"),
    ("react-native@0.72.0", 94, "sdks/hermesc/", "hermesc"),
    ("hermes-compiler@0.14.1", 96, "hermesc/", "hermesc"),
    ("hermes-compiler@250829098.0.19", 98, "hermesc/", "hermesc"),
    ("hermes-compiler@260318099.0.6", 99, "hermesc/", "hermesc"),
]
"""Package, bytecode version, folder of the binaries, compiler."""
DIGESTS = [
    "1e89c6ad70b0738a931ce678306a682d9450915ea21288b4a04ff980c12e9545",
    "2dd00d6d7fb88b1e30ddf6cb8c6dd7d89b6409962f5b8be0851d2c5c60ca4787",
    "d263520b184cc7564561700885fee19837643145c15ec28c3ea0220b2ea4c21d",
    "71dcb48c5ce713cad3ec93375f19f1b55892398cbc7cc687eeb05c19494dad32",
    "be46cc8cfcdd8376472f4ecf0e4a2548bb3986525559b1580494afc40e20ec2c",
    "13097bb9bbcb045f4cae2d7adf1338020892df8f1a9c8f929cc50078a6223d4e",
    "3df1638521221407e1eba8ffc0571f629bd3feaf401032c8c6fb15a7df94c628",
    "47e3aedfe7c87a1682164e4066b5e7bf0eea0884168baaf35d6eb05ae75b0cca",
    "839af099f0926b5ebbd738ba54764a3f40e35dfc3aac91babf56f8eb7c69280e",
    "3cf97165f247e6d275d5c1c020ba46bbc48874ded38c8615884dd0e87e31db0a",
]
LITERALS = [
    "react-native-wechat-lib",
    "wx0123456789abcdef",
    "com.jarvanmo/fluwx",
    "café ",
    "微信支付",
    "\U0001f4b0",
    "node_modules/@uiw/react-native-alipay/index.js",
    "L" * 254,
    "M" * 255,
    "N" * 70_000,
    "支" * 400,
]  # fmt: skip
NAMES = ["NativeModules", "WeChat", "registerApp", "isWXAppInstalled"]


def program() -> str:
    """JavaScript that keeps every literal and name, with enough functions to fill several tables."""
    lines = ["var NativeModules = {WeChat: {registerApp: function (a) { return a.isWXAppInstalled; }}};"]
    lines += [
        f"globalThis.f{number} = function (a) {{ return a + {text!r}; }};" for number, text in enumerate(LITERALS)
    ]
    lines += [
        f"globalThis.g{number} = function (b) {{ return b.p{number} + 'text {number}'; }};" for number in range(2000)
    ]
    return "\n".join(lines)


def compiled(package: Package, member: str, folder: Path) -> bytes:
    """The program, compiled by the compiler of a package."""
    place = FOLDER.parent / "hermes" / f"{package.name}-{package.version}"
    compiler = place / Path(member).name
    if not compiler.exists():
        place.mkdir(parents=True, exist_ok=True)
        compiler.write_bytes(package.read(member))
    os.chmod(compiler, 0o755)
    source, target = folder / "in.js", folder / "out.hbc"
    source.write_text(program())
    done = subprocess.run(
        [compiler, "-O", "-emit-binary", "-out", target, source],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if done.returncode != 0:
        pytest.skip(f"the compiler does not run here: {done.stderr[:200]}")
    return target.read_bytes()


def packages() -> Iterator[object]:
    for (spec, version, folder, compiler), digest in zip(COMPILERS, DIGESTS, strict=True):
        name, release = spec.split("@")
        member = f"{folder}linux64-bin/{compiler}"
        yield pytest.param(Package(name, release, digest), member, version, id=spec)


@pytest.mark.parametrize(("package", "member", "version"), list(packages()))
def test_every_string_of_a_program_is_read(package: Package, member: str, version: int, tmp_path: Path) -> None:
    try:
        data = compiled(package, member, tmp_path)
    except (OutOfReachError, tarfile.TarError) as error:
        pytest.skip(str(error))
    found = parse_hermes(data)
    assert found.version == version
    assert found.faults == ()
    assert [text for text in [*LITERALS, *NAMES] if text not in found.strings] == []
    assert [number for number in range(2000) if f"text {number}" not in found.strings] == []
    assert found.packages == ("@uiw/react-native-alipay",)
    assert "react-native-wechat-li" not in found.strings
