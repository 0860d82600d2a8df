"""Turns TOML tables into the nouns of the model, one function per kind of table."""

from __future__ import annotations

from auditor.catalog.nouns import Packer, Source
from auditor.catalog.table import Table, as_choice, nearest
from auditor.model.facts import FactKind, Platform
from auditor.model.learned import LearnedBuild, LearnedGroup, LearnedRole, LearnedSet
from auditor.model.policies import NamedSubject, Policy
from auditor.model.signatures import (
    AppId,
    Certificate,
    Clause,
    Confidence,
    Example,
    Grade,
    Relation,
    Role,
    Rule,
    Signature,
    Subject,
    VersionSource,
)

UNKNOWN_CELLS = ("android-id", "ios-id", "signer", "android-sdk", "ios-sdk")
"""What a subject file may declare as not known to its sources."""


def parse_source(table: Table) -> Source:
    """A ``[[source]]``."""
    found = Source(table.text("id"), table.text("kind"), table.text("ref"), table.text("note", ""))
    table.close()
    return found


def parse_clause(table: Table) -> Clause | None:
    """A ``[[...clause]]``; None where its kind is none."""
    kind = table.choice("kind", FactKind)
    confidence = table.choice("confidence", Confidence, Confidence.HIGH)
    clause = Clause(
        name=table.text("name"),
        kind=kind or FactKind.FILE,
        values=table.texts("values"),
        prefixes=table.texts("prefixes"),
        globs=table.texts("globs"),
        excluded=table.texts("excluded"),
        at_least=table.number("at_least", 1),
        learned=_roles(table),
        learned_of=table.text("learned_of", ""),
        confidence=confidence or Confidence.HIGH,
        sources=table.texts("sources"),
    )
    table.close()
    return None if kind is None else clause


def _roles(table: Table) -> tuple[LearnedRole, ...]:
    words = table.texts("learned")
    found = (as_choice(word, LearnedRole, lambda what, hint: table.fault("learned", what, hint)) for word in words)
    return tuple(role for role in found if role is not None)


def parse_learned(table: Table) -> LearnedSet | None:
    """A whole file of ``learned/``; None where its kind is none."""
    kind = table.choice("kind", FactKind)
    builds = []
    for item in table.tables("build"):
        builds.append(LearnedBuild(item.text("version"), item.text("package"), item.text("sha256")))
        item.close()
    found = LearnedSet(
        signature=table.text("signature"),
        kind=kind or FactKind.DEX_STRING,
        marks=table.texts("marks"),
        protocol=table.texts("protocol"),
        background=table.number("background", 1),
        builds=tuple(builds),
        groups=tuple(group for item in table.tables("group") if (group := _group(item, len(builds))) is not None),
    )
    table.close()
    return None if kind is None else found


def _group(table: Table, builds: int) -> LearnedGroup | None:
    role = table.choice("role", LearnedRole)
    numbers = table.numbers("builds")
    if not numbers or numbers[-1] >= builds or list(numbers) != sorted(set(numbers)):
        table.fault("builds", f"is {list(numbers)}", f"list positions of [[build]], 0 to {builds - 1}, ascending")
        role = None
    group = LearnedGroup(role or LearnedRole.PLAIN, numbers, table.texts("values"))
    table.close()
    return None if role is None else group


def _clauses(table: Table) -> tuple[Clause, ...]:
    found = (parse_clause(item) for item in table.tables("clause"))
    return tuple(clause for clause in found if clause is not None)


def _rules(table: Table) -> tuple[Rule, ...]:
    rules = []
    for item in table.tables("rule"):
        grade = item.choice("grade", Grade)
        rule = Rule(grade or Grade.MENTIONED, item.texts("all_of"), item.texts("any_of"))
        item.close()
        if grade is not None:
            rules.append(rule)
    return tuple(rules)


def _versions(table: Table) -> tuple[VersionSource, ...]:
    versions = []
    for item in table.tables("version"):
        kind = item.choice("kind", FactKind)
        version = VersionSource(kind or FactKind.DEX_STRING, item.text("pattern"), item.texts("sources"))
        item.close()
        if kind is not None:
            versions.append(version)
    return tuple(versions)


def parse_example(table: Table, default: Platform | None) -> Example | None:
    """A ``[[...example]]``; None where its platform is not known."""
    platform = table.choice("platform", Platform, default)
    facts = []
    for name, values in table.mapping("facts").items():
        kind = as_choice(name, FactKind, lambda what, hint: table.fault("facts", what, hint))
        if kind is not None:
            strings = Table(table.file, f"{table.path}.facts", {name: values}, table.faults).texts(name)
            facts.append((kind, strings))
    expect = []
    for name, word in table.mapping("expect").items():
        grade = as_choice(str(word), Grade, lambda what, hint: table.fault("expect", what, hint))
        if grade is not None:
            expect.append((name, grade))
    example = Example(
        name=table.text("name"),
        platform=platform or Platform.ANDROID,
        facts=tuple(sorted(facts)),
        expect=tuple(sorted(expect)),
        app_id=table.text("app_id", "com.example.app"),
    )
    table.close()
    return None if platform is None else example


def _examples(table: Table, default: Platform | None) -> tuple[Example, ...]:
    found = (parse_example(item, default) for item in table.tables("example"))
    return tuple(example for example in found if example is not None)


def parse_signature(table: Table, role: Role) -> Signature | None:
    """A ``[[signature]]``; None where its platform is not known."""
    platform = table.choice("platform", Platform)
    signature = Signature(
        id=table.text("id"),
        name=table.text("name"),
        subject=table.text("subject"),
        role=role,
        platform=platform or Platform.ANDROID,
        vendor=table.text("vendor"),
        clauses=_clauses(table),
        rules=_rules(table),
        own_apps=table.texts("own_apps"),
        functions=table.texts("functions"),
        versions=_versions(table),
        examples=_examples(table, platform),
        allows=table.texts("allows"),
        notes=table.texts("notes"),
    )
    table.close()
    return None if platform is None else signature


def parse_certificate(table: Table) -> Certificate:
    """A ``[[certificate]]``."""
    found = Certificate(
        id=table.text("id"),
        label=table.text("label"),
        confidence=table.choice("confidence", Confidence, Confidence.HIGH) or Confidence.HIGH,
        sources=table.texts("sources"),
        sha256=table.optional("sha256"),
        sha1=table.optional("sha1"),
        md5=table.optional("md5"),
        md5_of_hex=table.optional("md5_of_hex"),
        java_hash=table.optional("java_hash"),
        spki_sha256=table.optional("spki_sha256"),
        rsa_modulus=table.optional("rsa_modulus"),
        note=table.text("note", ""),
    )
    table.close()
    return found


def parse_app_id(table: Table) -> AppId | None:
    """An ``[[app]]``; None where platform or relation is not known."""
    platform = table.choice("platform", Platform)
    relation = table.choice("relation", Relation)
    found = AppId(
        platform=platform or Platform.ANDROID,
        value=table.optional("id"),
        relation=relation or Relation.NOT_THE_APP,
        label=table.text("label"),
        confidence=table.choice("confidence", Confidence, Confidence.HIGH) or Confidence.HIGH,
        sources=table.texts("sources"),
        store_ids=table.texts("store_ids"),
        certificates=table.texts("certificates"),
        note=table.text("note", ""),
    )
    table.close()
    return None if platform is None or relation is None else found


def parse_subject(table: Table) -> Subject:
    """A whole file of ``apps/``."""
    ids = (parse_app_id(item) for item in table.tables("app"))
    unknown = []
    for cell, why in table.mapping("unknown").items():
        if cell not in UNKNOWN_CELLS:
            table.fault(f"unknown.{cell}", "is no cell", nearest(cell, UNKNOWN_CELLS))
        elif not isinstance(why, str) or not why.strip():
            table.fault(f"unknown.{cell}", "gives no reason", "say what was searched and not found")
        else:
            unknown.append((cell, why))
    subject = Subject(
        id=table.text("id"),
        name=table.text("name"),
        developer=table.text("developer"),
        app_ids=tuple(item for item in ids if item is not None),
        certificates=tuple(parse_certificate(item) for item in table.tables("certificate")),
        examples=_examples(table, None),
        unknown=tuple(unknown),
        notes=table.texts("notes"),
    )
    table.close()
    return subject


def parse_policy(table: Table) -> Policy:
    """A whole file of ``policies/``."""
    policy = Policy(
        id=table.text("id"),
        name=table.text("name"),
        authority=table.text("authority"),
        citation=table.text("citation", ""),
        scope=table.text("scope"),
        signed=table.day("signed"),
        effective=table.day("effective"),
        revoked=table.day("revoked"),
        status=table.text("status"),
        names=tuple(_named_subject(item) for item in table.tables("names")),
        covers_subsidiaries=table.flag("covers_subsidiaries"),
        confidence=table.choice("confidence", Confidence, Confidence.HIGH) or Confidence.HIGH,
        sources=table.texts("sources"),
        notes=table.texts("notes"),
        standing_known=table.flag("standing_known") is not False,
    )
    table.close()
    return policy


def _named_subject(table: Table) -> NamedSubject:
    found = NamedSubject(
        text=table.text("text"),
        subject=table.optional("subject"),
        since=table.day("since"),
        until=table.day("until"),
        confidence=table.choice("confidence", Confidence, Confidence.HIGH) or Confidence.HIGH,
        note=table.text("note", ""),
    )
    table.close()
    return found


def parse_packer(table: Table) -> Packer:
    """A ``[[packer]]``."""
    packer = Packer(table.text("id"), table.text("name"), _clauses(table))
    table.close()
    return packer
