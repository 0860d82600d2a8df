"""What an app may do to hide a designated SDK from an audit, or to look like one that carries it."""

from __future__ import annotations

import gzip
import lzma
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from auditor import Audit, Catalog, Limits, Problem, Run, Verdict, load_catalog
from auditor.containers.member import Budget
from auditor.judge import is_finding
from auditor.limits import DEFAULT
from auditor.model import ProblemCode
from auditor.report.content import report_of
from auditor.report.outcome import FailOn
from tests.builders.axml import axml, el, manifest
from tests.builders.dex import build_dex
from tests.builders.elf import build_elf
from tests.builders.images import ext4_of, gpt_of, sparse_of, tar_of
from tests.builders.macho import Image, encrypt, fat
from tests.builders.zips import Member, build_zip

AS_OF = date(2026, 11, 1)
SUBJECT = "wechat"
SDK = build_dex(["Lcom/tencent/mm/opensdk/openapi/WXAPIFactory;", "Lcom/tencent/mm/opensdk/modelmsg/SendAuth;"])
PLAIN = build_dex(["Lcom/example/app/Main;"])


def android_manifest(package: str = "com.example.app", *activities: str, **attributes: str) -> bytes:
    application = el("application", *(el("activity", name=name) for name in activities))
    return axml(manifest(application, package=package, **attributes))


MANIFEST = android_manifest()


def apk(*more: Member, code: bytes | None = PLAIN, declared: bytes = MANIFEST) -> bytes:
    """An unsigned app with plain code and what a case adds."""
    own = [Member(b"AndroidManifest.xml", declared)]
    if code is not None:
        own.append(Member(b"classes.dex", code))
    return build_zip(*own, *more)


def archive(**members: bytes) -> bytes:
    return build_zip(*(Member(name.replace("__", "/").encode(), content) for name, content in members.items()))


@cache
def catalog() -> Catalog:
    return load_catalog()


def scan(
    folder: Path, data: bytes, name: str = "case.apk", limits: Limits = DEFAULT
) -> tuple[list[Audit], tuple[Problem, ...], int]:
    """Apps, problems of no app, exit code."""
    (folder / name).write_bytes(data)
    run = Run([folder / name], catalog(), AS_OF, limits)
    found = list(run)
    return found, run.problems, report_of(run, found, FailOn()).exit_code


def verdict(audit: Audit, subject: str = SUBJECT) -> Verdict:
    return next(answer.verdict for answer in audit.answers if answer.subject == subject)


def strongest(audits: list[Audit], subject: str = SUBJECT) -> Verdict:
    """The verdict of a file: that of the app in it that says most."""
    found = {verdict(audit, subject) for audit in audits}
    return next(item for item in (Verdict.PRESENT, Verdict.UNKNOWN, Verdict.NOT_FOUND) if item in found)


def codes(audit: Audit) -> set[ProblemCode]:
    return {problem.code for problem in audit.problems}


# Code where nobody looks for it.

HIDDEN_CODE = {
    "a resource": apk(Member(b"res/raw/a.bin", SDK)),
    "an asset without extension": apk(Member(b"assets/a", SDK, method=0)),
    "the library folder": apk(Member(b"lib/arm64-v8a/liba.so", SDK)),
    "a jar": apk(Member(b"assets/a.jar", archive(**{"classes.dex": SDK}))),
    "a picture that is a jar": apk(Member(b"res/drawable/a.png", archive(a=SDK))),
    "an archive inside a jar": apk(Member(b"assets/a.jar", archive(**{"b.zip": archive(c=SDK)}))),
    "a gzip file": apk(Member(b"assets/a.gz", gzip.compress(SDK))),
    "an xz file": apk(Member(b"assets/secondary.dex.jar.xzs", lzma.compress(archive(**{"classes.dex": SDK})))),
    "a DEX file with junk behind it": apk(Member(b"assets/a", SDK + b"\x01" * 64)),
    "a second DEX file": apk(Member(b"classes2.dex", SDK)),
    "a second DEX file without a first": apk(Member(b"classes2.dex", SDK), code=None),
    "a DEX file behind a gap": apk(Member(b"classes9.dex", SDK)),
    "a DEX file in front of the archive": build_zip(Member(b"AndroidManifest.xml", MANIFEST), prefix=SDK),
    "an entry marked as a link": apk(Member(b"assets/a", SDK, attributes=0o120777 << 16)),
    "an entry marked as a folder": apk(Member(b"assets/a/", SDK)),
    "a folder and a file of one name": apk(Member(b"assets/a/"), Member(b"assets/a", SDK)),
    "the second entry of a name": apk(Member(b"classes.dex", SDK)),
    "the first entry of a name": apk(Member(b"classes.dex", PLAIN), code=SDK),
    "an entry that claims to be encrypted": apk(Member(b"assets/a", SDK, flags=1)),
    "an entry of an unknown method": apk(Member(b"assets/a", SDK, method=0x7777)),
    "a stored entry of method 99": apk(Member(b"assets/a", SDK, method=99)),
    "an entry with sizes in a data descriptor": apk(
        Member(b"assets/a", SDK, flags=8, local={"crc": 0, "packed_size": 0, "size": 0, "flags": 8})
    ),
    "an entry below the current folder": apk(Member(b"./assets/a", SDK)),
    "an absolute entry": apk(Member(b"/assets/a", SDK)),
    "an entry with backslashes": apk(Member(b"assets\\a", SDK)),
    "an entry above the archive": apk(Member(b"../a", SDK)),
    "an entry with a line break": apk(Member(b"assets/a\nb", SDK)),
    "an app beside a library's archive": apk(Member(b"classes.jar"), Member(b"lib/x86/a.so", SDK), code=None),
    "an archive that looks like a tar archive": apk(Member(b"a", b"ustar" * 200, method=0), code=SDK),
    "an app in the assets": apk(Member(b"assets/a.apk", apk(code=SDK))),
    "an expansion file": archive(
        **{
            "manifest.json": b"{}",
            "com.example.app.apk": apk(),
            "Android/obb/com.example.app/main.1.com.example.app.obb": archive(**{"code/a": SDK}),
        }
    ),
    "a split": archive(
        **{
            "toc.pb": b"",
            "splits/base-master.apk": apk(),
            "splits/one.apk": apk(code=SDK, declared=android_manifest(split_="one")),
        }
    ),
    "a split with a damaged manifest": archive(
        **{"toc.pb": b"", "base.apk": apk(), "one.apk": archive(**{"AndroidManifest.xml": b"?", "classes.dex": SDK})}
    ),
    "a split of another package": archive(
        **{"toc.pb": b"", "base.apk": apk(), "one.apk": apk(code=SDK, declared=android_manifest("com.x", split_="one"))}
    ),
    "a bundle whose base comes last": archive(
        **{"info.json": b"{}", "a.apk": apk(code=None, declared=android_manifest(split_="a")), "z.apk": apk(code=SDK)}
    ),
    "a module of an app bundle": archive(
        **{"BundleConfig.pb": b"", "base__manifest__AndroidManifest.xml": b"", "extra__dex__classes.dex": SDK}
    ),
    "an archive of folders of apps": archive(**{"a__b__c.apk": apk(code=SDK), "a__d.apk": apk()}),
}


@pytest.mark.parametrize("place", HIDDEN_CODE)
def test_code_is_found_in(place: str, tmp_path: Path) -> None:
    found, _, code = scan(tmp_path, HIDDEN_CODE[place])
    assert strongest(found) is Verdict.PRESENT
    assert code == 1


UNREADABLE = {
    "a DEX file of a version to come": apk(code=b"dex\n099\0" + SDK[8:]),
    "a DEX file with a damaged magic": apk(code=b"dex\nABC\0" + SDK[8:]),
    "a DEX file with junk before it": apk(code=b"\0\0\0\0" + SDK),
    "a compact DEX file": apk(Member(b"assets/a", b"cdex001\0" + SDK[8:])),
    "a DEX file that was cut": apk(code=SDK[: len(SDK) // 2]),
    "an empty DEX file": apk(code=b""),
    "no DEX file at all": apk(code=None),
    "a member that does not unpack": apk(Member(b"assets/a", SDK, packed=b"\xff\xff\xff\xff")),
    "an encrypted member": apk(Member(b"assets/a", SDK, flags=1, packed=b"\xff" * 40)),
    "a member that claims to be empty": apk(Member(b"assets/a", SDK, central={"size": 0})),
    "a classes.dex that claims to be empty": apk(Member(b"classes2.dex", SDK, central={"size": 0})),
    "a member that points outside": apk(Member(b"assets/a", SDK, central={"offset": 1 << 30})),
    "a member of method 99": apk(Member(b"assets/a", SDK, method=99, packed=b"\1" * 30)),
    "an archive in the assets that was cut": apk(Member(b"assets/a", archive(a=SDK)[:-30])),
    "an encrypted archive in the assets": apk(
        Member(b"assets/a", build_zip(Member(b"x", SDK, flags=1, packed=b"\xff" * 40)))
    ),
    "a gzip file of code that was cut": apk(Member(b"assets/a.gz", gzip.compress(SDK * 20)[:-20])),
    "a directory that lists less than it announces": build_zip(
        Member(b"AndroidManifest.xml", MANIFEST), Member(b"classes.dex", PLAIN), count=9
    ),
    "a base whose splits are missing": apk(declared=android_manifest(isSplitRequired=True)),
    "a split without a manifest": archive(
        **{"toc.pb": b"", "base.apk": apk(), "one.apk": archive(**{"classes.dex": SDK})}
    ),
    "a split alone": apk(declared=android_manifest(split_="one")),
    "a manifest that names no package": apk(declared=android_manifest("")),
    "a manifest that is none": apk(declared=b"?"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_what_cannot_be_read_is_unknown(case: str, tmp_path: Path) -> None:
    found, problems, code = scan(tmp_path, UNREADABLE[case])
    assert not found or strongest(found) is Verdict.UNKNOWN
    assert all(answer.hidden_by for item in found for answer in item.answers if answer.verdict is Verdict.UNKNOWN)
    assert found or problems
    assert code == 3


READABLE = {
    "an empty library that only marks the ABI": apk(Member(b"lib/armeabi/libmarker.so")),
    "compressed data": apk(Member(b"assets/words.gz", gzip.compress(b"words " * 500))),
    "cut compressed data": apk(Member(b"assets/words.gz", gzip.compress(bytes(range(256)) * 20)[:-20])),
    "an empty folder": apk(Member(b"assets/a/")),
    "an archive of pictures": apk(Member(b"assets/a.zip", archive(**{"a.png": b"\x89PNG" + bytes(50)}))),
    "an empty archive": apk(Member(b"assets/a.zip", build_zip())),
    "a library with the names as text": apk(
        Member(b"lib/arm64-v8a/liba.so", build_elf("liba.so", rodata=b"com.tencent.mm.opensdk.openapi.WXAPIFactory\0"))
    ),
    "a text file with the names": apk(Member(b"assets/a.txt", b"com.tencent.mm.opensdk.openapi.WXAPIFactory")),
    "an app that only calls": apk(code=build_dex(["La/A;"], references=["Lcom/tencent/mm/opensdk/openapi/IWXAPI;"])),
    "an app without code that says so": apk(
        code=None, declared=axml(manifest(el("application", hasCode=False), package="com.example.theme"))
    ),
    "sources of the SDK": apk(Member(b"assets/com/tencent/mm/opensdk/openapi/WXAPIFactory.java", b"class A {}")),
    "an archive with junk before it": build_zip(
        Member(b"AndroidManifest.xml", MANIFEST), Member(b"classes.dex", PLAIN), prefix=b"#!/bin/sh\n"
    ),
}


@pytest.mark.parametrize("case", READABLE)
def test_what_can_be_read_is_decided(case: str, tmp_path: Path) -> None:
    found, problems, code = scan(tmp_path, READABLE[case])
    assert [verdict(item) for item in found] == [Verdict.NOT_FOUND]
    assert all(answer.verdict is Verdict.NOT_FOUND for item in found for answer in item.answers)
    assert (problems, code) == ((), 0)


# iOS.

INFO = (
    b'<?xml version="1.0"?><plist version="1.0"><dict><key>CFBundleIdentifier</key>%s'
    b"<key>CFBundleExecutable</key><string>%s</string></dict></plist>"
)
PLAIN_IMAGE = Image(classes=["Main"]).build()
SDK_IMAGE = Image(classes=["WXApi", "SendMessageToWXReq"]).build()


def info(bundle_id: bytes = b"<string>com.example.app</string>", executable: bytes = b"A") -> bytes:
    return INFO % (bundle_id, executable)


def ipa(root: str = "Payload/A.app", code: bytes = PLAIN_IMAGE, plist: bytes | None = None, **more: bytes) -> bytes:
    """A bundle with its executable A; further members lie in the bundle, from the archive's root with a leading /."""
    members = {f"{root}/Info.plist": info() if plist is None else plist, f"{root}/A": code}
    for name, content in more.items():
        members[name[1:] if name.startswith("/") else f"{root}/{name}"] = content
    return archive(**{name: content for name, content in members.items() if content != b"-"})


HIDDEN_IOS_CODE = {
    "the executable": ipa(code=SDK_IMAGE),
    "a framework": ipa(**{"Frameworks/W.framework/W": SDK_IMAGE}),
    "a framework whose executable has another name": ipa(**{"Frameworks/W.framework/other": SDK_IMAGE}),
    "an empty framework of the SDK's name, inside another": ipa(
        **{"Frameworks/A.framework/Frameworks/WechatOpenSDK.framework/WechatOpenSDK": PLAIN_IMAGE}
    ),
    "a dylib without extension": ipa(**{"Frameworks/w": SDK_IMAGE}),
    "an extension": ipa(**{"PlugIns/B.appex/B": SDK_IMAGE, "PlugIns/B.appex/Info.plist": info(executable=b"B")}),
    "a watch app": ipa(**{"Watch/W.app/W": SDK_IMAGE, "Watch/W.app/Info.plist": info(executable=b"W")}),
    "a picture": ipa(**{"a.png": SDK_IMAGE}),
    "a static library among the resources": ipa(**{"libw.a": SDK_IMAGE}),
    "one slice of two": ipa(code=fat([((0x0100000C, 0), PLAIN_IMAGE), ((12, 9), SDK_IMAGE)])),
    "an archive among the resources": ipa(**{"a.zip": archive(**{"W.framework/W": SDK_IMAGE})}),
    "a bundle beside a small one without description": ipa(
        code=SDK_IMAGE, plist=b"-", **{"Watch/W.app/W": PLAIN_IMAGE, "Watch/W.app/Info.plist": info(executable=b"W")}
    ),
    "a lower-case payload": ipa("payload/A.app", SDK_IMAGE),
    "a bundle in a folder in an archive": ipa("Backup/2026/A.app", SDK_IMAGE),
    "an IPA in an archive": archive(**{"ipas/a.ipa": ipa(code=SDK_IMAGE)}),
    "the second of two bundles": ipa(**{"/Payload/B.app/Info.plist": info(), "/Payload/B.app/A": SDK_IMAGE}),
    "a bundle with a decoy manifest of Android": ipa(
        code=SDK_IMAGE, **{"/AndroidManifest.xml": MANIFEST, "/classes.dex": PLAIN}
    ),
    "a bundle of a folder below the current one": ipa("./Payload/A.app", SDK_IMAGE),
}


@pytest.mark.parametrize("place", HIDDEN_IOS_CODE)
def test_ios_code_is_found_in(place: str, tmp_path: Path) -> None:
    found, _, code = scan(tmp_path, HIDDEN_IOS_CODE[place], "case.ipa")
    assert strongest(found) is Verdict.PRESENT
    assert code == 1


UNREADABLE_IOS = {
    "an encrypted executable": ipa(code=encrypt(Image(classes=["Main"], cryptid=1).build())),
    "one encrypted slice of two": ipa(
        code=fat([((0x0100000C, 0), PLAIN_IMAGE), ((12, 9), encrypt(Image(classes=["Main"], cryptid=1).build()))])
    ),
    "no executable": ipa(code=b"-"),
    "an executable named by a path": ipa(plist=info(executable=b"../A")),
    "an id that is no text": ipa(plist=info(b"<array><string>com.tencent.xin</string></array>")),
    "no id": ipa(plist=info(b"<string></string>")),
    "no description": ipa(plist=b"-"),
    "a broken description": ipa(plist=b"bplist00broken"),
    "a bundle without members": archive(Payload__=b""),
}


@pytest.mark.parametrize("case", UNREADABLE_IOS)
def test_what_cannot_be_read_of_ios_is_unknown(case: str, tmp_path: Path) -> None:
    found, problems, code = scan(tmp_path, UNREADABLE_IOS[case], "case.ipa")
    assert not found or any(answer.verdict is Verdict.UNKNOWN for answer in found[0].answers)
    assert found or problems
    assert code == 3
    assert not any(is_finding(match) for item in found for answer in item.answers for match in answer.matches)


READABLE_IOS = {
    "an executable that was decrypted": ipa(code=Image(classes=["Main"], cryptid=0).build()),
    "a class that is only called": ipa(code=Image(classes=["Main"], symbols=[("_OBJC_CLASS_$_WXApi", 1)]).build()),
    "a text with the names": ipa(**{"a.txt": b"WXApi SendMessageToWXReq"}),
    "the resources of a framework": ipa(**{"Frameworks/WechatOpenSDK.framework/a.png": b"\x89PNG"}),
    "an archive of pictures": ipa(**{"a.zip": archive(**{"a.png": b"\x89PNG"})}),
    "a Java class": ipa(**{"A.class": b"\xca\xfe\xba\xbe\0\0\0\x34" + bytes(40)}),
}


@pytest.mark.parametrize("case", READABLE_IOS)
def test_what_can_be_read_of_ios_is_decided(case: str, tmp_path: Path) -> None:
    found, problems, code = scan(tmp_path, READABLE_IOS[case], "case.ipa")
    assert len(found) == 1
    assert all(answer.verdict is Verdict.NOT_FOUND for answer in found[0].answers)
    assert (problems, code) == ((), 0)


# Identity.


def test_code_is_not_excused_by_the_borrowed_id_of_another_app_of_the_vendor(tmp_path: Path) -> None:
    code = build_dex([f"Lcom/lenovo/anyshare/{name};" for name in "ABC"])
    found, _, exit_code = scan(tmp_path, apk(code=code, declared=android_manifest("com.ushareit.watchit")))
    assert (verdict(found[0], "shareit"), exit_code) == (Verdict.PRESENT, 1)


def test_the_payload_beside_apps_hides_none_of_them(tmp_path: Path) -> None:
    found, _, _ = scan(tmp_path, ipa("A.app", **{"/b.apk": apk(code=SDK)}), "case.zip")
    assert [(item.app.platform.value, verdict(item).value) for item in found] == [
        ("ios", "not found"),
        ("android", "present"),
    ]


def test_an_app_named_file_that_holds_none_is_answered_for(tmp_path: Path) -> None:
    found, problems, exit_code = scan(tmp_path, archive(a=b"text"))
    assert (found, [item.code for item in problems], exit_code) == ([], [ProblemCode.UNSUPPORTED], 3)


# Bounds.

BOUNDS = {
    "member_size": replace(DEFAULT, member_size=100),
    "dex_files": replace(DEFAULT, dex_files=1),
    "dex_classes": replace(DEFAULT, dex_classes=0),
    "container_depth": replace(DEFAULT, container_depth=0),
    "zip_entries": replace(DEFAULT, zip_entries=1),
    "unpacked_total": replace(DEFAULT, unpacked_total=200),
    "nested_apps": replace(DEFAULT, nested_apps=0),
    "manifest_size": replace(DEFAULT, manifest_size=10),
}


@pytest.mark.parametrize("bound", BOUNDS)
def test_a_reached_bound_is_unknown_and_says_which(bound: str, tmp_path: Path) -> None:
    data = apk(
        Member(b"classes2.dex", PLAIN), Member(b"assets/a.apk", apk()), Member(b"assets/a.jar", archive(a=PLAIN))
    )
    found, _, code = scan(tmp_path, data, limits=BOUNDS[bound])
    assert (verdict(found[0]), code) == (Verdict.UNKNOWN, 3)
    assert {ProblemCode.LIMIT, ProblemCode.ARCHIVE_DAMAGED} & codes(found[0])


def test_each_app_of_an_archive_has_the_bound_of_an_app_to_itself(tmp_path: Path) -> None:
    """A full-file-system archive holds more than one app may unpack, and says nothing against any of them."""
    limits = replace(DEFAULT, unpacked_total=40_000)
    apps = {f"data__app__com.a{at}-1__base.apk": apk(Member(b"classes2.dex", PLAIN)) for at in range(60)}
    found, problems, code = scan(tmp_path, archive(**apps), "phone.zip", limits)
    assert len(found) == 60
    assert {verdict(item) for item in found} == {Verdict.NOT_FOUND}
    assert (problems, code) == ((), 0)


HEAVY = PLAIN + bytes(3_000_000)
BOMBS = {
    "a member that unpacks to a thousand times its size": apk(Member(b"classes2.dex", HEAVY)),
    "a hundred links to one member": build_zip(
        *(Member(b"AndroidManifest.xml", MANIFEST), Member(b"classes.dex", PLAIN + bytes(500_000))),
        *(Member(b"classes%d.dex" % at, PLAIN + bytes(500_000)) for at in range(2, 30)),
    ),
    "an app in a gzip file in a gzip file": gzip.compress(gzip.compress(apk(Member(b"classes2.dex", HEAVY)))),
    "a tar archive of zeros in a gzip file": gzip.compress(tar_of({"a": bytes(9_000_000), "b.apk": apk()})),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_unknown_and_stays_within_the_bound(
    bomb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = replace(DEFAULT, unpacked_total=1000)
    spent: list[int] = []
    spend = Budget.spend

    def counting(self: Budget, size: int) -> None:
        if self.outer is None:
            spent.append(size)
        spend(self, size)

    monkeypatch.setattr(Budget, "spend", counting)
    data = BOMBS[bomb]
    found, problems, code = scan(tmp_path, data, "case.img", limits)
    assert code == 3
    assert not found or strongest(found) is Verdict.UNKNOWN
    assert any(item.code is ProblemCode.LIMIT for item in problems) or any(ProblemCode.LIMIT in codes(a) for a in found)
    # What is given out before the bound is noticed is one piece at most.
    assert sum(spent) <= 1000 + 32 * len(data) + (4 << 20)


HIDDEN_APPS = {
    "an image without a name that tells": ext4_of({"a/b": apk(code=SDK)}),
    "an image in a tar archive in a gzip file": gzip.compress(tar_of({"x.bin": ext4_of({"y": apk(code=SDK)})})),
    "a partition among damaged ones": gpt_of({"system": b"\xff" * 3000, "other": ext4_of({"a.apk": apk(code=SDK)})}),
    "an app in an app in an image": ext4_of({"a.apk": apk(Member(b"assets/b", apk(code=SDK)))}),
    "a tar archive whose name promises an app": tar_of({"a.apk": apk(code=SDK)}),
    "an archive inside a sparse image": sparse_of(ext4_of({"a.zip": archive(**{"b.apk": apk(code=SDK)})})),
    "a member above the root of a tar archive": tar_of({"../../a.apk": apk(code=SDK)}),
}


@pytest.mark.parametrize("place", HIDDEN_APPS)
def test_an_app_is_found_in(place: str, tmp_path: Path) -> None:
    found, _, code = scan(tmp_path, HIDDEN_APPS[place])
    assert strongest(found) is Verdict.PRESENT
    assert code == 1


def test_apps_inside_apps_end_at_the_depth_of_containers(tmp_path: Path) -> None:
    data = apk()
    for _ in range(DEFAULT.container_depth + 3):
        data = apk(Member(b"assets/a.apk", data))
    found, problems, code = scan(tmp_path, data)
    assert len(found) == DEFAULT.container_depth + 1
    assert ([item.code for item in problems], code) == ([ProblemCode.LIMIT], 3)
