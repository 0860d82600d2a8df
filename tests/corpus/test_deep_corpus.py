"""The second look raises no false alarm on real apps, and androguard sees the same calls in them."""

from __future__ import annotations

import zipfile

import pytest

from auditor import audit, load_catalog
from auditor.formats.dex import parse_dex
from auditor.formats.dex_code import DexCode
from auditor.formats.dex_profile import find_profiles
from auditor.formats.dex_xref import find_calls
from auditor.model import FactKind
from tests.corpus.registry import Real
from tests.corpus.test_real_android import APPS, ATX

pytestmark = pytest.mark.corpus
PROFILE = FactKind.DEX_PROFILE


@pytest.mark.parametrize("app", APPS, ids=str)
def test_no_real_app_comes_near_the_profiles_of_an_sdk(app: Real) -> None:
    clauses = [clause for item in load_catalog().signatures for clause in item.clauses if clause.kind is PROFILE]
    assert clauses
    for plain, deep in zip(audit(app.path()), audit(app.path(), deep=True), strict=True):
        assert [(item.subject, item.verdict) for item in deep.answers] == [
            (item.subject, item.verdict) for item in plain.answers
        ]
        seen = {value for part in deep.extraction.of(PROFILE) for value in part.values}
        # The clauses ask for eight and for twenty.
        assert max(len(seen & set(clause.values)) for clause in clauses) <= 2


def described(name: str) -> str:
    return f"L{name.replace('.', '/')};"


def test_androguard_finds_the_same_calls_in_a_real_app() -> None:
    pytest.importorskip("loguru").logger.remove()
    core = pytest.importorskip("androguard.core.dex")
    with zipfile.ZipFile(ATX.path()) as archive:
        data = archive.read("classes.dex")
    dex = core.DEX(data)
    theirs = set()
    for method in dex.get_encoded_methods():
        for step in method.get_instructions():
            if step.get_name().startswith("invoke-"):
                owner, name, _ = dex.get_cm_method(step.get_ref_kind())
                if owner.startswith("L") and owner != method.get_class_name():
                    theirs.add((method.get_class_name(), method.get_name(), owner, name))
    code = DexCode(parse_dex(data).classes)
    calls = set(find_calls(code, lambda name: True, lambda name: True))
    ours = {(described(item.caller_class), item.caller, described(item.callee_class), item.callee) for item in calls}
    assert len(ours) > 1000
    assert ours == theirs
    assert code.unread == 0
    assert len(set(find_profiles(code))) > 1000
