"""``signatures learn``: from SDK binaries to the TOML a clause asks for."""

from __future__ import annotations

import hashlib
import tomllib
import zipfile
from pathlib import Path

import pytest

from auditor.catalog import find_faults
from tests.builders.catalog_files import SIGNATURE, catalog_files, changed
from tests.builders.class_file import class_file
from tests.cli.conftest import Invoke

MARK = "https://gate.pay.example/api"


def jar(path: Path, **classes: list[str]) -> Path:
    """A jar of classes with these literals; ``a_b`` is the class a.b."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, literals in classes.items():
            archive.writestr(f"{name.replace('_', '/')}.class", class_file(literals))
    return path


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    jar(tmp_path / "old.jar", com_pay_Task=[MARK, "PaySdk/1.0", "_payreq_sign"], org_json_Text=["bundled pay.example"])
    jar(tmp_path / "new.jar", com_pay_Task=[MARK, "PaySdk/2.0", "a pay.example word"])
    jar(tmp_path / "aggregator.jar", com_all_Share=["_payreq_sign", "a pay.example word"])
    (tmp_path / "unrelated").mkdir()
    jar(tmp_path / "unrelated" / "app.jar", com_else_Main=["something unrelated", "PaySdk/1.0"])
    return tmp_path


def words(shelf: Path) -> list[str]:
    builds = ["--build", f"1.0={shelf / 'old.jar'}", "--build", f"2.0={shelf / 'new.jar'}"]
    others = ["--background", str(shelf / "unrelated"), "--shared", str(shelf / "aggregator.jar")]
    return [*builds, *others, "--mark", "Pay.Example", "--mark", "paysdk", "--folder", "com/pay/"]


def test_the_values_of_the_sdk_come_with_builds_and_digests(invoke: Invoke, shelf: Path) -> None:
    ended = invoke("signatures", "learn", "pay-sdk-android", *words(shelf))
    assert (ended.code, ended.err) == (0, "")
    data = tomllib.loads(ended.out)
    assert [group["values"] for group in data["group"]] == [[MARK], ["PaySdk/2.0"], ["a pay.example word"]]
    assert [group["role"] for group in data["group"]] == ["strong", "strong", "shared"]
    assert [build["version"] for build in data["build"]] == ["1.0", "2.0"]
    assert data["build"][0]["sha256"] == hashlib.sha256((shelf / "old.jar").read_bytes()).hexdigest()
    assert str(shelf) not in ended.out


def test_its_output_loads_in_a_catalog(invoke: Invoke, shelf: Path) -> None:
    text = invoke("signatures", "learn", "pay-sdk-android", *words(shelf)).out
    clause = '[[signature.clause]]\nname = "text"\nkind = "dex.string"\nlearned = ["strong"]\nsources = ["paper"]\n\n'
    rule = '[[signature.rule]]\ngrade = "embedded"'
    signature = changed(SIGNATURE, rule, f'{clause}{rule}\nany_of = ["text"]\n\n{rule}')
    assert find_faults({**catalog_files(signature=signature), "learned/pay.toml": text.encode()}) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--build", "1.0"], "write VERSION=FILE"),
        (["--build", "1.0=absent.jar"], "name an existing file"),
        (["--build", "={old}"], "write VERSION=FILE"),
        (["--build", "1.0={old}", "--kind", "dex.class"], "cannot be learned; use one of: dex.string"),
        ([], "Missing option '--build'"),
    ],
)
def test_what_cannot_be_learned_is_an_error(invoke: Invoke, shelf: Path, words: list[str], message: str) -> None:
    ended = invoke("signatures", "learn", "x", *(word.format(old=shelf / "old.jar") for word in words))
    assert ended.code == 2
    assert message in ended.err
