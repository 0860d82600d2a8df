"""The linter: what must hold of a catalog beyond the shape of its tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from auditor.catalog.check_rules import check_clauses, check_rules
from auditor.catalog.nouns import Catalog, Fault
from auditor.catalog.table import nearest
from auditor.model.facts import FactKind, Platform
from auditor.model.signatures import Confidence, Example, Role, Signature, Subject

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_HEX_DIGITS = {"sha256": 64, "sha1": 40, "md5": 32, "md5_of_hex": 32, "spki_sha256": 64, "java_hash": 8}
_MEMORY = "memory"
_TABLES = (FactKind.DEX_STRING, FactKind.MACHO_STRING)
"""Kinds of which an app has hundreds of thousands."""
_BEGINS_PLAIN = re.compile(r"\^\(?[^\\^$.|?*+()\[\]{}]")
_LITERALS = (FactKind.DEX_STRING, FactKind.MACHO_STRING, FactKind.WRAPPER_STRING)


def check(catalog: Catalog, homes: Mapping[str, str]) -> list[Fault]:
    """Every fault of a parsed catalog; ``homes`` names the file of each ``KIND:ID``."""
    return [
        *_check_ids(homes),
        *_check_subjects(catalog, homes),
        *_check_signatures(catalog, homes),
        *_check_packers(catalog, homes),
        *_check_policies(catalog, homes),
        *_check_literals(catalog, homes),
    ]


def _check_ids(homes: Mapping[str, str]) -> Iterator[Fault]:
    for key, file in homes.items():
        what, _, name = key.partition(":")
        if what not in ("source", "learned") and not _ID.fullmatch(name):
            yield Fault(file, f"{what}[{name}].id", f"is {name!r}", "write lower-case words joined by '-'")


def _check_sources(
    catalog: Catalog, file: str, key: str, sources: tuple[str, ...], confidence: Confidence
) -> Iterator[Fault]:
    """Everything that is stated names where it was read."""
    if not sources:
        yield Fault(file, f"{key}.sources", "names no source", "list at least one id of sources.toml")
    for source in sources:
        if source not in catalog.sources:
            hint = nearest(source, tuple(catalog.sources)) if catalog.sources else "declare it in sources.toml"
            yield Fault(file, f"{key}.sources", f"{source!r} is not declared in sources.toml", hint)
    if sources == (_MEMORY,) and confidence is not Confidence.LOW:
        what = f"is {confidence.value}, but only remembered"
        yield Fault(file, f"{key}.confidence", what, "write low, or name a document")


def _check_subjects(catalog: Catalog, homes: Mapping[str, str]) -> Iterator[Fault]:
    for subject in catalog.subjects.values():
        file = homes[f"subject:{subject.id}"]
        if not subject.app_ids:
            yield Fault(file, "app", "lists no app id", "list the ids, or what is known of the app, as [[app]]")
        yield from _check_app_ids(catalog, file, subject)
        for certificate in subject.certificates:
            if homes.get(f"certificate:{certificate.id}") == file:
                yield from _check_certificate(catalog, file, certificate.id)
        if not subject.examples:
            yield Fault(file, "example", "is missing", "add a positive and a near miss as [[example]]")
        yield from _check_examples(catalog, file, "", subject.examples)


def _check_app_ids(catalog: Catalog, file: str, subject: Subject) -> Iterator[Fault]:
    seen = set()
    for app in subject.app_ids:
        key = f"app[{app.value or app.label}]"
        if app.value is not None and (app.platform, app.value) in seen:
            yield Fault(file, key, "is listed twice", "delete one of them")
        seen.add((app.platform, app.value))
        if app.value is None and not app.store_ids and not app.note:
            yield Fault(file, key, "says nothing", "give its id, a store id, or a note why neither is known")
        yield from _check_sources(catalog, file, key, app.sources, app.confidence)
        for name in app.certificates:
            if name not in catalog.certificates:
                hint = nearest(name, tuple(catalog.certificates))
                yield Fault(file, f"{key}.certificates", f"{name!r} is no certificate", hint)


def _check_certificate(catalog: Catalog, file: str, name: str) -> Iterator[Fault]:
    certificate = catalog.certificates[name]
    key = f"certificate[{name}]"
    yield from _check_sources(catalog, file, key, certificate.sources, certificate.confidence)
    values = {field: getattr(certificate, field) for field in (*_HEX_DIGITS, "rsa_modulus")}
    # The Java hash has 32 bits, too few to know a signer by.
    if not any(value for field, value in values.items() if field != "java_hash"):
        yield Fault(file, key, "has nothing to compare with", "give a digest or the RSA modulus")
    for field, value in values.items():
        wanted = _HEX_DIGITS.get(field)
        if value is None:
            continue
        if not re.fullmatch("[0-9a-f]+", value) or (wanted is not None and len(value) != wanted):
            yield Fault(file, f"{key}.{field}", "is no such digest", f"write {wanted or 'the'} lower-case hex digits")
        elif wanted is None and value.startswith("0"):
            yield Fault(file, f"{key}.{field}", "starts with zero", "strip leading zeros")


def _check_signatures(catalog: Catalog, homes: Mapping[str, str]) -> Iterator[Fault]:
    known = tuple(item.id for item in catalog.signatures)
    for signature in catalog.signatures:
        file, key = homes[f"signature:{signature.id}"], f"signature[{signature.id}]"
        if signature.subject not in catalog.subjects:
            hint = nearest(signature.subject, tuple(catalog.subjects)) if catalog.subjects else "add it to apps/"
            yield Fault(file, f"{key}.subject", f"{signature.subject!r} is no subject", hint)
        if signature.id in catalog.subjects:
            yield Fault(file, f"{key}.id", "is a subject's id too", "add the platform or the SDK's name")
        for name in signature.allows:
            if name not in known:
                yield Fault(file, f"{key}.allows", f"{name!r} is no signature", nearest(name, known))
        for clause in signature.clauses:
            place = f"{key}.clause[{clause.name}]"
            yield from _check_sources(catalog, file, place, clause.sources, clause.confidence)
        yield from check_clauses(file, key, signature.clauses, signature.platform)
        yield from check_rules(file, key, signature)
        yield from _check_versions(catalog, file, key, signature)
        yield from _check_coverage(file, key, signature)
        yield from _check_examples(catalog, file, f"{key}.", signature.examples)


def _check_versions(catalog: Catalog, file: str, key: str, signature: Signature) -> Iterator[Fault]:
    for number, version in enumerate(signature.versions):
        place = f"{key}.version[{number}]"
        yield from _check_sources(catalog, file, place, version.sources, Confidence.LOW)
        try:
            groups = re.compile(version.pattern).groups
        except re.error as error:
            yield Fault(file, f"{place}.pattern", f"is no pattern: {error}", "correct it")
            continue
        if not (version.pattern.startswith("^") and version.pattern.endswith("$")):
            yield Fault(file, f"{place}.pattern", "is not anchored", "start it with ^ and end it with $")
        if groups != 1:
            yield Fault(file, f"{place}.pattern", f"has {groups} groups", "put exactly one group around the version")
        if version.kind in _TABLES and not _BEGINS_PLAIN.match(version.pattern):
            what = "begins with no plain character, so every string of every file would be compared"
            yield Fault(file, f"{place}.pattern", what, "begin it with text, behind ^ or ^(")


def _check_coverage(file: str, key: str, signature: Signature) -> Iterator[Fault]:
    """A signature is shown to hold where it should and to be silent where it should."""
    named = [dict(example.expect).get(signature.id) for example in signature.examples]
    best = signature.rules[0].grade if signature.rules else None
    if best is not None and best not in named:
        hint = f"add an [[signature.example]] that expects {signature.id} = {best.value!r}"
        yield Fault(file, f"{key}.example", "has no positive", hint)
    if None not in named:
        hint = f"add an [[signature.example]] that looks alike and does not expect {signature.id}"
        yield Fault(file, f"{key}.example", "has no near miss", hint)


def _check_examples(catalog: Catalog, file: str, prefix: str, examples: tuple[Example, ...]) -> Iterator[Fault]:
    signatures = {item.id: item for item in catalog.signatures}
    seen = set()
    for example in examples:
        key = f"{prefix}example[{example.name}]"
        if example.name in seen:
            yield Fault(file, key, "is named twice", "give each example a name of its own")
        seen.add(example.name)
        for name, _ in example.expect:
            if name in catalog.subjects:
                continue
            if name not in signatures:
                hint = nearest(name, (*signatures, *catalog.subjects))
                yield Fault(file, f"{key}.expect", f"{name!r} is no signature and no subject", hint)
            elif signatures[name].platform is not example.platform:
                yield Fault(file, f"{key}.expect", f"{name!r} is for the other platform", "expect another one")


def _check_packers(catalog: Catalog, homes: Mapping[str, str]) -> Iterator[Fault]:
    for packer in catalog.packers:
        file, key = homes[f"packer:{packer.id}"], f"packer[{packer.id}]"
        if not packer.clauses:
            yield Fault(file, f"{key}.clause", "is missing", "say by which classes, libraries or files it shows")
        for clause in packer.clauses:
            place = f"{key}.clause[{clause.name}]"
            yield from _check_sources(catalog, file, place, clause.sources, clause.confidence)
        yield from check_clauses(file, key, packer.clauses, None)


def _check_policies(catalog: Catalog, homes: Mapping[str, str]) -> Iterator[Fault]:
    for policy in catalog.policies:
        file = homes[f"policy:{policy.id}"]
        yield from _check_sources(catalog, file, "", policy.sources, policy.confidence)
        if not policy.names:
            yield Fault(file, "names", "is missing", "list the names of the text as [[names]]")
        seen = set()
        for named in policy.names:
            key = f"names[{named.text}]"
            if named.subject is not None and named.subject not in catalog.subjects:
                hint = nearest(named.subject, tuple(catalog.subjects))
                yield Fault(file, f"{key}.subject", f"{named.subject!r} is no subject", hint)
            if (named.text, named.subject) in seen:
                yield Fault(file, key, "is listed twice", "delete one of them")
            seen.add((named.text, named.subject))
        dates = [day for day in (policy.signed, policy.effective, policy.revoked) if day is not None]
        if dates != sorted(dates):
            yield Fault(file, "signed", "the dates are out of order", "signed, effective, revoked must ascend")


def _check_literals(catalog: Catalog, homes: Mapping[str, str]) -> Iterator[Fault]:
    """One literal proves one SDK, unless a signature says that it shares code with the other."""
    owners: dict[tuple[Platform, FactKind, str], Signature] = {}
    for signature in sorted(catalog.signatures, key=lambda item: (item.role is Role.VENDOR, item.id)):
        for clause in signature.clauses:
            if clause.kind not in _LITERALS:
                continue
            for value in clause.values:
                first = owners.setdefault((signature.platform, clause.kind, value), signature)
                if first is signature or first.id in signature.allows or signature.id in first.allows:
                    continue
                file = homes[f"signature:{signature.id}"]
                key = f"signature[{signature.id}].clause[{clause.name}].values"
                what = f"{value!r} is a literal of {first.id} too"
                yield Fault(file, key, what, f"delete it in one of them, or add {first.id!r} to allows")
