"""Read the log of iOS's installer: which apps were installed and removed, and when.

Format: mobile_installation.log.N of installd, lines of text in local time; not published by Apple.

Not read: failures, profiles, plug-ins and groups, the steps between the beginning and the end of an installation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from auditor.errors import LimitError
from auditor.formats.blob import Blob
from auditor.limits import DEFAULT, Limits

_ID = rb"([A-Za-z0-9][\w.\-]{0,254})"
_PREFIX = rb"^(?:\w{3} )?(\w{3}) +(\d{1,2}) (\d\d:\d\d:\d\d) (\d{4})\b"
_LINE = re.compile(_PREFIX + rb"[^\n]*", re.MULTILINE)
_INSTALLED = re.compile(rb"\bInstall Successful for [(\[]?(?:\w+:)?" + _ID)
_REMOVED = re.compile(rb"\bUninstalling identifier [(\[]?(?:\w+:)?" + _ID)
_DESTROYED = re.compile(
    rb"\bDestroying container (?:with identifier )?[(\[]?(?:\w+:)?" + _ID + rb"[^\n]{0,512}/Bundle/Application/"
)
_BUNDLE = re.compile(
    rb"<MIInstallableBundle[^>]{0,256}\bID=" + _ID + rb"; Version=([^,;>]{0,64})(?:, ShortVersion=([^,;>]{0,64}))?"
)
_LINE_SIZE = 2048
_MONTHS = {
    name: number
    for number, name in enumerate(
        (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"), 1
    )
}


@dataclass(frozen=True, slots=True)
class InstallHistory:
    """What one log says of one app; times are local, ISO 8601 without a mark; empty: the log does not say."""

    app_id: str
    offset: int
    """Of the last line that tells of it."""
    first_installed: str = ""
    last_installed: str = ""
    removed: str = ""
    """Last removal."""
    version: str = ""
    version_code: str = ""

    @property
    def gone(self) -> bool:
        """Whether the last that the log tells of it is its removal."""
        return bool(self.removed) and self.removed >= self.last_installed


def is_install_log(head: bytes) -> bool:
    """Whether bytes start as such a log."""
    return _LINE.search(head[:4096]) is not None


def parse_install_log(data: Blob, limits: Limits = DEFAULT) -> tuple[InstallHistory, ...]:
    """Read the history of every app a log names, ascending by id.

    Raises:
        LimitError: it is larger than ``limits`` allow.
    """
    if len(data) > limits.manifest_size:
        raise LimitError(f"log of {len(data)} bytes; raise --limit manifest_size")
    found: dict[str, InstallHistory] = {}
    for line in _LINE.finditer(data):
        if len(found) > limits.record_listings:
            raise LimitError(f"a log of more than {limits.record_listings} apps; raise --limit record_listings")
        # The words that matter come early; a line without end must not be searched from every place in it.
        body, when = line.group()[:_LINE_SIZE], _moment(line)
        if (match := _BUNDLE.search(body)) is not None:
            app = _app(found, match.group(1), line.start())
            code, version = (_text(item or b"") for item in match.group(2, 3))
            found[app.app_id] = replace(app, version=version, version_code=code)
        if (match := _INSTALLED.search(body)) is not None:
            app = _app(found, match.group(1), line.start())
            found[app.app_id] = replace(app, first_installed=app.first_installed or when, last_installed=when)
        elif (match := _REMOVED.search(body) or _DESTROYED.search(body)) is not None:
            app = _app(found, match.group(1), line.start())
            found[app.app_id] = replace(app, removed=when)
    return tuple(found[name] for name in sorted(found))


def _app(found: dict[str, InstallHistory], name: bytes, offset: int) -> InstallHistory:
    app_id = _text(name).rstrip(".")
    return replace(found.get(app_id, InstallHistory(app_id, offset)), offset=offset)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").strip()


def _moment(line: re.Match[bytes]) -> str:
    month, day, time, year = line.group(1, 2, 3, 4)
    number = _MONTHS.get(month)
    if number is None:
        return ""
    return f"{int(year):04}-{number:02}-{int(day):02}T{_text(time)}"
