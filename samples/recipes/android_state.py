"""Records of Android's own services: packages.xml and its like as text and as binary XML, usage statistics, gass.db."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from xml.sax.saxutils import quoteattr

from recipes import proto
from recipes.toolchain import KEYS, SOURCES

INSTALLED_MS = 1_600_000_000_000
UPDATED_MS = 1_600_000_100_000
TYPES = {"int": (6, ">i"), "hex": (7, ">i"), "long": (8, ">q"), "longhex": (9, ">q")}
"""Kinds of numbers in binary XML: the upper half of an attribute's token, and how the number is written."""


@dataclass(frozen=True)
class Element:
    """An element; a value is text, a (kind, number), a truth or bytes."""

    name: str
    attributes: Mapping[str, str | tuple[str, int] | bool | bytes] = field(default_factory=dict)
    children: tuple[Element, ...] = ()


def as_text(root: Element) -> bytes:
    """The document as Android writes it up to version 11."""
    return ("<?xml version='1.0' encoding='utf-8' standalone='yes' ?>\n" + _text(root, "")).encode()


def _text(item: Element, before: str) -> str:
    words = "".join(f" {name}={quoteattr(_shown(value))}" for name, value in item.attributes.items())
    if not item.children:
        return f"{before}<{item.name}{words} />\n"
    inner = "".join(_text(child, before + "    ") for child in item.children)
    return f"{before}<{item.name}{words}>\n{inner}{before}</{item.name}>\n"


def _shown(value: str | tuple[str, int] | bool | bytes) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"{value[1]:x}" if "hex" in value[0] else str(value[1])
    return value.hex() if isinstance(value, bytes) else value


def as_binary(root: Element) -> bytes:
    """The document as Android writes it from version 12 on (ABX)."""
    pool: dict[str, int] = {}
    return b"ABX\0\x10" + _binary(root, pool) + b"\x11"


def _name(text: str, pool: dict[str, int]) -> bytes:
    if text in pool:
        return struct.pack(">H", pool[text])
    pool[text] = len(pool)
    return b"\xff\xff" + _sized(text.encode())


def _sized(data: bytes) -> bytes:
    return struct.pack(">H", len(data)) + data


def _binary(item: Element, pool: dict[str, int]) -> bytes:
    out = b"\x32" + _name(item.name, pool)
    for name, value in item.attributes.items():
        if isinstance(value, bool):
            out += (b"\xcf" if value else b"\xdf") + _name(name, pool)
        elif isinstance(value, tuple):
            kind, form = TYPES[value[0]]
            out += bytes([kind << 4 | 15]) + _name(name, pool) + struct.pack(form, value[1])
        elif isinstance(value, bytes):
            out += b"\x4f" + _name(name, pool) + _sized(value)
        else:
            out += b"\x2f" + _name(name, pool) + _sized(value.encode())
    return out + b"".join(_binary(child, pool) for child in item.children) + b"\x33" + _name(item.name, pool)


def own_certificate(name: str = "a") -> bytes:
    """One of the test keys' certificates, DER."""
    import ssl

    return ssl.PEM_cert_to_DER_cert((KEYS / f"test-key-{name}.x509.pem").read_text())


def wechat_certificate() -> bytes:
    """WeChat's public signing certificate, DER."""
    return bytes.fromhex((SOURCES / "wechat-certificate.hex").read_text())


@dataclass(frozen=True)
class Package:
    """One app in packages.xml."""

    name: str
    path: str
    version_code: int
    certificate: bytes
    system: bool = False
    factory: tuple[str, int] | None = None
    """Path and version code of the factory version an update replaced."""


def packages_xml(packages: Iterable[Package]) -> Element:
    """packages.xml; a certificate is written where it first occurs and named by number afterwards."""
    known: list[bytes] = []
    build = {"sdkVersion": ("int", 34), "databaseVersion": ("int", 3), "fingerprint": "maker/phone/phone:14/A/1:user"}
    children = [Element("version", build), Element("permissions")]
    for number, item in enumerate(packages, 1):
        fresh = item.certificate not in known
        known += [item.certificate] if fresh else []
        cert: dict[str, str | tuple[str, int] | bool | bytes] = {"index": ("int", known.index(item.certificate))}
        cert |= {"key": item.certificate} if fresh else {}
        signed = Element("sigs", {"count": ("int", 1), "schemeVersion": ("int", 3)}, (Element("cert", cert),))
        flags = 1 | (0x80 if item.factory else 0) if item.system else 0
        children.append(_package("package", item.name, item.path, item.version_code, number, flags, signed))
        if item.factory is not None:
            children.append(_package("updated-package", item.name, item.factory[0], item.factory[1], number, 1))
    return Element("packages", {}, tuple(children))


def _package(tag: str, name: str, path: str, code: int, number: int, flags: int, *children: Element) -> Element:
    return Element(
        tag,
        {
            "name": name,
            "codePath": path,
            "publicFlags": ("int", flags),
            "ft": ("longhex", INSTALLED_MS),
            "ut": ("longhex", UPDATED_MS),
            "version": ("long", code),
            "userId": ("int", 10100 + number),
            "installer": "com.android.vending",
        },
        children,
    )


def restrictions(packages: Mapping[str, Mapping[str, str | tuple[str, int] | bool | bytes]]) -> Element:
    """package-restrictions.xml of one user."""
    children = tuple(Element("pkg", {"name": name, **told}) for name, told in packages.items())
    return Element("package-restrictions", {}, children)


def archived(name: str) -> Element:
    """A package whose code the system removed and keeps a record of."""
    activity = Element("archive-activity-info", {"activity-title": "App"})
    return Element("pkg", {"name": name}, (Element("archive-state", {"installer-title": "Store"}, (activity,)),))


def users(ids: Mapping[int, tuple[int, str]]) -> dict[str, Element]:
    """userlist.xml and the file of each user, from (flags, type) by id."""
    listed = tuple(Element("user", {"id": ("int", number)}) for number in ids)
    files = {"userlist.xml": Element("users", {"version": ("int", 11)}, listed)}
    for number, (flags, kind) in ids.items():
        told = {"id": ("int", number), "serialNumber": ("int", number), "flags": ("int", flags)}
        files[f"{number}.xml"] = Element("user", {**told, "type": f"android.os.usertype.{kind}"})
    return files


def packages_list(packages: Iterable[Package]) -> bytes:
    """packages.list."""
    lines = (
        f"{item.name} {10100 + number} 0 /data/user/0/{item.name} default:targetSdkVersion=34 none 0"
        f" {item.version_code} {int(not item.system)} com.android.vending"
        for number, item in enumerate(packages, 1)
    )
    return "".join(f"{line}\n" for line in lines).encode()


def usage_stats(last_ms: Mapping[str, int]) -> bytes:
    """A daily file of usage statistics up to Android 9."""
    used = tuple(Element("package", {"lastTimeActive": str(at), "package": name}) for name, at in last_ms.items())
    return as_text(Element("usagestats", {"version": "1", "endTime": "86400000"}, (Element("packages", {}, used),)))


def numbered_usage_stats(last_ms: Mapping[int, int]) -> bytes:
    """A daily file from Android 11 on: packages are numbers, times count from the name of the file."""
    body = proto.number(1, 86_400_000) + proto.number(3, 5)
    return body + b"".join(proto.block(20, proto.number(1, item) + proto.number(3, at)) for item, at in last_ms.items())


def usage_mappings(names: Mapping[int, str]) -> bytes:
    """usagestats/mappings, which tells the names behind the numbers."""
    entries = (proto.number(1, item) + proto.block(2, name.encode()) for item, name in names.items())
    return proto.number(1, len(names)) + b"".join(proto.block(2, entry) for entry in entries)


def database(schema: str, rows: Mapping[str, Iterable[tuple[object, ...]]]) -> bytes:
    """A database in pages of 512 bytes; its header does not tell which SQLite wrote it."""
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute("PRAGMA page_size = 512")
        connection.executescript(schema)
        for name, values in rows.items():
            for value in values:
                connection.execute(f"INSERT INTO {name} VALUES ({', '.join('?' * len(value))})", value)
        connection.commit()
        data = connection.serialize()
    finally:
        connection.close()
    return data[:96] + bytes(4) + data[100:]


def gass(packages: Mapping[str, int]) -> bytes:
    """gass.db, what Play Protect keeps, from version codes by package."""
    schema = "CREATE TABLE app_info (package_name TEXT, version_code INTEGER, digest_sha256 TEXT);"
    return database(schema, {"app_info": [(name, code, "ab" * 32) for name, code in packages.items()]})


BUILD_PROP = b"""# begin build properties
ro.build.id=AP2A.240805.005
ro.build.version.release=14
ro.build.version.sdk=34
ro.product.system.manufacturer=Example
ro.product.system.model=Sample Phone
"""
