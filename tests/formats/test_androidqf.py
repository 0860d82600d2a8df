"""packages.json of androidqf and of MVT: names, files, digests; and what is no such list."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest

from auditor.errors import FormatError, LimitError
from auditor.formats.androidqf import AppList, ListedApp, ListedFile, is_androidqf, parse_androidqf
from auditor.limits import DEFAULT
from tests.builders.android_dumps import androidqf, androidqf_package

GOOD = androidqf(
    androidqf_package("com.tencent.mm"), androidqf_package("com.b", files=[], installer="null", disabled=True)
)


def test_a_list_of_androidqf() -> None:
    path = "/data/app/~~a==/com.tencent.mm-b==/base.apk"
    assert parse_androidqf(GOOD) == AppList(
        (
            ListedApp(
                "com.tencent.mm",
                (ListedFile(path, "ab" * 32, "0f" * 32, True),),
                "com.android.vending",
                10123,
                system=False,
            ),
            ListedApp("com.b", uid=10123, disabled=True, system=False),
        )
    )


def test_nothing_of_the_certificate_but_its_digest_is_kept() -> None:
    assert "Someone" not in repr(parse_androidqf(GOOD))


def test_the_older_form_of_mvt() -> None:
    item = {
        "package_name": "com.a",
        "file_name": "/data/app/com.a-1/base.apk",
        "installer": "com.android.vending",
        "files": [{"path": "/data/app/com.a-1/split.apk", "sha256": "cd" * 32}, {"path": "/data/app/com.a-1/base.apk"}],
        "system": True,
        "version_code": "2400 minSdk=23 targetSdk=29",
    }
    assert parse_androidqf(json.dumps([item]).encode()) == AppList(
        (
            ListedApp(
                "com.a",
                (ListedFile("/data/app/com.a-1/base.apk"), ListedFile("/data/app/com.a-1/split.apk", "cd" * 32)),
                "com.android.vending",
                system=True,
                version_code="2400",
            ),
        ),
        unhashed=1,
    )


@pytest.mark.parametrize(
    ("change", "field", "expected"),
    [
        ({"uid": "10123"}, "uid", 10123),
        ({"uid": "10123,1010123"}, "uid", 10123),
        ({"uid": ""}, "uid", None),
        ({"uid": True}, "uid", None),
        ({"uid": -1}, "uid", None),
        ({"uid": "9" * 5000}, "uid", None),
        ({"system": True, "third_party": False}, "system", True),
        ({"system": False, "third_party": False}, "system", None),
        ({"installer": None}, "installer", ""),
        ({"disabled": "yes"}, "disabled", False),
        ({"files": None}, "files", ()),
    ],
)
def test_a_value(change: dict[str, object], field: str, expected: object) -> None:
    (app,) = parse_androidqf(androidqf(androidqf_package("com.a", **change))).apps
    assert getattr(app, field) == expected


@pytest.mark.parametrize("digest", ["", "xyz", "ab" * 31, 7, None, ["ab" * 32]])
def test_what_is_no_digest_is_counted(digest: object) -> None:
    found = parse_androidqf(androidqf(androidqf_package("com.a", files=[{"path": "/a/base.apk", "sha256": digest}])))
    assert found.apps[0].files == (ListedFile("/a/base.apk"),)
    assert found.unhashed == 1


def test_what_names_no_package_or_file_is_counted() -> None:
    odd: list[object] = [1, None, [], {}, {"name": "no name"}, {"name": 7}, androidqf_package("com.a", files=[{}, 1])]
    found = parse_androidqf(json.dumps(odd).encode())
    assert [app.name for app in found.apps] == ["com.a"]
    assert found.unread == 8


@pytest.mark.parametrize("data", [b"", b"{}", b"null", b"[", b'{"name": "com.a", "files": []}', b"\xff\xff"])
def test_what_is_no_list(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_androidqf(data)


def test_a_bound_that_is_reached() -> None:
    with pytest.raises(LimitError):
        parse_androidqf(GOOD, replace(DEFAULT, xml_elements=10))


@pytest.mark.parametrize(
    ("path", "head", "expected"),
    [
        ("x/packages.json", GOOD, True),
        ("x/other.json", GOOD, True),
        ("packages.json", b'[{"name":"com.a","installer":"null"}]', True),
        ("packages.json", b'\xef\xbb\xbf [ {"package_name": "com.a", "files": []', True),
        ("other.json", b'[{"name":"com.a","files":[]}]', False),
        ("packages.json", b'[{"name":"com.a","version":"1"}]', False),
        ("packages.json", b'{"name":"com.a","files":[]}', False),
        ("packages.json", b'[{"name":"no name","files":[]}]', False),
        ("packages.json", b"[]", False),
        ("packages.json", b"", False),
    ],
)
def test_the_head_of_a_list(path: str, head: bytes, expected: bool) -> None:
    assert is_androidqf(path, head) is expected


def test_every_prefix_and_seeded_mutations() -> None:
    for end in range(len(GOOD) - 1):
        with pytest.raises(FormatError):
            parse_androidqf(GOOD[:end])
    choice = random.Random(11)
    for _ in range(500):
        text = bytearray(GOOD)
        for _ in range(choice.randrange(1, 4)):
            text[choice.randrange(len(text))] ^= 1 << choice.randrange(8)
        try:
            assert len(parse_androidqf(bytes(text)).apps) <= 2
        except FormatError:
            continue
