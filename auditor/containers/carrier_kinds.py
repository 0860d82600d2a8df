"""Every carrier that is read, in the order it is looked for: how it is known, and how it is opened."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from auditor.containers.carrier import HEAD_SIZE, Carrier, RangeMember, StreamMember
from auditor.containers.member import Budget, Member, source_of
from auditor.containers.spool import spool_ranges
from auditor.containers.tree import open_tree
from auditor.errors import AuditorError, FormatError, PasswordError
from auditor.formats import (
    adb_backup,
    android_sparse,
    block_image,
    compressed,
    erofs,
    ext4,
    f2fs,
    f2fs_layout,
    fat,
    ota_payload,
    partition_table,
    super_image,
    tar,
)
from auditor.formats.blob import Blob
from auditor.formats.file_system import FileSystem
from auditor.formats.partition import Loss, Partition, PartitionTable
from auditor.formats.source import Source
from auditor.limits import Limits
from auditor.model import Origin, Problem, ProblemCode


@dataclass(frozen=True, slots=True)
class Opening:
    """A file that is to be opened, and what that may take."""

    member: Member
    budget: Budget
    passwords: tuple[str, ...] = field(repr=False)
    beside: Callable[[], Mapping[str, Member]] = field(repr=False)
    """The files of the same folder by name."""
    asked: bool = False
    """Whether the user named the file, so that to leave it to its neighbours would be no answer."""

    @property
    def limits(self) -> Limits:
        return self.budget.limits


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


def recognise_carriers(path: str, head: bytes) -> tuple[CarrierKind, ...]:
    """The kinds of carrier a file may be; its content decides but for the few formats without a mark.

    The first one that can be opened is right: a disk may bear the remains of what it was before.
    """
    return tuple(kind for kind in CARRIERS if kind.known(path, head))


def _by_head(is_it: Callable[[bytes], bool]) -> Callable[[str, bytes], bool]:
    return lambda _, head: is_it(head)


def _tree(parse: Callable[[Source, Limits], FileSystem]) -> Callable[[Opening], Carrier]:
    def opened(opening: Opening) -> Carrier:
        tree = parse(source_of(opening.member), opening.limits)
        return Carrier(open_tree(tree, opening.member.origin, opening.budget))

    return opened


def _partitions(parse: Callable[[Source, Limits], PartitionTable]) -> Callable[[Opening], Carrier]:
    def opened(opening: Opening) -> Carrier:
        table = parse(source_of(opening.member), opening.limits)
        origin = opening.member.origin
        problems = [_remark(origin, remark) for remark in table.remarks]
        members: list[Member] = []
        for partition in table.partitions:
            member, problem = _partition(partition, opening)
            members.extend(member)
            problems.extend(problem)
        return Carrier(members=tuple(members), problems=tuple(problems))

    return opened


def _remark(origin: Origin, text: str) -> Problem:
    """What a table of partitions tells: that something is missing, or that it is merely odd."""
    code = ProblemCode.CARRIER_INCOMPLETE if isinstance(text, Loss) else ProblemCode.CARRIER_ODD
    return Problem(code, origin, str(text))


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
    problems: list[Problem] = []
    pieces = _pieces(name, opening.beside)
    if len(pieces) > 1 or (pieces and _lacking(pieces)):
        first = pieces[min(pieces)]
        if first.origin != member.origin:
            return Carrier(problems=_left_to(first, opening), single=True)
        laid_out = android_sparse.join_android_sparse([source_of(item) for item in pieces.values()], opening.limits)
        lacking = _lacking(pieces)
        if lacking:
            detail = f"of the pieces of the image {lacking} lack; what they held reads as zeros"
            problems.append(Problem(ProblemCode.CARRIER_INCOMPLETE, member.origin, detail))
    else:
        laid_out = android_sparse.parse_android_sparse(source_of(member), opening.limits)
    problems += (Problem(ProblemCode.CARRIER_INCOMPLETE, member.origin, fault) for fault in laid_out.faults)
    inner = RangeMember(f"{folder}/raw" if folder else "raw", member.origin.child("raw"), laid_out, opening.budget)
    return Carrier(members=(inner,), problems=tuple(problems), single=True)


_PIECE = re.compile(r"(.*sparsechunk\.?)(\d{1,4})", re.DOTALL)


def _pieces(name: str, beside: Callable[[], Mapping[str, Member]]) -> dict[int, Member]:
    """The pieces of a sparse image by their numbers, ascending; none where the name is not that of one."""
    own = _PIECE.fullmatch(name)
    if own is None:
        return {}
    found: dict[int, Member] = {}
    for other, item in beside().items():
        named = _PIECE.fullmatch(other)
        if named is not None and named.group(1) == own.group(1):
            found.setdefault(int(named.group(2)), item)
    return dict(sorted(found.items()))


def _lacking(pieces: Mapping[int, Member]) -> str:
    """The numbers that are left out; some makers count from 0, some from 1."""
    first = 0 if 0 in pieces else 1
    return ", ".join(str(number) for number in range(first, max(pieces)) if number not in pieces)


def _left_to(first: Member, opening: Opening) -> tuple[Problem, ...]:
    """What to say of a piece that is read with the first one: nothing, unless the user named it."""
    detail = f"a piece of an image, which is read with the first one: name {first.path.rpartition('/')[2]}"
    return (Problem(ProblemCode.CARRIER_ODD, opening.member.origin, detail),) if opening.asked else ()


def _stream(opening: Opening) -> Carrier:
    """A compressed file: what it unpacks to goes by its name without the suffix."""
    member = opening.member
    kind = compressed.recognise_compression(member.peek(64), member.path)
    if kind is None:
        raise FormatError("it no longer begins like a compressed file")
    if kind is compressed.Compression.BROTLI and member.path.endswith(".new.dat.br"):
        return _block_image(opening, _unpacked(opening, kind))
    return Carrier(members=(_unpacked(opening, kind),), single=True)


def _unpacked(opening: Opening, kind: compressed.Compression) -> StreamMember:
    member = opening.member
    source = source_of(member)
    folder, _, name = member.path.rpartition("/")
    stem = posixpath.splitext(name)[0] or name
    path = f"{folder}/{stem}" if folder else stem
    chunks = partial(compressed.unpack_source, source, kind)
    return StreamMember(path, member.origin.child(stem), chunks, opening.budget, member.size)


def _is_new_data(path: str, _: bytes) -> bool:
    return path.endswith(".new.dat")


def _new_data(opening: Opening) -> Carrier:
    """The image made of new data; without the list beside it, what it begins like."""
    member = opening.member
    if _transfer_list(opening) is None:
        for kind in CARRIERS[1:]:
            if kind.known(member.path, member.peek(HEAD_SIZE)):
                return kind.open(opening)
    return _block_image(opening, member)


def _transfer_list(opening: Opening) -> Member | None:
    stem = opening.member.path.rpartition("/")[2].partition(".new.dat")[0]
    return opening.beside().get(f"{stem}.transfer.list")


def _block_image(opening: Opening, new_data: Member) -> Carrier:
    """The image that a block-based update makes of its new data and the list beside it."""
    member = opening.member
    stem = member.path.rpartition("/")[2].partition(".new.dat")[0]
    listed = _transfer_list(opening)
    if listed is None:
        raise FormatError(f"{stem}.transfer.list, which says where its blocks belong, is not beside it")
    image = block_image.parse_block_image(listed.open(), source_of(new_data), opening.limits)
    origin = member.origin.child(f"{stem}.img")
    problems = (Problem(ProblemCode.CARRIER_INCOMPLETE, origin, fault) for fault in image.faults)
    inner = RangeMember(f"{stem}.img", origin, image.source, opening.budget)
    return Carrier(members=(inner,), problems=tuple(problems), single=True)


def _payload(opening: Opening) -> Carrier:
    """The partitions of an update, each laid out when it is looked at."""
    source = source_of(opening.member)
    payload = ota_payload.parse_ota_payload(source, opening.limits)
    members: list[Member] = []
    problems: list[Problem] = []
    for partition in payload.partitions:
        name = f"{partition.name}.img"
        origin = opening.member.origin.child(name)
        if partition.refusal:
            problems.append(Problem(ProblemCode.UNSUPPORTED, origin, partition.refusal))
        elif partition.is_sequential:
            chunks = partial(ota_payload.partition_chunks, source, partition)
            members.append(StreamMember(name, origin, chunks, opening.budget, partition.size))
        else:
            members.append(_Scattered(name, origin, source, partition, opening.budget))
    return Carrier(members=tuple(members), problems=tuple(problems))


@dataclass(frozen=True, slots=True)
class _Scattered:
    """A partition whose operations write in another order than its bytes."""

    path: str
    origin: Origin
    payload: Source = field(repr=False)
    partition: ota_payload.PayloadPartition = field(repr=False)
    budget: Budget = field(repr=False)
    held: list[Blob] = field(default_factory=list, repr=False)

    @property
    def size(self) -> int:
        return self.partition.size

    def open(self) -> Blob:
        if not self.held:
            writes = ota_payload.find_writes(self.payload, self.partition)
            self.held.append(spool_ranges(writes, self.partition.size, self.budget))
        return self.held[0]

    def peek(self, size: int) -> bytes:
        try:
            return bytes(self.open()[:size])
        except AuditorError:
            return b""


def _adb_backup(opening: Opening) -> Carrier:
    member = opening.member
    source = source_of(member)
    header = adb_backup.parse_adb_backup_header(member.peek(HEAD_SIZE), opening.limits)
    password = _matching(header, opening.passwords)
    chunks = partial(adb_backup.unpack_adb_backup, source, header, password)
    origin = member.origin.child("backup.tar")
    return Carrier(members=(StreamMember("backup.tar", origin, chunks, opening.budget, member.size),), single=True)


def _matching(header: adb_backup.AdbBackupHeader, passwords: tuple[str, ...]) -> str | None:
    """The password that opens a backup.

    Raises:
        PasswordError: it is encrypted, and none does.
    """
    if header.keys is None:
        return None
    for password in passwords:
        try:
            adb_backup.find_master_key(header.keys, password)
        except PasswordError:
            continue
        return password
    given = "none of the given passwords opens it" if passwords else "give its password"
    raise PasswordError(f"the adb backup is encrypted: {given} (--ask-password, --password-file)")


def _is_stream(path: str, head: bytes) -> bool:
    return compressed.recognise_compression(head, path) is not None


CARRIERS: tuple[CarrierKind, ...] = (
    CarrierKind("block image of an update", _is_new_data, _new_data, ("block_image",)),
    CarrierKind("Android sparse image", _by_head(android_sparse.is_android_sparse), _sparse, ("android_sparse",)),
    CarrierKind("OTA payload", _by_head(ota_payload.is_ota_payload), _payload, ("ota_payload",)),
    CarrierKind("adb backup", _by_head(adb_backup.is_adb_backup), _adb_backup, ("adb_backup",)),
    CarrierKind(
        "GPT disk", _by_head(partition_table.is_gpt), _partitions(partition_table.parse_gpt), ("partition_table",)
    ),
    CarrierKind("EROFS", _by_head(erofs.is_erofs), _tree(erofs.parse_erofs), ("erofs",)),
    CarrierKind("F2FS", _by_head(f2fs_layout.is_f2fs), _tree(f2fs.parse_f2fs), ("f2fs",)),
    CarrierKind("ext2, ext3, ext4", _by_head(ext4.is_ext4), _tree(ext4.parse_ext4), ("ext4",)),
    CarrierKind(
        "super image",
        _by_head(super_image.is_super_image),
        _partitions(super_image.parse_super_image),
        ("super_image",),
    ),
    CarrierKind("FAT, exFAT", _by_head(fat.is_fat), _tree(fat.parse_fat), ("fat",)),
    CarrierKind(
        "MBR disk", _by_head(partition_table.is_mbr), _partitions(partition_table.parse_mbr), ("partition_table",)
    ),
    CarrierKind("tar archive", _by_head(tar.is_tar), _tree(tar.parse_tar), ("tar",)),
    CarrierKind("compressed file", _is_stream, _stream, ("compressed",)),
)
"""File systems and tables at fixed offsets before what begins at 0 with little; what only a name tells comes last.

The new data of an update comes first all the same: it mostly begins like the file system it is a part of.
"""
