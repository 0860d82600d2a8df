"""What the DEX reader promises: classes defined, strings held, and honest faults."""

from __future__ import annotations

import pickle
import random
from dataclasses import replace

import pytest

from auditor.errors import FormatError, LimitError, UnsupportedError
from auditor.formats.dex import Dex, is_dex, parse_dex, parse_dex_container
from auditor.formats.mutf8 import mutf8_bytes, parse_mutf8, sort_key_of
from auditor.limits import DEFAULT
from auditor.model import Values
from tests.builders.dex import ClassDef, build_container, build_dex, mutf8, seal, string_data, with_word, word

FILE_SIZE, HEADER_SIZE, ENDIAN_TAG = 0x20, 0x24, 0x28
STRING_IDS, TYPE_IDS, CLASS_DEFS = 0x38, 0x40, 0x60
SMALL = build_dex(
    [
        ClassDef("Lcom/a/B;", "Lcom/a/Base;", ("Ljava/lang/Runnable;", "Lcom/a/Listener;")),
        ClassDef("Lcom/a/B$C;"),
        ClassDef("Ltop;", None),
    ],
    ["weixin://", "", "literal"],
    ["Lcom/only/Referenced;", "I", "[Lcom/a/B;"],
)


def table_at(data: bytes, field: int) -> int:
    return word(data, field + 4)


def test_only_defined_classes_are_listed_as_ascending_dotted_names() -> None:
    dex = parse_dex(SMALL)
    assert list(dex.classes) == ["com.a.B", "com.a.B$C", "top"]
    assert len(dex.classes) == 3
    assert dex.faults == ()


@pytest.mark.parametrize(
    "name", ["com.only.Referenced", "java.lang.Object", "com.a.Base", "I", "Lcom/a/B;", "com/a/B", ""]
)
def test_a_type_that_is_only_referenced_is_no_class(name: str) -> None:
    dex = parse_dex(SMALL)
    assert name not in dex.classes
    assert dex.classes.offset_of(name) is None
    assert dex.superclass_of(name) is None
    assert dex.interfaces_of(name) == ()


def test_superclass_and_interfaces_are_read_when_asked_for() -> None:
    dex = parse_dex(SMALL)
    assert dex.superclass_of("com.a.B") == "com.a.Base"
    assert dex.interfaces_of("com.a.B") == ("java.lang.Runnable", "com.a.Listener")
    assert dex.superclass_of("top") is None
    assert dex.interfaces_of("top") == ()


def test_the_offset_of_a_class_is_that_of_its_class_def() -> None:
    dex = parse_dex(SMALL)
    start = table_at(SMALL, CLASS_DEFS)
    assert [dex.classes.offset_of(name) for name in ("com.a.B", "com.a.B$C", "top")] == [start, start + 32, start + 64]


def test_the_offset_of_a_string_is_that_of_its_data() -> None:
    dex = parse_dex(SMALL)
    offset = dex.strings.offset_of("weixin://")
    assert offset is not None
    assert SMALL[offset:].startswith(string_data("weixin://"))
    assert dex.strings.offset_of("weixin:/") is None


def test_both_tables_keep_the_protocol_of_values() -> None:
    dex = parse_dex(SMALL)
    assert isinstance(dex.classes, Values)
    assert isinstance(dex.strings, Values)
    assert 7 not in dex.classes
    assert 7 not in dex.strings


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("com.a.", ["com.a.B", "com.a.B$C"]),
        ("com.a.B", ["com.a.B", "com.a.B$C"]),
        ("com.a.B$", ["com.a.B$C"]),
        ("t", ["top"]),
        ("", ["com.a.B", "com.a.B$C", "top"]),
        ("com.b", []),
        ("z", []),
    ],
)
def test_classes_are_found_by_prefix(prefix: str, expected: list[str]) -> None:
    assert list(parse_dex(SMALL).classes.with_prefix(prefix)) == expected


@pytest.mark.parametrize("version", ["035", "036", "037", "038", "039", "040"])
def test_versions_that_phones_run_are_read(version: str) -> None:
    data = build_dex(["La;"], version=version)
    dex = parse_dex(data)
    assert (dex.version, dex.size, list(dex.classes)) == (version, len(data), ["a"])


@pytest.mark.parametrize("version", ["009", "013", "034", "042", "099"])
def test_other_versions_are_named_as_unsupported(version: str) -> None:
    data = build_dex(["La;"], version=version)
    assert is_dex(data)
    with pytest.raises(UnsupportedError, match=version):
        parse_dex(data)


def test_compact_dex_is_named_as_unsupported() -> None:
    data = b"cdex001\0" + build_dex(["La;"])[8:]
    assert is_dex(data)
    with pytest.raises(UnsupportedError, match="compact"):
        parse_dex(data)


def test_reversed_byte_order_is_named_as_unsupported() -> None:
    with pytest.raises(UnsupportedError, match="byte order"):
        parse_dex(with_word(SMALL, ENDIAN_TAG, 0x78563412))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"dex\n",
        b"dex\n035",
        b"dex\n03x\0",
        b"dex\n0350",
        b"dey\n036\0",
        b"DEX\n035\0",
        b"PK\3\4aaaa",
        b"\0dex\n035\0",
        b"cdex1",
    ],
)
def test_what_has_no_magic_is_no_dex(data: bytes) -> None:
    assert not is_dex(data)
    with pytest.raises(FormatError):
        parse_dex(data)


def test_a_bare_magic_is_a_dex_that_cannot_be_read() -> None:
    assert is_dex(b"dex\n035\0")
    with pytest.raises(FormatError, match="header"):
        parse_dex(b"dex\n035\0")


def test_an_empty_dex_defines_nothing_and_hides_nothing() -> None:
    dex = parse_dex(build_dex())
    assert (list(dex.classes), list(dex.strings), list(dex.iter_raw_strings()), dex.faults) == ([], [], [], ())
    assert "" not in dex.strings


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview, lambda data: memoryview(b"xx" + data)[2:]])
def test_every_kind_of_blob_is_read_and_can_be_pickled(wrap: object) -> None:
    dex = parse_dex(wrap(SMALL))  # type: ignore[operator]
    again: Dex = pickle.loads(pickle.dumps(dex))
    for one in (dex, again):
        assert list(one.classes) == ["com.a.B", "com.a.B$C", "top"]
        assert "weixin://" in one.strings
        assert one.superclass_of("com.a.B") == "com.a.Base"


@pytest.mark.parametrize("size", [1, 2, 126, 127, 128, 129, 255, 256, 1023, 1024, 1025, 16383, 16384, 60_000])
def test_names_and_strings_of_every_length_are_read(size: int) -> None:
    name = "L" + "x" * (size - 1)
    dex = parse_dex(build_dex([f"L{name};", "La/b;"], ["s" * size]))
    assert list(dex.classes) == sorted([name, "a.b"])
    assert "s" * size in dex.strings
    assert "s" * (size + 1) not in dex.strings
    assert "s" * (size - 1) not in dex.strings or size == 1
    assert dex.faults == ()


NON_ASCII = ["\u00fc", "\u20ac", "\u65e5\u672c", "\U0001f600", "x\U00010400y", "a\u0000b", "\u07ff", "\ue000", "\uffee"]


@pytest.mark.parametrize("text", NON_ASCII)
def test_names_beyond_ascii_are_read(text: str) -> None:
    dex = parse_dex(build_dex([f"Lp/{text}Q;", "Lp/Z;"], [text, f"{text}!"]))
    assert set(dex.classes) == {f"p.{text}Q", "p.Z"}
    assert text in dex.strings
    assert f"{text}!" in dex.strings
    assert f"{text}?" not in dex.strings
    assert dex.faults == ()


def test_a_table_of_every_kind_of_character_is_found_by_bisection() -> None:
    texts = sorted({f"{a}{b}" for a in [*NON_ASCII, "a", "\x01", "~"] for b in [*NON_ASCII, "", "a"]})
    strings = parse_dex(build_dex([], texts)).strings
    assert all(text in strings for text in texts)
    assert set(strings) == set(texts)
    assert strings.check_order()


def test_what_cannot_be_decoded_becomes_the_replacement_character() -> None:
    data = build_dex(["La/\ud800b;"], ["lone\udc00", "fine"])
    dex = parse_dex(data)
    assert list(dex.classes) == ["a.\ufffdb"]
    assert "lone\ufffd" in dex.strings
    assert "fine" in dex.strings
    for text in (*dex.classes, *dex.strings):
        text.encode("utf-8")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        (b"plain", "plain"),
        (b"\xc0\x80", "\0"),
        (b"\xed\xa0\xbd\xed\xb8\x80", "\U0001f600"),
        (b"\xed\xa0\xbd", "\ufffd"),
        (b"\xed\xb8\x80\xed\xa0\xbd", "\ufffd\ufffd"),
        (b"a\xffb", "a\ufffdb"),
        (b"\xc3", "\ufffd"),
        (b"\xf0\x9f\x98\x80", "\U0001f600"),
    ],
)
def test_mutf8_is_decoded_leniently(data: bytes, text: str) -> None:
    assert parse_mutf8(data) == text


@pytest.mark.parametrize("text", ["", "abc", *NON_ASCII])
def test_mutf8_is_encoded_as_the_specification_says(text: str) -> None:
    assert mutf8_bytes(text) == mutf8(text)
    assert parse_mutf8(mutf8(text)) == text


def test_sort_keys_compare_like_utf16_units() -> None:
    texts = [*NON_ASCII, "", "a", "\x01", "\uffff", "\U0010ffff"]
    by_units = sorted(texts, key=lambda text: [*text.encode("utf-16-be")])
    assert sorted(texts, key=sort_key_of) == by_units


# Order


def many(count: int) -> list[str]:
    return [f"string number {index:05}" for index in range(count)]


@pytest.mark.parametrize("count", [2, 3, 511, 512, 513, 1024, 5000])
@pytest.mark.parametrize(
    "order",
    [
        lambda table: table[::-1],
        lambda table: table[1:] + table[:1],
        lambda table: random.Random(5).sample(table, len(table)),
    ],
)
def test_an_unsorted_string_table_is_noticed_and_read_all_the_same(order: object, count: int) -> None:
    texts = many(count)
    strings = parse_dex(build_dex([], texts, order=order)).strings  # type: ignore[arg-type]
    assert not strings.check_order()
    assert all(text in strings for text in texts)
    assert list(strings) == texts
    assert "string number" not in strings
    assert list(strings.with_prefix("string number 0000")) == [
        text for text in texts if text.startswith("string number 0000")
    ]
    found = strings.offset_of(texts[1])
    assert found is not None


def test_one_misplaced_string_of_a_small_table_is_noticed() -> None:
    texts = many(300)
    strings = parse_dex(build_dex([], texts, order=lambda table: [*table[:200], *table[201:], table[200]])).strings
    assert texts[200] in strings


def test_one_misplaced_string_of_a_large_table_is_noticed_on_request() -> None:
    texts = many(3000)
    strings = parse_dex(
        build_dex([], texts, order=lambda table: [*table[:1501], *table[1502:1504], table[1501], *table[1504:]])
    ).strings
    assert strings.intersection([texts[1501]]) == {texts[1501]}
    assert not strings.check_order()
    assert all(text in strings for text in texts)


def test_duplicate_strings_count_once() -> None:
    data = build_dex([], ["same", "samf"])
    at = data.index(b"samf")
    strings = parse_dex(data[:at] + b"same" + data[at + 4 :]).strings
    assert list(strings) == ["same"]
    assert len(strings) == 1


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize(
    "texts", [[""], ["a"], ["", "a"], many(700), ["", *many(700)], ["x" * 130, "y" * 20_000, "\u00fc\0"]]
)
def test_raw_strings_come_without_length_wherever_the_data_lies(texts: list[str], shuffle: bool) -> None:
    strings = parse_dex(build_dex([], texts, shuffle_data=shuffle)).strings
    assert list(strings.iter_raw()) == [mutf8(text) for text in sorted(texts)]
    assert list(strings) == sorted(texts)
    assert all(text in strings for text in texts)


def test_many_strings_are_found_in_one_pass() -> None:
    texts = many(700)
    wanted = [texts[0], texts[699], "absent", "", "string number 0000"]
    assert parse_dex(build_dex([], texts)).strings.intersection(wanted) == {texts[0], texts[699]}
    assert parse_dex(build_dex([], texts, shuffle_data=True)).strings.intersection(wanted) == {texts[0], texts[699]}


@pytest.mark.parametrize("prefix", ["", "string number 0012", "string number 00699", "a", "z", "strinh"])
def test_strings_are_found_by_prefix(prefix: str) -> None:
    texts = many(700)
    found = list(parse_dex(build_dex([], texts)).strings.with_prefix(prefix))
    assert found == [text for text in texts if text.startswith(prefix)]


# Damage


def test_a_class_defined_twice_counts_once_and_at_its_first_place() -> None:
    data = build_dex(["La;", "Lb;"])
    start = table_at(data, CLASS_DEFS)
    dex = parse_dex(with_word(data, start + 32, word(data, start)))
    assert list(dex.classes) == ["a"]
    assert dex.classes.offset_of("a") == start
    assert dex.faults == ()


@pytest.mark.parametrize("index", [0xFFFFFFFF, 0x7FFFFFFF, 0x10000, 9])
def test_a_class_index_outside_leaves_the_other_classes(index: int) -> None:
    data = build_dex(["La;", "Lb;", "Lc;"])
    dex = parse_dex(with_word(data, table_at(data, CLASS_DEFS) + 32, index))
    assert list(dex.classes) == ["a", "c"]
    assert dex.faults == ("class_defs: 1 classes whose names cannot be read",)


@pytest.mark.parametrize("field", [STRING_IDS, TYPE_IDS, CLASS_DEFS])
@pytest.mark.parametrize("count", [0xFFFFFFFF, 0x80000000, 0x10000])
def test_a_count_beyond_the_file_is_a_fault_and_what_is_there_is_read(field: int, count: int) -> None:
    dex = parse_dex(with_word(SMALL, field, count))
    assert {"com.a.B", "com.a.B$C", "top"} <= set(dex.classes)
    assert any("lie outside the file" in fault for fault in dex.faults)


@pytest.mark.parametrize("field", [STRING_IDS, TYPE_IDS, CLASS_DEFS])
@pytest.mark.parametrize("offset", [0xFFFFFFFF, 0x80000000, len(SMALL), len(SMALL) - 1])
def test_a_table_outside_the_file_is_a_fault(field: int, offset: int) -> None:
    dex = parse_dex(with_word(SMALL, field + 4, offset))
    assert list(dex.classes) == []
    assert dex.faults


@pytest.mark.parametrize("offset", [0xFFFFFFFF, 0x80000000, len(SMALL), len(SMALL) - 1])
def test_a_string_outside_the_file_is_a_fault(offset: int) -> None:
    count = word(SMALL, STRING_IDS)
    dex = parse_dex(with_word(SMALL, table_at(SMALL, STRING_IDS) + 4 * (count - 1), offset))
    assert list(dex.classes) == ["com.a.B", "com.a.B$C", "top"]
    assert dex.faults == (f"string_ids: 1 of {count} strings lie outside the file",)
    assert "weixin://" not in dex.strings
    assert "literal" in dex.strings


@pytest.mark.parametrize("descriptor", ["I", "[La;", "La", "a;", "L;", ""])
def test_a_class_def_of_something_else_is_a_fault(descriptor: str) -> None:
    dex = parse_dex(build_dex([descriptor, "Lfine;"]))
    assert list(dex.classes) == ["fine"]
    assert len(dex.faults) == 1


def test_a_wrong_checksum_and_a_lying_file_size_hide_nothing() -> None:
    for offset, value in ((8, 0), (FILE_SIZE, 0), (FILE_SIZE, 0xFFFFFFFF), (FILE_SIZE, 0x70)):
        data = with_word(SMALL, offset, value)
        dex = parse_dex(data)
        assert list(dex.classes) == ["com.a.B", "com.a.B$C", "top"]
        assert dex.size <= len(data)
        assert dex.faults == ()


def test_strings_that_lie_inside_one_another_end_in_bounded_time() -> None:
    body = build_dex([], ["x" * 20_000, *many(3000)])
    at = body.index(string_data("x" * 20_000))
    table = table_at(body, STRING_IDS)
    for index in range(word(body, STRING_IDS)):
        body = body[: table + 4 * index] + (at + 3 + index).to_bytes(4, "little") + body[table + 4 * index + 4 :]
    dex = parse_dex(body)
    assert dex.faults
    assert len(list(dex.strings)) < 10


@pytest.mark.parametrize("name", ["dex_strings", "dex_classes"])
def test_more_items_than_the_limit_allows_are_refused(name: str) -> None:
    limit = replace(DEFAULT, **{name: 2})
    with pytest.raises(LimitError, match="more than 2"):
        parse_dex(SMALL, limit)


def test_more_bytes_than_the_limit_allows_are_refused() -> None:
    with pytest.raises(LimitError):
        parse_dex(SMALL, replace(DEFAULT, member_size=len(SMALL) - 1))


def touch(data: bytes) -> None:
    """Read everything, as a signature might."""
    try:
        found = parse_dex_container(data)
    except FormatError:
        return
    for dex in found:
        for values in (dex.classes, dex.strings):
            for value in values:
                value.encode("utf-8")
            list(values.with_prefix("com"))
            assert values.offset_of("no such value") is None
        for name in dex.classes:
            assert dex.classes.offset_of(name) is not None
            dex.superclass_of(name)
            dex.interfaces_of(name)
        list(dex.iter_raw_strings())
        dex.strings.intersection(["literal"])
        dex.strings.check_order()


@pytest.mark.parametrize("data", [SMALL, build_container([["La;"], ["Lb;"]]), SMALL + SMALL], ids=["035", "041", "two"])
def test_every_prefix_gives_a_result_or_a_format_error(data: bytes) -> None:
    for size in range(len(data)):
        touch(data[:size])


def test_a_cut_file_never_loses_a_class_in_silence() -> None:
    for size in range(0x70, len(SMALL)):
        dex = parse_dex(SMALL[:size])
        assert len(dex.classes) == 3 or dex.faults


@pytest.mark.parametrize("data", [SMALL, build_container([["La;"], ["Lb;"]])], ids=["035", "041"])
def test_seeded_bit_flips_give_a_result_or_a_format_error(data: bytes) -> None:
    chance = random.Random(20210105)
    for _ in range(600):
        mangled = bytearray(data)
        for _ in range(chance.randint(1, 6)):
            mangled[chance.randrange(len(mangled))] ^= 1 << chance.randrange(8)
        touch(bytes(mangled))


# Several in one file


def test_every_logical_dex_of_a_container_is_read() -> None:
    data = build_container([["La/A;", "La/B;"], ["Lb/C;"], ["Lc/D;"]])
    found = parse_dex_container(data)
    assert [list(dex.classes) for dex in found] == [["a.A", "a.B"], ["b.C"], ["c.D"]]
    assert [dex.version for dex in found] == ["041"] * 3
    assert [dex.faults for dex in found] == [()] * 3
    assert sum(dex.size for dex in found) == len(data)
    for dex in found:
        assert data[dex.offset :].startswith(b"dex\n041\0")
        for text in dex.strings:
            offset = dex.strings.offset_of(text)
            assert offset is not None
            assert data[offset:].startswith(string_data(text))


def test_a_container_may_share_strings_that_lie_in_a_later_part() -> None:
    first, second = ["La;"], ["La;"]
    data = build_container([first, second])
    start = parse_dex_container(data)[1].offset
    moved = with_word(data, STRING_IDS + 4, word(data, start + STRING_IDS + 4))
    assert list(parse_dex_container(moved)[0].classes) == ["a"]


def test_a_cut_container_is_a_fault() -> None:
    data = build_container([["La;"], ["Lb;"]])
    second = parse_dex_container(data)[1].offset
    for size in (second, second + 8, second + 0x77):
        found = parse_dex_container(data[:size])
        assert [list(dex.classes) for dex in found] == [["a"]]
        assert found[0].faults


def test_a_logical_dex_torn_out_of_its_container_is_refused() -> None:
    data = build_container([["La;"], ["Lb;"]])
    with pytest.raises(FormatError, match="torn"):
        parse_dex(data[parse_dex_container(data)[1].offset :])


def test_files_that_follow_one_another_are_all_read() -> None:
    parts = [build_dex(["La;"], ["one"]), build_dex(["Lb;"], ["two"]), build_dex(["Lc;"], ["three"])]
    data = b"".join(parts)
    found = parse_dex_container(data)
    assert [list(dex.classes) for dex in found] == [["a"], ["b"], ["c"]]
    assert ["two" in dex.strings for dex in found] == [False, True, False]
    second = found[1]
    offset = second.strings.offset_of("two")
    assert offset is not None
    assert data[offset:].startswith(string_data("two"))
    assert second.classes.offset_of("b") == len(parts[0]) + table_at(parts[1], CLASS_DEFS)
    assert second.superclass_of("b") == "java.lang.Object"
    assert list(parse_dex(data).classes) == ["a"]


@pytest.mark.parametrize("tail", [b"", b"\0" * 8, b"PK\3\4" + b"\0" * 200, b"\0" + SMALL, b"dex\n"])
def test_other_bytes_behind_a_dex_are_no_part_of_it(tail: bytes) -> None:
    found = parse_dex_container(SMALL + tail)
    assert len(found) == 1
    assert found[0].faults == ()


def test_an_unreadable_dex_behind_another_is_a_fault_of_that() -> None:
    found = parse_dex_container(SMALL + b"dex\n099\0" + SMALL[8:])
    assert len(found) == 1
    assert "099" in found[0].faults[0]


def test_more_files_than_the_limit_allows_are_a_fault() -> None:
    found = parse_dex_container(SMALL * 4, replace(DEFAULT, dex_files=2))
    assert len(found) == 2
    assert found[1].faults


def test_the_builder_seals_what_it_writes() -> None:
    assert seal(SMALL) == SMALL
