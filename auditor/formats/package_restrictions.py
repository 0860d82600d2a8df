"""Reads package-restrictions.xml: what every package is to one user of an Android device.

Format: Settings.java of AOSP (writePackageRestrictions). Android 6 and before leave out packages without any setting;
later ones name every package that the device knows.

Not read: enabled and disabled components, preferred activities, who suspended an app, what archived apps are called.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from auditor.errors import FormatError
from auditor.formats.android_state_tree import Element, hex_number, truth, whole_number
from auditor.formats.android_state_xml import parse_state_xml
from auditor.formats.blob import Blob
from auditor.formats.packages_xml import is_plain_name
from auditor.limits import DEFAULT, Limits

ROOT: Final = "package-restrictions"
INSTALL_REASON_POLICY: Final = 1
_DISABLED = frozenset({2, 3, 4})


@dataclass(frozen=True, slots=True)
class UserPackage:
    """The state of one package for the user; what is not written is false, as for the platform."""

    name: str
    offset: int
    installed: bool = True
    ce_data_inode: int | None = None
    """Of the data directory that is open after the user's unlock; None where none is known."""
    de_data_inode: int | None = None
    stopped: bool = False
    not_launched: bool = False
    hidden: bool = False
    """Out of sight, as device policies make apps."""
    suspended: bool = False
    instant: bool = False
    enabled: int | None = None
    """COMPONENT_ENABLED_STATE_*: 1 enabled, 2 disabled, 3 disabled by the user, 4 disabled until used."""
    install_reason: int | None = None
    uninstall_reason: int | None = None
    first_installed: int | None = None
    """Milliseconds since 1970."""
    harmful: bool = False
    """The system warns of it (harmful-app-warning)."""
    archived: bool = False

    @property
    def is_disabled(self) -> bool:
        """Disabled by the system, by the user, or until it is used."""
        return self.enabled in _DISABLED

    @property
    def was_there(self) -> bool:
        """Whether anything tells that the user had it: data, a reason of removal, a time of installation."""
        return self.has_data or self.uninstall_reason is not None or self.first_installed is not None

    @property
    def has_data(self) -> bool:
        """A data directory is on record. An uninstallation that deletes the data clears both numbers."""
        return self.ce_data_inode is not None or self.de_data_inode is not None


@dataclass(frozen=True, slots=True)
class PackageRestrictions:
    """What the file says, as far as it could be read."""

    packages: tuple[UserPackage, ...]
    nameless: int
    """Records without a usable name."""
    fault: FormatError | None
    cut: bool = False
    """It names more packages than ``Limits.record_listings``; the first are here."""


def parse_package_restrictions(data: Blob, limits: Limits = DEFAULT) -> PackageRestrictions:
    """Read a package-restrictions.xml, text or binary, as far as it goes.

    Raises:
        FormatError: it is no XML of Android, or has another root element.
        LimitError: it is larger than ``Limits.record_size``.
    """
    document = parse_state_xml(data, limits)
    root = document.rooted(ROOT)
    elements = [item for item in root.children if item.name == "pkg"]
    kept = elements[: limits.record_listings]
    named = tuple(_package(item) for item in kept if is_plain_name(item.get("name")))
    return PackageRestrictions(named, len(kept) - len(named), document.fault, len(kept) < len(elements))


def _package(element: Element) -> UserPackage:
    first = hex_number(element.get("first-install-time"))
    return UserPackage(
        name=element.get("name"),
        offset=element.offset,
        installed=truth(element.get("inst")) is not False,
        ce_data_inode=_some(element, "ceDataInode"),
        de_data_inode=_some(element, "deDataInode"),
        stopped=_set(element, "stopped"),
        not_launched=_set(element, "nl"),
        hidden=_set(element, "hidden") or _set(element, "blocked"),
        suspended=_set(element, "suspended"),
        instant=_set(element, "instant-app"),
        enabled=whole_number(element.get("enabled")),
        install_reason=_some(element, "install-reason"),
        uninstall_reason=_some(element, "uninstall-reason"),
        first_installed=first if first is not None and first > 0 else None,
        harmful="harmful-app-warning" in element.attributes,
        archived=element.first("archive-state") is not None,
    )


def _set(element: Element, name: str) -> bool:
    return truth(element.get(name)) is True


def _some(element: Element, name: str) -> int | None:
    """A number that means something: 0 stands for none."""
    value = whole_number(element.get(name))
    return None if value == 0 else value
