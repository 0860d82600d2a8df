"""Decrypt Manifest.db of an encrypted iOS backup with its password.

Format: BackupKeyBag and ManifestKey of Manifest.plist; the library iphone-backup-decrypt (an extra) does the rest.

Not read: the files of the backup, backups that only a key without a password opens.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from auditor.errors import FormatError, LimitError, PasswordError, UnsupportedError
from auditor.formats.blob import Blob
from auditor.limits import DEFAULT, KIB, Limits

_ERRORS = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, struct.error)
"""What the library raises on a key bag that is damaged."""
_KEYBAG_SIZE = 64 * KIB


def decrypt_manifest(
    data: Blob, keybag: bytes, manifest_key: bytes, passwords: Iterable[str], limits: Limits = DEFAULT
) -> bytes:
    """Manifest.db in clear; each password costs some ten million rounds of a hash, as Apple wants it.

    Raises:
        PasswordError: no password fits.
        UnsupportedError: the library is not installed.
        FormatError: the key bag is damaged, or the database does not decrypt to one.
        LimitError: the database is larger than ``limits`` allow.
    """
    try:
        from iphone_backup_decrypt.utils import BackupKeyBag, aes_decrypt_cbc, remove_cbc_padding
    except ImportError as error:
        raise UnsupportedError(
            "the file list of an encrypted backup; install app-inventory-auditor[ios-backup] to open it"
        ) from error
    if len(data) > limits.database_size:
        raise LimitError(f"Manifest.db of {len(data)} bytes; raise --limit database_size")
    if len(keybag) > _KEYBAG_SIZE or not keybag or len(manifest_key) < 4:
        raise FormatError("the encrypted backup has no usable key bag")
    if not len(data) or len(data) % 16:
        raise FormatError("the encrypted Manifest.db is cut off")
    try:
        bag = BackupKeyBag(keybag)
        if not any(bag.unlock_with_passphrase(word.encode("utf-8", "surrogateescape")) for word in passwords):
            raise PasswordError("no password given opens the backup")
        key = bag.unwrap_key_for_class(struct.unpack_from("<I", manifest_key)[0], manifest_key[4:])
        clear = aes_decrypt_cbc(data=bytes(data), key=key)
        return bytes(remove_cbc_padding(clear))
    except _ERRORS as error:
        raise FormatError(f"the key bag of the backup: {error or type(error).__name__}") from None
