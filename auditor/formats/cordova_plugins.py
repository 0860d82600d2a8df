"""Read the plugin lists of Cordova, Ionic and Capacitor: what an app's build wrote down about its plugins.

Format: cordova_plugins.js as cordova-lib writes it (a module that exports a list of scripts with their pluginId, and
the versions as ``metadata``); config.xml of cordova-android and cordova-ios (``feature`` elements with the native class
as ``param``); capacitor.plugins.json and capacitor.config.json of the Capacitor CLI.

Not read: scripts of the plugins, preferences, access rules, settings of plugins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.errors import FormatError
from auditor.formats.android_xml import Document, attribute_text, parse_text_xml
from auditor.formats.axml import parse_axml
from auditor.formats.blob import Blob
from auditor.formats.json_text import items_of, parse_json, text_of
from auditor.limits import DEFAULT, Limits

_NAME = rb"[\"']((?:@[\w.-]{1,100}/)?[\w.-]{1,214})[\"']"
_PLUGIN_ID = re.compile(rb"\bpluginId[\"']?\s*:\s*" + _NAME)
_METADATA = re.compile(rb"\.metadata\s*=\s*(?://[^\n]{0,200}\n\s*){0,8}+(\{[^{}]*\})")
_VERSION = re.compile(_NAME + rb"\s*:\s*[\"']([^\"']{0,100})[\"']")
_EXPORTS = re.compile(rb"\bexports\s*=\s*\[")
_CLASS = frozenset({"android-package", "ios-package"})


@dataclass(frozen=True, slots=True)
class PluginList:
    """The plugins a file names."""

    plugins: tuple[str, ...]
    """Package names, ascending."""
    names: tuple[str, ...] = ()
    """Names and classes of the native side, ascending."""
    versions: tuple[tuple[str, str], ...] = ()
    """(package, version) pairs where the file states them, ascending."""


def parse_cordova_plugins(data: Blob, limits: Limits = DEFAULT) -> PluginList:
    """Read cordova_plugins.js.

    Raises:
        FormatError: no plugin list, or one that is cut off.
    """
    text = bytes(data)
    exports = _EXPORTS.search(text)
    if exports is None or text.find(b"]", exports.end()) < 0:
        raise FormatError("no plugin list of Cordova, or one that is cut off")
    metadata = _METADATA.search(text)
    versions = {} if metadata is None else {_text(name): _text(version) for name, version in _pairs(metadata)}
    plugins = {_text(match.group(1)) for match in _PLUGIN_ID.finditer(text)} | versions.keys()
    return PluginList(tuple(sorted(plugins)), versions=tuple(sorted(versions.items())))


def _pairs(metadata: re.Match[bytes]) -> Iterator[tuple[bytes, bytes]]:
    for match in _VERSION.finditer(metadata.group(1)):
        yield match.group(1), match.group(2)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")


def parse_config_xml(data: Blob, limits: Limits = DEFAULT) -> PluginList | None:
    """Read the features of a config.xml, binary or plain; None where the document is no widget's.

    Raises:
        FormatError: neither form of XML.
    """
    document = _parse_xml(data, limits)
    if document.root.name != "widget":
        return None
    names: set[str] = set()
    for feature in document.root.children:
        if feature.name != "feature":
            continue
        names.add(attribute_text(feature, "name"))
        classes = (item for item in feature.children if attribute_text(item, "name") in _CLASS)
        names.update(attribute_text(item, "value") for item in classes)
    names.discard("")
    return PluginList((), names=tuple(sorted(names)))


def _parse_xml(data: Blob, limits: Limits) -> Document:
    if data[:2] == b"\x03\x00":
        return parse_axml(data, limits)
    return parse_text_xml(bytes(data), limits)


def parse_capacitor_plugins(data: Blob, limits: Limits = DEFAULT) -> PluginList:
    """Read capacitor.plugins.json: a list of packages with the class that each registers.

    Raises:
        FormatError: no JSON, or no list.
    """
    value = parse_json(data, limits)
    if not isinstance(value, list):
        raise FormatError("a plugin list of Capacitor that is no list")
    plugins = {text_of(item, "pkg") for item in value} - {""}
    names = {text_of(item, "classpath") for item in value} - {""}
    return PluginList(tuple(sorted(plugins)), names=tuple(sorted(names)))


def parse_capacitor_config(data: Blob, limits: Limits = DEFAULT) -> PluginList:
    """Read capacitor.config.json: the plugins it includes and, on iOS, the classes to register.

    Raises:
        FormatError: no JSON, or no object.
    """
    value = parse_json(data, limits)
    if not isinstance(value, dict):
        raise FormatError("a configuration of Capacitor that is no object")
    included = [*items_of(value, "includePlugins")]
    for platform in ("android", "ios"):
        included += items_of(value.get(platform), "includePlugins")
    plugins = {item for item in included if isinstance(item, str)}
    names = {item for item in items_of(value, "packageClassList") if isinstance(item, str)}
    return PluginList(tuple(sorted(plugins)), names=tuple(sorted(names)))
