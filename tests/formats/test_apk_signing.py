"""Schemes v2, v3 and v3.1: what holds, what does not, and which scheme a platform trusts."""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence

import pytest

from auditor.errors import FormatError
from auditor.formats.apk_signing import read_signing
from auditor.formats.zip import parse_zip
from auditor.limits import Limits
from auditor.model import Signing, SigningState
from tests.builders import apk_signatures as sign
from tests.builders.apk_signatures import NEWEST, V2, V3, V31, V32, Draft, Jar, identity, lineage, sign_apk
from tests.builders.zips import Member, build_zip

VERIFIED, INVALID = SigningState.VERIFIED, SigningState.INVALID
UNVERIFIABLE, MISSING = SigningState.UNVERIFIABLE, SigningState.MISSING


def signing_of(data: bytes, min_sdk: int | None = None) -> Signing:
    return read_signing(data, parse_zip(data), min_sdk)[0]


def warnings_of(data: bytes) -> tuple[str, ...]:
    return read_signing(data, parse_zip(data))[1]


def names(signing: Signing) -> list[str]:
    return [signer.sha256 for signer in signing.signers]


def v2(**changes: object) -> bytes:
    """An APK of scheme v2 with one changed signer."""
    return sign_apk({V2: [Draft(identity(), **changes)]})  # type: ignore[arg-type]


def v3(min_sdk: int = 24, **changes: object) -> bytes:
    """An APK of scheme v3 with one changed signer."""
    return sign_apk({V3: [Draft(identity(), min_sdk=min_sdk, **changes)]})  # type: ignore[arg-type]


def rotated(proof: bytes | None = None, announced: int | None = 33, rotation: int = 33) -> bytes:
    """An APK whose signer changes from scheme v3 to v3.1."""
    old, new = identity("old"), identity("new")
    proof = lineage(old, new) if proof is None else proof
    attributes = [] if announced is None else [(sign.ROTATION_SDK, struct.pack("<I", announced))]
    first = Draft(old, min_sdk=24, max_sdk=rotation - 1, attributes=attributes)
    return sign_apk({V3: [first], V31: [Draft(new, min_sdk=rotation, attributes=[(sign.LINEAGE, proof)])]})


class TestVerified:
    @pytest.mark.parametrize(
        ("kind", "algorithm"),
        [
            ("rsa", sign.PSS256),
            ("rsa", sign.PSS512),
            ("rsa", sign.RSA256),
            ("rsa", sign.RSA512),
            ("ec", sign.EC256),
            ("ec", sign.EC512),
            ("dsa", sign.DSA256),
        ],
    )
    @pytest.mark.parametrize("scheme", [V2, V3])
    def test_every_algorithm_holds(self, scheme: int, kind: str, algorithm: int) -> None:
        who = identity("first", kind)
        draft = Draft(who, (algorithm,), min_sdk=None if scheme == V2 else 24)
        signing = signing_of(sign_apk({scheme: [draft]}))
        assert (signing.state, signing.detail) == (VERIFIED, "")
        assert names(signing) == [who.sha256]

    @pytest.mark.parametrize(("kind", "algorithm"), [("rsa", 0x0421), ("ec", 0x0423), ("dsa", 0x0425)])
    def test_verity_digests_hold_on_page_boundaries(self, kind: str, algorithm: int) -> None:
        data = sign_apk({V2: [Draft(identity("first", kind), (algorithm,))]}, page=4096)
        assert signing_of(data).state is VERIFIED

    def test_verity_digests_off_the_page_boundary_do_not_hold(self) -> None:
        signing = signing_of(v2(algorithms=(sign.EC_VERITY,)))
        assert signing.state is INVALID
        assert "aligned" in signing.detail

    def test_every_signer_of_scheme_v2_is_listed(self) -> None:
        first, second = identity(), identity("second", "rsa")
        signing = signing_of(sign_apk({V2: [Draft(first), Draft(second)]}))
        assert signing.state is VERIFIED
        assert names(signing) == [first.sha256, second.sha256]

    def test_contents_of_several_chunks_hold(self) -> None:
        big = Member(b"big", random.Random(3).randbytes(2_500_000), 0)
        assert signing_of(sign_apk({V2: [Draft(identity())]}, (*sign.APK_MEMBERS, big))).state is VERIFIED

    def test_the_certificate_is_described(self) -> None:
        signer = signing_of(v2()).signers[0]
        assert signer.subject == "CN=first"
        assert len(signer.public_key_sha256) == 64

    def test_padding_and_unknown_entries_of_the_block_are_ignored(self) -> None:
        extra = [(0x42726577, bytes(500)), (0x6DFF800D, b"stamp"), (0x504B4453, b"dependencies")]
        data = sign_apk({V2: [Draft(identity())]}, extra=extra)
        assert signing_of(data).state is VERIFIED
        assert warnings_of(data) == ()

    def test_unknown_attributes_are_ignored(self) -> None:
        assert signing_of(v2(attributes=[(0x12345678, b"whatever")])).state is VERIFIED


class TestAlteredBytes:
    @pytest.mark.parametrize("scheme", [V2, V3])
    def test_one_flipped_byte_in_each_section_is_noticed(self, scheme: int) -> None:
        data = sign_apk({scheme: [Draft(identity(), min_sdk=None if scheme == V2 else 24)]})
        archive = parse_zip(data)
        block = data.rfind(b"APK Sig Block 42")
        size = struct.unpack_from("<Q", data, block - 8)[0]
        places = {
            "local header": 10,
            "member": 300,
            "signer": block - size // 2,
            "central directory time": archive.central_directory_offset + 12,
            "end record disk number": archive.end_offset + 4,
        }
        for place, offset in places.items():
            changed = bytearray(data)
            changed[offset] ^= 1
            assert signing_of(bytes(changed)).state is INVALID, place

    def test_any_flipped_bit_of_the_contents_is_noticed(self) -> None:
        data = v2()
        end = data.rfind(b"APK Sig Block 42")
        start = end - struct.unpack_from("<Q", data, end - 8)[0]
        generator = random.Random(5)
        for _ in range(60):
            changed = bytearray(data)
            changed[generator.randrange(start - 8)] ^= 1 << generator.randrange(8)
            assert signing_of(bytes(changed)).state is INVALID

    def test_a_byte_appended_after_the_archive_is_noticed(self) -> None:
        assert signing_of(v2() + b"\0").state is INVALID

    def test_an_added_archive_comment_is_noticed(self) -> None:
        data = v2()
        assert signing_of(data[:-2] + b"\x02\0hi").state is INVALID

    def test_two_chunks_cannot_change_places(self) -> None:
        half = 1 << 20
        content = bytes(half) + b"\1" * half
        data = bytearray(sign_apk({V2: [Draft(identity())]}, (Member(b"x" * 4066, b"", 0), Member(b"big", content, 0))))
        first = data.find(bytes(half))
        data[first : first + 2 * half] = b"\1" * half + bytes(half)
        assert signing_of(bytes(data)).state is INVALID


class TestSignersThatDoNotHold:
    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"change_signature": lambda _, value: value[:-1] + bytes([value[-1] ^ 1])}, "does not hold"),
            ({"change_signature": lambda _, value: b""}, "does not hold"),
            ({"change_digest": lambda _, value: bytes(len(value))}, "differs from what was signed"),
            ({"change_digest": lambda _, value: value[:-1]}, "differs from what was signed"),
            ({"public_key": identity("other").key_info}, "not that of its certificate"),
            ({"public_key": b""}, "not that of its certificate"),
            ({"certificates": []}, "no certificate"),
            ({"certificates": [b"0\x03\x02\x01\x01"]}, ""),
            ({"digest_ids": (sign.EC512,)}, "algorithms"),
            ({"digest_ids": (sign.EC256, sign.EC512)}, "algorithms"),
            ({"digest_ids": ()}, "algorithms"),
            ({"algorithms": (sign.RSA256,)}, "does not hold"),
        ],
    )
    @pytest.mark.parametrize("build", [v2, v3])
    def test_a_wrong_part_makes_it_invalid(self, build: object, changes: dict[str, object], words: str) -> None:
        signing = signing_of(build(**changes))  # type: ignore[operator]
        assert signing.state is INVALID
        assert words in signing.detail

    @pytest.mark.parametrize("build", [v2, v3])
    def test_a_foreign_certificate_pasted_over_the_own_is_invalid(self, build: object) -> None:
        vendor = identity("vendor", "rsa")
        signing = signing_of(build(certificates=[vendor.certificate]))  # type: ignore[operator]
        assert signing.state is INVALID
        assert names(signing) == [vendor.sha256]

    @pytest.mark.parametrize("build", [v2, v3])
    def test_certificate_and_key_of_a_vendor_without_its_signature_are_invalid(self, build: object) -> None:
        vendor = identity("vendor", "ec")
        signing = signing_of(build(certificates=[vendor.certificate], public_key=vendor.key_info))  # type: ignore[operator]
        assert signing.state is INVALID
        assert "does not hold" in signing.detail

    def test_one_bad_signer_of_two_spoils_scheme_v2(self) -> None:
        bad = Draft(identity("second"), change_digest=lambda _, value: bytes(len(value)))
        assert signing_of(sign_apk({V2: [Draft(identity()), bad]})).state is INVALID

    def test_the_strongest_signature_counts(self) -> None:
        both = (sign.EC256, sign.EC512)

        def spoil(which: int) -> bytes:
            return v2(algorithms=both, change_signature=lambda number, value: b"x" if number == which else value)

        assert signing_of(v2(algorithms=both)).state is VERIFIED
        assert signing_of(spoil(sign.EC512)).state is INVALID
        assert signing_of(spoil(sign.EC256)).state is VERIFIED

    def test_two_digests_of_one_kind_must_agree(self) -> None:
        seen: list[int] = []

        def differ(_: int, value: bytes) -> bytes:
            seen.append(1)
            return value if len(seen) == 1 else bytes(len(value))

        who = identity("first", "rsa")
        draft = Draft(who, (sign.RSA256, sign.PSS256), change_digest=differ)
        assert "two different digests" in signing_of(sign_apk({V2: [draft]})).detail

    @pytest.mark.parametrize("build", [v2, v3])
    def test_unknown_algorithms_alone_are_unverifiable(self, build: object) -> None:
        signing = signing_of(build(algorithms=(0x0777,)))  # type: ignore[operator]
        assert signing.state is UNVERIFIABLE
        assert "0x777" in signing.detail

    def test_an_unknown_algorithm_beside_a_known_one_is_ignored(self) -> None:
        assert signing_of(v2(algorithms=(0x0777, sign.EC256))).state is VERIFIED

    @pytest.mark.parametrize("scheme", [V2, V3, V31])
    def test_a_scheme_without_signers_is_invalid(self, scheme: int) -> None:
        data = sign_apk({scheme: []})
        assert signing_of(data).state is (MISSING if scheme == V31 else INVALID)

    def test_eleven_signers_are_more_than_the_platform_takes(self) -> None:
        draft = Draft(identity())
        assert signing_of(sign_apk({V2: [draft] * 10})).state is VERIFIED
        assert signing_of(sign_apk({V2: [draft] * 11})).state is INVALID


class TestStripping:
    def test_scheme_v2_that_names_a_missing_v3_is_invalid(self) -> None:
        signing = signing_of(v2(attributes=[(sign.STRIPPED, struct.pack("<I", 3))]))
        assert signing.state is INVALID
        assert "stripped" in signing.detail

    def test_scheme_v2_that_names_a_present_v3_is_not_even_looked_at(self) -> None:
        attributes = [(sign.STRIPPED, struct.pack("<I", 3))]
        who = identity()
        data = sign_apk({V2: [Draft(who, attributes=attributes)], V3: [Draft(who, min_sdk=24)]})
        assert (signing_of(data).state, signing_of(data).scheme) == (VERIFIED, "v3")

    def test_scheme_v2_that_names_another_scheme_is_no_matter(self) -> None:
        assert signing_of(v2(attributes=[(sign.STRIPPED, struct.pack("<I", 9))])).state is VERIFIED

    @pytest.mark.parametrize("number", [b"2", b"3", b"2, 3"])
    def test_a_signature_file_that_names_a_missing_block_is_invalid(self, number: bytes) -> None:
        main = b"X-Android-APK-Signed: " + number + b"\r\n"
        signing = signing_of(build_zip(*Jar([identity()], main=main).members()))
        assert (signing.state, signing.scheme) == (INVALID, "v1")
        assert "stripped" in signing.detail

    def test_a_broken_newer_scheme_is_not_passed_over_for_an_older_one(self) -> None:
        who = identity()
        broken = Draft(who, min_sdk=24, change_signature=lambda _, value: b"x")
        signing = signing_of(sign_apk({V2: [Draft(who)], V3: [broken]}, Jar([who]).members()))
        assert (signing.state, signing.scheme) == (INVALID, "v3")
        assert signing.present == ("v1", "v2", "v3")

    def test_scheme_v3_that_announces_a_missing_v31_is_invalid(self) -> None:
        signing = signing_of(v3(attributes=[(sign.ROTATION_SDK, struct.pack("<I", 33))]))
        assert signing.state is INVALID
        assert "v3.1" in signing.detail


class TestSdkLevels:
    @pytest.mark.parametrize(
        ("schemes", "jar", "trusted"),
        [
            ((), True, ((0, "v1"),)),
            ((V2,), False, ((24, "v2"),)),
            ((V2,), True, ((0, "v1"), (24, "v2"))),
            ((V3,), False, ((28, "v3"),)),
            ((V2, V3), True, ((0, "v1"), (24, "v2"), (28, "v3"))),
            ((V3,), True, ((0, "v1"), (28, "v3"))),
        ],
    )
    def test_each_level_trusts_the_newest_scheme_it_knows(
        self, schemes: Sequence[int], jar: bool, trusted: tuple[tuple[int, str], ...]
    ) -> None:
        who = identity()
        drafts = {scheme: [Draft(who, min_sdk=None if scheme == V2 else 24)] for scheme in schemes}
        members = Jar([who]).members() if jar else sign.APK_MEMBERS
        data = sign_apk(drafts, members) if drafts else build_zip(*members)
        signing = signing_of(data)
        assert signing.trusted == trusted
        assert signing.scheme == trusted[-1][1]
        assert signing.state is VERIFIED

    def test_rotation_moves_the_trust_to_scheme_v31(self) -> None:
        assert signing_of(rotated()).trusted == ((28, "v3"), (33, "v3.1"))
        assert signing_of(rotated(announced=34, rotation=34)).trusted == ((28, "v3"), (34, "v3.1"))

    @pytest.mark.parametrize(
        ("min_sdk", "trusted"),
        [(21, ((21, "v1"), (24, "v2"))), (24, ((24, "v2"),)), (30, ((30, "v2"),))],
    )
    def test_levels_the_app_does_not_run_on_are_left_out(
        self, min_sdk: int, trusted: tuple[tuple[int, str], ...]
    ) -> None:
        who = identity()
        data = sign_apk({V2: [Draft(who)]}, Jar([who]).members())
        assert signing_of(data, min_sdk).trusted == trusted

    @pytest.mark.parametrize(
        ("min_sdk", "max_sdk", "state"), [(24, 35, INVALID), (37, NEWEST, INVALID), (36, 36, VERIFIED)]
    )
    def test_scheme_v3_needs_a_signer_for_the_current_level(
        self, min_sdk: int, max_sdk: int, state: SigningState
    ) -> None:
        assert signing_of(v3(min_sdk, max_sdk=max_sdk)).state is state

    def test_two_signers_for_one_level_are_invalid(self) -> None:
        drafts = [Draft(identity(name), min_sdk=24) for name in ("first", "second")]
        assert signing_of(sign_apk({V3: drafts})).state is INVALID

    def test_two_signers_for_different_levels_hold_and_the_current_one_is_named(self) -> None:
        old, new = identity("old"), identity("new")
        drafts = [Draft(old, min_sdk=24, max_sdk=30), Draft(new, min_sdk=31)]
        signing = signing_of(sign_apk({V3: drafts}))
        assert (signing.state, names(signing)) == (VERIFIED, [new.sha256])

    def test_levels_that_differ_from_the_signed_ones_are_invalid(self) -> None:
        assert signing_of(v3(signed_levels=(30, NEWEST))).state is INVALID

    def test_scheme_v31_for_later_levels_leaves_the_current_one_to_v3(self) -> None:
        signing = signing_of(rotated(announced=40, rotation=40))
        assert (signing.state, signing.scheme) == (VERIFIED, "v3")
        assert names(signing) == [identity("old").sha256]
        assert signing.trusted == ((28, "v3"), (40, "v3.1"))

    def test_scheme_v3_must_announce_the_level_that_v31_has(self) -> None:
        assert signing_of(rotated(announced=39, rotation=40)).state is INVALID


class TestLineage:
    def test_earlier_signers_are_listed_oldest_first(self) -> None:
        signing = signing_of(rotated())
        assert (signing.state, signing.scheme) == (VERIFIED, "v3.1")
        assert names(signing) == [identity("new").sha256]
        assert [item.sha256 for item in signing.lineage] == [identity("old").sha256, identity("new").sha256]

    def three(self) -> list[sign.Identity]:
        return [identity("one", "rsa"), identity("two"), identity("new")]

    def test_three_generations_of_mixed_keys_hold(self) -> None:
        chain = self.three()
        signing = signing_of(rotated(lineage(*chain)))
        assert signing.state is VERIFIED
        assert [item.sha256 for item in signing.lineage] == [item.sha256 for item in chain]

    def test_a_lineage_in_scheme_v3_holds(self) -> None:
        chain = [identity("old"), identity()]
        signing = signing_of(v3(attributes=[(sign.LINEAGE, lineage(*chain))]))
        assert len(signing.lineage) == 2

    @pytest.mark.parametrize(
        "build",
        [
            lambda one, two, new: lineage(two, one, new, wrong_parent=1),
            lambda one, two, new: lineage(one, two, new, wrong_parent=2),
            lambda one, two, new: lineage(one, two, new, wrong_algorithm=2),
            lambda one, two, new: lineage(one, two),
            lambda one, two, new: lineage(new, two, one),
            lambda one, two, new: lineage(new, two, new),
            lambda one, two, new: lineage(),
            lambda one, two, new: lineage(one, two, new)[:-1],
            lambda one, two, new: b"",
        ],
    )
    def test_a_broken_or_swapped_lineage_is_invalid_and_vouches_for_nobody(self, build: object) -> None:
        signing = signing_of(rotated(build(*self.three())))  # type: ignore[operator]
        assert signing.state is INVALID
        assert signing.lineage == ()

    def test_levels_that_change_places_are_invalid(self) -> None:
        proof = lineage(*self.three())
        first = struct.unpack_from("<I", proof, 4)[0] + 4
        second = struct.unpack_from("<I", proof, 4 + first)[0] + 4
        swapped = proof[:4] + proof[4 + first : 4 + first + second] + proof[4 : 4 + first] + proof[4 + first + second :]
        assert len(swapped) == len(proof)
        assert signing_of(rotated(swapped)).state is INVALID

    def test_a_lineage_longer_than_the_limit_is_refused(self) -> None:
        data = rotated(lineage(*self.three()))
        signing, _ = read_signing(data, parse_zip(data), limits=Limits(lineage=2))
        assert signing.state is INVALID

    def test_a_stranger_in_an_older_scheme_is_warned_of(self) -> None:
        data = sign_apk({V2: [Draft(identity("stranger"))], V3: [Draft(identity(), min_sdk=24)]})
        assert signing_of(data).state is VERIFIED
        assert any("v2 names another signer" in warning for warning in warnings_of(data))


class TestOtherSchemes:
    def test_an_unsigned_archive_is_missing_a_signature(self) -> None:
        signing = signing_of(build_zip(*sign.APK_MEMBERS))
        assert (signing.state, signing.scheme, signing.present, signing.trusted) == (MISSING, None, (), ())

    def test_scheme_v32_is_recognised_beside_others(self) -> None:
        data = sign_apk({V3: [Draft(identity(), min_sdk=24)]}, extra=[(V32, b"post-quantum")])
        signing = signing_of(data)
        assert (signing.state, signing.scheme, signing.present) == (VERIFIED, "v3", ("v3", "v3.2"))
        assert any("v3.2" in warning for warning in warnings_of(data))

    def test_scheme_v32_alone_is_unverifiable(self) -> None:
        assert signing_of(sign_apk({}, extra=[(V32, b"post-quantum")])).state is UNVERIFIABLE

    def test_scheme_v31_without_v3_is_warned_of(self) -> None:
        data = sign_apk({V31: [Draft(identity(), min_sdk=33)]})
        assert (signing_of(data).state, signing_of(data).scheme) == (VERIFIED, "v3.1")
        assert any("without scheme v3" in warning for warning in warnings_of(data))


def with_block(change: object) -> bytes:
    """A signed APK whose block was changed as a whole, its end record pointing behind it."""
    front, directory, end = sign.split_apk()
    signed = v2()
    block = signed[len(front) : len(signed) - len(directory) - len(end)]
    return sign.join_apk((front, directory, end), change(block))  # type: ignore[operator]


class TestTheBlock:
    def test_an_unchanged_block_holds(self) -> None:
        assert signing_of(with_block(lambda block: block)).state is VERIFIED

    @pytest.mark.parametrize(
        "change",
        [
            lambda block: block[:-1] + b"3",
            lambda block: struct.pack("<Q", 1 << 40) + block[8:],
            lambda block: block[:-24] + struct.pack("<Q", 1 << 62) + block[-16:],
            lambda block: block[:-24] + struct.pack("<Q", 0) + block[-16:],
            lambda block: block + b"\0",
        ],
    )
    def test_what_the_platform_does_not_take_for_a_block_is_no_signature(self, change: object) -> None:
        assert signing_of(with_block(change)).state is MISSING

    @pytest.mark.parametrize("size", [0, 3, 1 << 31, (1 << 64) - 1])
    def test_an_entry_of_an_absurd_size_ends_the_search(self, size: int) -> None:
        data = with_block(lambda block: block[:8] + struct.pack("<Q", size) + block[16:])
        assert signing_of(data).state is MISSING
        assert any("impossible size" in warning for warning in warnings_of(data))

    @pytest.mark.parametrize("offset", [0, 4, 8, 12])
    def test_absurd_lengths_inside_a_signer_are_invalid(self, offset: int) -> None:
        at = 8 + 12 + offset
        signing = signing_of(with_block(lambda block: block[:at] + b"\xff\xff\xff\x7f" + block[at + 4 :]))
        assert (signing.state, signing.scheme) == (INVALID, "v2")

    def test_of_two_entries_of_a_scheme_the_first_counts(self) -> None:
        good = v2()
        data = sign_apk({V2: [Draft(identity())]}, extra=[(V2, b"junk")])
        assert signing_of(good).state is VERIFIED
        assert signing_of(data).state is INVALID
        assert any("twice" in warning for warning in warnings_of(data))

    def test_a_block_larger_than_the_limit_is_invalid(self) -> None:
        data = v2()
        signing, _ = read_signing(data, parse_zip(data), limits=Limits(signing_block_size=100))
        assert signing.state is INVALID

    def test_bytes_between_directory_and_end_hide_the_block_as_on_android(self) -> None:
        data = v2()
        end = data.rfind(b"PK\x05\x06")
        assert signing_of(data[:end] + b"gap!" + data[end:]).state is not VERIFIED


class TestAnyBytes:
    def damaged(self, data: bytes) -> SigningState | None:
        try:
            archive = parse_zip(data)
        except FormatError:
            return None
        return read_signing(data, archive)[0].state

    def test_truncations_never_verify(self) -> None:
        data = rotated()
        for size in range(0, len(data), 7919):
            assert self.damaged(data[:size]) is not VERIFIED

    def test_truncated_blocks_never_raise(self) -> None:
        front, directory, end = sign.split_apk()
        block = rotated()[len(front) : -len(directory) - len(end)]
        body = block[20:-24]
        for size in range(0, len(body), 5):
            data = sign.join_apk((front, directory, end), sign.signing_block([(V31, body[:size])]))
            assert self.damaged(data) is not VERIFIED

    def test_flipped_bits_in_the_block_never_raise(self) -> None:
        data = rotated()
        end = data.rfind(b"APK Sig Block 42") + 16
        start = end - struct.unpack_from("<Q", data, end - 24)[0] - 8
        generator = random.Random(77)
        verified = 0
        for _ in range(300):
            changed = bytearray(data)
            changed[generator.randrange(start, end)] ^= 1 << generator.randrange(8)
            verified += self.damaged(bytes(changed)) is VERIFIED
        # Scheme v3 lies in the same block and is not what the current platform looks at; nor are the flags of a level.
        assert verified < 200
