"""What a shrinker left of an SDK, by its own mapping file and by a foreign reader of the DEX files it wrote.

Nothing here asks the detector that the matrix scores, nor its DEX reader.
"""

from __future__ import annotations

import re
import subprocess
import zipfile
from collections.abc import Iterable, Mapping, Set
from pathlib import Path

from benchmarks.accuracy.cases import Truth
from benchmarks.accuracy.registry import SdkBuild

FAMILY_PACKAGES = {
    "alipay": ("com.alipay.sdk.", "com.alipay.android.app."),
    "wechat": ("com.tencent.mm.opensdk.", "com.tencent.mm.sdk."),
    "tencent-qq": ("com.tencent.tauth.", "com.tencent.open.", "com.tencent.connect."),
}
"""Packages that are the SDK itself; what its jar bundles besides (device ids, analytics, maps) proves nothing alone."""
STATEMENTS = {"alipay": "{}", "wechat": "android {}", "tencent-qq": "{}"}
"""How a family writes its version; WeChat's number alone could be anybody's."""

_CLASS_LINE = re.compile(r"^(\S+) -> (\S+):$", re.MULTILINE)
_DESCRIPTOR = re.compile(r"^\s+Class descriptor\s+: 'L([^']+);'$", re.MULTILINE)


def classes_of(family: str, jar: Path) -> frozenset[str]:
    """Name the classes of a jar that belong to the SDK itself."""
    with zipfile.ZipFile(jar) as archive:
        names = [
            name.removesuffix(".class").replace("/", ".") for name in archive.namelist() if name.endswith(".class")
        ]
    return frozenset(name for name in names if name.startswith(FAMILY_PACKAGES[family]))


def parse_mapping(text: str) -> dict[str, str]:
    """Read a mapping file as {name in the output: name in the source}, classes only.

    ProGuard and R8 write ``source -> output:`` for a class and indent what belongs to it; a line that starts with
    ``#`` is a comment. A class that no line mentions kept its name, or is not in the output.
    """
    return {new: old for old, new in _CLASS_LINE.findall(text) if not old.startswith("#")}


def parse_class_descriptors(listing: str) -> frozenset[str]:
    """Take the names of the classes that dexdump lists as defined, in Java's spelling."""
    return frozenset(name.replace("/", ".") for name in _DESCRIPTOR.findall(listing))


def defined_classes(dex_files: Iterable[Path]) -> frozenset[str]:
    """Ask dexdump which classes DEX files define.

    Raises:
        RuntimeError: dexdump cannot read one of them.
    """
    names: set[str] = set()
    for path in dex_files:
        done = subprocess.run(["dexdump", str(path)], capture_output=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"dexdump {path.name}: {done.stderr.decode(errors='replace').strip()[-200:]}")
        names |= parse_class_descriptors(done.stdout.decode(errors="replace"))
    return frozenset(names)


def is_stated(build: SdkBuild, dex_files: Iterable[bytes]) -> bool:
    """Whether the version that the SDK states still stands among the bytes of the output."""
    if not build.states:
        return False
    literal = re.escape(STATEMENTS[build.family].format(build.states).encode())
    whole = re.compile(rb"(?<![0-9.])" + literal + rb"(?![0-9.])")
    return any(whole.search(data) for data in dex_files)


def survivors(originals: Set[str], output: Set[str], mapping: Mapping[str, str]) -> tuple[int, int]:
    """Count the classes of an SDK that the output defines: under any name, and under their own.

    A mapping line alone is not enough, for R8 writes lines for classes that it inlined or merged away; and a class
    that carries the name of an SDK class is not that class when the mapping says it was another.
    """
    kept = {name for name in output if mapping.get(name, name) in originals}
    return len(kept), sum(mapping.get(name, name) == name for name in kept)


def truth_of(build: SdkBuild, jar: Path, dex_files: Iterable[Path], mapping: str, output: Set[str]) -> Truth:
    """Say what is left of one SDK in one app; ``output`` are the classes that its DEX files define."""
    classes, named = survivors(classes_of(build.family, jar), output, parse_mapping(mapping))
    stated = classes > 0 and is_stated(build, [path.read_bytes() for path in dex_files])
    return Truth(build.family, build.version, classes, named, build.states if stated else "")
