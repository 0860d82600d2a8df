"""Packers show by their marks, and by nothing that an app without one may hold."""

from __future__ import annotations

import pytest

from auditor.catalog import load_catalog
from auditor.match_packers import with_packers
from auditor.model import Example, FactKind, Platform, ProblemCode
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
    (FactKind.NATIVE_LIBRARY, "libddog.so", "Nagain (Naga)"),
]

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
]


def packers(kind: FactKind, value: str) -> list[str]:
    example = Example("one mark", Platform.ANDROID, ((kind, (value,)),), ())
    problems = with_packers(extraction_of(example), CATALOG).problems
    assert {problem.code for problem in problems} <= {ProblemCode.CODE_PACKED}
    return [problem.detail.partition(":")[0] for problem in problems]


@pytest.mark.parametrize(("kind", "value", "name"), MARKS)
def test_a_mark_shows_its_packer(kind: FactKind, value: str, name: str) -> None:
    assert packers(kind, value) == [name]


def test_every_packer_has_a_mark_in_the_table() -> None:
    assert {packer.name for packer in CATALOG.packers} == {name for _, _, name in MARKS}


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
