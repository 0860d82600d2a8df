"""Values that no file can ever show are faults of the catalog, with what to write instead."""

from __future__ import annotations

import pytest

from auditor.catalog import find_faults
from auditor.model import FactKind
from tests.builders.catalog_files import SIGNATURE, catalog_files, changed


def faults(kind: FactKind, value: str) -> list[str]:
    """The faults of a signature that asks for one value of a kind, as its platform allows."""
    clause = (
        f'[[signature.clause]]\nname = "asked"\nkind = "{kind.value}"\nvalues = ["{value}"]\nsources = ["paper"]\n\n'
    )
    text = changed(
        SIGNATURE, '[[signature.rule]]\ngrade = "embedded"', clause + '[[signature.rule]]\ngrade = "embedded"'
    )
    text = changed(text, 'any_of = ["screen"]', 'any_of = ["screen", "asked"]')
    found = find_faults(catalog_files(signature=text))
    return [str(item) for item in found if "does not exist on" not in item.what]


SHA = "ab" * 32
GOOD = [
    (FactKind.DEX_CLASS, "com.pay.Task$Inner"),
    (FactKind.DEX_STRING, "anything at all; with/slashes"),
    (FactKind.ACTIVITY, "com.pay.Screen"),
    (FactKind.NATIVE_CLASS, "com.pay.Native"),
    (FactKind.NATIVE_LIBRARY, "libpay.so"),
    (FactKind.NATIVE_LIBRARY, "libpay.so.1"),
    (FactKind.NATIVE_EXPORT, "Java_com_pay_Native_start"),
    (FactKind.NATIVE_BUILD_ID, "0123456789abcdef"),
    (FactKind.INTENT_SCHEME, "pay-2.x+y"),
    (FactKind.FILE, "assets/pay.json"),
    (FactKind.FILE_VERSION, "com.pay_sdk 1.2"),
    (FactKind.SIGNER, f"sha256:{SHA}"),
    (FactKind.WRAPPER, "flutter"),
    (FactKind.WRAPPER_PLUGIN, "cordova:cordova-plugin-pay"),
    (FactKind.OBJC_CLASS, "PayTask"),
    (FactKind.OBJC_PROTOCOL, "PayDelegate"),
    (FactKind.SWIFT_TYPE, "Pay.Task"),
    (FactKind.BUNDLE, "Pay.bundle"),
    (FactKind.FRAMEWORK, "Pay.framework"),
    (FactKind.MACHO_UUID, "ab" * 16),
    (FactKind.URL_SCHEME, "pay"),
]
BAD = [
    (FactKind.DEX_CLASS, "com/pay/Task"),
    (FactKind.DEX_CLASS, "Lcom.pay.Task;"),
    (FactKind.ACTIVITY, "com.pay/.Screen"),
    (FactKind.NATIVE_CLASS, "com/pay/Native"),
    (FactKind.NATIVE_LIBRARY, "lib/arm64-v8a/libpay.so"),
    (FactKind.NATIVE_LIBRARY, "pay"),
    (FactKind.NATIVE_EXPORT, "pay_start"),
    (FactKind.NATIVE_BUILD_ID, "0123456789ABCDEF"),
    (FactKind.INTENT_SCHEME, "pay://start"),
    (FactKind.FILE, "/assets/pay.json"),
    (FactKind.FILE_VERSION, "1.2"),
    (FactKind.SIGNER, SHA),
    (FactKind.SIGNER, f"sha256:{SHA.upper()}"),
    (FactKind.WRAPPER, "Flutter"),
    (FactKind.WRAPPER_PLUGIN, "fluwx"),
    (FactKind.OBJC_CLASS, "_OBJC_CLASS_$_PayTask"),
    (FactKind.OBJC_CLASS, "Pay Task"),
    (FactKind.OBJC_PROTOCOL, "_OBJC_PROTOCOL_$_PayDelegate"),
    (FactKind.SWIFT_TYPE, "Task"),
    (FactKind.BUNDLE, "Pay"),
    (FactKind.FRAMEWORK, "Frameworks/Pay.framework"),
    (FactKind.MACHO_UUID, "AB12-CD"),
    (FactKind.URL_SCHEME, "pay:"),
]


@pytest.mark.parametrize(("kind", "value"), GOOD)
def test_a_value_of_the_right_shape_is_no_fault(kind: FactKind, value: str) -> None:
    assert faults(kind, value) == []


@pytest.mark.parametrize(("kind", "value"), BAD)
def test_an_impossible_value_is_a_fault_with_a_recommendation(kind: FactKind, value: str) -> None:
    (found,) = faults(kind, value)
    start = f"sdks/pay.toml: signature[pay-sdk-android].clause[asked].values: {value!r} can never be a {kind.value}; "
    assert found.startswith(start)
    assert len(found) > len(start), "it says what to write"
