"""What a loaded catalog is made of, beside the nouns of the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

from auditor.model.policies import Policy
from auditor.model.signatures import Certificate, Clause, Signature, Subject

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing that is wrong with a catalog file."""

    file: str
    key: str
    """Where in the file: ``signature[wechat-opensdk-android].clause[classes].kind``."""
    what: str
    recommendation: str

    def __str__(self) -> str:
        place = f"{self.file}: {self.key}" if self.key else self.file
        return f"{place}: {self.what}; {self.recommendation}"


@dataclass(frozen=True, slots=True)
class Source:
    """A document a value was read in."""

    id: str
    kind: str
    ref: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Packer:
    """A protector that leaves a loader where the code was; any clause that holds shows it."""

    id: str
    name: str
    clauses: tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything loaded, checked as a whole."""

    subjects: Mapping[str, Subject]
    signatures: tuple[Signature, ...]
    """Ascending by id."""
    policies: tuple[Policy, ...]
    """Ascending by id."""
    certificates: Mapping[str, Certificate]
    sources: Mapping[str, Source]
    packers: tuple[Packer, ...] = ()
    """Ascending by id."""
    digest: str = ""
    """SHA-256 (hex) over the sorted file names and the parsed content: layout and comments do not count."""

    def signature(self, signature_id: str) -> Signature | None:
        """The signature of that id."""
        return next((item for item in self.signatures if item.id == signature_id), None)


def frozen(items: Mapping[str, _T]) -> Mapping[str, _T]:
    """A read-only copy in ascending order of the keys."""
    return MappingProxyType({key: items[key] for key in sorted(items)})
