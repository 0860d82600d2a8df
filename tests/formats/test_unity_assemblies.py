"""What the reader of Unity's list of assemblies promises: their names, in whatever shape the JSON is."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest

from auditor.errors import FormatError, LimitError
from auditor.formats.unity_assemblies import parse_scripting_assemblies
from auditor.limits import DEFAULT

LIST = {
    "names": ["UnityEngine.dll", "Assembly-CSharp.dll", "cn.sharesdk.unity3d.dll", "微信.dll"],
    "types": [2, 16, 16],
}
NAMES = ("Assembly-CSharp", "UnityEngine", "cn.sharesdk.unity3d", "微信")


@pytest.mark.parametrize("indent", [None, 2])
def test_the_assemblies_are_named(indent: int | None) -> None:
    assert parse_scripting_assemblies(json.dumps(LIST, indent=indent, ensure_ascii=False).encode()) == NAMES


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview])
def test_every_kind_of_blob_is_read(wrap: type) -> None:
    assert parse_scripting_assemblies(wrap(b'{"names":["A.dll","A.dll"]}')) == ("A",)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b'{"names":[]}',
        b'{"names":["A.exe"]}',
        b'[".dll"]',
        b'["a/b.dll"]',
        b"A.dll",
        b'"' + b"x" * 1001 + b'.dll"',
    ],
)
def test_what_names_no_assembly_is_a_format_error(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_scripting_assemblies(data)


def test_depth_does_not_matter() -> None:
    deep = b"[" * 100_000 + b'"A.dll"' + b"]" * 100_000
    assert parse_scripting_assemblies(deep) == ("A",)


def test_a_list_beyond_the_limit_is_refused() -> None:
    with pytest.raises(LimitError):
        parse_scripting_assemblies(b'["A.dll"]', replace(DEFAULT, manifest_size=8))


def test_every_prefix_and_every_bit_flip_gives_a_result_or_a_format_error() -> None:
    chance = random.Random(2020)
    whole = json.dumps(LIST).encode()
    damaged = [whole[:size] for size in range(len(whole))]
    for _ in range(300):
        mangled = bytearray(whole)
        mangled[chance.randrange(len(mangled))] ^= 1 << chance.randrange(8)
        damaged.append(bytes(mangled))
    for data in damaged:
        try:
            assert all(parse_scripting_assemblies(data))
        except FormatError:
            continue
