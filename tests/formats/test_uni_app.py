"""What a uni-app says of its native modules, in the three files that name them."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from auditor.errors import FormatError
from auditor.formats.blob import Blob
from auditor.formats.uni_app import UniApp, parse_dcloud_properties, parse_uni_manifest, parse_uniplugins
from auditor.limits import DEFAULT, Limits
from tests.builders.mangle import mutations, prefixes

SDKS = {"payment": {"weixin": {"appid": "wx0"}, "alipay": {}}, "oauth": {"qq": {}}, "share": {"weixin": {}}}
NAMED = ("oauth.qq", "payment.alipay", "payment.weixin", "share.weixin")
PROPERTIES = b"""<properties><features>
  <feature name="OAuth" value="io.dcloud.feature.oauth.OAuthFeatureImpl">
    <module name="OAuth-Weixin" value="io.dcloud.feature.oauth.weixin.WeiXinOAuthService"/></feature>
  <feature name="Payment" value="io.dcloud.feature.payment.PaymentFeatureImpl">
    <module name="AliPay" value="io.dcloud.feature.payment.alipay.AliPay"/></feature>
</features><services><service name="push" value="x"/></services></properties>"""
NATIVE = json.dumps(
    {"nativePlugins": [{"plugins": [{"type": "module", "name": "My-Wechat", "class": "com.example.Wechat"}, 7]}, None]}
).encode()


@pytest.mark.parametrize(
    "manifest",
    [
        {"id": "__UNI__X", "plus": {"distribute": {"plugins": SDKS}}},
        {"id": "__UNI__X", "plus": {"distribute": {"sdkConfigs": SDKS}}},
        {"id": "H5X", "plus": {"plugins": SDKS}},
        {"app-plus": {"distribute": {"sdkConfigs": SDKS}}},
    ],
)
def test_a_manifest_names_the_sdks_of_each_group(manifest: dict[str, object]) -> None:
    assert parse_uni_manifest(json.dumps(manifest).encode()) == UniApp(NAMED)


def test_modules_without_an_sdk_are_named_as_such() -> None:
    data = b'{"app-plus": {"modules": {"Payment": {}, "OAuth": {}}}}'
    assert parse_uni_manifest(data).modules == ("OAuth", "Payment")


def test_comments_of_a_manifest_are_passed_over() -> None:
    data = b'{/* 5+ */ "plus": {"distribute": {"plugins": {"payment": {"alipay": {"scheme": "a://b"}}}}} // end\n}'
    assert parse_uni_manifest(data).modules == ("payment.alipay",)


@pytest.mark.parametrize(
    "manifest", [{}, {"plus": 7}, {"plus": {"distribute": []}}, {"plus": {"plugins": {"payment": ["weixin"]}}}]
)
def test_a_manifest_of_another_shape_names_nothing(manifest: dict[str, object]) -> None:
    assert parse_uni_manifest(json.dumps(manifest).encode()) == UniApp(())


def test_properties_name_modules_as_the_manifest_does_and_classes() -> None:
    found = parse_dcloud_properties(PROPERTIES)
    assert found.modules == ("OAuth", "Payment", "oauth.weixin", "payment.alipay")
    assert "io.dcloud.feature.oauth.weixin.WeiXinOAuthService" in found.classes
    assert "x" not in found.classes


def test_native_plugins_are_named_with_their_classes() -> None:
    assert parse_uniplugins(NATIVE) == UniApp(("My-Wechat",), ("com.example.Wechat",))
    assert parse_uniplugins(b"{}") == UniApp(())


@pytest.mark.parametrize("data", [b"", b"[]", b"7", b"{"])
def test_what_is_no_manifest_is_refused(data: bytes) -> None:
    for parse in (parse_uni_manifest, parse_uniplugins, parse_dcloud_properties):
        with pytest.raises(FormatError):
            parse(data)


@pytest.mark.parametrize(
    ("parse", "data"),
    [
        (parse_uni_manifest, json.dumps({"plus": {"distribute": {"plugins": SDKS}}}).encode()),
        (parse_dcloud_properties, PROPERTIES),
        (parse_uniplugins, NATIVE),
    ],
)
def test_damage_is_read_or_refused(parse: Callable[[Blob, Limits], object], data: bytes) -> None:
    for damaged in (*prefixes(data), *mutations(data, 300)):
        try:
            parse(damaged, DEFAULT)
        except FormatError:
            continue
