"""An adb backup gives its tar archive: plain, compressed, and encrypted with the right password."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from auditor.errors import FormatError, LimitError, PasswordError, UnsupportedError
from auditor.formats.adb_backup import (
    is_adb_backup,
    parse_adb_backup_header,
    parse_backup_manifest,
    unpack_adb_backup,
)
from auditor.formats.source import BlobSource
from auditor.limits import DEFAULT
from tests.builders.adb_backup import adb_backup, backup_manifest, java_characters
from tests.builders.mangle import mutations, prefixes

TAR = random.Random(3).randbytes(9000) + bytes(3_000_000)


def unpack(data: bytes, password: str | None = None) -> bytes:
    header = parse_adb_backup_header(data[:4096])
    return b"".join(unpack_adb_backup(BlobSource(data), header, password))


@pytest.mark.parametrize("version", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "compressed"])
@pytest.mark.parametrize("password", [None, "", "pässwörd 密码"])
def test_the_archive_comes_out_whole(version: int, compressed: bool, password: str | None) -> None:
    given = None if password is None else password.encode()
    data = adb_backup(TAR, version=version, compressed=compressed, password=given)
    assert is_adb_backup(data[:20])
    header = parse_adb_backup_header(data)
    assert (header.version, header.is_compressed, header.keys is None) == (version, compressed, password is None)
    assert unpack(data, password) == TAR


def test_pieces_are_bounded() -> None:
    for password in (None, "x"):
        data = adb_backup(TAR, password=password.encode() if password else None)
        pieces = unpack_adb_backup(BlobSource(data), parse_adb_backup_header(data), password)
        assert max(map(len, pieces)) <= 1 << 20


def test_a_password_of_one_byte_characters_as_old_androids_took_it() -> None:
    assert unpack(adb_backup(TAR, password="pässwörd".encode("latin-1")), "pässwörd") == TAR


def test_the_key_is_checked_as_java_characters() -> None:
    assert java_characters(b"\x7f\x80\xff") == b"\x7f\xef\xbe\x80\xef\xbf\xbf"


@pytest.mark.parametrize(
    ("password", "said"), [(None, "no password was given"), ("wrong", "wrong password"), ("", "wrong")]
)
def test_a_password_that_is_missing_or_wrong_is_said_at_once(password: str | None, said: str) -> None:
    data = adb_backup(TAR, password=b"right")
    with pytest.raises(PasswordError, match=said) as caught:
        unpack_adb_backup(BlobSource(data), parse_adb_backup_header(data), password)
    assert caught.value.slug == "password"
    assert "right" not in str(caught.value)


def test_a_password_for_a_plain_backup_is_not_needed() -> None:
    assert unpack(adb_backup(TAR), "anything") == TAR


def test_rounds_are_bounded() -> None:
    with pytest.raises(LimitError, match="password_rounds"):
        parse_adb_backup_header(adb_backup(b"", password=b"x"), replace(DEFAULT, password_rounds=99))


@pytest.mark.parametrize(
    "head",
    [
        b"ANDROID BACKUP\n6\n0\nnone\n",
        b"ANDROID BACKUP\n0\n0\nnone\n",
        b"ANDROID BACKUP\nx\n0\nnone\n",
        b"ANDROID BACKUP\n1\n0\nAES-512\n",
    ],
)
def test_other_variants_are_named(head: bytes) -> None:
    with pytest.raises(UnsupportedError):
        parse_adb_backup_header(head)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"ANDROID BACKUP",
        b"ANDROID BACKUP\n1\n0\nnone",
        b"ANDROID BACKUP\n1\n2\nnone\n",
        b"ANDROID BACKUP\n1\n0\nAES-256\n",
        b"ANDROID BACKUP\n1\n0\nAES-256\nxx\n00\n1\n" + b"00" * 16 + b"\n" + b"00" * 96 + b"\n",
        b"ANDROID BACKUP\n1\n0\nAES-256\n00\n00\n0\n" + b"00" * 16 + b"\n" + b"00" * 96 + b"\n",
        b"ANDROID BACKUP\n1\n0\nAES-256\n00\n00\n1\n" + b"00" * 15 + b"\n" + b"00" * 96 + b"\n",
        b"ANDROID BACKUP\n1\n0\nAES-256\n00\n00\n1\n" + b"00" * 16 + b"\n" + b"00" * 95 + b"\n",
        b"ANDROID BACKUP\n1\n0\nAES-256\n\xff\n00\n1\n" + b"00" * 16 + b"\n" + b"00" * 96 + b"\n",
    ],
)
def test_damaged_headers_are_refused(head: bytes) -> None:
    with pytest.raises(FormatError):
        parse_adb_backup_header(head)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("password", [None, "x"])
def test_what_comes_before_a_cut_is_given(compressed: bool, password: str | None) -> None:
    data = adb_backup(TAR[:9000], compressed=compressed, password=password.encode() if password else None)[:-700]
    given = []
    pieces = unpack_adb_backup(BlobSource(data), parse_adb_backup_header(data), password)
    if compressed or password:
        with pytest.raises(FormatError, match="cut off"):
            given.extend(pieces)
    else:
        given.extend(pieces)
    found = b"".join(given)
    assert len(found) > 7000
    assert TAR.startswith(found[:-16])


def test_damage_gives_bytes_or_a_format_error() -> None:
    small = TAR[:600]
    for sample, password in ((adb_backup(small), None), (adb_backup(small, password=b"x", rounds=2), "x")):
        for damaged in (*prefixes(sample, 300), *mutations(sample, 300)):
            try:
                header = parse_adb_backup_header(damaged, replace(DEFAULT, password_rounds=1000))
                assert sum(map(len, unpack_adb_backup(BlobSource(damaged), header, password))) < 100_000
            except FormatError:
                continue


# The manifest of an app.


def test_the_manifest_of_an_app() -> None:
    found = parse_backup_manifest(backup_manifest("com.tencent.mm", 2800, [b"\x30\x03abc", b"\x30\x00"]))
    assert (found.package, found.version_code, found.platform_sdk) == ("com.tencent.mm", "2800", "34")
    assert (found.installer, found.has_apk) == ("com.android.vending", True)
    assert found.certificates == (b"\x30\x03abc", b"\x30\x00")


def test_an_app_without_its_package_file_and_without_certificates() -> None:
    found = parse_backup_manifest(backup_manifest("a.b", 1, [], has_apk=False))
    assert (found.has_apk, found.certificates) == (False, ())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"1\na.b\n1\n34\n\n1",
        b"2\na.b\n1\n34\n\n1\n0\n",
        b"1\n\n1\n34\n\n1\n0\n",
        b"1\na.b\n1\n34\n\n1\nx\n",
        b"1\na.b\n1\n34\n\n1\n3\n00\n",
        b"1\na.b\n1\n34\n\n1\n99999\n00\n",
        b"1\na.b\n1\n34\n\n1\n1\nzz\n",
    ],
)
def test_damaged_manifests_are_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_backup_manifest(data)


def test_damage_of_a_manifest() -> None:
    sample = backup_manifest("com.tencent.mm", 2800, [b"\x30\x03abc"])
    for damaged in (*prefixes(sample), *mutations(sample, 300)):
        try:
            parse_backup_manifest(damaged)
        except FormatError:
            continue


@pytest.mark.parametrize("behind", [b"x", TAR, bytes(300_000) + b"PK\3\4"])
def test_what_stands_behind_the_data_is_said_once_all_came_out(behind: bytes) -> None:
    data = adb_backup(TAR) + behind
    pieces = unpack_adb_backup(BlobSource(data), parse_adb_backup_header(data))
    found: list[bytes] = []
    with pytest.raises(FormatError, match="behind the data"):
        found.extend(pieces)
    assert b"".join(found) == TAR


def test_zeros_behind_the_data_fill_it_up() -> None:
    assert unpack(adb_backup(TAR) + bytes(700_000)) == TAR
