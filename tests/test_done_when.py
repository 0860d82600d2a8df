"""What was promised, asked of the command line as a person would ask it: references, impostors, ciphertext, order."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from auditor.cli import main

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
DAY = ("--as-of", "2026-11-01")


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: bytes

    @property
    def text(self) -> str:
        """The output with its line breaks folded away."""
        return " ".join(self.out.decode("utf-8").split())

    @property
    def document(self) -> Any:
        return json.loads(self.out)


def check(*arguments: object) -> Ended:
    """Run ``auditor check`` in the folder of the samples."""
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    with contextlib.chdir(SAMPLES), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(["check", *map(str, arguments), *DAY])
    assert err.getvalue() == ""
    out.flush()
    return Ended(code, out.buffer.getvalue())


def check_anew(*arguments: object, cwd: Path = SAMPLES, seed: int = 0) -> Ended:
    """Run ``auditor check`` as a program of its own, whose sets and dictionaries hash in their own way."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    environment |= {"PYTHONPATH": str(SAMPLES.parent), "PYTHONHASHSEED": str(seed)}
    command = [sys.executable, "-m", "auditor", "check", *map(str, arguments), *DAY]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, check=False)
    assert done.stderr == b""
    return Ended(done.returncode, done.stdout)


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AUDITOR_")]:
        monkeypatch.delenv(name)


def answers(document: Any) -> dict[str, Any]:
    """The answers on the only app, by subject."""
    (app,) = document["apps"]
    return {answer["subject"]: answer for answer in app["answers"]}


OPENERS = [
    ("android/near-sdk-queries-wechat.apk", "android.query-package com.tencent.mm"),
    ("ios/near-sdk-queries-weixin.ipa", "ios.queried-scheme weixin"),
]


@pytest.mark.parametrize(("sample", "evidence"), OPENERS)
def test_an_app_that_only_declares_it_may_open_wechat_refers_to_it_and_does_not_carry_it(
    sample: str, evidence: str
) -> None:
    ended = check(sample)
    assert ended.code == 0
    assert f"referenced, not embedded: WeChat ({evidence})" in ended.text
    assert "neither is nor carries a designated app" in ended.text


@pytest.mark.parametrize(("sample", "evidence"), OPENERS)
def test_its_document_says_the_same(sample: str, evidence: str) -> None:
    document = check(sample, "--format", "json").document
    wechat = answers(document)["wechat"]
    assert (wechat["verdict"], [match["grade"] for match in wechat["matches"]]) == ("not found", ["referenced"])
    assert document["apps"][0]["findings"] == []


def test_a_reference_can_be_made_to_count() -> None:
    assert check(OPENERS[0][0], "--fail-on", "default,referenced").code == 1


@pytest.mark.parametrize(
    ("sample", "why"),
    [
        ("android/wechat-and-wechat-pay-impostor.apk", "signed by another key than cert-wechat"),
        ("android/wechat-and-wechat-pay-unsigned.apk", "the app is not signed"),
        ("android/wechat-pasted-certificate.apk", "the signature is invalid"),
        ("android/wechat-pasted-public-key.apk", "the signature is invalid"),
    ],
)
def test_the_id_of_wechat_under_a_foreign_signer_is_an_impostor(sample: str, why: str) -> None:
    ended = check(sample)
    assert ended.code == 1
    assert "WeChat: has the id of the app, but not its signature (impostor)" in ended.text
    assert why in ended.text
    found = answers(check(sample, "--format", "json").document)
    assert [match["grade"] for match in found["wechat"]["matches"]] == ["impostor"]
    assert [match["grade"] for match in found["wechat-pay"]["matches"]] == ["impostor"]


HIDDEN_ON_IOS = ["alipay", "camscanner", "qq-wallet", "tencent-qq", "wechat", "wechat-pay", "wps-office"]


@pytest.mark.parametrize(
    ("sample", "code", "present"),
    [
        ("ios/fairplay-opaque.ipa", 3, []),
        ("ios/fairplay-plain.ipa", 3, []),
        ("ios/fairplay-exports.ipa", 1, ["wechat", "wechat-pay"]),
        ("ios/fairplay-wechat.ipa", 1, ["wechat", "wechat-pay"]),
    ],
)
def test_fairplay_leaves_open_what_the_ciphertext_could_hold(sample: str, code: int, present: list[str]) -> None:
    ended = check(sample, "--format", "json")
    assert ended.code == code
    found = answers(ended.document)
    assert [name for name, answer in found.items() if answer["verdict"] == "present"] == present
    unknown = [name for name, answer in found.items() if answer["verdict"] == "unknown"]
    assert unknown == [name for name in HIDDEN_ON_IOS if name not in present]
    for name in unknown:
        assert {problem["code"] for problem in found[name]["hidden_by"]} == {"macho-encrypted"}


def test_fairplay_is_named_in_words() -> None:
    text = check("ios/fairplay-opaque.ipa").text
    assert "was not found to be or carry a designated app; it could not be fully read" in text
    assert "FairPlay encryption" in text
    assert "WPS Office because of macho-encrypted" in text
    assert "neither is nor carries" not in text


def test_an_app_that_is_not_encrypted_has_no_open_question() -> None:
    document = check("ios/near-sdk-plain.ipa", "--format", "json").document
    assert {answer["verdict"] for answer in answers(document).values()} == {"not found"}


MIXED = (
    "android/sdk-all-payments.apk",
    "ios/fairplay-opaque.ipa",
    "damaged/truncated.apk",
    "bundles/zip-of-apps.zip",
)


@pytest.mark.parametrize("output_format", ["json", "text"])
def test_the_same_input_twice_in_any_order_gives_the_same_bytes(output_format: str) -> None:
    orders = list(permutations(MIXED))[::8]
    outputs = {check_anew(*order, "--format", output_format, seed=seed).out for seed, order in enumerate(orders)}
    assert len(orders) == 3
    assert len(outputs) == 1


def test_a_folder_gives_the_same_bytes_wherever_it_lies_and_however_it_was_filled(tmp_path: Path) -> None:
    def filled(place: Path, names: Sequence[str]) -> Path:
        folder = place / "apps"
        folder.mkdir(parents=True)
        for name in names:
            shutil.copy(SAMPLES / name, folder)
        return folder

    first = filled(tmp_path / "one", MIXED)
    second = filled(tmp_path / "two" / "deeper", MIXED[::-1])
    outputs = {
        check_anew(first, "--format", "json").out,
        check_anew("apps", "--format", "json", cwd=second.parent, seed=1).out,
    }
    assert len(outputs) == 1
    assert str(tmp_path).encode() not in outputs.pop()


@pytest.mark.slow
def test_all_samples_twice_give_the_same_bytes() -> None:
    first, second = check(".", "--format", "json"), check_anew(".", "--format", "json", seed=7)
    assert first.out == second.out
    assert first.code == 1
