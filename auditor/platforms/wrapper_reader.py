"""The shape of a reader of a cross-platform framework's files: what it wants, and what it tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from auditor.formats.blob import Blob
from auditor.limits import Limits
from auditor.model import Values


@dataclass(frozen=True, slots=True)
class WrapperFacts:
    """What one file tells of the framework that an app is built with."""

    framework: str
    """One of the values of FactKind.WRAPPER; it also stands before the name of each plugin."""
    plugins: tuple[str, ...] = ()
    """Names of plugins, without the framework."""
    strings: Values | None = None
    """Strings of the framework's own code, decoded on demand."""
    faults: tuple[str, ...] = ()
    """What of the file could not be read; each hides the plugins and strings that may stand there."""


@dataclass(frozen=True, slots=True)
class WrapperReader:
    """Reads one kind of file. The first reader of a list that wants a member gets it, alone."""

    wants: Callable[[str, bytes], bool]
    """By the path inside the package and the first bytes (16 or more, where there are so many). Called for every
    member of every app: test the path or the magic number, nothing else."""
    read: Callable[[Blob, str, Limits], WrapperFacts | None]
    """From the bytes, the path and the limits; None where the file is not of this framework after all.
    Raises FormatError only."""
    limit: str = "wrapper_size"
    """Name of the bound on the size of the file; a larger one is not opened."""
