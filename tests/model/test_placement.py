"""The place of an app tells its state on the device, under any root and through any container."""

from __future__ import annotations

import pytest

from auditor.model import Origin, State, placement_of

RANDOM = "A1b2C3d4E5f6G7h8I9j0Kk"
NEW = f"app/~~{RANDOM}==/com.tencent.mm-{RANDOM}==/base.apk"
HERE, P, S, B, U = State.INSTALLED, State.PRESENT, State.STAGED, State.BACKUP, State.UNKNOWN

USER_APPS = [
    f"data/{NEW}",
    f"data/app/com.tencent.mm-{RANDOM}==/base.apk",
    f"data/app/com.tencent.mm-{RANDOM}==/split_config.arm64.apk",
    "data/app/com.tencent.mm-1/base.apk",
    "data/app/com.tencent.mm-2.apk",
    f"mnt/expand/57f8f4bc-abf4-655f-bf67-946fc0f9f25b/{NEW}",
    "data/app/SomeFolder/base.apk",
]
SYSTEM_APPS = [
    "system/app/Chrome/Chrome.apk",
    "system/priv-app/Settings/Settings.apk",
    "system/system/app/Chrome/Chrome.apk",
    "system_ext/priv-app/A/A.apk",
    "product/overlay/Theme.apk",
    "vendor/app/A/A.apk",
    "odm/app/A/A.apk",
    "my_stock/app/A/A.apk",
    "system/preload/A/A.apk",
    "product/data-app/A/A.apk",
]


@pytest.mark.parametrize("prefix", ["", "Dump/", "filesystem1/", "fs/", "a b/c d/"])
@pytest.mark.parametrize("path", USER_APPS)
def test_apps_of_the_user(prefix: str, path: str) -> None:
    for origin in (Origin((prefix + path,)), Origin(("phone.zip", prefix + path))):
        found = placement_of(origin)
        assert (found.state, found.system) == (HERE, False)
    if "com.tencent.mm" in path:
        assert found.package == "com.tencent.mm"


@pytest.mark.parametrize("prefix", ["", "Dump/", "fs/"])
@pytest.mark.parametrize("path", SYSTEM_APPS)
def test_apps_of_the_system(prefix: str, path: str) -> None:
    found = placement_of(Origin(("phone.tar", prefix + path)))
    assert (found.state, found.system) == (HERE, True)


@pytest.mark.parametrize(
    ("steps", "system"),
    [
        (("system.img", "app/Chrome/Chrome.apk"), True),
        (("super.img", "product_a", "priv-app/A/A.apk"), True),
        (("super.img", "vendor_a", "overlay/Theme.apk"), True),
        (("a.apex", "apex_payload.img", "priv-app/A/A.apk"), True),
        (("userdata.img", NEW), False),
        (("userdata.img", "app/com.tencent.mm-1/base.apk"), False),
        (("userdata.img", "app/com.tencent.mm-1.apk"), False),
        (("disk.img", "userdata", f"app/com.tencent.mm-{RANDOM}==/base.apk"), False),
    ],
)
def test_the_root_of_a_partition_is_where_it_is_mounted(steps: tuple[str, ...], system: bool) -> None:
    found = placement_of(Origin(steps))
    assert (found.state, found.system) == (HERE, system)


@pytest.mark.parametrize(
    ("path", "state", "user"),
    [
        ("data/app/vmdl123.tmp/base.apk", S, ""),
        ("data/app-staging/session_7/a.apk", S, ""),
        ("data/media/0/Download/a.apk", P, "0"),
        ("data/media/10/Download/a.apk", P, "10"),
        ("storage/emulated/0/a.apk", P, "0"),
        ("sdcard/Download/a.apk", P, ""),
        ("storage/12AB-34CD/a.apk", P, ""),
        ("data/data/com.android.vending/files/a.apk", P, "0"),
        ("data/user/10/com.example/cache/a.apk", P, "10"),
        ("data/user_de/0/com.example/a.apk", P, "0"),
        ("data/media/0/backup/data/app/com.tencent.mm-1/base.apk", P, "0"),
        ("apps/com.tencent.mm/a/base.apk", B, ""),
        ("private/var/containers/Bundle/Application/0A-1B/WeChat.app", HERE, ""),
        ("var/containers/Bundle/Application/0A-1B/WeChat.app/PlugIns/x.appex", HERE, ""),
        ("Applications/Maps.app", HERE, ""),
        ("base.apk", U, ""),
        ("Download/com.tencent.mm-1.apk", U, ""),
        ("Payload/A.app", U, ""),
        ("ids/app/readme.apk", U, ""),
    ],
)
def test_other_places(path: str, state: State, user: str) -> None:
    found = placement_of(Origin((path,)))
    assert (found.state, found.user) == (state, user)
    assert found.on_device is (state is not U)


def test_data_of_apps_at_the_root_of_user_data_is_kept_data() -> None:
    found = placement_of(Origin(("userdata.img", "data/com.example.app/files/a.apk")))
    assert (found.state, found.user) == (P, "0")


def test_an_app_in_a_download_is_not_installed_whatever_its_path_inside() -> None:
    steps = ("phone.zip", "data/media/0/Download/rom.zip", "system/app/A/A.apk")
    assert placement_of(Origin(steps)).state is P


def test_hostile_names_cost_no_time() -> None:
    for path in ("app/" * 5000, "data/app/" * 3000, "~~" * 9000, "mnt/expand/" * 2000, "a/" * 9000 + "data/app/x"):
        placement_of(Origin(("x.zip", path)))
