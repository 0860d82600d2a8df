"""Extract the facts of an Android App Bundle (.aab): modules with protobuf manifests and resources."""

from __future__ import annotations

import hashlib
import re

from auditor.containers.archive import find_members
from auditor.containers.member import Member
from auditor.errors import AuditorError, FormatError
from auditor.formats.android_manifest import Manifest, Text, read_manifest
from auditor.formats.proto_xml import parse_proto_resources
from auditor.formats.zip import Archive, parse_zip
from auditor.model import (
    App,
    Extraction,
    FactBatch,
    FactKind,
    Part,
    PartKind,
    Platform,
    Problem,
    ProblemCode,
    Signing,
    SigningState,
    batch,
    build_key,
)
from auditor.platforms.android import default_text, distinct
from auditor.platforms.android_code import CodeScan, scan_members
from auditor.platforms.android_manifest_facts import manifest_facts
from auditor.platforms.candidate import AndroidBundle

_MANIFEST = re.compile(r"([^/]+)/manifest/AndroidManifest\.xml")


def extract_bundle(found: AndroidBundle) -> tuple[Extraction, tuple[Member, ...]]:
    """The facts of one bundle; it is signed by an upload key, so its signer proves nothing about the app.

    Raises:
        FormatError: the archive cannot be listed.
    """
    data = found.file.open()
    archive = parse_zip(data, found.budget.limits)
    part = Part(PartKind.BUNDLE, "", hashlib.sha256(data).hexdigest(), len(data), found.origin)
    problems: list[Problem] = []
    if archive.incomplete:
        problems.append(Problem(ProblemCode.ARCHIVE_DAMAGED, found.origin, archive.incomplete))
    names = [entry.name for entry in archive.entries if not entry.is_directory]
    facts: list[FactBatch] = [batch(FactKind.FILE, found.origin, names)]
    manifests = _read_manifests(found, archive, facts, problems)
    code = CodeScan(found.budget)
    scan_members(data, archive, found.origin, find_members(archive, found.origin, found.budget), code)
    manifest = manifests.get("base") or next(iter(manifests.values()), None)
    if manifest is not None and manifest.has_code and code.dex_seen == 0:
        detail = "hasCode is not false, yet there is no DEX file"
        problems.append(Problem(ProblemCode.CODE_ABSENT, found.origin, detail))
    labels = _resolve(found, archive, manifest.label if manifest is not None else None, problems)
    version = _resolve(found, archive, manifest.version_name if manifest is not None else None, problems)
    app = App(
        platform=Platform.ANDROID,
        app_id=manifest.package if manifest is not None else "",
        origin=found.origin,
        build=build_key([part]),
        version=default_text(version),
        version_code=manifest.version_code if manifest is not None else "",
        label=default_text(labels),
        labels=labels,
        min_sdk=manifest.min_sdk if manifest is not None else "",
        target_sdk=manifest.target_sdk if manifest is not None else "",
        parts=(part,),
        signing=Signing(SigningState.NOT_CHECKED, detail="a bundle is signed by an upload key, not by the app's"),
        parent=found.parent,
    )
    return Extraction(app, (*facts, *code.facts), tuple(distinct((*problems, *code.problems)))), tuple(code.nested)


def _read_manifests(
    found: AndroidBundle, archive: Archive, facts: list[FactBatch], problems: list[Problem]
) -> dict[str, Manifest]:
    manifests: dict[str, Manifest] = {}
    limits = found.budget.limits
    for name in sorted({entry.name for entry in archive.entries}):
        match = _MANIFEST.fullmatch(name)
        entry = archive.find(name) if match is not None else None
        if match is None or entry is None:
            continue
        place = found.origin.child(name)
        try:
            manifest = read_manifest(archive.read(entry, limits.manifest_size), limits)
        except FormatError as error:
            problems.append(Problem(ProblemCode.MANIFEST_DAMAGED, place, str(error)))
            continue
        manifests[match.group(1)] = manifest
        facts.extend(manifest_facts(manifest, place))
    return manifests


def _resolve(
    found: AndroidBundle, archive: Archive, text: Text | None, problems: list[Problem]
) -> tuple[tuple[str, str], ...]:
    if text is None:
        return ()
    entry = archive.find("base/resources.pb")
    try:
        table = None
        if entry is not None and text.literal is None:
            table = parse_proto_resources(archive.read(entry, found.budget.limits.resource_size), found.budget.limits)
        return text.values(table)
    except AuditorError as error:
        place = found.origin.child("base/resources.pb")
        problems.append(Problem(ProblemCode.RESOURCES_DAMAGED, place, str(error)))
        return ()
