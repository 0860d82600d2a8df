"""Counts of a DEX header that contradict the rest of the file are told; sound files have none."""

from __future__ import annotations

import struct

import pytest

from auditor.formats.dex import parse_dex, parse_dex_at
from auditor.formats.dex_layout import find_contradictions, find_disorder
from tests.builders.compact_dex import SharedData, build_main, point
from tests.builders.dex import ClassDef, build_dex, with_word, word
from tests.builders.mangle import mutations

PLAIN = build_dex([ClassDef("La/A;", interfaces=("La/I;",)), "La/B;", "La/C;"], ["text"])
COUNTS = {"string_ids": 0x38, "type_ids": 0x40, "class_defs": 0x60}


def compact() -> bytes:
    data = SharedData()
    main = build_main(data, ["La/A;", "La/B;", "La/C;"], ["text"])
    return point(main, len(data.content), len(main)) + bytes(data.content)


def contradictions(data: bytes) -> list[str]:
    base = word(data, 0x6C) if data.startswith(b"cdex") else 0
    words = struct.unpack_from("<28I", data)
    return list(find_contradictions(data, words, base, len(data), compact=data.startswith(b"cdex")))


@pytest.mark.parametrize("data", [PLAIN, compact(), build_dex(), build_dex([], ["only text"])])
def test_a_sound_file_has_none(data: bytes) -> None:
    assert contradictions(data) == []
    assert parse_dex_at(data, 0).faults == ()


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("change", [-1, 1])
@pytest.mark.parametrize("data", [PLAIN, compact()])
def test_a_count_that_is_too_small_or_too_large_is_told(name: str, change: int, data: bytes) -> None:
    field = COUNTS[name]
    found = contradictions(with_word(data, field, word(data, field) + change))
    assert any(f"{name}: " in item and "in the map" in item for item in found)


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("data", [PLAIN, compact()])
def test_a_count_of_zero_is_told(name: str, data: bytes) -> None:
    assert any(f"{name}: no items at" in item for item in contradictions(with_word(data, COUNTS[name], 0)))


@pytest.mark.parametrize("name", ["type_ids", "class_defs"])
def test_a_table_that_begins_elsewhere_is_told(name: str) -> None:
    field = COUNTS[name] + 4
    found = contradictions(with_word(PLAIN, field, word(PLAIN, field) + 4))
    assert any(f"{name} begin at" in item for item in found)


@pytest.mark.parametrize("offset", [0, 3, 0xFFFFFFF0])
def test_a_file_without_its_map_is_told_where_it_must_have_one(offset: int) -> None:
    assert any("no map" in item for item in contradictions(with_word(PLAIN, 0x34, offset)))
    assert contradictions(with_word(compact(), 0x34, 0)) == []


def test_only_files_out_of_compiled_code_are_checked() -> None:
    # The bytes of an APK have a checksum in the archive, and protectors leave odd headers on purpose.
    data = with_word(PLAIN, 0x34, 0)
    assert parse_dex(data).faults == ()
    assert parse_dex_at(data, 0).faults != ()


@pytest.mark.parametrize(
    ("types", "class_types", "expected"),
    [
        ([], [], []),
        ([0, 1, 5], [2, 0, 1], []),
        ([0, 5, 1], [0], ["type_ids are not in ascending order"]),
        ([0, 0], [1], ["type_ids are not in ascending order"]),
        ([0, 1], [1, 1], ["class_defs define a class twice"]),
    ],
)
def test_tables_out_of_order_are_told(types: list[int], class_types: list[int], expected: list[str]) -> None:
    assert list(find_disorder(types, class_types)) == expected


@pytest.mark.parametrize("data", [PLAIN, compact()])
def test_an_index_that_was_altered_is_told(data: bytes) -> None:
    for table, sentence in ((0x44, "type_ids are not"), (0x64, "class_defs define")):
        at = word(data, table)
        step = 4 if table == 0x44 else 32
        damaged = with_word(data, at + step, word(data, at))
        assert any(sentence in fault for fault in parse_dex_at(damaged, 0).faults)
        assert not any(sentence in fault for fault in parse_dex_at(data, 0).faults)


def test_damage_gives_few_sentences() -> None:
    for data in (PLAIN, compact()):
        for damaged in mutations(data, 300):
            assert len(contradictions(damaged)) <= 20
