"""The package of a mini-program tells its files, the plugins it uses and what its scripts name."""

from __future__ import annotations

import json
import struct
from dataclasses import replace

import pytest

from auditor.errors import FormatError, LimitError, UnsupportedError
from auditor.formats.wxapkg import is_wxapkg, parse_wxapkg
from auditor.limits import DEFAULT
from tests.builders.mangle import mutations, prefixes
from tests.builders.scripts import wxapkg

CONFIG = json.dumps({"plugins": {"chat": {"version": "1.0", "provider": "wx0123456789abcdef"}, "odd": 7}}).encode()
FILES = {"/app-service.js": b"wx.requestPayment({});wx.login('scope.userInfo')", "/app-config.json": CONFIG, "/a": b""}


def test_files_plugins_and_names_are_read() -> None:
    found = parse_wxapkg(wxapkg(FILES))
    assert found.files == ("/a", "/app-config.json", "/app-service.js")
    assert found.plugins == ("wx0123456789abcdef",)
    assert {"requestPayment", "scope.userInfo"} <= set(found.strings)
    assert found.faults == ()


def test_a_package_without_files_is_empty() -> None:
    found = parse_wxapkg(wxapkg({}))
    assert (found.files, found.plugins) == ((), ())


@pytest.mark.parametrize("config", [b"[]", b"{}", b'{"plugins": []}', b'{"plugins": {"a": {"provider": 7}}}'])
def test_a_configuration_of_another_shape_names_nothing(config: bytes) -> None:
    assert parse_wxapkg(wxapkg({"/app.json": config})).plugins == ()


def test_a_configuration_that_is_damaged_is_a_fault() -> None:
    found = parse_wxapkg(wxapkg({"/app.json": b"{", "/b": b"x"}))
    assert found.faults[0].startswith("/app.json: not JSON")
    assert found.files == ("/app.json", "/b")


def test_a_file_outside_the_package_is_a_fault() -> None:
    found = parse_wxapkg(wxapkg({"/a.js": b"wx.login()", "/b": b"xy"})[:-1])
    assert found.faults == ("/b lies outside the package",)
    assert "login" in found.strings


def test_an_encrypted_package_is_told() -> None:
    assert is_wxapkg(b"V1MMWX" + bytes(10))
    with pytest.raises(UnsupportedError, match="encrypted"):
        parse_wxapkg(b"V1MMWX" + bytes(100))


def test_the_marks_tell_it() -> None:
    assert is_wxapkg(wxapkg(FILES))
    assert not is_wxapkg(wxapkg(FILES, last=0xEE))
    assert not is_wxapkg(b"\xbe")


@pytest.mark.parametrize("data", [b"", b"junk", wxapkg(FILES, last=0xEE), wxapkg(FILES, count=4)])
def test_what_is_no_package_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_wxapkg(data)


def test_the_number_of_files_and_the_size_of_a_name_are_bounded() -> None:
    with pytest.raises(LimitError, match="zip_entries"):
        parse_wxapkg(wxapkg(FILES), replace(DEFAULT, zip_entries=2))
    long = bytearray(wxapkg(FILES))
    struct.pack_into(">I", long, 18, 0xFFFFFFF0)
    with pytest.raises(FormatError, match="cut off"):
        parse_wxapkg(bytes(long))


def test_damage_is_read_or_refused() -> None:
    for damaged in (*prefixes(wxapkg(FILES)), *mutations(wxapkg(FILES), 400)):
        try:
            parse_wxapkg(damaged)
        except FormatError:
            continue


def test_a_configuration_that_the_index_names_time_and_again_is_a_fault() -> None:
    data = wxapkg({"/app-config.json": CONFIG, **{f"/app-confi{number}.json": b"" for number in range(9)}})
    place = data.index(b"/app-config.json") + 16
    where = data[place : place + 8]
    for number in range(9):
        at = data.index(b"/app-confi%d.json" % number)
        data = data[: at + 10] + b"g" + data[at + 11 : at + 16] + where + data[at + 24 :]
    found = parse_wxapkg(data)
    assert "files of the mini-program package overlap" in found.faults
    assert found.plugins == ("wx0123456789abcdef",)
