"""What a signature sees in an app: clauses, rules, evidence, versions, and what stays undecided."""

from __future__ import annotations

import pytest

from auditor.limits import DEFAULT
from auditor.match import ask, match, undecided
from auditor.model import (
    Confidence,
    FactBatch,
    FactKind,
    Grade,
    Match,
    ProblemCode,
    Relation,
    Role,
    SortedValues,
    VersionSource,
)
from tests.builders.extractions import HERE, app_id, catalog, clause, extraction, signature, subject

CLASS, STRING, ACTIVITY = FactKind.DEX_CLASS, FactKind.DEX_STRING, FactKind.ACTIVITY
CODE = clause("code", CLASS, "com.pay.Task", prefixes=("com.pay.sdk.",), excluded=("com.pay.sdk.other.",))
TEXT = clause("text", STRING, "s1", "s2", "s3", "s4", at_least=3)
ENTRY = clause("entry", ACTIVITY, globs=("*.payapi.EntryActivity",))
RULES = [
    (Grade.EMBEDDED, ("code",), ()),
    (Grade.RENAMED, ("text",), ()),
    (Grade.REFERENCED, (), ("entry",)),
]
SDK = signature("pay-sdk", [CODE, TEXT, ENTRY], RULES)


def grades(facts: dict[FactKind, list[str]], *, own: str = "com.example.app") -> list[tuple[str, Grade]]:
    found = match(extraction(facts, app_id=own), catalog([subject("pay")], [SDK]))
    return [(item.signature, item.grade) for item in found]


@pytest.mark.parametrize(
    ("facts", "grade"),
    [
        pytest.param({CLASS: ["com.pay.Task"]}, Grade.EMBEDDED, id="exact class"),
        pytest.param({CLASS: ["com.pay.sdk.a"]}, Grade.EMBEDDED, id="class under the prefix"),
        pytest.param({STRING: ["s1", "s2", "s4"]}, Grade.RENAMED, id="enough literals"),
        pytest.param({ACTIVITY: ["org.host.payapi.EntryActivity"]}, Grade.REFERENCED, id="declared only"),
        pytest.param(
            {ACTIVITY: ["org.host.payapi.EntryActivity"], CLASS: ["com.pay.Task"], STRING: ["s1", "s2", "s3"]},
            Grade.EMBEDDED,
            id="the strongest rule wins",
        ),
    ],
)
def test_a_rule_that_holds_gives_its_grade(facts: dict[FactKind, list[str]], grade: Grade) -> None:
    assert grades(facts) == [("pay-sdk", grade)]


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param({CLASS: ["com.pay.TaskRunner"]}, id="a longer class name"),
        pytest.param({CLASS: ["xcom.pay.Task"]}, id="a class name that ends alike"),
        pytest.param({CLASS: ["com.pay.Task$Inner"]}, id="a nested class is another class"),
        pytest.param({CLASS: ["com.pay.sdkx.A"]}, id="a sister package"),
        pytest.param({CLASS: ["com.pay.sdk.other.A"]}, id="an excluded part of the prefix"),
        pytest.param({CLASS: ["Com.pay.Task"]}, id="case matters"),
        pytest.param({STRING: ["s1", "s2"]}, id="too few literals"),
        pytest.param({STRING: ["s1s2s3"]}, id="literals match whole strings"),
        pytest.param({ACTIVITY: ["org.host.payapi.EntryActivity2"]}, id="a glob is anchored at its end"),
        pytest.param({STRING: ["com.pay.Task"]}, id="a class name as a string is no class"),
        pytest.param({}, id="nothing"),
    ],
)
def test_a_near_miss_is_no_match(facts: dict[FactKind, list[str]]) -> None:
    assert grades(facts) == []


def test_the_vendors_own_app_does_not_embed_its_sdk() -> None:
    sdk = signature("pay-sdk", [CODE, TEXT, ENTRY], RULES, own_apps=("com.pay.client",))
    own = extraction({CLASS: ["com.pay.Task"]}, app_id="com.pay.client")
    other = extraction({CLASS: ["com.pay.Task"]}, app_id="com.pay.client2")
    assert match(own, catalog([subject("pay")], [sdk])) == ()
    assert len(match(other, catalog([subject("pay")], [sdk]))) == 1


def test_a_rule_may_need_several_clauses() -> None:
    paying = signature("pay", [CODE, ENTRY], [(Grade.EMBEDDED, ("code", "entry"), ())])
    both = extraction({CLASS: ["com.pay.Task"], ACTIVITY: ["a.payapi.EntryActivity"]})
    assert [item.grade for item in match(both, catalog([subject("pay")], [paying]))] == [Grade.EMBEDDED]
    for facts in ({CLASS: ["com.pay.Task"]}, {ACTIVITY: ["a.payapi.EntryActivity"]}):
        assert match(extraction(facts), catalog([subject("pay")], [paying])) == ()


def only(facts: dict[FactKind, list[str]], **more: object) -> Match:
    found = match(extraction(facts), catalog([subject("pay")], [signature("pay-sdk", [CODE, TEXT, ENTRY], RULES)]))
    assert len(found) == 1
    return found[0]


def test_evidence_names_the_fact_and_where_it_lies() -> None:
    found = only({CLASS: ["com.pay.Task", "com.other.A"], ACTIVITY: ["a.payapi.EntryActivity"]})
    assert [(hit.clause, hit.matched, [fact.value for fact in hit.facts]) for hit in found.hits] == [
        ("code", 1, ["com.pay.Task"]),
        ("entry", 1, ["a.payapi.EntryActivity"]),
    ]
    assert str(found.hits[0].facts[0].origin) == "x.apk!classes.dex"


def test_evidence_is_bounded_but_the_count_is_exact() -> None:
    found = only({CLASS: [f"com.pay.sdk.C{number}" for number in range(500)] + ["com.pay.Task"]})
    assert found.hits[0].matched == 501
    assert len(found.hits[0].facts) == DEFAULT.evidence
    assert found.hits[0].facts[0].value == "com.pay.Task", "an exact value goes before one found by prefix"


class Located(SortedValues):
    """Values that count how often one of them is located."""

    def __init__(self, values: list[str]) -> None:
        super().__init__(values)
        self.asked = 0

    def offset_of(self, value: str) -> int | None:
        self.asked += 1
        return 7


def test_only_what_is_kept_is_located() -> None:
    values = Located([f"com.pay.sdk.C{number}" for number in range(500)])
    hit = ask(CODE, [FactBatch(CLASS, HERE, values)])
    assert hit is not None
    assert (hit.matched, values.asked) == (500, DEFAULT.evidence)
    assert {fact.origin.offset for fact in hit.facts} == {7}


def test_the_same_class_in_two_dex_files_counts_once() -> None:
    twice = extraction({CLASS: ["com.pay.Task"]})
    doubled = type(twice)(twice.app, (*twice.facts, *twice.facts), ())
    hit = ask(CODE, doubled.of(CLASS))
    assert hit is not None
    assert hit.matched == 1


@pytest.mark.parametrize(
    ("code", "entry", "expected"),
    [
        (Confidence.HIGH, Confidence.HIGH, Confidence.HIGH),
        (Confidence.HIGH, Confidence.LOW, Confidence.LOW),
        (Confidence.MEDIUM, Confidence.HIGH, Confidence.MEDIUM),
    ],
)
def test_a_match_is_as_sure_as_its_weakest_needed_clause(
    code: Confidence, entry: Confidence, expected: Confidence
) -> None:
    clauses = [
        clause("code", CLASS, "com.pay.Task", confidence=code),
        clause("entry", ACTIVITY, "e", confidence=entry),
    ]
    rule = signature("pay", clauses, [(Grade.EMBEDDED, ("code", "entry"), ())])
    found = match(extraction({CLASS: ["com.pay.Task"], ACTIVITY: ["e"]}), catalog([subject("pay")], [rule]))
    assert found[0].confidence is expected


@pytest.mark.parametrize(
    ("strings", "version"),
    [
        (["Pay/1.2.3"], "1.2.3"),
        (["Pay/1.2.3", "Pay/1.10.0"], "1.2.3, 1.10.0"),
        (["xPay/1.2.3", "Pay/1.2.3 beta", "pay/1.2.3"], ""),
    ],
)
def test_the_version_is_read_where_it_stands(strings: list[str], version: str) -> None:
    source = VersionSource(STRING, r"^Pay/(\d+\.\d+\.\d+)$")
    sdk = signature("pay", [CODE], [(Grade.EMBEDDED, ("code",), ())], versions=(source,))
    found = match(extraction({CLASS: ["com.pay.Task"], STRING: strings}), catalog([subject("pay")], [sdk]))
    assert found[0].version == version


@pytest.mark.parametrize(
    ("facts", "problem", "open_kinds"),
    [
        pytest.param({}, ProblemCode.DEX_DAMAGED, {CLASS, STRING}, id="hidden code keeps the question open"),
        pytest.param({STRING: ["s1", "s2"]}, ProblemCode.DEX_DAMAGED, {CLASS, STRING}, id="too few seen so far"),
        pytest.param({}, ProblemCode.RESOURCES_DAMAGED, set(), id="a label hides nothing"),
        pytest.param({}, ProblemCode.NATIVE_DAMAGED, set(), id="native code is not asked about"),
        pytest.param({}, ProblemCode.MANIFEST_DAMAGED, set(), id="a declaration would be no finding"),
    ],
)
def test_what_was_hidden_stays_undecided(
    facts: dict[FactKind, list[str]], problem: ProblemCode, open_kinds: set[FactKind]
) -> None:
    found = undecided(extraction(facts, problems=[problem]), catalog([subject("pay")], [SDK]))
    assert found == ({"pay": frozenset(open_kinds)} if open_kinds else {})


def test_a_needed_clause_that_is_plainly_false_decides_although_another_is_hidden() -> None:
    paying = signature("pay", [CODE, ENTRY], [(Grade.EMBEDDED, ("code", "entry"), ())])
    packed = extraction(problems=[ProblemCode.CODE_PACKED])
    assert undecided(packed, catalog([subject("pay")], [paying])) == {}
    declared = extraction({ACTIVITY: ["a.payapi.EntryActivity"]}, problems=[ProblemCode.CODE_PACKED])
    assert set(undecided(declared, catalog([subject("pay")], [paying]))) == {"pay"}


LIBRARY = clause("library", FactKind.NATIVE_EXPORT, "Java_com_pay_Task_run")
KNOWN_ID = clause("known-id", STRING, "com.pay.client")
WITH_LIBRARY = signature(
    "pay-sdk",
    [CODE, LIBRARY, KNOWN_ID, ENTRY],
    [
        (Grade.EMBEDDED, (), ("code", "library")),
        (Grade.REFERENCED, (), ("entry",)),
        (Grade.MENTIONED, ("known-id",), ()),
    ],
)


@pytest.mark.parametrize(
    ("facts", "problems", "open_kinds"),
    [
        pytest.param({}, [ProblemCode.NATIVE_DAMAGED], set(), id="the code was read and knows nothing of the SDK"),
        pytest.param(
            {STRING: ["com.pay.client"]}, [ProblemCode.NATIVE_DAMAGED], {FactKind.NATIVE_EXPORT}, id="its id is known"
        ),
        pytest.param(
            {ACTIVITY: ["a.payapi.EntryActivity"]},
            [ProblemCode.NATIVE_DAMAGED],
            {FactKind.NATIVE_EXPORT},
            id="an entry point is declared",
        ),
        pytest.param(
            {},
            [ProblemCode.NATIVE_DAMAGED, ProblemCode.DEX_DAMAGED],
            {CLASS, FactKind.NATIVE_EXPORT},
            id="the code was not read either",
        ),
        pytest.param({}, [ProblemCode.CODE_PACKED], {CLASS, FactKind.NATIVE_EXPORT}, id="what was read is a loader"),
    ],
)
def test_a_library_that_cannot_be_read_hides_no_sdk_of_which_the_code_knows_nothing(
    facts: dict[FactKind, list[str]], problems: list[ProblemCode], open_kinds: set[FactKind]
) -> None:
    found = undecided(extraction(facts, problems=problems), catalog([subject("pay")], [WITH_LIBRARY]))
    assert found == ({"pay": frozenset(open_kinds)} if open_kinds else {})


def test_an_sdk_of_native_code_alone_stays_undecided_where_a_library_cannot_be_read() -> None:
    native = signature("pay", [LIBRARY], [(Grade.EMBEDDED, ("library",), ())])
    assert set(undecided(extraction(problems=[ProblemCode.NATIVE_DAMAGED]), catalog([subject("pay")], [native]))) == {
        "pay"
    }


def test_an_unread_id_leaves_every_subject_open() -> None:
    nameless = extraction(app_id="", problems=[ProblemCode.MANIFEST_DAMAGED])
    found = undecided(nameless, catalog([subject("pay", [app_id("com.pay.client", Relation.MAIN)]), subject("other")]))
    assert set(found) == {"pay", "other"}


def test_a_vendor_sdk_that_may_be_hidden_leaves_nothing_open() -> None:
    vendor = signature("crash", [CODE], [(Grade.EMBEDDED, ("code",), ())], role=Role.VENDOR)
    assert undecided(extraction(problems=[ProblemCode.CODE_PACKED]), catalog([subject("pay")], [vendor])) == {}
