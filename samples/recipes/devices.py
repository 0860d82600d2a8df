"""Extractions and backups of whole devices, in each of the archives that tools make: apps, and what names apps."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Iterator, Mapping

from recipes import android_dumps, android_state, archive, image_tools, ios_state
from recipes.android_state import Package
from recipes.committed import ALIPAY, IOS_ALIPAY, IOS_PAY, SHOP, WECHAT
from recipes.sample import Listed, Record, Sample, listed

ALIPAY_ID, SHOP_ID, WECHAT_ID = "com.eg.android.AlipayGphone", "com.example.shop", "com.tencent.mm"
SHOP_PLACE = "data/app/~~AAAAAAAAAAAAAAAAAAAAAA==/com.example.shop-BBBBBBBBBBBBBBBBBBBBBB==/base.apk"
ANDROID_APPS = (
    (SHOP_PLACE, SHOP),
    ("data/app/com.tencent.mm-1/base.apk", WECHAT),
    ("system/app/Alipay/Alipay.apk", ALIPAY),
)
IOS_BUNDLES = "private/var/containers/Bundle/Application"
IOS_APPS = (
    ("00000000-0000-4000-8000-000000000001/Wxpay.app", IOS_PAY, 1000000001),
    ("00000000-0000-4000-8000-000000000002/Iphoneclient.app", IOS_ALIPAY, 333206289),
)
PASSWORD = "a made-up password"


def wechat_as(grade: str) -> tuple[tuple[str, str], ...]:
    """What the id of WeChat matches: WeChat, and WeChat Pay inside it."""
    return (("wechat", grade), ("wechat-pay", grade))


def tar(files: Mapping[str, bytes]) -> bytes:
    """A tar archive with fixed dates, folders named before their files."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as opened:
        made: set[str] = set()
        for path, data in files.items():
            steps = path.split("/")[:-1]
            for folder in ("/".join(steps[: depth + 1]) for depth in range(len(steps))):
                if folder not in made:
                    made.add(folder)
                    opened.addfile(_tar_entry(folder, tarfile.DIRTYPE))
            opened.addfile(_tar_entry(path, tarfile.REGTYPE, len(data)), io.BytesIO(data))
    return out.getvalue()


def _tar_entry(path: str, kind: bytes, size: int = 0) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(path)
    entry.type, entry.size, entry.mtime = kind, size, image_tools.DATE
    entry.mode = 0o755 if kind == tarfile.DIRTYPE else 0o644
    return entry


def _android_packages() -> tuple[Package, ...]:
    key = android_state.own_certificate()
    return (
        Package(ALIPAY_ID, "/system/app/Alipay", 999, key, system=True),
        Package(SHOP_ID, "/" + SHOP_PLACE.removesuffix("/base.apk"), 23, key),
        Package(WECHAT_ID, "/data/app/com.tencent.mm-1", 999, key),
    )


def android_tree() -> dict[str, bytes]:
    """A phone with three apps, data of one that is gone, and histories that name two more."""
    packages = _android_packages()
    names = {item.name: {"inst": True} for item in packages}
    users = android_state.users({0: (0x13, "full.SYSTEM")})
    return {
        **{path: part.content() for path, part in ANDROID_APPS},
        "system/build.prop": android_state.BUILD_PROP,
        "data/data/com.google.android.gms/databases/gass.db": android_state.gass({"com.uc.vmate": 5}),
        "data/data/com.intsig.camscanner/shared_prefs/settings.xml": b"<map />\n",
        "data/system/packages.list": android_state.packages_list(packages),
        "data/system/packages.xml": android_state.as_text(android_state.packages_xml(packages)),
        "data/system/usagestats/0/daily/1700000000000": android_state.usage_stats({"com.lenovo.anyshare.gps": 1000}),
        "data/system/users/0/package-restrictions.xml": android_state.as_text(android_state.restrictions(names)),
        **{f"data/system/users/{name}": android_state.as_text(item) for name, item in users.items()},
    }


def _installed(grade: str, user: str = "", *, codes: bool = True) -> tuple[Listed, ...]:
    """The three apps of the tree as one of its records names them."""
    code = "999" if codes else ""
    return (
        listed(ALIPAY_ID, user=user, version_code=code, matches=(("alipay", grade),), finding=True),
        listed(SHOP_ID, user=user, version_code="23" if codes else ""),
        listed(WECHAT_ID, user=user, version_code=code, matches=wechat_as(grade), finding=True),
    )


VMATE_KNOWN = listed("com.uc.vmate", "in the history", user="0", version_code="5", matches=(("vmate", "claimed"),))
SHAREIT_USED = listed("com.lenovo.anyshare.gps", "in the history", user="0", matches=(("shareit", "claimed"),))
CAMSCANNER_DATA = listed("com.intsig.camscanner", "residual data", user="0", matches=(("camscanner", "claimed"),))
ANDROID_RECORDS = (
    Record("packages.xml", "all apps", _installed("impostor")),
    Record("packages.list", "some apps", _installed("claimed")),
    Record("package-restrictions.xml", "some apps", _installed("claimed", "0", codes=False)),
    Record("Android users", "some apps"),
    Record("Android users", "some apps"),
    Record("build.prop", "some apps"),
    Record("usage statistics", "some apps", (SHAREIT_USED,)),
    Record("Google Play databases", "some apps", (VMATE_KNOWN,)),
    Record(
        "data directories",
        "some apps",
        (listed("com.google.android.gms", "residual data", user="0"), CAMSCANNER_DATA),
    ),
)


def android_extractions() -> Iterator[Sample]:
    """The file system of an Android phone in the archives that tools write."""
    for name, pack, prefix, inside, about in (
        ("android.tar", tar, "", "", "a plain tar"),
        ("android.tar.gz", lambda files: gzip.compress(tar(files), 9, mtime=0), "", "android.tar!", "a tar.gz"),
        ("android.tar.zst", lambda files: image_tools.zstd(tar(files)), "", "android.tar!", "a tar.zst"),
        ("android.zip", archive.pack, "Dump/", "", "a zip whose paths all begin with Dump/"),
    ):

        def build(pack=pack, prefix: str = prefix) -> bytes:  # type: ignore[no-untyped-def]
            data: bytes = pack({f"{prefix}{path}": data for path, data in android_tree().items()})
            return data

        seen = tuple(part.at(f"{inside}{prefix}{path}") for path, part in ANDROID_APPS)
        about = f"The file system of a phone in {about}: apps, records, leftovers and histories."
        yield Sample(f"devices/{name}", about, build, seen, ANDROID_RECORDS)


def _late_android_tree() -> dict[str, bytes]:
    """The records of a phone with Android 14 and a work profile, without a file of any app."""
    wechat, key = android_state.wechat_certificate(), android_state.own_certificate("b")
    packages = (
        Package(WECHAT_ID, "/data/app/~~A==/com.tencent.mm-B==", 2880, wechat),
        Package(SHOP_ID, "/data/app/~~A==/com.example.shop-B==", 30, key, True, ("/system/app/Shop", 23)),
    )
    data = ("ceDataInode", ("long", 131073))
    owner = android_state.restrictions({WECHAT_ID: {"inst": False, data[0]: data[1]}, SHOP_ID: {}})
    work = android_state.restrictions({WECHAT_ID: {}, SHOP_ID: {"inst": False}})
    late = android_state.archived("cn.wps.moffice_eng")
    work = android_state.Element(work.name, {}, (*work.children, late))
    files = {"packages.xml": android_state.packages_xml(packages), "users/0/package-restrictions.xml": owner}
    files["users/10/package-restrictions.xml"] = work
    people = android_state.users({0: (0x4C13, "full.SYSTEM"), 10: (0x1030, "profile.MANAGED")})
    files |= {f"users/{name}": item for name, item in people.items()}
    usage = "data/system_ce/0/usagestats"
    return {
        **{f"data/system/{name}": android_state.as_binary(item) for name, item in files.items()},
        f"{usage}/daily/1700000000000": android_state.numbered_usage_stats({1: 1000}),
        f"{usage}/mappings": android_state.usage_mappings({1: "com.lenovo.anyshare.gps"}),
    }


def android_records() -> Iterator[Sample]:
    """Records alone, as triage tools collect them."""
    wps = listed("cn.wps.moffice_eng", "archived", user="10", matches=(("wps-office", "claimed"),), finding=True)
    records = (
        Record(
            "packages.xml",
            "all apps",
            (
                listed(SHOP_ID, version_code="30"),
                listed(SHOP_ID, "shadowed factory copy", version_code="23"),
                listed(WECHAT_ID, version_code="2880", matches=wechat_as("claimed"), finding=True),
            ),
        ),
        Record(
            "package-restrictions.xml",
            "some apps",
            (listed(WECHAT_ID, "residual data", user="0", matches=wechat_as("claimed")), listed(SHOP_ID, user="0")),
        ),
        Record(
            "package-restrictions.xml",
            "some apps",
            (
                wps,
                listed(WECHAT_ID, user="10", matches=wechat_as("claimed"), finding=True),
                listed(SHOP_ID, "present, not installed", user="10"),
            ),
        ),
        *(Record("Android users", "some apps"),) * 3,
        *(Record("usage statistics", "some apps", (SHAREIT_USED,)),) * 2,
    )
    yield Sample(
        "devices/android-records.zip",
        "Records of Android 14 in binary XML: a work profile, an update over a factory copy, an archived app.",
        lambda: archive.pack(_late_android_tree()),
        records=records,
    )


def _ios_tree() -> dict[str, bytes]:
    """Two apps with the notes beside their bundles, and the data of one that is gone."""
    files: dict[str, bytes] = {}
    for place, part, item_id in IOS_APPS:
        folder, _, bundle = f"{IOS_BUNDLES}/{place}".rpartition("/")
        name, uuid = part.seen.app_id, folder.rpartition("/")[2]
        for path, data in archive.unpack(part.content()).items():
            inner = path.removeprefix("Payload/").partition("/")[2]
            if path.startswith("Payload/") and inner and not inner.endswith("/"):
                files[f"{folder}/{bundle}/{inner}"] = data
        files[f"{folder}/.com.apple.mobile_container_manager.metadata.plist"] = ios_state.container_metadata(
            name, 1, uuid
        )
        files[f"{folder}/BundleMetadata.plist"] = ios_state.bundle_metadata()
        files[f"{folder}/iTunesMetadata.plist"] = ios_state.store_metadata(name, item_id)
    uuid = "00000000-0000-4000-8000-000000000003"
    data_place = f"private/var/mobile/Containers/Data/Application/{uuid}"
    files[f"{data_place}/.com.apple.mobile_container_manager.metadata.plist"] = ios_state.container_metadata(
        "com.tencent.xin", 2, uuid
    )
    bundles = {part.seen.app_id: f"/{IOS_BUNDLES}/{place}" for place, part, _ in IOS_APPS}
    state = ios_state.application_state(bundles, ("com.tencent.xin",))
    return {**files, "private/var/mobile/Library/FrontBoard/applicationState.db": state}


def ios_extractions() -> Iterator[Sample]:
    """The file system of an iPhone."""
    pay = Listed("ios", "com.example.wxpay", "installed", version_code="1.0.1")
    alipay = Listed("ios", "com.alipay.iphoneclient", "installed", "", "1.0.1", (("alipay", "claimed"),), finding=True)
    records = (
        Record("iOS containers", "some apps", (pay,)),
        Record("iOS containers", "some apps", (alipay,)),
        Record(
            "iOS containers",
            "some apps",
            (Listed("ios", "com.tencent.xin", "residual data", matches=wechat_as("claimed")),),
        ),
        Record(
            "applicationState.db",
            "some apps",
            (
                Listed("ios", "com.example.wxpay", "installed"),
                Listed("ios", "com.alipay.iphoneclient", "installed", matches=(("alipay", "claimed"),), finding=True),
                Listed("ios", "com.tencent.xin", "in the history", matches=wechat_as("claimed")),
            ),
        ),
    )
    yield Sample(
        "devices/ios.zip",
        "The file system of an iPhone in a zip whose paths all begin with filesystem1/.",
        lambda: archive.pack({f"filesystem1/{path}": data for path, data in _ios_tree().items()}),
        tuple(part.at(f"filesystem1/{IOS_BUNDLES}/{place}") for place, part, _ in IOS_APPS),
        records,
    )


def _ios_backup(password: str = "") -> bytes:
    files = ios_state.backup(
        ("com.tencent.xin", "com.example.wxpay"),
        ("com.tencent.xin", "com.example.wxpay"),
        ("AppDomain-com.tencent.xin", "AppDomain-com.alipay.iphoneclient", "HomeDomain"),
        password,
    )
    return archive.pack({f"{ios_state.UDID}/{name}": data for name, data in files.items()})


def ios_backups() -> Iterator[Sample]:
    """Backups of Finder and iTunes."""
    apps = (
        Listed("ios", "com.tencent.xin", "in a backup", "", "7.1", wechat_as("claimed"), finding=True),
        Listed("ios", "com.example.wxpay", "in a backup", version_code="7.1"),
        Listed("ios", "com.alipay.iphoneclient", "residual data", matches=(("alipay", "claimed"),)),
    )
    record = Record("iOS backup", "user apps only", apps)
    yield Sample("devices/ios-backup.zip", "A backup of an iPhone, zipped.", _ios_backup, records=(record,))
    yield Sample(
        "devices/ios-backup-encrypted.zip",
        "The same backup encrypted: without the password its list of files is unread, its list of apps is not.",
        lambda: _ios_backup(PASSWORD),
        records=(record,),
        password=PASSWORD,
    )


def _backed_up() -> bytes:
    key = android_state.own_certificate()
    return tar(
        {
            f"apps/{SHOP_ID}/_manifest": android_dumps.backup_manifest(SHOP_ID, 23, key, has_apk=True),
            f"apps/{SHOP_ID}/a/base.apk": SHOP.content(),
            f"apps/{WECHAT_ID}/_manifest": android_dumps.backup_manifest(WECHAT_ID, 999, key, has_apk=False),
            f"apps/{WECHAT_ID}/f/settings": b"1",
        }
    )


def adb_backups() -> Iterator[Sample]:
    """Backups of adb: one app with its APK, and one of which the manifest alone tells."""
    seen = (SHOP.at(f"backup.tar!apps/{SHOP_ID}/a/base.apk"),)
    wechat = listed(WECHAT_ID, "in a backup", version_code="999", matches=wechat_as("impostor"), finding=True)
    records = (Record("adb backup", "some apps", (listed(SHOP_ID, "in a backup", version_code="23"), wechat)),)
    for stem, about, compressed, password in (
        ("adb-plain", "A backup of adb without compression.", False, ""),
        ("adb-compressed", "A backup of adb, compressed.", True, ""),
        ("adb-encrypted", "A backup of adb, compressed and encrypted with AES.", True, PASSWORD),
    ):

        def build(compressed: bool = compressed, password: str = password) -> bytes:
            return android_dumps.adb_backup(_backed_up(), compressed=compressed, password=password)

        yield Sample(f"devices/{stem}.ab", about, build, seen, records, password=password)


FAMILIES = (android_extractions, android_records, ios_extractions, ios_backups, adb_backups)
