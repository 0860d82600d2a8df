"""Reads packages.xml: every app of an Android device, factory versions behind updates, and their signing certificates.

Format: Settings.java and PackageSignatures.java of AOSP (services/core, package manager), from Android 4 on; also
packages-backup.xml and packages.xml.reservecopy.

Not read: permissions, key sets, domain verification, libraries, the version people see (it is not in the file).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from auditor.errors import FormatError
from auditor.formats.android_state_tree import Element, hex_number, truth, whole_number
from auditor.formats.android_state_xml import parse_state_xml
from auditor.formats.blob import Blob
from auditor.limits import DEFAULT, Limits

ROOT: Final = "packages"

FLAG_SYSTEM: Final = 1
FLAG_DEBUGGABLE: Final = 1 << 1
FLAG_UPDATED_SYSTEM_APP: Final = 1 << 7
_NO_UUID = ""
_SEPARATOR = re.compile(r"[ /\\]")
_NAME_LENGTH = 255
_PATH_LENGTH = 4096
_VOLUMES = 100


@dataclass(frozen=True, slots=True)
class PackageSetting:
    """What the package service keeps of one package; empty or None where it says nothing."""

    name: str
    offset: int
    """Of its start tag in the file."""
    code_path: str = ""
    real_name: str = ""
    version_code: str = ""
    target_sdk: str = ""
    modified: int | None = None
    """``ft``: when its code was last changed; milliseconds since 1970, None also for -1."""
    first_installed: int | None = None
    """``it``: written up to Android 12; later ones keep it per user."""
    updated: int | None = None
    """``ut``: last installation or update."""
    public_flags: int | None = None
    """ApplicationInfo.flags as an unsigned number."""
    private_flags: int | None = None
    user_id: int | None = None
    """Application id (10000 and up for apps), shared or not."""
    shared: bool = False
    installer: str = ""
    initiator: str = ""
    originator: str = ""
    update_owner: str = ""
    source: int | None = None
    """PackageInstaller.PACKAGE_SOURCE_*: 0 unspecified, 1 other, 2 store, 3 local file, 4 downloaded file."""
    volume_uuid: str = ""
    archived: bool = False
    signers: tuple[bytes, ...] = ()
    """Current certificates, DER."""
    past_signers: tuple[bytes, ...] = ()

    @property
    def is_system(self) -> bool | None:
        """Delivered with the system; None: not said."""
        return None if self.public_flags is None else bool(self.public_flags & FLAG_SYSTEM)


@dataclass(frozen=True, slots=True)
class PlatformVersion:
    """Which platform last wrote the records of a volume."""

    volume_uuid: str
    """Empty for the internal storage."""
    sdk: str
    fingerprint: str
    """Of the build."""


@dataclass(frozen=True, slots=True)
class PackagesXml:
    """What packages.xml says, as far as it could be read."""

    packages: tuple[PackageSetting, ...]
    updated: tuple[PackageSetting, ...]
    """Factory versions of system apps that an update in /data replaces."""
    renamed: tuple[tuple[str, str], ...]
    """(name in the manifest, name in the records) of system apps that were renamed."""
    versions: tuple[PlatformVersion, ...]
    unresolved: tuple[str, ...]
    """Packages that name a certificate which the file does not hold, ascending."""
    nameless: int
    """Records of packages without a usable name."""
    fault: FormatError | None
    """Why the file ends early."""
    cut: bool = False
    """It names more packages than ``Limits.record_listings``; the first are here."""


def parse_packages_xml(data: Blob, limits: Limits = DEFAULT) -> PackagesXml:
    """Read a packages.xml, text or binary, as far as it goes.

    Raises:
        FormatError: it is no XML of Android, or its root is not ``packages``.
        LimitError: it is larger than ``Limits.record_size``.
    """
    document = parse_state_xml(data, limits)
    root = document.rooted(ROOT)
    reader = _Reader(root, limits)
    most = limits.record_listings
    kept = [item for item in root.children if item.name == "package"]
    updated = [item for item in root.children if item.name == "updated-package"]
    named = [reader.package(item) for item in kept[:most]]
    factory = [reader.package(item) for item in updated[:most]]
    return PackagesXml(
        packages=tuple(item for item in named if item is not None),
        updated=tuple(item for item in factory if item is not None),
        renamed=tuple(_renamed(root)[:most]),
        versions=tuple(_versions(root)[:_VOLUMES]),
        unresolved=tuple(sorted(reader.unresolved)),
        nameless=named.count(None) + factory.count(None),
        fault=document.fault,
        cut=max(len(kept), len(updated)) > most,
    )


class _Reader:
    """Knows the certificates of the whole file, which a package names by number."""

    def __init__(self, root: Element, limits: Limits) -> None:
        self.unresolved: set[str] = set()
        self._limits = limits
        self._certificates = _certificate_table(root, limits)
        self._shared: dict[int, Element] = {}
        for item in root.children:
            if item.name == "shared-user":
                number, signatures = whole_number(item.get("userId")), item.first("sigs")
                if number is not None and signatures is not None:
                    self._shared.setdefault(number, signatures)

    def package(self, element: Element) -> PackageSetting | None:
        """One record; None where it has no usable name."""
        name = element.get("name")
        if not is_plain_name(name):
            return None
        own, shared = whole_number(element.get("userId")), whole_number(element.get("sharedUserId"))
        signers, past = self._signers(element, name, shared)
        flags = _flags(element)
        return PackageSetting(
            name=name,
            offset=element.offset,
            code_path=element.get("codePath")[:_PATH_LENGTH],
            real_name=plain_name(element.get("realName")),
            version_code=_number_text(element.get("version")),
            target_sdk=_number_text(element.get("targetSdkVersion")),
            modified=_time(element, "ft"),
            first_installed=_time(element, "it"),
            updated=_time(element, "ut"),
            public_flags=None if flags is None else flags & 0xFFFFFFFF,
            private_flags=whole_number(element.get("privateFlags")),
            user_id=own if shared is None else shared,
            shared=shared is not None,
            installer=plain_name(element.get("installer")),
            initiator=plain_name(element.get("installInitiator")),
            originator=plain_name(element.get("installOriginator")),
            update_owner=plain_name(element.get("updateOwner")),
            source=whole_number(element.get("packageSource")),
            volume_uuid=element.get("volumeUuid")[:_NAME_LENGTH],
            archived=element.first("archive-state") is not None,
            signers=signers,
            past_signers=past,
        )

    def _signers(self, element: Element, name: str, shared: int | None) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
        """Current and past certificates: the package's own, or those of the user id it shares."""
        signatures = element.first("sigs")
        if (signatures is None or not signatures.children) and shared is not None:
            signatures = self._shared.get(shared, signatures)
        if signatures is None:
            return (), ()
        past = signatures.first("pastSigs")
        current = self._resolve(signatures.children, name, self._limits.signers)
        return current, () if past is None else self._resolve(past.children, name, self._limits.lineage)

    def _resolve(self, elements: Iterable[Element], name: str, most: int) -> tuple[bytes, ...]:
        found: list[bytes] = []
        for element in elements:
            if element.name == "cert":
                der = self._certificates.get(whole_number(element.get("index")))
                if der is None or len(found) >= most:
                    self.unresolved.add(name)
                else:
                    found.append(der)
        return tuple(found)


def _certificate_table(root: Element, limits: Limits) -> dict[int | None, bytes]:
    """Every certificate by its number: it is written out where the file first uses it, wherever that is."""
    table: dict[int | None, bytes] = {}
    for element in root.walk():
        if element.name == "cert" and "key" in element.attributes:
            index, text = whole_number(element.get("index")), element.get("key")
            if index is None or index in table or len(text) > 2 * limits.certificate_size:
                # The packages that name it are reported as unresolved.
                continue
            try:
                table[index] = bytes.fromhex(text)
            except ValueError:
                continue
    return table


def _flags(element: Element) -> int | None:
    """Public flags: an attribute of their own since Android 6, one with the private flags before."""
    for name in ("publicFlags", "flags"):
        value = whole_number(element.get(name))
        if value is not None:
            return value
    system = truth(element.get("system"))
    return None if system is None else int(system)


def _time(element: Element, name: str) -> int | None:
    value = hex_number(element.get(name))
    return value if value is not None and value > 0 else None


def _number_text(text: str) -> str:
    value = whole_number(text)
    return "" if value is None else str(value)


def _renamed(root: Element) -> list[tuple[str, str]]:
    pairs = ((item.get("new"), item.get("old")) for item in root.children if item.name == "renamed-package")
    return sorted({(new, old) for new, old in pairs if is_plain_name(new) and is_plain_name(old)})


def _versions(root: Element) -> list[PlatformVersion]:
    """The platform versions: an element for each volume, or the one element of Android 5 and before."""
    found = []
    for item in root.children:
        if item.name == "version":
            build = item.get("buildFingerprint") or item.get("fingerprint")
            uuid = item.get("volumeUuid")[:_NAME_LENGTH]
            found.append(PlatformVersion(uuid, _number_text(item.get("sdkVersion")), build[:_NAME_LENGTH]))
        elif item.name == "last-platform-version":
            build = item.get("fingerprint")[:_NAME_LENGTH]
            found.append(PlatformVersion(_NO_UUID, _number_text(item.get("internal")), build))
    return found


def is_plain_name(name: str) -> bool:
    """Whether text can name a package: short, and without white space, control characters or path separators."""
    return 0 < len(name) <= _NAME_LENGTH and name.isprintable() and _SEPARATOR.search(name) is None


def plain_name(name: str) -> str:
    """Text that can name a package as it is, other text as empty."""
    return name if is_plain_name(name) else ""
