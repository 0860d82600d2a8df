"""Read the backups that adb makes: the header, and the tar archive inside, unpacked and decrypted.

Format: AOSP BackupManagerService, "file format of adb backup", versions 1 to 5: four lines, five more where it is
encrypted, then a tar archive, as a zlib stream where the third line says 1, in AES-256-CBC where the fourth does.

Not read: backups made with a public key, backups of vendors' own programs, what follows the data
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from auditor.errors import FormatError, LimitError, PasswordError, UnsupportedError
from auditor.formats.blob import Blob
from auditor.formats.source import Source
from auditor.limits import DEFAULT, MIB, Limits

_MAGIC = b"ANDROID BACKUP\n"
_HEADER_SIZE = 4096
_VERSIONS = range(1, 6)
_STEP = 256 * 1024
_AES_BLOCK = 16
_KEY_SIZE = 32
_SALT_SIZE = 512
_CERTIFICATES = 64


@dataclass(frozen=True, slots=True)
class BackupKeys:
    """What an encrypted backup says of its keys; useless without the password."""

    user_salt: bytes = field(repr=False)
    checksum_salt: bytes = field(repr=False)
    rounds: int
    user_iv: bytes = field(repr=False)
    blob: bytes = field(repr=False)
    """Master key, its initialisation vector and its checksum, encrypted with the user key."""


@dataclass(frozen=True, slots=True)
class AdbBackupHeader:
    """The lines before the data."""

    version: int
    is_compressed: bool
    keys: BackupKeys | None
    """None: not encrypted."""
    data_offset: int


@dataclass(frozen=True, slots=True)
class BackupManifest:
    """``apps/<package>/_manifest``."""

    package: str
    version_code: str
    platform_sdk: str
    installer: str
    has_apk: bool
    certificates: tuple[bytes, ...]
    """DER of the signing certificates."""


def is_adb_backup(head: bytes) -> bool:
    """Whether a file that begins with these bytes is a backup that adb made."""
    return head.startswith(_MAGIC)


def parse_adb_backup_header(head: Blob, limits: Limits = DEFAULT) -> AdbBackupHeader:
    """Read the lines at the begin of a backup; 4 KiB are enough.

    Raises:
        FormatError: they are damaged or cut off.
        LimitError: more rounds of key derivation than ``limits`` allow.
        UnsupportedError: a version or a way to encrypt that is not known.
    """
    start = bytes(head[:_HEADER_SIZE])
    if not start.startswith(_MAGIC):
        raise FormatError("no adb backup", 0)
    lines = start.split(b"\n", 9)
    if len(lines) < 5:
        raise FormatError("the header of the adb backup is cut off", len(start))
    version, compressed, encryption = lines[1:4]
    if not version.isdigit() or int(version[:9]) not in _VERSIONS:
        raise UnsupportedError(f"an adb backup of version {version[:9].decode('latin-1')}", len(_MAGIC))
    if compressed not in (b"0", b"1"):
        raise FormatError("the header of the adb backup is damaged", len(_MAGIC))
    keys = None
    used = 4
    if encryption == b"AES-256":
        if len(lines) < 10:
            raise FormatError("the header of the encrypted adb backup is cut off", len(start))
        keys, used = _parse_keys(lines[4:9], limits), 9
    elif encryption != b"none":
        raise UnsupportedError(f"an adb backup with the encryption {encryption[:32].decode('latin-1')!r}")
    offset = sum(len(line) + 1 for line in lines[:used])
    return AdbBackupHeader(int(version), compressed == b"1", keys, offset)


def _parse_keys(lines: list[bytes], limits: Limits) -> BackupKeys:
    user_salt, checksum_salt, user_iv, blob = (_unhex(lines[at]) for at in (0, 1, 3, 4))
    rounds = int(lines[2]) if lines[2].isdigit() and len(lines[2]) < 12 else 0
    if not rounds or len(user_iv) != _AES_BLOCK or not blob or len(blob) % _AES_BLOCK or len(blob) > _SALT_SIZE:
        raise FormatError("the keys in the header of the adb backup are damaged")
    if rounds > limits.password_rounds:
        raise LimitError(f"{rounds} rounds to try a password; raise --limit password_rounds")
    return BackupKeys(user_salt, checksum_salt, rounds, user_iv, blob)


def _unhex(text: bytes) -> bytes:
    try:
        return bytes.fromhex(text.decode("ascii"))
    except ValueError as error:
        raise FormatError("the keys in the header of the adb backup are damaged") from error


def unpack_adb_backup(source: Source, header: AdbBackupHeader, password: str | None = None) -> Iterator[bytes]:
    """Yield the tar archive of a backup in pieces of at most a megabyte.

    Raises:
        PasswordError: it is encrypted, and no password was given or it is wrong; raised before anything is yielded.
        FormatError: it is damaged or cut off, from there on; or other bytes than zeros follow, once all was yielded.
    """
    data = _raw(source, header.data_offset)
    if header.keys is not None:
        data = _decrypt(data, *find_master_key(header.keys, password))
    return _inflate(data) if header.is_compressed else data


def find_master_key(keys: BackupKeys, password: str | None) -> tuple[bytes, bytes]:
    """Return (master key, initialisation vector) of an encrypted backup.

    Raises:
        PasswordError: no password was given, or it is wrong.
    """
    if password is None:
        raise PasswordError("the adb backup is encrypted and no password was given")
    secret = password.encode("utf-8", "surrogatepass")
    # Versions before 5 of Android took the lower byte of each character only; both are tried.
    narrow = bytes(ord(character) & 0xFF for character in password)
    for candidate in dict.fromkeys((secret, narrow)):
        user_key = hashlib.pbkdf2_hmac("sha1", candidate, keys.user_salt, keys.rounds, _KEY_SIZE)
        found = _open_blob(keys, user_key)
        if found is not None:
            return found
    raise PasswordError("wrong password for the adb backup")


def _open_blob(keys: BackupKeys, user_key: bytes) -> tuple[bytes, bytes] | None:
    decryptor = _decryptor(user_key, keys.user_iv)
    plain = decryptor.update(keys.blob) + decryptor.finalize()
    parts, position = [], 0
    for _ in range(3):
        size = plain[position] if position < len(plain) else 0
        parts.append(plain[position + 1 : position + 1 + size])
        position += 1 + size
    vector, key, checksum = parts
    if len(vector) != _AES_BLOCK or len(key) != _KEY_SIZE or position > len(plain):
        return None
    # From version 2 the key goes through Java's characters, where bytes from 0x80 on are negative and widen to 0xFFxx;
    # version 1 and some vendors take the bytes.
    widened = "".join(chr(byte if byte < 0x80 else 0xFF00 | byte) for byte in key).encode("utf-8", "surrogatepass")
    for form in (widened, key):
        expected = hashlib.pbkdf2_hmac("sha1", form, keys.checksum_salt, keys.rounds, _KEY_SIZE)
        if hmac.compare_digest(expected, checksum):
            return key, vector
    return None


def _decryptor(key: bytes, vector: bytes) -> Any:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    return Cipher(algorithms.AES(key), modes.CBC(vector)).decryptor()


def _raw(source: Source, offset: int) -> Iterator[bytes]:
    for at in range(offset, source.size, _STEP):
        yield bytes(source.read(at, min(_STEP, source.size - at)))


def _decrypt(pieces: Iterator[bytes], key: bytes, vector: bytes) -> Iterator[bytes]:
    """Yield what is encrypted, without the filling at its end (PKCS #7)."""
    decryptor = _decryptor(key, vector)
    held, size = b"", 0
    for piece in pieces:
        size += len(piece)
        plain = held + decryptor.update(piece)
        held = plain[-_AES_BLOCK:]
        if len(plain) > _AES_BLOCK:
            yield plain[:-_AES_BLOCK]
    filling = held[-1] if held else 0
    if size % _AES_BLOCK or not 1 <= filling <= _AES_BLOCK or held[-filling:] != bytes([filling]) * filling:
        yield held
        raise FormatError("the encrypted adb backup is cut off or damaged")
    if held[:-filling]:
        yield held[:-filling]


def _inflate(pieces: Iterator[bytes]) -> Iterator[bytes]:
    engine = zlib.decompressobj()
    for piece in pieces:
        pending = piece
        while pending and not engine.eof:
            found = _decompress(engine, pending)
            pending = engine.unconsumed_tail
            if found:
                yield found
        if engine.eof:
            break
    while not engine.eof:
        # All input was given, but a full piece may have left some output behind.
        found = _decompress(engine, b"")
        if not found:
            raise FormatError("the adb backup is cut off")
        yield found
    behind = sum(len(piece) for piece in itertools.chain([engine.unused_data], pieces) if piece.strip(b"\0"))
    if behind:
        raise FormatError(f"{behind} bytes behind the data of the adb backup are not read")


def _decompress(engine: Any, data: bytes) -> bytes:
    try:
        return bytes(engine.decompress(data, MIB))
    except zlib.error as error:
        raise FormatError(f"damaged data in the adb backup: {error}") from error


def parse_backup_manifest(data: Blob) -> BackupManifest:
    """Read ``apps/<package>/_manifest``.

    Raises:
        FormatError: lines are missing or damaged.
        UnsupportedError: another version of the manifest than 1.
    """
    lines = bytes(data).decode("utf-8", "replace").split("\n", 7 + _CERTIFICATES)
    if len(lines) < 7:
        raise FormatError("the manifest of a backup is cut off", len(data))
    if lines[0] != "1":
        raise UnsupportedError(f"the manifest of a backup in version {lines[0][:20]!r}")
    package, version_code, sdk, installer, has_apk, count = lines[1:7]
    if not package or not count.isdecimal() or len(count) > 4 or int(count) > len(lines) - 7:
        raise FormatError("the manifest of a backup is damaged or cut off")
    try:
        certificates = tuple(bytes.fromhex(line) for line in lines[7 : 7 + int(count)])
    except ValueError as error:
        raise FormatError("a certificate in the manifest of a backup is no hexadecimal text") from error
    return BackupManifest(package, version_code, sdk, installer, has_apk == "1", certificates)
