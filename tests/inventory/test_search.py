"""Full-text search over ids, names in any script, subjects, signatures and signers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from auditor.inventory import Inventory
from tests.builders import audits as made


@pytest.fixture
def inventory(tmp_path: Path) -> Iterator[Inventory]:
    with Inventory.open(tmp_path / "i.db") as opened:
        scan_id = opened.begin(made.a_scan(), started=made.SEEN)
        wechat = replace(made.an_app("w.apk", "com.tencent.mm", label="微信"), labels=(("", "微信"), ("en", "WeChat")))
        alipay = replace(made.an_app("a.apk", "com.eg.android.Alipay", label="支付宝钱包"), labels=())
        carrier = made.an_audit(replace(made.an_app("c.apk", "org.carrier", label='50% "off"'), labels=()))
        for audit in (made.a_clean_audit(wechat), made.a_clean_audit(alipay), carrier):
            opened.record(scan_id, audit, seen=made.SEEN)
        yield opened


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("com.tencent.mm", ["com.tencent.mm"]),
        ("tencent", ["com.tencent.mm"]),
        ("TENCENT", ["com.tencent.mm"]),
        ("mm", ["com.tencent.mm"]),
        ("微信", ["com.tencent.mm"]),
        ("信", ["com.tencent.mm"]),
        ("wechat", ["com.tencent.mm", "org.carrier"]),
        ("支付宝", ["com.eg.android.Alipay"]),
        ("付宝钱", ["com.eg.android.Alipay"]),
        ("alipay-sdk", ["org.carrier"]),
        ("shareit", ["org.carrier"]),
        ("CN=Test", ["com.eg.android.Alipay", "com.tencent.mm", "org.carrier"]),
        (made.a_signer().sha256, ["com.eg.android.Alipay", "com.tencent.mm", "org.carrier"]),
        ("tencent.xin", []),
        ("宝付", []),
        ('"off"', ["org.carrier"]),
        ('"', ["org.carrier"]),
        ("0%", ["org.carrier"]),
        ("%", ["org.carrier"]),
        ("_", []),
        ("off* OR app_id:com", []),
        ("NEAR(com tencent)", []),
    ],
)
def test_a_run_of_characters_is_found_wherever_it_stands(inventory: Inventory, text: str, found: list[str]) -> None:
    assert [app_id for app_id, _ in inventory.search(text)] == found


def test_a_renamed_app_is_found_by_its_new_name_only(inventory: Inventory) -> None:
    renamed = replace(made.an_app("w.apk", "com.tencent.mm", label="Weixin"), labels=())
    scan_id = inventory.begin(made.a_scan(), started=made.SEEN)
    inventory.record(scan_id, made.a_clean_audit(renamed), seen=made.SEEN)
    assert [len(inventory.search(text)) for text in ("Weixin", "微信", "tencent")] == [1, 0, 1]


@pytest.mark.parametrize("text", ["支付宝", "微信", "信"])
def test_plain_sql_finds_any_part_of_a_name_in_the_view(inventory: Inventory, text: str) -> None:
    sql = "SELECT count(*) FROM apps WHERE label LIKE '%' || ? || '%'"
    assert inventory.connection.execute(sql, (text,)).fetchone() == (1,)


def test_plain_sql_finds_three_characters_in_the_index(inventory: Inventory) -> None:
    sql = "SELECT app_id FROM search WHERE search MATCH ?"
    assert inventory.connection.execute(sql, ("labels : 支付宝",)).fetchall() == [("com.eg.android.Alipay",)]
