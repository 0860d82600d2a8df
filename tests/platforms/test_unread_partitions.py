"""A partition that nothing can read is named, unless it is blank or of a kind that holds no files."""

from __future__ import annotations

import random

import pytest

from auditor.containers.carrier import RangeMember
from auditor.containers.member import Budget
from auditor.formats.source import BlobSource
from auditor.limits import DEFAULT, MIB
from auditor.model import FactKind, Origin
from auditor.platforms.unread_partitions import unread_partition

NOISE = random.Random(7).randbytes(MIB)
FOOTER = 16384


def partition(name: str, data: bytes) -> RangeMember:
    return RangeMember(name, Origin(("disk.img", name)), BlobSource(data), Budget(DEFAULT))


@pytest.mark.parametrize("name", ["userdata", "data", "userdata.img", "UserData", "userdata-qemu.img", "dump/userdata"])
def test_user_data_without_a_file_system_is_encrypted(name: str) -> None:
    problem = unread_partition(partition(name, NOISE))
    assert problem is not None
    assert (problem.code, str(problem.origin)) == ("encrypted", f"disk.img!{name}")
    assert problem.hidden == frozenset(FactKind)
    assert "extraction of its files" in problem.detail


def test_full_disk_encryption_is_known_by_its_footer_whatever_the_name() -> None:
    footer = bytearray(FOOTER)
    footer[0:4] = (0xD0B5B1C4).to_bytes(4, "little")
    footer[4:6] = (1).to_bytes(2, "little")
    footer[6:8] = (3).to_bytes(2, "little")
    footer[8:12] = (104).to_bytes(4, "little")
    problem = unread_partition(partition("part7", NOISE + bytes(footer)))
    assert problem is not None
    assert problem.code == "encrypted"


@pytest.mark.parametrize("data", [bytes(MIB), b"\xff" * MIB, b"\x00" * 100, b""])
def test_a_blank_partition_hides_nothing(data: bytes) -> None:
    assert unread_partition(partition("userdata", data)) is None


@pytest.mark.parametrize("data", [bytes(245), bytes(MIB)])
def test_a_blank_image_that_is_said_to_hold_apps_may_have_been_cut_off(data: bytes) -> None:
    problem = unread_partition(partition("phone.img", data), promised=True)
    assert problem is not None
    assert problem.code == "empty"
    assert problem.hidden == frozenset(FactKind)


def test_the_name_of_a_partition_of_apps_is_such_a_promise() -> None:
    assert unread_partition(partition("system_a.img", bytes(MIB))) is not None
    assert unread_partition(partition("logo.img", bytes(MIB))) is None


def test_a_partition_that_is_blank_at_its_start_only_is_no_blank_one() -> None:
    assert unread_partition(partition("userdata", bytes(64 * 1024) + NOISE)) is not None


@pytest.mark.parametrize("start", [b"ANDROID!", b"VNDRBOOT", b"AVB0", b"\xd7\xb7\xab\x1e", b"\x7fELF"])
def test_kernels_and_firmware_hold_no_files(start: bytes) -> None:
    assert unread_partition(partition("boot_a", start + NOISE)) is None


@pytest.mark.parametrize(("size", "hides"), [(MIB, False), (9 * MIB, True)])
def test_anything_else_is_named_and_a_large_one_may_hide_apps(size: int, hides: bool) -> None:
    data = NOISE * (size // MIB)
    problem = unread_partition(partition("oem_stuff", data))
    assert problem is not None
    assert problem.code == "unsupported-format"
    assert bool(problem.hidden) is hides


def test_a_partition_that_the_image_does_not_hold_in_full_is_a_located_problem() -> None:
    class Cut:
        size = 10 * MIB

        def read(self, offset: int, size: int) -> bytes:
            from auditor.errors import FormatError

            raise FormatError("the image ends before", offset)

    member = RangeMember("userdata", Origin(("disk.img", "userdata")), Cut(), Budget(DEFAULT))
    problem = unread_partition(member)
    assert problem is not None
    assert (problem.code, str(problem.origin)) == ("unreadable", "disk.img!userdata")
