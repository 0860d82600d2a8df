"""Images of disks, partitions and updates, all of the same two apps, and images that are named as not read."""

from __future__ import annotations

import bz2
import gzip
import lzma
import struct
from collections.abc import Callable, Iterator
from functools import cache

from recipes import archive, compiled, disk_layouts, image_tools
from recipes.committed import APPS, PLAIN, SHOP, WECHAT, seen_in, system_tree
from recipes.disk_layouts import BLOCK, Operation
from recipes.sample import Sample, Seen, code_hidden

Build = Callable[[], bytes]
PLAIN_EXT = ("-t", "ext2", "-b", "1024", "-N", "32", "-m", "0", "-O", "none,filetype,sparse_super")
ANDROID_EXT = (
    *("-t", "ext4", "-b", "1024", "-N", "32", "-m", "0", "-I", "256", "-O"),
    "none,filetype,extent,sparse_super,ext_attr,dir_index,64bit,metadata_csum,extra_isize,inline_data,large_dir,"
    "casefold,encrypt,verity,project,quota,stable_inodes",
)


@cache
def plain_ext() -> bytes:
    """A small ext2 image of the system."""
    return image_tools.ext(system_tree(), 64, *PLAIN_EXT)


@cache
def plain_erofs() -> bytes:
    """A small EROFS image of the system."""
    return image_tools.erofs(system_tree())


def file_systems() -> Iterator[Sample]:
    """Partitions as they come from a device or a factory image."""
    tree = system_tree
    cases: tuple[tuple[str, Build, str], ...] = (
        ("ext2", plain_ext, "An ext2 partition: files by block maps."),
        (
            "ext4-android",
            lambda: image_tools.ext(tree(), 64, *ANDROID_EXT),
            "An ext4 partition with the features of Android: extents, inline data, casefold, checksums.",
        ),
        ("erofs", plain_erofs, "An EROFS partition without compression."),
        ("erofs-lz4", lambda: image_tools.erofs(tree(), "-zlz4hc"), "An EROFS partition compressed with LZ4."),
        (
            "erofs-lzma",
            lambda: image_tools.erofs(tree(), "-zlzma", "-C16384", later=True),
            "An EROFS partition compressed with MicroLZMA.",
        ),
        (
            "erofs-deflate",
            lambda: image_tools.erofs(tree(), "-zdeflate", "-C16384", later=True),
            "An EROFS partition compressed with DEFLATE.",
        ),
        (
            "erofs-zstd-fragments",
            lambda: image_tools.erofs(tree(), "-zzstd", "-C16384", "-Eall-fragments,dedupe", later=True),
            "An EROFS partition compressed with Zstandard, its files in fragments.",
        ),
        ("fat", lambda: image_tools.fat(tree()), "A FAT12 volume, as cards and boot partitions have it."),
        ("exfat", lambda: disk_layouts.exfat(tree()), "An exFAT volume, as cards of phones have it."),
    )
    for stem, build, about in cases:
        yield Sample(f"carriers/{stem}.img", about, build, seen_in())
    yield Sample(
        "carriers/f2fs.img.xz",
        "An F2FS partition in a sparse image in an xz file.",
        lambda: lzma.compress(image_tools.f2fs(system_tree()), preset=9),
        seen_in("f2fs.img", "raw"),
    )


def unread_files() -> Iterator[Sample]:
    """File systems of which one file is packed in a way that is not read."""
    whole, packed = APPS
    yield Sample(
        "carriers/f2fs-lzo.img.xz",
        "An F2FS partition of which one app is compressed with LZO, which is said and not read.",
        lambda: lzma.compress(image_tools.f2fs(system_tree(), packed[0]), preset=9),
        (whole[1].at(f"f2fs-lzo.img!raw!{whole[0]}"),),
        problems=("unsupported-format",),
    )


def _split_image(number: int) -> bytes:
    return disk_layouts.sparse_chunks(plain_erofs(), 2)[number]


def sparse() -> Iterator[Sample]:
    """What fastboot writes."""
    yield Sample(
        "carriers/sparse.img",
        "An Android sparse image of an EROFS partition.",
        lambda: disk_layouts.sparse_chunks(plain_erofs())[0],
        seen_in("raw"),
    )
    folder = "carriers/sparse-chunks"
    yield Sample(
        f"{folder}/system.img_sparsechunk.0",
        "A sparse image in two pieces, the first of them.",
        lambda: _split_image(0),
        tuple(seen_in("system.img_sparsechunk.0", "raw")),
        scan=folder,
    )
    yield Sample(
        f"{folder}/system.img_sparsechunk.1",
        "A sparse image in two pieces, the second of them.",
        lambda: _split_image(1),
        part_of=folder,
    )


def _older_system() -> bytes:
    return image_tools.erofs({"app/Shop/Shop.apk": SHOP.content()}, "-zlz4hc")


def disks() -> Iterator[Sample]:
    """Disks and what stands for one."""
    yield Sample(
        "carriers/super.img",
        "A super image for two slots: a system for the first, an older one of one app for the second.",
        lambda: disk_layouts.super_image({"system_a": plain_erofs(), "system_b": _older_system()}, 2),
        (*seen_in("system_a"), SHOP.at("system_b!app/Shop/Shop.apk")),
    )
    yield Sample(
        "carriers/disk-gpt.img",
        "A disk with a GPT of two partitions.",
        lambda: disk_layouts.gpt_disk({"boot_a": b"ANDROID!".ljust(2048, b"\0"), "system_a": plain_erofs()}),
        seen_in("system_a"),
    )
    yield Sample(
        "carriers/disk-mbr.img",
        "A card with a boot record of one partition, which has a FAT volume.",
        lambda: disk_layouts.mbr_disk([(1, image_tools.fat(system_tree()))]),
        seen_in("partition1"),
    )


def wrappers() -> Iterator[Sample]:
    """An image in each of the compressed files that images come in."""
    cases: tuple[tuple[str, Callable[[bytes], bytes]], ...] = (
        ("gz", lambda data: gzip.compress(data, 9, mtime=0)),
        ("bz2", lambda data: bz2.compress(data, 9)),
        ("xz", lambda data: lzma.compress(data, preset=9)),
        ("lz4", image_tools.lz4),
        ("zst", image_tools.zstd),
        ("br", image_tools.brotli),
    )
    for suffix, pack in cases:
        yield Sample(
            f"carriers/system.img.{suffix}",
            f"An ext2 partition in a .{suffix} file.",
            lambda pack=pack: pack(plain_ext()),
            seen_in("system.img"),
        )


def _full_payload() -> bytes:
    image = disk_layouts.padded(plain_erofs(), BLOCK)
    blocks = len(image) // BLOCK
    half = blocks // 2
    operations = [
        Operation(8, lzma.compress(image[: half * BLOCK], preset=9), 0, half),
        Operation(1, bz2.compress(image[half * BLOCK : -BLOCK], 9), half, blocks - half - 1),
        Operation(0, image[-BLOCK:], blocks - 1, 1),
    ]
    return disk_layouts.payload({"system": (image, operations), "vbmeta": (bytes(BLOCK), [Operation(6, b"", 0, 1)])})


def _incremental_payload() -> bytes:
    return disk_layouts.payload({"system": (bytes(BLOCK * 4), [Operation(4, b"", 0, 4)])}, minor=8)


def updates() -> Iterator[Sample]:
    """Over-the-air updates in their forms."""
    yield Sample(
        "carriers/payload.bin",
        "The payload of a full update: pieces of it packed with xz and bzip2, and one as it is.",
        _full_payload,
        seen_in("system.img"),
    )
    yield Sample(
        "carriers/payload-incremental.bin",
        "The payload of an incremental update, which needs the image it starts from.",
        _incremental_payload,
        problems=("unsupported-format",),
        exit_code=3,
    )
    yield Sample(
        "carriers/ota.zip",
        "The package of a full update around its payload.",
        lambda: archive.pack(
            {
                "META-INF/com/android/metadata": b"ota-type=AB\npost-sdk-level=34\n",
                "payload.bin": _full_payload(),
                "payload_properties.txt": b"FILE_SIZE=0\n",
            },
            all_stored=True,
        ),
        seen_in("payload.bin", "system.img"),
    )
    for folder, suffix, pack in (
        ("block-image", "", lambda data: data),
        ("block-image-br", ".br", image_tools.brotli),
    ):
        path = f"carriers/{folder}"
        yield Sample(
            f"{path}/system.new.dat{suffix}",
            "The data of a block-based update, which its transfer list lays out.",
            lambda pack=pack: pack(disk_layouts.transfer_list(plain_ext())[1]),
            seen_in(f"system.new.dat{suffix}", "system.img"),
            scan=path,
        )
        yield Sample(
            f"{path}/system.transfer.list",
            "The list of a block-based update.",
            lambda: disk_layouts.transfer_list(plain_ext())[0],
            part_of=path,
        )


def _apex() -> bytes:
    payload = image_tools.erofs({"app/Shop@1/Shop.apk": SHOP.content()})
    members = {"apex_manifest.pb": disk_layouts.apex_manifest("com.example.module", 1), "apex_payload.img": payload}
    return archive.pack(members, all_stored=True)


def _capex() -> bytes:
    manifest = disk_layouts.apex_manifest("com.example.module", 1)
    return archive.pack({"apex_manifest.pb": manifest, "original_apex": _apex()}, stored=(".pb",))


def modules() -> Iterator[Sample]:
    """Modules of the system, which hold apps of their own."""
    place = "app/Shop@1/Shop.apk"
    yield Sample(
        "carriers/module.apex",
        "An APEX module with one app in its image.",
        _apex,
        (SHOP.at(f"apex_payload.img!{place}"),),
    )
    yield Sample(
        "carriers/module.capex",
        "A compressed APEX module with one app in its image.",
        _capex,
        (SHOP.at(f"original_apex!apex_payload.img!{place}"),),
    )


def _optimised(vdex: Callable[[bytes], bytes]) -> bytes:
    app = SHOP.content()
    return image_tools.erofs(
        {"app/Shop/Shop.apk": compiled.stripped(app), "app/Shop/oat/arm64/Shop.vdex": vdex(compiled.vdex(app))}
    )


def compiled_apps() -> Iterator[Sample]:
    """System images whose apps have no DEX of their own."""
    place = "app/Shop/Shop.apk"
    yield Sample(
        "carriers/code-in-vdex.img",
        "A system image whose app has its code in a vdex file only.",
        lambda: _optimised(lambda data: data),
        (SHOP.at(place),),
    )
    yield Sample(
        "carriers/code-in-damaged-vdex.img",
        "The same with a damaged vdex file: what its code is stays unknown.",
        lambda: _optimised(compiled.damaged),
        (code_hidden("android", "com.example.shop", problems=("dex-damaged",), place=place),),
    )


def _encrypted_tree() -> bytes:
    """User data whose apps lie in an encrypted directory, as file-based encryption leaves them."""
    tree = {"app/base.apk": PLAIN.content()[:2000], "media/WeChat.apk": WECHAT.content()}
    options = (*PLAIN_EXT[:-1], "none,filetype,sparse_super,encrypt")
    commands = ("set_inode_field /app/base.apk flags 0x800", "set_inode_field /app flags 0x800")
    return image_tools.ext(tree, 64, *options, commands=commands)


def encrypted() -> Iterator[Sample]:
    """Images of which part is encrypted."""
    seen: tuple[Seen, ...] = (WECHAT.at("media/WeChat.apk"),)
    yield Sample(
        "carriers/ext4-encrypted.img",
        "User data with file-based encryption: one app lies outside of it, the rest is said to be unread.",
        _encrypted_tree,
        seen,
        problems=("encrypted",),
    )


def _swapped(size: int, at: int, magic: bytes) -> bytes:
    return bytes(at) + magic.ljust(size - at, b"\0")


def not_read() -> Iterator[Sample]:
    """Images and archives that are recognised and named: the file says what it is and holds nothing else."""
    qcow = b"QFI\xfb" + struct.pack(">I", 3)
    cases: tuple[tuple[str, Build, str], ...] = (
        ("disk.E01", lambda: b"EVF\t\r\n\xff\0".ljust(512, b"\0"), "The beginning of an EnCase image."),
        ("disk.qcow2", lambda: qcow.ljust(512, b"\0"), "The beginning of a qcow2 disk image."),
        ("apfs.img", lambda: _swapped(4096, 32, b"NXSB"), "The beginning of an APFS container."),
        ("system.squashfs", lambda: b"hsqs".ljust(512, b"\0"), "The beginning of a squashfs image."),
        ("backup.7z", lambda: b"7z\xbc\xaf\x27\x1c\0\4".ljust(64, b"\0"), "The beginning of a 7-Zip archive."),
        (
            "disk.aff4",
            lambda: archive.pack({"container.description": b"aff4://0", "information.turtle": b"\n"}),
            "An AFF4 image without content.",
        ),
    )
    for name, build, about in cases:
        yield Sample(f"carriers/{name}", about, build, problems=("unsupported-format",), exit_code=3)


FAMILIES = (file_systems, unread_files, sparse, disks, wrappers, updates, modules, compiled_apps, encrypted, not_read)
