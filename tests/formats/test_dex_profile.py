"""Features of classes that survive renaming, repackaging and shrinking."""

from __future__ import annotations

import random
import re
from dataclasses import replace

import pytest

from auditor.errors import FormatError
from auditor.formats.dex import parse_dex, parse_dex_container
from auditor.formats.dex_code import DexCode
from auditor.formats.dex_profile import find_profiles, is_platform
from auditor.formats.dex_xref import class_of
from tests.builders.dex_code import RETURN_VOID, Class, Const, Instruction, Invoke, Method, Ref, build_code_dex

PUBLIC = 1
PUT = Ref("Landroid/content/Intent;", "putExtra", "Landroid/content/Intent;", ("Ljava/lang/String;", "I"))
START = Ref("Landroid/app/Activity;", "startActivity", "V", ("Landroid/content/Intent;",))
DIGEST = Ref("Ljava/security/MessageDigest;", "digest", "[B")
NOISE = Ref("Ljava/lang/StringBuilder;", "append", "Ljava/lang/StringBuilder;", ("I",))
OBJECT = Ref("Ljava/lang/Object;", "<init>")


def profiles(*classes: Class) -> dict[str, list[str]]:
    """Features by class, of classes that are in one file."""
    code = DexCode(parse_dex(build_code_dex(classes)).classes)
    found: dict[str, list[str]] = {}
    for owner, value in find_profiles(code):
        found.setdefault(class_of(code, owner), []).append(value)
    return found


def calls(*refs: Ref) -> tuple[Instruction, ...]:
    return (*(Invoke(ref) for ref in refs), RETURN_VOID)


def pay(name: str = "Lcom/pay/Task;", other: str = "Lcom/pay/Order;", method: str = "pay") -> Class:
    """An SDK class under any names."""
    own = Ref(other, "check", "Z", (name,))
    return Class(
        name,
        (
            Method(method, "Z", ("Landroid/app/Activity;", other), PUBLIC, calls(PUT, own, START, DIGEST)),
            Method(method + "2", "V", ("Landroid/os/Bundle;",), PUBLIC),
        ),
        "Landroid/os/Handler;",
        ("Ljava/lang/Runnable;",),
    )


def features(item: Class) -> set[str]:
    """The features of one class, whatever it is called."""
    (found,) = profiles(item).values()
    return set(found)


def kinds(item: Class) -> list[str]:
    return sorted(value.partition(":")[0] for values in profiles(item).values() for value in values)


def test_a_class_has_a_shape_and_a_call_set_for_each_method_that_calls_enough() -> None:
    (found,) = profiles(pay()).values()
    assert kinds(pay()) == ["calls", "shape"]
    assert all(re.fullmatch(r"(shape|calls):[0-9a-f]{12}", value) for value in found)


def test_features_do_not_change_between_versions_of_the_auditor() -> None:
    """Learned sets hold these values: a change of the recipe makes them all worthless."""
    assert features(pay()) == {"shape:fc4e7be9b5fb", "calls:bf4797f0cb14"}


@pytest.mark.parametrize(
    "renamed",
    [
        pytest.param(pay("La/a;", "La/b;", "a"), id="renamed and repackaged"),
        pytest.param(pay("Landroid/support/v4/a;", "Ljavax/inject/b;"), id="named like libraries that are bundled"),
        pytest.param(replace(pay(), fields=(("f", "I"),)), id="a field more"),
        pytest.param(replace(pay(), interfaces=("Ljava/lang/Runnable;", "La/I;")), id="an interface of the app more"),
    ],
)
def test_renaming_changes_nothing(renamed: Class) -> None:
    assert features(renamed) == features(pay())


def with_code(*refs: Ref) -> Class:
    first, second = pay().methods
    return replace(pay(), methods=(replace(first, code=calls(*refs)), second))


@pytest.mark.parametrize(
    "refs",
    [
        pytest.param((DIGEST, START, PUT), id="another order"),
        pytest.param((PUT, PUT, START, DIGEST, PUT), id="repeated"),
        pytest.param((PUT, NOISE, START, OBJECT, DIGEST), id="joined strings"),
        pytest.param((Ref("La/b;", "c"), PUT, START, DIGEST), id="calls of the app"),
    ],
)
def test_what_optimisers_change_in_code_changes_nothing(refs: tuple[Ref, ...]) -> None:
    assert features(with_code(*refs)) == features(pay())


def test_the_ancestor_is_sought_through_classes_of_the_app() -> None:
    middle = Class("La/Middle;", superclass="Landroid/os/Handler;")
    found = profiles(replace(pay(), superclass="La/Middle;"), middle)
    assert set(found["com.pay.Task"]) == features(pay())


def test_a_removed_method_leaves_the_call_sets_of_the_others() -> None:
    third = Method("third", "V", (), PUBLIC, calls(DIGEST, PUT, Ref("Ljava/io/File;", "delete", "Z")))
    whole = features(replace(pay(), methods=(*pay().methods, third)))
    shrunk = features(replace(pay(), methods=(pay().methods[1], third)))
    assert {value for value in whole & shrunk if value.startswith("calls:")}


@pytest.mark.parametrize(
    ("other", "kept"),
    [
        pytest.param(replace(pay(), superclass="Landroid/app/Dialog;"), "calls", id="another ancestor"),
        pytest.param(replace(pay(), interfaces=()), "calls", id="another interface of the platform"),
        pytest.param(with_code(PUT, START, DIGEST, Ref("Ljava/io/File;", "delete", "Z")), "shape", id="a call more"),
        pytest.param(with_code(PUT, START, replace(DIGEST, parameters=("[B",))), "shape", id="another overload"),
    ],
)
def test_another_structure_is_another_feature(other: Class, kept: str) -> None:
    assert {value.partition(":")[0] for value in features(other) & features(pay())} == {kept}


@pytest.mark.parametrize(
    "item",
    [
        pytest.param(Class("La/B;"), id="nothing in it"),
        pytest.param(Class("La/B;", (Method("m", code=calls(PUT, START)),)), id="two calls"),
        pytest.param(Class("La/B;", (Method("m", code=calls(PUT, PUT, NOISE, OBJECT)),)), id="one call that counts"),
        pytest.param(Class("La/B;", (Method("m", "I", ("La/C;",)), Method("n", "V", ("J",)))), id="no platform type"),
        pytest.param(Class("La/B;", (Method("m", parameters=("Landroid/os/Bundle;",)),)), id="one prototype"),
        pytest.param(Class("La/B;", (Method("m", code=(Const("android.os"), RETURN_VOID)),)), id="strings alone"),
    ],
)
def test_what_any_app_may_have_is_no_feature(item: Class) -> None:
    assert profiles(item) == {}


@pytest.mark.parametrize(
    ("descriptor", "expected"),
    [
        ("Landroid/app/Activity;", True),
        ("Ljava/lang/String;", True),
        ("Lorg/json/JSONObject;", True),
        ("Landroidx/core/a;", False),
        ("Landroid/support/v4/app/a;", False),
        ("Ljavax/inject/Inject;", False),
        ("Lorg/json2/a;", False),
        ("I", False),
        ("", False),
    ],
)
def test_what_the_platform_defines(descriptor: str, expected: bool) -> None:
    assert is_platform(descriptor) is expected


def test_ancestors_in_a_ring_end() -> None:
    ring = (replace(pay(), superclass="La/X;"), Class("La/X;", superclass="Lcom/pay/Task;"))
    assert "com.pay.Task" in profiles(*ring)


RICH = build_code_dex([pay(), pay("La/a;", "La/b;", "a"), Class("La/Middle;", superclass="Lcom/pay/Task;")])


def gone_through(data: bytes) -> None:
    try:
        files = parse_dex_container(data)
    except FormatError:
        return
    for dex in files:
        assert all(value for _, value in find_profiles(DexCode(dex.classes)))


def test_every_truncation_gives_a_result_or_a_format_error() -> None:
    for size in range(len(RICH)):
        gone_through(RICH[:size])


def test_bit_flips_give_a_result_or_a_format_error() -> None:
    flips = random.Random(7)
    for _ in range(600):
        data = bytearray(RICH)
        for _ in range(flips.randint(1, 4)):
            data[flips.randrange(len(data))] ^= 1 << flips.randrange(8)
        gone_through(bytes(data))
