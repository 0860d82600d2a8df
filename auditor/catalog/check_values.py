"""The linter's rules for single values: what no extractor can ever produce makes a clause that never holds."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.catalog.nouns import Fault
from auditor.model.facts import FactKind
from auditor.model.signatures import Clause

_DOTTED = re.compile(r"[^\s/;\[]+")
_DOTTED_HINT = "write a dotted Java name, with $ for nested classes: com.example.Sdk$Inner"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-_]*")
_SCHEME_HINT = "write the scheme alone, without ':' and what follows"
_HEX = re.compile(r"[0-9a-f]{8,128}")
_FRAMEWORKS = (
    "react-native", "hermes", "flutter", "cordova", "capacitor", "unity", "unity-il2cpp", "unity-mono", "dotnet",
    "uni-app", "mini-program",
)  # fmt: skip
"""The values of ``wrapper.framework``."""

_SHAPES: dict[FactKind, tuple[re.Pattern[str], str]] = {
    FactKind.DEX_CLASS: (_DOTTED, _DOTTED_HINT),
    FactKind.ACTIVITY: (_DOTTED, _DOTTED_HINT),
    FactKind.SERVICE: (_DOTTED, _DOTTED_HINT),
    FactKind.RECEIVER: (_DOTTED, _DOTTED_HINT),
    FactKind.PROVIDER: (_DOTTED, _DOTTED_HINT),
    FactKind.NATIVE_CLASS: (_DOTTED, _DOTTED_HINT),
    FactKind.SIGNER: (
        re.compile(r"sha256:[0-9a-f]{64}|sha1:[0-9a-f]{40}|(md5|md5-of-hex):[0-9a-f]{32}|rsa-modulus:[0-9a-f]+"),
        "write ALGORITHM:HEX, lower case",
    ),
    FactKind.NATIVE_LIBRARY: (
        re.compile(r"[^/\s]+\.so(\.[0-9.]+)?"),
        "write the file name of a library: libexample.so",
    ),
    FactKind.NATIVE_EXPORT: (
        re.compile(r"(Java_|JNI_On(Load|Unload))\S*"),
        "only JNI entry points are read: Java_com_example_Sdk_start",
    ),
    FactKind.NATIVE_BUILD_ID: (_HEX, "write lower-case hexadecimal digits"),
    FactKind.MACHO_UUID: (re.compile(r"[0-9a-f]{32}"), "write 32 lower-case hexadecimal digits without '-'"),
    FactKind.INTENT_SCHEME: (_SCHEME, _SCHEME_HINT),
    FactKind.QUERY_SCHEME: (_SCHEME, _SCHEME_HINT),
    FactKind.URL_SCHEME: (_SCHEME, _SCHEME_HINT),
    FactKind.QUERIED_SCHEME: (_SCHEME, _SCHEME_HINT),
    FactKind.BUNDLE: (re.compile(r"[^/]+\.bundle"), "write the name of the bundle: Example.bundle"),
    FactKind.FRAMEWORK: (re.compile(r"[^/]+\.(framework|dylib)"), "write Example.framework or libexample.dylib"),
    FactKind.OBJC_CLASS: (
        re.compile(r"(?!_OBJC_CLASS_)[^\s/]+"),
        "write the class name alone, without the prefix of its symbol",
    ),
    FactKind.OBJC_PROTOCOL: (re.compile(r"(?!_OBJC_PROTOCOL_)[^\s/]+"), "write the protocol's name alone"),
    FactKind.SWIFT_TYPE: (re.compile(r"[^\s.]+(\.[^\s.]+)+"), "write Module.Type"),
    FactKind.FILE: (re.compile(r"[^/].*", re.DOTALL), "write the path inside the package, without a leading '/'"),
    FactKind.FILE_VERSION: (re.compile(r"\S.* \S+"), "write NAME VERSION"),
    FactKind.WRAPPER: (re.compile("|".join(_FRAMEWORKS)), f"use one of: {', '.join(_FRAMEWORKS)}"),
    FactKind.WRAPPER_PLUGIN: (
        re.compile(rf"({'|'.join(_FRAMEWORKS)}):\S.*"),
        "write FRAMEWORK:NAME, as flutter:example",
    ),
}
"""What a value of each kind looks like, and what to write instead; kinds of free text are not listed."""


def check_values(file: str, place: str, clause: Clause) -> Iterator[Fault]:
    """Faults of exact values that no file can ever show."""
    shape = _SHAPES.get(clause.kind)
    if shape is None:
        return
    pattern, hint = shape
    for value in clause.values:
        if pattern.fullmatch(value) is None:
            yield Fault(file, f"{place}.values", f"{value!r} can never be a {clause.kind.value}", hint)
