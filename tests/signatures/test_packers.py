"""Packers show by their marks, and by nothing that an app without one may hold."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pytest

from auditor import Run, Verdict
from auditor.catalog import load_catalog
from auditor.match_packers import with_packers
from auditor.model import Example, FactKind, Platform, ProblemCode
from tests.builders.apps import apk, dex, put
from tests.builders.elf import build_elf
from tests.builders.examples import extraction_of

CATALOG = load_catalog()

MARKS = [
    (FactKind.DEX_CLASS, "com.tencent.StubShell.TxAppEntry", "Tencent Legu"),
    (FactKind.NATIVE_LIBRARY, "libshella-2.9.1.2.so", "Tencent Legu"),
    (FactKind.NATIVE_LIBRARY, "libshell-super.2019.so", "Tencent Legu"),
    (FactKind.DEX_CLASS, "com.stub.StubApp", "Qihoo 360 Jiagu"),
    (FactKind.DEX_CLASS, "com.qihoo.util.StubApplication", "Qihoo 360 Jiagu"),
    (FactKind.FILE, "assets/libjiagu_a64.so", "Qihoo 360 Jiagu"),
    (FactKind.DEX_CLASS, "com.secneo.apkwrapper.H", "Bangcle (SecNeo)"),
    (FactKind.NATIVE_LIBRARY, "libDexHelper.so", "Bangcle (SecNeo)"),
    (FactKind.DEX_CLASS, "s.h.e.l.l.S", "ijiami"),
    (FactKind.FILE, "assets/ijiami.dat", "ijiami"),
    (FactKind.FILE, "assets/ijm_lib/arm64-v8a/libexec.so", "ijiami"),
    (FactKind.DEX_CLASS, "com.baidu.protect.StubApplication", "Baidu Protect"),
    (FactKind.NATIVE_LIBRARY, "libbaiduprotect.so", "Baidu Protect"),
    (FactKind.DEX_CLASS, "com.ali.mobisecenhance.StubApplication", "Alibaba JAQ"),
    (FactKind.NATIVE_LIBRARY, "libmobisec.so", "Alibaba JAQ"),
    (FactKind.DEX_CLASS, "com.netease.nis.wrapper.Entry", "NetEase Yidun"),
    (FactKind.NATIVE_LIBRARY, "libnesec.so", "NetEase Yidun"),
    (FactKind.NATIVE_LIBRARY, "libddog.so", "Nagain (Naga)"),
    (FactKind.NATIVE_LIBRARY, "libvdog.so", "Nagain (Naga)"),
    (FactKind.FILE, "assets/maindata/fake_classes.dex", "Nagain (Naga)"),
    (FactKind.NATIVE_LIBRARY, "liblegudb.so", "Tencent Legu"),
    (FactKind.FILE, "lib/armeabi/mix.dex", "Tencent Legu"),
    (FactKind.NATIVE_LIBRARY, "libtosprotection.x86.so", "Tencent Yuanquan"),
    (FactKind.FILE, "assets/libtosprotection.armeabi-v7a.so", "Tencent Yuanquan"),
    (FactKind.NATIVE_LIBRARY, "libjgdtc_art.so", "Qihoo 360 Jiagu"),
    (FactKind.NATIVE_LIBRARY, "libSecShell_art.so", "Bangcle (SecNeo)"),
    (FactKind.NATIVE_LIBRARY, "libDexHelper-x64.so", "Bangcle (SecNeo)"),
    (FactKind.NATIVE_LIBRARY, "libexecv3.so", "ijiami"),
    (FactKind.FILE, "assets/ijiami3.ajm", "ijiami"),
    (FactKind.NATIVE_LIBRARY, "libbaiduprotect_art.so", "Baidu Protect"),
    (FactKind.NATIVE_LIBRARY, "libzuma.so", "Alibaba JAQ"),
    (FactKind.NATIVE_LIBRARY, "libNSaferOnly.so", "Payegis"),
    (FactKind.NATIVE_LIBRARY, "libkwscmm.so", "Kiwisec"),
    (FactKind.NATIVE_LIBRARY, "libx3g.so", "Dingxiang"),
    (FactKind.NATIVE_LIBRARY, "libvirbox64.so", "Virbox Protector"),
    (FactKind.NATIVE_LIBRARY, "libmogosec_dex.so", "China Mobile Mogosec"),
    (FactKind.FILE, "assets/mogosec_classes", "China Mobile Mogosec"),
    (FactKind.NATIVE_LIBRARY, "libsecenh.so", "CFCA (Secenh)"),
    (FactKind.NATIVE_LIBRARY, "libuusafe.jar.so", "UUSafe"),
    (FactKind.NATIVE_LIBRARY, "libnqshield.so", "NQ Shield"),
    (FactKind.NATIVE_LIBRARY, "librsprotect.so", "Rising"),
    (FactKind.NATIVE_LIBRARY, "libapssec.so", "Shanda"),
    (FactKind.NATIVE_LIBRARY, "libvenSec.so", "Venustech"),
    (FactKind.NATIVE_LIBRARY, "libitsec.so", "Haiyunan (Secidea)"),
    (FactKind.NATIVE_LIBRARY, "libreincp.so", "Reincp"),
    (FactKind.NATIVE_LIBRARY, "libdSafeShell.so", "Manxi (mxsafe)"),
    (FactKind.FILE, "assets/mxsafe.jar", "Manxi (mxsafe)"),
    (FactKind.NATIVE_LIBRARY, "OPPOProtect2019.so", "OPPO Protect"),
    (FactKind.NATIVE_LIBRARY, "libAPKProtect.so", "APKProtect"),
    (FactKind.FILE, "apkprotect.com/key.dat", "APKProtect"),
    (FactKind.FILE, "assets/dp.arm-v7.so.dat", "DexProtector"),
    (FactKind.DEX_CLASS, "com.guardsquare.dexguard.runtime.detection.Detector", "DexGuard"),
    (FactKind.DEX_CLASS, "dexguard.util.TamperDetection", "DexGuard"),
    (FactKind.NATIVE_LIBRARY, "libAppGuard.so", "AppGuard (nProtect)"),
    (FactKind.FILE, "assets/classes.sox", "AppGuard (nProtect)"),
    (FactKind.NATIVE_LIBRARY, "libdxbase.so", "DxShield"),
    (FactKind.FILE, "assets/DXINFO.XML", "DxShield"),
    (FactKind.FILE, "assets/LIAPPClient.sc", "LIAPP"),
    (FactKind.NATIVE_LIBRARY, "libcovault.so", "AppSealing"),
    (FactKind.DEX_CLASS, "com.seworks.medusah.app", "Medusah (AppSolid)"),
    (FactKind.NATIVE_LIBRARY, "libAppSuit.so", "AppSuit"),
    (FactKind.FILE, "assets/appsuit/momo", "AppSuit"),
    (FactKind.NATIVE_LIBRARY, "libnsecure.so", "PangXie"),
    (FactKind.DEX_CLASS, "com.merry.wapper.WapperApplication", "PangXie"),
    (FactKind.NATIVE_LIBRARY, "libkiroro.so", "Kiro"),
    (FactKind.NATIVE_LIBRARY, "libapktoolplus_jiagu.so", "ApkToolPlus Jiagu"),
    (FactKind.FILE, "assets/ApkPacker/classes.dex", "ApkPacker"),
]

TOGETHER = [
    (FactKind.FILE, ("assets/classes.dex.dat", "assets/dp.mp3"), "DexProtector"),
    (FactKind.FILE, ("assets/com.example.app.arm-v7.so.dat", "assets/com.example.app.x86.so.dat"), "DexProtector"),
    (FactKind.DEX_CLASS, ("web.apache.sax.MainActivity", "web.apache.sax.app"), "Medusah (AppSolid)"),
    (FactKind.FILE, ("assets/app_acf", "assets/vwwwwwvwww/arm64/libdpt.so"), "dpt-shell"),
]
"""Names that show a packer only side by side."""

HARMLESS = [
    (FactKind.DEX_CLASS, "com.tencent.bugly.Bugly"),
    (FactKind.DEX_CLASS, "com.qihoo.utils.ApkUtils"),
    (FactKind.DEX_CLASS, "com.bangcle.safekeyboard.Keyboard"),
    (FactKind.DEX_CLASS, "com.netease.nis.captcha.Captcha"),
    (FactKind.DEX_CLASS, "com.shell.Main"),
    (FactKind.NATIVE_LIBRARY, "libexec.so"),
    (FactKind.NATIVE_LIBRARY, "libshell.so"),
    (FactKind.NATIVE_LIBRARY, "libsgmain.so"),
    (FactKind.FILE, "res/raw/ijiami.dat"),
    (FactKind.DEX_STRING, "com.stub.StubApp"),
    (FactKind.NATIVE_LIBRARY, "libxgVipSecurity.so"),
    (FactKind.NATIVE_LIBRARY, "libsgsecuritybody.so"),
    (FactKind.NATIVE_LIBRARY, "libpairipcore.so"),
    (FactKind.NATIVE_LIBRARY, "libv++.so"),
    (FactKind.NATIVE_LIBRARY, "libtprt.so"),
    (FactKind.NATIVE_LIBRARY, "libjni.so"),
    (FactKind.NATIVE_LIBRARY, "libjgdtc_other.so"),
    (FactKind.NATIVE_LIBRARY, "OPPOProtected.so"),
    (FactKind.DEX_CLASS, "com.guardsquare.proguard.Main"),
    (FactKind.DEX_CLASS, "dexguard.utility.Main"),
    (FactKind.FILE, "assets/appsuit"),
    (FactKind.FILE, "lib/arm64-v8a/mix.dex"),
    *((kind, value) for kind, values, _ in TOGETHER for value in values),
]
"""Near names, marks of libraries that hide no code, and halves of pairs."""


def packers(kind: FactKind, *values: str) -> list[str]:
    example = Example("marks", Platform.ANDROID, ((kind, values),), ())
    problems = with_packers(extraction_of(example), CATALOG).problems
    assert {problem.code for problem in problems} <= {ProblemCode.CODE_PACKED}
    return [problem.detail.partition(":")[0] for problem in problems]


@pytest.mark.parametrize(("kind", "value", "name"), MARKS)
def test_a_mark_shows_its_packer(kind: FactKind, value: str, name: str) -> None:
    assert packers(kind, value) == [name]


@pytest.mark.parametrize(("kind", "values", "name"), TOGETHER)
def test_some_marks_show_their_packer_together(kind: FactKind, values: tuple[str, ...], name: str) -> None:
    assert packers(kind, *values) == [name]


def test_every_packer_has_a_mark_in_the_table() -> None:
    assert {packer.name for packer in CATALOG.packers} == {name for _, _, name in [*MARKS, *TOGETHER]}


def package_of(kind: FactKind, values: Iterable[str]) -> bytes:
    """An app with these marks where a packer leaves them."""
    if kind is FactKind.DEX_CLASS:
        return apk(code=dex("com.example.app.Main", *values))
    if kind is FactKind.NATIVE_LIBRARY:
        return apk(files={f"lib/arm64-v8a/{value}": build_elf() for value in values})
    return apk(files=dict.fromkeys(values, b"ciphertext"))


@pytest.mark.parametrize("name", sorted(packer.name for packer in CATALOG.packers))
def test_a_packed_app_leaves_the_answer_open_and_names_the_packer(name: str, tmp_path: Path) -> None:
    cases: list[tuple[FactKind, tuple[str, ...]]] = [
        *((kind, (value,)) for kind, value, packer in MARKS if packer == name and not value.endswith(".dex")),
        *((kind, values) for kind, values, packer in TOGETHER if packer == name),
    ]
    for number, (kind, values) in enumerate(cases):
        place = put(tmp_path / str(number), {"a.apk": package_of(kind, values)}) / "a.apk"
        (audit,) = Run([place], CATALOG, date(2026, 11, 1))
        assert [problem.code.value for problem in audit.problems] == ["code-packed"]
        assert audit.problems[0].detail.startswith(f"{name}: ")
        assert {answer.verdict for answer in audit.answers if answer.subject == "wechat"} == {Verdict.UNKNOWN}


@pytest.mark.parametrize(("kind", "value"), HARMLESS)
def test_a_name_near_a_mark_shows_none(kind: FactKind, value: str) -> None:
    assert packers(kind, value) == []


def test_no_example_of_a_signature_looks_packed_but_that_of_the_packer() -> None:
    packed = {
        signature.id
        for signature in CATALOG.signatures
        for example in signature.examples
        if with_packers(extraction_of(example), CATALOG).problems
    }
    assert packed == {"tencent-legu-android"}
