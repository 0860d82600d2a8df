"""Scheme v1: the chain from CMS over signature file and manifest to every member."""

from __future__ import annotations

import random

import pytest

from auditor.formats.apk_signing import read_signing
from auditor.formats.zip import parse_zip
from auditor.limits import Limits
from auditor.model import Signing, SigningState
from tests.builders.apk_signatures import APK_MEMBERS, Jar, b64, cms, identity
from tests.builders.zips import Member, build_zip

VERIFIED, INVALID, MISSING = SigningState.VERIFIED, SigningState.INVALID, SigningState.MISSING
UNVERIFIABLE = SigningState.UNVERIFIABLE


def signing_of(jar: Jar, *more: Member, limits: Limits | None = None) -> Signing:
    data = build_zip(*jar.members(), *more)
    return read_signing(data, parse_zip(data), limits=limits or Limits())[0]


def first(**changes: object) -> Jar:
    return Jar([identity()], **changes)  # type: ignore[arg-type]


class TestVerified:
    @pytest.mark.parametrize("kind", ["rsa", "ec", "dsa"])
    @pytest.mark.parametrize("attributes", [False, True])
    def test_every_key_type_with_and_without_signed_attributes(self, kind: str, attributes: bool) -> None:
        who = identity("first", kind)
        signing = signing_of(Jar([who], attributes=attributes))
        assert (signing.state, signing.detail, signing.scheme) == (VERIFIED, "", "v1")
        assert [signer.sha256 for signer in signing.signers] == [who.sha256]

    @pytest.mark.parametrize("digest", ["SHA1", "SHA-256", "SHA-384", "SHA-512"])
    def test_every_digest_the_platform_knows(self, digest: str) -> None:
        assert signing_of(first(digest=digest)).state is VERIFIED

    def test_sections_are_checked_one_by_one_where_the_whole_has_no_digest(self) -> None:
        assert signing_of(first(whole_digest=False)).state is VERIFIED

    def test_two_signers_of_every_member_are_both_listed(self) -> None:
        signing = signing_of(Jar([identity(), identity("second", "rsa")]))
        assert signing.state is VERIFIED
        assert len(signing.signers) == 2

    def test_long_names_are_folded(self) -> None:
        member = Member(b"res/" + b"very-long-name/" * 20 + "中文.xml".encode(), b"content")
        data = build_zip(*first().members((*APK_MEMBERS, member)))
        assert read_signing(data, parse_zip(data))[0].state is VERIFIED

    def test_members_of_meta_inf_and_folders_need_no_cover(self) -> None:
        more = (Member(b"META-INF/services/x", b"1"), Member(b"res/"))
        assert signing_of(first(), *more).state is VERIFIED

    def test_names_of_signature_members_are_found_in_any_case(self) -> None:
        members = [
            Member(item.name.replace(b".SF", b".sf").replace(b".EC", b".ec"), item.content)
            for item in first().members()
        ]
        data = build_zip(*members)
        assert read_signing(data, parse_zip(data))[0].state is VERIFIED

    def test_a_block_without_a_signature_file_is_ignored(self) -> None:
        assert signing_of(first(), Member(b"META-INF/OTHER.RSA", b"junk")).state is VERIFIED


class TestBytesBeforeTheArchive:
    @pytest.mark.parametrize("prefix", [b"dex\n035\0" + bytes(120), b"#!", b"\0"])
    def test_what_no_member_covers_may_not_be_run_as_code(self, prefix: bytes) -> None:
        data = prefix + build_zip(*first().members())
        signing = read_signing(data, parse_zip(data))[0]
        assert (signing.state, signing.scheme) == (INVALID, "v1")
        assert "before the archive" in signing.detail


class TestInvalid:
    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            (
                {"change_manifest": lambda data: data.replace(b"classes.dex", b"classes.dey")},
                "which the manifest does not",
            ),
            ({"change_signature_file": lambda data: data + b"\r\n"}, "valid signature"),
            ({"covered": lambda name: name != b"classes.dex"}, "not covered"),
            ({"digest": "MD5"}, "no or a wrong digest"),
            ({"change_manifest": lambda data: b"no attribute at all\r\n"}, "no attribute"),
            ({"change_manifest": lambda data: data + data[data.index(b"Name:") :]}, "same name"),
            ({"change_manifest": lambda data: data + b"Nobody: x\r\n\r\n"}, "no name"),
        ],
    )
    def test_a_changed_part_does_not_hold(self, changes: dict[str, object], words: str) -> None:
        signing = signing_of(first(**changes))
        assert signing.state is INVALID
        assert words in signing.detail

    def test_a_main_section_that_no_digest_covers_may_change_as_on_android(self) -> None:
        change = {"change_manifest": lambda data: data.replace(b"Created-By: test", b"Created-By: tesT")}
        assert signing_of(first(**change)).state is VERIFIED

    def test_a_changed_main_section_that_a_digest_covers_does_not_hold(self) -> None:
        main = b"SHA-256-Digest-Manifest-Main-Attributes: " + b64("sha256", b"another main section") + b"\r\n"
        signing = signing_of(first(main=main))
        assert signing.state is INVALID
        assert "main section" in signing.detail

    def test_a_block_of_an_unknown_kind_is_no_signature(self) -> None:
        assert signing_of(first(block_suffix=b"TXT")).state is MISSING

    def test_a_changed_member_does_not_hold(self) -> None:
        members = [
            Member(item.name, b"changed", 0) if item.name == b"classes.dex" else item for item in first().members()
        ]
        data = build_zip(*members)
        signing = read_signing(data, parse_zip(data))[0]
        assert signing.state is INVALID
        assert "classes.dex" in signing.detail

    def test_an_added_member_does_not_hold(self) -> None:
        signing = signing_of(first(), Member(b"assets/added.dex", b"1"))
        assert signing.state is INVALID
        assert "not covered" in signing.detail

    def test_a_second_member_of_the_same_name_does_not_hold(self) -> None:
        assert signing_of(first(), Member(b"classes.dex", b"other")).state is INVALID

    def test_the_block_of_another_key_does_not_hold(self) -> None:
        who, vendor = identity(), identity("vendor")
        members = Jar([who]).members()
        signature_file = next(item.content for item in members if item.name.endswith(b".SF"))
        block = cms(who, signature_file, pasted=vendor.certificate)
        members[-1] = Member(members[-1].name, block)
        data = build_zip(*members)
        signing = read_signing(data, parse_zip(data))[0]
        assert signing.state is INVALID
        assert [signer.sha256 for signer in signing.signers] == [vendor.sha256]

    def test_members_signed_by_different_signers_do_not_hold(self) -> None:
        both = Jar([identity()], covered=lambda name: name != b"classes.dex").members()
        second = Jar([identity("second")], covered=lambda name: name == b"classes.dex").members()
        rest = [Member(m.name.replace(b"CERT0", b"CERT9"), m.content) for m in second if b"CERT" in m.name]
        data = build_zip(*both, *rest)
        assert read_signing(data, parse_zip(data))[0].state is INVALID

    def test_a_missing_manifest_does_not_hold(self) -> None:
        data = build_zip(*(item for item in first().members() if not item.name.endswith(b".MF")))
        assert read_signing(data, parse_zip(data))[0].state is INVALID

    def test_attributes_with_another_content_type_do_not_hold(self) -> None:
        members = first().members()
        members[-1] = Member(
            members[-1].name, cms(identity(), members[-2].content, attributes=True, content_type="signed data")
        )
        data = build_zip(*members)
        assert read_signing(data, parse_zip(data))[0].state is INVALID

    def test_eleven_signers_are_more_than_the_platform_takes(self) -> None:
        assert signing_of(Jar([identity()] * 10)).state is VERIFIED
        assert signing_of(Jar([identity()] * 11)).state is INVALID


class TestBounds:
    def test_members_larger_than_the_total_are_left_unverified(self) -> None:
        assert signing_of(first(), limits=Limits(unpacked_total=1000)).state is UNVERIFIABLE

    def test_truncated_blocks_never_raise_and_never_verify(self) -> None:
        members = first(attributes=True).members()
        block = members[-1].content
        for size in range(len(block)):
            members[-1] = Member(members[-1].name, block[:size])
            data = build_zip(*members)
            assert read_signing(data, parse_zip(data))[0].state is not VERIFIED

    @pytest.mark.parametrize("suffix", [b".MF", b".SF", b".EC"])
    def test_flipped_bits_never_raise(self, suffix: bytes) -> None:
        generator = random.Random(9)
        members = first(attributes=True).members()
        at = next(number for number, item in enumerate(members) if item.name.endswith(suffix))
        original = members[at]
        for _ in range(150):
            changed = bytearray(original.content)
            changed[generator.randrange(len(changed))] ^= 1 << generator.randrange(8)
            members[at] = Member(original.name, bytes(changed))
            data = build_zip(*members)
            state = read_signing(data, parse_zip(data))[0].state
            assert state is not VERIFIED or suffix != b".SF"
