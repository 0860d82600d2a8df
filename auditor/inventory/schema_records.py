"""The tables of records: sources that name apps without holding them, and what they say of each app."""

from __future__ import annotations

RECORD_TABLES = (
    """CREATE TABLE records (
  -- A source that names apps of a device, as one scan read it: a package database, a backup, a dump.
  id INTEGER PRIMARY KEY, -- key
  scan INTEGER NOT NULL REFERENCES scans (id) ON DELETE CASCADE, -- scan that read it
  position INTEGER NOT NULL, -- order within the scan, from 0
  kind TEXT NOT NULL, -- kind of record
  origin TEXT NOT NULL, -- where it lies in the input
  completeness TEXT NOT NULL, -- which apps of the device it can name: all apps, user apps only, some apps, ...
  detail TEXT NOT NULL, -- why it is not complete, or what else limits it
  taken TEXT NOT NULL, -- when the record was made, UTC; empty: it does not say
  users TEXT NOT NULL CHECK (json_valid(users)), -- JSON list of [user, profile]
  attributes TEXT NOT NULL CHECK (json_valid(attributes)), -- JSON list of [name, value] of the device
  UNIQUE (scan, position)
) STRICT""",
    """CREATE TABLE listed (
  -- What a record says of an app: one row per listing and scan.
  id INTEGER PRIMARY KEY, -- key
  record INTEGER NOT NULL REFERENCES records (id) ON DELETE CASCADE, -- record
  position INTEGER NOT NULL, -- order within the record, from 0
  sighting INTEGER NOT NULL REFERENCES sightings (id) ON DELETE CASCADE, -- app, device, user and state
  installer TEXT NOT NULL, -- app or store that installed it; empty: not said
  installed TEXT NOT NULL, -- first installed; UTC, or local time without Z; empty: not said
  updated TEXT NOT NULL, -- last updated, likewise
  seen TEXT NOT NULL, -- last time the record saw it there or in use, likewise
  system INTEGER CHECK (system IN (0, 1)), -- 1: part of the system as delivered; NULL: not said
  store_id TEXT NOT NULL, -- App Store item id; empty: not said
  signers TEXT NOT NULL CHECK (json_valid(signers)), -- JSON object: current and past (SHA-256 in signers), digests
  more TEXT NOT NULL CHECK (json_valid(more)), -- JSON object: paths, file_digests, flags
  UNIQUE (record, position)
) STRICT""",
    "CREATE INDEX listed_sighting ON listed (sighting)",
    """CREATE TABLE listed_matches (
  -- A designated app that a listed one is, by its id, store item or signer.
  listed INTEGER NOT NULL REFERENCES listed (id) ON DELETE CASCADE, -- listed app
  position INTEGER NOT NULL, -- order, strongest first, from 0
  signature TEXT NOT NULL, -- app:SUBJECT
  subject TEXT NOT NULL, -- subject id
  role TEXT NOT NULL CHECK (role IN ('app', 'sdk', 'vendor')), -- app or vendor
  grade TEXT NOT NULL, -- how strong: claimed, impostor or sibling
  is_finding INTEGER NOT NULL CHECK (is_finding IN (0, 1)), -- 1: a grade that counts by default
  relation TEXT, -- how the app id relates to the subject
  confidence TEXT NOT NULL, -- high, medium or low
  version TEXT NOT NULL, -- version of the app
  detail TEXT NOT NULL, -- one line for people
  evidence TEXT NOT NULL CHECK (json_valid(evidence)), -- JSON list of [clause, kind, matched, listed, values]
  PRIMARY KEY (listed, position)
) STRICT, WITHOUT ROWID""",
    """CREATE TABLE listed_findings (
  -- A finding about a listed app as the scan judged it.
  listed INTEGER NOT NULL REFERENCES listed (id) ON DELETE CASCADE, -- listed app
  position INTEGER NOT NULL, -- order, from 0
  policy TEXT NOT NULL, -- policy id
  subject TEXT NOT NULL, -- subject id
  named TEXT NOT NULL, -- how the text of the policy names the subject
  role TEXT NOT NULL CHECK (role IN ('app', 'sdk', 'vendor')), -- app or vendor
  grade TEXT NOT NULL, -- strongest grade
  status TEXT NOT NULL, -- legal status of the policy on the date of the scan
  relation TEXT, -- how the app id relates to the subject
  PRIMARY KEY (listed, position)
) STRICT, WITHOUT ROWID""",
)
"""Added by the third migration."""
