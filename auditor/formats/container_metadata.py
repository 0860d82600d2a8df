"""Read the record that iOS keeps in every container: whose it is.

Format: .com.apple.mobile_container_manager.metadata.plist of MobileContainerManager; not published by Apple.

Not read: entitlements, personas, the owner and the creator of a container.
"""

from __future__ import annotations

from dataclasses import dataclass

from auditor.errors import FormatError
from auditor.formats.blob import Blob
from auditor.formats.plist import parse_plist, table, text
from auditor.limits import DEFAULT, Limits

METADATA_NAME = ".com.apple.mobile_container_manager.metadata.plist"
_APP_CLASSES = {1: "bundle", 2: "data"}
"""MCMMetadataContentClass; plug-ins are 3 and 4, groups 7, the rest belongs to the system."""


@dataclass(frozen=True, slots=True)
class ContainerMetadata:
    """Whose container it is."""

    identifier: str
    """Bundle id of an app or plug-in, or id of a group."""
    uuid: str
    content_class: int | None

    @property
    def app_container(self) -> str | None:
        """``bundle`` or ``data`` of an app; None: of something else, or not said."""
        return None if self.content_class is None else _APP_CLASSES.get(self.content_class)


def parse_container_metadata(data: Blob, limits: Limits = DEFAULT) -> ContainerMetadata:
    """Read the metadata of a container.

    Raises:
        FormatError: it is no property list, or names no owner.
    """
    root = table(parse_plist(data, limits))
    identifier = text(root.get("MCMMetadataIdentifier"))
    if not identifier:
        raise FormatError("the metadata of the container names no identifier")
    content_class = root.get("MCMMetadataContentClass")
    return ContainerMetadata(
        identifier,
        text(root.get("MCMMetadataUUID")),
        content_class if isinstance(content_class, int) and not isinstance(content_class, bool) else None,
    )
