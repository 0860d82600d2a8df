"""Writes DEX files with methods and instructions for tests, from the specification and independent of the parser."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.builders.dex import NO_INDEX, seal, string_data, uleb128, utf16_units

RETURN_VOID = b"\x0e\x00"
STATIC = 0x8


@dataclass(frozen=True)
class Ref:
    """A method as code names it, by descriptors."""

    owner: str
    name: str
    result: str = "V"
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True)
class Invoke:
    """An invocation; opcode 0x6e to 0x72 with registers, 0x74 to 0x78 with a range, 0xfa and 0xfb polymorphic."""

    method: Ref
    opcode: int = 0x71


@dataclass(frozen=True)
class Const:
    """A string constant; opcode 0x1a, or 0x1b with a 32-bit index."""

    text: str
    opcode: int = 0x1A


Instruction = Invoke | Const | bytes


@dataclass(frozen=True)
class Method:
    name: str
    result: str = "V"
    parameters: tuple[str, ...] = ()
    flags: int = STATIC | 1
    code: tuple[Instruction, ...] | None = (RETURN_VOID,)


@dataclass(frozen=True)
class Class:
    descriptor: str
    methods: tuple[Method, ...] = ()
    superclass: str | None = "Ljava/lang/Object;"
    interfaces: tuple[str, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()
    """(name, type) of static fields."""


@dataclass
class _Pool:
    """Everything the tables must hold."""

    strings: set[str] = field(default_factory=set)
    types: set[str] = field(default_factory=set)
    protos: set[tuple[str, tuple[str, ...]]] = field(default_factory=set)
    methods: set[Ref] = field(default_factory=set)
    fields: set[tuple[str, str, str]] = field(default_factory=set)

    def add(self, ref: Ref) -> None:
        self.methods.add(ref)
        self.protos.add((ref.result, ref.parameters))
        self.types.update((ref.owner, ref.result, *ref.parameters))
        self.strings.update((ref.name, shorty(ref.result, ref.parameters)))


def shorty(result: str, parameters: Sequence[str]) -> str:
    return "".join("L" if item[0] in "L[" else item for item in (result, *parameters))


def _collect(classes: Sequence[Class]) -> _Pool:
    pool = _Pool()
    for item in classes:
        pool.types.update((item.descriptor, *item.interfaces, *([item.superclass] if item.superclass else [])))
        for name, kind in item.fields:
            pool.fields.add((item.descriptor, kind, name))
            pool.types.add(kind)
            pool.strings.add(name)
        for method in item.methods:
            pool.add(Ref(item.descriptor, method.name, method.result, method.parameters))
            for step in method.code or ():
                if isinstance(step, Invoke):
                    pool.add(step.method)
                elif isinstance(step, Const):
                    pool.strings.add(step.text)
    pool.strings |= pool.types
    return pool


class _Tables:
    """The same in the order of the file."""

    def __init__(self, pool: _Pool) -> None:
        self.strings = sorted(pool.strings, key=utf16_units)
        self.types = sorted(pool.types, key=self.strings.index)
        kinds = self.types.index
        self.protos = sorted(pool.protos, key=lambda item: (kinds(item[0]), [kinds(name) for name in item[1]]))
        self.methods = sorted(
            pool.methods,
            key=lambda ref: (
                kinds(ref.owner), self.strings.index(ref.name), self.protos.index((ref.result, ref.parameters))
            ),
        )  # fmt: skip
        self.fields = sorted(
            pool.fields, key=lambda item: (kinds(item[0]), self.strings.index(item[2]), kinds(item[1]))
        )

    def assemble(self, code: Sequence[Instruction]) -> bytes:
        out = b""
        for step in code:
            if isinstance(step, bytes):
                out += step
            elif isinstance(step, Const):
                index = self.strings.index(step.text)
                out += struct.pack("<BBH" if step.opcode == 0x1A else "<BBI", step.opcode, 0, index)
            else:
                extra = b"\0\0" if step.opcode >= 0xFA else b""
                out += struct.pack("<BBHH", step.opcode, 0, self.methods.index(step.method), 0) + extra
        return out


def build_code_dex(classes: Sequence[Class], version: str = "038") -> bytes:
    """A DEX of ``classes`` with their members and code."""
    tables = _Tables(_collect(classes))
    counts = [len(tables.strings), len(tables.types), len(tables.protos), len(tables.fields), len(tables.methods)]
    sizes = [4, 4, 12, 8, 8]
    offsets = [0x70]
    for count, size in zip(counts, sizes, strict=True):
        offsets.append(offsets[-1] + count * size)
    base = offsets[-1] + 32 * len(classes)
    data = bytearray()

    def put(raw: bytes) -> int:
        data.extend(bytes(-len(data) % 4))
        data.extend(raw)
        return base + len(data) - len(raw)

    def type_list(names: Sequence[str]) -> int:
        if not names:
            return 0
        return put(struct.pack(f"<I{len(names)}H", len(names), *(tables.types.index(name) for name in names)))

    string_ids = b"".join(struct.pack("<I", put(string_data(text))) for text in tables.strings)
    type_ids = b"".join(struct.pack("<I", tables.strings.index(name)) for name in tables.types)
    proto_ids = b"".join(
        struct.pack("<III", tables.strings.index(shorty(result, names)), tables.types.index(result), type_list(names))
        for result, names in tables.protos
    )
    field_ids = b"".join(
        struct.pack("<HHI", tables.types.index(owner), tables.types.index(kind), tables.strings.index(name))
        for owner, kind, name in tables.fields
    )
    method_ids = b"".join(
        struct.pack(
            "<HHI",
            tables.types.index(ref.owner),
            tables.protos.index((ref.result, ref.parameters)),
            tables.strings.index(ref.name),
        )
        for ref in tables.methods
    )
    class_defs = b""
    for item in classes:
        superclass = NO_INDEX if item.superclass is None else tables.types.index(item.superclass)
        interfaces = type_list(item.interfaces)
        class_data = _class_data(item, tables, put)
        index = tables.types.index(item.descriptor)
        class_defs += struct.pack("<8I", index, 1, superclass, interfaces, NO_INDEX, 0, class_data, 0)
    map_offset = put(struct.pack("<IHHII", 1, 0x1000, 0, 1, base))
    body = string_ids + type_ids + proto_ids + field_ids + method_ids + class_defs + bytes(data)
    pairs = [value for count, offset in zip(counts, offsets, strict=False) for value in (count, offset if count else 0)]
    header = struct.pack(
        "<20I", 0x70 + len(body), 0x70, 0x12345678, 0, 0, map_offset, *pairs,
        len(classes), offsets[-1] if classes else 0, len(data), base,
    )  # fmt: skip
    return seal(b"dex\n" + version.encode() + b"\0" + bytes(24) + header + body)


def _class_data(item: Class, tables: _Tables, put: object) -> int:
    if not item.methods and not item.fields:
        return 0
    assert callable(put)
    fields = sorted(tables.fields.index((item.descriptor, kind, name)) for name, kind in item.fields)
    methods = []
    for method in item.methods:
        offset = 0
        if method.code is not None:
            units = tables.assemble(method.code)
            offset = put(struct.pack("<4H2I", 4, 0, 4, 0, 0, len(units) // 2) + units)
        ref = Ref(item.descriptor, method.name, method.result, method.parameters)
        methods.append((tables.methods.index(ref), method.flags, offset))
    direct = sorted(entry for entry in methods if entry[1] & STATIC)
    virtual = sorted(entry for entry in methods if not entry[1] & STATIC)
    out = uleb128(len(fields)) + uleb128(0) + uleb128(len(direct)) + uleb128(len(virtual))
    before = 0
    for index in fields:
        out += uleb128(index - before) + uleb128(9)
        before = index
    for group in (direct, virtual):
        before = 0
        for index, flags, offset in group:
            out += uleb128(index - before) + uleb128(flags) + uleb128(offset)
            before = index
    return int(put(out))
