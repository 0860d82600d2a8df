"""Read the header and load commands of one Mach-O image: where its parts lie and what it says about itself.

Format: mach-o/loader.h, mach-o/nlist.h and mach/machine.h of the Darwin kernel headers.

Not read: thread state, linker options, notes, source version, function starts, data in code, relocations.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from auditor.errors import FormatError
from auditor.formats.blob import Blob
from auditor.limits import MIB, Limits

THIN_MAGICS: dict[bytes, tuple[str, bool]] = {
    b"\xce\xfa\xed\xfe": ("<", False),
    b"\xcf\xfa\xed\xfe": ("<", True),
    b"\xfe\xed\xfa\xce": (">", False),
    b"\xfe\xed\xfa\xcf": (">", True),
}
"""Magic as stored: byte order for struct, and whether the image is 64-bit."""

_COMMANDS_SIZE = 16 * MIB
_ARM, _ARM64, _X86_64 = 12, 0x0100000C, 0x01000007
_CPUS = {7: "i386", _X86_64: "x86_64", _ARM: "arm", _ARM64: "arm64", 0x0200000C: "arm64_32", 18: "ppc"}
_CPU_VARIANTS = {
    (_ARM, 6): "armv6",
    (_ARM, 9): "armv7",
    (_ARM, 11): "armv7s",
    (_ARM, 12): "armv7k",
    (_ARM64, 2): "arm64e",
    (_X86_64, 8): "x86_64h",
}
_FILE_TYPES = {
    1: "object",
    2: "execute",
    3: "fvmlib",
    4: "core",
    5: "preload",
    6: "dylib",
    7: "dylinker",
    8: "bundle",
    9: "dylib-stub",
    10: "dsym",
    11: "kext",
    12: "fileset",
}
_PLATFORMS = {
    1: "macos",
    2: "ios",
    3: "tvos",
    4: "watchos",
    5: "bridgeos",
    6: "maccatalyst",
    7: "ios-simulator",
    8: "tvos-simulator",
    9: "watchos-simulator",
    10: "driverkit",
    11: "visionos",
    12: "visionos-simulator",
}
_ZERO_FILL = frozenset({0x01, 0x0C, 0x12})


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment; ``offset`` is relative to the image."""

    name: str
    address: int
    memory_size: int
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Section:
    """One section with content in the file; ``offset`` is relative to the image."""

    segment: str
    name: str
    address: int
    size: int
    offset: int


@dataclass(slots=True)
class Image:
    """One Mach-O image while it is being read; offsets are relative to ``base``."""

    data: Blob
    base: int
    size: int
    order: str = "<"
    wide: bool = True
    cpu: str = ""
    file_type: str = ""
    platform: str = ""
    min_os: str = ""
    sdk: str = ""
    uuid: str = ""
    install_name: str = ""
    dylibs: list[str] = field(default_factory=list)
    rpaths: list[str] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)
    encryption: tuple[int, int] | None = None
    encrypted: bool = False
    symtab: tuple[int, int, int, int] | None = None
    """Offset and count of the symbols, offset and size of the string table."""
    export_trie: tuple[int, int] | None = None
    fixups: tuple[int, int] | None = None
    code_signature: tuple[int, int] | None = None
    faults: list[str] = field(default_factory=list)
    damaged: set[str] = field(default_factory=set)

    def fault(self, text: str, *damaged: str) -> None:
        """Note what could not be read and which of objc, strings, swift, symbols, signature that touches."""
        self.faults.append(text)
        self.damaged.update(damaged)

    def read(self, offset: int, size: int) -> bytes | None:
        """The bytes at ``offset``, or None where they are not all inside the image."""
        if offset < 0 or size < 0 or offset + size > self.size:
            return None
        return bytes(self.data[self.base + offset : self.base + offset + size])

    def is_encrypted_at(self, offset: int, size: int = 1) -> bool:
        """Whether any of these bytes is FairPlay ciphertext."""
        if not self.encrypted or self.encryption is None:
            return False
        start, length = self.encryption
        return offset < start + length and start < offset + max(size, 1)


def read_image(data: Blob, base: int, size: int, limits: Limits) -> Image:
    """Read header and load commands of the image at ``base``.

    Raises:
        FormatError: there is no Mach-O header; anything later becomes a fault of the image.
    """
    image = Image(data, base, size)
    magic = image.read(0, 4)
    if magic is None or magic not in THIN_MAGICS:
        raise FormatError("no Mach-O header", base)
    image.order, image.wide = THIN_MAGICS[magic]
    header_size = 32 if image.wide else 28
    header = image.read(0, header_size)
    if header is None:
        raise FormatError("the Mach-O header is truncated", base)
    cpu, variant, file_type, count, commands_size = struct.unpack_from(image.order + "5I", header, 4)
    image.cpu = _CPU_VARIANTS.get((cpu, variant & 0xFFFFFF)) or _CPUS.get(cpu, f"cpu-{cpu:#x}")
    image.file_type = _FILE_TYPES.get(file_type, f"type-{file_type}")
    if count > limits.load_commands:
        image.fault(f"{count} load commands; at most {limits.load_commands} are read", *_EVERYTHING)
        count = limits.load_commands
    available = min(commands_size, size - header_size, _COMMANDS_SIZE)
    if available < commands_size:
        image.fault(f"load commands of {commands_size} bytes, {available} can be read", *_EVERYTHING)
    _read_commands(image, image.read(header_size, available) or b"", count)
    _check_ranges(image)
    return image


def _read_commands(image: Image, area: bytes, count: int) -> None:
    position = 0
    for index in range(count):
        if position + 8 > len(area):
            image.fault(f"load command {index} of {count} lies outside the command area", *_EVERYTHING)
            return
        command, size = struct.unpack_from(image.order + "II", area, position)
        if size < 8 or position + size > len(area):
            image.fault(f"load command {index} ({command:#x}) has size {size}", *_EVERYTHING)
            return
        reader = _READERS.get(command & 0x7FFFFFFF)
        if reader is not None:
            try:
                reader(image, area[position : position + size], command & 0x7FFFFFFF)
            except struct.error:
                image.fault(f"load command {index} ({command:#x}) is too short", *_EVERYTHING)
        position += size


def _segment(image: Image, body: bytes, command: int) -> None:
    wide = command == 0x19
    head, item = ("16s4Q4I", "16s16s2Q8I") if wide else ("16s4I4I", "16s16s2I7I")
    name, address, memory_size, offset, size, _, _, count, _ = struct.unpack_from(image.order + head, body, 8)
    image.segments.append(Segment(_fixed(name), address, memory_size, offset, size))
    start = 8 + struct.calcsize(image.order + head)
    item_size = struct.calcsize(image.order + item)
    if count > (len(body) - start) // item_size:
        image.fault(f"segment {_fixed(name)} claims {count} sections", *_EVERYTHING)
        count = (len(body) - start) // item_size
    for index in range(count):
        row = struct.unpack_from(image.order + item, body, start + index * item_size)
        section_name, segment_name, section_address, section_size, section_offset = row[:5]
        # A dSYM repeats the section headers of its program without their content: offset 0.
        if row[8] & 0xFF not in _ZERO_FILL and section_size and section_offset:
            image.sections.append(
                Section(_fixed(segment_name), _fixed(section_name), section_address, section_size, section_offset)
            )


def _symtab(image: Image, body: bytes, command: int) -> None:
    offset, count, names_offset, names_size = struct.unpack_from(image.order + "4I", body, 8)
    image.symtab = (offset, count, names_offset, names_size)


def _dylib(image: Image, body: bytes, command: int) -> None:
    name = _text(image, body)
    if command == 0x0D:
        image.install_name = name
    else:
        image.dylibs.append(name)


def _rpath(image: Image, body: bytes, command: int) -> None:
    image.rpaths.append(_text(image, body))


def _uuid(image: Image, body: bytes, command: int) -> None:
    (value,) = struct.unpack_from("16s", body, 8)
    image.uuid = value.hex()


def _code_signature(image: Image, body: bytes, command: int) -> None:
    image.code_signature = struct.unpack_from(image.order + "II", body, 8)


def _encryption(image: Image, body: bytes, command: int) -> None:
    offset, size, cryptid = struct.unpack_from(image.order + "3I", body, 8)
    image.encryption = (offset, size)
    image.encrypted = cryptid != 0


def _dyld_info(image: Image, body: bytes, command: int) -> None:
    numbers = struct.unpack_from(image.order + "10I", body, 8)
    if image.export_trie is None:
        image.export_trie = (numbers[8], numbers[9])


def _exports_trie(image: Image, body: bytes, command: int) -> None:
    image.export_trie = struct.unpack_from(image.order + "II", body, 8)


def _chained_fixups(image: Image, body: bytes, command: int) -> None:
    image.fixups = struct.unpack_from(image.order + "II", body, 8)


def _version_min(image: Image, body: bytes, command: int) -> None:
    min_os, sdk = struct.unpack_from(image.order + "II", body, 8)
    platform = {0x24: "macos", 0x25: "ios", 0x2F: "tvos", 0x30: "watchos"}[command]
    # Before LC_BUILD_VERSION a simulator build shows only by its processor.
    if platform != "macos" and image.cpu in ("i386", "x86_64"):
        platform += "-simulator"
    _set_platform(image, platform, min_os, sdk)


def _build_version(image: Image, body: bytes, command: int) -> None:
    platform, min_os, sdk = struct.unpack_from(image.order + "3I", body, 8)
    _set_platform(image, _PLATFORMS.get(platform, f"platform-{platform}"), min_os, sdk)


def _set_platform(image: Image, platform: str, min_os: int, sdk: int) -> None:
    if not image.platform:
        image.platform, image.min_os, image.sdk = platform, _version(min_os), _version(sdk)


def _version(packed: int) -> str:
    """Spell xxxx.yy.zz the way Apple does; an absent version (0) is empty."""
    if packed == 0:
        return ""
    major, minor, patch = packed >> 16, packed >> 8 & 0xFF, packed & 0xFF
    return f"{major}.{minor}.{patch}" if patch else f"{major}.{minor}"


def _fixed(name: bytes) -> str:
    return name.split(b"\0", 1)[0].decode("utf-8", "backslashreplace")


def _text(image: Image, body: bytes) -> str:
    """The lc_str of a load command: an offset from the command's start to a string inside it."""
    (start,) = struct.unpack_from(image.order + "I", body, 8)
    if start < 12 or start >= len(body):
        image.fault(f"a name in a load command starts at {start} of {len(body)} bytes")
        return ""
    return _fixed(body[start:])


def _check_ranges(image: Image) -> None:
    """Note what the load commands place outside the file, so that an absence is never mistaken for a reading."""
    if image.file_type == "dsym":
        return
    for segment in image.segments:
        if segment.offset + segment.size > image.size:
            image.fault(f"segment {segment.name} ends outside the file", *_EVERYTHING)
    for section in image.sections:
        if section.offset + section.size > image.size:
            image.fault(f"section {section.segment},{section.name} ends outside the file")


_EVERYTHING = ("objc", "strings", "swift", "symbols", "signature")
_READERS: dict[int, Callable[[Image, bytes, int], None]] = {
    0x01: _segment,
    0x02: _symtab,
    0x0C: _dylib,
    0x0D: _dylib,
    0x18: _dylib,
    0x19: _segment,
    0x1B: _uuid,
    0x1C: _rpath,
    0x1D: _code_signature,
    0x1F: _dylib,
    0x20: _dylib,
    0x21: _encryption,
    0x22: _dyld_info,
    0x23: _dylib,
    0x24: _version_min,
    0x25: _version_min,
    0x2C: _encryption,
    0x2F: _version_min,
    0x30: _version_min,
    0x32: _build_version,
    0x33: _exports_trie,
    0x34: _chained_fixups,
}
