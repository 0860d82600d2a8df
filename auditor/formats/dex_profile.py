"""Profiles of the classes of a DEX file that survive renaming, repackaging and, for the most part, shrinking.

Two features of a class are hashed, with every type of the app's own replaced by a placeholder. A *shape* is the nearest
ancestor and the interfaces that the platform defines, with the prototypes that mention a type of the platform. A *call
set* is the prototype of one method with the methods of the platform it calls. Shrinkers rename what is the app's and
leave alone what is the platform's; they remove methods, and they inline small ones into others, so that a class keeps
some of its features and a library enough of them. Class-level profiles of this kind were introduced by LibScout
(https://doi.org/10.1145/2976749.2978333) and taken further by LibPecker and its successors.

Specification: of what is hashed, this module; of the file, https://source.android.com/docs/core/runtime/dex-format
Not read: fields, strings, order of calls, control flow; interfaces and ancestors that another DEX file defines.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b

from auditor.formats.dex_code import STATIC, ClassCode, DexCode, MethodCode

PLATFORM = (
    "Landroid/",
    "Ldalvik/",
    "Ljava/",
    "Ljavax/",
    "Lorg/apache/http/",
    "Lorg/json/",
    "Lorg/w3c/",
    "Lorg/xml/",
)
"""What Android itself defines."""
BUNDLED = ("Landroid/arch/", "Landroid/databinding/", "Landroid/support/", "Ljavax/annotation/", "Ljavax/inject/")
"""Named like the platform, but part of the app and renamed with it."""
_EVERYWHERE = ("Ljava/lang/StringBuilder;", "Ljava/lang/StringBuffer;")
"""Compilers and shrinkers put calls of these in and take them out."""
_OWN = "L;"
"""Stands for any type of the app."""
_FEW_CALLS = 3
"""Distinct calls a method must make: fewer are found in any app."""
_FEW_PROTOTYPES = 2
"""Prototypes with a type of the platform a class must have."""
_ANCESTORS = 32
"""Classes of the app gone through to find the ancestor that the platform defines."""
_VALUE_SIZE = 6
"""Bytes of a feature: among a million of them, some thousand learned ones meet a stranger less than once in 10 000."""


@dataclass(slots=True)
class _Hashes:
    """What is known of the types, prototypes and methods of one DEX, each hashed once."""

    code: DexCode
    types: dict[int, tuple[bytes, bool]] = field(default_factory=dict)
    protos: dict[int, tuple[bytes, bool]] = field(default_factory=dict)
    calls: dict[int, bytes | None] = field(default_factory=dict)

    def type(self, index: int) -> tuple[bytes, bool]:
        """Hash of a type, and whether the platform defines it (primitives are nobody's)."""
        found = self.types.get(index)
        if found is None:
            descriptor = self.code.descriptor(index)
            element = descriptor.lstrip("[")
            known = is_platform(element)
            if not known and element.startswith("L"):
                descriptor = descriptor[: len(descriptor) - len(element)] + _OWN
            found = self.types[index] = (_short(descriptor.encode("latin-1")), known)
        return found

    def proto(self, index: int) -> tuple[bytes, bool]:
        """Hash of a prototype, and whether it mentions a type of the platform."""
        found = self.protos.get(index)
        if found is None:
            result, parameters = self.code.prototype(index) or (0, ())
            parts = [self.type(item) for item in (result, *parameters)]
            found = self.protos[index] = (_short(b"".join(part for part, _ in parts)), any(own for _, own in parts))
        return found

    def call(self, index: int) -> bytes | None:
        """Hash of a method of the platform, None for any other."""
        if index not in self.calls:
            self.calls[index] = self._read_call(index)
        return self.calls[index]

    def _read_call(self, index: int) -> bytes | None:
        method = self.code.method(index)
        if method is None:
            return None
        owner, proto, name = method
        descriptor = self.code.descriptor(owner)
        if not is_platform(descriptor.lstrip("[")) or descriptor in _EVERYWHERE:
            return None
        if descriptor == "Ljava/lang/Object;" and name == "<init>":
            return None
        return _short(self.type(owner)[0] + self.proto(proto)[0] + name.encode("latin-1"))


def is_platform(descriptor: str) -> bool:
    """Whether Android defines a class, so that no shrinker renames it."""
    return descriptor.startswith(PLATFORM) and not descriptor.startswith(BUNDLED)


def find_profiles(code: DexCode) -> Iterator[tuple[int, str]]:
    """(type index of a class, feature) for every feature of every class the DEX defines.

    Features are ``shape:`` or ``calls:`` and twelve hexadecimal digits; some classes have none.
    """
    classes = tuple(code)
    parents = {item.type: item.superclass for item in classes}
    hashes = _Hashes(code)
    for item in classes:
        shape = _shape(item, parents, hashes)
        if shape is not None:
            yield item.type, shape
        for method in item.methods:
            calls = _call_set(method, hashes)
            if calls is not None:
                yield item.type, calls


def _shape(item: ClassCode, parents: dict[int, int | None], hashes: _Hashes) -> str | None:
    prototypes = []
    for method in item.methods:
        known = hashes.code.method(method.index)
        if known is None:
            continue
        proto, mentions = hashes.proto(known[1])
        if mentions:
            prototypes.append(proto + (b"s" if method.access_flags & STATIC else b"v"))
    if len(prototypes) < _FEW_PROTOTYPES:
        return None
    interfaces = [value for value, known in map(hashes.type, item.interfaces) if known]
    return _feature("shape", [_ancestor(item, parents, hashes), b"/", *sorted(interfaces), b"/", *sorted(prototypes)])


def _ancestor(item: ClassCode, parents: dict[int, int | None], hashes: _Hashes) -> bytes:
    """The nearest ancestor that is not defined here."""
    above = item.superclass
    for _ in range(_ANCESTORS):
        if above is None or above not in parents:
            break
        above = parents[above]
    return b"" if above is None else hashes.type(above)[0]


def _call_set(method: MethodCode, hashes: _Hashes) -> str | None:
    calls = {value for value in map(hashes.call, method.calls) if value is not None}
    known = hashes.code.method(method.index)
    if len(calls) < _FEW_CALLS or known is None:
        return None
    return _feature("calls", [hashes.proto(known[1])[0], *sorted(calls)])


def _short(data: bytes) -> bytes:
    return blake2b(data, digest_size=8).digest()


def _feature(name: str, parts: Iterable[bytes]) -> str:
    return f"{name}:{blake2b(b''.join(parts), digest_size=_VALUE_SIZE).hexdigest()}"
