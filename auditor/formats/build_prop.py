"""Reads the properties of an Android build: build.prop, and what getprop prints of them.

Format: property files of AOSP's init (``key=value``, ``#`` before comments), ``[key]: [value]`` of toolbox getprop;
keys as in build/make and ro.product.property_source_order.

Not read: any property but those that tell device and build; imports of other files; values of vendor partitions that
speak of the vendor's own build (a newer system runs above an older vendor partition).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from auditor.errors import FormatError, LimitError
from auditor.formats.blob import Blob
from auditor.limits import DEFAULT, Limits

_PRINTED = re.compile(r"\[([^\]\n]{1,256})\]: \[([^\n]*?)\]?")
_KEY = re.compile(r"[A-Za-z0-9_.:@-]{1,256}", re.ASCII)
_VALUE_LENGTH = 256
_LINE_LENGTH = 4096
_TEXT_LINE = re.compile(rb"[^\n]+")
_PRODUCT = ("ro.product.", "ro.product.odm.", "ro.product.vendor.", "ro.product.product.", "ro.product.system_ext.")
_BUILD = ("ro.", "ro.product.", "ro.system_ext.", "ro.system.")
_GENERIC = frozenset({"generic", "mainline", "android"})


def _product(name: str) -> tuple[str, ...]:
    return (*(prefix + name for prefix in _PRODUCT), f"ro.product.system.{name}")


def _build(name: str) -> tuple[str, ...]:
    return tuple(prefix + name for prefix in _BUILD)


_ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    "manufacturer": _product("manufacturer"),
    "brand": _product("brand"),
    "model": _product("model"),
    "device": _product("device"),
    "os_version": _build("build.version.release"),
    "sdk": _build("build.version.sdk"),
    "security_patch": ("ro.build.version.security_patch",),
    "os_build": _build("build.id"),
    "fingerprint": _build("build.fingerprint"),
    "serial": ("ro.serialno", "ro.boot.serialno"),
}
_WANTED = frozenset(key for keys in _ATTRIBUTES.values() for key in keys)


def is_build_properties(head: bytes) -> bool:
    """Tell whether bytes begin like a property file or the output of getprop."""
    for line in head.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").splitlines():
        text = line.strip()
        if text and not text.startswith(("#", "import ")):
            key, separator, _ = text.partition("=")
            return _PRINTED.fullmatch(text) is not None or bool(
                separator and "." in key and _KEY.fullmatch(key.strip())
            )
    return head.lstrip().startswith(b"#")


def parse_build_properties(data: Blob, limits: Limits = DEFAULT) -> dict[str, str]:
    """Read the properties that tell device and build, the first of each key; of other keys nothing is kept.

    Raises:
        FormatError: no line is a property.
        LimitError: it is larger than ``Limits.record_size``.
    """
    if len(data) > limits.record_size:
        raise LimitError(f"properties of {len(data)} bytes; raise --limit record_size")
    found: dict[str, str] = {}
    seen = False
    for number, line in enumerate(_TEXT_LINE.finditer(data)):
        if number >= limits.record_elements:
            raise LimitError(f"more than {limits.record_elements} properties; raise --limit record_elements")
        text = bytes(data[line.start() : min(line.end(), line.start() + _LINE_LENGTH)])
        key, value = _property(text.decode("utf-8", "replace").strip())
        seen = seen or bool(key)
        if key in _WANTED and value:
            # Read-only properties keep the value they are given first.
            found.setdefault(key, value)
    if not seen:
        raise FormatError("no line is a property", 0)
    return found


def _property(line: str) -> tuple[str, str]:
    """Key and value of a line; both empty where it is none."""
    if line.startswith("["):
        printed = _PRINTED.fullmatch(line)
        return ("", "") if printed is None else (printed.group(1), _plain(printed.group(2)))
    key, separator, value = line.partition("=")
    key = key.strip()
    if line.startswith("#") or not separator or _KEY.fullmatch(key) is None:
        return "", ""
    return key, _plain(value)


def _plain(value: str) -> str:
    text = value.strip()[:_VALUE_LENGTH]
    return text if text.isprintable() else ""


def device_attributes(properties: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """(name, value) of the device, ascending, each from the first key that has one.

    A system image that fits every device calls itself generic; that tells nothing.
    """
    found = {name: _first(properties, keys) for name, keys in _ATTRIBUTES.items()}
    return tuple(sorted((name, value) for name, value in found.items() if value))


def _first(properties: Mapping[str, str], keys: Iterable[str]) -> str:
    for key in keys:
        value = properties.get(key, "")
        if value and not (key.startswith("ro.product.system.") and value.lower() in _GENERIC):
            return value
    return ""
