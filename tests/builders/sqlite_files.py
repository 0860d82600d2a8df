"""SQLite databases as devices leave them: written by SQLite itself, with a log beside, hostile, cut off."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

Row = Sequence[object]


def sqlite_bytes(script: str, rows: Mapping[str, Iterable[Row]] | None = None, page_size: int = 4096) -> bytes:
    """A database made by a script, with rows by the name of their table."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(f"PRAGMA page_size = {page_size}")
        connection.executescript(script)
        for table, values in (rows or {}).items():
            for row in values:
                connection.execute(f'INSERT INTO "{table}" VALUES ({", ".join("?" * len(row))})', tuple(row))
        connection.commit()
        return connection.serialize()


def with_log(folder: Path, first: str, *later: str) -> tuple[bytes, bytes]:
    """A database of one script and the log that holds the others, one commit each: as found on a running device."""
    file = folder / "live.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.executescript(first)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for script in later:
            connection.executescript(f"BEGIN; {script}; COMMIT;")
        return file.read_bytes(), (folder / "live.db-wal").read_bytes()


def write_log(pages: Sequence[tuple[int, int, bytes]], page_size: int, big_endian: bool = False) -> bytes:
    """A log of (page number, size after commit or 0, content), by the words of the specification."""
    words = ">" if big_endian else "<"

    def roll(data: bytes, one: int, two: int) -> tuple[int, int]:
        numbers = struct.unpack(f"{words}{len(data) // 4}I", data)
        for at in range(0, len(numbers), 2):
            one = (one + numbers[at] + two) % 2**32
            two = (two + numbers[at + 1] + one) % 2**32
        return one, two

    head = struct.pack(">6I", 0x377F0682 | int(big_endian), 3007000, page_size, 0, 0x1234, 0x5678)
    one, two = roll(head, 0, 0)
    out = head + struct.pack(">2I", one, two)
    for number, committed, content in pages:
        one, two = roll(struct.pack(">2I", number, committed) + content, one, two)
        out += struct.pack(">6I", number, committed, 0x1234, 0x5678, one, two) + content
    return out


def with_schema(data: bytes, statement: str) -> bytes:
    """The same database after changes to its schema that SQLite itself would not make."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.deserialize(data)
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(statement)
        connection.commit()
        return connection.serialize()
