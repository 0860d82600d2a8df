"""ELF libraries from own C: compiled by clang, linked by lld, small and with a build id."""

from __future__ import annotations

from pathlib import Path

from recipes.toolchain import cached, run

TARGET = "aarch64-linux-android21"


def library(source: str, soname: str = "", objects: tuple[tuple[str, bytes], ...] = ()) -> bytes:
    """Compile one C file to a stripped library; ``objects`` are files the source includes as bytes."""

    def make(folder: Path) -> bytes:
        (folder / "n.c").write_text(source)
        for name, data in objects:
            (folder / name).write_bytes(data)
        run("clang-14", f"--target={TARGET}", "-fPIC", "-O1", "-c", "n.c", cwd=folder)
        link = ["ld.lld-14", "-shared", "-s", "-z", "max-page-size=4096", "--build-id=sha1", "n.o", "-o", "out"]
        run(*link, *(["-soname", soname] if soname else []), cwd=folder)
        return (folder / "out").read_bytes()

    return cached(make, TARGET, source, soname, objects)


def functions(*names: str) -> str:
    """C text of exported functions that do nothing."""
    return "".join(f"int {name}(void *env, void *self) {{ return 0; }}\n" for name in names)
