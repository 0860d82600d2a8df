"""Names that promise an app."""

from __future__ import annotations

APP_SUFFIXES = (".apk", ".apks", ".xapk", ".apkm", ".aab", ".ipa", ".zip")
"""Names that promise an app: such a file is answered for even when it turns out to be none."""
