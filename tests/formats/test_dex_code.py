"""Members, calls and strings of the classes of a DEX file."""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
import zipfile
from pathlib import Path

import pytest

from auditor.errors import FormatError
from auditor.formats.dex import parse_dex, parse_dex_container
from auditor.formats.dex_code import ClassCode, DexCode
from tests.builders.dex import uleb128
from tests.builders.dex_code import RETURN_VOID, STATIC, Class, Const, Instruction, Invoke, Method, Ref, build_code_dex

SAMPLES = Path(__file__).parents[2] / "samples/android"
OPEN = Ref("Ljava/io/File;", "exists", "Z")
LOG = Ref("Landroid/util/Log;", "d", "I", ("Ljava/lang/String;", "Ljava/lang/String;"))


def code_of(data: bytes) -> DexCode:
    return DexCode(parse_dex(data).classes)


def described(code: DexCode, item: ClassCode) -> dict[str, tuple[list[str], list[str]]]:
    """Names of calls and strings by method name."""
    found = {}
    for method in item.methods:
        known = code.method(method.index)
        assert known is not None
        calls = [code.method(index) for index in method.calls]
        found[known[2]] = (
            ["?" if call is None else f"{code.descriptor(call[0])}.{call[2]}" for call in calls],
            [code.string(index) for index in method.strings],
        )
    return found


def body(*steps: Instruction) -> tuple[list[str], list[str]]:
    """What one method of those instructions refers to."""
    code = code_of(build_code_dex([Class("La/B;", (Method("m", code=(*steps, RETURN_VOID)),))]))
    (item,) = code
    assert code.unread == 0
    return described(code, item)["m"]


def test_a_class_is_read_with_its_members() -> None:
    methods = (
        Method("zero"),
        Method("one", "Z", ("I", "[Ljava/lang/String;"), flags=1, code=(Const("text"), Invoke(OPEN), RETURN_VOID)),
        Method("two", flags=0x401, code=None),
    )
    made = Class("La/B;", methods, "Landroid/app/Activity;", ("Ljava/lang/Runnable;", "La/I;"), (("f", "I"),))
    code = code_of(build_code_dex([made, Class("La/Empty;")]))
    first, second = code
    assert code.descriptor(first.type) == "La/B;"
    assert code.descriptor(first.superclass or 0) == "Landroid/app/Activity;"
    assert [code.descriptor(index) for index in first.interfaces] == ["Ljava/lang/Runnable;", "La/I;"]
    assert [(static, code.descriptor(kind)) for static, kind in first.fields] == [(True, "I")]
    assert described(code, first) == {
        "zero": ([], []),
        "one": (["Ljava/io/File;.exists"], ["text"]),
        "two": ([], []),
    }
    assert (second.methods, second.fields, second.interfaces) == ((), (), ())
    flags = {method.access_flags & STATIC for method in first.methods}
    assert flags == {0, STATIC}


def test_prototypes_are_read_by_index() -> None:
    made = Method("one", "Z", ("I", "[Ljava/lang/String;"), flags=1)
    code = code_of(build_code_dex([Class("La/B;", (made,))]))
    (item,) = code
    method = code.method(item.methods[0].index)
    assert method is not None
    prototype = code.prototype(method[1])
    assert prototype is not None
    assert code.descriptor(prototype[0]) == "Z"
    assert [code.descriptor(index) for index in prototype[1]] == ["I", "[Ljava/lang/String;"]


def test_java_lang_object_has_no_superclass() -> None:
    (item,) = code_of(build_code_dex([Class("Ljava/lang/Object;", superclass=None)]))
    assert item.superclass is None


@pytest.mark.parametrize("opcode", [*range(0x6E, 0x73), *range(0x74, 0x79), 0xFA, 0xFB])
def test_every_invocation_is_seen(opcode: int) -> None:
    assert body(Invoke(LOG, opcode), Const("behind")) == (["Landroid/util/Log;.d"], ["behind"])


@pytest.mark.parametrize("opcode", [0x1A, 0x1B])
def test_every_string_constant_is_seen(opcode: int) -> None:
    assert body(Const("a", opcode), Const("b", opcode), Invoke(LOG)) == (["Landroid/util/Log;.d"], ["a", "b"])


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(struct.pack("<HHi3i", 0x100, 3, 0, 1, 2, 0x1A), id="packed-switch"),
        pytest.param(struct.pack("<HH4i", 0x200, 2, 1, 2, 0x1A, 0x6E), id="sparse-switch"),
        pytest.param(struct.pack("<HHI", 0x300, 1, 3) + b"\x1a\x1b\x6e\0", id="an odd number of bytes"),
        pytest.param(struct.pack("<HHI", 0x300, 8, 1) + bytes(range(0x6A, 0x72)), id="an array of long"),
        pytest.param(struct.pack("<HHI", 0x300, 1, 0), id="an empty array"),
    ],
)
def test_tables_of_data_are_no_instructions(table: bytes) -> None:
    assert body(Invoke(LOG), RETURN_VOID, table, Const("behind")) == (["Landroid/util/Log;.d"], ["behind"])


# Formats of the instruction set: opcode, and the 16-bit units its instruction takes.
UNITS = {
    0x00: 1, 0x01: 1, 0x02: 2, 0x03: 3, 0x04: 1, 0x05: 2, 0x06: 3, 0x07: 1, 0x08: 2, 0x09: 3, 0x0A: 1, 0x0D: 1, 0x0E: 1,
    0x11: 1, 0x12: 1, 0x13: 2, 0x14: 3, 0x15: 2, 0x16: 2, 0x17: 3, 0x18: 5, 0x19: 2, 0x1C: 2, 0x1D: 1, 0x1E: 1, 0x1F: 2,
    0x20: 2, 0x21: 1, 0x22: 2, 0x23: 2, 0x24: 3, 0x25: 3, 0x26: 3, 0x27: 1, 0x28: 1, 0x29: 2, 0x2A: 3, 0x2B: 3, 0x2C: 3,
    0x2D: 2, 0x31: 2, 0x32: 2, 0x3D: 2, 0x3E: 1, 0x43: 1, 0x44: 2, 0x51: 2, 0x52: 2, 0x5F: 2, 0x60: 2, 0x6D: 2, 0x73: 1,
    0x79: 1, 0x7A: 1, 0x7B: 1, 0x8F: 1, 0x90: 2, 0xAF: 2, 0xB0: 1, 0xCF: 1, 0xD0: 2, 0xD7: 2, 0xD8: 2, 0xE2: 2, 0xE3: 1,
    0xF9: 1, 0xFC: 3, 0xFD: 3, 0xFE: 2, 0xFF: 2,
}  # fmt: skip


@pytest.mark.parametrize("opcode", UNITS, ids=hex)
def test_other_instructions_are_passed_by_their_length(opcode: int) -> None:
    # What an instruction carries would be an invocation if it were taken for one.
    inside = (b"\x6e\x10" * UNITS[opcode])[: 2 * UNITS[opcode] - 2]
    assert body(bytes([opcode, 0]) + inside, Const("behind")) == ([], ["behind"])


@pytest.mark.parametrize("rest", [b"\x6e\x10", b"\x1a\x00", b"\x18\x00" + bytes(6), b"\x00\x03", b"\x14\x00\x1a\x00"])
def test_half_an_instruction_at_the_end_refers_to_nothing(rest: bytes) -> None:
    code = code_of(build_code_dex([Class("La/B;", (Method("m", code=(Const("before"), rest)),))]))
    (item,) = code
    assert described(code, item)["m"] == ([], ["before"])


def test_code_that_ends_outside_is_counted_as_unread() -> None:
    data = build_code_dex([Class("La/B;", (Method("m", code=(Const("text"), RETURN_VOID)),))])
    header = struct.pack("<4H2I", 4, 0, 4, 0, 0, 3)
    assert data.count(header) == 1
    code = code_of(data.replace(header, struct.pack("<4H2I", 4, 0, 4, 0, 0, 1 << 30)))
    (item,) = code
    assert described(code, item)["m"] == ([], [])
    assert code.unread == 1


def test_code_that_lies_inside_other_code_is_read_within_a_budget() -> None:
    """Many methods that share the bytes of a large one must not multiply the work."""
    large = Method("large", code=(*[Const("text")] * 5000, RETURN_VOID))
    many = tuple(Method(f"m{number}", code=(bytes([0x16, number % 256]) * 2,)) for number in range(200))
    data = bytearray(build_code_dex([Class("La/B;", (large, *many))]))
    start = data.index(struct.pack("<I", 2 * 5000 + 1) + b"\x1a\0")
    for number in range(200):
        # The code of every small method is made to lie over the large one, two bytes apart.
        place = data.index(bytes([0x16, number % 256]) * 2, start if number == 0x1A else 0)
        data[place - 4 : place] = struct.pack("<I", (len(data) - place) // 4)
    code = code_of(bytes(data))
    (item,) = code
    assert sum(len(method.strings) for method in item.methods) < len(data)


@pytest.mark.parametrize("index", [5000, 0xFFFF])
def test_an_index_outside_names_nothing(index: int) -> None:
    code = code_of(build_code_dex([Class("La/B;", (Method("m"),))]))
    assert code.method(index) is None
    assert code.prototype(index) is None
    assert code.descriptor(index) == ""
    assert code.string(index) == ""


def gone_through(data: bytes) -> None:
    try:
        files = parse_dex_container(data)
    except FormatError:
        return
    for dex in files:
        code = DexCode(dex.classes)
        for item in code:
            described(code, item) if all(code.method(method.index) for method in item.methods) else None


RICH = build_code_dex(
    [
        Class(
            "La/B;",
            (
                Method("one", "Z", ("I",), 1, (Const("x"), Invoke(LOG), RETURN_VOID)),
                Method("two", code=(b"\x2b\x00\x04\0\0\0", RETURN_VOID, struct.pack("<HHi2i", 0x100, 2, 0, 1, 2))),
            ),
            "Landroid/app/Activity;",
            ("La/I;",),
            (("f", "I"),),
        ),
        Class("La/I;"),
    ]
)


def test_every_truncation_gives_a_result_or_a_format_error() -> None:
    for size in range(len(RICH)):
        gone_through(RICH[:size])


def test_bit_flips_give_a_result_or_a_format_error() -> None:
    random_bits = random.Random(20261122)
    for _ in range(1000):
        data = bytearray(RICH)
        for _ in range(random_bits.randint(1, 4)):
            data[random_bits.randrange(len(data))] ^= 1 << random_bits.randrange(8)
        gone_through(bytes(data))


def by_androguard(data: bytes) -> dict[tuple[str, str, str], tuple[list[str], list[int]]]:
    """Calls and strings of each method, from androguard's disassembler."""
    pytest.importorskip("loguru").logger.remove()
    dex = pytest.importorskip("androguard.core.dex").DEX(data)
    found = {}
    for method in dex.get_encoded_methods():
        calls: list[str] = []
        strings: list[int] = []
        for step in method.get_instructions():
            opcode = step.get_op_value()
            if step.get_name().startswith("invoke-"):
                owner, name, _ = dex.get_cm_method(step.get_ref_kind())
                calls.append(f"{owner}.{name}".replace(" ", ""))
            elif opcode in (0x1A, 0x1B):
                strings.append(step.get_ref_kind())
        key = (method.get_class_name(), method.get_name(), method.get_descriptor().replace(" ", ""))
        found[key] = (calls, strings)
    return found


def ours(data: bytes) -> dict[tuple[str, str, str], tuple[list[str], list[int]]]:
    code = code_of(data)
    found: dict[tuple[str, str, str], tuple[list[str], list[int]]] = {}
    for item in code:
        for method in item.methods:
            known = code.method(method.index)
            assert known is not None
            result, parameters = code.prototype(known[1]) or (0, ())
            text = f"({''.join(map(code.descriptor, parameters))}){code.descriptor(result)}"
            called = [code.method(index) for index in method.calls]
            names = ["?" if call is None else f"{code.descriptor(call[0])}.{call[2]}" for call in called]
            found[code.descriptor(item.type), known[2], text] = (names, list(method.strings))
    assert code.unread == 0
    return found


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.apk"))[::30], ids=lambda path: path.name)
def test_androguard_sees_the_same_in_what_d8_made(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".dex")]
        files = [archive.read(name) for name in names]
    for data in files:
        if data.startswith(b"dex\n"):
            assert ours(data) == by_androguard(data)


SMALI = """.class public La/Smali;
.super Ljava/lang/Object;
.method public static all(I)V
    .registers 4
    const-wide v0, 0x6e1a6e1a6e1aL
    const-string/jumbo v0, "jumbo"
    const-string v1, "plain"
    packed-switch p0, :table
    sparse-switch p0, :pairs
    new-array v2, p0, [B
    fill-array-data v2, :bytes
    invoke-static/range {v0 .. v1}, La/Other;->two(Ljava/lang/String;Ljava/lang/String;)V
    :first
    invoke-virtual {v1}, Ljava/lang/String;->length()I
    return-void
    :bytes
    .array-data 1
        0x1at
        0x6et
        0x1bt
    .end array-data
    :table
    .packed-switch 0x0
        :first
    .end packed-switch
    :pairs
    .sparse-switch
        0x1a -> :first
    .end sparse-switch
.end method
"""


@pytest.mark.tools
@pytest.mark.skipif(shutil.which("smali") is None, reason="smali is not installed")
def test_androguard_sees_the_same_in_what_smali_made(tmp_path: Path) -> None:
    (tmp_path / "a.smali").write_text(SMALI)
    out = tmp_path / "a.dex"
    subprocess.run(["smali", "assemble", "-o", str(out), str(tmp_path / "a.smali")], check=True, capture_output=True)
    data = out.read_bytes()
    assert ours(data) == by_androguard(data)
    ((names, strings),) = ours(data).values()
    assert names == ["La/Other;.two", "Ljava/lang/String;.length"]
    assert [code_of(data).string(index) for index in strings] == ["jumbo", "plain"]


def with_methods(count: int, calls: int, copies: int = 1) -> bytes:
    """A class of methods that share one body, and as many method_ids; each is listed so many times."""
    data = bytearray(build_code_dex([Class("La/B;", (Method("m", code=(Invoke(OPEN), RETURN_VOID)),))]))
    data += bytes(-len(data) % 4)
    row = data[struct.unpack_from("<I", data, 0x5C)[0] :][:8]
    struct.pack_into("<2I", data, 0x58, count, len(data))
    data += row * count
    body = len(data)
    data += struct.pack("<4H2I", 1, 0, 0, 0, 0, 3 * calls) + struct.pack("<2B2H", 0x71, 0, 0, 0) * calls
    struct.pack_into("<I", data, struct.unpack_from("<I", data, 0x64)[0] + 24, len(data))
    data += bytes(2) + uleb128(count * copies) + bytes(1)
    data += (bytes(1) + uleb128(STATIC) + uleb128(body)) * (count * copies)
    struct.pack_into("<I", data, 0x20, len(data))
    return bytes(data)


def test_methods_may_share_a_body() -> None:
    code = code_of(with_methods(count=5, calls=3))
    (item,) = code
    assert [len(method.calls) for method in item.methods] == [3] * 5
    assert code.unread == 0


def test_a_second_pass_sees_what_the_first_saw() -> None:
    """Each pass has the whole allowance, and counts anew what it could not read."""
    whole, cut = code_of(with_methods(count=400, calls=3)), code_of(with_methods(count=10, calls=1, copies=50))
    for code in (whole, cut):
        first, unread = [item.methods for item in code], code.unread
        for _ in range(5):
            assert [item.methods for item in code] == first
            assert code.unread == unread


def test_a_body_that_thousands_of_methods_share_is_not_gone_through_each_time() -> None:
    """65 536 methods with one body of 60 000 calls: four thousand million calls in a megabyte."""
    data = with_methods(count=65_536, calls=60_000)
    code = code_of(data)
    (item,) = code
    assert sum(len(method.calls) for method in item.methods) <= 3 * len(data)
    assert code.unread != 0


def test_methods_beyond_those_that_have_an_index_are_not_read() -> None:
    code = code_of(with_methods(count=10, calls=1, copies=50))
    (item,) = code
    assert (len(item.methods), code.unread) == (10, 1)


def test_a_body_of_four_gigabytes_is_counted_as_unread() -> None:
    data = bytearray(with_methods(count=1, calls=1))
    at = data.index(struct.pack("<4H2I", 1, 0, 0, 0, 0, 3)) + 12
    struct.pack_into("<I", data, at, 0xFFFFFFFF)
    code = code_of(bytes(data))
    (item,) = code
    assert ([method.calls for method in item.methods], code.unread) == ([()], 1)
