"""What a user installs: the wheel and the sdist, run from an empty folder."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.slow


def run(*command: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": "", **environment},
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wheel and sdist, built in isolation from a copy of what git tracks."""
    source = tmp_path_factory.mktemp("source")
    listed = run("git", "ls-files", "-z", cwd=ROOT)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    out = tmp_path_factory.mktemp("dist")
    done = run(sys.executable, "-m", "build", "--outdir", out, source, cwd=out)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return out


def test_the_wheel_holds_the_package_its_types_and_every_signature(built: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
    packaged = {f"auditor/{path.relative_to(ROOT / 'auditor')}" for path in (ROOT / "auditor").rglob("*.py")}
    data = {f"auditor/signatures/{path.relative_to(ROOT / 'signatures')}" for path in ROOT.glob("signatures/**/*.toml")}
    assert packaged <= names
    assert data <= names
    assert "auditor/py.typed" in names
    assert not [name for name in names if name.startswith(("tests/", "samples/"))]


def test_the_sdist_holds_what_is_needed_to_build_and_test(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"setup.cfg", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md"} <= names
    assert "samples/manifest.toml" in names
    assert any(name.startswith("signatures/policies/") for name in names)


@pytest.mark.parametrize("pattern", ["*.whl", "*.tar.gz"])
def test_the_installed_command_works_from_an_empty_folder(built: Path, tmp_path: Path, pattern: str) -> None:
    place = tmp_path / "venv"
    # The dependencies of this environment serve; only the package itself is installed from what was built.
    assert run(sys.executable, "-m", "venv", "--system-site-packages", place, cwd=tmp_path).returncode == 0
    python = place / "bin" / "python"
    paths = [path for path in sys.path if path.endswith("site-packages")]
    (next((place / "lib").iterdir()) / "site-packages" / "outer.pth").write_text("\n".join(paths))
    done = run(
        python, "-m", "pip", "install", "-q", "--no-deps", "--ignore-installed", next(built.glob(pattern)), cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr[-2000:]
    empty = tmp_path / "empty"
    empty.mkdir()
    command = place / "bin" / "auditor"
    listed = run(command, "signatures", "list", cwd=empty)
    assert listed.returncode == 0, listed.stderr
    assert "wechat-pay" in listed.stdout
    where = run(python, "-c", "import auditor; print(auditor.__file__)", cwd=empty)
    assert str(place) in where.stdout, "the installed package answers, not the checkout"
    found = run(command, "check", ROOT / "samples" / "android" / "sdk-alipay.apk", cwd=empty)
    assert found.returncode == 1, found.stderr
    assert "Alipay" in found.stdout
    assert list(empty.iterdir()) == []


def test_a_plain_checkout_finds_its_signatures_beside_it(tmp_path: Path) -> None:
    code = "import auditor; print(len(auditor.load_catalog().subjects))"
    done = run(sys.executable, "-c", code, cwd=ROOT, PYTHONSAFEPATH="")
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 9
