"""build.prop and getprop tell the device and its build, by the platform's order of preference."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.errors import FormatError, LimitError
from auditor.formats.build_prop import device_attributes, is_build_properties, parse_build_properties
from auditor.limits import DEFAULT
from tests.builders.mangle import mutations, prefixes

SYSTEM = b"""
# begin common build properties
import /vendor/default.prop
ro.system.build.fingerprint=maker/phone/phone:14/UP1A.1/1:user/release-keys
ro.system.build.id=UP1A.1
ro.product.system.brand=Android
ro.product.system.device=generic
ro.product.system.manufacturer=Maker
ro.product.system.model=mainline
ro.build.version.sdk=34
ro.build.version.release=14
ro.build.version.security_patch=2026-10-05
persist.sys.device_name=Anna's phone
"""
PRINTED = b"""[persist.radio.imei]: [490154203237518]
[ro.build.id]: [UP1A.1]
[ro.build.version.release]: [14]
[ro.product.model]: [Phone 5 [EU]]
[ro.serialno]: [ABC123]
[sys.multi]: [one
two]
"""


def attributes(data: bytes) -> dict[str, str]:
    return dict(device_attributes(parse_build_properties(data)))


def test_a_property_file_is_read() -> None:
    assert attributes(SYSTEM) == {
        "fingerprint": "maker/phone/phone:14/UP1A.1/1:user/release-keys",
        "manufacturer": "Maker",
        "os_build": "UP1A.1",
        "os_version": "14",
        "sdk": "34",
        "security_patch": "2026-10-05",
    }


def test_the_output_of_getprop_is_read() -> None:
    assert attributes(PRINTED) == {
        "model": "Phone 5 [EU]",
        "os_build": "UP1A.1",
        "os_version": "14",
        "serial": "ABC123",
    }


def test_nothing_but_what_is_asked_for_is_kept() -> None:
    assert "Anna" not in repr(parse_build_properties(SYSTEM))
    assert "490154203237518" not in repr(parse_build_properties(PRINTED))


@pytest.mark.parametrize(
    ("lines", "model"),
    [
        ("ro.product.model=A\nro.product.vendor.model=B", "A"),
        ("ro.product.vendor.model=B\nro.product.product.model=C", "B"),
        ("ro.product.odm.model=O\nro.product.vendor.model=B", "O"),
        ("ro.product.product.model=C\nro.product.system.model=D", "C"),
        ("ro.product.system.model=D", "D"),
        ("ro.product.system.model=generic\nro.product.vendor.model=", None),
        ("ro.product.model=A\nro.product.model=Z", "A"),
        ("ro.product.model = spaced ", "spaced"),
        ("#ro.product.model=A", None),
        ("ro.product.model=A\x1b[31m", None),
    ],
)
def test_the_more_telling_key_wins(lines: str, model: str | None) -> None:
    assert attributes(f"x.y=1\n{lines}\n".encode()).get("model") == model


def test_the_build_of_a_vendor_partition_is_not_the_systems() -> None:
    vendor = b"ro.vendor.build.version.release=11\nro.vendor.build.id=OLD\nro.product.vendor.model=Phone\n"
    assert attributes(vendor) == {"model": "Phone"}


@pytest.mark.parametrize("data", [b"", b"# only words\n", b"no property\n", bytes(64), b"=\n"])
def test_a_file_without_a_property_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_build_properties(data)


def test_the_size_is_bounded() -> None:
    with pytest.raises(LimitError):
        parse_build_properties(SYSTEM, replace(DEFAULT, record_size=10))


@pytest.mark.parametrize(
    ("head", "known"),
    [
        (SYSTEM, True),
        (PRINTED, True),
        (b"# comment\n" * 50, True),
        (b"ro.a=1", True),
        (b"", False),
        (b"<?xml version='1.0'?>", False),
        (b"MZ\x90\x00=", False),
        (b"key=value\n", False),
    ],
)
def test_the_first_line_tells_it(head: bytes, known: bool) -> None:
    assert is_build_properties(head) is known


def test_damage_is_read_or_refused() -> None:
    for data in (SYSTEM, PRINTED):
        for damaged in (*prefixes(data), *mutations(data, 300)):
            is_build_properties(damaged)
            try:
                found = device_attributes(parse_build_properties(damaged))
            except FormatError:
                continue
            assert all(value.isprintable() for _, value in found)


def test_lines_are_bounded() -> None:
    few = replace(DEFAULT, record_elements=10)
    assert parse_build_properties(b"ro.serialno=S1\n" * 10, few) == {"ro.serialno": "S1"}
    with pytest.raises(LimitError):
        parse_build_properties(b"ro.serialno=S1\n" * 11, few)
    assert parse_build_properties(b"ro.serialno=" + b"S" * 100_000, few) == {"ro.serialno": "S" * 256}
