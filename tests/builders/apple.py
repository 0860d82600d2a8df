"""Compiles and links small Objective-C programs for iOS with LLVM alone: own header and library stubs, no Apple SDK."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

TOOLS = ("clang-14", "ld64.lld-14", "llvm-ar-14", "llvm-lipo-14", "llvm-strip-14")
MISSING = [tool for tool in TOOLS if shutil.which(tool) is None]
NEWER_LINKERS = ("ld64.lld-19", "ld64.lld-16")
"""Linkers that write chained fixups, as every app for iOS 15 and later has them; the first that is there is taken."""
NEWER_LINKER = next((tool for tool in NEWER_LINKERS if shutil.which(tool) is not None), "")

HEADER = """
__attribute__((objc_root_class)) @interface NSObject { id isa; } + (id)alloc; - (id)init; @end
@interface UIResponder : NSObject @end
@interface NSURL : NSObject @end
@interface NSString : NSObject @end
@interface NSConstantString : NSString { const char *text; unsigned long length; } @end
void NSLog(NSString *format, ...);
"""

PROGRAM = """
#include "apple.h"
@protocol WXApiDelegate - (void)onReq:(id)request; @end
@interface WXApi : NSObject <WXApiDelegate> @end
@implementation WXApi
+ (int)registerApp:(const char *)app { return app[0]; }
- (void)onReq:(id)request { NSLog((NSString *)@"%s", "weixin://app/registered"); }
@end
@interface PayReq : UIResponder @end
@implementation PayReq @end
__attribute__((visibility("hidden"))) @interface Inner : NSObject @end
@implementation Inner @end
@interface NSURL (Own) - (int)own; @end
@implementation NSURL (Own) - (int)own { return 1; } @end
const char *exported_text = "alipays://platformapi/startapp";
int main(void) { id one = [[WXApi alloc] init]; return one == [[NSURL alloc] init]; }
"""

USER = """
#include "apple.h"
@interface WXApi : NSObject + (int)registerApp:(const char *)app; @end
@interface Own : NSObject @end
@implementation Own
- (int)pay { return [WXApi registerApp:"wx0123456789abcdef"]; }
@end
int main(void) { return 0; }
"""

SWIFT = """
    .section __TEXT,__constg_swiftt
    .p2align 2
module:
    .long 0
    .long 0
    .long module_name - .
type:
    .long 0x51
    .long module - .
    .long type_name - .
inner:
    .long 0x50
    .long type_slot - . + 1
    .long inner_name - .
proto:
    .long 0x43
    .long module - .
    .long proto_name - .
    .section __TEXT,__const
module_name: .asciz "Shop"
type_name:   .asciz "Cart"
inner_name:  .asciz "Line"
proto_name:  .asciz "Payable"
    .section __DATA,__const
    .p2align 3
type_slot:   .quad type
inner_slot:  .quad inner
    .section __TEXT,__swift5_types
    .p2align 2
    .long type - .
    .long inner_slot - . + 1
    .section __TEXT,__swift5_protos
    .p2align 2
    .long proto - .
    .globl _keep
    .text
_keep: ret
"""
"""Swift metadata as the ABI lays it out: a structure, a class inside it named through pointers, a protocol."""

_TARGETS = "[armv7-ios, arm64-ios, arm64-ios-simulator, x86_64-ios-simulator]"
_STUBS = {
    "usr/lib/libSystem.tbd": ("/usr/lib/libSystem.B.dylib", "[dyld_stub_binder, _memcpy]", ""),
    "usr/lib/libobjc.tbd": (
        "/usr/lib/libobjc.A.dylib",
        "[_objc_msgSend, __objc_empty_cache, _objc_alloc, _objc_alloc_init, _objc_opt_class]",
        "[NSObject]",
    ),
    "System/Library/Frameworks/Foundation.framework/Foundation.tbd": (
        "/System/Library/Frameworks/Foundation.framework/Foundation",
        "[_NSLog, ___CFConstantStringClassReference]",
        "[NSString, NSURL]",
    ),
    "System/Library/Frameworks/UIKit.framework/UIKit.tbd": (
        "/System/Library/Frameworks/UIKit.framework/UIKit",
        "[_UIApplicationMain]",
        "[UIResponder]",
    ),
}


def run(folder: Path, *command: str) -> None:
    """Run one tool in a folder; its messages show where it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def prepare(folder: Path) -> None:
    """Write the header and the library stubs."""
    (folder / "apple.h").write_text(HEADER)
    for name, (install_name, symbols, classes) in _STUBS.items():
        path = folder / "sdk" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        exports = f"  - targets: {_TARGETS}\n    symbols: {symbols}\n"
        if classes:
            exports += f"    objc-classes: {classes}\n"
        path.write_text(
            f"--- !tapi-tbd\ntbd-version: 4\ntargets: {_TARGETS}\n"
            f"install-name: '{install_name}'\nexports:\n{exports}...\n"
        )


def compile_object(folder: Path, name: str, source: str, target: str = "arm64-apple-ios13.0") -> Path:
    """Compile one source text to NAME.o."""
    (folder / f"{name}.m").write_text(source)
    flags = ("-fobjc-runtime=ios-12.0", "-fno-objc-arc", "-Os", "-Wno-objc-root-class", "-w")
    run(folder, "clang-14", "-target", target, *flags, "-c", f"{name}.m", "-o", f"{name}.o")
    return folder / f"{name}.o"


def assemble(folder: Path, name: str, source: str, target: str = "arm64-apple-ios13.0") -> Path:
    """Assemble one source text to NAME.o."""
    (folder / f"{name}.s").write_text(source)
    run(folder, "clang-14", "-target", target, "-c", f"{name}.s", "-o", f"{name}.o")
    return folder / f"{name}.o"


def without_symbols(data: bytes) -> bytes:
    """A thin 64-bit image that names no symbol and no export any more; everything else stays where it was."""
    out = bytearray(data)
    position, (count,) = 32, struct.unpack_from("<I", out, 16)
    for _ in range(count):
        command, size = struct.unpack_from("<II", out, position)
        if command in (0x02, 0x80000033):
            struct.pack_into("<I", out, position + 12, 0)
        elif command == 0x80000022:
            struct.pack_into("<I", out, position + 44, 0)
        position += size
    return bytes(out)


def link(
    folder: Path,
    output: str,
    *arguments: str,
    arch: str = "arm64",
    platform: str = "ios",
    linker: str = TOOLS[1],
    min_os: str = "13.0",
) -> Path:
    """Link with the stubs; the arguments name the objects and further options."""
    libraries = ("-lSystem", "-lobjc", "-framework", "Foundation", "-framework", "UIKit")
    versions = ("-platform_version", platform, min_os, "17.0")
    run(folder, linker, "-arch", arch, "-syslibroot", "sdk", *versions, *libraries, *arguments, "-o", output)
    return folder / output
