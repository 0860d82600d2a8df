"""Tables of the auditor's words, formats and products in Markdown: what the README and the reference show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from auditor.catalog import Catalog
from auditor.model import AppId, Certificate, FactKind, Grade, Platform, ProblemCode, Relation, Role, Subject
from auditor.report.outcome import EXIT_CODES
from auditor.report.problem_text import hidden_words
from auditor.report.vocabulary import GROUPS, TIERS, Entry, entries

CELLS: Mapping[str, str] = {
    "android-id": "Android id",
    "ios-id": "iOS id",
    "signer": "Android signer",
    "android-sdk": "Android SDK",
    "ios-sdk": "iOS SDK",
}
"""What may be known of a product, by the key of ``Subject.unknown``."""

_DIGESTS = (
    ("sha256", "SHA-256"),
    ("sha1", "SHA-1"),
    ("md5", "MD5"),
    ("md5_of_hex", "MD5"),
    ("spki_sha256", "public key"),
    ("rsa_modulus", "RSA key"),
)
_NOT_READ = "Not read:"
_APART = frozenset({"grades", "problem-codes", "fact-kinds", "exit-codes"})
"""Groups of words that have a table of their own."""


def render_reference(blocks: Mapping[str, str]) -> str:
    """The reference as a whole document, from the blocks that ``render_blocks`` made."""
    titles = {
        "formats": "What is read, and what is not",
        "problem-codes": "Problem codes",
        "fact-kinds": "Fact kinds",
        "words": "Other words",
        "commands": "Commands",
    }
    sections = [f"## {title}\n\n{blocks[name]}" for name, title in titles.items()]
    introduction = (
        "Generated from the program; `python -m tests.refresh_docs` writes it anew. Every word stands in\n"
        "`auditor explain WORD`, too. The database is described in [schema.md](schema.md)."
    )
    return "\n\n".join(["# Reference", introduction, *sections]) + "\n"


def render_blocks(
    catalog: Catalog, format_documents: Mapping[str, str], commands: Iterable[tuple[str, str]]
) -> dict[str, str]:
    """Every generated block by its name; ``format_documents`` are docstrings by module name."""
    return {
        "commands": table(("command", "what it does"), ((f"`{name}`", text) for name, text in commands)),
        "coverage": render_coverage(catalog),
        "exit-codes": render_exit_codes(),
        "fact-kinds": render_fact_kinds(),
        "formats": render_formats(format_documents),
        "grades": render_grades(),
        "problem-codes": render_problem_codes(),
        "words": render_words(),
    }


def render_exit_codes() -> str:
    """Exit codes, and which of several wins."""
    rows = ((str(code), meaning) for code, meaning in EXIT_CODES.items())
    return f"{table(('exit code', 'means'), rows)}\n\nWhere several hold, the first of 2, 1, 3, 4, 0 counts."


def render_grades() -> str:
    """Grades, strongest first within a role."""
    apps = frozenset({Grade.VERIFIED, Grade.CLAIMED, Grade.IMPOSTOR, Grade.SIBLING})
    rows = (
        (Role.APP.value if grade in apps else Role.SDK.value, f"**{grade.value}**", grade.meaning, _counts(grade))
        for grade in Grade
    )
    return table(("role", "grade", "means", "finding by default"), rows)


def _counts(grade: Grade) -> str:
    return "yes" if grade.is_finding else "no"


def render_problem_codes() -> str:
    """Problem codes with what they may hide."""
    rows = ((f"`{code.value}`", code.meaning, hidden_words(code.hides) or "nothing needed") for code in ProblemCode)
    return table(("code", "means", "may hide"), rows)


def render_fact_kinds() -> str:
    """The vocabulary between extractors and signatures, and what each kind can prove."""
    tiers = "\n".join(f"- *{tier.value}*: {meaning}" for tier, meaning in TIERS.items())
    rows = ((f"`{kind.value}`", kind.tier.value, kind.meaning) for kind in FactKind)
    return f"{tiers}\n\n{table(('kind', 'tier', 'one value is'), rows)}"


def render_words() -> str:
    """The groups of words that have no table of their own, as `auditor explain` knows them."""
    groups: dict[str, list[Entry]] = {name: [] for name in GROUPS if name not in _APART}
    for entry in entries():
        if entry.group in groups:
            groups[entry.group].append(entry)
    return "\n\n".join(_words(name, items) for name, items in groups.items())


def _words(name: str, items: Sequence[Entry]) -> str:
    lines = (f"- `{entry.id}`: {entry.meaning}" for entry in items)
    return "\n".join([f"### {name.replace('-', ' ').capitalize()}", "", *lines])


def render_formats(documents: Mapping[str, str]) -> str:
    """What each format module reads and what it does not, in the words of its docstring."""
    described = ((name, document) for name, document in sorted(documents.items()) if _NOT_READ in document)
    rows = ((f"`{name}`", document.strip().splitlines()[0], not_read(document)) for name, document in described)
    return table(("module", "what it is for", "not read"), rows)


def not_read(document: str) -> str:
    """The list of what a format module leaves out, from its docstring."""
    rest = document.partition(_NOT_READ)[2].split("\n\n")[0]
    return " ".join(rest.split()).rstrip(".")


def render_coverage(catalog: Catalog) -> str:
    """What is known of each product, and why a cell is n/a."""
    reasons: list[str] = []
    rows = []
    for subject in catalog.subjects.values():
        unknown = dict(subject.unknown)
        row = [subject.name]
        for cell in CELLS:
            if cell in unknown:
                reasons.append(f"{len(reasons) + 1}. {subject.name}, {CELLS[cell]}: {unknown[cell]}")
                row.append(f"n/a ({len(reasons)})")
            else:
                row.append(_known(cell, subject, catalog))
        rows.append(row)
    notes = [
        "An id without a signer reference is *claimed* at best; on iOS, where no reference is known, all are.",
        *(["", "n/a, because the sources do not know it:", "", *reasons] if reasons else []),
    ]
    return "\n".join([table(("product", *CELLS.values()), rows), "", *notes])


def _known(cell: str, subject: Subject, catalog: Catalog) -> str:
    if cell == "signer":
        return _signers(subject, catalog)
    platform = Platform(cell.partition("-")[0])
    if cell.endswith("-id"):
        return _ids([app for app in _designating(subject) if app.platform is platform])
    sdks = [item for item in catalog.signatures if item.role is Role.SDK and item.subject == subject.id]
    return ", ".join(sorted({item.name for item in sdks if item.platform is platform}))


def _designating(subject: Subject) -> list[AppId]:
    return [app for app in subject.app_ids if app.relation.designates and app.value is not None]


def _ids(apps: Sequence[AppId]) -> str:
    """The first id, as the catalog puts the main one first, and how many variants there are."""
    if not apps:
        return ""
    hosts = " (contains it)" if apps[0].relation is Relation.HOST_APP else ""
    variants = "variant" if len(apps) == 2 else "variants"
    more = f" and {len(apps) - 1} {variants}" if len(apps) > 1 else ""
    return f"`{apps[0].value}`{hosts}{more}"


def _signers(subject: Subject, catalog: Catalog) -> str:
    """By what the signers are known, and for how many of the ids."""
    android = [app for app in _designating(subject) if app.platform is Platform.ANDROID]
    names = sorted({name for app in android for name in app.certificates})
    known = dict.fromkeys(_digest(catalog.certificates[name]) for name in names)
    signed = sum(1 for app in android if app.certificates)
    some = "" if signed == len(android) else f", for {signed} of {len(android)} ids"
    return f"{' and '.join(sorted(known, reverse=True))}{some}"


def _digest(certificate: Certificate) -> str:
    """The strongest value a reference has."""
    return next(title for field, title in _DIGESTS if getattr(certificate, field) is not None)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    return "\n".join(_lines(head, rows))


def _lines(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
