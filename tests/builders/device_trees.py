"""Trees of files as devices hold them, made of the committed samples: what every image and archive is made from."""

from __future__ import annotations

import hashlib
import plistlib
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from tests.builders.abx import Node, abx, flag, long, number, text_xml
from tests.builders.android_state import (
    ARCHIVED,
    Certificates,
    package,
    packages,
    restrictions,
    shared_user,
    user,
    user_list,
    user_package,
)
from tests.builders.apk_signatures import identity
from tests.builders.ios_backup import store_record
from tests.builders.keyed_archives import keyed_archive_bytes
from tests.builders.sqlite_files import sqlite_bytes

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
SYSTEM_PLACES = (
    "system/app/{stem}/{stem}.apk",
    "system/priv-app/{stem}/{stem}.apk",
    "system_ext/priv-app/{stem}/{stem}.apk",
    "product/app/{stem}/{stem}.apk",
    "product/overlay/{stem}.apk",
    "vendor/app/{stem}/{stem}.apk",
    "vendor/overlay/{stem}/{stem}.apk",
)
USER_PLACES = (
    "data/app/~~{first}==/{stem}-{second}==/base.apk",
    "data/app/com.example.{stem}-{second}==/base.apk",
    "data/app/com.example.{stem}-1/base.apk",
    "data/app/com.example.{stem}-2.apk",
    "data/app/vmdl{count}.tmp/base.apk",
    "data/app-staging/session_{count}/{stem}.apk",
    "data/media/0/Download/{stem}.apk",
    "data/media/0/Android/data/org.example.files/{stem}.apk",
)
BUILD = """\
# begin build properties
ro.build.id=UP1A.231005.007
ro.build.version.release=14
ro.build.version.sdk=34
ro.product.manufacturer=maker
ro.product.model=phone
ro.serialno=R58N000TEST
"""
STATES = """
CREATE TABLE application_identifier_tab (id INTEGER PRIMARY KEY, application_identifier TEXT);
CREATE TABLE key_tab (id INTEGER PRIMARY KEY, key TEXT);
CREATE TABLE kvs (id INTEGER PRIMARY KEY, application_identifier INTEGER, key INTEGER, value BLOB);
INSERT INTO key_tab VALUES (1, 'compatibilityInfo'), (2, '_UninstallDate');
"""


def token(word: str) -> str:
    """The random part of a folder of Android's, without its equals signs; the same for the same word."""
    return hashlib.sha256(word.encode()).hexdigest()[:22]


def android_tree(root: Path, apps: int | None = None) -> Path:
    """The partitions of an Android device in one tree; ``apps`` takes that many of the samples, spread evenly."""
    samples = sorted((SAMPLES / "android").glob("*.apk"))
    step = 1 if apps is None else max(len(samples) // apps, 1)
    chosen = samples[::step] if apps is None else samples[::step][:apps]
    places = (*USER_PLACES, *SYSTEM_PLACES)
    for count, sample in enumerate(chosen):
        stem = sample.stem.replace("-", "_")
        words = {"stem": stem, "first": token(f"{stem} first"), "second": token(stem), "count": str(100 + count)}
        _write(root, places[count % len(places)].format(**words), sample.read_bytes())
    split_set = f"data/app/~~{token('split first')}==/com.example.splits-{token('split')}=="
    for part in sorted((SAMPLES / "bundles/split-set").iterdir()):
        _write(root, f"{split_set}/{part.name}", part.read_bytes())
    for name in ("split-set.xapk", "nested-apk.apk", "zip-of-apps.zip"):
        _write(root, f"data/media/0/Download/{name}", (SAMPLES / "bundles" / name).read_bytes())
    for path, content in (*_android_records(), *_noise(20 if apps is None else 4)):
        _write(root, path, content)
    return root


def _android_records() -> Iterator[tuple[str, bytes]]:
    certificates = Certificates()
    service = packages(
        package("com.tencent.mm", certificates.sigs([identity("first").certificate])),
        package("com.example.splits", certificates.sigs([identity("first").certificate])),
        package("com.example.camera", sharedUserId=number(10001), userId=""),
        shared_user("com.example.shared", 10001, certificates.sigs([identity("second").certificate])),
    )
    yield "data/system/packages.xml", abx(service)
    yield "data/system/packages-backup.xml", text_xml(service)
    listed = "com.tencent.mm 10082 0 /data/user/0/com.tencent.mm default:targetSdkVersion=30 3002,3003 0 2480 1 @null\n"
    yield "data/system/packages.list", listed.encode()
    yield "data/system/users/userlist.xml", text_xml(user_list(0, 10))
    yield "data/system/users/0.xml", text_xml(user(0, 0x4C13))
    yield "data/system/users/10.xml", abx(user(10, 0x1030, "profile.MANAGED"))
    first: Node = restrictions(
        user_package("com.tencent.mm", ceDataInode=long(123)),
        user_package("cn.wps.moffice_eng", ARCHIVED, inst=flag(False), ceDataInode=long(7)),
    )
    second = restrictions(user_package("com.tencent.mm", inst=flag(False), ceDataInode=long(9)))
    yield "data/system/users/0/package-restrictions.xml", abx(first)
    yield "data/system/users/10/package-restrictions.xml", text_xml(second)
    yield "system/build.prop", BUILD.encode()


def _noise(count: int) -> Iterator[tuple[str, bytes]]:
    """Files that are no apps, of sizes around the bounds of file systems."""
    for package_name in ("com.tencent.mm", "cn.wps.moffice_eng", "com.example.splits"):
        yield f"data/data/{package_name}/shared_prefs/main.xml", b"<map />\n"
        yield f"data/user/10/{package_name}/cache/x", package_name.encode()
    sizes = (0, 1, 60, 150, 4095, 4096, 4097, 70_000)
    for index in range(count):
        content = (f"noise {index} " * 8000).encode()[: sizes[index % len(sizes)]]
        yield f"data/media/0/DCIM/Camera/IMG_{index:04}.jpg", content
        yield f"system/lib64/lib{index}.bin", content[::-1]
        yield f"vendor/etc/settings {index}.conf", b"# caf\xc3\xa9\n" + content


def ios_tree(root: Path) -> Path:
    """An iOS device: application bundles with the records beside them, data containers, the home screen's database."""
    installed: list[tuple[str, str]] = []
    for sample in sorted((SAMPLES / "ios").glob("*.ipa"))[::2]:
        container = f"private/var/containers/Bundle/Application/{token(sample.stem).upper()}"
        with zipfile.ZipFile(sample) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
            main = next(name for name in names if name.count("/") == 2 and name.endswith(".app/Info.plist"))
            app_id = plistlib.loads(archive.read(main))["CFBundleIdentifier"]
            for name in names:
                if name.startswith("Payload/"):
                    _write(root, f"{container}/{name.removeprefix('Payload/')}", archive.read(name))
        installed.append((app_id, f"/{container}/{main.split('/')[1]}"))
        _write(root, f"{container}/iTunesMetadata.plist", store_record(app_id))
        _write(root, f"{container}/.com.apple.mobile_container_manager.metadata.plist", _container(app_id, 1))
    data = f"private/var/mobile/Containers/Data/Application/{token('data').upper()}"
    _write(root, f"{data}/.com.apple.mobile_container_manager.metadata.plist", _container("com.tencent.xin", 2))
    _write(root, "private/var/mobile/Library/FrontBoard/applicationState.db", _states(installed))
    return root


def _container(app_id: str, kind: int) -> bytes:
    value = {"MCMMetadataIdentifier": app_id, "MCMMetadataContentClass": kind, "MCMMetadataUUID": token(app_id)}
    return plistlib.dumps(value, fmt=plistlib.FMT_BINARY)


def _states(installed: list[tuple[str, str]]) -> bytes:
    names: list[tuple[object, ...]] = []
    rows: list[tuple[object, ...]] = []
    for count, (app_id, place) in enumerate(installed, 1):
        names.append((count, app_id))
        value = keyed_archive_bytes({"$fields": {"bundleIdentifier": app_id, "bundlePath": place}})
        rows.append((None, count, 1, value))
    removed = plistlib.dumps(datetime(2026, 3, 4), fmt=plistlib.FMT_BINARY)
    names.append((len(names) + 1, "com.example.removed"))
    rows.append((None, len(names), 2, removed))
    return sqlite_bytes(STATES, {"application_identifier_tab": names, "kvs": rows})


def _write(root: Path, path: str, content: bytes) -> None:
    place = root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
