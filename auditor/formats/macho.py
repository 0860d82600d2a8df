"""Read a Mach-O file, thin, fat or a static library: what each image is, loads, defines and imports, how it is signed.

Format: mach-o/fat.h and mach-o/loader.h of the Darwin kernel headers; ar(5) for static libraries.

Not read: dyld shared caches, entitlements in sections of simulator builds, LLVM bitcode.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.errors import FormatError, LimitError
from auditor.formats.ar import find_members, is_ar
from auditor.formats.blob import Blob
from auditor.formats.code_signature import CodeSignature, parse_code_signature
from auditor.formats.macho_layout import THIN_MAGICS, Image, read_image
from auditor.formats.macho_names import NameValues, Symbols, read_strings, read_symbols, stated_versions
from auditor.formats.macho_objc import read_classes, read_protocols, symbol_classes, symbol_protocols
from auditor.formats.macho_pointers import PointerReader
from auditor.formats.macho_swift import class_types, read_types, symbol_types
from auditor.limits import DEFAULT, Limits
from auditor.model import Values

_FAT, _FAT_64 = b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf"
_BITCODE = (b"BC\xc0\xde", b"\xde\xc0\x17\x0b")
_EVERYTHING = ("objc", "signature", "strings", "swift", "symbols")
_NONE = NameValues(())
_FIRST_JAVA_VERSION = 45
"""A Java class file has the fat magic too; where a fat file counts its slices it holds its version, 45 or more."""


@dataclass(frozen=True, slots=True)
class Slice:
    """One Mach-O image of a file."""

    offset: int
    """Of the image in the file that was parsed."""
    size: int
    cpu: str = ""
    file_type: str = ""
    platform: str = ""
    min_os: str = ""
    sdk: str = ""
    uuid: str = ""
    install_name: str = ""
    dylibs: tuple[str, ...] = ()
    rpaths: tuple[str, ...] = ()
    encrypted: bool = False
    encryption_range: tuple[int, int] | None = None
    """Offset in the image and size, also where the range is not (or no longer) encrypted."""
    objc_classes: Values = _NONE
    """Defined here: by metadata, by symbol or by export; never imported ones."""
    objc_protocols: Values = _NONE
    swift_types: Values = _NONE
    """Swift types and protocols defined here, as Module.Type: by metadata, by symbol or by class name."""
    strings: Values = _NONE
    """The C strings of __cstring."""
    versions: Values = _NONE
    """Those that are a version number, among their neighbours: A | B | VERSION | BEHIND."""
    methods: Values = _NONE
    """Selectors of __objc_methname, defined or called."""
    symbols: Values = _NONE
    """External symbols defined here, leading underscore kept."""
    imports: Values = _NONE
    signature: CodeSignature | None = None
    faults: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    """Which of objc, strings, swift are ciphertext, wholly or in part."""
    damaged: tuple[str, ...] = ()
    """Which of objc, strings, swift, symbols, signature could not be read in full because of the faults."""


@dataclass(frozen=True, slots=True)
class MachO:
    """A Mach-O file; a thin one has one slice."""

    slices: tuple[Slice, ...]
    faults: tuple[str, ...] = ()
    """What is wrong with the file around its slices."""


def is_macho(data: Blob) -> bool:
    """Tell by the first bytes whether this is a Mach-O file, thin or fat, and no Java class."""
    magic = bytes(data[:4])
    if magic in THIN_MAGICS:
        return True
    if magic not in (_FAT, _FAT_64) or len(data) < 8:
        return False
    return 0 < int.from_bytes(data[4:8], "big") < _FIRST_JAVA_VERSION


def parse_macho(data: Blob, limits: Limits = DEFAULT) -> MachO:
    """Read every slice; a slice that cannot be read is a fault of the file.

    A slice that is a static library is no image and counts as unreadable here: ``find_slices`` looks inside.

    Raises:
        FormatError: the bytes are no Mach-O file, or no slice of it could be read.
    """
    if not is_macho(data):
        raise FormatError("no Mach-O file", 0)
    if bytes(data[:4]) in THIN_MAGICS:
        return MachO((parse_slice(data, 0, len(data), limits),))
    slices: list[Slice] = []
    faults: list[str] = []
    for offset, size, fault in find_fat_ranges(data, limits):
        if fault:
            faults.append(fault)
        if size == 0:
            continue
        try:
            slices.append(parse_slice(data, offset, size, limits))
        except FormatError as error:
            faults.append(f"slice at {offset:#x}: {error}")
    if not slices:
        raise FormatError(f"no slice of the fat file can be read: {'; '.join(faults)}", 0)
    return MachO(tuple(slices), tuple(faults))


def find_fat_ranges(data: Blob, limits: Limits = DEFAULT) -> Iterator[tuple[int, int, str]]:
    """Offset and size of every slice of a fat file, clipped to the file, and what is wrong with it ("" if nothing).

    Raises:
        FormatError: the table of slices is cut off or too long.
    """
    wide = bytes(data[:4]) == _FAT_64
    form = struct.Struct(">iiQQII" if wide else ">iiIII")
    count = int.from_bytes(data[4:8], "big")
    if count > limits.macho_slices:
        raise LimitError(f"{count} slices in a fat file; at most {limits.macho_slices} are read", 4)
    if 8 + count * form.size > len(data):
        raise FormatError(f"the table of {count} slices is cut off", 8)
    taken: list[tuple[int, int]] = []
    for index in range(count):
        offset, size = form.unpack_from(data, 8 + index * form.size)[2:4]
        end = min(offset + size, len(data))
        fault = ""
        if offset + size > len(data):
            fault = f"slice {index} ends at {offset + size:#x}, the file at {len(data):#x}"
        elif any(offset < other_end and other < end for other, other_end in taken):
            fault = f"slice {index} overlaps another one"
        if (offset, end) in taken:
            continue
        taken.append((offset, end))
        yield offset, max(end - offset, 0), fault


def parse_slice(data: Blob, offset: int, size: int, limits: Limits = DEFAULT) -> Slice:
    """Read the one image at ``offset``; what it places outside its bytes becomes a fault of the slice.

    Raises:
        FormatError: there is no Mach-O header.
    """
    image = read_image(data, offset, size, limits)
    symbols = read_symbols(image, limits)
    classes, protocols, types, hidden = _read_metadata(image, symbols, limits)
    strings, strings_hidden = read_strings(image, "__cstring", limits)
    methods, _ = read_strings(image, "__objc_methname", limits)
    if strings_hidden:
        hidden.add("strings")
    signature = _signature(image, limits)
    class_names = _section_bytes(image, "__objc_classname")
    return Slice(
        offset=offset,
        size=size,
        cpu=image.cpu,
        file_type=image.file_type,
        platform=image.platform,
        min_os=image.min_os,
        sdk=image.sdk,
        uuid=image.uuid,
        install_name=image.install_name,
        dylibs=tuple(image.dylibs),
        rpaths=tuple(image.rpaths),
        encrypted=image.encrypted,
        encryption_range=image.encryption,
        objc_classes=NameValues(classes, class_names),
        objc_protocols=NameValues(protocols, class_names),
        swift_types=NameValues(types),
        strings=strings,
        versions=stated_versions(strings),
        methods=methods,
        symbols=NameValues(symbols.defined, symbols.raw),
        imports=NameValues(symbols.imports, symbols.raw),
        signature=signature,
        faults=tuple(image.faults),
        hidden=tuple(sorted(hidden)),
        damaged=tuple(sorted(image.damaged)),
    )


def _read_metadata(
    image: Image, symbols: Symbols, limits: Limits
) -> tuple[set[bytes], set[bytes], set[bytes], set[str]]:
    """Objective-C classes and protocols and Swift types, and which of objc and swift are ciphertext."""
    classes, protocols = symbol_classes(symbols), symbol_protocols(symbols)
    types: set[bytes] = set()
    hidden: set[str] = set()
    # In an object file the lists hold relocations, not addresses; its symbols say the same.
    if image.file_type not in ("object", "dsym"):
        reader = PointerReader(image)
        for part, names, (found, encrypted) in (
            ("objc", classes, read_classes(reader, limits)),
            ("objc", protocols, read_protocols(reader, limits)),
            ("swift", types, read_types(reader, limits)),
        ):
            names |= found
            if encrypted:
                hidden.add(part)
        if "objc" in hidden and any(section.name.startswith("__swift") for section in image.sections):
            # The names of Objective-C classes tell Swift classes, too, and before Swift 5 nothing else here does.
            hidden.add("swift")
    if not types or "swift" in hidden or "swift" in image.damaged:
        # Metadata read in full names every type; only without it the names of the symbols are taken apart.
        types |= symbol_types(symbols)
    return classes, protocols, types | class_types(classes), hidden


def _section_bytes(image: Image, name: str) -> tuple[tuple[int, bytes], ...]:
    """The readable sections of one name, with their offsets in the file."""
    found = []
    for section in image.sections:
        if section.name == name and not image.is_encrypted_at(section.offset, section.size):
            raw = image.read(section.offset, section.size)
            if raw is not None:
                found.append((image.base + section.offset, raw))
    return tuple(found)


def _signature(image: Image, limits: Limits) -> CodeSignature | None:
    if image.code_signature is None or image.code_signature[1] == 0:
        return None
    raw = image.read(*image.code_signature)
    if raw is None:
        image.fault("the code signature lies outside the file", "signature")
        return None
    try:
        signature = parse_code_signature(raw, limits)
    except FormatError as error:
        image.fault(f"code signature: {error}", "signature")
        return None
    for fault in signature.faults:
        image.fault(f"code signature: {fault}", "signature")
    return signature


def find_slices(data: Blob, limits: Limits = DEFAULT) -> Iterator[tuple[str, Slice]]:
    """Every image with its member name ("" outside an archive).

    What cannot be read comes as a Slice that holds nothing but its place, ``faults`` and ``damaged``: nothing is
    dropped in silence.

    Raises:
        FormatError: the bytes are no Mach-O file and no archive, or their table of slices is damaged.
    """
    if is_ar(data):
        yield from _find_in_archive(data, 0, len(data), limits)
    elif bytes(data[:4]) in THIN_MAGICS:
        yield "", parse_slice(data, 0, len(data), limits)
    elif is_macho(data):
        for offset, size, fault in find_fat_ranges(data, limits):
            if fault:
                yield "", _unread(offset, size, fault)
            if is_ar(data, offset):
                yield from _find_in_archive(data, offset, offset + size, limits)
            elif size != 0:
                yield "", _read(data, offset, size, limits)
    else:
        raise FormatError("no Mach-O file and no ar archive", 0)


def _find_in_archive(data: Blob, start: int, end: int, limits: Limits) -> Iterator[tuple[str, Slice]]:
    try:
        for member in find_members(data, start, end, limits):
            magic = bytes(data[member.offset : member.offset + 4])
            if magic in THIN_MAGICS:
                yield member.name, _read(data, member.offset, member.size, limits)
            elif magic in _BITCODE:
                yield member.name, _unread(member.offset, member.size, "LLVM bitcode is not read")
    except FormatError as error:
        yield "", _unread(start, end - start, f"ar archive: {error}")


def _read(data: Blob, offset: int, size: int, limits: Limits) -> Slice:
    try:
        return parse_slice(data, offset, size, limits)
    except FormatError as error:
        return _unread(offset, size, str(error))


def _unread(offset: int, size: int, fault: str) -> Slice:
    return Slice(offset=offset, size=size, faults=(fault,), damaged=_EVERYTHING)
