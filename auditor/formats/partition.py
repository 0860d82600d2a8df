"""What every reader of a divided disk gives: partitions by name, each a source of its own or a reason why not.

Contract: names are unique within a table, never empty, and hold no separator and no control character.

Not read: anything by itself; tables of GPT and MBR disks and of super images fill it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from auditor.formats.source import Source

_UNFIT = re.compile(r"[\x00-\x1f\x7f/\\\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Partition:
    """One part of a disk."""

    name: str
    source: Source | None = field(repr=False)
    """Its bytes; None: there are none here, and ``refusal`` says why."""
    size: int
    """Bytes as stated, which a cut-off image may not hold in full: such a source fails where the image ends."""
    kind: str
    """What the table says it is for, in words or as the type's own number."""
    refusal: str = ""
    """Why it cannot be read, in a clause; empty: it can."""
    start: int | None = None
    """Where it begins on the disk; None: it is put together from several places."""
    group: str = ""
    """The group of dynamic partitions it belongs to."""
    attributes: int = 0
    """Bits as the table has them."""

    @property
    def slot(self) -> str:
        """Which of two sets of partitions it belongs to, ``a`` or ``b``; empty: it is in both, or there is one."""
        base = self.name.removesuffix("-cow").partition("@")[0]
        return base[-1] if base.endswith(("_a", "_b")) else ""


class Loss(str):
    """A remark on a table after which partitions or files may be missing; any other is merely odd."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class PartitionTable:
    """The parts of a disk, and what the user should know of the table."""

    partitions: tuple[Partition, ...]
    remarks: tuple[str, ...] = ()
    """In sentences: damage, disagreement, parts that are not here."""


def fit_name(name: str, otherwise: str) -> str:
    """Make a stated name safe to show and to look for; one that says nothing becomes ``otherwise``."""
    fit = _UNFIT.sub("_", name).strip()
    return fit if fit.strip("._") else otherwise


def distinct(partitions: Iterable[Partition]) -> tuple[Partition, ...]:
    """Number the later ones of several partitions that bear the same name: ``data``, ``data#2``."""
    taken: set[str] = set()
    counts: dict[str, int] = {}
    found = []
    for item in partitions:
        name = item.name
        while name in taken:
            counts[item.name] = counts.get(item.name, 1) + 1
            name = f"{item.name}#{counts[item.name]}"
        taken.add(name)
        found.append(replace(item, name=name))
    return tuple(found)
