"""Read what a uni-app (DCloud, HTML5+) says of its native modules.

Format: manifest.json inside a packaged app (``plus.distribute.plugins`` and ``sdkConfigs``, ``permissions``) as the
HTML5+ documentation describes it; dcloud_properties.xml (``feature`` elements with ``module`` elements inside) and
dcloud_uniplugins.json (``nativePlugins``) of the offline SDK.

Not read: pages, network settings, keys of the vendors' accounts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from auditor.errors import FormatError
from auditor.formats.android_xml import attribute_text, parse_text_xml
from auditor.formats.axml import parse_axml
from auditor.formats.blob import Blob
from auditor.formats.json_text import items_of, parse_json, text_of
from auditor.limits import DEFAULT, Limits

_GROUPS = ("payment", "oauth", "share", "push", "statics", "ad", "maps", "speech", "geolocation")
"""Groups of SDKs in sdkConfigs."""


@dataclass(frozen=True, slots=True)
class UniApp:
    """The native modules a file names."""

    modules: tuple[str, ...]
    """GROUP.NAME in lower case (payment.weixin), or the name of a module or plugin without group; ascending."""
    classes: tuple[str, ...] = ()


def parse_uni_manifest(data: Blob, limits: Limits = DEFAULT) -> UniApp:
    """Read manifest.json.

    Raises:
        FormatError: no JSON, or no object.
    """
    value = parse_json(data, limits, comments=True)
    if not isinstance(value, dict):
        raise FormatError("a manifest of uni-app that is no object")
    found: set[str] = set()
    for key in ("plus", "app-plus"):
        part = value.get(key)
        distribute = part.get("distribute") if isinstance(part, dict) else None
        for source in (part, distribute):
            found.update(_modules(source))
    return UniApp(tuple(sorted(found)))


def _modules(source: object) -> Iterator[str]:
    if not isinstance(source, dict):
        return
    for key in ("plugins", "sdkConfigs"):
        groups = source.get(key)
        for group in _GROUPS:
            names = groups.get(group) if isinstance(groups, dict) else None
            if isinstance(names, dict):
                yield from (_module(group, name) for name in names if name)
    modules = source.get("modules")
    if isinstance(modules, dict):
        yield from (name for name in modules if name)


def parse_dcloud_properties(data: Blob, limits: Limits = DEFAULT) -> UniApp:
    """Read dcloud_properties.xml, plain or binary.

    Raises:
        FormatError: neither form of XML.
    """
    document = parse_axml(data, limits) if data[:2] == b"\x03\x00" else parse_text_xml(bytes(data), limits)
    modules: set[str] = set()
    classes: set[str] = set()
    pending = [document.root]
    while pending:
        element = pending.pop()
        pending.extend(element.children)
        if element.name != "feature":
            continue
        group = attribute_text(element, "name")
        inner = [item for item in element.children if item.name == "module"]
        modules.update(_module(group, attribute_text(item, "name")) for item in inner)
        modules.add(group)
        classes.update(attribute_text(item, "value") for item in (element, *inner))
    return UniApp(tuple(sorted(modules - {""})), tuple(sorted(classes - {""})))


def _module(group: str, name: str) -> str:
    """OAuth-Weixin of OAuth is what the manifest calls oauth.weixin."""
    group = group.lower()
    return f"{group}.{name.lower().removeprefix(f'{group}-')}"


def parse_uniplugins(data: Blob, limits: Limits = DEFAULT) -> UniApp:
    """Read dcloud_uniplugins.json.

    Raises:
        FormatError: no JSON, or no object.
    """
    value = parse_json(data, limits)
    if not isinstance(value, dict):
        raise FormatError("a plugin list of uni-app that is no object")
    plugins = [inner for item in items_of(value, "nativePlugins") for inner in items_of(item, "plugins")]
    modules = {text_of(item, "name") for item in plugins} - {""}
    return UniApp(tuple(sorted(modules)), tuple(sorted({text_of(item, "class") for item in plugins} - {""})))
