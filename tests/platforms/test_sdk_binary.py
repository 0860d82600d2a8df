"""The values of an SDK binary, whatever it is packed in."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, replace

import pytest

from auditor.containers.member import Budget
from auditor.errors import FormatError
from auditor.limits import DEFAULT
from auditor.model import FactKind, Origin
from auditor.platforms.sdk_binary import read_values
from tests.builders.class_file import class_file
from tests.builders.dex import build_dex


def build_zip(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


OWN = class_file(["pay.example/own"], ["com/pay/Task"])
OTHER = class_file(["json.example/other"], ["org/json/Text"])
JAR = build_zip({"com/pay/Task.class": OWN, "org/json/Text.class": OTHER, "META-INF/MANIFEST.MF": b"Version: 1"})
DEX = build_dex(["La/b;"], strings=["from.a.dex.file"])


@dataclass(frozen=True)
class Held:
    """A member in memory."""

    path: str
    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    @property
    def origin(self) -> Origin:
        return Origin((self.path,))

    def open(self) -> bytes:
        return self.data

    def peek(self, size: int) -> bytes:
        return self.data[:size]


def values(data: bytes, kind: FactKind = FactKind.DEX_STRING, folders: tuple[str, ...] = ()) -> frozenset[str]:
    return read_values(Held("sdk", data), kind, Budget(DEFAULT), folders)


def test_a_jar_gives_the_literals_of_its_classes() -> None:
    assert values(JAR) == {"pay.example/own", "json.example/other"}


def test_an_aar_gives_those_of_the_jar_inside() -> None:
    assert values(build_zip({"classes.jar": JAR, "AndroidManifest.xml": b"<manifest/>"})) == values(JAR)


def test_classes_outside_the_named_folders_are_not_the_sdks_own() -> None:
    assert values(JAR, folders=("com/pay/",)) == {"pay.example/own"}
    assert values(JAR, folders=("com/payments/",)) == frozenset()


def test_a_dex_file_gives_its_strings_in_an_apk_or_alone() -> None:
    assert "from.a.dex.file" in values(DEX)
    assert "from.a.dex.file" in values(build_zip({"classes.dex": DEX}))


@pytest.mark.parametrize("data", [b"", b"plain text", build_zip({"readme": b"text"}), b"\x7fELF" + bytes(60)])
def test_what_holds_no_code_of_that_kind_gives_nothing(data: bytes) -> None:
    assert values(data) == frozenset()
    assert values(data, FactKind.MACHO_STRING) == frozenset()


def test_a_class_file_is_no_mach_o() -> None:
    assert values(OWN, FactKind.OBJC_CLASS) == frozenset()


def test_damage_is_an_error_not_an_empty_answer() -> None:
    with pytest.raises(FormatError):
        values(OWN[:30])
    with pytest.raises(FormatError):
        values(build_zip({"a.class": OWN[:30]}))


def test_nesting_is_bounded() -> None:
    data = JAR
    for _ in range(4):
        data = build_zip({"inner.zip": data})
    with pytest.raises(FormatError, match="nested deeper than 2"):
        read_values(Held("sdk", data), FactKind.DEX_STRING, Budget(replace(DEFAULT, container_depth=2)))
