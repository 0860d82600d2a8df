"""Writes Mach-O images, fat files, export tries and fixups from their specifications, without code of the parsers."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

ARM64, ARMV7, X86_64, I386, ARM64_32 = (
    (0x0100000C, 0),
    (12, 9),
    (0x01000007, 3),
    (7, 3),
    (0x0200000C, 1),
)
ARM64E = (0x0100000C, 0x80000002)
OBJECT, EXECUTE, DYLIB, BUNDLE, DSYM = 1, 2, 6, 8, 10
TEXT_SIZE = DATA_SIZE = 0x4000
TEXT_CONTENT = 0x2000
"""Where names begin in the file: behind the header page, as in linked images."""

DEFINED, LOCAL, PRIVATE, UNDEFINED, ABSOLUTE, INDIRECT, STAB = 0x0F, 0x0E, 0x1E, 0x01, 0x03, 0x0B, 0x24


@dataclass
class Image:
    """What to write; the defaults make a small arm64 program."""

    cpu: tuple[int, int] = ARM64
    file_type: int = EXECUTE
    order: str = "<"
    wide: bool = True
    classes: list[str] = field(default_factory=list)
    protocols: list[str] = field(default_factory=list)
    strings: list[str] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)
    symbols: list[tuple[str, int]] = field(default_factory=list)
    exports: list[str] = field(default_factory=list)
    reexports: list[str] = field(default_factory=list)
    dylibs: list[str] = field(default_factory=list)
    rpaths: list[str] = field(default_factory=list)
    install_name: str = ""
    uuid: bytes = bytes(range(16))
    build_version: tuple[int, int, int] | None = (2, 0x000D0000, 0x00110200)
    commands: list[bytes] = field(default_factory=list)
    """Further load commands, whole."""
    cryptid: int | None = None
    pointer_format: int = 0
    authenticated: bool = False
    chained_imports: tuple[int, list[str]] = (1, [])
    signature: bytes = b""
    trie: bytes | None = None
    swift_flags: int = 0
    """Low bits of class_t.data, which Swift sets."""

    @property
    def base(self) -> int:
        return 0x100000000 if self.wide else 0x4000

    @property
    def data_address(self) -> int:
        """Not the file offset plus the base, so that addresses have to be mapped by segments."""
        return self.base + 0x10000

    def command(self, number: int, body: bytes) -> bytes:
        """A load command, padded to the pointer size."""
        body += bytes(-len(body) % (8 if self.wide else 4))
        return struct.pack(self.order + "II", number, 8 + len(body)) + body

    def named(self, number: int, name: str, fixed: bytes) -> bytes:
        """A load command that ends in a string: its offset, fixed fields, the string."""
        return self.command(number, struct.pack(self.order + "I", 12 + len(fixed)) + fixed + name.encode() + b"\0")

    def encode(self, target: int) -> bytes:
        """A stored pointer to an address, chained where a format is set."""
        kind, offset = self.pointer_format, target - self.base
        if not self.wide:
            return struct.pack(self.order + "I", (target | 3 << 26) if kind == 3 else target)
        if kind == 2:
            value = target | 5 << 51
        elif kind == 6:
            value = offset | 5 << 51
        elif kind in (1, 7, 9, 10, 12) and self.authenticated:
            value = offset | 0xBEEF << 32 | 1 << 48 | 2 << 49 | 3 << 51 | 1 << 63
        elif kind in (1, 10):
            value = target | 3 << 51
        elif kind in (7, 9, 12):
            value = offset | 3 << 51
        else:
            value = target
        return struct.pack(self.order + "Q", value)

    def build(self) -> bytes:
        """The whole file."""
        text, text_sections, addresses = self._text()
        data, data_sections = self._data(addresses)
        tail, tail_commands = self._linkedit()
        sizes = (TEXT_SIZE, DATA_SIZE, len(tail))
        segments = [
            self._segment("__TEXT", self.base, 0, sizes[0], text_sections),
            self._segment("__DATA", self.data_address, TEXT_SIZE, sizes[1], data_sections),
            self._segment("__LINKEDIT", self.base + 0x20000, TEXT_SIZE + DATA_SIZE, sizes[2], []),
        ]
        commands = segments + self._plain_commands() + tail_commands + self.commands
        header = struct.pack(
            self.order + "7I",
            0xFEEDFACF if self.wide else 0xFEEDFACE,
            *self.cpu,
            self.file_type,
            len(commands),
            sum(map(len, commands)),
            0,
        )
        head = header + (bytes(4) if self.wide else b"") + b"".join(commands)
        assert len(head) <= TEXT_CONTENT
        assert len(text) <= TEXT_SIZE - TEXT_CONTENT
        return head.ljust(TEXT_CONTENT, b"\0") + text.ljust(TEXT_SIZE - TEXT_CONTENT, b"\0") + data + tail

    def _segment(self, name: str, address: int, offset: int, size: int, sections: list[tuple[str, int, int]]) -> bytes:
        wide = self.wide
        head = struct.pack(
            self.order + ("16s4Q4I" if wide else "16s4I4I"),
            name.encode(),
            address,
            max(size, 0x4000),
            offset,
            size,
            7,
            5,
            len(sections),
            0,
        )
        for section, start, length in sections:
            place = (address + start - offset, length, start, 0, 0, 0, 0, 0, 0)
            form = "16s16s2Q7I4x" if wide else "16s16s2I7I"
            head += struct.pack(self.order + form, section.encode(), name.encode(), *place)
        return self.command(0x19 if wide else 0x01, head)

    def _text(self) -> tuple[bytes, list[tuple[str, int, int]], dict[str, int]]:
        content, sections, addresses = b"", [], {}
        for section, names in (
            ("__cstring", self.strings),
            ("__objc_classname", [*self.classes, *self.protocols, "\x11\x21"]),
            ("__objc_methname", self.methods),
        ):
            start = len(content)
            for name in names:
                addresses[name] = self.base + TEXT_CONTENT + len(content)
                content += name.encode("utf-8", "surrogateescape") + b"\0"
            if len(content) > start:
                sections.append((section, TEXT_CONTENT + start, len(content) - start))
        return content, sections, addresses

    def _data(self, addresses: dict[str, int]) -> tuple[bytes, list[tuple[str, int, int]]]:
        """Lists first, then the records they point to."""
        size = 8 if self.wide else 4
        lists, records = [], b""
        start = self.data_address + size * (len(self.classes) + len(self.protocols))
        for name in self.classes:
            ro = start + len(records)
            records += struct.pack(self.order + ("4I" if self.wide else "3I"), 0, 8, 8, *([0] if self.wide else []))
            records += bytes(size) + self.encode(addresses[name]) + bytes(5 * size)
            lists.append(start + len(records))
            # isa and superclass are bound to other images, cache and vtable likewise.
            records += struct.pack(self.order + ("Q" if self.wide else "I"), 1 << (63 if self.wide else 31)) * 4
            records += self.encode(ro | self.swift_flags)
        for name in self.protocols:
            lists.append(start + len(records))
            records += bytes(size) + self.encode(addresses[name]) + bytes(8 * size)
        sections, at = [], TEXT_SIZE
        for section, count in (("__objc_classlist", len(self.classes)), ("__objc_protolist", len(self.protocols))):
            if count:
                sections.append((section, at, count * size))
            at += count * size
        content = b"".join(map(self.encode, lists)) + records
        assert len(content) <= DATA_SIZE
        return content.ljust(DATA_SIZE, b"\0"), sections

    def _linkedit(self) -> tuple[bytes, list[bytes]]:
        content, commands = b"", []
        start = TEXT_SIZE + DATA_SIZE

        def place(part: bytes) -> tuple[int, int]:
            nonlocal content
            content += bytes(-len(content) % 16)
            at = start + len(content)
            content += part
            return at, len(part)

        pack = self.order + "II"
        if self.pointer_format or self.chained_imports[1]:
            commands.append(self.command(0x80000034, struct.pack(pack, *place(self._fixups()))))
        trie = self.trie if self.trie is not None else export_trie(self.exports, self.reexports)
        if trie:
            number = 0x80000033 if self.pointer_format else 0x80000022
            body = struct.pack(pack, *place(trie))
            commands.append(self.command(number, body if self.pointer_format else bytes(32) + body))
        if self.symbols:
            names, rows = b" \0", b""
            for name, kind in self.symbols:
                rows += struct.pack(self.order + ("IBBHQ" if self.wide else "IBBHI"), len(names), kind, 1, 0, 0)
                names += name.encode("utf-8", "surrogateescape") + b"\0"
            at, _ = place(rows)
            numbers = (at, len(self.symbols), *place(names))
            commands.append(self.command(0x02, struct.pack(self.order + "4I", *numbers)))
        if self.signature:
            commands.append(self.command(0x1D, struct.pack(pack, *place(self.signature))))
        return content, commands

    def _fixups(self) -> bytes:
        """dyld_chained_fixups_header, starts in image, starts in the second of three segments, imports, names."""
        kind, names = self.chained_imports
        pool, rows = b"\0", b""
        for name in names:
            if kind == 3:
                rows += struct.pack(self.order + "QQ", 1 | len(pool) << 32, 0)
            else:
                rows += struct.pack(self.order + "I", 1 | len(pool) << 9) + (bytes(4) if kind == 2 else b"")
            pool += name.encode() + b"\0"
        starts = struct.pack(self.order + "4I", 3, 0, 16, 0)
        starts += struct.pack(self.order + "IHHQIHH", 24, 0x4000, self.pointer_format, 0x10000, 0, 1, 0)
        imports = 32 + len(starts)
        header = struct.pack(self.order + "7I", 0, 32, imports, imports + len(rows), len(names), kind, 0)
        return header.ljust(32, b"\0") + starts + rows + pool

    def _plain_commands(self) -> list[bytes]:
        found = [self.command(0x1B, self.uuid)]
        if self.build_version is not None:
            found.append(self.command(0x32, struct.pack(self.order + "4I", *self.build_version, 0)))
        if self.install_name:
            found.append(self.named(0x0D, self.install_name, bytes(12)))
        found += [self.named(0x0C, name, bytes(12)) for name in self.dylibs]
        found += [self.named(0x8000001C, name, b"") for name in self.rpaths]
        if self.cryptid is not None:
            body = struct.pack(self.order + "3I", TEXT_CONTENT, TEXT_SIZE - TEXT_CONTENT, self.cryptid)
            found.append(self.command(0x2C if self.wide else 0x21, body + (bytes(4) if self.wide else b"")))
        return found


def encrypt(image: bytes) -> bytes:
    """Scramble what FairPlay would: __TEXT behind its header page."""
    body = bytes(byte ^ 0xA5 for byte in image[TEXT_CONTENT:TEXT_SIZE])
    return image[:TEXT_CONTENT] + body + image[TEXT_SIZE:]


def fat(slices: list[tuple[tuple[int, int], bytes]], wide: bool = False, align: int = 12) -> bytes:
    """A fat file of (cpu, content) slices."""
    form = ">IIQQII" if wide else ">5I"
    rows, content = b"", b""
    start = -(-(8 + len(slices) * struct.calcsize(form)) // (1 << align)) << align
    for cpu, body in slices:
        rows += struct.pack(form, *cpu, start + len(content), len(body), align, *([0] if wide else []))
        content += body + bytes(-len(body) % (1 << align))
    head = struct.pack(">II", 0xCAFEBABF if wide else 0xCAFEBABE, len(slices)) + rows
    return head.ljust(start, b"\0") + content


def uleb(value: int, width: int = 0) -> bytes:
    """An unsigned LEB128 number, padded to a width where one is given."""
    out = b""
    while True:
        byte, value = value & 0x7F, value >> 7
        more = value or len(out) + 1 < width
        out += bytes([byte | (0x80 if more else 0)])
        if not more:
            return out


def export_trie(exports: list[str], reexports: list[str] | tuple[str, ...] = ()) -> bytes:
    """A trie with shared prefixes; a re-export has flag 8, a library ordinal and an empty name."""
    terminals = {name.encode(): uleb(0) + uleb(0x4000) for name in exports}
    terminals |= {name.encode(): uleb(8) + uleb(1) + b"\0" for name in reexports}
    if not terminals:
        return b""
    nodes: list[tuple[bytes, list[tuple[bytes, int]]]] = []

    def add(prefix: bytes) -> int:
        index = len(nodes)
        nodes.append((terminals.get(prefix, b""), []))
        below = sorted(name for name in terminals if name.startswith(prefix) and name != prefix)
        for letter in sorted({name[len(prefix)] for name in below}):
            group = [name for name in below if name[len(prefix)] == letter]
            shared = group[0]
            while not all(name.startswith(shared) for name in group):
                shared = shared[:-1]
            nodes[index][1].append((shared[len(prefix) :], add(shared)))
        return index

    add(b"")
    offsets, at = [], 0
    for payload, edges in nodes:
        offsets.append(at)
        at += len(uleb(len(payload))) + len(payload) + 1 + sum(len(label) + 1 + 4 for label, _ in edges)
    out = b""
    for payload, edges in nodes:
        out += uleb(len(payload)) + payload + bytes([len(edges)])
        out += b"".join(label + b"\0" + uleb(offsets[child], 4) for label, child in edges)
    return out


def ar(members: list[tuple[str, bytes]], style: str = "bsd") -> bytes:
    """An ar archive with BSD or GNU names; a symbol table comes first, as archivers write one."""
    table = b"".join(f"{name}/\n".encode() for name, _ in members)
    out = b"!<arch>\n"
    if style == "gnu":
        out += _member("/", bytes(4)) + _member("//", table)
        at = 0
        for name, body in members:
            short = f"{name}/" if len(name) < 16 else f"/{at}"
            out += _member(short, body)
            at += len(name) + 2
        return out
    out += _member("#1/20", b"__.SYMDEF SORTED".ljust(20, b"\0") + bytes(8))
    for name, body in members:
        stored = name.encode() + bytes(4 - len(name) % 4)
        out += _member(f"#1/{len(stored)}", stored + body)
    return out


def _member(name: str, body: bytes) -> bytes:
    head = f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(body):<10}`\n".encode()
    return head + body + b"\n" * (len(body) % 2)
