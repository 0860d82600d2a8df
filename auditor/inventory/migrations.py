"""Brings a database to the schema of this program, step by step; a step that was released is never edited."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from auditor.inventory.schema import APPLICATION_ID, SIGHTINGS_LISTING, TABLES
from auditor.inventory.schema_records import RECORD_TABLES
from auditor.inventory.views import VIEWS

if TYPE_CHECKING:
    from sqlite_utils import Migrations
    from sqlite_utils.db import Database

SCHEMA_VERSION = 3
"""Number of migrations; kept in PRAGMA user_version too, so that an up-to-date database opens without sqlite-utils."""


def schema_migrations() -> Migrations:
    """All steps, oldest first."""
    from sqlite_utils import Migrations

    migrations = Migrations("auditor")

    @migrations(name="m001_initial")
    def initial(database: Database) -> None:
        for statement in (*TABLES, *VIEWS):
            database.execute(statement)

    # The first step writes the tables as they are today; a database made before lacks columns.
    @migrations(name="m002_version_basis")
    def version_basis(database: Database) -> None:
        if _add_text_column(database, "matches", "version_basis"):
            _remake_views(database)

    @migrations(name="m003_records")
    def records(database: Database) -> None:
        _add_text_column(database, "sightings", "state")
        _add_text_column(database, "signers", "java_hash")
        database.execute("DROP INDEX sightings_listing")
        for statement in (SIGHTINGS_LISTING, *RECORD_TABLES):
            database.execute(statement)
        _remake_views(database)

    return migrations


def _add_text_column(database: Database, table: str, column: str) -> bool:
    """Whether the column was missing."""
    if column in {row[1] for row in database.execute(f"PRAGMA table_info({table})")}:
        return False
    database.execute(f"ALTER TABLE {table} ADD COLUMN {column} TEXT NOT NULL DEFAULT ''")
    return True


def _remake_views(database: Database) -> None:
    for statement in VIEWS:
        name = statement.split()[2]
        database.execute(f"DROP VIEW IF EXISTS {name}")
        database.execute(statement)


def migrate(connection: sqlite3.Connection) -> None:
    """Apply the steps the database lacks; the caller holds the transaction."""
    from sqlite_utils import Database

    # Plugins of other programs have no business in an inventory.
    schema_migrations().apply(Database(connection, recursive_triggers=False, execute_plugins=False))
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
