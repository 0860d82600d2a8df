"""The facts of an app come back from a few kilobytes, or the blob is called damaged."""

from __future__ import annotations

import random
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from auditor.inventory.facts_blob import PackedBatch, pack_facts, unpack_facts
from auditor.inventory.string_filter import StringFilter
from auditor.model import FactKind, SortedValues
from tests.builders import names

KIB = 1024


def packed(*values: str, kind: FactKind = FactKind.DEX_CLASS, offset: int | None = None) -> PackedBatch:
    return PackedBatch(kind, 0, "!classes.dex", offset, SortedValues(values))


SAMPLE = (
    packed("a.A", "a.A$1", "a.AB", "b"),
    PackedBatch(FactKind.FILE, None, "", None, SortedValues(["", "\x00", "\ud800", "é", "è", "微信", "微博"])),
    PackedBatch(FactKind.OBJC_CLASS, 7, "=x!y", 0, SortedValues([])),
    packed("x" * 300 + "a", "x" * 300 + "b"),
    packed(""),
)


@pytest.mark.parametrize("batches", [(), SAMPLE, SAMPLE[:1], SAMPLE[2:3]], ids=["none", "many", "one", "empty"])
def test_batches_come_back_in_order(batches: tuple[PackedBatch, ...]) -> None:
    assert unpack_facts(pack_facts(batches)) == batches


@settings(derandomize=True, max_examples=60)
@given(some.lists(some.text(some.characters(), max_size=8)))
def test_any_values_come_back(values: list[str]) -> None:
    assert unpack_facts(pack_facts([packed(*values)])) == (packed(*values),)


def test_the_same_facts_give_the_same_bytes() -> None:
    assert pack_facts(SAMPLE) == pack_facts(iter(SAMPLE))


def test_every_truncation_is_called_damaged() -> None:
    blob = pack_facts(SAMPLE)
    for end in range(len(blob)):
        with pytest.raises(ValueError):
            unpack_facts(blob[:end])


def test_damage_below_the_checksum_is_a_result_or_called_damaged() -> None:
    body = zlib.decompress(pack_facts(SAMPLE))
    rng = random.Random(5)
    refused = 0
    for _ in range(500):
        damaged = bytearray(body)
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        try:
            unpack_facts(zlib.compress(bytes(damaged)))
        except (ValueError, TypeError):
            refused += 1
    assert 0 < refused < 500


@pytest.mark.parametrize(
    ("classes", "files", "strings", "budget"),
    [(35_000, 12_000, 300_000, 1024 * KIB), (6_000, 1_500, 45_000, 150 * KIB)],
    ids=["an app of 35 000 classes", "a median app"],
)
def test_an_app_stays_within_its_budget(classes: int, files: int, strings: int, budget: int) -> None:
    facts = pack_facts(
        [
            packed(*names.class_names(classes)),
            packed(*names.file_paths(files), kind=FactKind.FILE),
        ]
    )
    literals = StringFilter.of(names.literals(strings)).to_bytes()
    assert len(facts) + len(literals) <= budget
    # Front coding is what makes the difference: deflate alone leaves half as much again.
    assert len(facts) < 0.7 * len(zlib.compress("\n".join(names.class_names(classes)).encode(), 9)) + files * 8
