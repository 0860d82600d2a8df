"""Turn a parsed Android manifest into facts: what the app declares, never what it carries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from auditor.formats.android_manifest import Manifest
from auditor.model import FactBatch, FactKind, Origin, batch

_COMPONENTS = {
    "activity": FactKind.ACTIVITY,
    "activity-alias": FactKind.ACTIVITY,
    "service": FactKind.SERVICE,
    "receiver": FactKind.RECEIVER,
    "provider": FactKind.PROVIDER,
}


def manifest_facts(manifest: Manifest, origin: Origin) -> Iterator[FactBatch]:
    """Batches of every kind the manifest has values for."""
    for kind, values in _declared(manifest):
        kept = [value for value in values if value]
        if kept:
            yield batch(kind, origin, kept)


def _declared(manifest: Manifest) -> Iterator[tuple[FactKind, Iterable[str]]]:
    if not manifest.split:
        yield FactKind.APP_ID, (manifest.package,)
        yield FactKind.SHARED_USER, (manifest.shared_user_id,)
    for kind in (FactKind.ACTIVITY, FactKind.SERVICE, FactKind.RECEIVER, FactKind.PROVIDER):
        yield kind, [item.name for item in manifest.components if _COMPONENTS.get(item.kind) is kind]
    yield FactKind.AUTHORITY, [name for item in manifest.components for name in item.authorities]
    yield FactKind.INTENT_ACTION, [name for item in manifest.components for name in item.actions]
    yield FactKind.INTENT_SCHEME, [name for item in manifest.components for name in item.schemes]
    nested = [name for item in manifest.components for name in item.meta_data]
    yield FactKind.META_DATA, [*(name for name, _ in manifest.meta_data), *nested]
    yield FactKind.PERMISSION, manifest.permissions
    yield FactKind.QUERY_PACKAGE, manifest.query_packages
    yield FactKind.QUERY_ACTION, manifest.query_actions
    yield FactKind.QUERY_SCHEME, manifest.query_schemes
    yield FactKind.USES_LIBRARY, manifest.uses_libraries
