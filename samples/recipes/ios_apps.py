"""Stub iOS apps that carry the ids of the designated apps, and near misses that must not count."""

from __future__ import annotations

from collections.abc import Iterator

from recipes import ipa
from recipes.ipa import IosApp
from recipes.sample import Sample, ios, is_app

STUBS: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    ("alipay", "com.alipay.iphoneclient", ("alipay",), "Alipay"),
    ("camscanner", "com.intsig.CamScannerLite", ("camscanner",), "CamScanner"),
    ("camscanner-hd", "com.intsig.CamScannerHD", ("camscanner",), "CamScanner HD"),
    ("qq-and-qq-wallet", "com.tencent.mqq", ("tencent-qq", "qq-wallet"), "QQ"),
    ("qq-hd", "com.tencent.mipadqq", ("tencent-qq",), "QQ HD"),
    ("wechat-and-wechat-pay", "com.tencent.xin", ("wechat", "wechat-pay"), "WeChat"),
    ("wps-office", "com.kingsoft.www.office.wpsoffice", ("wps-office",), "WPS Office"),
)
"""File stem, bundle id, subjects, name. No bundle id is known for SHAREit and VMate."""

NEAR_MISSES: tuple[tuple[str, str, str], ...] = (
    ("wechat-beta", "com.tencent.xin.beta", "The id of WeChat with one more step."),
    ("wecom", "com.tencent.ww", "WeCom: the same vendor, another app."),
    ("qq-suffix", "com.tencent.mqqi", "The id of QQ with one more letter."),
    ("alipay-hk", "com.alipay.wallethk", "AlipayHK: an affiliate's product, not designated."),
    ("alipay-suffix", "com.alipay.iphoneclient2", "The id of Alipay with one more character."),
    ("camcard", "com.intsig.camcard.lite", "CamCard: the same vendor, another app."),
    ("camscanner-prefix", "com.intsig.CamScan", "The beginning of CamScanner's id."),
    ("wps-mac", "com.kingsoft.wpsoffice.mac", "WPS Office for another platform."),
    ("shareit-word", "com.example.shareit", "A foreign id that holds the word SHAREit."),
    ("android-id", "com.tencent.mm", "The Android id of WeChat as a bundle id: no iOS app has it."),
)


def stubs() -> Iterator[Sample]:
    """The iOS ids of every product that has one; there is no signer to compare on iOS."""
    for stem, bundle_id, subjects, name in STUBS:
        app = IosApp(bundle_id, name=name, version="8.0.50")
        seen = ios(bundle_id, *(is_app(subject, "claimed") for subject in subjects))
        about = f"A stub with the bundle id {bundle_id}."
        yield Sample(f"ios/{stem}-claimed.ipa", about, lambda app=app: ipa.ipa(app), (seen,))


def near_misses() -> Iterator[Sample]:
    """Ids that look like a designated app and are none."""
    for stem, bundle_id, about in NEAR_MISSES:
        app = IosApp(bundle_id, name="Near miss")
        yield Sample(f"ios/near-{stem}.ipa", about, lambda app=app: ipa.ipa(app), (ios(bundle_id),))


FAMILIES = (stubs, near_misses)
