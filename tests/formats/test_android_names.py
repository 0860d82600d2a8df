"""Names of packages, the paths that tell them, and times in milliseconds."""

from __future__ import annotations

import pytest

from auditor.formats.android_names import is_package_name, moment_of_ms, package_of_path


@pytest.mark.parametrize("name", ["android", "com.tencent.mm", "cn.wps.moffice_eng", "com.Example.App2", "a.b-c.d"])
def test_names_of_packages(name: str) -> None:
    assert is_package_name(name)


@pytest.mark.parametrize(
    "name", ["", ".", "com.", ".com", "com..a", "1com.a", "com.a b", "com/a", "com.a\n", "a" * 256, "com.ä", "a=b"]
)
def test_what_is_no_name(name: str) -> None:
    assert not is_package_name(name)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/data/app/~~hJ3-x_Zk1QWcC2m0pYb9Lg==/com.tencent.mm-Q-2mV_aXo0y1pRkdN3c5wA==/base.apk", "com.tencent.mm"),
        ("/data/app/com.eg.android.AlipayGphone--26RKwMWxj5TRvruvc91Fw==", "com.eg.android.AlipayGphone"),
        ("/data/app/com.tencent.mobileqq-2/base.apk", "com.tencent.mobileqq"),
        ("/data/app/com.tencent.mobileqq-1.apk", "com.tencent.mobileqq"),
        ("/mnt/expand/0a1b/app/com.a.b-FtxVmfhJnuP-P7oGWPgRrw==/base.apk", "com.a.b"),
        ("/system/app/Wps/Wps.apk", ""),
        ("/data/app/vmdl123.tmp/base.apk", ""),
    ],
)
def test_a_path_below_data_app_tells_the_package(path: str, expected: str) -> None:
    assert package_of_path(path) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1_687_989_028_000, "2023-06-28T21:50:28Z"),
        (1, "1970-01-01T00:00:00Z"),
        (0, ""),
        (-1, ""),
        (None, ""),
        (1 << 63, ""),
    ],
)
def test_milliseconds_become_utc(value: int | None, expected: str) -> None:
    assert moment_of_ms(value) == expected
