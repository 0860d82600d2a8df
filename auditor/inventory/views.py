"""The views of the inventory: its public interface, with stable names and columns; tables may change between versions.

Answers and findings are those of the scan that recorded a build last; older ones stay in the table ``judgements``.
"""

from __future__ import annotations

_CURRENT = "JOIN builds ON builds.id = audits.build AND audits.scan = builds.last_scan"
_WHERE = (
    "CASE WHEN substr({0}.place, 1, 1) IN ('=', '~') THEN substr({0}.place, 2)"
    " ELSE ifnull(parts.name, '') || {0}.place END"
)

_APPS = """CREATE VIEW apps AS
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
  SELECT NULL, platform, app_id, version, version_code, label, NULL, NULL,
    (SELECT group_concat(subject, ' ') FROM (SELECT DISTINCT listed_findings.subject FROM sightings
      JOIN listed ON listed.sighting = sightings.id JOIN listed_findings ON listed_findings.listed = listed.id
      WHERE sightings.listing = listings.id ORDER BY listed_findings.subject)),
    NULL,
    (SELECT count(*) FROM sightings WHERE sightings.listing = listings.id),
    (SELECT count(DISTINCT device) FROM sightings WHERE sightings.listing = listings.id),
    first_seen, last_seen
  FROM listings"""

_FINDINGS = """CREATE VIEW findings AS
  -- Policy x app x subject, as the latest scan of each app judged it; apps known only from a record have no build.
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
  JOIN scans ON scans.id = judgements.scan
  UNION ALL
  SELECT policy, named, status, subject, role, grade, relation, NULL, platform, app_id, version, label, NULL, as_of,
    scans.id
  FROM listed_findings
  JOIN listed ON listed.id = listed_findings.listed
  JOIN records ON records.id = listed.record
  JOIN scans ON scans.id = records.scan
  JOIN sightings ON sightings.id = listed.sighting
  JOIN listings ON listings.id = sightings.listing
  WHERE NOT EXISTS (SELECT 1 FROM listed AS later JOIN records AS newer ON newer.id = later.record
    WHERE later.sighting = listed.sighting AND newer.scan > records.scan)
  GROUP BY policy, subject, listings.id, scans.id"""

_CARRIERS = f"""CREATE VIEW carriers AS
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
  {_CURRENT}"""

_WHERE_SEEN = """CREATE VIEW where_seen AS
  -- Device x app x finding: one row per place an app with a finding was seen in and per subject.
  SELECT
    fleets.name AS fleet, -- NULL: none
    devices.name AS device, -- NULL: none was named
    sightings.user AS user, -- user or profile; empty: none
    sightings.state AS state, -- what it is there: installed, staged, ...; empty: the place does not tell
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
  GROUP BY sightings.id, judgements.subject, judgements.role, judgements.grade
  UNION ALL
  SELECT fleets.name, devices.name, sightings.user, sightings.state, platform, app_id, version, label,
    listed_findings.subject, listed_findings.role, listed_findings.grade, group_concat(policy, ' '), sightings.origin,
    sightings.first_seen, sightings.last_seen, NULL
  FROM sightings
  JOIN listings ON listings.id = sightings.listing
  JOIN listed ON listed.id = (SELECT max(id) FROM listed WHERE listed.sighting = sightings.id)
  JOIN (SELECT * FROM listed_findings ORDER BY policy) AS listed_findings ON listed_findings.listed = listed.id
  LEFT JOIN devices ON devices.id = sightings.device
  LEFT JOIN fleets ON fleets.id = devices.fleet
  GROUP BY sightings.id, listed_findings.subject, listed_findings.role, listed_findings.grade"""

_EVIDENCE = f"""CREATE VIEW evidence_detail AS
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
    {_WHERE.format("evidence")} AS place, -- where, from the part of the app inward
    evidence.offset AS offset -- byte offset in that file; NULL: unknown
  FROM evidence
  JOIN clause_hits ON clause_hits.id = evidence.hit
  JOIN matches ON matches.id = clause_hits.match
  JOIN answers ON answers.id = matches.answer
  JOIN audits ON audits.id = answers.audit
  {_CURRENT}
  LEFT JOIN parts ON parts.build = builds.id AND parts.position = evidence.part"""

_UNREADABLE = f"""CREATE VIEW unreadable AS
  -- What could not be seen: problems of apps with the subjects they leave UNKNOWN, and problems outside any app.
  SELECT
    builds.app_id AS app_id, -- NULL: the problem is of the scan, not of an app
    builds.version AS version, -- version shown to people
    builds.sha256 AS build, -- key of the bytes; NULL: the problem is of the scan
    problems.code AS code, -- problem code
    {_WHERE.format("problems")} AS place, -- where, from the part of the app inward
    problems.offset AS offset, -- byte offset in that file; NULL: unknown
    problems.detail AS detail, -- one line for people
    (SELECT group_concat(subject, ' ') FROM (SELECT answers.subject FROM answer_problems
      JOIN answers ON answers.id = answer_problems.answer
      WHERE answer_problems.problem = problems.id ORDER BY answers.subject))
      AS unknown, -- subjects it leaves UNKNOWN; NULL: none
    audits.scan AS scan -- scan that met it
  FROM problems
  JOIN audits ON audits.id = problems.audit
  {_CURRENT}
  LEFT JOIN parts ON parts.build = builds.id AND parts.position = problems.part
  UNION ALL
  SELECT NULL, NULL, NULL, code, place, offset, detail, NULL, scan FROM problems WHERE scan IS NOT NULL"""

_DEVICES = """CREATE VIEW device_state AS
  -- The latest state of each device: what its latest scan saw.
  SELECT
    fleets.name AS fleet, -- NULL: none
    devices.name AS device, -- device id
    scans.id AS scan, -- its latest scan
    scans.started AS started, -- UTC
    scans.complete AS complete, -- 0: that scan was broken off, more may be there
    count(DISTINCT sightings.build) AS apps, -- apps seen by their bytes
    count(DISTINCT sightings.listing) AS listed, -- apps and versions that records name
    count(DISTINCT CASE WHEN EXISTS (SELECT 1 FROM judgements WHERE judgements.scan = scans.id
      AND judgements.build = sightings.build) THEN sightings.build END) AS apps_with_findings, -- apps with a finding
    count(DISTINCT CASE WHEN EXISTS (SELECT 1 FROM audits JOIN answers ON answers.audit = audits.id
      WHERE audits.build = sightings.build AND audits.catalog = scans.catalog AND answers.verdict = 'unknown')
      THEN sightings.build END) AS apps_with_unknown, -- apps with an UNKNOWN subject
    (SELECT count(*) FROM problems WHERE problems.scan = scans.id) AS scan_problems, -- problems outside any app
    count(DISTINCT CASE WHEN EXISTS (SELECT 1 FROM listed JOIN records ON records.id = listed.record
      JOIN listed_findings ON listed_findings.listed = listed.id
      WHERE listed.sighting = sightings.id AND records.scan = scans.id)
      THEN listings.platform || listings.app_id END) AS listed_with_findings -- apps with a finding that records name
  FROM devices
  JOIN scans ON scans.id = (SELECT max(latest.id) FROM scans AS latest WHERE latest.device = devices.id)
  LEFT JOIN fleets ON fleets.id = devices.fleet
  LEFT JOIN scan_sightings ON scan_sightings.scan = scans.id
  LEFT JOIN sightings ON sightings.id = scan_sightings.sighting
  LEFT JOIN listings ON listings.id = sightings.listing
  GROUP BY devices.id"""

_RECORDED = """CREATE VIEW recorded AS
  -- What records of devices say: one row per app, user, state, scan and designated app that it is.
  SELECT
    devices.name AS device, -- NULL: none was named
    records.kind AS record, -- kind of record
    records.completeness AS completeness, -- which apps of the device it can name
    records.taken AS taken, -- when the record was made; empty: it does not say
    listings.platform AS platform, -- android or ios
    listings.app_id AS app_id, -- package name or bundle identifier
    listings.version AS version, -- version shown to people
    listings.version_code AS version_code, -- version the platform compares
    listings.label AS label, -- name in the record
    sightings.user AS user, -- user or profile; empty: not told apart
    sightings.state AS state, -- what the app is for that user
    listed.installer AS installer, -- app or store that installed it
    listed.installed AS installed, -- first installed
    listed.updated AS updated, -- last updated
    listed.seen AS seen, -- last time the record saw it
    listed.signers AS signers, -- JSON object: current, past, digests
    listed_matches.subject AS subject, -- designated app that it is; NULL: none
    listed_matches.grade AS grade, -- how strong; NULL: none
    sightings.origin AS origin, -- where the record lies in the input
    records.scan AS scan -- scan that read it
  FROM listed
  JOIN records ON records.id = listed.record
  JOIN sightings ON sightings.id = listed.sighting
  JOIN listings ON listings.id = sightings.listing
  LEFT JOIN devices ON devices.id = sightings.device
  LEFT JOIN listed_matches ON listed_matches.listed = listed.id"""

VIEWS = (_APPS, _FINDINGS, _CARRIERS, _WHERE_SEEN, _EVIDENCE, _UNREADABLE, _DEVICES, _RECORDED)
"""The statements that make the views, in the order they are documented."""
