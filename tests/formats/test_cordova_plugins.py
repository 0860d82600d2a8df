"""The plugin lists of Cordova and Capacitor name packages, versions and native classes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from auditor.errors import FormatError, LimitError
from auditor.formats.blob import Blob
from auditor.formats.cordova_plugins import (
    PluginList,
    parse_capacitor_config,
    parse_capacitor_plugins,
    parse_config_xml,
    parse_cordova_plugins,
)
from auditor.limits import DEFAULT, Limits
from tests.builders.axml import axml, el
from tests.builders.mangle import mutations, prefixes
from tests.builders.scripts import cordova_list

PLUGINS = {"cordova-plugin-wechat": "2.9.0", "@scope/cordova-plugin-x": "1.0", "com.old.reverse": "0.1"}
CONFIG = b"""<?xml version='1.0' encoding='utf-8'?>
<widget id="io.example" version="1.0.0" xmlns="http://www.w3.org/ns/widgets" xmlns:cdv="http://cordova.apache.org/ns/1.0">
  <feature name="Wechat"><param name="android-package" value="xu.li.cordova.wechat.Wechat"/></feature>
  <feature name="alipay"><param name="ios-package" value="alipay"/><param name="onload" value="true"/></feature>
  <preference name="wechatappid" value="wx0123456789abcdef"/>
  <name>Example</name>
</widget>"""
CAPACITOR = json.dumps(
    [
        {"pkg": "@capgo/capacitor-wechat", "classpath": "ee.forgr.plugin.capacitor_wechat.CapacitorWechatPlugin"},
        {"pkg": "@capacitor/app", "classpath": "com.capacitorjs.plugins.app.AppPlugin"},
    ]
).encode()
CAPACITOR_CONFIG = json.dumps(
    {
        "appId": "io.example",
        "packageClassList": ["CapacitorWechatPlugin", 7],
        "includePlugins": ["@capacitor/app"],
        "ios": {"includePlugins": ["@capgo/capacitor-wechat"]},
        "plugins": {"CapacitorWechat": {"appId": "wx0123456789abcdef"}},
    }
).encode()


class TestCordovaPlugins:
    def test_the_list_of_a_build_is_read_with_versions(self) -> None:
        found = parse_cordova_plugins(cordova_list(PLUGINS))
        assert found.plugins == ("@scope/cordova-plugin-x", "com.old.reverse", "cordova-plugin-wechat")
        assert dict(found.versions) == PLUGINS

    def test_an_app_without_plugins_has_an_empty_list(self) -> None:
        assert parse_cordova_plugins(cordova_list({})) == PluginList(())

    @pytest.mark.parametrize(
        "text",
        [
            b"module.exports=[{id:'a.b',pluginId:'cordova-plugin-wechat'}];module.exports.metadata={};",
            b'cordova.define("x",function(e,o,m){m.exports=[{"pluginId":"cordova-plugin-wechat"}]});',
            b'e.exports=[],e.exports.metadata={"cordova-plugin-wechat":"2.9.0"}',
        ],
    )
    def test_a_list_that_was_minified_is_read(self, text: bytes) -> None:
        assert parse_cordova_plugins(text).plugins == ("cordova-plugin-wechat",)

    def test_a_list_of_versions_that_lies_before_its_scripts_names_them_all(self) -> None:
        text = b'x.exports = [{"pluginId": "a"}]; x.exports.metadata = {"b": "1", "c": "latest"};'
        assert parse_cordova_plugins(text).plugins == ("a", "b", "c")

    @pytest.mark.parametrize(
        "text",
        [
            b"//.metadata=//\n" * 40_000,
            b".metadata" + b" " * 400_000,
            b".metadata={" * 40_000,
            b"pluginId:" * 40_000,
            b'"@' * 400_000,
        ],
    )
    def test_hostile_text_is_gone_through_once(self, text: bytes) -> None:
        assert parse_cordova_plugins(b"exports=[];" + text) == PluginList(())

    @pytest.mark.parametrize("text", [b"", b"var a = 1;", b"module.exports = {};", b"module.exports = [ {"])
    def test_what_is_no_list_or_cut_off_is_refused(self, text: bytes) -> None:
        with pytest.raises(FormatError):
            parse_cordova_plugins(text)


class TestConfig:
    def test_features_and_their_classes_are_read(self) -> None:
        found = parse_config_xml(CONFIG)
        assert found == PluginList((), names=("Wechat", "alipay", "xu.li.cordova.wechat.Wechat"))

    def test_a_binary_document_says_the_same(self) -> None:
        param = el("param", name_="android-package", value_="xu.li.cordova.wechat.Wechat")
        data = axml(el("widget", el("feature", param, name_="Wechat")))
        assert parse_config_xml(data) == PluginList((), names=("Wechat", "xu.li.cordova.wechat.Wechat"))

    def test_another_document_of_this_name_is_none(self) -> None:
        assert parse_config_xml(b"<config><feature name='Wechat'/></config>") is None

    def test_a_feature_elsewhere_does_not_count(self) -> None:
        text = b"<widget><platform><feature name='Deep'/></platform><feature/></widget>"
        assert parse_config_xml(text) == PluginList(())

    @pytest.mark.parametrize("data", [b"", b"junk", b"<widget>", b"\x03\x00\x08\x00", b"<!DOCTYPE a><widget/>"])
    def test_what_is_no_xml_is_refused(self, data: bytes) -> None:
        with pytest.raises(FormatError):
            parse_config_xml(data)


class TestCapacitor:
    def test_packages_and_classes_are_read(self) -> None:
        found = parse_capacitor_plugins(CAPACITOR)
        assert found.plugins == ("@capacitor/app", "@capgo/capacitor-wechat")
        assert "ee.forgr.plugin.capacitor_wechat.CapacitorWechatPlugin" in found.names

    def test_the_configuration_names_included_plugins_and_classes(self) -> None:
        found = parse_capacitor_config(CAPACITOR_CONFIG)
        assert found == PluginList(("@capacitor/app", "@capgo/capacitor-wechat"), names=("CapacitorWechatPlugin",))

    @pytest.mark.parametrize("value", [[], [7, None, {"pkg": 1}], [{"classpath": ["a"]}]])
    def test_entries_of_another_shape_are_left_out(self, value: object) -> None:
        assert parse_capacitor_plugins(json.dumps(value).encode()) == PluginList(())

    def test_a_configuration_without_plugins_is_empty(self) -> None:
        assert parse_capacitor_config(b'{"appId": "x", "android": 7}') == PluginList(())

    @pytest.mark.parametrize("data", [b"", b"7", b'"x"', b"{", b"null"])
    def test_what_is_neither_is_refused(self, data: bytes) -> None:
        for parse in (parse_capacitor_plugins, parse_capacitor_config):
            with pytest.raises(FormatError):
                parse(data)


READ: list[tuple[Callable[[Blob, Limits], object], bytes]] = [
    (parse_cordova_plugins, cordova_list(PLUGINS)),
    (parse_config_xml, CONFIG),
    (parse_capacitor_plugins, CAPACITOR),
    (parse_capacitor_config, CAPACITOR_CONFIG),
]


@pytest.mark.parametrize(("parse", "data"), READ)
def test_damage_is_read_or_refused(parse: Callable[[Blob, Limits], object], data: bytes) -> None:
    for damaged in (*prefixes(data), *mutations(data, 300)):
        try:
            parse(damaged, DEFAULT)
        except FormatError:
            continue


@pytest.mark.parametrize("parse", [parse_capacitor_plugins, parse_capacitor_config])
def test_the_size_is_bounded(parse: Callable[[Blob, Limits], object]) -> None:
    with pytest.raises(LimitError):
        parse(CAPACITOR, replace(DEFAULT, manifest_size=3))
