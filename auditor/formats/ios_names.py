"""What the records of an iOS device share: ids of apps, and bounds of the property lists that lie in them.

Format: CFBundleIdentifier of Apple's Information Property List; older apps have ids with characters it does not allow.

Not read: nothing; ids are judged, never repaired.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from auditor.limits import Limits

ID_LENGTH: Final = 255
TEXT_LENGTH: Final = 1000
"""Characters kept of a version or a label."""
_SPARE: Final = 1000


def is_app_id(text: str) -> bool:
    """Whether text can be the id of an app: short, and without white space and control characters."""
    return 0 < len(text) <= ID_LENGTH and text.isprintable() and " " not in text


def inner_limits(limits: Limits, size: int) -> Limits:
    """Bounds for a property list of some bytes that is one of many in a record.

    Its values may share others; a list that shares so much that it has far more values than bytes is made to cost time.
    """
    return replace(limits, xml_elements=min(limits.xml_elements, _SPARE + 4 * size))
