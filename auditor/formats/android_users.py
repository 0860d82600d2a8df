"""Reads userlist.xml and <N>.xml: the users and profiles of an Android device, never their names.

Format: UserManagerService.java and UserInfo.java of AOSP (writeUserListLP, writeUserLP).

Not read: names, accounts, pictures, restrictions, times of log-in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from auditor.errors import FormatError, LimitError
from auditor.formats.android_state_tree import Element, truth, whole_number
from auditor.formats.android_state_xml import parse_state_xml
from auditor.formats.blob import Blob
from auditor.limits import DEFAULT, Limits

LIST_ROOT: Final = "users"
USER_ROOT: Final = "user"

_TYPE_PREFIX = "android.os.usertype."
_TYPES = {
    "full.SYSTEM": "owner",
    "full.SECONDARY": "secondary user",
    "full.GUEST": "guest",
    "full.DEMO": "demo user",
    "full.RESTRICTED": "restricted user",
    "profile.MANAGED": "work profile",
    "profile.CLONE": "clone profile",
    "profile.PRIVATE": "private space",
    "profile.COMMUNAL": "communal profile",
    "profile.SUPERVISING": "supervising profile",
    "profile.TEST": "test profile",
    "system.HEADLESS": "system",
}
_FLAGS = (
    (0x20, "work profile"),
    (0x04, "guest"),
    (0x08, "restricted user"),
    (0x200, "demo user"),
    (0x1000, "profile"),
    (0x01, "owner"),
)
"""Flags of UserInfo, the telling ones first: before Android 11 they are all there is."""
_LAST_ID = 0x7FFFFFFF
_MOST_USERS = 10_000
"""The platform stops at some hundreds."""


@dataclass(frozen=True, slots=True)
class AndroidUser:
    """One user or profile."""

    id: int
    type: str = ""
    """``android.os.usertype.…``; empty before Android 11."""
    flags: int | None = None
    parent: int | None = None
    """The user that a profile belongs to."""
    partial: bool = False
    """Being created or removed."""

    @property
    def profile(self) -> str:
        """What it is in a word or two; empty where the record does not tell."""
        if self.type.startswith(_TYPE_PREFIX):
            kind = self.type.removeprefix(_TYPE_PREFIX)
            return _TYPES.get(kind, "profile" if kind.startswith("profile.") else "")
        if self.flags is None:
            return ""
        for flag, word in _FLAGS:
            if self.flags & flag:
                return word
        return "owner" if self.id == 0 else "secondary user"


@dataclass(frozen=True, slots=True)
class AndroidUsers:
    """What one file says, as far as it could be read."""

    users: tuple[AndroidUser, ...]
    """Ascending by id; from userlist.xml without type and flags."""
    fault: FormatError | None


def parse_android_users(data: Blob, limits: Limits = DEFAULT) -> AndroidUsers:
    """Read a userlist.xml or the file of one user, text or binary.

    Raises:
        FormatError: it is neither, or names no user.
        LimitError: it is larger than ``Limits.record_size``.
    """
    document = parse_state_xml(data, limits)
    root = document.rooted(LIST_ROOT, USER_ROOT)
    elements = [root] if root.name == USER_ROOT else [item for item in root.children if item.name == USER_ROOT]
    if len(elements) > _MOST_USERS:
        raise LimitError(f"a list of {len(elements)} users")
    users = {found.id: found for found in map(_user, elements) if found is not None}
    if not users:
        raise document.fault or FormatError("no user has an id", root.offset)
    return AndroidUsers(tuple(users[number] for number in sorted(users)), document.fault)


def _user(element: Element) -> AndroidUser | None:
    number = whole_number(element.get("id"))
    if number is None or not 0 <= number <= _LAST_ID:
        return None
    return AndroidUser(
        number,
        element.get("type")[:80],
        whole_number(element.get("flags")),
        whole_number(element.get("profileGroupId")),
        truth(element.get("partial")) is True,
    )
