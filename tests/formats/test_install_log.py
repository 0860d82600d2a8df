"""The installer's log tells which apps came and went."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.errors import LimitError
from auditor.formats.install_log import InstallHistory, is_install_log, parse_install_log
from auditor.limits import DEFAULT
from tests.builders.mangle import mutations, prefixes

HEAD = "[102] <notice> (0x16f21b000) -[MIInstaller performInstallationWithError:]: "
BUNDLE = "<MIInstallableBundle ID=com.tencent.xin; Version=8.0.1.99, ShortVersion=8.0.1>"
LINES = f"""Wed Mar  4 05:06:07 2026 {HEAD}Installing {BUNDLE}
Wed Mar  4 05:06:09 2026 {HEAD}Install Successful for (Placeholder:com.tencent.xin)
Wed Mar  4 05:07:09 2026 {HEAD}Install Successful for (Customer:com.tencent.xin); Staging: 0.2s
Thu Mar  5 05:06:09 2026 {HEAD}Install Successful for (Customer:com.example.gone)
Fri Mar  6 10:00:00 2026 [102] <notice> (0x1) -[MIUninstaller]: Uninstalling identifier com.example.gone
Fri Mar  6 10:00:01 2026 [102] <notice> (0x1) +[MICodeSigningVerifier]: Something else about com.example.other
"""
GOOD = LINES.encode()


def one(text: str) -> InstallHistory:
    (found,) = parse_install_log(f"Wed Mar  4 05:06:07 2026 {HEAD}{text}\n".encode())
    return found


def test_installations_and_removals() -> None:
    gone, here = parse_install_log(GOOD)
    assert (here.app_id, here.version, here.version_code) == ("com.tencent.xin", "8.0.1", "8.0.1.99")
    assert (here.first_installed, here.last_installed) == ("2026-03-04T05:06:09", "2026-03-04T05:07:09")
    assert GOOD[here.offset :].startswith(b"Wed Mar  4 05:07:09")
    assert (gone.app_id, gone.removed, gone.gone, here.gone) == ("com.example.gone", "2026-03-06T10:00:00", True, False)


def test_an_app_that_came_back_is_not_gone() -> None:
    again = GOOD + f"Sat Mar  7 05:06:09 2026 {HEAD}Install Successful for (Customer:com.example.gone)\n".encode()
    assert [item.gone for item in parse_install_log(again)] == [False, False]


@pytest.mark.parametrize(
    "text",
    [
        "Install Successful for (Customer:com.a.b)",
        "Install Successful for (System:com.a.b)",
        "Install Successful for [com.a.b/PersonalPersonaPlaceholderString]",
        "Install Successful for com.a.b.",
        "Installing <MIInstallableBundle ID=com.a.b; Version=1>",
    ],
)
def test_every_spelling_of_an_installation(text: str) -> None:
    assert (one(text).app_id, one(text).gone) == ("com.a.b", False)


@pytest.mark.parametrize(
    "text",
    [
        "Uninstalling identifier com.a.b",
        "Uninstalling identifier [com.a.b/PersonalPersonaPlaceholderString]",
        "Destroying container com.a.b at /private/var/containers/Bundle/Application/A5F4",
        "Destroying container with identifier com.a.b at /var/containers/Bundle/Application/A5F4",
    ],
)
def test_every_spelling_of_a_removal(text: str) -> None:
    assert (one(text).app_id, one(text).gone) == ("com.a.b", True)


@pytest.mark.parametrize(
    "text",
    [
        "Destroying container com.a.b.share at /private/var/mobile/Containers/Data/PluginKitPlugin/A5F4",
        "Could not find com.a.b",
        "Install Successful for ()",
    ],
)
def test_what_is_no_event_names_no_app(text: str) -> None:
    assert parse_install_log(f"Wed Mar  4 05:06:07 2026 {HEAD}{text}\n".encode()) == ()


@pytest.mark.parametrize(
    "line", ["Install Successful for (Customer:com.a.b)", "Wed Mar 2026 Install Successful for a.b"]
)
def test_a_line_without_a_date_is_no_event(line: str) -> None:
    assert parse_install_log(line.encode()) == ()


def test_a_month_of_another_tongue_leaves_the_date_open() -> None:
    found = parse_install_log(
        b"Mo Mai  4 05:06:07 2026 x\nDec  4 05:06:07 2026 Install Successful for a.b\n"
        b"Xyz  4 05:06:07 2026 Uninstalling identifier c.d\n"
    )
    assert [(item.app_id, item.first_installed) for item in found] == [("a.b", "2026-12-04T05:06:07"), ("c.d", "")]


def test_the_beginning_tells_it() -> None:
    assert is_install_log(GOOD[:200])
    assert not is_install_log(b"some other text\n")
    assert not is_install_log(b"")


def test_the_size_is_bounded() -> None:
    with pytest.raises(LimitError):
        parse_install_log(GOOD, replace(DEFAULT, manifest_size=10))
    lines = b"".join(b"Wed Mar  4 05:06:07 2026 Install Successful for (a.b%d)\n" % count for count in range(9))
    with pytest.raises(LimitError, match="record_listings"):
        parse_install_log(lines, replace(DEFAULT, record_listings=5))


def test_long_lines_cost_no_more_than_their_length() -> None:
    line = b"Wed Mar  4 05:06:07 2026 " + b"Destroying container a.b " * 20_000 + b"\n"
    assert parse_install_log(line) == ()


def test_any_bytes_give_a_history() -> None:
    for damaged in (*prefixes(GOOD), *mutations(GOOD, 500)):
        assert len(parse_install_log(damaged)) <= 8
