"""The part of a report for people that comes from records: who names apps, which of those count, what was not seen."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from auditor.model import Audit, Grade, JudgedRecord, Match, Role
from auditor.report.app_text import PLATFORM_NAMES, claim_of
from auditor.report.inert import shortened
from auditor.report.layout import LABEL_WIDTH, Page, Piece, label, listed, words
from auditor.report.listed import ListedEntry, distinct_kinds
from auditor.report.names import Names

_SHOWN = 60
"""Characters shown of a label."""


def add_records(page: Page, records: tuple[JudgedRecord, ...], entries: tuple[ListedEntry, ...]) -> None:
    """Add which records were read, and what none of them can tell."""
    if not records:
        return
    page.gap()
    page.add(0, words("Records that name apps", "head"))
    for kind, group in distinct_kinds(records):
        _add_kind(page, kind, group)
    unseen = sum(entry.is_present and not entry.code_seen for entry in entries)
    if unseen:
        noun = "app is" if unseen == 1 else "apps are"
        text = f"{unseen} {noun} known from records only: what they carry was not seen, so it is not proven absent."
        page.add(2, words(text, "open"))


def _add_kind(page: Page, kind: str, group: list[JudgedRecord]) -> None:
    names = {(app.listing.platform, app.listing.app_id) for judged in group for app in judged.apps}
    first = group[0].record
    pieces = [label(kind, 26)]
    if names:
        count = f"{len(names)} app{'' if len(names) == 1 else 's'}"
        pieces.extend(words(f"{count}; names {first.completeness.value};"))
    if first.taken:
        pieces.extend(words(f"as of {first.taken};"))
    where = str(first.origin) if len(group) == 1 else f"{first.origin} and {len(group) - 1} more"
    pieces.append(Piece(where, "soft"))
    if first.detail:
        pieces.extend(words(f"({first.detail})", "soft"))
    page.add(2, pieces, hanging=28)


def add_listed(page: Page, entry: ListedEntry, names: Names, as_of: date) -> None:
    """Add one app that is a designated app by a record."""
    title = [Piece(shortened(entry.label or entry.app_id, _SHOWN), "head")]
    if entry.label:
        title.append(Piece(entry.app_id))
    title.extend(listed(entry.versions))
    title.append(Piece(f"({PLATFORM_NAMES[entry.platform]}), known from a record"))
    page.add(0, title)
    page.add(2, [label("record"), *listed(entry.kinds)], hanging=2 + LABEL_WIDTH)
    states = [f"{state};" for state in entry.states[:-1]] + list(entry.states[-1:])
    page.add(2, [label("state"), *(Piece(state) for state in states)], hanging=2 + LABEL_WIDTH)
    for match in entry.matches:
        if match.role is Role.VENDOR:
            continue
        style = "alarm" if entry.findings else "soft"
        page.add(2, words(f"{names.subject(match.subject)}: {claim_of(match)}", style), hanging=4)
        page.add(4, [label("why"), *words(match.detail)], hanging=4 + LABEL_WIDTH)
        named = names.named_in((item for item in entry.findings if item.subject == match.subject), as_of)
        for number, (status, policies) in enumerate(named):
            title_piece = label("" if number else "named in")
            page.add(4, [title_piece, *words(f"{status}:", "soft"), *listed(policies)], hanging=4 + LABEL_WIDTH)


def worth_showing(entries: Iterable[ListedEntry], audits: Iterable[Audit]) -> list[ListedEntry]:
    """The apps that a record makes a designated app, those that are there first.

    What was read as well is shown there, unless the record calls it an impostor and its bytes do not.
    """
    read = {
        (audit.app.platform, audit.app.app_id, match.subject, match.grade is Grade.IMPOSTOR)
        for audit in audits
        for answer in audit.answers
        for match in answer.matches
    }

    def is_known(entry: ListedEntry, match: Match) -> bool:
        impostor = match.grade is Grade.IMPOSTOR
        return entry.code_seen and bool(
            {(entry.platform, entry.app_id, match.subject, told) for told in {impostor, True}} & read
        )

    shown = [
        entry
        for entry in entries
        if any(match.role is not Role.VENDOR and not is_known(entry, match) for match in entry.matches)
    ]
    return sorted(shown, key=lambda entry: not entry.findings)
