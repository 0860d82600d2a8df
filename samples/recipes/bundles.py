"""Apps in several files, apps inside other files, and files under a wrong name."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from recipes import android_sdks, apk, archive, ios_sdks, ipa
from recipes.android_sdks import ALIPAY_ACTIVITIES, ALIPAY_CORE, WX_CORE, WX_FILTER
from recipes.apk import AndroidApp
from recipes.sample import Sample, android, code_hidden, has_sdk, ios
from recipes.toolchain import aapt2, cached, jar, run

BASE = AndroidApp("com.example.splits", label="Split app", label_zh="拆分应用", version="2.5", version_code=25)
FEATURE = replace(
    BASE,
    label_zh="",
    split="feature",
    manifest_attributes=' android:isFeatureSplit="true"',
    activities=(".wxapi.WXEntryActivity",),
    classes=WX_CORE,
    filters=(WX_FILTER,),
    launcher=False,
)
BUNDLED = AndroidApp(
    "com.example.bundled",
    label="Bundled app",
    label_zh="捆绑应用",
    version="3.1",
    version_code=31,
    min_sdk=30,
    activities=ALIPAY_ACTIVITIES,
    classes=ALIPAY_CORE,
    strings=("Msp/15.6.5",),
)
NATIVE_SOURCE = "int Java_com_example_Native_answer(void *env, void *self) { return 42; }\n"
PLAIN = AndroidApp("com.example.outer", label="Outer")
ALIPAY_SDK = has_sdk("alipay")


def native_library(soname: str = "libsample.so") -> bytes:
    """Compile a tiny JNI library."""
    target = "aarch64-linux-android21"

    def make(folder: Path) -> bytes:
        (folder / "n.c").write_text(NATIVE_SOURCE)
        run("clang-14", f"--target={target}", "-fPIC", "-O1", "-c", "n.c", cwd=folder)
        run(
            "ld.lld-14",
            "-shared",
            "-s",
            "-z",
            "max-page-size=4096",
            "-soname",
            soname,
            "n.o",
            "-o",
            "out",
            cwd=folder,
        )
        return (folder / "out").read_bytes()

    return cached(make, target, soname, NATIVE_SOURCE)


def config_split(name: str, **more: object) -> bytes:
    """Build and sign a configuration split of the base."""
    split = AndroidApp(
        BASE.package,
        version=BASE.version,
        version_code=BASE.version_code,
        split=f"config.{name}",
        config_for="",
        has_code=False,
        launcher=False,
        **more,  # type: ignore[arg-type]
    )
    return apk.signed(split)


def split_files() -> dict[str, bytes]:
    """Return a complete split set by file name."""
    library = (("lib/arm64-v8a/libsample.so", native_library()),)
    return {
        "base.apk": apk.signed(BASE),
        "split_config.arm64_v8a.apk": config_split("arm64_v8a", files=library),
        "split_config.zh.apk": config_split("zh", label_zh="拆分应用"),
        "split_feature.apk": apk.signed(FEATURE),
    }


def module() -> bytes:
    """Return the base module bundletool wants: protobuf manifest and resources, code, libraries."""
    linked = apk.link(BUNDLED, "--proto-format")
    members = {"manifest/AndroidManifest.xml": linked.pop("AndroidManifest.xml"), **linked}
    members["dex/classes.dex"] = apk.dex(*apk.java_sources(BUNDLED), BUNDLED.min_sdk)
    members["lib/arm64-v8a/libsample.so"] = native_library()
    return archive.pack(members)


def aab() -> bytes:
    """Build an app bundle and sign it as upload keys do."""
    base = module()

    def make(folder: Path) -> bytes:
        (folder / "base.zip").write_bytes(base)
        tool = ["java", "-jar", jar("bundletool-all-1.17.2.jar"), "build-bundle"]
        run(*tool, f"--modules={folder / 'base.zip'}", f"--output={folder / 'out.aab'}")
        return (folder / "out.aab").read_bytes()

    return archive.pack(dict(sorted(archive.unpack(cached(make, base)).items())))


def signed_aab() -> bytes:
    """Sign the bundle with scheme v1, the only one an app bundle has."""
    options = ("--v2-signing-enabled", "false", "--v3-signing-enabled", "false")
    return apk.sign(aab(), "a", "--min-sdk-version", "30", *options)


def apk_set(mode: str) -> bytes:
    """Let bundletool make the installable APKs of the bundle."""
    bundle = aab()

    def make(folder: Path) -> bytes:
        (folder / "in.aab").write_bytes(bundle)
        der, pem = apk.key_options("a")[1::2]
        shutil.copy(der, folder / "key.pk8")
        run("openssl", "pkey", "-inform", "DER", "-in", "key.pk8", "-out", "key.pem", cwd=folder)
        export = [
            "openssl",
            "pkcs12",
            "-export",
            "-inkey",
            "key.pem",
            "-in",
            pem,
            "-name",
            "a",
            "-passout",
            "pass:sample",
        ]
        run(*export, "-out", "keys.p12", cwd=folder)
        tool = ["java", "-jar", jar("bundletool-all-1.17.2.jar"), "build-apks", f"--mode={mode}"]
        keys = [f"--ks={folder / 'keys.p12'}", "--ks-pass=pass:sample", "--ks-key-alias=a", "--key-pass=pass:sample"]
        files = [f"--bundle={folder / 'in.aab'}", f"--output={folder / 'out.apks'}", f"--aapt2={aapt2()}"]
        run(*tool, *keys, *files)
        return (folder / "out.apks").read_bytes()

    return cached(make, bundle, mode)


def universal() -> bytes:
    """Take the one APK out of a universal set."""
    return archive.unpack(apk_set("universal"))["universal.apk"]


def _json(values: object) -> bytes:
    return json.dumps(values, ensure_ascii=False, indent=1).encode()


def _identity() -> dict[str, object]:
    return {"package": BASE.package, "version_code": BASE.version_code, "version_name": BASE.version}


def xapk() -> bytes:
    """Pack the split set the way of .xapk."""
    files = split_files()
    names = {f"{BASE.package}.apk": "base.apk", "config.arm64_v8a.apk": "split_config.arm64_v8a.apk"}
    names |= {"config.zh.apk": "split_config.zh.apk", "feature.apk": "split_feature.apk"}
    manifest = {
        "xapk_version": 2,
        "package_name": BASE.package,
        "name": BASE.label,
        "version_code": str(BASE.version_code),
        "version_name": BASE.version,
        "min_sdk_version": "24",
        "target_sdk_version": "29",
        "split_configs": ["config.arm64_v8a", "config.zh"],
        "split_apks": [{"file": name, "id": name.removesuffix(".apk")} for name in names],
    }
    members = {name: files[source] for name, source in names.items()}
    return archive.pack({**members, "manifest.json": _json(manifest)})


def apkm() -> bytes:
    """Pack the split set the way of .apkm."""
    described = {
        "apkm_version": 5,
        "apk_title": BASE.label,
        "pname": BASE.package,
        "versioncode": str(BASE.version_code),
        "release_version": BASE.version,
    }
    return archive.pack({**split_files(), "info.json": _json(described)})


def sai_apks() -> bytes:
    """Pack the split set the way the SAI installer exports it."""
    described = {"meta_version": 2, **_identity(), "label": BASE.label, "split_apk": True}
    return archive.pack({**split_files(), "meta.sai_v2.json": _json(described)})


def _required_split_base() -> bytes:
    needed = '<meta-data android:name="com.android.vending.splits.required" android:value="true"/>'
    app = replace(BASE, package="com.example.partial", manifest_attributes=' android:isSplitRequired="true"')
    return apk.signed(replace(app, application=needed))


def split_sets() -> Iterator[Sample]:
    """One app in several files: one verdict; the SDK lies in the feature split only."""
    seen = android(BASE.package, has_sdk("wechat"))
    about = {
        "base.apk": "A split set as a folder: the WeChat SDK lies only in the feature split.",
        "split_config.arm64_v8a.apk": "Configuration split of the set: native library.",
        "split_config.zh.apk": "Configuration split of the set: Chinese label.",
        "split_feature.apk": "Feature split of the set: carries the WeChat SDK.",
    }
    for name, text in about.items():
        path, make = f"bundles/split-set/{name}", lambda name=name: split_files()[name]
        if name == "base.apk":
            yield Sample(path, text, make, (seen,), scan="bundles/split-set")
        else:
            yield Sample(path, text, make, part_of="bundles/split-set", exit_code=0)
    yield Sample("bundles/split-set.xapk", "The same split set as .xapk.", xapk, (seen,))
    yield Sample("bundles/split-set.apkm", "The same split set as .apkm.", apkm, (seen,))
    yield Sample(
        "bundles/split-set-sai.apks", "The same split set as an export of the SAI installer.", sai_apks, (seen,)
    )
    missing = code_hidden("android", "com.example.partial", problems=("split-missing",))
    # The split that is missing may declare the pay activity, too.
    missing = replace(missing, unknown=tuple(sorted((*missing.unknown, "wechat-pay"))))
    about_missing = "A base that requires splits which are not in the set."
    yield Sample("bundles/base-without-splits.apk", about_missing, _required_split_base, (missing,))


def app_bundles() -> Iterator[Sample]:
    """What comes out of bundletool."""
    seen = android(BUNDLED.package, ALIPAY_SDK)
    yield Sample("bundles/bundled.aab", "An app bundle, signed with an upload key.", signed_aab, (seen,))
    about = "The APK set bundletool makes of the bundle, with several base variants."
    yield Sample("bundles/bundled.apks", about, lambda: apk_set("default"), (seen,))
    about = "The universal APK bundletool makes of the bundle."
    yield Sample("bundles/bundled-universal.apk", about, universal, (replace(seen, signing="verified"),))


def _outer(*files: tuple[str, bytes]) -> bytes:
    return apk.signed(replace(PLAIN, files=files))


def hidden() -> Iterator[Sample]:
    """Apps and code inside other files."""
    hosts = {stem: app for stem, app, _, _ in android_sdks.HOSTS}
    alipay, login = hosts["alipay"], hosts["wechat-login"]
    alipay_dex = lambda: apk.dex(*apk.java_sources(alipay))  # noqa: E731
    yield Sample(
        "bundles/nested-apk.apk",
        "An ordinary app with another APK in its assets: two apps, the SDK is in the inner one.",
        lambda: _outer(("assets/inner.apk", apk.signed(login))),
        (android(PLAIN.package), android(login.package, has_sdk("wechat"))),
    )
    yield Sample(
        "bundles/hidden-dex.apk",
        "A DEX file under the name assets/payload.bin carries the Alipay SDK.",
        lambda: _outer(("assets/payload.bin", alipay_dex())),
        (android(PLAIN.package, ALIPAY_SDK),),
    )
    yield Sample(
        "bundles/hidden-jar.apk",
        "A jar in the assets holds a DEX file with the Alipay SDK.",
        lambda: _outer(("assets/plugin.jar", archive.pack({"classes.dex": alipay_dex()}))),
        (android(PLAIN.package, ALIPAY_SDK),),
    )
    yield Sample(
        "bundles/second-dex.apk",
        "The Alipay SDK lies in classes2.dex.",
        lambda: _outer(("classes2.dex", alipay_dex())),
        (android(PLAIN.package, ALIPAY_SDK),),
    )
    yield Sample(
        "bundles/zip-of-apps.zip",
        "A zip with an APK, an IPA and a text file.",
        lambda: archive.pack(
            {
                "phones/login.apk": apk.signed(login),
                "tablets/pay.ipa": ipa.ipa(ios_sdks.WECHAT_PAY),
                "readme.txt": b"Two apps.\n",
            }
        ),
        (
            android(login.package, has_sdk("wechat")),
            ios(ios_sdks.WECHAT_PAY.bundle_id, has_sdk("wechat"), has_sdk("wechat-pay")),
        ),
    )


def wrong_names() -> Iterator[Sample]:
    """The type of a file is in its content."""
    alipay = next(app for stem, app, _, _ in android_sdks.HOSTS if stem == "alipay")
    yield Sample(
        "bundles/apk-named.txt",
        "An APK under the name of a text file.",
        lambda: apk.signed(alipay),
        (android(alipay.package, ALIPAY_SDK),),
    )
    login = ios_sdks.WECHAT_LOGIN
    yield Sample(
        "bundles/ipa-named.apk",
        "An IPA under the name of an APK.",
        lambda: ipa.ipa(login),
        (ios(login.bundle_id, has_sdk("wechat")),),
    )


FAMILIES = (split_sets, app_bundles, hidden, wrong_names)
