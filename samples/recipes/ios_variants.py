"""The places and states iOS code comes in: stripped, encrypted, in extensions and frameworks, signed."""

from __future__ import annotations

import plistlib
from collections.abc import Iterator
from dataclasses import replace

from recipes import codesign, ipa, macho
from recipes.ios_sdks import WECHAT_LOGIN, WECHAT_PAY, WX_LOGIN
from recipes.ipa import Framework, IosApp
from recipes.macho import Code
from recipes.sample import Proof, Sample, code_hidden, has_sdk, ios, is_app

TEAM = "AUD1T0RTST"
RELEASE = {"export_only": "__mh_execute_header", "strip": ("-x", "-S")}
WECHAT = (has_sdk("wechat"),)
WECHAT_AND_PAY = (has_sdk("wechat"), has_sdk("wechat-pay"))
PROFILE = {
    "AppIDName": "Sample",
    "ApplicationIdentifierPrefix": [TEAM],
    "Entitlements": {"application-identifier": f"{TEAM}.com.example.signed", "get-task-allow": False},
    "Name": "Sample profile",
    "Platform": ["iOS"],
    "TeamIdentifier": [TEAM],
    "TeamName": "Authors of the auditor",
    "UUID": "00000000-0000-4000-8000-000000000001",
    "Version": 1,
}
PRIVACY = {
    "NSPrivacyTracking": True,
    "NSPrivacyTrackingDomains": ["tracking.example.com"],
    "NSPrivacyCollectedDataTypes": [],
    "NSPrivacyAccessedAPITypes": [
        {
            "NSPrivacyAccessedAPIType": "NSPrivacyAccessedAPICategoryUserDefaults",
            "NSPrivacyAccessedAPITypeReasons": ["CA92.1"],
        }
    ],
}
STORE = {
    "itemId": 333206289,
    "softwareVersionBundleId": "com.alipay.iphoneclient",
    "itemName": "Alipay",
    "genre": "Finance",
}


def _release(app: IosApp, bundle_id: str) -> IosApp:
    return replace(app, bundle_id=bundle_id, code=replace(app.code, **RELEASE))  # type: ignore[arg-type]


def _encrypted(app: IosApp) -> IosApp:
    return replace(app, executable=macho.encrypt(ipa.executable(app)))


def _signed(app: IosApp) -> IosApp:
    entitlements: dict[str, object] = {
        "application-identifier": f"{TEAM}.{app.bundle_id}",
        "com.apple.developer.team-identifier": TEAM,
        "com.apple.security.application-groups": ["group.com.example"],
        "get-task-allow": False,
    }
    signed = codesign.sign(ipa.executable(app), app.bundle_id, TEAM, entitlements, ipa.info_plist(app))
    return replace(app, executable=signed)


def states() -> Iterator[Sample]:
    """The same classes after what release builds and the App Store do to an executable."""
    stripped = _release(WECHAT_PAY, "com.example.stripped")
    about = "Stripped with an export list: only the Objective-C metadata names the SDK."
    yield Sample("ios/stripped.ipa", about, lambda: ipa.ipa(stripped), (ios(stripped.bundle_id, *WECHAT_AND_PAY),))
    exported = replace(WECHAT_PAY, bundle_id="com.example.fairexports")
    seen = code_hidden("ios", exported.bundle_id, *WECHAT_AND_PAY, problems=("macho-encrypted",))
    about = "Encrypted like an App Store download; the export trie still names the SDK classes."
    yield Sample("ios/fairplay-exports.ipa", about, lambda: ipa.ipa(_encrypted(exported)), (seen,))
    opaque = _release(WECHAT_PAY, "com.example.fairopaque")
    opaque = replace(opaque, code=replace(opaque.code, strip=("--strip-all",)))
    referenced = Proof("wechat-opensdk-ios", "referenced", ("own-scheme", "queries"))
    seen = code_hidden("ios", opaque.bundle_id, problems=("macho-encrypted",), proofs=(referenced,))
    about = "Encrypted and stripped: only Info.plist names an SDK, and nothing can be ruled out."
    yield Sample("ios/fairplay-opaque.ipa", about, lambda: ipa.ipa(_encrypted(opaque)), (seen,))
    plain = IosApp("com.example.fairplain", code=Code(**RELEASE))  # type: ignore[arg-type]
    seen = code_hidden("ios", plain.bundle_id, problems=("macho-encrypted",))
    about = "An encrypted app that has nothing to do with any SDK: it cannot be told."
    yield Sample("ios/fairplay-plain.ipa", about, lambda: ipa.ipa(_encrypted(plain)), (seen,))
    store = IosApp("com.tencent.xin", name="WeChat", version="8.0.50", code=Code(**RELEASE))  # type: ignore[arg-type]
    expect = (is_app("wechat", "claimed"), is_app("wechat-pay", "claimed"))
    seen = code_hidden("ios", store.bundle_id, *expect, problems=("macho-encrypted",))
    about = "An encrypted stub with the id of WeChat: the id is readable, the rest is not."
    yield Sample("ios/fairplay-wechat.ipa", about, lambda: ipa.ipa(_encrypted(store)), (seen,))


def places() -> Iterator[Sample]:
    """SDK classes outside the main executable: still one app."""
    code = Code(tuple(WX_LOGIN.split()), strings=("weixin://app/%@/",))
    inner = IosApp("com.example.inner", code=code)
    host = IosApp("com.example.host", name="Host")
    extension = {
        "NSExtension": {"NSExtensionPointIdentifier": "com.apple.share-services"},
        "CFBundlePackageType": "XPC!",
    }
    cases = (
        (
            "appex",
            replace(
                host,
                bundle_id="com.example.hostx",
                extensions=(replace(inner, bundle_id="com.example.hostx.share", plist=extension),),
            ),
            "The WeChat SDK lies only in an app extension.",
        ),
        (
            "own-framework",
            replace(
                host,
                bundle_id="com.example.hostf",
                frameworks=(Framework("Payments", tuple(WX_LOGIN.split()), ("weixin://app/%@/",)),),
            ),
            "The WeChat SDK lies only in a dynamic framework of the app's own name.",
        ),
        (
            "watch-app",
            replace(
                host,
                bundle_id="com.example.hostw",
                watch=(
                    replace(
                        inner,
                        bundle_id="com.example.hostw.watchkitapp",
                        plist={"WKCompanionAppBundleIdentifier": "com.example.hostw", "WKApplication": True},
                    ),
                ),
            ),
            "The WeChat SDK lies only in the watch app.",
        ),
        (
            "app-clip",
            replace(
                host,
                bundle_id="com.example.hostc",
                clips=(replace(inner, bundle_id="com.example.hostc.Clip", plist={"NSAppClip": {}}),),
            ),
            "The WeChat SDK lies only in the App Clip.",
        ),
    )
    for stem, app, about in cases:
        yield Sample(f"ios/in-{stem}.ipa", about, lambda app=app: ipa.ipa(app), (ios(app.bundle_id, *WECHAT),))


def packings() -> Iterator[Sample]:
    """Declarations, signatures and packings beside the code."""
    strings = '"CFBundleDisplayName" = "微信登录";\n'.encode("utf-16")
    binary = replace(
        WECHAT_LOGIN,
        bundle_id="com.example.binary",
        binary_plist=True,
        files=(
            ("zh-Hans.lproj/InfoPlist.strings", strings),
            ("en.lproj/InfoPlist.strings", b'CFBundleDisplayName = "Login";\n'),
        ),
    )
    about = "Binary Info.plist and localized names."
    yield Sample("ios/binary-plist.ipa", about, lambda: ipa.ipa(binary), (ios(binary.bundle_id, *WECHAT),))
    declared = replace(
        WECHAT_LOGIN,
        bundle_id="com.example.signed",
        files=(("PrivacyInfo.xcprivacy", plistlib.dumps(PRIVACY)),),
    )

    def with_profile() -> bytes:
        profile = ipa.cms(plistlib.dumps(PROFILE), detached=False)
        return ipa.ipa(replace(_signed(declared), files=(*declared.files, ("embedded.mobileprovision", profile))))

    seen = ios(declared.bundle_id, *WECHAT)
    about = "Code signature with a team id and entitlements, provisioning profile and privacy manifest."
    yield Sample("ios/signed-with-profile.ipa", about, with_profile, (seen,))
    alipay = IosApp("com.alipay.iphoneclient", name="Alipay", version="10.5.0")
    about = "A stub of Alipay with the metadata a download from the store has."
    metadata = {"iTunesMetadata.plist": plistlib.dumps(STORE, fmt=plistlib.FMT_BINARY)}
    seen = ios(alipay.bundle_id, is_app("alipay", "claimed"))
    yield Sample("ios/store-metadata.ipa", about, lambda: ipa.ipa(alipay, root_files=metadata), (seen,))
    folder = replace(WECHAT_LOGIN, bundle_id="com.example.folder")
    about = "An .app folder in a zip, as build servers hand it out."
    yield Sample("ios/folder.app.zip", about, lambda: ipa.app_zip(folder), (ios(folder.bundle_id, *WECHAT),))
    both = replace(WECHAT_LOGIN, bundle_id="com.example.fat", simulator_slice=True)
    about = "A fat executable with a device and a simulator slice."
    yield Sample("ios/fat.ipa", about, lambda: ipa.ipa(both), (ios(both.bundle_id, *WECHAT),))


FAMILIES = (states, places, packings)
