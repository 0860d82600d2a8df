"""Find what an app tells of the cross-platform framework it is built with: marks in file names, plugins, strings."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from auditor.errors import AuditorError, LimitError
from auditor.formats.blob import Blob
from auditor.formats.hermes import is_hermes
from auditor.limits import Limits
from auditor.model import FactBatch, FactKind, Origin, Problem, ProblemCode, batch
from auditor.platforms.refusal import refusal
from auditor.platforms.wrapper_binaries import READERS as BINARY_READERS
from auditor.platforms.wrapper_reader import WrapperFacts, WrapperReader
from auditor.platforms.wrapper_scripts import READERS as SCRIPT_READERS

if TYPE_CHECKING:
    from auditor.containers.member import Member

READERS: tuple[WrapperReader, ...] = (*SCRIPT_READERS, *BINARY_READERS)
KINDS = frozenset({FactKind.WRAPPER, FactKind.WRAPPER_PLUGIN, FactKind.WRAPPER_STRING})
"""What a file of a framework may hold."""

_NATIVE = re.compile(
    r"lib(?:(?P<flutter>flutter)|(?P<hermes>hermes(?:vm|tooling|-executor-\w+|_executor)?)"
    r"|(?P<reactnative>reactnative\w*|react_nativemodule_core|jscexecutor)"
    r"|(?P<il2cpp>il2cpp)|(?P<mono>mono|monobdwgc-2\.0)"
    r"|(?P<dotnet>monodroid|monosgen-2\.0|mono-android\.(?:release|debug)|xamarin-app|coreclr))\.so"
)
_TAILS = {
    "Flutter.framework/Flutter": "flutter",
    "hermes.framework/hermes": "hermes",
    "hermesvm.framework/hermesvm": "hermes",
    "React.framework/React": "react-native",
    "Capacitor.framework/Capacitor": "capacitor",
    "Cordova.framework/Cordova": "cordova",
    "UnityFramework.framework/UnityFramework": "unity-il2cpp",
    "assets/index.android.bundle": "react-native",
    "js-modules/UNBUNDLE": "react-native",
    "www/cordova.js": "cordova",
    "data/dcloud_control.xml": "uni-app",
    "PandoraApi.bundle/Info.plist": "uni-app",
}
"""By the file and its folder."""
_NAMES = {
    "main.jsbundle": "react-native",
    "capacitor.config.json": "capacitor",
    "capacitor.plugins.json": "capacitor",
    "libmonosgen-2.0.dylib": "dotnet",
    "libxamarin-dotnet.dylib": "dotnet",
    "libcoreclr.dylib": "dotnet",
    "dcloud_uniplugins.json": "uni-app",
    "dcloud_properties.xml": "uni-app",
}
_GROUPS = {"reactnative": "react-native", "il2cpp": "unity-il2cpp", "mono": "unity-mono"}
"""A group takes no hyphen."""
_MINI_PROGRAM = (".wxapkg", ".wxvpkg")
_NEVER = frozenset(
    {
        b"\x89PNG",
        b"RIFF",
        b"GIF8",
        b"OggS",
        b"\xff\xd8\xff\xe0",
        b"\xff\xd8\xff\xe1",
        b"dex\n",
        b"\x00\x01\x00\x00",
        b"OTTO",
    }
)
"""How pictures, sounds, fonts and DEX files begin: most members of most apps, and no reader's business."""
_BINARY_XML = b"\x03\x00\x08\x00"
_XML = ("config.xml", "dcloud_properties.xml")
_LIBRARIES = ("META-INF/", "kotlin/", "res/drawable", "res/layout", "res/mipmap", "res/values", "res/color", "res/anim")
"""Folders that libraries and the resource compiler fill: a script in one of them shows by its magic number only."""


@dataclass(slots=True)
class _Kept:
    """A member whose bytes are unpacked once, for the reader of the framework and for who reads it as code."""

    member: Member
    _data: Blob | None = field(default=None)

    @property
    def path(self) -> str:
        return self.member.path

    @property
    def size(self) -> int:
        return self.member.size

    @property
    def origin(self) -> Origin:
        return self.member.origin

    def peek(self, size: int) -> bytes:
        return self.member.peek(size)

    def open(self) -> Blob:
        if self._data is None:
            self._data = self.member.open()
        return self._data


def scan_wrapper(
    path: str, member: Member, head: bytes, limits: Limits, facts: list[FactBatch], problems: list[Problem]
) -> Member:
    """Add what one file tells of a framework; the member to go on with, its bytes kept where they were read here."""
    mark = find_mark(path)
    if mark:
        facts.append(batch(FactKind.WRAPPER, member.origin, [mark]))
    reader = _find_reader(path, head)
    if reader is None:
        return member
    kept = _Kept(member)
    bound: int = getattr(limits, reader.limit)
    try:
        # Packed files state the size before they are unpacked, so it is asked twice.
        if member.size > bound or len(kept.open()) > bound:
            raise LimitError(f"more than {bound} bytes; raise --limit {reader.limit}")
        found = reader.read(kept.open(), path, limits)
    except AuditorError as error:
        problems.append(refusal(member.origin, error, ProblemCode.WRAPPER_DAMAGED, KINDS))
        return kept
    if found is not None:
        facts.extend(_batches(found, member.origin, mark))
        problems.extend(Problem(ProblemCode.WRAPPER_DAMAGED, member.origin, fault) for fault in found.faults)
    return kept


def unpacking_failed(member: Member, kinds: frozenset[FactKind]) -> Problem:
    """The problem of a member without readable bytes: it may be code, unless its name says that it is a framework's."""
    path = member.path
    if path.endswith(".js") or (not path.endswith(".so") and any(item.wants(path, b"") for item in READERS)):
        return Problem(ProblemCode.WRAPPER_DAMAGED, member.origin, "could not be unpacked", KINDS)
    detail = "could not be unpacked; it may be code"
    return Problem(ProblemCode.MEMBER_UNREADABLE, member.origin, detail, kinds)


def _find_reader(path: str, head: bytes) -> WrapperReader | None:
    start = head[:4]
    if not head or start in _NEVER or (start == _BINARY_XML and not path.endswith(_XML)):
        return None
    if path.startswith(_LIBRARIES) and not is_hermes(head):
        return None
    return next((item for item in READERS if item.wants(path, head)), None)


def find_mark(path: str) -> str:
    """The framework that a file of this name belongs to, or an empty string."""
    folder, _, name = path.rpartition("/")
    if name.endswith(".so"):
        found = _NATIVE.fullmatch(name)
        group = found.lastgroup if found is not None and found.lastgroup is not None else ""
        return _GROUPS.get(group, group)
    known = _NAMES.get(name) or _TAILS.get(f"{folder.rpartition('/')[2]}/{name}")
    if known is not None:
        return known
    if name.endswith(_MINI_PROGRAM):
        return "mini-program"
    return "uni-app" if "apps/__UNI__" in folder else ""


def _batches(found: WrapperFacts, origin: Origin, known: str) -> list[FactBatch]:
    result = []
    if found.framework != known:
        result.append(batch(FactKind.WRAPPER, origin, [found.framework]))
    if found.plugins:
        # Hermes runs the code; its plugins are those of React Native.
        owner = "react-native" if found.framework == "hermes" else found.framework
        result.append(batch(FactKind.WRAPPER_PLUGIN, origin, [f"{owner}:{name}" for name in found.plugins]))
    if found.strings is not None:
        result.append(FactBatch(FactKind.WRAPPER_STRING, origin, found.strings))
    return result
