"""The closed vocabulary of observations, and the shape they have."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from auditor.model.origin import Origin


class Platform(StrEnum):
    ANDROID = "android"
    IOS = "ios"


class Tier(StrEnum):
    """What an observation can prove about an SDK."""

    IDENTITY = "identity"
    DECLARED = "declared"
    """Said about the app (manifest, plist): proves intent, never code."""
    CODE = "code"
    """A class, symbol, library or framework that is inside."""
    LITERAL = "literal"
    """A string constant inside code."""
    FILE = "file"
    """A file name inside the package."""
    WRAPPER = "wrapper"
    """Said by a cross-platform framework about its plugins: names an SDK, carries no code of it."""
    USE = "use"
    """What the app's own code does with an SDK that is inside: says nothing of whether it is."""


class FactKind(StrEnum):
    """The closed vocabulary of observations; the only contract between extractors and signatures."""

    APP_ID = "app.id"
    STORE_ID = "app.store-id"
    SIGNER = "app.signer"
    TEAM_ID = "app.team-id"
    FILE = "file.path"
    FILE_VERSION = "file.version"

    ACTIVITY = "android.activity"
    SERVICE = "android.service"
    RECEIVER = "android.receiver"
    PROVIDER = "android.provider"
    AUTHORITY = "android.authority"
    PERMISSION = "android.permission"
    META_DATA = "android.meta-data"
    INTENT_ACTION = "android.intent-action"
    INTENT_SCHEME = "android.intent-scheme"
    QUERY_PACKAGE = "android.query-package"
    QUERY_ACTION = "android.query-action"
    QUERY_SCHEME = "android.query-scheme"
    USES_LIBRARY = "android.uses-library"
    SHARED_USER = "android.shared-user-id"

    DEX_CLASS = "dex.class"
    DEX_STRING = "dex.string"
    DEX_PROFILE = "dex.class-profile"
    DEX_CALL = "dex.call"

    NATIVE_LIBRARY = "native.library"
    NATIVE_NEEDED = "native.needed"
    NATIVE_EXPORT = "native.export"
    NATIVE_VERSION = "native.version"
    NATIVE_BUILD_ID = "native.build-id"
    NATIVE_CLASS = "native.class-string"

    URL_SCHEME = "ios.url-scheme"
    QUERIED_SCHEME = "ios.queried-scheme"
    BUNDLE = "ios.bundle"
    FRAMEWORK = "ios.framework"
    ENTITLEMENT = "ios.entitlement"
    TRACKING_DOMAIN = "ios.tracking-domain"
    ACCESSED_API = "ios.accessed-api"

    OBJC_CLASS = "macho.objc-class"
    OBJC_PROTOCOL = "macho.objc-protocol"
    MACHO_SYMBOL = "macho.symbol"
    MACHO_IMPORT = "macho.import"
    MACHO_DYLIB = "macho.dylib"
    MACHO_RPATH = "macho.rpath"
    MACHO_UUID = "macho.uuid"
    MACHO_STRING = "macho.string"
    MACHO_VERSION = "macho.version"
    SWIFT_TYPE = "macho.swift-type"

    WRAPPER = "wrapper.framework"
    WRAPPER_PLUGIN = "wrapper.plugin"
    WRAPPER_STRING = "wrapper.string"

    @property
    def meaning(self) -> str:
        """What one value is, in a sentence for `auditor explain`."""
        return _KINDS[self][1]

    @property
    def tier(self) -> Tier:
        return _KINDS[self][0]


_KINDS: dict[FactKind, tuple[Tier, str]] = {
    FactKind.APP_ID: (Tier.IDENTITY, "Android package name or iOS bundle identifier"),
    FactKind.STORE_ID: (Tier.IDENTITY, "App Store item id from iTunesMetadata.plist"),
    FactKind.SIGNER: (
        Tier.IDENTITY,
        "certificate the platform would trust, as sha256:HEX, sha1:HEX, md5:HEX or md5-of-hex:HEX, and its public key, "
        "as spki-sha256:HEX or rsa-modulus:HEX",
    ),
    FactKind.TEAM_ID: (
        Tier.IDENTITY,
        "Apple team identifier from the code signature or the provisioning profile",
    ),
    FactKind.FILE: (Tier.FILE, "path of a member of the package, as stored"),
    FactKind.FILE_VERSION: (
        Tier.FILE,
        "version that a file states of a component, as NAME VERSION: a framework or resource bundle by its Info.plist, "
        "a Java library by its META-INF/*.version or pom.properties",
    ),
    FactKind.ACTIVITY: (
        Tier.DECLARED,
        "class of an activity or activity-alias in the manifest, fully qualified",
    ),
    FactKind.SERVICE: (Tier.DECLARED, "class of a service in the manifest, fully qualified"),
    FactKind.RECEIVER: (Tier.DECLARED, "class of a receiver in the manifest, fully qualified"),
    FactKind.PROVIDER: (Tier.DECLARED, "class of a content provider in the manifest, fully qualified"),
    FactKind.AUTHORITY: (Tier.DECLARED, "one authority of a content provider"),
    FactKind.PERMISSION: (Tier.DECLARED, "permission the app uses"),
    FactKind.META_DATA: (Tier.DECLARED, "name of a meta-data element, application or component level"),
    FactKind.INTENT_ACTION: (Tier.DECLARED, "action of an intent filter of a component"),
    FactKind.INTENT_SCHEME: (Tier.DECLARED, "data scheme of an intent filter of a component"),
    FactKind.QUERY_PACKAGE: (Tier.DECLARED, "package named in <queries>"),
    FactKind.QUERY_ACTION: (Tier.DECLARED, "intent action named in <queries>"),
    FactKind.QUERY_SCHEME: (Tier.DECLARED, "data scheme named in <queries>"),
    FactKind.USES_LIBRARY: (Tier.DECLARED, "shared library named in uses-library or uses-native-library"),
    FactKind.SHARED_USER: (Tier.DECLARED, "sharedUserId of the manifest"),
    FactKind.DEX_CLASS: (
        Tier.CODE,
        "class defined in a DEX file, dotted Java name with $ for nested classes",
    ),
    FactKind.DEX_STRING: (Tier.LITERAL, "entry of a DEX string table"),
    FactKind.DEX_PROFILE: (
        Tier.CODE,
        "feature of a class that survives renaming, as shape:HEX or calls:HEX; read with --deep only, and kept only "
        "where a signature asks for it",
    ),
    FactKind.DEX_CALL: (
        Tier.USE,
        "call of an SDK from code outside it, as CALLER#METHOD -> CALLEE#METHOD; read with --deep only",
    ),
    FactKind.NATIVE_LIBRARY: (Tier.CODE, "soname of an ELF library, or its file name where it has none"),
    FactKind.NATIVE_NEEDED: (Tier.DECLARED, "library an ELF file needs"),
    FactKind.NATIVE_EXPORT: (
        Tier.CODE,
        "exported symbol of an ELF library (JNI entry points Java_* and JNI_OnLoad)",
    ),
    FactKind.NATIVE_VERSION: (Tier.LITERAL, "printable string of an ELF library that holds a version number"),
    FactKind.NATIVE_BUILD_ID: (Tier.CODE, "GNU build id of an ELF library, lower-case hex"),
    FactKind.NATIVE_CLASS: (
        Tier.LITERAL,
        "Java class an ELF library names in its read-only data (RegisterNatives, FindClass), dotted",
    ),
    FactKind.URL_SCHEME: (Tier.DECLARED, "URL scheme the app handles (CFBundleURLSchemes)"),
    FactKind.QUERIED_SCHEME: (Tier.DECLARED, "URL scheme the app may ask for (LSApplicationQueriesSchemes)"),
    FactKind.BUNDLE: (Tier.FILE, "name of a resource bundle (X.bundle) inside the app"),
    FactKind.FRAMEWORK: (
        Tier.CODE,
        "name of an embedded framework (X.framework) that holds an executable, or of a dylib",
    ),
    FactKind.ENTITLEMENT: (Tier.DECLARED, "key of the code signature's entitlements"),
    FactKind.TRACKING_DOMAIN: (Tier.DECLARED, "NSPrivacyTrackingDomains entry of a privacy manifest"),
    FactKind.ACCESSED_API: (Tier.DECLARED, "NSPrivacyAccessedAPIType of a privacy manifest"),
    FactKind.OBJC_CLASS: (
        Tier.CODE,
        "Objective-C class defined in a Mach-O file (metadata, symbol or export trie)",
    ),
    FactKind.OBJC_PROTOCOL: (Tier.CODE, "Objective-C protocol described in a Mach-O file"),
    FactKind.MACHO_SYMBOL: (
        Tier.CODE,
        "external symbol defined in a Mach-O file, as stored (leading underscore kept)",
    ),
    FactKind.MACHO_IMPORT: (Tier.DECLARED, "undefined symbol of a Mach-O file, as stored"),
    FactKind.MACHO_DYLIB: (Tier.DECLARED, "install name of a library a Mach-O file loads"),
    FactKind.MACHO_RPATH: (Tier.DECLARED, "run path of a Mach-O file"),
    FactKind.MACHO_UUID: (Tier.CODE, "LC_UUID of a Mach-O slice, lower-case hex"),
    FactKind.MACHO_STRING: (Tier.LITERAL, "C string of a Mach-O file"),
    FactKind.MACHO_VERSION: (
        Tier.LITERAL,
        "version number that is a C string of its own, with up to twelve strings that stand before it in the file and "
        "the one behind it, as A | B | VERSION | BEHIND",
    ),
    FactKind.SWIFT_TYPE: (
        Tier.CODE,
        "Swift class, structure, enumeration or protocol defined in a Mach-O file, as Module.Type",
    ),
    FactKind.WRAPPER: (
        Tier.WRAPPER,
        "cross-platform framework the app is built with: react-native, hermes, flutter, cordova, capacitor, "
        "unity, unity-il2cpp, unity-mono, dotnet, uni-app or mini-program",
    ),
    FactKind.WRAPPER_PLUGIN: (Tier.WRAPPER, "plugin of such a framework, as FRAMEWORK:NAME"),
    FactKind.WRAPPER_STRING: (
        Tier.WRAPPER,
        "string of the framework's own code (JavaScript bundle, Hermes bytecode, Dart snapshot, IL2CPP metadata)",
    ),
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One observation."""

    kind: FactKind
    value: str
    origin: Origin


@runtime_checkable
class Values(Protocol):
    """Distinct values in ascending order (the file's own, where it is sorted), possibly decoded on demand."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[str]: ...
    def __contains__(self, value: object, /) -> bool: ...
    def with_prefix(self, prefix: str) -> Iterator[str]:
        """Every value that starts with ``prefix``, ascending."""
        ...

    def offset_of(self, value: str) -> int | None:
        """Byte offset of ``value`` in its file, where the format knows one."""
        ...


class SortedValues:
    """The plain Values: an ascending tuple of strings without offsets."""

    __slots__ = ("_items",)

    def __init__(self, values: Iterable[str]) -> None:
        self._items = tuple(sorted(set(values)))

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __contains__(self, value: object) -> bool:
        if not isinstance(value, str):
            return False
        index = bisect_left(self._items, value)
        return index < len(self._items) and self._items[index] == value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SortedValues) and self._items == other._items

    def __hash__(self) -> int:
        return hash(self._items)

    def with_prefix(self, prefix: str) -> Iterator[str]:
        index = bisect_left(self._items, prefix)
        while index < len(self._items) and self._items[index].startswith(prefix):
            yield self._items[index]
            index += 1

    def offset_of(self, value: str) -> int | None:
        return None


@dataclass(frozen=True, slots=True)
class FactBatch:
    """All facts of one kind that come from one file: what extractors yield instead of a Fact per class."""

    kind: FactKind
    origin: Origin
    values: Values

    def fact(self, value: str) -> Fact:
        """One value of the batch as a Fact, with its offset where the format knows one."""
        return Fact(self.kind, value, self.origin.at(self.values.offset_of(value)))


def batch(kind: FactKind, origin: Origin, values: Iterable[str]) -> FactBatch:
    """A FactBatch of plain strings."""
    return FactBatch(kind, origin, SortedValues(values))
