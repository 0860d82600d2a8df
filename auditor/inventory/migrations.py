"""Brings a database to the schema of this program, step by step; a step that was released is never edited."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from auditor.inventory.schema import APPLICATION_ID, TABLES
from auditor.inventory.schema_records import RECORD_TABLES, SIGHTING_STATE, SIGHTINGS_LISTING, SIGNER_HASH
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

    @migrations(name="m002_version_basis")
    def version_basis(database: Database) -> None:
        # The first step writes the tables as they are today; a database made before lacks the column.
        columns = {row[1] for row in database.execute("PRAGMA table_info(matches)")}
        if "version_basis" not in columns:
            database.execute("ALTER TABLE matches ADD COLUMN version_basis TEXT NOT NULL DEFAULT ''")
            _remake_views(database)

    @migrations(name="m003_records")
    def records(database: Database) -> None:
        database.execute(SIGHTING_STATE)
        database.execute(SIGNER_HASH)
        database.execute("DROP INDEX sightings_listing")
        for statement in (SIGHTINGS_LISTING, *RECORD_TABLES):
            database.execute(statement)
        _remake_views(database)

    return migrations


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
