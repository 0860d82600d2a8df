"""What can go wrong for a caller: one small hierarchy, every class with a stable slug."""

from __future__ import annotations


class AuditorError(Exception):
    """Something the caller can act on; the message says what failed, where, and what to do next."""

    slug = "error"


class FormatError(AuditorError):
    """Bytes do not follow the format they are read as. The only exception a parser may raise."""

    slug = "format"

    def __init__(self, message: str, offset: int | None = None) -> None:
        super().__init__(message if offset is None else f"{message} (at offset {offset:#x})")
        self.offset = offset
        """Where in the parsed bytes the fault lies, if the parser knows."""


class LimitError(FormatError):
    """A bound of ``limits.py`` was reached before the bytes were understood."""

    slug = "limit"


class UnsupportedError(FormatError):
    """The bytes are of a known format in a variant that is not read; the message names it."""

    slug = "unsupported"


class PasswordError(FormatError):
    """Encrypted bytes need a password, or another one; the message says which."""

    slug = "password"


class InputError(AuditorError):
    """A path the user named cannot be opened at all."""

    slug = "input"


class CatalogError(AuditorError):
    """Signatures or policies are faulty; the message lists every fault with file and key."""

    slug = "catalog"


class InventoryError(AuditorError):
    """The database cannot be used: not an inventory, of another version, locked or damaged."""

    slug = "inventory"


class UsageError(AuditorError):
    """The command line or a library call asks for something that does not exist or cannot be combined."""

    slug = "usage"
