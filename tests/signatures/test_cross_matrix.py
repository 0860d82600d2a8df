"""No signature fires on another's example, unless one of them says that they go together."""

from __future__ import annotations

import pytest

from auditor.catalog import load_catalog
from auditor.match import match
from auditor.model import Example, Signature
from tests.builders.examples import extraction_of

CATALOG = load_catalog()


@pytest.mark.parametrize("signature", CATALOG.signatures, ids=lambda item: item.id)
def test_only_expected_or_allowed_signatures_fire_on_an_example(signature: Signature) -> None:
    for example in signature.examples:
        allowed = {signature.id, *signature.allows, *dict(example.expect)}
        surprises = fired(example) - allowed
        assert not surprises, f"{example.name}: {sorted(surprises)}"


@pytest.mark.parametrize("name", CATALOG.subjects)
def test_no_signature_fires_on_an_app_that_shows_its_identity_only(name: str) -> None:
    for example in CATALOG.subjects[name].examples:
        assert fired(example) <= set(dict(example.expect)), example.name


def fired(example: Example) -> set[str]:
    found = match(extraction_of(example), CATALOG)
    return {item.signature for item in found if not item.signature.startswith("app:")}
