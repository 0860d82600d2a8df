"""JAR manifests: sections with their exact bytes, because digests are taken over them."""

from __future__ import annotations

import random

import pytest

from auditor.errors import FormatError
from auditor.formats.jar_manifest import parse_manifest

SAMPLE = (
    b"Manifest-Version: 1.0\r\nCreated-By: me\r\n\r\nName: a\r\nSHA1-Digest: x\r\n\r\nName: b\r\nSHA1-Digest: y\r\n\r\n"
)


def test_main_section_and_named_sections_are_told_apart() -> None:
    manifest = parse_manifest(SAMPLE)
    assert manifest.main == {"manifest-version": "1.0", "created-by": "me"}
    assert {key: value.attributes for key, value in manifest.sections.items()} == {
        b"a": {"sha1-digest": "x"},
        b"b": {"sha1-digest": "y"},
    }


def test_sections_cover_every_byte_empty_lines_included() -> None:
    data = SAMPLE.replace(b"x\r\n\r\n", b"x\r\n\r\n\r\n")
    manifest = parse_manifest(data)
    parts = [data[: manifest.main_end]] + [data[item.start : item.end] for item in manifest.sections.values()]
    assert b"".join(parts) == data


@pytest.mark.parametrize("newline", [b"\n", b"\r", b"\r\n"])
def test_every_line_ending_is_read(newline: bytes) -> None:
    assert set(parse_manifest(SAMPLE.replace(b"\r\n", newline)).sections) == {b"a", b"b"}


def test_folded_lines_are_joined_even_inside_a_character() -> None:
    raw = "中".encode()
    manifest = parse_manifest(b"A: 1\r\n\r\nName: " + raw[:1] + b"\r\n " + raw[1:] + b"\r\n\r\n")
    assert list(manifest.sections) == [raw]


def test_a_last_section_without_an_empty_line_is_read() -> None:
    assert set(parse_manifest(SAMPLE.rstrip()).sections) == {b"a", b"b"}


def test_nothing_is_an_empty_manifest() -> None:
    assert parse_manifest(b"").sections == {}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"no attribute\r\n", "no attribute"),
        (b"A:without a space\r\n", "no attribute"),
        (b"A: \0\r\n", "no attribute"),
        (b"A: 1\r\n\r\nB: 2\r\n\r\n", "no name"),
        (SAMPLE + b"Name: a\r\n\r\n", "same name"),
    ],
)
def test_what_the_platform_refuses_is_a_format_error(data: bytes, words: str) -> None:
    with pytest.raises(FormatError, match=words):
        parse_manifest(data)


def test_every_truncation_and_flipped_bits_give_a_manifest_or_a_format_error() -> None:
    generator = random.Random(8)
    samples = [SAMPLE[:size] for size in range(len(SAMPLE))]
    for _ in range(500):
        changed = bytearray(SAMPLE)
        changed[generator.randrange(len(changed))] ^= 1 << generator.randrange(8)
        samples.append(bytes(changed))
    for data in samples:
        try:
            manifest = parse_manifest(data)
        except FormatError:
            continue
        assert all(0 <= item.start <= item.end <= len(data) for item in manifest.sections.values())
