"""Runs inside the peer's own environment: what exodus-core sees in one APK, as JSON on standard output.

python peer_exodus.py RULES.json APP.apk

exodus-core fetches its rules from the network on every run; here they come from a file, all else is its own code.
"""

from __future__ import annotations

import json
import sys
from collections import namedtuple


def main() -> int:
    from exodus_core.analysis.static_analysis import StaticAnalysis  # type: ignore[import-not-found]

    rules_path, app_path = sys.argv[1:]
    analysis = StaticAnalysis(app_path)
    with open(rules_path, encoding="utf-8") as stream:
        rules = json.load(stream)["trackers"]
    tracker = namedtuple("tracker", ("id", "name", "code_signature"))
    analysis.signatures = [tracker(rule["id"], rule["name"], rule["code_signature"]) for rule in rules.values()]
    analysis._compile_signatures()
    classes = sorted(analysis.get_embedded_classes())
    trackers = sorted(found.name for found in analysis.detect_trackers())
    json.dump({"classes": classes, "trackers": trackers}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
