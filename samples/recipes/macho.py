"""Mach-O files from own Objective-C: compiled by clang, linked by lld against handwritten stubs of the system."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from recipes.toolchain import SOURCES, cached, run

MAIN = 'int main(int count, char **values) { return UIApplicationMain(count, values, 0, @"AppDelegate"); }\n'
RUNTIME = (
    "objc_msgSend objc_msgSendSuper2 _objc_empty_cache objc_alloc objc_alloc_init objc_retain objc_release"
    " objc_autoreleaseReturnValue objc_retainAutoreleasedReturnValue objc_opt_class"
)
STUBS: tuple[tuple[str, str, str, str], ...] = (
    ("usr/lib/libSystem.tbd", "/usr/lib/libSystem.B.dylib", "dyld_stub_binder _printf", ""),
    ("usr/lib/libobjc.tbd", "/usr/lib/libobjc.A.dylib", " ".join(f"_{name}" for name in RUNTIME.split()), "NSObject"),
    ("Foundation", "Foundation", "_NSLog", "NSString NSURL"),
    ("UIKit", "UIKit", "_UIApplicationMain", "UIResponder UIApplication UIViewController"),
    ("CoreFoundation", "CoreFoundation", "___CFConstantStringClassReference", "NSDictionary"),
)
"""Path or framework name, install name, symbols, Objective-C classes."""
TARGETS = {
    "arm64": ("arm64-apple-ios13.0", "ios"),
    "x86_64": ("x86_64-apple-ios13.0-simulator", "ios-simulator"),
}
LC_SEGMENT_64, LC_ENCRYPTION_INFO_64, LC_CODE_SIGNATURE = 0x19, 0x2C, 0x1D


@dataclass(frozen=True)
class Code:
    """What one executable or dynamic library carries."""

    classes: tuple[str, ...] = ()
    """Objective-C classes defined, with one method each."""
    imported: tuple[str, ...] = ()
    """Objective-C classes used and not defined."""
    strings: tuple[str, ...] = ()
    """C strings."""
    libraries: tuple[str, ...] = ()
    """Names of own embedded frameworks it loads."""
    install_name: str = ""
    """Makes it a dynamic library."""
    export_only: str = ""
    """The one symbol exported, as release builds with an export list have it."""
    strip: tuple[str, ...] = ()
    arch: str = "arm64"
    assembly: str = ""
    """Name of a file of src/ios/ that is linked in, too."""
    chained: bool = False
    """Link as new toolchains do: chained fixups in place of rebase and bind opcodes."""


def _write_stubs(root: Path) -> None:
    targets = "[ arm64-ios, x86_64-ios-simulator, arm64-ios-simulator ]"
    for place, install, symbols, classes in STUBS:
        framework = "/" not in place
        path = root / (f"System/Library/Frameworks/{place}.framework/{place}.tbd" if framework else place)
        name = f"/System/Library/Frameworks/{install}.framework/{install}" if framework else install
        lines = ["--- !tapi-tbd", "tbd-version: 4", f"targets: {targets}", f"install-name: '{name}'", "exports:"]
        lines += [f"  - targets: {targets}", f"    symbols: [ {', '.join(symbols.split())} ]"]
        lines += [f"    objc-classes: [ {', '.join(classes.split())} ]"] if classes else []
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join([*lines, "...", ""]))


def objc_source(code: Code) -> str:
    """Write the Objective-C text of one file."""
    lines = ['#import "Foundation.h"']
    if not code.install_name:
        lines += ["@interface AppDelegate : UIResponder", "@end", "@implementation AppDelegate", "@end"]
    for name in code.classes:
        lines += [f"@interface {name} : NSObject", "+ (NSUInteger)ping;", "@end"]
        lines += [f"@implementation {name}", "+ (NSUInteger)ping { return 1; }", "@end"]
    for name in code.imported:
        lines += [f"@interface {name} : NSObject", "@end"]
    uses = "".join(f"[{name} alloc]; " for name in code.imported)
    texts = ", ".join(f'"{text}"' for text in code.strings) or '""'
    lines += [f'const char *const sample_texts[] __attribute__((visibility("hidden"), used)) = {{ {texts} }};']
    lines += [f'__attribute__((visibility("hidden"), used)) void sample_uses(void) {{ {uses} }}']
    return "\n".join(lines) + "\n" + ("" if code.install_name else MAIN)


def macho(code: Code) -> bytes:
    """Compile and link one thin Mach-O file."""
    source = objc_source(code)
    header = (SOURCES / "ios/Foundation.h").read_text()
    target, platform = TARGETS[code.arch]
    assembly = (SOURCES / "ios" / code.assembly).read_text() if code.assembly else ""
    linker, oldest = ("ld64.lld-19", "14.0") if code.chained else ("ld64.lld-14", "13.0")

    def make(folder: Path) -> bytes:
        _write_stubs(folder / "sdk")
        (folder / "Foundation.h").write_text(header)
        (folder / "main.m").write_text(source)
        flags = ["-fobjc-runtime=ios-12.0", "-fno-objc-arc", "-Os", "-Wno-objc-root-class", "-Wno-unused-value"]
        run("clang-14", "-target", target, *flags, "-c", "main.m", "-o", "main.o", cwd=folder)
        link = [linker, "-arch", code.arch, "-syslibroot", "sdk", "-platform_version", platform, oldest, "17.0"]
        link += [
            "-lSystem",
            "-lobjc",
            "-framework",
            "Foundation",
            "-framework",
            "UIKit",
            "-framework",
            "CoreFoundation",
        ]
        link += ["-adhoc_codesign", "-undefined", "dynamic_lookup"]
        link += ["-dylib", "-install_name", code.install_name] if code.install_name else []
        link += ["-exported_symbol", code.export_only] if code.export_only else []
        link += ["-fixup_chains"] if code.chained else []
        if assembly:
            (folder / "more.s").write_text(assembly)
            run("clang-14", "-target", target, "-c", "more.s", cwd=folder)
            link += ["more.o"]
        for name in code.libraries:
            _write_library(folder, name)
        link += ["-rpath", "@executable_path/Frameworks", "-F", "own"] if code.libraries else []
        link += [word for name in code.libraries for word in ("-framework", name)]
        run(*link, "-o", "out", "main.o", cwd=folder)
        if code.strip:
            run("llvm-strip-14", *code.strip, "out", cwd=folder)
        return (folder / "out").read_bytes()

    return cached(make, code, source, header, assembly)


def _write_library(folder: Path, name: str) -> None:
    targets = "[ arm64-ios, x86_64-ios-simulator ]"
    path = folder / "own" / f"{name}.framework" / f"{name}.tbd"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ["--- !tapi-tbd", "tbd-version: 4", f"targets: {targets}"]
    lines += [f"install-name: '@rpath/{name}.framework/{name}'", "..."]
    path.write_text("\n".join([*lines, ""]))


def fat(*slices: bytes) -> bytes:
    """Join thin files into one fat file."""

    def make(folder: Path) -> bytes:
        names = []
        for number, data in enumerate(slices):
            (folder / str(number)).write_bytes(data)
            names.append(str(number))
        run("llvm-lipo-14", "-create", "-output", "fat", *names, cwd=folder)
        return (folder / "fat").read_bytes()

    return cached(make, slices)


def load_commands(data: bytes) -> list[tuple[int, int, int]]:
    """List (command, offset, size) of a thin 64-bit little-endian file."""
    found, offset = [], 32
    for _ in range(struct.unpack_from("<I", data, 16)[0]):
        command, size = struct.unpack_from("<II", data, offset)
        found.append((command, offset, size))
        offset += size
    return found


def _scramble(data: bytes) -> bytes:
    state, out = 0x2545F491, bytearray()
    for byte in data:
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        out.append(byte ^ (state >> 16 & 0xFF))
    return bytes(out)


def encrypt(data: bytes, *, scramble: Callable[[bytes], bytes] = _scramble) -> bytes:
    """Do to a thin file what FairPlay shows on disk: cryptid 1 and unreadable text pages."""
    for command, offset, _ in load_commands(data):
        if command == LC_ENCRYPTION_INFO_64:
            start, size = struct.unpack_from("<II", data, offset + 8)
            out = bytearray(data)
            struct.pack_into("<I", out, offset + 16, 1)
            out[start : start + size] = scramble(bytes(out[start : start + size]))
            return bytes(out)
    raise RuntimeError("no encryption load command")
