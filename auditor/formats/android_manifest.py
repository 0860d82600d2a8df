"""What an AndroidManifest.xml says about an app, from its binary, protobuf or plain-text form.

Spec: developer.android.com/guide/topics/manifest; lookups follow AOSP's ParsingPackageUtils: attributes by resource id,
``package``, ``split`` and ``configForSplit`` by name, only the first ``application``, unknown elements with all below.

Not read: uses-feature, supports-screens, permission-group, permission-tree, key-sets, overlay, attribution, layout.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from auditor.errors import FormatError, LimitError
from auditor.formats.android_xml import REFERENCES, Document, Element, Resolver, Value, parse_text_xml, value_text
from auditor.formats.axml import parse_axml
from auditor.formats.axml_fallback import parse_axml_with_androguard
from auditor.formats.blob import Blob
from auditor.formats.proto_xml import parse_proto_xml
from auditor.limits import DEFAULT, Limits

PACKAGE_NAME_LENGTH: Final = 255
"""The platform takes 223; a longer one would be repeated in every component's name."""

_ATTRIBUTES: Final = {
    "label": 0x01010001,
    "name": 0x01010003,
    "permission": 0x01010006,
    "sharedUserId": 0x0101000B,
    "hasCode": 0x0101000C,
    "enabled": 0x0101000E,
    "debuggable": 0x0101000F,
    "exported": 0x01010010,
    "process": 0x01010011,
    "authorities": 0x01010018,
    "targetPackage": 0x01010021,
    "value": 0x01010024,
    "resource": 0x01010025,
    "scheme": 0x01010027,
    "host": 0x01010028,
    "targetActivity": 0x01010202,
    "minSdkVersion": 0x0101020C,
    "versionCode": 0x0101021B,
    "versionName": 0x0101021C,
    "targetSdkVersion": 0x01010270,
    "maxSdkVersion": 0x01010271,
    "installLocation": 0x010102B7,
    "isFeatureSplit": 0x0101055B,
    "compileSdkVersion": 0x01010572,
    "versionCodeMajor": 0x01010576,
    "appComponentFactory": 0x0101057A,
    "isSplitRequired": 0x01010591,
    "requiredSplitTypes": 0x0101064E,
    "splitTypes": 0x0101064F,
}
"""Resource ids of the framework's attributes; they never change."""
_INSTALL_LOCATIONS: Final = {"0": "auto", "1": "internalOnly", "2": "preferExternal"}
_KINDS: Final = frozenset({"activity", "activity-alias", "service", "receiver", "provider"})
_LIBRARIES: Final = frozenset({"uses-library", "uses-native-library", "uses-static-library", "uses-sdk-library"})
_PERMISSIONS: Final = frozenset({"uses-permission", "uses-permission-sdk-23", "uses-permission-sdk-m"})
_SPLITS_REQUIRED: Final = "com.android.vending.splits.required"


@dataclass(frozen=True, slots=True)
class Text:
    """A string for people: a literal, or a resource that holds it in several languages."""

    literal: str | None = None
    resource: int | None = None
    reference: str = ""
    """Name of the resource (``package:type/entry`` or ``type/entry``), in protobuf and plain text only."""

    def values(self, resources: Resolver | None = None) -> tuple[tuple[str, str], ...]:
        """(locale, string) pairs, ascending; empty where there is no text or ``resources`` do not know it."""
        if self.literal is not None:
            return (("", self.literal),)
        if resources is None:
            return ()
        found = () if self.resource is None else resources.resolve(self.resource)
        return found or (resources.resolve_name(self.reference) if self.reference else ())


@dataclass(frozen=True, slots=True)
class Component:
    """An activity, activity-alias, service, receiver or provider."""

    kind: str
    name: str
    """Fully qualified; ``@0x...`` where the name is a resource reference that was not resolved."""
    target: str = ""
    """Fully qualified name of the activity an alias stands for."""
    process: str = ""
    """As the platform names it: a declared ``:x`` stands after the package's name; empty: the application's."""
    exported: bool | None = None
    """None where nothing is declared."""
    enabled: bool = True
    permission: str = ""
    authorities: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    schemes: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    meta_data: tuple[str, ...] = ()
    label: Text = Text()
    launcher: bool = False
    """One of its intent filters has both MAIN and LAUNCHER."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """One manifest: of a base APK, of a split or of an app bundle's module."""

    package: str
    encoding: str = "binary"
    """binary, protobuf or text."""
    split: str = ""
    config_for_split: str = ""
    is_feature_split: bool = False
    version_code: str = ""
    """versionCodeMajor and versionCode as one decimal number."""
    version_name: Text = Text()
    label: Text = Text()
    """Of the application."""
    launcher_label: Text = Text()
    """Of the first enabled launcher activity or alias that declares one."""
    min_sdk: str = ""
    target_sdk: str = ""
    max_sdk: str = ""
    compile_sdk: str = ""
    shared_user_id: str = ""
    install_location: str = ""
    required_split_types: tuple[str, ...] = ()
    split_types: tuple[str, ...] = ()
    requires_splits: bool = False
    has_application: bool = False
    has_code: bool = True
    debuggable: bool = False
    application_class: str = ""
    application_process: str = ""
    app_component_factory: str = ""
    components: tuple[Component, ...] = ()
    permissions: tuple[str, ...] = ()
    """Requested ones."""
    declared_permissions: tuple[str, ...] = ()
    query_packages: tuple[str, ...] = ()
    query_actions: tuple[str, ...] = ()
    query_schemes: tuple[str, ...] = ()
    query_authorities: tuple[str, ...] = ()
    meta_data: tuple[tuple[str, Text], ...] = ()
    """Of the application."""
    uses_libraries: tuple[str, ...] = ()
    instrumentation_targets: tuple[str, ...] = ()
    references: tuple[int, ...] = ()
    """Resource ids used where a plain string is expected; ``read_manifest`` resolves them if given the resources."""
    anomalies: tuple[str, ...] = ()

    def of(self, kind: str) -> Iterator[Component]:
        """The components of one kind."""
        return (component for component in self.components if component.kind == kind)


def read_manifest(data: Blob, limits: Limits = DEFAULT, resources: Resolver | None = None) -> Manifest:
    """Read a manifest in whichever form it has.

    Names that are resource references are resolved with ``resources``; without it they stay ``@0x...`` and their ids
    are listed in ``references``.

    Raises:
        FormatError: it cannot be read, or names no package.
    """
    if len(data) > limits.manifest_size:
        raise LimitError(f"manifest of {len(data)} bytes is larger than {limits.manifest_size}")
    encoding, document = _read_document(bytes(data), limits)
    if document.root.name != "manifest":
        raise FormatError(f"root element is <{document.root.name[:40]}>, not <manifest>")
    return _Extractor(document, encoding, resources).manifest()


def read_root(data: Blob, limits: Limits = DEFAULT) -> Manifest:
    """Read what the root element of a manifest says, where that is cheap: package, version code, split.

    The rest may be missing; ``read_manifest`` reads it all.

    Raises:
        FormatError: it cannot be read, or names no package.
    """
    try:
        document = parse_axml(data, limits, root_only=True)
    except LimitError:
        raise
    except FormatError:
        return read_manifest(data, limits)
    if document.root.name != "manifest":
        return read_manifest(data, limits)
    return _Extractor(document, "binary", None).manifest()


def _read_document(data: bytes, limits: Limits) -> tuple[str, Document]:
    """Tell the three forms apart and read the one at hand."""
    wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    # The platform ignores the type of a binary document, so its first bytes may say anything; text holds no NUL.
    if wide or (data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<" and b"\0" not in data[:8]):
        return "text", parse_text_xml(data, limits)
    if data[:1] != b"\x0a":
        return "binary", _read_binary(data, limits)
    try:
        return "protobuf", parse_proto_xml(data, limits)
    except LimitError:
        raise
    except FormatError as error:
        try:
            return "binary", parse_axml(data, limits)
        except FormatError:
            raise error from None


def _read_binary(data: bytes, limits: Limits) -> Document:
    """Try our own reader, then androguard's."""
    try:
        return parse_axml(data, limits)
    except LimitError:
        raise
    except FormatError as error:
        try:
            return parse_axml_with_androguard(data, limits)
        except FormatError:
            raise error from None


class _Extractor:
    """Turns elements into a Manifest, with the lookups of the platform."""

    def __init__(self, document: Document, encoding: str, resources: Resolver | None) -> None:
        self._root = document.root
        self._encoding = encoding
        self._resources = resources
        self._references: dict[int, None] = {}
        self._anomalies = dict.fromkeys(document.anomalies)
        self._package = self._plain(self._root, "package")
        if not self._package:
            raise FormatError("manifest names no package")
        if len(self._package) > PACKAGE_NAME_LENGTH:
            raise LimitError(f"package name of {len(self._package)} characters")

    def manifest(self) -> Manifest:
        root = self._root
        application = self._application()
        queries = [child for child in root.children if child.name == "queries"]
        components = tuple(self._components(application))
        return Manifest(
            package=self._package,
            encoding=self._encoding,
            split=self._plain(root, "split"),
            config_for_split=self._plain(root, "configForSplit"),
            is_feature_split=self._flag(root, "isFeatureSplit") or False,
            version_code=self._version_code(),
            version_name=self._text(root, "versionName"),
            label=self._text(application, "label"),
            launcher_label=_launcher_label(components),
            min_sdk=self._uses_sdk("minSdkVersion"),
            target_sdk=self._uses_sdk("targetSdkVersion"),
            max_sdk=self._uses_sdk("maxSdkVersion"),
            compile_sdk=self._string(root, "compileSdkVersion"),
            shared_user_id=self._string(root, "sharedUserId"),
            install_location=self._install_location(),
            required_split_types=_parts(self._string(root, "requiredSplitTypes"), ","),
            split_types=_parts(self._string(root, "splitTypes"), ","),
            requires_splits=self._is_split_required(application),
            has_application=application.name == "application",
            has_code=self._flag(application, "hasCode") is not False,
            debuggable=self._flag(application, "debuggable") or False,
            application_class=self._class_name(application, "name"),
            application_process=self._process_name(application),
            app_component_factory=self._class_name(application, "appComponentFactory"),
            components=components,
            permissions=self._named(root.children, _PERMISSIONS),
            declared_permissions=self._named(root.children, {"permission"}),
            query_packages=self._unique((each, "package", "name") for each in queries),
            query_actions=self._unique((each, "action", "name") for each in _below(queries, "intent")),
            query_schemes=self._unique((each, "data", "scheme") for each in _below(queries, "intent")),
            query_authorities=self._query_authorities(queries),
            meta_data=self._meta_data(application),
            uses_libraries=self._named(application.children, _LIBRARIES),
            instrumentation_targets=self._unique(((root, "instrumentation", "targetPackage"),)),
            references=tuple(sorted(self._references)),
            anomalies=tuple(self._anomalies),
        )

    def _application(self) -> Element:
        """The first application element; the platform passes over further ones."""
        found = [child for child in self._root.children if child.name == "application"]
        if len(found) > 1:
            self._anomalies["several application elements"] = None
        return found[0] if found else Element("")

    def _find(self, element: Element, name: str) -> Value | None:
        """Look up an attribute of Android's by resource id, else by name where it has no id at all."""
        value = element.ids.get(_ATTRIBUTES[name])
        return element.names.get(f"android:{name}") if value is None else value

    def _plain(self, element: Element, name: str) -> str:
        value = element.names.get(name)
        return "" if value is None else value_text(value) or ""

    def _text(self, element: Element, name: str) -> Text:
        value = self._find(element, name)
        return Text() if value is None else _text(value)

    def _string(self, element: Element, name: str) -> str:
        """The attribute as a string, references resolved as far as resources are at hand."""
        value = self._find(element, name)
        if value is None:
            return ""
        if value.text is not None:
            return value.text
        if value.type not in REFERENCES:
            return value_text(value) or ""
        text = _text(value)
        found = text.values(self._resources)
        if found:
            return found[0][1]
        if text.resource is not None:
            self._references[text.resource] = None
            return f"@{text.resource:#010x}"
        return f"@{text.reference}" if text.reference else ""

    def _flag(self, element: Element, name: str) -> bool | None:
        """The attribute as a boolean; None where nothing usable is declared."""
        value = self._find(element, name)
        return None if value is None else _boolean(self._string(element, name))

    def _class_name(self, element: Element, name: str) -> str:
        """Qualify a class name the way the platform does (buildClassName)."""
        declared = self._string(element, name)
        if not declared or declared.startswith("@"):
            return declared
        if declared.startswith("."):
            return self._package + declared
        return declared if "." in declared else f"{self._package}.{declared}"

    def _process_name(self, element: Element) -> str:
        declared = self._string(element, "process")
        return self._package + declared if declared.startswith(":") else declared

    def _named(self, elements: Iterable[Element], kinds: Iterable[str]) -> tuple[str, ...]:
        """Names of the elements of some kinds, each once, in document order."""
        names = (self._string(each, "name") for each in elements if each.name in kinds)
        return tuple(dict.fromkeys(name for name in names if name))

    def _unique(self, wanted: Iterable[tuple[Element, str, str]]) -> tuple[str, ...]:
        """An attribute of all children of one kind, each value once, in document order."""
        found: dict[str, None] = {}
        for parent, kind, attribute in wanted:
            for child in parent.children:
                if child.name == kind:
                    found[self._string(child, attribute)] = None
        found.pop("", None)
        return tuple(found)

    def _version_code(self) -> str:
        major, minor = (_integer(self._string(self._root, name)) for name in ("versionCodeMajor", "versionCode"))
        if major is None and minor is None:
            return ""
        return str(((major or 0) & 0xFFFFFFFF) << 32 | (minor or 0) & 0xFFFFFFFF)

    def _uses_sdk(self, attribute: str) -> str:
        """The last declaration, as the platform keeps it."""
        found = [self._string(child, attribute) for child in self._root.children if child.name == "uses-sdk"]
        return next((text for text in reversed(found) if text), "")

    def _install_location(self) -> str:
        declared = self._string(self._root, "installLocation")
        return _INSTALL_LOCATIONS.get(declared, declared)

    def _is_split_required(self, application: Element) -> bool:
        if self._flag(self._root, "isSplitRequired") or self._flag(application, "isSplitRequired"):
            return True
        return any(
            child.name == "meta-data"
            and self._string(child, "name") == _SPLITS_REQUIRED
            and _boolean(self._string(child, "value")) is True
            for child in application.children
        )

    def _query_authorities(self, queries: Iterable[Element]) -> tuple[str, ...]:
        declared = self._unique((each, "provider", "authorities") for each in queries)
        return tuple(dict.fromkeys(part for text in declared for part in _parts(text, ";")))

    def _meta_data(self, element: Element) -> tuple[tuple[str, Text], ...]:
        found: list[tuple[str, Text]] = []
        for child in element.children:
            if child.name == "meta-data":
                value = self._find(child, "resource") or self._find(child, "value")
                found.append((self._string(child, "name"), Text() if value is None else _text(value)))
        return tuple(found)

    def _components(self, application: Element) -> Iterator[Component]:
        for element in application.children:
            if element.name in _KINDS:
                component = self._component(element)
                if component.name:
                    yield component
                else:
                    self._anomalies["components without a name"] = None

    def _component(self, element: Element) -> Component:
        filters = [child for child in element.children if child.name == "intent-filter"]
        actions = self._unique((each, "action", "name") for each in filters)
        return Component(
            kind=element.name,
            name=self._class_name(element, "name"),
            target=self._class_name(element, "targetActivity") if element.name == "activity-alias" else "",
            process=self._process_name(element),
            exported=self._flag(element, "exported"),
            enabled=self._flag(element, "enabled") is not False,
            permission=self._string(element, "permission"),
            authorities=_parts(self._string(element, "authorities"), ";") if element.name == "provider" else (),
            actions=actions,
            categories=self._unique((each, "category", "name") for each in filters),
            schemes=self._unique((each, "data", "scheme") for each in filters),
            hosts=self._unique((each, "data", "host") for each in filters),
            meta_data=self._named(element.children, {"meta-data"}),
            label=self._text(element, "label"),
            launcher="android.intent.action.MAIN" in actions and any(map(self._launches, filters)),
        )

    def _launches(self, intent_filter: Element) -> bool:
        actions = self._unique(((intent_filter, "action", "name"),))
        categories = self._unique(((intent_filter, "category", "name"),))
        return "android.intent.action.MAIN" in actions and "android.intent.category.LAUNCHER" in categories


def _below(parents: Iterable[Element], name: str) -> list[Element]:
    return [child for parent in parents for child in parent.children if child.name == name]


def _launcher_label(components: Iterable[Component]) -> Text:
    for component in components:
        if component.launcher and component.enabled and component.label != Text():
            return component.label
    return Text()


def _text(value: Value) -> Text:
    if value.type in REFERENCES and value.text is None:
        return Text(None, value.data if value.data != 0 else None, value.reference)
    return Text(value_text(value))


def _parts(text: str, separator: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(separator) if part.strip())


def _boolean(text: str) -> bool | None:
    """A flag as the platform takes it from a boolean, a number or a string."""
    if text in ("true", "TRUE"):
        return True
    if text in ("false", "FALSE"):
        return False
    number = _integer(text)
    return None if number is None else number != 0


def _integer(text: str) -> int | None:
    try:
        return int(text, 0) if len(text) <= 20 else None
    except ValueError:
        return None
