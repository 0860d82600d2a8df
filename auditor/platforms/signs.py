"""Magic numbers at fixed offsets: what a file is before anyone asks its name."""

from __future__ import annotations

APP_SUFFIXES = (".apk", ".apks", ".xapk", ".apkm", ".aab", ".ipa", ".zip")
"""Names that promise an app: such a file is answered for even when it turns out to be none."""

_CARRIERS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x3a\xff\x26\xed", "an Android sparse image"),
    (0, b"CrAU", "an OTA payload"),
    (0, b"ABX\x00", "Android binary XML"),
    (0, b"ANDROID BACKUP\n", "an adb backup"),
    (0, b"EVF\x09\x0d\x0a\xff\x00", "an EnCase image (E01)"),
    (0, b"\x1f\x8b", "a gzip file"),
    (0, b"\xfd7zXZ\x00", "an xz file"),
    (0, b"\x28\xb5\x2f\xfd", "a Zstandard file"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (0, b"Rar!\x1a\x07", "a RAR archive"),
    (0, b"hsqs", "a squashfs image"),
    (257, b"ustar", "a tar archive"),
    (512, b"EFI PART", "a GPT disk image"),
    (1024, b"\xe2\xe1\xf5\xe0", "an EROFS image"),
    (1024, b"\x10\x20\xf5\xf2", "an F2FS image"),
    (4096, b"\x67\x44\x6c\x61", "a super image"),
)
_EXT = (1080, b"\x53\xef")


def recognise_carrier(head: bytes) -> str | None:
    """Name the carrier of apps that begins with these bytes, where it is one that is not read.

    Fixed offsets go before zip: a raw image may end in the zip of its last file.
    """
    for offset, magic, name in _CARRIERS:
        if head[offset : offset + len(magic)] == magic:
            return name
    offset, magic = _EXT
    # Two bytes are a weak sign: the block size and revision fields around them must be plausible as well.
    if head[offset : offset + 2] == magic and len(head) > 1104 and head[1048] <= 6 and head[1100] <= 1:
        return "an ext2, ext3 or ext4 image"
    return None
