"""Devices and what their own records say: which apps are there, for whom, in which state, and who says so."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from auditor.model.apps import Signer
from auditor.model.facts import Platform
from auditor.model.origin import Origin
from auditor.model.problems import Problem


class State(StrEnum):
    """What an app is on a device, for one user."""

    INSTALLED = "installed"
    SHADOWED = "shadowed factory copy"
    ARCHIVED = "archived"
    STAGED = "staged"
    PRESENT = "present, not installed"
    RESIDUAL = "residual data"
    HISTORY = "in the history"
    BACKUP = "in a backup"
    UNKNOWN = "unknown"

    @property
    def meaning(self) -> str:
        return _STATES[self]

    @property
    def is_presence(self) -> bool:
        """Whether an app in this state is on the device, or may be: leftovers and history are no finding."""
        return self not in (State.RESIDUAL, State.HISTORY)


_STATES: dict[State, str] = {
    State.INSTALLED: "installed for this user, as code in place or a live record says",
    State.SHADOWED: "the factory version of a system app that an update replaced; it returns when the update goes",
    State.ARCHIVED: "the code was removed by the system, the record and data are kept for a return",
    State.STAGED: "an installation that was begun and not finished",
    State.PRESENT: "its file lies on the device, but it is not installed from there",
    State.RESIDUAL: "only its data is left, or its data directory is all that was seen of it",
    State.HISTORY: "a history names it (used, installed or removed once); nothing says it is there now",
    State.BACKUP: "a backup names it: it was installed when the backup was made",
    State.UNKNOWN: "the source does not say",
}


class Completeness(StrEnum):
    """Which of a device's apps a record source can name."""

    FULL = "all apps"
    USER_APPS = "user apps only"
    MANAGED = "managed apps only"
    PARTIAL = "some apps"

    @property
    def proves_absence(self) -> bool:
        return self is Completeness.FULL


class RecordKind(StrEnum):
    """What names apps without holding them."""

    PACKAGES_XML = "packages.xml"
    PACKAGES_LIST = "packages.list"
    PACKAGE_RESTRICTIONS = "package-restrictions.xml"
    ANDROID_USERS = "Android users"
    BUILD_PROPERTIES = "build.prop"
    DUMPSYS_PACKAGE = "dumpsys package"
    PM_LIST = "pm list packages"
    ANDROIDQF = "androidqf"
    USAGE_STATS = "usage statistics"
    GOOGLE_DATABASES = "Google Play databases"
    DATA_DIRECTORIES = "data directories"
    ADB_BACKUP = "adb backup"
    IOS_BACKUP = "iOS backup"
    APPLICATION_STATE = "applicationState.db"
    IOS_CONTAINERS = "iOS containers"
    INSTALL_LOG = "mobile installation log"
    APP_STORE_DATABASES = "App Store databases"
    IOS_APP_LIST = "iOS app list"

    @property
    def meaning(self) -> str:
        return _RECORDS[self]


_RECORDS: dict[RecordKind, str] = {
    RecordKind.PACKAGES_XML: "the package service's own database: every app with its signer, for the whole device",
    RecordKind.PACKAGES_LIST: "its short form: names, version codes and installers",
    RecordKind.PACKAGE_RESTRICTIONS: "states of apps for one user: installed, hidden, suspended, disabled, archived",
    RecordKind.ANDROID_USERS: "the users and profiles of an Android device, never their names",
    RecordKind.BUILD_PROPERTIES: "maker, model and system version of an Android device (build.prop, getprop)",
    RecordKind.DUMPSYS_PACKAGE: "what the package service prints, alone or in a bug report: apps, states, signers",
    RecordKind.PM_LIST: "output of pm list packages",
    RecordKind.ANDROIDQF: "packages.json of androidqf and MVT: files, digests and certificates",
    RecordKind.USAGE_STATS: "which apps were used and when: a history",
    RecordKind.GOOGLE_DATABASES: "what Google Play and its services noted of apps: a history",
    RecordKind.DATA_DIRECTORIES: "directories of app data, which stay behind when an app goes",
    RecordKind.ADB_BACKUP: "manifests of apps in an adb backup",
    RecordKind.IOS_BACKUP: "the app list of a Finder or iTunes backup, readable without its password",
    RecordKind.APPLICATION_STATE: "the home screen's database of an iPhone: every app it knows, and where it lies",
    RecordKind.IOS_CONTAINERS: "records beside app bundles and data containers",
    RecordKind.INSTALL_LOG: "log of installations and removals: a history",
    RecordKind.APP_STORE_DATABASES: "databases of the App Store and of sysdiagnose: a history",
    RecordKind.IOS_APP_LIST: "app lists that tools print: pymobiledevice3, ideviceinstaller, cfgutil",
}


@dataclass(frozen=True, slots=True)
class Listing:
    """One app as a record names it, for one user; every field but the id may be unknown."""

    platform: Platform
    app_id: str
    origin: Origin
    """The record, with the offset of the entry where that is cheap to know."""
    state: State = State.UNKNOWN
    user: str = ""
    """User id on the device; empty: the source does not tell users apart (or there is one)."""
    version: str = ""
    """Version shown to people."""
    version_code: str = ""
    """Version the platform compares."""
    label: str = ""
    signers: tuple[Signer, ...] = ()
    """Current signing certificates, as the record holds them."""
    past_signers: tuple[Signer, ...] = ()
    signer_digests: tuple[str, ...] = ()
    """What a record tells of the signers where it has no certificate: ``sha256:``, ``sha1:``, ``md5:`` or
    ``java-hash:`` (Arrays.hashCode of the DER bytes as eight hex digits) and lower-case hex."""
    file_digests: tuple[str, ...] = ()
    """``sha256:HEX`` of its package files, base first."""
    installer: str = ""
    """App or store that installed it."""
    installed: str = ""
    """First installed for this user; UTC as ISO 8601 with Z, or local time without it."""
    updated: str = ""
    seen: str = ""
    """Last time the record saw it there or in use."""
    paths: tuple[str, ...] = ()
    """Where the device keeps its code, as the record says."""
    store_id: str = ""
    """App Store item id."""
    system: bool | None = None
    """Part of the system as delivered; None: not said."""
    flags: tuple[str, ...] = ()
    """Further words on its state, ascending: disabled, hidden, suspended, stopped, instant, debuggable, side-loaded."""


@dataclass(frozen=True, slots=True)
class DeviceUser:
    """A user or profile of a device; never a name."""

    id: str
    profile: str = ""
    """owner, work profile, guest, private space …; empty: unknown."""


@dataclass(frozen=True, slots=True)
class DeviceRecord:
    """What one record source says about a device."""

    kind: RecordKind
    origin: Origin
    completeness: Completeness = Completeness.PARTIAL
    detail: str = ""
    """Why it is not complete, or what else limits it, in a clause."""
    taken: str = ""
    """When the record was made, UTC as ISO 8601, where it says so."""
    listings: tuple[Listing, ...] = ()
    """Ascending by app id, user and state."""
    users: tuple[DeviceUser, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()
    """(name, value) of the device, ascending: platform, manufacturer, model, os_version, os_build, serial, udid."""
    problems: tuple[Problem, ...] = ()
