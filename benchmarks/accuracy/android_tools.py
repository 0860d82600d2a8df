"""The compilers and shrinkers behind the Android matrix: pinned packages, run in one warm virtual machine."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from benchmarks.accuracy.registry import OutOfReachError

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "samples"))

from recipes import archive  # noqa: E402
from recipes.apk import AndroidApp, link, manifest_xml  # noqa: E402
from recipes.toolchain import JAR_SHA256, KEYS, jar, missing_tools  # noqa: E402

SOURCES = Path(__file__).resolve().parent / "java"
STORE = ROOT / ".vendor" / "accuracy"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
BUNDLETOOL = "bundletool-all-1.17.2.jar"
"""Holds R8 and D8 3.3.28 and a signer."""
JOB_SECONDS = 300
"""A shrinker that takes longer hangs; the slowest job of the matrix takes less than a tenth of it."""


@dataclass(frozen=True, slots=True)
class DebianPackage:
    """A binary package of Debian, independent of the machine's architecture."""

    name: str
    suite: str
    sha256: str
    member: str
    """The file wanted of it."""

    def fetch(self) -> Path:
        """The file, downloaded and unpacked once.

        Raises:
            OutOfReachError: apt is not installed or no longer offers this package.
            ValueError: the bytes are not the pinned ones.
        """
        folder = STORE / "debian" / self.name
        path = folder / "root" / self.member
        if path.exists():
            return path
        if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
            raise OutOfReachError("apt-get is not installed")
        self._download(folder)
        found = next(folder.glob(f"{self.name}_*.deb"), None)
        if found is None:
            raise OutOfReachError(f"{self.name} of {self.suite} cannot be fetched")
        if hashlib.sha256(found.read_bytes()).hexdigest() != self.sha256:
            raise ValueError(f"{found.name} is not the pinned package")
        subprocess.run(["dpkg-deb", "-x", str(found), str(folder / "root")], check=True)
        return path

    def _download(self, folder: Path) -> None:
        """Run apt-get with lists of its own, from the mirror this system uses; nothing of the system changes."""
        for part in ("lists/partial", "cache/archives/partial"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        form = f"deb [signed-by={KEYRING}] $(REPO_URI) {self.suite} main"
        listing = ["apt-get", "indextargets", "--format", form, "Created-By: Packages"]
        known = subprocess.run(listing, capture_output=True, text=True, check=False).stdout.splitlines()
        lines = dict.fromkeys(line for line in known if "/debian/ " in line)
        (folder / "sources.list").write_text("".join(f"{line}\n" for line in lines))
        options = [f"-oDir::State::Lists={folder}/lists", f"-oDir::Etc::sourcelist={folder}/sources.list"]
        options += ["-oDir::Etc::sourceparts=/dev/null", f"-oDir::Cache={folder}/cache"]
        for arguments in (["update"], ["download", self.name]):
            subprocess.run(["apt-get", "-q", *options, *arguments], cwd=folder, capture_output=True, check=False)


PLATFORM = DebianPackage(
    "libandroid-23-java",
    "bullseye",
    "8af1b6df556971dda0a6da3536ea526a838e0c363afcdd454213d8bce94793e3",
    "usr/share/java/com.android.android-23.jar",
)
"""The platform's own classes without code, API level 23."""
PROGUARD = DebianPackage(
    "libproguard-java",
    "bookworm",
    "61a0f6f6666c8f336e11ecd54af4a78ed9ef384df264078eda2f9321dbd7ea03",
    "usr/share/java/proguard-6.2.2.jar",
)
PINS = (JAR_SHA256[BUNDLETOOL], PLATFORM.sha256, PROGUARD.sha256)
"""Digests of everything that turns sources into apps."""


class ToolError(Exception):
    """A compiler or shrinker refused its job."""


class Workshop:
    """One virtual machine that runs job after job; started with the first job, stopped on leaving."""

    def __init__(self) -> None:
        self._machine: subprocess.Popen[str] | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="accuracy-")

    def __enter__(self) -> Workshop:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop()
        self._folder.cleanup()

    @property
    def folder(self) -> Path:
        """Holds what a job reads and writes, until the end."""
        return Path(self._folder.name)

    def run(self, *words: str | Path) -> int:
        """Run one job; return how many milliseconds it took.

        Raises:
            ToolError: the tool refused it, or took too long.
        """
        if self._machine is None:
            self._machine = self._started()
        machine = self._machine
        assert machine.stdin is not None
        assert machine.stdout is not None
        watchdog = threading.Timer(JOB_SECONDS, machine.kill)
        watchdog.start()
        try:
            machine.stdin.write("\t".join(map(str, words)) + "\n")
            machine.stdin.flush()
            answer = machine.stdout.readline().strip()
        except BrokenPipeError:
            answer = ""
        finally:
            watchdog.cancel()
        if not answer:
            machine.kill()
            self._stop()
            raise ToolError(f"{words[0]}: stopped without an answer")
        state, _, rest = answer.partition(" ")
        if state != "ok":
            raise ToolError(f"{words[0]}: {rest}")
        return int(rest)

    def _stop(self) -> None:
        if self._machine is not None:
            self._machine.communicate(timeout=60)
            self._machine = None

    def _started(self) -> subprocess.Popen[str]:
        path = f"{jar(BUNDLETOOL)}:{PROGUARD.fetch()}"
        classes = self.folder / "driver"
        done = subprocess.run(
            ["javac", "-nowarn", "-cp", path, "-d", str(classes), str(SOURCES / "Driver.java")],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise ToolError(f"Driver.java: {done.stderr.strip()[-400:]}")
        STORE.mkdir(parents=True, exist_ok=True)
        words = ["java", "-Xmx2g", "-Xss8m", "-XX:+UseSerialGC", "-cp", f"{classes}:{path}", "Driver"]
        with (STORE / "driver.log").open("w") as log:
            return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)


def missing() -> list[str]:
    """Name the tools that are not installed."""
    return [*missing_tools(), *([] if shutil.which("dexdump") else ["dexdump"])]


__all__ = [
    "KEYS",
    "PINS",
    "PLATFORM",
    "SOURCES",
    "STORE",
    "AndroidApp",
    "ToolError",
    "Workshop",
    "archive",
    "jar",
    "link",
    "manifest_xml",
    "missing",
]
