"""Read tables of a SQLite database that nobody vouches for; the one door to sqlite3 outside the inventory.

Specification: Database File Format of SQLite (fileformat2); read by the SQLite library, from memory, behind guards.

Not read: views, virtual tables and generated columns (they would run what the file says), rollback journals,
encrypted databases (SQLCipher, SEE), rows that were deleted.
"""

from __future__ import annotations

import re
import sqlite3
import struct
from collections.abc import Iterator, Sequence
from types import TracebackType

from auditor.errors import FormatError, LimitError
from auditor.formats.blob import Blob
from auditor.formats.sqlite_wal import apply_wal
from auditor.limits import DEFAULT, KIB, MIB, Limits

Value = str | bytes | int | float | None

MAGIC = b"SQLite format 3\0"
_HEADER_SIZE = 100
_NAME = r"""("(?:[^"]|"")*"|`(?:[^`]|``)*`|'(?:[^']|'')*'|\[[^\]]*\]|[\w$\x80-\U0010FFFF]+)"""
_CREATED = re.compile(rf"CREATE\s+(TABLE|VIEW|VIRTUAL TABLE)\s+{_NAME}", re.IGNORECASE)
"""How SQLite stores a definition, whatever was typed; anything else was not written by it."""
_OTHER = re.compile(r"CREATE\s+(?:(?:UNIQUE\s+)?INDEX|TRIGGER)\s", re.IGNORECASE)
_STEPS = 10_000
"""Instructions of the database's machine between two looks at the bound."""
_SPARE = 4 * MIB
"""Instructions and bytes of values beyond what the size of the database accounts for."""
_LIMITS = (
    (sqlite3.SQLITE_LIMIT_SQL_LENGTH, MIB),
    (sqlite3.SQLITE_LIMIT_COLUMN, 2_000),
    (sqlite3.SQLITE_LIMIT_ATTACHED, 0),
    (sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, KIB),
    (sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH, 1),
    (sqlite3.SQLITE_LIMIT_WORKER_THREADS, 0),
)
_ERRORS = (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError, MemoryError, SystemError)
"""Names that are no text and sizes that lie come out of the library as other errors than its own."""


class SqliteDatabase:
    """An open database; use it in a ``with`` statement."""

    def __init__(self, connection: sqlite3.Connection, size: int, faults: tuple[str, ...]) -> None:
        """Take a connection that ``open_sqlite`` has guarded."""
        self._connection = connection
        self._size = size
        self._left = 0
        self.faults = faults
        """Why newer or further rows may be missing, in sentences."""
        connection.set_progress_handler(self._exhausted, _STEPS)
        self._renew()
        self._tables = {name.lower(): name for name in _find_tables(self._schema())}

    def __enter__(self) -> SqliteDatabase:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Free the memory that the database takes."""
        self._connection.close()

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables that can be read, ascending."""
        return tuple(sorted(self._tables.values()))

    def has(self, table: str, *columns: str) -> bool:
        """Whether there is such a table with these columns, whatever their case.

        Raises:
            FormatError: the definition cannot be read.
        """
        if table.lower() not in self._tables:
            return False
        present = {name.lower() for name in self.columns(table)}
        return all(name.lower() in present for name in columns)

    def columns(self, table: str) -> tuple[str, ...]:
        """Names of the columns of a table that hold stored values, in the order of its definition.

        Raises:
            FormatError: there is no such table, or its definition cannot be read.
        """
        rows = list(self._execute(f"PRAGMA table_xinfo({_quoted(self._table(table))})"))
        return tuple(str(row[1]) for row in rows if row[6] == 0)

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[tuple[Value, ...]]:
        """Yield these columns of every row, in no order to rely on; damage ends it after the rows that precede.

        Text that is no UTF-8 has U+FFFD in its place. Indexes are not used: they may leave rows out.

        Raises:
            FormatError: there is no such table or column, or the database is damaged from there on.
            LimitError: the rows are more than a database of this size can hold.
        """
        place = self._table(table)
        present = {name.lower(): name for name in self.columns(place)}
        absent = [name for name in columns if name.lower() not in present]
        if absent or not columns:
            raise FormatError(f"the table {table} has no column {', '.join(absent) or '(none asked for)'}")
        wanted = ", ".join(f"{_quoted(place)}.{_quoted(present[name.lower()])}" for name in columns)
        yield from self._execute(f"SELECT {wanted} FROM {_quoted(place)} NOT INDEXED")

    def _table(self, table: str) -> str:
        found = self._tables.get(table.lower())
        if found is None:
            raise FormatError(f"the database has no table {table}")
        return found

    def _schema(self) -> list[str]:
        return [str(row[0]) for row in self._execute("SELECT sql FROM sqlite_master") if row[0] is not None]

    def _renew(self) -> None:
        # An honest row costs a few instructions and as many bytes: a page that is its own child has no end.
        self._left = (4 * self._size + _SPARE) // _STEPS

    def _exhausted(self) -> int:
        self._left -= 1
        return int(self._left < 0)

    def _execute(self, sql: str) -> Iterator[tuple[Value, ...]]:
        """Run one statement within the bounds; what it yields is counted as well."""
        self._renew()
        bytes_left = 4 * self._size + _SPARE
        try:
            cursor = self._connection.execute(sql)
            for row in cursor:
                bytes_left -= sum(len(item) for item in row if isinstance(item, str | bytes))
                if bytes_left < 0:
                    raise LimitError("the rows hold more than the whole database: its pages overlap")
                yield row
        except _ERRORS as error:
            if self._left < 0:
                raise LimitError("the table has more rows than a database of this size can hold") from None
            raise FormatError(f"database: {_shown(error)}") from None


def is_sqlite(head: bytes) -> bool:
    """Whether bytes start as a SQLite database."""
    return head.startswith(MAGIC)


def open_sqlite(data: Blob, wal: Blob | None = None, limits: Limits = DEFAULT) -> SqliteDatabase:
    """Open a database, with the write-ahead log that lies beside it (``-wal``) where there is one.

    An empty database is one whose pages are all in its log.

    Raises:
        FormatError: it is no SQLite database, or its schema is damaged or not of a kind that SQLite writes.
        LimitError: it is larger than ``limits`` allow.
    """
    if len(data) > limits.database_size:
        raise LimitError(
            f"database of {len(data)} bytes; at most {limits.database_size} are read; raise --limit database_size"
        )
    applied = apply_wal(data, b"" if wal is None else wal, limits)
    image = applied.data
    faults = [*applied.faults, *_normalise(image)]
    connection = sqlite3.connect(":memory:")
    try:
        _guard(connection, len(image))
        connection.deserialize(image)
        # From here on: the library attaches what it deserialises with a statement of its own.
        connection.set_authorizer(_authorise)
        return SqliteDatabase(connection, len(image), tuple(faults))
    except _ERRORS as error:
        connection.close()
        raise FormatError(f"database: {_shown(error)}") from None
    except FormatError:
        connection.close()
        raise


def _normalise(image: bytearray) -> Iterator[str]:
    """Make a copy readable in memory: no log beside it, and no more pages than there are."""
    if not image:
        raise FormatError("the database is empty")
    if not image.startswith(MAGIC):
        raise FormatError("no SQLite database, or an encrypted one", 0)
    if len(image) < _HEADER_SIZE:
        raise FormatError("the database is cut off in its header", len(image))
    # A database in memory has no log; version 2 would make the library look for one.
    image[18:20] = b"\x01\x01"
    stated = struct.unpack_from(">H", image, 16)[0]
    page_size = 65536 if stated == 1 else stated
    if page_size < 512 or page_size & (page_size - 1):
        raise FormatError(f"pages of {page_size} bytes", 16)
    pages = struct.unpack_from(">I", image, 28)[0]
    if len(image) % page_size:
        image.extend(bytes(-len(image) % page_size))
        yield "the database ends within a page"
    there = len(image) // page_size
    counts = struct.unpack_from(">I", image, 24)[0] == struct.unpack_from(">I", image, 92)[0]
    if counts and pages > there:
        struct.pack_into(">I", image, 28, there)
        yield f"the database is cut off: {there} of {pages} pages are there"


def _guard(connection: sqlite3.Connection, size: int) -> None:
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    for name, value in _LIMITS:
        connection.setlimit(name, value)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, max(size, MIB))
    for pragma in ("trusted_schema = OFF", "cell_size_check = ON", "query_only = ON", "temp_store = MEMORY"):
        connection.execute(f"PRAGMA {pragma}")


def _authorise(action: int, one: str | None, two: str | None, database: str | None, through: str | None) -> int:
    """Allow plain reading of tables; nothing that comes through a view or a trigger."""
    allowed = through is None and (
        action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ)
        or (action == sqlite3.SQLITE_PRAGMA and one == "table_xinfo")
    )
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


def _find_tables(definitions: Sequence[str]) -> Iterator[str]:
    """The tables that are nothing but tables; asking for the columns of a view would already run through it."""
    tables: dict[str, str] = {}
    computed: set[str] = set()
    for sql in definitions:
        found = _CREATED.match(sql)
        if found is None:
            if _OTHER.match(sql) is None:
                raise FormatError("a definition in the schema that SQLite does not write")
            continue
        name = _unquoted(found.group(2))
        if found.group(1).upper() == "TABLE":
            tables[name.lower()] = name
        else:
            computed.add(name.lower())
    return (name for key, name in tables.items() if key not in computed and not key.startswith("sqlite_"))


def _unquoted(name: str) -> str:
    mark = name[0]
    if mark == "[":
        return name[1:-1]
    return name[1:-1].replace(2 * mark, mark) if mark in "\"'`" else name


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def _shown(error: Exception) -> str:
    """The library's message, without the bytes of the file that it may carry."""
    return (str(error) or type(error).__name__).encode("ascii", "backslashreplace").decode()[:200]
