"""The JSON form of the merged truth of a device."""

from __future__ import annotations

import json
from typing import Any

from auditor.model import DeviceApp, DeviceSource, Match, MergedDevice, Role, Verdict
from auditor.report.inert import json_inert

SCHEMA = "auditor/device/1"
_WORDS = {
    Verdict.PRESENT: "present",
    Verdict.NOT_FOUND: "not found",
    Verdict.UNKNOWN: "not proven absent",
}


def render_device_json(device: MergedDevice) -> str:
    """One document, indented."""
    document = {
        "schema": SCHEMA,
        "device": device.id,
        "attributes": dict(device.attributes),
        "users": [{"user": user.id, "profile": user.profile} for user in device.users],
        "verdicts": {subject: _WORDS[verdict] for subject, verdict in device.verdicts},
        "open_reasons": list(device.open_reasons),
        "conflicts": list(device.conflicts),
        "apps": [_app(app) for app in device.apps],
        "sources": [_source(source) for source in device.sources],
    }
    return json_inert(json.dumps(document, ensure_ascii=False, indent=2)) + "\n"


def _app(app: DeviceApp) -> dict[str, Any]:
    return {
        "platform": app.platform.value,
        "app_id": app.app_id,
        "label": app.label,
        "present": app.is_present,
        "states": [{"user": user, "state": state.value} for user, state in app.states],
        "versions": list(app.versions),
        "signers": list(app.signers),
        "installers": list(app.installers),
        "first_seen": app.first_seen,
        "last_seen": app.last_seen,
        "sources": list(app.sources),
        "builds": list(app.builds),
        "code_seen": app.code_seen,
        "factory_copy_unseen": app.shadowed_unseen,
        "subjects": [_subject(match) for match in app.matches],
        "unknown": list(app.unknown),
        "notes": list(app.notes),
        "conflicts": list(app.conflicts),
    }


def _subject(match: Match) -> dict[str, Any]:
    return {
        "subject": match.subject,
        "role": match.role.value,
        "grade": match.grade.value,
        "relation": None if match.relation is None else match.relation.value,
        "version": match.version if match.role is Role.SDK else "",
        "detail": match.detail,
    }


def _source(source: DeviceSource) -> dict[str, Any]:
    return {
        "name": source.name,
        "origin": str(source.origin),
        "scan": source.scan,
        "when": source.when,
        "completeness": source.completeness.value,
        "detail": source.detail,
        "apps": source.apps,
    }
