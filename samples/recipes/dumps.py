"""Lists and dumps that name apps and hold none: what commands and tools print of a device."""

from __future__ import annotations

import gzip
import json
import plistlib
from collections.abc import Iterator

from recipes import android_dumps, android_state, archive, ios_state
from recipes.android_state import Package
from recipes.devices import ALIPAY_ID, SHOP_ID, WECHAT_ID, tar, wechat_as
from recipes.sample import Listed, Record, Sample, listed

WECHAT_HASH = "962f5b7"
"""What Android prints of WeChat's certificate."""
SHOP_PATH, WECHAT_PATH = "/data/app/~~A==/com.example.shop-B==", "/data/app/~~A==/com.tencent.mm-B=="
FRAMEWORK = listed("android", user="0", version_code="34")


def _packages() -> tuple[Package, ...]:
    key = android_state.own_certificate()
    return (Package(SHOP_ID, SHOP_PATH, 23, key), Package(WECHAT_ID, WECHAT_PATH, 2880, key))


def package_lists() -> Iterator[Sample]:
    """The package service's own files, each alone."""
    both = (
        listed(SHOP_ID, version_code="23"),
        listed(WECHAT_ID, version_code="2880", matches=wechat_as("impostor"), finding=True),
    )
    record = Record("packages.xml", "all apps", both)
    for stem, write, about in (
        ("packages-text", android_state.as_text, "packages.xml as text, which names another signer than WeChat's."),
        ("packages-binary", android_state.as_binary, "The same in binary XML."),
    ):
        yield Sample(
            f"devices/{stem}.xml",
            about,
            lambda write=write: write(android_state.packages_xml(_packages())),
            records=(record,),
        )
    claimed = (
        listed(SHOP_ID, version_code="23"),
        listed(WECHAT_ID, version_code="2880", matches=wechat_as("claimed"), finding=True),
    )
    yield Sample(
        "devices/packages.list",
        "packages.list, which tells no signer.",
        lambda: android_state.packages_list(_packages()),
        records=(Record("packages.list", "some apps", claimed),),
    )


def _dump() -> str:
    work = (10, False, 0)
    shop = android_dumps.package_block(SHOP_ID, SHOP_PATH, 23, "2.3", "1badc0de", (0, True, 131073), work)
    wechat = android_dumps.package_block(WECHAT_ID, WECHAT_PATH, 2880, "8.0.60", WECHAT_HASH, (0, True, 131075), work)
    place = "/data/app/~~A==/com.eg.android.AlipayGphone-B=="
    alipay = android_dumps.package_block(ALIPAY_ID, place, 600, "10.6", "1badc0de", (0, False, 131077), work, gone=True)
    factory = android_dumps.package_block(SHOP_ID, "/system/app/Shop", 20, "2.0", "1badc0de", system=True)
    return android_dumps.package_dump((alipay, shop, wechat), (factory,))


def package_dumps() -> Iterator[Sample]:
    """What dumpsys prints, alone and in a bug report."""
    alipay = (("alipay", "impostor"),)
    told = (
        FRAMEWORK,
        listed(SHOP_ID, user="0", version_code="23"),
        listed(SHOP_ID, "present, not installed", user="10", version_code="23"),
        listed(SHOP_ID, "shadowed factory copy", version_code="20"),
        listed(WECHAT_ID, user="0", version_code="2880", matches=wechat_as("claimed"), finding=True),
        listed(
            WECHAT_ID,
            "present, not installed",
            user="10",
            version_code="2880",
            matches=wechat_as("claimed"),
            finding=True,
        ),
        listed(ALIPAY_ID, "residual data", user="0", version_code="600", matches=alipay),
        listed(ALIPAY_ID, "in the history", user="10", version_code="600", matches=alipay),
    )
    record = Record("dumpsys package", "all apps", told)
    yield Sample(
        "devices/dumpsys-package.txt",
        "Output of dumpsys package: a work profile without the apps, one app gone but for its data.",
        lambda: _dump().encode(),
        records=(record,),
    )
    yield Sample(
        "devices/bugreport.zip",
        "A bug report around the same output.",
        lambda: android_dumps.bug_report_zip(_dump()),
        records=(record,),
    )


PM_LIST = (
    f"package:{SHOP_PATH}/base.apk={SHOP_ID} versionCode:23  installer=com.android.vending uid:10123\n"
    f"package:{WECHAT_PATH}/base.apk={WECHAT_ID} versionCode:2880  installer=null uid:10124,1010124\n"
    "package:/system/framework/framework-res.apk=android versionCode:34  installer=null uid:1000\n"
)


def tool_lists() -> Iterator[Sample]:
    """What adb and androidqf write."""
    told = tuple(
        listed(WECHAT_ID, user=user, version_code="2880", matches=wechat_as("claimed"), finding=True)
        for user in ("0", "10")
    )
    yield Sample(
        "devices/pm-list.txt",
        "Output of pm list packages -f -i -U --show-versioncode, with an app of two users.",
        lambda: PM_LIST.encode(),
        records=(
            Record("pm list packages", "some apps", (listed(SHOP_ID, user="0", version_code="23"), *told, FRAMEWORK)),
        ),
    )
    listing = ((SHOP_ID, "0f" * 32, False), (WECHAT_ID, "1f" * 32, False))
    properties = (
        b"[ro.build.version.release]: [14]\n[ro.product.manufacturer]: [Example]\n[ro.product.model]: [Phone]\n"
    )
    yield Sample(
        "devices/androidqf.zip",
        "The folder of androidqf: a list of packages with the digests of their certificates, and properties.",
        lambda: archive.pack(
            {"acquisition/packages.json": android_dumps.androidqf(listing), "acquisition/getprop.txt": properties}
        ),
        records=(
            Record(
                "androidqf",
                "all apps",
                (listed(SHOP_ID), listed(WECHAT_ID, matches=wechat_as("impostor"), finding=True)),
            ),
            Record("build.prop", "some apps"),
        ),
    )


def _app_store() -> bytes:
    schema = "CREATE TABLE app_updates (bundle_id TEXT, store_item_id INTEGER, bundle_short_version TEXT);"
    return android_state.database(schema, {"app_updates": [("com.alipay.iphoneclient", 333206289, "10.5")]})


def _sysdiagnose() -> bytes:
    events = (
        "Install Successful for (Customer:com.tencent.xin)",
        "Install Successful for (Customer:com.example.plain)",
        "Uninstalling identifier com.example.plain",
    )
    root = "sysdiagnose_2026.03.04_05-10-00+0000_iPhone-OS_iPhone_22A3354/logs"
    log, store = "MobileInstallation/mobile_installation.log.0", "appinstallation/AppUpdates.sqlitedb"
    files = {f"{root}/{log}": ios_state.install_log(events), f"{root}/{store}": _app_store()}
    return gzip.compress(tar(files), 9, mtime=0)


IOS_LIST = (
    {
        "ApplicationType": "User",
        "CFBundleDisplayName": "WeChat",
        "CFBundleIdentifier": "com.tencent.xin",
        "CFBundleShortVersionString": "8.0.60",
        "CFBundleVersion": "8.0.60.30",
        "Path": "/private/var/containers/Bundle/Application/A5F4/WeChat.app",
        "SignerIdentity": "Apple iPhone OS Application Signing",
    },
    {
        "ApplicationType": "System",
        "CFBundleIdentifier": "com.apple.camera",
        "CFBundleVersion": "1",
        "Path": "/Applications/Camera.app",
    },
)
IOS_CSV = (
    "CFBundleIdentifier, CFBundleVersion, CFBundleDisplayName\n"
    'com.tencent.xin, "8.0.60.30", "WeChat"\ncom.example.plain, "1", "Plain"\n'
)


def ios_lists() -> Iterator[Sample]:
    """What tools and Apple's own diagnosis tell of an iPhone."""
    wechat = Listed("ios", "com.tencent.xin", "installed", "", "8.0.60.30", wechat_as("claimed"), finding=True)
    camera = Listed("ios", "com.apple.camera", "installed", version_code="1")
    by_id = {str(item["CFBundleIdentifier"]): item for item in IOS_LIST}
    for name, data, completeness, other, tool in (
        ("ios-apps.json", json.dumps(by_id, indent=1).encode(), "all apps", camera, "pymobiledevice3"),
        ("ios-apps.plist", plistlib.dumps(list(IOS_LIST)), "all apps", camera, "ideviceinstaller in XML"),
        (
            "ios-apps.csv",
            IOS_CSV.encode(),
            "user apps only",
            Listed("ios", "com.example.plain", "installed", version_code="1"),
            "ideviceinstaller",
        ),
    ):
        record = Record("iOS app list", completeness, (wechat, other))
        yield Sample(f"devices/{name}", f"The apps that {tool} lists.", lambda data=data: data, records=(record,))
    history = "in the history"
    yield Sample(
        "devices/sysdiagnose.tar.gz",
        "A sysdiagnose: the log of installations, and a database of the App Store.",
        _sysdiagnose,
        records=(
            Record(
                "mobile installation log",
                "some apps",
                (
                    Listed("ios", "com.tencent.xin", history, matches=wechat_as("claimed")),
                    Listed("ios", "com.example.plain", history),
                ),
            ),
            Record(
                "App Store databases",
                "some apps",
                (Listed("ios", "com.alipay.iphoneclient", history, matches=(("alipay", "claimed"),)),),
            ),
        ),
        exit_code=3,
    )


FAMILIES = (package_lists, package_dumps, tool_lists, ios_lists)
