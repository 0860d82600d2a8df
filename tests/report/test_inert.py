"""Text from an input cannot steer a terminal, a spreadsheet or a reader of JSON."""

from __future__ import annotations

import json
import unicodedata

import pytest

from auditor.report.inert import cell, json_inert, shortened, visible

DANGEROUS = [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) in ("Cc", "Cf", "Cs", "Zl", "Zp")]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text", "plain text"),
        ("微信 Wéchat 👍", "微信 Wéchat 👍"),
        ("[bold]x[/bold]", "[bold]x[/bold]"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\nb\rc\td\0", "a\\x0ab\\x0dc\\x09d\\x00"),
        ("\x9b31m", "\\x9b31m"),
        ("\x7f", "\\x7f"),
        ("moc\u202ekpa", "moc\\u202ekpa"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("\ud800", "\\ud800"),
        ("line\u2028end", "line\\u2028end"),
        ("tag\U000e0041", "tag\\U000e0041"),
    ],
)
def test_what_cannot_be_seen_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_no_control_format_or_surrogate_character_survives() -> None:
    shown = visible("".join(DANGEROUS))
    assert shown.isascii()
    assert shown.isprintable()


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "＝", "＋", "－", "＠"])
def test_a_cell_that_a_spreadsheet_would_compute_gets_an_apostrophe(start: str) -> None:
    assert cell(f"{start}cmd|' /C calc'!A0").startswith(f"'{start}")
    assert cell(f"  {start}1").startswith("'  ")


@pytest.mark.parametrize("start", ["\t=1", "\r=1", "\n=1"])
def test_a_cell_that_starts_with_a_control_character_is_quoted_and_shown(start: str) -> None:
    assert cell(start).startswith("'\\x0")


@pytest.mark.parametrize("text", ["", "a=b", "com.example", "1-2", "'x"])
def test_harmless_cells_stay_as_they_are(text: str) -> None:
    assert cell(text) == text


def dumped(value: str) -> str:
    return json_inert(json.dumps({"label": value}, ensure_ascii=False))


@pytest.mark.parametrize("character", [item for item in DANGEROUS if not 0xD800 <= ord(item) <= 0xDFFF])
def test_json_reads_back_what_went_in_and_holds_no_dangerous_byte(character: str) -> None:
    document = dumped(f"a{character}b")
    assert json.loads(document)["label"] == f"a{character}b"
    assert document.isascii()
    assert document.isprintable()


@pytest.mark.parametrize("code", [0xD800, 0xDBFF, 0xDC00, 0xDFFF])
def test_a_lone_surrogate_becomes_visible_and_the_document_valid(code: int) -> None:
    surrogate = chr(code)
    document = dumped(f"a{surrogate}b")
    document.encode("utf-8")
    assert json.loads(document)["label"] == f"a\\u{ord(surrogate):04x}b"


def test_json_keeps_letters_of_every_script() -> None:
    assert dumped("微信") == '{"label": "微信"}'


@pytest.mark.parametrize(("text", "short"), [("abcde", "abcde"), ("abcdef", "abcd…"), ("", "")])
def test_long_text_ends_in_an_ellipsis(text: str, short: str) -> None:
    assert shortened(text, 5) == short
