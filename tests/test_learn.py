"""Learning an SDK's own values: what is kept, in which role, by which builds, and how it is written."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping

import pytest

from auditor.catalog import find_faults, parse_catalog
from auditor.learn import Lesson, learn, render_learned
from auditor.model import FactKind, LearnedBuild, LearnedRole, LearnedSet
from tests.builders.catalog_files import SIGNATURE, catalog_files, changed

OWN = "https://gate.pay.example/api"


def lesson(*builds: Mapping[str, object] | set[str], **more: object) -> Lesson:
    """A lesson of builds 1.0, 1.1, ... with these values."""
    made = [
        (LearnedBuild(f"1.{number}", f"pay@1.{number} pay.aar", f"{number:064d}"), frozenset(values))
        for number, values in enumerate(builds)
    ]
    words = {"marks": ("pay.example", "paysdk"), "protocol": ("_payreq_",), **more}
    return Lesson("pay-sdk-android", FactKind.DEX_STRING, builds=made, **words)  # type: ignore[arg-type]


def roles(found: LearnedSet) -> dict[str, str]:
    return {value: group.role.value for group in found.groups for value in group.values}


class TestWhatIsKept:
    @pytest.mark.parametrize(
        ("value", "role"),
        [
            pytest.param(OWN, "strong", id="it names the vendor"),
            pytest.param("PAYSDK.Checkout", "strong", id="a mark in capitals"),
            pytest.param("cannot reach cashier", "plain", id="it names nobody"),
            pytest.param("_payreq_sign", "shared", id="a key of the protocol"),
            pytest.param("https://pay.example/_payreq_", "shared", id="protocol goes before the vendor's name"),
        ],
    )
    def test_a_value_has_a_role(self, value: str, role: str) -> None:
        assert roles(learn(lesson({value}))) == {value: role}

    @pytest.mark.parametrize(
        "value",
        [
            pytest.param("ok", id="a word"),
            pytest.param("paysdk", id="a mark alone proves nothing"),
            pytest.param("timeout", id="short and naming nobody"),
            pytest.param("x" * 301, id="a table"),
            pytest.param("two\nlines of pay.example", id="not printable"),
            pytest.param("", id="nothing"),
        ],
    )
    def test_what_anybody_may_write_is_dropped(self, value: str) -> None:
        assert roles(learn(lesson({value}))) == {}

    def test_the_background_and_other_sdks_are_taken_off(self) -> None:
        found = learn(lesson({OWN, "cannot reach cashier"}, background={"cannot reach cashier", "more"}))
        assert roles(found) == {OWN: "strong"}
        assert found.background == 2

    def test_what_a_reimplementation_holds_too_is_shared(self) -> None:
        found = learn(lesson({OWN, "cannot reach cashier"}, shared={OWN, "cannot reach cashier"}))
        assert roles(found) == {OWN: "shared"}, "a shared value that names nobody tells nothing"

    def test_of_many_builds_a_value_that_names_nobody_must_be_in_two(self) -> None:
        once, twice = "cannot reach cashier", "cashier was closed"
        assert roles(learn(lesson({once, twice, OWN}, {twice}, {"x"}))) == {OWN: "strong", twice: "plain"}
        assert roles(learn(lesson({once}, {"x"}))) == {once: "plain"}, "two builds are too few to choose from"


class TestGroups:
    def test_values_stand_with_the_builds_that_have_them(self) -> None:
        found = learn(lesson({OWN, "paysdk/1.0.0"}, {OWN, "paysdk/1.1.0"}, {"paysdk/1.2.0"}))
        assert [(group.builds, group.values) for group in found.groups] == [
            ((0, 1), (OWN,)),
            ((0,), ("paysdk/1.0.0",)),
            ((1,), ("paysdk/1.1.0",)),
            ((2,), ("paysdk/1.2.0",)),
        ]

    def test_values_of_chosen_roles_come_in_order(self) -> None:
        found = learn(lesson({OWN, "_payreq_sign", "cannot reach cashier"}))
        assert found.values((LearnedRole.STRONG, LearnedRole.SHARED)) == ("_payreq_sign", OWN)
        assert found.values(()) == ()

    def test_of_many_that_name_nobody_the_longest_are_kept(self) -> None:
        values = {f"plain value {'x' * number}" for number in range(200)}
        (group,) = learn(lesson(values)).groups
        assert len(group.values) == 150
        assert min(map(len, group.values)) == len("plain value ") + 50

    def test_values_of_a_group_ascend(self) -> None:
        (group,) = learn(lesson({f"paysdk value {number}" for number in range(50)})).groups
        assert list(group.values) == sorted(group.values)


LEARNED = changed(
    SIGNATURE,
    '[[signature.rule]]\ngrade = "embedded"',
    """[[signature.clause]]
name = "literals"
kind = "dex.string"
learned = ["strong"]
sources = ["paper"]

[[signature.rule]]
grade = "embedded"
any_of = ["literals"]

[[signature.rule]]
grade = "embedded\"""",
)


def files(learned: str, signature: str = LEARNED) -> dict[str, bytes]:
    return {**catalog_files(signature=signature), "learned/pay.toml": learned.encode()}


def only_fault(learned: str, signature: str = LEARNED) -> str:
    found = find_faults(files(learned, signature))
    assert len(found) == 1, [str(item) for item in found]
    return str(found[0])


BUILT = lesson({OWN, 'say "pay.example" \\ twice'}, {OWN, "_payreq_sign"}, background={"unrelated"})


class TestInTheCatalog:
    TEXT = render_learned(learn(BUILT))

    def test_what_is_written_is_read_back(self) -> None:
        signature = parse_catalog(files(self.TEXT)).signatures[0]
        assert signature.learned == (learn(BUILT),)

    def test_a_clause_has_the_values_of_its_roles(self) -> None:
        signature = parse_catalog(files(self.TEXT)).signatures[0]
        (clause,) = (item for item in signature.clauses if item.name == "literals")
        assert clause.values == (OWN, 'say "pay.example" \\ twice')
        assert clause.value_set == frozenset(clause.values)

    def test_the_text_is_toml_with_its_provenance(self) -> None:
        data = tomllib.loads(self.TEXT)
        assert data["build"][1] == {"version": "1.1", "package": "pay@1.1 pay.aar", "sha256": f"{1:064d}"}
        assert data["marks"] == ["pay.example", "paysdk"]

    @pytest.mark.parametrize(
        ("old", "new", "fault"),
        [
            ('signature = "pay-sdk-android"', 'signature = "pay-sdk"', "'pay-sdk' is no signature; did you mean"),
            ('kind = "dex.string"', 'kind = "dex.strings"', "is 'dex.strings'; did you mean 'dex.string'?"),
            ('role = "strong"', 'role = "strongest"', "is 'strongest'; did you mean 'strong'?"),
            ("builds = [0, 1]", "builds = [0, 2]", "is [0, 2]; list positions of [[build]], 0 to 1, ascending"),
            ("builds = [0, 1]", "builds = [1, 0]", "is [1, 0]; list positions"),
            ("builds = [0, 1]", "builds = [-1]", "holds -1; list whole numbers from 0 up"),
            ('"_payreq_sign"', f'"{OWN}"', f"lists {OWN!r}, which another group has too; learn the set again"),
            ("background = 1", "surprise = 1", "is an unknown key"),
            ("background = 1", "background = 0", "is 0; write a number of at least 1"),
        ],
    )
    def test_a_damaged_set_is_a_fault(self, old: str, new: str, fault: str) -> None:
        text = changed(self.TEXT, old, new)
        found = [str(item) for item in find_faults(files(text))]
        assert any(fault in item for item in found), found

    def test_a_set_without_builds_has_no_provenance(self) -> None:
        text = 'signature = "pay-sdk-android"\nkind = "dex.string"\nbackground = 1\n'
        found = [str(item) for item in find_faults(files(text))]
        assert any("build: is missing; name the binaries" in item for item in found)

    def test_a_set_nobody_asks_for_is_a_fault(self) -> None:
        found = only_fault(self.TEXT, SIGNATURE)
        assert "no clause of pay-sdk-android asks for it; write learned" in found

    def test_a_clause_without_its_set_is_a_fault(self) -> None:
        found = [str(item) for item in find_faults(catalog_files(signature=LEARNED))]
        assert any(
            "nothing of kind dex.string was learned for pay-sdk-android in these roles" in item for item in found
        )

    def test_the_same_kind_learned_twice_is_a_fault(self) -> None:
        given = files(self.TEXT)
        found = [str(item) for item in find_faults({**given, "learned/more.toml": given["learned/pay.toml"]})]
        assert found == [
            "learned/pay.toml: kind: dex.string of pay-sdk-android was learned in learned/more.toml already;"
            " delete one of the files"
        ]
