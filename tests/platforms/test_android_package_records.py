"""Files of the package service are recognised in any extraction and become records of the device."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

import pytest

from auditor.containers.member import Budget
from auditor.errors import InputError
from auditor.limits import DEFAULT, Limits
from auditor.model import (
    Completeness,
    DeviceRecord,
    DeviceUser,
    FactKind,
    Listing,
    Origin,
    ProblemCode,
    RecordKind,
    State,
)
from auditor.platforms.android_package_records import KINDS, read, recognise
from auditor.platforms.record_source import RecordSource
from tests.builders.abx import Node, abx, flag, long, long_hex, node, number, text_xml, twins
from tests.builders.android_state import (
    ARCHIVED,
    Certificates,
    factory,
    package,
    packages,
    restrictions,
    shared_user,
    user,
    user_list,
    user_package,
)
from tests.builders.mangle import mutations, prefixes
from tests.formats.test_certificate import ALIPAY, ALIPAY_FACTS, WECHAT, WECHAT_FACTS

PREFIXES = ("", "data/", "Dump/data/", "fs/data/", "extraction/phone 7/data/", "filesystem1/userdata/", "mirror/x/")
LIST = b"a.b 10001 1 /data/user/0/a.b default none 0 12 1 com.shop\nc.d 1000 0 /data/system s none 0 30 1 @system\n"
PROPERTIES = b"# build\nro.build.version.release=14\nro.product.vendor.model=Phone\nro.serialno=S1\n"


@dataclass(frozen=True)
class Held:
    """A file in memory."""

    path: str
    data: bytes
    refused: bool = False

    @property
    def size(self) -> int:
        return len(self.data)

    @property
    def origin(self) -> Origin:
        return Origin(("dump.tar", self.path))

    def open(self) -> bytes:
        if self.refused:
            raise InputError(f"cannot read {self.origin}")
        return self.data

    def peek(self, size: int) -> bytes:
        return self.data[:size]


def record(path: str, data: bytes, limits: Limits = DEFAULT) -> DeviceRecord:
    """The record that a file is recognised as."""
    kind = recognise(path, data[:1024])
    assert kind is not None
    assert kind in KINDS
    held = Held(path, data)
    return read(RecordSource(kind, held, {path: held}, Budget(limits)))


def device() -> Node:
    table = Certificates()
    return packages(
        package("com.tencent.mm", table.sigs([WECHAT])),
        package("com.eg.android.AlipayGphone", table.sigs([WECHAT], [ALIPAY]), packageSource=number(3)),
        package("cn.wps.moffice_eng", node("sigs"), publicFlags=number(0x81), it=long_hex(1_600_000_000_000)),
        package("org.staged", codePath="/data/app/vmdl1234567.tmp", publicFlags=number(2)),
        package("org.archived", ARCHIVED),
        package("org.shared", userId="", sharedUserId=number(10200)),
        factory("cn.wps.moffice_eng"),
        shared_user("s", 10200, table.sigs([ALIPAY])),
        node("renamed-package", {"new": "org.new", "old": "org.shared"}),
    )


def only(listings: Iterable[Listing], app_id: str, state: State | None = None) -> Listing:
    (found,) = [item for item in listings if item.app_id == app_id and (state is None or item.state is state)]
    return found


# Recognised by place and content.


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize(
    ("path", "item", "kind"),
    [
        ("system/packages.xml", packages(), RecordKind.PACKAGES_XML),
        ("system/packages-backup.xml", packages(), RecordKind.PACKAGES_XML),
        ("system/packages.xml.reservecopy", packages(), RecordKind.PACKAGES_XML),
        ("system/users/0/package-restrictions.xml", restrictions(), RecordKind.PACKAGE_RESTRICTIONS),
        ("system/users/userlist.xml", user_list(0), RecordKind.ANDROID_USERS),
        ("system/users/10.xml", user(10, 0x30), RecordKind.ANDROID_USERS),
    ],
)
def test_documents_are_recognised_under_any_prefix(prefix: str, path: str, item: Node, kind: RecordKind) -> None:
    for data in twins(item):
        assert recognise(prefix + path, data[:1024]) is kind


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize(
    ("path", "head", "kind"),
    [
        ("system/packages.list", LIST, RecordKind.PACKAGES_LIST),
        ("packages.list", LIST, RecordKind.PACKAGES_LIST),
        ("system/build.prop", PROPERTIES, RecordKind.BUILD_PROPERTIES),
        ("vendor/build.prop", PROPERTIES, RecordKind.BUILD_PROPERTIES),
        ("product/etc/build.prop", PROPERTIES, RecordKind.BUILD_PROPERTIES),
    ],
)
def test_text_files_are_recognised_under_any_prefix(prefix: str, path: str, head: bytes, kind: RecordKind) -> None:
    assert recognise(prefix + path, head) is kind


@pytest.mark.parametrize("path", ["packages.xml", "phone 7.xml", "evidence/0001.bin", "packages_old.xml"])
def test_a_document_under_another_name_is_recognised_by_its_content(path: str) -> None:
    for data in twins(packages(package("a.b"))):
        assert recognise(path, data[:1024]) is RecordKind.PACKAGES_XML
    for data in twins(restrictions(user_package("a.b"))):
        assert recognise(path, data[:1024]) is RecordKind.PACKAGE_RESTRICTIONS


@pytest.mark.parametrize(
    ("path", "head"),
    [
        ("packages.xml", b'<?xml version="1.0"?><packages><package id="jQuery" version="3.1.1" /></packages>'),
        ("data/data/a.b/files/packages.xml", b"<packages><item/></packages>"),
        ("packages.xml", b"<manifest/>"),
        ("packages.xml", b"packages:"),
        ("data/system/packages.xml", b"<resources/>"),
        ("config.xml", b"<packages>"),
        ("users/10.xml", b"<list/>"),
        ("res/10.xml", b"<user id='10'/>"),
        ("users.xml", b"<users/>"),
        ("etc/apt/packages.list", b"deb main\n"),
        ("packages.list.bak", LIST),
        ("build.prop", b"\x7fELF"),
        ("data/adb/modules/fake/system/build.prop", PROPERTIES),
        ("data/data/a.b/files/build.prop", PROPERTIES),
        ("default.prop", PROPERTIES),
        ("a.apk", b"PK\x03\x04"),
        ("x", b""),
    ],
)
def test_files_of_others_are_left_alone(path: str, head: bytes) -> None:
    assert recognise(path, head) is None


@pytest.mark.parametrize(
    "path", ["data/system/packages.xml", "data/system/users/10/package-restrictions.xml", "data/system/packages.list"]
)
@pytest.mark.parametrize("data", [bytes(512), b"\xde\xad\xbe\xef" * 99])
def test_a_record_in_its_place_that_holds_nonsense_is_a_problem(path: str, data: bytes) -> None:
    found = record(path, data)
    assert [item.code for item in found.problems] == [ProblemCode.RECORD_DAMAGED]
    assert found.completeness is Completeness.PARTIAL
    assert found.listings == ()


# packages.xml


@pytest.mark.parametrize("data", twins(device()))
def test_apps_of_the_device_are_listed_with_their_signers(data: bytes) -> None:
    found = record("data/system/packages.xml", data)
    assert (found.kind, found.completeness, found.detail) == (RecordKind.PACKAGES_XML, Completeness.FULL, "")
    assert found.problems == ()
    wechat = only(found.listings, "com.tencent.mm")
    assert (wechat.state, wechat.user, wechat.version_code) == (State.INSTALLED, "", "1234")
    assert [signer.sha256 for signer in wechat.signers] == [WECHAT_FACTS["sha256"]]
    assert wechat.installer == "com.android.vending"
    assert (wechat.installed, wechat.updated) == ("", "2023-11-14T22:15:00Z")
    assert wechat.paths == ("/data/app/~~AAAAAAAAAAAAAAAAAAAAAA==/com.tencent.mm-BBBBBBBBBBBBBBBBBBBBBB==",)
    assert (wechat.system, wechat.flags) == (False, ())
    alipay = only(found.listings, "com.eg.android.AlipayGphone")
    assert [signer.sha256 for signer in alipay.past_signers] == [ALIPAY_FACTS["sha256"]]
    assert alipay.flags == ("side-loaded",)
    assert [signer.sha256 for signer in only(found.listings, "org.shared").signers] == [ALIPAY_FACTS["sha256"]]
    assert [item.app_id for item in found.listings] == sorted(item.app_id for item in found.listings)


@pytest.mark.parametrize("data", twins(device()))
def test_states_other_than_installed_are_told(data: bytes) -> None:
    found = record("packages.xml", data).listings
    update = only(found, "cn.wps.moffice_eng", State.INSTALLED)
    assert (update.system, update.installed) == (True, "2020-09-13T12:26:40Z")
    old = only(found, "cn.wps.moffice_eng", State.SHADOWED)
    assert (old.system, old.version_code, old.paths) == (True, "7", ("/system/app/cn.wps.moffice_eng",))
    staged = only(found, "org.staged")
    assert (staged.state, staged.flags) == (State.STAGED, ("debuggable",))
    assert only(found, "org.archived").state is State.ARCHIVED


def test_a_renamed_app_is_listed_under_both_names() -> None:
    found = record("packages.xml", abx(device())).listings
    old, new = only(found, "org.shared"), only(found, "org.new")
    assert replace(new, app_id=old.app_id) == old


def test_text_and_binary_give_the_same_record() -> None:
    text, binary = (record("packages.xml", data) for data in twins(device()))
    assert [replace(item, origin=text.origin) for item in text.listings] == [
        replace(item, origin=text.origin) for item in binary.listings
    ]
    assert text.attributes == binary.attributes


def test_listings_lie_at_their_entry_and_the_platform_is_told() -> None:
    data = text_xml(device())
    found = record("data/system/packages.xml", data)
    for item in found.listings:
        assert item.origin.offset is not None
        assert data[item.origin.offset :].startswith((b"<package ", b"<updated-package "))
    assert found.attributes == (
        ("fingerprint", "maker/phone/phone:14/UP1A.1/1:user/release-keys"),
        ("platform", "android"),
        ("sdk", "34"),
    )


@pytest.mark.parametrize(
    ("attributes", "flags"),
    [
        ({"installer": "com.android.shell", "packageSource": ""}, ("side-loaded",)),
        ({"installer": "", "packageSource": "", "installInitiator": "com.android.packageinstaller"}, ("side-loaded",)),
        ({"packageSource": number(4)}, ("side-loaded",)),
        ({"packageSource": number(1)}, ()),
        ({"installer": "", "packageSource": ""}, ()),
    ],
)
def test_what_shows_that_an_app_came_from_a_file(attributes: dict[str, str], flags: tuple[str, ...]) -> None:
    found = record("packages.xml", abx(packages(package("a.b", **attributes))))
    assert found.listings[0].flags == flags


def test_a_certificate_that_cannot_be_read_leaves_its_digest() -> None:
    found = record("packages.xml", abx(packages(package("a.b", Certificates().sigs([b"no certificate"])))))
    assert found.listings[0].signers == ()
    assert found.listings[0].signer_digests == (f"sha256:{hashlib.sha256(b'no certificate').hexdigest()}",)
    (problem,) = found.problems
    assert (problem.code, problem.hidden) == (ProblemCode.RECORD_DAMAGED, frozenset({FactKind.SIGNER}))
    assert found.completeness is Completeness.FULL


def test_certificates_that_the_file_does_not_hold_are_one_problem() -> None:
    lost = node("sigs", {}, node("cert", {"index": number(5)}))
    found = record("packages.xml", abx(packages(*(package(f"a.b{index}", lost) for index in range(8)))))
    (problem,) = found.problems
    assert problem.detail.startswith("a certificate of a.b0, a.b1, a.b2, a.b3, a.b4 and 3 more is not in the file")
    assert problem.hidden == frozenset({FactKind.SIGNER})


@pytest.mark.parametrize("data", twins(device()))
def test_a_file_that_breaks_off_lists_what_was_before_and_proves_nothing(data: bytes) -> None:
    found = record("data/system/packages.xml", data[: data.index(b"org.staged")])
    assert {"com.tencent.mm", "com.eg.android.AlipayGphone"} <= {item.app_id for item in found.listings}
    assert not found.completeness.proves_absence
    (problem,) = [item for item in found.problems if item.hidden != frozenset({FactKind.SIGNER})]
    assert problem.code is ProblemCode.RECORD_DAMAGED
    assert "packages-backup.xml" in problem.detail
    assert problem.origin.offset is not None


def test_a_file_without_packages_proves_nothing() -> None:
    found = record("data/system/packages.xml", abx(packages()))
    assert [item.code for item in found.problems] == [ProblemCode.RECORD_DAMAGED]
    assert not found.completeness.proves_absence


def test_records_without_a_name_are_a_problem() -> None:
    found = record("packages.xml", abx(packages(package("a.b"), package(""))))
    assert [item.detail for item in found.problems] == ["records of packages without a usable name: 1"]
    assert not found.completeness.proves_absence


def test_bounds_are_problems_of_their_own() -> None:
    data = abx(device())
    large = record("packages.xml", data, replace(DEFAULT, record_size=100))
    assert [item.code for item in large.problems] == [ProblemCode.LIMIT]
    for few in (replace(DEFAULT, record_elements=9), replace(DEFAULT, record_listings=2)):
        many = record("packages.xml", data, few)
        assert ProblemCode.LIMIT in [item.code for item in many.problems]
        assert many.listings != ()
        assert not many.completeness.proves_absence


@pytest.mark.parametrize(
    ("path", "data", "kept"),
    [
        ("packages.xml", abx(packages(*(package(f"org.a{count}") for count in range(9)))), 5),
        ("packages.xml", text_xml(packages(package("org.a"), *(factory(f"org.a{count}") for count in range(9)))), 6),
        (
            "users/0/package-restrictions.xml",
            abx(restrictions(*(user_package(f"a.b{count}") for count in range(9)))),
            5,
        ),
        ("packages.list", LIST * 5, 5),
    ],
    ids=["packages", "factory versions", "restrictions", "list"],
)
def test_more_apps_than_the_bound_are_told(path: str, data: bytes, kept: int) -> None:
    found = record(path, data, replace(DEFAULT, record_listings=5))
    assert len(found.listings) == kept
    (problem,) = found.problems
    assert (problem.code, problem.hides) == (ProblemCode.LIMIT, None)
    assert "--limit record_listings" in problem.detail
    assert not found.completeness.proves_absence


def test_names_of_renamed_apps_are_bounded() -> None:
    renamed = [node("renamed-package", {"new": f"org.n{count}", "old": "org.a"}) for count in range(20)]
    found = record("packages.xml", abx(packages(package("org.a"), *renamed)), replace(DEFAULT, record_listings=3))
    assert len(found.listings) == 4


def test_certificates_beyond_the_bound_are_told_by_their_digest() -> None:
    found = record("packages.xml", abx(device()), replace(DEFAULT, record_certificates=1))
    shared = only(found.listings, "org.shared")
    assert (shared.signers, shared.signer_digests) == ((), (f"sha256:{hashlib.sha256(ALIPAY).hexdigest()}",))
    assert only(found.listings, "com.tencent.mm").signers != ()
    assert FactKind.SIGNER in (found.problems[0].hides or ())


def test_what_follows_the_first_root_hides_nothing() -> None:
    """The platform reads one root; a second one must not make the file another document."""
    behind = abx(device()).removesuffix(b"\x11") + abx(node("other"))[5:]
    found = record("data/system/packages.xml", behind)
    assert only(found.listings, "com.tencent.mm").state is State.INSTALLED


def test_a_file_that_the_system_refuses_is_a_problem() -> None:
    held = Held("data/system/packages.xml", b"", refused=True)
    found = read(RecordSource(RecordKind.PACKAGES_XML, held, {}, Budget(DEFAULT)))
    assert [item.code for item in found.problems] == [ProblemCode.UNREADABLE]


# package-restrictions.xml


@pytest.mark.parametrize(
    ("item", "state"),
    [
        (user_package("a.b"), State.INSTALLED),
        (user_package("a.b", ceDataInode=long(9)), State.INSTALLED),
        (user_package("a.b", inst=flag(False)), State.PRESENT),
        (user_package("a.b", inst=flag(False), ceDataInode=long(9)), State.RESIDUAL),
        (user_package("a.b", inst=flag(False), uninstall_reason=number(1)), State.PRESENT),
        (user_package("a.b", inst=flag(False), first_install_time=long_hex(43)), State.PRESENT),
        (user_package("a.b", ARCHIVED, inst=flag(False), ceDataInode=long(9)), State.ARCHIVED),
    ],
)
def test_the_state_for_a_user_is_told(item: Node, state: State) -> None:
    for data in twins(restrictions(item)):
        found = record("Dump/data/system/users/10/package-restrictions.xml", data)
        assert [(listing.state, listing.user) for listing in found.listings] == [(state, "10")]
        assert found.users == (DeviceUser("10"),)
        assert found.completeness is Completeness.PARTIAL
        assert found.problems == ()


def test_words_on_the_state_are_flags() -> None:
    item = user_package(
        "a.b",
        stopped=flag(True),
        hidden=flag(True),
        suspended=flag(True),
        instant_app=flag(True),
        enabled=number(3),
        install_reason=number(1),
        first_install_time=long_hex(1_700_000_000_000),
        harmful_app_warning="careful",
    )
    (found,) = record("users/0/package-restrictions.xml", abx(restrictions(item))).listings
    assert found.flags == (
        "disabled",
        "harmful",
        "hidden",
        "installed by policy",
        "instant",
        "stopped",
        "suspended",
    )
    assert found.installed == "2023-11-14T22:13:20Z"


def test_without_a_place_the_user_is_unknown() -> None:
    found = record("restrictions of the phone.xml", abx(restrictions(user_package("a.b"))))
    assert (found.listings[0].user, found.users) == ("", ())
    assert "path does not tell" in found.detail


def test_restrictions_that_break_off_are_a_problem() -> None:
    data = abx(restrictions(user_package("a.b"), user_package("c.d")))
    found = record("users/0/package-restrictions.xml", data[:-12])
    assert len(found.listings) == 2
    assert [item.code for item in found.problems] == [ProblemCode.RECORD_DAMAGED]


# packages.list, users, build.prop


def test_the_list_proves_no_absence() -> None:
    """Archived apps, apps of which data is kept and apps on storage that is away have no line."""
    found = record("data/system/packages.list", LIST)
    assert found.completeness is Completeness.PARTIAL
    assert "archived" in found.detail
    assert not found.problems
    one, other = found.listings
    assert (one.app_id, one.state, one.version_code, one.installer) == ("a.b", State.INSTALLED, "12", "com.shop")
    assert (one.system, one.flags, one.origin.offset) == (False, ("debuggable",), 0)
    assert (other.app_id, other.system, other.installer) == ("c.d", True, "")


def test_a_list_that_breaks_off_proves_nothing() -> None:
    found = record("packages.list", LIST[:-4])
    assert len(found.listings) == 2
    assert [item.code for item in found.problems] == [ProblemCode.RECORD_DAMAGED]
    assert not found.completeness.proves_absence


def test_users_are_told_without_names() -> None:
    found = record("data/system/users/10.xml", abx(user(10, 0x1030, "profile.MANAGED")))
    assert found.users == (DeviceUser("10", "work profile"),)
    assert "Anna" not in repr(found)
    assert record("userlist.xml", text_xml(user_list(10, 0))).users == (DeviceUser("0"), DeviceUser("10"))
    assert found.listings == ()


def test_the_build_tells_the_device() -> None:
    found = record("system/build.prop", PROPERTIES)
    assert found.attributes == (
        ("model", "Phone"),
        ("os_version", "14"),
        ("platform", "android"),
        ("serial", "S1"),
    )
    assert found.completeness is Completeness.PARTIAL


@pytest.mark.parametrize(
    ("kind", "data"),
    [(RecordKind.ANDROID_USERS, abx(user(10, 0x30))[:-9]), (RecordKind.BUILD_PROPERTIES, b"# nothing")],
)
def test_damage_to_a_record_that_names_no_app_hides_none(kind: RecordKind, data: bytes) -> None:
    found = read(RecordSource(kind, Held("x", data), {}, Budget(DEFAULT)))
    assert [(item.code, item.hidden) for item in found.problems] == [(ProblemCode.RECORD_DAMAGED, frozenset())]


def test_damage_never_raises() -> None:
    for data in twins(device()):
        for damaged in (*prefixes(data, 60), *mutations(data, 200)):
            recognise("data/system/packages.xml", damaged[:1024])
            held = Held("data/system/packages.xml", damaged)
            found = read(RecordSource(RecordKind.PACKAGES_XML, held, {}, Budget(DEFAULT)))
            assert found.listings or found.problems


@pytest.mark.parametrize(
    ("item", "removed"),
    [
        (user_package("a.b"), False),
        (user_package("a.b", first_install_time=long_hex(43)), False),
        (user_package("a.b", inst=flag(False)), False),
        (user_package("a.b", inst=flag(False), first_install_time=long_hex(0)), False),
        (user_package("a.b", inst=flag(False), first_install_time=long_hex(43)), True),
        (user_package("a.b", inst=flag(False), uninstall_reason=number(1)), True),
        (user_package("a.b", inst=flag(False), ceDataInode=long(9)), True),
        (user_package("a.b", ARCHIVED, inst=flag(False), ceDataInode=long(9)), False),
    ],
)
def test_a_removal_for_the_user_is_told_beside_the_state(item: Node, removed: bool) -> None:
    (found,) = record("users/0/package-restrictions.xml", abx(restrictions(item))).listings
    assert ("removed for this user" in found.flags) is removed
