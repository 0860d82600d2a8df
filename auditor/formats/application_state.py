"""Read applicationState.db: every app iOS shows or knows, where its bundle lies, and whether it was removed.

Format: database of FrontBoard (application_identifier_tab, key_tab, kvs with property lists); not published by Apple.

Apps that the system offloaded lose their entry; most, but not all, that were removed have a date of it.

Not read: snapshots, badges, screen time and other keys of an app.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from auditor.errors import FormatError
from auditor.formats.ios_names import inner_limits, is_app_id
from auditor.formats.keyed_archive import is_keyed_archive, unarchive
from auditor.formats.plist import moment, parse_plist, table, text
from auditor.formats.sqlite_database import SqliteDatabase, Value
from auditor.limits import DEFAULT, Limits

_COMPATIBILITY = "compatibilityInfo"
_UNINSTALLED = "_UninstallDate"
_PATH_LENGTH = 4096
_FAULTS = 10


@dataclass(frozen=True, slots=True)
class AppState:
    """What FrontBoard knows of one app."""

    app_id: str
    bundle_path: str = ""
    """Where the bundle lies; empty: not said."""
    sandbox_path: str = ""
    uninstalled: str = ""
    """ISO 8601 with Z; empty: not removed, as far as the database says. One with a bundle may be there again."""


@dataclass(frozen=True, slots=True)
class ApplicationState:
    """All apps of the database."""

    apps: tuple[AppState, ...]
    """Ascending by id."""
    faults: tuple[str, ...] = ()


@dataclass(slots=True)
class _Draft:
    info: dict[str, object] = field(default_factory=dict)
    uninstalled: str = ""


def read_application_state(database: SqliteDatabase, limits: Limits = DEFAULT) -> ApplicationState:
    """Read the apps; damage ends the reading after what precedes it and is a fault.

    Raises:
        FormatError: it is another database.
    """
    if not database.has("application_identifier_tab", "id", "application_identifier"):
        raise FormatError("the database has no table of application identifiers")
    faults = list(database.faults)
    most = limits.record_listings
    names = _named(database, "application_identifier_tab", "application_identifier", faults, most)
    drafts = {key: _Draft() for key in names}
    keys = _named(database, "key_tab", "key", faults, most)
    wanted = {key: name for key, name in keys.items() if name in (_COMPATIBILITY, _UNINSTALLED)}
    try:
        for app, key, value in database.rows("kvs", ["application_identifier", "key", "value"]):
            if key not in wanted or app not in drafts or value is None:
                continue
            if isinstance(value, bytes):
                _note(drafts[app], wanted[key], value, names[app], faults, inner_limits(limits, len(value)))
            elif wanted[key] == _UNINSTALLED:
                drafts[app].uninstalled = "unknown"
    except FormatError as error:
        faults.append(f"not every state could be read: {error}")
    found: dict[str, AppState] = {}
    for key, draft in drafts.items():
        # The bundle id inside may name the app where the table names a scene of it.
        inside = text(draft.info.get("bundleIdentifier"))
        app_id = inside if is_app_id(inside) else names[key]
        bundle, sandbox = (text(draft.info.get(name))[:_PATH_LENGTH] for name in ("bundlePath", "sandboxPath"))
        state = AppState(app_id, bundle, sandbox, draft.uninstalled)
        found[app_id] = max(found.get(app_id, state), state, key=lambda item: (item.bundle_path, item.uninstalled))
    return ApplicationState(tuple(found[key] for key in sorted(found)), tuple(faults[:_FAULTS]))


def _named(database: SqliteDatabase, name: str, column: str, faults: list[str], most: int) -> dict[Value, str]:
    found: dict[Value, str] = {}
    strange = 0
    try:
        for key, value in database.rows(name, ["id", column]):
            if not isinstance(value, str) or not is_app_id(value):
                strange += value is not None
            elif len(found) < most:
                found[key] = value
            else:
                faults.append(f"{name} has more than {most} rows; raise --limit record_listings")
                break
    except FormatError as error:
        faults.append(f"not every row of {name} could be read: {error}")
    if strange:
        faults.append(f"{strange} rows of {name} have no usable name")
    return found


def _note(draft: _Draft, key: str, value: bytes, app: str, faults: list[str], limits: Limits) -> None:
    try:
        plain = _plain(value, limits)
    except FormatError as error:
        if len(faults) < _FAULTS:
            faults.append(f"{key} of {app}: {error}")
        return
    if key == _UNINSTALLED:
        draft.uninstalled = moment(plain) or "unknown"
    else:
        draft.info = table(plain)


def _plain(value: bytes, limits: Limits) -> object:
    """A stored value: a property list, which may hold another as data, which may be an archive."""
    plain = parse_plist(value, limits)
    if isinstance(plain, bytes) and plain.startswith((b"bplist", b"<")):
        plain = parse_plist(plain, limits)
    return unarchive(plain, limits) if is_keyed_archive(plain) else plain
