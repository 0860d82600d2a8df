"""A writer of adb backups: plain, compressed, encrypted as Android does it."""

from __future__ import annotations

import hashlib
import struct
import zlib

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

MASTER_KEY = bytes(range(0x70, 0x90))
"""Half of its bytes are negative for Java."""
MASTER_IV = bytes(range(16))
USER_IV = bytes(range(16, 32))
USER_SALT = bytes(range(64))
CHECKSUM_SALT = bytes(range(64, 128))


def encrypt(data: bytes, key: bytes, vector: bytes) -> bytes:
    """AES-256-CBC with PKCS #7."""
    padder = padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor()
    return encryptor.update(padder.update(data) + padder.finalize()) + encryptor.finalize()


def java_characters(key: bytes) -> bytes:
    """Bytes cast to signed chars and written as UTF-8, by way of UTF-16."""
    units = struct.pack(f">{len(key)}h", *struct.unpack(f">{len(key)}b", key))
    return units.decode("utf-16-be", "surrogatepass").encode("utf-8", "surrogatepass")


def adb_backup(
    tar: bytes, *, version: int = 5, compressed: bool = True, password: bytes | None = None, rounds: int = 100
) -> bytes:
    """A backup of a tar archive."""
    body = zlib.compress(tar) if compressed else tar
    lines = [b"ANDROID BACKUP", b"%d" % version, b"%d" % compressed, b"none"]
    if password is not None:
        checked = java_characters(MASTER_KEY) if version > 1 else MASTER_KEY
        checksum = hashlib.pbkdf2_hmac("sha1", checked, CHECKSUM_SALT, rounds, 32)
        user_key = hashlib.pbkdf2_hmac("sha1", password, USER_SALT, rounds, 32)
        blob = b"".join(bytes([len(part)]) + part for part in (MASTER_IV, MASTER_KEY, checksum))
        parts = (USER_SALT, CHECKSUM_SALT, rounds, USER_IV, encrypt(blob, user_key, USER_IV))
        shown = [b"%d" % part if isinstance(part, int) else part.hex().upper().encode() for part in parts]
        lines = [*lines[:3], b"AES-256", *shown]
        body = encrypt(body, MASTER_KEY, MASTER_IV)
    return b"\n".join(lines) + b"\n" + body


def backup_manifest(package: str, version_code: int, certificates: list[bytes], *, has_apk: bool = True) -> bytes:
    """``_manifest`` of one app."""
    lines = ["1", package, str(version_code), "34", "com.android.vending", "1" if has_apk else "0"]
    lines += [str(len(certificates)), *(item.hex() for item in certificates), ""]
    return "\n".join(lines).encode()
