"""What is not read has a name, and whoever holds it learns what to do."""

from __future__ import annotations

import pytest

from auditor.formats.foreign_carriers import (
    HEAD_SIZE,
    recognise_disk_encryption,
    recognise_foreign,
    recognise_foreign_name,
    recognise_foreign_zip,
)


@pytest.mark.parametrize(
    ("offset", "magic", "name"),
    [
        (0, b"EVF\x09\x0d\x0a\xff\x00", "E01"),
        (0, b"EVF2\x0d\x0a\x81\x00", "Ex01"),
        (0, b"AFF10\x0d\x0a\x00", "AFF"),
        (32, b"NXSB", "APFS"),
        (1024, b"H+\x00\x04", "HFS+"),
        (0, b"LUKS\xba\xbe\x00\x02", "LUKS"),
        (3, b"-FVE-FS-", "BitLocker"),
        (0, b"age-encryption.org/v1\n-> X25519", "age"),
        (0, b"QFI\xfb\x00\x00\x00\x03", "qcow2"),
        (0, b"KDMV\x01", "VMDK"),
        (0, b"vhdxfile", "VHDX"),
        (0, b"hsqs", "squashfs"),
        (0, b"7z\xbc\xaf\x27\x1c", "7-Zip"),
        (0, b"Rar!\x1a\x07\x01\x00", "RAR"),
        (0, b"OPPOENCRYPT!", "ozip"),
        (0, b"PK\x07\x08PK\x03\x04", "several volumes"),
    ],
)
def test_a_magic_number_names_its_carrier(offset: int, magic: bytes, name: str) -> None:
    head = (bytes(offset) + magic).ljust(HEAD_SIZE, b"\0")
    said = recognise_foreign(head)
    assert said is not None
    assert name in said
    assert len(said.split(": ")[1]) > 10
    assert recognise_foreign(b"\1" + head) is None


@pytest.mark.parametrize("head", [b"", b"PK\x03\x04", b"\x7fELF", bytes(HEAD_SIZE), b"dex\n035\0", b"ustar"])
def test_what_is_read_or_unknown_is_not_named(head: bytes) -> None:
    assert recognise_foreign(head) is None


@pytest.mark.parametrize(
    ("name", "said"),
    [("AP_G99.zip.enc4", "Samsung"), ("x.OFP", "Oppo"), ("full.z01", "volumes"), ("full.z12", "volumes")],
)
def test_some_are_told_by_their_name_only(name: str, said: str) -> None:
    assert said in (recognise_foreign_name(name) or "")


@pytest.mark.parametrize("name", ["a.zip", "a.z", "a.z0", "z01", "x.img", ""])
def test_other_names_say_nothing(name: str) -> None:
    assert recognise_foreign_name(name) is None


def test_full_disk_encryption_leaves_a_footer() -> None:
    footer = b"\xc4\xb1\xb5\xd0".ljust(16384, b"\x07")
    assert "full-disk" in (recognise_disk_encryption(b"\x55" * 99 + footer) or "")
    assert recognise_disk_encryption(footer) is not None
    assert recognise_disk_encryption(b"\x55" * 16384) is None
    assert recognise_disk_encryption(b"") is None


def test_aff4_is_a_zip_of_known_names() -> None:
    assert "AFF4" in (recognise_foreign_zip({"container.description", "information.turtle", "version.txt"}) or "")
    assert recognise_foreign_zip({"information.turtle"}) is None
