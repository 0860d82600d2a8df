"""The vendors' real native libraries are known whatever their file is called, and whether or not code of theirs is."""

from __future__ import annotations

import io
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from auditor.formats.elf import parse_elf
from auditor.model import FactKind, Grade
from tests.builders.apps import apk, put
from tests.vendor.registry import member_of
from tests.vendor.test_vendor_sdks import CORDOVA_QQ, PINGPP, RN_QQ, only, present

pytestmark = pytest.mark.vendor

QQ_EXPORTS = [
    f"Java_com_tencent_open_web_security_JniInterface_{name}"
    for name in ("BackSpaceChar", "clearAllPWD", "getPWDKeyToMD5", "insetTextToArray")
]
QQ_JARS = [(CORDOVA_QQ, "src/android/open_sdk_r5793.jar"), (RN_QQ, "android/libs/open_sdk_r5756.jar")]
LIBRARIES = ["libwbsafeedit", "libwbsafeedit_64", "libwbsafeedit_x86", "libwbsafeedit_x86_64"]


def library(package: tuple[str, str], jar: str, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(member_of(*package, jar))) as archive:
        return archive.read(name)


@pytest.mark.parametrize(("package", "jar"), QQ_JARS)
@pytest.mark.parametrize("name", LIBRARIES)
def test_the_qq_sdk_carries_libraries_without_their_ending(package: tuple[str, str], jar: str, name: str) -> None:
    elf = parse_elf(library(package, jar, f"assets/{name}"))
    assert elf.soname == "libwbsafeedit.so"
    assert list(elf.exports) == ["JNI_OnLoad", "JNI_OnUnload", *QQ_EXPORTS]
    assert elf.faults == ()


@pytest.mark.parametrize("name", LIBRARIES)
@pytest.mark.parametrize("bare", [False, True], ids=["whole", "without section headers"])
def test_a_renamed_library_shows_the_qq_sdk(name: str, bare: bool, tmp_path: Path) -> None:
    data = library(*QQ_JARS[0], f"assets/{name}")
    if bare:
        copier = shutil.which("llvm-objcopy-14")
        if copier is None:
            pytest.skip("llvm-objcopy-14 is not installed")
        files = put(tmp_path / "objects", {"whole": data})
        subprocess.run([copier, "--strip-sections", str(files / "whole"), str(files / "bare")], check=True)
        data = (files / "bare").read_bytes()
    found = only(put(tmp_path, {"a.apk": apk(files={"assets/data.bin": data})}) / "a.apk")
    assert present(found) == {"tencent-qq"}
    (match,) = [item for answer in found.answers for item in answer.matches if item.subject == "tencent-qq"]
    assert (match.signature, match.grade) == ("qq-connect-android", Grade.EMBEDDED)
    assert {hit.clause for hit in match.hits} == {"library", "exports"}


def test_a_foreign_payment_library_in_the_same_wrapper_is_none_of_ours(tmp_path: Path) -> None:
    name = "jni/arm64-v8a/libentryexpro.so"
    data = library(PINGPP, "android/libs/pingpp-android-upacp-3.4.9.aar", name)
    found = only(put(tmp_path, {"a.apk": apk(files={"lib/arm64-v8a/libx.so": data})}) / "a.apk")
    assert present(found) == set()
    named = {value for item in found.extraction.of(FactKind.NATIVE_CLASS) for value in item.values}
    assert "com.unionpay.uppay.PayActivity" in named
