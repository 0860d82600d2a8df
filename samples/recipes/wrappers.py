"""Apps made with a cross-platform framework, whose plugins name an SDK with or without its code."""

from __future__ import annotations

import json
from collections.abc import Iterator

from recipes import apk, ipa
from recipes.android_sdks import WX_CORE
from recipes.apk import AndroidApp
from recipes.ipa import IosApp
from recipes.sample import Expect, Sample, android, has_sdk, ios

PLUGINS = {"cordova-plugin-device": "2.1.0", "cordova-plugin-wechat": "2.9.0", "cordova-plugin-alipay-v2": "2.0.0"}
RN_WECHAT = """var __BUNDLE_START_TIME__=0,__DEV__=false;
__d(function(g,r,i,a,m,e,d){var n=r(d[0]),w=n.NativeModules.WechatLib;
n.DeviceEventEmitter.addListener("WeChat_Resp",function(v){m.exports.last=v});
m.exports={login:function(){return w.sendAuthRequest("snsapi_userinfo","s")}}},1,[2]);
__r(1);
"""
RN_PLAIN = RN_WECHAT.replace("WechatLib", "WechatLibrary").replace("WeChat_Resp", "Chat_Resp")


def _cordova_plugins(plugins: dict[str, str]) -> bytes:
    """cordova_plugins.js in the words of Cordova's build."""
    scripts = [{"id": f"{name}.main", "file": f"plugins/{name}/www/main.js", "pluginId": name} for name in plugins]
    return (
        "cordova.define('cordova/plugin_list', function(require, exports, module) {\n"
        f"module.exports = {json.dumps(scripts, indent=2)};\n"
        f"module.exports.metadata = {json.dumps(plugins, indent=2)};\n"
        "});\n"
    ).encode()


def _cordova(plugins: dict[str, str]) -> tuple[tuple[str, bytes], ...]:
    files = {"cordova.js": b"// cordova\n", "cordova_plugins.js": _cordova_plugins(plugins)}
    return tuple((f"assets/www/{name}", content) for name, content in files.items())


def wrappers() -> Iterator[Sample]:
    """A plugin is a reference to its SDK; only code makes it present."""
    named = (has_sdk("wechat", "referenced"), has_sdk("wechat-pay", "referenced"), has_sdk("alipay", "referenced"))
    carried = (has_sdk("wechat"), *named[1:])
    cases: tuple[tuple[str, AndroidApp, tuple[Expect, ...], str], ...] = (
        (
            "near-sdk-wrapper-cordova",
            AndroidApp("com.example.hybrid", files=_cordova(PLUGINS)),
            named,
            "A Cordova app lists plugins for WeChat and Alipay; no class of an SDK is inside.",
        ),
        (
            "near-sdk-wrapper-other",
            AndroidApp("com.example.hybridplain", files=_cordova({"cordova-plugin-wechatty": "1.0.0"})),
            (),
            "A Cordova app lists a plugin of nearly that name.",
        ),
        (
            "sdk-wrapper-cordova",
            AndroidApp("com.example.hybridsdk", classes=WX_CORE, files=_cordova(PLUGINS)),
            carried,
            "A Cordova app lists plugins for WeChat and Alipay and carries the classes of the first.",
        ),
    )
    for stem, app, expect, about in cases:
        seen = (android(app.package, *expect),)
        yield Sample(f"android/{stem}.apk", about, lambda app=app: apk.signed(app), seen)


def bundles() -> Iterator[Sample]:
    """Scripts of React Native apps for iOS."""
    cases: tuple[tuple[str, str, tuple[Expect, ...], str], ...] = (
        ("wechat", RN_WECHAT, (has_sdk("wechat", "referenced"),), "A React Native script calls a module for WeChat."),
        ("other", RN_PLAIN, (), "A React Native script calls a module of nearly that name."),
    )
    for stem, script, expect, about in cases:
        app = IosApp(f"com.example.rn{stem}", files=(("main.jsbundle", script.encode()),))
        seen = (ios(app.bundle_id, *expect),)
        yield Sample(f"ios/near-sdk-wrapper-{stem}.ipa", about, lambda app=app: ipa.ipa(app), seen)


FAMILIES = (wrappers, bundles)
