"""Compiles and links small Objective-C programs for iOS with LLVM alone: own header and library stubs, no Apple SDK."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

TOOLS = ("clang-14", "ld64.lld-14", "llvm-ar-14", "llvm-lipo-14", "llvm-strip-14")
MISSING = [tool for tool in TOOLS if shutil.which(tool) is None]

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


def link(folder: Path, output: str, *arguments: str, arch: str = "arm64", platform: str = "ios") -> Path:
    """Link with the stubs; the arguments name the objects and further options."""
    libraries = ("-lSystem", "-lobjc", "-framework", "Foundation", "-framework", "UIKit")
    versions = ("-platform_version", platform, "13.0", "17.0")
    run(folder, "ld64.lld-14", "-arch", arch, "-syslibroot", "sdk", *versions, *libraries, *arguments, "-o", output)
    return folder / output
