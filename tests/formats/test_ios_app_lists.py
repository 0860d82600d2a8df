"""The lists that tools print of an iOS device, in each of their forms."""

from __future__ import annotations

import json
import plistlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from auditor.errors import FormatError, LimitError
from auditor.formats.ios_app_lists import AppList, ListedApp, is_app_list, parse_app_list
from auditor.limits import DEFAULT
from tests.builders.mangle import mutations, prefixes

WECHAT = {
    "ApplicationDSID": 1234567890,
    "ApplicationType": "User",
    "CFBundleDisplayName": "WeChat",
    "CFBundleIdentifier": "com.tencent.xin",
    "CFBundleShortVersionString": "8.0.1",
    "CFBundleVersion": "8.0.1.99",
    "Container": "/private/var/mobile/Containers/Data/Application/B6F5",
    "Entitlements": {"keychain-access-groups": ["5A4RE8SF68.com.tencent.xin"]},
    "Path": "/private/var/containers/Bundle/Application/A5F4/WeChat.app",
    "SignerIdentity": "Apple iPhone OS Application Signing",
}
LOADED = {
    "ApplicationType": "User",
    "CFBundleIdentifier": "com.example.loaded",
    "CFBundleName": "Loaded",
    "SignerIdentity": "Apple Development: anna@example.com (ABCDE12345)",
}
SYSTEM = {"ApplicationType": "System", "CFBundleIdentifier": "com.apple.camera", "Path": "/Applications/Camera.app"}
READ = ListedApp(
    app_id="com.tencent.xin",
    version="8.0.1",
    version_code="8.0.1.99",
    label="WeChat",
    kind="User",
    path="/private/var/containers/Bundle/Application/A5F4/WeChat.app",
    signing="store",
)
BY_ID = json.dumps({item["CFBundleIdentifier"]: item for item in (WECHAT, LOADED, SYSTEM)}, indent=4).encode()
AS_LIST = json.dumps([WECHAT, LOADED]).encode()
PLIST = plistlib.dumps([WECHAT, LOADED])
CSV = b'CFBundleIdentifier, CFBundleVersion, CFBundleDisplayName\ncom.tencent.xin, "8.0.1.99", "We, Chat"\n'
CONFIGURATOR = json.dumps(
    {
        "Command": "get",
        "Devices": ["0x1234"],
        "Output": {
            "0x1234": {
                "installedApps": [
                    {
                        "bundleIdentifier": "com.tencent.xin",
                        "displayName": "WeChat",
                        "itunesName": "WeChat",
                        "version": "8.0.1",
                    }
                ]
            }
        },
        "Type": "CommandOutput",
    }
).encode()


@pytest.mark.parametrize(
    ("data", "ids", "form"),
    [
        (BY_ID, ["com.tencent.xin", "com.example.loaded", "com.apple.camera"], "pymobiledevice3"),
        (AS_LIST, ["com.tencent.xin", "com.example.loaded"], "pymobiledevice3"),
        (b"\xef\xbb\xbf" + AS_LIST, ["com.tencent.xin", "com.example.loaded"], "pymobiledevice3"),
        (PLIST, ["com.tencent.xin", "com.example.loaded"], "ideviceinstaller"),
        (plistlib.dumps({"com.tencent.xin": WECHAT}), ["com.tencent.xin"], "ideviceinstaller"),
    ],
)
def test_lists_with_all_attributes(data: bytes, ids: list[str], form: str) -> None:
    assert is_app_list(data[:16384])
    found = parse_app_list(data)
    assert [item.app_id for item in found.apps] == ids
    assert (found.form, found.faults) == (form, ())
    assert found.apps[0] == READ


def test_an_id_that_only_the_key_names() -> None:
    assert parse_app_list(b'{"com.example.a": {"ApplicationType": "User"}}').apps == (
        ListedApp("com.example.a", kind="User"),
    )


def test_the_output_of_the_configurator() -> None:
    assert is_app_list(CONFIGURATOR)
    assert parse_app_list(CONFIGURATOR) == AppList(
        (ListedApp("com.tencent.xin", version="8.0.1", label="WeChat"),), "cfgutil"
    )


@pytest.mark.parametrize(
    ("data", "label"),
    [
        (CSV, "We, Chat"),
        (CSV.partition(b"\n")[2], "We, Chat"),
        (b"\xef\xbb\xbf" + CSV + b"Total: 1 apps\n", "We, Chat"),
        (CSV.replace(b", ", b",").replace(b"We,C", b"We, C"), "We, Chat"),
        (CSV.replace(b"\n", b"\r\n") + b"\r\n", "We, Chat"),
    ],
)
def test_the_columns_of_ideviceinstaller(data: bytes, label: str) -> None:
    found = parse_app_list(data)
    assert found.apps == (ListedApp("com.tencent.xin", version_code="8.0.1.99", label=label),)
    assert found.faults == ()


def test_the_lines_that_ideviceinstaller_printed_before() -> None:
    data = (
        b"Total: 3 apps\ncom.tencent.xin - WeChat 8.0.1.99\ncom.example.a - Two Words, Inc 1.0\ncom.example.b - Alone\n"
    )
    assert is_app_list(data)
    assert parse_app_list(data) == AppList(
        (
            ListedApp("com.tencent.xin", version_code="8.0.1.99", label="WeChat"),
            ListedApp("com.example.a", version_code="1.0", label="Two Words, Inc"),
            ListedApp("com.example.b", label="Alone"),
        ),
        "ideviceinstaller",
    )


@pytest.mark.parametrize("data", [CSV, CSV.partition(b"\n")[2], b"\n" + CSV])
def test_columns_are_told_by_their_heading_or_their_first_line(data: bytes) -> None:
    assert is_app_list(data.replace(b"We, C", b"WeC"))


def test_only_a_list_with_apps_of_the_system_and_of_the_user_was_not_cut_down() -> None:
    whole, users = parse_app_list(BY_ID), parse_app_list(AS_LIST)
    assert (whole.is_whole, users.is_whole) == (True, False)
    system = AppList(tuple(item for item in whole.apps if item.kind == "System"), "")
    assert (system.is_whole, system.is_of_users, users.is_of_users) == (False, False, True)


def test_who_signed_is_told_without_the_person() -> None:
    found = parse_app_list(BY_ID)
    assert [item.signing for item in found.apps] == ["store", "other", ""]
    assert not any(secret in repr(found) for secret in ("anna", "ABCDE12345", "1234567890"))


def test_entries_that_name_no_app_are_a_fault() -> None:
    found = parse_app_list(json.dumps([WECHAT, {"CFBundleName": "x"}, 7]).encode())
    assert (len(found.apps), found.faults) == (1, ("2 entries of the list name no app",))
    assert parse_app_list(CSV + b"no id here\n").faults == ("1 lines name no app",)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"{}",
        b"[]",
        b'{"name": "x", "CFBundleIdentifier": "a.b"}',
        b'{"com.example.a": {"other": 1}}',
        plistlib.dumps(WECHAT),
        plistlib.dumps({"CFBundleIdentifier": "a.b", "Apps": [WECHAT]}),
        plistlib.dumps(["CFBundleIdentifier"]),
        b"name, CFBundleIdentifier\n",
        b"some text",
    ],
)
def test_what_is_no_list_is_told_apart(head: bytes) -> None:
    assert not is_app_list(head)


@pytest.mark.parametrize("data", [b"{", b"<plist", b"some text\nmore text", b"\xff\xfe\x00", b'"' * 200_000])
def test_what_is_no_list_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_app_list(data)


def test_sizes_are_bounded() -> None:
    with pytest.raises(LimitError, match="manifest_size"):
        parse_app_list(BY_ID, replace(DEFAULT, manifest_size=100))
    with pytest.raises(LimitError, match="record_listings"):
        parse_app_list(CSV * 10, replace(DEFAULT, record_listings=5))


@pytest.mark.parametrize("form", [json.dumps, lambda value: plistlib.dumps(value).decode()])
def test_more_apps_than_the_bound_are_told(form: Callable[[object], str]) -> None:
    many = [{"CFBundleIdentifier": f"a.b{count}", "ApplicationType": "User"} for count in range(9)]
    found = parse_app_list(form(many).encode(), replace(DEFAULT, record_listings=5))
    assert [item.app_id for item in found.apps] == [f"a.b{count}" for count in range(5)]
    assert found.faults == ("the list names more than 5 apps; raise --limit record_listings",)


@pytest.mark.parametrize("name", ["a" * 256, "a.b c", "a.\nb", ""])
def test_ids_that_cannot_be_ids_are_told(name: str) -> None:
    found = parse_app_list(json.dumps([{"CFBundleIdentifier": name}, {"CFBundleIdentifier": "a.b"}]).encode())
    assert ([item.app_id for item in found.apps], len(found.faults)) == (["a.b"], 1)


def test_long_words_are_cut() -> None:
    entry = {"CFBundleIdentifier": "a.b", "CFBundleDisplayName": "x" * 100_000, "CFBundleVersion": "1" * 100_000}
    (found,) = parse_app_list(json.dumps([entry]).encode()).apps
    assert (len(found.label), len(found.version_code)) == (1000, 1000)


@pytest.mark.parametrize("data", [BY_ID, PLIST, CSV, CONFIGURATOR])
def test_damage_is_read_or_refused(data: bytes) -> None:
    for damaged in (*prefixes(data, 100), *mutations(data, 200)):
        is_app_list(damaged)
        try:
            parse_app_list(damaged)
        except FormatError:
            continue
