"""Learns the shipped sets again from pinned SDK binaries: ``python -m benchmarks.accuracy.learning``."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from auditor.containers.member import Budget
from auditor.formats.blob import Blob
from auditor.learn import Lesson, learn, render_learned
from auditor.limits import DEFAULT
from auditor.model import FactKind, LearnedBuild, LearnedSet, Origin
from auditor.platforms.sdk_binary import read_values
from benchmarks.accuracy import android_sdks
from benchmarks.accuracy.registry import Package, SdkBuild

SIGNATURES = Path(__file__).resolve().parents[2] / "signatures" / "learned"

BACKGROUND = (
    Package("react-native-getui", "1.1.55", "7958a93638f411a6f4f12b157fac15a0bfd3fcf3447004b9dc9379304d6a3163"),
    Package("cordova-plugin-jcore", "1.4.4", "952a963515909121d680808f7f192f96428d3842d97800c854ef4e911fae29f2"),
    Package("jmessage-react-plugin", "3.2.1", "d0b7bb0547645e49e132d7059d9b09a5fa668c378487d6fd65a4d6674ec34ae5"),
    Package("jpush-phonegap-plugin", "3.8.6", "abb19bbc88036974ea0ff296fb064e5292c23bd3a2653bca2239f78b76aed835"),
    Package("android-apidemos", "5.0.0", "8efe4f6cef47fba151718e2471dc1c8ac9a37623841a2485e65752222253b39c"),
    Package("android-apidemos", "4.1.1", "b341c9000c7b5287926f49df143cee441d52ede5510c01147e62701f40b8569f"),
    Package("appium-uiautomator2-server", "10.6.6", "c0ddd247106d51d41749ae3aeb1818df18f46735020ae464f525d016e96f2fe9"),
    Package("io.appium.settings", "8.0.10", "1903bba3c16b387af259c79bd7eac26e905b5b7b016702aa25644fe673ff0b2d"),
    Package("appium-espresso-driver", "9.3.6", "e7d0581530da164d01e1908eb5e9b112b12ac661dc87e473a02574c65b5953ee"),
    Package("@devicefarmer/stf", "3.7.9", "f4d5b79fc326eaf695d0e51fd987763ad6dc5e6a7dce7175ff1f827bed4fcec9"),
    Package("android-app-bootstrap", "1.0.8", "662b20ff7b6808fdc2c1287d584b4b85f87b2ceb134a9124204be9f5ccac9585"),
)
"""Unrelated apps and SDKs. The other real apps of the benchmark stay out: they are there to be wrong about."""
REIMPLEMENTERS = (
    Package("jshare-react-native", "1.4.3", "9211f7186f6dfc4de5507ac77177a2f334711a4fba3b437865a1f80796287f6e"),
)
"""Share aggregators that speak the protocols of WeChat and QQ with code of their own."""
ANALYTICS = SdkBuild("tencent-mta", "1.6.2", android_sdks.QQ[0].package, "android/libs/mta-sdk-1.6.2.jar")
"""Tencent's analytics, which the SDKs of WeChat and QQ bundle."""
_CODE = (".apk", ".jar", ".aar", ".a")


@dataclass(frozen=True, slots=True)
class Course:
    """What is learned for one signature."""

    signature: str
    builds: tuple[SdkBuild, ...]
    folders: tuple[str, ...]
    """Packages of the SDK itself."""
    marks: tuple[str, ...]
    protocol: tuple[str, ...]


ANDROID = (
    Course(
        "alipay-sdk-android",
        android_sdks.ALIPAY,
        ("com/alipay/sdk/", "com/alipay/android/app/"),
        ("alipay", "mcpay", "msp/", "wappay", "tb_tid"),
        # Who hands over to the app without the SDK has its ids and addresses; the gateways come with mPaaS, too.
        ("com.eg.android.alipay", "platformapi/startapp", "mobilegw", "hk.alipay.wallet"),
    ),
    Course(
        "wechat-opensdk-android",
        android_sdks.WECHAT,
        ("com/tencent/mm/",),
        ("com.tencent.mm", "micromsg.", "weixin", "wechat"),
        # The keys of a message, and what is sent with it: its token, actions and addresses.
        (
            "_mmessage_",
            "_wxapi_",
            "_wxobject_",
            "_wxapp_",
            "content://com.tencent.mm",
            "com.tencent.mm.openapi.token",
            ".openapi.intent.action",
            "weixin://",
        ),
    ),
    Course(
        "qq-connect-android",
        android_sdks.QQ,
        ("com/tencent/open/", "com/tencent/tauth/", "com/tencent/connect/"),
        (".qq.com/", "com.tencent.mobileqq", "com.tencent.tauth", "com.tencent.connect", "com.tencent.open", "opensdk"),
        ("mqqapi:", "auth://tauth", "com.tencent.mobileqq"),
    ),
)


@dataclass(frozen=True, slots=True)
class PackageMember:
    """One file of a package, in memory."""

    path: str
    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    @property
    def origin(self) -> Origin:
        return Origin((self.path,))

    def open(self) -> Blob:
        return self.data

    def peek(self, size: int) -> bytes:
        return self.data[:size]


def values_of(build: SdkBuild, kind: FactKind, folders: tuple[str, ...] = ()) -> frozenset[str]:
    """The values of one kind in one SDK binary."""
    return read_values(PackageMember(build.member, build.read()), kind, Budget(DEFAULT), folders)


def values_in(packages: Iterable[Package], kind: FactKind) -> frozenset[str]:
    """The values of one kind in every app and library of some packages."""
    found: set[str] = set()
    for member in _members(packages):
        found |= read_values(member, kind, Budget(DEFAULT))
    return frozenset(found)


def _members(packages: Iterable[Package]) -> Iterator[PackageMember]:
    for package in packages:
        with tarfile.open(package.fetch()) as archive:
            for item in archive:
                stream = archive.extractfile(item) if item.isfile() and item.name.endswith(_CODE) else None
                if stream is not None:
                    yield PackageMember(item.name, stream.read())


def learn_android(without: frozenset[SdkBuild] = frozenset()) -> Iterator[LearnedSet]:
    """The literal sets of all families, as if some builds had never been seen."""
    kind = FactKind.DEX_STRING
    background = values_in(BACKGROUND, kind)
    shared = values_in(REIMPLEMENTERS, kind)
    whole = {course: frozenset().union(*(values_of(item, kind) for item in course.builds)) for course in ANDROID}
    for course in ANDROID:
        others = frozenset().union(*(values for other, values in whole.items() if other is not course))
        yield learn(
            Lesson(
                signature=course.signature,
                kind=kind,
                marks=course.marks,
                protocol=course.protocol,
                builds=[
                    (_build(item), values_of(item, kind, course.folders))
                    for item in course.builds
                    if item not in without
                ],
                background=background | others | values_of(ANALYTICS, kind),
                shared=shared,
            )
        )


def _build(build: SdkBuild) -> LearnedBuild:
    package = f"{build.package.name}@{build.package.version} {build.member}"
    return LearnedBuild(build.version, package, hashlib.sha256(build.read()).hexdigest())


def main() -> None:
    """Write every shipped set."""
    SIGNATURES.mkdir(exist_ok=True)
    for found in learn_android():
        (SIGNATURES / f"{found.signature}.toml").write_text(render_learned(found))


if __name__ == "__main__":
    main()
