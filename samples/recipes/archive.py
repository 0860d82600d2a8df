"""Deterministic zip files: fixed dates, given order, given method."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

DATE = (2020, 1, 1, 0, 0, 0)


def entry(name: str, *, stored: bool = False) -> zipfile.ZipInfo:
    """Describe one member with a fixed date."""
    described = zipfile.ZipInfo(name, DATE)
    described.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    described.external_attr = (0o755 if name.endswith("/") else 0o644) << 16
    return described


def pack(members: Mapping[str, bytes], *, stored: tuple[str, ...] = (), all_stored: bool = False) -> bytes:
    """Write members in the order given; names that end with one of ``stored`` stay uncompressed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            plain = all_stored or (bool(stored) and name.endswith(stored))
            archive.writestr(entry(name, stored=plain), data, compresslevel=9)
    return buffer.getvalue()


def unpack(data: bytes) -> dict[str, bytes]:
    """Read every member, in stored order."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {item.filename: archive.read(item) for item in archive.infolist()}
