"""One device for people: the answer first, then each app that matters, the contradictions, and who said what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from auditor.model import DeviceApp, DeviceSource, MergedDevice, Role, Verdict
from auditor.report.app_text import PLATFORM_NAMES, claim_of
from auditor.report.inert import shortened
from auditor.report.layout import LABEL_WIDTH, PLAIN_WIDTH, Page, Piece, label, listed, words
from auditor.report.listed import state_for
from auditor.report.names import Names

_SHOWN = 60
"""Characters shown of a label."""
_FEW = 10
"""Apps without a subject whose contradictions are shown; the rest on request."""
_LIST_WIDTH = 28


def render_device(
    device: MergedDevice, names: Names, *, width: int = PLAIN_WIDTH, colour: bool = False, every: bool = False
) -> str:
    """The merged truth of a device; ``every`` shows the apps that are no designated app one by one, too."""
    page = Page(width)
    _add_answer(page, device, names)
    _add_identity(page, device)
    shown = [app for app in device.apps if every or app.matches]
    for app in sorted(shown, key=lambda app: (not _is_finding(app), not app.is_present, not app.matches)):
        page.gap()
        _add_app(page, app, names)
    rest = [app for app in device.apps if not (every or app.matches)]
    _add_contradicted(page, [app for app in rest if app.conflicts])
    _add_rest(page, rest)
    _add_sources(page, device.sources)
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
        page.add(2, [*words("Not there:"), *listed(absent)], hanging=4)


def _add_identity(page: Page, device: MergedDevice) -> None:
    for conflict in device.conflicts:
        page.add(2, [label("conflict"), *words(conflict, "alarm")], hanging=2 + LABEL_WIDTH)
    if device.attributes:
        pieces = [f"{name} {value}" for name, value in device.attributes]
        page.add(2, [label("device"), *_separated(pieces)], hanging=2 + LABEL_WIDTH)
    if device.users:
        users = [f"{user.id} {user.profile}".strip() for user in device.users]
        page.add(2, [label("users"), *listed(users)], hanging=2 + LABEL_WIDTH)


def _separated(texts: Iterable[str], style: str = "") -> list[Piece]:
    """Phrases that may hold commas."""
    shown = list(texts)
    return [Piece(f"{text};" if number < len(shown) else text, style) for number, text in enumerate(shown, 1)]


def _is_finding(app: DeviceApp) -> bool:
    return app.is_present and any(match.grade.is_finding for match in app.matches)


def _add_app(page: Page, app: DeviceApp, names: Names) -> None:
    page.add(0, _title(app))
    for match in app.matches:
        style = "alarm" if match.grade.is_finding and app.is_present else "soft"
        version = f", version {match.version}" if match.version and match.role is Role.SDK else ""
        page.add(2, words(f"{names.subject(match.subject)}: {claim_of(match)}{version}", style), hanging=4)
        if match.role is Role.APP and match.detail:
            page.add(4, [label("why"), *words(match.detail)], hanging=4 + LABEL_WIDTH)
    _add_line(page, "state", _separated(state_for(user, state) for user, state in app.states))
    _add_line(page, "signer", listed(_short(signer) for signer in app.signers))
    _add_line(page, "installer", listed(app.installers))
    days = dict.fromkeys(time[:10] for time in (app.first_seen, app.last_seen) if time)
    _add_line(page, "seen", words(" to ".join(days)))
    _add_line(page, "known from", listed(app.sources))
    if app.is_present and not app.code_seen:
        _add_line(page, "code", words("not seen: what it carries is not known", "open"))
    for note in app.notes:
        _add_line(page, "also", words(note))
    for conflict in app.conflicts:
        _add_line(page, "conflict", words(conflict, "alarm"))


def _title(app: DeviceApp) -> list[Piece]:
    name = app.label or app.app_id or "app whose id cannot be read"
    title = [Piece(shortened(name, _SHOWN), "head")]
    if app.label and app.app_id:
        title.append(Piece(app.app_id))
    return [*title, *listed(app.versions), Piece(f"({PLATFORM_NAMES[app.platform]})")]


def _add_line(page: Page, name: str, pieces: Sequence[Piece]) -> None:
    if pieces:
        page.add(2, [label(name), *pieces], hanging=2 + LABEL_WIDTH)


def _short(signer: str) -> str:
    kind, _, value = signer.partition(":")
    return f"{kind}:{value[:16]}…" if len(value) > 16 else signer


def _add_contradicted(page: Page, apps: Sequence[DeviceApp]) -> None:
    """Contradictions about apps that are no designated app, as far as one looks at them."""
    if not apps:
        return
    page.gap()
    page.add(0, words(f"Further apps with contradictions: {len(apps)}", "head"))
    for app in apps[:_FEW]:
        page.add(2, _title(app))
        for conflict in app.conflicts:
            page.add(4, words(conflict), hanging=6)
    if len(apps) > _FEW:
        page.add(2, words(f"and {len(apps) - _FEW} more; --all shows them", "soft"))


def _add_rest(page: Page, apps: Sequence[DeviceApp]) -> None:
    if not apps:
        return
    page.gap()
    page.add(0, words(f"Further apps: {len(apps)}", "head"))
    for text, number in sorted(Counter(_summary(app) for app in apps).items()):
        page.add(2, [Piece(str(number).rjust(5)), *words(text)], hanging=8)


def _summary(app: DeviceApp) -> str:
    states = " and ".join(sorted({state.value for _, state in app.states}))
    if not app.is_present or (app.code_seen and not app.unknown):
        return states
    return f"{states}; {'not read in full' if app.code_seen else 'code not seen'}"


def _add_sources(page: Page, sources: Iterable[DeviceSource]) -> None:
    """One entry per kind of source, scan and extent: a device has a record for each of its iOS containers."""
    groups: dict[tuple[object, ...], list[DeviceSource]] = {}
    for source in sources:
        groups.setdefault((source.name, source.scan, source.completeness, source.detail), []).append(source)
    page.gap()
    page.add(0, words("Sources", "head"))
    for group in groups.values():
        first, apps = group[0], sum(source.apps for source in group)
        named = f"{apps} {'app' if apps == 1 else 'apps'}; names {first.completeness.value}; " if apps else ""
        where = str(first.origin) if len(group) == 1 else f"{first.origin} and {len(group) - 1} more"
        pieces = [label(first.name, _LIST_WIDTH), *words(f"{named}{first.when[:10]}, scan {first.scan};")]
        pieces.append(Piece(where, "value"))
        if first.detail:
            pieces.extend(words(f"({first.detail})", "soft"))
        page.add(2, pieces, hanging=2 + _LIST_WIDTH)
