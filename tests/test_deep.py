"""The second look: SDKs by the structure of their classes, and whether the app's own code calls them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from auditor import audit
from auditor.deep import BUNDLED, CALLED_BY, look_deeper
from auditor.formats.dex import parse_dex
from auditor.formats.dex_code import DexCode
from auditor.formats.dex_profile import find_profiles
from auditor.judge import judge
from auditor.limits import DEFAULT, Limits
from auditor.match import match
from auditor.model import (
    Extraction,
    FactBatch,
    FactKind,
    Grade,
    Match,
    Platform,
    ProblemCode,
    Role,
    Signature,
    Verdict,
)
from tests.builders.dex_code import RETURN_VOID, Class, Const, Instruction, Invoke, Method, Ref, build_code_dex
from tests.builders.extractions import HERE, catalog, clause, extraction, signature, subject

SAMPLES = Path(__file__).parents[1] / "samples"
OPEN = Ref("Ljava/io/File;", "exists", "Z")
DELETE = Ref("Ljava/io/File;", "delete", "Z")
DIGEST = Ref("Ljava/security/MessageDigest;", "digest", "[B")


def method(name: str, *steps: Instruction, flags: int = 1) -> Method:
    return Method(name, flags=flags, code=(*steps, RETURN_VOID))


def sdk(name: str = "Lcom/pay/sdk/Task;", inner: str = "Lcom/pay/core/Net;", literals: bool = True) -> list[Class]:
    """An SDK of two classes: the entry calls the inner one and is called by it."""
    texts = (Const("pay://one"), Const("pay://two")) if literals else ()
    work = (Invoke(OPEN), Invoke(DELETE), Invoke(DIGEST))
    return [
        Class(name, (method("pay", *texts, *work), method("<init>", flags=0x10001))),
        Class(inner, (method("run", Invoke(Ref(name, "pay")), *work),)),
    ]


def caller(name: str, target: str = "Lcom/pay/sdk/Task;", called: str = "pay") -> Class:
    return Class(name, (method("buy", Invoke(Ref(target, called))),))


def features(classes: Iterable[Class]) -> tuple[str, ...]:
    code = DexCode(parse_dex(build_code_dex(list(classes))).classes)
    return tuple(sorted({value for _, value in find_profiles(code)}))


CODE = clause("code", FactKind.DEX_CLASS, prefixes=("com.pay.sdk.",))
TEXT = clause("text", FactKind.DEX_STRING, "pay://one", "pay://two", at_least=2)
SHAPE = clause("shape", FactKind.DEX_PROFILE, *features(sdk()))
ENTRY = clause("entry", FactKind.ACTIVITY, "com.pay.sdk.PayActivity")
CHAT = clause("chat", FactKind.DEX_CLASS, prefixes=("com.chat.sdk.",))
RULES = [
    (Grade.EMBEDDED, ("code",), ()),
    (Grade.RENAMED, (), ("text", "shape")),
    (Grade.REFERENCED, (), ("entry",)),
]
SDK = signature("pay-sdk", [CODE, TEXT, SHAPE, ENTRY], RULES)


def app(*files: Iterable[Class], facts: dict[FactKind, list[str]] | None = None, **more: object) -> Extraction:
    """An app of these DEX files."""
    found = extraction(facts, **more)  # type: ignore[arg-type]
    batches = []
    for number, classes in enumerate(files):
        dex = parse_dex(build_code_dex(list(classes)))
        place = HERE.child(f"classes{number + 1 if number else ''}.dex")
        batches.append(FactBatch(FactKind.DEX_CLASS, place, dex.classes))
        batches.append(FactBatch(FactKind.DEX_STRING, place, dex.strings))
    return replace(found, facts=(*found.facts, *batches))


def deeper(found: Extraction, asked: Signature = SDK, limits: Limits = DEFAULT) -> tuple[Extraction, tuple[Match, ...]]:
    known = catalog([subject("pay")], [asked])
    return look_deeper(found, match(found, known), known, limits)


def only(found: Extraction, asked: Signature = SDK) -> Match:
    ((item,)) = deeper(found, asked)[1]
    return item


def calls(item: Match) -> list[str]:
    return [fact.value for hit in item.hits if hit.clause == CALLED_BY for fact in hit.facts]


def test_the_call_of_an_app_shows_use() -> None:
    item = only(app([*sdk(), caller("Lcom/shop/Checkout;")]))
    assert (item.grade, item.detail) == (Grade.EMBEDDED, "")
    assert calls(item) == ["com.shop.Checkout#buy -> com.pay.sdk.Task#pay"]
    (hit,) = (hit for hit in item.hits if hit.clause == CALLED_BY)
    assert (hit.kind, hit.matched) == (FactKind.DEX_CALL, 1)
    assert str(hit.facts[0].origin) == "x.apk!classes.dex"


def test_an_sdk_that_only_calls_itself_is_merely_bundled() -> None:
    item = only(app([*sdk(), Class("Lcom/shop/Checkout;", (method("buy", Invoke(OPEN)),))]))
    assert (item.grade, item.detail, calls(item)) == (Grade.EMBEDDED, BUNDLED, [])


def test_the_caller_may_lie_in_another_dex_file() -> None:
    found, (item,) = deeper(app(sdk(), [caller("Lcom/shop/Checkout;")]))
    assert calls(item) == ["com.shop.Checkout#buy -> com.pay.sdk.Task#pay"]
    (kept,) = found.of(FactKind.DEX_CALL)
    assert (str(kept.origin), list(kept.values)) == ("x.apk!classes2.dex", calls(item))


def test_calls_come_before_constructors_and_in_order() -> None:
    item = only(
        app([*sdk(), caller("Lcom/shop/Able;", called="<init>"), caller("Lcom/shop/Zoo;"), caller("Lcom/shop/Bill;")])
    )
    assert calls(item) == [
        "com.shop.Bill#buy -> com.pay.sdk.Task#pay",
        "com.shop.Zoo#buy -> com.pay.sdk.Task#pay",
        "com.shop.Able#buy -> com.pay.sdk.Task#<init>",
    ]


def test_another_sdk_of_the_catalog_that_calls_it_shows_no_use_and_is_no_word_of_bundling() -> None:
    other = signature("chat-sdk", [CHAT], [(Grade.EMBEDDED, ("chat",), ())], subject="chat")
    found = app([*sdk(), caller("Lcom/chat/sdk/AuthActivity;")])
    known = catalog([subject("pay"), subject("chat")], [SDK, other])
    _, answered = look_deeper(found, match(found, known), known)
    for item in answered:
        assert CALLED_BY not in {hit.clause for hit in item.hits}
    (pay,) = (item for item in answered if item.signature == "pay-sdk")
    assert pay.detail == ""


def test_what_is_shown_is_bounded_and_the_count_exact() -> None:
    many = [caller(f"Lcom/shop/Caller{number};") for number in range(30)]
    item = only(app([*sdk(), *many]))
    (hit,) = (hit for hit in item.hits if hit.clause == CALLED_BY)
    assert (hit.matched, len(hit.facts)) == (30, DEFAULT.evidence)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("Lcom/pay/other/Login;", id="another package of the vendor"),
        pytest.param("La/b;", id="a class that a shrinker named: perhaps the SDK's own"),
    ],
)
def test_callers_that_may_belong_to_the_sdk_show_no_use(name: str) -> None:
    item = only(app([*sdk(), caller(name)]))
    assert calls(item) == []


def test_a_caller_nobody_can_place_leaves_open_whether_it_is_bundled_only() -> None:
    assert only(app([*sdk(), caller("La/b;")])).detail == ""


def test_a_class_below_the_apps_id_is_the_apps_own_although_the_vendor_made_it() -> None:
    item = only(app([*sdk(), caller("Lcom/pay/shop/Checkout;")], app_id="com.pay.shop"))
    assert calls(item) == ["com.pay.shop.Checkout#buy -> com.pay.sdk.Task#pay"]


@pytest.mark.parametrize("code", [ProblemCode.DEX_DAMAGED, ProblemCode.CODE_PACKED, ProblemCode.MEMBER_UNREADABLE])
def test_unread_code_may_hold_the_call(code: ProblemCode) -> None:
    assert only(app(sdk(), problems=[code])).detail == ""


def test_a_clause_for_part_of_the_sdk_tells_its_function() -> None:
    pay = clause("pay-classes", FactKind.DEX_CLASS, prefixes=("com.pay.sdk.order.",))
    asked = signature(
        "pay-sdk",
        [CODE, TEXT, pay],
        [RULES[0], (Grade.RENAMED, ("text",), ()), (Grade.MENTIONED, ("pay-classes",), ())],
    )
    login, order = "Lcom/pay/sdk/Login;", "Lcom/pay/sdk/order/Task;"
    both = [*sdk(login), *sdk(order, "Lcom/pay/core/Two;")]
    assert only(app([*both, caller("Lcom/shop/Main;", login)]), asked).detail == BUNDLED
    used = only(app([*both, caller("Lcom/shop/Main;", order)]), asked)
    assert calls(used) == ["com.shop.Main#buy -> com.pay.sdk.order.Task#pay"]


def test_classes_of_a_wrapper_are_no_code_of_the_sdk() -> None:
    wrapper = clause("wrapper-classes", FactKind.DEX_CLASS, prefixes=("com.plugin.",))
    asked = signature(
        "pay-sdk",
        [CODE, TEXT, wrapper],
        [*RULES[:1], (Grade.RENAMED, ("text",), ()), (Grade.REFERENCED, ("wrapper-classes",), ())],
    )
    item = only(app([*sdk("La/a;", "La/b;"), caller("Lcom/plugin/Module;", "La/a;")]), asked)
    assert (item.grade, item.detail, calls(item)) == (Grade.RENAMED, "", [])


def test_a_screen_that_kept_its_name_does_not_hide_that_the_rest_is_called() -> None:
    """Shrinkers keep the names of components: the class that is called has none any more."""
    kept = Class("Lcom/pay/sdk/PayActivity;", (method("show"),), "Landroid/app/Activity;")
    unused = only(app([kept, *sdk("La/a;", "La/b;"), caller("La/c;", "La/a;")]))
    assert (unused.grade, unused.detail, calls(unused)) == (Grade.EMBEDDED, "", [])
    used = only(app([kept, *sdk("La/a;", "La/b;"), caller("Lcom/shop/Main;", "La/a;")]))
    assert calls(used) == ["com.shop.Main#buy -> a.a#pay"]


def test_an_sdk_of_which_nothing_but_names_is_known_is_not_called_bundled() -> None:
    item = only(app([Class("Lcom/pay/sdk/PayActivity;"), Class("Lcom/shop/Main;")]))
    assert (item.grade, item.detail) == (Grade.EMBEDDED, "")


def test_a_renamed_sdk_is_known_by_what_its_classes_hold() -> None:
    hidden = sdk("La/a;", "La/b;")
    shop = caller("Lcom/example/app/Checkout;", "La/a;")
    item = only(app([*hidden, shop]))
    assert item.grade is Grade.RENAMED
    assert calls(item) == ["com.example.app.Checkout#buy -> a.a#pay"]


def test_a_component_of_the_manifest_calls_a_renamed_sdk() -> None:
    facts = {FactKind.ACTIVITY: ["org.shop.Pay"]}
    item = only(app([*sdk("La/a;", "La/b;"), caller("Lorg/shop/Pay;", "La/a;")], facts=facts))
    assert calls(item) == ["org.shop.Pay#buy -> a.a#pay"]


def test_nothing_is_said_of_a_renamed_sdk_that_unplaced_classes_call() -> None:
    item = only(app([*sdk("La/a;", "La/b;"), caller("Lorg/shop/Pay;", "La/a;")]))
    assert (item.grade, item.detail, calls(item)) == (Grade.RENAMED, "", [])


def test_an_sdk_without_names_and_literals_is_found_by_its_structure() -> None:
    found = app(sdk("La/a;", "La/b;", literals=False))
    assert match(found, catalog([subject("pay")], [SDK])) == ()
    kept, (item,) = deeper(found)
    assert (item.grade, item.subject) == (Grade.RENAMED, "pay")
    assert [hit.kind for hit in item.hits] == [FactKind.DEX_PROFILE]
    assert {value for part in kept.of(FactKind.DEX_PROFILE) for value in part.values} <= set(SHAPE.values)
    assert judge(kept, [item], catalog([subject("pay")], [SDK]), date(2026, 1, 1)).answers[0].verdict is Verdict.PRESENT


def test_foreign_structure_is_no_sdk() -> None:
    other = [Class("La/a;", (method("m", Invoke(OPEN), Invoke(DIGEST), Invoke(Ref("Ljava/io/File;", "length", "J"))),))]
    found, matches = deeper(app(other))
    assert matches == ()
    assert list(found.of(FactKind.DEX_PROFILE)) == []


def test_only_features_that_the_catalog_asks_for_are_kept() -> None:
    other = Class("Lx/Y;", (method("m", Invoke(OPEN), Invoke(DIGEST), Invoke(Ref("Ljava/io/File;", "length", "J"))),))
    found, _ = deeper(app([*sdk("La/a;", "La/b;", literals=False), other]))
    (kept,) = found.of(FactKind.DEX_PROFILE)
    assert not set(features([other])) & set(kept.values)


def test_profiles_are_not_read_where_names_and_literals_agree() -> None:
    found, (item,) = deeper(app(sdk()))
    assert {hit.kind for hit in item.hits} == {FactKind.DEX_CLASS, FactKind.DEX_STRING}
    assert list(found.of(FactKind.DEX_PROFILE)) == []


@pytest.mark.parametrize("code", [ProblemCode.CODE_PACKED, ProblemCode.CODE_ABSENT])
def test_profiles_of_a_loader_are_worth_nothing(code: ProblemCode) -> None:
    found, matches = deeper(app(sdk("La/a;", "La/b;", literals=False), problems=[code]))
    assert matches == ()
    assert list(found.of(FactKind.DEX_PROFILE)) == []


def test_a_profile_that_was_not_read_leaves_no_question_open() -> None:
    known = catalog([subject("pay")], [SDK])
    for code in (ProblemCode.DEX_DAMAGED, ProblemCode.CODE_PACKED):
        assert FactKind.DEX_PROFILE not in code.hides
    found = app([caller("Lcom/shop/Main;", "Lcom/shop/Two;")])
    assert judge(found, match(found, known), known, date(2026, 1, 1)).answers[0].verdict is Verdict.NOT_FOUND


def test_too_much_code_is_a_problem_that_hides_nothing_of_the_first_look() -> None:
    found, (item,) = deeper(app(sdk()), limits=replace(DEFAULT, deep_dex_size=100))
    (problem,) = found.problems
    assert (problem.code, problem.hidden) == (ProblemCode.LIMIT, frozenset())
    assert "deep_dex_size" in problem.detail
    assert (item.grade, item.detail) == (Grade.EMBEDDED, "")


def test_vendor_sdks_and_references_are_not_asked_for_calls() -> None:
    vendor = signature("pay-sdk", [CODE], RULES[:1], role=Role.VENDOR)
    assert calls(only(app([*sdk(), caller("Lcom/shop/Main;")]), vendor)) == []
    named = extraction({FactKind.ACTIVITY: ["com.pay.sdk.PayActivity"]})
    assert only(named).grade is Grade.REFERENCED
    assert only(named).detail == ""


def test_apps_of_other_platforms_pass_unchanged() -> None:
    found = extraction({FactKind.OBJC_CLASS: ["PayTask"]}, platform=Platform.IOS)
    assert look_deeper(found, (), catalog([subject("pay")], [SDK])) == (found, ())


def test_facts_without_their_dex_file_are_left_alone() -> None:
    """Facts from a database know names only."""
    found = extraction({FactKind.DEX_CLASS: ["com.pay.sdk.Task"]})
    assert deeper(found)[0] == found
    assert only(found).detail == ""


def test_the_same_app_gives_the_same_answer_twice() -> None:
    found = app([*sdk(), caller("Lcom/shop/B;"), caller("Lcom/shop/Checkout;")])
    assert deeper(found) == deeper(found)


@pytest.mark.parametrize("path", sorted((SAMPLES / "android").glob("*.apk"))[::15], ids=lambda path: path.name)
def test_a_second_look_takes_nothing_back(path: Path) -> None:
    for plain, deep in zip(audit(path), audit(path, deep=True), strict=True):
        assert [(item.subject, item.verdict) for item in plain.answers] == [
            (item.subject, item.verdict) for item in deep.answers
        ]
        assert not any(
            hit.kind is FactKind.DEX_CALL for item in plain.answers for one in item.matches for hit in one.hits
        )
        assert not list(plain.extraction.of(FactKind.DEX_PROFILE))


def test_androguard_is_not_needed() -> None:
    script = (
        "import sys; from auditor import audit; "
        f"list(audit({str(sorted((SAMPLES / 'android').glob('*.apk'))[0])!r}, deep=True)); "
        "sys.exit('androguard' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.mark.parametrize(("options", "shown"), [((), False), (("--deep",), True)])
def test_the_command_shows_who_calls_only_when_asked(options: tuple[str, ...], shown: bool) -> None:
    sample = SAMPLES / "android/sdk-wechat-pay.apk"
    words = [sys.executable, "-m", "auditor", "check", str(sample), "-q", "--format", "json", *options]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    call = "com.example.wxpay.MainActivity#onCreate -> com.tencent.mm.opensdk.modelpay.PayReq#<init>"
    assert (call in done.stdout) is shown


def test_code_that_is_not_there_leaves_open_whether_the_sdk_is_bundled_only() -> None:
    data = build_code_dex([*sdk(), Class("Lcom/shop/Checkout;", (method("buy", b"\x18\0IN FRONT"),))])
    # const-wide is the first instruction; the word before it says how many there are.
    at = data.index(b"\x18\0IN FRONT") - 4
    damaged = data[:at] + b"\xff" * 4 + data[at + 4 :]
    dex = parse_dex(damaged)
    place = HERE.child("classes.dex")
    facts = (FactBatch(FactKind.DEX_CLASS, place, dex.classes), FactBatch(FactKind.DEX_STRING, place, dex.strings))
    found, (item,) = deeper(replace(extraction(), facts=facts))
    assert (item.grade, item.detail) == (Grade.EMBEDDED, "")
    (problem,) = found.problems
    assert (problem.code, problem.hidden) == (ProblemCode.DEX_DAMAGED, frozenset())


def test_superclasses_in_a_circle_have_an_end() -> None:
    circle = [
        Class("Lcom/pay/sdk/Task;", sdk()[0].methods, superclass="Lcom/pay/core/Net;"),
        Class("Lcom/pay/core/Net;", sdk()[1].methods, superclass="Lcom/pay/sdk/Task;"),
    ]
    assert only(app([*circle, caller("Lcom/shop/Checkout;")])).grade is Grade.EMBEDDED
