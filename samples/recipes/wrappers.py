"""Apps made with a cross-platform framework, whose plugins name an SDK with or without its code."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace

from recipes import apk, ipa, wrapper_files
from recipes.android_sdks import WX_CORE
from recipes.apk import AndroidApp
from recipes.ipa import IosApp
from recipes.sample import Expect, Proof, Sample, android, has_sdk, ios

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


FLUTTER = (
    "package:printing/printing.dart",
    "package:fluwx/fluwx.dart",
    "package:fluwx/src/method_channel.dart",
    "com.jarvanmo/fluwx",
    "plugins.flutter.io/path_provider",
)
FLUTTER_OTHER = ("package:fluwxx/fluwxx.dart", "com.jarvanmo/fluwxx", "plugins.flutter.io/path_provider")
CAPACITOR = [
    {"pkg": "@capacitor/app", "classpath": "com.capacitorjs.plugins.app.AppPlugin"},
    {"pkg": "@capgo/capacitor-wechat", "classpath": "com.example.WechatPlugin"},
]
UNI_APP = {
    "id": "__UNI__0A1B2C3",
    "plus": {"distribute": {"plugins": {"payment": {"weixin": {}, "alipay": {}}, "oauth": {"qq": {}}}}},
}
UNITY = ("mscorlib.dll", "Assembly-CSharp.dll", "Example.Shop.dll", "CheckoutButton")
MINI_PROGRAM = {
    "/app-config.json": json.dumps({"plugins": {"pay": {"version": "1.0", "provider": "wx0123456789abcdef"}}}).encode(),
    "/app-service.js": b'define("app.js",function(){wx.login({success:function(){}})});\n',
}
WECHAT = "wechat-opensdk-android"

Case = tuple[str, str, Callable[[], bytes], tuple[Expect, ...], tuple[str, ...], tuple[Proof, ...], str]
"""Stem, member, its bytes, what is expected of the subjects, of facts and of signatures, and what it is."""


def _compiled() -> Iterator[Case]:
    """Frameworks whose code is compiled."""
    wechat, pay = has_sdk("wechat", "referenced"), has_sdk("wechat-pay", "referenced")
    by_plugin = (Proof(WECHAT, "referenced", ("wrapper-plugin", "wrapper-strings")),)
    by_channel = (Proof(WECHAT, "referenced", ("wrapper-strings",), ("wrapper-plugin",)),)
    app = "lib/arm64-v8a/libapp.so"
    flutter = "wrapper.framework flutter"
    yield (
        "flutter",
        app,
        lambda: wrapper_files.flutter_library(FLUTTER),
        (wechat, pay),
        (flutter, "wrapper.plugin flutter:fluwx", "wrapper.string com.jarvanmo/fluwx"),
        by_plugin,
        "The Dart snapshot of a Flutter app names a package for WeChat and its channel.",
    )
    yield (
        "flutter-obfuscated",
        app,
        lambda: wrapper_files.flutter_library(FLUTTER[3:]),
        (wechat,),
        (flutter, "wrapper.string com.jarvanmo/fluwx"),
        by_channel,
        "The Dart snapshot of an obfuscated Flutter app: the channel is left, no package is named.",
    )
    yield (
        "flutter-other",
        app,
        lambda: wrapper_files.flutter_library(FLUTTER_OTHER),
        (),
        (flutter, "wrapper.plugin flutter:fluwxx"),
        (),
        "The Dart snapshot of a Flutter app names a package and a channel of nearly that name.",
    )
    yield (
        "unity",
        "assets/bin/Data/Managed/Metadata/global-metadata.dat",
        lambda: wrapper_files.il2cpp_metadata(("Checkout", "Thank you"), UNITY),
        (),
        (
            "wrapper.framework unity-il2cpp",
            "wrapper.plugin unity-il2cpp:Example.Shop",
            "wrapper.string Thank you",
            "wrapper.string CheckoutButton",
        ),
        (),
        "The metadata of a Unity app: assemblies, literals and names, none of an SDK.",
    )
    yield (
        "dotnet",
        "assemblies/assemblies.manifest",
        lambda: wrapper_files.assemblies_manifest(("Example.Shop", "Mono.Android")),
        (),
        ("wrapper.framework dotnet", "wrapper.plugin dotnet:Example.Shop"),
        (),
        "The list of assemblies of a Xamarin app, none of an SDK.",
    )


def _scripted() -> Iterator[Case]:
    """Frameworks whose code is a script."""
    wechat, pay = has_sdk("wechat", "referenced"), has_sdk("wechat-pay", "referenced")
    by_plugin = (Proof(WECHAT, "referenced", ("wrapper-plugin",)),)
    yield (
        "hermes",
        "assets/index.android.bundle",
        lambda: wrapper_files.hermes_bytecode(("global", "sendAuthRequest", "WechatLib", "WeChat_Resp")),
        (wechat,),
        ("wrapper.framework hermes", "wrapper.string WechatLib"),
        (Proof(WECHAT, "referenced", ("wrapper-strings",)),),
        "The bytecode of a React Native app calls a module for WeChat.",
    )
    yield (
        "capacitor",
        "assets/capacitor.plugins.json",
        lambda: json.dumps(CAPACITOR).encode(),
        (wechat, pay),
        ("wrapper.framework capacitor", "wrapper.plugin capacitor:@capgo/capacitor-wechat"),
        by_plugin,
        "A Capacitor app lists a plugin for WeChat.",
    )
    yield (
        "uni-app",
        "assets/apps/__UNI__0A1B2C3/www/manifest.json",
        lambda: json.dumps(UNI_APP).encode(),
        (wechat, pay, has_sdk("alipay", "referenced"), has_sdk("tencent-qq", "referenced")),
        ("wrapper.framework uni-app", "wrapper.plugin uni-app:payment.weixin", "wrapper.plugin uni-app:oauth.qq"),
        by_plugin,
        "The manifest of a uni-app asks for payment with WeChat and Alipay and for login with QQ.",
    )
    yield (
        "mini-program",
        "assets/pages.wxapkg",
        lambda: wrapper_files.mini_program(MINI_PROGRAM),
        (),
        ("wrapper.framework mini-program", "wrapper.plugin mini-program:wx0123456789abcdef"),
        (),
        "The package of a mini-program inside an app: it runs in WeChat's container and proves no SDK.",
    )


def frameworks() -> Iterator[Sample]:
    """What each framework leaves in an app, unsigned to stay small."""
    for stem, member, content, expect, facts, proofs, about in (*_compiled(), *_scripted()):
        app = AndroidApp(f"com.example.{stem.replace('-', '')}")

        def make(app: AndroidApp = app, member: str = member, content: Callable[[], bytes] = content) -> bytes:
            return apk.unsigned(replace(app, files=((member, content()),)))

        seen = android(app.package, *expect, facts=facts, proofs=proofs)
        yield Sample(f"android/near-sdk-wrapper-{stem}.apk", about, make, (seen,))


FAMILIES = (wrappers, bundles, frameworks)
