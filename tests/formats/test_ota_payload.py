"""A full update gives the images of its partitions; an incremental one is named as such."""

from __future__ import annotations

import bz2
import lzma
import random
import struct
from dataclasses import replace

import pytest
import zstandard

from auditor.errors import FormatError, LimitError, UnsupportedError
from auditor.formats.ota_payload import OtaPayload, find_writes, is_ota_payload, parse_ota_payload, partition_chunks
from auditor.formats.source import BlobSource
from auditor.limits import DEFAULT
from tests.builders.mangle import mutations, prefixes
from tests.builders.ota_payload import BLOCK, Step, ota_payload
from tests.builders.protobuf import block, number
from tests.builders.sources import CountingSource

SOURCE = random.Random(5)
A, B, C, D = (SOURCE.randbytes(BLOCK * 2) for _ in range(4))
IMAGE = A + B + bytes(BLOCK * 2) + C + bytes(BLOCK) + D
STEPS = [
    Step(0, A, [(0, 2)]),
    Step(1, bz2.compress(B), [(2, 2)]),
    Step(6, b"", [(4, 2)]),
    Step(8, lzma.compress(C), [(6, 2)]),
    Step(7, b"", [(8, 1)]),
    Step(14, zstandard.compress(D), [(9, 2)]),
]


def images(data: bytes) -> dict[str, bytes]:
    source = BlobSource(data)
    found = {}
    for partition in parse_ota_payload(source).partitions:
        image = bytearray(partition.size)
        for offset, piece in find_writes(source, partition):
            assert len(piece) <= 1 << 20
            assert offset + len(piece) <= partition.size
            image[offset : offset + len(piece)] = piece
        found[partition.name] = bytes(image)
    return found


def parse(data: bytes) -> OtaPayload:
    return parse_ota_payload(BlobSource(data))


def test_every_kind_of_full_operation() -> None:
    data = ota_payload(
        {"system": (len(IMAGE), STEPS), "empty": (0, []), "vendor": (BLOCK, [Step(0, A[:BLOCK], [(0, 1)])])}
    )
    assert is_ota_payload(data[:4])
    assert images(data) == {"system": IMAGE, "empty": b"", "vendor": A[:BLOCK]}
    found = parse(data)
    assert not found.is_incremental
    for partition, image in zip(found.partitions, (IMAGE, b"", A[:BLOCK]), strict=True):
        assert b"".join(partition_chunks(BlobSource(data), partition)) == image


GAP = Step(6, b"", [(3, 2)])


def test_blocks_that_no_operation_makes_are_told_once_the_rest_came_out() -> None:
    data = ota_payload({"p": (BLOCK * 4, [Step(0, A[:BLOCK], [(1, 1)])]), "none": (BLOCK, [])})
    for partition, image in zip(
        parse(data).partitions, (bytes(BLOCK) + A[:BLOCK] + bytes(2 * BLOCK), bytes(BLOCK)), strict=True
    ):
        found: list[bytes] = []
        with pytest.raises(FormatError, match="by no operation"):
            found.extend(partition_chunks(BlobSource(data), partition))
        assert b"".join(found) == image
        with pytest.raises(FormatError, match="by no operation"):
            list(find_writes(BlobSource(data), partition))


@pytest.mark.parametrize("field", [1, 2])
def test_operations_of_major_version_1_are_refused(field: int) -> None:
    manifest = number(3, BLOCK) + block(field, number(1, 0))
    data = struct.pack(">4sQQI", b"CrAU", 2, len(manifest), 0) + manifest
    with pytest.raises(UnsupportedError, match="major version 1"):
        parse(data)


def test_content_goes_where_its_extents_say() -> None:
    data = ota_payload(
        {"p": (BLOCK * 6, [Step(0, A + B[:BLOCK], [(5, 1), (1, 2)]), Step(0, C[:BLOCK], [(0, 1)]), GAP])}
    )
    expected = C[:BLOCK] + A[BLOCK:] + B[:BLOCK] + bytes(2 * BLOCK) + A[:BLOCK]
    assert images(data) == {"p": expected}
    partition = parse(data).partitions[0]
    assert not partition.is_sequential
    with pytest.raises(UnsupportedError, match="order"):
        list(partition_chunks(BlobSource(data), partition))


def test_a_size_within_a_block_and_content_short_of_it() -> None:
    assert images(ota_payload({"p": (5000, [Step(0, A[:4996], [(0, 2)])])})) == {"p": A[:4996] + bytes(4)}
    assert images(ota_payload({"p": (5000, [Step(0, A, [(0, 2)])])})) == {"p": A[:5000]}


@pytest.mark.parametrize("kind", [2, 3, 4, 5, 9, 10, 11, 12, 13])
def test_what_needs_the_old_image_is_an_incremental_update(kind: int) -> None:
    data = ota_payload(
        {"full": (BLOCK, [Step(0, A[:BLOCK], [(0, 1)])]), "p": (BLOCK, [Step(kind, b"x", [(0, 1)])])}, minor=8
    )
    found = parse(data)
    assert found.is_incremental
    assert [item.refusal for item in found.partitions] == ["", "an incremental update: needs the old image"]
    with pytest.raises(UnsupportedError, match="old image"):
        list(find_writes(BlobSource(data), found.partitions[1]))


@pytest.mark.parametrize(
    ("size", "steps", "said"),
    [
        (BLOCK, [Step(77, b"", [(0, 1)])], "unknown type 77"),
        (BLOCK, [Step(0, A, [(0, 2)])], "beyond the partition"),
        (BLOCK * 2, [Step(0, A[:BLOCK], [(0, 1)]), Step(0, A, [(0, 2)])], "overlap"),
        (BLOCK, [Step(6, b"", [((1 << 64) - 1, 1)])], "beyond the partition"),
        (1 << 50, [], "file_size"),
    ],
)
def test_a_partition_that_cannot_be_is_refused(size: int, steps: list[Step], said: str) -> None:
    assert said in parse(ota_payload({"p": (size, steps)})).partitions[0].refusal


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (Step(0, A, [(0, 2)], bytes(32)), "SHA-256"),
        (Step(0, A, [(0, 1)]), "room"),
        (Step(0, A[:BLOCK], [(0, 2)]), "short"),
        (Step(8, b"junk" * 9, [(0, 2)]), "xz"),
        (Step(1, bz2.compress(A)[:-9], [(0, 2)]), "cut off"),
        (Step(14, b"junk" * 9, [(0, 2)]), "type 14"),
    ],
)
def test_data_that_does_not_hold_is_a_fault_where_it_lies(step: Step, said: str) -> None:
    data = ota_payload({"p": (BLOCK * 2, [step])})
    with pytest.raises(FormatError, match=said):
        list(find_writes(BlobSource(data), parse(data).partitions[0]))


def test_a_bomb_stops_where_there_is_no_more_room() -> None:
    data = ota_payload({"p": (BLOCK, [Step(8, lzma.compress(bytes(20_000_000), preset=0), [(0, 1)])])})
    with pytest.raises(FormatError, match="room"):
        list(find_writes(BlobSource(data), parse(data).partitions[0]))


def test_data_that_many_operations_name_is_refused() -> None:
    data = ota_payload({"p": (BLOCK * 2, [Step(0, A, [(0, 2)])])})
    begin = data.index(b"sig") + 3
    manifest = data[24 : begin - 3]
    partition = manifest[manifest.index(b"\x6a") :]
    many = manifest[: -len(partition)] + partition * 50
    data = data[:12] + len(many).to_bytes(8, "big") + data[20:24] + many + b"sig" + data[begin:]
    source = CountingSource(data)
    found = parse_ota_payload(source)
    assert len(found.partitions) == 50
    assert sum(not item.refusal for item in found.partitions) <= 2
    assert source.bytes_read < 2 * len(data)


def test_a_payload_that_is_cut_off_keeps_its_list() -> None:
    data = ota_payload({"p": (BLOCK * 2, [Step(0, A, [(0, 2)])])})[:-1]
    with pytest.raises(FormatError, match="cut off"):
        list(find_writes(BlobSource(data), parse(data).partitions[0]))


def test_other_versions_and_sizes_are_refused() -> None:
    with pytest.raises(UnsupportedError, match="major version 1"):
        parse(ota_payload({}, version=1))
    with pytest.raises(LimitError, match="manifest_size"):
        parse_ota_payload(BlobSource(ota_payload({"p": (0, [])})), replace(DEFAULT, manifest_size=3))
    for data in (b"", b"CrAU", b"PK\x03\x04" * 9, ota_payload({"p": (0, [])})[:30]):
        with pytest.raises(FormatError):
            parse(data)


def test_damage_gives_images_or_a_format_error() -> None:
    sample = ota_payload({"system": (len(IMAGE), STEPS)})
    for damaged in (*prefixes(sample, 150), *mutations(sample[:400], 400)):
        source = CountingSource(damaged + sample[400:] if len(damaged) == 400 else damaged)
        try:
            for partition in parse_ota_payload(source).partitions:
                for _ in find_writes(source, partition):
                    pass
        except FormatError:
            pass
        assert source.bytes_read < 8 * len(sample)
