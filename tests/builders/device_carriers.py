"""Puts a tree of files into every carrier, by the tools that make them in practice."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

from tests.builders.ota_payload import BLOCK, Step, ota_payload
from tests.builders.super_image import MAX_SIZE, Part, Slot, place, super_image

Maker = Callable[[Path, Path], Path]
"""Puts a tree into a new file or folder below a folder, and returns what a user would name."""
MIB = 1 << 20
ANDROID = "has_journal,casefold,encrypt,verity,project,quota,stable_inodes,metadata_csum,64bit,extents,flex_bg"
SECTOR = 512
FIRST = 2048
"""Sector of the first partition."""


def run(*words: str | Path, folder: Path | None = None, text: str | None = None) -> bytes:
    """Run a tool; what it says where it fails is in the error."""
    given = None if text is None else text.encode()
    command = [str(word) for word in words]
    done = subprocess.run(command, cwd=folder, input=given, capture_output=True, check=False, timeout=300)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} failed: {done.stderr.decode(errors='replace')[:500]}")
    return done.stdout


def _empty(path: Path, size: int) -> Path:
    with path.open("wb") as file:
        file.truncate(size)
    return path


def ext4(*options: str, size_mib: int = 48, name: str = "userdata.img") -> Maker:
    """mkfs.ext4 with these options."""

    def make(tree: Path, folder: Path) -> Path:
        image = folder / name
        run("mkfs.ext4", "-q", "-F", *options, "-d", tree, image, f"{size_mib}M")
        return image

    return make


def erofs(*options: str, name: str = "system.img") -> Maker:
    """mkfs.erofs with these options."""

    def make(tree: Path, folder: Path) -> Path:
        image = folder / name
        run("mkfs.erofs", "--quiet", *options, image, tree)
        return image

    return make


def f2fs(*options: str) -> Maker:
    """mkfs.f2fs with these options, filled by sload.f2fs."""

    def make(tree: Path, folder: Path) -> Path:
        image = _empty(folder / "userdata.f2fs", 96 * MIB)
        run("mkfs.f2fs", "-q", "-f", *options, image)
        run("sload.f2fs", "-f", tree, image)
        return image

    return make


def fat(bits: int, size_mib: int) -> Maker:
    """mkfs.fat, filled by mcopy."""

    def make(tree: Path, folder: Path) -> Path:
        image = _empty(folder / "card.img", size_mib * MIB)
        run("mkfs.fat", "-F", str(bits), image)
        environment = {"LC_ALL": "C.UTF-8", "MTOOLS_SKIP_CHECK": "1", "PATH": os.environ["PATH"]}
        top = sorted(str(path) for path in tree.iterdir())
        command = ["mcopy", "-s", "-Q", "-i", str(image), *top, "::"]
        subprocess.run(command, env=environment, check=True, capture_output=True, timeout=300)
        return image

    return make


def sparse(inner: Maker, *, name: str = "userdata.simg") -> Maker:
    """img2simg of an image."""

    def make(tree: Path, folder: Path) -> Path:
        image = inner(tree, folder)
        run("img2simg", image, folder / name)
        image.unlink()
        return folder / name

    return make


def packed(inner: Maker, command: tuple[str, ...], suffix: str) -> Maker:
    """A compressed file; the command reads one file and writes to its output."""

    def make(tree: Path, folder: Path) -> Path:
        image = inner(tree, folder)
        target = image.with_name(image.name + suffix)
        target.write_bytes(run(*command, image))
        image.unlink()
        return target

    return make


def _parts(tree: Path, folder: Path) -> tuple[Path, Path]:
    """The system partitions as one image, the data as another."""
    system, data = folder / "parts/system", folder / "parts/data"
    for source in sorted(tree.iterdir()):
        target = data if source.name in ("data", "private") else system
        shutil.copytree(source, target / source.name)
    images = (erofs("-zlz4hc")(system, folder), ext4("-O", ANDROID)(data, folder))
    shutil.rmtree(folder / "parts")
    return images


def super_of(tree: Path, folder: Path) -> Path:
    """A super image of two metadata slots: the system in its slot a, nothing in its slot b, and the data beside it."""
    system, data = _parts(tree, folder)
    parts = [Part("system_a", system.read_bytes()), Part("system_b"), Part("data_a", data.read_bytes())]
    system.unlink()
    data.unlink()
    image = folder / "super.img"
    layout, _ = place(Slot(parts), 12288 + 4 * MAX_SIZE)
    again = [Part(part.name, extents=extents) for part, extents in zip(parts, layout, strict=True)]
    image.write_bytes(super_image(Slot(parts), Slot(again)))
    return image


def gpt(tree: Path, folder: Path) -> Path:
    """A disk of sgdisk: system, data, a partition of zeros and one of something else."""
    system, data = _parts(tree, folder)
    rest = folder / "misc"
    rest.write_bytes(hashlib.sha256(b"misc").digest() * 4096)
    sizes = [_sectors(system), _sectors(data), 2048, _sectors(rest)]
    starts = [FIRST + sum(sizes[:number]) + number * 2048 for number in range(4)]
    disk = _empty(folder / "disk.img", (starts[3] + sizes[3] + 4096) * SECTOR)
    words = []
    names = ("system", "userdata", "misc", "tee")
    for number, (name, start, size) in enumerate(zip(names, starts, sizes, strict=True), 1):
        words += [f"--new={number}:{start}:{start + size - 1}", f"--change-name={number}:{name}"]
    run("sgdisk", "--set-alignment=1", *words, disk)
    _fill(disk, {starts[0]: system, starts[1]: data, starts[3]: rest})
    return disk


def mbr(tree: Path, folder: Path) -> Path:
    """A disk of sfdisk with a primary partition and one in an extended partition."""
    system, data = _parts(tree, folder)
    first, second = _sectors(system), _sectors(data)
    extended = FIRST + first
    extended += -extended % 2048
    disk = _empty(folder / "card.img", (extended + 2048 + second + 4096) * SECTOR)
    script = f"label: dos\n{FIRST} {first} 83\n{extended} {second + 2048} 5\n{extended + 2048} {second} 83\n"
    script = script.replace(f"{extended} {second + 2048} 5", f"start={extended}, size={second + 2048}, type=5")
    run("sfdisk", "--quiet", "--no-reread", disk, text=script)
    _fill(disk, {FIRST: system, extended + 2048: data})
    return disk


def _sectors(image: Path) -> int:
    return -(-image.stat().st_size // SECTOR)


def _fill(disk: Path, contents: dict[int, Path]) -> None:
    with disk.open("r+b") as file:
        for sector, image in contents.items():
            file.seek(sector * SECTOR)
            file.write(image.read_bytes())
            image.unlink()


def ota(tree: Path, folder: Path) -> Path:
    """The zip of a full update: its payload stored, with operations of every kind, not in the order of the blocks."""
    system, data = _parts(tree, folder)
    payload = ota_payload(
        {"system": _steps(system, ("xz", "-9", "--check=crc64"), 8), "vendor": _steps(data, ("bzip2",), 1)}
    )
    zipped = folder / "ota.zip"
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("META-INF/com/android/metadata", "ota-type=AB\npost-sdk-level=34\n")
        archive.writestr("payload.bin", payload)
        archive.writestr("payload_properties.txt", f"FILE_SIZE={len(payload)}\n")
    return zipped


def _steps(image: Path, command: tuple[str, ...], kind: int) -> tuple[int, list[Step]]:
    """The operations that make an image: pieces packed, stored and of zeros, the second half first."""
    size = image.stat().st_size
    steps = []
    piece = 256 * BLOCK
    for offset in range(0, size, piece):
        with image.open("rb") as file:
            file.seek(offset)
            part = file.read(piece)
        extents = [(offset // BLOCK, -(-len(part) // BLOCK))]
        if not any(part):
            steps.append(Step(6, b"", extents))
        elif offset // piece % 3 == 0:
            steps.append(Step(0, part, extents))
        else:
            done = subprocess.run([*command, "-c"], input=part, capture_output=True, check=True, timeout=300)
            steps.append(Step(kind, done.stdout, extents))
    image.unlink()
    half = len(steps) // 2
    return size, steps[half:] + steps[:half] if kind == 1 else steps


def block_update(compressed: bool) -> Maker:
    """A folder with the new data of a block-based update and its transfer list."""

    def make(tree: Path, folder: Path) -> Path:
        image = ext4(size_mib=32, name="raw")(tree, folder)
        data = image.read_bytes()
        image.unlink()
        blocks = [data[at : at + BLOCK] for at in range(0, len(data), BLOCK)]
        filled = [number for number, block in enumerate(blocks) if any(block)]
        ranges: list[int] = []
        for number in filled:
            if ranges and ranges[-1] == number:
                ranges[-1] = number + 1
            else:
                ranges += [number, number + 1]
        update = folder / "update"
        update.mkdir()
        (update / "system.new.dat").write_bytes(b"".join(blocks[number] for number in filled))
        lines = ["4", str(len(filled)), "0", "0", f"erase 2,0,{len(blocks)}"]
        lines.append(f"new {len(ranges)},{','.join(map(str, ranges))}")
        if filled[-1] < len(blocks) - 1:
            lines.append(f"zero 2,{filled[-1] + 1},{len(blocks)}")
        (update / "system.transfer.list").write_text("\n".join(lines) + "\n")
        (update / "system.patch.dat").write_bytes(b"")
        if compressed:
            run("brotli", "-q", "4", "--rm", update / "system.new.dat")
        return update

    return make


def block_update_zip(tree: Path, folder: Path) -> Path:
    """The same as the zip a phone downloads."""
    return _zipped(block_update(compressed=True)(tree, folder), folder / "ota.zip", "-0")


def _zipped(source: Path, target: Path, *options: str) -> Path:
    run("zip", "-q", "-r", *options, target, ".", folder=source)
    shutil.rmtree(source)
    return target


def tar(*options: str, name: str = "extraction.tar") -> Maker:
    """GNU tar with these options."""

    def make(tree: Path, folder: Path) -> Path:
        run("tar", *options, "-cf", folder / name, "-C", tree, ".")
        return folder / name

    return make


def zip_of(*options: str) -> Maker:
    """The zip command with these options."""

    def make(tree: Path, folder: Path) -> Path:
        run("zip", "-q", "-r", *options, folder / "extraction.zip", ".", folder=tree)
        return folder / "extraction.zip"

    return make


def zip_streamed(tree: Path, folder: Path) -> Path:
    """A zip written to a pipe, with sizes behind the members."""
    target = folder / "extraction.zip"
    target.write_bytes(run("zip", "-q", "-r", "-fd", "-", ".", folder=tree))
    return target


def zip_with_prefix(prefix: str, method: int) -> Maker:
    """A zip as extraction tools write it: folders of the tool before the device's root, and records beside it."""

    def make(tree: Path, folder: Path) -> Path:
        target = folder / "EXTRACTION_FFS.zip"
        with zipfile.ZipFile(target, "w", method) as archive:
            archive.writestr("metadata1/metadata.msgpack", b"\x80" * 100)
            archive.writestr("version", b"1.0.0.0")
            for path in sorted(tree.rglob("*")):
                archive.write(path, f"{prefix}/{path.relative_to(tree)}")
        return target

    return make


def odin(tree: Path, folder: Path) -> Path:
    """Samsung firmware: a tar with its digest behind it; inside, the super image, sparse and compressed."""
    inner = folder / "odin"
    inner.mkdir()
    image = super_of(tree, folder)
    run("img2simg", image, inner / "super.img")
    run("lz4", "-q", "-B6", "--content-size", "--rm", inner / "super.img", inner / "super.img.lz4")
    (inner / "boot.img").write_bytes(b"ANDROID!" + bytes(4088))
    target = folder / "AP_X123_user_low_ship.tar.md5"
    run("tar", "--format=ustar", "-cf", target, "-C", inner, "boot.img", "super.img.lz4")
    digest = hashlib.md5(target.read_bytes()).hexdigest()
    with target.open("ab") as file:
        file.write(f"{digest}  AP_X123_user_low_ship.tar\n".encode())
    image.unlink()
    shutil.rmtree(inner)
    return target


CARRIERS: dict[str, Maker] = {
    "ext4": ext4(),
    "ext4 of Android": ext4("-b", "4096", "-I", "256", "-O", ANDROID),
    "ext4 with inline data": ext4("-I", "256", "-O", "inline_data"),
    "ext4 of small blocks": ext4("-b", "1024"),
    "ext3": ext4("-t", "ext3"),
    "ext2": ext4("-t", "ext2", "-b", "1024"),
    "EROFS": erofs(),
    "EROFS lz4": erofs("-zlz4"),
    "EROFS lz4hc": erofs("-zlz4hc,12", "-C65536"),
    "EROFS of small files packed together": erofs("-zlz4hc", "-Efragments,ztailpacking", "-C16384"),
    "EROFS of an old version": erofs("-zlz4", "-Elegacy-compress"),
    "EROFS in chunks": erofs("--chunksize=4096"),
    "F2FS": f2fs(),
    "F2FS of Android": f2fs("-O", "encrypt,quota,verity,project_quota,extra_attr,inode_checksum,sb_checksum"),
    "FAT16": fat(16, 64),
    "FAT32": fat(32, 80),
    "sparse ext4": sparse(ext4("-O", ANDROID)),
    "sparse EROFS": sparse(erofs("-zlz4hc"), name="system.img.simg"),
    "super": super_of,
    "GPT disk": gpt,
    "MBR disk": mbr,
    "OTA": ota,
    "block update": block_update(compressed=False),
    "block update, brotli": block_update(compressed=True),
    "block update, zip": block_update_zip,
    "image.lz4": packed(ext4(), ("lz4", "-q", "-c", "-B6"), ".lz4"),
    "image.lz4 of independent blocks": packed(ext4(), ("lz4", "-q", "-c", "-B4", "-BI", "--content-size"), ".lz4"),
    "image.lz4, legacy": packed(erofs(), ("lz4", "-q", "-c", "-l"), ".lz4"),
    "image.gz": packed(ext4(), ("gzip", "-c", "-1"), ".gz"),
    "image.xz": packed(ext4(), ("xz", "-c", "-1"), ".xz"),
    "image.zst": packed(ext4(), ("zstd", "-q", "-c", "-3"), ".zst"),
    "image.zst of long matches": packed(ext4(), ("zstd", "-q", "-c", "--long=27", "-3"), ".zst"),
    "image.bz2": packed(erofs(), ("bzip2", "-c", "-1"), ".bz2"),
    "image.br": packed(erofs(), ("brotli", "-c", "-q", "3"), ".br"),
    "tar": tar(),
    "tar, pax": tar("--format=pax"),
    "tar, gnu": tar("--format=gnu"),
    "tar, ustar": tar("--format=ustar"),
    "tar, sparse": tar("-S"),
    "tar, sparse pax": tar("-S", "--format=pax"),
    "tar.gz": tar("-z", name="extraction.tar.gz"),
    "tar.zst": tar("--zstd", name="extraction.tar.zst"),
    "tar.xz": tar("-J", name="extraction.tar.xz"),
    "tar.bz2": tar("-j", name="extraction.tar.bz2"),
    "zip": zip_of(),
    "zip, stored": zip_of("-0"),
    "zip64": zip_of("-fz"),
    "zip of a pipe": zip_streamed,
    "zip of an extraction tool": zip_with_prefix("EXTRACTION_FFS 01/EXTRACTION_FFS/Dump", zipfile.ZIP_DEFLATED),
    "zip of an extraction tool, stored": zip_with_prefix("filesystem1", zipfile.ZIP_STORED),
    "Odin": odin,
}
