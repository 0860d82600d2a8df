"""Files of Android's package service, written after Settings.java and PackageSignatures.java."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tests.builders.abx import Interned, Node, Value, flag, hexed, long, long_hex, node, number


class Certificates:
    """Numbers certificates as the service does: the bytes are written where the file first uses them."""

    def __init__(self) -> None:
        self._seen: list[bytes] = []

    def cert(self, der: bytes, extra: Mapping[str, Value] | None = None) -> Node:
        if der in self._seen:
            return node("cert", {"index": number(self._seen.index(der)), **(extra or {})})
        self._seen.append(der)
        return node("cert", {"index": number(len(self._seen) - 1), "key": hexed(der), **(extra or {})})

    def sigs(self, current: Iterable[bytes], past: Iterable[bytes] = (), name: str = "sigs") -> Node:
        children = [self.cert(der) for der in current]
        earlier = [self.cert(der, {"flags": number(17)}) for der in past]
        if earlier:
            children.append(node("pastSigs", {"count": number(len(earlier)), "schemeVersion": number(3)}, *earlier))
        return node(name, {"count": number(len(children)), "schemeVersion": number(3)}, *children)


def package(name: str, *children: Node, tag: str = "package", **attributes: Value) -> Node:
    """A record with what every record has; an attribute given as an empty string is left out."""
    usual: dict[str, Value] = {
        "name": name,
        "codePath": f"/data/app/~~AAAAAAAAAAAAAAAAAAAAAA==/{name}-BBBBBBBBBBBBBBBBBBBBBB==",
        "publicFlags": number(0x38A8BE44),
        "privateFlags": number(-1946152952),
        "ft": long_hex(1_700_000_000_000),
        "ut": long_hex(1_700_000_100_000),
        "version": long(1234),
        "targetSdkVersion": number(34),
        "userId": number(10123),
        "installer": Interned("com.android.vending"),
        "packageSource": number(2),
    }
    usual.update(attributes)
    return node(tag, {key: value for key, value in usual.items() if value != ""}, *children)


def factory(name: str, *children: Node, **attributes: Value) -> Node:
    """The record of the factory version of an updated system app."""
    return node(
        "updated-package",
        {
            "name": name,
            "codePath": f"/system/app/{name}",
            "ft": long_hex(1_230_768_000_000),
            "ut": long_hex(1_230_768_000_000),
            "version": long(7),
            "targetSdkVersion": number(30),
            "userId": number(10123),
            **attributes,
        },
        *children,
    )


def shared_user(name: str, user_id: int, *children: Node) -> Node:
    return node("shared-user", {"name": name, "userId": number(user_id)}, *children)


VERSION = node(
    "version",
    {
        "sdkVersion": number(34),
        "databaseVersion": number(3),
        "buildFingerprint": "maker/phone/phone:14/UP1A.1/1:user/release-keys",
        "fingerprint": "maker/phone/phone:14/UP1A.1/1:user/release-keys",
    },
)
SD_VERSION = node("version", {"volumeUuid": "primary_physical", "sdkVersion": number(33), "databaseVersion": number(3)})


def packages(*children: Node) -> Node:
    """packages.xml."""
    return node("packages", {}, VERSION, SD_VERSION, node("permission-trees"), *children)


def user_package(name: str, *children: Node, **attributes: Value) -> Node:
    """One package of package-restrictions.xml; underscores of attribute names stand for hyphens."""
    named = {key.replace("_", "-"): value for key, value in attributes.items()}
    return node("pkg", {"name": name, **named}, *children)


def restrictions(*children: Node) -> Node:
    """package-restrictions.xml."""
    return node("package-restrictions", {}, *children, node("preferred-activities"))


ARCHIVED = node(
    "archive-state",
    {"installer-title": "Store"},
    node("archive-activity-info", {"activity-title": "App", "original-component-name": "a/b", "icon-path": "/i"}),
)


def user(number_: int, flags: int, type_: str = "", **attributes: Value) -> Node:
    """<N>.xml, with the things that must not be kept."""
    typed: dict[str, Value] = {"type": f"android.os.usertype.{type_}"} if type_ else {}
    return node(
        "user",
        {
            "id": number(number_),
            "serialNumber": number(number_),
            "flags": number(flags),
            "created": long(1_600_000_000_000),
            "seedAccountName": "anna@example.org",
            **typed,
            **attributes,
        },
        node("name", text="Anna Secret"),
        node("restrictions", {"no_install_apps": flag(True)}),
    )


def user_list(*numbers: int) -> Node:
    """userlist.xml."""
    children = [node("user", {"id": number(item)}) for item in numbers]
    return node("users", {"nextSerialNumber": number(12), "version": number(11)}, *children)
