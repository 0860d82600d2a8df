"""Read what Google's apps keep of packages: gass.db, localappstate.db, library.db, frosting.db.

Format: SQLite databases of Google Play services (Play Protect) and of the Play Store; not documented by Google.

Not read: accounts, download addresses, purchases that are no apps, the verdicts of Play Protect.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from auditor.errors import FormatError, LimitError
from auditor.formats.android_names import is_package_name, package_of_path
from auditor.formats.blob import Blob
from auditor.formats.sqlite_database import SqliteDatabase, Value, open_sqlite
from auditor.limits import DEFAULT, Limits

PLAY_PROTECT, PLAY_STATE, PLAY_LIBRARY, PLAY_FROSTING = "gass.db", "localappstate.db", "library.db", "frosting.db"
_STORE_FOLDER: Final = "com.android.vending/databases/"
_ANDROID_APP: Final = 1
"""``doc_type`` of an app in library.db; books, films and purchases within apps have others."""
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class KnownPackage:
    """A package that one of the databases names; empty where it says nothing."""

    name: str
    version_code: str = ""
    sha256: str = ""
    """Of its APK."""
    label: str = ""
    path: str = ""
    first_ms: int | None = None
    """First download by the store."""
    last_ms: int | None = None
    """Last update by the store."""


@dataclass(frozen=True, slots=True)
class KnownPackages:
    """All rows of a database."""

    packages: tuple[KnownPackage, ...]
    faults: tuple[str, ...] = ()
    """Why rows may be missing, in sentences."""
    unread: int = 0
    """Rows that name no package."""


def google_database(path: str) -> str:
    """Which of the databases a file is by its path; empty for none."""
    name = path.rpartition("/")[2]
    if name in (PLAY_PROTECT, PLAY_STATE, PLAY_FROSTING):
        return name
    # Other apps have a library.db, too.
    return name if name == PLAY_LIBRARY and path.endswith(_STORE_FOLDER + name) else ""


def parse_google_database(kind: str, data: Blob, wal: Blob | None = None, limits: Limits = DEFAULT) -> KnownPackages:
    """Read one database of the kind that ``google_database`` tells.

    Raises:
        FormatError: it is no database, or lacks the table.
        LimitError: it is larger than ``limits`` allow.
    """
    with open_sqlite(data, wal, limits) as database:
        faults = list(database.faults)
        packages: dict[KnownPackage, None] = {}
        unread = 0
        rows = _READERS[kind](database)
        try:
            for found in rows:
                if found is None:
                    unread += 1
                elif len(packages) >= limits.record_listings:
                    raise LimitError(f"more than {limits.record_listings} packages; raise --limit record_listings")
                else:
                    packages[found] = None
        except FormatError as error:
            if not packages:
                raise
            faults.append(str(error))
    return KnownPackages(tuple(packages), tuple(faults), unread)


def _select(database: SqliteDatabase, table: str, needed: str, *others: str) -> Iterator[dict[str, Value]]:
    """Rows of a table as far as it has the columns; versions of the apps differ."""
    if not database.has(table, needed):
        raise FormatError(f"the database has no table {table} with a column {needed}")
    columns = [needed, *(name for name in others if database.has(table, name))]
    for row in database.rows(table, columns):
        yield dict(zip(columns, row, strict=True))


def _protect(database: SqliteDatabase) -> Iterator[KnownPackage | None]:
    for row in _select(database, "app_info", "package_name", "version_code", "digest_sha256"):
        name = _name(row["package_name"])
        code = row.get("version_code")
        shown = str(code) if isinstance(code, int) and code >= 0 else ""
        yield None if not name else KnownPackage(name, shown, _digest(row.get("digest_sha256")))


def _state(database: SqliteDatabase) -> Iterator[KnownPackage | None]:
    others = ("title", "first_download_ms", "last_update_timestamp_ms")
    for row in _select(database, "appstate", "package_name", *others):
        name, title = _name(row["package_name"]), row.get("title")
        times = (_number(row.get("first_download_ms")), _number(row.get("last_update_timestamp_ms")))
        label = title[:1000] if isinstance(title, str) else ""
        yield None if not name else KnownPackage(name, label=label, first_ms=times[0], last_ms=times[1])


def _library(database: SqliteDatabase) -> Iterator[KnownPackage | None]:
    for row in _select(database, "ownership", "doc_id", "doc_type"):
        name, kind = _name(row["doc_id"]), row.get("doc_type", _ANDROID_APP)
        # What is no app is no gap; its rows outnumber those of apps.
        if name and kind == _ANDROID_APP:
            yield KnownPackage(name)


def _frosting(database: SqliteDatabase) -> Iterator[KnownPackage | None]:
    for row in _select(database, "file", "pk"):
        path = row["pk"]
        name = package_of_path(path) if isinstance(path, str) else ""
        # System apps lie in folders whose names are not theirs.
        if name and isinstance(path, str):
            yield KnownPackage(name, path=path[:1000])


_READERS: Final = {
    PLAY_PROTECT: _protect,
    PLAY_STATE: _state,
    PLAY_LIBRARY: _library,
    PLAY_FROSTING: _frosting,
}


def _name(value: Value) -> str:
    return value if isinstance(value, str) and is_package_name(value) else ""


def _number(value: Value) -> int | None:
    return value if isinstance(value, int) and value > 0 else None


def _digest(value: Value) -> str:
    """A SHA-256 as hex, however it is stored: bytes, hex or base64."""
    if isinstance(value, bytes) and len(value) == 32:
        return value.hex()
    text = value.decode("ascii", "replace") if isinstance(value, bytes) else value
    if not isinstance(text, str):
        return ""
    if _SHA256.fullmatch(text.lower()):
        return text.lower()
    try:
        raw = base64.b64decode(text.strip().rstrip("=").replace("-", "+").replace("_", "/") + "=", validate=True)
    except (binascii.Error, ValueError):
        return ""
    return raw.hex() if len(raw) == 32 else ""
