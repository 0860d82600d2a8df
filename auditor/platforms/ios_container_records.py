"""Read what iOS notes in the container of an app: whose it is, when it came, which store record came with it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from auditor.errors import AuditorError
from auditor.formats.blob import Blob
from auditor.formats.bundle_metadata import BundleMetadata, parse_bundle_metadata
from auditor.formats.container_metadata import METADATA_NAME, ContainerMetadata, parse_container_metadata
from auditor.formats.itunes_metadata import StoreRecord, parse_itunes_metadata
from auditor.limits import Limits
from auditor.model import DeviceRecord, Listing, Platform, Problem, ProblemCode, RecordKind, State
from auditor.platforms.record_source import RecordSource
from auditor.platforms.refusal import refusal

CONTAINER_FILES = (METADATA_NAME, "iTunesMetadata.plist", "BundleMetadata.plist")
"""What tells of a container; the first that is there stands for it."""
_PLACE = re.compile(r"(?:^|/)containers/(?P<side>bundle|data|shared)/(?P<class>[^/]+)/[^/]+/[^/]+$", re.IGNORECASE)
_T = TypeVar("_T")


@dataclass(slots=True)
class _Container:
    source: RecordSource
    problems: list[Problem] = field(default_factory=list)

    def read(self, name: str, parse: Callable[[Blob, Limits], _T]) -> _T | None:
        """One of its files; what cannot be read is a problem."""
        member = self.source.beside.get(name)
        if member is None:
            return None
        try:
            return parse(member.open(), self.source.budget.limits)
        except AuditorError as error:
            self.problems.append(refusal(member.origin, error, ProblemCode.RECORD_DAMAGED))
            return None


def is_app_container(path: str) -> bool:
    """Whether a file lies in the container of an app: not of a plug-in or group, and not in an unpacked IPA."""
    place = _PLACE.search(path)
    if place is None:
        # The root of an extraction that was cut to this one container: the record itself tells of what it is.
        return path.rpartition("/")[2] == METADATA_NAME
    return place["class"].lower() == "application"


def read_container(source: RecordSource) -> DeviceRecord:
    """The app of one container: installed where the bundle lies, residual where only data is told of."""
    container = _Container(source)
    metadata = container.read(METADATA_NAME, parse_container_metadata)
    store = container.read("iTunesMetadata.plist", parse_itunes_metadata)
    bundle = container.read("BundleMetadata.plist", parse_bundle_metadata)
    side = _side(source.main.path, metadata)
    app_id = (metadata.identifier if metadata is not None else "") or (store.bundle_id if store is not None else "")
    listings: tuple[Listing, ...] = ()
    if app_id and side is not None:
        listings = (_listing(app_id, side, source, store, bundle),)
    detail = "the container of one app" if listings else "a container that names no app"
    return DeviceRecord(
        RecordKind.IOS_CONTAINERS,
        source.origin,
        detail=detail,
        listings=listings,
        attributes=(("manufacturer", "Apple"), ("platform", Platform.IOS.value)),
        problems=tuple(container.problems),
    )


def _side(path: str, metadata: ContainerMetadata | None) -> str | None:
    """``bundle`` or ``data`` of an app; the place is surer than the number of the class."""
    place = _PLACE.search(path)
    if place is not None:
        return place["side"].lower() if place["class"].lower() == "application" else None
    return metadata.app_container if metadata is not None else None


def _listing(
    app_id: str, side: str, source: RecordSource, store: StoreRecord | None, bundle: BundleMetadata | None
) -> Listing:
    return Listing(
        Platform.IOS,
        app_id,
        source.origin,
        state=State.INSTALLED if side == "bundle" else State.RESIDUAL,
        version=store.version if store is not None else "",
        version_code=store.build_version if store is not None else "",
        label=store.name if store is not None else "",
        installed=bundle.installed if bundle is not None else "",
        paths=(source.main.path.rpartition("/")[0],) if side == "bundle" else (),
        store_id=store.item_id if store is not None else "",
        system=False if side == "bundle" else None,
    )
