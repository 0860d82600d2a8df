"""Names the apps of an adb backup from their manifests: who signed and installed them, and whether their APK is in it.

An app that does not allow backups is not in it, so it never shows that an app was absent.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator

from auditor.containers.member import Budget, Directory, Member
from auditor.errors import AuditorError, FormatError, LimitError
from auditor.formats.adb_backup import parse_backup_manifest
from auditor.formats.certificate import parse_certificate
from auditor.limits import Limits
from auditor.model import (
    Completeness,
    DeviceRecord,
    FactKind,
    Listing,
    Origin,
    Platform,
    Problem,
    ProblemCode,
    RecordKind,
    Signer,
    State,
)
from auditor.platforms.record_source import RecordSource
from auditor.platforms.refusal import refusal

_NAME = "_manifest"
_PLACE = re.compile(r"(?:^|/)apps/[^/]+/_manifest$")
_FOLDER = "apps"
_PACKAGE = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)+", re.ASCII)
_SIGNERS = frozenset({FactKind.SIGNER})
_DETAIL = "apps that allow backups, as far as the backup was asked for them"
_BY_HAND = frozenset({"com.android.packageinstaller", "com.android.shell", "com.google.android.packageinstaller"})
"""What asks a person before it installs, and adb."""


def is_backup_manifest(path: str) -> bool:
    """Whether a path is that of a manifest in an unpacked backup."""
    return path.endswith(_NAME) and _PLACE.search(path) is not None


def backup_of(manifests: Iterable[Member], budget: Budget) -> Iterator[RecordSource]:
    """The one record that the manifests of a backup make up."""
    found = {member.path: member for member in manifests}
    if found:
        yield RecordSource(RecordKind.ADB_BACKUP, found[min(found)], dict(sorted(found.items())), budget)


def find_backup(place: Directory, folders: Iterable[Directory]) -> Iterator[RecordSource]:
    """The record that a folder ``apps`` with a manifest in each of its folders is."""
    if place.name == _FOLDER:
        files = (item for folder in folders for item in folder.entries()[0])
        yield from backup_of(
            (item for item in files if is_backup_manifest(f"{_FOLDER}/{_inner(item)}")), place.budget_for(0)
        )


def _inner(item: Member) -> str:
    """The last two steps of a path: those of the root of a tree do not tell its own name."""
    return "/".join(item.path.split("/")[-2:])


def read_backup(source: RecordSource) -> DeviceRecord:
    """What the manifests of a backup say; one that cannot be read still names its app by its folder."""
    signers = _Signers(source.budget.limits)
    listings: list[Listing] = []
    problems: list[Problem] = []
    for path, member in source.beside.items():
        listing, problem = _read_manifest(path.split("/")[-2], member, signers, source.budget.limits)
        listings.extend(listing)
        problems.extend(problem)
    return DeviceRecord(
        RecordKind.ADB_BACKUP,
        _folder_of(source.origin),
        Completeness.PARTIAL,
        _DETAIL,
        listings=tuple(sorted(listings, key=lambda item: (item.app_id, item.user, item.state, item.origin))),
        attributes=(("platform", Platform.ANDROID.value),),
        problems=tuple(problems),
    )


def _folder_of(origin: Origin) -> Origin:
    """The origin of ``apps``, which lies in the same container as the manifests."""
    steps = origin.path[-1].split("/")[:-2]
    return Origin((*origin.path[:-1], "/".join(steps))) if steps else Origin(origin.path[:-1])


def _read_manifest(
    folder: str, member: Member, signers: _Signers, limits: Limits
) -> tuple[list[Listing], list[Problem]]:
    named = [folder] if _PACKAGE.fullmatch(folder) is not None else []
    try:
        if member.size > limits.record_size:
            raise LimitError(f"a record of {member.size} bytes; raise --limit record_size")
        found = parse_backup_manifest(member.open())
    except AuditorError as error:
        problem = refusal(member.origin, error, ProblemCode.RECORD_DAMAGED, _SIGNERS if named else None)
        return [Listing(Platform.ANDROID, name, member.origin, State.BACKUP) for name in named], [problem]
    problems = []
    if named != [found.package]:
        detail = f"the manifest in the folder {folder} is that of {found.package}"
        problems.append(Problem(ProblemCode.RECORD_DAMAGED, member.origin, detail))
    known, digests = signers.of(found.certificates)
    if digests:
        detail = f"a certificate of {found.package} cannot be read"
        problems.append(Problem(ProblemCode.RECORD_DAMAGED, member.origin, detail, _SIGNERS))
    flags = {"side-loaded": found.installer in _BY_HAND, "with its code": found.has_apk}
    listing = Listing(
        Platform.ANDROID,
        found.package,
        member.origin,
        State.BACKUP,
        version_code=found.version_code,
        signers=known,
        signer_digests=digests,
        installer=found.installer,
        flags=tuple(sorted(word for word, holds in flags.items() if holds)),
    )
    return [listing], problems


class _Signers:
    """Signers of certificates; the same few sign most apps."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._known: dict[bytes, Signer | None] = {}

    def of(self, certificates: Iterable[bytes]) -> tuple[tuple[Signer, ...], tuple[str, ...]]:
        """The signers, and the digests of certificates that cannot be read."""
        signers, digests = [], []
        for der in certificates:
            if der not in self._known:
                self._known[der] = self._parse(der)
            signer = self._known[der]
            if signer is None:
                digests.append(f"sha256:{hashlib.sha256(der).hexdigest()}")
            else:
                signers.append(signer)
        return tuple(signers), tuple(digests)

    def _parse(self, der: bytes) -> Signer | None:
        try:
            return parse_certificate(der, self._limits)
        except FormatError:
            return None
