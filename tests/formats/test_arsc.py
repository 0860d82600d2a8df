"""A resource id becomes (locale, text) pairs, through every layout a table may have."""

from __future__ import annotations

import contextlib
import struct
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from auditor.errors import FormatError, LimitError
from auditor.formats.arsc import Package, parse_resources
from auditor.limits import DEFAULT, Limits
from tests.builders import aapt2
from tests.builders.arsc import Entries, Table, config, library, overlayable, staged_aliases, strings_table
from tests.builders.axml import Plain, Ref, Typed, chunk, string_pool
from tests.builders.mangle import mutations, prefixes

LABEL = 0x7F010000
LABELS = {"": {0: "App"}, "de": {0: "Anwendung"}, "zh-CN": {0: "应用 😀"}}
EXPECTED = (("", "App"), ("de", "Anwendung"), ("zh-CN", "应用 😀"))


@pytest.mark.parametrize("utf8", [False, True])
def test_one_pair_per_locale_ascending(utf8: bool) -> None:
    resources = parse_resources(strings_table(LABELS, utf8=utf8))
    assert resources.resolve(LABEL) == EXPECTED
    assert resources.packages == (Package(0x7F, "com.example.app"),)
    assert resources.anomalies == ()


@pytest.mark.parametrize(
    "resource_id", [0, 0x7F010001, 0x7F020000, 0x7E010000, 0x01010000, 0xFFFFFFFF, 0x7F01FFFF, 0x7F000000]
)
def test_unknown_ids_resolve_to_nothing(resource_id: int) -> None:
    assert parse_resources(strings_table(LABELS)).resolve(resource_id) == ()


@pytest.mark.parametrize(
    ("stored", "tag"),
    [
        (config(), ""),
        (config("en"), "en"),
        (config("en", "US"), "en-US"),
        (config("zh", "", "Hans"), "zh-Hans"),
        (config("zh", "TW", "Hant"), "zh-Hant-TW"),
        (config("fil"), "fil"),
        (config("fil", "PH"), "fil-PH"),
        (config("es", "419"), "es-419"),
        (config("ca", "ES", "", "valencia"), "ca-ES-valencia"),
        (config("en", size=28), "en"),
        (config("", "US"), ""),
        (config("en", density=320), "en"),
    ],
)
def test_locales_are_language_tags(stored: bytes, tag: str) -> None:
    data = Table().package(0x7F, "a", {1: [Entries(stored, {0: "x"})]}).build()
    assert parse_resources(data).resolve(LABEL) == ((tag, "x"),)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("text", "text"),
        ("", ""),
        (42, "42"),
        (-1, "-1"),
        (True, "true"),
        (False, "false"),
        (0.5, "0.5"),
        (Typed(0x11, 0x10), "16"),
        (Typed(0x05, 0x1001), "4097"),
        (Typed(0x1C, 0xFF000000), "-16777216"),
        (Typed(0x00, 1), ""),
    ],
)
def test_values_become_text(value: Plain, text: str) -> None:
    assert parse_resources(strings_table({"": {0: value}})).resolve(LABEL) == (("", text),)


@pytest.mark.parametrize("value", [None, Typed(0x00, 0), Typed(0x02, LABEL), Typed(0x03, 999), Ref(0x7F010009)])
def test_what_holds_no_simple_value_resolves_to_nothing(value: Plain | None) -> None:
    assert parse_resources(strings_table({"": {0: value}})).resolve(LABEL) == ()


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("offset16", [False, True])
@pytest.mark.parametrize("compact", [False, True])
def test_layouts_of_entries(sparse: bool, offset16: bool, compact: bool) -> None:
    values: dict[int, Plain | None] = {3: "three", 7: "seven", 500: "far", 501: 9}
    entries = Entries(config(), values, sparse=sparse, offset16=offset16, compact=compact)
    resources = parse_resources(Table().package(0x7F, "a", {1: [entries]}).build())
    for index, value in values.items():
        assert resources.resolve(LABEL + index) == (("", str(value)),)
    for index in (0, 4, 8, 499, 502, 0xFFFF):
        assert resources.resolve(LABEL + index) == ()


def test_the_plainest_configuration_of_a_locale_counts() -> None:
    variants = [
        Entries(config(density=640), {0: "dense"}),
        Entries(config("de", sdk=30), {0: "neu"}),
        Entries(config(), {0: "plain"}),
        Entries(config("de", density=120), {0: "grob"}),
    ]
    resources = parse_resources(Table().package(0x7F, "a", {1: variants}).build())
    assert resources.resolve(LABEL) == (("", "plain"), ("de", "neu"))


class TestReferences:
    def resolve(self, values: dict[str, dict[int, Plain | None]], limits: Limits = DEFAULT) -> tuple[object, ...]:
        return parse_resources(strings_table(values), limits).resolve(LABEL)

    def test_a_default_reference_brings_all_locales_along(self) -> None:
        values = {"": {0: Ref(LABEL + 1), 1: "Name"}, "de": {1: "Namen"}}
        assert self.resolve(values) == (("", "Name"), ("de", "Namen"))

    def test_a_locale_of_its_own_counts_before_an_inherited_one(self) -> None:
        values = {"": {0: Ref(LABEL + 1), 1: "Name"}, "de": {0: "Eigen", 1: "Namen"}}
        assert self.resolve(values) == (("", "Name"), ("de", "Eigen"))

    def test_a_reference_of_one_locale_takes_the_best_value_for_it(self) -> None:
        values: dict[str, dict[int, Plain | None]] = {
            "": {0: "Default", 1: "one", 2: "two"},
            "de": {1: "eins"},
            "de-AT": {0: Ref(LABEL + 1)},
            "fr": {0: Ref(LABEL + 2)},
        }
        assert self.resolve(values) == (("", "Default"), ("de-AT", "eins"), ("fr", "two"))

    def test_dynamic_references_are_followed(self) -> None:
        assert self.resolve({"": {0: Ref(LABEL + 1, 0x07), 1: "x"}}) == (("", "x"),)

    def test_chains_are_followed_to_their_limit(self) -> None:
        chain: dict[int, Plain | None] = {index: Ref(LABEL + index + 1) for index in range(10)}
        values: dict[str, dict[int, Plain | None]] = {"": chain | {10: "end"}}
        assert self.resolve(values) == (("", "end"),)
        assert self.resolve(values, replace(DEFAULT, resource_hops=9)) == ()

    @pytest.mark.parametrize("target", [LABEL, LABEL + 1])
    def test_circles_end(self, target: int) -> None:
        assert self.resolve({"": {0: Ref(target), 1: Ref(LABEL)}, "de": {0: "x"}}) == (("de", "x"),)

    def test_a_fan_of_references_is_bounded(self) -> None:
        tags = [chr(97 + a) + chr(97 + b) for a in range(26) for b in range(20)]
        values: dict[str, dict[int, Plain | None]] = {
            tag: {entry: Ref(LABEL + (entry * 7 + index) % 300) for entry in range(300)}
            for index, tag in enumerate(tags[:60])
        }
        assert self.resolve(values) == ()

    def test_numbers_behind_references(self) -> None:
        assert self.resolve({"": {0: Ref(LABEL + 1), 1: 21}}) == (("", "21"),)


class TestPackages:
    @pytest.mark.parametrize("package_id", [0x00, 0x01, 0x02, 0x7E, 0x7F, 0x80, 0xFF])
    def test_of_any_id(self, package_id: int) -> None:
        data = strings_table(LABELS, package_id=package_id)
        assert parse_resources(data).resolve(package_id << 24 | 0x010000) == EXPECTED

    def test_a_shared_library_refers_to_itself_as_package_0(self) -> None:
        assert parse_resources(strings_table(LABELS, package_id=2)).resolve(0x00010000) == EXPECTED

    def test_several_in_one_table(self) -> None:
        table = Table().package(0x7F, "first", {1: [Entries(config(), {0: "one"})]})
        table.package(0x80, "second", {1: [Entries(config(), {0: "two"})]})
        resources = parse_resources(table.build())
        assert [each.name for each in resources.packages] == ["first", "second"]
        assert (resources.resolve(0x7F010000), resources.resolve(0x80010000)) == ((("", "one"),), (("", "two"),))

    def test_the_same_id_twice(self) -> None:
        table = Table().package(0x7F, "a", {1: [Entries(config(), {0: "one"})]})
        table.package(0x7F, "a", {1: [Entries(config("de"), {0: "eins"})]})
        assert parse_resources(table.build()).resolve(LABEL) == (("", "one"), ("de", "eins"))

    def test_type_ids_may_be_shifted(self) -> None:
        data = Table().package(0x7F, "a", {1: [Entries(config(), {0: "x"})]}, type_id_offset=4).build()
        assert parse_resources(data).resolve(0x7F050000) == (("", "x"),)
        assert parse_resources(data).resolve(0x7F010000) == ()

    def test_old_tables_have_a_shorter_header(self) -> None:
        data = Table().package(0x7F, "a", {1: [Entries(config(), {0: "x"})]}, type_id_offset=None).build()
        assert parse_resources(data).resolve(LABEL) == (("", "x"),)

    def test_libraries_overlayables_and_unknown_chunks_are_passed_over(self) -> None:
        extra = library(2, "lib") + overlayable("theme") + chunk(0x0299, b"", b"abcd")
        data = Table().package(0x7F, "a", {1: [Entries(config(), {0: "x"})]}, extra=extra).build()
        resources = parse_resources(data)
        assert (resources.resolve(LABEL), resources.anomalies) == ((("", "x"),), ())

    def test_staged_ids_lead_to_final_ones(self) -> None:
        extra = staged_aliases({0x01FD0000: LABEL})
        data = Table().package(0x7F, "a", {1: [Entries(config(), {0: "x"})]}, extra=extra).build()
        assert parse_resources(data).resolve(0x01FD0000) == (("", "x"),)


def test_splits_are_joined() -> None:
    base = parse_resources(strings_table({"": {0: Ref(LABEL + 1), 1: "Name"}}))
    german = parse_resources(strings_table({"de": {1: "Namen"}}))
    other = parse_resources(strings_table({"": {1: "late"}}))
    assert base.resolve(LABEL) == (("", "Name"),)
    assert base.join(german).join(other).resolve(LABEL) == (("", "Name"), ("de", "Namen"))
    assert len(base.join(german).packages) == 1


def test_the_first_pool_of_the_table_counts() -> None:
    data = Table().package(0x7F, "a", {1: [Entries(config(), {0: "real"})]}).build(after=string_pool(["decoy"] * 9))
    assert parse_resources(data).resolve(LABEL) == (("", "real"),)


def test_any_blob_is_taken() -> None:
    data = strings_table(LABELS)
    assert parse_resources(memoryview(data)).resolve(LABEL) == EXPECTED
    assert parse_resources(bytearray(data)).resolve(LABEL) == EXPECTED


def test_an_empty_table_knows_nothing() -> None:
    resources = parse_resources(Table().build())
    assert (resources.packages, resources.resolve(LABEL)) == ((), ())


def test_a_fault_inside_keeps_what_came_before_and_is_named() -> None:
    bad = struct.pack("<HHI", 0x0201, 8, 1 << 24)
    data = Table().package(0x7F, "a", {1: [Entries(config(), {0: "x"})]}).build(after=bad)
    resources = parse_resources(data)
    assert resources.resolve(LABEL) == (("", "x"),)
    assert len(resources.anomalies) == 1


@pytest.mark.parametrize(
    "data",
    [b"", b"\2\0", b"\2\0\x0c\0\xff\0\0\0", b"PK\3\4" * 8, chunk(0x0003, b"\0\0\0\0"), struct.pack("<HHI", 2, 4, 8)],
)
def test_what_is_no_table_is_a_format_error(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_resources(data)


def test_a_table_beyond_the_limit_is_refused() -> None:
    with pytest.raises(LimitError):
        parse_resources(strings_table(LABELS), replace(DEFAULT, resource_size=100))


def touch(data: bytes) -> None:
    with contextlib.suppress(FormatError):
        resources = parse_resources(data)
        for entry in range(4):
            resources.resolve(LABEL + entry)


RICH = strings_table(
    {"": {0: Ref(LABEL + 1), 1: "Name", 2: None, 3: 5}, "de": {1: "Namen"}, "zh-CN": {0: Ref(LABEL + 3)}}
)
PACKED = (
    Table(False)
    .package(
        0x7F,
        "a",
        {1: [Entries(config(), {0: "x", 1: Ref(LABEL)}, sparse=True), Entries(config("de"), {3: "y"}, compact=True)]},
        extra=staged_aliases({LABEL + 2: LABEL}),
    )
    .build()
)


@pytest.mark.parametrize("data", [RICH, PACKED])
def test_every_prefix_is_a_format_error_or_a_table(data: bytes) -> None:
    for part in prefixes(data, 1000):
        touch(part)


@pytest.mark.parametrize("data", [RICH, PACKED])
def test_flipped_bits_give_a_table_or_a_format_error(data: bytes) -> None:
    for damaged in mutations(data, 1000):
        touch(damaged)


@pytest.mark.tools
@pytest.mark.slow
@aapt2.needs_aapt2
class TestAgainstTheToolsOfThePlatform:
    def test_strings_of_the_framework(self) -> None:
        """Every eighth of about 2 000 strings in 86 languages, from a table of 32 MB."""
        shown = aapt2.dumped_strings(aapt2.FRAMEWORK)
        with zipfile.ZipFile(aapt2.FRAMEWORK) as archive:
            resources = parse_resources(archive.read("resources.arsc"))
        assert len(shown) > 1500
        some = sorted(shown)[::8]
        assert {each: dict(resources.resolve(each)) for each in some} == {each: shown[each] for each in some}

    @pytest.mark.parametrize("options", [[], ["--enable-sparse-encoding", "--min-sdk-version", "22"]])
    def test_an_app_in_each_encoding(self, tmp_path: Path, options: list[str]) -> None:
        many = "".join(f'<string name="s{index}">{index}</string>' for index in range(50))
        values = aapt2.VALUES | {"": aapt2.VALUES[""] + many, "-fr": '<string name="s49">quarante-neuf</string>'}
        apk = aapt2.link(tmp_path, aapt2.MANIFEST, values, *options)
        with zipfile.ZipFile(apk) as archive:
            resources = parse_resources(archive.read("resources.arsc"))
        shown = aapt2.dumped_strings(apk)
        assert len(shown) > 50
        assert {each: dict(resources.resolve(each)) for each in shown} == shown

    def test_androguard_sees_the_same(self, tmp_path: Path) -> None:
        from androguard.core.axml import ARSCParser
        from loguru import logger

        logger.disable("androguard")
        apk = aapt2.link(tmp_path, aapt2.MANIFEST, aapt2.VALUES)
        with zipfile.ZipFile(apk) as archive:
            data = archive.read("resources.arsc")
        resources, other = parse_resources(data), ARSCParser(data)
        label = other.get_res_id_by_key("com.example.tool", "string", "app_name")
        theirs = {text for _, text in other.get_resolved_res_configs(label)}
        ours = {text for _, text in resources.resolve(label)}
        # The text of the landscape configuration is not one of a locale.
        assert theirs - {"Wide App"} == ours
        assert len(ours) == 5
