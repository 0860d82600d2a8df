"""Read the App Store's own databases on an iOS device: which apps it fetched, updated or was asked for.

Format: appstored.sqlitedb, AppUpdates.sqlitedb, storeUser.db and downloads.*.sqlitedb; not published by Apple, and
their tables differ between releases: every table with a column for bundle ids is read.

Not read: accounts, prices, policies, tables without bundle ids.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from auditor.errors import FormatError, LimitError
from auditor.formats.ios_names import ID_LENGTH, TEXT_LENGTH
from auditor.formats.sqlite_database import SqliteDatabase, Value
from auditor.limits import DEFAULT, Limits

_ID_COLUMNS = ("bundle_id", "bundleid", "bundle_identifier", "bundleidentifier", "application_id")
_VERSIONS = ("bundle_short_version", "short_version", "bundle_short_version_string", "version", "display_version")
_VERSION_CODES = ("bundle_version", "build_version", "bundleversion")
_STORE_IDS = ("item_id", "itemid", "store_item_id", "store_id", "adam_id", "adamid", "item_identifier")
_LABELS = ("title", "bundle_name", "item_name")
_BUNDLE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-_]*(?:\.[A-Za-z0-9\-_]+)+")
_TABLES = 500


@dataclass(frozen=True, slots=True)
class StoreApp:
    """One app as the store's records name it; empty where they say nothing."""

    app_id: str
    table: str
    version: str = ""
    version_code: str = ""
    store_id: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class StoreDatabase:
    """Every app a database names."""

    apps: tuple[StoreApp, ...]
    """Ascending by id, then table; each once for each table."""
    tables: tuple[str, ...]
    """Those with bundle ids."""
    faults: tuple[str, ...] = ()


def read_store_database(database: SqliteDatabase, limits: Limits = DEFAULT) -> StoreDatabase:
    """Read every table that names apps; damage ends the reading of a table and is a fault.

    Raises:
        FormatError: the schema cannot be read.
    """
    found: dict[tuple[str, str], StoreApp] = {}
    read, faults = [], list(database.faults)
    for name in database.tables[:_TABLES]:
        columns = {column.lower(): column for column in database.columns(name)}
        id_column = next((columns[key] for key in _ID_COLUMNS if key in columns), None)
        if id_column is None:
            continue
        read.append(name)
        groups = (_VERSIONS, _VERSION_CODES, _STORE_IDS, _LABELS)
        chosen = [next((columns[key] for key in group if key in columns), id_column) for group in groups]
        try:
            for row in database.rows(name, [id_column, *chosen]):
                app = _app(name, id_column, chosen, row)
                if len(found) >= limits.record_listings:
                    raise LimitError(f"more than {limits.record_listings} apps; raise --limit record_listings")
                if app is not None:
                    key = (app.app_id, name)
                    found[key] = max(found.get(key, app), app, key=_told)
        except FormatError as error:
            faults.append(f"not every row of {name} could be read: {error}")
    if len(database.tables) > _TABLES:
        faults.append(f"{len(database.tables)} tables; the first {_TABLES} were read")
    return StoreDatabase(tuple(found[key] for key in sorted(found)), tuple(read), tuple(faults[:10]))


def _app(name: str, id_column: str, chosen: list[str], row: tuple[Value, ...]) -> StoreApp | None:
    app_id = row[0]
    if not isinstance(app_id, str) or len(app_id) > ID_LENGTH or _BUNDLE_ID.fullmatch(app_id) is None:
        return None
    version, code, store_id, label = (
        "" if column == id_column else _plain(value) for column, value in zip(chosen, row[1:], strict=True)
    )
    return StoreApp(app_id, name, version, code, store_id if store_id.isdecimal() else "", label)


def _plain(value: Value) -> str:
    if isinstance(value, str):
        return value.strip()[:TEXT_LENGTH]
    return str(value) if isinstance(value, int) and value else ""


def _told(app: StoreApp) -> tuple[int, str, str]:
    return sum(map(bool, (app.version, app.version_code, app.store_id, app.label))), app.version, app.version_code
