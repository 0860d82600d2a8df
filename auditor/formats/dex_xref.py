"""Cross-references of a DEX file: which methods call the methods of given classes, which classes hold given strings.

Specification: https://source.android.com/docs/core/runtime/dalvik-bytecode
Not read: calls by reflection or through an interface of another class, fields, types that code only mentions.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from auditor.formats.dex_code import DexCode
from auditor.formats.mutf8 import mutf8_bytes, parse_mutf8


@dataclass(frozen=True, slots=True, order=True)
class Call:
    """An invocation in the code of one class of a method that another class names."""

    callee_class: str
    """Dotted, as the code names it: the class a method is looked up in, which may inherit it."""
    callee: str
    caller_class: str
    caller: str

    def __str__(self) -> str:
        return f"{self.caller_class}#{self.caller} -> {self.callee_class}#{self.callee}"


def find_calls(code: DexCode, is_callee: Callable[[str], bool], is_caller: Callable[[str], bool]) -> Iterator[Call]:
    """Every invocation from a class of the one kind of a method of the other, once for each method it stands in."""
    targets: dict[int, tuple[str, str] | None] = {}
    for item in code:
        caller_class = _dotted(code.descriptor(item.type))
        if not caller_class or not is_caller(caller_class):
            continue
        for method in item.methods:
            for index in dict.fromkeys(method.calls):
                if index not in targets:
                    targets[index] = _target(code, index, is_callee)
                target = targets[index]
                caller = code.method(method.index)
                if target is not None and caller is not None and target[0] != caller_class:
                    yield Call(*target, caller_class, caller[2])


def _target(code: DexCode, index: int, is_callee: Callable[[str], bool]) -> tuple[str, str] | None:
    method = code.method(index)
    if method is None:
        return None
    name = _dotted(code.descriptor(method[0]))
    return (name, method[2]) if name and is_callee(name) else None


def find_holders(code: DexCode, strings: Collection[str]) -> Iterator[tuple[str, str]]:
    """(dotted class, string) for every one of ``strings`` that the code of a class loads."""
    wanted = {mutf8_bytes(value).decode("latin-1"): value for value in strings}
    seen: dict[int, str | None] = {}
    for item in code:
        for method in item.methods:
            for index in method.strings:
                if index not in seen:
                    seen[index] = wanted.get(code.string(index))
                held = seen[index]
                if held is not None:
                    yield _dotted(code.descriptor(item.type)), held


def class_of(code: DexCode, type_index: int) -> str:
    """Dotted name of a class; empty for what is none."""
    return _dotted(code.descriptor(type_index))


def _dotted(descriptor: str) -> str:
    if not descriptor.startswith("L") or not descriptor.endswith(";"):
        return ""
    text = descriptor[1:-1].replace("/", ".")
    return text if text.isascii() else parse_mutf8(text.encode("latin-1"))
