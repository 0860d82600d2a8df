"""A file system image, or a tar archive, as a container: its folders listed and its files read on demand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from auditor.containers.member import Budget, Directory, Member
from auditor.containers.spool import spool
from auditor.errors import AuditorError, FormatError, LimitError
from auditor.formats.blob import Blob
from auditor.formats.file_system import FileSystem, Node, NodeKind
from auditor.limits import Limits
from auditor.model import Origin, Problem, ProblemCode

_Listing = tuple[tuple[Member, ...], tuple[Directory, ...]]
_NUMBER = re.compile(r"0x[0-9a-f]+|\d+")
_MOST_PROBLEMS = 200
"""Damaged folders that are told one by one."""
_MOST_REASONS = 50


@runtime_checkable
class _TellsLosses(Protocol):
    """A tree that tells apart what it lost from what is merely odd; the listing of its root tells the losses."""

    @property
    def faults(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class TreeMember:
    """One file of a tree."""

    node: Node
    path: str
    origin: Origin
    shared: _Shared = field(repr=False)

    @property
    def size(self) -> int:
        return self.node.size

    def open(self) -> Blob:
        """All bytes: a view of the image where the file lies in one piece, memory or an anonymous file else."""
        budget = self.shared.budget
        # A whole disk image may lie in a file system; who asks for its bytes wants to look inside.
        limit = max(budget.limits.member_size, budget.limits.spool_size)
        if self.node.size > limit:
            raise LimitError(f"{self.node.size} bytes in one file; raise --limit spool_size")
        chunks = self.shared.tree.chunks(self.node)
        first = next(chunks, b"")
        if len(first) == self.node.size:
            return first
        return spool(_joined(first, chunks), budget, limit)

    def peek(self, size: int) -> bytes:
        found = b""
        try:
            for chunk in self.shared.tree.chunks(self.node):
                found += bytes(chunk[: size - len(found)])
                if len(found) >= size or len(found) == self.node.size:
                    break
        except AuditorError:
            return found
        return found

    def tell_unread(self) -> None:
        """Count the file, which has no readable begin, among those of the tree that cannot be read."""
        reason = "its content is not there"
        try:
            next(self.shared.tree.chunks(self.node), b"")
        except AuditorError as error:
            reason = str(error)
        self.shared.refuse(reason, self.origin)


def _joined(first: bytes | memoryview, rest: Iterator[bytes | memoryview]) -> Iterator[bytes | memoryview]:
    yield first
    yield from rest


@dataclass(slots=True)
class _Shared:
    """What all folders and files of one tree have in common."""

    tree: FileSystem
    budget: Budget
    problems: list[Problem]
    visited: dict[int, str] = field(default_factory=dict)
    """Keys and paths of the folders that were listed: a folder has one place only; a second one is a cycle."""
    listed: int = 0
    """Entries of all folders so far: many folders may share the blocks of one that is large."""
    left_out: dict[ProblemCode, int] = field(default_factory=dict)
    """Problems of folders beyond those that are told one by one."""
    refused: dict[str, tuple[str, Origin, int]] = field(default_factory=dict)
    """Why files cannot be read, by the reason without its numbers: the first of them, and how many there are."""

    def refuse(self, reason: str, origin: Origin) -> None:
        """Count a file that cannot be read, or a folder whose names cannot."""
        alike = _NUMBER.sub("#", reason)
        if alike not in self.refused and len(self.refused) >= _MOST_REASONS:
            alike, reason = "", "cannot be read for other reasons"
        first, place, count = self.refused.get(alike, (reason, origin, 0))
        self.refused[alike] = first, place, count + 1

    def tell(self, code: ProblemCode, origin: Origin, detail: str) -> None:
        """Add the problem of a folder; beyond some hundred they are only counted."""
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(Problem(code, origin, detail))
        else:
            self.left_out[code] = self.left_out.get(code, 0) + 1


@dataclass(frozen=True, slots=True)
class TreeDirectory:
    """One folder of a tree."""

    node: Node
    path: str
    here: Origin
    shared: _Shared = field(repr=False)
    depth: int = 0
    _listing: list[_Listing] = field(default_factory=list, repr=False)

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def limits(self) -> Limits:
        return self.shared.budget.limits

    def budget_for(self, size: int) -> Budget:
        return Budget(self.limits, input_size=size, outer=self.shared.budget)

    @property
    def problems(self) -> list[Problem]:
        """Of the whole tree, as far as it was listed."""
        shared = self.shared
        refused = (
            Problem(ProblemCode.ENCRYPTED if "encrypted" in reason else ProblemCode.UNSUPPORTED, origin, detail)
            for reason, origin, count in shared.refused.values()
            for detail in (f"{reason} ({count} in all, the first one here)" if count > 1 else reason,)
        )
        more = (
            Problem(code, self.here, f"{count} more problems of folders are not told")
            for code, count in shared.left_out.items()
        )
        return [*shared.problems, *more, *refused]

    def entries(self) -> _Listing:
        """Files and sub-folders; links are left alone, as what they name lies in the tree or outside the input."""
        if not self._listing:
            self._listing.append(self._list())
        return self._listing[0]

    def _list(self) -> _Listing:
        shared = self.shared
        if shared.visited.setdefault(self.node.key, self.path) != self.path:
            self._problem(ProblemCode.FILE_SYSTEM_DAMAGED, "a folder that contains itself, or has a second place")
            return (), ()
        if shared.listed > self.limits.folder_entries:
            return (), ()
        try:
            listing = shared.tree.list(self.node)
        except FormatError as error:
            self._problem(ProblemCode.FILE_SYSTEM_DAMAGED, str(error))
            return (), ()
        for fault in listing.faults:
            if "encrypted" in fault:
                shared.refuse(fault, self.here)
            else:
                self._problem(ProblemCode.FILE_SYSTEM_DAMAGED, fault)
        shared.listed += len(listing.nodes)
        if shared.listed > self.limits.folder_entries:
            detail = f"more than {self.limits.folder_entries} entries in all folders; raise --limit folder_entries"
            shared.problems.append(Problem(ProblemCode.LIMIT, self.here, detail))
            return (), ()
        files: list[Member] = []
        folders: list[Directory] = []
        for node in listing.nodes:
            self._sort_in(node, files, folders)
        return tuple(files), tuple(folders)

    def _sort_in(self, node: Node, files: list[Member], folders: list[Directory]) -> None:
        if node.kind is not NodeKind.FILE and node.kind is not NodeKind.DIRECTORY:
            return
        path = f"{self.path}/{node.name}" if self.path else node.name
        outer = self.here.path
        origin = Origin((*outer[:-1], f"{outer[-1]}/{node.name}")) if self.path else self.here.child(node.name)
        if node.kind is NodeKind.FILE:
            if node.refusal:
                self.shared.refuse(node.refusal, origin)
            else:
                files.append(TreeMember(node, path, origin, self.shared))
        elif self.depth >= self.limits.tree_depth:
            detail = f"folders nested deeper than {self.limits.tree_depth}; raise --limit tree_depth"
            self._problem(ProblemCode.LIMIT, detail)
        else:
            folders.append(TreeDirectory(node, path, origin, self.shared, self.depth + 1))

    def _problem(self, code: ProblemCode, detail: str) -> None:
        self.shared.tell(code, self.here, detail)


def open_tree(tree: FileSystem, origin: Origin, budget: Budget) -> TreeDirectory:
    """The uppermost folder of a tree that lies at an origin."""
    told = frozenset(tree.faults) if isinstance(tree, _TellsLosses) else None
    code = ProblemCode.CARRIER_INCOMPLETE if told is None else ProblemCode.CARRIER_ODD
    problems = [Problem(code, origin, remark) for remark in tree.remarks if told is None or remark not in told]
    return TreeDirectory(tree.root, "", origin, _Shared(tree, budget, problems))
