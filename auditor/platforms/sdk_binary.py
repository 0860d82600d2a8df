"""Reads the values of one fact kind from any SDK binary: jar, AAR, APK, DEX, Mach-O, ar, or archives of them."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.containers.archive import find_members
from auditor.containers.member import Budget, Member
from auditor.errors import FormatError
from auditor.formats.ar import is_ar
from auditor.formats.class_file import is_class_file, parse_class_strings
from auditor.formats.dex import is_dex, parse_dex_container
from auditor.formats.macho import find_slices, is_macho
from auditor.formats.zip import parse_zip
from auditor.model import FactKind

LEARNABLE = (FactKind.DEX_STRING, FactKind.MACHO_STRING, FactKind.OBJC_CLASS)
"""Kinds that can be learned from binaries."""


def read_values(member: Member, kind: FactKind, budget: Budget, folders: tuple[str, ...] = ()) -> frozenset[str]:
    """Every value of a kind, however deep the archives nest; a file that holds none gives none.

    ``folders`` (``com/vendor/sdk/``) leaves out class files elsewhere: what the SDK bundles of others is not its own.

    Raises:
        FormatError: the file, or code in it, is damaged, or a limit is reached.
    """
    found: set[str] = set()
    for values in _values(member, kind, budget, folders, depth=0):
        found.update(values)
    return frozenset(found)


def _values(
    member: Member, kind: FactKind, budget: Budget, folders: tuple[str, ...], depth: int
) -> Iterator[frozenset[str]]:
    head = member.peek(64)
    if head[:4] == b"PK\x03\x04":
        if depth >= budget.limits.container_depth:
            raise FormatError(f"{member.origin}: archives nested deeper than {depth}; unpack it first")
        for inner in find_members(parse_zip(member.open(), budget.limits), member.origin, budget):
            yield from _values(inner, kind, budget, folders, depth + 1)
    elif kind is FactKind.DEX_STRING and is_class_file(head):
        if not folders or member.path.startswith(folders):
            yield parse_class_strings(member.open())
    elif kind is FactKind.DEX_STRING and is_dex(head):
        for dex in parse_dex_container(member.open(), budget.limits):
            yield frozenset(dex.strings)
    elif kind is not FactKind.DEX_STRING and (is_macho(head) or is_ar(head)):
        for _, item in find_slices(member.open(), budget.limits):
            yield frozenset(item.strings if kind is FactKind.MACHO_STRING else item.objc_classes)
