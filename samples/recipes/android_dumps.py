"""What commands and tools make of an Android device: dumpsys package, bug reports, androidqf, adb backups."""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from textwrap import indent

from recipes import archive
from recipes.toolchain import cached, run

FRAMEWORK_BLOCK = """\
  userId=1000
  pkg=Package{77aa android}
  codePath=/system/framework/framework-res.apk
  versionCode=34 minSdk=34 targetSdk=34
  versionName=14
  signatures=PackageSignatures{77ab version:3, signatures:[dcf7a0c3], past signatures:[]}
  pkgFlags=[ SYSTEM HAS_CODE PERSISTENT ]
  User 0: ceDataInode=0 installed=true hidden=false suspended=false stopped=false notLaunched=false enabled=0
"""
"""All but the first line, so that this file is not taken for such a dump."""
BLOCK = """\
  appId=10234
  pkg={package}
  codePath={path}
  versionCode={code} minSdk=26 targetSdk=35
  versionName={version}
  dataDir=/data/user/0/{name}
  lastUpdateTime=2026-03-04 12:30:00
  installerPackageName=com.android.vending
  signatures=PackageSignatures{{9d1e2f version:3, signatures:[{signature}], past signatures:[]}}
  pkgFlags=[ {flags} ]
"""
USER = """\
  User {user}: ceDataInode={inode} deDataInode={inode} installed={installed} hidden=false suspended=false \
stopped=false notLaunched=false enabled=0 instant=false virtual=false
    firstInstallTime={first}
"""


def package_block(
    name: str,
    path: str,
    code: int,
    version: str,
    signature: str,
    *users: tuple[int, bool, int],
    system: bool = False,
    gone: bool = False,
) -> str:
    """One package; each user with whether it is installed and the number of its data directory; ``gone``: no code."""
    package = "null" if gone else f"Package{{1c9a7d2 {name}}}"
    flags = "SYSTEM HAS_CODE" if system else "HAS_CODE ALLOW_CLEAR_USER_DATA"
    text = f"Package [{name}] (8f2d1c0):\n" + BLOCK.format(
        name=name, package=package, path=path, code=code, version=version, signature=signature, flags=flags
    )
    for user, installed, inode in users:
        first = "2025-11-02 18:00:01" if installed else "1970-01-01 01:00:00"
        text += USER.format(user=user, inode=inode, installed=str(installed).lower(), first=first)
    return indent(text, "  ")


def package_dump(blocks: Iterable[str], hidden: Iterable[str] = ()) -> str:
    """What ``dumpsys package`` prints, as far as it tells of packages."""
    parts = ["Packages:\n", indent(f"Package [android] (1a2b3c):\n{FRAMEWORK_BLOCK}", "  "), *blocks]
    shadowed = list(hidden)
    parts += ["\nHidden system packages:\n", *shadowed] if shadowed else []
    return "".join([*parts, "\nShared users:\n  SharedUser [android.uid.system] (c9b2):\n    userId=1000\n"])


def bug_report(packages: str) -> str:
    """The text of a bug report around a dump of the package service."""
    rule, line = "=" * 56, "-" * 79
    return "".join(
        [
            f"{rule}\n== dumpstate: 2026-03-05 10:00:00\n{rule}\n\n",
            "Build: AP2A.240805.005\n",
            "Build fingerprint: 'example/phone/phone:14/AP2A.240805.005/1:user/release-keys'\n\n",
            "------ SYSTEM PROPERTIES (getprop) ------\n",
            "[persist.sys.timezone]: [Europe/Berlin]\n[ro.build.version.release]: [14]\n",
            "[ro.product.manufacturer]: [Example]\n[ro.product.model]: [Sample Phone]\n\n",
            "------ DUMPSYS NORMAL (dumpsys) ------\n",
            f"{line}\nDUMP OF SERVICE package:\n{packages}",
            "--------- 0.123s was the duration of dumpsys package, ending at: 2026-03-05 10:00:03\n",
        ]
    )


def bug_report_zip(packages: str) -> bytes:
    """The zip that ``adb bugreport`` saves."""
    name = "bugreport-phone-AP2A.240805.005-2026-03-05-10-00-00.txt"
    members = {"version.txt": b"2.0", "main_entry.txt": name.encode(), name: bug_report(packages).encode()}
    return archive.pack(members)


def androidqf(packages: Iterable[tuple[str, str, bool]]) -> bytes:
    """packages.json of androidqf from (name, digest of the certificate, whether it is a system app)."""
    listed = []
    for name, certificate, system in packages:
        path = f"/data/app/{name}/base.apk"
        signer = {"Md5": "", "Sha1": "", "Sha256": certificate, "Subject": "", "Issuer": ""}
        file = {"path": path, "local_name": "", "sha256": hashlib.sha256(name.encode()).hexdigest(), "error": ""}
        whole = {"name": name, "files": [{**file, "verified_certificate": True, "certificate": signer}]}
        listed.append(
            {**whole, "installer": "com.android.vending", "uid": 10123, "system": system, "third_party": True}
        )
    return json.dumps(listed, indent=1).encode()


MASTER_KEY, MASTER_IV, USER_IV = bytes(range(0x70, 0x90)), bytes(range(16)), bytes(range(16, 32))
USER_SALT, CHECKSUM_SALT = bytes(range(64)), bytes(range(64, 128))


def encrypted(data: bytes, key: bytes, vector: bytes) -> bytes:
    """AES-256-CBC with PKCS #7."""

    def make(folder: Path) -> bytes:
        (folder / "in").write_bytes(data)
        run(
            "openssl",
            "enc",
            "-aes-256-cbc",
            "-K",
            key.hex(),
            "-iv",
            vector.hex(),
            "-in",
            "in",
            "-out",
            "out",
            cwd=folder,
        )
        return (folder / "out").read_bytes()

    return cached(make, data, key, vector)


def adb_backup(tar: bytes, *, compressed: bool = True, password: str = "", rounds: int = 1000) -> bytes:
    """An adb backup of a tar archive; real ones take ten thousand rounds."""
    body = zlib.compress(tar, 9) if compressed else tar
    lines = ["ANDROID BACKUP", "5", str(int(compressed)), "none"]
    if password:
        characters = struct.pack(">32h", *struct.unpack(">32b", MASTER_KEY)).decode("utf-16-be", "surrogatepass")
        checked = characters.encode("utf-8", "surrogatepass")
        checksum = hashlib.pbkdf2_hmac("sha1", checked, CHECKSUM_SALT, rounds, 32)
        user_key = hashlib.pbkdf2_hmac("sha1", password.encode(), USER_SALT, rounds, 32)
        blob = b"".join(bytes([len(part)]) + part for part in (MASTER_IV, MASTER_KEY, checksum))
        lines[3] = "AES-256"
        lines += [USER_SALT.hex().upper(), CHECKSUM_SALT.hex().upper(), str(rounds), USER_IV.hex().upper()]
        lines.append(encrypted(blob, user_key, USER_IV).hex().upper())
        body = encrypted(body, MASTER_KEY, MASTER_IV)
    return "".join(f"{line}\n" for line in lines).encode() + body


def backup_manifest(package: str, code: int, certificate: bytes, *, has_apk: bool) -> bytes:
    """``_manifest`` of one app."""
    lines = ["1", package, str(code), "34", "com.android.vending", str(int(has_apk)), "1", certificate.hex(), ""]
    return "\n".join(lines).encode()
