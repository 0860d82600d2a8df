"""How certificates become signers: real vendor certificates, odd ones that strict parsers refuse, and damage."""

from __future__ import annotations

import datetime
import hashlib
import random
import warnings

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from auditor.errors import FormatError, LimitError
from auditor.formats.certificate import is_same_key, issuer_and_serial, parse_certificate, public_key_info, rsa_numbers
from auditor.limits import Limits
from tests.builders.apk_signatures import der, identity

WECHAT = bytes.fromhex(
    "308202eb30820254a00302010202044d36f7a4300d06092a864886f70d01010505003081b9310b3009060355040613023836"
    "31123010060355040813094775616e67646f6e673111300f060355040713085368656e7a68656e31353033060355040a132c"
    "54656e63656e7420546563686e6f6c6f6779285368656e7a68656e2920436f6d70616e79204c696d69746564313a30380603"
    "55040b133154656e63656e74204775616e677a686f7520526573656172636820616e6420446576656c6f706d656e74204365"
    "6e7465723110300e0603550403130754656e63656e74301e170d3131303131393134333933325a170d343130313131313433"
    "3933325a3081b9310b300906035504061302383631123010060355040813094775616e67646f6e673111300f060355040713"
    "085368656e7a68656e31353033060355040a132c54656e63656e7420546563686e6f6c6f6779285368656e7a68656e292043"
    "6f6d70616e79204c696d69746564313a3038060355040b133154656e63656e74204775616e677a686f752052657365617263"
    "6820616e6420446576656c6f706d656e742043656e7465723110300e0603550403130754656e63656e7430819f300d06092a"
    "864886f70d010101050003818d0030818902818100c05f34b231b083fb1323670bfbe7bdab40c0c0a6efc87ef2072a1ff0d6"
    "0cc67c8edb0d0847f210bea6cbfaa241be70c86daf56be08b723c859e52428a064555d80db448cdcacc1aea2501eba06f8ba"
    "d12a4fa49d85cacd7abeb68945a5cb5e061629b52e3254c373550ee4e40cb7c8ae6f7a8151ccd8df582d446f39ae0c5e9302"
    "03010001300d06092a864886f70d0101050500038181009c8d9d7f2f908c42081b4c764c377109a8b2c70582422125ce5458"
    "42d5f520aea69550b6bd8bfd94e987b75a3077eb04ad341f481aac266e89d3864456e69fba13df018acdc168b9a19dfd7ad9"
    "d9cc6f6ace57c746515f71234df3a053e33ba93ece5cd0fc15f3e389a3f365588a9fcb439e069d3629cd7732a13fff7b8914"
    "99"
)
ALIPAY = bytes.fromhex(
    "30820244308201ad02044b28a3c9300d06092a864886f70d01010405003068310b300906035504061302636e3110300e0603"
    "55040813076265696a696e673110300e060355040713076265696a696e67310f300d060355040a1306616c69706179310f30"
    "0d060355040b1306616c69706179311330110603550403130a73686971756e2e7368693020170d3039313231363039303932"
    "395a180f32303531303131303039303932395a3068310b300906035504061302636e3110300e060355040813076265696a69"
    "6e673110300e060355040713076265696a696e67310f300d060355040a1306616c69706179310f300d060355040b1306616c"
    "69706179311330110603550403130a73686971756e2e73686930819f300d06092a864886f70d010101050003818d00308189"
    "02818100b6cbad6cbd5ed0d209afc69ad3b7a617efaae9b3c47eabe0be42d924936fa78c8001b1fd74b079e5ff9690061dac"
    "fa4768e981a526b9ca77156ca36251cf2f906d105481374998a7e6e6e18f75ca98b8ed2eaf86ff402c874cca0a263053f222"
    "37858206867d210020daa38c48b20cc9dfd82b44a51aeb5db459b22794e2d6490203010001300d06092a864886f70d010104"
    "050003818100b6b5e3854b2d5daaa02d127195d13a1927991176047982feaa3d1625740788296443e9000fe14dfe6701d7e8"
    "6be06b9282e68d4eff32b19d48555b8a0838a6e146238f048aca986715d7eab0fb445796bbd19360a7721b8d99ba04581af9"
    "57a290c47302055f813862f3c40b840e95898e72a1de03b6257a1acad4b482cd815c"
)
WECHAT_FACTS = {
    "sha256": "0fe4ff85c215918396dadc7cd8ce6963339af33d37751a56e54c7206b63a3c7c",
    "sha1": "cc80d76aa9fe94ec205ef0c336bfc424596da290",
    "md5": "18c867f0717aa67b2ab7347505ba07ed",
    "md5_of_hex": "aaa953dc012b1c3c46aafd140ec024d4",
    "subject": (
        "CN=Tencent,OU=Tencent Guangzhou Research and Development Center,O=Tencent Techno"
        "logy(Shenzhen) Company Limited,L=Shenzhen,ST=Guangdong,C=86"
    ),
    "rsa_modulus": (
        "c05f34b231b083fb1323670bfbe7bdab40c0c0a6efc87ef2072a1ff0d60cc67c8edb0d0847f210bea6cbfaa241be70c86daf"
        "56be08b723c859e52428a064555d80db448cdcacc1aea2501eba06f8bad12a4fa49d85cacd7abeb68945a5cb5e061629b52e"
        "3254c373550ee4e40cb7c8ae6f7a8151ccd8df582d446f39ae0c5e93"
    ),
}
ALIPAY_FACTS = {
    "sha256": "389b49f7832f53e9017923220aa85e14dfaa4886ecd7428818bf339543cf498a",
    "sha1": "840f343a0efc325ba0bf75dac835e4d587033435",
    "md5": "406d5150e64381124a7e8569f9784ed0",
    "md5_of_hex": "8bc9b6d9267733549b3927dff878d6a3",
    "subject": "CN=shiqun.shi,OU=alipay,O=alipay,L=beijing,ST=beijing,C=cn",
    "rsa_modulus": (
        "b6cbad6cbd5ed0d209afc69ad3b7a617efaae9b3c47eabe0be42d924936fa78c8001b1fd74b079e5ff9690061dacfa4768e9"
        "81a526b9ca77156ca36251cf2f906d105481374998a7e6e6e18f75ca98b8ed2eaf86ff402c874cca0a263053f22237858206"
        "867d210020daa38c48b20cc9dfd82b44a51aeb5db459b22794e2d649"
    ),
}


RSA_ID = bytes.fromhex("2a864886f70d010101")
COMMON_NAME = bytes.fromhex("550403")


def name(*parts: bytes) -> bytes:
    """A name of single attributes."""
    return der(0x30, *(der(0x31, part) for part in parts))


def attribute(value: bytes, kind: bytes = COMMON_NAME) -> bytes:
    return der(0x30, der(6, kind), value)


def rsa_key(modulus: bytes = b"\0\xc3" + b"\x11" * 127, exponent: bytes = b"\1\0\1") -> bytes:
    bits = der(3, b"\0", der(0x30, der(2, modulus), der(2, exponent)))
    return der(0x30, der(0x30, der(6, RSA_ID), der(5)), bits)


def certificate(
    subject: bytes = name(attribute(der(12, b"odd"))),
    serial: bytes = b"\1",
    version: bytes = b"",
    key: bytes | None = None,
) -> bytes:
    """An X.509 certificate with an empty signature, which nobody judges here."""
    algorithm = der(0x30, der(6, RSA_ID))
    validity = der(0x30, der(23, b"200101000000Z"), der(23, b"500101000000Z"))
    issuer = name(attribute(der(12, b"issuer")))
    parts = der(2, serial), algorithm, issuer, validity, subject, rsa_key() if key is None else key
    return der(0x30, der(0x30, version, *parts), algorithm, der(3, b"\0"))


class TestVendorCertificates:
    @pytest.mark.parametrize(("data", "facts"), [(WECHAT, WECHAT_FACTS), (ALIPAY, ALIPAY_FACTS)])
    def test_digests_subject_and_modulus_are_those_published(self, data: bytes, facts: dict[str, str]) -> None:
        signer = parse_certificate(data)
        assert {key: getattr(signer, key) for key in facts} == facts

    def test_a_version_1_certificate_needs_no_version_field(self) -> None:
        assert parse_certificate(ALIPAY).subject.startswith("CN=shiqun.shi")
        assert issuer_and_serial(ALIPAY)[1] == 0x4B28A3C9

    def test_the_public_key_is_hashed_as_it_lies(self) -> None:
        key = public_key_info(WECHAT)
        assert key in WECHAT
        assert parse_certificate(WECHAT).public_key_sha256 == hashlib.sha256(key).hexdigest()


class TestRenewal:
    @pytest.mark.parametrize("kind", ["rsa", "ec", "dsa"])
    def test_a_new_certificate_for_the_same_key_keeps_what_the_key_is_known_by(self, kind: str) -> None:
        who = identity("first", kind)
        old, new = parse_certificate(who.certificate), parse_certificate(certificate(key=who.key_info))
        assert (new.sha256, new.subject) != (old.sha256, old.subject)
        assert (new.public_key_sha256, new.rsa_modulus) == (old.public_key_sha256, old.rsa_modulus)

    @pytest.mark.parametrize("kind", ["rsa", "ec"])
    def test_the_same_subject_with_another_key_shares_nothing(self, kind: str) -> None:
        keys = [identity(name, kind).key_info for name in ("first", "second")]
        old, new = (parse_certificate(certificate(key=key)) for key in keys)
        assert old.subject == new.subject
        assert old.public_key_sha256 != new.public_key_sha256
        assert old.rsa_modulus is None or old.rsa_modulus != new.rsa_modulus


class TestAgainstCryptography:
    @pytest.mark.parametrize("kind", ["rsa", "ec", "dsa"])
    def test_key_and_subject_agree(self, kind: str) -> None:
        who = identity("first", kind)
        signer = parse_certificate(who.certificate)
        assert public_key_info(who.certificate) == who.key_info
        assert (signer.rsa_modulus is not None) == (kind == "rsa")
        if isinstance(who.key, rsa.RSAPrivateKey):
            assert signer.rsa_modulus == f"{who.key.public_key().public_numbers().n:x}"

    @pytest.mark.parametrize(
        "value",
        [
            "plain",
            "a,b",
            'quote"d',
            "plus+",
            "back\\slash",
            "<tag>",
            " lead",
            "trail ",
            "#hash",
            "中文",
            "a=b",
            " ",
            "semi;",
        ],
    )
    def test_names_are_written_alike(self, value: str) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        parts = [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "org"),
            x509.NameAttribute(NameOID.SERIAL_NUMBER, "12"),
            x509.NameAttribute(NameOID.COMMON_NAME, value),
        ]
        subject, start = x509.Name(parts), datetime.datetime(2020, 1, 1)
        builder = x509.CertificateBuilder(subject, subject, key.public_key(), 7, start, start.replace(year=2040))
        data = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
        assert parse_certificate(data).subject == subject.rfc4514_string()


class TestOddCertificates:
    def test_a_negative_serial_number_is_no_obstacle(self) -> None:
        data = certificate(serial=b"\xff\x01")
        assert parse_certificate(data).subject == "CN=odd"
        assert issuer_and_serial(data)[1] == -255

    def test_a_modulus_written_as_a_negative_number_is_read_unsigned(self) -> None:
        right, wrong = certificate(), certificate(key=rsa_key(b"\xc3" + b"\x11" * 127))
        assert parse_certificate(right).rsa_modulus == parse_certificate(wrong).rsa_modulus == "c3" + "11" * 127
        assert is_same_key(public_key_info(right), public_key_info(wrong))

    def test_keys_of_other_numbers_or_types_differ(self) -> None:
        assert not is_same_key(rsa_key(), rsa_key(exponent=b"\3"))
        assert not is_same_key(rsa_key(), identity().key_info)
        assert rsa_numbers(identity().key_info) is None

    @pytest.mark.parametrize(
        ("value", "subject"),
        [
            (der(30, "中".encode("utf-16-be")), "CN=中"),
            (der(28, "中".encode("utf-32-be")), "CN=中"),
            (der(20, "é".encode("latin-1")), "CN=é"),
            (der(19, "中".encode()), "CN=中"),
            (der(12, b"\xff"), "CN=\ufffd"),
            (der(30, b"\xd8\0"), "CN=\ufffd"),
            (der(4, b"\1\2"), "CN=#04020102"),
        ],
    )
    def test_every_string_type_is_read_and_the_rest_shown_as_hex(self, value: bytes, subject: str) -> None:
        shown = parse_certificate(certificate(name(attribute(value)))).subject
        assert shown == subject
        shown.encode()

    def test_unknown_attributes_keep_their_number(self) -> None:
        data = certificate(name(attribute(der(12, b"x"), bytes.fromhex("2b0601"))))
        assert parse_certificate(data).subject == "1.3.6.1=x"

    def test_an_empty_subject_is_empty(self) -> None:
        assert parse_certificate(certificate(name())).subject == ""

    def test_what_cryptography_refuses_is_read(self) -> None:
        data = certificate(serial=b"", subject=name(attribute(der(19, b"\xff"))))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises(ValueError):
                x509.load_der_x509_certificate(data).subject.rfc4514_string()
        assert parse_certificate(data).subject.startswith("CN=")


class TestDamage:
    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"0",
            b"0\x80",
            der(0x30),
            der(0x30, der(0x30)),
            der(0x31, der(0x30)),
            b"0\x84\xff\xff\xff\xff",
            b"\x1f\x81\x01\x00",
            certificate(key=der(0x30)),
            certificate(key=der(0x30, der(0x30), der(3, b"\0"))),
            certificate(key=der(0x30, der(0x30, der(6, RSA_ID)), der(3, b"\0", der(0x30)))),
            certificate(subject=name(der(0x30))),
        ],
    )
    def test_what_is_no_certificate_is_a_format_error(self, data: bytes) -> None:
        with pytest.raises(FormatError):
            parse_certificate(data)

    def test_a_certificate_larger_than_the_limit_is_refused(self) -> None:
        with pytest.raises(LimitError):
            parse_certificate(WECHAT, Limits(certificate_size=100))

    @pytest.mark.parametrize("data", [WECHAT, ALIPAY])
    def test_every_truncation_is_a_format_error(self, data: bytes) -> None:
        for size in range(len(data)):
            with pytest.raises(FormatError):
                parse_certificate(data[:size])

    def test_flipped_bits_give_another_digest_or_a_format_error(self) -> None:
        generator = random.Random(4)
        for _ in range(1000):
            changed = bytearray(WECHAT)
            changed[generator.randrange(len(changed))] ^= 1 << generator.randrange(8)
            try:
                signer = parse_certificate(bytes(changed))
            except FormatError:
                continue
            assert signer.sha256 != WECHAT_FACTS["sha256"]
            signer.subject.encode()
