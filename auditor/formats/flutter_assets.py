"""Reads what lies in a flutter_assets folder and names Dart packages: licences, asset manifests, kernel files.

Format: flutter_tools (license_collector.dart, asset.dart) and pkg/kernel/binary.md of the Dart SDK. NOTICES names every
package of the app, also where the code is obfuscated; packages that only the build needed may stand there, too.
Not read: texts of licences; assets; the structure of a kernel file, of which URIs of libraries are searched.
"""

from __future__ import annotations

import re

from auditor.errors import FormatError, LimitError
from auditor.formats.blob import Blob
from auditor.formats.compressed import is_compressed, unpack_chunks
from auditor.limits import DEFAULT, KIB, Limits

_KERNEL_MAGIC = b"\x90\xab\xcd\xef"
_SEPARATOR = b"\n" + b"-" * 80 + b"\n"
_HEAD_SIZE = 64 * KIB
"""Bytes kept of the names that one licence holds for."""
_NAME = re.compile(rb"[a-z_][a-z0-9_]{0,63}")
_LIBRARY = re.compile(rb"package:([a-z_][a-z0-9_]{0,63})/")
_ASSET = re.compile(rb"packages/([a-z_][a-z0-9_]{0,63})/")


def parse_notices(data: Blob, limits: Limits = DEFAULT) -> tuple[str, ...]:
    """Names of packages in NOTICES or NOTICES.Z, ascending.

    The engine's own parts are named among them where their names could be those of Dart packages.

    Raises:
        LimitError: it unpacks to more than ``limits.manifest_size``, or names more than ``limits.xml_elements``.
        FormatError: it is damaged, or no list of licences.
    """
    unpacked = _unpack(data, limits.manifest_size).replace(b"\r\n", b"\n")
    names: set[bytes] = set()
    for section in unpacked.split(_SEPARATOR):
        # Each licence begins with the names it holds for, one to a line, and an empty line.
        head, blank, _ = section.partition(b"\n\n")
        if blank:
            names.update(line for line in head[:_HEAD_SIZE].split(b"\n") if _NAME.fullmatch(line))
            if len(names) > limits.xml_elements:
                raise LimitError(f"more than {limits.xml_elements} packages with a licence; raise --limit xml_elements")
    if not names:
        raise FormatError("no list of licences: no package is named", 0)
    return tuple(sorted(name.decode("ascii") for name in names))


def parse_asset_manifest(data: Blob, limits: Limits = DEFAULT) -> tuple[str, ...]:
    """Packages that bring assets, from AssetManifest.json, .bin or .bin.json, ascending.

    Raises:
        LimitError: more than ``limits.manifest_size`` bytes.
    """
    _check_size(len(data), limits.manifest_size)
    return _names(_ASSET, data)


def is_kernel(head: Blob) -> bool:
    """Whether the bytes begin like a Dart kernel file."""
    return bytes(head[:4]) == _KERNEL_MAGIC


def parse_kernel(data: Blob) -> tuple[str, ...]:
    """Packages whose libraries a kernel file (kernel_blob.bin of a debug build) holds or imports, ascending.

    Raises:
        FormatError: no kernel file.
    """
    if not is_kernel(data):
        raise FormatError("no Dart kernel file", 0)
    return _names(_LIBRARY, data)


def _names(pattern: re.Pattern[bytes], data: Blob) -> tuple[str, ...]:
    return tuple(sorted(name.decode("ascii") for name in {match[1] for match in pattern.finditer(data)}))


def _unpack(data: Blob, limit: int) -> bytes:
    _check_size(len(data), limit)
    if not is_compressed(data):
        return bytes(data[:])
    chunks = []
    size = 0
    for chunk in unpack_chunks(data):
        size += len(chunk)
        _check_size(size, limit)
        chunks.append(chunk)
    return b"".join(chunks)


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise LimitError(f"more than {limit} bytes of licences or asset names; raise --limit manifest_size")
