"""What a linked Apple binary carries of an SDK: from the linker's map file and LLVM's own tools, never from ours.

Every object file of a vendor's library is linked under a name that starts with the SDK's family and a dot, so the
map tells for each live symbol which SDK it came from.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

_OBJECT = re.compile(r"\[ *(\d+)\] (.*?)")
_MEMBER = re.compile(r".*\.a\((.*)\)")
_SYMBOL = re.compile(r"0x[0-9A-Fa-f]+\t(?:0x[0-9A-Fa-f]+\t)?\[ *(\d+)\] (.*)")
_CLASS = "_OBJC_CLASS_$_"
_EXPORT = re.compile(r"0x[0-9A-Fa-f]+ +(\S+)")
_DATA = re.compile(r" +data 0x[0-9a-f]+ \(struct class_ro_t \*\)")
_STRING = re.compile(r"[0-9a-f]{8,16}  (.*)")
_NAME = re.compile(r" +name 0x[0-9a-f]+ (\S+)")


@dataclass(frozen=True, slots=True)
class LinkMap:
    """The live symbols of one link."""

    objects: Mapping[str, frozenset[str]]
    """Object file: the symbols it gave to the output."""

    def of_family(self, family: str) -> frozenset[tuple[str, str]]:
        """What the output holds of one SDK, as (object file, symbol)."""
        prefix = f"{family}."
        return frozenset(
            (name, symbol) for name, symbols in self.objects.items() if name.startswith(prefix) for symbol in symbols
        )

    def classes(self, family: str) -> frozenset[str]:
        """Names of the SDK's Objective-C classes in the output."""
        return objc_classes(symbol for _, symbol in self.of_family(family))


def parse_link_map(text: str) -> LinkMap:
    """Read a map file of lld or ld64: its live symbols, without those listed as dead-stripped.

    Raises:
        ValueError: the text has no section of object files or of symbols.
    """
    names: dict[str, str] = {}
    symbols: dict[str, set[str]] = {}
    section, seen = "", set()
    for line in text.splitlines():
        if line.startswith("# ") and line.endswith(":"):
            section = line[2:-1]
            seen.add(section)
        elif section == "Object files" and (found := _OBJECT.fullmatch(line)):
            member = _MEMBER.fullmatch(found.group(2))
            names[found.group(1)] = Path(member.group(1) if member else found.group(2)).name
        elif section == "Symbols" and (found := _SYMBOL.fullmatch(line)):
            symbols.setdefault(names.get(found.group(1), ""), set()).add(found.group(2))
    if not {"Object files", "Symbols"} <= seen:
        raise ValueError("this is no link map")
    return LinkMap({name: frozenset(found) for name, found in symbols.items()})


def objc_classes(symbols: Iterable[str]) -> frozenset[str]:
    """The class names among symbols; metaclasses and references are none."""
    return frozenset(name.removeprefix(_CLASS) for name in symbols if name.startswith(_CLASS))


def _output(*words: str | Path) -> str:
    done = subprocess.run([str(word) for word in words], capture_output=True, check=False, timeout=120)
    if done.returncode != 0:
        raise RuntimeError(f"{words[0]}: {done.stderr.decode(errors='replace')[-300:]}")
    return done.stdout.decode(errors="replace")


def symbol_names(text: str) -> list[str]:
    """The defined symbols of ``llvm-nm`` output."""
    words = (line.split() for line in text.splitlines())
    return [parts[2] for parts in words if len(parts) == 3 and parts[1] not in "Uu"]


def export_names(text: str) -> list[str]:
    """The names of ``llvm-objdump --exports-trie`` output."""
    return [found.group(1) for line in text.splitlines() if (found := _EXPORT.match(line))]


def metadata_names(text: str) -> list[str]:
    """The class names of ``llvm-objdump --objc-meta-data`` output: the first name behind each read-only part."""
    found, inside = [], False
    for line in text.splitlines():
        if _DATA.fullmatch(line):
            inside = True
        elif inside and (name := _NAME.fullmatch(line)):
            found.append(name.group(1))
            inside = False
    return found


def string_values(text: str) -> list[str]:
    """The strings of ``llvm-objdump --section`` output of a section of C strings."""
    return [found.group(1) for line in text.splitlines() if (found := _STRING.fullmatch(line))]


def readable_classes(path: Path, *, encrypted: bool) -> frozenset[str]:
    """Names of Objective-C classes that LLVM's tools still read in a linked file; other strings may be among them.

    The metadata of an encrypted file is ciphertext and is not asked. LLVM 14 does not follow the chained pointers of
    newer linkers: there a class counts as named when its name is one of the C strings.
    """
    names = objc_classes(symbol_names(_output("llvm-nm-14", path)))
    names |= objc_classes(export_names(_output("llvm-objdump-14", "--macho", "--exports-trie", path)))
    if encrypted:
        return names
    metadata = metadata_names(_output("llvm-objdump-14", "--macho", "--objc-meta-data", path))
    if not metadata:
        metadata = string_values(_output("llvm-objdump-14", "--macho", "--section=__TEXT,__cstring", path))
    return names | frozenset(metadata)


def defined_classes(objects: Mapping[str, bytes], folder: Path) -> frozenset[str]:
    """Names of the Objective-C classes that unlinked object files define."""
    found: set[str] = set()
    for name, data in objects.items():
        path = folder / name
        path.write_bytes(data)
        found |= objc_classes(symbol_names(_output("llvm-nm-14", path)))
    return frozenset(found)
