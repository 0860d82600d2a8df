"""The rules of the house that a machine can check: layers, doors, sizes, annotations, words."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "auditor"
MODULES = sorted(path for path in PACKAGE.rglob("*.py"))

LAYERS = {
    "cli": 6,
    "__main__": 7,
    "web": 6,
    "scan": 5,
    "report": 5,
    "fleet": 5,
    "workers": 5,
    "platforms": 4,
    "match": 4,
    "match_app": 4,
    "match_packers": 4,
    "match_version": 4,
    "learn": 4,
    "deep": 4,
    "judge": 4,
    "judge_record": 4,
    "merge": 4,
    "merge_app": 4,
    "merge_conflicts": 4,
    "sightings": 4,
    "inventory": 4,
    "catalog": 3,
    "containers": 3,
    "formats": 2,
    "model": 1,
    "errors": 1,
    "limits": 1,
    "__init__": 0,
}
"""Imports go to a lower number, or stay inside the same top-level module or layer."""

DOORS = {
    "androguard": ("formats",),
    "lief": ("formats",),
    "cryptography": ("formats",),
    "iphone_backup_decrypt": ("formats",),
    "lz4": ("formats",),
    "zstandard": ("formats",),
    "brotli": ("formats",),
    "tarfile": ("formats",),
    "sqlite_utils": ("inventory",),
    "click": ("cli",),
    "rich": ("cli", "report"),
}


def top(path: Path) -> str:
    relative = path.relative_to(PACKAGE)
    return relative.parts[0].removesuffix(".py")


def imports(tree: ast.AST, *, at_module_level: bool = False) -> Iterator[tuple[str, int]]:
    nodes = ast.iter_child_nodes(tree) if at_module_level else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            for name in node.names:
                yield name.name, node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module, node.lineno
            if node.module == "auditor":
                for name in node.names:
                    yield f"auditor.{name.name}", node.lineno


@pytest.fixture(scope="module")
def trees() -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text()) for path in MODULES}


def test_imports_follow_the_layers(trees: dict[Path, ast.Module]) -> None:
    wrong = []
    for path, tree in trees.items():
        here = top(path)
        if path == PACKAGE / "__init__.py":
            continue
        for name, line in imports(tree):
            parts = name.split(".")
            if parts[0] != "auditor" or len(parts) == 1 or parts[1] == "__version__":
                continue
            there = parts[1]
            if there != here and there in LAYERS and LAYERS[there] > LAYERS[here]:
                wrong.append(f"{path.relative_to(ROOT)}:{line} imports {name}")
    assert not wrong


def test_every_top_level_module_has_a_layer() -> None:
    assert {top(path) for path in MODULES} <= set(LAYERS)


def test_formats_know_nothing_of_what_is_above_them(trees: dict[Path, ast.Module]) -> None:
    allowed = {"formats", "model", "errors", "limits"}
    wrong = [
        f"{path.name}:{line} imports {name}"
        for path, tree in trees.items()
        if top(path) == "formats"
        for name, line in imports(tree)
        if name.startswith("auditor.") and name.split(".")[1] not in allowed
    ]
    assert not wrong


def test_libraries_have_one_door(trees: dict[Path, ast.Module]) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path, tree in trees.items()
        for name, line in imports(tree)
        if top(path) not in DOORS.get(name.split(".")[0], (top(path),))
    ]
    assert not wrong


def test_heavy_libraries_are_imported_only_where_they_are_used(trees: dict[Path, ast.Module]) -> None:
    heavy = {"androguard", "lief", "cryptography", "rich", "sqlite_utils", "asn1crypto", "lz4", "zstandard", "brotli"}
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path, tree in trees.items()
        if top(path) != "inventory"
        for name, line in imports(tree, at_module_level=True)
        if name.split(".")[0] in heavy
    ]
    assert not wrong


PURE = (
    "formats",
    "match",
    "match_app",
    "match_packers",
    "deep",
    "judge",
    "judge_record",
    "merge",
    "merge_app",
    "merge_conflicts",
    "sightings",
    "model",
    "limits",
    "errors",
)


def test_pure_modules_read_no_clock_file_or_environment(trees: dict[Path, ast.Module]) -> None:
    forbidden = {"os", "time", "subprocess", "socket", "tempfile", "pathlib", "urllib", "requests", "random", "shutil"}
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path, tree in trees.items()
        if top(path) in PURE
        for name, line in imports(tree)
        if name.split(".")[0] in forbidden
    ]
    assert not wrong


def test_no_subprocess_and_no_network_anywhere(trees: dict[Path, ast.Module]) -> None:
    forbidden = ("subprocess", "socket", "urllib.request", "requests", "http")
    wrong = [
        f"{path.relative_to(ROOT)}:{line}"
        for path, tree in trees.items()
        for name, line in imports(tree)
        if name.startswith(tuple(f"{item}." for item in forbidden)) or name in forbidden
    ]
    assert not wrong


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_modules_fit_in_500_lines() -> None:
    long = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in MODULES}
    assert {name: size for name, size in long.items() if size > 500} == {}


def test_functions_are_short(trees: dict[Path, ast.Module]) -> None:
    sizes = [
        ((node.end_lineno or node.lineno) - node.lineno + 1, f"{path.relative_to(ROOT)}:{node.name}")
        for path, tree in trees.items()
        for node in functions(tree)
    ]
    assert [name for size, name in sizes if size > 60] == []
    short = sum(size < 50 for size, _ in sizes)
    assert short / len(sizes) >= 0.95


def test_every_module_says_what_it_is_for(trees: dict[Path, ast.Module]) -> None:
    silent = [str(path.relative_to(ROOT)) for path, tree in trees.items() if not ast.get_docstring(tree)]
    assert [name for name in silent if (ROOT / name).read_text().strip()] == []


def test_public_functions_have_docstrings(trees: dict[Path, ast.Module]) -> None:
    missing = [
        f"{path.relative_to(ROOT)}:{node.name}"
        for path, tree in trees.items()
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
        and not (isinstance(node, ast.ClassDef) and top(path) == "model")
    ]
    assert missing == []


def test_one_broad_except(trees: dict[Path, ast.Module]) -> None:
    broad = [
        str(path.relative_to(ROOT))
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException")))
    ]
    assert [name for name in broad if name != "auditor/cli/__init__.py"] == ["auditor/scan.py"]


def test_no_meaningless_names() -> None:
    words = re.compile(r"(?:^|_)(?:utils?|helpers?|managers?|info|process|misc|common)(?:_|$)")
    assert [path.name for path in MODULES if words.search(path.stem)] == []


def test_format_modules_name_their_specification_and_their_limits(trees: dict[Path, ast.Module]) -> None:
    silent = [
        path.name
        for path, tree in trees.items()
        if top(path) == "formats"
        and path.name not in ("__init__.py", "blob.py")
        and "Not read:" not in (ast.get_docstring(tree) or "")
    ]
    assert silent == []


def test_help_imports_no_parser() -> None:
    code = (
        "import sys, auditor.cli\n"
        "heavy = {'androguard', 'lief', 'cryptography', 'rich', 'sqlite_utils', 'auditor.formats.dex'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_no_machine_path_and_no_registry_host_is_committed() -> None:
    listed = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=False, cwd=ROOT)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    places = "|".join(("wo" + "rk", "ro" + "ot", "fa" + "rm"))
    hosts = "|".join(("py" + "pi.org", "python" + "hosted", "registry.npm" + "js", "deb.deb" + "ian"))
    pattern = re.compile(rf"(?<![\w/.])/(?:{places})[/\s\"'`]|{hosts}")
    found = []
    for name in listed.stdout.split("\n"):
        path = ROOT / name
        if not name or path.suffix in (".apk", ".ipa", ".so", ".dex", ".zip", ".aab"):
            continue
        try:
            text = path.read_text()
        except (OSError, UnicodeDecodeError):
            continue
        found.extend(f"{name}:{number}" for number, line in enumerate(text.splitlines(), 1) if pattern.search(line))
    assert found == []
