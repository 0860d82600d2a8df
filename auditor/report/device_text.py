"""One device for people: the answer first, then each app that matters, the contradictions, and who said what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from auditor.model import DeviceApp, MergedDevice, Verdict
from auditor.report.app_text import PLATFORM_NAMES
from auditor.report.inert import shortened
from auditor.report.layout import LABEL_WIDTH, PLAIN_WIDTH, Page, Piece, label, listed, words
from auditor.report.names import Names

_SHOWN = 60
_SOURCE_WIDTH = 28


def render_device(
    device: MergedDevice, names: Names, *, width: int = PLAIN_WIDTH, colour: bool = False, every: bool = False
) -> str:
    """The merged truth of a device; ``every`` shows the apps without a finding one by one, too."""
    page = Page(width)
    _add_answer(page, device, names)
    _add_identity(page, device)
    eventful = [app for app in device.apps if every or app.subjects or app.conflicts]
    for app in sorted(eventful, key=lambda app: (not _is_finding(app), not app.conflicts)):
        page.gap()
        _add_app(page, app, names)
    _add_rest(page, device, eventful)
    _add_sources(page, device)
    return page.render(colour=colour)


def _add_answer(page: Page, device: MergedDevice, names: Names) -> None:
    present = [names.subject(subject) for subject, verdict in device.verdicts if verdict is Verdict.PRESENT]
    absent = [names.subject(subject) for subject, verdict in device.verdicts if verdict is Verdict.NOT_FOUND]
    unproven = [names.subject(subject) for subject, verdict in device.verdicts if verdict is Verdict.UNKNOWN]
    if present:
        page.add(0, [*words(f"Device {device.id}: present:", "alarm"), *listed(present, "alarm")], hanging=2)
    else:
        what = "no designated app or SDK was found" if device.apps else "no app was seen"
        page.add(0, words(f"Device {device.id}: {what}.", "open" if device.open_reasons else "good"), hanging=2)
    if unproven:
        page.add(2, [*words("Not proven absent:", "open"), *listed(unproven)], hanging=4)
        for reason in device.open_reasons:
            page.add(4, words(f"because {reason}", "soft"), hanging=6)
    if absent:
        page.add(2, [*words("Not there, as far as everything could be read:"), *listed(absent)], hanging=4)


def _add_identity(page: Page, device: MergedDevice) -> None:
    if device.attributes:
        pieces = [Piece(f"{name} {value}") for name, value in device.attributes]
        page.add(2, [label("device"), *_separated(pieces)], hanging=2 + LABEL_WIDTH)
    if device.users:
        users = [f"{user.id} {user.profile}".strip() for user in device.users]
        page.add(2, [label("users"), *listed(users)], hanging=2 + LABEL_WIDTH)
    for conflict in device.conflicts:
        page.add(2, [label("conflict"), *words(conflict, "alarm")], hanging=2 + LABEL_WIDTH)


def _separated(pieces: list[Piece]) -> list[Piece]:
    last = len(pieces)
    return [Piece(f"{piece.text};" if number < last else piece.text) for number, piece in enumerate(pieces, 1)]


def _is_finding(app: DeviceApp) -> bool:
    return app.is_present and any(grade.is_finding for _, _, grade in app.subjects)


def _add_app(page: Page, app: DeviceApp, names: Names) -> None:
    title = [Piece(shortened(app.label or app.app_id, _SHOWN), "head")]
    if app.label:
        title.append(Piece(app.app_id))
    title.extend(listed(app.versions))
    title.append(Piece(f"({PLATFORM_NAMES[app.platform]})"))
    page.add(0, title)
    for subject, role, grade in app.subjects:
        style = "alarm" if grade.is_finding and app.is_present else "soft"
        page.add(2, words(f"{names.subject(subject)}: {role.value}, {grade.value}", style))
    _add_line(page, "state", [f"{state.value} (user {user})" if user else state.value for user, state in app.states])
    _add_line(page, "signer", [_short(signer) for signer in app.signers])
    _add_line(page, "installer", app.installers)
    seen = " to ".join(dict.fromkeys(time for time in (app.first_seen, app.last_seen) if time))
    _add_line(page, "seen", [seen] if seen else [])
    _add_line(page, "known from", app.sources)
    if not app.code_seen and app.is_present:
        page.add(2, [label("code"), *words("not seen: what it carries is not known", "open")], hanging=2 + LABEL_WIDTH)
    for note in app.notes:
        page.add(2, [label("also"), *words(note)], hanging=2 + LABEL_WIDTH)
    for conflict in app.conflicts:
        page.add(2, [label("conflict"), *words(conflict, "alarm")], hanging=2 + LABEL_WIDTH)


def _add_line(page: Page, name: str, items: Iterable[str]) -> None:
    shown = listed(items)
    if shown:
        page.add(2, [label(name), *shown], hanging=2 + LABEL_WIDTH)


def _short(signer: str) -> str:
    kind, _, value = signer.partition(":")
    return f"{kind}:{value[:16]}…" if len(value) > 16 else signer


def _add_rest(page: Page, device: MergedDevice, shown: list[DeviceApp]) -> None:
    rest = [app for app in device.apps if app not in shown]
    if not rest:
        return
    page.gap()
    counts = Counter(_summary(app) for app in rest)
    page.add(0, words(f"Further apps: {len(rest)}", "head"))
    for text, number in sorted(counts.items()):
        page.add(2, [label(text, _SOURCE_WIDTH), Piece(str(number))])


def _summary(app: DeviceApp) -> str:
    states = ", ".join(sorted({state.value for _, state in app.states}))
    return f"{states}{'' if app.code_seen or not app.is_present else ', code not seen'}"


def _add_sources(page: Page, device: MergedDevice) -> None:
    page.gap()
    page.add(0, words("Sources", "head"))
    for source in device.sources:
        pieces = [label(source.name, _SOURCE_WIDTH), *words(f"{source.apps} apps; names {source.completeness.value};")]
        pieces.extend(words(f"{source.when}; scan {source.scan}"))
        pieces.append(Piece(str(source.origin), "value"))
        if source.detail:
            pieces.extend(words(f"({source.detail})", "soft"))
        page.add(2, pieces, hanging=2 + _SOURCE_WIDTH)
