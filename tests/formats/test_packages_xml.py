"""packages.xml tells apps, factory versions and certificates, alike as text and as binary XML."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from auditor.errors import FormatError, LimitError
from auditor.formats.abx import parse_abx
from auditor.formats.packages_xml import PackageSetting, PackagesXml, is_plain_name, parse_packages_xml
from auditor.limits import DEFAULT
from tests.builders.abx import Node, abx, flag, long_hex, node, number, text_xml, twins
from tests.builders.android_state import ARCHIVED, Certificates, factory, package, packages, shared_user
from tests.builders.mangle import mutations, prefixes
from tests.formats.test_certificate import ALIPAY, WECHAT

QQ = bytes.fromhex(
    "30820253308201bca00302010202044bbb0361300d06092a864886f70d0101050500306d310e300c060355040613054368696e61310f300d0603"
    "5504080c06e58c97e4baac310f300d06035504070c06e58c97e4baac310f300d060355040a0c06e885bee8aeaf311b3019060355040b0c12e697"
    "a0e7babfe4b89ae58aa1e7b3bbe7bb9f310b30090603550403130251513020170d3130303430363039343831375a180f32323834303132303039"
    "343831375a306d310e300c060355040613054368696e61310f300d06035504080c06e58c97e4baac310f300d06035504070c06e58c97e4baac31"
    "0f300d060355040a0c06e885bee8aeaf311b3019060355040b0c12e697a0e7babfe4b89ae58aa1e7b3bbe7bb9f310b3009060355040313025151"
    "30819f300d06092a864886f70d010101050003818d0030818902818100a15e9756216f694c5915e0b529095254367c4e64faeff07ae13488d946"
    "615a58ddc31a415f717d019edc6d30b9603d3e2a7b3de0ab7e0cf52dfee39373bc472fa997027d798d59f81d525a69ecf156e885fd1e27909243"
    "86b2230cc90e3b7adc95603ddcf4c40bdc72f22db0f216a99c371d3bf89cba6578c60699e8a0d536950203010001300d06092a864886f70d0101"
    "0505000381810094a9b80e80691645dd42d6611775a855f71bcd4d77cb60a8e29404035a5e00b21bcc5d4a562482126bd91b6b0e50709377ceb9"
    "ef8c2efd12cc8b16afd9a159f350bb270b14204ff065d843832720702e28b41491fbc3a205f5f2f42526d67f17614d8a974de6487b2c866efede"
    "3b4e49a0f916baa3c1336fd2ee1b1629652049"
)
"""The certificate of Tencent QQ, as SDKs of the vendor pin it."""


def device() -> Node:
    """A device with the three vendors' apps, written so that each certificate is first used in another place."""
    table = Certificates()
    initiator = table.sigs([WECHAT], name="install-initiator-sigs")
    other = package("org.store", table.sigs([b"store"]), initiator)
    wechat = package("com.tencent.mm", table.sigs([WECHAT]))
    rotated = package("org.rotated", table.sigs([b"new"], [ALIPAY, b"store"]), ft=long_hex(-1))
    alipay = package("com.eg.android.AlipayGphone", table.sigs([ALIPAY]), installer="com.android.shell")
    qq = package("com.tencent.mobileqq", userId="", sharedUserId=number(10200))
    updated = package("cn.wps.moffice_eng", table.sigs([b"wps"]), publicFlags=number(1 | 1 << 7))
    return packages(
        other,
        wechat,
        rotated,
        alipay,
        qq,
        updated,
        factory("cn.wps.moffice_eng"),
        shared_user("com.tencent", 10200, table.sigs([QQ])),
        shared_user("android.uid.nobody", 9999, table.sigs([b"nobody"])),
        node("renamed-package", {"new": "com.new.browser", "old": "org.store"}),
        node("keyset-settings", {"version": number(1)}, node("keys")),
    )


def by_name(found: PackagesXml) -> dict[str, PackageSetting]:
    return {item.name: item for item in found.packages}


def test_the_vendors_certificate_is_the_pinned_one() -> None:
    assert hashlib.sha256(QQ).hexdigest() == "ea6e97ad6c34f7039a9c6daba732c97d0e098e83ede2b4d52c76eb0184ac7a38"


@pytest.mark.parametrize("data", twins(device()))
def test_certificates_are_found_wherever_they_are_first_used(data: bytes) -> None:
    found = by_name(parse_packages_xml(data))
    assert found["com.tencent.mm"].signers == (WECHAT,)
    assert found["org.store"].signers == (b"store",)
    assert found["org.rotated"].signers == (b"new",)
    assert found["org.rotated"].past_signers == (ALIPAY, b"store")
    assert found["com.eg.android.AlipayGphone"].signers == (ALIPAY,)
    assert found["com.tencent.mobileqq"].signers == (QQ,)


@pytest.mark.parametrize("data", twins(device()))
def test_factory_versions_renamed_packages_and_platforms_are_told(data: bytes) -> None:
    found = parse_packages_xml(data)
    (old,) = found.updated
    assert (old.name, old.code_path, old.version_code) == ("cn.wps.moffice_eng", "/system/app/cn.wps.moffice_eng", "7")
    assert old.signers == ()
    assert found.renamed == (("com.new.browser", "org.store"),)
    assert [(item.volume_uuid, item.sdk) for item in found.versions] == [("", "34"), ("primary_physical", "33")]
    assert found.versions[0].fingerprint.startswith("maker/phone")
    assert (found.unresolved, found.nameless, found.fault) == ((), 0, None)


def test_text_and_binary_say_the_same() -> None:
    text, binary = (parse_packages_xml(data) for data in twins(device()))
    assert [replace(item, offset=0) for item in text.packages] == [replace(item, offset=0) for item in binary.packages]
    assert text.versions == binary.versions


@pytest.mark.parametrize("data", twins(packages(package("a.b", it=long_hex(1_600_000_000_000), realName="a.c"))))
def test_a_record_is_read_in_full(data: bytes) -> None:
    (item,) = parse_packages_xml(data).packages
    assert replace(item, offset=0) == PackageSetting(
        name="a.b",
        offset=0,
        code_path="/data/app/~~AAAAAAAAAAAAAAAAAAAAAA==/a.b-BBBBBBBBBBBBBBBBBBBBBB==",
        real_name="a.c",
        version_code="1234",
        target_sdk="34",
        modified=1_700_000_000_000,
        first_installed=1_600_000_000_000,
        updated=1_700_000_100_000,
        public_flags=0x38A8BE44,
        private_flags=-1946152952,
        user_id=10123,
        installer="com.android.vending",
        source=2,
    )


@pytest.mark.parametrize(
    ("attributes", "flags", "system"),
    [
        ({"publicFlags": "945143365"}, 945143365, True),
        ({"publicFlags": "-1202717119"}, 3092250177, True),
        ({"publicFlags": "-1202717120"}, 3092250176, False),
        ({"flags": "8961605"}, 8961605, True),
        ({"publicFlags": "0", "flags": "1"}, 0, False),
        ({"system": "true"}, 1, True),
        ({"system": "false"}, 0, False),
        ({"publicFlags": "many"}, None, None),
        ({}, None, None),
    ],
)
def test_flags_of_every_release_are_read(attributes: dict[str, str], flags: int | None, system: bool | None) -> None:
    written = " ".join(f'{name}="{value}"' for name, value in attributes.items())
    (item,) = parse_packages_xml(f'<packages><package name="a.b" {written}/></packages>'.encode()).packages
    assert (item.public_flags, item.is_system) == (flags, system)


@pytest.mark.parametrize("time", ["-1", "ffffffffffffffff", "0", "", "soon"])
def test_times_that_are_none_stay_unknown(time: str) -> None:
    (item,) = parse_packages_xml(
        f'<packages><package name="a.b" ft="{time}" ut="18bcfe56800"/></packages>'.encode()
    ).packages
    assert (item.modified, item.updated) == (None, 1_700_000_000_000)


def test_who_installed_an_app_is_told() -> None:
    item = package(
        "a.b",
        ARCHIVED,
        installInitiator="com.shop",
        installOriginator="com.browser",
        updateOwner="com.owner",
        packageSource=number(4),
        volumeUuid="1234-ABCD",
        isOrphaned=flag(True),
    )
    (found,) = parse_packages_xml(abx(packages(item))).packages
    assert (found.initiator, found.originator, found.update_owner) == ("com.shop", "com.browser", "com.owner")
    assert (found.source, found.volume_uuid, found.archived) == (4, "1234-ABCD", True)


def test_a_package_of_a_shared_user_with_signatures_of_its_own_keeps_them() -> None:
    table = Certificates()
    own = package("a.own", table.sigs([b"own"]), userId="", sharedUserId=number(10200))
    empty = package("a.empty", node("sigs", {"count": number(0)}), userId="", sharedUserId=number(10200))
    found = by_name(parse_packages_xml(abx(packages(own, empty, shared_user("s", 10200, table.sigs([b"shared"]))))))
    assert found["a.own"].signers == (b"own",)
    assert found["a.empty"].signers == (b"shared",)
    assert (found["a.own"].user_id, found["a.own"].shared) == (10200, True)


def test_the_first_key_of_a_number_stays() -> None:
    text = (
        b'<packages><package name="a.a"><sigs><cert index="0" key="aa"/></sigs></package>'
        b'<package name="a.b"><sigs><cert index="0" key="bb"/></sigs></package></packages>'
    )
    assert [item.signers for item in parse_packages_xml(text).packages] == [(b"\xaa",), (b"\xaa",)]


@pytest.mark.parametrize(
    "certificate", ['<cert index="9"/>', "<cert/>", '<cert index="x" key="00"/>', '<cert index="1" key="0g"/>']
)
def test_a_certificate_that_the_file_does_not_hold_is_told(certificate: str) -> None:
    found = parse_packages_xml(
        f'<packages><package name="a.b"><sigs>{certificate}</sigs></package></packages>'.encode()
    )
    assert found.unresolved == ("a.b",)
    assert found.packages[0].signers == ()


def test_too_large_and_too_many_certificates_are_told() -> None:
    table = Certificates()
    item = packages(package("a.b", table.sigs([bytes([index]) for index in range(12)])))
    found = parse_packages_xml(abx(item))
    assert (len(found.packages[0].signers), found.unresolved) == (DEFAULT.signers, ("a.b",))
    small = replace(DEFAULT, certificate_size=10)
    assert parse_packages_xml(abx(device()), small).unresolved != ()


@pytest.mark.parametrize("name", ["", "a b", "a/b", "a\tb", "x" * 256, "a\u202eb"])
def test_records_without_a_usable_name_are_counted(name: str) -> None:
    found = parse_packages_xml(abx(packages(package(name), package("a.b"))))
    assert ([item.name for item in found.packages], found.nameless) == (["a.b"], 1)
    assert not is_plain_name(name)


def test_a_file_that_breaks_off_names_the_packages_before() -> None:
    data = abx(device())
    spot = next(item.offset for item in parse_abx(data).root.walk() if item.get("name") == "org.rotated")
    found = parse_packages_xml(data[: spot + 60])
    assert [item.name for item in found.packages][:2] == ["org.store", "com.tencent.mm"]
    assert found.packages[1].signers == (WECHAT,)
    assert found.fault is not None


def test_the_versions_of_older_releases_are_read() -> None:
    text = b'<packages><last-platform-version internal="19" external="19" fingerprint="a/b"/></packages>'
    (version,) = parse_packages_xml(text).versions
    assert (version.volume_uuid, version.sdk, version.fingerprint) == ("", "19", "a/b")


@pytest.mark.parametrize("data", [b"", b"<package/>", b"<manifest><packages/></manifest>", abx(node("pkg"))])
def test_another_document_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_packages_xml(data)


def test_the_size_is_bounded() -> None:
    with pytest.raises(LimitError):
        parse_packages_xml(text_xml(device()), replace(DEFAULT, record_size=100))


def test_damage_is_read_or_refused() -> None:
    for data in twins(device()):
        for damaged in (*prefixes(data, 100), *mutations(data, 300)):
            try:
                found = parse_packages_xml(damaged)
            except FormatError:
                continue
            assert len(found.packages) <= 8


def test_a_second_root_is_not_read() -> None:
    """The platform stops behind the first."""
    one, other = abx(packages(package("a.b"))), abx(packages(package("c.d")))
    found = parse_packages_xml(one.removesuffix(b"\x11") + other[5:])
    assert [item.name for item in found.packages] == ["a.b"]
    with pytest.raises(FormatError, match="<other>, not <packages>"):
        parse_packages_xml(abx(node("other")).removesuffix(b"\x11") + one[5:])


def test_attributes_are_counted_however_they_are_spaced() -> None:
    few = replace(DEFAULT, record_elements=10)
    text = "<packages><package " + " ".join(f"a{count}\n=\n''" for count in range(50)) + "/></packages>"
    with pytest.raises(LimitError, match="record_elements"):
        parse_packages_xml(text.encode(), few)
