"""Records of apps that commands and tools took from an Android device: dumpsys, bug reports, pm list, androidqf."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

from auditor.formats.androidqf import ListedApp, is_androidqf, parse_androidqf
from auditor.formats.bug_report import BugReport, is_bug_report, parse_bug_report
from auditor.formats.device_text import open_device_text
from auditor.formats.dumpsys_package import (
    DumpedPackage,
    DumpedUser,
    PackageDump,
    has_package_block,
    parse_dumpsys_package,
)
from auditor.formats.pm_list import ListedPackage, is_pm_list, parse_pm_list
from auditor.model import (
    Completeness,
    DeviceRecord,
    DeviceUser,
    Listing,
    Origin,
    Platform,
    Problem,
    ProblemCode,
    RecordKind,
    State,
)
from auditor.platforms.android_use_records import read_use_record, recognise_use_record
from auditor.platforms.record_source import RecordSource

_HEAD_SIZE = 8192
_SAMPLE = 512
"""No text of a device has a zero byte near its start; most files do, and this is asked of every file."""
_SERVICE = re.compile(rb"^DUMP OF SERVICE (?:[A-Z]{1,16} )?package:[ \t\r]*$", re.MULTILINE)
_ALL_SERVICES = re.compile(rb"(?:\xef\xbb\xbf)?\s*Currently running services:\s*\n\s+[\w.]+")
_FIRST_SECTION = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:"
    rb"Activity Resolver Table:\s*\n\s+(?:Full MIME|Base MIME|Wild MIME|MIME|Schemes|Non-Data|Typed)[\w -]*:"
    rb"|Database versions:\s*\n\s+(?:Internal|External|Current|Volume|Settings|SdkVersion|sdkVersion)\b"
    rb"|Known Packages:\s*\n\s+\w+"
    rb"|Verifiers:\s*\n\s+(?:Required|Optional|Package)\b"
    rb"|Packages:\s*\n\s+Package \[)"
)
_CHECKIN = re.compile(rb"^(?:pkg|dis),[\w.-]{1,255},\d{1,10},\d{1,20},", re.MULTILINE)
"""The check-in form, which is not read and must not pass for something else."""
_TOO_MANY = "more packages than are read; raise --limit record_listings"
_USER_RANGE = 100_000
"""UserHandle.PER_USER_RANGE: the uid of an app for user 10 begins with 10."""
_BY_HAND = frozenset({"com.android.packageinstaller", "com.android.shell", "com.google.android.packageinstaller"})
"""What asks a person before it installs, and adb."""
_MOST_USERS = 256
_LOCAL_SOURCES = frozenset({"3", "4"})
_USER_CODE = ("/data/", "/mnt/expand/")


def recognise(path: str, head: bytes) -> RecordKind | None:
    """The kind of record that a file is, by its place and its first 8192 bytes; None for anything else."""
    kind = recognise_use_record(path, head)
    if kind is not None:
        return kind
    text = bytes(open_device_text(head[:_HEAD_SIZE]))
    if b"\0" in text[:_SAMPLE]:
        return None
    whole = len(head) < _HEAD_SIZE
    if _is_dump(text, whole=whole):
        return RecordKind.DUMPSYS_PACKAGE
    if is_androidqf(path, text):
        return RecordKind.ANDROIDQF
    return RecordKind.PM_LIST if is_pm_list(text, whole=whole) else None


def _is_dump(head: bytes, *, whole: bool) -> bool:
    if _ALL_SERVICES.match(head) is not None:
        # ``dumpsys -l`` prints the names of the services and no more.
        return not whole or _SERVICE.search(head) is not None
    return (
        (b"== dumpstate:" in head and is_bug_report(head))
        or _FIRST_SECTION.match(head) is not None
        or (b"DUMP OF SERVICE " in head and _SERVICE.search(head) is not None)
        or has_package_block(head)
        or (head.startswith(b"vers,1") and _CHECKIN.search(head) is not None)
    )


def read(source: RecordSource) -> DeviceRecord:
    """What a record says that ``recognise`` named.

    Raises:
        FormatError: nothing of it can be read.
        InputError: the operating system refuses.
    """
    if source.kind is RecordKind.DUMPSYS_PACKAGE:
        return _read_dump(source)
    if source.kind is RecordKind.PM_LIST:
        return _read_pm_list(source)
    if source.kind is RecordKind.ANDROIDQF:
        return _read_androidqf(source)
    return read_use_record(source)


def ordered(listings: Iterable[Listing]) -> tuple[Listing, ...]:
    """Listings in the order that records keep, each once."""
    unique = dict.fromkeys(listings)
    return tuple(sorted(unique, key=lambda item: (item.app_id, item.user, item.state, item.version_code)))


def _read_dump(source: RecordSource) -> DeviceRecord:
    data = source.main.open()
    text = open_device_text(data)
    dump = parse_dumpsys_package(text, source.budget.limits)
    report = parse_bug_report(text)
    origin = source.origin
    live = {package.name for package in dump.packages if not package.factory_copy}
    told = any(package.users for package in dump.packages)
    listings = [
        listing
        for package in dump.packages
        for listing in _dumped(package, origin.at(package.offset if text is data else None), live, told=told)
    ]
    if report.universal:
        listings = [replace(item, installed=_zulu(item.installed), updated=_zulu(item.updated)) for item in listings]
    return DeviceRecord(
        RecordKind.DUMPSYS_PACKAGE,
        origin,
        Completeness.PARTIAL if dump.gaps else Completeness.FULL,
        "; ".join((*dump.gaps, *_zone_note(report, listings))),
        report.taken,
        ordered(listings),
        _users(report, listings),
        report.attributes,
        tuple(_dump_problems(dump, origin)),
    )


def _dump_problems(dump: PackageDump, origin: Origin) -> Iterator[Problem]:
    """A choice of packages is no damage; a list that breaks off is."""
    broken = [*(dump.gaps if dump.broken else ()), *dump.faults]
    if broken:
        yield Problem(ProblemCode.RECORD_DAMAGED, origin, f"dumpsys package: {'; '.join(broken)}")


def _zone_note(report: BugReport, listings: Iterable[Listing]) -> Iterator[str]:
    if not report.universal and any(item.installed or item.updated for item in listings):
        yield f"times are the device's own ({report.zone or 'zone not stated'})"


def _zulu(moment: str) -> str:
    return f"{moment}Z" if moment else ""


def _users(report: BugReport, listings: Iterable[Listing]) -> tuple[DeviceUser, ...]:
    profiles = dict(report.profiles)
    ids = {item.user for item in listings if item.user} | set(profiles)
    return tuple(DeviceUser(user, profiles.get(user, "")) for user in sorted(ids, key=int))


def _dumped(package: DumpedPackage, origin: Origin, live: set[str], *, told: bool) -> Iterator[Listing]:
    """The listings of one block: one for each user it tells, one for a factory copy."""
    whole = Listing(
        Platform.ANDROID,
        package.name,
        origin,
        version=package.version,
        version_code=package.version_code,
        signer_digests=tuple(f"java-hash:{value}" for value in package.signature_hashes),
        installer=package.installer or package.initiator,
        installed=package.first_installed,
        updated=package.updated,
        paths=(package.code_path,) if package.code_path else (),
        system=package.system,
        flags=tuple(sorted(_words(package))),
    )
    if package.factory_copy:
        # One without the package that replaced it is not what it claims to be.
        yield replace(whole, state=State.SHADOWED if package.name in live else State.UNKNOWN)
    elif not package.users:
        yield replace(whole, state=_state_without_users(package, told=told))
    else:
        for user in package.users:
            yield _for_user(whole, package, user)
    if package.system_name and package.system_name != package.name and not package.factory_copy:
        # The system goes on calling it by the name of the package it took over.
        yield from _dumped(replace(package, name=package.system_name, system_name=""), origin, live, told=told)


def _words(package: DumpedPackage) -> Iterator[str]:
    if package.debuggable:
        yield "debuggable"
    if package.source in _LOCAL_SOURCES or not _BY_HAND.isdisjoint((package.installer, package.initiator)):
        yield "side-loaded"


def _state_without_users(package: DumpedPackage, *, told: bool) -> State:
    """Before Android 4.2 no user is told; where others have theirs, the block is cut off."""
    return State.UNKNOWN if told or package.code_gone else State.INSTALLED


def _for_user(whole: Listing, package: DumpedPackage, user: DumpedUser) -> Listing:
    state = _user_state(package, user)
    words = {*whole.flags, *user.words}
    if user.installed is False and state is not State.ARCHIVED:
        words.add("not installed for this user")
        words |= {"removed for this user"} if user.removed or user.has_data else set()
    return replace(
        whole,
        user=user.id,
        state=state,
        # Before Android 14 one time stands for all users, of whom not all have it.
        installed=user.first_installed or (whole.installed if user.installed else ""),
        flags=tuple(sorted(words)),
    )


def _user_state(package: DumpedPackage, user: DumpedUser) -> State:
    """What a package is to one user; as package-restrictions.xml is read, of which the line is a print."""
    if user.archived:
        return State.ARCHIVED
    if user.installed is None:
        return State.UNKNOWN
    if user.installed:
        # Its code may lie on storage that was not there when the dump was made.
        return State.UNKNOWN if package.code_gone else State.INSTALLED
    if package.code_gone:
        return State.RESIDUAL if user.has_data else State.HISTORY
    # Another user has it, or the system image: what this user had of it does not take the code away.
    return State.PRESENT


def _read_pm_list(source: RecordSource) -> DeviceRecord:
    found = parse_pm_list(source.main.open(), source.budget.limits)
    origin = source.origin
    paths = [item.path for item in found.packages]
    user_only = all(path.startswith(("/data/app/", "/mnt/expand/")) for path in paths)
    faults = [f"{found.unread} lines name no package"] if found.unread else []
    problems = [Problem(ProblemCode.RECORD_DAMAGED, origin, f"pm list packages: {'; '.join(faults)}")] if faults else []
    most = source.budget.limits.record_listings
    told = list(islice((listing for item in found.packages for listing in _listed(item, origin)), most + 1))
    if found.cut or len(told) > most:
        problems.append(Problem(ProblemCode.LIMIT, origin, f"pm list packages: {_TOO_MANY}"))
    listings = ordered(told[:most])
    return DeviceRecord(
        RecordKind.PM_LIST,
        origin,
        Completeness.USER_APPS if user_only else Completeness.PARTIAL,
        "the list does not say its options: some leave apps out, -u adds apps whose data alone is left",
        listings=listings,
        users=tuple(DeviceUser(user) for user in sorted({item.user for item in listings if item.user}, key=int)),
        problems=tuple(problems),
    )


def _listed(item: ListedPackage, origin: Origin) -> Iterator[Listing]:
    listing = Listing(
        Platform.ANDROID,
        item.name,
        origin,
        state=State.UNKNOWN if item.code_gone else State.INSTALLED,
        version_code=item.version_code,
        installer=item.installer,
        paths=(item.path,) if item.path else (),
        system=True if item.path.startswith("/") and not item.path.startswith(_USER_CODE) else None,
        flags=("side-loaded",) if item.installer in _BY_HAND else (),
    )
    users = {str(uid // _USER_RANGE) for uid in item.uids[:_MOST_USERS]} or {""}
    yield from (replace(listing, user=user) for user in users)


def _read_androidqf(source: RecordSource) -> DeviceRecord:
    found = parse_androidqf(source.main.open(), source.budget.limits)
    origin = source.origin
    detail = []
    if any(not app.files for app in found.apps):
        detail.append("packages without files are gone but for data, or installed for another user only")
    if found.unhashed:
        detail.append(f"{found.unhashed} files could not be hashed on the device")
    problems = []
    if found.unread:
        text = f"packages.json: {found.unread} items are no packages or files"
        problems.append(Problem(ProblemCode.RECORD_DAMAGED, origin, text))
    if found.cut:
        problems.append(Problem(ProblemCode.LIMIT, origin, f"packages.json: {_TOO_MANY}"))
    return DeviceRecord(
        RecordKind.ANDROIDQF,
        origin,
        Completeness.PARTIAL if problems or not found.apps else Completeness.FULL,
        "; ".join(detail),
        listings=ordered(_from_androidqf(app, origin) for app in found.apps),
        problems=tuple(problems),
    )


def _state_of_files(app: ListedApp) -> State:
    """The tool asks for the files of the main user's apps, but lists the packages of all users and those removed."""
    if app.files:
        return State.INSTALLED
    # One in a work profile only looks the same as one whose data was kept: taking it for gone would hide it.
    return State.PRESENT if app.system else State.UNKNOWN


def _from_androidqf(app: ListedApp, origin: Origin) -> Listing:
    certificates = dict.fromkeys(file.certificate_sha256 for file in app.files if file.certificate_sha256)
    digests = dict.fromkeys(file.sha256 for file in app.files if file.sha256)
    words = {"disabled"} if app.disabled else set()
    words |= {"side-loaded"} if app.installer in _BY_HAND else set()
    return Listing(
        Platform.ANDROID,
        app.name,
        origin,
        state=_state_of_files(app),
        user=str(app.uid // _USER_RANGE) if app.uid is not None and app.uid >= _USER_RANGE else "",
        version=app.version,
        version_code=app.version_code,
        signer_digests=tuple(f"sha256:{digest}" for digest in certificates),
        file_digests=tuple(f"sha256:{digest}" for digest in digests),
        installer=app.installer,
        paths=tuple(file.path for file in app.files),
        system=app.system,
        flags=tuple(sorted(words)),
    )
