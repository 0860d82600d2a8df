"""Trees of files in small images and archives of every kind, for tests of what looks inside them."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Mapping
from typing import TypeAlias

from tests.builders import tar
from tests.builders.android_sparse import BLOCK, raw, sparse_image
from tests.builders.apps import archive
from tests.builders.erofs import ErofsBuilder
from tests.builders.ext4 import Ext4Image
from tests.builders.f2fs import Image as F2fsImage
from tests.builders.fat import SECTOR, FatImage, exfat_set
from tests.builders.ota_payload import Step, ota_payload
from tests.builders.partitions import Entry, boot_record, gpt_disk, mbr_disk
from tests.builders.super_image import Part, Slot, super_image

Files = Mapping[str, bytes]
"""Content by path."""
Tree: TypeAlias = "dict[str, bytes | Tree]"


def tree_of(files: Files) -> Tree:
    """Folders in folders."""
    root: Tree = {}
    for path, content in files.items():
        *folders, name = path.split("/")
        place = root
        for folder in folders:
            inner = place.setdefault(folder, {})
            assert isinstance(inner, dict)
            place = inner
        place[name] = content
    return root


def ext4_of(files: Files, *, blocks: int = 0) -> bytes:
    """An ext4 file system."""
    size = 256 + sum(len(content) // 1024 + 2 for content in files.values()) + 2 * len(files)
    steps = sum(path.count("/") + 1 for path in files)
    image = Ext4Image(blocks=(blocks or size) + 2 * steps, inodes=64 + steps)

    def place(tree: Tree) -> list[tuple[bytes, int]]:
        return [(name.encode("utf-8", "surrogateescape"), inode(item)) for name, item in tree.items()]

    def inode(item: bytes | Tree) -> int:
        if isinstance(item, bytes):
            return image.file(item)
        return image.directory([(b".", 2), (b"..", 2), *place(item)])

    image.root += place(tree_of(files))
    return image.build()


def erofs_of(files: Files) -> bytes:
    """An EROFS image, its files plain."""
    image = ErofsBuilder()

    def place(tree: Tree) -> int:
        entries: dict[bytes, tuple[int, int]] = {}
        for name, item in tree.items():
            key = name.encode("utf-8", "surrogateescape")
            entries[key] = (image.flat(item), 1) if isinstance(item, bytes) else (place(item), 2)
        return image.directory(entries, inline=False)

    return image.image(place(tree_of(files)))


def f2fs_of(files: Files) -> bytes:
    """An F2FS image."""
    blocks = sum(len(content) // 4096 + 3 for content in files.values()) + 3 * len(files) + 16
    image = F2fsImage(main_blocks=-(-blocks // 4) * 4)
    numbers = iter(range(4, 400))

    def place(tree: Tree, own: int) -> None:
        entries: list[tuple[bytes, int, int]] = []
        for name, item in tree.items():
            number = next(numbers)
            if isinstance(item, bytes):
                image.file(number, item)
            else:
                place(item, number)
            entries.append((name.encode("utf-8", "surrogateescape"), number, 1 if isinstance(item, bytes) else 2))
        image.directory(own, entries)

    place(tree_of(files), 3)
    return bytes(image.build())


def exfat_of(files: Files) -> bytes:
    """An exFAT volume, every file in adjacent clusters."""
    count = sum(len(content) // SECTOR + 2 for content in files.values()) + 16 * len(files)
    image = FatImage(32, clusters=count + 64, exfat=True)
    free = 40

    def take(data: bytes) -> int:
        nonlocal free
        cluster = free
        image.put(cluster, data)
        free += -(-len(data) // SECTOR)
        return cluster

    def place(tree: Tree) -> bytes:
        records = b""
        for name, item in tree.items():
            data = item if isinstance(item, bytes) else place(item).ljust(SECTOR * 4, b"\0")
            records += exfat_set(name, take(data) if data else 0, len(data), folder=not isinstance(item, bytes))
        return records

    image.root = struct.pack("<B31x", 0x83) + place(tree_of(files))
    image.link(2, 3, 4, 5)
    image.put(2, image.root)
    return image.build()


def tar_of(files: Files) -> bytes:
    """A tar archive with an end mark."""
    written = b""
    for path, content in files.items():
        name = path.encode("utf-8", "surrogateescape")
        written += (tar.long_name(name) if len(name) > 100 else b"") + tar.member(name, content)
    return written + tar.END


def zip_of(files: Files) -> bytes:
    """A zip archive, deflated."""
    return archive(files)


def sparse_of(data: bytes) -> bytes:
    """An Android sparse image of an image."""
    return sparse_image([raw(data + bytes(-len(data) % BLOCK))])


def super_of(parts: Files) -> bytes:
    """A super image of partitions."""
    return super_image(Slot([Part(name, data) for name, data in parts.items()]))


def gpt_of(parts: Files) -> bytes:
    """A disk with a GPT."""
    entries, contents, at = [], {}, 64
    for name, data in parts.items():
        sectors = max(-(-len(data) // 512), 1)
        entries.append(Entry(name, at, at + sectors - 1))
        contents[at] = data
        at += sectors
    return bytes(gpt_disk(entries, contents, at + 64))


def mbr_of(parts: list[bytes]) -> bytes:
    """A disk with up to four partitions."""
    rows, contents, at = [], {}, 64
    for data in parts:
        sectors = -(-len(data) // 512)
        rows.append((0x83, at, sectors))
        contents[at] = data
        at += sectors
    return bytes(mbr_disk(at + 8, {0: boot_record(*rows)}, contents))


def payload_of(parts: Files) -> bytes:
    """A full update: each partition in one operation that replaces all of it."""
    stated = {}
    for name, data in parts.items():
        filled = data + bytes(-len(data) % 4096)
        stated[name] = (len(filled), [Step(0, filled, [(0, len(filled) // 4096)])])
    return ota_payload(stated)


def gz_of(data: bytes) -> bytes:
    """A gzip file that is the same on every run."""
    return gzip.compress(data, 6, mtime=0)


TREES = {
    "ext4": ext4_of,
    "EROFS": erofs_of,
    "F2FS": f2fs_of,
    "exFAT": exfat_of,
    "tar": tar_of,
    "zip": zip_of,
}
"""What holds a tree, by its name."""
