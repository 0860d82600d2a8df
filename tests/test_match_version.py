"""Which version of an SDK is inside: stated by it, or between two builds the catalog knows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.match import match
from auditor.match_version import lead_of
from auditor.model import (
    FactKind,
    Grade,
    LearnedBuild,
    LearnedGroup,
    LearnedRole,
    LearnedSet,
    Signature,
    VersionBasis,
    VersionSource,
)
from tests.builders.extractions import catalog, clause, extraction, signature, subject

STRING, CLASS = FactKind.DEX_STRING, FactKind.DEX_CLASS
VERSIONS = ("1.0", "1.1", "2.0", "3.0")
GROUPS = {(0, 1, 2, 3): "always", (0, 1): "early", (1, 2): "middle", (2, 3): "late", (3,): "newest", (0,): "oldest"}
LEARNED = LearnedSet(
    "pay-sdk",
    STRING,
    ("pay",),
    (),
    10,
    tuple(LearnedBuild(version, f"pay@{version}", "0" * 64) for version in VERSIONS),
    tuple(LearnedGroup(LearnedRole.STRONG, builds, (value,)) for builds, value in GROUPS.items()),
)
LITERALS = clause("literals", STRING, *GROUPS.values(), learned=(LearnedRole.STRONG,))
CODE = clause("code", CLASS, "com.pay.Task")
SDK = replace(
    signature(
        "pay-sdk",
        [LITERALS, CODE],
        [(Grade.EMBEDDED, ("code",), ()), (Grade.MENTIONED, ("literals",), ())],
        versions=(VersionSource(STRING, r"^Pay/(\d+\.\d+)$"),),
    ),
    learned=(LEARNED,),
)


def version(strings: list[str], *, code: bool = True, asked: Signature = SDK) -> tuple[str, VersionBasis]:
    facts = {STRING: strings, CLASS: ["com.pay.Task"] if code else ["a.b"]}
    (found,) = match(extraction(facts), catalog([subject("pay")], [asked]))
    return found.version, found.version_basis


def test_what_the_sdk_states_goes_before_what_is_inferred() -> None:
    assert version(["Pay/2.7", "oldest"]) == ("2.7", VersionBasis.STATED)


def test_several_stated_versions_are_all_told() -> None:
    assert version(["Pay/10.0", "Pay/9.1"]) == ("9.1, 10.0", VersionBasis.STATED)


@pytest.mark.parametrize(
    ("strings", "expected"),
    [
        pytest.param(["always", "early"], "before 2.0", id="fits the first two"),
        pytest.param(["always", "middle"], "between 1.0 and 3.0", id="fits two in the middle"),
        pytest.param(["early", "middle"], "between 1.0 and 2.0", id="only one build has both"),
        pytest.param(["late"], "after 1.1", id="fits the last two"),
        pytest.param(["newest", "always"], "after 2.0", id="fits the last, or one that came later"),
        pytest.param(["oldest"], "before 1.1", id="fits the first, or one that came earlier"),
    ],
)
def test_a_range_reaches_to_the_builds_that_do_not_fit(strings: list[str], expected: str) -> None:
    assert version(strings) == (expected, VersionBasis.INFERRED)


@pytest.mark.parametrize(
    "strings",
    [
        pytest.param(["always"], id="every build has it"),
        pytest.param([], id="nothing was seen"),
        pytest.param(["oldest", "newest"], id="no known build has both: this is another one"),
    ],
)
def test_nothing_is_claimed_where_nothing_tells(strings: list[str]) -> None:
    assert version(strings) == ("", VersionBasis.UNKNOWN)


@pytest.mark.parametrize("role", [LearnedRole.PLAIN, LearnedRole.SHARED])
def test_a_word_that_other_code_may_have_tells_no_builds_apart(role: LearnedRole) -> None:
    groups = tuple(replace(group, role=role) for group in LEARNED.groups)
    asked = replace(SDK, learned=(replace(LEARNED, groups=groups),))
    assert version(["oldest"], asked=asked) == ("", VersionBasis.UNKNOWN)


def test_class_profiles_tell_no_builds_apart_and_do_not_stand_in_the_way_of_literals() -> None:
    profiles = replace(LEARNED, kind=FactKind.DEX_PROFILE)
    asked = replace(SDK, learned=(profiles, LEARNED))
    facts = {STRING: ["newest"], CLASS: ["com.pay.Task"], FactKind.DEX_PROFILE: ["oldest"]}
    (found,) = match(extraction(facts), catalog([subject("pay")], [asked]))
    assert (found.version, found.version_basis) == ("after 2.0", VersionBasis.INFERRED)


def test_a_trace_has_no_inferred_version() -> None:
    assert version(["oldest"], code=False) == ("", VersionBasis.UNKNOWN)
    assert version(["oldest", "Pay/1.0"], code=False) == ("1.0", VersionBasis.STATED)


@pytest.mark.parametrize(
    ("pattern", "lead"),
    [
        (r"^Pay/(\d+)$", "Pay/"),
        (r"^(15\.\d+)$", "15"),
        (r"^android (\d+)$", "android "),
        (r"^(\d+)$", ""),
        (r"^(a|b)$", ""),
        (r"^(a)?b$", ""),
        (r"^(?:.* )?a(\d)$", ""),
        (r"^ab?(\d)$", "a"),
    ],
)
def test_a_pattern_narrows_the_table_by_its_lead(pattern: str, lead: str) -> None:
    assert lead_of(pattern) == lead


def test_what_a_shrinker_removed_tells_nothing() -> None:
    assert version(["middle"]) == version(["middle", "always"])
