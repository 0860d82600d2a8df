"""Files of frameworks that carry JavaScript: Hermes bytecode, RAM bundles, plugin lists, mini-program packages."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Mapping

HERMES_MAGIC = bytes.fromhex("c61fbc03c103191f")
HERMES_HEADER = 128


def hermes(
    strings: Iterable[str] = ("global",),
    version: int = 96,
    functions: int = 1,
    *,
    magic: bytes = HERMES_MAGIC,
    overflow_all: bool = False,
    length: int | None = None,
) -> bytes:
    """A bytecode file of these strings; ASCII is stored in bytes, anything else in UTF-16.

    Half of the strings count as identifiers, which gives two runs of kinds.
    ``overflow_all`` describes every string in the table of overflows.
    """
    small, overflow, storage = [], [], b""
    listed = list(strings)
    for text in listed:
        wide = not text.isascii()
        raw = text.encode("utf-16-le", "surrogatepass") if wide else text.encode()
        units = len(raw) // 2 if wide else len(raw)
        if overflow_all or units >= 255 or len(storage) >= 1 << 23:
            small.append(int(wide) | len(overflow) << 1 | 255 << 24)
            overflow.append((len(storage), units))
        else:
            small.append(int(wide) | len(storage) << 1 | units << 24)
        storage += raw
    identifiers = len(listed) // 2
    runs = struct.pack("<2I", len(listed) - identifiers, identifiers | 1 << 31)
    body = bytes((12 if version >= 97 else 16) * functions) + runs + bytes(4 * identifiers)
    body += struct.pack(f"<{len(small)}I", *small)
    body += b"".join(struct.pack("<II", *pair) for pair in overflow) + storage
    total = HERMES_HEADER + len(body) + 20 if length is None else length
    counts = (total, 0, functions, 2, identifiers, len(listed), len(overflow), len(storage))
    header = magic + struct.pack("<I", version) + bytes(range(20)) + struct.pack("<8I", *counts)
    return header.ljust(HERMES_HEADER, b"\0") + body + bytes(20)


def ram_bundle(modules: Iterable[str], startup: str = "var startup;", *, shift: int = 0) -> bytes:
    """An indexed RAM bundle; ``shift`` moves every module by so many bytes."""
    texts = [module.encode() + b"\0" for module in modules]
    table, offset = b"", len(startup) + 1
    for text in texts:
        table += struct.pack("<II", offset + shift, len(text))
        offset += len(text)
    head = struct.pack("<III", 0xFB0BD1E5, len(texts), len(startup) + 1)
    return head + table + startup.encode() + b"\0" + b"".join(texts)


def cordova_list(plugins: Mapping[str, str]) -> bytes:
    """cordova_plugins.js as a build of Cordova writes it: a script and a version for each plugin."""
    scripts = [
        {"id": f"{name}.Main", "file": f"plugins/{name}/www/main.js", "pluginId": name, "clobbers": ["x"]}
        for name in plugins
    ]
    lines = [
        "cordova.define('cordova/plugin_list', function(require, exports, module) {",
        f"module.exports = {json.dumps(scripts, indent=2)};",
        "module.exports.metadata = ",
        "// TOP OF METADATA",
        json.dumps(plugins, indent=2) + ";",
        "// BOTTOM OF METADATA",
        "});",
    ]
    return "\n".join(lines).encode()


def wxapkg(files: Mapping[str, bytes], *, last: int = 0xED, count: int | None = None) -> bytes:
    """A package of a mini-program."""
    size = 4 + sum(12 + len(name.encode()) for name in files)
    place = 14 + size
    index = struct.pack(">I", len(files) if count is None else count)
    for name, content in files.items():
        raw = name.encode()
        index += struct.pack(">I", len(raw)) + raw + struct.pack(">II", place, len(content))
        place += len(content)
    body = b"".join(files.values())
    return struct.pack(">BIIIB", 0xBE, 0, len(index), len(body), last) + index + body
