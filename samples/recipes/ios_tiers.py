"""iOS apps for one tier each: Swift types, chained fixups, encrypted frameworks, versions that files state."""

from __future__ import annotations

import plistlib
from collections.abc import Iterator
from dataclasses import replace

from recipes import ipa, macho
from recipes.ios_sdks import QQ, WX_LOGIN
from recipes.ios_variants import RELEASE
from recipes.ipa import Framework, IosApp
from recipes.macho import Code
from recipes.sample import Proof, Sample, code_hidden, has_sdk, ios

SWIFT_TYPES = tuple(f"macho.swift-type Checkout.{name}" for name in ("Cashier", "Cashier.Receipt", "Payable"))
WECHAT = "wechat-opensdk-ios"
PAYMENTS = Framework("Payments", tuple(WX_LOGIN.split()))


def swift() -> Iterator[Sample]:
    """Types of Swift, which no shipped signature asks for yet."""
    stripped = IosApp("com.example.swift", code=Code(assembly="swift.s", **RELEASE))  # type: ignore[arg-type]
    about = "Stripped with an export list: only the metadata names the Swift types."
    seen = ios(stripped.bundle_id, facts=SWIFT_TYPES)
    yield Sample("ios/swift-types.ipa", about, lambda: ipa.ipa(stripped), (seen,))
    exported = IosApp("com.example.fairswift", code=Code(assembly="swift.s"))

    def encrypted() -> bytes:
        return ipa.ipa(replace(exported, executable=macho.encrypt(ipa.executable(exported))))

    about = "Encrypted like an App Store download; exported symbols still name the Swift types."
    seen = code_hidden("ios", exported.bundle_id, problems=("macho-encrypted",), facts=SWIFT_TYPES)
    yield Sample("ios/fairplay-swift-types.ipa", about, encrypted, (seen,))


def fixups() -> Iterator[Sample]:
    """Pointers as new linkers write them."""
    code = Code(tuple(WX_LOGIN.split()), chained=True, **RELEASE)  # type: ignore[arg-type]
    app = IosApp("com.example.chained", code=code)
    about = "Linked with chained fixups and stripped with an export list: the class list is a chain."
    proof = Proof(WECHAT, "embedded", ("classes",))
    yield Sample(
        "ios/chained-fixups.ipa",
        about,
        lambda: ipa.ipa(app),
        (ios(app.bundle_id, has_sdk("wechat"), facts=("macho.objc-class WXApi",), proofs=(proof,)),),
    )


def _with_framework(app: IosApp, code: Code) -> bytes:
    """An app whose framework is encrypted; its executable, which carries nothing, is left readable to stay small."""
    place = f"Frameworks/{PAYMENTS.name}.framework/{PAYMENTS.name}"
    library = macho.encrypt(macho.macho(replace(code, install_name=f"@rpath/{place.removeprefix('Frameworks/')}")))
    return ipa.ipa(replace(app, files=((place, library),)))


def encrypted_frameworks() -> Iterator[Sample]:
    """A dynamic framework of the app's own, encrypted as by the App Store, with the SDK inside."""
    app = IosApp("com.example.fairframework", frameworks=(PAYMENTS,))
    seen = code_hidden("ios", app.bundle_id, has_sdk("wechat"), problems=("macho-encrypted",))
    about = "An encrypted framework of the app's own; its export trie still names the SDK classes."
    open_code = Code(PAYMENTS.classes)
    yield Sample("ios/fairplay-framework.ipa", about, lambda: _with_framework(app, open_code), (seen,))
    closed = replace(app, bundle_id="com.example.fairclosed", queries=("weixin", "weixinULAPI"))
    referenced = Proof(WECHAT, "referenced", ("queries",))
    seen = code_hidden("ios", closed.bundle_id, problems=("macho-encrypted",), proofs=(referenced,))
    about = "The same framework exports nothing: Info.plist alone names the SDK, and nothing can be ruled out."
    closed_code = Code(PAYMENTS.classes, export_only="_sample_nothing", strip=("-x", "-S"))
    yield Sample("ios/fairplay-framework-closed.ipa", about, lambda: _with_framework(closed, closed_code), (seen,))


def stated_versions() -> Iterator[Sample]:
    """Versions beside the strings of an SDK, of a framework and of a resource bundle."""
    strings = ("appSignToken", "status_version", "3.5.13", "status_os")
    app = IosApp("com.example.qqversion", code=Code(tuple(QQ.split()), strings=strings))
    proof = Proof("qq-connect-ios", "embedded", version="3.5.13", basis="stated")
    about = "The QQ SDK with its version among its strings, as its own code looks it up."
    seen = ios(app.bundle_id, has_sdk("tencent-qq"), proofs=(proof,))
    yield Sample("ios/stated-version-strings.ipa", about, lambda: ipa.ipa(app), (seen,))
    framework = Framework(
        "WechatOpenSDK", ("WXApi", "SendAuthReq"), bundle_id="com.example.WechatOpenSDK", version="2.0.4"
    )
    bundle = plistlib.dumps({"CFBundleIdentifier": "com.example.pictures", "CFBundleShortVersionString": "1.4"})
    carried = IosApp("com.example.versions", frameworks=(framework,), files=(("Pictures.bundle/Info.plist", bundle),))
    facts = ("file.version WechatOpenSDK.framework 2.0.4", "file.version Pictures.bundle 1.4")
    about = "A framework with the name of the WeChat SDK and a resource bundle state their versions."
    proofs = (Proof(WECHAT, "embedded", ("classes", "framework")),)
    seen = ios(carried.bundle_id, has_sdk("wechat"), facts=facts, proofs=proofs)
    yield Sample("ios/stated-version-files.ipa", about, lambda: ipa.ipa(carried), (seen,))


FAMILIES = (swift, fixups, encrypted_frameworks, stated_versions)
