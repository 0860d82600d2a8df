"""A folder as a container: regular files only, symbolic links named and never followed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from auditor.containers.mapping import map_file
from auditor.containers.member import Budget, Directory, Member
from auditor.errors import InputError, LimitError
from auditor.formats.blob import Blob
from auditor.limits import Limits
from auditor.model import Origin, Problem, ProblemCode

_MAPPINGS = "mappings"
"""Lies above the usage statistics that it explains."""
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK


@dataclass(frozen=True, slots=True)
class FileMember:
    """One file on disk."""

    file: Path
    path: str
    size: int
    origin: Origin
    limits: Limits

    def open(self) -> Blob:
        """All bytes: read at once, or mapped where the file is large.

        A small file is copied because a mapped file that shrinks while it is read kills the whole process.
        """
        try:
            with open(os.open(self.file, _FLAGS), "rb") as stream:
                state = os.fstat(stream.fileno())
                if not stat.S_ISREG(state.st_mode):
                    raise InputError(f"{self.origin} is no regular file")
                if state.st_size > self.limits.file_size:
                    raise LimitError(f"{state.st_size} bytes; raise --limit file_size")
                if state.st_size <= self.limits.spool_memory:
                    return stream.read(self.limits.spool_memory)
                return map_file(stream.fileno())
        except OSError as error:
            raise InputError(f"cannot read {self.origin}: {error.strerror or error}") from error

    def peek(self, size: int) -> bytes:
        try:
            with open(os.open(self.file, _FLAGS), "rb", buffering=0) as stream:
                return stream.read(size) if stat.S_ISREG(os.fstat(stream.fileno()).st_mode) else b""
        except OSError:
            return b""

    def tail(self, size: int) -> bytes:
        """The last bytes; all where the file is shorter.

        Raises:
            LimitError: the file is larger than ``file_size``.
            InputError: the operating system refuses.
        """
        try:
            with open(os.open(self.file, _FLAGS), "rb", buffering=0) as stream:
                state = os.fstat(stream.fileno())
                if not stat.S_ISREG(state.st_mode):
                    raise InputError(f"{self.origin} is no regular file")
                if state.st_size > self.limits.file_size:
                    raise LimitError(f"{state.st_size} bytes; raise --limit file_size")
                return os.pread(stream.fileno(), size, max(state.st_size - size, 0))
        except OSError as error:
            raise InputError(f"cannot read {self.origin}: {error.strerror or error}") from error


@dataclass(frozen=True, slots=True)
class Folder:
    """The files and folders directly inside one folder, in the order of their names."""

    place: Path
    path: str
    """Relative to the argument of the run; empty for the argument itself."""
    origin: tuple[str, ...]
    """Origin steps before the path: the label of the argument where there are several."""
    limits: Limits
    problems: list[Problem] = field(default_factory=list)
    """Links not followed and folders that could not be listed; filled while listing."""
    _listing: list[_Listing] = field(default_factory=list)
    """What the one look at the folder found: a second look could find, and report, something else."""

    @property
    def name(self) -> str:
        return self.place.name

    def budget_for(self, size: int) -> Budget:
        return Budget(self.limits, input_size=size)

    @property
    def here(self) -> Origin:
        """Of the folder itself; the argument of a run goes by its own name."""
        return Origin(("/".join(part for part in (*self.origin, self.path) if part) or self.place.name,))

    def _origin(self, name: str) -> Origin:
        return Origin(("/".join(part for part in (*self.origin, self.path, name) if part),))

    def entries(self) -> _Listing:
        """Files and sub-folders; what cannot be listed is added to ``problems``."""
        if not self._listing:
            self._listing.append(self._list())
        return self._listing[0]

    def _list(self) -> _Listing:
        files: list[FileMember] = []
        folders: list[Folder] = []
        try:
            names = sorted(os.listdir(self.place))
        except OSError as error:
            self.problems.append(Problem(ProblemCode.UNREADABLE, self.here, f"{error.strerror or error}"))
            return (), ()
        for name in names:
            self._sort_in(name, files, folders)
        return tuple(files), tuple(folders)

    def _sort_in(self, name: str, files: list[FileMember], folders: list[Folder]) -> None:
        place = self.place / name
        path = f"{self.path}/{name}" if self.path else name
        origin = self._origin(name)
        try:
            state = os.lstat(place)
        except OSError as error:
            self.problems.append(Problem(ProblemCode.UNREADABLE, origin, f"{error.strerror or error}"))
            return
        if stat.S_ISLNK(state.st_mode):
            self.problems.append(Problem(ProblemCode.LINK_SKIPPED, origin, "name the link's target to audit it"))
        elif stat.S_ISDIR(state.st_mode):
            folders.append(Folder(place, path, self.origin, self.limits, self.problems))
        elif stat.S_ISREG(state.st_mode):
            files.append(FileMember(place, path, state.st_size, origin, self.limits))


_Listing = tuple[tuple[FileMember, ...], tuple[Folder, ...]]


def find_files(folder: Directory) -> Iterator[Member]:
    """Every file below a folder, depth first in the order of names.

    Raises:
        LimitError: more than ``folder_entries`` files.
    """
    count = 0
    limit = folder.limits.folder_entries
    pending = [folder]
    while pending:
        files, folders = pending.pop().entries()
        for member in files:
            count += 1
            if count > limit:
                raise LimitError(f"more than {limit} files; raise --limit folder_entries")
            yield member
        pending.extend(reversed(folders))


def find_siblings(members: Iterable[FileMember]) -> dict[str, FileMember]:
    """The regular files in the folders of files that the user named alone, by name: a database may need its log."""
    found: dict[str, FileMember] = {}
    for member in members:
        folder, _, _ = member.path.rpartition("/")
        label = (folder,) if folder else ()
        # The label stands for the place of the file, so the origins of its neighbours are made the same way.
        beside, _ = Folder(member.file.parent, "", label, member.limits).entries()
        found.update((item.path, replace(item, path="/".join((*label, item.path)))) for item in beside)
        above, _ = Folder(member.file.parent.parent, "", (*label, ".."), member.limits).entries()
        found.update((f"../{item.path}", item) for item in above if item.path == _MAPPINGS)
    return found
