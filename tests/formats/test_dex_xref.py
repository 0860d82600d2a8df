"""Who calls the methods of given classes, and which classes hold given strings."""

from __future__ import annotations

import random
import zipfile
from pathlib import Path

import pytest

from auditor.errors import FormatError
from auditor.formats.dex import parse_dex, parse_dex_container
from auditor.formats.dex_code import DexCode
from auditor.formats.dex_xref import Call, find_calls, find_holders
from tests.builders.dex_code import RETURN_VOID, Class, Const, Invoke, Method, Ref, build_code_dex

SAMPLES = Path(__file__).parents[2] / "samples/android"
PAY = Ref("Lcom/pay/Task;", "pay", "Z", ("I",))
INIT = Ref("Lcom/pay/Task;", "<init>")
INNER = Ref("Lcom/pay/Task$Result;", "ok", "Z")
SDK = Class(
    "Lcom/pay/Task;",
    (Method("pay", "Z", ("I",), 1, (Invoke(INIT), Const("pay://"), RETURN_VOID)), Method("<init>", flags=0x10001)),
)
SHOP = Class(
    "Lcom/shop/Checkout;",
    (
        Method("buy", code=(Invoke(INIT, 0x70), Invoke(PAY, 0x6E), Invoke(PAY, 0x74), RETURN_VOID)),
        Method("idle", code=(Const("pay://"), Const("shop"), RETURN_VOID)),
    ),
)
REST = Class("Lcom/shop/Rest;", (Method("look", code=(Invoke(Ref("Ljava/io/File;", "exists", "Z")), RETURN_VOID)),))
DATA = build_code_dex([SDK, SHOP, REST])


def is_sdk(name: str) -> bool:
    return name.startswith("com.pay.")


def outside(name: str) -> bool:
    return not is_sdk(name)


def code_of(data: bytes) -> DexCode:
    return DexCode(parse_dex(data).classes)


def test_calls_from_outside_are_found_once_for_each_method() -> None:
    assert sorted(map(str, find_calls(code_of(DATA), is_sdk, outside))) == [
        "com.shop.Checkout#buy -> com.pay.Task#<init>",
        "com.shop.Checkout#buy -> com.pay.Task#pay",
    ]


def test_calls_inside_the_sdk_are_its_own_affair() -> None:
    found = list(find_calls(code_of(build_code_dex([SDK])), is_sdk, outside))
    assert found == []


def test_a_class_does_not_call_itself() -> None:
    assert list(find_calls(code_of(DATA), is_sdk, is_sdk)) == []


def test_calls_of_classes_that_are_elsewhere_are_found_as_well() -> None:
    """The SDK may lie in another DEX file: what code names is enough."""
    code = code_of(build_code_dex([SHOP]))
    assert Call("com.pay.Task", "pay", "com.shop.Checkout", "buy") in set(find_calls(code, is_sdk, outside))


def test_nested_classes_keep_their_dollar() -> None:
    caller = Class("La/B$1;", (Method("m", code=(Invoke(INNER), RETURN_VOID)),))
    (found,) = find_calls(code_of(build_code_dex([caller])), is_sdk, outside)
    assert str(found) == "a.B$1#m -> com.pay.Task$Result#ok"


def test_names_beyond_ascii_are_read() -> None:
    caller = Class("La/Ü;", (Method("mü", code=(Invoke(PAY), RETURN_VOID)),))
    (found,) = find_calls(code_of(build_code_dex([caller])), is_sdk, outside)
    assert found.caller_class == "a.Ü"


def test_calls_of_arrays_are_no_calls_of_a_class() -> None:
    caller = Class("La/B;", (Method("m", code=(Invoke(Ref("[Lcom/pay/Task;", "clone")), RETURN_VOID)),))
    assert list(find_calls(code_of(build_code_dex([caller])), is_sdk, outside)) == []


def test_a_file_without_code_has_no_calls() -> None:
    assert list(find_calls(code_of(build_code_dex([Class("La/B;")])), is_sdk, outside)) == []


@pytest.mark.parametrize(
    ("strings", "expected"),
    [
        ({"pay://"}, [("com.pay.Task", "pay://"), ("com.shop.Checkout", "pay://")]),
        ({"shop", "absent"}, [("com.shop.Checkout", "shop")]),
        ({"com.pay.Task", "buy"}, []),
        (set(), []),
    ],
)
def test_holders_load_a_string_and_do_not_only_bear_it(strings: set[str], expected: list[tuple[str, str]]) -> None:
    assert sorted(find_holders(code_of(DATA), strings)) == expected


def test_strings_beyond_ascii_and_with_nul_are_compared_whole() -> None:
    text = "pay\0支付\U0001f4b0"
    data = build_code_dex([Class("La/B;", (Method("m", code=(Const(text), Const("支付"), RETURN_VOID)),))])
    assert list(find_holders(code_of(data), {text})) == [("a.B", text)]


def gone_through(data: bytes) -> None:
    try:
        files = parse_dex_container(data)
    except FormatError:
        return
    for dex in files:
        code = DexCode(dex.classes)
        for call in find_calls(code, is_sdk, outside):
            str(call).encode()
        assert all(value in ("pay://", "shop") for _, value in find_holders(code, {"pay://", "shop"}))


def test_every_truncation_gives_a_result_or_a_format_error() -> None:
    for size in range(len(DATA)):
        gone_through(DATA[:size])


def test_bit_flips_give_a_result_or_a_format_error() -> None:
    flips = random.Random(3)
    for _ in range(600):
        data = bytearray(DATA)
        for _ in range(flips.randint(1, 4)):
            data[flips.randrange(len(data))] ^= 1 << flips.randrange(8)
        gone_through(bytes(data))


def dotted(descriptor: str) -> str:
    return descriptor[1:-1].replace("/", ".")


def by_androguard(data: bytes) -> set[tuple[str, str, str, str]]:
    """Every call between classes, from the cross-references of androguard's Analysis."""
    pytest.importorskip("loguru").logger.remove()
    dex = pytest.importorskip("androguard.core.dex").DEX(data)
    analysis = pytest.importorskip("androguard.core.analysis.analysis").Analysis(dex)
    analysis.create_xref()
    found = set()
    for method in analysis.get_methods():
        for _, callee, _ in method.get_xref_to():
            if callee.class_name[0] == "L" and callee.class_name != method.class_name:
                caller = (dotted(str(method.class_name)), str(method.name))
                found.add((*caller, dotted(str(callee.class_name)), str(callee.name)))
    return found


def ours(data: bytes) -> set[tuple[str, str, str, str]]:
    calls = find_calls(code_of(data), lambda name: True, lambda name: True)
    return {(item.caller_class, item.caller, item.callee_class, item.callee) for item in calls}


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.apk"))[::30], ids=lambda path: path.name)
def test_androguards_cross_references_are_the_same(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        files = [archive.read(name) for name in archive.namelist() if name.endswith(".dex")]
    assert files
    for data in files:
        assert ours(data) == by_androguard(data) != set()
