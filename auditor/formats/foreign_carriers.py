"""Name images, archives and encrypted containers that are not read, and say what to do with them.

Format: magic numbers at fixed offsets, as the makers of each publish them.

Not read: any of them: EnCase (E01, Ex01), AFF, AFF4, raw APFS, HFS+, LUKS, BitLocker, Android full-disk encryption,
age, qcow2, VMDK, VHDX, VHD, VDI, squashfs, 7-Zip, RAR, cpio, dmg, Oppo ozip, parts of zips in several volumes
"""

from __future__ import annotations

from collections.abc import Collection

_EXPORT = "export a raw image, a tar or a zip of the files from the program that made it"
_DECRYPT = "decrypt it and scan what comes out"
_UNPACK = "unpack it and scan the folder"
_CONVERT = "convert it with qemu-img to a raw image and scan that"

_CARRIERS: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"EVF\x09\x0d\x0a\xff\x00", "an EnCase image (E01)", _EXPORT),
    (0, b"EVF2\x0d\x0a\x81\x00", "an EnCase image (Ex01)", _EXPORT),
    (0, b"LVF\x09\x0d\x0a\xff\x00", "an EnCase logical image (L01)", _EXPORT),
    (0, b"LEF2\x0d\x0a\x81\x00", "an EnCase logical image (Lx01)", _EXPORT),
    (0, b"AFF10\x0d\x0a\x00", "an AFF image", _EXPORT),
    (0, b"ADSEGMENTEDFILE\x00", "an AccessData image (AD1)", _EXPORT),
    (0, b"LUKS\xba\xbe", "a volume encrypted with LUKS", _DECRYPT),
    (3, b"-FVE-FS-", "a volume encrypted with BitLocker", _DECRYPT),
    (0, b"age-encryption.org/v1\n", "a file encrypted with age", _DECRYPT),
    (0, b"-----BEGIN AGE ENCRYPTED FILE-----", "a file encrypted with age", _DECRYPT),
    (0, b"-----BEGIN PGP MESSAGE-----", "a file encrypted with PGP", _DECRYPT),
    (0, b"OPPOENCRYPT!", "an encrypted update of Oppo or Realme (ozip)", _DECRYPT),
    (0, b"AEA1", "an Apple encrypted archive", _DECRYPT),
    (0, b"QFI\xfb", "a qcow2 disk image", _CONVERT),
    (0, b"KDMV", "a VMDK disk image", _CONVERT),
    (0, b"COWD", "a VMDK disk image", _CONVERT),
    (0, b"# Disk DescriptorFile", "the description of a VMDK disk image", _CONVERT),
    (0, b"vhdxfile", "a VHDX disk image", _CONVERT),
    (0, b"conectix", "a VHD disk image", _CONVERT),
    (64, b"\x7f\x10\xda\xbe", "a VDI disk image", _CONVERT),
    (0, b"hsqs", "a squashfs image", "unpack it with unsquashfs and scan the folder"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    (0, b"Rar!\x1a\x07", "a RAR archive", _UNPACK),
    (0, b"070701", "a cpio archive", _UNPACK),
    (0, b"070702", "a cpio archive", _UNPACK),
    (0, b"xar!", "a xar archive", _UNPACK),
    (32, b"NXSB", "an APFS container", "mount it and scan the folder, or export a tar or a zip of the files"),
    (1024, b"H+\x00\x04", "an HFS+ volume", "mount it and scan the folder"),
    (1024, b"HX\x00\x05", "an HFSX volume", "mount it and scan the folder"),
    (
        0,
        b"PK\x07\x08PK",
        "the first part of a zip in several volumes",
        "join the parts with zip -s 0 and scan the result",
    ),
)
HEAD_SIZE = 1100
"""Bytes from the begin of a file that are enough for ``recognise_foreign``."""

_FDE_MAGIC = b"\xc4\xb1\xb5\xd0"
_FDE_SPAN = 16 * 1024
_PART_SUFFIXES = tuple(f".z{number:02d}" for number in range(1, 100))


def recognise_foreign(head: bytes) -> str | None:
    """Name a carrier that is not read, and what can be done, in one clause; None: it is none of those known."""
    for offset, magic, name, advice in _CARRIERS:
        if head[offset : offset + len(magic)] == magic:
            return f"{name}: {advice}"
    return None


def recognise_foreign_name(name: str) -> str | None:
    """Name a carrier that has no magic number by the name of its file."""
    lower = name.lower()
    if lower.endswith((".enc4", ".enc2")):
        return f"an encrypted firmware file of Samsung: {_DECRYPT}"
    if lower.endswith((".ofp", ".ops")):
        return f"a firmware file of Oppo or OnePlus: {_DECRYPT}"
    if lower.endswith(_PART_SUFFIXES):
        return "a part of a zip in several volumes: join the parts with zip -s 0 and scan the result"
    return None


def recognise_disk_encryption(tail: bytes) -> str | None:
    """Name full-disk encryption of Android by the footer it leaves in the last 16 KiB of user data."""
    begin = max(len(tail) - _FDE_SPAN, 0)
    if tail[begin : begin + 4] == _FDE_MAGIC:
        return "user data with the full-disk encryption of Android: decrypt it on the device or with its password"
    return None


def recognise_foreign_zip(names: Collection[str]) -> str | None:
    """Name a carrier in the form of a zip by the names of its members."""
    if "container.description" in names and "information.turtle" in names:
        return f"an AFF4 image: {_EXPORT}"
    return None
