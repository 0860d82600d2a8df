"""Tables of a database that nobody vouches for are read as SQLite would, and nothing in it runs."""

from __future__ import annotations

import sqlite3
import struct
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from auditor.errors import FormatError, LimitError
from auditor.formats.sqlite_database import MAGIC, Value, is_sqlite, open_sqlite
from auditor.formats.sqlite_wal import apply_wal
from auditor.limits import DEFAULT
from tests.builders.mangle import mutations, prefixes
from tests.builders.sqlite_files import sqlite_bytes, with_log, with_schema, write_log

APPS = "CREATE TABLE apps(id TEXT PRIMARY KEY, version, size INTEGER, icon BLOB);"
ROWS = [("com.example.shop", "8.0", 7, b"\x00\x01"), ("com.example.bank", None, 1.5, None)]
PLAIN = sqlite_bytes(APPS, {"apps": ROWS})
MANY = sqlite_bytes(APPS, {"apps": [(f"com.example.app{n}", "1", n, bytes(700)) for n in range(200)]}, 1024)


def read(data: bytes, table: str = "apps", columns: tuple[str, ...] = ("id",), wal: bytes | None = None) -> list[Value]:
    with open_sqlite(data, wal) as database:
        return sorted((row[0] for row in database.rows(table, columns)), key=str)


def test_rows_come_with_the_types_they_are_stored_with() -> None:
    with open_sqlite(PLAIN) as database:
        assert database.tables == ("apps",)
        assert database.columns("apps") == ("id", "version", "size", "icon")
        assert sorted(database.rows("apps", ["id", "version", "size", "icon"]), reverse=True) == ROWS
        assert sorted(database.rows("APPS", ["SIZE"])) == [(1.5,), (7,)]
        assert database.faults == ()


def test_tables_and_columns_are_asked_for_whatever_their_case() -> None:
    with open_sqlite(PLAIN) as database:
        assert database.has("Apps", "ID", "Version")
        assert not database.has("apps", "id", "seller")
        assert not database.has("downloads")


@pytest.mark.parametrize(("table", "columns"), [("none", ["id"]), ("apps", ["none"]), ("apps", []), ("apps", ['"1"'])])
def test_what_is_not_there_is_refused(table: str, columns: list[str]) -> None:
    with open_sqlite(PLAIN) as database, pytest.raises(FormatError, match=r"no (table|column)"):
        list(database.rows(table, columns))


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16le", "UTF-16be"])
def test_every_encoding_of_text(encoding: str) -> None:
    assert read(sqlite_bytes(f"PRAGMA encoding = '{encoding}'; {APPS}", {"apps": [("微信", 1, 1, b"")]})) == ["微信"]


def test_text_that_is_no_utf8_is_replaced_and_its_row_is_kept() -> None:
    assert read(sqlite_bytes(f"{APPS} INSERT INTO apps VALUES (CAST(x'61ff62' AS TEXT), 1, 1, 1)")) == ["a\ufffdb"]


@pytest.mark.parametrize(
    "name", ["a b", 'a"b', "a]b", "sel`ect", "select", "微信", "a'b", "$a", "1a", "create view x as"]
)
def test_any_name_of_a_table(name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    data = sqlite_bytes(f"CREATE TABLE {quoted} ({quoted} TEXT); INSERT INTO {quoted} VALUES ('x')")
    assert read(data, name, (name,)) == ["x"]


@pytest.mark.parametrize("head", ["[a b]", "`a b`", "'a b'", '"a b"'])
def test_every_quotation_mark(head: str) -> None:
    assert read(sqlite_bytes(f"CREATE TABLE {head} (id); INSERT INTO {head} VALUES (1)"), "a b") == [1]


@pytest.mark.parametrize("between", [" ", "/* c */", "-- c\n", "\n"])
def test_comments_in_a_definition(between: str) -> None:
    assert read(sqlite_bytes(f"CREATE TABLE apps{between}(id); INSERT INTO apps VALUES (1)")) == [1]


@pytest.mark.parametrize(
    "script",
    [
        "CREATE TABLE apps(id TEXT PRIMARY KEY) WITHOUT ROWID; INSERT INTO apps VALUES ('x')",
        "CREATE TABLE apps(id TEXT); CREATE INDEX a ON apps(id); INSERT INTO apps VALUES ('x')",
        "CREATE TABLE apps(n, g AS (n + 1), id TEXT); INSERT INTO apps VALUES (1, 'x')",
        "CREATE TABLE apps(id TEXT); CREATE VIEW v AS SELECT * FROM apps; INSERT INTO apps VALUES ('x')",
        "CREATE TABLE apps(n); ALTER TABLE apps ADD COLUMN id TEXT DEFAULT 'x'; INSERT INTO apps(n) VALUES (1)",
        "CREATE TABLE apps(id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO apps VALUES (1); UPDATE apps SET id = 2",
    ],
)
def test_every_form_of_a_table(script: str) -> None:
    assert len(read(sqlite_bytes(script))) == 1


def test_what_a_schema_needs_beyond_sqlite_is_not_needed_to_read_it() -> None:
    """Apple's and Android's databases have collations and functions of their own, and long views."""
    views = " UNION ALL ".join("SELECT id FROM apps" for _ in range(100))
    chain = " OR ".join(f"id = 'a{number}'" for number in range(500))
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.create_collation("LOCALIZED", lambda one, two: (one > two) - (one < two))
        connection.create_function("_ord", 1, len, deterministic=True)
        connection.executescript(
            "CREATE TABLE apps(id TEXT COLLATE LOCALIZED); CREATE INDEX a ON apps(id COLLATE LOCALIZED);"
            f"CREATE INDEX b ON apps(_ord(id)) WHERE _ord(id) > 1; CREATE VIEW v AS {views};"
            f"CREATE VIEW w AS SELECT * FROM apps WHERE {chain};"
            "CREATE TRIGGER t DELETE ON apps BEGIN SELECT _ord(old.id); END;"
            "INSERT INTO apps VALUES ('com.tencent.xin')"
        )
        assert read(connection.serialize()) == ["com.tencent.xin"]


def test_an_index_that_hides_a_row_hides_nothing() -> None:
    data = sqlite_bytes("CREATE TABLE apps(id TEXT); CREATE INDEX a ON apps(id); INSERT INTO apps VALUES ('x'), ('y')")
    hidden = data.replace(b"\x03\x0f\x01x", b"\x03\x0f\x01z")
    assert read(hidden) == ["x", "y"]


class TestHostileSchemas:
    def test_views_are_no_tables(self) -> None:
        endless = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT n AS id FROM t"
        with open_sqlite(sqlite_bytes(f"{APPS} CREATE VIEW v AS {endless}")) as database:
            assert database.tables == ("apps",)
            with pytest.raises(FormatError, match="no table v"):
                list(database.rows("v", ["id"]))

    @pytest.mark.parametrize("kind", ["VIEW apps AS SELECT 1 AS id", "VIRTUAL TABLE apps USING fts5(id)"])
    def test_a_view_that_poses_as_a_table_is_none(self, kind: str) -> None:
        data = sqlite_bytes("CREATE TABLE apps(id); CREATE TABLE other(id)")
        posing = with_schema(data, f"UPDATE sqlite_master SET sql = 'CREATE {kind}' WHERE name = 'apps'")
        with pytest.raises(FormatError):
            read(posing)
        both = with_schema(data, f"UPDATE sqlite_master SET sql = 'CREATE {kind}' WHERE name = 'other'")
        with pytest.raises(FormatError):
            read(both)

    def test_generated_columns_are_not_computed(self) -> None:
        data = sqlite_bytes("CREATE TABLE apps(id, bomb AS (hex(zeroblob(id)))); INSERT INTO apps VALUES (4000000)")
        assert read(data) == [4_000_000]
        with pytest.raises(FormatError, match="no column bomb"):
            read(data, columns=("bomb",))

    def test_triggers_do_not_run(self) -> None:
        script = (
            f"{APPS} CREATE TRIGGER t INSERT ON apps BEGIN DELETE FROM apps; END; INSERT INTO apps VALUES (1,1,1,1)"
        )
        assert read(sqlite_bytes(script)) in ([], ["1"])

    @pytest.mark.parametrize(
        "sql",
        ["CREATE/**/VIEW x AS SELECT 1", "CREATE TEMP VIEW x AS SELECT 1", "CREATE TABLE (", "CREATE TABLE x(", "\x01"],
    )
    def test_a_definition_of_another_form_is_refused(self, sql: str) -> None:
        data = with_schema(sqlite_bytes("CREATE TABLE x(id)"), f"UPDATE sqlite_master SET sql = '{sql}'")
        with pytest.raises(FormatError):
            read(data, "x")

    @pytest.mark.parametrize(
        "sql", ["SELECT load_extension('x')", "ATTACH '/etc/x' AS y", "DELETE FROM apps", "VACUUM"]
    )
    def test_nothing_but_reading_is_allowed(self, sql: str) -> None:
        with open_sqlite(PLAIN) as database, pytest.raises(FormatError):
            list(database._execute(sql))

    def test_a_page_that_is_its_own_child_ends(self) -> None:
        data = bytearray(MANY)
        root = next(n for n in range(1024, len(data), 1024) if data[n] == 5)
        count = struct.unpack_from(">H", data, root + 3)[0]
        for cell in range(count):
            pointer = struct.unpack_from(">H", data, root + 12 + 2 * cell)[0]
            child = struct.unpack_from(">I", data, root + struct.unpack_from(">H", data, root + 12)[0])[0]
            struct.pack_into(">I", data, root + pointer, child)
        assert len(read(bytes(data))) <= 200
        struct.pack_into(">I", data, root + 8, root // 1024 + 1)
        with pytest.raises(FormatError):
            read(bytes(data))

    def test_rows_that_share_their_bytes_end(self) -> None:
        big = sqlite_bytes("CREATE TABLE apps(id)", {"apps": [(bytes(3_000_000),)]}, 1024)
        leaf = 1024
        assert big[leaf] == 13
        cell = struct.unpack_from(">H", big, leaf + 8)[0]
        shared = bytearray(big)
        # One cell, named as often as the page has room for names.
        struct.pack_into(">H", shared, leaf + 3, 30)
        for number in range(30):
            struct.pack_into(">H", shared, leaf + 8 + 2 * number, cell)
        with pytest.raises(LimitError, match="overlap"):
            read(bytes(shared))


class TestLogs:
    def test_rows_that_are_only_in_the_log_are_seen(self, tmp_path: Path) -> None:
        first = f"{APPS} INSERT INTO apps(id) VALUES ('old'), ('gone')"
        later = ("INSERT INTO apps(id) VALUES ('new')", "DELETE FROM apps WHERE id = 'gone'")
        data, wal = with_log(tmp_path, first, *later)
        assert data[18:20] == b"\x02\x02"
        assert read(data) == ["gone", "old"]
        assert read(data, wal=wal) == ["new", "old"]

    def test_a_database_that_is_all_log(self) -> None:
        pages = sqlite_bytes(f"{APPS} INSERT INTO apps(id) VALUES ('new')", page_size=1024)
        frames = [pages[at : at + 1024] for at in range(0, len(pages), 1024)]
        log = write_log([(n, len(frames), page) for n, page in enumerate(frames, 1)], 1024)
        assert read(b"", wal=log) == ["new"]

    @pytest.mark.parametrize("big_endian", [False, True])
    def test_both_orders_of_checksums(self, big_endian: bool) -> None:
        newer = PLAIN.replace(b"com.example.shop", b"com.example.cafe")
        frames = [(n, len(PLAIN) // 4096, newer[(n - 1) * 4096 : n * 4096]) for n in range(1, len(PLAIN) // 4096 + 1)]
        assert read(PLAIN, wal=write_log(frames, 4096, big_endian)) == ["com.example.bank", "com.example.cafe"]

    def test_frames_without_a_commit_change_nothing(self) -> None:
        log = write_log([(1, 0, bytes(4096))], 4096)
        assert apply_wal(PLAIN, log).data == PLAIN

    def test_a_later_frame_of_a_page_replaces_an_earlier_one(self) -> None:
        pages = len(PLAIN) // 4096
        log = write_log([(1, pages, bytes(4096)), (1, pages, PLAIN[:4096])], 4096)
        assert apply_wal(PLAIN, log).data == PLAIN

    def test_what_an_earlier_round_left_is_not_applied(self) -> None:
        log = bytearray(write_log([(1, 3, PLAIN[:4096]), (2, 3, bytes(4096))], 4096))
        struct.pack_into(">I", log, 32 + 24 + 4096 + 8, 0x1233)
        applied = apply_wal(PLAIN, bytes(log))
        assert (applied.data, applied.frames, applied.faults) == (bytearray(PLAIN), 1, ())

    def test_a_damaged_frame_is_told_and_what_precedes_it_counts(self, tmp_path: Path) -> None:
        data, wal = with_log(
            tmp_path, APPS, "INSERT INTO apps(id) VALUES ('one')", "INSERT INTO apps(id) VALUES ('two')"
        )
        with open_sqlite(data, wal[:-1] + bytes([wal[-1] ^ 1])) as database:
            assert [row[0] for row in database.rows("apps", ["id"])] == ["one"]
            assert "log is damaged" in database.faults[0]

    @pytest.mark.parametrize(
        ("wal", "fault"),
        [
            (b"junk", "cut off in its header"),
            (write_log([(1, 1, bytes(4096))], 4096)[:31] + b"\0", "header of the write-ahead log is damaged"),
            (write_log([(1, 1, bytes(1024))], 1024), "another page size"),
            (write_log([(1, 0xFFFFFFFF, bytes(4096))], 4096), "do not fill"),
            (b"\1" * 100, "header of the write-ahead log is damaged"),
        ],
    )
    def test_a_log_that_does_not_belong_changes_nothing(self, wal: bytes, fault: str) -> None:
        with open_sqlite(PLAIN, wal) as database:
            assert fault in database.faults[0]
            assert len(list(database.rows("apps", ["id"]))) == 2

    @pytest.mark.parametrize("wal", [b"", bytes(32), bytes(4096)])
    def test_an_empty_log_is_no_fault(self, wal: bytes) -> None:
        with open_sqlite(PLAIN, wal) as database:
            assert database.faults == ()

    def test_frames_beyond_the_committed_size_are_left_out(self) -> None:
        log = write_log([(0, 0, bytes(4096)), (0xFFFFFF00, 0, bytes(4096)), (1, 3, PLAIN[:4096])], 4096)
        assert apply_wal(PLAIN, log).data == PLAIN


class TestDamage:
    def test_a_database_that_is_cut_off_says_so(self) -> None:
        with open_sqlite(MANY[: len(MANY) // 2 + 100]) as database:
            assert database.tables == ("apps",)
            assert database.faults[0] == "the database ends within a page"
            assert "cut off" in database.faults[1]

    def test_rows_before_the_damage_are_yielded(self) -> None:
        found = []
        data = sqlite_bytes(APPS, {"apps": [(f"com.example.app{n}", "1", n, bytes(700)) for n in range(200)]})
        with open_sqlite(data[: len(data) // 8192 * 4096]) as database, pytest.raises(FormatError, match="malformed"):
            found.extend(database.rows("apps", ["id"]))
        assert 50 <= len(found) < 200

    @pytest.mark.parametrize("data", [b"", b"junk", MAGIC, bytes(4096), MAGIC + bytes(4096), PLAIN[:99]])
    def test_what_is_no_database_is_refused(self, data: bytes) -> None:
        with pytest.raises(FormatError):
            open_sqlite(data)

    def test_every_prefix_gives_rows_or_a_fault(self) -> None:
        for cut in prefixes(MANY, 150):
            self._survives(cut)

    @pytest.mark.parametrize("data", [PLAIN, MANY])
    def test_every_flip_gives_rows_or_a_fault(self, data: bytes) -> None:
        for damaged in mutations(data, 300):
            self._survives(damaged)
        for damaged in mutations(data[:2048], 300):
            self._survives(damaged + data[2048:])

    def test_every_flip_of_a_log_gives_rows_or_a_fault(self, tmp_path: Path) -> None:
        data, wal = with_log(tmp_path, APPS, "INSERT INTO apps(id) VALUES ('one')")
        for damaged in (*mutations(wal[:100], 200), *prefixes(wal, 50)):
            self._survives(data, damaged + wal[len(damaged) :] if len(damaged) == 100 else damaged)

    def _survives(self, data: bytes, wal: bytes | None = None) -> None:
        try:
            with open_sqlite(data, wal) as database:
                for table in database.tables:
                    columns = database.columns(table)
                    rows = sum(1 for _ in database.rows(table, columns))
                    assert rows <= 4 * len(data) + 10_000_000
        except FormatError:
            pass


def test_the_size_is_bounded_before_anything_is_copied() -> None:
    with pytest.raises(LimitError, match="database_size"):
        open_sqlite(PLAIN, None, replace(DEFAULT, database_size=100))
    with pytest.raises(LimitError, match="database_size"):
        open_sqlite(PLAIN, bytes(200), replace(DEFAULT, database_size=len(PLAIN) + 100))


def test_a_database_of_65536_byte_pages() -> None:
    data = sqlite_bytes(APPS, {"apps": ROWS}, 65536)
    assert data[16:18] == b"\x00\x01"
    assert len(read(data)) == 2


def test_the_magic_tells_it() -> None:
    assert is_sqlite(PLAIN[:16])
    assert not is_sqlite(b"SQLite format 2\0")


def test_a_closed_database_is_refused() -> None:
    database = open_sqlite(PLAIN)
    database.close()
    with pytest.raises(FormatError):
        database.columns("apps")


def test_the_library_is_one_that_can_be_guarded() -> None:
    assert sqlite3.sqlite_version_info >= (3, 37)
