"""Subjects, signatures and policies for people."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from auditor.catalog import Catalog
from auditor.model import AppId, Clause, LegalStatus, NamedSubject, Policy, Role, Rule, Signature, Subject
from auditor.report.layout import Page, Piece, label, listed, words

_SHOWN_VALUES = 6
_LABEL = 13


def add_subject_list(page: Page, catalog: Catalog) -> None:
    """Add each subject with its ids, its SDKs, other SDKs of its vendor, and what is not known of it."""
    for subject in catalog.subjects.values():
        page.add(0, [Piece(subject.id, "head"), *words(f"{subject.name} ({subject.developer})")])
        ids = [entry.value for entry in subject.app_ids if entry.value and entry.relation.designates]
        if ids:
            page.add(2, [label("app ids"), *listed(ids)], hanging=13)
        for role, title in ((Role.SDK, "SDKs"), (Role.VENDOR, "vendor")):
            own = [item for item in catalog.signatures if item.subject == subject.id and item.role is role]
            for number, signature in enumerate(own):
                name = label("" if number else title)
                page.add(2, [name, Piece(signature.id, "value"), *words(signature.name)], hanging=13)
        if subject.unknown:
            page.add(2, [label("not known"), *listed(cell for cell, _ in subject.unknown)], hanging=13)


def status_words(policy: Policy, as_of: date) -> str:
    """The legal status of a policy on a day."""
    status = policy.status_on(as_of)
    return "standing not known" if status is LegalStatus.UNKNOWN else status.value


def add_policy_list(page: Page, catalog: Catalog, as_of: date) -> None:
    """Add one line per policy with its status on a day, the subjects it names below."""
    for policy in catalog.policies:
        page.add(0, [Piece(policy.id, "head"), *words(f"{status_words(policy, as_of)}: {policy.name}")])
        subjects = sorted({name.subject for name in policy.names if name.subject is not None})
        if subjects:
            page.add(2, [label("names"), *listed(subjects)], hanging=13)


def add_subject(page: Page, subject: Subject, catalog: Catalog) -> None:
    """Add everything the catalog knows of a subject."""
    page.add(0, [Piece(subject.id, "head"), *words(f"(subject): {subject.name}, by {subject.developer}")])
    for entry in subject.app_ids:
        _add_app_id(page, entry)
    for certificate in subject.certificates:
        page.add(
            2, [label("certificate", _LABEL), Piece(certificate.id, "value"), *words(certificate.label)], hanging=15
        )
    _add_list(page, "signatures", (item.id for item in catalog.signatures if item.subject == subject.id))
    _add_list(page, "named in", (policy.id for policy in catalog.policies if _names(policy, subject.id)))
    for cell, why in subject.unknown:
        page.add(2, [label("not known", _LABEL), *words(f"{cell}: {why}")], hanging=15)
    _add_notes(page, subject.notes)


def _add_app_id(page: Page, entry: AppId) -> None:
    stores = f", store id {', '.join(entry.store_ids)}" if entry.store_ids else ""
    signed = f", signer {', '.join(entry.certificates)}" if entry.certificates else ""
    text = f"{entry.label} ({entry.platform.value}, {entry.relation.value}, confidence {entry.confidence.value})"
    page.add(
        2,
        [label("app id", _LABEL), Piece(entry.value or "(id not known)", "value"), *words(f"{text}{stores}{signed}")],
        hanging=15,
    )


def add_signature(page: Page, signature: Signature) -> None:
    """Add what a signature asks, and when it holds."""
    title = f"(signature): {signature.name}, by {signature.vendor}"
    page.add(0, [Piece(signature.id, "head"), *words(title)])
    about = f"{signature.subject} as {signature.role.value} on {signature.platform.value}"
    page.add(2, [label("about", _LABEL), *words(about)])
    _add_list(page, "functions", signature.functions)
    for rule in signature.rules:
        page.add(2, [label("grade", _LABEL), Piece(rule.grade.value, "head"), *words(_rule(rule))], hanging=15)
    for clause in signature.clauses:
        _add_clause(page, clause)
    _add_list(page, "own code of", signature.own_apps)
    _add_notes(page, signature.notes)


def _rule(rule: Rule) -> str:
    parts = []
    if rule.all_of:
        parts.append(" and ".join(rule.all_of))
    if rule.any_of:
        either = " or ".join(rule.any_of)
        parts.append(f"({either})" if rule.all_of and len(rule.any_of) > 1 else either)
    return f"if {' and '.join(parts)}"


def _add_clause(page: Page, clause: Clause) -> None:
    amount = "any" if clause.at_least == 1 else f"at least {clause.at_least}"
    head = f"{amount} of {len(clause.values) + len(clause.prefixes) + len(clause.globs)} {clause.kind.value}:"
    values = [*clause.values, *(f"{prefix}*" for prefix in clause.prefixes), *clause.globs]
    shown = values[:_SHOWN_VALUES]
    if len(values) > len(shown):
        shown.append(f"and {len(values) - len(shown)} more")
    page.add(
        2,
        [label("clause", _LABEL), Piece(clause.name, "value"), *words(head), *listed(shown)],
        hanging=15,
    )
    _add_list(page, "but not", clause.excluded)
    _add_list(page, "sources", clause.sources)


def add_policy(page: Page, policy: Policy, as_of: date) -> None:
    """Add a policy with its dates and the names in its own words."""
    page.add(0, [Piece(policy.id, "head"), *words(f"(policy): {policy.name}")], hanging=2)
    page.add(2, [label("authority", _LABEL), *words(policy.authority)], hanging=15)
    page.add(2, [label("citation", _LABEL), *words(policy.citation or "none in the sources")], hanging=15)
    page.add(2, [label("scope", _LABEL), *words(policy.scope)], hanging=15)
    status = f"{status_words(policy, as_of)}, as of {as_of.isoformat()}; sources say: {policy.status}"
    page.add(2, [label("status", _LABEL), *words(status)], hanging=15)
    for title, day in (("signed", policy.signed), ("effective", policy.effective), ("revoked", policy.revoked)):
        shown = "no date in the sources" if day is None else day.isoformat()
        page.add(2, [label(title, _LABEL), *words(shown)])
    for name in policy.names:
        page.add(2, [label("names", _LABEL), *words(_named(name))], hanging=15)
    _add_list(page, "sources", policy.sources)
    _add_notes(page, policy.notes)


def _named(name: NamedSubject) -> str:
    subject = "no signatures for it" if name.subject is None else name.subject
    since = "" if name.since is None else f", since {name.since.isoformat()}"
    until = "" if name.until is None else f", until {name.until.isoformat()}"
    note = f"; {name.note}" if name.note else ""
    return f'"{name.text}" ({subject}{since}{until}){note}'


def _names(policy: Policy, subject_id: str) -> bool:
    return any(name.subject == subject_id for name in policy.names)


def _add_list(page: Page, title: str, items: Iterable[str]) -> None:
    shown = list(items)
    if shown:
        page.add(2, [label(title, _LABEL), *listed(shown)], hanging=15)


def _add_notes(page: Page, notes: Iterable[str]) -> None:
    for note in notes:
        page.add(2, [label("note", _LABEL), *words(note)], hanging=15)
