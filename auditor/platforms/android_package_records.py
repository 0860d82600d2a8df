"""Turns the files of Android's package service into records of a device: its apps, users and build.

Where a file is found is worth more than its name, and what it holds more than both: an extraction may put any folder
before ``data/system``, and a single file may have been renamed when it was saved.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from auditor.errors import AuditorError, FormatError, LimitError
from auditor.formats.abx import is_abx
from auditor.formats.android_state_tree import moment_of
from auditor.formats.android_state_xml import root_name
from auditor.formats.android_users import LIST_ROOT, USER_ROOT, parse_android_users
from auditor.formats.blob import Blob
from auditor.formats.build_prop import device_attributes, is_build_properties, parse_build_properties
from auditor.formats.package_restrictions import (
    INSTALL_REASON_POLICY,
    PackageRestrictions,
    UserPackage,
    parse_package_restrictions,
)
from auditor.formats.package_restrictions import ROOT as RESTRICTIONS_ROOT
from auditor.formats.packages_list import is_packages_list, parse_packages_list
from auditor.formats.packages_xml import ROOT as PACKAGES_ROOT
from auditor.formats.packages_xml import PackagesXml, parse_packages_xml
from auditor.model import (
    Completeness,
    DeviceRecord,
    DeviceUser,
    FactKind,
    Listing,
    Origin,
    Platform,
    Problem,
    ProblemCode,
    RecordKind,
    State,
)
from auditor.platforms.android_package_listings import package_listings
from auditor.platforms.record_source import RecordSource
from auditor.platforms.refusal import refusal

_PACKAGES_NAME = re.compile(r"(?:^|/)packages(?:-backup)?\.xml(?:\.reservecopy)?$")
_PACKAGES_PLACE = re.compile(r"(?:^|/)system/packages(?:-backup)?\.xml(?:\.reservecopy)?$")
_RESTRICTIONS_PLACE = re.compile(r"(?:^|/)users/\d{1,10}/package-restrictions(?:-backup)?\.xml(?:\.reservecopy)?$")
_LIST_NAME = re.compile(r"(?:^|/)packages\.list$")
_LIST_PLACE = re.compile(r"(?:^|/)system/packages\.list$")
_USER_OF = re.compile(r"(?:^|/)users/(\d{1,10})/[^/]*$")
_USER_LIST_PLACE = re.compile(r"(?:^|/)userlist\.xml$")
_USER_PLACE = re.compile(r"(?:^|/)users/\d{1,10}\.xml$")
_BUILD_NAME = re.compile(r"(?:^|/)(?:build\.prop|getprop\.txt)$")
_FOREIGN_BUILD = re.compile(r"(?:^|/)data/(?:adb|app|data|local|media|user|user_de)/")
"""Modules and apps bring property files of their own."""

_FIRST_CHILD = re.compile(rb"<packages(?:\s[^>]*)?>\s*<([a-z-]+)([^>]*)")
_CHILDREN = frozenset(
    b"version last-platform-version database-version permission-trees permissions verifier shared-user "
    b"updated-package renamed-package keyset-settings".split()
)

_SIGNERS = frozenset({FactKind.SIGNER})
_NAMING = frozenset({RecordKind.PACKAGES_XML, RecordKind.PACKAGES_LIST, RecordKind.PACKAGE_RESTRICTIONS})
"""Records that name apps; damage to the others hides none."""
_BACKUP_ADVICE = "packages-backup.xml or packages.xml.reservecopy beside it may be whole"
_LIST_LIMITS = (
    "it names the apps whose code was in place when it was written: "
    "neither archived ones nor those on storage that was away"
)
_RESTRICTIONS_LIMITS = "states of one user; Android 6 and before leave out apps without any setting"
_NAMED: Final = 5
"""Packages that a problem names."""


def recognise(path: str, head: bytes) -> RecordKind | None:
    """Tell by path and first bytes (a KiB where there is one) whether a file is a record of the package service."""
    root = root_name(head)
    if _is_packages(path, head, root):
        return RecordKind.PACKAGES_XML
    if root == RESTRICTIONS_ROOT or (not root and _RESTRICTIONS_PLACE.search(path) is not None):
        return RecordKind.PACKAGE_RESTRICTIONS
    if root == LIST_ROOT and _USER_LIST_PLACE.search(path) is not None:
        return RecordKind.ANDROID_USERS
    if root == USER_ROOT and _USER_PLACE.search(path) is not None:
        return RecordKind.ANDROID_USERS
    if _LIST_PLACE.search(path) is not None or (_LIST_NAME.search(path) is not None and is_packages_list(head)):
        return RecordKind.PACKAGES_LIST
    if _BUILD_NAME.search(path) is not None and _FOREIGN_BUILD.search(path) is None and is_build_properties(head):
        return RecordKind.BUILD_PROPERTIES
    return None


def _is_packages(path: str, head: bytes, root: str) -> bool:
    """Whether a file is the package service's: other software has files of this name and even of this root element."""
    if root != PACKAGES_ROOT:
        # In its place a file that begins like nothing is damaged, and that is to be told.
        return not root and _PACKAGES_PLACE.search(path) is not None
    if is_abx(head) or _PACKAGES_PLACE.search(path) is not None:
        return True
    child = _FIRST_CHILD.search(head)
    if child is None:
        return _PACKAGES_NAME.search(path) is not None
    name, attributes = child.groups()
    return name in _CHILDREN or (name == b"package" and b"codePath=" in attributes)


def read(source: RecordSource) -> DeviceRecord:
    """Read a record of the package service; what cannot be read is among its problems."""
    limit = source.budget.limits.record_size
    try:
        if source.main.size > limit:
            raise LimitError(f"a record of {source.main.size} bytes; raise --limit record_size")
        record = _READERS[source.kind](source, source.main.open())
    except AuditorError as error:
        record = DeviceRecord(
            source.kind, source.origin, detail="it could not be read", problems=(_refusal(source, error),)
        )
    attributes = tuple(sorted({*record.attributes, ("platform", str(Platform.ANDROID))}))
    return replace(record, attributes=attributes)


def _refusal(source: RecordSource, error: AuditorError) -> Problem:
    offset = error.offset if isinstance(error, FormatError) else None
    hides = None if source.kind in _NAMING else frozenset[FactKind]()
    problem = refusal(source.origin.at(offset), error, ProblemCode.RECORD_DAMAGED, hides)
    if source.kind is RecordKind.PACKAGES_XML:
        return replace(problem, detail=f"{problem.detail}; {_BACKUP_ADVICE}")
    return problem


def _cut(source: RecordSource) -> Problem:
    most = source.budget.limits.record_listings
    return _refusal(source, LimitError(f"it names more than {most} packages; raise --limit record_listings"))


def _damage(source: RecordSource, found: PackagesXml | PackageRestrictions) -> list[Problem]:
    """What may hide apps: the end of the file, records without a name, too many, or none at all."""
    cut = [_cut(source)] if found.cut else []
    nameless, count = found.nameless, len(found.packages)
    if found.fault is not None:
        # The record that is open at the fault may lack its name; that is no fault of its own.
        return [_refusal(source, found.fault), *cut]
    problems = cut
    if nameless:
        detail = f"records of packages without a usable name: {nameless}"
        problems.append(Problem(ProblemCode.RECORD_DAMAGED, source.origin, detail))
    if count == 0:
        problems.append(_refusal(source, FormatError("it names no package")))
    return problems


def _read_packages(source: RecordSource, data: Blob) -> DeviceRecord:
    limits = source.budget.limits
    found = parse_packages_xml(data, limits)
    damage = _damage(source, found)
    listings, unreadable = package_listings(found, source.origin, limits)
    problems = [
        *damage,
        *_signer_problem(source.origin, found.unresolved, "is not in the file, or one of too many"),
        *_signer_problem(source.origin, unreadable, "cannot be read"),
    ]
    attributes = set()
    for version in found.versions:
        if not version.volume_uuid:
            attributes = {("sdk", version.sdk), ("fingerprint", version.fingerprint)}
    return DeviceRecord(
        source.kind,
        source.origin,
        Completeness.PARTIAL if damage else Completeness.FULL,
        "it could not be read in full" if damage else "",
        listings=listings,
        attributes=tuple(sorted(item for item in attributes if item[1])),
        problems=tuple(problems),
    )


def _signer_problem(origin: Origin, names: tuple[str, ...], what: str) -> list[Problem]:
    if not names:
        return []
    shown = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
    return [Problem(ProblemCode.RECORD_DAMAGED, origin, f"a certificate of {shown} {what}", _SIGNERS)]


def _read_list(source: RecordSource, data: Blob) -> DeviceRecord:
    found = parse_packages_list(data, source.budget.limits)
    problems = [Problem(ProblemCode.RECORD_DAMAGED, source.origin, fault) for fault in found.faults]
    problems += [_cut(source)] if found.cut else []
    listings = [
        Listing(
            Platform.ANDROID,
            item.name,
            source.origin.at(item.offset),
            State.INSTALLED,
            version_code=item.version_code,
            installer=item.installer,
            system=item.system,
            flags=("debuggable",) if item.debuggable else (),
        )
        for item in found.packages
    ]
    return DeviceRecord(
        source.kind,
        source.origin,
        Completeness.PARTIAL,
        _LIST_LIMITS if not problems else f"it could not be read in full; {_LIST_LIMITS}",
        listings=_sorted(listings),
        problems=tuple(problems),
    )


def _read_restrictions(source: RecordSource, data: Blob) -> DeviceRecord:
    found = parse_package_restrictions(data, source.budget.limits)
    named = _USER_OF.search(source.main.path)
    user = "" if named is None else str(int(named.group(1)))
    return DeviceRecord(
        source.kind,
        source.origin,
        Completeness.PARTIAL,
        _RESTRICTIONS_LIMITS if user else f"of a user that the path does not tell; {_RESTRICTIONS_LIMITS}",
        listings=_sorted(_user_listing(item, user, source.origin) for item in found.packages),
        users=(DeviceUser(user),) if user else (),
        problems=tuple(_damage(source, found)),
    )


def _user_listing(item: UserPackage, user: str, origin: Origin) -> Listing:
    flags = {
        "disabled": item.is_disabled,
        "harmful": item.harmful,
        "hidden": item.hidden,
        "installed by policy": item.install_reason == INSTALL_REASON_POLICY,
        "instant": item.instant,
        "removed for this user": not item.installed and not item.archived and item.was_there,
        "stopped": item.stopped,
        "suspended": item.suspended,
    }
    return Listing(
        Platform.ANDROID,
        item.name,
        origin.at(item.offset),
        _user_state(item),
        user,
        installed=moment_of(item.first_installed),
        flags=tuple(sorted(word for word, holds in flags.items() if holds)),
    )


def _user_state(item: UserPackage) -> State:
    """What a package is to one user.

    The service names every package it knows, also to users who never had it, and forgets one that goes for all users
    with its data. Removal for one user clears the numbers of the data directories unless the data is kept, so such a
    number without an installation means kept data. Without one, whatever the user had before, the code lies on the
    device: in the system, or for another user.
    """
    if item.archived:
        return State.ARCHIVED
    if item.installed:
        return State.INSTALLED
    return State.RESIDUAL if item.has_data else State.PRESENT


def _read_users(source: RecordSource, data: Blob) -> DeviceRecord:
    found = parse_android_users(data, source.budget.limits)
    return DeviceRecord(
        source.kind,
        source.origin,
        Completeness.PARTIAL,
        "users only, no apps",
        users=tuple(DeviceUser(str(item.id), item.profile) for item in found.users),
        problems=() if found.fault is None else (_refusal(source, found.fault),),
    )


def _read_build(source: RecordSource, data: Blob) -> DeviceRecord:
    properties = parse_build_properties(data, source.budget.limits)
    return DeviceRecord(
        source.kind,
        source.origin,
        Completeness.PARTIAL,
        "device and build only, no apps",
        attributes=device_attributes(properties),
    )


def _sorted(listings: Iterable[Listing]) -> tuple[Listing, ...]:
    return tuple(sorted(listings, key=lambda item: (item.app_id, item.user, item.state)))


_READERS: dict[RecordKind, Callable[[RecordSource, Blob], DeviceRecord]] = {
    RecordKind.PACKAGES_XML: _read_packages,
    RecordKind.PACKAGES_LIST: _read_list,
    RecordKind.PACKAGE_RESTRICTIONS: _read_restrictions,
    RecordKind.ANDROID_USERS: _read_users,
    RecordKind.BUILD_PROPERTIES: _read_build,
}

KINDS: Final = frozenset(_READERS)
"""What ``read`` reads."""
