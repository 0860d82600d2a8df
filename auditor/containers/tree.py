"""A file system image, or a tar archive, as a container: its folders listed and its files read on demand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from auditor.containers.member import Budget, Directory, Member
from auditor.containers.spool import spool
from auditor.errors import AuditorError, FormatError, LimitError
from auditor.formats.blob import Blob
from auditor.formats.file_system import FileSystem, Node, NodeKind
from auditor.model import Origin, Problem, ProblemCode

_Listing = tuple[tuple[Member, ...], tuple[Directory, ...]]


@dataclass(frozen=True, slots=True)
class TreeMember:
    """One file of a tree."""

    tree: FileSystem = field(repr=False)
    node: Node
    path: str
    origin: Origin
    budget: Budget = field(repr=False)

    @property
    def size(self) -> int:
        return self.node.size

    def open(self) -> Blob:
        """All bytes: a view of the image where the file lies in one piece, memory or an anonymous file else."""
        limits = self.budget.limits
        # A whole disk image may lie in a file system; who asks for its bytes wants to look inside.
        limit = max(limits.member_size, limits.spool_size)
        if self.node.size > limit:
            raise LimitError(f"{self.node.size} bytes in one file; raise --limit spool_size")
        chunks = self.tree.chunks(self.node)
        first = next(chunks, b"")
        if len(first) == self.node.size:
            return first
        return spool(_joined(first, chunks), self.budget, limit)

    def peek(self, size: int) -> bytes:
        found = b""
        try:
            for chunk in self.tree.chunks(self.node):
                found += bytes(chunk[: size - len(found)])
                if len(found) >= size:
                    break
        except AuditorError:
            return found
        return found


def _joined(first: bytes | memoryview, rest: Iterator[bytes | memoryview]) -> Iterator[bytes | memoryview]:
    yield first
    yield from rest


@dataclass(slots=True)
class _Shared:
    """What all folders of one tree have in common."""

    tree: FileSystem
    budget: Budget
    problems: list[Problem]
    visited: dict[int, str] = field(default_factory=dict)
    """Keys and paths of the folders that were listed: a folder has one place only; a second one is a cycle."""
    refused: dict[str, tuple[Origin, int]] = field(default_factory=dict)
    """Why files cannot be read: the first such file, and how many there are."""


@dataclass(frozen=True, slots=True)
class TreeDirectory:
    """One folder of a tree."""

    node: Node
    path: str
    here: Origin
    shared: _Shared = field(repr=False)
    depth: int = 0

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def budget(self) -> Budget:
        return Budget(self.shared.budget.limits)

    @property
    def problems(self) -> list[Problem]:
        """Of the whole tree, as far as it was listed."""
        refused = (
            Problem(ProblemCode.ENCRYPTED if "encrypted" in reason else ProblemCode.UNSUPPORTED, origin, detail)
            for reason, (origin, count) in self.shared.refused.items()
            for detail in (f"{reason}: {count} file{'s' if count > 1 else ''} from here on",)
        )
        return [*self.shared.problems, *refused]

    def entries(self) -> _Listing:
        """Files and sub-folders; links are left alone, as what they name lies in the tree or outside the input."""
        shared = self.shared
        if shared.visited.setdefault(self.node.key, self.path) != self.path:
            self._problem(ProblemCode.FILE_SYSTEM_DAMAGED, "a folder that contains itself, or has a second place")
            return (), ()
        try:
            listing = shared.tree.list(self.node)
        except FormatError as error:
            self._problem(ProblemCode.FILE_SYSTEM_DAMAGED, str(error))
            return (), ()
        for fault in listing.faults:
            self._problem(ProblemCode.FILE_SYSTEM_DAMAGED, fault)
        files: list[Member] = []
        folders: list[Directory] = []
        for node in listing.nodes:
            self._sort_in(node, files, folders)
        return tuple(files), tuple(folders)

    def _sort_in(self, node: Node, files: list[Member], folders: list[Directory]) -> None:
        path = f"{self.path}/{node.name}" if self.path else node.name
        outer = self.here.path
        origin = Origin((*outer[:-1], f"{outer[-1]}/{node.name}")) if self.path else self.here.child(node.name)
        if node.kind is NodeKind.FILE:
            if node.refusal:
                first, count = self.shared.refused.get(node.refusal, (origin, 0))
                self.shared.refused[node.refusal] = first, count + 1
                return
            files.append(TreeMember(self.shared.tree, node, path, origin, self.budget))
        elif node.kind is NodeKind.DIRECTORY:
            limit = self.shared.budget.limits.tree_depth
            if self.depth >= limit:
                self._problem(ProblemCode.LIMIT, f"folders nested deeper than {limit}; raise --limit tree_depth")
                return
            folders.append(TreeDirectory(node, path, origin, self.shared, self.depth + 1))

    def _problem(self, code: ProblemCode, detail: str) -> None:
        problem = Problem(code, self.here, detail)
        # A folder may be listed twice: for itself, and for what was compiled from the APKs beside it.
        if problem not in self.shared.problems[-8:]:
            self.shared.problems.append(problem)


def open_tree(tree: FileSystem, origin: Origin, budget: Budget) -> TreeDirectory:
    """The uppermost folder of a tree that lies at an origin."""
    problems = [Problem(ProblemCode.CARRIER_INCOMPLETE, origin, remark) for remark in tree.remarks]
    return TreeDirectory(tree.root, "", origin, _Shared(tree, budget, problems))
