"""Backups of iOS devices, plain and encrypted, as Finder and libimobiledevice leave them."""

from __future__ import annotations

import hashlib
import plistlib
import struct
from collections.abc import Mapping, Sequence
from datetime import datetime

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.keywrap import aes_key_wrap
from cryptography.hazmat.primitives.padding import PKCS7

from tests.builders.sqlite_files import sqlite_bytes

TAKEN = datetime(2026, 3, 4, 5, 6, 7)
UDID = "00008030-0011223344556677"
PRIVATE = ("Anna's iPhone", "+491701234567", "356938035643809", "8949020000001234567", "anna@example.com", "1234567890")
"""What of the owner is in a backup and must never be kept."""

FILES = """
CREATE TABLE Files (fileID TEXT PRIMARY KEY, domain TEXT, relativePath TEXT, flags INTEGER, file BLOB);
CREATE INDEX FilesDomainIdx ON Files(domain); CREATE INDEX FilesRelativePathIdx ON Files(relativePath);
CREATE INDEX FilesFlagsIdx ON Files(flags); CREATE TABLE Properties (key TEXT PRIMARY KEY, value BLOB);
"""


def store_record(app_id: str, item_id: int = 414478124, version: str = "8.0.1") -> bytes:
    """iTunesMetadata as it lies in Info.plist, with the account that bought the app."""
    record = {
        "softwareVersionBundleId": app_id,
        "itemId": item_id,
        "itemName": f"Name of {app_id}",
        "artistName": "Example Ltd.",
        "bundleShortVersionString": version,
        "bundleVersion": f"{version}.77",
        "sourceApp": "com.apple.AppStore",
        "com.apple.iTunesStore.downloadInfo": {
            "accountInfo": {"AppleID": PRIVATE[4], "DSPersonID": int(PRIVATE[5])},
            "purchaseDate": "2026-01-02T03:04:05Z",
        },
    }
    return plistlib.dumps(record, fmt=plistlib.FMT_BINARY)


def summary_plist(
    installed: Sequence[str] | None, stored: Mapping[str, bytes] | None, form: plistlib.PlistFormat = plistlib.FMT_XML
) -> bytes:
    """Info.plist; None leaves a list out."""
    value: dict[str, object] = {
        "Build Version": "22A3354",
        "Device Name": PRIVATE[0],
        "Display Name": PRIVATE[0],
        "GUID": "0123456789ABCDEF",
        "ICCID": PRIVATE[3],
        "IMEI": PRIVATE[2],
        "Last Backup Date": TAKEN,
        "Phone Number": PRIVATE[1],
        "Product Name": "iPhone 11",
        "Product Type": "iPhone12,1",
        "Product Version": "18.0",
        "Serial Number": "DNPXXXXXXXXX",
        "Target Identifier": UDID,
        "Target Type": "Device",
        "Unique Identifier": UDID.upper(),
        "iTunes Version": "12.13",
    }
    if installed is not None:
        value["Installed Applications"] = list(installed)
    if stored is not None:
        value["Applications"] = {
            app_id: {"ApplicationSINF": b"sinf", "iTunesMetadata": record, "PlaceholderIcon": b"\x89PNG"}
            for app_id, record in stored.items()
        }
    return plistlib.dumps(value, fmt=form)


def manifest_plist(
    containers: Mapping[str, Mapping[str, object]],
    *,
    keybag: bytes = b"",
    manifest_key: bytes = b"",
    form: plistlib.PlistFormat = plistlib.FMT_BINARY,
) -> bytes:
    """Manifest.plist; encrypted where there is a key bag."""
    value: dict[str, object] = {
        "Applications": dict(containers),
        "BackupKeyBag": keybag or b"VERS",
        "Date": TAKEN,
        "IsEncrypted": bool(keybag),
        "Lockdown": {
            "BuildVersion": "22A3354",
            "DeviceName": PRIVATE[0],
            "ProductType": "iPhone12,1",
            "ProductVersion": "18.0",
            "SerialNumber": "DNPXXXXXXXXX",
            "UniqueDeviceID": UDID,
            "com.apple.mobile.data_sync": {"Contacts": {"AccountNames": [PRIVATE[4]]}},
        },
        "SystemDomainsVersion": "24.0",
        "Version": "10.0",
        "WasPasscodeSet": True,
    }
    if manifest_key:
        value["ManifestKey"] = manifest_key
    return plistlib.dumps(value, fmt=form)


def status_plist(state: str = "finished") -> bytes:
    """Status.plist."""
    value = {
        "BackupState": "new",
        "Date": TAKEN,
        "IsFullBackup": True,
        "SnapshotState": state,
        "UUID": "A5F4D2B0-0000-0000-0000-000000000000",
        "Version": "3.3",
    }
    return plistlib.dumps(value, fmt=plistlib.FMT_BINARY)


def manifest_db(domains: Sequence[str]) -> bytes:
    """Manifest.db with a folder and a file of each domain."""
    rows = []
    for domain in domains:
        for path, kind in (("", 2), ("Library/Preferences/settings.plist", 1)):
            name = hashlib.sha1(f"{domain}-{path}".encode(), usedforsecurity=False).hexdigest()
            rows.append((name, domain, path, kind, b"bplist00"))
    return sqlite_bytes(FILES, {"Files": rows})


class Encryption:
    """A key bag for one password, and what it locks."""

    def __init__(self, password: str, rounds: tuple[int, int] = (5, 3)) -> None:
        """Make fixed keys; real key bags take ten million and ten thousand rounds."""
        outer, inner = rounds
        salt, double_salt = bytes(range(20)), bytes(range(20, 40))
        first = hashlib.pbkdf2_hmac("sha256", password.encode(), double_salt, outer, 32)
        locking = hashlib.pbkdf2_hmac("sha1", first, salt, inner, 32)
        self._class_keys = {number: hashlib.sha256(bytes([number])).digest() for number in (1, 2, 3, 4, 11)}
        parts = [(b"VERS", 5), (b"TYPE", 1), (b"UUID", bytes(16)), (b"HMCK", bytes(40)), (b"WRAP", 0)]
        parts += [(b"SALT", salt), (b"ITER", inner), (b"DPWT", 0), (b"DPIC", outer), (b"DPSL", double_salt)]
        for number, key in self._class_keys.items():
            parts += [(b"UUID", bytes([number]) * 16), (b"CLAS", number), (b"WRAP", 2), (b"KTYP", 0)]
            parts += [(b"WPKY", aes_key_wrap(locking, key))]
        self.keybag = b"".join(self._tagged(tag, value) for tag, value in parts)
        self._database_key = hashlib.sha256(b"manifest").digest()
        self.manifest_key = struct.pack("<I", 4) + aes_key_wrap(self._class_keys[4], self._database_key)

    @staticmethod
    def _tagged(tag: bytes, value: int | bytes) -> bytes:
        raw = struct.pack(">I", value) if isinstance(value, int) else value
        return tag + struct.pack(">I", len(raw)) + raw

    def lock(self, data: bytes) -> bytes:
        """AES-256-CBC with a zero vector and PKCS7, as Manifest.db is kept."""
        padder = PKCS7(128).padder()
        padded = padder.update(data) + padder.finalize()
        encryptor = Cipher(algorithms.AES256(self._database_key), modes.CBC(bytes(16))).encryptor()
        return encryptor.update(padded) + encryptor.finalize()
