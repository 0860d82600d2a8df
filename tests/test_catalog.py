"""The catalog: how files become nouns, and every fault the linter must find."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path

import pytest

from auditor.catalog import Catalog, Fault, check_catalog, find_faults, load_catalog, parse_catalog
from auditor.errors import CatalogError
from auditor.model import Clause, Confidence, FactKind, Grade, Platform, Relation, Role
from tests.builders.catalog_files import PACKERS, POLICY, SIGNATURE, SOURCES, SUBJECT, catalog_files, changed

ROOT = Path(__file__).resolve().parents[1] / "signatures"


def faults(**changes: str) -> list[Fault]:
    """The faults of the small catalog with some files replaced."""
    return find_faults(catalog_files(**changes))


def broken(**changes: str) -> str:
    """The one fault of a catalog with one thing broken, as text."""
    found = faults(**changes)
    assert len(found) == 1, [str(fault) for fault in found]
    return str(found[0])


@pytest.fixture(scope="module")
def small() -> Catalog:
    return parse_catalog(catalog_files())


@pytest.fixture(scope="module")
def shipped() -> Catalog:
    return load_catalog()


class TestWhatIsRead:
    def test_a_subject_with_its_ids_certificates_and_gaps(self, small: Catalog) -> None:
        subject = small.subjects["pay"]
        (app,) = subject.app_ids
        assert (app.value, app.relation, app.certificates) == ("com.pay.app", Relation.MAIN, ("cert-pay",))
        assert app.confidence is Confidence.HIGH
        assert subject.unknown == (("ios-id", "never seen"),)
        assert small.certificates["cert-pay"] is subject.certificates[0]

    def test_a_signature_with_clauses_rules_versions_and_examples(self, small: Catalog) -> None:
        (signature,) = small.signatures
        assert (signature.role, signature.platform, signature.subject) == (Role.SDK, Platform.ANDROID, "pay")
        assert signature.clauses[0] == Clause(
            "classes", FactKind.DEX_CLASS, ("com.pay.sdk.Task",), ("com.pay.sdk.ui.",), sources=("paper",)
        )
        assert signature.clauses[1].confidence is Confidence.MEDIUM
        assert [rule.grade for rule in signature.rules] == [Grade.EMBEDDED, Grade.REFERENCED]
        assert signature.versions[0].pattern == r"^Pay/(\d+)$"
        assert signature.examples[0].facts == ((FactKind.DEX_CLASS, ("com.pay.sdk.Task",)),)
        assert signature.examples[0].platform is Platform.ANDROID
        assert signature.needs == {FactKind.DEX_CLASS}

    def test_a_vendor_signature_is_one_by_its_folder(self) -> None:
        files = catalog_files()
        files["vendors/pay.toml"] = files.pop("sdks/pay.toml")
        assert parse_catalog(files).signatures[0].role is Role.VENDOR

    def test_a_policy_with_its_dates_and_names(self, small: Catalog) -> None:
        (policy,) = small.policies
        assert (policy.signed, policy.effective, policy.revoked) == (date(2021, 1, 5), date(2021, 2, 19), None)
        assert [(item.text, item.subject, item.since) for item in policy.names] == [
            ("Pay", "pay", None),
            ("Other", None, date(2022, 1, 1)),
        ]
        assert policy.covers_subsidiaries is True

    def test_a_packer_and_its_clauses(self, small: Catalog) -> None:
        (packer,) = small.packers
        assert (packer.id, packer.clauses[0].globs) == ("shell", ("libshell-*.so",))

    def test_a_certificate_of_another_file_belongs_to_the_subject_that_refers_to_it(self) -> None:
        other = changed(SUBJECT, 'id = "pay"\n', 'id = "host"\n').partition("[[certificate]]")[0]
        example = '[[example]]\nname = "app"\nplatform = "android"\napp_id = "com.pay.app"\n'
        files = catalog_files()
        files["apps/host.toml"] = (other + example).encode()
        catalog = parse_catalog(files)
        assert [item.id for item in catalog.subjects["host"].certificates] == ["cert-pay"]

    def test_a_catalog_is_frozen(self, small: Catalog) -> None:
        with pytest.raises(TypeError):
            small.subjects["more"] = small.subjects["pay"]  # type: ignore[index]


class TestDigest:
    def test_layout_and_comments_do_not_count(self) -> None:
        one = parse_catalog(catalog_files())
        two = parse_catalog(catalog_files(policy="# a comment\n\n" + POLICY))
        assert one.digest == two.digest
        assert len(one.digest) == 64

    def test_a_changed_value_counts(self) -> None:
        one = parse_catalog(catalog_files())
        two = parse_catalog(catalog_files(policy=changed(POLICY, "everything", "all things")))
        assert one.digest != two.digest

    def test_the_order_of_the_files_does_not_count(self) -> None:
        files = catalog_files()
        turned = dict(reversed(files.items()))
        assert parse_catalog(files).digest == parse_catalog(turned).digest


class TestShape:
    """Faults of single tables: keys, types, vocabularies."""

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"signature": changed(SIGNATURE, "vendor =", "vendr =")}, "is missing"),
            ({"signature": changed(SIGNATURE, "prefixes =", "prefix =")}, "did you mean 'prefixes'?"),
            ({"signature": changed(SIGNATURE, '"dex.class"\nvalues', '"dex.klass"\nvalues')}, "'dex.class'?"),
            ({"signature": changed(SIGNATURE, '"android"', '"andriod"')}, "did you mean 'android'?"),
            ({"signature": changed(SIGNATURE, '"embedded"', '"embeded"')}, "did you mean 'embedded'?"),
            ({"signature": changed(SIGNATURE, '"medium"', '"mid"')}, "use one of: high, low, medium"),
            ({"signature": changed(SIGNATURE, '["com.pay.sdk.Task"]', '"com.pay.sdk.Task"')}, "write a list"),
            ({"signature": changed(SIGNATURE, '["com.pay.sdk.Task"]', "[7]")}, "list non-empty strings only"),
            ({"signature": changed(SIGNATURE, '["com.pay.sdk.Task"]', '[""]')}, "list non-empty strings only"),
            ({"signature": changed(SIGNATURE, '["com.pay.sdk.Task"]', '["a.B", "a.B"]')}, "'a.B' twice"),
            ({"signature": changed(SIGNATURE, 'name = "Pay SDK"', 'name = " "')}, "is empty"),
            ({"signature": "signature = 7"}, "write a list"),
            ({"signature": "signature = [7]"}, "write it as [[signature]]"),
            ({"signature": ""}, "describe at least one signature"),
            ({"subject": changed(SUBJECT, '"main"', '"mane"')}, "did you mean 'main'?"),
            ({"subject": changed(SUBJECT, "ios-id", "ios-ids")}, "did you mean 'ios-id'?"),
            ({"subject": changed(SUBJECT, '"never seen"', '""')}, "say what was searched"),
            ({"policy": changed(POLICY, "2021-01-05", '"2021-01-05"')}, "write a date without quotes"),
            ({"policy": changed(POLICY, "2021-01-05", "2021-01-05T00:00:00Z")}, "write a date without quotes"),
            ({"policy": changed(POLICY, "= true", '= "yes"')}, "write true or false"),
            ({"packers": changed(PACKERS, '"Shell"', "7")}, "write a string"),
            ({"sources": changed(SOURCES, "kind", "sort")}, "is missing"),
        ],
    )
    def test_a_misshapen_table_is_reported_with_what_to_write(self, changes: dict[str, str], expected: str) -> None:
        found = faults(**changes)
        assert any(expected in str(fault) for fault in found), [str(fault) for fault in found]

    @pytest.mark.parametrize("number", ["0", "-1", "true", '"2"'])
    def test_at_least_is_a_number_from_one(self, number: str) -> None:
        text = changed(SIGNATURE, 'kind = "dex.class"\n', f'kind = "dex.class"\nat_least = {number}\n')
        assert any(".at_least" in fault.key for fault in faults(signature=text))

    def test_bytes_that_are_no_toml_and_no_text(self) -> None:
        files = catalog_files()
        files["policies/order.toml"] = b"id = "
        files["policies/other.toml"] = b"\xff"
        found = {fault.file: fault.what for fault in find_faults(files)}
        assert found["policies/order.toml"].startswith("is no TOML: ")
        assert found["policies/other.toml"] == "is not UTF-8"

    def test_a_file_without_bounds_is_refused(self) -> None:
        files = catalog_files()
        files["policies/order.toml"] = b"#" * (3 << 20)
        assert "is larger than" in str(find_faults(files)[0])

    def test_deep_nesting_is_a_fault_and_no_crash(self) -> None:
        files = catalog_files()
        files["policies/order.toml"] = b"id = " + b"[" * 20000
        assert find_faults(files)

    def test_a_file_in_no_folder_of_a_catalog(self) -> None:
        files = catalog_files()
        files["odd/pay.toml"] = b""
        assert "move it to one of" in str(find_faults(files)[0])

    @pytest.mark.parametrize("step", range(7, 400, 31))
    def test_any_prefix_of_a_file_gives_a_catalog_or_faults(self, step: int) -> None:
        for name, data in catalog_files().items():
            files = catalog_files()
            files[name] = data[: len(data) * step // 400]
            assert isinstance(find_faults(files), list)


class TestSources:
    @pytest.mark.parametrize("name", ["signature", "subject", "policy", "packers"])
    def test_a_source_that_nobody_declared(self, name: str) -> None:
        text = {"signature": SIGNATURE, "subject": SUBJECT, "policy": POLICY, "packers": PACKERS}[name]
        found = faults(**{name: text.replace('"paper"', '"papre"')})
        assert found
        assert all("did you mean 'paper'?" in str(fault) for fault in found)

    @pytest.mark.parametrize("name", ["signature", "subject", "policy", "packers"])
    def test_a_value_without_a_source(self, name: str) -> None:
        text = {"signature": SIGNATURE, "subject": SUBJECT, "policy": POLICY, "packers": PACKERS}[name]
        found = faults(**{name: text.replace('sources = ["paper"]\n', "")})
        assert found
        assert {fault.what for fault in found} == {"names no source"}

    def test_what_is_only_remembered_has_low_confidence(self) -> None:
        text = changed(SIGNATURE, 'confidence = "medium"\nsources = ["paper"]', 'sources = ["memory"]')
        assert "is high, but only remembered" in broken(signature=text)
        low = changed(text, 'sources = ["memory"]', 'confidence = "low"\nsources = ["memory"]')
        assert faults(signature=low) == []


class TestClauses:
    @pytest.mark.parametrize(
        ("old", "new", "expected"),
        [
            ('"com.pay.sdk.ui."', '"com.pay.sdk.ui"', "may end inside a word"),
            ('"com.pay.sdk.ui."', '"co."', "may end inside a word"),
            ('"*.payapi.Entry"', '"*payapi*"', "is open at both ends"),
            ('"*.payapi.Entry"', '"?*"', "matches nearly anything"),
            ('"*.payapi.Entry"', '"com.payapi.Entry"', "has no wildcard"),
            ('globs = ["*.payapi.Entry"]', "", "asks for nothing"),
            ('"android.activity"', '"ios.url-scheme"', "does not exist on android"),
            ('"android.activity"', '"macho.objc-class"', "does not exist on android"),
            ('name = "screen"', 'name = "classes"', "is named twice"),
            ('prefixes = ["com.pay.sdk.ui."]', "at_least = 2", "asks for 2 of 1 values"),
            ('prefixes = ["com.pay.sdk.ui."]', 'excluded = ["com.other."]', "is under no prefix"),
        ],
    )
    def test_a_clause_that_means_nothing_or_too_much(self, old: str, new: str, expected: str) -> None:
        found = faults(signature=changed(SIGNATURE, old, new))
        assert any(expected in str(fault) for fault in found), [str(fault) for fault in found]

    def test_prefixes_may_end_at_a_slash_or_an_underscore(self) -> None:
        text = changed(SIGNATURE, '"com.pay.sdk.ui."', '"pay_sdk_", "assets/pay/"')
        assert faults(signature=text) == []

    def test_a_literal_of_two_signatures_needs_a_word_from_one_of_them(self) -> None:
        literal = changed(SIGNATURE, '"dex.class"\nvalues = ["com.pay.sdk.Task"]', '"dex.string"\nvalues = ["pay.lit"]')
        literal = changed(literal, 'facts]\n"dex.class" = ["com.pay.sdk.Task"]', 'facts]\n"dex.string" = ["pay.lit"]')
        second = literal.replace("pay-sdk-android", "other-sdk-android")
        files = catalog_files(signature=literal)
        files["sdks/second.toml"] = second.encode()
        (fault,) = find_faults(files)
        assert "'pay.lit' is a literal of other-sdk-android too" in str(fault)
        allowed = changed(second, 'vendor = "Pay Inc."', 'vendor = "Pay Inc."\nallows = ["pay-sdk-android"]')
        files["sdks/second.toml"] = allowed.encode()
        assert find_faults(files) == []


GENERIC = """
[[signature]]
id = "pay-sdk-ios"
name = "Pay SDK"
subject = "pay"
platform = "ios"
vendor = "Pay Inc."

[[signature.clause]]
name = "generic"
kind = "macho.objc-class"
values = ["PayReq", "PayResp"{more}]
{least}
sources = ["paper"]

[[signature.clause]]
name = "own"
kind = "macho.objc-class"
values = ["PAYTaskRunner"]
sources = ["paper"]

[[signature.rule]]
grade = "embedded"
{rule}

[[signature.rule]]
grade = "mentioned"
any_of = ["own"]

[[signature.example]]
name = "inside"
expect = {{ "pay-sdk-ios" = "embedded" }}
facts = {{ "macho.objc-class" = ["PayReq", "PAYTaskRunner"] }}

[[signature.example]]
name = "near"
"""


class TestRules:
    @pytest.mark.parametrize(
        ("old", "new", "expected"),
        [
            ('any_of = ["classes"]', 'any_of = ["screen"]', "without a class, library, symbol or literal"),
            ('any_of = ["classes"]', 'any_of = ["classes", "screen"]', "without a class, library, symbol or literal"),
            ('any_of = ["classes"]', 'any_of = ["clases"]', "did you mean 'classes'?"),
            ('any_of = ["classes"]', "", "needs nothing"),
            ('any_of = ["screen"]', 'any_of = ["classes"]', "is used by no rule"),
            ('"referenced"', '"claimed"', "claimed is for apps"),
        ],
    )
    def test_a_rule_that_cannot_carry_its_grade(self, old: str, new: str, expected: str) -> None:
        found = faults(signature=changed(SIGNATURE, old, new))
        assert any(expected in str(fault) for fault in found), [str(fault) for fault in found]

    def test_code_beside_a_declaration_carries_a_finding(self) -> None:
        text = changed(SIGNATURE, 'any_of = ["classes"]', 'all_of = ["classes"]\nany_of = ["screen"]')
        assert faults(signature=text) == []

    def test_the_strongest_rule_stands_first(self) -> None:
        text = changed(SIGNATURE, 'grade = "embedded"', 'grade = "mentioned"')
        assert "the strongest first" in str(faults(signature=text))

    def test_a_finding_does_not_rest_on_low_confidence(self) -> None:
        text = changed(SIGNATURE, 'prefixes = ["com.pay.sdk.ui."]', 'confidence = "low"')
        assert "on a clause of low confidence" in broken(signature=text)

    @pytest.mark.parametrize(
        ("path", "grade"), [("lib/arm64-v8a/libpay.so", True), ("assets/pay.jar", True), ("assets/pay.png", False)]
    )
    def test_a_file_is_code_only_by_its_suffix(self, path: str, grade: bool) -> None:
        text = changed(
            SIGNATURE, 'kind = "dex.class"\nvalues = ["com.pay.sdk.Task"]', f'kind = "file.path"\nvalues = ["{path}"]'
        )
        text = changed(text, 'prefixes = ["com.pay.sdk.ui."]\n', "")
        assert (faults(signature=text) == []) is grade

    @pytest.mark.parametrize(
        ("rule", "more", "least", "good"),
        [
            ('any_of = ["generic"]', "", "", False),
            ('any_of = ["generic"]', ', "PAYTask"', "", False),
            ('any_of = ["generic"]', ', "PAYTask"', "at_least = 2", False),
            ('any_of = ["generic"]', ', "PAYTask"', "at_least = 3", True),
            ('any_of = ["generic", "own"]', "", "", False),
            ('all_of = ["generic", "own"]', "", "", True),
            ('all_of = ["generic"]\nany_of = ["own"]', "", "", True),
        ],
    )
    def test_names_anybody_may_choose_never_stand_alone(self, rule: str, more: str, least: str, good: bool) -> None:
        text = GENERIC.format(rule=rule, more=more, least=least)
        generic = [fault for fault in faults(signature=text) if "generic class names alone" in fault.what]
        assert (generic == []) is good

    @pytest.mark.parametrize(
        ("pattern", "expected"),
        [
            (r"Pay/(\d+)$", "is not anchored"),
            (r"^Pay/(\d+)", "is not anchored"),
            (r"^Pay/\d+$", "has 0 groups"),
            (r"^(Pay)/(\d+)$", "has 2 groups"),
            (r"^Pay/((\d+$", "is no pattern"),
        ],
    )
    def test_a_version_pattern_is_anchored_and_has_one_group(self, pattern: str, expected: str) -> None:
        found = faults(signature=changed(SIGNATURE, r"^Pay/(\d+)$", pattern))
        assert any(expected in str(fault) for fault in found)

    @pytest.mark.parametrize("pattern", [r"^(\d+)$", r"^.*/(\d+)$", r"^[Pp]ay/(\d+)$"])
    def test_a_version_pattern_begins_with_text(self, pattern: str) -> None:
        found = broken(signature=changed(SIGNATURE, r"^Pay/(\d+)$", pattern))
        assert "begins with no plain character" in found


class TestExamples:
    def test_a_signature_needs_a_positive_of_its_strongest_grade(self) -> None:
        text = changed(SIGNATURE, '{ "pay-sdk-android" = "embedded" }', '{ "pay-sdk-android" = "referenced" }')
        assert "has no positive" in broken(signature=text)

    def test_a_signature_needs_a_near_miss(self) -> None:
        text = SIGNATURE.partition('[[signature.example]]\nname = "near"')[0]
        assert "has no near miss" in broken(signature=text)

    def test_a_subject_needs_examples(self) -> None:
        assert "example: is missing" in broken(subject=SUBJECT.partition("[[example]]")[0])

    def test_an_example_expects_what_exists(self) -> None:
        text = changed(SIGNATURE, '{ "pay-sdk-android"', '{ "pay-sdk-androit"')
        assert any("did you mean 'pay-sdk-android'?" in str(fault) for fault in faults(signature=text))

    def test_an_example_speaks_the_vocabulary_of_facts(self) -> None:
        text = changed(SIGNATURE, 'facts]\n"dex.class"', 'facts]\n"dex.clas"')
        assert any("did you mean 'dex.class'?" in str(fault) for fault in faults(signature=text))

    def test_two_examples_do_not_share_a_name(self) -> None:
        assert "is named twice" in broken(signature=changed(SIGNATURE, 'name = "near"', 'name = "inside"'))

    def test_an_example_of_the_other_platform_cannot_fire(self) -> None:
        text = changed(SIGNATURE, 'name = "inside"\n', 'name = "inside"\nplatform = "ios"\n')
        assert "is for the other platform" in broken(signature=text)


class TestSubjectsAndPolicies:
    @pytest.mark.parametrize(
        ("old", "new", "expected"),
        [
            ('["cert-pay"]', '["cert-pya"]', "did you mean 'cert-pay'?"),
            ('"0123456789abcdef0123456789abcdef"', '"0123"', "write 32 lower-case hex digits"),
            ('"0123456789abcdef0123456789abcdef"', '"0123456789ABCDEF0123456789ABCDEF"', "lower-case hex"),
            ('md5 = "0123456789abcdef0123456789abcdef"', "", "has nothing to compare with"),
            ('md5 = "0123456789abcdef0123456789abcdef"', 'rsa_modulus = "00ab"', "strip leading zeros"),
            ('md5 = "0123456789abcdef0123456789abcdef"', 'java_hash = "0962f5b7"', "has nothing to compare with"),
            (
                '0123456789abcdef0123456789abcdef"',
                '0123456789abcdef0123456789abcdef"\njava_hash = "962f5b7"',
                "8 lower",
            ),
            ('id = "com.pay.app"\n', "", "says nothing"),
            ('id = "pay"\n', 'id = "Pay App"\n', "write lower-case words"),
        ],
    )
    def test_a_subject_that_cannot_be_compared_with(self, old: str, new: str, expected: str) -> None:
        found = faults(subject=changed(SUBJECT, old, new))
        assert any(expected in str(fault) for fault in found), [str(fault) for fault in found]

    def test_an_id_stands_once_in_a_subject(self) -> None:
        again = '[[app]]\nplatform = "android"\nid = "com.pay.app"\nrelation = "variant"\nlabel = "Pay"\n'
        assert "is listed twice" in broken(subject=SUBJECT + again + 'sources = ["paper"]\n')

    def test_a_subject_without_ids(self) -> None:
        text = 'id = "pay"\nname = "Pay"\ndeveloper = "Pay Inc."\n[[example]]\nname = "a"\nplatform = "ios"\n'
        assert "lists no app id" in broken(subject=text)

    @pytest.mark.parametrize(
        ("old", "new", "expected"),
        [
            ('subject = "pay"', 'subject = "pya"', "did you mean 'pay'?"),
            ('text = "Other"', 'text = "Pay"\nsubject = "pay"', "is listed twice"),
            ("effective = 2021-02-19", "effective = 2020-02-19", "out of order"),
        ],
    )
    def test_a_policy_that_contradicts_itself(self, old: str, new: str, expected: str) -> None:
        assert expected in broken(policy=changed(POLICY, old, new))

    def test_a_policy_names_somebody(self) -> None:
        assert "list the names of the text" in broken(policy=POLICY.partition("[[names]]")[0])

    def test_a_packer_shows_by_something(self) -> None:
        assert "say by which classes" in broken(packers='[[packer]]\nid = "shell"\nname = "Shell"\n')

    def test_a_signature_is_of_a_subject_and_shares_no_id_with_one(self) -> None:
        assert "did you mean 'pay'?" in broken(signature=changed(SIGNATURE, 'subject = "pay"', 'subject = "pya"'))
        text = SIGNATURE.replace("pay-sdk-android", "pay")
        assert "is a subject's id too" in str(faults(signature=text))

    def test_allows_names_signatures(self) -> None:
        text = changed(SIGNATURE, 'vendor = "Pay Inc."', 'vendor = "Pay Inc."\nallows = ["pay-sdk-ios"]')
        assert "'pay-sdk-ios' is no signature" in broken(signature=text)


class TestReporting:
    def test_all_faults_come_at_once_with_file_key_and_advice(self) -> None:
        files = catalog_files(policy=changed(POLICY, "status", "stats"), signature=changed(SIGNATURE, "vendor", "vend"))
        with pytest.raises(CatalogError) as caught:
            parse_catalog(files)
        text = str(caught.value)
        assert text.startswith("4 fault(s) in the catalog:")
        assert "policies/order.toml: stats: is an unknown key; did you mean 'status'?" in text
        assert "sdks/pay.toml: signature[pay-sdk-android].vendor: is missing; add it as a string" in text

    @pytest.mark.parametrize(
        ("name", "what"),
        [
            ("sdks/again.toml", "signature[pay-sdk-android]"),
            ("policies/again.toml", "policy[order]"),
            ("apps/again.toml", "subject[pay]"),
        ],
    )
    def test_an_id_is_taken_once(self, name: str, what: str) -> None:
        files = catalog_files()
        first = next(file for file in files if file.startswith(name.partition("/")[0]))
        files["pack~1/" + name] = files[first]
        found = [str(fault) for fault in find_faults(files)]
        assert any(what in text and "this id is taken by" in text for text in found), found


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


class TestFolders:
    def test_a_folder_is_loaded_by_its_layout_and_staging_is_not(self, tmp_path: Path) -> None:
        root = write(tmp_path / "root", catalog_files())
        write(root, {"staging/bad.toml": b"no toml", "README.md": b"x", "apps/notes.txt": b"x", "other.toml": b"no"})
        assert load_catalog(root=root).digest == parse_catalog(catalog_files()).digest

    def test_a_pack_adds_to_the_shipped_catalog(self, tmp_path: Path) -> None:
        root = write(tmp_path / "root", catalog_files())
        text = SIGNATURE.replace("pay-sdk-android", "our-sdk-android").replace("com.pay.sdk", "our.sdk")
        pack = write(tmp_path / "pack", {"sdks/our.toml": text.encode()})
        catalog = load_catalog([pack], root=root)
        assert [item.id for item in catalog.signatures] == ["our-sdk-android", "pay-sdk-android"]
        assert catalog.digest != load_catalog(root=root).digest
        assert check_catalog([pack], root=root) == []

    def test_a_pack_never_overrides_a_shipped_id(self, tmp_path: Path) -> None:
        root = write(tmp_path / "root", catalog_files())
        pack = write(tmp_path / "pack", {"sdks/pay.toml": SIGNATURE.encode()})
        with pytest.raises(CatalogError, match=r"pack~1/sdks/pay\.toml.*taken by sdks/pay\.toml"):
            load_catalog([pack], root=root)

    def test_two_packs_of_the_same_name_do_not_hide_each_other(self, tmp_path: Path) -> None:
        root = write(tmp_path / "root", catalog_files())
        packs = []
        for letter in "ab":
            text = SIGNATURE.replace("pay-sdk-android", f"{letter}-sdk-android").replace("com.pay", f"{letter}.pay")
            packs.append(write(tmp_path / letter / "pack", {"sdks/our.toml": text.encode()}))
        assert len(load_catalog(packs, root=root).signatures) == 3

    @pytest.mark.parametrize("name", ["missing", "empty"])
    def test_a_pack_that_holds_nothing_is_named(self, tmp_path: Path, name: str) -> None:
        root = write(tmp_path / "root", catalog_files())
        (tmp_path / "empty").mkdir()
        with pytest.raises(CatalogError, match=name):
            load_catalog([tmp_path / name], root=root)
        assert name in str(check_catalog([tmp_path / name], root=root)[0])


class TestShippedCatalog:
    def test_it_has_no_fault(self) -> None:
        assert check_catalog() == []

    def test_the_installed_package_and_the_plain_checkout_hold_the_same(self, shipped: Catalog) -> None:
        assert load_catalog(root=ROOT).digest == shipped.digest

    def test_every_source_declared_is_cited(self, shipped: Catalog) -> None:
        text = "\n".join(path.read_text() for path in ROOT.rglob("*.toml") if path.name != "sources.toml")
        assert [name for name in shipped.sources if f'"{name}"' not in text] == []

    def test_no_file_is_larger_than_a_person_can_review(self) -> None:
        assert max(path.stat().st_size for path in ROOT.rglob("*.toml")) < 64 << 10

    def test_nothing_remembered_is_more_than_low(self) -> None:
        def walk(value: object) -> None:
            if isinstance(value, dict):
                if value.get("sources") == ["memory"]:
                    assert value.get("confidence") == "low", value
                for item in value.values():
                    walk(item)
            elif isinstance(value, list):
                for item in value:
                    walk(item)

        for path in ROOT.rglob("*.toml"):
            walk(tomllib.loads(path.read_text()))

    def test_the_eight_products_and_wechat_are_its_subjects(self, shipped: Catalog) -> None:
        assert list(shipped.subjects) == [
            "alipay", "camscanner", "qq-wallet", "shareit", "tencent-qq", "vmate", "wechat", "wechat-pay", "wps-office",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("subject", "cells"),
        [
            ("vmate", {"ios-id", "signer", "android-sdk", "ios-sdk"}),
            ("shareit", {"ios-id", "signer", "android-sdk", "ios-sdk"}),
            ("alipay", set()),
        ],
    )
    def test_what_is_not_known_is_said(self, shipped: Catalog, subject: str, cells: set[str]) -> None:
        assert {cell for cell, _ in shipped.subjects[subject].unknown} == cells

    @pytest.mark.parametrize("platform", Platform)
    @pytest.mark.parametrize(
        "subject", ["alipay", "camscanner", "qq-wallet", "tencent-qq", "wechat-pay", "wechat", "wps-office"]
    )
    def test_each_of_these_has_an_sdk_signature(self, shipped: Catalog, subject: str, platform: Platform) -> None:
        found = [item for item in shipped.signatures if (item.subject, item.platform) == (subject, platform)]
        assert any(item.role is Role.SDK and item.rules[0].grade is Grade.EMBEDDED for item in found)

    def test_own_apps_are_ids_of_the_catalog(self, shipped: Catalog) -> None:
        known = {app.value for subject in shipped.subjects.values() for app in subject.app_ids}
        for signature in shipped.signatures:
            assert set(signature.own_apps) <= known, signature.id
