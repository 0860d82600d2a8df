"""Reads the small text files in which Java libraries state their version: one version, or Java properties.

Specification: java.util.Properties.load; file names as the Android Gradle plugin, Maven and Play services write them.
Not read: continued lines, escapes; properties files under other names
"""

from __future__ import annotations

import re

from auditor.errors import FormatError, LimitError
from auditor.formats.blob import Blob

MAX_SIZE = 4096
"""No file that states one version is larger."""
_RESOURCES = "root"
"""Folder of a bundle's module in which Java resources lie."""
_PATH = re.compile(
    r"(?:.*/)?META-INF/(?P<name>[^/]+)\.version"
    r"|(?:.*/)?META-INF/maven/(?P<group>[^/]+)/(?P<artifact>[^/]+)/pom\.properties"
    r"|(?:.*/)?META-INF/com/android/build/gradle/(?P<gradle>app-metadata)\.properties"
    # Play services and Firebase put theirs beside the packages of the Java resources.
    rf"|(?:[^/]+/{_RESOURCES}/)?(?P<client>[^/]+)\.properties"
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+_-]{0,99}")
_PROPERTY = re.compile(r"[ \t\f]*([^#!=: \t\f][^=: \t\f]*)[ \t\f]*[=: \t\f][ \t\f]*(.*)")


def is_version_file(path: str) -> bool:
    """Whether a file of this name may state a version."""
    return path.endswith((".version", ".properties")) and _PATH.fullmatch(path) is not None


def parse_version_file(path: str, data: Blob) -> str | None:
    """What the file states, as ``NAME VERSION``; None where it is another text.

    Raises:
        LimitError: more bytes than any such file has.
        FormatError: no file of this name states a version.
    """
    if len(data) > MAX_SIZE:
        raise LimitError(f"{len(data)} bytes where a version file has at most {MAX_SIZE}")
    found = _PATH.fullmatch(path)
    if found is None:
        raise FormatError("no file of this name states a version")
    text = bytes(data[:]).decode("latin-1")
    if found["name"] is not None:
        return _stated(found["name"], text.strip())
    values = _properties(text)
    if found["artifact"] is not None:
        group, artifact = found["group"], found["artifact"]
        if not _NAME.fullmatch(group):
            return None
        stated = _stated(artifact, values.get("version", ""))
        return None if stated is None else f"{group}:{stated}"
    if found["gradle"] is not None:
        return _stated("android-gradle-plugin", values.get("androidGradlePluginVersion", ""))
    # Any library may have a file with a key "version"; only these name themselves as the client of it.
    return _stated(found["client"], values.get("version", "")) if values.get("client") == found["client"] else None


def _stated(name: str, version: str) -> str | None:
    return f"{name} {version}" if _NAME.fullmatch(name) and _VERSION.fullmatch(version) else None


def _properties(text: str) -> dict[str, str]:
    """The keys and values; of a repeated key the last value counts."""
    values = {}
    for line in re.split(r"\r\n|\r|\n", text):
        found = _PROPERTY.fullmatch(line)
        if found is not None:
            values[found[1]] = found[2].rstrip()
    return values
