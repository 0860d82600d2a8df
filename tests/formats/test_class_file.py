"""The string constants of Java class files: literals and nothing else, whatever the bytes."""

from __future__ import annotations

import contextlib
import random
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from auditor.errors import FormatError
from auditor.formats.class_file import is_class_file, parse_class_strings
from tests.builders.class_file import class_file

SAMPLE = class_file(["https://pay.example/", "", "grüß", "a\0b", "😀"], ["com/example/Pay", "run"])


def test_literals_are_read_and_names_are_not() -> None:
    assert parse_class_strings(SAMPLE) == {"https://pay.example/", "grüß", "a", "b", "😀"}


def test_a_class_without_literals_has_none() -> None:
    assert parse_class_strings(class_file(names=["com/example/Pay"])) == frozenset()


def test_the_text_between_the_arguments_of_a_concatenation_counts() -> None:
    assert parse_class_strings(class_file(["order=\1&sign=\2", "\1"])) == {"order=", "&sign="}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(SAMPLE, True, id="a class"),
        pytest.param(class_file(major=45), True, id="the oldest version"),
        pytest.param(b"\xca\xfe\xba\xbe\0\0\0\2" + bytes(8), False, id="a fat Mach-O of two slices"),
        pytest.param(b"\xca\xfe\xba\xbf" + bytes(8), False, id="another magic"),
        pytest.param(b"", False, id="nothing"),
    ],
)
def test_a_class_is_told_from_a_fat_binary(data: bytes, expected: bool) -> None:
    assert is_class_file(data) is expected


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"PK\3\4" + bytes(20), "no Java class file", id="a zip"),
        pytest.param(SAMPLE[:40], "cut off", id="cut off inside a constant"),
        pytest.param(SAMPLE[:8] + struct.pack(">H", 60000) + SAMPLE[10:], "unknown tag|ends at|cut off", id="too many"),
        pytest.param(SAMPLE[:10] + b"\x63" + SAMPLE[11:], "unknown tag 99", id="a tag nobody defined"),
        pytest.param(
            b"\xca\xfe\xba\xbe\0\0\0\x34\0\2\x08\0\7", "names entry 7, which is no text", id="a string without text"
        ),
    ],
)
def test_what_is_no_class_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        parse_class_strings(data)


def _gives_an_answer(data: bytes) -> None:
    with contextlib.suppress(FormatError):
        parse_class_strings(data)


def test_every_truncation_gives_an_answer() -> None:
    for size in range(len(SAMPLE)):
        _gives_an_answer(SAMPLE[:size])


def test_every_mutation_gives_an_answer() -> None:
    dice = random.Random(20260)
    for _ in range(800):
        data = bytearray(SAMPLE)
        for _ in range(dice.randint(1, 4)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        _gives_an_answer(bytes(data))


@pytest.mark.tools
@pytest.mark.skipif(shutil.which("javac") is None, reason="javac is not installed")
def test_a_compiled_class_shows_its_literals(tmp_path: Path) -> None:
    source = tmp_path / "Pay.java"
    source.write_text(
        'class Pay { static final String A = "constant"; String run(int x) { return "order=" + x + "&end"; } }'
    )
    subprocess.run(["javac", "-d", tmp_path, source], check=True, timeout=120)
    assert parse_class_strings((tmp_path / "Pay.class").read_bytes()) >= {"order=", "&end"}


def test_a_class_that_ends_before_its_constants_is_refused() -> None:
    with pytest.raises(FormatError, match="ends before its constant pool"):
        parse_class_strings(SAMPLE[:9])


def test_a_text_that_many_constants_name_is_taken_apart_once() -> None:
    # 60 000 constants of three bytes, each of them 60 kB of text: gone through each time, that is 3.6 GB.
    text = b"\1a" * 30_000
    pool = b"\x01" + struct.pack(">H", len(text)) + text + b"\x08\0\1" * 60_000
    assert parse_class_strings(b"\xca\xfe\xba\xbe\0\0\0\x34" + struct.pack(">H", 60_002) + pool) == {"a"}
