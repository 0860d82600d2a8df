"""Text that a device printed, however it was stored."""

from __future__ import annotations

import pytest

from auditor.errors import LimitError
from auditor.formats import device_text
from auditor.formats.device_text import open_device_text, shown, without_mark


@pytest.mark.parametrize("coding", ["utf-16-le", "utf-16-be"])
def test_utf_16_becomes_utf_8(coding: str) -> None:
    assert open_device_text(("\ufeffpackage:com.ä\r\n").encode(coding)) == "package:com.ä\r\n".encode()


@pytest.mark.parametrize("data", [b"", b"\xff", b"package:com.a", b"\xef\xbb\xbfpackage:com.a", b"\x80\x81"])
def test_other_bytes_stay_as_they_are(data: bytes) -> None:
    assert open_device_text(data) is data


def test_half_a_character_and_lone_surrogates_give_text() -> None:
    assert bytes(open_device_text(b"\xff\xfea\x00b")).startswith(b"a")
    assert bytes(open_device_text(b"\xff\xfe\x00\xd8a\x00")).decode("utf-8").endswith("a")


def test_utf_16_that_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_text, "WIDE_TEXT", 10)
    assert open_device_text(b"\xff\xfea\x00") == b"a"
    with pytest.raises(LimitError):
        open_device_text(b"\xff\xfe" + b"a\x00" * 5)


def test_a_mark_of_utf_8_is_passed_over() -> None:
    assert without_mark(b"\xef\xbb\xbfx") == 3
    assert without_mark(b"x") == 0
    assert without_mark(b"") == 0


def test_values_are_text_without_blanks() -> None:
    assert shown(b"  8.0.38 beta\r") == "8.0.38 beta"
    assert shown(b"\xff") == "\ufffd"


@pytest.mark.parametrize("coding", ["utf-16-le", "utf-16-be"])
def test_long_text_is_converted_in_pieces(coding: str) -> None:
    """A character of two units lies across the end of each piece."""
    text = "a" + "\U0001f600" * 600_000
    mark = b"\xff\xfe" if coding == "utf-16-le" else b"\xfe\xff"
    assert open_device_text(mark + text.encode(coding)) == text.encode()
