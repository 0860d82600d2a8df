"""Which type a mangled name declares; names that are not read give nothing, never a guess."""

from __future__ import annotations

import random

import pytest

from auditor.formats.swift_names import type_of_class, type_of_mangled, type_of_symbol

SYMBOLS = {
    "a structure": ("_$s4Shop4CartVMn", "Shop.Cart"),
    "a class": ("_$s4Shop5OrderCMn", "Shop.Order"),
    "an enumeration": ("_$s4Shop5StateOMn", "Shop.State"),
    "a protocol": ("_$s4Shop7PayableMp", "Shop.Payable"),
    "nested types": ("_$s4Shop5OrderC5StateO4DeepVMn", "Shop.Order.State.Deep"),
    "without the underscore of Mach-O": ("$s4Shop4CartVMn", "Shop.Cart"),
    "Swift 4.2": ("_$S4Shop4CartVMn", "Shop.Cart"),
    "embedded Swift": ("_$e4Shop4CartVMn", "Shop.Cart"),
    "Swift 4.0": ("__T04Shop4CartVMn", "Shop.Cart"),
    "a type named like its module": ("_$s4ShopAACMn", "Shop.Shop"),
    "a substitution of a type": ("_$s4Shop4CartV5OrderACVMn", None),
    "words of earlier names": (
        "__T09Alamofire15DownloadRequestC0B7OptionsVMn",
        "Alamofire.DownloadRequest.DownloadOptions",
    ),
    "several words": ("_$s4Shop11CartManagerC0bC6ErrorsOMn", "Shop.CartManager.CartManagerErrors"),
    "words alone": ("_$s4Shop11CartManagerC0C0VMn", "Shop.CartManager.Manager"),
    "a private type": ("_$s4Shop6Hidden33_40E525FFC87C6CA9647114FD376A3161LLCMn", "Shop.Hidden"),
    "an extension of another module's type": ("_$s10Foundation12NotificationV4ShopE3KeyVMn", "Shop.Notification.Key"),
    "an extension of a standard type": ("_$sSS4ShopE3KeyVMn", "Shop.String.Key"),
    "an extension of an imported class": ("_$sSo6NSDataC4ShopE3KeyVMn", "Shop.NSData.Key"),
    "the standard library": ("_$ss5ErrorMp", "Swift.Error"),
    "an imported type": ("_$sSo6CGRectVMn", None),
    "a synthesized type": ("__T0SC10SCNVector3VMn", None),
    "an accessor": ("_$s4Shop4CartVMa", None),
    "a function": ("_$s4Shop3payyyFMn", None),
    "a local type": ("_$s4Shop3payyyF5LocalL_VMn", None),
    "a constrained extension": ("_$s4Shop4ConsVA2A5OtherRzrlE02InB0VMn", None),
    "Punycode": ("_$s4Shop007Caf_dmaVMn", None),
    "a module alone": ("_$s4ShopMn", None),
    "two types": ("_$s4Shop4CartV4Shop4LineVMn", None),
    "no name": ("_$sVMn", None),
    "a length beyond the end": ("_$s4Shop9CartVMn", None),
    "a length of zero": ("_$s4Shop0VMn", None),
    "a number without end": ("_$s99999999999999999999CartVMn", None),
    "a substitution beyond the end": ("_$s4ShopAZCMn", None),
    "a word beyond the end": ("_$s4Shop0z3CarVMn", None),
    "a name of C++": ("__ZN4Shop4CartMn", None),
    "a name that ends alike": ("_columnMn", None),
}
CLASSES = {
    "_TtC4Shop4Cart": "Shop.Cart",
    "_TtCC4Shop5Order4Line": "Shop.Order.Line",
    "_TtCVO4Shop1A1B1C": "Shop.A.B.C",
    "_TtC4ShopP33_40E525FFC87C6CA9647114FD376A31616Hidden": "Shop.Hidden",
    "_TtCs12_SwiftObject": "Swift._SwiftObject",
    "_TtCE9AlamofireV10Foundation12Notification3Key": "Alamofire.Notification.Key",
    "WXApi": None,
    "_TtP4Shop7Payable_": None,
    "_TtGC4Shop3BoxSi_": None,
    "_TtCSo8UIButton4Kind": None,
    "_TtCFC4Shop4Cart3payFT_T_L_5Local": None,
    "_TtC4Shop": None,
    "_TtC4Shop9Cart": None,
    "_TtC4Shop4CartX": None,
    "_Tt": None,
    "_TtC04Shop": None,
    "_Tt" + "C" * 900: None,
}


@pytest.mark.parametrize("case", SYMBOLS)
def test_descriptor_symbols(case: str) -> None:
    symbol, expected = SYMBOLS[case]
    assert type_of_symbol(symbol.encode()) == expected


@pytest.mark.parametrize("name", CLASSES)
def test_class_names_of_the_runtime(name: str) -> None:
    assert type_of_class(name.encode()) == CLASSES[name]


def test_a_large_index_refers_to_later_substitutions() -> None:
    names = "".join(f"2T{chr(97 + number)}" for number in range(26))
    text = "4Shop" + "".join(f"{names[3 * number : 3 * number + 3]}V" for number in range(20))
    assert type_of_symbol(f"_$s{text}A0_VMn".encode()) == f"Shop.{'.'.join(f'T{chr(97 + n)}' for n in range(20))}.Tn"


@pytest.mark.parametrize(
    ("mangled", "path"),
    [
        (b"10Foundation12NotificationV", ("Notification",)),
        (b"4Shop4CartV4LineV", ("Cart", "Line")),
        (b"SS", ("String",)),
        (b"So8NSStringC", ("NSString",)),
        (b"4Shop", None),
        (b"", None),
        (b"\x01abcd", None),
        ("4Café".encode(), None),
        (b"4Shop" * 900, None),
    ],
)
def test_mangled_names_of_metadata(mangled: bytes, path: tuple[str, ...] | None) -> None:
    assert type_of_mangled(mangled) == path


@pytest.mark.parametrize("name", [*(symbol for symbol, _ in SYMBOLS.values()), *CLASSES])
def test_every_prefix_and_any_flipped_bit_ends(name: str) -> None:
    rng = random.Random(name)
    good = name.encode()
    for end in range(len(good)):
        for part in (good[:end], good[:end] + b"Mn"):
            type_of_symbol(part)
            type_of_class(part)
            type_of_mangled(part)
    for _ in range(40):
        data = bytearray(good)
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        for result in (type_of_symbol(bytes(data)), type_of_class(bytes(data))):
            assert result is None or "." in result


def test_a_short_symbol_that_spells_a_long_name_is_passed_over() -> None:
    """A word of 300 letters named 200 times, and the type of it nested in itself: nine megabytes of name."""
    word = "Z" + "a" * 299
    assert type_of_symbol(f"_$s1M300{word}V0{'a' * 200}A0VMn".encode()) is None
    assert type_of_symbol(f"_$s1M300{word}V{'ABV' * 200}Mn".encode()) is None
    assert type_of_mangled(f"1M300{word}V{'ABV' * 200}".encode()) is None
    assert type_of_symbol(f"_$s1M300{word}V0aA0VMn".encode()) == f"M.{word}.{word}{word}"
