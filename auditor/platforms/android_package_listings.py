"""Makes listings of what packages.xml says: installed apps, factory versions behind updates, and who signed them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

from auditor.errors import FormatError
from auditor.formats.android_state_tree import moment_of
from auditor.formats.certificate import parse_certificate
from auditor.formats.packages_xml import FLAG_DEBUGGABLE, PackageSetting, PackagesXml
from auditor.limits import Limits
from auditor.model import Listing, Origin, Platform, Signer, State

_STAGED = re.compile(r"/(?:app/vmdl[0-9]+\.tmp|app-staging)(?:/|$)")
_FROM_FILE = frozenset({3, 4})
_HAND_INSTALLERS = frozenset(
    {"com.android.packageinstaller", "com.android.shell", "com.google.android.packageinstaller"}
)
"""What asks a person before it installs, and adb. No installer on record proves nothing: it may have been removed."""


def package_listings(found: PackagesXml, origin: Origin, limits: Limits) -> tuple[tuple[Listing, ...], tuple[str, ...]]:
    """Every app of the file, ascending, and the packages with a certificate that cannot be read.

    A record stands for the device, not for a user: an app may be installed for some users only, or kept for its data;
    package-restrictions.xml of each user tells.
    """
    certificates = _Certificates(limits)
    listings = [_listing(item, _state(item), origin, certificates) for item in found.packages]
    for item in found.updated:
        listing = _listing(item, State.SHADOWED, origin, certificates)
        # Its record has no flags; only system apps have such a record.
        listings.append(replace(listing, system=True))
    listings.extend(islice(_renamed(found.renamed, listings), limits.record_listings))
    ordered = sorted(listings, key=lambda item: (item.app_id, item.user, item.state))
    return tuple(ordered), tuple(sorted(certificates.unreadable))


class _Certificates:
    """Signers of DER bytes; the same few certificates sign most packages."""

    def __init__(self, limits: Limits) -> None:
        self.unreadable: set[str] = set()
        self._limits = limits
        self._known: dict[bytes, Signer | None] = {}

    def of(self, package: str, ders: Iterable[bytes]) -> tuple[tuple[Signer, ...], tuple[str, ...]]:
        """The signers, and digests of the certificates that cannot be read."""
        signers, digests = [], []
        for der in ders:
            signer = self._signer(der)
            if signer is not None:
                signers.append(signer)
            else:
                self.unreadable.add(package)
                digests.append(f"sha256:{hashlib.sha256(der).hexdigest()}")
        return tuple(signers), tuple(digests)

    def _signer(self, der: bytes) -> Signer | None:
        if der not in self._known and len(self._known) >= self._limits.record_certificates:
            return None
        if der not in self._known:
            try:
                self._known[der] = parse_certificate(der, self._limits)
            except FormatError:
                self._known[der] = None
        return self._known[der]


def _state(item: PackageSetting) -> State:
    if item.archived:
        return State.ARCHIVED
    return State.STAGED if _STAGED.search(item.code_path) is not None else State.INSTALLED


def _listing(item: PackageSetting, state: State, origin: Origin, certificates: _Certificates) -> Listing:
    signers, digests = certificates.of(item.name, item.signers)
    past_signers, _ = certificates.of(item.name, item.past_signers)
    return Listing(
        Platform.ANDROID,
        item.name,
        origin.at(item.offset),
        state,
        version_code=item.version_code,
        signers=signers,
        past_signers=past_signers,
        signer_digests=digests,
        installer=item.installer or item.initiator,
        installed=moment_of(item.first_installed),
        updated=moment_of(item.updated),
        paths=(item.code_path,) if item.code_path else (),
        system=item.is_system,
        flags=tuple(_flags(item)),
    )


def _flags(item: PackageSetting) -> list[str]:
    flags = []
    if item.public_flags is not None and item.public_flags & FLAG_DEBUGGABLE:
        flags.append("debuggable")
    if item.source in _FROM_FILE or not _HAND_INSTALLERS.isdisjoint((item.installer, item.initiator)):
        flags.append("side-loaded")
    return flags


def _renamed(pairs: Iterable[tuple[str, str]], listings: Iterable[Listing]) -> Iterator[Listing]:
    """The same apps under the name their manifest has: the records keep the first name, the file has the new one."""
    known: dict[str, dict[State, Listing]] = {}
    for item in listings:
        known.setdefault(item.app_id, {})[item.state] = item
    for new, old in pairs:
        if new not in known:
            yield from (replace(item, app_id=new) for item in known.get(old, {}).values())
