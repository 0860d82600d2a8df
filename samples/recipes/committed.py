"""Committed samples as parts of others: what lies inside a carrier, and what must be seen of it there."""

from __future__ import annotations

from dataclasses import dataclass, replace

from recipes import apk, archive
from recipes.android_sdks import WX_CORE
from recipes.apk import AndroidApp
from recipes.sample import Seen, android, has_sdk, ios, is_app
from recipes.toolchain import SAMPLES


@dataclass(frozen=True)
class Part:
    """An app that other samples hold."""

    seen: Seen
    committed: str = ""
    """The sample it is; empty: it is made anew."""

    def content(self) -> bytes:
        """The bytes of the app."""
        if self.committed:
            return (SAMPLES / self.committed).read_bytes()
        return _loose(apk.unsigned(SHOP_APP))

    def at(self, place: str) -> Seen:
        """What must be seen of it in its place."""
        return replace(self.seen, place=place)


def _loose(data: bytes) -> bytes:
    """The same members without compression, as apps of the system often are: file systems compress them."""
    return archive.pack(archive.unpack(data), all_stored=True)


SHOP_APP = AndroidApp("com.example.shop", label="Shop", version="2.3", version_code=23, classes=WX_CORE)
SHOP = Part(android("com.example.shop", has_sdk("wechat"), signing="missing"))
"""Carries the WeChat SDK; uncompressed and unsigned."""
ALIPAY = Part(
    android("com.eg.android.AlipayGphone", is_app("alipay", "impostor"), signing="missing"),
    "android/alipay-unsigned.apk",
)
WECHAT = Part(
    android("com.tencent.mm", is_app("wechat", "impostor"), is_app("wechat-pay", "impostor"), signing="missing"),
    "android/wechat-and-wechat-pay-unsigned.apk",
)
PLAIN = Part(android("com.qzone", signing="verified"), "android/near-qzone.apk")
IOS_PAY = Part(ios("com.example.wxpay", has_sdk("wechat"), has_sdk("wechat-pay")), "ios/sdk-wechat-pay.ipa")
IOS_ALIPAY = Part(ios("com.alipay.iphoneclient", is_app("alipay", "claimed")), "ios/alipay-claimed.ipa")

APPS: tuple[tuple[str, Part], ...] = (("app/Alipay/Alipay.apk", ALIPAY), ("priv-app/Shop/Shop.apk", SHOP))
"""The apps of the small system image that most carriers hold."""


def system_tree() -> dict[str, bytes]:
    """The files of the small system image."""
    return {path: part.content() for path, part in APPS}


def seen_in(*inside: str) -> tuple[Seen, ...]:
    """What must be seen of the system image that lies at these steps below a sample."""
    return tuple(part.at("!".join((*inside, path))) for path, part in APPS)
