"""Links the vendors' iOS libraries into a host of ours, in the ways that apps are linked, with the linker's map."""

from __future__ import annotations

import functools
import hashlib
import struct
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.accuracy.ios_truth import LinkMap, parse_link_map, readable_classes
from benchmarks.accuracy.registry import SdkBuild
from tests.vendor.builds import _write_empty_stubs

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
sys.path.insert(0, str(SAMPLES))

from recipes import macho  # noqa: E402
from recipes.macho import MAIN, _write_stubs  # noqa: E402
from recipes.toolchain import SOURCES, run  # noqa: E402

ARM64 = 0x0100000C
FAT_MAGIC = 0xCAFEBABE
AR_MAGIC = b"!<arch>\n"
OWN_CLASS = "PayBridge"


@dataclass(frozen=True, slots=True)
class Style:
    """One way to link and strip."""

    name: str
    flags: tuple[str, ...] = ()
    exported: tuple[str, ...] | None = None
    """The only symbols exported; None: the linker's own choice."""
    strip: tuple[str, ...] = ()
    place: str = "main"
    """Where the SDK's code lies: main, framework, appex or object."""
    linker: str = "ld64.lld-14"


DEAD = ("-dead_strip",)
MODERN = ("-fixup_chains", "-objc_relative_method_lists", "-x", "-S")
HEADER = "__mh_execute_header"
STYLES: tuple[Style, ...] = (
    Style("plain"),
    Style("dead-strip", DEAD),
    Style("stripped", DEAD, strip=("-x",)),
    Style("strip-all", DEAD, strip=("--strip-all",)),
    Style("export-list", DEAD, exported=(HEADER, "_main"), strip=("--strip-all",)),
    Style("hidden", (*DEAD, "-unexported_symbol", "*")),
    Style("framework", DEAD, strip=("-x",), place="framework"),
    Style(
        "framework-closed", DEAD, exported=(f"_OBJC_CLASS_$_{OWN_CLASS}",), strip=("--strip-all",), place="framework"
    ),
    Style("appex", (*DEAD, "-application_extension"), strip=("-x",), place="appex"),
    Style("object", place="object"),
    Style("modern", (*DEAD, *MODERN), linker="ld64.lld-19"),
    Style("modern-closed", (*DEAD, *MODERN, "-no_exported_symbols"), linker="ld64.lld-19"),
)
"""``hidden`` does what -no_exported_symbols does, which lld 14 does not know; its symbol table stays.

``object`` copies the vendors' object files into the bundle, linked into nothing, as apps do that ship a static library
among their resources. lld 14 cannot link objects beforehand (-r); the vendors did so: each Alipay build is one such
object, and so is the largest part of each QQ build. ``modern`` writes what current versions of Xcode write: chained
fixups, an export trie of its own, relative method lists.
"""

CALLS: dict[tuple[str, str], str] = {
    ("alipay", "one-call"): "[[AlipaySDK defaultService] currentVersion];",
    ("alipay", "payment"): '[[AlipaySDK defaultService] payOrder:@"o" fromScheme:@"s" callback:0];'
    " [[AlipaySDK defaultService] processOrderWithPaymentResult:url standbyCallback:0];",
    ("alipay", "everything"): '[[AlipaySDK defaultService] payUrlOrder:@"o" fromScheme:@"s" callback:0];'
    " [[AlipaySDK defaultService] processAuthResult:url standbyCallback:0]; [[[APayAuthInfo alloc] init] description];",
    ("wechat", "one-call"): "[WXApi isWXAppInstalled];",
    ("wechat", "payment"): '[WXApi registerApp:@"wx0123456789abcdef"]; PayReq *req = [[PayReq alloc] init];'
    " [WXApi sendReq:req]; [WXApi handleOpenURL:url delegate:0];",
    ("wechat", "everything"): "[WXApi sendReq:[[SendAuthReq alloc] init]];"
    " [[[SendMessageToWXReq alloc] init] setMessage:[[WXMediaMessage alloc] init]];",
    ("tencent-qq", "one-call"): "[QQApiInterface isQQInstalled];",
    ("tencent-qq", "payment"): '[[TencentOAuth alloc] initWithAppId:@"101234567" andDelegate:0];'
    " [QQApiInterface sendReq:[[SendMessageToQQReq alloc] init]];",
    ("tencent-qq", "everything"): '[QQApiTextObject objectWithText:@"t"]; [TencentOAuth HandleOpenURL:url];'
    " [QQApiInterface handleOpenURL:url delegate:0];",
}
"""What the host's code does with each SDK; ``everything`` is also linked with -ObjC, as the vendors ask for."""

DECLARED = """
@interface NSURL : NSObject
@end
@interface AlipaySDK : NSObject
+ (instancetype)defaultService;
- (NSString *)currentVersion;
- (void)payOrder:(NSString *)order fromScheme:(NSString *)scheme callback:(void *)block;
- (void)payUrlOrder:(NSString *)order fromScheme:(NSString *)scheme callback:(void *)block;
- (void)processOrderWithPaymentResult:(NSURL *)url standbyCallback:(void *)block;
- (void)processAuthResult:(NSURL *)url standbyCallback:(void *)block;
@end
@interface NSObject (Described)
- (NSString *)description;
@end
@interface APayAuthInfo : NSObject
@end
@interface PayReq : NSObject
@end
@interface SendAuthReq : NSObject
@end
@interface WXMediaMessage : NSObject
@end
@interface SendMessageToWXReq : NSObject
- (void)setMessage:(WXMediaMessage *)message;
@end
@interface WXApi : NSObject
+ (BOOL)isWXAppInstalled;
+ (BOOL)registerApp:(NSString *)id;
+ (BOOL)sendReq:(NSObject *)req;
+ (BOOL)handleOpenURL:(NSURL *)url delegate:(NSObject *)delegate;
@end
@interface SendMessageToQQReq : NSObject
@end
@interface QQApiTextObject : NSObject
+ (instancetype)objectWithText:(NSString *)text;
@end
@interface TencentOAuth : NSObject
- (instancetype)initWithAppId:(NSString *)id andDelegate:(NSObject *)delegate;
+ (BOOL)HandleOpenURL:(NSURL *)url;
@end
@interface QQApiInterface : NSObject
+ (BOOL)isQQInstalled;
+ (BOOL)sendReq:(NSObject *)req;
+ (BOOL)handleOpenURL:(NSURL *)url delegate:(NSObject *)delegate;
@end
"""
USES = ("one-call", "payment", "everything")


def source(families: tuple[str, ...], use: str, *, main: bool) -> str:
    """Write the host's Objective-C: one class of its own whose method calls the SDKs, and the start of an app."""
    steps = USES[: USES.index(use) + 1] if use in USES else ()
    calls = "\n".join(f"  {{ {CALLS[family, step]} }}" for family in families for step in steps)
    lines = ['#import "Foundation.h"', DECLARED, f"@interface {OWN_CLASS} : NSObject", "+ (void)use:(NSURL *)url;"]
    lines += ["@end", f"@implementation {OWN_CLASS}", f"+ (void)use:(NSURL *)url {{\n{calls}\n}}", "@end"]
    if main:
        lines += ["@interface AppDelegate : UIResponder", "@end", "@implementation AppDelegate", "@end", MAIN]
    return "\n".join(lines)


def slice_arm64(data: bytes) -> bytes:
    """The device slice of a fat file; a thin file as it is.

    Raises:
        ValueError: no slice is for arm64.
    """
    magic, count = struct.unpack_from(">II", data)
    if magic != FAT_MAGIC:
        return data
    for number in range(count):
        cpu, _, offset, size, _ = struct.unpack_from(">5I", data, 8 + 20 * number)
        if cpu == ARM64:
            return data[offset : offset + size]
    raise ValueError("no arm64 slice")


def find_members(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Name and content of each object file of a BSD archive."""
    position = len(AR_MAGIC)
    while position + 60 <= len(data):
        name = data[position : position + 16].decode().strip()
        size = int(data[position + 48 : position + 58])
        content = data[position + 60 : position + 60 + size]
        if name.startswith("#1/"):
            length = int(name[3:])
            name, content = content[:length].rstrip(b"\0").decode(), content[length:]
        if not name.startswith("__.SYMDEF"):
            yield name.removesuffix("/"), content
        position += 60 + size + size % 2


@functools.cache
def objects_of(build: SdkBuild) -> dict[str, bytes]:
    """The arm64 object files of an SDK, under names that start with its family."""
    data = slice_arm64(build.read())
    if not data.startswith(AR_MAGIC):
        return {f"{build.family}.o": data}
    return {
        f"{build.family}.{number:03}.{name.replace('/', '_')}": content
        for number, (name, content) in enumerate(find_members(data))
    }


@functools.cache
def library_of(build: SdkBuild) -> tuple[str, bytes]:
    """File name and content of what the linker gets: an archive, or the one object file."""
    objects = objects_of(build)
    if len(objects) == 1:
        return next(iter(objects.items()))
    archive = f"lib{build.family}.a"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for member, data in objects.items():
            (folder / member).write_bytes(data)
        run("llvm-ar-14", "--format=darwin", "rcsD", archive, *objects, cwd=folder)
        return archive, (folder / archive).read_bytes()


@dataclass(frozen=True, slots=True)
class Linked:
    """One linked file."""

    data: bytes
    map: LinkMap
    readable: frozenset[str]
    """Objective-C classes whose names LLVM's tools still read in it."""


def _compile(folder: Path, name: str, text: str) -> None:
    (folder / "Foundation.h").write_text((SOURCES / "ios/Foundation.h").read_text())
    (folder / f"{name}.m").write_text(text)
    flags = ["-fobjc-runtime=ios-12.0", "-fno-objc-arc", "-Os", "-w"]
    run("clang-14", "-target", "arm64-apple-ios13.0", *flags, "-c", f"{name}.m", "-o", f"{name}.o", cwd=folder)


def _link_words(style: Style, folder: Path) -> list[str]:
    words = [style.linker, "-arch", "arm64", "-syslibroot", "sdk", "-platform_version", "ios", "13.0", "17.0"]
    words += ["-lSystem", "-lobjc", "-framework", "Foundation", "-framework", "UIKit", "-framework", "CoreFoundation"]
    words += ["-adhoc_codesign", "-encryptable", "-undefined", "dynamic_lookup", *style.flags]
    if style.exported is not None:
        (folder / "exported").write_text("\n".join(style.exported) + "\n")
        words += ["-exported_symbols_list", "exported"]
    return words


def keystream_xor(data: bytes) -> bytes:
    """Make bytes unreadable, the same way each time."""
    stream = hashlib.shake_256(b"keystream").digest(len(data))
    return (int.from_bytes(data) ^ int.from_bytes(stream)).to_bytes(len(data))


def encrypt(data: bytes) -> bytes:
    """Do to a linked file what FairPlay shows on disk."""
    return macho.encrypt(data, scramble=keystream_xor)


def link(builds: tuple[SdkBuild, ...], style: Style, use: str, *, encrypted: bool = False) -> Linked:
    """Link the SDKs and the code that calls them into an executable, or into a dynamic library.

    Raises:
        RuntimeError: a tool failed.
    """
    dynamic = style.place == "framework"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_stubs(folder / "sdk")
        _write_empty_stubs(folder / "sdk")
        _compile(folder, "host", source(tuple(item.family for item in builds), use, main=not dynamic))
        words = _link_words(style, folder)
        words += ["-dylib", "-install_name", "@rpath/Pay.framework/Pay"] if dynamic else []
        words += ["-ObjC"] if use == "everything" else []
        libraries = dict(map(library_of, builds))
        for library, data in libraries.items():
            (folder / library).write_bytes(data)
        run(*words, "-map", "map", "-o", "out", "host.o", *libraries, cwd=folder)
        if style.strip:
            run("llvm-strip-14", *style.strip, "out", cwd=folder)
        out = folder / "out"
        if encrypted:
            out.write_bytes(encrypt(out.read_bytes()))
        found = parse_link_map((folder / "map").read_text(errors="replace"))
        return Linked(out.read_bytes(), found, readable_classes(out, encrypted=encrypted))


def host_executable(*, framework: str = "", encrypted: bool = False) -> bytes:
    """Link an app without any SDK, stripped; it may load a framework of its own."""
    code = macho.Code(export_only=HEADER, strip=("-x",), libraries=(framework,) if framework else ())
    data = macho.macho(code)
    return encrypt(data) if encrypted else data
