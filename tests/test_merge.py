"""One truth per device: what is installed for whom, what contradicts it, and what is not proven absent."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace

import pytest

from auditor.merge import merge_device
from auditor.model import (
    Audit,
    Completeness,
    DeviceApp,
    DeviceScan,
    DeviceUser,
    Grade,
    JudgedRecord,
    MergedDevice,
    Origin,
    Platform,
    Problem,
    ProblemCode,
    RecordKind,
    Role,
    Signing,
    SigningState,
    State,
    Verdict,
)
from tests.builders.device_records import (
    CODE,
    SHOP,
    SUBJECTS,
    WECHAT,
    a_build,
    a_problem,
    a_record,
    a_scan,
    a_signer,
    an_id_match,
    an_sdk_match,
    java_hash,
    listing,
)

XML, LIST, USERS = RecordKind.PACKAGES_XML, RecordKind.PACKAGES_LIST, RecordKind.PACKAGE_RESTRICTIONS
DUMP, USAGE, DATA = RecordKind.DUMPSYS_PACKAGE, RecordKind.USAGE_STATS, RecordKind.DATA_DIRECTORIES
BACKUP, HOME, CONTAINERS = RecordKind.IOS_BACKUP, RecordKind.APPLICATION_STATE, RecordKind.IOS_CONTAINERS
IOS = Platform.IOS
INSTALLED, PRESENT, RESIDUAL, HISTORY = State.INSTALLED, State.PRESENT, State.RESIDUAL, State.HISTORY
EVERYTHING = {platform: frozenset(SUBJECTS) for platform in Platform}
SYSTEM = "ffs.tar!system/app/WeChat/WeChat.apk"
DOWNLOAD = "ffs.tar!data/media/0/Download/wechat.apk"
USERS_0 = "ffs.tar!data/system/users/0/package-restrictions.xml"
USERS_10 = "ffs.tar!data/system/users/10/package-restrictions.xml"


def merged(*scans: DeviceScan | Audit | JudgedRecord | Problem) -> MergedDevice:
    """A device of these scans; anything else belongs to one scan."""
    loose = [item for item in scans if not isinstance(item, DeviceScan)]
    whole = [item for item in scans if isinstance(item, DeviceScan)]
    return merge_device("phone-17", [*whole, *([a_scan(*loose)] if loose else [])], EVERYTHING)


def the_app(*scans: DeviceScan | Audit | JudgedRecord | Problem, app_id: str = WECHAT) -> DeviceApp:
    return next(app for app in merged(*scans).apps if app.app_id == app_id)


def states(app: DeviceApp) -> dict[str, State]:
    return dict(app.states)


def restrictions(user: str, state: State, app_id: str = WECHAT, **more: object) -> JudgedRecord:
    place = f"ffs.tar!data/system/users/{user}/package-restrictions.xml"
    return a_record(listing(app_id, state, user, **more), kind=USERS, place=place, users=(DeviceUser(user),))


def dump(*listings: object, day: str = "", **more: object) -> JudgedRecord:
    """A dumpsys, of a bug report where a day is given."""
    return a_record(*listings, kind=DUMP, taken=f"{day}T12:00:00Z" if day else "", **more)  # type: ignore[arg-type]


# What an app is, for whom.


def test_a_record_of_the_device_stands_for_all_users() -> None:
    app = the_app(a_record(listing()))
    assert (states(app), app.is_present, app.sources) == ({"": INSTALLED}, True, (XML.value,))


def test_what_a_record_says_of_a_user_goes_before_what_one_says_of_the_device() -> None:
    app = the_app(a_record(listing()), restrictions("0", INSTALLED), restrictions("10", PRESENT))
    assert states(app) == {"0": INSTALLED, "10": PRESENT}
    assert app.conflicts == ()


def test_a_work_profile_is_told_from_its_owner() -> None:
    users = (DeviceUser("0", "owner"), DeviceUser("10", "work profile"))
    device = merged(
        dump(listing(user="0", state=PRESENT), listing(user="10"), users=users), restrictions("10", INSTALLED)
    )
    assert device.users == users
    assert states(device.apps[0]) == {"0": PRESENT, "10": INSTALLED}
    assert device.apps[0].conflicts == ()


@pytest.mark.parametrize("state", [PRESENT, RESIDUAL, HISTORY, State.ARCHIVED])
def test_installed_in_packages_xml_and_not_for_a_user_is_no_conflict(state: State) -> None:
    app = the_app(a_record(listing()), restrictions("0", state), dump(listing(user="0", state=state)))
    assert states(app) == {"0": state}
    assert app.conflicts == ()


def test_ways_of_not_being_installed_do_not_contradict_each_other() -> None:
    app = the_app(restrictions("0", RESIDUAL), dump(listing(user="0", state=HISTORY)))
    assert (states(app), app.conflicts) == ({"0": RESIDUAL}, ())


def test_users_that_only_a_history_names_do_not_hide_the_device() -> None:
    app = the_app(a_record(listing()), a_record(listing(user="10", state=HISTORY), kind=USAGE))
    assert states(app) == {"": INSTALLED}


@pytest.mark.parametrize(
    ("kind", "state"), [(USAGE, HISTORY), (DATA, RESIDUAL), (RecordKind.INSTALL_LOG, HISTORY)], ids=str
)
def test_leftovers_and_histories_match_and_are_no_finding(kind: RecordKind, state: State) -> None:
    device = merged(a_record(listing(state=state, user="0"), kind=kind))
    app = device.apps[0]
    assert (states(app), app.is_present) == ({"0": state}, False)
    assert app.subjects == (("wechat", Role.APP, Grade.CLAIMED),)
    assert dict(device.verdicts)["wechat"] is Verdict.UNKNOWN


def test_a_history_does_not_bring_back_what_a_live_record_calls_gone() -> None:
    app = the_app(dump(listing(user="0", state=HISTORY)), a_record(listing(state=HISTORY, user="0"), kind=USAGE))
    assert (states(app), app.is_present) == ({"0": HISTORY}, False)


def test_data_beside_an_installed_app_is_only_its_data() -> None:
    app = the_app(a_record(listing()), a_record(listing(user="0", state=RESIDUAL), kind=DATA))
    assert (states(app), app.conflicts) == ({"": INSTALLED}, ())


def test_a_state_that_a_record_does_not_tell_leaves_the_app_possible() -> None:
    unknown = dump(listing(user="0", state=State.UNKNOWN))
    assert states(the_app(unknown)) == {"0": State.UNKNOWN}
    gone = a_record(listing(user="0", state=HISTORY), kind=USAGE)
    assert states(the_app(unknown, gone)) == {"0": State.UNKNOWN}
    assert states(the_app(unknown, a_build())) == {"0": INSTALLED}
    assert the_app(unknown).is_present


def test_an_archived_app_is_there_and_its_code_is_not() -> None:
    app = the_app(restrictions("0", State.ARCHIVED), a_record(listing(state=State.ARCHIVED, version_code="80")))
    assert (states(app), app.is_present, app.code_seen) == ({"0": State.ARCHIVED}, True, False)


def test_an_installation_that_was_begun_does_not_replace_the_installed_version() -> None:
    staged = a_build(WECHAT, "ffs.tar!data/app/vmdl1.tmp/base.apk", version="9.0", version_code="90")
    app = the_app(a_record(listing(version_code="80")), a_build(), staged)
    assert (states(app), app.versions, app.conflicts) == ({"": INSTALLED}, ("8.0 (80)",), ())
    assert any("9.0 (90)" in note and "staged" in note for note in app.notes)
    alone = the_app(staged)
    assert (states(alone), alone.versions) == ({"": State.STAGED}, ("9.0 (90)",))


def test_an_app_of_a_backup_alone_is_in_a_backup() -> None:
    record = a_record(listing("com.tencent.xin", State.BACKUP, platform=IOS), kind=BACKUP, taken="2026-11-01T00:00:00Z")
    app = the_app(record, app_id="com.tencent.xin")
    assert (states(app), app.is_present, app.code_seen) == ({"": State.BACKUP}, True, False)
    assert app.last_seen == "2026-11-01T00:00:00Z"


def test_what_a_backup_says_of_a_signer_is_shown_and_does_not_decide() -> None:
    stranger = listing(state=State.BACKUP, signers=(a_signer("stranger"),))
    backup = a_record(stranger, kind=RecordKind.ADB_BACKUP, place="old.ab!backup.tar!apps")
    impostor = replace(
        backup, apps=tuple(replace(item, matches=(an_id_match(grade=Grade.IMPOSTOR),)) for item in backup.apps)
    )
    app = the_app(dump(listing(user="0", signer_digests=(java_hash(),))), impostor)
    assert [(match.subject, match.grade) for match in app.matches] == [("wechat", Grade.CLAIMED)]
    assert any(conflict.startswith("signer: ") for conflict in app.conflicts)
    alone = the_app(impostor)
    assert [(match.subject, match.grade) for match in alone.matches] == [("wechat", Grade.IMPOSTOR)]


@pytest.mark.parametrize("state", [State.RESIDUAL, State.HISTORY])
def test_an_app_that_was_removed_for_its_user_still_lies_in_the_system_where_it_was_read(state: State) -> None:
    factory = a_build(WECHAT, "phone.img!system/app/W/W.apk")
    removed = dump(listing(WECHAT, state, "0"))
    assert states(the_app(factory, removed)) == {"0": State.PRESENT}
    assert states(the_app(a_scan(factory, number=1), a_scan(removed, number=2))) == {"0": State.PRESENT}
    assert states(the_app(removed)) == {"0": state}
    assert states(the_app(a_build(WECHAT), removed)) == {"0": state}


# An updated system app.


def updated() -> list[JudgedRecord | Audit]:
    factory = listing(state=State.SHADOWED, version_code="7", paths=("/system/app/WeChat",), system=True)
    live = listing(version_code="80", paths=(CODE.format(WECHAT),), system=True)
    return [
        a_record(live, factory),
        a_build(),
        a_build(WECHAT, SYSTEM, version="0.7", version_code="7", content="factory"),
    ]


def test_the_factory_copy_of_an_updated_app_is_a_note() -> None:
    app = the_app(*updated())
    assert (states(app), app.versions, app.conflicts) == ({"": INSTALLED}, ("8.0 (80)",), ())
    assert app.notes == ("factory copy (7) at /system/app/WeChat", f"factory copy 0.7 (7) at {SYSTEM}")
    assert (app.code_seen, app.shadowed_unseen) == (True, False)


def test_a_factory_copy_that_was_not_read_is_a_reason_for_doubt() -> None:
    record, build, _ = updated()
    device = merged(record, build)
    assert device.apps[0].shadowed_unseen
    assert device.open_reasons == (
        "1 factory copy behind updates known from records only: what it carries was not seen",
    )


def test_without_records_a_newer_copy_in_data_is_the_one_in_place() -> None:
    app = the_app(a_build(), a_build(WECHAT, SYSTEM, version="0.7", version_code="7", content="factory"))
    assert (states(app), app.versions, app.conflicts) == ({"": INSTALLED}, ("8.0 (80)",), ())


def test_a_factory_copy_whose_update_was_not_read_does_not_stand_for_it() -> None:
    app = the_app(
        a_record(listing(version_code="80", paths=(CODE.format(WECHAT),), system=True)),
        a_build(WECHAT, SYSTEM, version="0.7", version_code="7"),
    )
    assert (app.versions, app.code_seen) == (("(80)",), False)


def test_a_system_app_alone_is_installed() -> None:
    app = the_app(a_build(WECHAT, SYSTEM))
    assert (states(app), app.code_seen) == ({"": INSTALLED}, True)


def test_a_factory_copy_alone_is_one() -> None:
    app = the_app(a_record(listing(state=State.SHADOWED, system=True)))
    assert (states(app), app.is_present) == ({"": State.SHADOWED}, True)


# Files and records.


def test_a_file_that_the_record_of_its_device_does_not_name_is_left_over() -> None:
    app = the_app(a_record(listing(SHOP)), a_build())
    assert (states(app), app.is_present) == ({"": PRESENT}, True)
    assert len(app.conflicts) == 1
    assert app.conflicts[0].endswith("but packages.xml of 2026-11-22 (scan 1) names all apps and does not name it")


@pytest.mark.parametrize(
    "record",
    [
        a_record(listing(SHOP), completeness=Completeness.PARTIAL),
        a_record(listing(SHOP), kind=LIST, completeness=Completeness.FULL),
        a_record(listing(SHOP), kind=USERS),
        a_record(),
    ],
    ids=["damaged", "packages.list leaves some out", "restrictions", "empty"],
)
def test_a_record_that_may_leave_apps_out_says_nothing_by_its_silence(record: JudgedRecord) -> None:
    app = the_app(record, a_build())
    assert (states(app), app.conflicts) == ({"": INSTALLED}, ())


def test_a_silent_record_of_another_scan_is_shown_and_does_not_decide() -> None:
    app = the_app(a_scan(a_build(), number=1), a_scan(dump(listing(SHOP)), number=2))
    assert states(app) == {"": INSTALLED}
    assert len(app.conflicts) == 1


def test_a_system_file_needs_no_record() -> None:
    app = the_app(a_record(listing(SHOP)), a_build(WECHAT, SYSTEM))
    assert (states(app), app.conflicts) == ({"": INSTALLED}, ())


def test_a_record_without_the_file_it_names() -> None:
    missing = a_record(listing(paths=(CODE.format(WECHAT),), version_code="80"), listing(SHOP))
    app = the_app(missing, a_build(SHOP))
    assert len(app.conflicts) == 1
    assert app.conflicts[0].endswith("and no such file was in the same input")
    assert states(app) == {"": INSTALLED}


@pytest.mark.parametrize(
    "others",
    [
        [],
        [a_build(SHOP, "ffs.tar!system/app/Shop/Shop.apk")],
        [a_build(SHOP), a_problem(place=f"ffs.tar!{CODE[1:].format(WECHAT)}/base.apk")],
        [a_build(SHOP), a_build("", f"ffs.tar!{CODE[1:].format(WECHAT)}/base.apk")],
        [a_scan(a_build(SHOP), number=2)],
    ],
    ids=["no files at all", "files of the system only", "it is damaged", "its id cannot be read", "another input"],
)
def test_a_file_is_missed_only_where_such_files_were_read(others: list[Audit]) -> None:
    missing = a_record(listing(paths=(CODE.format(WECHAT),), version_code="80"), listing(SHOP))
    assert the_app(missing, *others).conflicts == ()


def test_a_record_of_a_system_partition_is_compared_with_that_partition() -> None:
    named = a_record(listing(paths=("/product/app/WeChat",), system=True))
    assert the_app(named, a_build(SHOP, "ffs.tar!system/app/Shop/Shop.apk")).conflicts == ()
    assert the_app(named, a_build(SHOP, "ffs.tar!product/app/Shop/Shop.apk")).conflicts != ()


def test_what_cannot_be_read_belongs_to_the_package_its_folder_names() -> None:
    unreadable = a_build("", f"ffs.tar!{CODE[1:].format(WECHAT)}/base.apk", unknown=SUBJECTS, version_code="")
    device = merged(a_record(listing(version_code="80")), unreadable)
    assert [app.app_id for app in device.apps] == [WECHAT]
    assert device.apps[0].unknown == SUBJECTS
    assert not device.apps[0].code_seen


def test_apps_whose_id_cannot_be_read_have_nothing_in_common() -> None:
    device = merged(a_build("", "a.apk"), a_build("", "b.apk", content="b"))
    assert len(device.apps) == 2


def test_a_copy_among_the_files_of_a_user_is_there_and_not_installed() -> None:
    device = merged(a_record(listing(SHOP, version_code="80")), a_build(SHOP), a_build(WECHAT, DOWNLOAD))
    app = next(app for app in device.apps if app.app_id == WECHAT)
    assert (states(app), app.is_present, app.conflicts) == ({"": PRESENT}, True, ())
    assert dict(device.verdicts)["wechat"] is Verdict.PRESENT


def test_a_copy_among_the_files_of_a_user_takes_nothing_from_the_installed_one() -> None:
    app = the_app(a_build(), a_build(WECHAT, DOWNLOAD, version_code="70"), restrictions("0", INSTALLED, SHOP))
    assert states(app) == {"0": INSTALLED}
    assert app.versions == ("8.0 (80)",)


def test_a_nested_app_is_on_the_device_and_not_installed() -> None:
    inner = a_build(WECHAT, f"ffs.tar!{CODE[1:].format(SHOP)}/base.apk!assets/inner.apk")
    nested = replace(inner, extraction=replace(inner.extraction, app=replace(inner.app, parent=Origin(("base.apk",)))))
    assert states(the_app(nested)) == {"": PRESENT}


# Versions, in several sources and over time.


def test_versions_that_differ_at_the_same_time_are_a_conflict() -> None:
    app = the_app(a_record(listing(version_code="81")), a_build())
    assert app.versions == ("(81)", "8.0 (80)")
    assert app.conflicts == (
        "version: (81) (packages.xml, scan 1, 2026-11-22);"
        f" 8.0 (80) (app files ffs.tar!{CODE[1:].format(WECHAT)}/base.apk, scan 1, 2026-11-22)",
    )
    assert not app.code_seen


def test_a_code_and_a_name_of_the_same_version_are_one() -> None:
    app = the_app(a_record(listing(version_code="80")), dump(listing(user="0", version="8.0", version_code="80")))
    assert (app.versions, app.conflicts) == (("8.0 (80)",), ())


def test_a_version_is_not_taken_for_part_of_another() -> None:
    assert the_app(a_record(listing(version_code="8")), a_build()).versions == ("(8)", "8.0 (80)")


OLD = "2026-01-05T12:00:00Z"


def two_dumps(first: list[object], second: list[object], days: tuple[str, str]) -> list[DeviceScan]:
    return [
        a_scan(dump(*first, day=days[0]), number=1, started="2026-11-20T00:00:00Z"),
        a_scan(dump(*second, day=days[1]), number=2, started="2026-11-20T00:00:00Z"),
    ]


def test_the_newest_live_record_decides_whatever_the_order_of_the_scans() -> None:
    here, gone = [listing(user="0", version_code="80")], [listing(user="0", state=RESIDUAL)]
    days = ("2026-01-05", "2026-02-05")
    removed = the_app(*two_dumps(here, gone, days))
    assert (states(removed), removed.conflicts, removed.is_present) == ({"0": RESIDUAL}, (), False)
    returned = the_app(*two_dumps(gone, here, days))
    assert (states(returned), returned.conflicts) == ({"0": INSTALLED}, ())
    assert states(the_app(*reversed(two_dumps(gone, here, days)))) == {"0": INSTALLED}


def test_a_newer_version_replaces_an_older_one_without_a_conflict() -> None:
    app = the_app(
        *two_dumps(
            [listing(user="0", version_code="80", installer="a")],
            [listing(user="0", version_code="81", installer="b")],
            ("2026-01-05", "2026-02-05"),
        )
    )
    assert (app.versions, app.installers, app.conflicts) == (("(81)",), ("b",), ())
    assert app.notes == ("dumpsys package of 2026-01-05: installed (80)",)


def test_an_app_that_a_newer_record_of_all_apps_does_not_name_is_gone() -> None:
    app = the_app(*two_dumps([listing(user="0")], [listing(SHOP, user="0")], ("2026-01-05", "2026-02-05")))
    assert (states(app), app.is_present, app.conflicts) == ({"0": HISTORY}, False, ())
    assert app.notes == ("dumpsys package of 2026-02-05, which names all apps, does not name it any more",)


def test_an_app_whose_file_was_read_before_such_a_record_is_gone_too() -> None:
    image = a_scan(a_record(listing(version_code="80")), a_build(), number=1, started=OLD)
    later = a_scan(dump(listing(SHOP, user="0"), day="2026-02-05"), number=2)
    assert states(the_app(image, later)) == {"": HISTORY}
    system = a_scan(a_build(WECHAT, SYSTEM), number=1, started=OLD)
    assert states(the_app(system, later)) == {"": INSTALLED}


def test_an_app_that_came_after_such_a_record_is_there() -> None:
    app = the_app(*two_dumps([listing(SHOP, user="0")], [listing(user="0")], ("2026-01-05", "2026-02-05")))
    assert (states(app), app.conflicts) == ({"0": INSTALLED}, ())


def test_where_no_order_is_known_a_doubt_is_no_absence() -> None:
    """A dump without a time of its own, scanned later than one that has it: it may be the older one."""
    for order in (1, -1):
        scans = [
            a_scan(dump(listing(user="0")), number=1, started="2026-03-01T00:00:00Z"),
            a_scan(dump(listing(user="0", state=RESIDUAL), day="2026-02-05"), number=2),
        ][::order]
        app = the_app(*scans)
        assert states(app) == {"0": INSTALLED}
        assert app.conflicts == (
            "state for user 0: installed (dumpsys package, scan 1, 2026-03-01);"
            " residual data (dumpsys package, scan 2, 2026-02-05)",
        )


def test_a_silent_record_that_may_be_older_leaves_the_app_there() -> None:
    app = the_app(
        a_scan(a_record(listing()), number=1, started="2026-03-01T00:00:00Z"),
        a_scan(dump(listing(SHOP, user="0"), day="2026-02-05"), number=2),
    )
    assert states(app) == {"": INSTALLED}
    assert len(app.conflicts) == 1


def test_the_times_in_a_record_tell_when_it_was_made_at_the_earliest() -> None:
    """packages.xml has no time of its own, but it knows of an update in February."""
    image = a_scan(
        a_record(listing(SHOP, updated="2026-02-20T00:00:00Z"), listing(version_code="81")),
        restrictions("0", RESIDUAL),
        number=1,
    )
    older = a_scan(dump(listing(user="0", version_code="80"), day="2026-02-05"), number=2)
    app = the_app(image, older)
    assert (states(app), app.conflicts) == ({"0": RESIDUAL}, ())


def test_a_clock_that_runs_ahead_of_the_scan_gives_no_order() -> None:
    image = a_scan(a_record(listing(SHOP, updated="2031-01-01T00:00:00Z")), number=1)
    older = a_scan(dump(listing(user="0"), day="2026-02-05"), number=2)
    assert states(the_app(image, older)) == {"0": INSTALLED}


def test_days_apart_are_needed_to_order_local_times() -> None:
    def app(local: str) -> DeviceApp:
        return the_app(
            a_scan(dump(listing(SHOP, user="0", updated=local), listing(user="0", state=HISTORY)), number=1),
            a_scan(dump(listing(user="0"), day="2026-02-05"), number=2),
        )

    assert states(app("2026-02-06T01:00:00")) == {"0": INSTALLED}
    assert states(app("2026-02-06T03:00:00")) == {"0": HISTORY}


# The same record twice.


@pytest.mark.parametrize(
    "spare", ["packages-backup.xml", "packages.xml.reservecopy", "packages-backup.xml.reservecopy"]
)
def test_an_older_copy_of_a_record_contradicts_nothing(spare: str) -> None:
    place = f"ffs.tar!data/system/{spare}"
    old = a_record(listing(version_code="70", state=State.ARCHIVED), listing(SHOP), place=place)
    device = merged(a_record(listing(version_code="80"), listing("com.other")), old)
    by_id = {app.app_id: app for app in device.apps}
    assert (by_id[WECHAT].versions, by_id[WECHAT].conflicts) == (("(80)",), ())
    assert states(by_id[WECHAT]) == {"": INSTALLED}
    assert states(by_id[SHOP]) == {"": HISTORY}
    assert by_id["com.other"].conflicts == ()


def test_a_copy_counts_where_the_record_itself_is_damaged() -> None:
    copy = a_record(listing(), place="ffs.tar!data/system/packages.xml.reservecopy")
    damaged = a_record(completeness=Completeness.PARTIAL)
    assert states(the_app(copy, damaged)) == {"": INSTALLED}
    partly = a_record(listing(SHOP), completeness=Completeness.PARTIAL)
    broken = a_problem(ProblemCode.RECORD_DAMAGED, "ffs.tar!data/system/packages.xml")
    assert states(the_app(copy, partly, broken)) == {"": INSTALLED}


def test_a_copy_of_the_restrictions_of_one_user_is_told_from_those_of_another() -> None:
    spare = a_record(
        listing(user="10"), kind=USERS, place="ffs.tar!data/system/users/10/package-restrictions-backup.xml"
    )
    app = the_app(restrictions("0", RESIDUAL), spare)
    assert states(app) == {"0": RESIDUAL, "10": INSTALLED}


# Signers.


def test_the_certificate_of_a_record_is_checked_against_the_binary() -> None:
    same = the_app(a_record(listing(version_code="80", signers=(a_signer(),))), a_build())
    assert same.conflicts == ()
    other = the_app(a_record(listing(version_code="80", signers=(a_signer("two"),))), a_build())
    assert len(other.conflicts) == 1
    assert other.conflicts[0].startswith("signer: sha256:")
    assert len(other.signers) == 2


def build_signed(*current: str, past: Iterable[str] = ()) -> Audit:
    signing = Signing(
        SigningState.VERIFIED,
        signers=tuple(a_signer(name) for name in current),
        lineage=tuple(a_signer(name) for name in past),
    )
    return a_build(signing=signing)


@pytest.mark.parametrize(
    ("recorded", "recorded_past", "build", "agree"),
    [
        (("new",), ("old",), build_signed("new", past=("old", "new")), True),
        (("old",), (), build_signed("new", past=("old", "new")), True),
        (("new",), ("old",), build_signed("old"), True),
        (("new",), (), build_signed("old"), False),
        (("new",), ("stranger",), build_signed("old"), False),
        (("a", "b"), (), build_signed("b", "a"), True),
        (("a", "b"), (), build_signed("a", "c"), False),
        (("old",), (), build_signed("new", past=("older", "new")), False),
    ],
)
def test_a_rotation_is_no_conflict(
    recorded: tuple[str, ...], recorded_past: tuple[str, ...], build: Audit, agree: bool
) -> None:
    names = {"signers": tuple(map(a_signer, recorded)), "past_signers": tuple(map(a_signer, recorded_past))}
    app = the_app(a_record(listing(version_code="80", **names)), build)
    assert (app.conflicts == ()) is agree


def hashed(*names: str, **more: object) -> JudgedRecord:
    digests = tuple(java_hash(name) for name in names)
    return dump(listing(user="0", version_code="80", signer_digests=digests, **more))


def test_the_hash_of_a_dump_is_checked_against_the_certificate_of_a_binary_or_record() -> None:
    for known in (a_build(), a_record(listing(version_code="80", signers=(a_signer(),)))):
        assert the_app(hashed("one"), known).conflicts == ()
        (conflict,) = the_app(hashed("stranger"), known).conflicts
        assert conflict.startswith(
            f"signer: dumpsys package of 2026-11-22 names {java_hash('stranger')}; {java_hash()} ("
        )


@pytest.mark.parametrize("state", [SigningState.MISSING, SigningState.INVALID])
def test_a_file_that_is_not_signed_contradicts_a_record_that_names_a_signer(state: SigningState) -> None:
    unsigned = a_build(signing=Signing(state))
    for record in (hashed("one"), a_record(listing(version_code="80", signers=(a_signer(),)))):
        (conflict,) = the_app(record, unsigned).conflicts
        assert conflict.startswith("signer: ")
        assert conflict.endswith(f"names one, and the signature of the file is {state.value}")
    assert the_app(a_record(listing(version_code="80")), unsigned).conflicts == ()


def test_the_hash_of_a_dump_may_be_of_an_earlier_signer() -> None:
    assert the_app(hashed("old"), build_signed("new", past=("old", "new"))).conflicts == ()
    assert the_app(hashed("new", "old"), build_signed("new", past=("old", "new"))).conflicts == ()
    assert the_app(hashed("a", "b"), build_signed("b", "a")).conflicts == ()
    assert len(the_app(hashed("a", "stranger"), build_signed("b", "a")).conflicts) == 1


def test_a_hash_that_agrees_is_not_shown_beside_its_certificate() -> None:
    app = the_app(hashed("one"), a_build())
    assert app.signers == (f"sha256:{a_signer().sha256}",)
    assert the_app(hashed("one")).signers == (java_hash(),)


def test_forms_that_cannot_be_compared_are_no_conflict() -> None:
    unhashed = replace(a_signer(), java_hash="")
    app = the_app(hashed("stranger"), a_record(listing(version_code="80", signers=(unhashed,))))
    assert app.conflicts == ()


def test_hashes_of_two_records_are_compared_with_each_other() -> None:
    other = a_record(listing(version_code="80", signer_digests=(java_hash("two"),)), kind=RecordKind.ANDROIDQF)
    assert len(the_app(hashed("one"), other).conflicts) == 1
    sha256 = a_record(listing(version_code="80", signer_digests=(f"sha256:{'ab' * 32}",)), kind=RecordKind.ANDROIDQF)
    assert the_app(hashed("one"), sha256).conflicts == ()


def test_digests_of_the_files_are_compared_with_the_files() -> None:
    build = a_build()
    digest = f"sha256:{build.app.parts[0].sha256}"

    def tool(*digests: str, code: str = "80") -> JudgedRecord:
        return a_record(listing(version_code=code, file_digests=digests), kind=RecordKind.ANDROIDQF)

    assert the_app(tool(digest, "sha256:" + "00" * 32), build).conflicts == ()
    (conflict,) = the_app(tool("sha256:" + "00" * 32), build).conflicts
    assert conflict.startswith("files: androidqf of 2026-11-22 tells other digests")


# Installers and times.


def test_installers_that_differ_are_shown() -> None:
    record = a_record(listing(version_code="80", installer="com.android.vending"))
    app = the_app(record, dump(listing(user="0", version_code="80", installer="com.android.shell")))
    assert app.installers == ("com.android.vending", "com.android.shell") or app.installers == (
        "com.android.shell",
        "com.android.vending",
    )
    assert [text for text in app.conflicts if text.startswith("installer: ")] != []
    assert the_app(record, dump(listing(user="0", installer="com.android.vending"))).conflicts == ()


def test_first_and_last_seen_span_all_sources() -> None:
    app = the_app(
        a_record(listing(installed="2026-01-01T10:00:00Z", updated="2026-02-01T10:00:00Z")),
        a_record(listing(state=HISTORY, user="0", seen="2025-12-01T00:00:00Z"), kind=USAGE),
    )
    assert (app.first_seen, app.last_seen) == ("2025-12-01T00:00:00Z", "2026-11-22T18:00:00Z")


def test_a_history_that_is_read_today_was_not_made_today() -> None:
    app = the_app(a_record(listing(state=HISTORY, user="0", seen="2025-12-01T00:00:00Z"), kind=USAGE))
    assert app.last_seen == "2025-12-01T00:00:00Z"


# What it is.


def test_bytes_that_say_impostor_go_before_a_record_that_says_claimed() -> None:
    fake = a_build(WECHAT, "", an_id_match(grade=Grade.IMPOSTOR), signer="stranger")
    app = the_app(a_record(listing(version_code="80")), fake)
    assert app.subjects == (("wechat", Role.APP, Grade.IMPOSTOR),)


def test_a_record_that_compares_the_signer_goes_before_one_that_cannot() -> None:
    fake = a_record(listing(version_code="80", signers=(a_signer("stranger"),)))
    judged = replace(fake, apps=(replace(fake.apps[0], matches=(an_id_match(grade=Grade.IMPOSTOR),)),))
    app = the_app(judged, a_record(listing(version_code="80"), kind=RecordKind.PM_LIST))
    assert app.subjects == (("wechat", Role.APP, Grade.IMPOSTOR),)


def test_an_impostor_elsewhere_does_not_stand_for_the_installed_app() -> None:
    fake = a_build(WECHAT, DOWNLOAD, an_id_match(grade=Grade.IMPOSTOR), signer="stranger", version_code="70")
    app = the_app(a_record(listing(version_code="80")), fake)
    assert app.subjects == (("wechat", Role.APP, Grade.CLAIMED),)
    assert any("70" in note for note in app.notes)


def test_an_sdk_of_the_bytes_stands_beside_the_identity() -> None:
    app = the_app(a_build(WECHAT, "", an_id_match(grade=Grade.VERIFIED), an_sdk_match()))
    assert app.subjects == (("wechat", Role.APP, Grade.VERIFIED), ("alipay", Role.SDK, Grade.EMBEDDED))


def test_the_bytes_of_a_backup_do_not_count_where_those_in_place_were_read() -> None:
    kept = a_build(SHOP, f"backup.ab!apps/{SHOP}/a/base.apk", an_sdk_match(), version_code="70", content="old")
    clean = a_build(SHOP)
    assert the_app(clean, kept, app_id=SHOP).subjects == ()
    assert the_app(kept, app_id=SHOP).subjects == (("alipay", Role.SDK, Grade.EMBEDDED),)


# What is not proven absent.


def whole_device() -> list[Audit | JudgedRecord | Problem]:
    return [a_record(listing(SHOP, version_code="80")), restrictions("0", INSTALLED, SHOP), a_build(SHOP)]


def test_a_device_whose_whole_list_was_read_proves_absence() -> None:
    device = merged(*whole_device())
    assert device.open_reasons == ()
    assert set(dict(device.verdicts).values()) == {Verdict.NOT_FOUND}


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ([a_problem()], "1 file or record could not be read in full"),
        ([a_problem(), a_problem(place="y")], "2 files or records could not be read in full"),
        ([a_problem(ProblemCode.ENCRYPTED)], "1 source encrypted, and not opened"),
        ([dump(listing("com.new", user="0"))], "1 app known from records only: what it carries was not seen"),
        (
            [dump(listing("com.a", user="0"), listing("com.b", user="0"))],
            "2 apps known from records only: what they carry was not seen",
        ),
        ([a_scan(number=9, complete=False)], "a scan was broken off"),
        ([a_build("com.odd", unknown=SUBJECTS), dump(listing("com.odd", user="0"))], "1 app could not be read in full"),
        (
            [a_record(listing("com.x", State.BACKUP, platform=IOS), kind=BACKUP)],
            "no source lists all apps of the iOS device",
        ),
    ],
)
def test_every_gap_is_a_reason(more: list[Audit], reason: str) -> None:
    device = merged(*whole_device(), *more)
    assert reason in device.open_reasons
    assert set(dict(device.verdicts).values()) == {Verdict.UNKNOWN}


@pytest.mark.parametrize(
    "harmless",
    [
        replace(a_problem(), hides=frozenset()),
        a_record(listing("com.gone", HISTORY, "0"), kind=USAGE),
        a_record(listing("com.gone", RESIDUAL, "0"), kind=DATA),
        a_record(kind=RecordKind.BUILD_PROPERTIES, attributes=(("model", "Pixel"),)),
    ],
    ids=["a remark", "a history", "data", "no apps"],
)
def test_what_hides_nothing_is_no_reason(harmless: Problem | JudgedRecord) -> None:
    assert merged(*whole_device(), harmless).open_reasons == ()


def test_files_alone_do_not_prove_that_there_is_no_more() -> None:
    device = merged(a_build(SHOP))
    assert device.open_reasons == ("no source lists all apps of the device",)


def test_an_app_that_leaves_one_subject_open_leaves_only_that_open() -> None:
    open_one = a_build(SHOP, unknown=("alipay",))
    device = merged(a_record(listing(SHOP, version_code="80")), open_one)
    assert dict(device.verdicts) == {
        "alipay": Verdict.UNKNOWN,
        "wechat": Verdict.NOT_FOUND,
        "wechat-pay": Verdict.NOT_FOUND,
    }
    assert device.open_reasons == ("1 app could not be read in full",)


def test_bytes_of_another_version_do_not_cover_an_app() -> None:
    app = the_app(
        a_record(listing(SHOP, version_code="81")), a_build(SHOP, DOWNLOAD.replace("wechat", "shop")), app_id=SHOP
    )
    assert not app.code_seen
    same = the_app(a_record(listing(SHOP, version_code="80")), a_build(SHOP, DOWNLOAD), app_id=SHOP)
    assert same.code_seen


def test_a_copy_of_unknown_version_elsewhere_does_not_cover_a_record_without_a_version() -> None:
    record = a_record(listing(SHOP), kind=RecordKind.PM_LIST)
    assert not the_app(record, a_build(SHOP, DOWNLOAD), app_id=SHOP).code_seen
    assert the_app(record, a_build(SHOP), app_id=SHOP).code_seen
    assert the_app(record, a_build(SHOP, "apks/shop.apk"), app_id=SHOP).code_seen


def test_nothing_seen_proves_nothing() -> None:
    assert merged(a_scan()).open_reasons == ("no app was seen",)


# The device itself.


def identity(value: str, name: str = "serial", kind: RecordKind = RecordKind.BUILD_PROPERTIES) -> JudgedRecord:
    return a_record(kind=kind, attributes=((name, value),))


@pytest.mark.parametrize("name", ["serial", "udid", "platform"])
def test_sources_of_different_devices_are_warned_of(name: str) -> None:
    one, two = a_scan(identity("A", name), number=1), a_scan(identity("B", name, DUMP), number=2)
    (conflict,) = merged(one, two).conflicts
    assert conflict == (
        f"the sources name different values of {name}: A (build.prop), B (dumpsys package);"
        " they may be of different devices"
    )
    assert merged(one, a_scan(identity("A", name), number=2)).conflicts == ()


def test_absence_is_not_proven_by_the_sources_of_another_device() -> None:
    two = [a_scan(*whole_device(), identity("A"), number=1), a_scan(identity("B"), number=2)]
    assert merged(*two).open_reasons == ("its sources may be of different devices",)


def test_partitions_of_one_device_may_name_its_model_differently() -> None:
    assert merged(identity("Pixel 8", "model"), identity("generic", "model")).conflicts == ()
    assert len(merged(a_scan(identity("A", "model")), a_scan(identity("B", "model"), number=2)).conflicts) == 1


def test_of_several_values_the_newest_counts() -> None:
    old = a_record(kind=DUMP, attributes=(("os_version", "13"),), taken="2025-01-01T00:00:00Z")
    new = a_record(kind=DUMP, attributes=(("os_version", "14"),), taken="2026-01-01T00:00:00Z")
    for order in ([old, new], [new, old]):
        assert merged(*order).attributes == (("os_version", "14"),)


def test_every_source_is_listed_with_what_it_can_name() -> None:
    device = merged(*whole_device())
    assert [(source.name, source.completeness, source.apps) for source in device.sources] == [
        ("app files", Completeness.PARTIAL, 1),
        (XML.value, Completeness.FULL, 1),
        (USERS.value, Completeness.PARTIAL, 1),
    ]


# iOS.

XIN = "com.tencent.xin"
BUNDLE = "/private/var/containers/Bundle/Application/0A1B/WeChat.app"


def ios(state: State = INSTALLED, kind: RecordKind = HOME, **more: object) -> JudgedRecord:
    place = more.pop("place", "")
    return a_record(listing(XIN, state, platform=IOS, **more), kind=kind, place=str(place))


def ios_build(**more: object) -> Audit:
    return a_build(XIN, f"filesystem1{BUNDLE}", platform=IOS, signing=Signing(SigningState.NOT_CHECKED), **more)  # type: ignore[arg-type]


def test_the_home_screen_the_backup_and_the_bundle_are_one_app() -> None:
    app = the_app(ios(paths=(BUNDLE,)), ios(State.BACKUP, BACKUP, version_code="80"), ios_build(), app_id=XIN)
    assert (states(app), app.conflicts, app.code_seen) == ({"": INSTALLED}, (), True)
    assert app.sources == ("app files", "applicationState.db", "iOS backup")


def test_the_container_of_its_data_does_not_contradict_that_of_its_bundle() -> None:
    bundle = ios(kind=CONTAINERS, paths=(BUNDLE,), place="filesystem1/private/var/containers/Bundle/Application/0A1B/x")
    data = ios(RESIDUAL, CONTAINERS, place="filesystem1/private/var/mobile/Containers/Data/Application/0A1B/x")
    assert states(the_app(bundle, data, app_id=XIN)) == {"": INSTALLED}
    assert the_app(bundle, data, app_id=XIN).conflicts == ()
    assert states(the_app(data, app_id=XIN)) == {"": RESIDUAL}


def test_an_app_that_the_home_screen_lost_is_gone_unless_it_is_in_place() -> None:
    gone = ios(HISTORY)
    assert not the_app(gone, app_id=XIN).is_present
    assert not the_app(gone, ios(RESIDUAL, CONTAINERS), app_id=XIN).is_present
    conflicting = the_app(gone, ios(kind=CONTAINERS, paths=(BUNDLE,)), app_id=XIN)
    assert conflicting.is_present
    assert len(conflicting.conflicts) == 1


def test_a_bundle_that_the_home_screen_does_not_know_is_left_over() -> None:
    other = a_record(listing("com.other", platform=IOS), kind=HOME)
    app = the_app(other, ios_build(), app_id=XIN)
    assert states(app) == {"": PRESENT}
    assert len(app.conflicts) == 1


def test_the_same_id_on_two_platforms_is_two_apps() -> None:
    device = merged(a_record(listing("com.both")), a_record(listing("com.both", platform=IOS), kind=HOME))
    assert [(app.platform, app.app_id) for app in device.apps] == [(Platform.ANDROID, "com.both"), (IOS, "com.both")]


def test_the_merge_does_not_depend_on_the_order_of_what_was_read() -> None:
    parts = [*updated(), *whole_device(), dump(listing(user="0", version_code="81"), listing(SHOP, user="10"))]
    forward, backward = merged(*parts), merged(*reversed(parts))
    assert forward.apps == backward.apps
    assert forward.verdicts == backward.verdicts


@pytest.mark.parametrize("seed", range(40))
def test_any_mixture_of_sources_gives_the_same_truth_in_any_order(seed: int) -> None:
    draw = random.Random(seed)
    parts: list[Audit | JudgedRecord | Problem] = []
    for number in range(draw.randint(1, 9)):
        if draw.random() < 0.4:
            place = draw.choice(["", SYSTEM, DOWNLOAD, "apks/a.apk", "ffs.tar!data/app/vmdl1.tmp/base.apk"])
            own = draw.choice([WECHAT, ""])
            parts.append(a_build(own, place, version_code=draw.choice(["70", "80"]), content=str(number)))
            continue
        kind = draw.choice(list(RecordKind))
        listings = [
            listing(
                draw.choice([WECHAT, SHOP]),
                draw.choice(list(State)),
                draw.choice(["", "0", "10"]),
                version_code=draw.choice(["", "70", "80"]),
                updated=draw.choice(["", "2026-01-01T00:00:00", "2026-03-01T00:00:00Z", "no time"]),
                signer_digests=draw.choice([(), (java_hash("one"),), (java_hash("two"),)]),
                installer=draw.choice(["", "a", "b"]),
            )
            for _ in range(draw.randint(0, 3))
        ]
        taken = draw.choice(["", "2026-02-01T00:00:00Z", "2026-05-01T00:00:00"])
        parts.append(a_record(*listings, kind=kind, taken=taken, place=f"record-{number}"))
    first, *others = [merged(*order) for order in (parts, parts[::-1], draw.sample(parts, len(parts)))]
    for other in others:
        assert [replace(app, conflicts=(), notes=()) for app in other.apps] == [
            replace(app, conflicts=(), notes=()) for app in first.apps
        ]
        assert other.verdicts == first.verdicts
    found = {app.app_id: app for app in first.apps}
    if any(isinstance(part, Audit) and not part.app.origin.path[-1].endswith("a.apk") for part in parts):
        assert any(app.is_present for app in found.values())
