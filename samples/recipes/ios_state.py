"""Records of iOS: backups plain and encrypted, applicationState.db, notes beside containers, logs."""

from __future__ import annotations

import hashlib
import plistlib
import struct
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from recipes.android_dumps import encrypted
from recipes.android_state import database
from recipes.toolchain import cached, run

TAKEN = datetime(2026, 3, 4, 5, 6, 7)
UDID = "00008030-0011223344556677"
EPOCH = datetime(2001, 1, 1)


def binary(value: object) -> bytes:
    """A binary property list."""
    return plistlib.dumps(value, fmt=plistlib.FMT_BINARY)


def _archived(class_name: str, fields: Mapping[str, str | datetime]) -> bytes:
    """An object with fields as NSKeyedArchiver writes it."""
    objects: list[object] = ["$null", None]
    root: dict[str, object] = {}
    for name, value in fields.items():
        root[name] = plistlib.UID(len(objects))
        if isinstance(value, datetime):
            objects.append({"NS.time": (value - EPOCH).total_seconds(), "$class": plistlib.UID(len(objects) + 1)})
            objects.append({"$classname": "NSDate", "$classes": ["NSDate", "NSObject"]})
        else:
            objects.append(value)
    root["$class"] = plistlib.UID(len(objects))
    objects[1] = root
    objects.append({"$classname": class_name, "$classes": [class_name, "NSObject"]})
    top = {"root": plistlib.UID(1)}
    return binary({"$archiver": "NSKeyedArchiver", "$version": 100000, "$top": top, "$objects": objects})


def store_metadata(app_id: str, item_id: int, version: str = "1.0") -> bytes:
    """iTunesMetadata.plist, without an account."""
    names = {"softwareVersionBundleId": app_id, "itemId": item_id, "itemName": "Sample"}
    return binary({**names, "bundleShortVersionString": version, "bundleVersion": f"{version}.1"})


def bundle_metadata() -> bytes:
    """BundleMetadata.plist."""
    return _archived("MIBundleMetadata", {"installDate": TAKEN})


def container_metadata(app_id: str, content_class: int, uuid: str) -> bytes:
    """The note of the container manager; 1 is the bundle of an app, 2 its data."""
    told = {"MCMMetadataIdentifier": app_id, "MCMMetadataContentClass": content_class, "MCMMetadataUUID": uuid}
    return binary(told)


def application_state(installed: Mapping[str, str], removed: Iterable[str]) -> bytes:
    """applicationState.db from paths of bundles by id, and the ids of what was removed."""
    schema = (
        "CREATE TABLE application_identifier_tab (id INTEGER PRIMARY KEY, application_identifier TEXT);"
        "CREATE TABLE key_tab (id INTEGER PRIMARY KEY, key TEXT);"
        "CREATE TABLE kvs (id INTEGER PRIMARY KEY, application_identifier INTEGER, key INTEGER, value BLOB);"
    )
    names = [*installed, *removed]
    values: list[tuple[object, ...]] = []
    for number, name in enumerate(names, 1):
        if name in installed:
            fields = {"bundleIdentifier": name, "bundlePath": installed[name]}
            values.append((number, number, 1, binary(_archived("XBApplicationCompatibilityInfo", fields))))
        else:
            values.append((number, number, 2, binary(TAKEN)))
    rows: dict[str, list[tuple[object, ...]]] = {
        "application_identifier_tab": list(enumerate(names, 1)),
        "key_tab": [(1, "compatibilityInfo"), (2, "_UninstallDate")],
        "kvs": values,
    }
    return database(schema, rows)


def backup(
    installed: Iterable[str], containers: Iterable[str], domains: Iterable[str], password: str = ""
) -> dict[str, bytes]:
    """The files of a backup that tell of apps; of an encrypted one Manifest.db takes the password."""
    known = list(installed)
    summary: dict[str, object] = {
        "Build Version": "22A3354",
        "Installed Applications": known,
        "Last Backup Date": TAKEN,
        "Product Name": "iPhone 11",
        "Product Type": "iPhone12,1",
        "Product Version": "18.0",
        "Target Identifier": UDID,
        "Unique Identifier": UDID,
        "Applications": {name: {"iTunesMetadata": store_metadata(name, 414478124)} for name in known[:1]},
    }
    keys = _KeyBag(password) if password else None
    manifest: dict[str, object] = {
        "Applications": {name: {"CFBundleIdentifier": name, "CFBundleVersion": "7.1"} for name in containers},
        "BackupKeyBag": keys.packed if keys else b"VERS",
        "Date": TAKEN,
        "IsEncrypted": keys is not None,
        "Lockdown": {"ProductType": "iPhone12,1", "ProductVersion": "18.0", "UniqueDeviceID": UDID},
        "SystemDomainsVersion": "24.0",
        "Version": "10.0",
        "WasPasscodeSet": False,
    }
    listing = _manifest_db(domains)
    if keys:
        manifest["ManifestKey"] = keys.manifest_key
        listing = encrypted(listing, keys.database_key, bytes(16))
    status = {"BackupState": "new", "Date": TAKEN, "IsFullBackup": True, "SnapshotState": "finished", "Version": "3.3"}
    files = {"Info.plist": plistlib.dumps(summary), "Manifest.db": listing}
    return {**files, "Manifest.plist": binary(manifest), "Status.plist": binary(status)}


def _manifest_db(domains: Iterable[str]) -> bytes:
    schema = (
        "CREATE TABLE Files (fileID TEXT PRIMARY KEY, domain TEXT, relativePath TEXT, flags INTEGER, file BLOB);"
        "CREATE TABLE Properties (key TEXT PRIMARY KEY, value BLOB);"
    )
    rows = [(hashlib.sha1(f"{name}-".encode()).hexdigest(), name, "", 2, b"bplist00") for name in domains]
    return database(schema, {"Files": rows})


class _KeyBag:
    """The keys of an encrypted backup: made up, and few rounds where real ones take ten million."""

    def __init__(self, password: str) -> None:
        salt, double_salt, outer, inner = bytes(range(20)), bytes(range(20, 40)), 50, 10
        first = hashlib.pbkdf2_hmac("sha256", password.encode(), double_salt, outer, 32)
        locking = hashlib.pbkdf2_hmac("sha1", first, salt, inner, 32)
        class_key = hashlib.sha256(b"class").digest()
        parts: list[tuple[bytes, int | bytes]] = [
            (b"VERS", 5),
            (b"TYPE", 1),
            (b"UUID", bytes(16)),
            (b"HMCK", bytes(40)),
        ]
        parts += [
            (b"WRAP", 0),
            (b"SALT", salt),
            (b"ITER", inner),
            (b"DPWT", 0),
            (b"DPIC", outer),
            (b"DPSL", double_salt),
        ]
        parts += [
            (b"UUID", bytes([4]) * 16),
            (b"CLAS", 4),
            (b"WRAP", 2),
            (b"KTYP", 0),
            (b"WPKY", _wrap(locking, class_key)),
        ]
        self.packed = b"".join(self._part(tag, value) for tag, value in parts)
        self.database_key = hashlib.sha256(b"manifest").digest()
        self.manifest_key = struct.pack("<I", 4) + _wrap(class_key, self.database_key)

    @staticmethod
    def _part(tag: bytes, value: int | bytes) -> bytes:
        raw = struct.pack(">I", value) if isinstance(value, int) else value
        return tag + struct.pack(">I", len(raw)) + raw


def _wrap(key: bytes, data: bytes) -> bytes:
    """AES key wrap of RFC 3394."""

    def make(folder: Path) -> bytes:
        (folder / "in").write_bytes(data)
        words = ("-id-aes256-wrap", "-K", key.hex(), "-iv", "a6" * 8, "-in", "in", "-out", "out")
        run("openssl", "enc", *words, cwd=folder)
        return (folder / "out").read_bytes()

    return cached(make, key, data)


def install_log(lines: Iterable[str]) -> bytes:
    """mobile_installation.log.0 of some events on one day."""
    head = "Wed Mar  4 05:0{minute}:07 2026 [310] <notice> (0x16f) -[MIClientConnection _doIt]: "
    return "".join(f"{head.format(minute=at)}{line}\n" for at, line in enumerate(lines)).encode()
