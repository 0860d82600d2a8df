-- An inventory of schema version 2 as the program of that time made it, with one scan of two apps.
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE TABLE catalogs (
  -- A set of signatures and policies that scans were run with.
  id INTEGER PRIMARY KEY, -- key
  digest TEXT NOT NULL UNIQUE -- digest of the catalog, as the scan states it
) STRICT;
CREATE TABLE subject_sets (
  -- The subjects that were asked about together: what NOT FOUND is derived from.
  id INTEGER PRIMARY KEY, -- key
  subjects TEXT NOT NULL UNIQUE CHECK (json_valid(subjects)) -- JSON list of subject ids, ascending
) STRICT;
CREATE TABLE fleets (
  -- A named group of devices.
  id INTEGER PRIMARY KEY, -- key
  name TEXT NOT NULL UNIQUE -- name the user gave
) STRICT;
CREATE TABLE devices (
  -- A device the user named.
  id INTEGER PRIMARY KEY, -- key
  name TEXT NOT NULL UNIQUE, -- device id the user gave
  fleet INTEGER REFERENCES fleets (id) -- fleet it was last said to belong to; NULL: none
) STRICT;
CREATE INDEX devices_fleet ON devices (fleet);
CREATE TABLE scans (
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
) STRICT;
CREATE INDEX scans_catalog ON scans (catalog);
CREATE INDEX scans_device ON scans (device);
CREATE TABLE scan_targets (
  -- A path the user named for a scan.
  scan INTEGER NOT NULL REFERENCES scans (id) ON DELETE CASCADE, -- scan
  position INTEGER NOT NULL, -- order on the command line, from 0
  target TEXT NOT NULL, -- path as the scan states it
  PRIMARY KEY (scan, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE builds (
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
) STRICT;
CREATE INDEX builds_app_id ON builds (app_id, platform);
CREATE INDEX builds_last_scan ON builds (last_scan);
CREATE TABLE labels (
  -- A name of a build in one locale.
  build INTEGER NOT NULL REFERENCES builds (id) ON DELETE CASCADE, -- build
  locale TEXT NOT NULL, -- locale; empty: default
  label TEXT NOT NULL, -- name
  PRIMARY KEY (build, locale, label)
) STRICT, WITHOUT ROWID;
CREATE TABLE parts (
  -- A file or bundle a build is made of, as the latest recording found it.
  build INTEGER NOT NULL REFERENCES builds (id) ON DELETE CASCADE, -- build
  position INTEGER NOT NULL, -- order, from 0
  kind TEXT NOT NULL, -- base, split, bundle, extension, watch or clip
  name TEXT NOT NULL, -- file or bundle name
  place TEXT NOT NULL, -- place, relative to the origin of the app
  sha256 TEXT NOT NULL, -- digest of its bytes
  size INTEGER NOT NULL, -- bytes
  PRIMARY KEY (build, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX parts_sha256 ON parts (sha256);
CREATE TABLE signers (
  -- A signing certificate.
  id INTEGER PRIMARY KEY, -- key
  sha256 TEXT NOT NULL UNIQUE, -- digest of the DER bytes
  sha1 TEXT NOT NULL, -- digest of the DER bytes
  md5 TEXT NOT NULL, -- digest of the DER bytes
  md5_of_hex TEXT NOT NULL, -- MD5 of the lower-case hex string of the DER bytes
  subject TEXT NOT NULL, -- distinguished name
  public_key_sha256 TEXT NOT NULL, -- digest of the public key
  rsa_modulus TEXT -- lower-case hex; NULL for other key types
) STRICT;
CREATE TABLE build_signers (
  -- Who signed a build, or vouches for its signer by a proof of rotation.
  build INTEGER NOT NULL REFERENCES builds (id) ON DELETE CASCADE, -- build
  role TEXT NOT NULL CHECK (role IN ('signer', 'lineage')), -- signer, or lineage: earlier signers, oldest first
  position INTEGER NOT NULL, -- order, from 0
  signer INTEGER NOT NULL REFERENCES signers (id), -- certificate
  PRIMARY KEY (build, role, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX build_signers_signer ON build_signers (signer);
CREATE TABLE build_facts (
  -- What was observed in a build, compressed, so that later signatures can be matched without the file.
  build INTEGER PRIMARY KEY REFERENCES builds (id) ON DELETE CASCADE, -- build
  tool TEXT NOT NULL, -- program that extracted them
  observed INTEGER NOT NULL, -- number of facts, string constants included
  size INTEGER NOT NULL, -- bytes of facts and strings together
  facts BLOB NOT NULL, -- all kinds but string constants
  strings BLOB NOT NULL -- membership filter of the string constants
) STRICT;
CREATE TABLE listings (
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
) STRICT;
CREATE TABLE sightings (
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
  CHECK ((build IS NULL) <> (listing IS NULL))
) STRICT;
CREATE UNIQUE INDEX sightings_build ON sightings (build, ifnull(device, 0), user, origin) WHERE build IS NOT NULL;
CREATE UNIQUE INDEX sightings_listing ON sightings (listing, ifnull(device, 0), user, origin) WHERE listing IS NOT NULL;
CREATE INDEX sightings_device ON sightings (device);
CREATE TABLE scan_sightings (
  -- Which sightings a scan made: what it saw, and what it no longer saw.
  scan INTEGER NOT NULL REFERENCES scans (id) ON DELETE CASCADE, -- scan
  sighting INTEGER NOT NULL REFERENCES sightings (id) ON DELETE CASCADE, -- sighting
  PRIMARY KEY (scan, sighting)
) STRICT, WITHOUT ROWID;
CREATE INDEX scan_sightings_sighting ON scan_sightings (sighting);
CREATE TABLE audits (
  -- What one catalog says about one build. A later run with the same catalog replaces it with all that hangs on it.
  id INTEGER PRIMARY KEY, -- key
  build INTEGER NOT NULL REFERENCES builds (id) ON DELETE CASCADE, -- build
  catalog INTEGER NOT NULL REFERENCES catalogs (id), -- catalog
  scan INTEGER NOT NULL REFERENCES scans (id), -- scan that wrote it
  asked INTEGER NOT NULL REFERENCES subject_sets (id), -- subjects asked about
  UNIQUE (build, catalog)
) STRICT;
CREATE INDEX audits_scan ON audits (scan);
CREATE INDEX audits_catalog ON audits (catalog);
CREATE INDEX audits_asked ON audits (asked);
CREATE TABLE answers (
  -- The verdict on one subject in one build. An asked subject without a row is NOT FOUND with nothing to show.
  id INTEGER PRIMARY KEY, -- key
  audit INTEGER NOT NULL REFERENCES audits (id) ON DELETE CASCADE, -- audit
  subject TEXT NOT NULL, -- subject id
  verdict TEXT NOT NULL CHECK (verdict IN ('present', 'not found', 'unknown')), -- verdict
  UNIQUE (audit, subject)
) STRICT;
CREATE INDEX answers_subject ON answers (subject, verdict);
CREATE TABLE matches (
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
) STRICT;
CREATE INDEX matches_signature ON matches (signature);
CREATE TABLE clause_hits (
  -- A clause of a signature that held.
  id INTEGER PRIMARY KEY, -- key
  match INTEGER NOT NULL REFERENCES matches (id) ON DELETE CASCADE, -- match
  position INTEGER NOT NULL, -- order within the match, from 0
  clause TEXT NOT NULL, -- name of the clause
  kind TEXT NOT NULL, -- kind of facts it asks for
  matched INTEGER NOT NULL, -- distinct values seen
  listed INTEGER NOT NULL, -- values and patterns the clause lists
  UNIQUE (match, position)
) STRICT;
CREATE TABLE evidence (
  -- A fact that proves a match: the first few of each clause.
  hit INTEGER NOT NULL REFERENCES clause_hits (id) ON DELETE CASCADE, -- clause
  position INTEGER NOT NULL, -- order within the clause, from 0
  kind TEXT NOT NULL, -- kind of the fact
  value TEXT NOT NULL, -- what was observed
  part INTEGER, -- position of the part it lies in; NULL: place is relative to the app
  place TEXT NOT NULL, -- place, relative to the part or the app
  offset INTEGER, -- byte offset in that file; NULL: unknown
  PRIMARY KEY (hit, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE problems (
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
) STRICT;
CREATE INDEX problems_audit ON problems (audit);
CREATE INDEX problems_scan ON problems (scan, position);
CREATE UNIQUE INDEX problems_once ON problems (scan, code, place, ifnull(offset, -1), detail, ifnull(hides, '')) WHERE scan IS NOT NULL;
CREATE TABLE answer_problems (
  -- A problem that keeps a question open: the reason of UNKNOWN.
  answer INTEGER NOT NULL REFERENCES answers (id) ON DELETE CASCADE, -- answer
  position INTEGER NOT NULL, -- order, from 0
  problem INTEGER NOT NULL REFERENCES problems (id) ON DELETE CASCADE, -- problem
  PRIMARY KEY (answer, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX answer_problems_problem ON answer_problems (problem);
CREATE TABLE judgements (
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
) STRICT, WITHOUT ROWID;
CREATE INDEX judgements_build ON judgements (build);
CREATE VIRTUAL TABLE search
  -- Search by MATCH over builds, three characters or more; shorter ones: LIKE on apps or labels. rowid is builds.id.
  USING fts5 (
  app_id, -- package name or bundle identifier
  labels, -- names in all locales
  subjects, -- subjects that matched
  signatures, -- signatures that held
  signers, -- names and SHA-256 of signing certificates
  tokenize = 'trigram'
);
CREATE VIEW apps AS
  -- Every app the inventory knows: by its bytes (a build) or only from a record (a listing).
  SELECT
    builds.sha256 AS build, -- key of the bytes; NULL for a listing
    platform AS platform, -- android or ios
    app_id AS app_id, -- package name or bundle identifier
    version AS version, -- version shown to people
    version_code AS version_code, -- version the platform compares
    label AS label, -- name in the default locale
    signing_state AS signing, -- verified; present, not verifiable; invalid; missing; not checked; NULL for a listing
    (SELECT group_concat(sha256, ' ') FROM (SELECT signers.sha256 FROM build_signers
      JOIN signers ON signers.id = build_signers.signer
      WHERE build_signers.build = builds.id AND build_signers.role = 'signer' ORDER BY build_signers.position))
      AS signers, -- SHA-256 of the signing certificates
    (SELECT group_concat(subject, ' ') FROM (SELECT answers.subject FROM answers
      JOIN audits ON audits.id = answers.audit AND audits.scan = builds.last_scan
      WHERE audits.build = builds.id AND answers.verdict = 'present' ORDER BY answers.subject))
      AS present, -- subjects that are PRESENT
    (SELECT group_concat(subject, ' ') FROM (SELECT answers.subject FROM answers
      JOIN audits ON audits.id = answers.audit AND audits.scan = builds.last_scan
      WHERE audits.build = builds.id AND answers.verdict = 'unknown' ORDER BY answers.subject))
      AS unknown, -- subjects that are UNKNOWN: something could not be read
    (SELECT count(*) FROM sightings WHERE sightings.build = builds.id) AS sightings, -- places it was seen in
    (SELECT count(DISTINCT device) FROM sightings WHERE sightings.build = builds.id) AS devices, -- on how many devices
    first_seen AS first_seen, -- UTC
    last_seen AS last_seen -- UTC
  FROM builds
  UNION ALL
  SELECT NULL, platform, app_id, version, version_code, label, NULL, NULL, NULL, NULL,
    (SELECT count(*) FROM sightings WHERE sightings.listing = listings.id),
    (SELECT count(DISTINCT device) FROM sightings WHERE sightings.listing = listings.id),
    first_seen, last_seen
  FROM listings;
CREATE VIEW findings AS
  -- Policy x app x subject, as the latest scan of each app judged it.
  SELECT
    judgements.policy AS policy, -- policy id
    judgements.named AS named, -- how the policy names the subject
    judgements.status AS status, -- legal status of the policy on the date of the scan
    judgements.subject AS subject, -- subject id
    judgements.role AS role, -- app: it is the app; sdk: it carries its SDK; vendor: another SDK of its company
    judgements.grade AS grade, -- strongest grade
    judgements.relation AS relation, -- how the app id relates to the subject; NULL for an SDK
    json_extract(judgements.waiver, '$.id') AS waiver, -- id of the waiver that accepts it; NULL: none
    builds.platform AS platform, -- android or ios
    builds.app_id AS app_id, -- package name or bundle identifier
    builds.version AS version, -- version shown to people
    builds.label AS label, -- name in the default locale
    builds.sha256 AS build, -- key of the bytes
    scans.as_of AS as_of, -- day the policies were judged for
    scans.id AS scan -- scan that judged
  FROM judgements
  JOIN builds ON builds.id = judgements.build AND builds.last_scan = judgements.scan
  JOIN scans ON scans.id = judgements.scan;
CREATE VIEW carriers AS
  -- Which apps are, carry or mention it: every match of every app, the strong and the weak.
  SELECT
    answers.subject AS subject, -- subject id
    matches.role AS role, -- app, sdk or vendor
    matches.grade AS grade, -- how strong
    matches.is_finding AS is_finding, -- 1: a grade that counts by default
    matches.signature AS signature, -- signature id, or app:SUBJECT
    matches.version AS sdk_version, -- version of the SDK where it could be read or inferred
    matches.version_basis AS sdk_version_basis, -- stated by the SDK, inferred from what it holds, or empty
    matches.confidence AS confidence, -- high, medium or low
    builds.platform AS platform, -- android or ios
    builds.app_id AS app_id, -- package name or bundle identifier
    builds.version AS version, -- version shown to people
    builds.label AS label, -- name in the default locale
    builds.sha256 AS build, -- key of the bytes
    (SELECT count(DISTINCT device) FROM sightings WHERE sightings.build = builds.id) AS devices -- on how many devices
  FROM matches
  JOIN answers ON answers.id = matches.answer
  JOIN audits ON audits.id = answers.audit
  JOIN builds ON builds.id = audits.build AND audits.scan = builds.last_scan;
CREATE VIEW where_seen AS
  -- Device x app x finding: one row per place an app with a finding was seen in and per subject.
  SELECT
    fleets.name AS fleet, -- NULL: none
    devices.name AS device, -- NULL: none was named
    sightings.user AS user, -- user or profile; empty: none
    builds.platform AS platform, -- android or ios
    builds.app_id AS app_id, -- package name or bundle identifier
    builds.version AS version, -- version shown to people
    builds.label AS label, -- name in the default locale
    judgements.subject AS subject, -- subject id
    judgements.role AS role, -- app, sdk or vendor
    judgements.grade AS grade, -- strongest grade
    (SELECT group_concat(policy, ' ') FROM (SELECT policy FROM judgements AS same WHERE same.build = judgements.build
      AND same.scan = judgements.scan AND same.subject = judgements.subject AND same.role = judgements.role
      AND same.grade = judgements.grade ORDER BY policy))
      AS policies, -- policies that name the subject
    sightings.origin AS origin, -- where the app lies in the input
    sightings.first_seen AS first_seen, -- UTC
    sightings.last_seen AS last_seen, -- UTC
    builds.sha256 AS build -- key of the bytes
  FROM sightings
  JOIN builds ON builds.id = sightings.build
  JOIN judgements ON judgements.build = builds.id AND judgements.scan = builds.last_scan
  LEFT JOIN devices ON devices.id = sightings.device
  LEFT JOIN fleets ON fleets.id = devices.fleet
  GROUP BY sightings.id, judgements.subject, judgements.role, judgements.grade;
CREATE VIEW evidence_detail AS
  -- How do we know: the facts that prove each match.
  SELECT
    builds.app_id AS app_id, -- package name or bundle identifier
    builds.version AS version, -- version shown to people
    builds.sha256 AS build, -- key of the bytes
    answers.subject AS subject, -- subject id
    matches.signature AS signature, -- signature id, or app:SUBJECT
    matches.role AS role, -- app, sdk or vendor
    matches.grade AS grade, -- how strong
    clause_hits.clause AS clause, -- clause of the signature
    clause_hits.matched AS matched, -- distinct values seen for the clause
    clause_hits.listed AS listed, -- values and patterns the clause lists
    evidence.kind AS kind, -- kind of the fact
    evidence.value AS value, -- what was observed
    CASE WHEN substr(evidence.place, 1, 1) IN ('=', '~') THEN substr(evidence.place, 2) ELSE ifnull(parts.name, '') || evidence.place END AS place, -- where, from the part of the app inward
    evidence.offset AS offset -- byte offset in that file; NULL: unknown
  FROM evidence
  JOIN clause_hits ON clause_hits.id = evidence.hit
  JOIN matches ON matches.id = clause_hits.match
  JOIN answers ON answers.id = matches.answer
  JOIN audits ON audits.id = answers.audit
  JOIN builds ON builds.id = audits.build AND audits.scan = builds.last_scan
  LEFT JOIN parts ON parts.build = builds.id AND parts.position = evidence.part;
CREATE VIEW unreadable AS
  -- What could not be seen: problems of apps with the subjects they leave UNKNOWN, and problems outside any app.
  SELECT
    builds.app_id AS app_id, -- NULL: the problem is of the scan, not of an app
    builds.version AS version, -- version shown to people
    builds.sha256 AS build, -- key of the bytes; NULL: the problem is of the scan
    problems.code AS code, -- problem code
    CASE WHEN substr(problems.place, 1, 1) IN ('=', '~') THEN substr(problems.place, 2) ELSE ifnull(parts.name, '') || problems.place END AS place, -- where, from the part of the app inward
    problems.offset AS offset, -- byte offset in that file; NULL: unknown
    problems.detail AS detail, -- one line for people
    (SELECT group_concat(subject, ' ') FROM (SELECT answers.subject FROM answer_problems
      JOIN answers ON answers.id = answer_problems.answer
      WHERE answer_problems.problem = problems.id ORDER BY answers.subject))
      AS unknown, -- subjects it leaves UNKNOWN; NULL: none
    audits.scan AS scan -- scan that met it
  FROM problems
  JOIN audits ON audits.id = problems.audit
  JOIN builds ON builds.id = audits.build AND audits.scan = builds.last_scan
  LEFT JOIN parts ON parts.build = builds.id AND parts.position = problems.part
  UNION ALL
  SELECT NULL, NULL, NULL, code, place, offset, detail, NULL, scan FROM problems WHERE scan IS NOT NULL;
CREATE VIEW device_state AS
  -- The latest state of each device: what its latest scan saw.
  SELECT
    fleets.name AS fleet, -- NULL: none
    devices.name AS device, -- device id
    scans.id AS scan, -- its latest scan
    scans.started AS started, -- UTC
    scans.complete AS complete, -- 0: that scan was broken off, more may be there
    count(DISTINCT ifnull(sightings.build, -sightings.listing)) AS apps, -- apps seen
    count(DISTINCT CASE WHEN EXISTS (SELECT 1 FROM judgements WHERE judgements.scan = scans.id
      AND judgements.build = sightings.build) THEN sightings.build END) AS apps_with_findings, -- apps with a finding
    count(DISTINCT CASE WHEN EXISTS (SELECT 1 FROM audits JOIN answers ON answers.audit = audits.id
      WHERE audits.build = sightings.build AND audits.catalog = scans.catalog AND answers.verdict = 'unknown')
      THEN sightings.build END) AS apps_with_unknown, -- apps with an UNKNOWN subject
    (SELECT count(*) FROM problems WHERE problems.scan = scans.id) AS scan_problems -- problems outside any app
  FROM devices
  JOIN scans ON scans.id = (SELECT max(latest.id) FROM scans AS latest WHERE latest.device = devices.id)
  LEFT JOIN fleets ON fleets.id = devices.fleet
  LEFT JOIN scan_sightings ON scan_sightings.scan = scans.id
  LEFT JOIN sightings ON sightings.id = scan_sightings.sighting
  GROUP BY devices.id;
INSERT INTO _sqlite_migrations (id, migration_set, name, applied_at) VALUES (1, 'auditor', 'm001_initial', '2026-11-23 00:52:23.015951+00:00');
INSERT INTO _sqlite_migrations (id, migration_set, name, applied_at) VALUES (2, 'auditor', 'm002_version_basis', '2026-11-23 00:52:23.016292+00:00');
INSERT INTO catalogs (id, digest) VALUES (1, 'cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc');
INSERT INTO subject_sets (id, subjects) VALUES (1, '["alipay","shareit","wechat","wechat-pay"]');
INSERT INTO fleets (id, name) VALUES (1, 'sales');
INSERT INTO devices (id, name, fleet) VALUES (1, 'phone-1', 1);
INSERT INTO scans (id, tool, catalog, as_of, device, command, started, finished, complete) VALUES (1, 'auditor 0.1.0', 1, '2026-11-22', 1, 'auditor scan apps', '2026-01-01T00:00:00Z', '2026-01-01T00:00:02Z', 1);
INSERT INTO scan_targets (scan, position, target) VALUES (1, 0, 'apps');
INSERT INTO builds (id, sha256, platform, app_id, version, version_code, label, min_sdk, target_sdk, signing_state, signing_scheme, signing_detail, signing_present, signing_trusted, attributes, first_seen, last_seen, last_scan) VALUES (1, 'fb4c24b75fc0df1c1d7c2ca11d854b7406963d6b21871ce32d790b49fcdeab59', 'android', 'com.example.shop', '1.2.3', '10203', 'Shop', '24', '35', 'verified', 'v3', '', '["v1","v2","v3"]', '[[0,"v1"],[24,"v2"],[28,"v3"]]', '[["installLocation","auto"]]', '2026-01-01T00:00:01Z', '2026-01-01T00:00:01Z', 1);
INSERT INTO builds (id, sha256, platform, app_id, version, version_code, label, min_sdk, target_sdk, signing_state, signing_scheme, signing_detail, signing_present, signing_trusted, attributes, first_seen, last_seen, last_scan) VALUES (2, '887ccc17d9c55cc423104c796fd3f2ff2dcbff17986fedae1122ac28d4b89ebd', 'android', 'com.example.clean', '1.2.3', '10203', 'Shop', '24', '35', 'verified', 'v3', '', '["v1","v2","v3"]', '[[0,"v1"],[24,"v2"],[28,"v3"]]', '[["installLocation","auto"]]', '2026-01-01T00:00:01Z', '2026-01-01T00:00:01Z', 1);
INSERT INTO labels (build, locale, label) VALUES (1, '', 'Shop');
INSERT INTO labels (build, locale, label) VALUES (1, 'zh-CN', '商店');
INSERT INTO labels (build, locale, label) VALUES (2, '', 'Shop');
INSERT INTO labels (build, locale, label) VALUES (2, 'zh-CN', '商店');
INSERT INTO parts (build, position, kind, name, place, sha256, size) VALUES (1, 0, 'base', 'shop.apk', '', 'dbbf3d8654438d1f972ef64067d6520aec2eb425f82a04237a0718fb9081ba32', 1234);
INSERT INTO parts (build, position, kind, name, place, sha256, size) VALUES (2, 0, 'base', 'base.apk', '', 'faa65ec5027761697187dbbc26fe8a84ac30940eab7aad7f23c5f8e55ad50c0c', 1234);
INSERT INTO signers (id, sha256, sha1, md5, md5_of_hex, subject, public_key_sha256, rsa_modulus) VALUES (1, '532eaabd9574880dbf76b9b8cc00832c20a6ec113d682299550d7a6e0f345e25', '532eaabd9574880dbf76b9b8cc00832c20a6ec11', '532eaabd9574880dbf76b9b8cc00832c', '20a6ec113d682299550d7a6e0f345e25', 'CN=Test', '4a3556ea8c9dbf2e7c4ea58c85f4ce1b7442aca88ebbb4b004b59b624f95f321', 'c0ffee');
INSERT INTO signers (id, sha256, sha1, md5, md5_of_hex, subject, public_key_sha256, rsa_modulus) VALUES (2, 'bca97160f4e1211fe659338d0a9705a7dff8aa3ea2e1be1cc1958100a33962c2', 'bca97160f4e1211fe659338d0a9705a7dff8aa3e', 'bca97160f4e1211fe659338d0a9705a7', 'dff8aa3ea2e1be1cc1958100a33962c2', 'CN=Old', 'f50be6a80aba167abef88d77661e9e288245035f44ae9772657a18b686f3cb5b', NULL);
INSERT INTO build_signers (build, role, position, signer) VALUES (1, 'lineage', 1, 1);
INSERT INTO build_signers (build, role, position, signer) VALUES (1, 'signer', 0, 1);
INSERT INTO build_signers (build, role, position, signer) VALUES (2, 'lineage', 1, 1);
INSERT INTO build_signers (build, role, position, signer) VALUES (2, 'signer', 0, 1);
INSERT INTO build_signers (build, role, position, signer) VALUES (1, 'lineage', 0, 2);
INSERT INTO build_signers (build, role, position, signer) VALUES (2, 'lineage', 0, 2);
INSERT INTO sightings (id, build, listing, device, user, origin, parent, layout, first_seen, last_seen) VALUES (1, 1, NULL, 1, '10', 'apps/shop.apk', NULL, NULL, '2026-01-01T00:00:01Z', '2026-01-01T00:00:01Z');
INSERT INTO sightings (id, build, listing, device, user, origin, parent, layout, first_seen, last_seen) VALUES (2, 2, NULL, 1, '', 'data/app/clean-1/base.apk', NULL, NULL, '2026-01-01T00:00:01Z', '2026-01-01T00:00:01Z');
INSERT INTO scan_sightings (scan, sighting) VALUES (1, 1);
INSERT INTO scan_sightings (scan, sighting) VALUES (1, 2);
INSERT INTO audits (id, build, catalog, scan, asked) VALUES (1, 1, 1, 1, 1);
INSERT INTO audits (id, build, catalog, scan, asked) VALUES (2, 2, 1, 1, 1);
INSERT INTO answers (id, audit, subject, verdict) VALUES (1, 1, 'alipay', 'present');
INSERT INTO answers (id, audit, subject, verdict) VALUES (2, 1, 'shareit', 'not found');
INSERT INTO answers (id, audit, subject, verdict) VALUES (3, 1, 'wechat', 'present');
INSERT INTO answers (id, audit, subject, verdict) VALUES (4, 1, 'wechat-pay', 'unknown');
INSERT INTO matches (id, answer, position, signature, subject, role, grade, is_finding, relation, confidence, version, detail, version_basis) VALUES (1, 1, 0, 'alipay-sdk-android', 'alipay', 'sdk', 'embedded', 1, NULL, 'high', '15.8.11', 'pays', '');
INSERT INTO matches (id, answer, position, signature, subject, role, grade, is_finding, relation, confidence, version, detail, version_basis) VALUES (2, 2, 0, 'shareit-sdk-android', 'shareit', 'sdk', 'referenced', 0, NULL, 'high', '15.8.11', 'pays', '');
INSERT INTO matches (id, answer, position, signature, subject, role, grade, is_finding, relation, confidence, version, detail, version_basis) VALUES (3, 3, 0, 'app:wechat', 'wechat', 'app', 'impostor', 1, 'host_app', 'medium', '', '', '');
INSERT INTO clause_hits (id, match, position, clause, kind, matched, listed) VALUES (1, 1, 0, 'classes', 'dex.class', 2, 5);
INSERT INTO clause_hits (id, match, position, clause, kind, matched, listed) VALUES (2, 2, 0, 'classes', 'dex.class', 2, 5);
INSERT INTO clause_hits (id, match, position, clause, kind, matched, listed) VALUES (3, 3, 0, 'id', 'app.id', 1, 1);
INSERT INTO evidence (hit, position, kind, value, part, place, offset) VALUES (1, 0, 'dex.class', 'com.alipay.sdk.app.PayTask', 0, '!classes.dex', 112);
INSERT INTO evidence (hit, position, kind, value, part, place, offset) VALUES (2, 0, 'dex.class', 'com.lenovo.anyshare.gps', 0, '', 112);
INSERT INTO evidence (hit, position, kind, value, part, place, offset) VALUES (3, 0, 'app.id', 'com.example.shop', 0, '', NULL);
INSERT INTO problems (id, audit, scan, position, code, part, place, offset, detail, hides) VALUES (1, 1, NULL, 0, 'dex-damaged', 0, '!classes2.dex', 64, 'string 7 lies outside the file', NULL);
INSERT INTO problems (id, audit, scan, position, code, part, place, offset, detail, hides) VALUES (2, 1, NULL, 1, 'limit-reached', 0, '', NULL, 'too many files', '["dex.class","file.path"]');
INSERT INTO problems (id, audit, scan, position, code, part, place, offset, detail, hides) VALUES (3, NULL, 1, 0, 'empty', NULL, 'e.apk', NULL, 'no bytes', NULL);
INSERT INTO answer_problems (answer, position, problem) VALUES (4, 0, 1);
INSERT INTO judgements (scan, build, position, policy, subject, named, role, grade, status, relation, waiver) VALUES (1, 1, 0, 'eo-13971', 'alipay', 'Alipay', 'sdk', 'embedded', 'ended', NULL, NULL);
INSERT INTO judgements (scan, build, position, policy, subject, named, role, grade, status, relation, waiver) VALUES (1, 1, 1, 'texas', 'alipay', 'Alipay', 'sdk', 'embedded', 'ended', NULL, '{"id":"W-1","owner":"Ada","reason":"accepted until the “new” till is there","expires":"2027-01-31","subject":"alipay","app_id":"com.example.*"}');
INSERT INTO search (rowid, app_id, labels, subjects, signatures, signers) VALUES (1, 'com.example.shop', 'Shop
商店', 'alipay
shareit
wechat', 'alipay-sdk-android
app:wechat
shareit-sdk-android', 'CN=Old bca97160f4e1211fe659338d0a9705a7dff8aa3ea2e1be1cc1958100a33962c2
CN=Test 532eaabd9574880dbf76b9b8cc00832c20a6ec113d682299550d7a6e0f345e25');
INSERT INTO search (rowid, app_id, labels, subjects, signatures, signers) VALUES (2, 'com.example.clean', 'Shop
商店', '', '', 'CN=Old bca97160f4e1211fe659338d0a9705a7dff8aa3ea2e1be1cc1958100a33962c2
CN=Test 532eaabd9574880dbf76b9b8cc00832c20a6ec113d682299550d7a6e0f345e25');
PRAGMA application_id = 1095780673;
PRAGMA user_version = 2;
