"""A native library is known by what it says of itself, whatever its file is called and wherever it lies."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from auditor import Audit, Verdict
from auditor.model import FactKind
from tests.builders.apps import aab, apk, archive
from tests.builders.elf import build_elf
from tests.platforms.test_android import codes, one, values, verdict

LIBRARY = build_elf(
    soname="libreal.so",
    defined=["Java_com_example_pay_Native_run"],
    rodata=b"\0com/example/pay/Native\0libreal 3.14.15\0",
    build_id=bytes(range(20)),
)
KNOWN = {
    FactKind.NATIVE_LIBRARY: "libreal.so",
    FactKind.NATIVE_EXPORT: "Java_com_example_pay_Native_run",
    FactKind.NATIVE_CLASS: "com.example.pay.Native",
    FactKind.NATIVE_VERSION: "libreal 3.14.15",
    FactKind.NATIVE_BUILD_ID: bytes(range(20)).hex(),
}

SOURCE = """
typedef struct { const char *name; const char *signature; void *function; } Method;
static int work(void) { return 1; }
__attribute__((used)) static char in_data[] = "com/example/pay/Writable";
__attribute__((visibility("hidden"))) const Method methods[] = {
    {"work", "(Lcom/example/pay/Argument;[Lcom/example/pay/Item;)Lcom/example/pay/Result;", (void *)work}};
static const char *const paths[] = {"com/example/pay/Native", "[Lcom/example/pay/Array;"};
const char *version(void) { return "libreal 3.14.15"; }
int JNI_OnLoad(void *machine, void *reserved) {
    return methods[0].function != 0 && paths[(long)machine & 1][0] && in_data[(long)reserved & 1];
}
#ifdef EXPORTED
int Java_com_example_pay_Native_run(void) { return 2; }
#endif
"""
CLASSES = {f"com.example.pay.{name}" for name in ("Argument", "Array", "Item", "Native", "Result", "Writable")}


class TestPlaces:
    @pytest.mark.parametrize(
        ("path", "content"),
        [
            pytest.param("lib/arm64-v8a/libother.so", LIBRARY, id="another file name"),
            pytest.param("assets/data.bin", LIBRARY, id="assets"),
            pytest.param("res/raw/sound", LIBRARY, id="raw resource"),
            pytest.param("META-INF/x", LIBRARY, id="beside the signature"),
            pytest.param("assets/a.zip", archive({"b/libc.so": LIBRARY}), id="nested archive"),
            pytest.param("assets/a.zip", archive({"b.zip": archive({"c": LIBRARY})}), id="archive in an archive"),
            pytest.param("assets/a.aar", archive({"jni/arm64-v8a/liba.so": LIBRARY}), id="library archive"),
            pytest.param("assets/x", gzip.compress(LIBRARY), id="compressed"),
        ],
    )
    def test_all_it_says_is_seen_wherever_it_lies(self, path: str, content: bytes, tmp_path: Path) -> None:
        audit = one(tmp_path, apk(files={path: content}))
        assert codes(audit) == []
        assert {kind for kind, value in KNOWN.items() if value in values(audit, kind)} == set(KNOWN)

    def test_a_library_of_a_bundle_module_is_seen(self, tmp_path: Path) -> None:
        audit = one(tmp_path, aab({"base/lib/arm64-v8a/x.so": LIBRARY}))
        assert KNOWN[FactKind.NATIVE_CLASS] in values(audit, FactKind.NATIVE_CLASS)

    def test_a_class_string_is_shown_with_the_file_and_the_offset(self, tmp_path: Path) -> None:
        audit = one(tmp_path, apk(files={"lib/arm64-v8a/x.so": LIBRARY}))
        found = next(audit.extraction.of(FactKind.NATIVE_CLASS))
        fact = found.fact("com.example.pay.Native")
        assert fact.origin.path[-1] == "lib/arm64-v8a/x.so"
        assert fact.origin.offset == LIBRARY.index(b"com/example/pay/Native")

    def test_a_damaged_library_leaves_its_classes_open(self, tmp_path: Path) -> None:
        audit = one(tmp_path, apk(files={"lib/arm64-v8a/x.so": b"\x7fELF"}))
        assert FactKind.NATIVE_CLASS in next(iter(audit.problems)).hidden
        assert codes(audit) == ["native-damaged"]


@cache
def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def build(folder: Path, target: str, soname: str = "libreal.so", *flags: str, defines: str = "") -> bytes:
    """A shared library as the Android toolchain makes it, without a C library."""
    source, compiled, linked = folder / "native.c", folder / "native.o", folder / "linked.so"
    source.write_text(SOURCE)
    options = ["-c", "-fPIC", "-O1", *([f"-D{defines}"] if defines else [])]
    commands = [
        [tool("clang-14"), f"--target={target}", *options, "-o", str(compiled), str(source)],
        [tool("ld.lld-14"), "-shared", "--build-id=sha1", *flags, "-o", str(linked), str(compiled)],
    ]
    if soname:
        commands[1][2:2] = ["-soname", soname]
    for command in commands:
        subprocess.run(command, check=True, capture_output=True)
    return linked.read_bytes()


def without_section_headers(folder: Path, data: bytes) -> bytes:
    (folder / "whole.so").write_bytes(data)
    copied = [tool("llvm-objcopy-14"), "--strip-sections", str(folder / "whole.so"), str(folder / "bare.so")]
    subprocess.run(copied, check=True, capture_output=True)
    return (folder / "bare.so").read_bytes()


TARGETS = ["aarch64-linux-android21", "armv7a-linux-androideabi21", "x86_64-linux-android21", "i686-linux-android21"]


@pytest.mark.tools
@pytest.mark.parametrize("target", TARGETS)
class TestRealLibraries:
    def audit(self, folder: Path, library: bytes) -> Audit:
        return one(folder, apk(files={"lib/any/librenamed.so": library}))

    def test_the_soname_tells_the_library_under_another_file_name(self, target: str, tmp_path: Path) -> None:
        audit = self.audit(tmp_path, build(tmp_path, target))
        assert values(audit, FactKind.NATIVE_LIBRARY) == {"librenamed.so", "libreal.so"}

    def test_without_a_soname_exports_classes_and_build_id_remain(self, target: str, tmp_path: Path) -> None:
        audit = self.audit(tmp_path, build(tmp_path, target, "", defines="EXPORTED"))
        assert values(audit, FactKind.NATIVE_LIBRARY) == {"librenamed.so"}
        assert values(audit, FactKind.NATIVE_EXPORT) == {"JNI_OnLoad", "Java_com_example_pay_Native_run"}
        assert values(audit, FactKind.NATIVE_CLASS) == CLASSES
        (build_id,) = values(audit, FactKind.NATIVE_BUILD_ID)
        assert len(build_id) == 40

    def test_hidden_exports_leave_the_strings_of_registration(self, target: str, tmp_path: Path) -> None:
        library = build(tmp_path, target, "", "--exclude-libs=ALL", "--strip-all", "--no-export-dynamic")
        audit = self.audit(tmp_path, library)
        assert "Java_com_example_pay_Native_run" not in values(audit, FactKind.NATIVE_EXPORT)
        assert values(audit, FactKind.NATIVE_CLASS) == CLASSES

    @pytest.mark.parametrize("style", ["sysv", "gnu", "both"])
    def test_without_section_headers_all_is_read_by_segments(self, target: str, style: str, tmp_path: Path) -> None:
        library = build(tmp_path, target, "libreal.so", f"--hash-style={style}", defines="EXPORTED")
        audit = self.audit(tmp_path, without_section_headers(tmp_path, library))
        assert codes(audit) == []
        assert values(audit, FactKind.NATIVE_LIBRARY) == {"librenamed.so", "libreal.so"}
        assert values(audit, FactKind.NATIVE_EXPORT) == {"JNI_OnLoad", "Java_com_example_pay_Native_run"}
        assert values(audit, FactKind.NATIVE_CLASS) == CLASSES
        assert any("3.14.15" in value for value in values(audit, FactKind.NATIVE_VERSION))
        assert len(values(audit, FactKind.NATIVE_BUILD_ID)) == 1


def test_a_library_of_no_designated_app_decides_nothing(tmp_path: Path) -> None:
    audit = one(tmp_path, apk(files={"lib/arm64-v8a/x.so": LIBRARY}))
    assert verdict(audit) is Verdict.NOT_FOUND
