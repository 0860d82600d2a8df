"""Readers of frameworks that carry JavaScript: React Native, Cordova, Capacitor, uni-app, mini-programs."""

from __future__ import annotations

from auditor.errors import FormatError
from auditor.formats.blob import Blob
from auditor.formats.cordova_plugins import (
    PluginList,
    parse_capacitor_config,
    parse_capacitor_plugins,
    parse_config_xml,
    parse_cordova_plugins,
)
from auditor.formats.hermes import is_hermes, parse_hermes
from auditor.formats.js_bundle import is_ram_bundle, parse_js_bundle
from auditor.formats.uni_app import UniApp, parse_dcloud_properties, parse_uni_manifest, parse_uniplugins
from auditor.formats.wxapkg import is_wxapkg, parse_wxapkg
from auditor.limits import Limits
from auditor.model import SortedValues
from auditor.platforms.wrapper_reader import WrapperFacts, WrapperReader

_BUNDLES = (".jsbundle", "index.android.bundle")
_METRO = b"var __BUNDLE_STA"
"""How a bundle of Metro begins: __BUNDLE_START_TIME__, cut to what is looked at of a member."""


def _wants_hermes(_path: str, head: bytes) -> bool:
    return is_hermes(head)


def _read_hermes(data: Blob, _path: str, limits: Limits) -> WrapperFacts:
    found = parse_hermes(data, limits)
    return WrapperFacts("hermes", found.packages, found.strings, found.faults)


def _wants_bundle(path: str, head: bytes) -> bool:
    if head.startswith(_METRO) or path.endswith(_BUNDLES):
        return True
    if path.endswith(".js"):
        return "/js-modules/" in path
    # The file that marks a folder of modules has the magic number of a RAM bundle, and nothing else.
    return is_ram_bundle(head) and not path.endswith("/UNBUNDLE")


def _read_bundle(data: Blob, _path: str, limits: Limits) -> WrapperFacts:
    found = parse_js_bundle(data, limits)
    return WrapperFacts("react-native", found.packages, found.strings, found.faults)


def _wants_cordova(path: str, _head: bytes) -> bool:
    return path.endswith("/cordova_plugins.js")


def _listed(framework: str, found: PluginList) -> WrapperFacts:
    return WrapperFacts(framework, found.plugins, SortedValues(found.names))


def _read_cordova(data: Blob, _path: str, limits: Limits) -> WrapperFacts:
    return _listed("cordova", parse_cordova_plugins(data, limits))


def _wants_config(path: str, _head: bytes) -> bool:
    return path == "config.xml" or path.endswith("res/xml/config.xml")


def _read_config(data: Blob, _path: str, limits: Limits) -> WrapperFacts | None:
    try:
        found = parse_config_xml(data, limits)
    except FormatError:
        # Many apps have a file of this name; a fault is one of Cordova only where Cordova's root element is named.
        text = bytes(data)
        if b"widget" in text or "widget".encode("utf-16-le") in text:
            raise
        return None
    return None if found is None else _listed("cordova", found)


def _wants_capacitor(path: str, _head: bytes) -> bool:
    return path.endswith(("capacitor.plugins.json", "capacitor.config.json"))


def _read_capacitor(data: Blob, path: str, limits: Limits) -> WrapperFacts:
    parse = parse_capacitor_plugins if path.endswith("plugins.json") else parse_capacitor_config
    return _listed("capacitor", parse(data, limits))


def _wants_uni_app(path: str, _head: bytes) -> bool:
    if path.endswith("/www/manifest.json"):
        return "apps/__UNI__" in path or "apps/H5" in path
    return path.endswith(("dcloud_uniplugins.json", "dcloud_properties.xml"))


def _read_uni_app(data: Blob, path: str, limits: Limits) -> WrapperFacts:
    if path.endswith("manifest.json"):
        found = parse_uni_manifest(data, limits)
    elif path.endswith(".xml"):
        found = parse_dcloud_properties(data, limits)
    else:
        found = parse_uniplugins(data, limits)
    return _modules(found)


def _modules(found: UniApp) -> WrapperFacts:
    return WrapperFacts("uni-app", found.modules, SortedValues(found.classes))


def _wants_uni_script(path: str, _head: bytes) -> bool:
    return path.endswith("/www/app-service.js") and "apps/__UNI__" in path


def _read_uni_script(data: Blob, _path: str, limits: Limits) -> WrapperFacts:
    return WrapperFacts("uni-app", (), parse_js_bundle(data, limits).strings)


def _wants_mini_program(path: str, head: bytes) -> bool:
    return is_wxapkg(head) and path.endswith((".wxapkg", ".wxvpkg"))


def _read_mini_program(data: Blob, _path: str, limits: Limits) -> WrapperFacts:
    found = parse_wxapkg(data, limits)
    return WrapperFacts("mini-program", found.plugins, found.strings, found.faults)


READERS: tuple[WrapperReader, ...] = (
    WrapperReader(_wants_hermes, _read_hermes),
    WrapperReader(_wants_bundle, _read_bundle),
    WrapperReader(_wants_cordova, _read_cordova, "manifest_size"),
    WrapperReader(_wants_config, _read_config, "manifest_size"),
    WrapperReader(_wants_capacitor, _read_capacitor, "manifest_size"),
    WrapperReader(_wants_uni_app, _read_uni_app, "manifest_size"),
    WrapperReader(_wants_uni_script, _read_uni_script),
    WrapperReader(_wants_mini_program, _read_mini_program),
)
