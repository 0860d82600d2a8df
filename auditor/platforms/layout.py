"""What an archive is, by the names in it: an APK, an app bundle, a carrier of iOS applications, or none of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from auditor.errors import FormatError
from auditor.formats.zip import Archive

_IOS_ROOT = re.compile(r"((?:.*/)?[^/]+\.app)/Info\.plist", re.DOTALL)
_IOS_PAYLOAD = re.compile(r"((?:.*/)?payload/[^/]+\.app)/.*", re.DOTALL | re.IGNORECASE)
_AAB_MANIFEST = re.compile(r"[^/]+/manifest/AndroidManifest\.xml")


def is_apk(archive: Archive) -> bool:
    """Whether an archive has an Android manifest and is no library (.aar), whose manifest is plain text."""
    entry = archive.find("AndroidManifest.xml")
    if entry is None or archive.find("classes.jar") is None or archive.find("classes.dex") is not None:
        return entry is not None
    try:
        head = next(archive.chunks(entry, 64), b"")
    except FormatError:
        return True
    return not head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def is_app_bundle(names: Collection[str]) -> bool:
    """Whether the names are those of an Android App Bundle (.aab)."""
    return "BundleConfig.pb" in names or any(_AAB_MANIFEST.fullmatch(name) for name in names)


def ios_roots(names: Iterable[str]) -> tuple[str, ...]:
    """The outermost application bundles of an archive: watch apps and clips inside them are parts, not roots.

    In the payload of an IPA a bundle counts without its Info.plist, too: else the watch app inside would pass for it.
    """
    found = {
        match.group(1)
        for name in names
        for match in (_IOS_ROOT.fullmatch(name), _IOS_PAYLOAD.fullmatch(name))
        if match is not None
    }
    roots: list[str] = []
    # By steps, not by characters: only so does everything inside a bundle come right behind it.
    for root in sorted(found, key=lambda name: name.split("/")):
        if not roots or not root.startswith(f"{roots[-1]}/"):
            roots.append(root)
    return tuple(roots)
