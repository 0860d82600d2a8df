"""Every carrier that is read, in the order it is looked for: how it is known, and how it is opened."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from auditor.containers.carrier import Carrier, RangeMember, StreamMember
from auditor.containers.member import Budget, Member, source_of
from auditor.containers.spool import spool_ranges
from auditor.containers.tree import open_tree
from auditor.errors import FormatError, PasswordError, UnsupportedError
from auditor.formats import android_sparse, ext4, partition_table, super_image, tar
from auditor.formats.file_system import FileSystem
from auditor.formats.partition import Partition, PartitionTable
from auditor.formats.source import BlobSource, Source
from auditor.limits import Limits
from auditor.model import Problem, ProblemCode

HEAD_SIZE = 16384
"""Bytes from the start that tell every carrier: the second geometry of a super image lies at 8192."""


@dataclass(frozen=True, slots=True)
class Opening:
    """A file that is to be opened, and what that may take."""

    member: Member
    budget: Budget
    passwords: tuple[str, ...] = field(repr=False)
    beside: Callable[[], Mapping[str, Member]] = field(repr=False)
    """The files of the same folder by name."""


@dataclass(frozen=True, slots=True)
class CarrierKind:
    """One kind of carrier."""

    name: str
    """For people."""
    known: Callable[[str, bytes], bool] = field(repr=False)
    """Whether a file is one, by its path and its first ``HEAD_SIZE`` bytes."""
    open: Callable[[Opening], Carrier] = field(repr=False)
    modules: tuple[str, ...]
    """The format modules that read it; their lists of what is not read go into the documentation."""


def open_carrier(kind: CarrierKind, opening: Opening) -> Carrier:
    """What a file carries.

    Raises:
        FormatError: nothing of it can be read.
        PasswordError: it is encrypted, and no password opens it.
        InputError: the operating system refuses.
    """
    return kind.open(opening)


def recognise_carrier(path: str, head: bytes) -> CarrierKind | None:
    """The kind of carrier a file is, if it is one; its content decides but for the few formats without a mark."""
    for kind in CARRIERS:
        if kind.known(path, head):
            return kind
    return None


def _by_head(is_it: Callable[[bytes], bool]) -> Callable[[str, bytes], bool]:
    return lambda _, head: is_it(head)


def _tree(parse: Callable[[Source, Limits], FileSystem]) -> Callable[[Opening], Carrier]:
    def opened(opening: Opening) -> Carrier:
        tree = parse(source_of(opening.member), opening.budget.limits)
        return Carrier(open_tree(tree, opening.member.origin, opening.budget))

    return opened


def _partitions(parse: Callable[[Source, Limits], PartitionTable]) -> Callable[[Opening], Carrier]:
    def opened(opening: Opening) -> Carrier:
        table = parse(source_of(opening.member), opening.budget.limits)
        origin = opening.member.origin
        problems = [Problem(ProblemCode.CARRIER_ODD, origin, remark) for remark in table.remarks]
        members: list[Member] = []
        for partition in table.partitions:
            member, problem = _partition(partition, opening)
            members.extend(member)
            problems.extend(problem)
        return Carrier(members=tuple(members), problems=tuple(problems))

    return opened


def _partition(partition: Partition, opening: Opening) -> tuple[list[Member], list[Problem]]:
    origin = opening.member.origin.child(partition.name)
    if partition.source is None or partition.refusal:
        detail = partition.refusal or "the table names it, and there is nothing of it here"
        return [], [Problem(ProblemCode.UNSUPPORTED, origin, detail)]
    if partition.source.size == 0:
        return [], []
    return [RangeMember(partition.name, origin, partition.source, opening.budget)], []


def _sparse(opening: Opening) -> Carrier:
    member = opening.member
    folder, _, name = member.path.rpartition("/")
    stem, mark, number = name.rpartition("sparsechunk.")
    limits = opening.budget.limits
    if mark and number.isdecimal():
        pieces = _numbered(opening.beside(), stem + mark)
        if pieces and pieces[0].origin != member.origin:
            return Carrier()
        laid_out = android_sparse.join_android_sparse([source_of(item) for item in pieces], limits)
    else:
        laid_out = android_sparse.parse_android_sparse(source_of(member), limits)
    inner = RangeMember(f"{folder}/raw" if folder else "raw", member.origin.child("raw"), laid_out, opening.budget)
    return Carrier(members=(inner,), single=True)


def _numbered(beside: Mapping[str, Member], prefix: str) -> list[Member]:
    """The pieces of a sparse image in the order of their numbers."""
    found = [
        (int(name[len(prefix) :]), item)
        for name, item in beside.items()
        if name.startswith(prefix) and name[len(prefix) :].isdecimal()
    ]
    return [item for _, item in sorted(found, key=lambda pair: pair[0])]


CARRIERS: tuple[CarrierKind, ...] = (
    CarrierKind("Android sparse image", _by_head(android_sparse.is_android_sparse), _sparse, ("android_sparse",)),
    CarrierKind(
        "GPT disk", _by_head(partition_table.is_gpt), _partitions(partition_table.parse_gpt), ("partition_table",)
    ),
    CarrierKind("ext2, ext3 or ext4 file system", _by_head(ext4.is_ext4), _tree(ext4.parse_ext4), ("ext4",)),
    CarrierKind(
        "super image",
        _by_head(super_image.is_super_image),
        _partitions(super_image.parse_super_image),
        ("super_image",),
    ),
    CarrierKind(
        "MBR disk", _by_head(partition_table.is_mbr), _partitions(partition_table.parse_mbr), ("partition_table",)
    ),
    CarrierKind("tar archive", _by_head(tar.is_tar), _tree(tar.parse_tar), ("tar",)),
)
"""File systems and tables at fixed offsets before what begins at 0 with little."""
