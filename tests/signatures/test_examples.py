"""Every example that a signature or a subject carries gives the answer it states."""

from __future__ import annotations

import pytest

from auditor.catalog import load_catalog
from auditor.match import match
from auditor.model import Example, FactKind, Grade, Platform, Role
from tests.builders.examples import extraction_of

CATALOG = load_catalog()
SIGNATURE_EXAMPLES = [
    pytest.param(signature.id, example, id=f"{signature.id}: {example.name}")
    for signature in CATALOG.signatures
    for example in signature.examples
]
SUBJECT_EXAMPLES = [
    pytest.param(subject.id, example, id=f"{subject.id}: {example.name}")
    for subject in CATALOG.subjects.values()
    for example in subject.examples
]


def answers(example: Example) -> dict[str, Grade]:
    """Grade by signature id, or by subject id for what the app itself is."""
    found = {}
    for item in match(extraction_of(example), CATALOG):
        if item.signature.startswith("app:"):
            if item.role is Role.APP:
                found[item.subject] = item.grade
        else:
            found[item.signature] = item.grade
    return found


@pytest.mark.parametrize(("owner", "example"), SIGNATURE_EXAMPLES)
def test_a_signature_answers_its_example_as_stated(owner: str, example: Example) -> None:
    found = answers(example)
    expected = dict(example.expect)
    assert {name: found.get(name) for name in expected} == expected
    assert (owner in found) == (owner in expected)


@pytest.mark.parametrize(("owner", "example"), SUBJECT_EXAMPLES)
def test_an_app_is_graded_as_its_example_states(owner: str, example: Example) -> None:
    found = answers(example)
    expected = dict(example.expect)
    assert {name: grade for name, grade in found.items() if name in CATALOG.subjects} == expected


@pytest.mark.parametrize("name", CATALOG.subjects)
def test_every_subject_shows_a_positive_and_a_near_miss_on_each_platform_it_has_ids_on(name: str) -> None:
    subject = CATALOG.subjects[name]
    platforms = {app.platform for app in subject.app_ids if app.value is not None and app.relation.designates}
    for platform in platforms:
        examples = [example for example in subject.examples if example.platform is platform]
        assert any(subject.id in dict(example.expect) for example in examples)
        assert any(subject.id not in dict(example.expect) for example in examples)


def test_an_id_with_a_reference_is_an_impostor_without_a_signature_and_one_without_is_so_too() -> None:
    for app_id in ("com.tencent.mm", "com.uc.vmate"):
        example = Example("unsigned", Platform.ANDROID, (), (), app_id)
        assert set(answers(example).values()) == {Grade.IMPOSTOR}


def test_another_id_under_the_key_of_qq_is_a_sibling() -> None:
    signer = (FactKind.SIGNER, (f"sha256:{CATALOG.certificates['cert-qq'].sha256}",))
    example = Example("reader", Platform.ANDROID, (signer,), (), "com.qq.reader")
    assert answers(example) == {"qq-wallet": Grade.SIBLING, "tencent-qq": Grade.SIBLING}
