"""Finds the catalog's files, parses and checks them, and reports every fault at once."""

from __future__ import annotations

import hashlib
import importlib.resources
import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TypeVar

from auditor.catalog.check import check
from auditor.catalog.learned import with_learned
from auditor.catalog.nouns import Catalog, Fault, Packer, Source, frozen
from auditor.catalog.parse import (
    parse_learned,
    parse_packer,
    parse_policy,
    parse_signature,
    parse_source,
    parse_subject,
)
from auditor.catalog.table import Table
from auditor.errors import CatalogError
from auditor.model.learned import LearnedSet
from auditor.model.policies import Policy
from auditor.model.signatures import Certificate, Role, Signature, Subject

FOLDERS = ("apps", "sdks", "vendors", "learned", "policies")
SINGLE_FILES = ("sources.toml", "packers.toml")
_ROLES = {"sdks": Role.SDK, "vendors": Role.VENDOR}
_MAX_FILE_SIZE = 2 << 20
_PACK_MARK = "~"
_Noun = TypeVar("_Noun", Subject, Signature, Policy, Packer, Source, Certificate)


def load_catalog(extra: Sequence[Path] = (), root: Path | Traversable | None = None) -> Catalog:
    """Load the shipped catalog and an organisation's own packs beside it.

    Raises:
        CatalogError: a file is faulty, or a pack uses an id that is taken; the message lists every fault.
    """
    files = dict(_files_of(shipped_signatures() if root is None else root, ""))
    files.update(_files_of_packs(extra))
    return parse_catalog(files)


def check_catalog(paths: Sequence[Path] = (), root: Path | Traversable | None = None) -> list[Fault]:
    """Every fault of the shipped catalog together with the packs in ``paths``, ascending; none means it loads."""
    try:
        files = dict(_files_of(shipped_signatures() if root is None else root, ""))
        files.update(_files_of_packs(paths))
    except CatalogError as error:
        return [Fault("", "", str(error), "name a folder of signatures")]
    return find_faults(files)


def parse_catalog(files: Mapping[str, bytes]) -> Catalog:
    """A catalog from file contents by their paths (``sdks/name.toml``).

    Raises:
        CatalogError: the message lists every fault.
    """
    catalog, faults = _read(files)
    if faults:
        lines = "\n".join(f"  {fault}" for fault in faults)
        raise CatalogError(f"{len(faults)} fault(s) in the catalog:\n{lines}")
    return catalog


def find_faults(files: Mapping[str, bytes]) -> list[Fault]:
    """Every fault of a catalog given as file contents by their paths, ascending."""
    return _read(files)[1]


def shipped_signatures() -> Traversable:
    """The folder of the shipped signatures: in the installed package, or beside it in a plain checkout."""
    try:
        return importlib.resources.files("auditor.signatures")
    except ModuleNotFoundError:
        return Path(__file__).resolve().parents[2] / "signatures"


def _files_of(root: Path | Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    """The catalog's files under ``root`` as (path, content); ``staging`` and anything else is not read."""
    if not root.is_dir():
        raise CatalogError(f"signatures folder {root.name!r} does not exist or is no folder; name an existing one")
    for name in SINGLE_FILES:
        if root.joinpath(name).is_file():
            yield prefix + name, root.joinpath(name).read_bytes()
    for folder in FOLDERS:
        place = root.joinpath(folder)
        if place.is_dir():
            for item in sorted(place.iterdir(), key=lambda item: item.name):
                if item.name.endswith(".toml"):
                    yield f"{prefix}{folder}/{item.name}", item.read_bytes()


def _files_of_packs(packs: Sequence[Path]) -> Iterator[tuple[str, bytes]]:
    """The files of every pack, each under a name of its own so that none hides another."""
    for number, pack in enumerate(packs, start=1):
        found = list(_files_of(pack, f"{pack.resolve().name}{_PACK_MARK}{number}/"))
        if not found:
            wanted = ", ".join(f"{folder}/*.toml" for folder in FOLDERS)
            raise CatalogError(f"signatures folder {pack.name!r} holds no signatures; put files at {wanted}")
        yield from found


@dataclass(slots=True)
class _Draft:
    """What was read so far, in file order, before ids are compared."""

    subjects: list[tuple[str, Subject]] = field(default_factory=list)
    signatures: list[tuple[str, Signature]] = field(default_factory=list)
    policies: list[tuple[str, Policy]] = field(default_factory=list)
    packers: list[tuple[str, Packer]] = field(default_factory=list)
    sources: list[tuple[str, Source]] = field(default_factory=list)
    learned: list[tuple[str, LearnedSet]] = field(default_factory=list)


def _read(files: Mapping[str, bytes]) -> tuple[Catalog, list[Fault]]:
    faults: list[Fault] = []
    draft = _Draft()
    content: dict[str, object] = {}
    for name in sorted(files, key=lambda name: (_is_of_pack(name), name)):
        data = _parse_toml(name, files[name], faults)
        if data is not None:
            content[name] = data
            _parse_file(name, Table(name, "", data, faults), draft)
    catalog, homes = _assemble(draft, faults)
    faults.extend(check(catalog, homes))
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=True, separators=(",", ":"), default=str)
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    return replace(catalog, digest=digest), sorted(set(faults))


def _is_of_pack(name: str) -> bool:
    """Whether a file came with a pack; the shipped files are read first, so that a clash is the pack's fault."""
    return _PACK_MARK in name.partition("/")[0]


def _parse_toml(name: str, data: bytes, faults: list[Fault]) -> dict[str, object] | None:
    if len(data) > _MAX_FILE_SIZE:
        faults.append(Fault(name, "", f"is larger than {_MAX_FILE_SIZE} bytes", "split it"))
        return None
    try:
        return tomllib.loads(data.decode())
    except UnicodeDecodeError:
        faults.append(Fault(name, "", "is not UTF-8", "save it as UTF-8"))
    except tomllib.TOMLDecodeError as error:
        faults.append(Fault(name, "", f"is no TOML: {error}", "correct the line named"))
    except RecursionError:
        faults.append(Fault(name, "", "nests too deeply", "write flat tables"))
    return None


def _parse_file(name: str, table: Table, draft: _Draft) -> None:
    """Parse one file by the folder it lies in."""
    parts = name.split("/")
    folder = parts[-2] if len(parts) > 1 else ""
    if parts[-1] == "sources.toml" and folder not in FOLDERS:
        draft.sources.extend((name, parse_source(item)) for item in table.tables("source"))
        table.close()
    elif parts[-1] == "packers.toml" and folder not in FOLDERS:
        draft.packers.extend((name, parse_packer(item)) for item in table.tables("packer"))
        table.close()
    elif folder == "apps":
        draft.subjects.append((name, parse_subject(table)))
    elif folder == "policies":
        draft.policies.append((name, parse_policy(table)))
    elif folder == "learned":
        learned = parse_learned(table)
        if learned is not None:
            draft.learned.append((name, learned))
    elif folder in _ROLES:
        found = [parse_signature(item, _ROLES[folder]) for item in table.tables("signature")]
        table.close()
        draft.signatures.extend((name, item) for item in found if item is not None)
        if not table.data.get("signature"):
            table.fault("signature", "is missing", "describe at least one signature as [[signature]]")
    else:
        table.fault("", "lies in no folder of a catalog", f"move it to one of: {', '.join(FOLDERS)}")


def _assemble(draft: _Draft, faults: list[Fault]) -> tuple[Catalog, dict[str, str]]:
    """The catalog of all first definitions, and the file each id comes from (``signature:ID``)."""
    homes: dict[str, str] = {}
    sources = _distinct("source", draft.sources, homes, faults)
    subjects = _distinct("subject", draft.subjects, homes, faults)
    signatures = with_learned(_distinct("signature", draft.signatures, homes, faults), draft.learned, homes, faults)
    policies = _distinct("policy", draft.policies, homes, faults)
    packers = _distinct("packer", draft.packers, homes, faults)
    owned = [(name, item) for name, subject in draft.subjects for item in subject.certificates]
    certificates = _distinct("certificate", owned, homes, faults)
    catalog = Catalog(
        subjects=frozen({key: _with_references(item, certificates) for key, item in subjects.items()}),
        signatures=tuple(signatures[key] for key in sorted(signatures)),
        policies=tuple(policies[key] for key in sorted(policies)),
        certificates=frozen(certificates),
        sources=frozen(sources),
        packers=tuple(packers[key] for key in sorted(packers)),
    )
    return catalog, homes


def _distinct(
    what: str, items: list[tuple[str, _Noun]], homes: dict[str, str], faults: list[Fault]
) -> dict[str, _Noun]:
    """By id, the first of each; a pack cannot take over an id that is in use."""
    out: dict[str, _Noun] = {}
    for file, item in items:
        if item.id in out:
            taken = homes[f"{what}:{item.id}"]
            faults.append(Fault(file, f"{what}[{item.id}]", f"this id is taken by {taken}", "choose another id"))
        else:
            out[item.id] = item
            homes[f"{what}:{item.id}"] = file
    return out


def _with_references(subject: Subject, certificates: Mapping[str, Certificate]) -> Subject:
    """Add the certificates that the subject's ids refer to and another file defines."""
    named = dict.fromkeys(item for app in subject.app_ids for item in app.certificates)
    mine = {item.id for item in subject.certificates}
    borrowed = tuple(certificates[item] for item in named if item in certificates and item not in mine)
    return replace(subject, certificates=subject.certificates + borrowed) if borrowed else subject
