"""Texts and files that Android devices print or keep, written from AOSP's own formats."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable

from tests.builders.protobuf import block, number

WECHAT_HASH = "962f5b7"
DASHES = "-" * 79

ANDROID_44 = """\
  Package [{name}] (4264bbd8):
    userId=10082 gids=[1028, 1015, 3003]
    sharedUser=null
    pkg=Package{{42a3cb90 {name}}}
    codePath=/data/app/{name}-1.apk
    resourcePath=/data/app/{name}-1.apk
    nativeLibraryPath=/data/app-lib/{name}-1
    versionCode=242 targetSdk=9
    versionName=5.6.0
    applicationInfo=ApplicationInfo{{4264bdc0 {name}}}
    flags=[ HAS_CODE ALLOW_CLEAR_USER_DATA ALLOW_BACKUP ]
    dataDir=/data/data/{name}
    supportsScreens=[small, medium, large, xlarge, resizeable, anyDensity]
    timeStamp=2015-02-11 10:21:43
    firstInstallTime=2015-02-11 10:21:45
    lastUpdateTime=2015-02-11 10:21:45
    installerPackageName=com.android.vending
    signatures=PackageSignatures{{4397f8d8 [43980488]}}
    permissionsFixed=true haveGids=true installStatus=1
    pkgFlags=[ HAS_CODE ALLOW_CLEAR_USER_DATA ALLOW_BACKUP ]
    User 0:  installed=true blocked=false stopped=false notLaunched=false enabled=0
    grantedPermissions:
      android.permission.INTERNET
"""
"""Android 4.4: no minSdk, hashes that are identities of objects, ``blocked`` for hidden."""

ANDROID_10 = """\
  Package [{name}] (557bb4e):
    userId=10108
    pkg=Package{{e030746 {name}}}
    codePath=/data/app/{name}-FtxVmfhJnuP-P7oGWPgRrw==
    resourcePath=/data/app/{name}-FtxVmfhJnuP-P7oGWPgRrw==
    legacyNativeLibraryDir=/data/app/{name}-FtxVmfhJnuP-P7oGWPgRrw==/lib
    primaryCpuAbi=arm64-v8a
    secondaryCpuAbi=null
    versionCode=2400 minSdk=23 targetSdk=29
    versionName=8.0.38
    splits=[base]
    apkSigningVersion=1
    applicationInfo=ApplicationInfo{{e030746 {name}}}
    flags=[ HAS_CODE ALLOW_CLEAR_USER_DATA LARGE_HEAP ]
    dataDir=/data/user/0/{name}
    timeStamp=2023-06-28 21:50:04
    firstInstallTime=2023-06-28 21:50:28
    lastUpdateTime=2023-06-29 08:00:00
    installerPackageName=com.android.packageinstaller
    signatures=PackageSignatures{{a4cc409 version:1, signatures:[962f5b7], past signatures:[]}}
    installPermissionsFixed=true
    pkgFlags=[ HAS_CODE ALLOW_CLEAR_USER_DATA LARGE_HEAP ]
    declared permissions:
      {name}.permission.C2D_MESSAGE: prot=signature, INSTALLED
    requested permissions:
      android.permission.INTERNET
    install permissions:
      android.permission.INTERNET: granted=true
    User 0: ceDataInode=1106633 installed=true hidden=false suspended=false stopped=false notLaunched=false enabled=0 \
instant=false virtual=false
      gids=[3002, 3003]
      runtime permissions:
        android.permission.CAMERA: granted=true, flags=[ USER_SET]

"""
"""Android 10, as the real block of a device; a blank line ends nothing."""

ANDROID_16 = """\
  Package [{name}] (8f2d1c0):
    appId=10234
    pkg=Package{{1c9a7d2 {name}}}
    codePath=/data/app/~~hJ3-x_Zk1QWcC2m0pYb9Lg==/{name}-Q-2mV_aXo0y1pRkdN3c5wA==
    resourcePath=/data/app/~~hJ3-x_Zk1QWcC2m0pYb9Lg==/{name}-Q-2mV_aXo0y1pRkdN3c5wA==
    extractNativeLibs=false
    primaryCpuAbi=arm64-v8a
    secondaryCpuAbi=null
    cpuAbiOverride=null
    versionCode=2880 minSdk=26 targetSdk=35
    minExtensionVersions=[]
    versionName=8.0.60 (release build)
    hiddenApiEnforcementPolicy=2
    usesNonSdkApi=false
    splits=[base, config.arm64_v8a, config.xxhdpi]
    apkSigningVersion=3
    flags=[ HAS_CODE ALLOW_CLEAR_USER_DATA ]
    privateFlags=[ PRIVATE_FLAG_ALLOW_AUDIO_PLAYBACK_CAPTURE ]
    forceQueryable=false
    dataDir=/data/user/0/{name}
    supportsScreens=[small, medium, large, xlarge, resizeable, anyDensity]
    usesLibraries:
      org.apache.http.legacy
    timeStamp=2026-01-10 09:00:00
    lastUpdateTime=2026-03-04 12:30:00
    installerPackageName=com.android.vending
    installerPackageUid=10150
    initiatingPackageName=com.android.vending
    originatingPackageName=null
    packageSource=2
    signatures=PackageSignatures{{9d1e2f version:3, signatures:[a1b2c3d4, 962f5b7], past signatures:[7f flags: 17]}}
    installPermissionsFixed=true
    pkgFlags=[ HAS_CODE ALLOW_CLEAR_USER_DATA ]
    apexModuleName=null
    User 0: ceDataInode=131073 deDataInode=131074 installed=true hidden=false suspended=false distractionFlags=0 \
stopped=false notLaunched=false enabled=0 instant=false virtual=false quarantined=false
      installReason=4
      dataDir=/data/user/0/{name}
      firstInstallTime=2025-11-02 18:00:01
      uninstallReason=0
      lastDisabledCaller: null
      gids=[3003]
      runtime permissions:
    User 10: ceDataInode=0 deDataInode=0 installed=false hidden=false suspended=false distractionFlags=0 \
stopped=true notLaunched=true enabled=0 instant=false virtual=false quarantined=false
      installReason=0
      dataDir=/data/user/10/{name}
      firstInstallTime=1970-01-01 01:00:00
      uninstallReason=0
"""
"""Android 16: appId, times per user, two users, rotated signers."""

SYSTEM = """\
  Package [{name}] (1a2b3c):
    userId=1000
    pkg=Package{{77aa {name}}}
    codePath={path}
    resourcePath={path}
    versionCode=33 minSdk=33 targetSdk=33
    versionName=13
    lastUpdateTime=2009-01-01 00:00:00
    signatures=PackageSignatures{{77ab version:3, signatures:[dcf7a0c3], past signatures:[]}}
    pkgFlags=[ SYSTEM HAS_CODE PERSISTENT ]
    User 0: ceDataInode=0 installed=true hidden=false suspended=false stopped=false notLaunched=false enabled=0
"""


def package(form: str, name: str = "com.tencent.mm", **values: str) -> str:
    """A block in the form of one generation; ``values`` replace whole lines by their key."""
    lines = form.format(name=name, path="/system/framework/framework-res.apk").splitlines()
    for key, value in values.items():
        lines = [f"    {key}={value}" if line.startswith(f"    {key}=") else line for line in lines]
    return "\n".join(lines) + "\n"


def user_line(user: int, rest: str) -> str:
    return f"    User {user}: {rest}\n"


FRAMEWORK = package(SYSTEM, "android")
AFTER = "Shared users:\n  SharedUser [android.uid.system] (c9b2):\n    userId=1000\n"


def dump(*blocks: str, hidden: Iterable[str] = (), before: str = "", after: str = AFTER) -> str:
    """A whole ``dumpsys package`` of the blocks."""
    parts = [
        before,
        "Packages:\n",
        *blocks,
        "\nRenamed packages:\n  com.google.android.packageinstaller,com.android.packageinstaller\n",
    ]
    shadowed = list(hidden)
    if shadowed:
        parts += ["\nHidden system packages:\n", *shadowed]
    return "".join([*parts, "\n", after])


def service(name: str, text: str, duration: str = "0.123") -> str:
    """One service in a dump of all."""
    end = f"--------- {duration}s was the duration of dumpsys {name}, ending at: 2026-03-05 10:00:03\n"
    return f"{DASHES}\nDUMP OF SERVICE {name}:\n{text}{end}"


HEAD = f"""\
{"=" * 56}
== dumpstate: 2026-03-05 10:00:00
{"=" * 56}

Build: BP2A.250605.031
Build fingerprint: 'google/husky/husky:16/BP2A.250605.031/13456789:user/release-keys'
Bootloader: ripcurrent-16.0
Kernel: Linux version 6.1.99
Command line: androidboot.serialno=39161FDJG000AB androidboot.slot_suffix=_a

"""
PROPERTIES = """\
------ SYSTEM PROPERTIES (getprop) ------
[gsm.operator.alpha]: [Example Telecom]
[persist.sys.timezone]: [{zone}]
[ro.build.version.release]: [16]
[ro.build.id]: [BP2A.250605.031]
[ro.product.manufacturer]: [Google]
[ro.product.model]: [Pixel 8 Pro]
[ro.serialno]: [39161FDJG000AB]

"""
USERS = """\
Current user: 0
Users:
  UserInfo{0:Anna Example:4c13} serialNo=0 isPrimary=true
    Type: android.os.usertype.full.SYSTEM
    Flags: 19475 (ADMIN|FULL|INITIALIZED|MAIN|PRIMARY|SYSTEM)
  UserInfo{10:Work profile:1030} serialNo=10 isPrimary=false parentId=0
    Type: android.os.usertype.profile.MANAGED
"""


def bug_report(packages: str, *, zone: str = "Europe/Berlin", users: str = USERS, padding: str = "") -> str:
    """The text of a bug report around a dump of the package service."""
    return "".join(
        [
            HEAD,
            PROPERTIES.format(zone=zone),
            "------ DUMPSYS NORMAL (dumpsys) ------\n",
            padding,
            service("overlay", "Overlays:\n  com.example\n"),
            service("package", packages),
            service("user", users),
            service("zen", "Package [not.a.block]\n"),
        ]
    )


def androidqf(*packages: dict[str, object]) -> bytes:
    return json.dumps(list(packages), indent=2).encode()


def androidqf_package(name: str, **changes: object) -> dict[str, object]:
    """One package as androidqf writes it."""
    path = f"/data/app/~~a==/{name}-b==/base.apk"
    certificate = {"Md5": "aa", "Sha1": "bb", "Sha256": "0F" * 32, "Subject": "CN=Someone", "Issuer": "CN=Someone"}
    file = {
        "path": path,
        "local_name": f"{name}.apk",
        "md5": "00",
        "sha1": "11",
        "sha256": "ab" * 32,
        "sha512": "22",
        "error": "",
        "verified_certificate": True,
        "certificate": certificate,
        "certificate_error": "",
        "trusted_certificate": False,
    }
    whole: dict[str, object] = {
        "name": name,
        "files": [file],
        "installer": "com.android.vending",
        "uid": 10123,
        "disabled": False,
        "system": False,
        "third_party": True,
    }
    return whole | changes


def usage_xml(*entries: str) -> bytes:
    return (
        "<?xml version='1.0' encoding='utf-8' standalone='yes' ?>\n"
        '<usagestats version="1" endTime="86400000"><packages>' + "".join(entries) + "</packages></usagestats>"
    ).encode()


def usage_package_xml(name: str, last: int) -> str:
    return f'<package lastTimeActive="{last}" package="{name}" timeActive="7" lastEvent="2" />'


def usage_v1(pool: Iterable[str], packages: Iterable[tuple[int, int]], events: Iterable[tuple[int, int]] = ()) -> bytes:
    """IntervalStatsProto (Android 10): (index from 1, offset of the last use in ms)."""
    names = list(pool)
    body = number(1, 86_400_000)
    body += block(2, number(1, len(names)) + b"".join(block(2, name) for name in names))
    body += b"".join(block(20, number(2, index) + number(3, last) + number(4, 7)) for index, last in packages)
    return body + b"".join(block(22, number(2, index) + number(5, at) + number(7, 1)) for index, at in events)


def usage_v2(packages: Iterable[tuple[int, int]], events: Iterable[tuple[int, int]] = ()) -> bytes:
    """IntervalStatsObfuscatedProto (from Android 11): (number, offset of the last use in ms)."""
    body = number(1, 86_400_000) + number(3, 5)
    body += b"".join(block(20, number(1, token) + number(3, last) + number(4, 7)) for token, last in packages)
    return body + b"".join(block(22, number(1, token) + number(3, at) + number(5, 1)) for token, at in events)


def usage_mappings(names: dict[int, str]) -> bytes:
    """ObfuscatedPackagesProto: each number with its package and further strings."""
    entries = (number(1, token) + block(2, name) + block(2, f"{name}.Main") for token, name in names.items())
    return number(1, len(names)) + b"".join(block(2, entry) for entry in entries)


def sqlite(*statements: str | tuple[str, tuple[object, ...]]) -> bytes:
    """A database that the statements make."""
    connection = sqlite3.connect(":memory:")
    try:
        for statement in statements:
            connection.execute(*((statement,) if isinstance(statement, str) else statement))
        connection.commit()
        return connection.serialize()
    finally:
        connection.close()
