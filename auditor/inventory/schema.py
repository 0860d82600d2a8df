"""The tables of the inventory; the comments in the statements are the documentation and are stored with the schema.

Shape: one comment line after the opening parenthesis says what a row is, and one trailing comment per column what it
holds. Text that SQLite cannot hold is escaped as `stored_text` says. Origins are written as the reports print them;
a *place* is an origin below another one: empty for the thing itself, ``!member`` or ``/below`` inside it, ``~name``
beside it, ``=origin`` for anything else.
"""

from __future__ import annotations

SIGHTINGS_LISTING = (
    "CREATE UNIQUE INDEX sightings_listing ON sightings (listing, ifnull(device, 0), user, origin, state)"
    " WHERE listing IS NOT NULL"
)
"""One record may name an app twice: installed, and as the factory copy behind it."""

APPLICATION_ID = 0x41_50_49_41
"""Marks a SQLite file as an inventory (PRAGMA application_id): the letters APIA."""

_CATALOGS = (
    """CREATE TABLE catalogs (
  -- A set of signatures and policies that scans were run with.
  id INTEGER PRIMARY KEY, -- key
  digest TEXT NOT NULL UNIQUE -- digest of the catalog, as the scan states it
) STRICT""",
    """CREATE TABLE subject_sets (
  -- The subjects that were asked about together: what NOT FOUND is derived from.
  id INTEGER PRIMARY KEY, -- key
  subjects TEXT NOT NULL UNIQUE CHECK (json_valid(subjects)) -- JSON list of subject ids, ascending
) STRICT""",
)

_FLEET = (
    """CREATE TABLE fleets (
  -- A named group of devices.
  id INTEGER PRIMARY KEY, -- key
  name TEXT NOT NULL UNIQUE -- name the user gave
) STRICT""",
    """CREATE TABLE devices (
  -- A device the user named.
  id INTEGER PRIMARY KEY, -- key
  name TEXT NOT NULL UNIQUE, -- device id the user gave
  fleet INTEGER REFERENCES fleets (id) -- fleet it was last said to belong to; NULL: none
) STRICT""",
    "CREATE INDEX devices_fleet ON devices (fleet)",
)

_SCANS = (
    """CREATE TABLE scans (
  -- One run of the auditor.
  id INTEGER PRIMARY KEY, -- key, ascending with time
  tool TEXT NOT NULL, -- name and version of the program
  catalog INTEGER NOT NULL REFERENCES catalogs (id), -- signatures and policies of the run
  as_of TEXT NOT NULL, -- day the policies were judged for, ISO 8601
  device INTEGER REFERENCES devices (id), -- device the input came from; NULL: none was named
  command TEXT NOT NULL, -- command line as given; empty for a library call
  started TEXT NOT NULL, -- UTC, ISO 8601
  finished TEXT, -- UTC, ISO 8601; NULL while running, or for ever when the run was killed
  complete INTEGER NOT NULL DEFAULT 0 CHECK (complete IN (0, 1)), -- 1: every input was gone through to the end
  CHECK (complete = 0 OR finished IS NOT NULL)
) STRICT""",
    "CREATE INDEX scans_catalog ON scans (catalog)",
    "CREATE INDEX scans_device ON scans (device)",
    """CREATE TABLE scan_targets (
  -- A path the user named for a scan.
  scan INTEGER NOT NULL REFERENCES scans (id) ON DELETE CASCADE, -- scan
  position INTEGER NOT NULL, -- order on the command line, from 0
  target TEXT NOT NULL, -- path as the scan states it
  PRIMARY KEY (scan, position)
) STRICT, WITHOUT ROWID""",
)

_APPS = (
    """CREATE TABLE builds (
  -- An app known by its bytes: the same bytes on a thousand devices are one row.
  id INTEGER PRIMARY KEY, -- key
  sha256 TEXT NOT NULL UNIQUE, -- SHA-256 over the SHA-256 of the parts in sorted order
  platform TEXT NOT NULL CHECK (platform IN ('android', 'ios')), -- android or ios
  app_id TEXT NOT NULL, -- package name or bundle identifier; empty where unreadable
  version TEXT NOT NULL, -- version shown to people
  version_code TEXT NOT NULL, -- version the platform compares
  label TEXT NOT NULL, -- name in the default locale
  min_sdk TEXT NOT NULL, -- lowest system version
  target_sdk TEXT NOT NULL, -- system version the app was made for
  signing_state TEXT NOT NULL, -- verified; present, not verifiable; invalid; missing; not checked
  signing_scheme TEXT, -- scheme a current platform trusts; NULL: none
  signing_detail TEXT NOT NULL, -- what is wrong with the signature, if something is
  signing_present TEXT NOT NULL CHECK (json_valid(signing_present)), -- JSON list of all schemes found
  signing_trusted TEXT NOT NULL CHECK (json_valid(signing_trusted)), -- JSON list of [lowest SDK level, scheme]
  attributes TEXT NOT NULL CHECK (json_valid(attributes)), -- JSON list of [name, value]: shown, never matched
  first_seen TEXT NOT NULL, -- UTC, ISO 8601
  last_seen TEXT NOT NULL, -- UTC, ISO 8601
  last_scan INTEGER NOT NULL REFERENCES scans (id) -- scan that recorded it last: the one whose answers are current
) STRICT""",
    "CREATE INDEX builds_app_id ON builds (app_id, platform)",
    "CREATE INDEX builds_last_scan ON builds (last_scan)",
    """CREATE TABLE labels (
  -- A name of a build in one locale.
  build INTEGER NOT NULL REFERENCES builds (id) ON DELETE CASCADE, -- build
  locale TEXT NOT NULL, -- locale; empty: default
  label TEXT NOT NULL, -- name
  PRIMARY KEY (build, locale, label)
) STRICT, WITHOUT ROWID""",
    """CREATE TABLE parts (
  -- A file or bundle a build is made of, as the latest recording found it.
  build INTEGER NOT NULL REFERENCES builds (id) ON DELETE CASCADE, -- build
  position INTEGER NOT NULL, -- order, from 0
  kind TEXT NOT NULL, -- base, split, bundle, extension, watch or clip
  name TEXT NOT NULL, -- file or bundle name
  place TEXT NOT NULL, -- place, relative to the origin of the app
  sha256 TEXT NOT NULL, -- digest of its bytes
  size INTEGER NOT NULL, -- bytes
  PRIMARY KEY (build, position)
) STRICT, WITHOUT ROWID""",
    "CREATE INDEX parts_sha256 ON parts (sha256)",
    """CREATE TABLE signers (
  -- A signing certificate.
  id INTEGER PRIMARY KEY, -- key
  sha256 TEXT NOT NULL UNIQUE, -- digest of the DER bytes
  sha1 TEXT NOT NULL, -- digest of the DER bytes
  md5 TEXT NOT NULL, -- digest of the DER bytes
  md5_of_hex TEXT NOT NULL, -- MD5 of the lower-case hex string of the DER bytes
  subject TEXT NOT NULL, -- distinguished name
  public_key_sha256 TEXT NOT NULL, -- digest of the public key
  rsa_modulus TEXT, -- lower-case hex; NULL for other key types
  java_hash TEXT NOT NULL DEFAULT '' -- Arrays.hashCode of the DER bytes, as dumpsys shows it; empty: not computed
) STRICT""",
    """CREATE TABLE build_signers (
  -- Who signed a build, or vouches for its signer by a proof of rotation.
  build INTEGER NOT NULL REFERENCES builds (id) ON DELETE CASCADE, -- build
  role TEXT NOT NULL CHECK (role IN ('signer', 'lineage')), -- signer, or lineage: earlier signers, oldest first
  position INTEGER NOT NULL, -- order, from 0
  signer INTEGER NOT NULL REFERENCES signers (id), -- certificate
  PRIMARY KEY (build, role, position)
) STRICT, WITHOUT ROWID""",
    "CREATE INDEX build_signers_signer ON build_signers (signer)",
    """CREATE TABLE build_facts (
  -- What was observed in a build, compressed, so that later signatures can be matched without the file.
  build INTEGER PRIMARY KEY REFERENCES builds (id) ON DELETE CASCADE, -- build
  tool TEXT NOT NULL, -- program that extracted them
  observed INTEGER NOT NULL, -- number of facts, string constants included
  size INTEGER NOT NULL, -- bytes of facts and strings together
  facts BLOB NOT NULL, -- all kinds but string constants
  strings BLOB NOT NULL -- membership filter of the string constants
) STRICT""",
    """CREATE TABLE listings (
  -- An app known only from a record (a device's package list, an MDM inventory): no bytes.
  id INTEGER PRIMARY KEY, -- key
  platform TEXT NOT NULL CHECK (platform IN ('android', 'ios')), -- android or ios
  app_id TEXT NOT NULL, -- package name or bundle identifier
  version TEXT NOT NULL, -- version shown to people
  version_code TEXT NOT NULL, -- version the platform compares
  label TEXT NOT NULL, -- name in the record
  first_seen TEXT NOT NULL, -- UTC, ISO 8601
  last_seen TEXT NOT NULL, -- UTC, ISO 8601
  UNIQUE (platform, app_id, version, version_code, label)
) STRICT""",
)

_SIGHTINGS = (
    """CREATE TABLE sightings (
  -- Where an app was seen.
  id INTEGER PRIMARY KEY, -- key
  build INTEGER REFERENCES builds (id), -- app known by its bytes, or NULL
  listing INTEGER REFERENCES listings (id), -- app known from a record, or NULL
  device INTEGER REFERENCES devices (id), -- device; NULL: none was named
  user TEXT NOT NULL, -- user or profile on the device; empty: none
  origin TEXT NOT NULL, -- where the app lies in the input
  parent TEXT, -- origin of the app this one is nested in; NULL: none
  layout TEXT CHECK (layout IS NULL OR json_valid(layout)), -- JSON list of [part, name, place]; NULL: as in parts
  first_seen TEXT NOT NULL, -- UTC, ISO 8601
  last_seen TEXT NOT NULL, -- UTC, ISO 8601
  state TEXT NOT NULL DEFAULT '', -- what the app is there: installed, staged, ...; empty: the place does not tell
  CHECK ((build IS NULL) <> (listing IS NULL))
) STRICT""",
    "CREATE UNIQUE INDEX sightings_build ON sightings (build, ifnull(device, 0), user, origin) WHERE build IS NOT NULL",
    SIGHTINGS_LISTING,
    "CREATE INDEX sightings_device ON sightings (device)",
    """CREATE TABLE scan_sightings (
  -- Which sightings a scan made: what it saw, and what it no longer saw.
  scan INTEGER NOT NULL REFERENCES scans (id) ON DELETE CASCADE, -- scan
  sighting INTEGER NOT NULL REFERENCES sightings (id) ON DELETE CASCADE, -- sighting
  PRIMARY KEY (scan, sighting)
) STRICT, WITHOUT ROWID""",
    "CREATE INDEX scan_sightings_sighting ON scan_sightings (sighting)",
)

_AUDITS = (
    """CREATE TABLE audits (
  -- What one catalog says about one build. A later run with the same catalog replaces it with all that hangs on it.
  id INTEGER PRIMARY KEY, -- key
  build INTEGER NOT NULL REFERENCES builds (id) ON DELETE CASCADE, -- build
  catalog INTEGER NOT NULL REFERENCES catalogs (id), -- catalog
  scan INTEGER NOT NULL REFERENCES scans (id), -- scan that wrote it
  asked INTEGER NOT NULL REFERENCES subject_sets (id), -- subjects asked about
  UNIQUE (build, catalog)
) STRICT""",
    "CREATE INDEX audits_scan ON audits (scan)",
    "CREATE INDEX audits_catalog ON audits (catalog)",
    "CREATE INDEX audits_asked ON audits (asked)",
    """CREATE TABLE answers (
  -- The verdict on one subject in one build. An asked subject without a row is NOT FOUND with nothing to show.
  id INTEGER PRIMARY KEY, -- key
  audit INTEGER NOT NULL REFERENCES audits (id) ON DELETE CASCADE, -- audit
  subject TEXT NOT NULL, -- subject id
  verdict TEXT NOT NULL CHECK (verdict IN ('present', 'not found', 'unknown')), -- verdict
  UNIQUE (audit, subject)
) STRICT""",
    "CREATE INDEX answers_subject ON answers (subject, verdict)",
    """CREATE TABLE matches (
  -- A signature, or an app id, that held.
  id INTEGER PRIMARY KEY, -- key
  answer INTEGER NOT NULL REFERENCES answers (id) ON DELETE CASCADE, -- answer it speaks for
  position INTEGER NOT NULL, -- order within the answer, strongest first, from 0
  signature TEXT NOT NULL, -- signature id, or app:SUBJECT
  subject TEXT NOT NULL, -- subject of the signature
  role TEXT NOT NULL CHECK (role IN ('app', 'sdk', 'vendor')), -- app, sdk or vendor
  grade TEXT NOT NULL, -- how strong: verified, claimed, impostor, sibling, embedded, renamed, ...
  is_finding INTEGER NOT NULL CHECK (is_finding IN (0, 1)), -- 1: a grade that counts by default
  relation TEXT, -- how the app id relates to the subject; NULL for an SDK
  confidence TEXT NOT NULL, -- high, medium or low
  version TEXT NOT NULL, -- version of the SDK where it could be read
  detail TEXT NOT NULL, -- one line for people
  version_basis TEXT NOT NULL DEFAULT '', -- stated by the SDK, inferred from what it holds, or empty
  UNIQUE (answer, position)
) STRICT""",
    "CREATE INDEX matches_signature ON matches (signature)",
    """CREATE TABLE clause_hits (
  -- A clause of a signature that held.
  id INTEGER PRIMARY KEY, -- key
  match INTEGER NOT NULL REFERENCES matches (id) ON DELETE CASCADE, -- match
  position INTEGER NOT NULL, -- order within the match, from 0
  clause TEXT NOT NULL, -- name of the clause
  kind TEXT NOT NULL, -- kind of facts it asks for
  matched INTEGER NOT NULL, -- distinct values seen
  listed INTEGER NOT NULL, -- values and patterns the clause lists
  UNIQUE (match, position)
) STRICT""",
    """CREATE TABLE evidence (
  -- A fact that proves a match: the first few of each clause.
  hit INTEGER NOT NULL REFERENCES clause_hits (id) ON DELETE CASCADE, -- clause
  position INTEGER NOT NULL, -- order within the clause, from 0
  kind TEXT NOT NULL, -- kind of the fact
  value TEXT NOT NULL, -- what was observed
  part INTEGER, -- position of the part it lies in; NULL: place is relative to the app
  place TEXT NOT NULL, -- place, relative to the part or the app
  offset INTEGER, -- byte offset in that file; NULL: unknown
  PRIMARY KEY (hit, position)
) STRICT, WITHOUT ROWID""",
    """CREATE TABLE problems (
  -- Something that could not be read: in a build, or in a scan outside any app.
  id INTEGER PRIMARY KEY, -- key
  audit INTEGER REFERENCES audits (id) ON DELETE CASCADE, -- build it is about, by its audit, or NULL
  scan INTEGER REFERENCES scans (id) ON DELETE CASCADE, -- scan it is about, or NULL
  position INTEGER, -- order, from 0; NULL: known only as the reason of an answer
  code TEXT NOT NULL, -- problem code
  part INTEGER, -- position of the part it lies in; NULL: place is relative to the app
  place TEXT NOT NULL, -- place, relative to the part or the app; of a scan the origin itself
  offset INTEGER, -- byte offset in that file; NULL: unknown
  detail TEXT NOT NULL, -- one line for people
  hides TEXT CHECK (hides IS NULL OR json_valid(hides)), -- JSON list of fact kinds; NULL: those of the code
  CHECK ((audit IS NULL) <> (scan IS NULL))
) STRICT""",
    "CREATE INDEX problems_audit ON problems (audit)",
    "CREATE INDEX problems_scan ON problems (scan, position)",
    "CREATE UNIQUE INDEX problems_once ON problems (scan, code, place, ifnull(offset, -1), detail, ifnull(hides, ''))"
    " WHERE scan IS NOT NULL",
    """CREATE TABLE answer_problems (
  -- A problem that keeps a question open: the reason of UNKNOWN.
  answer INTEGER NOT NULL REFERENCES answers (id) ON DELETE CASCADE, -- answer
  position INTEGER NOT NULL, -- order, from 0
  problem INTEGER NOT NULL REFERENCES problems (id) ON DELETE CASCADE, -- problem
  PRIMARY KEY (answer, position)
) STRICT, WITHOUT ROWID""",
    "CREATE INDEX answer_problems_problem ON answer_problems (problem)",
    """CREATE TABLE judgements (
  -- A finding as a scan judged it, by the policies and the date of that scan.
  scan INTEGER NOT NULL REFERENCES scans (id) ON DELETE CASCADE, -- scan
  build INTEGER NOT NULL REFERENCES builds (id) ON DELETE CASCADE, -- build
  position INTEGER NOT NULL, -- order within scan and build, from 0
  policy TEXT NOT NULL, -- policy id
  subject TEXT NOT NULL, -- subject id
  named TEXT NOT NULL, -- how the text of the policy names the subject
  role TEXT NOT NULL CHECK (role IN ('app', 'sdk', 'vendor')), -- app, sdk or vendor
  grade TEXT NOT NULL, -- strongest grade
  status TEXT NOT NULL, -- legal status of the policy on the date of the scan
  relation TEXT, -- how the app id relates to the subject; NULL for an SDK
  waiver TEXT CHECK (waiver IS NULL OR json_valid(waiver)), -- JSON object of the waiver that accepts it; NULL: none
  PRIMARY KEY (scan, build, position)
) STRICT, WITHOUT ROWID""",
    "CREATE INDEX judgements_build ON judgements (build)",
)

_SEARCH = (
    # Trigrams find any run of three or more characters, inside Chinese names too.
    """CREATE VIRTUAL TABLE search
  -- Search by MATCH over builds, three characters or more; shorter ones: LIKE on apps or labels. rowid is builds.id.
  USING fts5 (
  app_id, -- package name or bundle identifier
  labels, -- names in all locales
  subjects, -- subjects that matched
  signatures, -- signatures that held
  signers, -- names and SHA-256 of signing certificates
  tokenize = 'trigram'
)""",
)

TABLES = (*_CATALOGS, *_FLEET, *_SCANS, *_APPS, *_SIGHTINGS, *_AUDITS, *_SEARCH)
"""The statements of the first migration, in order."""
