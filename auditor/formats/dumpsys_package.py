"""Read what ``dumpsys package`` prints, alone or anywhere inside a bug report of hundreds of megabytes.

Format: AOSP's com.android.server.pm Settings.dumpPackagesLPr, from Android 4.2 to 16; signatures as PackageSignatures
prints them.

Not read: permissions, resolver tables, install sessions, APEX sections, the check-in form (``pkg,name,...``).

Values come from apps, and a version name may hold line breaks that forge lines. So blocks are found by their own heads
wherever they lie, not by section, and what contradicts itself within a block is not believed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from auditor.formats.android_names import is_package_name
from auditor.formats.blob import Blob
from auditor.formats.device_text import shown
from auditor.limits import DEFAULT, Limits

_MENTION: Final = re.compile(rb"Package \[")
_HEAD: Final = re.compile(rb"Package \[([^\[\]\r\n]{0,1024})\] \([0-9a-f]{1,16}\):[ \t\r]{0,8}(?=\n|\Z)")
_INDENT: Final = 16
"""``pm dump`` indents the whole by two; more than this is text of something else."""
_LOOK_BACK: Final = 256
_BEFORE_HEAD: Final = frozenset(b" \t\n\xbf")
_SECTIONS: Final = {b"Packages:": False, b"Hidden system packages:": True}
_FIELDS: Final = (
    "compat name|pkg|codePath|versionCode|versionName|firstInstallTime|lastUpdateTime|installerPackageName"
    "|initiatingPackageName|originatingPackageName|packageSource|signatures|pkgFlags|flags|sharedUser|archiveTime"
    "|uninstallReason|installInitiatingPackageName|installOriginatingPackageName"
    "|resourcePath|nativeLibraryPath|legacyNativeLibraryDir|primaryCpuAbi"
)
_WHOLE: Final = frozenset({"resourcePath", "nativeLibraryPath", "legacyNativeLibraryDir", "primaryCpuAbi"})
"""What ``dumpsys package permission NAME`` leaves out, which lists only the packages that have a permission."""
_VALUE_LENGTH: Final = 4096
_SIGNATURES: Final = re.compile(r"version:-?\d+, signatures:\[([^\]]*)\](?:, past signatures:\[([^\]]*)\])?")
_HASH: Final = re.compile(r"([0-9a-f]{1,8})(?: flags: -?[0-9a-f]+)?")
_TIME: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)")
_PAIR: Final = re.compile(r"(\w{1,40})=(\S{0,40})")
_CHOICE: Final = "it lacks the package android, so it lists a choice of packages only"
_PERMISSION: Final = re.compile(rb"^ {2,16}Permission \[", re.MULTILINE)
_SHORT: Final = "it lists only the packages that have a certain permission"
_SECTION_HEAD: Final = re.compile(rb"(?!DUMP OF )[A-Z][A-Za-z][\w '/().,-]{0,100}:[ \t\r]*")
_USER_CODE: Final = ("/data/app/", "/mnt/expand/")
_DURATION: Final = re.compile(rb"-{9,} ?[\d.,]+s was the duration of dumpsys ")
_BROKEN_OFF: Final = (b"***", b"Error", b"Fail")


@dataclass(frozen=True, slots=True)
class DumpedUser:
    """What a package is for one user."""

    id: str
    installed: bool | None
    """None: the line does not say."""
    has_data: bool = False
    """A data directory is kept."""
    archived: bool = False
    removed: bool = False
    """A reason is given for its removal."""
    words: tuple[str, ...] = ()
    """disabled, hidden, instant, stopped, suspended; ascending."""
    first_installed: str = ""


@dataclass(frozen=True, slots=True)
class DumpedPackage:
    """One block; times are the device's own, ISO 8601 without a zone; empty where nothing is said."""

    name: str
    offset: int
    factory_copy: bool = False
    """From ``Hidden system packages``: what an update replaced."""
    system_name: str = ""
    """``compat name``: what the system calls a package that took over the name of an older one."""
    code_path: str = ""
    version: str = ""
    version_code: str = ""
    installer: str = ""
    initiator: str = ""
    """What asked for the installation."""
    originator: str = ""
    source: str = ""
    """PackageInstaller.PACKAGE_SOURCE: 2 store, 3 local file, 4 downloaded file."""
    first_installed: str = ""
    updated: str = ""
    signature_hashes: tuple[str, ...] = ()
    """``java_hash`` of each current certificate; none from before Android 9, whose numbers are of objects."""
    past_hashes: tuple[str, ...] = ()
    code_gone: bool = False
    """``pkg=null``: only the record is left."""
    system: bool | None = None
    debuggable: bool = False
    users: tuple[DumpedUser, ...] = ()


@dataclass(frozen=True, slots=True)
class PackageDump:
    """All blocks of a text."""

    packages: tuple[DumpedPackage, ...]
    """In the order of the text; of two of a name the second only where it says something else of presence."""
    gaps: tuple[str, ...] = ()
    """Why installed packages may be missing, in clauses; empty: the list is whole."""
    broken: bool = False
    """The list is damaged or absent, and not just one of a choice of packages."""
    faults: tuple[str, ...] = ()
    """What could not be read although it is there, in clauses."""


def has_package_block(data: Blob) -> bool:
    """Whether a text holds the head of a block."""
    return next(_find_heads(data), None) is not None


def parse_dumpsys_package(data: Blob, limits: Limits = DEFAULT) -> PackageDump:
    """Read every block; any text gives a result, one without blocks an empty one with its gap.

    Only what the blocks say is held, never the text.
    """
    reader = _Reader(data, limits)
    reader.read()
    broken = tuple(reader.breaks())
    choice = (_CHOICE,) if reader.whole is None else ()
    if reader.whole is False and _PERMISSION.search(data) is not None:
        choice = (_SHORT,)
    return PackageDump(
        tuple(reader.believed()),
        broken + (choice if reader.packages else ()),
        bool(broken),
        tuple(reader.faults()),
    )


class _Reader:
    """Goes through the blocks and remembers how the list of the installed ones ended."""

    def __init__(self, data: Blob, limits: Limits) -> None:
        self.packages: dict[tuple[str, bool, object], DumpedPackage] = {}
        self.whole: bool | None = None
        """Whether the system's own package has the lines of a list of all; None: it is not there, as in a choice."""
        self._data = data
        self._limits = limits
        self._begun = False
        """The list of the installed packages was seen from its start."""
        self._end = b"nothing"
        """Line behind the last block of an installed package; empty: the text ended."""
        self._unread = 0
        self._contradictions = 0
        self._forged = False
        """Factory copies have their title twice: the first may be a forged one, and what follows it installed."""
        self._repeated: set[str] = set()
        self._names: set[tuple[str, bool]] = set()
        self._full = False
        self._listings_left = limits.record_listings
        self._bytes_left = limits.record_size

    def read(self) -> None:
        hidden = False
        following = _find_heads(self._data)
        block = next(following, None)
        while block is not None:
            after = next(following, None)
            hidden = self._section(block[0], hidden)
            if self._listings_left <= 0 or self._bytes_left <= 0:
                self._full = True
                return
            self._block(block, len(self._data) if after is None else after[0], hidden)
            block = after

    def _section(self, start: int, hidden: bool) -> bool:
        """Whether factory copies are listed here: the line above the first block of a section is its title."""
        before = bytes(self._data[max(start - _LOOK_BACK, 0) : start]).rstrip()
        title = before.rpartition(b"\n")[2].removeprefix(b"\xef\xbb\xbf").strip()
        section = _SECTIONS.get(title)
        if section is None:
            return hidden
        self._begun = self._begun or not section
        self._forged = self._forged or (section and hidden)
        return section

    def _block(self, block: tuple[int, int, bytes], limit: int, hidden: bool) -> None:
        start, after, raw = block
        reading = _Block(self._data, self._limits)
        end = reading.read(after, limit, indent_of(self._data, start))
        if end is not None and not hidden:
            self._end = end
        self._unread += end is not None and limit < len(self._data) and not _ends_list(end)
        self._contradictions += reading.contradicted
        self._bytes_left -= reading.size
        name = shown(raw)
        if not is_package_name(name):
            self._unread += 1
            return
        package = reading.package(name, start, hidden)
        if hidden and package.code_path.startswith(_USER_CODE):
            # No factory copy lies there: the title above was a forged one.
            self._forged, hidden, package = True, False, replace(package, factory_copy=False)
        self._unread += reading.unread
        self._listings_left -= max(len(package.users), 1)
        if name == "android" and not hidden:
            self.whole = reading.whole or self.whole is True
        if (name, hidden) in self._names and (name, hidden, _presence(package)) not in self.packages:
            # The device prints each once: the value of another package may hold a forged block.
            self._repeated.add(name)
        self._names.add((name, hidden))
        self.packages.setdefault((name, hidden, _presence(package)), package)

    def believed(self) -> Iterator[DumpedPackage]:
        """The packages; no factory copies where their title may be forged, since one would hide what is installed."""
        for package in self.packages.values():
            yield replace(package, factory_copy=False) if self._forged else package

    def breaks(self) -> Iterator[str]:
        """Say why installed packages may be missing."""
        if all(hidden for _, hidden in self._names):
            yield "no list of packages is in it"
            return
        if self._full:
            yield f"more than {self._limits.record_listings} packages, or long ones; raise --limit record_listings"
        if not self._begun:
            yield "the list of packages is cut off at its start"
        if not self._end:
            yield "it ends within the list of packages"
        elif self._end.startswith(_BROKEN_OFF):
            yield "the list of packages broke off on the device (time ran out or the service failed)"
        elif not _ends_list(self._end):
            yield "the list of packages does not end as it should"

    def faults(self) -> Iterator[str]:
        """Say what is there and was not read."""
        if self._unread:
            yield f"{self._unread} blocks or values of packages that cannot be read"
        if self._forged:
            yield "a title of factory copies that cannot be one (forged by a version name?)"
        if self._contradictions:
            yield f"{self._contradictions} packages whose lines contradict each other (forged by a version name?)"
        if self._repeated:
            shown_names = ", ".join(sorted(self._repeated)[:5])
            yield f"{len(self._repeated)} packages that are listed twice and differ (forged?): {shown_names}"


def _ends_list(line: bytes) -> bool:
    """Whether a line stands behind a list of packages: the next section, or a sign of the device that it ends."""
    return (
        line.startswith(_BROKEN_OFF) or _DURATION.match(line) is not None or _SECTION_HEAD.fullmatch(line) is not None
    )


def _presence(package: DumpedPackage) -> object:
    """What a block says of presence: two that differ in this cannot both be true."""
    users = tuple((user.id, user.installed, user.has_data, user.archived, user.removed) for user in package.users)
    return package.code_gone, users


def _find_heads(data: Blob) -> Iterator[tuple[int, int, bytes]]:
    """Yield (start of the line, end of the head, name) of each block."""
    for mention in _MENTION.finditer(data):
        if mention.start() and data[mention.start() - 1] not in _BEFORE_HEAD:
            continue
        start = _line_start(data, mention.start())
        head = None if start is None else _HEAD.match(data, mention.start())
        if start is not None and head is not None:
            yield start, head.end(), head.group(1)


def _line_start(data: Blob, offset: int) -> int | None:
    """Start of the line on which only blanks stand before ``offset``; None where something else does."""
    before = bytes(data[max(offset - _INDENT - 4, 0) : offset])
    blank = before.rstrip(b" \t")
    indent = len(before) - len(blank)
    if indent > _INDENT or (blank and not blank.endswith((b"\n", b"\xef\xbb\xbf"))):
        return None
    return offset - indent


def indent_of(data: Blob, start: int) -> int:
    """How many blanks a line starts with."""
    line = bytes(data[start : start + _INDENT + 1])
    return len(line) - len(line.lstrip(b" \t"))


@cache
def _lines_pattern(indent: int) -> re.Pattern[bytes]:
    """Lines of a block that matter, and the first that is not of it: that stands no deeper than its head.

    One line of a block is printed without its indentation since Android 15: that of an SDK library.
    """
    return re.compile(
        rb"^(?:[ \t]{0,%d}(?=[^\s])(?!optional:(?:true|false)[ \t\r]*$)"
        rb"|[ \t]{%d,%d}(?:(%s)=([^\r\n]*)|User (\d{1,10}):([^\r\n]*)))"
        % (indent, indent + 1, indent + 12, _FIELDS.encode()),
        re.MULTILINE,
    )


class _Block:
    """The lines of one package."""

    def __init__(self, data: Blob, limits: Limits) -> None:
        self._data = data
        self._limits = limits
        self._fields: dict[str, str] = {}
        self._users: list[tuple[str, str, dict[str, str]]] = []
        self._odd: set[str] = set()
        self.unread = 0
        self.size = 0
        """Bytes of values that are held."""
        self.whole = False

    @property
    def contradicted(self) -> bool:
        return bool(self._odd)

    def read(self, start: int, limit: int, indent: int) -> bytes | None:
        """Take the lines up to ``limit``; return the line that ended them, empty at the end of the text.

        None: the next block follows.
        """
        for line in _lines_pattern(indent).finditer(self._data, start, limit):
            if line.start(1) >= 0:
                # A value that the text ends within may be cut: 24 of 2400.
                if line.end() < len(self._data):
                    self._field(line.group(1).decode(), self._text(line.start(2), line.end(2)))
            elif line.start(3) >= 0:
                if len(self._users) < self._limits.xml_depth:
                    self._users.append((line.group(3).decode(), self._text(line.start(4), line.end(4)), {}))
                else:
                    self.unread += 1
            else:
                return bytes(self._data[line.end() : min(line.end() + 200, limit)]).partition(b"\n")[0]
        return b"" if limit == len(self._data) else None

    def _text(self, start: int, end: int) -> str:
        end = min(end, start + min(self._limits.string_length, _VALUE_LENGTH))
        self.size += end - start
        return shown(bytes(self._data[start:end]), self._limits)

    def _field(self, key: str, value: str) -> None:
        """Keep a value; of two that differ the later is dropped and the field is no longer trusted."""
        if key in _WHOLE:
            self.whole = True
            return
        kept = self._users[-1][2] if self._users else self._fields
        if kept.setdefault(key, value) != value:
            self._odd.add(key)

    def package(self, name: str, offset: int, hidden: bool) -> DumpedPackage:
        """What the lines say."""
        fields = {key: "" if value == "null" else value for key, value in self._fields.items()}
        flags = (fields.get("pkgFlags") or fields.get("flags", "")).strip("[] ").split()
        current, past = self._hashes(fields.get("signatures", ""))
        return DumpedPackage(
            name,
            offset,
            hidden,
            system_name=fields.get("compat name", ""),
            code_path=fields.get("codePath", ""),
            version=fields.get("versionName", ""),
            version_code=_number(fields.get("versionCode", "")),
            installer=fields.get("installerPackageName", ""),
            initiator=fields.get("initiatingPackageName", "") or fields.get("installInitiatingPackageName", ""),
            originator=fields.get("originatingPackageName", "") or fields.get("installOriginatingPackageName", ""),
            source=_number(fields.get("packageSource", "")),
            first_installed=_moment(fields.get("firstInstallTime", "")),
            updated=_moment(fields.get("lastUpdateTime", "")),
            signature_hashes=current,
            past_hashes=past,
            code_gone=self._fields.get("pkg") == "null",
            system="SYSTEM" in flags if flags else None,
            debuggable="DEBUGGABLE" in flags,
            users=tuple(_user(*each) for each in self._users),
        )

    def _hashes(self, text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        found = None if "signatures" in self._odd else _SIGNATURES.search(text)
        if found is None:
            return (), ()
        sets = []
        for listed in found.groups(""):
            hashes = [_HASH.match(item.strip()) for item in listed.split(",")] if listed.strip() else []
            self.unread += hashes.count(None)
            sets.append(tuple(f"{item.group(1):0>8}" for item in hashes if item is not None))
        return sets[0], sets[1]


_WORDS: Final = {
    "hidden": "hidden",
    "blocked": "hidden",
    "suspended": "suspended",
    "stopped": "stopped",
    "instant": "instant",
}


def _user(user: str, line: str, fields: dict[str, str]) -> DumpedUser:
    """One ``User N:`` line with what follows it."""
    pairs: dict[str, str] = {}
    for key, value in _PAIR.findall(line):
        pairs.setdefault(key, value)
    words = {word for key, word in _WORDS.items() if pairs.get(key) == "true"}
    # COMPONENT_ENABLED_STATE: 2 disabled, 3 by the user, 4 until used.
    words |= {"disabled"} if pairs.get("enabled") in ("2", "3", "4") else set()
    installed = pairs.get("installed")
    return DumpedUser(
        str(int(user)),
        installed == "true" if installed in ("true", "false") else None,
        has_data=any(pairs.get(key, "0") not in ("0", "-1") for key in ("ceDataInode", "deDataInode")),
        archived="archiveTime" in fields,
        removed=_number(fields.get("uninstallReason", "")) not in ("", "0"),
        words=tuple(sorted(words)),
        first_installed=_moment(fields.get("firstInstallTime", "")),
    )


def _number(text: str) -> str:
    """The number that a value starts with: ``2400 minSdk=23`` is 2400."""
    first = text.split(maxsplit=1)[:1]
    return first[0] if first and first[0].isascii() and first[0].isdigit() and len(first[0]) <= 20 else ""


def _moment(text: str) -> str:
    found = _TIME.match(text)
    if found is None:
        return ""
    # The device prints the digits of its own language.
    year, month, day, hour, minute, second = map(int, found.groups())
    # Local time, so the zero of a time that was never set lies in 1969 or 1970.
    return "" if year < 1971 else f"{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
