"""Read which type a mangled Swift name declares: Module.Type, nested types in full.

Format: docs/ABI/Mangling.rst and docs/ABI/OldMangling.rst of the Swift compiler.

Not read: functions and their local types, constrained extensions, bound generic types, names beyond ASCII (Punycode).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from auditor.errors import FormatError

_PREFIX = re.compile(rb"_?(?:\$[sSe]|_T0)")
_OLD_PREFIX = b"_Tt"
DESCRIPTORS = (b"Mn", b"Mp")
"""How the symbols of nominal type descriptors and protocol descriptors end."""
_LENGTH = 1024
_DEPTH = 64
_WORDS = 26
_FOREIGN = "__C"
"""The module of what Swift imports from C and Objective-C."""
_NUMBER = re.compile(r"[1-9]\d{0,3}")

_STANDARD = {
    "A": "AutoreleasingUnsafeMutablePointer",
    "a": "Array",
    "b": "Bool",
    "D": "Dictionary",
    "d": "Double",
    "f": "Float",
    "h": "Set",
    "I": "DefaultIndices",
    "i": "Int",
    "J": "Character",
    "N": "ClosedRange",
    "n": "Range",
    "O": "ObjectIdentifier",
    "P": "UnsafePointer",
    "p": "UnsafeMutablePointer",
    "q": "Optional",
    "R": "UnsafeBufferPointer",
    "r": "UnsafeMutableBufferPointer",
    "S": "String",
    "s": "Substring",
    "u": "UInt",
    "V": "UnsafeRawPointer",
    "v": "UnsafeMutableRawPointer",
    "W": "UnsafeRawBufferPointer",
    "w": "UnsafeMutableRawBufferPointer",
}
"""Types of the standard library with a letter of their own, behind S."""


@dataclass(frozen=True, slots=True)
class _Context:
    """A module (no path), a type, or an extension of a type, by the module that declares it."""

    module: str
    path: tuple[str, ...] = ()


def type_of_symbol(symbol: bytes) -> str | None:
    """The type whose descriptor a symbol is, as Module.Type; None for any other symbol."""
    lead = _PREFIX.match(symbol)
    if lead is None or not symbol.endswith(DESCRIPTORS) or len(symbol) > _LENGTH or not symbol.isascii():
        return None
    found = _read(symbol[lead.end() : -2].decode("ascii"), protocol=symbol.endswith(b"Mp"))
    return _spell(found)


def type_of_mangled(name: bytes) -> tuple[str, ...] | None:
    """The path of a type inside its module, from the mangled name that metadata holds; None where it is not read."""
    if len(name) > _LENGTH or not name.isascii():
        return None
    found = _read(name.decode("ascii"), protocol=False)
    if found is None or not found.path or sum(map(len, found.path)) > _LENGTH:
        return None
    return found.path


def type_of_class(name: bytes) -> str | None:
    """The Swift class an Objective-C class name (_TtC...) stands for, as Module.Type; None for any other."""
    if not name.startswith(_OLD_PREFIX) or len(name) > _LENGTH or not name.isascii():
        return None
    try:
        found, position = _old_context(name.decode("ascii"), len(_OLD_PREFIX), 0)
    except FormatError:
        return None
    return _spell(found) if position == len(name) else None


def _spell(found: _Context | None) -> str | None:
    if found is None or not found.path or found.module.startswith(_FOREIGN):
        return None
    # Substitutions let a short symbol spell a long name; a thousand of them could fill the memory.
    if sum(map(len, found.path)) > _LENGTH:
        return None
    return ".".join((found.module, *found.path))


def _read(text: str, *, protocol: bool) -> _Context | None:
    """The one context a mangling leaves; of a protocol descriptor the name and its context are left."""
    plain = _read_plain(text, protocol=protocol)
    if plain is not None:
        return plain
    machine = _Machine(text)
    try:
        machine.run()
        if protocol:
            machine.nominal()
    except FormatError:
        return None
    (*others, last) = machine.stack or [""]
    return last if isinstance(last, _Context) and not others else None


def _read_plain(text: str, *, protocol: bool) -> _Context | None:
    """Most names at a tenth of the cost: module and nested types, spelled out; None where the machine is needed."""
    names = ["Swift"] if text.startswith("s") else []
    position = len(names)
    while position < len(text):
        length = _NUMBER.match(text, position)
        if length is None:
            return None
        start = length.end()
        position = start + int(length.group())
        name = text[start:position]
        if position > len(text):
            return None
        names.append(name)
        # A kind follows every name but the module's and that of a protocol, which is the last.
        if len(names) > 1 and not (protocol and position == len(text)):
            if text[position : position + 1] not in ("C", "V", "O"):
                return None
            position += 1
    if len(names) < 2 or (protocol and text[-1] in "CVO" and not text.endswith(names[-1])):
        return None
    return _Context(names[0], tuple(names[1:]))


class _Machine:
    """The stack of the mangling's postfix operators; what it does not know ends it with a FormatError."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.stack: list[str | _Context] = []
        self.substitutions: list[str | _Context] = []
        self.words: list[str] = []

    def run(self) -> None:
        """Consume the whole text."""
        while self.position < len(self.text):
            letter = self.text[self.position]
            if letter.isdigit():
                self.push(self.identifier())
                continue
            self.position += 1
            if letter in "CVOP":
                self.nominal()
            elif letter == "A":
                self.substitute()
            elif letter == "E":
                self.extension()
            elif letter == "L":
                self.private()
            elif letter == "s":
                self.stack.append(_Context("Swift"))
            elif letter == "S":
                self.standard()
            else:
                raise FormatError(f"operator {letter} is not read", self.position - 1)

    def take(self) -> str:
        if self.position >= len(self.text):
            raise FormatError("the mangled name is cut off", self.position)
        self.position += 1
        return self.text[self.position - 1]

    def push(self, item: str | _Context) -> None:
        """Push what later letters may refer to."""
        self.substitutions.append(item)
        self.stack.append(item)

    def pop_name(self) -> str:
        item = self.stack.pop() if self.stack else None
        if not isinstance(item, str):
            raise FormatError("a name is missing", self.position)
        return item

    def pop_context(self) -> _Context:
        item = self.stack.pop() if self.stack else None
        if item is None:
            raise FormatError("a context is missing", self.position)
        return _Context(item) if isinstance(item, str) else item

    def nominal(self) -> None:
        """Context and name become a type, the context of what follows."""
        name, context = self.pop_name(), self.pop_context()
        self.push(_Context(context.module, (*context.path, name)))

    def extension(self) -> None:
        """A type and a module become that module's extension of the type."""
        module, extended = self.pop_context(), self.pop_context()
        if module.path or not extended.path:
            raise FormatError("an extension without module or type", self.position)
        self.stack.append(_Context(module.module, extended.path))

    def private(self) -> None:
        """A name and the discriminator of its file become the name."""
        if self.take() != "L":
            raise FormatError("local types are not read", self.position)
        self.pop_name()
        self.stack.append(self.pop_name())

    def standard(self) -> None:
        letter = self.take()
        if letter in "oC":
            self.stack.append(_Context(_FOREIGN))
        elif letter in _STANDARD:
            self.stack.append(_Context("Swift", (_STANDARD[letter],)))
        else:
            raise FormatError(f"standard type S{letter} is not read", self.position)

    def substitute(self) -> None:
        """Indices by letter: small ones go on, a capital ends; a number before an underscore is a large index."""
        while True:
            start = self.position
            while self.position < len(self.text) and self.text[self.position].isdigit():
                self.position += 1
            number = self.text[start : self.position]
            letter = self.take()
            if letter == "_":
                self.refer(int(number[:4]) + 27 if number else 26)
                return
            if number or not letter.isalpha():
                raise FormatError("repeated substitutions are not read", start)
            self.refer(ord(letter.lower()) - ord("a"))
            if letter.isupper():
                return

    def refer(self, index: int) -> None:
        if index >= len(self.substitutions):
            raise FormatError(f"substitution {index} of {len(self.substitutions)}", self.position)
        self.stack.append(self.substitutions[index])

    def number(self) -> int:
        start = self.position
        while self.position < len(self.text) and self.text[self.position].isdigit():
            self.position += 1
        digits = self.text[start : self.position]
        if not digits or len(digits) > 4:
            raise FormatError("a length is missing", start)
        return int(digits)

    def identifier(self) -> str:
        """A length and a name, or behind 0 a mix of words that stood before and new text."""
        mixed = self.text[self.position] == "0"
        if mixed:
            self.position += 1
            if self.text[self.position : self.position + 1] == "0":
                raise FormatError("Punycode is not read", self.position)
        parts: list[str] = []
        while True:
            while mixed and self.text[self.position : self.position + 1].isalpha():
                letter = self.take()
                index = ord(letter.lower()) - ord("a")
                if index >= len(self.words):
                    raise FormatError(f"word {index} of {len(self.words)}", self.position)
                parts.append(self.words[index])
                mixed = letter.islower()
            if self.text[self.position : self.position + 1] == "0":
                self.position += 1
                break
            parts.append(self.literal(self.number()))
            if not mixed:
                break
        found = "".join(parts)
        if len(found) > _LENGTH:
            raise FormatError("a name longer than any symbol", self.position)
        return found

    def literal(self, length: int) -> str:
        """New text; its words can be referred to from now on."""
        text = self.text[self.position : self.position + length]
        if length == 0 or len(text) < length:
            raise FormatError("a name is cut off", self.position)
        self.position += length
        self.words += _words(text)[: max(_WORDS - len(self.words), 0)]
        return text


def _words(text: str) -> list[str]:
    """The words of a name: they begin at a letter and end before an underscore or a capital behind a small one."""
    found: list[str] = []
    start = -1
    for index, (before, letter) in enumerate(pairwise(f"_{text}_")):
        ends = letter == "_" or (not before.isupper() and letter.isupper())
        if start >= 0 and ends:
            if index - start >= 2:
                found.append(text[start:index])
            start = -1
        if start < 0 and letter != "_" and not letter.isdigit():
            start = index
    return found


def _old_context(text: str, position: int, depth: int) -> tuple[_Context, int]:
    """A module, or kind, context and name of a type, as the runtime's class names spell them.

    Raises:
        FormatError: it is something else.
    """
    letter = text[position : position + 1]
    if depth > _DEPTH:
        raise FormatError("types nested too deep", position)
    if letter in ("C", "V", "O"):
        context, position = _old_context(text, position + 1, depth + 1)
        name, position = _old_name(text, position)
        return _Context(context.module, (*context.path, name)), position
    if letter == "E":
        module, position = _old_context(text, position + 1, depth + 1)
        extended, position = _old_context(text, position, depth + 1)
        return _Context(module.module, extended.path), position
    if letter == "s":
        return _Context("Swift"), position + 1
    if text[position : position + 2] in ("So", "SC"):
        return _Context(_FOREIGN), position + 2
    name, position = _old_name(text, position)
    return _Context(name), position


def _old_name(text: str, position: int) -> tuple[str, int]:
    """A length and a name; behind P the discriminator of a private one comes first.

    Raises:
        FormatError: there is no name.
    """
    if text[position : position + 1] == "P":
        _, position = _old_name(text, position + 1)
    length = _NUMBER.match(text, position)
    if length is None:
        raise FormatError("no name", position)
    end = length.end() + int(length.group())
    if end == length.end() or end > len(text):
        raise FormatError("a name is cut off", position)
    return text[length.end() : end], end
